//! Passwords that have become known.

use std::{fs::File, sync::Arc};

use bartizan_passwords::{
    About, Assessment, BreachedBuilder, BreachedFilter, ErrorKind, PasswordPolicy, Violation,
};
use proptest::prelude::*;

use crate::secret;

/// From published lists: SHA-1 of `P@ssw0rd` and of `123456`.
const HASHES: &str =
    "21BD12DC183F740EE76F27B78EB39C8AD972A757:83129\r\n7c4a8d09ca3762af61e59520943dc26494f8941b\n";

fn quiet() -> impl FnMut(u64) {
    |_| ()
}

fn made(fill: impl FnOnce(&mut BreachedBuilder)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = BreachedBuilder::new(folder.path());
    fill(&mut builder);
    let mut bytes = Vec::new();
    let summary = builder.finish(&mut bytes).unwrap();
    assert_eq!(summary.bytes(), bytes.len() as u64);
    bytes
}

/// Hashes that lie as evenly as SHA-1's, each once.
fn hash(number: u64) -> [u8; 20] {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    let mut hash = [0; 20];
    hash[..8].copy_from_slice(&z.to_be_bytes());
    hash
}

#[test]
fn asvs_6_2_12_breached_passwords_are_refused() {
    let bytes = made(|builder| {
        builder.read_hashes(HASHES.as_bytes(), 1, &mut quiet()).unwrap();
        builder
            .read_passwords("violet kettle under moss\nZ\u{fc}rich kettle moss\n".as_bytes(), &mut quiet())
            .unwrap();
    });
    let filter = Arc::new(BreachedFilter::from_bytes(bytes).unwrap());
    assert_eq!(filter.len(), 4);
    for password in ["P@ssw0rd", "123456", "violet kettle under moss", "Zu\u{308}rich kettle moss"] {
        assert!(filter.contains(&secret(password)).unwrap(), "{password}");
    }
    for password in ["p@ssw0rd", "1234567", "violet kettle under mos", "", "violet kettle under moss "] {
        assert!(!filter.contains(&secret(password)).unwrap(), "{password}");
    }
    let policy = PasswordPolicy::nist().with_breached(filter);
    let assess = |password: &str| match policy.assess(&secret(password), &About::nobody()).unwrap() {
        Assessment::Accepted(_) => Vec::new(),
        Assessment::Refused(why) => why.iter().collect(),
    };
    assert_eq!(assess("violet kettle under moss"), [Violation::Breached]);
    assert_eq!(assess("violet kettle under rock"), []);
    assert_eq!(
        assess("P@ssw0rd"),
        [Violation::TooShort { characters: 15 }, Violation::Common, Violation::Breached],
        "all at once"
    );
}

