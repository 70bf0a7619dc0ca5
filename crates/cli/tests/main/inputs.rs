//! Every command over malformed, oversized, duplicate-keyed, non-UTF-8 and truncated input: one clear problem, no panic, no
//! internals, and nothing of what was planted.

use std::os::unix::ffi::OsStringExt;

use crate::{
    audit::write_log,
    support::{CANARY, Ended, Folder},
};

/// Inputs of every bad kind, each with a canary in it.
fn corpus() -> Vec<(&'static str, Vec<u8>)> {
    let text = |text: &str| text.replace('§', CANARY).into_bytes();
    vec![
        ("empty", Vec::new()),
        ("bare text", text("§")),
        ("no JSON", text("{\"§\"")),
        ("JSON of another shape", text("[\"§\",{\"§\":\"§\"}]")),
        (
            "another object",
            text("{\"§\":\"§\",\"kty\":\"§\",\"k\":\"§\",\"d\":\"§\",\"crv\":\"§\",\"alg\":\"§\"}"),
        ),
        (
            "duplicate members",
            text("{\"kty\":\"oct\",\"kty\":\"oct\",\"k\":\"§\",\"token\":\"§\",\"token\":\"§\"}"),
        ),
        ("not UTF-8", [text("{\"kty\":\"§"), vec![0xff, 0xfe], text("\"}")].concat()),
        ("UTF-16", CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("byte order mark", text("\u{feff}{\"kty\":\"oct\",\"k\":\"§\"}")),
        ("NUL bytes", text("\0\0§\0")),
        ("control characters", text("\u{1b}[2J§\r\n\u{202e}§")),
        ("oversized line", text(&"§".repeat(10_000))),
        ("oversized", text(&"§".repeat(100_000))),
        ("oversized JSON", text(&format!("{{\"kty\":\"{}\"}}", "§".repeat(10_000)))),
        ("deep JSON", text(&format!("{}§{}", "[".repeat(50_000), "]".repeat(50_000)))),
        ("truncated PEM", text("-----BEGIN PRIVATE KEY-----\n§")),
        ("PEM of something", text("-----BEGIN PRIVATE KEY-----\n§\n-----END PRIVATE KEY-----\n")),
        ("TOML", text("version = 1\n[roles.§]\nallow = [\"§:§\"]\n§ = \"§")),
        ("a wrong secret in TOML", text("secret = \"§\"\n")),
        ("truncated cell", text("bz1_-wEBAA§")),
        ("three parts", text("§.§.§")),
        ("PHC", text("$argon2id$v=19$m=19456,t=2,p=1$§$§")),
    ]
}

/// One problem, said once.
#[track_caller]
fn assert_clear(ended: &Ended, what: &str) {
    assert!(matches!(ended.code, 1 | 2), "{what}: {ended:?}");
    for internal in ["panicked", "RUST_BACKTRACE", ".rs:", "unwrap", "Error {", "serde", "at line 1 column"] {
        assert!(!ended.shows(internal), "{what}: {ended:?}");
    }
    match ended.code {
        1 => assert!(ended.json()["ok"] == false, "{what}: {ended:?}"),
        _ => {
            assert_eq!(ended.stdout, "", "{what}");
            assert_eq!(ended.stderr.lines().count(), 1, "{what}: {ended:?}");
            assert!(ended.stderr.starts_with("bartizan: "), "{what}: {ended:?}");
        }
    }
}

/// What a file is read for, with the file as `bad`; and what stdin is read for. A command may show what it is asked to show
/// (`policy check` names what is wrong in a policy, `policy` is no secret), and nothing else.
const OF_FILES: [&str; 16] = [
    "key public bad",
    "jwks bad",
    "jwks good bad",
    "token sign --key bad --claims claims",
    "token sign --key good --claims bad",
    "token verify --issuer i --audience a --jwk bad",
    "token verify --issuer i --audience a --jwks bad",
    "jws verify --jwk bad --batch",
    "jws verify --jwks bad",
    "password verify --hash-file bad",
    "field seal --master bad --keys keys.db --tenant t --table t --row r --field f",
    "field seal --master master --keys bad --tenant t --table t --row r --field f",
    "field open --master bad --keys keys.db --tenant t --table t --row r --field f --policy policy --record record",
    "field open --master master --keys keys.db --tenant t --table t --row r --field f --policy bad --record record",
    "audit verify audit --key bad",
    "audit verify audit --key checkpoint.jwk --checkpoint bad",
];

const OF_STDIN: [&str; 5] = [
    "token sign --key good --claims -",
    "token verify --issuer i --audience a --jwk good",
    "jws verify --jwk good",
    "field open --master master --keys keys.db --tenant t --table t --row r --field f --policy policy --record record",
    "field inspect",
];

fn folder() -> (Folder, String) {
    let folder = Folder::new();
    write_log(&folder);
    folder.key("EdDSA", "good");
    folder.write("claims", "{}");
    folder.write("master", [7; 32]);
    folder.write("policy", "version = 1\n");
    let place = "--master master --keys keys.db --tenant t --table t --row r --field f";
    let cell = folder.run(&format!("field seal {place}"), "x").done().stdout;
    (folder, cell)
}

#[test]
fn bad_files_are_one_clear_problem_and_nothing_of_them_is_shown() {
    let (folder, cell) = folder();
    for (kind, content) in corpus() {
        folder.write("bad", &content);
        for command in OF_FILES {
            // An empty file is an empty database, and an object is claims.
            let is_good = kind == "empty" && command.contains("--keys bad")
                || kind == "another object" && command.contains("--claims bad");
            if is_good {
                continue;
            }
            let ended = folder.run(command, if command.starts_with("field open") { &cell } else { "x" });
            let what = format!("{command}: {kind}");
            assert_clear(&ended, &what);
            assert!(!ended.shows(CANARY), "{what}: {ended:?}");
        }
    }
}

#[test]
fn bad_stdin_is_one_clear_problem_and_nothing_of_it_is_shown() {
    let (folder, _) = folder();
    for (kind, content) in corpus() {
        for command in OF_STDIN {
            // An object is claims.
            if kind == "another object" && command.starts_with("token sign") {
                continue;
            }
            let ended = folder.run(command, &content);
            let what = format!("{command}: {kind}");
            assert_clear(&ended, &what);
            assert!(!ended.shows(CANARY), "{what}: {ended:?}");
        }
    }
}

#[test]
fn bad_policies_are_one_clear_problem() {
    let (folder, _) = folder();
    for (kind, content) in corpus() {
        if content.is_empty() {
            continue;
        }
        folder.write("bad", &content);
        assert_clear(&folder.run("policy check bad", ""), kind);
    }
}

#[test]
fn a_secret_that_is_passed_as_an_argument_is_not_repeated() {
    let folder = Folder::new();
    for line in [
        format!("password hash {CANARY}"),
        format!("password verify --hash-file x {CANARY}"),
        format!("password hash -- {CANARY}"),
        format!("password hash --secret={CANARY}"),
        format!("field inspect {CANARY}"),
        format!("token verify --issuer i --audience a --jwk k {CANARY}"),
    ] {
        let ended = folder.run(&line, "").ended(2);
        assert!(!ended.shows(CANARY) && !ended.stderr.is_empty(), "{line}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn usage_errors_end_with_2_and_help_with_0() {
    let folder = Folder::new();
    for line in [
        "",
        "nothing",
        "key",
        "key generate",
        "key generate --alg RS256 --out k",
        "token verify --issuer i --audience a",
        "token verify --issuer i --audience a --jwk a --jwks b",
        "token verify --jwk k",
        "jws verify --jwk k --jwk k",
        "password verify",
        "password hash --secret-file a --secret-env b",
        "audit show a --from -1",
        "policy check",
    ] {
        let ended = folder.run(line, "").ended(2);
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{line}: {ended:?}");
    }
    for line in ["--help", "help token verify", "field open --help", "--version"] {
        let ended = folder.run(line, "").done();
        assert!(ended.stderr.is_empty() && !ended.stdout.is_empty(), "{line}: {ended:?}");
    }
    let not_utf8 = std::ffi::OsString::from_vec(vec![b'k', 0xff]);
    folder.run_args(["key".into(), not_utf8.clone()], "").ended(2);
    folder.run_args(["key".into(), "public".into(), not_utf8], "").unusable("No such file");
}
