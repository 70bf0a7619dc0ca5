//! What a route asks of its caller, and the inventory of all routes.

use std::fmt;

use bartizan_core::Permission;
use http::Method;
use serde::Serialize;

use crate::{Error, ErrorKind, Terms, terms::in_words};

/// What a route asks of its caller. Exhaustive on purpose: an integration has to treat every case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoutePolicy {
    /// Everybody may call it, for a stated reason.
    Public {
        /// Why, for the inventory: `liveness`, `login`, …
        reason: Box<str>,
    },
    /// Whoever is known may call it.
    Authenticated,
    /// Whoever has all of these permissions.
    Requires {
        /// Which; never empty once [`RoutePolicy::check`] has passed.
        permissions: Vec<Permission>,
        /// On what, and so when, it is decided.
        on: On,
    },
}

/// On what a route's permissions are decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum On {
    /// On the caller's tenant as a whole ([`Resource::collection`](bartizan_core::Resource::collection)), before the
    /// handler runs. A permission that reaches only as far as the caller's own records does not suffice.
    Collection,
    /// On the record, by the handler, which alone can load it. That it was decided is checked before the answer leaves.
    Record,
}

impl RoutePolicy {
    /// Everybody may call it, for this reason.
    pub fn public(reason: impl Into<Box<str>>) -> Self {
        Self::Public { reason: reason.into() }
    }

    /// Whoever has all of these permissions in their tenant; decided before the handler runs.
    pub fn requires(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self::Requires { permissions: permissions.into_iter().collect(), on: On::Collection }
    }

    /// Whoever has all of these permissions on the record; decided by the handler.
    pub fn requires_on_record(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self::Requires { permissions: permissions.into_iter().collect(), on: On::Record }
    }

    /// The permissions that it names.
    #[must_use]
    pub fn permissions(&self) -> &[Permission] {
        match self {
            Self::Public { .. } | Self::Authenticated => &[],
            Self::Requires { permissions, .. } => permissions,
        }
    }

    /// Whether it says something.
    ///
    /// # Errors
    /// [`ErrorKind::NoPermissions`] when it requires none: “all of nothing” would let everybody in.
    /// [`ErrorKind::NoReason`] when it is public without a reason.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Public { reason } if reason.trim().is_empty() => Err(Error::new(ErrorKind::NoReason)),
            Self::Requires { permissions, .. } if permissions.is_empty() => {
                Err(Error::new(ErrorKind::NoPermissions))
            }
            _ => Ok(()),
        }
    }
}

/// `public (liveness)`, `authenticated`, `requires patient:list`, `requires patient:read on the record`.
impl fmt::Display for RoutePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public { reason } => write!(f, "public ({reason})"),
            Self::Authenticated => f.write_str("authenticated"),
            Self::Requires { permissions, on } => {
                let names: Vec<&str> =
                    permissions.iter().map(|permission| permission.name().as_str()).collect();
                write!(f, "requires {}", names.join(" and "))?;
                match on {
                    On::Collection => Ok(()),
                    On::Record => f.write_str(" on the record"),
                }
            }
        }
    }
}

/// One route of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The method.
    pub method: Method,
    /// The path's template, for example `/patients/{id}`.
    pub path: Box<str>,
    /// What it asks of its caller; nothing when nobody said so, and then no router is built.
    pub policy: Option<RoutePolicy>,
    /// What it asks beside that.
    pub terms: Terms,
}

impl Entry {
    /// A route that asks nothing beside its policy.
    #[must_use]
    pub fn new(method: Method, path: impl Into<Box<str>>, policy: Option<RoutePolicy>) -> Self {
        Self { method, path: path.into(), policy, terms: Terms::default() }
    }

    /// A route that asks this beside its policy.
    #[must_use]
    pub fn with(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }
}

/// All routes of a service with what they ask of their callers, sorted by path and method.
///
/// Its `Display` is a table for people, [`Inventory::to_json`] is for machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory(Vec<Entry>);

impl Inventory {
    /// Of these routes.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut entries: Vec<Entry> = entries.into_iter().collect();
        entries.sort_by(|a, b| (&a.path, a.method.as_str()).cmp(&(&b.path, b.method.as_str())));
        Self(entries)
    }

    /// The routes.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// A JSON array of `{"method","path","policy","permissions","freshness","step_up","limits"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let rows: Vec<Row<'_>> = self.0.iter().map(Row::of).collect();
        // INVARIANT(plain-bodies), see `Problem`.
        serde_json::to_string(&rows).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Row<'a> {
    method: &'a str,
    path: &'a str,
    policy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permissions: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freshness: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_up: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    limits: Vec<String>,
}

