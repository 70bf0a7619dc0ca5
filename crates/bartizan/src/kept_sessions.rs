//! What the builder is told about sessions, and what it makes of that.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Clock, Entropy, Recorder};
use bartizan_crypto::Provider;
use bartizan_http::{KeyPlace, Logins, Origins, SessionCookie};
use bartizan_sessions::{ApiKeys, Courier, Policy, RevocationSnapshot, Sessions, Store};

use crate::{Error, ErrorKind, Upkeep, upkeep::Parts};

/// The sessions of a service, kept in a store. Without more they are refresh tokens, living as [`Policy::guide`] says.
#[derive(Debug)]
pub struct KeptSessions {
    store: Arc<dyn Store>,
    policy: Policy,
    cookies: Option<(SessionCookie, Origins)>,
    keys: Option<(KeyPlace, Box<str>)>,
    copied: usize,
    follow_every: Duration,
    delivers: bool,
}

/// How many browsers' sessions are kept in memory.
const COPIED: usize = 10_000;

/// How often the feed of revocations is read.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

impl KeptSessions {
    /// In this store.
    #[must_use]
    pub fn kept_in(store: Arc<dyn Store>) -> Self {
        let (policy, copied, follow_every) = (Policy::guide(), COPIED, FOLLOW_EVERY);
        Self { store, policy, cookies: None, keys: None, copied, follow_every, delivers: true }
    }

    /// Living as this says.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Browsers too, by this cookie; pages of these origins alone change anything by it.
    #[must_use]
    pub fn cookies(mut self, cookie: SessionCookie, origins: Origins) -> Self {
        self.cookies = Some((cookie, origins));
        self
    }

    /// Programs too, by API keys that begin with `prefix` and `_`, presented there.
    #[must_use]
    pub fn api_keys(mut self, place: KeyPlace, prefix: impl Into<Box<str>>) -> Self {
        self.keys = Some((place, prefix.into()));
        self
    }

    /// About this many browsers' sessions are kept in memory, of some 300 bytes each
    /// (`cargo bench -p bartizan-benches --bench sessions cookie_kept` counts them): 10,000 unless said.
    #[must_use]
    pub const fn copied(mut self, sessions: usize) -> Self {
        self.copied = sessions;
        self
    }

    /// How often the feed of revocations is read: every second unless said. A quarter of the shortest bound that a route states
    /// is a good pause.
    #[must_use]
    pub const fn followed_every(mut self, pause: Duration) -> Self {
        self.follow_every = pause;
        self
    }

    /// Another process over the same store brings what happens to the record; this one's [`Upkeep::run`] leaves it.
    #[must_use]
    pub const fn delivered_elsewhere(mut self) -> Self {
        self.delivers = false;
        self
    }

    pub(crate) fn build(self, around: Surroundings<'_>) -> Result<Kept, Error> {
        let failed = || Error::of(ErrorKind::Sessions, |error: &bartizan_sessions::Error| error.fault());
        if self.follow_every.is_zero() {
            return Err(Error::missing(ErrorKind::Sessions));
        }
        let clock = || Arc::clone(around.clock);
        let revocations =
            RevocationSnapshot::new(around.issuer, &**around.entropy, clock()).map_err(failed())?;
        let sessions = Sessions::new(
            around.issuer,
            Arc::clone(&self.store),
            Arc::clone(around.provider),
            Arc::clone(around.entropy),
            clock(),
            self.policy,
        )
        .map_err(failed())?
        .keeping(&revocations, self.copied);

        let mut logins = Logins::of(sessions.clone());
        if let Some((cookie, origins)) = self.cookies {
            logins = logins.cookies(cookie, origins);
        }
        let mut keys = None;
        if let Some((place, prefix)) = self.keys {
            let made = sessions.api_keys(&prefix).map_err(failed())?;
            logins = logins.api_keys(place, made.clone());
            keys = Some(made);
        }
        let courier = Courier::new(self.store.clone(), Arc::clone(around.recorder), clock(), around.service);
        let upkeep = Upkeep::new(Parts {
            revocations,
            store: self.store,
            courier,
            sessions: sessions.clone(),
            clock: clock(),
            follow_every: self.follow_every,
            delivers: self.delivers,
        });
        Ok(Kept { sessions, keys, logins, upkeep })
    }
}

/// What sessions are built from besides what they were told.
pub(crate) struct Surroundings<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) service: &'a str,
    pub(crate) recorder: &'a Arc<dyn Recorder>,
    pub(crate) provider: &'a Arc<dyn Provider>,
    pub(crate) entropy: &'a Arc<dyn Entropy>,
    pub(crate) clock: &'a Arc<dyn Clock>,
}

/// What was built.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) sessions: Sessions,
    pub(crate) keys: Option<ApiKeys>,
    pub(crate) logins: Logins,
    pub(crate) upkeep: Upkeep,
}
