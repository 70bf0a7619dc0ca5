//! Which commits this node has seen, by number and mark.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bartizan_core::Revision;

use crate::column::Mark;

/// The last ones. Whoever asks for what came after another one has to load everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks(Arc<Mutex<VecDeque<(Revision, Mark)>>>);

/// How many are remembered.
const MOST: usize = 1_024;

impl Marks {
    pub(crate) fn remember(&self, revision: Revision, mark: Mark) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.iter().rev().any(|known| *known == (revision, mark)) {
            return;
        }
        // After a backup was put back, the same number is another commit; what was said about the former counts no more.
        marks.retain(|(known, _)| *known != revision);
        if marks.len() == MOST {
            marks.pop_front();
        }
        marks.push_back((revision, mark));
    }

    pub(crate) fn of(&self, revision: Revision) -> Option<Mark> {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.iter().rev().find(|(known, _)| *known == revision).map(|(_, mark)| *mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_another_commit_now_is_remembered_as_that() {
        let marks = Marks::default();
        marks.remember(Revision(1), [1; 16]);
        marks.remember(Revision(2), [2; 16]);
        marks.remember(Revision(1), [3; 16]);
        assert_eq!((marks.of(Revision(1)), marks.of(Revision(2))), (Some([3; 16]), Some([2; 16])));
        assert_eq!(marks.of(Revision(3)), None);
    }

    #[test]
    fn only_the_last_are_remembered() {
        let marks = Marks::default();
        for number in 0..=MOST as u64 {
            marks.remember(Revision(number), [0; 16]);
        }
        assert_eq!(marks.of(Revision(0)), None);
        assert!(marks.of(Revision(1)).is_some() && marks.of(Revision(MOST as u64)).is_some());
    }
}
