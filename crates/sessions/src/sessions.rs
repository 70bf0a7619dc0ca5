//! The engine: everything that a service asks of its sessions.

mod control;
mod cookies;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use bartizan_core::{Clock, Entropy, RawToken, SecretArray, UnixTime};
use bartizan_crypto::Provider;
use bartizan_tokens::AccessToken;
use zeroize::Zeroizing;

use crate::{
    ApiKeys, Begin, Begun, By, Digest, End, Ended, Epochs, Error, ErrorKind, Kind, Login, OneTime, Policy,
    Proof, RefreshToken, Refusal, RevocationSnapshot, Rotate, Rotation, Session, SessionId, SessionKey,
    Store, StoredSession, WhenFull,
    bounded::bounded,
    from_millis,
    local::Local,
    secret_text::{self, COOKIE, Form, Parts, REFRESH},
    to_millis,
};

pub use cookies::CookieSession;

/// A service's sessions. Cheap to clone; all clones are one.
///
/// It holds no state but caches: what counts is in the store. Every call is bounded in time by [`Policy::store_timeout`], and what
/// the store does not answer is [`ErrorKind::Unavailable`], never a refusal and never a grant.
#[derive(Clone)]
pub struct Sessions(pub(crate) Arc<Engine>);

/// What all parts of the engine need.
pub(crate) struct Engine {
    pub(crate) issuer: Box<str>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: Policy,
    pub(crate) copy: Option<Copied>,
}

/// What this process keeps of the store.
pub(crate) struct Copied {
    pub(crate) revocations: RevocationSnapshot,
    pub(crate) sessions: Local,
}

/// A refresh token that is to be exchanged.
#[derive(Clone, Debug)]
#[must_use]
pub struct Exchange<'a> {
    token: RawToken<'a>,
    binding: Option<&'a [u8]>,
    proof: Option<Proof>,
}

impl<'a> Exchange<'a> {
    /// Of this token.
    pub const fn of(token: RawToken<'a>) -> Self {
        Self { token, binding: None, proof: None }
    }

    /// Showing this, which the session is bound to.
    pub const fn bound_to(mut self, shown: &'a [u8]) -> Self {
        self.binding = Some(shown);
        self
    }

    /// After somebody proved once more who they are. Where the answer [is a replay](Rotated::is_replay), that was not noted.
    pub fn proving(mut self, proof: Proof) -> Self {
        self.proof = Some(proof);
        self
    }
}

impl<'a> From<RawToken<'a>> for Exchange<'a> {
    fn from(token: RawToken<'a>) -> Self {
        Self::of(token)
    }
}

/// A refresh token was exchanged.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rotated {
    /// The session, as it is now.
    pub session: Session,
    /// The token that takes the place of the one that was shown.
    pub token: RefreshToken,
    /// Whether the token that was shown had been exchanged a moment ago, and this is the same answer once more.
    pub is_replay: bool,
}

impl Sessions {
    /// Sessions in this store. `issuer` is what this service's tokens say in `iss`; principals of cookies and keys say it too.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a policy that contradicts itself or its limits.
    pub fn new(
        issuer: impl Into<Box<str>>,
        store: Arc<dyn Store>,
        provider: Arc<dyn Provider>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
        policy: Policy,
    ) -> Result<Self, Error> {
        let policy = policy.checked()?;
        Ok(Self(Arc::new(Engine {
            issuer: issuer.into(),
            store,
            provider,
            entropy,
            clock,
            policy,
            copy: None,
        })))
    }

    /// The same, with what this process keeps in memory: a snapshot of what was revoked, which somebody has to
    /// [follow](RevocationSnapshot::follow), and about this many sessions of cookies, of some 300 bytes each (`cargo bench -p
    /// bartizan-benches --bench sessions cookie_kept` counts them). Without it, every
    /// [`Freshness::Snapshot`](crate::Freshness::Snapshot) is answered by the store.
    #[must_use]
    pub fn keeping(&self, revocations: &RevocationSnapshot, sessions: usize) -> Self {
        let engine = &self.0;
        Self(Arc::new(Engine {
            issuer: engine.issuer.clone(),
            store: engine.store.clone(),
            provider: engine.provider.clone(),
            entropy: engine.entropy.clone(),
            clock: engine.clock.clone(),
            policy: engine.policy.clone(),
            copy: Some(Copied { revocations: revocations.clone(), sessions: Local::new(sessions) }),
        }))
    }

