//! Claims of ID tokens, logout tokens and tokens with names of their issuer's own; and whole tokens of several issuers, none of
//! which anybody signed.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;

use bartizan_core::{Clock, RawToken, SecretBytes, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::ManualClock;
use bartizan_tokens::{
    Algorithm, Asked, Dispensable, IdTokenVerifier, KeySet, Limits, LogoutTokenVerifier, SigningKey,
    TokenShape, TrustedIssuer, Verifier, parse,
};

struct Verifiers {
    shape: TokenShape,
    access: Verifier,
    id: IdTokenVerifier,
    logout: LogoutTokenVerifier,
}

static VERIFIERS: LazyLock<Verifiers> = LazyLock::new(|| {
    let secret = SecretBytes::new((0..32).collect());
    let key = SigningKey::hmac(&Ring::new(), Algorithm::Hs256, "k1", &secret).expect("a key");
    let keys = KeySet::new([key.verifying()]).expect("a set");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
    let shape = TokenShape::access_tokens(["JWT"])
        .subject("userId")
        .token_id("tokenId")
        .roles("role")
        .with("use", "access")
        .without("type")
        .danger_without(Dispensable::ClientId);
    let issuers = || ["a", "b", "c"].map(|name| TrustedIssuer::new(name, "api", keys.clone()));
    let shaped = TrustedIssuer::new("d", "api", keys.clone()).shape(shape.clone());
    Verifiers {
        shape,
        access: Verifier::of(issuers().into_iter().chain([shaped]), clock.clone()).expect("a verifier"),
        id: IdTokenVerifier::of(issuers(), clock.clone()).expect("a verifier"),
        logout: LogoutTokenVerifier::of(issuers(), clock).expect("a verifier"),
    }
});

fuzz_target!(|text: &str| {
    let verifiers = &*VERIFIERS;
    let _ = parse::id_claims(text, &Limits::DEFAULT);
    let _ = parse::logout_claims(text, &Limits::DEFAULT);
    let _ = parse::shaped_claims(text, &verifiers.shape, &Limits::DEFAULT);
    let token = RawToken::new(text);
    assert!(verifiers.access.verify(token).is_err(), "nobody signed this");
    assert!(verifiers.id.verify(token, &Asked::without_nonce()).is_err(), "nobody signed this");
    assert!(verifiers.logout.verify(token).is_err(), "nobody signed this");
});
