use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::assignment::{Assignment, Holder};

type Bound = (Option<i64>, Option<i64>);

/// What is held, read naively.
#[derive(Clone, Default)]
struct Naive {
    assignments: BTreeMap<(Box<str>, Holder, Box<str>), Assignment>,
    joined: BTreeSet<(Box<str>, Box<str>, Box<str>)>,
}

const TENANTS: [&str; 3] = ["", "north", "south"];
const SUBJECTS: [&str; 5] = ["ada", "bob", "\u{43}\u{327}elik", "ward", "a"];
const GROUPS: [&str; 3] = ["ward", "staff", ""];
const ROLES: [&str; 5] = ["doctor", "nurse", "admin", "", "not in any policy"];

impl Naive {
    fn change(&mut self, change: &Change) {
        match change {
            Change::Assign(new) => {
                let key = (new.tenant.clone(), new.holder.clone(), new.role.clone());
                self.assignments.insert(key, new.clone());
            }
            Change::Revoke { tenant, holder, role } => {
                self.assignments.remove(&(tenant.clone(), holder.clone(), role.clone()));
            }
            Change::Join { tenant, group, subject } => {
                self.joined.insert((tenant.clone(), group.clone(), subject.clone()));
            }
            Change::Leave { tenant, group, subject } => {
                self.joined.remove(&(tenant.clone(), group.clone(), subject.clone()));
            }
            Change::Remove { tenant, subject } => {
                let holder = Holder::Subject(subject.clone());
                self.assignments.retain(|(t, h, _), _| t != tenant || *h != holder);
                self.joined.retain(|(t, _, s)| t != tenant || s != subject);
            }
        }
    }

    /// Role, bounds, and the group that it comes through.
    fn of(&self, tenant: &str, subject: &str) -> Vec<(String, Bound, Option<String>)> {
        let mut all = Vec::new();
        for assignment in self.assignments.values().filter(|a| *a.tenant == *tenant) {
            let group = match &assignment.holder {
                Holder::Subject(name) if **name == *subject => None,
                Holder::Group(name)
                    if self.joined.contains(&(tenant.into(), name.clone(), subject.into())) =>
                {
                    Some(name.to_string())
                }
                _ => continue,
            };
            all.push((assignment.role.to_string(), bound(assignment.starts(), assignment.ends()), group));
        }
        all.sort();
        all
    }
}

fn bound(from: Option<UnixTime>, until: Option<UnixTime>) -> Bound {
    (from.map(UnixTime::as_nanos), until.map(UnixTime::as_nanos))
}

fn holds(held: &Held, roles: Option<Roles<'_>>) -> Vec<(String, Bound, Option<String>)> {
    let names = held.role_names();
    let mut all = Vec::new();
    if let Some(roles) = roles {
        roles.for_each(|entry| {
            let bounds = bound(entry.bounds.not_before, entry.bounds.expires);
            let group = entry.group.map(|group| held.group_name(group).unwrap().to_owned());
            all.push((names[entry.role as usize].to_owned(), bounds, group));
        });
    }
    all.sort();
    all
}

/// What subjects hold: all that decisions ask for.
fn decide_alike(held: &Held, naive: &Naive) {
    for (tenant, subject) in TENANTS.into_iter().flat_map(|t| SUBJECTS.map(|s| (t, s))) {
        assert_eq!(holds(held, held.of(tenant, subject)), naive.of(tenant, subject), "{tenant} {subject}");
    }
    assert_eq!(held.len(), naive.assignments.len());
}

