//! Random histories: what clients do, in any order, held against the model.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{
    Nodes, Outcome, Violation, hold,
    model::{Asking, Model, Said, Told, names},
    races::all,
    samples::{
        ACCESS, IDLE, LIFE, START, TENANT, beginning, bytes, cap, key, nonce, note, rotate, row, secret,
    },
};
use crate::{
    Asked, Begin, Begun, Digest, End, Ended, Epochs, Position, Rotate, Rotation, Scope, SessionId, WhenFull,
};

/// As many as [`Nodes::trying`](super::Nodes::trying) says.
///
/// # Errors
/// How the store breaks this, and the number of the history.
pub fn random_histories_are_as_the_model_says(nodes: &Nodes) -> Outcome {
    (1..=u64::from(nodes.histories())).try_for_each(|number| history(nodes, number))
}

/// One after the other, each with up to five clients at once.
///
/// # Errors
/// How the store breaks this, and the number of the history.
pub fn random_histories_of_racing_clients_leave_one_living_leaf(nodes: &Nodes) -> Outcome {
    (1..=u64::from(nodes.histories())).try_for_each(|number| racing_history(nodes, number))
}

/// Repeatable numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below.max(1)
    }

    /// True once in `n` times.
    fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }

    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.roll(count as u64)).unwrap_or_default()
    }
}

/// One history of some 40 steps: two subjects, up to eight sessions, two nodes whose clocks differ.
///
/// # Errors
/// How the store breaks the rules, and at which step of which history.
pub fn history(nodes: &Nodes, number: u64) -> Outcome {
    let about = |step: u64, violation: &Violation| {
        Violation::new(format!("history {number}, step {step}: {violation}"))
    };
    let mut run = Run::start(nodes, number)?;
    for step in 0..40 {
        run.step().map_err(|violation| about(step, &violation))?;
    }
    run.finish().map_err(|violation| about(40, &violation))
}

struct Run<'a> {
    nodes: &'a Nodes,
    model: Model,
    dice: Dice,
    names: [String; 2],
    base: u64,
    now: UnixTime,
    /// How far the second node's clock is ahead.
    skew: Duration,
    feed: Position,
}

impl<'a> Run<'a> {
    fn start(nodes: &'a Nodes, number: u64) -> Result<Self, Violation> {
        let names = names(number);
        let epochs = nodes.call(nodes.one.epochs(TENANT, &names[0]))?;
        let mut dice = Dice(number);
        let skews = [0, 0, 1, 7, 25, 600];
        let skew = Duration::from_secs(skews.get(dice.pick(skews.len())).copied().unwrap_or_default());
        let mut feed = Position::default();
        while let piece = nodes.call(nodes.one.revocations(feed, 1_000))?
            && piece.next > feed
        {
            feed = piece.next;
        }
        let base = number.wrapping_mul(1_000);
        Ok(Self { nodes, model: Model::new(epochs.global), dice, names, base, now: START, skew, feed })
    }

    /// One step of one client, through one of the nodes, at the time that this node has.
    fn step(&mut self) -> Outcome {
        let pause = [0, 0, 1, 3, 9, 11, 60, 4_000, 86_400 * 3];
        let pause = pause.get(self.dice.pick(pause.len())).copied().unwrap_or_default();
        self.now = self.now.saturating_add(Duration::from_secs(pause));
        let is_second = self.dice.one_in(2);
        let store = if is_second { &self.nodes.two } else { &self.nodes.one };
        let now = if is_second { self.now.saturating_add(self.skew) } else { self.now };
        let count = self.model.sessions.len();
        match self.dice.roll(24) {
            0..=3 => self.begin(&**store, now),
            4..=13 if count > 0 => self.rotate(&**store, now),
            14 if count > 0 => {
                let at = self.dice.pick(count);
                let generation = self.dice.roll(4);
                self.model.confirm(at, generation);
                self.nodes.call(store.confirm(key(self.number(at)), generation))
            }
            15 | 16 if count > 0 => {
                let at = self.dice.pick(count);
                let idle = now.saturating_add(Duration::from_secs(self.dice.roll(IDLE.as_secs() * 2)));
                self.model.use_of(at, now, idle);
                self.nodes.call(store.seen(key(self.number(at)), now, idle))
            }
            17 | 18 if count > 0 => {
                let at = self.dice.pick(count);
                let (number, subject) =
                    (self.number(at), self.model.sessions.get(at).map_or(0, |one| one.subject));
                let expected = self.model.end_where("logged_out", |one| one.number == number);
                let end = End::One { tenant: TENANT, subject: self.name(subject), key: key(number) };
                self.end(&**store, end, Ended::LoggedOut, now, expected)
            }
            19 => {
                let (subject, keep) = (self.dice.pick(2), self.number(self.dice.0 as usize % 8));
                let expected =
                    self.model.end_where("ended", |one| one.subject == subject && one.number != keep);
                let end = End::Others { tenant: TENANT, subject: self.name(subject), keep: key(keep) };
                self.end(&**store, end, Ended::Revoked, now, expected)
            }
            20 if self.dice.one_in(2) => {
                let subject = self.dice.pick(2);
                let expected = self.model.end_all(subject);
                let end = End::All { tenant: TENANT, subject: self.name(subject) };
                self.end(&**store, end, Ended::CredentialChanged, now, expected)
            }
            21 if self.dice.one_in(6) => {
                let expected = self.model.end_everything();
                self.end(&**store, End::Everything, Ended::Revoked, now, expected)
            }
            _ => self.compare(now),
        }
    }

