//! What a record seal covers.

use std::fmt;

use bartizan_crypto::Hash;

use crate::{
    Cell, Error, ErrorKind, Type, Value,
    cell::{HEADER, TAG},
    few::Few,
    name::check_field,
    pae::{Piece, Pieces, with_pae},
    value::Canonical,
};

/// Most fields of one record, sealed or clear.
pub const MAX_FIELDS: usize = 1_024;

/// The cells and signed clear fields of one record, and its version.
///
/// On sealing it holds the cells that stay as they are; on verifying, all of them. The owner belongs among the signed
/// clear fields, since it decides who may do what.
pub struct Record<'a> {
    version: u64,
    cells: Vec<SealedField<'a>>,
    clear: Vec<ClearField<'a>>,
}

/// A cell's part in the record seal: its name, header and tag.
#[derive(Clone, Copy)]
pub(crate) struct SealedField<'a> {
    pub(crate) name: &'a str,
    pub(crate) header: &'a [u8; HEADER],
    pub(crate) tag: &'a [u8; TAG],
}

impl SealedField<'_> {
    /// Stands where nothing is yet.
    const NONE: Self = Self { name: "", header: &[0; HEADER], tag: &[0; TAG] };
}

struct ClearField<'a> {
    name: &'a str,
    tag: [u8; 1],
    kind: [u8; 1],
    bytes: Canonical<'a>,
}

impl<'a> Record<'a> {
    /// A record of this version, without fields. A version that only grows, and that the program knows from elsewhere,
    /// makes an old row put back noticeable.
    #[must_use]
    pub const fn new(version: u64) -> Self {
        Self { version, cells: Vec::new(), clear: Vec::new() }
    }

    /// Adds a cell.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] for an empty or reserved name, [`ErrorKind::TooLong`] over [`MAX_FIELDS`].
    pub fn cell(&mut self, name: &'a str, cell: Cell<'a>) -> Result<&mut Self, Error> {
        check_field(name)?;
        at_most_full(self.cells.len())?;
        self.cells.push(SealedField { name, header: cell.header(), tag: cell.tag() });
        Ok(self)
    }

    /// Adds a signed clear field; `None` is null.
    ///
    /// # Errors
    /// As [`Record::cell`], and [`ErrorKind::Value`] for a value that is not canonical or of another type.
    pub fn clear(&mut self, name: &'a str, kind: Type, value: Option<Value<'a>>) -> Result<&mut Self, Error> {
        check_field(name)?;
        at_most_full(self.clear.len())?;
        if value.is_some_and(|value| value.kind() != kind) {
            return Err(ErrorKind::Value.into());
        }
        let bytes = match value {
            Some(value) => value.canonical()?,
            None => Canonical::Long(&[]),
        };
        self.clear.push(ClearField { name, tag: [kind.tag()], kind: [u8::from(value.is_some())], bytes });
        Ok(self)
    }

    /// `SHA-256(PAE(row version, n, (name, header ‖ tag) …, m, (name, tag, kind ‖ bytes) …))`, each list sorted by name;
    /// the version has 8 bytes, n and m have 4.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] when a name stands twice, among cells and clear fields together.
    pub(crate) fn digest(&self, hash: &dyn Hash, written: &[SealedField<'_>]) -> Result<[u8; 32], Error> {
        let mut cells: Few<SealedField<'_>, 8> = Few::new(SealedField::NONE);
        cells.extend(self.cells.iter().chain(written).copied());
        cells.sort_unstable_by_key(|cell| cell.name.as_bytes());
        let clear = self.sorted_clear();
        refuse_repeats(&cells, |cell| cell.name)?;
        refuse_repeats(&clear, |field| field.name)?;
        if clear.iter().any(|field| is_among(&cells, field.name)) {
            return Err(ErrorKind::Name.into());
        }
        let (version, n, m) = (self.version.to_be_bytes(), count(cells.len()), count(clear.len()));
        let mut pieces = Pieces::new(Piece::EMPTY);
        pieces.extend([Piece::of(version.as_slice()), Piece::of(n.as_slice())]);
        for cell in cells.iter() {
            pieces.extend([Piece::of(cell.name.as_bytes()), Piece::joined(cell.header, cell.tag)]);
        }
        pieces.push(Piece::of(m.as_slice()));
        push_clear(&mut pieces, &clear);
        Ok(with_pae(&[], &pieces, |parts| hash.sha256(parts)))
    }

    /// `SHA-256(PAE(m, (name, tag, kind ‖ bytes) …, row version, (name, header ‖ tag) …))`: what goes into a salt beside
    /// the cells that are written, each list sorted by name.
    pub(crate) fn digest_beside(&self, hash: &dyn Hash) -> [u8; 32] {
        let mut cells = self.cells.clone();
        cells.sort_unstable_by_key(|cell| cell.name.as_bytes());
        let clear = self.sorted_clear();
        let (version, m) = (self.version.to_be_bytes(), count(clear.len()));
        let mut pieces = Pieces::new(Piece::EMPTY);
        pieces.push(Piece::of(m.as_slice()));
        push_clear(&mut pieces, &clear);
        pieces.push(Piece::of(version.as_slice()));
        for cell in &cells {
            pieces.extend([Piece::of(cell.name.as_bytes()), Piece::joined(cell.header, cell.tag)]);
        }
        with_pae(&[], &pieces, |parts| hash.sha256(parts))
    }

    fn sorted_clear(&self) -> Vec<&ClearField<'a>> {
        let mut clear: Vec<&ClearField<'a>> = self.clear.iter().collect();
        clear.sort_unstable_by_key(|field| field.name.as_bytes());
        clear
    }
}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("version", &self.version)
            .field("cells", &self.cells.len())
            .field("clear", &self.clear.len())
            .finish()
    }
}

/// Refuses one field more than [`MAX_FIELDS`].
pub(crate) fn at_most_full(fields: usize) -> Result<(), Error> {
    if fields < MAX_FIELDS { Ok(()) } else { Err(ErrorKind::TooLong.into()) }
}

/// Refuses a name that stands twice in a sorted list.
pub(crate) fn refuse_repeats<T>(sorted: &[T], name: impl Fn(&T) -> &str) -> Result<(), Error> {
    let repeats = sorted.windows(2).any(|pair| matches!(pair, [one, two] if name(one) == name(two)));
    if repeats { Err(ErrorKind::Name.into()) } else { Ok(()) }
}

fn is_among(sorted: &[SealedField<'_>], name: &str) -> bool {
    sorted.binary_search_by_key(&name.as_bytes(), |cell| cell.name.as_bytes()).is_ok()
}

fn push_clear<'a>(pieces: &mut Pieces<'a>, clear: &[&'a ClearField<'a>]) {
    for field in clear {
        pieces.extend([
            Piece::of(field.name.as_bytes()),
            Piece::of(field.tag.as_slice()),
            Piece::joined(&field.kind, field.bytes.as_slice()),
        ]);
    }
}

/// INVARIANT(field-count): at most two times [`MAX_FIELDS`].
fn count(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes()
}
