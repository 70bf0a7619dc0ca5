//! Every endpoint of a clinic that runs as its own process, and whatever can be sent to it: each answer is one clear problem,
//! and nothing that was planted comes out anywhere.

mod accounts;

use bartizan::audit::{Query, Reader};
use serde_json::{Value, json};

use crate::site::{Site, bearer, between, files, holds, request};

/// What is planted where nobody may find it again: passwords, tokens, bodies, ids.
const CANARY: &str = "c4n4ry5f1d";

/// What is planted in `User-Agent` and in user names, which are recorded as what a client said and shown nowhere else.
const SAID: &str = "s4idby7cl1ent";

/// Every endpoint that asks who is there.
const GUARDED: [&str; 28] = [
    "POST /logout",
    "POST /logout-all",
    "GET /sessions",
    "DELETE /sessions/c4n4ry5f1d",
    "POST /password",
    "POST /mfa/totp",
    "POST /mfa/totp/confirm",
    "DELETE /mfa/totp",
    "POST /api-keys",
    "GET /api-keys",
    "POST /api-keys/c4n4ry5f1d/rotate",
    "DELETE /api-keys/c4n4ry5f1d",
    "GET /me",
    "GET /patients",
    "POST /patients",
    "GET /patients/p-101",
    "PUT /patients/p-101",
    "PATCH /patients/p-101",
    "DELETE /patients/p-101",
    "GET /patients/p-101/rescue",
    "GET /roles",
    "POST /roles",
    "DELETE /roles/c4n4ry5f1d/nurse",
    "GET /emergencies",
    "POST /emergencies",
    "POST /emergencies/c4n4ry5f1d/review",
    "GET /audit",
    "GET /audit/verify",
];

/// Those of them that take no body, or none of whoever asks here, and do not wait for one.
const BODILESS: [&str; 4] =
    ["POST /logout", "POST /logout-all", "POST /emergencies", "POST /emergencies/c4n4ry5f1d/review"];

/// Every endpoint that takes a body, with one that it takes.
fn bodies() -> [(&'static str, Value); 14] {
    let patient = json!({ "name": "a", "ssn": "b", "medicalRecord": "c" });
    let mut new = patient.clone();
    new["owner"] = json!("kim");
    new["creditCard"] = json!("d");
    [
        ("POST /login", json!({ "tenant": "north", "user": "ada", "password": CANARY, "code": CANARY })),
        (
            "POST /register",
            json!({ "tenant": "north", "user": "kim", "email": "kim@c4n4ry5f1d.example", "password": CANARY }),
        ),
        ("POST /verify-email", json!({ "token": CANARY })),
        ("POST /token", json!({ "refresh_token": CANARY })),
        ("POST /password/reset", json!({ "tenant": "north", "user": "ada" })),
        (
            "POST /password/reset/confirm",
            json!({ "tenant": "north", "user": "ada", "token": CANARY, "new": CANARY }),
        ),
        ("POST /password", json!({ "old": CANARY, "new": CANARY })),
        ("POST /mfa/totp", json!({ "password": CANARY })),
        ("POST /mfa/totp/confirm", json!({ "code": CANARY })),
        ("POST /api-keys", json!({ "name": CANARY, "scopes": ["staff"], "days": 1 })),
        ("POST /roles", json!({ "user": "nils", "role": CANARY, "reason": CANARY })),
        ("POST /patients", new),
        ("PUT /patients/p-101", patient.clone()),
        ("PATCH /patients/p-101", patient),
    ]
}

#[test]
fn every_endpoint_answers_anything_with_one_clear_problem() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::behind_a_proxy(&folder.path().join("data"));
    let before = site.get("/patients/p-101", &site.token("north", "ada")).body;

    credentials(&site);
    logins(&site);
    texts(&site);
    media_types(&site);
    sizes(&site);
    fields(&site);
    accounts::accounts(&site);
    ids(&site);
    methods(&site);
    queries(&site);
    no_http(&site);

    // None of it has changed anything, or let anything out.
    assert_eq!(site.get("/patients/p-101", &site.token("north", "ada")).body, before);
    nothing_planted_is_anywhere(&site);
    site.signal("TERM");
    let stderr = site.data.with_extension("stderr");
    let (status, last) = site.ended();
    assert!(status.success());
    assert!(!last.contains(CANARY) && !last.contains(SAID));
    assert_eq!(std::fs::read_to_string(stderr).unwrap(), "");
}

