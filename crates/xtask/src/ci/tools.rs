//! The steps that are one call of another program.

use std::process::Command;

use crate::{ci::Done, peer, problem::Problem, repo::Repo, run};

/// The workspace, and what stands outside it: the fuzz targets and the programs of the peers.
pub(crate) fn fmt(repo: &Repo) -> Result<Done, Problem> {
    run::must(cargo(repo).args(["fmt", "--all", "--check"]))?;
    for manifest in ["fuzz/Cargo.toml".into()].into_iter().chain(peer::manifests(repo)?) {
        run::must(cargo(repo).args(["fmt", "--check", "--manifest-path"]).arg(manifest))?;
    }
    Ok(Done::Passed)
}

/// Nobody else notices when a change of a parser's signature leaves its fuzz target behind.
pub(crate) fn fuzz_targets(repo: &Repo) -> Result<Done, Problem> {
    if !run::answers("c++", &["--version"]) {
        return Ok(Done::LeftOut("there is no C++ compiler, which libfuzzer wants"));
    }
    // The workspace's target folder, so that dependencies of the same version are checked once.
    let target = repo.metadata()?.target_directory;
    passed(
        cargo(repo)
            .args(["check", "--manifest-path", "fuzz/Cargo.toml", "--locked", "--target-dir"])
            .arg(target.as_std_path()),
    )
}

pub(crate) fn clippy(repo: &Repo) -> Result<Done, Problem> {
    passed(cargo(repo).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

pub(crate) fn docs(repo: &Repo) -> Result<Done, Problem> {
    passed(
        cargo(repo)
            .args(["doc", "--workspace", "--no-deps", "--all-features", "--locked"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

/// Offline: the advisories of cargo-deny would need a clone of their database, so they are not asked for.
pub(crate) fn deny(repo: &Repo) -> Result<Done, Problem> {
    if !run::answers("cargo", &["deny", "--version"]) {
        return Ok(Done::LeftOut("cargo-deny is not installed (cargo install --locked cargo-deny)"));
    }
    fetch(repo)?;
    passed(cargo(repo).args(["deny", "--offline", "--locked", "check", "bans", "licenses", "sources"]))
}

pub(crate) fn scripts(repo: &Repo) -> Result<Done, Problem> {
    for source in repo.sources()? {
        let program = match source.extension().and_then(|extension| extension.to_str()) {
            Some("sh") | None => "bash",
            Some("mjs") => "node",
            _ => continue,
        };
        if !run::answers(program, &["--version"]) {
            return Ok(Done::LeftOut("bash and node are not both installed"));
        }
        // Both know a mode that parses and runs nothing.
        let flag = if program == "bash" { "-n" } else { "--check" };
        run::must(Command::new(program).current_dir(repo.root()).arg(flag).arg(&source))?;
    }
    Ok(Done::Passed)
}

/// Downloads what the lock names and is not there yet.
pub(crate) fn fetch(repo: &Repo) -> Result<(), Problem> {
    run::must(cargo(repo).args(["fetch", "--quiet", "--locked"]))
}

fn passed(command: &mut Command) -> Result<Done, Problem> {
    run::must(command)?;
    Ok(Done::Passed)
}

fn cargo(repo: &Repo) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(repo.root());
    command
}
