//! Providers broken in one way each: a suite is trusted after it has caught them.

mod signatures;
mod symmetric;

use std::sync::Arc;

use bartizan_core::{Entropy, SecretArray};

use self::{
    signatures::{BrokenSigner, BrokenVerifier, Stone},
    symmetric::{BrokenAead, BrokenKdf, BrokenMac},
};
use super::{CASES, Failure, case, support::Constant};
use crate::{
    Aead, Error, ErrorKind, Hash, Kdf, Mac, MacAlgorithm, PrivateKey, Provider, PublicKey,
    SignatureAlgorithm, SignatureVerifier, Signer,
};

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
    /// SHA-256 of the first 64 bytes only.
    HashOfOneBlock => sha256_matches_fips_180;
    /// SHA-256 of the first part only.
    HashOfOnePart => sha256_of_parts_is_that_of_their_concatenation;

    /// Keys shorter than a tag are filled up.
    MacTakesShortKeys => hmac_refuses_short_keys, hmac_matches_wycheproof;
    /// Keys longer than a block are cut instead of hashed.
    MacCutsLongKeys => hmac_matches_rfc_4231, hmac_matches_wycheproof;
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
    SignerTakesForeignHalves => halves_that_do_not_belong_together_are_refused;
    /// A longer buffer is filled in part.
    SignerTakesLongBuffers => signatures_need_a_buffer_of_their_length;
    /// A bit of each signature is wrong.
    SignerFlipsABit => ed25519_matches_rfc_8032, p256_matches_rfc_6979, made_keys_sign_and_verify;
    /// A signer says that it is of another algorithm.
    SignerNamesAnotherAlgorithm => a_prepared_key_names_its_algorithm;
    /// `Debug` of a signer shows the key as hexadecimal digits.
    SignerShowsItsKey => debug_shows_no_key;
    /// `Debug` of a MAC shows the key as a list of numbers.
    MacShowsItsKey => debug_shows_no_key;

    /// Every signature verifies.
    VerifierTakesAnything => ed25519_matches_rfc_8032, ed25519_matches_wycheproof, p256_matches_rfc_6979,
        p256_matches_wycheproof, made_keys_sign_and_verify;
    /// What follows the 64 bytes of a signature does not count.
    VerifierIgnoresTheRest => ed25519_refuses_all_but_one_encoding_of_a_signature,
        ed25519_matches_wycheproof, p256_refuses_all_but_r_and_s_in_64_bytes;
    /// Zeros that were left out are filled in.
    VerifierFillsUp => ed25519_refuses_all_but_one_encoding_of_a_signature,
        p256_refuses_all_but_r_and_s_in_64_bytes;
    /// Keys that are no points are prepared; they verify nothing.
    VerifierTakesAnyKey => ed25519_refuses_keys_that_are_no_points,
        p256_refuses_points_that_are_not_on_the_curve;
    /// `s` is reduced before it is used.
    Ed25519ReducesS => ed25519_refuses_all_but_one_encoding_of_a_signature, ed25519_matches_wycheproof;
    /// With an `R` of small order everything verifies.
    Ed25519TakesSmallR => ed25519_judges_edge_cases_as_all_of_the_house_do;
    /// DER is as good as `r ‖ s`.
    P256TakesDer => p256_refuses_all_but_r_and_s_in_64_bytes;
    /// Zeros sign everything (CVE-2022-21449).
    P256TakesZeros => p256_refuses_numbers_out_of_range, p256_matches_wycheproof;
    /// `r` and `s` are reduced before they are used.
    P256ReducesNumbers => p256_refuses_numbers_out_of_range;
    /// Of the two signatures with `s` and `n − s` only one verifies.
    P256RefusesHighS => p256_judges_edge_cases_as_all_of_the_house_do, p256_matches_wycheproof;

    /// Keys are made from a constant.
    KeysAreMadeOfAConstant => made_keys_differ;
    /// When no randomness can be had, a constant is taken.
    KeysNeedNoRandomness => made_keys_need_randomness;
    /// The public half is that of another key.
    PublicHalfIsAnothers => private_keys_get_the_right_public_half;
}

/// A provider with a defect.
#[derive(Clone, Debug)]
pub struct Broken {
    inner: Arc<dyn Provider>,
    defect: Defect,
}

impl Broken {
    /// As good as `inner`, but for the defect.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, defect: Defect) -> Self {
        Self { inner, defect }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }
}

