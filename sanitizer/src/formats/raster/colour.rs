//! Between colour models, without profiles.

/// Inks to light, the way readers do it that have no profile: each ink and black multiply.
pub(crate) fn cmyk_to_rgb(inks: &[u8]) -> Vec<u8> {
    let (pixels, _) = inks.as_chunks::<4>();
    pixels.iter().flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| through(!ink, !k))).collect()
}

/// `a * b / 255`, rounded.
fn through(a: u8, b: u8) -> u8 {
    let product = u32::from(a).saturating_mul(u32::from(b)).saturating_add(127) / 255;
    u8::try_from(product).unwrap_or(u8::MAX)
}

/// Whether every alpha sample of 8-bit RGBA is full.
pub(crate) fn opaque(rgba: &[u8]) -> bool {
    let (pixels, _) = rgba.as_chunks::<4>();
    pixels.iter().all(|p| p[3] == u8::MAX)
}
