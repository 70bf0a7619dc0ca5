//! The permissions that a program knows, fixed when it is compiled.

use std::fmt;

use crate::{Importance, Permission, PermissionName, Scope};

/// All permissions of a program, in a fixed order, so that each has a number.
///
/// Keep it in a `static`: [`PermissionName::index_in`] knows a catalogue by its place in memory, which a `const` does not have.
/// `#[derive(Permissions)]` of `bartizan-rbac` writes it from an enum.
///
/// ```
/// use bartizan_core::{CatalogueEntry, Permission, PermissionCatalogue};
///
/// static CLINIC: PermissionCatalogue = PermissionCatalogue::new(&[
///     CatalogueEntry::new("patient:read").scoped(&["patient:read:own", "patient:read:all"]),
///     CatalogueEntry::new("patient:erase").critical(),
/// ]);
/// const ERASE: Permission = Permission::of(&CLINIC, 1);
/// assert_eq!(ERASE.to_string(), "patient:erase");
/// assert_eq!(ERASE.name().index_in(&CLINIC), Some(1));
/// ```
pub struct PermissionCatalogue {
    entries: &'static [CatalogueEntry],
}

/// One permission of a [`PermissionCatalogue`].
#[derive(Clone, Copy)]
pub struct CatalogueEntry {
    /// Without scope, and of no catalogue.
    name: PermissionName<'static>,
    /// `resource:action:scope` for each scope that may be asked for and granted.
    scoped: &'static [&'static str],
    importance: Importance,
    asserted_owner: bool,
    description: &'static str,
}

impl PermissionCatalogue {
    /// A catalogue of these permissions. Their numbers are their positions.
    ///
    /// That no name stands twice is not looked at here: the derive does, and whoever binds the catalogue to a policy.
    #[must_use]
    pub const fn new(entries: &'static [CatalogueEntry]) -> Self {
        Self { entries }
    }

    /// How many permissions it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The permissions as they were declared, in the order of their numbers.
    #[must_use]
    pub const fn entries(&self) -> &'static [CatalogueEntry] {
        self.entries
    }

    /// The permission of this number, without scope; nothing beyond the end.
    #[must_use]
    pub const fn get(&'static self, index: usize) -> Option<Permission> {
        match self.entry(index) {
            Some((entry, number)) => Some(Permission::catalogued(entry.name, entry.importance, self, number)),
            None => None,
        }
    }

    /// The permission of this number, asking for at least this scope; nothing when its entry does not list it.
    pub(crate) const fn scoped(
        &'static self,
        index: u32,
        scope: Scope,
        importance: Importance,
    ) -> Option<Permission> {
        let Some((entry, number)) = self.entry(index as usize) else { return None };
        match entry.text_with(scope) {
            Some(name) => Some(Permission::catalogued(name, importance, self, number)),
            None => None,
        }
    }

    /// An entry and its number. Numbers are 32 bits wide; no program has an entry beyond.
    #[expect(
        clippy::indexing_slicing,
        reason = "A const fn has no get(); the index was compared with the length."
    )]
    const fn entry(&self, index: usize) -> Option<(&'static CatalogueEntry, u32)> {
        if index < self.entries.len() && index <= u32::MAX as usize {
            return Some((&self.entries[index], index as u32));
        }
        None
    }
}

impl CatalogueEntry {
    /// `resource:action`: a permission that reaches all records of the tenant.
    ///
    /// # Panics
    /// When the name is malformed or has a scope: in a `const` or `static` that is a compile error.
    #[must_use]
    #[expect(clippy::panic, reason = "Meant for constants, where a panic is the compiler's message.")]
    pub const fn new(name: &'static str) -> Self {
        match PermissionName::parsed(name) {
            Some(name) if name.scope().is_none() => Self {
                name,
                scoped: &[],
                importance: Importance::Standard,
                asserted_owner: false,
                description: "",
            },
            _ => panic!("an entry of a catalogue is resource:action in lower-case ASCII, without a scope"),
        }
    }

