//! Keys that are always the same, and tokens that no issuer would make.

use std::sync::Arc;

use bartizan_core::{RawToken, SecretArray, SecretBytes, UnixTime};
use bartizan_crypto::{MacAlgorithm, PrivateKey, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::ManualClock;
use bartizan_tokens::{Algorithm, ErrorKind, KeySet, SigningKey, Verified, Verifier};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
pub(crate) const KID: &str = "k1";
pub(crate) const SECRET: [u8; 32] = *b"\x01canary-secret-of-thirty-two-b\xff.";
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256];

pub(crate) fn providers() -> [Box<dyn Provider>; 2] {
    [Box::new(Ring::new()), Box::new(RustCrypto::new())]
}

pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(UnixTime::from_secs(NOW)))
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The private key of `SECRET` for an asymmetric algorithm.
pub(crate) fn private_key(algorithm: Algorithm) -> PrivateKey {
    let algorithm = match algorithm {
        Algorithm::EdDsa => SignatureAlgorithm::Ed25519,
        _ => SignatureAlgorithm::EcdsaP256Sha256,
    };
    RustCrypto::new().private_key(algorithm, SecretArray::new(SECRET).into()).unwrap()
}

pub(crate) fn signing_key(provider: &dyn Provider, algorithm: Algorithm, kid: &str) -> SigningKey {
    match algorithm {
        Algorithm::Hs256 => {
            SigningKey::hmac(provider, Algorithm::Hs256, kid, &SecretBytes::new(SECRET.to_vec())).unwrap()
        }
        _ => SigningKey::from_private(provider, Some(kid), &private_key(algorithm)).unwrap(),
    }
}

/// Signs whatever it is given with the key of `SECRET`.
pub(crate) struct Forge {
    pub(crate) algorithm: Algorithm,
}

impl Forge {
    pub(crate) const fn new(algorithm: Algorithm) -> Self {
        Self { algorithm }
    }

    pub(crate) fn keys(&self) -> KeySet {
        KeySet::new([signing_key(&Ring::new(), self.algorithm, KID).verifying()]).unwrap()
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::access_tokens(ISSUER, AUDIENCE, self.keys(), clock()).unwrap()
    }

    pub(crate) fn signature(&self, signed: &[u8]) -> Vec<u8> {
        let provider = RustCrypto::new();
        match self.algorithm {
            Algorithm::Hs256 => {
                provider.mac(MacAlgorithm::HmacSha256, &SECRET).unwrap().tag(&[signed]).as_bytes().to_vec()
            }
            algorithm => provider.signer(&private_key(algorithm)).unwrap().sign(signed).unwrap(),
        }
    }

    /// Signs two parts that are encoded already, in whatever way.
    pub(crate) fn encoded(&self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        let signature = encode(self.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(crate) fn token(&self, header: &str, claims: &str) -> String {
        self.encoded(&encode(header), &encode(claims))
    }

    pub(crate) fn header(&self) -> String {
        json!({"alg": self.algorithm.name(), "kid": KID, "typ": "at+jwt"}).to_string()
    }

    /// A good header and more members.
    pub(crate) fn header_and(&self, more: &str) -> String {
        let header = self.header();
        format!("{},{more}}}", &header[..header.len() - 1])
    }

    /// A token with a good header and these claims.
    pub(crate) fn claiming(&self, claims: &str) -> String {
        self.token(&self.header(), claims)
    }

    /// A token with a good header and good claims, but for one.
    pub(crate) fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = claims();
        claims.insert(claim.into(), value);
        self.claiming(&Value::Object(claims).to_string())
    }

    /// The same with the value as text, which need be no JSON.
    pub(crate) fn with_raw(&self, claim: &str, value: &str) -> String {
        let mut claims = claims();
        claims.remove(claim);
        let rest = Value::Object(claims).to_string();
        self.claiming(&format!(r#"{},"{claim}":{value}}}"#, &rest[..rest.len() - 1]))
    }

    pub(crate) fn without(&self, claim: &str) -> String {
        let mut claims = claims();
        claims.remove(claim);
        self.claiming(&Value::Object(claims).to_string())
    }

    pub(crate) fn good(&self) -> String {
        self.claiming(&good_claims())
    }
}

pub(crate) fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "sub": "ada", "aud": AUDIENCE, "exp": NOW + 600, "iat": NOW - 1_000, "jti": "t-1", "client_id": "web",
        "tenant": "north", "roles": ["doctor"],
    });
    claims.as_object().unwrap().clone()
}

pub(crate) fn good_claims() -> String {
    Value::Object(claims()).to_string()
}

pub(crate) fn verify(verifier: &Verifier, token: &str) -> Result<Verified, ErrorKind> {
    verifier.verify(RawToken::new(token)).map_err(|error| error.kind())
}

#[track_caller]
pub(crate) fn refused(verifier: &Verifier, token: &str) -> ErrorKind {
    let error = verifier.verify(RawToken::new(token)).expect_err("accepted");
    assert_eq!(error.fault(), bartizan_core::Fault::Peer);
    error.kind()
}
