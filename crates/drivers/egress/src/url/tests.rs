use proptest::prelude::*;

use super::*;

#[track_caller]
fn url(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn refused(text: &str) {
    match Url::parse(text) {
        Ok(url) => panic!("{text:?} was read as {url:?}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Url, "{text:?}"),
    }
}

#[test]
fn a_plain_url_is_read() {
    let it = url("https://Login.EXAMPLE:8443/a/b?c=d");
    assert_eq!((it.host().as_str(), it.port(), it.is_https()), ("login.example", 8443, true));
    assert_eq!((it.path(), it.authority().as_str()), ("/a/b?c=d", "login.example:8443"));
    assert_eq!(url("https://a.example").path(), "/");
    assert_eq!(url("https://a.example?b").path(), "/?b");
    assert_eq!(url("https://a.example:443/").authority(), "a.example");
    assert_eq!(url("http://a.example:443/").authority(), "a.example:443");
    assert_eq!(url("https://[2606:4700::1111]/").authority(), "[2606:4700::1111]");
    assert_eq!(url("https://1.1.1.1/").parts(), &Host::Address(Ipv4Addr::new(1, 1, 1, 1).into()));
    assert_eq!(url("https://xn--bcher-kva.example/").host(), "xn--bcher-kva.example");
    assert_eq!(url("https://4chan.example/").host(), "4chan.example");
}

#[test]
fn asvs_1_3_6_odd_ways_to_write_an_address_are_refused() {
    for host in [
        "0x7f.1",
        "0x7f000001",
        "0X7F.0.0.1",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "127.0.0.0x1",
        "127.0.0.1.",
        "127.0.0.01",
        "127.0.0.256",
        "1.2.3.4.5",
        "0",
        "0x",
        "example.0x1",
        "example.1",
        "[::1%25lo]",
        "[fe80::1%eth0]",
        "[127.0.0.1]",
        "[::127.0.0.1",
        "::1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "localhost%00",
        "%6c%6fcalhost",
    ] {
        refused(&format!("https://{host}/"));
    }
}

#[test]
fn what_two_readers_might_read_differently_is_refused() {
    for text in [
        "",
        "https:",
        "https://",
        "https:///a",
        "https:a.example",
        "//a.example",
        "a.example",
        "HTTPS://a.example/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "https://user@a.example/",
        "https://user:word@a.example/",
        "https://@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example#@b.example/",
        "https://a.example/#b",
        "https://a.example /",
        " https://a.example/",
        "https://a.example/\u{0}",
        "https://a.example/\r\nHost: b",
        "https://a\texample/",
        "https://bücher.example/",
        "https://a..example/",
        "https://.example/",
        "https://a.example./",
        "https://-a.example/",
        "https://a-.example/",
        "https://a_b.example/",
        "https://a,b.example/",
        "https://*.example/",
        "https://a.example:/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:+443/",
        "https://a.example:0x1bb/",
        "https://a.example:000443/",
        "https://a.example:443:443/",
        "https://[::1]443/",
        "https://[]/",
    ] {
        refused(text);
    }
    refused(&format!("https://a.example/{}", "a".repeat(MAX_URL)));
    refused(&format!("https://{}.example/", "a".repeat(64)));
    refused(&format!("https://{}example/", "a.".repeat(130)));
}

#[test]
fn the_path_is_not_shown() {
    assert!(!format!("{:?}", url("https://a.example/canary?canary")).contains("canary"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_without_panic(text in "(https?://)?[\\PC]{0,40}") {
        if let Ok(url) = Url::parse(&text) {
            prop_assert!(text.is_ascii() && url.port() > 0 && url.path().starts_with('/'));
            // What is read is read the same when written again.
            let scheme = if url.is_https() { "https" } else { "http" };
            prop_assert_eq!(Url::parse(&format!("{scheme}://{}{}", url.authority(), url.path())).unwrap(), url);
        }
    }

    #[test]
    fn a_host_is_a_name_or_exactly_the_address_that_std_reads(host in "[0-9a-fx.:]{1,20}") {
        if let Ok(url) = Url::parse(&format!("https://{host}/")) {
            match url.parts() {
                Host::Address(address) => prop_assert_eq!(address.to_string(), host),
                Host::Name(name) => {
                    let last = name.rsplit('.').next().unwrap();
                    prop_assert!(!last.bytes().all(|byte| byte.is_ascii_digit()));
                }
            }
        }
    }
}
