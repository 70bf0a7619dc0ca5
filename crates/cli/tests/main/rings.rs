//! `key ring`: a document that is made, looked at and changed.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};

use crate::support::Folder;

fn create(folder: &Folder, options: &str) -> Value {
    folder.run(&format!("key ring create --alg EdDSA {options} --out ring.json"), "").done().json()
}

fn show(folder: &Folder) -> Value {
    folder.run("key ring show ring.json", "").done().json()
}

fn states(shown: &Value) -> Vec<(u64, String)> {
    let keys = shown["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| (key["version"].as_u64().unwrap(), key["state"].as_str().unwrap().to_owned()))
        .collect()
}

fn kid(shown: &Value, version: u64) -> String {
    let keys = shown["keys"].as_array().unwrap();
    keys.iter().find(|key| key["version"] == version).unwrap()["kid"].as_str().unwrap().to_owned()
}

fn owned(states: &[(u64, &str)]) -> Vec<(u64, String)> {
    states.iter().map(|(version, state)| (*version, (*state).to_owned())).collect()
}

/// As if everything had happened so many days earlier.
fn set_back(folder: &Folder, days: i64) {
    fn shift(value: &mut Value, nanos: i64) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value.as_i64()) {
                        ("since" | "active_from" | "until", Some(time)) => *value = (time - nanos).into(),
                        _ => shift(value, nanos),
                    }
                }
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| shift(element, nanos)),
            _ => {}
        }
    }
    let mut document = serde_json::from_str(&folder.read("ring.json")).unwrap();
    shift(&mut document, days * 86_400_000_000_000);
    folder.write("ring.json", document.to_string());
}

