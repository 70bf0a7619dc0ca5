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
        HeaderMap, HeaderValue, Method, Uri,
        header::{CONTENT_LENGTH, HOST, RETRY_AFTER, SET_COOKIE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use bartizan_core::{Entropy, json::Limits};
use bartizan_http::{
    Arrival, Caching, Code, Content, Guard, Rendering, RequestId, Sender, Transport, check_path,
    client_address, limit_headers, page_headers, security_headers,
};
use http_body_util::{LengthLimitError, Limited};

use crate::{
    Clients, Problem,
    gate::{Personal, Told},
    page::{ErrorPages, Page, Written},
    problem::Untold,
    timely::Timely,
};

/// What all routes share.
pub(crate) struct Shell {
    pub(crate) guard: Arc<Guard>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) rendering: Rendering,
    pub(crate) error_pages: Option<Arc<ErrorPages>>,
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
        self.afterwards(route, |arrival| Problem(guard.failure(&arrival, reason)))
    }

    /// Turns an answer around that would give a session to a browser whose user did not ask for one.
    pub(crate) fn check_answer(
        &self,
        guard: &Guard,
        route: &str,
        sender: Sender,
        answer: &HeaderMap,
    ) -> Result<(), Problem> {
        self.afterwards(route, |arrival| Ok(guard.check_answer(&arrival, sender, answer)?))
    }

    /// What is left of a request once its handler has it.
    fn afterwards<T>(&self, route: &str, with: impl FnOnce(Arrival<'_>) -> T) -> T {
        let (headers, uri) = (HeaderMap::new(), Uri::default());
        let mut arrival = Arrival::new(route, &Method::GET, &headers, &uri);
        arrival.request = self.request.as_ref();
        arrival.address = self.address;
        with(arrival)
    }
}

pub(crate) async fn run(State(shell): State<Arc<Shell>>, mut request: Request, next: Next) -> Response {
    let seen = shell.seen(&request);
    request.extensions_mut().insert(seen.clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_personal = shell.guard.is_personal(request.headers());
    let request = match shell.admit(request) {
        Ok(request) => request,
        Err(problem) => return shell.dress(problem.into_response(), seen.request, is_personal, None),
    };
    let asked = shell.error_pages.is_some().then(|| Asked(request.method().clone(), request.uri().clone()));
    // A handler's answer that is replaced is dropped, and that may panic too.
    let answered =
        caught(async { shell.dress(next.run(request).await, seen.request, is_personal, asked) }).await;
    answered.unwrap_or_else(|Panicked| {
        let route = route.as_ref().map_or("-", MatchedPath::as_str);
        let problem = seen.failure(&shell.guard, route, "handler_panicked");
        shell.dress(problem.into_response(), seen.request, is_personal, None)
    })
}

impl Shell {
    fn seen(&self, request: &Request) -> Seen {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let address = match &self.clients {
            Clients::Direct => peer.map(|peer| peer.to_canonical()),
            Clients::Behind(proxies) => {
                peer.map(|peer| client_address(proxies, peer, request.headers()).address())
            }
            Clients::BehindProxies => None,
        };
        Seen {
            // Without randomness nothing else works either; the request is then without an id.
            request: RequestId::draw(&*self.entropy).ok(),
            address,
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
    fn dress(
        &self,
        mut response: Response,
        request: Option<RequestId>,
        is_personal: bool,
        asked: Option<Asked>,
    ) -> Response {
        let status = response.status();
        let limited = response.extensions_mut().remove::<Told>();
        let mut content = response.extensions_mut().remove::<Content>().unwrap_or_default();
        let mut untold = response.extensions_mut().remove::<Untold>().map(|Untold(problem)| problem);
        // A page that tells of a problem stays as it is; where pages are not expected, its problem is told.
        let mut is_told = false;
        if let Some(Written(Some(problem))) = response.extensions_mut().remove::<Written>() {
            is_told = content == Content::Page && status == problem.status();
            untold = (!is_told).then_some(problem);
        }
        // SECURITY: what an extractor or a handler wrote about its failure may hold the request's own text, or ours.
        let problem = untold.or_else(|| {
            let is_failure = status.is_client_error() || status.is_server_error();
            (is_failure && !is_told).then(|| Code::for_status(status).into())
        });
        let is_personal = is_personal
            || response.extensions().get::<Personal>().is_some()
            || response.headers().contains_key(SET_COOKIE);
        if let Some(problem) = problem {
            let problem = match request {
                Some(request) => problem.in_request(request),
                None => problem,
            };
            let written = match (content, &self.error_pages, asked) {
                (Content::Page, Some(pages), Some(Asked(method, uri))) => {
                    let html = pages(&problem, &method, &uri);
                    Page::of(problem, html).into_response()
                }
                _ => {
                    content = Content::Data;
                    problem.response(&self.rendering).map(Body::from)
                }
            };
            response = with_retry_after(written, &response);
        }
        if let Some(Told(standings)) = limited {
            limit_headers(response.headers_mut(), &standings);
        }
        let caching = if is_personal { Caching::Never } else { Caching::AsTheHandlerSays };
        security_headers(response.headers_mut(), self.transport, caching);
        if content == Content::Page {
            page_headers(response.headers_mut());
        }
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

/// What a page that tells of a problem may know of the request.
struct Asked(Method, Uri);

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
