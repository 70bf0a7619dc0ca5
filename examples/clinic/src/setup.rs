//! What a clinic is opened with: its keys, its log, and the first accounts.

use std::{fs, io::ErrorKind, sync::Arc};

use bartizan::{
    audit::{CheckpointKey, Log, LogConfig},
    core::{Clock, Entropy, SecretBytes, SecretText},
    crypto::{Provider, PublicKey},
    passwords::{Params, PasswordHash, Passwords},
    tokens::{Algorithm, SigningKey},
};

use crate::{Credential, Error, Folder, Wiring, accounts::Account, folder::Keys, seed};

/// Opens the audit log. Once there are accounts there must be a log too: one that was deleted does not begin again from
/// nothing.
pub(crate) fn open_log(
    folder: &Folder,
    keys: Keys,
    provider: &Arc<dyn Provider>,
    clock: &Arc<dyn Clock>,
    entropy: &dyn Entropy,
    wiring: &Wiring,
) -> Result<(Arc<Log>, PublicKey), Error> {
    let private = folder.checkpoint_key(keys, &**provider, entropy)?;
    let key = CheckpointKey::new(&**provider, &private).map_err(Error::part("checkpoint key"))?;
    let mut config = LogConfig::new(folder.audit(), "clinic.example/audit");
    if keys == Keys::MustExist {
        config = config.must_exist();
        fs::metadata(folder.audit()).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::Part { part: "audit log", why: "it is gone".into() },
            _ => Error::at(&folder.audit(), error),
        })?;
    }
    let disk = wiring.disk(&folder.audit())?;
    let log = Log::open_on(disk, config, Arc::clone(provider), key, Arc::clone(clock), entropy)
        .map_err(Error::part("audit log"))?;
    let public = private.public().clone();
    folder.publish(&**provider, &public)?;
    Ok((log, public))
}

pub(crate) fn signing_key(
    folder: &Folder,
    provider: &dyn Provider,
    entropy: &dyn Entropy,
) -> Result<SigningKey, Error> {
    let jwk = folder.signing_key(|| {
        let key = SigningKey::generate(provider, Algorithm::EdDsa, None, entropy)
            .map_err(Error::part("signing key"))?;
        Ok(SecretBytes::new(key.to_private_jwk().expose().as_bytes().to_vec()))
    })?;
    let why = "it holds no signing key; without the file a new one is made, and everybody logs in again";
    SigningKey::from_jwk(provider, jwk.expose()).map_err(|_| Error::Key { file: folder.signing_file(), why })
}

/// The first accounts, with their passwords.
pub(crate) fn new_accounts(entropy: &Arc<dyn Entropy>) -> Result<(Vec<Account>, Vec<Credential>), Error> {
    let passwords = Passwords::new(Params::OWASP, Params::OWASP.memory_bytes(), Arc::clone(entropy))
        .map_err(Error::part("passwords"))?;
    let mut accounts = Vec::new();
    let mut credentials = Vec::new();
    for seed::Person { tenant, user, role } in seed::PEOPLE {
        let (password, hash) = new_password(&passwords, &**entropy)?;
        let (tenant, user, role) = (tenant.to_owned(), user.to_owned(), role.to_owned());
        credentials.push(Credential {
            tenant: tenant.clone(),
            user: user.clone(),
            role: role.clone(),
            password,
        });
        accounts.push(Account { tenant, user, role, hash });
    }
    Ok((accounts, credentials))
}

/// Twenty letters and digits, 100 bits: no vowels to spell words with, nothing that looks like something else.
pub(crate) fn new_password(
    passwords: &Passwords,
    entropy: &dyn Entropy,
) -> Result<(SecretText, PasswordHash), Error> {
    const LETTERS: &[u8; 32] = b"23456789bcdfghjkmnpqrstvwxyzBDFG";
    let mut random = [0; 20];
    entropy.fill(&mut random).map_err(Error::part("randomness"))?;
    let text = random
        .iter()
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    let password = SecretText::new(text);
    let hash = passwords.hash(&password).map_err(Error::part("passwords"))?;
    Ok((password, hash))
}
