//! What the pages look like: values in, markup out, and nothing else.

use std::time::Duration;

use bartizan::{core::UnixTime, http::SafeRedirect};

use super::{html::Html, words};

/// What a page says first, about what was just asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Something went as it should.
    Notice(&'static str),
    /// Something did not.
    Alert(&'static str),
    /// It has to wait this long.
    Wait(Duration),
}

/// The page to sign in on.
#[derive(Debug)]
pub(super) struct SignIn<'a> {
    pub(super) said: Option<Said>,
    /// Where to go afterwards.
    pub(super) next: &'a SafeRedirect,
    /// What was typed before. Neither a password nor a code is ever put into a page.
    pub(super) tenant: &'a str,
    pub(super) user: &'a str,
}

/// The page of whoever is signed in.
#[derive(Debug)]
pub(super) struct Home<'a> {
    pub(super) tenant: &'a str,
    pub(super) user: &'a str,
}

/// The page of where they are signed in.
#[derive(Debug)]
pub(super) struct Sessions<'a> {
    pub(super) said: Option<Said>,
    pub(super) now: UnixTime,
    pub(super) rows: &'a [Row<'a>],
}

/// One of somebody's sessions.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// What its button sends.
    pub(super) id: String,
    pub(super) device: String,
    pub(super) address: Option<&'a str>,
    pub(super) begun: UnixTime,
    pub(super) seen: UnixTime,
    /// Whether it is the one that the page is shown in.
    pub(super) is_this: bool,
}

/// What a session's button sends that ends all others.
pub(super) const OTHERS: &str = "others";

pub(super) fn sign_in(page: &SignIn<'_>) -> String {
    let invalid: &'static str = match page.said {
        Some(Said::Alert(_)) => " aria-describedby=\"said\"",
        _ => "",
    };
    let form = Html::of("<form method=\"post\" action=\"/signin\">\n<input type=\"hidden\" name=\"next\" value=\"")
        .text(page.next.as_str())
        .raw(
            "\">\n<label for=\"tenant\">Clinic</label>\n\
             <input id=\"tenant\" name=\"tenant\" autocomplete=\"organization\" autocapitalize=\"none\" spellcheck=\"false\" \
             maxlength=\"64\" required",
        )
        .raw(invalid)
        .raw(" value=\"")
        .text(page.tenant)
        .raw(
            "\">\n<label for=\"user\">Name</label>\n\
             <input id=\"user\" name=\"user\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" \
             maxlength=\"64\" required",
        )
        .raw(invalid)
        .raw(" value=\"")
        .text(page.user)
        .raw(
            "\">\n<label for=\"password\">Password</label>\n\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required",
        )
        .raw(invalid)
        .raw(
            ">\n<label for=\"code\">Code</label>\n\
             <p class=\"hint\" id=\"code-hint\">From your app, or a recovery code. Leave it empty if you have set up none.</p>\n\
             <input id=\"code\" name=\"code\" autocomplete=\"one-time-code\" autocapitalize=\"none\" spellcheck=\"false\" \
             maxlength=\"64\" aria-describedby=\"code-hint\">\n\
             <button>Sign in</button>\n</form>\n",
        );
    document("Sign in", page.said.as_ref(), Head::Plain, &form)
}

pub(super) fn home(page: &Home<'_>) -> String {
    let body = Html::of("<p>You are <strong><bdi>")
        .text(page.user)
        .raw("</bdi></strong> of <strong><bdi>")
        .text(page.tenant)
        .raw("</bdi></strong>.</p>\n<nav><a href=\"/home/sessions\">Where you are signed in</a></nav>\n");
    document("Your account", None, Head::SignOut, &body)
}

