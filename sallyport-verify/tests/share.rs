//! A share with releases of one station, held against its manifests by our check and by stock tools; every way of
//! tampering is seen.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]
#![expect(clippy::disallowed_methods, reason = "stock tools are started as a person would")]

use evidence::release::{FOLDER, MANIFEST, SUMS, SUMS_SIGNATURE};
use evidence::{Clock, FileRow, Release, Session, Source, StationKey, StationRow, sshsig, time};
use model::{Digest, Format, Method};
use sallyport_verify::{Options, ProblemKind, State, check, pack, unpack};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const NOW: u64 = 1_790_000_000;

fn digest(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

struct Share {
    dir: tempfile::TempDir,
    key: StationKey,
    last: Option<Digest>,
    sequence: u64,
}

impl Share {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), key: StationKey::from_seed(&[5; 32]), last: None, sequence: 0 }
    }

    /// A share with two sessions: three files, names that need care among them.
    fn filled() -> Self {
        let mut share = Self::new();
        share.release(&[("reports/a b.txt", b"first\n"), ("x.csv", b"1,2\n")], NOW - 86_400);
        share.release(&[("gr\u{fc}n\\line\nbreak.txt", b"second\n")], NOW);
        share
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn folder(&self, sequence: u64) -> String {
        format!("{FOLDER}/{sequence:08}-{}", self.key.public().id())
    }

    fn release(&mut self, files: &[(&str, &[u8])], when: u64) {
        self.sequence += 1;
        let row = |(path, bytes): &(&str, &[u8])| FileRow {
            path: (*path).to_owned(),
            sha256: digest(bytes),
            size: bytes.len() as u64,
            format: Format::Txt,
            method: Method::Rebuilt,
            source: Source { path: (*path).to_owned(), sha256: digest(b"in"), size: 2, format: Format::Txt },
            findings: BTreeMap::new(),
        };
        let release = Release {
            station: StationRow {
                name: "gate-3".into(),
                software: "0".into(),
                zone: "plant".into(),
                policy: digest(b"policy"),
                rules: BTreeMap::new(),
            },
            session: Session {
                id: format!("s{}", self.sequence),
                sequence: self.sequence,
                previous: self.last,
                time: time::format(when),
                clock: Clock::Free,
                operator: None,
                purpose: None,
            },
            files: files.iter().map(row).collect(),
            held: vec![],
            minisig: None,
        };
        for (path, bytes) in files {
            std::fs::create_dir_all(self.at(path).parent().unwrap()).unwrap();
            std::fs::write(self.at(path), bytes).unwrap();
        }
        let (envelope, statement) = release.seal(&self.key).unwrap();
        self.last = Some(statement);
        let folder = self.at(&self.folder(self.sequence));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            folder.join(SUMS_SIGNATURE),
            sshsig::sign(&self.key, sshsig::Purpose::Release, release.sums().as_bytes()),
        )
        .unwrap();
        std::fs::write(folder.join(SUMS), release.sums()).unwrap();
        std::fs::write(folder.join(MANIFEST), envelope).unwrap();
    }

    fn options(&self) -> Options {
        Options {
            trusted: vec![self.key.public()],
            zone: Some("plant".into()),
            max_age_days: Some(7),
            ignore_missing: false,
            now: NOW,
            state: State::default(),
        }
    }

    fn kinds(&self, options: &Options) -> Vec<ProblemKind> {
        let mut kinds: Vec<ProblemKind> =
            check(self.dir.path(), options).unwrap().problems.iter().map(|problem| problem.kind).collect();
        kinds.dedup();
        kinds
    }
}

#[test]
fn a_share_as_it_was_released_is_well() {
    let share = Share::filled();
    let checked = check(share.dir.path(), &share.options()).unwrap();
    assert_eq!((checked.files, checked.releases, checked.problems.len()), (3, 2, 0), "{:?}", checked.problems);
    let empty = tempfile::tempdir().unwrap();
    assert!(check(empty.path(), &share.options()).unwrap().problems.is_empty());
}

