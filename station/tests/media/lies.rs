//! Hand-made media that loop, lie, hide or are not for us.

use super::{listed, outcomes};
use medium::Table;
use std::path::PathBuf;

pub const SECTOR: usize = 512;
/// One reserved sector, two tables of one, two of root folder: cluster 2 begins here.
const DATA: usize = 5;

/// A FAT12 volume of 200 sectors, one sector a cluster.
#[derive(Clone)]
pub struct Fat {
    pub bytes: Vec<u8>,
    entries: usize,
}

impl Fat {
    pub fn new() -> Self {
        let mut bytes = vec![0; 200 * SECTOR];
        bytes[..3].copy_from_slice(b"\xeb\x3c\x90");
        bytes[3..11].copy_from_slice(b"MSDOS5.0");
        for (at, value) in [(11, 512_u16), (14, 1), (17, 32), (19, 200), (22, 1)] {
            bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        (bytes[13], bytes[16], bytes[21]) = (1, 2, 0xf8);
        bytes[43..54].copy_from_slice(b"NO NAME    ");
        bytes[510..512].copy_from_slice(b"\x55\xaa");
        let mut fat = Self { bytes, entries: 0 };
        fat.link(0, 0xff8).link(1, 0xfff);
        fat
    }

    pub fn link_in(&mut self, table: usize, cluster: usize, next: u16) -> &mut Self {
        let at = SECTOR * (1 + table) + cluster * 3 / 2;
        let pair = u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]);
        let pair = if cluster.is_multiple_of(2) { pair & 0xf000 | next } else { pair & 0x000f | next << 4 };
        self.bytes[at..at + 2].copy_from_slice(&pair.to_le_bytes());
        self
    }

    pub fn link(&mut self, cluster: usize, next: u16) -> &mut Self {
        self.link_in(0, cluster, next).link_in(1, cluster, next)
    }

    pub fn chain(&mut self, clusters: &[u16]) -> &mut Self {
        for (index, cluster) in clusters.iter().enumerate() {
            let next = clusters.get(index + 1).copied().unwrap_or(0xfff);
            self.link(usize::from(*cluster), next);
        }
        self
    }

    pub fn raw(&mut self, at: usize, entry: &[u8; 32]) {
        self.bytes[at..at + 32].copy_from_slice(entry);
    }

    /// An entry of the root folder.
    pub fn root(&mut self, name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> &mut Self {
        let at = 3 * SECTOR + self.entries * 32;
        self.raw(at, &entry(name, attributes, cluster, size));
        self.entries += 1;
        self
    }

    /// An entry of the folder in `folder`.
    pub fn within(
        &mut self,
        folder: u16,
        number: usize,
        name: &[u8; 11],
        attributes: u8,
        cluster: u16,
        size: u32,
    ) -> &mut Self {
        let at = (DATA + usize::from(folder) - 2) * SECTOR + number * 32;
        self.raw(at, &entry(name, attributes, cluster, size));
        self
    }
}

