//! The keys of an issuer that publishes them: fetched ahead of need, swapped under readers that never wait.
//!
//! A verifier reads a snapshot. One driver, a future that the service spawns, keeps it current: it is the only one that asks
//! the issuer, one request at a time, at most one per cooldown. Nothing a token says makes a request of its own.
//!
//! What it can't tell: a set that goes back to an older state is what the issuer says now. It is believed.

mod driver;
mod fetch;
mod freshness;
mod hub;
mod schedule;
mod signal;
mod status;
mod unknown;
mod url;

use std::{
    collections::hash_map::DefaultHasher,
    fmt,
    future::poll_fn,
    hash::{Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use bartizan_core::Clock;
use bartizan_crypto::Provider;

use crate::{Error, ErrorKind, KeyRules, KeySource};

pub use driver::JwksDriver;
pub use fetch::{FetchError, FetchErrorKind, FetchRequest, Fetched, JwksFetch};
pub use freshness::{Freshness, retry_after};
pub use status::{JwksStatus, RefreshError};
pub use url::JwksUrl;

use hub::Hub;

/// The keys that an issuer publishes, kept current by a [`JwksDriver`]. Cheap to clone.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use bartizan_core::Clock;
/// use bartizan_crypto::Provider;
/// use bartizan_tokens::{Error, JwksDriver, JwksFetch, JwksUrl, RemoteJwks, Start, Verifier};
///
/// /// `fetch` comes from `bartizan-jwks-http`; spawn the driver on the runtime, then `jwks.ready().await?`.
/// fn verifier(
///     fetch: Arc<dyn JwksFetch>,
///     provider: Arc<dyn Provider>,
///     clock: Arc<dyn Clock>,
/// ) -> Result<(Verifier, RemoteJwks, JwksDriver), Error> {
///     let url = JwksUrl::new("https://login.example/.well-known/jwks.json")?;
///     let (jwks, driver) = RemoteJwks::from_url(url, fetch, provider, clock.clone())
///         .start(Start::FailFast)
///         .stale_for(Duration::from_secs(2 * 60 * 60))?
///         .build();
///     let verifier = Verifier::access_tokens("https://login.example", "https://api.example", &jwks, clock)?;
///     Ok((verifier, jwks, driver))
/// }
/// ```
///
/// It is gone when the last clone of it and of its [`KeySource`]s is dropped; the driver ends then.
#[derive(Clone)]
pub struct RemoteJwks {
    hub: Arc<Hub>,
    keys: KeySource,
}

/// How a [`RemoteJwks`] is to be, before it is built.
#[derive(Clone, Debug)]
pub struct RemoteJwksBuilder {
    url: JwksUrl,
    fetch: Arc<dyn JwksFetch>,
    provider: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    rules: Rules,
    key_rules: KeyRules,
}

/// What [`RemoteJwks::ready`] waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The first answer. If it brings no keys, that is an error, and the service had better not start.
    #[default]
    FailFast,
    /// Keys, however long that takes.
    Wait,
    /// Nothing. Until there are keys, verifying says
    /// [`KeysUnavailable`](crate::ErrorKind::KeysUnavailable): 503.
    Empty,
}

/// Numbers of one source.
#[derive(Clone, Copy, Debug)]
struct Rules {
    start: Start,
    cooldown: Duration,
    stale_for: Duration,
    default_ttl: Duration,
    min_ttl: Duration,
    max_ttl: Duration,
    timeout: Duration,
}

impl Rules {
    const DEFAULT: Self = Self {
        start: Start::FailFast,
        cooldown: Duration::from_secs(30),
        stale_for: Duration::from_secs(60 * 60),
        default_ttl: Duration::from_secs(10 * 60),
        min_ttl: Duration::from_secs(60),
        max_ttl: Duration::from_secs(60 * 60),
        timeout: Duration::from_secs(10),
    };
}

impl RemoteJwks {
    /// The JWKS at this URL. `provider` prepares its keys; `clock` should be one of the runtime that the driver runs on.
    #[must_use]
    pub fn from_url(
        url: JwksUrl,
        fetch: Arc<dyn JwksFetch>,
        provider: Arc<dyn Provider>,
        clock: Arc<dyn Clock>,
    ) -> RemoteJwksBuilder {
        RemoteJwksBuilder {
            url,
            fetch,
            provider,
            clock,
            rules: Rules::DEFAULT,
            key_rules: KeyRules::strict(),
        }
    }

    /// The keys, for a [`Verifier`](crate::Verifier).
    #[must_use]
    pub fn keys(&self) -> KeySource {
        self.keys.clone()
    }

    /// Waits for what was said at [`RemoteJwksBuilder::start`]. The driver must run meanwhile, else it never ends.
    ///
    /// # Errors
    /// [`ErrorKind::KeysUnavailable`] when the first request failed under [`Start::FailFast`], or the driver was dropped; what
    /// [`KeySet::from_jwks`](crate::KeySet::from_jwks) says about the first answer. [`RemoteJwks::status`] says more.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn ready(&self) -> Result<(), Error> {
        poll_fn(|cx| self.hub.poll_ready(cx)).await
    }

    /// Asks the issuer as soon as the cooldown allows, as when somebody says that a key there was revoked. Does not wait.
    pub fn refresh(&self) {
        self.hub.want();
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> JwksStatus {
        self.hub.status()
    }
}

impl From<&RemoteJwks> for KeySource {
    fn from(remote: &RemoteJwks) -> Self {
        remote.keys()
    }
}

impl fmt::Debug for RemoteJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJwks").field("url", self.hub.url()).finish_non_exhaustive()
    }
}

