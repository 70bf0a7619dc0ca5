//! What sealing a field costs.

use std::{error::Error, sync::Arc};

use bartizan::{
    core::{Authorizer, Entropy, JobPolicy, SecretArray, danger_unrecorded, os},
    crypto_ring::Ring,
    envelope::{Keyring, LocalMaster, MemoryKeyStore},
    field_crypto::{
        Attempt, Bucket, Class, Field, Fields, Opened, Place, Schema, Sealed, Type, Value, Vault,
    },
    rbac::{Assignments, Engine, Policy},
};
use bartizan_benches::{Bench, Case};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, hmac,
};

/// A record with one field of 32 bytes.
struct Record {
    secret: [u8; 32],
}

const SECRET: Field = Field::new("secret", Type::Bytes, Class::Basic, Bucket::literal(16));
const RECORDS: Schema = Schema::new("records", "record", Type::Text).sealed(&[SECRET]);

impl Sealed for Record {
    type View = ();

    fn schema() -> &'static Schema {
        &RECORDS
    }

    fn place(&self) -> Place<'_> {
        Place::new("north", Value::Text("r-17"))
    }

    fn fields<'a>(&'a self, to: &mut Fields<'a>) {
        to.put("secret", Value::Bytes(&self.secret));
    }

    fn view(_: &mut Opened<'_>) -> Result<(), bartizan::field_crypto::Error> {
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    let vault = vault()?;
    let record = Record { secret: [7; 32] };
    vault.seal(&record).await?;

    let key = [9; 32];
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &key);
    let process = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let long_lived = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(|_| "no key")?);
    // What the format asks for, and nothing around it: a hedged salt, one key derivation, a cell and the record seal.
    bench.run(
        Case::new("seal_32", || matches!(vault.try_seal(&record), Ok(Attempt::Done(_))))
            .limit(|| bare(&prk, &process))
            .floor(|| in_a_hurry(&long_lived, &record)),
    );
    bench.finish();
    Ok(())
}

fn vault() -> Result<Vault, Box<dyn Error>> {
    let (provider, clock, entropy) =
        (Arc::new(Ring::new()), Arc::new(os::SystemClock), Arc::new(os::OsEntropy));
    let engine = Engine::new(Policy::default(), Assignments::TokenOnly(Vec::new()));
    let recorder = Arc::new(danger_unrecorded());
    let authorizer = Authorizer::new("bench", engine, JobPolicy::none(), recorder, clock.clone(), &*entropy)?;
    let wrapper = Arc::new(LocalMaster::new(provider.clone(), &SecretArray::new([7; 32]), entropy.clone())?);
    let keyring = Keyring::new(provider, wrapper, Arc::new(MemoryKeyStore::new()), clock.clone(), entropy)?;
    Ok(Vault::new(authorizer.authority(), Arc::new(keyring), clock))
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// HMAC for the salt, HKDF-Expand of 64 bytes, one AES-256-GCM key, 48 and 2 bytes under it.
fn bare(prk: &hkdf::Prk, process: &hmac::Key) -> Option<[u8; 48]> {
    let salt = hmac::sign(process, &[3; 96]);
    let mut okm = [0; 64];
    prk.expand(&[salt.as_ref(), b"north records r-17"], Length(64)).ok()?.fill(&mut okm).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, okm.get(..32)?).ok()?);
    let (mut cell, mut seal) = ([7; 48], [1, 0x80]);
    for (ordinal, bytes) in [(0, cell.as_mut_slice()), (1, seal.as_mut_slice())] {
        let mut nonce = [0; 12];
        nonce[11] = ordinal;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let _tag = key.seal_in_place_separate_tag(nonce, Aad::from(&[5; 40]), bytes).ok()?;
    }
    Some(cell)
}

/// What somebody in a hurry writes: one key for ever, a random nonce, the row's id as associated data.
fn in_a_hurry(key: &LessSafeKey, record: &Record) -> Option<Vec<u8>> {
    let mut nonce = [0; 12];
    os::OsEntropy.fill(&mut nonce).ok()?;
    let mut sealed = Vec::with_capacity(60);
    sealed.extend_from_slice(&record.secret);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(b"r-17"), &mut sealed)
        .ok()?;
    sealed.extend_from_slice(&nonce);
    Some(sealed)
}
