//! Sends a browser on after something was done.

use axum::{
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use bartizan_http::SafeRedirect;

/// An answer that sends a browser to another page of this service: 303, so that it asks with GET whatever it asked with before. (307
/// would send a login form's password along.)
///
/// ```
/// use axum::{http::header::SET_COOKIE, response::{AppendHeaders, IntoResponse}};
/// use bartizan_axum::{Problem, SeeOther};
/// use bartizan_http::{SafeRedirect, SessionCookie};
///
/// async fn logout() -> impl IntoResponse {
///     (AppendHeaders([(SET_COOKIE, SessionCookie::Lax.clear())]), SeeOther(SafeRedirect::default()))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeeOther(pub SafeRedirect);

impl IntoResponse for SeeOther {
    fn into_response(self) -> Response {
        (StatusCode::SEE_OTHER, [(LOCATION, self.0.location())]).into_response()
    }
}
