//! What a program's own jobs may do.

use std::sync::Arc;

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
    /// Asked when no rule fits.
    roles: Option<Arc<dyn PolicyEngine>>,
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

    /// Lets an engine decide too, for what no [`JobPolicy::allow`] allows: cross-tenant roles of people and services.
    ///
    /// # Security
    /// It is asked about records of every tenant. Give it an engine that knows roles of [`Realm::System`](crate::Realm::System).
    #[must_use]
    pub fn with_roles(mut self, engine: impl PolicyEngine + 'static) -> Self {
        self.roles = Some(Arc::new(engine));
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
            _ => match &self.roles {
                Some(engine) => return engine.decide(ask),
                None => Verdict::Deny { rule: None },
            },
        };
        (verdict, Revision(0))
    }
}
