//! The whole language at once: conditions, bounds, groups, emergencies and separations, beside a naive reading of the README.

mod histories;
mod naive;
mod rules;
mod world;

use bartizan_core::UnixTime;

use self::{
    naive::Answer,
    world::{Question, World},
};
use crate::world::Dice;

/// `BARTIZAN_TEST_WORLDS=n` asks that many worlds, forty questions each.
fn worlds() -> u64 {
    let asked = bartizan_core::os::environment("BARTIZAN_TEST_WORLDS");
    asked.and_then(|number| number.expose().parse().ok()).unwrap_or(400)
}

#[test]
fn compiled_answers_equal_the_naive_ones_in_random_worlds() {
    let mut seen = [0_u32; 4];
    for seed in 0..worlds() {
        let mut dice = Dice::new(seed.wrapping_mul(0x9E37_79B9));
        let world = World::random(&mut dice);
        let engine = world.engine();
        for _ in 0..40 {
            let question = Question::random(&mut dice);
            let (expected, found) = (naive::decide(&world, &question), question.answer(&engine));
            assert_eq!(
                found,
                expected,
                "world {seed}\n{question:#?}\n{}\n{:#?}",
                world.to_toml(),
                world.assigned
            );
            seen[match expected {
                Answer::Allow(_) => 0,
                Answer::Deny => 1,
                Answer::Unavailable => 2,
                Answer::NeedsDurable => 3,
            }] += 1;
        }
    }
    // A generator that never gets there would agree with an engine that never does.
    let asked = (worlds() * 40) as u32;
    assert!(
        seen[0] > asked / 20 && seen[1] > asked / 3 && seen[2] > asked / 400 && seen[3] > asked / 1_000,
        "{seen:?}"
    );
}

#[test]
fn json_says_the_same_as_toml() {
    for seed in 0..60 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let value: toml::Table = world.to_toml().parse().unwrap();
        let json = serde_json::to_string(&value).unwrap();
        let (one, two) = (world.engine(), world.engine_of(bartizan_rbac::Policy::parse_json(&json).unwrap()));
        assert!(bartizan_rbac::PolicyDiff::between(&one.policy(), &two.policy()).is_empty(), "{json}");
        for _ in 0..40 {
            let question = Question::random(&mut dice);
            assert_eq!(question.answer(&one), question.answer(&two), "world {seed}");
        }
    }
}

#[test]
fn explain_agrees_with_decide_and_always_has_something_to_say() {
    for seed in 0..150 {
        let mut dice = Dice::new(seed);
        let world = World::random(&mut dice);
        let engine = world.engine();
        for _ in 0..40 {
            let question = Question::random(&mut dice);
            let (found, explanation) = (question.answer(&engine), question.explain(&engine));
            assert_eq!(Answer::of(explanation.verdict()), found, "world {seed}\n{question:#?}");
            assert!(
                explanation.rule().is_some() || explanation.miss().is_some(),
                "world {seed}\n{question:#?}"
            );
            assert!(
                !explanation.for_peer().contains('r'.to_string().repeat(2).as_str()) || found != Answer::Deny
            );
        }
    }
}

/// Everything with at most two roles, one permission and two tenants, without chance.
#[test]
fn small_worlds_are_answered_alike_without_exception() {
    let mut asked = 0;
    for world in World::all_small() {
        let engine = world.engine();
        for question in Question::all_small() {
            assert_eq!(
                question.answer(&engine),
                naive::decide(&world, &question),
                "{question:#?}\n{}\n{:#?}",
                world.to_toml(),
                world.assigned
            );
            asked += 1;
        }
    }
    assert!(asked > 100_000, "{asked}");
}

/// The time at which questions are asked; assignments begin and end around it.
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
