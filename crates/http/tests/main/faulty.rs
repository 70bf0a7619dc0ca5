//! A store in memory that fails, or hangs, when it is told to.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::UnixTime;
use bartizan_sessions::{
    ApiKeyStore, Asked, Begin, Begun, Digest, End, Ended, Entry, Epochs, Error, ErrorKind, Feed, KeyId,
    KeyReplacement, MemoryStore, NewOnce, Note, OnceStore, Outbox, Position, RevocationStore, Rotate,
    Rotation, Session, SessionKey, SessionStore, Store, StoredKey, StoredSession, Taken,
};

#[derive(Debug, Default)]
pub(crate) struct Faulty {
    store: MemoryStore,
    fault: Mutex<Option<Fault>>,
    calls: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Fails(ErrorKind),
    Hangs,
}

impl Faulty {
    pub(crate) fn set(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// How often it was asked for anything.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    async fn up(&self) -> Result<&MemoryStore, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let fault = *self.fault.lock().unwrap();
        match fault {
            None => Ok(&self.store),
            Some(Fault::Fails(kind)) => Err(kind.into()),
            Some(Fault::Hangs) => std::future::pending().await,
        }
    }
}

macro_rules! delegated {
    ($($seam:ident { $(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+ })+) => {
        $(
            #[async_trait]
            impl $seam for Faulty {
                $(
                    async fn $name(&self, $($argument: $type),*) -> Result<$answer, Error> {
                        self.up().await?.$name($($argument),*).await
                    }
                )+
            }
        )+
    };
}

delegated! {
    SessionStore {
        fn begin(begin: &Begin) -> Begun;
        fn rotate(ask: &Rotate) -> Rotation;
        fn find(selector: &Digest) -> Option<StoredSession>;
        fn confirm(key: SessionKey, generation: u64) -> ();
        fn seen(key: SessionKey, now: UnixTime, idle_expires: UnixTime) -> ();
        fn list(tenant: &str, subject: &str, now: UnixTime) -> Vec<Session>;
        fn end(end: End<'_>, why: Ended, now: UnixTime, until: UnixTime, note: &Note) -> u64;
    }
    RevocationStore {
        fn revoke_token(jti: &str, tenant: &str, subject: &str, now: UnixTime, until: UnixTime, note: &Note) -> ();
        fn is_revoked(asked: &Asked<'_>) -> bool;
        fn revocations(after: Position, limit: usize) -> Feed;
        fn epochs(tenant: &str, subject: &str) -> Epochs;
    }
    Outbox {
        fn pending(limit: usize) -> Vec<Entry>;
        fn delivered(numbers: &[u64]) -> ();
    }
    ApiKeyStore {
        fn add_key(key: &StoredKey, most: u32, note: &Note) -> ();
        fn find_key(selector: &Digest) -> Option<StoredKey>;
        fn keys(tenant: &str, subject: &str) -> Vec<StoredKey>;
        fn replace_key(replacement: &KeyReplacement, now: UnixTime, note: &Note) -> bool;
        fn end_key(tenant: &str, subject: &str, id: KeyId, now: UnixTime, note: &Note) -> bool;
        fn key_used(id: KeyId, at: UnixTime) -> ();
    }
    OnceStore {
        fn put_once(new: &NewOnce<'_>) -> ();
        fn take_once(digest: &Digest, purpose: &str, now: UnixTime, note: &Note) -> Option<Taken>;
        fn advance(tenant: &str, subject: &str, counter: &str, to: u64) -> bool;
    }
    Store {
        fn purge(now: UnixTime, keep: Duration) -> u64;
        fn health() -> ();
    }
}
