//! `password`.

use serde_json::json;

use crate::support::{CANARY, Folder, finish};

#[test]
fn a_hash_verifies_its_password_and_no_other() {
    let folder = Folder::new();
    let hashed = folder.run("password hash", format!("{CANARY}\n")).done();
    assert!(!hashed.shows(CANARY));
    let phc = hashed.json()["hash"].as_str().unwrap().to_owned();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    folder.write("phc", format!("{phc}\n"));
    folder.write("printed", &hashed.stdout);
    folder.write("secret", CANARY);
    for source in ["--hash-file phc", "--hash-file printed", "--hash-file phc --secret-file secret"] {
        let verified = folder.run(&format!("password verify {source}"), CANARY).done();
        assert_eq!(verified.json(), json!({ "ok": true, "needs_rehash": false }), "{source}");
        assert!(!verified.shows(CANARY));
    }
    for wrong in ["", "canary-8f2d1", "canary-8f2d1c ", "\ncanary-8f2d1c", &"x".repeat(2_000)] {
        folder.run("password verify --hash-file phc", wrong).refused("mismatch");
    }
}

#[test]
fn secrets_come_from_the_environment_too() {
    let folder = Folder::new();
    let mut command = folder.command(["password", "hash", "--secret-env", "PASSWORD"]);
    command.env("PASSWORD", CANARY);
    let phc = finish(command, b"").done().json()["hash"].as_str().unwrap().to_owned();
    let mut command =
        folder.command(["password", "verify", "--hash-env", "HASH", "--secret-env", "PASSWORD"]);
    command.env("PASSWORD", CANARY).env("HASH", &phc);
    finish(command, b"").done();
    folder.run("password hash --secret-env NO_SUCH_VARIABLE", "").unusable("NO_SUCH_VARIABLE: is not set");
}

#[test]
fn what_cannot_be_hashed_or_compared_ends_with_2() {
    let folder = Folder::new();
    for (password, why) in [
        (Vec::new(), "empty"),
        (b"\n".to_vec(), "empty"),
        (b"\xff".to_vec(), "not UTF-8"),
        (vec![b'x'; 2_000], "long"),
        (vec![b'x'; 2_000_000], "1 MiB"),
    ] {
        folder.run("password hash", password).unusable(why);
    }
    folder.run("password hash --secret-file missing", "").unusable("missing");
    for hash in [
        "",
        CANARY,
        "$argon2id$",
        "{\"hash\":\"x\",\"hash\":\"y\"}",
        "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$2b$12$abcdefghijklmnopqrstuv",
    ] {
        folder.write("phc", hash);
        let ended = folder.run("password verify --hash-file phc", CANARY).unusable("the stored hash");
        assert!(!ended.shows(CANARY));
    }
    folder.write("phc", b"\xff");
    folder.run("password verify --hash-file phc", CANARY).unusable("not UTF-8");
}
