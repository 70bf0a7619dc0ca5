//! Attacks of a second reviewer on logins: what lies in the future, what contradicts itself, what a cache believes.

use std::time::Duration;

use bartizan_core::{Attestation, Principal, PrincipalFacts, UnixTime};
use bartizan_http::{Caching, Origins, Sender, StepUp, Transport, security_headers};
use http::{HeaderMap, HeaderName, HeaderValue, header::CACHE_CONTROL};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn authenticated_at(at: UnixTime) -> Principal {
    let mut facts = PrincipalFacts::new("north", "ada");
    facts.authenticated = Some(at);
    Principal::attested(Attestation::Token, facts).unwrap()
}

/// An issuer that writes milliseconds, or whose clock is days ahead, must not make one login recent for ever.
#[test]
fn asvs_7_5_3_an_authentication_in_the_future_is_not_a_recent_one() {
    let asked = StepUp::within(Duration::from_secs(300));
    for ahead in [6 * 60, 3_600, 86_400] {
        let who = authenticated_at(NOW.saturating_add(Duration::from_secs(ahead)));
        assert!(!asked.is_met_by(&who, NOW), "{ahead} s ahead");
    }
    assert!(!asked.is_met_by(&authenticated_at(UnixTime::from_secs(1_700_000_000_000)), NOW), "milliseconds");
    assert!(!asked.is_met_by(&authenticated_at(UnixTime::MAX), NOW));
    // Clocks of two hosts differ by some seconds.
    assert!(asked.is_met_by(&authenticated_at(NOW.saturating_add(Duration::from_secs(30))), NOW));
    assert!(asked.is_met_by(&authenticated_at(NOW), NOW));
    // However strong it is said to have been; and a class alone asks for no time.
    let who = authenticated_at(NOW.saturating_add(Duration::from_secs(3_600)));
    assert!(!StepUp::within(Duration::from_secs(300)).acr(["mfa"]).is_met_by(&who, NOW));
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

/// What changes something is foreign when the two contradict each other; what reads, or opens a WebSocket, is too.
#[test]
fn asvs_3_5_8_an_origin_that_contradicts_the_site_is_elsewhere_for_safe_methods_too() {
    let origins = Origins::of(["https://clinic.example"]).unwrap();
    for site in ["same-origin", "none"] {
        for origin in [
            "https://evil.example",
            "https://clinic.example.",
            "https://clinic.example:443",
            "HTTPS://CLINIC.EXAMPLE",
            "https://xn--clnic-yva.example",
            "http://clinic.example",
            "",
        ] {
            let lines =
                headers(&[("sec-fetch-site", site), ("sec-fetch-mode", "websocket"), ("origin", origin)]);
            assert_eq!(origins.sender(&lines), Sender::Foreign, "{site} {origin}");
            assert!(origins.is_embedded_elsewhere(&lines), "{site} {origin}");
        }
        for fine in [&[("sec-fetch-site", site)][..], &[("sec-fetch-site", site), ("origin", "null")]] {
            assert!(!origins.is_embedded_elsewhere(&headers(fine)), "{fine:?}");
        }
        let own = [("sec-fetch-site", site), ("origin", "https://clinic.example")];
        assert!(!origins.is_embedded_elsewhere(&headers(&own)));
    }
}

/// Caches that know a header of their own believe it and not `Cache-Control` (RFC 9213 section 2.2; nginx's `proxy_cache`).
#[test]
fn asvs_14_3_2_no_cache_has_a_word_of_its_own_to_believe() {
    for name in [
        "cdn-cache-control",
        "surrogate-control",
        "x-accel-expires",
        "edge-control",
        "cloudflare-cdn-cache-control",
        "vercel-cdn-cache-control",
        "netlify-cdn-cache-control",
        "x-litespeed-cache-control",
    ] {
        let mut answer = headers(&[(name, "max-age=600"), ("expires", "Thu, 01 Dec 2094 16:00:00 GMT")]);
        security_headers(&mut answer, Transport::Tls, Caching::Never);
        assert_eq!(answer[CACHE_CONTROL], "no-store");
        assert!(!answer.contains_key(name), "{name}");
        let mut answer = headers(&[(name, "max-age=600")]);
        security_headers(&mut answer, Transport::Tls, Caching::AsTheHandlerSays);
        assert!(answer.contains_key(name), "what is public stays as it was said");
    }
}
