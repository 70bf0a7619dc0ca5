//! The steps. Each asserts the HTTP answer or the bytes on disk, and answers what it saw.

use std::{fs, path::Path, sync::Arc};

use bartizan::{
    audit::Verdict,
    core::{Clock, os},
};
use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::{
    client::{Answer, Client},
    forge,
    inbox::Inbox,
    log::{self, Log},
    power::Durable,
    step::{Trouble, must},
};
use crate::{Clinic, Credential, Error, Folder, Wiring, seed};

pub(super) type Saw = Result<String, Trouble>;

/// What the client knows while it walks the road.
pub(crate) struct Road {
    pub(super) client: Client,
    folder: Folder,
    pub(super) inbox: Arc<Inbox>,
    durable: Durable,
    wiring: Wiring,
    credentials: Vec<Credential>,
    pub(super) doctor: String,
    pub(super) nurse: String,
    pub(super) admin: String,
    member: String,
    erased: String,
    /// What may stand nowhere in the files.
    pub(super) secrets: Vec<String>,
}

/// A patient of the north whose owner has an account, and another one.
pub(super) const MIA: &str = "p-100";
pub(super) const MAX: &str = "p-101";

/// A patient of the south.
const OLE: &str = "p-200";

impl Road {
    pub(crate) fn new(
        client: Client,
        folder: Folder,
        credentials: Vec<Credential>,
        inbox: Arc<Inbox>,
        durable: Durable,
        wiring: Wiring,
    ) -> Self {
        let token = String::new;
        Self {
            client,
            folder,
            inbox,
            durable,
            wiring,
            credentials,
            secrets: Vec::new(),
            doctor: token(),
            nurse: token(),
            admin: token(),
            member: token(),
            erased: token(),
        }
    }

    pub(crate) async fn log_in(&mut self) -> Saw {
        self.doctor = self.token("north", "ada").await?;
        self.nurse = self.token("north", "nils").await?;
        self.admin = self.token("north", "rosa").await?;
        self.member = self.token("north", "mia").await?;
        let me = self.client.get("/me", Some(&self.doctor)).await?;
        expect(&me, 200)?;
        must(me.json() == json!({ "subject": "ada", "tenant": "north", "roles": ["doctor"] }), || {
            format!("/me says {}", text(&me))
        })?;
        let (first, second) =
            (forge::claims(&self.doctor)?, forge::claims(&self.token("north", "ada").await?)?);
        must(first.get("jti") != second.get("jti"), || "two tokens have the same jti".to_owned())?;
        Ok(format!("200, a token of {} bytes; /me says ada, doctor, north", self.doctor.len()))
    }

    pub(crate) async fn wrong_password(&mut self) -> Saw {
        let wrong = json!({ "tenant": "north", "user": "ada", "password": "wrong" });
        let unknown = json!({ "tenant": "north", "user": "nobody", "password": "wrong" });
        let (wrong, unknown) = (
            self.client.post("/login", None, &wrong).await?,
            self.client.post("/login", None, &unknown).await?,
        );
        expect(&wrong, 401)?;
        must(comparable(&wrong) == comparable(&unknown), || {
            "a wrong password and an unknown user are told apart".to_owned()
        })?;
        Ok(format!("401 {} twice, the same to the byte", code(&wrong)))
    }

    pub(crate) async fn forged_tokens(&mut self) -> Saw {
        let claims = forge::claims(&self.doctor)?;
        let kid = forge::kid(&self.doctor).ok_or("the token has no kid")?;
        let forged = [
            ("altered claims", forge::altered(&self.doctor).ok_or("the token is too short")?),
            ("alg none", forge::unsigned(&claims)),
            ("a stranger's key under our kid", forge::signed_by_stranger(&kid, &claims)?),
            ("a stranger's key under its own kid", forge::signed_by_stranger(forge::STRANGER, &claims)?),
        ];
        for (what, token) in forged {
            let answer = self.client.get("/me", Some(&token)).await?;
            expect_code(&answer, 401, "INVALID_TOKEN").map_err(|trouble| format!("{what}: {trouble}"))?;
        }
        expect(&self.client.get("/me", None).await?, 401)?;
        // The same claims, signed by the clinic, are believed: what was refused above was refused for its signature.
        expect(&self.client.get("/me", Some(&forge::signed_by_clinic(&self.folder, &claims)?)).await?, 200)?;
        Ok("401 INVALID_TOKEN for altered claims, for alg none and for a stranger's key, whatever it is called; 200 for the same claims under the clinic's own".to_owned())
    }

