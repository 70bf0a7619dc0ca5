//! What is written, and what is read of it.

use bartizan_core::{Revision, UnixTime};

use super::{
    Outcome, Stores, Violation, hold,
    model::{Model, assign, join, leave, policy, remove, revoke},
};
use crate::{
    Assignment, Change, Holder, Loaded, MAX_COMMIT, PolicyText, SourceError, SourceErrorKind,
    document::MAX_FILE,
};

/// A store with the first policy.
pub(super) fn begin(stores: &Stores) -> Result<Revision, Violation> {
    stores.call(stores.one.publish(Revision(0), &policy(1)))
}

fn kind<T>(answer: Result<T, SourceError>) -> Option<SourceErrorKind> {
    answer.err().map(|error| error.kind())
}

/// Commits, and loads through the other driver.
fn after(stores: &Stores, changes: &[Change]) -> Result<Loaded, Violation> {
    let seen = stores.call(stores.one.revision())?;
    let revision = stores.call(stores.one.commit(seen, changes))?;
    hold(revision > seen, "a commit has no revision of its own")?;
    let loaded = stores.call(stores.two.load())?;
    hold(loaded.revision == revision, "what is loaded is not at the revision that the commit answered")?;
    Ok(loaded)
}

/// No policy is no empty policy; assignments may come first.
///
/// # Errors
/// How the driver breaks this.
pub fn nothing_is_there_at_first(stores: &Stores) -> Outcome {
    hold(stores.call(stores.one.revision())? == Revision(0), "an empty store is not at revision 0")?;
    let missing = Some(SourceErrorKind::Missing);
    hold(kind(stores.run(stores.one.load())?) == missing, "no policy is loaded as one")?;
    let first = stores.call(stores.one.commit(Revision(0), &[assign("ada", "doctor")]))?;
    hold(kind(stores.run(stores.two.load())?) == missing, "no policy is loaded as one")?;
    let second = stores.call(stores.two.publish(first, &policy(1)))?;
    let loaded = stores.call(stores.one.load())?;
    hold(loaded.revision == second, "what is loaded is not at the revision that publishing answered")?;
    Model::default().with(&[assign("ada", "doctor")]).must_be(&loaded, "what was assigned first is lost")
}

/// Nothing is trimmed, normalised or taken for another form.
///
/// # Errors
/// How the driver breaks this.
pub fn a_policy_is_loaded_to_the_byte(stores: &Stores) -> Outcome {
    let mut seen = Revision(0);
    for text in [
        PolicyText::Toml("version = 1".into()),
        PolicyText::Json("version = 1".into()),
        PolicyText::Toml(" \r\n\u{feff}version = 1 # ä a\u{308} \u{1f600} '\"\\ \t\n\n ".into()),
        PolicyText::Toml(String::new()),
    ] {
        seen = stores.call(stores.one.publish(seen, &text))?;
        let loaded = stores.call(stores.two.load())?;
        hold(loaded.policy == text, "a policy is not loaded as it was published")?;
        hold(loaded.revision == seen, "what is loaded is not at the revision that publishing answered")?;
    }
    let zero = PolicyText::Toml("version = 1\0".into());
    let refused = kind(stores.run(stores.one.publish(seen, &zero))?);
    hold(refused == Some(SourceErrorKind::Unstorable), "a policy with a zero in it is taken")
}

/// 16 MiB, and no byte more.
///
/// # Errors
/// How the driver breaks this.
pub fn a_policy_has_a_size_and_a_limit(stores: &Stores) -> Outcome {
    let largest = PolicyText::Json("x".repeat(MAX_FILE));
    let seen = stores.call(stores.one.publish(Revision(0), &largest))?;
    let loaded = stores.call(stores.two.load())?;
    hold(loaded.policy == largest, "a policy is not loaded as it was published")?;
    let larger = PolicyText::Toml("x".repeat(MAX_FILE + 1));
    let refused = kind(stores.run(stores.one.publish(seen, &larger))?);
    hold(refused == Some(SourceErrorKind::TooLarge), "a policy beyond its limit is taken")
}

