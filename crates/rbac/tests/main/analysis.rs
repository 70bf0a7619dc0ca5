//! Words for people: rules, explanations, the matrix, and the tests that stand in a policy.

use bartizan_core::{
    Ask, FieldSet, Owner, PermissionName, Principal, Resource, Revision, RuleId, Scope, UnixTime, Verdict,
};
use bartizan_rbac::{Distance, Effect, Engine, ErrorKind, Explanation, Miss, Policy};

use crate::support::{policy, token, token_only, verdict};

const POLICY: &str = r#"version = 1

[permissions]
"patient:read" = { scopes = ["own", "team", "all"] }
"patient:erase" = {}

[roles.nurse]
allow = ["patient:read:team"]
fields = { patient = ["name"] }

[roles.doctor]
inherits = ["nurse"]
allow = ["patient:*:all"]
fields = { patient = { except = ["card"] } }

[roles.chief]
inherits = ["doctor"]

[roles.intern]
inherits = ["doctor"]
deny = ["patient:erase", "patient:read:own"]

[roles.self]
allow = ["patient:read:own"]
"#;

const RECORD: Resource<'static> = Resource::record("north", "patient", "p1");

fn explain(engine: &Engine, who: &Principal, permission: &str, on: Resource<'_>) -> Explanation {
    engine.explain(&Ask::new(who, PermissionName::parse(permission).unwrap(), on, UnixTime::EPOCH))
}

#[test]
fn a_rule_is_told_with_its_path_of_roles_and_its_line() {
    let engine = token_only(policy(POLICY)).with_revision(Revision(9));
    let chief = token("north", "ada", &["chief"]);
    let Verdict::Allow { rule, .. } = verdict(&engine, &chief, "patient:read", RECORD) else {
        panic!("denied")
    };
    let rule = engine.rule(rule).unwrap();
    assert_eq!(rule.to_string(), "chief → doctor → allow patient:read:all (line 13)");
    assert_eq!((rule.effect(), rule.scope(), rule.line()), (Effect::Allow, Scope::All, Some(13)));
    assert_eq!((rule.permission(), rule.written()), ("patient:read", "patient:*:all"));
    assert_eq!(rule.path().collect::<Vec<_>>(), ["chief", "doctor"]);
    let explanation = explain(&engine, &chief, "patient:read", RECORD);
    assert_eq!(explanation.to_string(), "allowed: chief → doctor → allow patient:read:all (line 13)");
    assert_eq!((explanation.rule(), explanation.revision()), (Some(&rule), Revision(9)));
}

#[test]
fn the_rule_that_is_told_is_the_widest_and_the_first_by_name() {
    let text = format!(
        "{POLICY}[roles.deputy]\ninherits = [\"self\", \"doctor\"]\nallow = [\"patient:read:own\"]\n"
    );
    let engine = token_only(policy(&text));
    for roles in [["deputy", "doctor"], ["doctor", "deputy"]] {
        let explanation = explain(&engine, &token("north", "ada", &roles), "patient:read", RECORD);
        assert_eq!(explanation.to_string(), "allowed: deputy → doctor → allow patient:read:all (line 13)");
    }
}

#[test]
fn a_deny_is_told_with_its_rule() {
    let engine = token_only(policy(POLICY));
    let intern = token("north", "ada", &["chief", "intern"]);
    let explanation = explain(&engine, &intern, "patient:erase", RECORD);
    assert_eq!(explanation.to_string(), "denied: intern → deny patient:erase:all (line 21)");
    assert!(matches!(explanation.verdict(), Verdict::Deny { rule: Some(_) }));
}

#[test]
fn numbers_that_no_verdict_bears_have_no_rule() {
    let engine = token_only(policy(POLICY));
    let known = (0..40).filter(|n| engine.rule(RuleId(*n)).is_some()).count();
    // Five roles: allows are 1 + 2 + 2 + 2 + 1, denies 2.
    assert_eq!(known, 10);
    for n in [40, 1_000, u32::MAX - 1, u32::MAX] {
        assert!(engine.rule(RuleId(n)).is_none());
    }
    assert!(token_only(bartizan_rbac::Policy::default()).rule(RuleId(0)).is_none());
}

