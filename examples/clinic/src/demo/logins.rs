//! The steps about accounts, sessions and keys.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{
    app::App,
    client::{Answer, Client},
    road::{MAX, MIA, Road, Saw, code, comparable, expect, expect_code, json_of, text},
    step::{Trouble, must},
};

/// Somebody new.
const NORA: &str = "nora";
const ADDRESS: &str = "nora@mail.example";
const PASSWORD: &str = "seven herons over the quay";

impl Road {
    pub(crate) async fn register(&mut self) -> Saw {
        let registration = |user: &str, email: &str| json!({ "tenant": "north", "user": user, "email": email, "password": PASSWORD });
        let client = self.client.clone();
        let new = client.post("/register", None, &registration(NORA, ADDRESS)).await?;
        expect(&new, 202)?;
        for (what, user) in [("a taken name", "ada"), ("the name of a patient", "max")] {
            let taken = client.post("/register", None, &registration(user, "thief@mail.example")).await?;
            must(comparable(&new) == comparable(&taken), || {
                format!("{what}: {} and {}", text(&new), text(&taken))
            })?;
        }
        let token = self.inbox.token(ADDRESS, 1).await?;
        let early = self.log_in_nora(None).await?;
        expect_code(&early, 401, "INVALID_CREDENTIALS")?;
        let verification = json!({ "token": token });
        // The login had another mail sent, and with it another token.
        expect_code(
            &client.post("/verify-email", None, &json!({ "token": "bzo1_" })).await?,
            401,
            "INVALID_TOKEN",
        )?;
        let newer = json!({ "token": self.inbox.token(ADDRESS, 2).await? });
        expect_code(&client.post("/verify-email", None, &verification).await?, 401, "INVALID_TOKEN")?;
        expect(&client.post("/verify-email", None, &newer).await?, 204)?;
        expect_code(&client.post("/verify-email", None, &newer).await?, 401, "INVALID_TOKEN")?;
        let access = member(&self.log_in_nora(None).await?, "access_token")?;
        for patient in [MIA, MAX] {
            let answer = client.get(&format!("/patients/{patient}"), Some(&access)).await?;
            expect_code(&answer, 403, "FORBIDDEN")?;
        }
        must(self.inbox.of("thief@mail.example").is_empty(), || "a thief got mail".to_owned())?;
        self.secrets.extend([ADDRESS, PASSWORD].map(str::to_owned));
        self.secrets.extend([token, access]);
        Ok("202 for a free name, a taken one and a patient's, the same to the byte; 401 before the address was verified, 204 for the newer of two mailed tokens, once; no mail to whoever named a taken name".to_owned())
    }

    pub(crate) async fn second_factor(&mut self) -> Saw {
        let client = self.client.clone();
        let access = member(&self.log_in_nora(None).await?, "access_token")?;
        let wrong = json!({ "password": "not hers" });
        expect_code(&client.post("/mfa/totp", Some(&access), &wrong).await?, 401, "INVALID_CREDENTIALS")?;
        let enrolled = client.post("/mfa/totp", Some(&access), &json!({ "password": PASSWORD })).await?;
        expect(&enrolled, 200)?;
        let uri = member(&enrolled, "uri")?;
        must(member(&enrolled, "qr")?.starts_with("<svg "), || "no picture".to_owned())?;
        let app = App::scanned(&uri)?;
        let first = app.code(0)?;
        let confirmed = client.post("/mfa/totp/confirm", Some(&access), &json!({ "code": first })).await?;
        expect(&confirmed, 200)?;
        expect_code(&client.get("/me", Some(&access)).await?, 401, "TOKEN_REVOKED")?;
        let recovery = json_of(&confirmed).at("recovery_codes").as_array().cloned().unwrap_or_default();
        let recovery = recovery.first().and_then(Value::as_str).ok_or("no recovery code")?.to_owned();
        expect_code(&self.log_in_nora(None).await?, 401, "STEP_UP_REQUIRED")?;
        expect_code(&self.log_in_nora(Some(&first)).await?, 401, "INVALID_CREDENTIALS")?;
        expect(&self.log_in_nora(Some(&app.code(1)?)).await?, 200)?;
        expect(&self.log_in_nora(Some(&recovery)).await?, 200)?;
        expect_code(&self.log_in_nora(Some(&recovery)).await?, 401, "INVALID_CREDENTIALS")?;
        let secret = uri.split("secret=").nth(1).and_then(|rest| rest.split('&').next());
        self.secrets.extend([secret.ok_or("no secret")?.to_owned(), recovery]);
        Ok("401 STEP_UP_REQUIRED with the password alone, 200 with a code, 401 with one that was used; a recovery code is good once; tokens of before are worth nothing".to_owned())
    }