    fn name(&self, subject: usize) -> &str {
        self.names.get(subject).map_or("", String::as_str)
    }

    fn number(&self, at: usize) -> u64 {
        self.model.sessions.get(at).map_or(self.base + 999, |session| session.number)
    }

    fn begin(&mut self, store: &dyn crate::Store, now: UnixTime) -> Outcome {
        let (subject, number) = (self.dice.pick(2), self.base + self.model.sessions.len() as u64 + 1);
        if number > self.base + 8 {
            return Ok(());
        }
        let (most, makes_room, is_bound) = (2 + self.dice.roll(2), self.dice.one_in(2), self.dice.one_in(4));
        let mut row = row(number, TENANT, self.name(subject), now);
        row.binding = is_bound.then_some(binding());
        let when_full = if makes_room { WhenFull::EndOldest } else { WhenFull::Refuse };
        let begin = Begin { cap: cap(u32::try_from(most).unwrap_or(2), when_full), ..beginning(row, now) };
        let most = usize::try_from(most).unwrap_or(2);
        let begins = self.model.begin(number, subject, most, makes_room, is_bound, now);
        let begun = self.nodes.call(store.begin(&begin))?;
        let (subject, global) = self.model.epochs(subject);
        let id = SessionId { key: key(number), epochs: Epochs { subject, global } };
        hold(
            begun == if begins { Begun::As(id) } else { Begun::TooMany },
            "a beginning is not answered by the rules",
        )
    }

    fn rotate(&mut self, store: &dyn crate::Store, now: UnixTime) -> Outcome {
        let at = self.dice.pick(self.model.sessions.len());
        let Some(session) = self.model.sessions.get(at) else { return Ok(()) };
        let (number, current) = (session.number, session.nonces.len() as u64);
        // Mostly what an honest client has; sometimes what a client has whose answer was lost, or a thief.
        let generation = match self.dice.roll(12) {
            0..=6 => current,
            7..=9 => current.saturating_sub(1),
            10 => self.dice.roll(current + 1),
            _ => current + 500,
        };
        let (has_window, shows_binding) = (!self.dice.one_in(3), !self.dice.one_in(8));
        let nonce = has_window.then(|| nonce(self.dice.roll(u64::MAX)));
        let grace = Duration::from_secs(if has_window { 10 } else { 0 });
        let asking = Asking { generation, nonce, grace, shows_binding, now };
        let ask = Rotate {
            presented: secret(number, generation),
            next: secret(number, current + 1),
            nonce,
            grace,
            binding: shows_binding.then(binding),
            ..rotate(number, generation, now)
        };
        let expected = self.model.rotate(at, &asking);
        let answer = self.nodes.call(store.rotate(&ask))?;
        let said = match &answer {
            Rotation::Rotated(session) => Said::Rotated(session.generation),
            Rotation::Replayed { session, nonce } => Said::Replayed(session.generation, Some(*nonce)),
            Rotation::Reused(_) => Said::Reused,
            Rotation::Unbound(_) => Said::Unbound,
            Rotation::Expired(_) => Said::Expired,
            Rotation::Ended(_) => Said::Ended,
            Rotation::Unknown => return Err(Violation::new("a session is unknown")),
        };
        hold(Some(&said) == expected.as_ref(), &format!("a rotation answers {said:?} and not {expected:?}"))
    }

    fn end(
        &self,
        store: &dyn crate::Store,
        end: End<'_>,
        why: Ended,
        now: UnixTime,
        expected: u64,
    ) -> Outcome {
        let ended = self.nodes.call(store.end(end, why, now, now.saturating_add(ACCESS), &note("end")))?;
        hold(ended == expected, "an ending ends more or fewer sessions")
    }

