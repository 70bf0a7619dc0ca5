//! From the file to dense numbers. Every mistake in the file is found here, and none yields a policy.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::atomic::{AtomicU32, Ordering},
};

use bartizan_core::{FieldSet, PermissionCatalogue};
use toml::Spanned;

use crate::{
    Effect, Error, ErrorKind,
    asks::Asks,
    catalogue::{Catalogue, at_most, listed},
    condition::{Condition, ConditionEntry, Zones},
    constraint::Constraints,
    document::{Document, FieldsEntry, Lines, PermissionEntry, RealmEntry, RoleEntry, RuleEntry, Word},
    graph, held_in_file,
    names::{self, Table, quoted, suggestion},
    pattern::{Entry, Meaning, Pattern},
    policy::{Compiled, Role, WhenSet},
    reach::{Owners, Reach},
    rights::{Rights, Row},
    shape::{MAX_CONDITIONALS, Shape, ShapeId, Shapes},
    shown::{Sets, TooMany},
    suite,
    typed::{self, Difference, Listed},
};

const MAX_ROLES: usize = 100_000;
const MAX_CONDITIONS: usize = 10_000;
const MAX_TESTS: usize = 10_000;

/// Most pairs of role and permission, said or not: lets a rule's number fit 32 bits.
const MAX_CELLS: usize = 1 << 30;

/// Most pairs of role and permission of which something is said, inherited ones too: 110 MB of tables.
const MAX_ENTRIES: usize = 1 << 23;

/// Most pairs that entries are expanded to, before those that say the same come together.
const MAX_EXPANDED: usize = 1 << 25;

/// Most pairs that are handed down, from one role to another.
const MAX_INHERITED: usize = 1 << 23;

/// Most conditions of one rule.
const MAX_WHEN: usize = 16;

pub(crate) fn compile(
    document: Document,
    lines: &Lines,
    program: Option<&'static PermissionCatalogue>,
) -> Result<Compiled, Error> {
    if *document.version.get_ref() != 1 {
        let line = lines.of(&document.version.span());
        return Err(Error::new(ErrorKind::Version, line, "the format version is not 1"));
    }
    let permissions = match (document.permissions, program) {
        (Some(permissions), _) => permissions,
        (None, Some(program)) => of_program(program),
        (None, None) => BTreeMap::new(),
    };
    let catalogue = Catalogue::new(permissions, document.aliases, lines)?;
    let conditions = conditions(document.conditions, lines)?;
    let mut compiler = Compiler::new(catalogue, conditions, document.roles.len())?;
    let read = compiler.roles(document.roles)?;
    let mut compiled = compiler.finish(read)?;
    compiled.typed = program.map(|program| bound(program, &compiled)).transpose()?;
    let role_ids = &compiled.role_ids;
    compiled.constraints.separate(document.separation, role_ids, &compiled.roles, lines)?;
    compiled.held = held_in_file::read(document.assignments, document.groups, &compiled, lines)?;
    held_in_file::obey(&compiled)?;
    at_most(document.tests.len(), MAX_TESTS, "tests")?;
    compiled.cases = suite::read(document.tests, &compiled, lines)?;
    Ok(compiled)
}

/// The catalogue of a program, as a file would say it.
fn of_program(program: &'static PermissionCatalogue) -> BTreeMap<Word, PermissionEntry> {
    let word = |text: &str| Spanned::new(0..0, text.to_owned());
    typed::listed(program)
        .map(|listed| {
            let scopes = listed.scopes.iter().map(|reach| word(reach.scope().as_str())).collect();
            let scopes = Some(Spanned::new(0..0, scopes));
            let entry = PermissionEntry { scopes, asserted_owner: listed.asserted_owner, _description: None };
            (word(listed.name), entry)
        })
        .collect()
}

/// The permission that each number of the program's catalogue stands for.
fn bound(
    program: &'static PermissionCatalogue,
    policy: &Compiled,
) -> Result<(&'static PermissionCatalogue, Box<[u32]>), Error> {
    let listed = policy.permissions.iter().map(|info| Listed {
        name: &info.name,
        scopes: info.scopes.clone(),
        asserted_owner: info.owners == Owners::Asserted,
    });
    match typed::bind(program, listed) {
        Ok(ids) => Ok((program, ids)),
        Err(Difference { at, detail }) => {
            let line = at.and_then(|at| policy.permission(at)).and_then(|info| info.line);
            Err(Error::new(ErrorKind::Catalogue, line, detail))
        }
    }
}

