//! A clinic as its own process, and a client that sends bytes as they are.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The last line of what is printed at the start.
const GREETED: &str = "Ctrl-C stops it.\n";

/// A running clinic. Dropped, it is killed as a loss of power would.
pub(crate) struct Site {
    process: Child,
    pub(crate) address: SocketAddr,
    pub(crate) data: PathBuf,
    /// What it said when it had started.
    pub(crate) greeting: String,
    stderr: PathBuf,
    answers: Mutex<Vec<u8>>,
}

impl Site {
    /// Starts a clinic on a free port, and waits until it says where.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same behind a proxy, which is every request of this: each is from another client.
    pub(crate) fn behind_a_proxy(data: &Path) -> Self {
        Self::start_with(data, &["--behind", "x-forwarded-for"])
    }

    /// The same with these arguments.
    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Self {
        let stderr = data.with_extension("stderr");
        let mut process = clinic()
            .args(["--port", "0", "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let greeting = greeting(&mut process);
        assert!(greeting.ends_with(GREETED), "it ended: {}", fs::read_to_string(&stderr).unwrap());
        let address = between(&greeting, "listens on http://", ";").parse().unwrap();
        Self { process, address, data: data.to_owned(), greeting, stderr, answers: Mutex::default() }
    }

    /// The password that was shown for an account.
    pub(crate) fn password(&self, tenant: &str, user: &str) -> String {
        let mut lines = self.greeting.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = lines.find(|words| words.len() == 4 && words[0] == tenant && words[1] == user);
        line.unwrap()[3].to_owned()
    }

    pub(crate) fn log_in(&self, tenant: &str, user: &str, password: &str) -> Answer {
        let login = json!({ "tenant": tenant, "user": user, "password": password });
        self.send("POST /login", &["Content-Type: application/json"], login.to_string().as_bytes())
    }

    /// An access token.
    pub(crate) fn token(&self, tenant: &str, user: &str) -> String {
        let answer = self.log_in(tenant, user, &self.password(tenant, user));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// One request of a client at an address of its own, if the clinic stands behind a proxy; with its length unless a header
    /// says something about it.
    pub(crate) fn send(&self, line: &str, headers: &[&str], body: &[u8]) -> Answer {
        let from = forwarded();
        self.raw(&request(line, &[headers, &[&from]].concat(), body))
    }

    pub(crate) fn get(&self, target: &str, token: &str) -> Answer {
        self.send(&format!("GET {target}"), &[&bearer(token)], b"")
    }

    pub(crate) fn with_json(&self, line: &str, token: &str, body: &Value) -> Answer {
        let headers = [&bearer(token), "Content-Type: application/json"];
        self.send(line, &headers, body.to_string().as_bytes())
    }

    /// Sends bytes, and reads until the other side closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        self.exchange(bytes, false)
    }

    /// Sends bytes and nothing after them, and reads until the other side closes.
    pub(crate) fn cut_off_after(&self, bytes: &[u8]) -> Answer {
        self.exchange(bytes, true)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    fn exchange(&self, bytes: &[u8], cut_off: bool) -> Answer {
        let answer = exchange(self.address, bytes, cut_off);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(&answer);
        Answer::parse(answer)
    }

    /// All answers so far.
    pub(crate) fn answers(&self) -> Vec<u8> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it has said to its operator.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until the process has ended; answers how, and what it said at last.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut last = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut last).unwrap();
        (self.process.wait().unwrap(), last)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Ended already, or killed now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes, and nothing after them if it is cut off; answers what comes until the other side closes.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8], cut_off: bool) -> Vec<u8> {
    let mut stream = connect(address);
    let mut answer = Vec::new();
    let mut sending = stream.try_clone().unwrap();
    thread::scope(|scope| {
        // Beside the reading, as every client does that sends much.
        scope.spawn(move || {
            let sent = sending.write_all(bytes);
            if cut_off && sent.is_ok() {
                // It may have been closed from the other side by now.
                let _ = sending.shutdown(Shutdown::Write);
            }
        });
        // A reset after the answer is none of the answer: whether it is whole, its length says.
        let _ = stream.read_to_end(&mut answer);
        // Without this the other half would go on sending to nobody.
        let _ = stream.shutdown(Shutdown::Both);
    });
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
    assert!(!answer.is_empty(), "no answer to {start:?}");
    answer
}

/// A header that names a client which nobody was before.
pub(crate) fn forwarded() -> String {
    static CLIENTS: AtomicU32 = AtomicU32::new(0);
    let [_, a, b, c] = CLIENTS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("X-Forwarded-For: 10.{a}.{b}.{c}")
}

/// The command.
pub(crate) fn clinic() -> Command {
    Command::new(env!("CARGO_BIN_EXE_clinic"))
}

/// Runs the command to its end, which must not be that it serves.
pub(crate) fn output(arguments: &[&str], data: &Path) -> Output {
    let mut command = clinic();
    command.args(arguments).arg("--data").arg(data).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let stdout = greeting(&mut process);
    if stdout.ends_with(GREETED) {
        process.kill().unwrap();
        process.wait().unwrap();
        panic!("it serves: {stdout}");
    }
    Output { stdout: stdout.into(), ..process.wait_with_output().unwrap() }
}

/// What a process prints until it has started, or ended.
fn greeting(process: &mut Child) -> String {
    let stdout = process.stdout.as_mut().unwrap();
    let (mut greeting, mut byte) = (Vec::new(), [0]);
    while !greeting.ends_with(GREETED.as_bytes()) && stdout.read(&mut byte).unwrap() > 0 {
        greeting.extend(byte);
    }
    String::from_utf8(greeting).unwrap()
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}")
}

