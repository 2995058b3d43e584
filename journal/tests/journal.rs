//! The journal against people who change it: every record that was changed, removed, moved or cut off is found.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use evidence::StationKey;
use journal::{Journal, JournalError, Kind, New, Query, verify};
use model::Digest;
use rusqlite::Connection;
use serde_json::json;
use std::path::Path;

fn key() -> StationKey {
    StationKey::from_seed(&[1; 32])
}

fn open(folder: &Path) -> Journal {
    Journal::open(folder, "gate-3", key()).unwrap()
}

fn file(n: u8) -> New {
    New {
        kind: Kind::File,
        session: "s1".into(),
        input: Some(Digest::new([n; 32])),
        output: Some(Digest::new([n + 100; 32])),
        body: json!({"input": format!("f{n}.txt"), "verdict": "released"}),
    }
}

fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.append(vec![New::about(Kind::SessionBegin, "s1", json!({"zone": "plant"}))]).unwrap();
    for n in 0..8 {
        journal.append(vec![file(n)]).unwrap();
    }
    journal.checkpoint().unwrap();
    journal.append(vec![New::about(Kind::SessionEnd, "s1", json!({"files": 8}))]).unwrap();
    dir
}

fn faults(folder: &Path) -> Vec<String> {
    let more: &[String] = &[];
    verify(folder, &key().public(), more)
        .unwrap()
        .faults
        .into_iter()
        .map(|f| format!("{}: {}", f.seq, f.text))
        .collect()
}

#[test]
fn a_journal_that_nobody_touched_is_well() {
    let dir = filled();
    let verified = verify(dir.path(), &key().public(), &[]).unwrap();
    assert_eq!((verified.records, verified.pruned, verified.checkpoints), (10, 0, 1));
    assert!(verified.faults.is_empty(), "{:?}", verified.faults);
    // Opened again, it goes on where it was.
    let journal = open(dir.path());
    let appended = journal.append(vec![file(9), file(10)]).unwrap();
    assert_eq!([appended[0].seq, appended[1].seq], [11, 12]);
    assert!(faults(dir.path()).is_empty());
}

#[test]
fn every_change_in_the_database_is_found() {
    let changes = [
        "UPDATE records SET body = replace(body, 'f3', 'f4') WHERE seq = 5",
        "UPDATE records SET time = '2020-01-01T00:00:00Z' WHERE seq = 5",
        "UPDATE records SET kind = 'job' WHERE seq = 5",
        "UPDATE records SET session = 's2' WHERE seq = 5",
        "UPDATE records SET input = zeroblob(32) WHERE seq = 5",
        "UPDATE records SET input = NULL WHERE seq = 5",
        "UPDATE records SET output = zeroblob(32) WHERE seq = 5",
        "UPDATE records SET digest = zeroblob(32) WHERE seq = 5",
        "UPDATE records SET digest = zeroblob(31) WHERE seq = 5",
        "UPDATE records SET body = NULL WHERE seq = 5",
        "DELETE FROM records WHERE seq = 5",
        "DELETE FROM records WHERE seq = 1",
        "DELETE FROM records WHERE seq = 10",
        "DELETE FROM records WHERE seq > 6",
        "DELETE FROM records",
        "UPDATE records SET seq = 11 WHERE seq = 10",
        "UPDATE records SET seq = 99 WHERE seq = 5; UPDATE records SET seq = 5 WHERE seq = 6; UPDATE records SET seq = 6 WHERE seq = 99",
        "INSERT INTO records SELECT 11, time, kind, session, input, output, body, digest FROM records WHERE seq = 4",
        "UPDATE tree SET size = 9",
        "UPDATE tree SET peaks = zeroblob(64)",
    ];
    for change in changes {
        let dir = filled();
        Connection::open(dir.path().join("journal.db")).unwrap().execute_batch(change).unwrap();
        assert!(!faults(dir.path()).is_empty(), "{change}");
    }
}

