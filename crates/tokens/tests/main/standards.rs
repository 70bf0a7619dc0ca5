//! The examples of the RFCs, on both providers.

use std::sync::Arc;

use bartizan_core::{RawToken, SecretBytes, UnixTime};
use bartizan_crypto::{MacAlgorithm, Provider};
use bartizan_testkit::ManualClock;
use bartizan_tokens::{Algorithm, ErrorKind, KeySet, Limits, SigningKey, Verifier, VerifyingKey, jws};

use crate::support::{Forge, clock, decode, providers, refused, verify};

/// RFC 7515 A.1 and A.3 sign the same claims, with line breaks in them.
const CLAIMS: &str = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

#[track_caller]
fn verified(key: VerifyingKey, token: &str) -> Vec<u8> {
    let keys = KeySet::new([key]).unwrap();
    let payload = jws::verify(&keys, RawToken::new(token), &Limits::DEFAULT).unwrap();
    // One letter of the signature away, it is refused.
    let forged = format!(
        "{}{}",
        &token[..token.len() - 8],
        if token.ends_with('k') { "AAAAAAAk" } else { "AAAAAAAQ" }
    );
    let refused = jws::verify(&keys, RawToken::new(&forged), &Limits::DEFAULT).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Signature);
    payload.into_bytes()
}

#[test]
fn rfc_7515_a_1_hs256() {
    let secret = SECRET_OF_RFC_7515_A_1;
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    for provider in providers() {
        let key =
            SigningKey::hmac(&*provider, Algorithm::Hs256, "any", &SecretBytes::new(decode(secret))).unwrap();
        assert_eq!(verified(key.verifying(), &token), CLAIMS.as_bytes());
        let jwk = format!(r#"{{"kty":"oct","alg":"HS256","k":"{secret}"}}"#);
        let key = VerifyingKey::from_secret_jwk(&*provider, jwk.as_bytes()).unwrap();
        assert_eq!(verified(key, &token), CLAIMS.as_bytes());
    }
}

#[test]
fn rfc_7515_a_3_es256() {
    let jwk = br#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    for provider in providers() {
        let key = SigningKey::from_jwk(&*provider, jwk).unwrap();
        assert_eq!(key.algorithm(), Algorithm::Es256);
        assert_eq!(verified(key.verifying(), &token), CLAIMS.as_bytes());
    }
}

const ED25519: &[u8] = br#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[test]
fn rfc_8037_a_4_eddsa() {
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    for provider in providers() {
        let key = SigningKey::from_jwk(&*provider, ED25519).unwrap();
        assert_eq!(verified(key.verifying(), token), b"Example of Ed25519 signing");
        // Ed25519 has one signature for a message, and the header of ours is the example's but for `kid`.
        let ours = jws::sign(&key, None, b"Example of Ed25519 signing").unwrap();
        let parts: Vec<_> = ours.expose().split('.').collect();
        assert_eq!(parts[1], "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
        assert_eq!(decode(parts[0]), format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, key.kid()).as_bytes());
    }
}

#[test]
fn rfc_8037_a_3_rfc_7638_thumbprint() {
    for provider in providers() {
        let key = SigningKey::from_jwk(&*provider, ED25519).unwrap();
        assert_eq!(
            key.verifying().thumbprint(&*provider).unwrap(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        // It names a key that has no other name.
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}

#[test]
fn rfc_7638_hashes_the_required_members_in_order_and_no_other() {
    for provider in providers() {
        let point = r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
        let hash = provider.hash().sha256(&[format!(r#"{{"crv":"P-256","kty":"EC",{point}}}"#).as_bytes()]);
        let jwk = format!(
            r#"{{"kid":"other","alg":"ES256",{point},"kty":"EC","use":"sig","crv":"P-256","note":1}}"#
        );
        let key = VerifyingKey::from_jwk(&*provider, jwk.as_bytes()).unwrap();
        assert_eq!(decode(&key.thumbprint(&*provider).unwrap()), hash);
        assert_eq!(key.kid(), Some("other"));
    }
}

#[test]
fn rfc_7515_a_5_unsecured_tokens_are_refused() {
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    let provider = &*providers()[0];
    let keys = KeySet::new([SigningKey::from_jwk(provider, ED25519).unwrap().verifying()]).unwrap();
    let refused = jws::verify(&keys, RawToken::new(&token), &Limits::DEFAULT).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Algorithm, "algorithm"));
}

#[test]
fn rfc_7517_a_1_a_set_with_keys_of_others_is_read_as_far_as_it_is_ours() {
    let json = br#"{"keys":[
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
         "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"},
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
         "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"2"}]}"#;
    for provider in providers() {
        let (keys, skipped) = KeySet::from_jwks(&*provider, json).unwrap();
        assert_eq!(keys.keys().map(VerifyingKey::kid).collect::<Vec<_>>(), [Some("2")]);
        assert_eq!(
            (skipped.len(), skipped[0].index, skipped[0].reason),
            (1, 0, bartizan_tokens::SkipReason::Use)
        );
    }
}

#[test]
fn rfc_7517_a_2_a_private_key_for_encryption_signs_nothing() {
    let key = |rest: &str| {
        format!(
            r#"{{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
            {rest}"kid":"1"}}"#
        )
    };
    for provider in providers() {
        let refused = SigningKey::from_jwk(&*provider, key(r#""use":"enc","#).as_bytes()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::KeyUse);
        let signing = SigningKey::from_jwk(&*provider, key("").as_bytes()).unwrap();
        assert_eq!((signing.algorithm(), signing.kid()), (Algorithm::Es256, "1"));
    }
}

#[test]
fn rfc_7517_a_3_a_secret_has_to_say_what_it_is_for() {
    for provider in providers() {
        let wrapping = br#"{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}"#;
        let refused = VerifyingKey::from_secret_jwk(&*provider, wrapping).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::KeyUnsupported);
        let unsaid = br#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
            "kid":"HMAC key used in JWS spec Appendix A.1 example"}"#;
        let refused = VerifyingKey::from_secret_jwk(&*provider, unsaid).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::KeyAlgorithm);
    }
}

