//! One-time codes of authenticator apps (RFC 6238 over RFC 4226).

use bartizan_core::{Entropy, SecretBytes, SecretText, UnixTime};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, base32};

mod enrolment;

pub use enrolment::{Enrolment, MAX_ENROLMENT_URI};

/// The secret that an authenticator app and a service share.
///
/// # Security
/// Whoever reads it makes every code. Unlike a password it cannot be hashed: store it sealed (in the vault of
/// `bartizan-field-crypto`), never as a column in clear. It has no `Serialize`, and its `Debug` shows nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct TotpSecret(SecretBytes);

impl TotpSecret {
    /// A new one of 20 bytes (160 bits, RFC 4226 section 4 R6), or of the length of the tag for SHA-256 and SHA-512 (RFC 6238
    /// section 5.1).
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`].
    pub fn generate(entropy: &dyn Entropy, hash: TotpHash) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new(vec![0; hash.length()]);
        entropy.fill(&mut bytes)?;
        Ok(Self(SecretBytes::new(std::mem::take(&mut *bytes))))
    }

    /// One that was stored or comes from elsewhere: 16 bytes, which RFC 4226 section 4 R6 demands, to 64.
    ///
    /// # Errors
    /// [`ErrorKind::OtpSecret`].
    pub fn from_bytes(bytes: SecretBytes) -> Result<Self, Error> {
        let is_possible = (MIN_SECRET..=MAX_SECRET).contains(&bytes.expose().len());
        if is_possible { Ok(Self(bytes)) } else { Err(ErrorKind::OtpSecret.into()) }
    }

    /// One in Base32 (RFC 4648 section 6) without padding, in upper case.
    ///
    /// # Errors
    /// [`ErrorKind::OtpSecret`].
    pub fn from_base32(text: &SecretText) -> Result<Self, Error> {
        Self::from_bytes(base32::decode(text.expose()).ok_or(ErrorKind::OtpSecret)?)
    }

    /// The bytes, to be sealed. Search for this name to find every place that sees them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The secret in Base32, for those who type it because they cannot scan.
    #[must_use]
    pub fn to_base32(&self) -> SecretText {
        base32::encode(self.0.expose())
    }
}

/// The hash function under the code. Apps know SHA-1 for certain; some ignore another and show wrong codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TotpHash {
    /// SHA-1. What is broken of it, collisions, matters nothing in HMAC.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl TotpHash {
    const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// How many digits a code has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Digits {
    /// Six: what every app shows.
    #[default]
    Six,
    /// Eight.
    Eight,
}

impl Digits {
    const fn count(self) -> u32 {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }
}

/// 30 seconds, counted from 1970: what a code is good for, once.
///
/// Store the last used one as a number beside the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(u64);

impl Step {
    /// From what was stored.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// To be stored. Below 2^40 until far beyond the year 30,000.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The step of a time. All times before 1970 are in the first.
    #[must_use]
    pub fn at(time: UnixTime) -> Self {
        Self(u64::try_from(time.as_secs()).unwrap_or_default() / PERIOD)
    }
}

/// What verifying a code came to. Exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a code that nobody looks at is no second factor"]
pub enum TotpVerification {
    /// It is the code of this step. Store the step, then let them in: `UPDATE … SET last_step = step WHERE id = … AND (last_step
    /// IS NULL OR last_step < step)`. Where no row was changed, another request was first: that is [`TotpVerification::Reused`].
    Match(Step),
    /// It is the code of a step that was used, or of one before it. Answer like [`TotpVerification::Mismatch`], and record it:
    /// somebody may have watched.
    Reused,
    /// It is no code of now.
    Mismatch,
}

/// Verifies the codes of one secret. SHA-1, six digits, 30 seconds, and one step of drift, unless said otherwise.
///
/// ```
/// use bartizan_core::{Clock, SecretText, os};
/// use bartizan_passwords::{Enrolment, Totp, TotpHash, TotpSecret, TotpVerification};
///
/// // Once, for a user who is logged in: the secret is sealed and stored, the picture shown, and the factor counts from the
/// // first code that verifies.
/// let totp = Totp::new(TotpSecret::generate(&os::OsEntropy, TotpHash::Sha1)?);
/// let enrolment = Enrolment::new(totp, "Clinic North", "ada@example.org")?;
/// let picture = enrolment.to_qr_svg()?;
/// # assert!(picture.expose().starts_with("<svg"));
///
/// // At each login, after the password. `last` is the step that was stored.
/// let (typed, last) = (SecretText::new("000 000".to_owned()), None);
/// match enrolment.totp().verify(&typed, os::SystemClock.wall(), last) {
///     TotpVerification::Match(step) => println!("store {} by compare-and-set, then welcome", step.number()),
///     TotpVerification::Reused | TotpVerification::Mismatch => println!("401"),
/// }
/// # Ok::<(), bartizan_passwords::Error>(())
/// ```
///
/// # Security
/// Six digits and three steps are guessed in 330,000 attempts: limit the attempts of an account (RFC 4226 section 7.3).
#[derive(Debug, PartialEq, Eq)]
pub struct Totp {
    secret: TotpSecret,
    hash: TotpHash,
    digits: Digits,
    drift: u64,
}

impl Totp {
    /// With SHA-1, six digits and one step of drift.
    #[must_use]
    pub const fn new(secret: TotpSecret) -> Self {
        Self { secret, hash: TotpHash::Sha1, digits: Digits::Six, drift: 1 }
    }

