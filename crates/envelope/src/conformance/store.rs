//! What every [`KeyStore`] does.

use std::{any::Any, fmt, sync::Arc};

use bartizan_core::UnixTime;
use bartizan_crypto::Lifecycle;

use crate::{Change, Error, KeyId, KeyRow, KeyStore, MAX_WRAPPED, Scope};

use super::{Outcome, Violation, block_on, hold};

/// Two drivers that share nothing but one empty store, and whatever must live as long as they do.
pub struct Stores {
    one: Arc<dyn KeyStore>,
    two: Arc<dyn KeyStore>,
    _kept: Box<dyn Any + Send>,
}

impl Stores {
    /// Two drivers of one store; `kept` is dropped after them.
    #[must_use]
    pub fn new(one: Arc<dyn KeyStore>, two: Arc<dyn KeyStore>, kept: impl Any + Send) -> Self {
        Self { one, two, _kept: Box::new(kept) }
    }

    fn insert(&self, row: &KeyRow) -> Result<Change, Error> {
        block_on(self.one.insert_if_absent(row))
    }

    fn update(&self, rows: &[(KeyRow, KeyRow)]) -> Result<Change, Error> {
        block_on(self.two.update(rows))
    }

    /// Read through the other driver than wrote.
    fn get(&self, row: &KeyRow) -> Result<Option<KeyRow>, Error> {
        block_on(self.two.get(&row.tenant, &row.purpose, row.id))
    }

    fn active(&self, row: &KeyRow) -> Result<Option<KeyRow>, Error> {
        block_on(self.two.active(&row.scope()))
    }

    fn list(&self, tenant: Option<&str>, after: Option<KeyId>, limit: usize) -> Result<Vec<KeyRow>, Error> {
        block_on(self.one.list(tenant, after, limit))
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").field("one", &self.one).field("two", &self.two).finish_non_exhaustive()
    }
}

/// Every field is kept, in every state, at the ends of its range.
///
/// # Errors
/// How the driver breaks this.
pub fn what_is_inserted_is_read_back(stores: &Stores) -> Outcome {
    let states = [
        Lifecycle::Active,
        Lifecycle::Pending { active_from: UnixTime::from_nanos(i64::MIN) },
        Lifecycle::Retiring { until: UnixTime::MAX },
        Lifecycle::Revoked,
    ];
    for (at, state) in (1_u8..).zip(states) {
        for subject in [None, Some("ada")] {
            let mut row =
                row(at * 2 + u8::from(subject.is_some()), "north", subject, u32::MAX - u32::from(at))?;
            row.state = state;
            row.created = UnixTime::from_nanos(i64::MAX - i64::from(at));
            row.wrapped = match at {
                1 => (0..=255).cycle().take(MAX_WRAPPED).collect(),
                2 => Vec::new(),
                _ => vec![0, at],
            };
            hold(stores.insert(&row)? == Change::Made, "a new key is not inserted")?;
            hold(stores.get(&row)?.as_ref() == Some(&row), "what is read is not what was inserted")?;
        }
    }
    Ok(())
}

/// An id alone finds nothing.
///
/// # Errors
/// How the driver breaks this.
pub fn a_key_is_found_by_tenant_purpose_and_id_together(stores: &Stores) -> Outcome {
    let row = row(1, "north", None, 1)?;
    hold(stores.insert(&row)? == Change::Made, "a new key is not inserted")?;
    for (tenant, purpose, id) in [("south", "fields", 1), ("north", "audit", 1), ("north", "fields", 2)] {
        let found = block_on(stores.one.get(tenant, purpose, KeyId::from_bytes([id; 8])))?;
        hold(found.is_none(), "a key is found under another tenant, purpose or id")?;
    }
    Ok(())
}

