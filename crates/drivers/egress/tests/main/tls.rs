//! Certificates: the right one passes, every other does not, and no switch changes that.

use std::{sync::Arc, time::Duration};

use bartizan_core::UnixTime;
use bartizan_egress::{Client, ErrorKind, Limits, Request, Trust, Url};
use bartizan_testkit::ManualClock;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::{TLS12, TLS13},
};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::server::{Names, Server, client_with, local, ok, read_head};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { issuer: Issuer::new(params, key), pem }
}

struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// A certificate for a host, good from the year 2020 until `end`.
fn identity(authority: Option<&Authority>, host: &str, end: i32) -> Identity {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(end, 1, 1);
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, &authority.issuer),
        None => params.self_signed(&key),
    };
    Identity {
        certificate: certificate.unwrap().der().clone(),
        key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
    }
}

async fn server(identity: Identity, versions: &[&'static rustls::SupportedProtocolVersion]) -> Server {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate], identity.key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    Server::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            while read_head(&mut stream).await.is_some() {
                stream.write_all(ok("secure").as_bytes()).await.unwrap();
            }
        }
    })
    .await
}

async fn ask(client: &Client, server: &Server, host: &str) -> Result<Vec<u8>, ErrorKind> {
    let url = Url::parse(&format!("https://{host}:{}/", server.address.port())).unwrap();
    client.send(Request::get(url)).await.map(|answer| answer.into_body()).map_err(|error| error.kind())
}

fn here() -> Names {
    Names::new(&[&["127.0.0.1"]]).0
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_is_believed_is_taken_with_tls_1_2_and_1_3() {
    let authority = authority();
    for version in [&TLS12, &TLS13] {
        let server = server(identity(Some(&authority), "login.example", 2100), &[version]).await;
        let client = client_with(local(), Trust::pem(authority.pem.as_bytes()).unwrap(), here());
        for _ in 0..2 {
            assert_eq!(ask(&client, &server, "login.example").await, Ok(b"secure".to_vec()));
        }
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_certificate_may_be_for_an_address() {
    let authority = authority();
    let server = server(identity(Some(&authority), "127.0.0.1", 2100), &[&TLS13]).await;
    let client = client_with(local(), Trust::pem(authority.pem.as_bytes()).unwrap(), here());
    assert_eq!(ask(&client, &server, "127.0.0.1").await, Ok(b"secure".to_vec()));
}

#[tokio::test]
async fn asvs_12_3_2_every_other_certificate_is_refused() {
    let (ours, theirs) = (authority(), authority());
    for (why, identity) in [
        ("it signed itself", identity(None, "login.example", 2100)),
        ("another authority", identity(Some(&theirs), "login.example", 2100)),
        ("another name", identity(Some(&ours), "evil.example", 2100)),
        ("a name below", identity(Some(&ours), "a.login.example", 2100)),
        ("it ended", identity(Some(&ours), "login.example", 2021)),
    ] {
        let server = server(identity, &[&TLS12, &TLS13]).await;
        for trust in [Trust::pem(ours.pem.as_bytes()).unwrap(), Trust::web()] {
            let client = client_with(local(), trust, here());
            assert_eq!(ask(&client, &server, "login.example").await, Err(ErrorKind::Tls), "{why}");
        }
    }
    let server = server(identity(Some(&ours), "login.example", 2100), &[&TLS13]).await;
    let client = client_with(local(), Trust::web(), here());
    assert_eq!(
        ask(&client, &server, "login.example").await,
        Err(ErrorKind::Tls),
        "the web does not know ours"
    );
}

#[tokio::test]
async fn a_certificate_ends_by_the_clock_that_was_given() {
    let authority = authority();
    let server = server(identity(Some(&authority), "login.example", 2030), &[&TLS13]).await;
    for (now, expected) in [
        (1_500_000_000, Err(ErrorKind::Tls)),    // 2017
        (1_700_000_000, Ok(b"secure".to_vec())), // 2023
        (1_900_000_000, Err(ErrorKind::Tls)),    // 2030-03
    ] {
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(now)));
        let trust = Trust::pem(authority.pem.as_bytes()).unwrap();
        let client = Client::with(local(), trust, clock, Arc::new(here()), Limits::DEFAULT).unwrap();
        assert_eq!(ask(&client, &server, "login.example").await, expected, "{now}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_refused() {
    for greeting in ["SSH-2.0-OpenSSH_9.6\r\n".to_owned(), ok("plain")] {
        let server = Server::start(move |mut stream| {
            let greeting = greeting.clone();
            async move {
                stream.write_all(greeting.as_bytes()).await.unwrap();
                let _ = read_head(&mut stream).await;
            }
        })
        .await;
        let client = client_with(local(), Trust::web(), here());
        assert_eq!(ask(&client, &server, "login.example").await, Err(ErrorKind::Tls));
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_hangs_gets_the_time_of_a_connection() {
    let server = Server::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = client_with(local(), Trust::web(), here());
    let start = tokio::time::Instant::now();
    assert_eq!(ask(&client, &server, "login.example").await, Err(ErrorKind::Timeout));
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}

#[test]
fn what_holds_no_certificate_is_no_trust() {
    for text in [
        "",
        "canary",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        &KeyPair::generate().unwrap().serialize_pem(),
    ] {
        assert_eq!(Trust::pem(text.as_bytes()).unwrap_err().kind(), ErrorKind::Config);
    }
}
