//! What the format code sees in passing and a person should know: facts for the engine `structure`. Reading, never
//! deciding.

pub mod names;
pub mod pe;
pub mod script;
pub mod vba;

pub use model::Fact;

/// Whether bytes that were attached to a document run when they are opened, by their name or their beginning.
#[must_use]
pub fn is_program(name: &str, bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 4] = [b"MZ", b"\x7fELF", b"L\0\0\0\x01\x14\x02\0", b"#!"];
    names::runs(&crate::identify::extension(name)) || MAGIC.iter().any(|magic| bytes.starts_with(magic))
}