fn credentials(site: &Site) {
    let good = site.token("north", "ada");
    let agent = format!("User-Agent: {SAID}");
    let part = |token: &str, n: usize| token.split('.').nth(n).unwrap().to_owned();
    let (head, claims) = (part(&good, 0), part(&good, 1));
    for line in GUARDED {
        let answers = |headers: &[&str], status, code, what: &str| {
            let headers = [headers, &[&agent]].concat();
            site.send(line, &headers, b"").must_be(status, code, &format!("{line}, {what}"));
        };
        answers(&[], 401, "UNAUTHORIZED", "no token");
        answers(&["Authorization: Basic YWRhOmM0bjRyeTVmMWQ="], 401, "UNAUTHORIZED", "another scheme");
        for (what, token) in [
            ("a word", CANARY.to_owned()),
            ("three words", format!("{CANARY}.{CANARY}.{CANARY}")),
            ("another signature", format!("{head}.{claims}.{CANARY}")),
            ("no signature", format!("{head}.{claims}.")),
            ("a token twice over", format!("{good}.{good}")),
            ("as long as it may be", format!("{CANARY}.{}.x", "A".repeat(8 * 1024 - CANARY.len() - 3))),
        ] {
            answers(&[&bearer(&token)], 401, "INVALID_TOKEN", what);
        }
        for (what, value) in [
            ("no token behind the scheme", "Bearer".to_owned()),
            ("two blanks", format!("Bearer  {good}")),
            ("two tokens", format!("Bearer {good}, Bearer {CANARY}")),
            ("quotes", format!("Bearer \"{CANARY}\"")),
            ("beyond ASCII", format!("Bearer {CANARY}é")),
            ("too long", format!("Bearer {CANARY}{}", "a".repeat(9 * 1024))),
        ] {
            answers(&[&format!("Authorization: {value}")], 400, "INVALID_REQUEST", what);
        }
        answers(&[&bearer(&good), &bearer(&good)], 400, "INVALID_REQUEST", "two headers");
        let (method, path) = line.split_once(' ').unwrap();
        let in_query = format!("{method} {path}?access_token={CANARY}");
        site.send(&in_query, &[&bearer(&good), &agent], b"").must_be(400, "INVALID_REQUEST", &in_query);
    }
}

fn logins(site: &Site) {
    let wrong = site.log_in("north", "ada", CANARY);
    wrong.must_be(401, "INVALID_CREDENTIALS", "a wrong password");
    for (what, tenant, user, password) in [
        ("an unknown user", "north", SAID, CANARY.to_owned()),
        ("an unknown tenant", SAID, "ada", CANARY.to_owned()),
        ("another tenant's user", "south", "ada", site.password("north", "ada")),
        ("a user in capitals", "north", "ADA", site.password("north", "ada")),
        ("SQL", "north", "' OR '1'='1", CANARY.to_owned()),
        ("no password", "north", "ada", String::new()),
        ("a huge password", "north", "ada", CANARY.repeat(6_000)),
        ("control characters", "north", "ada", format!("{CANARY}\0\u{7}")),
        ("marks without end", "north", "ada", format!("{CANARY}{}", "\u{301}".repeat(20_000))),
        ("one blank more", "north", "ada", format!("{} ", site.password("north", "ada"))),
    ] {
        let answer = site.log_in(tenant, user, &password);
        answer.must_be(401, "INVALID_CREDENTIALS", what);
        assert_eq!(answer.body, wrong.body, "{what}");
    }
    let long = "n".repeat(65);
    for (tenant, user, wrong) in [
        ("", "ada", ("/tenant", "required")),
        ("north", "", ("/user", "required")),
        (&long, "ada", ("/tenant", "too_long")),
        ("north", &long, ("/user", "too_long")),
        ("north", "a\nda", ("/user", "invalid")),
    ] {
        let named = site.log_in(tenant, user, CANARY).must_be(400, "VALIDATION_ERROR", "a login");
        assert_eq!(named, [(wrong.0.to_owned(), wrong.1.to_owned())]);
    }
}

