//! The loop: asks the source, has what is new examined, puts it on record, and lets the engine have it.

use std::{
    collections::hash_map::DefaultHasher,
    convert::Infallible,
    fmt,
    future::{Future, pending, poll_fn},
    hash::{Hash, Hasher},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bartizan_audit_events::Event;
use bartizan_core::{
    Detail, DetailValue, Fact, Monotonic, Origin, Outcome, Revision, Subject, Target, UnixTime,
};

use super::{LoadError, LoadErrorKind, Setup, WhenRefused, backoff::Backoff, hub::Hub};
use crate::{
    Change, Changes, ErrorKind, HeldAssignments, Loaded, Policy, PolicyText, SourceError, SourceErrorKind,
    held::Held, offload::offload,
};

/// Keeps an engine equal to a source. Spawn [`LiveDriver::run`] on the runtime of the service.
#[must_use = "nothing is loaded unless it runs"]
pub struct LiveDriver {
    setup: Arc<Setup>,
    hub: Arc<Hub>,
    /// Up to where the source was heard.
    seen: Option<Revision>,
    in_force: Option<InForce>,
    /// The policy that the source has, if it is refused.
    refused: Option<Refused>,
    /// What the engine was at when a load turned out to be older.
    ahead: Option<Revision>,
    backoff: Backoff,
    /// When the source last confirmed what is in force, and whether it is on record that this is too long ago.
    confirmed: Monotonic,
    is_stale: bool,
}

struct InForce {
    text: PolicyText,
    policy: Policy,
    /// Whether the policy file assigns something itself, which changes of the source cannot take away.
    assigns: bool,
    /// Whether the source says more about assignments than that.
    has_held: bool,
}

struct Refused {
    text: PolicyText,
    error: LoadError,
    at: UnixTime,
}

/// When a question was put. What is answered was true then or later.
#[derive(Clone, Copy)]
struct Asked {
    monotonic: Monotonic,
    wall: UnixTime,
}

/// How a wait for the source ended.
enum Ended<T> {
    Answered(Result<T, SourceError>),
    /// The time that was given is over.
    Over,
    /// Somebody wants everything to be loaded.
    Wanted,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Ask at once: there may be more.
    AtOnce,
    /// Ask, but not in a circle.
    Steady,
}

/// The least time from one answer without changes to the next question, and from one load to the next: a source that answers
/// at once for ever costs no more than that.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a source may take to say what changed. Longer than any source waits for something to happen.
const CHANGES_WITHIN: Duration = Duration::from_secs(60);

/// How long a record may take to become durable.
const RECORD_WITHIN: Duration = Duration::from_secs(10);

/// So many changes are applied where they are; more, on a thread of their own.
const INLINE: usize = 256;

impl LiveDriver {
    pub(super) fn new(setup: Setup, hub: Arc<Hub>) -> Self {
        // Nodes that lost their source at the same moment come back at different ones.
        let mut hasher = DefaultHasher::new();
        (&*setup.service, setup.clock.wall().as_nanos()).hash(&mut hasher);
        let confirmed = setup.clock.monotonic();
        Self {
            setup: Arc::new(setup),
            hub,
            seen: None,
            in_force: None,
            refused: None,
            ahead: None,
            backoff: Backoff::new(hasher.finish()),
            confirmed,
            is_stale: false,
        }
    }

    /// Runs for ever. Policies are compiled on a thread of their own.
    ///
    /// # Cancel safety
    /// It may be dropped at any time; what is in force stays until the engine's staleness bound.
    pub async fn run(mut self) -> Infallible {
        loop {
            let began = self.setup.clock.monotonic();
            let stepped = self.step().await;
            let elapsed = self.setup.clock.monotonic().since(began);
            let rest = match &stepped {
                Ok(Pace::AtOnce) => Duration::ZERO,
                Ok(Pace::Steady) => PAUSE.saturating_sub(elapsed),
                Err(_) => self.backoff.failed(),
            };
            self.tell(stepped);
            if !rest.is_zero() {
                self.ask(rest, Hears::Wishes, pending::<Result<Infallible, _>>()).await;
            }
        }
    }

    async fn step(&mut self) -> Result<Pace, LoadError> {
        let Some(seen) = self.seen.filter(|_| !self.hub.is_wanted()) else {
            return self.load().await.map(|()| Pace::Steady);
        };
        let (setup, asked) = (Arc::clone(&self.setup), self.now());
        match self.ask(CHANGES_WITHIN, Hears::Wishes, setup.source.changes(seen)).await {
            Ended::Wanted => Ok(Pace::AtOnce),
            Ended::Over => Err(LoadErrorKind::Silent.into()),
            Ended::Answered(Err(error)) => Err(error.into()),
            Ended::Answered(Ok(Changes::Nothing)) => {
                self.confirm(asked);
                Ok(Pace::Steady)
            }
            Ended::Answered(Ok(Changes::These(changes, revision))) => {
                if revision <= seen {
                    // Whatever it means by that, it is not what changed since.
                    self.seen = None;
                    return Err(SourceError::from(SourceErrorKind::Bug).into());
                }
                if self.in_force.as_ref().is_some_and(|good| good.assigns) {
                    return self.load().await.map(|()| Pace::Steady);
                }
                self.apply(changes, revision).await?;
                self.confirm(asked);
                Ok(Pace::AtOnce)
            }
            Ended::Answered(Ok(Changes::Everything)) => self.load().await.map(|()| Pace::Steady),
        }
    }

    /// Everything: a refusal is no failure, since asking again would not help.
    async fn load(&mut self) -> Result<(), LoadError> {
        self.hub.began();
        let (setup, asked) = (Arc::clone(&self.setup), self.now());
        let loaded = match self.ask(setup.load_within, Hears::Nothing, setup.source.load()).await {
            Ended::Answered(loaded) => loaded?,
            Ended::Over | Ended::Wanted => return Err(LoadErrorKind::Silent.into()),
        };
        let goes_back = self.ahead.is_some_and(|ahead| loaded.revision < ahead);
        let known = self.in_force.as_ref().filter(|good| good.text == loaded.policy);
        let policy = match known {
            Some(good) if goes_back => {
                self.record_loaded(&good.policy, loaded.revision, Some("went_back")).await?;
                good.policy.clone()
            }
            Some(good) => good.policy.clone(),
            None => match self.examine(&loaded.policy).await {
                Ok(policy) => {
                    self.record_loaded(&policy, loaded.revision, goes_back.then_some("went_back")).await?;
                    policy
                }
                Err(error) if error.is_refusal() => {
                    self.refuse(loaded, error).await?;
                    self.confirm(asked);
                    return Ok(());
                }
                Err(error) => return Err(error),
            },
        };
        let has_held = !loaded.held.is_empty();
        self.replace(policy.clone(), loaded.held, loaded.revision).await?;
        let assigns = {
            let held = Held::build(policy.assignments());
            held.iter().next().is_some() || held.joins().next().is_some()
        };
        self.in_force = Some(InForce { text: loaded.policy, policy, assigns, has_held });
        self.seen = Some(loaded.revision);
        self.refused = None;
        self.hub.show(|health| {
            health.loaded_at = Some(asked.wall);
            health.loads += 1;
        });
        self.confirm(asked);
        Ok(())
    }

    /// Compiles it and runs its own tests; then asks the guard.
    async fn examine(&self, text: &PolicyText) -> Result<Policy, LoadError> {
        let (text, read, guard) = (text.clone(), self.setup.read, self.setup.guard.clone());
        let old = self.in_force.as_ref().map(|good| good.policy.clone());
        let examined = offload(move || {
            let policy = read(&text)?;
            if let (Some(guard), Some(old)) = (guard, old) {
                guard(&old, &policy)?;
            }
            Ok(policy)
        });
        examined.await.unwrap_or_else(|| Err(LoadErrorKind::Examiner.into()))
    }

    /// The last good policy stays; assignments do not wait for the next: a role that was revoked must not count because
    /// somebody else made a mistake in a file.
    async fn refuse(&mut self, loaded: Loaded, error: LoadError) -> Result<(), LoadError> {
        let is_news = self.refused.as_ref().is_none_or(|refused| refused.text != loaded.policy);
        if is_news {
            self.record_refused(&error, loaded.revision);
        }
        let good = self.in_force.as_ref().map(|good| (good.policy.clone(), good.has_held));
        if let Some((policy, has_held)) = good {
            let has_held_now = !loaded.held.is_empty();
            if has_held || has_held_now {
                self.replace(policy, loaded.held, loaded.revision).await?;
            }
            if let Some(good) = &mut self.in_force {
                good.has_held = has_held_now;
            }
        }
        self.seen = Some(loaded.revision);
        let at = match &self.refused {
            Some(refused) if !is_news => refused.at,
            _ => self.setup.clock.wall(),
        };
        self.refused = Some(Refused { text: loaded.policy, error, at });
        Ok(())
    }

    /// One swap: readers see all of it or nothing.
    ///
    /// A load that is older than what is in force was overtaken by an administrator of this node, and is asked for again. What is
    /// asked for after that and is still older than what was in force then, is what the source has: a backup was put back.
    async fn replace(
        &mut self,
        policy: Policy,
        held: Vec<Change>,
        revision: Revision,
    ) -> Result<(), LoadError> {
        // The first is taken at its word as well: what the engine was made with is nothing that a source said.
        let goes_back = self.in_force.is_none() || self.ahead.is_some_and(|ahead| revision < ahead);
        let engine = Arc::clone(&self.setup.engine);
        let replaced = offload(move || {
            let mut all = policy.assignments();
            all.extend(held);
            if goes_back {
                engine.load(policy, all, revision);
                return true;
            }
            engine.load_unless_behind(policy, all, revision).is_ok()
        });
        if replaced.await.ok_or(LoadErrorKind::Examiner)? {
            self.ahead = None;
            return Ok(());
        }
        self.ahead = Some(self.setup.engine.revision());
        Err(LoadErrorKind::Behind.into())
    }

    async fn apply(&mut self, changes: Vec<Change>, revision: Revision) -> Result<(), LoadError> {
        if let Some(good) = &mut self.in_force {
            good.has_held = true;
            let (engine, policy) = (Arc::clone(&self.setup.engine), good.policy.clone());
            let is_short = changes.len() <= INLINE;
            let apply = move || match engine.apply(&changes, revision) {
                // Where only tokens count, there is the revision to go on with.
                Err(error) if error.kind() == ErrorKind::Assignment => {
                    engine.load_unless_behind(policy, HeldAssignments::new(), revision)
                }
                // An administrator of this node was faster, with the very same changes.
                Err(error) if error.kind() == ErrorKind::Revision => Ok(revision),
                applied => applied,
            };
            let applied = if is_short { Some(apply()) } else { offload(apply).await };
            applied.ok_or(LoadErrorKind::Examiner)??;
        }
        self.seen = Some(revision);
        Ok(())
    }

    /// The source answered: what is in force is what it says, but for a policy that is refused.
    fn confirm(&mut self, asked: Asked) {
        if self.in_force.is_none()
            || self.refused.is_some() && self.setup.when_refused == WhenRefused::GoStale
        {
            return;
        }
        self.setup.engine.confirm(asked.wall);
        self.confirmed = asked.monotonic;
        self.is_stale = false;
        self.hub.show(|health| {
            health.confirmed_at = Some(asked.wall);
            health.is_stale = false;
        });
    }

    /// Shows how it went, and tells whoever waits for a load.
    fn tell(&mut self, stepped: Result<Pace, LoadError>) {
        let failure = match stepped {
            Ok(_) => {
                self.backoff.succeeded();
                self.refused.as_ref().map(|refused| (refused.error.clone(), refused.at))
            }
            Err(error) => Some((error, self.setup.clock.wall())),
        };
        let in_force = self.in_force.as_ref().map(|_| self.setup.engine.revision());
        let (seen, failures) = (self.seen, self.backoff.failures());
        self.hub.show(|health| {
            health.revision = in_force;
            health.seen = seen;
            health.failures = failures;
            let since = health.failed_at.filter(|_| health.failure.is_some());
            health.failed_at = failure.as_ref().map(|(_, at)| since.unwrap_or(*at));
            health.failure = failure.as_ref().map(|(error, _)| error.clone());
        });
        self.hub.ended(match (failure, in_force) {
            (Some((error, _)), _) => Err(error),
            (None, Some(revision)) => Ok(revision),
            (None, None) => Err(LoadErrorKind::Stopped.into()),
        });
    }

    /// Waits for an answer, for at most so long; meanwhile it is noticed when what is in force becomes too old.
    async fn ask<T>(
        &mut self,
        within: Duration,
        hears: Hears,
        call: impl Future<Output = Result<T, SourceError>>,
    ) -> Ended<T> {
        let setup = Arc::clone(&self.setup);
        let mut call = pin!(call);
        let mut end = setup.clock.sleep(within);
        let mut stale = self.until_stale().map(|rest| setup.clock.sleep(rest));
        poll_fn(|cx| {
            if stale.as_mut().is_some_and(|stale| stale.as_mut().poll(cx).is_ready()) {
                stale = None;
                self.withdraw();
            }
            if let Poll::Ready(answer) = call.as_mut().poll(cx) {
                return Poll::Ready(Ended::Answered(answer));
            }
            if hears == Hears::Wishes && self.hub.poll_wanted(cx).is_ready() {
                return Poll::Ready(Ended::Wanted);
            }
            end.as_mut().poll(cx).map(|()| Ended::Over)
        })
        .await
    }

    /// How long what is in force may still be decided by; nothing when it need not be watched.
    fn until_stale(&self) -> Option<Duration> {
        if self.is_stale || self.in_force.is_none() {
            return None;
        }
        let age = self.setup.clock.monotonic().since(self.confirmed);
        self.setup.engine.silence_allowed().map(|bound| bound.saturating_sub(age))
    }

    fn withdraw(&mut self) {
        self.is_stale = true;
        // SECURITY: the engine compares the wall clock, which an operator can set back. This is the bound on the other clock.
        self.setup.engine.withdraw();
        self.hub.show(|health| health.is_stale = true);
        let mut fact = self.fact(Event::POLICY_STALE, Outcome::Failure);
        fact.revision = Some(self.setup.engine.revision());
        // A recorder that takes nothing takes no grant either: nothing is decided unrecorded meanwhile.
        let _ = self.setup.recorder.record(&fact);
    }

    /// Before it comes into force: what is not on record does not happen.
    async fn record_loaded(
        &self,
        policy: &Policy,
        revision: Revision,
        why: Option<&'static str>,
    ) -> Result<(), LoadError> {
        let counted = |count: usize| DetailValue::Number(i64::try_from(count).unwrap_or(i64::MAX));
        let details = [
            Detail { name: "roles", value: counted(policy.roles().count()) },
            Detail { name: "permissions", value: counted(policy.permissions().count()) },
        ];
        let ticket = {
            let mut fact = self.fact(Event::POLICY_LOADED, Outcome::Success).with(&details);
            fact.revision = Some(revision);
            fact.reason = why;
            self.setup.recorder.record(&fact).map_err(|_| LoadErrorKind::NotRecorded)?
        };
        let mut end = self.setup.clock.sleep(RECORD_WITHIN);
        let durable = poll_fn(|cx| match self.setup.recorder.poll_durable(ticket, cx) {
            Poll::Ready(durable) => Poll::Ready(durable.is_ok()),
            Poll::Pending => end.as_mut().poll(cx).map(|()| false),
        });
        if durable.await { Ok(()) } else { Err(LoadErrorKind::NotRecorded.into()) }
    }

    fn record_refused(&self, error: &LoadError, revision: Revision) {
        let line = Detail { name: "line", value: DetailValue::Number(error.line().map_or(0, i64::from)) };
        let details = [line];
        let mut fact = self.fact(Event::POLICY_REFUSED, Outcome::Failure).because(error.kind().code());
        if error.line().is_some() {
            fact = fact.with(&details);
        }
        fact.revision = Some(revision);
        // It does not come into force either way, and the health says so.
        let _ = self.setup.recorder.record(&fact);
    }

    fn fact(&self, event: Event, outcome: Outcome) -> Fact<'_> {
        let service = &*self.setup.service;
        event.fact(
            outcome,
            self.setup.clock.wall(),
            Subject::Process(service),
            Target::Named { kind: "policy", name: service },
            Origin::service(service),
        )
    }

    fn now(&self) -> Asked {
        Asked { monotonic: self.setup.clock.monotonic(), wall: self.setup.clock.wall() }
    }
}

/// Whether a wait ends because somebody wants everything to be loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hears {
    Wishes,
    Nothing,
}

impl Drop for LiveDriver {
    fn drop(&mut self) {
        self.hub.stop();
    }
}

impl fmt::Debug for LiveDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveDriver").field("source", &self.setup.source).finish_non_exhaustive()
    }
}
