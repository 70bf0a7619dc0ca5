//! The guard of one matched route.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bartizan_core::{Authorizer, Importance, Permission, Principal, Resource};
use bartizan_http::{Arrival, Guard, On, RequestId, RoutePolicy, Sender, Terms, authorize_durably};
use bartizan_rate_limit::Standing;
use bartizan_sessions::Freshness;

use crate::{Problem, shell::Seen};

/// What one route asks. It hangs on the route's handler and never looks at the path: the router alone has read that.
pub(crate) struct Gate {
    path: Box<str>,
    policy: RoutePolicy,
    terms: Terms,
    guard: Arc<Guard>,
    authorizer: Arc<Authorizer>,
}

/// What the gate found out, for the extractors.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) who: Principal,
    pub(crate) authorizer: Arc<Authorizer>,
    pub(crate) owed: Arc<Owed>,
}

/// The decisions that a handler owes before its answer may leave.
#[derive(Debug)]
pub(crate) struct Owed(Vec<(Permission, AtomicBool)>);

/// The answer was made for somebody: no cache may keep it.
#[derive(Clone)]
pub(crate) struct Personal;

/// What the route's limits said, for the answer whatever it is.
#[derive(Clone)]
pub(crate) struct Told(pub(crate) Vec<Standing>);

impl Gate {
    pub(crate) fn new(
        path: &str,
        policy: RoutePolicy,
        terms: Terms,
        guard: Arc<Guard>,
        authorizer: Arc<Authorizer>,
    ) -> Self {
        Self { path: path.into(), policy, terms, guard, authorizer }
    }

    fn arrival<'a>(&'a self, request: &'a Request, seen: &'a Seen) -> Arrival<'a> {
        let mut arrival = Arrival::new(&self.path, request.method(), request.headers(), request.uri());
        arrival.request = seen.request.as_ref();
        arrival.address = seen.address;
        arrival.freshness = self.terms.freshness.unwrap_or(Freshness::ReadThrough);
        arrival
    }

    /// Which page sent it, then limits that need nobody, then who it is, then limits by who it is, then what they may. `limited` has
    /// what was said so far also when it is refused.
    async fn enter(
        &self,
        arrival: &Arrival<'_>,
        limited: &mut Vec<Standing>,
    ) -> Result<Option<Known>, Problem> {
        let is_public = matches!(self.policy, RoutePolicy::Public { .. });
        // SECURITY: before any limit is charged. A page could else use up the limits of whoever looks at it.
        if is_public { self.guard.admit(arrival) } else { self.guard.admit_guarded(arrival) }?;
        limited.extend(self.guard.limit(arrival, &self.terms.limits, None).await?);
        if is_public {
            return Ok(None);
        }
        let who = self.guard.authenticate(arrival).await?;
        // INVARIANT(hex-digits): a request id is a printable name.
        let who = who
            .in_request(arrival.address, arrival.request.map(RequestId::as_str))
            .map_err(|error| error.fault())?;
        limited.extend(self.guard.limit(arrival, &self.terms.limits, Some(&who)).await?);
        if let Some(step_up) = &self.terms.step_up {
            self.guard.step_up(&who, step_up)?;
        }
        let owed = Arc::new(self.permit(&who).await?);
        Ok(Some(Known { who, authorizer: self.authorizer.clone(), owed }))
    }

    /// Decides what is to be decided before the handler runs, and answers what it has to decide itself.
    async fn permit(&self, who: &Principal) -> Result<Owed, Problem> {
        match &self.policy {
            RoutePolicy::Public { .. } | RoutePolicy::Authenticated => Ok(Owed::of(&[])),
            RoutePolicy::Requires { permissions, on: On::Record } => Ok(Owed::of(permissions)),
            RoutePolicy::Requires { permissions, on: On::Collection } => {
                for permission in permissions {
                    let on = Resource::collection(who.tenant(), permission.name().resource());
                    let _grant = authorize_durably(&self.authorizer, who, *permission, on).await?;
                }
                Ok(Owed::of(&[]))
            }
        }
    }

    /// Looks at what the handler answered, before it leaves.
    fn check(&self, mut response: Response, seen: &Seen, sender: Sender, owed: Option<&Owed>) -> Response {
        let is_success = !response.status().is_client_error() && !response.status().is_server_error();
        // SECURITY: a handler that forgot to ask does not get its answer out.
        if is_success && owed.is_some_and(|owed| !owed.is_paid()) {
            return seen.failure(&self.guard, &self.path, "handler_did_not_ask").into_response();
        }
        if let Err(problem) = seen.check_answer(&self.guard, &self.path, sender, response.headers()) {
            return problem.into_response();
        }
        if owed.is_some() {
            response.extensions_mut().insert(Personal);
        }
        response
    }
}

pub(crate) async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let seen = request.extensions().get::<Seen>().cloned().unwrap_or_default();
    let mut limited = Vec::new();
    let arrival = gate.arrival(&request, &seen);
    let (sender, entered) = (gate.guard.sender(&arrival), gate.enter(&arrival, &mut limited).await);
    let mut response = match entered {
        Err(problem) => problem.into_response(),
        Ok(None) => gate.check(next.run(request).await, &seen, sender, None),
        Ok(Some(known)) => {
            let owed = known.owed.clone();
            request.extensions_mut().insert(known);
            gate.check(next.run(request).await, &seen, sender, Some(&owed))
        }
    };
    response.extensions_mut().insert(gate.terms.content);
    if !limited.is_empty() {
        response.extensions_mut().insert(Told(limited));
    }
    response
}

impl Owed {
    fn of(permissions: &[Permission]) -> Self {
        Self(permissions.iter().map(|permission| (*permission, AtomicBool::new(false))).collect())
    }

    pub(crate) fn pay(&self, permission: Permission) {
        for (owed, paid) in &self.0 {
            // A handler that asks for the same with less ado has not asked for what the route demands.
            let is_as_critical =
                owed.importance() == Importance::Standard || permission.importance() == Importance::Critical;
            if owed.name() == permission.name() && is_as_critical {
                paid.store(true, Ordering::Relaxed);
            }
        }
    }

    fn is_paid(&self) -> bool {
        self.0.iter().all(|(_, paid)| paid.load(Ordering::Relaxed))
    }
}
