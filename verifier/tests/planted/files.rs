//! Constructs in pictures that we have cleaned.

use crate::testing::zlib;
use crate::{Planted, cleaned, planted};
use model::Format::{Bmp, Gif, Jpeg, Png, Tiff, Webp};

pub fn all() -> Vec<Planted> {
    [pngs(), jpegs(), others()].into_iter().flatten().collect()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes(), &kind[..], data, &crc.sum().to_be_bytes()].concat()
}

/// `more` put in at `at`.
fn insert(twin: &[u8], at: usize, more: &[u8]) -> Vec<u8> {
    [&twin[..at], more, &twin[at..]].concat()
}

fn place(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|w| w == what).unwrap()
}

fn pngs() -> Vec<Planted> {
    let twin = cleaned("a.png", &samples::png());
    let data = place(&twin, b"IDAT") - 4;
    let end = twin.len() - 12;
    let put = |row: &str, at: usize, kind: &[u8; 4], data: &[u8]| {
        planted(row, &kind.escape_ascii().to_string(), Png, &twin, insert(&twin, at, &chunk(kind, data)))
    };
    vec![
        put("IMG-02", data, b"eXIf", b"II\x2a\0\x08\0\0\0\0\0"),
        put("IMG-07", data, b"tEXt", b"Comment\0canary"),
        put("IMG-07", end, b"prVt", b"canary"),
        put("IMG-08", data, b"IDAT", b""),
        put("IMG-08", end, b"IDAT", &zlib(b"canary")),
        put("IMG-20", data, b"iCCP", &[b"icc\0\0", &zlib(&[0; 128])[..]].concat()),
        put("GEN-15", data, b"tEXt", b"Author\0canary"),
        planted("IMG-01", "behind IEND", Png, &twin, [&twin[..], b"canary"].concat()),
        planted("GEN-02", "an archive behind", Png, &twin, [&twin[..], b"PK\x05\x06", &[0; 18]].concat()),
        planted("GEN-03", "a byte behind", Png, &twin, [&twin[..], b"\0"].concat()),
        planted("GEN-04", "a program before", Png, &twin, [b"MZ", &twin[..]].concat()),
    ]
}

fn jpegs() -> Vec<Planted> {
    let twin = cleaned("a.jpg", &samples::jpeg());
    let segment =
        |marker: u8, data: &[u8]| [&[0xFF, marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat();
    // Behind SOI and APP0, which is of 18 bytes.
    let put = |row: &str, what: &str, segment: Vec<u8>| planted(row, what, Jpeg, &twin, insert(&twin, 20, &segment));
    let frame = place(&twin, &[0xFF, 0xC0]);
    let mut arithmetic = twin.clone();
    arithmetic[frame + 1] = 0xC9;
    vec![
        put("IMG-02", "Exif", segment(0xE1, b"Exif\0\0II\x2a\0\x08\0\0\0\0\0\0\0\0\0")),
        put("IMG-03", "JFXX", segment(0xE0, b"JFXX\0\x10\xFF\xD8\xFF\xD9")),
        put("IMG-04", "COM", segment(0xFE, b"canary")),
        put("IMG-20", "ICC", segment(0xE2, b"ICC_PROFILE\0\x01\x01canary")),
        put("IMG-24", "MPF", segment(0xE2, b"MPF\0canary")),
        planted("IMG-24", "a film behind", Jpeg, &twin, [&twin[..], b"\0\0\0\x08ftypmp42"].concat()),
        planted("IMG-05", "arithmetic", Jpeg, &twin, arithmetic),
        planted("IMG-05", "SOI twice", Jpeg, &twin, insert(&twin, 0, &[0xFF, 0xD8])),
    ]
}

fn others() -> Vec<Planted> {
    let gif = cleaned("a.gif", &samples::gif());
    let trailer = gif.len() - 1;
    let bmp = cleaned("a.bmp", &samples::bmp());
    let offset = u32::from_le_bytes(bmp[10..14].try_into().unwrap());
    let mut gap = insert(&bmp, offset as usize, b"evil");
    gap[2..6].copy_from_slice(&(bmp.len() as u32 + 4).to_le_bytes());
    gap[10..14].copy_from_slice(&(offset + 4).to_le_bytes());
    let tiff = cleaned("a.tif", &samples::tiff());
    // A private tag at the end of the first directory; offsets behind it move on by the 12 bytes.
    let count = u16::from_le_bytes([tiff[8], tiff[9]]);
    let last = 10 + usize::from(count) * 12;
    let mut tag = insert(&tiff, last, &[0xFF, 0xFE, 1, 0, 4, 0, 0, 0, b'e', b'v', b'i', b'l']);
    tag[8..10].copy_from_slice(&(count + 1).to_le_bytes());
    for entry in tag[10..last].chunks_exact_mut(12) {
        let size = match entry[2] {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            5 | 10 | 12 => 8,
            _ => 4,
        };
        let values = u32::from_le_bytes(entry[4..8].try_into().unwrap()) * size;
        if values > 4 || matches!(u16::from_le_bytes([entry[0], entry[1]]), 273 | 324) {
            let at = u32::from_le_bytes(entry[8..12].try_into().unwrap()) + 12;
            entry[8..12].copy_from_slice(&at.to_le_bytes());
        }
    }
    let webp = cleaned("a.webp", &samples::webp());
    let mut metadata = [&webp[..], b"XMP \x06\0\0\0canary"].concat();
    let length = metadata.len() as u32 - 8;
    metadata[4..8].copy_from_slice(&length.to_le_bytes());
    vec![
        planted("IMG-10", "a comment", Gif, &gif, insert(&gif, trailer, b"\x21\xFE\x06canary\0")),
        planted("IMG-10", "an application", Gif, &gif, insert(&gif, trailer, b"\x21\xFF\x0BXMP DataXMP\x01x\0")),
        planted("IMG-01", "behind the trailer", Gif, &gif, [&gif[..], b"\0"].concat()),
        planted("IMG-11", "a gap before the pixels", Bmp, &bmp, gap),
        planted("IMG-12", "a private tag", Tiff, &tiff, tag),
        planted("IMG-12", "behind the last page", Tiff, &tiff, [&tiff[..], b"canary"].concat()),
        planted("IMG-13", "XMP", Webp, &webp, metadata),
    ]
}
