//! The classes of failure that other engines had, by name.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bartizan_core::{
    Ask, Attestation, Attribute, Owner, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource,
    Revision, UnixTime, Value, Verdict,
};
use bartizan_rbac::{Assignment, Assignments, Change, Engine, HeldAssignments, Policy};

use super::{START, assigned, join, somebody};
use crate::support::policy;

fn ask<'a>(who: &'a Principal, permission: &'a str, on: Resource<'a>) -> Ask<'a> {
    Ask::new(who, PermissionName::parse(permission).unwrap(), on, START)
}

fn allows(engine: &impl PolicyEngine, ask: &Ask<'_>) -> bool {
    matches!(engine.decide(ask).0, Verdict::Allow { .. })
}

const TWO_KINDS: &str = r#"
version = 1
[permissions]
"doc:read" = { scopes = ["own", "team", "all"] }
"doc:write" = {}
"invoice:read" = { scopes = ["own", "all"] }
[conditions.open]
equals = { "resource.status" = "open" }
[roles.reader]
allow = ["doc:read:own", { permission = "doc:read:team", when = "open" }]
[roles.clerk]
allow = ["invoice:read:all"]
"#;

/// Asked one after the other in any order, each question is answered as an engine answers that is asked it alone.
#[test]
fn class_1_no_answer_depends_on_what_was_asked_before() {
    let people = [("ada", "reader"), ("bob", "clerk")];
    let compiled = policy(TWO_KINDS);
    let engine = || Engine::new(compiled.clone(), Assignments::HeldOnly(assigned(&people)));
    let (open, closed) =
        ([Attribute::new("status", Value::Text("open"))], [Attribute::new("status", Value::Text("shut"))]);
    let mut teams = PrincipalFacts::new("north", "ada").with_teams(["t"]);
    let in_team = Principal::attested(Attestation::Assertion, teams.clone()).unwrap();
    teams.expires = Some(START);
    let everybody = [
        somebody("ada"),
        somebody("bob"),
        in_team,
        Principal::attested(Attestation::Assertion, teams).unwrap(),
    ];
    let mut questions = Vec::new();
    for who in &everybody {
        for permission in ["doc:read", "doc:read:own", "doc:read:all", "doc:write", "invoice:read"] {
            for kind in ["doc", "invoice"] {
                for tenant in ["north", "south"] {
                    for attributes in [&[][..], &open, &closed] {
                        let on = Resource::record(tenant, kind, "1").with_attributes(attributes);
                        for on in [
                            on,
                            on.in_team("t"),
                            on.owned_by(Owner::Sealed("ada")),
                            on.owned_by(Owner::Asserted("ada")),
                        ] {
                            questions.push(ask(who, permission, on));
                        }
                    }
                }
            }
        }
    }
    let alone: Vec<Verdict> = questions.iter().map(|one| engine().decide(one).0).collect();
    assert!(alone.iter().any(|one| matches!(one, Verdict::Allow { .. })));
    let shared = engine();
    let mut at = 0;
    for _ in 0..questions.len() * 3 {
        at = (at + 389) % questions.len();
        assert_eq!(shared.decide(&questions[at]).0, alone[at], "{:?}", questions[at]);
    }
}

/// An inheritance that was removed and an elevation that has ended grant nothing from then on.
#[test]
fn class_2_a_removed_inheritance_and_an_ended_elevation_grant_nothing() {
    let before = "version = 1\n[permissions]\n\"doc:read\" = {}\n[roles.base]\nallow = [\"doc:read\"]\n[roles.top]\ninherits = [\"base\"]\n";
    let engine = Engine::new(policy(before), Assignments::HeldOnly(assigned(&[("ada", "top")])));
    let (ada, on) = (somebody("ada"), Resource::record("north", "doc", "1"));
    assert!(allows(&engine, &ask(&ada, "doc:read", on)));
    let after = engine.replace(policy(&before.replace("inherits = [\"base\"]", "")));
    let question = ask(&ada, "doc:read", on).at_least(after);
    assert!(!allows(&engine, &question));
    let until = UnixTime::from_secs(START.as_secs() + 1);
    engine.change(&[Change::Assign(Assignment::new("north", "ada", "base").expires(until))]).unwrap();
    assert!(allows(&engine, &question));
    let mut ended = question;
    ended.now = until;
    assert!(!allows(&engine, &ended));
}

