//! How the parts are put together. A value, so that a test can put one in wrongly and see that the demonstration notices.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bartizan::{
    AccessTokens, Builder, KeptSessions, Security, Upkeep,
    audit::{Disk, Log, RealDisk},
    core::{Authorizer, Clock, Entropy, Recorder},
    envelope::{KeyStore, KeyWrapper},
    field_crypto::Vault,
    http::{Guard, KeyPlace, Logins, Origins, SessionCookie},
    passwords::Passwords,
    rate_limit::{Limiter, LoginLimits, OnOutage, TrustedProxies},
    rbac::{Administration, AssignmentStore, Engine},
    sessions::{ApiKeys, Policy, Sessions, Store, WhenFull},
    tokens::{Issuer, SigningKey},
};
use bartizan_axum::Clients;

use crate::{Error, Mailer, Printed, second_factor};

/// Who issues the clinic's tokens.
pub const ISSUER: &str = "https://clinic.example";

/// Whom the clinic's tokens are for.
pub(crate) const AUDIENCE: &str = "https://api.clinic.example";

/// What the clinic's API keys begin with.
const KEY_PREFIX: &str = "clinic_live";

/// How long an access token lives.
pub(crate) const ACCESS_LIVES: Duration = Duration::from_secs(15 * 60);

/// The most sessions of one user; the one that rested longest makes room.
const MOST_SESSIONS: u32 = 25;

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
    mailer: Arc<dyn Mailer>,
    clients: Clients,
    origins: Vec<String>,
    policy: Option<PathBuf>,
}

