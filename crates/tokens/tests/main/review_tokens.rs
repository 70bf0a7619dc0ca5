//! What a second reviewer tried, who had not written the code either: all but the test about headers were holes once.

use std::{fs, sync::Arc};

use bartizan_core::{Fault, RawToken};
use bartizan_crypto::{Provider, rotation::Policy};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{BrokenEntropy, SeededEntropy};
use bartizan_tokens::{
    AccessToken, Adopted, Algorithm, Asked, Change, ErrorKind, IdTokenVerifier, Issuer, KeyRing, KeySet,
    KeySource, Limits, LogoutTokenVerifier, SigningKey, TokenShape, TrustedIssuer, Verifier, VerifyingKey,
    jws, key_file,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    key_ring::{at, entropy, in_time, policy},
    support::{AUDIENCE, Forge, ISSUER, KID, NOW, SECRET, clock, encode, refused, signing_key},
};

fn rsa_key() -> SigningKey {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openssl/rsa.pkcs8.pem");
    let key = key_file::private_from_pem(&Ring::new(), Algorithm::Ps256, &fs::read(path).unwrap()).unwrap();
    SigningKey::from_private(&Ring::new(), Some(KID), &key).unwrap()
}

/// A ring, and what its key signed.
fn issued(ring: &KeyRing) -> (Verifier, String) {
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, ring.source(), clock()).unwrap();
    let issuer = Issuer::with_ring(ISSUER, ring.clone(), clock(), Arc::new(SeededEntropy::new(3))).unwrap();
    let token = AccessToken::new("ada", AUDIENCE, "web").lifetime(std::time::Duration::from_secs(600));
    let token = issuer.issue(&token).unwrap().expose().to_owned();
    verifier.verify(RawToken::new(&token)).unwrap();
    (verifier, token)
}

fn is_refused_after_revocation(ring: &KeyRing, kid: &str) {
    let (verifier, token) = issued(ring);
    ring.revoke(kid, at(1)).unwrap();
    let error = verifier.verify(RawToken::new(&token)).expect_err("accepted");
    assert!(matches!(error.kind(), ErrorKind::Key | ErrorKind::KeysUnavailable), "{error:?}");
    assert_eq!(ring.signer().unwrap_err().kind(), ErrorKind::KeysUnavailable);
    assert!(!ring.jwks().unwrap().json().contains(kid));
    // It stays out when the process starts anew.
    let provider: Arc<dyn Provider> = Arc::new(Ring::new());
    let again = KeyRing::from_document(provider, &ring.to_document(), entropy()).unwrap();
    let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, again.source(), clock()).unwrap();
    assert!(verifier.verify(RawToken::new(&token)).is_err());
}

#[test]
fn a_leaked_key_is_revoked_though_its_provider_can_make_no_next_one() {
    // ring makes no RSA keys, so that the next key is brought by hand.
    let ring = KeyRing::with_key(Arc::new(Ring::new()), rsa_key(), in_time(), entropy(), at(0)).unwrap();
    is_refused_after_revocation(&ring, KID);
    // The next step says what is wrong, and a key that is brought ends the outage.
    assert_eq!(ring.step(at(2)).unwrap_err().kind(), ErrorKind::KeyUnsupported);
    let next = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("next"), &*entropy()).unwrap();
    ring.change(Change::Publish(next), at(2)).unwrap();
    assert_eq!(ring.signer().unwrap_err().kind(), ErrorKind::KeysUnavailable);
    ring.step(ring.look_again(at(2))).unwrap();
    assert_eq!(ring.signer().unwrap().kid(), "next");
    // Its id is still taken.
    let error = ring.change(Change::Publish(rsa_key()), ring.look_again(at(2))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyDuplicate);
    issued(&ring);
}

#[test]
fn a_ring_of_which_only_a_revoked_key_is_left_follows_what_is_stored() {
    let ring = KeyRing::with_key(Arc::new(Ring::new()), rsa_key(), in_time(), entropy(), at(0)).unwrap();
    let before = ring.to_document();
    let (other, token) = {
        let other = KeyRing::from_document(Arc::new(Ring::new()), &before, entropy()).unwrap();
        let (verifier, token) = issued(&other);
        ((other, verifier), token)
    };
    ring.revoke(KID, at(1)).unwrap();
    assert_eq!(other.0.adopt(&ring.to_document(), at(1)).unwrap(), Adopted::Taken);
    let error = other.1.verify(RawToken::new(&token)).expect_err("accepted");
    assert_eq!((error.kind(), error.fault()), (ErrorKind::KeysUnavailable, Fault::Backend));
    assert_eq!(other.0.adopt(&before, at(1)).unwrap_err().kind(), ErrorKind::RingMoved);
}

