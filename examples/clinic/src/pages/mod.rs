//! The clinic in a browser: signing in, seeing where one is signed in, ending that. Pages without any script, made here and shown under a
//! content security policy that allows none.
//!
//! What a page asks for goes the way of everything else: [`authenticate`](crate::authenticate) knows who somebody is, the sessions engine
//! keeps the cookie's session, the guard knows whose page sent a form. Here are the forms, and what they say.

mod account;
mod html;
mod problems;
mod sign_in;
mod view;
mod words;

use axum::{
    http::{
        HeaderName,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::IntoResponse,
};
use bartizan::{http::SafeRedirect, sessions::Freshness};
use bartizan_axum::{Route, SeeOther, get, post};

use crate::{Clinic, routes::recent_login};

pub(crate) use problems::problem;

/// What the pages need, besides the routes that programs use.
pub(crate) fn routes() -> [Route<Clinic>; 9] {
    let now = Freshness::ReadThrough;
    [
        get("/", async || SeeOther(home())).public("leads to the page of whoever is signed in"),
        get("/style.css", async || kept("text/css; charset=utf-8", STYLE)).public("how pages look"),
        get("/icon.svg", async || kept("image/svg+xml", ICON)).public("how a tab looks"),
        get("/signin", sign_in::show).public("how a session is had").page(),
        post("/signin", sign_in::enter).public("how a session is had").page(),
        get("/home", account::show).authenticated().fresh(now).page(),
        get("/home/sessions", account::sessions).authenticated().fresh(now).step_up(recent_login()).page(),
        post("/home/sessions/end", account::end).authenticated().fresh(now).step_up(recent_login()).page(),
        post("/signout", account::leave).authenticated().fresh(now).page(),
    ]
}

/// The same for everybody until the clinic is built anew.
fn kept(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "public, max-age=600")];
    (headers, text)
}

/// Where somebody goes who wants nothing else.
fn home() -> SafeRedirect {
    SafeRedirect::parse("/home").unwrap_or_default()
}

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

#[cfg(test)]
mod tests;