fn agree(held: &Held, naive: &Naive) {
    decide_alike(held, naive);
    let mut all: Vec<_> = held.iter().collect();
    all.sort();
    let mut expected: Vec<_> = naive.assignments.values().cloned().collect();
    expected.sort();
    assert!(all == expected, "{all:?} {expected:?}");

    let mut joined = BTreeSet::new();
    for change in held.joins() {
        let Change::Join { tenant, group, subject } = change else { panic!("only joins") };
        assert!(joined.insert((tenant, group, subject)), "each once");
    }
    assert_eq!(joined, naive.joined);

    for tenant in TENANTS {
        let mut anybody = BTreeSet::new();
        for subject in SUBJECTS {
            let holder = Holder::Subject(subject.into());
            if naive.assignments.keys().any(|(t, h, _)| **t == *tenant && *h == holder)
                || naive.joined.iter().any(|(t, _, s)| **t == *tenant && **s == *subject)
            {
                anybody.insert(subject);
            }
        }
        assert_eq!(held.subjects_in(tenant).map(|subject| subject.name).collect::<BTreeSet<_>>(), anybody);
        let of_all = held.subjects().filter(|subject| subject.tenant == tenant);
        assert_eq!(of_all.map(|subject| subject.name).collect::<BTreeSet<_>>(), anybody);
        for group in GROUPS {
            let members: BTreeSet<_> = held.members(tenant, group).collect();
            let joined = naive.joined.iter().filter(|(t, g, _)| **t == *tenant && **g == *group);
            assert_eq!(members, joined.map(|(_, _, subject)| &**subject).collect());
        }
    }
}

fn name(of: &'static [&'static str]) -> impl Strategy<Value = Box<str>> {
    select(of).prop_map(Into::into)
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![name(&SUBJECTS).prop_map(Holder::Subject), name(&GROUPS).prop_map(Holder::Group)]
}

fn assignment() -> impl Strategy<Value = Assignment> {
    let time = || option::weighted(0.3, prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()]);
    let text = || option::weighted(0.3, prop_oneof![Just(String::new()), ".{1,12}"]);
    (name(&TENANTS), holder(), name(&ROLES), (time(), time()), (text(), text())).prop_map(
        |(tenant, holder, role, (from, until), (granted_by, reason))| Assignment {
            tenant,
            holder,
            role,
            not_before: from.map(UnixTime::from_nanos),
            expires: until.map(UnixTime::from_nanos),
            granted_by: granted_by.map(Into::into),
            reason: reason.map(Into::into),
        },
    )
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        5 => assignment().prop_map(Change::Assign),
        2 => (name(&TENANTS), holder(), name(&ROLES))
            .prop_map(|(tenant, holder, role)| Change::Revoke { tenant, holder, role }),
        2 => (name(&TENANTS), name(&GROUPS), name(&SUBJECTS))
            .prop_map(|(tenant, group, subject)| Change::Join { tenant, group, subject }),
        1 => (name(&TENANTS), name(&GROUPS), name(&SUBJECTS))
            .prop_map(|(tenant, group, subject)| Change::Leave { tenant, group, subject }),
        1 => (name(&TENANTS), name(&SUBJECTS))
            .prop_map(|(tenant, subject)| Change::Remove { tenant, subject }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn one_by_one_and_at_once_and_built_are_the_same_and_what_was_before_stays(
        changes in vec(change(), 0..40)
    ) {
        let (mut held, mut naive) = (Held::new(), Naive::default());
        let mut before = Vec::new();
        for change in &changes {
            before.push((held.clone(), naive.clone()));
            held = held.apply(std::slice::from_ref(change));
            naive.change(change);
        }
        agree(&held, &naive);
        agree(&Held::new().apply(&changes), &naive);
        let built = Held::build(changes.iter().cloned().collect());
        agree(&built, &naive);
        for (held, naive) in &before {
            decide_alike(held, naive);
        }
        if let Some((held, naive)) = before.get(before.len() / 2) {
            agree(held, naive);
        }
        // What is exported leads to the same table, and a built one takes changes like any other.
        let exported: HeldAssignments =
            built.joins().chain(built.iter().map(Change::Assign)).collect();
        agree(&Held::build(exported), &naive);
        for change in &changes {
            naive.change(change);
        }
        agree(&built.apply(&changes), &naive);
    }

    #[test]
    fn triples_in_any_order_are_assignments(
        triples in vec((select(&TENANTS[..]), select(&SUBJECTS[..]), select(&ROLES[..])), 0..40)
    ) {
        let mut naive = Naive::default();
        for (tenant, subject, role) in &triples {
            naive.change(&Change::Assign(Assignment::new(*tenant, *subject, *role)));
        }
        let chained = triples.iter().fold(HeldAssignments::new(), |held, (t, s, r)| held.assign(t, s, r));
        let shared = chained.clone();
        agree(&Held::build(chained), &naive);
        agree(&Held::build(triples.iter().copied().collect()), &naive);
        // Once more on top: nothing changes, nor does the one that shares its memory.
        let mut again = shared.clone();
        again.extend(triples.iter().copied());
        again.apply(&Change::Join { tenant: "north".into(), group: "new".into(), subject: "new".into() });
        agree(&Held::build(shared), &naive);
        prop_assert_eq!(Held::build(again).len(), naive.assignments.len());
    }

    #[test]
    fn damaged_marks_are_never_a_panic(value in vec(any::<u8>(), 0..80), flags in 0..16_u8) {
        let mut value = value;
        if let Some(first) = value.get_mut(3) {
            *first = flags << 4;
        }
        let mut out = Vec::new();
        let note = marks::Note { granted_by: Some("florence"), reason: None };
        marks::set(&value, What::Role(1), Bounds::NONE, note, &mut out);
        prop_assert!(Marks::of(&out).with_notes().any(|(mark, its)| mark.what == What::Role(1) && its == note));
        prop_assert!(marks::unset(&out.clone(), What::Role(1), &mut out));
        prop_assert!(Marks::of(&out).all(|mark| mark.what != What::Role(1)));
    }
}