    pub(crate) async fn expired_token(&mut self) -> Saw {
        let mut claims = forge::claims(&self.doctor)?;
        let now = os::SystemClock.wall().as_secs();
        // A minute past the leeway of 30 seconds.
        set(&mut claims, "iat", json!(now - 690));
        set(&mut claims, "exp", json!(now - 90));
        let answer = self.client.get("/me", Some(&forge::signed_by_clinic(&self.folder, &claims)?)).await?;
        expect_code(&answer, 401, "TOKEN_EXPIRED")?;
        Ok("401 TOKEN_EXPIRED".to_owned())
    }

    pub(crate) async fn other_audience(&mut self) -> Saw {
        let mut claims = forge::claims(&self.doctor)?;
        set(&mut claims, "aud", json!(forge::OTHER_AUDIENCE));
        let answer = self.client.get("/me", Some(&forge::signed_by_clinic(&self.folder, &claims)?)).await?;
        expect_code(&answer, 401, "INVALID_TOKEN")?;
        Ok("401 INVALID_TOKEN, although the clinic's own key signed it".to_owned())
    }

    pub(crate) async fn forbidden_role(&mut self) -> Saw {
        let answer = self.client.delete(&format!("/patients/{MAX}"), Some(&self.nurse)).await?;
        expect_code(&answer, 403, "FORBIDDEN")?;
        expect_code(&self.client.get("/audit", Some(&self.doctor)).await?, 403, "FORBIDDEN")?;
        expect(&self.client.get(&format!("/patients/{MAX}"), Some(&self.doctor)).await?, 200)?;
        // Even a token that the clinic itself signed gives nobody a role that they do not hold.
        let mut claims = forge::claims(&self.nurse)?;
        set(&mut claims, "roles", json!(["nurse", "admin"]));
        let promoted = forge::signed_by_clinic(&self.folder, &claims)?;
        let answer = self.client.delete(&format!("/patients/{MAX}"), Some(&promoted)).await?;
        expect_code(&answer, 403, "FORBIDDEN")
            .map_err(|trouble| format!("a nurse whose token says admin: {trouble}"))?;
        Ok("403 FORBIDDEN for a nurse who erases, also with a signed token that says admin, and for a doctor who reads the audit log; the patient is still there".to_owned())
    }

    pub(crate) async fn other_tenant(&mut self) -> Saw {
        let theirs = self.client.get(&format!("/patients/{OLE}"), Some(&self.doctor)).await?;
        let missing = self.client.get("/patients/p-999", Some(&self.doctor)).await?;
        expect_code(&missing, 404, "NOT_FOUND")?;
        must(comparable(&theirs) == comparable(&missing), || {
            format!("{} and {}", text(&theirs), text(&missing))
        })?;
        let sven = self.token("south", "sven").await?;
        expect(&self.client.get(&format!("/patients/{OLE}"), Some(&sven)).await?, 200)?;
        Ok("404 NOT_FOUND for both, headers and body the same; a doctor of the south gets 200".to_owned())
    }

    pub(crate) async fn masked_view(&mut self) -> Saw {
        let answer = self.client.get(&format!("/patients/{MAX}"), Some(&self.nurse)).await?;
        expect(&answer, 200)?;
        let seen = json_of(&answer);
        must(seen.at("ssn") == "***3402", || format!("a nurse sees the ssn as {}", seen.at("ssn")))?;
        must(seen.at("medicalRecord") == "Fractured radius, cast until March.", || {
            format!("a nurse sees {}", seen.at("medicalRecord"))
        })?;
        must(*seen.at("masked") == json!(["ssn", "creditCard"]), || {
            format!("masked are {}", seen.at("masked"))
        })?;
        must(!text(&answer).contains("900-12-3402"), || "the whole ssn is in the answer".to_owned())?;
        Ok(format!(
            "ssn {}, creditCard {}, the health record in clear",
            seen.at("ssn"),
            seen.at("creditCard")
        ))
    }

