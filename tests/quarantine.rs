//! What is held, who may let it out, and how it goes: through the program, as operators and the security team use it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and computes on values of its own"
)]
#![expect(clippy::disallowed_methods, reason = "the test plays the persons who start programs")]

mod common;

use common::{Chance, World, code, files_below, line, soak};
use evidence::StationKey;
use model::{Outcome, ReasonCode, ReportLine};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const FORMATS: &str = "[formats.txt]\n[formats.png]\n";

fn person(n: u8) -> StationKey {
    StationKey::from_seed(&[n; 32])
}

/// `ssh-ed25519 AAAA…` of a person.
fn public(n: u8) -> String {
    let line = person(n).public().to_allowed_signer("x");
    line[line.find("ssh-ed25519").unwrap()..].trim().to_owned()
}

/// A site: a security team with an identity, Ada (1), Bea (2) and Cy (3) who may approve.
struct Site {
    world: World,
    recipient: String,
}

impl Site {
    fn new() -> Self {
        let world = World::new();
        let made = world.sallyport().args(["quarantine", "keygen"]).arg(world.at("team.key")).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        for n in 1..=4 {
            std::fs::write(world.at(&format!("person-{n}.key")), person(n).to_pem()).unwrap();
        }
        let site = Self { world, recipient: String::from_utf8(made.stdout).unwrap().trim().to_owned() };
        site.policy("policy.toml", "plant", "", FORMATS);
        // Nothing is rebuilt under this one: what comes in is held by policy.
        site.policy("closed.toml", "plant", "", "");
        site
    }

    /// Writes a policy; `terms` are lines of `[quarantine]`.
    fn policy(&self, name: &str, zone: &str, terms: &str, formats: &str) {
        let approver = |(n, who): (u8, &str)| {
            format!("[[quarantine.approvers]]\nname = \"{who}\"\nkey = \"{} {who}@plant\"\n", public(n))
        };
        let approvers: String = [(1, "Ada"), (2, "Bea"), (3, "Cy")].into_iter().map(approver).collect();
        let recipient = &self.recipient;
        let text =
            format!("zone = \"{zone}\"\n[quarantine]\nrecipients = [\"{recipient}\"]\n{terms}\n{approvers}{formats}");
        std::fs::write(self.world.at(name), text).unwrap();
    }

    fn clean(&self, policy: &str) -> (Output, Vec<ReportLine>) {
        let (policy, quarantine) = (self.world.at(policy), self.folder());
        self.world.clean(&["--policy", policy.to_str().unwrap(), "--quarantine", quarantine.to_str().unwrap()])
    }

    fn folder(&self) -> PathBuf {
        self.world.at("quarantine")
    }

    fn with(&self, policy: &str, arguments: &[&str]) -> Output {
        let mut command = self.world.sallyport();
        command.arg("quarantine").args(arguments).arg("--quarantine").arg(self.folder());
        command.arg("--policy").arg(self.world.at(policy)).env("USER", "Operator").output().unwrap()
    }

    fn act(&self, arguments: &[&str]) -> Output {
        self.with("policy.toml", arguments)
    }

    fn items(&self) -> Vec<Value> {
        let out = self.act(&["list", "--json"]);
        assert!(out.status.success(), "{out:?}");
        String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn item(&self, name: &str) -> String {
        let items = self.items();
        let item = items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("{name} is not held"));
        item["item"].as_str().unwrap().to_owned()
    }

    /// The id of a new request.
    fn request(&self, item: &str, more: &[&str]) -> String {
        let out = self.act(&[&["request", item, "--reason", "WO-7 needs it"], more].concat());
        assert!(out.status.success(), "{out:?}");
        let text = String::from_utf8(out.stdout).unwrap();
        text.split_whitespace().nth(1).unwrap().to_owned()
    }

    fn approve(&self, request: &str, n: u8) -> Output {
        let key = self.world.at(&format!("person-{n}.key"));
        self.act(&["approve", request, "--key", key.to_str().unwrap()])
    }

