//! `field`.

use std::fs;

use serde_json::{Value, json};

use crate::support::{CANARY, Ended, Folder};

const POLICY: &str = r#"version = 1

[permissions]
"patients:open" = {}
"visits:open" = {}
"staff:open" = { scopes = ["own", "all"] }

[roles.operator]
allow = ["patients:open", "visits:open", "staff:open:own"]
fields = { patients = ["ssn", "name"], visits = ["ssn"], staff = ["ssn"] }

[roles.guest]
allow = ["patients:open"]
"#;

const PLACE: &str = "--master master --keys keys.db --tenant north --table patients --row p-17 --field ssn";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("master", [7; 32]);
    folder.write("policy", POLICY);
    folder
}

fn seal(folder: &Folder) -> String {
    let sealed = folder.run(&format!("field seal {PLACE}"), format!("{CANARY}\n")).done();
    assert!(!sealed.shows(CANARY));
    sealed.json()["cell"].as_str().unwrap().to_owned()
}

fn open(folder: &Folder, place: &str, cell: &str) -> Ended {
    folder.run(&format!("field open {place} --policy policy --record record"), cell)
}

fn record(folder: &Folder) -> Vec<Value> {
    folder.read("record").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_cell_opens_for_the_operator_whom_the_policy_lets_and_it_is_on_record() {
    let folder = folder();
    let cell = seal(&folder);
    assert!(cell.starts_with("bz1_"));
    for stdin in [cell.clone(), format!("{cell}\n"), format!("{{\"cell\":\"{cell}\"}}\n")] {
        let opened = open(&folder, PLACE, &stdin).done();
        assert_eq!(opened.json(), json!({ "ok": true, "value": CANARY }));
        assert_eq!(opened.stderr, "");
    }
    let facts = record(&folder);
    let events: Vec<&str> = facts.iter().map(|fact| fact["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["permission_granted", "sensitive_read"].repeat(3));
    for fact in &facts {
        assert_eq!(
            (&fact["tenant"], &fact["kind"], &fact["id"]),
            (&json!("north"), &json!("patients"), &json!("p-17"))
        );
        assert!(fact["subject"].as_str().unwrap().starts_with("uid-"), "{fact}");
        assert_eq!(fact["attested"], "operator");
    }
    assert_eq!(
        (&facts[0]["permission"], &facts[0]["delivery"]),
        (&json!("patients:open"), &json!("critical"))
    );
    assert_eq!(facts[1]["details"], json!({ "field": "ssn" }));
    assert!(!folder.read("record").contains(CANARY));
}

#[test]
fn the_bytes_on_disk_are_sealed_and_private() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let cell = seal(&folder);
    open(&folder, PLACE, &cell).done();
    for name in ["keys.db", "record"] {
        assert_eq!(fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    let master = [7; 32];
    for entry in fs::read_dir(folder.root()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let has = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!has(CANARY.as_bytes()), "{path:?}");
        assert!(path.ends_with("master") || !has(&master), "{path:?}");
    }
}

#[test]
fn what_the_policy_does_not_let_stays_closed() {
    let folder = folder();
    let cell = seal(&folder);
    for policy in [
        "version = 1\n".to_owned(),
        POLICY.replace("\"patients:open\", ", ""),
        POLICY.replace("patients = [\"ssn\", \"name\"]", "patients = [\"name\"]"),
        POLICY.replace("[roles.operator]", "[roles.admin]"),
        POLICY.replace("fields =", "hide = { patients = [\"ssn\"] }\nfields ="),
    ] {
        folder.write("policy", policy);
        let ended = open(&folder, PLACE, &cell).refused("denied");
        assert!(!ended.shows(CANARY));
    }
    folder.write("policy", POLICY);
    // Nobody says whose the row is, so the operator's own it is not.
    open(&folder, &PLACE.replace("patients", "staff"), &cell).refused("denied");
    let events: Vec<Value> = record(&folder).iter().map(|fact| fact["event"].clone()).collect();
    let (denied, refused) = (json!("permission_denied"), json!("field_open_refused"));
    assert_eq!(events.iter().filter(|event| **event == denied).count(), 4);
    assert_eq!(events.iter().filter(|event| **event == refused).count(), 2);
}

#[test]
fn a_cell_opens_nowhere_else() {
    let folder = folder();
    let cell = seal(&folder);
    // The other tenant has a key of its own.
    folder.run(&format!("field seal {}", PLACE.replace("north", "south")), "x").done();
    for (from, to) in
        [("north", "south"), ("north", "west"), ("patients", "visits"), ("p-17", "p-18"), ("ssn", "name")]
    {
        let ended = open(&folder, &PLACE.replace(from, to), &cell).refused("integrity");
        assert!(!ended.shows(CANARY));
        assert_eq!(record(&folder).last().unwrap()["event"], "crypt_decrypt_fail");
    }
    open(&folder, PLACE, &cell).done();
}

#[test]
fn an_altered_cell_stays_closed() {
    let folder = folder();
    let cell = seal(&folder);
    // Key id, ordinal, salt, commitment, ciphertext, tag.
    for byte in [5, 13, 20, 50, 75, 100] {
        let at = 4 + byte * 8 / 6;
        let other = if &cell[at..=at] == "A" { "B" } else { "A" };
        let altered = format!("{}{other}{}", &cell[..at], &cell[at + 1..]);
        let ended = open(&folder, PLACE, &altered).refused("integrity");
        assert!(!ended.shows(CANARY));
    }
}

#[test]
fn malformed_cells_are_refused_before_anything_else() {
    let folder = folder();
    let cell = seal(&folder);
    let malformed = [
        Vec::new(),
        b"bz1_".to_vec(),
        cell.as_bytes()[..cell.len() - 60].to_vec(),
        cell.replacen("bz1_", "bz2_", 1).into_bytes(),
        format!("{cell}=").into_bytes(),
        format!(" {cell}").into_bytes(),
        format!("{cell}\n\n").into_bytes(),
        format!("{{\"cell\":\"{cell}\",\"cell\":\"{cell}\"}}").into_bytes(),
        b"\xfb\x01\x01\x00".to_vec(),
        format!("bz1_{}", "A".repeat(200_000)).into_bytes(),
        vec![b'A'; 2_000_000],
        CANARY.into(),
    ];
    for cell in malformed {
        for command in
            ["field inspect".to_owned(), format!("field open {PLACE} --policy policy --record record")]
        {
            let ended = folder.run(&command, &cell).refused("format");
            assert!(!ended.shows(CANARY));
        }
    }
    assert!(!folder.path("record").exists());
}

#[test]
fn inspection_shows_what_stands_in_clear() {
    let folder = folder();
    let cell = seal(&folder);
    let inspected = folder.run("field inspect", format!("{cell}\n")).done().json();
    let key_id = inspected["key_id"].as_str().unwrap().to_owned();
    assert_eq!(
        inspected,
        json!({ "ok": true, "version": 1, "suite": 1, "key_id": key_id, "ordinal": 0, "padded_length": 16, "record_seal": false })
    );
    assert!(key_id.len() == 16 && key_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{key_id}");
    let padded = folder.run(&format!("field seal {PLACE} --bucket 100"), "x").done().stdout;
    let inspected = folder.run("field inspect", padded).done().json();
    assert_eq!((&inspected["padded_length"], &inspected["key_id"]), (&json!(100), &json!(key_id)));
}

#[test]
fn a_reading_that_cannot_be_recorded_does_not_happen() {
    let folder = folder();
    let cell = seal(&folder);
    for (record, why) in
        [("/dev/full", "could not be recorded"), (".", ".: "), ("no/such/folder", "no/such/folder: ")]
    {
        let ended = folder.run(&format!("field open {PLACE} --policy policy --record {record}"), &cell);
        assert!(!ended.unusable(why).shows(CANARY));
    }
}

#[test]
fn there_is_no_way_to_open_without_policy_and_record() {
    let folder = folder();
    let cell = seal(&folder);
    for options in ["", "--policy policy", "--record record"] {
        let ended = folder.run(&format!("field open {PLACE} {options}"), &cell).ended(2);
        assert!(!ended.shows(CANARY) && ended.stdout.is_empty());
    }
}

#[test]
fn a_master_key_is_32_bytes_or_as_many_in_hex() {
    let folder = folder();
    let cell = seal(&folder);
    folder.write("hex", "07".repeat(32) + "\n");
    open(&folder, &PLACE.replace("--master master", "--master hex"), &cell).done();
    for content in
        [&b""[..], &[7; 31], &[7; 33], "0g".repeat(32).as_bytes(), "07".repeat(33).as_bytes(), b"\xff"]
    {
        folder.write("bad", content);
        let place = PLACE.replace("--master master", "--master bad");
        open(&folder, &place, &cell).unusable("32 bytes");
        folder.run(&format!("field seal {place}"), "x").unusable("32 bytes");
    }
    folder.write("other", [8; 32]);
    let ended = open(&folder, &PLACE.replace("--master master", "--master other"), &cell);
    assert!(!ended.unusable("does not unwrap the key").shows(CANARY));
}

#[test]
fn opening_makes_no_key_store() {
    let folder = folder();
    let cell = seal(&folder);
    open(&folder, &PLACE.replace("keys.db", "none.db"), &cell).unusable("none.db: no such file");
    assert!(!folder.path("none.db").exists() && !folder.path("record").exists());
    folder.write(
        "text.db",
        "no database at all, but long enough to be looked at as if it were one".repeat(100),
    );
    open(&folder, &PLACE.replace("keys.db", "text.db"), &cell).unusable("text.db: ");
}

#[test]
fn unusable_places_and_values_end_with_2() {
    let folder = folder();
    let cell = seal(&folder);
    for (from, to, why) in [
        ("patients", "Patients", "no permission can name it"),
        ("north", "nor\u{85}th", "the tenant"),
        ("p-17", "p\u{7}17", "malformed"),
    ] {
        let place = PLACE.replace(from, to);
        let args = place.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut all = vec!["field".to_owned(), "open".to_owned()];
        all.extend(args);
        all.extend(["--policy", "policy", "--record", "record"].map(str::to_owned));
        folder.run_args(all, &cell).unusable(why);
    }
    folder.run(&format!("field seal {}", PLACE.replace("ssn", "$seal")), "x").unusable("sealing");
    folder.run(&format!("field seal {PLACE}"), b"\xff").unusable("not UTF-8");
    folder.run(&format!("field seal {PLACE}"), "x".repeat(70_000)).unusable("too long");
    folder.run(&format!("field seal {PLACE} --bucket 0"), "x").ended(2);
    folder.write("policy", POLICY.replace("[roles.operator]", "[roles.operator"));
    open(&folder, PLACE, &cell).unusable("policy: ");
}
