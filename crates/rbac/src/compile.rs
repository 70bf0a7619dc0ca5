//! From the file to dense numbers. Every mistake in the file is found here, and none yields a policy.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_core::FieldSet;

use crate::{
    Effect, Error, ErrorKind,
    catalogue::{Catalogue, at_most, listed},
    document::{Document, FieldsEntry, Lines, RoleEntry, Word},
    graph,
    names::{self, Table, quoted, suggestion},
    pattern::{Entry, Meaning, Pattern},
    policy::{Compiled, Role},
    reach::Reach,
    rights::Rights,
    shown::{ShownBuilder, TooMany},
    suite,
};

const MAX_ROLES: usize = 10_000;
const MAX_TESTS: usize = 10_000;

/// Most pairs of role and permission: bounds memory (12 MiB of bits) and lets a rule's number fit 32 bits.
const MAX_CELLS: usize = 1 << 24;

pub(crate) fn compile(document: Document, lines: &Lines) -> Result<Compiled, Error> {
    if *document.version.get_ref() != 1 {
        let line = lines.of(&document.version.span());
        return Err(Error::new(ErrorKind::Version, Some(line), "the format version is not 1"));
    }
    let catalogue = Catalogue::new(document.permissions, document.aliases, lines)?;
    let mut compiled = Compiler::new(catalogue, document.roles.len())?.compile(document.roles)?;
    at_most(document.tests.len(), MAX_TESTS, "tests")?;
    compiled.cases = suite::read(document.tests, &compiled, lines)?;
    Ok(compiled)
}

/// The roles, while they are read. An entry is expanded into `rights` as soon as it is read, and never kept expanded.
struct Compiler<'l> {
    catalogue: Catalogue<'l>,
    rights: Rights,
}

/// A role that is read, and what its fields mean.
struct Read {
    role: Role,
    fields: Vec<Fields>,
    hidden: Vec<Fields>,
    line: u32,
}

/// Some fields of a kind of record, all its others, and how many names that takes.
struct Fields {
    kind: Box<str>,
    these: FieldSet,
    others: FieldSet,
    names: usize,
}

impl<'l> Compiler<'l> {
    fn new(catalogue: Catalogue<'l>, roles: usize) -> Result<Self, Error> {
        let permissions = catalogue.permissions.len();
        at_most(roles, MAX_ROLES, "roles")?;
        at_most(roles.saturating_mul(permissions), MAX_CELLS, "pairs of role and permission")?;
        Ok(Self { rights: Rights::none(roles, permissions), catalogue })
    }

