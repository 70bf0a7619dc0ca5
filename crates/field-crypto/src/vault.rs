//! The vault: the only place where sealed fields become readable.

use std::{fmt, sync::Arc};

use bartizan_core::{Authority, Clock, Covered, Owner, Resource};
use bartizan_envelope::{
    Attempt, Cell, Context, Keyring, Opening, Plain, Record, RecordOpener, ScopeKey, SealedCells, Value,
};

use crate::{
    Changes, Class, Error, ErrorKind, Field, Fields, Opened, Schema, Sealed, SealedRow,
    opened::Content,
    parsed::{Parsed, place},
    shown::MASK,
};

/// Seals records, and opens them for whoever is granted to see them.
///
/// It is built for one [`Authority`] and believes no grant of another. On every open it compares the grant's authority
/// with its own, the expiry with its own clock, and the resource with the row's tenant, kind and id; it verifies the record
/// seal; and it lets out in clear only what the grant's field set names. What a field's class lets anybody see leaves as a
/// mask, made in here.
pub struct Vault {
    authority: Authority,
    keyring: Arc<Keyring>,
    clock: Arc<dyn Clock>,
}

/// Gives up the key of a done attempt, or answers what is needed.
macro_rules! at_hand {
    ($attempt:expr) => {
        match $attempt {
            Attempt::Done(done) => done,
            Attempt::NeedsKey(needs) => return Ok(Attempt::NeedsKey(needs)),
        }
    };
}

impl Vault {
    /// A vault that believes the grants of one authority.
    #[must_use]
    pub fn new(authority: Authority, keyring: Arc<Keyring>, clock: Arc<dyn Clock>) -> Self {
        Self { authority, keyring, clock }
    }

