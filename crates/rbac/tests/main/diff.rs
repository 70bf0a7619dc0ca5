//! What a change of policy gives and takes: told exactly, and nothing else.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use bartizan_core::{
    Ask, Attribute, Clock, Owner, PermissionName, PolicyEngine, Principal, Resource, Scope, UnixTime, Value,
    Verdict, os,
};
use bartizan_rbac::{Engine, Policy, PolicyDiff};

use crate::{
    support::{in_teams, policy, token, token_only},
    world::{Dice, Role, Shows, World},
};

const CATALOGUE: &str = r#"
version = 1
[permissions]
"note:read" = { scopes = ["own", "team", "all"] }
"note:erase" = {}
"bill:pay" = { scopes = ["own", "all"] }
[conditions.day]
time = { from = "08:00", to = "18:00", zone = "Europe/Berlin" }
[conditions.fresh]
mfa_within = "15m"
[roles.staff]
[roles.chief]
"#;

fn between(old: &str, new: &str) -> PolicyDiff {
    let policy = |text: &str| policy(&format!("{CATALOGUE}{text}"));
    let (old, new) = (policy(old), policy(new));
    let (diff, back) = (PolicyDiff::between(&old, &new), PolicyDiff::between(&new, &old));
    assert_eq!((diff.gained(), diff.lost()), (back.lost(), back.gained()), "what one gives the other takes");
    assert!(PolicyDiff::between(&old, &old).is_empty() && PolicyDiff::between(&new, &new).is_empty());
    assert_eq!(diff.gives_more(), !diff.gained().is_empty());
    diff
}

/// The lines of the change, and of its opposite.
#[track_caller]
fn says(old: &str, new: &str, expected: &[&str]) {
    let lines: Vec<String> = between(old, new).to_string().lines().map(ToOwned::to_owned).collect();
    assert_eq!(lines, expected, "{old}\n-----{new}");
}

/// From one body of the role `r` to another.
#[track_caller]
fn role_says(old: &str, new: &str, expected: &[&str]) {
    says(&format!("[roles.r]\n{old}"), &format!("[roles.r]\n{new}"), expected);
}

#[test]
fn an_allow_is_told_scope_by_scope() {
    role_says("", "allow = [\"note:erase\"]", &["+ r: allow note:erase:all"]);
    role_says("allow = [\"note:erase\"]", "", &["- r: allow note:erase:all"]);
    role_says(
        "allow = [\"note:read:own\"]",
        "allow = [\"note:read:all\"]",
        &["+ r: allow note:read:team", "+ r: allow note:read:all"],
    );
    role_says("allow = [\"bill:pay:own\"]", "allow = [\"bill:pay:all\"]", &["+ r: allow bill:pay:all"]);
    role_says("allow = [\"note:read:all\"]", "allow = [\"note:read:team\"]", &["- r: allow note:read:all"]);
}

#[test]
fn a_wildcard_is_told_by_what_it_stands_for() {
    role_says("", "allow = [\"*:pay:*\"]", &["+ r: allow bill:pay:own", "+ r: allow bill:pay:all"]);
    role_says("allow = [\"note:*:*\"]", "allow = [\"note:read:all\", \"note:erase\"]", &[]);
    role_says(
        "allow = [\"note:read:own\", \"note:*:*\"]",
        "allow = [\"note:read:own\"]",
        &["- r: allow note:erase:all", "- r: allow note:read:team", "- r: allow note:read:all"],
    );
}

