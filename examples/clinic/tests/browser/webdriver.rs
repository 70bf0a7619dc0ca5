//! A browser, driven by the W3C's WebDriver protocol: as much of it as these tests need.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// How long the browser may take for one thing.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often the driver is asked whether something has come. Each takes it some milliseconds.
const LOOKS: usize = 5_000;

/// What the protocol calls a reference to an element (W3C WebDriver section 11).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own. Dropped, it is closed.
pub(crate) struct Browser {
    /// Host and port of the driver.
    driver: String,
    session: String,
}

/// What the browser wrote on its console.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) source: String,
    pub(crate) message: String,
}

impl Browser {
    /// Starts a browser. `driver` is the driver's URL.
    pub(crate) fn start(driver: &str) -> Self {
        let driver = driver.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let started = call(&driver, "POST", "/session", &capabilities).unwrap();
        let session = started["sessionId"].as_str().unwrap().to_owned();
        Self { driver, session }
    }

    /// Goes to a page, and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        text(&self.get("/url"))
    }

    pub(crate) fn title(&self) -> String {
        text(&self.get("/title"))
    }

    /// The page as it stands now.
    pub(crate) fn source(&self) -> String {
        text(&self.get("/source"))
    }

    /// Types into the one element that a CSS selector finds, in the place of what stood there.
    pub(crate) fn fill(&self, selector: &str, with: &str) {
        let element = self.find(selector);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(&format!("/element/{element}/value"), &json!({ "text": with }));
    }

    /// Clicks on what leads to another page, and waits until that is loaded.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
        // The driver may answer before the browser has begun to go: the old page is left when its element is gone.
        let old = format!("/session/{}/element/{element}/name", self.session);
        let is_left = || call(&self.driver, "GET", &old, &Value::Null).is_err();
        assert!((0..LOOKS).any(|_| is_left()), "{selector} leads nowhere: {}", self.url());
        let is_loaded = || self.run("return document.readyState") == "complete";
        assert!((0..LOOKS).any(|_| is_loaded()), "{} does not come", self.url());
    }

    /// What somebody reads there.
    pub(crate) fn text(&self, selector: &str) -> String {
        text(&self.get(&format!("/element/{}/text", self.find(selector))))
    }

    /// What an element is called, and what it is, to whoever does not see it.
    pub(crate) fn named(&self, selector: &str) -> (String, String) {
        let element = self.find(selector);
        let get = |what| text(&self.get(&format!("/element/{element}/{what}")));
        (get("computedrole"), get("computedlabel"))
    }

    /// How many elements a selector finds.
    pub(crate) fn count(&self, selector: &str) -> usize {
        self.find_all(selector).len()
    }

    /// What a function of the browser's own answers. It is the test that runs it, and no page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Everything the browser keeps of cookies for this page.
    pub(crate) fn cookies(&self) -> Vec<Value> {
        self.get("/cookie").as_array().unwrap().clone()
    }

    /// The one cookie of this name.
    pub(crate) fn cookie(&self, name: &str) -> Value {
        let cookies = self.cookies();
        let mut found = cookies.iter().filter(|cookie| cookie["name"] == name);
        let cookie = found.next().unwrap_or_else(|| panic!("no cookie {name}")).clone();
        assert!(found.next().is_none(), "{name} twice");
        cookie
    }

    /// Puts a cookie of this page's host into the browser, as whoever sits at it can.
    pub(crate) fn plant(&self, name: &str, value: &str) {
        let cookie = json!({ "name": name, "value": value, "path": "/", "secure": true, "httpOnly": true });
        self.post("/cookie", &json!({ "cookie": cookie }));
    }

    /// Presses a key, wherever the focus is.
    pub(crate) fn press(&self, key: &str) {
        let keys = ["keyDown", "keyUp"].map(|what| json!({ "type": what, "value": key }));
        let source = json!({ "type": "key", "id": "keyboard", "actions": keys });
        self.post("/actions", &json!({ "actions": [source] }));
    }

    /// What was written on the console since this was asked last: errors, warnings, breaches of a page's content security policy.
    pub(crate) fn log(&self) -> Vec<Line> {
        let lines = self.post("/se/log", &json!({ "type": "browser" }));
        let line = |line: &Value| Line { source: text(&line["source"]), message: text(&line["message"]) };
        lines.as_array().unwrap().iter().map(line).collect()
    }

    /// Makes the page this wide, in CSS pixels, and in this colour scheme.
    pub(crate) fn look(&self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.develop("Emulation.setDeviceMetricsOverride", &size);
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.develop("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Writes what the page looks like, as PNG.
    pub(crate) fn picture(&self, to: &Path) {
        let png = BASE64_STANDARD.decode(text(&self.get("/screenshot"))).unwrap();
        fs::write(to, png).unwrap();
    }

    fn develop(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    fn find(&self, selector: &str) -> String {
        let mut found = self.find_all(selector);
        assert_eq!(found.len(), 1, "{selector} in {}:\n{}", self.url(), self.source());
        found.remove(0)
    }

    fn find_all(&self, selector: &str) -> Vec<String> {
        let found = self.post("/elements", &json!({ "using": "css selector", "value": selector }));
        found.as_array().unwrap().iter().map(|element| text(&element[ELEMENT])).collect()
    }

    fn get(&self, path: &str) -> Value {
        self.call("GET", path, &Value::Null)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", path, body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        call(&self.driver, method, &path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = call(&self.driver, "DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// One command. Answers its `value`, or what the driver says against it.
fn call(driver: &str, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let stream = TcpStream::connect(driver).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {driver}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/json\r\n\r\n",
        body.len()
    );
    (&stream).write_all((head + &body).as_bytes()).unwrap();
    let mut reader = BufReader::new(&stream);
    let (mut status, mut length) = (String::new(), 0);
    reader.read_line(&mut status).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(':') {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap();
            }
            Some(_) => {}
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).unwrap();
    let mut answer: Value = serde_json::from_slice(&answer).unwrap();
    let value = answer["value"].take();
    if status.starts_with("HTTP/1.1 200") { Ok(value) } else { Err(format!("{status} {value}")) }
}
