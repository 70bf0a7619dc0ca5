//! Reading the times that records and checkpoints hold.

use bartizan_core::UnixTime;

/// Reads exactly what `UnixTime` writes: RFC 3339 in UTC, `Z`, with 0, 3, 6 or 9 decimals and no more than are needed.
pub(crate) fn parse(text: &str) -> Option<UnixTime> {
    let digits = text.strip_suffix('Z')?;
    let (seconds, nanos) = match digits.split_once('.') {
        None => (digits, 0),
        Some((seconds, decimals)) => {
            let scale = 10_i64.checked_pow(u32::try_from(9_usize.checked_sub(decimals.len())?).ok()?)?;
            (seconds, number(decimals)?.checked_mul(scale)?)
        }
    };
    let (date, time) = seconds.split_once('T')?;
    let (mut date, mut time) = (date.split('-'), time.split(':'));
    let (year, month, day) = (number(date.next()?)?, number(date.next()?)?, number(date.next()?)?);
    let (hour, minute, second) = (number(time.next()?)?, number(time.next()?)?, number(time.next()?)?);
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let nanos = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let parsed = UnixTime::from_nanos(i64::try_from(nanos).ok()?);
    // The one form there is: what is written back must be what was read.
    (parsed.to_string() == text).then_some(parsed)
}

fn number(digits: &str) -> Option<i64> {
    (digits.len() <= 9).then(|| digits.parse().ok())?
}

/// Days since 1970-01-01 of a Gregorian date, in eras of 400 years that begin on 1 March.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn other_forms_of_a_time_are_refused() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(UnixTime::EPOCH));
        for edge in [i64::MIN, i64::MAX] {
            let edge = UnixTime::from_nanos(edge);
            assert_eq!(parse(&edge.to_string()), Some(edge));
        }
        for other in [
            "",
            "Z",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00+00:00",
            "1970-01-01 00:00:00Z",
            "1970-01-01T00:00:00.5Z",
            "1970-01-01T00:00:00.000Z",
            "1970-1-1T0:0:0Z",
            "1970-02-30T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "+1970-01-01T00:00:00Z",
            "1970-01-01T00:00:00z",
            "999999999-01-01T00:00:00Z",
            "1970-01-01T00:00:00.-01Z",
            "1970-13-01T00:00:00Z",
            "1970-01-01T00:00:00:00Z",
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_back(nanos: i64) {
            let time = UnixTime::from_nanos(nanos);
            prop_assert_eq!(parse(&time.to_string()), Some(time));
        }

        #[test]
        fn arbitrary_text_does_not_panic(text in "[0-9TZ:.-]{0,40}") {
            let _ = parse(&text);
        }
    }
}
