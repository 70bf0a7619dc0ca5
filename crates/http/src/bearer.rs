//! Takes the one bearer token out of a request (RFC 6750 section 2.1).
//!
//! It refuses whatever two readers could read in two ways: a second `Authorization` header, two tokens in one header, any
//! white space but one space, and a token in the URL. It never looks inside the token, and its errors hold nothing of it.

use bartizan_core::RawToken;
use http::{HeaderMap, HeaderValue, Uri, header::AUTHORIZATION};

use crate::{Error, ErrorKind, query};

/// The longest token that is taken, in bytes. Servers and proxies give up between 8 and 16 KiB of headers.
pub const MAX_TOKEN: usize = 8 * 1024;

/// The token of `Authorization: Bearer <token>`.
///
/// The scheme's case does not matter (RFC 9110 section 11.1); exactly one space follows it; the token is a `b64token`
/// (RFC 6750 section 2.1) of at most [`MAX_TOKEN`] bytes.
///
/// # Errors
/// [`ErrorKind::NoCredentials`] and [`ErrorKind::OtherScheme`]: nobody tried to present a bearer token.
/// [`ErrorKind::DuplicateCredentials`], [`ErrorKind::MalformedCredentials`], [`ErrorKind::CredentialsTooLarge`] and
/// [`ErrorKind::CredentialsInUrl`]: somebody did, in a way that is refused.
///
/// # Security
/// A parameter named `access_token` or `api_key` in the query, or userinfo before the host (RFC 9110 section 4.2.4), is refused even
/// beside a good header: URLs end in logs, histories and `Referer` headers (RFC 9700 section 4.3.2).
pub fn bearer<'a>(headers: &'a HeaderMap, uri: &Uri) -> Result<RawToken<'a>, Error> {
    let has_userinfo = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if has_userinfo || query::names_a_token(uri.query().unwrap_or_default()) {
        return Err(Error::new(ErrorKind::CredentialsInUrl));
    }
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Error::new(ErrorKind::NoCredentials))?;
    // SECURITY: the first of several is never taken. A proxy may have checked another one.
    if values.next().is_some() {
        return Err(Error::new(ErrorKind::DuplicateCredentials));
    }
    credentials(value)
}

