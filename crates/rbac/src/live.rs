//! Keeps an engine equal to a source: what is new is examined first, and then comes into force in one step.
//!
//! What fails to load changes nothing: the last good policy stays, a [`Health`] says what is wrong, and it is on record. What
//! the source does not confirm for too long is decided no more.

mod backoff;
mod driver;
mod health;
mod hub;
#[cfg(test)]
mod tests;

use std::{fmt, future::poll_fn, sync::Arc, time::Duration};

use bartizan_core::{Clock, Recorder, Revision};

use crate::{Engine, Error, Permissions, Policy, PolicyDiff, PolicySource, PolicyText};

pub use driver::LiveDriver;
pub use health::{Health, LoadError, LoadErrorKind, Refusal};

use hub::Hub;

/// Watches an engine that a [`LiveDriver`] keeps equal to a source. Cheap to clone.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use bartizan_core::{Clock, Recorder};
/// use bartizan_rbac::{
///     Assignments, Engine, HeldAssignments, LiveDriver, LivePolicy, Policy, PolicyFile, SourceError,
/// };
///
/// /// Spawn `driver.run()` on the runtime, then `live.ready().await?` before the first request.
/// fn follow(
///     recorder: Arc<dyn Recorder>,
///     clock: Arc<dyn Clock>,
/// ) -> Result<(Arc<Engine>, LivePolicy, LiveDriver), SourceError> {
///     // Denies everything until there is a policy, and decides nothing that is not confirmed for five minutes.
///     let engine = Engine::new(Policy::default(), Assignments::Held(HeldAssignments::new()));
///     let engine = Arc::new(engine.stale_after(Duration::from_secs(300)));
///     let file = PolicyFile::at("/etc/clinic/policy.toml", clock.clone())?;
///     let (live, driver) = LivePolicy::follow(Arc::new(file), engine.clone(), recorder, clock)
///         .as_service("clinic")
///         .without_new_access()
///         .build();
///     Ok((engine, live, driver))
/// }
/// ```
#[derive(Clone)]
pub struct LivePolicy {
    hub: Arc<Hub>,
}

/// How a [`LivePolicy`] is to be, before it is built.
#[must_use]
pub struct LivePolicyBuilder {
    setup: Setup,
}

/// What a driver works with.
struct Setup {
    source: Arc<dyn PolicySource>,
    engine: Arc<Engine>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    service: Box<str>,
    read: Reader,
    guard: Option<Arc<Guard>>,
    load_within: Duration,
    when_refused: WhenRefused,
}

/// Compiles a policy.
type Reader = fn(&PolicyText) -> Result<Policy, Error>;

/// Says whether a policy may replace the one in force.
type Guard = dyn Fn(&Policy, &Policy) -> Result<(), Refusal> + Send + Sync;

/// Whether the staleness bound runs while the source answers, but has a policy that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WhenRefused {
    KeepTheLast,
    GoStale,
}

/// How long loading everything may take unless said otherwise.
const LOAD_WITHIN: Duration = Duration::from_secs(120);

impl LivePolicy {
    /// This engine shall be equal to this source; what comes into force and what is refused goes to the recorder. `clock`
    /// should be one of the runtime that the driver runs on.
    pub fn follow(
        source: Arc<dyn PolicySource>,
        engine: Arc<Engine>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> LivePolicyBuilder {
        LivePolicyBuilder::new(source, engine, recorder, clock)
    }

    /// Waits for the first policy, and answers its revision. The driver must run meanwhile, else it never ends.
    ///
    /// # Errors
    /// [`LoadError`] when the first attempt failed. The driver tries on; a service that can wait calls it again.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn ready(&self) -> Result<Revision, LoadError> {
        poll_fn(|cx| {
            self.hub.poll_health(cx, |health| match (health.revision, &health.failure) {
                (Some(revision), _) => Some(Ok(revision)),
                (None, Some(failure)) => Some(Err(failure.clone())),
                (None, None) => None,
            })
        })
        .await
    }

