//! Opening: commitment first, then the tag, then the plaintext's form; one error for all of it.

use std::fmt;

use bartizan_crypto::{Aead, Hash, Provider};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    Cell, Context, Error, ErrorKind, KeyId, Record, ScopeKey, Type, Value,
    aad::Aad,
    cell::{SALT, authenticated},
    context::Okm,
    padding::unpad,
};

/// Opens the cells of one write under the key derived for it, which it owns and wipes.
pub struct RecordOpener<'p> {
    provider: &'p dyn Provider,
    key_id: KeyId,
    salt: [u8; SALT],
    okm: Okm,
}

impl<'p> RecordOpener<'p> {
    pub(crate) fn new(
        provider: &'p dyn Provider,
        key: &ScopeKey,
        context: &Context<'_>,
        cell: &Cell<'_>,
    ) -> Result<Self, Error> {
        if key.scope().tenant() != context.tenant() || key.id() != cell.key_id() {
            return Err(ErrorKind::Scope.into());
        }
        let salt = cell.salt();
        Ok(Self { provider, key_id: key.id(), salt, okm: Okm::derive(key.kdf(), &salt, context)? })
    }

    /// Whether a cell is of this write, as it says itself.
    #[must_use]
    pub fn is_of_this_write(&self, cell: &Cell<'_>) -> bool {
        cell.key_id() == self.key_id && cell.salt() == self.salt
    }

    /// Prepares the key once for everything that `work` opens.
    ///
    /// # Errors
    /// What `work` answers, and [`ErrorKind::Primitive`].
    pub fn prepared<T>(&self, work: impl FnOnce(&Opening<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let (mut work, mut outcome) = (Some(work), None);
        self.provider.with_aead(self.okm.key()?, &mut |aead| {
            if let Some(work) = work.take() {
                outcome = Some(work(&Opening { opener: self, aead, hash: self.provider.hash() }));
            }
            Ok(())
        })?;
        outcome.unwrap_or_else(|| Err(ErrorKind::Primitive.into()))
    }
}

impl fmt::Debug for RecordOpener<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordOpener").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// A [`RecordOpener`] at work.
pub struct Opening<'a> {
    opener: &'a RecordOpener<'a>,
    aead: &'a dyn Aead,
    hash: &'a dyn Hash,
}

impl Opening<'_> {
    /// Opens one cell, with nobody asking whether that is allowed.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for a cell of another write, place, field or type, for altered bytes, and for a plaintext
    /// that is not in its one form: all alike.
    ///
    /// # Security
    /// This asks for no grant. Personal data is opened through the vault of `bartizan-field-crypto`.
    pub fn danger_open_uncovered(&self, cell: &Cell<'_>, field: &str, kind: Type) -> Result<Plain, Error> {
        let aad = Aad::of_cell(&authenticated(cell.key_id(), cell.ordinal()), field, kind.tag())?;
        let padded = self.opened(cell, &aad)?;
        let value = unpad(&padded)?;
        if let Some(bytes) = value {
            Value::from_canonical_bytes(kind, bytes).map_err(|_| ErrorKind::Integrity)?;
        }
        let length = value.map(<[u8]>::len);
        Ok(Plain { kind, padded, length })
    }

    /// Checks a record seal against all cells and signed clear fields of the record.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] when anything differs: a cell missing, added, exchanged or altered, a clear field changed,
    /// another version.
    pub fn verify_seal(&self, seal: &Cell<'_>, record: &Record<'_>) -> Result<(), Error> {
        if !seal.is_record_seal() {
            return Err(ErrorKind::Integrity.into());
        }
        let digest = record.digest(self.hash, &[])?;
        let aad = Aad::of_seal(&authenticated(seal.key_id(), seal.ordinal()), &digest)?;
        let padded = self.opened(seal, &aad)?;
        if padded.as_slice() == [1, 0x80] { Ok(()) } else { Err(ErrorKind::Integrity.into()) }
    }

    fn opened(&self, cell: &Cell<'_>, aad: &Aad) -> Result<Zeroizing<Vec<u8>>, Error> {
        if !self.opener.is_of_this_write(cell) {
            return Err(ErrorKind::Integrity.into());
        }
        // SECURITY: AES-GCM does not commit to its key; a ciphertext can be made to open under two. The commitment is checked
        // first and in constant time, so that a wrong key is not an oracle.
        if !bool::from(self.opener.okm.commitment()?.ct_eq(&cell.commitment())) {
            return Err(ErrorKind::Integrity.into());
        }
        let mut padded = Zeroizing::new(cell.ciphertext().to_vec());
        self.aead.open(&cell.nonce(), aad.as_slice(), &mut padded, cell.tag())?;
        Ok(padded)
    }
}

impl fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("key_id", &self.opener.key_id).finish_non_exhaustive()
    }
}

/// An opened value; wiped when dropped.
pub struct Plain {
    kind: Type,
    padded: Zeroizing<Vec<u8>>,
    /// INVARIANT(plain): the value's canonical bytes are `padded[1..][..length]`; none for null.
    length: Option<usize>,
}

impl Plain {
    /// The value; nothing for null.
    #[must_use]
    pub fn value(&self) -> Option<Value<'_>> {
        let bytes = self.padded.get(1..)?.get(..self.length?)?;
        Value::from_canonical_bytes(self.kind, bytes).ok()
    }

    /// Whether it is null.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        self.length.is_none()
    }

    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Type {
        self.kind
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plain({:?})", self.kind)
    }
}