/// A subject's key is not its tenant's, and only an active key is answered.
///
/// # Errors
/// How the driver breaks this.
pub fn the_active_key_is_that_of_its_exact_scope(stores: &Stores) -> Outcome {
    let (of_tenant, of_subject) = (row(1, "north", None, 1)?, row(2, "north", Some("ada"), 1)?);
    hold(stores.active(&of_tenant)?.is_none(), "an empty store has an active key")?;
    hold(stores.insert(&of_subject)? == Change::Made, "a subject's key is not inserted")?;
    hold(stores.active(&of_tenant)?.is_none(), "a subject's key is its tenant's")?;
    hold(stores.insert(&of_tenant)? == Change::Made, "the active key of one scope hinders another's")?;
    hold(stores.active(&of_tenant)?.as_ref() == Some(&of_tenant), "not the tenant's active key")?;
    hold(stores.active(&of_subject)?.as_ref() == Some(&of_subject), "not the subject's active key")?;
    for scope in [
        Scope::new("south", "fields")?,
        Scope::new("north", "audit")?,
        Scope::new("north", "fields")?.of_subject("bob")?,
        Scope::new("south", "fields")?.of_subject("ada")?,
    ] {
        hold(block_on(stores.one.active(&scope))?.is_none(), "a key is active in another scope")?;
    }
    let mut pending = row(3, "south", None, 1)?;
    for state in [
        Lifecycle::Pending { active_from: UnixTime::EPOCH },
        Lifecycle::Retiring { until: UnixTime::MAX },
        Lifecycle::Revoked,
    ] {
        (pending.state, pending.version) = (state, pending.version + 1);
        pending.id = KeyId::from_bytes([100 + u8::try_from(pending.version).unwrap_or_default(); 8]);
        hold(stores.insert(&pending)? == Change::Made, "a key that is not active is not inserted")?;
        hold(stores.active(&pending)?.is_none(), "a key that is not active is answered as active")?;
    }
    Ok(())
}

/// Case, blanks, wildcards and composed letters make different names.
///
/// # Errors
/// How the driver breaks this.
pub fn names_are_compared_byte_by_byte(stores: &Stores) -> Outcome {
    let names = ["north", "North", "north ", "n%", "n_rth", "é", "e\u{301}", "a'b", "a\"b", "a\0b", "-"];
    for (at, name) in (1_u8..).zip(names) {
        let row = row(at, name, None, 1)?;
        hold(stores.insert(&row)? == Change::Made, "two names are taken for one")?;
    }
    for (at, name) in (1_u8..).zip(names) {
        let row = row(at, name, None, 1)?;
        hold(stores.get(&row)?.as_ref() == Some(&row), "a name is not kept as it is")?;
        hold(stores.active(&row)?.as_ref() == Some(&row), "a name is not compared as it is")?;
        hold(stores.list(Some(name), None, 100)?.len() == 1, "a tenant's list has another's keys")?;
    }
    Ok(())
}

/// An id is in the store once, whosever it is.
///
/// # Errors
/// How the driver breaks this.
pub fn an_id_is_inserted_once(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    for again in [row(1, "north", None, 2)?, row(1, "south", None, 1)?, row(1, "north", Some("ada"), 1)?] {
        let again = KeyRow { state: Lifecycle::Revoked, ..again };
        hold(stores.insert(&again)? == Change::Conflict, "an id is inserted twice")?;
    }
    Ok(())
}

/// A scope has one key of each version.
///
/// # Errors
/// How the driver breaks this.
pub fn a_version_is_inserted_once_in_a_scope(stores: &Stores) -> Outcome {
    let first = KeyRow { state: Lifecycle::Revoked, ..row(1, "north", None, 1)? };
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    hold(stores.insert(&row(2, "north", None, 1)?)? == Change::Conflict, "a version is inserted twice")?;
    hold(
        stores.insert(&row(3, "north", Some("ada"), 1)?)? == Change::Made,
        "versions of two scopes hinder each other",
    )?;
    hold(stores.insert(&row(4, "north", None, 2)?)? == Change::Made, "the next version is not inserted")
}

