//! What clients are told, and what clients of ours read.

use std::time::Duration;

use bartizan_rate_limit::{
    Ask, ErrorKind, HeaderFields, HeaderVersion, Key, OnOutage, Policy, Quota, Standing, read_limits,
    read_policies,
};
use proptest::prelude::*;

use super::{clock, memory};

use HeaderVersion::Draft11;

fn auth() -> Policy {
    Policy::new("auth", Quota::LOGIN, OnOutage::Closed).unwrap()
}

#[test]
fn a_refusal_says_which_policy_and_how_long() {
    let (clock, policy) = (clock(), auth());
    let limits = memory(100, &clock);
    let ask = Ask::new(&policy, Key::account("ada"));
    for left in [4, 3, 2, 1, 0] {
        let fields = HeaderFields::new(Draft11, &[Standing::of(&policy, limits.check(&ask).decision())]);
        assert_eq!(fields.policy(), "\"auth\";q=5;w=900");
        assert_eq!(fields.limit(), format!("\"auth\";r={left};t={}", (5 - left) * 180));
        assert_eq!(fields.retry_after(), None);
    }
    // Rounded up: who comes after 42 seconds must not be a fraction early.
    clock.advance(Duration::from_millis(138_500));
    let fields = HeaderFields::new(Draft11, &[Standing::of(&policy, limits.check(&ask).decision())]);
    assert_eq!(fields.limit(), "\"auth\";r=0;t=42");
    assert_eq!(fields.retry_after(), Some(42));
}

#[test]
fn several_policies_stand_side_by_side_and_each_once() {
    let (general, auth) = (Policy::general(OnOutage::Closed), auth());
    let limits = memory(100, &clock());
    let standing =
        |policy| Standing::of(policy, limits.check(&Ask::new(policy, Key::account("ada"))).decision());
    let fields = HeaderFields::new(Draft11, &[standing(&general), standing(&auth), standing(&general)]);
    assert_eq!(fields.policy(), "\"general\";q=100;w=900, \"auth\";q=5;w=900");
    assert_eq!(fields.limit(), "\"general\";r=99;t=9, \"auth\";r=4;t=180");
}

#[test]
fn whom_a_limit_counted_is_not_said() {
    let (policy, limits) = (auth(), memory(100, &clock()));
    let decision = limits.check(&Ask::new(&policy, Key::account("canary"))).decision();
    let fields = HeaderFields::new(Draft11, &[Standing::of(&policy, decision)]);
    let shown = format!("{fields:?}");
    assert!(!shown.contains("canary") && !shown.contains("pk"), "{shown}");
}

#[test]
fn fields_of_others_are_read() {
    let policies =
        read_policies(Draft11, "\"burst\";q=100;w=60, \"day\";q=1000;qu=\"content-bytes\";pk=:QUJD:;x")
            .unwrap();
    let read: Vec<_> =
        policies.iter().map(|policy| (policy.name.as_str(), policy.quota, policy.window)).collect();
    assert_eq!(read, [("burst", 100, Some(60)), ("day", 1000, None)]);
    let limits = read_limits(Draft11, "  \"a\\\"b\\\\\" ; r=50;t=30").map(|_| ());
    assert_eq!(limits.map_err(|error| error.kind()), Err(ErrorKind::Header), "no space before a semicolon");
    let limits = read_limits(Draft11, "  \"a\\\"b\\\\\"; r=50;t=30\t,\t\"c\";r=0").unwrap();
    let read: Vec<_> =
        limits.iter().map(|limit| (limit.name.as_str(), limit.remaining, limit.reset)).collect();
    assert_eq!(read, [("a\"b\\", 50, Some(30)), ("c", 0, None)]);
}

#[test]
fn what_is_not_in_the_form_is_refused() {
    let many = |count: usize| vec!["\"a\";r=1"; count].join(",");
    for value in [
        "",
        " ",
        "auth",
        "auth;r=1",
        "\"auth\"",
        "\"auth\";r",
        "\"auth\";r=",
        "\"auth\";r=-1",
        "\"auth\";r=1.5",
        "\"auth\";r=\"1\"",
        "\"auth\";r=1;r=2",
        "\"auth\";r=1;t=x",
        "\"auth\";r=1000000000000000",
        "\"auth\";R=1",
        "\"auth\";r=1,",
        "\"auth\";r=1;;t=1",
        "\"auth\" ;r=1",
        "\"auth;r=1",
        "\"au\u{e4}\";r=1",
        "\"\";r=1",
        "\"a\\c\";r=1",
        "\"auth\";r=1 \"b\"",
        "(\"auth\");r=1",
        "\"auth\";r=1;x=?2",
        "\"auth\";r=1;x=:%:",
        "\"auth\";r=1\r\nx: y",
        "\"auth\";r=1;x=@1",
        many(17).as_str(),
        &format!("\"{}\";r=1", "a".repeat(1_024)),
    ] {
        assert_eq!(
            read_limits(Draft11, value).map_err(|error| error.kind()),
            Err(ErrorKind::Header),
            "{value:?}"
        );
    }
    assert_eq!(read_limits(Draft11, &many(16)).unwrap().len(), 16);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read(limit in 1_u32..1_000, seconds in 1_u64..100_000, used in 0_u32..1_000) {
        let policy = Policy::new("p", Quota::per(limit, Duration::from_secs(seconds)).unwrap(), OnOutage::Closed).unwrap();
        let ask = Ask::new(&policy, Key::global()).costing(used.min(limit)).unwrap();
        let decision = memory(100, &clock()).check(&ask).decision();
        let fields = HeaderFields::new(Draft11, &[Standing::of(&policy, decision)]);
        let policies = read_policies(Draft11, fields.policy()).unwrap();
        prop_assert_eq!((policies[0].quota, policies[0].window), (u64::from(limit), Some(seconds)));
        let limits = read_limits(Draft11, fields.limit()).unwrap();
        prop_assert_eq!(limits[0].remaining, u64::from(limit - used.min(limit)));
        prop_assert!(limits[0].reset.unwrap() >= decision.reset().as_secs());
    }

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,60}|[\"a;=, rt0-9:?.\\\\-]{0,60}") {
        let _ = read_policies(Draft11, &text);
        let _ = read_limits(Draft11, &text);
    }
}
