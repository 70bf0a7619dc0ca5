//! What the endpoints of accounts, sessions and keys refuse.

use serde_json::{Value, json};

use super::CANARY;
use crate::site::{Site, bearer};

/// Values that no account, password or key can have, and tokens that nobody was given.
pub(super) fn accounts(site: &Site) {
    let token = site.token("north", "ada");
    let long = "n".repeat(33);
    let at = |local: usize| format!("{}@mail.example", "a".repeat(local));
    let registration =
        json!({ "tenant": "north", "user": "kim", "email": at(3), "password": "a quiet heron c4n4ry5f1d" });
    let key = json!({ "name": "board", "scopes": ["staff"], "days": 1 });
    let reset =
        json!({ "tenant": "north", "user": "ada", "token": CANARY, "new": "a quiet heron c4n4ry5f1d" });
    let change = json!({ "old": CANARY, "new": "a quiet heron c4n4ry5f1d" });
    let cases: &[(&str, &Value, &str, Value, &str)] = &[
        ("POST /register", &registration, "user", json!(""), "required"),
        ("POST /register", &registration, "user", json!("Kim"), "invalid"),
        ("POST /register", &registration, "user", json!("k m"), "invalid"),
        ("POST /register", &registration, "user", json!("kı̇m"), "invalid"),
        ("POST /register", &registration, "user", json!(long), "invalid"),
        ("POST /register", &registration, "email", json!("kim"), "invalid"),
        ("POST /register", &registration, "email", json!("kim@mail"), "invalid"),
        (
            "POST /register",
            &registration,
            "email",
            json!("kim@mail.example\r\nBcc: all@mail.example"),
            "invalid",
        ),
        ("POST /register", &registration, "email", json!("<kim@mail.example>"), "invalid"),
        ("POST /register", &registration, "email", json!(at(300)), "invalid"),
        ("POST /register", &registration, "password", json!("c4n4ry5f1d"), "too_short"),
        ("POST /register", &registration, "password", json!("passwordpassword"), "common"),
        ("POST /register", &registration, "password", json!("kimkimkimkimkimkim"), "context_word"),
        ("POST /register", &registration, "password", json!("c4n4ry".repeat(2_000)), "too_long"),
        ("POST /password/reset", &json!({ "tenant": "north", "user": "ada" }), "user", json!(""), "required"),
        (
            "POST /password/reset",
            &json!({ "tenant": "north", "user": "ada" }),
            "tenant",
            json!("a\nb"),
            "invalid",
        ),
        ("POST /password/reset/confirm", &reset, "new", json!("c4n4ry5f1d"), "too_short"),
        ("POST /api-keys", &key, "name", json!(""), "invalid"),
        ("POST /api-keys", &key, "name", json!("c4n4ry5f1d\u{202e}"), "invalid"),
        ("POST /api-keys", &key, "scopes", json!([]), "invalid"),
        ("POST /api-keys", &key, "scopes", json!(["admin"]), "invalid"),
        ("POST /api-keys", &key, "scopes", json!(["staff", "member"]), "invalid"),
        ("POST /api-keys", &key, "scopes", json!(["c4n4ry5f1d"]), "invalid"),
        ("POST /api-keys", &key, "days", json!(0), "invalid"),
        ("POST /api-keys", &key, "days", json!(367), "invalid"),
    ];
    for (line, good, name, value, code) in cases {
        let mut body = (*good).clone();
        body[*name] = value.clone();
        let what = format!("{line} {body}");
        let named = site.with_json(line, &token, &body).must_be(400, "VALIDATION_ERROR", &what);
        let pointer = format!("/{name}");
        assert!(
            named.iter().any(|known| *known == (pointer.clone(), (*code).to_owned())),
            "{what}: {named:?}"
        );
    }
    for (line, body) in
        [("POST /verify-email", json!({ "token": CANARY })), ("POST /password/reset/confirm", reset)]
    {
        for shown in ["", CANARY, "bzo1_c4n4ry5f1d", &format!("bzo1_{}", "A".repeat(43)), &CANARY.repeat(900)]
        {
            let mut body = body.clone();
            body["token"] = json!(shown);
            site.with_json(line, &token, &body).must_be(401, "INVALID_TOKEN", line);
        }
    }
    for shown in ["", CANARY, "bzr1_c4n4ry5f1d", &format!("bzr1_{}", "A".repeat(64)), &CANARY.repeat(900)] {
        let body = json!({ "refresh_token": shown });
        site.with_json("POST /token", &token, &body).must_be(401, "SESSION_ENDED", shown);
    }
    site.with_json("POST /password", &token, &change).must_be(401, "INVALID_CREDENTIALS", "a wrong password");
    let nothing = json!({ "code": "000000" });
    site.with_json("POST /mfa/totp/confirm", &token, &nothing).must_be(409, "CONFLICT", "nothing to confirm");
    site.send("DELETE /mfa/totp", &[&bearer(&token)], b"").must_be(401, "STEP_UP_REQUIRED", "one factor");
    for id in ["c4n4ry5f1d", &"0".repeat(32), &"A".repeat(32), &"f".repeat(33)] {
        for line in ["DELETE /sessions", "DELETE /api-keys"] {
            let line = format!("{line}/{id}");
            site.send(&line, &[&bearer(&token)], b"").must_be(404, "NOT_FOUND", &line);
        }
        let line = format!("POST /api-keys/{id}/rotate");
        let body = json!({ "days": 1, "overlap_days": 0 });
        site.with_json(&line, &token, &body).must_be(404, "NOT_FOUND", &line);
    }
}
