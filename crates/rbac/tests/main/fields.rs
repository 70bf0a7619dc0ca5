//! Which fields are shown in clear.

use bartizan_core::{FieldSet, Owner, PermissionName, Resource, UnixTime, Verdict};

use crate::support::{clear, policy, token, token_only};

const POLICY: &str = r#"
    version = 1
    [permissions]
    "patient:read" = { scopes = ["own", "all"], asserted_owner = true }
    "patient:bill" = {}
    "invoice:read" = {}
    [roles.self]
    allow = ["patient:read:own"]
    fields = { patient = "*" }
    [roles.nurse]
    allow = ["patient:read:all"]
    fields.patient = ["name", "record"]
    [roles.nurse-who-is-ill]
    inherits = ["nurse", "self"]
    [roles.doctor]
    inherits = ["nurse"]
    fields = { patient = { except = ["card"] } }
    [roles.billing]
    allow = ["patient:bill", "invoice:read"]
    [roles.billing.fields]
    patient = ["card"]
    invoice = ["total"]
    [roles.trainee]
    hide = { patient = ["record"] }
    [roles.blind]
    hide = { patient = "*" }
    [roles.names-only]
    hide = { patient = { except = ["name"] } }
"#;

const RECORD: Resource<'static> = Resource::record("north", "patient", "p1");

fn shown(roles: &[&str], permission: &str, on: Resource<'_>) -> FieldSet {
    clear(&token_only(policy(POLICY)), &token("north", "ada", roles), permission, on)
}

#[test]
fn a_role_shows_its_own_fields() {
    assert_eq!(shown(&["nurse"], "patient:read", RECORD), FieldSet::named(["name", "record"]));
    assert_eq!(shown(&["billing"], "patient:bill", RECORD), FieldSet::named(["card"]));
    assert_eq!(
        shown(&["billing"], "invoice:read", Resource::record("north", "invoice", "i")),
        FieldSet::named(["total"])
    );
}

#[test]
fn a_role_adds_fields_to_a_permission_that_it_inherits() {
    assert_eq!(shown(&["doctor"], "patient:read", RECORD), FieldSet::everything_but(["card"]));
}

#[test]
fn several_roles_show_what_any_of_them_shows() {
    let text = POLICY.replace("[\"patient:bill\", ", "[\"patient:bill\", \"patient:read:all\", ");
    let engine = token_only(policy(&text));
    let both = clear(&engine, &token("north", "ada", &["billing", "nurse"]), "patient:read", RECORD);
    assert_eq!(both, FieldSet::named(["card", "name", "record"]));
}

#[test]
fn a_role_shows_nothing_under_a_permission_that_it_does_not_grant() {
    assert_eq!(shown(&["nurse", "billing"], "patient:read", RECORD), FieldSet::named(["name", "record"]));
    assert_eq!(shown(&["nurse", "billing"], "patient:bill", RECORD), FieldSet::named(["card"]));
}

#[test]
fn reading_oneself_in_full_shows_no_more_of_others() {
    let (mine, other) = (RECORD.owned_by(Owner::Asserted("ada")), RECORD.owned_by(Owner::Asserted("bob")));
    for roles in [&["nurse", "self"][..], &["nurse-who-is-ill"]] {
        assert_eq!(shown(roles, "patient:read", mine), FieldSet::everything());
        assert_eq!(shown(roles, "patient:read", other), FieldSet::named(["name", "record"]));
        assert_eq!(shown(roles, "patient:read", RECORD), FieldSet::named(["name", "record"]));
        // The question asks for the wider right, and gets what that right shows.
        assert_eq!(shown(roles, "patient:read:all", mine), FieldSet::named(["name", "record"]));
    }
}

#[test]
fn what_one_role_hides_no_other_shows() {
    assert_eq!(shown(&["nurse", "trainee"], "patient:read", RECORD), FieldSet::named(["name"]));
    assert_eq!(
        shown(&["doctor", "trainee"], "patient:read", RECORD),
        FieldSet::everything_but(["card", "record"])
    );
    assert_eq!(shown(&["doctor", "blind"], "patient:read", RECORD), FieldSet::nothing());
    assert_eq!(shown(&["doctor", "names-only"], "patient:read", RECORD), FieldSet::named(["name"]));
    assert_eq!(shown(&["doctor", "names-only", "blind"], "patient:read", RECORD), FieldSet::nothing());
    assert_eq!(
        shown(&["doctor", "names-only", "trainee"], "patient:read", RECORD),
        FieldSet::named(["name"])
    );
}

#[test]
fn hiding_is_inherited_like_a_deny() {
    let text = POLICY.replace(
        "[roles.doctor]\n    inherits = [\"nurse\"]",
        "[roles.doctor]\n    inherits = [\"nurse\", \"trainee\"]",
    );
    let engine = token_only(policy(&text));
    let clear = clear(&engine, &token("north", "ada", &["doctor"]), "patient:read", RECORD);
    assert_eq!(clear, FieldSet::everything_but(["card", "record"]));
}

#[test]
fn any_shows_what_each_grant_shows_and_all_what_every_one_shows() {
    let text = POLICY.replace("patient:bill\" = {}", "patient:bill\" = {}\n\"patient:see\" = {}").replace(
        "[roles.trainee]",
        "[roles.clerk]\nallow = [\"patient:see\"]\nfields.patient = [\"name\", \"card\"]\n[roles.trainee]",
    );
    let engine = token_only(policy(&text));
    let who = token("north", "ada", &["nurse", "clerk"]);
    let names = ["patient:read", "patient:see"].map(|name| PermissionName::parse(name).unwrap());
    let clear = |verdict| match verdict {
        Verdict::Allow { clear, .. } => clear,
        other => panic!("{other:?}"),
    };
    let all = engine.decide_all(&who, &names, RECORD, UnixTime::EPOCH).unwrap().0;
    assert_eq!(clear(all), FieldSet::named(["name"]));
    let any = engine.decide_any(&who, &names, RECORD, UnixTime::EPOCH).unwrap().0;
    assert_eq!(clear(any), FieldSet::named(["card", "name", "record"]));
}

/// More distinct sets than the engine pairs up beforehand: they are joined when the question comes, with the same result.
#[test]
fn many_distinct_field_sets_join_as_few_do() {
    use std::fmt::Write;
    let mut text = "version = 1\n[permissions]\n\"patient:read\" = {}\n".to_owned();
    for n in 0..100 {
        write!(text, "[roles.r{n}]\nallow = [\"patient:read\"]\nfields.patient = [\"f{n}\", \"all\"]\n")
            .unwrap();
    }
    let engine = token_only(policy(&text));
    for roles in [["r1", "r2", "r3"], ["r97", "r98", "r99"], ["r0", "r50", "r99"]] {
        let mut expected: Vec<String> = roles.iter().map(|role| role.replace('r', "f")).collect();
        expected.push("all".to_owned());
        let shown = clear(&engine, &token("north", "ada", &roles), "patient:read", RECORD);
        assert_eq!(shown, FieldSet::named(expected), "{roles:?}");
    }
}
