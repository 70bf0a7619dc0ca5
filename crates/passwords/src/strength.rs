//! How many guesses a password takes, estimated.

use bartizan_core::SecretText;
use zeroize::Zeroizing;

use crate::{About, Error, normal, policy::Words};

/// How strong a password is by zxcvbn's estimate of the guesses that it takes (Wheeler, USENIX Security 2016).
///
/// An estimate knows lists and patterns, and not what the attacker knows. With argon2id a guess takes milliseconds, so that
/// [`Strength::Strong`] holds off most; it is what a policy should ask for when it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Under 1,000 guesses.
    VeryWeak,
    /// Under 1,000,000 guesses: falls to guessing at a login page.
    Weak,
    /// Under 100,000,000 guesses.
    Fair,
    /// Under 10,000,000,000 guesses.
    Strong,
    /// 10,000,000,000 guesses and more.
    VeryStrong,
}

impl Strength {
    /// Estimates a password, for whoever `about` is about. The first [`MAX_ESTIMATED`] characters alone count.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong).
    ///
    /// # Security
    /// zxcvbn copies parts of the password and does not wipe them. Where that must not be, ask no policy for a strength.
    pub fn of(password: &SecretText, about: &About) -> Result<Self, Error> {
        Ok(of(&normal::form(password)?, &[about.words()]))
    }
}

/// SECURITY: the work grows with the square of the length and worse. The bound of zxcvbn is 100 characters; a bound of ours
/// holds whatever it does in its next version.
///
/// Fewer count where many different signs can be read as letters, as in `4@8({[`: each way to read them all is looked up in lists.
pub const MAX_ESTIMATED: usize = 100;

pub(crate) fn of(normal: &str, words: &[&Words]) -> Strength {
    let mut head = Zeroizing::new(String::with_capacity(4 * MAX_ESTIMATED));
    head.extend(normal.chars().take(estimated(normal)));
    let words: Vec<String> = words.iter().flat_map(|words| words.iter()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match zxcvbn::zxcvbn(&head, &words).score() {
        zxcvbn::Score::One => Strength::Weak,
        zxcvbn::Score::Two => Strength::Fair,
        zxcvbn::Score::Three => Strength::Strong,
        zxcvbn::Score::Four => Strength::VeryStrong,
        _ => Strength::VeryWeak,
    }
}

/// How many characters are estimated: so many that those squared, times the ways to read the signs among them, are [`MAX_WORK`]. A
/// password that is cut is taken for weaker than it is, never for stronger.
fn estimated(normal: &str) -> usize {
    let mut seen = [false; SIGNS.len()];
    let mut count = 0;
    for c in normal.chars().take(MAX_ESTIMATED) {
        let known = SIGNS.chars().zip(&mut seen).find(|(sign, _)| *sign == c);
        if let Some((_, seen)) = known {
            *seen = true;
        }
        if ways(seen) * (count + 1) * (count + 1) > MAX_WORK {
            break;
        }
        count += 1;
    }
    count
}

/// In how many ways these signs are read by zxcvbn, at most: for each letter one sign of its own, and one that two letters have is
/// read in two ways.
fn ways(seen: [bool; SIGNS.len()]) -> usize {
    let is_seen = |sign: char| SIGNS.chars().zip(seen).any(|(known, seen)| known == sign && seen);
    let of = |letter: &str| letter.chars().filter(|sign| is_seen(*sign)).count();
    ["4@", "({[<", "69", "1!|", "11||7", "$5", "+77"].iter().map(|letter| of(letter).max(1)).product()
}

/// What zxcvbn reads as a letter that has more than one sign, or shares one.
const SIGNS: &str = "4@({[<691!|7$5+";
/// A hundred characters read in 32 ways.
const MAX_WORK: usize = 320_000;
