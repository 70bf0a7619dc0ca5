//! What nobody may hold together, what must be held before, and by how many (INCITS 359, constrained RBAC).

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use bartizan_core::{Principal, UnixTime};

use crate::{
    Error, ErrorKind,
    catalogue::at_most,
    compile::{Constraining, unknown_role},
    condition::duration,
    document::{BreakGlassEntry, Lines, SeparationEntry, SeparationKind, Word},
    names::{self, Table, quoted},
    policy::Role,
};

const MAX_SEPARATIONS: usize = 1_000;

/// Most roles of one separation of duty, and most prerequisites of one role.
const MAX_MEMBERS: usize = 64;

/// The longest that a break-glass role may be held in one go.
const MAX_GLASS: Duration = Duration::from_secs(24 * 60 * 60);

/// The constraints of a policy.
#[derive(Debug, Default)]
pub(crate) struct Constraints {
    /// Sorted by name.
    pub(crate) separations: Vec<Separation>,
    /// All roles that have a member of any.
    separated: RoleBits,
    /// What the roles that have any require.
    pub(crate) requires: BTreeMap<u32, Prerequisites>,
    pub(crate) max_holders: BTreeMap<u32, u32>,
    /// The same, with the roles that count as holding each.
    pub(crate) limited: Vec<(Required, u32)>,
    pub(crate) glass: BTreeMap<u32, Glass>,
    pub(crate) has_glass: bool,
    pub(crate) has_dynamic: bool,
}

/// One separation of duty: nobody holds (static) or activates (dynamic) more of these roles than `at_most`.
#[derive(Debug)]
pub(crate) struct Separation {
    pub(crate) name: Box<str>,
    pub(crate) kind: SeparationKind,
    pub(crate) at_most: usize,
    pub(crate) members: Vec<Required>,
}

/// What a role requires, of whoever holds it or an heir of it.
#[derive(Debug)]
pub(crate) struct Prerequisites {
    pub(crate) of: Required,
    pub(crate) needs: Vec<Required>,
}

/// A role, and the roles that have it: itself and all that inherit it.
#[derive(Debug)]
pub(crate) struct Required {
    pub(crate) role: u32,
    through: Arc<RoleBits>,
}

/// A role for emergencies, which those who are eligible give themselves.
#[derive(Debug)]
pub(crate) struct Glass {
    pub(crate) at_most: Duration,
    pub(crate) mfa_within: Duration,
    pub(crate) eligible: Vec<Required>,
}

/// Some roles, a bit each.
#[derive(Debug, Default)]
struct RoleBits(Box<[u64]>);

impl RoleBits {
    fn contains(&self, role: u32) -> bool {
        self.0.get(role as usize / 64).is_some_and(|word| word >> (role % 64) & 1 != 0)
    }

    fn add(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0 = other.0.clone();
        }
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }
}

impl Required {
    /// Whether who holds this role has the required one.
    pub(crate) fn is_had_by(&self, role: u32) -> bool {
        self.through.contains(role)
    }
}

impl Glass {
    /// Until when the principal's last proof of who it is, by several factors (`amr` with `mfa`, RFC 8176), is fresh enough;
    /// nothing when it is not.
    pub(crate) fn proof_ends(&self, who: &Principal, now: UnixTime) -> Option<UnixTime> {
        let proven = who.authenticated().filter(|at| *at <= now && who.amr().contains("mfa"))?;
        Some(proven.saturating_add(self.mfa_within)).filter(|end| now < *end)
    }
}

impl Separation {
    /// Whether these roles are too many of its members together.
    pub(crate) fn is_broken_by(&self, roles: &[u32]) -> bool {
        self.had_by(roles).count() > self.at_most
    }

    /// The roles that have more than one of its members.
    fn several(&self) -> RoleBits {
        let (mut one, mut several) = (RoleBits::default(), RoleBits::default());
        for RoleBits(bits) in self.members.iter().map(|member| &*member.through) {
            let both = bits.iter().enumerate().map(|(at, word)| word & one.0.get(at).unwrap_or(&0)).collect();
            several.add(&RoleBits(both));
            one.add(&RoleBits(bits.clone()));
        }
        several
    }

    /// Which of its members somebody with these roles has.
    pub(crate) fn had_by(&self, roles: &[u32]) -> impl Iterator<Item = u32> {
        let had = |member: &&Required| roles.iter().any(|role| member.is_had_by(*role));
        self.members.iter().filter(had).map(|member| member.role)
    }
}

