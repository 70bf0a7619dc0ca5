//! The one life of a key: signing keys, scope keys and secrets all live it.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the key's life has no such step now")]
pub struct NotPossible;

impl Lifecycle {
    /// From pending to active.
    ///
    /// # Errors
    /// [`NotPossible`] from elsewhere, or before its time.
    pub fn activate(self, now: UnixTime) -> Result<Self, NotPossible> {
        match self {
            Self::Pending { active_from } if active_from <= now => Ok(Self::Active),
            _ => Err(NotPossible),
        }
    }

    /// From active to retiring.
    ///
    /// # Errors
    /// [`NotPossible`] from elsewhere.
    pub const fn retire(self, until: UnixTime) -> Result<Self, NotPossible> {
        match self {
            Self::Active => Ok(Self::Retiring { until }),
            _ => Err(NotPossible),
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

/// Somebody who uses keys of one purpose and has to keep up with their versions.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Version `version` is in use here from now on.
    async fn applied(&self, version: u32);

    /// Whether nothing here needs `version` any more.
    async fn may_retire(&self, version: u32) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_way_back() {
        let (now, later) = (UnixTime::from_secs(10), UnixTime::from_secs(20));
        let all = [
            Lifecycle::Pending { active_from: now },
            Lifecycle::Active,
            Lifecycle::Retiring { until: later },
            Lifecycle::Revoked,
        ];
        let activated = all.map(|state| state.activate(now));
        assert_eq!(activated, [Ok(Lifecycle::Active), Err(NotPossible), Err(NotPossible), Err(NotPossible)]);
        let retired = all.map(|state| state.retire(later));
        assert_eq!(
            retired,
            [Err(NotPossible), Ok(Lifecycle::Retiring { until: later }), Err(NotPossible), Err(NotPossible)]
        );
        assert!(all.iter().all(|state| state.revoke() == Lifecycle::Revoked));
        assert!(!Lifecycle::Revoked.may_check(now) && !Lifecycle::Revoked.may_make());
    }
}