/// The conditions, sorted by name.
fn conditions(entries: BTreeMap<Word, ConditionEntry>, lines: &Lines) -> Result<Vec<Condition>, Error> {
    at_most(entries.len(), MAX_CONDITIONS, "conditions")?;
    let mut zones = Zones::new();
    entries
        .into_iter()
        .map(|(name, entry)| {
            let line = lines.of(&name.span());
            if !names::is_segment(name.get_ref()) {
                let detail =
                    format!("condition {} is not a name in lower-case ASCII", quoted(name.get_ref()));
                return Err(Error::new(ErrorKind::Name, line, detail));
            }
            Condition::compile(name.get_ref(), entry, &mut zones).map_err(|problem| {
                let line = problem.span.as_ref().and_then(|span| lines.of(span)).or(line);
                Error::new(ErrorKind::Condition, line, problem.detail)
            })
        })
        .collect()
}

/// The roles, while they are read. An entry is expanded as soon as it is read, and never kept expanded beside its row.
struct Compiler<'l> {
    catalogue: Catalogue<'l>,
    conditions: Vec<Condition>,
    condition_ids: HashMap<Box<str>, u32>,
    /// Every set of conditions that a rule names, once.
    when: Vec<WhenSet>,
    when_ids: HashMap<WhenSet, u32>,
    shapes: Shapes,
    sets: Sets,
    expanded: usize,
    said: usize,
    entries: usize,
    inherited: usize,
}

/// A role that is read, and what its fields mean.
struct Read {
    role: Role,
    /// What it says itself.
    own: Row,
    fields: Vec<Fields>,
    hidden: Vec<Fields>,
    constraints: Constraining,
    line: Option<u32>,
}

/// What a role's entry says beside rights and fields.
pub(crate) struct Constraining {
    pub(crate) requires: Vec<Word>,
    pub(crate) max_holders: Option<Spanned<u32>>,
    pub(crate) break_glass: Option<Spanned<crate::document::BreakGlassEntry>>,
}

/// Some fields of a kind of record, all its others, and how many names that takes.
struct Fields {
    kind: Box<str>,
    these: FieldSet,
    others: FieldSet,
    names: usize,
}

impl<'l> Compiler<'l> {
    fn new(catalogue: Catalogue<'l>, conditions: Vec<Condition>, roles: usize) -> Result<Self, Error> {
        let permissions = catalogue.permissions.len();
        at_most(roles, MAX_ROLES, "roles")?;
        at_most(roles.saturating_mul(permissions), MAX_CELLS, "pairs of role and permission")?;
        let condition_ids = conditions.iter().map(|condition| condition.name().into()).zip(0..).collect();
        Ok(Self {
            catalogue,
            conditions,
            condition_ids,
            when: Vec::new(),
            when_ids: HashMap::new(),
            shapes: Shapes::default(),
            sets: Sets::new(),
            expanded: 0,
            said: 0,
            entries: 0,
            inherited: 0,
        })
    }

    fn roles(&mut self, entries: BTreeMap<Word, RoleEntry>) -> Result<Vec<Read>, Error> {
        if let Some(name) = entries.keys().find(|name| !names::is_segment(name.get_ref())) {
            let detail = format!("role {} is not a name in lower-case ASCII", quoted(name.get_ref()));
            return Err(self.catalogue.error(ErrorKind::Name, name, detail));
        }
        let ids: BTreeMap<&str, u32> = entries.keys().map(|name| name.get_ref().as_str()).zip(0..).collect();
        let inherits = entries
            .values()
            .map(|entry| self.inherits(&entry.inherits, &ids))
            .collect::<Result<Vec<_>, _>>()?;
        drop(ids);
        let roles = entries.into_iter().zip(inherits);
        roles.map(|((name, entry), inherits)| self.role(&name, entry, inherits)).collect()
    }

