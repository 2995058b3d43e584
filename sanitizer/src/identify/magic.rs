//! Signatures at fixed places: what a reader of that format would go by.

use crate::zip_read::{u16_at, u32_at};
use model::Format;

type Signature = (usize, &'static [u8], Format);

/// First match wins: programs before anything that could also be called a document.
const SIGNATURES: &[Signature] = &[
    // Programs.
    (0, b"\x7fELF", Format::Elf),
    (0, b"\xfe\xed\xfa\xce", Format::MachO),
    (0, b"\xfe\xed\xfa\xcf", Format::MachO),
    (0, b"\xce\xfa\xed\xfe", Format::MachO),
    (0, b"\xcf\xfa\xed\xfe", Format::MachO),
    (0, b"\0asm", Format::Wasm),
    (0, b"dex\n", Format::Dex),
    (0, b"dey\n", Format::Dex),
    (0, b"\xca\xfe\xd0\x0d", Format::JavaArchive),
    (0, b"\x1bLua", Format::Script),
    (0, b"\x4c\0\0\0\x01\x14\x02\0", Format::Shortcut),
    (0, b"ITSF\x03\0\0\0", Format::Chm),
    (0, b"?_\x03\0", Format::Chm),
    (0, b"\xed\xab\xee\xdb", Format::Installer),
    (0, b"Cr24", Format::Installer),
    // Disk images.
    (0, b"vhdxfile", Format::DiskImage),
    (0, b"conectix", Format::DiskImage),
    (0, b"KDMV", Format::DiskImage),
    (0, b"COWD", Format::DiskImage),
    (0, b"QFI\xfb", Format::DiskImage),
    (0, b"hsqs", Format::DiskImage),
    (0, b"sqsh", Format::DiskImage),
    (0, b"MSWIM\0\0\0", Format::DiskImage),
    (0, b"\x45\x3d\xcd\x28", Format::DiskImage),
    (0x40, b"\x7f\x10\xda\xbe", Format::DiskImage),
    // Pictures.
    (0, b"\x89PNG", Format::Png),
    (0, b"\x8aMNG", Format::PictureOther),
    (0, b"\x8bJNG", Format::PictureOther),
    (0, b"\xff\xd8", Format::Jpeg),
    (0, b"GIF87a", Format::Gif),
    (0, b"GIF89a", Format::Gif),
    (8, b"CR\x02\0", Format::PictureOther),
    (0, b"II*\0", Format::Tiff),
    (0, b"MM\0*", Format::Tiff),
    (0, b"II+\0", Format::Tiff),
    (0, b"MM\0+", Format::Tiff),
    (0, b"II\xbc\x01", Format::PictureOther),
    (0, b"IIU\0", Format::PictureOther),
    (0, b"IIRO", Format::PictureOther),
    (0, b"8BPS", Format::PictureOther),
    (0, b"\0\0\0\x0cjP  ", Format::PictureOther),
    (0, b"\xff\x4f\xff\x51", Format::PictureOther),
    (0, b"\0\0\0\x0cJXL ", Format::PictureOther),
    (0, b"\xff\x0a", Format::PictureOther),
    (0, b"DDS ", Format::PictureOther),
    (0, b"\x76\x2f\x31\x01", Format::PictureOther),
    (0, b"#?RADIANCE", Format::PictureOther),
    (0, b"#?RGBE", Format::PictureOther),
    (0, b"qoif", Format::PictureOther),
    (0, b"farbfeld", Format::PictureOther),
    (0, b"SIMPLE  = ", Format::PictureOther),
    (0, b"BPG\xfb", Format::PictureOther),
    (0, b"\x01\xda", Format::PictureOther),
    (0, b"icns", Format::PictureOther),
    (0, b"AT&TFORM", Format::PictureOther),
    (0, b"gimp xcf", Format::PictureOther),
    (128, b"DICM", Format::PictureOther),
    (0, b"SDPX", Format::PictureOther),
    (0, b"XPDS", Format::PictureOther),
    (0, b"BLP1", Format::PictureOther),
    (0, b"BLP2", Format::PictureOther),
    (0, b"FTEX", Format::PictureOther),
    (0, b"DanM", Format::PictureOther),
    (0, b"LinS", Format::PictureOther),
    (0, b"\x59\xa6\x6a\x95", Format::PictureOther),
    (0, b"/* XPM */", Format::PictureOther),
    (0, b"\x97JB2", Format::PictureOther),
    (0, b"\xd7\xcd\xc6\x9a", Format::Metafile),
    (0, b"\x01\0\x09\0\0\x03", Format::Metafile),
    (0, b"\x02\0\x09\0\0\x03", Format::Metafile),
    (40, b" EMF", Format::Metafile),
    // Documents.
    (0, b"{\\rt", Format::Rtf),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format::OleOther),
    (0, b"\xc5\xd0\xd3\xc6", Format::PostScript),
    (0, b"%!", Format::PostScript),
    (0, b"\x04%!PS", Format::PostScript),
    (0, b"\x1b%-12345X", Format::PostScript),
    // Archives.
    (0, b"\x1f\x8b", Format::Gzip),
    (0, b"BZh", Format::Bzip2),
    (0, b"\xfd7zXZ\0", Format::Xz),
    (0, b"\x28\xb5\x2f\xfd", Format::Zstd),
    (0, b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (0, b"Rar!\x1a\x07", Format::Rar),
    (0, b"RE~^", Format::Rar),
    (0, b"MSCF\0\0\0\0", Format::Cab),
    (0, b"ISc(", Format::Cab),
    (257, b"ustar", Format::Tar),
    (0, b"\x04\x22\x4d\x18", Format::ArchiveOther),
    (0, b"\x02\x21\x4c\x18", Format::ArchiveOther),
    (0, b"LZIP\x01", Format::ArchiveOther),
    (0, b"\x1f\x9d", Format::ArchiveOther),
    (0, b"\x1f\xa0", Format::ArchiveOther),
    (0, b"\x89LZO\0", Format::ArchiveOther),
    (0, b"]\0\0", Format::ArchiveOther),
    (0, b"!<arch>\ndebian", Format::Installer),
    (0, b"!<arch>\n", Format::ArchiveOther),
    (0, b"070701", Format::ArchiveOther),
    (0, b"070702", Format::ArchiveOther),
    (0, b"070707", Format::ArchiveOther),
    (0, b"\xc7\x71", Format::ArchiveOther),
    (0, b"\x71\xc7", Format::ArchiveOther),
    (0, b"xar!\0", Format::ArchiveOther),
    (0, b"\x60\xea", Format::ArchiveOther),
    (7, b"**ACE**", Format::ArchiveOther),
    (20, b"\xdc\xa7\xc4\xfd", Format::ArchiveOther),
    (0, b"SIT!", Format::ArchiveOther),
    (0, b"StuffIt (c)", Format::ArchiveOther),
    (0, b"PAR2\0PKT", Format::ArchiveOther),
    (0, b"ALZ\x01", Format::ArchiveOther),
    (0, b"EGGA", Format::ArchiveOther),
    (0, b"\x5a\x4f\x4f\x20", Format::ArchiveOther),
    // Sound and film.
    (0, b"ID3", Format::Audio),
    (0, b"fLaC", Format::Audio),
    (0, b"OggS", Format::Audio),
    (0, b"MThd", Format::Audio),
    (0, b"#!AMR", Format::Audio),
    (0, b".snd", Format::Audio),
    (0, b"\x1a\x45\xdf\xa3", Format::Video),
    (0, b"FLV\x01", Format::Video),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format::Video),
    (0, b"\0\0\x01\xba", Format::Video),
    (0, b"\0\0\x01\xb3", Format::Video),
    (0, b".RMF", Format::Video),
    (4, b"moov", Format::Video),
    (4, b"mdat", Format::Video),
    // The rest that has a name.
    (0, b"OTTO", Format::Font),
    (0, b"ttcf", Format::Font),
    (0, b"wOFF", Format::Font),
    (0, b"wOF2", Format::Font),
    (0, b"true\0", Format::Font),
    (0, b"SQLite format 3\0", Format::Database),
    (0, b"\0\x01\0\0Standard Jet DB", Format::Database),
    (0, b"\0\x01\0\0Standard ACE DB", Format::Database),
    (0, b"\0\x01\0\0\0", Format::Font),
    (0, b"AutoCAD Binary DXF", Format::Cad),
    (0, b"AC10", Format::Cad),
    (0, b"AC1.", Format::Cad),
];

