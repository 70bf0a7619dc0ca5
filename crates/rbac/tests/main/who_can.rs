//! The questions that go the other way round: each is what the decisions themselves say, on random worlds.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_core::Attribute;
use bartizan_core::{
    Ask, Attestation, Owner, Permission, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource,
    Scope, UnixTime, Value, Verdict,
};
use bartizan_rbac::{Access, Assignments, Engine, Policy, Snapshot};

use crate::{
    support::policy,
    world::{Dice, Question, World},
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const PEOPLE: [&str; 3] = ["ada", "bob", "eve"];
const OWNERS: [Option<Owner<'static>>; 5] = [
    None,
    Some(Owner::Sealed("ada")),
    Some(Owner::Sealed("bob")),
    Some(Owner::Asserted("ada")),
    Some(Owner::Asserted("eve")),
];

fn person(tenant: &str, subject: &str) -> Principal {
    Principal::attested(Attestation::Assertion, PrincipalFacts::new(tenant, subject)).unwrap()
}

/// Worlds whose roles count as they are held, whatever a credential names.
fn in_worlds(worlds: u64, mut check: impl FnMut(&World, &Snapshot, &mut Dice)) {
    for seed in 0..worlds {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let held = world.assigned.iter().cloned().collect();
        let engine = Engine::new(policy(&world.to_toml(&mut dice)), Assignments::HeldOnly(held));
        check(&world, &engine.snapshot(), &mut dice);
    }
}

fn allowed(snapshot: &Snapshot, who: &Principal, permission: &str, on: Resource<'_>) -> bool {
    let name = PermissionName::parse(permission).unwrap();
    matches!(snapshot.decide(&Ask::new(who, name, on, NOW)).0, Verdict::Allow { .. })
}

/// One record for every way in which it may lie, seen from a principal of team `t1`.
fn records<'r>(tenant: &'r str, kind: &'r str) -> Vec<Resource<'r>> {
    let with = |owner: Option<Owner<'r>>, team: Option<&'r str>| {
        let mut on = Resource::record(tenant, kind, "r1");
        on = owner.map_or(on, |owner| on.owned_by(owner));
        team.map_or(on, |team| on.in_team(team))
    };
    let teams = [None, Some("t1"), Some("t2")];
    OWNERS.into_iter().flat_map(|owner| teams.map(|team| with(owner, team))).collect()
}

#[test]
fn who_can_names_exactly_those_whom_decisions_allow() {
    let (mut some, mut none, mut in_team) = (0, 0, 0);
    in_worlds(60, |world, snapshot, dice| {
        for _ in 0..25 {
            let question = Question::random(world, dice);
            let name = PermissionName::parse(&question.permission).unwrap();
            let found = snapshot.who_can(name, question.on(), NOW);
            let of = |access| {
                let found = found.iter().filter(|can| can.access == access);
                found.map(|can| &*can.subject).collect::<Vec<&str>>()
            };
            let allows = |subject: &str, teams: &[&str]| {
                let facts = PrincipalFacts::new(question.on().tenant(), subject).with_teams(teams);
                let who = Principal::attested(Attestation::Assertion, facts).unwrap();
                allowed(snapshot, &who, &question.permission, question.on())
            };
            let expected: Vec<&str> = PEOPLE.into_iter().filter(|one| allows(one, &[])).collect();
            assert_eq!(of(Access::Sure), expected, "{question:?}");
            // There are no conditions here: the team is all that may be missing.
            let team = question.on().team().filter(|team| !team.is_empty());
            let perhaps = of(Access::UnderConditions);
            assert!(perhaps.is_empty() || team.is_some(), "{question:?}");
            if let Some(team) = team {
                let members =
                    PEOPLE.into_iter().filter(|one| allows(one, &[team]) && !expected.contains(one));
                for member in members {
                    assert!(perhaps.contains(&member), "{member} {question:?}");
                    in_team += 1;
                }
            }
            if expected.is_empty() { none += 1 } else { some += 1 }
        }
    });
    assert!(some > 200 && none > 200 && in_team > 40, "{some} {none} {in_team}");
}

#[test]
fn what_can_lists_exactly_what_decisions_could_allow() {
    let (mut held, mut not) = (0, 0);
    in_worlds(120, |world, snapshot, _| {
        for (tenant, subject) in PEOPLE.into_iter().flat_map(|one| [("north", one), ("south", one)]) {
            let facts = PrincipalFacts::new(tenant, subject).with_teams(["t1"]);
            let who = Principal::attested(Attestation::Assertion, facts).unwrap();
            let can: BTreeMap<String, (Option<Scope>, Option<Scope>)> = snapshot
                .what_can(&who, NOW)
                .into_iter()
                .map(|one| (one.permission.to_string(), (one.surely, one.at_best)))
                .collect();
            for permission in &world.permissions {
                let name = format!("{}:{}", permission.kind, permission.action);
                let mut records = records(tenant, permission.kind);
                // The owner that a record of one's own has.
                records
                    .push(Resource::record(tenant, permission.kind, "r1").owned_by(Owner::Sealed(subject)));
                let possible = records.iter().any(|on| allowed(snapshot, &who, &name, *on));
                assert_eq!(can.contains_key(&name), possible, "{subject} {name}\n{world:?}");
                if possible {
                    held += 1
                } else {
                    not += 1
                }
                let Some((surely, at_best)) = can.get(&name) else { continue };
                assert_eq!(surely, at_best, "there are no conditions");
                // As far as it reaches, some record is allowed.
                let far = Resource::record(tenant, permission.kind, "r1").owned_by(Owner::Sealed("zoe"));
                let (whole, team) = (far.in_team("t2"), far.in_team("t1"));
                let reaches = [(whole, Scope::All), (team, Scope::Team)].into_iter();
                let expected =
                    reaches.filter(|(on, _)| allowed(snapshot, &who, &name, *on)).map(|(_, scope)| scope);
                assert_eq!(at_best.unwrap_or(Scope::Own), expected.max().unwrap_or(Scope::Own), "{name}");
            }
        }
    });
    assert!(held > 500 && not > 500, "{held} {not}");
}

#[test]
fn filter_keeps_exactly_the_records_that_decisions_allow() {
    let (mut kept, mut left) = (0, 0);
    const PERMISSIONS: [Permission; 4] = [
        Permission::literal("doc:read"),
        Permission::literal("note:write:team"),
        Permission::literal("key:erase:all"),
        Permission::literal("doc:write:own"),
    ];
    in_worlds(120, |_, snapshot, _| {
        for (subject, permission) in PEOPLE.into_iter().flat_map(|one| PERMISSIONS.map(|two| (one, two))) {
            let mut facts = PrincipalFacts::new("north", subject).with_teams(["t1"]);
            facts.actor = (subject == "eve").then(|| person("north", "bob"));
            facts.expires = (subject == "bob").then_some(UnixTime::from_secs(1_800_000_001));
            let who = Principal::attested(Attestation::Assertion, facts).unwrap();
            let kind = permission.name().resource();
            let mut candidates = records("north", kind);
            candidates.extend(records("south", kind));
            candidates.extend(records("north", "note"));
            let found = snapshot.filter(&who, permission, candidates.iter().copied(), NOW).unwrap();
            let mut expected = Vec::new();
            for on in candidates {
                let each = std::iter::successors(Some(&who), |who| who.actor());
                if each.into_iter().all(|who| allowed(snapshot, who, permission.name().as_str(), on)) {
                    let name = permission.name();
                    let clear = match snapshot.decide_all(&who, &[name], on, NOW).unwrap().0 {
                        Verdict::Allow { clear, .. } => clear,
                        other => panic!("{other:?}"),
                    };
                    expected.push((format!("{on:?}"), clear));
                    kept += 1;
                } else {
                    left += 1;
                }
            }
            let found: Vec<_> = found.into_iter().map(|(on, clear)| (format!("{on:?}"), clear)).collect();
            assert_eq!(found, expected);
        }
    });
    assert!(kept > 1_000 && left > 1_000, "{kept} {left}");
}

#[test]
fn a_filter_stops_where_it_cannot_tell() {
    let policy = policy(CONDITIONAL);
    let engine = Engine::new(policy.clone(), Assignments::HeldOnly(policy.assignments()));
    let unknown = [Attribute::new("open", Value::Unavailable)];
    let open = [Attribute::new("open", Value::Flag(true))];
    let records = [RECORD.with_attributes(&open), RECORD.with_attributes(&unknown)];
    let read = Permission::literal("note:read");
    let bob = person("north", "bob");
    let filter = |records: &[Resource<'_>]| {
        engine.snapshot().filter(&bob, read, records.iter().copied(), NOW).map(|kept| kept.len())
    };
    assert_eq!(filter(&records[..1]), Ok(1));
    assert!(filter(&records).is_err());
    // Whose credential has ended keeps nothing.
    let mut facts = PrincipalFacts::new("north", "ada");
    facts.expires = Some(NOW);
    let ada = Principal::attested(Attestation::Assertion, facts).unwrap();
    assert_eq!(engine.snapshot().filter(&ada, read, records, NOW).map(|kept| kept.len()), Ok(0));
}

#[test]
fn a_menus_reach_is_always_kept() {
    let mut reached = 0;
    in_worlds(120, |world, snapshot, _| {
        for subject in PEOPLE {
            let facts = PrincipalFacts::new("north", subject).with_teams(["t1"]);
            let who = Principal::attested(Attestation::Assertion, facts).unwrap();
            let standing = snapshot.standing(&who, NOW);
            let held: BTreeSet<&str> = standing.roles().collect();
            let assigned: BTreeSet<&str> =
                snapshot.assigned_roles("north", subject, NOW).into_iter().collect();
            assert_eq!(held, assigned);
            for permission in &world.permissions {
                for scope in ["", ":own", ":team", ":all"] {
                    let name = format!("{}:{}{scope}", permission.kind, permission.action);
                    let Some(id) = snapshot.permission_id(PermissionName::parse(&name).unwrap()) else {
                        assert!(!permission.scopes.contains(&scope.trim_start_matches(':')));
                        continue;
                    };
                    let on = Resource::record("north", permission.kind, "r1");
                    let farthest = match standing.reach(id) {
                        None => continue,
                        Some(Scope::Own) => on.owned_by(Owner::Sealed(subject)),
                        Some(Scope::Team) => on.owned_by(Owner::Sealed("zoe")).in_team("t1"),
                        Some(_) => on.owned_by(Owner::Sealed("zoe")).in_team("t2"),
                    };
                    reached += 1;
                    assert!(allowed(snapshot, &who, &name, farthest), "{subject} {name}\n{world:?}");
                }
            }
        }
    });
    assert!(reached > 500, "{reached}");
}

#[test]
fn numbers_of_another_policy_reach_nothing() {
    let engines = [CONDITIONAL, CONDITIONAL].map(|text| {
        let policy = policy(text);
        let held = policy.assignments();
        Engine::new(policy, Assignments::HeldOnly(held))
    });
    let [one, two] = engines.each_ref().map(Engine::snapshot);
    let id = one.permission_id(PermissionName::parse("note:read").unwrap()).unwrap();
    let ada = person("north", "ada");
    assert_eq!(one.standing(&ada, NOW).reach(id), Some(Scope::All));
    assert_eq!(two.standing(&ada, NOW).reach(id), None);
    assert_eq!(one.permission_id(PermissionName::parse("note:fly").unwrap()), None);
}

const RECORD: Resource<'static> = Resource::record("north", "note", "n1");

const CONDITIONAL: &str = r#"
version = 1
[permissions]
"note:read" = { scopes = ["own", "all"] }
"note:erase" = {}
"note:list" = {}
[conditions.fresh]
mfa_within = "10m"
[conditions.open]
equals = { "resource.open" = true }
[roles.reader]
allow = ["note:read:all", "note:list"]
[roles.guest]
allow = ["note:read:own", { permission = "note:read:all", when = "open" }]
[roles.chief]
allow = [{ permission = "note:erase", when = "fresh" }]
[roles.blocked]
deny = [{ permission = "note:read", when = "open" }]
[roles.fireman]
allow = ["note:erase"]
break_glass = { at_most = "1h", mfa_within = "10m", eligible = ["reader"] }
[separation.s]
kind = "dynamic"
roles = ["chief", "blocked"]
[[groups]]
tenant = "north"
name = "guests"
members = ["bob"]
[[assignments]]
tenant = "north"
subject = "ada"
role = "reader"
[[assignments]]
tenant = "north"
group = "guests"
role = "guest"
[[assignments]]
tenant = "north"
subject = "carl"
role = "chief"
[[assignments]]
tenant = "north"
subject = "dora"
role = "reader"
[[assignments]]
tenant = "north"
subject = "dora"
role = "blocked"
[[assignments]]
tenant = "north"
subject = "eve"
role = "fireman"
not_before = "2027-01-15T07:30:00Z"
expires = "2027-01-15T08:30:00Z"
[[assignments]]
tenant = "north"
subject = "gone"
role = "reader"
expires = "2026-01-01T00:00:00Z"
[[assignments]]
tenant = "north"
subject = "both"
role = "chief"
[[assignments]]
tenant = "north"
subject = "both"
role = "blocked"
[[assignments]]
tenant = "north"
subject = "both"
role = "reader"
"#;

#[test]
fn what_takes_more_than_is_known_is_told_apart() {
    let policy: Policy = policy(CONDITIONAL);
    let snapshot = Engine::new(policy.clone(), Assignments::HeldOnly(policy.assignments())).snapshot();
    let who = |permission: &str, on| -> Vec<(String, bool)> {
        let found = snapshot.who_can(PermissionName::parse(permission).unwrap(), on, NOW);
        found.into_iter().map(|can| (can.subject.into(), can.access == Access::Sure)).collect()
    };
    let of = |list: &[(&str, bool)]| {
        list.iter().map(|(name, sure)| ((*name).to_owned(), *sure)).collect::<Vec<_>>()
    };
    // Whether it is open was not said: the guest needs that it is, and who is blocked that it is not.
    assert_eq!(who("note:read", RECORD), of(&[("ada", true), ("bob", false), ("dora", false)]));
    let flags = [true, false].map(|open| [Attribute::new("open", Value::Flag(open))]);
    let [open, shut] = flags.each_ref().map(|flag| RECORD.with_attributes(flag));
    assert!(who("note:read", open).contains(&("bob".to_owned(), true)));
    assert!(who("note:read", shut).contains(&("dora".to_owned(), true)));
    // A fresh login and an emergency are the asker's to show.
    assert_eq!(who("note:erase", RECORD), of(&[("carl", false), ("eve", false)]));
    assert_eq!(who("note:read", Resource::record("south", "note", "n1")), of(&[]));
    let what = |subject: &str| -> Vec<(String, Option<Scope>, Option<Scope>)> {
        let can = snapshot.what_can(&person("north", subject), NOW).into_iter();
        let can = can.filter(|one| &*one.permission != "note:list");
        can.map(|one| (one.permission.into(), one.surely, one.at_best)).collect()
    };
    let (own, all) = (Some(Scope::Own), Some(Scope::All));
    assert_eq!(what("bob"), [("note:read".to_owned(), own, all)]);
    assert_eq!(what("carl"), [("note:erase".to_owned(), None, all)]);
    assert_eq!(what("dora"), [("note:read".to_owned(), None, all)]);
    assert_eq!(what("eve"), [("note:erase".to_owned(), None, all)]);
    assert!(what("gone").is_empty() && what("both").is_empty() && what("nobody").is_empty());
    let standing = |subject, permission| {
        let id = snapshot.permission_id(PermissionName::parse(permission).unwrap()).unwrap();
        snapshot.standing(&person("north", subject), NOW).reach(id)
    };
    let read = ["ada", "bob", "dora", "gone"].map(|subject| standing(subject, "note:read"));
    assert_eq!(read, [all, own, None, None]);
    assert_eq!(standing("ada", "note:list"), all);
    // Two roles that nobody may use together are no roles: a menu must not promise what no decision keeps.
    assert_eq!(standing("both", "note:list"), None);
    assert_eq!(snapshot.standing(&person("north", "both"), NOW).roles().count(), 0);
}
