//! What stands in a condition: texts, lists, durations, and how they are written canonically.

use std::{
    borrow::Borrow,
    fmt::{self, Write},
    time::Duration,
};

use super::{Problem, Truth};
use crate::{document::Word, names::quoted};

/// Longest list in a condition.
pub(super) const MAX_LIST: usize = 256;

/// Longest text in a condition, in bytes; no name of a principal is longer.
pub(super) const MAX_TEXT: usize = 255;

/// Longest duration: a year.
const MAX_DURATION: Duration = Duration::from_secs(366 * DAY);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The units of durations, the largest first.
const UNITS: [(char, u64); 4] = [('d', DAY), ('h', HOUR), ('m', MINUTE), ('s', 1)];

/// A list as a condition has it: sorted, nothing twice, at least one thing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct List<T>(Box<[T]>);

impl<T: Ord> List<T> {
    /// From things that were read one by one and are known to be different and not too many.
    pub(super) fn sorted(mut things: Vec<T>) -> Self {
        things.sort_unstable();
        Self(things.into())
    }

    pub(super) fn contains<Q: Ord + ?Sized>(&self, wanted: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.0.binary_search_by(|known| known.borrow().cmp(wanted)).is_ok()
    }
}

impl<T> List<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub(super) fn all(&self, judge: impl Fn(&T) -> Truth) -> Truth {
        self.0.iter().map(judge).fold(Truth::ALWAYS, Truth::and)
    }
}

impl<T: fmt::Display> fmt::Display for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        listed(f, &self.0)
    }
}

pub(super) fn listed<T: fmt::Display>(f: &mut fmt::Formatter<'_>, things: &[T]) -> fmt::Result {
    for (at, thing) in things.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(f, "{comma}{thing}")?;
    }
    Ok(())
}

/// A text of a condition, compared byte by byte. Its `Display` is a TOML string in ASCII, so that what looks alike is seen to
/// differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exact(Box<str>);

impl Exact {
    /// `what` names the text in the complaint.
    pub(super) fn read(what: &str, text: &str) -> Result<Self, String> {
        match text.len() {
            0 => Err(format!("{what} has an empty text")),
            1..=MAX_TEXT => Ok(Self(text.into())),
            _ => Err(format!("{what} has a text of over {MAX_TEXT} bytes")),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Exact {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                ' '..='~' => f.write_char(c)?,
                _ if u32::from(c) <= 0xffff => write!(f, "\\u{:04X}", u32::from(c))?,
                _ => write!(f, "\\U{:08X}", u32::from(c))?,
            }
        }
        f.write_char('"')
    }
}

/// Texts of a list, each of which `check` takes; none twice, at least one, at most 256.
pub(super) fn each<T: Ord>(
    key: &str,
    words: &[Word],
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<List<T>, Problem> {
    counted(key, words.len()).map_err(Problem::here)?;
    let mut read = Vec::with_capacity(words.len());
    for word in words {
        read.push((check(word.get_ref()).map_err(|detail| Problem::new(word, detail))?, word));
    }
    read.sort_by(|one, two| one.0.cmp(&two.0));
    if let Some((_, again)) = repeated(&read, |(one, _), (two, _)| one == two) {
        return Err(Problem::new(again, format!("{key} says {} twice", quoted(again.get_ref()))));
    }
    Ok(List(read.into_iter().map(|(thing, _)| thing).collect()))
}

/// The first of what is sorted that is the same as the one before it.
pub(super) fn repeated<T>(sorted: &[T], same: impl Fn(&T, &T) -> bool) -> Option<&T> {
    sorted.windows(2).find_map(|pair| match pair {
        [one, two] if same(one, two) => Some(two),
        _ => None,
    })
}

/// Whether a list may have so many things.
pub(super) fn counted(key: &str, count: usize) -> Result<(), String> {
    match count {
        0 => Err(format!("{key} has an empty list")),
        1..=MAX_LIST => Ok(()),
        _ => Err(format!("{key} has a list of over {MAX_LIST}")),
    }
}

/// A duration such as `15m`: a whole number without leading zeros, and one unit of `s`, `m`, `h` and `d`; from `1s` to `366d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{} is not a duration from 1s to 366d, such as 90s, 15m, 12h or 7d", quoted(text));
    let split = UNITS.into_iter().find_map(|(unit, length)| Some((text.strip_suffix(unit)?, length)));
    let seconds = split.and_then(|(number, length)| whole(number)?.checked_mul(length)).ok_or_else(wrong)?;
    let duration = Duration::from_secs(seconds);
    if duration.is_zero() || duration > MAX_DURATION { Err(wrong()) } else { Ok(duration) }
}

