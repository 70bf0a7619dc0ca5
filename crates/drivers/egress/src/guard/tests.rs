use super::*;

const PUBLIC: &str = "1.1.1.1";

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn refused(guard: &Guard, text: &str, address: &str, why: Refusal) {
    let error = guard.check_address(&url(text), ip(address)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(why), "{text} at {address}");
}

#[test]
fn asvs_13_2_4_only_the_hosts_on_the_list_are_asked() {
    let guard = Guard::public().only_hosts(["a.example", "1.1.1.1"]).unwrap();
    assert!(guard.check_url(&url("https://A.Example/")).is_ok());
    assert!(guard.check_url(&url("https://1.1.1.1/")).is_ok());
    for other in
        ["https://b.example/", "https://a.example.b.example/", "https://x.a.example/", "https://1.1.1.2/"]
    {
        let error = guard.check_url(&url(other)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(Refusal::Host), "{other}");
    }
    assert!(Guard::public().only_hosts(["a.example/"]).is_err());
    assert!(Guard::public().only_hosts([""]).is_err());
}

#[test]
fn asvs_1_3_6_without_more_only_https_443_and_public_addresses_pass() {
    let guard = Guard::public();
    assert_eq!(guard.check_address(&url("https://a.example/"), ip(PUBLIC)), Ok(ip(PUBLIC)));
    refused(&guard, "http://a.example/", PUBLIC, Refusal::Scheme);
    refused(&guard, "https://a.example:8443/", PUBLIC, Refusal::Port);
    refused(&guard, "https://a.example:80/", PUBLIC, Refusal::Port);
    for address in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1", "fd00::1", "0.0.0.0", "100.64.0.1"]
    {
        refused(&guard, "https://a.example/", address, Refusal::Address);
        refused(&guard, "http://a.example:8080/", address, Refusal::Address);
    }
}

#[test]
fn a_literal_address_is_refused_before_anything_is_resolved() {
    for text in [
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/",
    ] {
        let error = Guard::public().check_url(&url(text)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(Refusal::Address), "{text}");
    }
}

#[test]
fn a_mapped_address_is_connected_to_as_what_it_maps() {
    let checked = Guard::public().check_address(&url("https://a.example/"), ip("::ffff:1.1.1.1"));
    assert_eq!(checked, Ok(ip(PUBLIC)));
}

#[test]
fn a_port_that_is_allowed_is_allowed_for_https_alone() {
    let guard = Guard::public().allow(Allow::port(8443));
    assert!(guard.check_address(&url("https://a.example:8443/"), ip(PUBLIC)).is_ok());
    assert!(guard.check_address(&url("https://a.example/"), ip(PUBLIC)).is_ok());
    refused(&guard, "http://a.example:8443/", PUBLIC, Refusal::Scheme);
    refused(&guard, "https://a.example:8444/", PUBLIC, Refusal::Port);
}

#[test]
fn an_internal_host_is_private_and_never_loopback_link_or_metadata() {
    let guard = Guard::public().allow(Allow::internal_host("vault.internal").unwrap());
    for address in
        ["10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1", PUBLIC]
    {
        assert!(guard.check_address(&url("https://vault.internal/"), ip(address)).is_ok(), "{address}");
    }
    for address in [
        "127.0.0.1",
        "::1",
        "169.254.0.1",
        "169.254.169.254",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::",
        "fe80::1",
        "0.0.0.0",
    ] {
        refused(&guard, "https://vault.internal/", address, Refusal::Address);
    }
    refused(&guard, "https://other.internal/", "10.0.0.1", Refusal::Address);
    refused(&guard, "http://vault.internal/", "10.0.0.1", Refusal::Scheme);
}

#[test]
fn asvs_12_3_1_plain_http_is_for_the_host_that_was_named() {
    let guard = Guard::public().allow(Allow::danger_plain_http("a.example").unwrap());
    assert!(guard.check_address(&url("http://a.example/"), ip(PUBLIC)).is_ok());
    refused(&guard, "http://b.example/", PUBLIC, Refusal::Scheme);
    refused(&guard, "http://a.example/", "10.0.0.1", Refusal::Address);
    refused(&guard, "http://a.example:8080/", PUBLIC, Refusal::Port);
}

#[test]
fn loopback_is_this_machine_and_nothing_else() {
    let guard = Guard::public().allow(Allow::danger_loopback());
    for address in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert!(guard.check_address(&url("http://localhost:8080/"), ip(address)).is_ok(), "{address}");
    }
    for address in ["10.0.0.1", "169.254.169.254", "0.0.0.0", "::", "64:ff9b::127.0.0.1"] {
        refused(&guard, "https://localhost/", address, Refusal::Address);
    }
    refused(&guard, "http://a.example/", PUBLIC, Refusal::Scheme);
    refused(&guard, "https://a.example:8080/", PUBLIC, Refusal::Port);
}
