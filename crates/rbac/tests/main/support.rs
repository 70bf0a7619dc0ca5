//! Short words for principals, engines and questions.

use bartizan_core::{
    Ask, Attestation, FieldSet, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource, UnixTime,
    Verdict,
};
use bartizan_rbac::{Assignments, Engine, Policy};

pub(crate) const ISSUER: &str = "https://auth.example";

pub(crate) fn token(tenant: &str, subject: &str, roles: &[&str]) -> Principal {
    of_issuer(tenant, subject, roles, Some(ISSUER))
}

pub(crate) fn of_issuer(tenant: &str, subject: &str, roles: &[&str], issuer: Option<&str>) -> Principal {
    let facts = PrincipalFacts::new(tenant, subject).with_roles(roles.iter().copied()).with_issuer(issuer);
    Principal::attested(Attestation::Token, facts).unwrap()
}

pub(crate) fn in_teams(tenant: &str, subject: &str, roles: &[&str], teams: &[&str]) -> Principal {
    let facts = PrincipalFacts::new(tenant, subject)
        .with_roles(roles.iter().copied())
        .with_teams(teams)
        .with_issuer(ISSUER);
    Principal::attested(Attestation::Token, facts).unwrap()
}

pub(crate) fn policy(text: &str) -> Policy {
    match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => panic!("{error}\n{text}"),
    }
}

pub(crate) fn token_only(policy: Policy) -> Engine {
    Engine::new(policy, Assignments::TokenOnly(vec![ISSUER.to_owned()]))
}

pub(crate) fn verdict(engine: &Engine, who: &Principal, permission: &str, on: Resource<'_>) -> Verdict {
    let permission = PermissionName::parse(permission).unwrap();
    engine.decide(&Ask::new(who, permission, on, UnixTime::EPOCH)).0
}

pub(crate) fn allows(engine: &Engine, who: &Principal, permission: &str, on: Resource<'_>) -> bool {
    match verdict(engine, who, permission, on) {
        Verdict::Allow { until, .. } => {
            assert_eq!(until, UnixTime::MAX);
            true
        }
        Verdict::Deny { .. } => false,
        Verdict::Unknown(cause) => panic!("{cause}"),
    }
}

pub(crate) fn clear(engine: &Engine, who: &Principal, permission: &str, on: Resource<'_>) -> FieldSet {
    match verdict(engine, who, permission, on) {
        Verdict::Allow { clear, .. } => clear,
        other => panic!("{permission}: {other:?}"),
    }
}
