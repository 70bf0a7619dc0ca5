//! Who may do what, as a table for people.

mod html;

use std::fmt;

use bartizan_core::{FieldSet, Scope};

use crate::{Effect, Policy, reach::Reach};

/// What every role, with all that it inherits, may do: the document that a review reads.
///
/// `to_string()` is Markdown: one table of roles and permissions, and one of the fields that are shown in clear. For spreadsheets
/// there is [`Matrix::to_csv`], for reading [`Matrix::to_html`].
#[derive(Clone, Debug)]
pub struct Matrix {
    policy: Policy,
}

/// How far one role reaches on one permission.
///
/// Its `Display` is the scope, `–` for nothing, `denied`, or `all, not own` where a narrower deny takes a part away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    allow: Option<Scope>,
    deny: Option<Scope>,
    may_allow: Option<Scope>,
    may_deny: Option<Scope>,
}

impl Cell {
    /// How far it is allowed when conditions hold, where that is further than without.
    #[must_use]
    pub const fn may_allow(&self) -> Option<Scope> {
        self.may_allow
    }

    /// How far it is denied when conditions hold, where that is further than without.
    #[must_use]
    pub const fn may_deny(&self) -> Option<Scope> {
        self.may_deny
    }

    /// How far it is allowed, before denies.
    #[must_use]
    pub const fn allow(&self) -> Option<Scope> {
        self.allow
    }

    /// How far it is denied.
    #[must_use]
    pub const fn deny(&self) -> Option<Scope> {
        self.deny
    }

    /// How far the role reaches in the end; nothing when a deny reaches as far as the allow.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.allow.filter(|allow| self.deny.is_none_or(|deny| deny < *allow))
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.scope(), self.deny) {
            (None, None) => f.write_str("–"),
            (None, Some(_)) => f.write_str("denied"),
            (Some(scope), None) => f.write_str(scope.as_str()),
            (Some(scope), Some(deny)) => write!(f, "{}, not {}", scope.as_str(), deny.as_str()),
        }?;
        if let Some(may) = self.may_allow {
            write!(f, ", perhaps {}", may.as_str())?;
        }
        self.may_deny.map_or(Ok(()), |may| write!(f, ", perhaps not {}", may.as_str()))
    }
}

impl Matrix {
    pub(crate) fn of(policy: &Policy) -> Self {
        Self { policy: policy.clone() }
    }

    /// The roles, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.policy.roles()
    }

    /// The permissions, without scopes, sorted.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.policy.permissions()
    }

    /// One cell; nothing for an unknown role or permission.
    #[must_use]
    pub fn cell(&self, role: &str, permission: &str) -> Option<Cell> {
        let (role, permission) = self.ids(role, permission)?;
        Some(self.at(role, permission))
    }

    /// The fields that a role shows in clear of a record within a scope; nothing when it has no permission there.
    #[must_use]
    pub fn clear(&self, role: &str, permission: &str, within: Scope) -> Option<FieldSet> {
        let (role, permission) = self.ids(role, permission)?;
        let at = Reach::from(within);
        let said = self.policy.0.rights.of(role, permission);
        (said.allows(at) && !said.denies(at)).then(|| self.clear_at(role, permission, at))
    }

    fn ids(&self, role: &str, permission: &str) -> Option<(u32, u32)> {
        let policy = &*self.policy.0;
        let asked = policy.asks.get(permission).filter(|_| !policy.aliases.contains(permission))?;
        Some((*policy.role_ids.get(role)?, asked.permission))
    }

    fn at(&self, role: u32, permission: u32) -> Cell {
        let shape = self.policy.0.rights.shape(role, permission);
        Cell {
            allow: shape.allow.map(Reach::scope),
            deny: shape.deny.map(Reach::scope),
            may_allow: shape
                .may_reach(Effect::Allow)
                .filter(|may| shape.allow < Some(*may))
                .map(Reach::scope),
            may_deny: shape.may_reach(Effect::Deny).filter(|may| shape.deny < Some(*may)).map(Reach::scope),
        }
    }

    fn clear_at(&self, role: u32, permission: u32, at: Reach) -> FieldSet {
        let (shown, shape) = (&self.policy.0.shown, self.policy.0.rights.shape(role, permission));
        shown.set(shape.detail.clear_at(at)).intersection(&shown.set(shape.detail.visible))
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (roles, permissions) = (&self.policy.0.roles, &self.policy.0.permissions);
        f.write_str("| permission |")?;
        roles.iter().try_for_each(|role| write!(f, " {} |", role.name))?;
        f.write_str("\n|---|")?;
        roles.iter().try_for_each(|_| f.write_str("---|"))?;
        for (permission, id) in permissions.iter().zip(0..) {
            write!(f, "\n| {} |", permission.name)?;
            (0..roles.len() as u32).try_for_each(|role| write!(f, " {} |", self.at(role, id)))?;
        }
        f.write_str("\n")?;
        self.fields(f)
    }
}

impl Matrix {
    /// The table of roles and permissions for spreadsheets (RFC 4180): a line for each permission, a column for each role, words as
    /// in Markdown, and nothing where there is nothing.
    ///
    /// # Security
    /// A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break for a formula. None does here: names are
    /// lower-case ASCII and begin with a letter (a policy with any other name does not load), and all other words are these.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let policy = &*self.policy.0;
        let mut csv = "permission".to_owned();
        for role in &policy.roles {
            csv.push(',');
            csv.push_str(&role.name);
        }
        for (permission, id) in policy.permissions.iter().zip(0..) {
            csv.push_str("\r\n");
            csv.push_str(&permission.name);
            for role in 0..policy.roles.len() as u32 {
                let words = self.at(role, id).to_string().replace('–', "none");
                csv.push(',');
                match &*words {
                    "none" => {}
                    words if words.contains(',') => csv.extend(["\"", words, "\""]),
                    words => csv.push_str(words),
                }
            }
        }
        csv.push_str("\r\n");
        csv
    }

    /// One page (HTML, complete in itself, without script) with a heat map to look at, and the fields in clear below it. It follows
    /// the reader's choice of light and dark, and stays readable for some hundred roles and permissions.
    #[must_use]
    pub fn to_html(&self) -> String {
        // Writing to a string does not fail.
        html::page(self).unwrap_or_default()
    }

    fn fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((role, permission, scope, clear), at) in self.shown().zip(0_u32..) {
            if at == 0 {
                f.write_str("\n| role | permission | in clear |\n|---|---|---|\n")?;
            }
            writeln!(f, "| {role} | {permission}:{} | {clear:?} |", scope.as_str())?;
        }
        Ok(())
    }

    /// Which fields each role shows in clear, by permission and scope, where it says anything about fields.
    fn shown(&self) -> impl Iterator<Item = (&str, &str, Scope, FieldSet)> {
        let policy = &*self.policy.0;
        let roles = policy.roles.iter().zip(0_u32..);
        roles.flat_map(move |(role, role_id)| {
            policy.permissions.iter().zip(0_u32..).flat_map(move |(permission, id)| {
                let said = policy.rights.of(role_id, id);
                let scopes = permission
                    .scopes
                    .iter()
                    .filter(move |at| said.has_detail() && said.allows(**at) && !said.denies(**at));
                scopes.map(move |at| {
                    (&*role.name, &*permission.name, at.scope(), self.clear_at(role_id, id, *at))
                })
            })
        })
    }
}
