//! Real kills of a real process on the real disk.

use std::{path::Path, process::Command};

use bartizan_audit::{Query, Reader};
use bartizan_core::os;

use crate::kill_loop;

const DIRECTORY: &str = "BARTIZAN_TEST_KILL_DIRECTORY";
const NEXT: &str = "BARTIZAN_TEST_KILL_NEXT";

#[test]
fn no_acknowledged_fact_is_lost_in_60_kills() {
    let directory = tempfile::tempdir().unwrap();
    let child = |directory: &Path, next: i64| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kills::the_child_keeps_what_it_says", "--nocapture"]);
        command.env(DIRECTORY, directory).env(NEXT, next.to_string());
        command
    };
    let tally = kill_loop::run(60, &directory.path().join("log"), child).unwrap();
    assert!(tally.kills >= 40 && tally.acknowledged > 100, "{tally:?}");
}

/// By itself a short life; with a directory in the environment the process that is killed.
#[test]
fn the_child_keeps_what_it_says() {
    if let (Some(directory), Some(next)) = (os::environment(DIRECTORY), os::environment(NEXT)) {
        let next = next.expose().parse().unwrap();
        return kill_loop::append(Path::new(directory.expose()), next, i64::MAX - next).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("log");
    kill_loop::append(&directory, 5, 20).unwrap();
    let reader = Reader::open(&directory).unwrap();
    let count = reader.entries(Query::new().event("failed_login")).unwrap().count();
    assert!(count >= 20, "{count}");
}