#[test]
fn a_leaked_key_is_revoked_though_there_is_no_randomness() {
    let made = |policy: Policy| {
        let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, None, &*entropy()).unwrap();
        let kid = key.kid().to_owned();
        let ring = KeyRing::with_key(Arc::new(Ring::new()), key, policy, entropy(), at(0)).unwrap();
        let document = ring.to_document();
        let broken = Arc::new(BrokenEntropy);
        (KeyRing::from_document(Arc::new(Ring::new()), &document, broken).unwrap(), kid)
    };
    for policy in [in_time(), policy()] {
        let (ring, kid) = made(policy);
        is_refused_after_revocation(&ring, &kid);
    }
}

#[test]
fn a_known_next_key_takes_over_from_a_leaked_one_though_none_can_be_made_after_it() {
    let ring = KeyRing::with_key(Arc::new(Ring::new()), rsa_key(), in_time(), entropy(), at(0)).unwrap();
    let next = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("next"), &*entropy()).unwrap();
    ring.change(Change::Publish(next), at(0)).unwrap();
    let mut always = in_time();
    always.next = policy().next;
    ring.change(Change::Policy(always), at(1)).unwrap();
    let (verifier, token) = issued(&ring);
    ring.revoke(KID, at(9_000)).unwrap();
    assert_eq!(ring.signer().unwrap().kid(), "next");
    assert_eq!(refused(&verifier, &token), ErrorKind::Key);
}

#[test]
fn a_secret_jwk_has_no_members_of_another_type() {
    let oct = json!({"kty": "oct", "alg": "HS256", "kid": "a", "k": encode(SECRET)});
    let jwk = |base: &Value, member: &str| {
        let mut jwk = base.clone();
        jwk.as_object_mut().unwrap().insert(member.into(), json!("AQAB"));
        jwk.to_string()
    };
    assert!(SigningKey::from_jwk(&Ring::new(), oct.to_string().as_bytes()).is_ok());
    for member in ["n", "e", "x", "y", "d", "p", "q", "dp", "dq", "qi", "oth", "priv"] {
        let jwk = jwk(&oct, member);
        assert!(SigningKey::from_jwk(&Ring::new(), jwk.as_bytes()).is_err(), "oct {member}");
        assert!(VerifyingKey::from_secret_jwk(&Ring::new(), jwk.as_bytes()).is_err(), "oct {member}");
    }
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let private = signing_key(&Ring::new(), algorithm, KID).to_private_jwk();
        let private: Value = serde_json::from_str(private.expose()).unwrap();
        for member in ["n", "e", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"] {
            let jwk = jwk(&private, member);
            assert!(SigningKey::from_jwk(&Ring::new(), jwk.as_bytes()).is_err(), "{algorithm:?} {member}");
        }
    }
}

#[test]
fn a_text_within_a_claim_is_not_read_as_a_number() {
    // What serde_json calls its own numbers under a feature that any crate of a program may turn on.
    let forge = Forge::new(Algorithm::EdDsa);
    let own = json!({"$serde_json::private::Number": "1"});
    assert_eq!(refused(&forge.verifier(), &forge.with("own", own.clone())), ErrorKind::Malformed);
    let key = signing_key(&Ring::new(), Algorithm::EdDsa, KID);
    let issuer = Issuer::new(ISSUER, key, clock(), Arc::new(SeededEntropy::new(1))).unwrap();
    let token = AccessToken::new("ada", AUDIENCE, "web").claim("own", own);
    assert_eq!(issuer.issue(&token).unwrap_err().kind(), ErrorKind::Claim);
    // Nothing is issued that our own verifier would refuse, under the name itself neither.
    for name in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
        assert_eq!(refused(&forge.verifier(), &forge.with(name, json!("1"))), ErrorKind::Malformed);
        let token = AccessToken::new("ada", AUDIENCE, "web").claim(name, "1");
        assert_eq!(issuer.issue(&token).unwrap_err().kind(), ErrorKind::Claim);
    }
}

