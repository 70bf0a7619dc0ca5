//! What a reviewer with fresh eyes tried.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bartizan_core::{
    Attestation, Authorizer, FieldSet, JobPolicy, Permission, Principal, PrincipalFacts, Realm, Resource,
    UnixTime, json::Limits,
};
use bartizan_http::{Code, authorize_durably, granted_each, read_json};
use bartizan_testkit::{ManualClock, MemoryRecorder, ScriptedEngine, SeededEntropy};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde::Deserialize;

const READ: Permission = Permission::literal("patient:read");

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patient {
    name: String,
    #[serde(default)]
    pair: Option<(u8, i64)>,
    #[serde(default)]
    visits: Vec<Visit>,
    #[serde(default)]
    by_day: BTreeMap<String, Option<Visit>>,
    #[serde(default)]
    kind: Option<Kind>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Visit {
    day: Day,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Day(String);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Plain,
    Named(String),
    Both(f64, char),
    Visited { day: Day, first: bool },
}

fn read(body: &str) -> Result<Patient, (String, &'static str)> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    read_json(&headers, body.as_bytes(), &Limits::REQUEST).map_err(|problem| {
        let [field] = problem.field_errors() else { panic!("{body}: {problem}") };
        (field.pointer().to_owned(), field.code())
    })
}

#[test]
fn a_struct_is_an_object_at_every_depth_and_never_a_list() {
    for (bad, pointer) in [
        (r#"["Ada"]"#, ""),
        (r#"{"name":"Ada","visits":[["Monday"]]}"#, "/visits/0"),
        (r#"{"name":"Ada","by_day":{"a":["Monday"]}}"#, "/by_day/a"),
        (r#"{"name":"Ada","kind":{"visited":["Monday",true]}}"#, "/kind/visited"),
    ] {
        assert_eq!(read(bad), Err((pointer.to_owned(), "type")), "{bad}");
    }
}

#[test]
fn every_other_shape_is_read_as_before() {
    let whole =
        r#"{"name":"Ada","pair":[1,-2],"visits":[{"day":"Monday"}],"by_day":{"a":{"day":"b"},"c":null}}"#;
    let patient = read(whole).unwrap();
    assert_eq!((patient.pair, patient.visits.len(), patient.by_day.len()), (Some((1, -2)), 1, 2));
    for (kind, expected) in [
        (r#""plain""#, Kind::Plain),
        (r#"{"named":"a"}"#, Kind::Named("a".to_owned())),
        (r#"{"both":[1.5,"x"]}"#, Kind::Both(1.5, 'x')),
        (r#"{"visited":{"day":"a","first":true}}"#, Kind::Visited { day: Day("a".to_owned()), first: true }),
    ] {
        assert_eq!(read(&format!(r#"{{"name":"a","kind":{kind}}}"#)).unwrap().kind, Some(expected), "{kind}");
    }
    let is = |pointer: &str, code| Err((pointer.to_owned(), code));
    assert_eq!(read(r#"{"name":"a","visits":[{"day":1}]}"#), is("/visits/0/day", "type"));
    assert_eq!(read(r#"{"name":"a","visits":[{}]}"#), is("/visits/0/day", "required"));
    assert_eq!(read(r#"{"name":"a","visits":[{"day":"a","night":1}]}"#), is("/visits/0", "unknown_field"));
}

fn authorizer() -> Authorizer {
    let engine = Arc::new(ScriptedEngine::allowing());
    let recorder = Arc::new(MemoryRecorder::default());
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let jobs = JobPolicy::none().allow("nightly", READ, FieldSet::nothing());
    let entropy = SeededEntropy::new(1);
    Authorizer::new("clinic", engine, jobs, recorder, clock, &entropy).unwrap()
}

#[test]
fn a_job_that_acts_for_somebody_is_decided_durably_too() {
    let authorizer = authorizer();
    let mut job = PrincipalFacts::new("-", "nightly");
    job.realm = Realm::System;
    let mut ada = PrincipalFacts::new("north", "ada");
    ada.actor = Some(Principal::attested(Attestation::Process, job).unwrap());
    let ada = Principal::attested(Attestation::Assertion, ada).unwrap();
    let record = Resource::record("north", "patient", "p-17");
    let asked = pin!(authorize_durably(&authorizer, &ada, READ, record));
    let Poll::Ready(answer) = asked.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing to wait for")
    };
    assert!(answer.is_ok(), "{answer:?}");
}

#[test]
fn a_page_that_cannot_be_is_our_failure_and_no_missing_page() {
    let authorizer = authorizer();
    let ada = Principal::attested(Attestation::Assertion, PrincipalFacts::new("north", "ada")).unwrap();
    let two_tenants = ["north", "south"].map(|tenant| Resource::record(tenant, "patient", "p-17"));
    let problem = granted_each(authorizer.decide_each(&ada, READ, two_tenants)).unwrap_err();
    assert_eq!(problem.code(), Code::Internal);
}
