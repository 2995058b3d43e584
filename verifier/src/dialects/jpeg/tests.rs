use crate::testing::{accept, noise, reject, torture};
use jpeg_encoder::{ColorType, Encoder, PixelDensity, SamplingFactor};
use model::Format::Jpeg;

fn encode(pixels: &[u8], width: u16, height: u16, colour: ColorType, sampling: SamplingFactor) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, 92);
    encoder.set_density(PixelDensity::dpi(300));
    encoder.set_sampling_factor(sampling);
    encoder.encode(pixels, width, height, colour).unwrap();
    out
}

const FULL: SamplingFactor = SamplingFactor::R_4_4_4;
const QUARTER: SamplingFactor = SamplingFactor::R_4_2_0;

fn grey() -> Vec<u8> {
    encode(&noise(17 * 9, 256), 17, 9, ColorType::Luma, FULL)
}

fn colour() -> Vec<u8> {
    encode(&noise(19 * 18 * 3, 200), 19, 18, ColorType::Rgb, QUARTER)
}

/// Where the first segment with this marker begins.
fn find(bytes: &[u8], marker: u8) -> usize {
    bytes.windows(2).position(|pair| pair == [0xFF, marker]).unwrap()
}

/// `colour()` with this put in front of the first segment with this marker.
fn plant(marker: u8, what: &[u8]) -> Vec<u8> {
    let mut bytes = colour();
    let at = find(&bytes, marker);
    bytes.splice(at..at, what.iter().copied());
    bytes
}

#[test]
fn our_encoders_pictures_are_accepted() {
    accept(&grey(), Jpeg);
    accept(&colour(), Jpeg);
    // Every size of the last MCU, flat, noisy and in between, so that all tables are used to their ends.
    for (size, spread) in (1..=33).zip([1, 2, 5, 40, 256].into_iter().cycle()) {
        let wide = encode(&noise(size * 8 * 3, spread), size as u16, 8, ColorType::Rgb, QUARTER);
        accept(&wide, Jpeg);
        let high = encode(&noise(size * 8 * 3, spread), 8, size as u16, ColorType::Rgb, FULL);
        accept(&high, Jpeg);
    }
    let large = encode(&noise(400 * 300 * 3, 256), 400, 300, ColorType::Rgb, QUARTER);
    accept(&large, Jpeg);
}

