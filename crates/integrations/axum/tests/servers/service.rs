//! A service that trusts two proxies.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    http::{
        StatusCode,
        header::{RETRY_AFTER, SET_COOKIE},
    },
    response::{AppendHeaders, IntoResponse},
};
use bartizan::{
    AccessTokens, KeptSessions, Security,
    core::{SecretArray, os::OsEntropy},
    crypto_ring::Ring,
    envelope::{LocalMaster, MemoryKeyStore},
    http::{Origins, RouteLimit, SessionCookie},
    rate_limit::{ForwardingHeader, Limiter, MemoryLimits, OnOutage, Policy, Quota, TrustedProxies},
    rbac::{Assignments, Engine, presets},
    sessions::{By, Freshness, Login, MemoryStore, Sessions},
    tokens::{Algorithm, SigningKey},
};
use bartizan_axum::{ClientIp, Clients, Problem, SecureRouter, Who, get, post};
use bartizan_testkit::{ManualClock, MemoryRecorder, SeededEntropy};
use tokio::net::TcpListener;

use crate::proxy::{HAPROXY, NGINX};

const ISSUER: &str = "https://clinic.example";

/// Serves until the runtime ends; its clock stands still.
pub(crate) async fn start(header: ForwardingHeader) -> SocketAddr {
    let trusted = [NGINX, HAPROXY].map(|address| std::net::Ipv4Addr::from(address).to_string());
    let proxies = TrustedProxies::in_networks(header, trusted.iter().map(String::as_str)).unwrap();
    let app = routes(&security()).clients(Clients::Behind(proxies)).build().unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
    });
    address
}

fn security() -> Security {
    let clock = Arc::new(ManualClock::at(bartizan::core::UnixTime::from_secs(1_700_000_000)));
    let limits = MemoryLimits::new(1_000, clock.clone(), &SeededEntropy::new(2)).unwrap();
    let (provider, entropy) = (Arc::new(Ring::new()), Arc::new(OsEntropy));
    let signing_key = SigningKey::generate(&*provider, Algorithm::EdDsa, None, &*entropy).unwrap();
    let master = LocalMaster::new(provider, &SecretArray::new([7; 32]), entropy).unwrap();
    let sessions = KeptSessions::kept_in(Arc::new(MemoryStore::new()))
        .cookies(SessionCookie::Lax, Origins::of(["https://clinic.example"]).unwrap());
    Security::builder("clinic")
        .clock(clock)
        .recorder(Arc::new(MemoryRecorder::default()))
        .policy(Engine::new(presets::best_practices(), Assignments::TokenOnly(vec![ISSUER.into()])))
        .access_tokens(AccessTokens::new(ISSUER, "https://api.clinic.example", signing_key))
        .keys(Arc::new(MemoryKeyStore::new()), Arc::new(master))
        .sessions(sessions)
        .limited_by(Arc::new(Limiter::in_memory(Arc::new(limits))))
        .build()
        .unwrap()
}

fn routes(security: &Security) -> SecureRouter {
    let sessions = security.sessions().unwrap().clone();
    let thrice = Policy::new("guess", Quota::per(3, Duration::from_secs(60)).unwrap(), OnOutage::Closed);
    SecureRouter::new(security.guard().clone(), security.authorizer().clone(), security.entropy().clone())
        .route(get("/ip", async |ClientIp(address): ClientIp| address.to_string()).public("to see it"))
        .route(
            post("/guess", async || "no")
                .public("to be limited")
                .limit(RouteLimit::by_address(thrice.unwrap())),
        )
        .route(
            get("/busy", async || (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "7")]))
                .public("to be busy"),
        )
        .route(post("/login", async move || login(&sessions).await).public("how a session is had"))
        .route(
            get("/me", async |Who(who): Who| who.subject().to_owned())
                .authenticated()
                .fresh(Freshness::ReadThrough),
        )
        .route(post("/change", async || "changed").authenticated().fresh(Freshness::ReadThrough))
}

async fn login(sessions: &Sessions) -> Result<impl IntoResponse + use<>, Problem> {
    let (_, cookie) = sessions.login(&Login::new("north", "ada"), &By::owner()).await?;
    let cookie = SessionCookie::Lax.set(cookie.secret(), Duration::from_secs(600))?;
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), "welcome"))
}
