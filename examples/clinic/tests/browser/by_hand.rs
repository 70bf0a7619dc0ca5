//! A clinic, the browser that looks at it, and what somebody sends who is no browser.

use std::path::Path;

use bartizan::{
    core::{
        Clock, SecretText,
        os::{self, SystemClock},
    },
    passwords::{Enrolment, Step},
};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tempfile::TempDir;

use crate::{
    site::{self, Site},
    webdriver::Browser,
};

pub(crate) const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
pub(crate) const SAME: &str = "Sec-Fetch-Site: same-origin";

/// A running clinic, and a browser beside it.
pub(crate) struct Bench {
    pub(crate) browser: Browser,
    pub(crate) site: Site,
    _folder: TempDir,
}

/// One answer, with all its cookies.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    /// The cookie that it sets, as a request brings it.
    pub(crate) fn cookie(&self, name: &str) -> String {
        let set = self.all("set-cookie").into_iter().find(|set| set.starts_with(name));
        let set = set.unwrap_or_else(|| panic!("no {name}: {self:?}"));
        format!("Cookie: {}", set.split(';').next().unwrap())
    }
}

impl Bench {
    /// # Panics
    /// Without a browser: nothing is left out silently.
    pub(crate) fn start() -> Self {
        let driver =
            os::environment("BARTIZAN_TEST_WEBDRIVER").expect("BARTIZAN_TEST_WEBDRIVER names a driver");
        let folder = tempfile::tempdir().unwrap();
        let site = Site::start(&folder.path().join("data"));
        Self { browser: Browser::start(driver.expose()), site, _folder: folder }
    }

    /// A page's URL.
    pub(crate) fn url(&self, page: &str) -> String {
        format!("http://{}{page}", self.site.address)
    }

    pub(crate) fn password(&self, user: &str) -> String {
        self.site.password("north", user)
    }

    /// Types into the form to sign in, and sends it.
    pub(crate) fn sign_in(&self, user: &str, password: &str, code: &str) {
        for (field, text) in [("tenant", "north"), ("user", user), ("password", password), ("code", code)] {
            self.browser.fill(&format!("#{field}"), text);
        }
        self.browser.click("main form button");
    }

    /// Signs in with the browser; answers the session's cookie.
    pub(crate) fn signed_in(&self, user: &str) -> Value {
        self.browser.open(&self.url("/signin"));
        self.sign_in(user, &self.password(user), "");
        assert_eq!(self.browser.url(), self.url("/home"), "{}", self.browser.source());
        self.browser.cookie("__Host-sid")
    }

    /// One request that no browser sent.
    pub(crate) fn send(&self, line: &str, headers: &[&str], body: &str) -> Answer {
        let bytes = site::exchange(self.site.address, &site::request(line, headers, body.as_bytes()), false);
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Signs in as another device would; answers the session's cookie as a request brings it.
    pub(crate) fn signed_in_elsewhere(&self, user: &str, agent: &str) -> String {
        let form = login(user, &self.password(user));
        let answer = self.send("POST /signin", &[FORM, SAME, &format!("User-Agent: {agent}")], &form);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.cookie("__Host-sid")
    }

    /// Whom a cookie lets in.
    pub(crate) fn who(&self, cookie: &str) -> Result<String, u16> {
        let answer = self.send("GET /me", &[cookie], "");
        let me = || serde_json::from_str::<Value>(&answer.body).unwrap();
        if answer.status == 200 {
            Ok(me()["subject"].as_str().unwrap().to_owned())
        } else {
            Err(answer.status)
        }
    }

    /// Gives somebody a second factor, in force from now on; answers a code of their app that is good for a while.
    pub(crate) fn second_factor(&self, user: &str) -> String {
        let (token, password) = (self.site.token("north", user), self.password(user));
        let enrolled = self.site.with_json("POST /mfa/totp", &token, &json!({ "password": password })).json();
        let uri = SecretText::new(enrolled["uri"].as_str().unwrap().to_owned());
        let enrolment = Enrolment::parse(&uri).unwrap();
        let step = Step::at(SystemClock.wall()).number();
        let confirm = json!({ "code": code(&enrolment, step) });
        let confirmed = self.site.with_json("POST /mfa/totp/confirm", &token, &confirm);
        assert_eq!(confirmed.status, 200, "{confirmed:?}");
        // Codes are good a step early.
        code(&enrolment, step + 1)
    }

    /// A picture of the page, for whoever wants to look at it.
    pub(crate) fn picture(&self, name: &str) {
        self.browser.picture(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png")));
    }
}

/// What an app shows (RFC 6238 section 4, RFC 4226 section 5.3).
fn code(enrolment: &Enrolment, step: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(enrolment.totp().secret().expose()).unwrap();
    mac.update(&step.to_be_bytes());
    let tag = mac.finalize().into_bytes();
    let word = &tag[usize::from(tag[19] & 0x0f)..][..4];
    format!("{:06}", (u32::from_be_bytes(word.try_into().unwrap()) & 0x7fff_ffff) % 1_000_000)
}

/// What the form to sign in sends.
pub(crate) fn login(user: &str, password: &str) -> String {
    // The passwords that the clinic draws have no character that a form would write differently.
    assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    format!("next=&tenant=north&user={user}&password={password}&code=")
}

/// A cookie of the browser's, as a request brings it.
pub(crate) fn header(cookie: &Value) -> String {
    format!("Cookie: {}={}", cookie["name"].as_str().unwrap(), cookie["value"].as_str().unwrap())
}
