//! What a reconstructor may use: the policy, what is left of the limits, the findings it must fill, and the way back
//! to the door for a member of its own.

use crate::unlock::{self, Keys};
use crate::{Cleaned, Identity, Passwords, Rebuilt, facts, identify, ole, registry};
use model::{
    Budget, Child, ExportKind, Fact, FindingAction, Findings, Format, Method, Policy, ReasonCode, Refusal, RuleAction,
    Untrusted,
};

/// What the jail around us offers. In tests, [`Quiet`] offers nothing.
pub trait Host {
    /// Hands a byte string out for the engines to scan: members, decoded layers, dropped binaries. `depth` is 1 for
    /// what lies directly in the input.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the spool is full. What was not scanned may not pass, so the whole input is refused.
    fn export(&mut self, kind: ExportKind, name: &str, depth: u32, bytes: &[u8]) -> Result<(), Refusal>;

    /// Whether the second reader accepts `bytes` in full as our own dialect of `format`: the fixed point.
    fn recognises(&self, bytes: &[u8], format: Format) -> bool;

    /// Takes a fact down: what was seen, in which file (members by their path, empty for the input), and where in it.
    fn fact(&mut self, _fact: Fact, _file: &str, _at: &str) {}

    /// The passwords that were handed over for this input.
    fn passwords(&self) -> Passwords {
        Passwords::default()
    }

    /// Called once, when the top-level input has been identified: lets the jail tell its times apart.
    fn identified(&mut self, _format: Format) {}
}

/// A host that scans nothing and recognises nothing: for tests, and for measuring without the shortcut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Host for Quiet {
    fn export(&mut self, _: ExportKind, _: &str, _: u32, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    fn recognises(&self, _: &[u8], _: Format) -> bool {
        false
    }
}

/// The context of one file. A parameter and not a return value: a finding is then hard to forget.
pub struct Cx<'a> {
    /// What the zone allows.
    pub policy: &'a Policy,
    /// What is left of its limits, shared by everything inside one top-level input.
    pub budget: &'a mut Budget,
    /// What may be tried on what is encrypted.
    pub(crate) keys: &'a Keys,
    host: &'a mut dyn Host,
    findings: Findings,
    children: Vec<Child>,
    depth: u32,
    /// Names of the containers and of this file, joined by `/`; empty for the input itself.
    path: String,
}