#[test]
fn a_denial_is_explained_by_its_nearest_miss() {
    let engine = token_only(policy(POLICY));
    let ada = |roles: &[&str]| token("north", "ada", roles);
    let miss = |roles: &[&str], permission: &str, on| {
        explain(&engine, &ada(roles), permission, on).miss().unwrap().clone()
    };
    let roles = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<Box<str>>>();

    assert_eq!(
        miss(&["self"], "patient:raed", RECORD),
        Miss::UnknownPermission { nearest: Some("patient:read".into()) }
    );
    assert_eq!(
        miss(&["chief"], "patient:erase:own", RECORD),
        Miss::UnknownPermission { nearest: Some("patient:erase:all".into()) }
    );
    assert_eq!(miss(&["chief"], "x:y", RECORD), Miss::UnknownPermission { nearest: None });
    assert_eq!(
        miss(&["chief"], "patient:read", Resource::record("south", "patient", "p1")),
        Miss::OtherTenant
    );
    assert_eq!(
        miss(&["chief"], "patient:read", Resource::record("north", "invoice", "i1")),
        Miss::OtherKind { speaks_of: "patient".into() }
    );
    assert_eq!(
        miss(&["ghost"], "patient:erase", RECORD),
        Miss::NoRole { would_allow: roles(&["chief", "doctor"]) }
    );
    assert_eq!(
        miss(&["self"], "patient:erase", RECORD),
        Miss::NotGranted { would_allow: roles(&["chief", "doctor"]) }
    );
    let narrow = |roles: &[&str], permission: &str, on| match miss(roles, permission, on) {
        Miss::TooNarrow { held, needed, because, .. } => (held, needed, because),
        other => panic!("{other:?}"),
    };
    assert_eq!(narrow(&["self"], "patient:read", RECORD), (Scope::Own, Scope::All, Distance::OwnerUnknown));
    assert_eq!(
        narrow(&["self"], "patient:read", RECORD.owned_by(Owner::Asserted("ada"))),
        (Scope::Own, Scope::All, Distance::OwnerAsserted)
    );
    assert_eq!(
        narrow(&["nurse"], "patient:read", RECORD.owned_by(Owner::Sealed("bob"))),
        (Scope::Team, Scope::All, Distance::SomebodyElses)
    );
    assert_eq!(
        narrow(&["self"], "patient:read:all", RECORD.owned_by(Owner::Sealed("ada"))),
        (Scope::Own, Scope::All, Distance::Asked)
    );
    let words = explain(&engine, &ada(&["self"]), "patient:read", RECORD).to_string();
    assert_eq!(
        words,
        "denied: granted for own, needed for all: the record's owner is not known; would be allowed to: chief, doctor"
    );
}

#[test]
fn asvs_8_1_1_the_matrix_documents_who_may_do_what() {
    let matrix = policy(POLICY).matrix();
    let table = "\
| permission | chief | doctor | intern | nurse | self |
|---|---|---|---|---|---|
| patient:erase | all | all | denied | – | – |
| patient:read | all | all | all, not own | team | own |
";
    assert!(matrix.to_string().starts_with(table), "{matrix}");
    let cell = matrix.cell("intern", "patient:read").unwrap();
    assert_eq!(
        (cell.allow(), cell.deny(), cell.scope()),
        (Some(Scope::All), Some(Scope::Own), Some(Scope::All))
    );
    assert_eq!(matrix.cell("intern", "patient:erase").unwrap().scope(), None);
    assert_eq!(matrix.cell("nobody", "patient:read"), None);
    assert_eq!(matrix.cell("nurse", "patient:fly"), None);
    assert_eq!(matrix.permissions().count() * matrix.roles().count(), 10);
}

