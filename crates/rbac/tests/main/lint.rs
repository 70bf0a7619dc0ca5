//! Each lint: a policy that has it, and its nearest neighbour that has not.

use bartizan_core::{Clock, UnixTime, os};
use bartizan_rbac::{Assignments, Engine, Finding, Lint, Policy};

use crate::support::{policy, token_only};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

const CATALOGUE: &str = "version = 1
[permissions]
\"note:read\" = { scopes = [\"own\", \"all\"] }
\"note:erase\" = {}
\"bill:pay\" = {}
";

/// Every permission is used here, so that nothing else is found.
const BASE: &str = "[roles.base]
allow = [\"note:read:all\", \"note:erase\", \"bill:pay\"]
";

fn with(text: &str) -> Policy {
    policy(&format!("{CATALOGUE}{text}"))
}

fn lines(found: Vec<Finding>) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
}

/// What is found in the policy itself.
#[track_caller]
fn finds(text: &str, expected: &[&str]) {
    assert_eq!(lines(with(text).lint()), expected, "{text}");
}

/// What is found with the assignments of the file.
#[track_caller]
fn finds_held(text: &str, expected: &[&str]) {
    let policy = with(text);
    let held = policy.assignments();
    let engine = Engine::new(policy, Assignments::Held(held));
    assert_eq!(lines(engine.snapshot().lint(NOW)), expected, "{text}");
}

fn based(text: &str) -> String {
    format!("{BASE}{text}")
}

fn held(subject: &str, role: &str, more: &str) -> String {
    format!("[[assignments]]\ntenant = \"north\"\nsubject = \"{subject}\"\nrole = \"{role}\"\n{more}\n")
}

#[test]
fn what_no_rule_uses() {
    finds(BASE, &[]);
    finds(
        "[roles.r]\nallow = [\"note:read:own\", \"note:erase\"]",
        &["line 5: unused-permission: no role allows bill:pay"],
    );
    finds(
        "[roles.r]\nallow = [\"note:read:own\", \"note:erase\"]\ndeny = [\"bill:pay\"]",
        &[
            "line 5: unused-permission: no role allows bill:pay",
            "line 8: dead-deny: r: deny bill:pay takes what no role gives",
        ],
    );
    let condition = "[conditions.day]\nmfa_within = \"1h\"\n";
    finds(&based(condition), &["unused-condition: no rule names condition day"]);
    finds(
        &based(&format!("{condition}[roles.r]\nallow = [{{ permission = \"bill:pay\", when = \"day\" }}]")),
        &[],
    );
}

#[test]
fn a_rule_that_adds_nothing() {
    finds(
        &based("[roles.r]\nallow = [\"note:read:own\", \"note:read:all\"]"),
        &["line 9: shadowed: r: allow note:read:own adds nothing to what the role has without it"],
    );
    finds(
        &based("[roles.r]\ninherits = [\"base\"]\nallow = [\"note:erase\"]"),
        &[
            "line 8: duplicate-roles: r may do exactly what base may",
            "line 10: shadowed: r: allow note:erase adds nothing to what the role has without it",
        ],
    );
    finds(
        &based("[roles.r]\nallow = [\"note:*:all\", \"note:erase\"]"),
        &["line 9: shadowed: r: allow note:erase adds nothing to what the role has without it"],
    );
    // A condition more or a wider reach adds something; a deny is no allow.
    let day = "[conditions.day]\nmfa_within = \"1h\"\n";
    finds(
        &based(&format!(
            "{day}[roles.r]\nallow = [\"note:read:own\", {{ permission = \"note:read:all\", when = \"day\" }}]"
        )),
        &[],
    );
    finds(
        &based(&format!(
            "{day}[roles.r]\nallow = [\"note:read:all\", {{ permission = \"note:read:own\", when = \"day\" }}]"
        )),
        &["line 11: shadowed: r: allow note:read:own when day adds nothing to what the role has without it"],
    );
}

