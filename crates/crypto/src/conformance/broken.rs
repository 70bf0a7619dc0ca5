//! Providers broken in one way each: a suite is trusted after it has caught them.

mod defect;
mod rsa;
mod signatures;
mod symmetric;

use std::sync::{Arc, OnceLock};

use bartizan_core::{Entropy, SecretArray, SecretBytes};

pub use self::defect::Defect;
use self::{
    signatures::{BrokenSigner, BrokenVerifier, Stone},
    symmetric::{BrokenAead, BrokenKdf, BrokenMac},
};
use super::{CASES, Failure, case, keys::sample, mac::block, rsa as rsa_cases, support::Constant};
use crate::{
    Ability, Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey, RsaSize,
    SignatureAlgorithm, SignatureVerifier, Signer,
};

/// A provider with a defect.
#[derive(Clone, Debug)]
pub struct Broken {
    inner: Arc<dyn Provider>,
    defect: Defect,
}

impl Broken {
    /// As good as `inner`, but for the defect.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, defect: Defect) -> Self {
        Self { inner, defect }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    /// The secret as the defect sees it.
    fn filled_up(&self, algorithm: SignatureAlgorithm, secret: &[u8]) -> Vec<u8> {
        let mut secret = secret.to_vec();
        if let (true, Some(length)) = (self.has(Defect::SecretsAreFilledUp), algorithm.secret_len()) {
            secret.reverse();
            secret.resize(length, 0);
            secret.reverse();
        }
        secret
    }
}

/// Breaks the provider in each way, and answers in how many. Cases that ask for what the provider says it lacks are left out.
///
/// # Errors
/// Names every defect that a case should have caught and did not, every case that no defect fails, and every case that fails
/// although the defect is none of its business: then it would catch anything.
pub fn every_defect_is_caught(provider: &Arc<dyn Provider>) -> Result<usize, Failure> {
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let broken = Broken::new(Arc::clone(provider), *defect);
        let applies = |name: &&&str| rsa_cases::needs(name).is_none_or(|ability| provider.can(ability));
        for name in defect.caught_by().iter().filter(applies) {
            let case = case(name).ok_or_else(|| Failure(format!("there is no case {name}")))?;
            if case.run(&broken).is_ok() {
                missed.push(format!("{name} misses {defect:?}"));
            }
        }
    }
    for case in CASES {
        let elsewhere =
            if case.name().starts_with("sha2") { Defect::KdfIgnoresInfo } else { Defect::HashOfOneBlock };
        if let Err(failure) = case.run(&Broken::new(Arc::clone(provider), elsewhere)) {
            missed.push(format!("{failure}, because of {elsewhere:?}"));
        }
        if !Defect::ALL.iter().any(|defect| defect.caught_by().contains(&case.name())) {
            missed.push(format!("{} has caught nothing", case.name()));
        }
    }
    if missed.is_empty() { Ok(Defect::ALL.len()) } else { Err(Failure(missed.join("; "))) }
}

