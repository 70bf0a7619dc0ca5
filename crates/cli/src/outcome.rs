//! How a command ends: 0 done, 1 refused, 2 it could not be asked.

use std::{
    fmt,
    io::{self, BufWriter, StdoutLock, Write},
    process::ExitCode,
};

use bartizan::core::json;
use serde::Serialize;
use zeroize::Zeroizing;

/// How a command ended well enough to say so on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done, or verified.
    Done,
    /// Looked at and refused.
    Refused,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Refused => Self::from(1),
        }
    }
}

/// Why a command could not be carried out at all: exit 2.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// For people, on stderr.
    Because(String),
    /// Nobody reads stdout any more, as after `| head`: nothing is said.
    Unheard,
}

impl Unusable {
    pub(crate) fn new(why: impl fmt::Display) -> Self {
        Self::Because(why.to_string())
    }

    /// “what: why”.
    pub(crate) fn of(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::Because(format!("{what}: {why}"))
    }

    fn of_stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unheard,
            _ => Self::of("stdout", error),
        }
    }

    /// Says why on stderr.
    pub(crate) fn said(self) -> ExitCode {
        if let Self::Because(why) = self {
            note(why);
        }
        ExitCode::from(2)
    }
}

pub(crate) type Ended = Result<Outcome, Unusable>;

/// One line on stderr. Whether anybody reads it changes nothing.
pub(crate) fn note(message: impl fmt::Display) {
    let message = message.to_string().replace(char::is_control, "\u{fffd}");
    let _ = writeln!(io::stderr(), "bartizan: {message}");
}

/// A refusal, by a word that never changes.
#[derive(Serialize)]
struct Refusal {
    ok: bool,
    code: &'static str,
}

/// Says on stdout that it was refused.
pub(crate) fn refuse(code: &'static str) -> Ended {
    say(&Refusal { ok: false, code })?;
    Ok(Outcome::Refused)
}

/// One JSON text on one line of stdout.
pub(crate) fn say(value: &impl Serialize) -> Result<(), Unusable> {
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    json::write_one_line(value, &mut line)
        .map_err(|_| Unusable::new("the answer cannot be written as JSON"))?;
    let mut answers = Answers::new();
    answers.write(|out| out.write_all(&line))?;
    answers.flush()
}

/// One line of stdout that is JSON already.
pub(crate) fn say_line(line: &str) -> Result<(), Unusable> {
    let mut answers = Answers::new();
    answers.write(|out| out.write_all(line.as_bytes()))?;
    answers.flush()
}

/// Many lines of stdout, held back until they are flushed or many.
pub(crate) struct Answers(BufWriter<StdoutLock<'static>>);

impl Answers {
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 * 1024, io::stdout().lock()))
    }

    /// One line; its end is added.
    pub(crate) fn write(
        &mut self,
        line: impl FnOnce(&mut BufWriter<StdoutLock<'static>>) -> io::Result<()>,
    ) -> Result<(), Unusable> {
        line(&mut self.0).and_then(|()| self.0.write_all(b"\n")).map_err(|error| Unusable::of_stdout(&error))
    }

    pub(crate) fn flush(&mut self) -> Result<(), Unusable> {
        self.0.flush().map_err(|error| Unusable::of_stdout(&error))
    }
}
