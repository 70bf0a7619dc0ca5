//! Whose request it is.

use std::net::IpAddr;

use bartizan_rate_limit::{
    Admission, Ask, ErrorKind, Evidence, ForwardingHeader, Key, OnOutage, Policy, TrustedProxies,
};
use proptest::prelude::*;

use super::{clock, ip, limiter, now};

use ForwardingHeader::{Forwarded, XForwardedFor};

const PROXY: &str = "10.0.0.1";

fn proxies(header: ForwardingHeader) -> TrustedProxies {
    TrustedProxies::in_networks(header, ["10.0.0.0/8", "2001:db8:ffff::/48"]).unwrap()
}

fn found(proxies: &TrustedProxies, peer: &str, lines: &[&str]) -> (IpAddr, Evidence) {
    let client = proxies.client(ip(peer), lines.iter().map(|line| line.as_bytes()));
    (client.address(), client.evidence())
}

fn named(address: &str) -> (IpAddr, Evidence) {
    (ip(address), Evidence::Forwarded)
}

#[test]
fn who_connects_directly_is_the_client_whatever_headers_say() {
    for proxies in [TrustedProxies::none(), proxies(XForwardedFor), proxies(Forwarded)] {
        for line in ["198.51.100.9", "for=198.51.100.9", "10.0.0.1"] {
            assert_eq!(found(&proxies, "203.0.113.7", &[line]), (ip("203.0.113.7"), Evidence::Peer));
        }
    }
    assert_eq!(found(&TrustedProxies::none(), PROXY, &["198.51.100.9"]), (ip(PROXY), Evidence::Peer));
}

#[test]
fn xff_spoof_the_leftmost_value_is_never_believed() {
    let proxies = proxies(XForwardedFor);
    assert_eq!(found(&proxies, PROXY, &["1.1.1.1, 198.51.100.9"]), named("198.51.100.9"));
    assert_eq!(found(&proxies, PROXY, &["1.1.1.1, 198.51.100.9, 10.0.0.2"]), named("198.51.100.9"));
    assert_eq!(
        found(&proxies, PROXY, &["1.1.1.1", "2.2.2.2, 198.51.100.9", "10.0.0.2"]),
        named("198.51.100.9")
    );
    // A client that says to be a proxy.
    assert_eq!(found(&proxies, PROXY, &["1.1.1.1, 10.9.9.9, 198.51.100.9"]), named("198.51.100.9"));
}

#[test]
fn xff_spoof_ten_thousand_rotating_values_are_one_client_to_the_limit() {
    let (proxies, limiter) = (proxies(XForwardedFor), limiter(&clock()));
    let policy = Policy::general(OnOutage::Closed);
    let mut passed = 0;
    for spoofed in 0..10_000_u32 {
        let line = format!("{}, 198.51.100.9", std::net::Ipv4Addr::from_bits(spoofed));
        let client = proxies.client(ip(PROXY), [line.as_bytes()]);
        let admission = now(limiter.check(&[Ask::new(&policy, Key::address(client.address()))])).unwrap();
        passed += usize::from(matches!(admission, Admission::Admitted(_)));
    }
    assert_eq!(passed, 100);
}

