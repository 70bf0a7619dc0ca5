//! The JOSE header of a signed token (RFC 7515 §4).
//!
//! `alg` is compared with the key's and never chooses anything. Headers that bring a key or its address are refused, and so
//! is everything that only an encrypted token has. What is unknown is ignored, as §4 asks, unless `crit` names it.

use std::borrow::Cow;

use crate::{
    Algorithm, Error, ErrorKind, Limits, base64url,
    scan::{Read, Scanner, Stop},
    strict::members,
};

/// What a header says. Proves nothing.
pub(crate) struct Header<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<Cow<'a, str>>,
    pub(crate) typ: Option<Cow<'a, str>>,
}

/// Where a header is decoded: on the stack, unless it is unusually long.
pub(crate) struct Buffer {
    near: [u8; NEAR],
    far: Vec<u8>,
}

/// A header with a thumbprint as `kid` decodes to about 90 bytes.
const NEAR: usize = 256;

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self { near: [0; NEAR], far: Vec::new() }
    }

    fn decode(&mut self, encoded: &str) -> Option<&str> {
        let length = base64url::decoded_len(encoded.len())?;
        let place = match self.near.get_mut(..length) {
            Some(near) => near,
            None => {
                self.far.resize(length, 0);
                &mut self.far
            }
        };
        base64url::decode_into(encoded, place)?;
        std::str::from_utf8(place).ok()
    }
}

impl<'a> Header<'a> {
    pub(crate) fn decode(encoded: &str, buffer: &'a mut Buffer, limits: &Limits) -> Result<Self, Error> {
        Self::parse(buffer.decode(encoded).ok_or(ErrorKind::Malformed)?, limits)
    }

    pub(crate) fn parse(json: &'a str, limits: &Limits) -> Result<Self, Error> {
        let read = Scanner::read(json, MAX_MEMBERS, limits.depth, |scan| Self::scan(scan, limits));
        read.map_err(|error| match (error.kind(), error.claim()) {
            (ErrorKind::ClaimType, Some("alg")) => ErrorKind::Algorithm.into(),
            (ErrorKind::ClaimType, Some("typ")) => ErrorKind::Type.into(),
            (ErrorKind::ClaimType, _) => ErrorKind::Malformed.into(),
            (kind, _) => kind.into(),
        })
    }

    fn scan(scan: &mut Scanner<'a>, limits: &Limits) -> Read<Self> {
        let (mut algorithm, mut kid, mut typ) = (None, None, None);
        // The first finding is kept until the whole header has been read: what is malformed behind it is malformed first.
        let mut refused = None;
        let mut seen = scan.members()?;
        while let Some(name) = scan.next(&mut seen)? {
            match name {
                Some(Parameter::Algorithm) => algorithm = Some(scan.string()?),
                Some(Parameter::KeyId) => kid = Some(scan.string()?),
                Some(Parameter::Type) => typ = Some(scan.string()?),
                // Not used, but a header in which they are of another type is no header (RFC 7515 §4.1.7, §4.1.8, §4.1.10;
                // RFC 8555 §6.4.1, §6.5.2).
                Some(
                    Parameter::ContentType
                    | Parameter::Thumbprint
                    | Parameter::ThumbprintSha256
                    | Parameter::Url
                    | Parameter::Nonce,
                ) => drop(scan.string()?),
                None => scan.skip()?,
                // SECURITY: no extension is understood, so none may be critical, and an empty or broken list is no better
                // (RFC 7515 §4.1.11; CVE-2025-59420).
                Some(Parameter::Critical) => {
                    refused.get_or_insert(ErrorKind::Critical);
                    scan.skip()?;
                }
                // SECURITY: a key that comes with the token proves nothing (CVE-2018-0114); `b64` changes what is signed
                // (RFC 7797); the last two are of encrypted tokens.
                Some(
                    Parameter::Unencoded
                    | Parameter::Key
                    | Parameter::KeySetUrl
                    | Parameter::CertificateUrl
                    | Parameter::Certificates
                    | Parameter::Encryption
                    | Parameter::Compression,
                ) => {
                    refused.get_or_insert(ErrorKind::Header);
                    scan.skip()?;
                }
            }
        }
        if let Some(kind) = refused {
            return Err(Stop::Refused(kind));
        }
        if kid.as_ref().is_some_and(|kid: &Cow<'_, str>| kid.len() > limits.kid) {
            return Err(Stop::Refused(ErrorKind::TooLarge));
        }
        match algorithm.and_then(|name| Algorithm::named(&name)) {
            Some(algorithm) => Ok(Header { algorithm, kid, typ }),
            None => Err(Stop::Refused(ErrorKind::Algorithm)),
        }
    }
}

