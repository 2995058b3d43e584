//! Who may let something out again: a request, and persons' signed approvals of exactly that request.
//!
//! A request says which bytes, towards which zone, how, until when, why and who asks. An approval is an SSH signature
//! over that text ([`Request::statement`]) by a key that policy lists. Requests and approvals live in the journal; at
//! release every signature is checked again, under the policy of that moment. A request lets something out once.

use super::{Event, Item, Quarantine, QuarantineError};
use crate::ledger::Ledger;
use evidence::sshsig::{self, Purpose};
use evidence::{PublicKey, time};
use journal::{Kind, Query};
use model::{Digest, QuarantinePolicy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Ours: a reason is a sentence or two.
const MOST_REASON_CHARS: usize = 500;
/// What releases of an original as it is always take.
const APPROVALS_OF_ORIGINAL: usize = 2;

/// How something is to come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Cleaned again, under the rules and the policy of that day.
    Rebuilt,
    /// As it came in.
    Original,
}

impl Action {
    /// Its name in statements and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rebuilt => "rebuilt",
            Self::Original => "original",
        }
    }
}

/// Why nothing is let out, or an approval does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody asked for it.
    #[error("nobody has asked for this; `sallyport quarantine request` does")]
    NotAsked,
    /// The request is too old.
    #[error("the request {request} has expired on {expires}; ask again")]
    Expired {
        /// Its id.
        request: String,
        /// When.
        expires: String,
    },
    /// It let something out already.
    #[error("the request {request} was used already; each lets something out once, ask again")]
    Used {
        /// Its id.
        request: String,
    },
    /// It was made under another zone's policy.
    #[error("the request {request} is for the zone {zone:?}, this policy is for {here:?}")]
    OtherZone {
        /// Its id.
        request: String,
        /// Of the request.
        zone: String,
        /// Of the policy.
        here: String,
    },
    /// The signature is over the text of another request.
    #[error("this signature approves another request, {other}, which differs in {what}")]
    OtherRequest {
        /// The one it approves.
        other: String,
        /// What differs: the bytes, the zone, …
        what: String,
    },
    /// The signature is over nothing we know.
    #[error("the signature is not over the text of the request {request} ({why}); sign what `quarantine show` prints")]
    OtherText {
        /// The request that was meant.
        request: String,
        /// What the check said.
        why: String,
    },
    /// Somebody else signed.
    #[error("the key {key} is none of the policy's [[quarantine.approvers]]")]
    NoApprover {
        /// Its short name.
        key: String,
    },
    /// The key is another person's.
    #[error("the signature is not by {claimed} but by another approver")]
    OtherPerson {
        /// Who was named.
        claimed: String,
    },
    /// The same person again.
    #[error("this person has approved the request {request} already; another one must")]
    Twice {
        /// Its id.
        request: String,
    },
    /// Whoever asks does not count where two must agree.
    #[error("whoever asks cannot be one of the two who approve")]
    OwnRequest,
    /// Not enough approvals that hold today.
    #[error("{have} of {need} approvals of the request {request} are there; `sallyport quarantine approve` adds one")]
    TooFew {
        /// Its id.
        request: String,
        /// Those that hold.
        have: usize,
        /// Those that are needed.
        need: usize,
    },
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How it is to come out.
    pub action: Action,
    /// Why; for those who approve and for the record.
    pub reason: String,
    /// Who asks.
    pub by: String,
    /// Hours until it expires; at most policy's.
    pub hours: Option<u32>,
}

/// A request as the journal has it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Sixteen random hexadecimal digits.
    pub id: String,
    /// The item it was made for.
    pub item: String,
    /// Its bytes.
    pub sha256: Digest,
    /// The station's name.
    pub station: String,
    /// Towards this zone.
    pub zone: String,
    /// How it is to come out.
    pub action: Action,
    /// Who asks; erased names are empty.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was asked (RFC 3339, UTC).
    pub requested: String,
    /// When it ends.
    pub expires: String,
    /// Signatures that were taken, in order.
    pub signatures: Vec<String>,
    /// Whether it let something out.
    pub used: bool,
}

/// A request that lets something out now. Only [`Quarantine::granted`] makes one.
#[derive(Debug)]
pub struct Granted {
    request: Request,
}

impl Granted {
    /// The request.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The bytes, where two have agreed to let them out as they are.
    pub(crate) fn of_original(&self) -> Option<Digest> {
        (self.request.action == Action::Original).then_some(self.request.sha256)
    }
}

