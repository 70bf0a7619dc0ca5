//! A policy made by a program.

use std::collections::BTreeMap;

use bartizan_core::Scope;
use toml::Spanned;

use crate::{
    Error, ErrorKind, Policy,
    document::{Document, FieldsEntry, Lines, PermissionEntry, RoleEntry, RuleEntry, Word},
    names::quoted,
};

/// A policy made by a program: of roles that stand in a table of a database, or of a file with additions.
///
/// It is checked as a whole, like a file, and by the same code.
///
/// ```
/// use bartizan_core::Scope;
/// use bartizan_rbac::{PolicyBuilder, RoleBuilder};
///
/// let policy = PolicyBuilder::new()
///     .permission("note:read", [Scope::Own, Scope::All])
///     .permission("note:erase", [])
///     .role(RoleBuilder::new("reader").allow("note:read:own"))
///     .role(RoleBuilder::new("editor").inherits("reader").allow("note:read:all").show("note", ["title"]))
///     .build()?;
/// assert_eq!(policy.roles().collect::<Vec<_>>(), ["editor", "reader"]);
/// # Ok::<(), bartizan_rbac::Error>(())
/// ```
#[derive(Debug)]
pub struct PolicyBuilder {
    document: Document,
    twice: Option<String>,
}

/// One role of a [`PolicyBuilder`].
#[derive(Debug)]
pub struct RoleBuilder {
    name: String,
    entry: RoleEntry,
}

impl PolicyBuilder {
    /// Nothing is allowed to nobody.
    #[must_use]
    pub fn new() -> Self {
        Self { document: Document::empty(), twice: None }
    }

    /// What a policy file (TOML) says, to add to. Its tests stay and have to pass.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`] when the text has not the form of a policy. Everything else is found by
    /// [`PolicyBuilder::build`], without lines.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        crate::policy::not_too_large(text)?;
        Ok(Self { document: Document::read(text, &Lines::in_text(text))?, twice: None })
    }

    /// A permission with these scopes; without any it reaches all records of the tenant.
    #[must_use]
    pub fn permission(mut self, name: impl Into<String>, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let scopes: Vec<Word> = scopes.into_iter().map(|scope| word(scope.as_str())).collect();
        let scopes = (!scopes.is_empty()).then(|| Spanned::new(0..0, scopes));
        let entry = PermissionEntry { scopes, asserted_owner: false, _description: None };
        let permissions = self.document.permissions.get_or_insert_with(BTreeMap::new);
        let name = word(name);
        if permissions.contains_key(&name) {
            self.twice = Some(format!("permission {} stands twice", quoted(name.get_ref())));
        }
        permissions.insert(name, entry);
        self
    }

    /// A role.
    #[must_use]
    pub fn role(mut self, role: RoleBuilder) -> Self {
        let name = word(role.name);
        if self.document.roles.contains_key(&name) {
            self.twice = Some(format!("role {} stands twice", quoted(name.get_ref())));
        }
        self.document.roles.insert(name, role.entry);
        self
    }

    /// The policy.
    ///
    /// # Errors
    /// As [`Policy::parse`](crate::Policy::parse), without lines.
    pub fn build(self) -> Result<Policy, Error> {
        match self.twice {
            Some(detail) => Err(Error::new(ErrorKind::Duplicate, None, detail)),
            None => Policy::compile(self.document, &Lines::none(), None)?.tested(),
        }
    }
}

impl Default for PolicyBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl RoleBuilder {
    /// A role that may do nothing.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), entry: RoleEntry::default() }
    }

    /// With all that another role has.
    #[must_use]
    pub fn inherits(mut self, role: impl Into<String>) -> Self {
        self.entry.inherits.push(word(role));
        self
    }

    /// May do this: `resource:action[:scope]`, with `*` for whole segments.
    #[must_use]
    pub fn allow(mut self, permission: impl Into<String>) -> Self {
        self.entry.allow.push(rule(permission.into(), Vec::new()));
        self
    }

    /// May do this while all of these conditions hold.
    #[must_use]
    pub fn allow_when<S: Into<String>>(
        mut self,
        permission: impl Into<String>,
        conditions: impl IntoIterator<Item = S>,
    ) -> Self {
        self.entry.allow.push(conditional(permission.into(), conditions));
        self
    }

    /// Must not do this, whatever other roles allow.
    #[must_use]
    pub fn deny(mut self, permission: impl Into<String>) -> Self {
        self.entry.deny.push(rule(permission.into(), Vec::new()));
        self
    }

    /// Must not do this while all of these conditions hold, or cannot be told.
    #[must_use]
    pub fn deny_when<S: Into<String>>(
        mut self,
        permission: impl Into<String>,
        conditions: impl IntoIterator<Item = S>,
    ) -> Self {
        self.entry.deny.push(conditional(permission.into(), conditions));
        self
    }

    /// Shows these fields of a kind of record in clear, where it may do something to it.
    #[must_use]
    pub fn show<S: Into<String>>(
        mut self,
        kind: impl Into<String>,
        fields: impl IntoIterator<Item = S>,
    ) -> Self {
        let fields = fields.into_iter().map(word).collect();
        self.entry.fields.insert(word(kind), FieldsEntry::Named(fields));
        self
    }

    /// Hides these fields of a kind of record, whatever other roles show.
    #[must_use]
    pub fn hide<S: Into<String>>(
        mut self,
        kind: impl Into<String>,
        fields: impl IntoIterator<Item = S>,
    ) -> Self {
        let fields = fields.into_iter().map(word).collect();
        self.entry.hide.insert(word(kind), FieldsEntry::Named(fields));
        self
    }
}

fn word(text: impl Into<String>) -> Word {
    Spanned::new(0..0, text.into())
}

fn rule(permission: String, when: Vec<String>) -> Spanned<RuleEntry> {
    Spanned::new(0..0, RuleEntry { permission, when })
}

fn conditional<S: Into<String>>(permission: String, when: impl IntoIterator<Item = S>) -> Spanned<RuleEntry> {
    let mut when: Vec<String> = when.into_iter().map(Into::into).collect();
    // SECURITY: “under no condition” must not become “always”. No condition has the empty name, so this does not build.
    if when.is_empty() {
        when.push(String::new());
    }
    rule(permission, when)
}
