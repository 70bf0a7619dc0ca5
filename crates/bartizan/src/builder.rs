//! One builder for the whole road.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Authorizer, Clock, Entropy, JobPolicy, PolicyEngine, Recorder, os};
use bartizan_crypto::Provider;
use bartizan_crypto_ring::Ring;
use bartizan_envelope::{KeyStore, KeyWrapper, Keyring};
use bartizan_field_crypto::Vault;
use bartizan_http::Guard;
use bartizan_passwords::{Params, Passwords};
use bartizan_rate_limit::Limiter;
use bartizan_tokens::{Issuer, KeySet, SigningKey, Verifier};

use crate::{Error, ErrorKind, KeptSessions, Security, kept_sessions::Surroundings};

/// Memory for password hashing, in bytes: eight at once at OWASP's floor of 19 MiB.
const PASSWORD_MEMORY: u64 = 8 * 19_456 * 1_024;

/// The access tokens of a service that issues and verifies its own.
#[derive(Debug)]
pub struct AccessTokens {
    issuer: Box<str>,
    audience: Box<str>,
    key: SigningKey,
    leeway: Option<Duration>,
    single_tenant: bool,
}

impl AccessTokens {
    /// Issued as `issuer`, for `audience`, signed with `key`.
    #[must_use]
    pub fn new(issuer: impl Into<Box<str>>, audience: impl Into<Box<str>>, key: SigningKey) -> Self {
        Self { issuer: issuer.into(), audience: audience.into(), key, leeway: None, single_tenant: false }
    }

    /// How far clocks may differ; at most five minutes.
    #[must_use]
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// Tokens without a `tenant` claim are of the tenant `-`; without this they are refused.
    #[must_use]
    pub const fn single_tenant(mut self) -> Self {
        self.single_tenant = true;
        self
    }
}

/// Collects the parts; [`Builder::build`] says which one is missing.
///
/// Clock, randomness and primitives have defaults: the operating system's and ring's. Recorder, policy, access tokens and
/// keys have none. Without sessions and a limiter there are none.
#[derive(Debug)]
pub struct Builder {
    service: Box<str>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    provider: Arc<dyn Provider>,
    recorder: Option<Arc<dyn Recorder>>,
    policy: Option<Box<dyn PolicyEngine>>,
    jobs: JobPolicy,
    tokens: Option<AccessTokens>,
    keys: Option<(Arc<dyn KeyStore>, Arc<dyn KeyWrapper>)>,
    passwords: (Params, u64),
    sessions: Option<KeptSessions>,
    limiter: Option<Arc<Limiter>>,
}

impl Builder {
    pub(crate) fn new(service: Box<str>) -> Self {
        Self {
            service,
            clock: Arc::new(os::SystemClock),
            entropy: Arc::new(os::OsEntropy),
            provider: Arc::new(Ring::new()),
            recorder: None,
            policy: None,
            jobs: JobPolicy::none(),
            tokens: None,
            keys: None,
            passwords: (Params::OWASP, PASSWORD_MEMORY),
            sessions: None,
            limiter: None,
        }
    }

