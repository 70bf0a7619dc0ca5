//! Which keys of others are taken beyond the strict default.

use crate::{Algorithm, Error, ErrorKind};

/// What a JWK or JWKS may hold beyond the strict default. The strict default takes no RSASSA-PKCS1-v1_5 key and no RSA key
/// without `alg`.
///
/// ```
/// use bartizan_tokens::{Algorithm, KeyRules};
///
/// // Google and Cognito sign with RS256 and say so in `alg`.
/// let google = KeyRules::strict().danger_rsa_pkcs1();
/// // An issuer whose RSA keys say nothing signs with what its documents say.
/// let other = KeyRules::strict().rsa_without_alg(Algorithm::Ps256);
/// # assert_ne!(google, other);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    rsa_pkcs1: bool,
    rsa_without_alg: Option<Algorithm>,
}

impl KeyRules {
    /// No RS256, RS384 or RS512, and no RSA key that does not say its `alg`.
    #[must_use]
    pub const fn strict() -> Self {
        Self { rsa_pkcs1: false, rsa_without_alg: None }
    }

    /// Takes keys of RS256, RS384 and RS512 too.
    ///
    /// # Security
    /// RSASSA-PKCS1-v1_5 has no proof of security, and verifiers of it have been broken again and again
    /// (Bleichenbacher 2006, CVE-2006-4339, CVE-2014-1568). ASVS 11.6.1 asks for approved modern schemes, which it is not. Say this
    /// for an issuer that signs with nothing else.
    #[must_use]
    pub const fn danger_rsa_pkcs1(self) -> Self {
        Self { rsa_pkcs1: true, ..self }
    }

    /// Takes RSA keys without `alg` for keys of this one algorithm. The header of a token is never asked.
    ///
    /// Reading with rules is [`ErrorKind::Config`] when this is no RSA algorithm, or is RS256, RS384 or RS512 without
    /// [`KeyRules::danger_rsa_pkcs1`].
    #[must_use]
    pub const fn rsa_without_alg(self, algorithm: Algorithm) -> Self {
        Self { rsa_without_alg: Some(algorithm), ..self }
    }

    /// Rules that contradict themselves are found before any key is read.
    pub(crate) fn checked(&self) -> Result<&Self, Error> {
        match self.rsa_without_alg {
            Some(algorithm) if !algorithm.is_rsa() || !self.allow(algorithm) => Err(ErrorKind::Config.into()),
            _ => Ok(self),
        }
    }

    pub(crate) const fn allow(&self, algorithm: Algorithm) -> bool {
        self.rsa_pkcs1 || !algorithm.is_rsa_pkcs1()
    }

    /// What an RSA key without `alg` is for.
    pub(crate) const fn for_unnamed_rsa(&self) -> Option<Algorithm> {
        self.rsa_without_alg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_contradict_themselves_are_refused() {
        let strict = KeyRules::strict();
        assert_eq!(strict, KeyRules::default());
        for algorithm in Algorithm::ALL {
            let (rules, lax) =
                (strict.rsa_without_alg(algorithm), strict.danger_rsa_pkcs1().rsa_without_alg(algorithm));
            assert_eq!(rules.checked().is_ok(), algorithm.is_rsa() && !algorithm.is_rsa_pkcs1());
            assert_eq!(lax.checked().is_ok(), algorithm.is_rsa());
            assert_eq!(strict.allow(algorithm), !algorithm.is_rsa_pkcs1());
            assert!(lax.allow(algorithm));
        }
    }
}