    pub(crate) async fn reuse(&mut self) -> Saw {
        let client = self.client.clone();
        let begun = self.log_in_as("south", "olga").await?;
        let (first, stolen) = (member(&begun, "access_token")?, member(&begun, "refresh_token")?);
        let renewed = client.post("/token", None, &json!({ "refresh_token": stolen })).await?;
        expect(&renewed, 200)?;
        let (second, next) = (member(&renewed, "access_token")?, member(&renewed, "refresh_token")?);
        expect(&client.get("/me", Some(&second)).await?, 200)?;
        // A thief comes with the one that was exchanged.
        let reused = client.post("/token", None, &json!({ "refresh_token": stolen })).await?;
        expect_code(&reused, 401, "SESSION_ENDED")?;
        for access in [&first, &second] {
            expect_code(&client.get("/me", Some(access)).await?, 401, "TOKEN_REVOKED")?;
        }
        let after = client.post("/token", None, &json!({ "refresh_token": next })).await?;
        expect_code(&after, 401, "SESSION_ENDED")?;
        self.secrets.extend([stolen, next, first, second]);
        Ok("200 for a refresh token, 401 when it came again; after that 401 TOKEN_REVOKED for both access tokens and 401 for the refresh token that was good until then".to_owned())
    }

    pub(crate) async fn log_out_everywhere(&mut self) -> Saw {
        let client = self.client.clone();
        let (here, there) = (self.log_in_as("south", "olga").await?, self.log_in_as("south", "olga").await?);
        let (mine, other) = (member(&here, "access_token")?, member(&there, "access_token")?);
        let sessions = client.get("/sessions", Some(&mine)).await?;
        let count = json_of(&sessions).at("sessions").as_array().map_or(0, Vec::len);
        must(count == 2, || format!("{count} sessions: {}", text(&sessions)))?;
        expect(&client.post("/logout-all", Some(&mine), &json!({})).await?, 204)?;
        for access in [&mine, &other] {
            expect_code(&client.get("/me", Some(access)).await?, 401, "TOKEN_REVOKED")?;
        }
        let refresh = json!({ "refresh_token": member(&there, "refresh_token")? });
        expect_code(&client.post("/token", None, &refresh).await?, 401, "SESSION_ENDED")?;
        expect(&client.get("/me", Some(&self.doctor)).await?, 200)?;
        Ok("204 on one device; right after it 401 TOKEN_REVOKED for the access tokens of both, and 401 for the other's refresh token; nobody else noticed".to_owned())
    }

