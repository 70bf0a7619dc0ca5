//! Recovery codes, for those who have lost their second factor.

use std::fmt;

use bartizan_core::{Entropy, SecretArray, SecretText};
use bartizan_crypto::Provider;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::{Choice, ConstantTimeEq};

use crate::{Error, ErrorKind, base32};

/// New recovery codes, in clear: ten, shown once and kept nowhere.
///
/// ```
/// use bartizan_core::{SecretText, os};
/// use bartizan_crypto_ring::Ring;
/// use bartizan_passwords::{RecoveryCodes, RecoverySet, Redemption};
///
/// let codes = RecoveryCodes::generate(&Ring::new(), &os::OsEntropy)?;
/// let mut column = codes.set().to_text();                  // stored: hashes only
/// let shown: Vec<&str> = codes.iter().map(SecretText::expose).collect();
///
/// // Somebody types one as they read it.
/// let typed = SecretText::new(shown[3].to_lowercase().replace('-', " "));
/// match RecoverySet::parse(&column)?.redeem(&Ring::new(), &typed) {
///     // UPDATE … SET codes = new WHERE id = … AND codes = old: where no row was changed, somebody else was first.
///     Redemption::Match(rest) => column = rest.to_text(),
///     Redemption::Mismatch => println!("401"),
/// }
/// assert_eq!(RecoverySet::parse(&column)?.len(), 9);
/// assert!(matches!(RecoverySet::parse(&column)?.redeem(&Ring::new(), &typed), Redemption::Mismatch));
/// # Ok::<(), bartizan_passwords::Error>(())
/// ```
pub struct RecoveryCodes {
    codes: Vec<SecretText>,
    set: RecoverySet,
}

/// What is stored of recovery codes: the hashes of those that are left.
///
/// # Security
/// A code has 120 random bits: SHA-256 with a salt is enough (ASVS 6.5.2 asks for 112), and nobody guesses one online. Limit the
/// attempts all the same. A code stands for the second factor, not for the password.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoverySet {
    salt: [u8; SALT],
    hashes: Vec<[u8; HASH]>,
}

/// What redeeming a code came to. Exhaustive.
#[derive(Debug)]
#[must_use = "a code is used up once the rest is stored"]
pub enum Redemption {
    /// It is one of them. Store the rest by compare-and-set, then let them in.
    Match(RecoverySet),
    /// It is none of them.
    Mismatch,
}

impl RecoveryCodes {
    /// Ten codes of 120 random bits, such as `4W2M-7QK9-XR5T-0ZHC-8DVN-3JPB`.
    ///
    /// They replace all that there were: store the new set over the old.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`].
    pub fn generate(provider: &dyn Provider, entropy: &dyn Entropy) -> Result<Self, Error> {
        let mut salt = [0; SALT];
        entropy.fill(&mut salt)?;
        let mut set = RecoverySet { salt, hashes: Vec::with_capacity(COUNT) };
        let mut codes = Vec::with_capacity(COUNT);
        for _ in 0..COUNT {
            let code = SecretArray::<CODE>::try_filled(|bytes| entropy.fill(bytes))?;
            set.hashes.push(set.hash(provider, code.expose()));
            codes.push(grouped(&base32::encode_crockford(code.expose())));
        }
        Ok(Self { codes, set })
    }

    /// The codes, to be shown.
    pub fn iter(&self) -> impl Iterator<Item = &SecretText> {
        self.codes.iter()
    }

    /// What to store.
    #[must_use]
    pub const fn set(&self) -> &RecoverySet {
        &self.set
    }
}

impl RecoverySet {
    /// Looks for a code that somebody typed: in either case, with or without spaces and hyphens, O for 0, I and L for 1.
    ///
    /// # Security
    /// Compares with all hashes in the same time, whichever it is.
    pub fn redeem(&self, provider: &dyn Provider, code: &SecretText) -> Redemption {
        let Some(code) = read(code.expose()) else { return Redemption::Mismatch };
        let hash = self.hash(provider, code.expose());
        let mut found = Choice::from(0);
        let mut is_it = Vec::with_capacity(self.hashes.len());
        for stored in &self.hashes {
            let equal = stored.ct_eq(&hash);
            found |= equal;
            is_it.push(equal);
        }
        if !bool::from(found) {
            return Redemption::Mismatch;
        }
        let rest = self.hashes.iter().zip(is_it).filter(|(_, is_it)| !bool::from(*is_it));
        Redemption::Match(Self { salt: self.salt, hashes: rest.map(|(hash, _)| *hash).collect() })
    }

    /// How many are left. Tell the user when it is few.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether none is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// The form to be stored, of at most [`MAX_RECOVERY_SET`] bytes.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(MAX_RECOVERY_SET);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(self.salt, &mut text);
        for hash in &self.hashes {
            text.push('$');
            URL_SAFE_NO_PAD.encode_string(hash, &mut text);
        }
        text
    }

    /// Reads what was stored: one set, one text.
    ///
    /// # Errors
    /// [`ErrorKind::Stored`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parsed = || {
            let text = text.strip_prefix(PREFIX).filter(|_| text.len() <= MAX_RECOVERY_SET)?;
            let mut parts = text.split('$');
            let salt = bytes(parts.next()?)?;
            let hashes = parts.map(bytes).collect::<Option<Vec<_>>>()?;
            (hashes.len() <= COUNT).then_some(Self { salt, hashes })
        };
        parsed().ok_or_else(|| ErrorKind::Stored.into())
    }

    fn hash(&self, provider: &dyn Provider, code: &[u8]) -> [u8; HASH] {
        provider.hash().sha256(&[DOMAIN, &self.salt, code])
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoveryCodes").field("codes", &self.codes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for RecoverySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoverySet").field("left", &self.len()).finish_non_exhaustive()
    }
}

/// Hyphens between groups of four.
fn grouped(code: &SecretText) -> SecretText {
    let mut text = String::with_capacity(LETTERS + LETTERS / 4 - 1);
    for (i, letter) in code.expose().chars().enumerate() {
        if i > 0 && i % 4 == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    SecretText::new(text)
}

fn read(typed: &str) -> Option<SecretArray<CODE>> {
    // SECURITY: what is longer is no code, and is not gone through.
    if typed.len() > MAX_TYPED {
        return None;
    }
    let letters = typed.bytes().filter(|letter| !matches!(letter, b' ' | b'-'));
    let code = base32::decode_crockford(letters)?;
    SecretArray::try_filled(|bytes| {
        let code: &[u8; CODE] = code.expose().try_into().map_err(|_| ())?;
        *bytes = *code;
        Ok::<_, ()>(())
    })
    .ok()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Longest stored set, in bytes.
pub const MAX_RECOVERY_SET: usize = PREFIX.len() + 22 + COUNT * 44;

const COUNT: usize = 10;
/// 120 bits: 24 letters without one left over.
const CODE: usize = 15;
const LETTERS: usize = CODE * 8 / 5;
const MAX_TYPED: usize = 128;
const SALT: usize = 16;
const HASH: usize = 32;
const PREFIX: &str = "bzrc1$";
const DOMAIN: &[u8] = b"bartizan recovery code v1\0";
