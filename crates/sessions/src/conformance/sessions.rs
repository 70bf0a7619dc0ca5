//! How sessions begin, are found, used, listed and ended.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{
    Nodes, Outcome, hold,
    samples::{
        ACCESS, ADA, IDLE, LIFE, START, TENANT, at, beginning, bytes, cap, key, millis, nonce, row, selector,
    },
};
use crate::{
    Begin, Begun, Digest, End, Ended, Epochs, ErrorKind, Facts, Kind, Revocation, Scope, Session, WhenFull,
    from_millis,
};

/// Every field is kept, read through another node.
///
/// # Errors
/// How the store breaks this.
pub fn what_begins_is_found_as_it_was(nodes: &Nodes) -> Outcome {
    let first = row(1, TENANT, ADA, START);
    let mut second = row(2, TENANT, ADA, START);
    second.session.kind = Kind::Cookie;
    second.session.facts = Facts::default();
    second.binding = Some(Digest::from_bytes([7; 32]));
    (second.previous, second.nonce) = (Some(Digest::from_bytes([8; 32])), Some(nonce(9)));
    second.grace_until = START.saturating_add(Duration::from_secs(10));
    // The longest times and the longest names.
    let mut third = row(3, &"n".repeat(255), &"é".repeat(127), from_millis(0));
    third.session.expires = from_millis(9_223_372_036_854);
    third.session.idle_expires = third.session.expires;
    third.session.generation = 9_007_199_254_740_992;
    for mut row in [first, second, third] {
        let begun = nodes.begin(&beginning(row.clone(), START))?;
        hold(begun == Begun::As(row.session.id), "a session does not begin under its name")?;
        let found = nodes.call(nodes.two.find(&row.selector))?;
        // Bytes of digests are compared one by one too: their equality is the crate's own.
        row.session.id.epochs = Epochs::default();
        hold(found.as_ref() == Some(&row), "what is found is not what began")?;
        let same = found.is_some_and(|found| found.current.as_bytes() == row.current.as_bytes());
        hold(same, "a digest is not what it was")?;
    }
    Ok(())
}

/// Its key, its secret or another selector find nothing.
///
/// # Errors
/// How the store breaks this.
pub fn a_session_is_found_by_its_selector_alone(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let mut padded = [0; 32];
    padded.iter_mut().zip(key(1).as_bytes()).for_each(|(to, from)| *to = *from);
    for wrong in [row(1, TENANT, ADA, START).current, selector(2), Digest::from_bytes(padded)] {
        hold(nodes.call(nodes.two.find(&wrong))?.is_none(), "a session is found by something else")?;
    }
    hold(nodes.find(1)?.is_some(), "a session is not found by its selector")
}

/// Case, blanks, wildcards, separators and composed letters make different names.
///
/// # Errors
/// How the store breaks this.
pub fn names_are_compared_byte_by_byte(nodes: &Nodes) -> Outcome {
    let names =
        ["ada", "Ada", "ada ", "a%", "a_a", "é", "e\u{301}", "a'b", "a\"b", "a:b", "a", "-", "a\\b", "{a}"];
    let mut number = 0;
    for tenant in names {
        for subject in names {
            number += 1;
            nodes.begin(&beginning(row(number, tenant, subject, START), START))?;
        }
    }
    number = 0;
    for tenant in names {
        for subject in names {
            number += 1;
            let listed = nodes.call(nodes.two.list(tenant, subject, START))?;
            let keys: Vec<_> = listed.iter().map(|session| session.id.key).collect();
            hold(keys == [key(number)], "two subjects are taken for one")?;
        }
    }
    nodes.end(End::All { tenant: "a:b", subject: "a" }, Ended::Revoked, at(1))?;
    let one = nodes.call(nodes.two.epochs("a:b", "a"))?;
    let other = nodes.call(nodes.two.epochs("a", "b:a"))?;
    hold((one.subject, other.subject) == (1, 0), "two subjects have one epoch")
}