/// Breaks the provider in each way, and answers in how many.
///
/// # Errors
/// Names every defect that a case should have caught and did not, every case that no defect fails, and every case that fails
/// although the defect is none of its business: then it would catch anything.
pub fn every_defect_is_caught(provider: &Arc<dyn Provider>) -> Result<usize, Failure> {
    let mut missed = Vec::new();
    for defect in Defect::ALL {
        let broken = Broken::new(Arc::clone(provider), *defect);
        for name in defect.caught_by() {
            let case = case(name).ok_or_else(|| Failure(format!("there is no case {name}")))?;
            if case.run(&broken).is_ok() {
                missed.push(format!("{name} misses {defect:?}"));
            }
        }
    }
    for case in CASES {
        let elsewhere =
            if case.name().starts_with("sha256") { Defect::KdfIgnoresInfo } else { Defect::HashOfOneBlock };
        if let Err(failure) = case.run(&Broken::new(Arc::clone(provider), elsewhere)) {
            missed.push(format!("{failure}, because of {elsewhere:?}"));
        }
        if !Defect::ALL.iter().any(|defect| defect.caught_by().contains(&case.name())) {
            missed.push(format!("{} has caught nothing", case.name()));
        }
    }
    if missed.is_empty() { Ok(Defect::ALL.len()) } else { Err(Failure(missed.join("; "))) }
}

impl Provider for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn hash(&self) -> &dyn Hash {
        self
    }

    fn mac(&self, algorithm: MacAlgorithm, key: &[u8]) -> Result<Arc<dyn Mac>, Error> {
        let mut key = key.to_vec();
        if self.has(Defect::MacTakesShortKeys) {
            key.resize(key.len().max(algorithm.tag_len()), 0);
        }
        if self.has(Defect::MacCutsLongKeys) {
            key.truncate(64);
        }
        let inner = self.inner.mac(algorithm, &key)?;
        Ok(Arc::new(BrokenMac { inner, key, defect: self.defect }))
    }

    fn kdf(&self, key: &SecretArray<32>) -> Result<Arc<dyn Kdf>, Error> {
        Ok(Arc::new(BrokenKdf { inner: self.inner.kdf(key)?, defect: self.defect }))
    }

    fn with_aead(
        &self,
        key: &[u8; 32],
        work: &mut dyn FnMut(&dyn Aead) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let answer = self.inner.with_aead(key, &mut |inner| {
            let aead = BrokenAead { inner, defect: self.defect };
            if self.has(Defect::WithAeadWorksTwice) {
                work(&aead)?;
            }
            work(&aead)
        });
        if self.has(Defect::WithAeadAnswersOk) { Ok(()) } else { answer }
    }

    fn signer(&self, key: &PrivateKey) -> Result<Arc<dyn Signer>, Error> {
        let inner = match self.inner.signer(key) {
            Err(_) if self.has(Defect::SignerTakesForeignHalves) => {
                self.inner.signer(&self.inner.generate(key.algorithm(), &Constant(7))?)
            }
            made => made,
        };
        Ok(Arc::new(BrokenSigner { inner: inner?, secret: *key.secret().expose(), defect: self.defect }))
    }

    fn verifier(&self, key: &PublicKey) -> Result<Arc<dyn SignatureVerifier>, Error> {
        let inner = match self.inner.verifier(key) {
            Err(_) if self.has(Defect::VerifierTakesAnyKey) => Ok(Arc::new(Stone(key.algorithm())) as _),
            made => made,
        };
        Ok(Arc::new(BrokenVerifier { inner: inner?, defect: self.defect }))
    }

    fn private_key(
        &self,
        algorithm: SignatureAlgorithm,
        secret: SecretArray<32>,
    ) -> Result<PrivateKey, Error> {
        let key = self.inner.private_key(algorithm, secret)?;
        if !self.has(Defect::PublicHalfIsAnothers) {
            return Ok(key);
        }
        let other = self.inner.generate(algorithm, &Constant(7))?;
        Ok(PrivateKey::new(SecretArray::new(*key.secret().expose()), other.public().clone()))
    }

    fn generate(&self, algorithm: SignatureAlgorithm, entropy: &dyn Entropy) -> Result<PrivateKey, Error> {
        if self.has(Defect::KeysAreMadeOfAConstant) {
            return self.inner.generate(algorithm, &Constant(7));
        }
        match self.inner.generate(algorithm, entropy) {
            Err(error) if error.kind() == ErrorKind::Entropy && self.has(Defect::KeysNeedNoRandomness) => {
                self.inner.generate(algorithm, &Constant(7))
            }
            made => made,
        }
    }
}
