//! The pages as text: what stands in them, what never does, and whether it can be read.

use std::{collections::HashMap, time::Duration};

use axum::http::{Method, Uri};
use bartizan::{
    core::UnixTime,
    http::{Code, Problem, SafeRedirect},
};

use super::{
    STYLE, problem,
    problems::said,
    view::{Home, Row, Said, Sessions, SignIn, home, message, sessions, sign_in},
};

const NOW: UnixTime = UnixTime::from_secs(1_790_000_000);

/// What somebody may be called who means no good. None of it is to stand in a page as it is.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)",
    "</title><b>",
    "<!--",
    "a\u{202e}b",
];

fn form(tenant: &str, user: &str, said: Option<Said>) -> String {
    sign_in(&SignIn { said, next: &SafeRedirect::parse("/home").unwrap(), tenant, user })
}

fn row(id: &str, device: &str, address: &str, is_this: bool) -> Row<'static> {
    let ago = |seconds| NOW.saturating_sub(Duration::from_secs(seconds));
    let address = Some(&*address.to_owned().leak());
    Row { id: id.to_owned(), device: device.to_owned(), address, begun: ago(7_200), seen: ago(90), is_this }
}

fn list(rows: &[Row<'_>]) -> String {
    sessions(&Sessions { said: None, now: NOW, rows })
}

/// One of every kind of page.
fn pages(text: &str) -> Vec<String> {
    let rows = [row(text, text, text, true), row(text, text, text, false)];
    let mut pages = vec![form(text, text, None), home(&Home { tenant: text, user: text }), list(&rows)];
    pages.extend(Code::ALL.iter().map(|code| form(text, text, Some(said(&Problem::of(*code))))));
    pages.extend(Code::ALL.iter().map(|code| message("That did not work", &said(&Problem::of(*code)))));
    pages
}

/// What stands between `before` and `after`, each time.
fn all_between<'t>(text: &'t str, before: &str, after: &str) -> Vec<&'t str> {
    text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap()).collect()
}

#[test]
fn asvs_1_1_2_a_hostile_name_adds_nothing_to_a_page() {
    let tags = |page: &str| page.matches('<').count();
    for hostile in HOSTILE {
        for (plain, page) in pages("Ada").iter().zip(pages(hostile)) {
            assert!(!page.contains(hostile), "{page}");
            assert_eq!((tags(plain), plain.matches('"').count()), (tags(&page), page.matches('"').count()));
            assert!(!page.contains('\u{202e}'));
        }
    }
}

#[test]
fn nothing_in_a_page_needs_more_than_its_policy_allows() {
    for page in pages("Ada") {
        for banned in
            ["<script", "<style", " style=", "javascript:", "http:", "https:", "//", "<iframe", "<base"]
        {
            assert!(!page.contains(banned), "{banned}: {page}");
        }
        let handlers = page.split_whitespace().filter(|word| word.starts_with("on") && word.contains('='));
        assert_eq!(handlers.count(), 0);
        for target in all_between(&page, "action=\"", "\"") {
            assert!(["/signin", "/signout", "/home/sessions/end"].contains(&target), "{target}");
        }
        assert_eq!(page.matches("<form").count(), page.matches("<form method=\"post\"").count());
    }
    assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
}

