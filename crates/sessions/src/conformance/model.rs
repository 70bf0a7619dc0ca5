//! The rules of a session once more, in the plainest words: what a random history is held against.
//!
//! It shares no code with [`judge`](crate::judge) or with a store, and keeps what they need not: every secret ever given out.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::samples::{ADA, IDLE, LIFE};

/// One subject's sessions, of which all have their secrets numbered by generation.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) sessions: Vec<Modelled>,
    /// How often all of it ended, by subject.
    pub(crate) subjects: [Subject; 2],
    pub(crate) global: u32,
    pub(crate) told: Vec<Told>,
    pub(crate) entries: Vec<(&'static str, Option<u64>)>,
}

#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub(crate) epoch: u32,
}

#[derive(Debug)]
pub(crate) struct Modelled {
    pub(crate) number: u64,
    pub(crate) subject: usize,
    /// The nonces by which secrets came to be: as many as there were rotations.
    pub(crate) nonces: Vec<Option<[u8; 32]>>,
    pub(crate) window: Option<UnixTime>,
    pub(crate) is_bound: bool,
    pub(crate) seen: UnixTime,
    pub(crate) idle: UnixTime,
    pub(crate) end: UnixTime,
    pub(crate) born: (u32, u32),
    pub(crate) is_over: bool,
}

/// What is in the feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Session(u64),
    Subject(usize, u32),
    Everything(u32),
}

/// What a rotation answers, in short.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Rotated(u64),
    Replayed(u64, Option<[u8; 32]>),
    Reused,
    Unbound,
    Expired,
    Ended,
}

/// A secret is presented.
#[derive(Debug)]
pub(crate) struct Asking {
    /// Of this generation; one that there never was is a wrong secret.
    pub(crate) generation: u64,
    pub(crate) nonce: Option<[u8; 32]>,
    pub(crate) grace: Duration,
    pub(crate) shows_binding: bool,
    pub(crate) now: UnixTime,
}

impl Model {
    pub(crate) fn new(global: u32) -> Self {
        let subjects = [Subject::default(), Subject::default()];
        Self { sessions: Vec::new(), subjects, global, told: Vec::new(), entries: Vec::new() }
    }

    pub(crate) fn epochs(&self, subject: usize) -> (u32, u32) {
        (self.subjects.get(subject).map_or(0, |subject| subject.epoch), self.global)
    }

    pub(crate) fn is_alive(&self, session: &Modelled) -> bool {
        !session.is_over && session.born == self.epochs(session.subject)
    }

    pub(crate) fn lives_at(&self, session: &Modelled, now: UnixTime) -> bool {
        self.is_alive(session) && now < session.idle && now < session.end
    }

    /// Those that live at `now`, last used first.
    pub(crate) fn list(&self, subject: usize, now: UnixTime) -> Vec<&Modelled> {
        let theirs = self.sessions.iter().filter(|one| one.subject == subject && self.lives_at(one, now));
        let mut list: Vec<&Modelled> = theirs.collect();
        list.sort_by_key(|one| std::cmp::Reverse((one.seen, super::samples::key(one.number))));
        list
    }

    /// Whether it begins. `most` are allowed; `makes_room` says what becomes of one more.
    pub(crate) fn begin(
        &mut self,
        number: u64,
        subject: usize,
        most: usize,
        makes_room: bool,
        is_bound: bool,
        now: UnixTime,
    ) -> bool {
        let living: Vec<u64> = self.list(subject, now).iter().map(|one| one.number).collect();
        if living.len() >= most && !makes_room {
            return false;
        }
        for number in living.into_iter().skip(most.saturating_sub(1)).rev() {
            self.end(number, "ended");
        }
        self.sessions.push(Modelled {
            number,
            subject,
            nonces: Vec::new(),
            window: None,
            is_bound,
            seen: now,
            idle: now.saturating_add(IDLE),
            end: now.saturating_add(LIFE),
            born: self.epochs(subject),
            is_over: false,
        });
        self.entries.push(("begun", Some(number)));
        true
    }