/// They are random: one that is there already is a fault, and the row that has it stays.
///
/// # Errors
/// How the store breaks this.
pub fn a_key_and_a_selector_are_given_once(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let mut same_key = row(2, TENANT, "bob", START);
    same_key.session.id.key = key(1);
    let mut same_selector = row(3, TENANT, "bob", START);
    same_selector.selector = selector(1);
    for again in [same_key, same_selector] {
        let answer = nodes.run(nodes.one.begin(&beginning(again, START)))?;
        let is_refused = answer.is_err_and(|error| error.kind() == ErrorKind::Integrity);
        hold(is_refused, "a key or a selector is given twice")?;
    }
    hold(nodes.find(1)? == Some(row(1, TENANT, ADA, START)), "a refused beginning changed a row")?;
    hold(nodes.list("bob", START)?.is_empty(), "a refused beginning wrote a row")?;
    hold(nodes.entries()?.len() == 1, "a refused beginning wrote an entry")
}

/// Whatever the caller says.
///
/// # Errors
/// How the store breaks this.
pub fn a_session_is_of_the_epochs_in_which_it_begins(nodes: &Nodes) -> Outcome {
    for _ in 0..3 {
        nodes.end_all(ADA, START)?;
    }
    nodes.end(End::Everything, Ended::Revoked, START)?;
    let mut begun = row(1, TENANT, ADA, START);
    begun.session.id.epochs = Epochs { subject: 77, global: 78 };
    let answer = nodes.begin(&beginning(begun, START))?;
    let epochs = Epochs { subject: 3, global: 1 };
    let Begun::As(id) = answer else { return hold(false, "a session does not begin") };
    hold(id.epochs == epochs && id.key == key(1), "a session begins under another name")?;
    let found = nodes.find(1)?.map(|row| row.session.id);
    hold(found == Some(id), "a session is found under another name than it began")?;
    let bob = nodes.begun(2, "bob", START)?;
    hold(bob.epochs == Epochs { subject: 0, global: 1 }, "a subject has another one's epoch")
}

fn capped(number: u64, most: u32, when_full: WhenFull, now: UnixTime) -> Begin {
    Begin { cap: cap(most, when_full), ..beginning(row(number, TENANT, ADA, now), now) }
}

/// Not even the session that it was to replace ends.
///
/// # Errors
/// How the store breaks this.
pub fn one_session_too_many_is_refused_and_nothing_is_written(nodes: &Nodes) -> Outcome {
    for number in 1..=3 {
        let answer = nodes.begin(&capped(number, 3, WhenFull::Refuse, at(number)))?;
        hold(matches!(answer, Begun::As(_)), "a session that there is room for is refused")?;
    }
    nodes.begun(9, "bob", START)?;
    let mut begin = capped(4, 3, WhenFull::Refuse, at(4));
    begin.replaces = Some(selector(9));
    hold(nodes.begin(&begin)? == Begun::TooMany, "more sessions begin than there may be")?;
    hold(nodes.find(4)?.is_none() && nodes.find(9)?.is_some(), "a refused beginning wrote something")?;
    hold(nodes.list(ADA, at(4))?.len() == 3, "a refused beginning changed the list")?;
    hold(nodes.feed()?.is_empty() && nodes.entries()?.len() == 4, "a refused beginning is on record")?;
    // The one that it replaces makes the room.
    begin.replaces = Some(selector(2));
    hold(matches!(nodes.begin(&begin)?, Begun::As(_)), "a replaced session takes room")?;
    hold(nodes.find(2)?.is_none() && nodes.list(ADA, at(4))?.len() == 3, "a replaced session lives")
}

