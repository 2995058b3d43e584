//! What the dialects' tests share: a verdict in one word, and the mutations that every reader must live through.

use crate::{Rejection, verify};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use model::{Format, Policy};
use std::io::Write;

pub(crate) fn read(bytes: &[u8], format: Format) -> Result<(), Rejection> {
    verify(bytes, format, &Policy::standard())
}

#[track_caller]
pub(crate) fn accept(bytes: &[u8], format: Format) {
    if let Err(rejection) = read(bytes, format) {
        panic!("{format}: {rejection}");
    }
}

/// Rejected, and by the rule that has `why` in its words.
#[track_caller]
pub(crate) fn reject(bytes: &[u8], format: Format, why: &str) {
    let rejection = read(bytes, format).expect_err(why);
    assert!(rejection.rule.contains(why), "{why} expected: {rejection}");
}

/// No cut and nothing longer passes, and no flipped bit makes the reader panic. Returns how many flips were let pass.
#[track_caller]
pub(crate) fn torture(bytes: &[u8], format: Format) -> usize {
    accept(bytes, format);
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut], format).is_err(), "{format}: cut at {cut}");
    }
    for tail in [&[0][..], &[0xFF], &[0; 9], b"PK\x03\x04", bytes] {
        assert!(read(&[bytes, tail].concat(), format).is_err(), "{format}: {tail:?} after the end");
        assert!(read(&[tail, bytes].concat(), format).is_err(), "{format}: {tail:?} before the start");
    }
    let mut passed = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut wrong = bytes.to_vec();
            wrong[at] ^= 1 << bit;
            passed += usize::from(read(&wrong, format).is_ok());
        }
    }
    passed
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Bytes of a simple generator: `spread` (1 to 256) says how many values occur.
pub(crate) fn noise(len: usize, spread: u32) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from((state >> 16).checked_rem(spread).unwrap()).unwrap()
    };
    (0..len).map(|_| next()).collect()
}
