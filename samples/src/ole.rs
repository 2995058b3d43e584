//! Compound files ([MS-CFB]) with macro projects ([MS-OVBA]), written out by hand.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "samples are made of values of our own"
)]

/// Text as a compressed container that uses no copies (MS-OVBA 2.4.1).
#[must_use]
pub fn packed(text: &[u8]) -> Vec<u8> {
    let mut out = vec![1];
    for chunk in text.chunks(3_600) {
        let tokens: Vec<u8> = chunk.chunks(8).flat_map(|group| [&[0], group].concat()).collect();
        out.extend(u16::to_le_bytes(0xb000 | u16::try_from(tokens.len() + 2 - 3).unwrap()));
        out.extend(tokens);
    }
    out
}

fn record(id: u16, data: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &u32::try_from(data.len()).unwrap().to_le_bytes(), data].concat()
}

/// A project with one module, whose source stands `offset` bytes into its stream.
#[must_use]
pub fn dir(module: &str, offset: u32) -> Vec<u8> {
    let version = [&9_u16.to_le_bytes()[..], &4_u32.to_le_bytes(), &[1, 0, 0, 0, 2, 0]].concat();
    let records = [
        record(1, &[1, 0, 0, 0]),
        record(3, &1252_u16.to_le_bytes()),
        version,
        record(0x19, module.as_bytes()),
        record(0x1a, module.as_bytes()),
        record(0x31, &offset.to_le_bytes()),
        record(0x2b, b""),
    ];
    packed(&records.concat())
}

/// Bytes of a sector.
pub const SECTOR: usize = 512;

/// A compound file of these streams, all in one storage and none of them short.
#[must_use]
pub fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let len = |data: &Vec<u8>| data.len().max(4096).next_multiple_of(SECTOR);
    let directory_sectors = (streams.len() + 2).div_ceil(4);
    let mut fat: Vec<u32> = vec![0xffff_fffd];
    let mut chain = |sectors: usize| {
        let first = u32::try_from(fat.len()).unwrap();
        fat.extend((1..sectors).map(|n| first + u32::try_from(n).unwrap()));
        fat.push(0xffff_fffe);
        first
    };
    let directory = chain(directory_sectors);
    let starts: Vec<u32> = streams.iter().map(|(_, data)| chain(len(data) / SECTOR)).collect();
    assert!(fat.len() <= SECTOR / 4);
    fat.resize(SECTOR / 4, u32::MAX);
    let mut header = vec![0_u8; SECTOR];
    header[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    header[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    header[44..48].copy_from_slice(&1_u32.to_le_bytes());
    header[48..52].copy_from_slice(&directory.to_le_bytes());
    header[56..60].copy_from_slice(&4096_u32.to_le_bytes());
    header[60..64].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    header[68..72].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    header[76..].fill(0xff);
    header[76..80].copy_from_slice(&0_u32.to_le_bytes());
    let none = u32::MAX;
    let mut entries = entry("Root Entry", 5, none, 1, 0xffff_fffe, 0);
    entries.extend(entry("VBA", 1, none, 2, 0, 0));
    for (at, ((name, data), start)) in streams.iter().zip(&starts).enumerate() {
        let right = if at + 1 == streams.len() { none } else { u32::try_from(at + 3).unwrap() };
        entries.extend(entry(name, 2, right, none, *start, u32::try_from(data.len().max(4096)).unwrap()));
    }
    entries.resize(directory_sectors * SECTOR, 0);
    let mut file = header;
    file.extend(fat.iter().flat_map(|number| number.to_le_bytes()));
    file.extend(entries);
    for (_, data) in streams {
        let mut data = data.clone();
        data.resize(len(&data), 0);
        file.extend(data);
    }
    file
}

fn entry(name: &str, kind: u8, right: u32, child: u32, start: u32, size: u32) -> Vec<u8> {
    let mut entry = vec![0; 128];
    let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    entry[..units.len()].copy_from_slice(&units);
    entry[64..66].copy_from_slice(&u16::try_from(units.len() + 2).unwrap().to_le_bytes());
    entry[66] = kind;
    for (at, number) in [(68, u32::MAX), (72, right), (76, child), (116, start), (120, size)] {
        entry[at..at + 4].copy_from_slice(&number.to_le_bytes());
    }
    entry
}

/// The streams of a project with one module of this source, which stands `offset` bytes into its stream.
#[must_use]
pub fn project(source: &str, offset: usize) -> Vec<(&'static str, Vec<u8>)> {
    let module = [vec![0xcc; offset], packed(source.as_bytes())].concat();
    vec![("dir", dir("Module1", u32::try_from(offset).unwrap())), ("_VBA_PROJECT", vec![0xcc; 9]), ("Module1", module)]
}

/// A macro project (`vbaProject.bin`) of one module with this source.
#[must_use]
pub fn vba_project(source: &str) -> Vec<u8> {
    compound(&project(source, 700))
}
