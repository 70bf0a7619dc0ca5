//! Cases of keys: how they are made, prepared and shown.

use bartizan_core::{Entropy, SecretArray, SecretBytes};

use super::{
    Failure, ed25519, p256, p384, rsa,
    support::{Broken, Constant, Counting, Outcome, ensure, ensure_refused, hex, private_key},
};
use crate::{Ability, ErrorKind, MacAlgorithm, PrivateKey, Provider, PublicKey, SignatureAlgorithm};

/// All but RSA, of which each provider has all or nothing, and which has cases of its own.
const CURVES: [SignatureAlgorithm; 3] =
    [SignatureAlgorithm::Ed25519, SignatureAlgorithm::EcdsaP256Sha256, SignatureAlgorithm::EcdsaP384Sha384];

/// A private key that is as good in every provider.
pub(super) fn sample(algorithm: SignatureAlgorithm) -> Result<PrivateKey, Failure> {
    match algorithm {
        SignatureAlgorithm::Ed25519 => private_key(algorithm, ed25519::SECRET, ed25519::PUBLIC_OF_SECRET),
        SignatureAlgorithm::EcdsaP256Sha256 => private_key(algorithm, p256::CURVE.secret, p256::CURVE.public),
        SignatureAlgorithm::EcdsaP384Sha384 => private_key(algorithm, p384::CURVE.secret, p384::CURVE.public),
        _ => rsa::private_key(algorithm),
    }
}

pub(super) fn made_keys_sign_and_verify(provider: &dyn Provider) -> Outcome {
    let entropy = Counting::default();
    for algorithm in CURVES {
        let key = provider.generate(algorithm, &entropy)?;
        let signature = provider.signer(&key)?.sign(b"message")?;
        provider.verifier(key.public())?.verify(b"message", &signature)?;
        // The neighbour: another key's signature.
        let other = provider.generate(algorithm, &entropy)?;
        ensure_refused(
            provider.verifier(other.public())?.verify(b"message", &signature),
            ErrorKind::Unverified,
            || format!("{algorithm:?}, another key"),
        )?;
    }
    Ok(CURVES.len())
}

pub(super) fn made_keys_differ(provider: &dyn Provider) -> Outcome {
    let entropy = Counting::default();
    for algorithm in CURVES {
        let (one, two) = (provider.generate(algorithm, &entropy)?, provider.generate(algorithm, &entropy)?);
        ensure(one.secret() != two.secret() && one.public() != two.public(), || {
            format!("{algorithm:?}: the same key twice")
        })?;
    }
    Ok(CURVES.len())
}

/// From a source that fails nothing is made; nor from one that gives only bytes which are no key. A provider that draws ECDSA
/// keys elsewhere may make one, but then never the same twice.
pub(super) fn made_keys_need_randomness(provider: &dyn Provider) -> Outcome {
    let ed25519 = provider.generate(SignatureAlgorithm::Ed25519, &Broken);
    ensure_refused(ed25519, ErrorKind::Entropy, || "Ed25519, a source that fails".to_owned())?;
    let mut ran = 1;
    for algorithm in [SignatureAlgorithm::EcdsaP256Sha256, SignatureAlgorithm::EcdsaP384Sha384] {
        let sources: [(&str, &dyn Entropy); 3] =
            [("fails", &Broken), ("gives zeros", &Constant(0)), ("gives ones", &Constant(0xff))];
        for (what, source) in sources {
            ran += 1;
            let make = || provider.generate(algorithm, source);
            let name = || format!("{algorithm:?}, a source that {what}");
            match make() {
                Err(error) => ensure(error.kind() == ErrorKind::Entropy, name)?,
                Ok(key) => ensure(make()?.secret() != key.secret(), name)?,
            }
        }
    }
    Ok(ran)
}