/// As many as it takes, and each of them is told.
///
/// # Errors
/// How the store breaks this.
pub fn one_session_too_many_ends_the_one_not_used_for_longest(nodes: &Nodes) -> Outcome {
    for number in 1..=4 {
        nodes.begin(&capped(number, 4, WhenFull::EndOldest, at(number)))?;
    }
    // The first is used last.
    nodes.call(nodes.one.seen(key(1), at(10), at(10).saturating_add(IDLE)))?;
    hold(
        matches!(nodes.begin(&capped(5, 3, WhenFull::EndOldest, at(11)))?, Begun::As(_)),
        "no room is made",
    )?;
    let alive: Vec<bool> =
        (1..=5).map(|n| nodes.find(n).map(|row| row.is_some())).collect::<Result<_, _>>()?;
    hold(alive == [true, false, false, true, true], "not the sessions that were not used for longest end")?;
    let until = at(11).saturating_add(ACCESS);
    let told = nodes.feed()?;
    let expected = [2, 3].map(|n| Revocation { scope: Scope::Session(key(n)), at: at(11), until });
    hold(
        told.len() == 2 && expected.iter().all(|one| told.contains(one)),
        "a crowded session is not in the feed",
    )?;
    let crowded = nodes.entries()?.into_iter().filter(|entry| *entry.about == *"crowded").count();
    hold(crowded == 2, "a crowded session is not in the outbox")
}

/// Ended, expired, of an earlier epoch, or another subject's.
///
/// # Errors
/// How the store breaks this.
pub fn sessions_that_do_not_live_take_no_room(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.end_all(ADA, START)?;
    nodes.begun(2, ADA, START)?;
    nodes.end_one(2, START)?;
    let mut idle = row(3, TENANT, ADA, START);
    idle.session.idle_expires = at(5);
    nodes.begin(&beginning(idle, START))?;
    let mut old = row(4, TENANT, ADA, START);
    (old.session.idle_expires, old.session.expires) = (at(5), at(5));
    nodes.begin(&beginning(old, START))?;
    nodes.begun(5, "bob", START)?;
    nodes.begin(&beginning(row(6, "south", ADA, START), START))?;
    let begin = capped(7, 1, WhenFull::Refuse, at(5));
    hold(matches!(nodes.begin(&begin)?, Begun::As(_)), "a session that does not live takes room")?;
    hold(
        nodes.begin(&capped(8, 1, WhenFull::Refuse, at(5)))? == Begun::TooMany,
        "a living session takes no room",
    )
}

/// Whoever's it is; one that does not live is not ended again.
///
/// # Errors
/// How the store breaks this.
pub fn the_replaced_session_ends_with_the_beginning(nodes: &Nodes) -> Outcome {
    let bob = nodes.begun(1, "bob", START)?;
    let begin = Begin { replaces: Some(selector(1)), ..beginning(row(2, TENANT, ADA, at(1)), at(1)) };
    nodes.begin(&begin)?;
    hold(nodes.find(1)?.is_none() && nodes.find(2)?.is_some(), "the replaced session lives")?;
    let told = Revocation { scope: Scope::Session(key(1)), at: at(1), until: at(1).saturating_add(ACCESS) };
    hold(nodes.feed()? == [told], "the replaced session is not in the feed")?;
    let entries = nodes.entries()?;
    let ended = entries.iter().find(|entry| entry.session == Some(bob) && *entry.about == *"replaced");
    hold(ended.is_some_and(|entry| *entry.subject == *"bob"), "the replaced session is not in the outbox")?;
    let begin = Begin { replaces: Some(selector(1)), ..beginning(row(3, TENANT, ADA, at(2)), at(2)) };
    nodes.begin(&begin)?;
    let begin = Begin { replaces: Some(selector(99)), ..beginning(row(4, TENANT, ADA, at(3)), at(3)) };
    nodes.begin(&begin)?;
    hold(nodes.feed()?.len() == 1 && nodes.entries()?.len() == 5, "what did not live is ended again")
}

