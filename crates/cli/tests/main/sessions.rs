//! `session` and `apikey`, over a store in which a service keeps its sessions.

use std::sync::Arc;

use bartizan::{
    core::{RawToken, os},
    crypto_ring::Ring,
    sessions::{By, Device, ErrorKind, Login, Policy, Sessions},
};
use bartizan_sessions_sqlite::SqliteSessionStore;
use bartizan_sqlite_writer::{Database, Place};
use serde_json::{Value, json};

use crate::support::{CANARY, Folder};

/// The service beside whose store the command is run.
async fn service(folder: &Folder) -> Sessions {
    let database = Arc::new(Database::open(Place::File(folder.path("s.db"))).unwrap());
    let store = Arc::new(SqliteSessionStore::open(database).await.unwrap());
    let (provider, entropy, clock) =
        (Arc::new(Ring::new()), Arc::new(os::OsEntropy), Arc::new(os::SystemClock));
    Sessions::new("https://id.example", store, provider, entropy, clock, Policy::guide()).unwrap()
}

const ADA: &str = "--store s.db --tenant north --subject ada";

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_together() {
    let folder = Folder::new();
    let sessions = service(&folder).await;
    let mut tokens = Vec::new();
    for device in ["Firefox", "Telephone", "Tablet"] {
        let login = Login::new("north", "ada").amr(["pwd"]).device(Device::named(device));
        tokens.push(sessions.begin(&login, &By::owner()).await.unwrap());
    }
    let listed = || folder.run(&format!("session list {ADA}"), "").done().json();
    let ids = || -> Vec<String> {
        let answer = listed();
        let sessions = answer["sessions"].as_array().unwrap();
        sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed()["sessions"][0]["amr"], json!(["pwd"]));
    assert_eq!(ids().len(), 3);
    for (_, token) in &tokens {
        assert!(!folder.run(&format!("session list {ADA}"), "").stdout.contains(token.expose()));
    }

    let first = tokens[0].0.id.to_string();
    let end = |which: &str| folder.run(&format!("session end {ADA} {which}"), "");
    assert_eq!(end(&format!("--id {first}")).done().json(), json!({ "ok": true, "ended": 1 }));
    assert_eq!(end(&format!("--id {first}")).ended(1).json(), json!({ "ok": false, "code": "unknown" }));
    assert!(!ids().contains(&first));
    // The service sees it at once: its refresh token is worth nothing.
    let refused = sessions.rotate(tokens[0].1.as_raw(), &By::owner()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);

    let second = tokens[1].0.id.to_string();
    assert_eq!(end(&format!("--others-than {second}")).done().json()["ended"], 1);
    assert_eq!(ids(), [second]);
    assert_eq!(end("--all").done().json()["ended"], 1);
    assert_eq!(ids(), [""; 0]);

    sessions.begin(&Login::new("south", "sven"), &By::owner()).await.unwrap();
    let everybody = folder.run("session end --store s.db --everybody", "").done();
    assert_eq!(everybody.json(), json!({ "ok": true, "ended": 1 }));
}

#[tokio::test]
async fn a_key_is_made_used_rotated_and_ended() {
    let folder = Folder::new();
    let keys = service(&folder).await.api_keys("clinic_live").unwrap();
    let make = format!("apikey make {ADA} --prefix clinic_live --name nightly --scope staff --days 30");
    let made = folder.run(&make, "").done().json();
    let key = made["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("clinic_live_"));
    let used = keys.check(RawToken::new(&key)).await.unwrap();
    assert!(used.allows("staff") && used.principal().subject() == "ada");

    let id = made["id"].as_str().unwrap();
    let rotate = format!("apikey rotate {ADA} --prefix clinic_live --id {id} --overlap 1");
    let next = folder.run(&rotate, "").done().json();
    assert_eq!((&next["name"], &next["scopes"]), (&json!("nightly"), &json!(["staff"])));
    let next_key = next["key"].as_str().unwrap();
    assert_ne!(next_key, key);
    // Both work for an hour.
    assert!(keys.check(RawToken::new(&key)).await.is_ok());
    assert!(keys.check(RawToken::new(next_key)).await.is_ok());

    let next_id = next["id"].as_str().unwrap();
    let end = format!("apikey end {ADA} --id {next_id}");
    assert_eq!(folder.run(&end, "").done().json(), json!({ "ok": true }));
    assert_eq!(folder.run(&end, "").ended(1).json(), json!({ "ok": false, "code": "unknown" }));
    let refused = keys.check(RawToken::new(next_key)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);

    let listed = folder.run(&format!("apikey list {ADA}"), "").done();
    let shown = |place: usize, name: &str| -> Value { listed.json()["keys"][place][name].clone() };
    assert_eq!(shown(0, "id"), id);
    assert_ne!(shown(1, "ended"), Value::Null);
    assert!(!listed.stdout.contains(&key) && !listed.stdout.contains(next_key));
}

#[test]
fn what_cannot_be_asked_is_said_and_makes_no_file() {
    let folder = Folder::new();
    let lines = [
        "session list --store absent.db --tenant north --subject ada",
        "apikey list --store absent.db --tenant north --subject ada",
        "session end --store absent.db --tenant north --subject ada --id no-id",
        "apikey end --store absent.db --tenant north --subject ada --id no-id",
        "session end --store absent.db --everybody --tenant north",
        "session end --store absent.db --tenant north --subject ada",
        "session list --store-env BARTIZAN_NO_SUCH_VARIABLE --tenant north --subject ada",
    ];
    for line in lines {
        let ended = folder.run(line, "").ended(2);
        assert!(ended.stdout.is_empty() && !ended.stderr.is_empty(), "{line}");
    }
    assert_eq!(folder.root().read_dir().unwrap().count(), 0);
}

#[test]
fn a_url_with_a_password_is_never_shown() {
    let folder = Folder::new();
    let urls = [
        format!("postgres://u:{CANARY}@127.0.0.1:1/db"),
        format!("redis://u:{CANARY}@127.0.0.1:1/0"),
        format!("mysql://u:{CANARY}@127.0.0.1:1/0"),
        format!("postgres://u:{CANARY}@[/db"),
        format!("redis://u:{CANARY}@:x"),
    ];
    for url in urls {
        let mut command =
            folder.command(["session", "list", "--store-env", "STORE", "--tenant", "t", "--subject", "s"]);
        command.env("STORE", &url);
        let output = command.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(!said.is_empty() && !said.contains(CANARY), "{said}");
    }
}
