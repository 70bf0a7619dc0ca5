//! Escalation by administration, and emergencies that outgrow themselves.

use std::time::Duration;

use bartizan_core::{Attestation, Principal};
use bartizan_rbac::{
    AdminErrorKind, Administration, Assignment, Assignments, Change, HeldAssignments, Policy,
};

use super::*;

const POLICY: &str = r#"
version = 1
[permissions]
"role:assign" = {}
"role:escalate" = {}
"patient:read" = { scopes = ["own", "all"] }
"patient:erase" = {}
"bill:write" = {}
[roles.employee]
[roles.nurse]
allow = ["patient:read:own"]
[roles.doctor]
allow = ["patient:read:all"]
fields = { patient = "*" }
[roles.admin]
allow = ["role:assign"]
[roles.owner]
allow = ["role:*"]
[roles.suspended]
deny = ["patient:*"]
[roles.trainee]
hide = { patient = ["ssn"] }
[roles.clerk]
allow = ["bill:write"]
requires = ["employee"]
[roles.director]
max_holders = 1
[roles.president]
inherits = ["director"]
[roles.eraser]
allow = ["patient:erase"]
[roles.emergency]
inherits = ["nurse", "doctor"]
allow = ["patient:erase"]
break_glass = { at_most = "1h", mfa_within = "10m", eligible = ["nurse"] }
"#;

/// Who acts for the owner does not thereby become the owner: the intersection of both counts, as it does in decisions.
#[test]
fn who_acts_for_an_owner_escalates_nothing() {
    let house = House::held(POLICY, &[("owner", "owner"), ("robot", "admin")]);
    let robot = through("owner", &somebody("robot"));
    assert_eq!(house.commit(&robot, &[assign("robot", "doctor")]), Err(AdminErrorKind::Escalation));
    house.commit(&somebody("owner"), &[assign("ada", "doctor")]).unwrap();
}

#[test]
fn who_acts_for_a_doctor_gives_no_right_that_only_the_doctor_has() {
    let held = [("chief", "admin"), ("chief", "doctor"), ("robot", "admin")];
    let house = House::held(POLICY, &held);
    let robot = through("chief", &somebody("robot"));
    assert_eq!(house.commit(&robot, &[assign("robot", "doctor")]), Err(AdminErrorKind::Escalation));
    house.commit(&fresh("chief"), &[assign("ada", "doctor")]).unwrap();
}

#[test]
fn nobody_breaks_the_glass_for_somebody_else() {
    let house = House::held(POLICY, &[("florence", "nurse"), ("robot", "employee")]);
    let robot = through("florence", &somebody("robot"));
    assert_eq!(house.break_glass(&robot, "emergency"), Err(AdminErrorKind::Eligibility));
    house.break_glass(&fresh("florence"), "emergency").unwrap();
}

#[test]
fn a_credential_that_has_ended_breaks_no_glass() {
    let house = House::held(POLICY, &[("florence", "nurse")]);
    for (ends, broken) in
        [(START, false), (START.saturating_sub(Duration::from_secs(1)), false), (later(1), true)]
    {
        let mut facts = proven("florence", START);
        facts.expires = Some(ends);
        let florence = Principal::attested(Attestation::Assertion, facts).unwrap();
        assert_eq!(house.break_glass(&florence, "emergency").is_ok(), broken, "{ends:?}");
    }
}

#[test]
fn what_an_emergency_gives_is_not_given_on() {
    let house = House::held(POLICY, &[("florence", "nurse"), ("florence", "admin")]);
    let florence = fresh("florence");
    house.break_glass(&florence, "emergency").unwrap();
    assert!(house.allows(&florence, "patient:erase"));
    let soon = |role: &str| Change::Assign(Assignment::new("north", "eve", role).expires(later(60)));
    for role in ["eraser", "doctor", "emergency"] {
        assert_eq!(house.commit(&florence, &[soon(role)]), Err(AdminErrorKind::Escalation), "{role}");
    }
    house.commit(&florence, &[soon("nurse")]).unwrap();
}

