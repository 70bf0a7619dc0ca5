//! What a reviewer with fresh eyes tried.

use std::fmt::Write as _;

use bartizan_core::{
    Ask, Attestation, FieldSet, Owner, PermissionName, Principal, PrincipalFacts, Resource, UnixTime, Verdict,
};
use bartizan_rbac::{Distance, Engine, ErrorKind, Miss, Policy};

use crate::support::{ISSUER, in_teams, policy, token, token_only};

const RECORD: Resource<'_> = Resource::record("north", "note", "n1");

fn kind_of(text: &str) -> Option<ErrorKind> {
    Policy::parse(text).err().map(|error| error.kind())
}

/// Whether any and all of these permissions are granted at the 100th second.
fn any_and_all(engine: &Engine, who: &Principal, names: &[&str]) -> (bool, bool) {
    let names: Vec<_> = names.iter().map(|name| PermissionName::parse(name).unwrap()).collect();
    let at = UnixTime::from_secs(100);
    let any = engine.decide_any(who, &names, RECORD, at).unwrap().0;
    let all = engine.decide_all(who, &names, RECORD, at).unwrap().0;
    (matches!(any, Verdict::Allow { .. }), matches!(all, Verdict::Allow { .. }))
}

#[test]
fn an_alias_with_a_scope_means_that_scope() {
    let with = |alias: &str| {
        kind_of(&format!(
            "version = 1\n[permissions]\n\"note:read\" = {{ scopes = [\"own\", \"all\"] }}\n\"note:list\" = {{}}\n[aliases]\n{alias}\n"
        ))
    };
    for good in [
        r#""read:note:own" = "note:read:own""#,
        r#""read:note:tenant" = "note:read:all""#,
        r#""list:note:all" = "note:list:all""#,
        r#""read:note" = "note:read:own""#,
    ] {
        assert_eq!(with(good), None, "{good}");
    }
    for bad in [
        r#""read:note:own" = "note:read:all""#,
        r#""read:note:own" = "note:read""#,
        r#""list:note:own" = "note:list""#,
        r#""note:list:own" = "note:list""#,
        r#""note:list:team" = "note:list:all""#,
        r#""note:read:team" = "note:read:all""#,
    ] {
        assert_eq!(with(bad), Some(ErrorKind::Alias), "{bad}");
    }
}

const NOTES: &str = r#"
    version = 1
    [permissions]
    "note:read" = { scopes = ["own", "team", "all"] }
    "note:write" = {}
    [roles.reader]
    allow = ["note:read:all"]
    fields = { note = ["title"] }
    [roles.writer]
    allow = ["note:read:all", "note:write"]
    fields = { note = "*" }
    [roles.colleague]
    allow = ["note:read:team"]
"#;

#[test]
fn any_and_all_are_asked_of_everybody_who_acts() {
    let engine = token_only(policy(NOTES));
    let for_writer = |actor: &[&str]| {
        let mut facts = PrincipalFacts::new("north", "ada").with_roles(["writer"]).with_issuer(ISSUER);
        facts.actor = Some(token("north", "service", actor));
        Principal::attested(Attestation::Token, facts).unwrap()
    };
    let both = ["note:read", "note:write"];
    assert_eq!(any_and_all(&engine, &for_writer(&["writer"]), &both), (true, true));
    assert_eq!(any_and_all(&engine, &for_writer(&["reader"]), &both), (true, false));
    assert_eq!(any_and_all(&engine, &for_writer(&["reader"]), &["note:write"]), (false, false));
    assert_eq!(any_and_all(&engine, &for_writer(&[]), &both), (false, false));
    let read = [PermissionName::parse("note:read").unwrap()];
    let (verdict, _) = engine.decide_any(&for_writer(&["reader"]), &read, RECORD, UnixTime::EPOCH).unwrap();
    let Verdict::Allow { clear, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(clear, FieldSet::named(["title"]), "what both may see");
}

#[test]
fn any_and_all_end_with_the_credential() {
    let engine = token_only(policy(NOTES));
    let until = |seconds| {
        let mut facts = PrincipalFacts::new("north", "ada").with_roles(["writer"]).with_issuer(ISSUER);
        facts.expires = Some(UnixTime::from_secs(seconds));
        Principal::attested(Attestation::Token, facts).unwrap()
    };
    assert_eq!(any_and_all(&engine, &until(101), &["note:read"]), (true, true));
    assert_eq!(any_and_all(&engine, &until(100), &["note:read"]), (false, false));
}

#[test]
fn a_question_too_wide_is_told_from_a_record_too_far() {
    let engine = token_only(policy(NOTES));
    let ada = in_teams("north", "ada", &["colleague"], &["ward-1"]);
    let because = |permission: &str, on: Resource<'_>| {
        let permission = PermissionName::parse(permission).unwrap();
        match engine.explain(&Ask::new(&ada, permission, on, UnixTime::EPOCH)).miss() {
            Some(Miss::TooNarrow { because, .. }) => *because,
            other => panic!("{other:?}"),
        }
    };
    let ours = RECORD.owned_by(Owner::Sealed("bob")).in_team("ward-1");
    assert_eq!(because("note:read:all", ours), Distance::Asked);
    assert_eq!(because("note:read:all", RECORD.in_team("ward-1")), Distance::Asked);
    assert_eq!(because("note:read", RECORD.owned_by(Owner::Sealed("bob"))), Distance::SomebodyElses);
}

#[test]
fn inheritance_that_multiplies_with_fields_is_refused_before_it_does() {
    let ladder = |roles: usize, permissions: usize| {
        let mut text = String::from("version = 1\n[permissions]\n");
        (0..permissions).for_each(|n| writeln!(text, "\"note:do-{n}\" = {{}}").unwrap());
        for role in 0..roles {
            let parents: Vec<String> = (0..role).map(|n| format!("\"r{n:04}\"")).collect();
            let parents = parents.join(",");
            writeln!(text, "[roles.r{role:04}]\nallow = [\"*:*\"]\nfields = {{ note = [\"f{role}\"] }}\ninherits = [{parents}]").unwrap();
        }
        text
    };
    assert_eq!(kind_of(&ladder(300, 187)), None);
    assert_eq!(kind_of(&ladder(300, 188)), Some(ErrorKind::TooLarge));
}
