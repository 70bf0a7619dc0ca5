//! What happens to every request and every answer, whatever its route.

use std::{
    error::Error as StdError,
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderValue, Uri,
        header::{CONTENT_LENGTH, HOST, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use bartizan_core::{Entropy, json::Limits};
use bartizan_http::{
    Arrival, Caching, Code, Guard, Rendering, RequestId, Transport, check_path, security_headers,
};
use http_body_util::{LengthLimitError, Limited};

use crate::{Clients, Problem, gate::Personal, problem::Untold, timely::Timely};

/// What all routes share.
pub(crate) struct Shell {
    pub(crate) guard: Arc<Guard>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) rendering: Rendering,
    pub(crate) transport: Transport,
    pub(crate) clients: Clients,
    pub(crate) limits: Limits,
}

/// What is known about a request before its route is.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) request: Option<RequestId>,
    pub(crate) address: Option<IpAddr>,
    pub(crate) limits: Limits,
}

impl Default for Seen {
    fn default() -> Self {
        Self { request: None, address: None, limits: Limits::REQUEST }
    }
}

impl Seen {
    /// Puts on record, without anything of the request itself, that a handler failed.
    pub(crate) fn failure(&self, guard: &Guard, route: &str, reason: &'static str) -> Problem {
        let (headers, uri) = (HeaderMap::new(), Uri::default());
        let mut arrival = Arrival::new(route, &headers, &uri);
        arrival.request = self.request.as_ref();
        arrival.address = self.address;
        Problem(guard.failure(&arrival, reason))
    }
}

pub(crate) async fn run(State(shell): State<Arc<Shell>>, mut request: Request, next: Next) -> Response {
    let seen = shell.seen(&request);
    request.extensions_mut().insert(seen.clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let request = match shell.admit(request) {
        Ok(request) => request,
        Err(problem) => return shell.dress(problem.into_response(), seen.request),
    };
    // A handler's answer that is replaced is dropped, and that may panic too.
    let answered = caught(async { shell.dress(next.run(request).await, seen.request) }).await;
    answered.unwrap_or_else(|Panicked| {
        let route = route.as_ref().map_or("-", MatchedPath::as_str);
        let problem = seen.failure(&shell.guard, route, "handler_panicked");
        shell.dress(problem.into_response(), seen.request)
    })
}

impl Shell {
    fn seen(&self, request: &Request) -> Seen {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        Seen {
            // Without randomness nothing else works either; the request is then without an id.
            request: RequestId::draw(&*self.entropy).ok(),
            address: peer.filter(|_| self.clients == Clients::Direct).map(|peer| peer.0.ip().to_canonical()),
            limits: self.limits,
        }
    }

    fn admit(&self, request: Request) -> Result<Request, Problem> {
        check_path(request.uri())?;
        // SECURITY: whoever routed the request here may have read another one (RFC 9112 section 3.2).
        if request.headers().get_all(HOST).iter().nth(1).is_some() {
            return Err(Code::InvalidRequest.into());
        }
        let announced = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|bytes| bytes > self.limits.bytes) {
            return Err(Code::PayloadTooLarge.into());
        }
        let clock = self.guard.clock();
        Ok(request.map(|body| Body::new(Limited::new(Timely::new(body, clock.clone()), self.limits.bytes))))
    }

    /// Writes every answer that is no success as a problem, and gives all answers their headers.
    fn dress(&self, mut response: Response, request: Option<RequestId>) -> Response {
        let status = response.status();
        let untold = response.extensions_mut().remove::<Untold>().map(|Untold(problem)| problem);
        // SECURITY: what an extractor or a handler wrote about its failure may hold the request's own text, or ours.
        let problem = untold.or_else(|| {
            (status.is_client_error() || status.is_server_error()).then(|| Code::for_status(status).into())
        });
        let is_personal = response.extensions().get::<Personal>().is_some();
        if let Some(problem) = problem {
            let problem = match request {
                Some(request) => problem.in_request(request),
                None => problem,
            };
            let written = problem.response(&self.rendering).map(Body::from);
            response = with_retry_after(written, &response);
        }
        let caching = if is_personal { Caching::Never } else { Caching::AsTheHandlerSays };
        security_headers(response.headers_mut(), self.transport, caching);
        response.headers_mut().remove(RequestId::HEADER);
        if let Some(value) = request.and_then(|request| HeaderValue::from_str(request.as_str()).ok()) {
            response.headers_mut().insert(RequestId::HEADER, value);
        }
        response
    }
}

/// When to come back is not in a status. (What methods a path has is added by axum's router, outside of this.)
fn with_retry_after(mut problem: Response, before: &Response) -> Response {
    if problem.headers().contains_key(RETRY_AFTER)
        && let Some(value) = before.headers().get(RETRY_AFTER)
    {
        problem.headers_mut().insert(RETRY_AFTER, value.clone());
    }
    problem
}

/// Whether reading a body failed because it is beyond the limit.
pub(crate) fn is_too_long(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

struct Panicked;

/// Runs a future to its end, or to its panic. What it panicked with is dropped: it may hold anything.
async fn caught<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    // Unwind safety: after a panic the future is dropped and never looked at again.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(_) => Poll::Ready(Err(Panicked)),
    })
    .await
}