    /// Where time comes from.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where randomness comes from.
    #[must_use]
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Where primitives come from.
    #[must_use]
    pub fn provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.provider = provider;
        self
    }

    /// What keeps the record. Mandatory.
    #[must_use]
    pub fn recorder(mut self, recorder: Arc<dyn Recorder>) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// What decides for the principals of a tenant. Mandatory.
    #[must_use]
    pub fn policy(mut self, policy: impl PolicyEngine + 'static) -> Self {
        self.policy = Some(Box::new(policy));
        self
    }

    /// What the service's own jobs may do; nothing, unless said here.
    #[must_use]
    pub fn jobs(mut self, jobs: JobPolicy) -> Self {
        self.jobs = jobs;
        self
    }

    /// The service's access tokens. Mandatory.
    #[must_use]
    pub fn access_tokens(mut self, tokens: AccessTokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Where scope keys are kept, and what wraps them. Mandatory.
    #[must_use]
    pub fn keys(mut self, store: Arc<dyn KeyStore>, wrapper: Arc<dyn KeyWrapper>) -> Self {
        self.keys = Some((store, wrapper));
        self
    }

    /// What a password costs, and how many bytes of memory all of them together may take.
    #[must_use]
    pub const fn passwords(mut self, params: Params, memory: u64) -> Self {
        self.passwords = (params, memory);
        self
    }

    /// Keeps sessions: refresh tokens, browsers' cookies and API keys as this says, and tokens that can be revoked. From then on
    /// each route says how freshly it has to know what was ended.
    #[must_use]
    pub fn sessions(mut self, sessions: KeptSessions) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// What limits how often routes are asked.
    #[must_use]
    pub fn limited_by(mut self, limiter: Arc<Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Builds the shell.
    ///
    /// # Errors
    /// Which part is missing or cannot be used; see [`ErrorKind`].
    pub fn build(self) -> Result<Security, Error> {
        let recorder = self.recorder.ok_or(Error::missing(ErrorKind::NoRecorder))?;
        let policy = self.policy.ok_or(Error::missing(ErrorKind::NoPolicy))?;
        let tokens = self.tokens.ok_or(Error::missing(ErrorKind::NoTokens))?;
        let (store, wrapper) = self.keys.ok_or(Error::missing(ErrorKind::NoKeys))?;
        let (clock, entropy, provider) = (self.clock, self.entropy, self.provider);

        let authorizer = Authorizer::new(
            &self.service,
            policy,
            self.jobs,
            Arc::clone(&recorder),
            Arc::clone(&clock),
            &*entropy,
        )
        .map_err(Error::of(ErrorKind::Authorizer, |error: &bartizan_core::Error| error.fault()))?;

        let of_tokens = || Error::of(ErrorKind::Tokens, |error: &bartizan_tokens::Error| error.fault());
        let keys = KeySet::new([tokens.key.verifying()]).map_err(of_tokens())?;
        let mut verifier =
            Verifier::access_tokens(tokens.issuer.clone(), tokens.audience, keys, Arc::clone(&clock))
                .map_err(of_tokens())?;
        if let Some(leeway) = tokens.leeway {
            verifier = verifier.leeway(leeway).map_err(of_tokens())?;
        }
        if tokens.single_tenant {
            verifier = verifier.single_tenant();
        }
        let verifier = Arc::new(verifier);
        let kept = self.sessions.map(|sessions| {
            sessions.build(Surroundings {
                issuer: &tokens.issuer,
                service: &self.service,
                recorder: &recorder,
                provider: &provider,
                entropy: &entropy,
                clock: &clock,
            })
        });
        let kept = kept.transpose()?;
        let issuer = Issuer::new(tokens.issuer, tokens.key, Arc::clone(&clock), Arc::clone(&entropy))
            .map_err(of_tokens())?;
        let mut guard =
            Guard::new(&self.service, Arc::clone(&verifier), Arc::clone(&recorder), Arc::clone(&clock))
                .map_err(Error::of(ErrorKind::Guard, |error: &bartizan_http::Error| error.fault()))?;
        if let Some(kept) = &kept {
            guard = guard.logins(kept.logins.clone());
        }
        if let Some(limiter) = self.limiter {
            guard = guard.limited_by(limiter);
        }

        let keyring =
            Keyring::new(Arc::clone(&provider), wrapper, store, Arc::clone(&clock), Arc::clone(&entropy))
                .map_err(Error::of(ErrorKind::Keyring, |error: &bartizan_envelope::Error| error.fault()))?;
        let vault = Vault::new(authorizer.authority(), Arc::new(keyring), Arc::clone(&clock));

        let (params, memory) = self.passwords;
        let passwords = Passwords::new(params, memory, Arc::clone(&entropy))
            .map_err(Error::of(ErrorKind::Passwords, |error: &bartizan_passwords::Error| error.fault()))?;

        Ok(Security {
            clock,
            entropy,
            provider,
            recorder,
            authorizer: Arc::new(authorizer),
            issuer: Arc::new(issuer),
            verifier,
            guard: Arc::new(guard),
            vault: Arc::new(vault),
            passwords: Arc::new(passwords),
            kept,
        })
    }
}
