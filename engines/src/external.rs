//! `external`: any command-line scanner that a site has a licence for, by configuration.
//!
//! Each runs outside the jails, started by the station's spawner on a sealed copy. What it says is its exit status and its
//! output: a status that the policy does not name, a signal, a time-out and too much output are "not scanned". How much it
//! read nobody can see; `clean_output` lets the policy ask for a text that only a scan of the object brings forth.

use crate::written;
use crate::{Answer, Descriptor, Detection, Engine, EngineId, Home, MAX_NAME_BYTES, Provenance, Sample, Severity};
use model::{ExternalPolicy, FileAs, time};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub(crate) const DESCRIPTOR: Descriptor =
    Descriptor { id: "external", home: Home::Outside { open: |policy, runner| open(&policy.external, runner) } };

/// Stands for the object's path in an argument.
pub const FILE: &str = "{file}";
/// Stands for the detection's name in `detection`.
const NAME: &str = "{name}";
/// Stands for the day of the rules in `rules_date`.
const DATE: &str = "{date}";
/// Ours: a scanner that says more about one object floods.
const MOST_OUTPUT: u64 = 256 * 1024;
/// Ours: saying one's version is quick.
const VERSION_SECONDS: u32 = 20;
/// Ours: what a station can run beside its own work.
const MOST_ENGINES: usize = 64;
/// Statuses by which shells and the spawner say that the program did not run.
const DID_NOT_RUN: [u8; 2] = [126, 127];

/// A program to run to its end.
pub struct Order<'a> {
    /// Absolute path of the program.
    pub program: &'a Path,
    /// Its arguments; [`FILE`] stands for the object's path.
    pub args: &'a [String],
    /// The object, in a file of its own; none where only its version is asked.
    pub object: Option<OwnedFd>,
    /// How it gets the object.
    pub file: FileAs,
    /// Wall clock.
    pub seconds: u32,
    /// Data memory.
    pub memory_bytes: u64,
    /// Bytes of output, both streams, after which it is stopped.
    pub output_bytes: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Stopped for its time.
    TimedOut,
    /// Stopped for its output.
    Flooded,
}

/// What a program left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// Standard output and error, as they came.
    pub output: Vec<u8>,
}

/// Who starts programs: not this crate.
pub trait Runner: Send + Sync {
    /// Runs a program to its end, in a process group of its own that is gone when this returns.
    ///
    /// # Errors
    /// One sentence where it could not be started or its end not be seen.
    fn run(&self, order: Order<'_>) -> Result<Ran, String>;
}

/// One configured scanner.
pub struct External {
    id: EngineId,
    policy: ExternalPolicy,
    program: PathBuf,
    runner: Arc<dyn Runner>,
    said: RwLock<Said>,
}

/// What a scanner last told of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    version: String,
    rules_date: String,
}

fn open(policies: &[ExternalPolicy], runner: &Arc<dyn Runner>) -> Result<Vec<Box<dyn Engine>>, String> {
    if policies.len() > MOST_ENGINES {
        return Err(format!("engines.external: more than {MOST_ENGINES} scanners"));
    }
    let mut engines: Vec<Box<dyn Engine>> = Vec::with_capacity(policies.len());
    for policy in policies {
        engines.push(Box::new(External::new(policy, runner)?));
    }
    Ok(engines)
}