#[test]
fn every_way_of_tampering_is_seen() {
    use ProblemKind as K;
    type Tamper = fn(&Share);
    let cases: &[(&str, Tamper, &[K])] = &[
        ("a changed file", |s| std::fs::write(s.at("x.csv"), "1,3\n").unwrap(), &[K::Changed]),
        ("a longer file", |s| std::fs::write(s.at("x.csv"), "1,2\n ").unwrap(), &[K::Changed]),
        ("a missing file", |s| std::fs::remove_file(s.at("x.csv")).unwrap(), &[K::Missing]),
        ("an extra file", |s| std::fs::write(s.at("y.exe"), "MZ").unwrap(), &[K::Extra]),
        (
            "an extra file among the manifests",
            |s| std::fs::write(s.at(&format!("{FOLDER}/x")), "").unwrap(),
            &[K::Extra],
        ),
        (
            "an extra file in a manifest's folder",
            |s| std::fs::write(s.at(&format!("{}/x", s.folder(1))), "").unwrap(),
            &[K::Extra],
        ),
        (
            "a link in place of a file",
            |s| {
                std::fs::rename(s.at("x.csv"), s.at("../x.csv.away-by-test")).ok();
                std::fs::remove_file(s.at("x.csv")).ok();
                std::os::unix::fs::symlink("/etc/passwd", s.at("x.csv")).unwrap();
                std::fs::remove_file(s.at("../x.csv.away-by-test")).ok();
            },
            &[K::NoFile],
        ),
        ("a removed release in the middle", |s| std::fs::remove_dir_all(s.at(&s.folder(1))).unwrap(), &[K::Extra]),
        (
            "sums that were edited",
            |s| std::fs::write(s.at(&format!("{}/{SUMS}", s.folder(2))), "").unwrap(),
            &[K::Manifest, K::Extra],
        ),
        (
            "a signature of other sums",
            |s| {
                std::fs::copy(
                    s.at(&format!("{}/{SUMS_SIGNATURE}", s.folder(1))),
                    s.at(&format!("{}/{SUMS_SIGNATURE}", s.folder(2))),
                )
                .unwrap();
            },
            &[K::Manifest, K::Extra],
        ),
    ];
    for (what, tamper, expected) in cases {
        let share = Share::filled();
        tamper(&share);
        assert_eq!(share.kinds(&share.options()), *expected, "{what}");
    }
}

#[test]
fn another_key_zone_or_time_is_seen() {
    use ProblemKind as K;
    let share = Share::filled();
    let with = |change: fn(&mut Options)| {
        let mut options = share.options();
        change(&mut options);
        share.kinds(&options)
    };
    assert_eq!(with(|o| o.trusted = vec![StationKey::from_seed(&[6; 32]).public()]), [K::Manifest, K::Extra]);
    assert_eq!(with(|o| o.zone = Some("office".into())), [K::Zone]);
    assert_eq!(with(|o| o.now += 30 * 86_400), [K::Age]);
    assert_eq!(with(|o| o.now -= 3_600), [K::Age], "from the future");
}

#[test]
fn gaps_forks_and_breaks_in_the_sequence_are_seen() {
    use ProblemKind as K;
    let mut gap = Share::filled();
    gap.release(&[("z.txt", b"third\n")], NOW);
    std::fs::remove_dir_all(gap.at(&gap.folder(2))).unwrap();
    std::fs::remove_file(gap.at("gr\u{fc}n\\line\nbreak.txt")).unwrap();
    assert_eq!(gap.kinds(&gap.options()), [K::Sequence]);

    let mut forked = Share::filled();
    forked.last = Some(digest(b"another past"));
    forked.release(&[("z.txt", b"third\n")], NOW);
    assert_eq!(forked.kinds(&forked.options()), [K::Sequence]);

    // What was cleared away is no gap for whoever remembers it, and a gap for the one after.
    let mut share = Share::filled();
    let state = check(share.dir.path(), &share.options()).unwrap().state;
    std::fs::remove_dir_all(share.dir.path().join(FOLDER)).unwrap();
    ["reports/a b.txt", "x.csv", "gr\u{fc}n\\line\nbreak.txt"]
        .iter()
        .for_each(|f| std::fs::remove_file(share.at(f)).unwrap());
    share.release(&[("third.txt", b"3\n")], NOW);
    let remembering = |share: &Share| Options { state: state.clone(), ..share.options() };
    assert_eq!(share.kinds(&remembering(&share)), []);
    std::fs::remove_dir_all(share.dir.path().join(FOLDER)).unwrap();
    std::fs::remove_file(share.at("third.txt")).unwrap();
    share.release(&[("fourth.txt", b"4\n")], NOW);
    assert_eq!(share.kinds(&remembering(&share)), [K::Sequence]);
}

