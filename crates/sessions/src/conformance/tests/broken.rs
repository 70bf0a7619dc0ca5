//! Stores that are broken in one way each, and the case that finds it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bartizan_core::UnixTime;

use super::super::{Nodes, Outcome};
use crate::{
    ApiKeyStore, Asked, Begin, Begun, Digest, End, Ended, Entry, Epochs, Error, Feed, Judgement, KeyId,
    KeyReplacement, MemoryStore, NewOnce, Note, OnceStore, Outbox, Position, RevocationStore, Rotate,
    Rotation, Scope, Session, SessionKey, SessionStore, Store, StoredKey, StoredSession, Taken, judge,
};

type Case = (&'static str, fn(&Nodes) -> Outcome);

const CASES: &[Case] = crate::__store_cases!(__conformance_table, ());

/// One way to break a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    NodesApart,
    FoldsCase,
    ForgetsBinding,
    OverwritesKeys,
    BelievesGivenEpochs,
    RefusesAfterWriting,
    CountsTheDead,
    CountsThenBegins,
    UsesBackwards,
    UsesRevive,
    ListsTheExpired,
    EndsForAnybody,
    EndsInSilence,
    FindsEarlierEpochs,
    PurgesLiving,
    RotatesBlindly,
    MovesTheEnd,
    ForgivesReuse,
    HidesReuse,
    WindowStaysOpen,
    ReplaysAnew,
    ConfirmsAnything,
    BindingIsOptional,
    RotatesTheExpired,
    ShortensByClock,
    RotatesInSilence,
    KeepsSelector,
    ForgetsTokens,
    TellsTokensTwice,
    BelievesUnknownSessions,
    SparesTheSecond,
    LosesPieces,
    HidesItsEnd,
    PassesOpenPositions,
    PurgesFeedEarly,
    ForgetsEpochs,
    ReusesNumbers,
    DeliversOthers,
    TakesAgain,
    TakesForAnything,
    LooksThenTakes,
    OutlivesEpochs,
    CountsInPlace,
    LooksThenCounts,
    LengthensOldKeys,
    EndsAnybodysKeys,
    NotesUsesBackwards,
}

