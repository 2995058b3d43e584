//! Windows programs ([PE format]): whether sections look packed. Such a file is never released; the facts are for the
//! person who asks why it came.
//!
//! [PE format]: https://learn.microsoft.com/windows/win32/debug/pe-format

use super::Fact;
use crate::zip_read::{u16_at, u32_at};

/// Names that packers give their sections.
const PACKERS: [&[u8]; 14] = [
    b"UPX0",
    b"UPX1",
    b"UPX!",
    b".aspack",
    b".adata",
    b".MPRESS1",
    b".MPRESS2",
    b".petite",
    b".themida",
    b".vmp0",
    b".vmp1",
    b".enigma1",
    b".nsp0",
    b"PEC2",
];
/// Ours: bits a byte from which on code is compressed or encrypted; compilers' code stays below 6.8.
const PACKED_BITS: f64 = 7.2;
/// Ours: shorter sections have no entropy worth the name.
const LEAST_BYTES: usize = 4096;
/// The format allows 96 (3.).
const MOST_SECTIONS: u16 = 96;

const EXECUTE: u32 = 0x2000_0000;
const WRITE: u32 = 0x8000_0000;

/// The facts of a program, each once.
#[must_use]
pub fn facts(bytes: &[u8]) -> Vec<Fact> {
    look(bytes).unwrap_or_default()
}

fn look(bytes: &[u8]) -> Option<Vec<Fact>> {
    let head = usize::try_from(u32_at(bytes, 0x3c)?).ok()?;
    let coff = bytes.get(head..).filter(|coff| coff.starts_with(b"PE\0\0"))?;
    let count = u16_at(coff, 6)?.min(MOST_SECTIONS);
    let optional = usize::from(u16_at(coff, 20)?);
    let entry = u32_at(coff, 40)?;
    let table = coff.get(24_usize.checked_add(optional)?..)?;
    let (mut packed, mut odd, mut entry_runs) = (false, false, entry == 0);
    for section in table.chunks_exact(40).take(usize::from(count)) {
        let name = section.get(..8)?;
        let (size, at) = (u32_at(section, 8)?.max(u32_at(section, 16)?), u32_at(section, 12)?);
        let (raw_len, raw_at) =
            (usize::try_from(u32_at(section, 16)?).ok()?, usize::try_from(u32_at(section, 20)?).ok()?);
        let flags = u32_at(section, 36)?;
        let runs = flags & EXECUTE != 0;
        let data = bytes.get(raw_at..raw_at.saturating_add(raw_len).min(bytes.len())).unwrap_or_default();
        packed |= PACKERS.iter().any(|packer| name.starts_with(packer));
        packed |= runs && data.len() >= LEAST_BYTES && entropy(data) > PACKED_BITS;
        odd |= runs && flags & WRITE != 0;
        let inside = entry.checked_sub(at).is_some_and(|offset| offset < size);
        entry_runs |= inside && runs;
    }
    let mut facts = Vec::new();
    if packed {
        facts.push(Fact::PackedProgram);
    }
    if odd || !entry_runs {
        facts.push(Fact::OddProgram);
    }
    Some(facts)
}

/// Shannon's entropy in bits a byte.
fn entropy(data: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in data {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a section is far smaller than 2^52 bytes")]
    let len = data.len() as f64;
    let share = |count: &u32| f64::from(*count) / len;
    counts.iter().filter(|count| **count > 0).map(share).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of one section: header at 64, optional header of 96 bytes, data from 512 on.
    fn program(name: &[u8; 8], flags: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 64;
        bytes[64..68].copy_from_slice(b"PE\0\0");
        bytes[70] = 1;
        bytes[84] = 96;
        bytes[104..108].copy_from_slice(&0x1000_u32.to_le_bytes());
        let len = u32::try_from(data.len()).unwrap().to_le_bytes();
        let section =
            [&name[..], &len, &0x1000_u32.to_le_bytes(), &len, &512_u32.to_le_bytes(), &[0; 12], &flags.to_le_bytes()];
        let section = section.concat();
        bytes[184..184 + section.len()].copy_from_slice(&section);
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn packed_code_is_told_from_plain_code() {
        let noise: Vec<u8> = (0..8192_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let plain = vec![0x90; 8192];
        let text = b".text\0\0\0";
        assert_eq!(facts(&program(text, EXECUTE, &plain)), []);
        assert_eq!(facts(&program(text, EXECUTE, &noise)), [Fact::PackedProgram]);
        assert_eq!(facts(&program(b"UPX1\0\0\0\0", EXECUTE | WRITE, &plain)), [Fact::PackedProgram, Fact::OddProgram]);
        assert_eq!(facts(&program(text, 0, &noise)), [Fact::OddProgram], "data may be compressed, but nothing runs");
        let whole = program(text, EXECUTE, &noise);
        (0..600).for_each(|len| drop(facts(&whole[..len])));
    }
}
