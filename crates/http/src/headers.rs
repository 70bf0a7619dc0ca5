//! The headers that every answer of an API carries.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, SERVER, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
    },
};

/// How clients reach the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Through TLS, here or at a proxy: answers carry `Strict-Transport-Security`.
    #[default]
    Tls,
    /// In clear, on this machine only. `Strict-Transport-Security` must not be sent then (RFC 6797 section 7.2).
    PlainLoopback,
}

/// Whether an answer may be kept by caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caching {
    /// `Cache-Control: no-store`, whatever the handler said: somebody was authenticated for it.
    Never,
    /// What the handler said, else `no-store`.
    AsTheHandlerSays,
}

/// Sets the security headers of an API's answer, over whatever is there, and removes version banners.
///
/// The content security policy lets a browser that shows the answer as a page do nothing at all; there is no preload in
/// the HSTS header, which is a promise that only the domain's owner can make.
pub fn security_headers(headers: &mut HeaderMap, transport: Transport, caching: Caching) {
    for (name, value) in API {
        headers.insert(name, HeaderValue::from_static(value));
    }
    match transport {
        Transport::Tls => {
            headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONE_YEAR));
        }
        Transport::PlainLoopback => {
            headers.remove(STRICT_TRANSPORT_SECURITY);
        }
    }
    if caching == Caching::Never || !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if caching == Caching::Never {
        let is_targeted = |name: &HeaderName| {
            name.as_str().ends_with("-cache-control") || TARGETED.contains(&name.as_str())
        };
        let targeted: Vec<HeaderName> = headers.keys().filter(|name| is_targeted(name)).cloned().collect();
        targeted.iter().for_each(|name| drop(headers.remove(name)));
    }
    for banner in [SERVER, HeaderName::from_static("x-powered-by"), X_XSS_PROTECTION] {
        headers.remove(banner);
    }
}

/// What an answer is to a browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Content {
    /// Data: a browser that shows it as a page may do nothing with it.
    #[default]
    Data,
    /// A page of the service, with styles, scripts, pictures and forms of its own origin, and nothing inline.
    Page,
}

/// Lets a page be one, over what [`security_headers`] set: its own files, its own forms, and `Referrer-Policy: same-origin`, under which
/// browsers say to the service's own origin where a form comes from.
pub fn page_headers(headers: &mut HeaderMap) {
    for (name, value) in PAGE {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

const ONE_YEAR: &str = "max-age=31536000; includeSubDomains";

/// SECURITY: caches that know these, or a `…-cache-control` of their own, believe it and not `Cache-Control` (RFC 9213 section 2.2;
/// nginx, `proxy_cache_valid`).
const TARGETED: [&str; 3] = ["surrogate-control", "x-accel-expires", "edge-control"];

const API: [(HeaderName, &str); 7] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (X_FRAME_OPTIONS, "DENY"),
];

const PAGE: [(HeaderName, &str); 2] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; \
         img-src 'self'; script-src 'self'; style-src 'self'; base-uri 'none'; object-src 'none'",
    ),
    (REFERRER_POLICY, "same-origin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_may_use_its_own_files_and_forms_and_nothing_else() {
        let mut headers = HeaderMap::new();
        security_headers(&mut headers, Transport::Tls, Caching::Never);
        page_headers(&mut headers);
        assert_eq!(headers.get_all(CONTENT_SECURITY_POLICY).iter().count(), 1);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"] {
            assert!(policy.contains(part), "{part}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("https:"),
            "{policy}"
        );
        assert_eq!(
            (&headers[REFERRER_POLICY], &headers[X_FRAME_OPTIONS]),
            (&"same-origin".parse().unwrap(), &"DENY".parse().unwrap())
        );
    }

    fn after(transport: Transport, caching: Caching, before: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in before {
            headers.append(name, HeaderValue::from_static(value));
        }
        security_headers(&mut headers, transport, caching);
        headers
    }

    #[test]
    fn handlers_cannot_weaken_them() {
        let headers = after(
            Transport::Tls,
            Caching::Never,
            &[
                (CONTENT_SECURITY_POLICY, "default-src *"),
                (CONTENT_SECURITY_POLICY, "script-src *"),
                (STRICT_TRANSPORT_SECURITY, "max-age=0"),
                (CACHE_CONTROL, "public, max-age=600"),
                (SERVER, "bartizan/0.1"),
                (X_XSS_PROTECTION, "1; mode=block"),
            ],
        );
        assert_eq!(headers.get_all(CONTENT_SECURITY_POLICY).iter().count(), 1);
        assert!(headers[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none';"));
        assert_eq!(headers[STRICT_TRANSPORT_SECURITY], "max-age=31536000; includeSubDomains");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert!(!headers.contains_key(SERVER) && !headers.contains_key(X_XSS_PROTECTION));
    }

    #[test]
    fn a_public_answer_may_be_cached_when_its_handler_says_so() {
        let said = [(CACHE_CONTROL, "public, max-age=600")];
        assert_eq!(
            after(Transport::Tls, Caching::AsTheHandlerSays, &said)[CACHE_CONTROL],
            "public, max-age=600"
        );
        assert_eq!(after(Transport::Tls, Caching::AsTheHandlerSays, &[])[CACHE_CONTROL], "no-store");
    }

    #[test]
    fn hsts_is_not_sent_in_clear() {
        let headers =
            after(Transport::PlainLoopback, Caching::Never, &[(STRICT_TRANSPORT_SECURITY, "max-age=1")]);
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
    }
}
