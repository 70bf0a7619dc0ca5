//! A clock that stands still, a source that does as it is told, and an engine that is asked.

mod failing;
mod reading;
mod refusing;

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{
    Ask, Attestation, Cause, Clock, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource,
    Revision, UnixTime, Verdict,
};
use bartizan_testkit::{ManualClock, MemoryRecorder};
use tokio::task::JoinHandle;

use super::*;
use crate::{
    Assignment, Assignments, Change, Changes, HeldAssignments, Loaded, PolicyText, SourceError,
    SourceErrorKind,
};

/// Lets a doctor read notes.
const READS: &str = r#"
version = 1
[permissions]
"note:read" = { scopes = ["all"] }
"note:write" = { scopes = ["all"] }
[roles.doctor]
allow = ["note:read:all"]
"#;

/// And write them.
const WRITES: &str = r#"
version = 1
[permissions]
"note:read" = { scopes = ["all"] }
"note:write" = { scopes = ["all"] }
[roles.doctor]
allow = ["note:read:all", "note:write:all"]
"#;

/// Names a role, in line 7, that is not there.
const BAD: &str = r#"
version = 1
[permissions]
"note:read" = { scopes = ["all"] }
[roles.doctor]
allow = ["note:read:all"]
inherits = ["canary-nobody"]
"#;

const BOUND: Duration = Duration::from_secs(300);

/// Answers what it is given, in order, and waits when there is nothing left.
#[derive(Debug, Default)]
struct Script(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    loads: VecDeque<Result<Loaded, SourceError>>,
    changes: VecDeque<Result<Changes, SourceError>>,
    /// Answered whenever there is nothing else.
    always: Option<Changes>,
    asked: Vec<Option<Revision>>,
    waiting: Vec<Waker>,
}

impl Script {
    fn loads(&self, load: Result<Loaded, SourceError>) {
        self.lines(|lines| lines.loads.push_back(load));
    }

    fn says(&self, changes: Result<Changes, SourceError>) {
        self.lines(|lines| lines.changes.push_back(changes));
    }

    fn always_says(&self, changes: Changes) {
        self.lines(|lines| lines.always = Some(changes));
    }

    /// What it was asked: to load, or what changed since when.
    fn asked(&self) -> Vec<Option<Revision>> {
        self.lines(|lines| lines.asked.clone())
    }

    fn lines<T>(&self, then: impl FnOnce(&mut Lines) -> T) -> T {
        let mut lines = self.0.lock().unwrap();
        lines.waiting.drain(..).for_each(Waker::wake);
        then(&mut lines)
    }

