//! Pages of another site, which send forms to the clinic while somebody is signed in there.

use crate::{
    by_hand::{Bench, FORM, header, login},
    elsewhere::{Elsewhere, form, frame},
};

#[test]
fn asvs_3_5_1_a_page_of_another_origin_does_nothing_here() {
    let bench = Bench::start();
    let browser = &bench.browser;
    let phone = bench.signed_in_elsewhere("ada", "curl/8");
    let cookie = header(&bench.signed_in("ada"));
    let theirs = bench.password("nils");
    let fields = [("next", ""), ("tenant", "north"), ("user", "nils"), ("password", &*theirs), ("code", "")];
    let elsewhere = Elsewhere::start([
        ("/signout", form(&bench.url("/signout"), &[])),
        ("/end", form(&bench.url("/home/sessions/end"), &[("session", "others")])),
        ("/signin", form(&bench.url("/signin"), &fields)),
    ]);
    // To a browser the first is another site, whose forms do not even bring the cookie. The second is the same site, as its host is, and
    // another origin: its forms do.
    let said = "The page of another site asked for this. Nothing was done.";
    for (host, page) in [
        ("localhost", "/signout"),
        ("localhost", "/end"),
        ("localhost", "/signin"),
        ("127.0.0.1", "/signout"),
        ("127.0.0.1", "/end"),
        ("127.0.0.1", "/signin"),
    ] {
        browser.open(&elsewhere.url(host, page));
        browser.click("#go");
        assert_eq!(browser.text("#said"), said, "{host}{page}");
        browser.open(&bench.url("/home"));
        assert_eq!(browser.text("main > p"), "You are ada of north.", "{host}{page}");
        assert_eq!(header(&browser.cookie("__Host-sid")), cookie, "{host}{page}");
        assert_eq!(bench.who(&cookie), Ok("ada".into()), "{host}{page}");
        assert_eq!(bench.who(&phone), Ok("ada".into()), "{host}{page}");
    }
    browser.open(&bench.url("/home/sessions"));
    assert_eq!(browser.count(".sessions li"), 2);
}

#[test]
fn no_other_page_shows_ours_within_itself() {
    let bench = Bench::start();
    let browser = &bench.browser;
    bench.signed_in("ada");
    let elsewhere = Elsewhere::start([("/frame", frame(&bench.url("/home")))]);
    browser.log();
    browser.open(&elsewhere.url("127.0.0.1", "/frame"));
    let log = browser.log();
    assert!(log.iter().any(|line| line.message.contains("frame-ancestors")), "{log:?}");
}

#[test]
fn whoever_says_nothing_of_the_sender_changes_nothing() {
    let bench = Bench::start();
    let cookie = bench.signed_in_elsewhere("ada", "curl/8");
    for headers in
        [&[][..], &["Sec-Fetch-Site: cross-site"], &["Origin: null"], &["Origin: https://evil.example"]]
    {
        for (line, body) in [
            ("POST /signout", String::new()),
            ("POST /home/sessions/end", "session=others".to_owned()),
            ("POST /signin", login("nils", &bench.password("nils"))),
        ] {
            let headers: Vec<&str> =
                [cookie.as_str(), FORM].into_iter().chain(headers.iter().copied()).collect();
            let answer = bench.send(line, &headers, &body);
            assert_eq!((answer.status, answer.all("set-cookie").len()), (403, 0), "{line} {headers:?}");
        }
    }
    assert_eq!(bench.who(&cookie), Ok("ada".to_owned()));
}
