//! Names: what they may look like, how they are found, and which is nearest.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
};

/// Longest name of a role, of a segment of a permission, or of a field, in bytes.
pub(crate) const MAX_NAME: usize = 64;

/// Longest alias, in bytes.
const MAX_ALIAS: usize = 200;

/// `[a-z][a-z0-9_-]*`: what a role, a kind of record and an action are called.
///
/// SECURITY: ASCII only. Without case folding and normalisation two names are equal when their bytes are, so no look-alike
/// letter can pass for another role.
pub(crate) fn is_segment(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// `[A-Za-z_][A-Za-z0-9_.-]*`: what a field is called, in the casing of the program.
pub(crate) fn is_field(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// `[a-z][a-z0-9_:.-]*`: what an older system may have called a permission.
pub(crate) fn is_alias(name: &str) -> bool {
    name.len() <= MAX_ALIAS
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b':' | b'.' | b'-'))
}

/// A name as it may stand in a message: on one line, in ASCII, not without end.
pub(crate) fn quoted(name: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown = String::from("\"");
    for (at, c) in name.chars().enumerate() {
        if at == SHOWN {
            shown.push('…');
            break;
        }
        shown.extend(c.escape_default());
    }
    shown.push('"');
    shown
}

/// `; did you mean "…"?` when one of the candidates is close enough, else nothing.
pub(crate) fn suggestion<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    nearest(name, candidates).map(|near| format!("; did you mean {}?", quoted(near))).unwrap_or_default()
}

/// The candidate that takes the fewest edits, if they are at most a third of the name.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.len() / 3).max(1);
    candidates
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= most && name.len() <= 2 * MAX_ALIAS)
        .map(|candidate| (edits(name.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many bytes must be added, removed or replaced (Levenshtein, one row).
fn edits(one: &[u8], two: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, b) in cells.zip(two) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// A map from names, compared in full: the hash finds the place and is never taken for the name.
#[derive(Clone)]
pub(crate) struct Table<V>(HashMap<Box<str>, V, Seeded>);

impl<V> Table<V> {
    pub(crate) fn new() -> Self {
        Self(HashMap::with_hasher(Seeded::draw()))
    }

    pub(crate) fn with_capacity(names: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(names, Seeded::draw()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.0.get(name)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn insert(&mut self, name: impl Into<Box<str>>, value: V) {
        self.0.insert(name.into(), value);
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &V)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(|name| &**name)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<V> fmt::Debug for Table<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.len())
    }
}

/// A fast hash (folded multiplication, eight bytes a step) with a seed of its own for each table.
#[derive(Clone)]
pub(crate) struct Seeded {
    start: u64,
    step: u64,
}

impl Seeded {
    /// SECURITY: subjects are the peers' own words. With a known seed they could be chosen to share one place.
    pub(crate) fn draw() -> Self {
        let random = RandomState::new();
        Self { start: random.hash_one(0_u8), step: random.hash_one(1_u8) | 1 }
    }
}

/// SECURITY: who knows the seed can choose names that share one place.
impl fmt::Debug for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seeded")
    }
}

impl BuildHasher for Seeded {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { state: self.start, step: self.step }
    }
}

pub(crate) struct Folded {
    state: u64,
    step: u64,
}

impl Folded {
    /// Multiplies to 128 bits and folds the halves, so that every bit of both words reaches every bit of the state.
    #[inline]
    fn mix(&mut self, one: u64, two: u64) {
        let wide = u128::from(self.state ^ one) * u128::from(self.step ^ two);
        self.state = low(wide) ^ low(wide >> 64);
    }
}

impl Hasher for Folded {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((head, tail)) = rest.split_first_chunk::<16>() {
            let head = u128::from_le_bytes(*head);
            self.mix(low(head), low(head >> 64));
            rest = tail;
        }
        // The last words overlap rather than be filled up; the length tells apart what overlaps alike.
        let (one, two) = match (rest.first_chunk::<8>(), rest.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
                (Some(head), Some(tail)) => {
                    (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
                }
                _ => (rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
            },
        };
        self.mix(one, two ^ (bytes.len() as u64).rotate_left(32));
    }

    #[inline]
    fn write_u8(&mut self, byte: u8) {
        self.state ^= u64::from(byte);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.state
    }
}

const fn low(wide: u128) -> u64 {
    (wide & u64::MAX as u128) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let roles = ["nurse", "doctor", "admin"];
        assert_eq!(nearest("nures", roles.into_iter()), None);
        assert_eq!(nearest("nurs", roles.into_iter()), Some("nurse"));
        assert_eq!(nearest("docter", roles.into_iter()), Some("doctor"));
        assert_eq!(nearest("janitor", roles.into_iter()), None);
        assert_eq!(edits(b"kitten", b"sitting"), 3);
        assert_eq!(edits(b"", b"abc"), 3);
    }

    #[test]
    fn look_alikes_are_no_names() {
        for good in ["nurse", "night-nurse", "l2_support", "a"] {
            assert!(is_segment(good), "{good}");
        }
        for bad in [
            "",
            "Nurse",
            "nürse",
            "\u{212a}",
            "nurs\u{435}",
            "nurse\u{200b}",
            "nurse ",
            "-a",
            "1a",
            "a\n",
            "*",
            "a:b",
        ] {
            assert!(!is_segment(bad), "{bad:?}");
        }
        assert!(is_segment(&"a".repeat(64)) && !is_segment(&"a".repeat(65)));
        assert!(is_field("creditCard") && !is_field("credit card") && !is_field("") && !is_field("сcn"));
    }

    #[test]
    fn a_message_shows_names_on_one_ascii_line() {
        let shown = quoted("a\n\u{202e}é");
        assert_eq!(shown, "\"a\\n\\u{202e}\\u{e9}\"");
        assert!(quoted(&"x".repeat(10_000)).len() < 100);
    }

    #[test]
    fn the_hash_spreads_names_that_differ_little() {
        let seeded = Seeded::draw();
        let hashes: HashSet<u64> =
            (0..10_000).map(|n| seeded.hash_one(format!("role-{n}").as_str())).collect();
        assert!(hashes.len() > 9_990);
        let low: HashSet<u64> =
            (0..10_000).map(|n| seeded.hash_one(format!("r{n}").as_str()) & 0xffff).collect();
        assert!(low.len() > 8_500, "{}", low.len());
        let high: HashSet<u64> =
            (0..10_000).map(|n| seeded.hash_one(format!("r{n}").as_str()) >> 48).collect();
        assert!(high.len() > 8_500, "{}", high.len());
    }

    proptest! {
        #[test]
        fn a_table_finds_what_was_put_in_and_nothing_else(names in proptest::collection::btree_set(".{0,20}", 0..40), other in ".{0,20}") {
            let mut table = Table::new();
            for (at, name) in names.iter().enumerate() {
                table.insert(name.as_str(), at);
            }
            for (at, name) in names.iter().enumerate() {
                prop_assert_eq!(table.get(name), Some(&at));
            }
            prop_assert_eq!(table.contains(&other), names.contains(&other));
        }
    }
}
