//! A critical grant exists once its record would survive a loss of power.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
};

use bartizan_core::{
    Authorizer, Cause, Decision, Delivery, Fact, JobPolicy, NotRecorded, Recorder, Ticket, Verdict, code,
};
use bartizan_testkit::{ManualClock, ScriptedEngine, SeededEntropy};

use crate::support::{Bench, ERASE, READ, RECORD, START, ada, granted, now, undecided};

/// Durable when the test says so.
#[derive(Debug, Default)]
struct Slow(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    recorded: u64,
    durable: Option<Result<(), NotRecorded>>,
    polled: Vec<Ticket>,
    waker: Option<Waker>,
}

impl Slow {
    fn finish(&self, result: Result<(), NotRecorded>) {
        let mut inner = self.0.lock().unwrap();
        inner.durable = Some(result);
        inner.waker.take().unwrap().wake();
    }
}

impl Recorder for Slow {
    fn record(&self, _: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        let mut inner = self.0.lock().unwrap();
        inner.recorded += 1;
        Ok(Ticket(40 + inner.recorded))
    }

    fn poll_durable(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        let mut inner = self.0.lock().unwrap();
        inner.polled.push(ticket);
        inner.waker = Some(cx.waker().clone());
        inner.durable.map_or(Poll::Pending, Poll::Ready)
    }
}

#[derive(Default)]
struct Woken(Mutex<u32>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() += 1;
    }
}

fn over(recorder: &Arc<Slow>, engine: ScriptedEngine) -> Authorizer {
    let clock = Arc::new(ManualClock::at(START));
    Authorizer::new("clinic", engine, JobPolicy::none(), recorder.clone(), clock, &SeededEntropy::new(1))
        .unwrap()
}

#[test]
fn the_grant_waits_for_its_own_record() {
    for (result, allowed) in [(Ok(()), true), (Err(NotRecorded), false)] {
        let recorder = Arc::new(Slow::default());
        let authorizer = over(&recorder, ScriptedEngine::allowing());
        let (ada, woken) = (ada(), Arc::new(Woken::default()));
        let waker = Waker::from(woken.clone());
        let mut cx = Context::from_waker(&waker);
        let mut decision = pin!(authorizer.decide_durably(&ada, ERASE, RECORD));
        assert!(decision.as_mut().poll(&mut cx).is_pending());
        assert!(decision.as_mut().poll(&mut cx).is_pending());
        recorder.finish(result);
        assert_eq!(*woken.0.lock().unwrap(), 1);
        let Poll::Ready(decision) = decision.as_mut().poll(&mut cx) else { panic!("still waiting") };
        match decision {
            Decision::Allow(_) => assert!(allowed),
            other => assert!(!allowed && undecided(other) == Cause::NotRecorded),
        }
        let inner = recorder.0.lock().unwrap();
        assert_eq!((inner.recorded, &inner.polled[..]), (1, &[Ticket(41); 3][..]));
    }
}

#[test]
fn a_recorder_that_loses_its_medium_yields_no_grant() {
    let bench = Bench::new();
    bench.recorder.lose();
    assert_eq!(undecided(now(bench.authorizer.decide_durably(&ada(), ERASE, RECORD))), Cause::NotRecorded);
    assert_eq!(undecided(now(bench.authorizer.decide_durably(&ada(), READ, RECORD))), Cause::NotRecorded);
}

#[test]
fn the_record_of_a_durable_decision_is_critical() {
    let bench = Bench::new();
    drop(granted(now(bench.authorizer.decide_durably(&ada(), ERASE, RECORD))));
    drop(granted(now(bench.authorizer.decide_durably(&ada(), READ, RECORD))));
    drop(bench.grant());
    let kept: Vec<_> = bench.recorder.facts().iter().map(|fact| (fact.code, fact.delivery)).collect();
    let granted = code::PERMISSION_GRANTED;
    assert_eq!(
        kept,
        [(granted, Delivery::Critical), (granted, Delivery::Critical), (granted, Delivery::Standard)]
    );
}

#[test]
fn a_denial_does_not_wait() {
    let recorder = Arc::new(Slow::default());
    let authorizer = over(&recorder, ScriptedEngine::answering(Verdict::Deny { rule: None }));
    assert!(matches!(now(authorizer.decide_durably(&ada(), ERASE, RECORD)), Decision::Deny(_)));
    assert_eq!(recorder.0.lock().unwrap().recorded, 1);
}

#[test]
fn a_decision_that_is_dropped_while_it_waits_is_on_record_and_grants_nothing() {
    let recorder = Arc::new(Slow::default());
    let authorizer = over(&recorder, ScriptedEngine::allowing());
    let ada = ada();
    {
        let mut decision = pin!(authorizer.decide_durably(&ada, ERASE, RECORD));
        assert!(decision.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(recorder.0.lock().unwrap().recorded, 1);
}