/// Bodies that are no JSON text, or one with two readings.
fn texts(site: &Site) {
    let authorization = bearer(&site.token("north", "ada"));
    let headers = [authorization.as_str(), "Content-Type: application/json"];
    for (line, good) in bodies() {
        let good = good.to_string();
        let (first, _) = good[1..].split_once(':').unwrap();
        let twice = |name: &str| format!("{{{name}:\"{CANARY}\",{}", &good[1..]);
        let deep = format!("{{{first}:{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        let cases: [(&str, Vec<u8>, &str); 15] = [
            ("nothing", vec![], "malformed"),
            ("a word", CANARY.into(), "malformed"),
            ("cut off", good[..good.len() - 1].into(), "malformed"),
            ("something behind it", format!("{good}{{\"{CANARY}\":1}}").into(), "malformed"),
            ("a byte order mark", format!("\u{feff}{good}").into(), "malformed"),
            ("single quotes", format!("{{'{CANARY}':'a'}}").into(), "malformed"),
            ("not UTF-8", [&good.as_bytes()[..2], b"\xff\xfe", &good.as_bytes()[2..]].concat(), "malformed"),
            ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect(), "malformed"),
            ("half a surrogate", format!("{{{first}:\"\\ud800{CANARY}\"}}").into(), "malformed"),
            ("a number beyond all", format!("{{{first}:1e999}}").into(), "malformed"),
            ("a member twice", twice(first).into(), "duplicate"),
            ("and once in escapes", twice(&escaped(first)).into(), "duplicate"),
            (
                "a member twice within",
                format!("{{{first}:{{\"a\":1,\"a\":\"{CANARY}\"}}}}").into(),
                "duplicate",
            ),
            ("too deep", deep.into(), "too_large"),
            ("too many values", format!("{{{first}:[{}1]}}", "1,".repeat(5_000)).into(), "too_large"),
        ];
        for (what, body, code) in cases {
            let what = format!("{line}, {what}");
            let named = site.send(line, &headers, &body).must_be(400, "VALIDATION_ERROR", &what);
            assert_eq!(named, [(String::new(), code.to_owned())], "{what}");
        }
        // A body that is announced and does not come.
        let headers = [&headers[..], &["Content-Length: 1000"]].concat();
        site.cut_off_after(&request(line, &headers, good.as_bytes())).must_be(400, "INVALID_REQUEST", line);
    }
}

/// A member's name with its first letter as an escape: `"name"` becomes `"\u006eame"`.
fn escaped(name: &str) -> String {
    format!("\"\\u{:04x}{}", name.as_bytes()[1], &name[2..])
}

fn media_types(site: &Site) {
    let authorization = bearer(&site.token("north", "ada"));
    for (line, good) in bodies() {
        let good = good.to_string();
        for (what, headers) in [
            ("no type", &[][..]),
            ("plain text", &["Content-Type: text/plain"]),
            ("a form", &["Content-Type: application/x-www-form-urlencoded"]),
            ("many parts", &["Content-Type: multipart/form-data; boundary=c4n4ry5f1d"]),
            ("another charset", &["Content-Type: application/json; charset=utf-16"]),
            ("another JSON", &["Content-Type: application/c4n4ry5f1d+json"]),
            ("two types", &["Content-Type: application/json", "Content-Type: application/json"]),
            ("compressed", &["Content-Type: application/json", "Content-Encoding: gzip"]),
        ] {
            let headers = [headers, &[authorization.as_str()]].concat();
            let answer = site.send(line, &headers, good.as_bytes());
            answer.must_be(415, "UNSUPPORTED_MEDIA_TYPE", &format!("{line}, {what}"));
        }
    }
}

fn sizes(site: &Site) {
    let authorization = bearer(&site.token("north", "ada"));
    let headers = [authorization.as_str(), "Content-Type: application/json"];
    let chunked = [&headers[..], &["Transfer-Encoding: chunked"]].concat();
    for line in GUARDED.into_iter().chain([
        "POST /login",
        "POST /register",
        "POST /verify-email",
        "POST /token",
        "POST /password/reset",
        "POST /password/reset/confirm",
        "GET /health",
        "GET /.well-known/jwks.json",
    ]) {
        for bytes in [64 * 1024 + 1, 10 * 1024 * 1024] {
            let body = format!("{{\"{CANARY}\":\"{}\"}}", "a".repeat(bytes - CANARY.len() - 7));
            assert_eq!(body.len(), bytes);
            let what = format!("{line}, {bytes} bytes");
            site.send(line, &headers, body.as_bytes()).must_be(413, "PAYLOAD_TOO_LARGE", &what);
            if line.starts_with("GET") || line.starts_with("DELETE") || BODILESS.contains(&line) {
                continue;
            }
            let chunks = format!("{bytes:x}\r\n{body}\r\n0\r\n\r\n");
            site.send(line, &chunked, chunks.as_bytes()).must_be(413, "PAYLOAD_TOO_LARGE", &what);
        }
    }
    // What is announced is not waited for.
    let huge = [&headers[..], &["Content-Length: 9223372036854775807"]].concat();
    site.send("POST /login", &huge, b"").must_be(413, "PAYLOAD_TOO_LARGE", "a length beyond all memory");
}

