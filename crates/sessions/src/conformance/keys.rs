//! How API keys are kept.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{
    Nodes, Outcome, Violation, hold,
    samples::{ADA, LIFE, START, TENANT, at, bytes, millis, note},
};
use crate::{Digest, ErrorKind, KeyId, KeyReplacement, StoredKey};

/// Key `number` of this subject.
pub(super) fn sample(number: u64, subject: &str, made: UnixTime) -> StoredKey {
    StoredKey {
        id: KeyId::from_bytes(bytes(10, number)),
        selector: Digest::from_bytes(bytes(11, number)),
        secret: Digest::from_bytes(bytes(12, number)),
        tenant: TENANT.into(),
        subject: subject.into(),
        name: format!("key {number}").into(),
        scopes: vec!["customer:read".into(), "customer:\"write\"".into()],
        made,
        expires: made.saturating_add(LIFE),
        used: None,
        ended: None,
    }
}

fn add(nodes: &Nodes, key: &StoredKey) -> Outcome {
    nodes.call(nodes.one.add_key(key, 1_000, &note("key")))
}

fn find(nodes: &Nodes, number: u64) -> Result<Option<StoredKey>, Violation> {
    nodes.call(nodes.two.find_key(&Digest::from_bytes(bytes(11, number))))
}

/// By its selector alone, and among its owner's.
///
/// # Errors
/// How the store breaks this.
pub fn a_key_is_found_as_it_was(nodes: &Nodes) -> Outcome {
    let first = sample(1, ADA, at(2));
    let mut second = sample(2, ADA, at(1));
    second.scopes = Vec::new();
    second.name = "ключ \"%\"".into();
    let mut third = sample(3, ADA, START);
    third.tenant = "south".into();
    third.scopes = (0..64).map(|n| format!("scope:{n}").into()).collect();
    for key in [&first, &second, &third] {
        add(nodes, key)?;
        let found = nodes.call(nodes.two.find_key(&key.selector))?;
        hold(found.as_ref() == Some(key), "what is found is not what was added")?;
        let other = nodes.call(nodes.two.find_key(&key.secret))?;
        hold(other.is_none(), "a key is found by its secret")?;
    }
    let theirs = nodes.call(nodes.two.keys(TENANT, ADA))?;
    hold(theirs == [second, first.clone()], "an owner's keys are not those, oldest first")?;
    hold(nodes.call(nodes.two.keys(TENANT, "bob"))?.is_empty(), "an owner has another one's keys")?;
    let same_id = StoredKey { selector: Digest::from_bytes([1; 32]), ..first.clone() };
    let same_selector = StoredKey { id: KeyId::from_bytes([1; 16]), ..first };
    for again in [same_id, same_selector] {
        let answer = nodes.run(nodes.one.add_key(&again, 1_000, &note("key")))?;
        hold(
            answer.is_err_and(|error| error.kind() == ErrorKind::Integrity),
            "an id or a selector is given twice",
        )?;
    }
    hold(nodes.entries()?.len() == 3, "a refused key is on record")
}

/// Living ones.
///
/// # Errors
/// How the store breaks this.
pub fn an_owner_has_as_many_keys_as_it_may(nodes: &Nodes) -> Outcome {
    let mut short = sample(1, ADA, START);
    short.expires = at(10);
    add(nodes, &short)?;
    add(nodes, &sample(2, ADA, START))?;
    add(nodes, &sample(3, "bob", START))?;
    let answer = nodes.run(nodes.one.add_key(&sample(4, ADA, at(9)), 2, &note("key")))?;
    hold(
        answer.is_err_and(|error| error.kind() == ErrorKind::TooMany),
        "an owner has more keys than it may",
    )?;
    hold(find(nodes, 4)?.is_none() && nodes.entries()?.len() == 3, "a refused key is added")?;
    // One that expired takes no room, nor does one that ended.
    nodes.call(nodes.one.add_key(&sample(5, ADA, at(10)), 2, &note("key")))?;
    nodes.call(nodes.one.end_key(TENANT, ADA, sample(2, ADA, START).id, at(11), &note("key")))?;
    nodes.call(nodes.one.add_key(&sample(6, ADA, at(12)), 2, &note("key")))
}

