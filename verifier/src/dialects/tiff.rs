//! TIFF: TIFF 6.0, little-endian, Deflate. The dialect is in `docs/formats/tiff.md`.
//!
//! The file is read from its first byte to its last: every offset must say where the reader already stands. So directories
//! can't loop, strips can't overlap, and there are no gaps.

mod page;

use crate::cursor::Cursor;
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// A TIFF of our dialect.
pub fn verify(bytes: &[u8], _format: Format, policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    let mut file = Cursor::new(bytes);
    file.expect(b"II\x2A\0\x08\0\0\0", "TIFF 6.0 2: header")?;
    loop {
        let next = page::read(&mut file, policy, limits)?;
        align(&mut file)?;
        if next == 0 {
            return file.end("the last page");
        }
        if next as usize != file.at() {
            return Err(file.reject("our dialect: the next directory follows at once"));
        }
    }
}

/// Directories and values begin on word boundaries (TIFF 6.0, 2), and the byte before is no place for a message.
fn align(file: &mut Cursor<'_>) -> Result<(), Rejection> {
    if file.at() & 1 == 1 { file.expect(&[0], "our dialect: padding is 0") } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "tests")]
mod tests;
