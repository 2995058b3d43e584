use super::*;
use crate::testing::noise;
use flate2::Compression;
use flate2::write::{DeflateEncoder, ZlibEncoder};
use std::io::Write;

fn limits() -> Limits {
    Limits { bytes: 1 << 28, depth: 4 }
}

fn deflate(data: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_deflate_wrote_comes_back() {
    let mut far = noise(40_000, 256);
    far.extend_from_within(7_300..39_000);
    let samples =
        [vec![], vec![0], vec![7; 400_000], noise(300_000, 256), noise(300_000, 3), far, b"abcabcabcabca".to_vec()];
    for sample in &samples {
        for level in [0, 1, 6, 9] {
            let packed = deflate(sample, level);
            let mut with_tail = packed.clone();
            with_tail.extend_from_slice(b"tail of another kind");
            for data in [&packed, &with_tail] {
                let (out, consumed) = inflate_raw(data, sample.len(), &mut limits()).unwrap();
                assert_eq!((&out, consumed), (sample, packed.len()), "level {level}");
            }
        }
    }
}

#[test]
fn a_long_code_goes_through_the_second_table() {
    // Fibonacci frequencies make codes as long as deflate allows.
    let mut sample = Vec::new();
    let (mut a, mut b) = (1usize, 1usize);
    for symbol in 0..22u8 {
        sample.extend(std::iter::repeat_n(symbol, a));
        (a, b) = (b, a + b);
    }
    // Shuffled, so that no matches stand in the way.
    let order = noise(sample.len() * 2, 256);
    for (i, pair) in order.chunks(2).enumerate() {
        let j = usize::from(u16::from_le_bytes([pair[0], pair[1]])) % sample.len();
        sample.swap(i, j);
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(9));
    encoder.write_all(&sample).unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(inflate_raw(&packed, sample.len(), &mut limits()).unwrap().0, sample);
}

#[test]
fn what_is_too_long_is_refused_before_it_is_kept() {
    let packed = deflate(&[0; 1_000_000], 9);
    assert!(inflate_raw(&packed, 999_999, &mut limits()).is_err());
    let mut purse = Limits { bytes: 999_999, depth: 0 };
    assert!(inflate_raw(&packed, usize::MAX, &mut purse).is_err());
    assert!(inflate_raw(&packed, 1_000_000, &mut limits()).is_ok());
}

#[test]
fn zlib_wants_its_header_and_its_sum() {
    let sample = noise(70_000, 9);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&sample).unwrap();
    let packed = encoder.finish().unwrap();
    let (out, consumed) = zlib(&packed, usize::MAX, &mut limits()).unwrap();
    assert_eq!((out, consumed), (sample, packed.len()));
    for (place, why) in [(0, "CMF"), (1, "FLG"), (packed.len() - 1, "ADLER32")] {
        let mut wrong = packed.clone();
        wrong[place] ^= 1;
        assert!(zlib(&wrong, usize::MAX, &mut limits()).unwrap_err().rule.contains(why));
    }
    assert!(zlib(&packed[..packed.len() - 1], usize::MAX, &mut limits()).is_err());
}

#[test]
fn broken_codes_are_refused() {
    let refuse = |bytes: &[u8], why: &str| {
        let rule = inflate_raw(bytes, 1 << 16, &mut limits()).unwrap_err().rule;
        assert!(rule.contains(why), "{why}: {rule}");
    };
    refuse(&[0b111], "BTYPE");
    refuse(&[1, 1, 0, 0, 0], "NLEN");
    refuse(&[0b1111_1001, 0, 0, 0xFF, 0xFF], "padding");
    refuse(&[1, 2, 0, 0xFD, 0xFF, 9], "ends early");
    refuse(&[0b0000_0011, 0b1111_1100], "padding");
    refuse(&[0b101, 0xFF, 0, 0], "HLIT");
    // All code length codes zero.
    refuse(&[0b101, 0, 0, 0, 0, 0, 0, 0, 0, 0], "not complete");
    // Fixed code: a length of 3 (0000001) at distance 1 with nothing before.
    refuse(&[0b0000_0011, 0b0000_0010, 0, 0], "before the start");
    assert_eq!(inflate_raw(&[3, 0], 0, &mut limits()).unwrap().1, 2, "the empty fixed block");
}

#[test]
fn no_cut_and_no_flip_panics() {
    let sample = [noise(900, 256), noise(2_000, 4), vec![5; 600]].concat();
    for level in [0, 1, 9] {
        let packed = deflate(&sample, level);
        for cut in 0..packed.len() {
            assert!(inflate_raw(&packed[..cut], usize::MAX, &mut limits()).is_err());
        }
        for at in 0..packed.len() {
            let mut wrong = packed.clone();
            wrong[at] ^= 1 << (at % 8);
            let _ = inflate_raw(&wrong, 1 << 20, &mut limits());
        }
    }
}

#[test]
fn adler_is_the_sum_of_the_definition() {
    let sample = noise(20_011, 256);
    let (mut a, mut b) = (1u32, 0u32);
    for byte in &sample {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let mut sum = Adler::default();
    for part in sample.chunks(777) {
        sum.add(part);
    }
    assert_eq!(sum.value(), b << 16 | a);
    let mut worst = Adler::default();
    worst.add(&[255; 50_000]);
}
