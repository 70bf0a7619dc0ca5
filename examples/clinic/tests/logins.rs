//! Accounts, sessions, second factors and keys: what each of them ends, and what nobody learns from an answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bartizan::{
    audit::{Query, Reader},
    core::{Clock, UnixTime, os},
};
use bartizan_testkit::ManualClock;
use clinic::{Makings, demo::App};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::{
    here::{Here, pair},
    site::{Answer, Site, bearer, files, holds},
    stores::{Fault, Stored},
};

const PASSWORD: &str = "a quiet heron on the quay";
const OTHER: &str = "two loud gulls on the roof";

/// 19,456 KiB, twice: one hash.
const ONE_HASH: u64 = 38_912;

#[tokio::test(flavor = "multi_thread")]
async fn registering_tells_nobody_which_names_are_taken() {
    let here = Here::open().await;
    let mut answers = Vec::new();
    for (tenant, user, email) in [
        ("north", "kim", "kim@mail.example"),
        ("north", "ada", "thief@mail.example"),
        ("north", "max", "thief@mail.example"),
        ("west", "kim", "thief@mail.example"),
        ("north", "kim", "kim@other.example"),
    ] {
        let before = here.parts.passwords.blocks_computed();
        let new = json!({ "tenant": tenant, "user": user, "email": email, "password": PASSWORD });
        let answer = here.json("POST /register", &new).await;
        assert_eq!(answer.status, 202);
        assert_eq!(here.parts.passwords.blocks_computed() - before, ONE_HASH, "{tenant} {user}");
        answers.push(answer.comparable());
        if user == "kim" && tenant == "north" {
            here.token_mailed(email, 1).await;
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");

    // The second who took the name before anybody had verified it has it; the first one's token is worth nothing.
    let first = json!({ "token": here.token_mailed("kim@mail.example", 1).await });
    here.json("POST /verify-email", &first).await.must_be(401, "INVALID_TOKEN", "an older registration");
    let second = json!({ "token": here.token_mailed("kim@other.example", 1).await });
    assert_eq!(here.json("POST /verify-email", &second).await.status, 204);
    assert_eq!(here.log_in("kim", PASSWORD, None).await.status, 200);

    // A name that is verified is told to its owner alone.
    let again = json!({ "tenant": "north", "user": "kim", "email": "thief@mail.example", "password": OTHER });
    assert_eq!(here.json("POST /register", &again).await.comparable(), answers[0]);
    here.log_in("kim", OTHER, None).await.must_be(401, "INVALID_CREDENTIALS", "somebody else's password");
    let (_, mails) = here.stop().await;
    assert_eq!(mails, ["kim@mail.example", "kim@other.example", "kim@other.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn asvs_6_3_8_a_login_tells_nobody_who_has_an_account() {
    let here = Here::open().await;
    let new = json!({ "tenant": "north", "user": "kim", "email": "kim@mail.example", "password": PASSWORD });
    assert_eq!(here.json("POST /register", &new).await.status, 202);
    here.token_mailed("kim@mail.example", 1).await;
    let mut answers = Vec::new();
    for (user, password, code) in [
        ("ada", "wrong", None),
        ("nobody", "wrong", None),
        ("kim", "wrong", None),
        ("kim", PASSWORD, None),
        ("ada", "wrong", Some("123456")),
    ] {
        let before = here.parts.passwords.blocks_computed();
        let answer = here.log_in(user, password, code).await;
        answer.must_be(401, "INVALID_CREDENTIALS", user);
        assert_eq!(here.parts.passwords.blocks_computed() - before, ONE_HASH, "{user}");
        answers.push(answer.comparable());
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_set_anew_once_and_ends_everything() {
    let here = Here::open().await;
    let email = here.member("kim", PASSWORD).await;
    let (access, refresh) = pair(&here.log_in("kim", PASSWORD, None).await);

    let mut answers = Vec::new();
    for user in ["kim", "nobody", "ada"] {
        let before = here.parts.passwords.blocks_computed();
        let forgotten = json!({ "tenant": "north", "user": user });
        answers.push(here.json("POST /password/reset", &forgotten).await.comparable());
        assert_eq!(here.parts.passwords.blocks_computed() - before, 0);
    }
    assert_eq!(answers[0].0, 202);
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");

    let token = here.token_mailed(&email, 2).await;
    let reset = |user: &str, token: &str, new: &str| json!({ "tenant": "north", "user": user, "token": token, "new": new });
    let confirm = "POST /password/reset/confirm";
    // What is no password does not use the token up.
    here.json(confirm, &reset("kim", &token, "short")).await.must_be(400, "VALIDATION_ERROR", "a short one");
    here.json("POST /verify-email", &json!({ "token": token })).await.must_be(
        401,
        "INVALID_TOKEN",
        "a purpose",
    );
    assert_eq!(here.json(confirm, &reset("kim", &token, OTHER)).await.status, 204);
    here.json(confirm, &reset("kim", &token, PASSWORD)).await.must_be(401, "INVALID_TOKEN", "once more");

    here.ask("GET /me", &access).await.must_be(401, "TOKEN_REVOKED", "a token of before");
    let refresh = json!({ "refresh_token": refresh });
    here.json("POST /token", &refresh).await.must_be(401, "SESSION_ENDED", "a session of before");
    here.log_in("kim", PASSWORD, None).await.must_be(401, "INVALID_CREDENTIALS", "the old password");
    assert_eq!(here.log_in("kim", OTHER, None).await.status, 200);

    assert!(here.mailed(&email, 3).await.contains("The password of kim was changed"));

    // A token for one account sets nobody else's password.
    assert_eq!(
        here.json("POST /password/reset", &json!({ "tenant": "north", "user": "kim" })).await.status,
        202
    );
    let token = here.token_mailed(&email, 4).await;
    here.json(confirm, &reset("ada", &token, PASSWORD)).await.must_be(401, "INVALID_TOKEN", "another's");
    assert_eq!(here.log_in("ada", here.password("ada"), None).await.status, 200);
    let (_, mails) = here.stop().await;
    assert!(mails.iter().all(|to| *to == email), "{mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asvs_6_2_2_asvs_6_2_3_whoever_knows_the_old_password_changes_it_and_ends_every_session() {
    let here = Here::open().await;
    let (here_access, _) = here.tokens("ada").await;
    let (there_access, there_refresh) = here.tokens("ada").await;
    let (own, change) = (here.password("ada").to_owned(), "POST /password");
    let body = |old: &str, new: &str| json!({ "old": old, "new": new });
    let wrong = here.json_as(change, &here_access, &body("wrong", PASSWORD)).await;
    wrong.must_be(401, "INVALID_CREDENTIALS", "a wrong old password");
    let named = here.json_as(change, &here_access, &body(&own, "short")).await;
    assert_eq!(named.must_be(400, "VALIDATION_ERROR", "a short one")[0].0, "/new");
    let (access, refresh) = pair(&here.json_as(change, &here_access, &body(&own, PASSWORD)).await);
    for old in [&here_access, &there_access] {
        here.ask("GET /me", old).await.must_be(401, "TOKEN_REVOKED", "a token of before");
    }
    let old = json!({ "refresh_token": there_refresh });
    here.json("POST /token", &old).await.must_be(401, "SESSION_ENDED", "a session of before");
    assert_eq!(here.ask("GET /me", &access).await.status, 200);
    pair(&here.json("POST /token", &json!({ "refresh_token": refresh })).await);
    here.log_in("ada", &own, None).await.must_be(401, "INVALID_CREDENTIALS", "the old password");
    assert_eq!(here.log_in("ada", PASSWORD, None).await.status, 200);
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asvs_6_4_3_a_second_factor_is_given_up_by_whoever_has_it_and_no_reset_gets_around_it() {
    let here = Here::open().await;
    let (user, email, own) = ("kim", here.member("kim", PASSWORD).await, PASSWORD);
    let (access, _) = pair(&here.log_in(user, own, None).await);
    let enrol = json!({ "password": own });
    let enrolled = here.json_as("POST /mfa/totp", &access, &enrol).await.json();
    let again = here.json_as("POST /mfa/totp", &access, &enrol).await.json();
    assert_ne!(enrolled["uri"], again["uri"], "a secret that nobody confirmed is replaced");
    let stale = App::scanned(enrolled["uri"].as_str().unwrap()).unwrap();
    let confirm = "POST /mfa/totp/confirm";
    let wrong = json!({ "code": stale.code(0).unwrap() });
    here.json_as(confirm, &access, &wrong).await.must_be(401, "INVALID_CREDENTIALS", "the first secret");
    // Until then the password alone is enough.
    assert_eq!(here.log_in(user, own, None).await.status, 200);

    let app = App::scanned(again["uri"].as_str().unwrap()).unwrap();
    let confirmed = here.json_as(confirm, &access, &json!({ "code": app.code(0).unwrap() })).await;
    let (access, _) = pair(&confirmed);
    let codes = confirmed.json()["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(codes.len(), 10);
    here.json_as("POST /mfa/totp", &access, &enrol).await.must_be(409, "CONFLICT", "a second one");
    here.log_in(user, own, None).await.must_be(401, "STEP_UP_REQUIRED", "one factor");

    // Nor does a mail get around it.
    let forgotten = json!({ "tenant": "north", "user": user });
    assert_eq!(here.json("POST /password/reset", &forgotten).await.status, 202);
    assert!(here.mailed(&email, 2).await.contains("The second factor of kim was changed"));
    let token = here.token_mailed(&email, 3).await;
    let reset = json!({ "tenant": "north", "user": user, "token": token, "new": OTHER });
    assert_eq!(here.json("POST /password/reset/confirm", &reset).await.status, 204);
    here.ask("GET /me", &access).await.must_be(401, "TOKEN_REVOKED", "a token of before");
    here.log_in(user, OTHER, None).await.must_be(401, "STEP_UP_REQUIRED", "one factor after a reset");
    assert!(here.mailed(&email, 4).await.contains("The password of kim was changed"));

    let (access, _) = pair(&here.log_in(user, OTHER, codes[3].as_str()).await);
    assert_eq!(here.ask("DELETE /mfa/totp", &access).await.status, 204);
    here.ask("GET /me", &access).await.must_be(401, "TOKEN_REVOKED", "a token of before");
    let (access, _) = pair(&here.log_in(user, OTHER, None).await);
    here.ask("DELETE /mfa/totp", &access).await.must_be(401, "STEP_UP_REQUIRED", "one factor");
    assert!(here.mailed(&email, 5).await.contains("The second factor of kim was changed"));
    here.stop().await;
}

/// Six digits are a million guesses: whoever has the password gets five of them.
#[tokio::test(flavor = "multi_thread")]
async fn asvs_6_6_3_guesses_at_a_second_factor_are_limited_by_account_and_not_by_address() {
    let here = Here::open().await;
    let (access, _) = here.tokens("ada").await;
    let own = here.password("ada").to_owned();
    let enrolled = here.json_as("POST /mfa/totp", &access, &json!({ "password": own })).await.json();
    let app = App::scanned(enrolled["uri"].as_str().unwrap()).unwrap();
    let confirmed =
        here.json_as("POST /mfa/totp/confirm", &access, &json!({ "code": app.code(0).unwrap() })).await;
    assert_eq!(confirmed.status, 200);
    for guess in 0..5 {
        let answer = here.log_in("ada", &own, Some(&format!("guess {guess}"))).await;
        answer.must_be(401, "INVALID_CREDENTIALS", "a guess");
    }
    let sixth = here.log_in("ada", &own, Some(&app.code(1).unwrap())).await;
    sixth.must_be(429, "TOO_MANY_AUTH_ATTEMPTS", "a sixth, although it is right");
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_sessions_are_their_owners_alone() {
    let here = Here::open().await;
    let ((ada, _), (nils, _)) = (here.tokens("ada").await, here.tokens("nils").await);
    let sessions = here.ask("GET /sessions", &ada).await.json();
    let id = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(sessions["sessions"][0]["current"], true);
    let theirs = here.ask(&format!("DELETE /sessions/{id}"), &nils).await;
    theirs.must_be(404, "NOT_FOUND", "another one's session");
    let (second, _) = here.tokens("ada").await;
    assert_eq!(here.ask(&format!("DELETE /sessions/{id}"), &second).await.status, 204);
    here.ask("GET /me", &ada).await.must_be(401, "TOKEN_REVOKED", "the session that was ended");
    assert_eq!(here.ask("GET /me", &second).await.status, 200);

    let new = json!({ "name": "board", "scopes": ["staff"], "days": 30 });
    let made = here.json_as("POST /api-keys", &second, &new).await.json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let rotate = format!("POST /api-keys/{id}/rotate");
    let body = json!({ "days": 30, "overlap_days": 1 });
    for line in [&rotate, &format!("DELETE /api-keys/{id}")] {
        let answer = here.json_as(line, &nils, &body).await;
        answer.must_be(404, "NOT_FOUND", "another one's key");
    }
    let rotated = here.json_as(&rotate, &second, &body).await;
    assert_eq!(rotated.status, 201);
    let newer = rotated.json()["key"].as_str().unwrap().to_owned();
    for key in [key, &newer] {
        assert_eq!(here.ask("GET /patients", key).await.status, 200, "both, while they overlap");
    }
    let list = here.ask("GET /api-keys", &second).await;
    assert_eq!(list.json()["api_keys"].as_array().unwrap().len(), 2);
    assert!(!list.body.contains(key) && !list.body.contains(&newer));
    // An API key outlives the sessions of its owner, and is no way to make another one.
    assert_eq!(here.json_as("POST /logout-all", &second, &json!({})).await.status, 204);
    assert_eq!(here.ask("GET /patients", &newer).await.status, 200);
    here.json_as("POST /api-keys", &newer, &new).await.must_be(401, "STEP_UP_REQUIRED", "a key by a key");
    here.stop().await;
}

/// What somebody has who took a session, or sits down at an open screen, is that session alone.
#[tokio::test(flavor = "multi_thread")]
async fn asvs_7_5_2_sessions_are_seen_and_ended_shortly_after_a_login_alone() {
    // Tokens say in whole seconds when their owner logged in.
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(os::SystemClock.wall().as_secs())));
    let here = Here::open_with(Arc::clone(&clock) as Arc<dyn Clock>, Makings::assembled).await;
    let (access, refresh) = here.tokens("ada").await;
    let (other, _) = here.tokens("ada").await;
    let form = format!("next=&tenant=north&user=ada&password={}&code=", here.password("ada"));
    let kind = ["Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin"];
    let entered = here.send("POST /signin", &kind, form.as_bytes()).await;
    let set = entered.headers_of("set-cookie").find(|set| set.starts_with("__Host-sid=")).unwrap();
    let cookie = format!("Cookie: {}", set.split(';').next().unwrap());

    let listed = |answer: &Answer| answer.json()["sessions"].as_array().unwrap().clone();
    let sessions = listed(&here.ask("GET /sessions", &other).await);
    let is_current = |session: &&Value| session["current"] == true;
    let id = sessions.iter().find(is_current).unwrap()["id"].as_str().unwrap().to_owned();
    clock.advance(Duration::from_secs(600));
    assert_eq!(listed(&here.ask("GET /sessions", &access).await).len(), 3, "at its bound");
    assert_eq!(here.send("GET /home/sessions", &[&cookie], b"").await.status, 200);
    clock.advance(Duration::from_secs(1));

    // A token that was had by another one is of the same login.
    let (newer, _) = pair(&here.json("POST /token", &json!({ "refresh_token": refresh })).await);
    let end = format!("DELETE /sessions/{id}");
    for token in [&access, &newer] {
        for line in ["GET /sessions", &*end, "POST /logout-all"] {
            let answer = here.ask(line, token).await;
            answer.must_be(401, "STEP_UP_REQUIRED", line);
            let asked = "error=\"insufficient_user_authentication\", max_age=\"600\"";
            assert!(answer.header("www-authenticate").unwrap().ends_with(asked), "{line}: {answer:?}");
        }
    }
    let body = format!("session={id}");
    let end_page = [&kind[..], &[&cookie]].concat();
    for (line, headers, body) in [
        ("GET /home/sessions", &[&*cookie][..], ""),
        ("POST /home/sessions/end", &end_page, &body),
        ("POST /home/sessions/end", &end_page, "session=others"),
    ] {
        let page = here.send(line, headers, body.as_bytes()).await;
        assert_eq!(page.status, 401, "{line}: {page:?}");
        assert!(page.body.contains("Sign in once more") && !page.body.contains(&id), "{line}: {page:?}");
    }
    assert_eq!(here.parts.sessions.list("north", "ada").await.unwrap().len(), 3, "none was ended");

    // What is about this session alone goes on, and so does everything after another login.
    assert_eq!(here.send("GET /home", &[&cookie], b"").await.status, 200);
    let (fresh, _) = here.tokens("ada").await;
    assert_eq!(listed(&here.ask("GET /sessions", &fresh).await).len(), 4);
    assert_eq!(here.ask(&end, &fresh).await.status, 204);
    here.ask("GET /api-keys", &other).await.must_be(401, "TOKEN_REVOKED", "the session that was ended");
    assert_eq!(here.ask("POST /logout", &newer).await.status, 204, "one's own");
    assert_eq!(here.ask("POST /logout-all", &fresh).await.status, 204);
    here.stop().await;
}

/// Tokens are exchanged while everything is ended: nothing that comes of it lives on.
#[tokio::test(flavor = "multi_thread")]
async fn asvs_7_4_1_no_exchange_that_is_under_way_revives_a_session_that_ended() {
    let here = Here::open().await;
    for _ in 0..10 {
        let (access, mut refresh) = here.tokens("nils").await;
        let racing = async {
            let mut got = Vec::new();
            for _ in 0..4 {
                let answer = here.json("POST /token", &json!({ "refresh_token": refresh })).await;
                if answer.status != 200 {
                    break;
                }
                let (access, next) = pair(&answer);
                refresh.clone_from(&next);
                got.push((access, next));
            }
            got
        };
        let (got, ended) = tokio::join!(racing, here.ask("POST /logout-all", &access));
        assert_eq!(ended.status, 204);
        for (access, refresh) in got.iter().chain([&(access, refresh)]) {
            here.ask("GET /me", access).await.must_be(401, "TOKEN_REVOKED", "an access token");
            let answer = here.json("POST /token", &json!({ "refresh_token": refresh })).await;
            answer.must_be(401, "SESSION_ENDED", "a refresh token");
        }
    }
    here.stop().await;
}

/// An outage is no refusal and no grant: 503 everywhere, and everything as before when it is over.
#[tokio::test(flavor = "multi_thread")]
async fn who_shows_a_password_that_is_changed_meanwhile_does_not_come_in_with_it() {
    let clock = Arc::new(ManualClock::at(os::SystemClock.wall()));
    let here = Here::open_with(clock as Arc<dyn Clock>, |mut makings: Makings| {
        let inner = Arc::clone(&makings.session_store);
        makings.session_store = Arc::new(Stored::with(Fault::EndsMeanwhile, inner));
        makings.assembled()
    })
    .await;
    let login = json!({ "tenant": "north", "user": "ada", "password": here.password("ada") });
    here.json("POST /login", &login).await.must_be(401, "SESSION_ENDED", "a login that was overtaken");
    assert_eq!(here.parts.sessions.list("north", "ada").await.unwrap().len(), 0);
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_out_closes_what_needs_it_and_nothing_is_lost() {
    let is_out = Arc::new(AtomicBool::new(false));
    let fault = Fault::Out(Arc::clone(&is_out));
    let clock = Arc::new(ManualClock::at(os::SystemClock.wall()));
    let here = Here::open_with(Arc::clone(&clock) as Arc<dyn Clock>, move |mut makings: Makings| {
        makings.session_store = Arc::new(Stored::with(fault.clone(), Arc::clone(&makings.session_store)));
        makings.assembled()
    })
    .await;
    let (access, refresh) = here.tokens("ada").await;
    let made = json!({ "name": "board", "scopes": ["staff"], "days": 30 });
    let key = here.json_as("POST /api-keys", &access, &made).await.json()["key"].as_str().unwrap().to_owned();

    is_out.store(true, Ordering::Relaxed);
    // Older than any route accepts.
    clock.advance(Duration::from_secs(6));
    let out = |answer: Answer, what: &str| {
        answer.must_be(503, "SERVICE_UNAVAILABLE", what);
    };
    for line in
        ["GET /me", "GET /patients", "GET /sessions", "GET /api-keys", "POST /logout", "POST /logout-all"]
    {
        out(here.ask(line, &access).await, line);
    }
    out(here.ask("GET /patients", &key).await, "a key");
    out(here.send("GET /me", &["Cookie: __Host-sid=bzc1_AAAA"], b"").await, "a cookie");
    out(here.json("POST /token", &json!({ "refresh_token": refresh })).await, "an exchange");
    out(here.log_in("ada", here.password("ada"), None).await, "a login");
    let token = json!({ "token": format!("bzo1_{}", "A".repeat(43)) });
    out(here.json("POST /verify-email", &token).await, "a mailed token");
    let change = json!({ "old": here.password("ada"), "new": PASSWORD });
    out(here.json_as("POST /password", &access, &change).await, "a change of the password");

    is_out.store(false, Ordering::Relaxed);
    assert_eq!(here.ask("GET /sessions", &access).await.status, 200);
    assert_eq!(here.ask("GET /patients", &key).await.status, 200);
    pair(&here.json("POST /token", &json!({ "refresh_token": refresh })).await);
    assert_eq!(here.log_in("ada", here.password("ada"), None).await.status, 200, "the password is as it was");
    here.stop().await;
}

/// What one route needs to know of now, another may have known some seconds ago, and not longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_nobody_follows_closes_the_routes_that_need_a_younger_one() {
    let clock = Arc::new(ManualClock::at(os::SystemClock.wall()));
    let here = Here::open_with(Arc::clone(&clock) as Arc<dyn Clock>, |makings: Makings| {
        let mut parts = makings.assembled()?;
        parts.upkeep = None;
        Ok(parts)
    })
    .await;
    let (access, _) = here.tokens("ada").await;
    assert_eq!(here.ask("GET /me", &access).await.status, 200);
    clock.advance(Duration::from_secs(5));
    assert_eq!(here.ask("GET /me", &access).await.status, 200, "at its bound");
    clock.advance(Duration::from_secs(1));
    here.ask("GET /me", &access).await.must_be(503, "SERVICE_UNAVAILABLE", "beyond its bound");
    assert_eq!(here.ask("GET /sessions", &access).await.status, 200, "as of now");
    here.stop().await;
}

/// A clinic of before there were second factors, with a hash that another program made.
#[test]
fn accounts_of_before_log_in_and_their_hashes_are_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let site = Site::start(&data);
    site.signal("TERM");
    assert!(site.ended().0.success());
    // Of passlib's vectors: see crates/passwords/tests/vectors.
    let bcrypt = "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG";
    let database = Connection::open(data.join("clinic.db")).unwrap();
    database.execute("DELETE FROM account_data", []).unwrap();
    database.execute("UPDATE accounts SET password = ?1 WHERE user = 'ada'", [bcrypt]).unwrap();
    drop(database);

    let site = Site::start(&data);
    site.log_in("north", "ada", "correct horse").must_be(401, "INVALID_CREDENTIALS", "half a password");
    for _ in 0..2 {
        assert_eq!(site.log_in("north", "ada", "correct horse battery staple").status, 200);
    }
    site.signal("TERM");
    assert!(site.ended().0.success());
    let database = Connection::open(data.join("clinic.db")).unwrap();
    let hash: String =
        database.query_row("SELECT password FROM accounts WHERE user = 'ada'", [], |row| row.get(0)).unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    let reader = Reader::open(&data.join("audit")).unwrap();
    assert_eq!(reader.entries(Query::new().event("password_rehashed")).unwrap().count(), 1);
}

/// Passwords, tokens, secrets, codes and addresses stand in answers and in the mail, and nowhere else.
#[test]
fn nothing_secret_is_in_the_files_or_printed_but_in_a_mail() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let site = Site::start(&data);
    let new = json!({ "tenant": "north", "user": "kim", "email": "kim@mail.example", "password": PASSWORD });
    let json_type = "Content-Type: application/json";
    assert_eq!(site.send("POST /register", &[json_type], new.to_string().as_bytes()).status, 202);
    let (access, refresh) = pair(&site.log_in("north", "nils", &site.password("north", "nils")));
    let enrol = json!({ "password": site.password("north", "nils") });
    let enrolled = site.with_json("POST /mfa/totp", &access, &enrol).json();
    let uri = enrolled["uri"].as_str().unwrap().to_owned();
    let code = App::scanned(&uri).unwrap().code(0).unwrap();
    let confirmed = site.with_json("POST /mfa/totp/confirm", &access, &json!({ "code": code }));
    let (newer, _) = pair(&confirmed);
    let key = json!({ "name": "board", "scopes": ["staff"], "days": 1 });
    let key = site.with_json("POST /api-keys", &newer, &key).json()["key"].as_str().unwrap().to_owned();
    assert_eq!(site.send("GET /patients", &[&bearer(&key)], b"").status, 200);
    let mut secrets = vec![access, refresh, newer, key, PASSWORD.to_owned(), site.password("north", "nils")];
    secrets.push(uri.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned());
    let codes = confirmed.json()["recovery_codes"].clone();
    secrets.extend(codes.as_array().unwrap().iter().map(Value::as_str).map(|code| code.unwrap().to_owned()));
    for secret in &secrets {
        assert!(!site.complaints().contains(secret));
    }
    site.signal("TERM");
    let (status, printed) = site.ended();
    assert!(status.success());

    let mailed = printed.lines().map(str::trim).find(|line| line.starts_with("bzo1_")).unwrap().to_owned();
    assert!(printed.contains("mail to kim@mail.example"), "{printed}");
    assert!(secrets.iter().all(|secret| !printed.contains(secret)), "{printed}");
    secrets.extend([mailed, "kim@mail.example".to_owned()]);
    for (path, content) in files(&data) {
        for secret in &secrets {
            assert!(!holds(&content, secret), "{}", path.display());
        }
    }
}