/// Bounds, giver, reason, groups, and the realm above tenants.
///
/// # Errors
/// How the driver breaks this.
pub fn an_assignment_is_loaded_with_all_that_it_says(stores: &Stores) -> Outcome {
    begin(stores)?;
    let nanos = UnixTime::from_nanos;
    let changes = [
        assign("ada", "doctor"),
        Change::Assign(Assignment::new("north", "bob", "doctor").not_before(nanos(1)).expires(nanos(2))),
        Change::Assign(Assignment::new("north", "eve", "doctor").not_before(nanos(i64::MIN))),
        Change::Assign(Assignment::new("north", "eve", "nurse").expires(nanos(i64::MAX))),
        Change::Assign(Assignment::new("north", "flo", "nurse").granted_by("ada").because("a \u{1f600}\n'")),
        Change::Assign(Assignment::new("north", "gus", "nurse").because("")),
        Change::Assign(Assignment::to_group("north", "ada", "doctor").expires(nanos(0))),
        Change::Assign(Assignment::across_tenants("ada", "auditor").because("x".repeat(4_096))),
        join("ward", "ada"),
        join("ward", "bob"),
    ];
    let expected = Model::default().with(&changes);
    expected.must_be(&after(stores, &changes)?, "what was assigned is not what is loaded")
}

/// No folding, trimming or normalising makes one name of two.
///
/// # Errors
/// How the driver breaks this.
pub fn names_are_compared_byte_by_byte(stores: &Stores) -> Outcome {
    begin(stores)?;
    let names = [
        "ada",
        "Ada",
        "ADA",
        "ada ",
        " ada",
        "\u{e4}da",
        "a\u{308}da",
        "\u{df}",
        "ss",
        "SS",
        "i",
        "\u{131}",
        "I",
        "ﬁ",
        "fi",
    ];
    let mut model = Model::default();
    for change in names.iter().flat_map(|name| [assign(name, name), join(name, name)]) {
        model.apply(&change);
        model.must_be(&after(stores, &[change])?, "two names are one")?;
    }
    for change in names.iter().flat_map(|name| [revoke(name, name), leave(name, name)]) {
        model.apply(&change);
        model.must_be(&after(stores, &[change])?, "what is taken from one name is taken from another")?;
    }
    Ok(())
}

/// One role, one holder, one assignment: the last.
///
/// # Errors
/// How the driver breaks this.
pub fn assigning_again_replaces(stores: &Stores) -> Outcome {
    begin(stores)?;
    let bounded = Assignment::new("north", "ada", "doctor").expires(UnixTime::from_secs(9)).because("one");
    after(stores, &[Change::Assign(bounded)])?;
    let without_end = [assign("ada", "doctor"), join("ward", "ada")];
    let expected = Model::default().with(&without_end);
    expected.must_be(&after(stores, &without_end)?, "an assignment does not replace the one before")?;
    expected.must_be(&after(stores, &without_end)?, "what is made already changes something")
}

/// Once taken, it is not there; what is not there can be taken.
///
/// # Errors
/// How the driver breaks this.
pub fn what_is_taken_is_gone(stores: &Stores) -> Outcome {
    begin(stores)?;
    let of_group = Change::Assign(Assignment::to_group("north", "ada", "doctor"));
    after(
        stores,
        &[
            assign("ada", "doctor"),
            assign("ada", "nurse"),
            of_group.clone(),
            join("ward", "ada"),
            join("ada", "ward"),
        ],
    )?;
    let left = Model::default().with(&[assign("ada", "nurse"), of_group, join("ada", "ward")]);
    let taken = [revoke("ada", "doctor"), leave("ward", "ada")];
    left.must_be(&after(stores, &taken)?, "what was taken is not gone, or more is")?;
    left.must_be(&after(stores, &taken)?, "taking what is not there changes something")?;
    let group =
        Change::Revoke { tenant: "north".into(), holder: Holder::Group("ada".into()), role: "doctor".into() };
    let left = Model::default().with(&[assign("ada", "nurse"), join("ada", "ward")]);
    left.must_be(&after(stores, &[group])?, "what was taken from a group is not gone, or more is")
}

