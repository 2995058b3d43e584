//! What runs inside the jails, and how the station talks to it.
//!
//! The functions named `*_role` run in a jailed process, never in the station. What they answer is read by the station
//! as a small typed message whose every text is capped again on this side: a jail may be in an attacker's hands.

use crate::medium::{MEDIUM, medium_role};
use crate::rules::{SIGNATURES, signatures_role};
use jail::{Room, ScanRoom};
use model::{
    Child, ExportKind, Fact, Facts, Finding, Findings, Format, Method, Outcome, Policy, Reason, Refusal, Untrusted,
};
use sanitizer::Passwords;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The roles that the executable can be started in; the first thing in `main` is
/// `jail::become_jail_if_asked(&station::roles::ROLES)`.
pub static ROLES: jail::Roles = jail::Roles {
    jobs: &[
        (RECONSTRUCT, reconstruct_role),
        (VERIFY, verify_role),
        (SIGNATURES, signatures_role),
        (MEDIUM, medium_role),
    ],
    scanners: &[(SCAN, scan_role)],
    prepare,
};

/// Role of the zygote whose jobs reconstruct.
pub const RECONSTRUCT: &str = "reconstruct";
/// Role of the zygote whose jobs verify: a process of its own, so that the two do not share an address layout.
pub const VERIFY: &str = "verify";

/// Role of the jails that scan with rules.
pub const SCAN: &str = "scan";

/// Runs once in a zygote: tables of names that every job would build anew.
pub fn prepare(role: &str) {
    // A verify jail has nothing of the sanitizer, not even its tables; a reconstruct jail also asks the second reader,
    // for the fixed point.
    if role == RECONSTRUCT {
        sanitizer::prepare();
    }
    if role != SIGNATURES && role != MEDIUM {
        verifier::prepare();
    }
}

/// What a reconstruct job is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReconstructJob {
    /// The input's name: compared with its content, never opened.
    pub name: String,
    pub policy: Policy,
    /// What may be tried on what is encrypted. In the order of the lists and within them; the lists are the file's own,
    /// the session's and the station's.
    #[serde(with = "passwords")]
    pub passwords: Vec<Passwords>,
    /// Whether an input that is our own dialect already passes as it is.
    pub fixed_point: bool,
}

/// Passwords on their way into a reconstruct jail: the only place where they are written down, into a header that is
/// wiped on both sides.
mod passwords {
    use super::Passwords;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(lists: &[Passwords], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(lists.iter().map(|list| list.list().iter().map(|password| password.text()).collect::<Vec<_>>()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Passwords>, D::Error> {
        // In a process that ends with its one job.
        let lists = Vec::<Vec<String>>::deserialize(from)?;
        let list = |texts: Vec<String>| Passwords::new(texts.iter().map(|text| text.as_str()));
        lists.into_iter().map(list).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
    }
}

/// What it answers. The new file itself lies in the job's output.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReconstructAnswer {
    pub format: Format,
    pub result: Result<Made, (Outcome, Reason)>,
    pub findings: Vec<Finding>,
    pub children: Vec<Child>,
    pub facts: Facts,
    pub identify_ms: f64,
}

/// What was made.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Made {
    pub format: Format,
    pub method: Method,
}

/// What a verify job is told. It never sees the input.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyJob {
    pub nonce: u64,
    pub dialect: Format,
    pub policy: Policy,
}

/// What it answers, once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyAnswer {
    pub nonce: u64,
    pub dialect: Format,
    pub bytes: u64,
    pub outcome: Result<(), String>,
}

/// Proof that a verify jail accepted: made by [`VerifyAnswer::accepted`] alone.
#[derive(Debug)]
pub(crate) struct Accepted(pub(crate) ());

impl VerifyAnswer {
    /// Reads the answer of a verify jail against what it was asked.
    ///
    /// # Errors
    /// The verifier's reason, or ours where the answer is not to this question.
    pub(crate) fn accepted(answer: &[u8], asked: &VerifyJob, len: u64) -> Result<Accepted, VerifyError> {
        let protocol = |what: &str| VerifyError::Protocol(format!("the verify jail's answer {what}"));
        let answer: Self = serde_json::from_slice(answer).map_err(|_| protocol("is not one"))?;
        if answer.nonce != asked.nonce || answer.dialect != asked.dialect {
            return Err(protocol("is to another question"));
        }
        if answer.bytes != len {
            return Err(protocol("speaks of another length"));
        }
        match answer.outcome {
            Ok(()) => Ok(Accepted(())),
            Err(rule) => Err(VerifyError::Rejected(rule)),
        }
    }
}

