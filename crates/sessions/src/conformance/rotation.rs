//! What becomes of a presented secret.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{
    Nodes, Outcome, Violation, hold,
    samples::{
        ACCESS, ADA, IDLE, LIFE, START, TENANT, at, beginning, key, millis, nonce, rotate,
        rotate_with_window, row, secret, selector,
    },
};
use crate::{
    Digest, End, Ended, ErrorKind, Facts, Happening, Revocation, Rotate, Rotation, Scope, StoredSession,
};

/// The session of an answer that rotated.
fn rotated(answer: Rotation) -> Result<crate::Session, Violation> {
    match answer {
        Rotation::Rotated(session) => Ok(session),
        _ => Err(Violation::new("the current secret is not exchanged")),
    }
}

/// The row, which has to be there.
fn found(nodes: &Nodes, number: u64) -> Result<StoredSession, Violation> {
    nodes.find(number)?.ok_or_else(|| Violation::new("a living session is not found"))
}

/// Demands that a session is gone, and that the end is told as a reuse.
fn is_ended_as_reused(nodes: &Nodes, answer: &Rotation, now: UnixTime) -> Outcome {
    hold(matches!(answer, Rotation::Reused(_)), "a secret that is not the current one is no reuse")?;
    hold(nodes.find(1)?.is_none(), "a session lives on after a reuse")?;
    let told = Revocation { scope: Scope::Session(key(1)), at: now, until: now.saturating_add(ACCESS) };
    hold(nodes.feed()?.contains(&told), "a reuse is not in the feed")?;
    let last = nodes.entries()?.pop();
    let is_told = last.is_some_and(|entry| {
        entry.happening == Happening::Reused
            && entry.at == now
            && entry.session.is_some_and(|id| id.key == key(1))
    });
    hold(is_told, "a reuse is not in the outbox")
}

/// And no other than the next one is current then.
///
/// # Errors
/// How the store breaks this.
pub fn the_current_secret_is_exchanged(nodes: &Nodes) -> Outcome {
    let id = nodes.begun(1, ADA, START)?;
    let session = rotated(nodes.rotate(&rotate(1, 0, at(60)))?)?;
    hold(session.id == id && session.generation == 1, "a rotated session has another name or generation")?;
    hold(
        session.seen == at(60) && session.idle_expires == at(60).saturating_add(IDLE),
        "a rotation is no use",
    )?;
    let row = found(nodes, 1)?;
    hold(row.session == session, "what is answered is not what is stored")?;
    hold(
        row.current == secret(1, 1) && row.previous.is_none() && row.nonce.is_none(),
        "not the next secret is current",
    )?;
    hold(row.selector == selector(1), "the selector has changed")?;
    let session = rotated(nodes.call(nodes.two.rotate(&rotate(1, 1, at(120))))?)?;
    hold(session.generation == 2, "a generation is left out or counted twice")?;
    let renewed = nodes.entries()?.into_iter().filter(|entry| entry.happening == Happening::Renewed);
    let renewed: Vec<_> = renewed.map(|entry| (entry.session, entry.at, entry.note)).collect();
    let note = super::samples::note("rotate");
    hold(
        renewed == [(Some(id), at(60), note.clone()), (Some(id), at(120), note)],
        "a rotation is not in the outbox",
    )?;
    hold(nodes.feed()?.is_empty(), "a rotation is a revocation")
}

/// The absolute end is never moved, and the idle end never beyond it.
///
/// # Errors
/// How the store breaks this.
pub fn a_rotation_keeps_the_end_of_a_session(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let end = START.saturating_add(LIFE);
    let mut now = START;
    for generation in 0..5 {
        now = now.saturating_add(IDLE - Duration::from_secs(1));
        let answer = nodes.rotate(&rotate(1, generation, now))?;
        if now >= end {
            return hold(matches!(answer, Rotation::Expired(_)), "a session lives beyond its end");
        }
        let session = rotated(answer)?;
        hold(session.expires == end, "a rotation moved the end of a session")?;
        hold(session.idle_expires == now.saturating_add(IDLE).min(end), "the idle end is not the next one")?;
        hold(found(nodes, 1)?.session == session, "what is answered is not what is stored")?;
    }
    hold(false, "a session lives beyond its end")
}

