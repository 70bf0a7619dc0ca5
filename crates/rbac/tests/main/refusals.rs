//! Every file in `tests/refused` is refused: its name says why, its first line with which kind, line and words.

use std::{collections::BTreeSet, fs, path::Path};

use bartizan_rbac::{Policy, presets};

#[test]
fn every_bad_file_is_refused_for_its_own_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let (mut wrong, mut kinds, mut files) = (Vec::new(), BTreeSet::new(), 0);
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let expected = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap();
        let mut parts = expected.splitn(3, "; ");
        let (kind, line, says) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap_or_default());
        files += 1;
        kinds.insert(kind.to_owned());
        match Policy::parse(&text) {
            Ok(_) => wrong.push(format!("{name}: accepted")),
            Err(error) => {
                let found = error.line().map_or("line -".to_owned(), |line| format!("line {line}"));
                let shown = error.to_string();
                let fits = format!("{:?}", error.kind()) == kind
                    && (found == line || line == "line -")
                    && shown.contains(says)
                    && shown.chars().all(|c| c == ' ' || c == '→' || c.is_ascii_graphic());
                if !fits {
                    wrong.push(format!("{name}: {:?}; {found}; {shown}", error.kind()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files >= 90 && kinds.len() >= 10, "{files} files, {kinds:?}");
}

#[test]
fn the_good_neighbours_of_the_bad_files_are_accepted() {
    for good in [
        "version = 1",
        "version = 1\n[permissions]\n\"note:read\" = { scopes = [\"own\", \"all\"], description = \"x\" }",
        "version = 1\n[permissions]\n\"note:read\" = { scopes = [\"team\", \"tenant\"] }\n[roles.a]\nallow = [\"note:read:all\"]",
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.a]\nallow = [\"note:read:all\"]\ndeny = [\"note:read\"]",
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.a]\nallow = [\"*:*\"]\n[roles.b]\nallow = [\"*:*:*\"]",
        "version = 1\n[permissions]\n\"note:read\" = { scopes = [\"own\"] }\n[roles.a]\nallow = [\"*:*:own\"]\ndeny = [\"*:*:team\"]",
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.a]\nfields = { note = [] }\nhide = { note = { except = [] } }",
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.a]\ninherits = [\"b\", \"c\"]\n[roles.b]\ninherits = [\"c\"]\n[roles.c]",
        presets::BEST_PRACTICES,
        presets::MICROSERVICES,
    ] {
        if let Err(error) = Policy::parse(good) {
            panic!("{error}\n{good}");
        }
    }
}

#[test]
fn lines_are_counted_the_same_with_carriage_returns() {
    let text = "version = 1\n[permissions]\n\"a:b\" = {}\n[roles.x]\nallow = [\n  \"a:b\",\n  \"a:c\",\n]\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        assert_eq!(Policy::parse(&text).unwrap_err().line(), Some(7));
    }
}
