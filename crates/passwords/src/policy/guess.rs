//! What anybody tries first.
//!
//! SP 800-63B-4 section 3.1.1.2 asks for the whole password to be compared with a list of known, expected and compromised
//! ones, “not substrings or words that might be contained therein”. So a password is refused when all of it but a little is
//! made of such pieces, and never because one stands in it: `violet kettle under my password` is fine.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::Violation;

/// Words that mean something about a user or a service, in the form they are compared in.
#[derive(Clone, Default)]
pub(crate) struct Words(Vec<Vec<char>>);

impl Words {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// A text without what is no letter and no digit, and each part of it between such.
    ///
    /// In Normalization Form C, as passwords are: else a name that was typed with its accents apart would be found in none.
    pub(crate) fn add(&mut self, text: &str) {
        let text = &text.nfc().collect::<String>();
        self.add_one(text);
        for part in text.split(|c: char| !c.is_alphanumeric()) {
            self.add_one(part);
        }
    }

    fn add_one(&mut self, text: &str) {
        let word: Vec<char> = folded(text).filter(|c| c.is_alphanumeric()).take(MAX_WORD).collect();
        if word.len() >= MIN_WORD && self.0.len() < MAX_WORDS && !self.0.contains(&word) {
            self.0.push(word);
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    #[cfg(feature = "strength")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|word| word.iter().collect())
    }
}

/// Whether a password in Normalization Form C is covered by pieces that are guessed first: common passwords, words about the
/// user and the service, runs of neighbours, years, and few other characters.
///
/// With a word about them: at most one common password and five other characters beside it. Without: at most two common
/// passwords and nothing else, or one, or none, and three others. In either case no more others than the rest.
pub(crate) fn violations(normal: &str, words: &[&Words]) -> impl Iterator<Item = Violation> {
    // Room for every outcome (a code point has at most three in lower case), so that no growth leaves an unwiped copy behind.
    let mut text = Zeroizing::new(Vec::with_capacity(3 * normal.len()));
    text.extend(folded(normal));
    let mut covers = vec![Covers::default(); text.len() + 1];
    if let Some(start) = covers.first_mut() {
        *start = Covers::START;
    }
    for at in 0..text.len() {
        let here = covers.get(at).copied().unwrap_or_default();
        let rest = text.get(at..).unwrap_or_default();
        if here.is_empty() {
            continue;
        }
        let mut reach = |length: usize, covers_then: Covers| {
            if let Some(there) = covers.get_mut(at + length) {
                there.add(covers_then);
            }
        };
        reach(1, here.with_other());
        if is_year(rest) {
            reach(4, here);
        }
        let run = run_length(rest);
        for length in (MIN_RUN..=run.min(MAX_WORD)).chain((run > MAX_WORD).then_some(run)) {
            reach(length, here);
        }
        for length in common_lengths(rest) {
            reach(length, here.with_common());
        }
        for word in words.iter().flat_map(|words| &words.0) {
            if starts_with(rest, word) {
                reach(word.len(), here.with_word());
            }
        }
    }
    covers.last().copied().unwrap_or_default().violations(text.len() / 2)
}

/// In which ways a text is covered up to somewhere: one bit for each count of common passwords (0 to 2) and other characters
/// (0 to 5), in rows of six, without a word and then with one.
#[derive(Clone, Copy, Default)]
struct Covers(u64);

impl Covers {
    /// No word, no common password, no other character.
    const START: Self = Self(1);

    const fn is_empty(self) -> bool {
        self.0 == 0
    }

    const fn add(&mut self, more: Self) {
        self.0 |= more.0;
    }

    const fn with_other(self) -> Self {
        Self((self.0 & !FIVE_OTHERS) << 1)
    }

    const fn with_common(self) -> Self {
        Self((self.0 & !TWO_COMMON) << 6)
    }

    const fn with_word(self) -> Self {
        Self(self.0 & !NO_WORD | (self.0 & NO_WORD) << 18)
    }

