//! What is revoked, and how it is told.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{
    Nodes, Outcome, Violation, hold,
    samples::{ACCESS, ADA, LIFE, START, TENANT, at, key, millis, note, rotate},
};
use crate::{Asked, End, Ended, Epochs, Position, Revocation, Scope, SessionId};

fn revoke(nodes: &Nodes, jti: &str, now: UnixTime) -> Outcome {
    nodes.call(nodes.one.revoke_token(jti, TENANT, ADA, now, now.saturating_add(ACCESS), &note("revoke")))
}

fn is_revoked(nodes: &Nodes, asked: Asked<'_>) -> Result<bool, Violation> {
    nodes.call(nodes.two.is_revoked(&asked))
}

const fn token(jti: &str, issued_at: UnixTime) -> Asked<'_> {
    Asked { jti: Some(jti), session: None, tenant: TENANT, subject: ADA, issued_at }
}

const fn of_session<'a>(id: SessionId, subject: &'a str, issued_at: UnixTime) -> Asked<'a> {
    Asked { jti: Some("any"), session: Some(id), tenant: TENANT, subject, issued_at }
}

/// By its id, byte by byte, and at once on every node.
///
/// # Errors
/// How the store breaks this.
pub fn a_revoked_token_is_revoked(nodes: &Nodes) -> Outcome {
    let id = nodes.begun(1, ADA, START)?;
    revoke(nodes, "t-1", at(1))?;
    hold(is_revoked(nodes, token("t-1", START))?, "a revoked token is not revoked")?;
    hold(
        is_revoked(nodes, Asked { session: Some(id), ..token("t-1", START) })?,
        "not with a session that lives",
    )?;
    for other in ["t-2", "T-1", "t-1 ", "t", "t-%", ""] {
        hold(!is_revoked(nodes, token(other, START))?, "a token is revoked by another one's id")?;
    }
    hold(
        !is_revoked(nodes, Asked { jti: None, ..token("t-1", START) })?,
        "a token without an id is revoked by one",
    )?;
    hold(!is_revoked(nodes, of_session(id, ADA, START))?, "a token's session is revoked with it")
}

/// Twice is as once: in the feed, and in the outbox.
///
/// # Errors
/// How the store breaks this.
pub fn a_token_is_revoked_once(nodes: &Nodes) -> Outcome {
    revoke(nodes, "t-1", at(1))?;
    revoke(nodes, "t-1", at(2))?;
    let told =
        Revocation { scope: Scope::Token("t-1".into()), at: at(1), until: at(1).saturating_add(ACCESS) };
    hold(nodes.feed()? == [told], "a token is not in the feed once")?;
    let entries = nodes.entries()?;
    let about: Vec<&str> = entries.iter().map(|entry| &*entry.about).collect();
    hold(about == ["t-1"], "a revoked token is not in the outbox once")
}

/// However it ended.
///
/// # Errors
/// How the store breaks this.
pub fn a_session_that_ended_is_revoked(nodes: &Nodes) -> Outcome {
    let ids = (1..=5).map(|number| nodes.begun(number, ADA, START)).collect::<Result<Vec<_>, _>>()?;
    let revoked = |nodes: &Nodes, at: UnixTime| {
        ids.iter().map(|id| is_revoked(nodes, of_session(*id, ADA, at))).collect::<Result<Vec<_>, _>>()
    };
    hold(revoked(nodes, START)? == [false; 5], "a session that lives is revoked")?;
    nodes.end_one(1, at(1))?;
    nodes.rotate(&rotate(2, 9, at(1)))?;
    hold(
        revoked(nodes, START)? == [true, true, false, false, false],
        "not exactly the ended sessions are revoked",
    )?;
    nodes.end(End::Others { tenant: TENANT, subject: ADA, keep: key(5) }, Ended::Revoked, at(2))?;
    hold(
        revoked(nodes, START)? == [true, true, true, true, false],
        "not exactly the other sessions are revoked",
    )?;
    // A token of the same second, and one that a node ahead issued.
    nodes.end_all(ADA, at(3))?;
    hold(revoked(nodes, at(3))? == [true; 5], "a session of an earlier epoch is not revoked")?;
    hold(
        revoked(nodes, at(300))? == [true; 5],
        "a session of an earlier epoch is not revoked for later tokens",
    )?;
    let next = nodes.begun(6, ADA, at(3))?;
    hold(
        !is_revoked(nodes, of_session(next, ADA, at(3)))?,
        "a session that began after the ending of all is revoked",
    )?;
    let bob = nodes.begun(7, "bob", START)?;
    hold(!is_revoked(nodes, of_session(bob, "bob", START))?, "somebody else's session is revoked")?;
    nodes.end(End::Everything, Ended::Revoked, at(4))?;
    hold(
        is_revoked(nodes, of_session(bob, "bob", at(5)))?,
        "a session of an earlier global epoch is not revoked",
    )
}

