//! What happens at once, on two nodes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    Answer, Nodes, Outcome, Violation, hold,
    samples::{
        ACCESS, ADA, START, TENANT, at, beginning, bytes, cap, key, nonce, note, rotate, rotate_with_window,
        row, secret, selector,
    },
};
use crate::{
    Begin, Begun, Digest, End, Ended, Error, Happening, NewOnce, Position, Rotate, Rotation, Scope,
    SessionId, Store, WhenFull,
};

/// How many try at once.
const CROWDS: [u64; 6] = [2, 3, 8, 16, 32, 64];

/// All others are told that it is a reuse, or that it has ended; nobody's child lives on, as the store cannot tell the thief.
///
/// # Errors
/// How the store breaks this.
pub fn of_racing_rotations_one_wins(nodes: &Nodes) -> Outcome {
    for crowd in CROWDS {
        nodes.begun(crowd, ADA, START)?;
        let asks: Vec<Rotate> =
            (1..=crowd).map(|n| Rotate { next: secret(crowd, n), ..rotate(crowd, 0, at(1)) }).collect();
        let answers = all(nodes.race(&asks, store_rotate)?)?;
        let won = answers.iter().filter(|answer| matches!(answer, Rotation::Rotated(_))).count();
        let reused = answers.iter().filter(|answer| matches!(answer, Rotation::Reused(_))).count();
        let ended = answers.iter().filter(|answer| matches!(answer, Rotation::Ended(_))).count();
        let lost = usize::try_from(crowd).unwrap_or_default() - 1;
        hold(won == 1, "not exactly one of racing rotations wins")?;
        hold(reused == 1 && ended == lost - 1, "not exactly one of racing rotations is the reuse")?;
        hold(nodes.find(crowd)?.is_none(), "a session lives on after a reuse")?;
        let happened = happened(nodes, crowd)?;
        let times = |what| happened.iter().filter(|one| **one == what).count();
        hold(
            times(Happening::Renewed) == 1 && times(Happening::Reused) == 1,
            "a racing rotation is told twice",
        )?;
    }
    let ends = nodes.feed()?.len();
    hold(ends == CROWDS.len(), "a racing reuse is not in the feed once")
}

/// The same child, and exactly one leaf lives.
///
/// # Errors
/// How the store breaks this.
pub fn of_racing_rotations_in_a_window_all_get_one_child(nodes: &Nodes) -> Outcome {
    for crowd in CROWDS {
        nodes.begun(crowd, ADA, START)?;
        let asks = (1..=crowd).map(|n| Rotate {
            next: secret(crowd, n),
            nonce: Some(nonce(n)),
            ..rotate_with_window(crowd, 0, at(1))
        });
        let asks: Vec<Rotate> = asks.collect();
        let answers = all(nodes.race(&asks, store_rotate)?)?;
        let mut winner = None;
        for (ask, answer) in asks.iter().zip(&answers) {
            if matches!(answer, Rotation::Rotated(_)) {
                hold(winner.replace(ask).is_none(), "two of racing rotations win")?;
            }
        }
        let winner = winner.ok_or_else(|| Violation::new("none of racing rotations wins"))?;
        let same = answers.iter().all(|answer| match answer {
            Rotation::Rotated(session) => session.generation == 1,
            Rotation::Replayed { session, nonce } => session.generation == 1 && Some(*nonce) == winner.nonce,
            _ => false,
        });
        hold(same, "racing rotations in a window do not all get one child")?;
        let leaf = nodes.find(crowd)?.is_some_and(|row| row.current == winner.next);
        hold(leaf, "the living leaf is not the winner's")?;
        let renewed = happened(nodes, crowd)?.into_iter().filter(|one| *one == Happening::Renewed).count();
        hold(renewed == 1, "a replay is on record as a rotation")?;
    }
    hold(nodes.feed()?.is_empty(), "a replay is on record as a reuse")
}

/// Whichever comes first.
///
/// # Errors
/// How the store breaks this.
pub fn a_logout_and_a_rotation_leave_nothing_alive(nodes: &Nodes) -> Outcome {
    for number in 1..=16 {
        let id = nodes.begun(number, ADA, START)?;
        let works = [number, number + 1_000, number + 2_000];
        let answers = nodes.race(&works, |store, work| {
            let number = *work;
            Box::pin(async move {
                if number < 1_000 {
                    let end = End::One { tenant: TENANT, subject: ADA, key: key(number) };
                    let until = at(1).saturating_add(ACCESS);
                    return Ok(store.end(end, Ended::LoggedOut, at(1), until, &note("end")).await? == 1);
                }
                if number < 2_000 {
                    return Ok(matches!(
                        store.rotate(&rotate(number - 1_000, 0, at(1))).await?,
                        Rotation::Rotated(_)
                    ));
                }
                store.seen(key(number - 2_000), at(1), at(1).saturating_add(ACCESS)).await?;
                Ok(true)
            })
        })?;
        let answers = all(answers)?;
        hold(answers.first() == Some(&true), "a session that lives is not ended")?;
        hold(nodes.find(number)?.is_none(), "a session that ended lives again: a zombie")?;
        for generation in [0, 1] {
            let answer = nodes.rotate(&rotate(number, generation, at(2)))?;
            hold(matches!(answer, Rotation::Ended(_)), "a secret of an ended session is exchanged")?;
        }
        let asked =
            crate::Asked { jti: None, session: Some(id), tenant: TENANT, subject: ADA, issued_at: at(1) };
        hold(nodes.call(nodes.two.is_revoked(&asked))?, "an ended session is not revoked")?;
    }
    Ok(())
}

