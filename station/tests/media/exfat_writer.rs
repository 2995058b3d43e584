//! Fills a volume that mkfs.exfat made: folders and files, half of them in one piece and half of them scattered.

use super::images::tool;
use std::os::unix::fs::FileExt;
use std::path::Path;

struct Volume {
    file: std::fs::File,
    table: u64,
    heap: u64,
    cluster: u64,
    bitmap: u64,
    next: u32,
}

/// Copies what is in `source` to the volume; gives whether fsck.exfat was there to find it well.
pub fn fill(image: &Path, source: &Path) -> bool {
    let file = std::fs::File::options().read(true).write(true).open(image).unwrap();
    let mut boot = [0; 512];
    file.read_exact_at(&mut boot, 0).unwrap();
    let number = |at: usize| u64::from(u32::from_le_bytes(boot[at..at + 4].try_into().unwrap()));
    let sector = 1_u64 << boot[108];
    let cluster = sector << boot[109];
    let (table, heap, root) = (number(80) * sector, number(88) * sector, number(96) as u32);
    let mut volume = Volume { file, table, heap, cluster, bitmap: 0, next: 0 };
    let root_at = volume.at(root);
    let mut entries = vec![0; cluster as usize];
    volume.file.read_exact_at(&mut entries, root_at).unwrap();
    let mut used = 0;
    while entries[used] != 0 {
        if entries[used] == 0x81 {
            let first = u32::from_le_bytes(entries[used + 20..used + 24].try_into().unwrap());
            volume.bitmap = volume.at(first);
        }
        used += 32;
    }
    let mut held = [0; 1];
    volume.next = 2;
    loop {
        let index = u64::from(volume.next - 2);
        volume.file.read_exact_at(&mut held, volume.bitmap + index / 8).unwrap();
        if held[0] >> (index % 8) & 1 == 0 {
            break;
        }
        volume.next += 1;
    }
    let mut listed = entries[..used].to_vec();
    listed.extend(volume.folder(source));
    let clusters = (listed.len() as u64).div_ceil(cluster).max(1);
    // The root is a chain: its first cluster is there, the others follow.
    let more: Vec<u32> = (1..clusters).map(|_| volume.take()).collect();
    let chain: Vec<u32> = std::iter::once(root).chain(more).collect();
    volume.write_chain(&chain, &listed);
    drop(volume);
    tool("fsck.exfat", &["-n", image.to_str().unwrap()])
}

impl Volume {
    fn at(&self, cluster: u32) -> u64 {
        self.heap + u64::from(cluster - 2) * self.cluster
    }

    fn take(&mut self) -> u32 {
        let cluster = self.next;
        self.next += 1;
        let index = u64::from(cluster - 2);
        let mut held = [0; 1];
        self.file.read_exact_at(&mut held, self.bitmap + index / 8).unwrap();
        held[0] |= 1 << (index % 8);
        self.file.write_all_at(&held, self.bitmap + index / 8).unwrap();
        cluster
    }

    fn write_chain(&self, chain: &[u32], bytes: &[u8]) {
        for (index, cluster) in chain.iter().enumerate() {
            let next = chain.get(index + 1).copied().unwrap_or(u32::MAX);
            self.file.write_all_at(&next.to_le_bytes(), self.table + u64::from(*cluster) * 4).unwrap();
        }
        self.write(chain, bytes);
    }

    fn write(&self, chain: &[u32], bytes: &[u8]) {
        for (cluster, part) in chain.iter().zip(bytes.chunks(self.cluster as usize)) {
            self.file.write_all_at(part, self.at(*cluster)).unwrap();
        }
    }

    /// Writes the bytes somewhere; gives the first cluster and whether they lie in one piece.
    fn place(&mut self, bytes: &[u8], scattered: bool) -> (u32, bool) {
        let count = (bytes.len() as u64).div_ceil(self.cluster);
        if count == 0 {
            return (0, false);
        }
        let mut chain: Vec<u32> = (0..count).map(|_| self.take()).collect();
        if scattered && count > 1 {
            chain.reverse();
            self.write_chain(&chain, bytes);
            return (chain[0], false);
        }
        self.write(&chain, bytes);
        (chain[0], true)
    }

    /// The directory entries of all that is in a folder, which is written first.
    fn folder(&mut self, source: &Path) -> Vec<u8> {
        let mut children: Vec<_> = std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path()).collect();
        children.sort();
        let mut listed = Vec::new();
        for (index, child) in children.iter().enumerate() {
            let name: Vec<u16> = child.file_name().unwrap().to_str().unwrap().encode_utf16().collect();
            let is_folder = child.is_dir();
            let mut bytes = if is_folder { self.folder(child) } else { std::fs::read(child).unwrap() };
            if is_folder {
                let whole = bytes.len().next_multiple_of(self.cluster as usize).max(self.cluster as usize);
                bytes.resize(whole, 0);
            }
            let (first, whole) = self.place(&bytes, index % 2 == 1);
            listed.extend(set(&name, is_folder, first, whole, bytes.len() as u64));
        }
        listed
    }
}

fn set(name: &[u16], is_folder: bool, first: u32, whole: bool, size: u64) -> Vec<u8> {
    let names = name.len().div_ceil(15);
    let mut set = vec![0_u8; 32 * (2 + names)];
    set[0] = 0x85;
    set[1] = 1 + names as u8;
    set[4] = if is_folder { 0x10 } else { 0x20 };
    for at in [8, 12, 16] {
        // The first of January 2020.
        set[at..at + 4].copy_from_slice(&(40_u32 << 25 | 1 << 21 | 1 << 16).to_le_bytes());
    }
    set[32] = 0xc0;
    set[33] = 1 | if whole { 2 } else { 0 };
    set[35] = name.len() as u8;
    let hash = name.iter().flat_map(|unit| upper(*unit).to_le_bytes());
    let hash = hash.fold(0_u16, |sum, byte| sum.rotate_right(1).wrapping_add(u16::from(byte)));
    set[36..38].copy_from_slice(&hash.to_le_bytes());
    set[40..48].copy_from_slice(&size.to_le_bytes());
    set[52..56].copy_from_slice(&first.to_le_bytes());
    set[56..64].copy_from_slice(&size.to_le_bytes());
    for (index, part) in name.chunks(15).enumerate() {
        let at = 32 * (2 + index);
        set[at] = 0xc1;
        for (unit, place) in part.iter().zip((at + 2..).step_by(2)) {
            set[place..place + 2].copy_from_slice(&unit.to_le_bytes());
        }
    }
    let bytes = set.iter().enumerate().filter(|(at, _)| !matches!(at, 2 | 3));
    let sum = bytes.fold(0_u16, |sum, (_, byte)| sum.rotate_right(1).wrapping_add(u16::from(*byte)));
    set[2..4].copy_from_slice(&sum.to_le_bytes());
    set
}

fn upper(unit: u16) -> u16 {
    // Sharp s has no capital of its own in the table that mkfs.exfat writes.
    let mut upper = char::from_u32(unit.into()).into_iter().flat_map(char::to_uppercase);
    match (upper.next(), upper.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}