#[test]
fn xff_spoof_one_client_has_one_address_in_every_spelling() {
    let xff = proxies(XForwardedFor);
    for line in [
        "198.51.100.9",
        "198.51.100.9:4711",
        "::ffff:198.51.100.9",
        "[::ffff:198.51.100.9]:1",
        " 198.51.100.9\t",
    ] {
        assert_eq!(found(&xff, PROXY, &[line]), named("198.51.100.9"), "{line}");
    }
    for line in ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:443", "2001:DB8:0::7"] {
        assert_eq!(found(&xff, PROXY, &[line]), named("2001:db8::7"), "{line}");
    }
    let forwarded = proxies(Forwarded);
    for line in [
        "for=198.51.100.9",
        "For=198.51.100.9",
        "for=\"198.51.100.9\"",
        "for=\"198.51.100.9:4711\"",
        "for=\"198.51.100.9:_hidden\"",
        "proto=https;for=198.51.100.9;by=10.0.0.1",
        "for=\"[::ffff:198.51.100.9]\" ; host=\"clinic.example:8443\"",
        "for=1.1.1.1, for=198.51.100.9",
    ] {
        assert_eq!(found(&forwarded, PROXY, &[line]), named("198.51.100.9"), "{line}");
    }
    assert_eq!(found(&forwarded, PROXY, &["for=\"[2001:db8::7]:4711\""]), named("2001:db8::7"));
    // The peer too.
    assert_eq!(found(&xff, "::ffff:10.0.0.1", &["198.51.100.9"]), named("198.51.100.9"));
    assert_eq!(found(&xff, "::ffff:203.0.113.7", &[]), (ip("203.0.113.7"), Evidence::Peer));
}

#[test]
fn what_is_no_address_ends_the_walk_at_the_last_proxy() {
    let xff = proxies(XForwardedFor);
    for value in [
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "198.51.100",
        "198.51.100.9.1",
        "0198.51.100.9",
        "198.51.100.9:",
        "198.51.100.9:port",
        "198.51.100.9:123456",
        "[198.51.100.9]",
        "[2001:db8::7",
        "2001:db8::7]",
        "[2001:db8::7]x",
        "fe80::1%eth0",
        "[fe80::1%25eth0]",
        "\"198.51.100.9\"",
        "198.51.100.9 198.51.100.10",
        "0x7f.1",
        "1",
        "for=198.51.100.9",
        "198.51.100.9;x",
    ] {
        let line = format!("1.1.1.1, {value}");
        assert_eq!(found(&xff, PROXY, &[&line]), (ip(PROXY), Evidence::Proxy), "{value}");
        let line = format!("1.1.1.1, {value}, 10.0.0.2");
        assert_eq!(found(&xff, PROXY, &[&line]), (ip("10.0.0.2"), Evidence::Proxy), "{value}");
    }
    let forwarded = proxies(Forwarded);
    for value in [
        "",
        "for=",
        "for=unknown",
        "for=_hidden",
        "for=\"_hidden\"",
        "198.51.100.9",
        "for = 198.51.100.9",
        "for=198.51.100.9;",
        "for=198.51.100.9;for=198.51.100.9",
        "for=198.51.100.9;FOR=1.1.1.1",
        "for=\"198.51.100.9",
        "for=198.51.100.9\"",
        "for=\"198.51.\\100.9\"",
        "for=2001:db8::7",
        "for=[2001:db8::7]",
        "for=\"2001:db8::7\"",
        "for=198.51.100.9:80",
        "proto=https",
        "=198.51.100.9",
        "for=198.51.100.9;proto",
        "f\u{f6}r=198.51.100.9",
    ] {
        let line = format!("for=1.1.1.1, {value}");
        assert_eq!(found(&forwarded, PROXY, &[&line]), (ip(PROXY), Evidence::Proxy), "{value}");
    }
    // No header at all.
    assert_eq!(found(&xff, PROXY, &[]), (ip(PROXY), Evidence::Proxy));
    let client = xff.client(ip(PROXY), [b"\xff198.51.100.9".as_slice()]);
    assert_eq!((client.address(), client.evidence()), (ip(PROXY), Evidence::Proxy));
}

#[test]
fn an_open_quote_of_the_client_swallows_nothing() {
    let proxies = proxies(Forwarded);
    for spoof in ["for=\"1.1.1.1", "for=1.1.1.1;host=\"a", "\"", "for=\"\\"] {
        let line = format!("{spoof}, for=198.51.100.9");
        assert_eq!(found(&proxies, PROXY, &[&line]), named("198.51.100.9"), "{spoof}");
    }
    // A proxy that hands on a host with a comma in it cannot be read: nothing of it is believed.
    let line = "for=198.51.100.9;host=\"a, for=1.1.1.1\"";
    assert_eq!(found(&proxies, PROXY, &[line]), (ip(PROXY), Evidence::Proxy));
    let line = "for=198.51.100.9;host=\"a, for=1.1.1.1;b=\\\"\"";
    assert_eq!(found(&proxies, PROXY, &[line]), (ip(PROXY), Evidence::Proxy));
}