/// A session that begins meanwhile is dead, or of the new epoch.
///
/// # Errors
/// How the store breaks this.
pub fn a_beginning_and_an_ending_of_all_leave_nothing_of_an_earlier_epoch(nodes: &Nodes) -> Outcome {
    for round in 0..12_u64 {
        let works: Vec<u64> = (0..8).map(|n| round * 100 + n).collect();
        let answers = nodes.race(&works, move |store, work| {
            let number = *work;
            Box::pin(async move {
                if number % 100 == 3 {
                    let (end, until) =
                        (End::All { tenant: TENANT, subject: ADA }, at(1).saturating_add(ACCESS));
                    store.end(end, Ended::CredentialChanged, at(1), until, &note("end")).await?;
                    return Ok(None);
                }
                let begin = beginning(row(number, TENANT, ADA, START), START);
                match store.begin(&begin).await? {
                    Begun::As(id) => Ok(Some(id.epochs.subject)),
                    Begun::TooMany => Ok(None),
                }
            })
        })?;
        let epoch = u32::try_from(round + 1).unwrap_or_default();
        for (number, began) in works.iter().zip(all(answers)?) {
            let Some(began) = began else { continue };
            hold(began + 1 == epoch || began == epoch, "a session begins in an epoch that there never was")?;
            let lives = nodes.find(*number)?.is_some();
            hold(
                lives == (began == epoch),
                "a session of an earlier epoch lives, or one of this epoch does not",
            )?;
        }
        hold(nodes.call(nodes.two.epochs(TENANT, ADA))?.subject == epoch, "an epoch is lost")?;
    }
    Ok(())
}

/// Neither way of making room lets more through.
///
/// # Errors
/// How the store breaks this.
pub fn racing_beginnings_do_not_pass_the_cap(nodes: &Nodes) -> Outcome {
    for (subject, when_full) in [("ada", WhenFull::Refuse), ("bob", WhenFull::EndOldest)] {
        let first = if when_full == WhenFull::Refuse { 0 } else { 100 };
        let begins: Vec<Begin> = (1..=16)
            .map(|n| Begin {
                cap: cap(3, when_full),
                ..beginning(row(first + n, TENANT, subject, at(n)), at(n))
            })
            .collect();
        let answers = nodes.race(&begins, |store, begin| {
            let begin = begin.clone();
            Box::pin(async move { store.begin(&begin).await })
        })?;
        let began = all(answers)?.iter().filter(|begun| matches!(begun, Begun::As(_))).count();
        hold(nodes.list(subject, at(20))?.len() == 3, "racing beginnings pass the cap")?;
        hold(began == if when_full == WhenFull::Refuse { 3 } else { 16 }, "a beginning is refused or lost")?;
    }
    Ok(())
}

/// And one entry tells of it.
///
/// # Errors
/// How the store breaks this.
pub fn of_racing_takers_of_a_one_time_token_one_wins(nodes: &Nodes) -> Outcome {
    for crowd in CROWDS {
        let digest = Digest::from_bytes(bytes(20, crowd));
        let new = NewOnce {
            digest,
            purpose: "password_reset",
            tenant: TENANT,
            subject: ADA,
            data: "",
            expires: at(60),
            now: START,
            note: &note("once"),
        };
        nodes.call(nodes.one.put_once(&new))?;
        let takers: Vec<u64> = (1..=crowd).collect();
        let answers = nodes.race(&takers, move |store, _| {
            Box::pin(async move {
                Ok(store.take_once(&digest, "password_reset", at(1), &note("take")).await?.is_some())
            })
        })?;
        let taken = all(answers)?.into_iter().filter(|taken| *taken).count();
        hold(taken == 1, "not exactly one of racing takers wins")?;
    }
    let used = nodes.entries()?.into_iter().filter(|entry| entry.happening == Happening::OnceUsed).count();
    hold(used == CROWDS.len(), "a racing taking is not told once")
}

