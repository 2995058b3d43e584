//! The archive itself: a strict subset of ustar (POSIX.1-1988) in one zstd frame (RFC 8878).

use super::{BundleManifest, MANIFEST_NAME, MOST_EXPANDED_BYTES, MOST_MANIFEST_BYTES};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use sha2::{Digest as _, Sha256};
use std::io::Read;

const BLOCK: usize = 512;

/// Writes a bundle. `files` are the bytes of the manifest's files, in its order. The same input gives the same bytes:
/// no time, owner or machine is in it.
///
/// # Errors
/// The manifest is none, or the files are not those it names.
pub fn pack(manifest: &BundleManifest, files: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let json = manifest.to_json()?;
    if files.len() != manifest.files.len() {
        return Err("the manifest names another number of files".to_owned());
    }
    let mut tar = Vec::new();
    entry(&mut tar, MANIFEST_NAME, &json)?;
    for (named, bytes) in manifest.files.iter().zip(files) {
        if named.size != bytes.len() as u64 || named.sha256.as_bytes()[..] != Sha256::digest(bytes)[..] {
            return Err(format!("{} is not what the manifest names", named.path));
        }
        entry(&mut tar, &named.path, bytes)?;
    }
    tar.extend([0; 2 * BLOCK]);
    Ok(compress_to_vec(tar.as_slice(), CompressionLevel::Fastest))
}

fn entry(tar: &mut Vec<u8>, name: &str, bytes: &[u8]) -> Result<(), String> {
    tar.extend(header(name, bytes.len() as u64).ok_or_else(|| format!("{name} does not fit into a tar header"))?);
    tar.extend(bytes);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    Ok(())
}

/// The one header that there is for a name and a size: a regular file of nobody's, without a time.
fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let fields: [(usize, &[u8]); 9] = [
        (0, name.as_bytes()),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, &octal(size)?),
        (136, b"00000000000\0"),
        (148, b"        "),
        (156, b"0"),
        (257, b"ustar\x0000"),
    ];
    if name.len() > 100 {
        return None;
    }
    for (at, bytes) in fields {
        block.get_mut(at..at.checked_add(bytes.len())?)?.copy_from_slice(bytes);
    }
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    block.get_mut(148..156)?.copy_from_slice(sum.as_bytes());
    Some(block)
}

fn octal(size: u64) -> Option<[u8; 12]> {
    format!("{size:011o}\0").into_bytes().try_into().ok()
}

/// Takes path and bytes of one file.
pub type Each<'a> = dyn FnMut(&str, &[u8]) -> Result<(), String> + 'a;

/// Reads a bundle: gives `bundle.json` and hands every file over, checked against it. Made to run in a jail.
///
/// # Errors
/// One clause that says what is wrong; nothing that was handed over before counts then.
pub fn unpack(bundle: &[u8], own_version: &str, each: &mut Each<'_>) -> Result<Vec<u8>, String> {
    let decoder = StreamingDecoder::new(bundle).map_err(|_| "it is no zstd file".to_owned())?;
    let mut tar = Tar { decoder, left: most_tar_bytes() };
    let size = tar.any_size(MANIFEST_NAME, MOST_MANIFEST_BYTES as u64)?;
    let json = tar.content(size)?;
    let manifest = BundleManifest::parse(&json, own_version)?;
    for file in &manifest.files {
        let path = &file.path;
        let head = header(path, file.size).ok_or("a path is too long")?;
        if tar.block()? != head {
            return Err(format!("where {path} should follow there is something else"));
        }
        let bytes = tar.content(file.size)?;
        if Sha256::digest(&bytes)[..] != file.sha256.as_bytes()[..] {
            return Err(format!("{path} has another digest than bundle.json says"));
        }
        each(path, &bytes)?;
    }
    if tar.block()? != [0; BLOCK] || tar.block()? != [0; BLOCK] {
        return Err("there is more in it than bundle.json says".to_owned());
    }
    tar.end()?;
    Ok(json)
}

/// All that a bundle within the limits can expand to: headers and padding are less than a quarter of it.
fn most_tar_bytes() -> u64 {
    MOST_EXPANDED_BYTES.saturating_add(MOST_EXPANDED_BYTES / 4)
}

struct Tar<'a> {
    decoder: StreamingDecoder<&'a [u8], ruzstd::decoding::FrameDecoder>,
    /// What may still be expanded.
    left: u64,
}