/// One policy allows reading, the other writing: nobody ever has both or neither, and a snapshot says one thing for ever.
#[test]
fn class_3_readers_see_one_whole_state_while_policies_are_replaced() {
    let of = |action: &str| {
        policy(&format!(
            "version = 1\n[permissions]\n\"doc:read\" = {{}}\n\"doc:write\" = {{}}\n[roles.r]\nallow = [\"doc:{action}\"]\n"
        ))
    };
    let (reads, writes) = (of("read"), of("write"));
    let engine = Arc::new(Engine::new(reads.clone(), Assignments::HeldOnly(assigned(&[("ada", "r")]))));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (ada, on) = (somebody("ada"), Resource::record("north", "doc", "1"));
                let mut last = Revision(0);
                while !over.load(Ordering::Relaxed) {
                    let snapshot = engine.snapshot();
                    let read = allows(&*snapshot, &ask(&ada, "doc:read", on));
                    let write = allows(&*snapshot, &ask(&ada, "doc:write", on));
                    assert_ne!(read, write);
                    assert_eq!(read, snapshot.revision().0 % 2 == 1, "revision 1 reads, 2 writes, and so on");
                    assert!(snapshot.revision() >= last);
                    last = snapshot.revision();
                }
            });
        }
        for turn in 0..2_000 {
            engine.replace(if turn % 2 == 0 { writes.clone() } else { reads.clone() });
        }
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(engine.revision(), Revision(2_001));
}

/// Every kind of thing that can be out of reach, missing, or of another type: never an allow, and a definite no stays one.
#[test]
fn class_5_a_fact_that_fails_opens_nothing() {
    let text = r#"
        version = 1
        [permissions]
        "doc:read" = {}
        "doc:write" = {}
        [conditions.open]
        equals = { "resource.status" = "open" }
        [conditions.blocked]
        equals = { "resource.blocked" = true }
        [roles.r]
        allow = [{ permission = "doc:read", when = "open" }, "doc:write"]
        deny = [{ permission = "doc:write", when = "blocked" }]
    "#;
    let engine = Engine::new(policy(text), Assignments::HeldOnly(assigned(&[("ada", "r")])));
    let ada = somebody("ada");
    for value in [
        Value::Unavailable,
        Value::Number(1),
        Value::Flag(true),
        Value::Text("OPEN"),
        Value::Texts(&["open"]),
        Value::Texts(&[]),
    ] {
        let attributes = [Attribute::new("status", value)];
        let on = Resource::record("north", "doc", "1").with_attributes(&attributes);
        assert!(!allows(&engine, &ask(&ada, "doc:read", on)), "{value:?}");
        let attributes = [Attribute::new("blocked", value)];
        let on = on.with_attributes(&attributes);
        assert!(!allows(&engine, &ask(&ada, "doc:write", on)), "{value:?}");
    }
    assert!(!allows(&engine, &ask(&ada, "doc:write", Resource::record("north", "doc", "1"))));
    let attributes = [Attribute::new("blocked", Value::Flag(false))];
    let on = Resource::record("north", "doc", "1").with_attributes(&attributes);
    assert!(allows(&engine, &ask(&ada, "doc:write", on)), "a definite no is no deny");
}

#[test]
fn class_6_nothing_is_granted_by_nothing() {
    let everything = policy("version = 1\n[permissions]\n\"doc:read\" = {}\n[roles.r]\nallow = [\"*:*\"]\n");
    let engines = [
        Engine::new(Policy::default(), Assignments::HeldOnly(assigned(&[("ada", "r")]))),
        Engine::new(policy("version = 1"), Assignments::HeldOnly(assigned(&[("ada", "r")]))),
        Engine::new(everything.clone(), Assignments::HeldOnly(HeldAssignments::new())),
        Engine::new(everything.clone(), Assignments::Held(assigned(&[("ada", "r")]))),
        Engine::new(everything.clone(), Assignments::TokenOnly(vec![])),
        Engine::new(everything, Assignments::TokenOnly(vec![String::new()])),
    ];
    let ada = somebody("ada");
    for engine in &engines {
        for (tenant, kind, id) in
            [("north", "doc", "1"), ("north", "doc", ""), ("north", "", ""), ("", "doc", "1"), ("", "", "")]
        {
            assert!(!allows(engine, &ask(&ada, "doc:read", Resource::record(tenant, kind, id))));
            assert!(!allows(engine, &ask(&ada, "doc:read", Resource::collection(tenant, kind))));
        }
    }
    for name in ["", ":", "doc", "doc:", ":read", "doc:read:", "*:*", "doc:*"] {
        assert!(PermissionName::parse(name).is_err(), "{name:?}");
    }
    assert!(Principal::attested(Attestation::Token, PrincipalFacts::new("", "ada")).is_err());
    assert!(Principal::attested(Attestation::Token, PrincipalFacts::new("north", "")).is_err());
}

