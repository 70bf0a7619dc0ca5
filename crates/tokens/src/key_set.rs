//! The keys of one issuer.

use std::sync::Arc;

use bartizan_crypto::Provider;

use crate::{
    Algorithm, Error, ErrorKind, KeyRules, VerifyingKey,
    jwk::{Jwk, MAX_KEYS},
    names,
};

/// The keys of one issuer: 1 to 64, all asymmetric or all symmetric, each with a `kid` of its own unless there is only one.
/// Cheap to clone and never changed: a new set replaces an old one.
#[derive(Clone, Debug)]
pub struct KeySet(Arc<[VerifyingKey]>);

/// A key of a JWKS that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Why.
    pub reason: SkipReason,
    /// Which of its members is at fault, where that is known.
    pub member: Option<&'static str>,
}

/// Why a key of a JWKS was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// Its type, curve or algorithm is none of ours.
    #[error("its type or algorithm is not supported")]
    Unsupported,
    /// It is for RSASSA-PKCS1-v1_5 (RS256, RS384, RS512), and the rules do not allow that.
    #[error("it is for an algorithm that was not asked for")]
    RsaPkcs1,
    /// It is an RSA or symmetric key without `alg`, and the rules do not say what such keys are for.
    #[error("it does not say its algorithm")]
    NoAlgorithm,
    /// It is an RSA key of under 2048 or over 8192 bits.
    #[error("it is too small or too large")]
    Size,
    /// It is an RSA key that is known to be weak.
    #[error("it is known to be weak")]
    Weak,
    /// It is not for signatures, or its `alg` does not fit its type.
    #[error("it is not for this use")]
    Use,
    /// A member is missing, has the wrong type or is not encoded as it should be.
    #[error("it is malformed")]
    Malformed,
    /// It is no point of its curve.
    #[error("it cannot be used")]
    Unusable,
    /// It has no `kid`, and other keys are there as well.
    #[error("it has no id among several keys")]
    Unnamed,
}

impl KeySet {
    /// From keys.
    ///
    /// # Errors
    /// [`ErrorKind::KeyNone`] for no key, [`ErrorKind::KeyTooLarge`] for over 64, [`ErrorKind::KeyMixed`] for symmetric
    /// beside asymmetric ones, [`ErrorKind::KeyDuplicate`] when two have one `kid`, [`ErrorKind::KeyUnnamed`] when one of
    /// several has none.
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Result<Self, Error> {
        // One more than allowed is enough to see that there are too many.
        let mut keys: Vec<_> = keys.into_iter().take(MAX_KEYS + 1).collect();
        let Some(first) = keys.first() else {
            return Err(ErrorKind::KeyNone.into());
        };
        if keys.len() > MAX_KEYS {
            return Err(ErrorKind::KeyTooLarge.into());
        }
        // SECURITY: where both kinds are accepted, a public key passed off as a secret signs.
        let symmetric = first.algorithm().is_symmetric();
        if keys.iter().any(|key| key.algorithm().is_symmetric() != symmetric) {
            return Err(ErrorKind::KeyMixed.into());
        }
        if keys.len() > 1 && keys.iter().any(|key| key.kid().is_none()) {
            return Err(ErrorKind::KeyUnnamed.into());
        }
        // INVARIANT(sorted-keys): by `kid`, each once.
        keys.sort_by(|a, b| a.kid().cmp(&b.kid()));
        if keys.iter().zip(keys.iter().skip(1)).any(|(a, b)| a.kid() == b.kid()) {
            return Err(ErrorKind::KeyDuplicate.into());
        }
        Ok(Self(keys.into()))
    }

    /// From a public JWKS: at most 256 KiB and 64 keys. Keys that are not ours to use are left out and named with the reason,
    /// so that one new key does not lock everybody out. Among them are keys of RS256, RS384 and RS512, and RSA keys without
    /// `alg`: for those see [`KeySet::from_jwks_with`].
    ///
    /// # Errors
    /// For the whole set: [`ErrorKind::KeyFormat`] or [`ErrorKind::KeyTooLarge`] for its text, [`ErrorKind::KeySecrecy`]
    /// when any key in it is private or symmetric, [`ErrorKind::KeyDuplicate`] when any two have one `kid`,
    /// [`ErrorKind::KeyNone`] when nothing usable is left.
    pub fn from_jwks(provider: &dyn Provider, json: &[u8]) -> Result<(Self, Vec<SkippedKey>), Error> {
        Self::from_jwks_with(provider, json, &KeyRules::strict())
    }

