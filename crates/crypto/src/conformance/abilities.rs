//! What a provider says that it can do.

use bartizan_core::SecretBytes;

use super::{
    keys::sample,
    support::{Counting, Outcome, ensure, ensure_refused, pattern},
};
use crate::{Ability, Error, ErrorKind, MacAlgorithm, PrivateKey, Provider, RsaSize, SignatureAlgorithm};

/// Whatever it says that it can do works, and all else is [`ErrorKind::Unsupported`], whatever the key: a caller may ask before or
/// try at once, and learns the same.
pub(super) fn can_says_what_the_provider_does(provider: &dyn Provider) -> Outcome {
    let mut ran = 0;
    let mut each = |ability: Ability, good: Result<(), Error>, bad: Option<Result<(), Error>>| {
        ran += 1;
        let name = || format!("{ability:?}");
        if !provider.can(ability) {
            ensure_refused(good, ErrorKind::Unsupported, name)?;
            return bad.map_or(Ok(()), |bad| ensure_refused(bad, ErrorKind::Unsupported, name));
        }
        ensure(good.is_ok(), || format!("{}: claimed, and it does not work", name()))?;
        bad.map_or(Ok(()), |bad| ensure_refused(bad, ErrorKind::Key, name))
    };
    for algorithm in MacAlgorithm::ALL {
        let good = provider.mac(algorithm, &pattern(64)).map(drop);
        each(Ability::Mac(algorithm), good, Some(provider.mac(algorithm, &[]).map(drop)))?;
    }
    for algorithm in SignatureAlgorithm::ALL {
        let key = sample(algorithm)?;
        each(Ability::Verify(algorithm), provider.verifier(key.public()).map(drop), None)?;

        let nothing = PrivateKey::new(Vec::new(), key.public().clone());
        let good = provider.signer(&key).map(drop);
        each(Ability::Sign(algorithm), good, Some(provider.signer(&nothing).map(drop)))?;

        let half =
            |secret: &[u8]| provider.private_key(algorithm, SecretBytes::new(secret.to_vec())).map(drop);
        each(Ability::PublicHalf(algorithm), half(key.secret().expose()), Some(half(&[])))?;

        let made = provider.generate(algorithm, &Counting::default()).map(drop);
        each(Ability::Generate(algorithm), made, None)?;
    }
    for algorithm in SignatureAlgorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_rsa()) {
        ran += 1;
        let made = provider.generate_rsa(algorithm, RsaSize::Bits3072, &Counting::default());
        ensure_refused(made, ErrorKind::Unsupported, || format!("an RSA key for {algorithm:?}"))?;
    }
    Ok(ran)
}