/// For cookies, whose text changes as a whole when privileges change.
///
/// # Errors
/// How the store breaks this.
pub fn a_rotation_may_change_selector_and_facts(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let facts = Facts { acr: Some("mfa".into()), roles: vec!["admin".into()], ..Facts::default() };
    let ask = Rotate { next_selector: Some(selector(50)), facts: Some(facts.clone()), ..rotate(1, 0, at(1)) };
    let session = rotated(nodes.rotate(&ask)?)?;
    hold(session.facts == facts, "the new facts are not answered")?;
    hold(nodes.find(1)?.is_none(), "the old selector still finds the session")?;
    let moved = nodes.call(nodes.two.find(&selector(50)))?;
    hold(
        moved.is_some_and(|row| row.session.facts == facts && row.selector == selector(50)),
        "it did not move",
    )?;
    hold(nodes.rotate(&rotate(1, 0, at(2)))? == Rotation::Unknown, "the old selector is still known")?;
    // And without being told, facts stay.
    let ask = Rotate { selector: selector(50), ..rotate(1, 1, at(3)) };
    hold(rotated(nodes.rotate(&ask)?)?.facts == facts, "facts are lost in a rotation")?;
    hold(
        nodes.end_one(1, at(4))? == 1 && nodes.call(nodes.two.find(&selector(50)))?.is_none(),
        "it did not end",
    )
}

/// It is another session's.
///
/// # Errors
/// How the store breaks this.
pub fn a_rotation_to_a_selector_that_is_taken_changes_nothing(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.begun(2, ADA, START)?;
    let (one, two) = (nodes.find(1)?, nodes.find(2)?);
    let ask = Rotate { next_selector: Some(selector(2)), ..rotate(1, 0, at(1)) };
    let answer = nodes.run(nodes.one.rotate(&ask))?;
    hold(answer.is_err_and(|error| error.kind() == ErrorKind::Integrity), "a selector is given twice")?;
    hold(nodes.find(1)? == one && nodes.find(2)? == two, "a refused rotation changed a row")?;
    hold(nodes.entries()?.len() == 2, "a refused rotation is on record")
}

/// No row, no revocation, no entry.
///
/// # Errors
/// How the store breaks this.
pub fn an_unknown_selector_changes_nothing(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let before = nodes.find(1)?;
    // With the right secret of another session, too.
    let ask = Rotate { selector: selector(2), ..rotate(1, 0, at(1)) };
    hold(nodes.rotate(&ask)? == Rotation::Unknown, "an unknown selector is known")?;
    hold(nodes.find(1)? == before && nodes.find(2)?.is_none(), "an unknown selector changed a row")?;
    hold(nodes.feed()?.is_empty() && nodes.entries()?.len() == 1, "an unknown selector is on record")
}

/// Whoever has the selector had the secret once, or has it from the store.
///
/// # Errors
/// How the store breaks this.
pub fn a_wrong_secret_ends_the_session(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let ask = Rotate { presented: secret(99, 99), ..rotate(1, 0, at(1)) };
    is_ended_as_reused(nodes, &nodes.rotate(&ask)?, at(1))?;
    let answer = nodes.rotate(&rotate(1, 0, at(2)))?;
    hold(matches!(answer, Rotation::Ended(_)), "the right secret is exchanged after a reuse")?;
    hold(nodes.entries()?.len() == 2 && nodes.feed()?.len() == 1, "a session ends twice")
}

/// One that was current once.
///
/// # Errors
/// How the store breaks this.
pub fn an_old_secret_ends_the_session(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    rotated(nodes.rotate(&rotate(1, 0, at(1)))?)?;
    rotated(nodes.rotate(&rotate(1, 1, at(2)))?)?;
    let answer = nodes.call(nodes.two.rotate(&rotate(1, 0, at(3))))?;
    is_ended_as_reused(nodes, &answer, at(3))?;
    let answer = nodes.rotate(&rotate(1, 2, at(4)))?;
    hold(matches!(answer, Rotation::Ended(_)), "the newest secret is exchanged after a reuse")
}

