//! Who may no longer.

use std::time::Duration;

use bartizan_core::{RawToken, UnixTime};
use bartizan_tokens::TokenId;

use super::{Engine, Sessions, form};
use crate::{
    Asked, By, CookieToken, Digest, End, Ended, Epochs, Error, Freshness, Kind, Policy, Revocation, Scope,
    Session, SessionId, SessionKey, policy::LEEWAY,
};

impl Sessions {
    /// The living sessions of a subject, last used first: for its owner, who recognises them by their device.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, tenant: &str, subject: &str) -> Result<Vec<Session>, Error> {
        self.0.call(self.0.store.list(tenant, subject, self.0.now())).await
    }

    /// Somebody logs out with what they hold, a refresh token or a cookie. What is unknown is no error: its session, if there was
    /// one, is over. A secret that is no longer the current one ends the session too, as a reuse.
    ///
    /// # Errors
    /// Those of the store: then the session may live, and nobody must be told that they are logged out.
    pub async fn logout(&self, credential: RawToken<'_>, by: &By<'_>) -> Result<(), Error> {
        let engine = &self.0;
        let kind = if CookieToken::is_well_formed(credential) { Kind::Cookie } else { Kind::Refresh };
        let form = form(kind);
        let parts = form.parse(credential);
        let selector = form.selector(&*engine.provider, &parts);
        let secret = form.secret(&*engine.provider, parts.secret());
        let row = engine.call(engine.store.find(&selector)).await?;
        let Some(row) = row else { return Ok(()) };
        let is_theirs = row.current == secret || row.previous == Some(secret);
        let (why, session) = (if is_theirs { Ended::LoggedOut } else { Ended::Reused }, row.session);
        self.end(&session.tenant, &session.subject, session.id.key, why, by).await.map(drop)
    }

    /// Ends one session of a subject, with its access tokens. False when there is none that lives.
    ///
    /// # Errors
    /// Those of the store, and [`ErrorKind::Limits`](crate::ErrorKind::Limits).
    pub async fn end(
        &self,
        tenant: &str,
        subject: &str,
        key: SessionKey,
        why: Ended,
        by: &By<'_>,
    ) -> Result<bool, Error> {
        let ended = self.0.end(End::One { tenant, subject, key }, why, by).await?;
        if ended > 0 {
            self.0.ended_here(key, self.0.now());
        }
        Ok(ended > 0)
    }

    /// Ends all sessions of a subject but this one, and answers how many.
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn end_others(
        &self,
        tenant: &str,
        subject: &str,
        keep: SessionKey,
        by: &By<'_>,
    ) -> Result<u64, Error> {
        self.0.end_many(End::Others { tenant, subject, keep }, Ended::Revoked, by).await
    }

    /// Ends all sessions of a subject, its access tokens and its one-time tokens, and answers how many sessions: for logging out
    /// everywhere, and for a subject that was disabled or deleted. Its API keys live on: end them with
    /// [`ApiKeys::end`](crate::ApiKeys::end).
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn end_all(&self, tenant: &str, subject: &str, by: &By<'_>) -> Result<u64, Error> {
        self.0.end_many(End::All { tenant, subject }, Ended::Revoked, by).await
    }

    /// A password or a second factor was changed, or reset: the same as [`Sessions::end_all`]. Whoever changed it logs in anew.
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn credential_changed(&self, tenant: &str, subject: &str, by: &By<'_>) -> Result<u64, Error> {
        self.0.end_many(End::All { tenant, subject }, Ended::CredentialChanged, by).await
    }

    /// Ends everybody's sessions, access tokens and one-time tokens: for when the store or a key may be in the wrong hands. API keys
    /// live on.
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn end_everything(&self, by: &By<'_>) -> Result<u64, Error> {
        self.0.end_many(End::Everything, Ended::Revoked, by).await
    }

    /// Revokes one access token before its end, and leaves its session alone. False when it has no `jti` to be known by.
    ///
    /// # Errors
    /// As [`Sessions::end`].
    pub async fn revoke_token(
        &self,
        token: &TokenId<'_>,
        expires: UnixTime,
        by: &By<'_>,
    ) -> Result<bool, Error> {
        let engine = &self.0;
        let Some(jti) = token.jti else { return Ok(false) };
        let (now, until) = (engine.now(), expires.saturating_add(LEEWAY));
        let (tenant, note) = (token.tenant.unwrap_or("-"), by.to_note()?);
        engine.call(engine.store.revoke_token(jti, tenant, token.subject, now, until, &note)).await?;
        engine.apply(Revocation { scope: Scope::Token(jti.into()), at: now, until });
        Ok(true)
    }

    /// Whether an access token that verified was revoked, by itself, with its session, or with all of its subject's.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the store does not answer, or the snapshot is older than asked
    /// for: closed, and never a grant.
    pub async fn is_revoked(&self, token: &TokenId<'_>, freshness: Freshness) -> Result<bool, Error> {
        let engine = &self.0;
        if *token.issuer != *engine.issuer {
            return Ok(false);
        }
        if let (Freshness::Snapshot(at_most), Some(copy)) = (freshness, &engine.copy) {
            return copy.revocations.knows(token, at_most);
        }
        let asked = Asked {
            jti: token.jti,
            session: token.session.and_then(|text| SessionId::parse(text).ok()),
            tenant: token.tenant.unwrap_or("-"),
            subject: token.subject,
            issued_at: token.issued_at,
        };
        engine.call(engine.store.is_revoked(&asked)).await
    }

    /// How often everything of a subject, and of everybody, was ended.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        self.0.call(self.0.store.epochs(tenant, subject)).await
    }

    /// Deletes what no longer matters, and answers how many rows: for a service to call now and then. What ended is kept for a day,
    /// for owners to see and records to tell.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn purge(&self) -> Result<u64, Error> {
        self.0.call(self.0.store.purge(self.0.now(), KEPT.max(Policy::remember()))).await
    }

    /// Whether the store answers: for readiness checks.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn health(&self) -> Result<(), Error> {
        self.0.call(self.0.store.health()).await
    }
}