/// Unknown, or of epochs that it did not begin in.
///
/// # Errors
/// How the store breaks this.
pub fn an_unknown_session_is_revoked(nodes: &Nodes) -> Outcome {
    let id = nodes.begun(1, ADA, START)?;
    let unknown = SessionId { key: key(2), ..id };
    hold(is_revoked(nodes, of_session(unknown, ADA, START))?, "an unknown session is not revoked")?;
    for epochs in [Epochs { subject: 1, global: 0 }, Epochs { subject: 0, global: 1 }] {
        let claimed = SessionId { epochs, ..id };
        hold(
            is_revoked(nodes, of_session(claimed, ADA, START))?,
            "a session is believed in epochs of its own",
        )?;
    }
    hold(!is_revoked(nodes, of_session(id, ADA, START))?, "a session that lives is revoked")
}

/// The whole second, and never back, though a clock may be.
///
/// # Errors
/// How the store breaks this.
pub fn without_a_session_the_second_of_the_ending_counts(nodes: &Nodes) -> Outcome {
    hold(!is_revoked(nodes, token("t", START))?, "what was never ended is revoked")?;
    // START is 123 ms into its second: what was issued in the second of the ending dies, even if it was after it.
    nodes.end_all(ADA, at(10))?;
    let second = UnixTime::from_secs(at(10).as_secs());
    for (issued, dies) in [
        (START, true),
        (second, true),
        (second.saturating_add(millis(999)), true),
        (second.saturating_add(Duration::from_secs(1)), false),
    ] {
        hold(is_revoked(nodes, token("t", issued))? == dies, "not the second of the ending counts")?;
    }
    hold(!is_revoked(nodes, Asked { subject: "bob", ..token("t", START) })?, "somebody else's token dies")?;
    hold(!is_revoked(nodes, Asked { tenant: "south", ..token("t", START) })?, "another tenant's token dies")?;
    nodes.end_all(ADA, at(5))?;
    hold(is_revoked(nodes, token("t", second))?, "a clock that is behind brings tokens back")?;
    nodes.end(End::Everything, Ended::Revoked, at(20))?;
    nodes.end(End::Everything, Ended::Revoked, at(15))?;
    let bob = |issued_at| Asked { subject: "bob", ..token("t", issued_at) };
    hold(is_revoked(nodes, bob(at(20)))?, "the ending of everything leaves tokens alive")?;
    hold(!is_revoked(nodes, bob(at(21)))?, "the ending of everything kills later tokens")
}

/// Each kind, in the order in which it was written.
///
/// # Errors
/// How the store breaks this.
pub fn the_feed_tells_everything_in_order(nodes: &Nodes) -> Outcome {
    nodes.begun(1, ADA, START)?;
    nodes.begun(2, ADA, START)?;
    hold(nodes.feed()?.is_empty(), "the feed tells of what was not revoked")?;
    nodes.end_one(1, at(1))?;
    revoke(nodes, "t-1", at(2))?;
    nodes.rotate(&rotate(2, 9, at(3)))?;
    nodes.end_all(ADA, at(4))?;
    nodes.end(End::Everything, Ended::Revoked, at(5))?;
    nodes.end_all(ADA, at(6))?;
    let subject = |epoch| Scope::Subject { tenant: TENANT.into(), subject: ADA.into(), epoch };
    let scopes = [
        Scope::Session(key(1)),
        Scope::Token("t-1".into()),
        Scope::Session(key(2)),
        subject(1),
        Scope::Everything { epoch: 1 },
        subject(2),
    ];
    let expected = (1..).zip(scopes).map(|(secs, scope)| Revocation {
        scope,
        at: at(secs),
        until: at(secs).saturating_add(ACCESS),
    });
    hold(nodes.feed()? == expected.collect::<Vec<_>>(), "the feed is not what was revoked, in order")
}