impl<'a> Cx<'a> {
    /// Runs `work` with a fresh context and a whole budget: the way into a single reconstructor from a test, a fuzz
    /// target or a benchmark. [`crate::clean`] is the way for everybody else.
    pub fn top<T>(policy: &'a Policy, host: &'a mut dyn Host, work: impl FnOnce(&mut Cx<'_>) -> T) -> T {
        let mut budget = Budget::new(&policy.limits);
        let findings = Findings::new();
        let keys = Keys::new(host.passwords(), policy);
        work(&mut Cx {
            policy,
            budget: &mut budget,
            keys: &keys,
            host,
            findings,
            children: Vec::new(),
            depth: 0,
            path: String::new(),
        })
    }

    /// Names a construct of the catalogue that was met at `place` (a page, part, chunk; empty: the whole file).
    pub fn found(&mut self, id: &'static str, action: FindingAction, place: &str) {
        self.findings.add(id, action, place);
    }

    /// Notes a fact about this file for the engine `structure`. It changes nothing in what becomes of the file here.
    pub fn fact(&mut self, fact: Fact, place: &str) {
        self.host.fact(fact, &self.path, place);
    }

    /// Like [`Cx::found`], `count` times at once.
    pub fn found_count(&mut self, id: &'static str, action: FindingAction, place: &str, count: u64) {
        self.findings.add_count(id, action, place, count);
    }

    /// What was found so far.
    #[must_use]
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Hands a byte string out to the engines.
    ///
    /// # Errors
    /// [`Refusal::Limit`] where the spool is full.
    pub fn export(&mut self, kind: ExportKind, name: &str, bytes: &[u8]) -> Result<(), Refusal> {
        self.host.export(kind, name, self.depth.saturating_add(1), bytes)
    }

    /// How many containers there are above this file.
    #[must_use]
    pub const fn depth(&self) -> u32 {
        self.depth
    }

    /// Cleans a member of this file through the same door: identified by content, policy asked, same budget, one
    /// deeper. The member is exported to the engines first and gets its line in the report's `children`.
    ///
    /// # Errors
    /// The member's own refusal. Where [`crate::spoils_the_container`] says so, pass it on.
    pub fn nested(&mut self, name: &str, input: Untrusted<'_>) -> Result<Rebuilt, Refusal> {
        let cleaned = self.nested_quietly(name, input, ExportKind::Member)?;
        self.children.push(cleaned.child(name));
        cleaned.result
    }

    /// Gives a member that could not even be read (encrypted, damaged, a link) its line in the report's `children`:
    /// every member ends in exactly one outcome.
    pub fn withheld(&mut self, name: &str, refusal: Refusal) {
        self.encrypted(&refusal, name);
        let (findings, children) = (Vec::new(), Vec::new());
        let cleaned = Cleaned { format: Format::Unknown, result: Err(refusal), findings, children };
        self.children.push(cleaned.child(name));
    }

    /// Like [`Cx::nested`], for parts that a reader does not see as files of their own (a picture in a document):
    /// exported as `kind`, and without a line among the children. Its findings are taken over, under `name`.
    ///
    /// # Errors
    /// The part's own refusal.
    pub fn part(&mut self, name: &str, input: Untrusted<'_>, kind: ExportKind) -> Result<Rebuilt, Refusal> {
        let cleaned = self.nested_quietly(name, input, kind)?;
        for finding in &cleaned.findings {
            self.findings.add_count(&finding.id, finding.action, name, finding.count);
        }
        cleaned.result
    }

    fn nested_quietly(&mut self, name: &str, input: Untrusted<'_>, kind: ExportKind) -> Result<Cleaned, Refusal> {
        self.export(kind, name, input.bytes())?;
        let (policy, keys, depth) = (self.policy, self.keys, self.depth.saturating_add(1));
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) };
        let host = &mut *self.host;
        self.budget.deeper(|budget| {
            let (findings, children) = (Findings::new(), Vec::new());
            let mut inner = Cx { policy, budget, keys, host, findings, children, depth, path };
            Ok(inner.clean(name, input))
        })
    }

    /// Identify, ask the policy, reconstruct.
    pub(crate) fn clean(&mut self, name: &str, input: Untrusted<'_>) -> Cleaned {
        if self.depth == 0 {
            *self.budget = Budget::for_input(&self.policy.limits, input.len() as u64);
        }
        let identity = identify(name, input, self.policy);
        if self.depth == 0 {
            self.host.identified(identity.format);
        }
        for (id, action, place) in &identity.findings {
            self.found(id, *action, place);
        }
        self.note(name, &identity, input);
        let result = match identity.refusal {
            Some(refusal) => Err(refusal),
            None if identity.format == Format::OoxmlEncrypted => unlock::office(name, input, self),
            None => self.rebuild(input, identity.format),
        };
        if let Err(refusal) = &result {
            self.encrypted(refusal, "");
        }
        let findings = std::mem::take(&mut self.findings).into_rows();
        let children = std::mem::take(&mut self.children);
        Cleaned { format: identity.format, result, findings, children }
    }

    /// What the name and the identification show.
    fn note(&mut self, name: &str, identity: &Identity, input: Untrusted<'_>) {
        facts::names::look(name).into_iter().for_each(|fact| self.fact(fact, ""));
        for (id, action, place) in &identity.findings {
            match (*id, action) {
                ("GEN-01", FindingAction::Blocked) => self.fact(Fact::TypeDisagrees, place),
                ("GEN-02", FindingAction::Blocked) => self.fact(Fact::Polyglot, place),
                (_, _) => {}
            }
        }
        if identity.format == Format::Pe {
            facts::pe::facts(input.bytes()).into_iter().for_each(|fact| self.fact(fact, ""));
        }
    }

    fn encrypted(&mut self, refusal: &Refusal, place: &str) {
        if refusal.reason().1.code == ReasonCode::Encrypted {
            self.fact(Fact::Encrypted, place);
        }
    }

    fn rebuild(&mut self, input: Untrusted<'_>, format: Format) -> Result<Rebuilt, Refusal> {
        let size = input.len() as u64;
        if size > self.policy.limits.input_bytes {
            let (limit, allowed) = (model::LimitKind::InputBytes, self.policy.limits.input_bytes);
            return Err(Refusal::Limit { limit, asked: size, allowed });
        }
        let Some(reconstructor) = registry::reconstructor(format) else {
            // Nothing is rebuilt, but what was in it is shown to the engines all the same.
            ole::look(input.bytes(), "", self)?;
            return Err(Refusal::NoReconstructor { format: format.words() });
        };
        if self.policy.action(format) == RuleAction::Block {
            return Err(Refusal::Policy { rule: format!("formats: {format} is blocked in this zone").into() });
        }
        if self.findings.is_empty() && self.host.recognises(input.bytes(), format) {
            return Ok(Rebuilt { bytes: input.bytes().to_vec(), format, method: Method::Passed });
        }
        reconstructor.reconstruct(input, format, self)
    }
}
