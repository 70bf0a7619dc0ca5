//! From a request's headers to a principal, or to the problem to send.

mod judge;
mod logins;
mod note;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bartizan_audit_events::Event;
use bartizan_core::{Clock, Outcome, Principal, Recorder};
use bartizan_rate_limit::Limiter;
use bartizan_sessions::Freshness;
use bartizan_tokens::Verifier;
use http::{HeaderMap, Method, Uri, header::SET_COOKIE};

pub use self::logins::Logins;
use crate::{
    Code, Credential, Error, ErrorKind, Origins, Problem, RequestId, Sender, SessionCookie, StepUp,
    credential::Taken, limits::network, origins::is_safe, tally::Tally,
};

/// Lets in who presents a token that verifies and, where sessions are kept, a browser's session or an API key that lives.
///
/// Whoever presents one that does not is put on record before they are told; whoever presents none is only told. What other sites'
/// pages try is on record once a minute for each client and route, with how often. Those who are let in are counted: what they do
/// then is on record. When a refusal cannot be recorded the answer is 503, and when this service itself fails the answer is never
/// a 401.
pub struct Guard {
    service: Box<str>,
    verifier: Arc<Verifier>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    logins: Option<Logins>,
    taken: Taken,
    limiter: Option<Arc<Limiter>>,
    tally: Tally,
    /// Of its own, so that no flood of them takes the places of outages and limits.
    cross_sites: Tally,
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
    /// The method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The URL.
    pub uri: &'a Uri,
    /// The request's id.
    pub request: Option<&'a RequestId>,
    /// The client's address, when a trusted hop gave one.
    pub address: Option<IpAddr>,
    /// How old the route's knowledge of what was ended may be; without sessions it means nothing.
    pub freshness: Freshness,
}

impl<'a> Arrival<'a> {
    /// A request on a route that knows of everything that was ended as of now.
    #[must_use]
    pub const fn new(route: &'a str, method: &'a Method, headers: &'a HeaderMap, uri: &'a Uri) -> Self {
        let freshness = Freshness::ReadThrough;
        Self { route, method, headers, uri, request: None, address: None, freshness }
    }
}

/// How many requests a guard has seen, by their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Let in.
    pub verified: u64,
    /// Without a credential, or with one that is refused.
    pub refused: u64,
    /// Not judged, because this service failed.
    pub failed: u64,
}

