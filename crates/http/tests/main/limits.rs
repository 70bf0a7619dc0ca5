//! Limits of routes: whom they count, what they answer, what stands on record.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bartizan_core::{Attestation, Clock, Principal, PrincipalFacts, UnixTime};
use bartizan_crypto_ring::Ring;
use bartizan_http::{Arrival, Code, Guard, Problem, Rendering, RouteLimit, limit_headers};
use bartizan_rate_limit::{
    Ask, Charge, Error, ErrorKind, LimitStore, Limiter, MemoryLimits, OnOutage, Policy, Quota, Standing,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use bartizan_tokens::{Algorithm, KeySet, SigningKey, Verifier};
use http::{HeaderMap, Method, Uri};

use crate::now;

/// A store that is out.
#[derive(Debug)]
struct Out;

#[async_trait]
impl LimitStore for Out {
    async fn charge(&self, _: &[Ask<'_>]) -> Result<Vec<Charge>, Error> {
        Err(ErrorKind::Unavailable.into())
    }

    async fn give_back(&self, _: &[(Ask<'_>, Charge)]) -> Result<(), Error> {
        Err(ErrorKind::Unavailable.into())
    }
}

struct Bench {
    guard: Guard,
    recorder: Arc<MemoryRecorder>,
    clock: Arc<ManualClock>,
}

fn bench(shared: Option<Arc<dyn LimitStore>>) -> Bench {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let recorder = Arc::new(MemoryRecorder::default());
    let entropy = SeededEntropy::new(1);
    let key = SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some("k1"), &entropy).unwrap();
    let keys = KeySet::new([key.verifying()]).unwrap();
    let time: Arc<dyn Clock> = clock.clone();
    let verifier = Verifier::access_tokens("login", "api", keys, time.clone()).unwrap();
    let memory = Arc::new(MemoryLimits::new(10_000, time.clone(), &entropy).unwrap());
    let limiter = match shared {
        Some(store) => Limiter::shared(store, memory, time.clone()),
        None => Limiter::in_memory(memory),
    };
    let guard = Guard::new("clinic", verifier, recorder.clone(), time).unwrap().limited_by(Arc::new(limiter));
    Bench { guard, recorder, clock }
}

fn policy(name: &str, limit: u32, on_outage: OnOutage) -> Policy {
    Policy::new(name, Quota::per(limit, Duration::from_secs(60)).unwrap(), on_outage).unwrap()
}

fn somebody(tenant: &str, subject: &str) -> Principal {
    Principal::attested(Attestation::Token, PrincipalFacts::new(tenant, subject)).unwrap()
}

impl Bench {
    fn ask(
        &self,
        limits: &[RouteLimit],
        address: Option<&str>,
        who: Option<&Principal>,
    ) -> Result<Vec<Standing>, Problem> {
        let (headers, uri) = (HeaderMap::new(), Uri::from_static("/x"));
        let mut arrival = Arrival::new("/x", &Method::GET, &headers, &uri);
        arrival.address = address.map(|address| address.parse::<IpAddr>().unwrap());
        now(self.guard.limit(&arrival, limits, who))
    }

    fn code(&self, limits: &[RouteLimit], address: &str, who: Option<&Principal>) -> Option<Code> {
        self.ask(limits, Some(address), who).err().map(|problem| problem.code())
    }
}

#[test]
fn an_address_has_so_many_and_then_429_with_when_to_come_back() {
    let bench = bench(None);
    let limits = [RouteLimit::by_address(policy("general", 2, OnOutage::Closed))];
    let standings = bench.ask(&limits, Some("192.0.2.1"), None).unwrap();
    let mut headers = HeaderMap::new();
    limit_headers(&mut headers, &standings);
    assert_eq!(headers["ratelimit-policy"], r#""general";q=2;w=60"#);
    assert_eq!(headers["ratelimit"], r#""general";r=1;t=30"#);
    assert!(bench.ask(&limits, Some("192.0.2.1"), None).is_ok());
    let problem = bench.ask(&limits, Some("192.0.2.1"), None).unwrap_err();
    assert_eq!(problem.code(), Code::RateLimitExceeded);
    let answer = problem.response(&Rendering::default());
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"30".parse().unwrap()));
    assert_eq!(answer.headers()["ratelimit"], r#""general";r=0;t=30"#);
    assert_eq!(answer.headers()["ratelimit-policy"], r#""general";q=2;w=60"#);
    assert_eq!(bench.code(&limits, "192.0.2.2", None), None, "another address has its own");
    bench.clock.advance(Duration::from_secs(30));
    assert_eq!(bench.code(&limits, "192.0.2.1", None), None);
}

#[test]
fn limits_by_somebody_wait_until_somebody_is_known_and_tell_them_apart() {
    let bench = bench(None);
    let limits = [
        RouteLimit::by_principal(policy("each", 1, OnOutage::Closed)),
        RouteLimit::by_tenant(policy("tenant", 2, OnOutage::Closed)),
    ];
    assert!(bench.ask(&limits, None, None).unwrap().is_empty());
    let (ada, ben, other) = (somebody("north", "ada"), somebody("north", "ben"), somebody("south", "ada"));
    assert_eq!(bench.ask(&limits, None, Some(&ada)).unwrap().len(), 2);
    assert_eq!(bench.code(&limits, "192.0.2.1", Some(&ada)), Some(Code::RateLimitExceeded));
    assert_eq!(bench.code(&limits, "192.0.2.1", Some(&other)), None, "a name is of its tenant");
    assert_eq!(bench.code(&limits, "192.0.2.1", Some(&ben)), None);
    let cleo = somebody("north", "cleo");
    assert_eq!(bench.code(&limits, "192.0.2.1", Some(&cleo)), Some(Code::RateLimitExceeded), "the tenant's");
    // Asked for the first time with nobody known, those by address are not asked again.
    let both = [RouteLimit::of_everybody(policy("all", 1, OnOutage::Closed))];
    assert_eq!(bench.code(&both, "192.0.2.1", Some(&ada)), None);
    assert_eq!(bench.code(&both, "192.0.2.1", None), None);
    assert_eq!(bench.code(&both, "192.0.2.9", None), Some(Code::RateLimitExceeded));
}

#[test]
fn nobody_passes_uncounted() {
    let bench = bench(None);
    let limits = [RouteLimit::by_address(policy("general", 2, OnOutage::Closed))];
    let problem = bench.ask(&limits, None, None).unwrap_err();
    assert_eq!(problem.code(), Code::Internal);
    assert_eq!(bench.recorder.facts().last().unwrap().reason, Some("nobody_to_count"));
}

#[test]
fn a_store_that_is_out_is_a_503_or_counted_here_as_the_policy_says() {
    let bench = bench(Some(Arc::new(Out)));
    let closed = [RouteLimit::by_address(policy("closed", 2, OnOutage::Closed))];
    let local = [RouteLimit::by_address(policy("local", 2, OnOutage::LocalFallback))];
    assert_eq!(bench.code(&closed, "192.0.2.1", None), Some(Code::ServiceUnavailable));
    assert_eq!(bench.recorder.facts().last().unwrap().reason, Some("limits_unavailable"));
    let answers: Vec<_> = (0..3).map(|_| bench.code(&local, "192.0.2.1", None)).collect();
    assert_eq!(answers, [None, None, Some(Code::RateLimitExceeded)]);
}

#[test]
fn a_flood_is_on_record_once_a_minute_with_its_number_and_address() {
    let bench = bench(None);
    let limits = [RouteLimit::by_address(policy("general", 1, OnOutage::Closed))];
    for host in 0..250 {
        // One client, under many addresses of its /64.
        let _ = bench.ask(&limits, Some(&format!("2001:db8::{host:x}")), None);
    }
    let facts = bench.recorder.facts();
    assert_eq!(facts.len(), 1);
    let fact = &facts[0];
    assert_eq!((fact.code.name(), fact.reason), ("excess_rate_limit_exceeded", Some("rate_limit")));
    assert!(fact.shown.contains("2001:db8::1") && fact.shown.contains("general"), "{}", fact.shown);
    bench.clock.advance(Duration::from_secs(60));
    let mut refused = 0;
    while bench.ask(&limits, Some("2001:db8::1"), None).is_ok() || refused == 0 {
        refused += 1;
    }
    let facts = bench.recorder.facts();
    assert!(facts.len() == 2 && facts[1].shown.contains("Number(249)"), "{}", facts[1].shown);
}

#[test]
fn a_limit_that_cannot_be_recorded_still_refuses() {
    let bench = bench(None);
    let limits = [RouteLimit::by_address(policy("general", 1, OnOutage::Closed))];
    assert_eq!(bench.code(&limits, "192.0.2.1", None), None);
    bench.recorder.refuse();
    assert_eq!(bench.code(&limits, "192.0.2.1", None), Some(Code::RateLimitExceeded));
}
