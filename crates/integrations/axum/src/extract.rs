//! What handlers ask for.

use std::{convert::Infallible, fmt, net::IpAddr};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{
        HeaderValue, Uri,
        header::{CONTENT_TYPE, USER_AGENT},
        request::Parts,
    },
};
use bartizan_core::{Authorizer, Grant, Origin, Permission, Principal, Resource, SecretText};
use bartizan_http::{
    Code, DeviceCookie, RequestId, SessionCookie, authorize_durably, check_query, granted_each, read_json,
};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::{
    Problem,
    gate::Known,
    shell::{Seen, is_too_long},
};

/// Who asks. On a route that is public or not in a [`SecureRouter`](crate::SecureRouter) nobody is known: 500, and never
/// silently nobody.
#[derive(Clone, Debug)]
pub struct Who(pub Principal);

impl<S: Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        known(parts).map(|known| Self(known.who.clone()))
    }
}

/// Who asks, and the means to ask what they may do.
///
/// On a route that [`requires_on_record`](crate::Route::requires_on_record) the answer leaves only after
/// [`Guarded::authorize`] has granted each of the route's permissions, or [`Guarded::authorize_each`] has decided it.
#[derive(Clone)]
pub struct Guarded(Known);

impl<S: Sync> FromRequestParts<S> for Guarded {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        known(parts).map(|known| Self(known.clone()))
    }
}

impl Guarded {
    /// Who asks.
    #[must_use]
    pub const fn who(&self) -> &Principal {
        &self.0.who
    }

    /// The authorizer.
    #[must_use]
    pub fn authorizer(&self) -> &Authorizer {
        &self.0.authorizer
    }

    /// Asks for a permission on a record; critical ones are durable on record first.
    ///
    /// # Errors
    /// 403, or 404 for a record whose existence must not be known; 503 when it cannot be told.
    ///
    /// # Cancel safety
    /// That of [`Authorizer::decide_durably`].
    pub async fn authorize(&self, permission: Permission, on: Resource<'_>) -> Result<Grant, Problem> {
        let grant = authorize_durably(&self.0.authorizer, &self.0.who, permission, on).await?;
        self.0.owed.pay(permission);
        Ok(grant)
    }

    /// Asks for a permission on each record of a page, in their order; nothing for those that must be left out.
    ///
    /// # Errors
    /// 503 for the whole page when a record cannot be decided, 500 for a critical permission.
    pub fn authorize_each<'r>(
        &self,
        permission: Permission,
        on: impl IntoIterator<Item = Resource<'r>>,
    ) -> Result<Vec<Option<Grant>>, Problem> {
        let grants = granted_each(self.0.authorizer.decide_each(&self.0.who, permission, on))?;
        self.0.owed.pay(permission);
        Ok(grants)
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guarded").field(&self.0.who).finish()
    }
}

/// The client's address, as [`Clients`](crate::Clients) says: for limits that a handler asks itself, as a login does. Where it is not known
/// the answer is a 500: nobody is counted as somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = parts.extensions.get::<Seen>().and_then(|seen| seen.address);
        address.map(Self).ok_or(Code::Internal.into())
    }
}

/// The credential in the cookie that a browser still has, good or bad, on any route: for a login that takes an old session's
/// place, and for a change of privileges that renews one. Its `Debug` shows nothing of it.
///
/// Two of them, or a malformed one, are a 400. The malformed one is taken away from the browser with it.
#[derive(Debug)]
pub struct OldSession(pub Option<SecretText>);

impl<S: Sync> FromRequestParts<S> for OldSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = SessionCookie::read(&parts.headers)?;
        Ok(Self(found.map(|text| SecretText::new(text.untrusted().to_owned()))))
    }
}

/// The mark of a known device that a browser has in its cookie, for [`DeviceMarks::read`](bartizan_rate_limit::DeviceMarks::read).
#[derive(Debug)]
pub struct DeviceMark(pub Option<SecretText>);