const FLAWS: &[(Flaw, &str)] = &[
    (Flaw::NodesApart, "what_begins_is_found_as_it_was"),
    (Flaw::FoldsCase, "names_are_compared_byte_by_byte"),
    (Flaw::ForgetsBinding, "what_begins_is_found_as_it_was"),
    (Flaw::OverwritesKeys, "a_key_and_a_selector_are_given_once"),
    (Flaw::BelievesGivenEpochs, "a_session_is_of_the_epochs_in_which_it_begins"),
    (Flaw::RefusesAfterWriting, "one_session_too_many_is_refused_and_nothing_is_written"),
    (Flaw::CountsTheDead, "sessions_that_do_not_live_take_no_room"),
    (Flaw::CountsThenBegins, "racing_beginnings_do_not_pass_the_cap"),
    (Flaw::UsesBackwards, "a_use_moves_times_forward_only"),
    (Flaw::UsesRevive, "a_use_revives_nothing"),
    (Flaw::ListsTheExpired, "living_sessions_are_listed_last_used_first"),
    (Flaw::EndsForAnybody, "a_session_is_ended_by_its_owner_alone"),
    (Flaw::EndsInSilence, "one_session_ends_and_stays_ended"),
    (Flaw::FindsEarlierEpochs, "all_sessions_of_a_subject_end_by_its_epoch"),
    (Flaw::FindsEarlierEpochs, "random_histories_are_as_the_model_says"),
    (Flaw::PurgesLiving, "purging_deletes_what_no_longer_matters_and_nothing_else"),
    (Flaw::RotatesBlindly, "of_racing_rotations_one_wins"),
    (Flaw::RotatesBlindly, "of_racing_rotations_in_a_window_all_get_one_child"),
    (Flaw::RotatesBlindly, "random_histories_of_racing_clients_leave_one_living_leaf"),
    (Flaw::MovesTheEnd, "a_rotation_keeps_the_end_of_a_session"),
    (Flaw::ForgivesReuse, "a_wrong_secret_ends_the_session"),
    (Flaw::ForgivesReuse, "random_histories_are_as_the_model_says"),
    (Flaw::HidesReuse, "an_old_secret_ends_the_session"),
    (Flaw::WindowStaysOpen, "the_window_is_closed_at_its_end"),
    (Flaw::WindowStaysOpen, "random_histories_are_as_the_model_says"),
    (Flaw::ReplaysAnew, "inside_the_window_the_previous_secret_is_replayed"),
    (Flaw::ConfirmsAnything, "a_confirmation_is_for_its_generation"),
    (Flaw::BindingIsOptional, "a_bound_credential_needs_what_it_is_bound_to"),
    (Flaw::RotatesTheExpired, "an_expired_session_is_not_rotated"),
    (Flaw::ShortensByClock, "clocks_that_are_apart_shorten_and_lengthen_nothing"),
    (Flaw::RotatesInSilence, "the_current_secret_is_exchanged"),
    (Flaw::RotatesInSilence, "random_histories_are_as_the_model_says"),
    (Flaw::KeepsSelector, "a_rotation_may_change_selector_and_facts"),
    (Flaw::ForgetsTokens, "a_revoked_token_is_revoked"),
    (Flaw::TellsTokensTwice, "a_token_is_revoked_once"),
    (Flaw::BelievesUnknownSessions, "an_unknown_session_is_revoked"),
    (Flaw::SparesTheSecond, "without_a_session_the_second_of_the_ending_counts"),
    (Flaw::EndsInSilence, "all_kinds_of_writes_at_once_end_each_session_once"),
    (Flaw::LosesPieces, "the_feed_is_read_in_pieces"),
    (Flaw::HidesItsEnd, "beyond_its_end_the_feed_sends_readers_back"),
    (Flaw::PassesOpenPositions, "a_reader_of_the_feed_misses_nothing_that_writers_commit"),
    (Flaw::PurgesFeedEarly, "a_revocation_stays_until_its_end"),
    (Flaw::ForgetsEpochs, "epochs_count_and_are_never_forgotten"),
    (Flaw::ReusesNumbers, "numbers_go_up_and_are_never_given_twice"),
    (Flaw::DeliversOthers, "entries_are_handed_out_until_they_are_delivered"),
    (Flaw::TakesAgain, "a_one_time_token_is_taken_once"),
    (Flaw::TakesForAnything, "a_one_time_token_is_for_one_purpose_and_until_its_end"),
    (Flaw::LooksThenTakes, "of_racing_takers_of_a_one_time_token_one_wins"),
    (Flaw::OutlivesEpochs, "a_one_time_token_dies_with_its_epoch"),
    (Flaw::CountsInPlace, "a_counter_goes_up_only"),
    (Flaw::LooksThenCounts, "of_racing_steps_of_a_counter_one_wins"),
    (Flaw::LengthensOldKeys, "a_replaced_key_lives_on_for_a_while"),
    (Flaw::EndsAnybodysKeys, "a_key_is_replaced_and_ended_by_its_owner_alone"),
    (Flaw::NotesUsesBackwards, "the_last_use_of_a_key_never_goes_back"),
];

#[test]
fn each_broken_store_fails_the_case_that_names_its_fault() {
    for (flaw, case) in FLAWS {
        let (_, run) = CASES.iter().find(|(name, _)| name == case).expect("a case of this name");
        // What is lost in a race alone is not lost every time.
        let is_found = (0..100).any(|_| run(&broken(*flaw)).is_err());
        assert!(is_found, "{flaw:?} passes {case}");
    }
}

#[test]
fn a_wrapper_without_a_fault_passes_every_case() {
    for (name, run) in CASES {
        assert!(run(&broken(Flaw::None)).is_ok(), "{name}");
    }
}

fn broken(flaw: Flaw) -> Nodes {
    let sound = Arc::new(MemoryStore::new());
    let one = Arc::new(Broken { flaw, sound: sound.clone() });
    let other = if flaw == Flaw::NodesApart { Arc::new(MemoryStore::new()) } else { sound };
    Nodes::new(one, Arc::new(Broken { flaw, sound: other }), ()).trying(50)
}

#[derive(Debug)]
struct Broken {
    flaw: Flaw,
    sound: Arc<MemoryStore>,
}

impl Broken {
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Lets others run between looking and writing.
    fn pause() {
        (0..20).for_each(|_| std::thread::yield_now());
    }

    fn row(&self, selector: &Digest) -> Option<StoredSession> {
        self.sound.state().by_selector(selector).cloned()
    }

    fn put(&self, row: &StoredSession) {
        self.sound.state().put(row.clone());
    }
}

