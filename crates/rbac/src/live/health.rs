//! How a live policy is doing.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use bartizan_core::{Fault, Revision, UnixTime};

use crate::{Error, SourceError};

/// How a [`LivePolicy`](crate::LivePolicy) is doing. A copy of one moment, for readiness checks and dashboards.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Health {
    /// What the engine decides by; nothing before the first policy.
    pub revision: Option<Revision>,
    /// Up to which revision the source was heard. Later than what the engine decides by while a policy is refused.
    pub seen: Option<Revision>,
    /// When the policy in force was loaded.
    pub loaded_at: Option<UnixTime>,
    /// When the source last confirmed what is in force.
    pub confirmed_at: Option<UnixTime>,
    /// What keeps what the source has now from coming into force. Nothing is health.
    pub failure: Option<LoadError>,
    /// When that happened first.
    pub failed_at: Option<UnixTime>,
    /// Failed attempts since the last that succeeded.
    pub failures: u32,
    /// Whether the staleness bound has passed: nothing is decided until the source answers again.
    pub is_stale: bool,
    /// How often everything was loaded and came into force.
    pub loads: u64,
    /// Whether somebody runs the [`LiveDriver`](crate::LiveDriver). Without it nothing changes any more.
    pub is_running: bool,
}

impl Health {
    /// Whether what is in force is all that the source says, and somebody sees to it.
    #[must_use]
    pub const fn is_well(&self) -> bool {
        self.revision.is_some() && self.failure.is_none() && !self.is_stale && self.is_running
    }

    /// For how long the source has not confirmed what is in force; nothing before the first policy.
    #[must_use]
    pub fn age(&self, now: UnixTime) -> Option<Duration> {
        self.confirmed_at.map(|at| now.since(at))
    }
}

/// Why what a source has did not come into force. The last good policy stays.
///
/// # Security
/// A failure that is no refusal confirms nothing: it leads to the engine's staleness bound.
#[derive(Clone)]
pub struct LoadError {
    kind: LoadErrorKind,
    line: Option<u32>,
    because: Option<Arc<dyn StdError + Send + Sync>>,
    fault: Fault,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LoadErrorKind {
    /// The source did not deliver.
    #[error("the source of the policy did not deliver")]
    Source,
    /// The source did not answer in time.
    #[error("the source of the policy did not answer in time")]
    Silent,
    /// The text is no policy, or one of its own tests fails.
    #[error("the policy is refused")]
    Policy,
    /// The guard does not let it replace the one in force.
    #[error("the guard refuses the policy")]
    Guard,
    /// The source is behind what is in force. It is asked again: an administrator of this node may have been faster. If it is
    /// behind then too, a backup was put back, and it is taken at its word.
    #[error("the source of the policy is behind what is in force")]
    Behind,
    /// That it came into force could not be put on record.
    #[error("the policy could not be put on record")]
    NotRecorded,
    /// There was no thread to compile it on, or compiling it panicked.
    #[error("the policy could not be examined")]
    Examiner,
    /// Nobody runs the driver.
    #[error("nobody keeps the policy up to date")]
    Stopped,
}

impl LoadErrorKind {
    /// A stable word for records and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Silent => "source_silent",
            Self::Policy => "policy_refused",
            Self::Guard => "guard_refused",
            Self::Behind => "source_behind",
            Self::NotRecorded => "not_recorded",
            Self::Examiner => "not_examined",
            Self::Stopped => "stopped",
        }
    }
}

impl LoadError {
    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> LoadErrorKind {
        self.kind
    }

    /// The line of the policy file that is meant, counted from 1.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.line
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether it may end by itself.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault.is_transient()
    }

    /// Whether the source delivered, and its policy is refused: nothing but another policy will help.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self.kind, LoadErrorKind::Policy | LoadErrorKind::Guard)
    }

    fn because(
        kind: LoadErrorKind,
        fault: Fault,
        line: Option<u32>,
        error: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self { kind, line, because: Some(Arc::new(error)), fault }
    }
}

impl From<LoadErrorKind> for LoadError {
    fn from(kind: LoadErrorKind) -> Self {
        let fault = match kind {
            LoadErrorKind::Source
            | LoadErrorKind::Silent
            | LoadErrorKind::Behind
            | LoadErrorKind::NotRecorded => Fault::Backend,
            LoadErrorKind::Policy | LoadErrorKind::Guard | LoadErrorKind::Stopped => Fault::Caller,
            LoadErrorKind::Examiner => Fault::Bug,
        };
        Self { kind, line: None, because: None, fault }
    }
}

impl From<SourceError> for LoadError {
    fn from(error: SourceError) -> Self {
        Self::because(LoadErrorKind::Source, error.fault(), None, error)
    }
}

impl From<Error> for LoadError {
    fn from(error: Error) -> Self {
        Self::because(LoadErrorKind::Policy, error.fault(), error.line(), error)
    }
}

impl From<Refusal> for LoadError {
    fn from(refusal: Refusal) -> Self {
        Self::because(LoadErrorKind::Guard, Fault::Caller, None, refusal)
    }
}

/// The reason with it: it names what an operator wrote, and goes to operators alone.
impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.because {
            Some(because) => write!(f, "{}: {because}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoadError({self})")
    }
}

impl StdError for LoadError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.because.as_deref().map(|error| error as _)
    }
}

/// What a guard says to a policy that it does not let in, for operators to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(Box<str>);

impl Refusal {
    /// In one clause.
    #[must_use]
    pub fn new(why: impl Into<Box<str>>) -> Self {
        Self(why.into())
    }
}
