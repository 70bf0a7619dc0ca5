//! A store in the memory of one process: for tests, for a first try, and for a service of one node whose users may log in again
//! after each restart.

mod more;
mod state;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bartizan_core::UnixTime;

use self::state::{State, owner};
use crate::{
    Begin, Begun, Cap, Digest, End, Ended, Error, ErrorKind, Happening, Judgement, Note, Rotate, Rotation,
    Scope, Session, SessionKey, SessionStore, StoredSession, WhenFull, judge,
};

/// Keeps everything in memory, under one lock. Nothing survives the process, and no other process sees it.
///
/// It is bounded. When it is full, what adds a row is [`ErrorKind::Busy`](crate::ErrorKind::Busy) until
/// [`Store::purge`](crate::Store::purge) and the outbox make room; what ends sessions is done all the same.
pub struct MemoryStore {
    state: Mutex<State>,
    rows: usize,
}

impl MemoryStore {
    /// An empty store of at most 100,000 rows.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_rows(100_000)
    }

    /// An empty store of at most this many rows: sessions, keys, one-time tokens, revocations and entries of the outbox together.
    #[must_use]
    pub const fn with_rows(rows: usize) -> Self {
        Self { state: Mutex::new(State::new()), rows }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, if there is room for one more row.
    fn roomy(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.state();
        if state.rows() < self.rows { Ok(state) } else { Err(ErrorKind::Busy.into()) }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows how full it is.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("rows", &self.state().rows())
            .field("most", &self.rows)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn begin(&self, begin: &Begin) -> Result<Begun, Error> {
        self.roomy()?.begin(begin)
    }

    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, Error> {
        let mut state = self.state();
        let is_full = state.rows() >= self.rows;
        state.rotate(ask, is_full)
    }

    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, Error> {
        let state = self.state();
        Ok(state.by_selector(selector).filter(|row| state.lives(row)).cloned())
    }

    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), Error> {
        if let Some(row) = self.state().sessions.get_mut(&key)
            && row.session.generation == generation
        {
            (row.previous, row.nonce) = (None, None);
        }
        Ok(())
    }

    async fn seen(&self, key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> Result<(), Error> {
        let mut state = self.state();
        let Some(row) = state.sessions.get(&key) else { return Ok(()) };
        if !state.lives_at(row, now) {
            return Ok(());
        }
        if let Some(row) = state.sessions.get_mut(&key) {
            let session = &mut row.session;
            session.seen = session.seen.max(now);
            session.idle_expires = session.idle_expires.max(idle_expires).min(session.expires);
        }
        Ok(())
    }

    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, Error> {
        let state = self.state();
        let living = state.rows_of(&owner(tenant, subject)).filter(|row| state.lives_at(row, now));
        let mut sessions: Vec<Session> = living.map(|row| row.session.clone()).collect();
        sessions.sort_by_key(|session| std::cmp::Reverse((session.seen, session.id.key)));
        Ok(sessions)
    }

    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, Error> {
        let mut state = self.state();
        let ending = Ending { why, now, until, note };
        Ok(match end {
            End::One { tenant, subject, key } => {
                state.end_where(&owner(tenant, subject), |other| other == key, &ending)
            }
            End::Others { tenant, subject, keep } => {
                state.end_where(&owner(tenant, subject), |other| other != keep, &ending)
            }
            End::All { tenant, subject } => state.end_all(tenant, subject, &ending),
            End::Everything => state.end_everything(&ending),
        })
    }
}

/// How sessions end.
pub(crate) struct Ending<'a> {
    why: Ended,
    now: UnixTime,
    until: UnixTime,
    note: &'a Note,
}

impl State {
    fn begin(&mut self, begin: &Begin) -> Result<Begun, Error> {
        let session = &begin.row.session;
        self.is_new(session.id.key, &begin.row.selector)?;
        let who = owner(&session.tenant, &session.subject);
        let replaced = begin.replaces.as_ref().and_then(|selector| self.by_selector(selector));
        let replaced = replaced.filter(|row| self.lives(row)).map(|row| row.session.id.key);
        let crowded = match begin.cap {
            Some(cap) => match self.crowded(&who, cap, replaced, begin.now) {
                Some(crowded) => crowded,
                None => return Ok(Begun::TooMany),
            },
            None => Vec::new(),
        };
        let ends = replaced.map(|key| (key, Ended::Replaced));
        for (key, why) in ends.into_iter().chain(crowded.into_iter().map(|key| (key, Ended::Crowded))) {
            let ending = Ending { why, now: begin.now, until: begin.remember_until, note: &begin.note };
            self.end_row(key, &ending);
        }
        let mut row = begin.row.clone();
        row.session.id.epochs = self.epochs_of(&who);
        let id = row.session.id;
        self.record(begin.now, Happening::Begun, &who, Some(id), "", &begin.note);
        self.put(row);
        Ok(Begun::As(id))
    }

