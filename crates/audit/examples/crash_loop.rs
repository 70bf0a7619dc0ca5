//! Kills a writing process so many times (1,000 unless told) and looks for what it was promised:
//! `cargo run -p bartizan-audit --example crash_loop -- 1000`. Ends with 0 when nothing is lost.

use std::{error::Error, path::Path, process::Command};

#[path = "../tests/main/kill_loop.rs"]
mod kill_loop;

/// A new log after so many kills, so that reading it all again each time stays quick.
const KILLS_A_LOG: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *arguments.as_slice() {
        ["append", directory, next] => {
            let next: i64 = next.parse()?;
            kill_loop::append(Path::new(directory), next, i64::MAX - next)
        }
        [] => kill(1_000),
        [kills] => kill(kills.parse()?),
        _ => Err("usage: crash_loop [KILLS]".into()),
    }
}

fn kill(kills: usize) -> Result<(), Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let directory = tempfile::tempdir()?;
    let child = |directory: &Path, next: i64| {
        let mut command = Command::new(&program);
        command.arg("append").arg(directory).arg(next.to_string());
        command
    };
    let (mut done, mut acknowledged, mut unclean, mut log) = (0, 0, 0, 0);
    while done < kills {
        let directory = directory.path().join(format!("log-{log}"));
        let tally = kill_loop::run(KILLS_A_LOG.min(kills - done), &directory, child)?;
        done += tally.kills;
        acknowledged += tally.acknowledged;
        unclean += tally.unclean;
        log += 1;
    }
    println!(
        "{done} kills, {unclean} in the middle of something; {acknowledged} facts kept, none that was acknowledged lost"
    );
    Ok(())
}