/// An emergency role mostly inherits the role that is eligible for it. That must not prolong it for ever.
#[test]
fn an_emergency_role_makes_nobody_eligible_for_itself_or_another() {
    let house = House::held(POLICY, &[("florence", "nurse")]);
    let florence = fresh("florence");
    house.break_glass(&florence, "emergency").unwrap();
    house.engine.change(&[revoke("florence", "nurse")]).unwrap();
    assert_eq!(house.break_glass(&florence, "emergency"), Err(AdminErrorKind::Eligibility));
}

/// The nurse's own rights are few, and the doctor has them all; what the nurse may do in an emergency the doctor may not.
#[test]
fn who_may_not_break_a_glass_makes_nobody_eligible_for_it() {
    let house = House::held(
        POLICY,
        &[("chief", "admin"), ("chief", "doctor"), ("matron", "admin"), ("matron", "nurse")],
    );
    assert_eq!(
        house.commit(&somebody("chief"), &[assign("chief", "nurse")]),
        Err(AdminErrorKind::Escalation)
    );
    house.commit(&somebody("matron"), &[assign("ada", "nurse")]).unwrap();
}

/// The deny ends tomorrow, the gift never: it holds today all the same.
#[test]
fn who_is_denied_something_for_a_while_gives_it_to_nobody_for_ever() {
    let held = assigned(&[("chief", "admin"), ("chief", "doctor")])
        .with(Assignment::new("north", "chief", "suspended").expires(later(3_600)));
    let house = House::new(POLICY, Assignments::HeldOnly(held));
    assert_eq!(house.commit(&somebody("chief"), &[assign("ada", "doctor")]), Err(AdminErrorKind::Escalation));
}

/// Whoever takes a deny away gives what it held back.
#[test]
fn nobody_lifts_a_deny_from_what_they_do_not_hold() {
    let ada =
        [("ada", "doctor"), ("ada", "suspended"), ("ada", "admin"), ("chief", "admin"), ("chief", "doctor")];
    let shortened = Change::Assign(Assignment::new("north", "ada", "suspended").expires(later(1)));
    let past = Change::Assign(Assignment::new("north", "ada", "suspended").expires(START));
    let postponed = Change::Assign(Assignment::new("north", "ada", "suspended").not_before(later(1_000_000)));
    for lift in [revoke("ada", "suspended"), shortened, past, postponed] {
        let house = House::held(POLICY, &ada);
        assert_eq!(
            house.commit(&somebody("ada"), std::slice::from_ref(&lift)),
            Err(AdminErrorKind::Escalation),
            "{lift:?} from oneself"
        );
        house.commit(&somebody("chief"), &[lift]).unwrap();
        house.clock.advance(Duration::from_secs(2));
        assert!(house.allows(&somebody("ada"), "patient:read"));
    }
    let house = House::held(POLICY, &ada);
    let again =
        Change::Assign(Assignment::new("north", "ada", "suspended").because("the same, for another reason"));
    house.commit(&somebody("ada"), &[again]).expect("that lifts nothing");
    let house = House::held(POLICY, &[("eve", "suspended"), ("ada", "admin")]);
    house.commit(&somebody("ada"), &[revoke("eve", "suspended")]).expect("eve has nothing that it held back");
}

#[test]
fn nobody_lifts_a_deny_through_a_group() {
    let held = assigned(&[("ada", "doctor"), ("ada", "admin"), ("chief", "admin"), ("chief", "doctor")])
        .join("north", "banned", "ada")
        .with(Assignment::to_group("north", "banned", "suspended"));
    let of_group = Change::Revoke {
        tenant: "north".into(),
        holder: Holder::Group("banned".into()),
        role: "suspended".into(),
    };
    for lift in [leave("banned", "ada"), of_group] {
        let house = House::new(POLICY, Assignments::HeldOnly(held.clone()));
        assert_eq!(
            house.commit(&somebody("ada"), std::slice::from_ref(&lift)),
            Err(AdminErrorKind::Escalation),
            "{lift:?}"
        );
        house.commit(&somebody("chief"), &[lift]).unwrap();
    }
}

#[test]
fn nobody_lifts_a_hide_from_fields_that_they_do_not_see() {
    let held =
        [("ada", "doctor"), ("ada", "trainee"), ("ada", "admin"), ("chief", "admin"), ("chief", "doctor")];
    let house = House::held(POLICY, &held);
    assert_eq!(house.commit(&somebody("ada"), &[revoke("ada", "trainee")]), Err(AdminErrorKind::Escalation));
    house.commit(&somebody("chief"), &[revoke("ada", "trainee")]).unwrap();
}

