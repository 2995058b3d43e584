//! Strict walk of a ZIP file (PKWARE APPNOTE 6.3, the profile of ISO/IEC 21320-1 and narrower).
//!
//! The file is walked from byte 0 to its last byte, and every byte has its place: local headers back to back, the
//! central directory right after, the end record right after that. There is one reading, so no two programs can see
//! different members (ARC-05).

use crate::{Limits, Rejection, crc32, inflate};
use std::borrow::Cow;
use std::collections::HashSet;

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
/// APPNOTE 4.4.4, bit 11: the name is UTF-8.
const UTF8: u16 = 0x0800;
/// 1980-01-01 00:00, the first moment that APPNOTE 4.4.6 can express.
const EPOCH: u32 = 0x0021_0000;

/// One member, its header checked.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    /// The name as stored; a folder's ends in a slash.
    pub name: &'a str,
    /// Where its data begins in the file.
    pub offset: usize,
    deflated: bool,
    crc: u32,
    size: u32,
    data: &'a [u8],
}

impl<'a> Member<'a> {
    /// Whether the entry is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// The bytes, inflated where they are stored so, with length and CRC right.
    pub fn content(&self, limits: &mut Limits) -> Result<Cow<'a, [u8]>, Rejection> {
        let at = |rule: &str| Rejection::new(self.offset, rule).inside(self.name);
        let size = self.size as usize;
        let content = if self.deflated {
            let (content, consumed) =
                inflate::inflate_raw(self.data, size, limits).map_err(|rejection| rejection.inside(self.name))?;
            if consumed != self.data.len() {
                return Err(at("RFC 1951: no byte after the last block"));
            }
            Cow::Owned(content)
        } else {
            limits.spend(self.data.len())?;
            Cow::Borrowed(self.data)
        };
        if content.len() != size {
            return Err(at("APPNOTE 4.4.9: the uncompressed size is right"));
        }
        if crc32::crc32(&content) != self.crc {
            return Err(at("APPNOTE 4.4.7: the CRC is right"));
        }
        Ok(content)
    }
}

/// Walks the whole file; `most` is how many members the policy allows.
pub(crate) fn walk(bytes: &[u8], most: u64) -> Result<Vec<Member<'_>>, Rejection> {
    let mut cursor = Cursor { bytes, at: 0 };
    let mut members = Vec::new();
    while cursor.peek(LOCAL) {
        if members.len() as u64 >= most {
            return Err(Rejection::new(cursor.at, "more members than the policy allows"));
        }
        members.push(local(&mut cursor)?);
    }
    let directory = cursor.at;
    let mut header = 0usize;
    for member in &members {
        central(&mut cursor, member, header)?;
        header = member.offset.saturating_add(member.data.len());
    }
    let length = cursor.at.saturating_sub(directory);
    end(&mut cursor, members.len(), length, directory)?;
    names(&members)?;
    Ok(members)
}

/// APPNOTE 4.3.7.
fn local<'a>(cursor: &mut Cursor<'a>) -> Result<Member<'a>, Rejection> {
    cursor.expect(LOCAL, "local header")?;
    let fields = common(cursor)?;
    let name = cursor.name(fields.name_length)?;
    let offset = cursor.at;
    let data = cursor.take(fields.packed as usize)?;
    let stored = !fields.deflated;
    if stored && fields.packed != fields.size {
        return Err(Rejection::new(offset, "a stored member has one size"));
    }
    if name.ends_with('/') && (fields.size != 0 || fields.deflated || fields.crc != 0) {
        return Err(Rejection::new(offset, "a folder has no bytes"));
    }
    Ok(Member { name, offset, deflated: fields.deflated, crc: fields.crc, size: fields.size, data })
}

/// APPNOTE 4.3.12, equal to its local header in every field.
fn central(cursor: &mut Cursor<'_>, member: &Member<'_>, header: usize) -> Result<(), Rejection> {
    let at = cursor.at;
    cursor.expect(CENTRAL, "central directory header")?;
    cursor.same16(20, "version made by: 2.0, MS-DOS")?;
    let fields = common(cursor)?;
    cursor.same16(0, "no comment")?;
    cursor.same16(0, "disk 0")?;
    cursor.same16(0, "internal attributes: 0")?;
    cursor.same32(if member.is_folder() { 0x10 } else { 0 }, "external attributes: 0, a folder 0x10 (ARC-12)")?;
    let offset = cursor.u32()? as usize;
    let name = cursor.name(fields.name_length)?;
    let same = name == member.name
        && fields.deflated == member.deflated
        && fields.crc == member.crc
        && fields.size == member.size
        && fields.packed as usize == member.data.len()
        && offset == header;
    if same {
        Ok(())
    } else {
        Err(Rejection::new(at, "the central directory says what the local header says (ARC-05)"))
    }
}

