//! Tables around every boundary, refusals, and properties.

mod facts;
mod login;
mod network;
mod properties;
mod refusals;
mod wall;

use std::{cell::RefCell, net::IpAddr};

use bartizan_core::{Attestation, Attribute, Owner, PermissionName, Principal, PrincipalFacts, Resource};
use jiff::Timestamp;
use serde::Deserialize;

use super::*;

/// What the parser or the compiler says against a condition.
#[derive(Debug)]
struct Complaint {
    words: String,
    span: Option<Range<usize>>,
}

/// Zones are laid out once for a whole test, as they are for a whole policy.
fn compile(entry: ConditionEntry) -> Result<Condition, Problem> {
    thread_local!(static ZONES: RefCell<Zones> = RefCell::new(Zones::new()));
    ZONES.with_borrow_mut(|zones| Condition::compile("c", entry, zones))
}

/// The keys of one condition, one or more lines of TOML.
fn read(text: &str) -> Result<Condition, Complaint> {
    let entry: ConditionEntry = toml::from_str(text)
        .map_err(|error| Complaint { words: error.message().to_owned(), span: error.span() })?;
    compile(entry).map_err(|problem| Complaint { words: problem.detail, span: problem.span })
}

fn condition(text: &str) -> Condition {
    read(text).unwrap_or_else(|complaint| panic!("{text}: {complaint:?}"))
}

/// As a policy in JSON is read.
fn read_json(text: &str) -> Result<Condition, String> {
    let text = crate::json::to_toml(text).map_err(|error| error.to_string())?;
    read(&text).map_err(|complaint| complaint.words)
}

/// A canonical text is the inside of an inline table.
fn read_canonical(text: &str) -> Result<Condition, String> {
    #[derive(Deserialize)]
    struct Holder {
        c: ConditionEntry,
    }
    let Holder { c } = toml::from_str(&format!("c = {{ {text} }}")).map_err(|error| error.to_string())?;
    compile(c).map_err(|problem| problem.detail)
}

fn at(text: &str) -> UnixTime {
    let nanos = text.parse::<Timestamp>().unwrap().as_nanosecond();
    UnixTime::from_nanos(i64::try_from(nanos).unwrap())
}

fn until(text: &str) -> Truth {
    Truth::True { until: at(text) }
}

fn facts() -> PrincipalFacts {
    PrincipalFacts::new("north", "ada")
}

fn somebody(facts: PrincipalFacts) -> Principal {
    Principal::attested(Attestation::Assertion, facts).unwrap()
}

fn record() -> Resource<'static> {
    Resource::record("north", "patient", "p-1")
}

const READ: &str = "patient:read";

fn judge(condition: &Condition, who: &Principal, on: Resource<'_>, now: UnixTime) -> Truth {
    let ask = Ask::new(who, PermissionName::parse(READ).unwrap(), on, now);
    condition.judge(&ask, Owners::Sealed)
}

/// For tests that look at the time alone.
fn judge_at(condition: &Condition, now: UnixTime) -> Truth {
    judge(condition, &somebody(facts()), record(), now)
}

fn from(address: &str) -> PrincipalFacts {
    let mut facts = facts();
    facts.address = Some(address.parse::<IpAddr>().unwrap());
    facts
}

#[test]
fn what_is_surely_false_wins_and_then_what_nobody_could_tell() {
    let (early, late) = (UnixTime::from_secs(1), UnixTime::from_secs(2));
    let (soon, later) = (Truth::True { until: early }, Truth::True { until: late });
    let order = [Truth::False, Truth::Unavailable, Truth::Absent, soon, later, Truth::ALWAYS];
    for (strength, one) in order.into_iter().enumerate() {
        for (other_strength, other) in order.into_iter().enumerate() {
            assert_eq!(one.and(other), order[strength.min(other_strength)], "{one:?} {other:?}");
        }
    }
}

#[test]
fn every_key_must_hold() {
    let condition = condition("acr = [\"2\"]\naddress = [\"10.0.0.0/8\"]\nowner = true");
    let on = record();
    let mine = on.owned_by(Owner::Sealed("ada"));
    let near = || from("10.1.2.3").with_acr("2");
    for (facts, on, expected) in [
        (near(), mine, Truth::ALWAYS),
        (near().with_acr("1"), mine, Truth::False),
        (near().with_acr(None), mine, Truth::Absent),
        (from("11.0.0.0").with_acr("2"), mine, Truth::False),
        (from("11.0.0.0").with_acr(None), on, Truth::False),
        (facts().with_acr("2"), mine, Truth::Absent),
        (near(), on, Truth::Absent),
        (near(), on.owned_by(Owner::Sealed("bob")), Truth::False),
        (near(), on.owned_by(Owner::Asserted("ada")), Truth::Absent),
    ] {
        assert_eq!(judge(&condition, &somebody(facts), on, UnixTime::EPOCH), expected);
    }
}

