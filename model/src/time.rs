//! Days and moments as every record writes them: RFC 3339, UTC, the proleptic Gregorian calendar. No clock is asked here.

use std::time::SystemTime;

const DAY: u64 = 86_400;
/// The last second of the year 9999: a clock beyond it is no clock.
const LAST: u64 = 253_402_300_799;

/// `YYYY-MM-DDThh:mm:ssZ` of the moment `seconds` after 1970-01-01; later ones are held to the end of the year 9999.
#[must_use]
pub fn format(seconds: u64) -> String {
    let in_day = seconds.min(LAST) % DAY;
    format!("{}T{:02}:{:02}:{:02}Z", day_of(seconds), in_day / 3_600, in_day / 60 % 60, in_day % 60)
}

/// The other way; `None` where it is not exactly what [`format()`] writes.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let number = |at: std::ops::Range<usize>| {
        let digits = text.get(at)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?
    };
    let hours = days(text.get(..10)?)?.checked_mul(24)?.checked_add(number(11..13)?)?;
    let minutes = hours.checked_mul(60)?.checked_add(number(14..16)?)?;
    let seconds = minutes.checked_mul(60)?.checked_add(number(17..19)?)?;
    // An hour or a minute that does not exist comes back as another one.
    (format(seconds) == text).then_some(seconds)
}

/// `YYYY-MM-DD` of the moment `seconds` after 1970-01-01.
#[must_use]
pub fn day_of(seconds: u64) -> String {
    let (year, month, day) = to_civil(seconds / DAY);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Days from 1970-01-01 to `YYYY-MM-DD`; `None` before that or where it is no day.
#[must_use]
pub fn days(date: &str) -> Option<u64> {
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let number = |text: &str, width: usize| {
        (text.len() == width && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u64>().ok())?
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let before = from_civil(year, month, day)?;
    // A day that does not exist comes back as another one.
    (to_civil(before) == (year, month, day)).then_some(before)
}

/// Whole days from `day` (`YYYY-MM-DD`) to the moment `now`: 0 for a day that is yet to come, `None` for what is no day.
/// The one place that tells how old rules are.
#[must_use]
pub fn age(day: &str, now: u64) -> Option<u64> {
    days(day).map(|day| (now / DAY).saturating_sub(day))
}

/// [`age`], and without end for what is no day.
#[must_use]
pub fn age_days(day: &str, now: u64) -> u64 {
    age(day, now).unwrap_or(u64::MAX)
}

/// Seconds after 1970-01-01; 0 for what was before.
#[must_use]
pub fn seconds(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The year is counted from March, so that the leap day is its last.
    let year = year.checked_sub(u64::from(month <= 2))?;
    let leap_days = year.checked_div(4)?.checked_sub(year.checked_div(100)?)?.checked_add(year.checked_div(400)?)?;
    let march_month = month.checked_add(9)?.checked_rem(12)?;
    let in_year = march_month.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    year.checked_mul(365)?.checked_add(leap_days)?.checked_add(in_year)?.checked_sub(719_468)
}

/// Year, month and day of the day `days` after 1970-01-01. Days beyond the year 9999 are held to its end.
#[expect(clippy::arithmetic_side_effects, reason = "the day is capped first: every term stays below 2^32")]
fn to_civil(days: u64) -> (u64, u64, u64) {
    let z = days.min(LAST / DAY) + 719_468;
    let (era, in_era) = (z / 146_097, z % 146_097);
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_both_ways() {
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2000-03-01"), Some(11_017));
        assert_eq!(days("2024-02-29"), Some(19_782));
        for day in (0..2_932_896).step_by(97) {
            assert_eq!(days(&day_of(day * DAY)), Some(day));
        }
        assert_eq!(day_of(u64::MAX), "9999-12-31");
    }

    #[test]
    fn what_is_no_day_is_none() {
        for bad in ["", "2023-02-29", "2026-13-01", "2026-00-01", "1969-12-31", "2026-1-01", "+026-01-01", "2026-04-31"]
        {
            assert_eq!(days(bad), None, "{bad}");
        }
    }

    #[test]
    fn moments_go_both_ways() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_474_861, "2026-11-23T23:01:01Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!((format(seconds).as_str(), parse(text)), (text, Some(seconds)));
        }
        assert_eq!(format(u64::MAX), "9999-12-31T23:59:59Z");
        for bad in [
            "",
            "2026-11-23",
            "2026-11-23T23:01:01",
            "2026-02-29T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T23:60:00Z",
            "2026-11-23T23:01:01z",
            "2026-11-23é23:01:01Z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_age_of_rules_is_told_in_days() {
        let at = |days: u64| days * DAY + 3_600;
        assert_eq!(age_days("2024-02-29", at(19_792)), 10);
        assert_eq!(age_days("2024-02-29", at(1)), 0, "rules from the future are not old");
        for no_date in ["", "yesterday", "2024-13-01", "2024-01-01-01"] {
            assert_eq!(age_days(no_date, at(20_000)), u64::MAX, "{no_date}");
        }
    }
}
