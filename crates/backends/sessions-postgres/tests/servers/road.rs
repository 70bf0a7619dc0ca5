//! The whole road over a store that goes away: a service answers 503 on what it guards, never 2xx and never that somebody is
//! unknown, and goes on by itself when the store is back.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::http::header::SET_COOKIE;
use bartizan::{
    AccessTokens, KeptSessions, Security,
    core::{RawToken, SecretArray, os::OsEntropy},
    crypto_ring::Ring,
    envelope::{LocalMaster, MemoryKeyStore},
    http::{KeyPlace, Origins, SessionCookie},
    rbac::{Assignments, Engine, presets},
    sessions::{By, Ended, Freshness, Login, NewKey, SessionId, Sessions, Store},
    tokens::{Algorithm, SigningKey},
};
use bartizan_axum::{Problem, SecureRouter, Who, get, post};
use bartizan_testkit::MemoryRecorder;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::Instant,
};

const ISSUER: &str = "https://road.example";
const AUDIENCE: &str = "https://api.road.example";

/// How old the knowledge of a route may be that does not read through.
const YOUNG: Duration = Duration::from_secs(1);

/// A running service, and what three of its clients show: a browser's cookie, a program's access token, and an API key.
pub(crate) struct Service {
    address: SocketAddr,
    shown: [String; 3],
    refresh: String,
    bound: Duration,
}

impl Service {
    /// `bound` is how long the store takes at most to answer that it cannot.
    pub(crate) async fn start(store: Arc<dyn Store>, bound: Duration) -> Self {
        let security = security(store);
        let sessions = security.sessions().unwrap();
        let login = Login::new("north", "ada");
        let (_, cookie) = sessions.login(&login, &By::owner()).await.unwrap();
        let (session, refresh) = sessions.begin(&login, &By::owner()).await.unwrap();
        let token = security.issuer().issue(&sessions.access_token(&session, AUDIENCE).unwrap()).unwrap();
        let new = NewKey::new("north", "nightly", "export");
        let (_, key) = security.api_keys().unwrap().make(&new, &By::owner()).await.unwrap();
        let shown = [
            format!("Cookie: __Host-sid={}", cookie.expose()),
            format!("Authorization: Bearer {}", token.expose()),
            format!("Authorization: Bearer {}", key.expose()),
        ];
        let upkeep = security.upkeep().unwrap();
        upkeep.refresh().await.unwrap();
        tokio::spawn(async move { upkeep.run().await });
        let app = routes(&security).build().unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
        });
        Self { address, shown, refresh: refresh.expose().to_owned(), bound }
    }

    /// All is well.
    pub(crate) async fn is_well(&self) {
        for header in &self.shown {
            assert_eq!(self.ask("GET /me", header).await.status, 200, "{header:.30}");
            assert_eq!(self.ask("GET /glance", header).await.status, 200, "{header:.30}");
        }
    }

    /// The store is out.
    pub(crate) async fn is_out(&self) {
        // What does not read through knows enough for a moment, and then no more.
        let since = Instant::now();
        for header in &self.shown {
            let mut answer = self.ask("GET /glance", header).await;
            while answer.status == 200 && since.elapsed() < YOUNG + self.bound * 3 {
                answer = self.ask("GET /glance", header).await;
            }
            answer.is_unavailable("GET /glance");
        }
        for header in &self.shown {
            for line in ["GET /me", "POST /logout"] {
                self.ask(line, header).await.is_unavailable(line);
            }
        }
        self.ask("POST /login", "X-None: x").await.is_unavailable("POST /login");
        // Nobody is told that they are unknown while nobody can know. What no store has to be asked for is still refused.
        self.ask("GET /me", "X-None: x").await.is(401);
    }

    /// The store is back: the same process, the same clients.
    pub(crate) async fn comes_back(&self) {
        let since = Instant::now();
        for line in ["GET /me", "GET /glance"] {
            for header in &self.shown {
                let mut answer = self.ask(line, header).await;
                while answer.status == 503 && since.elapsed() < Duration::from_secs(20) {
                    answer = self.ask(line, header).await;
                }
                answer.is(200);
            }
        }
    }

    /// The last that is asked of it: an exchange, and a logout that is over at once.
    pub(crate) async fn ends(&self) {
        let refresh = format!("X-Refresh: {}", self.refresh);
        self.ask("POST /refresh", &refresh).await.is(200);
        // Once.
        self.ask("POST /refresh", &refresh).await.is(401);
        let [cookie, token, _] = &self.shown;
        self.ask("GET /me", token).await.is(401);
        self.ask("POST /logout", cookie).await.is(200);
        self.ask("GET /me", cookie).await.is(401);
    }

    async fn ask(&self, line: &str, header: &str) -> Answer {
        let since = Instant::now();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: road\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n{header}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        // A request asks the store three times at most: who, what was revoked, and what it does itself.
        assert!(since.elapsed() < self.bound * 4, "{line} took {:?}", since.elapsed());
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer");
        Answer { status, text }
    }
}

struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    fn is(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.text);
    }

    fn is_unavailable(&self, what: &str) {
        assert_eq!(self.status, 503, "{what}: {}", self.text);
        let head = self.text.to_ascii_lowercase();
        assert!(head.contains("retry-after: ") && !head.contains("set-cookie"), "{what}: {head}");
    }
}

fn security(store: Arc<dyn Store>) -> Security {
    let (provider, entropy) = (Arc::new(Ring::new()), Arc::new(OsEntropy));
    let signing_key = SigningKey::generate(&*provider, Algorithm::EdDsa, None, &*entropy).unwrap();
    let master = LocalMaster::new(provider, &SecretArray::new([7; 32]), entropy).unwrap();
    let sessions = KeptSessions::kept_in(store)
        .cookies(SessionCookie::Lax, Origins::of(["https://road.example"]).unwrap())
        .api_keys(KeyPlace::BEARER, "road")
        .followed_every(Duration::from_millis(50));
    Security::builder("road")
        .recorder(Arc::new(MemoryRecorder::default()))
        .policy(Engine::new(presets::best_practices(), Assignments::TokenOnly(vec![ISSUER.into()])))
        .access_tokens(AccessTokens::new(ISSUER, AUDIENCE, signing_key))
        .keys(Arc::new(MemoryKeyStore::new()), Arc::new(master))
        .sessions(sessions)
        .build()
        .unwrap()
}

fn routes(security: &Security) -> SecureRouter {
    let sessions = security.sessions().unwrap();
    let (entry, exit, exchange) = (sessions.clone(), sessions.clone(), sessions.clone());
    SecureRouter::new(security.guard().clone(), security.authorizer().clone(), security.entropy().clone())
        .route(
            get("/me", async |Who(who): Who| who.subject().to_owned())
                .authenticated()
                .fresh(Freshness::ReadThrough),
        )
        .route(
            get("/glance", async |Who(who): Who| who.subject().to_owned())
                .authenticated()
                .fresh(Freshness::Snapshot(YOUNG)),
        )
        .route(post("/login", async move || login(entry.clone()).await).public("how a session is had"))
        .route(
            post("/logout", async move |who: Who| logout(exit.clone(), who).await)
                .authenticated()
                .fresh(Freshness::ReadThrough),
        )
        .route(
            post("/refresh", async move |headers: axum::http::HeaderMap| {
                let token =
                    headers.get("x-refresh").and_then(|value| value.to_str().ok()).unwrap_or_default();
                exchange
                    .rotate(RawToken::new(token), &By::owner())
                    .await
                    .map(|_| "exchanged")
                    .map_err(Problem::from)
            })
            .public("how a session goes on"),
        )
}

async fn login(
    sessions: Sessions,
) -> Result<([(axum::http::HeaderName, axum::http::HeaderValue); 1], &'static str), Problem> {
    let (_, cookie) = sessions.login(&Login::new("north", "grace"), &By::owner()).await?;
    Ok(([(SET_COOKIE, SessionCookie::Lax.set(cookie.secret(), Duration::from_secs(60))?)], "begun"))
}

async fn logout(sessions: Sessions, Who(who): Who) -> Result<&'static str, Problem> {
    let key = who.session().map(SessionId::parse).transpose()?.map(|id| id.key);
    if let Some(key) = key {
        sessions.end(who.tenant(), who.subject(), key, Ended::LoggedOut, &By::principal(&who)).await?;
    }
    Ok("ended")
}
