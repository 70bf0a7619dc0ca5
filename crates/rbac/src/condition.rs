//! Conditions: a small closed set of typed tests, all of which must hold.
//!
//! A condition looks at the question alone (time, client address, strength and age of the login, attributes, owner): no I/O, no
//! clock, no allocation, no text to interpret. What the question does not say is unknown, and what is unknown never helps.
//!
//! The three values, and a fourth for what could not be fetched, follow Kleene: a test that is surely false makes the whole false,
//! whatever is unknown beside it.

mod entry;
mod facts;
mod fuzzed;
mod login;
mod network;
mod wall;
mod words;
mod zone;

use std::{fmt, ops::Range};

use bartizan_core::{Ask, Realm, UnixTime};

pub use self::fuzzed::fuzz_condition;
pub(crate) use self::{entry::ConditionEntry, words::duration, zone::Zones};
use self::{
    facts::{Comparison, Membership},
    login::{Age, Classes, Methods},
    network::Networks,
    wall::{Weekdays, Window},
    words::List,
};
use crate::{
    document::Word,
    names::{self, quoted},
    reach::{Owners, Place},
};

/// What is known about a test, or about all tests of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It holds, and ends at `until`: the first moment at which, with all else equal, it would hold no more.
    True { until: UnixTime },
    /// It does not hold.
    False,
    /// A fact that it looks at was not given, is ambiguous, or is of another type.
    Absent,
    /// Whoever keeps a fact that it looks at did not answer.
    Unavailable,
}

impl Truth {
    /// It holds whatever the time.
    pub(crate) const ALWAYS: Self = Self::True { until: UnixTime::MAX };

    /// Both. What is surely false stays false; then what nobody could tell; then what was not said.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unavailable, _) | (_, Self::Unavailable) => Self::Unavailable,
            (Self::Absent, _) | (_, Self::Absent) => Self::Absent,
            (Self::True { until: one }, Self::True { until: two }) => Self::True { until: one.min(two) },
        }
    }

    const fn of(holds: bool) -> Self {
        if holds { Self::ALWAYS } else { Self::False }
    }
}

/// A named condition, compiled. Its `Display` is its canonical text: the inside of a TOML inline table, on one ASCII line. Two
/// conditions say the same when their canonical texts do.
#[derive(Debug)]
pub(crate) struct Condition {
    name: Box<str>,
    /// At least one; in the order of their keys, each at most once.
    tests: Box<[Test]>,
}

/// One key of a condition. Its `Display` is `key = value`.
#[derive(Debug)]
pub(crate) enum Test {
    Acr(Classes),
    Address(Networks),
    Amr(Methods),
    AuthenticatedWithin(Age),
    Equals(List<Comparison>),
    In(List<Membership>),
    MfaWithin(Age),
    Owner,
    Time(Window),
    Weekdays(Weekdays),
}

/// What is wrong with a condition as it is written.
#[derive(Debug)]
pub(crate) struct Problem {
    /// One clause for the author of the policy, on one line.
    pub(crate) detail: String,
    /// Where in the text; the condition's own place when nothing narrower is known.
    pub(crate) span: Option<Range<usize>>,
}

