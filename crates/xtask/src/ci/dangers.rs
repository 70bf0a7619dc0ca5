//! Who may call what opens without a grant.
//!
//! Every `danger_` function has a row below that says where it is defined and who may call it. Tests may; nobody else
//! beside the crate that defines it and those named.

use std::path::Path;

use crate::{ci::Done, problem::Problem, repo::Repo};

struct Danger {
    name: &'static str,
    defined_in: &'static str,
    callers: Callers,
}

enum Callers {
    /// A program's own choice, which its name makes easy to find.
    Anyone,
    /// These folders alone.
    Only(&'static [&'static str]),
}

const DANGERS: [Danger; 17] = [
    Danger {
        name: "danger_open_uncovered",
        defined_in: "crates/envelope",
        callers: Callers::Only(&["crates/field-crypto", "crates/audit", "crates/secrets"]),
    },
    Danger {
        name: "danger_open_cell",
        defined_in: "crates/field-crypto",
        callers: Callers::Only(&["crates/cli"]),
    },
    Danger {
        name: "danger_expose_uncovered",
        defined_in: "crates/core",
        callers: Callers::Only(&["crates/field-crypto"]),
    },
    Danger { name: "danger_show_required", defined_in: "crates/http", callers: Callers::Anyone },
    Danger { name: "danger_unrecorded", defined_in: "crates/core", callers: Callers::Anyone },
    Danger { name: "danger_grace", defined_in: "crates/sessions", callers: Callers::Anyone },
    Danger {
        name: "danger_without_fsync",
        defined_in: "crates/backends/sessions-postgres",
        callers: Callers::Anyone,
    },
    Danger { name: "danger_weak", defined_in: "crates/passwords", callers: Callers::Anyone },
    Danger { name: "danger_without", defined_in: "crates/tokens", callers: Callers::Anyone },
    Danger { name: "danger_rsa_pkcs1", defined_in: "crates/tokens", callers: Callers::Anyone },
    Danger {
        name: "danger_public_from_certificate_pem",
        defined_in: "crates/tokens",
        callers: Callers::Anyone,
    },
    Danger {
        name: "danger_public_from_certificate_der",
        defined_in: "crates/tokens",
        callers: Callers::Anyone,
    },
    Danger {
        name: "danger_decode_header",
        defined_in: "crates/compat/jsonwebtoken",
        callers: Callers::Anyone,
    },
    Danger { name: "danger_loopback", defined_in: "crates/drivers/egress", callers: Callers::Anyone },
    Danger {
        name: "danger_lose_last_second",
        defined_in: "crates/backends/sessions-redis",
        callers: Callers::Anyone,
    },
    Danger {
        name: "danger_unchecked_persistence",
        defined_in: "crates/backends/sessions-redis",
        callers: Callers::Anyone,
    },
    // Of a URL in tokens and of a host in egress: it takes both.
    Danger { name: "danger_plain_http", defined_in: "crates/drivers/egress", callers: Callers::Anyone },
];

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    Problem::unless_empty("an opening without a grant is called from elsewhere", &findings(repo)?)?;
    Ok(Done::Passed)
}

fn findings(repo: &Repo) -> Result<Vec<String>, Problem> {
    let mut sources = Vec::new();
    for path in repo.sources()? {
        // This folder names them all and calls none.
        let looked_at = path.extension().is_some_and(|extension| extension == "rs")
            && !path.starts_with("crates/xtask")
            && !is_test(&path);
        if looked_at {
            let text = repo.read(&path)?;
            sources.push((path, text));
        }
    }
    let sources: Vec<(&Path, &str)> =
        sources.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
    Ok(check(&DANGERS, &sources))
}

fn check(dangers: &[Danger], sources: &[(&Path, &str)]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut defined: Vec<&str> = Vec::new();
    for (path, text) in sources {
        for (number, line) in code_lines(text) {
            for word in dangerous_words(line) {
                let at = || format!("{}:{number}", path.display());
                match dangers.iter().find(|danger| danger.name == word) {
                    None => findings
                        .push(format!("{}: `{word}` has no row in crates/xtask/src/ci/dangers.rs", at())),
                    Some(danger) if path.starts_with(danger.defined_in) => defined.push(danger.name),
                    Some(danger) if !danger.may_be_called_in(path) => {
                        findings.push(format!("{}: `{word}` may not be called here", at()));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    let ghosts = dangers.iter().filter(|danger| !defined.contains(&danger.name));
    findings
        .extend(ghosts.map(|danger| format!("`{}` is not defined in {}", danger.name, danger.defined_in)));
    findings
}

impl Danger {
    fn may_be_called_in(&self, path: &Path) -> bool {
        match self.callers {
            Callers::Anyone => true,
            Callers::Only(folders) => folders.iter().any(|folder| path.starts_with(folder)),
        }
    }
}

/// The lines above a file's unit tests that are no comment, with their numbers.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("\n#[cfg(test)]\nmod ").unwrap_or(text.len());
    text.get(..tests)
        .unwrap_or(text)
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
}

fn dangerous_words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| word.starts_with("danger_"))
}

/// Integration tests and unit tests in a file of their own.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DANGER: [Danger; 2] = [
        Danger { name: "danger_open", defined_in: "crates/low", callers: Callers::Only(&["crates/high"]) },
        Danger { name: "danger_easy", defined_in: "crates/low", callers: Callers::Anyone },
    ];

    const LOW: (&str, &str) = ("crates/low/src/lib.rs", "pub fn danger_open() {}\npub fn danger_easy() {}\n");

    fn with(path: &str, text: &str) -> Vec<String> {
        check(&DANGER, &[(Path::new(LOW.0), LOW.1), (Path::new(path), text)])
    }

    #[test]
    fn asvs_15_1_5_every_dangerous_function_is_listed_with_its_callers() {
        assert_eq!(findings(&Repo::here()).expect("sources"), Vec::<String>::new());
    }

    #[test]
    fn those_named_may_call() {
        assert_eq!(with("crates/high/src/a.rs", "low::danger_open();"), Vec::<String>::new());
        assert_eq!(with("crates/other/src/a.rs", "low::danger_easy();"), Vec::<String>::new());
    }

    #[test]
    fn nobody_else_may_call_in_whatever_form() {
        for call in ["x.danger_open()", "use low::danger_open as fine;", "let f = <T as Low>::danger_open;"] {
            let found = with("crates/higher/src/a.rs", &format!("//! x\n{call}\n"));
            assert_eq!(found, ["crates/higher/src/a.rs:2: `danger_open` may not be called here"], "{call}");
        }
    }

    #[test]
    fn comments_and_unit_tests_do_not_count() {
        let text = "/// Not `danger_open`.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    danger_open();\n}\n";
        assert_eq!(with("crates/other/src/a.rs", text), Vec::<String>::new());
        assert!(
            is_test(Path::new("crates/a/tests/main/b.rs")) && is_test(Path::new("crates/a/src/b/tests.rs"))
        );
        assert!(!is_test(Path::new("crates/a/src/attests.rs")));
    }

    #[test]
    fn a_danger_without_a_row_is_refused() {
        assert_eq!(with("crates/low/src/b.rs", "fn danger_new() {}").len(), 1);
    }

    #[test]
    fn a_row_whose_function_is_gone_is_refused() {
        let found = check(&DANGER, &[(Path::new(LOW.0), "pub fn danger_easy() {}")]);
        assert_eq!(found, ["`danger_open` is not defined in crates/low"]);
    }
}
