//! The seam to a policy engine.

use std::{fmt::Debug, sync::Arc};

use crate::{Cause, FieldSet, PermissionName, Principal, Resource, UnixTime};

/// One question to a policy engine. All that its answer may depend on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Ask<'a> {
    /// Who asks.
    pub who: &'a Principal,
    /// For which permission.
    pub permission: PermissionName<'a>,
    /// On what.
    pub on: Resource<'a>,
    /// When.
    pub now: UnixTime,
    /// The oldest revision that may answer; an engine that is older says [`Cause::Stale`].
    pub at_least: Revision,
    /// Whether an allow will be durable on record before it is used. An engine that insists on that answers
    /// [`Cause::NeedsDurable`] where it will not be.
    pub durable: bool,
}

impl<'a> Ask<'a> {
    /// A question.
    #[must_use]
    pub const fn new(
        who: &'a Principal,
        permission: PermissionName<'a>,
        on: Resource<'a>,
        now: UnixTime,
    ) -> Self {
        Self { who, permission, on, now, at_least: Revision(0), durable: false }
    }

    /// The same question, to be answered by this revision or a later one.
    #[must_use]
    pub const fn at_least(mut self, revision: Revision) -> Self {
        self.at_least = revision;
        self
    }

    /// The same question, whose allow will be durable on record before it is used.
    #[must_use]
    pub const fn durable(mut self) -> Self {
        self.durable = true;
        self
    }
}

/// A rule's number in the engine that names it. An engine's `explain` turns it into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleId(pub u32);

/// Which state of the policy answered; grows with every change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// What a policy engine says. Exhaustive on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allow {
        /// The rule that says so.
        rule: RuleId,
        /// The fields that may be shown in clear.
        clear: FieldSet,
        /// Until when, at the latest.
        until: UnixTime,
    },
    /// No.
    Deny {
        /// The rule that says so; none when simply nothing allows it.
        rule: Option<RuleId>,
    },
    /// It cannot be told. Closed, and not the asker's doing.
    Unknown(Cause),
}

/// What decides. Sync and pure: no I/O, no clock, no randomness, the same answer to the same question at one revision.
pub trait PolicyEngine: Debug + Send + Sync {
    /// Answers one question.
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision);
}

impl<E: PolicyEngine + ?Sized> PolicyEngine for Arc<E> {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        (**self).decide(ask)
    }
}

impl<E: PolicyEngine + ?Sized> PolicyEngine for Box<E> {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        (**self).decide(ask)
    }
}
