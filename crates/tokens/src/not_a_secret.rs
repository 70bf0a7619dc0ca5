//! Tells key files from secrets.
//!
//! SECURITY: whoever passes a public key where a secret is asked for lets everybody sign (CVE-2015-9235, CVE-2026-34950,
//! CVE-2026-48526). So a secret that is a key file in any usual form is refused, whatever white space stands around it.

use bartizan_crypto::{Provider, PublicKey, SignatureAlgorithm};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use memchr::memmem;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use crate::der::{BIT_STRING, CONTEXT_0, CONTEXT_1, INTEGER, OCTET_STRING, SEQUENCE};

/// Whether `secret` is PEM, a JWK or JWKS (or any other JSON object or array), a DER key or certificate, an SSH public key, a
/// point of P-256 or P-384, or any of these as base64 (`x5c`, environment variables) or hexadecimal digits.
pub(crate) fn is_key_file(provider: &dyn Provider, secret: &[u8]) -> bool {
    is_key(provider, secret) || decodings(without_mark(secret)).any(|decoded| is_key(provider, &decoded))
}

fn is_key(provider: &dyn Provider, bytes: &[u8]) -> bool {
    // RFC 7468 and OpenPGP, RFC 4716.
    let is_armoured =
        ["-----BEGIN", "---- BEGIN "].iter().any(|mark| memmem::find(bytes, mark.as_bytes()).is_some());
    let text = without_mark(bytes);
    let is_ssh = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-sha2-"]
        .iter()
        .any(|kind| text.starts_with(kind.as_bytes()));
    let is_json =
        matches!(text.first(), Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(text).is_ok();
    // An editor may have ended the last line of what has none.
    let is_der = is_der_key(bytes) || is_der_key(bytes.trim_ascii_end());
    is_armoured || is_ssh || is_json || is_der || is_point(provider, bytes)
}

/// The text without a byte order mark and white space around it.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii()
}

fn is_point(provider: &dyn Provider, secret: &[u8]) -> bool {
    [SignatureAlgorithm::EcdsaP256Sha256, SignatureAlgorithm::EcdsaP384Sha384]
        .into_iter()
        .any(|curve| PublicKey::new(curve, secret).is_ok_and(|key| provider.verifier(&key).is_ok()))
}

/// What the text says as base64 of either alphabet, in lines or not, padded or not, or as hexadecimal digits.
fn decodings(text: &[u8]) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    let lax = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text);
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let base64 = [STANDARD, URL_SAFE].map(|alphabet| GeneralPurpose::new(&alphabet, lax).decode(&*text).ok());
    base64.into_iter().flatten().map(Zeroizing::new).chain(hexadecimal(&text))
}

fn hexadecimal(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for pair in text.chunks(2) {
        match pair {
            [high, low] => bytes.push(digit(*high)? << 4 | digit(*low)?),
            _ => return None,
        }
    }
    Some(bytes)
}

/// One DER sequence from the first byte to the last whose children are those of a public key (SPKI, RFC 5280 §4.1.2.7), an
/// RSA public key (PKCS#1), a certificate, a private key (PKCS#8, RFC 5958; SEC 1, RFC 5915) or an RSA private key. That
/// random bytes look like this is less likely than that they are guessed.
fn is_der_key(bytes: &[u8]) -> bool {
    let Some((SEQUENCE, content, [])) = element(bytes) else {
        return false;
    };
    let Some(children) = children(content) else {
        return false;
    };
    matches!(
        children.as_slice(),
        [SEQUENCE, BIT_STRING]
            | [INTEGER, INTEGER]
            | [SEQUENCE, SEQUENCE, BIT_STRING]
            | [INTEGER, SEQUENCE, OCTET_STRING, ..]
            | [INTEGER, OCTET_STRING, CONTEXT_0 | CONTEXT_1, ..]
            | [INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER, INTEGER]
    )
}

/// The tags of elements that fill `content` exactly; at most sixteen.
fn children(mut content: &[u8]) -> Option<Vec<u8>> {
    let mut tags = Vec::new();
    while !content.is_empty() {
        let (tag, _, rest) = element(content)?;
        tags.push(tag);
        content = rest;
        if tags.len() > 16 {
            return None;
        }
    }
    Some(tags)
}

/// Tag, content and rest of the first element (X.690 §8.1, lengths of up to three bytes).
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (length, rest) = match bytes {
        [_, short @ ..=0x7f, rest @ ..] => (usize::from(*short), rest),
        [_, 0x81, a, rest @ ..] => (usize::from(*a), rest),
        [_, 0x82, a, b, rest @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), rest),
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    bytes.first().map(|tag| (*tag, content, rest))
}
