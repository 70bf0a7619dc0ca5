//! What is not built.

use std::sync::Arc;

use axum::http::Method;
use bartizan_axum::{ErrorKind, Route, SecureRouter, delete, get, post};
use bartizan_core::Permission;
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// axum panics on paths that clash; no set of paths may get there.
    #[test]
    fn no_set_of_paths_panics(paths in proptest::collection::vec("(/(a|b|\\{x\\}|\\{y\\}|\\{\\*z\\}|a\\{x\\}|\\.|:c|)){0,4}", 0..8)) {
        let routes = paths.iter().map(|path| get(path.as_str(), ok).authenticated()).collect();
        let _ = kinds(routes);
    }
}
