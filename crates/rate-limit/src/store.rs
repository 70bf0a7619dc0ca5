//! The seam to where the state of limits is kept.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::{Decision, Error, ErrorKind, Key, Policy};

/// One question to a limit: this policy, for this key, at this cost.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    policy: &'a Policy,
    key: Key<'a>,
    cost: u32,
}

impl<'a> Ask<'a> {
    /// At a cost of 1.
    #[must_use]
    pub const fn new(policy: &'a Policy, key: Key<'a>) -> Self {
        Self { policy, key, cost: 1 }
    }

    /// At another cost. A cost of 0 looks without charging.
    ///
    /// # Errors
    /// [`ErrorKind::Cost`] for more than the policy's burst, which could never pass.
    pub const fn costing(self, cost: u32) -> Result<Self, Error> {
        if cost > self.policy.quota().burst() {
            return Err(Error::new(ErrorKind::Cost));
        }
        Ok(Self { cost, ..self })
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> Key<'a> {
        self.key
    }

    /// The cost, at most the policy's burst.
    #[must_use]
    pub const fn cost(&self) -> u32 {
        self.cost
    }
}

/// A decision, and when the store's clock says that it was made: what giving back needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the request may have been refused"]
pub struct Charge {
    decision: Decision,
    at: Option<u64>,
}

impl Charge {
    /// For stores: the decision that [`gcra`](crate::gcra) made at `at`, in microseconds of the store's clock.
    pub const fn new(decision: Decision, at: u64) -> Self {
        Self { decision, at: Some(at) }
    }

    /// For stores: a decision on a state that is not the key's own, so that nothing of it can be given back.
    pub const fn unreturnable(decision: Decision) -> Self {
        Self { decision, at: None }
    }

    /// The decision.
    pub const fn decision(&self) -> Decision {
        self.decision
    }

    /// When it was made, in microseconds of the store's clock, whose zero is the store's own; nothing when it cannot be given
    /// back.
    #[must_use]
    pub const fn at_micros(&self) -> Option<u64> {
        self.at
    }
}

/// Keeps the state of limits. Every store holds to these rules, whatever runs at once:
///
/// 1. it decides as [`gcra`](crate::gcra) does, and gives back as [`give_back`](crate::give_back) does;
/// 2. each ask is one atomic step: of any number of callers at once exactly as many pass as one after the other;
/// 3. what is refused, or costs 0, changes nothing;
/// 4. a key whose state is in the future is never forgotten, whatever else is asked;
/// 5. a key is (policy's name, key); no other key shares its state, and nobody can choose keys that do.
///
/// It answers, or fails, as soon as it can; the deadline is its caller's. A failed call may have charged.
#[async_trait]
pub trait LimitStore: Debug + Send + Sync + 'static {
    /// Decides on each ask by itself, in as few round trips as it can, and charges those that pass. One answer for each ask, in
    /// their order.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when the store does not answer, [`ErrorKind::Integrity`] when it holds something else than
    /// a state.
    async fn charge(&self, asks: &[Ask<'_>]) -> Result<Vec<Charge>, Error>;

    /// Gives back charges that were made by this store and passed: what is left of them. Each at most once.
    ///
    /// # Errors
    /// As [`LimitStore::charge`].
    async fn give_back(&self, charges: &[(Ask<'_>, Charge)]) -> Result<(), Error>;
}
