//! The published JSON Schema says of a policy's structure what the parser says.

use std::{collections::BTreeSet, fs, path::Path};

use bartizan_rbac::{POLICY_SCHEMA, Policy, presets};
use serde_json::{Value, json};

use crate::{
    validator::Validator,
    world::{Dice, World},
};

/// What is wrong with a document, by the schema; nothing when it is a policy.
fn complaint(schema: &Validator, toml: &str) -> Option<String> {
    let document: Value = toml::from_str(toml).unwrap();
    schema.check(&document).err()
}

fn schema() -> Validator {
    Validator::new(serde_json::from_str(POLICY_SCHEMA).unwrap())
}

/// The files of a folder beside this crate's tests: name and text.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn what_the_parser_accepts_the_schema_accepts() {
    let schema = schema();
    for policy in [presets::BEST_PRACTICES, presets::MICROSERVICES] {
        assert_eq!(complaint(&schema, policy), None);
    }
    for (name, text) in files("accepted") {
        if let Err(error) = Policy::parse(&text) {
            panic!("{name}: {error}");
        }
        assert_eq!(complaint(&schema, &text), None, "{name}");
        let json = toml::from_str::<Value>(&text).unwrap().to_string();
        if let Err(error) = Policy::parse_json(&json) {
            panic!("{name} as JSON: {error}");
        }
    }
    for seed in 0..64 {
        let mut dice = Dice::new(seed);
        let text = World::random(&mut dice).to_toml(&mut dice);
        assert_eq!(complaint(&schema, &text), None, "seed {seed}\n{text}");
    }
}

/// The kinds of mistakes that a schema sees; the others are about what names mean.
const OF_STRUCTURE: [&str; 4] = ["Syntax", "Version", "Name", "Test"];

#[test]
fn the_schema_refuses_whatever_has_the_wrong_structure() {
    let (schema, mut missed, mut refused) = (schema(), Vec::new(), 0);
    for (name, text) in files("refused") {
        let Ok(document) = toml::from_str::<Value>(&text) else { continue };
        let kind = text.trim_start_matches("# ").split(';').next().unwrap_or_default();
        match schema.check(&document) {
            Err(_) => refused += 1,
            Ok(()) if OF_STRUCTURE.contains(&kind) => missed.push(name),
            Ok(()) => {}
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
    assert!(refused >= 60, "{refused}");
}

#[test]
fn the_accepted_files_use_every_key_of_the_schema() {
    let (schema, mut used) = (schema(), BTreeSet::new());
    for (_, text) in files("accepted") {
        let document: Value = toml::from_str(&text).unwrap();
        schema.visit(&document, &mut used);
    }
    let unused: Vec<String> = schema.properties().difference(&used).cloned().collect();
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn examples_in_the_schema_are_what_they_exemplify() {
    let schema = schema();
    let wrong: Vec<String> = schema.wrong_examples();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_key_of_the_schema_is_explained() {
    let silent = schema().silent_properties();
    assert!(silent.is_empty(), "{silent:#?}");
}

/// One value after the other is taken away or made another: where the parser sees a wrong structure, the schema does too, and what
/// the parser still accepts, it accepts.
#[test]
fn schema_and_parser_judge_broken_structure_alike() {
    let (schema, mut unlike, mut both) = (schema(), Vec::new(), [0, 0]);
    for (_, text) in files("accepted") {
        let document: Value = toml::from_str(&text).unwrap();
        let others =
            [None, Some(json!(7)), Some(json!("")), Some(json!("No!")), Some(json!([])), Some(json!({}))];
        let mut places = Vec::new();
        places_in(&document, String::new(), &mut places);
        for (index, pointer) in places.iter().enumerate() {
            // Every place is taken away once; of the other values, each place has its turn with two.
            let turn = |other: usize| other == 0 || other % 5 == index % 5 || other % 5 == (index + 2) % 5;
            for (_, other) in others.iter().enumerate().filter(|(other, _)| turn(*other)) {
                let mut changed = document.clone();
                put(&mut changed, pointer, other.as_ref());
                let parsed = Policy::parse_untested(&toml::to_string(&changed).unwrap());
                let complaint = schema.check(&changed).err();
                match (&parsed, &complaint) {
                    (Ok(_), None) => both[0] += 1,
                    (Err(_), Some(_)) => both[1] += 1,
                    (Ok(_), Some(complaint)) => {
                        unlike.push(format!("{pointer} = {other:?}: only the schema refuses: {complaint}"))
                    }
                    (Err(error), None) if OF_STRUCTURE.contains(&&*format!("{:?}", error.kind())) => {
                        unlike.push(format!("{pointer} = {other:?}: only the parser refuses: {error}"));
                    }
                    (Err(_), None) => {}
                }
            }
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
    assert!(both[0] > 100 && both[1] > 350, "{both:?}");
}

/// Every member and element.
fn places_in(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                places_in(member, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        Value::Array(elements) => {
            // Of a list of texts one is enough.
            let several = if elements.iter().all(Value::is_string) { 1 } else { elements.len() };
            for (index, element) in elements.iter().take(several).enumerate() {
                places_in(element, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
    if !at.is_empty() {
        places.push(at);
    }
}

/// Takes a member or element away, or makes it another.
fn put(document: &mut Value, pointer: &str, other: Option<&Value>) {
    if let Some(other) = other {
        *document.pointer_mut(pointer).unwrap() = other.clone();
        return;
    }
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(elements) => drop(elements.remove(last.parse().unwrap())),
        Value::Object(members) => drop(members.remove(&last.replace("~1", "/").replace("~0", "~"))),
        _ => panic!("a pointer leads through lists and tables"),
    }
}

#[test]
fn a_key_more_is_refused_in_every_table_that_has_keys() {
    let schema = schema();
    for (name, text) in files("accepted") {
        let document: Value = toml::from_str(&text).unwrap();
        let mut tables = Vec::new();
        tables_in(&document, String::new(), &mut tables);
        // Attributes of a test may be called what the program calls them.
        for pointer in tables.into_iter().filter(|pointer| !pointer.ends_with("/attributes")) {
            let mut changed = document.clone();
            // No name of a role, a permission, a field or an attribute looks like this.
            changed
                .pointer_mut(&pointer)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .insert("No such key!".into(), true.into());
            assert!(schema.check(&changed).is_err(), "{name}: {pointer}");
            let toml = toml::to_string(&changed).unwrap();
            assert!(Policy::parse(&toml).is_err(), "{name}: {pointer}");
        }
    }
}

fn tables_in(value: &Value, at: String, tables: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                tables_in(member, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), tables);
            }
            tables.push(at);
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                tables_in(element, format!("{at}/{index}"), tables);
            }
        }
        _ => {}
    }
}
