//! A router that is not built while a route has no policy.

use std::{collections::HashMap, fmt, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, Uri},
    middleware::from_fn_with_state,
    routing::MethodRouter,
};
use bartizan_core::{Authorizer, Entropy, PermissionName, json::Limits};
use bartizan_http::{Code, Entry, Guard, Inventory, LimitBy, Rendering, RoutePolicy, Terms, Transport};
use bartizan_rate_limit::TrustedProxies;

use crate::{
    Error, ErrorKind, Problem, Route, RouteFault,
    gate::{self, Gate},
    page::ErrorPages,
    shell::{self, Shell},
    template,
};

/// Routes with their policies, and what they share.
///
/// What is built of it is one [`axum::Router`] in which every request takes the same way: request id, one canonical path,
/// body limit, the matched route's own limits and guard, the handler, and back through one place that writes all problems and all
/// security headers. Layers and routes that are added to the built router stand outside of that.
#[must_use = "a router does nothing until it is built"]
pub struct SecureRouter<S = ()> {
    routes: Vec<Route<S>>,
    catalogue: Option<Vec<Box<str>>>,
    guard: Arc<Guard>,
    authorizer: Arc<Authorizer>,
    entropy: Arc<dyn Entropy>,
    rendering: Rendering,
    error_pages: Option<Arc<ErrorPages>>,
    transport: Transport,
    clients: Clients,
    limits: Limits,
}

/// Who is at the other end of a connection.
///
/// To know an address at all, serve with `into_make_service_with_connect_info::<std::net::SocketAddr>()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clients {
    /// The client itself: its address is that of the connection, whatever headers say.
    #[default]
    Direct,
    /// One of these proxies, which names the client; or the client itself, where none of them is.
    Behind(TrustedProxies),
    /// A proxy that nothing is known of: its address says nothing about the client, and none is recorded.
    BehindProxies,
}

