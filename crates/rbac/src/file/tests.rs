use std::{
    fs::{self, File, FileTimes},
    future::poll_fn,
    io::Write,
    path::PathBuf,
    task::Poll,
};

use bartizan_core::Fault;
use bartizan_testkit::{ManualClock, MemoryRecorder};
use tempfile::TempDir;

use super::*;
use crate::{Assignments, Engine, HeldAssignments, LivePolicy, LoadErrorKind, Policy};

const ONE: &str = "version = 1\n[permissions]\n\"note:read\" = { scopes = [\"all\"] }\n";

const TWO: &str = "version = 1\n[permissions]\n\"note:write\" = { scopes = [\"all\"] }\n";

/// A folder whose files are as old as is said, by the clock of the source.
struct Folder {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Folder {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that was written a while ago.
    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
        self.is_old(name, Duration::from_secs(10));
    }

    fn is_old(&self, name: &str, age: Duration) {
        let at = self.clock.wall().saturating_sub(age).since(UnixTime::EPOCH);
        let file = File::options().write(true).open(self.path(name)).unwrap();
        file.set_times(FileTimes::new().set_modified(UNIX_EPOCH + at)).unwrap();
    }

    fn source(&self, name: &str) -> PolicyFile {
        PolicyFile::at(self.path(name), Arc::clone(&self.clock) as _).unwrap()
    }

    /// Runs a future while time passes.
    async fn passing<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(answer) = polled {
                return answer;
            }
            self.clock.advance(Duration::from_millis(1));
            tokio::task::yield_now().await;
        }
    }

    async fn loads(&self, source: &PolicyFile) -> Loaded {
        self.passing(source.load()).await.unwrap()
    }

    async fn changed(&self, source: &PolicyFile, seen: Revision) -> bool {
        matches!(self.passing(source.changes(seen)).await.unwrap(), Changes::Everything)
    }

    async fn fails(&self, source: &PolicyFile) -> SourceError {
        self.passing(source.load()).await.unwrap_err()
    }
}

#[tokio::test]
async fn the_name_says_how_it_is_written() {
    let folder = Folder::new();
    folder.write("policy.toml", ONE);
    folder.write("policy.json", "{}");
    let toml = folder.loads(&folder.source("policy.toml")).await;
    let json = folder.loads(&folder.source("policy.json")).await;
    assert_eq!(toml.policy, PolicyText::Toml(ONE.into()));
    assert_eq!(json.policy, PolicyText::Json("{}".into()));
    for other in ["policy", "policy.yaml", "policy.TOML", "toml", ".toml", "policy.toml~"] {
        let refused = PolicyFile::at(folder.path(other), Arc::clone(&folder.clock) as _).unwrap_err();
        assert_eq!((refused.kind(), refused.fault()), (SourceErrorKind::Config, Fault::Caller), "{other}");
    }
}

#[tokio::test]
async fn another_content_is_a_change_and_the_same_is_none() {
    let folder = Folder::new();
    folder.write("policy.toml", ONE);
    let source = folder.source("policy.toml");
    let first = folder.loads(&source).await;
    assert!(first.held.is_empty());
    assert!(!folder.changed(&source, first.revision).await);
    folder.write("policy.toml", ONE);
    assert!(!folder.changed(&source, first.revision).await, "written again, and the same");
    folder.write("policy.toml", TWO);
    assert!(folder.changed(&source, first.revision).await);
    assert!(folder.changed(&source, first.revision).await, "whoever asks again is told again");
    let second = folder.loads(&source).await;
    assert_eq!((second.revision.0, second.policy.as_str()), (first.revision.0 + 1, TWO));
    assert_eq!(folder.loads(&source).await.revision, second.revision);
    // Back again: a revision of its own.
    folder.write("policy.toml", ONE);
    assert_eq!(folder.loads(&source).await.revision.0, first.revision.0 + 2);
    // Not what this process has seen.
    assert!(folder.changed(&source, first.revision).await);
    assert!(folder.changed(&source, Revision(9)).await);
}

#[tokio::test]
async fn revisions_grow_over_the_end_of_a_process() {
    let folder = Folder::new();
    folder.write("policy.toml", ONE);
    let before = folder.loads(&folder.source("policy.toml")).await;
    folder.clock.advance(Duration::from_secs(60));
    assert!(folder.loads(&folder.source("policy.toml")).await.revision > before.revision);
}

/// As editors and deployments do.
#[tokio::test]
async fn a_file_that_is_renamed_over_it_is_seen() {
    let folder = Folder::new();
    folder.write("policy.toml", ONE);
    let source = folder.source("policy.toml");
    let first = folder.loads(&source).await;
    folder.write(".policy.toml.swp", TWO);
    fs::rename(folder.path(".policy.toml.swp"), folder.path("policy.toml")).unwrap();
    assert!(folder.changed(&source, first.revision).await);
    assert_eq!(folder.loads(&source).await.policy.as_str(), TWO);
}

/// As Kubernetes does with a mounted `ConfigMap`: the file is a link into a folder that is a link.
#[cfg(unix)]
#[tokio::test]
async fn a_link_that_is_turned_elsewhere_is_seen() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    for (name, text) in [("..2026_1", ONE), ("..2026_2", TWO)] {
        fs::create_dir(folder.path(name)).unwrap();
        folder.write(&format!("{name}/policy.toml"), text);
    }
    symlink("..2026_1", folder.path("..data")).unwrap();
    symlink("..data/policy.toml", folder.path("policy.toml")).unwrap();
    let source = folder.source("policy.toml");
    let first = folder.loads(&source).await;
    assert_eq!(first.policy.as_str(), ONE);
    symlink("..2026_2", folder.path("..data_tmp")).unwrap();
    fs::rename(folder.path("..data_tmp"), folder.path("..data")).unwrap();
    fs::remove_dir_all(folder.path("..2026_1")).unwrap();
    assert!(folder.changed(&source, first.revision).await);
    assert_eq!(folder.loads(&source).await.policy.as_str(), TWO);
}

