//! A server of one test's own, whose processes may be stopped and killed.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use bartizan_core::os;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

pub(crate) struct Cluster {
    folder: TempDir,
    port: u16,
    server: Mutex<Child>,
}

impl Cluster {
    /// A new and empty one, which keeps what it answers.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Postgres' own user has to get there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("a folder");
        let data = folder.path().join("data");
        let mut make = Command::new("install");
        if geteuid().is_root() {
            make.args(["-o", "postgres", "-g", "postgres"]);
        }
        ran(make.args(["-d", "-m", "700"]).arg(&data));
        let options = ["-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
        ran(program("initdb").current_dir("/").arg("-D").arg(&data).args(options).stdout(Stdio::null()));
        let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let server = Mutex::new(spawn(&folder, port));
        let cluster = Self { folder, port, server };
        cluster.wait();
        cluster
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new().host("127.0.0.1").port(self.port).username("app").database("postgres")
    }

    /// Nothing of it moves any more: neither the process that takes connections nor one that serves one.
    pub(crate) fn stop(&self) {
        self.signal_all(Signal::STOP);
    }

    /// It goes on where it stood.
    pub(crate) fn go_on(&self) {
        self.signal_all(Signal::CONT);
    }

    /// All of its processes end at once, as in a power cut but for the disk's cache.
    pub(crate) fn kill(&self) {
        self.signal_all(Signal::KILL);
    }

    /// One process that serves a connection dies. Postgres then ends all others, and recovers by itself.
    pub(crate) fn kill_one(&self, backend: i32) {
        kill(backend, Signal::KILL);
    }

    /// The same data, and the same address.
    pub(crate) fn start_again(&self) {
        let mut server = self.server();
        server.wait().expect("it has ended");
        *server = spawn(&self.folder, self.port);
        drop(server);
        self.wait();
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Child> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal_all(&self, signal: Signal) {
        let first = self.server().id().cast_signed();
        // It starts no more of them while they are told.
        kill(first, Signal::STOP);
        let children = children(first);
        for id in children.iter().copied().chain([first]) {
            kill(id, signal);
        }
        if signal == Signal::KILL {
            // Their memory is shared: a new server waits until they are gone.
            while children.iter().any(|id| is_running(*id)) {
                thread::sleep(Duration::from_millis(2));
            }
        }
    }

    /// Until it has read its log and answers.
    fn wait(&self) {
        let url = format!("postgres://app@127.0.0.1:{}/postgres", self.port);
        for _ in 0..400 {
            let mut ask = Command::new("psql");
            ask.args(["-qAtX", &url, "-c", "select 1"]).stdin(Stdio::null());
            let status = ask.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("psql is missing");
            if status.success() {
                return;
            }
            if self.server().try_wait().expect("a process").is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("postgres does not answer; its log:\n{log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server().try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
            // Collects the exit status of what has just been killed.
            let _ = self.server().wait();
        }
    }
}

/// One of Postgres' programs, which all refuse to run as root.
fn program(name: &str) -> Command {
    let programs = os::environment("BARTIZAN_TEST_POSTGRES_PROGRAMS")
        .expect("BARTIZAN_TEST_POSTGRES_PROGRAMS says where Postgres' programs are");
    // The kernel ends it with the thread that runs the test, however that ends.
    let mut command = Command::new("setpriv");
    if geteuid().is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.args(["--pdeathsig", "KILL", "--"]).arg(format!("{}/{name}", programs.expose()));
    command
}

fn ran(command: &mut Command) {
    assert!(command.status().expect("it starts").success(), "{command:?}");
}

fn spawn(folder: &TempDir, port: u16) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.path().join("log")).expect("a log");
    let messages = log.try_clone().expect("a log");
    let port = format!("port={port}");
    // SYNCFS: after a crash it would bring a thousand files to the disk one by one.
    let settings = [
        "listen_addresses=127.0.0.1",
        &port,
        "unix_socket_directories=",
        "shared_buffers=16MB",
        "recovery_init_sync_method=syncfs",
    ];
    let mut command = program("postgres");
    command.current_dir("/").arg("-D").arg(folder.path().join("data"));
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.stdin(Stdio::null()).stdout(log).stderr(messages).spawn().expect("postgres starts")
}

fn kill(id: i32, signal: Signal) {
    // An error says that it is gone.
    let _ = kill_process(Pid::from_raw(id).expect("an id"), signal);
}

/// Each one is in a session of its own, so that no process group holds them all.
fn children(parent: i32) -> Vec<i32> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(|id| stat(*id).is_some_and(|(_, its)| its == parent)).collect()
}

fn is_running(id: i32) -> bool {
    stat(id).is_some_and(|(state, _)| state != "Z")
}

/// State and parent of a process (`man proc_pid_stat`): what follows its name, which is in brackets.
fn stat(id: i32) -> Option<(String, i32)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