    /// All that can be seen of the store's state.
    fn compare(&self, now: UnixTime) -> Outcome {
        for session in &self.model.sessions {
            let found = self.nodes.find(session.number)?;
            let lives = self.model.is_alive(session);
            hold(found.is_some() == lives, "a session is found that does not live, or not one that does")?;
            let (subject, global) = session.born;
            let id = SessionId { key: key(session.number), epochs: Epochs { subject, global } };
            let subject = self.name(session.subject);
            let asked = Asked { jti: None, session: Some(id), tenant: TENANT, subject, issued_at: now };
            let is_revoked = self.nodes.call(self.nodes.one.is_revoked(&asked))?;
            hold(is_revoked != lives, "a session is revoked that lives, or not one that does not")?;
            let Some(found) = found else { continue };
            let generation = session.nonces.len() as u64;
            hold(found.session.generation == generation, "a generation is not how often the secret changed")?;
            hold(
                found.current == secret(session.number, generation),
                "not the newest secret is the current one",
            )?;
            let times = (found.session.seen, found.session.idle_expires, found.session.expires);
            hold(
                times == (session.seen, session.idle, session.end),
                "a time of a session is not as the rules say",
            )?;
            let window = (found.previous.is_some(), found.nonce.is_some());
            let is_open = session.window.is_some();
            hold(window == (is_open, is_open), "a window is kept that was closed, or not one that is open")?;
        }
        for (at, name) in self.names.iter().enumerate() {
            let listed = self.nodes.list(name, now)?;
            let keys = listed.iter().map(|session| session.id.key);
            let expected = self.model.list(at, now).into_iter().map(|session| key(session.number));
            let (mut keys, mut expected) = (keys.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
            // Of two that were used at one time either may be the first.
            keys.sort_unstable();
            expected.sort_unstable();
            hold(keys == expected, "the list is not the sessions that live")?;
            hold(listed.is_sorted_by_key(|one| std::cmp::Reverse(one.seen)), "the list is not in order")?;
            let epochs = self.nodes.call(self.nodes.two.epochs(TENANT, name))?;
            hold(
                (epochs.subject, epochs.global) == self.model.epochs(at),
                "an epoch is not as the rules say",
            )?;
        }
        Ok(())
    }

    /// What was told, and then everything is cleared away.
    fn finish(self) -> Outcome {
        self.compare(self.now)?;
        let (mut after, mut told) = (self.feed, Vec::new());
        loop {
            let piece = self.nodes.call(self.nodes.two.revocations(after, 7))?;
            told.extend(piece.revocations.into_iter().map(|one| one.scope));
            after = piece.next;
            if !piece.more {
                break;
            }
        }
        let expected: Vec<Scope> = self.model.told.iter().map(|told| self.scope(told)).collect();
        hold(same(&told, &expected), "the feed is not what was ended")?;
        let entries = self.nodes.entries()?;
        let happened: Vec<_> =
            entries.iter().map(|entry| (entry.happening.as_str(), entry.session.map(|id| id.key))).collect();
        let expected: Vec<_> =
            self.model.entries.iter().map(|(word, number)| (*word, number.map(key))).collect();
        hold(same(&happened, &expected), "the outbox is not what happened")?;
        clear(self.nodes)
    }

    fn scope(&self, told: &Told) -> Scope {
        match told {
            Told::Session(number) => Scope::Session(key(*number)),
            Told::Everything(epoch) => Scope::Everything { epoch: *epoch },
            Told::Subject(subject, epoch) => {
                Scope::Subject { tenant: TENANT.into(), subject: self.name(*subject).into(), epoch: *epoch }
            }
        }
    }
}

fn binding() -> Digest {
    Digest::from_bytes([7; 32])
}

/// The same elements, whatever their order: what ends in one step is told in any.
fn same<T: PartialEq>(some: &[T], others: &[T]) -> bool {
    let times = |list: &[T], one: &T| list.iter().filter(|other| *other == one).count();
    some.len() == others.len() && some.iter().all(|one| times(some, one) == times(others, one))
}

/// Delivers and deletes everything, for the next history.
fn clear(nodes: &Nodes) -> Outcome {
    let numbers: Vec<u64> = nodes.entries()?.iter().map(|entry| entry.number).collect();
    nodes.call(nodes.one.delivered(&numbers))?;
    let late = START.saturating_add(LIFE * 100);
    while nodes.call(nodes.one.purge(late, Duration::ZERO))? > 0 {}
    Ok(())
}

/// What one of several clients does: it presents what it was given last, again and again.
#[derive(Clone, Debug)]
struct Client {
    /// Which one, for secrets of its own.
    at: u64,
    /// How many rotations it tries.
    tries: u64,
    /// Loses every answer, as if it were killed each time: it goes on with what it had.
    loses: bool,
    /// Logs out at the end.
    leaves: bool,
}

/// What a client was answered.
#[derive(Debug, Default)]
struct Answered {
    won: Vec<(u64, Digest)>,
    reused: u64,
    left: bool,
}

/// One history of racing clients of one session.
///
/// # Errors
/// How the store breaks the rules, and in which history.
pub fn racing_history(nodes: &Nodes, number: u64) -> Outcome {
    let about = |violation: Violation| Violation::new(format!("racing history {number}: {violation}"));
    race_clients(nodes, number).map_err(about)
}

fn race_clients(nodes: &Nodes, number: u64) -> Outcome {
    let mut dice = Dice(number ^ 0x5eed);
    let session = number.wrapping_mul(1_000) + 500;
    let has_window = !dice.one_in(3);
    let names = names(number);
    let subject: &str = &names[0];
    nodes.begin(&beginning(row(session, TENANT, subject, START), START))?;
    let clients: Vec<Client> = (0..2 + dice.roll(4))
        .map(|at| Client { at, tries: 1 + dice.roll(4), loses: dice.one_in(4), leaves: dice.one_in(8) })
        .collect();
    let name: Box<str> = subject.into();
    let answers = nodes.race(&clients, move |store, client| {
        let (client, name) = (client.clone(), name.clone());
        Box::pin(async move { play(store, &client, session, &name, has_window).await })
    })?;
    let answers = all(answers)?;
    let mut won: Vec<(u64, Digest)> = answers.iter().flat_map(|answered| answered.won.clone()).collect();
    won.sort_by_key(|(generation, _)| *generation);
    let generations: Vec<u64> = won.iter().map(|(generation, _)| *generation).collect();
    let in_order: Vec<u64> = (1..=won.len() as u64).collect();
    hold(generations == in_order, "two rotations made one generation, or one was lost")?;
    let reused: u64 = answers.iter().map(|answered| answered.reused).sum();
    let left = answers.iter().any(|answered| answered.left);
    hold(reused <= 1 && !(reused == 1 && left), "a session ended twice")?;
    let row = nodes.find(session)?;
    hold(row.is_none() == (reused == 1 || left), "a session lives that ended, or the other way round")?;
    if let Some(row) = row {
        let leaf = won.last().map_or(secret(session, 0), |(_, digest)| *digest);
        hold(row.current == leaf && row.session.generation == won.len() as u64, "not one leaf lives")?;
    }
    let entries = nodes.entries()?;
    let renewed = entries.iter().filter(|entry| entry.happening == crate::Happening::Renewed).count();
    hold(renewed == won.len(), "the outbox does not tell each rotation once")?;
    let told = nodes.feed()?.len() as u64;
    hold(told == u64::from(reused == 1 || left), "the feed does not tell the end once")?;
    clear(nodes)
}

async fn play(
    store: &dyn crate::Store,
    client: &Client,
    session: u64,
    name: &str,
    has_window: bool,
) -> Result<Answered, crate::Error> {
    let mut answered = Answered::default();
    let mut has = secret(session, 0);
    let now = START.saturating_add(Duration::from_secs(1));
    for attempt in 0..client.tries {
        let mine = client.at * 100 + attempt + 1;
        // As the engine does: the child follows from the nonce, so that whoever replays can derive it.
        let nonce: [u8; 32] = bytes(30, session.wrapping_add(mine));
        let ask = Rotate {
            presented: has,
            next: Digest::from_bytes(nonce),
            nonce: has_window.then_some(nonce),
            grace: Duration::from_secs(if has_window { 10 } else { 0 }),
            ..rotate(session, 0, now)
        };
        match store.rotate(&ask).await? {
            Rotation::Rotated(row) => {
                answered.won.push((row.generation, ask.next));
                has = if client.loses { has } else { ask.next };
            }
            Rotation::Replayed { nonce, .. } => has = Digest::from_bytes(nonce),
            Rotation::Reused(_) => {
                answered.reused += 1;
                return Ok(answered);
            }
            _ => return Ok(answered),
        }
    }
    if client.leaves {
        let end = End::One { tenant: TENANT, subject: name, key: key(session) };
        let until = now.saturating_add(ACCESS);
        answered.left = store.end(end, Ended::LoggedOut, now, until, &note("end")).await? > 0;
    }
    Ok(answered)
}
