//! The shell: everything that a service needs along the road, built together so that the parts fit.

use std::sync::Arc;

use bartizan_core::{Authorizer, Clock, Entropy, Recorder};
use bartizan_crypto::Provider;
use bartizan_field_crypto::Vault;
use bartizan_http::Guard;
use bartizan_passwords::Passwords;
use bartizan_rbac::{Administration, Engine};
use bartizan_sessions::{ApiKeys, Sessions};
use bartizan_tokens::{Issuer, Verifier};

use crate::{Builder, Upkeep, kept_sessions::Kept};

/// Everything that a service needs along the road. Cheap to clone.
///
/// The parts fit: the guard's verifier believes the issuer's key, the vault believes the authorizer's grants and no other,
/// and all of them record to the same recorder and read the same clock.
#[derive(Clone, Debug)]
pub struct Security {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) recorder: Arc<dyn Recorder>,
    pub(crate) authorizer: Arc<Authorizer>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) passwords: Arc<Passwords>,
    pub(crate) kept: Option<Kept>,
}

impl Security {
    /// Starts building the shell of the service of this name.
    #[must_use]
    pub fn builder(service: impl Into<Box<str>>) -> Builder {
        Builder::new(service.into())
    }

    /// Where time comes from.
    #[must_use]
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Where randomness comes from.
    #[must_use]
    pub const fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// Where primitives come from.
    #[must_use]
    pub const fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// What keeps the record.
    #[must_use]
    pub const fn recorder(&self) -> &Arc<dyn Recorder> {
        &self.recorder
    }

    /// What decides and grants.
    #[must_use]
    pub const fn authorizer(&self) -> &Arc<Authorizer> {
        &self.authorizer
    }

    /// What issues access tokens.
    #[must_use]
    pub const fn issuer(&self) -> &Arc<Issuer> {
        &self.issuer
    }

    /// What verifies access tokens.
    #[must_use]
    pub const fn verifier(&self) -> &Arc<Verifier> {
        &self.verifier
    }

    /// What lets requests in.
    #[must_use]
    pub const fn guard(&self) -> &Arc<Guard> {
        &self.guard
    }

    /// What seals and opens personal data.
    #[must_use]
    pub const fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// What hashes and verifies passwords.
    #[must_use]
    pub const fn passwords(&self) -> &Arc<Passwords> {
        &self.passwords
    }

    /// What changes who holds which role in this engine, which should be the one that the builder was given. Its changes take grants of
    /// this shell's authorizer and go to its record; [`Administration::kept_in`] says where they are kept.
    #[must_use]
    pub fn administration(&self, engine: Arc<Engine>) -> Administration {
        let (recorder, clock) = (Arc::clone(&self.recorder), Arc::clone(&self.clock));
        Administration::new(self.authorizer.service(), engine, self.authorizer.authority(), recorder, clock)
    }

    /// What keeps sessions, if the builder was given a store for them.
    #[must_use]
    pub fn sessions(&self) -> Option<&Sessions> {
        self.kept.as_ref().map(|kept| &kept.sessions)
    }

    /// What makes and checks API keys, if the builder was told where they are presented.
    #[must_use]
    pub fn api_keys(&self) -> Option<&ApiKeys> {
        self.kept.as_ref().and_then(|kept| kept.keys.as_ref())
    }

    /// What has to run beside the requests where there are sessions. A service spawns it at its start.
    #[must_use]
    pub fn upkeep(&self) -> Option<Upkeep> {
        self.kept.as_ref().map(|kept| kept.upkeep.clone())
    }
}