/// The example of RFC 7519 is that of RFC 7515 A.1: authentic, and no access token.
#[test]
fn rfc_7519_3_1_the_example_is_authentic_and_no_access_token() {
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    for provider in providers() {
        let keys = KeySet::new([key_of_rfc_7515_a_1(&*provider)]).unwrap();
        let payload = jws::verify(&keys, RawToken::new(&token), &Limits::DEFAULT).unwrap();
        assert_eq!((payload.typ(), payload.as_bytes()), (Some("JWT"), CLAIMS.as_bytes()));
        let verifier = Verifier::access_tokens("joe", "http://example.com", keys, clock()).unwrap();
        assert_eq!(refused(&verifier, &token), ErrorKind::Type);
    }
}

#[test]
fn rfc_7519_6_1_an_unsecured_token_is_refused() {
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    let keys = KeySet::new([key_of_rfc_7515_a_1(&*providers()[0])]).unwrap();
    let refused = jws::verify(&keys, RawToken::new(&token), &Limits::DEFAULT).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Algorithm);
}

/// The same payload with `b64` left out verifies; with it false, its MAC is right and it is refused all the same.
#[test]
fn rfc_7797_4_1_and_4_2_an_unencoded_payload_is_refused() {
    let provider = &*providers()[0];
    let keys = KeySet::new([key_of_rfc_7515_a_1(provider)]).unwrap();
    let verify = |token: &str| jws::verify(&keys, RawToken::new(token), &Limits::DEFAULT);

    let encoded = "eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ";
    assert_eq!(verify(encoded).unwrap().as_bytes(), b"$.02");

    let header = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19";
    let signature = "A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    let mac = provider.mac(MacAlgorithm::HmacSha256, &decode(SECRET_OF_RFC_7515_A_1)).unwrap();
    mac.verify(&[header.as_bytes(), b".$.02"], &decode(signature)).unwrap();
    for payload in ["", "JC4wMg", "$"] {
        let refused = verify(&format!("{header}.{payload}.{signature}")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Header, "{payload}");
    }
}

/// The claims of RFC 9068 §3. The example lives for 245 days, which no verifier of ours allows; an hour of it is good.
#[test]
fn rfc_9068_3_the_example_is_an_access_token_for_as_long_as_ours_may_live() {
    let forge = Forge::new(Algorithm::EdDsa);
    let header = r#"{"typ":"at+JWT","alg":"EdDSA","kid":"k1"}"#;
    let claims = |exp: i64| {
        format!(
            r#"{{"iss":"https://authorization-server.example.com/","sub":"5ba552d67","aud":"https://rs.example.com/",
            "exp":{exp},"iat":1618354090,"jti":"dbe39bf3a3ba4238a513f51d6e1691c4","client_id":"s6BhdRkqt3",
            "scope":"openid profile reademail"}}"#
        )
    };
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_618_354_100)));
    let (issuer, audience) = ("https://authorization-server.example.com/", "https://rs.example.com/");
    let verifier = Verifier::access_tokens(issuer, audience, forge.keys(), clock).unwrap();
    let verified = verify(&verifier, &forge.token(header, &claims(1_618_354_090 + 3_600))).unwrap();
    assert_eq!((verified.subject(), verified.client_id()), ("5ba552d67", Some("s6BhdRkqt3")));
    assert_eq!(refused(&verifier, &forge.token(header, &claims(1_639_528_912))), ErrorKind::Lifetime);
    // §4: “The resource server MUST verify that the "typ" header value is "at+jwt" or "application/at+jwt"”.
    let untyped = r#"{"alg":"EdDSA","kid":"k1"}"#;
    assert_eq!(refused(&verifier, &forge.token(untyped, &claims(1_618_357_690))), ErrorKind::Type);
}

const SECRET_OF_RFC_7515_A_1: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

fn key_of_rfc_7515_a_1(provider: &dyn Provider) -> VerifyingKey {
    let secret = SecretBytes::new(decode(SECRET_OF_RFC_7515_A_1));
    VerifyingKey::hmac(provider, Algorithm::Hs256, None, &secret).unwrap()
}
