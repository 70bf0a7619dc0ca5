//! Keys and signatures of RSA that the cases share; the files and where they came from stand in `rsa_vectors`.

use crate::SignatureAlgorithm;

/// Bits of the modulus, and the `RSAPrivateKey`.
pub(super) const KEYS: [(usize, &[u8]); 3] = [
    (2048, include_bytes!("rsa_vectors/keys/2048.der")),
    (3072, include_bytes!("rsa_vectors/keys/3072.der")),
    (4096, include_bytes!("rsa_vectors/keys/4096.der")),
];

macro_rules! no_keys {
    ($($name:ident)+) => {
        &[$((stringify!($name), include_bytes!(concat!("rsa_vectors/no_keys/", stringify!($name), ".der"))),)+]
    };
}

/// Why it is no private key, and the bytes.
pub(super) const NO_KEYS: &[(&str, &[u8])] = no_keys! {
    a_byte_less a_byte_more coefficient_is_anothers exponent_is_1 exponent_is_anothers exponent_is_even
    modulus_has_1024_bits modulus_has_two_zeros_before_it modulus_is_anothers modulus_is_even modulus_is_of_roca
    other_prime_exponent_is_anothers pkcs8 prime_exponent_is_anothers prime_is_anothers public_half version_is_1
};

/// By the key of 2048 bits: the algorithm, the message, and a signature that begins with a zero.
pub(super) const SIGNATURES: [(SignatureAlgorithm, &[u8], &[u8]); 6] = [
    (
        SignatureAlgorithm::RsaPssSha256,
        b"message 974",
        include_bytes!("rsa_vectors/signatures/pss_sha256.sig"),
    ),
    (
        SignatureAlgorithm::RsaPssSha384,
        b"message 176",
        include_bytes!("rsa_vectors/signatures/pss_sha384.sig"),
    ),
    (
        SignatureAlgorithm::RsaPssSha512,
        b"message 1791",
        include_bytes!("rsa_vectors/signatures/pss_sha512.sig"),
    ),
    (
        SignatureAlgorithm::RsaPkcs1Sha256,
        b"message 217",
        include_bytes!("rsa_vectors/signatures/pkcs1_sha256.sig"),
    ),
    (
        SignatureAlgorithm::RsaPkcs1Sha384,
        b"message 174",
        include_bytes!("rsa_vectors/signatures/pkcs1_sha384.sig"),
    ),
    (
        SignatureAlgorithm::RsaPkcs1Sha512,
        b"message 6",
        include_bytes!("rsa_vectors/signatures/pkcs1_sha512.sig"),
    ),
];

/// For each of the keys, its signatures of `message` with PKCS #1 v1.5 and SHA-256, SHA-384, SHA-512.
pub(super) const PKCS1_SIGNATURES: [[&[u8]; 3]; 3] = [
    [
        include_bytes!("rsa_vectors/signatures/2048_pkcs1_sha256_of_message.sig"),
        include_bytes!("rsa_vectors/signatures/2048_pkcs1_sha384_of_message.sig"),
        include_bytes!("rsa_vectors/signatures/2048_pkcs1_sha512_of_message.sig"),
    ],
    [
        include_bytes!("rsa_vectors/signatures/3072_pkcs1_sha256_of_message.sig"),
        include_bytes!("rsa_vectors/signatures/3072_pkcs1_sha384_of_message.sig"),
        include_bytes!("rsa_vectors/signatures/3072_pkcs1_sha512_of_message.sig"),
    ],
    [
        include_bytes!("rsa_vectors/signatures/4096_pkcs1_sha256_of_message.sig"),
        include_bytes!("rsa_vectors/signatures/4096_pkcs1_sha384_of_message.sig"),
        include_bytes!("rsa_vectors/signatures/4096_pkcs1_sha512_of_message.sig"),
    ],
];