/// Texts that made other engines panic, in every place where a text of an asker comes in.
#[test]
fn class_7_no_text_of_an_asker_makes_it_panic() {
    let engine = Engine::new(policy(TWO_KINDS), Assignments::Held(assigned(&[("ada", "reader")])));
    let texts = [
        "/é…",
        "a*",
        "[",
        "(?P<",
        "\\",
        "٣",
        "é",
        "\u{202e}",
        "999.999.999.999",
        "::",
        "{}",
        "%s%n",
        "e\u{301}",
        "🛂",
    ];
    for text in texts {
        let facts =
            PrincipalFacts::new(text, text).with_roles([text, "reader"]).with_teams([text]).with_issuer(text);
        let Ok(who) = Principal::attested(Attestation::Token, facts) else { continue };
        let attributes = [Attribute::new("status", Value::Text(text))];
        let on = Resource::record(text, "doc", text)
            .in_team(text)
            .owned_by(Owner::Asserted(text))
            .with_attributes(&attributes);
        let question = ask(&who, "doc:read:team", on);
        assert!(!allows(&engine, &question), "{text}");
        assert!(!engine.explain(&question).to_string().is_empty());
        let on = Resource::record(text, text, text);
        assert!(!allows(&engine, &ask(&who, "doc:read", on)), "{text}");
        assert!(PermissionName::parse(text).is_err());
    }
}

#[test]
fn class_8_a_wildcard_matches_whole_segments_of_the_catalogue_only() {
    let text = r#"
        version = 1
        [permissions]
        "doc:read" = {}
        "doc:read-all" = {}
        "doc:reads" = {}
        "docs:read" = {}
        "doc-x:read" = {}
        "xdoc:read" = {}
        [roles.r]
        allow = ["doc:*"]
    "#;
    let engine = Engine::new(policy(text), Assignments::HeldOnly(assigned(&[("ada", "r")])));
    let ada = somebody("ada");
    for (permission, granted) in [
        ("doc:read", true),
        ("doc:read-all", true),
        ("doc:reads", true),
        ("docs:read", false),
        ("doc-x:read", false),
        ("xdoc:read", false),
        ("doc:rea", false),
        ("doc:write", false),
        ("doc:read:all", true),
    ] {
        let kind = permission.split(':').next().unwrap();
        assert_eq!(
            allows(&engine, &ask(&ada, permission, Resource::record("north", kind, "1"))),
            granted,
            "{permission}"
        );
    }
    for near in [
        "doc:read\n",
        "doc:read\0",
        "doc:read ",
        " doc:read",
        "doc:read.",
        "doc:read/",
        "doc::read",
        "doc:read::",
        "doc:read:all:all",
        "doc:read:ALL",
        "doc:*:all",
    ] {
        assert!(PermissionName::parse(near).is_err(), "{near:?}");
    }
}

/// Names that look or fold alike are different names.
#[test]
fn class_9_what_looks_alike_is_somebody_else() {
    let alike = [
        "ada",
        "Ada",
        "ADA",
        "аda",
        "ada\u{200b}",
        "a\u{308}da",
        "äda",
        "kelvin",
        "\u{212a}elvin",
        "ſ",
        "s",
        "ß",
        "ss",
        "ada ",
    ];
    for holder in alike {
        let held = HeldAssignments::new().assign("north", holder, "clerk");
        let engine = Engine::new(policy(TWO_KINDS), Assignments::HeldOnly(held));
        for subject in alike {
            let Ok(who) = Principal::attested(Attestation::Assertion, PrincipalFacts::new("north", subject))
            else {
                continue;
            };
            let on = Resource::record("north", "invoice", "1");
            assert_eq!(
                allows(&engine, &ask(&who, "invoice:read", on)),
                subject == holder,
                "{holder:?} {subject:?}"
            );
            let mine = ask(&who, "invoice:read", on);
            assert_eq!(mine.who.subject(), subject);
        }
    }
}

