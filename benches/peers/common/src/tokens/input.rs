//! What the driver gives to every program: the same keys, the same tokens.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Input {
    /// The claims that everybody issues, but for `jti`, `iat` and `exp`, and that everybody's tokens hold.
    pub claims: Claims,
    /// By the algorithm's name in the header, such as `HS256`.
    pub keys: BTreeMap<String, Key>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    pub jti: String,
    pub iat: i64,
    pub exp: i64,
    pub tenant: String,
    pub roles: Vec<String>,
    pub email: String,
    pub permissions: Vec<String>,
}

/// The claims of a token to be issued.
#[derive(Debug, Serialize)]
pub struct NewClaims<'a> {
    pub iss: &'a str,
    pub sub: &'a str,
    pub aud: &'a str,
    pub client_id: &'a str,
    pub jti: String,
    pub iat: i64,
    pub exp: i64,
    pub tenant: &'a str,
    pub roles: &'a [String],
    pub email: &'a str,
    pub permissions: &'a [String],
}

/// A key in the forms that libraries read, and tokens signed with it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Key {
    pub kid: String,
    pub family: Family,
    /// PKCS#8 as PEM; for HMAC the secret in base64url.
    pub private: String,
    /// SubjectPublicKeyInfo as PEM; for HMAC empty.
    pub public: String,
    pub tokens: Tokens,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Family {
    Hmac,
    Ed25519,
    P256,
    Rsa,
}

/// One token that is to be accepted, and those that a library must refuse to take part.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tokens {
    pub good: String,
    /// Ended two hours ago.
    pub expired: String,
    /// For another audience.
    pub elsewhere: String,
    /// From another issuer, with the right key.
    pub impostor: String,
    /// With one bit of the claims changed.
    pub forged: String,
}

impl Input {
    /// Reads the file that the driver wrote.
    pub fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }
}

impl Claims {
    /// The claims of a new token: everybody draws its `jti` and looks at the clock, as a service must; nothing else is copied.
    pub fn renewed(&self) -> NewClaims<'_> {
        let iat = now();
        NewClaims {
            iss: &self.iss,
            sub: &self.sub,
            aud: &self.aud,
            client_id: &self.client_id,
            jti: random_id(),
            iat,
            exp: iat + LIFETIME,
            tenant: &self.tenant,
            roles: &self.roles,
            email: &self.email,
            permissions: &self.permissions,
        }
    }

    /// Whether these are the claims that everybody's tokens hold.
    pub fn are_those_of(&self, subject: &str) -> bool {
        self.sub == subject && self.permissions.len() == 4
    }
}

/// Seconds from issuing a token to its end.
pub const LIFETIME: i64 = 900;

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// 128 bits from the operating system, as base64url.
pub fn random_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes within a PEM file, or those of a secret.
pub fn der_of(text: &str) -> Vec<u8> {
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let engine = if text.starts_with("-----") {
        &general_purpose::STANDARD
    } else {
        &general_purpose::URL_SAFE_NO_PAD
    };
    engine.decode(body).expect("the driver writes keys in base64")
}