/// Or the provider says that it cannot compute a public half.
pub(super) fn private_keys_get_the_right_public_half(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    let mut each = |algorithm, secret: Vec<u8>, public: Option<&PublicKey>| {
        ran += 1;
        let name = || format!("{algorithm:?}");
        match (provider.private_key(algorithm, SecretBytes::new(secret.clone())), public) {
            (Ok(key), Some(public)) => {
                ensure(key.public() == public && key.secret().expose() == secret, name)
            }
            (Ok(_), None) => Err(Failure(format!("{}: a scalar out of range", name()))),
            (Err(error), _) if error.kind() == ErrorKind::Unsupported => Ok(()),
            (Err(error), None) => ensure(error.kind() == ErrorKind::Key, name),
            (Err(error), Some(_)) => Err(error.into()),
        }
    };
    for algorithm in CURVES {
        let key = sample(algorithm)?;
        each(algorithm, key.secret().expose().to_vec(), Some(key.public()))?;
    }
    for curve in [&p256::CURVE, &p384::CURVE] {
        let order = hex(curve.order)?;
        for out_of_range in [vec![0; order.len()], vec![0xff; order.len()], order] {
            each(curve.algorithm, out_of_range, None)?;
        }
    }
    Ok(ran)
}

/// One key, one encoding. The scalar 1 stands for the same number with fewer zeros before it, and with more.
pub(super) fn secret_halves_of_another_length_are_refused(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for (algorithm, generator) in [
        (SignatureAlgorithm::Ed25519, ed25519::PUBLIC_OF_SECRET),
        (SignatureAlgorithm::EcdsaP256Sha256, p256::CURVE.generator),
        (SignatureAlgorithm::EcdsaP384Sha384, p384::CURVE.generator),
    ] {
        let public = PublicKey::new(algorithm, &hex(generator)?)?;
        let can = provider.can(Ability::PublicHalf(algorithm));
        let kind = if can { ErrorKind::Key } else { ErrorKind::Unsupported };
        let length = algorithm.secret_len().unwrap_or_default();
        for other in [0, 1, length - 8, length - 1, length + 1, 2 * length] {
            ran += 1;
            let name = || format!("{algorithm:?}, a secret of {other} bytes");
            let mut secret = vec![0; other];
            secret.last_mut().into_iter().for_each(|last| *last = 1);
            let made = provider.private_key(algorithm, SecretBytes::new(secret.clone()));
            ensure_refused(made, kind, name)?;
            ensure_refused(provider.signer(&PrivateKey::new(secret, public.clone())), ErrorKind::Key, name)?;
        }
        if algorithm != SignatureAlgorithm::Ed25519 {
            let mut secret = vec![0; length];
            secret.last_mut().into_iter().for_each(|last| *last = 1);
            provider.signer(&PrivateKey::new(secret, public))?;
        }
    }
    Ok(ran)
}

/// SECURITY: an Ed25519 signer that hashes a public half which is not its own gives its secret away in two signatures.
pub(super) fn halves_that_do_not_belong_together_are_refused(provider: &dyn Provider) -> Outcome {
    let entropy = Counting::default();
    let mut ran = 0;
    for algorithm in CURVES {
        let (one, two) = (provider.generate(algorithm, &entropy)?, provider.generate(algorithm, &entropy)?);
        for (secret, public) in [(&one, &two), (&two, &one)] {
            let mixed = PrivateKey::new(secret.secret().expose().to_vec(), public.public().clone());
            ensure_refused(provider.signer(&mixed), ErrorKind::Key, || format!("{algorithm:?}"))?;
            ran += 1;
        }
    }
    Ok(ran)
}

