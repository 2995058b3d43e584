//! What the pictures share.

use crate::Rejection;
use model::Policy;

/// A picture has at least one pixel, and not more than the policy allows.
pub(super) fn canvas(width: u32, height: u32, policy: &Policy) -> Result<(), Rejection> {
    let pixels = u64::from(width).saturating_mul(u64::from(height));
    if pixels == 0 {
        return Err(Rejection::new(0, "picture without pixels"));
    }
    if pixels > policy.limits.pixels {
        return Err(Rejection::new(0, "more pixels than the policy allows"));
    }
    Ok(())
}

/// Bytes of a row of `width` samples or pixels of `bits` each, without padding to words.
pub(super) fn row_bytes(width: u32, bits: u32) -> Result<usize, Rejection> {
    let bits = u64::from(width).checked_mul(u64::from(bits)).ok_or_else(|| Rejection::new(0, "row too long"))?;
    usize::try_from(bits.div_ceil(8)).map_err(|_| Rejection::new(0, "row too long"))
}

/// The bits of a row's last byte that no pixel uses; `bits` is that of a pixel.
pub(super) const fn padding_mask(width: u32, bits: u32) -> u8 {
    let used = (width as u64).saturating_mul(bits as u64) & 7;
    match used {
        0 => 0,
        used => 0xFF_u8 >> used,
    }
}

/// Whether every index of a row is below `entries`, and the padding bits are 0. `bits` is 1, 2, 4 or 8.
pub(super) fn indices_ok(row: &[u8], width: u32, bits: u32, entries: usize) -> bool {
    let padding = padding_mask(width, bits);
    if row.last().is_some_and(|last| last & padding != 0) {
        return false;
    }
    if entries >= 1 << bits.min(8) {
        return true;
    }
    if bits == 8 {
        return usize::from(row.iter().copied().max().unwrap_or_default()) < entries;
    }
    // Padding is 0 by now, and as an index 0 is always there.
    let samples = [0u32, 1, 2, 3, 4, 5, 6, 7];
    let mask = (1u32 << bits).saturating_sub(1);
    row.iter().all(|byte| {
        samples.iter().map(|n| n.saturating_mul(bits)).take_while(|shift| *shift < 8).all(|shift| {
            let index = u32::from(*byte).checked_shr(shift).unwrap_or_default() & mask;
            (index as usize) < entries
        })
    })
}
