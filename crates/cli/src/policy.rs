//! `bartizan policy`.

use std::{
    io::{self, Write},
    path::Path,
};

use bartizan::rbac::{self, TestOutcome};
use serde::Serialize;

use crate::{
    args::Policy,
    input,
    outcome::{Ended, Outcome, say},
};

pub(crate) fn run(command: &Policy) -> Ended {
    match command {
        Policy::Check { file, matrix } => check(file, *matrix),
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
    line: u32,
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
    let bytes = input::file(file)?;
    let parsed = std::str::from_utf8(bytes.expose())
        .map_err(|_| ("the policy is not UTF-8".to_owned(), None))
        .and_then(|text| rbac::Policy::parse(text).map_err(|error| (error.to_string(), error.line())));
    let policy = match parsed {
        Ok(policy) => policy,
        Err((error, line)) => {
            say(&Invalid { ok: false, error, line })?;
            return Ok(Outcome::Refused);
        }
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
