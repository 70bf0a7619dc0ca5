//! What changed, in order and without a gap.

use bartizan_core::{Revision, UnixTime};

use super::{
    Outcome, Stores, Violation, hold,
    model::{Model, assign, join, leave, policy, remove, revoke, wrong},
    writing::begin,
};
use crate::{Assignment, Change, Changes, Loaded, PolicyStore, SourceErrorKind};

/// Follows the changes from a load up to a revision.
pub(super) fn follow(
    stores: &Stores,
    source: &dyn PolicyStore,
    from: &Loaded,
    to: Revision,
) -> Result<Model, Violation> {
    let (mut model, mut seen) = (Model::of(from), from.revision);
    while seen < to {
        match stores.wait(source.changes(seen))? {
            Changes::These(changes, revision) => {
                hold(revision > seen, "changes lead to a revision that is not later")?;
                hold(revision <= to, "changes lead beyond the last commit")?;
                model = model.with(&changes);
                seen = revision;
            }
            Changes::Nothing => return wrong("nothing changed, it says, though something did"),
            Changes::Everything => return wrong("everything is to be loaded without need"),
        }
    }
    Ok(model)
}

/// Changes that mean something else in another order.
fn commits() -> [Vec<Change>; 6] {
    let until =
        |secs| Change::Assign(Assignment::new("north", "ada", "doctor").expires(UnixTime::from_secs(secs)));
    [
        vec![until(1), until(2)],
        vec![join("ward", "ada"), leave("ward", "ada")],
        vec![revoke("ada", "doctor")],
        vec![until(3), assign("bob", "nurse"), remove("north", "bob"), join("ward", "bob")],
        vec![
            remove("north", "ada"),
            assign("ada", "nurse"),
            Change::Assign(Assignment::across_tenants("ada", "auditor")),
        ],
        vec![Change::Assign(Assignment::to_group("north", "ward", "doctor").granted_by("ada").because("x"))],
    ]
}

/// Whoever follows is where whoever loads is, at each commit and over all of them.
///
/// # Errors
/// How the driver breaks this.
pub fn changes_lead_where_loading_does(stores: &Stores) -> Outcome {
    begin(stores)?;
    let first = stores.call(stores.one.load())?;
    let mut before = first.clone();
    for changes in commits() {
        let revision = stores.call(stores.two.commit(before.revision, &changes))?;
        let step = follow(stores, &*stores.one, &before, revision)?;
        before = stores.call(stores.one.load())?;
        step.must_be(&before, "changes lead elsewhere than loading")?;
    }
    follow(stores, &*stores.one, &first, before.revision)?
        .must_be(&before, "changes lead elsewhere than loading")
}

/// To ask is not to take: whoever asks again, or asks on another node, is told again.
///
/// # Errors
/// How the driver breaks this.
pub fn the_same_question_has_the_same_answer(stores: &Stores) -> Outcome {
    begin(stores)?;
    let (one, two) = (stores.call(stores.one.load())?, stores.call(stores.two.load())?);
    let mut seen = one.revision;
    for changes in commits() {
        seen = stores.call(stores.one.commit(seen, &changes))?;
    }
    let last = stores.call(stores.two.load())?;
    for _ in 0..2 {
        follow(stores, &*stores.one, &one, seen)?.must_be(&last, "the second answer is another")?;
        follow(stores, &*stores.two, &two, seen)?.must_be(&last, "one node's answer is another's loss")?;
    }
    Ok(())
}

/// Changes of assignments cannot say it.
///
/// # Errors
/// How the driver breaks this.
pub fn a_new_policy_means_everything(stores: &Stores) -> Outcome {
    begin(stores)?;
    let first = stores.call(stores.one.load())?.revision;
    let second = stores.call(stores.two.publish(first, &policy(2)))?;
    let third = stores.call(stores.two.commit(second, &[assign("ada", "doctor")]))?;
    hold(is_everything(stores, first)?, "a new policy is passed over")?;
    let loaded = stores.call(stores.one.load())?;
    hold(loaded.revision == third && loaded.policy == policy(2), "a new policy is not loaded")?;
    // And the other way round: what came before it is no reason to overlook it.
    let fourth = stores.call(stores.two.commit(third, &[assign("bob", "doctor")]))?;
    stores.call(stores.two.publish(fourth, &policy(3)))?;
    hold(is_everything_in_the_end(stores, third)?, "a policy after other changes is passed over")
}

