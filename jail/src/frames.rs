//! The spool of a job: objects that engines outside must see, and the answer, as frames one after the other.
//!
//! A frame is a header of 64 bytes, a name (UTF-8, opaque, at most [`NAME_MAX`] bytes) and its bytes. The last frame is the
//! answer, or the note a job left when it had none. A job writes; the station, once the job is reaped and the spool is
//! sealed, walks the headers with every bound checked and never looks into the bytes.

use std::io;

use crate::sealed::Sealed;
use crate::wire::{pack, unpack};

/// Largest answer: a report of findings, not content.
pub const ANSWER_MAX: u64 = 4 << 20;
/// Longest name of an exported object.
pub const NAME_MAX: usize = 512;
/// Deepest nesting that a frame can state; policies stay far below.
pub(crate) const DEPTH_MAX: u32 = 64;
/// Most exported objects of one job. Above any policy's limit of entries; bounds the station's list.
const EXPORTS_MAX: usize = 1 << 18;

/// Tells a frame from content at a glance, and most accidents too.
const MAGIC: u64 = u64::from_le_bytes(*b"SPFRAME1");
/// Size of a frame's fixed part.
pub(crate) const FRAME_HEADER: usize = 64;
/// What may stand in the spool beside the exported bytes the limit is about: the answer and its frame.
pub(crate) const SPOOL_OVERHEAD: u64 = ANSWER_MAX + (64 << 10);

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Export,
    Answer,
    /// The job ended in order without a result; UTF-8 text.
    GaveUp,
    /// Where the job panicked; ASCII text.
    Panic,
}

impl Role {
    fn number(self) -> u32 {
        match self {
            Self::Export => 0,
            Self::Answer => 1,
            Self::GaveUp => 2,
            Self::Panic => 3,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        [Self::Export, Self::Answer, Self::GaveUp, Self::Panic].into_iter().find(|role| role.number() == number)
    }
}

/// A frame's fixed part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub role: Role,
    pub id: u32,
    pub parent: u32,
    pub depth: u32,
    pub kind: u32,
    pub name_len: u32,
    pub len: u64,
}

impl FrameHeader {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let small = [self.role.number(), self.id, self.parent, self.depth, self.kind, self.name_len].map(u64::from);
        let [role, id, parent, depth, kind, name_len] = small;
        pack([MAGIC, role, id, parent, depth, kind, name_len, self.len])
    }

    fn from_bytes(bytes: &[u8; FRAME_HEADER]) -> Option<Self> {
        let ([MAGIC, role, id, parent, depth, kind, name_len, len], []) = unpack(bytes)? else {
            return None;
        };
        let small = |number: u64| u32::try_from(number).ok();
        let role = Role::from_number(small(role)?)?;
        let (id, parent, depth) = (small(id)?, small(parent)?, small(depth)?);
        Some(Self { role, id, parent, depth, kind: small(kind)?, name_len: small(name_len)?, len })
    }
}

/// An object that the job took out of its input: a member, an attachment, a decoded layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Counts from 1 in the order of export.
    pub id: u32,
    /// The object it was found in; 0 is the input itself.
    pub parent: u32,
    /// 1 for what lay directly in the input.
    pub depth: u32,
    /// What it is, by a number that job and station agreed on.
    pub kind: u32,
    /// Its name there: opaque text from outside, to be escaped where shown.
    pub name: String,
    /// Where its bytes start in the spool.
    pub offset: u64,
    /// How many there are.
    pub len: u64,
}

/// All that a spool says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spooled {
    pub exports: Vec<Export>,
    /// The last frame, if it is not an export.
    pub last: Option<(Role, Vec<u8>)>,
}