const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How much further the clock of who authenticated somebody may be than ours.
const AHEAD: Duration = Duration::from_secs(60);

impl Session {
    /// Whether somebody proved who they are at most so long ago. Who never did, did not; nor did who says that it is more than a minute
    /// ahead.
    #[must_use]
    pub fn was_proved_within(&self, at_most: Duration, now: UnixTime) -> bool {
        let proved = self.facts.auth_time.map(UnixTime::from_secs);
        // SECURITY: one that lies ahead, by a clock or in milliseconds, would be recent for ever.
        proved.is_some_and(|at| now.since(at) <= at_most && at <= now.saturating_add(AHEAD))
    }

    /// Whether somebody proved who they are under one of these authentication contexts (`acr`).
    #[must_use]
    pub fn was_proved_by(&self, acr: &[&str]) -> bool {
        self.facts.acr.as_deref().is_some_and(|known| acr.contains(&known))
    }
}

impl Engine {
    pub(super) async fn end(&self, end: End<'_>, why: Ended, by: &By<'_>) -> Result<u64, Error> {
        let (now, note) = (self.now(), by.to_note()?);
        let until = now.saturating_add(Policy::remember());
        self.call(self.store.end(end, why, now, until, &note)).await
    }

    async fn end_many(&self, end: End<'_>, why: Ended, by: &By<'_>) -> Result<u64, Error> {
        let ended = self.end(end, why, by).await?;
        self.refresh_copy(None).await;
        Ok(ended)
    }

    /// This node knows at once that a session ended.
    pub(crate) fn ended_here(&self, key: SessionKey, now: UnixTime) {
        let until = now.saturating_add(Policy::remember());
        self.apply(Revocation { scope: Scope::Session(key), at: now, until });
    }

    fn apply(&self, revocation: Revocation) {
        if let Some(copy) = &self.copy {
            copy.revocations.apply(&[revocation]);
        }
    }

    /// This node knows at once what it ended, by reading the feed to its end. When the store does not answer now, it knows with the
    /// next reading, or grows too old.
    pub(crate) async fn refresh_copy(&self, replaced: Option<&Digest>) {
        let Some(copy) = &self.copy else { return };
        if let Some(selector) = replaced {
            copy.sessions.forget(selector);
        }
        let _known_later = self.call(copy.revocations.refresh(&*self.store)).await;
    }
}
