//! Every published crate packs.
//!
//! All are packed in one call: cargo then takes the siblings that no registry has yet from the packages it has just made.
//! They are not built from there, since clippy and the tests have compiled the same sources. Offline, once all that the lock
//! names is there: asking the registry anew takes ten times as long as packing.

use std::process::Command;

use crate::{
    ci::{Done, tools},
    problem::Problem,
    repo::Repo,
    run,
};

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    let metadata = repo.metadata()?;
    let unpublished = metadata
        .packages
        .iter()
        .filter(|package| package.publish.as_ref().is_some_and(Vec::is_empty))
        .flat_map(|package| ["--exclude", package.name.as_str()]);
    tools::fetch(repo)?;
    run::must(
        Command::new("cargo")
            .current_dir(repo.root())
            .args([
                "package",
                "--quiet",
                "--workspace",
                "--no-verify",
                "--allow-dirty",
                "--locked",
                "--offline",
            ])
            .args(unpublished),
    )?;
    Ok(Done::Passed)
}
