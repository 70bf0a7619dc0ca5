//! Row 28 of the attacks: an issuer that is hostile or broken. Whatever it does is bounded, closed, and off the way of requests.

use std::{sync::mpsc, thread, time::Duration};

use bartizan_core::RawToken;
use bartizan_egress::Trust;
use bartizan_tokens::{ErrorKind, FetchErrorKind, RefreshError, Start};
use tokio::time::sleep;

use crate::issuer::{Does, Issuer, Service, jwks, key, ok, say};

const SECOND: Duration = Duration::from_secs(1);

/// What fits in the buffers of both sockets. The kernel grows them up to a few megabytes.
const BUFFERS: usize = 24 * 1024 * 1024;

fn hostilities() -> Vec<(&'static str, Does, RefreshError)> {
    use FetchErrorKind::{Protocol, Redirect, Status, Timeout, TooLarge, Unreachable};
    let fetch = RefreshError::Fetch;
    let keys = RefreshError::Keys;
    let text = |text: &str| Does::Say(text.as_bytes().to_vec());
    let flood = |head: &str, drop: &str| Does::Pour(head.as_bytes().to_vec(), drop.as_bytes().to_vec());
    let gigabyte = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let set = jwks(&[&key(66, "evil")]);
    let secret = set.replace("\"kty\"", "\"d\":\"AQ\",\"kty\"");
    let many = format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(65_000));
    let too_many = format!(r#"{{"keys":[{}{{}}]}}"#, "{},".repeat(100_000));
    // The first bytes of a stream that unpacks to a gigabyte.
    let bomb = "\u{1f}\u{b}\u{8}\0\0\0\0\0\0\u{3}";
    vec![
        ("redirect", say("302 Found", "Location: https://evil.example/jwks\r\n", &set), fetch(Redirect)),
        ("metadata", say("307 T", "Location: http://169.254.169.254/latest/\r\n", ""), fetch(Redirect)),
        ("downgrade", say("301 Moved", "Location: http://login.example/jwks\r\n", &set), fetch(Redirect)),
        ("a gigabyte", flood(gigabyte, " "), fetch(TooLarge)),
        ("an endless body", flood(chunked, "8\r\n        \r\n"), fetch(TooLarge)),
        ("chunks of a byte", flood(chunked, "1\r\n \r\n"), fetch(TooLarge)),
        ("broken chunks", flood(chunked, "ffff\r\n"), fetch(Protocol)),
        (
            "slow drip",
            Does::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec()),
            fetch(Timeout),
        ),
        ("slow head", Does::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), fetch(Timeout)),
        ("blanks", Does::Drip(Vec::new()), fetch(Protocol)),
        ("65,000 keys", ok("", &many), keys(ErrorKind::KeyTooLarge)),
        ("100,000 keys", ok("", &too_many), fetch(TooLarge)),
        ("html", ok("Content-Type: text/html\r\n", "<!doctype html>"), keys(ErrorKind::KeyFormat)),
        ("no keys", ok("", r#"{"keys":[]}"#), keys(ErrorKind::KeyNone)),
        ("a private key", ok("", &secret), keys(ErrorKind::KeySecrecy)),
        ("gzip", ok("Content-Encoding: gzip\r\n", bomb), fetch(Protocol)),
        ("500", say("500 Oh", "", "oh"), fetch(Status(500))),
        ("500 and a gigabyte", flood(&gigabyte.replace("200 OK", "500 Oh"), " "), fetch(Status(500))),
        ("204", say("204 No Content", "", ""), fetch(Status(204))),
        ("206", say("206 Partial", "", &set), fetch(Status(206))),
        ("304 unasked", say("304 Not Modified", "", ""), fetch(Status(304))),
        ("huge header", ok(&format!("X: {}\r\n", "y".repeat(100_000)), &set), fetch(Protocol)),
        ("many headers", ok(&"X: y\r\n".repeat(1_000), &set), fetch(Protocol)),
        (
            "reset",
            Does::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()),
            fetch(Unreachable),
        ),
        ("no http", text("SSH-2.0-OpenSSH_9.6\r\n"), fetch(Protocol)),
    ]
}

