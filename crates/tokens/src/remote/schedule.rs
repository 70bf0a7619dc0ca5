//! When to ask an issuer for its keys: pure, told the time and what happened.
//!
//! What holds whatever happens, and is tested as properties below:
//!
//! - INVARIANT(spacing): while there are keys, two requests begin a whole cooldown apart at least. So there are at most
//!   `1 + elapsed / cooldown` of them, however many tokens name unknown keys and however the issuer answers. While there
//!   are none, every failure doubles the wait from one second up to 30.
//! - INVARIANT(hard-end): keys are believed for their time to live and `stale_for`, not longer, on whichever of the two
//!   clocks ran further.
//! - INVARIANT(progress): a wait is never longer than [`TICK`], and something is always due at some time.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{Freshness, Rules};

/// A moment on both clocks: `mono` since the driver began, which never goes back, and the wall clock, which an operator may
/// set and which runs on while the machine sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) mono: Duration,
    pub(super) wall: UnixTime,
}

impl Moment {
    /// SECURITY: the clock that ran further counts: a clock set back, or one that stood still while the machine slept, must not
    /// make keys younger.
    fn since(self, earlier: Self) -> Duration {
        self.mono.saturating_sub(earlier.mono).max(self.wall.since(earlier.wall))
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Ask the issuer.
    Fetch,
    /// Nothing for this long; then ask again what to do.
    Wait(Duration),
}

/// When to ask, from what was asked and answered.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    rules: Rules,
    seed: u64,
    good: Option<Good>,
    attempt: Attempt,
    /// Failures since the last success.
    failures: u32,
    /// A token named a key that is not there.
    wanted: bool,
    /// Requests that were begun.
    attempts: u64,
    /// No request begins before this time.
    earliest: Duration,
}

/// The request in flight, or the last one.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    began: Moment,
    was_wanted: bool,
}

/// The last success.
#[derive(Clone, Copy, Debug)]
struct Good {
    /// When it was asked for: what the issuer says it said at that time at the latest.
    at: Moment,
    /// At which age to ask again.
    refresh_at: Duration,
    /// From which age on it is believed no more.
    ends_at: Duration,
}

/// Longest wait: a wall clock that jumped is noticed that soon.
pub(super) const TICK: Duration = Duration::from_secs(60);

/// The first wait after a failure while there are no keys. It doubles.
const RETRY: Duration = Duration::from_secs(1);

/// Longest wait while there are no keys, unless the issuer asks for more.
const MAX_RETRY: Duration = Duration::from_secs(30);

/// Longest wait after failures while there are keys, unless the issuer asks for more.
const MAX_BACKOFF: Duration = Duration::from_secs(5 * 60);

/// How much of `Retry-After` is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(10 * 60);

impl Schedule {
    /// Nothing asked yet. Two services with different seeds do not ask at the same moments.
    pub(super) const fn new(rules: Rules, seed: u64) -> Self {
        let began = Moment { mono: Duration::ZERO, wall: UnixTime::EPOCH };
        Self {
            rules,
            seed,
            good: None,
            attempt: Attempt { began, was_wanted: false },
            failures: 0,
            wanted: false,
            attempts: 0,
            earliest: Duration::ZERO,
        }
    }

    /// What to do now. Changes nothing, so it may be asked as often as one likes.
    pub(super) fn next(&self, now: Moment) -> Next {
        let (due, until_change) = match self.good {
            None => (Duration::ZERO, TICK),
            Some(good) => {
                let age = now.since(good.at);
                let due = if self.wanted { Duration::ZERO } else { good.refresh_at.saturating_sub(age) };
                let until_end = good.ends_at.saturating_sub(age);
                (due, if until_end.is_zero() { TICK } else { until_end })
            }
        };
        let wait = due.max(self.earliest.saturating_sub(now.mono));
        if wait.is_zero() { Next::Fetch } else { Next::Wait(wait.min(until_change).min(TICK)) }
    }

    /// A token named a key that is not there.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// A request begins.
    pub(super) fn began(&mut self, now: Moment) {
        self.attempt = Attempt { began: now, was_wanted: self.wanted };
        self.wanted = false;
        self.attempts = self.attempts.saturating_add(1);
        // If nobody says how it ended, it counts as begun and no more.
        self.earliest = now.mono.saturating_add(self.rules.cooldown);
    }

    /// It brought keys, or said that they are still the same.
    pub(super) fn succeeded(&mut self, now: Moment, freshness: Freshness) {
        let lifetime = freshness.lifetime().unwrap_or(self.rules.default_ttl);
        let ttl = lifetime.clamp(self.rules.min_ttl, self.rules.max_ttl);
        // Ahead of its end, so that an outage of a moment is never seen; between 75 and 90 % of it, so that services that were
        // started together do not ask together.
        let refresh_at = ttl.mul_f64(0.75 + 0.15 * self.jitter());
        let ends_at = ttl.saturating_add(self.rules.stale_for);
        self.good = Some(Good { at: self.attempt.began, refresh_at, ends_at });
        self.failures = 0;
        self.earliest = now.mono.saturating_add(self.rules.cooldown);
    }

    /// It brought nothing usable.
    pub(super) fn failed(&mut self, now: Moment, retry_after: Option<Duration>) {
        let doublings = self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        // Whoever asked for a key has not been answered.
        self.wanted |= self.attempt.was_wanted;
        let (first, most) = if self.is_usable(now) {
            (self.rules.cooldown, MAX_BACKOFF.max(self.rules.cooldown))
        } else {
            (RETRY, MAX_RETRY)
        };
        let backoff = first.saturating_mul(1 << doublings).min(most);
        let asked_for = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        // Later by up to an eighth, never earlier.
        let delay = backoff.max(asked_for).mul_f64(1.0 + 0.125 * self.jitter());
        self.earliest = now.mono.saturating_add(delay);
    }

    /// Whether there are keys that may be believed.
    pub(super) fn is_usable(&self, now: Moment) -> bool {
        self.until_end(now).is_some_and(|rest| !rest.is_zero())
    }

    /// How long the keys may be believed yet; nothing when there never were any.
    pub(super) fn until_end(&self, now: Moment) -> Option<Duration> {
        self.good.map(|good| good.ends_at.saturating_sub(now.since(good.at)))
    }

    /// The same as a time of the wall clock.
    pub(super) fn good_until(&self) -> Option<UnixTime> {
        self.good.map(|good| good.at.wall.saturating_add(good.ends_at))
    }

    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// A number from 0 to 1, always the same for one seed and one request (SplitMix64, whose constants these are).
    fn jitter(&self) -> f64 {
        let mut z = self.seed.wrapping_add(self.attempts.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let top = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or_default();
        f64::from(top) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
