//! Keys of programs.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Attestation, Principal, PrincipalFacts, RawToken, UnixTime};

use crate::{
    ApiKey, By, Error, ErrorKind, KeyId, KeyReplacement, Refusal, Sessions, StoredKey,
    secret_text::{self, Form, Parts},
    sessions::Engine,
};

/// The API keys of a service. Cheap to clone.
///
/// A key is found by the hash of its selector and believed by the hash of its secret; neither is stored. It has an end, and scopes.
/// **Scopes are names of roles**: the principal of a key has its scopes as roles, so that the policy says what each may do, and
/// where the engine counts assigned roles only, a key never may more than its owner.
///
/// A key outlives the sessions of its owner, and [`Sessions::end_all`]; it ends by its own end, by [`ApiKeys::end`], or when it was
/// replaced.
#[derive(Clone)]
pub struct ApiKeys {
    engine: Arc<Engine>,
    prefix: Box<str>,
}

/// A key that is to be made.
#[derive(Clone, Debug)]
#[must_use]
pub struct NewKey<'a> {
    tenant: &'a str,
    subject: &'a str,
    name: &'a str,
    scopes: Vec<Box<str>>,
    lives: Duration,
}

impl<'a> NewKey<'a> {
    /// Of this owner, a user or a service, under a name for people. It lives for 90 days and may nothing.
    pub const fn new(tenant: &'a str, subject: &'a str, name: &'a str) -> Self {
        Self { tenant, subject, name, scopes: Vec::new(), lives: Duration::from_secs(90 * 24 * 3_600) }
    }

    /// For these scopes, at most 64.
    pub fn scopes<S: Into<Box<str>>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Living for this long: at least a minute, at most 400 days.
    pub const fn lives(mut self, lives: Duration) -> Self {
        self.lives = lives;
        self
    }
}

/// The longest life of a key, and the longest time for which a replaced one goes on.
const MAX_LIFE: Duration = Duration::from_secs(400 * 24 * 3_600);
const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 3_600);

/// How many living keys an owner may have.
const MOST: u32 = 100;

/// How often a use is noted.
const USED_EVERY: Duration = Duration::from_secs(60);

/// A key that was believed.
#[derive(Clone, Debug)]
pub struct KeyUse {
    key: StoredKey,
    principal: Principal,
}

impl KeyUse {
    /// Its name.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.key.id
    }

    /// Who acts: tenant, subject, the scopes as roles, the key as credential, issuer, end.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The same, alone.
    #[must_use]
    pub fn into_principal(self) -> Principal {
        self.principal
    }

    /// Whether it is for this scope, byte by byte: there are no patterns.
    #[must_use]
    pub fn allows(&self, scope: &str) -> bool {
        self.key.scopes.iter().any(|known| **known == *scope)
    }
}

