//! Programs below `benches/peers`, each with a workspace and a lock of its own: built on demand, beside the workspace's targets.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{problem::Problem, repo::Repo};

/// The manifests of all of them, and of what they share.
pub(crate) fn manifests(repo: &Repo) -> Result<Vec<PathBuf>, Problem> {
    let folder = repo.root().join("benches/peers");
    let mut manifests = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| Problem::at(&folder, &error))? {
        let manifest = entry.map_err(|error| Problem::at(&folder, &error))?.path().join("Cargo.toml");
        if manifest.exists() {
            manifests.push(manifest);
        }
    }
    manifests.sort();
    Ok(manifests)
}

/// Builds a program, and says so when it takes long because it was never built.
pub(crate) fn build(repo: &Repo, folder: &str, options: &[&str]) -> Result<PathBuf, Problem> {
    let target = repo.root().join("target/peers");
    let binary = target.join("release").join(format!("peer-{folder}"));
    fs::create_dir_all(&target).map_err(|error| Problem::at(&target, &error))?;
    if !binary.exists() {
        println!("── building {folder}, which takes a minute or some");
    }
    let log = target.join(format!("{folder}.log"));
    let messages = File::create(&log).map_err(|error| Problem::at(&log, &error))?;
    let status = Command::new("cargo")
        .current_dir(repo.root())
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(format!("benches/peers/{folder}/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args(options)
        .stdin(Stdio::null())
        .stderr(messages)
        .status()
        .map_err(|error| Problem::new(format!("cargo did not start: {error}")))?;
    if status.success() {
        return Ok(binary);
    }
    Err(Problem::new(format!("it cannot be built ({}): {}", log.display(), first_error(&log))))
}

fn first_error(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("error")).or_else(|| text.lines().next());
    line.unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_a_workspace_and_a_lock_of_its_own() {
        let manifests = manifests(&Repo::here()).expect("manifests");
        assert!(manifests.len() >= 14, "{manifests:?}");
        for manifest in manifests {
            let text = fs::read_to_string(&manifest).expect("a manifest");
            assert!(text.contains("\n[workspace]\n"), "{}", manifest.display());
            // What they share is built as part of each.
            let has_lock = manifest.with_file_name("Cargo.lock").exists();
            assert!(has_lock || text.contains("name = \"peer-bench\""), "{}", manifest.display());
        }
    }
}
