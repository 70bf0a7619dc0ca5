//! The recorder that comes with the crate: who may read its file, and what is in it after a crash.

use std::{fs, sync::Arc};

use bartizan_core::{Authorizer, ErrorKind, JobPolicy, JsonLines, Recorder};
use bartizan_testkit::{ManualClock, ScriptedEngine, SeededEntropy};
use tempfile::TempDir;

use crate::support::{ERASE, READ, RECORD, START, ada, granted, now};

fn over(recorder: Arc<dyn Recorder>) -> Authorizer {
    let clock = Arc::new(ManualClock::at(START));
    Authorizer::new(
        "clinic",
        ScriptedEngine::allowing(),
        JobPolicy::none(),
        recorder,
        clock,
        &SeededEntropy::new(1),
    )
    .unwrap()
}

#[cfg(unix)]
#[test]
fn the_file_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    JsonLines::append_to(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_durable_decision_is_in_the_file_when_its_grant_exists() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    let authorizer = over(Arc::new(JsonLines::append_to(&path).unwrap()));
    let grant = granted(now(authorizer.decide_durably(&ada(), ERASE, RECORD)));
    let text = fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
    for (member, expected) in [
        ("event", "permission_granted"),
        ("outcome", "success"),
        ("at", "2023-11-14T22:13:20Z"),
        ("subject", "ada"),
        ("attested", "assertion"),
        ("tenant", "north"),
        ("kind", "patient"),
        ("id", "p-17"),
        ("service", "clinic"),
        ("permission", "patient:erase"),
        ("delivery", "critical"),
        ("decision", &grant.decision().to_string()),
    ] {
        assert_eq!(line[member], expected, "{member}");
    }
    assert_eq!(line["code"], 3001);
}

#[test]
fn a_second_program_appends() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    for lines in 1..=3 {
        drop(granted(over(Arc::new(JsonLines::append_to(&path).unwrap())).decide(&ada(), READ, RECORD)));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), lines);
    }
}

#[test]
fn nothing_is_written_onto_a_torn_line() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    fs::write(&path, "{\"code\":3001}\n{\"code\":30").unwrap();
    drop(granted(over(Arc::new(JsonLines::append_to(&path).unwrap())).decide(&ada(), READ, RECORD)));
    let text = fs::read_to_string(&path).unwrap();
    let read: Vec<bool> =
        text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).collect();
    assert_eq!(read, [true, false, true], "{text}");
    assert!(text.ends_with('\n'));
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_of_the_backend() {
    let folder = TempDir::new().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("no/such/folder")] {
        let error = JsonLines::append_to(&path).unwrap_err();
        assert_eq!((error.kind(), error.is_transient()), (ErrorKind::File, true));
        assert!(!error.to_string().contains("such"), "{error}");
    }
}
