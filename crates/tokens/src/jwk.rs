//! JSON Web Keys as text (RFC 7517, RFC 7518 §6, RFC 8037 §2): read strictly, written by hand.
//!
//! Reading tells apart what breaks the whole document (no JSON, a member twice, too much) and what is odd about one key,
//! which is kept as `odd` so that a set can skip that key alone.

mod read;
mod write;

use std::borrow::Cow;

use bartizan_core::SecretBytes;
use bartizan_crypto::{PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::{
    Algorithm, Error, ErrorKind, KeyRules, base64url,
    names::is_name,
    rsa::{self, Numbers},
};

pub(crate) use write::{write_for_thumbprint, write_private, write_public, write_secret};

/// Most bytes of one JWK.
pub(crate) const MAX_JWK: usize = 16 * 1024;

/// Most bytes of a JWKS.
pub(crate) const MAX_JWKS: usize = 256 * 1024;

/// Most keys of a set.
pub(crate) const MAX_KEYS: usize = 64;

/// Most bytes of a `kid`.
pub(crate) const MAX_KID: usize = 128;

/// What one key says of itself. Members that have no bearing here are not kept, and secret ones only in place.
#[derive(Default)]
pub(crate) struct Jwk<'a> {
    pub(crate) kty: Option<Cow<'a, str>>,
    pub(crate) kid: Option<Cow<'a, str>>,
    crv: Option<Cow<'a, str>>,
    x: Option<Cow<'a, str>>,
    y: Option<Cow<'a, str>>,
    n: Option<Cow<'a, str>>,
    e: Option<Cow<'a, str>>,
    /// `d` of EC, OKP and RSA keys.
    d: Option<&'a str>,
    /// `k` of symmetric keys.
    k: Option<&'a str>,
    p: Option<&'a str>,
    q: Option<&'a str>,
    dp: Option<&'a str>,
    dq: Option<&'a str>,
    qi: Option<&'a str>,
    /// It has `oth`: more than two primes.
    has_others: bool,
    /// It has `priv`, which none of our key types has.
    has_priv: bool,
    alg: Option<Cow<'a, str>>,
    usage: Option<Cow<'a, str>>,
    operations: Option<Vec<Cow<'a, str>>>,
    /// It has a private or symmetric member, of whatever key type.
    pub(crate) is_secret: bool,
    /// A member has the wrong type, or it is no object at all.
    pub(crate) odd: bool,
}

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Sign,
    Verify,
}

