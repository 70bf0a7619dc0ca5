//! The suite that every provider passes, and [`broken`] providers that show that it sees.
//!
//! A case is a plain function over `&dyn Provider`. In the tests of a provider,
//! [`conformance_suite!`](crate::conformance_suite) makes one test of each:
//!
//! ```text
//! bartizan_crypto::conformance_suite!(MyProvider::new());
//! ```
//!
//! Vectors: FIPS 180-4, RFC 4231, RFC 5869, RFC 6979, RFC 8032, the specification of GCM, and all of the Wycheproof sets that
//! a provider can be asked. Each case knows how many vectors it holds, so a set that shrinks or is skipped fails too.
//!
//! Everything is asked of every provider, but for three things that it may lack if [`Provider::can`] says so and it answers
//! [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported): RSA, making RSA keys, and the public half of a private key.

mod abilities;
mod aead;
pub mod broken;
mod ecdsa;
mod ed25519;
mod hash;
mod kdf;
mod keys;
mod mac;
mod p256;
mod p384;
mod rsa;
mod rsa_keys;
mod rsa_vectors;
mod support;
mod wycheproof;

use std::fmt;

use crate::{Error, Provider};

/// One rule, and how many vectors show it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    name: &'static str,
    vectors: usize,
    run: fn(&dyn Provider) -> Result<usize, Failure>,
}

impl Case {
    /// Its name: the rule in one clause.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the provider did that it must not do, or that the case ran fewer or more vectors than it holds.
    pub fn run(&self, provider: &dyn Provider) -> Result<(), Failure> {
        match (self.run)(provider) {
            Ok(ran) if ran == self.vectors => Ok(()),
            Ok(ran) => Err(Failure(format!("{}: ran {ran} vectors of {}", self.name, self.vectors))),
            Err(Failure(what)) => Err(Failure(format!("{}: {what}", self.name))),
        }
    }
}

/// What a provider did that it must not do.
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As `Display`: a test that answers `Result` shows it in this form.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(format!("refused what it must accept: {error}"))
    }
}

/// The case of this name.
#[must_use]
pub fn case(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

/// Runs the case of this name.
///
/// # Errors
/// As [`Case::run`], and when there is no such case.
pub fn run(name: &str, provider: &dyn Provider) -> Result<(), Failure> {
    case(name).ok_or_else(|| Failure(format!("there is no case {name}")))?.run(provider)
}

/// One test for each case of the suite, for the provider that the expression makes.
#[macro_export]
macro_rules! conformance_suite {
    ($provider:expr) => {
        $crate::__each_conformance_case! { __conformance_tests, $provider }
    };
}

/// All cases: the tests of [`conformance_suite!`] and [`CASES`](conformance::CASES) are both made from this list.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_conformance_case {
    ($then:ident, $with:expr) => {
        $crate::$then! { $with;
            hash::sha2_matches_fips_180 = 15,
            hash::sha2_of_parts_is_that_of_their_concatenation = 1227,

            mac::hmac_matches_rfc_4231 = 18,
            mac::hmac_matches_wycheproof = 522,
            mac::hmac_refuses_short_keys = 144,
            mac::hmac_verifies_only_whole_tags = 294,
            mac::hmac_of_parts_is_that_of_their_concatenation = 1227,

            kdf::hkdf_expand_matches_rfc_5869 = 3,
            kdf::hkdf_matches_wycheproof = 86,
            kdf::hkdf_expand_fills_up_to_8160_bytes = 7,
            kdf::hkdf_info_of_parts_is_that_of_their_concatenation = 409,

            aead::aes_256_gcm_matches_its_specification = 4,
            aead::aes_256_gcm_matches_wycheproof = 66,
            aead::open_with_any_bit_flipped_leaves_zeros = 768,
            aead::with_aead_works_once_and_answers_what_work_answers = 3,

            ed25519::ed25519_matches_rfc_8032 = 4,
            ed25519::ed25519_matches_wycheproof = 151,
            ed25519::ed25519_refuses_all_but_one_encoding_of_a_signature = 9,
            ed25519::ed25519_judges_edge_cases_as_all_of_the_house_do = 5,
            ed25519::ed25519_refuses_keys_that_are_no_points = 7,

            p256::p256_matches_rfc_6979 = 2,
            p256::p256_matches_wycheproof = 262,
            p256::p256_refuses_numbers_out_of_range = 14,
            p256::p256_judges_edge_cases_as_all_of_the_house_do = 5,
            p256::p256_refuses_all_but_r_and_s_in_64_bytes = 8,
            p256::p256_refuses_points_that_are_not_on_the_curve = 8,

            p384::p384_matches_rfc_6979 = 2,
            p384::p384_matches_wycheproof = 280,
            p384::p384_refuses_numbers_out_of_range = 14,
            p384::p384_judges_edge_cases_as_all_of_the_house_do = 5,
            p384::p384_refuses_all_but_r_and_s_in_96_bytes = 8,
            p384::p384_refuses_points_that_are_not_on_the_curve = 8,

            rsa::rsa_pkcs1_matches_wycheproof = 3106,
            rsa::rsa_pkcs1_refuses_other_hashes = 252,
            rsa::rsa_pss_matches_wycheproof = 1186,
            rsa::rsa_pss_refuses_other_parameters = 4899,
            rsa::rsa_refuses_all_but_one_encoding_of_a_signature = 66,
            rsa::rsa_algorithms_do_not_take_each_others_signatures = 36,
            rsa_keys::rsa_signs_what_verifies = 18,
            rsa_keys::rsa_private_keys_get_the_right_public_half = 18,
            rsa_keys::rsa_refuses_what_is_no_private_key = 17,
            rsa_keys::rsa_halves_that_do_not_belong_together_are_refused = 12,
            rsa_keys::rsa_keys_are_made_of_3072_or_4096_bits = 3,

            keys::made_keys_sign_and_verify = 3,
            keys::made_keys_differ = 3,
            keys::made_keys_need_randomness = 7,
            keys::private_keys_get_the_right_public_half = 9,
            keys::secret_halves_of_another_length_are_refused = 18,
            keys::halves_that_do_not_belong_together_are_refused = 6,
            keys::signatures_need_a_buffer_of_their_length = 45,
            keys::a_prepared_key_names_its_algorithm = 21,
            keys::debug_shows_no_key = 35,

            abilities::can_says_what_the_provider_does = 42,
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($provider:expr; $($module:ident::$name:ident = $vectors:literal,)*) => {
        $(
            #[test]
            fn $name() -> Result<(), $crate::conformance::Failure> {
                $crate::conformance::run(stringify!($name), &$provider)
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    ($_with:expr; $($module:ident::$name:ident = $vectors:literal,)*) => {
        &[$(Case { name: stringify!($name), vectors: $vectors, run: $module::$name },)*]
    };
}

/// Every case of the suite.
pub const CASES: &[Case] = crate::__each_conformance_case! { __conformance_list, () };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own() {
        for one in CASES {
            assert_eq!(CASES.iter().filter(|case| case.name == one.name).count(), 1, "{}", one.name);
        }
        assert!(case("no such case").is_none());
    }
}
