//! Several issuers of one verifier, tenants that issuers speak for, and tokens that were revoked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bartizan_core::{Fault, UnixTime};
use bartizan_tokens::{
    Algorithm, Error, ErrorKind, Revocations, TokenId, TrustedIssuer, Verified, VerifiedIdToken,
    VerifiedLogoutToken, Verifier,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    provider::{OpenIdProvider, raw, with, without},
    support::{AUDIENCE, Forge, NOW, clock, refused, verify},
};

const NORTH: &str = "https://north.example";
const SOUTH: &str = "https://south.example";

fn both() -> (OpenIdProvider, OpenIdProvider) {
    (OpenIdProvider::new(NORTH, Algorithm::EdDsa), OpenIdProvider::new(SOUTH, Algorithm::Es256))
}

fn verifier(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Verifier {
    Verifier::of(issuers, clock()).unwrap()
}

fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "sub": "ada", "aud": AUDIENCE, "exp": NOW + 600, "iat": NOW - 10, "jti": "t-1", "client_id": "web",
    })
}

fn signed(provider: &OpenIdProvider, claims: &Value) -> String {
    provider.sign(Some("at+jwt"), claims)
}

#[test]
fn tokens_of_several_issuers_are_verified_with_the_keys_of_each() {
    let (north, south) = both();
    let verifier = verifier([south.trusted(AUDIENCE), north.trusted(AUDIENCE)]);
    for provider in [&north, &south] {
        let verified = verify(&verifier, &signed(provider, &claims(provider.issuer))).unwrap();
        assert_eq!(verified.issuer(), provider.issuer);
    }
}

#[test]
fn row_17_one_kid_of_two_issuers_never_crosses() {
    let north = OpenIdProvider::new(NORTH, Algorithm::EdDsa);
    let south = OpenIdProvider::new(SOUTH, Algorithm::EdDsa);
    let verifier = verifier([north.trusted(AUDIENCE), south.trusted(AUDIENCE)]);
    assert_eq!(refused(&verifier, &signed(&south, &claims(NORTH))), ErrorKind::Signature);
    assert_eq!(refused(&verifier, &signed(&north, &claims(SOUTH))), ErrorKind::Signature);
    // With keys of different kinds not even the algorithm fits.
    let south = OpenIdProvider::new(SOUTH, Algorithm::Es256);
    let verifier = Verifier::of([north.trusted(AUDIENCE), south.trusted(AUDIENCE)], clock()).unwrap();
    assert_eq!(refused(&verifier, &signed(&south, &claims(NORTH))), ErrorKind::Algorithm);
}

#[test]
fn row_17_an_issuer_that_is_not_trusted_is_refused() {
    let (north, south) = both();
    let verifier = verifier([north.trusted(AUDIENCE), south.trusted(AUDIENCE)]);
    for issuer in ["https://north.exampl", "https://north.example/", "HTTPS://NORTH.EXAMPLE", "", "n", "*"] {
        assert_eq!(refused(&verifier, &signed(&north, &claims(issuer))), ErrorKind::Issuer, "{issuer}");
    }
    let error = verifier.verify(raw(&signed(&north, &without(&claims(NORTH), "iss")))).unwrap_err();
    assert_eq!((error.kind(), error.claim()), (ErrorKind::MissingClaim, Some("iss")));
}

