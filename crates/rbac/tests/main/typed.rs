//! Permissions as an enum: what the derive writes, and what it refuses to write.

use bartizan_core::{
    Ask, Importance, Owner, Permission, PermissionName, PolicyEngine, Resource, Scope, UnixTime,
};
use bartizan_rbac::{ErrorKind, Permissions, Policy};

use crate::support::{token, token_only};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Permissions)]
enum Clinic {
    /// See a patient's record,
    /// in part or whole.
    ///
    /// This paragraph is for the program's readers.
    #[permission("patient:read", scopes(own, team, all), asserted_owner)]
    PatientRead,
    /// Not what is shown.
    #[permission("patient:erase", critical, description = "Erase a patient")]
    PatientErase,
    #[permission("system:read-logs")]
    r#Logs,
}

const READ: Permission = Clinic::PatientRead.permission();
const READ_TEAM: Permission = READ.at_least(Scope::Team);

#[test]
fn a_variant_is_its_name_and_its_number_in_their_order() {
    let names: Vec<String> = Clinic::ALL.iter().map(Clinic::to_string).collect();
    assert_eq!(names, ["patient:read", "patient:erase", "system:read-logs"]);
    for (index, variant) in Clinic::ALL.iter().enumerate() {
        let permission = variant.permission();
        assert_eq!((variant.index(), variant.to_string()), (index, permission.to_string()));
        assert_eq!(permission, Permissions::permission(*variant));
        assert_eq!(permission, Permission::from(*variant));
        assert_eq!(permission.name().index_in(Clinic::CATALOGUE), Some(index as u32));
        assert_eq!(Clinic::from_name(&variant.to_string()), Some(*variant));
    }
    assert_eq!(Clinic::CATALOGUE.len(), Clinic::ALL.len());
}

#[test]
fn a_constant_keeps_its_place_in_the_catalogue() {
    assert_eq!(READ.name().index_in(Clinic::CATALOGUE), Some(0));
    assert_eq!(
        (READ_TEAM.name().index_in(Clinic::CATALOGUE), READ_TEAM.name().scope()),
        (Some(0), Some(Scope::Team))
    );
    assert_eq!(READ_TEAM, Permission::literal("patient:read:team"));
}

#[test]
fn what_the_attribute_says_stands_in_the_catalogue() {
    let [read, erase, logs] = Clinic::CATALOGUE.entries() else { panic!("three entries") };
    assert_eq!(read.scopes().collect::<Vec<_>>(), [Scope::Own, Scope::Team, Scope::All]);
    assert!(read.believes_asserted_owner() && !erase.believes_asserted_owner());
    assert_eq!((read.importance(), erase.importance()), (Importance::Standard, Importance::Critical));
    assert_eq!(Clinic::PatientErase.permission().importance(), Importance::Critical);
    assert_eq!(read.description(), "See a patient's record, in part or whole.");
    assert_eq!((erase.description(), logs.description()), ("Erase a patient", ""));
    assert_eq!(logs.scopes().count(), 0);
}

#[test]
fn only_canonical_names_are_found() {
    for other in
        ["", "patient", "patient:read:own", "Patient:read", "patient:read ", "patient:*", "PatientRead"]
    {
        assert_eq!(Clinic::from_name(other), None, "{other:?}");
    }
    let logs = PermissionName::parse("system:read-logs").unwrap();
    assert_eq!(Clinic::from_name(logs.as_str()), Some(Clinic::Logs));
}

#[test]
fn two_enums_with_one_name_share_the_text_and_no_number() {
    #[derive(Clone, Copy, Permissions)]
    enum Other {
        #[permission("patient:read", scopes(own, team, all), asserted_owner)]
        PatientRead,
    }
    let other = Other::PatientRead.permission();
    assert_eq!(other, READ);
    assert_eq!(other.name().index_in(Clinic::CATALOGUE), None);
    assert_eq!(READ.name().index_in(Other::CATALOGUE), None);
}

const ROLES: &str = r#"
    [roles.patient]
    allow = ["patient:read:own"]
    [roles.doctor]
    allow = ["patient:read:all", "patient:erase"]
    deny = ["system:read-logs"]
"#;

/// The enum's catalogue as a file says it, after a change.
fn file(change: impl FnOnce(String) -> String) -> String {
    let permissions = r#"version = 1
[permissions]
"patient:read" = { scopes = ["own", "team", "all"], asserted_owner = true }
"patient:erase" = {}
"system:read-logs" = {}
"#;
    change(permissions.to_owned()) + ROLES
}

