//! What can go wrong before a problem is made of it.

use bartizan_core::Fault;

/// A request, or a route's policy, that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request has no credentials.
    #[error("the request has no credentials")]
    NoCredentials,
    /// The `Authorization` header is of a scheme other than `Bearer`.
    #[error("the credentials are not of the bearer scheme")]
    OtherScheme,
    /// There is more than one `Authorization` header.
    #[error("the request has more than one authorization header")]
    DuplicateCredentials,
    /// The `Authorization` header is not `Bearer`, one space and one token.
    #[error("the authorization header is malformed")]
    MalformedCredentials,
    /// The token is longer than [`MAX_TOKEN`](crate::MAX_TOKEN).
    #[error("the token is too long")]
    CredentialsTooLarge,
    /// A token stands in the URL.
    #[error("the request has a token in its url")]
    CredentialsInUrl,
    /// The path has more than one reading, or none.
    #[error("the path is not in its one canonical form")]
    Path,
    /// The query has a parameter twice, or cannot be decoded.
    #[error("the query is malformed")]
    Query,
    /// A service's name is empty, too long or unprintable.
    #[error("the service's name is empty, too long or has control characters")]
    Name,
    /// A policy names no permission at all, which would allow everybody.
    #[error("the policy requires an empty set of permissions")]
    NoPermissions,
    /// A public route does not say why it is public.
    #[error("a public route gives no reason")]
    NoReason,
}

impl ErrorKind {
    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::OtherScheme => "other_scheme",
            Self::DuplicateCredentials => "duplicate_credentials",
            Self::MalformedCredentials => "malformed_credentials",
            Self::CredentialsTooLarge => "credentials_too_large",
            Self::CredentialsInUrl => "credentials_in_url",
            Self::Path => "path",
            Self::Query => "query",
            Self::Name => "name",
            Self::NoPermissions => "no_permissions",
            Self::NoReason => "no_reason",
        }
    }
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { kind }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.kind {
            ErrorKind::Name | ErrorKind::NoPermissions | ErrorKind::NoReason => Fault::Caller,
            _ => Fault::Peer,
        }
    }

    /// Whether the same call may succeed a little later: never.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}
