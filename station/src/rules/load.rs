//! The signatures that a station works with, ready to be loaded into scan jails.

use super::trial::ENGINE;
use super::workshop::{Failed, Workshop};
use jail::{Launcher, SpoolDir};
use model::Digest;
use sha2::{Digest as _, Sha256};
use signatures::store::{Refusal, Store, StoreError};
use signatures::{RuleSet, Signatures};
use std::path::Path;

/// Signatures in use, and where they came from.
pub(crate) struct InUse {
    /// Rules and lists.
    pub signatures: Signatures,
    /// The rules, compiled.
    pub compiled: Vec<u8>,
    /// Digest of the bundle in force; none where only the built-in rules are.
    pub set: Option<Digest>,
}

/// What the built-in rules and the set in force of the store at `dir` are together.
pub(crate) fn load(dir: &Path, launcher: &Launcher, spool: &SpoolDir, now: u64) -> Result<InUse, StoreError> {
    let store = Store::open(dir)?;
    store.time(now)?;
    let built_in = built_in()?;
    let force = store.in_force()?;
    let signatures = match &force {
        None => built_in,
        Some(force) => force.set.signatures(&built_in, &|file| crate::hash_sets::open(spool, file))?,
    };
    let compiled = match store.compiled(&compiled_id(&signatures)) {
        Some(compiled) => compiled,
        None => {
            let workshop = Workshop::with(launcher, spool.clone())?;
            compiled_by(&workshop, &store, &signatures)
                .map_err(|failed| failed.of("the set in force", Refusal::Rules))?
        }
    };
    Ok(InUse { signatures, compiled, set: force.map(|force| force.set.bundle) })
}

pub(super) fn built_in() -> Result<Signatures, StoreError> {
    // A test sees to it that this can't be.
    Signatures::built_in().map_err(|error| StoreError::Usage(format!("the built-in rules are broken: {error}")))
}

/// Names rules and compiler: what one version compiled, another does not load.
pub(super) fn compiled_id(signatures: &Signatures) -> Digest {
    let version = match engines::descriptor(ENGINE).map(|engine| engine.home) {
        Some(engines::Home::ScanJail { provenance, .. }) => provenance(signatures).version,
        Some(engines::Home::Station { .. } | engines::Home::Outside { .. } | engines::Home::Facts { .. }) | None => {
            String::new()
        }
    };
    let words = format!("{ENGINE} {version} {} {}", signatures::VERSION, std::env::consts::ARCH);
    let rules: &RuleSet = &signatures.rules;
    Digest::new(Sha256::new().chain_update(rules.sha256().as_bytes()).chain_update(words).finalize().into())
}

/// Compiles in a jail and keeps the result, sealed.
pub(super) fn compiled_by(workshop: &Workshop, store: &Store, signatures: &Signatures) -> Result<Vec<u8>, Failed> {
    let compiled = workshop.compile(ENGINE, &signatures.rules)?;
    let lock = store.lock().map_err(Failed::Station)?;
    store.keep_compiled(&lock, &compiled_id(signatures), &compiled).map_err(Failed::Station)?;
    Ok(compiled)
}