    fn inherits(&self, parents: &[Word], ids: &BTreeMap<&str, u32>) -> Result<Vec<u32>, Error> {
        let mut inherits = Vec::with_capacity(parents.len());
        for parent in parents {
            let name = parent.get_ref().as_str();
            let Some(id) = ids.get(name) else {
                return Err(self.catalogue.error(
                    ErrorKind::UnknownRole,
                    parent,
                    unknown_role(name, ids.keys().copied()),
                ));
            };
            inherits.push(*id);
        }
        self.no_repeats(parents, "role")?;
        inherits.sort_unstable();
        Ok(inherits)
    }

    fn role(&mut self, name: &Word, entry: RoleEntry, inherits: Vec<u32>) -> Result<Read, Error> {
        let mut entries = Vec::with_capacity(entry.allow.len() + entry.deny.len());
        let mut own: BTreeMap<u32, Shape> = BTreeMap::new();
        for (effect, list) in [(Effect::Allow, &entry.allow), (Effect::Deny, &entry.deny)] {
            let mut seen = BTreeSet::new();
            for rule in list {
                let entry = self.entry(effect, rule)?;
                self.expand(&entry, rule, &mut own)?;
                if !seen.insert((entry.pattern.clone(), entry.when)) {
                    let written = quoted(&rule.get_ref().permission);
                    let detail = format!("entry {written} stands twice in one list");
                    return Err(self.error(ErrorKind::Duplicate, rule, detail));
                }
                entries.push(entry);
            }
        }
        // The order of a list means nothing, so nothing shows it.
        entries.sort_by(|one, two| {
            (one.effect, &one.pattern, one.when).cmp(&(two.effect, &two.pattern, two.when))
        });
        let role = Role {
            name: name.get_ref().as_str().into(),
            inherits,
            entries,
            is_system: entry.realm == RealmEntry::System,
            line: self.catalogue.lines.of(&name.span()),
        };
        // Counted here already: kept for all roles before it is, a small file with wildcards would take gigabytes.
        self.said = self.said.saturating_add(own.len());
        at_most(self.said, MAX_ENTRIES, "rights of all roles")?;
        if own.values().any(|shape| shape.detail.when.len() > MAX_CONDITIONALS) {
            return Err(too_many_fields(TooMany));
        }
        let own = own.into_iter().map(|(permission, shape)| Ok((permission, self.shapes.intern(shape)?)));
        let own = own.collect::<Result<Row, TooMany>>().map_err(too_many_fields)?;
        let (fields, hidden) = (self.fields(entry.fields)?, self.fields(entry.hide)?);
        let (requires, max_holders, break_glass) = (entry.requires, entry.max_holders, entry.break_glass);
        let constraints = Constraining { requires, max_holders, break_glass };
        Ok(Read { role, own, fields, hidden, constraints, line: self.catalogue.lines.of(&name.span()) })
    }

    fn entry(&mut self, effect: Effect, rule: &Spanned<RuleEntry>) -> Result<Entry, Error> {
        let written = rule.get_ref().permission.as_str();
        let text = self.catalogue.aliases.get(written).map_or(written, |target| target);
        let pattern = Pattern::parse(text).ok_or_else(|| {
            let detail = format!("entry {} is not resource:action[:scope]", quoted(written));
            self.error(ErrorKind::UnknownPermission, rule, detail)
        })?;
        let when = self.when(rule)?;
        Ok(Entry {
            effect,
            pattern,
            when,
            written: written.into(),
            line: self.catalogue.lines.of(&rule.span()),
        })
    }

    /// The number of a rule's set of conditions; nothing for a rule that always holds.
    fn when(&mut self, rule: &Spanned<RuleEntry>) -> Result<Option<u32>, Error> {
        let names = &rule.get_ref().when;
        if names.is_empty() {
            return Ok(None);
        }
        let mut set = BTreeSet::new();
        for name in names {
            let Some(id) = self.condition_ids.get(name.as_str()) else {
                let hint = suggestion(name, self.condition_ids.keys().map(|name| &**name));
                let detail = format!("condition {} is not in the file{hint}", quoted(name));
                return Err(self.error(ErrorKind::Condition, rule, detail));
            };
            if !set.insert(*id) {
                let detail = format!("condition {} stands twice in one list", quoted(name));
                return Err(self.error(ErrorKind::Duplicate, rule, detail));
            }
        }
        if set.len() > MAX_WHEN {
            return Err(self.error(
                ErrorKind::TooLarge,
                rule,
                format!("a rule has more than {MAX_WHEN} conditions"),
            ));
        }
        let set: WhenSet = set.into_iter().collect();
        if let Some(known) = self.when_ids.get(&set) {
            return Ok(Some(*known));
        }
        let id = self.when.len() as u32;
        self.when.push(set.clone());
        self.when_ids.insert(set, id);
        Ok(Some(id))
    }

