//! An issuer that behaves.

use std::{sync::Arc, time::Duration};

use bartizan_clock_tokio::TokioClock;
use bartizan_egress::{Allow, Trust};
use bartizan_jwks_http::{Config, ErrorKind};
use bartizan_tokens::{ErrorKind as Tokens, FetchErrorKind, JwksUrl, RefreshError};
use tokio::time::sleep;

use crate::issuer::{Issuer, Service, jwks, key, ok, say};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn the_keys_of_an_issuer_are_fetched_and_believed() {
    let (first, second) = (key(1, "a"), key(2, "b"));
    let issuer = Issuer::start(ok("Cache-Control: max-age=600\r\n", &jwks(&[&first])), None).await;
    let service = Service::start(&issuer).await;
    service.remote.ready().await.unwrap();
    assert_eq!(service.judge(&first), None);
    assert_eq!(service.judge(&second), Some(Tokens::Key));
    let heads = issuer.heads();
    let head = heads.first().unwrap();
    assert!(head.starts_with("get /jwks http/1.1\r\n"), "{head}");
    assert!(
        head.contains("accept: application/jwk-set+json, application/json\r\n")
            && !head.contains("if-none-match")
    );
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_set_is_asked_for_with_its_etag() {
    let first = key(1, "a");
    let set = jwks(&[&first]);
    let issuer = Issuer::start(ok("Cache-Control: max-age=100\r\nETag: W/\"v1\"\r\n", &set), None).await;
    let service = Service::start(&issuer).await;
    service.remote.ready().await.unwrap();
    issuer.does(say("304 Not Modified", "Cache-Control: max-age=100\r\n", ""));
    sleep(300 * SECOND).await;
    assert_eq!(service.judge(&first), None);
    let heads = issuer.heads();
    assert!((4..=5).contains(&heads.len()), "{} requests in 300 s of 75 to 90", heads.len());
    assert!(heads.iter().skip(1).all(|head| head.contains("if-none-match: w/\"v1\"\r\n")));
    let status = service.remote.status();
    assert_eq!((status.changes, status.failures), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn cache_control_and_age_say_when_to_ask_again() {
    // Seconds in which the second request is made: 75 to 90 % of the time to live, which is 1 to 60 minutes.
    for (headers, from, to) in [
        ("Cache-Control: max-age=1000\r\n", 750, 900),
        ("Cache-Control: public, max-age=1000, must-revalidate\r\n", 750, 900),
        ("Cache-Control: public\r\nCache-Control: max-age=1000\r\n", 750, 900),
        ("Cache-Control: max-age=1000\r\nAge: 500\r\n", 375, 450),
        ("Cache-Control: max-age=31536000\r\n", 2_700, 3_240),
        ("Cache-Control: no-store\r\n", 45, 54),
        ("Cache-Control: no-cache, no-store, max-age=0, must-revalidate\r\n", 45, 54),
        ("Cache-Control: max-age=soon\r\n", 45, 54),
        ("", 450, 540),
    ] {
        let issuer = Issuer::start(ok(headers, &jwks(&[&key(1, "a")])), None).await;
        let service = Service::start(&issuer).await;
        service.remote.ready().await.unwrap();
        sleep((from - 1) * SECOND).await;
        assert_eq!(issuer.heads().len(), 1, "{headers}");
        sleep((to - from + 2) * SECOND).await;
        assert_eq!(issuer.heads().len(), 2, "{headers}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_withdrawn_a_key_rolled_back_and_a_key_replaced_are_followed() {
    let (first, second) = (key(1, "a"), key(2, "b"));
    let issuer = Issuer::start(ok("", &jwks(&[&first, &second])), None).await;
    let service = Service::start(&issuer).await;
    service.remote.ready().await.unwrap();
    assert_eq!((service.judge(&first), service.judge(&second)), (None, None));
    issuer.does(ok("", &jwks(&[&second])));
    sleep(600 * SECOND).await;
    assert_eq!((service.judge(&first), service.judge(&second)), (Some(Tokens::Key), None));
    issuer.does(ok("", &jwks(&[&first])));
    sleep(600 * SECOND).await;
    assert_eq!((service.judge(&first), service.judge(&second)), (None, Some(Tokens::Key)));
    issuer.does(ok("", &jwks(&[&key(3, "a")])));
    sleep(600 * SECOND).await;
    assert_eq!(service.judge(&first), Some(Tokens::Signature));
    assert_eq!(service.judge(&key(3, "a")), None);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed_in_both_its_forms() {
    let date = "Fri, 31 Dec 9999 23:59:59 GMT";
    for (value, least) in [("100", 100), (date, 600)] {
        let issuer =
            Issuer::start(say("503 Unavailable", &format!("Retry-After: {value}\r\n"), ""), None).await;
        let service = Service::start(&issuer).await;
        assert_eq!(service.remote.ready().await.unwrap_err().kind(), Tokens::KeysUnavailable);
        let error = service.remote.status().last_error;
        assert_eq!(error, Some(RefreshError::Fetch(FetchErrorKind::Status(503))));
        sleep((least - 1) * SECOND).await;
        assert_eq!(issuer.heads().len(), 1, "{value}");
        sleep(least * SECOND).await;
        assert_eq!(issuer.heads().len(), 2, "{value}");
    }
}

#[tokio::test]
async fn a_url_that_could_never_be_asked_is_refused_before_anything_starts() {
    let build = |url: JwksUrl, allow: Option<Allow>| {
        let config = Config::new(url).trust(Trust::web());
        let config = match allow {
            Some(allow) => config.allow(allow),
            None => config,
        };
        config.build(Arc::new(TokioClock::new())).map(drop).map_err(|error| error.kind())
    };
    let https = JwksUrl::new("https://login.example/jwks").unwrap();
    assert_eq!(build(https.clone(), None), Ok(()));
    assert_eq!(build(JwksUrl::new("https://login.example:8443/jwks").unwrap(), None), Ok(()));
    let here = JwksUrl::new("http://127.0.0.1:8080/jwks").unwrap();
    assert_eq!(build(here.clone(), None), Err(ErrorKind::Config));
    assert_eq!(build(here, Some(Allow::danger_loopback())), Ok(()));
    let plain = JwksUrl::danger_plain_http("http://login.example/jwks").unwrap();
    assert_eq!(build(plain.clone(), None), Err(ErrorKind::Config));
    assert_eq!(build(plain, Some(Allow::danger_plain_http("login.example").unwrap())), Ok(()));
    for url in ["https://169.254.169.254/jwks", "https://10.0.0.1/jwks", "https://2130706433/jwks"] {
        assert_eq!(build(JwksUrl::new(url).unwrap(), None), Err(ErrorKind::Config), "{url}");
    }
}
