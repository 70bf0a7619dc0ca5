//! What to do with the keys of one purpose now, and when to look again. Pure: the time is an argument, and keys are numbers.
//!
//! Signing keys, scope keys and secrets rotate alike: a key is published before it makes anything, so that everybody who
//! checks has it by then; one key makes at a time; the one before stays until the last thing that it made has ended.
//!
//! ```
//! use std::time::Duration;
//! use bartizan_core::UnixTime;
//! use bartizan_crypto::rotation::{Next, Policy, Rotation, Step};
//!
//! let mut policy = Policy::SIGNING_KEYS;
//! policy.period = Duration::from_secs(7 * 86_400);
//! policy.next = Next::InTime;
//! let mut keys = Rotation::new(policy);
//!
//! // The first key waits for nobody.
//! let now = UnixTime::from_secs(1_700_000_000);
//! let plan = keys.advance(now, |_| false);
//! assert_eq!(keys.active(), Some(1));
//!
//! // Nothing to do until the next has to be published; sooner, it cannot take over.
//! let soon = plan.look_again();
//! assert!(keys.advance(UnixTime::from_nanos(soon.as_nanos() - 1), |_| false).steps().is_empty());
//! assert!(matches!(keys.advance(soon, |_| false).steps(), [Step::Publish { version: 2, .. }]));
//! let early = keys.activate(soon).map_err(|error| error.earliest());
//! assert_eq!(early, Err(Some(now.saturating_add(policy.period))));
//! ```

use std::time::Duration;

use bartizan_core::UnixTime;

use crate::{Lifecycle, NotPossible};

/// How keys of one purpose rotate. Every span may be zero; a period under a second counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long a key is active. Where the next has to be known for longer than this before it takes over, that counts.
    pub period: Duration,
    /// Longest life of what a key makes: of a token, for signing keys. [`Duration::MAX`] for what has no end.
    pub longest_life: Duration,
    /// At which age a copy of the published keys is no longer used by those who check: the `max-age` of a JWKS (RFC 9111 §4.2).
    pub cache_age: Duration,
    /// How far any two clocks may be apart.
    pub skew: Duration,
    /// How long until all instances that make things work with the newest state; zero when there is one only.
    pub spread: Duration,
    /// When the next key is published.
    pub next: Next,
}

/// When the next key is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Next {
    /// Just early enough to take over when the period ends.
    InTime,
    /// As soon as the last one took over, so that there is a known key to take over at once should the active one be revoked.
    Always,
}

impl Policy {
    /// For keys of access tokens: a new key every 30 days, tokens of up to an hour, a JWKS that is kept for up to 5 minutes,
    /// clocks up to 30 seconds apart, one instance, and always a next key at hand.
    pub const SIGNING_KEYS: Self = Self {
        period: Duration::from_secs(30 * 86_400),
        longest_life: Duration::from_secs(60 * 60),
        cache_age: Duration::from_secs(5 * 60),
        skew: Duration::from_secs(30),
        spread: Duration::ZERO,
        next: Next::Always,
    };

    /// How long a key is published before it may be active: until every instance publishes it and every older copy has aged
    /// out, by whatever clock.
    #[must_use]
    pub fn lead(&self) -> Duration {
        self.spread.saturating_add(self.cache_age).saturating_add(self.skew)
    }

    /// How long a key stays after the next has taken over: until the last instance has stopped making things with it, and
    /// these have ended by whatever clock.
    #[must_use]
    pub fn overlap(&self) -> Duration {
        let overlap = self.longest_life.saturating_add(self.spread).saturating_add(self.skew);
        // With one instance, one clock writes and ends; with several, the one that made and the one that ends may differ too.
        if self.spread.is_zero() { overlap } else { overlap.saturating_add(self.skew) }
    }

    fn period(&self) -> Duration {
        self.period.max(Duration::from_secs(1))
    }

    /// Whatever waits longer.
    fn longer(&self, other: &Self) -> Self {
        Self {
            longest_life: self.longest_life.max(other.longest_life),
            cache_age: self.cache_age.max(other.cache_age),
            skew: self.skew.max(other.skew),
            spread: self.spread.max(other.spread),
            ..*self
        }
    }
}

/// One key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Its number: 1, 2, 3, … in the order of publishing, and never given twice.
    pub version: u32,
    /// Where it stands.
    pub state: Lifecycle,
    /// Since when.
    pub since: UnixTime,
}

impl Key {
    /// A key, for [`Rotation::restore`].
    #[must_use]
    pub const fn new(version: u32, state: Lifecycle, since: UnixTime) -> Self {
        Self { version, state, since }
    }
}

/// Spans of an earlier policy that things made under it still live by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Earlier {
    /// The policy.
    pub policy: Policy,
    /// Until when it counts.
    pub until: UnixTime,
}