impl External {
    /// The scanner that `policy` describes, whether it is installed or not.
    ///
    /// # Errors
    /// One sentence about the key that makes no sense.
    pub fn new(policy: &ExternalPolicy, runner: &Arc<dyn Runner>) -> Result<Self, String> {
        let refuse = |what: &str| Err(format!("engines.external {:?}: {what}", policy.name));
        let Some(id) = EngineId::named(&policy.name) else {
            return refuse("`name` takes lower-case letters, digits and hyphens");
        };
        let program = PathBuf::from(&policy.path);
        if !program.is_absolute() {
            return refuse("`path` must be absolute");
        }
        if !policy.args.iter().any(|arg| arg.contains(FILE)) {
            return refuse("`args` must have {file}, the object's path");
        }
        if policy.args.iter().chain(&policy.version).chain([&policy.path]).any(|text| text.contains('\0')) {
            return refuse("no argument may hold a NUL");
        }
        if policy.clean.is_empty() {
            return refuse("`clean` must name an exit status");
        }
        if policy.malicious.is_empty() && policy.malicious_output.is_empty() {
            return refuse("`malicious` or `malicious_output` must say how it reports a detection");
        }
        let all = [&policy.clean[..], &policy.malicious, &policy.suspicious].concat();
        let twice =
            all.iter().enumerate().any(|(at, status)| all.iter().skip(at.saturating_add(1)).any(|s| s == status));
        if twice || all.iter().any(|status| DID_NOT_RUN.contains(status)) {
            return refuse("an exit status stands for one thing only, and 126 and 127 mean that it did not run");
        }
        if policy.clean_output.iter().chain(&policy.malicious_output).any(String::is_empty) {
            return refuse("an empty text is in every output");
        }
        if policy.detection.as_ref().is_some_and(|text| !text.contains(NAME) || text.contains('\n')) {
            return refuse("`detection` must have {name} between what stands before and after it on its line");
        }
        match (&policy.rules_date, &policy.rules_file) {
            (Some(_), Some(_)) => {
                return refuse("the age of its rules is told by `rules_date` or by `rules_file`, not by both");
            }
            (Some(text), None) if policy.version.is_empty() || !text.contains(DATE) || text.contains('\n') => {
                return refuse(
                    "`rules_date` needs `version`, and {date} between what stands before and after it on its line",
                );
            }
            (None, Some(path)) if !Path::new(path).is_absolute() => return refuse("`rules_file` must be absolute"),
            (Some(_) | None, Some(_) | None) => {}
        }
        if policy.seconds == 0 || policy.parallel == 0 {
            return refuse("`seconds` and `parallel` are 1 or more");
        }
        Ok(Self { id, policy: policy.clone(), program, runner: Arc::clone(runner), said: RwLock::default() })
    }

    fn order<'a>(&'a self, args: &'a [String], object: Option<OwnedFd>, seconds: u32) -> Order<'a> {
        let ExternalPolicy { file, memory_bytes, .. } = self.policy;
        Order { program: &self.program, args, object, file, seconds, memory_bytes, output_bytes: MOST_OUTPUT }
    }

