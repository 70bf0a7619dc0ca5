//! From a request's headers to a principal, or to the problem to send.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bartizan_audit_events::Event;
use bartizan_core::{Clock, Fact, Fault, Origin, Outcome, Principal, Recorder, Subject, Target};
use bartizan_tokens::Verifier;
use http::{HeaderMap, Uri, header::USER_AGENT};

use crate::{Code, Error, ErrorKind, Problem, RequestId, bearer};

/// Lets in who presents a token that verifies.
///
/// Whoever presents a token that does not is put on record before they are told; whoever presents none is only told. Those
/// who are let in are counted: what they do then is on record. When a refusal cannot be recorded the answer is 503, and
/// when this service itself fails the answer is never a 401.
pub struct Guard {
    service: Box<str>,
    verifier: Arc<Verifier>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    verified: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// What a guard sees of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Arrival<'a> {
    /// The template of the route that was matched, for example `/patients/{id}`: a raw path is the client's own text.
    pub route: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The URL.
    pub uri: &'a Uri,
    /// The request's id.
    pub request: Option<&'a RequestId>,
    /// The client's address, when a trusted hop gave one.
    pub address: Option<IpAddr>,
}

impl<'a> Arrival<'a> {
    /// A request on a route.
    #[must_use]
    pub const fn new(route: &'a str, headers: &'a HeaderMap, uri: &'a Uri) -> Self {
        Self { route, headers, uri, request: None, address: None }
    }
}

/// How many requests a guard has seen, by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Let in.
    pub verified: u64,
    /// Without a token, or with one that does not verify.
    pub refused: u64,
    /// Not judged, because this service failed.
    pub failed: u64,
}

impl Guard {
    /// A guard for the service of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Name`] when the name is empty, over 255 bytes, or has control characters.
    pub fn new(
        service: &str,
        verifier: impl Into<Arc<Verifier>>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        if !(1..=255).contains(&service.len()) || service.chars().any(char::is_control) {
            return Err(Error::new(ErrorKind::Name));
        }
        let zero = || AtomicU64::new(0);
        let (verified, refused, failed) = (zero(), zero(), zero());
        let verifier = verifier.into();
        Ok(Self { service: service.into(), verifier, recorder, clock, verified, refused, failed })
    }

    /// Verifies the request's bearer token.
    ///
    /// # Errors
    /// 401 without a token or with one that does not verify, 400 with one in a wrong place or twice, 503 when that could
    /// not be recorded or the verifier's surroundings failed.
    pub fn authenticate(&self, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        let answer = self.judge(arrival);
        let counter = match &answer {
            Ok(_) => &self.verified,
            Err(problem) if problem.status().is_client_error() => &self.refused,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        answer
    }

    /// The clock that it was given.
    #[must_use]
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// How many requests were let in, refused, or not judged.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { verified: read(&self.verified), refused: read(&self.refused), failed: read(&self.failed) }
    }

    /// Puts on record that a control of this service did not work, in one fixed word: a handler that panicked, or that
    /// answered without asking. The answer is a 500 whether or not it is recorded.
    pub fn failure(&self, arrival: &Arrival<'_>, reason: &'static str) -> Problem {
        // Queued and not waited for, though it is a critical event: the answer says the least already, and
        // there is nothing left to close when this is not recorded.
        let _ = self.record(Event::CONTROL_FAILED, Outcome::Failure, arrival, reason);
        Problem::of(Code::Internal)
    }

    fn judge(&self, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        let token = match bearer(arrival.headers, arrival.uri) {
            Ok(token) => token,
            Err(error) if matches!(error.kind(), ErrorKind::NoCredentials | ErrorKind::OtherScheme) => {
                return Err(error.into());
            }
            Err(error) => {
                self.record(Event::TOKEN_MISPLACED, Outcome::Denied, arrival, error.kind().as_str())?;
                return Err(error.into());
            }
        };
        match self.verifier.verify(token).and_then(|verified| verified.principal()) {
            Ok(principal) => Ok(principal),
            Err(error) if error.fault() == Fault::Peer => {
                self.record(Event::TOKEN_REFUSED, Outcome::Denied, arrival, error.code())?;
                Err(Problem::of(match error.kind() {
                    bartizan_tokens::ErrorKind::Expired => Code::TokenExpired,
                    _ => Code::InvalidToken,
                }))
            }
            // SECURITY: an outage is no refusal. A client that is told 401 throws its token away and asks for passwords.
            Err(error) => {
                self.record(Event::CONTROL_FAILED, Outcome::Unknown, arrival, error.code())?;
                Err(error.fault().into())
            }
        }
    }

    fn record(
        &self,
        event: Event,
        outcome: Outcome,
        arrival: &Arrival<'_>,
        reason: &'static str,
    ) -> Result<(), Problem> {
        let mut origin = Origin::service(&self.service);
        origin.address = arrival.address;
        origin.request = arrival.request.map(RequestId::as_str);
        origin.user_agent = user_agent(arrival.headers);
        let target = Target::Named { kind: "route", name: arrival.route };
        let fact: Fact<'_> = event.fact(outcome, self.clock.wall(), Subject::Anonymous, target, origin);
        match self.recorder.record(&fact.because(reason)) {
            Ok(_) => Ok(()),
            Err(_) => Err(Problem::of(Code::ServiceUnavailable)),
        }
    }
}

/// The client's own words, cut to 255 bytes of ASCII.
fn user_agent(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(USER_AGENT)?.to_str().ok()?;
    text.get(..text.len().min(255))
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("service", &self.service)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
