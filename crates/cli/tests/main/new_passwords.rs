//! `password policy`, `password breached` and `password tune`.

use serde_json::{Value, json};

use crate::support::{CANARY, Ended, Folder};

const HASHES: &str =
    "21BD12DC183F740EE76F27B78EB39C8AD972A757:83129\r\n7c4a8d09ca3762af61e59520943dc26494f8941b:2\n";

/// A file of two breached passwords and one more.
fn with_filter() -> Folder {
    let folder = Folder::new();
    folder.write("hashes", HASHES);
    folder.write("list", "violet kettle under moss\n");
    let built =
        folder.run("password breached build --hashes hashes --passwords list --out filter", "").done().json();
    assert_eq!((&built["entries"], &built["skipped"]), (&json!(3), &json!(0)));
    assert_eq!(built["bytes"], folder.path("filter").metadata().unwrap().len());
    assert!(built["false_positive_rate"].as_f64().unwrap() <= 1.0 / 65_536.0);
    folder
}

fn codes(ended: &Ended) -> Vec<String> {
    let answer = ended.json();
    assert_eq!((&answer["ok"], &answer["code"]), (&json!(false), &json!("policy")));
    let violations = answer["violations"].as_array().unwrap();
    violations.iter().map(|violation| violation["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_password_is_assessed_and_everything_wrong_is_said_at_once() {
    let folder = with_filter();
    for (options, password, wrong) in [
        ("", "Password1!", &["too_short", "common"][..]),
        ("--rule nist", "violet kettle", &["too_short"]),
        ("--rule nist --at-least 25", "violet kettle under mossy", &[]),
        ("--rule nist --at-least 26", "violet kettle under mossy", &["too_short"]),
        ("--rule nist-second-factor", "tl9#qwKz", &[]),
        ("--rule nist-second-factor --strength very-strong", "tl9#qwKz", &["weak"]),
        ("--rule composition", "tl9#qwKz", &["no_special"]),
        (
            "--rule composition",
            "\u{5bc6}",
            &["too_short", "no_lowercase", "no_uppercase", "no_digit", "no_special"],
        ),
        ("--word turret --word wall", "turret-wall-turret", &["context_word"]),
        ("--email quill.kestrel@example.org", "kestrelquill2024!", &["context_word"]),
        ("--user-name kestrel", "kestrel-kestrel-1", &["context_word"]),
        ("--user-name other", "kestrel#moraine%tuff", &[]),
        ("--breached filter", "violet kettle under moss", &["breached"]),
        ("--breached filter", "violet kettle under rock", &[]),
    ] {
        let ended = folder.run(&format!("password policy {options}"), format!("{password}\n"));
        assert!(!ended.shows(password), "{ended:?}");
        if wrong.is_empty() {
            assert_eq!(ended.done().json(), json!({ "ok": true }), "{options} {password}");
        } else {
            assert_eq!(codes(&ended.ended(1)), wrong, "{options} {password}");
        }
    }
    let sentence = folder.run("password policy", "x".repeat(2_000)).ended(1).json();
    assert_eq!(sentence["violations"], json!([{ "code": "too_long", "message": "use at most 1024 bytes" }]));
}

#[test]
fn what_cannot_be_assessed_ends_with_2() {
    let folder = with_filter();
    folder.run("password policy --breached missing", CANARY).unusable("missing");
    folder.write("damaged", &std::fs::read(folder.path("filter")).unwrap()[..30]);
    folder.run("password policy --breached damaged", CANARY).unusable("malformed");
    folder.run("password policy --breached hashes", CANARY).unusable("malformed");
    folder.run("password policy", b"\xff").unusable("not UTF-8");
    for usage in ["--rule none", "--at-least 0", "--at-least 65", "--strength 4"] {
        let ended = folder.run(&format!("password policy {usage}"), CANARY).ended(2);
        assert_eq!(ended.stdout, "");
    }
    let ended = folder.run_args(["password", "policy", CANARY], "").ended(2);
    assert!(!ended.shows(CANARY));
}

#[test]
fn a_password_is_looked_for_in_a_file_of_breached_ones() {
    let folder = with_filter();
    for breached in ["P@ssw0rd", "123456", "violet kettle under moss"] {
        folder.run("password breached check --filter filter", breached).refused("breached");
    }
    for (source, password) in [("", "p@ssw0rd\n"), ("", ""), ("--secret-file list", "")] {
        let ended = folder.run(&format!("password breached check --filter filter {source}"), password);
        if source.is_empty() {
            assert_eq!(ended.done().json(), json!({ "ok": true }));
        } else {
            ended.refused("breached");
        }
    }
    folder.run("password breached check --filter filter", "x".repeat(2_000)).unusable("too long");
    folder.run("password breached check --filter missing", "").unusable("missing");
    folder.run("password breached check --filter hashes", CANARY).unusable("malformed");
}

#[test]
fn a_damaged_file_is_found_before_it_is_used() {
    let folder = with_filter();
    let whole = folder.run("password breached verify filter", "").done().json();
    assert_eq!((&whole["ok"], &whole["entries"]), (&json!(true), &json!(3)));
    let mut bytes = std::fs::read(folder.path("filter")).unwrap();
    bytes[14] ^= 1;
    folder.write("damaged", bytes);
    folder.run("password breached verify damaged", "").refused("damaged");
    folder.run("password breached verify hashes", "").refused("damaged");
    folder.run("password breached verify missing", "").unusable("missing");
}

#[test]
fn lists_are_read_from_stdin_and_what_is_rare_is_left_out() {
    let folder = Folder::new();
    let built = folder.run("password breached build --hashes - --least 3 --one-in 1000 --out filter", HASHES);
    let built: Value = built.done().json();
    assert_eq!((&built["entries"], &built["skipped"]), (&json!(1), &json!(1)));
    assert!(built["false_positive_rate"].as_f64().unwrap() <= 1.0 / 1_000.0);
    folder.run("password breached check --filter filter", "123456").done();
    folder.run("password breached check --filter filter", "P@ssw0rd").refused("breached");
}

#[test]
fn what_cannot_be_built_leaves_nothing_behind_and_overwrites_nothing() {
    let folder = Folder::new();
    folder.write("hashes", format!("{HASHES}{CANARY}\n"));
    let ended =
        folder.run("password breached build --hashes hashes --out filter", "").unusable("line 3 is no hash");
    assert!(!ended.shows(CANARY));
    folder.run("password breached build --hashes - --out filter", "").unusable("malformed");
    folder.run("password breached build --hashes missing --out filter", "").unusable("missing");
    folder.run("password breached build --out filter", "").ended(2);
    assert_eq!(std::fs::read_dir(folder.root()).unwrap().count(), 1, "only the list is there");
    folder.write("theirs", "theirs");
    folder.run("password breached build --hashes - --out theirs", HASHES).unusable("theirs");
    assert_eq!(folder.read("theirs"), "theirs");
}

#[test]
fn a_host_is_measured() {
    let folder = Folder::new();
    // The floor takes longer than a millisecond anywhere: it is answered, and refused.
    let tuned = folder.run("password tune --target 1 --memory 19 --concurrent 1", "").ended(1).json();
    assert_eq!(
        (&tuned["ok"], &tuned["memory_kib"], &tuned["passes"], &tuned["lanes"]),
        (&json!(false), &json!(19_456), &json!(2), &json!(1))
    );
    assert_eq!(tuned["memory_budget"], 19_456 * 1_024);
    assert!(tuned["trials"][0]["took_ms"].as_f64().unwrap() > 1.0, "{tuned}");
    folder.run("password tune --memory 37 --concurrent 2", "").unusable("2 hashes at once in 37 MiB");
    for usage in ["--target 0", "--memory 18", "--concurrent 0", "--target x"] {
        folder.run(&format!("password tune {usage}"), "").ended(2);
    }
}
