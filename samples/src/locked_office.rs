//! Office documents with a password ([MS-OFFCRYPTO] 2.3.4): a package in a compound file. The salts and keys are
//! repeatable, as a sample wants to be: nobody shall keep a secret with this.

use crate::locked_zip::encrypt;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};
use sha2::Sha512;

/// How a document is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Agile: SHA-512, AES-256, the password hashed so many times.
    Agile {
        /// Rounds of hashing; Office takes 100,000.
        rounds: u32,
    },
    /// Standard, of Office 2007: SHA-1, AES-128.
    Standard,
}

const SALT: [u8; 16] = *b"salt of a sample";
const SECTOR: usize = 512;
/// Streams shorter than this would lie elsewhere in the file.
const SHORTEST: usize = 4096;

/// The package `plain` (a DOCX, XLSX, PPTX) locked with `password`.
#[must_use]
pub fn office_locked(plain: &[u8], password: &str, scheme: Scheme) -> Vec<u8> {
    let mut padded = plain.to_vec();
    padded.resize(plain.len().max(SHORTEST).next_multiple_of(16), 0);
    let size = (plain.len() as u64).to_le_bytes();
    let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (mut info, package) = match scheme {
        Scheme::Agile { rounds } => agile(&padded, size, &password, rounds),
        Scheme::Standard => standard(&padded, size, &password),
    };
    let fill = if scheme == Scheme::Standard { 0 } else { b' ' };
    info.resize(info.len().max(SHORTEST), fill);
    compound(&[("EncryptionInfo", info), ("EncryptedPackage", package)])
}

fn cbc(key: &[u8], vector: &[u8], data: &[u8]) -> Vec<u8> {
    let mut before = vector.first_chunk::<16>().copied().unwrap_or_default();
    let mut out = data.to_vec();
    for block in out.as_chunks_mut::<16>().0 {
        block.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
        encrypt(key, block);
        before = *block;
    }
    out
}

fn sum(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(Sha512::new(), |sum, part| sum.chain_update(part)).finalize().to_vec()
}

fn agile(padded: &[u8], size: [u8; 8], password: &[u8], rounds: u32) -> (Vec<u8>, Vec<u8>) {
    let key = *b"key of a sample, of 256 bits (A)";
    let vector = |purpose: &[u8]| sum(&[&SALT, purpose]);
    let mut package = size.to_vec();
    for (number, segment) in (0_u32..).zip(padded.chunks(4096)) {
        package.extend(cbc(&key, &vector(&number.to_le_bytes()), segment));
    }
    let hmac_key = [7; 64];
    let mac = Hmac::<Sha512>::new_from_slice(&hmac_key).map(|mac| mac.chain_update(&package).finalize().into_bytes());
    let hmac = mac.map(|mac| mac.to_vec()).unwrap_or_default();
    let mut spun = sum(&[&SALT, password]);
    for round in 0..rounds {
        spun = sum(&[&round.to_le_bytes(), &spun]);
    }
    let sealed = |purpose: [u8; 8], data: &[u8]| {
        let key = sum(&[&spun, &purpose]);
        STANDARD.encode(cbc(key.get(..32).unwrap_or_default(), &SALT, data))
    };
    let input = *b"verifier input..";
    let common = format!(
        "saltSize=\"16\" blockSize=\"16\" keyBits=\"256\" hashSize=\"64\" cipherAlgorithm=\"AES\" \
         cipherChaining=\"ChainingModeCBC\" hashAlgorithm=\"SHA512\" saltValue=\"{}\"",
        STANDARD.encode(SALT)
    );
    let integrity = format!(
        "<dataIntegrity encryptedHmacKey=\"{}\" encryptedHmacValue=\"{}\"/>",
        STANDARD.encode(cbc(&key, &vector(&[0x5f, 0xb2, 0xad, 0x01, 0x0c, 0xb9, 0xe1, 0xf6]), &hmac_key)),
        STANDARD.encode(cbc(&key, &vector(&[0xa0, 0x67, 0x7f, 0x02, 0xb2, 0x2c, 0x84, 0x33]), &hmac)),
    );
    let encrypted = format!(
        "<p:encryptedKey spinCount=\"{rounds}\" {common} encryptedVerifierHashInput=\"{}\" \
         encryptedVerifierHashValue=\"{}\" encryptedKeyValue=\"{}\"/>",
        sealed([0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79], &input),
        sealed([0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e], &sum(&[&input])),
        sealed([0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6], &key),
    );
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\r\n\
         <encryption xmlns=\"http://schemas.microsoft.com/office/2006/encryption\" \
         xmlns:p=\"http://schemas.microsoft.com/office/2006/keyEncryptor/password\"><keyData {common}/>{integrity}\
         <keyEncryptors><keyEncryptor uri=\"http://schemas.microsoft.com/office/2006/keyEncryptor/password\">{encrypted}\
         </keyEncryptor></keyEncryptors></encryption>"
    );
    ([&[4, 0, 4, 0, 0x40, 0, 0, 0], xml.as_bytes()].concat(), package)
}

