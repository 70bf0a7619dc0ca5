//! `cargo xtask test`: every test once.
//!
//! A test that needs a server stands in a test target with `required-features = ["servers"]`, in a package with an empty
//! feature of that name. So a plain run does not even build it, and `--servers` builds and runs it after its servers are up.
//! Such a test fails when the variable that should say where its server listens is missing: it never skips itself.

use std::process::Command;

use crate::{problem::Problem, repo::Repo, run, services};

const FEATURE: &str = "servers";

/// What was asked for on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options<'w> {
    servers: bool,
    packages: Vec<&'w str>,
}

pub(crate) fn run(repo: &Repo, words: &[&str]) -> Result<(), Problem> {
    let options = read(words)?;
    if !options.servers {
        return tests(repo, &options, &[], &[]);
    }
    let features = features(repo, &options)?;
    // Stopped when it is dropped, also after a failure.
    let running = services::start_privately(repo)?;
    tests(repo, &options, &features, &running.environment())
}

fn read<'w>(words: &[&'w str]) -> Result<Options<'w>, Problem> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (*word, words.as_slice().first()) {
            ("--servers", _) => options.servers = true,
            ("-p", Some(package)) => {
                options.packages.push(package);
                words.next();
            }
            _ => return Err(Problem::new("usage: cargo xtask test [--servers] [-p PACKAGE]…")),
        }
    }
    Ok(options)
}

/// The packages with tests that need servers, as cargo wants their feature named.
fn features(repo: &Repo, options: &Options<'_>) -> Result<Vec<String>, Problem> {
    let features: Vec<String> = repo
        .metadata()?
        .packages
        .iter()
        .filter(|package| options.packages.is_empty() || options.packages.contains(&package.name.as_str()))
        .filter(|package| package.features.contains_key(FEATURE))
        .map(|package| format!("{}/{FEATURE}", package.name))
        .collect();
    if features.is_empty() {
        return Err(Problem::new("no package of these has a test that needs a server"));
    }
    Ok(features)
}

fn tests(
    repo: &Repo,
    options: &Options<'_>,
    features: &[String],
    environment: &[(&'static str, String)],
) -> Result<(), Problem> {
    let cargo = |words: &[&str]| {
        let mut command = Command::new("cargo");
        command.current_dir(repo.root()).args(words).arg("--locked");
        if options.packages.is_empty() {
            command.arg("--workspace");
        }
        command.args(options.packages.iter().flat_map(|package| ["-p", package]));
        if !features.is_empty() {
            command.args(["--features", &features.join(",")]);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
    };
    if options.packages.is_empty() || has_library(repo, options)? {
        run::must(&mut cargo(&["test", "--doc"]))?;
    }
    if run::answers("cargo", &["nextest", "--version"]) {
        run::must(&mut cargo(&["nextest", "run"]))
    } else {
        run::must(&mut cargo(&["test", "--lib", "--bins", "--tests", "--examples"]))
    }
}

/// Whether there is something to test in the documentation; cargo fails when there is not.
fn has_library(repo: &Repo, options: &Options<'_>) -> Result<bool, Problem> {
    let metadata = repo.metadata()?;
    let mut chosen =
        metadata.packages.iter().filter(|package| options.packages.contains(&package.name.as_str()));
    Ok(chosen.any(|package| package.targets.iter().any(|target| target.is_lib())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_anything_else_is_refused() {
        assert_eq!(read(&[]).expect("none"), Options::default());
        let some = read(&["-p", "a", "--servers", "-p", "b"]).expect("some");
        assert_eq!(some, Options { servers: true, packages: vec!["a", "b"] });
        for bad in [&["-p"][..], &["--server"], &["a"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_package_without_servers_is_a_clear_failure() {
        let options = Options { servers: true, packages: vec!["xtask"] };
        assert!(features(&Repo::here(), &options).is_err());
    }
}
