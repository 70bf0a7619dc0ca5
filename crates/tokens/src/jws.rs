//! Signed payloads of any kind (RFC 7515), compact serialisation only.
//!
//! A payload that was verified here is authentic and nothing more: it is no access token. For those there is
//! [`Verifier`](crate::Verifier), which also asks who issued it, for whom, and until when.

use std::fmt;

use bartizan_core::{RawToken, SecretText};

use crate::{
    Algorithm, Error, ErrorKind, KeySet, Limits, SigningKey, VerifyingKey, base64url,
    compact::{self, Compact},
    header::{Buffer, Header},
    names::{self, is_name, json_member},
};

pub use crate::unvalidated_claims::UnvalidatedClaims;

/// A payload whose signature was verified. Only [`verify`] makes one.
pub struct Payload {
    bytes: Vec<u8>,
    typ: Option<Box<str>>,
    key: VerifyingKey,
}

impl Payload {
    /// The payload.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload, owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The payload as claims: read strictly, and not judged.
    ///
    /// # Errors
    /// Those of [`UnvalidatedClaims::parse`].
    pub fn into_claims(self, limits: &Limits) -> Result<UnvalidatedClaims, Error> {
        UnvalidatedClaims::parse(String::from_utf8(self.bytes).map_err(|_| ErrorKind::Malformed)?, limits)
    }

    /// The header's `typ`, as it stands there.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// The `kid` of the key that verified it, if the key has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.key.kid()
    }

    /// The algorithm of the key that verified it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }
}

/// Shows how long the payload is and which key verified it.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("length", &self.bytes.len())
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Verifies a signature and gives the payload, whatever it is. The header may have any `typ`.
///
/// A set of one key verifies tokens without `kid`, and, if that key has no `kid`, tokens with any. Else the header's `kid`
/// chooses the key. The header's `alg` must be the key's.
///
/// # Errors
/// [`ErrorKind::TooLarge`], [`ErrorKind::Malformed`], [`ErrorKind::Duplicate`], [`ErrorKind::Algorithm`],
/// [`ErrorKind::Key`], [`ErrorKind::Critical`], [`ErrorKind::Header`], [`ErrorKind::Type`] (a `typ` that is no string) and
/// [`ErrorKind::Signature`]; [`ErrorKind::Config`] for limits out of range.
pub fn verify(keys: &KeySet, token: RawToken<'_>, limits: &Limits) -> Result<Payload, Error> {
    let limits = limits.checked()?;
    let compact = compact::parse(token.untrusted(), &limits)?;
    let mut buffer = Buffer::new();
    let header = Header::decode(compact.header, &mut buffer, &limits)?;
    let key = authenticate(keys, &compact, &header)?;
    let bytes = base64url::decode(compact.payload).ok_or(ErrorKind::Malformed)?;
    Ok(Payload { bytes, typ: header.typ.map(|typ| typ.as_ref().into()), key: key.clone() })
}

/// A header of the caller's own, which [`verify`] would take: checked and encoded once, for many tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedHeader {
    encoded: Box<str>,
    algorithm: Algorithm,
}

impl ProtectedHeader {
    /// From a JSON object of at most 32 members with an `alg`.
    ///
    /// # Errors
    /// Those of [`verify`] about headers: one that makes something critical, brings a key or its address, or is of an
    /// encrypted token is none of ours to write either. [`ErrorKind::TooLarge`] over the limit of [`Limits::DEFAULT`].
    pub fn new(json: &str) -> Result<Self, Error> {
        let header = Header::parse(json, &Limits::DEFAULT)?;
        let encoded = base64url::encode(json.as_bytes());
        if encoded.len() > Limits::DEFAULT.header {
            return Err(ErrorKind::TooLarge.into());
        }
        Ok(Self { encoded: encoded.into(), algorithm: header.algorithm })
    }

    /// The algorithm that it names.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Signs a payload under a header of the caller's own. Its `kid` is what the header says, if it says one, and not the key's.
///
/// # Errors
/// [`ErrorKind::Algorithm`] when the header names another algorithm than the key's; else as [`sign`].
pub fn sign_under(key: &SigningKey, header: &ProtectedHeader, payload: &[u8]) -> Result<SecretText, Error> {
    // SECURITY: one key, one algorithm, on this side too.
    if header.algorithm != key.algorithm() {
        return Err(ErrorKind::Algorithm.into());
    }
    assemble(key, &header.encoded, payload)
}

/// Signs a payload. The header has `alg`, `kid` and, if given, `typ`.
///
/// # Errors
/// [`ErrorKind::Config`] for a `typ` that is no printable name, [`ErrorKind::TooLarge`] for a token over
/// the 8 KiB of [`Limits::DEFAULT`], [`ErrorKind::Entropy`] and [`ErrorKind::Primitive`] when the key fails to sign.
pub fn sign(key: &SigningKey, typ: Option<&str>, payload: &[u8]) -> Result<SecretText, Error> {
    if typ.is_some_and(|typ| !is_name(typ)) {
        return Err(ErrorKind::Config.into());
    }
    assemble(key, &encoded_header(key, typ), payload)
}

/// The key that the header means, once the signature verifies under it.
pub(crate) fn authenticate<'k>(
    keys: &'k KeySet,
    compact: &Compact<'_>,
    header: &Header<'_>,
) -> Result<&'k VerifyingKey, Error> {
    let key = keys.select(header.kid.as_deref(), header.algorithm)?;
    key.verify(compact.signed, compact.signature)?;
    Ok(key)
}

pub(crate) fn encoded_header(key: &SigningKey, typ: Option<&str>) -> String {
    let mut header = vec![b'{'];
    json_member(&mut header, "alg", key.algorithm_name());
    json_member(&mut header, "kid", key.kid());
    if let Some(typ) = typ {
        json_member(&mut header, "typ", typ);
    }
    header.push(b'}');
    base64url::encode(&header)
}

/// Header, payload, signature, in one allocation of the right size.
pub(crate) fn assemble(key: &SigningKey, header: &str, payload: &[u8]) -> Result<SecretText, Error> {
    let signature = base64url::encoded_len(key.signature_len());
    let length = header.len() + base64url::encoded_len(payload.len()) + signature + 2;
    // A token within this limit is within those of its parts.
    if length > Limits::DEFAULT.token {
        return Err(ErrorKind::TooLarge.into());
    }
    let mut token = Vec::with_capacity(length);
    token.extend(header.as_bytes());
    token.push(b'.');
    base64url::encode_onto(payload, &mut token);
    key.sign(&mut token)?;
    Ok(SecretText::new(names::text(token)))
}