#[test]
fn a_rule_that_is_denied_beside_it() {
    finds(
        &based("[roles.r]\nallow = [\"note:erase\"]\ndeny = [\"note:erase\"]"),
        &["line 9: denied: r: allow note:erase is denied by the same role"],
    );
    finds(
        &based("[roles.no]\ndeny = [\"note:*\"]\n[roles.r]\ninherits = [\"no\"]\nallow = [\"note:erase\"]"),
        &["line 12: denied: r: allow note:erase is denied by the same role"],
    );
    finds(&based("[roles.r]\nallow = [\"note:read:all\"]\ndeny = [\"note:read:own\"]"), &[]);
    finds(&based("[roles.no]\ndeny = [\"note:erase\"]"), &[]);
}

#[test]
fn a_deny_of_what_nobody_gives() {
    let some = "[roles.r]\nallow = [\"note:read:own\", \"bill:pay\"]\n";
    finds(
        &format!("{some}[roles.no]\ndeny = [\"note:erase\"]"),
        &[
            "line 4: unused-permission: no role allows note:erase",
            "line 9: dead-deny: no: deny note:erase takes what no role gives",
        ],
    );
    // A wildcard that takes something of what is given is none.
    finds(
        &format!("{some}[roles.no]\ndeny = [\"note:*\"]"),
        &["line 4: unused-permission: no role allows note:erase"],
    );
}

#[test]
fn an_allow_over_everything() {
    finds(
        "[roles.r]\nallow = [\"*:*:*\"]",
        &["line 7: broad-wildcard: r: allow *:*:* reaches over all kinds of records: 3 permissions"],
    );
    finds("[roles.r]\nallow = [\"note:*:*\", \"bill:*:*\"]", &[]);
    finds(&based("[roles.no]\ndeny = [\"*:*\"]"), &[]);
}

#[test]
fn roles_that_are_the_same() {
    finds(
        &based("[roles.copy]\ninherits = [\"base\"]"),
        &["line 8: duplicate-roles: copy may do exactly what base may"],
    );
    finds(&based("[roles.copy]\ninherits = [\"base\"]\nhide = { note = [\"ssn\"] }"), &[]);
    finds(&based("[roles.empty]\n[roles.void]"), &[]);
    finds(
        &based("[roles.ops]\nrealm = \"system\"\nallow = [\"*:read:all\", \"*:erase:all\", \"bill:pay\"]")
            .replace("*:", "note:"),
        &[],
    );
}

#[test]
fn who_could_get_round_a_separation() {
    let apart = "[roles.payer]\nallow = [\"bill:pay\"]\n[roles.eraser]\nallow = [\"note:erase\"]\n[separation.s]\nkind = \"static\"\nroles = [\"payer\", \"eraser\"]\n";
    finds(&based(apart), &["line 6: separation: base may alone do what separation s keeps apart"]);
    let base = "[roles.base]\nallow = [\"note:read:all\", \"note:erase\"]\n";
    finds(&format!("{base}{apart}"), &[]);
    let pair = |kind: &str| {
        format!(
            "{base}{}{}{}{}",
            apart.replace("static", kind),
            held("ada", "payer", ""),
            held("bob", "eraser", ""),
            held("bob", "base", "")
        )
    };
    finds_held(&pair("static"), &[]);
    // A file that breaks one does not load. What a store holds may be older than the separation.
    let text = format!("{base}{apart}");
    let held_elsewhere = [("ada", "base"), ("bob", "payer"), ("bob", "eraser")];
    let held_elsewhere = held_elsewhere.map(|(subject, role)| ("north", subject, role)).into_iter().collect();
    assert_eq!(
        lines(Engine::new(with(&text), Assignments::Held(held_elsewhere)).snapshot().lint(NOW)),
        ["separation: bob of north breaks separation s"]
    );
    finds_held(
        &format!("{}{}", pair("dynamic"), held("bob", "payer", "")),
        &["separation: bob of north could in turn do all that is kept apart by separation s"],
    );
}

#[test]
fn who_may_give_itself_everything() {
    let roles = "\"role:assign\" = {}\n\"role:escalate\" = {}\n";
    let text = format!("{roles}{BASE}[roles.admin]\nallow = [\"role:assign\", \"role:escalate\"]");
    finds(&text, &["line 10: self-granting: admin may give anybody, and itself, any role"]);
    let apart = format!(
        "{roles}{BASE}[roles.admin]\nallow = [\"role:assign\"]\n[roles.boss]\nallow = [\"role:escalate\"]"
    );
    finds(&apart, &[]);
    // Where it is denied it is not given.
    let denied = format!(
        "{roles}{BASE}[roles.boss]\nallow = [\"role:escalate\"]\n[roles.admin]\ninherits = [\"boss\"]\nallow = [\"role:assign\"]\n[roles.none]\ninherits = [\"admin\"]\ndeny = [\"role:escalate\"]"
    );
    finds(&denied, &["line 12: self-granting: admin may give anybody, and itself, any role"]);
}

