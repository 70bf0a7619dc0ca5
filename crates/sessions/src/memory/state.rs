//! What the store holds, and the small steps of which its calls are made.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_core::UnixTime;

use crate::{
    Digest, Entry, Epochs, Error, ErrorKind, Happening, KeyId, Note, Revocation, Scope, SessionId,
    SessionKey, StoredKey, StoredSession,
};

/// Tenant and subject.
pub(crate) type Owner = (Box<str>, Box<str>);

pub(crate) fn owner(tenant: &str, subject: &str) -> Owner {
    (tenant.into(), subject.into())
}

/// Trees and no hash tables: nobody can make them slow, and no randomness is needed.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) sessions: BTreeMap<SessionKey, StoredSession>,
    pub(crate) selectors: BTreeMap<[u8; 32], SessionKey>,
    pub(crate) owners: BTreeMap<Owner, BTreeSet<SessionKey>>,
    /// How often, and when last, everything of a subject was ended. Never deleted: the counters must not begin again.
    pub(crate) ends: BTreeMap<Owner, LastEnd>,
    pub(crate) end_of_all: LastEnd,
    pub(crate) feed: BTreeMap<u64, Revocation>,
    pub(crate) last_position: u64,
    pub(crate) tokens: BTreeMap<Box<str>, u64>,
    pub(crate) outbox: BTreeMap<u64, Entry>,
    pub(crate) last_entry: u64,
    pub(crate) keys: BTreeMap<KeyId, StoredKey>,
    pub(crate) key_selectors: BTreeMap<[u8; 32], KeyId>,
    pub(crate) once: BTreeMap<[u8; 32], Once>,
    pub(crate) once_of: BTreeMap<(Owner, Box<str>), [u8; 32]>,
    pub(crate) counters: BTreeMap<(Owner, Box<str>), u64>,
}

/// The last of the endings of everything of somebody.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastEnd {
    pub(crate) epoch: u32,
    pub(crate) at: Option<UnixTime>,
}

impl LastEnd {
    /// One more. A clock that is behind does not bring back what was ended.
    pub(crate) fn step(&mut self, now: UnixTime) -> u32 {
        self.epoch = self.epoch.saturating_add(1);
        self.at = self.at.max(Some(now));
        self.epoch
    }

    /// Whether it ended what was issued in this second.
    pub(crate) fn covers(&self, issued_at: UnixTime) -> bool {
        self.at.is_some_and(|at| issued_at.as_secs() <= at.as_secs())
    }
}

/// A one-time token.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    pub(crate) owner: Owner,
    pub(crate) purpose: Box<str>,
    pub(crate) data: Box<str>,
    pub(crate) expires: UnixTime,
    pub(crate) epochs: Epochs,
}

impl State {
    pub(crate) const fn new() -> Self {
        Self {
            sessions: BTreeMap::new(),
            selectors: BTreeMap::new(),
            owners: BTreeMap::new(),
            ends: BTreeMap::new(),
            end_of_all: LastEnd { epoch: 0, at: None },
            feed: BTreeMap::new(),
            last_position: 0,
            tokens: BTreeMap::new(),
            outbox: BTreeMap::new(),
            last_entry: 0,
            keys: BTreeMap::new(),
            key_selectors: BTreeMap::new(),
            once: BTreeMap::new(),
            once_of: BTreeMap::new(),
            counters: BTreeMap::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        let stored = self.sessions.len() + self.keys.len() + self.once.len() + self.counters.len();
        stored + self.ends.len() + self.feed.len() + self.outbox.len()
    }

    pub(crate) fn epochs_of(&self, who: &Owner) -> Epochs {
        let subject = self.ends.get(who).map_or(0, |end| end.epoch);
        Epochs { subject, global: self.end_of_all.epoch }
    }

    /// Neither ended nor of an earlier epoch. It may have expired.
    pub(crate) fn lives(&self, row: &StoredSession) -> bool {
        let who = owner(&row.session.tenant, &row.session.subject);
        row.ended.is_none() && row.session.id.epochs == self.epochs_of(&who)
    }

    pub(crate) fn lives_at(&self, row: &StoredSession, now: UnixTime) -> bool {
        self.lives(row) && now < row.session.idle_expires && now < row.session.expires
    }

    pub(crate) fn by_selector(&self, selector: &Digest) -> Option<&StoredSession> {
        self.selectors.get(selector.as_bytes()).and_then(|key| self.sessions.get(key))
    }

    pub(crate) fn rows_of(&self, who: &Owner) -> impl Iterator<Item = &StoredSession> + use<'_> {
        self.owners.get(who).into_iter().flatten().filter_map(|key| self.sessions.get(key))
    }

    /// Names are drawn at random: one that is there already is a fault and no coincidence.
    pub(crate) fn is_new(&self, key: SessionKey, selector: &Digest) -> Result<(), Error> {
        let is_new = !self.sessions.contains_key(&key) && self.by_selector(selector).is_none();
        is_new.then_some(()).ok_or_else(|| ErrorKind::Integrity.into())
    }

    pub(crate) fn put(&mut self, row: StoredSession) {
        let (key, session) = (row.session.id.key, &row.session);
        self.selectors.insert(*row.selector.as_bytes(), key);
        self.owners.entry(owner(&session.tenant, &session.subject)).or_default().insert(key);
        self.sessions.insert(key, row);
    }

    pub(crate) fn remove(&mut self, key: SessionKey) {
        let Some(row) = self.sessions.remove(&key) else { return };
        self.selectors.remove(row.selector.as_bytes());
        let who = owner(&row.session.tenant, &row.session.subject);
        if let Some(keys) = self.owners.get_mut(&who) {
            keys.remove(&key);
            if keys.is_empty() {
                self.owners.remove(&who);
            }
        }
    }

    pub(crate) fn put_key(&mut self, key: &StoredKey) {
        self.key_selectors.insert(*key.selector.as_bytes(), key.id);
        self.keys.insert(key.id, key.clone());
    }

    pub(crate) fn remove_key(&mut self, id: KeyId) {
        if let Some(key) = self.keys.remove(&id) {
            self.key_selectors.remove(key.selector.as_bytes());
        }
    }

    pub(crate) fn remove_once(&mut self, digest: &[u8; 32]) -> Option<Once> {
        let once = self.once.remove(digest)?;
        self.once_of.remove(&(once.owner.clone(), once.purpose.clone()));
        Some(once)
    }

    pub(crate) fn revoke(&mut self, scope: Scope, at: UnixTime, until: UnixTime) {
        self.last_position += 1;
        if let Scope::Token(jti) = &scope {
            self.tokens.insert(jti.clone(), self.last_position);
        }
        self.feed.insert(self.last_position, Revocation { scope, at, until });
    }

    pub(crate) fn record(
        &mut self,
        at: UnixTime,
        happening: Happening,
        (tenant, subject): &Owner,
        session: Option<SessionId>,
        about: &str,
        note: &Note,
    ) {
        self.last_entry += 1;
        let entry = Entry {
            number: self.last_entry,
            at,
            happening,
            tenant: tenant.clone(),
            subject: subject.clone(),
            session,
            about: about.into(),
            note: note.clone(),
        };
        self.outbox.insert(self.last_entry, entry);
    }
}