    /// What it comes to when at most so many others count as few.
    fn violations(self, others: usize) -> impl Iterator<Item = Violation> {
        let few = !(u64::MAX << (others + 1).min(6));
        let few = [0, 6, 12, 18, 24, 30].into_iter().fold(0, |all, row| all | few << row);
        [(COMMON, Violation::Common), (CONTEXT, Violation::ContextWord)]
            .into_iter()
            .filter_map(move |(ways, violation)| (self.0 & few & ways != 0).then_some(violation))
    }
}

const FIVE_OTHERS: u64 = 0b100000_100000_100000_100000_100000_100000;
const TWO_COMMON: u64 = 0b111111_000000_000000_111111_000000_000000;
const NO_WORD: u64 = 0b111111_111111_111111;
/// A word, at most one common password, at most five others.
const CONTEXT: u64 = 0b000000_111111_111111 << 18;
/// No word; two common passwords and nothing else, or at most one and three others.
const COMMON: u64 = 0b000001_001111_001111;

/// How many characters from the start each follow the one before in the same way: the same again, the next or the one
/// before in Unicode, or a neighbour in a row of the keyboard.
fn run_length(text: &[char]) -> usize {
    let steps = |kind: fn(char, char) -> bool| {
        1 + text.windows(2).take_while(|pair| matches!(pair, [a, b] if kind(*a, *b))).count()
    };
    let kinds: [fn(char, char) -> bool; 5] = [
        |a, b| a == b,
        |a, b| u32::from(a) + 1 == u32::from(b),
        |a, b| u32::from(a) == u32::from(b) + 1,
        |a, b| are_neighbours(a, b),
        |a, b| are_neighbours(b, a),
    ];
    kinds.into_iter().map(steps).max().unwrap_or_default()
}

fn are_neighbours(left: char, right: char) -> bool {
    ROWS.iter().any(|row| row.chars().zip(row.chars().skip(1)).any(|pair| pair == (left, right)))
}

/// From 1900 to 2099.
fn is_year(text: &[char]) -> bool {
    matches!(text, ['1', '9', a, b, ..] | ['2', '0', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit())
}

/// The lengths of the common passwords that the text starts with, also where digits and signs stand for letters.
fn common_lengths(text: &[char]) -> impl Iterator<Item = usize> {
    let head = text.get(..MAX_COMMON).unwrap_or(text);
    let head = head.iter().position(|c| !c.is_ascii()).and_then(|end| head.get(..end)).unwrap_or(head);
    let readings: [fn(char) -> char; 3] = [|c| c, |c| letter(c, 'i'), |c| letter(c, 'l')];
    let mut found = 0_u32;
    for reading in readings {
        let mut key = Zeroizing::new([0; MAX_COMMON]);
        for (to, from) in key.iter_mut().zip(head) {
            *to = u8::try_from(reading(*from)).unwrap_or_default();
        }
        for length in MIN_COMMON..=head.len() {
            let piece = key.get(..length).unwrap_or_default();
            let line = first_not_before(piece);
            found |= u32::from(line == piece) << length;
            if !line.starts_with(piece) {
                break;
            }
        }
    }
    (MIN_COMMON..=MAX_COMMON).filter(move |length| found >> length & 1 == 1)
}

/// The first line of the list that is not before this text; nothing after the last. The lines are sorted by their bytes.
fn first_not_before(text: &[u8]) -> &'static [u8] {
    let list = COMMON_PASSWORDS.as_bytes();
    let line_at = |start: usize| {
        let rest = list.get(start..).unwrap_or_default();
        rest.iter().position(|byte| *byte == b'\n').and_then(|end| rest.get(..end)).unwrap_or(rest)
    };
    // Both are always starts of lines, or the end.
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let before = list.get(low..middle).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(low, |end| low + end + 1);
        let line = line_at(start);
        if line < text {
            low = start + line.len() + 1;
        } else {
            high = start;
        }
    }
    line_at(low)
}

fn starts_with(text: &[char], word: &[char]) -> bool {
    text.len() >= word.len()
        && text
            .iter()
            .zip(word)
            .all(|(have, want)| have == want || letter(*have, 'i') == *want || letter(*have, 'l') == *want)
}

/// The letter that a digit or a sign is written for.
const fn letter(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        other => other,
    }
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// The 12,000 most common passwords of four characters and more in zxcvbn's list, and its longer ones; in lower case, one a
/// line. See the file beside it for where it comes from.
const COMMON_PASSWORDS: &str = include_str!("../common/passwords.txt");
const MIN_COMMON: usize = 4;
/// The longest line has 20 bytes.
const MAX_COMMON: usize = 20;

/// Three keyboards' rows: QWERTY, QWERTZ, AZERTY.
const ROWS: [&str; 8] =
    ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm"];
const MIN_RUN: usize = 3;

const MIN_WORD: usize = 3;
const MAX_WORD: usize = 64;
const MAX_WORDS: usize = 64;