/// Why an output is not verified.
#[derive(Debug)]
pub(crate) enum VerifyError {
    /// The second reader refused: the reconstructor was fooled.
    Rejected(String),
    /// The jail broke the protocol.
    Protocol(String),
}

/// The jail around a reconstructor.
struct JailHost<'a, 'r> {
    outlet: &'a mut jail::Outlet<'r>,
    policy: &'a Policy,
    passwords: Passwords,
    fixed_point: bool,
    facts: Facts,
    started: Instant,
    identify_ms: f64,
}

impl sanitizer::Host for JailHost<'_, '_> {
    fn export(&mut self, kind: ExportKind, name: &str, depth: u32, bytes: &[u8]) -> Result<(), Refusal> {
        let full = |_| Refusal::Limit { limit: model::LimitKind::ExpandedBytes, asked: bytes.len() as u64, allowed: 0 };
        self.outlet.export(kind.code(), depth, name, bytes).map(|_| ()).map_err(full)
    }

    fn recognises(&self, bytes: &[u8], format: Format) -> bool {
        self.fixed_point && verifier::verify(bytes, format, self.policy).is_ok()
    }

    fn passwords(&self) -> Passwords {
        self.passwords.clone()
    }

    fn fact(&mut self, fact: Fact, file: &str, at: &str) {
        self.facts.add(fact, file, at, 1);
    }

    fn identified(&mut self, _format: Format) {
        self.identify_ms = self.started.elapsed().as_secs_f64() * 1000.0;
    }
}

/// Runs in a reconstruct jail: untrusted bytes in, a new file and findings out.
///
/// # Errors
/// A text where the station's header is not one or the output cannot be written.
pub fn reconstruct_role(room: &mut Room) -> Result<Vec<u8>, String> {
    let job: ReconstructJob = serde_json::from_slice(room.header()).map_err(|e| e.to_string())?;
    let (input, outlet) = room.split();
    let mut host = JailHost {
        outlet,
        policy: &job.policy,
        passwords: Passwords::joined(&job.passwords),
        fixed_point: job.fixed_point,
        facts: Facts::default(),
        started: Instant::now(),
        identify_ms: 0.0,
    };
    let cleaned = sanitizer::clean(&job.name, Untrusted::new(input), &job.policy, &mut host);
    let (identify_ms, facts) = (host.identify_ms, host.facts);
    let result = match cleaned.result {
        Ok(rebuilt) => {
            room.write_output(&rebuilt.bytes).map_err(|e| e.to_string())?;
            Ok(Made { format: rebuilt.format, method: rebuilt.method })
        }
        Err(refusal) => Err(refusal.reason()),
    };
    let (findings, children) = (cleaned.findings, cleaned.children);
    let answer = ReconstructAnswer { format: cleaned.format, result, findings, children, facts, identify_ms };
    serde_json::to_vec(&answer).map_err(|e| e.to_string())
}

/// Runs in a verify jail: the output in, yes or no out.
///
/// # Errors
/// A text where the station's header is not one.
pub fn verify_role(room: &mut Room) -> Result<Vec<u8>, String> {
    let job: VerifyJob = serde_json::from_slice(room.header()).map_err(|e| e.to_string())?;
    let outcome = verifier::verify(room.input(), job.dialect, &job.policy).map_err(|rejection| rejection.to_string());
    let bytes = room.input().len() as u64;
    let answer = VerifyAnswer { nonce: job.nonce, dialect: job.dialect, bytes, outcome };
    serde_json::to_vec(&answer).map_err(|e| e.to_string())
}

/// Runs in a scan jail: loads the rules behind closed filters and serves.
///
/// # Errors
/// A text where there are no rules or they do not load.
pub fn scan_role(room: &mut ScanRoom<'_>) -> Result<(), String> {
    let compiled = room.rules().ok_or("the scan jail was given no rules")?;
    let server = engines::Server::start(room.setup(), compiled).map_err(|error| error.to_string())?;
    room.serve(&server.ready(), |request, object| server.serve(request, object))
}

