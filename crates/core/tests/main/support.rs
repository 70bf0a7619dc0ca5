//! An authorizer whose engine, recorder and clock a test holds in its hand.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bartizan_core::{
    Ask, Attestation, Authorizer, Cause, Decision, FieldSet, Grant, JobPolicy, Permission, PolicyEngine,
    Principal, PrincipalFacts, Realm, Resource, Revision, RuleId, UnixTime, Verdict,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};

pub(crate) const READ: Permission = Permission::literal("patient:read");
pub(crate) const ERASE: Permission = Permission::literal("patient:erase").critical();
pub(crate) const RECORD: Resource<'static> = Resource::record("north", "patient", "p-17");
pub(crate) const START: UnixTime = UnixTime::from_secs(1_700_000_000);

/// Answers each subject what the test says, and counts the questions.
#[derive(Debug)]
pub(crate) struct Counting {
    answers: Mutex<Vec<(String, Verdict)>>,
    asked: AtomicUsize,
}

impl Counting {
    pub(crate) fn allowing() -> Arc<Self> {
        Arc::new(Self { answers: Mutex::default(), asked: AtomicUsize::new(0) })
    }

    pub(crate) fn answer(&self, subject: &str, verdict: Verdict) {
        self.answers.lock().unwrap().insert(0, (subject.to_owned(), verdict));
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl PolicyEngine for Counting {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answers = self.answers.lock().unwrap();
        let known = answers.iter().find(|(subject, _)| subject == ask.who.subject());
        (known.map_or_else(allow, |(_, verdict)| verdict.clone()), Revision(5))
    }
}

pub(crate) fn allow() -> Verdict {
    Verdict::Allow { rule: RuleId(3), clear: FieldSet::everything(), until: UnixTime::MAX }
}

pub(crate) struct Bench {
    pub(crate) engine: Arc<Counting>,
    pub(crate) recorder: Arc<MemoryRecorder>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) authorizer: Authorizer,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with_jobs(JobPolicy::none())
    }

    pub(crate) fn with_jobs(jobs: JobPolicy) -> Self {
        let engine = Counting::allowing();
        let recorder = Arc::new(MemoryRecorder::default());
        let clock = Arc::new(ManualClock::at(START));
        let entropy = SeededEntropy::new(1);
        let authorizer =
            Authorizer::new("clinic", Arc::clone(&engine), jobs, recorder.clone(), clock.clone(), &entropy)
                .unwrap();
        Self { engine, recorder, clock, authorizer }
    }

    pub(crate) fn grant(&self) -> Grant {
        granted(self.authorizer.decide(&ada(), READ, RECORD))
    }
}

pub(crate) fn facts(subject: &str) -> PrincipalFacts {
    PrincipalFacts::new("north", subject)
}

pub(crate) fn principal(facts: PrincipalFacts) -> Principal {
    Principal::attested(Attestation::Assertion, facts).unwrap()
}

pub(crate) fn ada() -> Principal {
    principal(facts("ada"))
}

/// A principal of the system realm.
pub(crate) fn job(name: &str) -> Principal {
    let mut facts = PrincipalFacts::new("-", name);
    facts.realm = Realm::System;
    Principal::attested(Attestation::Process, facts).unwrap()
}

pub(crate) fn granted(decision: Decision) -> Grant {
    match decision {
        Decision::Allow(grant) => grant,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn undecided(decision: Decision) -> Cause {
    match decision {
        Decision::Indeterminate(cause) => cause,
        other => panic!("{other:?}"),
    }
}

/// Runs a future that is never woken from elsewhere.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits for something"),
    }
}
