//! The examples of README.md run as they stand there.

use std::process::Command;

use crate::{
    audit::write_log,
    support::{BARTIZAN, Folder},
};

const README: &str = include_str!("../../README.md");

#[test]
fn every_example_of_the_readme_runs() {
    let examples: Vec<&str> = README
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```\n"))
        .map(|(sh, _)| sh)
        .collect();
    assert!(examples.len() >= 6, "{} examples", examples.len());
    let folder = Folder::new();
    write_log(&folder);
    folder.write("examples.sh", examples.concat());
    // `bartizan` is the binary under test, wherever it was built.
    folder.write("path.sh", format!("bartizan() {{ '{BARTIZAN}' \"$@\"; }}\nset -eu\n. ./examples.sh\n"));
    let output = Command::new("sh").current_dir(folder.root()).arg("path.sh").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for answer in [
        "\"payload\":",
        "{\"ok\":true,\"needs_rehash\":false}",
        "\"tests\":1,\"failed\":[]",
        "{\"ok\":true,\"value\":\"078-05-1120\"}",
        "\"verdict\":\"consistent_to_checkpoint\"",
    ] {
        assert!(stdout.contains(answer), "{answer} is missing:\n{stdout}");
    }
    assert_eq!(stdout.matches("{\"ok\":true,\"claims\":").count(), 3, "{stdout}");
}

#[test]
fn every_command_stands_in_the_readme() {
    let help = Command::new(BARTIZAN).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(README.contains(&format!("`{command} ")), "{command}");
    }
}
