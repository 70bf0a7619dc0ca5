//! What must not change when the world does, and what must (metamorphic rules).

use bartizan_core::Realm;
use bartizan_rbac::{Assignment, Change};

use super::{
    naive::Answer,
    world::{Question, Rule, Status, World},
};
use crate::world::Dice;

/// Calls `check` with worlds, a changed copy of each, and questions to both.
fn changed(
    worlds: u64,
    change: impl Fn(&mut World, &mut Dice),
    check: impl Fn(&Answer, &Answer, &Question, &World, &World),
) {
    for seed in 0..worlds {
        let mut dice = Dice::new(seed.wrapping_mul(0xD1B5_4A32));
        let before = World::random(&mut dice);
        let mut after = before.clone();
        change(&mut after, &mut dice);
        let (old, new) = (before.engine(), after.engine());
        for _ in 0..30 {
            let question = Question::random(&mut dice);
            check(&question.answer(&old), &question.answer(&new), &question, &before, &after);
        }
    }
}

/// How much an answer gives: an allow with more fields is more; what cannot be told is no more than a deny.
fn gives_no_more(one: &Answer, than: &Answer) -> bool {
    match (one, than) {
        (Answer::Allow(one), Answer::Allow(two)) => one.is_subset(two),
        (Answer::Allow(_), _) => false,
        _ => true,
    }
}

fn rule(dice: &mut Dice, allows: bool) -> Rule {
    let permission = dice.below(super::world::PERMISSIONS.len());
    let when = if dice.one_in(2) { vec!["open"] } else { vec![] };
    Rule { allows, permission, scope: dice.pick(super::world::PERMISSIONS[permission].1), when }
}

#[test]
fn a_rule_that_allows_never_takes_anything_away() {
    changed(
        150,
        |world, dice| {
            let role = dice.below(world.roles.len());
            let new = rule(dice, true);
            let same = |one: &Rule| {
                (one.allows, one.permission, one.scope, &one.when)
                    == (new.allows, new.permission, new.scope, &new.when)
            };
            if !world.roles[role].rules.iter().any(same) {
                world.roles[role].rules.push(new);
            }
        },
        |before, after, question, old, _| {
            assert!(gives_no_more(before, after), "{before:?} {after:?}\n{question:#?}\n{}", old.to_toml());
        },
    );
}

#[test]
fn a_rule_that_denies_never_gives_anything() {
    changed(
        150,
        |world, dice| {
            let role = dice.below(world.roles.len());
            let new = rule(dice, false);
            let same = |one: &Rule| {
                (one.allows, one.permission, one.scope, &one.when)
                    == (new.allows, new.permission, new.scope, &new.when)
            };
            if !world.roles[role].rules.iter().any(same) {
                world.roles[role].rules.push(new);
            }
        },
        |before, after, question, old, _| {
            assert!(gives_no_more(after, before), "{before:?} {after:?}\n{question:#?}\n{}", old.to_toml());
        },
    );
}

#[test]
fn what_happens_in_one_tenant_changes_nothing_in_the_other() {
    changed(
        200,
        |world, dice| {
            world.assigned.retain(|change| change.tenant() == "north" || dice.one_in(2));
            let role = format!("r{}", dice.below(world.roles.len()));
            world.assigned.push(Change::Assign(Assignment::new("south", "ada", role)));
            world.assigned.push(Change::Remove { tenant: "south".into(), subject: "bob".into() });
        },
        |before, after, question, _, _| {
            if question.tenant == "north" {
                assert_eq!(before, after, "{question:#?}");
            }
        },
    );
}

#[test]
fn order_and_repeats_change_nothing() {
    changed(
        150,
        |world, dice| {
            for role in &mut world.roles {
                dice.shuffle(&mut role.rules);
                dice.shuffle(&mut role.inherits);
            }
            // The last assignment of a role counts: repeating all of them in the same order changes nothing.
            let again = world.assigned.clone();
            world.assigned.extend(again);
        },
        |before, after, question, _, _| assert_eq!(before, after, "{question:#?}"),
    );
}

#[test]
fn what_is_not_known_never_helps() {
    for seed in 0..250_u64 {
        let mut dice = Dice::new(seed.wrapping_mul(0xA24B_AED4));
        let world = World::random(&mut dice);
        let engine = world.engine();
        for _ in 0..30 {
            let question = Question::random(&mut dice);
            let known = question.answer(&engine);
            let mut less = Vec::new();
            less.push(Question { address: None, ..question.clone() });
            less.push(Question { login: None, ..question.clone() });
            less.push(Question { owner: None, ..question.clone() });
            less.push(Question { team: None, ..question.clone() });
            less.push(Question { status: Status::Missing, ..question.clone() });
            less.push(Question { status: Status::Unavailable, ..question.clone() });
            less.push(Question { in_team: false, team: question.team.map(|_| true), ..question.clone() });
            for unknown in &less[..6] {
                // Where the known fact is the worse one, the unknown one may be as good as it and no better.
                let best = [true, false].into_iter().flat_map(|good| {
                    let mut told = vec![question.answer(&engine)];
                    let mut other = question.clone();
                    match () {
                        () if unknown.address.is_none() => other.address = Some(good),
                        () if unknown.login.is_none() => other.login = Some(good),
                        () => other.status = if good { Status::Open } else { Status::Closed },
                    }
                    told.push(other.answer(&engine));
                    told
                });
                let answer = unknown.answer(&engine);
                assert!(
                    best.into_iter().any(|told| gives_no_more(&answer, &told))
                        || gives_no_more(&answer, &known),
                    "world {seed}: {answer:?} {known:?}\n{question:#?}\n{}",
                    world.to_toml()
                );
            }
        }
    }
}

#[test]
fn somebody_across_tenants_is_nobody_inside_of_one() {
    for seed in 0..60_u64 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let engine = world.engine();
        for _ in 0..20 {
            let question = Question::random(&mut dice);
            let answer = question.asked(|ask| {
                let mut facts = bartizan_core::PrincipalFacts::new(question.tenant, question.subject)
                    .with_roles(&question.named)
                    .with_issuer(crate::support::ISSUER);
                facts.realm = Realm::System;
                let who =
                    bartizan_core::Principal::attested(bartizan_core::Attestation::Token, facts).unwrap();
                let mut ask = *ask;
                ask.who = &who;
                Answer::of(&bartizan_core::PolicyEngine::decide(&engine, &ask).0)
            });
            assert_eq!(answer, Answer::Deny);
        }
    }
}
