//! PEM files: private keys, public keys and certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_crypto_ring::Ring;
use bartizan_tokens::{Algorithm, key_file, parse};

fuzz_target!(|file: &[u8]| {
    let provider = Ring::new();
    let read = parse::pem(&provider, file);
    assert!(read.is_err() || key_file::is_pem(file), "what has no boundary is no PEM");
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256] {
        if let Ok(key) = key_file::private_from_pem(&provider, algorithm, file) {
            let written = key_file::private_to_pem(&key).expect("a key is written");
            let again = key_file::private_from_pem(&provider, algorithm, written.expose().as_bytes());
            let again = again.expect("what is written is taken");
            assert!(again.secret() == key.secret() && again.public() == key.public());
        }
        if let Ok(key) = key_file::public_from_pem(algorithm, file) {
            let written = key_file::public_to_pem(&key).expect("a key is written");
            assert_eq!(
                key_file::public_from_pem(algorithm, written.as_bytes()).expect("what is written is taken"),
                key
            );
        }
    }
});