/// Nothing of a private key.
#[track_caller]
fn hides(folder: &Folder, shown: &str) {
    let document: Value = serde_json::from_str(&folder.read("ring.json")).unwrap();
    let secrets: Vec<&str> =
        document["keys"].as_array().unwrap().iter().filter_map(|key| key["jwk"]["d"].as_str()).collect();
    assert!(!secrets.is_empty());
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_new_ring_has_a_key_that_signs_and_one_that_waits() {
    let folder = Folder::new();
    let ended = folder.run("key ring create --alg EdDSA --cache-age 60 --out ring.json", "").done();
    let shown = ended.json();
    assert_eq!(states(&shown), owned(&[(1, "active"), (2, "pending")]));
    assert_eq!((&shown["revision"], &shown["keys"][0]["alg"]), (&json!(1), &json!("EdDSA")));
    assert_eq!(
        shown["policy"],
        json!({"period": 2_592_000, "longest_life": 3_600, "cache_age": 60, "skew": 30, "spread": 0, "next": "always",
            "lead": 90, "overlap": 3_630})
    );
    assert!(shown["keys"][1]["active_from"].as_str().unwrap() > shown["keys"][1]["since"].as_str().unwrap());
    hides(&folder, &format!("{}{}", ended.stdout, ended.stderr));
    let mode = fs::metadata(folder.path("ring.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(show(&folder), shown);
    folder.run("key ring create --alg EdDSA --out ring.json", "").unusable("never overwritten");

    let in_time =
        folder.run("key ring create --alg HS256 --next in-time --out secret.json", "").done().json();
    assert_eq!(states(&in_time), owned(&[(1, "active")]));
    folder.run("key ring jwks secret.json", "").unusable("");
}

#[test]
fn a_table_is_for_people() {
    let folder = Folder::new();
    let shown = create(&folder, "");
    let ended = folder.run("key ring show ring.json --table", "").done();
    assert_eq!(ended.json(), shown);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[2].starts_with(&format!("| 1 | {} | EdDSA | active | ", kid(&shown, 1))), "{}", lines[2]);
    assert!(lines[3].contains("| pending | ") && lines[3].contains("may be active from 2"), "{}", lines[3]);
    hides(&folder, &ended.stderr);
}

#[test]
fn a_plan_says_what_is_due_and_changes_nothing() {
    let folder = Folder::new();
    create(&folder, "");
    let before = folder.read("ring.json");
    let plan = folder.run("key ring plan ring.json --ahead 3", "").done().json();
    assert_eq!(plan["due"], json!([]));
    let then = plan["then"].as_array().unwrap();
    let steps: Vec<Vec<(&Value, &Value)>> = then
        .iter()
        .map(|then| {
            let steps = then["steps"].as_array().unwrap();
            steps.iter().map(|step| (&step["step"], &step["version"])).collect()
        })
        .collect();
    // After 30 days the next takes over and one more is published; then the first goes; and so on.
    let (publish, activate, drop) = (json!("publish"), json!("activate"), json!("drop"));
    let numbers: Vec<Value> = (0..5).map(Value::from).collect();
    assert_eq!(
        steps,
        [
            vec![(&activate, &numbers[2]), (&publish, &numbers[3])],
            vec![(&drop, &numbers[1])],
            vec![(&activate, &numbers[3]), (&publish, &numbers[4])],
        ]
    );
    assert_eq!(then[0]["steps"][0]["replaces"], json!(1));
    let times: Vec<&str> = then.iter().map(|then| then["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted() && then[0]["steps"][0]["until"].as_str() == Some(times[1]), "{plan}");
    assert_eq!(folder.read("ring.json"), before);
    assert_eq!(folder.run("key ring plan ring.json --ahead 0", "").done().json()["then"], json!([]));

    set_back(&folder, 31);
    let due = folder.run("key ring plan ring.json", "").done().json();
    assert_eq!((&due["due"][0]["step"], &due["due"][1]["step"]), (&activate, &publish));
    assert_eq!(due["then"][0]["steps"], json!([{"step": "drop", "version": 1}]));
}

#[test]
fn a_step_does_what_is_due_once() {
    let folder = Folder::new();
    create(&folder, "");
    let before = folder.read("ring.json");
    let ended = folder.run("key ring step ring.json", "").done();
    assert_eq!((&ended.json()["steps"], &ended.json()["revision"]), (&json!([]), &json!(1)));
    assert_eq!(folder.read("ring.json"), before, "nothing was due");
    set_back(&folder, 31);
    let stepped = folder.run("key ring step ring.json", "").done();
    let steps = stepped.json()["steps"].clone();
    assert_eq!(
        (&steps[0]["step"], &steps[0]["version"], &steps[0]["replaces"]),
        (&json!("activate"), &json!(2), &json!(1))
    );
    assert_eq!((&steps[1]["step"], &steps[1]["version"]), (&json!("publish"), &json!(3)));
    let shown = show(&folder);
    assert_eq!(states(&shown), owned(&[(1, "retiring"), (2, "active"), (3, "pending")]));
    assert_eq!((&shown["revision"], &stepped.json()["active"]), (&json!(2), &json!(kid(&shown, 2))));
    assert!(shown["keys"][0]["until"].is_string());
    hides(&folder, &stepped.stdout);
    assert!(!Path::new(&folder.path("ring.json.new")).exists());
    assert_eq!(folder.run("key ring step ring.json", "").done().json()["steps"], json!([]));
}

#[test]
fn a_retiring_key_stays_as_long_as_somebody_needs_it() {
    let folder = Folder::new();
    create(&folder, "--period 31536000 --cache-age 0 --skew 0");
    folder.run("key ring rotate ring.json", "").done();
    set_back(&folder, 1);
    let kept = folder.run("key ring step ring.json --keep 1", "").done().json();
    assert_eq!((&kept["steps"][0]["step"], &kept["steps"][0]["version"]), (&json!("hold"), &json!(1)));
    set_back(&folder, 1);
    let dropped = folder.run("key ring step ring.json", "").done().json();
    assert_eq!(dropped["steps"][0], json!({"step": "drop", "version": 1}));
    assert_eq!(states(&show(&folder)), owned(&[(2, "active"), (3, "pending")]));
}

#[test]
fn rotating_too_early_is_refused_with_the_time_at_which_it_is_not() {
    let folder = Folder::new();
    let shown = create(&folder, "");
    let before = folder.read("ring.json");
    let refused = folder.run("key ring rotate ring.json", "").ended(1).json();
    assert_eq!(
        refused,
        json!({"ok": false, "code": "key_life", "earliest": shown["keys"][1]["active_from"]})
    );
    assert_eq!(folder.read("ring.json"), before);

    let folder = Folder::new();
    let shown = create(&folder, "--cache-age 0 --skew 0");
    let rotated = folder.run("key ring rotate ring.json", "").done().json();
    assert_eq!((&rotated["ok"], &rotated["active"]), (&json!(true), &json!(kid(&shown, 2))));
    assert_eq!(states(&show(&folder)), owned(&[(1, "retiring"), (2, "active"), (3, "pending")]));
}

#[test]
fn a_revoked_key_is_gone_at_once() {
    let folder = Folder::new();
    let shown = create(&folder, "--cache-age 0 --skew 0");
    let leaked = kid(&shown, 1);
    let revoked = folder.run(&format!("key ring revoke ring.json --kid {leaked}"), "").done().json();
    assert_eq!(revoked["active"], json!(kid(&shown, 2)), "the one that everybody knows takes over");
    assert_eq!(states(&show(&folder)), owned(&[(1, "revoked"), (2, "active"), (3, "pending")]));
    let set = folder.run("key ring jwks ring.json", "").done();
    assert!(!set.stdout.contains(&leaked));
    assert_eq!(set.json()["keys"].as_array().unwrap().len(), 2);
    hides(&folder, &set.stdout);
    let again = folder.run("key ring revoke ring.json --kid nobody", "").ended(1).json();
    assert_eq!(again, json!({"ok": false, "code": "key_unknown"}));

    // Where nobody knows the next one yet, nothing signs, and that is said.
    let folder = Folder::new();
    let shown = create(&folder, "");
    let ended = folder.run(&format!("key ring revoke ring.json --kid {}", kid(&shown, 1)), "").done();
    assert_eq!(ended.json()["active"], Value::Null);
    assert!(ended.stderr.contains("no key signs until"), "{}", ended.stderr);
}

#[test]
fn a_key_of_ones_own_comes_first_or_next() {
    let folder = Folder::new();
    folder.key("ES256", "first.jwk");
    folder.key("ES256", "next.jwk");
    let shown =
        folder.run("key ring create --key first.jwk --next in-time --out ring.json", "").done().json();
    assert_eq!((kid(&shown, 1), &shown["keys"][0]["alg"]), ("first.jwk".to_owned(), &json!("ES256")));
    let published = folder.run("key ring publish ring.json --key next.jwk", "").done().json();
    assert_eq!(published["steps"][0]["step"], json!("publish"));
    assert_eq!(kid(&show(&folder), 2), "next.jwk");
    let refused = folder.run("key ring publish ring.json --key first.jwk", "").ended(1).json();
    assert_eq!(refused["code"], json!("key_life"), "one is pending already");
}

#[test]
fn two_changes_at_a_time_are_one_too_many() {
    let folder = Folder::new();
    create(&folder, "--cache-age 0 --skew 0");
    let before = folder.read("ring.json");
    folder.write("ring.json.new", "somebody else's");
    folder.run("key ring rotate ring.json", "").unusable("is being changed");
    assert_eq!(
        (folder.read("ring.json"), folder.read("ring.json.new")),
        (before, "somebody else's".to_owned())
    );
    fs::remove_file(folder.path("ring.json.new")).unwrap();
    // A link stays a link to the file that is replaced.
    std::os::unix::fs::symlink("ring.json", folder.path("link")).unwrap();
    folder.run("key ring rotate link", "").done();
    assert!(fs::symlink_metadata(folder.path("link")).unwrap().is_symlink());
    assert_eq!(show(&folder)["revision"], json!(2));
}

#[test]
fn what_is_no_ring_is_unusable_and_quoted_nowhere() {
    let folder = Folder::new();
    create(&folder, "");
    let good = folder.read("ring.json");
    for (bad, why) in [
        ("", "format"),
        ("{}", "format"),
        ("canary-8f2d1c", "format"),
        (&good[..good.len() / 2], "format"),
        (&good.replace("bartizan-key-ring", "canary-8f2d1c"), "format"),
        (&good.replacen("\"keys\"", "\"canary-8f2d1c\":1,\"keys\"", 1), "format"),
    ] {
        folder.write("bad.json", bad);
        for command in ["show", "plan", "step", "rotate", "jwks"] {
            let ended = folder.run(&format!("key ring {command} bad.json"), "").unusable("bad.json");
            assert!(!ended.shows("canary"), "{why}: {}", ended.stderr);
        }
    }
    folder.run("key ring show none.json", "").unusable("No such file");
    for spans in ["--longest-life 0", "--period 0 --cache-age 0 --skew 0", "--skew 40000000"] {
        let line = format!("key ring create --alg EdDSA {spans} --out other.json");
        folder.run(&line, "").unusable("these spans cannot be kept");
    }
    folder.run("key ring create --alg PS256 --out other.json", "").unusable("RSA keys are not made here");
    folder.run("key ring create --out other.json", "").ended(2);
    assert!(!folder.path("other.json").exists());
}
