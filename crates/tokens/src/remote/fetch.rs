//! The seam to whatever brings a JWKS from its issuer: transport and nothing else.

use std::{fmt, time::Duration};

use async_trait::async_trait;

use super::{Freshness, JwksUrl};

/// Brings a JWKS from its issuer. Transport only: it neither reads keys nor keeps anything.
///
/// What every implementation owes its callers:
///
/// - One request, of the method GET, to [`FetchRequest::url`] and nowhere else. No redirect is followed: it is a
///   [`FetchErrorKind::Redirect`].
/// - At most [`FetchRequest::max_bytes`] of a body are ever held; one byte more is [`FetchErrorKind::TooLarge`]. The same
///   bound holds after any decoding.
/// - 200 alone brings a body. 304 is [`Fetched::NotModified`], and only an answer to a request with an
///   [`FetchRequest::etag`]. Every other status is an error.
/// - The peer's certificate is verified against the host of the URL.
/// - Dropping the future ends the request.
#[async_trait]
pub trait JwksFetch: fmt::Debug + Send + Sync + 'static {
    /// Asks once.
    ///
    /// # Errors
    /// [`FetchError`], with what the issuer said about trying again.
    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError>;
}

/// What to ask for.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequest<'a> {
    pub(super) url: &'a JwksUrl,
    pub(super) etag: Option<&'a str>,
}

impl<'a> FetchRequest<'a> {
    /// Where.
    #[must_use]
    pub const fn url(&self) -> &'a JwksUrl {
        self.url
    }

    /// What to send as `If-None-Match`: the `ETag` of the last body that was taken, as it was sent.
    #[must_use]
    pub const fn etag(&self) -> Option<&'a str> {
        self.etag
    }

    /// Most bytes of a body: 256 KiB.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        crate::jwk::MAX_JWKS
    }
}

/// What the issuer answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fetched {
    /// 304: the set is the one of the `ETag` that was sent.
    NotModified {
        /// For how long.
        freshness: Freshness,
    },
    /// 200: a body, not looked at yet.
    Body {
        /// What came.
        bytes: Vec<u8>,
        /// The `ETag` header as it came, if there was one.
        etag: Option<Box<str>>,
        /// For how long.
        freshness: Freshness,
    },
}

/// No answer that could be a JWKS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct FetchError {
    kind: FetchErrorKind,
    retry_after: Option<Duration>,
}

/// What happened to a request for a JWKS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FetchErrorKind {
    /// The client's own rules forbid the request: address, port, scheme or host.
    #[error("the client's rules forbid to ask there")]
    Forbidden,
    /// The name did not resolve or nobody answered there.
    #[error("the issuer could not be reached")]
    Unreachable,
    /// No secure connection: its certificate or its version of TLS.
    #[error("the connection to the issuer could not be secured")]
    Tls,
    /// No whole answer in time.
    #[error("the issuer did not answer in time")]
    Timeout,
    /// The issuer pointed elsewhere.
    #[error("the issuer redirected, which is never followed")]
    Redirect,
    /// A status other than 200, or 304 where nothing was to compare.
    #[error("the issuer answered with the status {0}")]
    Status(u16),
    /// Headers or body are beyond a limit.
    #[error("the issuer's answer is beyond a limit")]
    TooLarge,
    /// No proper HTTP, a broken connection or an encoding that was not asked for.
    #[error("the issuer's answer is broken")]
    Protocol,
}

impl FetchErrorKind {
    /// A stable word for records and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Redirect => "redirect",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Protocol => "protocol",
        }
    }
}

impl FetchError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: FetchErrorKind) -> Self {
        Self { kind, retry_after: None }
    }

    /// With what `Retry-After` said. Up to ten minutes of it are obeyed.
    #[must_use]
    pub const fn with_retry_after(self, after: Option<Duration>) -> Self {
        Self { retry_after: after, ..self }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> FetchErrorKind {
        self.kind
    }

    /// When the issuer wants to be asked again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<FetchErrorKind> for FetchError {
    fn from(kind: FetchErrorKind) -> Self {
        Self::new(kind)
    }
}