impl Earlier {
    /// An earlier policy, for [`Rotation::restore`].
    #[must_use]
    pub const fn new(policy: Policy, until: UnixTime) -> Self {
        Self { policy, until }
    }
}

/// The keys of one purpose: at most one active and one pending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    policy: Policy,
    earlier: Option<Earlier>,
    /// INVARIANT(versions): ascending, all under `next_version`.
    keys: Vec<Key>,
    next_version: u32,
}

/// One step. Exhaustive: whoever carries steps out must not overlook one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is a new key, for all to know and for nobody to use yet.
    Publish {
        /// The new key.
        version: u32,
        /// From when on it may be active.
        active_from: UnixTime,
    },
    /// The pending key becomes the active one, and the active one retires: one step, so that there is never none and never two.
    Activate {
        /// The new active key.
        version: u32,
        /// The one before, if there was one, and until when it stays.
        replaces: Option<(u32, UnixTime)>,
    },
    /// The retiring key's time has come, and a consumer still needs it: it stays.
    Hold {
        /// The key.
        version: u32,
        /// When to ask again.
        until: UnixTime,
    },
    /// The key is over and may be forgotten.
    Drop {
        /// The key.
        version: u32,
    },
}

/// What was due, and when something will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    steps: Vec<Step>,
    look_again: UnixTime,
}

impl Plan {
    /// A plan, for whoever carries out steps together with something else.
    #[must_use]
    pub const fn new(steps: Vec<Step>, look_again: UnixTime) -> Self {
        Self { steps, look_again }
    }

    /// What is due, in this order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// When to look again, if nothing else happens; [`UnixTime::MAX`] for never.
    #[must_use]
    pub const fn look_again(&self) -> UnixTime {
        self.look_again
    }

    /// The retiring keys that stay only because a consumer needs them. Somebody should look after that consumer.
    pub fn held(&self) -> impl Iterator<Item = u32> {
        self.steps.iter().filter_map(|step| match step {
            Step::Hold { version, .. } => Some(*version),
            _ => None,
        })
    }
}

/// How long a key is held before its consumers are asked again.
const HOLD: Duration = Duration::from_secs(10 * 60);

/// Most keys of one rotation, those that are remembered as revoked included.
pub const MAX_KEYS: usize = 128;

