//! Pre-authentication encoding: pieces that cannot be mistaken for other pieces.
//!
//! `PAE(p1…pk) = LE64(k) ‖ LE64(|p1|) ‖ p1 ‖ …`, the top bit of each length clear, as in PASETO. Joining names with a
//! separator would make `("a-b", "c")` and `("a", "b-c")` one context; this encoding is injective.

use crate::few::Few;

/// The encoding of these pieces.
///
/// ```
/// use bartizan_envelope::pae;
///
/// assert_eq!(pae(&[]), [0; 8]);
/// assert_ne!(pae(&[b"a-b", b"c"]), pae(&[b"a", b"b-c"]));
/// ```
#[must_use]
pub fn pae(pieces: &[&[u8]]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(8 + pieces.iter().map(|piece| piece.len() + 8).sum::<usize>());
    encoded.extend_from_slice(&le64(pieces.len()));
    for piece in pieces {
        encoded.extend_from_slice(&le64(piece.len()));
        encoded.extend_from_slice(piece);
    }
    encoded
}

/// A count or length with its top bit clear.
pub(crate) const fn le64(n: usize) -> [u8; 8] {
    (n as u64 & (u64::MAX >> 1)).to_le_bytes()
}

/// Pieces of one encoding; of a record with a few fields they need no allocation.
pub(crate) type Pieces<'a> = Few<Piece<'a>, FEW>;

/// One piece, held in two halves, so that joined pieces need no copy.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'a> {
    head: &'a [u8],
    tail: &'a [u8],
}

impl<'a> Piece<'a> {
    pub(crate) const fn of(piece: &'a [u8]) -> Self {
        Self { head: piece, tail: &[] }
    }

    /// Nothing.
    pub(crate) const EMPTY: Self = Self { head: &[], tail: &[] };

    pub(crate) const fn joined(head: &'a [u8], tail: &'a [u8]) -> Self {
        Self { head, tail }
    }
}

/// Lays `before ‖ PAE(pieces)` out as parts, without joining them, and passes them on. At most 4 parts stand before.
pub(crate) fn with_pae<R>(before: &[&[u8]], pieces: &[Piece<'_>], work: impl FnOnce(&[&[u8]]) -> R) -> R {
    if pieces.len() <= FEW && before.len() <= BEFORE {
        let mut numbers = [[0; 8]; FEW + 1];
        number(pieces, &mut numbers);
        let mut parts: [&[u8]; BEFORE + 1 + 3 * FEW] = [&[]; BEFORE + 1 + 3 * FEW];
        let used = lay_out(before, pieces, &numbers, &mut parts);
        return work(parts.get(..used).unwrap_or_default());
    }
    let mut numbers = vec![[0; 8]; pieces.len() + 1];
    number(pieces, &mut numbers);
    let mut parts: Vec<&[u8]> = vec![&[]; before.len() + 1 + 3 * pieces.len()];
    let used = lay_out(before, pieces, &numbers, &mut parts);
    work(parts.get(..used).unwrap_or_default())
}

fn number(pieces: &[Piece<'_>], numbers: &mut [[u8; 8]]) {
    let lengths = pieces.iter().map(|piece| piece.head.len() + piece.tail.len());
    for (number, n) in numbers.iter_mut().zip(std::iter::once(pieces.len()).chain(lengths)) {
        *number = le64(n);
    }
}

fn lay_out<'a>(
    before: &[&'a [u8]],
    pieces: &[Piece<'a>],
    numbers: &'a [[u8; 8]],
    parts: &mut [&'a [u8]],
) -> usize {
    let (count, lengths) = match numbers.split_first() {
        Some((count, lengths)) => (count.as_slice(), lengths),
        None => return 0,
    };
    let mut used = 0;
    let laid =
        pieces.iter().zip(lengths).flat_map(|(piece, length)| [length.as_slice(), piece.head, piece.tail]);
    for (part, bytes) in parts.iter_mut().zip(before.iter().copied().chain([count]).chain(laid)) {
        *part = bytes;
        used += 1;
    }
    used
}

const BEFORE: usize = 4;
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_pieces() -> impl Strategy<Value = Vec<Vec<u8>>> {
        // Few letters and short pieces, so that different lists often join to the same bytes.
        proptest::collection::vec(proptest::collection::vec(0_u8..3, 0..4), 0..12)
    }

    fn slices(pieces: &[Vec<u8>]) -> Vec<&[u8]> {
        pieces.iter().map(Vec::as_slice).collect()
    }

    /// Reads an encoding back: what can be read back is injective.
    fn read(mut encoded: &[u8]) -> Option<Vec<Vec<u8>>> {
        fn number(encoded: &mut &[u8]) -> Option<usize> {
            let (number, rest) = encoded.split_first_chunk()?;
            *encoded = rest;
            usize::try_from(u64::from_le_bytes(*number)).ok()
        }
        let count = number(&mut encoded)?;
        let mut pieces = Vec::new();
        for _ in 0..count {
            let length = number(&mut encoded)?;
            let (piece, rest) = encoded.split_at_checked(length)?;
            pieces.push(piece.to_vec());
            encoded = rest;
        }
        encoded.is_empty().then_some(pieces)
    }

    proptest! {
        #[test]
        fn an_encoding_reads_back_and_is_therefore_injective(pieces in any_pieces()) {
            prop_assert_eq!(read(&pae(&slices(&pieces))), Some(pieces));
        }

        #[test]
        fn different_pieces_have_different_encodings(one in any_pieces(), two in any_pieces()) {
            prop_assert_eq!(pae(&slices(&one)) == pae(&slices(&two)), one == two);
        }

        #[test]
        fn parts_join_to_the_encoding(pieces in any_pieces(), before in any_pieces(), cut in 0_usize..4) {
            let halves: Vec<Piece<'_>> = pieces
                .iter()
                .map(|piece| {
                    let (head, tail) = piece.split_at(cut.min(piece.len()));
                    Piece::joined(head, tail)
                })
                .collect();
            let joined = with_pae(&slices(&before), &halves, |parts| parts.concat());
            prop_assert_eq!(joined, [before.concat(), pae(&slices(&pieces))].concat());
        }
    }

    #[test]
    fn empty_and_absent_pieces_differ() {
        let all: [&[&[u8]]; 4] = [&[], &[b""], &[b"", b""], &[b"\0"]];
        let encoded: std::collections::HashSet<Vec<u8>> = all.iter().map(|pieces| pae(pieces)).collect();
        assert_eq!(encoded.len(), all.len());
    }
}
