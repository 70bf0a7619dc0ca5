//! What is not built.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use bartizan_axum::{Clients, ErrorKind, Route, SecureRouter, delete, get, post};
use bartizan_core::Permission;
use bartizan_crypto_ring::Ring;
use bartizan_http::{Logins, RouteLimit, StepUp};
use bartizan_rate_limit::{Limiter, MemoryLimits, OnOutage, Policy};
use bartizan_sessions::{Freshness, MemoryStore, Sessions};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use proptest::prelude::*;

use crate::bench::{self, NOW};

const READ: Permission = Permission::literal("patient:read");
const MISSPELT: Permission = Permission::literal("patient:reed");
const OWN: Permission = Permission::literal("patient:read:own");

fn router() -> SecureRouter {
    let (recorder, clock) = (Arc::new(MemoryRecorder::default()), Arc::new(ManualClock::at(NOW)));
    bench::router(&recorder, &clock, Arc::new(SeededEntropy::new(1))).0
}

async fn ok() -> &'static str {
    "ok"
}

fn kinds(routes: Vec<Route>) -> Vec<ErrorKind> {
    let built = routes.into_iter().fold(router(), SecureRouter::route).build();
    built.map_or_else(|error| error.faults().iter().map(|fault| fault.kind()).collect(), |_| Vec::new())
}

#[test]
fn every_route_without_a_policy_is_named_at_once() {
    let error = router()
        .route(get("/a", ok))
        .route(get("/b", ok).public("a reason"))
        .route(post("/c/{id}", ok))
        .route(get("/d", ok).public(""))
        .route(get("/e", ok).requires_all([]))
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the router is not built: GET /a has no policy; POST /c/{id} has no policy; GET /d is public without a reason; \
         GET /e requires an empty set of permissions"
    );
    assert_eq!(error.kind(), ErrorKind::NoPolicy);
    assert_eq!(error.faults().len(), 4);
    assert!(!error.is_transient());
}

#[test]
fn doubles_are_refused_and_methods_of_one_path_are_not() {
    assert_eq!(kinds(vec![get("/a", ok).authenticated(), delete("/a", ok).authenticated()]), []);
    assert_eq!(
        kinds(vec![get("/a", ok).authenticated(), Route::new(Method::HEAD, "/a", ok).authenticated()]),
        []
    );
    assert_eq!(
        kinds(vec![get("/a", ok).authenticated(), get("/a", ok).public("twice")]),
        [ErrorKind::Duplicate]
    );
    assert_eq!(
        kinds(vec![get("/a/{x}", ok).authenticated(), post("/a/{y}", ok).authenticated()]),
        [ErrorKind::Ambiguous]
    );
}

#[test]
fn methods_that_are_not_served_and_bad_paths_are_refused() {
    for method in [Method::TRACE, Method::CONNECT, Method::from_bytes(b"PURGE").unwrap()] {
        assert_eq!(kinds(vec![Route::new(method, "/a", ok).authenticated()]), [ErrorKind::Method]);
    }
    for path in ["", "a", "/a/", "/{*rest}", "/:id", "/a/../b"] {
        assert_eq!(kinds(vec![get(path, ok).authenticated()]), [ErrorKind::Path], "{path}");
    }
}

#[test]
fn a_permission_that_the_catalogue_does_not_know_is_named() {
    let with = |permission| {
        router().catalogue(["patient:read", "patient:list"]).route(get("/a", ok).requires(permission)).build()
    };
    assert!(with(READ).is_ok() && with(OWN).is_ok());
    let error = with(MISSPELT).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the router is not built: GET /a requires a permission that the catalogue does not know (patient:reed)"
    );
    assert_eq!(error.faults()[0].permission().unwrap().as_str(), "patient:reed");
}

