use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(cost: Cost, password: &str, salt: &[u8], length: usize) -> String {
    let recipe = Recipe { cost, salt: Zeroizing::new(salt.to_vec()), length };
    let (digest, is_whole) = recipe.digest(password).unwrap();
    assert!(is_whole);
    hex(&digest)
}

#[test]
fn rfc_7914_section_12_scrypt() {
    let scrypt = |password, salt: &str, log_n, r, p| {
        digest(Cost::Scrypt { log_n, r, p }, password, salt.as_bytes(), 64)
    };
    assert_eq!(
        scrypt("", "", 4, 1, 1),
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
         fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
    );
    assert_eq!(
        scrypt("password", "NaCl", 10, 8, 16),
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
         2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
    );
    assert_eq!(
        scrypt("pleaseletmein", "SodiumChloride", 14, 8, 1),
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
         d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    );
}

#[test]
fn rfc_7914_section_11_pbkdf2_with_sha_256() {
    let cost = Cost::Pbkdf2 { prf: Prf::Sha256, rounds: 1 };
    assert_eq!(
        digest(cost, "passwd", b"salt", 64),
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
         49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
    );
}

#[test]
fn rfc_6070_pbkdf2_and_its_like() {
    let password = |prf, rounds, length| digest(Cost::Pbkdf2 { prf, rounds }, "password", b"salt", length);
    assert_eq!(password(Prf::Sha1, 1, 20), "0c60c80f961f0e71f3a9b524af6012062fe037a6");
    assert_eq!(password(Prf::Sha1, 2, 20), "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
    assert_eq!(password(Prf::Sha1, 4_096, 20), "4b007901b765489abead49d926f721d065a429c1");
    assert_eq!(
        digest(
            Cost::Pbkdf2 { prf: Prf::Sha1, rounds: 4_096 },
            "passwordPASSWORDpassword",
            b"saltSALTsaltSALTsaltSALTsaltSALTsalt",
            25
        ),
        "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"
    );
    // The same inputs with SHA-2, as computed by OpenSSL.
    assert_eq!(
        password(Prf::Sha256, 4_096, 32),
        "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"
    );
    assert_eq!(
        password(Prf::Sha512, 4_096, 64),
        "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5\
         143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5"
    );
}

#[test]
fn row_31_bcrypt_says_when_it_does_not_read_the_whole_password() {
    let recipe = Recipe {
        cost: Cost::Bcrypt { rounds_log2: 4, is_of_sha256: false },
        salt: Zeroizing::new(vec![7; 16]),
        length: Recipe::BCRYPT_DIGEST,
    };
    let of = |password: &str| recipe.digest(password).unwrap();
    let (whole, longer) = (of(&"p".repeat(72)), of(&"p".repeat(73)));
    assert_eq!((whole.1, longer.1), (true, false));
    // The two that bcrypt cannot tell apart, and the reason to ask.
    assert_eq!(whole.0, longer.0);
    assert_ne!(of(&"p".repeat(71)).0, whole.0);
    let (one, repeated) = (of("a"), of("a\0a"));
    assert_eq!((one.1, repeated.1), (true, false));
    assert_eq!(one.0, repeated.0);
}

#[test]
fn row_30_the_memory_of_scrypt_is_known_before_it_is_taken() {
    let scrypt = |log_n, r, p| Recipe {
        cost: Cost::Scrypt { log_n, r, p },
        salt: Zeroizing::new(vec![7; 16]),
        length: 32,
    };
    // 16 MiB for the vector; the blocks and the scratch beside it.
    assert_eq!(scrypt(14, 8, 1).memory_bytes(), (16 << 20) + 2 * 1_024);
    assert!(scrypt(20, 8, 1).bounded().is_ok());
    for (log_n, r, p) in [
        (21, 8, 1),
        (20, 8, 2),
        (20, 9, 1),
        (25, 1, 1),
        (10, 65, 1),
        (10, 1, 65),
        (u32::MAX, u32::MAX, u32::MAX),
    ] {
        assert_eq!(scrypt(log_n, r, p).bounded().err().map(|error| error.kind()), Some(ErrorKind::TooCostly));
    }
}
