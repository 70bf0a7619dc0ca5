//! The invariants that hold whatever the policy says.

use std::collections::BTreeSet;

use bartizan_core::{Ask, PermissionName, UnixTime, Verdict};
use proptest::prelude::*;

use bartizan_rbac::Policy;

use crate::{
    oracle,
    world::{Dice, Known, Question, World},
};

/// Calls `check` with many worlds, an engine for each, and questions to it.
fn in_many_worlds(worlds: u64, mut check: impl FnMut(&World, &Question, &mut Dice, u64)) {
    for seed in 0..worlds {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        for _ in 0..30 {
            let question = Question::random(&world, &mut dice);
            check(&world, &question, &mut dice, seed);
        }
    }
}

#[test]
fn compiled_answers_equal_the_naive_oracles() {
    let (mut allowed, mut denied, mut partly) = (0, 0, 0);
    for seed in 0..500 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let engine = world.engine(&mut dice);
        for _ in 0..60 {
            let question = Question::random(&world, &mut dice);
            let expected = oracle::decide(&world, &question);
            assert_eq!(
                question.answer(&engine),
                expected,
                "seed {seed}\n{question:#?}\n{}",
                world.to_toml(&mut dice)
            );
            match expected {
                None => denied += 1,
                Some(fields) if fields.is_empty() || fields.len() == World::FIELDS.len() => allowed += 1,
                Some(_) => partly += 1,
            }
        }
    }
    // A generator that never allows would agree with an engine that never does.
    assert!(allowed > 3_000 && partly > 1_500 && denied > 10_000, "{allowed} {partly} {denied}");
}

#[test]
fn the_empty_policy_denies_everything() {
    let mut dice = Dice::new(7);
    let questions = World::random(&mut dice);
    for world in [
        World { roles: Default::default(), ..questions.clone() },
        World { permissions: vec![], roles: Default::default(), assigned: Default::default() },
    ] {
        let engine = world.engine(&mut dice);
        for _ in 0..200 {
            let question = Question::random(&questions, &mut dice);
            assert_eq!(question.verdict(&engine), Verdict::Deny { rule: None });
        }
    }
    let engine = crate::support::token_only(Policy::default());
    let question = Question::random(&questions, &mut dice);
    assert_eq!(question.verdict(&engine), Verdict::Deny { rule: None });
}

#[test]
fn adding_a_grant_never_removes_access() {
    let mut widened = 0;
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let mut more = world.clone();
        let name = more.roles.keys().nth(dice.below(more.roles.len())).unwrap().clone();
        let mut list = more.roles[&name].allow.clone();
        world.add(&mut list, &mut dice, false);
        more.roles.get_mut(&name).unwrap().allow = list;
        let (before, after) = (world.engine(&mut dice), more.engine(&mut dice));
        for _ in 0..30 {
            let question = Question::random(&world, &mut dice);
            let (before, after) = (question.answer(&before), question.answer(&after));
            assert!(is_within(&before, &after), "seed {seed} {question:?}");
            widened += usize::from(before != after);
        }
    }
    assert!(widened > 100, "{widened}");
}

#[test]
fn adding_a_deny_never_adds_access() {
    let mut narrowed = 0;
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let mut less = world.clone();
        let name = less.roles.keys().nth(dice.below(less.roles.len())).unwrap().clone();
        let mut list = less.roles[&name].deny.clone();
        world.add(&mut list, &mut dice, true);
        less.roles.get_mut(&name).unwrap().deny = list;
        let (before, after) = (world.engine(&mut dice), less.engine(&mut dice));
        for _ in 0..30 {
            let question = Question::random(&world, &mut dice);
            let (before, after) = (question.answer(&before), question.answer(&after));
            assert!(is_within(&after, &before), "seed {seed} {question:?}");
            narrowed += usize::from(before != after);
        }
    }
    assert!(narrowed > 100, "{narrowed}");
}

#[test]
fn order_and_repeats_change_nothing_not_even_the_rule() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let (one, two) = (world.engine(&mut dice), world.engine(&mut dice));
        for _ in 0..30 {
            let question = Question::random(&world, &mut dice);
            let mut shuffled = question.clone();
            shuffled.roles.extend(question.roles.clone());
            dice.shuffle(&mut shuffled.roles);
            dice.shuffle(&mut shuffled.teams);
            assert_eq!(question.verdict(&one), shuffled.verdict(&two), "seed {seed} {question:?}");
        }
    }
}

#[test]
fn asvs_8_4_1_no_edit_in_one_tenant_changes_an_answer_in_another() {
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let mut edited = world.clone();
        for subject in ["ada", "bob", "eve"] {
            for role in world.roles.keys() {
                let assignment = ("south".to_owned(), subject.to_owned(), role.clone());
                if !edited.assigned.remove(&assignment) {
                    edited.assigned.insert(assignment);
                }
            }
        }
        let (before, after) = (world.engine(&mut dice), edited.engine(&mut dice));
        for _ in 0..30 {
            let mut question = Question::random(&world, &mut dice);
            question.tenant = "north".to_owned();
            assert_eq!(question.verdict(&before), question.verdict(&after), "seed {seed} {question:?}");
            question.on_tenant = "south".to_owned();
            assert_eq!(question.verdict(&before), Verdict::Deny { rule: None }, "seed {seed} {question:?}");
        }
    }
}

