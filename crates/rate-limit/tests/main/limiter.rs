//! Several limits at once, and a store that does not answer.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{Clock, Fault};
use bartizan_rate_limit::{
    Admission, Ask, Charge, Error, ErrorKind, Key, LimitStore, Limiter, MemoryLimits, OnOutage, Policy, Quota,
};
use bartizan_testkit::ManualClock;

use super::{clock, limiter, memory, now};

/// A store that does what it is told.
#[derive(Debug)]
struct Scripted {
    mood: Mutex<Mood>,
    asked: AtomicUsize,
    inner: Arc<MemoryLimits>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Answers,
    Fails(ErrorKind),
    Hangs,
    AnswersTooLittle,
}

impl Scripted {
    fn be(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

#[async_trait]
impl LimitStore for Scripted {
    async fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Charge>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => self.inner.charge(asks).await,
            Mood::Fails(kind) => Err(kind.into()),
            Mood::Hangs => std::future::pending().await,
            Mood::AnswersTooLittle => Ok(Vec::new()),
        }
    }

    async fn give_back(&self, charges: &[(Ask<'_>, Charge)]) -> Result<(), Error> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => LimitStore::give_back(&*self.inner, charges).await,
            Mood::Hangs => std::future::pending().await,
            _ => Err(ErrorKind::Unavailable.into()),
        }
    }
}

struct Setup {
    clock: Arc<ManualClock>,
    store: Arc<Scripted>,
    limiter: Limiter,
    closed: Policy,
    fallback: Policy,
}

fn setup() -> Setup {
    let clock = clock();
    let inner = memory(1_000, &clock);
    let store = Arc::new(Scripted { mood: Mutex::new(Mood::Answers), asked: AtomicUsize::new(0), inner });
    let limiter = Limiter::shared(
        Arc::clone(&store) as Arc<dyn LimitStore>,
        memory(1_000, &clock),
        Arc::clone(&clock) as Arc<dyn Clock>,
    );
    let policy = |name, on_outage| Policy::new(name, Quota::LOGIN, on_outage).unwrap();
    let (closed, fallback) =
        (policy("closed", OnOutage::Closed), policy("fallback", OnOutage::LocalFallback));
    Setup { clock, store, limiter, closed, fallback }
}

const fn ada(policy: &Policy) -> Ask<'_> {
    Ask::new(policy, Key::account("ada"))
}

fn kind(result: Result<Admission<'_>, Error>) -> Result<bool, ErrorKind> {
    result.map(|admission| matches!(admission, Admission::Admitted(_))).map_err(|error| error.kind())
}

fn remaining(limiter: &Limiter, ask: Ask<'_>) -> u32 {
    match now(limiter.check(&[ask.costing(0).unwrap()])).unwrap() {
        Admission::Admitted(admitted) => admitted.standings()[0].decision().remaining(),
        Admission::Refused(_) => panic!("a look is refused"),
    }
}

#[test]
fn a_request_under_several_limits_passes_when_each_lets_it() {
    let limiter = limiter(&clock());
    let (wide, narrow) = (Policy::general(OnOutage::Closed), setup().closed);
    let Admission::Admitted(admitted) = now(limiter.check(&[ada(&wide), ada(&narrow)])).unwrap() else {
        panic!("it does not pass");
    };
    let standings = admitted.standings();
    let told: Vec<_> = standings.iter().map(|it| (it.policy().name(), it.decision().remaining())).collect();
    assert_eq!(told, [("general", 99), ("closed", 4)]);
}

#[test]
fn the_first_that_refuses_is_the_answer_and_nobody_is_charged() {
    let limiter = limiter(&clock());
    let policy = |name, limit| {
        Policy::new(name, Quota::per(limit, Duration::from_secs(60)).unwrap(), OnOutage::Closed).unwrap()
    };
    let (wide, narrow, narrower) = (policy("wide", 10), policy("narrow", 2), policy("narrower", 1));
    let asks = [ada(&wide), ada(&narrow), ada(&narrower)];
    assert_eq!(kind(now(limiter.check(&asks))), Ok(true));
    for _ in 0..20 {
        let Admission::Refused(by) = now(limiter.check(&asks)).unwrap() else { panic!("it passes") };
        assert_eq!(by.policy().name(), "narrower");
        assert_eq!(by.decision().retry_after(), Some(Duration::from_secs(60)));
    }
    assert_eq!(remaining(&limiter, ada(&wide)), 9);
    assert_eq!(remaining(&limiter, ada(&narrow)), 1);
    assert_eq!(kind(now(limiter.check(&[ada(&narrow)]))), Ok(true));
    let Admission::Refused(by) = now(limiter.check(&asks)).unwrap() else { panic!("it passes") };
    assert_eq!(by.policy().name(), "narrow");
}

#[test]
fn no_limits_at_all_are_a_mistake() {
    assert_eq!(kind(now(limiter(&clock()).check(&[]))), Err(ErrorKind::Configuration));
}