#[test]
fn conditions_are_compared_by_what_they_say() {
    let when = |names: &str| format!("allow = [{{ permission = \"note:erase\", when = {names} }}]");
    let (day, both) = (when("\"day\""), when("[\"day\", \"fresh\"]"));
    let time = r#"time = { from = "08:00", to = "18:00", zone = "Europe/Berlin" }"#;
    role_says("", &day, &[&format!("+ r: allow note:erase:all when {time}")]);
    role_says(&day, "allow = [\"note:erase\"]", &["+ r: allow note:erase:all"]);
    role_says("allow = [\"note:erase\"]", &day, &["- r: allow note:erase:all"]);
    role_says(&both, &day, &[&format!("+ r: allow note:erase:all when {time}")]);
    role_says(&day, &both, &[&format!("- r: allow note:erase:all when {time}")]);
    // The same words under another name, or in one condition: nothing changes.
    role_says(&when("\"day\""), &format!("{}\n[conditions.shift]\n{time}", when("\"shift\"")), &[]);
    role_says(&both, &format!("{}\n[conditions.one]\n{time}\nmfa_within = \"15m\"", when("\"one\"")), &[]);
    // Another meaning under the same name.
    let with = |within: &str| {
        format!("[roles.r]\n{}\n[conditions.strict]\nmfa_within = \"{within}\"", when("\"strict\""))
    };
    says(
        &with("10m"),
        &with("20m"),
        &[
            "+ r: allow note:erase:all when mfa_within = \"20m\"",
            "- r: allow note:erase:all when mfa_within = \"10m\"",
        ],
    );
    // An alternative that was implied is none.
    let twice = "allow = [\"note:read:own\", { permission = \"note:read:all\", when = \"fresh\" }]";
    role_says(
        "allow = [{ permission = \"note:read:all\", when = \"fresh\" }]",
        twice,
        &["+ r: allow note:read:own"],
    );
}

#[test]
fn a_deny_that_is_gone_is_a_gain() {
    role_says("deny = [\"note:erase\"]", "", &["+ r: no longer deny note:erase:all"]);
    role_says("", "deny = [\"note:erase\"]", &["- r: now deny note:erase:all"]);
    role_says(
        "deny = [\"note:read:all\"]",
        "deny = [\"note:read:own\"]",
        &["+ r: no longer deny note:read:team", "+ r: no longer deny note:read:all"],
    );
    let fresh = "deny = [{ permission = \"note:erase\", when = \"fresh\" }]";
    role_says("deny = [\"note:erase\"]", fresh, &["+ r: no longer deny note:erase:all"]);
    role_says(fresh, "", &["+ r: no longer deny note:erase:all when mfa_within = \"15m\""]);
    // What a role denies it never gave, whatever it allows besides.
    role_says("deny = [\"note:erase\"]", "deny = [\"note:erase\"]\nallow = [\"note:erase\"]", &[]);
    role_says(
        "allow = [\"note:read:all\"]",
        "allow = [\"note:read:all\"]\ndeny = [\"note:read:own\"]",
        &["- r: allow note:read:own", "- r: now deny note:read:own"],
    );
}

#[test]
fn fields_are_told_one_by_one() {
    let with = |more: &str| format!("allow = [\"bill:pay:all\"]\n{more}");
    let none = with("");
    role_says(
        &none,
        &with("fields = { bill = [\"sum\"] }"),
        &["+ r: show sum by bill:pay:own", "+ r: show sum by bill:pay:all"],
    );
    role_says(
        &with("fields = { bill = { except = [\"card\"] } }"),
        &with("fields = { bill = \"*\" }"),
        &["+ r: show card by bill:pay:own", "+ r: show card by bill:pay:all"],
    );
    role_says(
        &with("fields = { bill = { except = [\"card\"] } }"),
        &with("fields = { bill = [\"sum\"] }"),
        &["- r: show * by bill:pay:own", "- r: show * by bill:pay:all"],
    );
    role_says(
        &with("fields = { bill = [\"sum\"] }\nhide = { bill = [\"sum\"] }"),
        &with("fields = { bill = [\"sum\"] }"),
        &[
            "+ r: show sum by bill:pay:own",
            "+ r: show sum by bill:pay:all",
            "+ r: no longer hide sum by bill:pay",
        ],
    );
    let gain = between("[roles.r]\n", "[roles.r]\nhide = { bill = [\"sum\"] }\nallow = [\"bill:pay:own\"]");
    let lost = &gain.lost()[0];
    assert_eq!((lost.role(), lost.permission(), lost.field()), ("r", Some("bill:pay"), Some("sum")));
    let gained = &gain.gained()[0];
    assert_eq!(
        (gained.permission(), gained.scope(), gained.when()),
        (Some("bill:pay"), Some(Scope::Own), None)
    );
}

