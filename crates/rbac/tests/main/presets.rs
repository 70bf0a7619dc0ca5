//! Both presets, cell by cell, against tables that are written out here.

use bartizan_core::{Owner, Permission, Resource};
use bartizan_rbac::{Engine, Policy, presets};

use crate::support::{allows, policy, token, token_only};

/// Whose record a cell is about.
const MINE: Owner<'static> = Owner::Asserted("ada");
const THEIRS: Owner<'static> = Owner::Asserted("bob");

fn granted(engine: &Engine, role: &str, permission: &str, owner: Owner<'_>) -> bool {
    let policy = engine.policy();
    let name = policy.resolve(permission).unwrap();
    let on = Resource::record("north", name.resource(), "x").owned_by(owner);
    allows(engine, &token("north", "ada", &[role]), name.as_str(), on)
}

#[test]
fn members_and_admins_have_exactly_these_of_the_eleven() {
    // Permission, then for member and admin: on one's own record, on another's.
    let table = [
        ("user:read:own", [true, false], [true, true]),
        ("user:update:own", [true, false], [true, true]),
        ("user:delete:own", [false, false], [true, true]),
        ("user:read:all", [false, false], [true, true]),
        ("user:create", [false, false], [true, true]),
        ("user:update:all", [false, false], [true, true]),
        ("user:delete:all", [false, false], [true, true]),
        ("system:read:config", [false, false], [true, true]),
        ("system:update:config", [false, false], [true, true]),
        ("system:read:logs", [false, false], [true, true]),
        ("system:manage:secrets", [false, false], [true, true]),
    ];
    let engine = token_only(presets::best_practices());
    for (permission, member, admin) in table {
        for (role, [mine, theirs]) in [("member", member), ("admin", admin), ("guest", [false; 2])] {
            assert_eq!(granted(&engine, role, permission, MINE), mine, "{role} {permission} own");
            assert_eq!(granted(&engine, role, permission, THEIRS), theirs, "{role} {permission} other");
        }
    }
    assert_eq!(engine.policy().roles().collect::<Vec<_>>(), ["admin", "member"]);
}

#[test]
fn users_moderators_and_admins_have_exactly_these_of_the_eleven() {
    // Permission, then for user, moderator and admin: on one's own record, on another's.
    let table = [
        ("read:profile", [true, false], [false, false], [true, true]),
        ("write:profile", [true, false], [false, false], [true, true]),
        ("read:products", [true, true], [true, true], [true, true]),
        ("write:products", [false, false], [false, false], [true, true]),
        ("delete:products", [false, false], [false, false], [true, true]),
        ("read:orders", [true, false], [false, false], [true, true]),
        ("write:orders", [true, false], [false, false], [true, true]),
        ("cancel:orders", [true, false], [false, false], [true, true]),
        ("read:users", [false, false], [false, false], [true, true]),
        ("write:users", [false, false], [false, false], [true, true]),
        ("delete:users", [false, false], [false, false], [true, true]),
    ];
    let engine = token_only(presets::microservices());
    for (permission, user, moderator, admin) in table {
        for (role, [mine, theirs]) in
            [("user", user), ("moderator", moderator), ("admin", admin), ("root", [false; 2])]
        {
            assert_eq!(granted(&engine, role, permission, MINE), mine, "{role} {permission} own");
            assert_eq!(granted(&engine, role, permission, THEIRS), theirs, "{role} {permission} other");
        }
    }
    assert_eq!(engine.policy().permissions().count(), 11);
    assert_eq!(engine.policy().roles().collect::<Vec<_>>(), ["admin", "moderator", "user"]);
}

#[test]
fn a_program_may_go_on_asking_by_the_older_names() {
    const CANCEL: Permission = Permission::literal("cancel:orders");
    let engine = token_only(presets::microservices());
    let order = Resource::record("north", "orders", "o1").owned_by(MINE);
    assert!(allows(&engine, &token("north", "ada", &["user"]), CANCEL.name().as_str(), order));
    assert!(!allows(&engine, &token("north", "bob", &["user"]), CANCEL.name().as_str(), order));
    // The older name's first segment is an action: it must not become the kind of record.
    let wrong = Resource::record("north", "cancel", "o1").owned_by(MINE);
    assert!(!allows(&engine, &token("north", "ada", &["user"]), CANCEL.name().as_str(), wrong));
}

#[test]
fn both_presets_parse_and_pass_their_own_tests() {
    for text in [presets::BEST_PRACTICES, presets::MICROSERVICES] {
        let outcomes = Policy::parse(text).unwrap().run_tests();
        assert!(outcomes.len() >= 5);
        for outcome in outcomes {
            assert!(outcome.passed(), "{outcome}");
        }
    }
}

/// The matrix as it is commonly written, names without scopes, loads as it stands when a service wants just that.
#[test]
fn a_matrix_of_older_names_loads_unchanged() {
    let text = r#"
        version = 1
        [permissions]
        "profile:read" = {}
        "products:read" = {}
        "products:delete" = {}
        [aliases]
        "read:profile" = "profile:read"
        "read:products" = "products:read"
        "delete:products" = "products:delete"
        [roles.user]
        allow = ["read:profile", "read:products"]
        [roles.admin]
        allow = ["read:profile", "read:products", "delete:products"]
        [roles.moderator]
        allow = ["read:products"]
    "#;
    let engine = token_only(policy(text));
    for (permission, user, admin, moderator) in [
        ("read:profile", true, true, false),
        ("read:products", true, true, true),
        ("delete:products", false, true, false),
    ] {
        for (role, expected) in [("user", user), ("admin", admin), ("moderator", moderator)] {
            assert_eq!(granted(&engine, role, permission, THEIRS), expected, "{role} {permission}");
        }
    }
}
