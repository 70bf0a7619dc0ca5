//! The quickstart says what it shows, and stays short enough to be read.
#![cfg(test)]

use std::process::Command;

#[test]
fn each_role_sees_what_the_policy_lets_it_see() {
    let output = Command::new(env!("CARGO_BIN_EXE_quickstart")).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let of = |who: &str| said.lines().find(|line| line.starts_with(who)).unwrap_or_default().to_owned();
    assert!(of("doctor").contains("sees 900-12-3456"), "{said}");
    assert!(of("nurse").contains("sees ***3456"), "{said}");
    assert!(of("visitor").contains("is denied"), "{said}");
    assert!(
        of("audit log").contains("5 entries, consistent to the log's own checkpoint of 5 entries"),
        "{said}"
    );
}

#[test]
fn it_fits_in_120_lines() {
    assert!(include_str!("../src/main.rs").lines().count() <= 120);
}
