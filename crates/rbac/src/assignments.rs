//! Which roles of a principal count.

use std::fmt;

use bartizan_core::{Attestation, Principal};

use crate::{names::Table, policy::Compiled};

/// Which roles of a principal count. There is no default: each choice trusts somebody else.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Assignments {
    /// Those that the credential names *and* that are assigned now. A role that was taken away stops counting at once,
    /// whatever the token says.
    Held(HeldAssignments),
    /// Those that a verified token, session or API key of one of these issuers (`iss`, compared byte by byte) names. A role that was
    /// taken away counts until the token ends. Principals that were attested otherwise have no roles.
    TokenOnly(Vec<String>),
}

/// Who holds which role in which tenant, now. A snapshot: build an engine for a new one.
///
/// Roles that the policy does not have are kept and count nothing.
///
/// ```
/// use bartizan_rbac::HeldAssignments;
///
/// let held = HeldAssignments::new().assign("north", "ada", "doctor").assign("north", "bob", "nurse");
/// ```
#[derive(Clone, Default)]
pub struct HeldAssignments(Vec<(Box<str>, Box<str>, Box<str>)>);

impl HeldAssignments {
    /// Nobody holds anything.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The same, and `subject` holds `role` in `tenant`.
    #[must_use]
    pub fn assign(
        mut self,
        tenant: impl Into<Box<str>>,
        subject: impl Into<Box<str>>,
        role: impl Into<Box<str>>,
    ) -> Self {
        self.0.push((tenant.into(), subject.into(), role.into()));
        self
    }
}

impl<T, S, R> FromIterator<(T, S, R)> for HeldAssignments
where
    T: Into<Box<str>>,
    S: Into<Box<str>>,
    R: Into<Box<str>>,
{
    /// From triples of tenant, subject and role.
    fn from_iter<I: IntoIterator<Item = (T, S, R)>>(triples: I) -> Self {
        Self(triples.into_iter().map(|(t, s, r)| (t.into(), s.into(), r.into())).collect())
    }
}

/// Subjects are personal data in many services: only the number of assignments is shown.
impl fmt::Debug for HeldAssignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldAssignments({})", self.0.len())
    }
}

/// Assignments in the numbers of one policy.
#[derive(Debug)]
pub(crate) enum Counting {
    /// Tenant, then subject, then sorted role numbers.
    Held(Table<Table<Vec<u32>>>),
    TokenOnly(Vec<String>),
}

impl Counting {
    pub(crate) fn new(assignments: Assignments, policy: &Compiled) -> Self {
        let held = match assignments {
            Assignments::TokenOnly(issuers) => return Self::TokenOnly(issuers),
            Assignments::Held(held) => held,
        };
        let mut tenants: Table<Table<Vec<u32>>> = Table::new();
        for (tenant, subject, role) in held.0 {
            if let Some(role) = policy.role_ids.get(&role) {
                let subjects = tenants.or_insert_with(&tenant, Table::new);
                subjects.or_insert_with(&subject, Vec::new).push(*role);
            }
        }
        for roles in tenants.values_mut().flat_map(Table::values_mut) {
            roles.sort_unstable();
            roles.dedup();
        }
        Self::Held(tenants)
    }

    /// Calls `each` with every role that counts. What neither policy nor assignments know counts nothing.
    #[inline]
    pub(crate) fn for_each(&self, who: &Principal, policy: &Compiled, mut each: impl FnMut(u32)) {
        let held = match self {
            Self::Held(tenants) => {
                let Some(held) = tenants.get(who.tenant()).and_then(|subjects| subjects.get(who.subject()))
                else {
                    return;
                };
                Some(held)
            }
            Self::TokenOnly(issuers) => {
                let trusted =
                    matches!(who.how(), Attestation::Token | Attestation::Session | Attestation::ApiKey)
                        && who
                            .issuer()
                            .is_some_and(|issuer| issuers.iter().any(|trusted| *trusted == *issuer));
                if !trusted {
                    return;
                }
                None
            }
        };
        for role in who.roles().iter().filter_map(|role| policy.role_ids.get(role)) {
            if held.is_none_or(|held| held.binary_search(role).is_ok()) {
                each(*role);
            }
        }
    }
}
