//! Every answer that is no success, in one table.

use std::time::Duration;

use http::StatusCode;

/// What went wrong, as a client may know it. Each has a stable text, a status, one constant sentence, and the challenge
/// that its answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// No credentials were sent.
    NoCredentials,
    /// Somebody has to be known here, and nobody is.
    AuthenticationRequired,
    /// Name and password, or the like, do not fit together.
    InvalidCredentials,
    /// The token was revoked.
    TokenRevoked,
    /// The token has expired.
    TokenExpired,
    /// The token does not verify. One answer for all reasons.
    InvalidToken,
    /// The browser's session does not go on: unknown, ended or expired. One answer for all reasons.
    SessionEnded,
    /// Somebody is known, and has to prove it again, or more strongly, before this (RFC 9470).
    StepUpRequired,
    /// Credentials were sent twice, in the URL, or malformed.
    MalformedCredentials,
    /// The request is malformed.
    InvalidRequest,
    /// The body or the query does not have the expected form; the answer names the fields.
    ValidationError,
    /// Somebody is known and may not do this.
    Forbidden,
    /// Another site's page made the browser send this.
    CrossSite,
    /// There is no such thing, or none that may be known about.
    NotFound,
    /// The path exists, with other methods.
    MethodNotAllowed,
    /// It contradicts what is there.
    Conflict,
    /// The body is beyond its limit.
    PayloadTooLarge,
    /// The body is not of the expected media type.
    UnsupportedMediaType,
    /// Too many requests.
    RateLimitExceeded,
    /// Too many attempts to authenticate.
    TooManyAuthAttempts,
    /// This service failed.
    Internal,
    /// Something that this service needs does not answer, or is full.
    ServiceUnavailable,
}

/// The `WWW-Authenticate` header of an answer (RFC 6750 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Challenge {
    /// Without an error: no credentials were sent (section 3.1). At least one parameter has to follow the scheme
    /// (section 3), and the realm says nothing of the service.
    Bare,
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
    /// RFC 9470 section 3; [`StepUp`](crate::StepUp) adds what is asked for.
    InsufficientAuthentication,
}

impl Challenge {
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Bare => r#"Bearer realm="api""#,
            Self::InvalidRequest => r#"Bearer error="invalid_request""#,
            Self::InvalidToken => r#"Bearer error="invalid_token""#,
            Self::InsufficientScope => r#"Bearer error="insufficient_scope""#,
            Self::InsufficientAuthentication => r#"Bearer error="insufficient_user_authentication""#,
        }
    }
}

/// One row of the table.
struct Row(&'static str, StatusCode, &'static str, Option<Challenge>);

impl Code {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::NoCredentials,
        Self::AuthenticationRequired,
        Self::InvalidCredentials,
        Self::TokenRevoked,
        Self::TokenExpired,
        Self::InvalidToken,
        Self::SessionEnded,
        Self::StepUpRequired,
        Self::MalformedCredentials,
        Self::InvalidRequest,
        Self::ValidationError,
        Self::Forbidden,
        Self::CrossSite,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimitExceeded,
        Self::TooManyAuthAttempts,
        Self::Internal,
        Self::ServiceUnavailable,
    ];

    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Challenge::{Bare, InsufficientAuthentication, InsufficientScope, InvalidRequest, InvalidToken};
        match self {
            Self::NoCredentials => Row("UNAUTHORIZED", StatusCode::UNAUTHORIZED, "No token provided", Some(Bare)),
            Self::AuthenticationRequired => Row("UNAUTHORIZED", StatusCode::UNAUTHORIZED, "Authentication required", Some(Bare)),
            Self::InvalidCredentials => Row("INVALID_CREDENTIALS", StatusCode::UNAUTHORIZED, "Invalid credentials", Some(Bare)),
            Self::TokenRevoked => Row("TOKEN_REVOKED", StatusCode::UNAUTHORIZED, "Token has been revoked", Some(InvalidToken)),
            Self::TokenExpired => Row("TOKEN_EXPIRED", StatusCode::UNAUTHORIZED, "Token has expired", Some(InvalidToken)),
            Self::InvalidToken => Row("INVALID_TOKEN", StatusCode::UNAUTHORIZED, "Invalid token", Some(InvalidToken)),
            Self::SessionEnded => Row("SESSION_ENDED", StatusCode::UNAUTHORIZED, "Session has ended", Some(Bare)),
            Self::StepUpRequired => Row("STEP_UP_REQUIRED", StatusCode::UNAUTHORIZED, "Stronger or more recent authentication required", Some(InsufficientAuthentication)),
            Self::MalformedCredentials => Row("INVALID_REQUEST", StatusCode::BAD_REQUEST, "Malformed credentials", Some(InvalidRequest)),
            Self::InvalidRequest => Row("INVALID_REQUEST", StatusCode::BAD_REQUEST, "Malformed request", None),
            Self::ValidationError => Row("VALIDATION_ERROR", StatusCode::BAD_REQUEST, "Validation failed", None),
            Self::Forbidden => Row("FORBIDDEN", StatusCode::FORBIDDEN, "Insufficient permissions", Some(InsufficientScope)),
            Self::CrossSite => Row("CROSS_SITE_REQUEST", StatusCode::FORBIDDEN, "Request from another site", None),
            Self::NotFound => Row("NOT_FOUND", StatusCode::NOT_FOUND, "Not found", None),
            Self::MethodNotAllowed => Row("METHOD_NOT_ALLOWED", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", None),
            Self::Conflict => Row("CONFLICT", StatusCode::CONFLICT, "Conflict with the current state", None),
            Self::PayloadTooLarge => Row("PAYLOAD_TOO_LARGE", StatusCode::PAYLOAD_TOO_LARGE, "Body too large", None),
            Self::UnsupportedMediaType => Row("UNSUPPORTED_MEDIA_TYPE", StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", None),
            Self::RateLimitExceeded => Row("RATE_LIMIT_EXCEEDED", StatusCode::TOO_MANY_REQUESTS, "Too many requests, please try again later", None),
            Self::TooManyAuthAttempts => Row("TOO_MANY_AUTH_ATTEMPTS", StatusCode::TOO_MANY_REQUESTS, "Too many authentication attempts, please try again later", None),
            Self::Internal => Row("INTERNAL", StatusCode::INTERNAL_SERVER_ERROR, "Internal error", None),
            Self::ServiceUnavailable => Row("SERVICE_UNAVAILABLE", StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable", None),
        }
    }

    /// The stable text, `UPPER_SNAKE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.row().1
    }

    /// One constant sentence, without anything of the request.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        self.row().2
    }

    pub(crate) const fn challenge(self) -> Option<Challenge> {
        self.row().3
    }

    /// When to come back, if nobody knows better: a minute after too many requests, five seconds after an outage.
    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self.status() {
            StatusCode::TOO_MANY_REQUESTS => Some(Duration::from_secs(60)),
            StatusCode::SERVICE_UNAVAILABLE => Some(Duration::from_secs(5)),
            _ => None,
        }
    }

    /// The code for an answer of this status that came without one.
    #[must_use]
    pub const fn for_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::AuthenticationRequired,
            403 => Self::Forbidden,
            404 | 410 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            409 => Self::Conflict,
            413 => Self::PayloadTooLarge,
            415 => Self::UnsupportedMediaType,
            422 => Self::ValidationError,
            429 => Self::RateLimitExceeded,
            503 => Self::ServiceUnavailable,
            500.. => Self::Internal,
            _ => Self::InvalidRequest,
        }
    }
}
