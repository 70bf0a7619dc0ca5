//! A small service behind a real listener, and a client that sends bytes as they are.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
};
use bartizan_axum::{
    Client, Clients, Guarded, Problem, Route, SecureRouter, StrictJson, StrictQuery, Who, delete, get, post,
};
use bartizan_core::{
    Ask, Authorizer, Entropy, FieldSet, JobPolicy, Permission, PolicyEngine, Resource, Revision, RuleId,
    UnixTime, Verdict,
};
use bartizan_http::{Code, Guard, Rendering};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use serde::Deserialize;

use crate::mint;

pub(crate) const CANARY: &str = "c4n4ry-5f1d";
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

const LIST: Permission = Permission::literal("patient:list");
const CREATE: Permission = Permission::literal("patient:create");
const READ: Permission = Permission::literal("patient:read");
const ERASE: Permission = Permission::literal("patient:erase").critical();

/// Doctors may do everything to patients, nurses may read them.
#[derive(Debug)]
struct Roles;

impl PolicyEngine for Roles {
    fn decide(&self, ask: &Ask<'_>) -> (Verdict, Revision) {
        let holds = |name: &str| ask.who.roles().contains(name);
        let verdict = if holds("doctor") || holds("nurse") && ask.permission.action() == "read" {
            Verdict::Allow { rule: RuleId(1), clear: FieldSet::nothing(), until: UnixTime::MAX }
        } else {
            Verdict::Deny { rule: None }
        };
        (verdict, Revision(1))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPatient {
    name: String,
    age: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    name: String,
    limit: Option<u8>,
}

/// Two records: one of each tenant.
fn tenant_of(id: &str) -> Option<&'static str> {
    match id {
        "p-1" => Some("north"),
        "p-2" => Some("south"),
        _ => None,
    }
}

async fn show(guarded: Guarded, Path(id): Path<String>) -> Result<String, Problem> {
    let tenant = tenant_of(&id).ok_or(Code::NotFound)?;
    let _grant = guarded.authorize(READ, Resource::record(tenant, "patient", &id)).await?;
    Ok(format!("patient {id}"))
}

async fn erase(guarded: Guarded, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let tenant = tenant_of(&id).ok_or(Code::NotFound)?;
    let _grant = guarded.authorize(ERASE, Resource::record(tenant, "patient", &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn page(guarded: Guarded) -> Result<String, Problem> {
    let tenant = guarded.who().tenant();
    let page = ["p-1", "p-3"].map(|id| Resource::record(tenant, "patient", id));
    let grants = guarded.authorize_each(READ, page)?;
    Ok(format!("{} shown", grants.iter().flatten().count()))
}

/// How many patients were created.
pub(crate) type Created = Arc<AtomicUsize>;

async fn create(
    State(created): State<Created>,
    Who(who): Who,
    StrictJson(new): StrictJson<NewPatient>,
) -> (StatusCode, String) {
    created.fetch_add(1, Ordering::SeqCst);
    (StatusCode::CREATED, format!("{} of {} by {}", new.name, new.age, who.subject()))
}

async fn panics() -> String {
    panic!("{CANARY} in a panic")
}

fn routes() -> Vec<Route<Created>> {
    vec![
        get("/health", async || "ok").public("liveness"),
        get("/cached", async || ([(CACHE_CONTROL, "public, max-age=60")], "kept"))
            .public("a public document"),
        get("/client", async |client: Client| {
            let origin = client.origin("clinic");
            format!("{:?} {:?} {:?}", origin.address, origin.request, origin.user_agent)
        })
        .public("to see what is known of a client"),
        get("/nobody", async |Who(who): Who| who.subject().to_owned()).public("to see who is known"),
        post("/echo", async |body: Bytes| body.len().to_string()).public("to read a body as it comes"),
        post("/loose", async |axum::Json(new): axum::Json<NewPatient>| new.name)
            .public("to read a body with axum's own"),
        get("/broken", async || (StatusCode::INTERNAL_SERVER_ERROR, format!("{CANARY} in an error")))
            .public("to fail with an own body"),
        get("/busy", async || (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "7")], CANARY))
            .public("to be busy"),
        get("/teapot", async || (StatusCode::IM_A_TEAPOT, CANARY)).public("to fail with a rare status"),
        get("/me", async |Who(who): Who| format!("{} of {}", who.subject(), who.tenant())).authenticated(),
        get("/me-cached", async || ([(CACHE_CONTROL, "public, max-age=60")], "kept")).authenticated(),
        get("/panic", panics).authenticated(),
        get("/search", async |StrictQuery(search): StrictQuery<Search>| {
            format!("{} {}", search.name, search.limit.unwrap_or(10))
        })
        .authenticated(),
        get("/patients", async |_: HeaderMap| "all of them").requires(LIST),
        post("/patients", create).requires(CREATE),
        get("/patients/{id}", show).requires_on_record(READ),
        delete("/patients/{id}", erase).requires_on_record(ERASE),
        get("/page", page).requires_on_record(READ),
        get("/forgetful", async || "never asked").requires_on_record(READ),
        get("/forgiving", async |guarded: Guarded| {
            let refused = guarded.authorize(READ, Resource::record("south", "patient", "p-2")).await;
            format!("asked, and went on: {}", refused.is_err())
        })
        .requires_on_record(READ),
    ]
}

pub(crate) struct Bench {
    address: SocketAddr,
    pub(crate) recorder: Arc<MemoryRecorder>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) guard: Arc<Guard>,
    created: Created,
}

pub(crate) fn router<S: Clone + Send + Sync + 'static>(
    recorder: &Arc<MemoryRecorder>,
    clock: &Arc<ManualClock>,
    entropy: Arc<dyn Entropy>,
) -> (SecureRouter<S>, Arc<Guard>) {
    guarded(recorder, clock, entropy, |guard| guard)
}