#[test]
fn every_page_says_its_language_its_title_and_one_heading() {
    for page in pages("Ada") {
        assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
        assert!(page.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"));
        assert_eq!((page.matches("<title>").count(), page.matches("<h1>").count()), (1, 1));
        // What went wrong is told first, to whoever hears the page as well.
        assert_eq!(page.contains("role=\"alert\""), page.contains("<title>Error: "));
        assert_eq!(page.contains("autofocus"), page.contains("role=\"alert\" tabindex=\"-1\" autofocus"));
    }
}

#[test]
fn asvs_6_2_7_password_managers_know_every_field() {
    let page = form("", "", None);
    for (name, autocomplete) in [
        ("tenant", "organization"),
        ("user", "username"),
        ("password", "current-password"),
        ("code", "one-time-code"),
    ] {
        let field = all_between(&page, &format!("<input id=\"{name}\" name=\"{name}\""), ">");
        assert_eq!(field.len(), 1, "{name}");
        assert!(field[0].contains(&format!("autocomplete=\"{autocomplete}\"")), "{name}");
        assert_eq!(page.matches(&format!("<label for=\"{name}\">")).count(), 1, "{name}");
    }
    assert!(page.contains("name=\"password\" type=\"password\"") && !page.contains("autocomplete=\"off\""));
}

#[test]
fn neither_password_nor_code_ever_stands_in_a_page() {
    for page in pages("Ada") {
        for field in ["password", "code"] {
            let found = all_between(&page, &format!("<input id=\"{field}\""), ">");
            assert!(found.iter().all(|field| !field.contains("value=")));
        }
    }
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_told_alike() {
    let wrong = Some(said(&Problem::of(Code::InvalidCredentials)));
    assert_eq!(wrong, Some(Said::Alert("Clinic, name, password or code is wrong.")));
    assert_eq!(
        form("north", "ada", wrong.clone()),
        form("north", "bob", wrong).replace("\"bob\"", "\"ada\"")
    );
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    let problem = Problem::of(Code::TooManyAuthAttempts).retry_after(Duration::from_millis(400_500));
    assert_eq!(said(&problem), Said::Wait(Duration::from_secs(401)));
    assert!(form("", "", Some(said(&problem))).contains("Too many attempts. Try again in 7 minutes."));
}

#[test]
fn own_session_has_no_button_to_end_it_and_others_each_have_one() {
    let one = [row("s1", "Chrome on Linux", "::1", true)];
    let page = list(&one);
    assert!(!page.contains("/home/sessions/end") && page.contains("this device"));
    let two = [row("s1", "Chrome on Linux", "::1", true), row("s2", "Safari on iPhone", "::1", false)];
    let page = list(&two);
    assert_eq!(all_between(&page, "name=\"session\" value=\"", "\""), ["s2", "others"]);
    assert!(page.contains("aria-label=\"End the session on Safari on iPhone, last used 1 minute ago\""));
    assert!(page.contains("<time datetime=\"2026-09-21T"), "{page}");
}

#[test]
fn whoever_is_not_signed_in_is_asked_to_and_goes_on_where_they_wanted_to() {
    let asked = |code, method: Method, uri: &'static str| {
        problem(&Problem::of(code), &method, &Uri::from_static(uri))
    };
    let next = |page: &str| all_between(page, "name=\"next\" value=\"", "\"")[0].to_owned();
    for code in [Code::NoCredentials, Code::SessionEnded, Code::StepUpRequired] {
        assert_eq!(next(&asked(code, Method::GET, "/home/sessions?done=ended")), "/home/sessions?done=ended");
        // A form is not sent twice, and nothing leads back to where one signs in.
        assert_eq!(next(&asked(code, Method::POST, "/home/sessions/end")), "/home");
    }
    assert_eq!(next(&asked(Code::CrossSite, Method::POST, "/signin")), "/home");
    assert_eq!(next(&asked(Code::ValidationError, Method::GET, "/signin?next=/x&y=1")), "/home");
    let stale = asked(Code::StepUpRequired, Method::GET, "/home/sessions");
    assert!(stale.contains("Sign in once more") && !stale.contains("second factor. Type"), "{stale}");
    assert!(asked(Code::StepUpRequired, Method::POST, "/signin").contains("second factor. Type"));
    let refused = asked(Code::CrossSite, Method::POST, "/signout");
    assert!(refused.contains("Nothing was done") && !refused.contains("<form"));
}

/// Relative luminance and contrast (WCAG 2.2, definitions).
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

#[test]
fn every_text_can_be_read_in_both_schemes() {
    let schemes = all_between(STYLE, ":root {", "}");
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let colours: HashMap<&str, &str> = scheme
            .lines()
            .filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": "))
            .collect();
        for (front, back, least) in [
            ("text", "card", 4.5),
            ("soft", "card", 4.5),
            ("accent", "card", 4.5),
            ("accent", "ground", 4.5),
            ("on-accent", "accent", 4.5),
            ("alert", "alert-ground", 4.5),
            ("notice", "notice-ground", 4.5),
            ("line", "card", 3.0),
        ] {
            let found = contrast(colours[front], colours[back]);
            assert!(found >= least, "{front} on {back}: {found:.2}");
        }
    }
    // No text has a colour that was not looked at.
    let used = all_between(STYLE, "\n  color: ", ";");
    assert!(used.iter().all(|colour| colour.starts_with("var(--") || *colour == "inherit"), "{used:?}");
}
