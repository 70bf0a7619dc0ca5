//! Why the shell is not built.

use bartizan_core::Fault;

/// Something that the builder was given, or was not given, keeps the shell from being built.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Error {
    kind: ErrorKind,
    fault: Fault,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No recorder was given: nothing is decided that nobody can look up.
    #[error("no recorder was given")]
    NoRecorder,
    /// No policy was given.
    #[error("no policy was given")]
    NoPolicy,
    /// No issuer, audience and key were given.
    #[error("no access tokens were given")]
    NoTokens,
    /// No key store and no wrapper of scope keys were given.
    #[error("no key store was given")]
    NoKeys,
    /// The service's name cannot be used.
    #[error("the authorizer cannot be built")]
    Authorizer,
    /// Issuer, audience, key or leeway cannot be used.
    #[error("the token issuer or verifier cannot be built")]
    Tokens,
    /// The keyring cannot be built.
    #[error("the keyring cannot be built")]
    Keyring,
    /// The vault cannot be built.
    #[error("the vault cannot be built")]
    Vault,
    /// The password parameters or the memory budget cannot be used.
    #[error("the password hasher cannot be built")]
    Passwords,
    /// The policy of sessions, or the prefix of API keys, cannot be used.
    #[error("sessions cannot be built")]
    Sessions,
    /// The guard cannot be built.
    #[error("the guard cannot be built")]
    Guard,
}

impl Error {
    pub(crate) const fn missing(kind: ErrorKind) -> Self {
        Self { kind, fault: Fault::Caller, source: None }
    }

    pub(crate) fn of<E>(kind: ErrorKind, fault: impl FnOnce(&E) -> Fault) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |error| Self { kind, fault: fault(&error), source: Some(Box::new(error)) }
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Who has to act.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        self.fault.is_transient()
    }
}
