//! `cargo xtask bench --peers tokens`: ours beside other people's libraries, in programs of their own.
//!
//! Every library stands in a workspace and a lock of its own below `benches/peers`, so that none of what they bring gets near
//! ours. They are measured as child processes in turns, ours before each of theirs, all with the same keys and tokens; what is
//! compared is each time divided by that of a yardstick, which every program measures beside its cases.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{
    Case,
    compare::{self, Runs},
    read,
};
use crate::{peer::build, problem::Problem, repo::Repo, run};

/// Somebody else's library.
struct Peer {
    folder: &'static str,
    /// What its build wants beside Rust and a C compiler.
    wants: Option<&'static str>,
}

const PEERS: [Peer; 5] = [
    Peer { folder: "jsonwebtoken-aws-lc-rs", wants: None },
    Peer { folder: "jsonwebtoken-rust-crypto", wants: None },
    Peer { folder: "jwt-simple", wants: Some("Debian's cmake, g++ and libclang-dev (it builds BoringSSL)") },
    Peer { folder: "josekit", wants: Some("Debian's libssl-dev and pkg-config") },
    Peer { folder: "oxitoken", wants: None },
];

/// The program with our side, and the providers that it is measured with.
const OURS: &str = "bartizan";
const PROVIDERS: [&str; 2] = ["ring", "aws-lc"];

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
    if what != "tokens" {
        return Err(Problem::new(format!("there are peers for `tokens` only, not for `{what}`")));
    }
    // Ours follows the workspace's dependencies, which change without its lock being told; that of a peer is what was compared.
    let ours = build(repo, OURS, &[])?;
    let input = repo.root().join("target/peers/input.json");
    run::must(Command::new(&ours).arg("prepare").arg(&input))?;
    let usable = |name: &str, path: PathBuf, arguments: &[&str]| {
        let mut arguments: Vec<String> = arguments.iter().map(|word| (*word).to_owned()).collect();
        arguments.insert(0, input.to_string_lossy().into_owned());
        let program = Program { name: name.to_owned(), path, arguments };
        // A first run, which also shows that it accepts and refuses what it must.
        once(&program).map(|_| program)
    };
    let mut skipped = Vec::new();
    let mut keep = |made, name: &str, hint: &str| match made {
        Ok(program) => Some(program),
        Err(problem) => {
            skipped.push(format!("{name}: {problem}{hint}"));
            None
        }
    };
    let ours: Vec<Program> = PROVIDERS
        .iter()
        .map(|provider| (format!("ours on {provider}"), provider))
        .filter_map(|(name, provider)| keep(usable(&name, ours.clone(), &[provider]), &name, ""))
        .collect();
    let mut peers = Vec::new();
    for Peer { folder, wants } in &PEERS {
        let hint = wants.map(|wants| format!("; it wants {wants}")).unwrap_or_default();
        match build(repo, folder, &["--locked"]) {
            Ok(path) => peers.extend(keep(usable(folder, path, &[]), folder, "")),
            Err(problem) => drop(keep(Err(problem), folder, &hint)),
        }
    }
    if ours.is_empty() || peers.is_empty() {
        return Problem::unless_empty("there is nothing to compare", &skipped).map(|()| Vec::new());
    }
    let rounds = if quick { QUICK_ROUNDS } else { ROUNDS };
    println!("── {rounds} rounds of {} programs", ours.len() + peers.len());
    let runs = in_turns(&ours, &peers, rounds)?;
    let cases = compare::report(&runs, &ours.iter().map(|program| program.name.as_str()).collect::<Vec<_>>());
    for reason in &skipped {
        println!("SKIPPED {reason}");
    }
    Ok(cases)
}

/// Every program as often, ours right before each of theirs.
fn in_turns(ours: &[Program], peers: &[Program], rounds: usize) -> Result<Runs, Problem> {
    let mut runs = Runs::default();
    for round in 0..rounds {
        for peer in peers {
            let mut turn = BTreeMap::new();
            for program in ours.iter().chain([peer]) {
                turn.insert(program.name.clone(), once(program)?);
            }
            runs.add(turn);
        }
        println!("   round {} of {rounds}", round + 1);
    }
    Ok(runs)
}

/// One run of a program: its cases, and why it has no others.
fn once(program: &Program) -> Result<Vec<Case>, Problem> {
    let output = Command::new(&program.path)
        .args(&program.arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Problem::at(&program.path, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Problem::new(format!("it failed: {said}")));
    }
    let mut cases = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(rest) = line.strip_prefix("BENCH ") {
            cases.push(read(rest)?);
        } else if let Some(rest) = line.strip_prefix("CANNOT ") {
            let name = rest.split_whitespace().next().unwrap_or_default().to_owned();
            cases.push(Case { name, values: Vec::new() });
        } else {
            return Err(Problem::new(format!("it printed what is no line of a bench: {line}")));
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_program_of_its_name() {
        for folder in PEERS.iter().map(|peer| peer.folder).chain([OURS]) {
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
        let cases = once(&program("echo BENCH a_verify ns=2 yardstick_ns=1; echo CANNOT b_verify no key"))
            .expect("cases");
        assert_eq!(cases.iter().map(|case| case.values.len()).collect::<Vec<_>>(), [2, 0]);
    }

    #[test]
    fn there_are_peers_for_tokens_only() {
        assert!(measure(&Repo::here(), "fields", true).is_err());
    }
}