fn join(tenant: &str, group: &str, subject: &str) -> Change {
    Change::Join { tenant: tenant.into(), group: group.into(), subject: subject.into() }
}

fn roles(held: &Held, tenant: &str, subject: &str) -> Vec<String> {
    holds(held, held.of(tenant, subject)).into_iter().map(|(role, _, _)| role).collect()
}

#[test]
fn a_role_that_a_group_is_given_later_is_its_members_at_once_and_their_records_are_not_touched() {
    let empty = Held::new().apply(&[join("north", "ward", "ada"), join("south", "ward", "bob")]);
    assert_eq!(roles(&empty, "north", "ada"), [""; 0]);
    let given = empty.apply(&[Change::Assign(Assignment::to_group("north", "ward", "nurse"))]);
    assert_eq!(roles(&given, "north", "ada"), ["nurse"]);
    assert_eq!(
        roles(&given, "south", "bob"),
        [""; 0],
        "a group of that name of another tenant is another group"
    );
    assert_eq!(roles(&empty, "north", "ada"), [""; 0], "what was before stays");
    assert!(given.subjects.shares_all_with(&empty.subjects));
    let taken = given.apply(&[Change::Revoke {
        tenant: "north".into(),
        holder: Holder::Group("ward".into()),
        role: "nurse".into(),
    }]);
    assert_eq!(roles(&taken, "north", "ada"), [""; 0]);
    assert_eq!(taken.of("north", "ada").unwrap().groups().collect::<Vec<_>>(), ["ward"]);
    assert_eq!(taken.groups().collect::<BTreeSet<_>>(), [("north", "ward"), ("south", "ward")].into());
    assert_eq!(holds(&given, given.of_group("north", "ward")).len(), 1);
    let again = given.apply(&[Change::Assign(Assignment::to_group("north", "ward", "nurse"))]);
    assert!(again.groups.shares_all_with(&given.groups));
}

