//! Brings what happened from the store's outbox to the record.

use std::{
    convert::Infallible,
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bartizan_audit_events::Event;
use bartizan_core::{
    Attestation, Clock, Detail, DetailValue, Origin, Outcome, Principal, PrincipalFacts, Recorder, Subject,
    Target,
};

use crate::{Ended, Entry, Error, ErrorKind, Happening, Outbox, bounded::bounded, login::Said};

/// Brings what happened from the outbox to a recorder, in order, and says that it was delivered once the record is durable.
///
/// At least once: a courier that is killed between the two delivers an entry again. Its number stands in the fact as `entry`, so that
/// whoever counts facts tells a second delivery from a second happening. Run one for each store; two deliver twice.
pub struct Courier {
    outbox: Arc<dyn Outbox>,
    recorder: Arc<dyn Recorder>,
    clock: Arc<dyn Clock>,
    service: Box<str>,
    failures: AtomicU32,
}

/// How many entries are brought at once.
const BATCH: usize = 256;

/// How long one call to the store may take.
const CALL: Duration = Duration::from_secs(5);

impl Courier {
    /// From this outbox to this recorder, which is told that `service` says it.
    #[must_use]
    pub fn new(
        outbox: Arc<dyn Outbox>,
        recorder: Arc<dyn Recorder>,
        clock: Arc<dyn Clock>,
        service: impl Into<Box<str>>,
    ) -> Self {
        Self { outbox, recorder, clock, service: service.into(), failures: AtomicU32::new(0) }
    }

    /// Delivers for ever, with a pause of `every` when the outbox is empty or something fails. For the service to spawn; it ends
    /// when it is dropped.
    pub async fn run(&self, every: Duration) -> Infallible {
        loop {
            if !matches!(self.deliver().await, Ok(delivered) if delivered > 0) {
                self.clock.sleep(every).await;
            }
        }
    }

    /// Delivers the oldest entries, at most 256, and answers how many.
    ///
    /// # Errors
    /// Those of the store, and [`ErrorKind::Unavailable`] when the recorder does not take a fact or cannot keep it. What was not
    /// delivered is in the outbox still.
    pub async fn deliver(&self) -> Result<usize, Error> {
        let delivered = self.bring().await;
        match delivered {
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(_) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
        delivered
    }

    /// How many deliveries failed since one succeeded: for readiness checks and alarms. While it goes up nothing that happens to
    /// sessions goes on record, and the outbox grows without a bound.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    async fn bring(&self) -> Result<usize, Error> {
        let entries = bounded(&*self.clock, CALL, self.outbox.pending(BATCH)).await?;
        let mut numbers = Vec::with_capacity(entries.len());
        let mut last = None;
        let mut is_taken = Ok(());
        for entry in &entries {
            match self.record(entry) {
                Ok(ticket) => {
                    last = Some(ticket);
                    numbers.push(entry.number);
                }
                // What was taken before goes its way all the same.
                Err(error) => {
                    is_taken = Err(error);
                    break;
                }
            }
        }
        let Some(last) = last else { return is_taken.map(|()| 0) };
        // Tickets are in order: once the last fact is durable, all before it are.
        poll_fn(|cx| self.recorder.poll_durable(last, cx))
            .await
            .map_err(|_| Error::new(ErrorKind::Unavailable))?;
        bounded(&*self.clock, CALL, self.outbox.delivered(&numbers)).await?;
        is_taken.map(|()| numbers.len())
    }

    fn record(&self, entry: &Entry) -> Result<bartizan_core::Ticket, Error> {
        let said = Said::read(&entry.note);
        let event = event(entry.happening);
        let session = entry.session.map(|id| id.to_string());
        let actor = actor(entry, &said, session.as_deref());
        let subject = match &actor {
            Some(actor) => Subject::Principal(actor),
            None if entry.subject.is_empty() => Subject::Process(&self.service),
            None => Subject::Claimed { tenant: &entry.tenant, subject: &entry.subject },
        };
        let mut origin = Origin::service(&self.service);
        origin.address = said.address;
        origin.request = said.request.as_deref();
        let (kind, name) = target(entry, session.as_deref());
        let number = i64::try_from(entry.number).unwrap_or(i64::MAX);
        let details = [
            Detail { name: "entry", value: DetailValue::Number(number) },
            Detail { name: "of_tenant", value: DetailValue::Text(&entry.tenant) },
            Detail { name: "of_subject", value: DetailValue::Text(&entry.subject) },
        ];
        let outcome = if entry.happening == Happening::Reused { Outcome::Denied } else { Outcome::Success };
        let mut fact =
            event.fact(outcome, entry.at, subject, Target::Named { kind, name }, origin).with(&details);
        if let Ok(why) = Ended::parse(&entry.about) {
            fact = fact.because(why.as_str());
        }
        self.recorder.record(&fact).map_err(|_| Error::new(ErrorKind::Unavailable))
    }
}

/// Which event of the catalogue it is.
const fn event(happening: Happening) -> Event {
    match happening {
        Happening::Begun => Event::SESSION_CREATED,
        Happening::Renewed => Event::SESSION_RENEWED,
        Happening::Reused => Event::AUTHN_TOKEN_REUSE,
        Happening::LoggedOut => Event::SESSION_LOGOUT,
        Happening::Ended => Event::SESSION_REVOKED,
        Happening::AllEnded => Event::SESSIONS_REVOKED,
        Happening::EverythingEnded => Event::ALL_SESSIONS_REVOKED,
        Happening::TokenRevoked => Event::AUTHN_TOKEN_REVOKED,
        Happening::KeyMade => Event::API_KEY_CREATED,
        Happening::KeyReplaced => Event::API_KEY_REPLACED,
        Happening::KeyEnded => Event::API_KEY_REVOKED,
        Happening::OnceMade => Event::AUTHN_TOKEN_CREATED,
        Happening::OnceUsed => Event::ONE_TIME_TOKEN_USED,
    }
}

/// Who did it: whoever the note names, else the subject itself. Nobody vouches for who used a token a second time, and nobody has
/// proved anything who only asked for a one-time token.
fn actor(entry: &Entry, said: &Said, session: Option<&str>) -> Option<Principal> {
    if let (Some(tenant), Some(subject)) = (&said.tenant, &said.subject) {
        return Principal::attested(Attestation::Session, PrincipalFacts::new(tenant, subject)).ok();
    }
    if matches!(entry.happening, Happening::Reused | Happening::OnceMade) {
        return None;
    }
    let facts = PrincipalFacts::new(&entry.tenant, &entry.subject).with_session(session);
    Principal::attested(Attestation::Session, facts).ok()
}

/// To what it was done.
fn target<'a>(entry: &'a Entry, session: Option<&'a str>) -> (&'static str, &'a str) {
    match entry.happening {
        Happening::AllEnded => ("subject", &entry.subject),
        Happening::EverythingEnded => ("service", "sessions"),
        Happening::TokenRevoked => ("token", &entry.about),
        Happening::KeyMade | Happening::KeyReplaced | Happening::KeyEnded => ("api_key", &entry.about),
        Happening::OnceMade | Happening::OnceUsed => ("one_time_token", &entry.about),
        _ => ("session", session.unwrap_or("-")),
    }
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier")
            .field("outbox", &self.outbox)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
