//! Signed checkpoints.

use bartizan_core::UnixTime;
use bartizan_crypto::{Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_crypto_rustcrypto::RustCrypto;
use bartizan_testkit::SeededEntropy;
use proptest::prelude::*;

use super::{Bench, ORIGIN};
use crate::{
    Checkpoint, CheckpointKey, ErrorKind,
    checkpoint::TrustedKeys,
    format::{LogId, MAX_NOTE},
};

fn signed(bench: &Bench, origin: &str, at: UnixTime) -> Checkpoint {
    let key = CheckpointKey::new(&*bench.provider, &bench.key).unwrap();
    let tree = (123_456_789, [0xab; 32]);
    Checkpoint::sign(&key, bench.provider.hash(), (origin, LogId([0x1f; 16])), tree, at).unwrap()
}

fn trusted(bench: &Bench) -> TrustedKeys {
    TrustedKeys::new(&*bench.provider, [bench.key.public()]).unwrap()
}

#[test]
fn a_checkpoint_reads_back_as_a_signed_note() {
    let bench = Bench::new(1);
    let checkpoint = signed(&bench, ORIGIN, UnixTime::from_nanos(1_700_000_000_500_000_000));
    let text = checkpoint.to_string();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(
        &lines[..6],
        [
            "test.example/audit",
            "123456789",
            "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
            "time 2023-11-14T22:13:20.500Z",
            "log 1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f",
            "",
        ]
    );
    assert!(lines[6].starts_with("\u{2014} test.example/audit "));
    assert_eq!(lines[7..], [""]);
    assert_eq!(Checkpoint::parse(text.as_bytes()).unwrap(), checkpoint);
    assert!(checkpoint.is_signed_by(&trusted(&bench), bench.provider.hash()));
}

/// The key id of the example in the C2SP signed-note specification.
#[test]
fn the_key_id_is_that_of_the_specification() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    // From the example key `PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW`: name, id, 01 ‖ public key.
    let bytes = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let id = Ring::new().hash().sha256(&[b"PeterNeumann\n", &bytes]);
    assert_eq!(id[..4], [0xc7, 0x4f, 0x20, 0xa3]);
}

#[test]
fn another_key_another_name_and_every_changed_byte_are_not_believed() {
    let (bench, other) = (Bench::new(1), Bench::new(2));
    let checkpoint = signed(&bench, ORIGIN, UnixTime::from_secs(1_700_000_000));
    let hash = bench.provider.hash();
    assert!(!checkpoint.is_signed_by(&trusted(&other), hash));
    assert!(!checkpoint.is_signed_by(&TrustedKeys::default(), hash));
    let text = checkpoint.to_string();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1 << bit;
            if let Ok(read) = Checkpoint::parse(&changed) {
                assert!(!read.is_signed_by(&trusted(&bench), hash), "byte {at}, bit {bit}");
            }
        }
    }
    let renamed = text.replace(ORIGIN, "other.example/audit");
    let renamed = Checkpoint::parse(renamed.as_bytes()).unwrap();
    assert!(!renamed.is_signed_by(&trusted(&bench), hash));
}

#[test]
fn a_witness_may_sign_too() {
    let bench = Bench::new(1);
    let text = signed(&bench, ORIGIN, UnixTime::EPOCH).to_string();
    let line = "\u{2014} witness.example AAAAAAAAAAA=\n";
    let read = Checkpoint::parse(format!("{text}{line}").as_bytes()).unwrap();
    assert!(read.is_signed_by(&trusted(&bench), bench.provider.hash()));
    let many = format!("{text}{}", line.repeat(8));
    assert_eq!(Checkpoint::parse(many.as_bytes()).unwrap_err().kind(), ErrorKind::Checkpoint);
}

#[test]
fn other_forms_of_a_checkpoint_are_refused() {
    let bench = Bench::new(1);
    let text = signed(&bench, ORIGIN, UnixTime::EPOCH).to_string();
    assert!(Checkpoint::parse(text.as_bytes()).is_ok());
    for (from, to) in [
        ("123456789", "0123456789"),
        ("123456789", "+123456789"),
        ("123456789", "99999999999999999999"),
        ("test.example", "test example"),
        ("test.example/audit\n", "\n"),
        ("time ", "time  "),
        ("1f1f", "1F1F"),
        ("q6urq6s=", "q6urq6t="),
        ("q6urq6s=", "q6urq6s"),
        ("\n\n", "\n"),
        ("\n\n", "\nmore\n\n"),
        ("\u{2014}", "-"),
        ("\n", "\r\n"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Checkpoint::parse(changed.as_bytes()).is_err(), "{from} to {to}");
    }
    assert!(Checkpoint::parse(text.trim_end().as_bytes()).is_err());
    assert!(Checkpoint::parse(format!("{text}\n").as_bytes()).is_err());
    assert!(Checkpoint::parse(&vec![b'a'; MAX_NOTE + 1]).is_err());
}

#[test]
fn the_longest_checkpoint_fits_its_room() {
    let bench = Bench::new(1);
    let key = CheckpointKey::new(&*bench.provider, &bench.key).unwrap();
    let (origin, log, at) = ("x".repeat(128), LogId([0xff; 16]), UnixTime::from_nanos(i64::MIN));
    let longest =
        Checkpoint::sign(&key, bench.provider.hash(), (&origin, log), (u64::MAX, [0; 32]), at).unwrap();
    assert_eq!(Checkpoint::parse(longest.as_str().as_bytes()).unwrap().size(), u64::MAX);
}

#[test]
fn only_ed25519_signs_checkpoints() {
    let (ring, entropy) = (Ring::new(), SeededEntropy::new(1));
    let p256 = ring.generate(SignatureAlgorithm::EcdsaP256Sha256, &entropy).unwrap();
    assert_eq!(CheckpointKey::new(&ring, &p256).unwrap_err().kind(), ErrorKind::Key);
    assert!(TrustedKeys::new(&ring, [p256.public()]).is_err());
}

#[test]
fn both_providers_make_and_believe_the_same_checkpoint() {
    let bench = Bench::new(1);
    let by_ring = signed(&bench, ORIGIN, UnixTime::EPOCH);
    let other = RustCrypto::new();
    let key = CheckpointKey::new(&other, &bench.key).unwrap();
    let tree = (123_456_789, [0xab; 32]);
    let by_other =
        Checkpoint::sign(&key, other.hash(), (ORIGIN, LogId([0x1f; 16])), tree, UnixTime::EPOCH).unwrap();
    assert_eq!(by_ring, by_other);
    let keys = TrustedKeys::new(&other, [bench.key.public()]).unwrap();
    assert!(by_ring.is_signed_by(&keys, other.hash()));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Checkpoint::parse(&bytes);
    }

    #[test]
    fn what_is_read_is_what_is_written(
        origin in "[!-*,-~]{1,128}", size: u64, root: [u8; 32], log: [u8; 16], at: i64,
    ) {
        let bench = Bench::new(1);
        let key = CheckpointKey::new(&*bench.provider, &bench.key).unwrap();
        let at = UnixTime::from_nanos(at);
        let hash = bench.provider.hash();
        let made = Checkpoint::sign(&key, hash, (&origin, LogId(log)), (size, root), at).unwrap();
        let read = Checkpoint::parse(made.to_string().as_bytes()).unwrap();
        prop_assert_eq!((read.origin(), read.size(), read.root()), (&*origin, size, &root));
        prop_assert_eq!((read.log(), read.at()), (LogId(log), at));
    }
}
