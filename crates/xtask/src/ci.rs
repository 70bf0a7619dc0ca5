//! `cargo xtask ci`: everything that a change must pass beside its tests.
//!
//! The steps that read files come first, as they fail within a second; then the compilers. No test runs here.

mod dangers;
mod floors;
mod lock;
mod manifests;
mod package;
mod paths;
mod size;
mod tools;

use crate::{asvs, problem::Problem, repo::Repo, run};

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Repo) -> Result<Done, Problem>,
}

/// How a step that did not fail ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Passed,
    /// It could not run, and why that is allowed.
    LeftOut(&'static str),
}

const STEPS: [Step; 14] = [
    Step {
        name: "floors",
        about: "edges between crates go down: never up, never to a sibling",
        run: floors::run,
    },
    Step {
        name: "manifests",
        about: "every crate takes the workspace's lints and says what it is",
        run: manifests::run,
    },
    Step { name: "asvs", about: "docs/asvs.md says what the tests' names say", run: asvs::check },
    Step { name: "paths", about: "what README and docs point at is there", run: paths::run },
    Step { name: "size", about: "no source file has over 600 lines", run: size::run },
    Step {
        name: "lock",
        about: "the locks are committed, current, and free of what is banned",
        run: lock::run,
    },
    Step { name: "dangers", about: "who may open without a grant", run: dangers::run },
    Step { name: "fmt", about: "cargo fmt changes nothing", run: tools::fmt },
    Step { name: "clippy", about: "no warning in any target, all features on", run: tools::clippy },
    Step { name: "targets", about: "the fuzz targets compile", run: tools::fuzz_targets },
    Step { name: "docs", about: "the documentation builds without a warning", run: tools::docs },
    Step { name: "package", about: "every published crate packs", run: package::run },
    Step { name: "deny", about: "cargo-deny: bans, licences, sources", run: tools::deny },
    Step { name: "scripts", about: "the scripts beside the Rust code parse", run: tools::scripts },
];

pub(crate) fn is_step(name: &str) -> bool {
    STEPS.iter().any(|step| step.name == name)
}

pub(crate) fn list() {
    for step in &STEPS {
        println!("{:<9} {}", step.name, step.about);
    }
}

/// Runs the steps of these names, all without a name, and stops at the first that fails.
pub(crate) fn run(repo: &Repo, names: &[&str]) -> Result<(), Problem> {
    if let Some(unknown) = names.iter().find(|name| !is_step(name)) {
        return Err(Problem::new(format!(
            "there is no step `{unknown}`; `cargo xtask ci --list` shows them"
        )));
    }
    let begun = run::now();
    let mut left_out = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("── {}: {}", step.name, step.about);
        let since = run::now();
        let done = (step.run)(repo).map_err(|problem| Problem::new(format!("{}: {problem}", step.name)))?;
        let seconds = since.elapsed().as_secs_f64();
        match done {
            Done::Passed => println!("   {} passed in {seconds:.1} s", step.name),
            Done::LeftOut(why) => {
                println!("   {} LEFT OUT: {why}", step.name);
                left_out.push(step.name);
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    match left_out.as_slice() {
        [] => println!("── all passed in {seconds:.1} s"),
        names => println!("── passed in {seconds:.1} s, left out: {}", names.join(", ")),
    }
    Ok(())
}