    /// The same with another hash function.
    #[must_use]
    pub const fn hash(mut self, hash: TotpHash) -> Self {
        self.hash = hash;
        self
    }

    /// The same with this many digits.
    #[must_use]
    pub const fn digits(mut self, digits: Digits) -> Self {
        self.digits = digits;
        self
    }

    /// The same without drift: a code is good for its own 30 seconds and not for the 30 before and after (RFC 6238 section
    /// 5.2 recommends one step). For users whose clocks are right and who type fast.
    #[must_use]
    pub const fn without_drift(mut self) -> Self {
        self.drift = 0;
        self
    }

    /// The secret, to be sealed and stored.
    #[must_use]
    pub const fn secret(&self) -> &TotpSecret {
        &self.secret
    }

    /// Verifies a code that somebody typed, at the service's own time. `last` is the last step that was used; spaces in the
    /// code are passed over.
    ///
    /// # Security
    /// Whatever was typed, the codes of all steps are computed and compared in the same time.
    pub fn verify(&self, code: &SecretText, now: UnixTime, last: Option<Step>) -> TotpVerification {
        let (typed, is_code) = self.number(code.expose());
        let now = Step::at(now).0;
        let (mut step, mut found) = (0_u64, Choice::from(0));
        for candidate in now.saturating_sub(self.drift)..=now.saturating_add(self.drift) {
            let Some(code) = self.code(candidate) else { continue };
            let is_it = code.ct_eq(&typed) & is_code;
            step.conditional_assign(&candidate, is_it);
            found |= is_it;
        }
        // INVARIANT(latest): when two steps have one code, the later is used up; taking the earlier would leave a code that was
        // seen good for another login.
        match (bool::from(found), last) {
            (false, _) => TotpVerification::Mismatch,
            (true, Some(Step(last))) if step <= last => TotpVerification::Reused,
            (true, _) => TotpVerification::Match(Step(step)),
        }
    }

    /// The number that was typed, and whether it has the right form.
    fn number(&self, typed: &str) -> (u32, Choice) {
        let (mut number, mut count) = (0_u32, 0);
        for c in typed.chars().take(MAX_TYPED).filter(|c| *c != ' ') {
            let Some(digit) = c.to_digit(10) else { return (0, Choice::from(0)) };
            number = number.wrapping_mul(10).wrapping_add(digit);
            count += 1;
        }
        let is_whole = count == self.digits.count() && typed.len() <= MAX_TYPED;
        (number, Choice::from(u8::from(is_whole)))
    }

    /// RFC 4226 section 5.3, with the step as the counter. Nothing when the primitive refuses the key, which it never does.
    fn code(&self, step: u64) -> Option<u32> {
        let (key, step) = (self.secret.expose(), step.to_be_bytes());
        let tag = match self.hash {
            TotpHash::Sha1 => tag(Hmac::<Sha1>::new_from_slice(key).ok()?, step),
            TotpHash::Sha256 => tag(Hmac::<Sha256>::new_from_slice(key).ok()?, step),
            TotpHash::Sha512 => tag(Hmac::<Sha512>::new_from_slice(key).ok()?, step),
        };
        let offset = usize::from(tag.last()? & 0x0f);
        let word = u32::from_be_bytes(*tag.get(offset..)?.first_chunk()?);
        Some((word & 0x7fff_ffff) % 10_u32.pow(self.digits.count()))
    }
}

/// HMAC by its own crate: a `Provider` has none with SHA-1, and one road for all three is easier to follow.
fn tag(mut mac: impl Mac, step: [u8; 8]) -> Zeroizing<Vec<u8>> {
    mac.update(&step);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

/// Seconds in a step: the default of RFC 6238 section 4.1, which every app knows, and what ASVS 6.5.5 allows.
const PERIOD: u64 = 30;

const MIN_SECRET: usize = 16;
const MAX_SECRET: usize = 64;
/// Longest code that is looked at, in bytes: eight digits and a space after each.
const MAX_TYPED: usize = 16;

#[cfg(test)]
mod tests;
