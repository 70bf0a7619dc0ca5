//! Names of the algorithms. There is no “none”.

/// A signature algorithm together with everything that belongs to it: curve, hash, padding, encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// Ed25519 (RFC 8032), pure.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; signatures as `r ‖ s`, 64 bytes (FIPS 186-5, RFC 7518 §3.4).
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384; signatures as `r ‖ s`, 96 bytes (FIPS 186-5, RFC 7518 §3.4).
    EcdsaP384Sha384,
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes (RFC 8017 §8.1, RFC 7518 §3.5).
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2). For peers that know nothing newer.
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Ed25519,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
    ];

    /// Length of a signature in bytes; none for RSA, where it is that of the key's modulus
    /// ([`PublicKey::signature_len`](crate::PublicKey::signature_len)).
    #[must_use]
    pub const fn signature_len(self) -> Option<usize> {
        match self {
            Self::Ed25519 | Self::EcdsaP256Sha256 => Some(64),
            Self::EcdsaP384Sha384 => Some(96),
            _ => None,
        }
    }

    /// Length of a public key in bytes, as [`PublicKey`](crate::PublicKey) holds it; none for RSA.
    #[must_use]
    pub const fn public_len(self) -> Option<usize> {
        match self {
            Self::Ed25519 => Some(32),
            Self::EcdsaP256Sha256 => Some(65),
            Self::EcdsaP384Sha384 => Some(97),
            _ => None,
        }
    }

    /// Length of the secret half in bytes: a seed or a scalar; none for RSA.
    #[must_use]
    pub const fn secret_len(self) -> Option<usize> {
        match self {
            Self::Ed25519 | Self::EcdsaP256Sha256 => Some(32),
            Self::EcdsaP384Sha384 => Some(48),
            _ => None,
        }
    }

    /// Whether its keys are RSA keys.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        self.public_len().is_none()
    }
}

/// Longest signature of all algorithms, in bytes: that of RSA with 8,192 bits.
pub const MAX_SIGNATURE: usize = 1024;

/// A MAC algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MacAlgorithm {
    /// HMAC with SHA-256 (RFC 2104, FIPS 198-1).
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

impl MacAlgorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// Length of a tag, and the least length of a key, in bytes (RFC 7518 §3.2).
    #[must_use]
    pub const fn tag_len(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }
}