impl Guard {
    /// A guard for the service of this name, which takes tokens alone and asks nobody whether they were revoked.
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
        Ok(Self {
            service: service.into(),
            verifier: verifier.into(),
            recorder,
            clock,
            logins: None,
            taken: Taken::default(),
            limiter: None,
            tally: Tally::new(),
            cross_sites: Tally::new(),
            verified: zero(),
            refused: zero(),
            failed: zero(),
        })
    }

    /// Also takes sessions and keys, and asks whether tokens were revoked.
    #[must_use]
    pub fn logins(mut self, logins: Logins) -> Self {
        self.taken = Taken { cookies: logins.browser.is_some(), keys: logins.keys.clone() };
        self.logins = Some(logins);
        self
    }

    /// Also limits how often routes are asked.
    #[must_use]
    pub fn limited_by(mut self, limiter: Arc<Limiter>) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Judges the request's one credential, after it was made sure that no other site's page sent it along.
    ///
    /// # Errors
    /// 401 without a credential or with one that is not believed, 400 with one in a wrong place or two of them, 403 with a cookie
    /// on behalf of another site, 503 when that could not be recorded or the store of sessions and keys does not answer.
    ///
    /// # Cancel safety
    /// Dropping it forgets the request.
    pub async fn authenticate(&self, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        let answer = self.judge(arrival).await;
        let counter = match &answer {
            Ok(_) => &self.verified,
            Err(problem) if problem.status().is_client_error() => &self.refused,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        answer
    }

    /// Makes sure that somebody was authenticated as strongly and recently as a route asks.
    ///
    /// # Errors
    /// 401 with what is asked for in its challenge (RFC 9470).
    pub fn step_up(&self, who: &Principal, asked: &StepUp) -> Result<(), Problem> {
        if asked.is_met_by(who, self.clock.wall()) { Ok(()) } else { Err(Problem::stepping_up(asked)) }
    }

    /// Lets a request to a public route pass: everybody, unless another site's page made a browser send it and it could change
    /// something. Without cookie sessions there is nothing that a browser would send along, and everybody passes.
    ///
    /// # Errors
    /// 403 for a method that is not safe, sent by another site's page, or with a session's cookie and no word of who sent it; 503
    /// when that could not be recorded.
    pub fn admit(&self, arrival: &Arrival<'_>) -> Result<(), Problem> {
        if is_safe(arrival.method) {
            return Ok(());
        }
        let brings_session = || !matches!(SessionCookie::read(arrival.headers), Ok(None));
        match self.sender(arrival) {
            Sender::Own => Ok(()),
            Sender::Unsaid if !brings_session() => Ok(()),
            sender => Err(self.cross_site(arrival, sender)?),
        }
    }

    /// Lets a request to a guarded route pass on to where its credential is judged, unless another site's page made a browser send or embed
    /// it: that is refused whether a session's cookie came along or not. With a token or a key it passes: those a browser adds to nothing
    /// by itself.
    ///
    /// # Errors
    /// 403 for a request of another site's page, 503 when that could not be recorded.
    ///
    /// # Security
    /// Ask it, or [`admit`](Self::admit), before [`limit`](Self::limit): else any page could use up the limits of whoever looks at it.
    pub fn admit_guarded(&self, arrival: &Arrival<'_>) -> Result<(), Problem> {
        if self.sender(arrival) != Sender::Foreign || self.brings_token_or_key(arrival) {
            return Ok(());
        }
        let (counter, problem) = match self.cross_site(arrival, Sender::Foreign) {
            Ok(problem) => (&self.refused, problem),
            Err(problem) => (&self.failed, problem),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        Err(problem)
    }

    /// Who made a browser send a request that could change something, or one for what another site's page embeds; [`Sender::Own`]
    /// for all others, and without cookie sessions.
    #[must_use]
    pub fn sender(&self, arrival: &Arrival<'_>) -> Sender {
        match self.browser() {
            Some((_, origins)) if !is_safe(arrival.method) => origins.sender(arrival.headers),
            Some((_, origins)) if origins.is_embedded_elsewhere(arrival.headers) => Sender::Foreign,
            _ => Sender::Own,
        }
    }

    /// Looks at an answer before it leaves: none gives a browser a session unless one of the service's own pages asked for it, or
    /// somebody went there by a link.
    ///
    /// # Errors
    /// 403 for such an answer, 503 when that could not be recorded.
    ///
    /// # Security
    /// Else another site could log a browser into an account of its own, and read there what its user then enters (login CSRF). A link
    /// can be followed from anywhere: a route that answers GET with a session, to a link in a mail or to whoever comes back from another
    /// login, has to know that the same browser asked for that link (the `state` of OpenID Connect).
    pub fn check_answer(
        &self,
        arrival: &Arrival<'_>,
        sender: Sender,
        answer: &HeaderMap,
    ) -> Result<(), Problem> {
        if sender == Sender::Own || !answer.get_all(SET_COOKIE).iter().any(SessionCookie::is_set_by) {
            return Ok(());
        }
        Err(self.cross_site(arrival, sender)?)
    }

    /// Whether a request brings a credential of any kind, or its answer gives one: then no cache may keep that answer.
    #[must_use]
    pub fn is_personal(&self, request: &HeaderMap) -> bool {
        self.taken.is_any_in(request)
    }

    /// The clock that it was given.
    #[must_use]
    pub const fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The cookie of browsers' sessions, if it takes any.
    #[must_use]
    pub fn cookie(&self) -> Option<SessionCookie> {
        self.browser().map(|(cookie, _)| *cookie)
    }

    /// Whether it knows what was ended, so that each route has to say how freshly.
    #[must_use]
    pub const fn has_logins(&self) -> bool {
        self.logins.is_some()
    }

    /// Whether it can limit anything.
    #[must_use]
    pub const fn has_limiter(&self) -> bool {
        self.limiter.is_some()
    }

    /// How many requests were let in, refused, or not judged.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts { verified: read(&self.verified), refused: read(&self.refused), failed: read(&self.failed) }
    }

    pub(crate) const fn limiter(&self) -> Option<&Arc<Limiter>> {
        self.limiter.as_ref()
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    fn browser(&self) -> Option<&(SessionCookie, Origins)> {
        self.logins.as_ref().and_then(|logins| logins.browser.as_ref())
    }

    fn brings_token_or_key(&self, arrival: &Arrival<'_>) -> bool {
        let found = self.taken.one_of(arrival.headers, arrival.uri);
        matches!(found, Ok(Credential::Token(_) | Credential::Key(_)))
    }

    /// On record of each client, route and reason once a minute, with the number since: no limit stands before it, and a page can make a
    /// browser ask without end.
    fn cross_site(&self, arrival: &Arrival<'_>, sender: Sender) -> Result<Problem, Problem> {
        let reason = if sender == Sender::Unsaid { "no_word_of_sender" } else { "cross_site" };
        let source = (reason, arrival.route, arrival.address.map(network));
        if let Some(told) = self.cross_sites.count(source, self.clock.monotonic()) {
            self.note(Event::MALICIOUS_CSRF, Outcome::Denied, arrival, None, reason, &told.details())
                .inspect_err(|_| self.cross_sites.not_told(source, told))?;
        }
        Ok(Problem::of(Code::CrossSite))
    }

    fn refuse(&self, event: Event, arrival: &Arrival<'_>, reason: &'static str) -> Result<(), Problem> {
        self.note(event, Outcome::Denied, arrival, None, reason, &[])
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("service", &self.service)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