/// A number belongs to one policy. In the next it misses, also where the next is the same text.
#[test]
fn class_10_a_number_of_one_policy_means_nothing_in_the_next() {
    let engine = Engine::new(policy(TWO_KINDS), Assignments::HeldOnly(assigned(&[("bob", "clerk")])));
    let bob = somebody("bob");
    let name = PermissionName::parse("invoice:read").unwrap();
    let old = engine.snapshot().permission_id(name).unwrap();
    assert!(engine.snapshot().standing(&bob, START).reach(old).is_some());
    let other = "version = 1\n[permissions]\n\"a:a\" = {}\n\"b:b\" = {}\n\"c:c\" = {}\n[roles.clerk]\nallow = [\"*:*\"]\n";
    for next in [other, TWO_KINDS] {
        engine.replace(policy(next));
        assert_eq!(engine.snapshot().standing(&bob, START).reach(old), None);
    }
    assert!(engine.snapshot().permission_id(name).is_some());
}

/// Groups, roles and people of one tenant are nobody's in another, also under one name and moved together.
#[test]
fn class_12_groups_do_not_bleed_into_another_tenant() {
    let held = HeldAssignments::new()
        .with(Assignment::to_group("south", "staff", "clerk"))
        .join("north", "staff", "bob")
        .join("south", "staff", "eve");
    let engine = Engine::new(policy(TWO_KINDS), Assignments::HeldOnly(held));
    let in_tenant = |tenant: &str, subject: &str| {
        Principal::attested(Attestation::Assertion, PrincipalFacts::new(tenant, subject)).unwrap()
    };
    let reads = |who: &Principal, on: &str| {
        allows(&engine, &ask(who, "invoice:read", Resource::record(on, "invoice", "1")))
    };
    assert!(!reads(&in_tenant("north", "bob"), "north") && !reads(&in_tenant("north", "bob"), "south"));
    assert!(reads(&in_tenant("south", "eve"), "south") && !reads(&in_tenant("south", "eve"), "north"));
    assert!(!reads(&in_tenant("north", "eve"), "north"));
    engine
        .change(&[
            join("staff", "eve"),
            Change::Leave { tenant: "north".into(), group: "staff".into(), subject: "eve".into() },
        ])
        .unwrap();
    assert!(
        reads(&in_tenant("south", "eve"), "south"),
        "leaving a group of another tenant takes nothing here"
    );
}

/// Whoever acts for another adds nothing: both are asked, each with their own name as the owner.
#[test]
fn class_13_an_owner_is_the_one_who_asks_and_nobody_who_acts_for_them() {
    let engine = Engine::new(
        policy(TWO_KINDS),
        Assignments::HeldOnly(assigned(&[("ada", "reader"), ("robot", "reader")])),
    );
    let mut facts = PrincipalFacts::new("north", "ada");
    facts.actor = Some(somebody("robot"));
    let robot = Principal::attested(Attestation::Assertion, facts).unwrap();
    let name = PermissionName::parse("doc:read").unwrap();
    let on = Resource::record("north", "doc", "1");
    for (owner, alone) in [
        (None, false),
        (Some(Owner::Sealed("")), false),
        (Some(Owner::Sealed("ada")), true),
        (Some(Owner::Sealed("robot")), false),
        (Some(Owner::Asserted("ada")), false),
    ] {
        let on = owner.map_or(on, |owner| on.owned_by(owner));
        assert_eq!(allows(&engine, &ask(&somebody("ada"), "doc:read", on)), alone, "{owner:?}");
        for decide in [Engine::decide_all, Engine::decide_any] {
            let verdict = decide(&engine, &robot, &[name], on, START).unwrap().0;
            assert!(matches!(verdict, Verdict::Deny { .. }), "{owner:?}");
        }
    }
}