#[test]
fn the_inventory_shows_every_route_also_those_that_are_not_built() {
    let router = router()
        .route(get("/patients/{id}", ok).requires_on_record(READ))
        .route(delete("/patients/{id}", ok))
        .route(get("/health", ok).public("liveness"));
    assert_eq!(
        router.inventory().to_string(),
        "GET     /health         public (liveness)\n\
         DELETE  /patients/{id}  NO POLICY\n\
         GET     /patients/{id}  requires patient:read on the record\n"
    );
    assert!(router.inventory().to_json().contains(r#""policy":"missing""#));
}

/// What is wrong with these routes where sessions are kept.
fn kinds_with_logins(routes: Vec<Route>) -> Vec<ErrorKind> {
    let (recorder, clock) = (Arc::new(MemoryRecorder::default()), Arc::new(ManualClock::at(NOW)));
    let (store, entropy) = (Arc::new(MemoryStore::new()), Arc::new(SeededEntropy::new(2)));
    let (provider, policy) = (Arc::new(Ring::new()), bartizan_sessions::Policy::guide());
    let sessions = Sessions::new("login", store, provider, entropy, clock.clone(), policy).unwrap();
    let logins = Logins::of(sessions);
    let router: SecureRouter =
        bench::guarded(&recorder, &clock, Arc::new(SeededEntropy::new(1)), |guard| guard.logins(logins)).0;
    let built = routes.into_iter().fold(router, SecureRouter::route).build();
    built.map_or_else(|error| error.faults().iter().map(|fault| fault.kind()).collect(), |_| Vec::new())
}

#[test]
fn where_sessions_are_kept_each_route_says_how_freshly_it_knows() {
    let fresh = || get("/a", ok).authenticated().fresh(Freshness::ReadThrough);
    assert_eq!(kinds_with_logins(vec![fresh(), get("/b", ok).public("liveness")]), []);
    assert_eq!(kinds_with_logins(vec![get("/a", ok).authenticated()]), [ErrorKind::NoFreshness]);
    assert_eq!(kinds_with_logins(vec![get("/a", ok).requires(READ)]), [ErrorKind::NoFreshness]);
    assert_eq!(kinds_with_logins(vec![get("/a", ok)]), [ErrorKind::NoPolicy], "one thing at a time");
    assert_eq!(kinds(vec![get("/a", ok).authenticated()]), [], "where none are kept there is nothing to say");
}

#[test]
fn terms_that_cannot_be_kept_are_refused() {
    let policy = || Policy::general(OnOutage::Closed);
    let five_minutes = || StepUp::within(Duration::from_secs(300));
    for (route, kind) in [
        (get("/a", ok).authenticated().limit(RouteLimit::by_address(policy())), ErrorKind::NoLimiter),
        (get("/a", ok).authenticated().step_up(StepUp::to(["a b"])), ErrorKind::StepUp),
        (get("/a", ok).public("open").step_up(five_minutes()), ErrorKind::NobodyKnown),
        (get("/a", ok).public("open").fresh(Freshness::ReadThrough), ErrorKind::NobodyKnown),
    ] {
        assert_eq!(kinds(vec![route]), [kind]);
    }
    let limited = |clients, limit| {
        let (recorder, clock) = (Arc::new(MemoryRecorder::default()), Arc::new(ManualClock::at(NOW)));
        let memory = MemoryLimits::new(1_000, clock.clone(), &SeededEntropy::new(2)).unwrap();
        let limiter = Arc::new(Limiter::in_memory(Arc::new(memory)));
        let entropy = Arc::new(SeededEntropy::new(1));
        let router: SecureRouter =
            bench::guarded(&recorder, &clock, entropy, |guard| guard.limited_by(limiter)).0;
        let built = router.clients(clients).route(get("/a", ok).public("open").limit(limit)).build();
        built.map_or_else(|error| error.faults().iter().map(|fault| fault.kind()).collect(), |_| Vec::new())
    };
    assert_eq!(limited(Clients::Direct, RouteLimit::by_address(policy())), []);
    assert_eq!(limited(Clients::BehindProxies, RouteLimit::of_everybody(policy())), []);
    assert_eq!(limited(Clients::BehindProxies, RouteLimit::by_address(policy())), [ErrorKind::NoAddress]);
    assert_eq!(limited(Clients::Direct, RouteLimit::by_principal(policy())), [ErrorKind::NobodyKnown]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// axum panics on paths that clash; no set of paths may get there.
    #[test]
    fn no_set_of_paths_panics(paths in proptest::collection::vec("(/(a|b|\\{x\\}|\\{y\\}|\\{\\*z\\}|a\\{x\\}|\\.|:c|)){0,4}", 0..8)) {
        let routes = paths.iter().map(|path| get(path.as_str(), ok).authenticated()).collect();
        let _ = kinds(routes);
    }
}