#[test]
fn no_changed_byte_of_a_manifest_is_taken() {
    let share = Share::filled();
    let path = share.at(&format!("{}/{MANIFEST}", share.folder(1)));
    let good = std::fs::read(&path).unwrap();
    for at in (0..good.len()).step_by(7) {
        let mut bent = good.clone();
        bent[at] ^= 0x04;
        std::fs::write(&path, &bent).unwrap();
        let problems = check(share.dir.path(), &share.options()).unwrap().problems;
        // The key's id beside the signature is a hint, which is not signed.
        let hint = good.windows(8).position(|w| w == b"\"keyid\":").unwrap();
        assert!(!problems.is_empty() || (hint..hint + 30).contains(&at), "byte {at} of {}", good.len());
    }
}

#[test]
fn a_package_carries_a_session_over() {
    let share = Share::filled();
    let trusted = [share.key.public()];
    let package = share.at("../one.sallyport-test");
    pack(share.dir.path(), &share.folder(1), &trusted, &package).unwrap();
    let again = share.at("../two.sallyport-test");
    pack(share.dir.path(), &share.folder(1), &trusted, &again).unwrap();
    let bytes = std::fs::read(&package).unwrap();
    assert_eq!(bytes, std::fs::read(&again).unwrap(), "the same session packs to the same bytes");

    let other = tempfile::tempdir().unwrap();
    unpack(&package, &trusted, other.path()).unwrap();
    assert_eq!(std::fs::read(other.path().join("x.csv")).unwrap(), b"1,2\n");
    let checked = check(other.path(), &share.options()).unwrap();
    assert_eq!((checked.files, checked.releases, checked.problems.len()), (2, 1, 0), "{:?}", checked.problems);
    unpack(&package, &trusted, other.path()).expect("a second time changes nothing");

    // Tampered, cut, by a stranger, onto another file: refused, and nothing is published.
    let refused = |bytes: &[u8], what: &str| {
        let (other, bent) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
        std::fs::write(bent.path(), bytes).unwrap();
        assert!(unpack(bent.path(), &trusted, other.path()).is_err(), "{what}");
        assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0, "{what}");
    };
    for cut in (0..bytes.len() - 1024).step_by(512) {
        refused(&bytes[..cut], &format!("cut at {cut}"));
    }
    let at = bytes.windows(6).position(|w| w == b"first\n").unwrap();
    let mut bent = bytes.clone();
    bent[at] ^= 1;
    refused(&bent, "a changed file");
    let stranger = [StationKey::from_seed(&[6; 32]).public()];
    assert!(unpack(&package, &stranger, tempfile::tempdir().unwrap().path()).is_err());
    let taken = tempfile::tempdir().unwrap();
    std::fs::write(taken.path().join("x.csv"), "theirs").unwrap();
    assert!(unpack(&package, &trusted, taken.path()).is_err());
    assert_eq!(std::fs::read(taken.path().join("x.csv")).unwrap(), b"theirs");
    assert_eq!(std::fs::read_dir(taken.path()).unwrap().count(), 1);
    std::fs::remove_file(package).unwrap();
    std::fs::remove_file(again).unwrap();
}

