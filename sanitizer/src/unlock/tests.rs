use super::*;
use crate::{Cleaned, Host, clean};
use model::{ExportKind, Fact, Format, Outcome, ReasonCode, Untrusted};
use samples::{Lock, Scheme, office_locked, zip_locked};

const ALL: [Lock; 7] = [
    Lock::ZipCrypto,
    Lock::Aes { key: 16, version: 1 },
    Lock::Aes { key: 16, version: 2 },
    Lock::Aes { key: 24, version: 1 },
    Lock::Aes { key: 24, version: 2 },
    Lock::Aes { key: 32, version: 1 },
    Lock::Aes { key: 32, version: 2 },
];

const SCHEMES: [Scheme; 2] = [Scheme::Agile { rounds: 1000 }, Scheme::Standard];

/// Somebody who handed passwords over, and listens.
#[derive(Default)]
struct Person {
    passwords: Passwords,
    exports: Vec<(String, Vec<u8>)>,
    facts: Vec<Fact>,
}

impl Person {
    fn with(passwords: &[&str]) -> Self {
        Self { passwords: Passwords::new(passwords.iter().copied()).unwrap(), ..Self::default() }
    }

    fn clean(&mut self, name: &str, bytes: &[u8]) -> Cleaned {
        clean(name, Untrusted::new(bytes), &Policy::standard(), self)
    }

    fn saw(&self, bytes: &[u8]) -> bool {
        self.exports.iter().any(|(_, seen)| seen == bytes)
    }
}

impl Host for Person {
    fn export(&mut self, _: ExportKind, name: &str, _: u32, bytes: &[u8]) -> Result<(), Refusal> {
        self.exports.push((name.to_owned(), bytes.to_vec()));
        Ok(())
    }
    fn recognises(&self, _: &[u8], _: Format) -> bool {
        false
    }
    fn fact(&mut self, fact: Fact, _: &str, _: &str) {
        self.facts.push(fact);
    }
    fn passwords(&self) -> Passwords {
        self.passwords.clone()
    }
}

fn locked(cleaned: &Cleaned) -> Locked {
    match &cleaned.result {
        Err(refusal @ Refusal::Encrypted(locked)) => {
            assert_eq!(refusal.reason().1.code, ReasonCode::Encrypted);
            assert_eq!(refusal.reason().0, Outcome::Blocked);
            locked.clone()
        }
        other => panic!("{other:?}"),
    }
}

fn has(cleaned: &Cleaned, id: &str) -> bool {
    cleaned.findings.iter().any(|row| row.id == id && row.action == model::FindingAction::Removed)
}

