//! Several limits for one request, within a bound of time, whatever the store does.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};

use bartizan_core::{Clock, Monotonic};

use crate::{Ask, Charge, Decision, Error, ErrorKind, LimitStore, MemoryLimits, OnOutage, Policy};

/// Asks limits, in memory or in a shared store.
///
/// **Several at once.** A request is asked about under all its limits in one round trip, and passes when each lets it. When one
/// refuses, what the others were charged is given back at once, in a second trip: nobody is charged for a request that did not
/// pass. Between the two trips the others are a little fuller than they should be, never emptier. Where many refused requests
/// must not touch a limit that others share, ask in two steps, the narrow limits first, as [`LoginLimits`](crate::LoginLimits)
/// does.
///
/// **When the store is out.** A store that fails or does not answer within the deadline is out. Each policy says what then
/// holds. After three failures in a row the store is asked four times a second, and everybody else has their answer at once;
/// the first success ends that. A store that was only slow may still charge for what was answered without it: limits are then
/// tighter than they should be, never looser.
pub struct Limiter {
    local: Arc<MemoryLimits>,
    shared: Option<Shared>,
}

struct Shared {
    store: Arc<dyn LimitStore>,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    failures: AtomicU32,
    ask_again_at: AtomicU64,
}

/// What all limits together say to a request.
#[derive(Debug)]
#[must_use = "the request may have been refused"]
pub enum Admission<'a> {
    /// It passes, and was charged.
    Admitted(Admitted<'a>),
    /// It does not pass, and was not charged: 429.
    Refused(Standing),
}

/// A request that passed, and what it was charged.
#[derive(Debug)]
pub struct Admitted<'a>(Vec<(Ask<'a>, Receipt)>);

/// A policy and what it said.
#[derive(Clone, Debug)]
pub struct Standing {
    policy: Policy,
    decision: Decision,
}

/// What was charged, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    decision: Decision,
    /// In the shared store.
    shared: Option<Charge>,
    /// In this process's memory.
    local: Option<Charge>,
}

impl Limiter {
    /// Limits of this process alone. There is no store that could be out.
    #[must_use]
    pub const fn in_memory(limits: Arc<MemoryLimits>) -> Self {
        Self { local: limits, shared: None }
    }

    /// Limits in a store that all processes share; `local` is where policies with [`OnOutage::LocalFallback`] are counted along,
    /// and decided on when the store is out. The deadline is 40 milliseconds.
    ///
    /// Every wait sleeps on `clock`: under tokio pass `bartizan-clock-tokio`, which takes no thread for it.
    #[must_use]
    pub const fn shared(store: Arc<dyn LimitStore>, local: Arc<MemoryLimits>, clock: Arc<dyn Clock>) -> Self {
        let shared = Shared {
            store,
            clock,
            deadline: DEADLINE,
            failures: AtomicU32::new(0),
            ask_again_at: AtomicU64::new(0),
        };
        Self { local, shared: Some(shared) }
    }

    /// How long the store may take.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for less than a millisecond, more than ten seconds, and limits in memory.
    pub fn with_deadline(mut self, deadline: Duration) -> Result<Self, Error> {
        let bounds = Duration::from_millis(1)..=Duration::from_secs(10);
        match &mut self.shared {
            Some(shared) if bounds.contains(&deadline) => shared.deadline = deadline,
            _ => return Err(ErrorKind::Configuration.into()),
        }
        Ok(self)
    }

