//! What every fuzz target asserts.
#![forbid(unsafe_code)]

use model::{Format, Policy, Untrusted};
use sanitizer::{Quiet, identify, reconstructor};

/// Small limits: a target must meet them often, and a leak past them must show.
fn policy() -> Policy {
    let mut policy = Policy::standard();
    policy.limits.expanded_bytes = 64 << 20;
    policy.limits.entries = 2_000;
    policy.limits.pixels = 4_000_000;
    policy.limits.depth = 3;
    policy
}

/// Identification never panics and says the same twice.
pub fn identification(data: &[u8]) {
    let policy = policy();
    let first = identify("file.bin", Untrusted::new(data), &policy);
    let second = identify("file.bin", Untrusted::new(data), &policy);
    assert_eq!(first.format, second.format);
    assert_eq!(first.findings, second.findings);
}

/// What a reconstructor makes of anything is accepted by the second reader, and is the same when made twice.
pub fn reconstruction(format: Format, data: &[u8]) {
    let policy = policy();
    let Some(reconstructor) = reconstructor(format) else { panic!("{format} has no reconstructor") };
    let make = |data: &[u8]| {
        sanitizer::Cx::top(&policy, &mut Quiet, |cx| reconstructor.reconstruct(Untrusted::new(data), format, cx))
    };
    let Ok(made) = make(data) else { return };
    if let Err(rejection) = verifier::verify(&made.bytes, made.format, &policy) {
        panic!("our own {} must verify: {rejection}", made.format);
    }
    assert_eq!(make(data).map(|again| again.bytes), Ok(made.bytes), "not deterministic");
}

/// Compound files and the macro projects in them are read within the budget, say the same twice, and never panic.
pub fn compound(data: &[u8]) {
    let policy = policy();
    let look = || sanitizer::Cx::top(&policy, &mut Quiet, |cx| sanitizer::ole::look(data, "file", cx));
    assert_eq!(look(), look());
}

/// A dialect never panics, on anything.
pub fn verification(format: Format, data: &[u8]) {
    let _ = verifier::verify(data, format, &policy());
}