impl<S: Sync> FromRequestParts<S> for DeviceMark {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let found = DeviceCookie::read(&parts.headers);
        Ok(Self(found.map(|mark| SecretText::new(mark.untrusted().to_owned()))))
    }
}

/// Where a request comes from, as far as anybody knows: for what a handler records itself, on public routes too.
#[derive(Clone)]
pub struct Client {
    seen: Seen,
    user_agent: Option<HeaderValue>,
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let seen = parts.extensions.get::<Seen>().cloned().unwrap_or_default();
        Ok(Self { seen, user_agent: parts.headers.get(USER_AGENT).cloned() })
    }
}

impl Client {
    /// The origin of a fact of this service: the request's id, the client's address if the router may know it, and the first
    /// 255 bytes of its `User-Agent`, which is the client's own text.
    #[must_use]
    pub fn origin<'a>(&'a self, service: &'a str) -> Origin<'a> {
        let mut origin = Origin::service(service);
        origin.address = self.seen.address;
        origin.request = self.seen.request.as_ref().map(RequestId::as_str);
        let user_agent = self.user_agent.as_ref().and_then(|value| value.to_str().ok());
        origin.user_agent = user_agent.and_then(|text| text.get(..text.len().min(255)));
        origin
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("request", &self.seen.request).finish_non_exhaustive()
    }
}

/// A JSON body, read by [`bartizan_http::read_json`] within the router's limits.
#[derive(Clone, Copy, Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let limits = request.extensions().get::<Seen>().cloned().unwrap_or_default().limits;
        let (parts, body) = request.into_parts();
        let body = whole(body, limits.bytes).await?;
        Ok(Self(read_json(&parts.headers, &body, &limits)?))
    }
}

/// A query, checked by [`bartizan_http::check_query`] first. Give `T` the attribute `#[serde(deny_unknown_fields)]`.
#[derive(Clone, Copy, Debug)]
pub struct StrictQuery<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        check_query(&parts.uri)?;
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(_) => Err(Code::ValidationError.into()),
        }
    }
}

/// What a browser sends of a form: `application/x-www-form-urlencoded` of at most 4 KiB, checked as [`StrictQuery`] is, so that a field
/// stands there once, and has no line ends. Give `T` the attribute `#[serde(deny_unknown_fields)]`.
///
/// # Security
/// Every site can have a browser send a form. It is refused because the router asks who sent it, where the guard takes cookies: see
/// [`Guard::admit`](bartizan_http::Guard::admit).
#[derive(Clone, Copy, Debug)]
pub struct StrictForm<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for StrictForm<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let limits = request.extensions().get::<Seen>().cloned().unwrap_or_default().limits;
        let (parts, body) = request.into_parts();
        let mut types = parts.headers.get_all(CONTENT_TYPE).iter();
        let is_form = types.next().is_some_and(|value| {
            let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        });
        if !is_form || types.next().is_some() {
            return Err(Code::UnsupportedMediaType.into());
        }
        let text = whole(body, limits.bytes).await?;
        let text = std::str::from_utf8(&text).map_err(|_| Code::InvalidRequest)?;
        // A form is written as a query is, in ASCII (WHATWG URL section 5.2), and `#` would end one.
        if !text.is_ascii() || text.contains('#') {
            return Err(Code::InvalidRequest.into());
        }
        let uri: Uri = format!("/?{text}").parse().map_err(|_| Code::InvalidRequest)?;
        check_query(&uri)?;
        match Query::try_from_uri(&uri) {
            Ok(Query(form)) => Ok(Self(form)),
            Err(_) => Err(Code::ValidationError.into()),
        }
    }
}

async fn whole(body: Body, bytes: usize) -> Result<Bytes, Problem> {
    match http_body_util::Limited::new(body, bytes).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if is_too_long(&*error) => Err(Code::PayloadTooLarge.into()),
        Err(_) => Err(Code::InvalidRequest.into()),
    }
}

fn known(parts: &Parts) -> Result<&Known, Problem> {
    parts.extensions.get::<Known>().ok_or(Code::Internal.into())
}
