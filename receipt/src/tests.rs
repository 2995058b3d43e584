use super::*;
use model::{Finding, FindingAction, Format, Method, Outcome, OutputRow, Reason, ReasonCode, Timings};

fn line(input: &str, verdict: Outcome) -> ReportLine {
    let released = verdict == Outcome::Released;
    ReportLine {
        input: input.to_owned(),
        input_bytes: None,
        sha256: Some(Digest::new([1; 32])),
        size: 10,
        format: Some(Format::Docm),
        verdict,
        reason: (!released).then(|| Reason::new(ReasonCode::BlockedType, "the engine hashes knows it <b>as bad</b>")),
        output: released.then(|| OutputRow {
            path: format!("{input}.docx"),
            sha256: Digest::new([2; 32]),
            size: 12_345,
            format: Format::Docx,
            method: Method::Rebuilt,
        }),
        findings: vec![Finding {
            id: "OOX-01".into(),
            construct: "VBA project".into(),
            action: FindingAction::Removed,
            count: 2,
            at: String::new(),
        }],
        warnings: vec![],
        engines: Vec::new(),
        children: Vec::new(),
        ms: Timings::default(),
        cpu_ms: 0.0,
        peak_bytes: 0,
    }
}

fn receipt(lines: Vec<ReportLine>) -> Receipt {
    Receipt {
        station: "gate-3".into(),
        software: "0.1.0".into(),
        zone: "turbine hall".into(),
        policy: Digest::new([3; 32]),
        session: "20261124T020000Z-00000001".into(),
        began: "2026-11-24T02:00:00Z".into(),
        ended: "2026-11-24T02:01:00Z".into(),
        clock: "the clock is kept in step".into(),
        visit: vec![("Purpose".into(), "work order 4711".into())],
        contact: Some("control room, 4711".into()),
        engines: vec![Engine { name: "yara 4.5.5".into(), rules: "of 2026-11-20, 4 days old".into() }],
        lines,
        manifest: Some(Manifest {
            folder: "sallyport-manifests/00000001-abc".into(),
            sequence: 1,
            statement: Digest::new([4; 32]),
            signature: "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n".into(),
        }),
        checkpoint: "gate-3\n17\nAAAA\n2026-11-24T02:01:00Z\n\n\u{2014} gate-3 BBBB\n".into(),
        interrupted: false,
    }
}

/// The page as a program that we did not write reads it; `None`, said loudly, where there is none.
fn text_of(pdf: &[u8]) -> Option<(String, usize)> {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("r.pdf");
    std::fs::write(&at, pdf).unwrap();
    let run = |program: &str, arguments: &[&str]| {
        #[expect(clippy::disallowed_methods, reason = "the test asks another reader")]
        let output = std::process::Command::new(program).args(arguments).arg(&at).output();
        output.ok()
    };
    let checked = run("qpdf", &["--check"]);
    let pages = run("qpdf", &["--show-npages"]);
    #[expect(clippy::disallowed_methods, reason = "the test asks another reader")]
    let text = std::process::Command::new("pdftotext").args(["-layout"]).arg(&at).arg("-").output().ok();
    let (Some(checked), Some(pages), Some(text)) = (checked, pages, text) else {
        eprintln!("NOT TESTED: qpdf and pdftotext are missing; install qpdf and poppler-utils");
        return None;
    };
    assert!(checked.status.success(), "qpdf: {}", String::from_utf8_lossy(&checked.stdout));
    let pages = String::from_utf8(pages.stdout).unwrap().trim().parse().unwrap();
    Some((String::from_utf8(text.stdout).unwrap(), pages))
}

#[test]
fn both_say_what_came_in_what_went_out_and_why_not() {
    let receipt = receipt(vec![line("plan.docm", Outcome::Released), line("x.exe", Outcome::Blocked)]);
    let html = html(&receipt);
    let said =
        ["plan.docm.docx", "x.exe", "2 removed: VBA project", "control room, 4711", "work order 4711", "turbine hall"];
    for words in said {
        assert!(html.contains(words), "{words}");
    }
    let pdf = pdf(&receipt).unwrap();
    if let Some((text, pages)) = text_of(&pdf) {
        assert!(pages <= 2, "{text}");
        for words in said {
            assert!(text.contains(words), "{words} in {text}");
        }
        assert!(text.contains(&Digest::new([2; 32]).to_string()), "digests stay whole");
    }
}

#[test]
fn the_same_session_gives_the_same_bytes() {
    let receipt = receipt(vec![line("plan.docm", Outcome::Released)]);
    assert_eq!(html(&receipt), html(&receipt));
    assert_eq!(pdf(&receipt).unwrap(), pdf(&receipt).unwrap());
}

#[test]
fn foreign_names_stay_names() {
    let name = "<script>alert(1)</script>\u{202e}fdp.exe & \"x\" Ünïcode Привет";
    let receipt = receipt(vec![line(name, Outcome::Blocked)]);
    let html = html(&receipt);
    assert!(!html.contains("<script"), "a name became a tag");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;?fdp.exe &amp; &quot;x&quot; Ünïcode Привет"));
    assert!(html.contains("default-src 'none'"));
    let pdf = pdf(&receipt).unwrap();
    if let Some((text, _)) = text_of(&pdf) {
        assert!(text.contains("Ünïcode Привет"), "{text}");
    }
}

#[test]
fn a_long_session_turns_pages_and_loses_no_file() {
    let lines = (0..400).map(|n| line(&format!("folder with a long name/{n:04}-{}", "x".repeat(90)), Outcome::Failed));
    let pdf = pdf(&receipt(lines.collect())).unwrap();
    if let Some((text, pages)) = text_of(&pdf) {
        assert!(pages > 10, "{pages}");
        assert_eq!((0..400).filter(|n| text.contains(&format!("name/{n:04}-"))).count(), 400);
        assert!(text.contains(&format!("page {pages} of {pages}")));
    }
}

#[test]
fn the_code_holds_the_checkpoint() {
    let modules = crate::qr::Modules::of("gate-3\n17\nAAAA\n").unwrap();
    let dark: usize = modules.runs().iter().map(|(_, _, len)| len).sum();
    assert!(dark > modules.width * modules.width / 4);
    assert!(crate::qr::Modules::of(&"x".repeat(5000)).is_none());
}
