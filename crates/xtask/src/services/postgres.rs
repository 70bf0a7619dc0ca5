//! Postgres, from Debian, with `fsync` on as sessions demand it. It refuses to run as root, so that it runs as Debian's own user
//! `postgres` then.

use std::{
    fs::{self, DirBuilder},
    net::TcpListener,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use super::{
    Place, Service, Started, install,
    process::{Life, Process, started_at},
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
        let cluster = make_cluster(&home(place)?)?;
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
        let environment = vec![
            ("BARTIZAN_TEST_POSTGRES_URL", url),
            // For tests that stop and kill a server: they start one of their own.
            ("BARTIZAN_TEST_POSTGRES_PROGRAMS", PROGRAMS.to_owned()),
        ];
        Ok(Started { process: Some(process), environment })
    }
}

const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const START: Duration = Duration::from_secs(60);

fn program(name: &str) -> String {
    format!("{PROGRAMS}/{name}")
}

/// A folder that Postgres' own user gets to. The data folder is none where somebody keeps their files to themselves.
fn home(place: &Place) -> Result<PathBuf, Problem> {
    let leads_there =
        |folder: &Path| fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    if !is_root() || place.data.ancestors().all(leads_there) {
        return Ok(place.data.clone());
    }
    let shared = std::env::temp_dir();
    forget_ended(&shared);
    let home = shared.join(format!("{HOME}{}", std::process::id()));
    DirBuilder::new()
        .mode(0o700)
        .create(&home)
        // Whatever the umask is.
        .and_then(|()| fs::set_permissions(&home, fs::Permissions::from_mode(0o711)))
        .map_err(|error| Problem::at(&home, &error))?;
    Ok(home)
}

/// What the folder of a program begins with whose own one Postgres does not get to.
const HOME: &str = "bartizan-postgres-";

/// Takes away what servers left there that have ended, or never began.
fn forget_ended(shared: &Path) {
    for folder in fs::read_dir(shared).into_iter().flatten().flatten() {
        if !folder.file_name().to_string_lossy().starts_with(HOME) {
            continue;
        }
        // The first line of this file is the server's process; a server that stops takes the file away.
        let server = fs::read_to_string(folder.path().join("cluster/postmaster.pid")).ok();
        let server = server.and_then(|lines| lines.lines().next().and_then(|id| id.trim().parse().ok()));
        let has_ended = match server {
            Some(id) => started_at(id).is_none(),
            None => !is_fresh(&folder.path()),
        };
        if has_ended {
            // What cannot be removed is in nobody's way.
            fs::remove_dir_all(folder.path()).unwrap_or_default();
        }
    }
}

/// Whether a server may be about to begin there.
fn is_fresh(folder: &Path) -> bool {
    let changed = fs::metadata(folder).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age < START))
}

/// A new and empty one: what an earlier server left there belongs to an earlier run.
fn make_cluster(home: &Path) -> Result<PathBuf, Problem> {
    let cluster = home.join("cluster");
    if cluster.exists() {
        fs::remove_dir_all(&cluster).map_err(|error| Problem::at(&cluster, &error))?;
    }
    let mut make = Command::new("install");
    if is_root() {
        make.args(["-o", "postgres", "-g", "postgres"]);
    }
    run::must(make.args(["-d", "-m", "700"]).arg(&cluster))?;
    let password = home.join("password");
    fs::write(&password, PASSWORD)
        // Whatever the umask is: it is no secret.
        .and_then(|()| fs::set_permissions(&password, fs::Permissions::from_mode(0o644)))
        .map_err(|error| Problem::at(&password, &error))?;
    let mut passwords = std::ffi::OsString::from("--pwfile=");
    passwords.push(&password);
    run::must(
        as_nobody_special("initdb", Life::Detached)
            .current_dir("/")
            .arg("-D")
            .arg(&cluster)
            .arg(passwords)
            .args(["-U", "app", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .stdout(std::process::Stdio::null()),
    )?;
    Ok(cluster)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_ended_is_taken_away() {
        let shared = tempfile::tempdir().expect("a folder");
        let place = |name: &str, server: Option<&str>| {
            let cluster = shared.path().join(name).join("cluster");
            fs::create_dir_all(&cluster).expect("a cluster");
            if let Some(server) = server {
                fs::write(cluster.join("postmaster.pid"), server).expect("a server");
            }
        };
        place("bartizan-postgres-1", Some(&format!("{}\n/data\n", std::process::id())));
        place("bartizan-postgres-2", Some("4294967294\n/data\n"));
        // One whose server is about to begin, and somebody else's.
        place("bartizan-postgres-3", None);
        place("postgres", Some("4294967294\n"));
        forget_ended(shared.path());
        let left = |name: &str| shared.path().join(name).exists();
        assert!(left("bartizan-postgres-1") && left("bartizan-postgres-3") && left("postgres"));
        assert!(!left("bartizan-postgres-2"));
    }
}