pub fn entry(name: &[u8; 11], attributes: u8, cluster: u16, size: u32) -> [u8; 32] {
    let mut entry = [0; 32];
    entry[..11].copy_from_slice(name);
    entry[11] = attributes;
    entry[26..28].copy_from_slice(&cluster.to_le_bytes());
    entry[28..].copy_from_slice(&size.to_le_bytes());
    entry
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn image(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("stick.img");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// What became of each entry, `ok` or the reason.
    fn told(&self, bytes: &[u8]) -> Vec<(String, String)> {
        let outcomes = outcomes(&listed(&self.image(bytes)).unwrap());
        outcomes.into_iter().map(|(name, outcome)| (name, outcome.err().unwrap_or_else(|| "ok".into()))).collect()
    }
}

/// Asserts what becomes of each entry: a piece of its reason.
fn expect(what: &str, told: &[(String, String)], wanted: &[(&str, &str)]) {
    let names: Vec<&String> = told.iter().map(|(name, _)| name).collect();
    assert_eq!(told.len(), wanted.len(), "{what}: {names:?}");
    for ((name, outcome), (wanted_name, piece)) in told.iter().zip(wanted) {
        assert_eq!(name, wanted_name, "{what}");
        assert!(outcome.contains(piece), "{what}: {name}: {outcome}");
    }
}

pub fn all() {
    let bench = Bench::new();
    let mut sound = Fat::new();
    sound.root(b"GOOD    TXT", 0x20, 20, 600).chain(&[20, 21]);
    expect("sound", &bench.told(&sound.bytes), &[("GOOD.TXT", "ok")]);
    let with = |change: &dyn Fn(&mut Fat)| {
        let mut fat = sound.clone();
        change(&mut fat);
        bench.told(&fat.bytes)
    };
    let told = with(&|fat| {
        fat.root(b"LOOP    BIN", 0, 2, 3000).link(2, 3).link(3, 2);
    });
    expect("a circle of clusters", &told, &[("GOOD.TXT", "ok"), ("LOOP.BIN", "Malformed")]);
    let told = with(&|fat| {
        fat.root(b"A       BIN", 0, 2, 1000).chain(&[2, 3]).root(b"B       BIN", 0, 4, 1000).link(4, 3);
    });
    expect("two files share a cluster", &told, &[("A.BIN", "Malformed"), ("B.BIN", "Malformed"), ("GOOD.TXT", "ok")]);
    let told = with(&|fat| {
        fat.root(b"DIR        ", 0x10, 5, 0).chain(&[5]).within(5, 0, b"SUB        ", 0x10, 5, 0);
    });
    expect("a folder within itself", &told, &[("DIR/SUB", "Malformed"), ("GOOD.TXT", "ok")]);
    let told = with(&|fat| {
        fat.root(b"DIR        ", 0x10, 5, 0).link(5, 6).link(6, 5);
    });
    expect("a folder's clusters go in a circle", &told, &[("DIR", "Malformed"), ("GOOD.TXT", "ok")]);
    let told = with(&|fat| {
        fat.root(b"HUGE    BIN", 0, 2, u32::MAX).chain(&[2]);
    });
    expect("a file larger than the volume", &told, &[("GOOD.TXT", "ok"), ("HUGE.BIN", "larger than the volume")]);
    let told = with(&|fat| {
        fat.root(b"SHORT   BIN", 0, 2, 5000).chain(&[2, 3]);
    });
    expect("a chain that ends early", &told, &[("GOOD.TXT", "ok"), ("SHORT.BIN", "ends before")]);
    let told = with(&|fat| {
        fat.root(b"WILD    BIN", 0, 0xeee, 5);
    });
    expect("a cluster that is not there", &told, &[("GOOD.TXT", "ok"), ("WILD.BIN", "leaves the volume")]);
    let told = with(&|fat| {
        fat.link_in(1, 30, 7);
    });
    expect("tables that differ", &told, &[("the medium", "tables differ")]);
    let told = with(&|fat| fat.bytes[19..21].copy_from_slice(&900_u16.to_le_bytes()));
    expect("a volume larger than its room", &told, &[("the medium", "larger than the room")]);
    let told = with(&|fat| {
        fat.root(b"AUTORUN INF", 0, 2, 5).chain(&[2]);
    });
    expect("autorun", &told, &[("AUTORUN.INF", "BlockedType"), ("GOOD.TXT", "ok")]);
    names(&bench, &sound);
    bombs(&bench, &sound);
}

fn names(bench: &Bench, sound: &Fat) {
    let mut fat = sound.clone();
    fat.root(b"SAME    TXT", 0, 0, 0).root(b"SAME    TXT", 0, 0, 0);
    let doubled = [("GOOD.TXT", "ok"), ("SAME.TXT", "one name"), ("SAME.TXT (2)", "one name")];
    expect("doubles", &bench.told(&fat.bytes), &doubled);
    // A long name whose checksum is another entry's.
    let mut fat = sound.clone();
    let mut long = [0xff; 32];
    long[..14].copy_from_slice(b"\x41e\0v\0i\0l\0.\0\x0f\0\x77");
    long[14..28].copy_from_slice(b"e\0x\0e\0\0\0\xff\xff\xff\xff\0\0");
    fat.raw(3 * SECTOR + 32, &long);
    fat.entries += 1;
    fat.root(b"REPORT  TXT", 0x06, 0, 0).root(b"\xe5LD     TXT", 0, 9, 9).root(b"x\x1b[2J      ", 0x08, 7, 0);
    let listed = listed(&bench.image(&fat.bytes)).unwrap();
    let item = listed.listing().items.iter().find(|item| item.name.bytes() == b"REPORT.TXT").unwrap();
    assert!(item.hidden && item.system, "flags are told");
    let ids: Vec<&str> = item.found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["USB-21", "USB-22"], "a long name of nobody, and flags");
    let volume = &listed.facts().volumes[0];
    assert_eq!((volume.deleted, volume.free), (1, Some(193 * 512)));
    let label = String::from_utf8_lossy(volume.label.bytes()).into_owned();
    assert_eq!(label, "x[2J", "no control character of a label is shown");
    for id in ["USB-11", "USB-12", "USB-22"] {
        assert!(listed.facts().findings.iter().any(|finding| finding.id == id), "{id}");
    }
}

