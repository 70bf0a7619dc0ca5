//! A process that is killed while it rotates has lost nothing of what it had answered, and left nothing half done.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use bartizan_sessions::conformance::plain::{begin, rotate, secret, selector};
use bartizan_sessions::{Happening, Outbox, Rotation, SessionStore, conformance::block_on};

use crate::store;

const FAMILIES: u8 = 8;
const KILLS: usize = 12;

/// Where the child finds the file.
const PATH: &str = "BARTIZAN_TEST_KILLED_FILE";

#[test]
fn what_was_answered_outlives_a_kill_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    {
        let store = store(&path);
        for family in 0..FAMILIES {
            block_on(store.begin(&begin(family))).unwrap();
        }
    }
    let mut answered = HashMap::new();
    for kill in 0..KILLS {
        let mut child = spawn(&path);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Another moment each time: while it opens, between two batches, in the middle of one.
        for line in lines.by_ref().take(kill * 7) {
            hear(&line.unwrap(), &mut answered);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still said before it was gone.
        lines.map_while(Result::ok).for_each(|line| hear(&line, &mut answered));
        verify(&path, &answered, kill);
    }
    assert!(answered.values().sum::<u64>() > 50, "it rotated: {answered:?}");
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::the_child_rotates_until_it_is_killed", "--ignored", "--nocapture"])
        .env(PATH, path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn hear(line: &str, answered: &mut HashMap<u8, u64>) {
    let mut words = line.split(' ').skip_while(|word| *word != "rotated").skip(1);
    if let (Some(family), Some(generation), Some("!")) = (words.next(), words.next(), words.next()) {
        answered.insert(family.parse().unwrap(), generation.parse().unwrap());
    }
}

fn verify(path: &Path, answered: &HashMap<u8, u64>, kill: usize) {
    let store = store(path);
    let entries = block_on(store.pending(usize::MAX)).unwrap();
    for family in 0..FAMILIES {
        let row = block_on(store.find(&selector(family))).unwrap().expect("no rotation ends a session");
        let generation = row.session.generation;
        let heard = answered.get(&family).copied().unwrap_or_default();
        assert!(generation >= heard, "kill {kill}: {family} was at {heard} and is at {generation}");
        assert_eq!(
            row.current,
            secret(family, generation),
            "kill {kill}: secret and generation belong together"
        );
        let renewed = (entries.iter())
            .filter(|entry| entry.happening == Happening::Renewed && entry.session == Some(row.session.id));
        assert_eq!(renewed.count() as u64, generation, "kill {kill}: one entry for every rotation");
    }
}

#[test]
#[ignore = "the process that the test above starts and kills"]
#[expect(clippy::disallowed_methods, reason = "the parent says through the environment which file it is.")]
fn the_child_rotates_until_it_is_killed() {
    let store = store(Path::new(&std::env::var_os(PATH).unwrap()));
    std::thread::scope(|scope| {
        for family in 0..FAMILIES {
            let store = &store;
            scope.spawn(move || {
                let mut generation =
                    block_on(store.find(&selector(family))).unwrap().unwrap().session.generation;
                loop {
                    let rotation = block_on(store.rotate(&rotate(family, generation))).unwrap();
                    assert!(matches!(rotation, Rotation::Rotated(_)), "{rotation:?}");
                    generation += 1;
                    if writeln!(std::io::stdout(), "rotated {family} {generation} !").is_err() {
                        return;
                    }
                }
            });
        }
    });
}