    fn error(&self, kind: ErrorKind, at: &Spanned<RuleEntry>, detail: impl Into<Box<str>>) -> Error {
        Error::new(kind, self.catalogue.lines.of(&at.span()), detail)
    }

    /// Expands an entry against the catalogue, so that a permission of a later version joins no wildcard unseen.
    fn expand(
        &mut self,
        entry: &Entry,
        rule: &Spanned<RuleEntry>,
        own: &mut BTreeMap<u32, Shape>,
    ) -> Result<(), Error> {
        let (pattern, written) = (&entry.pattern, rule.get_ref().permission.as_str());
        let (mut reached, mut not_listed) = (false, None);
        let named = self.catalogue.named(pattern);
        self.expanded = self.expanded.saturating_add(named.len());
        at_most(self.expanded, MAX_EXPANDED, "rights that entries are expanded to")?;
        for id in named {
            let Some(permission) = self.catalogue.permissions.get(id as usize) else { continue };
            match pattern.on(permission, entry.effect) {
                Meaning::Reaches(reach) => {
                    reached = true;
                    own.entry(id).or_insert(Shape::NOTHING).add(entry.effect, reach, entry.when);
                }
                Meaning::MustSay => {
                    let (name, scopes) = (&permission.name, listed(permission));
                    let detail = format!("entry {} must say a scope of {name}: {scopes}", quoted(written));
                    return Err(self.error(ErrorKind::Scope, rule, detail));
                }
                Meaning::NotListed => not_listed = Some(permission),
            }
        }
        match not_listed {
            _ if reached => Ok(()),
            Some(permission) if pattern.is_exact() => {
                let (name, scopes) = (&permission.name, listed(permission));
                let detail =
                    format!("entry {} has a scope that {name} does not list: {scopes}", quoted(written));
                Err(self.error(ErrorKind::Scope, rule, detail))
            }
            _ if pattern.is_exact() => {
                let detail = unknown_permission(written, self.catalogue.asks.names());
                Err(self.error(ErrorKind::UnknownPermission, rule, detail))
            }
            _ => {
                let detail = format!("entry {} matches nothing in the catalogue", quoted(written));
                Err(self.error(ErrorKind::UnknownPermission, rule, detail))
            }
        }
    }

    fn fields(&self, entries: BTreeMap<Word, FieldsEntry>) -> Result<Vec<Fields>, Error> {
        let mut fields = Vec::with_capacity(entries.len());
        for (kind, entry) in entries {
            if !self.catalogue.by_resource.contains_key(kind.get_ref().as_str()) {
                let hint = suggestion(kind.get_ref(), self.catalogue.by_resource.keys().map(|kind| &**kind));
                let detail = format!("no permission speaks of {}{hint}", quoted(kind.get_ref()));
                return Err(self.catalogue.error(ErrorKind::UnknownKind, &kind, detail));
            }
            let (these, others, names) = match entry {
                FieldsEntry::Word(word) if word == "*" => (FieldSet::everything(), FieldSet::nothing(), 0),
                FieldsEntry::Word(_) => {
                    let detail = "fields are a list, \"*\", or { except = [a list] }";
                    return Err(self.catalogue.error(ErrorKind::Syntax, &kind, detail));
                }
                FieldsEntry::Named(words) => {
                    let names = self.field_names(&words)?;
                    (FieldSet::named(names.clone()), FieldSet::everything_but(names), words.len())
                }
                FieldsEntry::Except(words) => {
                    let names = self.field_names(&words)?;
                    (FieldSet::everything_but(names.clone()), FieldSet::named(names), words.len())
                }
            };
            fields.push(Fields { kind: kind.get_ref().as_str().into(), these, others, names });
        }
        Ok(fields)
    }

