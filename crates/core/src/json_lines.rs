//! A recorder that writes one JSON object a line.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

use crate::{Error, ErrorKind, Fact, NotRecorded, Recorder, Ticket, json};

/// One JSON object a line, written in the calling thread: enough for a small program and for tests.
///
/// It is no tamper-evident log (see `bartizan-audit`), and after its first failed write it records nothing more, so that
/// no line ever follows a torn one.
///
/// ```
/// use bartizan_core::JsonLines;
///
/// let recorder = JsonLines::to_writer(Vec::new());
/// ```
pub struct JsonLines {
    medium: Mutex<Medium>,
}

struct Medium {
    to: To,
    written: u64,
    durable: u64,
    broken: bool,
    line: Vec<u8>,
}

enum To {
    File(File),
    Writer(Box<dyn Write + Send>),
}

impl JsonLines {
    /// Appends to a file, made with mode 0600 if it is absent. Durable means `fdatasync`.
    ///
    /// A line that an earlier program left torn is ended first, so that it stays alone what it is: no record.
    ///
    /// # Errors
    /// [`ErrorKind::File`] when it cannot be opened.
    pub fn append_to(path: &Path) -> Result<Self, Error> {
        Self::open(path).map_err(|_| Error::new(ErrorKind::File))
    }

    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() == 0 {
            // `fdatasync` keeps the bytes of a file; only its folder keeps that there is one.
            sync_folder(path)?;
        } else if metadata.is_file() && !ends_a_line(path)? {
            file.write_all(b"\n")?;
        }
        Ok(Self::over(To::File(file)))
    }

    /// Writes to any writer. Durable means flushed, and no more than that.
    #[must_use]
    pub fn to_writer(writer: impl Write + Send + 'static) -> Self {
        Self::over(To::Writer(Box::new(writer)))
    }

    fn over(to: To) -> Self {
        Self { medium: Mutex::new(Medium { to, written: 0, durable: 0, broken: false, line: Vec::new() }) }
    }
}

impl Recorder for JsonLines {
    fn record(&self, fact: &Fact<'_>) -> Result<Ticket, NotRecorded> {
        let mut medium = self.medium.lock().unwrap_or_else(PoisonError::into_inner);
        medium.write(fact).map(Ticket).map_err(|_| NotRecorded)
    }

    fn poll_durable(&self, ticket: Ticket, _: &mut Context<'_>) -> Poll<Result<(), NotRecorded>> {
        let mut medium = self.medium.lock().unwrap_or_else(PoisonError::into_inner);
        Poll::Ready(medium.sync(ticket.0).map_err(|_| NotRecorded))
    }
}

impl Medium {
    fn write(&mut self, fact: &Fact<'_>) -> io::Result<u64> {
        self.check()?;
        self.line.clear();
        json::write_one_line(fact, &mut self.line).map_err(io::Error::other)?;
        self.line.push(b'\n');
        let written = match &mut self.to {
            To::File(file) => file.write_all(&self.line),
            To::Writer(writer) => writer.write_all(&self.line),
        };
        self.keep(written)?;
        self.written += 1;
        Ok(self.written)
    }

    fn sync(&mut self, upto: u64) -> io::Result<()> {
        if upto <= self.durable {
            return Ok(());
        }
        self.check()?;
        let synced = match &mut self.to {
            To::File(file) => file.sync_data(),
            To::Writer(writer) => writer.flush(),
        };
        self.keep(synced)?;
        self.durable = self.written;
        Ok(())
    }

    fn check(&self) -> io::Result<()> {
        if self.broken { Err(io::Error::other("an earlier write failed")) } else { Ok(()) }
    }

    /// After a failed write or sync nobody knows what the medium holds: nothing may follow.
    fn keep(&mut self, done: io::Result<()>) -> io::Result<()> {
        self.broken |= done.is_err();
        done
    }
}

fn ends_a_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened, and needs not be.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JsonLines")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};

    use super::*;
    use crate::{Origin, Outcome, Subject, Target, UnixTime, code};

    struct Channel(mpsc::Sender<Vec<u8>>, usize);

    impl Write for Channel {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.1 == 0 {
                return Err(io::Error::other("full"));
            }
            self.1 -= 1;
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn claimed(subject: &str) -> Fact<'_> {
        Fact::new(
            code::PERMISSION_DENIED,
            Outcome::Denied,
            UnixTime::from_secs(0),
            Subject::Claimed { tenant: "-", subject },
            Target::Named { kind: "route", name: "/login" },
            Origin::service("test"),
        )
    }

    #[test]
    fn hostile_text_stays_on_one_line_and_reads_back() {
        let (sender, lines) = mpsc::channel();
        let recorder = Arc::new(JsonLines::to_writer(Channel(sender, usize::MAX)));
        let hostile = "a\r\nb\u{85}c\u{2028}d\u{1b}[2Je\u{202e}f\0g\u{7f}\"}\u{2066}";
        recorder.record(&claimed(hostile)).unwrap();
        let line = String::from_utf8(lines.recv().unwrap()).unwrap();
        assert_eq!(
            line.matches(|c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)).count(),
            1,
            "{line:?}"
        );
        assert!(line.ends_with('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["claimed_subject"], hostile);
    }

    #[test]
    fn nothing_follows_a_failed_write() {
        let (sender, lines) = mpsc::channel();
        let recorder = JsonLines::to_writer(Channel(sender, 1));
        assert!(recorder.record(&claimed("one")).is_ok());
        assert_eq!(recorder.record(&claimed("two")), Err(NotRecorded));
        assert_eq!(recorder.record(&claimed("three")), Err(NotRecorded));
        drop(recorder);
        assert_eq!(lines.iter().count(), 1);
    }
}