#[test]
fn a_chain_of_proxies_alone_ends_at_its_first() {
    assert_eq!(found(&proxies(XForwardedFor), PROXY, &["10.0.0.3, 10.0.0.2"]), named("10.0.0.3"));
}

#[test]
fn a_long_header_is_walked_a_bounded_way() {
    let line = ["10.0.0.2"; 100_000].join(",");
    assert_eq!(found(&proxies(XForwardedFor), PROXY, &[&line]), named("10.0.0.2"));
    let value = format!("{}198.51.100.9", " ".repeat(600));
    assert_eq!(found(&proxies(XForwardedFor), PROXY, &[&value]), (ip(PROXY), Evidence::Proxy));
}

#[test]
fn a_number_of_proxies_is_counted_from_the_right() {
    let one = TrustedProxies::count(XForwardedFor, 1).unwrap();
    assert_eq!(found(&one, "192.0.2.1", &["1.1.1.1, 198.51.100.9"]), named("198.51.100.9"));
    let two = TrustedProxies::count(XForwardedFor, 2).unwrap();
    assert_eq!(found(&two, "192.0.2.1", &["1.1.1.1, 198.51.100.9, 192.0.2.2"]), named("198.51.100.9"));
    assert_eq!(
        found(&two, "192.0.2.1", &["1.1.1.1, unknown, 192.0.2.2"]),
        (ip("192.0.2.2"), Evidence::Proxy)
    );
    // Fewer values than proxies.
    assert_eq!(found(&two, "192.0.2.1", &["192.0.2.2"]), named("192.0.2.2"));
}

#[test]
fn lists_that_trust_nobody_or_everybody_are_refused() {
    let refused = |networks: &[&str]| {
        TrustedProxies::in_networks(XForwardedFor, networks.iter().copied()).map_err(|error| error.kind())
    };
    assert_eq!(refused(&[]), Err(ErrorKind::Configuration));
    assert_eq!(refused(&["10.0.0.0/8", "0.0.0.0/0"]), Err(ErrorKind::Network));
    assert_eq!(refused(&["::/0"]), Err(ErrorKind::Network));
    assert_eq!(refused(&["proxy.internal"]), Err(ErrorKind::Network));
    for proxies in [0, 17] {
        let refused = TrustedProxies::count(Forwarded, proxies).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::Configuration));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever a client writes before what the proxy appends, it is the address that the proxy saw.
    #[test]
    fn nothing_that_a_client_writes_changes_whose_request_it_is(
        written in prop::collection::vec("[ -~]{0,40}", 0..4),
        forwarded in any::<bool>(),
        client in any::<[u8; 4]>(),
    ) {
        let client = IpAddr::from(client);
        prop_assume!(!ip_is_proxy(client));
        let header = if forwarded { Forwarded } else { XForwardedFor };
        let appended = if forwarded { format!("for={client}") } else { client.to_string() };
        let mut lines: Vec<String> = written;
        match lines.last_mut() {
            Some(last) => { last.push_str(", "); last.push_str(&appended); }
            None => lines.push(appended),
        }
        let found = proxies(header).client(ip(PROXY), lines.iter().map(String::as_bytes));
        prop_assert_eq!((found.address(), found.evidence()), (client, Evidence::Forwarded));
    }

    #[test]
    fn any_bytes_have_an_answer(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4)) {
        for header in [XForwardedFor, Forwarded] {
            let _ = proxies(header).client(ip(PROXY), lines.iter().map(Vec::as_slice));
        }
    }
}

fn ip_is_proxy(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 10)
}