fn bombs(bench: &Bench, sound: &Fat) {
    // Folders in folders, deeper than anybody makes them.
    let mut fat = sound.clone();
    fat.root(b"D          ", 0x10, 40, 0);
    for cluster in 40..120 {
        fat.chain(&[cluster]).within(cluster, 0, b"D          ", 0x10, cluster + 1, 0);
    }
    let told = bench.told(&fat.bytes);
    assert_eq!(told.len(), 2);
    assert!(told[0].0.matches('/').count() == 64 && told[0].1.contains("nested more than 64"), "{told:?}");
    // More entries than policy allows.
    let mut fat = sound.clone();
    for number in 0..20_u8 {
        fat.root(&[b'F', b'0' + number, b' ', b' ', b' ', b' ', b' ', b' ', b'T', b'X', b'T'], 0, 0, 0);
    }
    let path = bench.image(&fat.bytes);
    let launcher = jail::Launcher::of_this_program().unwrap();
    let open = || station::Medium::open(&path, &launcher, &bench.0.path().join("spool"), &model::Limits::default());
    assert_eq!(outcomes(&open().unwrap().list(21).unwrap()).len(), 21);
    let refused = outcomes(&open().unwrap().list(20).unwrap());
    assert!(refused.len() == 1 && refused["the medium"].as_ref().is_err_and(|why| why.contains("more entries")));
}

/// An entry of a master boot record.
fn partition(bytes: &mut [u8], number: usize, kind: u8, start: u32, len: u32) {
    let at = 446 + number * 16;
    bytes[at + 4] = kind;
    bytes[at + 8..at + 12].copy_from_slice(&start.to_le_bytes());
    bytes[at + 12..at + 16].copy_from_slice(&len.to_le_bytes());
    bytes[510..512].copy_from_slice(b"\x55\xaa");
}

fn divided(parts: &[(u8, u32, u32)]) -> Vec<u8> {
    let mut fat = Fat::new();
    fat.root(b"GOOD    TXT", 0x20, 20, 600).chain(&[20, 21]);
    let mut bytes = vec![0; 2048 * SECTOR];
    for (number, (kind, start, len)) in parts.iter().enumerate() {
        let at = *start as usize * SECTOR;
        bytes[at..at + fat.bytes.len()].copy_from_slice(&fat.bytes);
        partition(&mut bytes, number, *kind, *start, *len);
    }
    bytes
}

pub fn partitions() {
    let bench = Bench::new();
    let one = divided(&[(6, 100, 200)]);
    expect("one", &bench.told(&one), &[("GOOD.TXT", "ok")]);
    let facts = listed(&bench.image(&one)).unwrap().facts().clone();
    assert_eq!((facts.table, facts.outside, facts.volumes.len()), (Table::Mbr, (2048 - 200) * 512, 1));
    let both = [("partition 1/GOOD.TXT", "ok"), ("partition 2/GOOD.TXT", "ok")];
    expect("two", &bench.told(&divided(&[(6, 100, 200), (6, 400, 200)])), &both);
    let told = bench.told(&divided(&[(6, 100, 200), (0x1b, 400, 200)]));
    expect("a hidden one", &told, &[("partition 1/GOOD.TXT", "ok"), ("partition 2", "hidden")]);
    let told = bench.told(&divided(&[(6, 100, 400), (6, 400, 200)]));
    expect("they overlap", &told, &[("partition 1", "overlap"), ("partition 2", "overlap")]);
    let told = bench.told(&divided(&[(6, 100, 3000)]));
    expect("beyond the end", &told, &[("the medium", "beyond the end")]);
    let told = bench.told(&divided(&[(6, 100, 200), (0xee, 1, 2047)]));
    expect("a GPT that is announced", &told, &[("the medium", "there is none")]);
    let mut both_at_once = Fat::new().bytes;
    both_at_once.resize(2048 * SECTOR, 0);
    partition(&mut both_at_once, 0, 6, 300, 200);
    expect("volume and table", &bench.told(&both_at_once), &[("the medium", "one volume and has a partition table")]);
    // Logical partitions: one that is sound, and a chain that goes back.
    let mut extended = divided(&[(6, 100, 200), (5, 400, 1000)]);
    let fat = extended[100 * SECTOR..300 * SECTOR].to_vec();
    extended[400 * SECTOR..600 * SECTOR].fill(0);
    extended[410 * SECTOR..610 * SECTOR].copy_from_slice(&fat);
    partition(&mut extended[400 * SECTOR..], 0, 6, 10, 200);
    expect("logical", &bench.told(&extended), &both);
    partition(&mut extended[400 * SECTOR..], 1, 5, 0, 100);
    expect("logical in a circle", &bench.told(&extended), &[("the medium", "goes back")]);
    guid(&bench);
}

