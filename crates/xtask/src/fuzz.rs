//! `cargo xtask fuzz`: every fuzz target for so many seconds each.

use std::process::Command;

use crate::{problem::Problem, repo::Repo, run};

pub(crate) fn run(repo: &Repo, seconds: &str, targets: &[&str]) -> Result<(), Problem> {
    let seconds = run::number(seconds, "the time of a fuzz target, in seconds,")?;
    let folder = repo.root().join("fuzz");
    if !folder.is_dir() {
        return Err(Problem::new("there is no folder fuzz/, so there is nothing to fuzz yet"));
    }
    if !run::answers("cargo", &["+nightly", "fuzz", "--version"]) {
        return Err(Problem::new(
            "fuzzing needs a nightly toolchain and `cargo install --locked cargo-fuzz`",
        ));
    }
    let fuzz = |words: &[&str]| {
        let mut command = Command::new("cargo");
        command.current_dir(&folder).args(["+nightly", "fuzz"]).args(words);
        command
    };
    let known = run::output(&mut fuzz(&["list"]))?;
    let known: Vec<&str> = known.lines().collect();
    if let Some(unknown) = targets.iter().find(|target| !known.contains(target)) {
        return Err(Problem::new(format!(
            "there is no fuzz target `{unknown}`; there are {}",
            known.join(", ")
        )));
    }
    let limit = format!("-max_total_time={seconds}");
    for target in known.iter().filter(|target| targets.is_empty() || targets.contains(target)) {
        println!("── {target}: {seconds} s");
        // A target that takes over 2 GiB, or 10 s for one input, has found something too.
        run::must(&mut fuzz(&["run", target, "--", &limit, "-rss_limit_mb=2048", "-timeout=10"]))?;
    }
    Ok(())
}
