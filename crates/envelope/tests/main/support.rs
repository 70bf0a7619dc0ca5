//! A keyring that a test holds in its hand.

use std::sync::Arc;

use bartizan_core::{Entropy, SecretArray, UnixTime};
use bartizan_crypto::Provider;
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_envelope::{
    Bucket, Cell, Context, Error, KeyId, Keyring, LocalMaster, MemoryKeyStore, Plain, Scope, ScopeKey, Type,
    Value,
};
use bartizan_testkit::{ManualClock, SeededEntropy};

pub(crate) const BUCKET: Bucket = Bucket::literal(16);

pub(crate) fn ring() -> Arc<dyn Provider> {
    Arc::new(Ring::new())
}

pub(crate) fn rustcrypto() -> Arc<dyn Provider> {
    Arc::new(RustCrypto::new())
}

/// The keyring of one service.
pub(crate) struct Service {
    pub(crate) keyring: Keyring,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::on(ring(), Arc::new(MemoryKeyStore::new()), Arc::new(SeededEntropy::new(1)))
    }

    /// A service of this provider and randomness on a store, with the same master key as any other.
    pub(crate) fn on(
        provider: Arc<dyn Provider>,
        store: Arc<MemoryKeyStore>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
        let master = SecretArray::new([0x4d; 32]);
        let wrapper = LocalMaster::new(Arc::clone(&provider), &master, Arc::clone(&entropy)).unwrap();
        Self { keyring: Keyring::new(provider, Arc::new(wrapper), store, clock, entropy).unwrap() }
    }

    pub(crate) fn key(&self, tenant: &str) -> ScopeKey {
        wait(self.keyring.active(&Scope::new(tenant, "fields").unwrap())).unwrap()
    }

    /// One field sealed alone.
    pub(crate) fn seal(&self, context: &Context<'_>, field: &str, value: Value<'_>) -> Vec<u8> {
        let key = self.key(context.tenant());
        let mut write = self.keyring.sealer().write(&key, context).unwrap();
        write.field(field, value.kind(), Some(value), BUCKET).unwrap();
        write.seal().unwrap().cell(field).unwrap().to_vec()
    }

    /// Opens as a reader of stored bytes does: the key that the cell names, in the record's scope.
    pub(crate) fn open(
        &self,
        context: &Context<'_>,
        field: &str,
        kind: Type,
        bytes: &[u8],
    ) -> Result<Plain, Error> {
        let cell = Cell::parse(bytes)?;
        let scope = Scope::new(context.tenant(), "fields")?;
        let key = wait(self.keyring.key(&scope, cell.key_id()))?;
        let opener = self.keyring.sealer().opener(&key, context, &cell)?;
        opener.prepared(|opening| opening.danger_open_uncovered(&cell, field, kind))
    }
}

pub(crate) fn patient(row: &str) -> Context<'_> {
    Context::new("north", "patients", Value::Text(row)).unwrap()
}

pub(crate) fn id(byte: u8) -> KeyId {
    KeyId::from_bytes([byte; 8])
}

/// Runs a future that waits for nothing but this process.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}
