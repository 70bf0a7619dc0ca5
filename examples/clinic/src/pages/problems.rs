//! Problems, as people are told of them.

use std::time::Duration;

use axum::http::{Method, StatusCode, Uri, header::RETRY_AFTER};
use bartizan::http::{Code, Problem, Rendering, SafeRedirect};

use super::{
    home,
    view::{self, Said, SignIn},
};

/// The page that tells of a problem, where a handler did not make one of its own: the form to sign in for whoever is not, and a few
/// words for everybody else.
pub(crate) fn problem(problem: &Problem, method: &Method, asked: &Uri) -> String {
    let said = match problem.code() {
        // On a page that asks for a fresh login; the form itself asks for a code by this.
        Code::StepUpRequired if asked.path() != "/signin" => {
            Said::Notice("You signed in some time ago. Sign in once more to go on.")
        }
        _ => said(problem),
    };
    if problem.status() != StatusCode::UNAUTHORIZED && asked.path() != "/signin" {
        return view::message("That did not work", &said);
    }
    // What was asked for goes on afterwards if it was a page, and only leads to one: a form is not sent twice.
    let page = asked.path_and_query().filter(|_| method == Method::GET && asked.path() != "/signin");
    let next = page.and_then(|page| SafeRedirect::parse(page.as_str()).ok()).unwrap_or_else(home);
    view::sign_in(&SignIn { said: Some(said), next: &next, tenant: "", user: "" })
}

/// What a page says of a problem. As little as the problem itself: nothing of what was sent, and nothing of who has an account.
pub(super) fn said(problem: &Problem) -> Said {
    match problem.code() {
        Code::InvalidCredentials => Said::Alert("Clinic, name, password or code is wrong."),
        Code::StepUpRequired => Said::Alert(
            "Your account has a second factor. Type its code too, and the password again: this page does not keep it.",
        ),
        Code::TooManyAuthAttempts | Code::RateLimitExceeded => Said::Wait(retry_after(problem)),
        Code::NoCredentials | Code::AuthenticationRequired => Said::Notice("Sign in to go on."),
        Code::SessionEnded | Code::TokenExpired | Code::TokenRevoked | Code::InvalidToken => {
            Said::Notice("Your session has ended. Sign in to go on.")
        }
        Code::CrossSite => Said::Alert("The page of another site asked for this. Nothing was done."),
        Code::MalformedCredentials => Said::Alert(
            "Your browser's cookies for this site could not be read. Sign in again; if this comes back, delete them first.",
        ),
        Code::InvalidRequest
        | Code::ValidationError
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::MethodNotAllowed => Said::Alert("That was not filled in as it has to be. Nothing was done."),
        Code::Forbidden => Said::Alert("You may not do this."),
        Code::NotFound => Said::Alert("There is no such thing here."),
        Code::ServiceUnavailable => {
            Said::Alert("This cannot be done at the moment. Try again in a few seconds.")
        }
        _ => Said::Alert("Something went wrong here. It is on record."),
    }
}

/// As the answer's header says.
fn retry_after(problem: &Problem) -> Duration {
    let answer = problem.response(&Rendering::default());
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(60))
}
