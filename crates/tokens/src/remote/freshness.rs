//! How long an answer stays fresh (RFC 9111), and when to ask again (RFC 9110 §10.2.3).

use std::time::Duration;

use bartizan_core::UnixTime;

/// What an issuer said about how long its JWKS is fresh: `Cache-Control` and `Age`.
///
/// `must-revalidate` and `stale-if-error` are not obeyed: how long keys are believed while their issuer does not answer is
/// the program's to say. Many servers send the first with every answer. `Expires` is not read.
///
/// ```
/// use std::time::Duration;
/// use bartizan_tokens::Freshness;
///
/// let freshness = Freshness::from_headers(["public, max-age=600"], Some("60"));
/// assert_eq!(freshness.lifetime(), Some(Duration::from_secs(540)));
/// assert_eq!(Freshness::from_headers(["no-store"], None).lifetime(), Some(Duration::ZERO));
/// assert_eq!(Freshness::from_headers([], None).lifetime(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness(Option<Duration>);

/// Longest value of a header that is read; RFC 9111 has no longer use.
const MAX_HEADER: usize = 4 * 1024;

/// The greatest number of seconds that means anything (RFC 9111 §1.2.2): 2^31.
const MAX_SECONDS: u64 = 1 << 31;

impl Freshness {
    /// Nothing was said.
    pub const UNSAID: Self = Self(None);

    /// Fresh for this long from now.
    #[must_use]
    pub const fn lasting(lifetime: Duration) -> Self {
        Self(Some(lifetime))
    }

    /// From all values of `Cache-Control`, and that of `Age`. What cannot be read means that the answer is stale already
    /// (RFC 9111 §4.2.1), and of several ages the shortest counts.
    #[must_use]
    pub fn from_headers<'h>(cache_control: impl IntoIterator<Item = &'h str>, age: Option<&str>) -> Self {
        let shortest = cache_control.into_iter().flat_map(Directives::of).filter_map(lifetime).min();
        // RFC 9111 §5.1: an age that cannot be read is to be ignored.
        let age = age.and_then(|age| seconds(age.trim_matches(BLANK))).unwrap_or_default();
        Self(shortest.map(|lifetime| lifetime.saturating_sub(age)))
    }

    /// For how long it is fresh; nothing when the issuer did not say.
    #[must_use]
    pub const fn lifetime(self) -> Option<Duration> {
        self.0
    }
}

/// A value of `Retry-After`: seconds, or a date that is compared with `now`. Nothing when it is neither.
///
/// Dates are read in the one form that may be sent today (IMF-fixdate, RFC 9110 §5.6.7).
#[must_use]
pub fn retry_after(value: &str, now: UnixTime) -> Option<Duration> {
    let value = value.trim_matches(BLANK);
    seconds(value).or_else(|| Some(date(value)?.since(now)))
}

const BLANK: [char; 2] = [' ', '\t'];

/// How long one directive lets the answer be fresh, if it is about that.
fn lifetime((name, value): (&str, Option<&str>)) -> Option<Duration> {
    if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
        return Some(Duration::ZERO);
    }
    if !name.eq_ignore_ascii_case("max-age") {
        return None;
    }
    // §5.2: the value may stand in quotes, though it should not.
    let value = value.unwrap_or_default();
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    Some(seconds(bare).unwrap_or(Duration::ZERO))
}

/// RFC 9111 §1.2.2: digits alone; what is too great is 2^31.
fn seconds(text: &str) -> Option<Duration> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_secs(text.parse().unwrap_or(MAX_SECONDS).min(MAX_SECONDS)))
}

/// The directives of one header: `name` or `name=value`, split at commas outside quotes.
struct Directives<'h> {
    rest: &'h str,
}

impl<'h> Directives<'h> {
    fn of(header: &'h str) -> Self {
        // What nobody needs to send is taken to forbid keeping it.
        Self { rest: if header.len() > MAX_HEADER { "no-store" } else { header } }
    }
}