/// What begins, is exchanged and ends at once waits for another and never fails for it; and each end is told once, however many
/// wanted it.
///
/// # Errors
/// How the store breaks this.
pub fn all_kinds_of_writes_at_once_end_each_session_once(nodes: &Nodes) -> Outcome {
    for round in 0..10_u64 {
        let first = round * 1_000 + 1;
        let mut ids = Vec::new();
        for number in first..first + 4 {
            ids.push((number, nodes.begun(number, ADA, START)?));
        }
        let (feed, entries) = (nodes.feed()?.len(), nodes.entries()?.len());
        let works: Vec<u64> = (0..16).map(|work| first * 100 + work).collect();
        let ends_all = round % 3 == 2;
        let answers = nodes.race(&works, move |store, work| {
            let (first, work) = (*work / 100, *work % 100);
            Box::pin(async move { write(store, first, work, ends_all).await })
        })?;
        ids.extend(all(answers)?.into_iter().flatten());
        let (feed, entries) = (nodes.feed()?.split_off(feed), nodes.entries()?.split_off(entries));
        for (number, id) in ids {
            let told = feed.iter().filter(|told| told.scope == Scope::Session(id.key)).count();
            let ends = [Happening::LoggedOut, Happening::Ended, Happening::Reused];
            let of_session =
                |entry: &&crate::Entry| entry.session == Some(id) && ends.contains(&entry.happening);
            hold(told <= 1, "a session ended twice")?;
            hold(
                entries.iter().filter(of_session).count() == told,
                "the outbox and the feed do not tell the same ends",
            )?;
            let lives = nodes.find(number)?.is_some() || nodes.find(number + 500)?.is_some();
            hold(!(lives && told == 1), "a session lives whose end was told")?;
            hold(lives || told == 1 || ends_all, "a session died and nobody was told")?;
            let asked =
                crate::Asked { jti: None, session: Some(id), tenant: TENANT, subject: ADA, issued_at: at(1) };
            hold(
                nodes.call(nodes.two.is_revoked(&asked))? != lives,
                "a session is revoked that lives, or not one that does not",
            )?;
        }
        hold(nodes.list(ADA, at(1))?.len() <= 2, "more sessions live than any beginning allowed")?;
        nodes.end_all(ADA, at(1))?;
    }
    Ok(())
}

/// One of sixteen writes to four sessions of one subject. Answers what began.
async fn write(
    store: &dyn Store,
    first: u64,
    work: u64,
    ends_all: bool,
) -> Result<Option<(u64, SessionId)>, Error> {
    let begins = |replaces: Option<u64>| {
        let number = first + 10 + work;
        let begin = beginning(row(number, TENANT, ADA, START), START);
        (number, Begin { cap: cap(2, WhenFull::EndOldest), replaces: replaces.map(selector), ..begin })
    };
    let (one, others, all) = (
        |number| End::One { tenant: TENANT, subject: ADA, key: key(number) },
        |number| End::Others { tenant: TENANT, subject: ADA, keep: key(number) },
        End::All { tenant: TENANT, subject: ADA },
    );
    let asked = match work {
        0 | 1 => return began(store, begins(None)).await,
        2 => return began(store, begins(Some(first))).await,
        3 => return began(store, begins(Some(first + 2))).await,
        4 | 5 => Err(one(first)),
        6 => Err(one(first + 2)),
        7 => Err(others(first + 2)),
        8 => Err(others(first + 3)),
        9 if ends_all => Err(all),
        9 | 10 => Ok(rotate(first + 1, 7, at(1))),
        11 => Ok(Rotate { next_selector: Some(selector(first + 502)), ..rotate(first + 2, 0, at(1)) }),
        12 | 13 => Ok(rotate(first + 3, 0, at(1))),
        14 => {
            store.seen(key(first + 3), at(1), at(1).saturating_add(ACCESS)).await?;
            return Ok(None);
        }
        _ => {
            store.purge(at(1), ACCESS).await?;
            return Ok(None);
        }
    };
    match asked {
        Ok(ask) => store.rotate(&ask).await.map(drop)?,
        Err(end) => {
            let until = at(1).saturating_add(ACCESS);
            store.end(end, Ended::LoggedOut, at(1), until, &note("end")).await.map(drop)?;
        }
    }
    Ok(None)
}

async fn began(store: &dyn Store, (number, begin): (u64, Begin)) -> Result<Option<(u64, SessionId)>, Error> {
    match store.begin(&begin).await? {
        Begun::As(id) => Ok(Some((number, id))),
        Begun::TooMany => Err(crate::ErrorKind::TooMany.into()),
    }
}

