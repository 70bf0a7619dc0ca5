//! What can go wrong, under the kinds that users of jsonwebtoken match on.

use std::{fmt, sync::Arc};

use bartizan_core::Fault;
use bartizan_tokens as tokens;
use jsonwebtoken::errors::ErrorKind;
use serde::de::Error as _;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of this crate. It never holds text of a token or bytes of a key.
///
/// Its [`kind`](Error::kind) is jsonwebtoken's, so that what matches on it goes on working; [`code`](Error::code) tells more
/// cases apart than those kinds do. It becomes a `jsonwebtoken::errors::Error` by `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    cause: Cause,
    fault: Fault,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cause {
    /// What the crate below says, and about which claim or member.
    #[error("{0}")]
    Token(tokens::ErrorKind),
    #[error("{0} ({1})")]
    About(tokens::ErrorKind, &'static str),
    #[error("the subject is another")]
    Subject,
    #[error("the validation lists no algorithm")]
    NoAlgorithm,
    #[error("the algorithm of the key is not among those of the validation")]
    AlgorithmNotListed,
    /// One of [`Validation`](crate::Validation)'s fields.
    #[error("the validation asks for what is never done ({0})")]
    Option(&'static str),
    #[error("the claims are not of the type that was asked for")]
    OwnClaims,
    #[error("the claims or the header cannot be written as JSON")]
    Unwritable,
    #[error("the secret is no base64 of its alphabet")]
    Base64,
}

impl Error {
    /// What happened, as jsonwebtoken calls it.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The same, owned.
    #[must_use]
    pub fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// A stable word for records: that of [`bartizan_tokens::ErrorKind::code`], or `subject`, `claims`, `validation`,
    /// `unwritable`, `base64`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.0.cause {
            Cause::Token(kind) | Cause::About(kind, _) => kind.code(),
            Cause::Subject => "subject",
            Cause::AlgorithmNotListed => tokens::ErrorKind::Algorithm.code(),
            Cause::NoAlgorithm | Cause::Option(_) => "validation",
            Cause::OwnClaims => "claims",
            Cause::Unwritable => "unwritable",
            Cause::Base64 => "base64",
        }
    }

    /// Who has to act: the peer about a token, the caller about keys, options and what is encoded.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.0.fault
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.fault().is_transient()
    }

    /// What is encoded is the caller's, not a peer's.
    pub(crate) fn of_caller(mut self) -> Self {
        if self.0.fault == Fault::Peer {
            self.0.fault = Fault::Caller;
        }
        self
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        let (kind, fault) = match cause {
            Cause::Token(kind) => (named(kind, None), tokens::Error::from(kind).fault()),
            Cause::About(kind, claim) => (named(kind, Some(claim)), tokens::Error::from(kind).fault()),
            Cause::Subject => (ErrorKind::InvalidSubject, Fault::Peer),
            Cause::AlgorithmNotListed => (ErrorKind::InvalidAlgorithm, Fault::Peer),
            Cause::NoAlgorithm => (ErrorKind::MissingAlgorithm, Fault::Caller),
            Cause::Option(_) => (ErrorKind::Provider(cause.to_string()), Fault::Caller),
            Cause::OwnClaims => (json(cause), Fault::Peer),
            Cause::Unwritable => (json(cause), Fault::Caller),
            Cause::Base64 => (ErrorKind::InvalidKeyFormat, Fault::Caller),
        };
        Self(Box::new(Inner { kind, cause, fault }))
    }
}

/// SECURITY: serde's own message quotes the token, so it is dropped.
fn json(cause: Cause) -> ErrorKind {
    ErrorKind::Json(Arc::new(serde_json::Error::custom(cause)))
}

/// The kind of jsonwebtoken that is nearest.
fn named(kind: tokens::ErrorKind, claim: Option<&str>) -> ErrorKind {
    use tokens::ErrorKind as Ours;
    match kind {
        Ours::Algorithm => ErrorKind::InvalidAlgorithm,
        Ours::Signature => ErrorKind::InvalidSignature,
        Ours::MissingClaim => ErrorKind::MissingRequiredClaim(claim.unwrap_or_default().to_owned()),
        Ours::ClaimType => ErrorKind::InvalidClaimFormat(claim.unwrap_or_default().to_owned()),
        Ours::Issuer => ErrorKind::InvalidIssuer,
        Ours::Audience => ErrorKind::InvalidAudience,
        Ours::Expired => ErrorKind::ExpiredSignature,
        Ours::NotYet => ErrorKind::ImmatureSignature,
        Ours::KeyUnsupported | Ours::KeyRsaPkcs1 => ErrorKind::UnsupportedAlgorithm,
        Ours::KeySize | Ours::KeyWeak => ErrorKind::InvalidRsaKey(kind.to_string()),
        Ours::Config | Ours::Entropy => ErrorKind::Provider(kind.to_string()),
        Ours::Primitive => ErrorKind::Signing(kind.to_string()),
        _ if tokens::Error::from(kind).fault() == Fault::Caller => ErrorKind::InvalidKeyFormat,
        _ => ErrorKind::InvalidToken,
    }
}

impl From<tokens::Error> for Error {
    fn from(error: tokens::Error) -> Self {
        match error.claim() {
            Some(claim) => Cause::About(error.kind(), claim).into(),
            None => error.kind().into(),
        }
    }
}

impl From<tokens::ErrorKind> for Error {
    fn from(kind: tokens::ErrorKind) -> Self {
        Cause::Token(kind).into()
    }
}

/// For programs that still have functions with jsonwebtoken's errors.
impl From<Error> for jsonwebtoken::errors::Error {
    fn from(error: Error) -> Self {
        error.into_kind().into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.cause.fmt(f)
    }
}

impl std::error::Error for Error {}
