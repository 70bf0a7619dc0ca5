//! Secrets, tokens, personal data and names of people are planted everywhere; no `Debug` and no `Display` shows them.

use std::{fmt::Debug, sync::Arc};

use bartizan_core::{
    Attestation, Authorizer, Basic, Decision, FieldSet, Health, JobPolicy, JsonLines, Owner, Pan, Permission,
    PermissionName, Pii, Principal, PrincipalFacts, RawToken, Resource, SecretArray, SecretBytes, SecretText,
    Sensitive, Subject, danger_unrecorded, json, os,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, ScriptedEngine, SeededEntropy};

use crate::support::{READ, START, granted};

const CANARY: &str = "canary-7d1f2e";

/// Both forms of Debug, since a derive that hides a field in one may show it in the other.
fn shown(what: &dyn Debug) -> String {
    format!("{what:?} {what:#?}")
}

fn planted() -> Principal {
    let plant = |name: &str| -> Box<str> { format!("{CANARY}-{name}").into() };
    let actor = PrincipalFacts::new(plant("actor-tenant"), plant("actor")).with_roles([plant("actor-role")]);
    let mut facts = PrincipalFacts::new(plant("tenant"), plant("subject"))
        .with_roles([plant("role")])
        .with_teams([plant("team")])
        .with_issuer(&*plant("issuer"))
        .with_credential(&*plant("credential"))
        .with_session(&*plant("session"))
        .with_request(&*plant("request"))
        .with_acr(&*plant("acr"))
        .with_amr([plant("amr")]);
    facts.actor = Some(Principal::attested(Attestation::Token, actor).unwrap());
    assert!(!shown(&facts).contains(CANARY), "{facts:?}");
    Principal::attested(Attestation::Token, facts).unwrap()
}

#[test]
fn secrets_show_nothing_and_not_even_their_length() {
    let long = CANARY.repeat(20);
    for secret in [CANARY, &long, ""] {
        let all = shown(&(SecretBytes::new(secret.as_bytes().to_vec()), SecretText::new(secret.to_owned())));
        assert_eq!(all, shown(&(SecretBytes::new(vec![]), SecretText::new(String::new()))));
        assert!(!all.contains(CANARY));
    }
    let mut bytes = [0; 13];
    bytes.copy_from_slice(CANARY.as_bytes());
    let array = shown(&SecretArray::new(bytes));
    for form in [CANARY.to_owned(), format!("{bytes:?}"), "99, 97".to_owned(), "6361".to_owned()] {
        assert!(!array.contains(&form), "{array}");
    }
}

#[test]
fn a_token_shows_its_length_only() {
    assert_eq!(format!("{:?}", RawToken::new(CANARY)), "RawToken([13 bytes])");
    assert!(!shown(&RawToken::new(CANARY)).contains(CANARY));
}

#[test]
fn personal_data_shows_its_mask_only() {
    let basic: Pii<String, Basic> = Pii::new(CANARY.to_owned());
    let health: Pii<String, Health> = Pii::new(CANARY.to_owned());
    let card: Pii<String, Pan> = Pii::new(CANARY.to_owned());
    let sensitive: Pii<String, Sensitive> = Pii::new(CANARY.to_owned());
    let all = format!("{} {} {} {}", shown(&basic), shown(&health), shown(&card), shown(&sensitive));
    assert!(!all.contains(CANARY) && !all.contains("canary"), "{all}");
    assert_eq!(format!("{basic} {health} {card} {sensitive} {sensitive:?}"), "*** *** *** ***1f2e ***1f2e");
    assert_eq!(format!("{:?}", Some(&basic)), "Some(***)");
}

#[test]
fn nobodys_name_is_shown_on_the_whole_road() {
    let who = planted();
    let on = Resource::record(who.tenant(), "patient", "p-17").owned_by(Owner::Sealed(who.subject()));
    let entropy = SeededEntropy::new(1);
    let clock = Arc::new(ManualClock::at(START));
    let recorder = Arc::new(MemoryRecorder::default());
    let jobs = JobPolicy::none().allow("nightly", READ, FieldSet::named(["ssn"]));
    let authorizer =
        Authorizer::new("clinic", ScriptedEngine::allowing(), jobs.clone(), recorder, clock, &entropy)
            .unwrap();
    let decision = authorizer.decide(&who, READ, on);
    let mut all = format!("{} {}", shown(&decision), shown(&authorizer));
    // The actor is of another tenant, so the decision is a deny; without it there is a grant.
    assert!(matches!(decision, Decision::Deny(_)), "{decision:?}");
    let alone =
        Principal::attested(Attestation::Token, PrincipalFacts::new(who.tenant(), who.subject())).unwrap();
    let grant = granted(authorizer.decide(&alone, READ, on));
    let covered = grant.covers(on).unwrap();
    for one in [
        &who as &dyn Debug,
        &who.roles(),
        &Subject::Principal(&who),
        &on.owner(),
        &grant,
        &covered,
        &covered.authority(),
        &grant.decision(),
        &authorizer.decide_each(&alone, READ, [on]),
        &authorizer.decide(&alone, READ, on),
        &Principal::attested(Attestation::Token, PrincipalFacts::new("", CANARY)).unwrap_err(),
        &Principal::attested(Attestation::Token, PrincipalFacts::new("north", format!("{CANARY}\n")))
            .unwrap_err(),
        &PermissionName::parse(&format!("{CANARY}:read:mine")).unwrap_err(),
        &Permission::parse("Canary-7d1f2e:read").unwrap_err(),
        &json::check(format!("{{\"{CANARY}\":").as_bytes(), &json::Limits::REQUEST).unwrap_err(),
        &json::read::<u8>(format!("\"{CANARY}\"").as_bytes(), &json::Limits::REQUEST).unwrap_err(),
        &JsonLines::to_writer(CANARY.as_bytes().to_vec()),
        &danger_unrecorded(),
        &os::SystemClock,
        &os::OsEntropy,
        &jobs,
    ] {
        all.push_str(&shown(one));
    }
    let error = Principal::attested(Attestation::Token, PrincipalFacts::new("north", format!("{CANARY}\n")))
        .unwrap_err();
    all.push_str(&format!("{error} {}", grant.covers(Resource::record(CANARY, "patient", "p")).unwrap_err()));
    assert!(!all.contains(CANARY) && !all.contains("Canary"), "{all}");
}