#[test]
fn row_13_the_issuer_that_chooses_is_the_issuer_that_is_read() {
    let (north, south) = both();
    let verifier = verifier([north.trusted(AUDIENCE), south.trusted(AUDIENCE)]);
    let rest = without(&claims(NORTH), "iss").to_string();
    let rest = &rest[1..];
    let token = |members: &str| north.sign_text(Some("at+jwt"), &format!("{{{members},{rest}"));
    assert!(verify(&verifier, &token(&format!(r#""iss":"{NORTH}""#))).is_ok());
    assert!(verify(&verifier, &token(&format!(r#""\u0069ss":"{NORTH}""#))).is_ok());
    // The first chooses the keys; under those of another issuer the signature does not hold.
    let first_is_another = format!(r#""iss":"{SOUTH}","iss":"{NORTH}""#);
    assert_eq!(refused(&verifier, &token(&first_is_another)), ErrorKind::Algorithm);
    // Under its own it does, and then the second is found.
    for twice in [
        format!(r#""iss":"{NORTH}","iss":"{SOUTH}""#),
        format!(r#""iss":"{NORTH}","\u0069ss":"{SOUTH}""#),
        format!(r#""iss":"{NORTH}","ISS":"{SOUTH}""#),
        format!(r#""i\u017Fs":"{SOUTH}","iss":"{NORTH}""#),
    ] {
        assert_eq!(refused(&verifier, &token(&twice)), ErrorKind::Duplicate, "{twice}");
    }
    for of_another_type in [json!(1), json!(null), json!([NORTH]), json!({ NORTH: NORTH })] {
        let token = token(&format!(r#""iss":{of_another_type}"#));
        assert_eq!(refused(&verifier, &token), ErrorKind::ClaimType);
    }
    // Nested, it chooses nothing.
    assert_eq!(refused(&verifier, &token(&format!(r#""x":{{"iss":"{NORTH}"}}"#))), ErrorKind::MissingClaim);
}

#[test]
fn every_rule_is_that_of_the_issuer() {
    let (north, south) = both();
    let verifier = verifier([
        north.trusted(AUDIENCE).max_lifetime(Duration::from_secs(60)),
        south.trusted("https://other.example").max_lifetime(Duration::from_secs(7_200)),
    ]);
    assert_eq!(refused(&verifier, &signed(&north, &claims(NORTH))), ErrorKind::Lifetime);
    assert!(verify(&verifier, &signed(&north, &with(&claims(NORTH), "exp", json!(NOW + 50)))).is_ok());
    assert_eq!(refused(&verifier, &signed(&south, &claims(SOUTH))), ErrorKind::Audience);
    let for_other = with(&claims(SOUTH), "aud", json!("https://other.example"));
    assert!(verify(&verifier, &signed(&south, &with(&for_other, "exp", json!(NOW + 7_000)))).is_ok());
    assert_eq!(
        refused(&verifier, &signed(&north, &with(&for_other, "iss", json!(NORTH)))),
        ErrorKind::Audience
    );
}

#[test]
fn two_issuers_of_one_name_none_and_too_many_are_refused() {
    let (north, south) = both();
    let config = |issuers: Vec<TrustedIssuer>| Verifier::of(issuers, clock()).unwrap_err().kind();
    assert_eq!(config(vec![]), ErrorKind::Config);
    let twice = vec![
        north.trusted(AUDIENCE),
        south.trusted(AUDIENCE),
        TrustedIssuer::new(NORTH, "another", south.keys()),
    ];
    assert_eq!(config(twice), ErrorKind::Config);
    let many = |n: usize| -> Vec<_> {
        (0..n).map(|i| TrustedIssuer::new(format!("https://{i}.example"), AUDIENCE, north.keys())).collect()
    };
    assert!(Verifier::of(many(64), clock()).is_ok());
    assert_eq!(config(many(65)), ErrorKind::Config);
    let endless = std::iter::repeat_with(|| north.trusted(AUDIENCE));
    assert_eq!(Verifier::of(endless, clock()).unwrap_err().kind(), ErrorKind::Config);

    assert_eq!(config(vec![TrustedIssuer::new("", AUDIENCE, north.keys())]), ErrorKind::Config);
    assert_eq!(config(vec![TrustedIssuer::new(NORTH, "a\nb", north.keys())]), ErrorKind::Config);
    assert_eq!(config(vec![north.trusted(AUDIENCE).tenant("")]), ErrorKind::Config);
    assert_eq!(config(vec![north.trusted(AUDIENCE).max_lifetime(Duration::ZERO)]), ErrorKind::Config);
    let too_long = Duration::from_secs(86_401);
    assert_eq!(config(vec![north.trusted(AUDIENCE).max_lifetime(too_long)]), ErrorKind::Config);
}

#[test]
fn an_issuer_that_speaks_for_a_tenant_speaks_for_no_other() {
    let (north, south) = both();
    let verifier = verifier([north.trusted(AUDIENCE).tenant("north"), south.trusted(AUDIENCE)]);
    let tenant = |provider: &OpenIdProvider, tenant: Option<&str>| {
        let claims = claims(provider.issuer);
        let claims = tenant.map_or(claims.clone(), |tenant| with(&claims, "tenant", json!(tenant)));
        let verified = verify(&verifier, &signed(provider, &claims))?;
        Ok(verified.principal().ok().map(|who| who.tenant().to_owned()))
    };
    assert_eq!(tenant(&north, None), Ok(Some("north".into())));
    assert_eq!(tenant(&north, Some("north")), Ok(Some("north".into())));
    assert_eq!(tenant(&north, Some("south")), Err(ErrorKind::Tenant));
    assert_eq!(tenant(&south, None), Ok(None));
    assert_eq!(tenant(&south, Some("south")), Ok(Some("south".into())));

    let only = Verifier::of([north.trusted(AUDIENCE).tenant("north"), south.trusted(AUDIENCE)], clock())
        .unwrap()
        .single_tenant();
    let tenant = |provider| {
        verify(&only, &signed(provider, &claims(provider.issuer))).unwrap().tenant().map(str::to_owned)
    };
    assert_eq!((tenant(&north), tenant(&south)), (Some("north".into()), Some("-".into())));
}

#[test]
fn with_several_issuers_nothing_but_the_issuer_counts_before_the_signature() {
    let (north, south) = both();
    let verifier = verifier([north.trusted(AUDIENCE), south.trusted(AUDIENCE)]);
    for bad in [
        with(&claims(NORTH), "exp", json!(NOW - 100)),
        with(&claims(NORTH), "aud", json!("x")),
        with(&claims(NORTH), "sub", json!(1)),
        without(&claims(NORTH), "jti"),
        with(&claims(NORTH), "cnf", json!({})),
    ] {
        let token = signed(&north, &bad);
        assert_ne!(refused(&verifier, &token), ErrorKind::Signature);
        let forged = signed(&OpenIdProvider::new("https://mallory.example", Algorithm::EdDsa), &bad);
        assert_eq!(refused(&verifier, &forged), ErrorKind::Signature);
    }
}

/// Says what it was told, and counts how often it was asked.
#[derive(Default)]
struct List {
    revokes: AtomicBool,
    breaks: AtomicBool,
    asked: AtomicUsize,
}

impl Revocations for List {
    fn is_revoked(&self, token: &TokenId<'_>) -> Result<bool, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert_eq!((token.issuer, token.subject, token.jti), (crate::support::ISSUER, "ada", Some("t-1")));
        assert_eq!((token.session, token.issued_at), (Some("s-1"), UnixTime::from_secs(NOW - 1_000)));
        if self.breaks.load(Ordering::Relaxed) {
            return Err(ErrorKind::Config.into());
        }
        Ok(self.revokes.load(Ordering::Relaxed))
    }
}

#[test]
fn row_31_a_revoked_token_is_refused_before_its_end() {
    let forge = Forge::new(Algorithm::EdDsa);
    let list = Arc::new(List::default());
    let verifier = forge.verifier().revocations(list.clone());
    let token = forge.with("sid", json!("s-1"));
    assert!(verify(&verifier, &token).is_ok());
    list.revokes.store(true, Ordering::Relaxed);
    assert_eq!(refused(&verifier, &token), ErrorKind::Revoked);
    assert_eq!(list.asked.load(Ordering::Relaxed), 2);
}

#[test]
fn row_31_unknown_revocations_are_an_outage_and_no_grant() {
    let forge = Forge::new(Algorithm::EdDsa);
    let list = Arc::new(List::default());
    list.breaks.store(true, Ordering::Relaxed);
    let verifier = forge.verifier().revocations(list.clone());
    let error = verifier.verify(raw(&forge.with("sid", json!("s-1")))).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::RevocationsUnavailable, Fault::Backend));
    assert!(error.is_transient());
    // A token that is bad anyway is not asked for.
    let expired = forge.with("exp", json!(NOW - 100));
    assert_eq!(refused(&verifier, &expired), ErrorKind::Expired);
    assert_eq!(list.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn what_was_verified_fits_the_extensions_of_a_request() {
    const fn fits<T: Clone + Send + Sync + 'static>() {}
    fits::<Verified>();
    fits::<Verified<Vec<String>>>();
    fits::<VerifiedIdToken<Value>>();
    fits::<VerifiedLogoutToken>();
    fits::<bartizan_core::Principal>();

    let forge = Forge::new(Algorithm::EdDsa);
    let mut extensions = http::Extensions::new();
    {
        let token = forge.good();
        extensions.insert(verify(&forge.verifier(), &token).unwrap());
    }
    let held: &Verified = extensions.get().unwrap();
    assert_eq!((held.clone().subject(), held.jti()), ("ada", Some("t-1")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever of several issuers issued it, it is verified as that issuer's; with any byte changed it is nobody's.
    #[test]
    fn what_one_of_several_issues_is_verified_as_its_own_and_with_any_byte_changed_as_nobodys(
        is_north in any::<bool>(), subject in "[a-zA-Z0-9 é\"\\\\]{1,40}", place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let (north, south) = both();
        let verifier = verifier([north.trusted(AUDIENCE), south.trusted(AUDIENCE).tenant("south")]);
        let provider = if is_north { &north } else { &south };
        let token = signed(provider, &with(&claims(provider.issuer), "sub", json!(subject)));
        let verified = verify(&verifier, &token).unwrap();
        prop_assert_eq!((verified.issuer(), verified.subject()), (provider.issuer, subject.as_str()));
        prop_assert_eq!(verified.tenant(), (!is_north).then_some("south"));

        let mut bytes = token.into_bytes();
        let place = place.index(bytes.len());
        prop_assume!(bytes[place] != byte);
        bytes[place] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(verify(&verifier, &changed).is_err());
        }
    }
}
