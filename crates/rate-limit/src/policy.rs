//! A quota with a name, and what to do when its store does not answer.

use std::{fmt, sync::Arc, time::Duration};

use siphasher::sip::SipHasher13;

use crate::{Error, ErrorKind, Quota};

/// What a limit answers while the shared store of its state does not. There is no default: it is said for each policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnOutage {
    /// Nobody passes: 503 with `Retry-After`. For what an attacker would like to see unlimited, as logins are.
    Closed,
    /// The process counts alone, from what it last knew. With n processes up to n times the quota passes.
    LocalFallback,
}

/// A quota with a name, which appears in header fields and in the keys of stores.
///
/// Two policies that share a name share their state: what is charged under the one is charged under the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    name: Arc<str>,
    id: u64,
    quota: Quota,
    on_outage: OnOutage,
}

impl Policy {
    /// A policy.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] for a name that is empty, longer than 32 bytes or has other characters than `a–z`, `0–9`, `-` and
    /// `_`.
    pub fn new(name: &str, quota: Quota, on_outage: OnOutage) -> Result<Self, Error> {
        let known = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(known) {
            return Err(ErrorKind::Name.into());
        }
        Ok(Self::named(name, quota, on_outage))
    }

    /// A policy of this crate, whose name is known to be well-formed.
    pub(crate) fn own(name: &'static str, quota: Quota, on_outage: OnOutage) -> Self {
        Self::named(name, quota, on_outage)
    }

    fn named(name: &str, quota: Quota, on_outage: OnOutage) -> Self {
        // No secret: the names of a service's policies are its own, a few, and no peer chooses one.
        let id = SipHasher13::new().hash(name.as_bytes());
        Self { name: name.into(), id, quota, on_outage }
    }

    /// The guides' general limit, 100 in 15 minutes, under the name `general`. By address or by account.
    #[must_use]
    pub fn general(on_outage: OnOutage) -> Self {
        Self::own("general", Quota::GENERAL, on_outage)
    }

    /// Entering a second factor or a recovery code: 5 in 15 minutes, under the name `second-factor`. By account: six digits are
    /// a million guesses.
    #[must_use]
    pub fn second_factor(on_outage: OnOutage) -> Self {
        Self::own("second-factor", Quota::LOGIN, on_outage)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its quota.
    #[must_use]
    pub const fn quota(&self) -> Quota {
        self.quota
    }

    /// What it answers while the store does not.
    #[must_use]
    pub const fn on_outage(&self) -> OnOutage {
        self.on_outage
    }

    /// Its name in eight bytes.
    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Its window in whole seconds, rounded up, as header fields have it.
    pub(crate) fn window_seconds(&self) -> u64 {
        whole_seconds(self.quota.window())
    }
}

/// A line for people: `auth: 5 in 900 s, 5 at once; closed when the store is out`. A list of them documents a service's limits.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outage = match self.on_outage {
            OnOutage::Closed => "closed",
            OnOutage::LocalFallback => "each process alone",
        };
        write!(f, "{}: {}; {outage} when the store is out", self.name, self.quota)
    }
}

/// Whole seconds, rounded up: who waits so long has waited long enough.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

const MAX_NAME: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_few_plain_characters() {
        for name in ["", "Auth", "a b", "a\"", "a;pk=1", "ä", "a\r\n", &"a".repeat(33)] {
            let refused = Policy::new(name, Quota::LOGIN, OnOutage::Closed).map_err(|error| error.kind());
            assert_eq!(refused.map(|_| ()), Err(ErrorKind::Name), "{name:?}");
        }
        assert!(Policy::new(&"a".repeat(32), Quota::LOGIN, OnOutage::Closed).is_ok());
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_micros(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(41)), 41);
        assert_eq!(whole_seconds(Duration::ZERO), 0);
    }
}
