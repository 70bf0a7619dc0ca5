//! Patients and the audit log over HTTP: who may write what, what happens when two write at once, what one tenant learns of
//! another.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    thread,
};

use bartizan::{core::os, passwords::Passwords};
use clinic::{Clinic, Folder, Wiring, bind, serve};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::site::{Answer, Site, bearer, exchange, request};

#[test]
fn asvs_8_2_3_nobody_writes_what_they_do_not_see_or_over_what_they_have_not_seen() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(&folder.path().join("data"));
    let tokens = ["ada", "nils", "rosa", "mia"].map(|user| site.token("north", user));
    let [doctor, nurse, admin, member] = tokens.each_ref().map(String::as_str);
    let write = |line: &str, token: &str, body: Value| {
        site.with_json(&format!("{line} /patients/p-100"), token, &body)
    };
    let seen = |token: &str| site.get("/patients/p-100", token).json();
    let forbidden = |answer: Answer, what: &str| {
        answer.must_be(403, "FORBIDDEN", what);
    };

    // What a doctor sees they replace; the card, which they do not, stays.
    let card = seen(admin)["creditCard"].clone();
    assert_eq!(card, "4000 0000 0000 0002");
    let whole = json!({ "name": "Mia Lund", "ssn": "900-12-3499", "medicalRecord": "None." });
    assert_eq!(write("PUT", doctor, whole.clone()).status, 204);
    assert_eq!((&seen(doctor)["ssn"], &seen(doctor)["version"]), (&json!("900-12-3499"), &json!(2)));
    assert_eq!(seen(admin)["creditCard"], card);
    let mut with_mask = whole.clone();
    with_mask["creditCard"] = seen(doctor)["creditCard"].clone();
    forbidden(write("PUT", doctor, with_mask), "a mask written back");
    forbidden(write("PATCH", doctor, json!({ "creditCard": "4000 0000 0000 0051" })), "a card by a doctor");
    forbidden(write("PATCH", admin, json!({ "ssn": "900-12-3498" })), "a number by an admin");
    forbidden(write("PATCH", admin, json!({ "name": "A", "medicalRecord": "B" })), "a record by an admin");
    forbidden(write("PATCH", nurse, json!({ "medicalRecord": "B" })), "a nurse");
    forbidden(write("PUT", member, whole.clone()), "a patient");
    forbidden(site.send("DELETE /patients/p-100", &[&bearer(doctor)], b""), "a doctor who erases");
    forbidden(
        site.with_json(
            "POST /patients",
            admin,
            &json!({ "owner": "a", "name": "a", "ssn": "a", "creditCard": "a", "medicalRecord": "a" }),
        ),
        "an admin who admits",
    );
    forbidden(site.get("/patients", member), "a patient who lists");
    assert_eq!(write("PATCH", admin, json!({ "creditCard": "4000 0000 0000 0051" })).status, 204);
    assert_eq!(seen(member)["creditCard"], "4000 0000 0000 0051");
    assert_eq!((&seen(member)["name"], &seen(member)["version"]), (&json!("Mia Lund"), &json!(3)));
    let refused = site.get("/audit?event=permission_denied&subject=ada", admin).body;
    assert!(refused.contains(r#""reason":"field_not_in_grant""#), "{refused}");

    // Of many who write against one state, one wins.
    write("PATCH", doctor, json!({ "version": 2, "name": "Stale" })).must_be(
        409,
        "CONFLICT",
        "an old version",
    );
    write("PATCH", doctor, json!({ "version": 4, "name": "Early" })).must_be(
        409,
        "CONFLICT",
        "a version to come",
    );
    let statuses: Vec<u16> = thread::scope(|scope| {
        let writers: Vec<_> = (0..12)
            .map(|n| {
                scope.spawn(move || {
                    write("PATCH", doctor, json!({ "version": 3, "name": format!("Mia {n}") })).status
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 11, "{statuses:?}");
    assert_eq!(seen(doctor)["version"], 4);

    // What is erased is as what never was.
    assert_eq!(site.send("DELETE /patients/p-100", &[&bearer(admin)], b"").status, 204);
    let never = site.get("/patients/p-000", doctor).comparable();
    assert_eq!(site.get("/patients/p-100", doctor).comparable(), never);
    for (line, token) in [("GET", admin), ("GET", member), ("DELETE", admin)] {
        site.send(&format!("{line} /patients/p-100"), &[&bearer(token)], b"").must_be(404, "NOT_FOUND", line);
    }
    write("PUT", doctor, whole).must_be(404, "NOT_FOUND", "a change to what is gone");
}

#[test]
fn pages_join_without_gap_or_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(&folder.path().join("data"));
    let (doctor, admin) = (site.token("north", "ada"), site.token("north", "rosa"));
    let new = json!({ "owner": "kim", "name": "Kim", "ssn": "1", "creditCard": "1", "medicalRecord": "1" });
    for _ in 0..200 {
        assert_eq!(site.with_json("POST /patients", &doctor, &new).status, 201);
    }
    let pages = |start: &str, member: &str, key: &str| -> Vec<Vec<Value>> {
        let (mut pages, mut query) = (Vec::new(), start.to_owned());
        loop {
            let page = site.get(&query, &admin).json();
            pages.push(page[member].as_array().unwrap().iter().map(|item| item[key].clone()).collect());
            let next = match &page["next"] {
                Value::Null => return pages,
                Value::String(next) => next.clone(),
                next => next.to_string(),
            };
            let parameter = if member == "patients" { "after" } else { "from" };
            let separator = if start.contains('?') { '&' } else { '?' };
            query = format!("{start}{separator}{parameter}={next}");
        }
    };
    let ids = pages("/patients", "patients", "id");
    assert_eq!(ids.iter().map(Vec::len).collect::<Vec<_>>(), [200, 3]);
    let ids = ids.concat();
    assert!(ids.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
    assert!(!ids.contains(&json!("p-200")));

    // The creations alone: the log grows by every look at it.
    let created = "/audit?event=permission_granted&subject=ada";
    let whole = pages(&format!("{created}&limit=500"), "entries", "index").concat();
    assert_eq!(whole.len(), 200);
    let in_pages = pages(&format!("{created}&limit=7"), "entries", "index");
    assert!(in_pages.iter().rev().skip(1).all(|page| page.len() == 7));
    assert_eq!(in_pages.concat(), whole);
    assert_eq!(site.get(created, &admin).json()["entries"].as_array().unwrap().len(), 100, "without a limit");
}

#[test]
fn one_tenant_learns_nothing_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(&folder.path().join("data"));
    let (ada, rosa) = (site.token("north", "ada"), site.token("north", "rosa"));
    let (sven, olga) = (site.token("south", "sven"), site.token("south", "olga"));
    let missing = site.get("/patients/p-999", &ada).comparable();
    let change = json!({ "name": "x", "ssn": "y", "medicalRecord": "z" });
    let attempts = |id: &str, token: &str| {
        let path = format!("/patients/{id}");
        [
            site.get(&path, token),
            site.with_json(&format!("PUT {path}"), token, &change),
            site.with_json(&format!("PATCH {path}"), token, &change),
            site.send(&format!("DELETE {path}"), &[&bearer(token)], b""),
        ]
    };
    for answer in attempts("p-200", &ada).into_iter().chain(attempts("p-200", &rosa)) {
        assert_eq!(answer.comparable(), missing);
    }
    site.log_in("south", "sven", "wrong");
    site.log_in("north", "ada", "wrong");

    // A damaged row is the trouble of its own tenant alone.
    let database = Connection::open(site.data.join("clinic.db")).unwrap();
    database.execute("UPDATE patients SET ssn = zeroblob(80) WHERE id = 'p-200'", []).unwrap();
    for answer in attempts("p-200", &ada) {
        assert_eq!(answer.comparable(), missing);
    }
    for answer in attempts("p-200", &sven) {
        assert!(answer.must_be(500, "INTERNAL", "a damaged row").is_empty());
    }
    site.get("/patients", &sven).must_be(500, "INTERNAL", "a list with a damaged row");
    assert_eq!(site.get("/patients", &ada).status, 200);

    let audit = |token: &str| -> Vec<Value> {
        let page = site.get("/audit?limit=500", token).json();
        page["entries"].as_array().unwrap().iter().map(|entry| entry["fact"].clone()).collect()
    };
    for (tenant, facts) in [("north", audit(&rosa)), ("south", audit(&olga))] {
        for fact in &facts {
            let of = ["tenant", "subject_tenant", "claimed_tenant"].map(|name| &fact[name]);
            let of = of.into_iter().find(|tenant| !tenant.is_null());
            assert_eq!(of, Some(&json!(tenant)), "{fact}");
        }
        let count = |event: &str| facts.iter().filter(|fact| fact["event"] == event).count();
        assert_eq!(count("failed_login"), 1);
        // Who tried is told to those whose patient it was.
        assert_eq!(count("permission_denied"), if tenant == "south" { 12 } else { 0 });
        assert_eq!(count("crypt_decrypt_fail"), if tenant == "south" { 5 } else { 0 });
        let failed = facts.iter().find(|fact| fact["event"] == "failed_login").unwrap();
        assert_eq!(failed["address"], "127.0.0.1");
        assert_eq!(failed["request"].as_str().map(str::len), Some(32));
    }
    for token in [&ada, &sven] {
        site.get("/audit", token).must_be(403, "FORBIDDEN", "a doctor");
        site.get("/audit/verify", token).must_be(403, "FORBIDDEN", "a doctor");
    }
    assert_eq!(site.get("/audit/verify", &olga).json()["ok"], true);
}

/// Whether somebody exists cannot be told from how long it takes to say no.
#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_may_not_in_costs_the_same_work() {
    let folder = tempfile::tempdir().unwrap();
    let found = Arc::new(Mutex::new(None::<Arc<Passwords>>));
    let to = Arc::clone(&found);
    let wiring = Wiring::default().assembled_by(move |makings| {
        let parts = makings.assembled()?;
        *to.lock().unwrap() = Some(Arc::clone(&parts.passwords));
        Ok(parts)
    });
    let data = Folder::open(&folder.path().join("data")).unwrap();
    let (clinic, _) = Clinic::open(data, Arc::new(os::SystemClock), &wiring).await.unwrap();
    let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    let listening = serve(clinic.clone(), listener).unwrap();
    let address = listening.address();
    let passwords = found.lock().unwrap().take().unwrap();

    let mut work = Vec::new();
    for (tenant, user) in [("north", "ada"), ("north", "nobody"), ("nowhere", "ada"), ("nowhere", "nobody")] {
        let before = passwords.blocks_computed();
        let body = json!({ "tenant": tenant, "user": user, "password": "wrong" }).to_string();
        let request = request("POST /login", &["Content-Type: application/json"], body.as_bytes());
        let answer = tokio::task::spawn_blocking(move || exchange(address, &request, false)).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 401 "));
        work.push(passwords.blocks_computed() - before);
    }
    assert_eq!(work, [38_912; 4], "19,456 KiB, twice");
    listening.stop().await.unwrap();
    clinic.close().unwrap();
}

/// The policy's own tests.
#[test]
fn the_policy_does_what_it_says() {
    let policy = bartizan::rbac::Policy::parse(include_str!("../policy.toml")).unwrap();
    let tests = policy.run_tests();
    assert!(tests.len() > 10);
    for test in tests {
        assert!(test.passed(), "{test}");
    }
}
