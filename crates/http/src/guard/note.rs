//! What a guard puts on record.

use bartizan_audit_events::Event;
use bartizan_core::{Detail, DetailValue, Fact, Fault, Origin, Outcome, Principal, Subject, Target};
use bartizan_sessions::ErrorKind as Session;
use http::{HeaderMap, header::USER_AGENT};

use super::{Arrival, Guard};
use crate::{Code, Problem, RequestId};

impl Guard {
    /// Puts on record that a control of this service did not work, in one fixed word: a handler that panicked, or that
    /// answered without asking. The answer is a 500 whether or not it is recorded.
    pub fn failure(&self, arrival: &Arrival<'_>, reason: &'static str) -> Problem {
        // Queued and not waited for, though it is a critical event: the answer says the least already, and
        // there is nothing left to close when this is not recorded.
        let _ = self.note(Event::CONTROL_FAILED, Outcome::Failure, arrival, None, reason, &[]);
        Problem::of(Code::Internal)
    }

    /// The answer while something that this guard asks does not answer. Recorded once a minute for each reason: an outage must
    /// not fill the log as well.
    pub(crate) fn outage(&self, arrival: &Arrival<'_>, reason: &'static str, fault: Fault) -> Problem {
        if let Some(told) = self.tally.count(reason, self.clock.monotonic()) {
            let times = DetailValue::Number(i64::try_from(told.times).unwrap_or(i64::MAX));
            let details = [Detail { name: "times", value: times }];
            // Whether or not it is recorded, nobody is let in.
            let _ = self.note(Event::CONTROL_FAILED, Outcome::Unknown, arrival, None, reason, &details);
        }
        match fault {
            // Nothing that a client did: it was not judged at all.
            Fault::Peer => Problem::of(Code::Internal),
            fault => fault.into(),
        }
    }

    /// The answer when it could not be told whether a credential lives.
    pub(super) fn no_answer(&self, arrival: &Arrival<'_>, error: &bartizan_sessions::Error) -> Problem {
        let reason = match error.kind() {
            Session::Unavailable => "sessions_unavailable",
            Session::Busy => "sessions_busy",
            Session::Integrity => "sessions_integrity",
            _ => "sessions_failed",
        };
        self.outage(arrival, reason, error.fault())
    }

    pub(crate) fn note(
        &self,
        event: Event,
        outcome: Outcome,
        arrival: &Arrival<'_>,
        who: Option<&Principal>,
        reason: &'static str,
        details: &[Detail<'_>],
    ) -> Result<(), Problem> {
        let mut origin = Origin::service(&self.service);
        origin.address = arrival.address;
        origin.request = arrival.request.map(RequestId::as_str);
        origin.user_agent = user_agent(arrival.headers);
        let subject = who.map_or(Subject::Anonymous, Subject::Principal);
        let target = Target::Named { kind: "route", name: arrival.route };
        let fact: Fact<'_> = event.fact(outcome, self.clock.wall(), subject, target, origin);
        match self.recorder.record(&fact.because(reason).with(details)) {
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
