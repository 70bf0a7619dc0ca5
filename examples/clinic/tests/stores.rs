//! A store of sessions behind something that breaks it in one way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bartizan::{
    core::UnixTime,
    sessions::{
        ApiKeyStore, Asked, Begin, Begun, Digest, End, Ended, Entry, Epochs, Error, ErrorKind, Feed, KeyId,
        KeyReplacement, NewOnce, Note, OnceStore, Outbox, Position, RevocationStore, Rotate, Rotation, Scope,
        Session, SessionKey, SessionStore, Store, StoredKey, StoredSession, Taken,
    },
};

/// What is wrong with it.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// A refresh token that was exchanged before is refused, and nothing more.
    ForgetsReuse,
    /// Nobody learns from the feed that everything of a subject of the south ended.
    TellsNothing,
    /// Counters do not count.
    CountsNothing,
    /// A token that is good once is good twice.
    KeepsTokens,
    /// Everything of somebody is ended as soon as it was asked how often that had been: their password is being changed.
    EndsMeanwhile,
    /// It does not answer while this is true.
    Out(Arc<AtomicBool>),
}

#[derive(Debug)]
pub(crate) struct Stored {
    fault: Fault,
    inner: Arc<dyn Store>,
    taken: std::sync::Mutex<Vec<(Digest, Taken)>>,
}

impl Stored {
    pub(crate) fn with(fault: Fault, inner: Arc<dyn Store>) -> Self {
        Self { fault, inner, taken: std::sync::Mutex::default() }
    }

    fn inner(&self) -> Result<&dyn Store, Error> {
        match &self.fault {
            Fault::Out(is_out) if is_out.load(Ordering::Relaxed) => Err(ErrorKind::Unavailable.into()),
            _ => Ok(&*self.inner),
        }
    }
}

#[async_trait]
impl SessionStore for Stored {
    async fn begin(&self, begin: &Begin) -> Result<Begun, Error> {
        self.inner()?.begin(begin).await
    }

    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, Error> {
        if let (Fault::ForgetsReuse, Some(row)) = (&self.fault, self.inner()?.find(&ask.selector).await?)
            && row.current != ask.presented
        {
            return Ok(Rotation::Unknown);
        }
        self.inner()?.rotate(ask).await
    }

    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, Error> {
        self.inner()?.find(selector).await
    }

    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), Error> {
        self.inner()?.confirm(key, generation).await
    }

    async fn seen(&self, key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> Result<(), Error> {
        self.inner()?.seen(key, now, idle_expires).await
    }

    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, Error> {
        self.inner()?.list(tenant, subject, now).await
    }

    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        remember_until: UnixTime,
        note: &Note,
    ) -> Result<u64, Error> {
        self.inner()?.end(end, why, now, remember_until, note).await
    }
}

#[async_trait]
impl RevocationStore for Stored {
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error> {
        self.inner()?.revoke_token(jti, tenant, subject, now, until, note).await
    }

    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        self.inner()?.is_revoked(asked).await
    }

    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        let mut feed = self.inner()?.revocations(after, limit).await?;
        if matches!(self.fault, Fault::TellsNothing) {
            feed.revocations
                .retain(|one| !matches!(&one.scope, Scope::Subject { tenant, .. } if **tenant == *"south"));
        }
        Ok(feed)
    }

    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        let asked = self.inner()?.epochs(tenant, subject).await?;
        if matches!(self.fault, Fault::EndsMeanwhile) {
            let now = UnixTime::from_secs(4_000_000_000);
            let all = End::All { tenant, subject };
            self.inner()?.end(all, Ended::CredentialChanged, now, now, &Note::default()).await?;
        }
        Ok(asked)
    }
}

#[async_trait]
impl ApiKeyStore for Stored {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        self.inner()?.add_key(key, most, note).await
    }

    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        self.inner()?.find_key(selector).await
    }

    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        self.inner()?.keys(tenant, subject).await
    }

    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        self.inner()?.replace_key(replacement, now, note).await
    }

    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        self.inner()?.end_key(tenant, subject, id, now, note).await
    }

    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        self.inner()?.key_used(id, at).await
    }
}

#[async_trait]
impl OnceStore for Stored {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        self.inner()?.put_once(new).await
    }

    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error> {
        let taken = self.inner()?.take_once(digest, purpose, now, note).await?;
        if !matches!(self.fault, Fault::KeepsTokens) {
            return Ok(taken);
        }
        let mut known = self.taken.lock().unwrap();
        known.extend(taken.map(|taken| (*digest, taken)));
        Ok(known.iter().find(|(of, _)| of == digest).map(|(_, taken)| taken.clone()))
    }

    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        let advanced = self.inner()?.advance(tenant, subject, counter, to).await?;
        Ok(advanced || matches!(self.fault, Fault::CountsNothing))
    }
}

#[async_trait]
impl Outbox for Stored {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        self.inner()?.pending(limit).await
    }

    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        self.inner()?.delivered(numbers).await
    }
}

#[async_trait]
impl Store for Stored {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error> {
        self.inner()?.purge(now, keep).await
    }

    async fn health(&self) -> Result<(), Error> {
        self.inner()?.health().await
    }
}
