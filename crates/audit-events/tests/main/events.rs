//! Events that are received, and the one text that they are written as.

use std::{fs, path::Path, sync::Arc};

use bartizan_audit_events::{ErrorKind, Event, SecurityEvent, Severity, Value, catalogue};
use bartizan_core::{Fault, JsonLines, Outcome, Recorder, UnixTime};
use bartizan_testkit::MemoryRecorder;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// 2026-11-20T09:00:00Z
const NOW: UnixTime = UnixTime::from_secs(1_795_165_200);

fn good() -> Json {
    json!({
        "eventType": "failed_login", "userId": "user-123", "ipAddress": "203.0.113.7", "userAgent": "curl/8.5",
        "resource": "/login", "action": "login", "timestamp": "2026-11-20T09:00:00Z", "severity": "medium",
        "outcome": "failure", "metadata": {"attempts": 3},
    })
}

fn other_form() -> Json {
    json!({
        "type": "UNAUTHORIZED_ACCESS", "severity": "warning", "userId": "user-123", "ip": "203.0.113.7",
        "timestamp": "2026-11-20T09:00:00Z", "details": {"endpoint": "/api"},
    })
}

fn kind(event: &Json) -> Option<ErrorKind> {
    kind_of(event.to_string().as_bytes())
}

fn kind_of(text: &[u8]) -> Option<ErrorKind> {
    SecurityEvent::parse(text).err().map(|error| {
        assert_eq!(error.fault(), Fault::Peer);
        error.kind()
    })
}

fn with(name: &str, value: impl Into<Json>) -> Json {
    let mut event = good();
    event[name] = value.into();
    event
}

fn without(name: &str) -> Json {
    let mut event = good();
    event.as_object_mut().unwrap().remove(name);
    event
}

#[test]
fn what_services_write_is_read_and_written_canonically() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files = 0;
    for file in fs::read_dir(vectors.join("received")).unwrap() {
        let file = file.unwrap();
        let (received, name) = (fs::read(file.path()).unwrap(), file.file_name());
        let canonical = fs::read_to_string(vectors.join("canonical").join(&name)).unwrap();
        let event = if name.to_str().unwrap().ends_with("-call.json") {
            assert_eq!(kind_of(&received), Some(ErrorKind::Members), "a timestamp is missing in {name:?}");
            SecurityEvent::parse_received(&received, NOW).unwrap()
        } else {
            SecurityEvent::parse(&received).unwrap()
        };
        assert_eq!(event.to_json(), canonical, "{name:?}");
        let again = SecurityEvent::parse(canonical.as_bytes()).unwrap();
        assert_eq!((&again, again.to_json()), (&event, canonical), "{name:?}");
        files += 1;
    }
    assert_eq!(files, 10);
}

#[test]
fn every_event_of_the_catalogue_goes_round() {
    for event in catalogue() {
        let one = SecurityEvent::new(event, event.outcome(), NOW, None, [203, 0, 113, 7].into(), "r", "a");
        let again = SecurityEvent::parse(one.to_json().as_bytes()).unwrap();
        assert_eq!(again, one);
        assert_eq!(
            (again.event(), again.severity(), again.outcome()),
            (event, event.severity(), event.outcome())
        );
    }
}

#[test]
fn what_is_read_can_be_asked_for() {
    let event = SecurityEvent::parse(good().to_string().as_bytes()).unwrap();
    assert_eq!(event.event(), Event::FAILED_LOGIN);
    assert_eq!((event.outcome(), event.severity(), event.at()), (Outcome::Failure, Severity::Medium, NOW));
    assert_eq!((event.user(), event.user_agent()), (Some("user-123"), "curl/8.5"));
    assert_eq!((event.resource(), event.action()), ("/login", "login"));
    assert_eq!(event.address().to_string(), "203.0.113.7");
    assert_eq!(event.metadata().collect::<Vec<_>>(), [("attempts", &Value::Number(3))]);
}

