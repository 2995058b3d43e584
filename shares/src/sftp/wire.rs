//! Packets of the SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02), as far as a publication needs
//! them. What the server says is bounded before it is kept.

use std::io::{self, ErrorKind};

/// `SSH_FXP_*`: kinds of packets.
pub mod kind {
    pub const INIT: u8 = 1;
    pub const VERSION: u8 = 2;
    pub const OPEN: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const READ: u8 = 5;
    pub const WRITE: u8 = 6;
    pub const LSTAT: u8 = 7;
    pub const OPENDIR: u8 = 11;
    pub const READDIR: u8 = 12;
    pub const REMOVE: u8 = 13;
    pub const MKDIR: u8 = 14;
    pub const REALPATH: u8 = 16;
    pub const STAT: u8 = 17;
    pub const RENAME: u8 = 18;
    pub const STATUS: u8 = 101;
    pub const HANDLE: u8 = 102;
    pub const DATA: u8 = 103;
    pub const NAME: u8 = 104;
    pub const ATTRS: u8 = 105;
    pub const EXTENDED: u8 = 200;
    pub const EXTENDED_REPLY: u8 = 201;
}

/// `SSH_FX_*`: codes of a status.
pub mod status {
    pub const OK: u32 = 0;
    pub const EOF: u32 = 1;
    pub const NO_SUCH_FILE: u32 = 2;
    pub const PERMISSION_DENIED: u32 = 3;
    pub const BAD_MESSAGE: u32 = 5;
    pub const NO_CONNECTION: u32 = 6;
    pub const CONNECTION_LOST: u32 = 7;
    pub const OP_UNSUPPORTED: u32 = 8;
}

/// `SSH_FXF_*`: how a file is opened.
pub mod open {
    pub const READ: u32 = 1;
    pub const WRITE: u32 = 2;
    pub const CREATE: u32 = 8;
    pub const EXCLUSIVE: u32 = 32;
}

/// Servers take packets of 34,000 bytes at least (section 3), and answer a read with no more than was asked for.
pub const BLOCK: u32 = 32 * 1024;
/// Ours: the longest packet that is read. OpenSSH's are at most 256 KiB.
pub const PACKET_MAX: u32 = 256 * 1024;
/// Handles are at most 256 bytes (section 6.3).
const HANDLE_MAX: usize = 256;

const ATTR_SIZE: u32 = 1;
const ATTR_OWNER: u32 = 2;
const ATTR_PERMISSIONS: u32 = 4;
const ATTR_TIMES: u32 = 8;
const ATTR_EXTENDED: u32 = 0x8000_0000;

/// A packet being put together.
pub struct Packet(Vec<u8>);

impl Packet {
    pub fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    pub fn int(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub fn long(mut self, value: u64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub fn text(mut self, text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        self.0.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(text);
        self
    }

    /// Attributes that say permissions and nothing else.
    pub fn permissions(self, mode: u32) -> Self {
        self.int(ATTR_PERMISSIONS).int(mode)
    }

    pub fn bytes(mut self) -> Vec<u8> {
        let len = u32::try_from(self.0.len().saturating_sub(4)).unwrap_or(u32::MAX);
        if let Some(head) = self.0.get_mut(..4) {
            head.copy_from_slice(&len.to_be_bytes());
        }
        self.0
    }
}

/// What a server that breaks the protocol is told by.
pub fn broken(what: &str) -> io::Error {
    crate::error(ErrorKind::InvalidData, format!("the SFTP server broke the protocol: {what}"))
}

/// The fields of a packet, from the front.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n: usize) -> io::Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n).ok_or_else(|| broken("a packet is too short"))?;
        self.0 = rest;
        Ok(head)
    }