    fn field_names<'w>(&self, words: &'w [Word]) -> Result<Vec<&'w str>, Error> {
        if let Some(word) = words.iter().find(|word| !names::is_field(word.get_ref())) {
            let detail = format!("field {} is not a name in ASCII", quoted(word.get_ref()));
            return Err(self.catalogue.error(ErrorKind::Name, word, detail));
        }
        self.no_repeats(words, "field")?;
        Ok(words.iter().map(|word| word.get_ref().as_str()).collect())
    }

    fn no_repeats(&self, words: &[Word], what: &str) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        match words.iter().find(|word| !seen.insert(word.get_ref().as_str())) {
            None => Ok(()),
            Some(word) => {
                let detail = format!("{what} {} stands twice in one list", quoted(word.get_ref()));
                Err(self.catalogue.error(ErrorKind::Duplicate, word, detail))
            }
        }
    }

    fn finish(mut self, mut read: Vec<Read>) -> Result<Compiled, Error> {
        let edges: Vec<Vec<u32>> = read.iter().map(|read| read.role.inherits.clone()).collect();
        let order = graph::order(&edges).map_err(|circle| in_a_circle(&circle, &read))?;
        same_realm(&read)?;
        let mut rows: Vec<Row> = read.iter().map(|_| Row::new()).collect();
        for id in &order {
            let row = self.row(*id, &mut read, &rows)?;
            if let Some(place) = rows.get_mut(*id as usize) {
                *place = row;
            }
        }
        let mut role_ids = Table::with_capacity(read.len());
        read.iter().zip(0..).for_each(|(read, id)| role_ids.insert(&*read.role.name, id));
        let rights = Rights::new(self.catalogue.permissions.len(), &rows, self.shapes.finish());
        drop(rows);
        let mut by_power: Vec<u32> = (0..read.len() as u32).collect();
        by_power.sort_by_cached_key(|role| rights.grants(*role));
        let restricts = |read: &Read| {
            let denies = |entry: &Entry| entry.effect == Effect::Deny;
            !read.hidden.is_empty() || read.role.entries.iter().any(denies)
        };
        let has_restrictions = read.iter().any(restricts);
        let (roles, constraining): (Vec<Role>, Vec<Constraining>) =
            read.into_iter().map(|read| (read.role, read.constraints)).unzip();
        let constraints = Constraints::of_roles(constraining, &role_ids, &roles, self.catalogue.lines)?;
        Ok(Compiled {
            generation: next_generation(),
            by_power,
            constraints,
            has_restrictions,
            has_system_roles: roles.iter().any(|role| role.is_system),
            roles,
            role_ids,
            asks: Asks::of(&self.catalogue.asks, &self.catalogue.permissions),
            permissions: self.catalogue.permissions,
            typed: None,
            aliases: self.catalogue.aliases,
            conditions: self.conditions,
            when: self.when,
            rights,
            spoken: std::sync::OnceLock::new(),
            shown: self.sets.finish(),
            held: crate::HeldAssignments::new(),
            cases: Vec::new(),
        })
    }

    /// What a role says with all that it inherits; what it inherits is there already.
    fn row(&mut self, id: u32, read: &mut [Read], rows: &[Row]) -> Result<Row, Error> {
        let Some(read) = read.get_mut(id as usize) else { return Ok(Row::new()) };
        let mut all = std::mem::take(&mut read.own);
        for parent in &read.role.inherits {
            let inherited = rows.get(*parent as usize).map(Vec::as_slice).unwrap_or_default();
            self.inherited = self.inherited.saturating_add(inherited.len());
            all.extend_from_slice(inherited);
        }
        at_most(self.inherited, MAX_INHERITED, "rights that are inherited")?;
        // Stable: what comes together for one permission comes together in the same order for the next, and is known by then.
        all.sort_by_key(|(permission, _)| *permission);
        let mut row = Row::with_capacity(all.len());
        for (permission, shape) in all {
            match row.last_mut() {
                Some((last, known)) if *last == permission => {
                    *known = self.shapes.join(*known, shape, &mut self.sets).map_err(too_many_fields)?;
                }
                _ => row.push((permission, shape)),
            }
        }
        for Fields { kind, these, names, .. } in &read.fields {
            let set = self.sets.intern(these.clone(), *names).map_err(too_many_fields)?;
            self.show(&mut row, kind, |shape, sets| {
                for reach in Reach::ALL.into_iter().filter(|reach| shape.allow >= Some(*reach)) {
                    if let Some(clear) = shape.detail.clear.get_mut(reach.index()) {
                        *clear = sets.union(*clear, set)?;
                    }
                }
                for one in shape.detail.when.iter_mut().filter(|one| one.effect == Effect::Allow) {
                    one.clear = sets.union(one.clear, set)?;
                }
                Ok(())
            })?;
        }
        for Fields { kind, others, names, .. } in &read.hidden {
            let visible = self.sets.intern(others.clone(), *names).map_err(too_many_fields)?;
            // What is hidden is hidden whatever else allows: also where this role says nothing of a permission itself.
            let of_kind = self.catalogue.by_resource.get(kind).map(Vec::as_slice).unwrap_or_default();
            row.extend(of_kind.iter().map(|permission| (*permission, ShapeId::NOTHING)));
            // Stable: what was there comes first and stays.
            row.sort_by_key(|(permission, _)| *permission);
            row.dedup_by_key(|(permission, _)| *permission);
            self.show(&mut row, kind, |shape, sets| {
                shape.detail.visible = sets.intersection(shape.detail.visible, visible)?;
                Ok(())
            })?;
        }
        self.entries = self.entries.saturating_add(row.len());
        at_most(self.entries, MAX_ENTRIES, "rights of all roles")?;
        Ok(row)
    }

    /// Changes what a role says about every permission on a kind of record.
    fn show(
        &mut self,
        row: &mut Row,
        kind: &str,
        change: impl Fn(&mut Shape, &mut Sets) -> Result<(), TooMany>,
    ) -> Result<(), Error> {
        let of_kind = self.catalogue.by_resource.get(kind).map(Vec::as_slice).unwrap_or_default();
        // Permissions side by side are mostly alike.
        let mut last: Option<(ShapeId, ShapeId)> = None;
        for permission in of_kind {
            let Ok(at) = row.binary_search_by_key(permission, |(permission, _)| *permission) else {
                continue;
            };
            let Some((_, id)) = row.get_mut(at) else { continue };
            let to = match last {
                Some((from, to)) if from == *id => to,
                _ => {
                    let mut shape = self.shapes.get(*id);
                    change(&mut shape, &mut self.sets).map_err(too_many_fields)?;
                    let to = self.shapes.intern(shape).map_err(too_many_fields)?;
                    last = Some((*id, to));
                    to
                }
            };
            *id = to;
        }
        Ok(())
    }
}