/// Most members and elements of a header, all levels together.
const MAX_MEMBERS: usize = 32;

members! {
    enum Parameter {
        Algorithm = "alg",
        KeyId = "kid",
        Type = "typ",
        Critical = "crit",
        Unencoded = "b64",
        Key = "jwk",
        KeySetUrl = "jku",
        CertificateUrl = "x5u",
        Certificates = "x5c",
        Encryption = "enc",
        Compression = "zip",
        ContentType = "cty",
        Thumbprint = "x5t",
        ThumbprintSha256 = "x5t#S256",
        Url = "url",
        Nonce = "nonce",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(json: &str) -> Result<(Algorithm, Option<String>, Option<String>), ErrorKind> {
        match Header::parse(json, &Limits::DEFAULT) {
            Ok(header) => {
                Ok((header.algorithm, header.kid.map(Cow::into_owned), header.typ.map(Cow::into_owned)))
            }
            Err(error) => Err(error.kind()),
        }
    }

    #[test]
    fn a_registered_parameter_of_another_type_is_refused_though_unused() {
        for name in ["cty", "x5t", "x5t#S256", "url", "nonce"] {
            for value in ["1", "null", "[]", r#"["x"]"#, "{}", "true"] {
                let json = format!(r#"{{"alg":"ES256","{name}":{value}}}"#);
                assert_eq!(verdict(&json), Err(ErrorKind::Malformed), "{json}");
            }
            verdict(&format!(r#"{{"alg":"ES256","{name}":"x"}}"#)).expect("a text");
        }
    }

    #[test]
    fn a_header_is_read() {
        let read = verdict(r#"{"typ":"at+jwt","kid":"k\u0031","alg":"EdDSA","x5t":"AA","cty":"json"}"#);
        assert_eq!(read, Ok((Algorithm::EdDsa, Some("k1".into()), Some("at+jwt".into()))));
        assert_eq!(verdict(r#"{"alg":"HS256"}"#), Ok((Algorithm::Hs256, None, None)));
    }

    #[test]
    fn a_long_header_is_decoded_beside_the_stack() {
        let kid = "k".repeat(128);
        let json = format!(r#"{{"alg":"ES256","kid":"{kid}","note":"{}"}}"#, "n".repeat(800));
        let mut buffer = Buffer::new();
        let header =
            Header::decode(&base64url::encode(json.as_bytes()), &mut buffer, &Limits::DEFAULT).unwrap();
        assert_eq!(header.kid.unwrap(), kid);
    }

    #[test]
    fn the_reason_is_that_of_the_first_finding() {
        assert_eq!(verdict(r#"{"alg":"HS256","crit":["exp"],"jwk":{}}"#), Err(ErrorKind::Critical));
        assert_eq!(verdict(r#"{"alg":"HS256","crit":[],"x":}"#), Err(ErrorKind::Malformed));
        assert_eq!(verdict(r#"{"alg":"HS256","kid":7}"#), Err(ErrorKind::Malformed));
        assert_eq!(verdict(r#"{"alg":"HS256","typ":null}"#), Err(ErrorKind::Type));
        let kid = "k".repeat(129);
        assert_eq!(verdict(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)), Err(ErrorKind::TooLarge));
    }
}
