//! What one role, with all that it inherits, says about one permission.

use std::collections::HashMap;

use crate::{
    Effect,
    reach::Reach,
    shown::{EVERYTHING, NOTHING, SetId, Sets, TooMany},
};

/// What one role says about one permission. Most roles say no more than how far they allow or deny: that stands in the number
/// itself, and nothing else is read.
///
/// Bits 0 and 1: how far it allows; bits 2 and 3: how far it denies (0 for not at all); the rest: one more than the place of
/// its [`Detail`], or 0 when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ShapeId(u32);

/// What a [`ShapeId`] does not hold itself: fields and conditions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Detail {
    /// In clear, for a record at each reach, without any condition.
    pub(crate) clear: [SetId; 3],
    /// All that is not hidden.
    pub(crate) visible: SetId,
    /// Sorted, at most one for the same effect, reach and conditions.
    pub(crate) when: Vec<Conditional>,
}

/// A rule that holds under conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Conditional {
    pub(crate) effect: Effect,
    pub(crate) reach: Reach,
    /// The number of a set of conditions, which must hold all.
    pub(crate) when: u32,
    /// What an allow shows.
    pub(crate) clear: SetId,
}

/// What a role says about a permission, spread out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) allow: Option<Reach>,
    pub(crate) deny: Option<Reach>,
    pub(crate) detail: Detail,
}

impl ShapeId {
    pub(crate) const NOTHING: Self = Self(0);

    #[inline]
    pub(crate) const fn allows(self, at_least: Reach) -> bool {
        self.0 & 3 > at_least as u32
    }

    #[inline]
    pub(crate) const fn denies(self, at_least: Reach) -> bool {
        self.0 >> 2 & 3 > at_least as u32
    }

    #[inline]
    pub(crate) const fn has_detail(self) -> bool {
        self.0 > 15
    }

    /// The widest reach without conditions.
    #[inline]
    pub(crate) const fn widest(self, effect: Effect) -> Option<Reach> {
        let bits = match effect {
            Effect::Allow => self.0 & 3,
            Effect::Deny => self.0 >> 2 & 3,
        };
        match bits {
            0 => None,
            1 => Some(Reach::Own),
            2 => Some(Reach::Team),
            _ => Some(Reach::Whole),
        }
    }

    const fn place(self) -> Option<usize> {
        (self.0 as usize >> 4).checked_sub(1)
    }
}

impl Detail {
    const NONE: Self = Self { clear: [NOTHING; 3], visible: EVERYTHING, when: Vec::new() };

    /// In clear at this reach, without any condition.
    #[inline]
    pub(crate) const fn clear_at(&self, at: Reach) -> SetId {
        let [own, team, whole] = self.clear;
        match at {
            Reach::Own => own,
            Reach::Team => team,
            Reach::Whole => whole,
        }
    }
}

impl Shape {
    pub(crate) const NOTHING: Self = Self { allow: None, deny: None, detail: Detail::NONE };

    /// Adds an entry of the role's own.
    pub(crate) fn add(&mut self, effect: Effect, reach: Reach, when: Option<u32>) {
        match (when, effect) {
            (None, Effect::Allow) => self.allow = self.allow.max(Some(reach)),
            (None, Effect::Deny) => self.deny = self.deny.max(Some(reach)),
            (Some(when), _) => {
                let one = Conditional { effect, reach, when, clear: NOTHING };
                let all = &mut self.detail.when;
                if !all.iter().any(|known| (known.effect, known.reach, known.when) == (effect, reach, when)) {
                    all.push(one);
                    all.sort_unstable();
                }
            }
        }
    }

    /// How far it may reach when all conditions hold.
    pub(crate) fn may_reach(&self, effect: Effect) -> Option<Reach> {
        let sure = match effect {
            Effect::Allow => self.allow,
            Effect::Deny => self.deny,
        };
        self.detail
            .when
            .iter()
            .filter(|one| one.effect == effect)
            .map(|one| Some(one.reach))
            .fold(sure, Ord::max)
    }
}

/// Every distinct shape of a policy once; and what two of them are together.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    details: Vec<Detail>,
    ids: HashMap<Detail, u32>,
    joined: HashMap<(ShapeId, ShapeId), ShapeId>,
}

impl Shapes {
    /// The details alone, once nothing is added any more.
    pub(crate) fn finish(self) -> Box<[Detail]> {
        self.details.into()
    }

    pub(crate) fn intern(&mut self, shape: Shape) -> Result<ShapeId, TooMany> {
        let bits = |reach: Option<Reach>| reach.map_or(0, |reach| reach as u32 + 1);
        let plain = bits(shape.allow) | bits(shape.deny) << 2;
        if shape.detail == Detail::NONE {
            return Ok(ShapeId(plain));
        }
        if let Some(place) = self.ids.get(&shape.detail) {
            return Ok(ShapeId(plain | place << 4));
        }
        let place =
            u32::try_from(self.details.len() + 1).ok().filter(|place| *place < 1 << 28).ok_or(TooMany)?;
        self.ids.insert(shape.detail.clone(), place);
        self.details.push(shape.detail);
        Ok(ShapeId(plain | place << 4))
    }

    pub(crate) fn get(&self, id: ShapeId) -> Shape {
        shape(id, &self.details)
    }

    /// What two roles say together.
    pub(crate) fn join(&mut self, one: ShapeId, two: ShapeId, sets: &mut Sets) -> Result<ShapeId, TooMany> {
        if one == two || two == ShapeId::NOTHING {
            return Ok(one);
        }
        if one == ShapeId::NOTHING {
            return Ok(two);
        }
        let pair = (one, two);
        if let Some(known) = self.joined.get(&pair) {
            return Ok(*known);
        }
        let (mut to, from) = (self.get(one), self.get(two));
        to.allow = to.allow.max(from.allow);
        to.deny = to.deny.max(from.deny);
        for (to, from) in to.detail.clear.iter_mut().zip(from.detail.clear) {
            *to = sets.union(*to, from)?;
        }
        to.detail.visible = sets.intersection(to.detail.visible, from.detail.visible)?;
        let mut when = std::mem::take(&mut to.detail.when);
        for other in from.detail.when {
            let same = |one: &&mut Conditional| {
                (one.effect, one.reach, one.when) == (other.effect, other.reach, other.when)
            };
            match when.iter_mut().find(same) {
                Some(known) => known.clear = sets.union(known.clear, other.clear)?,
                None => when.push(other),
            }
        }
        if when.len() > MAX_CONDITIONALS {
            return Err(TooMany);
        }
        when.sort_unstable();
        to.detail.when = when;
        let id = self.intern(to)?;
        self.joined.insert(pair, id);
        Ok(id)
    }
}

/// Most conditional rules of one role, with what it inherits, about one permission. Every decision may look at all of them.
pub(crate) const MAX_CONDITIONALS: usize = 64;

/// A shape spread out, for those who are in no hurry.
pub(crate) fn shape(id: ShapeId, details: &[Detail]) -> Shape {
    let detail = id.place().and_then(|place| details.get(place)).cloned().unwrap_or(Detail::NONE);
    Shape { allow: id.widest(Effect::Allow), deny: id.widest(Effect::Deny), detail }
}

/// The detail of a shape, when it has any.
#[inline]
pub(crate) fn detail(id: ShapeId, details: &[Detail]) -> Option<&Detail> {
    details.get(id.place()?)
}
