//! What is told of every write.

use super::{
    Nodes, Outcome, hold,
    samples::{ADA, START, TENANT, at, beginning, key, note, rotate, row, selector},
};
use crate::{Begin, Digest, End, Ended, Entry, Happening, KeyReplacement, NewOnce, Rotation, WhenFull};

use super::keys::sample as api_key;

/// With all that is known of it.
///
/// # Errors
/// How the store breaks this.
pub fn every_write_has_its_entry(nodes: &Nodes) -> Outcome {
    let id = nodes.begun(1, ADA, START)?;
    nodes.rotate(&rotate(1, 0, at(1)))?;
    nodes.end_one(1, at(2))?;
    let second = nodes.begun(2, ADA, at(3))?;
    nodes.rotate(&rotate(2, 9, at(4)))?;
    nodes.end_all(ADA, at(5))?;
    nodes.end(End::Everything, Ended::CredentialChanged, at(6))?;
    nodes.call(nodes.one.revoke_token("t-1", TENANT, ADA, at(7), at(99), &note("token")))?;
    nodes.call(nodes.one.add_key(&api_key(1, ADA, at(8)), 10, &note("key")))?;
    let replacement =
        KeyReplacement { old: api_key(1, ADA, START).id, old_until: at(20), new: api_key(2, ADA, at(9)) };
    nodes.call(nodes.one.replace_key(&replacement, at(9), &note("key")))?;
    nodes.call(nodes.one.end_key(TENANT, ADA, api_key(2, ADA, START).id, at(10), &note("key")))?;
    let digest = Digest::from_bytes([4; 32]);
    let made = note("once");
    let new = NewOnce {
        digest,
        purpose: "verify_email",
        tenant: TENANT,
        subject: ADA,
        data: "ada@example.org",
        expires: at(99),
        now: at(11),
        note: &made,
    };
    nodes.call(nodes.one.put_once(&new))?;
    nodes.call(nodes.one.take_once(&digest, "verify_email", at(12), &made))?;
    let third = nodes.begun(3, ADA, at(13))?;
    nodes.end(End::One { tenant: TENANT, subject: ADA, key: key(3) }, Ended::Revoked, at(14))?;

    let expected = [
        (0, Happening::Begun, ADA, Some(id), "", "begin"),
        (1, Happening::Renewed, ADA, Some(id), "", "rotate"),
        (2, Happening::LoggedOut, ADA, Some(id), "logged_out", "end"),
        (3, Happening::Begun, ADA, Some(second), "", "begin"),
        (4, Happening::Reused, ADA, Some(second), "reused", "rotate"),
        (5, Happening::AllEnded, ADA, None, "revoked", "end"),
        (6, Happening::EverythingEnded, "", None, "credential_changed", "end"),
        (7, Happening::TokenRevoked, ADA, None, "t-1", "token"),
        (8, Happening::KeyMade, ADA, None, "key 1", "key"),
        (9, Happening::KeyReplaced, ADA, None, "key 2", "key"),
        (10, Happening::KeyEnded, ADA, None, "key 2", "key"),
        (11, Happening::OnceMade, ADA, None, "verify_email", "once"),
        (12, Happening::OnceUsed, ADA, None, "verify_email", "once"),
        (13, Happening::Begun, ADA, Some(third), "", "begin"),
        (14, Happening::Ended, ADA, Some(third), "revoked", "end"),
    ];
    let entries = nodes.entries()?;
    hold(entries.len() == expected.len(), "a write has no entry, or two")?;
    for (entry, (secs, happening, subject, session, about, text)) in entries.iter().zip(expected) {
        let tenant = if subject.is_empty() { "" } else { TENANT };
        let expected = Entry {
            number: entry.number,
            at: at(secs),
            happening,
            tenant: tenant.into(),
            subject: subject.into(),
            session,
            about: about.into(),
            note: note(text),
        };
        hold(*entry == expected, &format!("the entry of {} is not as it was", happening.as_str()))?;
    }
    Ok(())
}

/// Nor a revocation.
///
/// # Errors
/// How the store breaks this.
pub fn what_writes_nothing_has_no_entry(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.rotate(&rotate(9, 0, at(1)))?;
    let bound = crate::Rotate { now: at(100_000_000), ..rotate(1, 0, at(1)) };
    hold(
        matches!(nodes.rotate(&bound)?, Rotation::Expired(_)),
        "an expired session is not answered as that",
    )?;
    nodes.end_one(9, at(1))?;
    nodes.end(End::Others { tenant: TENANT, subject: ADA, keep: key(1) }, Ended::Revoked, at(1))?;
    nodes.call(nodes.one.confirm(key(1), 0))?;
    nodes.call(nodes.one.seen(key(1), at(2), at(3)))?;
    let refused = Begin {
        cap: super::samples::cap(1, WhenFull::Refuse),
        ..beginning(row(2, TENANT, ADA, at(2)), at(2))
    };
    nodes.begin(&refused)?;
    nodes.call(nodes.one.end_key(TENANT, ADA, api_key(1, ADA, START).id, at(2), &note("key")))?;
    let replacement =
        KeyReplacement { old: api_key(1, ADA, START).id, old_until: at(20), new: api_key(2, ADA, at(9)) };
    nodes.call(nodes.one.replace_key(&replacement, at(2), &note("key")))?;
    nodes.call(nodes.one.take_once(&selector(1), "verify_email", at(2), &note("once")))?;
    nodes.call(nodes.one.advance(TENANT, ADA, "totp", 1))?;
    nodes.call(nodes.one.find(&selector(1)))?;
    hold(nodes.entries()?.len() == 1 && nodes.feed()?.is_empty(), "what wrote nothing is told")
}

/// On every node, oldest first, no more than asked for.
///
/// # Errors
/// How the store breaks this.
pub fn entries_are_handed_out_until_they_are_delivered(nodes: &Nodes) -> Outcome {
    for number in 1..=7 {
        nodes.begun(number, ADA, at(number))?;
    }
    let all = nodes.entries()?;
    let first = nodes.call(nodes.one.pending(3))?;
    hold(Some(first.as_slice()) == all.get(..3), "not the oldest entries are handed out")?;
    hold(nodes.call(nodes.two.pending(3))? == first, "an entry is gone before it was delivered")?;
    let numbers: Vec<u64> =
        [1, 2, 4].iter().filter_map(|at: &usize| all.get(*at)).map(|entry| entry.number).collect();
    nodes.call(nodes.one.delivered(&numbers))?;
    // Twice, and what was never there, are no error.
    nodes.call(nodes.two.delivered(&numbers))?;
    nodes.call(nodes.two.delivered(&[u64::from(u32::MAX), 0]))?;
    nodes.call(nodes.two.delivered(&[]))?;
    let left: Vec<u64> = nodes.entries()?.iter().map(|entry| entry.number).collect();
    let expected = [0, 3, 5, 6].iter().filter_map(|at: &usize| all.get(*at)).map(|entry| entry.number);
    hold(left == expected.collect::<Vec<_>>(), "not exactly the delivered entries are gone")
}

/// Also after all were delivered: a delivery is known by its number.
///
/// # Errors
/// How the store breaks this.
pub fn numbers_go_up_and_are_never_given_twice(nodes: &Nodes) -> Outcome {
    let mut last = 0;
    for number in 1..=5 {
        nodes.begun(number, ADA, START)?;
        let entries = nodes.entries()?;
        let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
        hold(numbers.len() == 1 && numbers.iter().all(|given| *given > last), "a number is given twice")?;
        last = numbers.last().copied().unwrap_or(last);
        nodes.call(nodes.one.delivered(&numbers))?;
    }
    Ok(())
}
