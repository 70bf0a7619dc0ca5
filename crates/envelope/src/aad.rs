//! What is authenticated with a cell beside its ciphertext, laid out on the stack.

use crate::{Error, ErrorKind, cell::AUTHENTICATED, name::MAX_NAME, pae::le64};

/// INVARIANT(aad-fits): 14 + count 8 + two lengths 16 + a name of at most 255 + tag 1; the record seal's is shorter.
const MOST: usize = AUTHENTICATED + 8 + 8 + MAX_NAME + 8 + 1;

/// `header[0..14] ‖ PAE(pieces)`.
pub(crate) struct Aad {
    bytes: [u8; MOST],
    length: usize,
}

impl Aad {
    /// Of a cell.
    pub(crate) fn of_cell(header: &[u8; AUTHENTICATED], field: &str, tag: u8) -> Result<Self, Error> {
        Self::new(header, &[field.as_bytes(), &[tag]])
    }

    /// Of a record seal.
    pub(crate) fn of_seal(header: &[u8; AUTHENTICATED], digest: &[u8; 32]) -> Result<Self, Error> {
        Self::new(header, &[b"$seal", &[0], digest])
    }

    fn new(header: &[u8; AUTHENTICATED], pieces: &[&[u8]]) -> Result<Self, Error> {
        let mut aad = Self { bytes: [0; MOST], length: 0 };
        aad.push(header)?;
        aad.push(&le64(pieces.len()))?;
        for piece in pieces {
            aad.push(&le64(piece.len()))?;
            aad.push(piece)?;
        }
        Ok(aad)
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.length + bytes.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(ErrorKind::Primitive)?;
        place.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pae;

    #[test]
    fn the_longest_name_fits_and_the_bytes_are_pae() {
        let (header, name) = ([3; 14], "x".repeat(255));
        let aad = Aad::of_cell(&header, &name, 2).unwrap();
        assert_eq!(aad.as_slice(), [header.as_slice(), &pae(&[name.as_bytes(), &[2]])].concat());
        let aad = Aad::of_seal(&header, &[9; 32]).unwrap();
        assert_eq!(aad.as_slice(), [header.as_slice(), &pae(&[b"$seal", &[0], &[9; 32]])].concat());
        assert!(Aad::of_cell(&header, &"x".repeat(256), 2).is_err());
    }
}