/// What the policy does not know today it may know tomorrow.
#[test]
fn nobody_joins_a_group_whose_roles_the_policy_does_not_know() {
    let held = assigned(&[("ada", "admin"), ("owner", "owner")]).with(Assignment::to_group(
        "north",
        "founders",
        "superuser",
    ));
    let house = House::new(POLICY, Assignments::HeldOnly(held));
    assert_eq!(house.commit(&somebody("ada"), &[join("founders", "ada")]), Err(AdminErrorKind::Escalation));
    house.commit(&somebody("owner"), &[join("founders", "ada")]).unwrap();
    let grown = POLICY
        .replace("[roles.employee]", "[roles.superuser]\nallow = [\"patient:*:all\"]\n[roles.employee]");
    house.engine.replace(Policy::parse(&grown).unwrap());
}

#[test]
fn a_prerequisite_that_begins_later_or_ends_before_is_none() {
    let house = || House::held(POLICY, &[("owner", "owner")]);
    let owner = somebody("owner");
    let employee = || Assignment::new("north", "ada", "employee");
    let clerk = || Assignment::new("north", "ada", "clerk");
    let give = |one: Assignment, two: Assignment| {
        house().commit(&owner, &[Change::Assign(one), Change::Assign(two)]).map(drop)
    };
    let refused = Err(AdminErrorKind::Prerequisite);
    assert_eq!(give(employee().not_before(later(1_000)), clerk()), refused, "it begins later");
    assert_eq!(give(employee().expires(later(1_000)), clerk()), refused, "it ends before");
    assert_eq!(give(employee().expires(later(1_000)), clerk().expires(later(1_001))), refused);
    assert_eq!(give(employee().expires(later(1_000)), clerk().expires(later(1_000))), Ok(()));
    assert_eq!(
        give(employee().not_before(later(9)), clerk().not_before(later(9)).expires(later(10))),
        Ok(())
    );
    assert_eq!(give(employee(), clerk()), Ok(()));
    let both = House::held(POLICY, &[("owner", "owner"), ("ada", "employee"), ("ada", "clerk")]);
    let shortened = Change::Assign(employee().expires(later(1_000)));
    assert_eq!(both.commit(&owner, &[shortened]), Err(AdminErrorKind::Prerequisite));
}

#[test]
fn a_role_has_no_more_holders_through_an_heir_than_it_may_have() {
    let house = House::held(POLICY, &[("owner", "owner"), ("ada", "director")]);
    let owner = somebody("owner");
    assert_eq!(house.commit(&owner, &[assign("bob", "president")]), Err(AdminErrorKind::Holders));
    house.commit(&owner, &[assign("ada", "president")]).unwrap();
    let to_group = Change::Assign(Assignment::to_group("north", "board", "president"));
    assert_eq!(house.commit(&owner, &[join("board", "bob"), to_group]), Err(AdminErrorKind::Holders));
    let two = format!(
        "{POLICY}\n[[assignments]]\ntenant = \"n\"\nsubject = \"a\"\nrole = \"director\"\n[[assignments]]\ntenant = \"n\"\nsubject = \"b\"\nrole = \"president\"\n"
    );
    assert!(Policy::parse(&two).is_err());
}

/// The list of emergencies is for others to go through.
#[test]
fn nobody_takes_their_own_emergency_off_the_list() {
    let over = Change::Assign(
        Assignment::new("north", "florence", "emergency").expires(later(1)).because("nothing"),
    );
    for change in [revoke("florence", "emergency"), remove("florence"), over] {
        let house = House::held(POLICY, &[("florence", "nurse"), ("florence", "owner"), ("owner", "owner")]);
        house.break_glass(&fresh("florence"), "emergency").unwrap();
        let tried = house.commit(&fresh("florence"), std::slice::from_ref(&change));
        assert_eq!(tried, Err(AdminErrorKind::Eligibility), "{change:?}");
        let acting = through("owner", &fresh("florence"));
        assert_eq!(house.commit(&acting, std::slice::from_ref(&change)), Err(AdminErrorKind::Eligibility));
        assert_eq!(house.admin.unreviewed("north")[0].assignment.reason(), Some("fire"));
        house.commit(&somebody("owner"), &[change]).expect("somebody else may");
    }
}