    /// Which sessions make room for one more; none when that is refused.
    fn crowded(
        &self,
        who: &state::Owner,
        cap: Cap,
        replaced: Option<SessionKey>,
        now: UnixTime,
    ) -> Option<Vec<SessionKey>> {
        let living = self.rows_of(who).filter(|row| self.lives_at(row, now));
        let mut living: Vec<_> = living
            .map(|row| (row.session.seen, row.session.id.key))
            .filter(|(_, key)| Some(*key) != replaced)
            .collect();
        let most = usize::try_from(cap.most).unwrap_or(usize::MAX);
        let too_many = (living.len() + 1).saturating_sub(most);
        match cap.when_full {
            WhenFull::Refuse if too_many > 0 => None,
            WhenFull::Refuse => Some(Vec::new()),
            WhenFull::EndOldest => {
                living.sort_unstable();
                Some(living.into_iter().take(too_many).map(|(_, key)| key).collect())
            }
        }
    }

    fn rotate(&mut self, ask: &Rotate, is_full: bool) -> Result<Rotation, Error> {
        let Some(row) = self.by_selector(&ask.selector) else { return Ok(Rotation::Unknown) };
        let who = owner(&row.session.tenant, &row.session.subject);
        match judge(row, self.epochs_of(&who), ask) {
            Judgement::Rotate(_) if is_full => Err(ErrorKind::Busy.into()),
            Judgement::Rotate(row) => {
                if row.selector != ask.selector && self.by_selector(&row.selector).is_some() {
                    return Err(ErrorKind::Integrity.into());
                }
                let session = row.session.clone();
                self.selectors.remove(ask.selector.as_bytes());
                self.record(ask.now, Happening::Renewed, &who, Some(session.id), "", &ask.note);
                self.put(*row);
                Ok(Rotation::Rotated(session))
            }
            Judgement::End(row) => {
                let session = row.session.clone();
                self.put(*row);
                self.revoke(Scope::Session(session.id.key), ask.now, ask.remember_until);
                let about = Ended::Reused.as_str();
                self.record(ask.now, Happening::Reused, &who, Some(session.id), about, &ask.note);
                Ok(Rotation::Reused(session))
            }
            Judgement::Answer(rotation) => Ok(rotation),
        }
    }

    /// Ends those of an owner's sessions that are asked for and not at an end.
    fn end_where(
        &mut self,
        who: &state::Owner,
        asked: impl Fn(SessionKey) -> bool,
        ending: &Ending<'_>,
    ) -> u64 {
        let rows = self.rows_of(who).filter(|row| self.lives(row)).map(|row| row.session.id.key);
        let keys: Vec<_> = rows.filter(|key| asked(*key)).collect();
        keys.iter().for_each(|key| self.end_row(*key, ending));
        keys.len() as u64
    }

    fn end_all(&mut self, tenant: &str, subject: &str, ending: &Ending<'_>) -> u64 {
        let who = owner(tenant, subject);
        let living = self.rows_of(&who).filter(|row| self.lives(row)).count() as u64;
        let epoch = self.ends.entry(who.clone()).or_default().step(ending.now);
        self.record(ending.now, Happening::AllEnded, &who, None, ending.why.as_str(), ending.note);
        let (tenant, subject) = who;
        self.revoke(Scope::Subject { tenant, subject, epoch }, ending.now, ending.until);
        living
    }

    fn end_everything(&mut self, ending: &Ending<'_>) -> u64 {
        let living = self.sessions.values().filter(|row| self.lives(row)).count() as u64;
        let epoch = self.end_of_all.step(ending.now);
        let nobody = owner("", "");
        self.record(ending.now, Happening::EverythingEnded, &nobody, None, ending.why.as_str(), ending.note);
        self.revoke(Scope::Everything { epoch }, ending.now, ending.until);
        living
    }

    fn end_row(&mut self, key: SessionKey, ending: &Ending<'_>) {
        let Some(row) = self.sessions.get_mut(&key) else { return };
        row.ended = Some((ending.now, ending.why));
        (row.previous, row.nonce) = (None, None);
        let (id, who) = (row.session.id, owner(&row.session.tenant, &row.session.subject));
        self.revoke(Scope::Session(key), ending.now, ending.until);
        let happening = if ending.why == Ended::LoggedOut { Happening::LoggedOut } else { Happening::Ended };
        self.record(ending.now, happening, &who, Some(id), ending.why.as_str(), ending.note);
    }
}