/// A duration in the largest unit that fits it.
pub(super) fn write_duration(f: &mut fmt::Formatter<'_>, duration: Duration) -> fmt::Result {
    let seconds = duration.as_secs();
    let (unit, length) =
        UNITS.into_iter().find(|(_, length)| seconds.is_multiple_of(*length)).unwrap_or(('s', 1));
    write!(f, "\"{}{unit}\"", seconds / length)
}

/// A whole number in plain digits: no sign, no leading zeros.
pub(super) fn whole(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Shown(Duration);

    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_duration(f, self.0)
        }
    }

    #[test]
    fn durations_have_one_number_and_one_unit() {
        for (text, seconds, canonical) in [
            ("1s", 1, "1s"),
            ("59s", 59, "59s"),
            ("60s", 60, "1m"),
            ("15m", 900, "15m"),
            ("90m", 5_400, "90m"),
            ("60m", 3_600, "1h"),
            ("24h", 86_400, "1d"),
            ("366d", 31_622_400, "366d"),
            ("31622400s", 31_622_400, "366d"),
        ] {
            let read = duration(text).unwrap();
            assert_eq!(read, Duration::from_secs(seconds), "{text}");
            assert_eq!(Shown(read).to_string(), format!("\"{canonical}\""));
        }
        for bad in [
            "",
            "s",
            "m",
            "15",
            "0s",
            "00m",
            "05m",
            "-1m",
            "+1m",
            " 1m",
            "1m ",
            "1 m",
            "1M",
            "1min",
            "1ms",
            "1mm",
            "1.5h",
            "1h30m",
            "1e3s",
            "367d",
            "31622401s",
            "18446744073709551616s",
            "18446744073709551615d",
            "１５m",
            "15ｍ",
            "1s\n",
            "PT15M",
            "1w",
            "1_000s",
        ] {
            let error = duration(bad).unwrap_err();
            assert!(error.contains("such as 90s") && error.is_ascii(), "{bad:?}: {error}");
        }
    }

    #[test]
    fn a_text_is_shown_in_ascii_on_one_line() {
        let shown = |text: &str| Exact::read("x", text).unwrap().to_string();
        assert_eq!(shown(r#"a"b\c"#), r#""a\"b\\c""#);
        assert_eq!(shown("\n\u{7f}é\u{202e}😀"), r#""\u000A\u007F\u00E9\u202E\U0001F600""#);
        assert!(Exact::read("x", "").is_err() && Exact::read("x", &"é".repeat(128)).is_err());
        assert!(Exact::read("x", &"x".repeat(255)).is_ok());
    }

    proptest! {
        #[test]
        fn a_duration_is_read_as_it_is_shown(seconds in 1..=366 * DAY) {
            let shown = Shown(Duration::from_secs(seconds)).to_string();
            prop_assert_eq!(duration(shown.trim_matches('"')), Ok(Duration::from_secs(seconds)));
        }

        #[test]
        fn toml_reads_a_text_as_it_is_shown(text in "\\PC{1,40}|[\\x00-\\x7f]{1,40}") {
            let table: toml::Table = toml::from_str(&format!("x = {}", Exact::read("x", &text).unwrap())).unwrap();
            prop_assert_eq!(table["x"].as_str(), Some(text.as_str()));
        }
    }
}
