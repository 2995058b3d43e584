//! A compound file made here, with a macro project and a packaged file in it, and what becomes of it when it is damaged.

use super::*;
use crate::{Host, Quiet};
use model::{Format, Policy, Untrusted};

/// Text as a compressed container that uses no copies (MS-OVBA 2.4.1).
fn packed(text: &[u8]) -> Vec<u8> {
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
fn dir(module: &str, offset: u32) -> Vec<u8> {
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

const SECTOR: usize = 512;

/// A compound file of these streams, all in one storage and none of them short.
fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
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
    header[..8].copy_from_slice(MAGIC);
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

#[derive(Default)]
struct Listener {
    exports: Vec<(ExportKind, String, Vec<u8>)>,
    facts: Vec<Fact>,
}

impl Host for Listener {
    fn export(&mut self, kind: ExportKind, name: &str, _: u32, bytes: &[u8]) -> Result<(), Refusal> {
        self.exports.push((kind, name.to_owned(), bytes.to_vec()));
        Ok(())
    }
    fn recognises(&self, _: &[u8], _: Format) -> bool {
        false
    }
    fn fact(&mut self, fact: Fact, _: &str, _: &str) {
        self.facts.push(fact);
    }
}

fn seen(bytes: &[u8]) -> Listener {
    let mut host = Listener::default();
    Cx::top(&Policy::standard(), &mut host, |cx| look(bytes, "vbaProject.bin", cx)).unwrap();
    host
}

const SOURCE: &str = "Attribute VB_Name = \"Module1\"\r\nSub AutoOpen()\r\n  Shell \"x\"\r\nEnd Sub\r\n";

fn project(offset: usize) -> Vec<(&'static str, Vec<u8>)> {
    let module = [vec![0xcc; offset], packed(SOURCE.as_bytes())].concat();
    vec![("dir", dir("Module1", u32::try_from(offset).unwrap())), ("_VBA_PROJECT", vec![0xcc; 9]), ("Module1", module)]
}

#[test]
fn macro_source_is_exported_and_looked_at() {
    let host = seen(&compound(&project(700)));
    let wanted = (ExportKind::Script, "vbaProject.bin: Module1".to_owned(), SOURCE.as_bytes().to_vec());
    assert_eq!(host.exports, [wanted]);
    assert_eq!(host.facts, [Fact::VbaAutoRun, Fact::VbaShell, Fact::Vba]);
}

/// The directory of the project does not name it, Office may run it all the same, and the engines see it.
#[test]
fn a_module_that_the_project_does_not_name_is_found() {
    let mut streams = project(10);
    streams[0].1 = dir("Other", 0);
    let host = seen(&compound(&streams));
    assert_eq!(host.exports[0].2, SOURCE.as_bytes());
    assert!(host.facts.contains(&Fact::VbaUnread) && host.facts.contains(&Fact::VbaShell));
}

#[test]
fn compiled_code_without_source_is_told() {
    let mut streams = project(9_000);
    streams[2].1 = [vec![0xcc; 9_000], packed(b"Attribute VB_Name = \"Module1\"\r\n")].concat();
    assert_eq!(seen(&compound(&streams)).facts, [Fact::VbaStomped, Fact::Vba]);
}

#[test]
fn a_packaged_program_is_exported_as_itself() {
    let text = |text: &str| [text.as_bytes(), b"\0"].concat();
    let inner = [text("note.vbs"), text("C:\\note.vbs"), vec![0, 0, 3, 0, 2, 0, 0, 0], text("x"), vec![3, 0, 0, 0]];
    let package = [&[9, 0, 0, 0, 2, 0][..], &inner.concat(), b"x=1"].concat();
    let host = seen(&compound(&[("\u{1}Ole10Native", package)]));
    let wanted = (ExportKind::Embedded, "vbaProject.bin: package note.vbs".to_owned(), b"x=1".to_vec());
    assert_eq!((host.exports, host.facts), (vec![wanted], vec![Fact::OlePackage, Fact::OlePackageProgram]));
}

/// Formats that are not rebuilt are opened for the engines all the same.
#[test]
fn an_old_document_is_refused_and_its_macros_are_shown() {
    let mut streams = project(0);
    streams.push(("WordDocument", vec![0; 10]));
    let mut host = Listener::default();
    let cleaned = crate::clean("a.doc", Untrusted::new(&compound(&streams)), &Policy::standard(), &mut host);
    assert!(cleaned.result.is_err());
    assert_eq!((cleaned.format, host.exports.len()), (Format::Doc, 1));
}

#[test]
fn damage_neither_panics_nor_runs_for_ever() {
    let good = compound(&project(100));
    let look_at = |bytes: &[u8]| {
        let mut host = Quiet;
        let _ = Cx::top(&Policy::standard(), &mut host, |cx| look(bytes, "", cx));
    };
    (0..good.len()).step_by(61).for_each(|len| look_at(&good[..len]));
    // Every word of the header, the table and the directory in turn leads elsewhere: cycles, and beyond the end.
    for at in (24..SECTOR * 4).step_by(4) {
        for word in [0_u32, 1, 2, 0x7fff_ffff, u32::MAX] {
            let mut bytes = good.clone();
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            look_at(&bytes);
        }
    }
}
