//! Whose address a request counts for.

use std::net::IpAddr;

use bartizan_rate_limit::{ClientAddress, TrustedProxies};
use http::{HeaderMap, HeaderValue};

/// The client's address: the other end of the connection, unless that is a proxy on the operator's list and names another.
///
/// ```
/// use bartizan_http::client_address;
/// use bartizan_rate_limit::{ForwardingHeader, TrustedProxies};
/// use http::HeaderMap;
///
/// let proxies = TrustedProxies::in_networks(ForwardingHeader::XForwardedFor, ["10.0.0.0/8"])?;
/// let mut headers = HeaderMap::new();
/// headers.insert("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse()?);
/// // A proxy of ours says that it was asked by .7; what .7 itself says is worth nothing.
/// assert_eq!(client_address(&proxies, [10, 0, 0, 1].into(), &headers).address().to_string(), "198.51.100.7");
/// assert_eq!(client_address(&proxies, [192, 0, 2, 1].into(), &headers).address().to_string(), "192.0.2.1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn client_address(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
    let lines: Vec<&[u8]> = proxies
        .header()
        .map(|header| headers.get_all(header.name()).iter().map(HeaderValue::as_bytes).collect())
        .unwrap_or_default();
    proxies.client(peer, lines)
}
