//! Verify: a password against what is stored, with the same work whatever is stored.

use std::hint;

use bartizan_core::SecretText;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Params, PasswordHash, Passwords,
    legacy::Recipe,
    memory::{Lease, Reservation},
    normal,
    passwords::TAG,
    phc::Argon2idHash,
    stored::Form,
};

/// What verifying a password came to. Exhaustive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a verification that nobody looks at lets everybody in"]
pub enum Verification {
    /// It is the password.
    Match {
        /// The stored hash is weaker than the current parameters, of another scheme, or under no pepper or an older one: hash
        /// the password again and store that, if the old hash still stands there. Never true when hashing again would lower
        /// the work of a hash by Argon2id.
        needs_rehash: bool,
    },
    /// It is not the password, or there is no such user.
    Mismatch,
}

impl Passwords {
    /// Verifies a password against a user's stored hash; pass `None` when there is no such user, or none with a password.
    ///
    /// # Errors
    /// [`ErrorKind::TooLong`], [`ErrorKind::Busy`]; [`ErrorKind::TooCostly`] when the stored hash asks for more than is
    /// allowed, before any memory is taken; [`ErrorKind::UnknownPepper`] when it was made with a pepper that is not known here,
    /// which is no mismatch: answer 503.
    ///
    /// # Security
    /// An unknown user, a wrong password and a hash weaker than the current parameters cost the same work, block for block,
    /// and the same memory. A stored hash that is *stronger* than the current parameters takes longer, and that can be
    /// measured from outside: raise the parameters of all services together.
    ///
    /// Another system's hash, wrapped or not, costs its own work *and* that of an unknown user. So it is never faster, and it
    /// is slower by what its scheme takes: nothing that can be seen for a few thousand rounds of PBKDF2, but a quarter of a
    /// second for bcrypt 12. Until its user has logged in once, somebody who measures can tell that the account exists and is
    /// old. What helps is a limit on attempts, and resetting the accounts that never come back.
    ///
    /// Other systems' hashes are computed of the password as it was typed, as they did; only ours of its Form C. bcrypt reads
    /// 72 bytes and no NUL: a longer password, or one with a NUL, never matches, although the system that made the hash may
    /// have cut it and let it in. Such a user resets the password. Nor does an empty password ever match, whatever is stored.
    ///
    /// PBKDF2 and scrypt cannot tell a password of over 64 bytes (128 with SHA-512) from its own digest, typed as text: HMAC hashes
    /// a long key first (RFC 2104 section 2). Our own hashes tell them apart.
    pub fn verify(
        &self,
        password: &SecretText,
        stored: Option<&PasswordHash>,
    ) -> Result<Verification, Error> {
        let normal = normal::form(password)?;
        let (is_match, needs_rehash) = match stored.map(|stored| &stored.form) {
            // SECURITY: the dummy's tag is random, but an unknown user must not get in even if it were guessed.
            // Nor may an account without a password be told from one with a wrong one.
            None | Some(Form::Unusable { .. }) => {
                (self.verify_argon2id(normal.as_bytes(), &self.dummy)? & Choice::from(0), false)
            }
            Some(Form::Argon2id { hash, .. }) => {
                (self.verify_argon2id(normal.as_bytes(), hash)?, self.is_outdated(hash))
            }
            Some(Form::Legacy { recipe, digest, .. }) => {
                (self.verify_legacy(password.expose(), recipe, digest)?, true)
            }
            Some(Form::Wrapped { inner, outer }) => {
                (self.verify_wrapped(password.expose(), inner, outer)?, true)
            }
        };
        // SECURITY: some systems kept a hash of nothing for accounts without a password. It opens none of them.
        let is_match = is_match & Choice::from(u8::from(!normal.is_empty()));
        Ok(if is_match.into() { Verification::Match { needs_rehash } } else { Verification::Mismatch })
    }

    fn verify_argon2id(&self, message: &[u8], hash: &Argon2idHash) -> Result<Choice, Error> {
        self.check_argon2id(hash)?;
        let mut lease = self.memory.lease(hash.params.memory_kib())?;
        self.matches(&mut lease, message, hash)
    }

