//! Problems as axum's responses.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bartizan_http::{Code, Rendering};

/// What a handler answers when it does not succeed: a [`bartizan_http::Problem`] that axum can send.
///
/// Made by `?` or `into` from a [`Code`], a [`Fault`](bartizan_core::Fault), and whatever else becomes a
/// [`bartizan_http::Problem`]. A [`SecureRouter`](crate::SecureRouter) writes it in its own style and with the request's id;
/// without one it is written as RFC 9457 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(pub bartizan_http::Problem);

impl<P: Into<bartizan_http::Problem>> From<P> for Problem {
    fn from(problem: P) -> Self {
        Self(problem.into())
    }
}

impl Problem {
    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.0.code()
    }
}

/// The problem travels along in the response's extensions, for the router to write it again.
#[derive(Clone)]
pub(crate) struct Untold(pub(crate) bartizan_http::Problem);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.response(&Rendering::default()).map(Body::from);
        response.extensions_mut().insert(Untold(self.0));
        response
    }
}
