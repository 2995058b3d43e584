//! AES in the three ways that these formats use it. The block cipher is a library's; the ways are some lines each.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

pub type Block = [u8; 16];

/// A key, ready to be used.
pub enum Aes {
    A128(aes::Aes128),
    A192(aes::Aes192),
    A256(aes::Aes256),
}

impl Aes {
    /// `None` where no AES has keys of this length.
    pub fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::A128(aes::Aes128::new_from_slice(key).ok()?),
            24 => Self::A192(aes::Aes192::new_from_slice(key).ok()?),
            32 => Self::A256(aes::Aes256::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    fn encrypt(&self, block: &mut Block) {
        let block = block.into();
        match self {
            Self::A128(aes) => aes.encrypt_block(block),
            Self::A192(aes) => aes.encrypt_block(block),
            Self::A256(aes) => aes.encrypt_block(block),
        }
    }

    fn decrypt(&self, block: &mut Block) {
        let block = block.into();
        match self {
            Self::A128(aes) => aes.decrypt_block(block),
            Self::A192(aes) => aes.decrypt_block(block),
            Self::A256(aes) => aes.decrypt_block(block),
        }
    }

    /// Electronic code book, whole blocks only.
    pub fn ecb(&self, data: &mut [u8]) {
        data.as_chunks_mut::<16>().0.iter_mut().for_each(|block| self.decrypt(block));
    }

    /// Cipher block chaining, whole blocks only.
    pub fn cbc(&self, mut before: Block, data: &mut [u8]) {
        for block in data.as_chunks_mut::<16>().0 {
            let this = *block;
            self.decrypt(block);
            block.iter_mut().zip(before).for_each(|(byte, mask)| *byte ^= mask);
            before = this;
        }
    }

    /// Counter mode as WinZip counts: little-endian, from one.
    pub fn counter(&self, data: &mut [u8]) {
        for (number, piece) in (1_u128..).zip(data.chunks_mut(16)) {
            let mut mask = number.to_le_bytes();
            self.encrypt(&mut mask);
            piece.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        }
    }
}
