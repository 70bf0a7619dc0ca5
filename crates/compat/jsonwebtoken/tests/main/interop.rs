//! Tokens that jsonwebtoken made, and what its types say about ours.

use bartizan_compat_jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, danger_decode_header, decode, encode,
    errors::ErrorKind,
};
use serde_json::{Value, json};

use crate::support::{NOW, engine, fixture, key_file};

const ALL: [Algorithm; 12] = [
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
];

fn secret() -> Vec<u8> {
    (0..64).collect()
}

fn verifies(algorithm: Algorithm) -> DecodingKey {
    let engine = engine().danger_rsa_pkcs1();
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            DecodingKey::from_secret(&engine, algorithm, &secret())
        }
        Algorithm::ES256 => DecodingKey::from_ec_pem(&engine, &key_file("p256.spki.pem")),
        Algorithm::ES384 => DecodingKey::from_ec_pem(&engine, &key_file("p384.spki.pem")),
        Algorithm::EdDSA => DecodingKey::from_ed_pem(&engine, &key_file("ed25519.spki.pem")),
        _ => DecodingKey::from_rsa_pem(&engine, algorithm, &key_file("rsa.spki.pem")),
    };
    key.unwrap()
}

fn signs(algorithm: Algorithm) -> EncodingKey {
    let engine = engine().danger_rsa_pkcs1();
    let key = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            EncodingKey::from_secret(&engine, algorithm, &secret())
        }
        Algorithm::ES256 => EncodingKey::from_ec_pem(&engine, &key_file("p256.pkcs8.pem")),
        Algorithm::ES384 => EncodingKey::from_ec_pem(&engine, &key_file("p384.pkcs8.pem")),
        Algorithm::EdDSA => EncodingKey::from_ed_pem(&engine, &key_file("ed25519.pkcs8.pem")),
        _ => EncodingKey::from_rsa_pem(&engine, algorithm, &key_file("rsa.pkcs8.pem")),
    };
    key.unwrap()
}

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&["https://login.example"]);
    validation.set_audience(&["https://api.example"]);
    validation
}

fn claims() -> Value {
    json!({
        "sub": "ada", "iss": "https://login.example", "aud": ["https://api.example", "x"], "role": "doctor",
        "iat": NOW, "nbf": NOW, "exp": NOW + 900,
    })
}

fn header(algorithm: Algorithm) -> Header {
    let mut header = Header { kid: Some("k1".into()), ..Header::new(algorithm) };
    header.extras.insert("tier", "gold");
    header
}

#[test]
fn tokens_of_jsonwebtoken_are_read() {
    for algorithm in ALL {
        let token = fixture(&format!("jsonwebtoken-11.1.0/{algorithm:?}.jwt"));
        let data = decode::<Value>(&token, &verifies(algorithm), &validation(algorithm)).unwrap();
        assert_eq!((data.claims, data.header), (claims(), header(algorithm)), "{algorithm:?}");
    }
}

#[test]
fn one_changed_byte_of_them_is_refused() {
    for algorithm in ALL {
        let (key, token) = (verifies(algorithm), fixture(&format!("jsonwebtoken-11.1.0/{algorithm:?}.jwt")));
        for at in (0..token.len()).step_by(7) {
            let mut token = token.clone();
            token[at] = if token[at] == b'A' { b'B' } else { b'A' };
            assert!(decode::<Value>(&token, &key, &validation(algorithm)).is_err(), "{algorithm:?} at {at}");
        }
    }
}

#[test]
fn what_is_deterministic_is_the_same_to_the_byte() {
    for algorithm in [Algorithm::HS256, Algorithm::HS512, Algorithm::EdDSA, Algorithm::RS256] {
        let theirs = fixture(&format!("jsonwebtoken-11.1.0/{algorithm:?}.jwt"));
        let ours = encode(&header(algorithm), &claims(), &signs(algorithm)).unwrap();
        assert_eq!(ours.as_bytes(), theirs, "{algorithm:?}");
    }
}

#[test]
fn tokens_of_every_algorithm_are_made_and_read_and_no_other_key_reads_them() {
    for algorithm in ALL {
        // The second header is not the one that the key remembers.
        let signs = signs(algorithm);
        for header in [header(algorithm), Header::new(algorithm), header(algorithm)] {
            let token = encode(&header, &claims(), &signs).unwrap();
            let data = decode::<Value>(&token, &verifies(algorithm), &validation(algorithm)).unwrap();
            assert_eq!((&data.header, data.claims), (&header, claims()));
            assert_eq!(danger_decode_header(&token).unwrap(), header);
            for other in ALL.into_iter().filter(|other| *other != algorithm) {
                let mut both = validation(algorithm);
                both.algorithms.push(other);
                let error = decode::<Value>(&token, &verifies(other), &both).err().unwrap();
                assert_eq!(*error.kind(), ErrorKind::InvalidAlgorithm, "{algorithm:?} {other:?}");
            }
        }
    }
}

#[test]
fn another_key_of_the_same_algorithm_does_not_verify() {
    let token = encode(&Header::default(), &claims(), &signs(Algorithm::HS256)).unwrap();
    let other = DecodingKey::from_secret(&engine(), Algorithm::HS256, &[7; 32]).unwrap();
    let error = decode::<Value>(&token, &other, &validation(Algorithm::HS256)).err().unwrap();
    assert_eq!(*error.kind(), ErrorKind::InvalidSignature);
}
