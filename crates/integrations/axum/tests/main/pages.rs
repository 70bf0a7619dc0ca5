//! Pages that tell people what went wrong.

use std::sync::Arc;

use axum::{http::StatusCode, response::IntoResponse};
use bartizan_axum::{Page, Problem, SecureRouter, StrictForm, get, post};
use bartizan_http::Code;
use bartizan_testkit::{ManualClock, MemoryRecorder};
use serde::Deserialize;

use crate::bench::{Answer, Bench, Created, NOW};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
}

fn routes(router: SecureRouter<Created>) -> SecureRouter<Created> {
    let again = async || Page::of(Code::InvalidCredentials, "<p>again</p>");
    router
        .route(get("/page", async || Page::new("<p>here</p>")).public("a page").page())
        .route(post("/again", again).public("a form").page())
        .route(post("/data", again).public("no page"))
        .route(
            post("/bare", async || (StatusCode::UNAUTHORIZED, Page::new("<p>secret</p>")))
                .public("a page without its problem")
                .page(),
        )
        .route(
            post("/softened", async || {
                (StatusCode::OK, Page::of(Code::InvalidCredentials, "<p>secret</p>")).into_response()
            })
            .public("a page that takes its problem back")
            .page(),
        )
        .route(
            post("/form", async |StrictForm(form): StrictForm<Form>| Page::new(form.name))
                .public("a form")
                .page(),
        )
        .route(get("/mine", async || Page::new("<p>mine</p>")).authenticated().page())
        .route(
            get("/out", async || Err::<Page, _>(Problem::from(Code::ServiceUnavailable)))
                .public("out")
                .page(),
        )
}

fn bench(with_pages: bool) -> Bench {
    let (recorder, clock) = (Arc::new(MemoryRecorder::default()), Arc::new(ManualClock::at(NOW)));
    Bench::of(
        recorder,
        clock,
        |guard| guard,
        |router| match with_pages {
            false => routes(router),
            true => routes(router).error_pages(|problem, method, target| {
                format!("<p>{} {method} {}</p>", problem.code().as_str(), target.path())
            }),
        },
    )
}

fn is_page(answer: &Answer) -> bool {
    let policy = answer.header("content-security-policy").unwrap();
    let is_html = answer.header("content-type") == Some("text/html; charset=utf-8");
    assert_eq!(is_html, policy.contains("form-action 'self'"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    is_html
}

#[test]
fn a_page_may_tell_of_a_problem_and_keeps_its_status_and_headers() {
    let bench = bench(false);
    let page = bench.get("/page", &[]);
    assert_eq!((page.status, page.body.as_str(), is_page(&page)), (200, "<p>here</p>", true));
    let again = bench.send("POST /again", &[], b"");
    assert_eq!((again.status, again.body.as_str(), is_page(&again)), (401, "<p>again</p>", true));
    assert_eq!(again.header("www-authenticate"), Some(r#"Bearer realm="api""#));
    assert_eq!(again.header("cache-control"), Some("no-store"));
    assert_eq!(again.header("x-request-id").map(str::len), Some(32));
}

#[test]
fn where_no_page_is_expected_its_problem_is_told() {
    let bench = bench(true);
    let answer = bench.send("POST /data", &[], b"");
    assert_eq!(
        (answer.status, answer.code().as_str(), is_page(&answer)),
        (401, "INVALID_CREDENTIALS", false)
    );
}

#[test]
fn a_page_with_a_status_that_is_not_its_problems_is_not_shown() {
    let bench = bench(false);
    let bare = bench.send("POST /bare", &[], b"");
    assert_eq!((bare.status, bare.code().as_str(), is_page(&bare)), (401, "UNAUTHORIZED", false));
    assert!(bare.header("www-authenticate").is_some() && !bare.contains("secret"));
    let softened = bench.send("POST /softened", &[], b"");
    assert_eq!((softened.status, softened.code().as_str()), (401, "INVALID_CREDENTIALS"));
    assert!(!softened.contains("secret"));
}

#[test]
fn problems_of_pages_are_told_by_pages_where_somebody_writes_them() {
    let (plain, bench) = (bench(false), bench(true));
    let form = "Content-Type: application/x-www-form-urlencoded";
    for (line, headers, body, status, text) in [
        ("GET /mine", &[][..], "", 401, "<p>UNAUTHORIZED GET /mine</p>"),
        (
            "POST /form",
            &[form, "Content-Length: 11"],
            "name=a&x=bb",
            400,
            "<p>VALIDATION_ERROR POST /form</p>",
        ),
        (
            "POST /form",
            &[form, "Content-Length: 13"],
            "name=a&name=b",
            400,
            "<p>INVALID_REQUEST POST /form</p>",
        ),
        ("POST /form", &[], "", 415, "<p>UNSUPPORTED_MEDIA_TYPE POST /form</p>"),
        ("GET /out", &[], "", 503, "<p>SERVICE_UNAVAILABLE GET /out</p>"),
    ] {
        let answer = bench.send(line, headers, body.as_bytes());
        assert_eq!((answer.status, answer.body.as_str(), is_page(&answer)), (status, text, true), "{line}");
        let told = plain.send(line, headers, body.as_bytes());
        assert_eq!((told.status, is_page(&told)), (status, false), "{line}");
        for header in ["www-authenticate", "retry-after", "cache-control"] {
            assert_eq!(answer.header(header), told.header(header), "{line}");
        }
    }
    // What has no route is no page.
    assert_eq!(bench.get("/nowhere", &[]).code(), "NOT_FOUND");
}
