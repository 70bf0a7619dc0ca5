//! Why a password may not be set.

use std::fmt;

/// One reason why a password may not be set. Its text is constant but for the policy's own numbers, and says nothing of the
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// It has fewer characters than this.
    TooShort {
        /// The least number of characters.
        characters: u16,
    },
    /// It is longer than this; nothing else was looked at.
    TooLong {
        /// The greatest number of bytes of UTF-8.
        bytes: u16,
    },
    /// The composition rule: no lower-case letter of ASCII.
    NoLowercase,
    /// The composition rule: no upper-case letter of ASCII.
    NoUppercase,
    /// The composition rule: no digit of ASCII.
    NoDigit,
    /// The composition rule: none of `@$!%*?&`.
    NoSpecial,
    /// It is a common password, two of them, a run of neighbouring characters, or little more.
    Common,
    /// It is made of words about the user or the service, and little more.
    ContextWord,
    /// The estimate of its strength is below the policy's.
    Weak,
    /// It stands in a list of passwords that have become known.
    Breached,
}

impl Violation {
    /// A word for it that never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::NoLowercase => "no_lowercase",
            Self::NoUppercase => "no_uppercase",
            Self::NoDigit => "no_digit",
            Self::NoSpecial => "no_special",
            Self::Common => "common",
            Self::ContextWord => "context_word",
            Self::Weak => "weak",
            Self::Breached => "breached",
        }
    }
}

/// A sentence for whoever chose the password.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { characters } => write!(f, "use at least {characters} characters"),
            Self::TooLong { bytes } => write!(f, "use at most {bytes} bytes"),
            Self::NoLowercase => f.write_str("use a lower-case letter"),
            Self::NoUppercase => f.write_str("use an upper-case letter"),
            Self::NoDigit => f.write_str("use a digit"),
            Self::NoSpecial => f.write_str("use one of @$!%*?&"),
            Self::Common => f.write_str("this is among the first passwords that anybody tries"),
            Self::ContextWord => f.write_str("use more than words about you or about this service"),
            Self::Weak => f.write_str("this is too easy to guess"),
            Self::Breached => {
                f.write_str("this password has become known in a breach; never use it anywhere")
            }
        }
    }
}

/// Everything that is wrong with a password: at least one reason, each once, in the order of [`Violation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    pub(crate) const fn of(found: Vec<Violation>) -> Self {
        Self(found)
    }

    /// The reasons.
    pub fn iter(&self) -> impl Iterator<Item = Violation> {
        self.0.iter().copied()
    }
}

/// The sentences, with semicolons between them.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, violation) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}
