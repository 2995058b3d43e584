//! What is encrypted, through the real program: opened with the password and looked at like everything else, withheld
//! without, and the password is nowhere afterwards. Other people's programs lock the files where this machine has them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking; clippy knows the test functions only"
)]

mod common;

use common::{World, code, corpus, files_below, line};
use lopdf::encryption::crypt_filters::{Aes128CryptFilter, Aes256CryptFilter, CryptFilter};
use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions, StringFormat};
use model::{EngineVerdict, Outcome, ReasonCode};
use samples::{Lock, Scheme, office_locked, zip_locked};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const PASSWORD: &str = "Correct-Horse-4711";
const AES: Lock = Lock::Aes { key: 32, version: 2 };
const AGILE: Scheme = Scheme::Agile { rounds: 100_000 };

/// A file of passwords that only its owner can read.
fn list(world: &World, text: &str) -> PathBuf {
    let path = world.at("passwords");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn policy(world: &World, more: &str) -> String {
    let path = world.at("policy.toml");
    let example = include_str!("../docs/policy.toml");
    let (head, tail) = example.split_once("none_fits = \"block\"\n").unwrap();
    std::fs::write(&path, format!("{head}{more}\n{tail}").replace("stale = \"hold\"", "stale = \"warn\"")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn with_the_password_every_engine_sees_what_is_inside_and_without_it_stays_outside() {
    let (docm, eicar) = (samples::docm(), samples::eicar());
    let document = office_locked(&docm, PASSWORD, AGILE);
    let world = World::new();
    world.put("letter.zip", &zip_locked(&[("letter.docm", &docm), ("note.txt", b"fine\n")], PASSWORD, AES));
    world.put("virus.zip", &zip_locked(&[("virus.txt", &eicar)], PASSWORD, Lock::ZipCrypto));
    world.put("letter.docm", &document);
    world.put("deep.zip", &zip_locked(&[("letter.docx", &document)], PASSWORD, AES));
    world.put("locked.pdf", &locked_pdfs()[2].1);
    world.put("plain.txt", b"fine\n");

    let (_, lines) = world.clean(&[]);
    for name in ["letter.zip", "virus.zip", "letter.docm", "deep.zip", "locked.pdf"] {
        let line = line(&lines, name);
        assert_eq!((line.verdict, code(line)), (Outcome::Blocked, Some(ReasonCode::Encrypted)), "{name}");
        assert!(line.reason.as_ref().unwrap().text.contains("no password was handed over"), "{name}");
    }
    assert_eq!(line(&lines, "plain.txt").verdict, Outcome::Released);

    let path = list(&world, &format!("wrong\n{PASSWORD}\n"));
    let (_, lines) = world.clean(&["--password-file", path.to_str().unwrap()]);
    let letter = line(&lines, "letter.zip");
    assert_eq!(letter.verdict, Outcome::Released, "{:?}", letter.reason);
    assert!(letter.findings.iter().any(|row| row.id == "ARC-06" && row.at.contains("opened with a password")));
    assert!(letter.children[0].findings.iter().any(|row| row.id == "OOX-03"), "the macro was met and removed");
    let virus = line(&lines, "virus.zip");
    assert_eq!(code(virus), Some(ReasonCode::Detection));
    for engine in ["yara", "hashes"] {
        let row = virus.engines.iter().find(|row| row.engine == engine).unwrap();
        assert_eq!(row.verdict, EngineVerdict::Malicious, "{engine}");
    }
    let document = line(&lines, "letter.docm");
    assert_eq!(document.verdict, Outcome::Released, "{:?}", document.reason);
    assert!(
        document.findings.iter().any(|row| row.id == "OOX-32")
            && document.findings.iter().any(|row| row.id == "OOX-03")
    );
    assert_eq!(line(&lines, "deep.zip").children[0].verdict, Outcome::Released);
    let pdf = line(&lines, "locked.pdf");
    assert_eq!(pdf.verdict, Outcome::Released, "{:?}", pdf.reason);
    assert!(pdf.findings.iter().any(|row| row.id == "PDF-14" && row.at == "opened with a password"));
    // The engine `structure` still tells that they came encrypted.
    for name in ["letter.zip", "letter.docm", "deep.zip", "locked.pdf"] {
        let row = line(&lines, name).engines.iter().find(|row| row.engine == "structure").unwrap();
        assert!(row.matches.iter().any(|hit| hit.rule == "encrypted"), "{name}: {:?}", row.matches);
    }

    let wrong = list(&world, "wrong\n");
    let (_, lines) = world.clean(&["--password-file", wrong.to_str().unwrap()]);
    let text = &line(&lines, "virus.zip").reason.as_ref().unwrap().text;
    assert!(text.contains("no password fits (1 tried)"), "{text}");
}

#[test]
fn what_comes_out_needs_no_password_and_passes_again() {
    let world = World::new();
    world.put("a.zip", &zip_locked(&[("t.txt", b"text\n")], PASSWORD, AES));
    world.put("b.docx", &office_locked(&samples::docx(), PASSWORD, Scheme::Standard));
    let path = list(&world, PASSWORD);
    let (output, _) = world.clean(&["--password-file", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let second = World::new();
    for (name, bytes) in world.released() {
        second.put(&name, &bytes);
    }
    let (output, lines) = second.clean(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines.len(), 2);
    assert_eq!(second.released(), world.released());
}

#[test]
fn a_password_is_nowhere_when_all_is_done() {
    let world = World::new();
    world.put("a.zip", &zip_locked(&[("t.txt", b"text\n"), ("run.bat", b"del *")], PASSWORD, AES));
    world.put("b.docx", &office_locked(&samples::docx(), PASSWORD, AGILE));
    world.put("c.zip", &zip_locked(&[("t.txt", b"text\n")], "another one", AES));
    let keep = list(&world, &format!("{PASSWORD}\n"));
    let policy = policy(&world, &format!("file = {:?}", keep));
    let (quarantine, cache) = (world.at("quarantine"), world.at("cache"));
    let arguments =
        ["--policy", &policy, "--quarantine", quarantine.to_str().unwrap(), "--cache", cache.to_str().unwrap()];
    let (output, lines) = world.clean(&arguments);
    assert_eq!(line(&lines, "a.zip").verdict, Outcome::Released, "{:?}", line(&lines, "a.zip").reason);
    assert_eq!(line(&lines, "b.docx").verdict, Outcome::Released);
    let printed = [output.stdout, output.stderr].concat();
    let written = files_below(world.dir.path()).into_iter().filter(|(name, _)| name != "passwords");
    let utf_16: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
    let mut seen = 0;
    for (name, bytes) in written.chain([("what was printed".to_owned(), printed)]) {
        seen += 1;
        assert!(!holds(&bytes, PASSWORD.as_bytes()) && !holds(&bytes, &utf_16), "{name}");
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn a_list_of_passwords_comes_from_a_private_file_or_a_pipe() {
    let world = World::new();
    world.put("a.zip", &zip_locked(&[("t.txt", b"text\n")], PASSWORD, AES));
    let path = list(&world, PASSWORD);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (output, lines) = world.clean(&["--password-file", path.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), lines.len()), (Some(2), 0));
    assert!(said.contains("chmod 600") && !said.contains(PASSWORD) && said.lines().count() == 1, "{said}");
    let shared = policy(&world, &format!("file = {path:?}"));
    assert_eq!(world.clean(&["--policy", &shared]).0.status.code(), Some(2));

    let mut command = world.sallyport();
    command.arg("clean").arg(world.input()).arg("--out").arg(world.out()).args(["--json", "--password-file", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

/// One PDF for each way of the standard security handler, by another library.
fn locked_pdfs() -> Vec<(&'static str, Vec<u8>)> {
    let key = [7; 32];
    let filters = |filter: Arc<dyn CryptFilter>| BTreeMap::from([(b"StdCF".to_vec(), filter)]);
    let (stream_filter, string_filter) = (b"StdCF".to_vec(), b"StdCF".to_vec());
    let mut document = Document::load_mem(&samples::pdf()).unwrap();
    let id = || Object::String(b"an identifier of".to_vec(), StringFormat::Literal);
    document.trailer.set("ID", Object::Array(vec![id(), id()]));
    let (owner_password, user_password, permissions) = ("the owner's", PASSWORD, Permissions::all());
    #[expect(deprecated, reason = "people have such files")]
    let versions = [
        ("RC4, 40 bits", EncryptionVersion::V1 { document: &document, owner_password, user_password, permissions }),
        (
            "RC4, 128 bits",
            EncryptionVersion::V2 { document: &document, owner_password, user_password, key_length: 128, permissions },
        ),
        (
            "AES-128",
            EncryptionVersion::V4 {
                document: &document,
                encrypt_metadata: true,
                crypt_filters: filters(Arc::new(Aes128CryptFilter)),
                stream_filter: stream_filter.clone(),
                string_filter: string_filter.clone(),
                owner_password,
                user_password,
                permissions,
            },
        ),
        (
            "AES-256, revision 5",
            EncryptionVersion::R5 {
                encrypt_metadata: true,
                crypt_filters: filters(Arc::new(Aes256CryptFilter)),
                file_encryption_key: &key,
                stream_filter: stream_filter.clone(),
                string_filter: string_filter.clone(),
                owner_password,
                user_password,
                permissions,
            },
        ),
        (
            "AES-256, revision 6",
            EncryptionVersion::V5 {
                encrypt_metadata: true,
                crypt_filters: filters(Arc::new(Aes256CryptFilter)),
                file_encryption_key: &key,
                stream_filter,
                string_filter,
                owner_password,
                user_password,
                permissions,
            },
        ),
    ];
    let lock = |(name, version)| {
        let state = EncryptionState::try_from(version).unwrap();
        let mut locked = document.clone();
        locked.encrypt(&state).unwrap();
        let mut bytes = Vec::new();
        locked.save_to(&mut bytes).unwrap();
        (name, bytes)
    };
    versions.into_iter().map(lock).collect()
}

#[test]
fn pdfs_of_every_revision_open_with_their_password() {
    let world = World::new();
    for (name, bytes) in locked_pdfs() {
        world.put(&format!("{name}.pdf"), &bytes);
    }
    world.put("virus.pdf", &locked_with_virus());
    let path = list(&world, &format!("wrong\n{PASSWORD}\n"));
    let (_, lines) = world.clean(&["--password-file", path.to_str().unwrap()]);
    assert_eq!(lines.len(), 6);
    for line in lines.iter().filter(|line| line.input != "virus.pdf") {
        assert_eq!(line.verdict, Outcome::Released, "{}: {:?}", line.input, line.reason);
        let has = |id: &str| line.findings.iter().any(|row| row.id == id);
        assert!(has("PDF-14") && has("PDF-21"), "{}: the script inside was met", line.input);
    }
    // The test file is in the content of a page, which is no object by itself: only the deciphered document shows it.
    assert_eq!(code(line(&lines, "virus.pdf")), Some(ReasonCode::Detection), "{:?}", line(&lines, "virus.pdf").engines);
}

fn locked_with_virus() -> Vec<u8> {
    let mut document = Document::load_mem(&samples::pdf_plain()).unwrap();
    let content = document.get_object_mut((4, 0)).unwrap().as_stream_mut().unwrap();
    content.set_plain_content(samples::eicar());
    let mut plain = Vec::new();
    document.save_to(&mut plain).unwrap();
    let permissions = Permissions::all();
    let id = || Object::String(b"an identifier of".to_vec(), StringFormat::Literal);
    document.trailer.set("ID", Object::Array(vec![id(), id()]));
    let version =
        EncryptionVersion::V1 { document: &document, owner_password: "o", user_password: PASSWORD, permissions };
    let state = EncryptionState::try_from(version).unwrap();
    document.encrypt(&state).unwrap();
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// Runs a program of this machine; `false`, and said loudly, where it is not there.
#[expect(clippy::disallowed_methods, reason = "the test plays the sender who locks a file")]
fn run(program: &str, folder: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    match command.status() {
        Ok(status) => {
            assert!(status.success(), "{program} {arguments:?}");
            true
        }
        Err(_) => {
            eprintln!("\n*** NOT TESTED: this machine has no {program} (make setup-tests installs it) ***\n");
            false
        }
    }
}

#[test]
fn what_other_programs_lock_is_opened() {
    let world = World::new();
    let (docx, folder) = (samples::docx(), world.at("made"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.docx"), &docx).unwrap();
    std::fs::write(folder.join("plain.pdf"), samples::pdf()).unwrap();
    let secret = format!("-p{PASSWORD}");
    run("zip", &folder, &["-q", "-P", PASSWORD, "zip.zip", "a.docx"]);
    for method in ["ZipCrypto", "AES128", "AES192", "AES256"] {
        run("7z", &folder, &["a", &secret, &format!("-mem={method}"), &format!("7z-{method}.zip"), "a.docx"]);
    }
    for (name, how) in [
        ("r2", &["40"][..]),
        ("r3", &["128", "--use-aes=n"]),
        ("r4", &["128", "--use-aes=y"]),
        ("r5", &["256", "--force-R5"]),
        ("r6", &["256"]),
    ] {
        let out = format!("qpdf-{name}.pdf");
        let how = [&["--allow-weak-crypto", "--encrypt", PASSWORD, "owner"], how, &["--", "plain.pdf", &out]].concat();
        run("qpdf", &folder, &how);
    }
    for name in ["a.docx", "plain.pdf"] {
        std::fs::remove_file(folder.join(name)).unwrap();
    }
    let made = files_below(&folder);
    made.iter().for_each(|(name, bytes)| world.put(name, bytes));
    let path = list(&world, PASSWORD);
    let (_, lines) = world.clean(&["--password-file", path.to_str().unwrap()]);
    assert_eq!(lines.len(), made.len());
    for line in &lines {
        assert_eq!(line.verdict, Outcome::Released, "{}: {:?}", line.input, line.reason);
        assert!(line.children.iter().all(|child| child.verdict == Outcome::Released), "{}", line.input);
    }
}

#[test]
fn what_our_samples_lock_is_opened_by_other_programs() {
    let world = World::new();
    let (docx, folder) = (samples::docx(), world.at("ours"));
    std::fs::create_dir(&folder).unwrap();
    for (name, scheme) in [("agile", AGILE), ("standard", Scheme::Standard)] {
        std::fs::write(folder.join(name), office_locked(&docx, PASSWORD, scheme)).unwrap();
        let out = format!("{name}.docx");
        if run("msoffcrypto-tool", &folder, &["-p", PASSWORD, name, &out]) {
            assert!(std::fs::read(folder.join(out)).unwrap() == docx, "{name}");
        }
    }
    let locks = [Lock::ZipCrypto, Lock::Aes { key: 16, version: 1 }, Lock::Aes { key: 24, version: 2 }, AES];
    for (number, lock) in locks.into_iter().enumerate() {
        let name = format!("{number}.zip");
        std::fs::write(folder.join(&name), zip_locked(&[("a.docx", &docx)], PASSWORD, lock)).unwrap();
        run("7z", &folder, &["t", &format!("-p{PASSWORD}"), &name]);
    }
}

#[test]
fn real_files_open_with_the_passwords_that_suites_of_files_use() {
    let Some(corpus) = corpus() else { return };
    let world = World::new();
    let office: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let locked = |bytes: &[u8]| {
        let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        match bytes {
            // The member, its flag and method: traditional, or 99.
            [b'P', b'K', 3, 4, _, _, flags, _, method, ..] => flags & 1 == 1 || *method == 99,
            [0xd0, 0xcf, ..] => holds(&office),
            [b'%', b'P', b'D', b'F', ..] => bytes.len() < 1 << 20 && holds(b"/Encrypt "),
            _ => false,
        }
    };
    for folder in ["archive", "ooxml", "pdf"] {
        for entry in std::fs::read_dir(corpus.join(folder)).unwrap().map(Result::unwrap) {
            let bytes = std::fs::read(entry.path()).unwrap();
            if locked(&bytes) {
                world.put(entry.file_name().to_str().unwrap(), &bytes);
            }
        }
    }
    let (_, before) = world.clean(&[]);
    let list = list(&world, "12345678\npwd123\npassword\ntika\nthis is a test\nview\npass\nuser1\nabc\nHello\n");
    let other = World::new();
    for (name, bytes) in files_below(&world.input()) {
        other.put(&name, &bytes);
    }
    let (_, after) = other.clean(&["--password-file", list.to_str().unwrap()]);
    let shut =
        |lines: &[model::ReportLine]| lines.iter().filter(|line| code(line) == Some(ReasonCode::Encrypted)).count();
    println!("{} encrypted files: {} shut without passwords, {} with", after.len(), shut(&before), shut(&after));
    assert!(shut(&after) + 10 <= shut(&before), "{} of {}", shut(&after), shut(&before));
}