    pub(crate) async fn api_key(&mut self) -> Saw {
        let (client, doctor) = (self.client.clone(), self.doctor.clone());
        let more = json!({ "name": "board", "scopes": ["admin"], "days": 30 });
        expect_code(&client.post("/api-keys", Some(&doctor), &more).await?, 400, "VALIDATION_ERROR")?;
        let wanted = json!({ "name": "board", "scopes": ["staff"], "days": 30 });
        let made = client.post("/api-keys", Some(&doctor), &wanted).await?;
        expect(&made, 201)?;
        let (id, key) = (member(&made, "id")?, member(&made, "key")?);
        expect(&client.get("/patients", Some(&key)).await?, 200)?;
        let seen = client.get(&format!("/patients/{MAX}"), Some(&key)).await?;
        let masked = json!(["ssn", "creditCard", "medicalRecord"]);
        must(*json_of(&seen).at("masked") == masked, || format!("the key sees {}", text(&seen)))?;
        let change = json!({ "medicalRecord": "Nothing." });
        let answer = client.patch(&format!("/patients/{MAX}"), Some(&key), &change).await?;
        expect_code(&answer, 403, "FORBIDDEN")?;
        expect_code(&client.post("/logout", Some(&key), &json!({})).await?, 403, "FORBIDDEN")?;
        expect_code(&client.post("/logout-all", Some(&key), &json!({})).await?, 401, "STEP_UP_REQUIRED")?;
        expect_code(&client.get("/api-keys", Some(&key)).await?, 403, "FORBIDDEN")?;
        expect(&client.delete(&format!("/api-keys/{id}"), Some(&doctor)).await?, 204)?;
        expect_code(&client.get("/patients", Some(&key)).await?, 401, "INVALID_TOKEN")?;
        self.secrets.push(key);
        Ok("a doctor's key for staff lists patients and sees names alone; 403 for what only the doctor may, and for anything about the doctor's account; 401 for what asks for a fresh login, and once it was ended".to_owned())
    }

    pub(crate) async fn stuffing(&mut self) -> Saw {
        let login = |password: &str| json!({ "tenant": "south", "user": "sven", "password": password });
        let own = self.password("south", "sven")?.to_owned();
        // Sven logged in at home before, and his browser keeps the mark of it.
        let home = self.client.at(Ipv4Addr::new(198, 51, 100, 7));
        let before = home.post("/login", None, &login(&own)).await?;
        expect(&before, 200)?;
        let cookie = before.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.ok_or("no mark of the device")?.to_owned();

        let (mut guessed, mut slowed) = (0, 0);
        for bot in 0..MOST_BOTS {
            let client = self.client.at(Ipv4Addr::new(203, 0, 113, bot));
            let guesses = (0..6).map(|guess| {
                let (client, body) = (client.clone(), login(&format!("guess {bot} {guess}")));
                tokio::spawn(async move { client.post("/login", None, &body).await })
            });
            for guess in guesses.collect::<Vec<_>>() {
                let answer = guess.await??;
                match answer.status {
                    401 => guessed += 1,
                    429 => {
                        expect_code(&answer, 429, "TOO_MANY_AUTH_ATTEMPTS")?;
                        must(answer.header("retry-after").is_some(), || "no Retry-After".to_owned())?;
                        slowed += 1;
                    }
                    _ => return Err(format!("{} for a guess", code(&answer)).into()),
                }
            }
            must(guessed <= 5 * (u32::from(bot) + 1), || format!("one address had {guessed} guesses"))?;
        }
        must((95..=100).contains(&guessed), || format!("{guessed} guesses at one account were answered"))?;
        let stranger: Client = self.client.at(Ipv4Addr::new(198, 51, 100, 99));
        expect_code(&stranger.post("/login", None, &login(&own)).await?, 429, "TOO_MANY_AUTH_ATTEMPTS")?;
        expect(&home.on_device(&cookie).post("/login", None, &login(&own)).await?, 200)?;
        self.log_with(&["authn_login_fail_max"]).await?;
        Ok(format!(
            "{guessed} guesses from {MOST_BOTS} addresses were answered with 401, {slowed} with 429, five at most for each address; then 429 for everybody, even with the right password, and 200 for its owner's own browser"
        ))
    }

    async fn log_in_nora(&self, code: Option<&str>) -> Result<Answer, Trouble> {
        let mut login = json!({ "tenant": "north", "user": NORA, "password": PASSWORD });
        if let (Some(code), Some(members)) = (code, login.as_object_mut()) {
            members.insert("code".to_owned(), json!(code));
        }
        self.client.post("/login", None, &login).await
    }
}

/// So many that they use up what an account has in a day.
const MOST_BOTS: u8 = 21;

pub(super) fn member(answer: &Answer, name: &str) -> Result<String, Trouble> {
    let value = json_of(answer).at(name).as_str().map(str::to_owned);
    value.ok_or_else(|| format!("no {name} in {} {}", answer.status, text(answer)).into())
}
