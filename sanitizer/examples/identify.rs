//! Names the formats of files: `identify FILE...`.

use model::{Policy, Untrusted};

fn main() {
    for path in std::env::args().skip(1) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let identity = sanitizer::identify(&path, Untrusted::new(&bytes), &Policy::standard());
        let refusal = identity.refusal.map_or_else(String::new, |r| r.to_string());
        println!("{path}\t{}\t{refusal}\t{:?}", identity.format, identity.findings);
    }
}
