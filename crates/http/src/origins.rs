//! Which page made a browser send a request.
//!
//! Browsers say so themselves, in headers that no page can write: `Sec-Fetch-Site` and `Origin` (Fetch Metadata; Fetch section 3.2).
//! A request that brings a cookie and says neither comes from no browser of today (Chrome and Edge 76, Firefox 90, Safari 16.4
//! and later all send one), and is refused where it could change something.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::ORIGIN};

use crate::{Error, ErrorKind};

/// The origins whose pages may use a session: scheme, host and port of the service as its users see it, and of nobody else.
///
/// ```
/// use bartizan_http::Origins;
///
/// assert!(Origins::of(["https://clinic.example"]).is_ok());
/// assert!(Origins::of(["https://clinic.example/"]).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Box<[Box<str>]>);

/// Who made the browser send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// One of the service's own pages, or the user themselves.
    Own,
    /// The request does not say: no browser sent it, or a very old one.
    Unsaid,
    /// Another site's page.
    Foreign,
}

impl Origins {
    /// These origins, from 1 to 64. Each is `https://host` or `https://host:port` in lower case, without a path; `http://` is for this
    /// machine only: `localhost`, `127.0.0.1` and `[::1]`.
    ///
    /// # Errors
    /// [`ErrorKind::Origin`] for anything else.
    pub fn of<'o>(origins: impl IntoIterator<Item = &'o str>) -> Result<Self, Error> {
        let origins: Vec<&str> = origins.into_iter().take(MAX_ORIGINS + 1).collect();
        if !(1..=MAX_ORIGINS).contains(&origins.len()) || !origins.iter().all(|origin| is_origin(origin)) {
            return Err(Error::new(ErrorKind::Origin));
        }
        Ok(Self(origins.into_iter().map(Into::into).collect()))
    }

    /// Who made the browser send a request that could change something.
    ///
    /// Where `Sec-Fetch-Site` is there it decides, unless `Origin` contradicts it: `same-origin` and `none` are ours, every other is
    /// foreign if its `Origin` is none of these. Without it, `Origin` decides. A header that stands there twice is foreign.
    ///
    /// # Security
    /// A form on a page under `Referrer-Policy: no-referrer` is sent with `Origin: null` even to its own site (Fetch section 3.2):
    /// `null` is believed beside `Sec-Fetch-Site: same-origin`, and never alone.
    #[must_use]
    pub fn sender(&self, headers: &HeaderMap) -> Sender {
        let (Ok(site), Ok(origin)) = (single(headers, &SEC_FETCH_SITE), single(headers, &ORIGIN)) else {
            return Sender::Foreign;
        };
        let is_own = origin.is_some_and(|origin| self.has(origin));
        match site.map(HeaderValue::as_bytes) {
            Some(b"same-origin" | b"none") if is_own || origin.is_none_or(|origin| origin == "null") => {
                Sender::Own
            }
            None if origin.is_none() => Sender::Unsaid,
            Some(b"same-site" | b"cross-site") | None if is_own => Sender::Own,
            _ => Sender::Foreign,
        }
    }

    /// Whether another site's page asks for something to show, run or read within itself, rather than for a page to go to.
    #[must_use]
    pub fn is_embedded_elsewhere(&self, headers: &HeaderMap) -> bool {
        let is = |name: &HeaderName, value: &str| {
            single(headers, name).is_ok_and(|found| found.is_some_and(|found| found == value))
        };
        let Ok(origin) = single(headers, &ORIGIN) else { return true };
        let is_at_home = match single(headers, &SEC_FETCH_SITE) {
            // Visits have no `Origin`; what scripts ask across origins, and the handshake of a WebSocket, has one.
            Ok(None) => origin.is_none(),
            Ok(Some(site)) => {
                (site == "same-origin" || site == "none")
                    && origin.is_none_or(|origin| origin == "null" || self.has(origin))
            }
            Err(_) => false,
        };
        let is_visit = is(&SEC_FETCH_MODE, "navigate") && is(&SEC_FETCH_DEST, "document");
        !is_at_home && !is_visit && !origin.is_some_and(|origin| self.has(origin))
    }

    fn has(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|own| own.as_bytes() == origin.as_bytes())
    }
}

/// Whether a method promises to change nothing (RFC 9110 section 9.2.1), so far as a service has it.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// More than one value.
struct Twice;

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Twice> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() { Err(Twice) } else { Ok(value) }
}