/// Counts the policies of this program. 0 is the empty one's.
fn next_generation() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

/// SECURITY: a role of a tenant must not gain what was meant for those who act across tenants, nor the other way round.
fn same_realm(read: &[Read]) -> Result<(), Error> {
    for Read { role, line, .. } in read {
        let parents = role.inherits.iter().filter_map(|parent| read.get(*parent as usize));
        if let Some(other) = parents.map(|read| &read.role).find(|parent| parent.is_system != role.is_system)
        {
            let detail = format!("role {} inherits {}, which is of another realm", role.name, other.name);
            return Err(Error::new(ErrorKind::Realm, *line, detail));
        }
    }
    Ok(())
}

fn in_a_circle(circle: &[u32], read: &[Read]) -> Error {
    const SHOWN: usize = 16;
    let names = circle.iter().filter_map(|id| read.get(*id as usize)).map(|read| &*read.role.name);
    let mut path: Vec<&str> = names.take(SHOWN).collect();
    if circle.len() > SHOWN {
        path.push("…");
    }
    let detail = format!("roles inherit in a circle: {}", path.join(" → "));
    let line = circle.first().and_then(|id| read.get(*id as usize)).and_then(|read| read.line);
    Error::new(ErrorKind::Cycle, line, detail)
}

fn too_many_fields(_: TooMany) -> Error {
    let detail =
        "the policy has more field sets, or more conditional rules of one permission, than are computed with";
    Error::new(ErrorKind::TooLarge, None, detail)
}

pub(crate) fn unknown_role<'a>(name: &str, roles: impl Iterator<Item = &'a str>) -> String {
    format!("role {} is not in the file{}", quoted(name), suggestion(name, roles))
}

pub(crate) fn unknown_permission<'a>(name: &str, permissions: impl Iterator<Item = &'a str>) -> String {
    format!("permission {} is not in the catalogue{}", quoted(name), suggestion(name, permissions))
}