#[tokio::test(start_paused = true)]
async fn row_28_a_hostile_issuer_changes_nothing_and_ends_in_time() {
    let good = key(1, "a");
    for (name, does, error) in hostilities() {
        let issuer = Issuer::start(ok("Cache-Control: max-age=60\r\n", &jwks(&[&good])), None).await;
        // A minute of freshness and five of grace.
        let url = format!("http://{}/jwks", issuer.address);
        let service =
            Service::with(&url, Trust::web(), |builder| builder.stale_for(300 * SECOND).unwrap()).await;
        service.remote.ready().await.unwrap();
        issuer.does(does);
        sleep(100 * SECOND).await;
        let status = service.remote.status();
        assert_eq!(status.last_error, Some(error), "{name}");
        assert_eq!(service.judge(&good), None, "{name}");
        assert_eq!(service.judge(&key(66, "evil")), Some(ErrorKind::Key), "{name}");
        sleep(250 * SECOND).await;
        assert_eq!(service.judge(&good), None, "{name}");
        sleep(11 * SECOND).await;
        assert_eq!(service.judge(&good), Some(ErrorKind::KeysUnavailable), "{name}");
        let requests = issuer.heads().len();
        // Nothing is sent twice for one request but where a connection that had been used was found closed.
        assert!(requests <= 2 * (2 + 361 / 30), "{name}: {requests}");
        assert!(issuer.poured() < BUFFERS * requests, "{name}: {} bytes went out", issuer.poured());
        // And all is well again when it is.
        issuer.does(ok("", &jwks(&[&good])));
        sleep(400 * SECOND).await;
        assert_eq!(service.judge(&good), None, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_28_a_hostile_issuer_at_the_start_is_an_outage() {
    for (name, does, error) in hostilities() {
        let issuer = Issuer::start(does, None).await;
        let service = Service::start(&issuer).await;
        assert!(service.remote.ready().await.is_err(), "{name}");
        assert_eq!(service.remote.status().last_error, Some(error), "{name}");
        assert_eq!(service.judge(&key(66, "evil")), Some(ErrorKind::KeysUnavailable), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_flaps_is_asked_once_a_cooldown_however_many_kids_are_unknown() {
    let good = key(1, "a");
    let up = ok("Cache-Control: max-age=0\r\n", &jwks(&[&good]));
    let issuer = Issuer::start(up.clone(), None).await;
    let service = Service::start(&issuer).await;
    service.remote.ready().await.unwrap();
    for second in 0..600 {
        issuer.does(if second / 17 % 2 == 0 { say("500 Oh", "", "") } else { up.clone() });
        sleep(SECOND).await;
        assert_eq!(service.judge(&key(7, &format!("unknown-{second}"))), Some(ErrorKind::Key));
        assert_eq!(service.judge(&good), None);
    }
    assert!(issuer.heads().len() <= 1 + 600 / 30, "{}", issuer.heads().len());
}

#[tokio::test]
async fn no_token_waits_for_an_issuer_that_hangs() {
    let issuer = Issuer::start(Does::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), None).await;
    let url = format!("http://{}/jwks", issuer.address);
    let service = Service::with(&url, Trust::web(), |builder| builder.start(Start::Empty)).await;
    service.remote.ready().await.unwrap();
    while issuer.heads().is_empty() {
        tokio::task::yield_now().await;
    }
    // The request is under way, and this thread, which drives it, stands still until 10,000 tokens are judged.
    let (verifier, token) = (service.verifier.clone(), service.token(&key(1, "a")));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..10_000 {
            let error = verifier.verify(RawToken::new(&token)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::KeysUnavailable);
        }
        sender.send(()).unwrap();
    });
    receiver.recv_timeout(30 * SECOND).unwrap();
    let status = service.remote.status();
    assert_eq!((status.fetches, status.last_error), (1, None), "still under way");
}