    /// The API keys of this service: they begin with `prefix` and `_`.
    ///
    /// # Errors
    /// Those of [`ApiKeys::new`].
    pub fn api_keys(&self, prefix: &str) -> Result<ApiKeys, Error> {
        ApiKeys::new(self, prefix)
    }

    /// One-time tokens and counters.
    #[must_use]
    pub fn one_time(&self) -> OneTime {
        OneTime::new(self)
    }

    /// A session begins, and its first refresh token is given out.
    ///
    /// # Errors
    /// [`ErrorKind::TooMany`], [`ErrorKind::Limits`] for names that no principal can have or facts of over 4 KiB,
    /// [`ErrorKind::Refused`] for a login whose epochs are [over](Login::since), and those of the store.
    pub async fn begin(&self, login: &Login<'_>, by: &By<'_>) -> Result<(Session, RefreshToken), Error> {
        let (session, parts) = self.0.begin(Kind::Refresh, login, by).await?;
        Ok((session, RefreshToken::new(REFRESH.write(&parts))))
    }

    /// Exchanges a refresh token: the one that was shown is worth nothing afterwards.
    ///
    /// A selector that is known with a secret that is not the current one means that two parties hold the token: the session ends,
    /// with all its access tokens, and both have to log in again.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a token that is not believed, whatever the reason; [`ErrorKind::Unavailable`] and others of the
    /// store. After an `Unavailable` nobody knows whether the token was exchanged: try again with the same one; without a window
    /// that may end the session.
    ///
    /// # Security
    /// Malformed, unknown, ended, expired and bound to another key look alike: the same answer after the same computations and one
    /// call to the store.
    pub async fn rotate<'a>(&self, exchange: impl Into<Exchange<'a>>, by: &By<'_>) -> Result<Rotated, Error> {
        let exchange = exchange.into();
        let engine = &self.0;
        let parts = REFRESH.parse(exchange.token);
        let nonce = engine.nonce()?;
        let child = engine.child(&parts, nonce.as_ref())?;
        let facts = match &exchange.proof {
            Some(proof) => Some(engine.proved(&parts, proof).await?),
            None => None,
        };
        let ask = Rotate {
            next_selector: None,
            nonce,
            grace: engine.policy.grace,
            facts,
            ..engine.asking(&REFRESH, &parts, &child, exchange.binding, by)?
        };
        let (session, child, is_replay) = match engine.call(engine.store.rotate(&ask)).await? {
            Rotation::Rotated(session) => (session, child, false),
            Rotation::Replayed { session, nonce } => (session, engine.child(&parts, Some(&nonce))?, true),
            rotation => return Err(engine.refused(&rotation, &parts)),
        };
        let token = RefreshToken::new(REFRESH.write(&Parts::new(parts.selector(), &child)));
        Ok(Rotated { session, token, is_replay })
    }

    /// The client has the child: the window of the token before it is closed. For services that opened one with
    /// [`Policy::danger_grace`]: call it when the first access token that came with the child is used.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn confirm(&self, id: SessionId, generation: u64) -> Result<(), Error> {
        self.0.call(self.0.store.confirm(id.key, generation)).await
    }

    /// What an access token of this session says: tenant, subject, roles, teams, `sid`, `acr`, `amr`, `auth_time`; for
    /// [`Issuer::issue`](bartizan_tokens::Issuer::issue). It lives as long as the policy says, and never beyond the session.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] when the session ends in less than a second.
    pub fn access_token<'a>(
        &self,
        session: &'a Session,
        audience: &'a str,
    ) -> Result<AccessToken<'a>, Error> {
        let now = self.0.now();
        let left = session.expires.min(session.idle_expires).since(now).as_secs();
        if left == 0 {
            return Err(Refusal::Expired.into());
        }
        let facts = &session.facts;
        let client = facts.client.as_deref().unwrap_or("-");
        let mut token = AccessToken::new(&*session.subject, audience, client)
            .tenant(&*session.tenant)
            .roles(facts.roles.iter().map(|role| &**role))
            .groups(facts.teams.iter().map(|team| &**team))
            .session(session.id.to_string())
            .amr(facts.amr.iter().map(|method| &**method))
            .lifetime(self.0.policy.access.min(Duration::from_secs(left)));
        if let Some(acr) = &facts.acr {
            token = token.acr(&**acr);
        }
        if let Some(at) = facts.auth_time {
            token = token.auth_time(UnixTime::from_secs(at));
        }
        Ok(token)
    }
}

