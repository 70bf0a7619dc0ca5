//! Every code in both styles, byte by byte.

use std::time::Duration;

use bartizan_core::Permission;
use bartizan_http::{Code, FieldError, Problem, Rendering, RequestId, StepUp, Style};
use bartizan_testkit::SeededEntropy;

const DELETE: Permission = Permission::literal("product:delete");

/// code, status, problem, envelope, `WWW-Authenticate`, `Retry-After`
type Row = (Code, u16, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const BARE: Option<&str> = Some(r#"Bearer realm="api""#);
const INVALID_TOKEN: Option<&str> = Some(r#"Bearer error="invalid_token""#);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (Code::NoCredentials, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"No token provided","code":"UNAUTHORIZED"}"#,
        r#"{"success":false,"error":{"code":"UNAUTHORIZED","message":"No token provided"}}"#, BARE, None),
    (Code::AuthenticationRequired, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Authentication required","code":"UNAUTHORIZED"}"#,
        r#"{"success":false,"error":{"code":"UNAUTHORIZED","message":"Authentication required"}}"#, BARE, None),
    (Code::InvalidCredentials, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Invalid credentials","code":"INVALID_CREDENTIALS"}"#,
        r#"{"success":false,"error":{"code":"INVALID_CREDENTIALS","message":"Invalid credentials"}}"#, BARE, None),
    (Code::TokenRevoked, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Token has been revoked","code":"TOKEN_REVOKED"}"#,
        r#"{"success":false,"error":{"code":"TOKEN_REVOKED","message":"Token has been revoked"}}"#, INVALID_TOKEN, None),
    (Code::TokenExpired, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Token has expired","code":"TOKEN_EXPIRED"}"#,
        r#"{"success":false,"error":{"code":"TOKEN_EXPIRED","message":"Token has expired"}}"#, INVALID_TOKEN, None),
    (Code::InvalidToken, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Invalid token","code":"INVALID_TOKEN"}"#,
        r#"{"success":false,"error":{"code":"INVALID_TOKEN","message":"Invalid token"}}"#, INVALID_TOKEN, None),
    (Code::SessionEnded, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Session has ended","code":"SESSION_ENDED"}"#,
        r#"{"success":false,"error":{"code":"SESSION_ENDED","message":"Session has ended"}}"#, BARE, None),
    (Code::StepUpRequired, 401,
        r#"{"title":"Unauthorized","status":401,"detail":"Stronger or more recent authentication required","code":"STEP_UP_REQUIRED"}"#,
        r#"{"success":false,"error":{"code":"STEP_UP_REQUIRED","message":"Stronger or more recent authentication required"}}"#,
        Some(r#"Bearer error="insufficient_user_authentication""#), None),
    (Code::MalformedCredentials, 400,
        r#"{"title":"Bad Request","status":400,"detail":"Malformed credentials","code":"INVALID_REQUEST"}"#,
        r#"{"success":false,"error":{"code":"INVALID_REQUEST","message":"Malformed credentials"}}"#,
        Some(r#"Bearer error="invalid_request""#), None),
    (Code::InvalidRequest, 400,
        r#"{"title":"Bad Request","status":400,"detail":"Malformed request","code":"INVALID_REQUEST"}"#,
        r#"{"success":false,"error":{"code":"INVALID_REQUEST","message":"Malformed request"}}"#, None, None),
    (Code::ValidationError, 400,
        r#"{"title":"Bad Request","status":400,"detail":"Validation failed","code":"VALIDATION_ERROR"}"#,
        r#"{"success":false,"error":{"code":"VALIDATION_ERROR","message":"Validation failed"}}"#, None, None),
    (Code::Forbidden, 403,
        r#"{"title":"Forbidden","status":403,"detail":"Insufficient permissions","code":"FORBIDDEN"}"#,
        r#"{"success":false,"error":{"code":"FORBIDDEN","message":"Insufficient permissions"}}"#,
        Some(r#"Bearer error="insufficient_scope""#), None),
    (Code::CrossSite, 403,
        r#"{"title":"Forbidden","status":403,"detail":"Request from another site","code":"CROSS_SITE_REQUEST"}"#,
        r#"{"success":false,"error":{"code":"CROSS_SITE_REQUEST","message":"Request from another site"}}"#, None, None),
    (Code::NotFound, 404,
        r#"{"title":"Not Found","status":404,"detail":"Not found","code":"NOT_FOUND"}"#,
        r#"{"success":false,"error":{"code":"NOT_FOUND","message":"Not found"}}"#, None, None),
    (Code::MethodNotAllowed, 405,
        r#"{"title":"Method Not Allowed","status":405,"detail":"Method not allowed","code":"METHOD_NOT_ALLOWED"}"#,
        r#"{"success":false,"error":{"code":"METHOD_NOT_ALLOWED","message":"Method not allowed"}}"#, None, None),
    (Code::Conflict, 409,
        r#"{"title":"Conflict","status":409,"detail":"Conflict with the current state","code":"CONFLICT"}"#,
        r#"{"success":false,"error":{"code":"CONFLICT","message":"Conflict with the current state"}}"#, None, None),
    (Code::PayloadTooLarge, 413,
        r#"{"title":"Payload Too Large","status":413,"detail":"Body too large","code":"PAYLOAD_TOO_LARGE"}"#,
        r#"{"success":false,"error":{"code":"PAYLOAD_TOO_LARGE","message":"Body too large"}}"#, None, None),
    (Code::UnsupportedMediaType, 415,
        r#"{"title":"Unsupported Media Type","status":415,"detail":"Unsupported media type","code":"UNSUPPORTED_MEDIA_TYPE"}"#,
        r#"{"success":false,"error":{"code":"UNSUPPORTED_MEDIA_TYPE","message":"Unsupported media type"}}"#, None, None),
    (Code::RateLimitExceeded, 429,
        r#"{"title":"Too Many Requests","status":429,"detail":"Too many requests, please try again later","code":"RATE_LIMIT_EXCEEDED"}"#,
        r#"{"success":false,"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Too many requests, please try again later"}}"#,
        None, Some("60")),
    (Code::TooManyAuthAttempts, 429,
        r#"{"title":"Too Many Requests","status":429,"detail":"Too many authentication attempts, please try again later","code":"TOO_MANY_AUTH_ATTEMPTS"}"#,
        r#"{"success":false,"error":{"code":"TOO_MANY_AUTH_ATTEMPTS","message":"Too many authentication attempts, please try again later"}}"#,
        None, Some("60")),
    (Code::Internal, 500,
        r#"{"title":"Internal Server Error","status":500,"detail":"Internal error","code":"INTERNAL"}"#,
        r#"{"success":false,"error":{"code":"INTERNAL","message":"Internal error"}}"#, None, None),
    (Code::ServiceUnavailable, 503,
        r#"{"title":"Service Unavailable","status":503,"detail":"Temporarily unavailable","code":"SERVICE_UNAVAILABLE"}"#,
        r#"{"success":false,"error":{"code":"SERVICE_UNAVAILABLE","message":"Temporarily unavailable"}}"#, None, Some("5")),
];

fn body(problem: &Problem, rendering: Rendering) -> String {
    String::from_utf8(problem.response(&rendering).into_body()).unwrap()
}

#[test]
fn asvs_1_2_3_every_code_in_both_styles_byte_by_byte() {
    assert_eq!(TABLE.iter().map(|row| row.0).collect::<Vec<_>>(), Code::ALL);
    for (code, status, problem, envelope, challenge, retry) in TABLE {
        for (style, text, media) in [
            (Style::Problem, problem, "application/problem+json"),
            (Style::Envelope, envelope, "application/json"),
        ] {
            let response = Problem::of(*code).response(&Rendering::new(style));
            let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
            assert_eq!(response.status().as_u16(), *status, "{code:?}");
            assert_eq!(header("content-type"), Some(media));
            assert_eq!(header("cache-control"), Some("no-store"));
            assert_eq!(header("www-authenticate"), *challenge, "{code:?}");
            assert_eq!(header("retry-after"), *retry, "{code:?}");
            assert_eq!(std::str::from_utf8(response.body()).unwrap(), *text);
        }
    }
}

#[test]
fn the_permissions_of_a_403_are_shown_while_developing_only() {
    let problem = Problem::of(Code::Forbidden).requiring(&[DELETE]);
    for style in [Style::Problem, Style::Envelope] {
        assert_eq!(
            body(&problem, Rendering::new(style)),
            body(&Problem::of(Code::Forbidden), Rendering::new(style))
        );
    }
    assert_eq!(
        body(&problem, Rendering::new(Style::Envelope).danger_show_required()),
        r#"{"success":false,"error":{"code":"FORBIDDEN","message":"Insufficient permissions","required":["product:delete"]}}"#
    );
    assert_eq!(
        body(&problem, Rendering::new(Style::Problem).danger_show_required()),
        r#"{"title":"Forbidden","status":403,"detail":"Insufficient permissions","code":"FORBIDDEN","required":["product:delete"]}"#
    );
}

#[test]
fn field_errors_are_named_in_both_styles() {
    let problem = Problem::fields([
        FieldError::new("/name", "required", "is required"),
        FieldError::new("/visits/0/day", "type", "has the wrong type"),
    ]);
    assert_eq!(
        body(&problem, Rendering::new(Style::Problem)),
        concat!(
            r#"{"title":"Bad Request","status":400,"detail":"Validation failed","code":"VALIDATION_ERROR","errors":["#,
            r#"{"pointer":"/name","code":"required","message":"is required"},"#,
            r#"{"pointer":"/visits/0/day","code":"type","message":"has the wrong type"}]}"#
        )
    );
    assert_eq!(
        body(&problem, Rendering::new(Style::Envelope)),
        concat!(
            r#"{"success":false,"error":{"code":"VALIDATION_ERROR","message":"Validation failed","details":["#,
            r#"{"field":"name","message":"is required"},"#,
            r#"{"field":"visits.0.day","message":"has the wrong type"}]}}"#
        )
    );
    let many =
        Problem::fields((0..1_000).map(|n| FieldError::new(format!("/{n}"), "type", "has the wrong type")));
    assert_eq!(many.field_errors().len(), 64);
}

#[test]
fn text_in_a_pointer_cannot_leave_its_json_string() {
    let problem = Problem::fields([FieldError::new("/a\"},{\"x\":\"\u{7}", "type", "has the wrong type")]);
    for style in [Style::Problem, Style::Envelope] {
        let read: serde_json::Value = serde_json::from_str(&body(&problem, Rendering::new(style))).unwrap();
        let list = if style == Style::Problem { &read["errors"] } else { &read["error"]["details"] };
        assert_eq!(list.as_array().unwrap().len(), 1);
    }
}

#[test]
fn a_step_up_says_in_its_challenge_what_it_takes() {
    let asked = StepUp::within(Duration::from_secs(300)).acr(["mfa"]);
    let response = Problem::stepping_up(&asked).response(&Rendering::default());
    assert_eq!(response.status(), 401);
    assert_eq!(
        response.headers()["www-authenticate"],
        r#"Bearer error="insufficient_user_authentication", acr_values="mfa", max_age="300""#
    );
}

#[test]
fn retry_after_is_in_whole_seconds_and_at_least_one() {
    for (wait, seconds) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (90_000, "90")] {
        let problem = Problem::of(Code::RateLimitExceeded).retry_after(Duration::from_millis(wait));
        assert_eq!(problem.response(&Rendering::default()).headers()["retry-after"], seconds);
    }
    let elsewhere = Problem::of(Code::NotFound).retry_after(Duration::from_secs(1));
    assert!(!elsewhere.response(&Rendering::default()).headers().contains_key("retry-after"));
}

#[test]
fn the_request_id_stands_in_failures_and_nowhere_else() {
    let id = RequestId::draw(&SeededEntropy::new(7)).unwrap();
    assert!(id.as_str().len() == 32 && id.as_str().bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    for code in Code::ALL {
        for style in [Style::Problem, Style::Envelope] {
            let shown = body(&Problem::of(*code).in_request(id), Rendering::new(style)).contains(id.as_str());
            assert_eq!(shown, code.status().is_server_error(), "{code:?}");
        }
    }
}

#[test]
fn a_status_without_a_problem_gets_the_nearest_code() {
    for code in Code::ALL {
        let nearest = Code::for_status(code.status());
        assert_eq!(nearest.status(), code.status(), "{code:?}");
    }
    for (status, code) in [
        (418, Code::InvalidRequest),
        (422, Code::ValidationError),
        (502, Code::Internal),
        (599, Code::Internal),
    ] {
        assert_eq!(Code::for_status(http::StatusCode::from_u16(status).unwrap()), code);
    }
}
