//! One question to a policy file: `explain`, `who-can`, `what-can`.

use std::{path::Path, sync::Arc};

use bartizan::{
    core::{
        Ask, Attestation, Attribute, Clock, Owner, PermissionName, Principal, PrincipalFacts, Resource,
        Scope, UnixTime, Value, Verdict, os,
    },
    rbac::{Access, Assignments, Engine, Policy, Snapshot},
};
use jiff::Timestamp;
use serde::Serialize;

use super::usable;
use crate::{
    args::{Asker, Record, Time},
    outcome::{Ended, Outcome, Unusable, say},
};

/// Who vouches for the roles that stand on the command line.
const ISSUER: &str = "command line";

#[derive(Serialize)]
struct Explained {
    ok: bool,
    verdict: &'static str,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    clear: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

pub(super) fn explain(file: &Path, permission: &str, asker: &Asker, record: &Record, at: &Time) -> Ended {
    let (policy, now) = (usable(file)?, time(at.now.as_deref())?);
    let name = named(&policy, permission)?;
    let who = asker.principal(now)?;
    let attributes = record.attributes()?;
    let snapshot = asker.snapshot(&policy)?;
    let on = record.on(&asker.tenant, name, &attributes);
    // As a decision that goes durably on record: break-glass roles count.
    let explanation = snapshot.explain(&Ask::new(&who, name, on, now).durable());
    let (verdict, clear, until) = match explanation.verdict() {
        Verdict::Allow { clear, until, .. } => {
            let ends = (*until != UnixTime::MAX).then(|| until.to_string());
            ("allow", Some(format!("{clear:?}")), ends)
        }
        Verdict::Deny { .. } => ("deny", None, None),
        Verdict::Unknown(_) => ("unknown", None, None),
    };
    let ok = verdict == "allow";
    say(&Explained { ok, verdict, why: explanation.to_string(), clear, until })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}

#[derive(Serialize)]
struct All<T> {
    can: Vec<T>,
}

#[derive(Serialize)]
struct WhoCan {
    subject: String,
    access: &'static str,
}

pub(super) fn who_can(file: &Path, permission: &str, tenant: &str, record: &Record, at: &Time) -> Ended {
    let (policy, now) = (usable(file)?, time(at.now.as_deref())?);
    let name = named(&policy, permission)?;
    let attributes = record.attributes()?;
    let snapshot = Engine::new(policy.clone(), Assignments::HeldOnly(policy.assignments())).snapshot();
    let can = snapshot.who_can(name, record.on(tenant, name, &attributes), now).into_iter();
    let can = can.map(|one| WhoCan {
        subject: one.subject.into(),
        access: if one.access == Access::Sure { "sure" } else { "under_conditions" },
    });
    say(&All { can: can.collect() })?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct WhatCan {
    permission: String,
    surely: Option<&'static str>,
    at_best: Option<&'static str>,
}

pub(super) fn what_can(file: &Path, asker: &Asker, at: &Time) -> Ended {
    let (policy, now) = (usable(file)?, time(at.now.as_deref())?);
    let can = asker.snapshot(&policy)?.what_can(&asker.principal(now)?, now).into_iter();
    let can = can.map(|one| WhatCan {
        permission: one.permission.into(),
        surely: one.surely.map(Scope::as_str),
        at_best: one.at_best.map(Scope::as_str),
    });
    say(&All { can: can.collect() })?;
    Ok(Outcome::Done)
}

/// A time of the command line, or now.
pub(super) fn time(text: Option<&str>) -> Result<UnixTime, Unusable> {
    let Some(text) = text else { return Ok(os::SystemClock.wall()) };
    let nanos = text.parse::<Timestamp>().ok().and_then(|time| i64::try_from(time.as_nanosecond()).ok());
    let nanos = nanos.ok_or_else(|| Unusable::new("--now is not a time such as 2027-01-01T00:00:00Z"))?;
    Ok(UnixTime::from_nanos(nanos))
}

fn named<'p>(policy: &'p Policy, permission: &str) -> Result<PermissionName<'p>, Unusable> {
    let unknown = || Unusable::new(format_args!("the policy has no permission {permission:?}"));
    policy.resolve(permission).ok_or_else(unknown)
}

impl Asker {
    fn principal(&self, now: UnixTime) -> Result<Principal, Unusable> {
        let subject = self.subject.as_deref().unwrap_or("somebody");
        let mut facts = PrincipalFacts::new(&self.tenant, subject)
            .with_roles(&self.role)
            .with_teams(&self.team)
            .with_issuer(ISSUER);
        if self.mfa {
            facts = facts.with_amr(["mfa"]);
            facts.authenticated = Some(now);
        }
        facts.address = self.address;
        Principal::attested(Attestation::Token, facts).map_err(Unusable::new)
    }

    fn snapshot(&self, policy: &Policy) -> Result<Arc<Snapshot>, Unusable> {
        if let Some(role) = self.role.iter().find(|role| policy.inherited(role).is_empty()) {
            return Err(Unusable::new(format_args!("the policy has no role {role:?}")));
        }
        let assignments = match self.role.is_empty() {
            true => Assignments::HeldOnly(policy.assignments()),
            false => Assignments::TokenOnly(vec![ISSUER.to_owned()]),
        };
        Ok(Engine::new(policy.clone(), assignments).snapshot())
    }
}

impl Record {
    fn attributes(&self) -> Result<Vec<Attribute<'_>>, Unusable> {
        let read = self.attribute.iter().map(|text| {
            let (name, value) = text.split_once('=')?;
            let value = match (value, value.parse::<i64>()) {
                ("true", _) => Value::Flag(true),
                ("false", _) => Value::Flag(false),
                (_, Ok(number)) => Value::Number(number),
                (text, Err(_)) => Value::Text(text),
            };
            Some(Attribute::new(name, value))
        });
        read.collect::<Option<_>>().ok_or_else(|| Unusable::new("--attribute is not NAME=VALUE"))
    }

    fn on<'r>(
        &'r self,
        tenant: &'r str,
        name: PermissionName<'r>,
        with: &'r [Attribute<'r>],
    ) -> Resource<'r> {
        let mut on = Resource::record(tenant, name.resource(), "record").with_attributes(with);
        on = self.owner.as_deref().map_or(on, |owner| on.owned_by(Owner::Sealed(owner)));
        self.record_team.as_deref().map_or(on, |team| on.in_team(team))
    }
}