/// What a browser would write (Fetch section 3.2; HTML's serialization of an origin), and nothing that it would write differently.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(host), port) = (uri.host(), uri.port_u16()) else { return false };
    let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let default_port = match scheme {
        "https" => 443,
        "http" if is_loopback => 80,
        _ => return false,
    };
    let is_host = is_loopback
        || host.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        });
    let written = match port {
        Some(port) if port != default_port => format!("{host}:{port}"),
        Some(_) => return false,
        None => host.to_owned(),
    };
    is_host && written == authority && text.len() <= 255
}

const MAX_ORIGINS: usize = 64;
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            })
    }

    fn sender(lines: &[(&'static str, &'static str)]) -> Sender {
        Origins::of(["https://clinic.example", "http://localhost:8080"]).unwrap().sender(&headers(lines))
    }

    #[test]
    fn asvs_3_5_1_only_own_pages_and_the_user_are_own() {
        for own in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://clinic.example")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://clinic.example")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://localhost:8080")],
            &[("origin", "https://clinic.example")],
        ] {
            assert_eq!(sender(own), Sender::Own, "{own:?}");
        }
        for foreign in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "cross-site"), ("origin", "null")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://x.clinic.example")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "none"), ("origin", "https://evil.example")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "Same-Origin")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "same-origin, cross-site")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://clinic.example:443")],
            &[("origin", "http://clinic.example")],
            &[("origin", "https://clinic.example.evil.example")],
            &[("origin", "https://clinic.example https://evil.example")],
            &[("origin", "https://clinic.example"), ("origin", "https://clinic.example")],
        ] {
            assert_eq!(sender(foreign), Sender::Foreign, "{foreign:?}");
        }
    }

    #[test]
    fn asvs_3_7_5_a_browser_that_says_nothing_is_told_from_one_that_does() {
        assert_eq!(sender(&[]), Sender::Unsaid);
        assert_eq!(sender(&[("referer", "https://clinic.example/")]), Sender::Unsaid);
    }

    #[test]
    fn what_another_site_embeds_is_told_from_a_visit() {
        let origins = Origins::of(["https://clinic.example"]).unwrap();
        let is_embedded = |lines: &[_]| origins.is_embedded_elsewhere(&headers(lines));
        for fine in [
            &[][..],
            &[("origin", "https://clinic.example")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")],
            &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-dest", "document"),
            ],
            &[
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-mode", "cors"),
                ("origin", "https://clinic.example"),
            ],
        ] {
            assert!(!is_embedded(fine), "{fine:?}");
        }
        for embedded in [
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")][..],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "whatever")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://clinic.example"), ("origin", "https://clinic.example")],
        ] {
            assert!(is_embedded(embedded), "{embedded:?}");
        }
    }

    #[test]
    fn an_origin_that_no_browser_would_write_is_refused_at_the_start() {
        for good in ["https://a", "https://a.example:8443", "http://127.0.0.1", "http://[::1]:80800"] {
            let expected = good != "http://[::1]:80800";
            assert_eq!(Origins::of([good]).is_ok(), expected, "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "https://",
            "clinic.example",
            "//clinic.example",
            "https://clinic.example/",
            "https://clinic.example/a",
            "https://clinic.example?a",
            "https://clinic.example#a",
            "https://clinic.example:443",
            "http://localhost:80",
            "http://clinic.example",
            "HTTPS://clinic.example",
            "https://Clinic.example",
            "https://ada@clinic.example",
            "https://*.clinic.example",
            "https://clinic..example",
            "https://clinic.example.",
            "https://clinic example",
            "https://clinique.é",
            "ftp://localhost",
            "https://clinic.example:",
            "https://clinic.example:0443",
        ] {
            assert_eq!(Origins::of([bad]).unwrap_err().kind(), ErrorKind::Origin, "{bad}");
        }
        assert!(Origins::of([]).is_err());
        assert!(Origins::of(std::iter::repeat_n("https://a", 64)).is_ok());
        assert!(Origins::of(std::iter::repeat_n("https://a", 65)).is_err());
    }

    #[test]
    fn methods_that_change_nothing_are_three() {
        assert!([Method::GET, Method::HEAD, Method::OPTIONS].iter().all(is_safe));
        for method in
            [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE, Method::CONNECT]
        {
            assert!(!is_safe(&method));
        }
        assert!(!is_safe(&Method::from_bytes(b"get").unwrap()));
    }
}