impl<S: Clone + Send + Sync + 'static> SecureRouter<S> {
    /// A router without routes. `entropy` makes the ids of requests.
    ///
    /// Until said otherwise: problems as RFC 9457 says, clients through TLS and without proxies, bodies within [`Limits::REQUEST`].
    pub fn new(guard: Arc<Guard>, authorizer: Arc<Authorizer>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            routes: Vec::new(),
            catalogue: None,
            guard,
            authorizer,
            entropy,
            rendering: Rendering::default(),
            error_pages: None,
            transport: Transport::default(),
            clients: Clients::default(),
            limits: Limits::REQUEST,
        }
    }

    /// With one more route.
    pub fn route(mut self, route: Route<S>) -> Self {
        self.routes.push(route);
        self
    }

    /// Knowing all permissions of the policy: a route that requires another, by a typing error perhaps, is not built. A
    /// permission with a scope is known when it is listed with that scope or without one.
    pub fn catalogue<N: Into<Box<str>>>(mut self, permissions: impl IntoIterator<Item = N>) -> Self {
        self.catalogue = Some(permissions.into_iter().map(Into::into).collect());
        self
    }

    /// With problems written this way.
    pub fn rendering(mut self, rendering: Rendering) -> Self {
        self.rendering = rendering;
        self
    }

    /// With problems of routes that are a [`page`](crate::Route::page) told by a page, which this writes for the problem, the request's method
    /// and its target. Status and headers stay the problem's.
    ///
    /// # Security
    /// The target is the client's own text: escape it. A 404 that names it would tell a hidden record from a missing one.
    pub fn error_pages(
        mut self,
        write: impl Fn(&bartizan_http::Problem, &Method, &Uri) -> String + Send + Sync + 'static,
    ) -> Self {
        self.error_pages = Some(Arc::new(write));
        self
    }

    /// Reached this way.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// With these at the other end of its connections.
    pub fn clients(mut self, clients: Clients) -> Self {
        self.clients = clients;
        self
    }

    /// With these limits: `bytes` is that of every body, whoever reads it; the others are those of
    /// [`StrictJson`](crate::StrictJson).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// All routes with their policies, those without one marked. Its `Display` is a table, `to_json` is for machines.
    pub fn inventory(&self) -> Inventory {
        Inventory::of(self.routes.iter().map(|route| {
            Entry::new(route.method.clone(), &*route.path, route.policy.clone()).with(route.terms.clone())
        }))
    }

    /// Builds the router.
    ///
    /// # Errors
    /// [`Error`] with every route that has no policy, two, an empty or unknown one, a malformed path, a method that is not
    /// served, a double, or terms that cannot be kept.
    pub fn build_with_state(self, state: S) -> Result<Router, Error> {
        Error::of(self.faults())?;
        let mut paths: HashMap<Box<str>, MethodRouter<S>> = HashMap::new();
        for Route { path, policy, terms, endpoint, .. } in self.routes {
            // INVARIANT(no-faults): `faults` found a policy and an endpoint on every route.
            let (Some(policy), Some(endpoint)) = (policy, endpoint) else { continue };
            let gate = Gate::new(&path, policy, terms, self.guard.clone(), self.authorizer.clone());
            let guarded = endpoint.route_layer(from_fn_with_state(Arc::new(gate), gate::pass));
            let others = paths.remove(&path).unwrap_or_default();
            paths.insert(path, others.merge(guarded));
        }
        let shell = Shell {
            guard: self.guard,
            entropy: self.entropy,
            rendering: self.rendering,
            error_pages: self.error_pages,
            transport: self.transport,
            clients: self.clients,
            limits: self.limits,
        };
        let router =
            paths.into_iter().fold(Router::new(), |router, (path, methods)| router.route(&path, methods));
        Ok(router
            .fallback(async || Problem::from(Code::NotFound))
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(Arc::new(shell), shell::run))
            .with_state(state))
    }

    fn faults(&self) -> Vec<RouteFault> {
        let mut faults = Vec::new();
        let mut shapes: HashMap<String, &str> = HashMap::new();
        let mut seen: Vec<(&Method, &str)> = Vec::new();
        for route in &self.routes {
            let mut fault = |kind, permission| {
                let (method, path) = (route.method.clone(), route.path.clone());
                faults.push(RouteFault { method, path, kind, permission });
            };
            match &route.policy {
                None => fault(ErrorKind::NoPolicy, None),
                Some(policy) => {
                    if policy.check().is_err() {
                        let public = matches!(policy, RoutePolicy::Public { .. });
                        fault(if public { ErrorKind::NoReason } else { ErrorKind::NoPermissions }, None);
                    }
                    for permission in policy.permissions() {
                        if !self.knows(permission.name()) {
                            fault(ErrorKind::UnknownPermission, Some(permission.name()));
                        }
                    }
                }
            }
            for kind in self.faults_of_terms(route) {
                fault(kind, None);
            }
            if route.has_second_policy {
                fault(ErrorKind::SecondPolicy, None);
            }
            if route.endpoint.is_none() {
                fault(ErrorKind::Method, None);
            }
            match template::shape(&route.path).map(|shape| *shapes.entry(shape).or_insert(&route.path)) {
                None => fault(ErrorKind::Path, None),
                Some(first) if *first != *route.path => fault(ErrorKind::Ambiguous, None),
                Some(_) => {}
            }
            if seen.contains(&(&route.method, &route.path)) {
                fault(ErrorKind::Duplicate, None);
            }
            seen.push((&route.method, &route.path));
        }
        faults
    }

    fn faults_of_terms(&self, route: &Route<S>) -> Vec<ErrorKind> {
        let Terms { freshness, step_up, limits, .. } = &route.terms;
        let is_public = matches!(route.policy, Some(RoutePolicy::Public { .. }));
        let asks_of_somebody = step_up.is_some() || limits.iter().any(|limit| limit.by().needs_principal());
        let by_address = limits.iter().any(|limit| limit.by() == LimitBy::Address);
        let no_freshness =
            self.guard.has_logins() && !is_public && route.policy.is_some() && freshness.is_none();
        [
            (no_freshness, ErrorKind::NoFreshness),
            (is_public && (freshness.is_some() || asks_of_somebody), ErrorKind::NobodyKnown),
            (step_up.as_ref().is_some_and(|step_up| step_up.check().is_err()), ErrorKind::StepUp),
            (!limits.is_empty() && !self.guard.has_limiter(), ErrorKind::NoLimiter),
            (by_address && self.clients == Clients::BehindProxies, ErrorKind::NoAddress),
        ]
        .into_iter()
        .filter_map(|(is_wrong, kind)| is_wrong.then_some(kind))
        .collect()
    }

    fn knows(&self, name: PermissionName<'_>) -> bool {
        self.catalogue.as_ref().is_none_or(|known| {
            known.iter().any(|listed| **listed == *name.as_str() || **listed == *name.unscoped())
        })
    }
}

impl SecureRouter {
    /// Builds a router whose handlers share no state.
    ///
    /// # Errors
    /// Those of [`SecureRouter::build_with_state`].
    pub fn build(self) -> Result<Router, Error> {
        self.build_with_state(())
    }
}

impl<S> fmt::Debug for SecureRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureRouter").field("routes", &self.routes).finish_non_exhaustive()
    }
}
