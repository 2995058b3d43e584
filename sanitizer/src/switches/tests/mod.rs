//! Each filter switched off in turn and its carrier fed: the verifier must catch what comes out.

mod layers;
mod ooxml;
mod package;
mod pdf;
mod pdf_objects;
mod pictures;
mod rest;
mod text;
mod word;
mod zip;

use super::Filter;
use crate::{Cx, Quiet, Rebuilt, reconstructor};
use model::{Format, Policy, Refusal, Untrusted};
use std::cell::Cell;
use std::collections::BTreeSet;

thread_local! {
    /// The filter that is off on this thread.
    pub(crate) static OFF: Cell<Option<Filter>> = const { Cell::new(None) };
}

/// An input with something that one filter holds back.
pub(crate) struct Carrier {
    filter: Filter,
    /// What it carries, for a person.
    what: String,
    format: Format,
    bytes: Vec<u8>,
    /// What the output holds in some layer where the filter is off, and only there.
    mark: Vec<u8>,
    policy: Policy,
}

impl Carrier {
    pub(crate) fn new(filter: Filter, format: Format, bytes: impl Into<Vec<u8>>, mark: impl Into<Vec<u8>>) -> Self {
        let (bytes, mark) = (bytes.into(), mark.into());
        let what = String::from_utf8_lossy(&mark).chars().take(60).collect();
        Self { filter, what, format, bytes, mark, policy: Policy::standard() }
    }

    pub(crate) fn says(mut self, what: &str) -> Self {
        what.clone_into(&mut self.what);
        self
    }

    pub(crate) fn under(mut self, change: impl FnOnce(&mut Policy)) -> Self {
        change(&mut self.policy);
        self
    }

    fn clean(&self, bytes: &[u8], format: Format, off: Option<Filter>) -> Result<Rebuilt, Refusal> {
        let reconstructor = reconstructor(format).unwrap();
        OFF.set(off);
        let made = Cx::top(&self.policy, &mut Quiet, |cx| reconstructor.reconstruct(Untrusted::new(bytes), format, cx));
        OFF.set(None);
        made
    }

    fn accepts(&self, made: &Rebuilt) -> Result<(), String> {
        verifier::verify(&made.bytes, made.format, &self.policy).map(drop).map_err(|e| e.to_string())
    }

    /// Whether the verifier catches what the filter holds back, or what is wrong with the experiment.
    fn run(&self) -> Result<(), String> {
        let held = self.clean(&self.bytes, self.format, None);
        let leaked = self.clean(&self.bytes, self.format, Some(self.filter));
        let leaked = leaked.map_err(|e| format!("is refused with the filter off too: {e}"))?;
        let seen = |made: &Rebuilt| !self.mark.is_empty() && layers::hold(made, &self.mark);
        if !self.mark.is_empty() && !seen(&leaked) {
            return Err("does not come through with the filter off".into());
        }
        // Where there is no output with the filter on, the file is refused: nothing to compare with.
        if let Ok(held) = &held {
            if seen(held) || held.bytes == leaked.bytes {
                return Err("comes through with the filter on".into());
            }
            self.accepts(held).map_err(|e| format!("has a benign twin that the verifier refuses: {e}"))?;
            // The refusal must be the construct's: what has none comes through an idle filter unharmed.
            let idle = self.clean(&held.bytes, held.format, Some(self.filter));
            let idle = idle.map_err(|e| format!("has a twin that is refused with the filter off: {e}"))?;
            self.accepts(&idle).map_err(|e| format!("is not why the verifier refuses: {e}"))?;
        }
        match self.accepts(&leaked) {
            Ok(()) => Err("is ACCEPTED by the verifier".into()),
            Err(_) => Ok(()),
        }
    }
}

#[test]
fn each_filter_switched_off_is_caught_by_the_verifier() {
    let carriers: Vec<Carrier> =
        [text::carriers(), zip::carriers(), word::carriers(), ooxml::carriers(), pictures::carriers(), pdf::carriers()]
            .into_iter()
            .flatten()
            .collect();
    let alive: Vec<String> = carriers
        .iter()
        .filter_map(|c| c.run().err().map(|why| format!("{:?}, {}: it {why}", c.filter, c.what)))
        .collect();
    let fed: BTreeSet<Filter> = carriers.iter().map(|c| c.filter).collect();
    for (filter, why) in rest::HARMLESS {
        println!("harmless: {filter}: {why}");
    }
    for (filter, why) in rest::INEXPRESSIBLE {
        println!("inexpressible: {filter}: {why}");
    }
    println!(
        "filters: killed {} of {} carriers of {} filters, {} inexpressible, {} harmless",
        carriers.len() - alive.len(),
        carriers.len(),
        fed.len(),
        rest::INEXPRESSIBLE.len(),
        rest::HARMLESS.len()
    );
    assert!(alive.is_empty(), "{} alive:\n{}", alive.len(), alive.join("\n"));
    let unfed: Vec<&Filter> = Filter::ALL.iter().filter(|f| !fed.contains(f)).collect();
    assert!(unfed.is_empty(), "filters without a carrier: {unfed:?}");
}