/// As often as it is asked for, and always with the same nonce.
///
/// # Errors
/// How the store breaks this.
pub fn inside_the_window_the_previous_secret_is_replayed(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let first = rotate_with_window(1, 0, at(1));
    let session = rotated(nodes.rotate(&first)?)?;
    let before = nodes.find(1)?;
    let entries = nodes.entries()?.len();
    let kept = before.as_ref().is_some_and(|row| {
        row.previous == Some(secret(1, 0)) && row.nonce == first.nonce && row.grace_until == at(11)
    });
    hold(kept, "the window is not kept")?;
    for (secs, number) in [(1, 70), (5, 71), (11, 72)] {
        // Each comes with a nonce and a next secret of its own, which are left aside.
        let ask = Rotate {
            nonce: Some(nonce(number)),
            next: secret(1, number),
            ..rotate_with_window(1, 0, at(secs))
        };
        let answer = nodes.call(nodes.two.rotate(&ask))?;
        let Rotation::Replayed { session: again, nonce } = answer else {
            return hold(false, "inside the window the previous secret is not replayed");
        };
        hold(Some(nonce) == first.nonce && again == session, "a replay is answered with another child")?;
    }
    hold(nodes.find(1)? == before && nodes.entries()?.len() == entries, "a replay changed something")?;
    rotated(nodes.rotate(&rotate_with_window(1, 1, at(12)))?).map(drop)
}

/// To the millisecond.
///
/// # Errors
/// How the store breaks this.
pub fn the_window_is_closed_at_its_end(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(1, 0, at(1)))?)?;
    let late = at(11).saturating_add(millis(1));
    let answer = nodes.rotate(&rotate_with_window(1, 0, late))?;
    is_ended_as_reused(nodes, &answer, late)
}

/// Not for the one before it, nor for any other.
///
/// # Errors
/// How the store breaks this.
pub fn the_window_is_for_the_previous_secret_alone(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(1, 0, at(1)))?)?;
    rotated(nodes.rotate(&rotate_with_window(1, 1, at(2)))?)?;
    let answer = nodes.rotate(&rotate_with_window(1, 0, at(3)))?;
    is_ended_as_reused(nodes, &answer, at(3))?;
    nodes.begun(2, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(2, 0, at(1)))?)?;
    let ask = Rotate { presented: secret(99, 99), ..rotate_with_window(2, 0, at(2)) };
    hold(matches!(nodes.rotate(&ask)?, Rotation::Reused(_)), "a window is open for any secret")
}

/// And its nonce is gone.
///
/// # Errors
/// How the store breaks this.
pub fn a_confirmed_window_is_closed(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(1, 0, at(1)))?)?;
    nodes.call(nodes.two.confirm(key(1), 1))?;
    let row = found(nodes, 1)?;
    hold(row.nonce.is_none() && row.previous.is_none(), "the nonce of a confirmed window is kept")?;
    hold(row.current == secret(1, 1) && row.session.generation == 1, "a confirmation changed the secret")?;
    nodes.call(nodes.two.confirm(key(77), 1))?;
    let answer = nodes.rotate(&rotate_with_window(1, 0, at(2)))?;
    is_ended_as_reused(nodes, &answer, at(2))
}

/// A late one, of a generation that is over, leaves the window of the next one open.
///
/// # Errors
/// How the store breaks this.
pub fn a_confirmation_is_for_its_generation(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.begun(2, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(1, 0, at(1)))?)?;
    rotated(nodes.rotate(&rotate_with_window(2, 0, at(1)))?)?;
    for generation in [0, 2] {
        nodes.call(nodes.two.confirm(key(1), generation))?;
    }
    nodes.call(nodes.two.confirm(key(2), 1))?;
    let answer = nodes.rotate(&rotate_with_window(1, 0, at(2)))?;
    hold(matches!(answer, Rotation::Replayed { .. }), "a window is closed by another confirmation")
}

/// Whether there was none when the secret was made, or there is none now.
///
/// # Errors
/// How the store breaks this.
pub fn without_a_window_there_is_no_replay(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    rotated(nodes.rotate(&rotate(1, 0, at(1)))?)?;
    let answer = nodes.rotate(&rotate_with_window(1, 0, at(1)))?;
    is_ended_as_reused(nodes, &answer, at(1))?;
    nodes.begun(2, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(2, 0, at(1)))?)?;
    let answer = nodes.rotate(&rotate(2, 0, at(1)))?;
    hold(matches!(answer, Rotation::Reused(_)), "a replay is answered where there is no window")
}