fn credentials(value: &HeaderValue) -> Result<RawToken<'_>, Error> {
    let malformed = Error::new(ErrorKind::MalformedCredentials);
    // INVARIANT(ascii-credentials): only visible ASCII and blanks come past this line.
    let text = value.to_str().map_err(|_| malformed)?;
    let (scheme, token) = match text.split_once([' ', '\t', ',']) {
        Some((scheme, _)) => (scheme, text.get(scheme.len()..).and_then(|rest| rest.strip_prefix(' '))),
        None => (text, None),
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(if scheme.is_empty() { malformed } else { Error::new(ErrorKind::OtherScheme) });
    }
    let token = token.ok_or(malformed)?;
    if token.len() > MAX_TOKEN {
        return Err(Error::new(ErrorKind::CredentialsTooLarge));
    }
    if is_b64token(token) { Ok(RawToken::new(token)) } else { Err(malformed) }
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
pub(crate) fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(values: &[&[u8]], uri: &str) -> Result<String, ErrorKind> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        bearer(&headers, &uri.parse().unwrap())
            .map(|token| token.untrusted().to_owned())
            .map_err(|error| error.kind())
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_the_token_in_its_own() {
        for header in ["Bearer aB.c-d_e~f+g/h==", "bearer aB.c-d_e~f+g/h==", "BEARER aB.c-d_e~f+g/h=="] {
            assert_eq!(taken(&[header.as_bytes()], "/x?y=access").as_deref(), Ok("aB.c-d_e~f+g/h=="));
        }
    }

    #[test]
    fn no_credentials_and_other_schemes_are_told_from_bad_ones() {
        assert_eq!(taken(&[], "/"), Err(ErrorKind::NoCredentials));
        for other in ["Basic dXNlcjpwYXNz", "DPoP abc", "Bearerabc", "Bearer:abc", "Negotiate"] {
            assert_eq!(taken(&[other.as_bytes()], "/"), Err(ErrorKind::OtherScheme), "{other}");
        }
    }

    #[test]
    fn asvs_15_3_7_two_authorization_headers_are_refused_even_when_alike() {
        assert_eq!(taken(&[b"Bearer a", b"Bearer b"], "/"), Err(ErrorKind::DuplicateCredentials));
        assert_eq!(taken(&[b"Bearer a", b"Bearer a"], "/"), Err(ErrorKind::DuplicateCredentials));
        assert_eq!(taken(&[b"Bearer a", b"Basic b"], "/"), Err(ErrorKind::DuplicateCredentials));
    }

    #[test]
    fn every_form_but_one_space_and_one_token_is_refused() {
        for bad in [
            &b""[..],
            b" ",
            b" Bearer a",
            b"Bearer",
            b"Bearer ",
            b"Bearer  a",
            b"Bearer\ta",
            b"Bearer \ta",
            b"Bearer a ",
            b"Bearer a\t",
            b"Bearer a b",
            b"Bearer a,Bearer b",
            b"Bearer a, Bearer b",
            b"Bearer,a",
            b"Bearer =",
            b"Bearer a=b",
            b"Bearer \"a\"",
            b"Bearer a;b",
            b"Bearer a%2e",
            b"Bearer a\x80",
            b"Bearer \xc3\xa9",
            b"\xff",
        ] {
            assert_eq!(taken(&[bad], "/"), Err(ErrorKind::MalformedCredentials), "{bad:?}");
        }
    }

    #[test]
    fn the_size_limit_holds_at_the_exact_byte() {
        let header = |n: usize| format!("Bearer {}", "a".repeat(n)).into_bytes();
        assert!(taken(&[&header(MAX_TOKEN)], "/").is_ok());
        assert_eq!(taken(&[&header(MAX_TOKEN + 1)], "/"), Err(ErrorKind::CredentialsTooLarge));
        assert_eq!(taken(&[&header(64 * 1024)], "/"), Err(ErrorKind::CredentialsTooLarge));
    }

    #[test]
    fn asvs_14_2_1_a_token_in_the_url_is_refused_and_not_just_ignored() {
        for uri in [
            "/x?access_token=a",
            "/x?a=b&access_token",
            "/x?ACCESS_TOKEN=a",
            "/x?%61ccess%5ftoken=a",
            "/x?a=b;access_token=c",
            "/x?access_token[]=a",
            "/x?+access_token+=a",
            "/x?api_key=a",
            "/x?X-API-Key=a",
            "/x?apikey=a",
            "http://ada:secret@clinic/x",
            "http://ada@clinic/x",
        ] {
            assert_eq!(taken(&[], uri), Err(ErrorKind::CredentialsInUrl), "{uri}");
            assert_eq!(taken(&[b"Bearer a"], uri), Err(ErrorKind::CredentialsInUrl), "{uri}");
        }
        for uri in ["/access_token", "/x?note=access_token", "/x?access_tokens=1", "/x?a=%26access_token=b"] {
            assert!(taken(&[b"Bearer a"], uri).is_ok(), "{uri}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_b64token_after_one_space(value in proptest::collection::vec(32_u8..=255, 0..40)) {
            for prefix in [&b""[..], b"Bearer ", b"bEARER"] {
                let mut whole = prefix.to_vec();
                whole.extend(&value);
                whole.retain(|byte| *byte != 127);
                if let Ok(token) = taken(&[&whole], "/") {
                    prop_assert_eq!(whole.len(), "Bearer ".len() + token.len());
                    prop_assert!(is_b64token(&token) && whole.ends_with(token.as_bytes()));
                }
            }
        }
    }
}
