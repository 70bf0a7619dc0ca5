//! RFC 3339 times, read strictly.

use bartizan_core::UnixTime;

/// `YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm)` with capital letters, at most nine decimals and no leap second; years 1678 to
/// 2261, which is what [`UnixTime`] can tell.
pub(crate) fn parse(text: &str) -> Option<UnixTime> {
    let (date, time) = text.split_once('T')?;
    let (year, month, day) = split3(date, '-')?;
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    if !(1678..=2261).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_in(year, month)).contains(&day)
    {
        return None;
    }

    let (time, offset) = split_offset(time)?;
    let (hour, minute, seconds) = split3(time, ':')?;
    let (second, nanos) = match seconds.split_once('.') {
        Some((second, fraction)) => (second, nanos(fraction)?),
        None => (seconds, 0),
    };
    let (hour, minute, second) = (digits(hour, 2)?, digits(minute, 2)?, digits(second, 2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }

    let secs = days_from_epoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    Some(UnixTime::from_nanos(secs * 1_000_000_000 + nanos))
}

/// The time of day and its offset from UTC in seconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let (time, offset) = time.split_at_checked(time.len().checked_sub(6)?)?;
    let sign = match offset.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some((time, sign * (hours * 3_600 + minutes * 60)))
}

fn split3(text: &str, at: char) -> Option<(&str, &str, &str)> {
    let (one, rest) = text.split_once(at)?;
    let (two, three) = rest.split_once(at)?;
    Some((one, two, three))
}

/// Exactly `count` decimal digits; `str::parse` alone would take a sign.
fn digits(text: &str, count: usize) -> Option<i64> {
    if text.len() != count || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn nanos(fraction: &str) -> Option<i64> {
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let value = digits(fraction, fraction.len())?;
    Some((fraction.len()..9).fold(value, |value, _| value * 10))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, counted in eras of 400 years from 0000-03-01, so that the leap day ends a year.
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times_are_read() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.000000001Z", 1),
            ("1970-01-01T00:00:00.5Z", 500_000_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:30:00-00:30", 0),
            ("2023-11-14T22:13:20.000Z", 1_700_000_000_000_000_000),
        ] {
            assert_eq!(parse(text), Some(UnixTime::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14t22:13:20z",
            "2023-11-14 22:13:20Z",
            "2023-11-14T22:13Z",
            "2023-11-14T22:13:60Z",
            "2023-11-14T24:00:00Z",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-11-31T00:00:00Z",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20.1234567890Z",
            "2023-11-14T22:13:20+1:00",
            "2023-11-14T22:13:20+24:00",
            "2023-11-14T22:13:20+0100",
            "+023-11-14T22:13:20Z",
            "1677-12-31T00:00:00Z",
            "2262-01-01T00:00:00Z",
            "2023-11-14T22:13:20Z ",
            "２023-11-14T22:13:20Z",
            "2023-11-14T22:13:20é1:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_core_shows_is_read_back(secs in -9_214_560_000_i64..9_214_646_400, nanos in 0..1_000_000_000_i64) {
            let at = UnixTime::from_nanos(secs * 1_000_000_000 + nanos);
            prop_assert_eq!(parse(&at.to_string()), Some(at));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}|[0-9TZ:.+-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
