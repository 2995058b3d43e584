//! Traditional PKWARE encryption (APPNOTE 6.1): three 32-bit keys that every byte of plain text stirs.

/// The header of random bytes before the data; its last byte tells most wrong passwords.
pub const HEADER: usize = 12;

/// CRC-32 of one byte, reflected (APPNOTE 4.4.7).
const TABLE: [u32; 256] = table();

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "counts to 256 when the program is built"
)]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n = 0;
    while n < 256 {
        let mut crc = n as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { 0xedb8_8320 ^ crc >> 1 } else { crc >> 1 };
            bit += 1;
        }
        table[n] = crc;
        n += 1;
    }
    table
}

fn crc(crc: u32, byte: u8) -> u32 {
    let at = usize::from(crc.to_le_bytes()[0] ^ byte);
    TABLE.get(at).copied().unwrap_or_default() ^ crc >> 8
}

struct Keys(u32, u32, u32);

impl Keys {
    fn new(password: &[u8]) -> Self {
        let mut keys = Self(0x1234_5678, 0x2345_6789, 0x3456_7890);
        password.iter().for_each(|byte| keys.stir(*byte));
        keys
    }

    fn stir(&mut self, plain: u8) {
        self.0 = crc(self.0, plain);
        self.1 = self.1.wrapping_add(self.0 & 0xff).wrapping_mul(134_775_813).wrapping_add(1);
        self.2 = crc(self.2, self.1.to_be_bytes()[0]);
    }

    fn decrypt(&mut self, byte: u8) -> u8 {
        let [low, high, ..] = self.2.to_le_bytes();
        let mask = u16::from_le_bytes([low, high]) | 2;
        let plain = byte ^ mask.wrapping_mul(mask ^ 1).to_be_bytes()[0];
        self.stir(plain);
        plain
    }
}

/// The plain bytes behind the header, where its last byte is one of `checks`; `None` for a wrong password.
pub fn decrypt(data: &[u8], password: &[u8], checks: &[u8]) -> Option<Vec<u8>> {
    let (header, body) = data.split_at_checked(HEADER)?;
    let mut keys = Keys::new(password);
    let mut last = 0;
    header.iter().for_each(|byte| last = keys.decrypt(*byte));
    checks.contains(&last).then(|| body.iter().map(|byte| keys.decrypt(*byte)).collect())
}
