//! What else the store keeps: revocations, the outbox, API keys, one-time tokens.

use std::time::Duration;

use async_trait::async_trait;
use bartizan_core::UnixTime;

use super::{
    MemoryStore,
    state::{Once, State, owner},
};
use crate::{
    ApiKeyStore, Asked, Digest, Entry, Epochs, Error, ErrorKind, Feed, Happening, KeyId, KeyReplacement,
    NewOnce, Note, OnceStore, Outbox, Position, RevocationStore, Scope, Store, StoredKey, Taken,
};

#[async_trait]
impl RevocationStore for MemoryStore {
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error> {
        let mut state = self.roomy()?;
        if !state.tokens.contains_key(jti) {
            state.revoke(Scope::Token(jti.into()), now, until);
            state.record(now, Happening::TokenRevoked, &owner(tenant, subject), None, jti, note);
        }
        Ok(())
    }

    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        let state = self.state();
        if asked.jti.is_some_and(|jti| state.tokens.contains_key(jti)) {
            return Ok(true);
        }
        if let Some(session) = asked.session {
            let row = state.sessions.get(&session.key);
            return Ok(!row.is_some_and(|row| row.session.id == session && state.lives(row)));
        }
        let of_subject = state.ends.get(&owner(asked.tenant, asked.subject));
        let of_subject = of_subject.is_some_and(|end| end.covers(asked.issued_at));
        Ok(of_subject || state.end_of_all.covers(asked.issued_at))
    }

    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        let state = self.state();
        let Some(from) = after.0.checked_add(1) else {
            return Ok(Feed { revocations: Vec::new(), next: Position(state.last_position), more: false });
        };
        let mut left = state.feed.range(from..);
        let taken: Vec<_> = left.by_ref().take(limit).collect();
        Ok(Feed {
            next: taken
                .last()
                .map_or(after.min(Position(state.last_position)), |(position, _)| Position(**position)),
            revocations: taken.into_iter().map(|(_, revocation)| revocation.clone()).collect(),
            more: left.next().is_some(),
        })
    }

    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        Ok(self.state().epochs_of(&owner(tenant, subject)))
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        Ok(self.state().outbox.values().take(limit).cloned().collect())
    }

    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        let mut state = self.state();
        numbers.iter().for_each(|number| drop(state.outbox.remove(number)));
        Ok(())
    }
}

impl State {
    fn key_of(&self, selector: &Digest) -> Option<&StoredKey> {
        self.key_selectors.get(selector.as_bytes()).and_then(|id| self.keys.get(id))
    }

    fn is_new_key(&self, key: &StoredKey) -> Result<(), Error> {
        let is_new = !self.keys.contains_key(&key.id) && self.key_of(&key.selector).is_none();
        is_new.then_some(()).ok_or_else(|| ErrorKind::Integrity.into())
    }

    /// A living key of this owner.
    fn living_key(
        &mut self,
        id: KeyId,
        tenant: &str,
        subject: &str,
        now: UnixTime,
    ) -> Option<&mut StoredKey> {
        let key = self.keys.get_mut(&id).filter(|key| *key.tenant == *tenant && *key.subject == *subject);
        key.filter(|key| lives(key, now))
    }
}

fn lives(key: &StoredKey, now: UnixTime) -> bool {
    key.ended.is_none() && now < key.expires
}

#[async_trait]
impl ApiKeyStore for MemoryStore {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        let mut state = self.roomy()?;
        state.is_new_key(key)?;
        let theirs =
            state.keys.values().filter(|other| other.tenant == key.tenant && other.subject == key.subject);
        let living = theirs.filter(|other| lives(other, key.made)).count();
        if living >= usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(ErrorKind::TooMany.into());
        }
        let who = owner(&key.tenant, &key.subject);
        state.record(key.made, Happening::KeyMade, &who, None, &key.name, note);
        state.put_key(key);
        Ok(())
    }

    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        Ok(self.state().key_of(selector).cloned())
    }

    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        let state = self.state();
        let theirs = state.keys.values().filter(|key| *key.tenant == *tenant && *key.subject == *subject);
        let mut keys: Vec<StoredKey> = theirs.cloned().collect();
        keys.sort_by_key(|key| (key.made, key.id));
        Ok(keys)
    }

    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let KeyReplacement { old, old_until, new } = replacement;
        let mut state = self.roomy()?;
        state.is_new_key(new)?;
        let Some(old) = state.living_key(*old, &new.tenant, &new.subject, now) else { return Ok(false) };
        old.expires = old.expires.min(*old_until);
        let who = owner(&new.tenant, &new.subject);
        state.record(now, Happening::KeyReplaced, &who, None, &new.name, note);
        state.put_key(new);
        Ok(true)
    }

    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let mut state = self.state();
        let Some(key) = state.living_key(id, tenant, subject, now) else { return Ok(false) };
        key.ended = Some(now);
        let name = key.name.clone();
        state.record(now, Happening::KeyEnded, &owner(tenant, subject), None, &name, note);
        Ok(true)
    }

    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        if let Some(key) = self.state().keys.get_mut(&id) {
            key.used = key.used.max(Some(at));
        }
        Ok(())
    }
}

