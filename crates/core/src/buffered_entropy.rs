//! Randomness drawn in blocks, for ids that are made by the hundred thousand.

use std::{
    fmt,
    sync::{Mutex, TryLockError},
};

use zeroize::Zeroizing;

use crate::{Entropy, NoEntropy};

/// A source that draws 512 bytes at a time from another one and hands them out in small pieces. Asking the operating system
/// for 16 bytes is what issuing a token by a MAC takes longest for, beside the MAC: `cargo bench -p bartizan-benches --bench tokens hs256_issue`
/// shows both.
///
/// A request of over 32 bytes goes to the source itself, and so does one that would have to wait for another thread. Bytes that
/// were handed out are wiped, the rest when it is dropped.
///
/// ```
/// use bartizan_core::{BufferedEntropy, Entropy, NoEntropy, os::OsEntropy};
///
/// # fn main() -> Result<(), NoEntropy> {
/// let entropy = BufferedEntropy::new(OsEntropy);
/// let mut id = [0; 16];
/// entropy.fill(&mut id)?;
/// # Ok(())
/// # }
/// ```
///
/// # Security
/// For ids, and not for keys: what is in the block lies in memory before it is used. Whoever copies the process copies the block,
/// and both go on with the same bytes: a process that forks without `exec`, a virtual machine that is cloned or goes on
/// from a snapshot. Programs that do this pass [`OsEntropy`](crate::os::OsEntropy).
pub struct BufferedEntropy<E> {
    source: E,
    block: Mutex<Block>,
}

struct Block {
    bytes: Zeroizing<[u8; BLOCK]>,
    /// Where the bytes begin that nobody has. At the end there are none.
    next: usize,
}

/// As much as 32 ids of 128 bits.
const BLOCK: usize = 512;

/// Longest piece that is cut from a block.
const MAX_PIECE: usize = 32;

impl<E: Entropy> BufferedEntropy<E> {
    /// Draws from this source. Nothing is drawn before it is needed.
    #[must_use]
    pub fn new(source: E) -> Self {
        let block = Block { bytes: Zeroizing::new([0; BLOCK]), next: BLOCK };
        Self { source, block: Mutex::new(block) }
    }
}

impl<E: Entropy> Entropy for BufferedEntropy<E> {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
        if buffer.len() > MAX_PIECE {
            return self.source.fill(buffer);
        }
        match self.block.try_lock() {
            Ok(mut block) => block.take(buffer, &self.source),
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => self.source.fill(buffer),
        }
    }
}

impl Block {
    fn take(&mut self, buffer: &mut [u8], source: &impl Entropy) -> Result<(), NoEntropy> {
        if BLOCK - self.next < buffer.len() {
            // SECURITY: a source that fails halfway may have left anything: nothing of the block is used until it is whole.
            self.next = BLOCK;
            source.fill(&mut *self.bytes)?;
            self.next = 0;
        }
        let end = self.next + buffer.len();
        let piece = self.bytes.get_mut(self.next..end).ok_or(NoEntropy)?;
        buffer.copy_from_slice(piece);
        // SECURITY: no byte is handed out twice, and none can be read here afterwards. The block is used again, so that this is
        // written.
        piece.fill(0);
        self.next = end;
        Ok(())
    }
}