/// A clock that is behind shortens nothing, and no use lengthens the absolute end.
///
/// # Errors
/// How the store breaks this.
pub fn a_use_moves_times_forward_only(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let times = |nodes: &Nodes| -> Result<_, super::Violation> {
        Ok(nodes.find(1)?.map(|row| (row.session.seen, row.session.idle_expires, row.session.expires)))
    };
    let (idle, end) = (START.saturating_add(IDLE), START.saturating_add(LIFE));
    let later = idle.saturating_add(Duration::from_secs(60));
    nodes.call(nodes.one.seen(key(1), at(60), later))?;
    hold(times(nodes)? == Some((at(60), later, end)), "a use is not noted")?;
    nodes.call(nodes.one.seen(key(1), at(30), idle))?;
    hold(times(nodes)? == Some((at(60), later, end)), "a use moved a time back")?;
    nodes.call(nodes.one.seen(key(1), at(90), end.saturating_add(IDLE)))?;
    hold(times(nodes)? == Some((at(90), end, end)), "a use moved a session beyond its end")?;
    hold(nodes.entries()?.len() == 1, "a use has an entry in the outbox")
}

/// Neither what ended nor what expired.
///
/// # Errors
/// How the store breaks this.
pub fn a_use_revives_nothing(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let late = START.saturating_add(IDLE);
    nodes.call(nodes.one.seen(key(1), late, late.saturating_add(IDLE)))?;
    hold(nodes.list(ADA, late)?.is_empty(), "a use revived a session that had expired")?;
    nodes.begun(2, ADA, START)?;
    nodes.end_one(2, at(1))?;
    nodes.call(nodes.one.seen(key(2), at(2), at(2).saturating_add(IDLE)))?;
    hold(nodes.find(2)?.is_none(), "a use revived a session that had ended")?;
    nodes.begun(3, "bob", START)?;
    nodes.end_all("bob", at(1))?;
    nodes.call(nodes.one.seen(key(3), at(2), at(2).saturating_add(IDLE)))?;
    hold(nodes.find(3)?.is_none() && nodes.list("bob", at(2))?.is_empty(), "a use revived an earlier epoch")
}

/// Exactly those that live at the given time, with all that is known of them.
///
/// # Errors
/// How the store breaks this.
pub fn living_sessions_are_listed_last_used_first(nodes: &Nodes) -> Outcome {
    for number in 1..=5 {
        let mut row = row(number, TENANT, ADA, at(number));
        row.session.idle_expires = at(100 + number);
        nodes.begin(&beginning(row, at(number)))?;
    }
    nodes.call(nodes.one.seen(key(2), at(50), at(102)))?;
    nodes.end_one(4, at(51))?;
    let keys = |sessions: Vec<Session>| sessions.iter().map(|session| session.id.key).collect::<Vec<_>>();
    let listed = keys(nodes.list(ADA, at(52))?);
    hold(listed == [key(2), key(5), key(3), key(1)], "the list is not the living sessions, last used first")?;
    let almost = at(103).saturating_sub(millis(1));
    hold(
        keys(nodes.list(ADA, almost)?) == [key(5), key(3)],
        "an expired session is listed, or a living one not",
    )?;
    hold(keys(nodes.list(ADA, at(103))?) == [key(5)], "a session lives in the millisecond of its end")?;
    let whole = nodes.list(ADA, at(103))?.into_iter().next();
    hold(whole == nodes.find(5)?.map(|row| row.session), "a listed session is not what is found")
}

/// Ending it again changes and tells nothing.
///
/// # Errors
/// How the store breaks this.
pub fn one_session_ends_and_stays_ended(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.begun(2, ADA, START)?;
    hold(nodes.end_one(1, at(1))? == 1, "the session that ended is not counted")?;
    hold(nodes.find(1)?.is_none() && nodes.find(2)?.is_some(), "another session ended, or none")?;
    let told = Revocation { scope: Scope::Session(key(1)), at: at(1), until: at(1).saturating_add(ACCESS) };
    hold(nodes.feed()? == [told], "the end is not in the feed")?;
    hold(nodes.end_one(1, at(2))? == 0, "a session ends twice")?;
    hold(nodes.end_one(77, at(2))? == 0, "a session that is not there ends")?;
    hold(nodes.feed()?.len() == 1 && nodes.entries()?.len() == 3, "a second ending is told")?;
    nodes.end_all(ADA, at(3))?;
    nodes.begun(3, ADA, at(4))?;
    hold(nodes.find(1)?.is_none() && nodes.find(2)?.is_none(), "what ended lives again")
}