    /// The same, beyond the strict default.
    ///
    /// # Errors
    /// As [`KeySet::from_jwks`], and [`ErrorKind::Config`] for rules that contradict themselves.
    pub fn from_jwks_with(
        provider: &dyn Provider,
        json: &[u8],
        rules: &KeyRules,
    ) -> Result<(Self, Vec<SkippedKey>), Error> {
        let rules = rules.checked()?;
        let parsed = Jwk::parse_set(json)?;
        // SECURITY: a set with a secret in it is a leak or an attack, and nothing else in it is believed.
        if parsed.iter().any(|jwk| jwk.is_secret) {
            return Err(ErrorKind::KeySecrecy.into());
        }
        Self::from_parsed(&parsed, |jwk| VerifyingKey::from_parsed(provider, jwk, rules))
    }

    /// From a JWKS of `oct` keys: shared secrets, from a file of your own and never from a peer. Limits and skipping as
    /// [`KeySet::from_jwks`].
    ///
    /// # Errors
    /// As [`KeySet::from_jwks`], but [`ErrorKind::KeyMixed`] when any key is asymmetric, and those of
    /// [`SigningKey::hmac`](crate::SigningKey::hmac).
    pub fn from_secret_jwks(provider: &dyn Provider, json: &[u8]) -> Result<(Self, Vec<SkippedKey>), Error> {
        let parsed = Jwk::parse_set(json)?;
        if parsed.iter().any(|jwk| jwk.kty.as_deref() != Some("oct")) {
            return Err(ErrorKind::KeyMixed.into());
        }
        Self::from_parsed(&parsed, |jwk| VerifyingKey::from_parsed_secret(provider, jwk))
    }

    fn from_parsed(
        parsed: &[Jwk<'_>],
        make: impl Fn(&Jwk<'_>) -> Result<VerifyingKey, Error>,
    ) -> Result<(Self, Vec<SkippedKey>), Error> {
        let mut kids: Vec<_> = parsed.iter().filter_map(|jwk| jwk.kid.as_deref()).collect();
        kids.sort_unstable();
        if kids.iter().zip(kids.iter().skip(1)).any(|(a, b)| a == b) {
            return Err(ErrorKind::KeyDuplicate.into());
        }
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, jwk) in parsed.iter().enumerate() {
            match make(jwk) {
                Ok(key) => keys.push((index, key)),
                Err(error) => {
                    let member = error.claim();
                    skipped.push(SkippedKey { index, reason: reason(error)?, member });
                }
            }
        }
        if keys.len() > 1 {
            keys.retain(|(index, key)| {
                if key.kid().is_none() {
                    let (index, reason, member) = (*index, SkipReason::Unnamed, Some("kid"));
                    skipped.push(SkippedKey { index, reason, member });
                }
                key.kid().is_some()
            });
            skipped.sort_by_key(|skipped| skipped.index);
        }
        Ok((Self::new(keys.into_iter().map(|(_, key)| key))?, skipped))
    }

    /// The public JWKS, in the order of the ids.
    ///
    /// # Errors
    /// [`ErrorKind::KeySecrecy`] for a set of symmetric keys: they are never published.
    pub fn to_jwks(&self) -> Result<String, Error> {
        let mut out = br#"{"keys":["#.to_vec();
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            key.write_public_jwk(&mut out)?;
        }
        out.extend(b"]}");
        Ok(names::text(out))
    }

    /// The keys, in the order of their ids.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.0.iter()
    }

    /// The one key that a header means, if its algorithm is the header's.
    ///
    /// A lone key is meant by a header without `kid`, and a lone key without `kid` by any. Else the ids must be equal.
    /// SECURITY: nothing is tried in turn, and nothing of the header is looked up outside this set.
    pub(crate) fn select(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&VerifyingKey, Error> {
        let key = match (&*self.0, kid) {
            ([lone], None) => lone,
            ([lone], Some(_)) if lone.kid().is_none() => lone,
            (_, None) => return Err(ErrorKind::Key.into()),
            (keys, kid) => {
                let place = keys.binary_search_by(|key| key.kid().cmp(&kid)).map_err(|_| ErrorKind::Key)?;
                keys.get(place).ok_or(ErrorKind::Key)?
            }
        };
        if key.algorithm() == algorithm { Ok(key) } else { Err(ErrorKind::Algorithm.into()) }
    }
}

/// Why a key is skipped, or the error when the key is not at fault.
fn reason(error: Error) -> Result<SkipReason, Error> {
    match error.kind() {
        ErrorKind::KeyUnsupported => Ok(SkipReason::Unsupported),
        ErrorKind::KeyRsaPkcs1 => Ok(SkipReason::RsaPkcs1),
        ErrorKind::KeyAlgorithm => Ok(SkipReason::NoAlgorithm),
        ErrorKind::KeySize => Ok(SkipReason::Size),
        ErrorKind::KeyWeak => Ok(SkipReason::Weak),
        ErrorKind::KeyUse => Ok(SkipReason::Use),
        ErrorKind::KeyFormat => Ok(SkipReason::Malformed),
        ErrorKind::KeyUnusable => Ok(SkipReason::Unusable),
        _ => Err(error),
    }
}