impl Constraints {
    /// What the roles themselves say.
    pub(crate) fn of_roles(
        entries: Vec<Constraining>,
        ids: &Table<u32>,
        roles: &[Role],
        lines: &Lines,
    ) -> Result<Self, Error> {
        let heirs = Heirs::of(roles);
        let mut constraints = Self::default();
        for (entry, id) in entries.into_iter().zip(0..) {
            let own = |word: &Word, detail: &str| {
                Err(Error::new(ErrorKind::Constraint, lines.of(&word.span()), detail))
            };
            let requires = heirs.required(&entry.requires, ids, lines)?;
            if let Some(word) = entry.requires.iter().zip(&requires).find(|(_, one)| one.is_had_by(id)) {
                return own(word.0, "a role requires itself or a role that it inherits");
            }
            if !requires.is_empty() {
                let of = Required { role: id, through: heirs.all_of(id)? };
                constraints.requires.insert(id, Prerequisites { of, needs: requires });
            }
            if let Some(most) = entry.max_holders {
                if *most.get_ref() == 0 {
                    let detail = "max_holders is 0: a role that nobody may hold is left out";
                    return Err(Error::new(ErrorKind::Constraint, lines.of(&most.span()), detail));
                }
                constraints.max_holders.insert(id, *most.get_ref());
                constraints
                    .limited
                    .push((Required { role: id, through: heirs.all_of(id)? }, *most.get_ref()));
            }
            if let Some(glass) = entry.break_glass {
                let line = lines.of(&glass.span());
                if roles.get(id as usize).is_some_and(|role| role.is_system) {
                    let detail = "a role across tenants breaks no glass";
                    return Err(Error::new(ErrorKind::Constraint, line, detail));
                }
                constraints.glass.insert(id, heirs.glass(glass.into_inner(), ids, lines, line)?);
            }
        }
        for (role, id) in roles.iter().zip(0_u32..) {
            // SECURITY: else the emergency's rights would be had without its conditions, through the heir.
            let parent = role.inherits.iter().find(|parent| constraints.glass.contains_key(parent));
            if parent.is_some() && !constraints.glass.contains_key(&id) {
                let detail = format!("role {} inherits a break-glass role and is none", role.name);
                return Err(Error::new(ErrorKind::Constraint, role.line, detail));
            }
        }
        constraints.has_glass = !constraints.glass.is_empty();
        Ok(constraints)
    }

    /// Adds the separations of duty.
    pub(crate) fn separate(
        &mut self,
        entries: BTreeMap<Word, SeparationEntry>,
        ids: &Table<u32>,
        roles: &[Role],
        lines: &Lines,
    ) -> Result<(), Error> {
        at_most(entries.len(), MAX_SEPARATIONS, "separations of duty")?;
        let heirs = Heirs::of(roles);
        for (name, entry) in entries {
            let line = lines.of(&name.span());
            let wrong = |detail: String| Err(Error::new(ErrorKind::Constraint, line, detail));
            if !names::is_segment(name.get_ref()) {
                let detail =
                    format!("separation {} is not a name in lower-case ASCII", quoted(name.get_ref()));
                return Err(Error::new(ErrorKind::Name, line, detail));
            }
            let members = heirs.required(&entry.roles, ids, lines)?;
            let at_most = entry.at_most.map_or(1, |most| *most.get_ref()) as usize;
            if members.len() < 2 || at_most == 0 || at_most >= members.len() {
                return wrong(format!(
                    "separation {} has at least two roles, and at_most is at least 1 and less than their number",
                    name.get_ref()
                ));
            }
            let separation =
                Separation { name: name.get_ref().as_str().into(), kind: entry.kind, at_most, members };
            // A role that has too many of them by itself could never be held, or never be active.
            let several = separation.several();
            let mut having_several = (0..roles.len() as u32).filter(|role| several.contains(*role));
            if let Some(role) = having_several.find(|role| separation.is_broken_by(&[*role])) {
                let role = roles.get(role as usize).map(|role| &*role.name).unwrap_or_default();
                return wrong(format!(
                    "role {role} inherits more roles of separation {} than anybody may have",
                    separation.name
                ));
            }
            self.has_dynamic |= separation.kind == SeparationKind::Dynamic;
            separation.members.iter().for_each(|member| self.separated.add(&member.through));
            self.separations.push(separation);
        }
        Ok(())
    }

    /// The first separation of this kind that these roles break together.
    pub(crate) fn broken(&self, kind: SeparationKind, roles: &[u32]) -> Option<&Separation> {
        let roles: Vec<u32> = roles.iter().copied().filter(|role| self.separated.contains(*role)).collect();
        // No role breaks one by itself: such a policy is not read.
        if roles.len() < 2 {
            return None;
        }
        self.separations.iter().filter(|one| one.kind == kind).find(|one| one.is_broken_by(&roles))
    }

