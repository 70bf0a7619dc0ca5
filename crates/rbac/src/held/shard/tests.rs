use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Put(usize, Vec<u8>),
    Remove(usize),
    Compact,
    Keep,
}

type Naive = BTreeMap<(u32, &'static [u8]), Vec<u8>>;

const KEYS: usize = 64;

const NAMES: [&[u8]; KEYS / 2] = {
    let mut names: [&[u8]; KEYS / 2] = [b""; KEYS / 2];
    let long = b"a name of more than sixteen bytes";
    let mut n = 0;
    while n < long.len() && n < names.len() {
        names[n] = long.split_at(n).0;
        n += 1;
    }
    names[1] = b"b";
    names[2] = &[0; 255];
    names
};

/// Four hashes for all keys: most share their hash, stand in long rows from one home on, and go around the end of the index.
fn key(at: usize) -> Key<'static> {
    let hashes = [0, 7, 0xffff_ff00, 0xffff_ff07];
    let (space, name) = (at / NAMES.len(), NAMES[at % NAMES.len()]);
    Key { hash: hashes[at % hashes.len()], space: space as u32, name }
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        9 => (0..KEYS, vec(any::<u8>(), 0..24)).prop_map(|(at, value)| Op::Put(at, value)),
        4 => (0..KEYS).prop_map(Op::Remove),
        1 => Just(Op::Compact),
        1 => Just(Op::Keep),
    ]
}

fn agree(shard: &Shard, naive: &Naive) {
    for at in 0..KEYS {
        let key = key(at);
        assert_eq!(shard.get(key), naive.get(&(key.space, key.name)).map(Vec::as_slice), "key {at}");
    }
    let all: Naive = shard
        .records()
        .map(|record| {
            let name = NAMES.into_iter().find(|name| *name == record.name).expect("only what was put in");
            ((record.space, name), record.value.to_vec())
        })
        .collect();
    assert_eq!(&all, naive);
    assert_eq!((shard.live as usize, shard.is_empty()), (naive.len(), naive.is_empty()));
    let size = |(name, value): (usize, &Vec<u8>)| HEAD + name + value.len();
    let records: usize = naive.iter().map(|((_, name), value)| size((name.len(), value))).sum();
    if !naive.is_empty() {
        assert_eq!(shard.used as usize, shard.slots as usize * SLOT + records + shard.dead as usize);
    }
    assert!(shard.used as usize <= shard.bytes.len() && shard.dead <= shard.used / 4);
    assert!(shard.live * 8 <= shard.slots * 7, "an eighth of the slots is free, so that each walk ends soon");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_shard_agrees_with_a_map_and_copies_stay_as_they_are(ops in vec(op(), 0..200)) {
        let (mut shard, mut naive) = (Shard::default(), Naive::new());
        let mut kept = Vec::new();
        for op in ops {
            match op {
                Op::Put(at, value) => {
                    prop_assert_eq!(shard.put(key(at), &value), Some(()));
                    naive.insert((key(at).space, key(at).name), value);
                }
                Op::Remove(at) => {
                    let there = naive.remove(&(key(at).space, key(at).name)).is_some();
                    prop_assert_eq!(shard.remove(key(at)).is_some(), there);
                }
                Op::Compact => {
                    shard.compact();
                    prop_assert!(shard.dead == 0 && shard.used as usize == shard.bytes.len());
                }
                Op::Keep => kept.push((shard.clone(), naive.clone())),
            }
            agree(&shard, &naive);
        }
        for (shard, naive) in &kept {
            agree(shard, naive);
        }
    }

    #[test]
    fn damage_is_never_a_panic(
        bytes in vec(prop_oneof![Just(0_u8), 0..64_u8, any::<u8>()], 0..200),
        (slots, used, live, dead) in (0..30_u32, 0..250_u32, 0..40_u32, 0..300_u32),
        at in 0..KEYS,
    ) {
        let damaged = Shard { bytes: bytes.into(), slots, used, live, dead };
        let mut put = damaged.clone();
        let _found = (put.get(key(at)).is_some(), put.records().count(), put.put(key(at), b"value"));
        let mut rest = damaged;
        let _removed = rest.remove(key(at));
        rest.compact();
    }
}

