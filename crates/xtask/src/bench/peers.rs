//! `cargo xtask bench --peers tokens|rbac`: ours beside other people's libraries, in programs of their own.
//!
//! Every library stands in a workspace and a lock of its own below `benches/peers`, so that none of what they bring gets near
//! ours. They are measured as child processes in turns, ours before each of theirs, all with the same input; what is
//! compared is each time divided by that of a yardstick, which every program measures beside its cases.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    Case,
    compare::{self, Runs},
    read,
};
use crate::{peer::build, problem::Problem, repo::Repo, run};

/// What is compared: our program and everybody else's, which all print the same cases.
struct Set {
    name: &'static str,
    ours: Source,
    /// How ours are called, each with the words that its program is given after the input.
    variants: &'static [Variant],
    peers: &'static [Peer],
    /// What the yardstick is called where it is shown beside the others, as something that one could use instead of them.
    yardstick: Option<&'static str>,
}

/// A folder below `benches/peers`, and the words after the input of its program.
type Source = &'static str;
type Variant = (&'static str, &'static [&'static str]);

/// Somebody else's library.
struct Peer {
    folder: Source,
    /// One for each way to use it; none when there is one way, which is called like the folder.
    variants: &'static [Variant],
    /// What its build wants beside Rust and a C compiler.
    wants: Option<&'static str>,
}

impl Peer {
    /// One that is used in one way.
    const fn plain(folder: Source) -> Self {
        Self { folder, variants: &[], wants: None }
    }
}

const SETS: [Set; 2] = [
    Set {
        name: "tokens",
        ours: "bartizan",
        variants: &[("ours on ring", &["ring"]), ("ours on aws-lc", &["aws-lc"])],
        peers: &[
            Peer::plain("jsonwebtoken-aws-lc-rs"),
            Peer::plain("jsonwebtoken-rust-crypto"),
            Peer {
                folder: "jwt-simple",
                variants: &[],
                wants: Some("Debian's cmake, g++ and libclang-dev (it builds BoringSSL)"),
            },
            Peer { folder: "josekit", variants: &[], wants: Some("Debian's libssl-dev and pkg-config") },
            Peer::plain("oxitoken"),
        ],
        yardstick: None,
    },
    Set {
        name: "rbac",
        ours: "bartizan-rbac",
        variants: &[("ours", &[])],
        peers: &[
            Peer {
                folder: "casbin",
                variants: &[("casbin", &["plain"]), ("casbin-cached", &["cached"])],
                wants: None,
            },
            Peer {
                folder: "cedar-policy",
                variants: &[("cedar", &["one-policy"]), ("cedar-policy-a-role", &["policy-a-role"])],
                wants: None,
            },
            Peer {
                folder: "gatehouse",
                variants: &[("gatehouse", &["rbac-policy"]), ("gatehouse-predicate", &["predicate"])],
                wants: None,
            },
            Peer::plain("role-system"),
            Peer::plain("regorus"),
        ],
        yardstick: Some("maps"),
    },
];

/// How often every program runs; one run measures each of its cases some dozen times.
const ROUNDS: usize = 15;
const QUICK_ROUNDS: usize = 3;

/// A program that is built, and how it is called in tables.
#[derive(Clone)]
struct Program {
    name: String,
    path: PathBuf,
    arguments: Vec<String>,
}

/// Measures everybody, prints a table and the lines, and answers what a chart shows.
pub(super) fn measure(repo: &Repo, what: &str, quick: bool) -> Result<Vec<Case>, Problem> {
    let Some(set) = SETS.iter().find(|set| set.name == what) else {
        let names: Vec<&str> = SETS.iter().map(|set| set.name).collect();
        return Err(Problem::new(format!("there are peers for {}, not for `{what}`", names.join(" and "))));
    };
    // Ours follows the workspace's dependencies, which change without its lock being told; that of a peer is what was compared.
    let path = build(repo, set.ours, &[])?;
    let input = repo.root().join(format!("target/peers/{what}.input"));
    run::must(Command::new(&path).arg("prepare").arg(&input))?;
    let mut usable = Usable { input, skipped: Vec::new(), notes: Vec::new() };
    let ours = usable.keep(&path, set.ours, set.variants);
    let mut peers = Vec::new();
    for Peer { folder, variants, wants } in set.peers {
        let hint = wants.map(|wants| format!("; it wants {wants}")).unwrap_or_default();
        match build(repo, folder, &["--locked"]) {
            Ok(path) => peers.extend(usable.keep(&path, folder, variants)),
            Err(problem) => usable.skipped.push(format!("{folder}: {problem}{hint}")),
        }
    }
    if ours.is_empty() || peers.is_empty() {
        return Problem::unless_empty("there is nothing to compare", &usable.skipped).map(|()| Vec::new());
    }
    let rounds = if quick { QUICK_ROUNDS } else { ROUNDS };
    println!("── {rounds} rounds of {} programs", ours.len() + peers.len());
    let runs = in_turns(&ours, &peers, rounds)?;
    let names: Vec<&str> = ours.iter().map(|program| program.name.as_str()).collect();
    let cases = compare::report(&runs, &names, set.yardstick);
    for note in &usable.notes {
        println!("NOTE {note}");
    }
    for reason in &usable.skipped {
        println!("SKIPPED {reason}");
    }
    Ok(cases)
}

/// Programs that accept and refuse what they must, and those that do not.
struct Usable {
    input: PathBuf,
    skipped: Vec<String>,
    notes: Vec<String>,
}

impl Usable {
    /// Runs each variant a first time, which also shows that it does the work.
    fn keep(&mut self, path: &Path, folder: Source, variants: &'static [Variant]) -> Vec<Program> {
        let one_way = [(folder, &[][..])];
        let variants = if variants.is_empty() { &one_way } else { variants };
        let mut programs = Vec::new();
        for (name, words) in variants {
            let input = [self.input.to_string_lossy().into_owned()];
            let arguments = input.into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect();
            let program = Program { name: (*name).to_owned(), path: path.to_owned(), arguments };
            match once(&program) {
                Ok(said) => {
                    self.notes.extend(said.notes.into_iter().map(|note| format!("{name}: {note}")));
                    programs.push(program);
                }
                Err(problem) => self.skipped.push(format!("{name}: {problem}")),
            }
        }
        programs
    }
}

/// What a program printed.
#[derive(Debug, Default)]
struct Said {
    cases: Vec<Case>,
    /// What a reader has to know of a library, beside its times.
    notes: Vec<String>,
}

/// Every program as often, ours right before each of theirs.
fn in_turns(ours: &[Program], peers: &[Program], rounds: usize) -> Result<Runs, Problem> {
    let mut runs = Runs::default();
    for round in 0..rounds {
        for peer in peers {
            let mut turn = BTreeMap::new();
            for program in ours.iter().chain([peer]) {
                turn.insert(program.name.clone(), once(program)?.cases);
            }
            runs.add(turn);
        }
        println!("   round {} of {rounds}", round + 1);
    }
    Ok(runs)
}

/// One run of a program. A case that it cannot do has no values.
fn once(program: &Program) -> Result<Said, Problem> {
    let output = Command::new(&program.path)
        .args(&program.arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Problem::at(&program.path, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Problem::new(format!("it failed: {said}")));
    }
    let mut said = Said::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(rest) = line.strip_prefix("BENCH ") {
            said.cases.push(read(rest)?);
        } else if let Some(rest) = line.strip_prefix("CANNOT ") {
            let name = rest.split_whitespace().next().unwrap_or_default().to_owned();
            said.cases.push(Case { name, values: Vec::new() });
        } else if let Some(note) = line.strip_prefix("NOTE ") {
            said.notes.push(note.to_owned());
        } else {
            return Err(Problem::new(format!("it printed what is no line of a bench: {line}")));
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_program_of_its_name() {
        let folders = |set: &'static Set| set.peers.iter().map(|peer| peer.folder).chain([set.ours]);
        for folder in SETS.iter().flat_map(folders) {
            let manifest =
                Repo::here().read(format!("benches/peers/{folder}/Cargo.toml")).expect("a manifest");
            assert!(manifest.contains(&format!("name = \"peer-{folder}\"")), "{folder}");
        }
    }

    #[test]
    fn a_program_that_fails_is_a_problem_with_its_own_words() {
        let program = |script: &str| Program {
            name: "sh".to_owned(),
            path: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
        };
        let problem = once(&program("echo it accepts an expired token >&2; exit 1")).expect_err("it failed");
        assert!(problem.to_string().contains("it accepts an expired token"), "{problem}");
        assert!(once(&program("echo hello")).is_err());
        let script = "echo BENCH a ns=2 yardstick_ns=1; echo CANNOT b no key; echo NOTE it is slow";
        let said = once(&program(script)).expect("cases");
        assert_eq!(said.cases.iter().map(|case| case.values.len()).collect::<Vec<_>>(), [2, 0]);
        assert_eq!(said.notes, ["it is slow"]);
    }

    #[test]
    fn there_are_no_peers_for_what_is_no_set() {
        assert!(measure(&Repo::here(), "fields", true).is_err());
    }
}
