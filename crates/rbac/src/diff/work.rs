//! Two policies beside each other, role by role.

use std::{
    collections::{BTreeSet, HashMap},
    iter::Peekable,
    rc::Rc,
    vec::IntoIter,
};

use super::{
    Gain, What,
    limits::{Limit, limits},
    said::{self, Changed, Said, Tests, Thing},
};
use crate::{
    Effect,
    policy::{Compiled, PermissionInfo, Role},
    reach::{Owners, Reach},
    shape::ShapeId,
};

/// The two policies, and what was found so far.
pub(super) struct Work<'p> {
    old: Side<'p>,
    new: Side<'p>,
    /// The permissions of both, sorted.
    permissions: Vec<Pair<'p>>,
    /// Both have the same permissions with the same scopes, and so the same numbers for them.
    alike: bool,
    gained: Vec<Gain>,
    lost: Vec<Gain>,
    /// Most pairs of shapes come again and again.
    known: HashMap<(ShapeId, ShapeId, [u8; 2]), Rc<Changed>>,
}

/// One permission of either policy.
struct Pair<'p> {
    name: &'p str,
    old: Option<&'p PermissionInfo>,
    new: Option<&'p PermissionInfo>,
}

struct Side<'p> {
    policy: &'p Compiled,
    /// The tests of every set of conditions.
    tests: Vec<Tests>,
    /// The place of each permission among those of both sides.
    places: Vec<u32>,
}

type Row = Peekable<IntoIter<(u32, ShapeId)>>;

impl<'p> Work<'p> {
    pub(super) fn new(old: &'p Compiled, new: &'p Compiled) -> Self {
        let permissions = side_by_side(&old.permissions, &new.permissions);
        let place = |of: fn(&Pair<'p>) -> bool| {
            let of_side = permissions.iter().zip(0..).filter(move |(pair, _)| of(pair));
            of_side.map(|(_, place)| place).collect::<Vec<u32>>()
        };
        let (old_places, new_places) = (place(|pair| pair.old.is_some()), place(|pair| pair.new.is_some()));
        let is_alike = |pair: &Pair<'_>| match (pair.old, pair.new) {
            (Some(old), Some(new)) => old.scopes == new.scopes,
            _ => false,
        };
        Self {
            alike: permissions.iter().all(is_alike),
            old: Side { policy: old, tests: said::tests_of(old), places: old_places },
            new: Side { policy: new, tests: said::tests_of(new), places: new_places },
            permissions,
            gained: Vec::new(),
            lost: Vec::new(),
            known: HashMap::new(),
        }
    }

    /// What is gained and what is lost, sorted.
    pub(super) fn done(mut self) -> (Vec<Gain>, Vec<Gain>) {
        self.roles();
        self.owners();
        self.limits();
        self.gained.sort_unstable();
        self.lost.sort_unstable();
        (self.gained, self.lost)
    }

    fn roles(&mut self) {
        let named = |policy: &'p Compiled| policy.roles.iter().map(|role| (&*role.name, role.is_system));
        let roles: BTreeSet<(&str, bool)> = named(self.old.policy).chain(named(self.new.policy)).collect();
        for (name, is_system) in roles {
            if self.alike && self.is_plainly_alike(name, is_system) {
                continue;
            }
            // A role that changed its realm is another one.
            let (mut old, mut new) = (self.old.row(name, is_system), self.new.row(name, is_system));
            while let Some(at) = old.peek().into_iter().chain(new.peek()).map(|(place, _)| *place).min() {
                let take = |row: &mut Row| row.next_if(|(place, _)| *place == at).map(|(_, shape)| shape);
                let (before, after) = (take(&mut old), take(&mut new));
                self.compare(name, at, before.unwrap_or_default(), after.unwrap_or_default());
            }
        }
        for role in &self.new.policy.roles {
            match self.old.role(&role.name).map(|old| (old.is_system, role.is_system)) {
                Some((false, true)) => self.say(true, &role.name, What::Gives("acts across tenants".into())),
                Some((true, false)) => self.say(false, &role.name, What::Gives("acts across tenants".into())),
                _ => {}
            }
        }
    }

    /// Whether a role says the same in both, and nothing that would have to be looked at closer: most roles, mostly.
    fn is_plainly_alike(&self, role: &str, is_system: bool) -> bool {
        match (self.old.id(role, is_system), self.new.id(role, is_system)) {
            (Some(one), Some(two)) => {
                let (old, new) = (&self.old.policy.rights, &self.new.policy.rights);
                let has = |(permission, shape): (u32, ShapeId)| {
                    !shape.has_detail() && new.of(two, permission) == shape
                };
                old.said(one).count() == new.said(two).count() && old.said(one).all(has)
            }
            _ => false,
        }
    }

    fn compare(&mut self, role: &str, at: u32, before: ShapeId, after: ShapeId) {
        let Some(Pair { name, old, new }) = self.permissions.get(at as usize) else { return };
        let scopes = [old, new].map(|info| info.map_or(&[][..], |info| &info.scopes));
        let [old_scopes, new_scopes] = scopes;
        // Without details the number says all, and says the same in both.
        if before == after && !before.has_detail() && old_scopes == new_scopes {
            return;
        }
        let key = (before, after, scopes.map(bits));
        let changed = match self.known.get(&key) {
            Some(known) => Rc::clone(known),
            None => {
                let mut fields = said::fields_of(self.old.policy, before);
                fields.extend(said::fields_of(self.new.policy, after));
                // For all that neither names.
                fields.insert("*".into());
                let old = Said::of(self.old.policy, &self.old.tests, before, old_scopes, &fields);
                let new = Said::of(self.new.policy, &self.new.tests, after, new_scopes, &fields);
                let changed = Rc::new(Changed::between(&old, &new));
                self.known.insert(key, Rc::clone(&changed));
                changed
            }
        };
        let gain = |(thing, tests): &(Thing, Tests)| Gain { role: role.into(), what: thing.of(name, tests) };
        for (changed, found) in [(&changed.gained, &mut self.gained), (&changed.lost, &mut self.lost)] {
            found.extend(changed.iter().filter(|one| is_worth_a_line(one, changed, scopes)).map(gain));
        }
    }

    fn owners(&mut self) {
        let both =
            self.permissions.iter().filter_map(|pair| Some((pair.name, pair.old?.owners, pair.new?.owners)));
        let changed: Vec<(&str, bool)> = both
            .filter(|(_, old, new)| old != new)
            .map(|(name, _, new)| (name, new == Owners::Asserted))
            .collect();
        for (name, is_gain) in changed {
            self.say(
                is_gain,
                "",
                What::Gives(format!("{name} believes owners that the caller names").into()),
            );
        }
    }

    /// A limit that is gone is a gain; one of roles that are gone altogether is none.
    fn limits(&mut self) {
        let (old, new) = (limits(self.old.policy), limits(self.new.policy));
        let beyond =
            |some: &BTreeSet<(Box<str>, Limit)>, others: &BTreeSet<(Box<str>, Limit)>, side: &Side<'_>| {
                let has = |role: &str| side.role(role).is_some();
                let some = some.iter().filter(|(role, limit)| {
                    (role.is_empty() || has(role))
                        && limit.among(has).is_some_and(|limit| {
                            !others.iter().any(|(other, stricter)| other == role && stricter.covers(&limit))
                        })
                });
                some.cloned().collect::<Vec<_>>()
            };
        let (gone, come) = (beyond(&old, &new, &self.new), beyond(&new, &old, &self.old));
        for ((role, limit), is_gain) in
            gone.iter().map(|one| (one, true)).chain(come.iter().map(|one| (one, false)))
        {
            self.say(is_gain, role, What::Limit(limit.to_string().into()));
        }
    }

    fn say(&mut self, is_gain: bool, role: &str, what: What) {
        let gain = Gain { role: role.into(), what };
        if is_gain { self.gained.push(gain) } else { self.lost.push(gain) }
    }
}

