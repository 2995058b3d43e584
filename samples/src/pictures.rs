//! Pictures with metadata, comments and bytes after their end.

use crate::{CANARY, zip};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use std::borrow::Cow;

const SIDE: u32 = 64;

/// A gradient with a frame: enough structure to tell a faithful copy from a bad one.
fn gradient() -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let edge = x == 0 || y == 0 || x == SIDE - 1 || y == SIDE - 1;
        let level = |v: u32| u8::try_from(v.saturating_mul(4).min(255)).unwrap_or(255);
        if edge { Rgb([0, 0, 0]) } else { Rgb([level(x), level(y), 128]) }
    })
}

fn encode(format: ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    // Encoding a small picture into memory does not fail; an empty sample would fail the test that uses it.
    let _ = DynamicImage::ImageRgb8(gradient()).write_to(&mut out, format);
    out.into_inner()
}

/// A PNG with nothing to remove.
#[must_use]
pub fn png() -> Vec<u8> {
    encode(ImageFormat::Png)
}

/// A BMP with nothing to remove.
#[must_use]
pub fn bmp() -> Vec<u8> {
    encode(ImageFormat::Bmp)
}

/// A TIFF with nothing to remove.
#[must_use]
pub fn tiff() -> Vec<u8> {
    encode(ImageFormat::Tiff)
}

/// A lossless WebP with nothing to remove.
#[must_use]
pub fn webp() -> Vec<u8> {
    encode(ImageFormat::WebP)
}

/// A JPEG with nothing to remove.
#[must_use]
pub fn jpeg() -> Vec<u8> {
    let mut out = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    let side = u16::try_from(SIDE).unwrap_or(u16::MAX);
    let _ = encoder.encode(gradient().as_raw(), side, side, jpeg_encoder::ColorType::Rgb);
    out
}

/// A PNG with a text chunk (IMG-07) and a ZIP archive after its end (GEN-03).
#[must_use]
pub fn png_with_text() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, SIDE, SIDE);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let texted = encoder.add_text_chunk("Comment".into(), CANARY.into());
    let written =
        texted.and_then(|()| encoder.write_header()).and_then(|mut w| w.write_image_data(gradient().as_raw()));
    let _ = written;
    out.extend(zip(&[("hidden.txt", CANARY.as_bytes())]));
    out
}

/// A JPEG with EXIF that names a place (IMG-02), a comment (IMG-04) and bytes after its end (IMG-01).
#[must_use]
pub fn jpeg_with_exif() -> Vec<u8> {
    let plain = jpeg();
    let (soi, rest) = plain.split_at_checked(2).unwrap_or((&[], &[]));
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0e\x01\x02\0".to_vec();
    exif.extend(u32::try_from(CANARY.len()).unwrap_or(0).to_le_bytes());
    exif.extend(26u32.to_le_bytes());
    exif.extend(0u32.to_le_bytes());
    exif.extend(CANARY.as_bytes());
    [soi, &segment(0xe1, &exif), &segment(0xfe, CANARY.as_bytes()), rest, CANARY.as_bytes()].concat()
}

fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len().saturating_add(2)).unwrap_or(u16::MAX);
    [&[0xff, marker][..], &length.to_be_bytes(), body].concat()
}

/// A GIF of three frames with a comment (IMG-10).
#[must_use]
pub fn gif() -> Vec<u8> {
    let mut out = Vec::new();
    let palette = [0, 0, 0, 255, 255, 255, 200, 30, 30, 30, 200, 30];
    if let Ok(mut encoder) = gif::Encoder::new(&mut out, 16, 16, &palette) {
        let _ = encoder.set_repeat(gif::Repeat::Infinite);
        let _ = encoder.write_raw_extension(gif::AnyExtension(0xfe), &[CANARY.as_bytes()]);
        for index in 1..=3u8 {
            let buffer = Cow::Owned(vec![index; 256]);
            let frame = gif::Frame { width: 16, height: 16, delay: 20, buffer, ..gif::Frame::default() };
            let _ = encoder.write_frame(&frame);
        }
    }
    out
}
