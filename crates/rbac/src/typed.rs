//! Permissions as an enum of the program, and the policy that has to agree with it.

use std::{collections::HashMap, fmt};

use bartizan_core::{CatalogueEntry, Permission, PermissionCatalogue, Scope};

use crate::{
    names::{quoted, suggestion},
    reach::Reach,
};

/// An enum whose variants are all permissions that a program asks for. [`#[derive(Permissions)]`](derive@crate::Permissions) writes
/// it.
///
/// A check of such a permission looks a number up and hashes nothing; and a policy that is read for the enum
/// ([`Policy::parse_for`](crate::Policy::parse_for)) has these permissions and no others, so none is misspelt on either side.
///
/// ```
/// use bartizan_core::{Permission, Scope};
/// use bartizan_rbac::Permissions;
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, Permissions)]
/// enum Clinic {
///     /// See a patient's record.
///     #[permission("patient:read", scopes(own, team, all), asserted_owner)]
///     PatientRead,
///     /// Erase a patient, for good.
///     #[permission("patient:erase", critical)]
///     PatientErase,
/// }
///
/// const READ: Permission = Clinic::PatientRead.permission();
/// const READ_ALL: Permission = READ.at_least(Scope::All);
/// assert_eq!((READ.to_string(), READ_ALL.to_string()), ("patient:read".into(), "patient:read:all".into()));
/// assert_eq!(Clinic::from_name("patient:erase"), Some(Clinic::PatientErase));
/// ```
///
/// A name that no policy could have does not compile:
///
/// ```compile_fail
/// #[derive(Clone, Copy, bartizan_rbac::Permissions)]
/// enum Clinic {
///     #[permission("Patient.read")]
///     PatientRead,
/// }
/// ```
///
/// Neither does a scope that the permission does not have:
///
/// ```compile_fail
/// # #[derive(Clone, Copy, bartizan_rbac::Permissions)]
/// # enum Clinic {
/// #    #[permission("patient:read", scopes(own, all))]
/// #    PatientRead,
/// # }
/// use bartizan_core::{Permission, Scope};
///
/// const READ_TEAM: Permission = Clinic::PatientRead.permission().at_least(Scope::Team);
/// ```
pub trait Permissions: Copy + fmt::Display + 'static {
    /// All of them, in the order of the variants.
    const CATALOGUE: &'static PermissionCatalogue;

    /// All variants, in their order.
    const ALL: &'static [Self];

    /// The number of this variant in [`Self::CATALOGUE`].
    fn index(self) -> usize;

    /// The variant of this canonical name (`resource:action`, without scope).
    fn from_name(name: &str) -> Option<Self>;

    /// The permission that this variant stands for. The derive writes a `const fn` of the same name, which constants may call.
    fn permission(self) -> Permission {
        Permission::of(Self::CATALOGUE, self.index())
    }
}

/// One permission of a policy's catalogue, whoever wrote it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed<'a> {
    /// `resource:action`.
    pub(crate) name: &'a str,
    /// Sorted, without repeats, not empty.
    pub(crate) scopes: Vec<Reach>,
    pub(crate) asserted_owner: bool,
}

/// Where a program and a policy differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The permission's position in the policy, when the policy has it.
    pub(crate) at: Option<u32>,
    /// One clause for people.
    pub(crate) detail: String,
}

/// The program's permissions as a policy's catalogue, in the order of their numbers: for a file that leaves `[permissions]` out.
pub(crate) fn listed(program: &'static PermissionCatalogue) -> impl Iterator<Item = Listed<'static>> {
    program.entries().iter().map(Listed::of)
}

/// For each number of the program's catalogue the permission's position in the policy.
///
/// # Errors
/// Where one has a permission that the other has not, or they say different scopes or owners of one.
pub(crate) fn bind<'a>(
    program: &'static PermissionCatalogue,
    policy: impl Iterator<Item = Listed<'a>>,
) -> Result<Box<[u32]>, Difference> {
    let mut known: HashMap<&str, Listed<'_>> = HashMap::with_capacity(program.len());
    for entry in listed(program) {
        let name = entry.name;
        if known.insert(name, entry).is_some() {
            return Err(Difference::of(
                None,
                format!("permission {} stands twice in the program", quoted(name)),
            ));
        }
    }
    let mut places: HashMap<&str, u32> = HashMap::with_capacity(known.len());
    for (listed, at) in policy.zip(0..) {
        let Some(entry) = known.get(listed.name) else {
            let hint = suggestion(listed.name, known.keys().copied());
            let detail = format!("permission {} is not in the program{hint}", quoted(listed.name));
            return Err(Difference::of(Some(at), detail));
        };
        if let Some(detail) = entry.differs_from(&listed) {
            return Err(Difference::of(Some(at), detail));
        }
        places.insert(entry.name, at);
    }
    let place = |entry: &CatalogueEntry| {
        let name = entry.name().as_str();
        places.get(name).copied().ok_or_else(|| {
            let detail = format!("permission {} of the program is not in the policy", quoted(name));
            Difference::of(None, detail)
        })
    };
    program.entries().iter().map(place).collect()
}

