//! A server's process: started so that it cannot outlive its purpose, waited for, stopped.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

use crate::{problem::Problem, run};

/// How long a started server lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// No longer than the thread that starts it, even when the program is killed.
    Private,
    /// Until it is told to stop.
    Detached,
}

/// A running server.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it in a process group of its own; both its outputs go to a file `log` in the data folder.
    pub(super) fn start(command: &Command, data: &Path, life: Life) -> Result<Self, Problem> {
        let log = data.join("log");
        let output = File::create(&log).map_err(|error| Problem::at(&log, &error))?;
        let messages = output.try_clone().map_err(|error| Problem::at(&log, &error))?;
        let child = wrapped(command, life)
            .process_group(0)
            .current_dir(data)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(messages)
            .spawn()
            .map_err(|error| Problem::new(format!("{}: {error}", command.get_program().to_string_lossy())))?;
        Ok(Self { child, log })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of its log that starts with these words, and answers the rest of that line.
    pub(super) fn says(&mut self, words: &str, within: Duration) -> Result<String, Problem> {
        self.until(within, |process| {
            let log = fs::read_to_string(&process.log).ok()?;
            // A line without its end may be half a line.
            let complete = log.rsplit_once('\n').map_or("", |(complete, _)| complete);
            complete.lines().find_map(|line| line.strip_prefix(words)).map(|rest| rest.trim().to_owned())
        })
    }

    /// Waits until a real request is answered with 200.
    pub(super) fn answers(&mut self, authority: &str, path: &str, within: Duration) -> Result<(), Problem> {
        self.until(within, |_| answers_200(authority, path).then_some(()))
    }

    /// Ends its process group: first asked, then made to.
    pub(super) fn stop(&mut self) {
        stop_group(self.id());
        // Collects the exit status of what has just been ended.
        drop(self.child.wait());
    }

    /// Asks until there is an answer. Nothing else ends it but the end of the process, or of the time.
    pub(super) fn until<T>(
        &mut self,
        within: Duration,
        ask: impl Fn(&Self) -> Option<T>,
    ) -> Result<T, Problem> {
        let since = run::now();
        loop {
            if let Some(answer) = ask(self) {
                return Ok(answer);
            }
            let ended = self.child.try_wait().map_err(|error| Problem::at(&self.log, &error))?;
            if ended.is_some() || since.elapsed() > within {
                let how =
                    ended.map_or("did not answer in time".to_owned(), |status| format!("ended ({status})"));
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                self.stop();
                return Err(Problem::new(format!("a server {how}; its log:\n{log}")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Ends a process group within ten seconds.
pub(super) fn stop_group(id: u32) {
    let Some(group) = i32::try_from(id).ok().and_then(Pid::from_raw) else {
        return;
    };
    // An error says that the group is gone, which is what is wanted.
    kill_process_group(group, Signal::TERM).unwrap_or_default();
    let since = run::now();
    while test_kill_process_group(group).is_ok() && !is_zombie(id) {
        if since.elapsed() > Duration::from_secs(10) {
            kill_process_group(group, Signal::KILL).unwrap_or_default();
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// When a process was started, in clock ticks since boot (`man proc_pid_stat`, field 22): with its id, its identity.
pub(super) fn started_at(id: u32) -> Option<u64> {
    fields_after_name(id)?.get(19)?.parse().ok()
}

/// Ended, and only not yet waited for.
fn is_zombie(id: u32) -> bool {
    fields_after_name(id).is_none_or(|fields| fields.first().is_some_and(|state| state == "Z"))
}

/// The fields from the third on. The second, the name, may itself hold spaces and brackets.
fn fields_after_name(id: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// `setpriv` (util-linux, on every Debian) has the kernel end the server when this program ends in whatever way.
fn wrapped(command: &Command, life: Life) -> Command {
    let mut wrapped = match life {
        Life::Detached => Command::new(command.get_program()),
        Life::Private => {
            let mut wrapped = Command::new("setpriv");
            wrapped.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program());
            wrapped
        }
    };
    wrapped.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

fn answers_200(authority: &str, path: &str) -> bool {
    let ask = || -> std::io::Result<[u8; 12]> {
        let mut stream = TcpStream::connect(authority)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status)
    };
    ask().is_ok_and(|status| status == *b"HTTP/1.1 200")
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Process) {
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let process = Process::start(&command, data.path(), Life::Private).expect("sh starts");
        (data, process)
    }

    #[test]
    fn a_server_is_waited_for_and_stopped() {
        let (_data, mut process) = shell("echo other; echo ready http://x; exec sleep 600");
        assert_eq!(process.says("ready ", Duration::from_secs(20)).expect("ready"), "http://x");
        assert!(started_at(process.id()).is_some());
        let id = process.id();
        process.stop();
        assert_eq!(started_at(id), None);
    }

    #[test]
    fn a_server_that_ends_is_a_problem_with_its_log() {
        let (_data, mut process) = shell("echo no licence found; exit 3");
        let problem = process.says("ready ", Duration::from_secs(20)).expect_err("it ended").to_string();
        assert!(problem.contains("exit status: 3") && problem.contains("no licence found"), "{problem}");
    }

    #[test]
    fn a_private_server_does_not_outlive_who_started_it() {
        let started = std::thread::spawn(|| {
            let (data, mut process) = shell("echo up; exec sleep 600");
            process.says("up", Duration::from_secs(20)).expect("it starts");
            (data, process)
        });
        let (_data, mut process) = started.join().expect("a thread");
        // The kernel ends it with the thread that started it; without that, this waits for ten minutes and fails.
        let status = process.child.wait().expect("it ends");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(Signal::TERM.as_raw()));
    }

    #[test]
    fn a_server_that_never_answers_is_stopped() {
        let (_data, mut process) = shell("exec sleep 600");
        let id = process.id();
        assert!(process.answers("127.0.0.1:1", "/", Duration::ZERO).is_err());
        assert_eq!(started_at(id), None);
    }
}
