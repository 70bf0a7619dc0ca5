//! Whose request it is behind nginx, HAProxy and both, and that what guards a browser passes them unchanged.

use std::net::SocketAddr;

use bartizan::rate_limit::ForwardingHeader;

use crate::{
    client::{Answer, Client},
    proxy::{NGINX, Proxy},
    service,
};

const ADA: Client = Client([127, 0, 0, 99]);
const EVE: Client = Client([127, 0, 0, 66]);

/// What a client may write to be taken for another.
const SPOOFED: [&[&str]; 7] = [
    &[],
    &["X-Forwarded-For: 203.0.113.9"],
    &["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 203.0.113.10"],
    // As if one of the proxies had been asked by that one.
    &["X-Forwarded-For: 203.0.113.9, 127.0.0.10, 127.0.0.20"],
    &["X-Forwarded-For: "],
    &["X-Forwarded-For: unknown"],
    &["Forwarded: for=203.0.113.9", "X-Real-IP: 203.0.113.9", "Forwarded: for=127.0.0.20"],
];

/// Each of the ways to a service that reads `X-Forwarded-For`, with the proxies that are on it.
async fn ways() -> (SocketAddr, Vec<(&'static str, SocketAddr, Vec<Proxy>)>) {
    let service = service::start(ForwardingHeader::XForwardedFor).await;
    let (nginx, haproxy) = (Proxy::nginx(service), Proxy::haproxy(service));
    let before_both = Proxy::nginx(haproxy.address);
    let before_nginx = Proxy::haproxy(nginx.address);
    let ways = vec![
        ("nginx, haproxy", before_both.address, vec![before_both]),
        ("haproxy, nginx", before_nginx.address, vec![before_nginx]),
        ("nginx", nginx.address, vec![nginx]),
        ("haproxy", haproxy.address, vec![haproxy]),
    ];
    (service, ways)
}

#[tokio::test]
async fn a_client_is_its_own_address_whatever_it_writes() {
    let (service, ways) = ways().await;
    for (name, way, _) in &ways {
        for headers in SPOOFED {
            for client in [ADA, EVE] {
                let own = std::net::Ipv4Addr::from(client.0).to_string();
                let answer = client.ask(*way, "GET /ip", headers).await;
                assert_eq!((answer.status, answer.body), (200, own), "{name}: {headers:?}");
            }
        }
    }
    // Not through a proxy: nobody's word counts.
    for headers in SPOOFED {
        assert_eq!(EVE.ask(service, "GET /ip", headers).await.body, "127.0.0.66", "{headers:?}");
    }
    // What a proxy itself says is believed: that is why it is named, and not its network.
    let told = Client(NGINX).ask(service, "GET /ip", SPOOFED[1]).await;
    assert_eq!(told.body, "203.0.113.9");
}

#[tokio::test]
async fn a_client_is_its_own_address_in_rfc_7239_as_well() {
    let service = service::start(ForwardingHeader::Forwarded).await;
    let haproxy = Proxy::haproxy_of_rfc_7239(service);
    for headers in
        SPOOFED.into_iter().chain([&["Forwarded: for=203.0.113.9;proto=https, for=\"[2001:db8::1]:80\""][..]])
    {
        assert_eq!(EVE.ask(haproxy.address, "GET /ip", headers).await.body, "127.0.0.66", "{headers:?}");
        assert_eq!(EVE.ask(service, "GET /ip", headers).await.body, "127.0.0.66", "{headers:?}");
    }
}

#[tokio::test]
async fn a_limit_counts_one_client_on_all_ways_together_and_nobody_else() {
    let (service, ways) = ways().await;
    let to: Vec<SocketAddr> = ways.iter().map(|(_, way, _)| *way).chain([service]).collect();
    for (at, way) in (0_u16..20).zip(to.iter().cycle()) {
        let spoofed = format!("X-Forwarded-For: 203.0.113.{at}");
        let answer = EVE.ask(*way, "POST /guess", &[&spoofed, "Origin: https://clinic.example"]).await;
        assert_eq!(answer.status, if at < 3 { 200 } else { 429 }, "{at}: {answer:?}");
        if at >= 3 {
            assert_eq!(answer.header("retry-after"), Some("20"));
            assert_eq!(answer.header("ratelimit"), Some(r#""guess";r=0;t=20"#));
        }
    }
    for (_, way, _) in ways.iter().take(3) {
        assert_eq!(ADA.ask(*way, "POST /guess", &["Origin: https://clinic.example"]).await.status, 200);
    }
}

/// Cookie, cross-site refusals, problems, `no-store`, and every spelling of a path: each answer is the one without a proxy.
#[tokio::test]
async fn what_guards_a_browser_passes_unchanged() {
    const OWN: &str = "Sec-Fetch-Site: same-origin";
    const CROSS: &str = "Sec-Fetch-Site: cross-site";
    let (service, ways) = ways().await;
    for (name, way, _) in &ways {
        let answer = ADA.ask(*way, "POST /login", &[OWN]).await;
        let (pair, attributes) = answer.header("set-cookie").expect("a cookie").split_once("; ").unwrap();
        assert!(pair.starts_with("__Host-sid=bzc1_"), "{name}: {pair}");
        assert_eq!(attributes, "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax", "{name}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
        let cookie = &*format!("Cookie: {pair}");
        let asked: [(&str, &[&str], u16); 13] = [
            ("GET /me", &[cookie], 200),
            ("GET /me", &[], 401),
            ("POST /change", &[cookie, OWN], 200),
            ("POST /change", &[cookie, "Origin: https://clinic.example"], 200),
            ("POST /change", &[cookie, "Origin: https://evil.example"], 403),
            ("POST /change", &[cookie, "Origin: null"], 403),
            ("POST /change", &[cookie, CROSS], 403),
            ("POST /change", &[cookie], 403),
            ("POST /login", &[CROSS], 403),
            ("GET /busy", &[], 503),
            ("GET //me", &[cookie], 404),
            ("GET /x/../me", &[cookie], 404),
            ("GET /%6De", &[cookie], 404),
        ];
        for (line, headers, status) in asked {
            let through = ADA.ask(*way, line, headers).await;
            assert_eq!(through.status, status, "{name}: {line} {headers:?}: {through:?}");
            if status == 503 {
                assert_eq!(through.header("retry-after"), Some("7"), "{name}");
            }
            let direct: Answer = ADA.ask(service, line, headers).await;
            assert_eq!(through.comparable(), direct.comparable(), "{name}: {line} {headers:?}");
        }
    }
}
