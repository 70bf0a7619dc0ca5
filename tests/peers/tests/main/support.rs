//! What the tests share: settings, a small HTTP client, and the Python peer.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use bartizan_core::os;
use serde_json::Value;

/// Where a peer is. Missing means that the tests were not started by `cargo xtask test --servers`, and is a failure.
pub(crate) fn setting(name: &str) -> String {
    match os::environment(name) {
        Some(value) => value.expose().to_owned(),
        None => panic!("{name} is not set: run `cargo xtask test --servers`"),
    }
}

/// One request over HTTP/1.0, which knows no chunked answers; the body of a 200. A header `host` stands in place of the URL's.
pub(crate) fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let (head, body) = exchange(method, url, headers, body);
    assert!(head.lines().next().is_some_and(|line| line.contains(" 200 ")), "{head}\n\n{body}");
    body
}

/// One request and its answer, head and body.
pub(crate) fn exchange(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
    let rest = url.strip_prefix("http://").expect("peers speak plain HTTP on loopback");
    let (authority, path) = rest.split_once('/').expect("a URL with a path");
    let mut stream = TcpStream::connect(authority).expect("the peer listens");
    let mut request = format!("{method} /{path} HTTP/1.0\r\ncontent-length: {}\r\n", body.len());
    if headers.iter().all(|(name, _)| *name != "host") {
        request.push_str(&format!("host: {authority}\r\n"));
    }
    headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
    write!(stream, "{request}\r\n{body}").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}

/// Follows redirections as a browser does, cookies and all, until one leads to this address; answers that one's query.
pub(crate) fn follow(url: &str, until: &str) -> String {
    let mut url = url.to_owned();
    let mut cookies: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..10 {
        let cookie: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (head, body) = exchange("GET", &url, &[("cookie", &cookie.join("; "))], "");
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let mut location = None;
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) =
                    value.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
                cookies.insert(name.to_owned(), value.to_owned());
            } else if name.eq_ignore_ascii_case("location") {
                location = Some(value.to_owned());
            }
        }
        let location = location.unwrap_or_else(|| panic!("no redirection: {head}\n\n{body}"));
        if let Some(query) = location.strip_prefix(until) {
            return query.trim_start_matches('?').to_owned();
        }
        url = match location.starts_with('/') {
            true => {
                let (origin, _) =
                    url.match_indices('/').nth(2).map_or((&*url, ""), |(at, _)| url.split_at(at));
                format!("{origin}{location}")
            }
            false => location,
        };
    }
    panic!("too many redirections");
}

/// PyJWT and joserfc behind one process, `jose.py`, or npm's jose behind one, `jose.mjs`.
pub(crate) struct Jose {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Jose {
    pub(crate) fn python() -> Self {
        let mut command = Command::new(setting("BARTIZAN_TEST_PYTHON"));
        Self::start(command.args(["-W", "ignore", concat!(env!("CARGO_MANIFEST_DIR"), "/jose.py")]))
    }

    pub(crate) fn node() -> Self {
        let mut command = Command::new(setting("BARTIZAN_TEST_NODE"));
        Self::start(command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/jose.mjs")))
    }

    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the peer starts");
        let (requests, answers) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Self { child, requests, answers: BufReader::new(answers) }
    }

    /// What the peer answers: `ok`, and either what was asked for or `error`.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").expect("the peer reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer answers");
        serde_json::from_str(&line).expect("an answer in JSON; else its own message stands above")
    }
}

impl Drop for Jose {
    fn drop(&mut self) {
        // The peer is gone when it already ended by itself.
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}
