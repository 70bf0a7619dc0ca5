//! Tokens that are good once.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Attestation, Principal, PrincipalFacts, RawToken};

use crate::{
    By, Error, ErrorKind, NewOnce, OnceToken, Refusal, Sessions, Taken, secret_text, sessions::Engine,
};

/// One-time tokens and one-way counters of a service. Cheap to clone.
///
/// A token is 256 random bits, stored as their hash; it is for one purpose and one subject, it ends, of all who use it at once one
/// succeeds, a newer one of the same purpose replaces it, and it dies when all sessions of its subject are ended: a link to reset a
/// password that was asked for before is worth nothing after.
#[derive(Clone)]
pub struct OneTime(Arc<Engine>);

/// What a one-time token is for, and how long it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose<'a> {
    name: &'a str,
    lives: Duration,
}

impl<'a> Purpose<'a> {
    /// To set a new password without the old one: one hour.
    pub const PASSWORD_RESET: Purpose<'static> =
        Purpose { name: "password_reset", lives: Duration::from_secs(3_600) };

    /// To show that mail to an address arrives: 24 hours.
    pub const EMAIL_VERIFICATION: Purpose<'static> =
        Purpose { name: "verify_email", lives: Duration::from_secs(24 * 3_600) };

    /// Another one: a name of `a` to `z`, digits and `_`, at most 64 bytes; for at most 24 hours.
    ///
    /// # Errors
    /// [`ErrorKind::Limits`].
    pub fn new(name: &'a str, lives: Duration) -> Result<Self, Error> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_good = (1..=64).contains(&name.len())
            && name.bytes().all(is_word)
            && (Duration::from_secs(1)..=Self::EMAIL_VERIFICATION.lives).contains(&lives);
        if is_good { Ok(Self { name, lives }) } else { Err(ErrorKind::Limits.into()) }
    }

    /// The same, living for less long. Longer than before has no effect.
    #[must_use]
    pub fn for_at_most(mut self, lives: Duration) -> Self {
        self.lives = self.lives.min(lives);
        self
    }
}

/// The most bytes that a token carries.
const MAX_DATA: usize = 1024;

impl OneTime {
    pub(crate) fn new(sessions: &Sessions) -> Self {
        Self(sessions.0.clone())
    }

    /// Makes a token. It carries `data`, such as the address that is to be verified: at most 1 KiB, kept in the store in clear, and
    /// handed back to whoever uses the token.
    ///
    /// # Errors
    /// [`ErrorKind::Limits`], [`ErrorKind::Entropy`], and those of the store.
    pub async fn make(
        &self,
        purpose: Purpose<'_>,
        tenant: &str,
        subject: &str,
        data: &str,
        by: &By<'_>,
    ) -> Result<OnceToken, Error> {
        let engine = &self.0;
        let is_named =
            Principal::attested(Attestation::Session, PrincipalFacts::new(tenant, subject)).is_ok();
        if !is_named || data.len() > MAX_DATA {
            return Err(ErrorKind::Limits.into());
        }
        let secret = engine.draw::<32>()?;
        let (now, note) = (engine.now(), by.to_note()?);
        let new = NewOnce {
            digest: secret_text::once(&*engine.provider, &secret),
            purpose: purpose.name,
            tenant,
            subject,
            data,
            expires: now.saturating_add(purpose.lives),
            now,
            note: &note,
        };
        engine.call(engine.store.put_once(&new)).await?;
        Ok(OnceToken::new(secret_text::write_once(&secret)))
    }

    /// Uses a token up.
    ///
    /// After a password reset call [`Sessions::credential_changed`]: it ends the sessions of whoever had the old password.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a token that is not believed, or not for this purpose; those of the store.
    pub async fn take(&self, token: RawToken<'_>, purpose: Purpose<'_>, by: &By<'_>) -> Result<Taken, Error> {
        let engine = &self.0;
        let (secret, is_well_formed) = secret_text::parse_once(token);
        let digest = secret_text::once(&*engine.provider, &secret);
        let (now, note) = (engine.now(), by.to_note()?);
        let taken = engine.call(engine.store.take_once(&digest, purpose.name, now, &note)).await?;
        let refusal = if is_well_formed { Refusal::Unknown } else { Refusal::Malformed };
        taken.filter(|_| is_well_formed).ok_or_else(|| refusal.into())
    }

    /// Moves a counter of a subject up, for codes that are good once: false when it stands at `to` or higher, and of all that try the
    /// same number at once one succeeds. `counter` is a name as in [`Purpose::new`]; `to` is under 2^53.
    ///
    /// # Errors
    /// [`ErrorKind::Limits`], and those of the store.
    pub async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        Purpose::new(counter, Duration::from_secs(1))?;
        if to >= 1 << 53 {
            return Err(ErrorKind::Limits.into());
        }
        self.0.call(self.0.store.advance(tenant, subject, counter, to)).await
    }
}

impl fmt::Debug for OneTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTime").finish_non_exhaustive()
    }
}