/// What an approval brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// Which request.
    pub request: String,
    /// Approvals that hold now.
    pub have: usize,
    /// Approvals that are needed.
    pub need: usize,
}

impl Request {
    /// The text that is signed: `ssh-keygen -Y sign -n sallyport-approval`.
    #[must_use]
    pub fn statement(&self) -> String {
        let mut text = String::from("sallyport-approval 1\n");
        let fields = [
            ("request", self.id.as_str()),
            ("action", self.action.name()),
            ("item", &self.item),
            ("sha256", &self.sha256.to_string()),
            ("station", &self.station),
            ("zone", &self.zone),
            ("requested-by", &self.by),
            ("reason", &self.reason),
            ("requested", &self.requested),
            ("expires", &self.expires),
        ];
        for (name, value) in fields {
            let _ = writeln!(text, "{name}: {}", one_line(value));
        }
        text
    }

    /// Where two requests differ, in words.
    fn differs(&self, other: &Self) -> String {
        let pairs = [
            ("the bytes", self.sha256 == other.sha256),
            ("the zone", self.zone == other.zone),
            ("how it comes out", self.action == other.action),
            ("the expiry", self.expires == other.expires),
        ];
        let what: Vec<&str> = pairs.iter().filter(|(_, same)| !same).map(|(what, _)| *what).collect();
        if what.is_empty() { "its number".to_owned() } else { what.join(" and ") }
    }

    fn needs(&self, policy: &QuarantinePolicy) -> usize {
        match self.action {
            Action::Rebuilt => usize::from(policy.approvals.clamp(1, 2)),
            Action::Original => APPROVALS_OF_ORIGINAL,
        }
    }

    /// Who asks counts among the approvers only where one is enough.
    fn may_approve(&self, name: &str, policy: &QuarantinePolicy) -> bool {
        self.needs(policy) < 2 || !self.by.eq_ignore_ascii_case(name)
    }

    /// Persons whose signatures over this request hold under `policy`.
    #[must_use]
    pub fn approved_by(&self, policy: &QuarantinePolicy) -> BTreeSet<String> {
        let Ok(persons) = persons(policy) else { return BTreeSet::new() };
        let statement = self.statement();
        let by = |signature: &String| {
            let key = sshsig::verify(signature, Purpose::Approval, statement.as_bytes()).ok()?;
            let (name, _) = persons.iter().find(|(_, known)| *known == key)?;
            self.may_approve(name, policy).then(|| name.clone())
        };
        self.signatures.iter().filter_map(by).collect()
    }
}

/// Names and keys of those who may approve.
///
/// # Errors
/// [`QuarantineError::Policy`] where a key is none, or two persons share a name or a key: two must be two.
pub(crate) fn persons(policy: &QuarantinePolicy) -> Result<Vec<(String, PublicKey)>, QuarantineError> {
    let mut persons: Vec<(String, PublicKey)> = Vec::new();
    for approver in &policy.approvers {
        let refuse = |why: &str| QuarantineError::Policy(format!("the approver {:?}: {why}", approver.name));
        let trusted = PublicKey::read_trusted(&format!("approver {}", approver.key.trim()));
        let keys = trusted.map_err(|error| refuse(&format!("the key is no line ssh-ed25519 AAAA…: {error}")))?;
        let [(_, key)] = keys.as_slice() else { return Err(refuse("one key is needed")) };
        if approver.name.trim().is_empty() || approver.name.chars().any(char::is_control) {
            return Err(refuse("a name is one line that is not empty"));
        }
        if persons.iter().any(|(name, known)| name.eq_ignore_ascii_case(&approver.name) || known == key) {
            return Err(refuse("the name or the key stands there twice"));
        }
        persons.push((approver.name.clone(), *key));
    }
    Ok(persons)
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MOST_REASON_CHARS).collect()
}

