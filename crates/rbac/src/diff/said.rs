//! What a role says about one permission, taken apart so that it can be subtracted.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    Effect,
    policy::{Compiled, WhenSet},
    reach::Reach,
    shape::{self, ShapeId},
    shown::SetId,
};

/// One thing that a role says, without role, permission and conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Thing {
    Rule(Effect, Reach),
    Show(Reach, Box<str>),
    Hide(Box<str>),
}

/// The canonical texts of tests that must all hold, sorted, each once; none for what always holds.
pub(super) type Tests = Rc<[Rc<str>]>;

/// What a role says about a permission: each thing with the alternatives under which it says so. None of the alternatives
/// implies another.
#[derive(Debug, Default)]
pub(super) struct Said(BTreeMap<Thing, Vec<Tests>>);

/// What is had beyond something else.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) gained: Vec<(Thing, Tests)>,
    pub(super) lost: Vec<(Thing, Tests)>,
}

impl Thing {
    const fn gives(&self) -> bool {
        matches!(self, Self::Rule(Effect::Allow, _) | Self::Show(..))
    }
}

/// The tests of every set of conditions of a policy.
pub(super) fn tests_of(policy: &Compiled) -> Vec<Tests> {
    let of = |set: &WhenSet| {
        let conditions = set.iter().filter_map(|id| policy.conditions.get(*id as usize));
        let texts: BTreeSet<Rc<str>> =
            conditions.flat_map(|condition| condition.tests()).map(|test| test.to_string().into()).collect();
        texts.into_iter().collect()
    };
    policy.when.iter().map(of).collect()
}

/// The names that a shape's field sets are written with. All others are alike.
pub(super) fn fields_of(policy: &Compiled, id: ShapeId) -> BTreeSet<Box<str>> {
    let Some(detail) = shape::detail(id, &policy.rights.details) else { return BTreeSet::new() };
    let sets =
        detail.clear.into_iter().chain([detail.visible]).chain(detail.when.iter().map(|one| one.clear));
    let sets: BTreeSet<SetId> = sets.collect();
    sets.into_iter().flat_map(|set| policy.shown.set(set).mentioned().to_vec()).collect()
}

impl Said {
    /// `scopes` are those that the catalogue lists: what nobody can ask for is not given.
    pub(super) fn of(
        policy: &Compiled,
        tests: &[Tests],
        id: ShapeId,
        scopes: &[Reach],
        fields: &BTreeSet<Box<str>>,
    ) -> Self {
        let shape = shape::shape(id, &policy.rights.details);
        let set = |id| policy.shown.set(id);
        let always: Tests = Rc::new([]);
        // Under what it is said, and what an allow shows then.
        let ways = |effect: Effect, reach: Reach| {
            let sure = match effect {
                Effect::Allow => shape.allow,
                Effect::Deny => shape.deny,
            };
            let sure = (sure >= Some(reach)).then(|| (always.clone(), shape.detail.clear_at(reach)));
            let may = shape.detail.when.iter().filter(move |one| one.effect == effect && one.reach >= reach);
            let may = may.filter_map(|one| Some((tests.get(one.when as usize)?.clone(), one.clear)));
            sure.into_iter().chain(may).collect::<Vec<(Tests, SetId)>>()
        };
        let mut said = Self::default();
        for reach in Reach::ALL {
            for (when, _) in ways(Effect::Deny, reach) {
                said.add(Thing::Rule(Effect::Deny, reach), when);
            }
        }
        let visible = set(shape.detail.visible);
        for reach in scopes {
            for (when, clear) in ways(Effect::Allow, *reach) {
                if said.covers(&Thing::Rule(Effect::Deny, *reach), &when) {
                    continue;
                }
                let clear = set(clear);
                for field in fields.iter().filter(|field| clear.contains(field) && visible.contains(field)) {
                    said.add(Thing::Show(*reach, field.clone()), when.clone());
                }
                said.add(Thing::Rule(Effect::Allow, *reach), when);
            }
        }
        for field in fields.iter().filter(|field| !visible.contains(field)) {
            said.add(Thing::Hide(field.clone()), always.clone());
        }
        said
    }

    fn add(&mut self, thing: Thing, when: Tests) {
        if !self.covers(&thing, &when) {
            let all = self.0.entry(thing).or_default();
            all.retain(|other| !is_implied(other, &when));
            all.push(when);
        }
    }

    /// Whether it is said whenever these tests hold.
    fn covers(&self, thing: &Thing, when: &Tests) -> bool {
        self.0.get(thing).is_some_and(|ways| ways.iter().any(|way| is_implied(when, way)))
    }

    fn beyond<'s>(&'s self, other: &'s Self) -> impl Iterator<Item = (Thing, Tests)> + 's {
        let all = self.0.iter().flat_map(|(thing, ways)| ways.iter().map(move |when| (thing, when)));
        all.filter(|(thing, when)| !other.covers(thing, when))
            .map(|(thing, when)| (thing.clone(), when.clone()))
    }
}

/// Whether all of the second hold where all of the first do.
fn is_implied(when: &Tests, by: &Tests) -> bool {
    by.iter().all(|test| when.binary_search(test).is_ok())
}

impl Changed {
    pub(super) fn between(old: &Said, new: &Said) -> Self {
        let mut changed = Self::default();
        for more in new.beyond(old) {
            if more.0.gives() { &mut changed.gained } else { &mut changed.lost }.push(more);
        }
        for less in old.beyond(new) {
            if less.0.gives() { &mut changed.lost } else { &mut changed.gained }.push(less);
        }
        changed
    }
}