struct Fields {
    deflated: bool,
    crc: u32,
    packed: u32,
    size: u32,
    name_length: u16,
}

/// What local and central headers have in common, from "version needed" to the extra field's length.
fn common(cursor: &mut Cursor<'_>) -> Result<Fields, Rejection> {
    cursor.same16(20, "version needed: 2.0")?;
    cursor.same16(UTF8, "flags: UTF-8 names and nothing else (ARC-05, ARC-06)")?;
    let at = cursor.at;
    let deflated = match cursor.u16()? {
        0 => false,
        8 => true,
        _ => return Err(Rejection::new(at, "stored or deflated (ARC-09)")),
    };
    cursor.same32(EPOCH, "time: 1980-01-01 (ARC-12)")?;
    let crc = cursor.u32()?;
    let packed = cursor.u32()?;
    let size = cursor.u32()?;
    let name_length = cursor.u16()?;
    cursor.same16(0, "no extra field (ARC-11)")?;
    Ok(Fields { deflated, crc, packed, size, name_length })
}

/// APPNOTE 4.3.16, then nothing.
fn end(cursor: &mut Cursor<'_>, members: usize, length: usize, directory: usize) -> Result<(), Rejection> {
    cursor.expect(END, "end of central directory record")?;
    cursor.same32(0, "one disk")?;
    let at = cursor.at;
    let same = cursor.u16()? as usize == members
        && cursor.u16()? as usize == members
        && cursor.u32()? as usize == length
        && cursor.u32()? as usize == directory;
    if !same {
        return Err(Rejection::new(at, "the end record counts what is there (ARC-05)"));
    }
    cursor.same16(0, "no comment (ARC-11)")?;
    if cursor.at == cursor.bytes.len() {
        Ok(())
    } else {
        Err(Rejection::new(cursor.at, "nothing after the end record (ARC-05)"))
    }
}

/// ARC-07: no two members that a file system may take for one, and no file that is also a folder.
fn names(members: &[Member<'_>]) -> Result<(), Rejection> {
    let mut seen = HashSet::with_capacity(members.len());
    let mut files = HashSet::with_capacity(members.len());
    for member in members {
        let folded = member.name.to_lowercase();
        let bare = folded.trim_end_matches('/').to_owned();
        if !member.is_folder() {
            files.insert(bare.clone());
        }
        if !seen.insert(bare) {
            return Err(Rejection::new(member.offset, format!("two members named {} (ARC-07)", member.name)));
        }
    }
    for member in members {
        let folded = member.name.trim_end_matches('/').to_lowercase();
        let mut parents = folded.match_indices('/').filter_map(|(at, _)| folded.get(..at));
        if parents.any(|parent| files.contains(parent)) {
            return Err(Rejection::new(member.offset, format!("{}: a file as a folder (ARC-07)", member.name)));
        }
    }
    Ok(())
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, signature: &[u8; 4]) -> bool {
        self.rest().starts_with(signature)
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Rejection> {
        let taken = self.rest().get(..n).ok_or_else(|| Rejection::new(self.at, "the file ends early (ARC-14)"))?;
        self.at = self.at.saturating_add(n);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Rejection> {
        let at = self.at;
        self.take(N)?.first_chunk().copied().ok_or_else(|| Rejection::new(at, "the file ends early"))
    }

    fn u16(&mut self) -> Result<u16, Rejection> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, Rejection> {
        self.array().map(u32::from_le_bytes)
    }

    fn expect(&mut self, signature: &[u8; 4], what: &str) -> Result<(), Rejection> {
        let at = self.at;
        if &self.array::<4>()? == signature {
            Ok(())
        } else {
            Err(Rejection::new(at, format!("{what} expected (ARC-05)")))
        }
    }

    fn same16(&mut self, value: u16, rule: &str) -> Result<(), Rejection> {
        let at = self.at;
        if self.u16()? == value { Ok(()) } else { Err(Rejection::new(at, rule)) }
    }

    fn same32(&mut self, value: u32, rule: &str) -> Result<(), Rejection> {
        let at = self.at;
        if self.u32()? == value { Ok(()) } else { Err(Rejection::new(at, rule)) }
    }

    fn name(&mut self, length: u16) -> Result<&'a str, Rejection> {
        let at = self.at;
        let bytes = self.take(usize::from(length))?;
        let name = std::str::from_utf8(bytes).map_err(|_| Rejection::new(at, "names are UTF-8"))?;
        if name.is_empty() { Err(Rejection::new(at, "a member has a name")) } else { Ok(name) }
    }
}
