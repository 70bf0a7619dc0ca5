//! The suites pass on the drivers of this crate, and catch each driver that is broken on purpose.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use bartizan_core::{SecretArray, SecretBytes};
use bartizan_crypto::{Lifecycle, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::SeededEntropy;

use super::{Outcome, store::Stores, wrapper::Wrappers};
use crate::{
    Change, Error, ErrorKind, KeyContext, KeyId, KeyRow, KeyStore, KeyWrapper, LocalMaster, MemoryKeyStore,
    Scope,
};

fn memory() -> Stores {
    let store = Arc::new(MemoryKeyStore::new());
    Stores::new(Arc::clone(&store) as Arc<dyn KeyStore>, store, ())
}

fn local(provider: Arc<dyn Provider>) -> Arc<LocalMaster> {
    let master = SecretArray::new([0x4d; 32]);
    Arc::new(LocalMaster::new(provider, &master, Arc::new(SeededEntropy::new(3))).unwrap())
}

mod memory_store {
    crate::key_store_conformance!(super::memory);
}

mod local_master_on_ring {
    use super::*;

    crate::key_wrapper_conformance!(|| Wrappers::new(local(Arc::new(Ring::new())), Arc::new(Ring::new())));
}

mod local_master_on_rustcrypto {
    use super::*;

    crate::key_wrapper_conformance!(|| Wrappers::new(
        local(Arc::new(RustCrypto::new())),
        Arc::new(RustCrypto::new())
    ));
}

type StoreCase = (&'static str, fn(&Stores) -> Outcome);
type WrapperCase = (&'static str, fn(&Wrappers) -> Outcome);

const STORE_CASES: &[StoreCase] = crate::__key_store_cases!(__conformance_table, ());
const WRAPPER_CASES: &[WrapperCase] = crate::__key_wrapper_cases!(__conformance_table, ());

/// One way to break a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoreFlaw {
    ForgetsRows,
    LosesWrapped,
    ForgetsStateTimes,
    GetsByIdAlone,
    ActiveIgnoresSubject,
    ActiveIgnoresState,
    FoldsCase,
    TrimsNames,
    OverwritesIds,
    AcceptsVersionsTwice,
    AcceptsTwoActive,
    RefusesSecondKey,
    LooksThenInserts,
    UpdatesBlindly,
    UpdatesHalf,
    MovesKeys,
    ActivatesSecond,
    UpdatesRowsTwice,
    UpdatesOneByOne,
    LooksThenUpdates,
    ListsUnordered,
    ListsFromStart,
    ListsAll,
    ListsEveryTenant,
    TwoDriversApart,
}

#[derive(Debug)]
struct BrokenStore {
    flaw: StoreFlaw,
    sound: Arc<MemoryKeyStore>,
}

impl BrokenStore {
    async fn all(&self) -> Result<Vec<KeyRow>, Error> {
        self.sound.list(None, None, usize::MAX).await
    }

    /// Puts a row in its place without asking.
    async fn force(&self, row: &KeyRow) -> Result<Change, Error> {
        let old = self.all().await?.into_iter().find(|old| old.id == row.id);
        self.sound.put(old.as_ref(), row);
        Ok(Change::Made)
    }
}

#[async_trait]
impl KeyStore for BrokenStore {
    async fn get(&self, tenant: &str, purpose: &str, id: KeyId) -> Result<Option<KeyRow>, Error> {
        let mut row = match self.flaw {
            StoreFlaw::GetsByIdAlone => self.all().await?.into_iter().find(|row| row.id == id),
            StoreFlaw::FoldsCase => self
                .all()
                .await?
                .into_iter()
                .find(|row| row.tenant.eq_ignore_ascii_case(tenant) && *row.purpose == *purpose),
            _ => self.sound.get(tenant, purpose, id).await?,
        };
        if let Some(row) = &mut row {
            match self.flaw {
                StoreFlaw::LosesWrapped => row.wrapped.truncate(255),
                StoreFlaw::ForgetsStateTimes if row.state != Lifecycle::Active => {
                    row.state = Lifecycle::Revoked
                }
                _ => {}
            }
        }
        Ok(row)
    }

    async fn active(&self, scope: &Scope<'_>) -> Result<Option<KeyRow>, Error> {
        match self.flaw {
            StoreFlaw::ActiveIgnoresSubject => {
                let rows = self.all().await?.into_iter();
                Ok(rows
                    .filter(|row| row.state == Lifecycle::Active)
                    .find(|row| (&*row.tenant, &*row.purpose) == (scope.tenant(), scope.purpose())))
            }
            StoreFlaw::ActiveIgnoresState => {
                Ok(self.all().await?.into_iter().find(|row| row.scope() == *scope))
            }
            _ => self.sound.active(scope).await,
        }
    }

    async fn insert_if_absent(&self, row: &KeyRow) -> Result<Change, Error> {
        let clash = |other: &KeyRow| {
            let both_active = other.state == Lifecycle::Active && row.state == Lifecycle::Active;
            let scope = other.scope() == row.scope();
            (other.id == row.id, scope && other.version == row.version, scope && both_active)
        };
        let rows = self.all().await?;
        let (ids, versions, actives) = (
            rows.iter().any(|row| clash(row).0),
            rows.iter().any(|row| clash(row).1),
            rows.iter().any(|row| clash(row).2),
        );
        match self.flaw {
            StoreFlaw::ForgetsRows => Ok(Change::Made),
            StoreFlaw::OverwritesIds if ids => self.force(row).await,
            StoreFlaw::AcceptsVersionsTwice if versions && !ids => self.force(row).await,
            StoreFlaw::AcceptsTwoActive if actives && !ids && !versions => self.force(row).await,
            StoreFlaw::RefusesSecondKey if rows.iter().any(|other| other.scope() == row.scope()) => {
                Ok(Change::Conflict)
            }
            StoreFlaw::TrimsNames => {
                let trimmed = KeyRow { tenant: row.tenant.trim_end().into(), ..row.clone() };
                self.sound.insert_if_absent(&trimmed).await
            }
            StoreFlaw::LooksThenInserts if !ids && !versions && !actives => {
                // What a store without a transaction does.
                std::thread::sleep(std::time::Duration::from_millis(20));
                self.force(row).await
            }
            _ => self.sound.insert_if_absent(row).await,
        }
    }

    async fn update(&self, rows: &[(KeyRow, KeyRow)]) -> Result<Change, Error> {
        let all = self.all().await?;
        let expected = rows.iter().all(|(old, _)| all.contains(old));
        match self.flaw {
            StoreFlaw::UpdatesBlindly => {
                for (_, new) in rows {
                    let _ = self.force(new).await?;
                }
                Ok(Change::Made)
            }
            StoreFlaw::UpdatesHalf => {
                for (old, new) in rows {
                    if let Change::Conflict = self.sound.update(&[(old.clone(), new.clone())]).await? {
                        return Ok(Change::Conflict);
                    }
                }
                Ok(Change::Made)
            }
            StoreFlaw::UpdatesOneByOne if rows.len() > 1 && expected => {
                let (old, new) = &rows[0];
                match self.sound.update(&[(old.clone(), new.clone())]).await? {
                    Change::Conflict => Ok(Change::Conflict),
                    Change::Made => self.sound.update(&rows[1..]).await,
                }
            }
            StoreFlaw::MovesKeys
                if expected && rows.iter().any(|(old, new)| old.context() != new.context()) =>
            {
                for (old, new) in rows {
                    self.sound.put(Some(old), new);
                }
                Ok(Change::Made)
            }
            StoreFlaw::ActivatesSecond if expected && rows.len() == 1 => self.force(&rows[0].1).await,
            StoreFlaw::UpdatesRowsTwice if expected => {
                for (_, new) in rows {
                    let _ = self.force(new).await?;
                }
                Ok(Change::Made)
            }
            StoreFlaw::LooksThenUpdates if expected && rows.len() == 1 => {
                std::thread::sleep(std::time::Duration::from_millis(20));
                self.force(&rows[0].1).await
            }
            _ => self.sound.update(rows).await,
        }
    }

    async fn list(
        &self,
        tenant: Option<&str>,
        after: Option<KeyId>,
        limit: usize,
    ) -> Result<Vec<KeyRow>, Error> {
        match self.flaw {
            StoreFlaw::ListsUnordered => {
                let mut rows = self.sound.list(tenant, after, usize::MAX).await?;
                // As signed bytes.
                rows.sort_by_key(|row| row.id.as_bytes()[0] as i8);
                rows.truncate(limit);
                Ok(rows)
            }
            StoreFlaw::ListsFromStart => self.sound.list(tenant, None, limit).await,
            StoreFlaw::ListsAll => self.sound.list(tenant, after, usize::MAX).await,
            StoreFlaw::ListsEveryTenant => self.sound.list(None, after, limit).await,
            _ => self.sound.list(tenant, after, limit).await,
        }
    }
}

#[test]
fn each_broken_store_is_caught_by_the_case_for_it() {
    let mut caught = BTreeSet::new();
    for (flaw, case) in [
        (StoreFlaw::ForgetsRows, "what_is_inserted_is_read_back"),
        (StoreFlaw::LosesWrapped, "what_is_inserted_is_read_back"),
        (StoreFlaw::ForgetsStateTimes, "what_is_inserted_is_read_back"),
        (StoreFlaw::TwoDriversApart, "what_is_inserted_is_read_back"),
        (StoreFlaw::GetsByIdAlone, "a_key_is_found_by_tenant_purpose_and_id_together"),
        (StoreFlaw::ActiveIgnoresSubject, "the_active_key_is_that_of_its_exact_scope"),
        (StoreFlaw::ActiveIgnoresState, "the_active_key_is_that_of_its_exact_scope"),
        (StoreFlaw::FoldsCase, "names_are_compared_byte_by_byte"),
        (StoreFlaw::TrimsNames, "names_are_compared_byte_by_byte"),
        (StoreFlaw::OverwritesIds, "an_id_is_inserted_once"),
        (StoreFlaw::OverwritesIds, "a_conflicting_insert_changes_nothing"),
        (StoreFlaw::AcceptsVersionsTwice, "a_version_is_inserted_once_in_a_scope"),
        (StoreFlaw::AcceptsTwoActive, "a_scope_has_one_active_key"),
        (StoreFlaw::RefusesSecondKey, "a_scope_has_one_active_key"),
        (StoreFlaw::LooksThenInserts, "of_racing_creators_one_wins"),
        (StoreFlaw::UpdatesBlindly, "an_update_needs_the_row_as_expected"),
        (StoreFlaw::UpdatesHalf, "an_update_is_all_or_nothing"),
        (StoreFlaw::MovesKeys, "an_update_keeps_id_scope_and_version"),
        (StoreFlaw::ActivatesSecond, "an_update_never_makes_two_keys_active"),
        (StoreFlaw::UpdatesRowsTwice, "a_row_is_not_updated_twice_in_one_step"),
        (StoreFlaw::UpdatesOneByOne, "a_rotation_is_one_step"),
        (StoreFlaw::LooksThenUpdates, "of_racing_updates_one_wins"),
        (StoreFlaw::ListsUnordered, "keys_are_listed_in_order_and_in_pages"),
        (StoreFlaw::ListsFromStart, "keys_are_listed_in_order_and_in_pages"),
        (StoreFlaw::ListsAll, "keys_are_listed_in_order_and_in_pages"),
        (StoreFlaw::ListsEveryTenant, "a_tenants_list_has_its_keys_alone"),
    ] {
        let (_, run) = STORE_CASES.iter().find(|(name, _)| *name == case).unwrap();
        let sound = Arc::new(MemoryKeyStore::new());
        let apart = if flaw == StoreFlaw::TwoDriversApart { Arc::default() } else { Arc::clone(&sound) };
        let stores = Stores::new(
            Arc::new(BrokenStore { flaw, sound }),
            Arc::new(BrokenStore { flaw, sound: apart }),
            (),
        );
        assert!(run(&stores).is_err(), "{case} does not see {flaw:?}");
        caught.insert(case);
    }
    assert_eq!(caught, STORE_CASES.iter().map(|(name, _)| *name).collect());
}

/// One way to break a wrapper.
#[derive(Clone, Copy, Debug)]
enum WrapperFlaw {
    Forgets,
    TooLong,
    IgnoresContextAndPayloadToo,
    WrapsNothing,
    IsDeterministic,
    ChecksNothing,
    IgnoresTail,
    TakesAnything,
    SaysUnavailable,
    HasNoName,
}

#[derive(Debug)]
struct BrokenWrapper {
    flaw: WrapperFlaw,
    sound: Arc<LocalMaster>,
}

fn first_context() -> KeyContext<'static> {
    KeyContext::new(Scope::new("x", "x").unwrap(), 1, KeyId::from_bytes([0; 8]))
}

#[async_trait]
impl KeyWrapper for BrokenWrapper {
    fn describe(&self) -> String {
        match self.flaw {
            WrapperFlaw::HasNoName => String::new(),
            _ => self.sound.describe(),
        }
    }

    async fn wrap(&self, context: &KeyContext<'_>, payload: &SecretArray<64>) -> Result<Vec<u8>, Error> {
        match self.flaw {
            WrapperFlaw::TooLong => Ok(vec![0; 20_000]),
            WrapperFlaw::WrapsNothing | WrapperFlaw::ChecksNothing => Ok(payload.expose().to_vec()),
            WrapperFlaw::IgnoresContextAndPayloadToo => self.sound.wrap(&first_context(), payload).await,
            WrapperFlaw::IsDeterministic => Ok(payload.expose().map(|byte| byte ^ 0x55).to_vec()),
            _ => self.sound.wrap(context, payload).await,
        }
    }

    async fn unwrap(&self, context: &KeyContext<'_>, wrapped: &[u8]) -> Result<SecretBytes, Error> {
        match self.flaw {
            WrapperFlaw::Forgets => Ok(SecretBytes::new(vec![0; 64])),
            WrapperFlaw::ChecksNothing | WrapperFlaw::WrapsNothing => Ok(SecretBytes::new(wrapped.to_vec())),
            WrapperFlaw::IsDeterministic => {
                Ok(SecretBytes::new(wrapped.iter().map(|byte| byte ^ 0x55).collect()))
            }
            WrapperFlaw::IgnoresContextAndPayloadToo => {
                // Makes the check of the payload blind: a key comes out for whatever context is asked.
                let payload = self.sound.unwrap(&first_context(), wrapped).await?;
                let key = SecretArray::new(*payload.expose().first_chunk().unwrap());
                let payload = crate::key::payload(Ring::new().hash(), &key, context);
                Ok(SecretBytes::new(payload.expose().to_vec()))
            }
            WrapperFlaw::IgnoresTail => {
                self.sound.unwrap(context, wrapped.get(..146).unwrap_or(wrapped)).await
            }
            WrapperFlaw::TakesAnything => match self.sound.unwrap(context, wrapped).await {
                Ok(payload) => Ok(payload),
                Err(_) => {
                    let key = SecretArray::new([0; 32]);
                    Ok(SecretBytes::new(
                        crate::key::payload(Ring::new().hash(), &key, context).expose().to_vec(),
                    ))
                }
            },
            WrapperFlaw::SaysUnavailable => {
                self.sound.unwrap(context, wrapped).await.map_err(|_| ErrorKind::Unavailable.into())
            }
            _ => self.sound.unwrap(context, wrapped).await,
        }
    }
}

#[test]
fn each_broken_wrapper_is_caught_by_the_case_for_it() {
    let mut caught = BTreeSet::new();
    for (flaw, case) in [
        (WrapperFlaw::Forgets, "what_is_wrapped_unwraps"),
        (WrapperFlaw::TooLong, "what_is_wrapped_unwraps"),
        (WrapperFlaw::IgnoresContextAndPayloadToo, "a_key_unwraps_in_its_own_context_alone"),
        (WrapperFlaw::WrapsNothing, "a_wrap_shows_nothing_of_the_key"),
        (WrapperFlaw::IsDeterministic, "two_wraps_of_one_key_differ"),
        (WrapperFlaw::ChecksNothing, "an_altered_wrap_is_refused"),
        (WrapperFlaw::IgnoresTail, "a_shortened_or_lengthened_wrap_is_refused"),
        (WrapperFlaw::TakesAnything, "bytes_that_are_no_wrap_are_refused"),
        (WrapperFlaw::SaysUnavailable, "an_altered_wrap_is_refused"),
        (WrapperFlaw::HasNoName, "a_wrapper_has_a_name"),
    ] {
        let (_, run) = WRAPPER_CASES.iter().find(|(name, _)| *name == case).unwrap();
        let sound = local(Arc::new(Ring::new()));
        let wrappers = Wrappers::new(Arc::new(BrokenWrapper { flaw, sound }), Arc::new(Ring::new()));
        assert!(run(&wrappers).is_err(), "{case} does not see {flaw:?}");
        caught.insert(case);
    }
    assert_eq!(caught, WRAPPER_CASES.iter().map(|(name, _)| *name).collect());
}
