//! Macro source in a compound file ([MS-OVBA]).
//!
//! Modules are found in two ways: by the `dir` stream, as Office does, and by the first words that every module has, in
//! any stream. The second finds what is hidden from the first.

use super::cfb::{Compound, Stream};
use crate::zip_read::{u16_at, u32_at};
use encoding_rs::Encoding;
use model::{Budget, Refusal};

/// Ours: modules of one project. Large ones have some hundred.
const MOST_MODULES: usize = 4_096;
/// A chunk of compressed text never holds more (2.4.1.1.5).
const CHUNK: usize = 4096;
/// Ours: compiled code of a module that has source stays below this where the source is empty (a sheet has about 1 kB).
const STOMPED_BYTES: usize = 6 << 10;

/// A module of a macro project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name.
    pub name: String,
    /// Its source text.
    pub source: String,
    /// Whether it has much compiled code and no source: what runs is then not what is shown (OOX-04).
    pub stomped: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Modules whose source could be read.
    pub modules: Vec<Module>,
    /// Whether there is a project of which something could not be read.
    pub unread: bool,
}

/// All modules of all projects in the file.
///
/// # Errors
/// [`Refusal::Limit`] where the budget is spent.
pub fn modules(file: &Compound<'_>, budget: &mut Budget) -> Result<Found, Refusal> {
    let mut found = Found::default();
    let mut done: Vec<&Stream> = Vec::new();
    for dir in file.streams().iter().filter(|stream| stream.name.eq_ignore_ascii_case("dir")) {
        let siblings = || file.streams().iter().filter(|stream| stream.storage == dir.storage);
        if !siblings().any(|stream| stream.name.eq_ignore_ascii_case("_VBA_PROJECT")) {
            continue;
        }
        let Some(project) = decompress(&file.read(dir, budget)?, budget)?.as_deref().map(project) else {
            found.unread = true;
            continue;
        };
        for entry in project.modules.iter().take(MOST_MODULES) {
            let Some(stream) = siblings().find(|stream| stream.name.eq_ignore_ascii_case(&entry.stream)) else {
                found.unread = true;
                continue;
            };
            let bytes = file.read(stream, budget)?;
            match decompress(bytes.get(entry.offset..).unwrap_or_default(), budget)? {
                Some(text) => {
                    let source = readable(&text, project.encoding);
                    let stomped = entry.offset > STOMPED_BYTES && !has_code(&source);
                    done.push(stream);
                    found.modules.push(Module { name: entry.name.clone(), source, stomped });
                }
                None => found.unread = true,
            }
        }
    }
    for stream in file.streams().iter().filter(|stream| !done.contains(stream)) {
        if found.modules.len() >= MOST_MODULES {
            break;
        }
        let bytes = file.read(stream, budget)?;
        if let Some(text) = hidden(&bytes).map(|at| decompress(at, budget)).transpose()?.flatten() {
            let source = readable(&text, encoding_rs::WINDOWS_1252);
            found.modules.push(Module { name: stream.name.clone(), source, stomped: false });
        }
    }
    Ok(found)
}

/// Where compressed text begins whose first words are `Attribut`, plain or in a raw chunk.
fn hidden(stream: &[u8]) -> Option<&[u8]> {
    let finder = memchr::memmem::find_iter(stream, b"Attribut");
    finder
        .filter_map(|at| {
            let header = if at.checked_sub(1).and_then(|flags| stream.get(flags)) == Some(&0) { 4 } else { 3 };
            stream.get(at.checked_sub(header)?..).filter(|container| container.first() == Some(&1))
        })
        .next()
}

fn has_code(source: &str) -> bool {
    let quiet = |line: &str| line.is_empty() || line.starts_with("Attribute ") || line.starts_with("Option ");
    source.lines().map(str::trim).any(|line| !quiet(line))
}

/// What the `dir` stream says (2.3.4.2).
struct Project {
    encoding: &'static Encoding,
    modules: Vec<Entry>,
}

#[derive(Clone, Default)]
struct Entry {
    name: String,
    stream: String,
    offset: usize,
}

fn project(dir: &[u8]) -> Project {
    let mut project = Project { encoding: encoding_rs::WINDOWS_1252, modules: Vec::new() };
    let mut rest = dir;
    while let (Some(id), Some(size)) = (u16_at(rest, 0), u32_at(rest, 2)) {
        // PROJECTVERSION states the size of one of its two fields (2.3.4.2.1.11).
        let size = if id == 9 { 6 } else { usize::try_from(size).unwrap_or(usize::MAX) };
        let Some((data, after)) = rest.get(6..).and_then(|rest| rest.split_at_checked(size)) else { break };
        rest = after;
        let text = readable(data, project.encoding);
        match (id, project.modules.last_mut()) {
            (0x0003, _) => project.encoding = u16_at(data, 0).map_or(project.encoding, encoding),
            (0x0019, _) => project.modules.push(Entry { stream: text.clone(), name: text, offset: 0 }),
            (0x001a, Some(module)) => module.stream = text,
            (0x0032, Some(module)) => module.stream = wide(data),
            (0x0031, Some(module)) => {
                module.offset = u32_at(data, 0).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
            }
            (_, _) => {}
        }
    }
    project
}