/// Values of a wrong type, missing, empty, too long, or of a field that there is not.
fn fields(site: &Site) {
    let token = site.token("north", "ada");
    for (line, good) in bodies() {
        let names: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
        let refused = |body: &Value, pointer: &str, code: &str| {
            let what = format!("{line} {body}");
            let named = site.with_json(line, &token, body).must_be(400, "VALIDATION_ERROR", &what);
            assert_eq!(named, [(pointer.to_owned(), code.to_owned())], "{what}");
        };
        for not_an_object in [json!(null), json!(1), json!(CANARY)] {
            refused(&not_an_object, "", "type");
        }
        for name in names.iter().filter(|name| good[name.as_str()].is_string()) {
            let with = |value: Value| {
                let mut body = good.clone();
                body[name] = value;
                body
            };
            let pointer = format!("/{name}");
            let is_optional = (line, name.as_str()) == ("POST /login", "code");
            if !is_optional {
                refused(&with(json!(null)), &pointer, "type");
            }
            for value in [json!(1), json!(true), json!([CANARY]), json!({ CANARY: CANARY })] {
                refused(&with(value), &pointer, "type");
            }
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(name);
            if !line.starts_with("PATCH") && !is_optional {
                refused(&without, &pointer, "required");
            }
            if !line.ends_with("/patients") && !line.contains("/patients/") {
                continue;
            }
            refused(&with(json!("")), &pointer, "required");
            refused(&with(json!(CANARY.repeat(1_000))), &pointer, "too_long");
            if name != "medicalRecord" {
                refused(&with(json!(format!("{CANARY}\u{2028}"))), &pointer, "invalid");
            }
        }
        let mut more = good.clone();
        more[CANARY] = json!(CANARY);
        refused(&more, "", "unknown_field");
        let mut tenant = good.clone();
        tenant["roles"] = json!("admin");
        refused(&tenant, "", "unknown_field");
    }
    for (line, version) in [("PUT", json!(-1)), ("PATCH", json!("1")), ("PATCH", json!(1.5))] {
        let body = json!({ "version": version, "name": "a", "ssn": "b", "medicalRecord": "c" });
        let answer = site.with_json(&format!("{line} /patients/p-101"), &token, &body);
        assert_eq!(answer.must_be(400, "VALIDATION_ERROR", "a version")[0].0, "/version");
    }
    let nothing = site.with_json("PATCH /patients/p-101", &token, &json!({ "version": 1 }));
    nothing.must_be(400, "VALIDATION_ERROR", "no change");
}

fn ids(site: &Site) {
    let (doctor, admin) = (site.token("north", "ada"), site.token("north", "rosa"));
    let long = "a".repeat(300);
    let longest = "a".repeat(3_000);
    let ids = [
        "..%2f",
        "%2e%2e",
        "..",
        ".",
        "%00",
        "p-101%00",
        "p-101%0a",
        "p-101/",
        "p-101/x",
        "p-101;a=b",
        "p-101%2f",
        "%2fp-101",
        "p-101%5c",
        "%252e",
        "%c0%af",
        "%ff",
        "%",
        "%4",
        "P-101",
        "p-101%20",
        "p-1",
        "*",
        "%F0%9F%A6%8A",
        "p%E2%80%AE-101",
        "'%20OR%201=1--",
        "c4n4ry5f1d",
        &long,
        &longest,
    ];
    for id in ids {
        for (method, token) in [("GET", &doctor), ("PUT", &doctor), ("PATCH", &doctor), ("DELETE", &admin)] {
            let line = format!("{method} /patients/{id}");
            let body = json!({ "name": CANARY, "ssn": CANARY, "medicalRecord": CANARY });
            let answer = match method {
                "GET" | "DELETE" => site.send(&line, &[&bearer(token)], b""),
                _ => site.with_json(&line, token, &body),
            };
            answer.must_be(404, "NOT_FOUND", &line);
        }
    }
    for target in
        ["//patients", "/patients/", "/./me", "/me/..", "/%6De/", "/ME", "/nowhere/c4n4ry5f1d", "/index.html"]
    {
        site.get(target, &doctor).must_be(404, "NOT_FOUND", target);
    }
}