/// No longer than it would have anyway.
///
/// # Errors
/// How the store breaks this.
pub fn a_replaced_key_lives_on_for_a_while(nodes: &Nodes) -> Outcome {
    add(nodes, &sample(1, ADA, START))?;
    let replace = |old: u64, old_until: UnixTime, new: u64, now: UnixTime| {
        let replacement =
            KeyReplacement { old: sample(old, ADA, START).id, old_until, new: sample(new, ADA, now) };
        nodes.run(nodes.one.replace_key(&replacement, now, &note("key")))
    };
    hold(replace(1, at(60), 2, at(1))??, "a key is not replaced")?;
    let (old, new) = (find(nodes, 1)?, find(nodes, 2)?);
    hold(
        old.as_ref().is_some_and(|key| key.expires == at(60) && key.ended.is_none()),
        "not until when it was to live",
    )?;
    hold(new == Some(sample(2, ADA, at(1))), "the new key is not as it was")?;
    hold(replace(1, at(90), 3, at(2))?? && find(nodes, 1)? == old, "a replaced key lives for longer again")?;
    hold(!replace(1, at(90), 4, at(60))??, "a key is replaced that has expired")?;
    hold(!replace(99, at(90), 5, at(2))??, "a key is replaced that is not there")?;
    let taken = replace(2, at(90), 3, at(2))?;
    hold(taken.is_err_and(|error| error.kind() == ErrorKind::Integrity), "a key is made twice")?;
    hold(find(nodes, 2)? == new, "a refused replacement changed the old key")?;
    hold(find(nodes, 4)?.is_none() && find(nodes, 5)?.is_none(), "a refused replacement wrote a key")?;
    hold(nodes.entries()?.len() == 3, "a refused replacement is on record")
}

/// Not by somebody who knows its name.
///
/// # Errors
/// How the store breaks this.
pub fn a_key_is_replaced_and_ended_by_its_owner_alone(nodes: &Nodes) -> Outcome {
    let key = sample(1, ADA, START);
    add(nodes, &key)?;
    for (tenant, subject) in [("south", ADA), (TENANT, "bob"), (ADA, TENANT)] {
        let ended = nodes.call(nodes.one.end_key(tenant, subject, key.id, at(1), &note("key")))?;
        let new = StoredKey { tenant: tenant.into(), subject: subject.into(), ..sample(2, ADA, at(1)) };
        let replacement = KeyReplacement { old: key.id, old_until: at(2), new };
        let replaced = nodes.call(nodes.one.replace_key(&replacement, at(1), &note("key")))?;
        hold(!ended && !replaced, "a key is ended or replaced by somebody else")?;
    }
    hold(find(nodes, 1)? == Some(key) && find(nodes, 2)?.is_none(), "a refused call wrote something")?;
    hold(nodes.entries()?.len() == 1, "what did not happen is told")
}

/// And it is kept until it is purged, for its owner to see.
///
/// # Errors
/// How the store breaks this.
pub fn an_ended_key_stays_ended(nodes: &Nodes) -> Outcome {
    let key = sample(1, ADA, START);
    add(nodes, &key)?;
    let end = |now| nodes.call(nodes.one.end_key(TENANT, ADA, key.id, now, &note("key")));
    hold(end(at(1))?, "a living key is not ended")?;
    hold(!end(at(2))?, "a key ends twice")?;
    let ended = StoredKey { ended: Some(at(1)), ..key.clone() };
    hold(find(nodes, 1)? == Some(ended), "an ended key is not answered as that")?;
    let replacement = KeyReplacement { old: key.id, old_until: at(9), new: sample(2, ADA, at(3)) };
    let replaced = nodes.call(nodes.one.replace_key(&replacement, at(3), &note("key")))?;
    hold(!replaced, "an ended key is replaced")?;
    nodes.call(nodes.one.purge(at(61), Duration::from_secs(60)))?;
    hold(find(nodes, 1)?.is_some(), "an ended key is deleted too early")?;
    nodes.call(nodes.one.purge(at(61).saturating_add(millis(1)), Duration::from_secs(60)))?;
    hold(find(nodes, 1)?.is_none(), "an ended key is not deleted")
}

/// And is no change: nothing is told.
///
/// # Errors
/// How the store breaks this.
pub fn the_last_use_of_a_key_never_goes_back(nodes: &Nodes) -> Outcome {
    let key = sample(1, ADA, START);
    add(nodes, &key)?;
    for (secs, used) in [(60, 60), (30, 60), (120, 120)] {
        nodes.call(nodes.one.key_used(key.id, at(secs)))?;
        let found = find(nodes, 1)?.and_then(|key| key.used);
        hold(found == Some(at(used)), "the last use is not the last")?;
    }
    nodes.call(nodes.one.key_used(KeyId::from_bytes([9; 16]), at(1)))?;
    hold(nodes.entries()?.len() == 1, "a use is on record")
}
