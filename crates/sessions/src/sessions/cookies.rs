//! Sessions of browsers, by their cookie.

use std::time::Duration;

use bartizan_core::{Attestation, Monotonic, Principal, PrincipalFacts, RawToken, UnixTime};

use super::{Engine, Sessions};
use crate::{
    By, CookieToken, Digest, Error, ErrorKind, Freshness, Kind, Login, Proof, Refusal, Rotate, Rotation,
    Session, SessionId, SessionKey, StoredSession,
    local::Kept,
    login::{check_facts, principal_facts},
    secret_text::{COOKIE, Parts},
};

/// A session whose cookie was believed.
#[derive(Clone, Debug)]
pub struct CookieSession {
    principal: Principal,
    id: SessionId,
    expires: UnixTime,
}

impl CookieSession {
    /// Who acts: tenant, subject, roles, teams, session, `acr`, `amr`, `auth_time`, issuer, end.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The same, alone.
    #[must_use]
    pub fn into_principal(self) -> Principal {
        self.principal
    }

    /// The session's name.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// When it ends unless it is used before: never after the cookie does.
    #[must_use]
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }
}

impl Sessions {
    /// Somebody logged in with a browser: a session begins, and its cookie's text is given out. Say with [`Login::instead_of`]
    /// which cookie the browser had: a session that somebody else began in it is over.
    ///
    /// # Errors
    /// As [`Sessions::begin`], and [`ErrorKind::Limits`] for a login that is bound to something.
    pub async fn login(&self, login: &Login<'_>, by: &By<'_>) -> Result<(Session, CookieToken), Error> {
        if login.binding.is_some() {
            return Err(ErrorKind::Limits.into());
        }
        let (session, parts) = self.0.begin(Kind::Cookie, login, by).await?;
        Ok((session, CookieToken::new(COOKIE.write(&parts))))
    }

    /// Privileges change: somebody proved once more, or more strongly, who they are. The cookie changes as a whole, and the old one
    /// is worth nothing.
    ///
    /// On other nodes, routes that accept a [`Freshness::Snapshot`] may know the old cookie, with the old privileges, for as long as
    /// they say.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a cookie that is not believed, [`ErrorKind::Limits`], and those of the store.
    pub async fn elevate(
        &self,
        cookie: RawToken<'_>,
        proof: &Proof,
        by: &By<'_>,
    ) -> Result<(Session, CookieToken), Error> {
        let engine = &self.0;
        let parts = COOKIE.parse(cookie);
        let (selector, secret) = (engine.draw::<16>()?, engine.draw::<32>()?);
        let next = Parts::new(&selector, &secret);
        let row = engine.found(&parts, Freshness::ReadThrough).await?;
        let Found::Row(row) = row else { return Err(ErrorKind::Primitive.into()) };
        let facts = proof.applied_to(&row.session.facts, engine.now());
        check_facts(&row.session.tenant, &row.session.subject, &facts)?;
        facts.to_text()?;
        let ask = Rotate {
            next_selector: Some(COOKIE.selector(&*engine.provider, &next)),
            facts: Some(facts),
            ..engine.asking(&COOKIE, &parts, &secret, None, by)?
        };
        match engine.call(engine.store.rotate(&ask)).await? {
            Rotation::Rotated(session) => {
                if let Some(copy) = &engine.copy {
                    copy.sessions.forget(&ask.selector);
                }
                Ok((session, CookieToken::new(COOKIE.write(&next))))
            }
            rotation => Err(engine.refused(&rotation, &parts)),
        }
    }

    /// Whose session a cookie is of.
    ///
    /// With [`Freshness::Snapshot`] a session that this process found so recently is answered from memory, unless it heard that it
    /// ended; every other is asked of the store. Once a minute the store is told that the session is used.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a cookie that is not believed, whatever the reason; those of the store.
    ///
    /// # Security
    /// Malformed, unknown, ended and expired look alike: the same answer after the same computations and one call to the store.
    pub async fn check(&self, cookie: RawToken<'_>, freshness: Freshness) -> Result<CookieSession, Error> {
        let engine = &self.0;
        let parts = COOKIE.parse(cookie);
        let found = engine.found(&parts, freshness).await?;
        let (key, seen, idle_expires) = found.times();
        engine.note_use(&parts, key, seen, idle_expires).await;
        found.session(&engine.issuer)
    }

    /// How many sessions of cookies this process has in memory, and the bytes that they take.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        self.0.copy.as_ref().map_or((0, 0), |copy| (copy.sessions.len(), copy.sessions.bytes()))
    }
}

/// A session that is alive, whose cookie's secret was right.
pub(super) enum Found {
    Row(Box<StoredSession>),
    Kept(Box<Kept>),
}

