//! `audit`.

use std::{fs, path::Path, sync::Arc};

use bartizan::{
    audit::{Checkpoint, CheckpointKey, Log, LogConfig},
    audit_events::Event,
    core::{Clock, Origin, Outcome, Recorder, Subject, Target, os},
    crypto::{Provider, SignatureAlgorithm},
    tokens::SigningKey,
};
use bartizan_crypto_rustcrypto::RustCrypto;
use serde_json::{Value, json};

use crate::support::Folder;

/// Writes a log of 20 failed logins into `audit`, the public key of its checkpoints into `checkpoint.jwk`, and the last checkpoint
/// into `held`.
pub(crate) fn write_log(folder: &Folder) {
    let provider = Arc::new(RustCrypto::new());
    let private = provider.generate(SignatureAlgorithm::Ed25519, &os::OsEntropy).unwrap();
    let key = SigningKey::from_private(&*provider, Some("checkpoints"), &private).unwrap();
    folder.write("checkpoint.jwk", key.verifying().to_public_jwk().unwrap());
    folder.write("checkpoint.private.jwk", key.to_private_jwk().expose());
    let config = LogConfig::new(folder.path("audit"), "clinic.example/audit");
    let key = CheckpointKey::new(&*provider, &private).unwrap();
    let log = Log::open(config, provider, key, Arc::new(os::SystemClock), &os::OsEntropy).unwrap();
    for n in 0..20 {
        let subject = format!("user-{}", n % 4);
        let fact = Event::FAILED_LOGIN.fact(
            Outcome::Failure,
            os::SystemClock.wall(),
            Subject::Claimed { tenant: if n < 10 { "north" } else { "south" }, subject: &subject },
            Target::Named { kind: "route", name: "/login" },
            Origin::service("clinic"),
        );
        log.record(&fact).unwrap();
    }
    let held: Checkpoint = log.close().unwrap();
    folder.write("held", held.to_string());
}

fn segment(folder: &Folder) -> std::path::PathBuf {
    let files = fs::read_dir(folder.path("audit")).unwrap().map(|entry| entry.unwrap().path());
    files.max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Where the text of the last entry of a user stands.
fn place_of(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).rposition(|window| window == text.as_bytes()).unwrap()
}

#[test]
fn a_log_is_consistent_to_its_checkpoint() {
    let folder = Folder::new();
    write_log(&folder);
    for key in ["checkpoint.jwk", "checkpoint.private.jwk"] {
        let ended = folder.run(&format!("audit verify audit --key {key}"), "").done();
        let report = ended.json();
        assert_eq!((&report["ok"], &report["verdict"]), (&json!(true), &json!("consistent_to_checkpoint")));
        assert_eq!((&report["anchor"], ended.stderr.as_str()), (&json!("own"), ""));
    }
    let report = folder.run("audit verify audit --key checkpoint.jwk --checkpoint held", "").done().json();
    assert_eq!(report["anchor"], "held");
}

#[test]
fn without_a_key_completeness_is_unproven_and_that_is_said() {
    let folder = Folder::new();
    write_log(&folder);
    let ended = folder.run("audit verify audit", "").done();
    assert_eq!(ended.json()["verdict"], "consistent_unanchored");
    assert!(ended.stderr.contains("completeness is unproven"), "{}", ended.stderr);
}

#[test]
fn one_flipped_byte_is_named_with_or_without_a_key() {
    let folder = Folder::new();
    write_log(&folder);
    change(&segment(&folder), |bytes| {
        let at = place_of(bytes, "user-3");
        bytes[at] ^= 1;
    });
    for options in ["", "--key checkpoint.jwk", "--key checkpoint.jwk --checkpoint held"] {
        let report = folder.run(&format!("audit verify audit {options}"), "").ended(1).json();
        assert_eq!((&report["ok"], &report["verdict"]), (&json!(false), &json!("corrupt")), "{options}");
        assert!(report["index"].as_u64().unwrap() >= 19, "{report}");
    }
    // The entries before it are shown, and that there is damage.
    let shown = folder.run("audit show audit --event failed_login", "").ended(1);
    assert_eq!(shown.stdout.lines().count(), 19);
    assert!(shown.stderr.starts_with("bartizan: audit: "), "{}", shown.stderr);
}

#[test]
fn a_tail_that_was_cut_off_is_noticed() {
    let folder = Folder::new();
    write_log(&folder);
    change(&segment(&folder), |bytes| bytes.truncate(place_of(bytes, "user-2")));
    let report = folder.run("audit verify audit --key checkpoint.jwk", "").ended(1).json();
    assert_eq!((&report["ok"], &report["verdict"]), (&json!(false), &json!("truncated")));
}

#[test]
fn a_log_of_another_key_is_not_believed() {
    let folder = Folder::new();
    write_log(&folder);
    folder.key("EdDSA", "other");
    let report = folder.run("audit verify audit --key other", "").ended(1).json();
    assert_eq!((&report["ok"], &report["flaw"]), (&json!(false), &json!("checkpoint")));
    // Among several keys one is enough: checkpoints of an older key stay good.
    folder.run("audit verify audit --key other --key checkpoint.jwk", "").done();
    folder.run("audit verify audit --key other --checkpoint held", "").unusable("held: ");
}

#[test]
fn a_log_that_was_set_back_is_noticed_by_a_checkpoint_from_elsewhere() {
    let folder = Folder::new();
    write_log(&folder);
    let held = folder.read("held");
    fs::remove_dir_all(folder.path("audit")).unwrap();
    fs::create_dir(folder.path("audit")).unwrap();
    folder.write("held", held);
    let report = folder.run("audit verify audit --key checkpoint.jwk --checkpoint held", "").ended(1).json();
    assert_eq!((&report["verdict"], &report["from"]), (&json!("truncated"), &json!(0)));
}

#[test]
fn entries_are_shown_one_a_line_and_filtered() {
    let folder = Folder::new();
    write_log(&folder);
    let all = folder.run("audit show audit", "").done().lines();
    let indices: Vec<u64> = all.iter().map(|entry| entry["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, (0..all.len() as u64).collect::<Vec<_>>());
    let count = |filter: &str| folder.run(&format!("audit show audit {filter}"), "").done().lines().len();
    assert_eq!(count("--event failed_login"), 20);
    assert_eq!(count("--event failed_login --subject user-1"), 5);
    assert_eq!(count("--event failed_login --tenant south"), 10);
    assert_eq!(count("--event failed_login --limit 3"), 3);
    assert_eq!(count("--from 5"), all.len() - 5);
    assert_eq!(count("--limit 0"), 0);
    assert_eq!(count("--event no_such_event"), 0);
    let one: Vec<Value> = folder.run("audit show audit --from 7 --limit 1", "").done().lines();
    assert_eq!(one, [all[7].clone()]);
}

#[test]
fn what_is_no_log_ends_with_2() {
    let folder = Folder::new();
    write_log(&folder);
    fs::create_dir(folder.path("empty")).unwrap();
    folder.write("file", "x");
    for name in ["missing", "empty", "file"] {
        folder.run(&format!("audit verify {name}"), "").unusable(name);
        folder.run(&format!("audit show {name}"), "").unusable(name);
    }
    folder.key("ES256", "es");
    folder.run("audit verify audit --key es", "").unusable("Ed25519");
    folder.run("audit verify audit --key held", "").unusable("held: ");
    folder
        .run("audit verify audit --key checkpoint.jwk --checkpoint checkpoint.jwk", "")
        .unusable("checkpoint.jwk: ");
    folder.run("audit verify audit --checkpoint held", "").ended(2);
}
