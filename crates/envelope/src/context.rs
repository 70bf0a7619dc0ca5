//! Where a value stands, and the key that is derived for it.

use std::fmt;

use bartizan_crypto::Kdf;
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Type, Value,
    cell::{SALT, SUITE},
    name::check,
    pae::{Piece, with_pae},
    value::Canonical,
};

/// Where a record stands: tenant, table and row. A cell opens nowhere else.
///
/// Row ids must be known before sealing: make them in the program, not in the database.
pub struct Context<'a> {
    tenant: &'a str,
    table: &'a str,
    row_tag: [u8; 1],
    row: Canonical<'a>,
}

impl<'a> Context<'a> {
    /// The place of one record. In a service with one tenant its name is `-`.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] for an empty tenant or table, [`ErrorKind::TooLong`] for a name or row id over 255 bytes,
    /// [`ErrorKind::Value`] for a row id that is not canonical.
    pub fn new(tenant: &'a str, table: &'a str, row: Value<'a>) -> Result<Self, Error> {
        check(tenant)?;
        check(table)?;
        let canonical = row.canonical()?;
        if canonical.as_slice().len() > crate::name::MAX_NAME {
            return Err(ErrorKind::TooLong.into());
        }
        Ok(Self { tenant, table, row_tag: [row.kind().tag()], row: canonical })
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> &'a str {
        self.tenant
    }

    /// The table.
    #[must_use]
    pub const fn table(&self) -> &'a str {
        self.table
    }

    /// The type of the row's id.
    #[must_use]
    pub const fn row_type(&self) -> Option<Type> {
        Type::from_tag(self.row_tag[0])
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("table", &self.table).finish_non_exhaustive()
    }
}

/// What a key is derived for: a label, and an encoding of the place.
pub(crate) trait Place {
    /// `before ‖ PAE(…)` of the place, as parts.
    fn with_pae<R>(&self, before: &[&[u8]], work: impl FnOnce(&[&[u8]]) -> R) -> R;
    /// 16 ASCII bytes.
    const LABEL: &'static [u8; 16];
}

impl Place for Context<'_> {
    fn with_pae<R>(&self, before: &[&[u8]], work: impl FnOnce(&[&[u8]]) -> R) -> R {
        let pieces: [Piece<'_>; 4] = [
            Piece::of(self.tenant.as_bytes()),
            Piece::of(self.table.as_bytes()),
            Piece::of(self.row_tag.as_slice()),
            Piece::of(self.row.as_slice()),
        ];
        with_pae(before, &pieces, work)
    }

    const LABEL: &'static [u8; 16] = b"bartizan/cell/v1";
}

/// Key and commitment of one write; wiped when dropped.
pub(crate) struct Okm(Zeroizing<[u8; 64]>);

impl Okm {
    /// `HKDF-Expand(scope key, label ‖ suite ‖ salt ‖ PAE(place), 64)`.
    pub(crate) fn derive<P: Place>(kdf: &dyn Kdf, salt: &[u8; SALT], place: &P) -> Result<Self, Error> {
        let mut okm = Self(Zeroizing::new([0; 64]));
        place.with_pae(&[P::LABEL, &[SUITE], salt], |info| kdf.expand(info, okm.0.as_mut_slice()))?;
        Ok(okm)
    }

    /// INVARIANT(okm-halves): 64 bytes have a first and a last chunk of 32.
    pub(crate) fn key(&self) -> Result<&[u8; 32], Error> {
        self.0.first_chunk().ok_or_else(|| ErrorKind::Primitive.into())
    }

    pub(crate) fn commitment(&self) -> Result<&[u8; 32], Error> {
        self.0.last_chunk().ok_or_else(|| ErrorKind::Primitive.into())
    }
}

impl fmt::Debug for Okm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