/// Whoever can write the database can also compute digests: only a checkpoint pins the past.
#[test]
fn a_past_that_was_written_anew_is_found_against_a_checkpoint() {
    let (honest, forged) = (filled(), tempfile::tempdir().unwrap());
    let journal = open(forged.path());
    journal.append((0..10).map(file).collect()).unwrap();
    assert!(faults(forged.path()).is_empty(), "it hangs together");
    let note = std::fs::read_dir(honest.path().join("checkpoints")).unwrap().next().unwrap().unwrap().path();
    let note = std::fs::read_to_string(note).unwrap();
    let verified = verify(forged.path(), &key().public(), std::slice::from_ref(&note)).unwrap();
    assert_eq!(verified.faults.len(), 1, "{:?}", verified.faults);
    assert!(verified.faults[0].text.contains("checkpoint"), "{:?}", verified.faults);
    // Cut off behind the checkpoint.
    let short = tempfile::tempdir().unwrap();
    open(short.path()).append(vec![file(1)]).unwrap();
    let verified = verify(short.path(), &key().public(), std::slice::from_ref(&note)).unwrap();
    assert!(verified.faults[0].text.contains("cut off"), "{:?}", verified.faults);
    // A note by somebody else is none.
    let verified = verify(honest.path(), &StationKey::from_seed(&[2; 32]).public(), &[note]).unwrap();
    assert!(!verified.faults.is_empty());
}

#[test]
fn a_copy_that_is_cut_or_has_a_flipped_bit_is_found() {
    let dir = filled();
    // One file, without a log beside it.
    let connection = Connection::open(dir.path().join("journal.db")).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(connection);
    let whole = std::fs::read(dir.path().join("journal.db")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("checkpoints")).unwrap();
    let notes: Vec<_> = std::fs::read_dir(dir.path().join("checkpoints")).unwrap().map(|e| e.unwrap().path()).collect();
    let note = std::fs::read_to_string(&notes[0]).unwrap();
    let honest = Query::default().all(dir.path()).unwrap();
    let mut found = 0;
    let mut try_copy = |bytes: &[u8], what: &str| {
        std::fs::write(copy.path().join("journal.db"), bytes).unwrap();
        match verify(copy.path(), &key().public(), std::slice::from_ref(&note)) {
            Err(JournalError::Database(_) | JournalError::Damaged { .. }) => found += 1,
            Err(other) => panic!("{what}: {other}"),
            Ok(verified) if !verified.faults.is_empty() => found += 1,
            // A bit in a free part of a page, or in an index: the records are what they were.
            Ok(_) => assert_eq!(Query::default().all(copy.path()).unwrap(), honest, "{what}"),
        }
    };
    let soak = std::env::var_os("SALLYPORT_SOAK").is_some();
    let places = if soak { 500 } else { 60 };
    for n in 0..places {
        let at = whole.len() * n / places;
        try_copy(&whole[..at], &format!("cut at {at}"));
        let mut bent = whole.clone();
        bent[at] ^= 1 << (n % 8);
        try_copy(&bent, &format!("bit in byte {at}"));
    }
    // Half of a small database is free space.
    assert!(found >= places / 2, "{found} of {} found", 2 * places);
}

#[test]
fn pruned_bodies_are_explained_and_the_chain_holds() {
    let dir = filled();
    let journal = open(dir.path());
    let pruned = journal.prune(&[Kind::File], "2999-01-01T00:00:00Z", None, "older than two years").unwrap().unwrap();
    assert_eq!((pruned.from, pruned.to, pruned.bodies), (1, 10, 8));
    let verified = verify(dir.path(), &key().public(), &[]).unwrap();
    assert_eq!((verified.pruned, verified.faults), (8, vec![]));
    journal.append(vec![file(50)]).unwrap();
    Connection::open(dir.path().join("journal.db"))
        .unwrap()
        .execute_batch("UPDATE records SET body = NULL WHERE seq = 12")
        .unwrap();
    assert_eq!(faults(dir.path()).len(), 1, "a body that went without a word");
    assert_eq!(journal.prune(&[Kind::File], "2000-01-01T00:00:00Z", None, "x").unwrap(), None, "nothing is that old");
}

