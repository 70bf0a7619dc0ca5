//! A policy engine that answers what a test tells it.

use std::sync::{Mutex, PoisonError};

use bartizan_core::{Ask, FieldSet, PolicyEngine, Revision, RuleId, UnixTime, Verdict};

/// Answers the same verdict to every question, until told another.
#[derive(Debug)]
pub struct ScriptedEngine(Mutex<Verdict>);

impl ScriptedEngine {
    /// Answers this.
    #[must_use]
    pub const fn answering(verdict: Verdict) -> Self {
        Self(Mutex::new(verdict))
    }

    /// Allows everything, every field in clear.
    #[must_use]
    pub const fn allowing() -> Self {
        Self::answering(Verdict::Allow {
            rule: RuleId(1),
            clear: FieldSet::everything(),
            until: UnixTime::MAX,
        })
    }

    /// Denies everything.
    #[must_use]
    pub const fn denying() -> Self {
        Self::answering(Verdict::Deny { rule: None })
    }

    /// From now on answers this.
    pub fn answer(&self, verdict: Verdict) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
    }
}

impl PolicyEngine for ScriptedEngine {
    fn decide(&self, _: &Ask<'_>) -> (Verdict, Revision) {
        (self.0.lock().unwrap_or_else(PoisonError::into_inner).clone(), Revision(1))
    }
}
