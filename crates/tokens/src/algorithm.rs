//! The algorithms that sign tokens. There is no “none”.

use bartizan_crypto::{MacAlgorithm, SignatureAlgorithm};

/// An algorithm of RFC 7518 or RFC 8037. A key has exactly one, and a token's header must name that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 under its name `EdDSA` (RFC 8037). Whoever verifies cannot sign.
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4). Whoever verifies cannot sign.
    Es256,
    /// HMAC with SHA-256 (RFC 7518 §3.2). Whoever verifies can sign as well: for a service that talks to itself.
    Hs256,
}

/// Which primitive carries an algorithm out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Signature(SignatureAlgorithm),
    Mac(MacAlgorithm),
}

impl Algorithm {
    /// The name in headers and JWKs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether the key that verifies also signs.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self.primitive(), Primitive::Mac(_))
    }

    /// Names are compared byte by byte: `hs256` is no algorithm (RFC 7515 §4.1.1).
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Hs256].into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub(crate) const fn of(algorithm: SignatureAlgorithm) -> Option<Self> {
        match algorithm {
            SignatureAlgorithm::Ed25519 => Some(Self::EdDsa),
            SignatureAlgorithm::EcdsaP256Sha256 => Some(Self::Es256),
            _ => None,
        }
    }

    pub(crate) const fn primitive(self) -> Primitive {
        match self {
            Self::EdDsa => Primitive::Signature(SignatureAlgorithm::Ed25519),
            Self::Es256 => Primitive::Signature(SignatureAlgorithm::EcdsaP256Sha256),
            Self::Hs256 => Primitive::Mac(MacAlgorithm::HmacSha256),
        }
    }

    /// Bytes of a signature or tag.
    pub(crate) const fn signature_len(self) -> usize {
        match self.primitive() {
            Primitive::Signature(algorithm) => algorithm.signature_len(),
            Primitive::Mac(algorithm) => algorithm.tag_len(),
        }
    }
}

/// Longest signature of all algorithms, in bytes.
pub(crate) const MAX_SIGNATURE: usize = 64;
