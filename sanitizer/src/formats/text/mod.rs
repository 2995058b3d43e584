//! Plain text.

pub mod decode;

use crate::{Cx, Rebuilt, Reconstructor};
use model::{Format, Refusal, Untrusted};

/// Plain text and tables.
pub struct Text;

impl Reconstructor for Text {
    fn formats(&self) -> &'static [Format] {
        &[Format::Txt, Format::Csv, Format::Tsv]
    }

    fn reconstruct(&self, input: Untrusted<'_>, format: Format, cx: &mut Cx<'_>) -> Result<Rebuilt, Refusal> {
        cx.budget.spend_bytes(input.len() as u64)?;
        Ok(Rebuilt::new(
            String::from_utf8_lossy(input.bytes()).into_owned().into_bytes(),
            format,
        ))
    }
}
