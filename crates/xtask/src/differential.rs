//! `cargo xtask differential`: whatever our verifier accepts, jsonwebtoken accepts with the same claims.
//!
//! The program is `benches/peers/differential`; what we alone may accept stands there in `exceptions.csv`.

use std::process::Command;

use crate::{peer, problem::Problem, repo::Repo, run};

pub(crate) fn run(repo: &Repo, cases: &str, seed: Option<&str>) -> Result<(), Problem> {
    let cases = run::number(cases, "the number of tokens")?;
    let seed = seed.map_or(Ok(1), |seed| run::number(seed, "the seed"))?;
    // Its lock follows the workspace's dependencies, which change without that lock being told.
    let program = peer::build(repo, "differential", &[])?;
    run::must(Command::new(program).args([cases.to_string(), seed.to_string()]))
}