#[test]
fn members_of_every_lock_open_with_their_password_and_come_out_without() {
    let eicar = samples::eicar();
    let docm = samples::docm();
    let members: [(&str, &[u8]); 3] = [("a.txt", b"fine"), ("virus.txt", &eicar), ("letter.docm", &docm)];
    for lock in ALL {
        let archive = zip_locked(&members, "S3cret!", lock);
        let mut person = Person::with(&["wrong", "S3cret!", "other"]);
        let cleaned = person.clean("a.zip", &archive);
        let made = cleaned.result.as_ref().unwrap_or_else(|refusal| panic!("{lock:?}: {refusal}"));
        assert!(cleaned.children.iter().all(|child| child.verdict == Outcome::Released), "{lock:?}");
        assert!(has(&cleaned, "ARC-06") && person.facts.contains(&Fact::Encrypted), "{lock:?}");
        assert!(members.iter().all(|(_, bytes)| person.saw(bytes)), "{lock:?}: the engines see each member");
        let again = Person::default().clean("a.zip", &made.bytes);
        assert!(again.result.is_ok() && !has(&again, "ARC-06"), "{lock:?}: what comes out has no password");

        assert_eq!(locked(&Person::default().clean("a.zip", &archive)), Locked::NoPassword);
        let wrong: Vec<String> = (0..40).map(|n| format!("wrong {n}")).collect();
        let mut person = Person::with(&wrong.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(locked(&person.clean("a.zip", &archive)), Locked::NoneFits { tried: 40 }, "{lock:?}");
        assert!(person.exports.is_empty(), "{lock:?}: nothing that a wrong password made is shown to anybody");
        assert!(person.facts.contains(&Fact::Encrypted), "{lock:?}");
    }
}

#[test]
fn office_documents_of_both_schemes_open_with_their_password() {
    let docm = samples::docm();
    for scheme in SCHEMES {
        let document = office_locked(&docm, "pässwörd", scheme);
        let mut person = Person::with(&["wrong", "pässwörd"]);
        let cleaned = person.clean("letter.docx", &document);
        assert_eq!(cleaned.format, Format::OoxmlEncrypted);
        let made = cleaned.result.as_ref().unwrap_or_else(|refusal| panic!("{scheme:?}: {refusal}"));
        assert_eq!(made.format, Format::Docx, "{scheme:?}");
        assert!(has(&cleaned, "OOX-32") && has(&cleaned, "OOX-03"), "{scheme:?}: {:?}", cleaned.findings);
        assert!(person.saw(&docm) && person.facts.contains(&Fact::Encrypted), "{scheme:?}");
        assert_eq!(locked(&Person::default().clean("letter.docx", &document)), Locked::NoPassword);
        let mut person = Person::with(&["wrong"]);
        assert_eq!(locked(&person.clean("letter.docx", &document)), Locked::NoneFits { tried: 1 });
        assert!(person.exports.is_empty(), "{scheme:?}");
    }
}

#[test]
fn the_password_that_office_tries_by_itself_is_no_way_past_the_engines() {
    let xlsx = samples::xlsx();
    let mut person = Person::default();
    let cleaned = person.clean("a.xlsx", &office_locked(&xlsx, "VelvetSweatshop", SCHEMES[0]));
    assert!(cleaned.result.is_ok() && has(&cleaned, "OOX-32") && person.saw(&xlsx));
}

#[test]
fn an_office_file_may_hold_an_office_package_only() {
    for inner in [samples::zip(&[("run.bat", b"del *")]), b"%PDF-1.7\n".to_vec(), samples::eicar()] {
        let mut person = Person::with(&["pw"]);
        let cleaned = person.clean("a.docx", &office_locked(&inner, "pw", SCHEMES[0]));
        assert!(matches!(cleaned.result, Err(Refusal::Malformed { .. })), "{:?}", cleaned.result);
        assert!(person.saw(&inner), "the engines see it all the same");
    }
}

#[test]
fn containers_in_containers_open_with_passwords_of_their_own() {
    let docm = samples::docm();
    let document = office_locked(&docm, "inner", SCHEMES[0]);
    let archive = zip_locked(&[("letter.docx", &document)], "middle", Lock::ZipCrypto);
    let archive = zip_locked(&[("in.zip", &archive)], "outer", ALL[6]);
    let mut person = Person::with(&["inner", "middle", "outer"]);
    let cleaned = person.clean("a.zip", &archive);
    let innermost = &cleaned.children[0].children[0];
    assert_eq!(innermost.verdict, Outcome::Released);
    assert!(innermost.findings.iter().any(|row| row.id == "OOX-03"));
    assert!(person.saw(&docm));
}

#[test]
fn altered_data_is_not_believed() {
    let docm = samples::docm();
    let mut archive = zip_locked(&[("a.docm", &docm)], "pw", ALL[5]);
    archive[200] ^= 1;
    let mut person = Person::with(&["pw"]);
    let cleaned = person.clean("a.zip", &archive);
    assert!(matches!(&cleaned.result, Err(Refusal::Malformed { rule, .. }) if rule.contains("authentication code")));
    assert!(person.exports.is_empty(), "nothing is deciphered before the code fits");

    let mut document = office_locked(&docm, "pw", SCHEMES[0]);
    let end = document.len() - 600;
    document[end] ^= 1;
    let mut person = Person::with(&["pw"]);
    let cleaned = person.clean("a.docx", &document);
    assert!(matches!(&cleaned.result, Err(Refusal::Malformed { rule, .. }) if rule.contains("altered")));
    assert!(person.exports.is_empty());

    let mut archive = zip_locked(&[("a.docm", &docm)], "pw", Lock::ZipCrypto);
    archive[200] ^= 1;
    let mut person = Person::with(&["pw"]);
    assert_eq!(locked(&person.clean("a.zip", &archive)), Locked::NoneFits { tried: 1 });
    assert!(person.exports.is_empty());
}

#[test]
fn what_is_not_read_is_told_from_a_wrong_password() {
    let mut archive = zip_locked(&[("a.txt", b"fine")], "pw", Lock::ZipCrypto);
    // Bit 6 of both headers: strong encryption.
    let central = archive.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    archive[6] |= 1 << 6;
    archive[central + 8] |= 1 << 6;
    let method = locked(&Person::with(&["pw"]).clean("a.zip", &archive));
    assert!(matches!(method, Locked::Method { .. }));
    assert!(method.to_string().contains("whatever the password"));

    let document = office_locked(&samples::docx(), "pw", Scheme::Standard);
    let at = document.windows(4).position(|w| w == 0x660e_u32.to_le_bytes()).unwrap();
    let mut rc4 = document;
    rc4[at..at + 4].copy_from_slice(&0x6801_u32.to_le_bytes());
    assert!(matches!(locked(&Person::with(&["pw"]).clean("a.docx", &rc4)), Locked::Method { .. }));
}

#[test]
fn trying_costs_and_what_costs_too_much_is_withheld_with_its_reason() {
    let mut policy = Policy::standard();
    policy.limits.key_iterations = 1500;
    let document = office_locked(&samples::docx(), "pw", Scheme::Agile { rounds: 1000 });
    let mut person = Person::with(&["pw"]);
    let cleaned = clean("a.docx", Untrusted::new(&document), &policy, &mut person);
    assert_eq!(locked(&cleaned), Locked::TooCostly { asked: 1000, allowed: 500 });
    // In an archive the others still pass.
    let archive = samples::zip(&[("a.docx", &document), ("b.txt", b"fine")]);
    let cleaned = clean("a.zip", Untrusted::new(&archive), &policy, &mut person);
    assert!(cleaned.result.is_ok());
    assert_eq!(cleaned.children[0].reason.as_ref().map(|reason| reason.code), Some(ReasonCode::Encrypted));
    assert_eq!(cleaned.children[1].verdict, Outcome::Released);
    // What the file asks for is bounded, whatever the policy.
    let mut greedy = document.clone();
    let at = greedy.windows(16).position(|w| w == b"spinCount=\"1000\"").unwrap();
    greedy[at..at + 16].copy_from_slice(b"spinCount=\"9e9\" ");
    assert!(matches!(person.clean("a.docx", &greedy).result, Err(Refusal::Malformed { .. })));
}

#[test]
fn a_zone_may_forbid_what_is_encrypted() {
    let mut policy = Policy::standard();
    policy.passwords.encrypted = Encrypted::Block;
    let archive = zip_locked(&[("a.txt", b"fine")], "pw", Lock::ZipCrypto);
    let cleaned = clean("a.zip", Untrusted::new(&archive), &policy, &mut Person::with(&["pw"]));
    assert_eq!(locked(&cleaned), Locked::Forbidden);
}

#[test]
fn passwords_are_tried_as_windows_wrote_them_too() {
    for bytes in [&b"gr\xfcn"[..], b"gr\x81n", "grün".as_bytes()] {
        let list = Passwords::new(["grün"]).unwrap();
        assert!(list.list()[0].bytes().iter().any(|known| known.as_slice() == bytes));
    }
    let list = Passwords::new(["green"]).unwrap();
    assert_eq!(list.list()[0].bytes().len(), 1);
}

#[test]
fn no_password_is_ever_printed() {
    let list = Passwords::read("hunter2\nhunter3\n").unwrap();
    let keys = Keys::new(list.clone(), &Policy::standard());
    for printed in [format!("{list:?}"), format!("{:?}", list.list()), format!("{keys:?}")] {
        assert!(!printed.contains("hunter"), "{printed}");
    }
    assert_eq!(Passwords::joined(&[list.clone(), list]).list().len(), 2);
}

#[test]
fn the_same_passwords_in_another_order_make_the_same_file() {
    let archive = zip_locked(&[("a.txt", b"one"), ("b.txt", b"two")], "pw", ALL[2]);
    let made = |passwords: &[&str]| Person::with(passwords).clean("a.zip", &archive).result.unwrap().bytes;
    assert_eq!(made(&["pw", "x", "y"]), made(&["y", "x", "pw"]));
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    let archive = zip_locked(&[("a.txt", b"alpha alpha alpha"), ("b.csv", b"=1,2\n")], "pw", Lock::ZipCrypto);
    let document = office_locked(b"PK no package", "pw", Scheme::Agile { rounds: 1 });
    for (name, bytes, step) in [("a.zip", archive, 1), ("a.docx", document, 7)] {
        for at in (0..bytes.len()).step_by(step) {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << (at % 8);
            let _ = Person::with(&["pw"]).clean(name, &bent);
        }
    }
}