/// A second active key is refused, a pending one is not.
///
/// # Errors
/// How the driver breaks this.
pub fn a_scope_has_one_active_key(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    hold(stores.insert(&row(2, "north", None, 2)?)? == Change::Conflict, "a scope has two active keys")?;
    let pending = Lifecycle::Pending { active_from: UnixTime::EPOCH };
    let next = KeyRow { state: pending, ..row(2, "north", None, 2)? };
    hold(stores.insert(&next)? == Change::Made, "an active key hinders a pending one")?;
    hold(stores.active(&first)?.as_ref() == Some(&first), "the active key has changed")
}

/// What was there stays as it was.
///
/// # Errors
/// How the driver breaks this.
pub fn a_conflicting_insert_changes_nothing(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    let mut same = first.clone();
    same.wrapped = vec![9; 9];
    hold(stores.insert(&same)? == Change::Conflict, "an id is inserted twice")?;
    hold(stores.get(&first)?.as_ref() == Some(&first), "a conflicting insert changed the row")?;
    hold(stores.list(None, None, 10)?.len() == 1, "a conflicting insert added a row")
}

/// Eight creators at once end with one active key.
///
/// # Errors
/// How the driver breaks this.
pub fn of_racing_creators_one_wins(stores: &Stores) -> Outcome {
    let rows: Vec<KeyRow> = (1..=8).map(|id| row(id, "north", None, 1)).collect::<Result<_, _>>()?;
    let made = race(stores, &rows, |store, row| block_on(store.insert_if_absent(row)))?;
    hold(made.iter().filter(|change| **change == Change::Made).count() == 1, "not exactly one creator wins")?;
    let active = block_on(stores.one.active(&Scope::new("north", "fields")?))?;
    let winner = rows.iter().zip(&made).find(|(_, change)| **change == Change::Made).map(|(row, _)| row);
    hold(active.as_ref() == winner, "the active key is not the winner's")?;
    hold(stores.list(None, None, 100)?.len() == 1, "a loser's key is in the store")
}

/// Compare and swap, on every field.
///
/// # Errors
/// How the driver breaks this.
pub fn an_update_needs_the_row_as_expected(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    let rewrapped = KeyRow { wrapped: vec![9; 9], ..first.clone() };
    hold(
        stores.update(&[(first.clone(), rewrapped.clone())])? == Change::Conflict,
        "an absent row is updated",
    )?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    for stale in [
        KeyRow { wrapped: vec![8; 8], ..first.clone() },
        KeyRow { state: Lifecycle::Revoked, ..first.clone() },
        KeyRow { created: UnixTime::from_secs(9), ..first.clone() },
    ] {
        hold(stores.update(&[(stale, rewrapped.clone())])? == Change::Conflict, "a row is updated blindly")?;
        hold(stores.get(&first)?.as_ref() == Some(&first), "a conflicting update changed the row")?;
    }
    hold(stores.update(&[(first.clone(), rewrapped.clone())])? == Change::Made, "a row is not updated")?;
    hold(stores.get(&first)? == Some(rewrapped), "what is read is not what was updated")
}

/// One stale row undoes the whole step.
///
/// # Errors
/// How the driver breaks this.
pub fn an_update_is_all_or_nothing(stores: &Stores) -> Outcome {
    let (one, two) = (row(1, "north", None, 1)?, row(2, "south", None, 1)?);
    hold(
        stores.insert(&one)? == Change::Made && stores.insert(&two)? == Change::Made,
        "new keys are not inserted",
    )?;
    let rewrapped = |row: &KeyRow| KeyRow { wrapped: vec![9; 9], ..row.clone() };
    let stale = KeyRow { wrapped: vec![8; 8], ..two.clone() };
    for rows in [
        [(one.clone(), rewrapped(&one)), (stale.clone(), rewrapped(&two))],
        [(stale.clone(), rewrapped(&two)), (one.clone(), rewrapped(&one))],
    ] {
        hold(stores.update(&rows)? == Change::Conflict, "a row is updated blindly")?;
        hold(stores.get(&one)?.as_ref() == Some(&one), "half of an update was made")?;
        hold(stores.get(&two)?.as_ref() == Some(&two), "half of an update was made")?;
    }
    hold(stores.update(&[])? == Change::Made, "an empty update is refused")
}