    pub(crate) async fn clear_view(&mut self) -> Saw {
        let answer = self.client.get(&format!("/patients/{MAX}"), Some(&self.doctor)).await?;
        expect(&answer, 200)?;
        let seen = json_of(&answer);
        must(seen.at("ssn") == "900-12-3402", || format!("a doctor sees the ssn as {}", seen.at("ssn")))?;
        must(*seen.at("masked") == json!(["creditCard"]), || format!("masked are {}", seen.at("masked")))?;
        let list = self.client.get("/patients", Some(&self.doctor)).await?;
        let ids: Vec<String> = json_of(&list)
            .at("patients")
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| line.get("id").map(Value::to_string).unwrap_or_default())
            .collect();
        must(ids.len() == 3 && !text(&list).contains(OLE), || format!("the list of the north is {ids:?}"))?;
        Ok(format!(
            "ssn {}, creditCard {}; the list has the three patients of the north",
            seen.at("ssn"),
            seen.at("creditCard")
        ))
    }

    pub(crate) async fn own_record(&mut self) -> Saw {
        let own = self.client.get(&format!("/patients/{MIA}"), Some(&self.member)).await?;
        expect(&own, 200)?;
        must(*json_of(&own).at("masked") == json!([]), || {
            format!("masked are {}", json_of(&own).at("masked"))
        })?;
        expect_code(
            &self.client.get(&format!("/patients/{MAX}"), Some(&self.member)).await?,
            403,
            "FORBIDDEN",
        )?;
        Ok("200 and every field in clear for her own, 403 for another".to_owned())
    }

    pub(crate) async fn write(&mut self) -> Saw {
        let new = json!({ "owner": "kim", "name": "Kim Vang", "ssn": "900-12-3405", "creditCard": "4000000000000044",
            "medicalRecord": "Nothing yet." });
        let created = self.client.post("/patients", Some(&self.doctor), &new).await?;
        expect(&created, 201)?;
        let path = created.header("location").ok_or("no Location")?.to_owned();
        self.erased = path.trim_start_matches("/patients/").to_owned();
        let before = self.cells(&self.erased)?;
        let changed = self
            .client
            .patch(&path, Some(&self.doctor), &json!({ "medicalRecord": "Sprained ankle." }))
            .await?;
        expect(&changed, 204)?;
        let read = self.client.get(&path, Some(&self.doctor)).await?;
        must(json_of(&read).at("medicalRecord") == "Sprained ankle.", || {
            format!("it reads {}", text(&read))
        })?;
        let after = self.cells(&self.erased)?;
        must(before.len() == after.len() && before.last() != after.last(), || {
            "the cell did not change".to_owned()
        })?;
        let card = json!({ "creditCard": "4000000000000051" });
        expect_code(&self.client.patch(&path, Some(&self.doctor), &card).await?, 403, "FORBIDDEN")?;
        let stale = json!({ "name": "Kim Wang", "version": 1 });
        expect_code(&self.client.patch(&path, Some(&self.doctor), &stale).await?, 409, "CONFLICT")?;
        expect(&self.client.delete(&path, Some(&self.admin)).await?, 204)?;
        expect_code(&self.client.get(&path, Some(&self.doctor)).await?, 404, "NOT_FOUND")?;
        Ok("201, 204 and a new cell; 403 for a card that a doctor does not see, 409 for a change to an older version; 204, and then 404".to_owned())
    }

    pub(crate) async fn raw_database(&mut self) -> Saw {
        let mut searched = 0;
        for file in files(self.folder.path())? {
            let bytes = fs::read(&file)?;
            searched += bytes.len();
            let charts = seed::CHARTS
                .iter()
                .flat_map(|chart| [chart.name, chart.ssn, chart.credit_card, chart.medical_record]);
            for secret in charts.chain(self.secrets.iter().map(String::as_str)) {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                must(!found, || format!("{} holds “{secret}”", file.display()))?;
            }
        }
        let cells = self.cells(MAX)?;
        must(cells.len() == 5 && cells.iter().all(|cell| cell.starts_with(&[0xFB, 1])), || {
            "a column is no sealed cell".to_owned()
        })?;
        Ok(format!(
            "{searched} bytes in database, key store, keys and log: no name, number or diagnosis, no address, password or token; cells start with FB 01"
        ))
    }

    pub(crate) async fn moved_ciphertext(&mut self) -> Saw {
        let database = self.database()?;
        let path = format!("/patients/{MAX}");
        let moves = [
            (
                "another row's",
                "UPDATE patients SET ssn = (SELECT ssn FROM patients WHERE id = ?2) WHERE id = ?1",
                MIA,
            ),
            (
                "another field's",
                "UPDATE patients SET ssn = (SELECT medicalRecord FROM patients WHERE id = ?2) WHERE id = ?1",
                MAX,
            ),
            (
                "another tenant's",
                "UPDATE patients SET ssn = (SELECT ssn FROM patients WHERE id = ?2) WHERE id = ?1",
                OLE,
            ),
        ];
        let own: Vec<u8> =
            database.query_row("SELECT ssn FROM patients WHERE id = ?1", [MAX], |row| row.get(0))?;
        for (whose, statement, from) in moves {
            database.execute(statement, params![MAX, from])?;
            let answer = self.client.get(&path, Some(&self.doctor)).await?;
            database.execute("UPDATE patients SET ssn = ?2 WHERE id = ?1", params![MAX, own])?;
            expect_code(&answer, 500, "INTERNAL").map_err(|trouble| format!("{whose} cell: {trouble}"))?;
        }
        expect(&self.client.get(&path, Some(&self.doctor)).await?, 200)?;
        Ok("500 and no data for a cell of another row, field or tenant; 200 after it was put back".to_owned())
    }

    pub(crate) async fn stolen_database(&mut self) -> Saw {
        let thief = tempfile::tempdir()?;
        let stolen = Folder::open(&thief.path().join("data"))?;
        for file in fs::read_dir(self.folder.path())? {
            let file = file?;
            if file.file_type()?.is_file() {
                fs::copy(file.path(), stolen.path().join(file.file_name()))?;
            }
        }
        fs::rename(self.log_copy().await?.keep(), stolen.audit())?;
        fs::write(stolen.path().join("master.key"), [7; 32])?;
        match Clinic::open(stolen, Arc::new(os::SystemClock), &self.wiring).await {
            Err(Error::Key { why, .. }) => Ok(format!("opened with another master key: {why}")),
            Err(error) => Err(error.into()),
            Ok(_) => Err("a copy of the files opens with another master key".into()),
        }
    }

    pub(crate) async fn audit_trail(&mut self) -> Saw {
        let answer = self.client.get("/audit?limit=500", Some(&self.admin)).await?;
        expect(&answer, 200)?;
        let read = text(&answer);
        for (event, about) in
            [("permission_granted", MAX), ("permission_denied", MAX), ("page_decided", "p-102")]
        {
            let found = entries(&answer).iter().any(|entry| entry.contains(event) && entry.contains(about));
            must(found, || format!("no {event} about {about}"))?;
        }
        must(!read.contains("900-12-") && !read.contains("Fractured"), || {
            "personal data is in the audit log".to_owned()
        })?;
        let whole = self
            .log_with(&[
                "failed_login",
                "token_refused",
                "authn_login_success",
                "authn_token_reuse",
                "sessions_revoked",
                "api_key_created",
                "authz_change",
                "privilege_escalation",
                "break_glass_opened",
                "break_glass_reviewed",
            ])
            .await?;
        must(whole.mentions("permission_granted", &self.erased), || {
            "the erasure is not on record".to_owned()
        })?;
        must(whole.mentions("permission_granted", "patient:rescue"), || {
            "the emergency is not on record".to_owned()
        })?;
        must(whole.mentions("crypt_decrypt_fail", MAX), || "the moved cells are not on record".to_owned())?;
        Ok(format!(
            "{} entries of the north, {} in all, none with personal data",
            entries(&answer).len(),
            whole.len()
        ))
    }

    pub(crate) async fn audit_verified(&mut self) -> Saw {
        let answer = self.client.get("/audit/verify", Some(&self.admin)).await?;
        expect(&answer, 200)?;
        let report = log::examine(&self.folder.audit(), &self.folder)?;
        let anchored = matches!(report.verdict(), Verdict::ConsistentToCheckpoint { size, .. } if *size == report.entries());
        must(anchored && report.entries() > 20, || {
            format!("{} entries, {}", report.entries(), report.verdict())
        })?;
        Ok(report.verdict().to_string())
    }

    pub(crate) async fn loss_of_power(&mut self) -> Saw {
        // Durable before it is answered: this erasure's grant.
        let created = self
            .client
            .post(
                "/patients",
                Some(&self.doctor),
                &json!({ "owner": "kim", "name": "Kim Vang",
            "ssn": "900-12-3405", "creditCard": "4000000000000044", "medicalRecord": "Nothing yet." }),
            )
            .await?;
        let path = created.header("location").ok_or("no Location")?.to_owned();
        expect(&self.client.delete(&path, Some(&self.admin)).await?, 204)?;
        let left = tempfile::tempdir()?;
        self.durable.leave(left.path())?;
        let log = Log::read(left.path())?;
        let id = path.trim_start_matches("/patients/");
        must(log.mentions("permission_granted", id), || {
            format!(
                "a loss of power right after the answer leaves {} entries, and not the one that was acknowledged",
                log.len()
            )
        })?;
        Ok(format!("power cut right after the 204: {} entries are left, the erasure among them", log.len()))
    }

    pub(crate) async fn flipped_byte(&mut self) -> Saw {
        let copy = self.log_copy().await?;
        let flipped = Log::read(copy.path())?.flip_one_byte(copy.path())?;
        let report = log::examine(copy.path(), &self.folder)?;
        let verdict = report.verdict();
        must(log::names(verdict, flipped), || {
            format!("a byte of entry {flipped} was flipped, and the log is {verdict}")
        })?;
        Ok(verdict.to_string())
    }

    pub(crate) async fn cut_tail(&mut self) -> Saw {
        let copy = self.log_copy().await?;
        Log::cut_tail(copy.path())?;
        let report = log::examine(copy.path(), &self.folder)?;
        let verdict = report.verdict();
        must(matches!(verdict, Verdict::Truncated { .. }), || {
            format!("the tail was cut, and the log is {verdict}")
        })?;
        Ok(verdict.to_string())
    }

    /// A copy of the log's folder, with a checkpoint that names its last entry.
    async fn log_copy(&self) -> Result<tempfile::TempDir, Trouble> {
        expect(&self.client.get("/audit/verify", Some(&self.admin)).await?, 200)?;
        let copy = tempfile::tempdir()?;
        for file in fs::read_dir(self.folder.audit())? {
            let file = file?;
            fs::copy(file.path(), copy.path().join(file.file_name()))?;
        }
        Ok(copy)
    }

    /// The log, once it has all of these: what happens to sessions comes there a moment later.
    pub(super) async fn log_with(&self, events: &[&str]) -> Result<Log, Trouble> {
        let mut missing = "";
        for _ in 0..50 {
            let log = Log::read(&self.folder.audit())?;
            match events.iter().find(|event| !log.has(event)) {
                None => return Ok(log),
                Some(event) => missing = event,
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        Err(format!("no {missing} on record after five seconds").into())
    }

    async fn token(&self, tenant: &str, user: &str) -> Result<String, Trouble> {
        let answer = self.log_in_as(tenant, user).await?;
        Ok(json_of(&answer).at("access_token").as_str().ok_or("no access_token")?.to_owned())
    }

    pub(super) async fn log_in_as(&self, tenant: &str, user: &str) -> Result<Answer, Trouble> {
        let login = json!({ "tenant": tenant, "user": user, "password": self.password(tenant, user)? });
        let answer = self.client.post("/login", None, &login).await?;
        expect(&answer, 200)?;
        Ok(answer)
    }

    pub(super) fn password(&self, tenant: &str, user: &str) -> Result<&str, Trouble> {
        let credential = self.credentials.iter().find(|known| known.tenant == tenant && known.user == user);
        Ok(credential.ok_or("no such account")?.password.expose())
    }

    fn database(&self) -> Result<Connection, Trouble> {
        let database = Connection::open(self.folder.database())?;
        database.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(database)
    }

    /// The stored cells of a patient and the record seal, as they lie in the database.
    fn cells(&self, id: &str) -> Result<Vec<Vec<u8>>, Trouble> {
        let columns = "SELECT name, ssn, creditCard, record_seal, medicalRecord FROM patients WHERE id = ?1";
        Ok(self.database()?.query_row(columns, [id], |row| (0..5).map(|column| row.get(column)).collect())?)
    }
}

pub(super) fn expect(answer: &Answer, status: u16) -> Result<(), Trouble> {
    must(answer.status == status, || format!("{} instead of {status}: {}", answer.status, text(answer)))
}

pub(super) fn expect_code(answer: &Answer, status: u16, expected: &str) -> Result<(), Trouble> {
    expect(answer, status)?;
    must(code(answer) == expected, || format!("{} instead of {expected}", code(answer)))
}

pub(super) fn code(answer: &Answer) -> String {
    json_of(answer).at("code").as_str().unwrap_or("no code").to_owned()
}

/// A JSON object whose absent members are null.
pub(super) struct Members(Value);

impl Members {
    pub(super) fn at(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }
}

pub(super) fn json_of(answer: &Answer) -> Members {
    Members(answer.json())
}

pub(super) fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Everything of an answer but what differs between any two: date and request id.
pub(super) fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let (status, head, _) = answer.comparable();
    let mut body = answer.json();
    if let Some(members) = body.as_object_mut() {
        members.remove("request_id");
        members.remove("instance");
    }
    (status, head, body)
}

fn entries(answer: &Answer) -> Vec<String> {
    json_of(answer).at("entries").as_array().into_iter().flatten().map(Value::to_string).collect()
}

fn set(claims: &mut Value, name: &str, value: Value) {
    if let Some(members) = claims.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Error::at(folder, error))? {
        let path = entry.map_err(|error| Error::at(folder, error))?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}
