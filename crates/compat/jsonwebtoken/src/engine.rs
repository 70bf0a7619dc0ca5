//! What keys are made with: primitives, clock, and what is allowed beyond the strict default.

use std::{fmt, sync::Arc};

use bartizan_core::Clock;
use bartizan_crypto::{PrivateKey, Provider, PublicKey};
use bartizan_tokens::{ErrorKind, KeyRules, Limits, SigningKey, VerifyingKey};
use jsonwebtoken::Algorithm;

use crate::{convert, error::Result};

/// What keys are made with. Make one at start-up and pass it to every constructor; there is none that the process shares.
///
/// ```
/// use std::sync::Arc;
///
/// use bartizan_compat_jsonwebtoken::Engine;
/// use bartizan_core::os::SystemClock;
/// use bartizan_crypto_ring::Ring;
///
/// let engine = Engine::new(Arc::new(Ring::new()), Arc::new(SystemClock));
/// # drop(engine);
/// ```
#[derive(Clone)]
pub struct Engine {
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rules: KeyRules,
    pub(crate) limits: Limits,
    takes_rsa_pkcs1: bool,
}

impl Engine {
    /// From primitives and a clock. Takes no key of RS256, RS384 or RS512.
    #[must_use]
    pub fn new(provider: Arc<dyn Provider>, clock: Arc<dyn Clock>) -> Self {
        Self { provider, clock, rules: KeyRules::strict(), limits: Limits::DEFAULT, takes_rsa_pkcs1: false }
    }

    /// The same, which takes keys of RS256, RS384 and RS512 too, to verify and to sign.
    ///
    /// # Security
    /// RSASSA-PKCS1-v1_5 has no proof of security; see [`KeyRules::danger_rsa_pkcs1`]. For peers that know nothing newer: keep
    /// such an engine beside a strict one, and make only their keys with it.
    #[must_use]
    pub fn danger_rsa_pkcs1(self) -> Self {
        Self { rules: self.rules.danger_rsa_pkcs1(), takes_rsa_pkcs1: true, ..self }
    }

    /// The same, which takes RSA keys that do not say their `alg` for keys of this one algorithm.
    ///
    /// # Errors
    /// Code `key_use` for an algorithm that is not of RSA, `key_rsa_pkcs1` for RS256, RS384 and RS512 before
    /// [`Engine::danger_rsa_pkcs1`].
    pub fn rsa_without_alg(self, algorithm: Algorithm) -> Result<Self> {
        let algorithm = convert::algorithm(algorithm)?;
        if !algorithm.is_rsa() {
            return Err(ErrorKind::KeyUse.into());
        }
        self.allow(algorithm)?;
        Ok(Self { rules: self.rules.rsa_without_alg(algorithm), ..self })
    }

    /// The same with other limits on tokens that are decoded. A limit out of its range is an error of every decoding. Tokens
    /// that are encoded keep to [`Limits::DEFAULT`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn allow(&self, algorithm: bartizan_tokens::Algorithm) -> Result<()> {
        if algorithm.is_rsa_pkcs1() && !self.takes_rsa_pkcs1 {
            return Err(ErrorKind::KeyRsaPkcs1.into());
        }
        Ok(())
    }

    pub(crate) fn signing_key(
        &self,
        algorithm: bartizan_tokens::Algorithm,
        kid: Option<&str>,
        key: &PrivateKey,
    ) -> Result<SigningKey> {
        self.allow(algorithm)?;
        let key = match algorithm.is_rsa_pkcs1() {
            true => SigningKey::danger_rsa_pkcs1(&*self.provider, kid, key),
            false => SigningKey::from_private(&*self.provider, kid, key),
        };
        Ok(key?)
    }

    pub(crate) fn verifying_key(
        &self,
        algorithm: bartizan_tokens::Algorithm,
        kid: Option<&str>,
        key: &PublicKey,
    ) -> Result<VerifyingKey> {
        self.allow(algorithm)?;
        let key = match algorithm.is_rsa_pkcs1() {
            true => VerifyingKey::danger_rsa_pkcs1(&*self.provider, kid, key),
            false => VerifyingKey::from_public(&*self.provider, kid, key),
        };
        Ok(key?)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("provider", &self.provider.name())
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
