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
    /// The request has a token, a key and a cookie, or two of them.
    #[error("the request has credentials of two kinds")]
    TwoCredentials,
    /// The session's cookie stands there more than once, or beside one that looks like it.
    #[error("the request has the session's cookie more than once")]
    DuplicateCookie,
    /// The session's cookie is not of the one form that it is given out in.
    #[error("the session's cookie is malformed")]
    MalformedCookie,
    /// A cookie that is not the session's is named so that somebody could read it as that.
    #[error("the request has a cookie that looks like the session's")]
    LookalikeCookie,
    /// The cookies have more bytes than [`MAX_COOKIES`](crate::MAX_COOKIES).
    #[error("the cookies are too long")]
    CookiesTooLarge,
    /// The path has more than one reading, or none.
    #[error("the path is not in its one canonical form")]
    Path,
    /// The query has a parameter twice, or cannot be decoded.
    #[error("the query is malformed")]
    Query,
    /// A place to go to next is not a path of this service.
    #[error("the place to go to next is no path of this service")]
    Redirect,
    /// A credential cannot be a cookie's value, or would end at once.
    #[error("the credential cannot be given out as a cookie")]
    CookieValue,
    /// An origin is not written as browsers write them, or there is none.
    #[error("an origin is not as browsers write it")]
    Origin,
    /// API keys are to be presented where something else is, or by a prefix that cannot be told from a token.
    #[error("api keys cannot be presented there")]
    KeyPlace,
    /// A step-up asks for nothing, or for a class that cannot stand in a challenge.
    #[error("a step-up asks for nothing, or for what no challenge can name")]
    StepUp,
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
            Self::TwoCredentials => "two_credentials",
            Self::DuplicateCookie => "duplicate_cookie",
            Self::MalformedCookie => "malformed_cookie",
            Self::LookalikeCookie => "lookalike_cookie",
            Self::CookiesTooLarge => "cookies_too_large",
            Self::Path => "path",
            Self::Query => "query",
            Self::Redirect => "redirect",
            Self::CookieValue => "cookie_value",
            Self::Origin => "origin",
            Self::KeyPlace => "key_place",
            Self::StepUp => "step_up",
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
            ErrorKind::Name
            | ErrorKind::NoPermissions
            | ErrorKind::NoReason
            | ErrorKind::CookieValue
            | ErrorKind::Origin
            | ErrorKind::KeyPlace
            | ErrorKind::StepUp => Fault::Caller,
            _ => Fault::Peer,
        }
    }

    /// Whether the same call may succeed a little later: never.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }
}