#[test]
fn asvs_8_1_2_the_matrix_documents_which_fields_are_shown() {
    let matrix = policy(POLICY).matrix();
    let table = "\
| role | permission | in clear |
|---|---|---|
| chief | patient:erase:all | everything but {\"card\"} |
| chief | patient:read:own | everything but {\"card\"} |
| chief | patient:read:team | everything but {\"card\"} |
| chief | patient:read:all | everything but {\"card\"} |
";
    assert!(matrix.to_string().contains(table), "{matrix}");
    assert!(matrix.to_string().contains("| nurse | patient:read:team | {\"name\"} |\n"));
    assert!(!matrix.to_string().contains("| intern | patient:read:own |"));
    assert_eq!(matrix.clear("nurse", "patient:read", Scope::Team), Some(FieldSet::named(["name"])));
    assert_eq!(matrix.clear("nurse", "patient:read", Scope::All), None);
    assert_eq!(matrix.clear("self", "patient:read", Scope::Own), Some(FieldSet::nothing()));
}

#[test]
fn the_matrix_goes_into_a_spreadsheet() {
    assert_eq!(
        policy(POLICY).matrix().to_csv(),
        "permission,chief,doctor,intern,nurse,self\r\n\
         patient:erase,all,all,denied,,\r\n\
         patient:read,all,all,\"all, not own\",team,own\r\n"
    );
    let conditional = policy(CONDITIONAL).matrix().to_csv();
    assert_eq!(
        conditional,
        "permission,guest,ops,r\r\nnote:read,\"own, perhaps all\",,\"all, perhaps not all\"\r\nnote:write,\"none, perhaps all\",all,\r\n"
    );
    assert_eq!(Policy::default().matrix().to_csv(), "permission\r\n");
    // Nothing in it is a formula, whatever a policy is named: such names are no names.
    for start in ['=', '+', '-', '@', '\t'] {
        let named = format!("version = 1\n[permissions]\n\"note:read\" = {{}}\n[roles.\"{start}r\"]\n");
        assert!(Policy::parse(&named).is_err(), "{start:?}");
        assert!(!conditional.split(['\n', ',', '"']).any(|cell| cell.starts_with(start)));
    }
}

const CONDITIONAL: &str = r#"version = 1
[permissions]
"note:read" = { scopes = ["own", "all"] }
"note:write" = {}
[conditions.fresh]
mfa_within = "10m"
[roles.r]
allow = ["note:read:all"]
deny = [{ permission = "note:read", when = "fresh" }]
[roles.guest]
allow = ["note:read:own", { permission = "note:read:all", when = "fresh" }, { permission = "note:write", when = "fresh" }]
fields = { note = ["title"] }
[roles.ops]
realm = "system"
allow = ["note:write"]
"#;

#[test]
fn the_matrix_is_a_page_to_look_at() {
    let page = policy(CONDITIONAL).matrix().to_html();
    for part in [
        "<!doctype html>",
        "default-src 'none'",
        "3 roles, each with all that it inherits, and 2 permissions.",
        "<title>guest\nnote:read: own, perhaps all</title>",
        "<title>r\nnote:read: all, perhaps not all</title>",
        "<title>ops, across tenants</title>",
        "<td>guest<td>note:read:own<td>{&quot;title&quot;}",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // It asks for nothing, and nothing in it runs.
    for foreign in ["http:", "https:", "<script", "<img", "@import", "href=\"/", "url(/", " on"] {
        assert!(!page.replace("Point at", "").contains(&format!("{foreign}=")), "{foreign}");
        assert!(foreign == " on" || !page.contains(foreign), "{foreign}");
    }
    // Every cell is drawn once, and every look that a cell uses is defined.
    assert_eq!(page.matches("<use ").count(), 6);
    for used in page.split("<use href=\"#").skip(1) {
        let look = used.split('"').next().unwrap();
        assert_eq!(page.matches(&format!("<g id=\"{look}\">")).count(), 1, "{look}");
    }
    for tag in ["svg", "g", "ul", "table", "details", "defs", "pattern", "text"] {
        let (opened, closed) = (
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count(),
            page.matches(&format!("</{tag}>")).count(),
        );
        assert_eq!(opened, closed, "{tag}");
    }
    assert!(Policy::default().matrix().to_html().contains("0 roles"));
}

#[test]
fn tests_in_a_policy_pass_and_fail_as_they_should() {
    let with = |test: &str| format!("{POLICY}\n[[tests]]\n{test}\nbecause = \"of that\"\n");
    let outcome = |test: &str| Policy::parse_untested(&with(test)).unwrap().run_tests().remove(0);
    for passing in [
        "role = \"nurse\"\nteams = [\"t\"]\npermission = \"patient:read\"\nresource = { team = \"t\" }\nexpect = \"allow\"\nshows = [\"name\"]\nhides = [\"ssn\"]",
        "role = \"nurse\"\nteams = [\"t\"]\npermission = \"patient:read\"\nresource = { team = \"u\" }\nexpect = \"deny\"",
        "role = \"self\"\nsubject = \"ada\"\npermission = \"patient:read\"\nresource = { owner = \"ada\" }\nexpect = \"allow\"",
        "role = \"self\"\nsubject = \"ada\"\npermission = \"patient:read\"\nresource = { asserted_owner = \"ada\" }\nexpect = \"deny\"",
        "role = \"chief\"\ntenant = \"a\"\npermission = \"patient:read\"\nresource = { tenant = \"b\" }\nexpect = \"deny\"",
        "role = \"chief\"\ntenant = \"a\"\npermission = \"patient:read\"\nexpect = \"allow\"",
        "roles = [\"chief\", \"intern\"]\npermission = \"patient:erase\"\nexpect = \"deny\"",
    ] {
        let outcome = outcome(passing);
        assert!(outcome.passed(), "{outcome}\n{passing}");
        assert_eq!(outcome.to_string(), "line 26: passed: of that");
    }
    for (failing, says) in [
        (
            "role = \"nurse\"\npermission = \"patient:read\"\nexpect = \"allow\"",
            "expected allow; denied: granted for team",
        ),
        (
            "role = \"chief\"\npermission = \"patient:read\"\nexpect = \"deny\"",
            "expected deny; allowed: chief → doctor",
        ),
        (
            "role = \"chief\"\npermission = \"patient:read\"\nexpect = \"allow\"\nshows = [\"card\"]",
            "wrongly shown or hidden: card",
        ),
        (
            "role = \"chief\"\npermission = \"patient:read\"\nexpect = \"allow\"\nhides = [\"name\", \"card\"]",
            "wrongly shown or hidden: name",
        ),
    ] {
        let outcome = outcome(failing);
        assert!(!outcome.passed(), "{failing}");
        let refused = Policy::parse(&with(failing)).unwrap_err();
        assert_eq!((refused.kind(), refused.to_string()), (ErrorKind::TestFailed, outcome.to_string()));
        assert!(outcome.to_string().starts_with("line 26: failed: of that: "), "{outcome}");
        assert!(outcome.to_string().contains(says), "{outcome}");
    }
}

#[test]
fn names_resolve_to_their_canonical_form() {
    let policy = bartizan_rbac::presets::best_practices();
    let resolved = |text: &str| policy.resolve(text).map(|name| name.as_str().to_owned());
    assert_eq!(resolved("system:read:config").as_deref(), Some("system:read-config"));
    assert_eq!(resolved("user:read").as_deref(), Some("user:read"));
    assert_eq!(resolved("user:read:own").as_deref(), Some("user:read:own"));
    for unknown in ["", "user", "user:read:team", "User:read", "system:read:logs ", "*:*"] {
        assert_eq!(resolved(unknown), None, "{unknown:?}");
    }
}
