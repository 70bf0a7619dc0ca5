//! The one way in which this service says no: a constant body, the right headers, and nothing of its inside.

use std::{fmt, time::Duration};

use bartizan_core::Permission;
use bartizan_rate_limit::Standing;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE},
};
use serde::Serialize;

use crate::{Code, RequestId, SessionCookie, StepUp, limit_headers};

/// An answer that is no success. Render it with [`Problem::response`].
///
/// ```
/// use bartizan_http::{Code, Problem, Rendering, Style};
///
/// let answer = Problem::of(Code::TokenExpired).response(&Rendering::new(Style::Problem));
/// assert_eq!(answer.status(), 401);
/// assert_eq!(answer.headers()["www-authenticate"], r#"Bearer error="invalid_token""#);
/// assert_eq!(
///     String::from_utf8_lossy(answer.body()),
///     r#"{"title":"Unauthorized","status":401,"detail":"Token has expired","code":"TOKEN_EXPIRED"}"#
/// );
/// ```
///
/// # Security
/// It has no place for a message: what a client reads is the code's constant sentence. Whatever else is known belongs into
/// the record, under the request's id.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    more: Option<Box<More>>,
}

#[derive(Clone, Default, PartialEq, Eq)]
struct More {
    retry_after: Option<Duration>,
    request: Option<RequestId>,
    fields: Vec<FieldError>,
    required: Vec<Permission>,
    step_up: Option<StepUp>,
    limits: HeaderMap,
    clears_session: bool,
}

/// In which form problems leave the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Style {
    /// RFC 9457: `application/problem+json`, with the members `code`, `request_id` and `errors` added.
    #[default]
    Problem,
    /// `{"success":false,"error":{"code":…,"message":…}}`, for clients that were written for it.
    Envelope,
}

/// How problems are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendering {
    style: Style,
    show_required: bool,
}

impl Rendering {
    /// Written in this style, with nothing said about the policy.
    #[must_use]
    pub const fn new(style: Style) -> Self {
        Self { style, show_required: false }
    }

    /// Names the permissions that a 403 was about: while developing only.
    ///
    /// # Security
    /// It tells everybody who is refused what to ask for, and so, over time, the whole policy.
    #[must_use]
    pub const fn danger_show_required(mut self) -> Self {
        self.show_required = true;
        self
    }
}

/// What is wrong with one field of a body or query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pointer: Box<str>,
    code: &'static str,
    message: &'static str,
}

impl FieldError {
    /// A field by its JSON pointer (RFC 6901), empty for the whole, for example `/address/zip`; a fixed code word and a
    /// fixed sentence. Neither says what the client sent.
    #[must_use]
    pub fn new(pointer: impl Into<Box<str>>, code: &'static str, message: &'static str) -> Self {
        Self { pointer: pointer.into(), code, message }
    }

    /// The JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The code word, `lower_snake`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl Problem {
    /// The problem of this code, and no more said.
    #[must_use]
    pub const fn of(code: Code) -> Self {
        Self { code, more: None }
    }

    /// [`Code::ValidationError`] about these fields; at most 64 of them are named.
    #[must_use]
    pub fn fields(fields: impl IntoIterator<Item = FieldError>) -> Self {
        let mut problem = Self::of(Code::ValidationError);
        problem.more().fields = fields.into_iter().take(MAX_FIELDS).collect();
        problem
    }