fn is_everything(stores: &Stores, seen: Revision) -> Result<bool, Violation> {
    Ok(matches!(stores.wait(stores.one.changes(seen))?, Changes::Everything))
}

/// It may say first what came before.
fn is_everything_in_the_end(stores: &Stores, mut seen: Revision) -> Result<bool, Violation> {
    loop {
        match stores.wait(stores.one.changes(seen))? {
            Changes::These(_, revision) if revision > seen => seen = revision,
            Changes::Everything => return Ok(true),
            _ => return Ok(false),
        }
    }
}

/// What is not known to be everything that changed is not passed off as it.
///
/// # Errors
/// How the driver breaks this.
pub fn a_gap_means_everything(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    let loaded = stores.call(stores.one.load())?.revision;
    let second = stores.call(stores.two.commit(first, &[assign("ada", "doctor")]))?;
    let third = stores.call(stores.two.commit(second, &[assign("bob", "doctor")]))?;
    stores.forget();
    let fourth = stores.call(stores.two.commit(third, &[assign("eve", "doctor")]))?;
    hold(is_everything(stores, loaded)?, "a gap is passed over")?;
    let after = stores.call(stores.one.load())?;
    hold(after.revision == fourth, "what is loaded is not the last commit")?;
    let fifth = stores.call(stores.two.commit(fourth, &[revoke("ada", "doctor")]))?;
    let followed = follow(stores, &*stores.one, &after, fifth)?;
    followed.must_be(&stores.call(stores.two.load())?, "after a gap, changes lead elsewhere than loading")
}

/// As after a backup was put back.
///
/// # Errors
/// How the driver breaks this.
pub fn a_revision_that_never_was_means_everything(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    for future in [first.0 + 1, first.0 + 1_000, u64::MAX] {
        hold(is_everything(stores, Revision(future))?, "a revision from elsewhere is believed")?;
    }
    Ok(())
}

/// A source that is alive says so.
///
/// # Errors
/// How the driver breaks this.
pub fn nothing_new_is_said_after_a_while(stores: &Stores) -> Outcome {
    begin(stores)?;
    let loaded = stores.call(stores.one.load())?;
    for _ in 0..2 {
        let answer = stores.wait(stores.one.changes(loaded.revision))?;
        hold(matches!(answer, Changes::Nothing), "something changed, it says, though nothing did")?;
    }
    Ok(())
}

/// At whichever point: asked again, it answers the same.
///
/// # Errors
/// How the driver breaks this.
pub fn a_question_that_was_dropped_loses_nothing(stores: &Stores) -> Outcome {
    begin(stores)?;
    let first = stores.call(stores.one.load())?;
    let mut seen = first.revision;
    for polls in 0..12 {
        stores.drop_after(polls, stores.one.changes(seen))?;
        seen = stores.call(stores.two.commit(seen, &[assign("ada", &format!("role-{polls}"))]))?;
        stores.drop_after(polls, stores.one.changes(first.revision))?;
        stores.drop_after(polls, stores.one.load())?;
    }
    let followed = follow(stores, &*stores.one, &first, seen)?;
    followed.must_be(&stores.call(stores.one.load())?, "changes are lost with a question that was dropped")
}

/// At whichever point: all of its changes are made, or none.
///
/// # Errors
/// How the driver breaks this.
pub fn a_write_that_was_dropped_is_whole_or_not_at_all(stores: &Stores) -> Outcome {
    begin(stores)?;
    for polls in 0..12 {
        let seen = stores.call(stores.two.revision())?;
        let role = format!("role-{polls}");
        let changes = [assign("ada", &role), assign("bob", &role)];
        stores.drop_after(polls, stores.one.commit(seen, &changes))?;
        // Whether it was made is known once somebody else's write is.
        loop {
            let seen = stores.call(stores.two.revision())?;
            match stores.run(stores.two.commit(seen, &[assign("eve", &role)]))? {
                Ok(_) => break,
                Err(error) if error.kind() == SourceErrorKind::Conflict => {}
                Err(error) => return Err(error.into()),
            }
        }
        let loaded = Model::of(&stores.call(stores.two.load())?);
        let made = loaded.assignments().filter(|assignment| assignment.role() == role).count();
        hold(made == 1 || made == 3, "half of a write that was dropped is made")?;
    }
    Ok(())
}
