//! Name and date of a folder of signatures. The date says how old the rules are, so it stands in a file that is
//! changed with them and never comes from a clock.

use crate::SignatureError;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub id: String,
    pub date: String,
}

impl Manifest {
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let manifest: Self =
            toml::from_str(text).map_err(|error| SignatureError::Manifest { what: error.message().to_owned() })?;
        check_name(&manifest.id)?;
        check_date(&manifest.date)?;
        Ok(manifest)
    }
}

/// Letters, digits, `_`, `.` and `-`, at most 128 of them: safe in a report, on a screen and in a file name.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

pub(crate) fn check_name(text: &str) -> Result<(), SignatureError> {
    if is_name(text) {
        return Ok(());
    }
    Err(SignatureError::Manifest { what: format!("{text:?} is no name: use letters, digits, '_', '.' and '-'") })
}

/// `YYYY-MM-DD` with a month and a day that exist in some year.
pub(crate) fn check_date(text: &str) -> Result<(), SignatureError> {
    let parts: Vec<Option<u32>> = text.split('-').map(number).collect();
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    match (parts.as_slice(), lengths.as_slice()) {
        ([Some(_), Some(1..=12), Some(1..=31)], [4, 2, 2]) => Ok(()),
        _ => Err(SignatureError::Manifest { what: format!("{text:?} is no date: write it like 2026-01-31") }),
    }
}

/// Digits only: `str::parse` would take a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_a_name_and_a_date_and_nothing_else() {
        let good = Manifest::parse("id = \"a\"\ndate = \"2026-01-31\"").unwrap();
        assert_eq!((good.id.as_str(), good.date.as_str()), ("a", "2026-01-31"));
        for bad in ["id = \"a\"", "id = \"a b\"\ndate = \"2026-01-31\"", "id = \"a\"\ndate = \"2026-01-31\"\nx = 1"] {
            assert!(Manifest::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn dates_are_written_in_one_way() {
        for bad in ["", "2026-1-31", "2026-13-01", "2026-01-00", "2026-01-32", "+026-01-01", "2026-01-01 ", "26-01-01"]
        {
            assert!(check_date(bad).is_err(), "{bad}");
        }
        assert!(check_date("2026-02-28").is_ok());
    }
}
