//! The servers and peers that tests run against: installed when told to, started privately, stopped again. Linux only.
//!
//! A new one is a file below `services/` and a row of [`ALL`]; nothing else changes. A test reads where its server listens
//! from the environment: `BARTIZAN_TEST_…`, listed by `cargo xtask services status`.

mod browser;
mod install;
mod moto;
mod oidc;
mod postgres;
mod process;
mod proxies;
mod python;
mod record;
mod redis;

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{problem::Problem, repo::Repo, run};
use process::{Life, Process};

/// Everything that tests run against.
const ALL: [&dyn Service; 7] = [
    &browser::Browser,
    &moto::Moto,
    &oidc::Oidc,
    &postgres::Postgres,
    &proxies::Proxies,
    &python::Python,
    &redis::Redis,
];

/// A server, or a set of programs, that tests run against.
trait Service: Sync {
    fn name(&self) -> &'static str;

    /// What it is, for people.
    fn about(&self) -> &'static str;

    /// Whether all it needs is there; the problem says what is missing.
    fn installed(&self, place: &Place) -> Result<(), Problem>;

    /// Brings what it needs. May take packages from Debian's, npm's and Python's registries.
    fn install(&self, place: &Place) -> Result<(), Problem>;

    /// Starts it on a free port of the loopback interface and returns once it has answered a real request.
    fn start(&self, place: &Place, life: Life) -> Result<Started, Problem>;
}

/// Where a service finds its files.
struct Place {
    /// The repository.
    root: PathBuf,
    /// What `install` has brought; kept.
    installed: PathBuf,
    /// One run's data and logs.
    data: PathBuf,
}

/// A service that has answered.
struct Started {
    /// None for a peer that runs only when a test calls it.
    process: Option<Process>,
    environment: Vec<(&'static str, String)>,
}

pub(crate) fn run(repo: &Repo, verb: &str, names: &[&str]) -> Result<(), Problem> {
    if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|service| service.name() == **name)) {
        let known: Vec<&str> = ALL.iter().map(|service| service.name()).collect();
        return Err(Problem::new(format!("there is no service `{unknown}`; there are {}", known.join(", "))));
    }
    let chosen: Vec<&dyn Service> =
        ALL.into_iter().filter(|service| names.is_empty() || names.contains(&service.name())).collect();
    match verb {
        "install" => install_all(repo, &chosen),
        "up" => up(repo, &chosen),
        "down" => down(repo, &chosen),
        "status" => status(repo, &chosen),
        _ => Err(Problem::new("usage: cargo xtask services install|up|down|status [NAME…]")),
    }
}

/// Running services that stop when this is dropped, and when this program ends in whatever way.
pub(crate) struct Running {
    started: Vec<Started>,
    data: PathBuf,
}

/// Starts every service for this program alone.
pub(crate) fn start_privately(repo: &Repo) -> Result<Running, Problem> {
    must_be_installed(repo, &ALL)?;
    let data = repo.root().join("target/services").join(format!("run-{}", std::process::id()));
    let mut running = Running { started: Vec::new(), data: data.clone() };
    for service in ALL {
        let since = run::now();
        let place = place(repo, &data, service.name())?;
        running.started.push(service.start(&place, Life::Private)?);
        println!("── {} is up after {:.1} s", service.name(), since.elapsed().as_secs_f64());
    }
    Ok(running)
}

impl Running {
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.started.iter().flat_map(|started| started.environment.iter().cloned()).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for process in self.started.iter_mut().filter_map(|started| started.process.as_mut()) {
            process.stop();
        }
        // Only the logs of servers that are gone lie there; what cannot be removed is no reason to fail a test run.
        fs::remove_dir_all(&self.data).unwrap_or_default();
    }
}

fn install_all(repo: &Repo, services: &[&dyn Service]) -> Result<(), Problem> {
    for service in services {
        let place = place(repo, &kept_data(repo), service.name())?;
        if service.installed(&place).is_ok() {
            println!("{}: installed", service.name());
            continue;
        }
        let since = run::now();
        service.install(&place)?;
        service.installed(&place)?;
        println!("{}: installed in {:.1} s", service.name(), since.elapsed().as_secs_f64());
    }
    Ok(())
}

fn must_be_installed(repo: &Repo, services: &[&dyn Service]) -> Result<(), Problem> {
    let mut missing = Vec::new();
    for service in services {
        if let Err(problem) = service.installed(&place(repo, &kept_data(repo), service.name())?) {
            missing.push(format!("{}: {problem}", service.name()));
        }
    }
    Problem::unless_empty("a server is missing; `cargo xtask services install` brings it", &missing)
}

/// Starts what is not up, and prints the environment for the shell that tests are run from by hand.
fn up(repo: &Repo, services: &[&dyn Service]) -> Result<(), Problem> {
    must_be_installed(repo, services)?;
    for service in services {
        let place = place(repo, &kept_data(repo), service.name())?;
        let environment = match record::running(&place.data)? {
            Some(record) => record.environment,
            None => {
                let started = service.start(&place, Life::Detached)?;
                record::write(&place.data, &started)?.environment
            }
        };
        for (name, value) in environment {
            println!("export {name}='{value}'");
        }
    }
    Ok(())
}

fn down(repo: &Repo, services: &[&dyn Service]) -> Result<(), Problem> {
    for service in services {
        let place = place(repo, &kept_data(repo), service.name())?;
        match record::running(&place.data)? {
            Some(record) => {
                record.stop();
                println!("{}: stopped", service.name());
            }
            None => println!("{}: not running", service.name()),
        }
        fs::remove_dir_all(&place.data).map_err(|error| Problem::at(&place.data, &error))?;
    }
    Ok(())
}

fn status(repo: &Repo, services: &[&dyn Service]) -> Result<(), Problem> {
    for service in services {
        let place = place(repo, &kept_data(repo), service.name())?;
        let state = match (record::running(&place.data)?, service.installed(&place)) {
            (Some(record), _) => record.shown(),
            (None, Ok(())) => "installed, not running".to_owned(),
            (None, Err(problem)) => format!("not installed: {problem}"),
        };
        println!("{:<8} {}\n         {state}", service.name(), service.about());
    }
    Ok(())
}

/// The data of services that `up` keeps running.
fn kept_data(repo: &Repo) -> PathBuf {
    repo.root().join("target/services/up")
}

fn place(repo: &Repo, data: &Path, name: &str) -> Result<Place, Problem> {
    let place = Place {
        root: repo.root().to_owned(),
        installed: repo.root().join("target/services/installed").join(name),
        data: data.join(name),
    };
    for folder in [&place.installed, &place.data] {
        fs::create_dir_all(folder).map_err(|error| Problem::at(folder, &error))?;
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_unknown_ones_refused() {
        let names: std::collections::BTreeSet<&str> = ALL.iter().map(|service| service.name()).collect();
        assert_eq!(names.len(), ALL.len());
        let problem = run(&Repo::here(), "status", &["nonesuch"]).expect_err("unknown").to_string();
        assert!(problem.starts_with("there is no service `nonesuch`"), "{problem}");
    }

    #[test]
    fn what_is_missing_fails_and_says_how_to_get_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let problem =
            must_be_installed(&Repo::at(folder.path()), &ALL).expect_err("nothing is there").to_string();
        assert!(
            problem.starts_with("a server is missing; `cargo xtask services install` brings it"),
            "{problem}"
        );
        // What comes as a Debian package may be there all the same.
        for service in ["moto", "oidc", "python"] {
            assert!(
                problem.lines().any(|line| line.trim_start().starts_with(service)),
                "{service}: {problem}"
            );
        }
    }
}
