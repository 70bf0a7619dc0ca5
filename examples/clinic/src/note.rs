//! What the clinic itself puts on record.

use bartizan::{
    audit_events::Event,
    core::{Fact, Origin, Outcome, Principal, Subject, Target},
    http::Code,
};
use bartizan_axum::Problem;

use crate::{Clinic, clinic::SERVICE};

/// The account of somebody, said in a request from there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) who: Subject<'a>,
    /// The account, once it is sure that there is one.
    pub(crate) account: &'a str,
    pub(crate) origin: Origin<'a>,
}

impl<'a> About<'a> {
    /// Somebody who says that they are this, and is not believed yet: what they say stands in one place, where everybody knows it.
    pub(crate) const fn claimed(tenant: &'a str, user: &'a str, origin: Origin<'a>) -> Self {
        Self { who: Subject::Claimed { tenant, subject: user }, account: "-", origin }
    }

    /// Somebody who showed a token that was mailed to the owner of this account.
    pub(crate) const fn mailed(tenant: &'a str, user: &'a str, origin: Origin<'a>) -> Self {
        Self { who: Subject::Claimed { tenant, subject: user }, account: user, origin }
    }

    /// Somebody known, about their own account.
    pub(crate) fn known(who: &'a Principal) -> Self {
        let origin = Origin::service(SERVICE).of(who);
        Self { who: Subject::Principal(who), account: who.subject(), origin }
    }
}

impl Clinic {
    /// Puts on record what happened to an account. What cannot be recorded does not go on: 503.
    pub(crate) fn note_account(
        &self,
        event: Event,
        outcome: Outcome,
        about: About<'_>,
        reason: Option<&'static str>,
    ) -> Result<(), Problem> {
        let parts = &self.inner().parts;
        let target = Target::Named { kind: "account", name: about.account };
        let fact: Fact<'_> = event.fact(outcome, parts.clock.wall(), about.who, target, about.origin);
        let fact = match reason {
            Some(reason) => fact.because(reason),
            None => fact,
        };
        match parts.recorder.record(&fact) {
            Ok(_) => Ok(()),
            Err(_) => Err(Code::ServiceUnavailable.into()),
        }
    }
}