/// The format by signature. Text, ZIP and PDF are looked at elsewhere.
pub fn of(bytes: &[u8]) -> Option<Format> {
    let signed = SIGNATURES.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|b| b.starts_with(magic)));
    signed.map(|(_, _, format)| *format).or_else(|| shaped(bytes))
}

/// Formats whose signature alone would be too weak or stands for several things.
fn shaped(bytes: &[u8]) -> Option<Format> {
    let head4: &[u8; 4] = bytes.first_chunk()?;
    match head4 {
        [b'M', b'Z', ..] | [b'Z', b'M', ..] => Some(program(bytes)),
        // A class file has a version of 45 or more here, a fat Mach-O a count of architectures.
        [0xca, 0xfe, 0xba, 0xbe] => {
            Some(if bytes.get(7).is_none_or(|n| *n < 40) { Format::MachO } else { Format::JavaClass })
        }
        [b'B', b'M', ..] if bitmap(bytes) => Some(Format::Bmp),
        b"RIFF" | b"RIFX" => Some(riff(bytes)),
        b"FORM" => Some(if bytes.get(8..12) == Some(b"AIFF") || bytes.get(8..12) == Some(b"AIFC") {
            Format::Audio
        } else {
            Format::PictureOther
        }),
        [0, 0, 1 | 2, 0] if bytes.get(4..6).is_some_and(|n| n != [0, 0]) => Some(Format::Ico),
        [0x0a, 0..=5, 0..=1, 1 | 2 | 4 | 8] => Some(Format::PictureOther),
        [0xff, b @ 0xe2..=0xfd, ..]
            if b & 6 != 0 && b & 0x18 != 8 && bytes.get(2).is_some_and(|c| c & 0xf0 != 0xf0 && c & 0x0c != 0x0c) =>
        {
            Some(Format::Audio)
        }
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Format::Zstd),
        [0xeb | 0xe9, _, _, _] if bytes.get(510..512) == Some(b"\x55\xaa") => Some(Format::DiskImage),
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n', _] => Some(Format::PictureOther),
        _ => far(bytes),
    }
}