fn run(dir: &Path, command: &str, stdin: Option<&Path>) -> Option<(bool, String)> {
    let mut words = command.split(' ');
    let mut process = Command::new(words.next().unwrap());
    process.args(words).current_dir(dir);
    process.stdin(stdin.map_or(Stdio::null(), |path| std::fs::File::open(path).unwrap().into()));
    match process.output() {
        Ok(out) => {
            let text = [out.stdout, out.stderr].concat();
            Some((out.status.success(), String::from_utf8_lossy(&text).into_owned()))
        }
        Err(_) => {
            eprintln!("\n*** NOT TESTED: {command:?} cannot be started here ***\n");
            None
        }
    }
}

#[test]
fn stock_tools_agree() {
    let share = Share::filled();
    let (dir, tools) = (share.dir.path(), tempfile::tempdir().unwrap());
    for sequence in [1, 2] {
        let folder = share.folder(sequence);
        if let Some((ok, text)) = run(dir, &format!("sha256sum --strict -c {folder}/{SUMS}"), None) {
            assert!(ok, "{text}");
        }
        let signers = tools.path().join("allowed_signers");
        std::fs::write(&signers, share.key.public().to_allowed_signer("gate-3@plant")).unwrap();
        let command = format!(
            "ssh-keygen -Y verify -f {} -I gate-3@plant -n sallyport-release -s {folder}/{SUMS_SIGNATURE}",
            signers.display()
        );
        if let Some((ok, text)) = run(dir, &command, Some(&dir.join(&folder).join(SUMS))) {
            assert!(ok && text.contains("Good"), "{text}");
            let (ok, text) = run(dir, &command, Some(&dir.join(&folder).join(MANIFEST))).unwrap();
            assert!(!ok, "{text}");
        }
    }
    // The envelope, taken apart as its protocol says, under openssl.
    let envelope: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.join(share.folder(1)).join(MANIFEST)).unwrap()).unwrap();
    let decode = |text: &serde_json::Value, to: &str| {
        let from = tools.path().join("b64");
        std::fs::write(&from, text.as_str().unwrap()).unwrap();
        let out = run(tools.path(), &format!("openssl base64 -d -A -in b64 -out {to}"), None)?;
        assert!(out.0, "{}", out.1);
        std::fs::read(tools.path().join(to)).ok()
    };
    if let (Some(payload), Some(_)) =
        (decode(&envelope["payload"], "payload"), decode(&envelope["signatures"][0]["sig"], "sig"))
    {
        let head = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len());
        std::fs::write(tools.path().join("pae"), [head.as_bytes(), &payload].concat()).unwrap();
        std::fs::write(tools.path().join("key.pem"), share.key.public().to_pem()).unwrap();
        let verify = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in pae -sigfile sig";
        let (ok, text) = run(tools.path(), verify, None).unwrap();
        assert!(ok, "{text}");
        std::fs::write(tools.path().join("private.pem"), share.key.to_pem()).unwrap();
        let (ok, text) = run(tools.path(), "openssl pkey -in private.pem -pubout", None).unwrap();
        assert!(ok && text == share.key.public().to_pem(), "{text}");
    }
}

#[test]
fn the_program_says_what_it_found_and_exits_as_documented() {
    let share = Share::filled();
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), share.key.public().to_pem()).unwrap();
    let program = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sallyport-verify"));
        let out = command.arg(share.dir.path()).arg("--trust").arg(key.path()).args(more).output().unwrap();
        (out.status.code(), String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
    };
    let state = share.at("../verify-state-test.json");
    let (code, words, _) = program(&["--state", state.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("all is well: 3 files in 2 releases"), "{words}");
    assert!(std::fs::read_to_string(&state).unwrap().contains("\"sequence\":2"));
    std::fs::remove_file(state).unwrap();
    std::fs::write(share.at("bad\x1b[2J.txt"), "x").unwrap();
    let (code, words, _) = program(&[]);
    assert_eq!(code, Some(1));
    assert!(words.contains("no valid manifest") && !words.contains('\x1b'), "{words}");
    let (code, json, _) = program(&["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["problems"][0]["kind"].as_str()), (Some(1), Some("extra")));
    std::fs::write(key.path(), "no key").unwrap();
    let (code, _, error) = program(&[]);
    assert_eq!(code, Some(2));
    assert!(error.contains("ask the station's keeper"), "{error}");
}
