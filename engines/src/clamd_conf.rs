//! What clamd's configuration says about its limits: an "OK" about more bytes than those is no scan.

use crate::written;
use std::path::{Path, PathBuf};

/// Where Debian's daemon listens.
const DEBIAN_SOCKET: &str = "/run/clamav/clamd.ctl";
/// The smallest that any version since 0.103 has had as its default (`MaxFileSize`, `StreamMaxLength`): 25 MiB.
const LEAST_DEFAULT: u64 = 25 << 20;
/// clamd looks at no file of 2 GiB or more, whatever its limits say.
const MOST_EVER: u64 = (1 << 31) - 1;
/// `MaxScanTime` where nothing is said, in milliseconds.
const SCAN_TIME_DEFAULT: u64 = 120_000;
/// Ours: a configuration is a few kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// The part of a clamd.conf that decides what "OK" is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conf {
    /// Where the daemon listens, as far as the file says.
    pub socket: Option<PathBuf>,
    /// Where its databases lie, as far as the file says.
    pub databases: Option<PathBuf>,
    /// Objects larger than this are not looked at in full.
    pub object_bytes: u64,
    /// Largest object that may be streamed.
    pub stream_bytes: u64,
    /// A scan that took this many milliseconds was broken off.
    pub scan_millis: u64,
    /// Whether a limit that was met is told (`AlertExceedsMax`).
    pub tells_limits: bool,
    /// Whether a heuristic ends the scan before the signatures were through.
    pub heuristics_first: bool,
}

impl Default for Conf {
    fn default() -> Self {
        Self {
            socket: None,
            databases: None,
            object_bytes: LEAST_DEFAULT,
            stream_bytes: LEAST_DEFAULT,
            scan_millis: SCAN_TIME_DEFAULT,
            tells_limits: false,
            heuristics_first: false,
        }
    }
}

impl Conf {
    /// Reads the file; what can't be read or understood counts as the least.
    pub(crate) fn read(path: &Path) -> Self {
        match std::fs::read(path) {
            Ok(bytes) if bytes.len() <= MOST_BYTES => Self::parse(&String::from_utf8_lossy(&bytes)),
            Ok(_) | Err(_) => Self::default(),
        }
    }

    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let line = |line: &str| {
                let (name, value) = line.trim().split_once(char::is_whitespace)?;
                name.eq_ignore_ascii_case(key).then(|| value.trim().to_owned())
            };
            text.lines().filter_map(line).next_back()
        };
        let limit = |key| value(key).map_or(Some(LEAST_DEFAULT), |text| size(&text)).unwrap_or(0);
        let yes = |key| value(key).is_some_and(|text| ["yes", "true", "1"].contains(&&*text.to_ascii_lowercase()));
        let scan_size = value("MaxScanSize").map_or(Some(4 * LEAST_DEFAULT), |text| size(&text)).unwrap_or(0);
        let object_bytes = unlimited(limit("MaxFileSize")).min(unlimited(scan_size));
        let millis = value("MaxScanTime").map_or(Some(SCAN_TIME_DEFAULT), |text| text.parse().ok()).unwrap_or(1);
        Self {
            socket: value("LocalSocket").map(PathBuf::from).filter(|path| path.is_absolute()),
            databases: value("DatabaseDirectory").map(PathBuf::from).filter(|path| path.is_absolute()),
            object_bytes,
            stream_bytes: unlimited(limit("StreamMaxLength")).min(object_bytes),
            // 0 is "for ever" to clamd.
            scan_millis: if millis == 0 { u64::MAX } else { millis },
            tells_limits: yes("AlertExceedsMax"),
            heuristics_first: yes("HeuristicScanPrecedence"),
        }
    }

    /// Where to knock: what the policy names, else the file, else Debian's place.
    pub(crate) fn socket_or(&self, named: Option<&str>) -> PathBuf {
        named.map(PathBuf::from).or_else(|| self.socket.clone()).unwrap_or_else(|| DEBIAN_SOCKET.into())
    }
}

/// The newest of a site's own lists in clamd's folder: the day of its rules where it tells none itself. Where there are
/// databases of ClamAV's makers, which have a number and a date, the lists say nothing about them.
pub(crate) fn day_of_lists(databases: &Path) -> Option<String> {
    let ending =
        |name: &str| Path::new(name).extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let dated = std::fs::read_dir(databases).ok()?.filter_map(Result::ok);
    let mut dated = dated.filter_map(|entry| entry.file_name().into_string().ok()).map(|name| ending(&name));
    if dated.any(|ending| ["cvd", "cld", "cud"].contains(&ending.as_str())) {
        return None;
    }
    written::day(databases, |name| LISTS.contains(&ending(name).as_str()))
}

/// Lists that clamd detects by (ClamAV's manual, "Signatures"); those that only allow something do not make it younger.
const LISTS: &[&str] = &[
    "cbc", "cdb", "crb", "gdb", "hdb", "hdu", "hsb", "hsu", "idb", "ldb", "ldu", "mdb", "mdu", "msb", "msu", "ndb",
    "ndu", "pdb", "yar", "yara",
];

/// 0 is "no limit" to clamd.
fn unlimited(bytes: u64) -> u64 {
    if bytes == 0 { MOST_EVER } else { bytes.min(MOST_EVER) }
}

/// A size as clamd.conf writes it: `25M`, `100K`, `1G`, `4096`. What is none counts as one byte, never as no limit.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let factor: u64 = match unit {
        "" => 1,
        "K" | "k" => 1 << 10,
        "M" | "m" => 1 << 20,
        "G" | "g" => 1 << 30,
        _ => return Some(1),
    };
    Some(number.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_what_the_file_says_and_the_least_where_it_is_silent() {
        let conf = Conf::parse(
            "# LocalSocket /no\nLocalSocket /run/x.ctl\nMaxScanSize 100M\nMaxFileSize 30M\nStreamMaxLength 10K\nAlertExceedsMax yes\nMaxScanTime 5000\n",
        );
        assert_eq!(conf.socket, Some(PathBuf::from("/run/x.ctl")));
        assert_eq!((conf.object_bytes, conf.stream_bytes, conf.scan_millis), (30 << 20, 10 << 10, 5000));
        assert!(conf.tells_limits && !conf.heuristics_first);
        assert_eq!(Conf::parse(""), Conf::default());
        assert_eq!(Conf::read(Path::new("/nonexistent/clamd.conf")), Conf::default());
        assert_eq!(Conf::parse("MaxScanSize 5M\nMaxFileSize 0\n").object_bytes, 5 << 20, "the total counts too");
        assert_eq!(Conf::parse("MaxScanSize 0\nMaxFileSize 0\n").object_bytes, MOST_EVER);
        for odd in ["MaxFileSize much", "MaxFileSize 5 M", "MaxFileSize -1", "MaxFileSize 99999999999G"] {
            assert_eq!(Conf::parse(odd).object_bytes, 1, "{odd}");
        }
    }

    #[test]
    fn the_socket_is_the_policys_then_the_files_then_debians() {
        let conf = Conf::parse("LocalSocket /run/x.ctl\n");
        assert_eq!(conf.socket_or(Some("/y")), PathBuf::from("/y"));
        assert_eq!(conf.socket_or(None), PathBuf::from("/run/x.ctl"));
        assert_eq!(Conf::default().socket_or(None), PathBuf::from(DEBIAN_SOCKET));
    }
}