/// Not by somebody who knows its name.
///
/// # Errors
/// How the store breaks this.
pub fn a_session_is_ended_by_its_owner_alone(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    for (tenant, subject) in [("south", ADA), (TENANT, "bob"), (ADA, TENANT)] {
        for why in [Ended::LoggedOut, Ended::Revoked] {
            let ended = nodes.end(End::One { tenant, subject, key: key(1) }, why, at(1))?;
            hold(ended == 0, "a session is ended by somebody else")?;
        }
        let others = nodes.end(End::Others { tenant, subject, keep: key(9) }, Ended::Revoked, at(1))?;
        hold(others == 0, "a session is among somebody else's")?;
    }
    hold(nodes.find(1)?.is_some(), "a session is ended by somebody else")?;
    hold(nodes.feed()?.is_empty() && nodes.entries()?.len() == 1, "what did not happen is told")
}

/// An access token may outlive its session by some minutes.
///
/// # Errors
/// How the store breaks this.
pub fn an_expired_session_is_ended_too(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let late = START.saturating_add(LIFE);
    hold(nodes.end_one(1, late)? == 1, "an expired session is not ended")?;
    let scopes: Vec<_> = nodes.feed()?.into_iter().map(|revocation| revocation.scope).collect();
    hold(scopes == [Scope::Session(key(1))], "the end of an expired session is not in the feed")
}

/// The one that stays, stays as it was.
///
/// # Errors
/// How the store breaks this.
pub fn all_other_sessions_end(nodes: &Nodes) -> Outcome {
    for number in 1..=4 {
        nodes.begun(number, ADA, START)?;
    }
    nodes.begun(5, "bob", START)?;
    nodes.end_one(4, at(1))?;
    let kept = nodes.find(2)?;
    let ended =
        nodes.end(End::Others { tenant: TENANT, subject: ADA, keep: key(2) }, Ended::Revoked, at(2))?;
    hold(ended == 2, "not those that lived are counted")?;
    let alive: Vec<bool> =
        (1..=5).map(|n| nodes.find(n).map(|row| row.is_some())).collect::<Result<_, _>>()?;
    hold(alive == [false, true, false, false, true], "not exactly the others ended")?;
    hold(nodes.find(2)? == kept, "the session that stays has changed")?;
    let ends = nodes.entries()?.into_iter().filter(|entry| *entry.about == *"revoked");
    let mut ends: Vec<_> = ends.filter_map(|entry| entry.session.map(|id| id.key)).collect();
    ends.sort_unstable();
    let mut expected = [key(1), key(3)];
    expected.sort_unstable();
    hold(ends == expected && nodes.feed()?.len() == 3, "an ending is not told")
}

/// One step for all of them, with one entry and one revocation.
///
/// # Errors
/// How the store breaks this.
pub fn all_sessions_of_a_subject_end_by_its_epoch(nodes: &Nodes) -> Outcome {
    for number in 1..=3 {
        nodes.begun(number, ADA, START)?;
    }
    nodes.begun(4, "bob", START)?;
    nodes.end_one(3, START)?;
    let (entries, told) = (nodes.entries()?.len(), nodes.feed()?.len());
    hold(nodes.end_all(ADA, at(1))? == 2, "not those that lived are counted")?;
    let alive: Vec<bool> =
        (1..=4).map(|n| nodes.find(n).map(|row| row.is_some())).collect::<Result<_, _>>()?;
    hold(alive == [false, false, false, true], "not exactly the subject's sessions ended")?;
    hold(nodes.list(ADA, at(1))?.is_empty(), "a session of an earlier epoch is listed")?;
    let feed = nodes.feed()?;
    let scope = Scope::Subject { tenant: TENANT.into(), subject: ADA.into(), epoch: 1 };
    let expected = Revocation { scope, at: at(1), until: at(1).saturating_add(ACCESS) };
    hold(feed.len() == told + 1 && feed.last() == Some(&expected), "the new epoch is not in the feed")?;
    let last = nodes.entries()?.split_off(entries);
    let is_told = last.len() == 1
        && last.iter().all(|entry| {
            entry.happening == crate::Happening::AllEnded
                && entry.session.is_none()
                && *entry.about == *"revoked"
        });
    hold(is_told, "the ending of all is not one entry")?;
    hold(nodes.end_all(ADA, at(2))? == 0, "what did not live is counted")?;
    let again = nodes.begun(5, ADA, at(3))?;
    hold(again.epochs.subject == 2 && nodes.find(5)?.is_some(), "no session begins after an ending")
}