pub(super) fn signatures_need_a_buffer_of_their_length(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in SignatureAlgorithm::ALL {
        let key = sample(algorithm)?;
        let right = key.public().signature_len();
        let others = [0, right - 1, right + 1, right + 8, 2 * right];
        ran += others.len();
        if !provider.can(Ability::Sign(algorithm)) {
            continue;
        }
        let (signer, verifier) = (provider.signer(&key)?, provider.verifier(key.public())?);
        ensure(signer.signature_len() == right, || format!("{algorithm:?}, the length of a signature"))?;
        for length in others {
            let mut buffer = vec![0xa5; length];
            let signed = signer.sign_into(b"message", &mut buffer);
            let name = || format!("{algorithm:?}, a buffer of {length} bytes");
            ensure_refused(signed, ErrorKind::TooLong, name)?;
            ensure(buffer.iter().all(|byte| *byte == 0xa5), name)?;
        }
        let mut buffer = vec![0; right];
        signer.sign_into(b"message", &mut buffer)?;
        verifier.verify(b"message", &buffer)?;
    }
    Ok(ran)
}

pub(super) fn a_prepared_key_names_its_algorithm(provider: &dyn Provider) -> Outcome {
    for algorithm in SignatureAlgorithm::ALL {
        let key = sample(algorithm)?;
        if provider.can(Ability::Sign(algorithm)) {
            ensure(provider.signer(&key)?.algorithm() == algorithm, || format!("signer of {algorithm:?}"))?;
        }
        if provider.can(Ability::Verify(algorithm)) {
            let verifier = provider.verifier(key.public())?;
            ensure(verifier.algorithm() == algorithm, || format!("verifier of {algorithm:?}"))?;
        }
    }
    for algorithm in MacAlgorithm::ALL {
        let mac = provider.mac(algorithm, &[1; 64])?;
        ensure(mac.algorithm() == algorithm, || format!("mac of {algorithm:?}"))?;
    }
    ensure(!provider.name().is_empty(), || "a provider without a name".to_owned())?;
    Ok(2 * SignatureAlgorithm::ALL.len() + MacAlgorithm::ALL.len())
}

/// A canary as key, in no form that `Debug` could give it: text, decimal, hexadecimal.
pub(super) fn debug_shows_no_key(provider: &dyn Provider) -> Outcome {
    let secret = *b"canary-KQZJ-canary-KQZJ-canary-KQZJ-canary-KQZJ-canary-KQZJ-cana";
    let kdf_key = SecretArray::new(*b"canary-KQZJ-canary-KQZJ-canary-K");
    let mut canaries = vec![secret.to_vec()];
    let mut shown = vec![show(&provider.kdf(&kdf_key)?), show(&provider)];
    for algorithm in MacAlgorithm::ALL {
        let mac = provider.mac(algorithm, &secret)?;
        shown.extend([show(&mac), show(&mac.tag(&[b"message"]))]);
    }
    for algorithm in SignatureAlgorithm::ALL {
        let key = sample(algorithm)?;
        let refused = PrivateKey::new(secret.to_vec(), key.public().clone());
        shown.extend([show(&provider.signer(&key)), show(&provider.signer(&refused)), show(&key)]);
        canaries.push(key.secret().expose().to_vec());
    }
    canaries.dedup();
    for form in canaries.iter().flat_map(|canary| forms(canary)) {
        for shown in &shown {
            ensure(!shown.contains(&form), || format!("shows a key: {shown}"))?;
        }
    }
    Ok(shown.len())
}

fn show(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?} {value:#?} {value:x?} {value:#x?}").to_lowercase().replace([' ', '\n', '_'], "")
}

/// Any four neighbours of the secret as text, as a list of numbers and as hexadecimal digits.
fn forms(secret: &[u8]) -> impl Iterator<Item = String> {
    secret.windows(4).flat_map(|four| {
        let list = |form: fn(&u8) -> String| four.iter().map(form).collect::<Vec<_>>().join(",");
        [
            String::from_utf8_lossy(four).to_lowercase(),
            list(|byte| byte.to_string()),
            list(|byte| format!("{byte:x}")),
            list(|byte| format!("0x{byte:x}")),
            four.iter().map(|byte| format!("{byte:02x}")).collect(),
        ]
    })
}