/// The permissions of both, each once. Both lists are sorted by name.
fn side_by_side<'p>(old: &'p [PermissionInfo], new: &'p [PermissionInfo]) -> Vec<Pair<'p>> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut pairs = Vec::with_capacity(old.len().max(new.len()));
    while let Some(name) = old.peek().into_iter().chain(new.peek()).map(|info| &*info.name).min() {
        let (old, new) = (old.next_if(|info| *info.name == *name), new.next_if(|info| *info.name == *name));
        pairs.push(Pair { name, old, new });
    }
    pairs
}

impl<'p> Side<'p> {
    fn id(&self, role: &str, is_system: bool) -> Option<u32> {
        let id = self.policy.role_ids.get(role).copied();
        id.filter(|id| self.policy.role(*id).is_some_and(|role| role.is_system == is_system))
    }

    /// What a role says, by the shared places of permissions. Both sides are sorted by name, so the row stays in order.
    fn row(&self, role: &str, is_system: bool) -> Row {
        let row = self.id(role, is_system).map(|id| self.policy.rights.row(id)).unwrap_or_default();
        let place = |(id, shape): (u32, ShapeId)| Some((*self.places.get(id as usize)?, shape));
        row.into_iter().filter_map(place).collect::<Vec<_>>().into_iter().peekable()
    }

    fn role(&self, name: &str) -> Option<&'p Role> {
        self.policy.role_ids.get(name).and_then(|id| self.policy.role(*id))
    }
}

impl Thing {
    fn of(&self, permission: &str, tests: &Tests) -> What {
        let (permission, when) = (permission.into(), (!tests.is_empty()).then(|| tests.join(" and ").into()));
        match self.clone() {
            Self::Rule(effect, reach) => What::Rule { effect, permission, reach, when },
            Self::Show(reach, field) => What::Field { permission, reach, when, field },
            Self::Hide(field) => What::Hides { permission, field },
        }
    }
}

/// A deny of all is one of own and team too: where the catalogue has no such scopes nobody needs to be told.
fn is_worth_a_line((thing, when): &(Thing, Tests), all: &[(Thing, Tests)], scopes: [&[Reach]; 2]) -> bool {
    let Thing::Rule(Effect::Deny, reach) = thing else { return true };
    let is_wider = |other: &Thing| matches!(other, Thing::Rule(Effect::Deny, other) if other > reach);
    scopes.iter().any(|listed| listed.contains(reach))
        || !all.iter().any(|(other, tests)| tests == when && is_wider(other))
}

fn bits(scopes: &[Reach]) -> u8 {
    scopes.iter().fold(0, |bits, scope| bits | 1 << scope.index())
}
