//! Runs the binary.

use std::{
    ffi::OsStr,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// Planted in everything that must not be shown.
pub(crate) const CANARY: &str = "canary-8f2d1c";

pub(crate) const BARTIZAN: &str = env!("CARGO_BIN_EXE_bartizan");

/// A folder to run in.
pub(crate) struct Folder(TempDir);

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file for its owner alone.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(BARTIZAN);
        command.current_dir(self.root()).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs words that are separated by spaces.
    pub(crate) fn run(&self, line: &str, stdin: impl AsRef<[u8]>) -> Ended {
        self.run_args(line.split_whitespace(), stdin)
    }

    pub(crate) fn run_args<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        stdin: impl AsRef<[u8]>,
    ) -> Ended {
        finish(self.command(args), stdin.as_ref())
    }

    /// Makes a key and gives its public JWK or, for a symmetric one, what is said of it.
    pub(crate) fn key(&self, alg: &str, file: &str) -> String {
        self.run(&format!("key generate --alg {alg} --kid {file} --out {file}"), "").done().stdout
    }

    /// Signs claims and gives the token.
    pub(crate) fn sign(&self, key: &str, claims: &Value) -> String {
        let signed =
            self.run(&format!("token sign --key {key} --claims -"), claims.to_string()).done().json();
        signed["token"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn finish(mut command: Command, stdin: &[u8]) -> Ended {
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let stdin = stdin.to_vec();
    // Beside the reading, as neither side waits for the other then. A command may end without having read it all.
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&stdin);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ended {
        code: output.status.code().expect("ended by a signal"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn done(self) -> Self {
        self.ended(0)
    }

    /// Refused, for this reason.
    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Self {
        let ended = self.ended(1);
        assert_eq!(ended.stdout, format!("{{\"ok\":false,\"code\":\"{code}\"}}\n"));
        ended
    }

    /// Nothing was answered, and one message says why.
    #[track_caller]
    pub(crate) fn unusable(self, why: &str) -> Self {
        let ended = self.ended(2);
        assert_eq!(ended.stdout, "");
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("bartizan: ") && last.contains(why), "{:?} has no {why:?}", ended.stderr);
        ended
    }

    /// The one line of stdout, read as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// All lines of stdout, read as JSON.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }
}
