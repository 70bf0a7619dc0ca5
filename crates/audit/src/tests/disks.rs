//! What the log asks of a disk holds for the file system and for the model of it.

use std::io::ErrorKind;

use crate::{Access, Disk, RealDisk, crash::CrashDisk};

fn on_both(check: impl Fn(&dyn Disk)) {
    check(&CrashDisk::new(1));
    let directory = tempfile::tempdir().unwrap();
    check(&RealDisk::create(&directory.path().join("log")).unwrap());
}

fn content(disk: &dyn Disk, name: &str) -> Vec<u8> {
    let file = disk.open(name, Access::Read).unwrap();
    let mut bytes = vec![0; 100];
    let read = file.read_at(&mut bytes, 0).unwrap();
    bytes.truncate(read);
    assert_eq!(file.length().unwrap(), read as u64);
    bytes
}

#[test]
fn a_file_is_made_once_and_opened_only_when_it_is_there() {
    on_both(|disk| {
        for access in [Access::Read, Access::Append, Access::Write] {
            assert_eq!(disk.open("a", access).unwrap_err().kind(), ErrorKind::NotFound);
        }
        disk.open("a", Access::NewAppend).unwrap();
        for access in [Access::NewAppend, Access::NewWrite] {
            assert_eq!(disk.open("a", access).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        disk.open("b", Access::NewWrite).unwrap();
        let mut names = disk.names().unwrap();
        names.sort();
        names.retain(|name| !name.starts_with('.'));
        assert_eq!(names, ["a", "b"]);
        disk.remove("a").unwrap();
        assert_eq!(disk.remove("a").unwrap_err().kind(), ErrorKind::NotFound);
        disk.sync_names().unwrap();
    });
}

#[test]
fn bytes_are_appended_overwritten_cut_and_read() {
    on_both(|disk| {
        let file = disk.open("a", Access::NewAppend).unwrap();
        assert_eq!(file.append(b"hello ").unwrap(), 6);
        assert_eq!(disk.open("a", Access::Append).unwrap().append(b"world").unwrap(), 5);
        assert_eq!(content(disk, "a"), b"hello world");
        file.truncate(7).unwrap();
        file.append(b"orm").unwrap();
        file.sync().unwrap();
        assert_eq!(content(disk, "a"), b"hello worm");
        let file = disk.open("b", Access::NewWrite).unwrap();
        file.write_at(b"cd", 2).unwrap();
        file.write_at(b"ab", 0).unwrap();
        disk.open("b", Access::Write).unwrap().write_at(b"X", 1).unwrap();
        assert_eq!(content(disk, "b"), b"aXcd");
        let mut byte = [0];
        assert_eq!(file.read_at(&mut byte, 4).unwrap(), 0);
        assert_eq!(file.read_at(&mut byte, 99).unwrap(), 0);
        let read_only = disk.open("b", Access::Read).unwrap();
        assert!(read_only.append(b"x").is_err() && read_only.write_at(b"x", 0).is_err());
    });
}

#[test]
fn a_file_knows_whether_its_name_still_leads_to_it() {
    on_both(|disk| {
        let file = disk.open("a", Access::NewAppend).unwrap();
        assert!(file.is_in_place().unwrap());
        disk.remove("a").unwrap();
        assert!(!file.is_in_place().unwrap());
        disk.open("a", Access::NewAppend).unwrap();
        assert!(!file.is_in_place().unwrap());
    });
}

#[test]
fn a_lock_is_held_by_one_and_freed_by_dropping_it() {
    on_both(|disk| {
        let lock = disk.lock().unwrap();
        assert_eq!(disk.lock().unwrap_err().kind(), ErrorKind::WouldBlock);
        drop(lock);
        assert!(disk.lock().is_ok());
    });
}

/// The model must lose what it may lose, and nothing else.
#[test]
fn the_model_keeps_what_was_synced_and_loses_some_of_the_rest() {
    let (mut kept, mut lost, mut parts, mut names_lost) = (0, 0, 0, 0);
    for seed in 0..200 {
        let disk = CrashDisk::new(seed);
        let file = disk.open("a", Access::NewAppend).unwrap();
        file.append(&[1; 1_000]).unwrap();
        file.sync().unwrap();
        disk.sync_names().unwrap();
        file.append(&[2; 2_000]).unwrap();
        disk.open("b", Access::NewAppend).unwrap();
        disk.restart();
        let files = disk.files();
        assert_eq!(files["a"][..1_000], [1; 1_000]);
        match files["a"][1_000..].iter().filter(|byte| **byte == 2).count() {
            0 => lost += 1,
            2_000 => kept += 1,
            _ => parts += 1,
        }
        names_lost += usize::from(!files.contains_key("b"));
        assert!(file.append(b"x").is_err(), "a file of before the restart");
    }
    assert!(
        kept > 20 && lost > 20 && parts > 50 && (50..150).contains(&names_lost),
        "{kept} {lost} {parts} {names_lost}"
    );
}
