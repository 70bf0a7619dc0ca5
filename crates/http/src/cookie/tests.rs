use proptest::prelude::*;

use super::*;

fn taken(values: &[&[u8]]) -> Result<Option<String>, ErrorKind> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(COOKIE, HeaderValue::from_bytes(value).unwrap());
    }
    SessionCookie::read(&headers)
        .map(|found| found.map(|token| token.untrusted().to_owned()))
        .map_err(|error| error.kind())
}

fn found(text: &str) -> Result<Option<String>, ErrorKind> {
    Ok(Some(text.to_owned()))
}

#[test]
fn the_one_cookie_is_found_among_others() {
    for header in [
        "__Host-sid=aB-c_1.2~3",
        "theme=dark; __Host-sid=aB-c_1.2~3",
        "__Host-sid=aB-c_1.2~3; theme=dark",
        "a=1; __Host-sid=aB-c_1.2~3; b=\"quoted, and more\"; c",
        "sid=other; __Host-sid=aB-c_1.2~3; __Secure-sid=other; x__Host-sid=other; __Host-sid2=other",
    ] {
        assert_eq!(taken(&[header.as_bytes()]), found("aB-c_1.2~3"), "{header}");
    }
    assert_eq!(taken(&[b"a=1", b"__Host-sid=x", b"b=2"]), found("x"), "HTTP/2 splits them");
    assert_eq!(taken(&[b"a=\xff\xfe; __Host-sid=x"]), found("x"));
    for none in [&b""[..], b"a=1", b"a", b";;;", b"=__Host-sid", b"a=__Host-sid=x", b"a=1, __Host-sid=x"] {
        assert_eq!(taken(&[none]), Ok(None), "{none:?}");
    }
    assert_eq!(taken(&[]), Ok(None));
}

#[test]
fn a_second_cookie_of_its_name_is_refused_and_the_first_is_not_taken() {
    for twice in [
        "__Host-sid=a; __Host-sid=b",
        "__Host-sid=a; __Host-sid=a",
        "__Host-sid=a; x=1; __host-SID=b",
        "__Host-sid=a;__Host-sid=b",
        "__Host-sid=a;   __Host-sid   =b",
        "__Host-sid=a; __Host-sid",
        "__Host-sid=a; __Host-sid=",
        "__Host-sid=\"; __Host-sid=a; x=\"",
    ] {
        assert_eq!(taken(&[twice.as_bytes()]), Err(ErrorKind::DuplicateCookie), "{twice}");
    }
    assert_eq!(taken(&[b"__Host-sid=a", b"__Host-sid=a"]), Err(ErrorKind::DuplicateCookie));
}

#[test]
fn every_other_form_of_it_is_refused() {
    for bad in [
        &b"__Host-sid"[..],
        b"__Host-sid=",
        b"__Host-sid =a",
        b"__Host-sid= a",
        b"__Host-sid=a ",
        b"__Host-sid=a\t",
        b"__Host-sid=\"a\"",
        b"__Host-sid=a\"",
        b"__Host-sid=a,b",
        b"__Host-sid=a b",
        b"__Host-sid=a=b",
        b"__Host-sid=a%2e",
        b"__Host-sid=a\\",
        b"__Host-sid=\xc3\xa9",
        b"x=1;__Host-sid=a",
        b"x=1;  __Host-sid=a",
        b"x=1;\t__Host-sid=a",
        b"x=\"y; __Host-sid=a\"",
    ] {
        assert_eq!(taken(&[bad]), Err(ErrorKind::MalformedCookie), "{bad:?}");
    }
    for other in [&b"__host-sid=a"[..], b"__HOST-SID=a", b"__host-sid", b"x=1; __Host-SID =\"a\""] {
        assert_eq!(taken(&[other]), Err(ErrorKind::LookalikeCookie), "{other:?}");
    }
}

#[test]
fn limits_hold_at_the_exact_byte() {
    let longest = SessionCookie::MAX_LEN - SessionCookie::NAME.len();
    let header = |n: usize| format!("__Host-sid={}", "a".repeat(n)).into_bytes();
    assert!(taken(&[&header(longest)]).is_ok());
    assert_eq!(taken(&[&header(longest + 1)]), Err(ErrorKind::MalformedCookie));
    let padded = |n: usize| format!("__Host-sid=a; b={}", "b".repeat(n - 16)).into_bytes();
    assert_eq!(taken(&[&padded(MAX_COOKIES)]), found("a"));
    assert_eq!(taken(&[&padded(MAX_COOKIES + 1)]), Err(ErrorKind::CookiesTooLarge));
    assert_eq!(taken(&[&padded(MAX_COOKIES), b"c"]), Err(ErrorKind::CookiesTooLarge));
}