#[test]
fn assignments_that_lead_nowhere() {
    finds_held(&based(&held("ada", "base", "")), &[]);
    finds_held(
        &based(&held("ada", "base", "expires = \"2027-01-01T00:00:00Z\"")),
        &["expired-assignment: ada of north held base until 2027-01-01T00:00:00Z"],
    );
    finds_held(&based(&held("ada", "base", "expires = \"2027-02-01T00:00:00Z\"")), &[]);
    finds_held(
        &based(&format!("[roles.spare]\nallow = [\"bill:pay\"]\n{}", held("ada", "base", ""))),
        &["line 8: unused-role: nobody holds spare, and no role inherits it"],
    );
    let glass = "break_glass = { at_most = \"1h\", mfa_within = \"10m\", eligible = [\"base\"] }";
    finds_held(
        &based(&format!("[roles.spare]\nallow = [\"bill:pay\"]\n{glass}\n{}", held("ada", "base", ""))),
        &[],
    );
    // Roles that are not in the policy come from elsewhere: a file that names them is no policy.
    let snapshot = |role: &str| {
        let held =
            bartizan_rbac::HeldAssignments::new().assign("north", "ada", "base").assign("north", "bob", role);
        lines(Engine::new(with(BASE), Assignments::Held(held)).snapshot().lint(NOW))
    };
    assert_eq!(snapshot("ghost"), ["orphan-assignment: bob of north holds ghost, which is no role there"]);
    assert!(snapshot("base").is_empty());
    let ops = with(&based("[roles.ops]\nrealm = \"system\"\nallow = [\"bill:pay\"]"));
    let held =
        bartizan_rbac::HeldAssignments::new().assign("north", "ada", "base").assign("north", "bob", "ops");
    assert_eq!(
        lines(Engine::new(ops, Assignments::Held(held)).snapshot().lint(NOW)),
        ["orphan-assignment: bob of north holds ops, which is no role there"]
    );
    assert!(token_only(with(BASE)).snapshot().lint(NOW).is_empty(), "nothing is assigned anywhere");
}

#[test]
fn lints_have_names_of_their_own() {
    let names: Vec<&str> = Lint::ALL.iter().map(|lint| lint.as_str()).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!((names.len(), unique.len()), (12, 12));
    for lint in Lint::ALL {
        assert_eq!(Lint::from_name(lint.as_str()), Some(*lint));
    }
    assert_eq!(Lint::from_name("dead_deny"), None);
    let found = with("[roles.r]\nallow = [\"*:*:*\"]").lint();
    assert_eq!((found[0].lint(), found[0].line()), (Lint::BroadWildcard, Some(7)));
    assert!(found[0].detail().starts_with("r: allow"));
}

#[test]
fn the_preset_says_no_more_than_twice_what_it_means() {
    let found = bartizan_rbac::presets::best_practices().lint();
    // It spells the guide's table out, line by line.
    assert!(found.iter().all(|one| one.lint() == Lint::Shadowed), "{:?}", lines(found));
}

#[test]
fn a_large_policy_is_looked_through_at_once() {
    let mut text = String::from("version = 1\n[permissions]\n");
    (0..500).for_each(|n| text.push_str(&format!("\"note:do-{n}\" = {{}}\n")));
    for role in 0..2_000 {
        let entries: Vec<String> =
            (0..4).map(|n| format!("\"note:do-{}\"", (role * 3 + n * 97) % 500)).collect();
        text.push_str(&format!("[roles.r{role}]\nallow = [{}]\n", entries.join(", ")));
    }
    let policy = policy(&text);
    let start = os::SystemClock.monotonic();
    let found = policy.lint();
    assert!(
        found.iter().all(|one| one.lint() == Lint::DuplicateRoles) && found.len() == 1_500,
        "{}",
        found.len()
    );
    let took = os::SystemClock.monotonic().since(start);
    assert!(took < std::time::Duration::from_secs(4), "{took:?}");
}