    fn release(&self, item: &str, more: &[&str]) -> Output {
        let (key, out) = (self.world.at("team.key"), self.world.out());
        let base = ["release", item, "--identity", key.to_str().unwrap(), "--out", out.to_str().unwrap()];
        self.act(&[&base, more].concat())
    }

    fn events(&self) -> Vec<Value> {
        let out = self.world.sallyport().args(["audit", "export", "--kind", "quarantine"]).output().unwrap();
        String::from_utf8(out.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn named(&self, event: &str) -> Vec<Value> {
        self.events().into_iter().filter(|record| record["body"]["event"] == event).collect()
    }

    fn assert_whole(&self) {
        let checked = self.act(&["check"]);
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        let audit = self.world.sallyport().args(["audit", "verify"]).output().unwrap();
        assert!(audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
    }
}

fn refused(output: &Output, status: i32, sentence: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(sentence), "{sentence:?} is not in {said:?}");
}

/// Whether a program of the system is there; said loudly where it is not.
fn has(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok();
    if !there {
        eprintln!("\n*** NOT TESTED: {program} is not installed ***\n");
    }
    there
}

#[test]
fn originals_are_encrypted_to_the_team_and_signed_by_the_station() {
    let site = Site::new();
    let marker = b"a line of the original that nobody may read here\n".repeat(3000);
    site.world.put("plans/a.txt", &marker);
    site.world.put("b.exe", &samples::program_stub());
    let (output, lines) = site.clean("closed.toml");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(line(&lines, "plans/a.txt").verdict, Outcome::Blocked);
    let kept = files_below(&site.folder());
    assert_eq!(kept.iter().filter(|(name, _)| name.ends_with("/original.age")).count(), 2);
    for (name, bytes) in &kept {
        assert!(!bytes.windows(40).any(|window| window == &marker[..40]), "{name} holds the original in the clear");
    }
    let item = site.item("plans/a.txt");
    let shown: Value = serde_json::from_slice(&site.act(&["show", &item[..6], "--json"]).stdout).unwrap();
    assert_eq!((&shown["whole"], &shown["item"]["reason"]["code"]), (&Value::Bool(true), &Value::from("policy")));
    assert_eq!(shown["item"]["zone"], "plant");
    // The same bytes are kept once; that they came again is recorded.
    site.clean("closed.toml");
    assert_eq!((site.items().len(), site.named("put").len(), site.named("again").len()), (2, 2, 2));
    let folder = site.folder().join(&item);
    if has("age") {
        let mut open = Command::new("age");
        open.arg("-d").arg("-i").arg(site.world.at("team.key")).arg(folder.join("original.age"));
        let opened = open.output().unwrap();
        assert!(opened.status.success() && opened.stdout == marker, "{}", String::from_utf8_lossy(&opened.stderr));
    }
    if has("ssh-keygen") {
        let state = site.world.at(".local/state/sallyport");
        let signers = std::fs::read_to_string(state.join("allowed_signers")).unwrap();
        let key = &signers[signers.find("ssh-ed25519").unwrap()..];
        std::fs::write(site.world.at("signers"), format!("station {key}")).unwrap();
        let script = "ssh-keygen -Y verify -f \"$1\" -I station -n sallyport-quarantine -s item.json.sig < item.json";
        let mut check = Command::new("sh");
        check.args(["-c", script, "sh"]).arg(site.world.at("signers")).current_dir(&folder);
        let checked = check.output().unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
    site.assert_whole();
}

#[test]
fn without_recipients_nothing_is_in_the_clear_and_a_person_is_warned_or_no_run_begins() {
    let world = World::new();
    world.put("b.exe", &samples::program_stub());
    let quarantine = world.at("quarantine");
    let (output, _) = world.clean(&["--quarantine", quarantine.to_str().unwrap()]);
    refused(&output, 1, "the policy names no recipient for the quarantine");
    let kept = files_below(&quarantine);
    assert!(kept.iter().all(|(_, bytes)| *bytes != samples::program_stub()));
    let key = world.at(".local/state/sallyport/quarantine.key");
    let mut command = world.sallyport();
    command.args(["quarantine", "reclean", "--identity"]).arg(&key).arg("--quarantine").arg(&quarantine);
    let told = command.output().unwrap();
    assert!(String::from_utf8_lossy(&told.stdout).contains("b.exe"), "{told:?}");
    std::fs::write(world.at("strict.toml"), "zone = \"plant\"\n[quarantine]\nwithout_recipients = \"refuse\"\n")
        .unwrap();
    let other = world.at("other");
    let strict = world.at("strict.toml");
    let (output, _) = world.clean(&["--quarantine", other.to_str().unwrap(), "--policy", strict.to_str().unwrap()]);
    refused(&output, 2, "sallyport quarantine keygen");
    assert!(!other.exists());
}

#[test]
fn two_persons_let_a_rebuilt_copy_out_once_and_nobody_else_does() {
    let site = Site::new();
    site.world.put("a.txt", b"set point 7\n");
    site.clean("closed.toml");
    let item = site.item("a.txt");
    refused(&site.release(&item, &[]), 1, "nobody has asked for this");
    let request = site.request(&item, &["--as", "Cy"]);
    refused(&site.release(&item, &[]), 1, "0 of 2 approvals");
    refused(&site.approve(&item, 3), 1, "whoever asks cannot be one of the two");
    refused(&site.approve(&item, 4), 1, "is none of the policy's [[quarantine.approvers]]");
    assert!(site.approve(&item, 1).status.success());
    refused(&site.approve(&request, 1), 1, "this person has approved the request");
    refused(&site.release(&item, &[]), 1, "1 of 2 approvals");
    // The second one signs elsewhere, with stock tools.
    let statement = site.world.at("statement");
    let shown: Value = serde_json::from_slice(&site.act(&["show", &item, "--json"]).stdout).unwrap();
    std::fs::write(&statement, shown["requests"][0]["statement"].as_str().unwrap()).unwrap();
    let second = if has("ssh-keygen") {
        let keygen = |arguments: &[&str], more: &[&Path]| {
            let done = Command::new("ssh-keygen").args(arguments).args(more).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        let private = site.world.at("bea");
        keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "bea", "-f"], &[&private]);
        let bea = std::fs::read_to_string(site.world.at("bea.pub")).unwrap();
        let policy = std::fs::read_to_string(site.world.at("policy.toml")).unwrap();
        std::fs::write(site.world.at("policy.toml"), policy.replace(&public(2), bea.trim())).unwrap();
        keygen(&["-Y", "sign", "-n", "sallyport-approval", "-f"], &[&private, &statement]);
        let signature = site.world.at("statement.sig");
        refused(
            &site.act(&["approve", &item, "--signature", signature.to_str().unwrap(), "--as", "Ada"]),
            1,
            "not by Ada",
        );
        site.act(&["approve", &item, "--signature", signature.to_str().unwrap(), "--as", "Bea"])
    } else {
        site.approve(&item, 2)
    };
    assert!(second.status.success(), "{second:?}");
    if site.world.at("bea").exists() {
        // The private key itself, in OpenSSH's form, is read too: she has approved already.
        let bea = site.world.at("bea");
        let again = site.act(&["approve", &item, "--key", bea.to_str().unwrap()]);
        refused(&again, 1, "this person has approved the request");
    }
    // A policy that no longer knows the second one does not count them.
    site.policy("closed.toml", "plant", "approvals = 2", "");
    let policy = std::fs::read_to_string(site.world.at("closed.toml")).unwrap().replace(&public(1), &public(5));
    std::fs::write(site.world.at("other.toml"), policy).unwrap();
    let (key, out) = (site.world.at("team.key"), site.world.out());
    let release = ["release", &item, "--identity", key.to_str().unwrap(), "--out", out.to_str().unwrap()];
    refused(&site.with("other.toml", &release), 1, "of 2 approvals");
    let released = site.release(&item, &["--operator", "Dora"]);
    assert!(released.status.success(), "{released:?}");
    assert_eq!(std::fs::read(site.world.out().join("a.txt")).unwrap(), b"set point 7\n");
    let verified = site
        .world
        .sallyport()
        .arg("verify")
        .arg(site.world.out())
        .arg("--trust")
        .arg(site.world.at(".local/state/sallyport/station.pub"))
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
    refused(&site.release(&item, &[]), 1, "was used already");
    refused(&site.approve(&request, 2), 1, "was used already");
    assert_eq!((site.named("request").len(), site.named("approve").len(), site.named("released").len()), (1, 2, 1));
    for name in ["Ada", "Bea", "Cy", "Dora"] {
        let hit = site.events().iter().any(|event| event.to_string().contains(name));
        assert!(!hit, "the name of {name} is in a record");
    }
    site.assert_whole();
}

#[test]
fn an_approval_counts_for_its_own_request_zone_bytes_and_time_only() {
    let site = Site::new();
    site.world.put("a.txt", b"one\n");
    site.world.put("b.txt", b"two\n");
    site.clean("closed.toml");
    let (a, b) = (site.item("a.txt"), site.item("b.txt"));
    let (first, second) = (site.request(&a, &[]), site.request(&b, &[]));
    // Ada signs the first one's text; it does not count for the second.
    let shown: Value = serde_json::from_slice(&site.act(&["show", &a, "--json"]).stdout).unwrap();
    let statement = shown["requests"][0]["statement"].as_str().unwrap().to_owned();
    let sign = |text: &str| {
        let signature = evidence::sshsig::sign(&person(1), evidence::sshsig::Purpose::Approval, text.as_bytes());
        std::fs::write(site.world.at("sig"), signature).unwrap();
        site.world.at("sig").to_str().unwrap().to_owned()
    };
    refused(&site.act(&["approve", &second, "--signature", &sign(&statement)]), 1, "approves another request");
    refused(&site.act(&["approve", &second, "--signature", &sign(&statement)]), 1, "differs in the bytes");
    for (from, to) in
        [("zone: plant", "zone: office"), ("expires: 2", "expires: 3"), ("action: rebuilt", "action: original")]
    {
        let bent = statement.replacen(from, to, 1);
        assert_ne!(bent, statement);
        let out = site.act(&["approve", &first, "--signature", &sign(&bent)]);
        refused(&out, 1, "the signature is not over the text of the request");
    }
    // A signature for a release is none for an approval.
    let release = evidence::sshsig::sign(&person(1), evidence::sshsig::Purpose::Release, statement.as_bytes());
    std::fs::write(site.world.at("sig"), release).unwrap();
    let sig = site.world.at("sig");
    refused(&site.act(&["approve", &first, "--signature", sig.to_str().unwrap()]), 1, "another namespace");
    // Another zone's policy.
    site.policy("office.toml", "office", "", FORMATS);
    let key = site.world.at("person-1.key");
    let approve = ["approve", first.as_str(), "--key", key.to_str().unwrap()];
    refused(&site.with("office.toml", &approve), 1, "is for the zone \"plant\", this policy is for \"office\"");
    refused(&site.with("office.toml", &["request", &a, "--reason", "x"]), 2, "on its way to the zone \"plant\"");
    assert!(site.approve(&first, 1).status.success() && site.approve(&first, 2).status.success());
    let (team, out) = (site.world.at("team.key"), site.world.out());
    let release = ["release", &a, "--identity", team.to_str().unwrap(), "--out", out.to_str().unwrap()];
    refused(&site.with("office.toml", &release), 1, "is for the zone");
    // A request of no hours has expired when it is made.
    site.policy("policy.toml", "plant", "request_hours = 0", FORMATS);
    site.world.put("c.txt", b"three\n");
    site.clean("closed.toml");
    let c = site.item("c.txt");
    let late = site.request(&c, &[]);
    refused(&site.approve(&late, 1), 1, "has expired on");
    refused(&site.approve(&c, 1), 1, "has expired on");
    refused(&site.release(&c, &[]), 1, "has expired on");
    assert!(site.world.released().is_empty());
    site.assert_whole();
}

#[test]
fn an_original_leaves_only_with_two_and_only_where_engines_find_nothing() {
    let site = Site::new();
    // One approval is enough for rebuilt copies here, and two for originals all the same.
    site.policy("policy.toml", "plant", "approvals = 1", FORMATS);
    site.world.put("tool.exe", &samples::program_stub());
    site.world.put("bad.com", &samples::eicar());
    site.clean("closed.toml");
    let tool = site.item("tool.exe");
    site.request(&tool, &[]);
    assert!(site.approve(&tool, 1).status.success());
    refused(&site.release(&tool, &["--original"]), 1, "nobody has asked for this");
    // Cleaned again it is a program still: withheld, and the request stays.
    let again = site.release(&tool, &[]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    assert_eq!(site.named("withheld-again").len(), 1);
    let request = site.request(&tool, &["--original"]);
    assert!(site.approve(&request, 1).status.success());
    refused(&site.release(&tool, &["--original"]), 1, "1 of 2 approvals");
    assert!(site.approve(&request, 2).status.success());
    let left = site.release(&tool, &["--original", "--json"]);
    assert!(left.status.success(), "{left:?}");
    let told: Value = serde_json::from_slice(&left.stdout).unwrap();
    assert_eq!(told["output"]["method"], "original");
    let path = told["output"]["path"].as_str().unwrap();
    assert_eq!(std::fs::read(site.world.out().join(path)).unwrap(), samples::program_stub());
    assert_eq!(site.named("release-original")[0]["body"]["approved-by"].as_array().unwrap().len(), 2);
    refused(&site.release(&tool, &["--original"]), 1, "was used already");

    let bad = site.item("bad.com");
    let request = site.request(&bad, &["--original"]);
    assert!(site.approve(&request, 1).status.success() && site.approve(&request, 2).status.success());
    let refused_by_engines = site.release(&bad, &["--original"]);
    assert_eq!(refused_by_engines.status.code(), Some(1), "{refused_by_engines:?}");
    assert!(String::from_utf8_lossy(&refused_by_engines.stdout).contains("known to be malicious"));
    assert_eq!(site.world.released().len(), 1);
    assert_eq!(site.named("original-refused").len(), 1);
    site.assert_whole();
}

#[test]
fn what_is_old_goes_first_and_nothing_goes_or_is_lost_in_silence() {
    let site = Site::new();
    let big = |n: u8| vec![n; 60_000];
    // Room for three.
    site.policy("closed.toml", "plant", "size = \"200 kB\"\nat_least = 0", "");
    for n in 0..5 {
        site.world.put(&format!("{n}.bin"), &big(n));
        let (_, lines) = site.clean("closed.toml");
        assert!(lines.iter().all(|line| code(line) != Some(ReasonCode::Station)), "{lines:?}");
        std::fs::remove_file(site.world.input().join(format!("{n}.bin"))).unwrap();
        // Ages are told in seconds.
        std::thread::sleep(Duration::from_millis(1100));
    }
    let names: Vec<String> = site.items().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["2.bin", "3.bin", "4.bin"]);
    let evicted = site.named("evict");
    assert_eq!(evicted.len(), 2);
    for record in &evicted {
        let id = record["body"]["item"].as_str().unwrap();
        let tombstone = std::fs::read_to_string(site.folder().join(format!("gone/{id}.json"))).unwrap();
        let tombstone: Value = serde_json::from_str(&tombstone).unwrap();
        assert_eq!((&tombstone["record"], &tombstone["event"]), (&record["seq"], &Value::from("evict")));
        assert!(!tombstone.to_string().contains(".bin"), "names go with the item");
    }
    // What somebody waits for stays; what is too young for this policy does too.
    site.policy("closed.toml", "plant", "size = \"200 kB\"\nat_least = 7", "");
    site.world.put("5.bin", &big(5));
    let (output, lines) = site.clean("closed.toml");
    assert_eq!(output.status.code(), Some(1));
    let reason = line(&lines, "5.bin").reason.clone().unwrap();
    assert!(reason.text.contains("its original was not kept: the quarantine is full"), "{}", reason.text);
    assert_eq!((site.named("not-kept").len(), site.items().len()), (1, 3));
    site.policy("closed.toml", "plant", "size = \"200 kB\"\nat_least = 7\nfull = \"stop\"", "");
    for n in 6..40 {
        site.world.put(&format!("{n}.bin"), &big(n));
    }
    let (_, lines) = site.clean("closed.toml");
    assert_eq!(lines.len(), 35);
    let begun = lines.iter().filter(|line| code(line) != Some(ReasonCode::Interrupted)).count();
    assert!(begun < 10, "{begun} were taken in after the quarantine was full");
    // Whatever is larger than the whole quarantine does not empty it.
    site.policy("closed.toml", "plant", "size = \"200 kB\"\nat_least = 0", "");
    std::fs::remove_dir_all(site.world.input()).unwrap();
    site.world.put("huge.bin", &vec![1; 300_000]);
    let (_, lines) = site.clean("closed.toml");
    assert!(lines[0].reason.as_ref().unwrap().text.contains("larger than the whole quarantine"));
    assert_eq!(site.items().len(), 3);
    // Purging: by hand with a reason, by age, and not what somebody waits for.
    let (first, second) = (site.item("2.bin"), site.item("3.bin"));
    assert_eq!(site.act(&["purge", &first]).status.code(), Some(2), "a reason is needed");
    assert!(site.act(&["purge", &first, "--reason", "handed to the police"]).status.success());
    site.request(&second, &[]);
    site.policy("policy.toml", "plant", "retention = 0\nat_least = 0", FORMATS);
    assert!(site.act(&["purge", "--expired"]).status.success());
    assert_eq!(site.items().iter().map(|item| item["item"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), [second]);
    assert_eq!(site.named("purge").len(), 2);
    site.assert_whole();
}

#[test]
fn a_damaged_item_is_told_and_never_opened() {
    let site = Site::new();
    site.world.put("a.txt", b"one\n");
    site.clean("closed.toml");
    let item = site.item("a.txt");
    let request = site.request(&item, &[]);
    assert!(site.approve(&request, 1).status.success() && site.approve(&request, 2).status.success());
    let mut chance = Chance(7);
    for name in ["item.json", "item.json.sig", "original.age"] {
        let path = site.folder().join(&item).join(name);
        let whole = std::fs::read(&path).unwrap();
        for _ in 0..if soak() { 200 } else { 4 } {
            let mut bent = whole.clone();
            let at = chance.below(whole.len() as u64) as usize;
            bent[at] ^= 1 << chance.below(8);
            std::fs::write(&path, &bent).unwrap();
            // A blank in the armour of a signature may be another blank.
            let same = name == "item.json.sig" && (whole[at].is_ascii_whitespace() && bent[at].is_ascii_whitespace());
            if !same {
                refused(&site.release(&item, &[]), 1, "is damaged");
                assert_eq!(site.act(&["check"]).status.code(), Some(1), "{name} byte {at}");
            }
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        if name != "item.json.sig" {
            refused(&site.act(&["list"]), 1, "is damaged");
        }
        std::fs::write(&path, &whole).unwrap();
    }
    site.assert_whole();
    // Another item's files are another item's, however whole.
    site.world.put("b.txt", b"two\n");
    site.clean("closed.toml");
    let other = site.item("b.txt");
    for name in ["item.json", "item.json.sig", "original.age"] {
        std::fs::copy(site.folder().join(&other).join(name), site.folder().join(&item).join(name)).unwrap();
    }
    refused(&site.release(&item, &[]), 1, "belongs to another item");
    std::fs::remove_dir_all(site.folder().join(&other)).unwrap();
    let checked = site.act(&["check"]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains(&format!("{other} is missing")));
    // What nobody recorded is no item, however well it looks.
    let stray = site.folder().join("0123456789abcdef-1");
    std::fs::create_dir(&stray).unwrap();
    let checked = site.act(&["check"]);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("no record says how it came"));
    std::fs::remove_dir(&stray).unwrap();
    assert!(site.act(&["purge", &item, "--reason", "damaged"]).status.success());
    assert!(site.items().is_empty() && site.world.released().is_empty());
}

#[test]
fn mistakes_have_one_sentence_and_change_nothing() {
    let site = Site::new();
    refused(&site.act(&["list"]), 2, "there is no journal");
    site.world.put("a.txt", b"one\n");
    site.world.clean(&[]);
    refused(&site.act(&["list"]), 2, "there is no quarantine at");
    site.clean("closed.toml");
    let item = site.item("a.txt");
    refused(&site.act(&["show", "ffff"]), 2, "there is no item");
    refused(&site.act(&["show", "../../x"]), 2, "there is no item");
    let request = site.request(&item, &[]);
    let key = site.world.at("team.key");
    refused(&site.act(&["approve", &request, "--key", key.to_str().unwrap()]), 2, "malformed");
    assert!(site.approve(&request, 1).status.success() && site.approve(&request, 2).status.success());
    let made = site.world.sallyport().args(["quarantine", "keygen"]).arg(site.world.at("other.key")).output().unwrap();
    assert!(made.status.success());
    let (other, person, out) = (site.world.at("other.key"), site.world.at("person-1.key"), site.world.out());
    let release =
        |key: &Path| site.act(&["release", &item, "--identity", key.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    refused(&release(&other), 2, "this identity cannot open it");
    refused(&release(&person), 2, "it holds no age identity");
    let again = site.world.sallyport().args(["quarantine", "keygen"]).arg(&other).output().unwrap();
    refused(&again, 2, "cannot be written");
    for (good, bad, sentence) in [
        ("age1", "age2", "is no age recipient"),
        ("approvals = 2", "approvals = 3", "quarantine.approvals is 1 or 2"),
        ("approvals = 2", "at_least = 100", "longer than quarantine.retention"),
        (&public(2), &public(1), "stands there twice"),
        ("ssh-ed25519", "ssh-rsa", "is no line ssh-ed25519"),
    ] {
        site.policy("bad.toml", "plant", "approvals = 2", FORMATS);
        let text = std::fs::read_to_string(site.world.at("bad.toml")).unwrap();
        std::fs::write(site.world.at("bad.toml"), text.replacen(good, bad, 1)).unwrap();
        refused(&site.with("bad.toml", &["list"]), 2, sentence);
    }
    site.assert_whole();
}

#[test]
fn new_rules_are_tried_on_everything_that_is_held() {
    let site = Site::new();
    site.world.put("a.txt", b"one\n");
    site.world.put("tool.exe", &samples::program_stub());
    site.clean("closed.toml");
    let key = site.world.at("team.key");
    let told = site.act(&["reclean", "--identity", key.to_str().unwrap(), "--json"]);
    assert_eq!(told.status.code(), Some(1), "one of the two would not pass");
    let rows: Vec<Value> =
        String::from_utf8(told.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let passes = |name: &str| rows.iter().find(|row| row["line"]["input"] == name).unwrap()["passes"].clone();
    assert_eq!((passes("a.txt"), passes("tool.exe")), (Value::Bool(true), Value::Bool(false)));
    let only = site.act(&["reclean", &site.item("a.txt"), "--identity", key.to_str().unwrap()]);
    assert!(only.status.success() && String::from_utf8_lossy(&only.stdout).contains("would pass now"), "{only:?}");
    assert!(site.world.released().is_empty() && site.items().len() == 2, "nothing was released or taken away");
}

#[test]
fn a_station_killed_at_any_moment_leaves_no_half_item_and_no_item_without_record() {
    let put_all = |site: &Site| {
        for n in 0..30u8 {
            site.world.put(&format!("{n}.bin"), &vec![n; 20_000]);
        }
    };
    // Room for some, so that items go as well as come.
    let terms = "size = \"300 kB\"\nat_least = 0";
    let reference = Site::new();
    reference.policy("closed.toml", "plant", terms, "");
    put_all(&reference);
    let started = Instant::now();
    reference.clean("closed.toml");
    let whole = started.elapsed();
    let mut chance = Chance(0x9a7a_11fe);
    let mut interrupted = 0;
    let rounds = if soak() { 200 } else { 8 };
    for round in 0..rounds {
        let site = Site::new();
        site.policy("closed.toml", "plant", terms, "");
        put_all(&site);
        for _ in 0..=chance.below(3) {
            let mut command = site.world.sallyport();
            command.arg("clean").arg(site.world.input()).arg("--out").arg(site.world.out());
            command.arg("--policy").arg(site.world.at("closed.toml")).arg("--quarantine").arg(site.folder());
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            let mut child = command.spawn().unwrap();
            // Most of a run is its start: aim at what comes after.
            let micros = whole.as_micros() as u64;
            std::thread::sleep(Duration::from_micros(micros / 3 + chance.below(micros * 2 / 3)));
            child.kill().unwrap();
            interrupted += usize::from(child.wait().unwrap().code().is_none());
        }
        if !site.folder().exists() {
            continue;
        }
        let checked = site.act(&["check"]);
        assert!(checked.status.success(), "round {round}: {}", String::from_utf8_lossy(&checked.stdout));
        let names = std::fs::read_dir(site.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        let hidden: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
        assert!(hidden.is_empty(), "round {round}: {hidden:?}");
        let removed = site.named("evict").len();
        let tombstones = std::fs::read_dir(site.folder().join("gone")).unwrap().count();
        assert_eq!(removed, tombstones, "round {round}: each that went has its tombstone");
        assert_eq!(site.named("put").len(), site.items().len() + removed, "round {round}");
        site.clean("closed.toml");
        site.assert_whole();
    }
    eprintln!("{interrupted} runs interrupted over {rounds} quarantines");
    assert!(interrupted > rounds / 3);
}

#[test]
fn people_work_on_it_while_a_station_does_and_two_who_release_at_once_use_one_request() {
    let site = Site::new();
    site.world.put("a.txt", b"set point 7\n");
    site.clean("closed.toml");
    let item = site.item("a.txt");
    let request = site.request(&item, &[]);
    assert!(site.approve(&request, 1).status.success() && site.approve(&request, 2).status.success());
    for n in 0..60u8 {
        site.world.put(&format!("{n}.bin"), &vec![n; 20_000]);
    }
    let mut clean = site.world.sallyport();
    clean.arg("clean").arg(site.world.input()).arg("--out").arg(site.world.at("elsewhere"));
    clean.arg("--policy").arg(site.world.at("closed.toml")).arg("--quarantine").arg(site.folder());
    let mut station = clean.stdout(std::process::Stdio::null()).spawn().unwrap();
    let release = || {
        let mut command = site.world.sallyport();
        command.args(["quarantine", "release", &item, "--identity"]).arg(site.world.at("team.key"));
        command.arg("--out").arg(site.world.out()).arg("--quarantine").arg(site.folder());
        command.arg("--policy").arg(site.world.at("policy.toml"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let both = [release(), release()];
    while station.try_wait().unwrap().is_none() {
        if let Some(bin) = site.items().iter().find(|item| item["name"].as_str().unwrap().ends_with(".bin")) {
            let id = bin["item"].as_str().unwrap();
            assert!(site.act(&["purge", id, "--reason", "a test"]).status.success());
        }
        assert!(site.act(&["check"]).status.success());
    }
    let ended = both.map(|child| child.wait_with_output().unwrap());
    let released = ended.iter().filter(|output| output.status.success()).count();
    assert_eq!(released, 1, "{ended:?}");
    let late = ended.iter().find(|output| !output.status.success()).unwrap();
    refused(late, 1, "was used already");
    assert_eq!((site.named("released").len(), site.world.released().len()), (1, 1));
    assert_eq!(site.items().len() + site.named("purge").len(), 61);
    site.assert_whole();
}