    async fn next<T>(&self, mut next: impl FnMut(&mut Lines) -> Option<T>) -> T {
        poll_fn(|cx| {
            let mut lines = self.0.lock().unwrap();
            match next(&mut lines) {
                Some(answer) => Poll::Ready(answer),
                None => {
                    lines.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

#[async_trait]
impl PolicySource for Script {
    async fn load(&self) -> Result<Loaded, SourceError> {
        self.lines(|lines| lines.asked.push(None));
        self.next(|lines| lines.loads.pop_front()).await
    }

    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError> {
        self.lines(|lines| lines.asked.push(Some(seen)));
        self.next(|lines| lines.changes.pop_front().or_else(|| lines.always.clone().map(Ok))).await
    }
}

struct World {
    clock: Arc<ManualClock>,
    script: Arc<Script>,
    engine: Arc<Engine>,
    recorder: Arc<MemoryRecorder>,
    live: LivePolicy,
    driver: JoinHandle<()>,
}

impl World {
    fn new() -> Self {
        Self::with(|builder| builder)
    }

    fn with(configure: impl FnOnce(LivePolicyBuilder) -> LivePolicyBuilder) -> Self {
        Self::counting(Assignments::HeldOnly(HeldAssignments::new()), configure)
    }

    fn counting(
        assignments: Assignments,
        configure: impl FnOnce(LivePolicyBuilder) -> LivePolicyBuilder,
    ) -> Self {
        Self::following(Engine::new(Policy::default(), assignments).stale_after(BOUND), configure)
    }

    fn following(engine: Engine, configure: impl FnOnce(LivePolicyBuilder) -> LivePolicyBuilder) -> Self {
        let engine = Arc::new(engine);
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
        let (script, recorder) = (Arc::new(Script::default()), Arc::new(MemoryRecorder::default()));
        let source = Arc::clone(&script);
        let builder = LivePolicy::follow(
            source,
            Arc::clone(&engine),
            Arc::clone(&recorder) as _,
            Arc::clone(&clock) as _,
        );
        let (live, driver) = configure(builder.as_service("clinic")).build();
        let driver = tokio::spawn(async move {
            driver.run().await;
        });
        Self { clock, script, engine, recorder, live, driver }
    }

    /// With `READS` in force at revision 5, and Ada a doctor.
    async fn begun() -> Self {
        Self::begun_with(|builder| builder).await
    }

    async fn begun_with(configure: impl FnOnce(LivePolicyBuilder) -> LivePolicyBuilder) -> Self {
        let world = Self::with(configure);
        world.script.loads(Ok(loaded(READS, ["ada"], 5)));
        assert_eq!(world.live.ready().await.unwrap(), Revision(5));
        // The pause between two questions.
        world.clock.advance(Duration::from_millis(20));
        settle().await;
        world
    }

    /// Has everything loaded anew, and answers what comes of it.
    async fn loads(&self, load: Result<Loaded, SourceError>) -> Result<Revision, LoadError> {
        self.script.loads(load);
        self.passing(self.live.reload()).await
    }

    /// Runs a future while time passes, a millisecond at each look.
    async fn passing<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(answer) = polled {
                return answer;
            }
            self.clock.advance(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    }

    /// Until something holds, while time passes.
    async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut held = std::pin::pin!(async {
            while !holds(self) {
                tokio::task::yield_now().await;
            }
        });
        self.passing(held.as_mut()).await;
    }

    /// Until the engine decides by this revision.
    async fn reached(&self, revision: u64) {
        self.passing(self.live.reached(Revision(revision))).await.unwrap();
    }

    fn may(&self, who: &str, permission: &str) -> Verdict {
        self.decides(who, permission).0
    }

    fn decides(&self, who: &str, permission: &str) -> (Verdict, Revision) {
        decides(&self.engine, who, permission, self.clock.wall())
    }

    fn facts(&self) -> Vec<&'static str> {
        self.recorder.facts().iter().map(|fact| fact.code.name()).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// All that is ready to happen without time passing, if nothing of it is on another thread.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

fn decides(engine: &Engine, who: &str, permission: &str, now: UnixTime) -> (Verdict, Revision) {
    let who = Principal::attested(Attestation::Token, PrincipalFacts::new("north", who)).unwrap();
    let permission = PermissionName::parse(permission).unwrap();
    engine.decide(&Ask::new(&who, permission, Resource::record("north", "note", "1"), now))
}

fn text(text: &str) -> PolicyText {
    PolicyText::Toml(text.to_owned())
}

fn loaded<const N: usize>(policy: &str, doctors: [&str; N], revision: u64) -> Loaded {
    let held = doctors.map(|who| Assignment::new("north", who, "doctor"));
    Loaded::new(text(policy), held, Revision(revision))
}

fn assign(who: &str) -> Change {
    Change::Assign(Assignment::new("north", who, "doctor"))
}

fn revoke(who: &str) -> Change {
    let holder = crate::Holder::Subject(who.into());
    Change::Revoke { tenant: "north".into(), holder, role: "doctor".into() }
}

fn outage() -> SourceError {
    SourceErrorKind::Unavailable.into()
}

fn allows(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Allow { .. })
}

fn denies(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Deny { .. })
}

fn is_stale(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Unknown(Cause::Stale))
}