#[test]
fn a_member_that_must_stand_there_must_stand_there() {
    for name in ["eventType", "ipAddress", "userAgent", "resource", "action", "timestamp", "severity"] {
        assert_eq!(kind(&without(name)), Some(ErrorKind::Members), "{name}");
        assert_eq!(kind(&with(name, Json::Null)), Some(ErrorKind::Members), "{name}");
        assert_eq!(kind(&with(name, 1)), Some(ErrorKind::Members), "{name}");
    }
    for name in ["userId", "outcome", "metadata"] {
        assert_eq!(kind(&without(name)), None, "{name}");
        assert_eq!(kind(&with(name, 1)), Some(ErrorKind::Members), "{name}");
    }
    for name in ["type", "ip", "timestamp", "severity"] {
        let mut event = other_form();
        event.as_object_mut().unwrap().remove(name);
        assert_eq!(kind(&event), Some(ErrorKind::Members), "{name}");
    }
}

#[test]
fn unknown_members_and_members_of_both_forms_are_refused() {
    assert_eq!(kind(&good()), None);
    assert_eq!(kind(&other_form()), None);
    for name in ["x", "EventType", "event_type", "details", "type", "ip"] {
        assert_eq!(kind(&with(name, "x")), Some(ErrorKind::Members), "{name}");
    }
    for name in ["eventType", "ipAddress", "userAgent", "resource", "action", "metadata"] {
        let mut event = other_form();
        event[name] = good()[name].clone();
        assert_eq!(kind(&event), Some(ErrorKind::Members), "{name}");
    }
}

#[test]
fn unknown_words_are_refused() {
    for (name, value, expected) in [
        ("eventType", "logged_in_maybe", ErrorKind::Event),
        ("eventType", "", ErrorKind::Event),
        ("eventType", "Failed_Login", ErrorKind::Event),
        ("severity", "info", ErrorKind::Severity),
        ("severity", "CRITICAL", ErrorKind::Severity),
        ("severity", "", ErrorKind::Severity),
        ("outcome", "ok", ErrorKind::Outcome),
        ("outcome", "Success", ErrorKind::Outcome),
    ] {
        assert_eq!(kind(&with(name, value)), Some(expected), "{name} {value}");
    }
    for (value, expected) in [
        ("low", Severity::Low),
        ("medium", Severity::Medium),
        ("warning", Severity::Medium),
        ("high", Severity::High),
        ("critical", Severity::Critical),
    ] {
        let event = SecurityEvent::parse(with("severity", value).to_string().as_bytes()).unwrap();
        assert_eq!(event.severity(), expected);
    }
}

#[test]
fn what_is_no_address_or_time_is_refused() {
    for address in [
        "",
        "localhost",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.07",
        "203.0.113.7:80",
        "203.0.113.7/24",
        " 203.0.113.7",
        "::1%eth0",
        "[::1]",
        "1::2::3",
    ] {
        assert_eq!(kind(&with("ipAddress", address)), Some(ErrorKind::Address), "{address}");
    }
    for time in [
        "",
        "now",
        "2026-11-20",
        "2026-11-20T09:00:00",
        "2026-02-30T09:00:00Z",
        "1795165200",
        "2026-11-20T09:00:00.Z",
    ] {
        assert_eq!(kind(&with("timestamp", time)), Some(ErrorKind::Time), "{time}");
    }
    let mut event = other_form();
    event["timestamp"] = "yesterday".into();
    let received = SecurityEvent::parse_received(event.to_string().as_bytes(), NOW).unwrap_err();
    assert_eq!(received.kind(), ErrorKind::Time, "a wrong time is not replaced by the receiver's");
}

#[test]
fn limits_hold_at_the_exact_number() {
    for (name, most) in [("userId", 255), ("userAgent", 512), ("resource", 1_024), ("action", 128)] {
        assert_eq!(kind(&with(name, "x".repeat(most))), None, "{name}");
        assert_eq!(kind(&with(name, "x".repeat(most + 1))), Some(ErrorKind::Text), "{name}");
        let empty = (name != "userAgent").then_some(ErrorKind::Text);
        assert_eq!(kind(&with(name, "")), empty, "{name}");
    }
    let many = |count: usize| Json::Object((0..count).map(|n| (format!("m{n}"), Json::from(n))).collect());
    assert_eq!(kind(&with("metadata", many(16))), None);
    assert_eq!(kind(&with("metadata", many(17))), Some(ErrorKind::Metadata));
    assert_eq!(kind(&with("metadata", many(100))), Some(ErrorKind::TooLarge));
    let padded = |length: usize| {
        let text = good().to_string();
        " ".repeat(length - text.len()) + &text
    };
    assert_eq!(kind_of(padded(64 * 1024).as_bytes()), None);
    assert_eq!(kind_of(padded(64 * 1024 + 1).as_bytes()), Some(ErrorKind::TooLarge));
}

