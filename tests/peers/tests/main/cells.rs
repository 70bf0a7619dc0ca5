//! A second implementation of cell v1, in Python over `cryptography`, computes every golden vector anew.
//!
//! The crate's own tests compare the same vectors with what both providers make, so the two implementations agree.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::support::setting;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/envelope/corpus")
}

fn check(corpus: &Path) -> Output {
    let mut command = Command::new(setting("BARTIZAN_TEST_PYTHON"));
    command.arg(corpus.join("check.py")).output().expect("Python starts")
}

#[test]
fn another_implementation_computes_the_same_bytes() {
    let output = check(&corpus());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let checked: u32 = said.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a count");
    assert!(checked > 50 && said.trim_end().ends_with("0 differ"), "{said}");
}

#[test]
fn a_vector_with_one_digit_changed_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(corpus().join("check.py"), folder.path().join("check.py")).expect("the script");
    fs::create_dir(folder.path().join("v1-draft")).expect("a folder");
    for entry in fs::read_dir(corpus().join("v1-draft")).expect("vectors") {
        let from = entry.expect("a file").path();
        let to = folder.path().join("v1-draft").join(from.file_name().expect("a name"));
        let mut text = fs::read_to_string(&from).expect("a vector file");
        if from.ends_with("cells.json") {
            // A cell starts with its magic byte, version, suite and flags; one digit of the key id that follows.
            let at = text.find("\"fb010100").expect("a cell") + "\"fb010100".len();
            let digit = if text.as_bytes()[at] == b'0' { "1" } else { "0" };
            text.replace_range(at..=at, digit);
        }
        fs::write(to, text).expect("a copy");
    }
    let output = check(folder.path());
    assert!(!output.status.success(), "{output:?}");
}
