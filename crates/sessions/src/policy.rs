//! How long sessions live, and how many there may be.

use std::time::Duration;

use crate::{Cap, Error, ErrorKind, WhenFull, rotation::MAX_GRACE};

/// How long sessions live, and how many there may be. What is unset is the guide's.
///
/// ```
/// use std::time::Duration;
/// use bartizan_sessions::{Policy, WhenFull};
///
/// // 15 minutes for access tokens, 7 days unused, 30 days in all; at most five sessions, of which the oldest makes room.
/// let policy = Policy::guide().at_most(5, WhenFull::EndOldest);
/// // NIST SP 800-63B-4, AAL2: one hour unused, 24 hours in all.
/// let strict = Policy::aal2().store_timeout(Duration::from_millis(500));
/// # let _ = (policy, strict);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    pub(crate) access: Duration,
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
    pub(crate) grace: Duration,
    pub(crate) cap: Option<Cap>,
    pub(crate) seen_every: Duration,
    pub(crate) timeout: Duration,
}

impl Policy {
    /// Access tokens of 15 minutes; sessions end after 7 days without use, and after 30 days in any case. No limit of their number.
    pub const fn guide() -> Self {
        Self {
            access: Duration::from_secs(15 * 60),
            idle: Duration::from_secs(7 * DAY),
            absolute: Duration::from_secs(30 * DAY),
            grace: Duration::ZERO,
            cap: None,
            seen_every: Duration::from_secs(60),
            timeout: Duration::from_secs(2),
        }
    }

    /// The same, ended after an hour without use and after 24 hours in any case (NIST SP 800-63B-4 section 2.2.3).
    pub const fn aal2() -> Self {
        Self::guide().idle(Duration::from_secs(3_600)).absolute(Duration::from_secs(DAY))
    }

    /// How long access tokens live: whole seconds, at most one hour.
    pub const fn access(mut self, access: Duration) -> Self {
        self.access = access;
        self
    }

    /// After how long without use a session ends; kept across rotations.
    pub const fn idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// After how long a session ends in any case: at most 400 days.
    pub const fn absolute(mut self, absolute: Duration) -> Self {
        self.absolute = absolute;
        self
    }

    /// How many sessions a subject may have, of both kinds together, and what becomes of one more.
    pub const fn at_most(mut self, most: u32, when_full: WhenFull) -> Self {
        self.cap = Some(Cap { most, when_full });
        self
    }

    /// How long the store may take for one call: more is [`ErrorKind::Unavailable`]. 2 s unless said otherwise, at most a minute.
    pub const fn store_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For how long a refresh token that was exchanged is answered once more, with the same child: at most 30 s, none by default.
    ///
    /// # Security
    /// For clients that lose answers and cannot be changed. While the window is open, whoever has the old token gets the child as
    /// well, and the theft is only seen when both go on: ASVS 10.4.5 and RFC 9700 section 4.14.2 know no window.
    pub const fn danger_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    pub(crate) fn checked(mut self) -> Result<Self, Error> {
        // So that whoever uses a session all the time is noted several times before it would end.
        self.seen_every = self.seen_every.min(self.idle / 4);
        let is_whole = self.access.subsec_nanos() == 0;
        let fits = is_whole
            && (Duration::from_secs(1)..=MAX_ACCESS).contains(&self.access)
            && (Duration::from_secs(60)..=self.absolute).contains(&self.idle)
            && self.absolute <= Duration::from_secs(400 * DAY)
            && self.grace <= MAX_GRACE
            && self.cap.is_none_or(|cap| cap.most > 0)
            && (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&self.timeout);
        if fits { Ok(self) } else { Err(ErrorKind::Config.into()) }
    }

    /// For how long after now an access token of an ended session may be believed by whoever only looks at its times.
    ///
    /// SECURITY: the longest life that any policy allows, and not that of this one: an earlier version of the service, or another
    /// instance, may have given out tokens that live longer.
    pub(crate) fn remember() -> Duration {
        MAX_ACCESS + LEEWAY
    }
}

const DAY: u64 = 24 * 3_600;

/// The longest life of an access token.
const MAX_ACCESS: Duration = Duration::from_secs(3_600);

/// A verifier's largest leeway, and as much again for the clock of whoever issued the token, or purges the store.
pub(crate) const LEEWAY: Duration = Duration::from_secs(2 * 300);
