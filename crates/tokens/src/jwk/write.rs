//! Writing of JWKs.

use bartizan_core::SecretText;
use bartizan_crypto::{PrivateKey, PublicKey, SignatureAlgorithm};
use zeroize::Zeroizing;

use crate::{
    base64url,
    names::{self, json_member},
    rsa::Numbers,
};

/// The JWK of a public key, members in the order of RFC 7638 and the rest behind them.
pub(crate) fn write_public(alg: &str, kid: Option<&str>, public: &PublicKey, out: &mut Vec<u8>) {
    out.push(b'{');
    write_required(public, out);
    write_rest(alg, kid, out);
    out.push(b'}');
}

/// What RFC 7638 §3.2 and RFC 8037 §2 hash: the required members in lexicographic order, and nothing else.
pub(crate) fn write_for_thumbprint(public: &PublicKey) -> Vec<u8> {
    let mut out = vec![b'{'];
    write_required(public, &mut out);
    out.push(b'}');
    out
}

/// The private JWK: with `d`, and for RSA with all that goes with it.
pub(crate) fn write_private(alg: &str, kid: &str, key: &PrivateKey) -> SecretText {
    let secret = key.secret().expose();
    secret_text(alg, kid, key.public().as_bytes().len() + secret.len(), |out| {
        write_required(key.public(), out);
        if !key.algorithm().is_rsa() {
            return secret_member(out, "d", secret);
        }
        // INVARIANT(rsa-key): the secret of an RSA key that a provider prepared is an `RSAPrivateKey`.
        if let Ok(Numbers { d, p, q, dp, dq, qi, .. }) = Numbers::read(secret) {
            let members = [("d", d), ("dp", dp), ("dq", dq), ("p", p), ("q", q), ("qi", qi)];
            members.into_iter().for_each(|(name, number)| secret_member(out, name, number));
        }
    })
}

/// The JWK of a symmetric key: `k` alone.
pub(crate) fn write_secret(alg: &str, kid: &str, secret: &[u8]) -> SecretText {
    secret_text(alg, kid, secret.len(), |out| {
        secret_member(out, "k", secret);
        json_member(out, "kty", "oct");
    })
}

fn secret_text(alg: &str, kid: &str, bytes: usize, write: impl FnOnce(&mut Vec<u8>)) -> SecretText {
    // Room for everything, so that no half-written copy of the secret is left behind by a larger allocation.
    let room = 256 + 6 * kid.len() + base64url::encoded_len(bytes);
    let mut out = Zeroizing::new(Vec::with_capacity(room));
    out.push(b'{');
    write(&mut out);
    write_rest(alg, Some(kid), &mut out);
    out.push(b'}');
    debug_assert!(out.len() <= room, "a copy of the secret may be left behind");
    SecretText::new(names::text(std::mem::take(&mut out)))
}

fn secret_member(out: &mut Vec<u8>, name: &str, secret: &[u8]) {
    json_member(out, name, &Zeroizing::new(base64url::encode(secret)));
}

fn write_required(public: &PublicKey, out: &mut Vec<u8>) {
    let curve = match public.algorithm() {
        SignatureAlgorithm::EcdsaP256Sha256 => "P-256",
        SignatureAlgorithm::EcdsaP384Sha384 => "P-384",
        _ => "Ed25519",
    };
    match (public.rsa_numbers(), public.as_bytes()) {
        (Some((n, e)), _) => {
            json_member(out, "e", &base64url::encode(e));
            json_member(out, "kty", "RSA");
            json_member(out, "n", &base64url::encode(n));
        }
        (None, [4, point @ ..]) if curve != "Ed25519" => {
            let (x, y) = point.split_at(point.len() / 2);
            json_member(out, "crv", curve);
            json_member(out, "kty", "EC");
            json_member(out, "x", &base64url::encode(x));
            json_member(out, "y", &base64url::encode(y));
        }
        (None, bytes) => {
            json_member(out, "crv", curve);
            json_member(out, "kty", "OKP");
            json_member(out, "x", &base64url::encode(bytes));
        }
    }
}

fn write_rest(alg: &str, kid: Option<&str>, out: &mut Vec<u8>) {
    json_member(out, "alg", alg);
    if let Some(kid) = kid {
        json_member(out, "kid", kid);
    }
    json_member(out, "use", "sig");
}
