//! A session's way: how it is had, seen and ended, and what an old cookie is worth.

use crate::{
    by_hand::{Bench, FORM, SAME, header, login},
    webdriver::Line,
};

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1";

/// What is on the console besides answers of these statuses, which the browser writes down as errors of the network.
fn complaints(log: Vec<Line>, statuses: &[&str]) -> Vec<Line> {
    let is_expected = |line: &Line| {
        line.source == "network"
            && statuses.iter().any(|status| line.message.contains(&format!("a status of {status}")))
    };
    log.into_iter().filter(|line| !is_expected(line)).collect()
}

#[test]
fn somebody_signs_in_sees_where_and_signs_out() {
    let bench = Bench::start();
    let browser = &bench.browser;
    browser.open(&bench.url("/signin"));
    assert_eq!((browser.title().as_str(), browser.count("script")), ("Sign in – clinic", 0));
    let cookie = bench.signed_in("ada");
    assert!(browser.log().is_empty(), "a page asked for more than it may");

    assert_eq!((cookie["httpOnly"].as_bool(), cookie["secure"].as_bool()), (Some(true), Some(true)));
    assert_eq!((cookie["sameSite"].as_str(), cookie["path"].as_str()), (Some("Lax"), Some("/")));
    assert!(cookie["expiry"].as_u64().is_some());
    assert_eq!(cookie["domain"], "127.0.0.1");
    let device = browser.cookie("__Host-device");
    assert_eq!((device["httpOnly"].as_bool(), device["sameSite"].as_str()), (Some(true), Some("Strict")));
    assert_eq!(browser.run("return document.cookie"), "");
    assert!(!browser.source().contains(cookie["value"].as_str().unwrap()));

    assert_eq!(browser.text("main > p"), "You are ada of north.");
    browser.click("main a");
    assert_eq!(browser.url(), bench.url("/home/sessions"));
    assert_eq!(browser.count(".sessions li"), 1);
    assert!(browser.text(".sessions h2").starts_with("Chrome on Linux"));
    assert_eq!(browser.text(".this"), "this device");

    let phone = bench.signed_in_elsewhere("ada", PHONE);
    assert_eq!(bench.who(&phone), Ok("ada".to_owned()));
    browser.open(&bench.url("/home/sessions"));
    assert_eq!(browser.count(".sessions li"), 2);
    let button = ".sessions form button";
    let (role, name) = browser.named(button);
    assert_eq!(
        (role.as_str(), name.as_str()),
        ("button", "End the session on Safari on iPhone, last used just now")
    );
    browser.click(button);
    assert_eq!((browser.url(), browser.count(".sessions li")), (bench.url("/home/sessions?done=ended"), 1));
    assert_eq!(browser.text(".notice"), "Ended. Nobody is signed in there any more.");
    assert_eq!(bench.who(&phone), Err(401));

    let (two, three) = (bench.signed_in_elsewhere("ada", "curl/8"), bench.signed_in_elsewhere("ada", PHONE));
    browser.open(&bench.url("/home/sessions"));
    browser.click("main > form button");
    assert_eq!(browser.count(".sessions li"), 1);
    assert_eq!((bench.who(&two), bench.who(&three)), (Err(401), Err(401)));

    let kept = header(&cookie);
    assert_eq!(bench.who(&kept), Ok("ada".to_owned()));
    browser.click("header button");
    assert_eq!(
        (browser.url(), browser.text(".notice")),
        (bench.url("/signin?signed=out"), "You have signed out.".to_owned())
    );
    assert!(browser.cookies().iter().all(|cookie| cookie["name"] != "__Host-sid"));
    // Somebody who kept the cookie has nothing of it.
    assert_eq!(bench.who(&kept), Err(401));
    let again = bench.send("POST /signout", &[SAME, &kept], "");
    assert_eq!(again.status, 401);
    assert!(browser.log().is_empty());
}

