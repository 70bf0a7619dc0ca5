//! `bartizan policy`.

mod analysis;
mod question;

use std::{
    io::{self, Write},
    path::Path,
};

use bartizan::rbac::{self, TestOutcome};
use serde::Serialize;

use crate::{
    args::Policy,
    input,
    outcome::{Ended, Outcome, Unusable, say},
};

pub(crate) fn run(command: &Policy) -> Ended {
    match command {
        Policy::Check { file, matrix } => check(file, *matrix),
        Policy::Test { file, coverage, min_coverage } => test(file, *coverage, *min_coverage),
        Policy::Lint { file, deny, now } => analysis::lint(file, deny, now.as_deref()),
        Policy::Matrix { file, format } => analysis::matrix(file, *format),
        Policy::Diff { old, new, fail_on_new_access } => analysis::diff(old, new, *fail_on_new_access),
        Policy::Explain { file, permission, asker, record, time } => {
            question::explain(file, permission, asker, record, time)
        }
        Policy::WhoCan { file, permission, tenant, record, time } => {
            question::who_can(file, permission, tenant, record, time)
        }
        Policy::WhatCan { file, asker, time } => question::what_can(file, asker, time),
    }
}

#[derive(Serialize)]
struct Checked {
    ok: bool,
    roles: usize,
    permissions: usize,
    tests: usize,
    failed: Vec<Failed>,
}

#[derive(Serialize)]
struct Failed {
    line: Option<u32>,
    why: String,
}

impl Failed {
    fn of(test: &TestOutcome) -> Self {
        Self { line: test.line(), why: test.to_string() }
    }
}

#[derive(Serialize)]
struct Invalid {
    ok: bool,
    error: String,
    line: Option<u32>,
}

fn check(file: &Path, matrix: bool) -> Ended {
    let policy = match read(file)? {
        Ok(policy) => policy,
        Err(invalid) => return refused(&invalid),
    };
    if matrix {
        // For people: it goes beside the answer, and whether anybody reads it changes nothing.
        let _ = write!(io::stderr(), "{}", policy.matrix());
    }
    let outcomes = policy.run_tests();
    let failed: Vec<Failed> = outcomes.iter().filter(|outcome| !outcome.passed()).map(Failed::of).collect();
    let ok = failed.is_empty();
    let (roles, permissions) = (policy.roles().count(), policy.permissions().count());
    say(&Checked { ok, roles, permissions, tests: outcomes.len(), failed })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}

#[derive(Serialize)]
struct Tested {
    ok: bool,
    tests: usize,
    failed: Vec<Failed>,
    rules: usize,
    reached: usize,
    coverage: usize,
}

fn test(file: &Path, coverage: bool, least: Option<u8>) -> Ended {
    let policy = match read(file)? {
        Ok(policy) => policy,
        Err(invalid) => return refused(&invalid),
    };
    let outcomes = policy.run_tests();
    let failed: Vec<Failed> = outcomes.iter().filter(|outcome| !outcome.passed()).map(Failed::of).collect();
    let covered = policy.coverage(&outcomes);
    if coverage {
        let _ = write!(io::stderr(), "{covered}");
    }
    let ok = failed.is_empty() && covered.percent() >= usize::from(least.unwrap_or_default());
    say(&Tested {
        ok,
        tests: outcomes.len(),
        failed,
        rules: covered.rules().len(),
        reached: covered.reached(),
        coverage: covered.percent(),
    })?;
    Ok(if ok { Outcome::Done } else { Outcome::Refused })
}

/// A policy whose tests were not asked, or what is wrong with it. JSON where the file is called so, else TOML.
fn read(file: &Path) -> Result<Result<rbac::Policy, Invalid>, Unusable> {
    let bytes = input::file(file)?;
    let Ok(text) = std::str::from_utf8(bytes.expose()) else {
        return Ok(Err(Invalid { ok: false, error: "the policy is not UTF-8".to_owned(), line: None }));
    };
    let parsed = match file.extension().is_some_and(|extension| extension == "json") {
        true => rbac::Policy::parse_json_untested(text),
        false => rbac::Policy::parse_untested(text),
    };
    Ok(parsed.map_err(|error| Invalid { ok: false, error: error.to_string(), line: error.line() }))
}

/// The same for commands that do not judge the file itself: one that cannot be read is unusable.
fn usable(file: &Path) -> Result<rbac::Policy, Unusable> {
    read(file)?.map_err(|invalid| Unusable::of(file.display(), invalid.error))
}

fn refused(invalid: &Invalid) -> Ended {
    say(invalid)?;
    Ok(Outcome::Refused)
}
