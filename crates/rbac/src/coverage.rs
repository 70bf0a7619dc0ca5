//! Which rules of a policy its own tests reach.

use std::{collections::BTreeSet, fmt};

use crate::{Effect, Policy, TestOutcome, condition::Condition};

/// Which rules the tests of a policy reached: each entry of an `allow` or `deny` list that decided at least one of them.
///
/// Its `Display` is a report for people: a line for every rule that no test reached, and the share that was.
#[derive(Clone, Debug)]
pub struct Coverage {
    rules: Vec<Covered>,
}

/// One rule, and whether a test reached it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Covered {
    /// The role whose list it stands in.
    pub role: Box<str>,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// As it is written.
    pub written: Box<str>,
    /// The names of its conditions, which must all hold.
    pub when: Vec<Box<str>>,
    /// Where, counted from 1, where lines are known.
    pub line: Option<u32>,
    /// Whether it decided a test.
    pub reached: bool,
}

impl Policy {
    /// Which rules decided at least one of these tests, which [`Policy::run_tests`] ran.
    #[must_use]
    pub fn coverage(&self, tests: &[TestOutcome]) -> Coverage {
        type Key<'k> = (&'k str, Effect, &'k str, Option<u32>, Vec<&'k str>);
        let policy = &*self.0;
        let names = |when: Option<u32>| {
            let set = when.and_then(|when| policy.when.get(when as usize)).into_iter().flatten();
            set.filter_map(|id| policy.conditions.get(*id as usize))
                .map(Condition::name)
                .collect::<Vec<&str>>()
        };
        let deciding = tests.iter().filter_map(|test| test.explanation().rule());
        let reached: BTreeSet<Key<'_>> = deciding
            .filter_map(|rule| {
                let role = rule.path().last()?;
                Some((role, rule.effect(), rule.written(), rule.line(), rule.when().collect()))
            })
            .collect();
        let rules = policy.roles.iter().flat_map(|role| role.entries.iter().map(move |entry| (role, entry)));
        let rules = rules.map(|(role, entry)| {
            let when = names(entry.when);
            Covered {
                role: role.name.clone(),
                effect: entry.effect,
                written: entry.written.clone(),
                when: when.iter().map(|name| (*name).into()).collect(),
                line: entry.line,
                reached: reached.contains(&(&*role.name, entry.effect, &*entry.written, entry.line, when)),
            }
        });
        Coverage { rules: rules.collect() }
    }
}

impl Coverage {
    /// Every rule, by role.
    #[must_use]
    pub fn rules(&self) -> &[Covered] {
        &self.rules
    }

    /// How many rules decided a test.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.rules.iter().filter(|rule| rule.reached).count()
    }

    /// The share of rules that decided a test, in percent, rounded down; 100 when there are none.
    #[must_use]
    pub fn percent(&self) -> usize {
        (self.reached() * 100).checked_div(self.rules.len()).unwrap_or(100)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in self.rules.iter().filter(|rule| !rule.reached) {
            if let Some(line) = rule.line {
                write!(f, "line {line}: ")?;
            }
            write!(f, "no test reaches {}: {} {}", rule.role, rule.effect.as_str(), rule.written)?;
            match &*rule.when {
                [] => writeln!(f)?,
                when => writeln!(f, " when {}", when.join(", "))?,
            }
        }
        writeln!(f, "{} of {} rules reached ({} %)", self.reached(), self.rules.len(), self.percent())
    }
}