#[test]
fn only_a_believed_owner_is_one() {
    let condition = condition("owner = true");
    let ada = somebody(facts());
    for (owner, sealed_only, asserted_too) in [
        (Owner::Sealed("ada"), Truth::ALWAYS, Truth::ALWAYS),
        (Owner::Sealed("Ada"), Truth::False, Truth::False),
        (Owner::Sealed(""), Truth::Absent, Truth::Absent),
        (Owner::Asserted("ada"), Truth::Absent, Truth::ALWAYS),
        (Owner::Asserted("bob"), Truth::Absent, Truth::False),
        (Owner::Asserted(""), Truth::Absent, Truth::Absent),
    ] {
        let on = record().owned_by(owner);
        let ask = Ask::new(&ada, PermissionName::parse(READ).unwrap(), on, UnixTime::EPOCH);
        assert_eq!(condition.judge(&ask, Owners::Sealed), sealed_only, "{:?}", owner.subject());
        assert_eq!(condition.judge(&ask, Owners::Asserted), asserted_too, "{:?}", owner.subject());
    }
}

#[test]
fn each_test_is_told_apart_for_words() {
    let condition = condition("owner = true\nacr = [\"2\"]\nmfa_within = \"900s\"");
    let ada = somebody(facts().with_acr("1"));
    let ask = Ask::new(&ada, PermissionName::parse(READ).unwrap(), record(), UnixTime::EPOCH);
    let told: Vec<_> =
        condition.each(&ask, Owners::Sealed).map(|(test, truth)| (test.to_string(), truth)).collect();
    assert_eq!(
        told,
        [
            ("acr = [\"2\"]".to_owned(), Truth::False),
            ("mfa_within = \"15m\"".to_owned(), Truth::Absent),
            ("owner = true".to_owned(), Truth::Absent),
        ]
    );
    assert_eq!(condition.name(), "c");
    assert_eq!(condition.to_string(), "acr = [\"2\"], mfa_within = \"15m\", owner = true");
}

#[test]
fn a_judgement_allocates_nothing() {
    let condition = condition(EVERYTHING);
    let departments = ["oncology", "surgery"];
    let columns = [
        Attribute::new("department", bartizan_core::Value::Text("oncology")),
        Attribute::new("departments", bartizan_core::Value::Texts(&departments)),
        Attribute::new("level", bartizan_core::Value::Number(3)),
        Attribute::new("public", bartizan_core::Value::Flag(true)),
        Attribute::new("status", bartizan_core::Value::Text("open")),
    ];
    let now = at("2026-05-29T10:00:00+02:00");
    let mut facts =
        from("2001:db8::1").with_acr("urn:example:aal2").with_amr(["pwd", "mfa", "hwk"]).with_attributes([
            ("department", "oncology"),
            ("departments", "surgery"),
            ("departments", "oncology"),
        ]);
    facts.authenticated = Some(at("2026-05-29T09:50:00+02:00"));
    let ada = somebody(facts);
    let on = record().with_attributes(&columns).owned_by(Owner::Sealed("ada"));
    let mut truth = Truth::False;
    let counted = allocation_counter::measure(|| truth = judge(&condition, &ada, on, now));
    assert_eq!(truth, until("2026-05-29T10:05:00+02:00"));
    assert_eq!(counted.count_total, 0);
}

/// Every key there is.
const EVERYTHING: &str = r#"
    time = { from = "08:00", to = "18:00", zone = "Europe/Berlin" }
    weekdays = { days = ["mon", "tue", "wed", "thu", "fri"], zone = "Europe/Berlin" }
    address = ["10.0.0.0/8", "2001:db8::/32"]
    mfa_within = "15m"
    authenticated_within = "1h"
    acr = ["urn:example:aal2", "urn:example:aal3"]
    amr = ["hwk"]
    equals = { "resource.department" = "subject.department", "resource.public" = true, "resource.level" = 3 }
    in = { "resource.status" = ["open", "draft"], "resource.department" = "subject.departments", "subject.department" = "resource.departments", "resource.level" = [1, 2, 3] }
    owner = true
"#;

#[test]
fn the_canonical_text_is_sorted_and_reads_back() {
    let canonical = concat!(
        r#"acr = ["urn:example:aal2", "urn:example:aal3"], address = ["10.0.0.0/8", "2001:db8::/32"], amr = ["hwk"], "#,
        r#"authenticated_within = "1h", "#,
        r#"equals = { "resource.department" = "subject.department", "resource.level" = 3, "resource.public" = true }, "#,
        r#"in = { "resource.department" = "subject.departments", "resource.level" = [1, 2, 3], "#,
        r#""resource.status" = ["draft", "open"], "subject.department" = "resource.departments" }, mfa_within = "15m", "#,
        r#"owner = true, time = { from = "08:00", to = "18:00", zone = "Europe/Berlin" }, "#,
        r#"weekdays = { days = ["mon", "tue", "wed", "thu", "fri"], zone = "Europe/Berlin" }"#,
    );
    assert_eq!(condition(EVERYTHING).to_string(), canonical);
    assert_eq!(read_canonical(canonical).unwrap().to_string(), canonical);
    let value: toml::Value = toml::from_str(EVERYTHING).unwrap();
    let json = serde_json::to_string(&value).unwrap();
    assert_eq!(read_json(&json).unwrap().to_string(), canonical, "TOML and JSON say the same");
}
