//! Files that ask for more work or room than they are worth, and nesting without end.

use std::fmt::Write;

use bartizan_rbac::{ErrorKind, Policy};

fn read(text: &str) -> Result<(), ErrorKind> {
    Policy::parse(text).map(drop).map_err(|error| error.kind())
}

fn roles(count: usize) -> String {
    let mut text = "version = 1\n".to_owned();
    (0..count).for_each(|n| writeln!(text, "[roles.r{n}]").unwrap());
    text
}

/// A set of heirs for each of so many prerequisites took gigabytes.
#[test]
fn prerequisites_of_many_roles_take_no_gigabytes() {
    let required: Vec<String> = (0..64).map(|n| format!("\"q{n}\"")).collect();
    let mut text = "version = 1\n".to_owned();
    (0..64).for_each(|n| writeln!(text, "[roles.q{n}]").unwrap());
    (0..500).for_each(|n| writeln!(text, "[roles.r{n}]\nrequires = [{}]", required.join(",")).unwrap());
    assert_eq!(read(&text), Ok(()));
    let mut text = "version = 1\n".to_owned();
    (0..30_000).for_each(|n| writeln!(text, "[roles.r{n}]\nmax_holders = 1").unwrap());
    assert_eq!(read(&text), Err(ErrorKind::TooLarge));
}

/// Whose roles are none of a separation's is passed over, and the one whose are is found.
#[test]
fn one_broken_separation_is_found_among_many_assignments() {
    let mut text = roles(1_000);
    text.push_str(
        "[roles.heir]\ninherits = [\"r7\"]\n[separation.s]\nkind = \"static\"\nroles = [\"r7\", \"r8\"]\n",
    );
    (0..4_000).for_each(|n| {
        writeln!(text, "[[assignments]]\ntenant = \"t\"\nsubject = \"s{n}\"\nrole = \"r{}\"", n % 1_000)
            .unwrap();
    });
    assert_eq!(read(&text), Ok(()));
    text.push_str("[[assignments]]\ntenant = \"t\"\nsubject = \"s8\"\nrole = \"heir\"\n");
    assert_eq!(read(&text), Err(ErrorKind::Constraint));
}

#[test]
fn nesting_without_end_is_an_error_and_no_overflow() {
    for open in ["[", "{\"a\":"] {
        let text = format!("{{\"version\":1,\"roles\":{}", open.repeat(1 << 14));
        assert_eq!(Policy::parse_json(&text).unwrap_err().kind(), ErrorKind::Syntax);
    }
    for open in ["[", "{a=", "{a.a=["] {
        let text = format!("version = 1\nroles = {}", open.repeat(1 << 14));
        assert_eq!(Policy::parse(&text).unwrap_err().kind(), ErrorKind::Syntax);
    }
    let text = format!("version = 1\n[{}]\n", vec!["a"; 10_000].join("."));
    assert_eq!(Policy::parse(&text).unwrap_err().kind(), ErrorKind::Syntax);
}

#[test]
fn a_doubled_member_or_a_number_of_another_kind_is_refused_in_json() {
    for text in [
        r#"{"version":1,"version":1}"#,
        r#"{"version":1,"roles":{"r":{},"r":{"allow":["a:b"]}}}"#,
        "{\"version\":1,\"roles\":{\"r\":{},\"\\u0072\":{}}}",
        r#"{"version":1.0}"#,
        r#"{"version":1e0}"#,
        r#"{"version":18446744073709551617}"#,
        r#"{"version":true}"#,
        r#"{"version":null}"#,
        r#"{"version":1} {}"#,
        "\u{feff}{\"version\":1}",
        r#"{"version":1,"roles":{"r":{"max_holders":-1}}}"#,
        r#"{"version":1,"roles":{"r":{"max_holders":4294967296}}}"#,
    ] {
        assert!(Policy::parse_json(text).is_err(), "{text}");
    }
    Policy::parse_json(r#"{"version":1}"#).unwrap();
}

/// Every decision may look at all of them.
#[test]
fn a_role_has_64_conditional_rules_of_one_permission_itself_and_one_more_is_refused() {
    let of = |count: usize| {
        let mut text = "version = 1\n[permissions]\n\"a:a\" = {}\n".to_owned();
        (0..count).for_each(|n| writeln!(text, "[conditions.c{n}]\nacr = [\"{n}\"]").unwrap());
        text.push_str("[roles.r]\nallow = [");
        (0..count).for_each(|n| write!(text, "{{ permission = \"a:a\", when = \"c{n}\" }},").unwrap());
        text.push_str("]\n");
        read(&text)
    };
    assert_eq!(of(64), Ok(()));
    assert_eq!(of(65), Err(ErrorKind::TooLarge));
}
