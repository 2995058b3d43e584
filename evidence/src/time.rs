//! Times as evidence writes them: RFC 3339, UTC, whole seconds.

/// Days of a month of the proleptic Gregorian calendar.
const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `YYYY-MM-DDThh:mm:ssZ` for seconds since 1970-01-01.
#[must_use]
pub fn format(seconds: u64) -> String {
    // 9999-12-31: a clock beyond it is no clock.
    let seconds = seconds.min(253_402_300_799);
    let (mut days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (mut year, mut month) = (1970u64, 1u64);
    while days >= days_in(year, month) {
        days = days.saturating_sub(days_in(year, month));
        month = if month == 12 { 1 } else { month.saturating_add(1) };
        year = if month == 1 { year.saturating_add(1) } else { year };
    }
    let day = days.saturating_add(1);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// The other way; `None` where it is not exactly what [`format`] writes.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let number = |at: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(at)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let mut days = day.checked_sub(1)?;
    for y in 1970..year {
        days = days.checked_add(if days_in(y, 2) == 29 { 366 } else { 365 })?;
    }
    for m in 1..month {
        days = days.checked_add(days_in(year, m))?;
    }
    let seconds = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    let seconds = seconds.checked_mul(60)?.checked_add(second)?;
    (format(seconds) == text).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_both_ways() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_474_861, "2026-11-23T23:01:01Z"),
        ] {
            assert_eq!((format(seconds).as_str(), parse(text)), (text, Some(seconds)));
        }
        for bad in [
            "",
            "2026-11-23",
            "2026-11-23T23:01:01",
            "2026-02-29T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T23:01:01z",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