impl<'a> Jwk<'a> {
    /// Reads one key, public or not.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, Error> {
        read::one(json)
    }

    /// Reads a set: all its keys, usable or not.
    pub(crate) fn parse_set(json: &'a [u8]) -> Result<Vec<Self>, Error> {
        read::set(json)
    }

    /// The one algorithm of this key, if everything it says of itself fits that algorithm and the purpose.
    pub(crate) fn algorithm(&self, purpose: Purpose, rules: &KeyRules) -> Result<Algorithm, Error> {
        if self.odd {
            return Err(ErrorKind::KeyFormat.into());
        }
        let kty = self.kty.as_deref().ok_or(Error::about(ErrorKind::KeyFormat, "kty"))?;
        let algorithm = self.implied(kty, rules)?;
        // Whatever the algorithm: a key of a kind that is never used here is said to be that first.
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(Error::about(ErrorKind::KeyUse, "use"));
        }
        let operation = match purpose {
            Purpose::Sign => "sign",
            Purpose::Verify => "verify",
        };
        if self.operations.as_ref().is_some_and(|operations| !operations.iter().any(|it| it == operation)) {
            return Err(Error::about(ErrorKind::KeyUse, "key_ops"));
        }
        let algorithm = algorithm.ok_or(Error::about(ErrorKind::KeyAlgorithm, "alg"))?;
        if rules.allow(algorithm) { Ok(algorithm) } else { Err(Error::about(ErrorKind::KeyRsaPkcs1, "alg")) }
    }

    /// The algorithm that type, curve and `alg` leave; none where several are left. The header of a token is never asked
    /// (CVE-2026-22817).
    fn implied(&self, kty: &str, rules: &KeyRules) -> Result<Option<Algorithm>, Error> {
        let named = match &self.alg {
            Some(name) => Some(Algorithm::named(name).ok_or(Error::about(ErrorKind::KeyUnsupported, "alg"))?),
            None => None,
        };
        let fits: fn(Algorithm) -> bool;
        let implied = match (kty, self.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                fits = |named| named == Algorithm::Es256;
                Some(Algorithm::Es256)
            }
            ("EC", Some("P-384")) => {
                fits = |named| named == Algorithm::Es384;
                Some(Algorithm::Es384)
            }
            ("OKP", Some("Ed25519")) => {
                fits = |named| named == Algorithm::EdDsa;
                Some(Algorithm::EdDsa)
            }
            ("RSA", None) => {
                fits = Algorithm::is_rsa;
                rules.for_unnamed_rsa()
            }
            ("oct", None) => {
                fits = Algorithm::is_symmetric;
                None
            }
            ("EC" | "OKP", None) | ("oct" | "RSA", Some(_)) => {
                return Err(Error::about(ErrorKind::KeyFormat, "crv"));
            }
            ("EC" | "OKP", Some(_)) => return Err(Error::about(ErrorKind::KeyUnsupported, "crv")),
            _ => return Err(Error::about(ErrorKind::KeyUnsupported, "kty")),
        };
        match named {
            Some(named) if !fits(named) => Err(Error::about(ErrorKind::KeyUse, "alg")),
            named => Ok(named.or(implied)),
        }
    }

    /// Whether `alg` is the newer name of an algorithm that has two.
    pub(crate) fn is_fully_specified(&self) -> bool {
        self.alg.as_deref() == Some(Algorithm::EdDsa.fully_specified_name())
    }

    pub(crate) fn kid(&self) -> Result<Option<&str>, Error> {
        match self.kid.as_deref() {
            Some(kid) if !is_kid(kid) => Err(Error::about(ErrorKind::KeyFormat, "kid")),
            kid => Ok(kid),
        }
    }

    /// The public half.
    pub(crate) fn public(&self, algorithm: Algorithm) -> Result<PublicKey, Error> {
        let primitive = algorithm.signature().ok_or(ErrorKind::KeySecrecy)?;
        self.has_no_members_of_others(algorithm)?;
        if algorithm.is_rsa() {
            let number = |text: Option<&str>, name| {
                text.and_then(base64url::decode).ok_or(Error::about(ErrorKind::KeyFormat, name))
            };
            return rsa::public(
                primitive,
                &number(self.n.as_deref(), "n")?,
                &number(self.e.as_deref(), "e")?,
            );
        }
        // RFC 7518 §6.2.1.2: the full size of a coordinate, leading zeros included.
        let length = primitive.secret_len().unwrap_or_default();
        let coordinate = |text: Option<&str>, name| {
            let bytes = text.and_then(base64url::decode).filter(|bytes| bytes.len() == length);
            bytes.ok_or(Error::about(ErrorKind::KeyFormat, name))
        };
        let x = coordinate(self.x.as_deref(), "x")?;
        let bytes = match algorithm {
            Algorithm::EdDsa => x,
            _ => {
                let y = coordinate(self.y.as_deref(), "y")?;
                [&[4], x.as_slice(), y.as_slice()].concat()
            }
        };
        PublicKey::new(primitive, &bytes).map_err(Error::preparing)
    }

    /// A key is of one type: what has members of another as well is two keys in one.
    fn has_no_members_of_others(&self, algorithm: Algorithm) -> Result<(), Error> {
        let (is_rsa, is_symmetric) = (algorithm.is_rsa(), algorithm.is_symmetric());
        let strangers = [
            ("n", self.n.is_some() && !is_rsa),
            ("e", self.e.is_some() && !is_rsa),
            ("x", self.x.is_some() && (is_rsa || is_symmetric)),
            ("y", self.y.is_some() && (is_rsa || is_symmetric || algorithm == Algorithm::EdDsa)),
            ("d", self.d.is_some() && is_symmetric),
            ("k", self.k.is_some() && !is_symmetric),
            ("p", self.p.is_some() && !is_rsa),
            ("q", self.q.is_some() && !is_rsa),
            ("dp", self.dp.is_some() && !is_rsa),
            ("dq", self.dq.is_some() && !is_rsa),
            ("qi", self.qi.is_some() && !is_rsa),
            ("oth", self.has_others && !is_rsa),
            ("priv", self.has_priv),
        ];
        match strangers.into_iter().find(|(_, is_there)| *is_there) {
            Some((name, _)) => Err(Error::about(ErrorKind::KeyFormat, name)),
            None => Ok(()),
        }
    }

    /// Both halves.
    pub(crate) fn private(&self, algorithm: Algorithm) -> Result<PrivateKey, Error> {
        let public = self.public(algorithm)?;
        let secret = |text: Option<&str>, name| {
            text.and_then(base64url::decode_secret).ok_or(Error::about(ErrorKind::KeyFormat, name))
        };
        let d = secret(self.d, "d")?;
        let Some((n, e)) = public.rsa_numbers() else {
            if Some(d.len()) != public.algorithm().secret_len() {
                return Err(Error::about(ErrorKind::KeyFormat, "d"));
            }
            return Ok(PrivateKey::new(SecretBytes::new(d.to_vec()), public));
        };
        if self.has_others {
            return Err(Error::about(ErrorKind::KeyUnsupported, "oth"));
        }
        // RFC 7518 §6.3.1.1: a number in as few bytes as can be.
        let number = |text, name| match secret(text, name) {
            Ok(bytes) if bytes.first().is_none_or(|first| *first == 0) => {
                Err(Error::about(ErrorKind::KeyFormat, name))
            }
            read => read,
        };
        let (d, p, q) = (number(self.d, "d")?, number(self.p, "p")?, number(self.q, "q")?);
        let (dp, dq, qi) = (number(self.dp, "dp")?, number(self.dq, "dq")?, number(self.qi, "qi")?);
        let numbers = Numbers { n, e, d: &d, p: &p, q: &q, dp: &dp, dq: &dq, qi: &qi };
        Ok(PrivateKey::new(numbers.write(), public.clone()))
    }

    /// The secret of an `oct` key.
    pub(crate) fn secret_bytes(&self, algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.has_no_members_of_others(algorithm)?;
        self.k.and_then(base64url::decode_secret).ok_or(Error::about(ErrorKind::KeyFormat, "k"))
    }
}

/// 1 to 128 printable bytes.
pub(crate) fn is_kid(kid: &str) -> bool {
    kid.len() <= MAX_KID && is_name(kid)
}