    pub(crate) fn rotate(&mut self, at: usize, ask: &Asking) -> Option<Said> {
        let epochs = self.epochs(self.sessions.get(at)?.subject);
        let session = self.sessions.get_mut(at)?;
        if session.is_over || session.born != epochs {
            return Some(Said::Ended);
        }
        if ask.now >= session.idle || ask.now >= session.end {
            return Some(Said::Expired);
        }
        let generation = session.nonces.len() as u64;
        let is_shown = !session.is_bound || ask.shows_binding;
        if ask.generation == generation && !is_shown {
            return Some(Said::Unbound);
        }
        if ask.generation == generation {
            session.nonces.push(ask.nonce);
            session.window = ask.nonce.map(|_| ask.now.saturating_add(ask.grace));
            session.seen = session.seen.max(ask.now);
            session.idle = session.idle.max(ask.now.saturating_add(IDLE)).min(session.end);
            self.entries.push(("renewed", Some(session.number)));
            return Some(Said::Rotated(generation + 1));
        }
        let wants = ask.grace > Duration::ZERO && is_shown;
        // Open is from the time of the rotation to ten seconds later; a minute leaves room for clocks that differ.
        let is_open = session.window.is_some_and(|until| {
            ask.now <= until && ask.now >= until.saturating_sub(Duration::from_secs(60))
        });
        if generation.checked_sub(1) == Some(ask.generation) && wants && is_open {
            return Some(Said::Replayed(generation, session.nonces.last().copied().flatten()));
        }
        let number = session.number;
        self.end(number, "reused");
        Some(Said::Reused)
    }

    pub(crate) fn confirm(&mut self, at: usize, generation: u64) {
        if let Some(session) = self.sessions.get_mut(at)
            && session.nonces.len() as u64 == generation
        {
            session.window = None;
        }
    }

    pub(crate) fn use_of(&mut self, at: usize, now: UnixTime, idle: UnixTime) {
        if !self.sessions.get(at).is_some_and(|session| self.lives_at(session, now)) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(at) {
            session.seen = session.seen.max(now);
            session.idle = session.idle.max(idle).min(session.end);
        }
    }

    /// Ends one, and tells of it.
    fn end(&mut self, number: u64, happening: &'static str) {
        if let Some(session) = self.sessions.iter_mut().find(|session| session.number == number) {
            (session.is_over, session.window) = (true, None);
        }
        self.told.push(Told::Session(number));
        self.entries.push((happening, Some(number)));
    }

    /// Ends those that are asked for and alive, and says how many.
    pub(crate) fn end_where(&mut self, happening: &'static str, asked: impl Fn(&Modelled) -> bool) -> u64 {
        let alive = self.sessions.iter().filter(|session| self.is_alive(session) && asked(session));
        let numbers: Vec<u64> = alive.map(|session| session.number).collect();
        numbers.iter().for_each(|number| self.end(*number, happening));
        numbers.len() as u64
    }

    pub(crate) fn end_all(&mut self, subject: usize) -> u64 {
        let alive = self.sessions.iter().filter(|one| one.subject == subject && self.is_alive(one)).count();
        if let Some(subject) = self.subjects.get_mut(subject) {
            subject.epoch += 1;
        }
        self.told.push(Told::Subject(subject, self.epochs(subject).0));
        self.entries.push(("all_ended", None));
        alive as u64
    }

    pub(crate) fn end_everything(&mut self) -> u64 {
        let alive = self.sessions.iter().filter(|session| self.is_alive(session)).count();
        self.global += 1;
        self.told.push(Told::Everything(self.global));
        self.entries.push(("everything_ended", None));
        alive as u64
    }
}

/// The names of the subjects of a history.
pub(crate) fn names(history: u64) -> [String; 2] {
    [format!("{ADA}-{history}"), format!("bob-{history}")]
}