/// Half of a file may be a policy of its own: one without its denies.
#[tokio::test]
async fn a_file_that_is_being_written_is_read_once_it_rests() {
    let folder = Folder::new();
    let source = folder.source("policy.toml");
    let mut file = File::create(folder.path("policy.toml")).unwrap();
    file.write_all(ONE.as_bytes()).unwrap();
    folder.is_old("policy.toml", Duration::ZERO);
    let mut load = std::pin::pin!(source.load());
    // Some time, but not enough: meanwhile the other half comes.
    for _ in 0..200 {
        let polled = poll_fn(|cx| Poll::Ready(load.as_mut().poll(cx))).await;
        assert!(polled.is_pending(), "half a file is believed");
        tokio::task::yield_now().await;
    }
    folder.clock.advance(REST / 2);
    file.write_all(b"[roles.late]\n").unwrap();
    folder.is_old("policy.toml", Duration::ZERO);
    let loaded = folder.passing(load).await.unwrap();
    assert!(loaded.policy.as_str().ends_with("[roles.late]\n"), "{loaded:?}");
}

#[tokio::test]
async fn a_file_of_the_future_is_believed_once_it_is_twice_the_same() {
    let folder = Folder::new();
    folder.write("policy.toml", ONE);
    folder.clock.set_wall(UnixTime::from_secs(1_000_000_000));
    assert_eq!(folder.loads(&folder.source("policy.toml")).await.policy.as_str(), ONE);
}

#[tokio::test]
async fn what_is_too_large_is_not_read() {
    let folder = Folder::new();
    folder.write("policy.toml", "");
    let sparse = File::options().write(true).open(folder.path("policy.toml")).unwrap();
    let source = folder.source("policy.toml");
    // A terabyte would take a while to read.
    sparse.set_len(1 << 40).unwrap();
    assert_eq!(folder.fails(&source).await.kind(), SourceErrorKind::TooLarge);
    sparse.set_len(MAX_FILE as u64 + 1).unwrap();
    assert_eq!(folder.fails(&source).await.kind(), SourceErrorKind::TooLarge);
    sparse.set_len(MAX_FILE as u64).unwrap();
    folder.is_old("policy.toml", Duration::from_secs(10));
    assert_eq!(folder.loads(&source).await.policy.as_str().len(), MAX_FILE);
}

#[tokio::test]
async fn what_is_no_text_file_is_refused() {
    let folder = Folder::new();
    folder.write("latin.toml", b"version = 1 # \xe4");
    fs::create_dir(folder.path("folder.toml")).unwrap();
    for (name, kind) in [
        ("latin.toml", SourceErrorKind::Malformed),
        ("folder.toml", SourceErrorKind::Config),
        ("nothing.toml", SourceErrorKind::Missing),
    ] {
        let failed = folder.fails(&folder.source(name)).await;
        assert_eq!((failed.kind(), failed.is_transient()), (kind, false), "{name}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/zero", folder.path("endless.toml")).unwrap();
        let failed = folder.fails(&folder.source("endless.toml")).await;
        assert_eq!(failed.kind(), SourceErrorKind::Config);
    }
}

#[tokio::test]
async fn nothing_of_a_file_is_shown() {
    let folder = Folder::new();
    folder.write("policy.toml", format!("{ONE}# canary-text\n"));
    let source = folder.source("policy.toml");
    let loaded = folder.loads(&source).await;
    let shown = format!("{source:?} {loaded:?}");
    assert!(shown.contains("policy.toml") && !shown.contains("canary"), "{shown}");
}

/// The whole way: what is half written and no policy is refused, what is gone is missed, and the last good one stays.
#[tokio::test]
async fn the_last_good_file_stays_in_force() {
    let folder = Folder::new();
    folder.write("policy.toml", ONE);
    let engine = Engine::new(Policy::default(), Assignments::HeldOnly(HeldAssignments::new()));
    let engine = Arc::new(engine.stale_after(Duration::from_secs(300)));
    let recorder = Arc::new(MemoryRecorder::default());
    let source = Arc::new(folder.source("policy.toml"));
    let clock = Arc::clone(&folder.clock);
    let (live, driver) = LivePolicy::follow(source, Arc::clone(&engine), recorder, clock).build();
    let driver = tokio::spawn(driver.run());
    let first = folder.passing(live.ready()).await.unwrap();
    folder.write("policy.toml", &TWO[..TWO.len() - 12]);
    let refused = folder.passing(live.reload()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.line()), (LoadErrorKind::Policy, Some(3)), "{refused}");
    fs::remove_file(folder.path("policy.toml")).unwrap();
    let missed = folder.passing(live.reload()).await.unwrap_err();
    assert_eq!(missed.kind(), LoadErrorKind::Source);
    assert_eq!((engine.revision(), engine.policy().permissions().next()), (first, Some("note:read")));
    folder.write("policy.toml", TWO);
    folder.passing(live.reached(Revision(first.0 + 2))).await.unwrap();
    assert_eq!(engine.policy().permissions().next(), Some("note:write"));
    assert!(live.health().is_well());
    driver.abort();
}