    /// Seals a record. The first record of a tenant makes its key.
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] when the record does not hand over each field of its schema once, in its type, or hands over
    /// personal data for a field of another class or a clear one; [`ErrorKind::Value`] or [`ErrorKind::TooLong`] for a value
    /// that cannot be sealed or an empty row id; what key store and key management answer.
    pub async fn seal<R: Sealed>(&self, record: &R) -> Result<SealedRow, Error> {
        self.until_done(|| self.try_seal(record)).await
    }

    /// Seals a record, if the key is at hand.
    ///
    /// # Errors
    /// As [`Vault::seal`].
    pub fn try_seal<R: Sealed>(&self, record: &R) -> Result<Attempt<SealedRow>, Error> {
        let (schema, at) = (R::schema(), record.place());
        let (scope, context) = place(schema, at.tenant, at.row, at.subject)?;
        let mut fields = Fields::new();
        record.fields(&mut fields);
        let values = fields.as_slice();
        if values.len() != schema.sealed.len() + schema.clear.len() {
            return Err(ErrorKind::Schema.into());
        }
        // SECURITY: what is graver than its field would be masked too little; in a clear field it would be stored as it is.
        if fields.classes().iter().any(|(name, graveness)| !schema.seals(name, *graveness)) {
            return Err(ErrorKind::Schema.into());
        }
        let mut row = new_row(at.tenant, at.row, at.subject, at.version)?;
        let key = at_hand!(self.keyring.try_active(&scope));
        let mut beside = Record::new(at.version);
        for field in schema.clear {
            let value = given(values, field.name)?.ok_or(ErrorKind::Schema)?;
            row = row.with_clear_field(field.name, value)?;
            beside.clear(field.name, of_type(field.kind, value)?, value)?;
        }
        let written = schema.sealed.iter().map(|field| match given(values, field.name)? {
            Some(value) => Ok((field, value)),
            None => Err(ErrorKind::Schema.into()),
        });
        let sealed = self.write(&key, &context, written, &beside)?;
        Ok(Attempt::Done(with_cells(row, schema, &sealed, |_| None)?))
    }

    /// Opens a row for the holder of a grant: fields that the grant names in clear, all others masked.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignAuthority`], [`ErrorKind::GrantExpired`], [`ErrorKind::OtherRecord`] when the grant is not for this
    /// vault, time or row; [`ErrorKind::Integrity`] when the row does not verify; what key store and key management answer.
    pub async fn open<R: Sealed>(&self, covered: Covered<'_>, row: &SealedRow) -> Result<R::View, Error> {
        self.until_done(|| self.try_open::<R>(covered, row)).await
    }

    /// Opens a row, if the keys are at hand.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn try_open<R: Sealed>(
        &self,
        covered: Covered<'_>,
        row: &SealedRow,
    ) -> Result<Attempt<R::View>, Error> {
        let schema = R::schema();
        self.check(covered, row.tenant(), schema.kind, row.id())?;
        let parsed = Parsed::of(schema, row)?;
        let shown: Vec<Reveal> = parsed.cells.iter().map(|(field, _)| Reveal::of(field, covered)).collect();
        let mut plains: Vec<Option<Plain>> = parsed.cells.iter().map(|_| None).collect();
        let sealed = at_hand!(self.opener(&parsed, &parsed.seal)?);
        let record = parsed.record()?;
        let open = |opener: &RecordOpener<'_>, opening: &Opening<'_>, plains: &mut [Option<Plain>]| {
            for (((field, cell), reveal), plain) in parsed.cells.iter().zip(&shown).zip(plains) {
                if *reveal != Reveal::Nothing && opener.is_of_this_write(cell) {
                    *plain = Some(opening.danger_open_uncovered(cell, field.name, field.kind)?);
                }
            }
            Ok(())
        };
        // SECURITY: the record seal first. Nothing of a row with missing, foreign or exchanged cells is opened.
        sealed
            .prepared(|opening| {
                opening.verify_seal(&parsed.seal, &record)?;
                open(&sealed, opening, &mut plains)
            })
            .map_err(Error::stored)?;
        // Cells of earlier writes that an update has kept.
        while let Some(cell) = next_closed(&parsed, &shown, &plains) {
            let opener = at_hand!(self.opener(&parsed, &cell)?);
            opener.prepared(|opening| open(&opener, opening, &mut plains)).map_err(Error::stored)?;
        }
        let fields = parsed.cells.iter().zip(shown).zip(plains);
        let fields = fields.map(|(((field, _), reveal), plain)| (*field, reveal.content(field.class, plain)));
        Ok(Attempt::Done(R::view(&mut Opened::new(covered, schema, row, fields.collect()))?))
    }

    /// Says what a row is, by its own verified record seal: tenant, kind, id, owner and team. It releases no sealed field
    /// and needs no grant: it is what a grant is asked for with.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] when the row does not verify; what key store and key management answer.
    pub async fn attest<'r, R: Sealed>(&self, row: &'r SealedRow) -> Result<Resource<'r>, Error> {
        self.until_done(|| self.try_attest::<R>(row)).await
    }

    /// Says what a row is, if the key is at hand.
    ///
    /// # Errors
    /// As [`Vault::attest`].
    pub fn try_attest<'r, R: Sealed>(&self, row: &'r SealedRow) -> Result<Attempt<Resource<'r>>, Error> {
        let schema = R::schema();
        let parsed = Parsed::of(schema, row)?;
        at_hand!(self.verify(&parsed)?);
        let mut resource = Resource::record(row.tenant(), schema.kind, row.id());
        if let Some(owner) = parsed.clear_text(schema.owner)? {
            resource = resource.owned_by(Owner::Sealed(owner));
        }
        if let Some(team) = parsed.clear_text(schema.team)? {
            resource = resource.in_team(team);
        }
        Ok(Attempt::Done(resource))
    }

    /// Seals new values for some fields of a row, verifying the old row first. The version counts one up. It releases no
    /// sealed field; the cells of the other fields stay as they are.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] when the old row does not verify; [`ErrorKind::Schema`] for a field that there is not, is given
    /// twice or has another type; else as [`Vault::seal`].
    pub async fn update<R: Sealed>(
        &self,
        row: &SealedRow,
        changes: &Changes<'_>,
    ) -> Result<SealedRow, Error> {
        self.until_done(|| self.try_update::<R>(row, changes)).await
    }

    /// Seals new values for some fields of a row, if the keys are at hand.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub fn try_update<R: Sealed>(
        &self,
        row: &SealedRow,
        changes: &Changes<'_>,
    ) -> Result<Attempt<SealedRow>, Error> {
        let (schema, changes) = (R::schema(), changes.as_slice());
        let known = |name: &str| {
            schema.sealed.iter().any(|field| field.name == name)
                || schema.clear.iter().any(|field| field.name == name)
        };
        if changes.iter().any(|(name, _)| !known(name)) {
            return Err(ErrorKind::Schema.into());
        }
        let parsed = Parsed::of(schema, row)?;
        // SECURITY: without this, a damaged or exchanged cell that is kept would be signed anew.
        at_hand!(self.verify(&parsed)?);
        let key = at_hand!(self.keyring.try_active(&parsed.scope));
        let version = row.version().checked_add(1).ok_or(ErrorKind::Value)?;
        let id = row.row().ok_or(ErrorKind::Primitive)?;
        let mut new = new_row(row.tenant(), id, row.subject(), version)?;
        let mut beside = Record::new(version);
        let mut written = Vec::new();
        for (field, cell) in &parsed.cells {
            match given(changes, field.name)? {
                Some(value) => written.push((*field, value)),
                None => {
                    beside.cell(field.name, *cell)?;
                }
            }
        }
        for (field, old) in &parsed.clear {
            let value = given(changes, field.name)?.unwrap_or(*old);
            new = new.with_clear_field(field.name, value)?;
            beside.clear(field.name, of_type(field.kind, value)?, value)?;
        }
        let sealed = self.write(&key, &parsed.context, written.into_iter().map(Ok), &beside)?;
        Ok(Attempt::Done(with_cells(new, schema, &sealed, |name| row.cell(name))?))
    }

    pub(crate) const fn keyring(&self) -> &Arc<Keyring> {
        &self.keyring
    }

    /// SECURITY: every opening begins here.
    pub(crate) fn check(
        &self,
        covered: Covered<'_>,
        tenant: &str,
        kind: &str,
        id: &str,
    ) -> Result<(), Error> {
        if covered.authority() != self.authority {
            return Err(ErrorKind::ForeignAuthority.into());
        }
        if covered.expires() <= self.clock.wall() {
            return Err(ErrorKind::GrantExpired.into());
        }
        let on = covered.resource();
        if (on.tenant(), on.kind(), on.id()) != (tenant, kind, Some(id)) {
            return Err(ErrorKind::OtherRecord.into());
        }
        Ok(())
    }

    fn verify(&self, parsed: &Parsed<'_>) -> Result<Attempt<()>, Error> {
        let opener = at_hand!(self.opener(parsed, &parsed.seal)?);
        let record = parsed.record()?;
        opener.prepared(|opening| opening.verify_seal(&parsed.seal, &record)).map_err(Error::stored)?;
        Ok(Attempt::Done(()))
    }

    fn opener<'v>(
        &'v self,
        parsed: &Parsed<'_>,
        cell: &Cell<'_>,
    ) -> Result<Attempt<RecordOpener<'v>>, Error> {
        let key = at_hand!(self.keyring.try_key(&parsed.scope, cell.key_id())?);
        let opener = self.keyring.sealer().opener(&key, &parsed.context, cell).map_err(Error::stored)?;
        Ok(Attempt::Done(opener))
    }

    fn write<'w>(
        &'w self,
        key: &'w ScopeKey,
        context: &'w Context<'w>,
        written: impl Iterator<Item = Result<(&'static Field, Option<Value<'w>>), Error>>,
        beside: &Record<'_>,
    ) -> Result<SealedCells<'w>, Error> {
        let mut write = self.keyring.sealer().write(key, context)?;
        for given in written {
            let (field, value) = given?;
            write.field(field.name, of_type(field.kind, value)?, value, field.bucket)?;
        }
        Ok(write.seal_record(beside)?)
    }

    /// Loads keys and tries again. A row needs at most one key for each cell, the seal's and the active one.
    pub(crate) async fn until_done<T>(
        &self,
        mut attempt: impl FnMut() -> Result<Attempt<T>, Error>,
    ) -> Result<T, Error> {
        for _ in 0..MOST_LOADS {
            match attempt()? {
                Attempt::Done(done) => return Ok(done),
                Attempt::NeedsKey(needs) => self.keyring.load(&needs).await.map_err(Error::stored)?,
            }
        }
        Err(ErrorKind::Busy.into())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

/// More than any row needs, unless keys leave the cache while others are loaded.
const MOST_LOADS: usize = bartizan_envelope::MAX_FIELDS + 2;

/// What of a field leaves the vault.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reveal {
    /// The value.
    Value,
    /// A part of it, as its class says.
    Part,
    /// Nothing: it is not even opened.
    Nothing,
}