/// The same, with a guard that was given more.
pub(crate) fn guarded<S: Clone + Send + Sync + 'static>(
    recorder: &Arc<MemoryRecorder>,
    clock: &Arc<ManualClock>,
    entropy: Arc<dyn Entropy>,
    given: impl FnOnce(Guard) -> Guard,
) -> (SecureRouter<S>, Arc<Guard>) {
    let verifier = mint::verifier(clock.clone());
    let guard = Arc::new(given(Guard::new("clinic", verifier, recorder.clone(), clock.clone()).unwrap()));
    let authorizer = Authorizer::new(
        "clinic",
        Roles,
        JobPolicy::none(),
        recorder.clone(),
        clock.clone(),
        &SeededEntropy::new(1),
    )
    .unwrap();
    (SecureRouter::new(guard.clone(), Arc::new(authorizer), entropy), guard)
}

impl Bench {
    pub(crate) fn start() -> Self {
        Self::with(|router| router)
    }

    pub(crate) fn rendered(rendering: Rendering) -> Self {
        Self::with(|router| router.rendering(rendering))
    }

    pub(crate) fn with(change: impl FnOnce(SecureRouter<Created>) -> SecureRouter<Created>) -> Self {
        Self::drawing_from(Arc::new(SeededEntropy::new(1)), change)
    }

    /// As a part of another router.
    pub(crate) fn nested(under: &str) -> Self {
        Self::within(Arc::new(SeededEntropy::new(1)), |router| router, |app| Router::new().nest(under, app))
    }

    pub(crate) fn drawing_from(
        entropy: Arc<dyn Entropy>,
        change: impl FnOnce(SecureRouter<Created>) -> SecureRouter<Created>,
    ) -> Self {
        Self::within(entropy, change, |app| app)
    }

    fn within(
        entropy: Arc<dyn Entropy>,
        change: impl FnOnce(SecureRouter<Created>) -> SecureRouter<Created>,
        around: impl FnOnce(Router) -> Router,
    ) -> Self {
        let recorder = Arc::new(MemoryRecorder::default());
        let clock = Arc::new(ManualClock::at(NOW));
        let (router, guard) = router(&recorder, &clock, entropy);
        let router = routes().into_iter().fold(router, SecureRouter::route).clients(Clients::Direct);
        let created = Created::default();
        let address = serve(around(change(router).build_with_state(created.clone()).unwrap()));
        Self { address, recorder, clock, guard, created }
    }

