//! What a program's own jobs may do.

use crate::{Ask, FieldSet, Permission, PolicyEngine, Revision, RuleId, Scope, UnixTime, Verdict};

/// Which job may do what, across tenants. It decides for every principal of [`Realm::System`](crate::Realm::System).
///
/// ```
/// use bartizan_core::{FieldSet, JobPolicy, Permission};
///
/// const RESEAL: Permission = Permission::literal("patient:reseal");
/// let jobs = JobPolicy::none().allow("nightly-reseal", RESEAL, FieldSet::everything());
/// ```
#[derive(Clone, Debug, Default)]
pub struct JobPolicy {
    rules: Vec<(Box<str>, Permission, FieldSet)>,
}

impl JobPolicy {
    /// No job may do anything.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets the job whose subject is `job` use a permission in any tenant, with these fields in clear.
    ///
    /// A job owns no records and is in no team: a permission with the scope `own` or `team` lets it do nothing.
    #[must_use]
    pub fn allow(mut self, job: impl Into<Box<str>>, permission: Permission, clear: FieldSet) -> Self {
        self.rules.push((job.into(), permission, clear));
        self
    }
}

impl PolicyEngine for JobPolicy {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        let rule = self.rules.iter().enumerate().find(|(_, (job, permission, _))| {
            **job == *ask.who.subject()
                && permission.name().unscoped() == ask.permission.unscoped()
                && matches!(permission.name().scope(), None | Some(Scope::Tenant | Scope::All))
        });
        let verdict = match rule {
            Some((index, (_, permission, clear))) if permission.name().resource() == ask.on.kind() => {
                Verdict::Allow {
                    rule: RuleId(u32::try_from(index).unwrap_or(u32::MAX)),
                    clear: clear.clone(),
                    until: UnixTime::MAX,
                }
            }
            _ => Verdict::Deny { rule: None },
        };
        (verdict, Revision(0))
    }
}