fn given(value: &str, seconds: u64) -> Result<String, ErrorKind> {
    SessionCookie::Strict
        .set(&SecretText::new(value.to_owned()), Duration::from_secs(seconds))
        .map(|header| header.to_str().unwrap().to_owned())
        .map_err(|error| error.kind())
}

#[test]
fn asvs_3_3_1_asvs_3_3_3_asvs_3_3_4_every_attribute_is_set_and_there_is_no_domain() {
    assert_eq!(
        given("a.b", 60).as_deref(),
        Ok("__Host-sid=a.b; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict")
    );
    assert_eq!(SessionCookie::Lax.clear(), "__Host-sid=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax");
}

#[test]
fn asvs_3_3_2_same_site_is_chosen_by_what_the_cookie_is_for() {
    let secret = SecretText::new("a".to_owned());
    let hour = Duration::from_secs(3_600);
    for (header, same_site) in [
        (SessionCookie::Lax.set(&secret, hour), "; SameSite=Lax"),
        (SessionCookie::Strict.set(&secret, hour), "; SameSite=Strict"),
        (DeviceCookie.set(&secret, hour), "; SameSite=Strict"),
    ] {
        assert!(header.unwrap().to_str().unwrap().ends_with(same_site));
    }
}

#[test]
fn a_device_is_known_by_one_mark_and_by_no_other_cookie() {
    let mark = |header: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(header).unwrap());
        DeviceCookie::read(&headers).map(|mark| mark.untrusted().to_owned())
    };
    assert_eq!(mark("__Host-sid=s; __Host-device=m").as_deref(), Some("m"));
    for none in ["__Host-sid=s", "__Host-device=", "__Host-device=a; __Host-device=b", "__Host-device=\"m\""]
    {
        assert_eq!(mark(none), None, "{none}");
    }
    let set = DeviceCookie.set(&SecretText::new("m".to_owned()), Duration::from_secs(60)).unwrap();
    assert_eq!(set, "__Host-device=m; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Strict");
    assert!(!SessionCookie::is_set_by(&set));
    assert_eq!(DeviceCookie.clear(), "__Host-device=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict");
}

#[test]
fn asvs_3_3_5_a_cookie_that_a_browser_would_drop_is_not_issued() {
    let longest = SessionCookie::MAX_LEN - SessionCookie::NAME.len();
    assert!(given(&"a".repeat(longest), 60).is_ok());
    assert_eq!(given(&"a".repeat(longest + 1), 60), Err(ErrorKind::CookieValue));
}

#[test]
fn no_value_leaves_its_place() {
    for bad in ["", "a;b", "a; Domain=evil.example", "a b", "a\r\nSet-Cookie: b", "a\"", "é", "a,b"] {
        assert_eq!(given(bad, 60), Err(ErrorKind::CookieValue), "{bad:?}");
    }
    assert_eq!(given("a", 0), Err(ErrorKind::CookieValue));
}

#[test]
fn what_is_set_is_not_shown_and_is_known_again() {
    let header =
        SessionCookie::Lax.set(&SecretText::new("c4n4ry".to_owned()), Duration::from_secs(1)).unwrap();
    assert!(!format!("{header:?}").contains("c4n4ry"));
    assert!(SessionCookie::is_set_by(&header));
    assert!(SessionCookie::is_set_by(&HeaderValue::from_static("__host-SID=x; Path=/")));
    assert!(!SessionCookie::is_set_by(&SessionCookie::Lax.clear()));
    assert!(!SessionCookie::is_set_by(&HeaderValue::from_static("theme=__Host-sid")));
}

proptest! {
    /// What is set is what is read, between whatever else a browser keeps.
    #[test]
    fn what_is_set_is_read(value in "[A-Za-z0-9._~-]{1,64}", before in "([a-z]{1,3}=[!-:<-~]{0,9}; ){0,3}") {
        let header = given(&value, 1).unwrap();
        let (pair, _) = header.split_once(';').unwrap();
        prop_assert_eq!(taken(&[format!("{before}{pair}").as_bytes()]), found(&value));
        prop_assert_eq!(taken(&[before.as_bytes(), pair.as_bytes()]), found(&value));
    }

    #[test]
    fn no_bytes_yield_anything_but_the_one_token(parts in proptest::collection::vec("(__Host-sid|__host-sid|=|;|; | |\"|,|a|=a; ){1}", 0..9)) {
        let header = parts.concat();
        let header = header.trim();
        if let Ok(Some(value)) = taken(&[header.as_bytes()]) {
            let named = header.split(';').filter(|pair| pair.split('=').next().unwrap().trim().eq_ignore_ascii_case("__Host-sid"));
            prop_assert_eq!(named.count(), 1);
            let (first, later) = (format!("__Host-sid={value}"), format!("; __Host-sid={value}"));
            prop_assert!(is_value(SessionCookie::NAME, &value) && (header.starts_with(&first) || header.contains(&later)));
        }
    }
}
