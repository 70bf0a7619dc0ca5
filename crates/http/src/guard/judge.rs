//! A request's one credential, judged: believed, refused and recorded, or not to be told.

use bartizan_audit_events::Event;
use bartizan_core::{Detail, DetailValue, Fault, Outcome, Principal, RawToken};
use bartizan_sessions::{ErrorKind as Session, Refusal};

use super::{Arrival, Guard};
use crate::{Code, Credential, ErrorKind, Problem, Sender};

impl Guard {
    pub(super) async fn judge(&self, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        match self.taken.one_of(arrival.headers, arrival.uri) {
            Ok(Credential::Token(token)) => self.by_token(token, arrival).await,
            Ok(Credential::Session(cookie)) => self.by_session(cookie, arrival).await,
            Ok(Credential::Key(key)) => self.by_key(key, arrival).await,
            Err(error) if matches!(error.kind(), ErrorKind::NoCredentials | ErrorKind::OtherScheme) => {
                Err(error.into())
            }
            Err(error) => {
                self.refuse(Event::TOKEN_MISPLACED, arrival, error.kind().as_str())?;
                Err(error.into())
            }
        }
    }

    async fn by_token(&self, token: RawToken<'_>, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        let verified = match self.verifier.verify(token) {
            Ok(verified) => verified,
            Err(error) => return Err(self.bad_token(arrival, &error)?),
        };
        if let Some(logins) = &self.logins {
            match logins.sessions.is_revoked(&verified.id(), arrival.freshness).await {
                Ok(false) => {}
                Ok(true) => {
                    self.refuse(Event::TOKEN_REFUSED, arrival, "revoked")?;
                    return Err(Problem::of(Code::TokenRevoked));
                }
                Err(error) => return Err(self.no_answer(arrival, &error)),
            }
        }
        match verified.principal() {
            Ok(principal) => Ok(principal),
            Err(error) => Err(self.bad_token(arrival, &error)?),
        }
    }

    async fn by_session(&self, cookie: RawToken<'_>, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        // INVARIANT(cookies-have-sessions): a cookie is looked for only where sessions are kept.
        let (Some(logins), Some(_)) = (&self.logins, self.browser()) else {
            return Err(Problem::of(Code::Internal));
        };
        // SECURITY: before the session is looked up. What another site sends along must not even keep it alive.
        match self.sender(arrival) {
            Sender::Own => {}
            sender => return Err(self.cross_site(arrival, sender)?),
        }
        match logins.sessions.check(cookie, arrival.freshness).await {
            Ok(session) => Ok(session.into_principal()),
            Err(error) if error.kind() == Session::Refused => {
                let event = match error.refusal() {
                    Some(Refusal::Ended | Refusal::Expired) => Event::SESSION_USE_AFTER_EXPIRE,
                    _ => Event::TOKEN_REFUSED,
                };
                self.refuse_stored(event, arrival, "session", &error)?;
                Err(Problem::of(Code::SessionEnded))
            }
            Err(error) => Err(self.no_answer(arrival, &error)),
        }
    }

    async fn by_key(&self, key: RawToken<'_>, arrival: &Arrival<'_>) -> Result<Principal, Problem> {
        // INVARIANT(keys-have-a-place): a key is looked for only where there are keys.
        let Some((_, keys)) = &self.taken.keys else { return Err(Problem::of(Code::Internal)) };
        match keys.check(key).await {
            Ok(used) => Ok(used.into_principal()),
            Err(error) if error.kind() == Session::Refused => {
                self.refuse_stored(Event::TOKEN_REFUSED, arrival, "api_key", &error)?;
                Err(Problem::of(Code::InvalidToken))
            }
            Err(error) => Err(self.no_answer(arrival, &error)),
        }
    }

    fn bad_token(&self, arrival: &Arrival<'_>, error: &bartizan_tokens::Error) -> Result<Problem, Problem> {
        if error.fault() != Fault::Peer {
            // SECURITY: an outage is no refusal. A client that is told 401 throws its token away and asks for passwords.
            return Ok(self.outage(arrival, error.code(), error.fault()));
        }
        self.refuse(Event::TOKEN_REFUSED, arrival, error.code())?;
        Ok(Problem::of(match error.kind() {
            bartizan_tokens::ErrorKind::Expired => Code::TokenExpired,
            bartizan_tokens::ErrorKind::Revoked => Code::TokenRevoked,
            _ => Code::InvalidToken,
        }))
    }

    /// The record says why, the answer does not.
    fn refuse_stored(
        &self,
        event: Event,
        arrival: &Arrival<'_>,
        credential: &'static str,
        error: &bartizan_sessions::Error,
    ) -> Result<(), Problem> {
        let reason = error.refusal().map_or("refused", Refusal::as_str);
        let details = [Detail { name: "credential", value: DetailValue::Text(credential) }];
        self.note(event, Outcome::Denied, arrival, None, reason, &details)
    }
}