impl Reveal {
    fn of(field: &Field, covered: Covered<'_>) -> Self {
        if covered.clear().contains(field.name) {
            Self::Value
        } else if field.class.shows_a_part() {
            Self::Part
        } else {
            Self::Nothing
        }
    }

    fn content(self, class: Class, plain: Option<Plain>) -> Option<Content> {
        match (self, plain) {
            (Self::Value, Some(plain)) => Some(Content::Clear(plain)),
            (Self::Part, Some(plain)) => Some(Content::Masked(match plain.value() {
                Some(Value::Text(text)) => class.mask(text).into(),
                // Null looks like a value of which nothing shows.
                _ => MASK.into(),
            })),
            (Self::Nothing, _) => Some(Content::Masked(MASK.into())),
            (_, None) => None,
        }
    }
}

/// A cell that is to be opened and is not yet.
fn next_closed<'r>(parsed: &Parsed<'r>, shown: &[Reveal], plains: &[Option<Plain>]) -> Option<Cell<'r>> {
    let mut fields = parsed.cells.iter().zip(shown).zip(plains);
    let (((_, cell), _), _) =
        fields.find(|((_, reveal), plain)| **reveal != Reveal::Nothing && plain.is_none())?;
    Some(*cell)
}

/// The value given for a field: nothing when none is, and an error when two are.
fn given<'v>(values: &[(&str, Option<Value<'v>>)], name: &str) -> Result<Option<Option<Value<'v>>>, Error> {
    let mut found = values.iter().filter(|(field, _)| *field == name).map(|(_, value)| *value);
    let first = found.next();
    if found.next().is_some() { Err(ErrorKind::Schema.into()) } else { Ok(first) }
}

/// The type, if the value has it.
fn of_type(kind: crate::Type, value: Option<Value<'_>>) -> Result<crate::Type, Error> {
    if value.is_some_and(|value| value.kind() != kind) { Err(ErrorKind::Schema.into()) } else { Ok(kind) }
}

fn new_row(tenant: &str, id: Value<'_>, subject: Option<&str>, version: u64) -> Result<SealedRow, Error> {
    let row = SealedRow::new(tenant, id, version)?;
    Ok(match subject {
        Some(subject) => row.of_subject(subject),
        None => row,
    })
}

/// Adds cells in the order of the schema: those that were written, else those that were kept.
fn with_cells<'c>(
    mut row: SealedRow,
    schema: &Schema,
    sealed: &'c SealedCells<'_>,
    kept: impl Fn(&str) -> Option<&'c [u8]>,
) -> Result<SealedRow, Error> {
    for field in schema.sealed {
        let cell = sealed.cell(field.name).or_else(|| kept(field.name)).ok_or(ErrorKind::Primitive)?;
        row = row.with(field.name.into(), cell.to_vec());
    }
    Ok(row.with_record_seal(sealed.record_seal().ok_or(ErrorKind::Primitive)?))
}