#[test]
fn what_is_unknown_never_helps() {
    let mut lost = 0;
    let mut engine = None;
    in_many_worlds(200, |world, question, dice, seed| {
        let engine = match &engine {
            Some((known, engine)) if *known == seed => engine,
            _ => &engine.insert((seed, world.engine(dice))).1,
        };
        let before = question.answer(engine);
        let mut vaguer = vec![question.clone(); 6];
        vaguer[0].owner = None;
        vaguer[1].team = None;
        vaguer[2].owner = question.owner.clone().map(|(_, owner)| (Known::Asserted, owner));
        vaguer[3].owner = question.owner.clone().map(|(known, _)| (known, String::new()));
        vaguer[4].team = Some(String::new());
        vaguer[5].owner = None;
        vaguer[5].team = None;
        for vague in vaguer {
            let after = vague.answer(engine);
            assert!(is_within(&after, &before), "seed {seed}\n{question:?}\n{vague:?}");
            lost += usize::from(after != before);
        }
        for unknown in ["doc:fly", "fly:read", "doc:readx:own", "doc:rea"] {
            let mut vague = question.clone();
            vague.permission = unknown.to_owned();
            assert_eq!(vague.answer(engine), None);
        }
    });
    assert!(lost > 200, "{lost}");
}

#[test]
fn explain_agrees_with_decide_and_its_rule_is_real() {
    let (mut allowed, mut denied) = (0, 0);
    for seed in 0..300 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let engine = world.engine(&mut dice);
        for _ in 0..30 {
            let question = Question::random(&world, &mut dice);
            let (who, permission) = (question.who(), PermissionName::parse(&question.permission).unwrap());
            let explanation = engine.explain(&Ask::new(&who, permission, question.on(), UnixTime::EPOCH));
            assert_eq!(*explanation.verdict(), question.verdict(&engine));
            match explanation.verdict() {
                Verdict::Deny { rule: None } => {
                    assert!(explanation.rule().is_none() && explanation.miss().is_some());
                    continue;
                }
                Verdict::Allow { .. } => allowed += 1,
                Verdict::Deny { .. } => denied += 1,
                Verdict::Unknown(cause) => panic!("{cause}"),
            }
            let rule = explanation.rule().unwrap();
            let path: Vec<&str> = rule.path().collect();
            let is_assigned = |role: &str| {
                world.assigned.contains(&(question.tenant.clone(), question.subject.clone(), role.to_owned()))
            };
            let is_denied = rule.effect() == bartizan_rbac::Effect::Deny;
            assert!(
                question.roles.iter().any(|role| role == path[0]) || is_denied && is_assigned(path[0]),
                "{rule}"
            );
            assert!(
                path.windows(2).all(|step| world.roles[step[0]].inherits.iter().any(|to| to == step[1])),
                "{rule}"
            );
            let last = &world.roles[*path.last().unwrap()];
            let list = match rule.effect() {
                bartizan_rbac::Effect::Allow => &last.allow,
                bartizan_rbac::Effect::Deny => &last.deny,
            };
            let written = |entry: &crate::world::Entry| match entry.scope {
                None => format!("{}:{}", entry.kind, entry.action),
                Some(scope) => format!("{}:{}:{scope}", entry.kind, entry.action),
            };
            assert!(list.iter().any(|entry| written(entry) == rule.written()), "{rule}");
            assert!(question.permission.starts_with(rule.permission()));
        }
    }
    assert!(allowed > 500 && denied > 200, "{allowed} {denied}");
}

#[test]
fn a_role_that_would_have_allowed_does_allow() {
    let mut tried = 0;
    for seed in 0..200 {
        let mut dice = Dice::new(seed);
        let mut world = World::random(&mut dice);
        for role in world.roles.keys() {
            world.assigned.insert(("north".to_owned(), "ada".to_owned(), role.clone()));
        }
        let engine = world.engine(&mut dice);
        for _ in 0..30 {
            let mut question = Question::random(&world, &mut dice);
            question.tenant = "north".to_owned();
            question.subject = "ada".to_owned();
            let (who, permission) = (question.who(), PermissionName::parse(&question.permission).unwrap());
            let explanation = engine.explain(&Ask::new(&who, permission, question.on(), UnixTime::EPOCH));
            let roles = match explanation.miss() {
                Some(
                    bartizan_rbac::Miss::NotGranted { would_allow }
                    | bartizan_rbac::Miss::NoRole { would_allow },
                ) => would_allow,
                Some(bartizan_rbac::Miss::TooNarrow { would_allow, .. }) => would_allow,
                _ => continue,
            };
            for role in roles {
                let mut with = question.clone();
                with.roles = vec![role.to_string()];
                assert!(with.answer(&engine).is_some(), "seed {seed} {role} {question:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}

fn is_within(less: &Option<BTreeSet<&str>>, more: &Option<BTreeSet<&str>>) -> bool {
    match (less, more) {
        (None, _) => true,
        (Some(less), Some(more)) => less.is_subset(more),
        (Some(_), None) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s).{0,300}") {
        let _ = Policy::parse(&text);
    }

    #[test]
    fn a_damaged_policy_is_refused_or_still_sound(at in 0_usize..2_000, cut in 0_usize..40, insert in "[\"\\[\\]{}=:*,a-z\n]{0,6}") {
        let whole = bartizan_rbac::presets::BEST_PRACTICES;
        let start = at.min(whole.len());
        let end = (start + cut).min(whole.len());
        let (Some(head), Some(tail)) = (whole.get(..start), whole.get(end..)) else { return Ok(()) };
        match Policy::parse(&format!("{head}{insert}{tail}")) {
            Ok(policy) => prop_assert!(policy.permissions().count() <= 8 + 1),
            Err(error) => {
                prop_assert!(!error.to_string().contains(|c: char| c.is_control()), "{error:?}");
            }
        }
    }
}
