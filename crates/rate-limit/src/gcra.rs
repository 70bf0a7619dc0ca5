//! The Generic Cell Rate Algorithm (ITU-T I.371, annex A.1) as one function of integers.
//!
//! The state of a key is one number, the theoretical arrival time: when it will be as new. Everything is in whole
//! microseconds below 2^53, so that a store whose numbers are doubles comes to the same answers, bit for bit.

use std::time::Duration;

use crate::Quota;

/// What a limit says to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the request may have been refused"]
pub struct Decision {
    refused_for: Option<u64>,
    left: u64,
    interval: u64,
    reset: u64,
}

impl Decision {
    /// Whether it may pass.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        self.refused_for.is_none()
    }

    /// How many of cost 1 would pass now, after this one.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        // INVARIANT(burst-bounds-remaining): left is at most the depth, and depth / interval is the burst, a u32. No interval is 0.
        (self.left / self.interval) as u32
    }

    /// How long until the key is as new.
    #[must_use]
    pub const fn reset(&self) -> Duration {
        Duration::from_micros(self.reset)
    }

    /// How long until the same request would pass, if nobody else comes; nothing when it passed.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.refused_for {
            Some(micros) => Some(Duration::from_micros(micros)),
            None => None,
        }
    }
}

/// A decision, and the state to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the state has to be kept"]
pub struct Step {
    /// The theoretical arrival time after this, in microseconds.
    pub state: u64,
    /// What the limit says.
    pub decision: Decision,
}

/// Decides on one request of `cost` at `now`, given the key's theoretical arrival time. A key that was never seen has 0. A cost
/// of 0 looks without charging. The state of a refused request is what it was: refusals cost nothing.
///
/// A state further in the future than the quota can put it comes from a clock that went back, or from a policy that was
/// stricter: it is taken as just used up, so that nobody waits longer than the quota says.
pub fn gcra(state: u64, now: u64, quota: Quota, cost: u32) -> Step {
    let horizon = now.saturating_add(quota.depth());
    let base = state.clamp(now, horizon);
    let wanted = base.saturating_add(quota.interval_micros().saturating_mul(u64::from(cost)));
    let allowed = wanted <= horizon;
    let state = if allowed { wanted } else { base };
    let decision = Decision {
        refused_for: (!allowed).then(|| wanted - horizon),
        left: horizon - state,
        interval: quota.interval_micros(),
        reset: state - now,
    };
    Step { state, decision }
}

/// The state after a charge of `cost`, made at `charged`, is given back at `now`.
///
/// SECURITY: only what has not come back by itself is given back. Who gave back a whole charge after its time had passed
/// would take away what others were charged meanwhile, and whoever can give back (with a password of their own) would guess
/// at others' for nothing. So the state is never below what it would be had the charge not been made.
#[must_use]
pub fn give_back(state: u64, now: u64, quota: Quota, cost: u32, charged: u64) -> u64 {
    let whole = quota.interval_micros().saturating_mul(u64::from(cost));
    let left = whole.saturating_sub(now.saturating_sub(charged));
    state.saturating_sub(left).max(state.min(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limit: u32, micros: u64) -> Quota {
        Quota::per(limit, Duration::from_micros(micros)).unwrap()
    }

    #[test]
    fn a_burst_passes_and_one_more_waits_exactly_one_interval() {
        let quota = quota(3, 3_000);
        let mut state = 0;
        for left in [2, 1, 0] {
            let step = gcra(state, 10, quota, 1);
            assert!(step.decision.is_allowed());
            assert_eq!(step.decision.remaining(), left);
            state = step.state;
        }
        let refused = gcra(state, 10, quota, 1);
        assert_eq!(refused.state, state);
        assert_eq!(refused.decision.retry_after(), Some(Duration::from_micros(1_000)));
        assert_eq!(refused.decision.reset(), Duration::from_micros(3_000));
    }

    #[test]
    fn the_request_passes_at_the_named_microsecond_and_not_before() {
        let quota = quota(5, 5_000);
        let full = gcra(0, 7, quota, 5).state;
        let wait = gcra(full, 7, quota, 2).decision.retry_after().unwrap();
        let at = 7 + u64::try_from(wait.as_micros()).unwrap();
        assert!(!gcra(full, at - 1, quota, 2).decision.is_allowed());
        assert!(gcra(full, at, quota, 2).decision.is_allowed());
    }

    #[test]
    fn a_cost_of_zero_looks_and_changes_nothing() {
        let quota = quota(2, 2_000);
        let used = gcra(0, 5, quota, 2).state;
        let look = gcra(used, 5, quota, 0);
        assert_eq!((look.state, look.decision.remaining()), (used, 0));
        assert_eq!(gcra(0, 5, quota, 0).decision.remaining(), 2);
    }

    #[test]
    fn a_clock_that_went_back_costs_no_more_than_one_depth() {
        let quota = quota(2, 2_000);
        let step = gcra(1_000_000, 10, quota, 1);
        assert_eq!(step.state, 10 + quota.depth());
        assert_eq!(step.decision.retry_after(), Some(Duration::from_micros(1_000)));
    }

    #[test]
    fn what_is_given_back_at_once_is_as_if_never_taken() {
        let quota = quota(5, 5_000);
        let before = gcra(0, 100, quota, 2).state;
        let charged = gcra(before, 100, quota, 3).state;
        assert_eq!(give_back(charged, 100, quota, 3, 100), before);
    }

    #[test]
    fn what_came_back_by_itself_is_not_given_back_again() {
        let quota = quota(5, 5_000);
        let first = gcra(0, 0, quota, 1).state;
        // A second charge after the first has drained away.
        let second = gcra(first, 1_500, quota, 1).state;
        assert_eq!(give_back(second, 1_500, quota, 1, 0), second);
    }
}