/// Shows its source.
impl<E: fmt::Debug> fmt::Debug for BufferedEntropy<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferedEntropy").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        sync::{
            Arc,
            atomic::{AtomicU64, AtomicUsize, Ordering},
        },
        thread,
    };

    use super::*;

    /// Counts up in eight bytes; fails when it is told to, after it has filled half of the buffer.
    #[derive(Debug, Default)]
    struct Counts {
        next: AtomicU64,
        draws: AtomicUsize,
        fails: AtomicUsize,
    }

    impl Entropy for Arc<Counts> {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), NoEntropy> {
            self.draws.fetch_add(1, Ordering::Relaxed);
            let is_broken = self
                .fails
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok();
            let whole = buffer.len() / if is_broken { 2 } else { 1 };
            for eight in buffer[..whole].chunks_mut(8) {
                let number = self.next.fetch_add(1, Ordering::Relaxed) + 1;
                eight.copy_from_slice(&number.to_be_bytes()[8 - eight.len()..]);
            }
            if is_broken { Err(NoEntropy) } else { Ok(()) }
        }
    }

    fn source() -> (Arc<Counts>, BufferedEntropy<Arc<Counts>>) {
        let counts = Arc::new(Counts::default());
        (counts.clone(), BufferedEntropy::new(counts))
    }

    fn take<const N: usize>(entropy: &impl Entropy) -> [u8; N] {
        let mut bytes = [0; N];
        entropy.fill(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn no_byte_is_handed_out_twice() {
        let (counts, entropy) = source();
        let ids: HashSet<[u8; 8]> = (0..1_000).map(|_| take(&entropy)).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(!ids.contains(&[0; 8]));
        assert_eq!(counts.draws.load(Ordering::Relaxed), 1_000 * 8 / BLOCK + 1);
    }

    #[test]
    fn what_was_handed_out_is_wiped_and_the_rest_is_what_comes_next() {
        let (_, entropy) = source();
        for pieces in 1..=16 {
            take::<32>(&entropy);
            let block = entropy.block.lock().unwrap();
            assert!(block.bytes[..32 * pieces].iter().all(|byte| *byte == 0), "{pieces}");
            assert!(block.bytes[32 * pieces..].chunks(8).all(|eight| eight != [0; 8]), "{pieces}");
        }
    }

    #[test]
    fn a_piece_that_does_not_fit_comes_from_a_new_block_in_one() {
        let (counts, entropy) = source();
        take::<24>(&entropy);
        for _ in 0..15 {
            take::<32>(&entropy);
        }
        assert_eq!(counts.draws.load(Ordering::Relaxed), 1);
        // Eight bytes are left, which nobody gets.
        assert_eq!(take::<16>(&entropy)[..8], 65_u64.to_be_bytes());
        assert_eq!(counts.draws.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn large_requests_go_to_the_source() {
        let (counts, entropy) = source();
        take::<33>(&entropy);
        take::<1_000>(&entropy);
        assert_eq!(entropy.block.lock().unwrap().next, BLOCK);
        assert_eq!(counts.draws.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_source_that_fails_halfway_gives_nothing() {
        let (counts, entropy) = source();
        take::<32>(&entropy);
        counts.fails.store(2, Ordering::Relaxed);
        let mut last = [0; 32];
        let given = (0..15).filter(|_| entropy.fill(&mut last).is_ok()).count();
        assert_eq!(given, 15, "what is there already is good");
        for _ in 0..2 {
            let mut untouched = [0; 32];
            assert_eq!(entropy.fill(&mut untouched), Err(NoEntropy));
            assert_eq!(untouched, [0; 32]);
        }
        assert_eq!(take::<8>(&entropy), 129_u64.to_be_bytes());
    }

    #[test]
    fn who_would_have_to_wait_asks_the_source() {
        let (counts, entropy) = source();
        let held = entropy.block.lock().unwrap();
        take::<16>(&entropy);
        drop(held);
        assert_eq!(counts.draws.load(Ordering::Relaxed), 1);
        take::<16>(&entropy);
        assert_eq!(counts.draws.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn threads_get_different_bytes() {
        let (_, entropy) = source();
        let ids = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let own: Vec<[u8; 8]> = (0..500).map(|_| take(&entropy)).collect();
                    ids.lock().unwrap().extend(own);
                });
            }
        });
        let ids = ids.into_inner().unwrap();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 2_000);
    }

    #[test]
    fn nothing_that_is_drawn_is_shown() {
        let (_, entropy) = source();
        take::<8>(&entropy);
        let shown = format!("{entropy:?}");
        assert!(shown.starts_with("BufferedEntropy") && !shown.contains("bytes"), "{shown}");
    }
}
