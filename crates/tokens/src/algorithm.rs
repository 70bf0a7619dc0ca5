//! The algorithms that sign tokens. There is no “none”.

use bartizan_crypto::{MacAlgorithm, SignatureAlgorithm};

/// An algorithm of RFC 7518 or RFC 8037. A key has exactly one, and a token's header must name that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519, named `EdDSA` (RFC 8037) or `Ed25519` (RFC 9864): two names of one algorithm. Whoever verifies cannot sign.
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4). Whoever verifies cannot sign.
    Es256,
    /// ECDSA on P-384 with SHA-384 (RFC 7518 §3.4). Whoever verifies cannot sign.
    Es384,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5). Whoever verifies cannot sign.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3). Only for keys that were asked for with `danger_rsa_pkcs1`.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384. Only for keys that were asked for with `danger_rsa_pkcs1`.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512. Only for keys that were asked for with `danger_rsa_pkcs1`.
    Rs512,
    /// HMAC with SHA-256 (RFC 7518 §3.2). Whoever verifies can sign as well: for a service that talks to itself.
    Hs256,
    /// HMAC with SHA-384. Whoever verifies can sign as well.
    Hs384,
    /// HMAC with SHA-512. Whoever verifies can sign as well.
    Hs512,
}

/// Which primitive carries an algorithm out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    Signature(SignatureAlgorithm),
    Mac(MacAlgorithm),
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::EdDsa,
        Self::Es256,
        Self::Es384,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The name in headers and JWKs; for Ed25519 the older one, which every library knows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The name that leaves nothing open (RFC 9864 §2.2): `Ed25519`, and for all others [`Algorithm::name`].
    #[must_use]
    pub const fn fully_specified_name(self) -> &'static str {
        match self {
            Self::EdDsa => "Ed25519",
            other => other.name(),
        }
    }

    /// The algorithm of a name. Names are compared byte by byte: `hs256` is no algorithm (RFC 7515 §4.1.1), and neither is
    /// `none`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            _ => return None,
        })
    }

    /// Whether the key that verifies also signs.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self.primitive(), Primitive::Mac(_))
    }

    /// Whether its keys are RSA keys.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self.primitive(), Primitive::Signature(algorithm) if algorithm.is_rsa())
    }

    /// Whether it is RSASSA-PKCS1-v1_5, which is only used where it was asked for.
    #[must_use]
    pub const fn is_rsa_pkcs1(self) -> bool {
        matches!(self, Self::Rs256 | Self::Rs384 | Self::Rs512)
    }

    pub(crate) const fn of(algorithm: SignatureAlgorithm) -> Option<Self> {
        Some(match algorithm {
            SignatureAlgorithm::Ed25519 => Self::EdDsa,
            SignatureAlgorithm::EcdsaP256Sha256 => Self::Es256,
            SignatureAlgorithm::EcdsaP384Sha384 => Self::Es384,
            SignatureAlgorithm::RsaPssSha256 => Self::Ps256,
            SignatureAlgorithm::RsaPssSha384 => Self::Ps384,
            SignatureAlgorithm::RsaPssSha512 => Self::Ps512,
            SignatureAlgorithm::RsaPkcs1Sha256 => Self::Rs256,
            SignatureAlgorithm::RsaPkcs1Sha384 => Self::Rs384,
            SignatureAlgorithm::RsaPkcs1Sha512 => Self::Rs512,
            _ => return None,
        })
    }

    pub(crate) const fn primitive(self) -> Primitive {
        match self {
            Self::EdDsa => Primitive::Signature(SignatureAlgorithm::Ed25519),
            Self::Es256 => Primitive::Signature(SignatureAlgorithm::EcdsaP256Sha256),
            Self::Es384 => Primitive::Signature(SignatureAlgorithm::EcdsaP384Sha384),
            Self::Ps256 => Primitive::Signature(SignatureAlgorithm::RsaPssSha256),
            Self::Ps384 => Primitive::Signature(SignatureAlgorithm::RsaPssSha384),
            Self::Ps512 => Primitive::Signature(SignatureAlgorithm::RsaPssSha512),
            Self::Rs256 => Primitive::Signature(SignatureAlgorithm::RsaPkcs1Sha256),
            Self::Rs384 => Primitive::Signature(SignatureAlgorithm::RsaPkcs1Sha384),
            Self::Rs512 => Primitive::Signature(SignatureAlgorithm::RsaPkcs1Sha512),
            Self::Hs256 => Primitive::Mac(MacAlgorithm::HmacSha256),
            Self::Hs384 => Primitive::Mac(MacAlgorithm::HmacSha384),
            Self::Hs512 => Primitive::Mac(MacAlgorithm::HmacSha512),
        }
    }

    /// The primitive of an asymmetric algorithm.
    pub(crate) const fn signature(self) -> Option<SignatureAlgorithm> {
        match self.primitive() {
            Primitive::Signature(algorithm) => Some(algorithm),
            Primitive::Mac(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_names_its_algorithm_and_no_other_spelling_does() {
        for algorithm in Algorithm::ALL {
            for name in [algorithm.name(), algorithm.fully_specified_name()] {
                assert_eq!(Algorithm::named(name), Some(algorithm));
                for other in
                    [name.to_ascii_lowercase(), format!("{name} "), format!(" {name}"), name[1..].to_owned()]
                {
                    assert_eq!(Algorithm::named(&other), None, "{other}");
                }
            }
            if let Some(primitive) = algorithm.signature() {
                assert_eq!(Algorithm::of(primitive), Some(algorithm));
            }
            assert_eq!(algorithm.is_symmetric(), algorithm.name().starts_with('H'));
            assert_eq!(algorithm.is_rsa(), algorithm.name().starts_with(['P', 'R']));
            assert_eq!(algorithm.is_rsa_pkcs1(), algorithm.name().starts_with('R'));
        }
        for other in ["", "none", "ES512", "ES256K", "Ed448", "RSA", "RSA1_5", "HS1", "ML-DSA-44", "ED25519"]
        {
            assert_eq!(Algorithm::named(other), None, "{other}");
        }
    }
}
