//! Why a router is not built.

use std::fmt;

use axum::http::Method;
use bartizan_core::{Fault, PermissionName};

/// Why a router is not built: every route that is wrong, not only the first.
#[derive(Debug)]
pub struct Error {
    /// INVARIANT(some-fault): at least one.
    faults: Vec<RouteFault>,
}

/// What is wrong with a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Nobody said who may call it.
    #[error("has no policy")]
    NoPolicy,
    /// More than one policy was given to it; ask for several permissions at once with
    /// [`requires_all`](crate::Route::requires_all).
    #[error("has more than one policy")]
    SecondPolicy,
    /// It requires an empty set of permissions, which would let everybody in.
    #[error("requires an empty set of permissions")]
    NoPermissions,
    /// It is public and does not say why.
    #[error("is public without a reason")]
    NoReason,
    /// It requires a permission that the catalogue does not know.
    #[error("requires a permission that the catalogue does not know")]
    UnknownPermission,
    /// The guard knows of sessions and revoked tokens, and the route does not say how freshly it wants to know.
    #[error("does not say how fresh its knowledge of ended sessions is")]
    NoFreshness,
    /// It is public, and says how fresh, how strong or how often for somebody who is not known there.
    #[error("is public and asks for what only somebody known has")]
    NobodyKnown,
    /// Its step-up asks for nothing, or for what no challenge can name.
    #[error("has a step-up that asks for nothing or cannot be named")]
    StepUp,
    /// It has a limit, and the guard has no limiter.
    #[error("has a limit, and the guard has no limiter")]
    NoLimiter,
    /// It has a limit by address, and the router does not know the clients' addresses.
    #[error("has a limit by address, and addresses are not known")]
    NoAddress,
    /// The method stands twice on this path.
    #[error("stands there twice")]
    Duplicate,
    /// Another path, with other names for its parameters, matches the same requests.
    #[error("matches the same paths as another template")]
    Ambiguous,
    /// The path is not `/`, or `/` and segments, each plain text or one `{parameter}`.
    #[error("has no path of plain segments and {{parameters}}")]
    Path,
    /// The method is none of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.
    #[error("has a method that is not served")]
    Method,
}

/// One route that is wrong.
#[derive(Clone, Debug)]
pub struct RouteFault {
    pub(crate) method: Method,
    pub(crate) path: Box<str>,
    pub(crate) kind: ErrorKind,
    pub(crate) permission: Option<PermissionName<'static>>,
}

impl RouteFault {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The route's method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The route's path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The permission that it is about, with [`ErrorKind::UnknownPermission`].
    #[must_use]
    pub const fn permission(&self) -> Option<PermissionName<'static>> {
        self.permission
    }
}

impl Error {
    pub(crate) fn of(faults: Vec<RouteFault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self { faults }) }
    }

    /// What is wrong with the first of [`Error::faults`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.faults.first().map_or(ErrorKind::NoPolicy, RouteFault::kind)
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn faults(&self) -> &[RouteFault] {
        &self.faults
    }

    /// Who has to act: whoever wrote the routes.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        Fault::Caller
    }

    /// Whether the same call may succeed a little later: never.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}

/// `the router is not built: GET /a has no policy; POST /b is public without a reason`
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the router is not built")?;
        let mut before = ": ";
        for RouteFault { method, path, kind, permission } in &self.faults {
            write!(f, "{before}{method} {path} {kind}")?;
            if let Some(permission) = permission {
                write!(f, " ({permission})")?;
            }
            before = "; ";
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
