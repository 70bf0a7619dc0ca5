//! What handlers ask for.

use std::{convert::Infallible, fmt};

use axum::{
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{HeaderValue, header::USER_AGENT, request::Parts},
};
use bartizan_core::{Authorizer, Grant, Origin, Permission, Principal, Resource};
use bartizan_http::{Code, RequestId, authorize_durably, check_query, granted_each, read_json};
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
        let body = http_body_util::Limited::new(body, limits.bytes).collect().await.map_err(|error| {
            if is_too_long(&*error) { Code::PayloadTooLarge } else { Code::InvalidRequest }
        })?;
        Ok(Self(read_json(&parts.headers, &body.to_bytes(), &limits)?))
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

fn known(parts: &Parts) -> Result<&Known, Problem> {
    parts.extensions.get::<Known>().ok_or(Code::Internal.into())
}
