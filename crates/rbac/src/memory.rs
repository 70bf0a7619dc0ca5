//! A policy and its assignments in memory: for services that make them in code, and for tests.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{Clock, Revision};

use crate::{
    Assignment, AssignmentStore, Change, Changes, Holder, Loaded, PolicySource, PolicyStore, PolicyText,
    SourceError, SourceErrorKind, validate_commit,
};

/// A [`PolicyStore`] in memory. It is gone with the process, and so are its revisions. Cheap to clone: clones are one store.
///
/// ```
/// use std::sync::Arc;
/// use bartizan_core::{Revision, os};
/// use bartizan_rbac::{Assignment, AssignmentStore, Change, MemoryPolicy, PolicyStore, PolicyText, SourceError};
///
/// async fn filled() -> Result<MemoryPolicy, SourceError> {
///     let store = MemoryPolicy::new(Arc::new(os::SystemClock));
///     let policy = PolicyText::Toml("version = 1\n[roles.doctor]".into());
///     let first = store.publish(Revision(0), &policy).await?;
///     store.commit(first, &[Change::Assign(Assignment::new("north", "ada", "doctor"))]).await?;
///     Ok(store)
/// }
/// ```
#[derive(Clone)]
pub struct MemoryPolicy {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    revision: Revision,
    policy: Option<PolicyText>,
    /// By tenant, holder and role.
    assigned: BTreeMap<(Box<str>, Holder, Box<str>), Assignment>,
    /// By tenant, subject and group.
    members: BTreeSet<(Box<str>, Box<str>, Box<str>)>,
    /// The last commits, one for each revision: their changes, or nothing where the policy was published.
    log: VecDeque<Option<Vec<Change>>>,
    waiting: Vec<Waker>,
}

/// What is to be written.
enum Commit {
    Changes(Vec<Change>),
    Policy(PolicyText),
}

/// How many commits are kept for those who ask what changed.
const LOG: usize = 1_024;

/// After which time without changes [`PolicySource::changes`] says so.
const QUIET: Duration = Duration::from_secs(5);

impl MemoryPolicy {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, expected: Revision, commit: Commit) -> Result<Revision, SourceError> {
        let (revision, waiting) = {
            let mut state = self.state();
            if state.revision != expected {
                return Err(SourceErrorKind::Conflict.into());
            }
            let changes = match commit {
                Commit::Changes(changes) if changes.is_empty() => return Ok(expected),
                Commit::Changes(changes) => {
                    changes.iter().for_each(|change| state.apply(change));
                    Some(changes)
                }
                Commit::Policy(policy) => {
                    state.policy = Some(policy);
                    None
                }
            };
            if state.log.len() == LOG {
                state.log.pop_front();
            }
            state.log.push_back(changes);
            state.revision.0 += 1;
            (state.revision, std::mem::take(&mut state.waiting))
        };
        waiting.into_iter().for_each(Waker::wake);
        Ok(revision)
    }

    /// Forgets what changed: whoever asks has to load everything again. For tests of that.
    #[cfg(any(test, feature = "conformance"))]
    pub fn forget_changes(&self) {
        self.state().log.clear();
    }
}

impl State {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Assign(assignment) => {
                let key = (assignment.tenant.clone(), assignment.holder.clone(), assignment.role.clone());
                self.assigned.insert(key, assignment.clone());
            }
            Change::Revoke { tenant, holder, role } => {
                self.assigned.remove(&(tenant.clone(), holder.clone(), role.clone()));
            }
            Change::Join { tenant, group, subject } => {
                self.members.insert((tenant.clone(), subject.clone(), group.clone()));
            }
            Change::Leave { tenant, group, subject } => {
                self.members.remove(&(tenant.clone(), subject.clone(), group.clone()));
            }
            Change::Remove { tenant, subject } => {
                self.assigned.retain(|(of, holder, _), _| {
                    of != tenant || !matches!(holder, Holder::Subject(name) if name == subject)
                });
                self.members.retain(|(of, member, _)| of != tenant || member != subject);
            }
        }
    }

    fn since(&self, seen: Revision) -> Changes {
        let Some(behind) = self.revision.0.checked_sub(seen.0) else { return Changes::Everything };
        if behind == 0 {
            return Changes::Nothing;
        }
        let kept = self.log.len();
        let Some(from) = usize::try_from(behind).ok().and_then(|behind| kept.checked_sub(behind)) else {
            return Changes::Everything;
        };
        let mut changes = Vec::new();
        for commit in self.log.iter().skip(from) {
            let Some(more) = commit else { return Changes::Everything };
            changes.extend(more.iter().cloned());
        }
        Changes::These(changes, self.revision)
    }
}

#[async_trait]
impl PolicySource for MemoryPolicy {
    async fn load(&self) -> Result<Loaded, SourceError> {
        let state = self.state();
        let policy = state.policy.clone().ok_or(SourceErrorKind::Missing)?;
        let joins = state.members.iter().map(|(tenant, subject, group)| Change::Join {
            tenant: tenant.clone(),
            group: group.clone(),
            subject: subject.clone(),
        });
        Ok(Loaded::new(policy, state.assigned.values().cloned(), state.revision).with(joins))
    }

    async fn changes(&self, seen: Revision) -> Result<Changes, SourceError> {
        let mut quiet = self.clock.sleep(QUIET);
        let changes = poll_fn(|cx| {
            let mut state = self.state();
            let changes = state.since(seen);
            if !matches!(changes, Changes::Nothing) {
                return Poll::Ready(changes);
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                state.waiting.push(cx.waker().clone());
            }
            drop(state);
            quiet.as_mut().poll(cx).map(|()| Changes::Nothing)
        });
        Ok(changes.await)
    }
}

#[async_trait]
impl AssignmentStore for MemoryPolicy {
    async fn revision(&self) -> Result<Revision, SourceError> {
        Ok(self.state().revision)
    }

    async fn commit(&self, expected: Revision, changes: &[Change]) -> Result<Revision, SourceError> {
        validate_commit(changes)?;
        self.write(expected, Commit::Changes(changes.to_vec()))
    }
}

#[async_trait]
impl PolicyStore for MemoryPolicy {
    async fn publish(&self, expected: Revision, policy: &PolicyText) -> Result<Revision, SourceError> {
        policy.validate()?;
        self.write(expected, Commit::Policy(policy.clone()))
    }
}

impl fmt::Debug for MemoryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPolicy").field("revision", &self.state().revision).finish_non_exhaustive()
    }
}
