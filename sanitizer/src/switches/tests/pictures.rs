//! Pictures: files with one value that no picture has.

use super::Carrier;
use super::Filter::*;
use flate2::{Crc, write::ZlibEncoder};
use model::Format::{Bmp, Gif, Jpeg, Png, Tiff};
use std::io::Write;

/// A PNG of one row of four pixels: depth, colour type, chunks before the pixels, the row.
fn png(bits: u8, kind: u8, width: u32, chunks: &[(&[u8; 4], &[u8])], row: &[u8]) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &1u32.to_be_bytes(), &[bits, kind, 0, 0, 0]].concat();
    let mut zlib = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(&[&[0], row].concat()).unwrap();
    let data = zlib.finish().unwrap();
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let all = [(b"IHDR", header.as_slice())].into_iter().chain(chunks.iter().copied());
    for (kind, body) in all.chain([(b"IDAT", data.as_slice()), (b"IEND", &[])]) {
        out.extend((body.len() as u32).to_be_bytes());
        let mut crc = Crc::new();
        crc.update(kind);
        crc.update(body);
        out.extend(kind);
        out.extend(body);
        out.extend(crc.sum().to_be_bytes());
    }
    out
}

/// `bytes` with `with` at `at`.
fn patched(mut bytes: Vec<u8>, at: usize, with: &[u8]) -> Vec<u8> {
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

/// A GIF of one pixel: background, frame's place, disposal, the pixel's index in a table of four.
fn gif(background: u8, x: u16, disposal: u8, index: u8) -> Vec<u8> {
    let mut out = b"GIF89a\x01\0\x01\0\xf1".to_vec();
    out.extend([background, 0]);
    out.extend([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]);
    out.extend([0x21, 0xf9, 4, disposal << 2, 0, 0, 0, 0, 0x2c]);
    out.extend(x.to_le_bytes());
    out.extend([0, 0, 1, 0, 1, 0, 0, 3]);
    // Codes of four bits: clear (8), the index, end (9).
    out.extend([2, 8 | index << 4, 9, 0, 0x3b]);
    out
}

/// A GIF of one pixel of index 3 in a table of two.
fn short_table() -> Vec<u8> {
    let mut out = b"GIF89a\x01\0\x01\0\xf0\0\0".to_vec();
    out.extend([0, 0, 0, 255, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0]);
    // Codes of three bits: clear (4), 3, end (5).
    out.extend([2, 2, 0x5c, 1, 0, 0x3b]);
    out
}

pub(super) fn carriers() -> Vec<Carrier> {
    let red: &[u8] = &[255, 0, 0];
    let gamma = |n: u32| n.to_be_bytes();
    let points: Vec<u8> = [31_270u32, 32_900, 640_000, 33_000, 30_000, 60_000, 15_000, 6_000]
        .iter()
        .flat_map(|n| n.to_be_bytes())
        .collect();
    let with = |chunks: &[(&[u8; 4], &[u8])]| png(8, 2, 1, chunks, red);
    vec![
        Carrier::new(
            PngTransparency,
            Png,
            png(8, 3, 1, &[(b"PLTE", red), (b"tRNS", &[1, 2, 3, 4])], &[0]),
            [1, 2, 3, 4],
        )
        .says("transparency of colours that are not there"),
        Carrier::new(PngPalette, Png, png(8, 3, 2, &[(b"PLTE", red)], &[0, 7]), "")
            .says("an index outside of the palette"),
        Carrier::new(PngPadding, Png, png(1, 0, 3, &[], &[0x5f]), "").says("bits behind the end of a row"),
        Carrier::new(PngGamma, Png, with(&[(b"gAMA", &gamma(1))]), "gAMA").says("an exponent of nothing"),
        Carrier::new(PngGamma, Png, with(&[(b"gAMA", &gamma(2_000_000_000))]), "gAMA").says("a large exponent"),
        Carrier::new(PngPoints, Png, with(&[(b"gAMA", &gamma(100_000)), (b"cHRM", &points)]), "cHRM")
            .says("a point outside of the diagram"),
        Carrier::new(JpegDensity, Jpeg, patched(samples::jpeg(), 13, &[1, 0, 0, 0, 0]), "")
            .says("a density of nothing"),
        Carrier::new(GifDisposal, Gif, gif(0, 0, 7, 1), [0x21, 0xf9, 4, 7 << 2]).says("a disposal without a meaning"),
        Carrier::new(GifBackground, Gif, gif(200, 0, 0, 1), [0xf1, 200]).says("a background outside of the table"),
        Carrier::new(GifCanvas, Gif, gif(0, 9, 0, 1), "").says("a frame outside of the canvas"),
        Carrier::new(GifPalette, Gif, short_table(), "").says("an index outside of the table"),
        Carrier::new(BmpPalette, Bmp, bmp(1, 0), "").says("an index outside of the palette"),
        Carrier::new(BmpResolution, Bmp, bmp(256, u32::MAX), u32::MAX.to_le_bytes()).says("a resolution below zero"),
        Carrier::new(TiffSubfile, Tiff, tiff(254, 4, 0xdead_beef), 0xdead_beef_u32.to_le_bytes())
            .says("a kind of page without a meaning"),
        Carrier::new(TiffResolution, Tiff, tiff(296, 3, 77), [0x28, 1, 3, 0, 1, 0, 0, 0, 77])
            .says("a resolution in no unit"),
    ]
}

/// A BMP of one pixel of index 9.
fn bmp(colours: u32, resolution: u32) -> Vec<u8> {
    let offset = 54 + colours * 4;
    let mut out = b"BM".to_vec();
    for word in [offset + 4, 0, offset, 40, 1, 1, 1 | 8 << 16, 0, 4, resolution, resolution, colours, 0] {
        out.extend(word.to_le_bytes());
    }
    out.resize(offset as usize, 0x55);
    out.extend([9, 0, 0, 0]);
    out
}

/// A TIFF of one grey pixel with a resolution, and a tag with one value of this kind.
fn tiff(tag: u16, kind: u16, value: u32) -> Vec<u8> {
    let mut entries: Vec<(u16, u16, u32)> = vec![
        (256, 4, 1),
        (257, 4, 1),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 200),
        (277, 3, 1),
        (278, 4, 1),
        (279, 4, 1),
        (282, 5, 208),
        (283, 5, 208),
    ];
    entries.push((tag, kind, value));
    entries.sort_unstable();
    let mut out = b"II\x2a\0\x08\0\0\0".to_vec();
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(1u32.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.resize(208, 0);
    out.extend([72, 0, 0, 0, 1, 0, 0, 0]);
    out
}
