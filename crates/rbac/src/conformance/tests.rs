//! The suite passes on memory, and catches each store that is broken on purpose.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    task::Waker,
};

use async_trait::async_trait;
use bartizan_core::{Clock, Revision, UnixTime};
use bartizan_testkit::ManualClock;

use super::{model::policy, *};
use crate::{
    Assignment, AssignmentStore, Change, Changes, Holder, Loaded, MemoryPolicy, PolicySource, PolicyText,
    SourceErrorKind, validate_commit,
};

fn memory() -> Stores {
    let clock = Arc::new(ManualClock::at(UnixTime::from_secs(1_800_000_000)));
    let store = MemoryPolicy::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let forgetting = store.clone();
    Stores::new(Arc::new(store.clone()), Arc::new(store), ())
        .forgetting(move || forgetting.forget_changes())
        .passing(move || clock.advance(std::time::Duration::from_millis(10)))
}

mod memory_policy {
    crate::policy_store_conformance!(super::memory);
}

type Case = (&'static str, fn(&Stores) -> Outcome);

const CASES: &[Case] = crate::__policy_store_cases!(__policy_store_table, ());

macro_rules! flaws {
    ($($flaw:ident),+ $(,)?) => {
        /// One way to break a store.
        /// The policy, the assignments, and who is in which group.
type Played = (Option<PolicyText>, Vec<Assignment>, Vec<(Name, Name, Name)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Flaw { None, $($flaw),+ }

        const FLAWS: &[Flaw] = &[$(Flaw::$flaw),+];
    };
}

flaws! {
    AnEmptyPolicyAtFirst,
    BeginsAtOne,
    TrimsPolicies,
    TakesJsonForToml,
    TakesLargePolicies,
    TakesZerosInPolicies,
    LosesBounds,
    LosesReasons,
    LosesTheRealm,
    LosesGroups,
    GroupsAreSubjects,
    FoldsCase,
    TrimsNames,
    KeepsTheFirstBounds,
    RevokesNothing,
    RevokesAllRoles,
    RemovesNoMemberships,
    RemovesFromAllTenants,
    IgnoresWhatIsExpected,
    WritesTheConflictDown,
    ChecksNothing,
    ChecksInTheMiddle,
    NumbersNothing,
    TakesNothingAtAnyRevision,
    AnswersBackwards,
    SplitsCommits,
    ForgetsWhatItSaid,
    HidesPolicies,
    HidesPoliciesAfterChanges,
    HidesGaps,
    BelievesTheFuture,
    LoadsInTwoSteps,
    AlwaysSaysEverything,
    NeverSaysNothing,
    LosesWhatWasDropped,
    WritesInTwoSteps,
    TwoCommitsARevision,
    KeepsToItself,
}

/// A small store of its own, right but for its flaw: a list of what was written.
#[derive(Debug)]
struct Broken {
    flaw: Flaw,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    written: Vec<Written>,
    /// Before this, nobody knows what changed.
    kept_from: usize,
    /// Up to here it was said already.
    said: usize,
    waiting: Vec<Waker>,
}

#[derive(Clone, Debug)]
enum Written {
    Changes(Vec<Change>),
    Policy(PolicyText),
}

impl Broken {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn at(&self, state: &State) -> Revision {
        Revision(state.written.len() as u64 + u64::from(self.flaw == Flaw::BeginsAtOne))
    }

    fn write(&self, expected: Revision, written: Written) -> Result<Revision, SourceError> {
        let mut state = self.state();
        let is_empty = matches!(&written, Written::Changes(changes) if changes.is_empty());
        if is_empty && self.flaw == Flaw::TakesNothingAtAnyRevision {
            return Ok(expected);
        }
        if self.at(&state) != expected && self.flaw != Flaw::IgnoresWhatIsExpected {
            if self.flaw == Flaw::WritesTheConflictDown {
                state.written.push(written);
            }
            return Err(SourceErrorKind::Conflict.into());
        }
        if is_empty && self.flaw != Flaw::NumbersNothing {
            return Ok(expected);
        }
        state.written.push(written);
        state.waiting.drain(..).for_each(Waker::wake);
        Ok(self.at(&state))
    }

    /// All that was written, played again.
    fn play(&self, state: &State) -> Played {
        let (mut text, mut held, mut members) = (None, Vec::<Assignment>::new(), Vec::new());
        for written in &state.written {
            match written {
                Written::Policy(policy) => text = Some(policy.clone()),
                Written::Changes(changes) => {
                    for change in changes {
                        self.apply(change, &mut held, &mut members);
                    }
                }
            }
        }
        (text, held, members)
    }

    fn apply(&self, change: &Change, held: &mut Vec<Assignment>, members: &mut Vec<(Name, Name, Name)>) {
        let flaw = self.flaw;
        let same = |one: &str, two: &str| match flaw {
            Flaw::FoldsCase => one.eq_ignore_ascii_case(two),
            Flaw::TrimsNames => one.trim() == two.trim(),
            _ => one == two,
        };
        let same_holder = |one: &Holder, two: &Holder| {
            same(one.name(), two.name())
                && (flaw == Flaw::GroupsAreSubjects
                    || matches!(one, Holder::Group(_)) == matches!(two, Holder::Group(_)))
        };
        match change {
            Change::Assign(new) => {
                let mut new = new.clone();
                if flaw == Flaw::LosesBounds {
                    new.expires = None;
                }
                if flaw == Flaw::LosesReasons {
                    new.reason = None;
                }
                if flaw == Flaw::LosesTheRealm && new.tenant.is_empty() {
                    new.tenant = "system".into();
                }
                let old = held.iter().position(|old| {
                    old.tenant == new.tenant
                        && same_holder(&old.holder, &new.holder)
                        && same(&old.role, &new.role)
                });
                match old {
                    Some(_) if flaw == Flaw::KeepsTheFirstBounds => {}
                    Some(old) => held[old] = new,
                    None => held.push(new),
                }
            }
            Change::Revoke { tenant, holder, role } => {
                if flaw != Flaw::RevokesNothing {
                    held.retain(|old| {
                        old.tenant != *tenant
                            || !same_holder(&old.holder, holder)
                            || !(same(&old.role, role) || flaw == Flaw::RevokesAllRoles)
                    });
                }
            }
            Change::Join { tenant, group, subject } => {
                let new = (tenant.clone(), group.clone(), subject.clone());
                if flaw != Flaw::LosesGroups && !members.contains(&new) {
                    members.push(new);
                }
            }
            Change::Leave { tenant, group, subject } => {
                members.retain(|old| *old != (tenant.clone(), group.clone(), subject.clone()));
            }
            Change::Remove { tenant, subject } => {
                let here = |of: &str| of == &**tenant || flaw == Flaw::RemovesFromAllTenants;
                held.retain(|old| !here(&old.tenant) || old.holder != Holder::Subject(subject.clone()));
                if flaw != Flaw::RemovesNoMemberships {
                    members.retain(|old| !here(&old.0) || old.2 != *subject);
                }
            }
        }
    }

    fn since(&self, state: &State, seen: Revision) -> Changes {
        let (flaw, seen) = (self.flaw, usize::try_from(seen.0).unwrap());
        let forgets = matches!(flaw, Flaw::ForgetsWhatItSaid | Flaw::LosesWhatWasDropped);
        let from = if forgets { seen.max(state.said) } else { seen };
        if seen > state.written.len() {
            return if flaw == Flaw::BelievesTheFuture { Changes::Nothing } else { Changes::Everything };
        }
        if from >= state.written.len() {
            return Changes::Nothing;
        }
        if flaw == Flaw::AlwaysSaysEverything || (seen < state.kept_from && flaw != Flaw::HidesGaps) {
            return Changes::Everything;
        }
        let from = from.max(state.kept_from);
        let (mut all, mut to) = (Vec::new(), from);
        for written in &state.written[from..] {
            match written {
                Written::Changes(changes) => all.extend(changes.iter().cloned()),
                Written::Policy(_) if flaw == Flaw::HidesPolicies => {}
                Written::Policy(_) if flaw == Flaw::HidesPoliciesAfterChanges && to > from => {}
                Written::Policy(_) => return Changes::Everything,
            }
            to += 1;
        }
        if flaw == Flaw::AnswersBackwards {
            all.reverse();
        }
        if flaw == Flaw::SplitsCommits && all.len() > 1 {
            all.pop();
        }
        Changes::These(all, Revision(to as u64))
    }
}

type Name = Box<str>;

#[async_trait]
impl PolicySource for Broken {
    async fn load(&self) -> Result<Loaded, SourceError> {
        let revision = self.at(&self.state());
        if self.flaw == Flaw::LoadsInTwoSteps {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let state = self.state();
        let revision = if self.flaw == Flaw::LoadsInTwoSteps { revision } else { self.at(&state) };
        let (text, held, members) = self.play(&state);
        let text = match text {
            None if self.flaw == Flaw::AnEmptyPolicyAtFirst => policy(0),
            None => return Err(SourceErrorKind::Missing.into()),
            Some(PolicyText::Json(text)) if self.flaw == Flaw::TakesJsonForToml => PolicyText::Toml(text),
            Some(PolicyText::Toml(text)) if self.flaw == Flaw::TrimsPolicies => {
                PolicyText::Toml(text.trim().to_owned())
            }
            Some(text) => text,
        };
        let joins =
            members.into_iter().map(|(tenant, group, subject)| Change::Join { tenant, group, subject });
        Ok(Loaded::new(text, held, revision).with(joins))
    }

    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError> {
        let (mut polls, mut late) = (0, None);
        let changes = poll_fn(|cx| {
            let mut state = self.state();
            if let Some(ready) = late.take() {
                return Poll::Ready(ready);
            }
            match self.since(&state, seen) {
                Changes::Nothing if self.flaw == Flaw::NeverSaysNothing || polls < 50 => {
                    polls += 1;
                    state.waiting.push(cx.waker().clone());
                    Poll::Pending
                }
                changes => {
                    state.said = state.written.len();
                    if self.flaw == Flaw::LosesWhatWasDropped {
                        // Answered one poll later than it counts as said.
                        late = Some(changes);
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    Poll::Ready(changes)
                }
            }
        });
        Ok(changes.await)
    }
}

#[async_trait]
impl AssignmentStore for Broken {
    async fn revision(&self) -> Result<Revision, SourceError> {
        Ok(self.at(&self.state()))
    }

    async fn commit(&self, expected: Revision, changes: &[Change]) -> Result<Revision, SourceError> {
        match self.flaw {
            Flaw::ChecksNothing => {}
            Flaw::ChecksInTheMiddle => {
                for (at, change) in changes.iter().enumerate() {
                    if let Err(error) = change.validate() {
                        self.write(expected, Written::Changes(changes[..at].to_vec()))?;
                        return Err(error);
                    }
                }
                validate_commit(changes)?;
            }
            _ => validate_commit(changes)?,
        }
        if self.flaw == Flaw::WritesInTwoSteps && changes.len() > 1 {
            let first = self.write(expected, Written::Changes(changes[..1].to_vec()))?;
            let mut is_first = true;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            return self.write(first, Written::Changes(changes[1..].to_vec()));
        }
        if self.flaw == Flaw::TwoCommitsARevision {
            let seen = self.at(&self.state());
            std::thread::yield_now();
            if seen != expected {
                return Err(SourceErrorKind::Conflict.into());
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
            let mut state = self.state();
            state.written.push(Written::Changes(changes.to_vec()));
            return Ok(Revision(seen.0 + 1));
        }
        self.write(expected, Written::Changes(changes.to_vec()))
    }
}

#[async_trait]
impl PolicyStore for Broken {
    async fn publish(&self, expected: Revision, policy: &PolicyText) -> Result<Revision, SourceError> {
        if policy.as_str().len() > crate::document::MAX_FILE && self.flaw != Flaw::TakesLargePolicies {
            return Err(SourceErrorKind::TooLarge.into());
        }
        if policy.as_str().contains('\0') && self.flaw != Flaw::TakesZerosInPolicies {
            return Err(SourceErrorKind::Unstorable.into());
        }
        self.write(expected, Written::Policy(policy.clone()))
    }
}

fn broken(flaw: Flaw) -> Stores {
    let store = || Arc::new(Broken { flaw, state: Mutex::default() });
    let one = store();
    let two = if flaw == Flaw::KeepsToItself { store() } else { Arc::clone(&one) };
    let forgetting = Arc::clone(&one);
    Stores::new(one, two, ()).forgetting(move || {
        let mut state = forgetting.state();
        state.kept_from = state.written.len();
    })
}

fn catches((name, case): &Case, flaw: Flaw) -> bool {
    // One flaw has to do with size; the others would only take long.
    let is_large = *name == "a_policy_has_a_size_and_a_limit";
    (!is_large || flaw == Flaw::TakesLargePolicies) && case(&broken(flaw)).is_err()
}

#[test]
fn the_store_that_the_flaws_are_put_into_is_right() {
    for (name, case) in CASES {
        if let Err(violation) = case(&broken(Flaw::None)) {
            panic!("{name}: {violation}");
        }
    }
}

#[test]
fn every_flaw_is_caught() {
    for flaw in FLAWS {
        assert!(CASES.iter().any(|case| catches(case, *flaw)), "{flaw:?} is not caught");
    }
}

#[test]
fn every_case_catches_a_flaw() {
    for case in CASES {
        assert!(FLAWS.iter().any(|flaw| catches(case, *flaw)), "{} catches nothing", case.0);
    }
}