    /// The same permission with these scopes, each written as the whole name: `patient:read:own`.
    ///
    /// # Panics
    /// When a name is not this permission's with a scope, or a scope stands twice (`tenant` and `all` are one): in a `const` or
    /// `static` that is a compile error.
    #[must_use]
    #[expect(clippy::panic, reason = "Meant for constants, where a panic is the compiler's message.")]
    #[expect(clippy::indexing_slicing, reason = "A const fn has no get(); the index is below the length.")]
    pub const fn scoped(mut self, names: &'static [&'static str]) -> Self {
        let (mut at, mut seen) = (0, [false; 3]);
        while at < names.len() {
            let scope = match PermissionName::parsed(names[at]) {
                Some(name) if name.is_scoped_form_of(&self.name) => name.scope(),
                _ => None,
            };
            let reach = match scope {
                Some(Scope::Own) => 0,
                Some(Scope::Team) => 1,
                Some(Scope::Tenant | Scope::All) => 2,
                None => panic!("a scoped name is the permission's own name, a colon and a scope"),
            };
            if seen[reach] {
                panic!("a scope stands twice; tenant and all are one");
            }
            seen[reach] = true;
            at += 1;
        }
        self.scoped = names;
        self
    }

    /// The same permission, whose every use must be durable on record first.
    #[must_use]
    pub const fn critical(mut self) -> Self {
        self.importance = Importance::Critical;
        self
    }

    /// The same permission, whose `own` also believes an owner whom the caller names and no seal does.
    #[must_use]
    pub const fn asserted_owner(mut self) -> Self {
        self.asserted_owner = true;
        self
    }

    /// The same permission with a sentence for people.
    #[must_use]
    pub const fn described(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// `resource:action`.
    #[must_use]
    pub const fn name(&self) -> PermissionName<'static> {
        self.name
    }

    /// The scopes it has, in the order they were declared; none for a permission that reaches all records.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> + use<> {
        self.scoped.iter().filter_map(|name| PermissionName::parsed(name)?.scope())
    }

    /// Whether its uses must be durable on record first.
    #[must_use]
    pub const fn importance(&self) -> Importance {
        self.importance
    }

    /// Whether `own` also believes an owner whom only the caller names.
    #[must_use]
    pub const fn believes_asserted_owner(&self) -> bool {
        self.asserted_owner
    }

    /// A sentence for people; empty when there is none.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// The name with this scope, if it is listed.
    #[expect(clippy::indexing_slicing, reason = "A const fn has no get(); the index is below the length.")]
    const fn text_with(&self, scope: Scope) -> Option<PermissionName<'static>> {
        let mut at = 0;
        while at < self.scoped.len() {
            if let Some(name) = PermissionName::parsed(self.scoped[at])
                && let Some(own) = name.scope()
                && own as u8 == scope as u8
            {
                return Some(name);
            }
            at += 1;
        }
        None
    }
}

impl fmt::Debug for PermissionCatalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries).finish()
    }
}