impl Tar<'_> {
    fn exact(&mut self, buffer: &mut [u8]) -> Result<(), String> {
        let more = "it expands to more than a bundle may hold";
        self.left = self.left.checked_sub(buffer.len() as u64).ok_or(more)?;
        self.decoder.read_exact(buffer).map_err(|_| "it is damaged or ends early".to_owned())
    }

    fn block(&mut self) -> Result<[u8; BLOCK], String> {
        let mut block = [0; BLOCK];
        self.exact(&mut block)?;
        Ok(block)
    }

    /// The size in a header that must be ours for `name`.
    fn any_size(&mut self, name: &str, most: u64) -> Result<u64, String> {
        let block = self.block()?;
        let digits = block.get(124..135).and_then(|digits| std::str::from_utf8(digits).ok());
        let size = digits.and_then(|digits| u64::from_str_radix(digits, 8).ok()).filter(|size| *size <= most);
        size.filter(|size| header(name, *size) == Some(block)).ok_or_else(|| format!("it does not begin with {name}"))
    }

    /// The content of an entry, grown as it comes: a size that lies must not reserve memory.
    fn content(&mut self, size: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut left = size;
        while left > 0 {
            let step = left.min(1 << 20);
            let at = bytes.len();
            bytes.resize(at.saturating_add(usize::try_from(step).unwrap_or(0)), 0);
            self.exact(bytes.get_mut(at..).unwrap_or_default())?;
            left = left.saturating_sub(step);
        }
        let whole = bytes.len().next_multiple_of(BLOCK);
        let mut padding = [0; BLOCK];
        let padding = padding.get_mut(..whole.saturating_sub(bytes.len())).unwrap_or_default();
        self.exact(padding)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err("it has bytes where there should be none".to_owned());
        }
        Ok(bytes)
    }

    fn end(mut self) -> Result<(), String> {
        let mut one = [0];
        match self.decoder.read(&mut one) {
            Ok(0) if self.decoder.into_inner().is_empty() => Ok(()),
            Ok(_) => Err("there is something after its end".to_owned()),
            Err(_) => Err("it is damaged".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::tests::{file, manifest};
    use super::*;

    fn files() -> Vec<(&'static str, Vec<u8>)> {
        let long = (0..20_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        vec![
            ("lists/known-bad.txt", vec![]),
            ("rules/a.yar", b"rule a { condition: false }".to_vec()),
            ("rules/b.yar", long),
        ]
    }

    fn packed() -> Vec<u8> {
        let files = files();
        let named = manifest(files.iter().map(|(path, bytes)| file(path, bytes)).collect());
        pack(&named, &files.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>()).unwrap()
    }

    fn unpacked(bundle: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut found = Vec::new();
        unpack(bundle, "0.1.0", &mut |path, bytes| {
            found.push((path.to_owned(), bytes.to_vec()));
            Ok(())
        })?;
        Ok(found)
    }

    fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = Vec::new();
        for (name, bytes) in entries {
            entry(&mut tar, name, bytes).unwrap();
        }
        tar.extend([0; 2 * BLOCK]);
        tar
    }

    fn squeeze(tar: &[u8]) -> Vec<u8> {
        compress_to_vec(tar, CompressionLevel::Fastest)
    }

    #[test]
    fn a_bundle_comes_back_and_is_always_the_same_bytes() {
        let bundle = packed();
        assert_eq!(bundle, packed());
        let expected: Vec<_> = files().into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
        assert_eq!(unpacked(&bundle).unwrap(), expected);
    }

    #[test]
    fn cut_or_flipped_bundles_are_refused_with_a_reason() {
        let bundle = packed();
        for cut in (0..bundle.len()).step_by(17) {
            assert!(unpacked(&bundle[..cut]).is_err_and(|why| !why.is_empty()), "cut at {cut}");
        }
        assert!(unpacked(&[&bundle[..], b"\0"].concat()).is_err());
        assert!(unpacked(&[&bundle[..], &bundle[..]].concat()).is_err(), "two frames");
        let good = unpacked(&bundle).unwrap();
        for at in (0..bundle.len()).step_by(41) {
            let mut bundle = bundle.clone();
            bundle[at] ^= 0x10;
            // A flip in the frame's own header may change nothing that is said.
            assert!(unpacked(&bundle).map_or(true, |same| same == good), "byte {at}");
        }
    }

    #[test]
    fn archives_that_say_something_else_than_their_manifest_are_refused() {
        let one = manifest(vec![file("rules/a.yar", b"abc")]);
        let json = one.to_json().unwrap();
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("another name", tar_of(&[("bundle.json", &json), ("rules/b.yar", b"abc")])),
            ("a path that leads out", tar_of(&[("bundle.json", &json), ("../rules/a.yar", b"abc")])),
            ("other content", tar_of(&[("bundle.json", &json), ("rules/a.yar", b"abd")])),
            ("another size", tar_of(&[("bundle.json", &json), ("rules/a.yar", b"abcd")])),
            ("one more", tar_of(&[("bundle.json", &json), ("rules/a.yar", b"abc"), ("rules/b.yar", b"")])),
            ("one less", tar_of(&[("bundle.json", &json)])),
            ("the manifest later", tar_of(&[("rules/a.yar", b"abc"), ("bundle.json", &json)])),
            ("nothing", vec![]),
            ("no end", tar_of(&[("bundle.json", &json), ("rules/a.yar", b"abc")])[..3 * BLOCK].to_vec()),
        ];
        for (name, tar) in cases {
            assert!(unpacked(&squeeze(&tar)).is_err_and(|why| !why.is_empty()), "{name}");
        }
        let mut link = tar_of(&[("bundle.json", &json), ("rules/a.yar", b"abc")]);
        let at = link.len() - 4 * BLOCK + 156;
        link[at] = b'2';
        assert!(unpacked(&squeeze(&link)).is_err(), "a link");
        assert!(unpacked(&squeeze(&tar_of(&[("bundle.json", &json), ("rules/a.yar", b"abc")]))).is_ok());
    }

    #[test]
    fn a_bomb_is_not_expanded() {
        let mut lying = manifest(vec![file("rules/a.yar", b"abc")]);
        lying.files[0].size = 1 << 29;
        let json = lying.to_json().unwrap();
        let mut tar = Vec::new();
        entry(&mut tar, MANIFEST_NAME, &json).unwrap();
        tar.extend(header("rules/a.yar", 1 << 29).unwrap());
        tar.resize(64 << 20, 0);
        assert!(unpacked(&squeeze(&tar)).is_err());
        // A manifest that is itself the bomb.
        let mut tar = header(MANIFEST_NAME, 1 << 32).unwrap().to_vec();
        tar.resize(1 << 20, 0);
        assert!(unpacked(&squeeze(&tar)).is_err_and(|why| why.contains("begin")));
    }
}
