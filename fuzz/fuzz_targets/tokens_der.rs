//! DER files: private keys, public keys and certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;

use bartizan_crypto_ring::Ring;
use bartizan_tokens::{Algorithm, key_file, parse};

fuzz_target!(|file: &[u8]| {
    let provider = Ring::new();
    let _ = parse::der(&provider, file);
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Ps256] {
        let private = key_file::private_from_der(&provider, algorithm, file);
        let public = key_file::public_from_der(algorithm, file);
        assert!(private.is_err() || public.is_err(), "no file is both");
        if let Ok(key) = private {
            let written = key_file::private_to_der(&key).expect("a key is written");
            let again = key_file::private_from_der(&provider, algorithm, written.expose());
            let again = again.expect("what is written is taken");
            assert!(again.secret() == key.secret() && again.public() == key.public());
        }
        if let Ok(key) = public.or(key_file::danger_public_from_certificate_der(algorithm, file)) {
            let written = key_file::public_to_der(&key).expect("a key is written");
            assert_eq!(
                key_file::public_from_der(algorithm, &written).expect("what is written is taken"),
                key
            );
        }
    }
});