/// None is left out or told twice, whatever the size of the pieces.
///
/// # Errors
/// How the store breaks this.
pub fn the_feed_is_read_in_pieces(nodes: &Nodes) -> Outcome {
    for number in 0..23 {
        revoke(nodes, &format!("t-{number}"), at(number))?;
    }
    let whole = nodes.feed()?;
    for limit in [1, 2, 7, 22, 23, 24] {
        let (mut after, mut read) = (Position::default(), Vec::new());
        loop {
            let feed = nodes.call(nodes.two.revocations(after, limit))?;
            hold(feed.revocations.len() <= limit, "a piece is longer than asked for")?;
            hold(!feed.more || feed.next > after, "the feed has more and does not go on")?;
            read.extend(feed.revocations);
            after = feed.next;
            if !feed.more {
                break;
            }
        }
        hold(read == whole, "a feed in pieces is not the whole feed")?;
        let end = nodes.call(nodes.one.revocations(after, limit))?;
        let is_end = end.revocations.is_empty() && end.next == after && !end.more;
        hold(is_end, "the end of the feed is not its end")?;
    }
    let after = nodes.call(nodes.two.revocations(Position::default(), 100))?.next;
    revoke(nodes, "last", at(50))?;
    let last = nodes.call(nodes.two.revocations(after, 100))?;
    let is_last = matches!(last.revocations.as_slice(), [told] if told.scope == Scope::Token("last".into()));
    hold(is_last && last.next > after, "the feed does not go on where it ended")
}

/// After a failover or from a backup, a store may have lost the positions that its readers stand at.
///
/// # Errors
/// How the store breaks this.
pub fn beyond_its_end_the_feed_sends_readers_back(nodes: &Nodes) -> Outcome {
    let of_nothing = nodes.call(nodes.two.revocations(Position(7), 10))?;
    hold(
        of_nothing.next == Position::default() && !of_nothing.more,
        "an empty feed has an end beyond its beginning",
    )?;
    revoke(nodes, "t-1", at(1))?;
    let end = nodes.call(nodes.one.revocations(Position::default(), 10))?.next;
    nodes.call(nodes.one.purge(at(100_000), Duration::ZERO))?;
    let far = end.0.saturating_add(1_000);
    for beyond in [end.0, end.0.saturating_add(1), far, u64::MAX] {
        let feed = nodes.call(nodes.two.revocations(Position(beyond), 10))?;
        hold(feed.revocations.is_empty() && !feed.more, "the feed goes on beyond its end")?;
        let is_told = feed.next >= end && feed.next.0 < beyond.max(far);
        hold(is_told, "a reader beyond the end of the feed is not told where it is")?;
    }
    Ok(())
}

/// And not after it; a reader who stands behind it goes on.
///
/// # Errors
/// How the store breaks this.
pub fn a_revocation_stays_until_its_end(nodes: &Nodes) -> Outcome {
    revoke(nodes, "short", at(1))?;
    revoke(nodes, "long", at(600))?;
    let between = nodes.call(nodes.two.revocations(Position::default(), 1))?.next;
    let end = at(1).saturating_add(ACCESS);
    nodes.call(nodes.one.purge(end, Duration::ZERO))?;
    hold(nodes.feed()?.len() == 2, "a revocation is deleted before its end is over")?;
    hold(is_revoked(nodes, token("short", START))?, "a token is believed again before its end is over")?;
    let purged = nodes.call(nodes.one.purge(end.saturating_add(millis(1)), Duration::ZERO))?;
    let left = nodes.feed()?;
    let is_left = matches!(left.as_slice(), [told] if told.scope == Scope::Token("long".into()));
    hold(purged == 1 && is_left, "not exactly the revocation past its end is deleted")?;
    let rest = nodes.call(nodes.two.revocations(between, 10))?;
    hold(
        rest.revocations == left && rest.next > between,
        "a reader loses its place when the feed is purged",
    )?;
    nodes.call(nodes.one.purge(at(100_000), Duration::ZERO))?;
    revoke(nodes, "next", at(100_001))?;
    let next = nodes.call(nodes.two.revocations(rest.next, 10))?;
    hold(next.revocations.len() == 1 && next.next > rest.next, "a position is given twice after a purge")
}

/// Counters would begin again.
///
/// # Errors
/// How the store breaks this.
pub fn epochs_count_and_are_never_forgotten(nodes: &Nodes) -> Outcome {
    hold(nodes.call(nodes.two.epochs(TENANT, ADA))? == Epochs::default(), "epochs do not begin at zero")?;
    for _ in 0..3 {
        nodes.end_all(ADA, START)?;
    }
    nodes.end(End::Everything, Ended::Revoked, START)?;
    nodes.end(End::Everything, Ended::Revoked, START)?;
    let later = START.saturating_add(LIFE * 10);
    while nodes.call(nodes.one.purge(later, Duration::ZERO))? > 0 {}
    let epochs = nodes.call(nodes.two.epochs(TENANT, ADA))?;
    hold(epochs == Epochs { subject: 3, global: 2 }, "epochs are not counted, or forgotten")?;
    hold(is_revoked(nodes, token("t", START))?, "the time of an ending is forgotten")?;
    let other = nodes.call(nodes.two.epochs(TENANT, "bob"))?;
    hold(other == Epochs { subject: 0, global: 2 }, "a subject has another one's epoch")
}