/// Everybody's.
///
/// # Errors
/// How the store breaks this.
pub fn everything_ends_by_the_global_epoch(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.begun(2, "bob", START)?;
    nodes.begin(&beginning(row(3, "south", ADA, START), START))?;
    hold(nodes.end(End::Everything, Ended::Revoked, at(1))? == 3, "not those that lived are counted")?;
    for number in 1..=3 {
        hold(nodes.find(number)?.is_none(), "a session of an earlier global epoch is found")?;
    }
    let scopes: Vec<_> = nodes.feed()?.into_iter().map(|revocation| revocation.scope).collect();
    hold(scopes == [Scope::Everything { epoch: 1 }], "the new epoch is not in the feed")?;
    let told = nodes.entries()?.pop();
    let is_told = told.is_some_and(|entry| {
        entry.happening == crate::Happening::EverythingEnded
            && entry.tenant.is_empty()
            && entry.subject.is_empty()
    });
    hold(is_told, "the ending of everything is not in the outbox")?;
    let again = nodes.begun(4, ADA, at(2))?;
    hold(again.epochs == Epochs { subject: 0, global: 1 }, "a session begins in an earlier epoch")?;
    hold(nodes.find(4)?.is_some(), "no session begins after an ending")
}

/// A row that is still of use stays, whatever else is deleted.
///
/// # Errors
/// How the store breaks this.
pub fn purging_deletes_what_no_longer_matters_and_nothing_else(nodes: &Nodes) -> Outcome {
    let day = Duration::from_secs(86_400);
    let now = START.saturating_add(day);
    nodes.begun(1, ADA, START)?;
    // Expired and ended just so long ago that they stay, and one millisecond longer.
    for (number, ago) in [(2, day), (3, day + millis(1))] {
        let mut row = row(number, TENANT, ADA, START);
        row.session.idle_expires = now.saturating_sub(ago);
        nodes.begin(&beginning(row, START))?;
    }
    for (number, ago) in [(4, day), (5, day + millis(1))] {
        nodes.begun(number, ADA, START)?;
        nodes.end_one(number, now.saturating_sub(ago))?;
    }
    let mut window = row(6, TENANT, ADA, START);
    (window.previous, window.nonce) = (Some(Digest::from_bytes(bytes(9, 9))), Some(nonce(6)));
    window.grace_until = now.saturating_sub(millis(1));
    nodes.begin(&beginning(window, START))?;
    // Three sessions' rows can still be used; two revocations have passed their end.
    let deleted = nodes.call(nodes.one.purge(now, day))?;
    hold(deleted == 4, "not two sessions and two revocations are deleted")?;
    for (number, is_there) in [(1, true), (2, true), (3, false), (6, true)] {
        hold(
            nodes.find(number)?.is_some() == is_there,
            "a row is deleted that matters, or one is not that does not",
        )?;
    }
    let closed = nodes.find(6)?.is_some_and(|row| row.previous.is_none() && row.nonce.is_none());
    hold(closed, "the nonce of a closed window is kept")?;
    hold(nodes.call(nodes.one.purge(now, day))? == 0, "what is deleted is deleted again")
}

/// Its health is asked for by readiness checks.
///
/// # Errors
/// How the store breaks this.
pub fn a_store_answers(nodes: &Nodes) -> Outcome {
    nodes.call(nodes.one.health())?;
    nodes.call(nodes.two.health())
}
