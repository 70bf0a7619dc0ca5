//! What the tests share: settings, a small HTTP client, and the Python peer.

use std::{
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

/// One request over HTTP/1.0, which knows no chunked answers; the body of a 200.
pub(crate) fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> String {
    let rest = url.strip_prefix("http://").expect("peers speak plain HTTP on loopback");
    let (authority, path) = rest.split_once('/').expect("a URL with a path");
    let mut stream = TcpStream::connect(authority).expect("the peer listens");
    let mut request =
        format!("{method} /{path} HTTP/1.0\r\nhost: {authority}\r\ncontent-length: {}\r\n", body.len());
    headers.iter().for_each(|(name, value)| request.push_str(&format!("{name}: {value}\r\n")));
    write!(stream, "{request}\r\n{body}").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.lines().next().is_some_and(|line| line.contains(" 200 ")), "{answer}");
    body.to_owned()
}

/// PyJWT and joserfc behind one process: `jose.py`.
pub(crate) struct Jose {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Jose {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(setting("BARTIZAN_TEST_PYTHON"))
            .args(["-W", "ignore", concat!(env!("CARGO_MANIFEST_DIR"), "/jose.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
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
