//! All mapping of outcomes to answers: who may not (403), what must look absent (404), and what cannot be told (503) are
//! kept apart here and nowhere else.

use bartizan_core::{
    Authorizer, Cause, Decision, Decisions, Denial, Fault, Grant, Permission, Principal, Resource,
};

use crate::{Code, Error, ErrorKind, Problem};

/// Decides one question and answers the grant, or the problem to send.
///
/// # Errors
/// 403 for a deny, 404 when even the record's existence must not be known, 401 when the token has expired meanwhile; 503 when it cannot be told; 500 for a
/// critical permission, which [`authorize_durably`] is for.
pub fn authorize(
    authorizer: &Authorizer,
    who: &Principal,
    permission: Permission,
    on: Resource<'_>,
) -> Result<Grant, Problem> {
    granted(authorizer.decide(who, permission, on), permission)
}

/// Decides one question and answers the grant, or the problem to send. Where it has to be, the record is durable first:
/// for critical permissions, and where anybody of [`Realm::System`](bartizan_core::Realm::System) takes part.
///
/// # Errors
/// Those of [`authorize`], without the 500.
///
/// # Cancel safety
/// That of [`Authorizer::decide_durably`].
pub async fn authorize_durably(
    authorizer: &Authorizer,
    who: &Principal,
    permission: Permission,
    on: Resource<'_>,
) -> Result<Grant, Problem> {
    let decision = match authorizer.decide(who, permission, on) {
        // The authorizer alone knows when that is: nothing was decided or recorded yet.
        Decision::Indeterminate(Cause::NeedsDurable) => authorizer.decide_durably(who, permission, on).await,
        decision => decision,
    };
    granted(decision, permission)
}

/// The grants of one page, in the order of its records: nothing for a record that is denied and must be left out.
///
/// # Errors
/// 503 or 500 for the whole page when one of its records cannot be decided: a page with silent gaps is a wrong answer.
pub fn granted_each(decisions: Decisions) -> Result<Vec<Option<Grant>>, Problem> {
    decisions
        .into_iter()
        .map(|decision| match decision {
            Decision::Allow(grant) => Ok(Some(grant)),
            Decision::Deny(_) => Ok(None),
            // The page is the program's own: too long, of two tenants, or of records that cannot be.
            Decision::Indeterminate(Cause::Malformed) => Err(Problem::of(Code::Internal)),
            Decision::Indeterminate(cause) => Err(cause.into()),
        })
        .collect()
}

fn granted(decision: Decision, permission: Permission) -> Result<Grant, Problem> {
    match decision {
        Decision::Allow(grant) => Ok(grant),
        Decision::Deny(denial) => Err(match Problem::from(denial) {
            forbidden if forbidden.code() == Code::Forbidden => forbidden.requiring(&[permission]),
            // SECURITY: nothing is added to an answer that has to be the same as that to a missing record.
            other => other,
        }),
        Decision::Indeterminate(cause) => Err(cause.into()),
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        Self::of(match denial {
            denial if denial.hides_existence() => Code::NotFound,
            denial if denial.credential_has_ended() => Code::TokenExpired,
            _ => Code::Forbidden,
        })
    }
}

impl From<Cause> for Problem {
    fn from(cause: Cause) -> Self {
        Self::of(match cause {
            Cause::NotRecorded | Cause::Unavailable | Cause::Stale => Code::ServiceUnavailable,
            // The program asked in the wrong way.
            Cause::NeedsDurable => Code::Internal,
            // The names in the question come from the path: there can be no record of an overlong or unprintable name.
            Cause::Malformed => Code::NotFound,
        })
    }
}

/// For the errors of all crates of the family: `.map_err(|error| Problem::from(error.fault()))`.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::of(match fault {
            Fault::Peer => Code::InvalidRequest,
            Fault::Backend | Fault::Busy => Code::ServiceUnavailable,
            // At run time nobody but us can act on a wrong configuration.
            Fault::Caller | Fault::Integrity | Fault::Bug => Code::Internal,
        })
    }
}

/// For handlers that exchange, begin or end sessions: a credential that is not believed is a 401, and no 400.
impl From<bartizan_sessions::Error> for Problem {
    fn from(error: bartizan_sessions::Error) -> Self {
        match error.kind() {
            bartizan_sessions::ErrorKind::Refused => Self::of(Code::SessionEnded),
            bartizan_sessions::ErrorKind::TooMany => Self::of(Code::Conflict),
            _ => error.fault().into(),
        }
    }
}

/// For handlers that ask a limit themselves: its store is out. A refusal is no error, and [`Problem::limited`].
impl From<bartizan_rate_limit::Error> for Problem {
    fn from(error: bartizan_rate_limit::Error) -> Self {
        error.fault().into()
    }
}

/// A malformed session's cookie is taken away from the browser, which would send it, and be refused, for as long as it lives.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::of(match error.kind() {
            ErrorKind::NoCredentials | ErrorKind::OtherScheme => Code::NoCredentials,
            ErrorKind::DuplicateCredentials
            | ErrorKind::MalformedCredentials
            | ErrorKind::CredentialsTooLarge
            | ErrorKind::CredentialsInUrl
            | ErrorKind::TwoCredentials
            | ErrorKind::DuplicateCookie
            | ErrorKind::MalformedCookie
            | ErrorKind::LookalikeCookie
            | ErrorKind::CookiesTooLarge => Code::MalformedCredentials,
            ErrorKind::Path => Code::NotFound,
            ErrorKind::Query | ErrorKind::Redirect => Code::InvalidRequest,
            ErrorKind::Name
            | ErrorKind::NoPermissions
            | ErrorKind::NoReason
            | ErrorKind::CookieValue
            | ErrorKind::Origin
            | ErrorKind::KeyPlace
            | ErrorKind::StepUp => Code::Internal,
        });
        if error.kind() == ErrorKind::MalformedCookie { problem.clearing_session() } else { problem }
    }
}
