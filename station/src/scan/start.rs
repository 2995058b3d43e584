//! Starting the engines that a policy speaks of.

use super::object::Wanted;
use super::pool::Pool;
use super::programs::Programs;
use super::{EngineSet, Judge, Place, Running};
use crate::StationError;
use engines::{Descriptor, ENGINES, EngineError, Home, Runner};
use jail::{Launcher, Sealed, SpoolDir};
use model::Policy;
use signatures::{RuleSet, Signatures};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Makes rules ready with an engine's compiler, or has them ready already.
pub(crate) type CompileRules<'a> =
    dyn Fn(fn(&RuleSet) -> Result<Vec<u8>, EngineError>, &RuleSet) -> Result<Vec<u8>, String> + 'a;

impl EngineSet {
    /// Starts every engine of the registry with `signatures`. Engines outside the jails need not be there.
    ///
    /// # Errors
    /// [`StationError`] where the policy requires an engine that there is not or configures one wrongly, or where one of
    /// our own does not start.
    pub(crate) fn start(
        launcher: &Launcher,
        spool: &SpoolDir,
        jobs: usize,
        policy: &Policy,
        signatures: &Signatures,
        compile_rules: &CompileRules<'_>,
    ) -> Result<Self, StationError> {
        let runner: Arc<dyn Runner> = Arc::new(Programs::new(launcher, spool));
        let start = |descriptor: &Descriptor| -> Result<Vec<Running>, StationError> {
            let refuse = |message| StationError::Engine { engine: descriptor.id.to_owned(), message };
            Ok(match descriptor.home {
                Home::Station { open } => vec![Running::new(Place::Station(open(signatures)))],
                Home::ScanJail { provenance, compile, .. } => {
                    let compiled = compile_rules(compile, &signatures.rules).map_err(refuse)?;
                    let rules = Sealed::from_bytes(spool, &compiled).map_err(|error| refuse(error.to_string()))?;
                    let pool = Box::new(Pool::start(launcher, descriptor.id, rules, jobs).map_err(refuse)?);
                    vec![Running::new(Place::Jails { provenance: provenance(signatures), pool })]
                }
                Home::Outside { open } => {
                    let opened = open(&policy.engines, &runner).map_err(StationError::EnginePolicy)?;
                    opened.into_iter().map(|engine| Running::new(Place::Outside(engine))).collect()
                }
                Home::Facts { .. } => Vec::new(),
            })
        };
        let mut engines = Vec::new();
        for descriptor in ENGINES {
            engines.extend(start(descriptor)?);
        }
        let required = policy.engines.required.clone();
        let quorum = usize::try_from(policy.engines.quorum).unwrap_or(usize::MAX);
        let judges = ENGINES.iter().filter_map(judge).collect::<Vec<Judge>>();
        names(&engines, &judges, &required, quorum)?;
        let wanted = Wanted::by(&signatures.hashes);
        Ok(Self {
            engines,
            judges,
            spool: spool.clone(),
            seconds: policy.limits.seconds,
            required,
            quorum,
            wanted,
            cache: None,
        })
    }
}

fn judge(descriptor: &Descriptor) -> Option<Judge> {
    match descriptor.home {
        Home::Facts { provenance, judge } => Some(Judge { provenance: provenance(), judge }),
        Home::Station { .. } | Home::ScanJail { .. } | Home::Outside { .. } => None,
    }
}

/// Every name is there once, and what the policy asks for can be had. Who looks at no object counts for no quorum.
fn names(engines: &[Running], judges: &[Judge], required: &[String], quorum: usize) -> Result<(), StationError> {
    let ids = engines.iter().map(|engine| engine.id.as_str());
    let known: Vec<&str> = ids.chain(judges.iter().map(|judge| judge.provenance.engine.as_str())).collect();
    let taken = |id: &&&str| known.iter().filter(|other| other == id).count() > 1;
    if let Some(twice) = known.iter().collect::<BTreeSet<_>>().into_iter().find(taken) {
        return Err(StationError::EnginePolicy(format!("two engines are called {twice:?}")));
    }
    if let Some(engine) = required.iter().find(|engine| !known.contains(&engine.as_str())) {
        return Err(StationError::UnknownEngine { engine: engine.clone(), known: known.join(", ") });
    }
    if quorum > engines.len() {
        let text = format!("`quorum` asks for {quorum} engines, and there are {}", engines.len());
        return Err(StationError::EnginePolicy(text));
    }
    Ok(())
}
