//! Readers and writers at once: every decision is the oracle's at the revision that it names.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use bartizan_core::{PolicyEngine, Revision};
use bartizan_rbac::{Assignment, Change, Engine, Holder, Policy};

use super::{
    naive::{self, Answer},
    world::{Mode, Question, World},
};
use crate::world::Dice;

const READERS: usize = 16;
const WRITERS: usize = 4;
const WRITES: usize = 60;

#[test]
fn sixteen_readers_and_four_writers_agree_with_the_oracle_at_every_revision() {
    let mut dice = Dice::new(2026);
    let mut first = World::random(&mut dice);
    while first.roles.len() < 4 {
        first = World::random(&mut dice);
    }
    first.mode = Mode::HeldOnly;
    let second = {
        let mut other = World::random(&mut dice);
        while other.roles.len() < 4 {
            other = World::random(&mut dice);
        }
        World { mode: Mode::HeldOnly, assigned: first.assigned.clone(), ..other }
    };
    let engine = Arc::new(first.engine());
    let history = Mutex::new(BTreeMap::from([(engine.revision(), first.clone())]));
    let (done, over, seen) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for writer in 0..WRITERS as u64 {
            let (engine, history, done, over) = (&engine, &history, &done, &over);
            let policies = [(&first, first.to_toml()), (&second, second.to_toml())];
            scope.spawn(move || {
                let mut dice = Dice::new(writer);
                for _ in 0..WRITES {
                    write(engine, history, &policies, &mut dice);
                }
                if done.fetch_add(1, Ordering::SeqCst) + 1 == WRITERS {
                    over.store(true, Ordering::SeqCst);
                }
            });
        }
        for reader in 0..READERS as u64 {
            let (engine, over, seen) = (&engine, &over, &seen);
            scope.spawn(move || {
                let (mut dice, mut mine) = (Dice::new(1_000 + reader), Vec::new());
                while !over.load(Ordering::SeqCst) || mine.len() < 50 {
                    let question = Question::random(&mut dice);
                    let (answer, revision) = question.asked(|ask| {
                        let (verdict, revision) = engine.decide(ask);
                        (Answer::of(&verdict), revision)
                    });
                    mine.push((question, answer, revision));
                    if mine.len() > 2_000 {
                        break;
                    }
                }
                seen.lock().unwrap().extend(mine);
            });
        }
    });
    let (history, seen) = (history.into_inner().unwrap(), seen.into_inner().unwrap());
    let mut revisions = std::collections::BTreeSet::new();
    for (question, answer, revision) in &seen {
        let world = &history[revision];
        assert_eq!(*answer, naive::decide(world, question), "revision {}\n{question:#?}", revision.0);
        revisions.insert(*revision);
    }
    assert_eq!(history.len(), WRITERS * WRITES + 1);
    assert!(seen.len() >= READERS * 50 && revisions.len() > 1, "{} {}", seen.len(), revisions.len());
}

/// One change under one revision, noted beside what was there. The lock is the history's own, so that notes are in order.
fn write(
    engine: &Engine,
    history: &Mutex<BTreeMap<Revision, World>>,
    policies: &[(&World, String); 2],
    dice: &mut Dice,
) {
    let mut history = history.lock().unwrap();
    let mut world = history.last_key_value().unwrap().1.clone();
    let (tenant, subject) = (dice.pick(&["north", "south"]), dice.pick(&["ada", "bob", "eve"]));
    let role = format!("r{}", dice.below(4));
    let revision = match dice.below(6) {
        0 => {
            let (other, text) = &policies[dice.below(2)];
            world = World { assigned: world.assigned, ..(*other).clone() };
            engine.replace(Policy::parse(text).unwrap())
        }
        1 | 2 => {
            let holder = Holder::Subject(subject.into());
            world.assigned.retain(|change| {
                !matches!(change, Change::Assign(one)
                    if one.tenant() == tenant && *one.holder() == holder && one.role() == role)
            });
            engine.change(&[Change::Revoke { tenant: tenant.into(), holder, role: role.into() }]).unwrap()
        }
        _ => {
            let change = Change::Assign(Assignment::new(tenant, subject, role));
            world.assigned.push(change.clone());
            engine.change(&[change]).unwrap()
        }
    };
    assert!(history.insert(revision, world).is_none(), "a revision is given once");
}

#[test]
fn what_was_revoked_is_denied_to_everybody_who_demands_that_revision() {
    let text = "version = 1\n[permissions]\n\"doc:read\" = {}\n[roles.r0]\nallow = [\"doc:read\"]\n";
    let held = bartizan_rbac::HeldAssignments::new().assign("north", "ada", "r0");
    let engine = Engine::new(Policy::parse(text).unwrap(), bartizan_rbac::Assignments::HeldOnly(held));
    let revoked = std::sync::atomic::AtomicU64::new(u64::MAX);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let at_least = revoked.load(Ordering::SeqCst);
                    let mut dice = Dice::new(1);
                    let question = Question {
                        tenant: "north",
                        subject: "ada",
                        on_tenant: "north",
                        permission: 0,
                        asks: None,
                        ..Question::random(&mut dice)
                    };
                    let (verdict, revision) = question.asked(|ask| {
                        engine.decide(&ask.at_least(Revision(if at_least == u64::MAX {
                            0
                        } else {
                            at_least
                        })))
                    });
                    if at_least != u64::MAX {
                        assert!(
                            revision.0 >= at_least && matches!(verdict, bartizan_core::Verdict::Deny { .. })
                        );
                    }
                }
            });
        }
        scope.spawn(|| {
            let holder = Holder::Subject("ada".into());
            let revoke = Change::Revoke { tenant: "north".into(), holder, role: "r0".into() };
            revoked.store(engine.change(&[revoke]).unwrap().0, Ordering::SeqCst);
        });
    });
}
