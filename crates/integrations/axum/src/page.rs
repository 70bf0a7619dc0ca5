//! Answers for people: pages in HTML, also where something went wrong.

use std::fmt;

use axum::{
    body::Body,
    http::{HeaderValue, Method, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use bartizan_http::{Problem, Rendering};

/// A page in HTML, for a route that is a [`page`](crate::Route::page). Everything in it that is not the service's own text has to be
/// escaped by whoever wrote it.
///
/// A page may also say what went wrong, as a form does that is shown once more. It is then the answer of a problem, with that problem's
/// status and headers. (An answer of a status from 400 that is made in another way is written as a problem by the router, and its body is
/// lost: see [`Problem`](crate::Problem).)
///
/// ```
/// use axum::response::IntoResponse;
/// use bartizan_axum::Page;
/// use bartizan_http::Code;
///
/// let again = Page::of(Code::InvalidCredentials, "<form method=post>…").into_response();
/// assert_eq!(again.status(), 401);
/// assert_eq!(again.headers()["content-type"], "text/html; charset=utf-8");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Page {
    problem: Option<Problem>,
    html: String,
}

impl Page {
    /// A page.
    #[must_use]
    pub fn new(html: impl Into<String>) -> Self {
        Self { problem: None, html: html.into() }
    }

    /// The page that tells of a problem. On a route that is no page the problem is told without it.
    #[must_use]
    pub fn of(problem: impl Into<Problem>, html: impl Into<String>) -> Self {
        Self { problem: Some(problem.into()), html: html.into() }
    }
}

/// Pages hold what is their reader's alone: their length is shown.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.problem.as_ref().map(Problem::code);
        f.debug_struct("Page").field("code", &code).field("bytes", &self.html.len()).finish()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = match &self.problem {
            None => Response::new(Body::from(self.html)),
            Some(problem) => problem.response(&Rendering::default()).map(|_| Body::from(self.html)),
        };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response.extensions_mut().insert(Written(self.problem));
        response
    }
}

/// The body is what the handler meant it to be, whatever its status.
#[derive(Clone)]
pub(crate) struct Written(pub(crate) Option<Problem>);

/// Writes the page that tells of a problem.
pub(crate) type ErrorPages = dyn Fn(&Problem, &Method, &Uri) -> String + Send + Sync;
