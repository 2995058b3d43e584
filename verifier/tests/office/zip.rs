//! A ZIP writer for tests: right by default, and every field can be made wrong.

use flate2::{Compression, Crc, write::DeflateEncoder};
use std::io::Write;

/// One member with all that its headers say.
#[derive(Clone)]
pub struct Member {
    pub name: Vec<u8>,
    pub local_name: Option<Vec<u8>>,
    pub method: u16,
    pub packed: Vec<u8>,
    pub size: u32,
    pub crc: u32,
    pub flags: u16,
    pub needed: u16,
    pub made_by: u16,
    pub time: u32,
    pub attributes: u32,
    pub extra: Vec<u8>,
    pub central_extra: Vec<u8>,
    pub comment: Vec<u8>,
    /// Bytes after the data, before the next header.
    pub gap: Vec<u8>,
}

impl Member {
    pub fn new(name: &str, content: &[u8]) -> Self {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(content).unwrap();
        Self { method: 8, packed: deflate.finish().unwrap(), ..Self::stored(name, content) }
    }

    pub fn stored(name: &str, content: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(content);
        Self {
            name: name.into(),
            local_name: None,
            method: 0,
            packed: content.to_vec(),
            size: content.len() as u32,
            crc: crc.sum(),
            flags: 0x0800,
            needed: 20,
            made_by: 20,
            time: 0x0021_0000,
            attributes: if name.ends_with('/') { 0x10 } else { 0 },
            extra: Vec::new(),
            central_extra: Vec::new(),
            comment: Vec::new(),
            gap: Vec::new(),
        }
    }

    fn common(&self, out: &mut Vec<u8>, name: &[u8], extra: &[u8]) {
        for field in [self.needed, self.flags, self.method] {
            out.extend(field.to_le_bytes());
        }
        for field in [self.time, self.crc, self.packed.len() as u32, self.size] {
            out.extend(field.to_le_bytes());
        }
        for field in [name.len() as u16, extra.len() as u16] {
            out.extend(field.to_le_bytes());
        }
    }
}

/// What the archive says around its members.
#[derive(Clone, Default)]
pub struct Around {
    pub before: Vec<u8>,
    pub before_directory: Vec<u8>,
    pub comment: Vec<u8>,
    pub after: Vec<u8>,
    pub hide_last: bool,
}

pub fn write(members: &[Member]) -> Vec<u8> {
    write_around(members, &Around::default())
}

pub fn write_around(members: &[Member], around: &Around) -> Vec<u8> {
    let mut out = around.before.clone();
    let mut directory = Vec::new();
    let shown = members.len() - usize::from(around.hide_last);
    for (at, member) in members.iter().enumerate() {
        let offset = out.len() as u32;
        let local = member.local_name.as_ref().unwrap_or(&member.name);
        out.extend(b"PK\x03\x04");
        member.common(&mut out, local, &member.extra);
        out.extend(local);
        out.extend(&member.extra);
        out.extend(&member.packed);
        out.extend(&member.gap);
        if at < shown {
            directory.extend(b"PK\x01\x02");
            directory.extend(member.made_by.to_le_bytes());
            member.common(&mut directory, &member.name, &member.central_extra);
            for field in [member.comment.len() as u16, 0, 0] {
                directory.extend(field.to_le_bytes());
            }
            directory.extend(member.attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&member.name);
            directory.extend(&member.central_extra);
            directory.extend(&member.comment);
        }
    }
    out.extend(&around.before_directory);
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for field in [shown as u16, shown as u16] {
        out.extend(field.to_le_bytes());
    }
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend((around.comment.len() as u16).to_le_bytes());
    out.extend(&around.comment);
    out.extend(&around.after);
    out
}