#[test]
fn no_mutation_panics_and_headers_hold_nothing() {
    torture(&grey(), Jpeg);
    torture(&encode(&noise(16 * 16 * 3, 200), 16, 16, ColorType::Rgb, QUARTER), Jpeg);
    // Of the bytes before the scan only the densities and the size are free.
    let good = colour();
    let free = [13, 14, 15, 16, 17, 25, 26, 27, 28];
    let scan = find(&good, 0xDA) + 14;
    for at in (0..scan).filter(|at| !free.contains(at)) {
        for bit in 0..8 {
            let mut wrong = good.clone();
            wrong[at] ^= 1 << bit;
            assert!(crate::testing::read(&wrong, Jpeg).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn img_02_to_04_segments_that_are_not_ours() {
    let payload = b"\x00\x10<?php evil(); ?>";
    for marker in (0xE0..=0xEF).chain([0xFE, 0xDD, 0xCC, 0xDC, 0xC4, 0xDB, 0xC8, 0x01]) {
        let segment = [&[0xFF, marker][..], payload].concat();
        for before in [0xE0, 0xC0, 0xDB, 0xC4, 0xDA, 0xD9] {
            assert!(crate::testing::read(&plant(before, &segment), Jpeg).is_err(), "{marker:x} before {before:x}");
        }
    }
    reject(&plant(0xC0, &[0xFF, 0xD8]), Jpeg, "SOF0");
    reject(&plant(0xDB, &[0xFF]), Jpeg, "DQT");
    reject(&plant(0xD9, &[0xFF, 0xD0]), Jpeg, "EOI");
    reject(&plant(0xD9, &[0xFF]), Jpeg, "EOI");
    let mut second_scan = colour();
    let scan = second_scan[find(&second_scan, 0xDA)..second_scan.len() - 2].to_vec();
    let end = second_scan.len() - 2;
    second_scan.splice(end..end, scan);
    reject(&second_scan, Jpeg, "EOI");
    let mut thumbnail = colour();
    thumbnail[5] = 19;
    thumbnail[18] = 1;
    thumbnail[19] = 1;
    thumbnail.splice(20..20, [0; 3]);
    reject(&thumbnail, Jpeg, "APP0");
    let jfxx = [&[0xFF, 0xE0, 0, 13][..], b"JFXX\0\x13\x01\x01\0\0\0"].concat();
    reject(&plant(0xC0, &jfxx), Jpeg, "SOF0");
    let mut hidden = colour();
    hidden.extend_from_slice(&colour());
    reject(&hidden, Jpeg, "after EOI");
}

#[test]
fn img_05_other_kinds_of_frame() {
    for marker in [0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC9, 0xCA, 0xCF, 0xF7] {
        let mut bytes = colour();
        let at = find(&bytes, 0xC0) + 1;
        bytes[at] = marker;
        reject(&bytes, Jpeg, "SOF0");
    }
    let at = find(&colour(), 0xC0);
    let change = |offset: usize, value: u8, why: &str| {
        let mut bytes = colour();
        bytes[at + offset] = value;
        reject(&bytes, Jpeg, why);
    };
    change(4, 12, "8 bits");
    change(6, 0, "pixels");
    change(9, 4, "components");
    change(11, 0x21, "components");
    let mut flood = grey();
    let at = find(&flood, 0xC0);
    flood[at + 5..at + 9].fill(0xFF);
    reject(&flood, Jpeg, "pixels");
}

#[test]
fn other_tables_are_not_ours() {
    let at_quality = |quality| {
        let mut out = Vec::new();
        Encoder::new(&mut out, quality).encode(&[7; 64], 8, 8, ColorType::Luma).unwrap();
        out
    };
    accept(&at_quality(92), Jpeg);
    for quality in [1, 50, 75, 91, 93, 100] {
        reject(&at_quality(quality), Jpeg, "DQT");
    }
    let mut optimised = Vec::new();
    let mut encoder = Encoder::new(&mut optimised, 92);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&noise(64, 256), 8, 8, ColorType::Luma).unwrap();
    reject(&optimised, Jpeg, "DHT");
}

/// A grey picture of 8 x 8 with this scan.
fn scan(bits: &str) -> Vec<u8> {
    scan_of(8, bits)
}

fn scan_of(width: u16, bits: &str) -> Vec<u8> {
    let mut bytes = encode(&vec![128; usize::from(width) * 8], width, 8, ColorType::Luma, FULL);
    let from = find(&bytes, 0xDA) + 10;
    bytes.truncate(from);
    let bits: Vec<u8> = bits.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
    for byte in bits.chunks(8).map(|byte| byte.iter().fold(0u8, |sum, bit| sum << 1 | bit)) {
        bytes.push(byte);
        if byte == 0xFF {
            bytes.push(0);
        }
    }
    bytes.extend_from_slice(&[0xFF, 0xD9]);
    bytes
}

#[test]
fn a_scan_is_codes_and_ones_and_nothing_else() {
    // DC difference 0 is 00, EOB is 1010, ZRL 11111111001, (0,1) 00.
    const ZRL: &str = "11111111001";
    accept(&scan("00 1010 11"), Jpeg);
    reject(&scan("00 1010 01"), Jpeg, "padding");
    reject(&scan("00 1010 11 11111110"), Jpeg, "after the last MCU");
    reject(&scan("00 111111"), Jpeg, "ends before");
    accept(&scan(&format!("00 {ZRL} 00 0 1010 1111")), Jpeg);
    reject(&scan(&format!("00 {ZRL} 1010 1111111")), Jpeg, "EOB behind");
    reject(&scan(&format!("00 {ZRL}{ZRL}{ZRL}{ZRL} 11")), Jpeg, "outside the block");
    // 63 coefficients of +1: no EOB follows.
    let full = format!("00 {}", "00 1".repeat(63));
    accept(&scan(&format!("{full} 1")), Jpeg);
    // One more by a run: 62 coefficients, then (1,1) 1100.
    reject(&scan(&format!("00 {} 1100 1 111", "00 1".repeat(62))), Jpeg, "outside the block");
    reject(&scan("111111111 1111111"), Jpeg, "no such code");
    // Size 11 is 111111110 and then 2047 is all ones; size 1 is 010.
    let edge = "111111110 11111111111 1010";
    accept(&scan(edge), Jpeg);
    accept(&scan_of(16, &format!("{edge} 00 1010 11")), Jpeg);
    reject(&scan_of(16, &format!("{edge} 010 1 1010")), Jpeg, "out of range");
    // A restart marker, and FF that is not stuffed.
    for marker in [0xD0, 0x01, 0xFF] {
        let mut bytes = scan_of(16, &format!("{edge} 00 1010 11"));
        let stuffing = bytes.windows(2).rposition(|pair| pair == [0xFF, 0]).unwrap() + 1;
        bytes[stuffing] = marker;
        reject(&bytes, Jpeg, "ends before");
    }
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let (width, height) = (4000u16, 3000u16);
    let mut pixels = noise(36_000_000, 24);
    for (i, byte) in pixels.iter_mut().enumerate() {
        *byte = byte.wrapping_add((i / 48) as u8 / 2 + 40);
    }
    for (name, sampling) in [("4:2:0", QUARTER), ("4:4:4", FULL)] {
        let jpeg = encode(&pixels, width, height, ColorType::Rgb, sampling);
        let start = std::time::Instant::now();
        accept(&jpeg, Jpeg);
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{name}: {:.0} MP/s, {:.0} MB/s ({} bytes)",
            12.0 / seconds,
            jpeg.len() as f64 / 1e6 / seconds,
            jpeg.len()
        );
    }
}