#[test]
fn metadata_are_bounded_scalars() {
    let metadata = |value: Json| kind(&with("metadata", json!({ "m": value })));
    for value in [
        json!("x".repeat(256)),
        json!(""),
        json!(true),
        json!(0),
        json!(9_007_199_254_740_991_i64),
        json!(-9_007_199_254_740_991_i64),
    ] {
        assert_eq!(metadata(value), None);
    }
    for value in [
        json!("x".repeat(257)),
        json!(1.5),
        json!(3.0),
        json!(9_007_199_254_740_992_i64),
        json!(-9_007_199_254_740_992_i64),
        json!(u64::MAX),
        Json::Null,
        json!([]),
        json!({}),
    ] {
        assert_eq!(metadata(value.clone()), Some(ErrorKind::Metadata), "{value}");
    }
    assert_eq!(metadata(json!([[]])), Some(ErrorKind::TooLarge));
    for name in ["", "a b", "a\nb", "é", &"x".repeat(65)] {
        assert_eq!(kind(&with("metadata", json!({ name: 1 }))), Some(ErrorKind::Metadata), "{name}");
    }
    assert_eq!(kind(&with("metadata", json!({ "aZ0_-.": 1, "x".repeat(64): 1 }))), None);
}

#[test]
fn two_readings_of_one_text_are_refused() {
    let text = good().to_string();
    let twice = text.replacen('{', r#"{"severity":"low","#, 1);
    assert_eq!(kind_of(twice.as_bytes()), Some(ErrorKind::Duplicate));
    let hidden = text.replacen('{', r#"{"sev\u0065rity":"low","#, 1);
    assert_eq!(kind_of(hidden.as_bytes()), Some(ErrorKind::Duplicate));
    let inside = text.replace(r#""attempts":3"#, r#""attempts":3,"attempts":4"#);
    assert_eq!(kind_of(inside.as_bytes()), Some(ErrorKind::Duplicate));
    for bad in ["", "{", "[]", "null", "\u{feff}{}", "{}{}"] {
        assert!(matches!(kind_of(bad.as_bytes()), Some(ErrorKind::Malformed | ErrorKind::Members)), "{bad}");
    }
    assert_eq!(kind_of(b"{\"eventType\":\"\xff\"}"), Some(ErrorKind::Malformed));
    for end in 0..text.len() {
        assert!(kind_of(&text.as_bytes()[..end]).is_some(), "cut at {end}");
    }
}

#[test]
fn a_service_has_its_own_events_where_it_names_them() {
    const PRINTED: Event = Event::own(10_001, "record_printed", Severity::High, "A record was printed.");
    let text = with("eventType", "record_printed").to_string();
    assert_eq!(kind_of(text.as_bytes()), Some(ErrorKind::Event));
    let event = SecurityEvent::parse_among(text.as_bytes(), &[PRINTED]).unwrap();
    assert_eq!(event.event(), PRINTED);
    assert_eq!(
        SecurityEvent::parse_among(good().to_string().as_bytes(), &[PRINTED]).unwrap().event(),
        Event::FAILED_LOGIN
    );
}

#[test]
fn no_length_keeps_an_event_off_the_record() {
    let long = "é".repeat(100_000);
    let mut event = SecurityEvent::new(
        Event::FAILED_LOGIN,
        Outcome::Failure,
        NOW,
        Some(&long),
        [203, 0, 113, 7].into(),
        &long,
        &long,
    )
    .with_user_agent(&long)
    .with(&long, long.as_str())
    .with("", "")
    .with("big", i64::MAX);
    for more in 0..100 {
        event = event.with(&format!("m{more}"), more);
    }
    assert!(event.resource().ends_with('…') && event.resource().len() <= 1_024);
    assert_eq!(event.metadata().len(), 16);
    assert!(
        event.metadata().any(|(name, value)| name == "big" && *value == Value::Text(i64::MAX.to_string()))
    );
    assert_eq!(SecurityEvent::parse(event.to_json().as_bytes()).unwrap(), event);

    let nothing = SecurityEvent::new(
        Event::FAILED_LOGIN,
        Outcome::Failure,
        UnixTime::MAX,
        Some(""),
        [203, 0, 113, 7].into(),
        "",
        "",
    );
    assert_eq!((nothing.user(), nothing.resource(), nothing.action()), (Some("-"), "-", "-"));
    assert_eq!(SecurityEvent::parse(nothing.to_json().as_bytes()).unwrap(), nothing);
}

#[test]
fn on_record_it_says_who_what_where_and_how_it_ended() {
    let (sender, lines) = std::sync::mpsc::channel();
    let recorder = JsonLines::to_writer(Channel(sender));
    SecurityEvent::parse(good().to_string().as_bytes()).unwrap().record("clinic", &recorder).unwrap();
    let line: Json = serde_json::from_slice(&lines.recv().unwrap()).unwrap();
    assert_eq!(
        line,
        json!({
            "code": 1002, "event": "failed_login", "outcome": "failure", "at": "2026-11-20T09:00:00Z",
            "claimed_subject": "user-123", "claimed_tenant": "-", "kind": "resource", "name": "/login",
            "service": "clinic", "address": "203.0.113.7", "user_agent": "curl/8.5", "delivery": "standard",
            "details": {"severity": "medium", "action": "login", "metadata": "{\"attempts\":3}"},
        })
    );

    let full = Arc::new(MemoryRecorder::default());
    full.refuse();
    let event = SecurityEvent::parse(other_form().to_string().as_bytes()).unwrap();
    assert!(event.record("clinic", &full as &dyn Recorder).is_err());
}

struct Channel(std::sync::mpsc::Sender<Vec<u8>>);

impl std::io::Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn nothing_of_a_peer_stands_in_debug_or_errors() {
    const CANARY: &str = "canary-52aa";
    let mut shown = String::new();
    for name in [
        "eventType",
        "userId",
        "ipAddress",
        "userAgent",
        "resource",
        "action",
        "timestamp",
        "severity",
        "outcome",
        CANARY,
    ] {
        match SecurityEvent::parse(with(name, CANARY).to_string().as_bytes()) {
            Ok(event) => shown += &format!("{event:?} {event:#?}"),
            Err(error) => shown += &format!("{error} {error:?} {error:#?}"),
        }
    }
    let event =
        SecurityEvent::parse(with("metadata", json!({ CANARY: CANARY })).to_string().as_bytes()).unwrap();
    shown += &format!("{event:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "\\PC{0,80}|[\\x00-\\x20\\x7f-\\x9f\u{2028}\u{202e}\"\\\\]{0,40}".prop_map(Value::Text),
        any::<i64>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Flag),
    ]
}

fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

proptest! {
    #[test]
    fn whatever_a_program_says_goes_round_on_one_line(
        at in any::<i64>(), text in prop::collection::vec("(?s).{0,60}", 4), address in any::<std::net::IpAddr>(),
        metadata in prop::collection::vec(("(?s).{0,10}", value()), 0..20), which in any::<prop::sample::Index>(),
    ) {
        let event = which.get(&catalogue().collect::<Vec<_>>()).to_owned();
        let mut one = SecurityEvent::new(
            event, Outcome::Unknown, UnixTime::from_nanos(at), Some(&text[0]), address, &text[1], &text[2],
        ).with_user_agent(&text[3]);
        for (name, value) in metadata {
            one = one.with(&name, value);
        }
        let json = one.to_json();
        prop_assert!(!json.chars().any(breaks_a_line));
        let again = SecurityEvent::parse(json.as_bytes()).unwrap();
        prop_assert_eq!(&again, &one);
        prop_assert_eq!(again.to_json(), json);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = SecurityEvent::parse(&bytes);
    }

    #[test]
    fn one_changed_byte_is_read_canonically_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = good().to_string().into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(event) = SecurityEvent::parse(&text) {
            prop_assert_eq!(SecurityEvent::parse(event.to_json().as_bytes()).unwrap(), event);
        }
    }
}