    /// The first prerequisite of a role, or of one that it inherits, that nobody with these roles has.
    pub(crate) fn missing(&self, role: u32, roles: &[u32]) -> Option<u32> {
        let lacks = |required: &&Required| !roles.iter().any(|role| required.is_had_by(*role));
        let asked = self.requires.values().filter(|asked| asked.of.is_had_by(role));
        asked.flat_map(|asked| &asked.needs).find(lacks).map(|required| required.role)
    }
}

/// Most 64-bit words of all sets of heirs: 64 MiB.
const MAX_HEIR_WORDS: usize = 1 << 23;

/// Most steps from role to heir that are taken to find them.
const MAX_HEIR_STEPS: usize = 1 << 26;

/// Who inherits each role.
struct Heirs {
    direct: Vec<Vec<u32>>,
    /// The roles that were asked for, with all their heirs.
    found: RefCell<HashMap<u32, Arc<RoleBits>>>,
    steps: Cell<usize>,
}

impl Heirs {
    fn of(roles: &[Role]) -> Self {
        let mut heirs = vec![Vec::new(); roles.len()];
        for (role, id) in roles.iter().zip(0..) {
            for parent in &role.inherits {
                if let Some(heirs) = heirs.get_mut(*parent as usize) {
                    heirs.push(id);
                }
            }
        }
        Self { direct: heirs, found: RefCell::default(), steps: Cell::new(0) }
    }

    fn required(&self, words: &[Word], ids: &Table<u32>, lines: &Lines) -> Result<Vec<Required>, Error> {
        at_most(words.len(), MAX_MEMBERS, "roles in one list")?;
        let mut seen = BTreeSet::new();
        let required = |word: &Word| {
            let name = word.get_ref().as_str();
            let line = lines.of(&word.span());
            let Some(role) = ids.get(name).copied() else {
                return Err(Error::new(ErrorKind::UnknownRole, line, unknown_role(name, ids.names())));
            };
            if !seen.insert(role) {
                let detail = format!("role {} stands twice in one list", quoted(name));
                return Err(Error::new(ErrorKind::Duplicate, line, detail));
            }
            Ok(Required { role, through: self.all_of(role)? })
        };
        words.iter().map(required).collect()
    }

    fn glass(
        &self,
        entry: BreakGlassEntry,
        ids: &Table<u32>,
        lines: &Lines,
        line: Option<u32>,
    ) -> Result<Glass, Error> {
        let span = |word: &Word| {
            let good = duration(word.get_ref()).ok().filter(|span| *span <= MAX_GLASS);
            good.ok_or_else(|| {
                let detail = format!("{} is not a time of up to 24h, such as 30m", quoted(word.get_ref()));
                Error::new(ErrorKind::Constraint, lines.of(&word.span()), detail)
            })
        };
        if entry.eligible.is_empty() {
            let detail = "a break-glass role says who is eligible";
            return Err(Error::new(ErrorKind::Constraint, line, detail));
        }
        Ok(Glass {
            at_most: span(&entry.at_most)?,
            mfa_within: span(&entry.mfa_within)?,
            eligible: self.required(&entry.eligible, ids, lines)?,
        })
    }

    /// A role and all that inherit it.
    fn all_of(&self, role: u32) -> Result<Arc<RoleBits>, Error> {
        let mut found = self.found.borrow_mut();
        if let Some(known) = found.get(&role) {
            return Ok(Arc::clone(known));
        }
        let words = self.direct.len().div_ceil(64);
        at_most(words.saturating_mul(found.len() + 1), MAX_HEIR_WORDS, "heirs of roles with constraints")?;
        let (mut bits, mut steps) = (vec![0_u64; words], self.steps.get());
        let mut todo = vec![role];
        while let Some(role) = todo.pop() {
            let Some(word) = bits.get_mut(role as usize / 64) else { continue };
            let bit = 1 << (role % 64);
            if *word & bit == 0 {
                *word |= bit;
                let heirs = self.direct.get(role as usize).map(Vec::as_slice).unwrap_or_default();
                steps = steps.saturating_add(heirs.len() + 1);
                todo.extend(heirs);
            }
        }
        self.steps.set(steps);
        at_most(steps, MAX_HEIR_STEPS, "steps to heirs of roles with constraints")?;
        let bits = Arc::new(RoleBits(bits.into()));
        found.insert(role, Arc::clone(&bits));
        Ok(bits)
    }
}
