//! Every limit at its exact number, and depth without end.

use std::fmt::Write;

use bartizan_core::Resource;
use bartizan_rbac::{ErrorKind, Policy};

use crate::support::{allows, policy, token, token_only};

fn kind_of(text: &str) -> Option<ErrorKind> {
    Policy::parse(text).err().map(|error| error.kind())
}

/// A policy of so many permissions and roles.
fn of_size(permissions: usize, roles: usize) -> String {
    let mut text = "version = 1\n[permissions]\n".to_owned();
    (0..permissions).for_each(|n| writeln!(text, "\"p{n}:a\"={{}}").unwrap());
    (0..roles).for_each(|n| writeln!(text, "[roles.r{n}]").unwrap());
    text
}

#[test]
fn a_file_of_sixteen_mebibytes_is_read_and_one_byte_more_is_not() {
    let mut text = "version = 1\n#".to_owned();
    text.push_str(&"x".repeat(16 * 1024 * 1024 - text.len()));
    assert_eq!(kind_of(&text), None);
    text.push('x');
    assert_eq!(kind_of(&text), Some(ErrorKind::TooLarge));
}

#[test]
fn a_hundred_thousand_roles_are_read_and_one_more_is_not() {
    assert_eq!(kind_of(&of_size(1, 100_000)), None);
    assert_eq!(kind_of(&of_size(1, 100_001)), Some(ErrorKind::TooLarge));
}

#[test]
fn two_hundred_thousand_permissions_are_read_and_one_more_is_not() {
    assert_eq!(kind_of(&of_size(200_000, 1)), None);
    assert_eq!(kind_of(&of_size(200_001, 1)), Some(ErrorKind::TooLarge));
}

#[test]
fn two_to_the_30_pairs_of_role_and_permission_are_read_and_more_are_not() {
    assert_eq!(kind_of(&of_size(32_768, 32_768)), None);
    assert_eq!(kind_of(&of_size(32_769, 32_768)), Some(ErrorKind::TooLarge));
}

#[test]
fn what_roles_say_is_counted_with_what_they_inherit() {
    // A hundred roles in a chain, 100,000 pairs each: what is written is small, and what would be kept is not.
    let mut text = of_size(100_000, 0);
    text.push_str("[roles.r0]\nallow = [\"*:*\"]\n");
    (1..100).for_each(|n| writeln!(text, "[roles.r{n}]\ninherits = [\"r{}\"]", n - 1).unwrap());
    assert_eq!(kind_of(&text), Some(ErrorKind::TooLarge));
}

#[test]
fn names_of_64_bytes_are_read_and_one_more_is_not() {
    let text = |n: usize| format!("version = 1\n[permissions]\n\"{}:a\" = {{}}\n", "p".repeat(n));
    assert_eq!((kind_of(&text(64)), kind_of(&text(65))), (None, Some(ErrorKind::Name)));
    let text = |n: usize| format!("version = 1\n[roles.{}]\n", "r".repeat(n));
    assert_eq!((kind_of(&text(64)), kind_of(&text(65))), (None, Some(ErrorKind::Name)));
}

#[test]
fn ten_thousand_roles_in_one_chain_inherit_to_the_end() {
    let mut text =
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.r0]\nallow = [\"note:read\"]\n".to_owned();
    (1..10_000).for_each(|n| writeln!(text, "[roles.r{n}]\ninherits = [\"r{}\"]", n - 1).unwrap());
    let engine = token_only(policy(&text));
    let last = token("north", "ada", &["r9999"]);
    assert!(allows(&engine, &last, "note:read", Resource::record("north", "note", "n")));
    let rule = engine.explain(&bartizan_core::Ask::new(
        &last,
        bartizan_core::PermissionName::parse("note:read").unwrap(),
        Resource::record("north", "note", "n"),
        bartizan_core::UnixTime::EPOCH,
    ));
    assert_eq!(rule.rule().unwrap().path().count(), 10_000);
}

#[test]
fn a_ladder_of_diamonds_is_compiled_once_a_step() {
    let mut text =
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.l0]\nallow = [\"note:read\"]\n[roles.r0]\n"
            .to_owned();
    for n in 1..4_000 {
        for side in ["l", "r"] {
            writeln!(text, "[roles.{side}{n}]\ninherits = [\"l{}\", \"r{}\"]", n - 1, n - 1).unwrap();
        }
    }
    let engine = token_only(policy(&text));
    assert!(allows(
        &engine,
        &token("north", "ada", &["r3999"]),
        "note:read",
        Resource::record("north", "note", "n")
    ));
}

#[test]
fn deep_nesting_and_long_lists_neither_panic_nor_take_forever() {
    for text in [
        format!("version = 1\nx = {}", "[".repeat(200_000)),
        format!("version = 1\nx = {}1{}", "{a=".repeat(100_000), "}".repeat(100_000)),
        format!("version = 1\n{}", "[a.".repeat(100_000)),
        format!("version = 1\n[{}]", vec!["a"; 100_000].join(".")),
    ] {
        assert_eq!(kind_of(&text), Some(ErrorKind::Syntax));
    }
}

#[test]
fn field_sets_that_multiply_are_refused_before_they_do() {
    // Each role of a chain adds 20 fields to all that it inherits: 12 million names if all sets were kept.
    let mut text =
        "version = 1\n[permissions]\n\"note:read\" = {}\n[roles.r0]\nallow = [\"note:read\"]\n".to_owned();
    for n in 1..1_100 {
        let fields: Vec<String> = (0..20).map(|field| format!("f{n}x{field}")).collect();
        writeln!(text, "[roles.r{n}]\ninherits = [\"r{}\"]\nfields.note = {fields:?}", n - 1).unwrap();
    }
    assert_eq!(kind_of(&text), Some(ErrorKind::TooLarge));
}
