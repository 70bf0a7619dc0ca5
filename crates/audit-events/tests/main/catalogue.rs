//! The table: unique, stable, and written down.

use std::collections::HashSet;

use bartizan_audit_events::{Event, Severity, catalogue, inventory};
use bartizan_core::{Delivery, Fact, Origin, Outcome, Resource, Subject, Target, UnixTime, code};

#[test]
fn numbers_ascend_and_names_stand_once() {
    let numbers: Vec<u16> = catalogue().map(|event| event.number()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert!(numbers.iter().all(|number| (1_000..10_000).contains(number)));

    let mut names = HashSet::new();
    for event in catalogue() {
        for name in std::iter::once(&event.name()).chain(event.other_names()) {
            assert!(names.insert(*name), "{name} stands twice");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
    }
}

#[test]
fn every_event_is_found_by_its_number_and_each_of_its_names() {
    for event in catalogue() {
        assert_eq!(Event::numbered(event.number()), Some(event));
        for name in std::iter::once(&event.name()).chain(event.other_names()) {
            assert_eq!(Event::named(name), Some(event), "{name}");
            assert_eq!(Event::named(&name.to_ascii_uppercase()), Some(event), "{name}");
        }
    }
    for unknown in
        ["", "_", "Failed_Login", "failed-login", "failed_login ", "FAILED_LOGIN_", "fAILED_LOGIN", "nothing"]
    {
        assert_eq!(Event::named(unknown), None, "{unknown}");
    }
    for unknown in [0, 999, 1000, 9_999, 10_000, u16::MAX] {
        assert_eq!(Event::numbered(unknown), None, "{unknown}");
    }
}

#[test]
fn the_codes_of_core_are_the_same_here() {
    for (event, code) in [
        (Event::PERMISSION_GRANTED, code::PERMISSION_GRANTED),
        (Event::PERMISSION_DENIED, code::PERMISSION_DENIED),
        (Event::PERMISSION_UNDECIDED, code::PERMISSION_UNDECIDED),
        (Event::PAGE_DECIDED, code::PAGE_DECIDED),
    ] {
        assert_eq!(event.code(), code);
    }
    assert_eq!(
        [3001, 3002, 3003, 3004].map(|number| Event::numbered(number).map(|event| event.name())),
        [
            Some("permission_granted"),
            Some("permission_denied"),
            Some("permission_undecided"),
            Some("page_decided"),
        ]
    );
}

/// Numbers and names that are written down elsewhere by now: changing one here breaks somebody's alert.
#[test]
fn published_numbers_keep_their_meaning() {
    for (number, name) in [
        (1001, "authn_login_success"),
        (1002, "failed_login"),
        (2001, "authn_token_created"),
        (2004, "token_refused"),
        (3005, "unauthorized_access"),
        (3006, "privilege_escalation"),
        (4005, "crypt_decrypt_fail"),
        (5006, "key_rotated"),
        (6001, "log_started"),
        (7001, "suspicious_activity"),
        (7002, "data_breach_attempt"),
    ] {
        assert_eq!(Event::numbered(number).map(|event| event.name()), Some(name));
    }
}

#[test]
fn asvs_16_1_1_the_inventory_is_generated_and_in_step() {
    let written = include_str!("../../EVENTS.md");
    assert_eq!(
        written,
        inventory(),
        "run `cargo run -p bartizan-audit-events --example inventory > crates/audit-events/EVENTS.md`"
    );
    assert_eq!(written.lines().filter(|line| line.starts_with("| ")).count(), catalogue().len() + 1);
}

#[test]
fn ocsf_numbers_are_those_of_the_standard() {
    // Class, and the highest activity that OCSF 1.9 gives it; 99 is “other” everywhere.
    let activities = [
        (1008, 10),
        (2004, 3),
        (2006, 4),
        (3001, 12),
        (3002, 7),
        (3004, 13),
        (3005, 4),
        (6002, 8),
        (6003, 4),
        (6005, 10),
        (6008, 2),
    ];
    for event in catalogue() {
        let (class, activity) = (event.ocsf().class(), event.ocsf().activity());
        let highest = activities.iter().find(|known| known.0 == class).map(|known| known.1);
        assert!(
            highest.is_some_and(|highest| (1..=highest).contains(&activity) || activity == 99),
            "{}",
            event.name()
        );
        assert_eq!(event.ocsf().type_uid(), class * 100 + u32::from(activity));
    }
    assert_eq!(Event::FAILED_LOGIN.ocsf().type_uid(), 300_201);
    assert_eq!(
        [Severity::Low, Severity::Medium, Severity::High, Severity::Critical].map(Severity::ocsf),
        [2, 3, 4, 5]
    );
}

#[test]
fn what_must_not_be_lost_is_durable_first() {
    for event in catalogue() {
        let is_critical = event.severity() == Severity::Critical;
        assert!(!is_critical || event.delivery() == Delivery::Critical, "{}", event.name());
        let may_be_dropped = event.delivery() == Delivery::Bulk;
        assert!(
            !may_be_dropped || event.outcome() == Outcome::Denied && event.severity() <= Severity::Medium
        );
    }
}

#[test]
fn a_fact_carries_the_events_code_and_delivery() {
    let at = UnixTime::from_secs(1_700_000_000);
    let target = Target::Resource(Resource::record("north", "patient", "p-17"));
    let fact: Fact<'_> = Event::CRYPT_DECRYPT_FAIL.fact(
        Outcome::Failure,
        at,
        Subject::Anonymous,
        target,
        Origin::service("clinic"),
    );
    assert_eq!((fact.code, fact.outcome, fact.at), (Event::CRYPT_DECRYPT_FAIL.code(), Outcome::Failure, at));
    assert_eq!(fact.delivery, Delivery::Critical);
    assert!(matches!(fact.subject, Subject::Anonymous));
    assert!(matches!(fact.target, Target::Resource(on) if on.id() == Some("p-17")));
    assert_eq!(fact.origin.service, "clinic");
}
