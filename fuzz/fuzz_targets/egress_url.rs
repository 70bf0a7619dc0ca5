//! URLs of outgoing requests: what is read is read the same when written again, and no special address passes the guard.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;

use bartizan_egress::{AddressKind, Guard, Url, classify};
use bartizan_tokens::JwksUrl;

fuzz_target!(|text: &str| {
    let jwks = JwksUrl::new(text);
    let Ok(url) = Url::parse(text) else { return };
    assert!(text.is_ascii() && url.port() > 0);
    // The two readers agree on where plain http leads: to this machine.
    if jwks.is_ok() && !url.is_https() {
        let address = url.host().parse::<IpAddr>();
        assert!(url.host() == "localhost" || address.is_ok_and(|address| address.is_loopback()));
    }
    let guard = Guard::public();
    if guard.check_url(&url).is_ok() {
        assert!(url.is_https() && url.port() == 443);
        if let Ok(address) = url.host().parse() {
            assert_eq!(classify(address), AddressKind::Public);
        }
    }
});