fn methods(site: &Site) {
    let token = site.token("north", "rosa");
    for (path, served) in [
        ("/health", &["GET", "HEAD"][..]),
        ("/.well-known/jwks.json", &["GET", "HEAD"]),
        ("/login", &["POST"]),
        ("/register", &["POST"]),
        ("/verify-email", &["POST"]),
        ("/token", &["POST"]),
        ("/password/reset", &["POST"]),
        ("/password/reset/confirm", &["POST"]),
        ("/logout", &["POST"]),
        ("/logout-all", &["POST"]),
        ("/sessions", &["GET", "HEAD"]),
        ("/sessions/c4n4ry5f1d", &["DELETE"]),
        ("/password", &["POST"]),
        ("/mfa/totp", &["POST", "DELETE"]),
        ("/mfa/totp/confirm", &["POST"]),
        ("/api-keys", &["GET", "HEAD", "POST"]),
        ("/api-keys/c4n4ry5f1d", &["DELETE"]),
        ("/api-keys/c4n4ry5f1d/rotate", &["POST"]),
        ("/me", &["GET", "HEAD"]),
        ("/patients", &["GET", "HEAD", "POST"]),
        ("/patients/p-101", &["GET", "HEAD", "PUT", "PATCH", "DELETE"]),
        ("/audit", &["GET", "HEAD"]),
        ("/audit/verify", &["GET", "HEAD"]),
    ] {
        for method in
            ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "C4N4RY5F1D"]
        {
            if served.contains(&method) {
                continue;
            }
            let headers = [&bearer(&token), "X-HTTP-Method-Override: GET"];
            let line = format!("{method} {path}");
            site.send(&line, &headers, b"").must_be(405, "METHOD_NOT_ALLOWED", &line);
        }
        if served.contains(&"HEAD") {
            let head = site.send(&format!("HEAD {path}"), &[&bearer(&token)], b"");
            assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        }
    }
    site.send("CONNECT c4n4ry5f1d:443", &[], b"").must_be(404, "NOT_FOUND", "CONNECT");
    site.send("OPTIONS *", &[], b"").must_be(404, "NOT_FOUND", "OPTIONS *");
}

fn queries(site: &Site) {
    let token = site.token("north", "rosa");
    let long = format!("after={}", "a".repeat(5_000));
    for query in ["after=%", "after=%zz", "after=%ff", "after=%00", "after=a&after=b", "a&&b", "=1", &long] {
        for path in ["/patients", "/audit"] {
            site.get(&format!("{path}?{query}"), &token).must_be(400, "INVALID_REQUEST", query);
        }
    }
    for target in [
        "/patients?c4n4ry5f1d=1",
        "/patients?limit=1",
        "/audit?after=1",
        "/audit?limit=-1",
        "/audit?limit=c4n4ry5f1d",
        "/audit?limit=",
        "/audit?limit=1.5",
        "/audit?limit=18446744073709551616",
        "/audit?from=-1",
        "/audit?from=c4n4ry5f1d",
    ] {
        site.get(target, &token).must_be(400, "VALIDATION_ERROR", target);
    }
    for target in ["/audit?limit=0", "/audit?limit=501", "/audit?limit=18446744073709551615"] {
        let named = site.get(target, &token).must_be(400, "VALIDATION_ERROR", target);
        assert_eq!(named, [("/limit".to_owned(), "invalid".to_owned())]);
    }
    for target in [
        "/audit?from=18446744073709551615",
        "/audit?event=c4n4ry5f1d",
        "/audit?subject=c4n4ry5f1d",
        "/audit?event=&subject=",
    ] {
        assert_eq!(site.get(target, &token).json(), json!({ "entries": [], "next": null }), "{target}");
    }
    assert_eq!(site.get("/patients?after=%7F~", &token).status, 400);
    assert_eq!(site.get("/patients?after=q", &token).json(), json!({ "patients": [], "next": null }));
}

