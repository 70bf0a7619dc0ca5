//! `policy`.

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

const WARD: &str = r#"version = 1

[permissions]
"patient:read" = { scopes = ["team", "all"] }
"patient:erase" = {}

[conditions.fresh]
mfa_within = "10m"

[conditions.closed]
equals = { "resource.open" = false }

[roles.nurse]
allow = ["patient:read:team"]
fields = { patient = ["name"] }

[roles.doctor]
inherits = ["nurse"]
allow = ["patient:read:all", { permission = "patient:erase", when = ["fresh", "closed"] }]

[[assignments]]
tenant = "north"
subject = "florence"
role = "nurse"

[[assignments]]
tenant = "north"
subject = "ada"
role = "doctor"
expires = "2027-01-01T00:00:00Z"

[[tests]]
role = "nurse"
permission = "patient:read"
expect = "deny"
because = "nurses read the records of their team"

[[tests]]
role = "doctor"
permission = "patient:read"
expect = "allow"
because = "doctors read all"
"#;

fn ward() -> Folder {
    let folder = Folder::new();
    folder.write("p.toml", WARD);
    folder
}

#[test]
fn a_question_is_explained() {
    let folder = ward();
    let ask = |line: &str| folder.run(&format!("policy explain p.toml {line}"), "");
    let florence = "patient:read --tenant north --subject florence --team ward-1";
    let allowed = ask(&format!("{florence} --record-team ward-1")).done().json();
    let why = "allowed: nurse → allow patient:read:team (line 14)";
    assert_eq!(allowed, json!({ "ok": true, "verdict": "allow", "why": why, "clear": "{\"name\"}" }));
    let denied = ask(&format!("{florence} --record-team ward-2")).ended(1).json();
    assert_eq!((&denied["ok"], &denied["verdict"]), (&json!(false), &json!("deny")));
    assert!(denied["why"].as_str().unwrap().contains("would be allowed to: doctor"), "{denied}");
    // Assignments end, conditions are asked, and a role may be named in place of what is assigned.
    let ada = "patient:erase --tenant north --subject ada --attribute open=false --now";
    assert_eq!(ask(&format!("{ada} 2026-12-01T00:00:00Z")).ended(1).json()["verdict"], "deny");
    let erased = ask(&format!("{ada} 2026-12-01T00:00:00Z --mfa")).done().json();
    assert_eq!(erased["until"], "2026-12-01T00:10:00Z");
    ask(&format!("{ada} 2026-12-01T00:00:00Z --mfa --attribute open=true")).ended(1);
    ask(&format!("{ada} 2027-01-01T00:00:00Z --mfa")).ended(1);
    ask("patient:erase --tenant north --role doctor --mfa --attribute open=false").done();
    for (line, why) in [
        ("patient:fly --tenant north --subject ada", "no permission \"patient:fly\""),
        ("patient:read --tenant north --role ghost", "no role \"ghost\""),
        ("patient:read --tenant north --subject ada --now tomorrow", "--now"),
        ("patient:read --tenant north --subject ada --attribute open", "NAME=VALUE"),
    ] {
        ask(line).unusable(why);
    }
    assert_eq!(ask("patient:read --tenant north").code, 2);
}

#[test]
fn the_questions_go_the_other_way_round_too() {
    let folder = ward();
    let at = "--tenant north --now 2026-12-01T00:00:00Z";
    let who = |line: &str| folder.run(&format!("policy who-can p.toml {line} {at}"), "").done().json();
    let (ada, florence) = ("ada", "florence");
    assert_eq!(who("patient:read"), json!({ "can": [{ "subject": ada, "access": "sure" }] }));
    assert_eq!(
        who("patient:read --record-team ward-1"),
        json!({ "can": [{ "subject": ada, "access": "sure" }, { "subject": florence, "access": "under_conditions" }] })
    );
    assert_eq!(
        who("patient:erase --attribute open=false"),
        json!({ "can": [{ "subject": ada, "access": "under_conditions" }] })
    );
    folder.run(&format!("policy who-can p.toml patient:fly {at}"), "").unusable("patient:fly");
    let what = |line: &str| folder.run(&format!("policy what-can p.toml {line} {at}"), "").done().json();
    assert_eq!(
        what("--subject ada"),
        json!({ "can": [
            { "permission": "patient:erase", "surely": null, "at_best": "all" },
            { "permission": "patient:read", "surely": "all", "at_best": "all" },
        ] })
    );
    assert_eq!(what("--subject nobody"), json!({ "can": [] }));
    assert_eq!(what("--role nurse")["can"][0]["at_best"], "team");
}

