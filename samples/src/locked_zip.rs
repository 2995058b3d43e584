//! ZIP archives with a password, written out by hand. The salts are repeatable, as a sample wants to be: nobody shall
//! keep a secret with this.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::io::Write;

/// How members are locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Traditional PKWARE encryption (APPNOTE 6.1).
    ZipCrypto,
    /// WinZip's AES with a key of 16, 24 or 32 bytes; version 1 keeps the CRC-32, version 2 does not.
    Aes {
        /// Bytes of the key.
        key: usize,
        /// 1 or 2.
        version: u8,
    },
}

/// A ZIP archive of `members` in their order, each compressed and locked with `password`.
#[must_use]
pub fn zip_locked(members: &[(&str, &[u8])], password: &str, lock: Lock) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (number, (name, bytes)) in members.iter().enumerate() {
        let crc = crc32fast::hash(bytes);
        let packed = deflate(bytes);
        let (method, extra, data, crc) = match lock {
            Lock::ZipCrypto => (8_u16, Vec::new(), traditional(&packed, password.as_bytes(), crc), crc),
            Lock::Aes { key, version } => {
                let strength = u8::try_from(key / 8).unwrap_or(0).saturating_sub(1);
                let extra = [0x01, 0x99, 7, 0, version, 0, b'A', b'E', strength, 8, 0].to_vec();
                let salt: Vec<u8> = (0..key / 2).map(|at| number.wrapping_add(at).to_le_bytes()[0]).collect();
                (99, extra, winzip(&packed, password.as_bytes(), &salt), if version == 1 { crc } else { 0 })
            }
        };
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let half = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
        let fields = [
            &[20_u8, 0, 1, 0][..],
            &method.to_le_bytes(),
            &[0, 0, 0x21, 0],
            &crc.to_le_bytes(),
            &size(data.len()),
            &size(bytes.len()),
            &half(name.len()),
            &half(extra.len()),
        ]
        .concat();
        let at = out.len();
        out.extend([&b"PK\x03\x04"[..], &fields, name.as_bytes(), &extra, &data].concat());
        let rest = [&[0; 10][..], &size(at), name.as_bytes(), &extra].concat();
        directory.extend([&b"PK\x01\x02\x14\0"[..], &fields, &rest].concat());
    }
    let (start, count) = (u32::try_from(out.len()).unwrap_or(0), u16::try_from(members.len()).unwrap_or(0));
    let long = u32::try_from(directory.len()).unwrap_or(0);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend([long.to_le_bytes(), start.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut stream = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    // Writing into memory does not fail; a member that is missing would show in the test that asked for it.
    let _ = stream.write_all(bytes);
    stream.finish().unwrap_or_default()
}

/// CRC-32 of one more byte, bit by bit.
fn stirred(crc: u32, byte: u8) -> u32 {
    (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
}

fn traditional(packed: &[u8], password: &[u8], crc: u32) -> Vec<u8> {
    let mut keys = [0x1234_5678_u32, 0x2345_6789, 0x3456_7890];
    let stir = |keys: &mut [u32; 3], byte: u8| {
        let [first, second, third] = keys;
        *first = stirred(*first, byte);
        *second = second.wrapping_add(*first & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        *third = stirred(*third, second.to_be_bytes()[0]);
    };
    password.iter().for_each(|byte| stir(&mut keys, *byte));

    let header = b"no secret..".iter().copied().chain([crc.to_be_bytes()[0]]);
    let seal = |byte: u8| {
        let [.., third] = keys;
        let mask = (third | 2) & 0xffff;
        let sealed = byte ^ (mask.wrapping_mul(mask ^ 1) >> 8).to_le_bytes()[0];
        stir(&mut keys, byte);
        sealed
    };
    header.chain(packed.iter().copied()).map(seal).collect()
}

fn winzip(packed: &[u8], password: &[u8], salt: &[u8]) -> Vec<u8> {
    let key = salt.len().saturating_mul(2);
    let derived = pbkdf2(password, salt, key.saturating_mul(2).saturating_add(2));
    let (cipher, rest) = derived.split_at_checked(key).unwrap_or_default();
    let (authentication, check) = rest.split_at_checked(key).unwrap_or_default();
    let mut data = packed.to_vec();
    for (number, block) in (1_u128..).zip(data.chunks_mut(16)) {
        let mut mask = number.to_le_bytes();
        encrypt(cipher, &mut mask);
        block.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    let code = hmac(authentication, &[&data]);
    [salt, check, &data, code.get(..10).unwrap_or_default()].concat()
}

/// One block of AES, whatever the length of the key.
pub(crate) fn encrypt(key: &[u8], block: &mut [u8; 16]) {
    let block = block.into();
    if let Ok(cipher) = aes::Aes128::new_from_slice(key) {
        cipher.encrypt_block(block);
    } else if let Ok(cipher) = aes::Aes192::new_from_slice(key) {
        cipher.encrypt_block(block);
    } else if let Ok(cipher) = aes::Aes256::new_from_slice(key) {
        cipher.encrypt_block(block);
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mac = Hmac::<Sha1>::new_from_slice(key).map(|mac| parts.iter().fold(mac, |mac, part| mac.chain_update(part)));
    mac.map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
}

fn pbkdf2(password: &[u8], salt: &[u8], long: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for block in 1_u32.. {
        if out.len() >= long {
            break;
        }
        let mut sum = hmac(password, &[salt, &block.to_be_bytes()]);
        let mut all = sum.clone();
        for _ in 1..1000 {
            sum = hmac(password, &[&sum]);
            all.iter_mut().zip(&sum).for_each(|(all, sum)| *all ^= sum);
        }
        out.extend(all);
    }
    out.truncate(long);
    out
}
