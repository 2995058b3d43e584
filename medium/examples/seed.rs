//! Makes an input of the fuzz target `medium` of an image: its sectors that hold something, each behind its number.
//!
//! `cargo run -p medium --example seed -- IMAGE > fuzz/corpus/medium/NAME`

use std::io::Write;

/// Ours: what `make fuzz` allows an input, 120,000 bytes, in sectors of 516.
const SECTORS: usize = 230;

fn main() -> std::io::Result<()> {
    let path = std::env::args_os().nth(1).ok_or_else(|| std::io::Error::other("which image?"))?;
    let image = std::fs::read(path)?;
    let sectors = (0_u32..).zip(image.as_chunks::<512>().0);
    // The last one first, if as zeros, or the image would be shorter than its volume says.
    let last = u32::try_from(image.len() / 512).unwrap_or(0).saturating_sub(1);
    let mut out = std::io::stdout().lock();
    out.write_all(&last.to_le_bytes())?;
    out.write_all(&[0; 512])?;
    for (number, sector) in sectors.filter(|(_, sector)| sector.iter().any(|byte| *byte != 0)).take(SECTORS) {
        out.write_all(&number.to_le_bytes())?;
        out.write_all(sector)?;
    }
    out.flush()
}
