//! What operators and accidents do to a clinic: it stops in order, comes back after a kill, and says what is wrong with a
//! folder before it does anything.

use std::{
    fs::{self, Permissions},
    io::{ErrorKind, Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Output,
    sync::Arc,
    thread,
};

use bartizan::{
    audit::{Report, Verdict, VerifyOptions, verify},
    crypto::{PublicKey, SignatureAlgorithm},
    crypto_ring::Ring,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::site::{Site, bearer, clinic, files, output};

#[test]
fn data_and_tokens_outlive_a_stop_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let site = Site::start(&data);
    let (doctor, admin, password) =
        (site.token("north", "ada"), site.token("north", "rosa"), site.password("north", "ada"));
    let new = json!({ "owner": "kim", "name": "Kim Vang", "ssn": "900-12-3405", "creditCard": "4000 0000 0000 0044",
        "medicalRecord": "Nothing yet." });
    let path = site.with_json("POST /patients", &doctor, &new).header("location").unwrap().to_owned();
    for (name, content) in files(&data) {
        let mode = fs::metadata(&name).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", name.display());
        assert!(content.windows(8).all(|bytes| bytes != b"Kim Vang"), "{}", name.display());
    }

    // While it works, nobody else does.
    let said = |output: &Output| String::from_utf8(output.stderr.clone()).unwrap();
    let in_use = format!("clinic: another clinic works in {}; stop it first\n", data.display());
    for arguments in [&["--port", "0"][..], &["password", "north", "ada"]] {
        let refused = output(arguments, &data);
        assert_eq!((refused.status.code(), said(&refused)), (Some(1), in_use.clone()));
        assert!(refused.stdout.is_empty());
    }

    // It stops in order, with a connection open on which nothing happens.
    let mut idle = site.connect();
    site.signal("TERM");
    let (status, last) = site.ended();
    assert!(status.success());
    assert_eq!(last, "Stopped; the audit log is signed to its last entry.\n");
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    let report = report(&data);
    assert!(report.is_closed(), "{report}");
    assert!(!data.join("clinic.db-wal").exists(), "a copy of clinic.db would not be whole");

    // It starts again with the same keys, and shows no passwords.
    let site = Site::start(&data);
    assert!(site.greeting.contains("Accounts are as before."), "{}", site.greeting);
    let patient = site.get(&path, &doctor);
    assert_eq!((patient.status, patient.json()["name"].as_str()), (200, Some("Kim Vang")));
    assert_eq!(site.log_in("north", "ada", &password).status, 200);
    assert_eq!(site.send(&format!("DELETE {path}"), &[&bearer(&admin)], b"").status, 204);

    // Killed, it comes back: the erasure stays one, and is on record.
    site.signal("KILL");
    assert!(!site.ended().0.success());
    let site = Site::start(&data);
    site.get(&path, &doctor).must_be(404, "NOT_FOUND", "an erased patient");
    let audit = site.get("/audit?event=permission_granted&subject=rosa", &admin).body;
    assert!(audit.contains(path.trim_start_matches("/patients/")), "{audit}");
    assert_eq!(site.get("/audit/verify", &admin).json()["ok"], true);
    assert_eq!(site.complaints(), "");
    site.signal("INT");
    assert!(site.ended().0.success());
    assert!(self::report(&data).is_closed());

    // A new password takes the place of the old one.
    let changed = output(&["password", "north", "ada"], &data);
    assert_eq!((changed.status.code(), said(&changed).as_str()), (Some(0), ""));
    let new_password = String::from_utf8(changed.stdout).unwrap().trim_end().to_owned();
    let site = Site::start(&data);
    site.log_in("north", "ada", &password).must_be(401, "INVALID_CREDENTIALS", "the old password");
    assert_eq!(site.log_in("north", "ada", &new_password).status, 200);
    let audit = site.get("/audit?event=authn_password_change", &admin).json();
    assert_eq!(audit["entries"], json!([]), "an operator's doing is of no tenant");
}

/// The log's verdict, by the public key that lies beside it.
fn report(data: &Path) -> Report {
    let jwk: Value = serde_json::from_slice(&fs::read(data.join("checkpoint.jwk")).unwrap()).unwrap();
    assert_eq!(
        (jwk["kty"].as_str(), jwk["crv"].as_str(), jwk.get("d")),
        (Some("OKP"), Some("Ed25519"), None)
    );
    let x = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap());
    let key = PublicKey::new(SignatureAlgorithm::Ed25519, &x.unwrap()).unwrap();
    let report =
        verify(&data.join("audit"), &VerifyOptions::new(Arc::new(Ring::new())).trusting(key)).unwrap();
    assert!(matches!(report.verdict(), Verdict::ConsistentToCheckpoint { .. }), "{report}");
    report
}

