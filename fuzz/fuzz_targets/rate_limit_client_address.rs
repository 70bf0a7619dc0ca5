//! Forwarding headers: whatever a client writes before what the proxy appends, it is the address that the proxy saw.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;

use bartizan_rate_limit::{Evidence, ForwardingHeader, TrustedProxies};

fuzz_target!(|text: &[u8]| {
    let peer = IpAddr::from([10, 0, 0, 1]);
    let client = IpAddr::from([198, 51, 100, 9]);
    for (header, appended) in [
        (ForwardingHeader::XForwardedFor, b", 198.51.100.9".as_slice()),
        (ForwardingHeader::Forwarded, b", for=198.51.100.9".as_slice()),
    ] {
        let Ok(proxies) = TrustedProxies::in_networks(header, ["10.0.0.0/8"]) else { return };
        let found = proxies.client(peer, [text]);
        assert_eq!(found.address(), found.address().to_canonical());
        let line = [text, appended].concat();
        let found = proxies.client(peer, [line.as_slice()]);
        assert_eq!((found.address(), found.evidence()), (client, Evidence::Forwarded));
    }
});