impl<'a> Row<'a> {
    fn of(entry: &'a Entry) -> Self {
        let (policy, reason, on) = match &entry.policy {
            None => ("missing", None, None),
            Some(RoutePolicy::Public { reason }) => ("public", Some(&**reason), None),
            Some(RoutePolicy::Authenticated) => ("authenticated", None, None),
            Some(RoutePolicy::Requires { on: On::Collection, .. }) => ("requires", None, Some("collection")),
            Some(RoutePolicy::Requires { on: On::Record, .. }) => ("requires", None, Some("record")),
        };
        let permissions = entry.policy.as_ref().map_or(&[][..], RoutePolicy::permissions);
        let permissions = permissions.iter().map(|permission| permission.name().as_str()).collect();
        let Terms { freshness, step_up, limits, .. } = &entry.terms;
        Self {
            method: entry.method.as_str(),
            path: &entry.path,
            policy,
            reason,
            permissions,
            on,
            freshness: freshness.map(in_words),
            step_up: step_up.as_ref().map(ToString::to_string),
            limits: limits.iter().map(ToString::to_string).collect(),
        }
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Entry) -> usize| self.0.iter().map(of).max().unwrap_or_default();
        let methods = width(|entry| entry.method.as_str().len());
        let paths = width(|entry| entry.path.len());
        for entry in &self.0 {
            write!(f, "{:methods$}  {:paths$}  ", entry.method.as_str(), entry.path)?;
            match &entry.policy {
                Some(policy) => writeln!(f, "{policy}{}", entry.terms)?,
                None => writeln!(f, "NO POLICY")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bartizan_rate_limit::{OnOutage, Policy};
    use bartizan_sessions::Freshness;

    use super::*;
    use crate::{Content, RouteLimit, StepUp};

    const READ: Permission = Permission::literal("patient:read");
    const EXPORT: Permission = Permission::literal("patient:export");

    #[test]
    fn an_empty_set_of_permissions_is_an_error_and_allows_nobody() {
        for empty in [RoutePolicy::requires([]), RoutePolicy::requires_on_record([])] {
            assert_eq!(empty.check().unwrap_err().kind(), ErrorKind::NoPermissions);
        }
        assert_eq!(RoutePolicy::public(" ").check().unwrap_err().kind(), ErrorKind::NoReason);
        assert!(RoutePolicy::requires([READ]).check().is_ok());
        assert!(RoutePolicy::public("liveness").check().is_ok());
    }

    #[test]
    fn the_inventory_shows_what_is_asked_beside_the_policy() {
        let terms = Terms {
            freshness: Some(Freshness::ReadThrough),
            step_up: Some(StepUp::within(Duration::from_secs(300))),
            limits: vec![RouteLimit::by_address(Policy::general(OnOutage::Closed))],
            content: Content::Page,
        };
        let entry = Entry::new(Method::POST, "/logout", Some(RoutePolicy::Authenticated)).with(terms);
        let inventory = Inventory::of([entry]);
        assert_eq!(
            inventory.to_string(),
            "POST  /logout  authenticated, as of now, step-up within 300 s, limit general by address, a page\n"
        );
        assert_eq!(
            inventory.to_json(),
            r#"[{"method":"POST","path":"/logout","policy":"authenticated","freshness":"as of now","step_up":"step-up within 300 s","limits":["general by address"]}]"#
        );
    }

    #[test]
    fn the_inventory_reads_as_a_table_and_as_json() {
        let inventory = Inventory::of([
            Entry::new(Method::GET, "/patients/{id}", Some(RoutePolicy::requires_on_record([READ]))),
            Entry::new(Method::DELETE, "/patients/{id}", None),
            Entry::new(Method::GET, "/health", Some(RoutePolicy::public("liveness"))),
            Entry::new(Method::GET, "/export", Some(RoutePolicy::requires([READ, EXPORT]))),
            Entry::new(Method::GET, "/me", Some(RoutePolicy::Authenticated)),
        ]);
        let lines = [
            "GET     /export         requires patient:read and patient:export",
            "GET     /health         public (liveness)",
            "GET     /me             authenticated",
            "DELETE  /patients/{id}  NO POLICY",
            "GET     /patients/{id}  requires patient:read on the record",
        ];
        assert_eq!(inventory.to_string(), lines.map(|line| format!("{line}\n")).concat());
        assert_eq!(
            inventory.to_json(),
            concat!(
                r#"[{"method":"GET","path":"/export","policy":"requires","permissions":["patient:read","patient:export"],"on":"collection"},"#,
                r#"{"method":"GET","path":"/health","policy":"public","reason":"liveness"},"#,
                r#"{"method":"GET","path":"/me","policy":"authenticated"},"#,
                r#"{"method":"DELETE","path":"/patients/{id}","policy":"missing"},"#,
                r#"{"method":"GET","path":"/patients/{id}","policy":"requires","permissions":["patient:read"],"on":"record"}]"#,
            )
        );
    }
}