    /// Waits until the engine decides by all that the source said at this revision, or by something later: a role that was
    /// revoked with it counts here no more. Give it a time limit of your own.
    ///
    /// # Errors
    /// [`LoadErrorKind::Policy`] and [`LoadErrorKind::Guard`] while the policy that the source has is refused; assignments are
    /// those of the revision then. [`LoadErrorKind::Stopped`] when nobody runs the driver.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn reached(&self, revision: Revision) -> Result<(), LoadError> {
        let is_at = |at: Option<Revision>| at.is_some_and(|at| at >= revision);
        poll_fn(|cx| {
            self.hub.poll_health(cx, |health| match &health.failure {
                Some(failure) if failure.is_refusal() => is_at(health.seen).then(|| Err(failure.clone())),
                _ => is_at(health.revision).then_some(Ok(())),
            })
        })
        .await
    }

    /// Loads everything again as soon as may be, as when an operator has just changed something. Does not wait.
    pub fn refresh(&self) {
        self.hub.want();
    }

    /// Loads everything again, and waits for what comes of it.
    ///
    /// # Errors
    /// [`LoadError`] says why what the source has did not come into force.
    ///
    /// # Cancel safety
    /// Dropped before it ends, everything is loaded all the same.
    pub async fn reload(&self) -> Result<Revision, LoadError> {
        let number = self.hub.want();
        poll_fn(|cx| self.hub.poll_outcome(number, cx)).await
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.hub.health()
    }
}

impl fmt::Debug for LivePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePolicy").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl LivePolicyBuilder {
    fn new(
        source: Arc<dyn PolicySource>,
        engine: Arc<Engine>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            setup: Setup {
                source,
                engine,
                recorder,
                clock,
                service: "bartizan-rbac".into(),
                read: Policy::read,
                guard: None,
                load_within: LOAD_WITHIN,
                when_refused: WhenRefused::KeepTheLast,
            },
        }
    }

    /// The service's name in records.
    pub fn as_service(mut self, service: impl Into<Box<str>>) -> Self {
        self.setup.service = service.into();
        self
    }

    /// Asks before a policy replaces the one in force, old and new in this order, on a thread of its own. What it refuses does
    /// not come into force.
    ///
    /// # Security
    /// The first policy of a process replaces none, and is not asked about.
    pub fn guarded_by(
        mut self,
        guard: impl Fn(&Policy, &Policy) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.setup.guard = Some(Arc::new(guard));
        self
    }

    /// Asks [`PolicyDiff`] before a policy replaces the one in force, and refuses one that lets any role do more than now.
    ///
    /// # Security
    /// As for [`LivePolicyBuilder::guarded_by`], whose place it takes. Assignments are not asked about.
    pub fn without_new_access(self) -> Self {
        self.guarded_by(|old, new| {
            let diff = PolicyDiff::between(old, new);
            match diff.gained().first() {
                Some(gain) => Err(Refusal::new(format!("role {} may do more than now", gain.role()))),
                None => Ok(()),
            }
        })
    }

    /// Takes policies whose permissions are exactly those of the program, as [`Policy::read_for`] has it.
    pub fn with_permissions_of<P: Permissions>(mut self) -> Self {
        self.setup.read = Policy::read_for::<P>;
        self
    }

    /// How long loading everything may take, until it counts as failed: 2 minutes.
    pub const fn load_within(mut self, bound: Duration) -> Self {
        self.setup.load_within = bound;
        self
    }

    /// Lets the staleness bound of the engine run while the source has a policy that is refused, as if the source did not
    /// answer. Otherwise the last good one stays in force for as long as the source answers.
    pub const fn stale_when_refused(mut self) -> Self {
        self.setup.when_refused = WhenRefused::GoStale;
        self
    }

    /// The watch, and the driver to be spawned: `tokio::spawn(driver.run())`.
    #[must_use = "nothing is followed until the driver runs"]
    pub fn build(self) -> (LivePolicy, LiveDriver) {
        let hub = Arc::new(Hub::new());
        (LivePolicy { hub: Arc::clone(&hub) }, LiveDriver::new(self.setup, hub))
    }
}

impl fmt::Debug for LivePolicyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePolicyBuilder")
            .field("source", &self.setup.source)
            .field("service", &self.setup.service)
            .finish_non_exhaustive()
    }
}