impl Default for Wiring {
    fn default() -> Self {
        Self {
            disk: Arc::new(|folder| {
                Ok(Arc::new(RealDisk::create(folder).map_err(Error::part("audit log"))?))
            }),
            before_disk: Arc::new(|disk| disk),
            audience: AUDIENCE,
            assemble: Arc::new(Makings::assembled),
            mailer: Arc::new(Printed),
            clients: Clients::Direct,
            origins: own_origins(8080).into(),
            policy: None,
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

    /// The same, sending its mails this way.
    #[must_use]
    pub fn mailing_by(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = mailer;
        self
    }

    /// The same, behind proxies that name its clients.
    #[must_use]
    pub fn behind(mut self, proxies: TrustedProxies) -> Self {
        self.clients = Clients::Behind(proxies);
        self
    }

    /// The same, with pages that browsers find on this port of this machine.
    #[must_use]
    pub fn answering_at(mut self, address: SocketAddr) -> Self {
        self.origins = own_origins(address.port()).into();
        self
    }

    /// The same, with pages that browsers find here too: scheme, host and port of the proxy that brings TLS.
    #[must_use]
    pub fn also_at(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// The same, by the policy of a file, TOML or JSON by its name's end. It is read again whenever it changes.
    #[must_use]
    pub fn with_policy(mut self, file: impl Into<PathBuf>) -> Self {
        self.policy = Some(file.into());
        self
    }

    pub(crate) fn policy(&self) -> Option<PathBuf> {
        self.policy.clone()
    }

    pub(crate) fn disk(&self, folder: &Path) -> Result<Arc<dyn Disk>, Error> {
        (self.disk)(folder).map(|disk| (self.before_disk)(disk))
    }

    pub(crate) const fn audience(&self) -> &'static str {
        self.audience
    }

    pub(crate) fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::clone(&self.mailer)
    }

    pub(crate) fn clients(&self) -> Clients {
        self.clients.clone()
    }

    pub(crate) fn origins(&self) -> Result<Origins, Error> {
        Origins::of(self.origins.iter().map(String::as_str)).map_err(Error::part("origins"))
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

/// As a browser writes them: without the port that the scheme has anyway.
fn own_origins(port: u16) -> [String; 2] {
    let port = if port == 80 { String::new() } else { format!(":{port}") };
    ["localhost", "127.0.0.1"].map(|host| format!("http://{host}{port}"))
}

/// What a clinic is made of, before it is put together.
#[derive(Debug)]
#[non_exhaustive]
pub struct Makings {
    /// The policy with everybody's roles.
    pub policy: Arc<Engine>,
    /// Where everybody's roles are kept.
    pub assignments: Arc<dyn AssignmentStore>,
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
    /// Where sessions, revocations, API keys and one-time tokens are kept.
    pub session_store: Arc<dyn Store>,
    /// Whose pages may use a browser's session.
    pub origins: Origins,
    /// What limits how often anything is asked.
    pub limiter: Arc<Limiter>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Makings {
    /// The same makings with another signing key: for building a second shell beside the first.
    #[must_use]
    pub fn with_key(&self, signing_key: SigningKey) -> Self {
        Self {
            policy: Arc::clone(&self.policy),
            assignments: Arc::clone(&self.assignments),
            log: Arc::clone(&self.log),
            signing_key,
            audience: self.audience,
            key_store: Arc::clone(&self.key_store),
            key_wrapper: Arc::clone(&self.key_wrapper),
            session_store: Arc::clone(&self.session_store),
            origins: self.origins.clone(),
            limiter: Arc::clone(&self.limiter),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Everything but the limits, in the family's own builder.
    #[must_use]
    pub fn builder(self) -> Builder {
        let sessions = KeptSessions::kept_in(self.session_store)
            .policy(Policy::guide().access(ACCESS_LIVES).at_most(MOST_SESSIONS, WhenFull::EndOldest))
            .cookies(SessionCookie::Lax, self.origins)
            .api_keys(KeyPlace::BEARER, KEY_PREFIX)
            .followed_every(Duration::from_secs(1));
        Security::builder("clinic")
            .clock(self.clock)
            .recorder(self.log)
            .policy(self.policy)
            .jobs(second_factor::jobs())
            .access_tokens(AccessTokens::new(ISSUER, self.audience, self.signing_key))
            .keys(self.key_store, self.key_wrapper)
            .sessions(sessions)
            .limited_by(self.limiter)
    }

    /// All of it, put together.
    ///
    /// # Errors
    /// When a part cannot be built.
    pub fn assembled(self) -> Result<Parts, Error> {
        self.assembled_with(|builder| builder)
    }

    /// All of it, put together with one part changed.
    ///
    /// # Errors
    /// As [`Makings::assembled`].
    pub fn assembled_with(self, change: impl FnOnce(Builder) -> Builder) -> Result<Parts, Error> {
        let (limiter, origins) = (Arc::clone(&self.limiter), self.origins.clone());
        let (policy, assignments) = (Arc::clone(&self.policy), Arc::clone(&self.assignments));
        let security = change(self.builder()).build().map_err(Error::part("security"))?;
        let missing = || Error::Part { part: "security", why: "it keeps no sessions".into() };
        let sessions = security.sessions().ok_or_else(missing)?.clone();
        let api_keys = security.api_keys().ok_or_else(missing)?.clone();
        let administration = security.administration(policy).kept_in(assignments);
        Ok(Parts {
            guard: Arc::clone(security.guard()),
            authorizer: Arc::clone(security.authorizer()),
            administration: Arc::new(administration),
            issuer: Arc::clone(security.issuer()),
            vault: Arc::clone(security.vault()),
            passwords: Arc::clone(security.passwords()),
            recorder: Arc::clone(security.recorder()),
            clock: Arc::clone(security.clock()),
            entropy: Arc::clone(security.entropy()),
            sessions,
            api_keys,
            upkeep: security.upkeep(),
            // Closed: who can make a store of limits fail shall not have more guesses for it.
            login_limits: Arc::new(LoginLimits::new(Arc::clone(&limiter), OnOutage::Closed)),
            limiter,
            origins,
        })
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
    /// Gives and takes roles.
    pub administration: Arc<Administration>,
    /// Issues access tokens.
    pub issuer: Arc<Issuer>,
    /// Seals and opens patients and accounts.
    pub vault: Arc<Vault>,
    /// Hashes and verifies passwords.
    pub passwords: Arc<Passwords>,
    /// Keeps the record.
    pub recorder: Arc<dyn Recorder>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// Keeps sessions and one-time tokens.
    pub sessions: Sessions,
    /// Keeps API keys.
    pub api_keys: ApiKeys,
    /// What runs beside the requests.
    pub upkeep: Option<Upkeep>,
    /// Limits failed logins.
    pub login_limits: Arc<LoginLimits>,
    /// Limits everything else.
    pub limiter: Arc<Limiter>,
    origins: Origins,
}

impl Parts {
    /// What a guard of this clinic takes besides access tokens: for putting another guard in the place of the first.
    #[must_use]
    pub fn logins(&self) -> Logins {
        Logins::of(self.sessions.clone())
            .cookies(SessionCookie::Lax, self.origins.clone())
            .api_keys(KeyPlace::BEARER, self.api_keys.clone())
    }
}