impl Quarantine<'_> {
    /// Asks for `item`.
    ///
    /// # Errors
    /// [`QuarantineError`].
    pub fn request(&self, item: &Item, wanted: &Wanted) -> Result<Request, QuarantineError> {
        let terms = self.terms();
        if terms.approvers.is_empty() {
            let text = "the policy names nobody who may approve; add [[quarantine.approvers]] with name and key";
            return Err(QuarantineError::Policy(text.to_owned()));
        }
        let (by, reason) = (one_line(wanted.by.trim()), one_line(wanted.reason.trim()));
        if by.is_empty() || reason.is_empty() {
            return Err(QuarantineError::Usage("say who asks, and why".to_owned()));
        }
        let zone = &self.policy.policy.zone;
        if *zone != item.zone {
            let text = format!("the item was on its way to the zone {:?}, this policy is for {zone:?}", item.zone);
            return Err(QuarantineError::Policy(text));
        }
        let _lock = self.lock()?;
        let now = self.moment()?;
        let hours = wanted.hours.unwrap_or(terms.request_hours).min(terms.request_hours);
        let mut chance = [0u8; 8];
        rustix::rand::getrandom(&mut chance, rustix::rand::GetRandomFlags::empty()).map_err(|e| self.io(e.into()))?;
        let request = Request {
            id: format!("{:016x}", u64::from_le_bytes(chance)),
            item: item.item.clone(),
            sha256: item.sha256,
            station: self.ledger.name().to_owned(),
            zone: zone.clone(),
            action: wanted.action,
            by,
            reason,
            requested: time::format(now),
            expires: time::format(now.saturating_add(u64::from(hours).saturating_mul(3600))),
            signatures: Vec::new(),
            used: false,
        };
        let body = json!({
            "event": "request", "request": request.id, "item": request.item, "station": request.station,
            "zone": request.zone, "action": request.action, "by": commitment(self.ledger, &request.by)?,
            "why": request.reason, "requested": request.requested, "expires": request.expires,
        });
        self.record(&item.session, item.sha256, body)?;
        Ok(request)
    }

    /// Every request for the bytes of an item, oldest first.
    ///
    /// # Errors
    /// [`QuarantineError::Journal`].
    pub fn requests(&self, digest: Digest) -> Result<Vec<Request>, QuarantineError> {
        self.from_events(&self.events(digest)?, Some(digest))
    }

    fn all_requests(&self) -> Result<Vec<Request>, QuarantineError> {
        let query = Query { kind: Some(Kind::Quarantine), ..Query::default() };
        self.from_events(&self.query(&query)?, None)
    }

    #[expect(
        clippy::wrong_self_convention,
        reason = "requests are made from events, with the names that the journal knows"
    )]
    fn from_events(&self, events: &[Event], digest: Option<Digest>) -> Result<Vec<Request>, QuarantineError> {
        let mut requests: Vec<Request> = Vec::new();
        let puts = if digest.is_none() { self.puts()? } else { std::collections::BTreeMap::new() };
        for event in events {
            let text = |key: &str| event.body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let id = text("request");
            match event.event.as_str() {
                "request" => {
                    let action = serde_json::from_value(event.body.get("action").cloned().unwrap_or_default());
                    let sha256 = digest.or_else(|| puts.get(&text("item")).copied());
                    let (Ok(action), Some(sha256)) = (action, sha256) else { continue };
                    let person = journal::Person { commitment: text("by") };
                    let by = self.ledger.journal().name_of(&person);
                    let by = by.map_err(|error| QuarantineError::Journal(error.to_string()))?.unwrap_or_default();
                    let (item, station, zone, reason) = (text("item"), text("station"), text("zone"), text("why"));
                    let (requested, expires) = (text("requested"), text("expires"));
                    let (signatures, used) = (Vec::new(), false);
                    requests.push(Request {
                        id,
                        item,
                        sha256,
                        station,
                        zone,
                        action,
                        by,
                        reason,
                        requested,
                        expires,
                        signatures,
                        used,
                    });
                }
                "approve" => {
                    if let Some(request) = requests.iter_mut().find(|request| request.id == id) {
                        request.signatures.push(text("signature"));
                    }
                }
                "released" | "release-original" => {
                    if let Some(request) = requests.iter_mut().find(|request| request.id == id) {
                        request.used = true;
                    }
                }
                _ => {}
            }
        }
        Ok(requests)
    }

    /// Whether somebody waits for it: then it is not removed for its age.
    pub(super) fn is_wanted(&self, item: &Item) -> Result<bool, QuarantineError> {
        let now = time::format(self.moment()?);
        Ok(self.requests(item.sha256)?.iter().any(|request| !request.used && request.expires > now))
    }

    /// The request that `text` means: its id, or the id of an item with one request that is open.
    ///
    /// # Errors
    /// [`QuarantineError::Usage`]; [`Refusal::NotAsked`].
    pub fn find_request(&self, text: &str) -> Result<Request, QuarantineError> {
        let id = text.trim().to_ascii_lowercase();
        if let Some(request) = self.all_requests()?.into_iter().find(|request| request.id == id) {
            return Ok(request);
        }
        let item = self.find(text)?;
        let mut requests = self.requests(item.sha256)?;
        requests.retain(|request| request.item == item.item);
        let now = time::format(self.moment()?);
        let open: Vec<&Request> = requests.iter().filter(|request| !request.used && request.expires > now).collect();
        match open.as_slice() {
            [one] => Ok((*one).clone()),
            // The last one says best why there is none.
            [] => requests.pop().ok_or_else(|| Refusal::NotAsked.into()),
            [..] => Err(QuarantineError::Usage("there are several open requests for it; name one".to_owned())),
        }
    }

    /// Whether a request may still be approved or used, under this policy, now.
    fn is_open(&self, request: &Request) -> Result<(), QuarantineError> {
        let (id, here) = (request.id.clone(), &self.policy.policy.zone);
        if request.used {
            return Err(Refusal::Used { request: id }.into());
        }
        if request.expires <= time::format(self.moment()?) {
            return Err(Refusal::Expired { request: id, expires: request.expires.clone() }.into());
        }
        if request.zone != *here {
            let (zone, here) = (request.zone.clone(), here.clone());
            return Err(Refusal::OtherZone { request: id, zone, here }.into());
        }
        Ok(())
    }

    /// Takes `signature` as an approval of the request that `text` means; `claimed` is who says to have signed.
    ///
    /// # Errors
    /// [`Refusal`] with one sentence; nothing is recorded then but what was before.
    pub fn approve(&self, text: &str, signature: &str, claimed: Option<&str>) -> Result<Approved, QuarantineError> {
        let _lock = self.lock()?;
        let request = self.find_request(text)?;
        self.is_open(&request)?;
        let key = match sshsig::verify(signature, Purpose::Approval, request.statement().as_bytes()) {
            Ok(key) => key,
            Err(error) => return Err(self.other(&request, signature, &error.to_string())?.into()),
        };
        let policy = self.terms();
        let persons = persons(policy)?;
        let found = persons.into_iter().find(|(_, known)| *known == key);
        let (name, _) = found.ok_or_else(|| Refusal::NoApprover { key: key.id() })?;
        if let Some(claimed) = claimed.filter(|claimed| !claimed.eq_ignore_ascii_case(&name)) {
            return Err(Refusal::OtherPerson { claimed: claimed.to_owned() }.into());
        }
        if !request.may_approve(&name, policy) {
            return Err(Refusal::OwnRequest.into());
        }
        let before = request.approved_by(policy);
        if before.contains(&name) {
            return Err(Refusal::Twice { request: request.id }.into());
        }
        let body = json!({
            "event": "approve", "request": request.id, "item": request.item, "by": commitment(self.ledger, &name)?,
            "key": key.id(), "signature": signature.trim(),
        });
        self.record("", request.sha256, body)?;
        let (have, need) = (before.len().saturating_add(1), request.needs(policy));
        Ok(Approved { request: request.id, have, need })
    }

    /// What a signature that does not hold over `request` is over.
    fn other(&self, request: &Request, signature: &str, why: &str) -> Result<Refusal, QuarantineError> {
        let over = |other: &Request| sshsig::verify(signature, Purpose::Approval, other.statement().as_bytes()).is_ok();
        Ok(match self.all_requests()?.into_iter().find(over) {
            Some(other) => Refusal::OtherRequest { what: request.differs(&other), other: other.id },
            None => Refusal::OtherText { request: request.id.clone(), why: why.to_owned() },
        })
    }

    /// The request that lets `item` out as `action` now, with all signatures checked again.
    ///
    /// # Errors
    /// [`Refusal`] of the request that comes nearest: the youngest.
    pub fn granted(&self, item: &Item, action: Action) -> Result<Granted, QuarantineError> {
        let mut nearest = QuarantineError::Refused(Refusal::NotAsked);
        for request in self.requests(item.sha256)? {
            if request.item != item.item || request.action != action {
                continue;
            }
            let (have, need) = (request.approved_by(self.terms()).len(), request.needs(self.terms()));
            match self.is_open(&request) {
                Ok(()) if have >= need => return Ok(Granted { request }),
                Ok(()) => nearest = Refusal::TooFew { request: request.id, have, need }.into(),
                Err(error) => nearest = error,
            }
        }
        Err(nearest)
    }
}

/// What stands in records for a person.
pub(super) fn commitment(ledger: &Ledger, name: &str) -> Result<String, QuarantineError> {
    let person = ledger.journal().person(name);
    person.map(|person| person.commitment).map_err(|error| QuarantineError::Journal(error.to_string()))
}
