//! Several at once.

use std::{
    collections::BTreeMap,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use bartizan_core::{Revision, UnixTime};

use super::{
    Outcome, Stores, Violation, hold,
    model::{Model, assign, policy, revoke},
    writing::begin,
};
use crate::{Assignment, Change, Changes, Loaded, PolicyStore, SourceErrorKind};

const WRITERS: usize = 6;

const WRITES: usize = 4;

/// Every revision has one commit, and the state is what they make in that order.
///
/// # Errors
/// How the driver breaks this.
pub fn of_writers_that_race_one_wins_each_revision(stores: &Stores) -> Outcome {
    begin(stores)?;
    let first = stores.call(stores.two.load())?;
    let start = Barrier::new(WRITERS);
    let written = thread::scope(|scope| {
        let start = &start;
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = if writer % 2 == 0 { &stores.one } else { &stores.two };
                scope.spawn(move || {
                    start.wait();
                    (0..WRITES)
                        .map(|write| write_once(stores, &**store, writer * WRITES + write))
                        .collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        writers.into_iter().map(thread::ScopedJoinHandle::join).collect::<Vec<_>>()
    });
    let mut commits = BTreeMap::new();
    for writer in written {
        for (revision, change) in writer.map_err(|_| Violation::new("a call panicked"))?? {
            hold(commits.insert(revision, change).is_none(), "two commits have one revision")?;
        }
    }
    let loaded = stores.call(stores.one.load())?;
    hold(commits.keys().next_back() == Some(&loaded.revision), "the last revision is no commit's")?;
    let in_order: Vec<Change> = commits.into_values().collect();
    let expected = Model::of(&first).with(&in_order);
    expected.must_be(&loaded, "the state is not what the commits make in their order")?;
    let followed = super::reading::follow(stores, &*stores.two, &first, loaded.revision)?;
    followed.must_be(&loaded, "changes lead elsewhere than loading")
}

/// Everybody writes the same assignment, with another end: order matters.
fn write_once(
    stores: &Stores,
    store: &dyn PolicyStore,
    number: usize,
) -> Result<(Revision, Change), Violation> {
    let end = UnixTime::from_secs(i64::try_from(number).unwrap_or_default());
    let change = Change::Assign(Assignment::new("north", "ada", "doctor").expires(end));
    loop {
        let seen = stores.call(store.revision())?;
        match stores.run(store.commit(seen, std::slice::from_ref(&change)))? {
            Ok(revision) => return Ok((revision, change)),
            Err(error) if matches!(error.kind(), SourceErrorKind::Conflict | SourceErrorKind::Busy) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Runs one thread that writes, and what reads until it is done.
fn beside<T>(
    write: impl FnOnce() -> Result<T, Violation> + Send,
    mut read: impl FnMut() -> Outcome,
) -> Result<T, Violation>
where
    T: Send,
{
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let written = write();
            is_done.store(true, Ordering::SeqCst);
            written
        });
        let mut outcome = Ok(());
        while outcome.is_ok() && !is_done.load(Ordering::SeqCst) {
            outcome = read();
        }
        let written = writer.join().map_err(|_| Violation::new("a call panicked"))?;
        outcome?;
        written
    })
}

/// Policy, assignments and revision are of one moment.
///
/// # Errors
/// How the driver breaks this.
pub fn a_load_is_the_state_of_its_revision(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    let mut loads: Vec<Loaded> = Vec::new();
    let states = beside(
        || {
            let (mut seen, mut text) = (first, policy(1));
            let mut model = Model::default();
            let mut states = BTreeMap::from([(seen, (text.clone(), model.clone()))]);
            for number in 0..40_u32 {
                if number % 4 == 0 {
                    text = policy(number + 2);
                    seen = stores.call(stores.two.publish(seen, &text))?;
                } else {
                    let change = assign("ada", &format!("role-{number}"));
                    seen = stores.call(stores.two.commit(seen, std::slice::from_ref(&change)))?;
                    model.apply(&change);
                }
                states.insert(seen, (text.clone(), model.clone()));
            }
            Ok(states)
        },
        || {
            loads.push(stores.call(stores.one.load())?);
            Ok(())
        },
    )?;
    for loaded in loads {
        let Some((text, model)) = states.get(&loaded.revision) else {
            return hold(false, "a load is at a revision that never was");
        };
        hold(*text == loaded.policy, "a load has the policy of another revision")?;
        model.must_be(&loaded, "a load has assignments of another revision")?;
    }
    Ok(())
}

/// A role that goes from one to another is with one of them at every revision.
///
/// # Errors
/// How the driver breaks this.
pub fn a_commit_is_seen_whole(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    let first = stores.call(stores.two.commit(first, &[assign("ada", "keys")]))?;
    let loaded = stores.call(stores.one.load())?;
    let (mut model, mut seen) = (Model::of(&loaded), loaded.revision);
    beside(
        || {
            let mut at = first;
            for number in 0..40 {
                let (from, to) = if number % 2 == 0 { ("ada", "bob") } else { ("bob", "ada") };
                at = stores.call(stores.two.commit(at, &[revoke(from, "keys"), assign(to, "keys")]))?;
            }
            Ok(())
        },
        || {
            match stores.wait(stores.one.changes(seen))? {
                Changes::These(changes, revision) => {
                    model = std::mem::take(&mut model).with(&changes);
                    seen = revision;
                }
                Changes::Nothing => {}
                Changes::Everything => {
                    let loaded = stores.call(stores.one.load())?;
                    (model, seen) = (Model::of(&loaded), loaded.revision);
                }
            }
            hold(model.assignments().count() == 1, "changes end in the middle of a commit")
        },
    )
}

/// Who asks before something happens is told once it has.
///
/// # Errors
/// How the driver breaks this.
pub fn whoever_waits_hears_of_it(stores: &Stores) -> Outcome {
    let first = begin(stores)?;
    let loaded = stores.call(stores.one.load())?;
    hold(loaded.revision == first, "what is loaded is not the last commit")?;
    let asked = Barrier::new(2);
    let heard = thread::scope(|scope| {
        let listener = scope.spawn(|| {
            asked.wait();
            for _ in 0..100 {
                match stores.wait(stores.one.changes(first))? {
                    Changes::Nothing => {}
                    changes => return Ok(changes),
                }
            }
            Err(Violation::new("nothing changed, it says, though something did"))
        });
        asked.wait();
        let committed = stores.call(stores.two.commit(first, &[assign("ada", "doctor")]));
        let heard = listener.join().map_err(|_| Violation::new("a call panicked"))?;
        committed.and_then(|revision| Ok((revision, heard?)))
    })?;
    match heard {
        (committed, Changes::These(changes, revision)) => {
            hold(revision == committed, "changes lead to another revision than the commit's")?;
            let expected = Model::default().with(&[assign("ada", "doctor")]);
            hold(Model::default().with(&changes) == expected, "changes are not what was committed")
        }
        _ => hold(false, "everything is to be loaded without need"),
    }
}