impl Found {
    fn times(&self) -> (SessionKey, UnixTime, UnixTime) {
        match self {
            Self::Row(row) => (row.session.id.key, row.session.seen, row.session.idle_expires),
            Self::Kept(kept) => (kept.id.key, kept.seen, kept.idle_expires),
        }
    }

    fn session(&self, issuer: &str) -> Result<CookieSession, Error> {
        let (id, expires, facts) = match self {
            Self::Row(row) => {
                let session = &row.session;
                let facts = principal_facts(&session.tenant, &session.subject, &session.facts);
                (session.id, session.expires, facts)
            }
            Self::Kept(kept) => {
                let facts = kept.facts().ok_or(ErrorKind::Integrity)?;
                (kept.id, kept.expires, facts)
            }
        };
        Ok(CookieSession { principal: attested(facts, id, issuer, expires)?, id, expires })
    }
}

fn attested(
    facts: PrincipalFacts,
    id: SessionId,
    issuer: &str,
    expires: UnixTime,
) -> Result<Principal, Error> {
    let id = id.to_string();
    let mut facts = facts.with_session(&*id).with_issuer(issuer);
    facts.expires = Some(expires);
    // What was stored made a principal when it began.
    Principal::attested(Attestation::Session, facts).map_err(|_| ErrorKind::Integrity.into())
}

impl Engine {
    /// The session of a cookie, from memory if that is new enough, else from the store.
    pub(super) async fn found(&self, parts: &Parts, freshness: Freshness) -> Result<Found, Error> {
        let selector = COOKIE.selector(&*self.provider, parts);
        let secret = COOKIE.secret(&*self.provider, parts.secret());
        if let Freshness::Snapshot(at_most) = freshness
            && let Some(kept) = self.kept(&selector, &secret, at_most)
        {
            return Ok(Found::Kept(kept));
        }
        // SECURITY: before the reading, as what changes meanwhile is not in it.
        let began = self.clock.monotonic();
        let row = self.call(self.store.find(&selector)).await?;
        let row = self.believed(row, &secret, parts)?;
        self.keep(&row, began);
        Ok(Found::Row(Box::new(row)))
    }

    fn believed(
        &self,
        row: Option<StoredSession>,
        secret: &Digest,
        parts: &Parts,
    ) -> Result<StoredSession, Error> {
        if !parts.is_well_formed {
            return Err(Refusal::Malformed.into());
        }
        let row = row.ok_or(Refusal::Unknown)?;
        let now = self.now();
        if row.current != *secret || row.session.kind != Kind::Cookie {
            return Err(Refusal::Wrong.into());
        }
        if row.binding.is_some() {
            return Err(Refusal::Unbound.into());
        }
        if now >= row.session.idle_expires || now >= row.session.expires {
            return Err(Refusal::Expired.into());
        }
        Ok(row)
    }

    /// A session that this process found at most so long ago, that did not end since as far as it knows, and it knows it.
    fn kept(&self, selector: &Digest, secret: &Digest, at_most: Duration) -> Option<Box<Kept>> {
        let copy = self.copy.as_ref()?;
        // SECURITY: what ended is remembered for somewhat longer than an access token lives; nothing may be kept beyond that.
        let at_most = at_most.min(self.policy.access);
        copy.revocations.check_age(at_most).ok()?;
        let kept = copy.sessions.get(selector, self.clock.monotonic(), at_most)?;
        let now = self.now();
        let lives = kept.secret == *secret && now < kept.idle_expires && now < kept.expires;
        let (tenant, subject) = kept.owner()?;
        (lives && !copy.revocations.is_ended(kept.id, tenant, subject)).then_some(kept)
    }

    fn keep(&self, row: &StoredSession, began: Monotonic) {
        if let Some(copy) = &self.copy {
            copy.sessions.put(row, began);
        }
    }

    /// Tells the store that a session is used, if that was not said a moment ago. A store that does not take it now is told with
    /// the next request; the session only lives for less long.
    async fn note_use(&self, parts: &Parts, key: SessionKey, seen: UnixTime, idle_expires: UnixTime) {
        let now = self.now();
        let next = now.saturating_add(self.policy.idle);
        if now.since(seen) < self.policy.seen_every || next <= idle_expires {
            return;
        }
        if let Some(copy) = &self.copy {
            copy.sessions.seen(&COOKIE.selector(&*self.provider, parts), now, idle_expires);
        }
        if self.call(self.store.seen(key, now, next)).await.is_ok()
            && let Some(copy) = &self.copy
        {
            copy.sessions.seen(&COOKIE.selector(&*self.provider, parts), now, next);
        }
    }
}
