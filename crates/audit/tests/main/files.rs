//! Directories, permissions, links, locks, copies.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::Arc,
};

use bartizan_audit::{
    Checkpoint, CheckpointKey, Error, ErrorKind, Health, Log, LogConfig, Query, Reader, Verdict,
    VerifyOptions, verify,
};
use bartizan_audit_events::Event;
use bartizan_core::{NotRecorded, Origin, Outcome, Recorder, Subject, Target, UnixTime, os};
use bartizan_crypto::{PrivateKey, Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::{ManualClock, SeededEntropy};
use tempfile::TempDir;

const ORIGIN: &str = "test.example/audit";

struct Place {
    root: TempDir,
    key: PrivateKey,
}

impl Place {
    fn new() -> Self {
        let key = Ring::new().generate(SignatureAlgorithm::Ed25519, &SeededEntropy::new(1)).unwrap();
        Self { root: tempfile::tempdir().unwrap(), key }
    }

    fn directory(&self) -> PathBuf {
        self.root.path().join("log")
    }

    fn open(&self) -> Result<Arc<Log>, Error> {
        self.open_with(LogConfig::new(self.directory(), ORIGIN))
    }

    fn open_with(&self, config: LogConfig) -> Result<Arc<Log>, Error> {
        let provider = Arc::new(Ring::new());
        let key = CheckpointKey::new(&*provider, &self.key)?;
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_700_000_000)));
        Log::open(config, provider, key, clock, &os::OsEntropy)
    }

    fn verdict(&self, directory: &Path) -> Verdict {
        let options = VerifyOptions::new(Arc::new(Ring::new())).trusting(self.key.public().clone());
        verify(directory, &options).unwrap().verdict().clone()
    }
}

fn record(log: &Log) -> Result<(), NotRecorded> {
    let fact = Event::FAILED_LOGIN.fact(
        Outcome::Failure,
        UnixTime::from_secs(1_700_000_000),
        Subject::Anonymous,
        Target::Named { kind: "route", name: "/login" },
        Origin::service("clinic"),
    );
    log.record(&fact)?;
    log.flush().map_err(|_| NotRecorded)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn only_the_owner_can_read_a_log() {
    let place = Place::new();
    place.open().unwrap().close().unwrap();
    assert_eq!(mode(&place.directory()), 0o700);
    let files: Vec<_> = fs::read_dir(place.directory()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|file| mode(file) == 0o600));
}

#[test]
fn a_directory_that_everybody_may_write_to_is_refused() {
    let place = Place::new();
    fs::create_dir(place.directory()).unwrap();
    set_mode(&place.directory(), 0o777);
    assert_eq!(place.open().unwrap_err().kind(), ErrorKind::Directory);
    set_mode(&place.directory(), 0o755);
    place.open().unwrap().close().unwrap();
    // To read it, it may lie anywhere.
    set_mode(&place.directory(), 0o777);
    assert!(place.verdict(&place.directory()).is_consistent());
}

#[test]
fn a_directory_that_is_none_or_missing_is_refused() {
    let place = Place::new();
    fs::write(place.directory(), b"file").unwrap();
    assert_eq!(place.open().unwrap_err().kind(), ErrorKind::Directory);
    let deep = LogConfig::new(place.root.path().join("a/b"), ORIGIN);
    assert_eq!(place.open_with(deep).unwrap_err().kind(), ErrorKind::Directory);
    let missing = LogConfig::new(place.root.path().join("c"), ORIGIN).must_exist();
    assert_eq!(place.open_with(missing).unwrap_err().kind(), ErrorKind::Directory);
    assert_eq!(Reader::open(&place.root.path().join("c")).unwrap_err().kind(), ErrorKind::Absent);
    let options = VerifyOptions::new(Arc::new(Ring::new()));
    assert_eq!(verify(place.root.path(), &options).unwrap_err().kind(), ErrorKind::Absent);
}

#[test]
fn a_link_or_a_pipe_in_the_place_of_a_file_is_not_followed() {
    for name in ["head", "0000000000.seg"] {
        let place = Place::new();
        place.open().unwrap().close().unwrap();
        let (file, elsewhere) = (place.directory().join(name), place.root.path().join("elsewhere"));
        fs::rename(&file, &elsewhere).unwrap();
        symlink(&elsewhere, &file).unwrap();
        assert_eq!(place.open().unwrap_err().kind(), ErrorKind::Storage, "{name}");
        fs::remove_file(&file).unwrap();
        let status = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
        assert!(status.success());
        assert_eq!(place.open().unwrap_err().kind(), ErrorKind::Storage, "{name}");
        fs::remove_file(&file).unwrap();
        fs::rename(&elsewhere, &file).unwrap();
        assert!(place.open().is_ok());
    }
}

#[test]
fn a_second_writer_is_refused() {
    let place = Place::new();
    let log = place.open().unwrap();
    assert_eq!(place.open().unwrap_err().kind(), ErrorKind::Locked);
    record(&log).unwrap();
    drop(log);
    assert!(place.open().is_ok());
}

#[test]
fn a_file_that_is_removed_or_replaced_stops_the_log() {
    for replaced in [false, true] {
        let place = Place::new();
        let log = place.open().unwrap();
        record(&log).unwrap();
        let file = place.directory().join("0000000000.seg");
        let copy = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        if replaced {
            fs::write(&file, copy).unwrap();
        }
        assert_eq!(record(&log), Err(NotRecorded));
        assert_eq!(log.health(), Health::Failed(ErrorKind::Replaced));
    }
}

#[test]
fn copied_files_verify_and_read_like_the_log() {
    let place = Place::new();
    let log = place.open().unwrap();
    record(&log).unwrap();
    let held = log.checkpoint().unwrap();
    let copy = place.root.path().join("copy");
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(place.directory()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        set_mode(&copy.join(file.file_name()), 0o400);
    }
    set_mode(&copy, 0o500);
    assert!(place.verdict(&copy).is_consistent());
    let held = Checkpoint::parse(held.to_string().as_bytes()).unwrap();
    let options = VerifyOptions::new(Arc::new(Ring::new())).trusting(place.key.public().clone()).held(held);
    assert!(verify(&copy, &options).unwrap().verdict().is_consistent());
    let lines: Vec<String> = Reader::open(&copy)
        .unwrap()
        .entries(Query::new())
        .unwrap()
        .map(|entry| entry.unwrap().to_line())
        .collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with(r#"{"index":1,"fact":{"code":1002,"event":"failed_login""#), "{}", lines[1]);
    set_mode(&copy, 0o700);
}

#[test]
fn a_log_that_is_written_verifies_at_every_moment() {
    let place = Place::new();
    let log = place.open_with(LogConfig::new(place.directory(), ORIGIN).segment_bytes(8 << 10)).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (0..300).try_for_each(|_| record(&log)));
        let mut looks = 0;
        while !writer.is_finished() || looks == 0 {
            let verdict = place.verdict(&place.directory());
            assert!(verdict.is_consistent(), "look {looks}: {verdict}");
            looks += 1;
        }
        assert_eq!(writer.join().unwrap(), Ok(()));
    });
    log.close().unwrap();
    assert_eq!(
        Reader::open(&place.directory())
            .unwrap()
            .entries(Query::new().event("failed_login"))
            .unwrap()
            .count(),
        300
    );
}
