use super::super::picture_tests::{decoded, encoded, rebuild, rgb};
use super::*;
use image::ImageFormat;
use model::Format::Jpeg;

fn with_orientation(value: u8) -> Vec<u8> {
    let bytes = encoded(&rgb(), ImageFormat::Jpeg);
    let mut exif = b"\xFF\xE1\x00\x22Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([value, 0, 0, 0, 0, 0, 0, 0]);
    [&bytes[..2], &exif, &bytes[2..]].concat()
}

#[test]
fn the_orientation_is_applied_and_goes() {
    for value in 1..=8 {
        let out = rebuild(Jpeg, &with_orientation(value)).unwrap().0;
        let size = if value >= 5 { (11, 19) } else { (19, 11) };
        assert_eq!((decoded(&out).width(), decoded(&out).height()), size, "orientation {value}");
        assert!(!out.windows(4).any(|w| w == b"Exif"));
    }
}

#[test]
fn grey_stays_grey_and_the_tables_are_pinned() {
    let grey = image::DynamicImage::from(rgb().into_luma8());
    let out = rebuild(Jpeg, &encoded(&grey, ImageFormat::Jpeg)).unwrap().0;
    assert!(matches!(decoded(&out), image::DynamicImage::ImageLuma8(_)));
    // Annex K.1 at 16 %: 16, 11, 12, … in zigzag order.
    let table = out.windows(5).position(|w| w == [0xFF, 0xDB, 0, 67, 0]).unwrap();
    assert_eq!(out[table + 5..table + 13], [3, 2, 2, 2, 2, 2, 3, 2]);
}

#[test]
fn inks_come_out_as_they_are_stored_and_as_ink() {
    let mut bytes = Vec::new();
    let inks = [200u8, 30, 90, 10].repeat(64);
    Encoder::new(&mut bytes, 100).encode(&inks, 8, 8, ColorType::Cmyk).unwrap();
    let mut budget = Budget::new(&model::Policy::standard().limits);
    let ink = decode_jpeg(&bytes, Cmyk::Ink, &mut budget).unwrap();
    assert_eq!(ink.colour, Colour::Cmyk);
    let near = |a: &[u8], b: [u8; 4]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 4);
    assert!(near(&ink.samples[..4], [200, 30, 90, 10]), "{:?}", &ink.samples[..4]);
    let stored = decode_jpeg(&bytes, Cmyk::AsStored, &mut budget).unwrap();
    assert!(near(&stored.samples[..4], [55, 225, 165, 245]), "{:?}", &stored.samples[..4]);
}

/// Six colours side by side under 4:2:0: a second pass used to smear them over each other, down to 21 dB.
fn tiny_and_colourful() -> Vec<u8> {
    let colours = [[240u8, 8, 0], [167, 48, 0], [94, 201, 35], [43, 213, 106], [0, 36, 153], [0, 8, 236]];
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 92);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&colours.as_flattened().repeat(2), 6, 2, ColorType::Rgb).unwrap();
    bytes
}

#[test]
fn a_second_pass_changes_next_to_nothing() {
    for input in [encoded(&rgb(), ImageFormat::Jpeg), tiny_and_colourful()] {
        let once = rebuild(Jpeg, &input).unwrap().0;
        let twice = rebuild(Jpeg, &once).unwrap().0;
        let (a, b) = (decoded(&once).to_rgb8(), decoded(&twice).to_rgb8());
        let squares: f64 = a.iter().zip(b.iter()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
        let psnr = 10.0 * (255.0f64.powi(2) / (squares / a.len() as f64)).log10();
        assert!(psnr >= 35.0, "{psnr} dB");
    }
}