impl RemoteJwksBuilder {
    /// What [`RemoteJwks::ready`] waits for: the first answer.
    #[must_use]
    pub fn start(mut self, start: Start) -> Self {
        self.rules.start = start;
        self
    }

    /// Least time between two requests while there are keys, whatever tokens name: 30 seconds; 5 to 300. A key that the issuer
    /// begins to use before it publishes it is known here after that time at the latest.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for another.
    pub fn cooldown(mut self, cooldown: Duration) -> Result<Self, Error> {
        self.rules.cooldown = within(cooldown, 5, 300)?;
        Ok(self)
    }

    /// How long keys are believed beyond their time to live while the issuer does not answer: 1 hour; 5 minutes to 24 hours.
    /// After that, verifying says [`ErrorKind::KeysUnavailable`].
    ///
    /// # Security
    /// Whoever can keep the issuer from being reached keeps a withdrawn key alive for so long.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for another.
    pub fn stale_for(mut self, stale_for: Duration) -> Result<Self, Error> {
        self.rules.stale_for = within(stale_for, 5 * 60, 24 * 60 * 60)?;
        Ok(self)
    }

    /// The time to live of a set whose issuer says none: 10 minutes; 1 to 60. What an issuer says is clamped to the same bounds.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for another.
    pub fn default_ttl(mut self, ttl: Duration) -> Result<Self, Error> {
        self.rules.default_ttl = within(ttl, 60, 60 * 60)?;
        Ok(self)
    }

    /// Which keys are taken beyond the strict default: RS256 of Google and Cognito, say.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for rules that contradict themselves.
    pub fn key_rules(mut self, rules: KeyRules) -> Result<Self, Error> {
        self.key_rules = *rules.checked()?;
        Ok(self)
    }

    /// How long one request may take as a whole: 10 seconds; 1 to 60.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for another.
    pub fn timeout(mut self, timeout: Duration) -> Result<Self, Error> {
        self.rules.timeout = within(timeout, 1, 60)?;
        Ok(self)
    }

    /// The source, and the driver to be spawned: `tokio::spawn(driver.run())`.
    pub fn build(self) -> (RemoteJwks, JwksDriver) {
        // Services that start at different moments, and issuers of one service, ask at different moments.
        let mut hasher = DefaultHasher::new();
        (self.url.as_str(), self.clock.wall().as_nanos()).hash(&mut hasher);
        let (hub, keys, driver) = driver::new(self, hasher.finish());
        (RemoteJwks { hub, keys }, driver)
    }
}

fn within(duration: Duration, least: u64, most: u64) -> Result<Duration, Error> {
    let fits = (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&duration);
    if fits { Ok(duration) } else { Err(ErrorKind::Config.into()) }
}
