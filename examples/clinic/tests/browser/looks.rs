//! How the pages look and what they are to somebody who does not see them. The pictures are left where cargo keeps what tests write.

use crate::by_hand::Bench;

#[test]
fn pages_fit_a_phone_and_a_desk_in_both_schemes() {
    let bench = Bench::start();
    let browser = &bench.browser;
    let fits = |page: &str| {
        for (width, scheme) in [(320, "light"), (320, "dark"), (1_200, "light"), (1_200, "dark")] {
            browser.look(width, scheme);
            let wide = browser.run("return document.documentElement.scrollWidth");
            assert_eq!(wide, width, "{page} scrolls sideways");
            // What a finger has to hit (WCAG 2.2, 2.5.8), and what has to be read.
            let small = "return [...document.querySelectorAll('button, input:not([type=hidden])')]
                .filter(one => one.getBoundingClientRect().height < 44).length";
            assert_eq!(browser.run(small), 0, "{page}");
            bench.picture(&format!("{page}-{width}-{scheme}"));
        }
    };
    browser.open(&bench.url("/signin"));
    fits("signin");
    bench.sign_in("ada", "not the password", "");
    fits("refused");
    bench.signed_in("ada");
    bench.signed_in_elsewhere("ada", "Mozilla/5.0 (iPhone) Safari/604.1");
    fits("home");
    browser.open(&bench.url("/home/sessions"));
    fits("sessions");
}

#[test]
fn everything_has_a_name_and_a_focus_that_is_seen() {
    let bench = Bench::start();
    let browser = &bench.browser;
    browser.open(&bench.url("/signin"));
    for (field, role, name) in [
        ("#tenant", "textbox", "Clinic"),
        ("#user", "textbox", "Name"),
        ("#password", "textbox", "Password"),
        ("#code", "textbox", "Code"),
        ("main button", "button", "Sign in"),
        ("h1", "heading", "Sign in"),
    ] {
        assert_eq!(browser.named(field), (role.to_owned(), name.to_owned()));
    }
    assert_eq!(browser.run("return document.documentElement.lang"), "en");
    // Through the whole form by keyboard alone.
    let mut order = Vec::new();
    for _ in 0..5 {
        browser.press("\u{e004}");
        order.push(browser.run("return document.activeElement.name || document.activeElement.textContent"));
        let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle + ' ' + getComputedStyle(document.activeElement).outlineWidth");
        assert_eq!(outline, "solid 3px", "{order:?}");
    }
    assert_eq!(order, ["tenant", "user", "password", "code", "Sign in"]);
}
