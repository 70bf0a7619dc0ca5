//! Sealing: all cells of one write, under one derived key.

use std::{fmt, sync::Arc};

use bartizan_core::Entropy;
use bartizan_crypto::{Aead, Hash, Provider};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Bucket, Context, Error, ErrorKind, Record, RecordOpener, ScopeKey, Type, Value,
    aad::Aad,
    cell::{AUTHENTICATED, Cell, HEADER, SALT, SEAL_ORDINAL, TAG, authenticated, nonce},
    context::Okm,
    name::check_field,
    padding::pad_into,
    pae::{Piece, Pieces, with_pae},
    record::{SealedField, at_most_full, refuse_repeats},
    salt::Salts,
};

/// Seals and opens with the primitives of one provider. One per process is enough.
pub struct Sealer {
    provider: Arc<dyn Provider>,
    salts: Salts,
}

impl Sealer {
    /// Draws the key of this process that salts are made with.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`] when no randomness can be had.
    pub fn new(provider: Arc<dyn Provider>, entropy: Arc<dyn Entropy>) -> Result<Self, Error> {
        let salts = Salts::new(&*provider, entropy)?;
        Ok(Self { provider, salts })
    }

    /// Begins one write: all fields that are sealed now, of one record.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`] when the key is another tenant's, [`ErrorKind::NoActiveKey`] when it was not active when it was
    /// loaded: such a key opens, and seals nothing.
    pub fn write<'a>(
        &'a self,
        key: &'a ScopeKey,
        context: &'a Context<'a>,
    ) -> Result<RecordSealer<'a>, Error> {
        if key.scope().tenant() != context.tenant() {
            return Err(ErrorKind::Scope.into());
        }
        if !key.state().may_make() {
            return Err(ErrorKind::NoActiveKey.into());
        }
        Ok(RecordSealer { sealer: self, key, context, cells: Vec::new(), buffer: Zeroizing::new(Vec::new()) })
    }

    /// Derives the key of the write that this cell belongs to.
    ///
    /// # Errors
    /// [`ErrorKind::Scope`] when the key is another tenant's, or not the one that the cell names.
    pub fn opener(
        &self,
        key: &ScopeKey,
        context: &Context<'_>,
        cell: &Cell<'_>,
    ) -> Result<RecordOpener<'_>, Error> {
        RecordOpener::new(&*self.provider, key, context, cell)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

/// One write of a record: collects its fields, then seals them all under one key, derived for this write alone.
///
/// It holds plaintext until it is sealed, and wipes it when it is dropped before.
pub struct RecordSealer<'a> {
    sealer: &'a Sealer,
    key: &'a ScopeKey,
    context: &'a Context<'a>,
    cells: Vec<Pending<'a>>,
    /// `header ‖ padded plaintext ‖ tag` of each cell, one after the other; headers and tags still zeros.
    buffer: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Pending<'a> {
    name: &'a str,
    tag: [u8; 1],
    ordinal: [u8; 2],
    padded: usize,
}

impl<'a> RecordSealer<'a> {
    /// Adds a field; `None` is null. Fields are numbered in the order of the calls.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] for an empty or reserved name, [`ErrorKind::TooLong`] for a name over 255 bytes, a value that is
    /// over 65,536 bytes when padded, or over [`MAX_FIELDS`](crate::MAX_FIELDS) fields; [`ErrorKind::Value`] for a value
    /// that is not canonical or of another type.
    pub fn field(
        &mut self,
        name: &'a str,
        kind: Type,
        value: Option<Value<'_>>,
        bucket: Bucket,
    ) -> Result<&mut Self, Error> {
        check_field(name)?;
        at_most_full(self.cells.len())?;
        if value.is_some_and(|value| value.kind() != kind) {
            return Err(ErrorKind::Value.into());
        }
        let bytes = value.map(|value| value.canonical()).transpose()?;
        let bytes = bytes.as_ref().map(|bytes| bytes.as_slice());
        let padded = bucket.padded_len(bytes.map_or(0, <[u8]>::len))?;
        let place = appended(&mut self.buffer, HEADER + padded + TAG)?;
        pad_into(place.get_mut(HEADER..HEADER + padded).ok_or(ErrorKind::Primitive)?, bytes);
        // INVARIANT(ordinals): at most MAX_FIELDS, far below the record seal's.
        let ordinal = u16::try_from(self.cells.len()).map_err(|_| ErrorKind::Primitive)?.to_be_bytes();
        self.cells.push(Pending { name, tag: [kind.tag()], ordinal, padded });
        Ok(self)
    }