/// Why a spool is not one.
#[derive(Debug)]
pub(crate) enum WalkError {
    Garbage(&'static str),
    Read(io::Error),
}

impl From<io::Error> for WalkError {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// Walks the frames of a sealed spool.
pub(crate) fn walk(spool: &Sealed) -> Result<Spooled, WalkError> {
    let mut found = Spooled { exports: Vec::new(), last: None };
    let mut at = 0_u64;
    while at < spool.len() {
        if found.last.is_some() {
            return Err(WalkError::Garbage("frames after the answer"));
        }
        let mut bytes = [0; FRAME_HEADER];
        let after_header = after(spool, at, FRAME_HEADER as u64)?;
        spool.read_exact_at(&mut bytes, at)?;
        let header = FrameHeader::from_bytes(&bytes).ok_or(WalkError::Garbage("not a frame"))?;
        let name_len = usize::try_from(header.name_len).ok().filter(|len| *len <= NAME_MAX);
        let name_len = name_len.ok_or(WalkError::Garbage("name too long"))?;
        let offset = after(spool, after_header, u64::from(header.name_len))?;
        let mut name = vec![0; name_len];
        spool.read_exact_at(&mut name, after_header)?;
        at = after(spool, offset, header.len)?;
        if header.role == Role::Export {
            let name = String::from_utf8(name).map_err(|_| WalkError::Garbage("name is not UTF-8"))?;
            check_place(&header, &found.exports)?;
            let FrameHeader { id, parent, depth, kind, len, .. } = header;
            found.exports.push(Export { id, parent, depth, kind, name, offset, len });
        } else {
            let len = usize::try_from(header.len).ok().filter(|_| header.len <= ANSWER_MAX);
            let mut text = vec![0; len.ok_or(WalkError::Garbage("answer too long"))?];
            spool.read_exact_at(&mut text, offset)?;
            found.last = Some((header.role, text));
        }
    }
    Ok(found)
}

/// `at + len`, if the spool reaches that far.
fn after(spool: &Sealed, at: u64, len: u64) -> Result<u64, WalkError> {
    at.checked_add(len).filter(|end| *end <= spool.len()).ok_or(WalkError::Garbage("frame beyond the end"))
}

/// Ids count up, and a parent is an earlier object one level above.
fn check_place(header: &FrameHeader, before: &[Export]) -> Result<(), WalkError> {
    if before.len() >= EXPORTS_MAX {
        return Err(WalkError::Garbage("too many objects"));
    }
    if usize::try_from(header.id).ok() != before.len().checked_add(1) {
        return Err(WalkError::Garbage("object ids out of order"));
    }
    let above = match header.parent {
        0 => Some(0),
        parent => usize::try_from(parent).ok().and_then(|p| before.get(p.checked_sub(1)?)).map(|p| p.depth),
    };
    if header.depth > DEPTH_MAX || above.and_then(|depth| depth.checked_add(1)) != Some(header.depth) {
        return Err(WalkError::Garbage("object in no place"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealed::SpoolDir;

    fn export(id: u32, parent: u32, depth: u32, name: &[u8], bytes: &[u8]) -> Vec<u8> {
        frame(Role::Export, id, parent, depth, name, bytes)
    }

    fn frame(role: Role, id: u32, parent: u32, depth: u32, name: &[u8], bytes: &[u8]) -> Vec<u8> {
        let name_len = u32::try_from(name.len()).unwrap();
        let header = FrameHeader { role, id, parent, depth, kind: 7, name_len, len: bytes.len() as u64 };
        [header.to_bytes().as_slice(), name, bytes].concat()
    }

    fn walked(spool: &[u8]) -> Result<Spooled, WalkError> {
        let program = std::env::current_exe().unwrap();
        walk(&Sealed::from_bytes(&SpoolDir::new(program.parent().unwrap()).unwrap(), spool).unwrap())
    }

    #[test]
    fn exports_and_the_answer_are_found() {
        let answer = frame(Role::Answer, 0, 0, 0, b"", b"done");
        let spool = [export(1, 0, 1, b"a", b"xyz"), export(2, 1, 2, "é".as_bytes(), b""), answer].concat();
        let found = walked(&spool).unwrap();
        assert_eq!(found.last, Some((Role::Answer, b"done".to_vec())));
        let places: Vec<_> = found.exports.iter().map(|e| (e.id, e.parent, e.depth, e.offset, e.len)).collect();
        assert_eq!(places, [(1, 0, 1, 65, 3), (2, 1, 2, 134, 0)]);
        assert_eq!(found.exports[1].name, "é");
    }

    #[test]
    fn garbage_is_not_a_spool() {
        let answer = || frame(Role::Answer, 0, 0, 0, b"", b"done");
        let mut too_long = export(1, 0, 1, b"", b"abc");
        too_long[56] = 4;
        let mut overflow = export(1, 0, 1, b"", b"abc");
        overflow[56..64].fill(0xff);
        let bad: [Vec<u8>; 9] = [
            b"garbage".to_vec(),
            vec![0; 4096],
            too_long,
            overflow,
            export(2, 0, 1, b"", b""),
            export(1, 1, 2, b"", b""),
            export(1, 0, 2, b"", b""),
            export(1, 0, 1, b"\xff", b""),
            [answer(), answer()].concat(),
        ];
        for (at, spool) in bad.iter().enumerate() {
            assert!(matches!(walked(spool), Err(WalkError::Garbage(_))), "case {at}");
        }
        assert!(matches!(walked(&export(1, 0, 1, &[b'n'; 513], b"")), Err(WalkError::Garbage("name too long"))));
    }

    #[test]
    fn every_truncation_is_seen() {
        let spool = [export(1, 0, 1, b"name", b"bytes"), frame(Role::Answer, 0, 0, 0, b"", b"done")].concat();
        for len in 1..spool.len() {
            let cut = walked(&spool[..len]);
            assert!(cut.is_err() || cut.unwrap().last.is_none(), "{len}");
        }
    }
}