impl Provider for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn can(&self, ability: Ability) -> bool {
        let denied = match self.defect {
            Defect::CanDeniesAnAbility => ability == Ability::Mac(MacAlgorithm::HmacSha256),
            Defect::LackIsCalledABadKey => ability == Ability::Mac(MacAlgorithm::HmacSha512),
            _ => false,
        };
        !denied && self.inner.can(ability)
    }

    fn hash(&self) -> &dyn Hash {
        self
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        let mut key = key.to_vec();
        let mut with = algorithm;
        match (self.defect, algorithm) {
            (Defect::MacTakesShortKeys, _) => key.resize(key.len().max(algorithm.tag_len()), 0),
            (Defect::MacCutsLongKeys, _) => key.truncate(block(algorithm)),
            (Defect::LackIsCalledABadKey, MacAlgorithm::HmacSha512) => return Err(ErrorKind::Key.into()),
            (Defect::MacIsCutFromALongerOne, MacAlgorithm::HmacSha384)
                if key.len() >= algorithm.tag_len() =>
            {
                with = MacAlgorithm::HmacSha512;
                key.resize(key.len().max(block(with)), 0);
            }
            _ => {}
        }
        let inner = self.inner.mac(with, &key)?;
        Ok(Arc::new(BrokenMac { inner, algorithm, key, defect: self.defect }))
    }

    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, Error> {
        Ok(Arc::new(BrokenKdf { inner: self.inner.kdf(key)?, defect: self.defect }))
    }

    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let answer = self.inner.with_aead(key, &mut |inner| {
            let aead = BrokenAead { inner, defect: self.defect };
            if self.has(Defect::WithAeadWorksTwice) {
                work(&aead)?;
            }
            work(&aead)
        });
        if self.has(Defect::WithAeadAnswersOk) { Ok(()) } else { answer }
    }

    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error> {
        let secret = self.filled_up(key.algorithm(), key.secret().expose());
        let inner = match self.inner.signer(&PrivateKey::new(secret, key.public().clone())) {
            Err(error) if error.kind() == ErrorKind::Key && self.has(Defect::SignerTakesForeignHalves) => {
                self.inner.signer(&known(key.algorithm())?)
            }
            made => made,
        };
        Ok(Arc::new(BrokenSigner {
            inner: inner?,
            secret: SecretBytes::new(key.secret().expose().to_vec()),
            defect: self.defect,
            first: OnceLock::new(),
        }))
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        let algorithm = key.algorithm();
        if self.has(Defect::CanClaimsAnAbility) && algorithm == SignatureAlgorithm::EcdsaP384Sha384 {
            return Err(ErrorKind::Unsupported.into());
        }
        let inner = match self.inner.verifier(key) {
            Err(_) if self.has(Defect::VerifierTakesAnyKey) => Ok(Arc::new(Stone(algorithm)) as _),
            made => made,
        };
        Ok(Arc::new(BrokenVerifier {
            inner: inner?,
            key: key.clone(),
            provider: Arc::clone(&self.inner),
            defect: self.defect,
        }))
    }

    fn private_key(&self, algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error> {
        let secret = SecretBytes::new(self.filled_up(algorithm, secret.expose()));
        let key = match self.inner.private_key(algorithm, secret) {
            Err(error) if error.kind() == ErrorKind::Key && self.has(Defect::AnyBytesAreAKey) => {
                known(algorithm)
            }
            made => made,
        };
        let key = key?;
        if !self.has(Defect::PublicHalfIsAnothers) {
            return Ok(key);
        }
        let other = if algorithm.is_rsa() {
            rsa_cases::public_key(algorithm, 4096).map_err(|_| ErrorKind::Primitive)?
        } else {
            self.inner.generate(algorithm, &Constant(7))?.public().clone()
        };
        Ok(PrivateKey::new(key.secret().expose().to_vec(), other))
    }

    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        if self.has(Defect::KeysAreMadeOfAConstant) {
            return self.inner.generate(algorithm, &Constant(7));
        }
        if self.has(Defect::RsaKeysAreShort) && algorithm.is_rsa() {
            return known(algorithm);
        }
        match self.inner.generate(algorithm, entropy) {
            Err(error) if error.kind() == ErrorKind::Entropy && self.has(Defect::KeysNeedNoRandomness) => {
                self.inner.generate(algorithm, &Constant(7))
            }
            made => made,
        }
    }

    fn generate_rsa(
        &self,
        algorithm: SignatureAlgorithm,
        size: RsaSize,
        entropy: &dyn Entropy,
    ) -> Result<PrivateKey, Error> {
        self.inner.generate_rsa(algorithm, size, entropy)
    }
}

/// A key that is in order.
fn known(algorithm: SignatureAlgorithm) -> Result<PrivateKey, Error> {
    sample(algorithm).map_err(|_| ErrorKind::Primitive.into())
}