/// A key cannot be moved.
///
/// # Errors
/// How the driver breaks this.
pub fn an_update_keeps_id_scope_and_version(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    for moved in [
        KeyRow { id: KeyId::from_bytes([9; 8]), ..first.clone() },
        KeyRow { tenant: "south".into(), ..first.clone() },
        KeyRow { subject: Some("ada".into()), ..first.clone() },
        KeyRow { purpose: "audit".into(), ..first.clone() },
        KeyRow { version: 2, ..first.clone() },
    ] {
        hold(stores.update(&[(first.clone(), moved)])? == Change::Conflict, "an update moves a key")?;
        hold(stores.get(&first)?.as_ref() == Some(&first), "a conflicting update changed the row")?;
    }
    hold(stores.list(None, None, 10)?.len() == 1, "a conflicting update added a row")
}

/// Not by activating a second one either.
///
/// # Errors
/// How the driver breaks this.
pub fn an_update_never_makes_two_keys_active(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    let pending = Lifecycle::Pending { active_from: UnixTime::EPOCH };
    let next = KeyRow { state: pending, ..row(2, "north", None, 2)? };
    hold(
        stores.insert(&first)? == Change::Made && stores.insert(&next)? == Change::Made,
        "new keys are not inserted",
    )?;
    let activated = KeyRow { state: Lifecycle::Active, ..next.clone() };
    hold(
        stores.update(&[(next.clone(), activated)])? == Change::Conflict,
        "an update makes a second key active",
    )?;
    hold(stores.get(&next)?.as_ref() == Some(&next), "a conflicting update changed the row")
}

/// Each row stands in a step once.
///
/// # Errors
/// How the driver breaks this.
pub fn a_row_is_not_updated_twice_in_one_step(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    let (one, two) =
        (KeyRow { wrapped: vec![1], ..first.clone() }, KeyRow { wrapped: vec![2], ..first.clone() });
    for rows in [
        [(first.clone(), one.clone()), (first.clone(), two.clone())],
        [(first.clone(), one.clone()), (one, two)],
    ] {
        hold(stores.update(&rows)? == Change::Conflict, "a row is updated twice in one step")?;
        hold(stores.get(&first)?.as_ref() == Some(&first), "a conflicting update changed the row")?;
    }
    Ok(())
}

/// One key retires and another becomes active at once.
///
/// # Errors
/// How the driver breaks this.
pub fn a_rotation_is_one_step(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    let pending = Lifecycle::Pending { active_from: UnixTime::EPOCH };
    let next = KeyRow { state: pending, ..row(2, "north", None, 2)? };
    hold(
        stores.insert(&first)? == Change::Made && stores.insert(&next)? == Change::Made,
        "new keys are not inserted",
    )?;
    let retiring = KeyRow { state: Lifecycle::Retiring { until: UnixTime::from_secs(9) }, ..first.clone() };
    let activated = KeyRow { state: Lifecycle::Active, ..next.clone() };
    // The new key stands first: the store must not stumble over two active keys on the way.
    let rows = [(next.clone(), activated.clone()), (first.clone(), retiring.clone())];
    hold(stores.update(&rows)? == Change::Made, "a rotation is refused")?;
    hold(stores.active(&first)? == Some(activated), "the new key is not active")?;
    hold(stores.get(&first)? == Some(retiring), "the old key is not retiring")
}

