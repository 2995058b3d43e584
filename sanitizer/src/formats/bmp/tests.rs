use super::super::picture_tests::{CANARY, decoded, rebuild};
use model::Format::Bmp;

/// An 8-bit BMP, 4 pixels wide and 2 high, with three colours.
fn indexed(compression: u32, height: i32, pixels: &[u8]) -> Vec<u8> {
    let mut out = b"BM".to_vec();
    out.extend([0; 8]);
    out.extend(66u32.to_le_bytes());
    out.extend(40u32.to_le_bytes());
    out.extend(4i32.to_le_bytes());
    out.extend(height.to_le_bytes());
    out.extend([1, 0, 8, 0]);
    out.extend(compression.to_le_bytes());
    out.extend([0; 12]);
    out.extend(3u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend([0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0]);
    out.extend(pixels);
    out
}

#[test]
fn run_lengths_and_turned_rows_show_the_same_picture() {
    let plain = rebuild(Bmp, &indexed(0, 2, &[0, 1, 2, 2, 1, 1, 1, 0])).unwrap().0;
    let turned = rebuild(Bmp, &indexed(0, -2, &[1, 1, 1, 0, 0, 1, 2, 2])).unwrap().0;
    let runs = rebuild(Bmp, &indexed(1, 2, &[0, 3, 0, 1, 2, 0, 1, 2, 0, 0, 3, 1, 1, 0, 0, 1])).unwrap().0;
    assert_eq!(plain, turned);
    assert_eq!(plain, runs);
    assert_eq!(decoded(&plain).to_rgb8().get_pixel(3, 1).0, [0, 0, 255]);
    assert_eq!(decoded(&plain).to_rgb8().get_pixel(0, 0).0, [0, 255, 0]);
}

#[test]
fn what_lies_between_palette_and_pixels_goes() {
    let plain = indexed(0, 2, &[0, 1, 2, 2, 1, 1, 1, 0]);
    let mut cavity = [&plain[..66], CANARY, &plain[66..]].concat();
    cavity[10..14].copy_from_slice(&u32::try_from(66 + CANARY.len()).unwrap().to_le_bytes());
    let (out, findings) = rebuild(Bmp, &cavity).unwrap();
    assert_eq!(out, rebuild(Bmp, &plain).unwrap().0);
    assert!(findings.iter().any(|f| f.id == "IMG-11"));
}

#[test]
fn an_index_without_a_colour_is_black() {
    let out = rebuild(Bmp, &indexed(0, 2, &[9, 1, 2, 2, 1, 1, 1, 0])).unwrap().0;
    assert_eq!(decoded(&out).to_rgb8().get_pixel(0, 1).0, [0, 0, 0]);
    assert_eq!(rebuild(Bmp, &out).unwrap().0, out);
}
