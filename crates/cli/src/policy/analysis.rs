//! What a policy file says as a whole: `lint`, `matrix`, `diff`.

use std::{io::Write, path::Path};

use bartizan::rbac::{self, Assignments, Engine, Lint, PolicyDiff};
use serde::Serialize;

use super::{question, usable};
use crate::{
    args::Table,
    outcome::{Answers, Ended, Outcome, Unusable, say},
};

#[derive(Serialize)]
struct Linted {
    ok: bool,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    lint: &'static str,
    line: Option<u32>,
    detail: String,
}

pub(super) fn lint(file: &Path, deny: &[String], now: Option<&str>) -> Ended {
    let all = deny.iter().any(|name| name == "all");
    let unknown = deny.iter().find(|name| *name != "all" && Lint::from_name(name).is_none());
    if let Some(name) = unknown {
        let names: Vec<&str> = Lint::ALL.iter().map(|lint| lint.as_str()).collect();
        return Err(Unusable::new(format_args!(
            "no lint is called {name:?}; there are all, {}",
            names.join(", ")
        )));
    }
    let (policy, now) = (usable(file)?, question::time(now)?);
    let held = policy.assignments();
    // Without any assignment in the file, they are kept elsewhere: then nothing is said of who holds what.
    let found = match held.is_empty() {
        true => policy.lint(),
        false => Engine::new(policy, Assignments::HeldOnly(held)).snapshot().lint(now),
    };
    let ok = !found.iter().any(|one| all || deny.iter().any(|name| name == one.lint().as_str()));
    let findings = found.iter().map(|one| Found {
        lint: one.lint().as_str(),
        line: one.line(),
        detail: one.detail().to_owned(),
    });
    say(&Linted { ok, findings: findings.collect() })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}

pub(super) fn matrix(file: &Path, format: Table) -> Ended {
    let matrix = usable(file)?.matrix();
    let text = match format {
        Table::Md => matrix.to_string(),
        Table::Csv => matrix.to_csv(),
        Table::Html => matrix.to_html(),
    };
    let mut answers = Answers::new();
    answers.write(|out| out.write_all(text.strip_suffix('\n').unwrap_or(&text).as_bytes()))?;
    answers.flush()?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Differs<'d> {
    ok: bool,
    gained: Vec<&'d str>,
    lost: Vec<&'d str>,
}

pub(super) fn diff(old: &Path, new: &Path, fail_on_new_access: bool) -> Ended {
    let (old, new): (rbac::Policy, rbac::Policy) = (usable(old)?, usable(new)?);
    let diff = PolicyDiff::between(&old, &new);
    let words = diff.to_string();
    let with = |sign: &str| words.lines().filter_map(|line| line.strip_prefix(sign)).collect::<Vec<&str>>();
    let ok = !(fail_on_new_access && diff.gives_more());
    say(&Differs { ok, gained: with("+ "), lost: with("- ") })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}
