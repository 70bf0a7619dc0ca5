//! One-time tokens and one-way counters.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{
    Nodes, Outcome, Violation, hold,
    samples::{ADA, START, TENANT, at, bytes, millis, note},
};
use crate::{Digest, End, Ended, Happening, NewOnce, Taken};

const RESET: &str = "password_reset";

fn digest(number: u64) -> Digest {
    Digest::from_bytes(bytes(20, number))
}

fn put(nodes: &Nodes, number: u64, purpose: &str, subject: &str, expires: UnixTime) -> Outcome {
    let note = note("once");
    let new = NewOnce {
        digest: digest(number),
        purpose,
        tenant: TENANT,
        subject,
        data: "ada+\"x\"@example.org",
        expires,
        now: START,
        note: &note,
    };
    nodes.call(nodes.one.put_once(&new))
}

fn take(nodes: &Nodes, number: u64, purpose: &str, now: UnixTime) -> Result<Option<Taken>, Violation> {
    nodes.call(nodes.two.take_once(&digest(number), purpose, now, &note("take")))
}

/// And it carries what it was given.
///
/// # Errors
/// How the store breaks this.
pub fn a_one_time_token_is_taken_once(nodes: &Nodes) -> Outcome {
    put(nodes, 1, RESET, ADA, at(60))?;
    put(nodes, 2, RESET, "bob", at(60))?;
    hold(take(nodes, 9, RESET, at(1))?.is_none(), "a token is taken that there is not")?;
    let taken = Taken { tenant: TENANT.into(), subject: ADA.into(), data: "ada+\"x\"@example.org".into() };
    hold(take(nodes, 1, RESET, at(1))? == Some(taken), "what is taken is not what was put")?;
    hold(take(nodes, 1, RESET, at(1))?.is_none(), "a token is taken twice")?;
    let bob = take(nodes, 2, RESET, at(1))?.map(|taken| taken.subject);
    hold(bob.as_deref() == Some("bob"), "a token is gone with another one's")?;
    let used = nodes.entries()?.into_iter().filter(|entry| entry.happening == Happening::OnceUsed);
    let subjects: Vec<Box<str>> = used.map(|entry| entry.subject).collect();
    hold(subjects == [Box::from(ADA), Box::from("bob")], "a taking is not told, or one that was none")
}

/// A try for something else leaves it where it is.
///
/// # Errors
/// How the store breaks this.
pub fn a_one_time_token_is_for_one_purpose_and_until_its_end(nodes: &Nodes) -> Outcome {
    put(nodes, 1, RESET, ADA, at(60))?;
    hold(take(nodes, 1, "verify_email", at(1))?.is_none(), "a token is good for another purpose")?;
    hold(take(nodes, 1, RESET, at(60))?.is_none(), "a token is good after its end")?;
    hold(
        take(nodes, 1, RESET, at(60).saturating_sub(millis(1)))?.is_some(),
        "a refused try takes the token away",
    )?;
    put(nodes, 2, RESET, ADA, at(60))?;
    nodes.call(nodes.one.purge(at(120), Duration::from_secs(60)))?;
    hold(take(nodes, 2, RESET, at(1))?.is_some(), "a token is deleted too early")?;
    put(nodes, 3, RESET, ADA, at(60))?;
    nodes.call(nodes.one.purge(at(120).saturating_add(millis(1)), Duration::from_secs(60)))?;
    hold(take(nodes, 3, RESET, at(1))?.is_none(), "a token is not deleted")
}

/// Of the same purpose and subject, and no other.
///
/// # Errors
/// How the store breaks this.
pub fn a_newer_one_time_token_replaces_the_earlier(nodes: &Nodes) -> Outcome {
    put(nodes, 1, RESET, ADA, at(60))?;
    put(nodes, 2, "verify_email", ADA, at(60))?;
    put(nodes, 3, RESET, "bob", at(60))?;
    put(nodes, 4, RESET, ADA, at(60))?;
    hold(take(nodes, 1, RESET, at(1))?.is_none(), "an earlier token is still good")?;
    for (number, purpose) in [(2, "verify_email"), (3, RESET), (4, RESET)] {
        hold(
            take(nodes, number, purpose, at(1))?.is_some(),
            "a token is replaced by one that is not like it",
        )?;
    }
    Ok(())
}

/// A reset that was asked for before the sessions were ended is worth nothing after it.
///
/// # Errors
/// How the store breaks this.
pub fn a_one_time_token_dies_with_its_epoch(nodes: &Nodes) -> Outcome {
    put(nodes, 1, RESET, ADA, at(60))?;
    put(nodes, 2, RESET, "bob", at(60))?;
    nodes.end_all(ADA, at(1))?;
    hold(take(nodes, 1, RESET, at(2))?.is_none(), "a token of an earlier epoch is good")?;
    put(nodes, 3, RESET, ADA, at(60))?;
    hold(take(nodes, 3, RESET, at(2))?.is_some(), "a token of this epoch is not good")?;
    nodes.end(End::Everything, Ended::Revoked, at(3))?;
    hold(take(nodes, 2, RESET, at(4))?.is_none(), "a token of an earlier global epoch is good")
}

/// For each subject and name on its own, over the whole range that a time step can have.
///
/// # Errors
/// How the store breaks this.
pub fn a_counter_goes_up_only(nodes: &Nodes) -> Outcome {
    let advance = |tenant: &str, subject: &str, counter: &str, to: u64| {
        nodes.call(nodes.one.advance(tenant, subject, counter, to))
    };
    hold(!advance(TENANT, ADA, "totp", 0)?, "a counter moves to where it stands")?;
    hold(advance(TENANT, ADA, "totp", 56_666_667)?, "a counter does not go up")?;
    for to in [56_666_667, 56_666_666, 0] {
        hold(!advance(TENANT, ADA, "totp", to)?, "a counter goes back or stands still")?;
    }
    hold(advance(TENANT, ADA, "totp", 56_666_668)?, "a counter does not go up by one")?;
    for (tenant, subject, counter) in
        [("south", ADA, "totp"), (TENANT, "bob", "totp"), (TENANT, ADA, "totp2")]
    {
        hold(advance(tenant, subject, counter, 5)?, "a counter stands where another one does")?;
    }
    nodes.call(nodes.one.purge(START.saturating_add(super::samples::LIFE * 10), Duration::ZERO))?;
    hold(!advance(TENANT, ADA, "totp", 56_666_668)?, "a counter is forgotten")?;
    hold(advance(TENANT, ADA, "totp", 9_007_199_254_740_991)?, "a counter does not reach 2^53 - 1")?;
    hold(!advance(TENANT, ADA, "totp", 9_007_199_254_740_990)?, "a large counter is rounded")
}