fn of_all_kinds() -> Vec<String> {
    let key = signing_key(&Ring::new(), Algorithm::Es256, KID);
    let sign = |typ: Option<&str>, claims: &Value| {
        jws::sign(&key, typ, claims.to_string().as_bytes()).unwrap().expose().to_owned()
    };
    let base =
        json!({"iss": ISSUER, "sub": "ada", "aud": AUDIENCE, "exp": NOW + 500, "iat": NOW, "jti": "j"});
    let and = |more: Value| {
        let mut claims = base.clone();
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    };
    let access = and(json!({"client_id": "web", "tenant": "north"}));
    let marked = and(json!({"client_id": "web", "token_use": "access"}));
    let logout = and(json!({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}));
    let claims = [base.clone(), access, marked, logout];
    let types =
        [None, Some("JWT"), Some("at+jwt"), Some("logout+jwt"), Some("application/AT+JWT"), Some("dpop+jwt")];
    let mut tokens = Vec::new();
    for typ in types {
        for claims in &claims {
            let token = sign(typ, claims);
            // And one that nobody signed.
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
            bytes[40] ^= 1;
            tokens.push(format!("{signed}.{}", encode(bytes)));
            tokens.push(token);
        }
    }
    tokens
}

/// What each kind of verifier over this source says.
fn verdicts(source: impl Fn() -> KeySource, tokens: &[String]) -> Vec<Vec<Result<(), ErrorKind>>> {
    let shape = TokenShape::access_tokens(["JWT"]).or_untyped().with("token_use", "access");
    let access = Verifier::access_tokens(ISSUER, AUDIENCE, source(), clock()).unwrap();
    let shaped =
        Verifier::of([TrustedIssuer::new(ISSUER, AUDIENCE, source()).shape(shape.clone())], clock()).unwrap();
    // Both of one source, and each with rules of its own.
    let several = Verifier::of(
        [
            TrustedIssuer::new("https://other.example", AUDIENCE, source()).shape(shape),
            TrustedIssuer::new(ISSUER, AUDIENCE, source()),
        ],
        clock(),
    )
    .unwrap();
    let elsewhere = Verifier::access_tokens("https://other.example", AUDIENCE, source(), clock()).unwrap();
    let shallow = Verifier::access_tokens(ISSUER, AUDIENCE, source(), clock()).unwrap();
    let mut limits = Limits::DEFAULT;
    limits.kid = 1;
    let shallow = shallow.limits(limits).unwrap();
    let id = IdTokenVerifier::new(ISSUER, AUDIENCE, source(), clock()).unwrap();
    let logout = LogoutTokenVerifier::new(ISSUER, AUDIENCE, source(), clock()).unwrap();
    let asked = Asked::without_nonce();
    tokens
        .iter()
        .map(|token| {
            let raw = || RawToken::new(token);
            let mut verdicts: Vec<_> = [&access, &shaped, &several, &elsewhere, &shallow]
                .map(|verifier| verifier.verify(raw()).map(drop).map_err(|error| error.kind()))
                .into();
            verdicts.push(id.verify(raw(), &asked).map(drop).map_err(|error| error.kind()));
            verdicts.push(logout.verify(raw()).map(drop).map_err(|error| error.kind()));
            verdicts
        })
        .collect()
}

#[test]
fn a_header_that_one_verifier_knows_opens_no_other() {
    let tokens = of_all_kinds();
    let keys = KeySet::new([signing_key(&Ring::new(), Algorithm::Es256, KID).verifying()]).unwrap();
    // Nobody remembers anything: a source for each verifier, and each token alone.
    let alone: Vec<_> = tokens
        .iter()
        .flat_map(|token| verdicts(|| KeySource::from(keys.clone()), std::slice::from_ref(token)))
        .collect();
    assert_eq!(alone.iter().flatten().filter(|verdict| verdict.is_ok()).count(), 17);
    // One source for all of them, in both orders, twice.
    let shared = KeySource::from(keys);
    for _ in 0..2 {
        assert_eq!(verdicts(|| shared.clone(), &tokens), alone);
        let backwards: Vec<_> = tokens.iter().rev().cloned().collect();
        let mut verdicts = verdicts(|| shared.clone(), &backwards);
        verdicts.reverse();
        assert_eq!(verdicts, alone);
    }
}