impl ApiKeys {
    /// Keys that begin with this prefix and `_`, such as `clinic_live`: scanners of leaked secrets find them by it.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a prefix of other characters than `a` to `z`, digits and `_`, that does not begin with a letter, of
    /// under three or over 32 bytes, or that of another kind of credential.
    pub fn new(sessions: &Sessions, prefix: &str) -> Result<Self, Error> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let is_good = (3..=32).contains(&prefix.len())
            && prefix.starts_with(|first: char| first.is_ascii_lowercase())
            && prefix.bytes().all(is_word);
        let prefix = format!("{prefix}_");
        if !is_good || secret_text::is_taken(&prefix) {
            return Err(ErrorKind::Config.into());
        }
        Ok(Self { engine: sessions.0.clone(), prefix: prefix.into() })
    }

    /// Makes a key. Its text is shown this once.
    ///
    /// # Errors
    /// [`ErrorKind::TooMany`] beyond 100 living keys of one owner, [`ErrorKind::Limits`] for a name, scope or life that may not be,
    /// [`ErrorKind::Entropy`], and those of the store.
    pub async fn make(&self, new: &NewKey<'_>, by: &By<'_>) -> Result<(StoredKey, ApiKey), Error> {
        let (key, text) = self.draw(new)?;
        let note = by.to_note()?;
        self.engine.call(self.engine.store.add_key(&key, MOST, &note)).await?;
        Ok((key, text))
    }

    /// Whose key this is. The store is asked every time; once a minute it is told that the key is used.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a key that is not believed, whatever the reason; those of the store.
    ///
    /// # Security
    /// Malformed, unknown, ended and expired look alike: the same answer after the same computations and one call to the store.
    pub async fn check(&self, key: RawToken<'_>) -> Result<KeyUse, Error> {
        let engine = &self.engine;
        let parts = self.form().parse(key);
        let selector = self.form().selector(&*engine.provider, &parts);
        let secret = self.form().secret(&*engine.provider, parts.secret());
        let key = engine.call(engine.store.find_key(&selector)).await?;
        let now = engine.now();
        let key = match key {
            _ if !parts.is_well_formed => return Err(Refusal::Malformed.into()),
            None => return Err(Refusal::Unknown.into()),
            Some(key) if key.secret != secret => return Err(Refusal::Wrong.into()),
            Some(key) if key.ended.is_some() => return Err(Refusal::Ended.into()),
            Some(key) if now >= key.expires => return Err(Refusal::Expired.into()),
            Some(key) => key,
        };
        if key.used.is_none_or(|used| now.since(used) >= USED_EVERY) {
            // A use that cannot be noted now is noted with the next one.
            let _noted = engine.call(engine.store.key_used(key.id, now)).await;
        }
        let id = key.id.to_string();
        let mut facts = PrincipalFacts::new(&key.tenant, &key.subject)
            .with_roles(&key.scopes)
            .with_issuer(&*engine.issuer)
            .with_credential(&*id);
        facts.expires = Some(key.expires);
        let principal =
            Principal::attested(Attestation::ApiKey, facts).map_err(|_| Error::new(ErrorKind::Integrity))?;
        Ok(KeyUse { key, principal })
    }

    /// Whether a text has the form of a key of this service; nothing is said of its worth.
    #[must_use]
    pub fn is_well_formed(&self, text: RawToken<'_>) -> bool {
        self.form().parse(text).is_well_formed
    }

    /// An owner's keys, oldest first, the dead ones too until they are purged.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        self.engine.call(self.engine.store.keys(tenant, subject)).await
    }

    /// Puts a new key in the place of an old one of the same owner, which goes on for `overlap`, at most 30 days, so that a program
    /// can be given the new one meanwhile. None when the old one does not live or is another owner's. An owner of 100 living keys may
    /// have one more in this way, and with no overlap any key may be replaced.
    ///
    /// # Errors
    /// As [`ApiKeys::make`].
    pub async fn replace(
        &self,
        old: KeyId,
        overlap: Duration,
        new: &NewKey<'_>,
        by: &By<'_>,
    ) -> Result<Option<(StoredKey, ApiKey)>, Error> {
        if overlap > MAX_OVERLAP {
            return Err(ErrorKind::Limits.into());
        }
        let (key, text) = self.draw(new)?;
        let (now, note) = (self.engine.now(), by.to_note()?);
        if !overlap.is_zero() {
            // SECURITY: a key that lives on can be replaced again.
            let living =
                self.list(new.tenant, new.subject).await?.iter().filter(|key| key.lives_at(now)).count();
            if living > usize::try_from(MOST).unwrap_or(usize::MAX) {
                return Err(ErrorKind::TooMany.into());
            }
        }
        let replacement = KeyReplacement { old, old_until: now.saturating_add(overlap), new: key };
        let is_done = self.engine.call(self.engine.store.replace_key(&replacement, now, &note)).await?;
        Ok(is_done.then_some((replacement.new, text)))
    }

    /// Ends a key of this owner at once. False when there is none that lives.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end(&self, tenant: &str, subject: &str, id: KeyId, by: &By<'_>) -> Result<bool, Error> {
        let (now, note) = (self.engine.now(), by.to_note()?);
        self.engine.call(self.engine.store.end_key(tenant, subject, id, now, &note)).await
    }

    fn draw(&self, new: &NewKey<'_>) -> Result<(StoredKey, ApiKey), Error> {
        let facts =
            PrincipalFacts::new(new.tenant, new.subject).with_roles(&new.scopes).with_request(new.name);
        let is_named = Principal::attested(Attestation::ApiKey, facts).is_ok();
        if !is_named || !(Duration::from_secs(60)..=MAX_LIFE).contains(&new.lives) {
            return Err(ErrorKind::Limits.into());
        }
        let engine = &self.engine;
        let (id, selector, secret) = (engine.draw::<16>()?, engine.draw::<16>()?, engine.draw::<32>()?);
        let parts = Parts::new(&selector, &secret);
        let made = engine.now();
        let key = StoredKey {
            id: KeyId::from_bytes(*id),
            selector: self.form().selector(&*engine.provider, &parts),
            secret: self.form().secret(&*engine.provider, parts.secret()),
            tenant: new.tenant.into(),
            subject: new.subject.into(),
            name: new.name.into(),
            scopes: new.scopes.clone(),
            made,
            expires: made.saturating_add(new.lives),
            used: None,
            ended: None,
        };
        Ok((key, ApiKey::new(self.form().write(&parts))))
    }

    fn form(&self) -> Form<'_> {
        secret_text::api_key(&self.prefix)
    }
}

impl StoredKey {
    /// Whether it lives at this time.
    #[must_use]
    pub fn lives_at(&self, now: UnixTime) -> bool {
        self.ended.is_none() && now < self.expires
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