fn standard(padded: &[u8], size: [u8; 8], password: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut spun = Sha1::new().chain_update(SALT).chain_update(password).finalize();
    for round in 0..50_000_u32 {
        spun = Sha1::new().chain_update(round.to_le_bytes()).chain_update(spun).finalize();
    }
    let spun = Sha1::new().chain_update(spun).chain_update([0; 4]).finalize();
    let mut pad = [0x36; 64];
    pad.iter_mut().zip(spun).for_each(|(byte, sum)| *byte ^= sum);
    let key = Sha1::digest(pad);
    let ecb = |data: &[u8]| {
        let mut out = data.to_vec();
        out.as_chunks_mut::<16>().0.iter_mut().for_each(|block| encrypt(key.get(..16).unwrap_or_default(), block));
        out
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let name: Vec<u8> = "Microsoft Enhanced RSA and AES\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let header = [words(&[0x24, 0, 0x660e, 0x8004, 128, 0x18, 0, 0]), name].concat();
    let long = u32::try_from(header.len()).unwrap_or(0);
    let verifier = *b"verifier input..";
    let hash = [&Sha1::digest(verifier)[..], &[0; 12]].concat();
    let sealed = [words(&[16]), SALT.to_vec(), ecb(&verifier), words(&[20]), ecb(&hash)].concat();
    let info = [words(&[0x0002_0004, 0x24, long]), header, sealed].concat();
    (info, [&size[..], &ecb(padded)].concat())
}

/// A compound file ([MS-CFB]) of these streams, none of them short.
fn compound(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let sectors = |len: usize| len.div_ceil(SECTOR);
    let all: usize = streams.iter().map(|(_, data)| sectors(data.len())).sum();
    let tables = all.saturating_add(2).div_ceil(SECTOR / 4 - 1);
    let mut table: Vec<u32> = vec![0xffff_fffd; tables];
    let mut chain = |long: usize| {
        let first = table.len();
        table.extend((1..long).map(|n| number(first.saturating_add(n))));
        table.push(0xffff_fffe);
        number(first)
    };
    let directory = chain(1);
    let starts: Vec<u32> = streams.iter().map(|(_, data)| chain(sectors(data.len()))).collect();
    table.resize(tables.saturating_mul(SECTOR / 4), u32::MAX);
    let mut file = [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0; 16]].concat();
    file.extend([0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
    for word in [0, number(tables), directory, 0, 4096, 0xffff_fffe, 0, 0xffff_fffe, 0] {
        file.extend(word.to_le_bytes());
    }
    let listed = (0..109).map(|n| if n < tables { number(n) } else { u32::MAX });
    file.extend(listed.flat_map(u32::to_le_bytes));
    file.extend(table.iter().flat_map(|number| number.to_le_bytes()));
    file.extend(entry("Root Entry", 5, [u32::MAX, 1], 0xffff_fffe, 0));
    for (at, ((name, data), start)) in streams.iter().zip(starts).enumerate() {
        let right = if at.saturating_add(1) == streams.len() { u32::MAX } else { number(at.saturating_add(2)) };
        file.extend(entry(name, 2, [right, u32::MAX], start, number(data.len())));
    }
    file.resize(file.len().next_multiple_of(SECTOR), 0);
    for (_, data) in streams {
        file.extend(data);
        file.resize(file.len().next_multiple_of(SECTOR), 0);
    }
    file
}

/// A directory entry; `links` are the next one beside it and the first one below it.
fn entry(name: &str, kind: u8, [right, below]: [u32; 2], start: u32, size: u32) -> Vec<u8> {
    let mut entry: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let long = u16::try_from(entry.len().saturating_add(2)).unwrap_or(64);
    entry.resize(64, 0);
    entry.extend(long.to_le_bytes());
    entry.extend([kind, 1]);
    for word in [u32::MAX, right, below] {
        entry.extend(word.to_le_bytes());
    }
    entry.resize(116, 0);
    for word in [start, size, 0] {
        entry.extend(word.to_le_bytes());
    }
    entry
}