#[test]
fn nobody_reviews_their_own_emergency_in_anothers_name() {
    let house = House::held(POLICY, &[("florence", "nurse"), ("florence", "admin"), ("owner", "owner")]);
    house.break_glass(&fresh("florence"), "emergency").unwrap();
    let on = Administration::roles_of("north");
    let acting = through("owner", &fresh("florence"));
    let Decision::Allow(grant) = now(house.authorizer.decide_durably(&acting, Administration::ASSIGN, on))
    else {
        panic!("no grant")
    };
    let error =
        now(house.admin.review(&acting, grant.covers(on).unwrap(), "florence", "emergency")).unwrap_err();
    assert_eq!(error.kind(), AdminErrorKind::Eligibility);
}

#[test]
fn a_file_gives_an_emergency_role_to_nobody_for_ever_and_to_no_group() {
    let with = |more: &str| {
        Policy::parse(&format!(
            "{POLICY}\n[[assignments]]\ntenant = \"north\"\nrole = \"emergency\"\n{more}\n"
        ))
        .map(drop)
        .map_err(|error| error.to_string())
    };
    let (from, to) = ("not_before = 2026-01-01T00:00:00Z", "expires = 2026-01-01T01:00:00Z");
    for refused in [
        "subject = \"ada\"".to_owned(),
        format!("subject = \"ada\"\n{to}"),
        format!("subject = \"ada\"\n{from}\nexpires = 2026-01-01T01:00:01Z"),
        format!("group = \"ward\"\n{from}\n{to}"),
    ] {
        with(&refused).expect_err(&refused);
    }
    with(&format!("subject = \"ada\"\n{from}\n{to}")).unwrap();
}

#[test]
fn an_extension_of_ones_own_time_is_refused() {
    let held = assigned(&[]).with(Assignment::new("north", "locum", "admin").expires(later(3_600)));
    let held = held.with(Assignment::new("north", "locum", "doctor").expires(later(3_600)));
    let house = House::new(POLICY, Assignments::HeldOnly(held));
    let locum = somebody("locum");
    for role in ["admin", "doctor"] {
        assert_eq!(house.commit(&locum, &[assign("locum", role)]), Err(AdminErrorKind::Escalation));
        let longer = Change::Assign(Assignment::new("north", "locum", role).expires(later(3_601)));
        assert_eq!(house.commit(&locum, &[longer]), Err(AdminErrorKind::Escalation));
    }
}

/// A group's roles count for those who join: joining is giving.
#[test]
fn nobody_joins_or_empties_a_group_beyond_their_rights() {
    let held = assigned(&[("ada", "admin"), ("bob", "employee")])
        .join("north", "surgery", "bob")
        .with(Assignment::to_group("north", "surgery", "doctor").not_before(later(1_000)));
    for change in [join("surgery", "ada"), leave("surgery", "bob"), remove("bob")] {
        let house = House::new(POLICY, Assignments::HeldOnly(held.clone()));
        assert_eq!(house.commit(&somebody("ada"), &[change]), Err(AdminErrorKind::Escalation));
    }
}

/// Out and in again in one go, in any order, leads to the same check.
#[test]
fn removed_and_given_again_in_one_go_is_given() {
    let house = House::held(POLICY, &[("ada", "admin"), ("ada", "suspended"), ("ada", "doctor")]);
    let ada = somebody("ada");
    let both = [remove("ada"), assign("ada", "doctor"), assign("ada", "admin")];
    assert_eq!(house.commit(&ada, &both), Err(AdminErrorKind::Escalation));
    let turned = [assign("ada", "doctor"), revoke("ada", "suspended"), assign("ada", "suspended")];
    assert_eq!(house.commit(&ada, &turned), Err(AdminErrorKind::Escalation));
}

#[test]
fn only_the_roles_that_a_credential_names_are_given_on() {
    let held: HeldAssignments = assigned(&[("chief", "admin"), ("chief", "doctor")]);
    let house = House::new(POLICY, Assignments::Held(held));
    let change = [assign("ada", "doctor")];
    assert_eq!(house.commit(&naming("chief", &["admin"]), &change), Err(AdminErrorKind::Escalation));
    house.commit(&naming("chief", &["admin", "doctor"]), &change).unwrap();
}