/// Signatures further inside, or at the end.
fn far(bytes: &[u8]) -> Option<Format> {
    let has = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|b| b.starts_with(magic));
    if has(4, b"ftyp") {
        let picture =
            [b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"crx "].iter().any(|brand| has(8, *brand));
        return Some(if picture {
            Format::PictureOther
        } else if has(8, b"M4A") {
            Format::Audio
        } else {
            Format::Video
        });
    }
    if has(2, b"-lh") && has(6, b"-") || has(2, b"-lz") && has(6, b"-") {
        return Some(Format::ArchiveOther);
    }
    if has(510, b"\x55\xaa")
        && (has(446, b"\x80") || has(446, b"\0"))
        && bytes.len() > 1024
        && has(0x1fe, b"\x55\xaa")
        && has(512, b"EFI PART")
    {
        return Some(Format::DiskImage);
    }
    if is_optical(bytes) || has(0x438, b"\x53\xef") && bytes.len() > 4096 {
        return Some(Format::DiskImage);
    }
    let tail = bytes.len().checked_sub(512)?;
    if has(tail, b"koly\0\0\0\x04") || has(tail, b"conectix") {
        return Some(Format::DiskImage);
    }
    if matches!(u16_at(bytes, 4), Some(0xaf11 | 0xaf12)) && u32_at(bytes, 0).is_some_and(|n| n as usize == bytes.len())
    {
        return Some(Format::Video);
    }
    if tar_checksum(bytes) {
        return Some(Format::Tar);
    }
    (bytes.get(bytes.len().saturating_sub(18)..) == Some(b"TRUEVISION-XFILE.\0")).then_some(Format::PictureOther)
}

/// ISO 9660 and UDF volume descriptors (ECMA-119 8.1, ECMA-167 2/9).
pub fn is_optical(bytes: &[u8]) -> bool {
    [0x8001usize, 0x8801, 0x9001].iter().any(|at| {
        bytes.get(*at..).is_some_and(|b| [&b"CD001"[..], b"BEA01", b"NSR02", b"NSR03"].iter().any(|m| b.starts_with(m)))
    })
}

fn program(bytes: &[u8]) -> Format {
    let new_header = u32_at(bytes, 0x3c).and_then(|at| bytes.get(usize::try_from(at).ok()?..));
    if new_header.is_some_and(|b| b.starts_with(b"PE\0\0")) { Format::Pe } else { Format::Dos }
}

/// BITMAPFILEHEADER and a DIB header of a known size (or near: the reconstructor judges).
fn bitmap(bytes: &[u8]) -> bool {
    matches!(u32_at(bytes, 14), Some(12..=256))
}

fn riff(bytes: &[u8]) -> Format {
    match bytes.get(8..12) {
        Some(b"WEBP") => Format::Webp,
        Some(b"WAVE" | b"RMID") => Format::Audio,
        Some(b"ACON") => Format::PictureOther,
        Some(_) | None => Format::Video,
    }
}

/// A tar archive from before POSIX has no signature, but its first header has a checksum (POSIX.1-1988).
fn tar_checksum(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else { return false };
    let Some(stored) = header.get(148..156).and_then(octal) else { return false };
    let sum: u32 =
        header.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
    header.first() != Some(&0) && stored == sum
}

fn octal(field: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u32::from_str_radix(text, 8).ok()
}

/// What `infer` makes of bytes that we have no signature for. Only its class counts.
pub fn inferred(bytes: &[u8]) -> Option<Format> {
    let kind = infer::get(bytes)?;
    match kind.matcher_type() {
        infer::MatcherType::Archive => Some(Format::ArchiveOther),
        infer::MatcherType::Audio => Some(Format::Audio),
        infer::MatcherType::Font => Some(Format::Font),
        infer::MatcherType::Image => Some(Format::PictureOther),
        infer::MatcherType::Video => Some(Format::Video),
        // A program, book or document that our own look did not know stays unknown; text has been looked at before.
        infer::MatcherType::App
        | infer::MatcherType::Book
        | infer::MatcherType::Doc
        | infer::MatcherType::Text
        | infer::MatcherType::Custom => None,
    }
}