impl<'h> Iterator for Directives<'h> {
    type Item = (&'h str, Option<&'h str>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut quoted, mut escaped) = (false, false);
        let comma = self.rest.bytes().position(|byte| {
            let ends = byte == b',' && !quoted;
            quoted ^= byte == b'"' && !escaped;
            escaped = quoted && byte == b'\\' && !escaped;
            ends
        });
        let (directive, rest) = match comma.and_then(|at| self.rest.split_at_checked(at)) {
            Some((directive, rest)) => (directive, rest.strip_prefix(',').unwrap_or(rest)),
            None => (self.rest, ""),
        };
        self.rest = rest;
        let directive = directive.trim_matches(BLANK);
        Some(match directive.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (directive, None),
        })
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, always 29 bytes. The name of the day is not compared with the date.
fn date(text: &str) -> Option<UnixTime> {
    if text.len() != 29 || !text.is_ascii() || text.get(3..5)? != ", " || !text.ends_with(" GMT") {
        return None;
    }
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    };
    let separators = [(7, " "), (11, " "), (16, " "), (19, ":"), (22, ":")];
    if separators.iter().any(|(at, separator)| text.get(*at..at + 1) != Some(separator)) {
        return None;
    }
    let month = MONTHS.iter().position(|month| text.get(8..11) == Some(month))?;
    let month = i64::try_from(month).ok()? + 1;
    let (day, year) = (number(5..7)?, number(12..16)?);
    let (hour, minute, second) = (number(17..19)?, number(20..22)?, number(23..25)?);
    // A leap second is allowed and counts as the next second.
    if !(1..=31).contains(&day) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970-01-01, with years that begin in March so that the leap day ends one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(UnixTime::from_secs(days * 86_400 + hour * 3_600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn is(headers: &[&str], expected: Option<u64>) {
        let freshness = Freshness::from_headers(headers.iter().copied(), None);
        assert_eq!(freshness.lifetime(), expected.map(Duration::from_secs), "{headers:?}");
    }

    #[test]
    fn every_form_of_cache_control_is_read() {
        is(&[], None);
        is(&[""], None);
        is(&["public"], None);
        is(&["max-age=600"], Some(600));
        is(&["Max-Age=600"], Some(600));
        is(&["max-age=\"600\""], Some(600));
        is(&["public, max-age=21600, must-revalidate, no-transform"], Some(21_600));
        is(&["public,max-age=60"], Some(60));
        is(&[" , ,max-age=60, "], Some(60));
        is(&["public", "max-age=60"], Some(60));
        is(&["s-maxage=600"], None);
        is(&["x-max-age=600"], None);
        is(&["private=\"a, max-age=9\", max-age=60"], Some(60));
        is(&["private=\"a\\\", max-age=9\", max-age=60"], Some(60));
        // What a widespread framework sends with its JWKS.
        is(&["no-cache, no-store, max-age=0, must-revalidate"], Some(0));
    }

    #[test]
    fn what_cannot_be_read_or_kept_is_stale_at_once() {
        for header in [
            "max-age",
            "max-age=",
            "max-age=-1",
            "max-age=1.5",
            "max-age= 60",
            "max-age=\"60",
            "max-age=0x10",
            "no-store",
            "NO-CACHE",
            "no-cache=\"set-cookie\", max-age=60",
            "max-age=60, max-age=0",
        ] {
            is(&[header], Some(0));
        }
        is(&[&format!("max-age=600{}", ",a".repeat(MAX_HEADER))], Some(0));
    }

    #[test]
    fn of_several_ages_the_shortest_counts_and_a_great_one_ends_somewhere() {
        is(&["max-age=600, max-age=60"], Some(60));
        is(&["max-age=99999999999999999999999999"], Some(1 << 31));
        is(&["max-age=18446744073709551615"], Some(1 << 31));
    }

    #[test]
    fn the_age_is_subtracted_and_never_added() {
        let freshness = |age| Freshness::from_headers(["max-age=600"], Some(age)).lifetime();
        assert_eq!(freshness("60"), Some(Duration::from_secs(540)));
        assert_eq!(freshness("601"), Some(Duration::ZERO));
        assert_eq!(freshness("-60"), Some(Duration::from_secs(600)));
        assert_eq!(freshness("sixty"), Some(Duration::from_secs(600)));
        assert_eq!(freshness("99999999999999999999999"), Some(Duration::ZERO));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = UnixTime::from_secs(784_111_777); // 1994-11-06T08:49:37Z
        let after = |value| retry_after(value, now).map(|after| after.as_secs());
        assert_eq!(after("120"), Some(120));
        assert_eq!(after(" 0 "), Some(0));
        assert_eq!(after("99999999999999999999"), Some(1 << 31));
        assert_eq!(after("Sun, 06 Nov 1994 08:50:37 GMT"), Some(60));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:36 GMT"), Some(0));
        assert_eq!(after("Thu, 29 Feb 1996 00:00:00 GMT"), Some(825_552_000 - 784_111_777));
        for broken in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Növ 1994 08:49:3 GMT",
        ] {
            assert_eq!(after(broken), None, "{broken}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_is_read_without_panic(header in "\\PC{0,64}", age in "\\PC{0,32}") {
            let _ = Freshness::from_headers([header.as_str()], Some(&age));
            let _ = retry_after(&header, UnixTime::EPOCH);
        }

        #[test]
        fn no_directive_makes_an_answer_fresher(seconds in 0_u64..1 << 31, other in "[a-z=\", -]{0,32}") {
            let header = format!("max-age={seconds}, {other}");
            let lifetime = Freshness::from_headers([header.as_str()], None).lifetime();
            prop_assert!(lifetime.is_some_and(|lifetime| lifetime <= Duration::from_secs(seconds)));
        }

        #[test]
        fn every_second_from_1970_to_9999_is_read_back(at in 0_i64..253_402_300_800) {
            let at = UnixTime::from_secs(at.min(UnixTime::MAX.as_secs()));
            let text = at.to_string();
            let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
                [text[5..7].parse::<usize>().unwrap() - 1];
            let written = format!("Mon, {} {month} {} {} GMT", &text[8..10], &text[..4], &text[11..19]);
            prop_assert_eq!(date(&written), Some(at));
        }
    }
}