impl ReconstructAnswer {
    /// Reads the answer of a reconstruct jail and caps every text in it.
    ///
    /// # Errors
    /// One sentence where it is no answer.
    pub(crate) fn read(answer: &[u8]) -> Result<Self, String> {
        let mut answer: Self =
            serde_json::from_slice(answer).map_err(|_| "the reconstruct jail's answer is not one".to_owned())?;
        if let Err((outcome, reason)) = &mut answer.result {
            if *outcome == Outcome::Released {
                return Err("the reconstruct jail calls a refusal released".into());
            }
            *reason = Reason::new(reason.code, &reason.text);
        }
        answer.findings = capped_findings(answer.findings);
        answer.children = capped_children(answer.children, 0);
        answer.facts = answer.facts.capped();
        Ok(answer)
    }
}

/// Findings anew, through the list that caps them; the construct's words come from our catalogue, not from the jail.
fn capped_findings(findings: Vec<Finding>) -> Vec<Finding> {
    let mut capped = Findings::new();
    for finding in findings.into_iter().take(Findings::MOST.saturating_mul(2)) {
        if model::vector(&finding.id).is_some() {
            capped.add_count(&finding.id, finding.action, &finding.at, finding.count.max(1));
        }
    }
    capped.into_rows()
}

/// Ours: what the deepest policy we would advise (`depth = 8`) can bring forth, and a bit.
const MOST_CHILD_LEVELS: u8 = 32;

fn capped_children(children: Vec<Child>, level: u8) -> Vec<Child> {
    if level >= MOST_CHILD_LEVELS {
        return Vec::new();
    }
    let cap = |child: Child| Child {
        name: child.name.chars().filter(|c| !c.is_control()).take(255).collect(),
        reason: child.reason.map(|reason| Reason::new(reason.code, &reason.text)),
        findings: capped_findings(child.findings),
        children: capped_children(child.children, level.saturating_add(1)),
        ..child
    };
    children.into_iter().map(cap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> VerifyJob {
        VerifyJob { nonce: 7, dialect: Format::Png, policy: Policy::standard() }
    }

    fn answer(nonce: u64, dialect: Format, bytes: u64, outcome: Result<(), String>) -> Vec<u8> {
        serde_json::to_vec(&VerifyAnswer { nonce, dialect, bytes, outcome }).unwrap()
    }

    #[test]
    fn only_a_yes_to_this_very_question_is_a_yes() {
        let read = |answer: &[u8]| VerifyAnswer::accepted(answer, &asked(), 5).is_ok();
        assert!(read(&answer(7, Format::Png, 5, Ok(()))));
        assert!(!read(&answer(8, Format::Png, 5, Ok(()))), "another nonce");
        assert!(!read(&answer(7, Format::Txt, 5, Ok(()))), "another dialect");
        assert!(!read(&answer(7, Format::Png, 4, Ok(()))), "a short read");
        assert!(!read(&answer(7, Format::Png, 5, Err("no".into()))));
        assert!(!read(b""), "silence");
        assert!(!read(b"{\"outcome\":{\"Ok\":null}}"), "half an answer");
    }

    #[test]
    fn a_fact_that_there_is_not_is_no_answer() {
        for fact in Fact::ALL {
            assert_eq!(serde_json::to_string(fact).unwrap(), format!("\"{}\"", fact.id()));
        }
        let answer = |fact: &str| {
            let facts = format!(r#"[{{"fact":"{fact}","file":"","at":"","count":1}}]"#);
            let text = format!(
                r#"{{"format":"txt","result":{{"Err":["failed",{{"code":"crash","text":""}}]}},"findings":[],
                "children":[],"facts":{facts},"identify_ms":0.0}}"#
            );
            ReconstructAnswer::read(text.as_bytes())
        };
        assert_eq!(answer("vba-shell").unwrap().facts.rows().len(), 1);
        assert!(answer("trust-me").is_err());
    }

    #[test]
    fn texts_of_a_jail_are_capped_and_its_constructs_are_ours() {
        let finding = Finding {
            id: "PDF-21".into(),
            construct: "trust me".into(),
            action: model::FindingAction::Removed,
            count: 0,
            at: "p\u{1b}[2J".repeat(400),
        };
        let invented = Finding { id: "XXX-1".into(), ..finding.clone() };
        let rows = capped_findings(vec![finding, invented]);
        assert_eq!(rows.len(), 1);
        assert_ne!(rows[0].construct, "trust me");
        assert!(rows[0].at.len() < 200 && !rows[0].at.contains('\u{1b}'));
    }
}