    /// Other routes, behind a guard that was given more.
    pub(crate) fn of(
        recorder: Arc<MemoryRecorder>,
        clock: Arc<ManualClock>,
        given: impl FnOnce(Guard) -> Guard,
        change: impl FnOnce(SecureRouter<Created>) -> SecureRouter<Created>,
    ) -> Self {
        let (router, guard) = guarded(&recorder, &clock, Arc::new(SeededEntropy::new(1)), given);
        let created = Created::default();
        let address = serve(change(router).build_with_state(created.clone()).unwrap());
        Self { address, recorder, clock, guard, created }
    }

    pub(crate) fn created(&self) -> usize {
        self.created.load(Ordering::SeqCst)
    }

    /// Sends bytes and reads all answers.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        Answer::parse(&self.exchange(bytes, false))
    }

    /// Sends bytes, hangs up, and reads what comes all the same, if anything does.
    pub(crate) fn hang_up_after(&self, bytes: &[u8]) -> Option<Answer> {
        let answer = self.exchange(bytes, true);
        (!answer.is_empty()).then(|| Answer::parse(&answer))
    }

    fn exchange(&self, bytes: &[u8], hang_up: bool) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // The server may answer, and close, before it has read everything.
        let _ = stream.write_all(bytes);
        if hang_up {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// Sends a request that asks before it sends its body, in two parts, and does something between them: when the server
    /// says that it wants the body, it has begun to read it.
    pub(crate) fn in_two_parts(&self, head: &[u8], one: &[u8], between: impl FnOnce(), two: &[u8]) -> Answer {
        const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(head).unwrap();
        let mut go_on = [0; GO_ON.len()];
        stream.read_exact(&mut go_on).unwrap();
        assert_eq!(go_on, GO_ON);
        stream.write_all(one).unwrap();
        between();
        let _ = stream.write_all(two);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    /// A request with these header lines, and nothing else but `Host` and `Connection`.
    pub(crate) fn send(&self, line: &str, headers: &[&str], body: &[u8]) -> Answer {
        self.raw(&request(line, headers, body))
    }

    pub(crate) fn get(&self, target: &str, headers: &[&str]) -> Answer {
        self.send(&format!("GET {target}"), headers, b"")
    }

    /// As a doctor of the tenant north.
    pub(crate) fn doctor(&self, line: &str) -> Answer {
        self.send(line, &[&authorization("doctor")], b"")
    }

    pub(crate) fn post(&self, target: &str, content_type: &str, body: &[u8]) -> Answer {
        let (length, content_type) =
            (format!("Content-Length: {}", body.len()), format!("Content-Type: {content_type}"));
        self.send(&format!("POST {target}"), &[&authorization("doctor"), &length, &content_type], body)
    }

    /// Names and reasons of what is on record.
    pub(crate) fn recorded(&self) -> Vec<(&'static str, Option<&'static str>)> {
        self.recorder.facts().iter().map(|fact| (fact.code.name(), fact.reason)).collect()
    }

    /// Whether a text is anywhere on record.
    pub(crate) fn is_on_record(&self, text: &str) -> bool {
        self.recorder.facts().iter().any(|fact| fact.shown.contains(text))
    }
}

/// The bytes of a request.
pub(crate) fn request(line: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: clinic\r\nConnection: close\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The header line of somebody with this role in the tenant north.
pub(crate) fn authorization(role: &str) -> String {
    format!("Authorization: Bearer {}", mint::token("north", "ada", role))
}

/// Serves on a free port of this machine until the tests end.
fn serve(app: Router) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
        });
    });
    address
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lower-case names, in the order of arrival.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// How many answers came.
    pub(crate) answers: usize,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let answers = text.matches("HTTP/1.1 ").count();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned(), answers }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands twice");
        value
    }

    /// The `code` of a problem.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        problem["code"].as_str().unwrap().to_owned()
    }

    /// Whether a text is anywhere in the answer.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.body.contains(text) || self.headers.iter().any(|(_, value)| value.contains(text))
    }

    /// The same without what differs between any two answers.
    pub(crate) fn comparable(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "x-request-id" && name != "date");
        self
    }
}
