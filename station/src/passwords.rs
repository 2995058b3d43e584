//! Passwords come from a file that only its owner can read, or from whoever stands at a face; never from a command line
//! or a policy, since both are seen by others. They stay in memory and go into reconstruct jails, nowhere else.

use crate::StationError;
use rustix::fs::{FileType, Mode, OFlags};
use sanitizer::Passwords;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Ours: what [`Passwords`] takes, and room for empty lines.
const MOST_BYTES: u64 = 64 * 1024;

/// Reads the file at `path`: UTF-8, one password a line.
///
/// # Errors
/// [`StationError::Passwords`] where it is not there, others can read it, or what it holds is no list of passwords. The
/// text names lines, never what stands in them.
pub fn read_passwords(path: &Path) -> Result<Passwords, StationError> {
    let refuse = |message: String| StationError::Passwords { path: path.to_owned(), message };
    let opened = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty());
    let file = opened.map_err(|error| refuse(error.to_string()))?;
    let stat = rustix::fs::fstat(&file).map_err(|error| refuse(error.to_string()))?;
    let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if regular && stat.st_mode & 0o077 != 0 {
        return Err(refuse("others than its owner can read or write it; `chmod 600` it".into()));
    }
    passwords_from(File::from(file)).map_err(refuse)
}

/// Reads passwords from `source`, one a line, to its end: a pipe or standard input.
///
/// # Errors
/// One sentence without a password.
pub fn passwords_from(source: impl Read) -> Result<Passwords, String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(MOST_BYTES).unwrap_or(0).saturating_add(1)));
    let read = source.take(MOST_BYTES.saturating_add(1)).read_to_end(&mut bytes);
    let read = read.map_err(|error: io::Error| error.to_string())?;
    if read as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Passwords::read(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_list_is_read_line_by_line_and_nobody_else_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwords");
        std::fs::write(&path, "\u{feff}first\r\n\n second one \nfirst\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        mode(0o640);
        assert!(read_passwords(&path).unwrap_err().to_string().contains("chmod 600"));
        mode(0o600);
        let list = read_passwords(&path).unwrap();
        let texts: Vec<&str> = list.list().iter().map(|password| password.text()).collect();
        assert_eq!(texts, ["first", " second one "]);
        assert_eq!(read_passwords(&dir.path().join("none")).unwrap_err().exit_status(), 2);
    }

    #[test]
    fn what_is_refused_is_named_by_its_line_alone() {
        for (text, says) in [
            ("fine\nsec\tret\n".to_owned(), "line 2"),
            (format!("a\nb\n{}\n", "secret".repeat(50)), "line 3"),
            ((0..65).map(|n| format!("secret{n}\n")).collect(), "more than 64"),
            ("secret".repeat(20_000), "bytes"),
        ] {
            let error = passwords_from(text.as_bytes()).unwrap_err();
            assert!(error.contains(says) && !error.contains("sec"), "{error}");
        }
        assert!(passwords_from(&b"\xff\xfe"[..]).is_err());
    }
}
