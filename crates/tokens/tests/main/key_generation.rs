//! Making of RSA keys, with a provider that says it can and notes what it was asked for.

use std::sync::{Arc, Mutex};

use bartizan_core::{Entropy, SecretArray, SecretBytes};
use bartizan_crypto::{
    Ability, Aead, Error, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey, RsaSize,
    SignatureAlgorithm, SignatureVerifier, Signer,
};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{Algorithm, ErrorKind, SigningKey, key_file};

/// Ring, but that it makes RSA keys: always the same one, whatever the size.
#[derive(Debug, Default)]
struct Maker {
    ring: Ring,
    asked: Mutex<Vec<(SignatureAlgorithm, Option<RsaSize>)>>,
}

impl Maker {
    fn made(&self, algorithm: SignatureAlgorithm, size: Option<RsaSize>) -> PrivateKey {
        self.asked.lock().unwrap().push((algorithm, size));
        let stated = match algorithm {
            SignatureAlgorithm::RsaPssSha256 => Algorithm::Ps256,
            SignatureAlgorithm::RsaPssSha384 => Algorithm::Ps384,
            SignatureAlgorithm::RsaPssSha512 => Algorithm::Ps512,
            other => panic!("{other:?} was not to be made"),
        };
        let file = include_bytes!("../fixtures/openssl/rsa.pkcs8.der");
        key_file::private_from_der(&self.ring, stated, file).unwrap()
    }
}

impl Provider for Maker {
    fn name(&self) -> &'static str {
        "maker"
    }

    fn can(&self, ability: Ability) -> bool {
        matches!(ability, Ability::Generate(algorithm) if algorithm.is_rsa()) || self.ring.can(ability)
    }

    fn hash(&self) -> &dyn Hash {
        self.ring.hash()
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        self.ring.mac(algorithm, key)
    }

    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, Error> {
        self.ring.kdf(key)
    }

    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.ring.with_aead(key, work)
    }

    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error> {
        self.ring.signer(key)
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        self.ring.verifier(key)
    }

    fn private_key(&self, algorithm: SignatureAlgorithm, secret: SecretBytes) -> Result<PrivateKey, Error> {
        self.ring.private_key(algorithm, secret)
    }

    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        if algorithm.is_rsa() {
            return Ok(self.made(algorithm, None));
        }
        self.ring.generate(algorithm, entropy)
    }

    fn generate_rsa(
        &self,
        algorithm: SignatureAlgorithm,
        size: RsaSize,
        _: &dyn Entropy,
    ) -> Result<PrivateKey, Error> {
        Ok(self.made(algorithm, Some(size)))
    }
}

#[test]
fn rsa_keys_are_made_in_the_size_that_was_asked_for() {
    let (maker, entropy) = (Maker::default(), SeededEntropy::new(1));
    let key = SigningKey::generate(&maker, Algorithm::Ps256, None, &entropy).unwrap();
    assert_eq!((key.algorithm(), key.kid().len()), (Algorithm::Ps256, 43));
    for size in [RsaSize::Bits3072, RsaSize::Bits4096] {
        let key = SigningKey::generate_rsa(&maker, Algorithm::Ps384, size, Some("k"), &entropy).unwrap();
        assert_eq!((key.algorithm(), key.kid()), (Algorithm::Ps384, "k"));
    }
    let asked = [
        (SignatureAlgorithm::RsaPssSha256, None),
        (SignatureAlgorithm::RsaPssSha384, Some(RsaSize::Bits3072)),
        (SignatureAlgorithm::RsaPssSha384, Some(RsaSize::Bits4096)),
    ];
    assert_eq!(*maker.asked.lock().unwrap(), asked);
}

#[test]
fn what_is_not_to_be_made_is_refused_before_the_provider_is_asked() {
    let (maker, entropy) = (Maker::default(), SeededEntropy::new(1));
    for algorithm in Algorithm::ALL {
        let sized = SigningKey::generate_rsa(&maker, algorithm, RsaSize::Bits3072, None, &entropy);
        let plain = SigningKey::generate(&maker, algorithm, None, &entropy);
        if algorithm.is_rsa_pkcs1() {
            assert_eq!(sized.unwrap_err().kind(), ErrorKind::KeyRsaPkcs1);
            assert_eq!(plain.unwrap_err().kind(), ErrorKind::KeyRsaPkcs1);
        } else if !algorithm.is_rsa() {
            assert_eq!(sized.unwrap_err().kind(), ErrorKind::KeyUse);
            assert_eq!(plain.unwrap().algorithm(), algorithm);
        } else {
            assert!(sized.is_ok() && plain.is_ok());
        }
    }
}

#[test]
fn a_provider_that_makes_no_rsa_keys_says_so() {
    for algorithm in [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512] {
        let entropy = SeededEntropy::new(1);
        let plain = SigningKey::generate(&Ring::new(), algorithm, None, &entropy);
        let sized = SigningKey::generate_rsa(&Ring::new(), algorithm, RsaSize::Bits4096, None, &entropy);
        assert_eq!(plain.unwrap_err().kind(), ErrorKind::KeyUnsupported);
        assert_eq!(sized.unwrap_err().kind(), ErrorKind::KeyUnsupported);
    }
}
