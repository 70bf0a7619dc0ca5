//! Who may do what, changed while the clinic runs: by an administrator, and by a hand on the policy's file.

use std::{fs, path::Path, thread, time::Duration};

use bartizan::audit::{Query, Reader};
use rusqlite::Connection;
use serde_json::json;

use crate::site::{Site, bearer, output};

const POLICY: &str = include_str!("../policy.toml");

#[test]
fn a_role_that_was_given_outlives_a_stop_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let site = Site::start(&data);
    let (nurse, chief) = (site.token("north", "nils"), site.token("north", "vera"));
    let ssn = |site: &Site| site.get("/patients/p-101", &nurse).json()["ssn"].as_str().unwrap().to_owned();
    let gift = json!({ "user": "nils", "role": "doctor", "days": 1, "reason": "covers for Ada" });
    assert_eq!(ssn(&site), "***3402");
    assert_eq!(site.with_json("POST /roles", &chief, &gift).status, 204);
    assert_eq!(ssn(&site), "900-12-3402");
    site.signal("KILL");
    assert!(!site.ended().0.success());

    let site = Site::start(&data);
    assert_eq!(ssn(&site), "900-12-3402");
    let held = site.get("/roles", &chief).json();
    let given =
        held["roles"].as_array().unwrap().iter().find(|one| one["role"] == "doctor" && one["user"] == "nils");
    let given = given.unwrap();
    assert_eq!((&given["granted_by"], &given["reason"]), (&json!("vera"), &json!("covers for Ada")));
    let taken = site.send("DELETE /roles/nils/doctor", &[&bearer(&chief)], b"");
    assert_eq!(taken.status, 204);
    assert_eq!(ssn(&site), "***3402");
    site.send("DELETE /roles/nils/doctor", &[&bearer(&chief)], b"").must_be(404, "NOT_FOUND", "twice");
    site.signal("TERM");
    assert!(site.ended().0.success());

    // A folder of the time when each account had one role: it has it still, and only who is verified.
    let database = Connection::open(data.join("clinic.db")).unwrap();
    let of_before = "DROP TABLE assignments; DROP TABLE assignments_revision;
                     DELETE FROM bartizan_migrations WHERE tables = 'assignments';
                     UPDATE accounts SET verified = 0 WHERE user = 'vera'";
    database.execute_batch(of_before).unwrap();
    drop(database);
    let site = Site::start(&data);
    assert_eq!(ssn(&site), "***3402");
    site.get("/roles", &chief).must_be(403, "FORBIDDEN", "who holds nothing");
}

#[test]
fn a_policy_in_a_file_is_followed_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("policy.toml"));
    fs::write(&file, POLICY).unwrap();
    let site = Site::start_with(&data, &["--policy", file.to_str().unwrap()]);
    let doctor = site.token("north", "ada");
    let new = json!({ "owner": "kim", "name": "Kim Vang", "ssn": "900-12-3405", "creditCard": "4000 0000 0000 0044",
        "medicalRecord": "Nothing yet." });
    let create = || site.with_json("POST /patients", &doctor, &new);
    assert_eq!(create().status, 201);

    // A policy whose own tests fail, and one that does not know what the clinic asks for: the last good one goes on.
    let not_shown = POLICY.replace("shows = [\"ssn\"]", "hides = [\"ssn\"]");
    let other_words = POLICY.replace("patient:rescue", "patient:save");
    for (count, bad) in [not_shown, other_words].into_iter().enumerate() {
        assert_ne!(bad, POLICY);
        fs::write(&file, bad).unwrap();
        until(|| refusals(&data) > count);
        assert_eq!(create().status, 201);
    }
    fs::write(&file, POLICY.replace("\"patient:create\", \"patient:update\"]", "\"patient:update\"]"))
        .unwrap();
    until(|| create().status == 403);
    fs::write(&file, POLICY).unwrap();
    until(|| create().status == 201);
    assert_eq!(site.complaints(), "");
    site.signal("TERM");
    assert!(site.ended().0.success());

    // No clinic opens with a policy that it cannot keep.
    fs::write(&file, "version = 2").unwrap();
    let refused = output(&["--port", "0", "--policy", file.to_str().unwrap()], &data);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().starts_with("clinic: policy: "));
}

/// How many policies were refused, by the log.
fn refusals(data: &Path) -> usize {
    let reader = Reader::open(&data.join("audit")).unwrap();
    reader.entries(Query::new().event("policy_refused")).unwrap().filter(Result::is_ok).count()
}

/// Asks until it is so.
fn until(is_so: impl Fn() -> bool) {
    for _ in 0..100 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("not within ten seconds");
}
