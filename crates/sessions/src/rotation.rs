//! What becomes of a presented secret: one pure function, which every store obeys.

use std::{fmt, time::Duration};

use bartizan_core::UnixTime;

use crate::{Digest, Epochs, Facts, Note, Session, StoredSession};

/// The longest grace window.
pub(crate) const MAX_GRACE: Duration = Duration::from_secs(30);

/// A secret was presented and is to be exchanged for another.
#[derive(Clone)]
pub struct Rotate {
    /// The digest of the selector.
    pub selector: Digest,
    /// The digest of the secret that was presented.
    pub presented: Digest,
    /// The digest of the secret that takes its place.
    pub next: Digest,
    /// The digest of the selector that takes its place: for cookies, whose name changes as a whole.
    pub next_selector: Option<Digest>,
    /// What the next secret was derived with. None: there is no grace window.
    pub nonce: Option<[u8; 32]>,
    /// How long the window is open: zero, or at most 30 s.
    pub grace: Duration,
    /// How long the session lives on unused.
    pub idle: Duration,
    /// What the credential is bound to, as far as the caller has it.
    pub binding: Option<Digest>,
    /// What is known of the login from now on. None: as before.
    pub facts: Option<Facts>,
    /// The time, in whole milliseconds.
    pub now: UnixTime,
    /// Until when an access token issued before may live: for as long, the feed tells that the session ended.
    pub remember_until: UnixTime,
    /// What else the audit record says.
    pub note: Note,
}

/// Whether there is a nonce, and not which: with it, whoever has the presented secret has the next one.
impl fmt::Debug for Rotate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotate")
            .field("has_nonce", &self.nonce.is_some())
            .field("grace", &self.grace)
            .field("idle", &self.idle)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What became of it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// The next secret is valid. The session is as it is now.
    Rotated(Session),
    /// The window is open: derive the current secret again, with this nonce. Nothing was changed.
    Replayed {
        /// The session.
        session: Session,
        /// What the current secret was derived with.
        nonce: [u8; 32],
    },
    /// The secret is not the current one: somebody else has it, or had it. The session is ended, in the same transaction.
    Reused(Session),
    /// The credential is bound to something that was not shown. Nothing was changed.
    Unbound(Session),
    /// The session has expired.
    Expired(Session),
    /// The session was ended before.
    Ended(Session),
    /// There is no such selector. Nothing was changed.
    Unknown,
}

/// As the variant and its session, without the nonce.
impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, session) = match self {
            Self::Rotated(session) => ("Rotated", session),
            Self::Replayed { session, .. } => ("Replayed", session),
            Self::Reused(session) => ("Reused", session),
            Self::Unbound(session) => ("Unbound", session),
            Self::Expired(session) => ("Expired", session),
            Self::Ended(session) => ("Ended", session),
            Self::Unknown => return f.write_str("Unknown"),
        };
        f.debug_tuple(name).field(session).finish()
    }
}

/// What [`judge`] says of a row.
#[expect(
    clippy::large_enum_variant,
    reason = "It lives for one step of a transaction, and a replay must not pay for a box."
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Write this row and an [`Entry`](crate::Entry) of [`Renewed`](crate::Happening::Renewed), then answer `Rotated`.
    Rotate(Box<StoredSession>),
    /// Write this row, a revocation of the session and an entry of [`Reused`](crate::Happening::Reused), then answer `Reused`.
    End(Box<StoredSession>),
    /// Write nothing and answer this.
    Answer(Rotation),
}

/// What becomes of `row` when `ask` is asked of it, in a transaction that holds the row. `epochs` are those of its subject now.
///
/// A store may take a shorter way for a current, live and rightly bound secret; all other rows go through here.
#[must_use]
pub fn judge(row: &StoredSession, epochs: Epochs, ask: &Rotate) -> Judgement {
    let session = || row.session.clone();
    if row.ended.is_some() || row.session.id.epochs != epochs {
        return Judgement::Answer(Rotation::Ended(session()));
    }
    if ask.now >= row.session.expires || ask.now >= row.session.idle_expires {
        return Judgement::Answer(Rotation::Expired(session()));
    }
    let is_bound = row.binding.is_none() || row.binding == ask.binding;
    if ask.presented == row.current {
        if !is_bound {
            return Judgement::Answer(Rotation::Unbound(session()));
        }
        return Judgement::Rotate(Box::new(rotated(row, ask)));
    }
    // SECURITY: a window is only open for the secret directly before the current one, and only where the caller wants one.
    if let (Some(previous), Some(nonce)) = (&row.previous, row.nonce)
        && *previous == ask.presented
        && is_bound
        && is_open(row.grace_until, ask)
    {
        return Judgement::Answer(Rotation::Replayed { session: session(), nonce });
    }
    Judgement::End(Box::new(StoredSession {
        previous: None,
        nonce: None,
        ended: Some((ask.now, crate::Ended::Reused)),
        ..row.clone()
    }))
}

/// A node whose clock is behind does not open a window for longer than another one: before its beginning, as its own clock has it,
/// it is as closed as after its end.
fn is_open(until: UnixTime, ask: &Rotate) -> bool {
    !ask.grace.is_zero() && ask.now <= until && until.since(ask.now) <= MAX_GRACE + MAX_GRACE
}

fn rotated(row: &StoredSession, ask: &Rotate) -> StoredSession {
    let mut session = row.session.clone();
    session.generation += 1;
    session.seen = session.seen.max(ask.now);
    // A clock that is behind shortens nothing.
    session.idle_expires = session.idle_expires.max(ask.now.saturating_add(ask.idle)).min(session.expires);
    if let Some(facts) = &ask.facts {
        session.facts = facts.clone();
    }
    StoredSession {
        session,
        selector: ask.next_selector.unwrap_or(row.selector),
        current: ask.next,
        previous: ask.nonce.map(|_| row.current),
        nonce: ask.nonce,
        grace_until: ask.now.saturating_add(ask.grace),
        binding: row.binding,
        ended: None,
    }
}