#[test]
fn a_name_is_erased_and_the_chain_holds() {
    let dir = filled();
    let journal = open(dir.path());
    let person = journal.person("Ada Operator").unwrap();
    assert_eq!(journal.person("Ada Operator").unwrap(), person);
    assert_ne!(journal.person("Bob").unwrap(), person);
    journal.append(vec![New::about(Kind::Operator, "s1", json!({"person": person.commitment}))]).unwrap();
    assert_eq!(journal.name_of(&person).unwrap().as_deref(), Some("Ada Operator"));
    assert!(journal.erase("Ada Operator", "asked for it").unwrap());
    assert!(!journal.erase("Ada Operator", "again").unwrap());
    assert_eq!(journal.name_of(&person).unwrap(), None);
    assert!(faults(dir.path()).is_empty());
    drop(journal);
    for entry in std::fs::read_dir(dir.path()).unwrap().map(Result::unwrap).filter(|e| e.file_type().unwrap().is_file())
    {
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(12).any(|w| w == b"Ada Operator"), "{:?}", entry.path());
    }
}

#[test]
fn records_are_found_by_digest_session_kind_and_number() {
    let dir = filled();
    let count = |query: Query| query.all(dir.path()).unwrap().len();
    assert_eq!(count(Query::default()), 10);
    assert_eq!(count(Query { digest: Some(Digest::new([3; 32])), ..Query::default() }), 1);
    assert_eq!(count(Query { digest: Some(Digest::new([103; 32])), ..Query::default() }), 1);
    assert_eq!(count(Query { digest: Some(Digest::new([200; 32])), ..Query::default() }), 0);
    assert_eq!(count(Query { session: Some("s1".into()), kind: Some(Kind::File), ..Query::default() }), 8);
    assert_eq!(count(Query { session: Some("s2".into()), ..Query::default() }), 0);
    assert_eq!(count(Query { from: Some(9), ..Query::default() }), 2);
    assert_eq!(count(Query { most: Some(3), ..Query::default() }), 3);
    assert_eq!(count(Query { until: Some("2000-01-01T00:00:00Z".into()), ..Query::default() }), 0);
}

#[test]
fn threads_and_processes_share_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path()), open(dir.path()));
    std::thread::scope(|scope| {
        for journal in [&one, &one, &two, &two] {
            scope.spawn(move || (0..25).for_each(|n| drop(journal.append(vec![file(n), file(n + 30)]).unwrap())));
        }
    });
    let verified = verify(dir.path(), &key().public(), &[]).unwrap();
    assert_eq!((verified.records, verified.faults), (200, vec![]));
}

#[test]
fn what_is_no_journal_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    Connection::open(dir.path().join("journal.db")).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    assert!(matches!(Journal::open(dir.path(), "gate-3", key()), Err(JournalError::Damaged { .. })));
    std::fs::write(dir.path().join("journal.db"), b"not a database at all, whatever it says").unwrap();
    assert!(Journal::open(dir.path(), "gate-3", key()).is_err());
    assert_eq!(std::fs::read(dir.path().join("journal.db")).unwrap(), b"not a database at all, whatever it says");
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(Journal::open(&file, "gate-3", key()).is_err());
}

#[test]
fn a_class_is_pruned_and_the_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::open(dir.path(), "gate", StationKey::from_seed(&[1; 32])).unwrap();
    for (session, class) in [("a", "standard"), ("b", "incident")] {
        let begin = New::about(Kind::SessionBegin, session, serde_json::json!({ "retention": class }));
        let file = New::about(Kind::File, session, serde_json::json!({ "line": session }));
        journal.append(vec![begin, file]).unwrap();
    }
    let both = [Kind::SessionBegin, Kind::File];
    let pruned = journal.prune(&both, "2999-01-01T00:00:00Z", Some("standard"), "two years").unwrap().unwrap();
    assert_eq!(pruned.bodies, 2);
    let of = |session: &str| Query { session: Some(session.to_owned()), ..Query::default() }.all(dir.path()).unwrap();
    assert!(of("a").iter().all(|record| record.body.is_none()));
    assert!(of("b").iter().all(|record| record.body.is_some()));
    assert_eq!(verify(dir.path(), &journal.key().public(), &[]).unwrap().faults, []);
}