impl Listed<'static> {
    fn of(entry: &CatalogueEntry) -> Self {
        let mut scopes: Vec<Reach> = entry.scopes().map(Reach::from).collect();
        if scopes.is_empty() {
            scopes.push(Reach::Whole);
        }
        scopes.sort_unstable();
        Self { name: entry.name().as_str(), scopes, asserted_owner: entry.believes_asserted_owner() }
    }

    /// What the policy says otherwise than the program.
    fn differs_from(&self, policy: &Listed<'_>) -> Option<String> {
        let name = quoted(self.name);
        if self.scopes != policy.scopes {
            let (ours, theirs) = (words(&self.scopes), words(&policy.scopes));
            return Some(format!("permission {name} has scopes {theirs} here and {ours} in the program"));
        }
        // SECURITY: the program's reviewer sees the enum, the operator the file. Neither may believe that owners are sealed while
        // the other lets the caller name them.
        match (policy.asserted_owner, self.asserted_owner) {
            (true, false) => {
                Some(format!("permission {name} has asserted_owner here and not in the program"))
            }
            (false, true) => {
                Some(format!("permission {name} has asserted_owner in the program and not here"))
            }
            _ => None,
        }
    }
}

impl Difference {
    const fn of(at: Option<u32>, detail: String) -> Self {
        Self { at, detail }
    }
}

fn words(scopes: &[Reach]) -> String {
    scopes.iter().map(|reach| Scope::as_str(reach.scope())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    static PROGRAM: PermissionCatalogue = PermissionCatalogue::new(&[
        CatalogueEntry::new("patient:read")
            .scoped(&["patient:read:all", "patient:read:own"])
            .asserted_owner(),
        CatalogueEntry::new("note:erase").critical(),
        CatalogueEntry::new("note:list").scoped(&["note:list:tenant"]),
    ]);

    fn policy() -> Vec<Listed<'static>> {
        let listed =
            |name, scopes: &[Reach], asserted_owner| Listed { name, scopes: scopes.to_vec(), asserted_owner };
        vec![
            listed("note:erase", &[Reach::Whole], false),
            listed("note:list", &[Reach::Whole], false),
            listed("patient:read", &[Reach::Own, Reach::Whole], true),
        ]
    }

    /// What is said when the policy differs in this way.
    fn difference(change: impl FnOnce(&mut Vec<Listed<'static>>)) -> (Option<u32>, String) {
        let mut policy = policy();
        change(&mut policy);
        let Difference { at, detail } = bind(&PROGRAM, policy.into_iter()).unwrap_err();
        (at, detail)
    }

    #[test]
    fn numbers_of_the_program_lead_to_places_in_the_policy() {
        assert_eq!(*bind(&PROGRAM, policy().into_iter()).unwrap(), [2, 0, 1]);
        assert_eq!(*bind(&PROGRAM, policy().into_iter().rev()).unwrap(), [0, 2, 1]);
    }

    #[test]
    fn a_policy_made_of_the_program_agrees_with_it() {
        assert_eq!(*bind(&PROGRAM, listed(&PROGRAM)).unwrap(), [0, 1, 2]);
        let read = listed(&PROGRAM).next().unwrap();
        assert_eq!(
            (read.scopes.as_slice(), read.asserted_owner),
            ([Reach::Own, Reach::Whole].as_slice(), true)
        );
    }

    #[test]
    fn each_difference_is_named_with_its_place() {
        assert_eq!(
            difference(|policy| policy[2].name = "patient:raed"),
            (
                Some(2),
                r#"permission "patient:raed" is not in the program; did you mean "patient:read"?"#.into()
            )
        );
        assert_eq!(
            difference(|policy| policy.truncate(2)),
            (None, r#"permission "patient:read" of the program is not in the policy"#.into())
        );
        assert_eq!(
            difference(|policy| policy[2].scopes = vec![Reach::Own, Reach::Team, Reach::Whole]),
            (
                Some(2),
                r#"permission "patient:read" has scopes own, team, all here and own, all in the program"#
                    .into()
            )
        );
        assert_eq!(
            difference(|policy| policy[0].asserted_owner = true),
            (Some(0), r#"permission "note:erase" has asserted_owner here and not in the program"#.into())
        );
        assert_eq!(
            difference(|policy| policy[2].asserted_owner = false),
            (Some(2), r#"permission "patient:read" has asserted_owner in the program and not here"#.into())
        );
    }

    #[test]
    fn a_program_names_each_permission_once() {
        static TWICE: PermissionCatalogue =
            PermissionCatalogue::new(&[CatalogueEntry::new("note:erase"), CatalogueEntry::new("note:erase")]);
        let difference = bind(&TWICE, listed(&PROGRAM)).unwrap_err();
        assert_eq!(difference.detail, r#"permission "note:erase" stands twice in the program"#);
    }

    #[test]
    fn empty_agrees_with_empty_alone() {
        static EMPTY: PermissionCatalogue = PermissionCatalogue::new(&[]);
        assert!(bind(&EMPTY, std::iter::empty()).unwrap().is_empty());
        assert!(bind(&EMPTY, listed(&PROGRAM)).is_err());
        assert!(bind(&PROGRAM, listed(&EMPTY)).is_err());
    }
}
