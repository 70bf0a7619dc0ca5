//! Which fields roles show in clear, and which they hide: sets of names, each once, and their unions worked out beforehand.
//!
//! A role's own field set counts where that role, with what it inherits, grants the permission on the record at hand. So a
//! role that reads its own records in full and all others by name shows no more than names of the others.

use std::collections::HashMap;

use bartizan_core::FieldSet;

/// Most field names that are computed with, all sets together.
const MAX_NAMES: usize = 1 << 20;

/// Up to how many distinct sets every union is worked out beforehand.
const MAX_JOINED: usize = 64;

/// Most names of two sets whose union is worked out beforehand, unless it was needed anyway.
const MAX_JOINED_NAMES: usize = 1 << 8;

/// A field set's number.
///
/// INVARIANT(set-ids): different numbers mean different sets; 0 is nothing and 1 is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SetId(u32);

pub(crate) const NOTHING: SetId = SetId(0);
pub(crate) const EVERYTHING: SetId = SetId(1);

/// The policy has more fields than are computed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TooMany;

/// The field sets of a policy.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    sets: Vec<FieldSet>,
    /// The union of every two of the first `joined_width` sets, if it is one of the sets.
    joined: Vec<Option<SetId>>,
    joined_width: usize,
}

impl Shown {
    fn joined(&self, one: SetId, two: SetId) -> Option<SetId> {
        let (one, two) = (one.0 as usize, two.0 as usize);
        let within = one < self.joined_width && two < self.joined_width;
        within.then(|| self.joined.get(one * self.joined_width + two).copied().flatten()).flatten()
    }

    pub(crate) fn set(&self, id: SetId) -> FieldSet {
        match id {
            EVERYTHING => FieldSet::everything(),
            id => self.sets.get(id.0 as usize).cloned().unwrap_or(FieldSet::nothing()),
        }
    }
}

/// What several roles show together, without an allocation while they agree.
#[derive(Debug)]
pub(crate) enum Merged {
    One(SetId),
    Many(FieldSet),
}

impl Merged {
    pub(crate) fn union(&mut self, shown: &Shown, id: SetId) {
        match self {
            Self::One(one) if *one == id || id == NOTHING => {}
            Self::One(one) if *one == NOTHING => *one = id,
            Self::One(one) => match shown.joined(*one, id) {
                Some(both) => *one = both,
                None => *self = Self::Many(shown.set(*one).union(&shown.set(id))),
            },
            Self::Many(set) => *set = set.union(&shown.set(id)),
        }
    }

    pub(crate) fn intersection(&mut self, shown: &Shown, id: SetId) {
        match self {
            Self::One(one) if *one == id || id == EVERYTHING => {}
            Self::One(one) if *one == EVERYTHING => *one = id,
            Self::One(one) => *self = Self::Many(shown.set(*one).intersection(&shown.set(id))),
            Self::Many(set) => *set = set.intersection(&shown.set(id)),
        }
    }

    pub(crate) fn into_set(self, shown: &Shown) -> FieldSet {
        match self {
            Self::One(id) => shown.set(id),
            Self::Many(set) => set,
        }
    }
}

/// Every distinct field set of a policy, once, while it is compiled.
#[derive(Debug)]
pub(crate) struct Sets {
    sets: Vec<FieldSet>,
    /// At most how many names each set holds.
    sizes: Vec<usize>,
    ids: HashMap<FieldSet, SetId>,
    unions: HashMap<(SetId, SetId), SetId>,
    intersections: HashMap<(SetId, SetId), SetId>,
    names: usize,
}

impl Sets {
    pub(crate) fn new() -> Self {
        let sets = vec![FieldSet::nothing(), FieldSet::everything()];
        Self {
            ids: sets.iter().cloned().zip([NOTHING, EVERYTHING]).collect(),
            sets,
            sizes: vec![0, 0],
            unions: HashMap::new(),
            intersections: HashMap::new(),
            names: 0,
        }
    }

    pub(crate) fn intern(&mut self, set: FieldSet, names: usize) -> Result<SetId, TooMany> {
        // Work is counted, not only what is kept: sets that come out alike were computed all the same.
        self.names = self.names.saturating_add(names);
        if self.names > MAX_NAMES {
            return Err(TooMany);
        }
        if let Some(known) = self.ids.get(&set) {
            return Ok(*known);
        }
        let id = SetId(u32::try_from(self.sets.len()).map_err(|_| TooMany)?);
        self.ids.insert(set.clone(), id);
        self.sets.push(set);
        self.sizes.push(names);
        Ok(id)
    }

    pub(crate) fn union(&mut self, one: SetId, two: SetId) -> Result<SetId, TooMany> {
        if one == two || two == NOTHING {
            return Ok(one);
        }
        if one == NOTHING {
            return Ok(two);
        }
        let pair = (one.min(two), one.max(two));
        if let Some(known) = self.unions.get(&pair) {
            return Ok(*known);
        }
        let id = self.intern(self.get(one).union(&self.get(two)), self.size(one) + self.size(two))?;
        self.unions.insert(pair, id);
        Ok(id)
    }

    /// What decisions need of it.
    pub(crate) fn finish(mut self) -> Shown {
        let joined_width = self.close_under_union();
        let joined =
            self.pairs(joined_width).into_iter().map(|(one, two)| self.known_union(one, two)).collect();
        Shown { joined, joined_width, sets: self.sets }
    }

    /// Adds unions of what is there until nothing is missing or there are many; says how many sets pair up.
    fn close_under_union(&mut self) -> usize {
        let mut known = 0;
        while known < self.sets.len() && self.sets.len() <= MAX_JOINED {
            known = self.sets.len();
            for (one, two) in self.pairs(known) {
                if self.sets.len() > MAX_JOINED || self.union(one, two).is_err() {
                    break;
                }
            }
        }
        self.sets.len().min(MAX_JOINED)
    }

    fn known_union(&self, one: SetId, two: SetId) -> Option<SetId> {
        if let Some(known) = self.unions.get(&(one.min(two), one.max(two))) {
            return Some(*known);
        }
        if self.size(one) + self.size(two) > MAX_JOINED_NAMES {
            return None;
        }
        self.ids.get(&self.get(one).union(&self.get(two))).copied()
    }

    /// Every pair of the first `width` sets, row by row.
    fn pairs(&self, width: usize) -> Vec<(SetId, SetId)> {
        let ids = 0..u32::try_from(width).unwrap_or_default();
        ids.clone().flat_map(|one| ids.clone().map(move |two| (SetId(one), SetId(two)))).collect()
    }

    pub(crate) fn intersection(&mut self, one: SetId, two: SetId) -> Result<SetId, TooMany> {
        if one == two || two == EVERYTHING {
            return Ok(one);
        }
        if one == EVERYTHING {
            return Ok(two);
        }
        let pair = (one.min(two), one.max(two));
        if let Some(known) = self.intersections.get(&pair) {
            return Ok(*known);
        }
        let id = self.intern(self.get(one).intersection(&self.get(two)), self.size(one) + self.size(two))?;
        self.intersections.insert(pair, id);
        Ok(id)
    }

    fn get(&self, id: SetId) -> FieldSet {
        self.sets.get(id.0 as usize).cloned().unwrap_or(FieldSet::nothing())
    }

    fn size(&self, id: SetId) -> usize {
        self.sizes.get(id.0 as usize).copied().unwrap_or_default()
    }
}
