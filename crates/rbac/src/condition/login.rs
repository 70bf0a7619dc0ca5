//! How strongly somebody was authenticated, and how long ago: `acr`, `amr`, `auth_time` (OpenID Connect Core 1.0 section 2,
//! RFC 8176, RFC 9470).

use std::{fmt, time::Duration};

use bartizan_core::{Principal, UnixTime};

use super::{
    Problem, Truth,
    words::{self, Exact, List},
};
use crate::document::Word;

/// How far ahead of ours the clock of whoever says `auth_time` may be.
const SKEW: Duration = Duration::from_secs(60);

/// The method that says that there was more than one (RFC 8176 section 2).
const MULTI_FACTOR: &str = "mfa";

/// Authentication context classes, one of which it must be.
#[derive(Debug)]
pub(crate) struct Classes(List<Exact>);

/// Authentication methods, all of which must have been used.
#[derive(Debug)]
pub(crate) struct Methods(List<Exact>);

/// How old a login may get: the moment at which it is that old is the end.
#[derive(Debug)]
pub(crate) struct Age(Duration);

impl Classes {
    pub(super) fn read(words: &[Word]) -> Result<Self, Problem> {
        words::each("acr", words, |text| Exact::read("acr", text)).map(Self)
    }

    pub(super) fn judge(&self, who: &Principal) -> Truth {
        match who.acr() {
            Some(class) => Truth::of(self.0.contains(class)),
            None => Truth::Absent,
        }
    }
}

impl Methods {
    pub(super) fn read(words: &[Word]) -> Result<Self, Problem> {
        words::each("amr", words, |text| Exact::read("amr", text)).map(Self)
    }

    pub(super) fn judge(&self, who: &Principal) -> Truth {
        if who.amr().is_empty() {
            return Truth::Absent;
        }
        Truth::of(self.0.iter().all(|method| who.amr().contains(method.as_str())))
    }
}

/// Whether the login is said to have had more than one factor.
pub(super) fn multi_factor(who: &Principal) -> Truth {
    if who.amr().is_empty() { Truth::Absent } else { Truth::of(who.amr().contains(MULTI_FACTOR)) }
}

impl Age {
    pub(super) fn read(key: &str, word: &Word) -> Result<Self, Problem> {
        let age = words::duration(word.get_ref());
        age.map(Self).map_err(|detail| Problem::new(word, format!("{key} {detail}")))
    }

    pub(super) fn judge(&self, who: &Principal, now: UnixTime) -> Truth {
        let Some(at) = who.authenticated() else {
            return Truth::Absent;
        };
        // SECURITY: who logs in tomorrow would stay fresh for ever; a time that cannot be is no time.
        if at > now.saturating_add(SKEW) {
            return Truth::Absent;
        }
        let until = at.saturating_add(self.0);
        if now < until { Truth::True { until } } else { Truth::False }
    }
}

impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

impl fmt::Display for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        words::write_duration(f, self.0)
    }
}
