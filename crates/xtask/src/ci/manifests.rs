//! Every crate takes the workspace's lints, and every published one says what it is.
//!
//! A manifest without `[lints] workspace = true` silently loses `forbid(unsafe_code)` and all the rest.

use cargo_metadata::Package;
use toml::{Table, Value};

use crate::{ci::Done, problem::Problem, repo::Repo};

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    let workspace = table(&repo.read("Cargo.toml")?)?;
    let mut findings = Vec::new();
    if !forbids_unsafe_code(&workspace) {
        findings.push("Cargo.toml: the workspace does not forbid unsafe code".to_owned());
    }
    for package in repo.metadata()?.packages {
        let manifest = table(&repo.read(package.manifest_path.as_std_path())?)?;
        if !takes_lints(&manifest) {
            findings.push(format!("{}: add `[lints]` with `workspace = true`", package.name));
        }
        findings.extend(unsaid(&package).map(|what| format!("{}: says no {what}", package.name)));
    }
    Problem::unless_empty("a manifest is not complete", &findings)?;
    Ok(Done::Passed)
}

fn table(text: &str) -> Result<Table, Problem> {
    text.parse().map_err(|error| Problem::new(format!("a manifest cannot be read: {error}")))
}

fn forbids_unsafe_code(workspace: &Table) -> bool {
    let lint = ["workspace", "lints", "rust"]
        .iter()
        .try_fold(workspace, |table, name| table.get(*name)?.as_table())
        .and_then(|rust| rust.get("unsafe_code"));
    let level = lint.map(|lint| lint.get("level").unwrap_or(lint)).and_then(Value::as_str);
    level == Some("forbid")
}

fn takes_lints(manifest: &Table) -> bool {
    manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// What a published crate must say and does not.
fn unsaid(package: &Package) -> impl Iterator<Item = &'static str> {
    let published = package.publish.as_ref().is_none_or(|registries| !registries.is_empty());
    let has_page = package.manifest_path.with_file_name("README.md").exists();
    [
        (package.description.is_none(), "description"),
        (package.license.is_none(), "license"),
        (package.rust_version.is_none(), "rust-version"),
        (!has_page, "README.md"),
    ]
    .into_iter()
    .filter(move |(missing, _)| published && *missing)
    .map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asvs_1_4_1_every_crate_forbids_unsafe_code() {
        assert!(forbids_unsafe_code(
            &table(&Repo::here().read("Cargo.toml").expect("a manifest")).expect("TOML")
        ));
        for package in Repo::here().metadata().expect("cargo metadata").packages {
            let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest");
            assert!(takes_lints(&table(&manifest).expect("TOML")), "{}", package.name);
        }
    }

    #[test]
    fn a_weaker_level_and_a_missing_line_are_noticed() {
        let forbids = |text: &str| forbids_unsafe_code(&table(text).expect("TOML"));
        assert!(forbids("[workspace.lints.rust]\nunsafe_code = \"forbid\""));
        assert!(forbids("[workspace.lints.rust]\nunsafe_code = { level = \"forbid\", priority = 1 }"));
        assert!(!forbids("[workspace.lints.rust]\nunsafe_code = \"deny\""));
        assert!(!forbids("[workspace.lints.rust]\n"));
        let takes = |text: &str| takes_lints(&table(text).expect("TOML"));
        assert!(takes("[lints]\nworkspace = true"));
        assert!(!takes("[lints]\nworkspace = false") && !takes("[lints.rust]\n") && !takes(""));
    }
}
