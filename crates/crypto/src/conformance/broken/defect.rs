//! The ways in which a provider can be broken, and the cases that must see it.

macro_rules! defects {
    ($($(#[doc = $doc:literal])+ $name:ident => $($caught_by:ident),+;)+) => {
        /// One way in which a provider can be broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Defect {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Defect {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The names of the cases that must fail for a provider that is broken like this.
            #[must_use]
            pub const fn caught_by(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &[$(stringify!($caught_by)),+],)+
                }
            }
        }
    };
}

defects! {
    /// Only the first 64 bytes are hashed.
    HashOfOneBlock => sha2_matches_fips_180;
    /// Only the first part is hashed.
    HashOfOnePart => sha2_of_parts_is_that_of_their_concatenation;
    /// SHA-384 is the beginning of SHA-512.
    HashIsCutFromALongerOne => sha2_matches_fips_180;

    /// Keys shorter than a tag are filled up.
    MacTakesShortKeys => hmac_refuses_short_keys, hmac_matches_wycheproof;
    /// Keys longer than a block are cut instead of hashed.
    MacCutsLongKeys => hmac_matches_rfc_4231, hmac_matches_wycheproof;
    /// HMAC-SHA-384 is the beginning of HMAC-SHA-512.
    MacIsCutFromALongerOne => hmac_matches_rfc_4231, hmac_matches_wycheproof;
    /// The last byte of a message does not count.
    MacIgnoresTheLastByte => hmac_matches_rfc_4231, hmac_matches_wycheproof;
    /// A byte is put between the parts.
    MacMarksParts => hmac_of_parts_is_that_of_their_concatenation;
    /// Any beginning of a tag verifies.
    MacVerifiesTruncatedTags => hmac_verifies_only_whole_tags, hmac_matches_wycheproof;
    /// The second half of a tag does not count.
    MacVerifiesHalfATag => hmac_verifies_only_whole_tags;
    /// Every tag verifies.
    MacVerifiesAnything => hmac_verifies_only_whole_tags, hmac_matches_wycheproof;

    /// The info does not count.
    KdfIgnoresInfo => hkdf_expand_matches_rfc_5869, hkdf_matches_wycheproof;
    /// A byte is put between the parts.
    KdfMarksParts => hkdf_info_of_parts_is_that_of_their_concatenation;
    /// Every block is the first one.
    KdfRepeatsItself => hkdf_expand_matches_rfc_5869, hkdf_matches_wycheproof, hkdf_expand_fills_up_to_8160_bytes;
    /// More than 8,160 bytes are filled, with zeros.
    KdfFillsTooMuch => hkdf_expand_fills_up_to_8160_bytes, hkdf_matches_wycheproof;
    /// The buffer is written although the call is refused.
    KdfWritesBeforeItRefuses => hkdf_expand_fills_up_to_8160_bytes;

    /// The associated data do not count.
    AeadIgnoresData => aes_256_gcm_matches_its_specification, aes_256_gcm_matches_wycheproof;
    /// The last four bytes of a tag do not count.
    OpenComparesTwelveBytes => open_with_any_bit_flipped_leaves_zeros, aes_256_gcm_matches_wycheproof;
    /// Every tag verifies.
    OpenChecksNothing => open_with_any_bit_flipped_leaves_zeros, aes_256_gcm_matches_wycheproof;
    /// What does not verify is refused, and its plaintext left in the buffer.
    OpenLeavesPlaintext => open_with_any_bit_flipped_leaves_zeros, aes_256_gcm_matches_wycheproof;
    /// What does not verify is refused, and its ciphertext left in the buffer.
    OpenLeavesCiphertext => open_with_any_bit_flipped_leaves_zeros, aes_256_gcm_matches_wycheproof;
    /// What the work answers is lost.
    WithAeadAnswersOk => with_aead_works_once_and_answers_what_work_answers;
    /// The work is done twice.
    WithAeadWorksTwice => with_aead_works_once_and_answers_what_work_answers;

    /// A signer is made of any two halves.
    SignerTakesForeignHalves => halves_that_do_not_belong_together_are_refused,
        rsa_halves_that_do_not_belong_together_are_refused, rsa_refuses_what_is_no_private_key;
    /// A longer buffer is filled in part.
    SignerTakesLongBuffers => signatures_need_a_buffer_of_their_length;
    /// A bit of each signature is wrong.
    SignerFlipsABit => ed25519_matches_rfc_8032, p256_matches_rfc_6979, p384_matches_rfc_6979,
        made_keys_sign_and_verify, rsa_signs_what_verifies;
    /// A salt of PSS is drawn once for each signer.
    SignerKeepsItsSalt => rsa_signs_what_verifies;
    /// A signer says that it is of another algorithm.
    SignerNamesAnotherAlgorithm => a_prepared_key_names_its_algorithm;
    /// `Debug` of a signer shows the key as hexadecimal digits.
    SignerShowsItsKey => debug_shows_no_key;
    /// `Debug` of a MAC shows the key as a list of numbers.
    MacShowsItsKey => debug_shows_no_key;

    /// Every signature verifies.
    VerifierTakesAnything => ed25519_matches_rfc_8032, ed25519_matches_wycheproof, p256_matches_rfc_6979,
        p256_matches_wycheproof, p384_matches_rfc_6979, p384_matches_wycheproof, made_keys_sign_and_verify,
        rsa_pkcs1_matches_wycheproof, rsa_pkcs1_refuses_other_hashes, rsa_pss_matches_wycheproof,
        rsa_algorithms_do_not_take_each_others_signatures;
    /// What follows a signature does not count.
    VerifierIgnoresTheRest => ed25519_refuses_all_but_one_encoding_of_a_signature,
        ed25519_matches_wycheproof, p256_refuses_all_but_r_and_s_in_64_bytes,
        p384_refuses_all_but_r_and_s_in_96_bytes, rsa_refuses_all_but_one_encoding_of_a_signature;
    /// Zeros that were left out are filled in.
    VerifierFillsUp => ed25519_refuses_all_but_one_encoding_of_a_signature,
        p256_refuses_all_but_r_and_s_in_64_bytes, p384_refuses_all_but_r_and_s_in_96_bytes,
        rsa_refuses_all_but_one_encoding_of_a_signature;
    /// Keys that are no points are prepared; they verify nothing.
    VerifierTakesAnyKey => ed25519_refuses_keys_that_are_no_points,
        p256_refuses_points_that_are_not_on_the_curve, p384_refuses_points_that_are_not_on_the_curve;
    /// `s` is reduced before it is used.
    Ed25519ReducesS => ed25519_refuses_all_but_one_encoding_of_a_signature, ed25519_matches_wycheproof;
    /// With an `R` of small order everything verifies.
    Ed25519TakesSmallR => ed25519_judges_edge_cases_as_all_of_the_house_do;
    /// DER is as good as `r ‖ s`.
    EcdsaTakesDer => p256_refuses_all_but_r_and_s_in_64_bytes, p384_refuses_all_but_r_and_s_in_96_bytes;
    /// Zeros sign everything (CVE-2022-21449).
    EcdsaTakesZeros => p256_refuses_numbers_out_of_range, p256_matches_wycheproof,
        p384_refuses_numbers_out_of_range, p384_matches_wycheproof;
    /// `r` and `s` are reduced before they are used.
    EcdsaReducesNumbers => p256_refuses_numbers_out_of_range, p384_refuses_numbers_out_of_range;
    /// Of the two signatures with `s` and `n − s` only one verifies.
    EcdsaRefusesHighS => p256_judges_edge_cases_as_all_of_the_house_do, p256_matches_wycheproof,
        p384_judges_edge_cases_as_all_of_the_house_do, p384_matches_wycheproof;
    /// A signature is reduced modulo the modulus before it is used.
    RsaReducesSignatures => rsa_refuses_all_but_one_encoding_of_a_signature;
    /// The signatures of each algorithm verify under the keys of every other.
    RsaTakesEachAlgorithm => rsa_algorithms_do_not_take_each_others_signatures;
    /// Of the padding of PKCS #1 only the hash at its end counts.
    RsaPkcs1SkipsThePadding => rsa_pkcs1_matches_wycheproof;
    /// The name of the hash may lack its parameter.
    RsaPkcs1TakesAMissingNull => rsa_pkcs1_matches_wycheproof;
    /// A salt of PSS may have any length.
    RsaPssTakesAnySalt => rsa_pss_refuses_other_parameters;

    /// Keys are made from a constant.
    KeysAreMadeOfAConstant => made_keys_differ;
    /// When no randomness can be had, a constant is taken.
    KeysNeedNoRandomness => made_keys_need_randomness;
    /// RSA keys of 2048 bits are made.
    RsaKeysAreShort => rsa_keys_are_made_of_3072_or_4096_bits;
    /// The public half is that of another key.
    PublicHalfIsAnothers => private_keys_get_the_right_public_half, rsa_private_keys_get_the_right_public_half;
    /// Whatever is no key becomes one.
    AnyBytesAreAKey => rsa_refuses_what_is_no_private_key, can_says_what_the_provider_does;
    /// Seeds and scalars are brought to their length.
    SecretsAreFilledUp => secret_halves_of_another_length_are_refused;

    /// `can` denies what the provider does.
    CanDeniesAnAbility => can_says_what_the_provider_does;
    /// `can` claims what the provider lacks.
    CanClaimsAnAbility => can_says_what_the_provider_does;
    /// What the provider lacks is said to be the fault of the key.
    LackIsCalledABadKey => can_says_what_the_provider_does;
}