    /// Seals the fields, without a record seal.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] when a name stands twice, [`ErrorKind::Entropy`] when no randomness can be had.
    pub fn seal(self) -> Result<SealedCells<'a>, Error> {
        let mut names: Vec<&str> = self.cells.iter().map(|cell| cell.name).collect();
        names.sort_unstable();
        refuse_repeats(&names, |name| name)?;
        self.sealed(&Record::new(0), false)
    }

    /// Seals the fields, and the record with them: `beside` holds the cells that stay as they are and the signed clear
    /// fields. Verify the old record seal before you keep a cell.
    ///
    /// # Errors
    /// As [`RecordSealer::seal`]; a name may stand once among written, kept and clear fields together.
    pub fn seal_record(self, beside: &Record<'_>) -> Result<SealedCells<'a>, Error> {
        self.sealed(beside, true)
    }

    fn sealed(mut self, beside: &Record<'_>, with_seal: bool) -> Result<SealedCells<'a>, Error> {
        let hash = self.sealer.provider.hash();
        let salt = self.sealer.salts.draw(
            self.key.id(),
            self.context,
            &self.digest_of_plaintexts(hash),
            &beside.digest_beside(hash),
        )?;
        let okm = Okm::derive(self.key.kdf(), &salt, self.context)?;
        let seal_at = self.buffer.len();
        if with_seal {
            let place = appended(&mut self.buffer, HEADER + SEAL_PADDED + TAG)?;
            pad_into(place.get_mut(HEADER..HEADER + SEAL_PADDED).ok_or(ErrorKind::Primitive)?, Some(&[]));
        }
        let mut write = Write { key: self.key, salt, okm: &okm, hash, beside, cells: &self.cells };
        let (buffer, mut outcome) = (&mut self.buffer, Ok(()));
        self.sealer.provider.with_aead(okm.key()?, &mut |aead| {
            outcome = write.seal_in_place(aead, buffer, seal_at);
            Ok(())
        })?;
        outcome?;
        Ok(self.into_cells(with_seal.then_some(seal_at)))
    }

    /// `SHA-256(PAE(ordinal, field name, type tag, padded plaintext, …))` over all cells of the write, in order.
    fn digest_of_plaintexts(&self, hash: &dyn Hash) -> [u8; 32] {
        let mut pieces = Pieces::new(Piece::EMPTY);
        let mut at = HEADER;
        for cell in &self.cells {
            let padded = self.buffer.get(at..at + cell.padded).unwrap_or_default();
            pieces.extend([
                Piece::of(&cell.ordinal),
                Piece::of(cell.name.as_bytes()),
                Piece::of(&cell.tag),
                Piece::of(padded),
            ]);
            at += cell.padded + TAG + HEADER;
        }
        with_pae(&[], &pieces, |parts| hash.sha256(parts))
    }

    fn into_cells(mut self, seal_at: Option<usize>) -> SealedCells<'a> {
        // Nothing in the buffer is plaintext any more.
        let bytes = std::mem::take(&mut *self.buffer);
        SealedCells { bytes, cells: self.cells, seal_at }
    }
}

impl fmt::Debug for RecordSealer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordSealer").field("fields", &self.cells.len()).finish_non_exhaustive()
    }
}

/// What one write is sealed with.
struct Write<'w> {
    key: &'w ScopeKey,
    salt: [u8; SALT],
    okm: &'w Okm,
    hash: &'w dyn Hash,
    beside: &'w Record<'w>,
    cells: &'w [Pending<'w>],
}