impl Condition {
    /// Reads a condition. `zones` is shared by all conditions of a policy.
    pub(crate) fn compile(name: &str, entry: ConditionEntry, zones: &mut Zones) -> Result<Self, Problem> {
        let tests = match names::is_segment(name) {
            true => tests(entry, zones),
            false => Err(Problem::here("its name is not in lower-case ASCII".to_owned())),
        };
        let tests = tests.and_then(|tests| match tests.is_empty() {
            true => Err(Problem::here("it is empty, and an empty condition would always hold".to_owned())),
            false => Ok(tests),
        });
        let tests = tests.map_err(|Problem { detail, span }| Problem {
            detail: format!("condition {}: {detail}", quoted(name)),
            span,
        })?;
        Ok(Self { name: name.into(), tests: tests.into() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it tests: all must hold.
    pub(crate) fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Whether all of it holds. `owners` says which owner of the record is believed.
    pub(crate) fn judge(&self, ask: &Ask<'_>, owners: Owners) -> Truth {
        let mut all = Truth::ALWAYS;
        for test in &self.tests {
            all = all.and(test.judge(ask, owners));
            if all == Truth::False {
                break;
            }
        }
        all
    }

    /// Each test with what is known about it, for words about a decision.
    pub(crate) fn each<'c>(
        &'c self,
        ask: &'c Ask<'_>,
        owners: Owners,
    ) -> impl Iterator<Item = (&'c Test, Truth)> {
        self.tests.iter().map(move |test| (test, test.judge(ask, owners)))
    }
}

fn tests(entry: ConditionEntry, zones: &mut Zones) -> Result<Vec<Test>, Problem> {
    let mut tests = Vec::new();
    if let Some(words) = entry.acr {
        tests.push(Test::Acr(Classes::read(&words)?));
    }
    if let Some(words) = entry.address {
        tests.push(Test::Address(Networks::read(&words)?));
    }
    if let Some(words) = entry.amr {
        tests.push(Test::Amr(Methods::read(&words)?));
    }
    if let Some(word) = entry.authenticated_within {
        tests.push(Test::AuthenticatedWithin(Age::read("authenticated_within", &word)?));
    }
    if let Some(pairs) = entry.equals {
        tests.push(Test::Equals(facts::comparisons(pairs)?));
    }
    if let Some(pairs) = entry.r#in {
        tests.push(Test::In(facts::memberships(pairs)?));
    }
    if let Some(word) = entry.mfa_within {
        tests.push(Test::MfaWithin(Age::read("mfa_within", &word)?));
    }
    match entry.owner {
        Some(true) => tests.push(Test::Owner),
        Some(false) => {
            return Err(Problem::here(
                "owner can only be true; leave it away where it does not matter".to_owned(),
            ));
        }
        None => {}
    }
    if let Some(time) = entry.time {
        tests.push(Test::Time(Window::read(&time, zones)?));
    }
    if let Some(weekdays) = entry.weekdays {
        tests.push(Test::Weekdays(Weekdays::read(&weekdays, zones)?));
    }
    Ok(tests)
}

impl Test {
    fn judge(&self, ask: &Ask<'_>, owners: Owners) -> Truth {
        match self {
            Self::Acr(classes) => classes.judge(ask.who),
            Self::Address(networks) => match ask.who.address() {
                Some(address) => Truth::of(networks.contain(address)),
                None => Truth::Absent,
            },
            Self::Amr(methods) => methods.judge(ask.who),
            Self::AuthenticatedWithin(age) => age.judge(ask.who, ask.now),
            Self::Equals(comparisons) => comparisons.all(|comparison| comparison.judge(ask)),
            Self::In(memberships) => memberships.all(|membership| membership.judge(ask)),
            Self::MfaWithin(age) => login::multi_factor(ask.who).and(age.judge(ask.who, ask.now)),
            // SECURITY: somebody across tenants owns nothing inside of one, whatever the names are.
            Self::Owner if ask.who.realm() == Realm::System => Truth::False,
            Self::Owner => match Place::believed_owner(ask.on, owners) {
                Some(owner) => Truth::of(owner == ask.who.subject()),
                None => Truth::Absent,
            },
            Self::Time(window) => window.judge(ask.now),
            Self::Weekdays(weekdays) => weekdays.judge(ask.now),
        }
    }
}

impl Problem {
    pub(crate) fn new(at: &Word, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), span: Some(at.span()) }
    }

    const fn here(detail: String) -> Self {
        Self { detail, span: None }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        words::listed(f, &self.tests)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acr(classes) => write!(f, "acr = {classes}"),
            Self::Address(networks) => write!(f, "address = {networks}"),
            Self::Amr(methods) => write!(f, "amr = {methods}"),
            Self::AuthenticatedWithin(age) => write!(f, "authenticated_within = {age}"),
            Self::Equals(comparisons) => write!(f, "equals = {{ {comparisons} }}"),
            Self::In(memberships) => write!(f, "in = {{ {memberships} }}"),
            Self::MfaWithin(age) => write!(f, "mfa_within = {age}"),
            Self::Owner => f.write_str("owner = true"),
            Self::Time(window) => write!(f, "time = {window}"),
            Self::Weekdays(weekdays) => write!(f, "weekdays = {weekdays}"),
        }
    }
}

#[cfg(test)]
mod tests;