#[test]
fn an_outage_is_no_refusal_and_no_pass_where_the_policy_is_closed() {
    let setup = setup();
    setup.store.be(Mood::Fails(ErrorKind::Unavailable));
    let error = now(setup.limiter.check(&[ada(&setup.closed)])).map(|_| ()).unwrap_err();
    assert_eq!(
        (error.kind(), error.fault(), error.is_transient()),
        (ErrorKind::Unavailable, Fault::Backend, true)
    );
    // One closed policy among several closes all.
    let both = [ada(&setup.fallback), ada(&setup.closed)];
    assert_eq!(kind(now(setup.limiter.check(&both))), Err(ErrorKind::Unavailable));
}

#[test]
fn the_fallback_goes_on_from_what_the_process_knew() {
    let setup = setup();
    for _ in 0..3 {
        assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.fallback)]))), Ok(true));
    }
    setup.store.be(Mood::Fails(ErrorKind::Unavailable));
    let passed =
        (0..10).filter(|_| kind(now(setup.limiter.check(&[ada(&setup.fallback)]))) == Ok(true)).count();
    assert_eq!(passed, 2);
}

#[test]
fn what_was_given_back_is_known_to_the_fallback() {
    let setup = setup();
    for _ in 0..5 {
        let Admission::Admitted(admitted) = now(setup.limiter.check(&[ada(&setup.fallback)])).unwrap() else {
            panic!("it does not pass");
        };
        now(setup.limiter.give_back(admitted));
    }
    setup.store.be(Mood::Fails(ErrorKind::Unavailable));
    let passed =
        (0..10).filter(|_| kind(now(setup.limiter.check(&[ada(&setup.fallback)]))) == Ok(true)).count();
    assert_eq!(passed, 5);
}

#[test]
fn a_store_that_hangs_is_answered_at_the_deadline() {
    let setup = setup();
    setup.store.be(Mood::Hangs);
    let asks = [ada(&setup.closed)];
    let mut check = pin!(setup.limiter.check(&asks));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(check.as_mut().poll(&mut cx).is_pending());
    setup.clock.advance(Duration::from_millis(39));
    assert!(check.as_mut().poll(&mut cx).is_pending());
    setup.clock.advance(Duration::from_millis(1));
    let Poll::Ready(answer) = check.as_mut().poll(&mut cx) else { panic!("it waits past its deadline") };
    assert_eq!(kind(answer), Err(ErrorKind::Unavailable));
}

#[test]
fn giving_back_waits_no_longer_than_the_deadline_either() {
    let setup = setup();
    let Admission::Admitted(admitted) = now(setup.limiter.check(&[ada(&setup.closed)])).unwrap() else {
        panic!("it does not pass");
    };
    setup.store.be(Mood::Hangs);
    let mut back = pin!(setup.limiter.give_back(admitted));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(back.as_mut().poll(&mut cx).is_pending());
    setup.clock.advance(Duration::from_millis(40));
    assert!(back.as_mut().poll(&mut cx).is_ready());
    setup.store.be(Mood::Answers);
    // Not given back: charged, rather than free.
    assert_eq!(remaining(&setup.limiter, ada(&setup.closed)), 4);
}

#[test]
fn a_store_that_is_out_is_asked_four_times_a_second_and_believed_at_once() {
    let setup = setup();
    setup.store.be(Mood::Fails(ErrorKind::Unavailable));
    for _ in 0..1_000 {
        assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.closed)]))), Err(ErrorKind::Unavailable));
    }
    // Three before it is held to be out, and the first of those that may ask again.
    assert_eq!(setup.store.asked.load(Ordering::SeqCst), 4);
    for _ in 0..4 {
        setup.clock.advance(Duration::from_millis(250));
        for _ in 0..100 {
            assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.closed)]))), Err(ErrorKind::Unavailable));
        }
    }
    assert_eq!(setup.store.asked.load(Ordering::SeqCst), 8);
    setup.store.be(Mood::Answers);
    setup.clock.advance(Duration::from_millis(250));
    for _ in 0..5 {
        assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.closed)]))), Ok(true));
    }
}

#[test]
fn one_failure_alone_closes_nothing() {
    let setup = setup();
    setup.store.be(Mood::Fails(ErrorKind::Unavailable));
    assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.closed)]))), Err(ErrorKind::Unavailable));
    setup.store.be(Mood::Answers);
    assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.closed)]))), Ok(true));
}

#[test]
fn damage_and_broken_stores_are_no_outage_and_never_fall_back() {
    let setup = setup();
    setup.store.be(Mood::Fails(ErrorKind::Integrity));
    assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.fallback)]))), Err(ErrorKind::Integrity));
    setup.store.be(Mood::AnswersTooLittle);
    assert_eq!(kind(now(setup.limiter.check(&[ada(&setup.fallback)]))), Err(ErrorKind::Bug));
}

#[test]
fn a_deadline_is_between_a_millisecond_and_ten_seconds() {
    for deadline in [Duration::ZERO, Duration::from_micros(999), Duration::from_secs(11)] {
        let refused = setup().limiter.with_deadline(deadline).map(|_| ()).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Configuration));
    }
    assert!(setup().limiter.with_deadline(Duration::from_millis(5)).is_ok());
    let memory = Limiter::in_memory(memory(10, &clock()));
    assert!(memory.with_deadline(Duration::from_millis(5)).is_err());
}