    pub fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or(0))
    }

    pub fn int(&mut self) -> io::Result<u32> {
        self.take(4)?.try_into().map(u32::from_be_bytes).map_err(|_| broken("a number"))
    }

    pub fn long(&mut self) -> io::Result<u64> {
        self.take(8)?.try_into().map(u64::from_be_bytes).map_err(|_| broken("a number"))
    }

    pub fn text(&mut self) -> io::Result<&'a [u8]> {
        let len = self.int()?;
        self.take(usize::try_from(len).map_err(|_| broken("a text is too long"))?)
    }

    pub fn handle(&mut self) -> io::Result<Vec<u8>> {
        let handle = self.text()?;
        if handle.len() > HANDLE_MAX { Err(broken("a handle is too long")) } else { Ok(handle.to_vec()) }
    }

    pub fn attributes(&mut self) -> io::Result<Attributes> {
        let flags = self.int()?;
        let mut found = Attributes::default();
        if flags & ATTR_SIZE != 0 {
            self.long()?;
        }
        if flags & ATTR_OWNER != 0 {
            self.take(8)?;
        }
        if flags & ATTR_PERMISSIONS != 0 {
            found.kind = Kind::of(self.int()?);
        }
        if flags & ATTR_TIMES != 0 {
            self.int()?;
            found.modified = Some(self.int()?);
        }
        if flags & ATTR_EXTENDED != 0 {
            for _ in 0..self.int()? {
                self.text()?;
                self.text()?;
            }
        }
        Ok(found)
    }
}

/// What is asked of a file's attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub kind: Kind,
    /// Seconds since 1970 by the server's clock.
    pub modified: Option<u32>,
}

/// Kind of a directory entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    /// A link, a device, or a server that does not say.
    #[default]
    Other,
}

impl Kind {
    /// From the mode (`st_mode` of POSIX).
    const fn of(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Folder,
            _ => Self::Other,
        }
    }
}

/// A status that is not OK, as an error.
pub fn refusal(mut fields: Fields<'_>) -> io::Result<()> {
    let code = fields.int()?;
    if code == status::OK {
        return Ok(());
    }
    // Version 2 servers end here.
    let said = crate::tame(fields.text().unwrap_or_default());
    let kind = match code {
        status::EOF => ErrorKind::UnexpectedEof,
        status::NO_SUCH_FILE => ErrorKind::NotFound,
        status::PERMISSION_DENIED => ErrorKind::PermissionDenied,
        status::BAD_MESSAGE => ErrorKind::InvalidData,
        status::NO_CONNECTION | status::CONNECTION_LOST => ErrorKind::ConnectionAborted,
        status::OP_UNSUPPORTED => ErrorKind::Unsupported,
        _ => ErrorKind::Other,
    };
    Err(crate::error(kind, format!("the SFTP server says {said:?} ({code})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_holds_its_fields_and_its_length() {
        let bytes = Packet::new(kind::OPEN).int(7).text("a/b").long(9).permissions(0o644).bytes();
        let mut fields = Fields(&bytes);
        assert_eq!(fields.int().unwrap() as usize, bytes.len() - 4);
        assert_eq!((fields.byte().unwrap(), fields.int().unwrap()), (kind::OPEN, 7));
        assert_eq!((fields.text().unwrap(), fields.long().unwrap()), (&b"a/b"[..], 9));
        assert_eq!(fields.attributes().unwrap(), Attributes::default());
    }

    #[test]
    fn no_answer_of_a_server_is_read_past_its_end() {
        let whole = Packet::new(0).int(15).long(1).long(2).int(0o100_644).int(3).int(4).bytes();
        for cut in 5..whole.len() {
            assert!(Fields(&whole[5..cut]).attributes().is_err(), "{cut}");
        }
        let read = Fields(&whole[5..]).attributes().unwrap();
        assert_eq!(read, Attributes { kind: Kind::File, modified: Some(4) });
        let endless = Packet::new(0).int(ATTR_EXTENDED).int(u32::MAX).bytes();
        assert!(Fields(&endless[5..]).attributes().is_err());
        assert!(Fields(&u32::MAX.to_be_bytes()).text().is_err());
        assert!(Fields(&Packet::new(0).text([0; 257]).bytes()[5..]).handle().is_err());
    }
}
