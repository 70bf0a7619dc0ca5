//! The engine beside the default one: the same tags, its memory used again and wiped.
#![cfg(test)]

use std::sync::Arc;

use bartizan_argon2_simd::SimdArgon2id;
use bartizan_core::{Entropy, SecretBytes, SecretText};
use bartizan_passwords::{
    Argon2idEngine, Argon2idInput, ErrorKind, Params, PasswordHash, Passwords, Pepper, Peppers,
    RustCryptoArgon2id, Verification,
};
use bartizan_testkit::SeededEntropy;

/// How many random inputs are computed by both.
const INPUTS: u32 = 10_000;

struct Random(SeededEntropy);

impl Random {
    fn bytes(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes).unwrap();
        bytes
    }

    fn below(&self, end: u32) -> u32 {
        u32::from_le_bytes(self.bytes(4).try_into().unwrap()) % end
    }

    fn length(&self, end: u32) -> usize {
        self.below(end) as usize
    }
}

/// Both tags of one input, in memory of `kib`.
fn both(kib: u32, input: &Argon2idInput<'_>, length: usize) -> [Vec<u8>; 2] {
    let engines: [&dyn Argon2idEngine; 2] = [&RustCryptoArgon2id, &SimdArgon2id];
    engines.map(|engine| {
        let mut tag = vec![0; length];
        let mut memory = engine.memory(kib).unwrap();
        memory.derive(input, &mut tag).unwrap();
        memory.wipe();
        tag
    })
}

#[test]
fn ten_thousand_random_inputs_have_the_same_tags() {
    let random = Random(SeededEntropy::new(4));
    let engines: [&dyn Argon2idEngine; 2] = [&RustCryptoArgon2id, &SimdArgon2id];
    // Used again and again, for operations of every size: nothing of one shows in another.
    let mut memories = engines.map(|engine| engine.memory(128).unwrap());
    for one in 0..INPUTS {
        let lanes = 1 + random.below(4);
        let kib = 8 * lanes + random.below(if one % 16 == 0 { 96 } else { 24 });
        let params = Params::danger_weak(kib, 1 + random.below(3), lanes).unwrap();
        let (password, salt) = (random.bytes(random.length(160)), random.bytes(8 + random.length(57)));
        let secret = random.bytes(if one % 2 == 0 { 0 } else { 32 + random.length(40) });
        let input = Argon2idInput::new(params, &password, &salt).with_secret(&secret);
        let length = 16 + random.length(49);
        let tags = memories.each_mut().map(|memory| {
            let mut tag = vec![0; length];
            memory.derive(&input, &mut tag).unwrap();
            memory.wipe();
            tag
        });
        assert_eq!(tags[0], tags[1], "{one}: {params:?}");
    }
}

#[test]
fn sizes_that_are_served_have_the_same_tags() {
    for (kib, passes, lanes) in [(19_456, 2, 1), (19_459, 1, 4), (4_096, 3, 16)] {
        let params = Params::danger_weak(kib, passes, lanes).unwrap();
        let input = Argon2idInput::new(params, b"correct horse battery staple", &[7; 16]);
        let [ours, theirs] = both(kib, &input.with_secret(&[9; 32]), 32);
        assert_eq!(ours, theirs, "{params:?}");
    }
}

#[test]
fn hashes_of_the_one_verify_by_the_other() {
    let params = Params::danger_weak(256, 2, 1).unwrap();
    let peppers = || Peppers::new(Pepper::new(b"1", SecretBytes::new(vec![5; 32])).unwrap());
    let new = || {
        Passwords::new(params, 1 << 20, Arc::new(SeededEntropy::new(3)))
            .unwrap()
            .with_peppers(peppers())
            .unwrap()
    };
    let (default, simd) = (new(), new().with_engine(Arc::new(SimdArgon2id)));
    let password = SecretText::new("right".to_owned());
    for (one, other) in [(&default, &simd), (&simd, &default)] {
        let stored = PasswordHash::parse(&one.hash(&password).unwrap().to_phc()).unwrap();
        let found = other.verify(&password, Some(&stored)).unwrap();
        assert_eq!(found, Verification::Match { needs_rehash: false });
        let wrong = other.verify(&SecretText::new("wrong".to_owned()), Some(&stored)).unwrap();
        assert_eq!(wrong, Verification::Mismatch);
    }
    assert_eq!(default.blocks_computed(), simd.blocks_computed());
}

#[test]
fn its_memory_is_within_the_same_budget() {
    let params = Params::danger_weak(256, 2, 1).unwrap();
    let passwords = Passwords::new(params, 256 << 10, Arc::new(SeededEntropy::new(3)))
        .unwrap()
        .with_engine(Arc::new(SimdArgon2id));
    let crowd: Vec<_> = std::thread::scope(|scope| {
        let verify = || passwords.verify(&SecretText::new("x".to_owned()), None);
        let crowd: Vec<_> = (0..32).map(|_| scope.spawn(verify)).collect();
        crowd.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(crowd.iter().any(Result::is_ok));
    for error in crowd.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), ErrorKind::Busy);
    }
    assert!(passwords.verify(&SecretText::new("x".to_owned()), None).is_ok());
}

#[test]
fn it_fails_without_a_tag_on_what_nobody_may_ask_for() {
    let params = Params::danger_weak(64, 1, 1).unwrap();
    let mut memory = SimdArgon2id.memory(64).unwrap();
    let mut tag = [0; 32];
    assert!(memory.derive(&Argon2idInput::new(params, b"x", b"short"), &mut tag).is_err());
    assert_eq!(tag, [0; 32]);
    memory.wipe();
    assert!(memory.derive(&Argon2idInput::new(params, b"x", b"long enough"), &mut tag).is_ok());
}

#[test]
fn it_says_what_it_computes_with() {
    let instructions = SimdArgon2id.instructions();
    assert!(["avx512", "avx2", "sse2", "neon", "scalar"].contains(&instructions.as_str()), "{instructions}");
}
