//! `\x01Ole10Native`: a file that was packaged into a document ([MS-OLEDS] 2.3.6, and the undocumented layout of the
//! Packager inside it).

/// A packaged file.
#[derive(Debug, PartialEq, Eq)]
pub struct Package<'a> {
    /// What the document shows.
    pub label: String,
    /// Where the sender had it.
    pub path: String,
    /// Its bytes.
    pub data: &'a [u8],
}

/// Takes a package apart; `None` where it is none. Size, flags, label, path, flags, path, size, data.
pub fn package(stream: &[u8]) -> Option<Package<'_>> {
    let mut rest = stream.get(6..)?;
    let label = text(&mut rest)?;
    let path = text(&mut rest)?;
    // Two numbers: always 0 and 3.
    rest = rest.get(4..)?;
    let (len, after) = rest.split_first_chunk::<4>()?;
    let skip = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    rest = after.get(skip..)?;
    let (len, data) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    Some(Package { label, path, data: data.get(..len.min(data.len()))? })
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let end = rest.iter().take(1024).position(|b| *b == 0)?;
    let (text, after) = rest.split_at_checked(end)?;
    *rest = after.get(1..)?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// Whether opening it runs something, by its bytes or the name it would be opened by.
pub fn is_program(package: &Package<'_>) -> bool {
    const ENDINGS: [&str; 22] = [
        "bat", "chm", "cmd", "com", "cpl", "exe", "hta", "jar", "js", "jse", "lnk", "msi", "pif", "ps1", "reg", "scr",
        "sct", "url", "vbe", "vbs", "wsf", "wsh",
    ];
    let ending = |name: &str| name.trim_end().rsplit('.').next().map(str::to_ascii_lowercase).unwrap_or_default();
    let named = [&package.label, &package.path].iter().any(|name| ENDINGS.contains(&ending(name).as_str()));
    named || [&b"MZ"[..], b"\x7fELF", b"L\0\0\0\x01\x14\x02\0"].iter().any(|magic| package.data.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str, data: &[u8]) -> Vec<u8> {
        let path = format!("C:\\{name}\0");
        let len = |n: usize| u32::try_from(n).unwrap().to_le_bytes().to_vec();
        let inner =
            [b"\x02\0".to_vec(), format!("{name}\0{path}").into_bytes(), b"\0\0\x03\0".to_vec(), len(path.len())];
        let inner = [inner.concat(), path.into_bytes(), len(data.len()), data.to_vec()].concat();
        [len(inner.len()), inner].concat()
    }

    #[test]
    fn a_package_is_taken_apart_and_every_truncation_survives() {
        let whole = stream("note.txt", b"hello");
        let found = package(&whole).unwrap();
        assert_eq!(
            (found.label.as_str(), found.path.as_str(), found.data),
            ("note.txt", "C:\\note.txt", &b"hello"[..])
        );
        assert!(!is_program(&found));
        (0..whole.len()).for_each(|len| drop(package(&whole[..len])));
    }

    #[test]
    fn a_program_is_one_by_name_or_by_bytes() {
        assert!(is_program(&package(&stream("a.JS", b"x")).unwrap()));
        assert!(is_program(&package(&stream("a.txt", b"MZ\x90")).unwrap()));
    }
}
