//! The tree against RFC 6962 and against its own definition.

use bartizan_crypto::{Hash, Provider};
use bartizan_crypto_ring::Ring;
use proptest::prelude::*;

use crate::merkle::{Digest, Tree};

fn hex(digest: Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The leaves and the roots of their first 0 to 8 that the Certificate Transparency code base tests itself with.
#[test]
fn roots_are_those_of_the_reference_vectors() {
    let leaves: [&[u8]; 8] = [
        &[],
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let ring = Ring::new();
    let mut tree = Tree::new();
    assert_eq!(hex(tree.root(ring.hash())), roots[0]);
    for (leaf, root) in leaves.iter().zip(&roots[1..]) {
        tree.push(ring.hash(), leaf);
        assert_eq!(hex(tree.root(ring.hash())), *root);
    }
}

/// RFC 6962 §2.1, word for word: split at the largest power of two below the size.
fn root_by_definition(hash: &dyn Hash, leaves: &[Vec<u8>]) -> Digest {
    match leaves {
        [] => hash.sha256(&[]),
        [leaf] => hash.sha256(&[&[0], leaf]),
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            hash.sha256(&[&[1], &root_by_definition(hash, left), &root_by_definition(hash, right)])
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_growing_root_is_the_defined_one(
        leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..70),
        resume in any::<prop::sample::Index>(),
    ) {
        let ring = Ring::new();
        let resume = resume.index(leaves.len() + 1);
        let mut tree = Tree::new();
        for (size, leaf) in leaves.iter().enumerate() {
            if size == resume {
                tree = Tree::from_peaks(tree.size(), tree.peaks()).unwrap();
            }
            prop_assert_eq!(tree.root(ring.hash()), root_by_definition(ring.hash(), &leaves[..size]));
            tree.push(ring.hash(), leaf);
        }
        prop_assert_eq!(tree.root(ring.hash()), root_by_definition(ring.hash(), &leaves));
        prop_assert_eq!(tree.size(), leaves.len() as u64);
    }
}

#[test]
fn peaks_that_do_not_fit_the_size_are_refused() {
    assert!(Tree::from_peaks(5, &[[0; 32]; 2]).is_some());
    for count in [0, 1, 3] {
        assert!(Tree::from_peaks(5, &vec![[0; 32]; count]).is_none());
    }
}

#[test]
fn asvs_11_4_3_integrity_rests_on_256_bits() {
    let ring = Ring::new();
    let mut tree = Tree::new();
    tree.push(ring.hash(), b"entry");
    // SHA-256(00 ‖ "entry"), computed by coreutils.
    let root: Digest = tree.root(ring.hash());
    assert_eq!(root.len() * 8, 256);
    assert_eq!(hex(root), "d9c2d66b522c2522728f539ff9f67b85d40defff095fc8a528c994f4f35bb3de");
}
