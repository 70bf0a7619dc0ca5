//! What is said about a ring: nothing of it is secret.

use bartizan::{
    core::UnixTime,
    crypto::{
        Lifecycle,
        rotation::{Next, Policy, Step},
    },
    tokens::{Error, KeyRing, RingKey},
};
use serde::Serialize;

/// All of it.
#[derive(Serialize)]
pub(super) struct Shown {
    revision: u64,
    keys: Vec<Line>,
    policy: Spans,
    /// When something is due; now when something is.
    look_again: String,
}

/// A key.
#[derive(Serialize)]
struct Line {
    kid: Box<str>,
    alg: &'static str,
    version: u32,
    state: &'static str,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// Seconds.
#[derive(Serialize)]
struct Spans {
    period: u64,
    longest_life: u64,
    cache_age: u64,
    skew: u64,
    spread: u64,
    next: &'static str,
    lead: u64,
    overlap: u64,
}

impl Shown {
    pub(super) fn of(ring: &KeyRing, now: UnixTime) -> Self {
        Self {
            revision: ring.revision(),
            keys: ring.keys().into_iter().map(Line::of).collect(),
            policy: Spans::of(&ring.policy()),
            look_again: ring.look_again(now).to_string(),
        }
    }
}

impl Line {
    fn of(key: RingKey) -> Self {
        let RingKey { kid, algorithm, version, state, since, .. } = key;
        let (state, active_from, until) = match state {
            Lifecycle::Pending { active_from } => ("pending", Some(active_from), None),
            Lifecycle::Active => ("active", None, None),
            Lifecycle::Retiring { until } => ("retiring", None, Some(until)),
            Lifecycle::Revoked => ("revoked", None, None),
        };
        Self {
            kid,
            alg: algorithm.name(),
            version,
            state,
            since: since.to_string(),
            active_from: active_from.map(|time| time.to_string()),
            until: until.map(|time| time.to_string()),
        }
    }
}

impl Spans {
    fn of(policy: &Policy) -> Self {
        Self {
            period: policy.period.as_secs(),
            longest_life: policy.longest_life.as_secs(),
            cache_age: policy.cache_age.as_secs(),
            skew: policy.skew.as_secs(),
            spread: policy.spread.as_secs(),
            next: match policy.next {
                Next::InTime => "in-time",
                _ => "always",
            },
            lead: policy.lead().as_secs(),
            overlap: policy.overlap().as_secs(),
        }
    }
}

/// The keys for people.
pub(super) fn table(ring: &KeyRing) -> String {
    let mut table = "| version | kid | alg | state | since | next |\n|---|---|---|---|---|---|\n".to_owned();
    for key in ring.keys().into_iter().map(Line::of) {
        let next = match (&key.active_from, &key.until) {
            (Some(from), _) => format!("may be active from {from}"),
            (_, Some(until)) => format!("goes at {until}"),
            _ => String::new(),
        };
        let Line { version, kid, alg, state, since, .. } = key;
        table.push_str(&format!("| {version} | {kid} | {alg} | {state} | {since} | {next} |\n"));
    }
    table
}

/// What a change did.
#[derive(Serialize)]
pub(super) struct Changed {
    ok: bool,
    revision: u64,
    steps: Vec<Done>,
    /// The key that signs now.
    active: Option<String>,
    look_again: String,
}

impl Changed {
    pub(super) fn of(ring: &KeyRing, steps: &[Step], now: UnixTime) -> Self {
        Self {
            ok: true,
            revision: ring.revision(),
            steps: steps.iter().map(Done::of).collect(),
            active: ring.signer().ok().map(|key| key.kid().to_owned()),
            look_again: ring.look_again(now).to_string(),
        }
    }
}

/// What is due, and what will be.
#[derive(Serialize)]
pub(super) struct Planned {
    due: Vec<Done>,
    then: Vec<Then>,
}

/// What is due at some time.
#[derive(Serialize)]
pub(super) struct Then {
    at: String,
    steps: Vec<Done>,
}

impl Planned {
    pub(super) fn of(due: &[Step], then: Vec<Then>) -> Self {
        Self { due: due.iter().map(Done::of).collect(), then }
    }
}

impl Then {
    pub(super) fn of(at: UnixTime, steps: &[Step]) -> Self {
        Self { at: at.to_string(), steps: steps.iter().map(Done::of).collect() }
    }
}

/// A step.
#[derive(Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Done {
    Publish {
        version: u32,
        active_from: String,
    },
    Activate {
        version: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        replaces: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<String>,
    },
    Hold {
        version: u32,
        until: String,
    },
    Drop {
        version: u32,
    },
}

impl Done {
    fn of(step: &Step) -> Self {
        match *step {
            Step::Publish { version, active_from } => {
                Self::Publish { version, active_from: active_from.to_string() }
            }
            Step::Activate { version, replaces } => Self::Activate {
                version,
                replaces: replaces.map(|(version, _)| version),
                until: replaces.map(|(_, until)| until.to_string()),
            },
            Step::Hold { version, until } => Self::Hold { version, until: until.to_string() },
            Step::Drop { version } => Self::Drop { version },
        }
    }
}

/// Why the ring says no.
#[derive(Serialize)]
pub(super) struct Refused {
    ok: bool,
    code: &'static str,
    /// From when on the same is possible; nothing when waiting does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    earliest: Option<String>,
}

impl Refused {
    pub(super) fn of(error: &Error) -> Self {
        Self { ok: false, code: error.code(), earliest: error.earliest().map(|time| time.to_string()) }
    }
}
