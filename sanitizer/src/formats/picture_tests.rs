//! What holds for all picture formats alike.

use crate::{Cx, Quiet, reconstructor};
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use model::{Finding, FindingAction, Format, Policy, Refusal, Untrusted};
use std::io::Cursor;

pub(super) const CANARY: &[u8] = b"Canary-7f3a-in-the-picture";

/// Rebuilds under a small budget, so that mutated sizes cost nothing.
pub(super) fn rebuild(format: Format, bytes: &[u8]) -> Result<(Vec<u8>, Vec<Finding>), Refusal> {
    let mut policy = Policy::standard();
    policy.limits.pixels = 20_000;
    policy.limits.expanded_bytes = 16 << 20;
    Cx::top(&policy, &mut Quiet, |cx| {
        let rebuilt = reconstructor(format).unwrap().reconstruct(Untrusted::new(bytes), format, cx)?;
        Ok((rebuilt.bytes, cx.findings().rows().to_vec()))
    })
}

pub(super) fn decoded(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}

pub(super) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, format).unwrap();
    out.into_inner()
}

pub(super) fn rgb() -> DynamicImage {
    let pixel = |x: u32, y: u32| Rgb([(x * 13) as u8, (y * 29) as u8, (x * y) as u8]);
    RgbImage::from_fn(19, 11, pixel).into()
}

pub(super) fn rgba() -> DynamicImage {
    let pixel = |x: u32, y: u32| Rgba([(x * 13) as u8, (y * 29) as u8, (x * y) as u8, (200 + x) as u8]);
    RgbaImage::from_fn(19, 11, pixel).into()
}

const FORMATS: [(Format, ImageFormat); 6] = [
    (Format::Png, ImageFormat::Png),
    (Format::Jpeg, ImageFormat::Jpeg),
    (Format::Gif, ImageFormat::Gif),
    (Format::Bmp, ImageFormat::Bmp),
    (Format::Tiff, ImageFormat::Tiff),
    (Format::Webp, ImageFormat::WebP),
];

/// Pictures of every kind that a format has and the encoders at hand write.
fn samples() -> Vec<(Format, Vec<u8>)> {
    let grey16 = DynamicImage::from(rgb().into_luma16());
    let kinds = [rgb(), rgba(), rgb().into_luma8().into(), grey16, rgb().into_rgb16().into()];
    let mut samples = Vec::new();
    for (format, with) in FORMATS {
        for kind in &kinds {
            let mut out = Cursor::new(Vec::new());
            if kind.write_to(&mut out, with).is_ok() {
                samples.push((format, out.into_inner()));
            }
        }
    }
    samples
}

#[test]
fn lossless_formats_keep_every_pixel_and_are_a_fixed_point() {
    for (format, bytes) in samples() {
        let (once, findings) = rebuild(format, &bytes).unwrap();
        assert!(findings.is_empty(), "{format}: a plain picture has nothing to find: {findings:?}");
        let (twice, _) = rebuild(format, &once).unwrap();
        let (before, after) = (decoded(&bytes), decoded(&once));
        assert_eq!((before.width(), before.height()), (after.width(), after.height()), "{format}");
        if format != Format::Jpeg {
            assert!(before.to_rgba16() == after.to_rgba16(), "{format}: {:?} comes out different", before.color());
            assert!(once == twice, "{format}: {:?} is no fixed point", before.color());
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for (format, bytes) in samples() {
        assert_eq!(rebuild(format, &bytes).unwrap().0, rebuild(format, &bytes).unwrap().0, "{format}");
    }
}

#[test]
fn no_truncation_and_no_mutation_panics() {
    for (format, bytes) in samples() {
        for end in 0..bytes.len() {
            let _ = rebuild(format, &bytes[..end]);
        }
        let mut mutant = bytes.clone();
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0xFF, bytes[at] ^ 0x10] {
                mutant[at] = value;
                let _ = rebuild(format, &mutant);
            }
            mutant[at] = bytes[at];
        }
    }
}

