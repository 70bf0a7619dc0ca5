//! The project's own commands: `cargo xtask`.
//!
//! Each command is a file of its name. What fails says what to do about it, in one sentence, and the exit code is not 0.

#![forbid(unsafe_code)]

mod asvs;
mod bench;
mod ci;
mod differential;
mod fuzz;
mod peer;
mod problem;
mod repo;
mod run;
mod services;
mod test;

use std::process::{Command, ExitCode};

use crate::{problem::Problem, repo::Repo};

const USAGE: &str = "\
cargo xtask ci [--list] [STEP…]      what a change must pass, beside the tests; or some steps of it
cargo xtask STEP                     one step: floors, paths, size, …
cargo xtask test [-p PACKAGE…]       every test that needs nothing installed, doc tests included
cargo xtask test --servers           every test; the servers they need are started privately and stopped again
cargo xtask services install|up|down|status [NAME…]
                                     the servers of the tests: install them (Debian, as root), keep them running by hand
cargo xtask bench [--quick] [--plot] runs the benches; --plot draws target/bench.svg too
cargo xtask bench --peers tokens|rbac [--quick] [--plot]
                                     ours beside other people's libraries, which are built on demand (minutes)
cargo xtask crash-loop N             kills a writer of the audit log N times and checks what is left
cargo xtask histories N              shows N random histories of each kind to the store of sessions in memory
cargo xtask worlds N                 asks N random policies forty questions each, beside a naive reading of them
cargo xtask differential N [SEED]    shows N changed tokens, and every named attack, to us and to jsonwebtoken
cargo xtask fuzz SECONDS [TARGET…]   runs every fuzz target for so long (needs nightly and cargo-fuzz)
cargo xtask asvs                     writes docs/asvs.md: which requirements have a test that proves them
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\nxtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> Result<(), Problem> {
    let repo = Repo::here();
    match words {
        ["ci", "--list"] => {
            ci::list();
            Ok(())
        }
        ["ci", steps @ ..] => ci::run(&repo, steps),
        ["test", options @ ..] => test::run(&repo, options),
        ["services", verb, names @ ..] => services::run(&repo, verb, names),
        ["bench", options @ ..] => bench::run(&repo, options),
        ["crash-loop", count] => crash_loop(&repo, count),
        ["histories", count] => histories(&repo, count),
        ["worlds", count] => worlds(&repo, count),
        ["differential", cases] => differential::run(&repo, cases, None),
        ["differential", cases, seed] => differential::run(&repo, cases, Some(seed)),
        ["fuzz", seconds, targets @ ..] => fuzz::run(&repo, seconds, targets),
        ["asvs"] => asvs::write(&repo),
        [step] if ci::is_step(step) => ci::run(&repo, &[step]),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(Problem::new(format!("this is no command of cargo xtask\n\n{USAGE}"))),
    }
}

/// In memory alone. On servers: their packages' tests `histories`, with `BARTIZAN_TEST_HISTORIES=N`.
fn histories(repo: &Repo, count: &str) -> Result<(), Problem> {
    let count = run::number(count, "the number of histories")?;
    run::must(Command::new("cargo").current_dir(repo.root()).args([
        "run",
        "--locked",
        "--release",
        "-p",
        "bartizan-sessions",
        "--features",
        "conformance",
        "--example",
        "histories",
        "--",
        &count.to_string(),
    ]))
}

fn worlds(repo: &Repo, count: &str) -> Result<(), Problem> {
    let count = run::number(count, "the number of worlds")?;
    run::must(
        Command::new("cargo").current_dir(repo.root()).env("BARTIZAN_TEST_WORLDS", count.to_string()).args([
            "test",
            "--locked",
            "--release",
            "-p",
            "bartizan-rbac",
            "--test",
            "main",
            "whole::compiled_answers",
        ]),
    )
}

fn crash_loop(repo: &Repo, count: &str) -> Result<(), Problem> {
    let count = run::number(count, "the number of crashes")?;
    run::must(Command::new("cargo").current_dir(repo.root()).args([
        "run",
        "--locked",
        "-p",
        "bartizan-audit",
        "--example",
        "crash_loop",
        "--",
        &count.to_string(),
    ]))
}
