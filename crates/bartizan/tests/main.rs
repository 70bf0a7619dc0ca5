//! The builder: what is mandatory is asked for, and what it builds fits together.
#![cfg(test)]

#[path = "main/sessions.rs"]
mod sessions;

use std::{sync::Arc, time::Duration};

use bartizan::{
    AccessTokens, Builder, ErrorKind, Security,
    core::{
        Decision, Fault, JobPolicy, JsonLines, Permission, RawToken, Resource, SecretArray, UnixTime,
        danger_unrecorded, os,
    },
    crypto_ring::Ring,
    envelope::{LocalMaster, MemoryKeyStore},
    passwords::Params,
    rbac::{Assignments, Engine, presets},
    tokens::{AccessToken, Algorithm, SigningKey},
};
use bartizan_testkit::ManualClock;

const ISSUER: &str = "https://auth.example.org";
const AUDIENCE: &str = "https://api.example.org";

fn key() -> SigningKey {
    SigningKey::generate(&Ring::new(), Algorithm::Es256, None, &os::OsEntropy).unwrap()
}

fn tokens() -> AccessTokens {
    AccessTokens::new(ISSUER, AUDIENCE, key())
}

fn engine() -> Engine {
    Engine::new(presets::best_practices(), Assignments::TokenOnly(vec![ISSUER.into()]))
}

fn with_keys(builder: Builder) -> Builder {
    let wrapper =
        LocalMaster::new(Arc::new(Ring::new()), &SecretArray::new([7; 32]), Arc::new(os::OsEntropy)).unwrap();
    builder.keys(Arc::new(MemoryKeyStore::new()), Arc::new(wrapper))
}

#[test]
fn each_mandatory_part_is_asked_for_by_name() {
    let recorder = || Arc::new(JsonLines::to_writer(std::io::sink()));
    let begun = || Security::builder("orders");
    let missing = [
        (begun(), ErrorKind::NoRecorder),
        (begun().recorder(recorder()), ErrorKind::NoPolicy),
        (begun().recorder(recorder()).policy(engine()), ErrorKind::NoTokens),
        (begun().recorder(recorder()).policy(engine()).access_tokens(tokens()), ErrorKind::NoKeys),
    ];
    for (builder, kind) in missing {
        let error = builder.build().unwrap_err();
        assert_eq!((error.kind(), error.fault()), (kind, Fault::Caller));
    }
}

fn whole(name: &str) -> Builder {
    let builder = Security::builder(name).recorder(Arc::new(danger_unrecorded())).policy(engine());
    with_keys(builder.access_tokens(tokens()))
}

#[test]
fn a_part_that_cannot_be_used_is_named() {
    let error = whole("a\nb").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authorizer);
    let error = whole("orders").passwords(Params::OWASP, 1).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Passwords);
    let error = whole("orders").access_tokens(AccessTokens::new("", AUDIENCE, key())).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tokens);
    let far = AccessTokens::new(ISSUER, AUDIENCE, key()).leeway(Duration::from_secs(301));
    assert_eq!(whole("orders").access_tokens(far).build().unwrap_err().kind(), ErrorKind::Tokens);
}

#[test]
#[cfg(feature = "aws-lc")]
fn another_provider_serves_the_whole_road() {
    use bartizan::crypto_aws_lc::AwsLc;

    let key = SigningKey::generate(&AwsLc::new(), Algorithm::Es256, None, &os::OsEntropy).unwrap();
    let security = whole("orders")
        .provider(Arc::new(AwsLc::new()))
        .access_tokens(AccessTokens::new(ISSUER, AUDIENCE, key))
        .build()
        .unwrap();
    assert_eq!(security.provider().name(), "aws-lc");
    let token = security.issuer().issue(&AccessToken::new("ada", AUDIENCE, "web").tenant("north")).unwrap();
    assert!(security.verifier().verify(RawToken::new(token.expose())).is_ok());
}

#[test]
fn the_parts_fit_and_share_one_clock() {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let security = whole("orders").clock(clock.clone()).jobs(JobPolicy::none()).build().unwrap();
    let token = security
        .issuer()
        .issue(&AccessToken::new("ada", AUDIENCE, "web").tenant("north").roles(["admin"]))
        .unwrap();
    let who = security.verifier().verify(RawToken::new(token.expose())).unwrap().principal().unwrap();

    let read = Permission::literal("user:read");
    let on = Resource::record("north", "user", "u-1");
    assert!(matches!(security.authorizer().decide(&who, read, on), Decision::Allow(_)));

    clock.advance(Duration::from_secs(15 * 60 + 31));
    assert!(security.verifier().verify(RawToken::new(token.expose())).is_err());
    assert!(matches!(security.authorizer().decide(&who, read, on), Decision::Deny(_)));
}
