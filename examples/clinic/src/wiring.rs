//! How the parts are put together. A value, so that a test can put one in wrongly and see that the demonstration notices.

use std::{fmt, path::Path, sync::Arc};

use bartizan::{
    AccessTokens, Builder, Security,
    audit::{Disk, Log, RealDisk},
    core::{Authorizer, Clock, Entropy, Recorder},
    envelope::{KeyStore, KeyWrapper},
    field_crypto::Vault,
    http::Guard,
    passwords::Passwords,
    rbac::Engine,
    tokens::{Issuer, SigningKey},
};

use crate::Error;

/// Who issues the clinic's tokens.
pub const ISSUER: &str = "https://clinic.example";

/// Whom the clinic's tokens are for.
pub(crate) const AUDIENCE: &str = "https://api.clinic.example";

type OpenDisk = dyn Fn(&Path) -> Result<Arc<dyn Disk>, Error> + Send + Sync;
type DiskLayer = dyn Fn(Arc<dyn Disk>) -> Arc<dyn Disk> + Send + Sync;
type Assemble = dyn Fn(Makings) -> Result<Parts, Error> + Send + Sync;

/// How a clinic is put together. The default is how it should be.
#[derive(Clone)]
pub struct Wiring {
    disk: Arc<OpenDisk>,
    before_disk: Arc<DiskLayer>,
    audience: &'static str,
    assemble: Arc<Assemble>,
}

impl Default for Wiring {
    fn default() -> Self {
        Self {
            disk: Arc::new(|folder| {
                Ok(Arc::new(RealDisk::create(folder).map_err(Error::part("audit log"))?))
            }),
            before_disk: Arc::new(|disk| disk),
            audience: AUDIENCE,
            assemble: Arc::new(|makings| {
                makings.builder().build().map(Parts::from).map_err(Error::part("security"))
            }),
        }
    }
}

impl Wiring {
    /// The same, with something around the disk itself, beneath whatever is between it and the log.
    #[must_use]
    pub fn around_disk(
        mut self,
        put: impl Fn(Arc<dyn Disk>) -> Arc<dyn Disk> + Send + Sync + 'static,
    ) -> Self {
        let inner = self.disk;
        self.disk = Arc::new(move |folder| inner(folder).map(&put));
        self
    }

    /// The same, with something between the disk and the log.
    #[must_use]
    pub fn before_disk(
        mut self,
        put: impl Fn(Arc<dyn Disk>) -> Arc<dyn Disk> + Send + Sync + 'static,
    ) -> Self {
        self.before_disk = Arc::new(put);
        self
    }

    /// The same, with tokens for another audience.
    #[must_use]
    pub const fn for_audience(mut self, audience: &'static str) -> Self {
        self.audience = audience;
        self
    }

    /// The same, put together by other hands.
    #[must_use]
    pub fn assembled_by(
        mut self,
        assemble: impl Fn(Makings) -> Result<Parts, Error> + Send + Sync + 'static,
    ) -> Self {
        self.assemble = Arc::new(assemble);
        self
    }

    pub(crate) fn disk(&self, folder: &Path) -> Result<Arc<dyn Disk>, Error> {
        (self.disk)(folder).map(|disk| (self.before_disk)(disk))
    }

    pub(crate) const fn audience(&self) -> &'static str {
        self.audience
    }

    pub(crate) fn assemble(&self, makings: Makings) -> Result<Parts, Error> {
        (self.assemble)(makings)
    }
}

impl fmt::Debug for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wiring")
    }
}

/// What a clinic is made of, before it is put together.
#[derive(Debug)]
#[non_exhaustive]
pub struct Makings {
    /// The policy with everybody's roles.
    pub policy: Arc<Engine>,
    /// The audit log.
    pub log: Arc<Log>,
    /// The key that signs access tokens.
    pub signing_key: SigningKey,
    /// Whom access tokens are for.
    pub audience: &'static str,
    /// Where scope keys are kept.
    pub key_store: Arc<dyn KeyStore>,
    /// What wraps scope keys.
    pub key_wrapper: Arc<dyn KeyWrapper>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Makings {
    /// The same makings with another signing key: for building a second shell beside the first.
    #[must_use]
    pub fn with_key(&self, signing_key: SigningKey) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            log: Arc::clone(&self.log),
            signing_key,
            audience: self.audience,
            key_store: Arc::clone(&self.key_store),
            key_wrapper: Arc::clone(&self.key_wrapper),
            clock: Arc::clone(&self.clock),
        }
    }

    /// All of it in the family's own builder.
    #[must_use]
    pub fn builder(self) -> Builder {
        Security::builder("clinic")
            .clock(self.clock)
            .recorder(self.log)
            .policy(self.policy)
            .access_tokens(AccessTokens::new(ISSUER, self.audience, self.signing_key))
            .keys(self.key_store, self.key_wrapper)
    }
}

/// What a clinic works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parts {
    /// Lets requests in.
    pub guard: Arc<Guard>,
    /// Decides and grants.
    pub authorizer: Arc<Authorizer>,
    /// Issues access tokens.
    pub issuer: Arc<Issuer>,
    /// Seals and opens patients.
    pub vault: Arc<Vault>,
    /// Hashes and verifies passwords.
    pub passwords: Arc<Passwords>,
    /// Keeps the record.
    pub recorder: Arc<dyn Recorder>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl From<Security> for Parts {
    fn from(security: Security) -> Self {
        Self {
            guard: Arc::clone(security.guard()),
            authorizer: Arc::clone(security.authorizer()),
            issuer: Arc::clone(security.issuer()),
            vault: Arc::clone(security.vault()),
            passwords: Arc::clone(security.passwords()),
            recorder: Arc::clone(security.recorder()),
            clock: Arc::clone(security.clock()),
            entropy: Arc::clone(security.entropy()),
        }
    }
}