#[test]
fn names_of_one_hash_and_one_space_stay_apart() {
    let key = |name| Key { hash: 42, space: 3, name };
    let mut shard = Shard::default();
    for name in NAMES {
        shard.put(key(name), name).unwrap();
    }
    for name in NAMES {
        assert_eq!(shard.get(key(name)), Some(name));
        assert_eq!(shard.get(Key { space: 4, ..key(name) }), None);
    }
    assert_eq!(shard.get(key(b"nobody")), None);
}

#[test]
fn an_unshared_shard_grows_in_place_and_a_shared_one_is_copied() {
    let mut shard = Shard::default();
    for n in 0..200_u64 {
        shard.put(Key { hash: n << 24, space: 0, name: &n.to_le_bytes() }, b"value").unwrap();
    }
    let key = Key { hash: 5 << 24, space: 0, name: &5_u64.to_le_bytes() };
    let place = Arc::as_ptr(&shard.bytes);
    shard.put(key, b"other").unwrap();
    assert_eq!(Arc::as_ptr(&shard.bytes), place, "alone");
    let before = shard.clone();
    shard.put(key, b"third").unwrap();
    assert_ne!(Arc::as_ptr(&shard.bytes), place, "shared");
    assert_eq!((before.get(key), shard.get(key)), (Some(&b"other"[..]), Some(&b"third"[..])));
}

#[test]
fn the_last_record_grows_and_any_is_overwritten_where_it_is_and_little_is_left_behind() {
    let names: [[u8; 4]; 8] = std::array::from_fn(|n| [n as u8; 4]);
    let key = |n: u8| Key { hash: u64::from(n) << 24, space: 0, name: &names[n as usize] };
    let mut shard = Shard::default();
    for n in 0..8 {
        shard.put(key(n), &[n; 40]).unwrap();
    }
    for size in 41..100 {
        shard.put(key(7), &vec![7; size]).unwrap();
        shard.put(key(3), &[size as u8; 40]).unwrap();
    }
    assert_eq!(shard.dead, 0);
    // Moved away, it leaves its old place; when the shard gets short by other ways, that is swept all the same.
    shard.put(key(3), &[3; 41]).unwrap();
    assert_eq!(shard.dead as usize, HEAD + 4 + 40);
    shard.put(key(3), &[3; 400]).unwrap();
    shard.put(key(4), &[4; 41]).unwrap();
    let left = shard.dead;
    assert!(left > 0);
    shard.put(key(4), &[4; 4]).unwrap();
    assert_eq!(shard.dead, left, "less than a quarter stays");
    for n in [4, 3, 7, 6, 5] {
        shard.remove(key(n)).unwrap();
        assert!(shard.dead <= shard.used / 4, "{n}");
    }
    for n in 0..3 {
        assert_eq!(shard.get(key(n)), Some(&[n; 40][..]));
    }
}

#[test]
fn a_last_record_that_shrinks_has_the_rest_swept() {
    let names: [[u8; 4]; 8] = std::array::from_fn(|n| [n as u8; 4]);
    let key = |n: u8| Key { hash: u64::from(n) << 24, space: 0, name: &names[n as usize] };
    let mut shard = Shard::default();
    for (n, size) in [(0, 10), (1, 60), (2, 0)] {
        shard.put(key(n), &vec![n; size]).unwrap();
    }
    shard.put(key(1), &[1; 500]).unwrap();
    assert_eq!(shard.dead as usize, HEAD + 4 + 60, "a small part while the record is long");
    shard.put(key(1), &[]).unwrap();
    assert_eq!(shard.dead, 0);
    assert_eq!((shard.get(key(0)), shard.get(key(1))), (Some(&[0; 10][..]), Some(&[][..])));
}
