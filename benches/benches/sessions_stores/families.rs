//! Refresh families with known secrets, so that every store is asked the same.

use std::{sync::Arc, time::Duration};

use bartizan::core::UnixTime;
use bartizan_sessions::{
    Begin, Digest, Epochs, Facts, Kind, Note, Rotate, Rotation, Session, SessionId, SessionKey, Store,
    StoredSession,
};
use tokio::task::JoinSet;

use crate::{CALLERS, ROUNDS};

/// How many families there are: each caller goes through its share.
pub(crate) const FAMILIES: usize = 8_192;

/// When everything happens.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Where a family's digests come from: no hash, but different in all bytes and spread like one.
pub(crate) fn bytes(family: usize, generation: u64, part: u8) -> [u8; 32] {
    let mut state = (family as u64) << 32 ^ generation << 8 ^ u64::from(part);
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ mixed >> 31).to_be_bytes());
    }
    bytes
}

fn note() -> Note {
    Note(r#"{"request":"01JD3ZK4Q9W8X7","address":"192.0.2.17"}"#.into())
}

/// A family as it begins.
pub(crate) fn beginning(family: usize) -> Begin {
    let key = SessionKey::from_bytes(*bytes(family, 0, 2).first_chunk().unwrap_or(&[0; 16]));
    Begin {
        row: StoredSession {
            session: Session {
                id: SessionId { key, epochs: Epochs::default() },
                kind: Kind::Refresh,
                tenant: "north".into(),
                subject: format!("subject-{family}").into(),
                begun: NOW,
                seen: NOW,
                idle_expires: NOW.saturating_add(WEEK),
                expires: NOW.saturating_add(WEEK * 4),
                generation: 0,
                facts: Facts::default(),
            },
            selector: Digest::from_bytes(bytes(family, 0, 0)),
            current: Digest::from_bytes(bytes(family, 0, 1)),
            previous: None,
            nonce: None,
            grace_until: NOW,
            binding: None,
            ended: None,
        },
        cap: None,
        replaces: None,
        remember_until: NOW,
        now: NOW,
        note: note(),
    }
}

/// The exchange of a family's secret of this generation for the next one.
fn exchange(family: usize, generation: u64) -> Rotate {
    Rotate {
        selector: Digest::from_bytes(bytes(family, 0, 0)),
        presented: Digest::from_bytes(bytes(family, generation, 1)),
        next: Digest::from_bytes(bytes(family, generation + 1, 1)),
        next_selector: None,
        nonce: None,
        grace: Duration::ZERO,
        idle: WEEK,
        binding: None,
        facts: None,
        now: NOW.saturating_add(Duration::from_secs(generation)),
        remember_until: NOW,
        note: note(),
    }
}

/// Goes through all families again and again.
#[derive(Debug, Default)]
pub(crate) struct Turn(usize);

impl Turn {
    /// Each caller's families and their generations in the next call.
    pub(crate) fn next(&mut self) -> Vec<Vec<(usize, u64)>> {
        let first = self.0;
        self.0 += CALLERS * ROUNDS;
        let at = |caller: usize, round: usize| {
            // Neighbours in time are no neighbours in the table.
            let turn = first + round * CALLERS + caller;
            (turn.wrapping_mul(2_654_435_761) % FAMILIES, (turn / FAMILIES) as u64)
        };
        (0..CALLERS).map(|caller| (0..ROUNDS).map(|round| at(caller, round)).collect()).collect()
    }
}

/// Begins all families.
pub(crate) async fn begin_all(store: &Arc<dyn Store>) -> Result<(), bartizan_sessions::Error> {
    for families in (0..FAMILIES).collect::<Vec<_>>().chunks(CALLERS) {
        let mut tasks = JoinSet::new();
        for family in families {
            let (store, begin) = (Arc::clone(store), beginning(*family));
            tasks.spawn(async move { store.begin(&begin).await });
        }
        for answer in tasks.join_all().await {
            answer?;
        }
    }
    Ok(())
}

/// All callers of one call. False when anything but a rotation came out.
pub(crate) async fn rotate_all(store: &Arc<dyn Store>, turn: &mut Turn) -> bool {
    let mut tasks = JoinSet::new();
    for asks in turn.next() {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for (family, generation) in asks {
                if !matches!(store.rotate(&exchange(family, generation)).await, Ok(Rotation::Rotated(_))) {
                    return false;
                }
            }
            true
        });
    }
    tasks.join_all().await.into_iter().all(|rotated| rotated)
}
