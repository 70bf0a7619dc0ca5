//! Who may do what, as a table for people.

use std::fmt;

use bartizan_core::{FieldSet, Scope};

use crate::{
    Effect, Policy,
    reach::Reach,
    shown::{EVERYTHING, Merged, NOTHING},
};

/// What every role, with all that it inherits, may do: the document that a review reads.
///
/// `to_string()` is Markdown: one table of roles and permissions, and one of the fields that are shown in clear.
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
}

impl Cell {
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
        }
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
        let cell = self.policy.0.rights.cell(role, permission);
        (cell.allows(at) && !cell.denies(at)).then(|| self.clear_at(role, permission, at))
    }

    fn ids(&self, role: &str, permission: &str) -> Option<(u32, u32)> {
        let policy = &*self.policy.0;
        let asked = policy.asks.get(permission).filter(|_| !policy.aliases.contains(permission))?;
        Some((*policy.role_ids.get(role)?, asked.permission))
    }

    fn at(&self, role: u32, permission: u32) -> Cell {
        let cell = self.policy.0.rights.cell(role, permission);
        Cell {
            allow: cell.widest(Effect::Allow).map(Reach::scope),
            deny: cell.widest(Effect::Deny).map(Reach::scope),
        }
    }

    fn clear_at(&self, role: u32, permission: u32, at: Reach) -> FieldSet {
        let shown = &self.policy.0.shown;
        let (clear, visible) = match shown.column(permission) {
            Some(column) => shown.of(role, column, at),
            None => (NOTHING, EVERYTHING),
        };
        Merged::One(clear).into_set(shown).intersection(&Merged::One(visible).into_set(shown))
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
    fn fields(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = &*self.policy.0;
        let mut empty = true;
        for (role, role_id) in policy.roles.iter().zip(0..) {
            for (permission, id) in policy.permissions.iter().zip(0..) {
                if policy.shown.column(id).is_none() {
                    continue;
                }
                let cell = policy.rights.cell(role_id, id);
                for at in permission.scopes.iter().filter(|at| cell.allows(**at) && !cell.denies(**at)) {
                    if std::mem::take(&mut empty) {
                        f.write_str("\n| role | permission | in clear |\n|---|---|---|\n")?;
                    }
                    let clear = self.clear_at(role_id, id, *at);
                    writeln!(
                        f,
                        "| {} | {}:{} | {clear:?} |",
                        role.name,
                        permission.name,
                        at.scope().as_str()
                    )?;
                }
            }
        }
        Ok(())
    }
}