#[test]
fn who_is_removed_holds_nothing_and_is_in_no_group() {
    let held = HeldAssignments::new()
        .assign("north", "ada", "doctor")
        .assign("south", "ada", "nurse")
        .with(Assignment::to_group("north", "ward", "nurse"))
        .join("north", "ward", "ada");
    let held = Held::build(held);
    let removed = held.apply(&[Change::Remove { tenant: "north".into(), subject: "ada".into() }]);
    assert!(removed.of("north", "ada").is_none() && removed.members("north", "ward").next().is_none());
    assert_eq!((roles(&removed, "south", "ada"), removed.len()), (vec!["nurse".to_owned()], 2));
    // Back again, without what was before.
    let back = removed.apply(&[Change::Assign(Assignment::new("north", "ada", "clerk"))]);
    assert_eq!(roles(&back, "north", "ada"), ["clerk"]);
}

#[test]
fn a_change_copies_one_shard_and_one_that_changes_nothing_copies_none() {
    let held: HeldAssignments = (0..20_000).map(|n| ("north", format!("user-{n}"), "nurse")).collect();
    let held = Held::build(held);
    let assign = Change::Assign(Assignment::new("north", "user-7", "doctor"));
    let changed = held.apply(std::slice::from_ref(&assign));
    assert_eq!(changed.subjects.shards_apart_from(&held.subjects), 1);
    for (one, two) in [
        (&changed.tenants, &held.tenants),
        (&changed.groups, &held.groups),
        (&changed.group_numbers, &held.group_numbers),
    ] {
        assert!(one.shares_all_with(two));
    }
    let nothing = [
        assign,
        Change::Revoke {
            tenant: "north".into(),
            holder: Holder::Subject("user-8".into()),
            role: "doctor".into(),
        },
        Change::Revoke {
            tenant: "north".into(),
            holder: Holder::Subject("user-8".into()),
            role: "new".into(),
        },
        Change::Revoke { tenant: "west".into(), holder: Holder::Group("ward".into()), role: "nurse".into() },
        Change::Leave { tenant: "north".into(), group: "ward".into(), subject: "user-8".into() },
        Change::Remove { tenant: "north".into(), subject: "nobody".into() },
    ];
    let again = changed.apply(&nothing);
    assert!(
        again.subjects.shares_all_with(&changed.subjects) && again.tenants.shares_all_with(&held.tenants)
    );
    assert_eq!((again.role_count(), again.next_tenant, again.next_group), (2, 1, 0), "nothing got a number");
}

#[test]
fn numbers_of_roles_stay_and_names_are_theirs() {
    let held =
        Held::build(HeldAssignments::new().assign("north", "ada", "doctor").assign("north", "ada", "nurse"));
    let numbers = [held.role_number("doctor").unwrap(), held.role_number("nurse").unwrap()];
    let more = held.apply(&[Change::Assign(Assignment::new("north", "bob", "clerk"))]);
    assert_eq!([more.role_number("doctor").unwrap(), more.role_number("nurse").unwrap()], numbers);
    assert_eq!((held.role_count(), more.role_count(), more.role_names().len()), (2, 3, 3));
    for role in ["doctor", "nurse", "clerk"] {
        assert_eq!(more.role_names()[more.role_number(role).unwrap() as usize], role);
    }
    assert_eq!((held.role_number("clerk"), held.of("north", "bob").is_some()), (None, false));
}

#[test]
fn names_of_any_length_are_told_apart_by_all_their_bytes() {
    for length in [1, 2, 15, 16, 17, 255, 70_000] {
        let one = "x".repeat(length);
        let two = format!("{}y", "x".repeat(length - 1));
        let held =
            HeldAssignments::new().assign(&one, &two, "a").assign(&two, &one, "b").assign(&one, &one, &two);
        let held = Held::build(held);
        assert_eq!(roles(&held, &one, &two), ["a"]);
        assert_eq!(roles(&held, &two, &one), ["b"]);
        assert_eq!(roles(&held, &one, &one), [two.as_str()]);
        assert!(held.of(&two, &two).is_none());
    }
    // Where one name ends and the next begins counts too.
    let held = Held::build(HeldAssignments::new().assign("ab", "c", "one").assign("a", "bc", "two"));
    assert_eq!((roles(&held, "ab", "c"), roles(&held, "a", "bc")), (vec!["one".into()], vec!["two".into()]));
    assert!(held.of("abc", "").is_none() && held.of("", "abc").is_none());
}