    fn ask_version(&self) -> Result<Said, String> {
        let ran = self.runner.run(self.order(&self.policy.version, None, VERSION_SECONDS))?;
        if ran.ended != Ended::Status(0) {
            return Err(format!("{} does not say its version: {}", self.program.display(), ended(ran.ended)));
        }
        let line = ran.output.split(|b| *b == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        let plain = |b: &u8| if *b == b' ' || b.is_ascii_graphic() { char::from(*b) } else { '?' };
        let version = line.trim_ascii().iter().take(80).map(plain).collect();
        let rules_date =
            self.policy.rules_date.as_deref().and_then(|text| day_in(&ran.output, text)).unwrap_or_default();
        Ok(Said { version, rules_date })
    }

    fn look(&self, sample: &Sample<'_>) -> Result<Vec<Detection>, (String, Vec<Detection>)> {
        let early = |why: String| (why, Vec::new());
        let object = sample.object.open().map_err(|error| early(error.to_string()))?;
        let seconds = self.policy.seconds.min(sample.timeout_secs);
        let ran = self.runner.run(self.order(&self.policy.args, Some(object), seconds)).map_err(early)?;
        self.judge(&ran).map_err(|(why, found)| {
            let why = if ran.ended == Ended::TimedOut { format!("time-out after {seconds} s") } else { why };
            (why, found)
        })
    }

    /// What a run means. A detection is kept, however the program ended.
    fn judge(&self, ran: &Ran) -> Result<Vec<Detection>, (String, Vec<Detection>)> {
        let says = |text: &String| ran.output.windows(text.len().max(1)).any(|window| window == text.as_bytes());
        let told = self.policy.malicious_output.iter().any(says);
        let status = match ran.ended {
            Ended::Status(status) => u8::try_from(status).ok(),
            Ended::Signal(_) | Ended::TimedOut | Ended::Flooded => None,
        };
        let among = |list: &[u8]| status.is_some_and(|status| list.contains(&status));
        if told || among(&self.policy.malicious) {
            let known = among(&self.policy.malicious) || among(&self.policy.clean) || among(&self.policy.suspicious);
            let found = self.found(&ran.output, Severity::Malicious);
            return if known { Ok(found) } else { Err((ended(ran.ended), found)) };
        }
        if among(&self.policy.suspicious) {
            return Ok(self.found(&ran.output, Severity::Suspicious));
        }
        if !among(&self.policy.clean) {
            return Err((ended(ran.ended), Vec::new()));
        }
        match self.policy.clean_output.iter().find(|text| !says(text)) {
            Some(text) => Err((format!("its output lacks {text:?}"), Vec::new())),
            None => Ok(Vec::new()),
        }
    }

    /// Every name that the output tells, and a name of ours where it tells none.
    fn found(&self, output: &[u8], severity: Severity) -> Vec<Detection> {
        let mut found = Vec::new();
        if let Some((before, after)) = self.policy.detection.as_deref().and_then(|text| text.split_once(NAME)) {
            let text = String::from_utf8_lossy(output);
            for line in text.lines().take(10_000) {
                let rest = line.find(before).and_then(|at| line.get(at.checked_add(before.len())?..));
                let name =
                    rest.and_then(|rest| if after.is_empty() { Some(rest) } else { Some(rest.split_once(after)?.0) });
                found.extend(name.and_then(|name| Detection::new(&tame(name.trim()), severity)));
            }
        }
        if found.is_empty() {
            found.extend(Detection::new(&format!("{}.detection", self.id), severity));
        }
        found
    }
}

/// The day that an output tells as `text` says: year, month and day, with `-`, `/`, `.` or nothing between them.
fn day_in(output: &[u8], text: &str) -> Option<String> {
    let (before, after) = text.split_once(DATE)?;
    let output = String::from_utf8_lossy(output);
    let day = |line: &str| {
        let rest = line.find(before).and_then(|at| line.get(at.checked_add(before.len())?..))?;
        let end = rest.find(|c: char| !c.is_ascii_digit() && !"-/.".contains(c)).unwrap_or(rest.len());
        let (date, more) = rest.split_at_checked(end)?;
        let date: String = date.chars().filter(char::is_ascii_digit).collect();
        let (year, month, of_month) = (date.get(..4)?, date.get(4..6)?, date.get(6..)?);
        let day = format!("{year}-{month}-{of_month}");
        (more.starts_with(after) && time::days(&day).is_some()).then_some(day)
    };
    output.lines().take(10_000).find_map(day)
}

fn tame(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    name.chars().map(plain).take(MAX_NAME_BYTES).collect()
}

fn ended(how: Ended) -> String {
    match how {
        Ended::Status(status) if DID_NOT_RUN.iter().any(|s| i32::from(*s) == status) => {
            format!("it could not be run (status {status})")
        }
        Ended::Status(status) => format!("it ended with status {status}, which the policy does not name"),
        Ended::Signal(signal) => format!("it was killed by signal {signal}"),
        Ended::TimedOut => "time-out".to_owned(),
        Ended::Flooded => format!("it wrote more than {} KiB", MOST_OUTPUT >> 10),
    }
}

impl Engine for External {
    fn provenance(&self) -> Provenance {
        let Said { version, rules_date } = self.said.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Its rules are its own affair: no set, no digest, and a date only where the policy says how it is told.
        Provenance { engine: self.id.clone(), version, rules_id: String::new(), rules: None, rules_date }
    }

    fn check(&self) -> Result<(), String> {
        use std::os::unix::fs::PermissionsExt;
        let path = self.program.display();
        let meta = std::fs::metadata(&self.program).map_err(|error| format!("{path}: {error}; install it"))?;
        if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
            return Err(format!("{path} is no program"));
        }
        let mut said = if self.policy.version.is_empty() { Said::default() } else { self.ask_version()? };
        if let Some(path) = &self.policy.rules_file {
            // One that is gone has no date, which is too old.
            said.rules_date = written::day(Path::new(path), |_| true).unwrap_or_default();
        }
        *self.said.write().unwrap_or_else(PoisonError::into_inner) = said;
        Ok(())
    }

    fn tells_age(&self) -> bool {
        self.policy.rules_date.is_some() || self.policy.rules_file.is_some()
    }

    fn parallel(&self) -> u32 {
        self.policy.parallel
    }