pub(super) fn sessions(page: &Sessions<'_>) -> String {
    let mut body = Html::of("<ul class=\"sessions\">\n");
    for row in page.rows {
        body = body.and(&session(row, page.now));
    }
    body = body.raw("</ul>\n");
    if page.rows.iter().any(|row| !row.is_this) {
        body = body.and(&end(OTHERS, Html::of("<button class=\"quiet\">End all others</button>")));
    }
    body = body.raw("<nav><a href=\"/home\">Go to your account</a></nav>\n");
    document("Where you are signed in", page.said.as_ref(), Head::SignOut, &body)
}

/// A page that tells of a problem and leads on.
pub(super) fn message(title: &'static str, said: &Said) -> String {
    document(title, Some(said), Head::Plain, &Html::of("<p><a href=\"/home\">Go to your account</a></p>\n"))
}

fn session(row: &Row<'_>, now: UnixTime) -> Html {
    let mut item = Html::of("<li>\n<div>\n<h2><bdi>").text(&row.device).raw("</bdi>");
    if row.is_this {
        item = item.raw(" <span class=\"this\">this device</span>");
    }
    item = item
        .raw("</h2>\n<p>Last used ")
        .and(&time(row.seen, now))
        .raw("; signed in ")
        .and(&time(row.begun, now));
    if let Some(address) = row.address {
        item = item.raw(" from <bdi>").text(address).raw("</bdi>");
    }
    item = item.raw("</p>\n</div>\n");
    if !row.is_this {
        let button = Html::of("<button class=\"quiet\" aria-label=\"End the session on ")
            .text(&row.device)
            .raw(", last used ")
            .text(&words::ago(row.seen, now))
            .raw("\">End</button>");
        item = item.and(&end(&row.id, button));
    }
    item.raw("</li>\n")
}

fn end(which: &str, button: Html) -> Html {
    Html::of("<form method=\"post\" action=\"/home/sessions/end\"><input type=\"hidden\" name=\"session\" value=\"")
        .text(which)
        .raw("\">")
        .and(&button)
        .raw("</form>\n")
}

fn time(then: UnixTime, now: UnixTime) -> Html {
    let whole = UnixTime::from_secs(then.as_secs()).to_string();
    Html::of("<time datetime=\"").text(&whole).raw("\">").text(&words::ago(then, now)).raw("</time>")
}

/// What stands in a page's head besides the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Plain,
    SignOut,
}

/// What all pages have.
fn document(title: &'static str, said: Option<&Said>, head: Head, body: &Html) -> String {
    let is_error = matches!(said, Some(Said::Alert(_) | Said::Wait(_)));
    let mut page = Html::of("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>")
        // Who hears the page read hears this first.
        .raw(if is_error { "Error: " } else { "" })
        .raw(title)
        .raw(
            " – clinic</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"stylesheet\" href=\"/style.css\">\n\
             <link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n</head>\n<body>\n\
             <header><span class=\"brand\">clinic</span>",
        );
    if head == Head::SignOut {
        page = page.raw(
            "<form method=\"post\" action=\"/signout\"><button class=\"quiet\">Sign out</button></form>",
        );
    }
    page = page.raw("</header>\n<main>\n<h1>").raw(title).raw("</h1>\n");
    if let Some(said) = said {
        page = page.and(&summary(said));
    }
    page.and(body).raw("</main>\n</body>\n</html>\n").into_string()
}

/// Without a script, `autofocus` is what brings whoever uses a keyboard or hears the page to what went wrong.
fn summary(said: &Said) -> Html {
    let alert = Html::of("<p class=\"alert\" id=\"said\" role=\"alert\" tabindex=\"-1\" autofocus>");
    match said {
        Said::Notice(text) => {
            Html::of("<p class=\"notice\" id=\"said\" role=\"status\">").raw(text).raw("</p>\n")
        }
        Said::Alert(text) => alert.raw(text).raw("</p>\n"),
        Said::Wait(time) => {
            alert.raw("Too many attempts. Try again in ").text(&words::wait(*time)).raw(".</p>\n")
        }
    }
}
