//! `cargo xtask bench`: runs the benches, and draws what they measured.
//!
//! Beside the table for people they print one line a case: `BENCH <case> name=number …`. Names end in their unit: `_ns` a
//! call, `_per_s` a rate, `_allocs` heap allocations a call.

mod chart;
mod compare;
mod peers;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use crate::{problem::Problem, repo::Repo};

/// One measured case.
#[derive(Debug, PartialEq)]
struct Case {
    name: String,
    values: Vec<(String, f64)>,
}

impl Case {
    fn value(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(of, _)| of == name).map(|(_, value)| *value)
    }
}

/// What was asked for on the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options<'w> {
    quick: bool,
    plot: bool,
    peers: Option<&'w str>,
}

pub(crate) fn run(repo: &Repo, words: &[&str]) -> Result<(), Problem> {
    let options = options(words)?;
    let (cases, chart) = match options.peers {
        Some(what) => (peers::measure(repo, what, options.quick)?, "target/bench-peers.svg"),
        None => (measure(repo, options.quick)?, "target/bench.svg"),
    };
    if options.plot {
        let path = repo.root().join(chart);
        fs::create_dir_all(repo.root().join("target")).map_err(|error| Problem::at(&path, &error))?;
        fs::write(&path, chart::render(&cases)).map_err(|error| Problem::at(&path, &error))?;
        println!("\nchart: {}", path.display());
    }
    Ok(())
}

fn options<'w>(words: &[&'w str]) -> Result<Options<'w>, Problem> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (*word, words.as_slice().first()) {
            ("--quick", _) => options.quick = true,
            ("--plot", _) => options.plot = true,
            ("--peers", Some(what)) => {
                options.peers = Some(what);
                words.next();
            }
            _ => {
                return Err(Problem::new(
                    "usage: cargo xtask bench [--quick] [--plot] [--peers tokens|rbac]",
                ));
            }
        }
    }
    Ok(options)
}

/// Runs the benches; their lines are shown as they come.
fn measure(repo: &Repo, quick: bool) -> Result<Vec<Case>, Problem> {
    let mut command = Command::new("cargo");
    command.current_dir(repo.root()).args(["bench", "--locked", "--package", "bartizan-benches"]);
    if quick {
        command.args(["--", "--quick"]);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Problem::new(format!("cargo bench did not start: {error}")))?;
    let mut cases = Vec::new();
    for line in child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines()) {
        let line = line.map_err(|error| Problem::new(format!("cargo bench cannot be read: {error}")))?;
        println!("{line}");
        if let Some(rest) = line.strip_prefix("BENCH ") {
            cases.push(read(rest)?);
        }
    }
    let status = child.wait().map_err(|error| Problem::new(format!("cargo bench: {error}")))?;
    if !status.success() {
        return Err(Problem::new(format!("cargo bench failed ({status})")));
    }
    if cases.is_empty() {
        return Err(Problem::new("the benches printed no BENCH line"));
    }
    Ok(cases)
}

fn read(rest: &str) -> Result<Case, Problem> {
    let bad = || Problem::new(format!("this is no line of a bench: BENCH {rest}"));
    let mut words = rest.split_whitespace();
    let name = words.next().ok_or_else(bad)?.to_owned();
    let values = words
        .map(|word| {
            let (of, value) = word.split_once('=').ok_or_else(bad)?;
            let value: f64 = value.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(bad)?;
            Ok((of.to_owned(), value))
        })
        .collect::<Result<Vec<_>, Problem>>()?;
    if values.is_empty() {
        return Err(bad());
    }
    Ok(Case { name, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_all_its_values() {
        let case =
            read("hs256_verify ours_ns=812.5 limit_ns=700 floor_ns=750 ours_allocs=0").expect("a case");
        assert_eq!(case.name, "hs256_verify");
        assert_eq!((case.value("ours_ns"), case.value("floor_ns")), (Some(812.5), Some(750.0)));
        assert_eq!((case.value("ours_allocs"), case.value("peer_ns")), (Some(0.0), None));
    }

    #[test]
    fn options_are_read_and_anything_else_is_refused() {
        assert_eq!(options(&[]).expect("none"), Options::default());
        let some = options(&["--peers", "tokens", "--quick"]).expect("some");
        assert_eq!(some, Options { quick: true, plot: false, peers: Some("tokens") });
        for bad in [&["--peers"][..], &["--fast"], &["tokens"]] {
            assert!(options(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn half_a_line_is_refused() {
        for bad in ["", "case", "case ours_ns", "case ours_ns=", "case ours_ns=fast", "case ours_ns=NaN"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