    fn scan(&self, sample: &Sample<'_>) -> Answer {
        match self.look(sample) {
            Ok(found) => Answer::scanned(found, sample.len),
            Err((why, found)) => Answer::not_scanned(&why, found, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Runner for Nobody {
        fn run(&self, _: Order<'_>) -> Result<Ran, String> {
            Err("nobody runs here".to_owned())
        }
    }

    fn policy() -> ExternalPolicy {
        ExternalPolicy {
            name: "av".into(),
            path: "/opt/av/scan".into(),
            args: vec!["--file={file}".into()],
            clean: vec![0],
            malicious: vec![1],
            suspicious: vec![2],
            clean_output: vec!["1 scanned".into()],
            malicious_output: vec!["INFECTED".into()],
            detection: Some("threat: {name} (".into()),
            version: vec!["--version".into()],
            rules_date: None,
            rules_file: None,
            seconds: 5,
            parallel: 1,
            memory_bytes: 1 << 30,
            file: FileAs::Descriptor,
        }
    }

    fn engine(policy: &ExternalPolicy) -> Result<External, String> {
        let runner: Arc<dyn Runner> = Arc::new(Nobody);
        External::new(policy, &runner)
    }

    #[test]
    fn keys_that_make_no_sense_are_refused() {
        assert!(engine(&policy()).is_ok());
        let changes: &[fn(&mut ExternalPolicy)] = &[
            |p| p.name = "A V".into(),
            |p| p.path = "scan".into(),
            |p| p.args = vec!["file".into()],
            |p| p.args.push("a\0b".into()),
            |p| p.clean.clear(),
            |p| p.clean.push(1),
            |p| p.malicious.push(127),
            |p| (p.malicious, p.malicious_output) = (Vec::new(), Vec::new()),
            |p| p.clean_output.push(String::new()),
            |p| p.detection = Some("threat".into()),
            |p| p.rules_date = Some("rules of".into()),
            |p| (p.rules_date, p.version) = (Some("rules of {date}".into()), Vec::new()),
            |p| p.rules_file = Some("db".into()),
            |p| (p.rules_date, p.rules_file) = (Some("{date}".into()), Some("/db".into())),
            |p| p.seconds = 0,
            |p| p.parallel = 0,
        ];
        for (n, change) in changes.iter().enumerate() {
            let mut policy = policy();
            change(&mut policy);
            assert!(engine(&policy).is_err(), "{n}");
        }
    }

    #[test]
    fn the_day_of_the_rules_is_what_the_output_says_there_and_else_none() {
        let day = |output: &str, text| day_in(output.as_bytes(), text);
        let found = Some("2026-11-03".to_owned());
        assert_eq!(day("acme 7\nrules of 2026-11-03 (9 GB)\n", "rules of {date} ("), found);
        assert_eq!(day("db: 20261103", "db: {date}"), found);
        assert_eq!(day("db: 2026/11/03 08:31", "db: {date}"), found);
        for (output, text) in [
            ("rules of 2026-11-03", "database of {date}"),
            ("db: 03.11.2026", "db: {date}"),
            ("db: 2026-02-30", "db: {date}"),
            ("db: 2026-11-03", "db: {date} UTC"),
            ("db: yesterday", "db: {date}"),
            ("db: 2026-1-03", "db: {date}"),
            ("", "{date}"),
        ] {
            assert_eq!(day(output, text), None, "{output}");
        }
    }

    #[test]
    fn only_a_named_status_with_the_wanted_text_is_clean() {
        let engine = engine(&policy()).unwrap();
        let judge = |ended, output: &str| engine.judge(&Ran { ended, output: output.as_bytes().to_vec() });
        assert_eq!(judge(Ended::Status(0), "1 scanned\n"), Ok(vec![]));
        for (ended, output) in [
            (Ended::Status(0), ""),
            (Ended::Status(0), "0 scanned"),
            (Ended::Status(3), "1 scanned"),
            (Ended::Status(127), "1 scanned"),
            (Ended::Status(256), "1 scanned"),
            (Ended::Status(-1), "1 scanned"),
            (Ended::Signal(11), "1 scanned"),
            (Ended::TimedOut, "1 scanned"),
            (Ended::Flooded, "1 scanned"),
        ] {
            assert_eq!(judge(ended, output).map_err(|(_, found)| found), Err(vec![]), "{ended:?} {output}");
        }
    }

    #[test]
    fn a_detection_is_kept_however_the_program_ended() {
        let engine = engine(&policy()).unwrap();
        let bad = |name| Detection::new(name, Severity::Malicious).unwrap();
        let judge = |ended, output: &str| engine.judge(&Ran { ended, output: output.as_bytes().to_vec() });
        assert_eq!(judge(Ended::Status(1), "a threat: Bad/Thing (x)"), Ok(vec![bad("Bad_Thing")]));
        assert_eq!(judge(Ended::Status(1), "?"), Ok(vec![bad("av.detection")]));
        assert_eq!(judge(Ended::Status(0), "1 scanned INFECTED"), Ok(vec![bad("av.detection")]));
        assert_eq!(judge(Ended::TimedOut, "INFECTED").map_err(|(_, found)| found), Err(vec![bad("av.detection")]));
        let hint = judge(Ended::Status(2), "threat: Odd (").unwrap();
        assert_eq!((hint[0].rule.as_str(), hint[0].severity), ("Odd", Severity::Suspicious));
    }
}
