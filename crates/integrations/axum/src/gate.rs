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
use bartizan_http::{Arrival, Guard, On, RequestId, RoutePolicy, authorize_durably};

use crate::{Problem, shell::Seen};

/// What one route asks. It hangs on the route's handler and never looks at the path: the router alone has read that.
pub(crate) struct Gate {
    path: Box<str>,
    policy: RoutePolicy,
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

impl Gate {
    pub(crate) fn new(
        path: &str,
        policy: RoutePolicy,
        guard: Arc<Guard>,
        authorizer: Arc<Authorizer>,
    ) -> Self {
        Self { path: path.into(), policy, guard, authorizer }
    }

    fn identify(&self, request: &Request, seen: &Seen) -> Result<Principal, Problem> {
        let mut arrival = Arrival::new(&self.path, request.headers(), request.uri());
        arrival.request = seen.request.as_ref();
        arrival.address = seen.address;
        let who = self.guard.authenticate(&arrival)?;
        // INVARIANT(hex-digits): a request id is a printable name.
        who.in_request(seen.address, seen.request.as_ref().map(RequestId::as_str))
            .map_err(|error| error.fault().into())
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
}

pub(crate) async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    if matches!(gate.policy, RoutePolicy::Public { .. }) {
        return next.run(request).await;
    }
    let seen = request.extensions().get::<Seen>().cloned().unwrap_or_default();
    let who = match gate.identify(&request, &seen) {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let owed = match gate.permit(&who).await {
        Ok(owed) => Arc::new(owed),
        Err(problem) => return problem.into_response(),
    };
    let known = Known { who, authorizer: gate.authorizer.clone(), owed: owed.clone() };
    request.extensions_mut().insert(known);
    let mut response = next.run(request).await;
    let is_success = !response.status().is_client_error() && !response.status().is_server_error();
    // SECURITY: a handler that forgot to ask does not get its answer out.
    if is_success && !owed.is_paid() {
        return seen.failure(&gate.guard, &gate.path, "handler_did_not_ask").into_response();
    }
    response.extensions_mut().insert(Personal);
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
