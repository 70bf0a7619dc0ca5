//! One route: method, path, policy, handler.

use std::fmt;

use axum::{
    handler::Handler,
    http::Method,
    routing::{MethodFilter, MethodRouter, on},
};
use bartizan_core::Permission;
use bartizan_http::{Content, RouteLimit, RoutePolicy, StepUp, Terms};
use bartizan_sessions::Freshness;

/// A route. It has no policy until one of the methods here says so, and no router is built of routes without one.
///
/// ```
/// use bartizan_axum::{Route, get};
///
/// let health: Route = get("/health", async || "ok").public("liveness");
/// ```
#[must_use = "a route does nothing until it is added to a router"]
pub struct Route<S = ()> {
    pub(crate) method: Method,
    pub(crate) path: Box<str>,
    pub(crate) policy: Option<RoutePolicy>,
    /// One would not be added to the other, as a reader might think, but take its place.
    pub(crate) has_second_policy: bool,
    pub(crate) terms: Terms,
    /// Nothing for a method that is not served.
    pub(crate) endpoint: Option<MethodRouter<S>>,
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// A route for any method that is served: GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS.
    ///
    /// A GET route also answers HEAD, under the same policy and without a body. OPTIONS answers only where there is a route
    /// for it.
    pub fn new<H, T>(method: Method, path: impl Into<Box<str>>, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let endpoint = filter(&method).map(|filter| on(filter, handler));
        Self {
            method,
            path: path.into(),
            policy: None,
            has_second_policy: false,
            terms: Terms::default(),
            endpoint,
        }
    }

    /// Under this policy. A route has one: no router is built of a route with a second.
    pub fn policy(mut self, policy: RoutePolicy) -> Self {
        self.has_second_policy |= self.policy.is_some();
        self.policy = Some(policy);
        self
    }

    /// Open to everybody, for a reason that stands in the inventory.
    pub fn public(self, reason: impl Into<Box<str>>) -> Self {
        self.policy(RoutePolicy::public(reason))
    }

    /// Open to whoever is known.
    pub fn authenticated(self) -> Self {
        self.policy(RoutePolicy::Authenticated)
    }

    /// Open to whoever has this permission in their tenant. Decided, and recorded, before the handler runs.
    pub fn requires(self, permission: Permission) -> Self {
        self.requires_all([permission])
    }

    /// Open to whoever has all of these permissions in their tenant. Decided, and recorded, before the handler runs.
    pub fn requires_all(self, permissions: impl IntoIterator<Item = Permission>) -> Self {
        self.policy(RoutePolicy::requires(permissions))
    }

    /// Open to whoever has this permission on the record. The handler loads it and asks
    /// [`Guarded::authorize`](crate::Guarded::authorize); an answer that leaves without that is turned into a 500.
    pub fn requires_on_record(self, permission: Permission) -> Self {
        self.policy(RoutePolicy::requires_on_record([permission]))
    }

    /// Knowing of ended sessions and revoked tokens as of now, or as of a short while ago. Where the guard was given
    /// [`Logins`](bartizan_http::Logins), every route that is not public has to say it. The last word holds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use bartizan_axum::{Route, Who, get, post};
    /// use bartizan_sessions::Freshness;
    ///
    /// let me: Route = get("/me", async |Who(who): Who| who.subject().to_owned())
    ///     .authenticated()
    ///     .fresh(Freshness::Snapshot(Duration::from_secs(5)));
    /// let logout: Route = post("/logout", async || "bye").authenticated().fresh(Freshness::ReadThrough);
    /// ```
    pub fn fresh(mut self, freshness: Freshness) -> Self {
        self.terms.freshness = Some(freshness);
        self
    }

    /// For those alone who were authenticated so strongly and recently; the others are told what it takes (RFC 9470).
    pub fn step_up(mut self, step_up: StepUp) -> Self {
        self.terms.step_up = Some(step_up);
        self
    }

    /// Answering with a page for people, which may use styles, scripts, pictures and forms of its own origin, and nothing inline: other
    /// routes answer with data, and a browser that shows that may do nothing.
    pub fn page(mut self) -> Self {
        self.terms.content = Content::Page;
        self
    }

    /// Not more often than this. A route may have several limits, and passes under all of them or none; the guard needs a
    /// [`Limiter`](bartizan_rate_limit::Limiter).
    pub fn limit(mut self, limit: RouteLimit) -> Self {
        self.terms.limits.push(limit);
        self
    }
}

/// SECURITY: TRACE sends credentials back to whoever can read the answer, CONNECT makes a proxy of a service.
fn filter(method: &Method) -> Option<MethodFilter> {
    let served = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if served.contains(method) { MethodFilter::try_from(method.clone()).ok() } else { None }
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => {
        $(
            #[doc = concat!("A ", stringify!($method), " route. See [`Route`].")]
            pub fn $name<H, T, S>(path: impl Into<Box<str>>, handler: H) -> Route<S>
            where
                H: Handler<T, S>,
                T: 'static,
                S: Clone + Send + Sync + 'static,
            {
                Route::new(Method::$method, path, handler)
            }
        )+
    };
}

methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("policy", &self.policy)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}
