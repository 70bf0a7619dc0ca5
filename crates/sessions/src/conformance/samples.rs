//! What the cases begin with.

use std::time::Duration;

use bartizan_core::UnixTime;

use super::{Nodes, Violation};
use crate::{
    Begin, Begun, Cap, Device, Digest, End, Ended, Epochs, Facts, Kind, Note, Position, Revocation, Rotate,
    Rotation, Session, SessionId, SessionKey, StoredSession, from_millis,
};

/// When everything begins.
pub(crate) const START: UnixTime = from_millis(1_700_000_000_123);
pub(crate) const IDLE: Duration = Duration::from_secs(7 * 24 * 3_600);
pub(crate) const LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);
pub(crate) const ACCESS: Duration = Duration::from_secs(900);
pub(crate) const TENANT: &str = "north";
pub(crate) const ADA: &str = "ada";

pub(crate) fn at(secs: u64) -> UnixTime {
    START.saturating_add(Duration::from_secs(secs))
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Bytes that differ for every number and every part.
pub(crate) fn bytes<const N: usize>(part: u8, number: u64) -> [u8; N] {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(part) << 56);
    let mut filled = [0; N];
    for byte in &mut filled {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        *byte = (mixed >> 56) as u8;
    }
    filled
}

pub(crate) fn key(number: u64) -> SessionKey {
    SessionKey::from_bytes(bytes(1, number))
}

pub(crate) fn selector(number: u64) -> Digest {
    Digest::from_bytes(bytes(2, number))
}

/// The secret of this generation of a session; secrets that were never given out are those of high generations.
pub(crate) fn secret(number: u64, generation: u64) -> Digest {
    Digest::from_bytes(bytes(3, number.wrapping_mul(1_000_003).wrapping_add(generation)))
}

pub(crate) fn nonce(number: u64) -> [u8; 32] {
    bytes(4, number)
}

pub(crate) fn note(text: &str) -> Note {
    Note(format!(r#"{{"request":"{text}"}}"#).into())
}

/// The row of session `number`, of a subject, begun at `now`.
pub(crate) fn row(number: u64, tenant: &str, subject: &str, now: UnixTime) -> StoredSession {
    let facts = Facts {
        auth_time: Some(now.as_secs()),
        acr: Some("urn:example:2".into()),
        amr: vec!["pwd".into(), "otp".into()],
        roles: vec!["doctor".into(), "ärztin".into()],
        teams: vec!["ward 3".into()],
        client: Some("web".into()),
        device: Device::named("Firefox \"on\" Linux").at("2001:db8::1"),
    };
    let session = Session {
        id: SessionId { key: key(number), epochs: Epochs::default() },
        kind: Kind::Refresh,
        tenant: tenant.into(),
        subject: subject.into(),
        begun: now,
        seen: now,
        idle_expires: now.saturating_add(IDLE),
        expires: now.saturating_add(LIFE),
        generation: 0,
        facts,
    };
    StoredSession {
        session,
        selector: selector(number),
        current: secret(number, 0),
        previous: None,
        nonce: None,
        grace_until: from_millis(0),
        binding: None,
        ended: None,
    }
}

pub(crate) fn beginning(row: StoredSession, now: UnixTime) -> Begin {
    Begin {
        row,
        cap: None,
        replaces: None,
        remember_until: now.saturating_add(ACCESS),
        now,
        note: note("begin"),
    }
}

pub(crate) const fn cap(most: u32, when_full: crate::WhenFull) -> Option<Cap> {
    Some(Cap { most, when_full })
}

/// The exchange of generation `from` of a session for the next one, without a window.
pub(crate) fn rotate(number: u64, from: u64, now: UnixTime) -> Rotate {
    Rotate {
        selector: selector(number),
        presented: secret(number, from),
        next: secret(number, from + 1),
        next_selector: None,
        nonce: None,
        grace: Duration::ZERO,
        idle: IDLE,
        binding: None,
        facts: None,
        now,
        remember_until: now.saturating_add(ACCESS),
        note: note("rotate"),
    }
}

/// The same with a window of ten seconds.
pub(crate) fn rotate_with_window(number: u64, from: u64, now: UnixTime) -> Rotate {
    let nonce = nonce(number.wrapping_mul(31).wrapping_add(from));
    Rotate { nonce: Some(nonce), grace: Duration::from_secs(10), ..rotate(number, from, now) }
}

/// Short names for the calls that most cases make. Reads go through the other node than writes.
impl Nodes {
    pub(crate) fn begin(&self, begin: &Begin) -> Result<Begun, Violation> {
        self.call(self.one.begin(begin))
    }

    /// Session `number` of this subject begins.
    pub(crate) fn begun(&self, number: u64, subject: &str, now: UnixTime) -> Result<SessionId, Violation> {
        match self.begin(&beginning(row(number, TENANT, subject, now), now))? {
            Begun::As(id) => Ok(id),
            Begun::TooMany => Err(Violation::new("a session without a limit does not begin")),
        }
    }

    pub(crate) fn rotate(&self, ask: &Rotate) -> Result<Rotation, Violation> {
        self.call(self.one.rotate(ask))
    }

    pub(crate) fn find(&self, number: u64) -> Result<Option<StoredSession>, Violation> {
        self.call(self.two.find(&selector(number)))
    }

    pub(crate) fn list(&self, subject: &str, now: UnixTime) -> Result<Vec<Session>, Violation> {
        self.call(self.two.list(TENANT, subject, now))
    }

    pub(crate) fn end(&self, end: End<'_>, why: Ended, now: UnixTime) -> Result<u64, Violation> {
        self.call(self.one.end(end, why, now, now.saturating_add(ACCESS), &note("end")))
    }

    pub(crate) fn end_one(&self, number: u64, now: UnixTime) -> Result<u64, Violation> {
        self.end(End::One { tenant: TENANT, subject: ADA, key: key(number) }, Ended::LoggedOut, now)
    }

    pub(crate) fn end_all(&self, subject: &str, now: UnixTime) -> Result<u64, Violation> {
        self.end(End::All { tenant: TENANT, subject }, Ended::Revoked, now)
    }

    /// The whole feed.
    pub(crate) fn feed(&self) -> Result<Vec<Revocation>, Violation> {
        let (mut after, mut all) = (Position::default(), Vec::new());
        loop {
            let feed = self.call(self.two.revocations(after, 100))?;
            let is_stuck = feed.more && feed.next <= after;
            all.extend(feed.revocations);
            if !feed.more {
                return Ok(all);
            }
            if is_stuck {
                return Err(Violation::new("the feed has more and does not go on"));
            }
            after = feed.next;
        }
    }

    /// What is in the outbox, in short.
    pub(crate) fn entries(&self) -> Result<Vec<crate::Entry>, Violation> {
        self.call(self.two.pending(100_000))
    }
}
