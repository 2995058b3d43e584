//! Text.
use crate::{Limits, Rejection};
use model::{Format, Policy};

/// Plain text and tables.
pub fn verify(bytes: &[u8], _format: Format, _policy: &Policy, limits: &mut Limits) -> Result<(), Rejection> {
    limits.spend(bytes.len())?;
    std::str::from_utf8(bytes).map_err(|e| Rejection::new(e.valid_up_to(), "UTF-8"))?;
    Ok(())
}