/// Everything of one subject in one tenant: assignments and memberships.
///
/// # Errors
/// How the driver breaks this.
pub fn removing_a_subject_takes_all_of_it_there_and_nothing_else(stores: &Stores) -> Outcome {
    begin(stores)?;
    let stay = [
        Change::Assign(Assignment::new("south", "ada", "doctor")),
        Change::Assign(Assignment::across_tenants("ada", "auditor")),
        Change::Assign(Assignment::to_group("north", "ada", "doctor")),
        assign("bob", "doctor"),
        join("ada", "bob"),
        Change::Join { tenant: "south".into(), group: "ward".into(), subject: "ada".into() },
    ];
    let go = [assign("ada", "doctor"), assign("ada", "nurse"), join("ward", "ada"), join("bob", "ada")];
    after(stores, &[&stay[..], &go[..]].concat())?;
    let left = Model::default().with(&stay);
    left.must_be(&after(stores, &[remove("north", "ada")])?, "removing takes too much or too little")?;
    let left = left.with(&[remove("", "ada")]);
    left.must_be(&after(stores, &[remove("", "ada")])?, "removing above tenants takes too much or too little")
}

/// Who has not seen the last write does not write.
///
/// # Errors
/// How the driver breaks this.
pub fn a_conflict_changes_nothing(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    let second = stores.call(stores.two.commit(first, &[assign("ada", "doctor")]))?;
    let conflict = Some(SourceErrorKind::Conflict);
    let changes = [assign("bob", "doctor"), revoke("ada", "doctor")];
    for wrong in [Revision(0), first, Revision(second.0 + 1), Revision(u64::MAX)] {
        let committed = stores.run(stores.one.commit(wrong, &changes))?;
        hold(kind(committed) == conflict, "a commit that expects another revision is made")?;
        let published = stores.run(stores.one.publish(wrong, &policy(2)))?;
        hold(kind(published) == conflict, "a policy that expects another revision is published")?;
    }
    let loaded = stores.call(stores.one.load())?;
    hold(loaded.revision == second && loaded.policy == policy(1), "a conflict changes something")?;
    Model::default().with(&[assign("ada", "doctor")]).must_be(&loaded, "a conflict changes something")
}

/// Before anything of the commit is made.
///
/// # Errors
/// How the driver breaks this.
pub fn what_cannot_be_stored_is_refused(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    let long = "x".repeat(256);
    let mut bad = vec![remove("nor\0th", "ada"), Change::Assign(Assignment::to_group("", "ward", "doctor"))];
    for name in ["", "ada\0", "\0", &long] {
        bad.extend([
            assign(name, "doctor"),
            assign("ada", name),
            revoke(name, "doctor"),
            revoke("ada", name),
            join(name, "ada"),
            join("ward", name),
            leave(name, "ada"),
            leave("ward", name),
            remove("north", name),
            Change::Assign(Assignment::new("north", "ada", "doctor").granted_by(name)),
            Change::Assign(Assignment::to_group("north", name, "doctor")),
        ]);
    }
    let of = |reason: &str| Change::Assign(Assignment::new("north", "ada", "doctor").because(reason));
    bad.extend([of("a\0b"), of(&"x".repeat(4_097))]);
    for change in bad {
        let refused = kind(stores.run(stores.one.commit(first, &[assign("bob", "nurse"), change]))?);
        hold(refused == Some(SourceErrorKind::Unstorable), "what cannot be stored is taken")?;
    }
    let many = vec![assign("bob", "nurse"); MAX_COMMIT + 1];
    let refused = kind(stores.run(stores.one.commit(first, &many))?);
    hold(refused == Some(SourceErrorKind::Unstorable), "a commit beyond its limit is taken")?;
    let loaded = stores.call(stores.two.load())?;
    hold(loaded.revision == first, "a refused commit has a revision")?;
    Model::default().must_be(&loaded, "a refused commit is made in part")?;
    let longest = "\u{e4}".repeat(127);
    let change = assign(&longest, &longest);
    Model::default()
        .with(std::slice::from_ref(&change))
        .must_be(&after(stores, &[change])?, "the longest names are lost")
}

/// It says whether the revision is the expected one, and no more.
///
/// # Errors
/// How the driver breaks this.
pub fn a_commit_of_nothing_has_no_revision(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    hold(stores.call(stores.one.commit(first, &[]))? == first, "no change has a revision")?;
    hold(stores.call(stores.two.revision())? == first, "no change has a revision")?;
    let conflict = kind(stores.run(stores.one.commit(Revision(0), &[]))?);
    hold(conflict == Some(SourceErrorKind::Conflict), "no change is made at any revision")
}
