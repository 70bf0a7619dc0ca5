//! `bartizan password policy`.

use std::sync::Arc;

use bartizan::passwords::{About, Assessment, PasswordPolicy, Strength, Violation};
use serde::Serialize;

use crate::{
    args::{Least, PasswordRules, Rule},
    input::SecretSource,
    outcome::{Ended, Outcome, Unusable, say},
    password::breached,
};

#[derive(Serialize)]
struct Accepted {
    ok: bool,
}

#[derive(Serialize)]
struct Refused {
    ok: bool,
    code: &'static str,
    violations: Vec<Reason>,
}

#[derive(Serialize)]
struct Reason {
    code: &'static str,
    message: String,
}

impl Reason {
    fn of(violation: Violation) -> Self {
        Self { code: violation.code(), message: violation.to_string() }
    }
}

pub(super) fn run(rules: &PasswordRules, password: &SecretSource) -> Ended {
    let mut policy = match rules.rule {
        Rule::Nist => PasswordPolicy::nist(),
        Rule::NistSecondFactor => PasswordPolicy::nist_beside_second_factor(),
        Rule::Composition => PasswordPolicy::legacy_composition(),
    };
    policy = policy.at_least(rules.at_least.unwrap_or_default()).with_words(&rules.word);
    if let Some(least) = rules.strength {
        policy = policy.min_strength(match least {
            Least::Fair => Strength::Fair,
            Least::Strong => Strength::Strong,
            Least::VeryStrong => Strength::VeryStrong,
        });
    }
    if let Some(path) = &rules.breached {
        policy = policy.with_breached(Arc::new(breached::opened(path)?));
    }
    let mut about = About::nobody();
    about = rules.user_name.iter().fold(about, |about, name| about.user_name(name));
    about = rules.email.iter().fold(about, |about, address| about.email(address));

    let assessed = policy.assess(&password.read()?, &about);
    match assessed.map_err(|error| Unusable::of("the file of breached passwords", error))? {
        Assessment::Accepted(_) => {
            say(&Accepted { ok: true })?;
            Ok(Outcome::Done)
        }
        Assessment::Refused(why) => {
            say(&Refused { ok: false, code: "policy", violations: why.iter().map(Reason::of).collect() })?;
            Ok(Outcome::Refused)
        }
    }
}
