//! `bartizan password breached`.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter},
    path::{Path, PathBuf},
};

use bartizan::passwords::{BreachedBuilder, BreachedFilter, BreachedSummary, Error, ErrorKind};
use serde::Serialize;

use crate::{
    args::Breached,
    input::SecretSource,
    outcome::{Ended, Outcome, Unusable, note, refuse, say},
};

pub(super) fn run(command: &Breached) -> Ended {
    match command {
        Breached::Build { hashes, passwords, least, one_in, out } => {
            build(&Lists { hashes, passwords, least: *least }, *one_in, out)
        }
        Breached::Check { filter, password } => check(filter, password),
        Breached::Verify { filter } => verify(filter),
    }
}

pub(super) fn opened(path: &Path) -> Result<BreachedFilter, Unusable> {
    let file = File::open(path).map_err(|error| Unusable::of(path.display(), error))?;
    BreachedFilter::from_file(file).map_err(|error| Unusable::of(path.display(), error))
}

#[derive(Serialize)]
struct Built {
    entries: u64,
    bytes: u64,
    false_positive_rate: f64,
    skipped: u64,
}

struct Lists<'a> {
    hashes: &'a [PathBuf],
    passwords: &'a [PathBuf],
    least: u64,
}

fn build(lists: &Lists<'_>, one_in: u32, out: &Path) -> Ended {
    // First of all: hours of sorting are not lost to a file that cannot be written.
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    let file = file.map_err(|error| Unusable::of(out.display(), error))?;
    let made = Parts::beside(out).and_then(|parts| {
        let summary = lists.built(BreachedBuilder::new(&parts.0).one_in(one_in), &file)?;
        file.sync_all().map_err(|error| Unusable::of(out.display(), error))?;
        Ok(summary)
    });
    let summary = made.inspect_err(|_| {
        // Half a file is none. That it stays behind would be said by whoever opens it.
        let _ = fs::remove_file(out);
    })?;
    say(&Built {
        entries: summary.entries(),
        bytes: summary.bytes(),
        false_positive_rate: summary.false_positive_rate(),
        skipped: summary.skipped(),
    })?;
    Ok(Outcome::Done)
}

impl Lists<'_> {
    fn built(&self, mut builder: BreachedBuilder, out: &File) -> Result<BreachedSummary, Unusable> {
        for path in self.hashes {
            let before = builder.lines();
            let read = builder.read_hashes(lines_of(path)?, self.least, &mut progress);
            read.map_err(|error| unusable(path, &error, builder.lines() - before))?;
        }
        for path in self.passwords {
            let before = builder.lines();
            let read = builder.read_passwords(lines_of(path)?, &mut progress);
            read.map_err(|error| unusable(path, &error, builder.lines() - before))?;
        }
        note(format_args!("{} lines read; sorting", builder.lines()));
        let mut out = BufWriter::with_capacity(PIECE, out);
        builder.finish(&mut out).map_err(|error| Unusable::of("the file of breached passwords", error))
    }
}

/// A folder of our own, removed with all that is in it.
struct Parts(PathBuf);

impl Parts {
    fn beside(out: &Path) -> Result<Self, Unusable> {
        let mut name = OsString::from(out);
        name.push(".parts");
        let path = PathBuf::from(name);
        fs::create_dir(&path).map_err(|error| Unusable::of(path.display(), error))?;
        Ok(Self(path))
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // The builder has removed its files; what else is in there is not ours.
        let _ = fs::remove_dir(&self.0);
    }
}

fn lines_of(path: &Path) -> Result<Box<dyn BufRead>, Unusable> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(PIECE, io::stdin())));
    }
    let file = File::open(path).map_err(|error| Unusable::of(path.display(), error))?;
    Ok(Box::new(BufReader::with_capacity(PIECE, file)))
}

fn progress(lines: u64) {
    if lines.is_multiple_of(10_000_000) {
        note(format_args!("{} million lines", lines / 1_000_000));
    }
}

fn unusable(path: &Path, error: &Error, line: u64) -> Unusable {
    match error.kind() {
        ErrorKind::List => Unusable::of(path.display(), format_args!("line {line} is no hash")),
        _ => Unusable::of(path.display(), error),
    }
}

#[derive(Serialize)]
struct Unknown {
    ok: bool,
}

fn check(filter: &Path, password: &SecretSource) -> Ended {
    let filter = opened(filter)?;
    match filter.contains(&password.read()?) {
        Ok(true) => refuse("breached"),
        Ok(false) => {
            say(&Unknown { ok: true })?;
            Ok(Outcome::Done)
        }
        Err(error) if error.kind() == ErrorKind::TooLong => Err(Unusable::of("the password", error)),
        Err(error) => Err(Unusable::of("the file of breached passwords", error)),
    }
}

#[derive(Serialize)]
struct Whole {
    ok: bool,
    entries: u64,
    false_positive_rate: f64,
}

fn verify(path: &Path) -> Ended {
    let file = File::open(path).map_err(|error| Unusable::of(path.display(), error))?;
    let read = BreachedFilter::from_file(file).and_then(|filter| filter.verify().map(|()| filter));
    match read {
        Ok(filter) => {
            say(&Whole {
                ok: true,
                entries: filter.len(),
                false_positive_rate: filter.false_positive_rate(),
            })?;
            Ok(Outcome::Done)
        }
        Err(error) if error.kind() == ErrorKind::Filter => refuse("damaged"),
        Err(error) => Err(Unusable::of(path.display(), error)),
    }
}

const PIECE: usize = 1024 * 1024;