#[test]
fn ten_thousand_roles_of_one_subject() {
    let names: Vec<String> = (0..10_000).map(|n| format!("role-{n}")).collect();
    let held: HeldAssignments = names.iter().map(|role| ("north", "ada", role)).collect();
    let held = Held::build(held);
    assert_eq!((held.len(), roles(&held, "north", "ada").len()), (10_000, 10_000));
    let holder = || Holder::Subject("ada".into());
    let fewer = held.apply(&[
        Change::Revoke { tenant: "north".into(), holder: holder(), role: "role-4999".into() },
        Change::Assign(Assignment::new("north", "ada", "role-5000").because("once more")),
    ]);
    assert_eq!(roles(&fewer, "north", "ada").len(), 9_999);
    assert_eq!(fewer.iter().filter(|assignment| assignment.reason() == Some("once more")).count(), 1);
}

#[test]
fn a_hundred_thousand_tenants() {
    let names = |n: u32| (format!("tenant-{n}"), format!("user-{}", n % 1_000));
    let held: HeldAssignments = (0..100_000).map(names).map(|(t, s)| (t, s, "nurse")).collect();
    let held = Held::build(held);
    for n in (0..100_000).step_by(997) {
        let (tenant, subject) = names(n);
        assert_eq!(roles(&held, &tenant, &subject), ["nurse"]);
        assert!(held.of(&tenant, "user-x").is_none());
    }
    let more = held.apply(&[Change::Assign(Assignment::new("tenant-new", "ada", "nurse"))]);
    assert_eq!(more.tenants.shards_apart_from(&held.tenants), 1, "not all tenants are copied for a new one");
    assert_eq!((more.subjects().count(), held.subjects().count()), (100_001, 100_000));
}

#[test]
fn a_table_that_was_built_has_no_room_left_and_one_that_was_changed_little() {
    let triple = |n: u32| ("north", format!("user-{:04}", n / 4), format!("role-{}", n % 4));
    let gathered: HeldAssignments = (0..20_000).map(triple).collect();
    let while_filled = gathered.held().subjects.bytes();
    let held = Held::build(gathered);
    // A record (12 bytes and 9 of the name and 4 for each role) for each subject, and slots of 8 bytes: in small shards like
    // these, of one or two subjects, some two for each.
    let records = 5_000 * (12 + 9 + 4 * 4);
    assert!(held.subjects.bytes() < records + 5_000 * 2 * 8, "{}", held.subjects.bytes());
    assert!(while_filled > held.subjects.bytes() && while_filled < held.subjects.bytes() * 2);
    // Role by role is the worst order.
    let other: HeldAssignments = (0..20_000).map(|n| triple(n % 5_000 * 4 + n / 5_000)).collect();
    assert!(other.held().subjects.bytes() < held.subjects.bytes() * 2);
    // Another seed spreads the subjects otherwise.
    let (one, two) = (Held::build(other).subjects.bytes(), held.subjects.bytes());
    assert!(one.abs_diff(two) < two / 50, "{one} {two}");
}

#[test]
fn debug_shows_how_many_and_nobody() {
    let gathered = HeldAssignments::new()
        .with(Assignment::new("canary-t", "canary-s", "canary-r").granted_by("canary-g").because("canary-w"))
        .join("canary-t", "canary-group", "canary-s");
    let held = Held::build(gathered.clone());
    let roles = held.of("canary-t", "canary-s").unwrap();
    let shown = format!("{gathered:?} {held:?} {roles:?}");
    assert_eq!(shown, "HeldAssignments(1) Held(1) Roles(2)");
    assert!(!format!("{:?}", held.subjects().next().unwrap()).contains("canary"));
}
