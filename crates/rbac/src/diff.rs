//! What a change of policy gives and takes: exactly, by subtraction.

mod limits;
mod said;
mod work;

use std::fmt;

use bartizan_core::Scope;

use self::work::Work;
use crate::{Effect, Policy, reach::Reach};

/// What one policy gives that another does not, and the other way round.
///
/// It is exact for every role by itself, with all that it inherits: each scope of each permission, with its conditions and its
/// fields. What a role allows and denies at once it does not give. A deny, a hidden field and a constraint that is gone or looser
/// counts as a gain: what another role of the same person allows may come through. Conditions are compared by what they say and not
/// by name: more of them give less. Names that nobody can ask about any more, aliases and tests are no part of it.
///
/// ```
/// use bartizan_rbac::{Policy, PolicyDiff};
///
/// let file = |scope| format!(r#"
///     version = 1
///     [permissions]
///     "note:read" = {{ scopes = ["own", "all"] }}
///     [roles.reader]
///     allow = ["note:read:{scope}"]
/// "#);
/// let diff = PolicyDiff::between(&Policy::parse(&file("own"))?, &Policy::parse(&file("all"))?);
/// assert!(diff.gives_more());
/// assert_eq!(diff.to_string(), "+ reader: allow note:read:all\n");
/// # Ok::<(), bartizan_rbac::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyDiff {
    gained: Vec<Gain>,
    lost: Vec<Gain>,
}

/// One thing that a role has under one policy and not under the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gain {
    role: Box<str>,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A permission, up to this scope, under these conditions in canonical words.
    Rule { effect: Effect, permission: Box<str>, reach: Reach, when: Option<Box<str>> },
    /// A field that is shown in clear; `*` for all that no policy names.
    Field { permission: Box<str>, reach: Reach, when: Option<Box<str>>, field: Box<str> },
    /// A field that is no longer hidden, or newly hidden.
    Hides { permission: Box<str>, field: Box<str> },
    /// Something else that gives: of a role, or of a permission.
    Gives(Box<str>),
    /// A constraint, which takes.
    Limit(Box<str>),
}

impl PolicyDiff {
    /// From the old policy to the new one.
    #[must_use]
    pub fn between(old: &Policy, new: &Policy) -> Self {
        let (gained, lost) = Work::new(&old.0, &new.0).done();
        Self { gained, lost }
    }

    /// What the new policy gives beyond the old one, sorted by role.
    #[must_use]
    pub fn gained(&self) -> &[Gain] {
        &self.gained
    }

    /// What the old policy gave beyond the new one, sorted by role.
    #[must_use]
    pub fn lost(&self) -> &[Gain] {
        &self.lost
    }

    /// Whether anybody may gain anything by the change.
    #[must_use]
    pub const fn gives_more(&self) -> bool {
        !self.gained.is_empty()
    }

    /// Whether the two policies decide alike, whoever holds which roles.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty()
    }
}

impl Gain {
    /// The role; empty for what concerns all.
    #[must_use]
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The permission, without scope, where one is concerned.
    #[must_use]
    pub fn permission(&self) -> Option<&str> {
        match &self.what {
            What::Rule { permission, .. }
            | What::Field { permission, .. }
            | What::Hides { permission, .. } => Some(permission),
            What::Gives(_) | What::Limit(_) => None,
        }
    }

    /// The scope that is gained or lost, where it is one.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        match &self.what {
            What::Rule { reach, .. } | What::Field { reach, .. } => Some(reach.scope()),
            What::Hides { .. } | What::Gives(_) | What::Limit(_) => None,
        }
    }

    /// The field, where one is concerned; `*` for all that no policy names.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match &self.what {
            What::Field { field, .. } | What::Hides { field, .. } => Some(field),
            What::Rule { .. } | What::Gives(_) | What::Limit(_) => None,
        }
    }

    /// The conditions, in canonical words, where there are any.
    #[must_use]
    pub fn when(&self) -> Option<&str> {
        match &self.what {
            What::Rule { when, .. } | What::Field { when, .. } => when.as_deref(),
            What::Hides { .. } | What::Gives(_) | What::Limit(_) => None,
        }
    }
}

/// A line for each: `+` for what is gained, `-` for what is lost.
impl fmt::Display for PolicyDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.gained.iter().try_for_each(|gain| gain.line(f, true))?;
        self.lost.iter().try_for_each(|lost| lost.line(f, false))
    }
}

impl Gain {
    /// SECURITY: a deny that is gone is a gain and must read like one: “no longer”.
    fn line(&self, f: &mut fmt::Formatter<'_>, is_gain: bool) -> fmt::Result {
        f.write_str(if is_gain { "+ " } else { "- " })?;
        if !self.role.is_empty() {
            write!(f, "{}: ", self.role)?;
        }
        let turned = if is_gain { "no longer " } else { "now " };
        let under = |f: &mut fmt::Formatter<'_>, when: &Option<Box<str>>| match when {
            Some(when) => writeln!(f, " when {when}"),
            None => writeln!(f),
        };
        match &self.what {
            What::Rule { effect, permission, reach, when } => {
                let turned = if *effect == Effect::Deny { turned } else { "" };
                write!(f, "{turned}{} {permission}:{}", effect.as_str(), reach.scope().as_str())?;
                under(f, when)
            }
            What::Field { permission, reach, when, field } => {
                write!(f, "show {field} by {permission}:{}", reach.scope().as_str())?;
                under(f, when)
            }
            What::Hides { permission, field } => writeln!(f, "{turned}hide {field} by {permission}"),
            What::Gives(text) => writeln!(f, "{text}"),
            What::Limit(text) => writeln!(f, "{turned}{text}"),
        }
    }
}
