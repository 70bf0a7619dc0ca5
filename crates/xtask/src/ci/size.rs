//! No source file has over 600 lines.

use std::path::Path;

use crate::{ci::Done, problem::Problem, repo::Repo};

/// The house aims at 250 lines a file and stops here.
const MOST_LINES: usize = 600;

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    let mut findings = Vec::new();
    for source in repo.sources()? {
        findings.extend(too_long(&source, &repo.read(&source)?));
    }
    Problem::unless_empty(
        "a file has over 600 lines: split it by nouns, and move long tests to a `tests.rs`",
        &findings,
    )?;
    Ok(Done::Passed)
}

fn too_long(source: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| format!("{}: {lines} lines", source.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_at_the_exact_line() {
        let path = Path::new("crates/x/src/lib.rs");
        assert_eq!(too_long(path, &"x\n".repeat(600)), None);
        assert_eq!(too_long(path, &"x\n".repeat(601)).as_deref(), Some("crates/x/src/lib.rs: 601 lines"));
        assert_eq!(too_long(path, &format!("{}x", "x\n".repeat(599))), None, "the last line without its end");
    }

    #[test]
    fn sources_are_found_and_what_is_built_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in
            ["crates/a/src/lib.rs", "target/debug/x.rs", "a/node_modules/y.mjs", ".ci/run", "notes.md"]
        {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, "x\n".repeat(601)).expect("a file");
        }
        let problem = run(&Repo::at(folder.path())).expect_err("two files are too long").to_string();
        assert!(problem.ends_with("\n  .ci/run: 601 lines\n  crates/a/src/lib.rs: 601 lines"), "{problem}");
    }
}
