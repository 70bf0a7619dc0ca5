//! The examples of the RFCs, on both providers. RFC 7638's own example is an RSA key; RFC 8037 A.3 has one of ours.

use bartizan_core::{RawToken, SecretBytes};
use bartizan_tokens::{Algorithm, ErrorKind, KeySet, Limits, SigningKey, VerifyingKey, jws};

use crate::support::{decode, providers};

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
    let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
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
