//! Which rules the tests of a policy reach.

use bartizan_rbac::{Effect, Policy};

use crate::support::policy;

const POLICY: &str = r#"version = 1
[permissions]
"note:read" = { scopes = ["own", "all"] }
"note:erase" = {}
[roles.reader]
allow = ["note:read:own", "note:read:all"]
[roles.chief]
inherits = ["reader"]
allow = ["note:erase"]
deny = ["note:read:own"]
"#;

fn with(tests: &[(&str, &str, &str, &str)]) -> Policy {
    let test = |(role, permission, resource, expect): &(&str, &str, &str, &str)| {
        format!(
            "[[tests]]\nrole = \"{role}\"\nsubject = \"ada\"\npermission = \"{permission}\"\nresource = {resource}\nexpect = \"{expect}\"\nbecause = \"so\"\n"
        )
    };
    policy(&format!("{POLICY}{}", tests.iter().map(test).collect::<String>()))
}

/// The rules that were reached, and the percent.
fn reached(policy: &Policy) -> (Vec<String>, usize) {
    let coverage = policy.coverage(&policy.run_tests());
    assert_eq!(coverage.rules().len(), 4);
    let reached = coverage.rules().iter().filter(|rule| rule.reached);
    let reached: Vec<String> =
        reached.map(|rule| format!("{} {} {}", rule.role, rule.effect.as_str(), rule.written)).collect();
    assert_eq!(coverage.reached(), reached.len());
    (reached, coverage.percent())
}

const ONES_OWN: &str = "{ owner = \"ada\" }";
const ANOTHERS: &str = "{ owner = \"bob\" }";

#[test]
fn a_rule_is_reached_when_it_decides_a_test() {
    assert_eq!(reached(&with(&[])), (vec![], 0));
    assert_eq!(
        reached(&with(&[("chief", "note:erase", "{}", "allow")])),
        (vec!["chief allow note:erase".to_owned()], 25)
    );
    // The rule of an inherited role, through its heir; and a denial that no rule made reaches none.
    let inherited =
        with(&[("chief", "note:read", ANOTHERS, "allow"), ("reader", "note:erase", "{}", "deny")]);
    assert_eq!(reached(&inherited), (vec!["reader allow note:read:all".to_owned()], 25));
    assert_eq!(
        reached(&with(&[("chief", "note:read", ONES_OWN, "deny")])),
        (vec!["chief deny note:read:own".to_owned()], 25)
    );
}

#[test]
fn the_report_names_what_no_test_reached() {
    let policy = with(&[("chief", "note:erase", "{}", "allow"), ("chief", "note:read", ONES_OWN, "deny")]);
    let coverage = policy.coverage(&policy.run_tests());
    assert_eq!(
        coverage.to_string(),
        "line 6: no test reaches reader: allow note:read:own\n\
         line 6: no test reaches reader: allow note:read:all\n\
         2 of 4 rules reached (50 %)\n"
    );
    let first = &coverage.rules()[0];
    assert_eq!((&*first.role, first.effect, first.line), ("chief", Effect::Allow, Some(9)));
    // Nothing to reach is reached.
    assert_eq!(Policy::default().coverage(&[]).percent(), 100);
}

#[test]
fn rules_that_differ_in_their_conditions_alone_are_told_apart() {
    let policy = policy(
        r#"version = 1
[permissions]
"note:read" = {}
[conditions.open]
equals = { "resource.open" = true }
[conditions.mine]
equals = { "resource.mine" = true }
[roles.reader]
allow = [{ permission = "note:read", when = "open" }, { permission = "note:read", when = "mine" }]
[[tests]]
role = "reader"
permission = "note:read"
resource = { attributes = { open = true } }
expect = "allow"
because = "it is open"
"#,
    );
    let coverage = policy.coverage(&policy.run_tests());
    assert_eq!(
        coverage.to_string(),
        "line 9: no test reaches reader: allow note:read when mine\n1 of 2 rules reached (50 %)\n"
    );
    let json = Policy::parse_json(
        r#"{"version": 1, "permissions": {"note:read": {}}, "roles": {"reader": {"allow": ["note:read"]}},
            "tests": [{"role": "reader", "permission": "note:read", "expect": "allow", "because": "so"}]}"#,
    )
    .unwrap();
    let coverage = json.coverage(&json.run_tests());
    assert_eq!((coverage.percent(), coverage.rules()[0].line), (100, None), "lines are not needed");
}