/// Else nothing changes, so that the owner is not thrown out by somebody who lacks the key; a wrong secret ends it all the same.
///
/// # Errors
/// How the store breaks this.
pub fn a_bound_credential_needs_what_it_is_bound_to(nodes: &Nodes) -> Outcome {
    let (right, wrong) = (Digest::from_bytes([7; 32]), Digest::from_bytes([8; 32]));
    let mut bound = row(1, TENANT, ADA, START);
    bound.binding = Some(right);
    nodes.begin(&beginning(bound, START))?;
    let before = nodes.find(1)?;
    for binding in [None, Some(wrong)] {
        let answer = nodes.rotate(&Rotate { binding, ..rotate(1, 0, at(1)) })?;
        hold(matches!(answer, Rotation::Unbound(_)), "a bound credential is exchanged without its binding")?;
    }
    hold(nodes.find(1)? == before && nodes.entries()?.len() == 1, "an unbound try changed something")?;
    let ask = Rotate { binding: Some(right), ..rotate_with_window(1, 0, at(2)) };
    rotated(nodes.rotate(&ask)?)?;
    hold(found(nodes, 1)?.binding == Some(right), "the binding is lost in a rotation")?;
    // The window is for the owner alone.
    let ask = Rotate { binding: Some(wrong), ..rotate_with_window(1, 0, at(3)) };
    is_ended_as_reused(nodes, &nodes.rotate(&ask)?, at(3))?;
    // What is bound to nothing takes any.
    nodes.begun(2, ADA, START)?;
    rotated(nodes.rotate(&Rotate { binding: Some(wrong), ..rotate(2, 0, at(1)) })?)?;
    hold(found(nodes, 2)?.binding.is_none(), "a rotation binds a session")
}

/// By idleness, or by age; and it is no reuse, whatever the secret.
///
/// # Errors
/// How the store breaks this.
pub fn an_expired_session_is_not_rotated(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    let mut young = row(2, TENANT, ADA, START);
    (young.session.expires, young.session.idle_expires) = (at(60), at(60));
    nodes.begin(&beginning(young, START))?;
    for (number, end) in [(1, START.saturating_add(IDLE)), (2, at(60))] {
        let before = nodes.find(number)?;
        for ask in
            [rotate(number, 0, end), rotate(number, 44, end), rotate(number, 0, end.saturating_add(LIFE))]
        {
            hold(
                matches!(nodes.rotate(&ask)?, Rotation::Expired(_)),
                "an expired session is not answered as that",
            )?;
        }
        hold(nodes.find(number)? == before, "an expired session was changed")?;
        rotated(nodes.rotate(&rotate(number, 0, end.saturating_sub(millis(1))))?)?;
    }
    hold(nodes.feed()?.is_empty(), "an expired session is revoked by a rotation")
}

/// However it ended, and without a second entry.
///
/// # Errors
/// How the store breaks this.
pub fn an_ended_session_is_not_rotated(nodes: &Nodes) -> Outcome {
    for number in 1..=4 {
        nodes.begun(number, ADA, START)?;
    }
    nodes.begun(5, "bob", START)?;
    nodes.end_one(1, at(1))?;
    nodes.end(End::Others { tenant: TENANT, subject: ADA, keep: key(3) }, Ended::Revoked, at(1))?;
    nodes.end_all(ADA, at(1))?;
    nodes.end(End::Everything, Ended::Revoked, at(1))?;
    let (entries, told) = (nodes.entries()?, nodes.feed()?);
    for number in 1..=5 {
        for ask in [rotate(number, 0, at(2)), rotate(number, 9, at(2))] {
            hold(
                matches!(nodes.rotate(&ask)?, Rotation::Ended(_)),
                "an ended session is not answered as that",
            )?;
        }
    }
    hold(nodes.entries()? == entries && nodes.feed()? == told, "an ended session ends again")
}

/// Two nodes, one of them ten minutes behind.
///
/// # Errors
/// How the store breaks this.
pub fn clocks_that_are_apart_shorten_and_lengthen_nothing(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, at(600))?;
    let first = rotated(nodes.rotate(&rotate_with_window(1, 0, at(600)))?)?;
    let session = rotated(nodes.call(nodes.two.rotate(&rotate_with_window(1, 1, START)))?)?;
    hold(
        session.seen == first.seen && session.idle_expires == first.idle_expires,
        "a clock behind shortens a session",
    )?;
    // The window that the node behind opened is long over for the other one.
    let answer = nodes.rotate(&rotate_with_window(1, 1, at(600)))?;
    is_ended_as_reused(nodes, &answer, at(600))?;
    // A window that a node ahead opened does not stay open for ten minutes on the one behind.
    nodes.begun(2, ADA, START)?;
    rotated(nodes.rotate(&rotate_with_window(2, 0, at(600)))?)?;
    let answer = nodes.call(nodes.two.rotate(&rotate_with_window(2, 0, START)))?;
    hold(matches!(answer, Rotation::Reused(_)), "a window is open for longer on a node whose clock is behind")
}
