//! Running other programs, and telling the time of it.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use crate::problem::Problem;

/// Runs to the end; its output goes to ours, and it has no input.
pub(crate) fn must(command: &mut Command) -> Result<(), Problem> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Problem::new(format!("`{}` failed ({status})", shown(command))))
}

/// Runs to the end and answers its standard output; its messages go to ours.
pub(crate) fn output(command: &mut Command) -> Result<String, Problem> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if !output.status.success() {
        return Err(Problem::new(format!("`{}` failed ({})", shown(command), output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Problem::new(format!("`{}` printed what is not UTF-8", shown(command))))
}

/// Whether a program is there and answers this question with success; nothing is shown.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A count given on the command line.
pub(crate) fn number(word: &str, what: &str) -> Result<u64, Problem> {
    word.parse().map_err(|_| Problem::new(format!("{what} is a whole number, not `{word}`")))
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> Problem {
    Problem::new(format!("`{}` did not start: {error}", shown(command)))
}

#[expect(clippy::disallowed_methods, reason = "a command of the project tells how long its steps took.")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