#[test]
fn the_catalogue_is_compared_too() {
    let with = |scopes: &str, asserted: bool| {
        policy(&format!(
            "version = 1\n[permissions]\n\"note:read\" = {{ scopes = {scopes}, asserted_owner = {asserted} }}\n[roles.r]\nallow = [\"note:read:all\"]\n"
        ))
    };
    let lines = |old, new| PolicyDiff::between(&old, &new).to_string();
    let own = r#"["own", "all"]"#;
    assert_eq!(
        lines(with(own, false), with(own, true)),
        "+ note:read believes owners that the caller names\n"
    );
    assert_eq!(
        lines(with(own, true), with(own, false)),
        "- note:read believes owners that the caller names\n"
    );
    // `note:read:own` is a question now that somebody may be answered.
    assert_eq!(lines(with(r#"["all"]"#, false), with(own, false)), "+ r: allow note:read:own\n");
    let bare = policy("version = 1\n[permissions]\n\"note:read\" = {}\n[roles.r]\n");
    assert_eq!(lines(bare.clone(), Policy::default()), "");
    assert_eq!(lines(Policy::default(), with(r#"["all"]"#, false)), "+ r: allow note:read:all\n");
}

#[test]
fn a_constraint_that_is_gone_or_looser_is_a_gain() {
    role_says("max_holders = 3", "", &["+ r: no longer held by at most 3"]);
    role_says("max_holders = 3", "max_holders = 5", &["+ r: no longer held by at most 3"]);
    role_says("max_holders = 3", "max_holders = 2", &["- r: now held by at most 2"]);
    role_says("requires = [\"staff\"]", "", &["+ r: no longer requires staff"]);
    role_says("requires = [\"staff\"]", "requires = [\"staff\", \"chief\"]", &["- r: now requires chief"]);
    let apart = |kind: &str, roles: &str, at_most: u32| {
        format!("[roles.r]\n[separation.s]\nkind = \"{kind}\"\nroles = [{roles}]\nat_most = {at_most}")
    };
    let (two, three) = ("\"chief\", \"staff\"", "\"chief\", \"staff\", \"r\"");
    says(&apart("static", two, 1), "[roles.r]", &["+ no longer at most 1 held together of chief, staff"]);
    says(
        &apart("static", two, 1),
        &apart("static", three, 1),
        &["- now at most 1 held together of chief, r, staff"],
    );
    says(
        &apart("dynamic", three, 1),
        &apart("dynamic", three, 2),
        &["+ no longer at most 1 active together of chief, r, staff"],
    );
    says(
        &apart("static", two, 1),
        &apart("dynamic", two, 1),
        &[
            "+ no longer at most 1 held together of chief, staff",
            "- now at most 1 active together of chief, staff",
        ],
    );
    let glass = |most: &str, mfa: &str, who: &str| {
        format!("break_glass = {{ at_most = \"{most}\", mfa_within = \"{mfa}\", eligible = [{who}] }}")
    };
    let one = glass("1h", "10m", "\"chief\"");
    let limits = "for emergencies alone: 3600 s at most, several factors within 600 s";
    let gone = [&*format!("+ r: no longer {limits}"), "+ r: no longer for emergencies of chief alone"];
    role_says(&one, "", &gone);
    role_says(&one, &glass("2h", "10m", "\"chief\""), &[&format!("+ r: no longer {limits}")]);
    role_says(&glass("1h", "20m", "\"chief\""), &one, &[&format!("- r: now {limits}")]);
    role_says(
        &one,
        &glass("1h", "10m", "\"chief\", \"staff\""),
        &["+ r: no longer for emergencies of chief alone"],
    );
}

#[test]
fn heirs_count_in_constraints() {
    let with =
        |inherits: &str| format!("[roles.r]\nrequires = [\"staff\"]\n[roles.heir]\ninherits = [{inherits}]");
    says(&with(""), &with("\"r\""), &["- heir: now requires staff"]);
    // Who has `heir` has what `r` requires.
    says(&with(""), &with("\"staff\""), &["+ r: no longer requires staff"]);
}

#[test]
fn a_renamed_role_is_another_one_and_its_limits_go_unsaid() {
    let named = |name: &str| format!("[roles.{name}]\nallow = [\"note:erase\"]\nmax_holders = 2");
    says(&named("old"), &named("new"), &["+ new: allow note:erase:all", "- old: allow note:erase:all"]);
    let across = "allow = [\"note:erase\"]\nrealm = \"system\"";
    role_says(
        "allow = [\"note:erase\"]",
        across,
        &["+ r: allow note:erase:all", "+ r: acts across tenants", "- r: allow note:erase:all"],
    );
}

#[test]
fn order_aliases_tests_and_assignments_change_nothing() {
    says(
        "[roles.r]\nallow = [\"note:erase\", \"note:read:own\"]\ninherits = [\"staff\", \"chief\"]",
        "[aliases]\n\"erase:note\" = \"note:erase\"\n[roles.r]\nallow = [\"note:read:own\", \"note:erase\"]\ninherits = [\"chief\", \"staff\"]\n\
         [[assignments]]\ntenant = \"north\"\nsubject = \"ada\"\nrole = \"r\"\n\
         [[tests]]\nrole = \"r\"\npermission = \"note:erase\"\nexpect = \"allow\"\nbecause = \"so\"",
        &[],
    );
    // What moves to an inherited role stays with the heir.
    says(
        "[roles.base]\n[roles.r]\ninherits = [\"base\"]\nallow = [\"note:erase\"]",
        "[roles.base]\nallow = [\"note:erase\"]\n[roles.r]\ninherits = [\"base\"]",
        &["+ base: allow note:erase:all"],
    );
}

/// Every question that can tell two worlds apart: each role by itself, and beside one that may do all.
fn questions(worlds: &[&World]) -> Vec<(Principal, String, Resource<'static>)> {
    let roles: BTreeSet<&str> =
        worlds.iter().flat_map(|world| world.roles.keys()).map(String::as_str).collect();
    let people: Vec<Principal> = roles
        .iter()
        .flat_map(|role| [vec![*role], vec![*role, "everything"]])
        .map(|roles| in_teams("north", "ada", &roles, &["t1"]))
        .collect();
    let names: BTreeSet<(&str, &str)> = worlds
        .iter()
        .flat_map(|world| &world.permissions)
        .map(|permission| (permission.kind, permission.action))
        .collect();
    let owners = [
        None,
        Some(Owner::Sealed("ada")),
        Some(Owner::Sealed("bob")),
        Some(Owner::Asserted("ada")),
        Some(Owner::Asserted("bob")),
    ];
    let mut all = Vec::new();
    for (kind, action) in names {
        for scope in ["", ":own", ":team", ":all"] {
            for owner in owners {
                for team in [None, Some("t1"), Some("t2")] {
                    let mut on = Resource::record("north", kind, "r1");
                    on = owner.map_or(on, |owner| on.owned_by(owner));
                    on = team.map_or(on, |team| on.in_team(team));
                    all.extend(people.iter().map(|who| (who.clone(), format!("{kind}:{action}{scope}"), on)));
                }
            }
        }
    }
    all
}

/// The fields in clear; nothing for a deny.
fn answer(
    engine: &Engine,
    who: &Principal,
    permission: &str,
    on: Resource<'_>,
) -> Option<BTreeSet<&'static str>> {
    match engine.decide(&Ask::new(who, PermissionName::parse(permission).unwrap(), on, UnixTime::EPOCH)).0 {
        Verdict::Allow { clear, .. } => {
            Some(World::FIELDS.into_iter().filter(|field| clear.contains(field)).collect())
        }
        _ => None,
    }
}

fn is_more(one: &Option<BTreeSet<&str>>, than: &Option<BTreeSet<&str>>) -> bool {
    match (one, than) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(one), Some(than)) => !one.is_subset(than),
    }
}

#[test]
fn a_diff_says_more_and_less_exactly_where_decisions_do() {
    let mut seen = [0; 4];
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let mut old = World::random(&mut dice);
        old.permissions.iter_mut().for_each(|permission| permission.asserted_owner = false);
        if old.permissions.is_empty() {
            continue;
        }
        let entry = crate::world::Entry { kind: "*", action: "*", scope: Some("*") };
        let kinds: BTreeSet<&str> = old.permissions.iter().map(|permission| permission.kind).collect();
        let fields = kinds.into_iter().map(|kind| (kind, Shows::Everything)).collect();
        let everything = Role { allow: vec![entry], fields, ..Role::default() };
        let mut new = old.clone();
        (0..1 + dice.below(3)).for_each(|_| change(&mut new, &mut dice));
        for world in [&mut old, &mut new] {
            world.roles.insert("everything".to_owned(), everything.clone());
        }
        let texts = [&old, &new].map(|world| world.to_toml(&mut Dice::new(seed)));
        let [before, after] = texts.each_ref().map(|text| policy(text));
        let diff = PolicyDiff::between(&before, &after);
        let back = PolicyDiff::between(&after, &before);
        assert_eq!((diff.gained(), diff.lost()), (back.lost(), back.gained()), "seed {seed}");
        let engines = [token_only(before), token_only(after)];
        let (mut gained, mut lost) = (false, false);
        for (who, permission, on) in questions(&[&old, &new]) {
            let [before, after] = engines.each_ref().map(|engine| answer(engine, &who, &permission, on));
            let (more, less) = (is_more(&after, &before), is_more(&before, &after));
            gained |= more;
            lost |= less;
            assert!(
                !more || diff.gives_more(),
                "seed {seed} {who:?} {permission} {on:?}\n{}\n{}",
                texts[0],
                texts[1]
            );
            assert!(!less || !diff.lost().is_empty(), "seed {seed} {who:?} {permission} {on:?}");
        }
        assert_eq!(
            (gained, lost),
            (diff.gives_more(), !diff.lost().is_empty()),
            "seed {seed}\n{diff}\n{}\n{}",
            texts[0],
            texts[1]
        );
        seen[usize::from(gained) + 2 * usize::from(lost)] += 1;
    }
    assert!(seen.iter().all(|count| *count >= 2), "{seen:?}");
}

/// Changes some role, in a way that is still a valid policy.
fn change(world: &mut World, dice: &mut Dice) {
    let names: Vec<String> = world.roles.keys().cloned().collect();
    let name = names[dice.below(names.len())].clone();
    let mut role = world.roles[&name].clone();
    match dice.below(9) {
        0 | 7 => world.add(&mut role.allow, dice, false),
        1 => world.add(&mut role.deny, dice, true),
        2 => role.allow = dice.some(&role.allow),
        3 => role.deny.clear(),
        4 => role.fields = dice.some(&role.fields),
        5 => role.hide.clear(),
        6 => role.inherits = dice.some(&role.inherits),
        _ => {}
    }
    world.roles.insert(name, role);
}

/// A role about one permission, its rules under some of three facts that have nothing to do with each other.
fn conditional(dice: &mut Dice) -> String {
    let mut text = String::from(
        "version = 1\n[permissions]\n\"note:read\" = { scopes = [\"own\", \"all\"] }\n[roles.everything]\nallow = [\"note:read:all\"]\nfields = { note = \"*\" }\n",
    );
    for fact in ["a", "b", "c"] {
        writeln!(text, "[conditions.{fact}]\nequals = {{ \"resource.{fact}\" = true }}").unwrap();
    }
    let mut list = |most: usize| {
        let mut seen = BTreeSet::new();
        for _ in 0..dice.below(most + 1) {
            let (scope, when) = (dice.pick(&["own", "all"]), dice.some(&["a", "b", "c"]));
            seen.insert(match when.is_empty() {
                true => format!("\"note:read:{scope}\""),
                false => format!("{{ permission = \"note:read:{scope}\", when = {when:?} }}"),
            });
        }
        // The same permission may stand once without conditions only.
        seen.into_iter().collect::<Vec<_>>().join(", ")
    };
    let (base, own, deny) = (list(2), list(2), list(2));
    writeln!(text, "[roles.base]\nallow = [{base}]\nfields = {{ note = [\"a\"] }}").unwrap();
    writeln!(
        text,
        "[roles.r]\ninherits = [\"base\"]\nallow = [{own}]\ndeny = [{deny}]\nfields = {{ note = [\"b\"] }}"
    )
    .unwrap();
    text
}

#[test]
fn conditions_are_subtracted_exactly() {
    let mut seen = [0; 4];
    for seed in 0..250 {
        let mut dice = Dice::new(seed);
        let texts = [conditional(&mut dice), conditional(&mut dice)];
        let [Ok(old), Ok(new)] = texts.each_ref().map(|text| Policy::parse(text)) else { continue };
        let diff = PolicyDiff::between(&old, &new);
        let engines = [token_only(old), token_only(new)];
        let (mut gained, mut lost) = (false, false);
        for facts in 0..8 {
            let attributes = ["a", "b", "c"].into_iter().zip(0..);
            let attributes: Vec<Attribute<'_>> = attributes
                .map(|(name, bit)| Attribute::new(name, Value::Flag(facts >> bit & 1 == 1)))
                .collect();
            for roles in [&["r"][..], &["r", "everything"], &["base"]] {
                let who = token("north", "ada", roles);
                for owner in ["ada", "bob"] {
                    let on = Resource::record("north", "note", "n1").owned_by(Owner::Sealed(owner));
                    for permission in ["note:read", "note:read:all"] {
                        let on = on.with_attributes(&attributes);
                        let [before, after] =
                            engines.each_ref().map(|engine| answer(engine, &who, permission, on));
                        gained |= is_more(&after, &before);
                        lost |= is_more(&before, &after);
                    }
                }
            }
        }
        assert_eq!(
            (gained, lost),
            (diff.gives_more(), !diff.lost().is_empty()),
            "seed {seed}\n{diff}\n{}\n{}",
            texts[0],
            texts[1]
        );
        seen[usize::from(gained) + 2 * usize::from(lost)] += 1;
    }
    assert!(seen.iter().sum::<i32>() > 120 && seen[1] > 3 && seen[2] > 3 && seen[3] > 30, "{seen:?}");
}

#[test]
fn thousands_of_roles_are_compared_at_once() {
    let text = |changed: usize| {
        let mut text = String::from("version = 1\n[permissions]\n");
        (0..1_000).for_each(|n| writeln!(text, "\"note:do-{n}\" = {{}}").unwrap());
        for role in 0..3_000 {
            let allow: Vec<String> =
                (0..6).map(|n| format!("\"note:do-{}\"", (role * 7 + n * 131) % 1_000)).collect();
            let deny = if role == changed { "\"note:do-3\"" } else { "" };
            let inherits = if role % 10 == 0 { String::new() } else { format!("\"r{}\"", role / 10 * 10) };
            writeln!(
                text,
                "[roles.r{role}]\ninherits = [{inherits}]\nallow = [{}]\ndeny = [{deny}]",
                allow.join(", ")
            )
            .unwrap();
        }
        text
    };
    let (old, new) = (policy(&text(2_999)), policy(&text(2_998)));
    let start = os::SystemClock.monotonic();
    let diff = PolicyDiff::between(&old, &new);
    let took = os::SystemClock.monotonic().since(start);
    assert_eq!(
        diff.to_string().lines().filter(|line| line.contains("deny")).collect::<Vec<_>>(),
        ["+ r2999: no longer deny note:do-3:all", "- r2998: now deny note:do-3:all"]
    );
    // The bench `diff_10k` measures it; here a square in the number of roles would show.
    assert!(took < Duration::from_secs(3), "{took:?}");
}