/// What cannot be read as HTTP at all, or is too much of it.
fn no_http(site: &Site) {
    let mega = "c4n4ry5f1d".repeat(1024 * 1024);
    let many: String = (0..200).map(|n| format!("X-{n}: {CANARY}\r\n")).collect();
    let login =
        format!("POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX: {CANARY}\r\n");
    let cases: [(&str, Vec<u8>); 22] = [
        ("a header of 10 MB", format!("GET /me HTTP/1.1\r\nHost: a\r\nX: {mega}\r\n\r\n").into()),
        (
            "a token of 10 MB",
            format!("GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {mega}\r\n\r\n").into(),
        ),
        (
            "a token of 70 KB",
            format!("GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n", &mega[..70_000])
                .into(),
        ),
        ("a path of 10 MB", format!("GET /{mega} HTTP/1.1\r\nHost: a\r\n\r\n").into()),
        ("a query of 10 MB", format!("GET /me?a={mega} HTTP/1.1\r\nHost: a\r\n\r\n").into()),
        ("a method of 10 MB", mega.clone().into()),
        ("200 headers", format!("GET /me HTTP/1.1\r\nHost: a\r\n{many}\r\n").into()),
        ("no version", format!("GET /{CANARY}\r\n\r\n").into()),
        ("another version", format!("GET /{CANARY} HTTP/3.7\r\n\r\n").into()),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03c4n4ry5f1d\r\n\r\n".into()),
        ("a blank in the path", format!("GET /me {CANARY} HTTP/1.1\r\nHost: a\r\n\r\n").into()),
        ("NUL in the path", b"GET /patients/\0c4n4ry5f1d HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("NUL in a header", b"GET /me HTTP/1.1\r\nHost: a\r\nX: c4n4ry5f1d\0\r\n\r\n".into()),
        ("a header without a name", b"GET /me HTTP/1.1\r\nHost: a\r\n: c4n4ry5f1d\r\n\r\n".into()),
        ("a blank before the colon", b"GET /me HTTP/1.1\r\nHost: a\r\nX : c4n4ry5f1d\r\n\r\n".into()),
        ("a folded header", b"GET /me HTTP/1.1\r\nHost: a\r\nX: a\r\n c4n4ry5f1d\r\n\r\n".into()),
        ("a length below nothing", format!("{login}Content-Length: -1\r\n\r\n{{}}").into()),
        ("two lengths", format!("{login}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}").into()),
        ("an unknown coding", format!("{login}Transfer-Encoding: {CANARY}\r\n\r\n{{}}").into()),
        ("a chunk of no size", format!("{login}Transfer-Encoding: chunked\r\n\r\n{CANARY}\r\n\r\n").into()),
        ("half a head", format!("GET /me HTTP/1.1\r\nX: {CANARY}").into()),
    ];
    for (what, bytes) in cases {
        site.cut_off_after(&bytes).must_be(400, "INVALID_REQUEST", what);
    }
    // Two readings of where the body ends: one answer, and what one reading takes for a second request is not carried out.
    let smuggled = "0\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n";
    let both =
        format!("{login}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n{smuggled}", smuggled.len());
    site.cut_off_after(both.as_bytes()).must_be(400, "VALIDATION_ERROR", "a length and chunks");
}

fn nothing_planted_is_anywhere(site: &Site) {
    assert!(!holds(&site.answers(), CANARY) && !holds(&site.answers(), SAID));
    assert!(!holds(site.complaints().as_bytes(), CANARY) && !holds(site.complaints().as_bytes(), SAID));
    let mut recorded = 0;
    for (path, content) in files(&site.data) {
        assert!(!holds(&content, CANARY), "{}", path.display());
        recorded += usize::from(holds(&content, SAID));
    }
    // Names and user agents are on record, as what a client said, and nowhere but in the log.
    assert_eq!(recorded, 1);
    let reader = Reader::open(&site.data.join("audit")).unwrap();
    let mut said = 0;
    for entry in reader.entries(Query::new()).unwrap() {
        let entry = entry.unwrap();
        let mut members: Value = serde_json::from_str(entry.json()).unwrap();
        for name in ["user_agent", "claimed_subject", "claimed_tenant"] {
            said += usize::from(members[name] == SAID);
            members.as_object_mut().unwrap().remove(name);
        }
        assert!(!members.to_string().contains(SAID), "{}", entry.json());
    }
    assert!(said > 20, "{said}");
    assert!(!between(&site.greeting, "The clinic", "Ctrl-C").contains(CANARY));
}
