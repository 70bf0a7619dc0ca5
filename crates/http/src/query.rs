//! One strict reading of the query.

use http::Uri;

use crate::{Error, ErrorKind, path::decoded};

/// The longest query that is read, in bytes.
const MAX_QUERY: usize = 4 * 1024;

/// The most parameters that are read.
const MAX_PARAMETERS: usize = 64;

/// Checks that a query has one reading: `name=value` pairs joined by `&`, no name twice, percent-encoding that decodes
/// once to UTF-8 without control characters. At most 4 KiB and 64 parameters.
///
/// # Errors
/// [`ErrorKind::Query`] for anything else, [`ErrorKind::CredentialsInUrl`] when a parameter is named as tokens and API keys are.
pub fn check_query(uri: &Uri) -> Result<(), Error> {
    let malformed = Error::new(ErrorKind::Query);
    let query = uri.query().unwrap_or_default();
    if names_a_token(query) {
        return Err(Error::new(ErrorKind::CredentialsInUrl));
    }
    if query.is_empty() {
        return Ok(());
    }
    if query.len() > MAX_QUERY || query.split('&').count() > MAX_PARAMETERS {
        return Err(malformed);
    }
    let mut names = Vec::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A plus is a blank in forms (WHATWG URL section 5.1).
        let name = decoded(&name.replace('+', " ")).ok_or(malformed)?;
        decoded(value).ok_or(malformed)?;
        if name.is_empty() || names.contains(&name) {
            return Err(malformed);
        }
        names.push(name);
    }
    Ok(())
}

/// Whether any reader could find a parameter `access_token` (RFC 6750 section 2.3), or one that is named as API keys are, in this
/// query.
pub(crate) fn names_a_token(query: &str) -> bool {
    query.split(['&', ';']).any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = decoded(&name.replace('+', " ")).unwrap_or_default();
        let name = name.split('[').next().unwrap_or_default();
        let name = name.trim();
        CREDENTIALS.iter().any(|credential| name.eq_ignore_ascii_case(credential))
    })
}

const CREDENTIALS: [&str; 5] = ["access_token", "api_key", "api-key", "apikey", "x-api-key"];

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(query: &str) -> Result<(), ErrorKind> {
        check_query(&format!("/x?{query}").parse().unwrap()).map_err(|error| error.kind())
    }

    #[test]
    fn plain_queries_pass() {
        for good in ["", "a=1", "a=1&b=2", "a=b=c", "a", "q=a+b%20c", "q=%C3%A9", "A=1&a=2"] {
            assert_eq!(verdict(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn asvs_15_3_7_a_parameter_that_stands_twice_is_refused() {
        for twice in ["tenant=a&tenant=b", "tenant=a&t%65nant=b", "a&a", "a+b=1&a%20b=2"] {
            assert_eq!(verdict(twice), Err(ErrorKind::Query), "{twice}");
        }
        for bad in ["=1", "a=1&&b=2", "a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "a=%0d%0a", "%0a=1"] {
            assert_eq!(verdict(bad), Err(ErrorKind::Query), "{bad}");
        }
    }

    #[test]
    fn limits_hold_at_the_exact_number() {
        let many = |n: usize| (0..n).map(|i| format!("a{i}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(verdict(&many(MAX_PARAMETERS)), Ok(()));
        assert_eq!(verdict(&many(MAX_PARAMETERS + 1)), Err(ErrorKind::Query));
        assert_eq!(verdict(&format!("a={}", "x".repeat(MAX_QUERY - 2))), Ok(()));
        assert_eq!(verdict(&format!("a={}", "x".repeat(MAX_QUERY - 1))), Err(ErrorKind::Query));
    }
}
