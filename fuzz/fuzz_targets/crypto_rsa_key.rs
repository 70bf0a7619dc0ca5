//! RSA keys in DER: public ones, which we read ourselves, and private ones, which ring reads.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_core::SecretBytes;
use bartizan_crypto::{Provider, PublicKey, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;

const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::RsaPssSha256;

fuzz_target!(|der: &[u8]| {
    let provider = Ring::new();
    if let Ok(key) = PublicKey::new(ALGORITHM, der) {
        assert_eq!(key.as_bytes(), der, "one key has one encoding");
        let (n, e) = key.rsa_numbers().expect("an RSA key has numbers");
        assert!(PublicKey::rsa(ALGORITHM, n, e).expect("the numbers are good") == key);
        let verifier = provider.verifier(&key).expect("whatever is a key is prepared");
        assert!(verifier.verify(b"message", &vec![0; key.signature_len()]).is_err());
    }
    if let Ok(key) = provider.private_key(ALGORITHM, SecretBytes::new(der.to_vec())) {
        let signature = provider.signer(&key).expect("it signs").sign(b"message").expect("it signs");
        provider.verifier(key.public()).expect("a key").verify(b"message", &signature).expect("it verifies");
    }
});