/// 60 diamonds one above the other have 2⁶⁰ paths, and as many roles as are written.
#[test]
fn class_14_diamonds_are_counted_by_roles_and_not_by_paths() {
    let mut text =
        "version = 1\n[permissions]\n\"doc:read\" = {}\n[roles.n0]\nallow = [\"doc:read\"]\n".to_owned();
    for n in 1..=60 {
        let below = n - 1;
        text.push_str(&format!("[roles.a{n}]\ninherits = [\"n{below}\"]\n[roles.b{n}]\ninherits = [\"n{below}\"]\n[roles.n{n}]\ninherits = [\"a{n}\", \"b{n}\"]\n"));
    }
    let engine = Engine::new(policy(&text), Assignments::HeldOnly(assigned(&[("ada", "n60")])));
    let (ada, on) = (somebody("ada"), Resource::record("north", "doc", "1"));
    assert!(allows(&engine, &ask(&ada, "doc:read", on)));
    assert_eq!(engine.explain(&ask(&ada, "doc:read", on)).rule().unwrap().path().count(), 121);
    let closed = text.replace("[roles.n0]\n", "[roles.n0]\ninherits = [\"n60\"]\n");
    let error = Policy::parse(&closed).unwrap_err().to_string();
    assert!(error.contains("circle") && error.contains("n60"), "{error}");
}

/// Everybody and nobody in particular: a deny for whoever it is holds in each small world.
#[test]
fn class_19_a_deny_for_everybody_leaves_out_nobody() {
    let rules = ["", "\"doc:read\"", "{ permission = \"doc:read\", when = \"open\" }"];
    let states = [None, Some("open"), Some("shut")];
    for allow in rules {
        for deny in rules {
            let text = format!(
                "version = 1\n[permissions]\n\"doc:read\" = {{}}\n[conditions.open]\nequals = {{ \"resource.status\" = \"open\" }}\n[roles.everybody]\nallow = [{allow}]\ndeny = [{deny}]\n"
            );
            let held = HeldAssignments::new()
                .with(Assignment::to_group("north", "all", "everybody"))
                .join("north", "all", "ada");
            for mode in [Assignments::HeldOnly as fn(_) -> _, Assignments::Held] {
                let engine = Engine::new(policy(&text), mode(held.clone()));
                for named in [&[][..], &["everybody"]] {
                    let facts = PrincipalFacts::new("north", "ada").with_roles(named);
                    let ada = Principal::attested(Attestation::Assertion, facts).unwrap();
                    for state in states {
                        let attributes: Vec<_> = state
                            .map(|state| Attribute::new("status", Value::Text(state)))
                            .into_iter()
                            .collect();
                        let on = Resource::record("north", "doc", "1").with_attributes(&attributes);
                        let is_active = !named.is_empty()
                            || matches!(mode(HeldAssignments::new()), Assignments::HeldOnly(_));
                        let allowed = match allow {
                            "" => false,
                            "\"doc:read\"" => true,
                            _ => state == Some("open"),
                        };
                        let denied = match deny {
                            "" => false,
                            "\"doc:read\"" => true,
                            _ => state != Some("shut"),
                        };
                        assert_eq!(
                            allows(&engine, &ask(&ada, "doc:read", on)),
                            is_active && allowed && !denied,
                            "{text} {named:?} {state:?}"
                        );
                    }
                }
            }
        }
    }
}

/// What a policy cannot say in a peer's answer: names, values, subjects.
#[test]
fn class_21_nothing_of_people_or_records_stands_in_what_is_shown() {
    let canary = "canary-7f3a";
    let held = HeldAssignments::new()
        .with(Assignment::new("north", canary, "reader").granted_by(canary).because(canary));
    let engine = Engine::new(policy(TWO_KINDS), Assignments::HeldOnly(held));
    let who = Principal::attested(
        Attestation::Assertion,
        PrincipalFacts::new("north", canary).with_teams([canary]),
    )
    .unwrap();
    let attributes = [Attribute::new("status", Value::Text(canary))];
    let on = Resource::record("north", "doc", canary)
        .in_team(canary)
        .owned_by(Owner::Asserted(canary))
        .with_attributes(&attributes);
    let question = ask(&who, "doc:read", on);
    let explained = engine.explain(&question);
    let change = Change::Assign(Assignment::new("north", canary, "reader").because(canary));
    let shown = [
        format!("{:?}", engine),
        format!("{:?}", engine.snapshot()),
        format!("{:?}", engine.snapshot().standing(&who, START)),
        format!("{explained:?} {explained} {}", explained.for_peer()),
        format!("{change:?}"),
        format!("{:?}", engine.snapshot().assignments("north")),
    ];
    for shown in &shown {
        assert!(!shown.contains(canary), "{shown}");
    }
    assert!(["reader", "open", "doc"].iter().all(|word| !explained.for_peer().contains(word)));
}
