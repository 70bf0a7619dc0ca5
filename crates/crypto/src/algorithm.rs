//! Names of the algorithms. There is no “none”.

/// A signature algorithm together with everything that belongs to it: curve, hash, encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// Ed25519 (RFC 8032), pure.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; signatures as `r ‖ s`, 64 bytes (FIPS 186-5, RFC 7518 §3.4).
    EcdsaP256Sha256,
}

impl SignatureAlgorithm {
    /// Length of a signature in bytes.
    #[must_use]
    pub const fn signature_len(self) -> usize {
        match self {
            Self::Ed25519 | Self::EcdsaP256Sha256 => 64,
        }
    }

    /// Length of a public key in bytes, as [`PublicKey`](crate::PublicKey) holds it.
    #[must_use]
    pub const fn public_len(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::EcdsaP256Sha256 => 65,
        }
    }
}

/// A MAC algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MacAlgorithm {
    /// HMAC with SHA-256 (RFC 2104, FIPS 198-1).
    HmacSha256,
}

impl MacAlgorithm {
    /// Length of a tag, and the least length of a key, in bytes (RFC 7518 §3.2).
    #[must_use]
    pub const fn tag_len(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
        }
    }
}