#[test]
fn a_picture_of_a_thousand_million_pixels_is_refused_before_it_is_held() {
    let mut png = encoded(&rgb(), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    let mut bmp = encoded(&rgb(), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
    for (format, bytes) in [(Format::Png, png), (Format::Bmp, bmp)] {
        assert!(matches!(rebuild(format, &bytes), Err(Refusal::Limit { .. })), "{format}");
    }
}

/// Each format's sample with the canary wherever it can hide something.
fn with_canary(format: Format, bytes: &[u8]) -> Vec<u8> {
    let segment = |marker: u8, body: &[u8]| {
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker], length.as_slice(), body].concat()
    };
    let middle = match format {
        Format::Png => {
            let mut crc = flate2::Crc::new();
            let body = [b"tEXtComment\0", CANARY].concat();
            crc.update(&body);
            let length = u32::try_from(body.len() - 4).unwrap().to_be_bytes();
            let chunk = [length.as_slice(), &body, &crc.sum().to_be_bytes()].concat();
            [&bytes[..33], &chunk, &bytes[33..]].concat()
        }
        Format::Jpeg => {
            let exif = segment(0xE1, &[b"Exif\0\0".as_slice(), CANARY].concat());
            [&bytes[..2], &exif, &segment(0xFE, CANARY), &segment(0xE7, CANARY), &bytes[2..]].concat()
        }
        Format::Gif => {
            let end = bytes.len() - 1;
            let comment = [&[0x21, 0xFE, CANARY.len() as u8], CANARY, &[0, 0x3B]].concat();
            [&bytes[..end], &comment].concat()
        }
        Format::Webp => {
            let chunk = [b"XMP ".as_slice(), &(CANARY.len() as u32).to_le_bytes(), CANARY].concat();
            let mut file = [bytes, &chunk].concat();
            let size = u32::try_from(file.len() - 8).unwrap();
            file[4..8].copy_from_slice(&size.to_le_bytes());
            file
        }
        _ => bytes.to_vec(),
    };
    [&middle, CANARY].concat()
}

#[test]
fn nothing_that_hides_beside_the_pixels_comes_through() {
    for (format, with) in FORMATS {
        let bytes = with_canary(format, &encoded(&rgb(), with));
        assert!(bytes.windows(CANARY.len()).any(|w| w == CANARY));
        let (out, findings) = rebuild(format, &bytes).unwrap();
        assert!(!out.windows(CANARY.len()).any(|w| w == CANARY), "{format}");
        let removed = findings.iter().filter(|f| f.action == FindingAction::Removed).count();
        // A TIFF's bytes belong to pages or to nobody; there is no end to be behind.
        assert!(removed >= 1 || format == Format::Tiff, "{format}: {findings:?}");
    }
}

#[test]
fn a_profile_is_used_and_goes() {
    let profile = moxcms::ColorProfile::new_adobe_rgb().encode().unwrap();
    let flat = RgbImage::from_pixel(16, 16, Rgb([40, 200, 90]));
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.set_icc_profile(profile.clone()).unwrap();
    encoder.write_image(&flat, 16, 16, ExtendedColorType::Rgb8).unwrap();
    let mut jpeg = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 95);
    encoder.set_icc_profile(profile).unwrap();
    encoder.write_image(&flat, 16, 16, ExtendedColorType::Rgb8).unwrap();
    for (format, bytes) in [(Format::Png, png), (Format::Jpeg, jpeg)] {
        let (out, findings) = rebuild(format, &bytes).unwrap();
        assert!(findings.iter().any(|f| f.id == "IMG-20"));
        assert!(!out.windows(4).any(|w| w == b"iCCP" || w == b"ICC_"));
        let Rgb([r, g, _]) = *decoded(&out).to_rgb8().get_pixel(8, 8);
        assert!(r < 12 && (195..=210).contains(&g), "{format}: Adobe RGB's green is out of sRGB's range: {r} {g}");
    }
}