    fn verify_legacy(&self, password: &str, recipe: &Recipe, digest: &[u8]) -> Result<Choice, Error> {
        self.check(recipe, self.params)?;
        let (_reserved, mut lease) = self.both(recipe, self.params)?;
        let (computed, is_whole) = recipe.digest(password)?;
        // SECURITY: a legacy hash may be quickly checked; without this its user would answer faster than an unknown one.
        let _ = self.compute(&mut lease, &self.dummy, &computed, TAG)?;
        Ok(computed.ct_eq(digest) & Choice::from(u8::from(is_whole)))
    }

    fn verify_wrapped(&self, password: &str, inner: &Recipe, outer: &Argon2idHash) -> Result<Choice, Error> {
        self.check(inner, outer.params)?;
        self.check_argon2id(outer)?;
        let (_reserved, mut lease) = self.both(inner, outer.params)?;
        let (computed, is_whole) = inner.digest(password)?;
        Ok(self.matches(&mut lease, &computed, outer)? & Choice::from(u8::from(is_whole)))
    }

    /// The memory of both schemes, or of none.
    fn both(&self, recipe: &Recipe, params: Params) -> Result<(Reservation<'_>, Lease<'_>), Error> {
        let reserved = self.memory.reserve(recipe.memory_bytes())?;
        // The crate that computes scrypt ends the process when the machine has no more memory: asked for here, and given back.
        let mut asked = Vec::<u8>::new();
        let bytes = usize::try_from(recipe.memory_bytes()).map_err(|_| ErrorKind::TooCostly)?;
        asked.try_reserve_exact(bytes).map_err(|_| ErrorKind::Busy)?;
        drop(hint::black_box(asked));
        Ok((reserved, self.memory.lease(params.memory_kib())?))
    }

    /// SECURITY: a stored hash comes from a table that others may write; its numbers are bounded before they cost anything.
    fn check_argon2id(&self, hash: &Argon2idHash) -> Result<(), Error> {
        if !hash.params.is_within(self.ceiling) || hash.params.memory_bytes() > self.memory.budget() {
            return Err(ErrorKind::TooCostly.into());
        }
        self.secret(hash.pepper).map(drop)
    }

    /// The memory of another scheme, beside that of `params`; its work is bounded by whoever reads a [`PasswordHash`].
    pub(crate) fn check(&self, recipe: &Recipe, params: Params) -> Result<(), Error> {
        let memory = recipe.memory_bytes();
        let leased = params.memory_bytes().max(self.params.memory_bytes());
        if memory > self.ceiling.memory_bytes() || memory.saturating_add(leased) > self.memory.budget() {
            return Err(ErrorKind::TooCostly.into());
        }
        Ok(())
    }

    fn matches(&self, lease: &mut Lease<'_>, message: &[u8], hash: &Argon2idHash) -> Result<Choice, Error> {
        let tag = self.compute(lease, hash, message, hash.tag.len())?;
        // SECURITY: a weak hash is quickly checked; without the missing work its user would answer faster than an unknown one.
        if let Some(rest) = hash.params.missing_to(self.params) {
            let rest = Argon2idHash {
                params: rest,
                pepper: hash.pepper,
                salt: hash.salt.clone(),
                tag: Zeroizing::default(),
            };
            let _ = self.compute(lease, &rest, message, TAG)?;
        }
        Ok(tag.ct_eq(&hash.tag))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bartizan_testkit::SeededEntropy;

    use super::*;

    #[test]
    fn an_unknown_user_stays_out_even_with_the_dummys_password() {
        let params = Params::danger_weak(8, 1, 1).unwrap();
        let mut passwords = Passwords::new(params, 1 << 20, Arc::new(SeededEntropy::new(3))).unwrap();
        let password = SecretText::new("guessed".to_owned());
        let hash = passwords.hash(&password).unwrap();
        assert!(matches!(passwords.verify(&password, Some(&hash)).unwrap(), Verification::Match { .. }));
        let Form::Argon2id { hash, .. } = hash.form else { panic!("another form") };
        passwords.dummy = hash;
        assert_eq!(passwords.verify(&password, None).unwrap(), Verification::Mismatch);
    }
}