#[test]
fn a_matrix_is_printed_in_three_forms() {
    let folder = ward();
    let matrix = |format: &str| folder.run(&format!("policy matrix p.toml {format}"), "").done().stdout;
    assert!(matrix("").starts_with("| permission | doctor | nurse |\n|---|---|---|\n"));
    assert_eq!(
        matrix("--format csv"),
        "permission,doctor,nurse\r\npatient:erase,\"none, perhaps all\",\r\npatient:read,all,team\r\n"
    );
    let page = matrix("--format html");
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
}

#[test]
fn new_access_is_told_and_may_be_refused() {
    let folder = ward();
    folder.write("wide.toml", WARD.replace("patient:read:team", "patient:read:all"));
    let diff = |line: &str| folder.run(&format!("policy diff {line}"), "");
    // Nurses show the name where they read; so doctors, who are nurses too, show it of all now.
    let wider = [
        "doctor: show name by patient:read:all",
        "nurse: allow patient:read:all",
        "nurse: show name by patient:read:all",
    ];
    let told = diff("p.toml wide.toml").done().json();
    assert_eq!(told, json!({ "ok": true, "gained": wider, "lost": [] }));
    let refused = diff("p.toml wide.toml --fail-on-new-access").ended(1).json();
    assert_eq!((&refused["ok"], &refused["gained"]), (&json!(false), &told["gained"]));
    assert_eq!(diff("wide.toml p.toml --fail-on-new-access").done().json()["lost"], told["gained"]);
    assert_eq!(
        diff("p.toml p.toml --fail-on-new-access").done().json(),
        json!({ "ok": true, "gained": [], "lost": [] })
    );
    // What cannot be compared is no “nothing new”.
    folder.write("bad.toml", WARD.replace("version = 1", "version = 9"));
    diff("p.toml bad.toml --fail-on-new-access").unusable("bad.toml");
    diff("missing.toml p.toml --fail-on-new-access").unusable("missing.toml");
    let json = r#"{"version": 1, "permissions": {"patient:erase": {}}, "roles": {"r": {"allow": ["patient:erase"]}}}"#;
    folder.write("p.json", json);
    let told = diff("p.json p.toml").done().json();
    assert!(told["lost"].as_array().unwrap().contains(&json!("r: allow patient:erase:all")), "{told}");
}

#[test]
fn lints_are_told_and_may_be_refused() {
    let folder = ward();
    let lint = |line: &str| folder.run(&format!("policy lint p.toml {line}"), "");
    let before = "--now 2026-12-01T00:00:00Z";
    assert_eq!(lint(before).done().json(), json!({ "ok": true, "findings": [] }));
    lint(&format!("--deny all {before}")).done();
    let expired = lint("--now 2027-06-01T00:00:00Z").done().json();
    assert_eq!(
        (&expired["ok"], &expired["findings"][0]["lint"]),
        (&json!(true), &json!("expired-assignment"))
    );
    let at = "--now 2027-06-01T00:00:00Z";
    lint(&format!("--deny expired-assignment {at}")).ended(1);
    lint(&format!("--deny all {at}")).ended(1);
    lint(&format!("--deny dead-deny --deny shadowed {at}")).done();
    lint("--deny dead_deny").unusable("dead-deny");
    // Nobody is assigned in the file: they are elsewhere, and no role is called unused.
    folder.write("p.toml", POLICY);
    assert_eq!(lint("").done().json()["findings"], json!([]));
}

#[test]
fn tests_and_what_they_reach() {
    let folder = ward();
    let test = |line: &str| folder.run(&format!("policy test p.toml {line}"), "");
    let ended = test("").done();
    let expected = json!({ "ok": true, "tests": 2, "failed": [], "rules": 3, "reached": 1, "coverage": 33 });
    assert_eq!((ended.json(), &*ended.stderr), (expected, ""));
    let told = test("--coverage").done().stderr;
    assert!(told.contains("no test reaches doctor: allow patient:erase when closed, fresh"), "{told}");
    test("--min-coverage 33").done();
    assert_eq!(test("--min-coverage 34").ended(1).json()["ok"], json!(false));
    assert_eq!(test("--min-coverage 101").code, 2);
    folder.write("p.toml", WARD.replace("expect = \"deny\"", "expect = \"allow\""));
    assert_eq!(test("").ended(1).json()["failed"][0]["line"], json!(32));
    folder.write("p.json", r#"{"version": 1, "tests": [{}]}"#);
    folder.run("policy test p.json", "").ended(1);
    folder.run("policy check p.json", "").ended(1);
}