impl fmt::Debug for CatalogueEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CatalogueEntry")
            .field("name", &self.name)
            .field("scopes", &self.scopes().collect::<Vec<_>>())
            .field("importance", &self.importance)
            .field("asserted_owner", &self.asserted_owner)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static CLINIC: PermissionCatalogue = PermissionCatalogue::new(&[
        CatalogueEntry::new("patient:read")
            .scoped(&["patient:read:own", "patient:read:team", "patient:read:all"])
            .asserted_owner()
            .described("See a patient"),
        CatalogueEntry::new("patient:erase").critical(),
    ]);
    static ALIKE: PermissionCatalogue = PermissionCatalogue::new(&[CatalogueEntry::new("patient:read")]);

    #[test]
    fn number_and_name_come_from_one_entry() {
        for (index, entry) in CLINIC.entries().iter().enumerate() {
            let permission = Permission::of(&CLINIC, index);
            assert_eq!(permission.name(), entry.name());
            assert_eq!(permission.importance(), entry.importance());
            assert_eq!(permission.name().index_in(&CLINIC), Some(index as u32));
            assert_eq!(CLINIC.get(index), Some(permission));
        }
        assert_eq!(CLINIC.get(2), None);
        assert_eq!(CLINIC.get(usize::MAX), None);
        assert_eq!((CLINIC.len(), CLINIC.is_empty()), (2, false));
    }

    #[test]
    fn a_name_has_a_number_in_its_own_catalogue_only() {
        let read = Permission::of(&CLINIC, 0);
        assert_eq!(read.name().index_in(&ALIKE), None);
        assert_eq!(Permission::literal("patient:read").name().index_in(&CLINIC), None);
        assert_eq!(PermissionName::parse("patient:read").unwrap().index_in(&CLINIC), None);
    }

    #[test]
    fn importance_and_scope_keep_the_number() {
        let read = Permission::of(&CLINIC, 0).critical();
        assert_eq!((read.importance(), read.name().index_in(&CLINIC)), (Importance::Critical, Some(0)));
        let own = read.at_least(Scope::Own);
        assert_eq!((own.name().as_str(), own.name().scope()), ("patient:read:own", Some(Scope::Own)));
        assert_eq!((own.importance(), own.name().index_in(&CLINIC)), (Importance::Critical, Some(0)));
        assert_eq!(own.at_least(Scope::All).to_string(), "patient:read:all");
        assert_eq!(own, Permission::literal("patient:read:own").critical());
    }

    #[test]
    fn an_entry_says_what_was_declared() {
        let [read, erase] = CLINIC.entries() else { panic!("two entries") };
        assert_eq!(read.scopes().collect::<Vec<_>>(), [Scope::Own, Scope::Team, Scope::All]);
        assert_eq!((read.believes_asserted_owner(), read.description()), (true, "See a patient"));
        assert_eq!((read.importance(), erase.importance()), (Importance::Standard, Importance::Critical));
        assert_eq!((erase.scopes().count(), erase.believes_asserted_owner()), (0, false));
    }

    #[test]
    fn what_was_not_declared_is_no_permission() {
        let panics = |act: fn() -> Permission| std::panic::catch_unwind(act).is_err();
        assert!(panics(|| Permission::of(&CLINIC, 2)));
        assert!(panics(|| Permission::of(&CLINIC, 0).at_least(Scope::Tenant)));
        assert!(panics(|| Permission::of(&CLINIC, 1).at_least(Scope::All)));
        assert!(panics(|| Permission::literal("patient:read").at_least(Scope::Own)));
        assert!(!panics(|| Permission::of(&CLINIC, 0).at_least(Scope::Own)));
    }

    #[test]
    fn malformed_entries_are_refused() {
        let refused = |act: fn() -> CatalogueEntry| std::panic::catch_unwind(act).is_err();
        assert!(refused(|| CatalogueEntry::new("patient:read:own")));
        assert!(refused(|| CatalogueEntry::new("patient:*")));
        assert!(refused(|| CatalogueEntry::new("patient:read").scoped(&["patient:reads:own"])));
        assert!(refused(|| CatalogueEntry::new("patient:read").scoped(&["patient:rea:own"])));
        assert!(refused(|| CatalogueEntry::new("patient:read").scoped(&["patient:raed:own"])));
        assert!(refused(|| CatalogueEntry::new("patient:read").scoped(&["patient:read"])));
        assert!(refused(|| CatalogueEntry::new("patient:read").scoped(&["own"])));
        assert!(refused(|| CatalogueEntry::new("a:b").scoped(&["a:b:own", "a:b:own"])));
        assert!(refused(|| CatalogueEntry::new("a:b").scoped(&["a:b:tenant", "a:b:all"])));
        assert!(!refused(|| CatalogueEntry::new("a:b").scoped(&["a:b:own", "a:b:team", "a:b:tenant"])));
    }
}
