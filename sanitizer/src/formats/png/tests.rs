use super::super::picture_tests::{decoded, rebuild};
use model::Format::Png;

fn palette(colour_chunks: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 5, 2);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Two);
    encoder.set_palette(vec![0, 0, 0, 255, 0, 0, 0, 255, 0]);
    encoder.set_trns(vec![255, 7]);
    colour_chunks(&mut encoder);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0b0001_1000, 0b0100_0000, 0b1001_0010, 0]).unwrap();
    writer.finish().unwrap();
    out
}

#[test]
fn a_packed_palette_stays_packed() {
    let out = rebuild(Png, &palette(|_| ())).unwrap().0;
    assert_eq!(out[24..26], [2, 3], "depth and colour type");
    assert!(out.windows(6).any(|w| w == b"tRNS\xff\x07"));
}

#[test]
fn a_gamma_stays_a_number_and_one_of_srgb_becomes_srgb() {
    let linear = rebuild(Png, &palette(|e| e.set_source_gamma(png::ScaledFloat::from_scaled(100_000)))).unwrap().0;
    assert!(linear.windows(8).any(|w| w == b"gAMA\0\x01\x86\xa0"));
    let usual = rebuild(Png, &palette(|e| e.set_source_gamma(png::ScaledFloat::from_scaled(45_455)))).unwrap().0;
    assert!(usual.windows(5).any(|w| w == b"sRGB\0") && !usual.windows(4).any(|w| w == b"gAMA"));
}

#[test]
fn an_index_outside_of_the_palette_gets_the_black_that_it_shows() {
    let mut bytes = palette(|_| ());
    // The palette loses an entry: three bytes, and a length and checksum to match.
    let at = bytes.windows(4).position(|w| w == b"PLTE").unwrap();
    bytes.drain(at + 10..at + 13);
    bytes[at - 1] = 6;
    let out = rebuild(Png, &bytes).unwrap().0;
    assert_eq!(decoded(&out).to_rgb8().get_pixel(2, 0).0, [0, 0, 0]);
}

fn animated() -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 4, 4);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_animated(3, 2).unwrap();
    encoder.set_frame_delay(3, 100).unwrap();
    let mut writer = encoder.write_header().unwrap();
    for level in [10, 20, 30] {
        writer.write_image_data(&[level; 16]).unwrap();
    }
    writer.finish().unwrap();
    out
}

#[test]
fn every_frame_of_an_animation_is_rebuilt() {
    let out = rebuild(Png, &animated()).unwrap().0;
    let mut reader = png::Decoder::new(std::io::Cursor::new(&out)).read_info().unwrap();
    assert_eq!(reader.info().animation_control.map(|a| (a.num_frames, a.num_plays)), Some((3, 2)));
    let mut frame = [0; 16];
    for level in [10, 20, 30] {
        reader.next_frame(&mut frame).unwrap();
        assert_eq!(frame, [level; 16]);
        assert_eq!(reader.info().frame_control.map(|c| (c.delay_num, c.delay_den)), Some((3, 100)));
    }
    assert_eq!(rebuild(Png, &out).unwrap().0, out, "fixed point");
}
