//! What a route asks beside its policy: how fresh, how strong, how often, and what comes out.

use std::fmt;

use bartizan_sessions::Freshness;

use crate::{Content, RouteLimit, StepUp};

/// What a route asks beside its [`RoutePolicy`](crate::RoutePolicy).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// How old its knowledge of ended sessions and revoked tokens may be. A guard that has such knowledge wants it said.
    pub freshness: Option<Freshness>,
    /// How strongly and recently its caller was authenticated.
    pub step_up: Option<StepUp>,
    /// How often it may be asked.
    pub limits: Vec<RouteLimit>,
    /// What its answers are to a browser.
    pub content: Content,
}

/// `, as of now, step-up within 300 s, limit general by address`: each with a comma before it, to stand after a policy.
impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(freshness) = &self.freshness {
            write!(f, ", {}", in_words(*freshness))?;
        }
        if let Some(step_up) = &self.step_up {
            write!(f, ", {step_up}")?;
        }
        self.limits.iter().try_for_each(|limit| write!(f, ", limit {limit}"))?;
        if self.content == Content::Page { f.write_str(", a page") } else { Ok(()) }
    }
}

/// `as of 5 s ago`, `as of now`
pub(crate) fn in_words(freshness: Freshness) -> String {
    match freshness {
        Freshness::Snapshot(age) => format!("as of {} s ago", age.as_secs_f64()),
        Freshness::ReadThrough => "as of now".to_owned(),
    }
}
