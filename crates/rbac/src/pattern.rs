//! One entry of an `allow` or `deny` list: `resource:action[:scope]`, each segment a name or `*`.

use bartizan_core::Scope;

use crate::{Effect, names, policy::PermissionInfo, reach::Reach};

/// An entry as it was written, and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) effect: Effect,
    pub(crate) pattern: Pattern,
    /// The number of its set of conditions, when it has any.
    pub(crate) when: Option<u32>,
    pub(crate) written: Box<str>,
    pub(crate) line: Option<u32>,
}

/// A wildcard is a whole segment and nothing less: `admin-*` is a name that no catalogue can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern {
    pub(crate) resource: Option<Box<str>>,
    pub(crate) action: Option<Box<str>>,
    pub(crate) scope: ScopePattern,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ScopePattern {
    /// Not said.
    Open,
    /// `*`: as far as the catalogue goes.
    Widest,
    Exactly(Reach),
}

/// What an entry means for one permission that its name matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Reaches(Reach),
    /// The scope must be said: the permission has more than `all`.
    MustSay,
    /// The catalogue does not list this scope.
    NotListed,
}

impl Pattern {
    /// Takes an entry apart; nothing when it has another form.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut segments = text.split(':');
        let (resource, action) = (segments.next()?, segments.next()?);
        let scope = match segments.next() {
            None => ScopePattern::Open,
            Some("*") => ScopePattern::Widest,
            Some(word) => ScopePattern::Exactly(Scope::from_word(word)?.into()),
        };
        if segments.next().is_some() {
            return None;
        }
        Some(Self { resource: segment(resource)?, action: segment(action)?, scope })
    }

    pub(crate) const fn is_exact(&self) -> bool {
        self.resource.is_some() && self.action.is_some()
    }

    /// The one permission that it names, when it has no wildcard in its name.
    pub(crate) fn exact(&self) -> Option<String> {
        Some(format!("{}:{}", self.resource.as_deref()?, self.action.as_deref()?))
    }

    pub(crate) fn names(&self, permission: &PermissionInfo) -> bool {
        let fits =
            |segment: &Option<Box<str>>, name: &str| segment.as_deref().is_none_or(|segment| segment == name);
        fits(&self.resource, &permission.resource) && fits(&self.action, &permission.action)
    }

    /// What it means for a permission that it names.
    pub(crate) fn on(&self, permission: &PermissionInfo, effect: Effect) -> Meaning {
        let widest = permission.scopes.last().copied().unwrap_or(Reach::Own);
        match (effect, self.scope) {
            (Effect::Deny, ScopePattern::Open | ScopePattern::Widest) => Meaning::Reaches(Reach::Whole),
            (Effect::Allow, ScopePattern::Widest) => Meaning::Reaches(widest),
            (Effect::Allow, ScopePattern::Open) if permission.scopes == [Reach::Whole] => {
                Meaning::Reaches(Reach::Whole)
            }
            (Effect::Allow, ScopePattern::Open) => Meaning::MustSay,
            (_, ScopePattern::Exactly(reach)) if permission.scopes.contains(&reach) => {
                Meaning::Reaches(reach)
            }
            // SECURITY: a deny by wildcard holds on one's own records also where the catalogue knows `all` only; leaving
            // such a permission out would open what the entry says is closed.
            (Effect::Deny, ScopePattern::Exactly(reach)) if !self.is_exact() => Meaning::Reaches(reach),
            (_, ScopePattern::Exactly(_)) => Meaning::NotListed,
        }
    }
}

impl Entry {
    /// How far it reaches on a permission; nothing when it does not speak of it.
    pub(crate) fn reach_on(&self, permission: &PermissionInfo) -> Option<Reach> {
        match self.pattern.names(permission).then(|| self.pattern.on(permission, self.effect))? {
            Meaning::Reaches(reach) => Some(reach),
            Meaning::MustSay | Meaning::NotListed => None,
        }
    }
}

/// A name, or nothing for `*`; nothing at all for any other text.
fn segment(text: &str) -> Option<Option<Box<str>>> {
    if text == "*" {
        return Some(None);
    }
    names::is_segment(text).then(|| Some(text.into()))
}
