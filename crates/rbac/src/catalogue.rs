//! The catalogue of permissions and the aliases, while the roles are read.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Display,
};

use bartizan_core::{PermissionName, Scope};
use toml::Spanned;

use crate::{
    Error, ErrorKind,
    document::{Lines, PermissionEntry, Word},
    names::{self, Table, quoted, suggestion},
    pattern::Pattern,
    policy::{Asked, PermissionInfo},
    reach::{Owners, Reach},
};

const MAX_PERMISSIONS: usize = 200_000;
const MAX_ALIASES: usize = 50_000;

/// What may be granted and asked for, and by which names.
pub(crate) struct Catalogue<'l> {
    pub(crate) lines: &'l Lines,
    pub(crate) permissions: Vec<PermissionInfo>,
    pub(crate) asks: Table<Asked>,
    pub(crate) aliases: Table<Box<str>>,
    /// `resource:action` and alone `resource` and alone `action`, to the permissions that have them.
    by_name: Table<u32>,
    pub(crate) by_resource: HashMap<Box<str>, Vec<u32>>,
    by_action: HashMap<Box<str>, Vec<u32>>,
}

impl<'l> Catalogue<'l> {
    pub(crate) fn new(
        permissions: BTreeMap<Word, PermissionEntry>,
        aliases: BTreeMap<Word, Word>,
        lines: &'l Lines,
    ) -> Result<Self, Error> {
        at_most(permissions.len(), MAX_PERMISSIONS, "permissions")?;
        at_most(aliases.len(), MAX_ALIASES, "aliases")?;
        let mut catalogue = Self {
            lines,
            permissions: Vec::with_capacity(permissions.len()),
            asks: Table::new(),
            aliases: Table::new(),
            by_name: Table::new(),
            by_resource: HashMap::new(),
            by_action: HashMap::new(),
        };
        for (name, entry) in permissions {
            catalogue.add_permission(&name, entry)?;
        }
        for (name, target) in aliases {
            catalogue.add_alias(&name, &target)?;
        }
        Ok(catalogue)
    }

    /// The permissions that a pattern names, found by index: the work is in proportion to what it finds.
    pub(crate) fn named(&self, pattern: &Pattern) -> Vec<u32> {
        match (&pattern.resource, &pattern.action) {
            (Some(resource), Some(action)) => {
                self.by_name.get(&format!("{resource}:{action}")).copied().into_iter().collect()
            }
            (Some(resource), None) => self.by_resource.get(resource).cloned().unwrap_or_default(),
            (None, Some(action)) => self.by_action.get(action).cloned().unwrap_or_default(),
            (None, None) => (0..self.permissions.len() as u32).collect(),
        }
    }

    pub(crate) fn error(&self, kind: ErrorKind, at: &Word, detail: impl Into<Box<str>>) -> Error {
        Error::new(kind, self.lines.of(&at.span()), detail)
    }

    fn add_permission(&mut self, name: &Word, entry: PermissionEntry) -> Result<(), Error> {
        let malformed = || {
            let detail =
                format!("permission {} is not resource:action in lower-case ASCII", quoted(name.get_ref()));
            self.error(ErrorKind::Name, name, detail)
        };
        let parsed = PermissionName::parse(name.get_ref()).map_err(|_| malformed())?;
        if parsed.scope().is_some() {
            return Err(malformed());
        }
        let id = self.permissions.len() as u32;
        let scopes = self.scopes(entry.scopes)?;
        for scope in [Scope::Own, Scope::Team, Scope::Tenant, Scope::All] {
            let at_least = Reach::from(scope);
            if scopes.contains(&at_least) {
                let text = format!("{}:{}", parsed.as_str(), scope.as_str());
                self.asks.insert(text, Asked { permission: id, at_least });
            }
        }
        self.asks.insert(parsed.as_str(), Asked { permission: id, at_least: Reach::Own });
        self.by_name.insert(parsed.as_str(), id);
        self.by_resource.entry(parsed.resource().into()).or_default().push(id);
        self.by_action.entry(parsed.action().into()).or_default().push(id);
        self.permissions.push(PermissionInfo {
            name: parsed.as_str().into(),
            resource: parsed.resource().into(),
            action: parsed.action().into(),
            scopes,
            owners: if entry.asserted_owner { Owners::Asserted } else { Owners::Sealed },
            line: self.lines.of(&name.span()),
        });
        Ok(())
    }

    fn scopes(&self, entry: Option<Spanned<Vec<Word>>>) -> Result<Vec<Reach>, Error> {
        let Some(entry) = entry else { return Ok(vec![Reach::Whole]) };
        if entry.get_ref().is_empty() {
            let detail = "scopes is empty; leave it out for a permission that reaches all records";
            return Err(Error::new(ErrorKind::Scope, self.lines.of(&entry.span()), detail));
        }
        let mut scopes = BTreeSet::new();
        for word in entry.into_inner() {
            let Some(scope) = Scope::from_word(word.get_ref()) else {
                let detail = format!("scope {} is none of own, team, tenant, all", quoted(word.get_ref()));
                return Err(self.error(ErrorKind::Scope, &word, detail));
            };
            if !scopes.insert(Reach::from(scope)) {
                let detail = format!("scope {} stands twice; tenant and all are one", scope.as_str());
                return Err(self.error(ErrorKind::Duplicate, &word, detail));
            }
        }
        Ok(scopes.into_iter().collect())
    }

    fn add_alias(&mut self, name: &Word, target: &Word) -> Result<(), Error> {
        let (alias, text) = (name.get_ref().as_str(), target.get_ref().as_str());
        if !names::is_alias(alias) {
            let detail = format!("alias {} is not lower-case ASCII", quoted(alias));
            return Err(self.error(ErrorKind::Name, name, detail));
        }
        if self.asks.contains(alias) {
            let detail = format!("alias {} hides the permission of this name", quoted(alias));
            return Err(self.error(ErrorKind::Alias, name, detail));
        }
        // Only catalogue names have both an entry in `asks` and none in `aliases`: an alias leads to no other alias.
        let asked = self.asks.get(text).copied().filter(|_| !self.aliases.contains(text));
        let Some(asked) = asked else {
            let known = self.asks.names().filter(|name| !self.aliases.contains(name));
            let hint = suggestion(text, known);
            let detail = format!(
                "alias {} leads to {}, which is not in the catalogue{hint}",
                quoted(alias),
                quoted(text)
            );
            return Err(self.error(ErrorKind::Alias, target, detail));
        };
        // SECURITY: whoever reads `note:read:own` in a role must not have granted more by it.
        let scope_of = |name: &str| PermissionName::parse(name).ok()?.scope().map(Reach::from);
        if scope_of(alias).is_some_and(|says| scope_of(text) != Some(says)) {
            let detail = format!("alias {} says a scope that {} does not", quoted(alias), quoted(text));
            return Err(self.error(ErrorKind::Alias, target, detail));
        }
        self.asks.insert(alias, asked);
        self.aliases.insert(alias, text.into());
        Ok(())
    }
}

/// Refuses more of something than the limit.
pub(crate) fn at_most(count: usize, most: usize, of: &str) -> Result<(), Error> {
    if count <= most {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge, None, format!("the policy has more than {most} {of}")))
}

/// The scopes of a permission, in words.
pub(crate) fn listed(permission: &PermissionInfo) -> impl Display {
    permission.scopes.iter().map(|reach| reach.scope().as_str()).collect::<Vec<_>>().join(", ")
}
