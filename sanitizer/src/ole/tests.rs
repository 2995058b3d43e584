//! A compound file with a macro project and a packaged file in it, and what becomes of it when it is damaged.

use super::*;
use crate::{Host, Quiet};
use model::{Format, Policy, Untrusted};
use samples::ole::{SECTOR, compound, dir, packed, project as streams_of};

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
    streams_of(SOURCE, offset)
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
