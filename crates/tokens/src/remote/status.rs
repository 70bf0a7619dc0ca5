//! What a dashboard shows of a remote JWKS.

use std::sync::Arc;

use bartizan_core::UnixTime;

use super::FetchErrorKind;
use crate::{ErrorKind, SkippedKey};

/// How a remote JWKS is doing. A copy of one moment; it never blocks anybody.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct JwksStatus {
    /// When the issuer last answered with these keys, or said that they are still its keys.
    pub last_success: Option<UnixTime>,
    /// Until when they are believed if it does not answer any more.
    pub good_until: Option<UnixTime>,
    /// How many keys there are.
    pub keys: usize,
    /// Which keys of its set were left out, and why.
    pub skipped: Arc<[SkippedKey]>,
    /// What the last failure was, also after a success.
    pub last_error: Option<RefreshError>,
    /// When that was.
    pub last_error_at: Option<UnixTime>,
    /// Failures since the last success: 0 is health.
    pub failures: u32,
    /// Requests that were begun.
    pub fetches: u64,
    /// How often the keys became others.
    pub changes: u64,
    /// Whether the driver runs. Without it nothing is ever fetched.
    pub running: bool,
}

/// Why a refresh brought no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The request failed.
    #[error(transparent)]
    Fetch(#[from] FetchErrorKind),
    /// What came is no set of keys, or one that is refused whole.
    #[error("the set is refused: {0}")]
    Keys(ErrorKind),
}

impl RefreshError {
    /// A stable word for records and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fetch(kind) => kind.code(),
            Self::Keys(kind) => kind.code(),
        }
    }

    /// What it means to somebody who waits for keys.
    pub(super) const fn kind(self) -> ErrorKind {
        match self {
            Self::Fetch(_) => ErrorKind::KeysUnavailable,
            Self::Keys(kind) => kind,
        }
    }
}