fn guid(bench: &Bench) {
    let gpt = |hybrid: bool, hidden: bool, spoiled: bool| {
        let mut bytes = divided(&[(6, 100, 200)]);
        bytes[..512].fill(0);
        partition(&mut bytes, 0, 0xee, 1, 2047);
        if hybrid {
            partition(&mut bytes, 1, 6, 100, 200);
        }
        let mut list = vec![0; 128 * 128];
        list[..16].copy_from_slice(b"\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7");
        list[32..40].copy_from_slice(&100_u64.to_le_bytes());
        list[40..48].copy_from_slice(&299_u64.to_le_bytes());
        list[48..56].copy_from_slice(&(u64::from(hidden) << 62).to_le_bytes());
        for (at, list_at) in [(1_usize, 2_usize), (2047, 2015)] {
            let mut header = [0; 92];
            header[..16].copy_from_slice(b"EFI PART\0\0\x01\0\x5c\0\0\0");
            header[24..32].copy_from_slice(&(at as u64).to_le_bytes());
            header[72..80].copy_from_slice(&(list_at as u64).to_le_bytes());
            header[80..84].copy_from_slice(&128_u32.to_le_bytes());
            header[84..88].copy_from_slice(&128_u32.to_le_bytes());
            header[88..92].copy_from_slice(&crc32fast::hash(&list).to_le_bytes());
            let sum = crc32fast::hash(&header);
            header[16..20].copy_from_slice(&sum.to_le_bytes());
            bytes[at * SECTOR..at * SECTOR + 92].copy_from_slice(&header);
            bytes[list_at * SECTOR..list_at * SECTOR + list.len()].copy_from_slice(&list);
        }
        if spoiled {
            bytes[2 * SECTOR + 32] ^= 1;
        }
        bytes
    };
    expect("gpt", &bench.told(&gpt(false, false, false)), &[("GOOD.TXT", "ok")]);
    assert_eq!(listed(&bench.image(&gpt(false, false, false))).unwrap().facts().table, Table::Gpt);
    expect("gpt, hybrid", &bench.told(&gpt(true, false, false)), &[("the medium", "hybrid")]);
    expect("gpt, hidden", &bench.told(&gpt(false, true, false)), &[("the medium", "hidden")]);
    expect("gpt, changed", &bench.told(&gpt(false, false, true)), &[("the medium", "checksum")]);
}

pub fn strangers() {
    let bench = Bench::new();
    let marked = |at: usize, mark: &[u8]| {
        let mut bytes = vec![0; 256 << 10];
        bytes[at..at + mark.len()].copy_from_slice(mark);
        bytes
    };
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("BitLocker", marked(3, b"-FVE-FS-"), "Encrypted"),
        ("LUKS", marked(0, b"LUKS\xba\xbe"), "Encrypted"),
        ("APFS", marked(32, b"NXSB"), "UnsupportedFeature"),
        ("HFS+", marked(1024, b"H+"), "UnsupportedFeature"),
        ("ReFS", marked(3, b"ReFS\0"), "UnsupportedFeature"),
        ("UDF", marked(32_768 + 2048, b"\0NSR02"), "UnsupportedFeature"),
        ("Btrfs", marked(65_600, b"_BHRfS_M"), "UnsupportedFeature"),
        ("nothing", marked(0, b""), "begins with zeros"),
        ("noise", marked(0, &[0x5a; 4096]), "no file system that is known"),
    ];
    for (name, bytes, wanted) in cases {
        expect(name, &bench.told(&bytes), &[("the medium", wanted)]);
    }
    let mut to_go = Fat::new();
    to_go.bytes[0x1a8..0x1b8].copy_from_slice(b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01");
    expect("BitLocker To Go", &bench.told(&to_go.bytes), &[("the medium", "Encrypted")]);
    let mut two = Fat::new().bytes;
    two[32_768..32_774].copy_from_slice(b"\x01CD001");
    expect("FAT and ISO 9660", &bench.told(&two), &[("the medium", "at once")]);
    let folder = listed(bench.0.path());
    assert!(matches!(folder, Err(station::StationError::Input { .. })), "a folder is no medium");
    let link = bench.0.path().join("link");
    std::os::unix::fs::symlink(bench.image(&two), &link).unwrap();
    assert!(listed(&link).is_err(), "a link is not followed");
}
