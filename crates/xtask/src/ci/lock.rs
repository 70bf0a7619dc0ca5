//! The locks: committed, current, and without what the house bans.

use std::{collections::BTreeMap, process::Command};

use serde::Deserialize;

use crate::{ci::Done, problem::Problem, repo::Repo, run};

/// The workspace's lock, and that of the fuzz targets, which stand outside it.
const LOCKS: [&str; 2] = ["Cargo.lock", "fuzz/Cargo.lock"];

/// What the project never builds, and why.
const BANNED: [(&str, &str); 5] = [
    ("rsa", "its decryption leaks through timing (RUSTSEC-2023-0071)"),
    ("openssl-sys", "no OpenSSL: primitives come from the provider crates"),
    ("boring-sys", "no BoringSSL: primitives come from the provider crates"),
    ("serde_yaml", "unmaintained"),
    ("sqlx-sqlite", "it links SQLite a second time; SQLite goes through rusqlite"),
];

/// What may stand in the lock in one version only, and why.
const ONCE: [(&str, &str); 1] = [("libsqlite3-sys", "two SQLites in one program do not share locks")];

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    /// None for the workspace's own crates.
    source: Option<String>,
}

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    for lock in LOCKS {
        Problem::unless_empty(&format!("{lock} holds what it must not"), &check(&repo.read(lock)?)?)?;
        run::output(Command::new("git").current_dir(repo.root()).args(["ls-files", "--error-unmatch", lock]))
            .map_err(|_| Problem::new(format!("{lock} is not committed")))?;
        // Fails when a manifest asks for what the lock does not say. A `cargo xtask` from a stale lock has already mended the
        // workspace's on disk, so .ci/run asks the same before its first one.
        let manifest = lock.replace("Cargo.lock", "Cargo.toml");
        run::output(
            Command::new("cargo")
                .current_dir(repo.root())
                .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
                .arg(manifest),
        )
        .map_err(|_| Problem::new(format!("{lock} is out of date: commit what cargo makes of it")))?;
    }
    Ok(Done::Passed)
}

fn check(lock: &str) -> Result<Vec<String>, Problem> {
    let lock: Lock =
        toml::from_str(lock).map_err(|error| Problem::new(format!("a lock cannot be read: {error}")))?;
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &lock.package {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let banned = BANNED
        .iter()
        .filter(|(name, _)| versions.contains_key(name))
        .map(|(name, why)| format!("{name}: {why}"));
    let twice = ONCE.iter().filter_map(|(name, why)| {
        let versions = versions.get(name).filter(|versions| versions.len() > 1)?;
        Some(format!("{name} in versions {}: {why}", versions.join(" and ")))
    });
    let elsewhere = lock
        .package
        .iter()
        .filter(|package| package.source.as_ref().is_some_and(|source| !source.starts_with("registry+")))
        .map(|package| format!("{}: comes from elsewhere than a registry", package.name));
    Ok(banned.chain(twice).chain(elsewhere).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(packages: &[(&str, &str)]) -> Vec<String> {
        let lock: String = packages
            .iter()
            .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n"))
            .collect();
        check(&format!("version = 4\n\n{lock}")).expect("a lock")
    }

    #[test]
    fn a_lock_with_one_sqlite_passes() {
        assert_eq!(findings(&[("libsqlite3-sys", "0.35.0"), ("rsa-like", "1.0.0")]), Vec::<String>::new());
    }

    #[test]
    fn rsa_is_refused() {
        let findings = findings(&[("ring", "0.17.14"), ("rsa", "0.9.8")]);
        assert_eq!(findings, ["rsa: its decryption leaks through timing (RUSTSEC-2023-0071)"]);
    }

    #[test]
    fn a_second_sqlite_is_refused() {
        let findings = findings(&[("libsqlite3-sys", "0.30.1"), ("libsqlite3-sys", "0.35.0")]);
        assert_eq!(
            findings,
            ["libsqlite3-sys in versions 0.30.1 and 0.35.0: two SQLites in one program do not share locks"]
        );
    }

    #[test]
    fn asvs_15_2_4_every_dependency_comes_from_a_registry() {
        let lock = Repo::here().read("Cargo.lock").expect("the lock");
        assert_eq!(check(&lock).expect("a lock"), Vec::<String>::new());
        let from_git =
            "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"git+https://example.invalid/a\"\n";
        assert_eq!(check(from_git).expect("a lock"), ["a: comes from elsewhere than a registry"]);
    }

    #[test]
    fn a_file_that_is_no_lock_is_a_problem_and_no_pass() {
        assert!(check("").is_err());
        assert!(check("[[package]]\nname = 1").is_err());
    }
}
