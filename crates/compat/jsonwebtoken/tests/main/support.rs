//! An engine whose clock stands still, keys from files, and tokens that no encoder would make.

use std::{fs, path::PathBuf, sync::Arc};

use bartizan_compat_jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Engine, Validation, decode,
    errors::{Error, ErrorKind},
};
use bartizan_core::{Fault, UnixTime};
use bartizan_crypto::{MacAlgorithm, Provider};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::ManualClock;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const SECRET: &[u8; 64] =
    b"\x01canary-secret-of-sixty-four-bytes-for-all-three-of-the-family\xff.";

pub(crate) fn engine() -> Engine {
    Engine::new(Arc::new(Ring::new()), Arc::new(ManualClock::at(UnixTime::from_secs(NOW))))
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures", name].iter().collect();
    fs::read(path).unwrap()
}

pub(crate) fn key_file(name: &str) -> Vec<u8> {
    fixture(&format!("keys/{name}"))
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn signs() -> EncodingKey {
    EncodingKey::from_secret(&engine(), Algorithm::HS256, SECRET).unwrap()
}

pub(crate) fn verifies() -> DecodingKey {
    DecodingKey::from_secret(&engine(), Algorithm::HS256, SECRET).unwrap()
}

pub(crate) fn claims() -> Value {
    json!({"sub": "ada", "exp": NOW + 900})
}

/// The good claims with one changed; `null` takes it away.
pub(crate) fn with(claim: &str, value: Value) -> String {
    let mut claims = claims();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(claim),
        value => claims.as_object_mut().unwrap().insert(claim.into(), value),
    };
    claims.to_string()
}

/// Signs whatever it is given.
pub(crate) fn forge(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", base64url(header), base64url(claims));
    let mac = Ring::new().mac(MacAlgorithm::HmacSha256, SECRET).unwrap();
    format!("{signed}.{}", base64url(mac.tag(&[signed.as_bytes()]).as_bytes()))
}

pub(crate) fn token(claims: &str) -> String {
    forge(r#"{"typ":"JWT","alg":"HS256"}"#, claims)
}

pub(crate) fn validation() -> Validation {
    Validation::new(Algorithm::HS256)
}

pub(crate) fn judge(token: &str, validation: &Validation) -> Result<Value, Error> {
    decode::<Value>(token, &verifies(), validation).map(|data| data.claims)
}

/// The kind with which a token is refused, for which the peer is to blame.
pub(crate) fn refused(token: &str, validation: &Validation) -> ErrorKind {
    let error = judge(token, validation).unwrap_err();
    assert_eq!(error.fault(), Fault::Peer, "{error}");
    error.into_kind()
}

/// The kind and code with which a key is refused, for which the caller is to blame.
pub(crate) fn refused_key<K>(made: Result<K, Error>) -> (ErrorKind, &'static str) {
    let error = made.err().unwrap();
    assert_eq!(error.fault(), Fault::Caller, "{error}");
    let code = error.code();
    (error.into_kind(), code)
}