#[async_trait]
impl SessionStore for Broken {
    async fn begin(&self, begin: &Begin) -> Result<Begun, Error> {
        let mut begin = begin.clone();
        match self.flaw {
            Flaw::ForgetsBinding => begin.row.binding = None,
            Flaw::FoldsCase => begin.row.session.subject = begin.row.session.subject.to_lowercase().into(),
            Flaw::OverwritesKeys => self.sound.state().remove(begin.row.session.id.key),
            Flaw::CountsTheDead => {
                let state = self.sound.state();
                let who = (begin.row.session.tenant.clone(), begin.row.session.subject.clone());
                let rows = state.rows_of(&who).count();
                if begin.cap.is_some_and(|cap| rows >= cap.most as usize) {
                    return Ok(Begun::TooMany);
                }
            }
            Flaw::CountsThenBegins => {
                let session = &begin.row.session;
                let living = self.sound.list(&session.tenant, &session.subject, begin.now).await?.len();
                if begin.cap.is_some_and(|cap| living < cap.most as usize) {
                    Self::pause();
                    begin.cap = None;
                }
            }
            _ => {}
        }
        let given = begin.row.session.id;
        let begun = self.sound.begin(&begin).await?;
        if self.is(Flaw::BelievesGivenEpochs) {
            if let Some(row) = self.sound.state().sessions.get_mut(&given.key) {
                row.session.id = given;
            }
            return Ok(Begun::As(given));
        }
        if self.is(Flaw::RefusesAfterWriting) && begun == Begun::TooMany {
            self.put(&begin.row);
        }
        Ok(begun)
    }

    async fn rotate(&self, ask: &Rotate) -> Result<Rotation, Error> {
        let mut ask = ask.clone();
        let before = self.row(&ask.selector);
        match (self.flaw, before.clone()) {
            (Flaw::RotatesBlindly, Some(row)) => {
                let session = &row.session;
                let epochs = self.sound.epochs(&session.tenant, &session.subject).await?;
                Self::pause();
                if let Judgement::Rotate(row) = judge(&row, epochs, &ask) {
                    self.put(&row);
                    return Ok(Rotation::Rotated(row.session));
                }
            }
            (Flaw::WindowStaysOpen, Some(mut row)) if row.nonce.is_some() => {
                row.grace_until = ask.now;
                self.put(&row);
            }
            (Flaw::BindingIsOptional, Some(row)) if ask.binding.is_none() => ask.binding = row.binding,
            (Flaw::RotatesTheExpired, Some(row)) => ask.now = ask.now.min(row.session.begun),
            (Flaw::KeepsSelector, _) => ask.next_selector = None,
            _ => {}
        }
        let answer = self.sound.rotate(&ask).await?;
        match (&answer, self.flaw) {
            (Rotation::Rotated(session), Flaw::MovesTheEnd) => {
                let mut session = session.clone();
                session.expires = ask.now.saturating_add(ask.idle * 4);
                session.idle_expires = ask.now.saturating_add(ask.idle);
                if let Some(row) = self.sound.state().sessions.get_mut(&session.id.key) {
                    row.session = session.clone();
                }
                return Ok(Rotation::Rotated(session));
            }
            (Rotation::Rotated(session), Flaw::ShortensByClock) => {
                let mut session = session.clone();
                session.idle_expires = ask.now.saturating_add(ask.idle);
                return Ok(Rotation::Rotated(session));
            }
            (Rotation::Rotated(_), Flaw::RotatesInSilence) => {
                let mut state = self.sound.state();
                let last = state.last_entry;
                state.outbox.remove(&last);
            }
            (Rotation::Reused(_), Flaw::ForgivesReuse) => self.put(&before.expect("a row that was reused")),
            (Rotation::Reused(_), Flaw::HidesReuse) => {
                let mut state = self.sound.state();
                let last = state.last_position;
                state.feed.remove(&last);
            }
            (Rotation::Replayed { session, .. }, Flaw::ReplaysAnew) => {
                return Ok(Rotation::Replayed {
                    session: session.clone(),
                    nonce: ask.nonce.unwrap_or_default(),
                });
            }
            _ => {}
        }
        Ok(answer)
    }

    async fn find(&self, selector: &Digest) -> Result<Option<StoredSession>, Error> {
        if self.is(Flaw::FindsEarlierEpochs) {
            return Ok(self.row(selector).filter(|row| row.ended.is_none()));
        }
        self.sound.find(selector).await
    }

    async fn confirm(&self, key: SessionKey, generation: u64) -> Result<(), Error> {
        let stands = self.sound.state().sessions.get(&key).map_or(0, |row| row.session.generation);
        let generation = if self.is(Flaw::ConfirmsAnything) { stands } else { generation };
        self.sound.confirm(key, generation).await
    }

