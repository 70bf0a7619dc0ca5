//! The one life of a key: signing keys, scope keys and secrets all live it.

use std::fmt;

use async_trait::async_trait;
use bartizan_core::UnixTime;

/// Where a key stands. Only forward: pending → active → retiring → revoked, and to revoked from anywhere.
///
/// ```
/// use bartizan_core::UnixTime;
/// use bartizan_crypto::Lifecycle;
///
/// let key = Lifecycle::Pending { active_from: UnixTime::from_secs(100) };
/// assert!(key.activate(UnixTime::from_secs(99)).is_err());
/// let key = key.activate(UnixTime::from_secs(100))?;
/// assert!(key.may_make() && key.may_check(UnixTime::from_secs(100)));
/// let key = key.retire(UnixTime::from_secs(1_000))?;
/// assert!(!key.may_make() && key.may_check(UnixTime::from_secs(999)) && !key.may_check(UnixTime::from_secs(1_000)));
/// # Ok::<(), bartizan_crypto::NotPossible>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// Published, so that whoever checks knows it in time; makes nothing yet.
    Pending {
        /// When it may become active: everybody who checks has it by then.
        active_from: UnixTime,
    },
    /// Makes and checks. One key of a purpose at a time.
    Active,
    /// Makes nothing any more, still checks what it made.
    Retiring {
        /// When the last thing it made has ended.
        until: UnixTime,
    },
    /// Neither makes nor checks, at once and for good.
    Revoked,
}

/// A step that a lifecycle does not have, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotPossible {
    earliest: Option<UnixTime>,
}

impl NotPossible {
    /// There is no such step, whatever the time.
    pub(crate) const NEVER: Self = Self { earliest: None };

    /// There is such a step, from then on.
    pub(crate) const fn before(earliest: UnixTime) -> Self {
        Self { earliest: Some(earliest) }
    }

    /// From when on the same step is possible; nothing when waiting does not help.
    #[must_use]
    pub const fn earliest(self) -> Option<UnixTime> {
        self.earliest
    }
}

impl fmt::Display for NotPossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.earliest {
            Some(earliest) => write!(f, "the key's life has no such step before {earliest}"),
            None => f.write_str("the key's life has no such step now"),
        }
    }
}

impl std::error::Error for NotPossible {}

impl Lifecycle {
    /// From pending to active.
    ///
    /// # Errors
    /// [`NotPossible`] from elsewhere, or before its time, which the error names.
    pub fn activate(self, now: UnixTime) -> Result<Self, NotPossible> {
        match self {
            Self::Pending { active_from } if active_from <= now => Ok(Self::Active),
            Self::Pending { active_from } => Err(NotPossible::before(active_from)),
            _ => Err(NotPossible::NEVER),
        }
    }

    /// From active to retiring. A [`Rotation`](crate::rotation::Rotation) knows until when.
    ///
    /// # Errors
    /// [`NotPossible`] from elsewhere.
    pub const fn retire(self, until: UnixTime) -> Result<Self, NotPossible> {
        match self {
            Self::Active => Ok(Self::Retiring { until }),
            _ => Err(NotPossible::NEVER),
        }
    }

    /// A retiring key stays longer, because something still needs it. Never shorter.
    ///
    /// # Errors
    /// [`NotPossible`] from elsewhere.
    pub fn hold(self, until: UnixTime) -> Result<Self, NotPossible> {
        match self {
            Self::Retiring { until: before } => Ok(Self::Retiring { until: before.max(until) }),
            _ => Err(NotPossible::NEVER),
        }
    }

    /// From retiring to revoked, once its time has come: the quiet end.
    ///
    /// # Errors
    /// [`NotPossible`] from elsewhere, or before its time, which the error names.
    pub fn end(self, now: UnixTime) -> Result<Self, NotPossible> {
        match self {
            Self::Retiring { until } if until <= now => Ok(Self::Revoked),
            Self::Retiring { until } => Err(NotPossible::before(until)),
            _ => Err(NotPossible::NEVER),
        }
    }

    /// To revoked, from anywhere, at once.
    #[must_use]
    pub const fn revoke(self) -> Self {
        Self::Revoked
    }

    /// Whether it signs or seals.
    #[must_use]
    pub const fn may_make(self) -> bool {
        matches!(self, Self::Active)
    }

    /// Whether what it made is still believed.
    #[must_use]
    pub fn may_check(self, now: UnixTime) -> bool {
        match self {
            Self::Pending { .. } | Self::Active => true,
            Self::Retiring { until } => now < until,
            Self::Revoked => false,
        }
    }
}

/// Somebody who uses keys of one purpose and has to keep up with their versions. Asked through
/// [`Consumers`](crate::Consumers).
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Version `version` is the active one from now on: what is made anew is made with it.
    async fn applied(&self, version: u32);

    /// Whether nothing here needs `version` any more. Until every consumer has said so, a retiring key stays; a revoked one
    /// goes at once and nobody is asked.
    async fn may_retire(&self, version: u32) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(10);
    const LATER: UnixTime = UnixTime::from_secs(20);
    const ALL: [Lifecycle; 4] = [
        Lifecycle::Pending { active_from: NOW },
        Lifecycle::Active,
        Lifecycle::Retiring { until: LATER },
        Lifecycle::Revoked,
    ];
    const NEVER: Result<Lifecycle, NotPossible> = Err(NotPossible::NEVER);

    #[test]
    fn there_is_no_way_back() {
        assert_eq!(ALL.map(|state| state.activate(NOW)), [Ok(Lifecycle::Active), NEVER, NEVER, NEVER]);
        let retiring = Ok(Lifecycle::Retiring { until: LATER });
        assert_eq!(ALL.map(|state| state.retire(LATER)), [NEVER, retiring, NEVER, NEVER]);
        assert_eq!(ALL.map(|state| state.end(LATER)), [NEVER, NEVER, Ok(Lifecycle::Revoked), NEVER]);
        assert!(ALL.iter().all(|state| state.revoke() == Lifecycle::Revoked));
        assert!(!Lifecycle::Revoked.may_check(NOW) && !Lifecycle::Revoked.may_make());
    }

    #[test]
    fn an_early_step_names_the_earliest_time() {
        let just_before = |time: UnixTime| UnixTime::from_nanos(time.as_nanos() - 1);
        let early = ALL[0].activate(just_before(NOW)).unwrap_err();
        assert_eq!(early.earliest(), Some(NOW));
        assert_eq!(early.to_string(), "the key's life has no such step before 1970-01-01T00:00:10Z");
        assert_eq!(ALL[2].end(just_before(LATER)).unwrap_err().earliest(), Some(LATER));
        assert_eq!(ALL[1].activate(NOW).unwrap_err().to_string(), "the key's life has no such step now");
    }

    #[test]
    fn holding_lengthens_a_retirement_and_never_shortens_it() {
        let longer = UnixTime::from_secs(30);
        assert_eq!(ALL[2].hold(longer), Ok(Lifecycle::Retiring { until: longer }));
        assert_eq!(ALL[2].hold(NOW), Ok(ALL[2]));
        assert_eq!([ALL[0].hold(longer), ALL[1].hold(longer), ALL[3].hold(longer)], [NEVER; 3]);
    }
}
