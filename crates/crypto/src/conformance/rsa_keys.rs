//! Cases of private RSA keys: what is one, what it signs, and how it is made.

use bartizan_core::SecretBytes;

use super::{
    Failure,
    rsa::{PKCS1, PSS, Prepared, private_key, public_key},
    rsa_vectors::{KEYS, NO_KEYS, PKCS1_SIGNATURES},
    support::{Counting, Outcome, ensure, ensure_refused},
};
use crate::{Ability, ErrorKind, PrivateKey, Provider, PublicKey, RsaSize, SignatureAlgorithm};

/// PKCS #1 v1.5 has no randomness, so its signatures are known. Those of PSS differ, and hold a salt that other cases check.
pub(super) fn rsa_signs_what_verifies(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for ((bits, der), signatures) in KEYS.into_iter().zip(PKCS1_SIGNATURES) {
        let known = PSS
            .map(|algorithm| (algorithm, None))
            .into_iter()
            .chain(PKCS1.into_iter().zip(signatures).map(|(algorithm, known)| (algorithm, Some(known))));
        for (algorithm, known) in known {
            ran += 1;
            let name = || format!("{algorithm:?}, {bits} bits");
            let public = public_key(algorithm, bits)?;
            let key = PrivateKey::new(der.to_vec(), public.clone());
            if !provider.can(Ability::Sign(algorithm)) {
                ensure_refused(provider.signer(&key), ErrorKind::Unsupported, name)?;
                continue;
            }
            let signer = provider.signer(&key)?;
            let (one, two) = (signer.sign(b"message")?, signer.sign(b"message")?);
            let verifier = Prepared::of(provider, &public)?;
            for signature in [&one, &two] {
                verifier.judge(b"message", signature, true, name)?;
                verifier.judge(b"massage", signature, false, name)?;
            }
            ensure((one == two) == known.is_some(), name)?;
            if let Some(known) = known {
                ensure(one == known, || format!("{}: another signature", name()))?;
            }
        }
    }
    Ok(ran)
}

pub(super) fn rsa_private_keys_get_the_right_public_half(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in PSS.into_iter().chain(PKCS1) {
        for (bits, der) in KEYS {
            ran += 1;
            let name = || format!("{algorithm:?}, {bits} bits");
            let made = provider.private_key(algorithm, SecretBytes::new(der.to_vec()));
            if !provider.can(Ability::PublicHalf(algorithm)) {
                ensure_refused(made, ErrorKind::Unsupported, name)?;
                continue;
            }
            let made = made?;
            ensure(*made.public() == public_key(algorithm, bits)?, name)?;
            ensure(made.secret().expose() == der, name)?;
        }
    }
    Ok(ran)
}

/// Neither is a public half computed of it, nor does it sign under the public half that it resembles.
pub(super) fn rsa_refuses_what_is_no_private_key(provider: &dyn Provider) -> Outcome {
    let algorithm = SignatureAlgorithm::RsaPssSha256;
    let kind = |ability| if provider.can(ability) { ErrorKind::Key } else { ErrorKind::Unsupported };
    let public = public_key(algorithm, 2048)?;
    for &(what, der) in NO_KEYS {
        let made = provider.private_key(algorithm, SecretBytes::new(der.to_vec()));
        ensure_refused(made, kind(Ability::PublicHalf(algorithm)), || what.to_owned())?;
        let signer = provider.signer(&PrivateKey::new(der.to_vec(), public.clone()));
        ensure_refused(signer, kind(Ability::Sign(algorithm)), || what.to_owned())?;
    }
    Ok(NO_KEYS.len())
}

/// Of another key, and of the same modulus with another exponent.
pub(super) fn rsa_halves_that_do_not_belong_together_are_refused(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in PSS.into_iter().chain(PKCS1) {
        let own = public_key(algorithm, 2048)?;
        let (n, _) = own.rsa_numbers().ok_or_else(|| Failure("no numbers".to_owned()))?;
        let publics = [public_key(algorithm, 3072)?, PublicKey::rsa(algorithm, n, &[1, 0, 3])?];
        let kind =
            if provider.can(Ability::Sign(algorithm)) { ErrorKind::Key } else { ErrorKind::Unsupported };
        for public in publics {
            ran += 1;
            let mixed = PrivateKey::new(private_key(algorithm)?.secret().expose().to_vec(), public);
            ensure_refused(provider.signer(&mixed), kind, || format!("{algorithm:?}"))?;
        }
    }
    Ok(ran)
}

/// NIST SP 800-57: what is made today is to last beyond 2030.
pub(super) fn rsa_keys_are_made_of_3072_or_4096_bits(provider: &dyn Provider) -> Outcome {
    let (pss, pkcs1) = (SignatureAlgorithm::RsaPssSha256, SignatureAlgorithm::RsaPkcs1Sha256);
    let entropy = Counting::default();
    let made = [
        (pss, 3072, provider.generate(pss, &entropy)),
        (pkcs1, 3072, provider.generate_rsa(pkcs1, RsaSize::Bits3072, &entropy)),
        (pss, 4096, provider.generate_rsa(pss, RsaSize::Bits4096, &entropy)),
    ];
    let ran = made.len();
    for (algorithm, bits, made) in made {
        let name = || format!("{algorithm:?}, {bits} bits");
        if !provider.can(Ability::Generate(algorithm)) {
            ensure_refused(made, ErrorKind::Unsupported, name)?;
            continue;
        }
        let made = made?;
        let (n, e) = made.public().rsa_numbers().unwrap_or_default();
        ensure(made.algorithm() == algorithm && n.len() * 8 == bits && n.first() >= Some(&0x80), name)?;
        ensure(e == [1, 0, 1], name)?;
        let signature = provider.signer(&made)?.sign(b"message")?;
        Prepared::of(provider, made.public())?.judge(b"message", &signature, true, name)?;
    }
    Ok(ran)
}