    async fn seen(&self, key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> Result<(), Error> {
        let is_flawed = self.is(Flaw::UsesBackwards) || self.is(Flaw::UsesRevive);
        if is_flawed && let Some(row) = self.sound.state().sessions.get_mut(&key) {
            let session = &mut row.session;
            let is_back = now < session.seen;
            if is_back == self.is(Flaw::UsesBackwards) {
                session.seen = now;
                session.idle_expires = idle_expires.min(session.expires);
            }
        }
        self.sound.seen(key, now, idle_expires).await
    }

    async fn list(&self, tenant: &str, subject: &str, now: UnixTime) -> Result<Vec<Session>, Error> {
        let now = if self.is(Flaw::ListsTheExpired) { UnixTime::EPOCH } else { now };
        if self.is(Flaw::FoldsCase) {
            return self.sound.list(tenant, &subject.to_lowercase(), now).await;
        }
        self.sound.list(tenant, subject, now).await
    }

    async fn end(
        &self,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<u64, Error> {
        if let (Flaw::EndsForAnybody, End::One { key, .. }) = (self.flaw, end) {
            let row = self.sound.state().sessions.get(&key).cloned();
            if let Some(Session { tenant, subject, .. }) = row.map(|row| row.session) {
                let end = End::One { tenant: &tenant, subject: &subject, key };
                return self.sound.end(end, why, now, until, note).await;
            }
        }
        let ended = self.sound.end(end, why, now, until, note).await?;
        if self.is(Flaw::EndsInSilence) {
            self.sound.state().feed.clear();
        }
        Ok(ended)
    }
}

#[async_trait]
impl RevocationStore for Broken {
    async fn revoke_token(
        &self,
        jti: &str,
        tenant: &str,
        subject: &str,
        now: UnixTime,
        until: UnixTime,
        note: &Note,
    ) -> Result<(), Error> {
        if self.is(Flaw::TellsTokensTwice) {
            self.sound.state().tokens.clear();
        }
        if self.is(Flaw::PassesOpenPositions) {
            let position = {
                let mut state = self.sound.state();
                state.last_position += 1;
                state.last_position
            };
            Self::pause();
            let revocation = crate::Revocation { scope: Scope::Token(jti.into()), at: now, until };
            self.sound.state().feed.insert(position, revocation);
            return Ok(());
        }
        self.sound.revoke_token(jti, tenant, subject, now, until, note).await?;
        if self.is(Flaw::ForgetsTokens) {
            self.sound.state().tokens.clear();
        }
        Ok(())
    }

    async fn is_revoked(&self, asked: &Asked<'_>) -> Result<bool, Error> {
        if self.is(Flaw::BelievesUnknownSessions)
            && let Some(id) = asked.session
            && !self.sound.state().sessions.contains_key(&id.key)
        {
            return Ok(false);
        }
        let later = asked.issued_at.saturating_add(Duration::from_secs(1));
        let issued_at = if self.is(Flaw::SparesTheSecond) { later } else { asked.issued_at };
        self.sound.is_revoked(&Asked { issued_at, ..*asked }).await
    }

    async fn revocations(&self, after: Position, limit: usize) -> Result<Feed, Error> {
        let mut feed = self.sound.revocations(after, limit).await?;
        if self.is(Flaw::LosesPieces) && feed.more && limit > 1 {
            feed.revocations.pop();
        }
        if self.is(Flaw::HidesItsEnd) {
            feed.next = feed.next.max(after);
        }
        Ok(feed)
    }

    async fn epochs(&self, tenant: &str, subject: &str) -> Result<Epochs, Error> {
        self.sound.epochs(tenant, subject).await
    }
}

#[async_trait]
impl Outbox for Broken {
    async fn pending(&self, limit: usize) -> Result<Vec<Entry>, Error> {
        self.sound.pending(limit).await
    }

    async fn delivered(&self, numbers: &[u64]) -> Result<(), Error> {
        if self.is(Flaw::DeliversOthers)
            && let Some(last) = numbers.iter().max()
        {
            self.sound.state().outbox.retain(|number, _| number > last);
        }
        self.sound.delivered(numbers).await?;
        if self.is(Flaw::ReusesNumbers) {
            let mut state = self.sound.state();
            state.last_entry = state.outbox.keys().max().copied().unwrap_or_default();
        }
        Ok(())
    }
}

#[async_trait]
impl ApiKeyStore for Broken {
    async fn add_key(&self, key: &StoredKey, most: u32, note: &Note) -> Result<(), Error> {
        self.sound.add_key(key, most, note).await
    }

    async fn find_key(&self, selector: &Digest) -> Result<Option<StoredKey>, Error> {
        self.sound.find_key(selector).await
    }

    async fn keys(&self, tenant: &str, subject: &str) -> Result<Vec<StoredKey>, Error> {
        self.sound.keys(tenant, subject).await
    }

    async fn replace_key(
        &self,
        replacement: &KeyReplacement,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let is_done = self.sound.replace_key(replacement, now, note).await?;
        if self.is(Flaw::LengthensOldKeys)
            && let Some(key) = self.sound.state().keys.get_mut(&replacement.old)
        {
            key.expires = replacement.old_until;
        }
        Ok(is_done)
    }

    async fn end_key(
        &self,
        tenant: &str,
        subject: &str,
        id: KeyId,
        now: UnixTime,
        note: &Note,
    ) -> Result<bool, Error> {
        let key = self.sound.state().keys.get(&id).cloned();
        if let (Flaw::EndsAnybodysKeys, Some(key)) = (self.flaw, key) {
            return self.sound.end_key(&key.tenant, &key.subject, id, now, note).await;
        }
        self.sound.end_key(tenant, subject, id, now, note).await
    }

    async fn key_used(&self, id: KeyId, at: UnixTime) -> Result<(), Error> {
        if self.is(Flaw::NotesUsesBackwards)
            && let Some(key) = self.sound.state().keys.get_mut(&id)
        {
            key.used = None;
        }
        self.sound.key_used(id, at).await
    }
}

#[async_trait]
impl OnceStore for Broken {
    async fn put_once(&self, new: &NewOnce<'_>) -> Result<(), Error> {
        self.sound.put_once(new).await
    }

    async fn take_once(
        &self,
        digest: &Digest,
        purpose: &str,
        now: UnixTime,
        note: &Note,
    ) -> Result<Option<Taken>, Error> {
        let kept = self.sound.state().once.get(digest.as_bytes()).cloned();
        let mut purpose: Box<str> = purpose.into();
        if let (Flaw::TakesForAnything, Some(once)) = (self.flaw, &kept) {
            purpose = once.purpose.clone();
        }
        if self.is(Flaw::OutlivesEpochs) {
            let mut state = self.sound.state();
            let epochs = kept.as_ref().map(|once| state.epochs_of(&once.owner)).unwrap_or_default();
            if let Some(once) = state.once.get_mut(digest.as_bytes()) {
                once.epochs = epochs;
            }
        }
        if let (Flaw::LooksThenTakes, Some(once)) = (self.flaw, &kept) {
            Self::pause();
            let (tenant, subject) = once.owner.clone();
            let taken = Taken { tenant, subject, data: once.data.clone() };
            self.sound.take_once(digest, &purpose, now, note).await?;
            return Ok(Some(taken));
        }
        let taken = self.sound.take_once(digest, &purpose, now, note).await?;
        if let (Flaw::TakesAgain, Some(once)) = (self.flaw, kept) {
            self.sound.state().once.insert(*digest.as_bytes(), once);
        }
        Ok(taken)
    }

    async fn advance(&self, tenant: &str, subject: &str, counter: &str, to: u64) -> Result<bool, Error> {
        let name = ((tenant.into(), subject.into()), counter.into());
        let stands = self.sound.state().counters.get(&name).copied().unwrap_or_default();
        match self.flaw {
            Flaw::CountsInPlace if to == stands => return Ok(true),
            Flaw::LooksThenCounts if to > stands => {
                Self::pause();
                self.sound.advance(tenant, subject, counter, to).await?;
                return Ok(true);
            }
            _ => {}
        }
        self.sound.advance(tenant, subject, counter, to).await
    }
}

#[async_trait]
impl Store for Broken {
    async fn purge(&self, now: UnixTime, keep: Duration) -> Result<u64, Error> {
        match self.flaw {
            Flaw::ForgetsEpochs => self.sound.state().ends.clear(),
            Flaw::PurgesFeedEarly => {
                let mut state = self.sound.state();
                state.feed.retain(|_, told| told.until > now);
            }
            Flaw::PurgesLiving => {
                return self.sound.purge(now, keep.saturating_sub(Duration::from_millis(1))).await;
            }
            _ => {}
        }
        self.sound.purge(now, keep).await
    }

    async fn health(&self) -> Result<(), Error> {
        self.sound.health().await
    }
}
