//! Postgres, from Debian, with `fsync` on as sessions demand it. It refuses to run as root, so that it runs as Debian's own user
//! `postgres` then.

use std::{fs, net::TcpListener, path::Path, process::Command, time::Duration};

use super::{
    Place, Service, Started, install,
    process::{Life, Process},
};
use crate::{problem::Problem, run};

pub(super) struct Postgres;

/// Known to the tests and to a server that only the loopback interface reaches: no secret.
const PASSWORD: &str = "pw";

impl Service for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn about(&self) -> &'static str {
        "Postgres, which keeps sessions"
    }

    fn installed(&self, _: &Place) -> Result<(), Problem> {
        match run::answers(&program("postgres"), &["--version"]) && run::answers("psql", &["--version"]) {
            true => Ok(()),
            false => Err(Problem::new("postgresql-15 is not installed")),
        }
    }

    fn install(&self, _: &Place) -> Result<(), Problem> {
        install::debian_packages(&["postgresql-15"])
    }

    fn start(&self, place: &Place, life: Life) -> Result<Started, Problem> {
        self.installed(place)?;
        let cluster = place.data.join("cluster");
        make_cluster(place, &cluster)?;
        // It takes a port number and no port 0. Another program may take a free port in between; then it says so and ends.
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|free| free.local_addr())
            .map_err(|error| Problem::new(format!("there is no free port: {error}")))?
            .port();
        let mut command = as_nobody_special("postgres", life);
        command.arg("-D").arg(&cluster);
        let port_setting = format!("port={port}");
        for setting in [
            "listen_addresses=127.0.0.1",
            &port_setting,
            // Sockets in a long path fail, and nobody needs one.
            "unix_socket_directories=",
            "shared_buffers=32MB",
            "max_connections=200",
            "deadlock_timeout=100ms",
        ] {
            command.args(["-c", setting]);
        }
        let mut process = Process::start(&command, &place.data, life)?;
        let url = format!("postgres://app:{PASSWORD}@127.0.0.1:{port}/postgres");
        process.until(START, |_| run::answers("psql", &["-qAtX", &url, "-c", "select 1"]).then_some(()))?;
        Ok(Started { process: Some(process), environment: vec![("BARTIZAN_TEST_POSTGRES_URL", url)] })
    }
}

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const START: Duration = Duration::from_secs(60);

fn program(name: &str) -> String {
    format!("{PROGRAMS}/{name}")
}

/// A new and empty one: what an earlier server left there belongs to an earlier run.
fn make_cluster(place: &Place, cluster: &Path) -> Result<(), Problem> {
    if cluster.exists() {
        fs::remove_dir_all(cluster).map_err(|error| Problem::at(cluster, &error))?;
    }
    let mut make = Command::new("install");
    if is_root() {
        make.args(["-o", "postgres", "-g", "postgres"]);
    }
    run::must(make.args(["-d", "-m", "700"]).arg(cluster))?;
    let password = place.data.join("password");
    fs::write(&password, PASSWORD).map_err(|error| Problem::at(&password, &error))?;
    let mut passwords = std::ffi::OsString::from("--pwfile=");
    passwords.push(&password);
    run::must(
        as_nobody_special("initdb", Life::Detached)
            .current_dir("/")
            .arg("-D")
            .arg(cluster)
            .arg(passwords)
            .args(["-U", "app", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .stdout(std::process::Stdio::null()),
    )
}

/// One of Postgres' programs, which all refuse to run as root.
fn as_nobody_special(name: &str, life: Life) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    if life == Life::Private {
        // The kernel forgets what was said before a change of user. INT: it does not wait for its clients.
        command.args(["--pdeathsig", "INT"]);
    }
    command.arg("--").arg(program(name));
    command
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
