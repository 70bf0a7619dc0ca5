//! Bodies and queries that are too much, too little, or two things at once.

use crate::bench::{Bench, CANARY, authorization, request};

const JSON: &str = "application/json";
const GOOD: &[u8] = br#"{"name":"Ada","age":36}"#;

#[test]
fn asvs_2_2_2_a_handler_sees_only_what_was_validated() {
    let bench = Bench::start();
    let answer = bench.post("/patients", JSON, GOOD);
    assert_eq!((answer.status, answer.body.as_str()), (201, "Ada of 36 by ada"));
    let deep = format!(r#"{{"name":{}"a"{},"age":1}}"#, "[".repeat(500), "]".repeat(500));
    for (body, errors) in [
        (
            format!(r#"{{"name":"{CANARY}","age":1,"age":2}}"#),
            r#"[{"pointer":"","code":"duplicate","message":"has a member that stands twice"}]"#,
        ),
        (
            format!(r#"{{"name":"{CANARY}"}}"#),
            r#"[{"pointer":"/age","code":"required","message":"is required"}]"#,
        ),
        (
            format!(r#"{{"name":"a","age":"{CANARY}"}}"#),
            r#"[{"pointer":"/age","code":"type","message":"has the wrong type"}]"#,
        ),
        (
            format!(r#"{{"name":"a","age":1,"{CANARY}":1}}"#),
            r#"[{"pointer":"","code":"unknown_field","message":"has an unknown field"}]"#,
        ),
        (
            format!(r#"{{"name":"{CANARY}"#),
            r#"[{"pointer":"","code":"malformed","message":"is not valid JSON"}]"#,
        ),
        (deep, r#"[{"pointer":"","code":"too_large","message":"has too many levels or values"}]"#),
        (String::new(), r#"[{"pointer":"","code":"malformed","message":"is not valid JSON"}]"#),
    ] {
        let answer = bench.post("/patients", JSON, body.as_bytes());
        assert_eq!((answer.status, answer.code().as_str()), (400, "VALIDATION_ERROR"), "{body:.60}");
        assert!(answer.body.contains(&format!(r#""errors":{errors}"#)), "{}", answer.body);
        assert!(!answer.contains(CANARY));
    }
    let answer = bench.post("/patients", JSON, b"{\"name\":\"\xff\xfe\",\"age\":1}");
    assert_eq!((answer.status, answer.code().as_str()), (400, "VALIDATION_ERROR"));
    assert!(!bench.is_on_record(CANARY));
}

#[test]
fn another_content_type_is_a_415() {
    let bench = Bench::start();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "application/xml",
    ] {
        let answer = bench.post("/patients", content_type, GOOD);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "UNSUPPORTED_MEDIA_TYPE"),
            "{content_type}"
        );
    }
    let length = format!("Content-Length: {}", GOOD.len());
    let doctor = authorization("doctor");
    assert_eq!(bench.send("POST /patients", &[&doctor, &length], GOOD).status, 415);
    for extra in ["Content-Type: text/plain", "Content-Encoding: gzip"] {
        let answer =
            bench.send("POST /patients", &[&doctor, &length, "Content-Type: application/json", extra], GOOD);
        assert_eq!(answer.status, 415, "{extra}");
    }
}

#[test]
fn a_body_over_the_limit_is_a_413_however_it_is_sent() {
    let bench = Bench::start();
    let limit = 64 * 1024;
    for (target, just) in [("/patients", 400), ("/echo", 200)] {
        assert_eq!(bench.post(target, JSON, &vec![b' '; limit]).status, just, "{target}");
        let answer = bench.post(target, JSON, &vec![b' '; limit + 1]);
        assert_eq!((answer.status, answer.code().as_str()), (413, "PAYLOAD_TOO_LARGE"), "{target}");
    }
    let doctor = authorization("doctor");
    for target in ["/patients", "/echo"] {
        let headers = [doctor.as_str(), "Content-Type: application/json", "Transfer-Encoding: chunked"];
        let mut chunks = Vec::new();
        for _ in 0..65 {
            chunks.extend_from_slice(b"400\r\n");
            chunks.extend_from_slice(&[b' '; 1024]);
            chunks.extend_from_slice(b"\r\n");
        }
        chunks.extend_from_slice(b"0\r\n\r\n");
        let answer = bench.send(&format!("POST {target}"), &headers, &chunks);
        assert_eq!((answer.status, answer.code().as_str()), (413, "PAYLOAD_TOO_LARGE"), "{target}");
    }
    let answer = bench.send("POST /echo", &["Content-Length: 99999999999"], b"x");
    assert_eq!(answer.status, 413, "it is refused before it is read");
}

#[test]
fn a_body_that_breaks_off_is_never_read_as_a_whole_one() {
    let bench = Bench::start();
    let doctor = authorization("doctor");
    let headers = [doctor.as_str(), "Content-Type: application/json", "Transfer-Encoding: chunked"];
    let chunk = [b"17\r\n", GOOD, b"\r\nZZ\r\n"].concat();
    let answer = bench.send("POST /patients", &headers, &chunk);
    assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"));

    // A server that sees its client hang up may drop the request unanswered; what it must not do is to carry it out.
    let longer = format!("Content-Length: {}", GOOD.len() + 1);
    let headers = [doctor.as_str(), "Content-Type: application/json", &longer];
    if let Some(answer) = bench.hang_up_after(&request("POST /patients", &headers, GOOD)) {
        assert_eq!((answer.status, answer.code().as_str()), (400, "INVALID_REQUEST"));
    }
    assert_eq!(bench.created(), 0);
    assert_eq!(bench.post("/patients", JSON, GOOD).status, 201);
    assert_eq!(bench.created(), 1);
}

#[test]
fn what_axum_says_itself_about_a_body_does_not_get_out() {
    let bench = Bench::start();
    for (content_type, body, status) in [
        (JSON, format!(r#"{{"name":"a","age":"{CANARY}"}}"#), 400),
        (JSON, format!("{{{CANARY}"), 400),
        ("text/plain", CANARY.to_owned(), 415),
    ] {
        let answer = bench.post("/loose", content_type, body.as_bytes());
        assert_eq!(answer.status, status);
        assert!(!answer.code().is_empty() && !answer.contains(CANARY) && !answer.contains("line 1"));
    }
}

#[test]
fn asvs_15_3_7_a_query_has_one_reading() {
    let bench = Bench::start();
    let me = authorization("doctor");
    assert_eq!(bench.get("/search?name=a+b&limit=3", &[&me]).body, "a b 3");
    for (query, code) in [
        ("name=a&name=b", "INVALID_REQUEST"),
        ("name=a&n%61me=b", "INVALID_REQUEST"),
        ("name=%ff", "INVALID_REQUEST"),
        ("name=%0a", "INVALID_REQUEST"),
        ("name=a&role=admin", "VALIDATION_ERROR"),
        ("name=a&limit=300", "VALIDATION_ERROR"),
        ("limit=1", "VALIDATION_ERROR"),
    ] {
        let answer = bench.get(&format!("/search?{query}"), &[&me]);
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{query}");
    }
}
