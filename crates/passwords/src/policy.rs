//! Which passwords may be set.

use std::{fmt, sync::Arc};

use bartizan_core::SecretText;
use zeroize::Zeroizing;

#[cfg(feature = "strength")]
use crate::Strength;
use crate::{BreachedFilter, Error, ErrorKind, MAX_PASSWORD, PasswordHash, Passwords, normal};

mod about;
mod guess;
mod violation;

pub use about::About;
pub(crate) use guess::Words;
pub use violation::{Violation, Violations};

/// What a new password has to be. Made once, shared by reference.
///
/// Every policy accepts all of Unicode, spaces included, up to [`MAX_PASSWORD`] bytes, and refuses what is among the first
/// guesses of anybody: common passwords and what little is added to them, runs such as `abcd` and `qwertz`, and the words of
/// the service and of the user. No policy asks for a change after some time (SP 800-63B-4 section 3.1.1.2).
///
/// ```
/// use bartizan_core::SecretText;
/// use bartizan_passwords::{About, Assessment, PasswordPolicy, Violation};
///
/// let policy = PasswordPolicy::nist().with_words(["Clinic North"]);
/// let about = About::nobody().user_name("ada").email("ada.lovelace@example.org");
///
/// let password = SecretText::new("AdaLovelace1815!".to_owned());
/// let Assessment::Refused(why) = policy.assess(&password, &about)? else { panic!("it is her name") };
/// assert_eq!(why.iter().collect::<Vec<_>>(), [Violation::ContextWord]);
///
/// let password = SecretText::new("violet kettle under moss".to_owned());
/// assert!(matches!(policy.assess(&password, &about)?, Assessment::Accepted(_)));
/// # Ok::<(), bartizan_passwords::Error>(())
/// ```
#[derive(Clone)]
pub struct PasswordPolicy {
    minimum: u16,
    composition: Composition,
    words: Words,
    breached: Option<Arc<BreachedFilter>>,
    #[cfg(feature = "strength")]
    strength: Option<Strength>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Composition {
    Free,
    /// What d-microservices and its like ask for.
    FourClasses,
}

/// What a policy says of a password. Exhaustive.
#[derive(Debug)]
#[must_use = "a password that was assessed and is set all the same has no policy"]
pub enum Assessment {
    /// It may be set.
    Accepted(AcceptedPassword),
    /// It may not, for these reasons.
    Refused(Violations),
}

/// A password that a policy has accepted. Only [`PasswordPolicy::assess`] makes one.
#[derive(Debug)]
pub struct AcceptedPassword(SecretText);

impl AcceptedPassword {
    /// The password, in Normalization Form C.
    #[must_use]
    pub const fn secret(&self) -> &SecretText {
        &self.0
    }
}

impl Passwords {
    /// [`Passwords::hash`], for a new password: what takes an [`AcceptedPassword`] cannot forget the policy. The other is for
    /// hashing again what somebody has logged in with.
    ///
    /// # Errors
    /// As [`Passwords::hash`].
    pub fn hash_accepted(&self, password: &AcceptedPassword) -> Result<PasswordHash, Error> {
        self.hash(password.secret())
    }
}

impl PasswordPolicy {
    /// NIST SP 800-63B-4 for a password that is the only factor: at least 15 characters, no rule on what they are.
    #[must_use]
    pub const fn nist() -> Self {
        Self::of(15, Composition::Free)
    }

    /// The same for a password that is never enough without a second factor: at least eight characters.
    ///
    /// # Security
    /// Eight are enough only where no login, no reset and no recovery ends with the password alone.
    #[must_use]
    pub const fn nist_beside_second_factor() -> Self {
        Self::of(8, Composition::Free)
    }

    /// The rule of older guides: at least eight characters, among them a lower-case and an upper-case letter of ASCII, a digit
    /// and one of `@$!%*?&`.
    ///
    /// SP 800-63B-4 section 3.1.1.2 and ASVS 6.2.5 forbid such rules, for they lead to `Password1!`, which this refuses all the
    /// same. It is for services that have promised it to somebody; [`PasswordPolicy::at_least`] makes it 12 or more.
    #[must_use]
    pub const fn legacy_composition() -> Self {
        Self::of(8, Composition::FourClasses)
    }

    const fn of(minimum: u16, composition: Composition) -> Self {
        Self {
            minimum,
            composition,
            words: Words::none(),
            breached: None,
            #[cfg(feature = "strength")]
            strength: None,
        }
    }

