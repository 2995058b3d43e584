//! Days of the calendar, so that ages and expiry can be told without a clock of our own.

/// Days since 1970-01-01 of `YYYY-MM-DD` (proleptic Gregorian calendar); `None` before that or where it is no day.
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
    let z = days.min(2_932_896) + 719_468;
    let (era, in_era) = (z / 146_097, z % 146_097);
    let year_of_era = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// `YYYY-MM-DD` of the moment `seconds` after 1970-01-01 (UTC).
#[must_use]
pub fn day_of(seconds: u64) -> String {
    let (year, month, day) = to_civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `YYYY-MM-DDTHH:MM:SSZ` of the moment `seconds` after 1970-01-01.
#[must_use]
pub fn moment(seconds: u64) -> String {
    let in_day = seconds % 86_400;
    format!("{}T{:02}:{:02}:{:02}Z", day_of(seconds), in_day / 3_600, in_day / 60 % 60, in_day % 60)
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
            assert_eq!(days(&day_of(day * 86_400)), Some(day));
        }
        assert_eq!(moment(19_782 * 86_400 + 3_661), "2024-02-29T01:01:01Z");
        assert_eq!(day_of(u64::MAX), "9999-12-31");
    }

    #[test]
    fn what_is_no_day_is_none() {
        for bad in ["", "2023-02-29", "2026-13-01", "2026-00-01", "1969-12-31", "2026-1-01", "+026-01-01", "2026-04-31"]
        {
            assert_eq!(days(bad), None, "{bad}");
        }
    }
}
