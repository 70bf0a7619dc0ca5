//! The tree of RFC 6962 §2.1, kept as its peaks only.

use bartizan_crypto::Hash;

/// SHA-256.
pub type Digest = [u8; 32];

/// A tree that only grows: its size, and the roots of its perfect subtrees, largest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    peaks: Vec<Digest>,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { size: 0, peaks: Vec::with_capacity(64) }
    }

    /// From what a segment header says; nothing when the number of peaks does not fit.
    pub(crate) fn from_peaks(size: u64, peaks: &[Digest]) -> Option<Self> {
        (usize::try_from(size.count_ones()).ok()? == peaks.len())
            .then(|| Self { size, peaks: peaks.to_vec() })
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Adds an entry's stored bytes.
    pub(crate) fn push(&mut self, hash: &dyn Hash, payload: &[u8]) {
        let mut node = hash.sha256(&[&[0], payload]);
        let mut level = self.size;
        // Each trailing bit of the size is a perfect subtree as large as the one that `node` stands for.
        while level & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            node = hash.sha256(&[&[1], &left, &node]);
            level >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root over all entries so far.
    pub(crate) fn root(&self, hash: &dyn Hash) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return hash.sha256(&[]);
        };
        peaks.fold(*last, |right, left| hash.sha256(&[&[1], left, &right]))
    }
}