impl Write<'_> {
    fn seal_in_place(&mut self, aead: &dyn Aead, buffer: &mut [u8], seal_at: usize) -> Result<(), Error> {
        let (mut rest, seal) = buffer.split_at_mut_checked(seal_at).ok_or(ErrorKind::Primitive)?;
        let mut written: Vec<SealedField<'_>> = Vec::with_capacity(self.cells.len());
        for cell in self.cells {
            let (place, after) =
                rest.split_at_mut_checked(HEADER + cell.padded + TAG).ok_or(ErrorKind::Primitive)?;
            let ([tag], ordinal) = (cell.tag, u16::from_be_bytes(cell.ordinal));
            let start = authenticated(self.key.id(), ordinal);
            let aad = Aad::of_cell(&start, cell.name, tag)?;
            let (header, tag) = self.seal_one(aead, place, &start, ordinal, &aad)?;
            written.push(SealedField { name: cell.name, header, tag });
            rest = after;
        }
        if !seal.is_empty() {
            let digest = self.beside.digest(self.hash, &written)?;
            let start = authenticated(self.key.id(), SEAL_ORDINAL);
            self.seal_one(aead, seal, &start, SEAL_ORDINAL, &Aad::of_seal(&start, &digest)?)?;
        }
        Ok(())
    }

    /// Fills in the header, encrypts in place, fills in the tag.
    fn seal_one<'b>(
        &self,
        aead: &dyn Aead,
        place: &'b mut [u8],
        start: &[u8; AUTHENTICATED],
        ordinal: u16,
        aad: &Aad,
    ) -> Result<(&'b [u8; HEADER], &'b [u8; TAG]), Error> {
        let (header, rest) = place.split_first_chunk_mut::<HEADER>().ok_or(ErrorKind::Primitive)?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(ErrorKind::Primitive)?;
        let fields = start.iter().chain(&self.salt).chain(self.okm.commitment()?);
        for (to, from) in header.iter_mut().zip(fields) {
            *to = *from;
        }
        // SECURITY: the nonce is the ordinal. Ordinals of one write differ, and each write has a key of its own by its salt.
        *tag = aead.seal(&nonce(ordinal), aad.as_slice(), text)?;
        Ok((header, tag))
    }
}

/// The cells of one write.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCells<'a> {
    bytes: Vec<u8>,
    cells: Vec<Pending<'a>>,
    seal_at: Option<usize>,
}

impl<'a> SealedCells<'a> {
    /// Field names and cells, in the order of the fields.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &[u8])> {
        let mut at = 0;
        self.cells.iter().map(move |cell| {
            let start = at;
            at += HEADER + cell.padded + TAG;
            (cell.name, self.bytes.get(start..at).unwrap_or_default())
        })
    }

    /// The cell of a field that was written.
    #[must_use]
    pub fn cell(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(field, _)| *field == name).map(|(_, cell)| cell)
    }

    /// The record seal, if there is one: it is stored beside the cells, as `$seal`.
    #[must_use]
    pub fn record_seal(&self) -> Option<&[u8]> {
        self.seal_at.and_then(|start| self.bytes.get(start..))
    }
}

impl fmt::Debug for SealedCells<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedCells")
            .field("fields", &self.cells.len())
            .field("record_seal", &self.seal_at.is_some())
            .finish_non_exhaustive()
    }
}

const SEAL_PADDED: usize = 2;

/// Makes room for so many zeros at the end.
///
/// SECURITY: a growing `Vec` would leave the plaintexts behind in freed memory; this wipes what it leaves.
fn appended(buffer: &mut Zeroizing<Vec<u8>>, more: usize) -> Result<&mut [u8], Error> {
    let start = buffer.len();
    if buffer.capacity() - start < more {
        let mut larger = Vec::with_capacity((start + more).max(2 * buffer.capacity()).max(FIRST));
        larger.extend_from_slice(buffer);
        let mut old = std::mem::replace(&mut **buffer, larger);
        old.zeroize();
    }
    buffer.resize(start + more, 0);
    buffer.get_mut(start..).ok_or_else(|| ErrorKind::Primitive.into())
}

/// Room for a few short fields and a record seal.
const FIRST: usize = 512;