#[async_trait]
impl OnceStore for MemoryStore {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        let mut state = self.roomy()?;
        let who = owner(new.tenant, new.subject);
        if let Some(earlier) = state.once_of.get(&(who.clone(), new.purpose.into())).copied() {
            state.remove_once(&earlier);
        }
        state.record(new.now, Happening::OnceMade, &who, None, new.purpose, new.note);
        let once = Once {
            epochs: state.epochs_of(&who),
            owner: who,
            purpose: new.purpose.into(),
            data: new.data.into(),
            expires: new.expires,
        };
        state.once_of.insert((once.owner.clone(), once.purpose.clone()), *new.digest.as_bytes());
        state.once.insert(*new.digest.as_bytes(), once);
        Ok(())
    }

    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error> {
        let mut state = self.state();
        let Some(once) = state.once.get(digest.as_bytes()) else { return Ok(None) };
        if *once.purpose != *purpose || now >= once.expires || once.epochs != state.epochs_of(&once.owner) {
            return Ok(None);
        }
        let Some(once) = state.remove_once(digest.as_bytes()) else { return Ok(None) };
        state.record(now, Happening::OnceUsed, &once.owner, None, purpose, note);
        let (tenant, subject) = once.owner;
        Ok(Some(Taken { tenant, subject, data: once.data }))
    }

    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        let name = (owner(tenant, subject), counter.into());
        if let Some(at) = self.state().counters.get_mut(&name) {
            let is_up = *at < to;
            *at = (*at).max(to);
            return Ok(is_up);
        }
        // Zero is where a counter stands before its first step.
        let mut state = self.roomy()?;
        let at = state.counters.entry(name).or_default();
        let is_up = *at < to;
        *at = (*at).max(to);
        Ok(is_up)
    }
}

/// The most rows that one call deletes of each kind.
const MOST_PURGED: usize = 4_000;

#[async_trait]
impl Store for MemoryStore {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error> {
        let mut state = self.state();
        let is_old = |at: UnixTime| at.saturating_add(keep) < now;
        for row in state.sessions.values_mut().filter(|row| row.nonce.is_some() && row.grace_until < now) {
            (row.previous, row.nonce) = (None, None);
        }
        let sessions = state.sessions.values().filter(|row| {
            let expires = row.session.idle_expires.min(row.session.expires);
            is_old(expires) || row.ended.is_some_and(|(at, _)| is_old(at))
        });
        let sessions: Vec<_> = sessions.map(|row| row.session.id.key).take(MOST_PURGED).collect();
        sessions.iter().for_each(|key| state.remove(*key));

        let keys = state.keys.values().filter(|key| is_old(key.expires) || key.ended.is_some_and(is_old));
        let keys: Vec<_> = keys.map(|key| key.id).take(MOST_PURGED).collect();
        keys.iter().for_each(|id| state.remove_key(*id));

        let once = state.once.iter().filter(|(_, once)| is_old(once.expires));
        let once: Vec<_> = once.map(|(digest, _)| *digest).take(MOST_PURGED).collect();
        once.iter().for_each(|digest| drop(state.remove_once(digest)));

        let past = state.feed.iter().filter(|(_, revocation)| revocation.until < now);
        let past: Vec<_> = past.map(|(position, _)| *position).take(MOST_PURGED).collect();
        for position in &past {
            if let Some(revocation) = state.feed.remove(position)
                && let Scope::Token(jti) = &revocation.scope
            {
                state.tokens.remove(jti);
            }
        }
        Ok((sessions.len() + keys.len() + once.len() + past.len()) as u64)
    }

    async fn health(&self) -> Result<(), Error> {
        Ok(())
    }
}
