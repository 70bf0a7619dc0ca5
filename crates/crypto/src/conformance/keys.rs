//! Cases of keys: how they are made, prepared and shown.

use bartizan_core::{Entropy, SecretArray};

use super::{
    Failure, p256,
    support::{Broken, Constant, Counting, Outcome, ensure, ensure_refused, hex, hex_array, private_key},
};
use crate::{ErrorKind, MacAlgorithm, PrivateKey, Provider, SignatureAlgorithm};

const BOTH: [SignatureAlgorithm; 2] = [SignatureAlgorithm::Ed25519, SignatureAlgorithm::EcdsaP256Sha256];

pub(super) fn made_keys_sign_and_verify(provider: &dyn Provider) -> Outcome {
    let entropy = Counting::default();
    for algorithm in BOTH {
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
    Ok(BOTH.len())
}

pub(super) fn made_keys_differ(provider: &dyn Provider) -> Outcome {
    let entropy = Counting::default();
    for algorithm in BOTH {
        let (one, two) = (provider.generate(algorithm, &entropy)?, provider.generate(algorithm, &entropy)?);
        ensure(one.secret() != two.secret() && one.public() != two.public(), || {
            format!("{algorithm:?}: the same key twice")
        })?;
    }
    Ok(BOTH.len())
}

/// From a source that fails nothing is made; nor from one that gives only bytes which are no key. A provider that draws P-256
/// keys elsewhere may make one, but then never the same twice.
pub(super) fn made_keys_need_randomness(provider: &dyn Provider) -> Outcome {
    let ed25519 = provider.generate(SignatureAlgorithm::Ed25519, &Broken);
    ensure_refused(ed25519, ErrorKind::Entropy, || "Ed25519, a source that fails".to_owned())?;
    let sources: [(&str, &dyn Entropy); 3] =
        [("fails", &Broken), ("gives zeros", &Constant(0)), ("gives ones", &Constant(0xff))];
    for (what, source) in sources {
        let make = || provider.generate(SignatureAlgorithm::EcdsaP256Sha256, source);
        let name = || format!("P-256, a source that {what}");
        match make() {
            Err(error) => ensure(error.kind() == ErrorKind::Entropy, name)?,
            Ok(key) => ensure(make()?.secret() != key.secret(), name)?,
        }
    }
    Ok(sources.len() + 1)
}

/// Or the provider says that it cannot compute a public half.
pub(super) fn private_keys_get_the_right_public_half(provider: &dyn Provider) -> Outcome {
    let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")?;
    let seed = hex_array("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")?;
    let p256_public = hex(p256::PUBLIC)?;
    let vectors = [
        (SignatureAlgorithm::Ed25519, seed, Some(&public)),
        (SignatureAlgorithm::EcdsaP256Sha256, hex_array(p256::SECRET)?, Some(&p256_public)),
        (SignatureAlgorithm::EcdsaP256Sha256, [0; 32], None),
        (SignatureAlgorithm::EcdsaP256Sha256, hex_array(p256::ORDER)?, None),
        (SignatureAlgorithm::EcdsaP256Sha256, [0xff; 32], None),
    ];
    for (algorithm, secret, public) in vectors {
        let name = || format!("{algorithm:?}");
        match (provider.private_key(algorithm, SecretArray::new(secret)), public) {
            (Ok(key), Some(public)) => {
                ensure(key.public().as_bytes() == public && *key.secret().expose() == secret, name)?;
            }
            (Ok(_), None) => return Err(Failure(format!("{}: a scalar out of range", name()))),
            (Err(error), _) if error.kind() == ErrorKind::Unsupported => {}
            (Err(error), None) => ensure(error.kind() == ErrorKind::Key, name)?,
            (Err(error), Some(_)) => return Err(error.into()),
        }
    }
    Ok(vectors.len())
}

/// SECURITY: an Ed25519 signer that hashes a public half which is not its own gives its secret away in two signatures.
pub(super) fn halves_that_do_not_belong_together_are_refused(provider: &dyn Provider) -> Outcome {
    let entropy = Counting::default();
    let mut ran = 0;
    for algorithm in BOTH {
        let (one, two) = (provider.generate(algorithm, &entropy)?, provider.generate(algorithm, &entropy)?);
        for (secret, public) in [(&one, &two), (&two, &one)] {
            let mixed = PrivateKey::new(SecretArray::new(*secret.secret().expose()), public.public().clone());
            ensure_refused(provider.signer(&mixed), ErrorKind::Key, || format!("{algorithm:?}"))?;
            ran += 1;
        }
    }
    Ok(ran)
}

pub(super) fn signatures_need_a_buffer_of_their_length(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    for algorithm in BOTH {
        let key = provider.generate(algorithm, &Counting::default())?;
        let (signer, verifier) = (provider.signer(&key)?, provider.verifier(key.public())?);
        for length in [0, 63, 65, 72, 128] {
            let mut buffer = vec![0xa5; length];
            let signed = signer.sign_into(b"message", &mut buffer);
            let name = || format!("{algorithm:?}, a buffer of {length} bytes");
            ensure_refused(signed, ErrorKind::TooLong, name)?;
            ensure(buffer.iter().all(|byte| *byte == 0xa5), name)?;
            ran += 1;
        }
        let mut buffer = vec![0; algorithm.signature_len()];
        signer.sign_into(b"message", &mut buffer)?;
        verifier.verify(b"message", &buffer)?;
    }
    Ok(ran)
}

pub(super) fn a_prepared_key_names_its_algorithm(provider: &dyn Provider) -> Outcome {
    for algorithm in BOTH {
        let key = provider.generate(algorithm, &Counting::default())?;
        ensure(key.algorithm() == algorithm, || format!("private key of {algorithm:?}"))?;
        let (signer, verifier) = (provider.signer(&key)?, provider.verifier(key.public())?);
        ensure(signer.algorithm() == algorithm, || format!("signer of {algorithm:?}"))?;
        ensure(verifier.algorithm() == algorithm, || format!("verifier of {algorithm:?}"))?;
    }
    let mac = provider.mac(MacAlgorithm::HmacSha256, &[1; 32])?;
    ensure(mac.algorithm() == MacAlgorithm::HmacSha256, || "mac".to_owned())?;
    ensure(!provider.name().is_empty(), || "a provider without a name".to_owned())?;
    Ok(2 * BOTH.len() + 1)
}

/// A canary as key, in no form that `Debug` could give it: text, decimal, hexadecimal.
pub(super) fn debug_shows_no_key(provider: &dyn Provider) -> Outcome {
    let secret = *b"canary-KQZJ-canary-KQZJ-canary-K";
    let key = SecretArray::new(secret);
    let ed25519 = match provider.private_key(SignatureAlgorithm::Ed25519, SecretArray::new(secret)) {
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            provider.generate(SignatureAlgorithm::Ed25519, &Counting::default())?
        }
        made => made?,
    };
    let p256 = private_key(SignatureAlgorithm::EcdsaP256Sha256, p256::SECRET, p256::PUBLIC)?;
    let mut shown = vec![
        show(&provider.mac(MacAlgorithm::HmacSha256, key.expose())?),
        show(&provider.mac(MacAlgorithm::HmacSha256, key.expose())?.tag(&[b"message"])),
        show(&provider.kdf(&key)?),
        show(&provider.signer(&ed25519)?),
        show(&provider.signer(&p256)?),
        show(&provider),
    ];
    shown.push(show(&provider.signer(&private_key_of_no_point(&ed25519)?).err()));
    for shown in &shown {
        for canary in [secret.as_slice(), ed25519.secret().expose(), p256.secret().expose()] {
            ensure(!shows(shown, canary), || format!("shows a key: {shown}"))?;
        }
    }
    Ok(shown.len())
}

/// The secret half with a public half that is another's, so that preparing it is refused.
fn private_key_of_no_point(key: &PrivateKey) -> Result<PrivateKey, Failure> {
    let public = crate::PublicKey::new(SignatureAlgorithm::Ed25519, &[9; 32])?;
    Ok(PrivateKey::new(SecretArray::new(*key.secret().expose()), public))
}

fn show(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?} {value:#?} {value:x?} {value:#x?}").to_lowercase().replace([' ', '\n', '_'], "")
}

/// Whether any four neighbours of the secret stand there, as text, as a list of numbers or as hexadecimal digits.
fn shows(shown: &str, secret: &[u8]) -> bool {
    secret.windows(4).any(|four| {
        let list = |form: fn(&u8) -> String| four.iter().map(form).collect::<Vec<_>>().join(",");
        let forms = [
            String::from_utf8_lossy(four).to_lowercase(),
            list(|byte| byte.to_string()),
            list(|byte| format!("{byte:x}")),
            list(|byte| format!("0x{byte:x}")),
            four.iter().map(|byte| format!("{byte:02x}")).collect(),
        ];
        forms.iter().any(|form| shown.contains(form))
    })
}