    /// The same, to be tried again after this long; rounded up to whole seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.more().retry_after = Some(wait);
        self
    }

    /// The same, about these permissions. They are shown by [`Rendering::danger_show_required`] alone.
    #[must_use]
    pub fn requiring(mut self, permissions: &[Permission]) -> Self {
        self.more().required = permissions.to_vec();
        self
    }

    /// A refusal by this limit, [`Code::RateLimitExceeded`] or [`Code::TooManyAuthAttempts`]: with `Retry-After` and what the limit
    /// says to clients.
    #[must_use]
    pub fn limited(code: Code, standing: &Standing) -> Self {
        let mut problem = Self::of(code);
        problem.more().retry_after = standing.decision().retry_after();
        limit_headers(&mut problem.more().limits, std::slice::from_ref(standing));
        problem
    }

    /// [`Code::StepUpRequired`], with what is asked for in the challenge (RFC 9470 section 3).
    #[must_use]
    pub fn stepping_up(step_up: &StepUp) -> Self {
        let mut problem = Self::of(Code::StepUpRequired);
        problem.more().step_up = Some(step_up.clone());
        problem
    }

    /// The same, which also takes the session's cookie away from the browser: for one that no request will ever be let in by.
    #[must_use]
    pub fn clearing_session(mut self) -> Self {
        self.more().clears_session = true;
        self
    }

    /// The same, in this request. Its id is shown where this service failed (5xx): that is what an operator searches for.
    /// Other answers keep it out of their body, so that those to a missing record and to a hidden one are alike byte by byte.
    #[must_use]
    pub fn in_request(mut self, request: RequestId) -> Self {
        if self.code.status().is_server_error() {
            self.more().request = Some(request);
        }
        self
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// What is wrong with which field.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        self.more.as_ref().map_or(&[], |more| &more.fields)
    }

    /// The whole answer: status, `Content-Type`, `Cache-Control: no-store`, `WWW-Authenticate` on 401, 403 and a malformed
    /// credential (RFC 6750 section 3), `Retry-After` on 429 and 503, `Set-Cookie` where it takes the session's cookie away, and the
    /// body.
    #[must_use]
    pub fn response(&self, rendering: &Rendering) -> Response<Vec<u8>> {
        let mut response = Response::new(self.body(rendering));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(match rendering.style {
                Style::Problem => "application/problem+json",
                Style::Envelope => "application/json",
            }),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.code.challenge() {
            let asked = self.more.as_ref().and_then(|more| more.step_up.as_ref());
            let full = asked.and_then(|step_up| step_up.challenge(challenge.header()));
            headers.insert(
                WWW_AUTHENTICATE,
                full.unwrap_or_else(|| HeaderValue::from_static(challenge.header())),
            );
        }
        if let Some(default) = self.code.retry_after() {
            let wait = self.more.as_ref().and_then(|more| more.retry_after).unwrap_or(default);
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(more) = &self.more {
            headers.extend(more.limits.clone());
            if more.clears_session {
                // A browser finds the cookie by its name, host and path alone; its `SameSite` may have been another.
                headers.append(SET_COOKIE, SessionCookie::Lax.clear());
            }
        }
        response
    }

    fn body(&self, rendering: &Rendering) -> Vec<u8> {
        let more = self.more.as_deref();
        let required: Vec<&str> = more
            .filter(|_| rendering.show_required)
            .map(|more| more.required.iter().map(|permission| permission.name().as_str()).collect())
            .unwrap_or_default();
        let request_id = more.and_then(|more| more.request.as_ref()).map(RequestId::as_str);
        let (code, detail, status) = (self.code.as_str(), self.code.detail(), self.status());
        let written = match rendering.style {
            Style::Problem => serde_json::to_vec(&ProblemBody {
                title: status.canonical_reason().unwrap_or_default(),
                status: status.as_u16(),
                detail,
                code,
                request_id,
                errors: self.field_errors().iter().map(PointedAt::of).collect(),
                required,
            }),
            Style::Envelope => serde_json::to_vec(&EnvelopeBody {
                success: false,
                error: EnvelopeError {
                    code,
                    message: detail,
                    required,
                    details: self.field_errors().iter().map(Named::of).collect(),
                    request_id,
                },
            }),
        };
        // INVARIANT(plain-bodies): texts, numbers and lists always serialize; an empty body would still have its status.
        written.unwrap_or_default()
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::of(code)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Problem").field(&self.code).finish()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.detail())
    }
}

impl std::error::Error for Problem {}

/// RFC 9457 section 3.1. There is no `type`, which means `about:blank`; the title is then the status's own phrase.
#[derive(Serialize)]
struct ProblemBody<'a> {
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<PointedAt<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
}

#[derive(Serialize)]
struct PointedAt<'a> {
    pointer: &'a str,
    code: &'a str,
    message: &'a str,
}

impl<'a> PointedAt<'a> {
    fn of(field: &'a FieldError) -> Self {
        Self { pointer: &field.pointer, code: field.code, message: field.message }
    }
}

#[derive(Serialize)]
struct EnvelopeBody<'a> {
    success: bool,
    error: EnvelopeError<'a>,
}

#[derive(Serialize)]
struct EnvelopeError<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    required: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Named<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

/// The field as `address.zip`.
#[derive(Serialize)]
struct Named<'a> {
    field: String,
    message: &'a str,
}

impl<'a> Named<'a> {
    fn of(field: &'a FieldError) -> Self {
        let dotted = field.pointer.trim_start_matches('/').replace('/', ".");
        Self { field: dotted, message: field.message }
    }
}

/// The most fields that one answer names.
const MAX_FIELDS: usize = 64;
