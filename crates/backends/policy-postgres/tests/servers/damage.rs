//! Rows that this crate would not have written, logs with a piece missing, backups put back: an error or everything, never a part
//! that is passed off as the whole.

use std::time::Duration;

use bartizan_core::{Fault, Revision};
use bartizan_policy_postgres::PostgresPolicyStore;
use bartizan_rbac::{AssignmentStore, Changes, Loaded, PolicySource, PolicyStore, SourceErrorKind};

use crate::support::{Place, assign, options, policy, pool};

struct Node<'p> {
    place: &'p Place,
    store: PostgresPolicyStore,
}

impl<'p> Node<'p> {
    fn of(place: &'p Place) -> Self {
        let config = place.config().poll_every(Duration::from_millis(20)).unwrap().without_listening();
        let store = place.store_with(place.runtime.block_on(pool(options(), 2)), &config);
        Self { place, store }
    }

    fn loads(&self) -> Loaded {
        self.place.runtime.block_on(self.store.load()).unwrap()
    }

    fn changes(&self, seen: Revision) -> Changes {
        self.place.runtime.block_on(self.store.changes(seen)).unwrap()
    }

    fn commits(&self, seen: Revision, subjects: &[&str]) -> Revision {
        let changes: Vec<_> = subjects.iter().map(|subject| assign(subject)).collect();
        self.place.runtime.block_on(self.store.commit(seen, &changes)).unwrap()
    }
}

#[test]
fn a_log_with_a_piece_missing_means_everything() {
    for damage in [
        "DELETE FROM {s}.policy_changes WHERE revision = 4 AND ordinal = 2",
        "DELETE FROM {s}.policy_changes WHERE revision = 4",
        "DELETE FROM {s}.policy_commits WHERE revision = 4",
        "DELETE FROM {s}.policy_commits WHERE revision = 5",
        "DELETE FROM {s}.policy_commits WHERE revision = 2",
        "DELETE FROM {s}.policy_commits",
        "UPDATE {s}.policy_commits SET changes = changes - 1 WHERE revision = 4",
        "UPDATE {s}.policy_commits SET changes = changes + 1 WHERE revision = 5",
        "UPDATE {s}.policy_commits SET mark = '0123456789abcdef' WHERE revision = 2",
        "UPDATE {s}.policy_commits SET kind = 'policy' WHERE revision = 4",
    ] {
        let place = Place::filled(1);
        let node = Node::of(&place);
        let seen = node.loads().revision;
        assert_eq!(seen, Revision(2));
        let third = node.commits(seen, &["a"]);
        let fourth = node.commits(third, &["b", "c", "d"]);
        node.commits(fourth, &["e"]);
        assert!(matches!(node.changes(seen), Changes::These(changes, Revision(5)) if changes.len() == 5));
        place.run(damage);
        assert!(matches!(node.changes(seen), Changes::Everything), "{damage}");
    }
}

/// The same numbers again, with other commits under them.
#[test]
fn a_backup_that_was_put_back_means_everything() {
    let place = Place::filled(1);
    let (node, other) = (Node::of(&place), Node::of(&place));
    let kept = node.loads().revision;
    place.run(
        "CREATE TABLE {s}.kept_commits AS SELECT * FROM {s}.policy_commits;
        CREATE TABLE {s}.kept_assignments AS SELECT * FROM {s}.policy_assignments",
    );
    let lost = node.commits(kept, &["lost"]);
    assert_eq!(node.loads().revision, lost);
    place.run(
        "DELETE FROM {s}.policy_commits WHERE revision NOT IN (SELECT revision FROM {s}.kept_commits);
         DELETE FROM {s}.policy_assignments a WHERE a.holder NOT IN (SELECT holder FROM {s}.kept_assignments);
         UPDATE {s}.policy_feed SET revision = 2",
    );
    assert!(matches!(node.changes(lost), Changes::Everything), "behind what was seen");
    // Others write on, up to the number that was seen and beyond it.
    other.loads();
    let again = other.commits(kept, &["other"]);
    assert_eq!(again, lost);
    assert!(matches!(node.changes(lost), Changes::Everything), "the same number, another commit");
    let conflict = place.runtime.block_on(node.store.commit(lost, &[assign("eve")])).unwrap_err();
    assert_eq!(conflict.kind(), SourceErrorKind::Conflict, "what was seen is not what is there");
    other.commits(again, &["more"]);
    assert!(matches!(node.changes(lost), Changes::Everything));
    let loaded = node.loads();
    assert_eq!(loaded.revision, Revision(4));
    assert!(matches!(node.changes(loaded.revision), Changes::Nothing));
}

#[test]
fn a_row_that_was_not_written_by_this_crate_is_damage() {
    for damage in [
        "UPDATE {s}.policy_commits SET mark = 'short'",
        "UPDATE {s}.policy_document SET form = 'yaml'",
        "UPDATE {s}.policy_assignments SET tenant = '', is_group = true",
        "UPDATE {s}.policy_feed SET revision = -1",
        "DELETE FROM {s}.policy_feed",
        "DELETE FROM {s}.policy_commits WHERE revision = 2",
        "DROP TABLE {s}.policy_members",
    ] {
        let place = Place::filled(1);
        let node = Node::of(&place);
        place.run(
            "DO $$ DECLARE c record; BEGIN
                 FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
                     WHERE connamespace = '{s}'::regnamespace AND contype = 'c'
                 LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; END $$",
        );
        place.run(damage);
        let error = place.runtime.block_on(node.store.load()).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (SourceErrorKind::Integrity, Fault::Integrity), "{damage}");
        assert!(!error.is_transient());
    }
}

#[test]
fn trimming_leaves_the_last_and_what_there_is() {
    let place = Place::filled(2);
    let node = Node::of(&place);
    let mut seen = node.loads().revision;
    let first = seen;
    for number in 0..20 {
        seen = node.commits(seen, &[&format!("n-{number}")]);
    }
    let trim = |keep| place.runtime.block_on(node.store.trim(keep)).unwrap();
    assert_eq!(trim(5), 18);
    assert_eq!(trim(5), 0);
    assert!(matches!(node.changes(first), Changes::Everything));
    assert_eq!(trim(0), 4);
    assert_eq!(place.count("SELECT count(*) FROM {s}.policy_commits"), 1);
    assert_eq!(place.count("SELECT count(*) FROM {s}.policy_changes"), 1);
    let loaded = node.loads();
    assert_eq!((loaded.revision, loaded.held.len()), (seen, 24));
    let next = node.commits(seen, &["one-more"]);
    assert!(matches!(node.changes(seen), Changes::These(changes, to) if changes.len() == 1 && to == next));
}

#[test]
fn a_revision_beyond_what_the_server_can_say_is_nobody_s() {
    let place = Place::new();
    let node = Node::of(&place);
    let conflict = place.runtime.block_on(node.store.publish(Revision(u64::MAX), &policy(1))).unwrap_err();
    assert_eq!(conflict.kind(), SourceErrorKind::Conflict);
    assert!(matches!(node.changes(Revision(u64::MAX)), Changes::Everything));
}
