//! A policy in a file that is watched.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use bartizan_core::{Clock, Revision, UnixTime};

use crate::{
    Changes, Loaded, PolicySource, PolicyText, SourceError, SourceErrorKind, document::MAX_FILE,
    offload::offload,
};

/// A policy file, TOML or JSON by its name's end, read again whenever its content is another.
///
/// It is looked at once a second, under its name: a file that is renamed over it, as most editors do, and a link that is turned
/// elsewhere, as Kubernetes does with a mounted `ConfigMap`, are seen like a file that is written in place. Content counts,
/// not times: what is written again unchanged is no change.
///
/// A file that was written less than a quarter of a second ago is read again after that time until it rests, so that half of
/// it is not taken for the whole. Whoever writes slowly, over a network or by hand, writes another file and renames it.
///
/// Revisions begin at the time of day, in seconds, and grow by one with every content; so they go on growing when the service
/// starts again. They mean nothing on another node.
///
/// ```
/// use std::sync::Arc;
/// use bartizan_core::os;
/// use bartizan_rbac::{PolicyFile, SourceError};
///
/// fn source() -> Result<PolicyFile, SourceError> {
///     PolicyFile::at("/etc/clinic/policy.toml", Arc::new(os::SystemClock))
/// }
/// ```
pub struct PolicyFile {
    path: PathBuf,
    form: Form,
    clock: Arc<dyn Clock>,
    every: Duration,
    last: Mutex<Option<Last>>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Toml,
    Json,
}

/// The content that was loaded last.
struct Last {
    text: String,
    revision: Revision,
}

/// What was found under the name.
struct Found {
    bytes: Vec<u8>,
    modified: Option<SystemTime>,
}

/// How often it is looked at unless said otherwise.
const EVERY: Duration = Duration::from_secs(1);

/// How long a file has to rest before its content is believed.
const REST: Duration = Duration::from_millis(250);

/// So often a file is read again that does not come to rest.
const READINGS: usize = 20;

impl PolicyFile {
    /// The file of this name, which ends in `.toml` or `.json`. It is not looked at yet.
    ///
    /// # Errors
    /// [`SourceErrorKind::Config`] for another ending.
    pub fn at(path: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let path = path.into();
        let form = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => Form::Toml,
            Some("json") => Form::Json,
            _ => return Err(SourceErrorKind::Config.into()),
        };
        Ok(Self { path, form, clock, every: EVERY, last: Mutex::new(None) })
    }

    /// Looks at it so often: from 10 ms to a minute, and the nearer of them for what is beyond.
    #[must_use]
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.clamp(Duration::from_millis(10), Duration::from_secs(60));
        self
    }

    /// What stands there now, once it rests.
    async fn read(&self) -> Result<String, SourceError> {
        let mut found = self.look().await?;
        for _ in 0..READINGS {
            if self.rests(&found) {
                return String::from_utf8(found.bytes)
                    .map_err(|error| SourceError::because(SourceErrorKind::Malformed, error.utf8_error()));
            }
            self.clock.sleep(REST).await;
            let again = self.look().await?;
            // A clock that is not the one of the files' times says nothing: then two equal readings do.
            let is_same = again.bytes == found.bytes && again.modified == found.modified;
            found = if is_same { Found { modified: None, ..again } } else { again };
        }
        Err(SourceErrorKind::Busy.into())
    }

    fn rests(&self, found: &Found) -> bool {
        let Some(modified) = found.modified else { return true };
        // What is known to be the same already is not new, however young.
        if self.last().as_ref().is_some_and(|last| last.text.as_bytes() == found.bytes) {
            return true;
        }
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified = UnixTime::EPOCH.saturating_add(since);
        self.clock.wall().since(modified) >= REST
    }

    /// On a thread of its own: a disk, and more so a network's, may keep one waiting.
    async fn look(&self) -> Result<Found, SourceError> {
        let path = self.path.clone();
        let found = offload(move || look_at(&path)).await;
        found.unwrap_or_else(|| Err(SourceErrorKind::Busy.into()))
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the text is the one of this revision.
    fn is_at(&self, seen: Revision, text: &str) -> bool {
        self.last().as_ref().is_some_and(|last| last.revision == seen && last.text == text)
    }
}

#[async_trait]
impl PolicySource for PolicyFile {
    async fn load(&self) -> Result<Loaded, SourceError> {
        let text = self.read().await?;
        let revision = {
            let mut last = self.last();
            let revision = match &*last {
                Some(last) if last.text == text => last.revision,
                Some(last) => Revision(last.revision.0.saturating_add(1)),
                None => Revision(u64::try_from(self.clock.wall().as_secs()).unwrap_or_default().max(1)),
            };
            *last = Some(Last { text: text.clone(), revision });
            revision
        };
        let policy = match self.form {
            Form::Toml => PolicyText::Toml(text),
            Form::Json => PolicyText::Json(text),
        };
        Ok(Loaded::new(policy, [], revision))
    }

    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError> {
        if !self.is_at(seen, &self.read().await?) {
            return Ok(Changes::Everything);
        }
        self.clock.sleep(self.every).await;
        let is_same = self.is_at(seen, &self.read().await?);
        Ok(if is_same { Changes::Nothing } else { Changes::Everything })
    }
}

impl fmt::Debug for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyFile").field("path", &self.path).finish_non_exhaustive()
    }
}

fn look_at(path: &Path) -> Result<Found, SourceError> {
    // SECURITY: before it is opened: opening a pipe waits for somebody to write into it, and a device never ends.
    let metadata = fs::metadata(path).map_err(refused)?;
    if !metadata.is_file() {
        return Err(SourceErrorKind::Config.into());
    }
    let file = File::open(path).map_err(refused)?;
    // Of what was opened: the name may mean another file by now.
    let metadata = file.metadata().map_err(refused)?;
    let longest = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    if metadata.len() > longest {
        return Err(SourceErrorKind::TooLarge.into());
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(longest.saturating_add(1)).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() > MAX_FILE {
        return Err(SourceErrorKind::TooLarge.into());
    }
    Ok(Found { bytes, modified: metadata.modified().ok() })
}

fn refused(error: io::Error) -> SourceError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => SourceErrorKind::Missing,
        io::ErrorKind::PermissionDenied => SourceErrorKind::Config,
        _ => SourceErrorKind::Unavailable,
    };
    SourceError::because(kind, error)
}

#[cfg(test)]
mod tests;
