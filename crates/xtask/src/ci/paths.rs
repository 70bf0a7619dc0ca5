//! What the project's documents point at is there.
//!
//! Every path in code quotes in README.md and below docs/ exists. In a table, the names quoted after a path in the same cell
//! stand in that file: so README's “where is …” table and the threat model's tests stay true when code moves.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{ci::Done, problem::Problem, repo::Repo};

/// The heading whose table README must have.
const WHERE_IS: &str = "## Where is …";

/// A quoted text that starts with one of these is a path of the repository.
const TOP: [&str; 8] = [".cargo/", ".ci/", ".config/", "benches/", "crates/", "docs/", "examples/", "tests/"];

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    let readme = repo.read("README.md")?;
    if where_is_rows(&readme).next().is_none() {
        return Err(Problem::new(format!("README.md has no table below `{WHERE_IS}`")));
    }
    let mut findings: Vec<String> = where_is_rows(&readme)
        .filter(|row| !spans(row).any(is_path))
        .map(|row| format!("README.md: a row says where nothing is: {row}"))
        .collect();
    for document in documents(repo)? {
        let text = repo.read(&document)?;
        findings
            .extend(missing(repo, &text).into_iter().map(|what| format!("{}: {what}", document.display())));
    }
    Problem::unless_empty("a document points at what is not there", &findings)?;
    Ok(Done::Passed)
}

/// README.md and every Markdown file below docs/.
fn documents(repo: &Repo) -> Result<Vec<PathBuf>, Problem> {
    let mut found = vec![PathBuf::from("README.md")];
    let mut folders = vec![repo.root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| Problem::at(&folder, &error))? {
            let path = entry.map_err(|error| Problem::at(&folder, &error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path.strip_prefix(repo.root()).unwrap_or(&path).to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn where_is_rows(readme: &str) -> impl Iterator<Item = &str> {
    readme
        .lines()
        .skip_while(|line| !line.starts_with(WHERE_IS))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with('|'))
        // The head and the rule below it.
        .skip(2)
}

fn missing(repo: &Repo, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for line in outside_fences(text) {
        if !line.starts_with('|') {
            findings
                .extend(spans(line).filter(|span| is_path(span)).filter_map(|path| not_there(repo, path)));
            continue;
        }
        for cell in line.split('|') {
            let mut file = None;
            for span in spans(cell) {
                if is_path(span) {
                    findings.extend(not_there(repo, span));
                    file = Some(span);
                } else if let Some(file) = file {
                    findings.extend(not_in(repo, file, span));
                }
            }
        }
    }
    findings
}

/// The lines that are no part of a fenced block.
fn outside_fences(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

/// The texts in code quotes on one line.
fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// A pattern or a placeholder is no path.
fn is_path(span: &str) -> bool {
    TOP.iter().any(|top| span.starts_with(top)) && !span.contains(['*', '<', ' ', '…'])
}

fn not_there(repo: &Repo, path: &str) -> Option<String> {
    let escapes = Path::new(path).components().any(|part| part.as_os_str() == "..");
    (escapes || !repo.root().join(path).exists()).then(|| format!("`{path}` does not exist"))
}

/// A name is looked for by its last piece, as a whole word: `Verifier::verify` by `verify`.
fn not_in(repo: &Repo, file: &str, name: &str) -> Option<String> {
    let last = name.rsplit("::").next().unwrap_or(name).trim_end_matches("()");
    let is_name = !last.is_empty() && last.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || repo.root().join(file).is_dir() {
        return None;
    }
    // A file that is missing is a finding of its own.
    let text = repo.read(file).ok()?;
    let stands = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|word| word == last);
    (!stands).then(|| format!("`{name}` is not in `{file}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repo_with(files: &[(&str, &str)]) -> (tempfile::TempDir, Repo) {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, text).expect("a file");
        }
        let repo = Repo::at(folder.path());
        (folder, repo)
    }

    const README: &str = "# x\n\n## Where is …\n\n| what | where |\n|---|---|\n";

    fn findings(row: &str) -> String {
        let (_folder, repo) = repo_with(&[
            ("README.md", &format!("{README}{row}\n\n## Next\n\n| `a` | b |\n")),
            ("docs/ARCHITECTURE.md", "plain"),
            ("crates/a/src/lib.rs", "impl Verifier { pub fn verify_all() {} }"),
        ]);
        run(&repo).map_or_else(|problem| problem.to_string(), |_| "passed".to_owned())
    }

    #[test]
    fn a_row_whose_path_and_names_exist_passes() {
        assert_eq!(findings("| x | `crates/a/src/lib.rs` `Verifier::verify_all` |"), "passed");
        assert_eq!(findings("| x | `crates/a` |"), "passed");
    }

    #[test]
    fn a_path_that_is_gone_is_named() {
        assert!(
            findings("| x | `crates/a/src/gone.rs` |")
                .ends_with("README.md: `crates/a/src/gone.rs` does not exist")
        );
        assert!(findings("| x | `crates/../../etc` |").ends_with("does not exist"));
    }

    #[test]
    fn a_name_that_is_gone_is_named() {
        let found = findings("| x | `crates/a/src/lib.rs` `Verifier::verify` |");
        assert!(found.ends_with("`Verifier::verify` is not in `crates/a/src/lib.rs`"), "{found}");
    }

    #[test]
    fn a_row_without_a_path_is_refused() {
        assert!(findings("| x | somewhere |").contains("a row says where nothing is"));
    }

    #[test]
    fn a_readme_without_the_table_is_refused() {
        let (_folder, repo) = repo_with(&[("README.md", "# x\n"), ("docs/a.md", "")]);
        assert!(run(&repo).is_err());
    }

    #[test]
    fn prose_below_docs_is_checked_and_fenced_blocks_are_not() {
        let good = format!("{README}| x | `crates/a` |\n");
        let prose = "see `crates/a` and `crates/*/src` and\n```text\n`crates/none`\n```\nand `docs/none.md`";
        let (_folder, repo) =
            repo_with(&[("README.md", &good), ("docs/deep/a.md", prose), ("crates/a/x", "")]);
        let problem = run(&repo).expect_err("one path is missing").to_string();
        assert_eq!(problem.lines().count(), 2, "{problem}");
        assert!(problem.ends_with("docs/deep/a.md: `docs/none.md` does not exist"), "{problem}");
    }
}
