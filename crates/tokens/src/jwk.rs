//! JSON Web Keys as text (RFC 7517, RFC 7518 §6, RFC 8037 §2): read strictly, written by hand.
//!
//! Reading tells apart what breaks the whole document (no JSON, a member twice, too much) and what is odd about one key,
//! which is kept as `odd` so that a set can skip that key alone.

mod read;

use std::borrow::Cow;

use bartizan_core::SecretText;
use zeroize::Zeroizing;

use crate::{
    Algorithm, Error, ErrorKind, base64url,
    names::{self, is_name, json_member},
};

/// Most bytes of one JWK.
pub(crate) const MAX_JWK: usize = 16 * 1024;

/// Most bytes of a JWKS.
pub(crate) const MAX_JWKS: usize = 256 * 1024;

/// Most keys of a set.
pub(crate) const MAX_KEYS: usize = 64;

/// Most bytes of a `kid`.
pub(crate) const MAX_KID: usize = 128;

/// What one key says of itself. Members that have no bearing here are not kept, and `d` and `k` only in place.
#[derive(Default)]
pub(crate) struct Jwk<'a> {
    pub(crate) kty: Option<Cow<'a, str>>,
    pub(crate) crv: Option<Cow<'a, str>>,
    pub(crate) x: Option<Cow<'a, str>>,
    pub(crate) y: Option<Cow<'a, str>>,
    /// `d` of EC and OKP keys.
    pub(crate) d: Option<&'a str>,
    /// `k` of symmetric keys.
    pub(crate) k: Option<&'a str>,
    pub(crate) kid: Option<Cow<'a, str>>,
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
    pub(crate) fn algorithm(&self, purpose: Purpose) -> Result<Algorithm, Error> {
        if self.odd {
            return Err(ErrorKind::KeyFormat.into());
        }
        let kty = self.kty.as_deref().ok_or(ErrorKind::KeyFormat)?;
        let named = match &self.alg {
            Some(name) => Some(Algorithm::named(name).ok_or(ErrorKind::KeyUnsupported)?),
            None => None,
        };
        let implied = match (kty, self.crv.as_deref()) {
            // For these two curves there is one signature algorithm each; the header of a token is never asked
            // (CVE-2026-22817).
            ("EC", Some("P-256")) => Algorithm::Es256,
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            // A secret fits several algorithms, so it has to name its own.
            ("oct", None) => named.filter(|named| named.is_symmetric()).ok_or(ErrorKind::KeyUse)?,
            ("EC" | "OKP", None) | ("oct", Some(_)) => return Err(ErrorKind::KeyFormat.into()),
            _ => return Err(ErrorKind::KeyUnsupported.into()),
        };
        let operation = match purpose {
            Purpose::Sign => "sign",
            Purpose::Verify => "verify",
        };
        let for_this = named.is_none_or(|named| named == implied)
            && self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.operations.as_ref().is_none_or(|operations| operations.iter().any(|it| it == operation));
        if for_this { Ok(implied) } else { Err(ErrorKind::KeyUse.into()) }
    }

    pub(crate) fn kid(&self) -> Result<Option<&str>, Error> {
        match self.kid.as_deref() {
            Some(kid) if !is_kid(kid) => Err(ErrorKind::KeyFormat.into()),
            kid => Ok(kid),
        }
    }

    /// The public bytes of an EC or OKP key, as [`bartizan_crypto::PublicKey`] holds them.
    pub(crate) fn public_bytes(&self, algorithm: Algorithm) -> Result<Vec<u8>, Error> {
        let coordinate = |text: Option<&str>| {
            let bytes = base64url::decode(text?)?;
            (bytes.len() == 32).then_some(bytes)
        };
        let x = coordinate(self.x.as_deref()).ok_or(ErrorKind::KeyFormat)?;
        if algorithm == Algorithm::EdDsa {
            return if self.y.is_none() { Ok(x) } else { Err(ErrorKind::KeyFormat.into()) };
        }
        let y = coordinate(self.y.as_deref()).ok_or(ErrorKind::KeyFormat)?;
        Ok([&[4], x.as_slice(), y.as_slice()].concat())
    }

    /// The 32 secret bytes of an EC or OKP key.
    pub(crate) fn private_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let bytes = self.d.and_then(base64url::decode_secret).ok_or(ErrorKind::KeyFormat)?;
        if bytes.len() == 32 { Ok(bytes) } else { Err(ErrorKind::KeyFormat.into()) }
    }

    /// The secret of an `oct` key.
    pub(crate) fn secret_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.k.and_then(base64url::decode_secret).ok_or(ErrorKind::KeyFormat)?)
    }
}

/// 1 to 128 printable bytes.
pub(crate) fn is_kid(kid: &str) -> bool {
    kid.len() <= MAX_KID && is_name(kid)
}

/// The JWK of a public key, members in the order of RFC 7638 and the rest behind them.
pub(crate) fn write_public(algorithm: Algorithm, kid: Option<&str>, public: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    write_required(algorithm, public, out);
    write_rest(algorithm, kid, out);
    out.push(b'}');
}

/// What RFC 7638 §3.2 and RFC 8037 §2 hash: the required members in lexicographic order, and nothing else.
pub(crate) fn write_for_thumbprint(algorithm: Algorithm, public: &[u8]) -> Vec<u8> {
    let mut out = vec![b'{'];
    write_required(algorithm, public, &mut out);
    out.push(b'}');
    out
}

/// The private JWK: with `d`, or for a symmetric key with `k` alone.
pub(crate) fn write_private(algorithm: Algorithm, kid: &str, public: &[u8], secret: &[u8]) -> SecretText {
    // Room for everything, so that no half-written copy of the secret is left behind by a larger allocation.
    let room = 256 + 6 * kid.len() + base64url::encoded_len(public.len() + secret.len());
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    let encoded = Zeroizing::new(base64url::encode(secret));
    out.push(b'{');
    if algorithm.is_symmetric() {
        json_member(&mut out, "k", &encoded);
        json_member(&mut out, "kty", "oct");
    } else {
        write_required(algorithm, public, &mut out);
        json_member(&mut out, "d", &encoded);
    }
    write_rest(algorithm, Some(kid), &mut out);
    out.push(b'}');
    SecretText::new(names::text(std::mem::take(&mut out)))
}

fn write_required(algorithm: Algorithm, public: &[u8], out: &mut Vec<u8>) {
    match (algorithm, public) {
        (Algorithm::Es256, [_, point @ ..]) => {
            let (x, y) = point.split_at(point.len() / 2);
            json_member(out, "crv", "P-256");
            json_member(out, "kty", "EC");
            json_member(out, "x", &base64url::encode(x));
            json_member(out, "y", &base64url::encode(y));
        }
        _ => {
            json_member(out, "crv", "Ed25519");
            json_member(out, "kty", "OKP");
            json_member(out, "x", &base64url::encode(public));
        }
    }
}

fn write_rest(algorithm: Algorithm, kid: Option<&str>, out: &mut Vec<u8>) {
    json_member(out, "alg", algorithm.name());
    if let Some(kid) = kid {
        json_member(out, "kid", kid);
    }
    json_member(out, "use", "sig");
}