    fn compile(mut self, entries: BTreeMap<Word, RoleEntry>) -> Result<Compiled, Error> {
        let read = self.roles(entries)?;
        self.finish(read)
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
        let roles = entries.into_iter().zip(inherits).zip(0..);
        roles.map(|(((name, entry), inherits), id)| self.role(id, &name, entry, inherits)).collect()
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

    fn role(&mut self, id: u32, name: &Word, entry: RoleEntry, inherits: Vec<u32>) -> Result<Read, Error> {
        let mut entries = Vec::with_capacity(entry.allow.len() + entry.deny.len());
        for (effect, list) in [(Effect::Allow, &entry.allow), (Effect::Deny, &entry.deny)] {
            let mut seen = BTreeSet::new();
            for word in list {
                let entry = self.entry(effect, word)?;
                self.expand(id, &entry, word)?;
                if !seen.insert(entry.pattern.clone()) {
                    let detail = format!("entry {} stands twice in one list", quoted(word.get_ref()));
                    return Err(self.catalogue.error(ErrorKind::Duplicate, word, detail));
                }
                entries.push(entry);
            }
        }
        // The order of a list means nothing, so nothing shows it.
        entries.sort_by(|one, two| (one.effect, &one.pattern).cmp(&(two.effect, &two.pattern)));
        let role = Role { name: name.get_ref().as_str().into(), inherits, entries };
        let (fields, hidden) = (self.fields(entry.fields)?, self.fields(entry.hide)?);
        Ok(Read { role, fields, hidden, line: self.catalogue.lines.of(&name.span()) })
    }

    fn entry(&self, effect: Effect, word: &Word) -> Result<Entry, Error> {
        let written = word.get_ref().as_str();
        let text = self.catalogue.aliases.get(written).map_or(written, |target| target);
        let pattern = Pattern::parse(text).ok_or_else(|| {
            let detail = format!("entry {} is not resource:action[:scope]", quoted(written));
            self.catalogue.error(ErrorKind::UnknownPermission, word, detail)
        })?;
        Ok(Entry { effect, pattern, written: written.into(), line: self.catalogue.lines.of(&word.span()) })
    }

    /// Expands an entry against the catalogue, so that a permission of a later version joins no wildcard unseen.
    fn expand(&mut self, role: u32, entry: &Entry, word: &Word) -> Result<(), Error> {
        let pattern = &entry.pattern;
        let (mut reached, mut not_listed) = (false, None);
        for id in self.catalogue.named(pattern) {
            let Some(permission) = self.catalogue.permissions.get(id as usize) else { continue };
            match pattern.on(permission, entry.effect) {
                Meaning::Reaches(reach) => {
                    reached = true;
                    self.rights.add(role, id, entry.effect, reach);
                }
                Meaning::MustSay => {
                    let detail = format!(
                        "entry {} must say a scope of {}: {}",
                        quoted(word.get_ref()),
                        permission.name,
                        listed(permission)
                    );
                    return Err(self.catalogue.error(ErrorKind::Scope, word, detail));
                }
                Meaning::NotListed => not_listed = Some(permission),
            }
        }
        match not_listed {
            _ if reached => Ok(()),
            Some(permission) if pattern.is_exact() => {
                let detail = format!(
                    "entry {} has a scope that {} does not list: {}",
                    quoted(word.get_ref()),
                    permission.name,
                    listed(permission)
                );
                Err(self.catalogue.error(ErrorKind::Scope, word, detail))
            }
            _ if pattern.is_exact() => {
                let detail = unknown_permission(word.get_ref(), self.catalogue.asks.names());
                Err(self.catalogue.error(ErrorKind::UnknownPermission, word, detail))
            }
            _ => {
                let detail = format!("entry {} matches nothing in the catalogue", quoted(word.get_ref()));
                Err(self.catalogue.error(ErrorKind::UnknownPermission, word, detail))
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

    fn finish(mut self, read: Vec<Read>) -> Result<Compiled, Error> {
        let edges: Vec<Vec<u32>> = read.iter().map(|read| read.role.inherits.clone()).collect();
        let order = graph::order(&edges).map_err(|circle| in_a_circle(&circle, &read))?;
        let with_fields: BTreeSet<&str> =
            read.iter().flat_map(|read| &read.fields).map(|fields| &*fields.kind).collect();
        let has_fields =
            self.catalogue.permissions.iter().map(|permission| with_fields.contains(&*permission.resource));
        let mut shown = ShownBuilder::new(read.len(), has_fields).map_err(too_many_fields)?;
        for id in order {
            let Some(Read { role, fields, hidden, .. }) = read.get(id as usize) else { continue };
            for parent in &role.inherits {
                self.rights.inherit(id, *parent);
                shown.inherit(id, *parent).map_err(too_many_fields)?;
            }
            self.show(id, fields, hidden, &mut shown).map_err(too_many_fields)?;
        }
        let role_ids = {
            let mut ids = Table::new();
            read.iter().zip(0..).for_each(|(read, id)| ids.insert(&*read.role.name, id));
            ids
        };
        let mut by_power: Vec<u32> = (0..read.len() as u32).collect();
        by_power.sort_by_cached_key(|role| self.rights.grants(*role));
        Ok(Compiled {
            by_power,
            roles: read.into_iter().map(|read| read.role).collect(),
            role_ids,
            permissions: self.catalogue.permissions,
            asks: self.catalogue.asks,
            aliases: self.catalogue.aliases,
            rights: self.rights,
            shown: shown.finish(),
            cases: Vec::new(),
        })
    }

    /// Adds a role's own fields where the role, with all that it inherits, grants a permission on their kind of record.
    fn show(
        &self,
        role: u32,
        fields: &[Fields],
        hidden: &[Fields],
        shown: &mut ShownBuilder,
    ) -> Result<(), TooMany> {
        let of_kind =
            |kind: &str| self.catalogue.by_resource.get(kind).map(Vec::as_slice).unwrap_or_default();
        for Fields { kind, these, names, .. } in fields {
            let set = shown.intern(these.clone(), *names)?;
            for permission in of_kind(kind) {
                let cell = self.rights.cell(role, *permission);
                for reach in Reach::ALL.into_iter().filter(|reach| cell.allows(*reach)) {
                    shown.show(role, *permission, reach, set)?;
                }
            }
        }
        for Fields { kind, others, names, .. } in hidden {
            let visible = shown.intern(others.clone(), *names)?;
            for permission in of_kind(kind) {
                shown.keep_visible(role, *permission, visible)?;
            }
        }
        Ok(())
    }
}

fn in_a_circle(circle: &[u32], read: &[Read]) -> Error {
    const SHOWN: usize = 16;
    let names = circle.iter().filter_map(|id| read.get(*id as usize)).map(|read| &*read.role.name);
    let mut path: Vec<&str> = names.take(SHOWN).collect();
    if circle.len() > SHOWN {
        path.push("…");
    }
    let detail = format!("roles inherit in a circle: {}", path.join(" → "));
    let line = circle.first().and_then(|id| read.get(*id as usize)).map(|read| read.line);
    Error::new(ErrorKind::Cycle, line, detail)
}

fn too_many_fields(_: TooMany) -> Error {
    Error::new(ErrorKind::TooLarge, None, "the policy has more field sets than are computed with")
}

pub(crate) fn unknown_role<'a>(name: &str, roles: impl Iterator<Item = &'a str>) -> String {
    format!("role {} is not in the file{}", quoted(name), suggestion(name, roles))
}

pub(crate) fn unknown_permission<'a>(name: &str, permissions: impl Iterator<Item = &'a str>) -> String {
    format!("permission {} is not in the catalogue{}", quoted(name), suggestion(name, permissions))
}