impl Rotation {
    /// No keys yet.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy, earlier: None, keys: Vec::new(), next_version: 1 }
    }

    /// From where it was stored: what [`Rotation::policy`], [`Rotation::earlier`], [`Rotation::keys`] and
    /// [`Rotation::next_version`] said.
    ///
    /// # Errors
    /// [`NotPossible`] when no rotation leads there: two active or two pending keys, versions that are not ascending, zero or
    /// not under the next, over [`MAX_KEYS`] keys.
    pub fn restore(
        policy: Policy,
        earlier: Option<Earlier>,
        keys: impl IntoIterator<Item = Key>,
        next_version: u32,
    ) -> Result<Self, NotPossible> {
        let keys: Vec<Key> = keys.into_iter().take(MAX_KEYS + 1).collect();
        let mut bounds = vec![0];
        bounds.extend(keys.iter().map(|key| key.version));
        bounds.push(next_version);
        let ascending = bounds.iter().zip(bounds.iter().skip(1)).all(|(a, b)| a < b);
        let active = keys.iter().filter(|key| key.state == Lifecycle::Active).count();
        let pending = keys.iter().filter(|key| is_pending(key)).count();
        if keys.len() > MAX_KEYS || !ascending || active > 1 || pending > 1 {
            return Err(NotPossible::NEVER);
        }
        Ok(Self { policy, earlier, keys, next_version })
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The policy before, as long as it counts.
    #[must_use]
    pub const fn earlier(&self) -> Option<&Earlier> {
        self.earlier.as_ref()
    }

    /// The keys, in the order of their versions.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The version of the key after the last.
    #[must_use]
    pub const fn next_version(&self) -> u32 {
        self.next_version
    }

    /// Where a key stands.
    #[must_use]
    pub fn state(&self, version: u32) -> Option<Lifecycle> {
        self.keys.iter().find(|key| key.version == version).map(|key| key.state)
    }

    /// The active key.
    #[must_use]
    pub fn active(&self) -> Option<u32> {
        self.keys.iter().find(|key| key.state == Lifecycle::Active).map(|key| key.version)
    }

    /// The pending key.
    #[must_use]
    pub fn pending(&self) -> Option<u32> {
        self.keys.iter().find(|key| is_pending(key)).map(|key| key.version)
    }

    /// Retiring keys whose time has come: whom their consumers are to be asked about before [`Rotation::advance`].
    pub fn over(&self, now: UnixTime) -> impl Iterator<Item = u32> {
        let over =
            move |key: &&Key| matches!(key.state, Lifecycle::Retiring { .. }) && key.state.end(now).is_ok();
        self.keys.iter().filter(over).map(|key| key.version)
    }

    /// When something will be due.
    #[must_use]
    pub fn look_again(&self, now: UnixTime) -> UnixTime {
        let policy = self.effective(now);
        let ends = self.keys.iter().filter_map(|key| match key.state {
            Lifecycle::Retiring { until } => Some(until),
            Lifecycle::Revoked => Some(key.since.saturating_add(policy.overlap())),
            _ => None,
        });
        let next = self.switch_at().unwrap_or_else(|| self.publish_at(now));
        let earlier = self.earlier.map(|earlier| earlier.until);
        // What is due and could not be done, for want of numbers or room, is not looked for at once again and again.
        let soonest = ends.chain([next]).chain(earlier).filter(|time| *time > now).min();
        soonest.unwrap_or(UnixTime::MAX)
    }

    /// What is due now, without doing it.
    pub fn plan(&self, now: UnixTime, is_needed: impl Fn(u32) -> bool) -> Plan {
        self.clone().advance(now, is_needed)
    }

    /// Does everything that is due. `is_needed` says whether a consumer still needs a retiring key whose time has come.
    pub fn advance(&mut self, now: UnixTime, is_needed: impl Fn(u32) -> bool) -> Plan {
        if self.earlier.is_some_and(|earlier| earlier.until <= now) {
            self.earlier = None;
        }
        let mut steps = self.succeed(now);
        let over: Vec<u32> = self.over(now).collect();
        for version in over {
            match is_needed(version) {
                true => steps.extend(self.hold(version, now)),
                false => steps.extend(self.end(version, now)),
            }
        }
        steps.extend(self.forget(now));
        Plan { steps, look_again: self.look_again(now) }
    }

    /// Publishes and activates what is due, and ends nothing, so that no consumer has to be asked: what follows a
    /// [`Rotation::revoke`] or [`Rotation::activate`].
    pub fn succeed(&mut self, now: UnixTime) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.is_publishing_due(now) {
            steps.extend(self.publish(now));
        }
        if self.switch_at().is_some_and(|at| at <= now) {
            steps.extend(self.activate(now));
            // The next one, where there is always to be one.
            if self.is_publishing_due(now) {
                steps.extend(self.publish(now));
            }
        }
        steps
    }

    /// Publishes a new key, whether it is due or not. It may be active once everybody can know it, or at once when it is the
    /// very first.
    ///
    /// # Errors
    /// [`NotPossible`] when there is a pending key already, or [`MAX_KEYS`].
    pub fn publish(&mut self, now: UnixTime) -> Result<Step, NotPossible> {
        let next_version = self.next_version.checked_add(1).ok_or(NotPossible::NEVER)?;
        if self.pending().is_some() || self.keys.len() >= MAX_KEYS {
            return Err(NotPossible::NEVER);
        }
        // Nobody can have made, cached or checked anything before the very first key.
        let lead = if self.next_version == 1 { Duration::ZERO } else { self.effective(now).lead() };
        let active_from = now.saturating_add(lead);
        let version = self.next_version;
        self.keys.push(Key { version, state: Lifecycle::Pending { active_from }, since: now });
        self.next_version = next_version;
        Ok(Step::Publish { version, active_from })
    }

    /// Makes the pending key the active one and retires the one before, even before the period has ended.
    ///
    /// # Errors
    /// [`NotPossible`] without a pending key, or while somebody may not know it yet; the error names the earliest time.
    pub fn activate(&mut self, now: UnixTime) -> Result<Step, NotPossible> {
        let until = now.saturating_add(self.effective(now).overlap());
        let pending = self.keys.iter().find(|key| is_pending(key)).ok_or(NotPossible::NEVER)?;
        let (version, active) = (pending.version, pending.state.activate(now)?);
        let replaced = self.active();
        if let Some(key) = replaced.and_then(|version| self.key_mut(version)) {
            *key = Key { state: key.state.retire(until)?, since: now, ..*key };
        }
        if let Some(key) = self.key_mut(version) {
            *key = Key { state: active, since: now, ..*key };
        }
        Ok(Step::Activate { version, replaces: replaced.map(|version| (version, until)) })
    }

    /// Ends a retiring key whose time has come. Ask its consumers first: nobody is asked here.
    ///
    /// # Errors
    /// [`NotPossible`] for other keys, or before its time, which the error names.
    pub fn end(&mut self, version: u32, now: UnixTime) -> Result<Step, NotPossible> {
        let key = self.key_mut(version).ok_or(NotPossible::NEVER)?;
        key.state.end(now)?;
        self.keys.retain(|key| key.version != version);
        Ok(Step::Drop { version })
    }

    /// Revokes a key, whatever its state, at once. It is remembered as revoked until all that it made would have ended.
    ///
    /// A pending key that everybody knows takes the place of an active one with [`Rotation::succeed`]. Without such a key
    /// there is none active until one is known: what nobody could check is not made.
    ///
    /// # Errors
    /// [`NotPossible`] when there is no such key.
    pub fn revoke(&mut self, version: u32, now: UnixTime) -> Result<(), NotPossible> {
        let key = self.key_mut(version).ok_or(NotPossible::NEVER)?;
        if key.state != Lifecycle::Revoked {
            *key = Key { state: key.state.revoke(), since: now, ..*key };
        }
        // Memory of revoked keys must never stand in the way of new ones.
        let revoked = self.keys.iter().filter(|key| key.state == Lifecycle::Revoked).count();
        if revoked > MAX_REVOKED
            && let Some(oldest) = self.keys.iter().position(|key| key.state == Lifecycle::Revoked)
        {
            self.keys.remove(oldest);
        }
        Ok(())
    }

    /// Takes another policy. Until everything that was made or cached under the one before has ended, whichever span is longer
    /// counts, also for keys that are pending or retiring already.
    pub fn change(&mut self, policy: Policy, now: UnixTime) {
        let before = self.effective(now);
        let longer = policy.longer(&before);
        let until = now.saturating_add(longer.lead()).saturating_add(longer.overlap());
        let until = self.earlier.map_or(until, |earlier| earlier.until.max(until));
        self.earlier = Some(Earlier { policy: before, until });
        self.policy = policy;
        for key in &mut self.keys {
            match &mut key.state {
                Lifecycle::Pending { active_from } => {
                    *active_from = key.since.saturating_add(longer.lead()).max(*active_from);
                }
                Lifecycle::Retiring { until } => {
                    *until = key.since.saturating_add(longer.overlap()).max(*until);
                }
                Lifecycle::Active | Lifecycle::Revoked => {}
            }
        }
    }

    /// The policy, and of the one before whatever waits longer.
    fn effective(&self, now: UnixTime) -> Policy {
        match &self.earlier {
            Some(earlier) if now < earlier.until => self.policy.longer(&earlier.policy),
            _ => self.policy,
        }
    }

    fn is_publishing_due(&self, now: UnixTime) -> bool {
        self.pending().is_none() && self.publish_at(now) <= now
    }

    /// When the next key is to be published; at once without an active one.
    fn publish_at(&self, now: UnixTime) -> UnixTime {
        let active = self.keys.iter().find(|key| key.state == Lifecycle::Active);
        match (active, self.policy.next) {
            (Some(active), Next::InTime) => {
                let end = active.since.saturating_add(self.policy.period());
                end.saturating_sub(self.effective(now).lead())
            }
            _ => now,
        }
    }

    /// When the pending key takes over.
    fn switch_at(&self) -> Option<UnixTime> {
        let pending = self.keys.iter().find_map(|key| match key.state {
            Lifecycle::Pending { active_from } => Some(active_from),
            _ => None,
        })?;
        let active = self.keys.iter().find(|key| key.state == Lifecycle::Active);
        let end = active.map(|active| active.since.saturating_add(self.policy.period()));
        Some(end.map_or(pending, |end| end.max(pending)))
    }

    fn hold(&mut self, version: u32, now: UnixTime) -> Result<Step, NotPossible> {
        let until = now.saturating_add(HOLD);
        let key = self.key_mut(version).ok_or(NotPossible::NEVER)?;
        key.state = key.state.hold(until)?;
        Ok(Step::Hold { version, until })
    }

    /// Forgets revoked keys of which nothing is left to meet.
    fn forget(&mut self, now: UnixTime) -> Vec<Step> {
        let overlap = self.effective(now).overlap();
        let is_past = |key: &Key| key.state == Lifecycle::Revoked && key.since.saturating_add(overlap) <= now;
        let past = self.keys.iter().filter(|key| is_past(key));
        let steps = past.map(|key| Step::Drop { version: key.version }).collect();
        self.keys.retain(|key| !is_past(key));
        steps
    }

    fn key_mut(&mut self, version: u32) -> Option<&mut Key> {
        self.keys.iter_mut().find(|key| key.version == version)
    }
}

/// Most revoked keys that are remembered.
const MAX_REVOKED: usize = MAX_KEYS / 2;

const fn is_pending(key: &Key) -> bool {
    matches!(key.state, Lifecycle::Pending { .. })
}

#[cfg(test)]
mod tests;
