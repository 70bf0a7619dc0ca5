//! From headers to a principal, without any framework.

use std::{sync::Arc, time::Duration};

use bartizan_core::{Attestation, Clock, Outcome, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_http::{Arrival, Code, Counts, ErrorKind, Guard, RequestId};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use bartizan_tokens::{AccessToken, Algorithm, Issuer, KeySet, SigningKey, Verifier};
use http::{HeaderMap, HeaderValue, Method, Uri, header};

use crate::now;

struct Bench {
    clock: Arc<ManualClock>,
    recorder: Arc<MemoryRecorder>,
    guard: Guard,
    issuer: Issuer,
}

fn bench() -> Bench {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let recorder = Arc::new(MemoryRecorder::default());
    let entropy = Arc::new(SeededEntropy::new(1));
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("k1"), &*entropy).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let shared: Arc<dyn Clock> = clock.clone();
    let verifier = Verifier::access_tokens("login", "api", keys, shared.clone()).unwrap();
    let guard = Guard::new("clinic", verifier, recorder.clone(), shared.clone()).unwrap();
    let issuer = Issuer::new("login", key, shared, entropy).unwrap();
    Bench { clock, recorder, guard, issuer }
}

impl Bench {
    fn token(&self, token: AccessToken<'_>) -> String {
        self.issuer.issue(&token).unwrap().expose().to_owned()
    }

    fn ada(&self) -> String {
        self.token(AccessToken::new("ada", "api", "web").tenant("north").roles(["doctor"]))
    }

    fn code(&self, token: &str) -> Option<Code> {
        let headers = bearing(token);
        let uri = Uri::from_static("/me");
        now(self.guard.authenticate(&Arrival::new("/me", &Method::GET, &headers, &uri)))
            .err()
            .map(|problem| problem.code())
    }
}

fn bearing(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    headers
}

#[test]
fn a_good_token_makes_a_principal_and_no_record() {
    let bench = bench();
    let (headers, uri) = (bearing(&bench.ada()), Uri::from_static("/me"));
    let who = now(bench.guard.authenticate(&Arrival::new("/me", &Method::GET, &headers, &uri))).unwrap();
    assert_eq!((who.tenant(), who.subject(), who.how()), ("north", "ada", Attestation::Token));
    assert!(bench.recorder.facts().is_empty());
    assert_eq!(bench.guard.counts().verified, 1);
}

#[test]
fn a_bad_token_is_on_record_by_its_kind_and_never_by_its_text() {
    let bench = bench();
    let good = bench.ada();
    let (signed, _) = good.rsplit_once('.').unwrap();
    let elsewhere = bench.token(AccessToken::new("ada", "other", "web").tenant("north"));
    let homeless = bench.token(AccessToken::new("ada", "api", "web"));
    for (token, reason) in [
        (format!("{signed}.{}", "A".repeat(86)), "signature"),
        ("c4n4ry".to_owned(), "malformed"),
        (elsewhere, "audience"),
        (homeless, "missing_claim"),
    ] {
        assert_eq!(bench.code(&token), Some(Code::InvalidToken), "{reason}");
        let facts = bench.recorder.facts();
        let fact = facts.last().unwrap();
        assert_eq!(
            (fact.code.name(), fact.reason, fact.outcome),
            ("token_refused", Some(reason), Outcome::Denied)
        );
        assert!(!fact.shown.contains(&token));
    }
    bench.clock.advance(Duration::from_secs(3_600));
    assert_eq!(bench.code(&good), Some(Code::TokenExpired));
    assert_eq!(bench.recorder.facts().last().unwrap().reason, Some("expired"));
}

#[test]
fn whoever_presents_nothing_is_told_and_not_recorded() {
    let bench = bench();
    let (headers, uri) = (HeaderMap::new(), Uri::from_static("/me"));
    let problem =
        now(bench.guard.authenticate(&Arrival::new("/me", &Method::GET, &headers, &uri))).unwrap_err();
    assert_eq!(problem.code(), Code::NoCredentials);
    assert!(bench.recorder.facts().is_empty());
}

#[test]
fn a_refusal_that_cannot_be_recorded_is_an_outage() {
    let bench = bench();
    bench.recorder.refuse();
    assert_eq!(bench.code("a.b.c"), Some(Code::ServiceUnavailable));
    assert_eq!(bench.code(&bench.ada()), None);
    let Counts { verified, refused, failed, .. } = bench.guard.counts();
    assert_eq!((verified, refused, failed), (1, 0, 1));
}

#[test]
fn the_record_says_from_where_and_in_which_request() {
    let bench = bench();
    let mut headers = bearing("a.b.c");
    headers
        .insert(header::USER_AGENT, HeaderValue::from_str(&format!("curl/8 {}", "x".repeat(1_000))).unwrap());
    let uri = Uri::from_static("/patients/secret-id");
    let id = RequestId::draw(&SeededEntropy::new(3)).unwrap();
    let mut arrival = Arrival::new("/patients/{id}", &Method::GET, &headers, &uri);
    arrival.request = Some(&id);
    arrival.address = Some([192, 0, 2, 7].into());
    assert!(now(bench.guard.authenticate(&arrival)).is_err());
    let shown = &bench.recorder.facts()[0].shown;
    for text in [id.as_str(), "192.0.2.7", "/patients/{id}", "clinic", "curl/8 x"] {
        assert!(shown.contains(text), "{text}");
    }
    assert!(!shown.contains("secret-id") && shown.len() < 1_200);
}

#[test]
fn a_service_has_a_printable_name() {
    for name in ["", "a\nb", &"x".repeat(256)] {
        let recorder = Arc::new(MemoryRecorder::default());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(UnixTime::EPOCH));
        let key =
            SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("k1"), &SeededEntropy::new(1)).unwrap();
        let keys = KeySet::new([key.verifying()]).unwrap();
        let verifier = Verifier::access_tokens("login", "api", keys, clock.clone()).unwrap();
        let error = Guard::new(name, verifier, recorder, clock).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Name);
    }
}

#[test]
fn debug_shows_no_key_and_nobody() {
    let bench = bench();
    let shown = format!(
        "{:?} {:?}",
        bench.guard,
        now(bench.guard.authenticate(&Arrival::new(
            "/me",
            &Method::GET,
            &bearing(&bench.ada()),
            &Uri::from_static("/me")
        )))
    );
    assert!(!shown.contains("ada") && !shown.contains("k1"), "{shown}");
}
