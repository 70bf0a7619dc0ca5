//! `policy check`.

use serde_json::json;

use crate::support::Folder;

const POLICY: &str = r#"version = 1

[permissions]
"patient:read" = {}

[roles.nurse]
allow = ["patient:read"]

[[tests]]
role = "nurse"
tenant = "north"
permission = "patient:read"
resource = { tenant = "north" }
expect = "allow"
because = "nurses care for patients"
"#;

#[test]
fn a_policy_is_counted_and_its_tests_are_run() {
    let folder = Folder::new();
    folder.write("p.toml", POLICY);
    let ended = folder.run("policy check p.toml", "").done();
    assert_eq!(ended.json(), json!({ "ok": true, "roles": 1, "permissions": 1, "tests": 1, "failed": [] }));
    assert_eq!(ended.stderr, "");
    let matrix = folder.run("policy check p.toml --matrix", "").done();
    assert!(matrix.stderr.contains("nurse") && matrix.stderr.contains("patient:read"), "{}", matrix.stderr);
    assert_eq!(matrix.stdout, ended.stdout);
}

#[test]
fn a_test_that_fails_is_named_by_its_line() {
    let folder = Folder::new();
    folder.write("p.toml", POLICY.replace("expect = \"allow\"", "expect = \"deny\""));
    let ended = folder.run("policy check p.toml", "").ended(1).json();
    assert_eq!((&ended["ok"], &ended["failed"][0]["line"]), (&json!(false), &json!(9)));
    let why = ended["failed"][0]["why"].as_str().unwrap();
    assert!(why.contains("nurses care for patients"), "{why}");
}

#[test]
fn an_invalid_policy_is_refused_with_its_line() {
    let folder = Folder::new();
    for (policy, line) in [
        (POLICY.replace("allow = [\"patient:read\"]", "allow = [\"patient:write\"]"), json!(7)),
        (POLICY.replace("[permissions]", "[permissions"), json!(3)),
        (POLICY.replace("[[tests]]", "[permissions]"), json!(9)),
        (POLICY.replace("version = 1", "version = 2"), json!(1)),
    ] {
        folder.write("p.toml", policy);
        let ended = folder.run("policy check p.toml", "").ended(1).json();
        assert_eq!((&ended["ok"], &ended["line"]), (&json!(false), &line), "{ended}");
        assert!(!ended["error"].as_str().unwrap().contains('\n'), "{ended}");
    }
    folder.write("p.toml", b"version = 1\n# \xff\n");
    let ended = folder.run("policy check p.toml", "").ended(1).json();
    assert_eq!(ended, json!({ "ok": false, "error": "the policy is not UTF-8", "line": null }));
    folder.run("policy check missing", "").unusable("missing");
    folder.write("p.toml", vec![b'#'; 2_000_000]);
    folder.run("policy check p.toml", "").unusable("1 MiB");
}