/// A code of one time step is good once.
///
/// # Errors
/// How the store breaks this.
pub fn of_racing_steps_of_a_counter_one_wins(nodes: &Nodes) -> Outcome {
    for (step, crowd) in (1..).zip(CROWDS) {
        let tries: Vec<u64> = (1..=crowd).map(|_| step).collect();
        let answers = nodes.race(&tries, |store, step| {
            let step = *step;
            Box::pin(async move { store.advance(TENANT, ADA, "totp", step).await })
        })?;
        let up = all(answers)?.into_iter().filter(|up| *up).count();
        hold(up == 1, "not exactly one of racing steps wins")?;
    }
    Ok(())
}

/// A position is never passed while it is still being written.
///
/// # Errors
/// How the store breaks this.
pub fn a_reader_of_the_feed_misses_nothing_that_writers_commit(nodes: &Nodes) -> Outcome {
    const WRITERS: u64 = 6;
    const EACH: u64 = 12;
    let is_done = AtomicBool::new(false);
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut after, mut read) = (Position::default(), Vec::new());
            loop {
                // Whether all was committed is asked before the reading that has to see it.
                let was_done = is_done.load(Ordering::SeqCst);
                let feed = nodes.call(nodes.two.revocations(after, 5))?;
                let is_back = feed.next < after;
                hold(!is_back, "the feed goes back")?;
                after = feed.next;
                read.extend(feed.revocations);
                if was_done && !feed.more {
                    return Ok::<_, Violation>(read);
                }
            }
        });
        let writers: Vec<u64> = (0..WRITERS).collect();
        let wrote = nodes.race(&writers, |store, writer| {
            let writer = *writer;
            Box::pin(async move {
                for number in 0..EACH {
                    let jti = format!("{writer}-{number}");
                    store.revoke_token(&jti, TENANT, ADA, at(1), at(100), &note("revoke")).await?;
                    let found = store.revocations(Position::default(), 1_000).await?.revocations;
                    let is_there = found
                        .iter()
                        .any(|told| matches!(&told.scope, Scope::Token(token) if **token == *jti));
                    if !is_there {
                        return Err(crate::ErrorKind::Integrity.into());
                    }
                }
                Ok(())
            })
        });
        is_done.store(true, Ordering::SeqCst);
        let read = reader.join().map_err(|_| Violation::new("a reader panicked"))?;
        all(wrote?)?;
        read
    })?;
    let mut tokens: Vec<Box<str>> = Vec::new();
    for told in read {
        if let Scope::Token(jti) = told.scope {
            tokens.push(jti);
        }
    }
    tokens.sort_unstable();
    let count = tokens.len();
    tokens.dedup();
    hold(tokens.len() == count, "a reader of the feed sees a revocation twice")?;
    hold(count as u64 == WRITERS * EACH, "a reader of the feed missed what was committed")
}

/// No more and no less.
///
/// # Errors
/// How the store breaks this.
pub fn an_entry_is_in_the_outbox_for_every_racing_write(nodes: &Nodes) -> Outcome {
    let numbers: Vec<u64> = (1..=24).collect();
    let answers = nodes.race(&numbers, |store, number| {
        let number = *number;
        Box::pin(async move {
            store.begin(&beginning(row(number, TENANT, ADA, START), START)).await?;
            store.rotate(&rotate(number, 0, at(1))).await?;
            let end = End::One { tenant: TENANT, subject: ADA, key: key(number) };
            store.end(end, Ended::LoggedOut, at(2), at(3), &note("end")).await.map(drop)
        })
    })?;
    all(answers)?;
    let mut numbers_given: Vec<u64> = nodes.entries()?.iter().map(|entry| entry.number).collect();
    let is_sorted = numbers_given.is_sorted();
    numbers_given.dedup();
    hold(is_sorted && numbers_given.len() == 3 * numbers.len(), "a racing write has no entry, or two")?;
    for number in numbers {
        let happened = happened(nodes, number)?;
        hold(
            happened == [Happening::Begun, Happening::Renewed, Happening::LoggedOut],
            "entries of one session are not in the order of its writes",
        )?;
    }
    Ok(())
}

fn store_rotate<'a>(store: &'a dyn crate::Store, ask: &'a Rotate) -> Answer<'a, Rotation> {
    Box::pin(async move { store.rotate(ask).await })
}

/// All answers, none of which may be an error.
pub(super) fn all<T>(answers: Vec<Result<T, Error>>) -> Result<Vec<T>, Violation> {
    Ok(answers.into_iter().collect::<Result<_, _>>()?)
}

/// What is on record of a session.
fn happened(nodes: &Nodes, number: u64) -> Result<Vec<Happening>, Violation> {
    let entries = nodes.entries()?.into_iter();
    Ok(entries
        .filter(|entry| entry.session.is_some_and(|id| id.key == key(number)))
        .map(|entry| entry.happening)
        .collect())
}