#[test]
fn a_question_by_the_enum_is_answered_as_one_by_text() {
    let said = Policy::parse_for::<Clinic>(&file(|text| text)).unwrap();
    let taken = Policy::parse_for::<Clinic>(&format!("version = 1\n{ROLES}")).unwrap();
    let unbound = Policy::parse(&file(|text| text)).unwrap();
    let asked = [READ, READ.at_least(Scope::Own), READ_TEAM, READ.at_least(Scope::All)];
    let asked = asked.into_iter().chain(Clinic::ALL.iter().map(|variant| variant.permission()));
    let questions: Vec<Permission> = asked.collect();
    for policy in [said, taken, unbound] {
        let engine = token_only(policy);
        let (mut allowed, mut denied) = (0, 0);
        for permission in &questions {
            for roles in [&["patient"][..], &["doctor"], &["patient", "doctor"], &[]] {
                for owner in ["ada", "bob"] {
                    let who = token("north", "ada", roles);
                    let on = Resource::record("north", permission.name().resource(), "x");
                    let on = on.owned_by(Owner::Asserted(owner));
                    let text = permission.to_string();
                    let by_text = PermissionName::parse(&text).unwrap();
                    assert_eq!(by_text.index_in(Clinic::CATALOGUE), None);
                    let answer = |name| engine.decide(&Ask::new(&who, name, on, UnixTime::EPOCH));
                    let (verdict, _) = answer(permission.name());
                    assert_eq!(verdict, answer(by_text).0, "{permission} {roles:?} {owner}");
                    match verdict {
                        bartizan_core::Verdict::Allow { .. } => allowed += 1,
                        _ => denied += 1,
                    }
                }
            }
        }
        assert!(allowed > 10 && denied > 10, "{allowed} {denied}");
    }
}

#[test]
fn a_file_that_says_other_permissions_than_the_program_is_refused() {
    for (from, to, line, says) in [
        (
            "\"system:read-logs\" = {}\n",
            "\"system:read-log\" = {}\n",
            Some(5),
            "did you mean \"system:read-logs\"?",
        ),
        (
            "\"system:read-logs\" = {}\n",
            "\"system:read-logs\" = {}\n\"note:read\" = {}\n",
            Some(6),
            "is not in the program",
        ),
        ("\"team\", ", "", Some(3), "has scopes own, all here and own, team, all in the program"),
        (
            "= {}\n",
            "= { scopes = [\"own\", \"all\"] }\n",
            Some(4),
            "has scopes own, all here and all in the program",
        ),
        (
            "= {}\n",
            "= { asserted_owner = true }\n",
            Some(4),
            "has asserted_owner here and not in the program",
        ),
        (", asserted_owner = true", "", Some(3), "has asserted_owner in the program and not here"),
    ] {
        let text = file(|text| text.replacen(from, to, 1)).replace("deny = [\"system:read-logs\"]", "");
        assert!(Policy::parse(&text.replace("patient:erase\"]", "patient:erase:all\"]")).is_ok(), "{says}");
        let text = text.replace("patient:erase\"]", "patient:erase:all\"]");
        let error = Policy::parse_for::<Clinic>(&text).unwrap_err();
        assert_eq!((error.kind(), error.line()), (ErrorKind::Catalogue, line), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let without = file(|text| text.replacen("\"system:read-logs\" = {}\n", "", 1));
    let error =
        Policy::parse_for::<Clinic>(&without.replace("deny = [\"system:read-logs\"]", "")).unwrap_err();
    assert_eq!((error.kind(), error.line()), (ErrorKind::Catalogue, None));
    let error = Policy::parse_for::<Clinic>("version = 1\n[permissions]").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Catalogue);
}

#[test]
fn roles_are_checked_against_the_catalogue_of_the_program() {
    let error =
        Policy::parse_for::<Clinic>("version = 1\n[roles.a]\nallow = [\"patient:reed:all\"]").unwrap_err();
    assert_eq!((error.kind(), error.line()), (ErrorKind::UnknownPermission, Some(3)));
    assert!(error.to_string().contains("did you mean \"patient:read:all\"?"), "{error}");
}

/// Whatever the program calls its own things, the derive's output means what it says.
mod hygiene {
    #![deny(warnings, missing_docs, clippy::pedantic, clippy::allow_attributes, unused_qualifications)]
    #![expect(dead_code, reason = "The names are there to be in the way.")]
    #![expect(non_camel_case_types, reason = "The names are there to be in the way.")]

    mod core {}
    mod std {}
    mod bartizan_core {}
    struct Option;
    struct Some;
    struct None;
    struct Permission;
    struct PermissionCatalogue;
    struct CatalogueEntry;
    struct str;
    struct usize;
    trait From {}
    trait Display {}
    const CATALOGUE: () = ();

    #[derive(Clone, Copy, bartizan_rbac::Permissions)]
    pub(super) enum Clinic {
        #[permission("patient:read", scopes(own))]
        Read,
        #[permission("patient:none")]
        None,
        #[permission("patient:some")]
        Some,
    }

    /// As the facade's users have it: the crate under another path.
    pub(super) mod facade {
        pub(crate) mod house {
            pub(crate) use bartizan_rbac as rbac;
        }

        #[derive(Clone, Copy, bartizan_rbac::Permissions)]
        #[permissions(crate = "crate::typed::hygiene::facade::house::rbac")]
        pub(in crate::typed) enum Clinic {
            #[permission("patient:read")]
            Read,
        }
    }
}

#[test]
fn names_in_the_way_change_nothing() {
    assert_eq!(
        hygiene::Clinic::ALL.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["patient:read", "patient:none", "patient:some"]
    );
    assert!(matches!(hygiene::Clinic::from_name("patient:none"), Some(hygiene::Clinic::None)));
    assert_eq!(hygiene::facade::Clinic::Read.permission(), Permission::literal("patient:read"));
}

#[test]
fn what_is_no_catalogue_does_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