    /// Whether a request passes under all of these. The first of them that refuses, in their order, is the answer.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store is out and one of the policies is [`OnOutage::Closed`]: 503, never 429;
    /// [`ErrorKind::Configuration`] for no asks at all; what else the store answers.
    ///
    /// # Cancel safety
    /// A call that is dropped may have charged.
    pub async fn check<'a>(&self, asks: &[Ask<'a>]) -> Result<Admission<'a>, Error> {
        Ok(match self.decide(asks).await? {
            Ok(receipts) => Admission::Admitted(Admitted(asks.iter().copied().zip(receipts).collect())),
            Err(standing) => Admission::Refused(standing),
        })
    }

    /// Gives back what is left of what a request was charged. For limits on failures: charge before the attempt, give back when
    /// it succeeds. So many guesses at once are charged one by one, and none is free.
    ///
    /// What cannot be given back, because the store is out, stays charged until it comes back by itself.
    pub async fn give_back(&self, admitted: Admitted<'_>) {
        self.return_all(&admitted.0).await;
    }

    /// Receipts of all, or the first that refused.
    pub(crate) async fn decide(&self, asks: &[Ask<'_>]) -> Result<Result<Vec<Receipt>, Standing>, Error> {
        if asks.is_empty() {
            return Err(ErrorKind::Configuration.into());
        }
        let receipts = self.charge(asks).await?;
        let both = || asks.iter().copied().zip(receipts.iter().copied());
        let Some((ask, receipt)) = both().find(|(_, receipt)| !receipt.decision.is_allowed()) else {
            return Ok(Ok(receipts));
        };
        let passed: Vec<_> = both().filter(|(_, receipt)| receipt.decision.is_allowed()).collect();
        self.return_all(&passed).await;
        Ok(Err(Standing { policy: ask.policy().clone(), decision: receipt.decision }))
    }

    pub(crate) async fn return_all(&self, receipts: &[(Ask<'_>, Receipt)]) {
        for (ask, receipt) in receipts {
            if let Some(charge) = &receipt.local {
                self.local.give_back(ask, charge);
            }
        }
        let theirs: Vec<_> =
            receipts.iter().filter_map(|(ask, receipt)| Some((*ask, receipt.shared?))).collect();
        let Some(shared) = &self.shared else { return };
        if !theirs.is_empty() && shared.may_ask() {
            let result = shared.within_deadline(shared.store.give_back(&theirs)).await;
            shared.remember(result.is_some_and(|result| result.is_ok()));
        }
    }

    async fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Receipt>, Error> {
        let Some(shared) = &self.shared else { return Ok(self.charge_here(asks)) };
        if !shared.may_ask() {
            return self.while_out(asks);
        }
        let answered = match shared.within_deadline(shared.store.charge(asks)).await {
            Some(Ok(charges)) if charges.len() == asks.len() => Ok(charges),
            Some(Ok(_)) => Err(ErrorKind::Bug.into()),
            Some(Err(error)) => Err(error),
            None => Err(ErrorKind::Unavailable.into()),
        };
        let out = answered.as_ref().is_err_and(|error: &Error| error.kind() == ErrorKind::Unavailable);
        shared.remember(!out);
        if out {
            return self.while_out(asks);
        }
        Ok(asks.iter().zip(answered?).map(|(ask, charge)| self.noted(ask, charge)).collect())
    }

    fn noted(&self, ask: &Ask<'_>, charge: Charge) -> Receipt {
        let warm = ask.policy().on_outage() == OnOutage::LocalFallback;
        Receipt {
            decision: charge.decision(),
            shared: Some(charge),
            local: warm.then(|| self.local.note(ask, &charge)),
        }
    }

    fn while_out(&self, asks: &[Ask<'_>]) -> Result<Vec<Receipt>, Error> {
        if asks.iter().any(|ask| ask.policy().on_outage() == OnOutage::Closed) {
            return Err(ErrorKind::Unavailable.into());
        }
        Ok(self.charge_here(asks))
    }

    fn charge_here(&self, asks: &[Ask<'_>]) -> Vec<Receipt> {
        let here = |ask| {
            let charge = self.local.check(ask);
            Receipt { decision: charge.decision(), shared: None, local: Some(charge) }
        };
        asks.iter().map(here).collect()
    }
}

impl Shared {
    /// Nothing when the deadline passes first.
    async fn within_deadline<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let (mut work, mut sleep) = (pin!(work), self.clock.sleep(self.deadline));
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Whether it is worth asking; of many who wonder while the store is out, one each [`PAUSE`].
    fn may_ask(&self) -> bool {
        if self.failures.load(Ordering::Relaxed) < FAILURES {
            return true;
        }
        let since = self.clock.monotonic().since(Monotonic::default());
        let now = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let at = self.ask_again_at.load(Ordering::Relaxed);
        let next = now.saturating_add(PAUSE);
        now >= at
            && self.ask_again_at.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn remember(&self, answered: bool) {
        if answered {
            self.failures.store(0, Ordering::Relaxed);
        } else {
            let counted = |failures: u32| Some(failures.saturating_add(1));
            let _ = self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, counted);
        }
    }
}

impl Admitted<'_> {
    /// What each limit said, in their order.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        let standing = |(ask, receipt): &(Ask<'_>, Receipt)| Standing::new(ask.policy(), receipt);
        self.0.iter().map(standing).collect()
    }
}

impl Standing {
    pub(crate) fn new(policy: &Policy, receipt: &Receipt) -> Self {
        Self { policy: policy.clone(), decision: receipt.decision }
    }

    /// Of a decision that [`MemoryLimits::check`] made, for header fields.
    #[must_use]
    pub fn of(policy: &Policy, decision: Decision) -> Self {
        Self { policy: policy.clone(), decision }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it said.
    pub const fn decision(&self) -> Decision {
        self.decision
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.shared.as_ref().map(|shared| &shared.store);
        f.debug_struct("Limiter").field("local", &self.local).field("store", &store).finish_non_exhaustive()
    }
}

const DEADLINE: Duration = Duration::from_millis(40);

/// After so many failures in a row, one question in so many microseconds.
const FAILURES: u32 = 3;
const PAUSE: u64 = 250_000;