#[test]
fn whoever_is_not_signed_in_is_asked_to_and_goes_on() {
    let bench = Bench::start();
    let browser = &bench.browser;
    browser.open(&bench.url("/"));
    assert_eq!((browser.url(), browser.title()), (bench.url("/home"), "Sign in – clinic".to_owned()));
    assert_eq!(browser.text(".notice"), "Sign in to go on.");
    bench.sign_in("ada", "not the password", "");
    assert_eq!(
        (browser.url(), browser.title()),
        (bench.url("/signin"), "Error: Sign in – clinic".to_owned())
    );
    assert_eq!(browser.text("[role=alert]"), "Clinic, name, password or code is wrong.");
    assert_eq!(browser.run("return document.activeElement.id"), "said");
    let kept = |field: &str| browser.run(&format!("return document.getElementById('{field}').value"));
    assert_eq!(
        (kept("tenant"), kept("user"), kept("password"), kept("code")),
        ("north".into(), "ada".into(), "".into(), "".into())
    );
    bench.sign_in("ada", &bench.password("ada"), "");
    assert_eq!(browser.url(), bench.url("/home"));
    let left = complaints(browser.log(), &["401"]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn asvs_7_4_1_a_session_that_was_ended_elsewhere_is_over_at_once() {
    let bench = Bench::start();
    let browser = &bench.browser;
    let over = header(&bench.signed_in("ada"));
    let phone = bench.signed_in_elsewhere("ada", PHONE);
    let answer = bench.send("POST /home/sessions/end", &[FORM, SAME, &phone], "session=others");
    assert_eq!((answer.status, answer.all("location")), (303, vec!["/home/sessions?done=ended"]));
    browser.open(&bench.url("/home"));
    assert_eq!(browser.text("#said"), "Your session has ended. Sign in to go on.");
    // The browser still has the old cookie, which does not stand in the way of a new one.
    bench.sign_in("ada", &bench.password("ada"), "");
    assert_eq!(browser.text("main > p"), "You are ada of north.");
    browser.open(&bench.url("/home/sessions"));
    assert_eq!((bench.who(&over), browser.count(".sessions li")), (Err(401), 2));
    // Nobody ends what is somebody else's, or no session at all.
    let theirs = bench.signed_in_elsewhere("nils", PHONE);
    let row = browser.run("return document.querySelector('.sessions [name=session]').value");
    let body = format!("session={}", row.as_str().unwrap());
    let nothing = bench.send("POST /home/sessions/end", &[FORM, SAME, &theirs], &body);
    assert_eq!((nothing.status, bench.who(&phone)), (303, Ok("ada".to_owned())));
    assert_eq!(bench.send("POST /home/sessions/end", &[FORM, SAME, &theirs], "session=x").status, 404);
}

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_page() {
    let bench = Bench::start();
    let refused = |user: &str| {
        let answer = bench.send("POST /signin", &[FORM, SAME], &login(user, "wrong-password-wrong"));
        let html = "text/html; charset=utf-8";
        assert_eq!((answer.status, answer.all("content-type")), (401, vec![html]), "{answer:?}");
        assert_eq!(answer.all("cache-control"), ["no-store"]);
        assert_eq!(answer.all("www-authenticate").len(), 1);
        assert!(answer.all("set-cookie").is_empty() && !answer.body.contains("wrong-password-wrong"));
        answer.body.replace(&format!("value=\"{user}\""), "value=\"\"")
    };
    assert_eq!(refused("ada"), refused("nobody"));
}

#[test]
fn too_many_attempts_are_told_with_a_time_to_wait() {
    let bench = Bench::start();
    let attempt = || bench.send("POST /signin", &[FORM, SAME], &login("mia", "wrong-password-wrong"));
    let slowed = (0..20).map(|_| attempt()).find(|answer| answer.status != 401).unwrap();
    assert_eq!((slowed.status, slowed.all("content-type")), (429, vec!["text/html; charset=utf-8"]));
    let seconds: u64 = slowed.all("retry-after")[0].parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
    assert!(slowed.body.contains("Too many attempts. Try again in "), "{}", slowed.body);
}

#[test]
fn asvs_7_2_4_a_cookie_from_before_the_login_is_worth_nothing_after_it() {
    let bench = Bench::start();
    let browser = &bench.browser;
    // Somebody's own, put into another's browser; it is good until then.
    let planted = bench.signed_in_elsewhere("nils", PHONE);
    let value = planted.split_once('=').unwrap().1;
    browser.open(&bench.url("/signin"));
    browser.plant("__Host-sid", value);
    browser.open(&bench.url("/home"));
    assert_eq!(browser.text("main > p"), "You are nils of north.");

    let own = header(&bench.signed_in("ada"));
    assert_ne!(own, planted);
    assert_eq!(bench.who(&planted), Err(401));
    assert_eq!(bench.who(&own), Ok("ada".to_owned()));

    // The same for one's own.
    let newer = header(&bench.signed_in("ada"));
    assert_ne!(newer, own);
    assert_eq!((bench.who(&own), bench.who(&newer)), (Err(401), Ok("ada".to_owned())));
    browser.open(&bench.url("/home/sessions"));
    assert_eq!(browser.count(".sessions li"), 1);
}

#[test]
fn a_second_factor_is_asked_for_and_taken() {
    let bench = Bench::start();
    let browser = &bench.browser;
    let code = bench.second_factor("rosa");
    browser.open(&bench.url("/signin"));
    bench.sign_in("rosa", &bench.password("rosa"), "");
    let said = browser.text("[role=alert]");
    assert!(said.starts_with("Your account has a second factor."), "{said}");
    assert_eq!(browser.cookies().len(), 0);
    bench.sign_in("rosa", &bench.password("rosa"), "000000");
    assert_eq!(browser.text("[role=alert]"), "Clinic, name, password or code is wrong.");
    bench.sign_in("rosa", &bench.password("rosa"), &code);
    assert_eq!(browser.text("main > p"), "You are rosa of north.");
    let left = complaints(browser.log(), &["401"]);
    assert!(left.is_empty(), "{left:?}");
    // A code is good once.
    browser.open(&bench.url("/signin"));
    bench.sign_in("rosa", &bench.password("rosa"), &code);
    assert_eq!(browser.text("[role=alert]"), "Clinic, name, password or code is wrong.");
}

#[test]
fn a_form_has_one_reading() {
    let bench = Bench::start();
    let good = login("ada", &bench.password("ada"));
    for (what, body, status) in [
        ("an unknown field", format!("{good}&role=admin"), 400),
        ("a field twice", format!("{good}&user=nils"), 400),
        ("a field twice, once encoded", format!("{good}&us%65r=nils"), 400),
        ("a field missing", good.replace("&code=", ""), 400),
        ("a line end", good.replace("user=ada", "user=ada%0d%0a"), 400),
        ("no text", good.replace("user=ada", "user=%ff"), 400),
        ("an empty name", good.replace("user=ada", "user="), 400),
        ("a name that is too long", good.replace("user=ada", &format!("user={}", "a".repeat(65))), 400),
        ("more than a form has", format!("{good}{}", "x".repeat(5_000)), 400),
        ("more than a body has", format!("{good}{}", "x".repeat(70_000)), 413),
    ] {
        let answer = bench.send("POST /signin", &[FORM, SAME], &body);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert!(answer.all("set-cookie").is_empty(), "{what}");
    }
    let json = bench.send("POST /signin", &["Content-Type: application/json", SAME], "{}");
    assert_eq!((json.status, json.all("content-type")), (415, vec!["text/html; charset=utf-8"]));
    assert_eq!(bench.send("POST /signin", &[FORM, SAME], &good).status, 303);
    // Where it leads stays here.
    for next in ["//evil.example", "https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example"] {
        let answer =
            bench.send("POST /signin", &[FORM, SAME], &good.replace("next=", &format!("next={next}")));
        assert_eq!((answer.status, answer.all("location")), (303, vec!["/home"]), "{next}");
    }
}