fn wide(data: &[u8]) -> String {
    let units = data.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// The encoding of a Windows code page.
fn encoding(page: u16) -> &'static Encoding {
    match page {
        874 => encoding_rs::WINDOWS_874,
        932 => encoding_rs::SHIFT_JIS,
        936 => encoding_rs::GBK,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1250 => encoding_rs::WINDOWS_1250,
        1251 => encoding_rs::WINDOWS_1251,
        1253 => encoding_rs::WINDOWS_1253,
        1254 => encoding_rs::WINDOWS_1254,
        1255 => encoding_rs::WINDOWS_1255,
        1256 => encoding_rs::WINDOWS_1256,
        1257 => encoding_rs::WINDOWS_1257,
        1258 => encoding_rs::WINDOWS_1258,
        10000 => encoding_rs::MACINTOSH,
        65001 => encoding_rs::UTF_8,
        _ => encoding_rs::WINDOWS_1252,
    }
}

fn readable(text: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_without_bom_handling(text).0.into_owned()
}

/// Undoes the compression of 2.4.1. `None` where the container does not begin like one; what is broken further on ends
/// the text there.
///
/// # Errors
/// [`Refusal::Limit`] where the budget is spent.
pub fn decompress(container: &[u8], budget: &mut Budget) -> Result<Option<Vec<u8>>, Refusal> {
    let Some((1, mut rest)) = container.split_first().map(|(first, rest)| (*first, rest)) else {
        return Ok(None);
    };
    let mut out = Vec::new();
    while let Some(header) = u16_at(rest, 0) {
        let size = usize::from(header & 0x0fff).saturating_add(3);
        if header & 0x7000 != 0x3000 {
            break;
        }
        let chunk = rest.get(2..size.min(rest.len())).unwrap_or_default();
        let before = out.len();
        if header & 0x8000 == 0 {
            out.extend_from_slice(chunk);
        } else {
            expand(chunk, &mut out);
        }
        budget.spend_bytes(out.len().saturating_sub(before) as u64)?;
        let Some(after) = rest.get(size..) else { break };
        rest = after;
    }
    Ok((!out.is_empty()).then_some(out))
}

/// One compressed chunk (2.4.1.3.2 and following): groups of eight tokens led by their flags.
fn expand(chunk: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    let mut rest = chunk;
    while let Some((flags, after)) = rest.split_first() {
        rest = after;
        for bit in 0..8 {
            let done = out.len().saturating_sub(begin);
            if done >= CHUNK {
                return;
            }
            if flags >> bit & 1 == 0 {
                let Some((literal, after)) = rest.split_first() else { return };
                out.push(*literal);
                rest = after;
                continue;
            }
            let Some((token, after)) = rest.split_first_chunk::<2>() else { return };
            rest = after;
            let (offset, len) = copy_token(u16::from_le_bytes(*token), done);
            for _ in 0..len.min(CHUNK.saturating_sub(done)) {
                let from = out.len().checked_sub(offset).filter(|from| *from >= begin);
                let Some(byte) = from.and_then(|from| out.get(from)).copied() else { return };
                out.push(byte);
            }
        }
    }
}

/// How far back, and how many bytes (2.4.1.3.19.1): the more is there already, the more bits are for the distance.
fn copy_token(token: u16, done: usize) -> (usize, usize) {
    let bits = done.saturating_sub(1).checked_ilog2().map_or(4, |log| log.saturating_add(1)).clamp(4, 12);
    let len_mask = 0xffff_u16.checked_shr(bits).unwrap_or(0);
    let len = usize::from(token & len_mask).saturating_add(3);
    let offset = usize::from(token.checked_shr(16_u32.saturating_sub(bits)).unwrap_or(0)).saturating_add(1);
    (offset, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Policy;

    fn unpacked(container: &[u8]) -> Option<Vec<u8>> {
        decompress(container, &mut Budget::new(&Policy::standard().limits)).unwrap()
    }

    /// The three examples of the specification (3.2).
    #[test]
    fn the_examples_of_the_specification_come_out() {
        let plain = b"\x01\x19\xb0\x00abcdefgh\x00ijklmnop\x00qrstuv.";
        assert_eq!(unpacked(plain).as_deref(), Some(&b"abcdefghijklmnopqrstuv."[..]));
        let normal = b"\x01\x2f\xb0\x00#aaabcde\x82f\x00\x70a\x04ghij\x00\x70\x00\x6ak\x00\x70l\x00\x70mno\x00p";
        assert!(unpacked(normal).unwrap().starts_with(b"#aaabcdefa"));
        assert_eq!(unpacked(b"\x01\x03\xb0\x02a\x45\x00").as_deref(), Some(&[b'a'; 73][..]));
    }

    #[test]
    fn noise_neither_panics_nor_grows() {
        let mut state = 1_u32;
        for round in 0..2_000_usize {
            let mut bytes: Vec<u8> = (0..round % 300)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state.to_be_bytes()[0]
                })
                .collect();
            bytes.splice(..0, [1, 0xff, 0xbf]);
            assert!(unpacked(&bytes).is_none_or(|text| text.len() <= (bytes.len() / 3 + 1) * CHUNK));
        }
        assert_eq!(unpacked(b""), None);
        assert_eq!(unpacked(b"\x02\x03\xb0\x02a\x45\x00"), None);
    }

    #[test]
    fn a_module_without_code_is_told_from_one_with() {
        assert!(!has_code("Attribute VB_Name = \"x\"\r\nOption Explicit\r\n\r\n"));
        assert!(has_code("Attribute VB_Name = \"x\"\r\nSub A()\r\nEnd Sub\r\n"));
    }
}