#[test]
fn slow_clients_are_told_or_let_go_and_hold_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(&folder.path().join("data"));
    thread::scope(|scope| {
        let stalled = |bytes: &'static [u8]| {
            let site = &site;
            scope.spawn(move || {
                let mut stream = site.connect();
                stream.write_all(bytes).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            })
        };
        let nothing = stalled(b"");
        let half_a_head = stalled(b"GET /me HTTP/1.1\r\nX: y");
        let half_a_body = stalled(
            b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        );
        // More connections at once than are served at once: those that rest make room.
        let resting: Vec<_> = (0..300).map(|_| site.connect()).collect();
        drop(resting);
        assert_eq!(site.send("GET /health", &[], b"").status, 200);
        assert_eq!(nothing.join().unwrap(), "");
        for answer in [half_a_head, half_a_body] {
            let answer = answer.join().unwrap();
            assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
            assert!(answer.ends_with(r#""code":"INVALID_REQUEST"}"#), "{answer}");
        }
    });
    // A request that does not come to its end does not keep the clinic from stopping.
    let mut open = site.connect();
    open.write_all(
        b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nContent-Type: application/json\r\n\r\n{",
    )
    .unwrap();
    assert_eq!(site.send("GET /health", &[], b"").status, 200);
    site.signal("TERM");
    assert!(site.ended().0.success());
}

#[test]
fn a_taken_port_is_named_and_no_password_is_lost_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = output(&["--port", &port.to_string()], &data);
    let expected = format!("clinic: port {port} is taken; choose another with --port, 0 takes a free one\n");
    assert_eq!((refused.status.code(), String::from_utf8(refused.stderr).unwrap()), (Some(1), expected));
    assert!(refused.stdout.is_empty() && !data.exists());

    // Nor to a command that has nothing to do with it.
    assert!(
        output(&["password", "north", "ada"], &data).stderr.starts_with(b"clinic: there is no clinic in ")
    );
    let routes = clinic().arg("routes").current_dir(folder.path()).output().unwrap();
    assert!(routes.status.success());
    let table = String::from_utf8(routes.stdout).unwrap();
    assert!(table.contains("DELETE") && table.contains("requires patient:delete on the record"), "{table}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_is_wrong_with_a_folder_is_said_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good");
    let site = Site::start(&good);
    let token = site.token("north", "ada");
    for _ in 0..10 {
        assert_eq!(site.get("/patients", &token).status, 200);
    }
    site.signal("TERM");
    assert!(site.ended().0.success());

    let copy = |name: &str| {
        let to = folder.path().join(name);
        for from in [&good, &good.join("audit")] {
            let to = to.join(from.strip_prefix(&good).unwrap());
            fs::create_dir(&to).unwrap();
            fs::set_permissions(&to, Permissions::from_mode(0o700)).unwrap();
            for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
                if entry.path().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        }
        to
    };
    // A copy that nothing happened to is a clinic.
    let site = Site::start(&copy("as it was"));
    assert_eq!(site.get("/patients", &token).status, 200);
    drop(site);

    let refuses = |data: &Path, expected: &str| {
        // The names are asserted, never the bytes: some are keys.
        let keys = || {
            let mut keys = if data.is_dir() { files(data) } else { Vec::new() };
            keys.retain(|(path, _)| matches!(path.extension(), Some(end) if end == "key" || end == "jwk"));
            keys
        };
        let before = keys();
        let refused = output(&["--port", "0"], data);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(refused.stdout.is_empty());
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("clinic: ") && said.contains(expected), "{expected}: {said}");
        assert!(before == keys(), "{expected}: a key was made, changed or thrown away");
    };

    let to = copy("open to others");
    fs::set_permissions(&to, Permissions::from_mode(0o750)).unwrap();
    refuses(&to, "others may read ");
    refuses(&to, "chmod go= ");
    let to = copy("key open to others");
    fs::set_permissions(to.join("master.key"), Permissions::from_mode(0o640)).unwrap();
    refuses(&to, "master.key");
    let to = folder.path().join("a file");
    fs::write(&to, "").unwrap();
    fs::set_permissions(&to, Permissions::from_mode(0o600)).unwrap();
    refuses(&to, "is no folder");
    refuses(&folder.path().join("absent/data"), "absent/data: No such file or directory");

    let to = copy("another master key");
    fs::write(to.join("master.key"), [7; 32]).unwrap();
    refuses(&to, "master.key: it is not the key that clinic.db was sealed with");
    let to = copy("short master key");
    fs::write(to.join("master.key"), [7; 31]).unwrap();
    refuses(&to, "master.key: it must hold exactly 32 bytes");
    for name in ["master.key", "checkpoint.key"] {
        let to = copy(&format!("no {name}"));
        fs::remove_file(to.join(name)).unwrap();
        refuses(&to, &format!("{name}: it is gone, and nothing can take its place"));
    }
    let to = copy("another checkpoint key");
    fs::write(to.join("checkpoint.key"), [7; 32]).unwrap();
    refuses(&to, "a stored checkpoint is not signed by a trusted key");
    let to = copy("no signing key");
    fs::write(to.join("signing.jwk"), "{}").unwrap();
    refuses(&to, "signing.jwk: it holds no signing key");
    let to = copy("no database");
    fs::write(to.join("clinic.db"), vec![7; 8192]).unwrap();
    refuses(&to, "clinic.db: the database cannot be opened");

    let to = copy("no log");
    fs::remove_dir_all(to.join("audit")).unwrap();
    refuses(&to, "audit log: it is gone");
    let to = copy("empty log");
    for (path, _) in files(&to.join("audit")) {
        fs::remove_file(path).unwrap();
    }
    refuses(&to, "audit log: there is no log");
    let to = copy("cut log");
    let segment = to.join("audit/0000000000.seg");
    let bytes = fs::read(&segment).unwrap();
    fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();
    refuses(&to, "audit log: committed entries are missing: entries ");
    let to = copy("changed log");
    let segment = to.join("audit/0000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    refuses(&to, "audit log: the log is corrupt: entry ");
}

#[test]
fn a_start_that_did_not_come_to_its_end_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    for attempt in 0..20 {
        let data = folder.path().join(attempt.to_string());
        let mut process = clinic().args(["--port", "0", "--data"]).arg(&data).spawn().unwrap();
        // Keys are there, and the accounts, which come last, most likely not yet.
        while let Err(error) = fs::metadata(data.join("master.key")) {
            assert_eq!(error.kind(), ErrorKind::NotFound);
            thread::yield_now();
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let site = Site::start(&data);
        if site.greeting.contains("New accounts.") {
            assert_eq!(site.log_in("south", "olga", &site.password("south", "olga")).status, 200);
            let mia = site.token("north", "mia");
            assert_eq!(site.get("/patients/p-100", &mia).json()["masked"], json!([]));
            return;
        }
    }
    panic!("the first start was never interrupted");
}