pub(crate) fn request(line: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: clinic\r\nConnection: close\r\n").into_bytes();
    let is_framed = headers.iter().any(|header| {
        let header = header.to_ascii_lowercase();
        header.starts_with("content-length:") || header.starts_with("transfer-encoding:")
    });
    if !is_framed && !body.is_empty() {
        bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    for header in headers {
        bytes.extend(header.bytes());
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// One answer, or none.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn parse(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let status = status.split(' ').next().unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    /// All values of a header.
    pub(crate) fn headers_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers_of(name);
        let value = found.next();
        assert!(found.next().is_none(), "{name} stands twice: {self:?}");
        value
    }

    /// Everything but what differs between any two answers.
    pub(crate) fn comparable(mut self) -> (u16, Vec<(String, String)>, String) {
        self.headers.retain(|(name, _)| !["date", "x-request-id", "ratelimit"].contains(&name.as_str()));
        (self.status, self.headers, self.body)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Asserts that this is one problem and nothing else, with this status and code, and answers the fields it names.
    pub(crate) fn must_be(&self, status: u16, code: &str, what: &str) -> Vec<(String, String)> {
        assert_eq!(self.status, status, "{what}: {self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{what}: {self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{what}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{what}");
        assert_eq!(self.header("x-request-id").map(str::len), Some(32), "{what}");
        assert!(
            self.header("www-authenticate").is_some() || !matches!(status, 401 | 403),
            "{what}: {self:?}"
        );
        // One document, to the byte: nothing before it, nothing behind it, no second answer.
        assert_eq!(self.header("content-length"), Some(self.body.len().to_string().as_str()), "{what}");
        let problem = self.json();
        let members: Vec<&str> = problem.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(
            members
                .iter()
                .all(|name| ["code", "detail", "errors", "request_id", "status", "title"].contains(name)),
            "{what}: {members:?}"
        );
        assert_eq!(problem["status"], status, "{what}");
        assert_eq!(problem["code"], code, "{what}: {self:?}");
        let errors = problem["errors"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        errors.map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }
}

/// All files below a folder, with their contents.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push((path.clone(), fs::read(path).unwrap())),
        }
    }
    found
}

pub(crate) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no “{before}” in {text}"));
    rest.split_once(after).unwrap().0
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
