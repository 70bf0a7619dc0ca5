//! 403, 404, 500 and 503 are told apart.

use std::sync::Arc;

use bartizan_core::{
    Attestation, Authorizer, Cause, Fault, FieldSet, JobPolicy, Permission, Principal, PrincipalFacts, Realm,
    Resource, RuleId, UnixTime, Verdict,
};
use bartizan_http::{Code, Problem, Rendering, Style, authorize, authorize_durably, granted_each};
use bartizan_testkit::{ManualClock, MemoryRecorder, ScriptedEngine, SeededEntropy};

use crate::now;

const READ: Permission = Permission::literal("patient:read");
const ERASE: Permission = Permission::literal("patient:erase").critical();
const OURS: Resource<'_> = Resource::record("north", "patient", "p-17");
const THEIRS: Resource<'_> = Resource::record("south", "patient", "p-17");

struct Bench {
    engine: Arc<ScriptedEngine>,
    recorder: Arc<MemoryRecorder>,
    authorizer: Authorizer,
    ada: Principal,
}

fn bench() -> Bench {
    let engine = Arc::new(ScriptedEngine::allowing());
    let recorder = Arc::new(MemoryRecorder::default());
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
    let jobs = JobPolicy::none().allow("nightly", READ, FieldSet::nothing());
    let authorizer =
        Authorizer::new("clinic", engine.clone(), jobs, recorder.clone(), clock, &SeededEntropy::new(1))
            .unwrap();
    let ada = Principal::attested(Attestation::Assertion, PrincipalFacts::new("north", "ada")).unwrap();
    Bench { engine, recorder, authorizer, ada }
}

impl Bench {
    fn code(&self, permission: Permission, on: Resource<'_>) -> Option<Code> {
        authorize(&self.authorizer, &self.ada, permission, on).err().map(|problem| problem.code())
    }

    fn code_durably(&self, who: &Principal, permission: Permission) -> Option<Code> {
        now(authorize_durably(&self.authorizer, who, permission, OURS)).err().map(|problem| problem.code())
    }
}

#[test]
fn an_allow_is_a_grant_and_a_deny_a_403() {
    let bench = bench();
    assert_eq!(bench.code(READ, OURS), None);
    bench.engine.answer(Verdict::Deny { rule: Some(RuleId(3)) });
    assert_eq!(bench.code(READ, OURS), Some(Code::Forbidden));
}

#[test]
fn another_tenants_record_answers_like_a_missing_one_byte_by_byte() {
    let bench = bench();
    let hidden = authorize(&bench.authorizer, &bench.ada, READ, THEIRS).unwrap_err();
    let missing = Problem::of(Code::NotFound);
    for style in [Style::Problem, Style::Envelope] {
        for rendering in [Rendering::new(style), Rendering::new(style).danger_show_required()] {
            let (hidden, missing) = (hidden.response(&rendering), missing.response(&rendering));
            assert_eq!(hidden.headers(), missing.headers());
            assert_eq!((hidden.status(), hidden.body()), (missing.status(), missing.body()));
        }
    }
}

#[test]
fn asvs_16_5_3_what_cannot_be_told_is_closed_and_no_403() {
    let bench = bench();
    for cause in [Cause::Unavailable, Cause::Stale] {
        bench.engine.answer(Verdict::Unknown(cause));
        assert_eq!(bench.code(READ, OURS), Some(Code::ServiceUnavailable), "{cause:?}");
    }
    bench.engine.answer(Verdict::Allow { rule: RuleId(1), clear: FieldSet::nothing(), until: UnixTime::MAX });
    bench.recorder.refuse();
    assert_eq!(bench.code(READ, OURS), Some(Code::ServiceUnavailable));
}

#[test]
fn a_name_that_no_record_can_have_is_not_found() {
    let bench = bench();
    let long = "x".repeat(256);
    for id in ["", "a\nb", &long] {
        assert_eq!(bench.code(READ, Resource::record("north", "patient", id)), Some(Code::NotFound));
    }
}

#[test]
fn a_critical_permission_is_granted_once_its_record_is_durable() {
    let bench = bench();
    assert_eq!(bench.code(ERASE, OURS), Some(Code::Internal));
    assert_eq!(bench.code_durably(&bench.ada, ERASE), None);
    bench.recorder.lose();
    assert_eq!(bench.code_durably(&bench.ada, ERASE), Some(Code::ServiceUnavailable));
    assert_eq!(bench.code_durably(&bench.ada, READ), None);
}

#[test]
fn a_job_is_always_decided_durably() {
    let bench = bench();
    let mut facts = PrincipalFacts::new("-", "nightly");
    facts.realm = Realm::System;
    let job = Principal::attested(Attestation::Process, facts).unwrap();
    assert_eq!(bench.code_durably(&job, READ), None);
    bench.recorder.lose();
    assert_eq!(bench.code_durably(&job, READ), Some(Code::ServiceUnavailable));
}

#[test]
fn a_page_leaves_denied_records_out_and_fails_as_a_whole() {
    let bench = bench();
    let page = || [Resource::record("north", "patient", "p-1"), Resource::record("north", "patient", "p-2")];
    let grants = granted_each(bench.authorizer.decide_each(&bench.ada, READ, page())).unwrap();
    assert!(grants.iter().all(Option::is_some) && grants.len() == 2);
    bench.engine.answer(Verdict::Deny { rule: None });
    let grants = granted_each(bench.authorizer.decide_each(&bench.ada, READ, page())).unwrap();
    assert!(grants.iter().all(Option::is_none) && grants.len() == 2);
    bench.engine.answer(Verdict::Unknown(Cause::Stale));
    let problem = granted_each(bench.authorizer.decide_each(&bench.ada, READ, page())).unwrap_err();
    assert_eq!(problem.code(), Code::ServiceUnavailable);
}

#[test]
fn every_fault_has_its_answer() {
    for (fault, status) in [
        (Fault::Peer, 400),
        (Fault::Caller, 500),
        (Fault::Backend, 503),
        (Fault::Busy, 503),
        (Fault::Integrity, 500),
        (Fault::Bug, 500),
    ] {
        assert_eq!(Problem::from(fault).status().as_u16(), status, "{fault:?}");
    }
}

#[test]
fn what_sessions_and_limits_answer_is_told_apart() {
    use bartizan_sessions::ErrorKind as Session;
    for (kind, code) in [
        (Session::Refused, Code::SessionEnded),
        (Session::TooMany, Code::Conflict),
        (Session::Unavailable, Code::ServiceUnavailable),
        (Session::Busy, Code::ServiceUnavailable),
        (Session::Integrity, Code::Internal),
        (Session::Limits, Code::Internal),
    ] {
        assert_eq!(Problem::from(bartizan_sessions::Error::new(kind)).code(), code, "{kind:?}");
    }
    let out = bartizan_rate_limit::Error::from(bartizan_rate_limit::ErrorKind::Unavailable);
    assert_eq!(Problem::from(out).code(), Code::ServiceUnavailable);
}

#[test]
fn a_credential_that_ended_meanwhile_is_a_401_and_no_403() {
    let bench = bench();
    let mut facts = PrincipalFacts::new("north", "ada");
    facts.expires = Some(UnixTime::from_secs(1_700_000_000));
    let ended = Principal::attested(Attestation::Token, facts).unwrap();
    assert_eq!(bench.code_durably(&ended, READ), Some(Code::TokenExpired));
}