    /// The same for at least this many characters, if it is more than before. Never more than 64, which everybody must be
    /// allowed (SP 800-63B-4 section 3.1.1.2, ASVS 6.2.9).
    #[must_use]
    pub const fn at_least(mut self, characters: u16) -> Self {
        let characters = if characters > MOST_ASKED { MOST_ASKED } else { characters };
        if characters > self.minimum {
            self.minimum = characters;
        }
        self
    }

    /// The same, knowing words of the service: its name, its maker's, what it is about. Those of under three characters are
    /// left out; of the rest the first 64, up to 64 characters each, are used.
    #[must_use]
    pub fn with_words<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        for word in words {
            self.words.add(word.as_ref());
        }
        self
    }

    /// The same, refusing breached passwords.
    #[must_use]
    pub fn with_breached(mut self, filter: Arc<BreachedFilter>) -> Self {
        self.breached = Some(filter);
        self
    }

    /// The same, refusing passwords that are weaker by zxcvbn's estimate.
    #[cfg(feature = "strength")]
    #[must_use]
    pub const fn min_strength(mut self, strength: Strength) -> Self {
        self.strength = Some(strength);
        self
    }

    /// The least number of characters.
    #[must_use]
    pub const fn minimum(&self) -> u16 {
        self.minimum
    }

    /// Looks at a new password for whoever `about` is about; everything that is wrong is said at once.
    ///
    /// Characters are code points of Normalization Form C. Takes microseconds; with [`PasswordPolicy::with_breached`] on a
    /// file a read of it, and with `min_strength` up to a tenth of a second.
    ///
    /// # Errors
    /// [`ErrorKind::FilterIo`] and [`ErrorKind::Filter`] when the breached passwords cannot be read. The password is neither
    /// accepted nor refused then: answer 503.
    pub fn assess(&self, password: &SecretText, about: &About) -> Result<Assessment, Error> {
        // SECURITY: the length in bytes is bounded before any work is done; beyond it nothing else is looked at.
        let normal = match normal::form(password) {
            Ok(normal) => normal,
            Err(error) if error.kind() == ErrorKind::TooLong => {
                let most = u16::try_from(MAX_PASSWORD).unwrap_or(u16::MAX);
                return Ok(Assessment::Refused(Violations::of(vec![Violation::TooLong { bytes: most }])));
            }
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        if normal.chars().take(self.minimum.into()).count() < self.minimum.into() {
            found.push(Violation::TooShort { characters: self.minimum });
        }
        if self.composition == Composition::FourClasses {
            found.extend(missing_classes(&normal));
        }
        found.extend(guess::violations(&normal, &[&self.words, about.words()]));
        #[cfg(feature = "strength")]
        if let Some(least) = self.strength
            && crate::strength::of(&normal, &[&self.words, about.words()]) < least
        {
            found.push(Violation::Weak);
        }
        if let Some(filter) = &self.breached
            && filter.contains_normal(&normal)?
        {
            found.push(Violation::Breached);
        }
        if found.is_empty() {
            return Ok(Assessment::Accepted(AcceptedPassword(secret(&normal))));
        }
        Ok(Assessment::Refused(Violations::of(found)))
    }
}

impl fmt::Debug for PasswordPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordPolicy")
            .field("minimum", &self.minimum)
            .field("composition", &self.composition)
            .field("words", &self.words.len())
            .field("breached", &self.breached)
            .finish_non_exhaustive()
    }
}

/// Of exactly its size, so that it is taken over without another copy.
fn secret(normal: &Zeroizing<String>) -> SecretText {
    SecretText::new(normal.as_str().to_owned())
}

fn missing_classes(normal: &str) -> impl Iterator<Item = Violation> {
    let has = |class: fn(char) -> bool| normal.chars().any(class);
    [
        (has(|c| c.is_ascii_lowercase()), Violation::NoLowercase),
        (has(|c| c.is_ascii_uppercase()), Violation::NoUppercase),
        (has(|c| c.is_ascii_digit()), Violation::NoDigit),
        (has(|c| SPECIAL.contains(c)), Violation::NoSpecial),
    ]
    .into_iter()
    .filter_map(|(has, violation)| (!has).then_some(violation))
}

/// What the guides count as special.
const SPECIAL: &str = "@$!%*?&";

const MOST_ASKED: u16 = 64;
