//! What is known of the person whose password it is.

use std::fmt;

use crate::policy::Words;

/// What is known of the person who sets a password, and would be guessed first (ASVS 6.2.11). Its `Debug` shows a number.
///
/// Words of under three characters are left out; of the rest the first 64, up to 64 characters each, are used.
#[derive(Clone, Default)]
pub struct About(Words);

impl About {
    /// Nothing is known.
    #[must_use]
    pub const fn nobody() -> Self {
        Self(Words::none())
    }

    /// A user name, display name or any other name: as a whole and each part of it.
    #[must_use]
    pub fn user_name(self, name: &str) -> Self {
        self.word(name)
    }

    /// An e-mail address: what stands before the `@`, each part of that, and each label of the domain but the last.
    #[must_use]
    pub fn email(self, address: &str) -> Self {
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        self.word(local).word(domain.rsplit_once('.').map_or("", |(labels, _)| labels))
    }

    /// One more text, such as a place or a date of birth: as a whole and each part of it.
    #[must_use]
    pub fn word(mut self, word: &str) -> Self {
        self.0.add(word);
        self
    }

    pub(crate) const fn words(&self) -> &Words {
        &self.0
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("words", &self.0.len()).finish_non_exhaustive()
    }
}
