//! What a reviewer tried who had not written the code: all but the last of these were holes once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bartizan_core::{
    Ask, Authorizer, Cause, Decision, FieldSet, JobPolicy, Outcome, Permission, Pii, PiiClass, PolicyEngine,
    Principal, PrincipalFacts, Resource, Revision, RuleId, Sensitive, Sensitivity, Verdict,
    json::{self, JsonFault},
    mask_email, mask_last4,
};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use serde_json::Value;

use crate::support::{Bench, READ, RECORD, START, ada, allow, undecided};

/// All characters of Unicode's Bidi_Control property.
const BIDI_CONTROLS: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

#[test]
fn a_permission_of_another_kind_is_denied_before_the_engine_is_asked() {
    const INVOICES: Permission = Permission::literal("invoice:read");
    let bench = Bench::new();
    let decision = bench.authorizer.decide(&ada(), INVOICES, RECORD);
    assert!(matches!(decision, Decision::Deny(_)), "{decision:?}");
    for decision in bench.authorizer.decide_each(&ada(), INVOICES, [RECORD, RECORD]) {
        assert!(matches!(decision, Decision::Deny(_)), "{decision:?}");
    }
    assert_eq!(bench.engine.asked(), 0);
}

#[test]
fn a_collection_is_no_record_of_a_page() {
    for page in [
        vec![Resource::collection("north", "patient")],
        vec![RECORD, Resource::collection("north", "patient")],
    ] {
        let bench = Bench::new();
        for decision in bench.authorizer.decide_each(&ada(), READ, page) {
            assert_eq!(undecided(decision), Cause::Malformed);
        }
        assert_eq!(bench.engine.asked(), 0);
    }
}

#[test]
fn the_revision_of_a_page_is_the_engines_whatever_stands_last() {
    let bench = Bench::new();
    let page = [RECORD, Resource::record("north", "patient", "p\n")];
    assert_eq!(bench.authorizer.decide_each(&ada(), READ, page).len(), 2);
    let shown = &bench.recorder.facts()[0].shown;
    assert!(shown.contains("Revision(5)"), "{shown}");
}

/// Its policy is replaced before every answer.
#[derive(Debug, Default)]
struct Reloading(AtomicU64);

impl PolicyEngine for Reloading {
    fn decide(&self, _: &Ask<'_>) -> (Verdict, Revision) {
        (allow(), Revision(self.0.fetch_add(1, Ordering::SeqCst)))
    }
}

#[test]
fn a_page_is_never_decided_by_two_states_of_the_policy() {
    let recorder = Arc::new(MemoryRecorder::default());
    let authorizer = Authorizer::new(
        "clinic",
        Reloading::default(),
        JobPolicy::none(),
        recorder.clone(),
        Arc::new(ManualClock::at(START)),
        &SeededEntropy::new(1),
    )
    .unwrap();
    for decision in authorizer.decide_each(&ada(), READ, [RECORD, RECORD]) {
        assert_eq!(undecided(decision), Cause::Stale);
    }
    let fact = &recorder.facts()[0];
    assert_eq!((fact.outcome, fact.reason), (Outcome::Unknown, Some("stale")));
    assert!(fact.shown.contains("allowed: []"), "{}", fact.shown);
}

#[test]
fn a_text_within_a_text_is_not_read_as_json() {
    // What serde_json calls its own raw values: `Value` parses the text, which nothing has checked.
    let inner = r#"{\"role\":\"user\",\"role\":\"admin\"}"#;
    for name in [
        r"$serde_json::private::RawValue",
        r"\u0024serde_json::private::RawValue",
        r"$serde_json::private::Number",
    ] {
        for text in [format!(r#"{{"{name}":"{inner}"}}"#), format!(r#"{{"a":[{{"{name}":"{inner}"}}]}}"#)] {
            assert_eq!(
                json::read::<Value>(text.as_bytes(), &json::Limits::REQUEST),
                Err(JsonFault::Malformed),
                "{text}"
            );
        }
    }
}

#[test]
fn no_control_of_direction_gets_into_a_line_or_a_name() {
    for c in BIDI_CONTROLS {
        let hostile = format!("a{c}b");
        let mut line = Vec::new();
        json::write_one_line(&hostile, &mut line).unwrap();
        assert_eq!(String::from_utf8(line).unwrap(), format!("\"a\\u{:04x}b\"", u32::from(c)));
        let facts = PrincipalFacts::new("north", hostile);
        assert!(Principal::attested(bartizan_core::Attestation::Assertion, facts).is_err(), "{c:?}");
    }
}

enum Email {}

impl PiiClass for Email {
    const SENSITIVITY: Sensitivity = Sensitivity::Basic;

    fn mask(value: &str) -> String {
        mask_email(value)
    }
}

#[test]
fn what_a_mask_shows_ends_no_line() {
    for hostile in ['\n', '\r', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}', '\u{200f}'] {
        let number: Pii<String, Sensitive> = Pii::new(format!("078-05-11{hostile}2"));
        assert_eq!(format!("{number} {number:?}"), "*** ***");
        let address: Pii<String, Email> = Pii::new(format!("ada@example{hostile}.org"));
        assert_eq!(format!("{address} {address:?}"), "*** ***");
        let address: Pii<String, Email> = Pii::new(format!("{hostile}ada@example.org"));
        assert_eq!(format!("{address} {address:?}"), "*** ***");
    }
    assert_eq!(
        (mask_last4("078-05-1120"), mask_email("ada@example.org")),
        ("***1120".into(), "a***@example.org".into())
    );
}

#[test]
fn a_job_rule_opens_no_other_kind_by_the_same_action() {
    const READ_INVOICES: Permission = Permission::literal("invoice:read");
    let jobs = JobPolicy::none().allow("nightly", READ_INVOICES, FieldSet::everything());
    let (nightly, on) = (crate::support::job("nightly"), Resource::record("north", "patient", "p-1"));
    for permission in [READ, READ_INVOICES] {
        let (verdict, _) = jobs.decide(&Ask::new(&nightly, permission.name(), on, START));
        assert_eq!(verdict, Verdict::Deny { rule: None });
    }
    let on = Resource::record("north", "invoice", "i-1");
    let (verdict, _) = jobs.decide(&Ask::new(&nightly, READ_INVOICES.name(), on, START));
    assert!(matches!(verdict, Verdict::Allow { rule: RuleId(0), .. }));
}