/// Eight updates of one row at once: one is made.
///
/// # Errors
/// How the driver breaks this.
pub fn of_racing_updates_one_wins(stores: &Stores) -> Outcome {
    let first = row(1, "north", None, 1)?;
    hold(stores.insert(&first)? == Change::Made, "a new key is not inserted")?;
    let news: Vec<KeyRow> = (1..=8).map(|byte| KeyRow { wrapped: vec![byte], ..first.clone() }).collect();
    let made = race(stores, &news, |store, new| block_on(store.update(&[(first.clone(), new.clone())])))?;
    hold(made.iter().filter(|change| **change == Change::Made).count() == 1, "not exactly one update wins")?;
    let winner = news.iter().zip(&made).find(|(_, change)| **change == Change::Made).map(|(row, _)| row);
    hold(stores.get(&first)?.as_ref() == winner, "the row is not the winner's")
}

/// Ids are ordered as unsigned bytes.
///
/// # Errors
/// How the driver breaks this.
pub fn keys_are_listed_in_order_and_in_pages(stores: &Stores) -> Outcome {
    // Ids on both sides of the sign bit, inserted out of order.
    for id in [200, 3, 128, 127, 255] {
        hold(
            stores.insert(&row(id, &format!("t{id}"), None, 1)?)? == Change::Made,
            "a new key is not inserted",
        )?;
    }
    let ids = |rows: Vec<KeyRow>| {
        rows.iter().map(|row| row.id.as_bytes().first().copied().unwrap_or_default()).collect::<Vec<u8>>()
    };
    hold(
        ids(stores.list(None, None, 100)?) == [3, 127, 128, 200, 255],
        "keys are not in the order of their ids",
    )?;
    hold(ids(stores.list(None, None, 2)?) == [3, 127], "a page is not of its length")?;
    hold(
        ids(stores.list(None, Some(KeyId::from_bytes([127; 8])), 2)?) == [128, 200],
        "a page begins elsewhere",
    )?;
    hold(
        stores.list(None, Some(KeyId::from_bytes([255; 8])), 2)?.is_empty(),
        "there is something after the last key",
    )?;
    hold(stores.list(None, None, 0)?.is_empty(), "a page of no keys has some")?;
    hold(stores.list(None, None, usize::MAX)?.len() == 5, "the longest page does not have all keys")
}

/// And all of them, its subjects' too.
///
/// # Errors
/// How the driver breaks this.
pub fn a_tenants_list_has_its_keys_alone(stores: &Stores) -> Outcome {
    let (one, two, other) =
        (row(1, "north", None, 1)?, row(2, "north", Some("ada"), 1)?, row(3, "south", None, 1)?);
    for row in [&one, &two, &other] {
        hold(stores.insert(row)? == Change::Made, "a new key is not inserted")?;
    }
    hold(stores.list(Some("north"), None, 10)? == [one, two], "a tenant's list is not that of its keys")?;
    hold(stores.list(Some("west"), None, 10)?.is_empty(), "a tenant without keys has some")
}

/// Lets each row be tried at the same time, by both drivers in turn.
fn race(
    stores: &Stores,
    rows: &[KeyRow],
    attempt: impl Fn(&dyn KeyStore, &KeyRow) -> Result<Change, Error> + Sync,
) -> Result<Vec<Change>, Violation> {
    let (barrier, attempt) = (std::sync::Barrier::new(rows.len()), &attempt);
    std::thread::scope(|scope| {
        let threads: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| {
                let (store, barrier) = (if at % 2 == 0 { &stores.one } else { &stores.two }, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    attempt(&**store, row)
                })
            })
            .collect();
        let ended = threads.into_iter().map(|thread| match thread.join() {
            Ok(made) => made.map_err(Violation::from),
            Err(_) => Err(Violation::new("a call panicked")),
        });
        ended.collect()
    })
}

/// An active key for `fields` whose id is this byte.
fn row(id: u8, tenant: &str, subject: Option<&str>, version: u32) -> Result<KeyRow, Error> {
    let mut scope = Scope::new(tenant, "fields")?;
    if let Some(subject) = subject {
        scope = scope.of_subject(subject)?;
    }
    let (id, wrapped) = (KeyId::from_bytes([id; 8]), vec![id; 16]);
    KeyRow::new(id, scope, version, Lifecycle::Active, wrapped, UnixTime::from_secs(1_700_000_000))
}
