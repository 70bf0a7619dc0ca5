//! Sessions with known digests, for the tests that a store has of its own.

use std::time::Duration;

use crate::{
    Begin, Digest, Epochs, Facts, KeyId, Kind, Note, Rotate, Session, SessionId, SessionKey, StoredKey,
    StoredSession,
};
use bartizan_core::UnixTime;

/// When everything happens.
pub const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

/// A digest that differs for each of these.
#[must_use]
pub fn digest(family: u8, part: u8, generation: u64) -> Digest {
    let mut bytes = [part; 32];
    let head = [family].into_iter().chain(generation.to_be_bytes());
    bytes.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    Digest::from_bytes(bytes)
}

/// The digest of a family's selector.
#[must_use]
pub fn selector(family: u8) -> Digest {
    digest(family, 0xaa, 0)
}

/// The digest of a family's secret of this generation.
#[must_use]
pub fn secret(family: u8, generation: u64) -> Digest {
    digest(family, 0xbb, generation)
}

/// A session of this family that is to begin now.
#[must_use]
pub fn begin(family: u8) -> Begin {
    Begin {
        row: StoredSession {
            session: Session {
                id: SessionId { key: SessionKey::from_bytes([family; 16]), epochs: Epochs::default() },
                kind: Kind::Refresh,
                tenant: "north".into(),
                subject: "ada".into(),
                begun: NOW,
                seen: NOW,
                idle_expires: NOW.saturating_add(DAY * 7),
                expires: NOW.saturating_add(DAY * 30),
                generation: 0,
                facts: Facts::default(),
            },
            selector: selector(family),
            current: secret(family, 0),
            previous: None,
            nonce: None,
            grace_until: NOW,
            binding: None,
            ended: None,
        },
        cap: None,
        replaces: None,
        remember_until: NOW.saturating_add(DAY),
        now: NOW,
        note: Note::default(),
    }
}

/// The exchange of the secret of this generation for the next one.
#[must_use]
pub fn rotate(family: u8, generation: u64) -> Rotate {
    Rotate {
        selector: selector(family),
        presented: secret(family, generation),
        next: secret(family, generation + 1),
        next_selector: None,
        nonce: None,
        grace: Duration::ZERO,
        idle: DAY * 7,
        binding: None,
        facts: None,
        now: NOW.saturating_add(Duration::from_secs(1)),
        remember_until: NOW.saturating_add(DAY),
        note: Note::default(),
    }
}

/// An API key of this number.
#[must_use]
pub fn api_key(number: u8) -> StoredKey {
    StoredKey {
        id: KeyId::from_bytes([number; 16]),
        selector: selector(number),
        secret: secret(number, 0),
        tenant: "north".into(),
        subject: "ada".into(),
        name: "import".into(),
        scopes: vec!["read".into()],
        made: NOW,
        expires: NOW.saturating_add(DAY),
        used: None,
        ended: None,
    }
}