/// An outage is neither a refusal nor leave.
#[test]
fn a_file_that_cannot_be_read_refuses_and_accepts_nothing() {
    let bytes = made(|builder| builder.add_password("violet kettle under moss").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("filter");
    for (damage, kind) in [
        (bytes[..bytes.len() / 2].to_vec(), ErrorKind::FilterIo(std::io::ErrorKind::UnexpectedEof)),
        (vec![0; bytes.len()], ErrorKind::Filter),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let filter = BreachedFilter::from_file(File::open(&path).unwrap()).unwrap();
        assert!(filter.contains(&secret("violet kettle under moss")).unwrap());
        // Somebody damages it while it is open: all of what follows the first bytes is gone.
        std::fs::write(&path, &damage[..damage.len().min(10)]).unwrap();
        if kind == ErrorKind::Filter {
            std::fs::write(&path, &damage).unwrap();
        }
        let policy = PasswordPolicy::nist().with_breached(Arc::new(filter));
        for password in ["violet kettle under moss", "violet kettle under rock"] {
            let error = policy.assess(&secret(password), &About::nobody()).unwrap_err();
            assert_eq!(error.kind(), kind);
        }
    }
}

/// In memory or through files in a folder, in any order, once or twice: the same file.
#[test]
fn a_list_makes_one_file_in_whatever_way_it_is_built() {
    let hashes: Vec<[u8; 20]> = (0..5_000).map(hash).collect();
    let plain = made(|builder| hashes.iter().for_each(|hash| builder.add_sha1(hash).unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let mut builder = BreachedBuilder::new(folder.path()).holding(4_000);
    hashes.iter().rev().for_each(|hash| builder.add_sha1(hash).unwrap());
    assert!(std::fs::read_dir(folder.path()).unwrap().count() > 100);
    let mut spilled = Vec::new();
    builder.finish(&mut spilled).unwrap();
    assert_eq!(spilled, plain);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");

    let filter = BreachedFilter::from_bytes(plain).unwrap();
    filter.verify().unwrap();
    assert!(hashes.iter().all(|hash| filter.contains_sha1(hash).unwrap()));
    let twice =
        made(|builder| (0..2).for_each(|_| hashes.iter().for_each(|hash| builder.add_sha1(hash).unwrap())));
    assert_eq!(BreachedFilter::from_bytes(twice).unwrap().len(), 5_000);
}

#[test]
fn somebody_elses_files_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = folder.path().join("bartizan-part-00");
    std::fs::write(&theirs, "theirs").unwrap();
    let mut builder = BreachedBuilder::new(folder.path()).holding(8);
    builder.add_sha1(&hash(1)).unwrap();
    let error = builder.add_sha1(&hash(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FilterIo(std::io::ErrorKind::AlreadyExists));
    drop(builder);
    assert_eq!(std::fs::read_to_string(&theirs).unwrap(), "theirs");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// What the summary states is what is measured: 20,000 strangers, one in 128 and one in 1,024 of them found.
#[test]
fn strangers_are_found_as_often_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    for one_in in [128, 1_000] {
        let mut builder = BreachedBuilder::new(folder.path()).one_in(one_in);
        (0..10_000).for_each(|number| builder.add_sha1(&hash(number)).unwrap());
        let mut bytes = Vec::new();
        let summary = builder.finish(&mut bytes).unwrap();
        let filter = BreachedFilter::from_bytes(bytes).unwrap();
        assert_eq!(filter.false_positive_rate(), summary.false_positive_rate());
        assert!(summary.false_positive_rate() <= 1.0 / f64::from(one_in));
        let found =
            (1_000_000..1_020_000).filter(|number| filter.contains_sha1(&hash(*number)).unwrap()).count();
        let expected = summary.false_positive_rate() * 20_000.0;
        let off = (found as f64 - expected).abs();
        assert!(off < 5.0 * expected.sqrt(), "{found} of {expected}");
        // log2(1 / rate) bits and some more for each.
        let bits = 8.0 * summary.bytes() as f64 / summary.entries() as f64;
        assert!(bits < (1.0 / summary.false_positive_rate()).log2() + 1.7, "{bits}");
    }
}

#[test]
fn lines_of_another_form_are_refused_with_their_number() {
    let good = HASHES.lines().next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for bad in [
        "",
        "x",
        "P@ssw0rd",
        &good[..39],
        &format!("{good}x"),
        &format!("{good}:1"),
        &good.replace(':', " "),
        &good.replace(":83129", ":-1"),
        &good.replace(":83129", ":+1"),
        &good.replace(":83129", ":"),
        &good.replace(":83129", ":99999999999999999999999"),
        &good.replace('2', "\u{662}"),
        &format!(" {good}"),
        &"21".repeat(100_000),
    ] {
        let mut builder = BreachedBuilder::new(folder.path());
        let list = format!("{HASHES}{bad}\n{HASHES}");
        let error = builder.read_hashes(list.as_bytes(), 1, &mut quiet()).unwrap_err();
        assert_eq!((error.kind(), builder.lines()), (ErrorKind::List, 3), "{bad:.60}");
    }
    let error = BreachedBuilder::new(folder.path()).finish(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::List, "none at all");
    // What piles up is no list of hashes.
    let mut builder = BreachedBuilder::new(folder.path());
    for number in 0..100_000_u32 {
        let mut hash = [0; 20];
        hash[..4].copy_from_slice(&number.to_be_bytes());
        builder.add_sha1(&hash).unwrap();
    }
    assert_eq!(builder.finish(&mut Vec::new()).unwrap_err().kind(), ErrorKind::List);
}

#[test]
fn passwords_seen_too_rarely_and_lines_that_are_none_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = BreachedBuilder::new(folder.path());
    builder.read_hashes(HASHES.as_bytes(), 2, &mut quiet()).unwrap();
    let long = "x".repeat(4_097);
    let list =
        [b"one\r\n\n\xff\xfe\n".as_slice(), long.as_bytes(), b"\n", &vec![b'y'; 100_000], b"\ntwo"].concat();
    builder.read_passwords(list.as_slice(), &mut quiet()).unwrap();
    assert_eq!(builder.lines(), 8);
    let mut bytes = Vec::new();
    let summary = builder.finish(&mut bytes).unwrap();
    assert_eq!((summary.entries(), summary.skipped()), (3, 5));
    let filter = BreachedFilter::from_bytes(bytes).unwrap();
    for (password, is_there) in
        [("one", true), ("two", true), ("P@ssw0rd", true), ("123456", false), ("one\r", false)]
    {
        assert_eq!(filter.contains(&secret(password)).unwrap(), is_there, "{password}");
    }
}

/// Cut anywhere, or one bit changed anywhere: refused when it is opened or when it is verified, and never a panic.
#[test]
fn every_cut_and_every_changed_byte_is_noticed() {
    let bytes = made(|builder| (0..200).for_each(|number| builder.add_sha1(&hash(number)).unwrap()));
    let is_whole =
        |bytes: Vec<u8>| BreachedFilter::from_bytes(bytes).is_ok_and(|filter| filter.verify().is_ok());
    assert!(is_whole(bytes.clone()));
    for at in 0..bytes.len() {
        assert!(!is_whole(bytes[..at].to_vec()), "cut at {at}");
        assert!(!is_whole(bytes[at + 1..].to_vec()), "without the first {at}");
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!is_whole(changed), "changed at {at}");
    }
    assert!(!is_whole([bytes.as_slice(), &[0]].concat()));
}

/// Of a file that says it were endless, nothing but its last 40 bytes is read.
#[test]
fn a_file_is_as_long_as_it_says_before_memory_is_taken() {
    let mut bytes = made(|builder| builder.add_sha1(&hash(1)).unwrap());
    let footer = bytes.len() - 40;
    for (field, value) in [(9, 24), (9, 255), (10, 255), (10, 0), (11, 64)] {
        let mut forged = bytes.clone();
        forged[footer + field] = value;
        reseal(&mut forged, footer);
        assert_eq!(BreachedFilter::from_bytes(forged).unwrap_err().kind(), ErrorKind::Filter, "{field}");
    }
    bytes[footer + 24..footer + 32].fill(0xff);
    reseal(&mut bytes, footer);
    assert_eq!(BreachedFilter::from_bytes(bytes).unwrap_err().kind(), ErrorKind::Filter);
}

fn reseal(bytes: &mut [u8], footer: usize) {
    let sum = crc32fast::hash(&bytes[footer..footer + 36]);
    bytes[footer + 36..].copy_from_slice(&sum.to_le_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_was_added_is_found(numbers in proptest::collection::hash_set(any::<u64>(), 1..400), bits in 7_u32..31) {
        let folder = tempfile::tempdir().unwrap();
        let mut builder = BreachedBuilder::new(folder.path()).one_in(1 << bits).holding(1_000);
        numbers.iter().for_each(|number| builder.add_sha1(&hash(*number)).unwrap());
        let mut bytes = Vec::new();
        builder.finish(&mut bytes).unwrap();
        let path = folder.path().join("filter");
        std::fs::write(&path, &bytes).unwrap();
        for filter in [BreachedFilter::from_bytes(bytes).unwrap(), BreachedFilter::from_file(File::open(&path).unwrap()).unwrap()] {
            filter.verify().unwrap();
            for number in &numbers {
                prop_assert!(filter.contains_sha1(&hash(*number)).unwrap());
            }
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(filter) = BreachedFilter::from_bytes(bytes) {
            let _ = filter.verify();
        }
    }
}