/// How a session's first or next secret comes to be.
impl Engine {
    /// The time as stores keep it.
    pub(crate) fn now(&self) -> UnixTime {
        from_millis(to_millis(self.clock.wall()))
    }

    pub(crate) async fn call<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        bounded(&*self.clock, self.policy.timeout, call).await
    }

    pub(crate) fn draw<const N: usize>(&self) -> Result<Zeroizing<[u8; N]>, Error> {
        let mut drawn = Zeroizing::new([0; N]);
        self.entropy.fill(drawn.as_mut_slice())?;
        Ok(drawn)
    }

    /// What a child is derived with; none without a window.
    fn nonce(&self) -> Result<Option<[u8; 32]>, Error> {
        if self.policy.grace.is_zero() { Ok(None) } else { Ok(Some(*self.draw()?)) }
    }

    /// The secret that follows. With a nonce it follows from the one that was shown, so that a replay finds it again; whoever has
    /// the store alone has the nonce and no secret. Without one it is random, and nothing leads from one to the next.
    fn child(&self, parts: &Parts, nonce: Option<&[u8; 32]>) -> Result<Zeroizing<[u8; 32]>, Error> {
        let Some(nonce) = nonce else { return self.draw() };
        let mut child = Zeroizing::new([0; 32]);
        let primitive = |_| Error::new(ErrorKind::Primitive);
        let key = SecretArray::new(*parts.secret());
        let kdf = self.provider.kdf(&key).map_err(primitive)?;
        let info: [&[u8]; 3] = [b"bartizan refresh child 1\0", nonce, parts.selector()];
        kdf.expand(&info, child.as_mut_slice()).map_err(primitive)?;
        Ok(child)
    }

    pub(crate) async fn begin(
        &self,
        kind: Kind,
        login: &Login<'_>,
        by: &By<'_>,
    ) -> Result<(Session, Parts), Error> {
        login.check()?;
        let now = self.now();
        let mut facts = login.facts.clone();
        // A clock that is ahead proves nothing for longer.
        facts.auth_time = Some(facts.auth_time.map_or(now.as_secs(), |at| at.min(now.as_secs())));
        facts.to_text()?;
        let (key, selector, secret) = (self.draw::<16>()?, self.draw::<16>()?, self.draw::<32>()?);
        let parts = Parts::new(&selector, &secret);
        let form = form(kind);
        let session = Session {
            id: SessionId { key: SessionKey::from_bytes(*key), epochs: Epochs::default() },
            kind,
            tenant: login.tenant.into(),
            subject: login.subject.into(),
            begun: now,
            seen: now,
            idle_expires: now.saturating_add(self.policy.idle),
            expires: now.saturating_add(self.policy.absolute),
            generation: 0,
            facts,
        };
        let row = StoredSession {
            session,
            selector: form.selector(&*self.provider, &parts),
            current: form.secret(&*self.provider, parts.secret()),
            previous: None,
            nonce: None,
            grace_until: UnixTime::EPOCH,
            binding: login.binding.map(|shown| secret_text::binding(&*self.provider, shown)),
            ended: None,
        };
        let replaces = login.replaces.map(|cookie| COOKIE.parse(cookie));
        let replaces = match replaces.filter(|parts| parts.is_well_formed) {
            Some(parts) => self.replaced(&parts).await?,
            None => None,
        };
        let remember_until = now.saturating_add(Policy::remember());
        let begin = Begin { row, cap: self.policy.cap, replaces, remember_until, now, note: by.to_note()? };
        match self.call(self.store.begin(&begin)).await? {
            Begun::TooMany => Err(ErrorKind::TooMany.into()),
            Begun::As(id) => {
                let may_crowd = begin.cap.is_some_and(|cap| cap.when_full == WhenFull::EndOldest);
                if may_crowd || begin.replaces.is_some() {
                    self.refresh_copy(begin.replaces.as_ref()).await;
                }
                let mut session = begin.row.session;
                session.id = id;
                if login.since.is_some_and(|epochs| epochs != id.epochs) {
                    return Err(self.too_late(&session, by).await);
                }
                Ok((session, parts))
            }
        }
    }

    /// Everything of the subject was ended since it proved who it is. The session is ended; where the store does not answer now, it
    /// stays as one whose secret nobody has.
    async fn too_late(&self, session: &Session, by: &By<'_>) -> Error {
        let end = End::One { tenant: &session.tenant, subject: &session.subject, key: session.id.key };
        let _nobody_has_it = self.end(end, Ended::Revoked, by).await;
        Refusal::Ended.into()
    }

    /// The selector of the session that a browser still has, if its secret is right: nobody ends a session by its selector.
    async fn replaced(&self, parts: &Parts) -> Result<Option<Digest>, Error> {
        let selector = COOKIE.selector(&*self.provider, parts);
        let secret = COOKIE.secret(&*self.provider, parts.secret());
        let row = self.call(self.store.find(&selector)).await?;
        Ok(row.filter(|row| row.current == secret).map(|row| row.selector))
    }

    /// What is the same of all exchanges.
    pub(crate) fn asking(
        &self,
        form: &Form<'_>,
        parts: &Parts,
        child: &[u8; 32],
        shown: Option<&[u8]>,
        by: &By<'_>,
    ) -> Result<Rotate, Error> {
        let now = self.now();
        Ok(Rotate {
            selector: form.selector(&*self.provider, parts),
            presented: form.secret(&*self.provider, parts.secret()),
            next: form.secret(&*self.provider, child),
            next_selector: None,
            nonce: None,
            grace: Duration::ZERO,
            idle: self.policy.idle,
            binding: shown.map(|shown| secret_text::binding(&*self.provider, shown)),
            facts: None,
            now,
            remember_until: now.saturating_add(Policy::remember()),
            note: by.to_note()?,
        })
    }

    /// What a session of a refresh token knows after somebody proved once more who they are.
    async fn proved(&self, parts: &Parts, proof: &Proof) -> Result<crate::Facts, Error> {
        let selector = REFRESH.selector(&*self.provider, parts);
        let row = self.call(self.store.find(&selector)).await?;
        // One that is not there is refused by the rotation, in its own time.
        let Some(row) = row else { return Ok(crate::Facts::default()) };
        let facts = proof.applied_to(&row.session.facts, self.now());
        crate::login::check_facts(&row.session.tenant, &row.session.subject, &facts)?;
        facts.to_text()?;
        Ok(facts)
    }

    /// What a rotation that was none is answered with.
    pub(crate) fn refused(&self, rotation: &Rotation, parts: &Parts) -> Error {
        if let Rotation::Reused(session) = rotation {
            self.ended_here(session.id.key, self.now());
        }
        let refusal = match rotation {
            _ if !parts.is_well_formed => Refusal::Malformed,
            Rotation::Reused(_) => Refusal::Reused,
            Rotation::Unbound(_) => Refusal::Unbound,
            Rotation::Expired(_) => Refusal::Expired,
            Rotation::Ended(_) => Refusal::Ended,
            _ => Refusal::Unknown,
        };
        refusal.into()
    }
}

pub(crate) const fn form(kind: Kind) -> Form<'static> {
    match kind {
        Kind::Refresh => REFRESH,
        Kind::Cookie => COOKIE,
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("store", &self.0.store)
            .field("policy", &self.0.policy)
            .field("revocations", &self.0.copy.as_ref().map(|copy| &copy.revocations))
            .field("sessions", &self.0.copy.as_ref().map(|copy| &copy.sessions))
            .finish_non_exhaustive()
    }
}
