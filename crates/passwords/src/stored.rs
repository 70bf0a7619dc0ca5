//! What a database column holds of a password: ours, another system's, or ours around another system's.

use std::fmt;

use zeroize::Zeroizing;

use crate::{
    Error, ErrorKind, Params,
    legacy::{self, Recipe, Scheme},
    pepper::KeyId,
    phc::Argon2idHash,
    wrapped,
};

/// Longest stored form, in bytes.
pub const MAX_PHC: usize = 512;

/// A stored hash of a password.
///
/// | Form | Made by |
/// |---|---|
/// | `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`, with `,keyid=<id>` when there is a pepper | [`Passwords::hash`](crate::Passwords::hash), and whatever writes the PHC string format |
/// | the same after `argon2`, `{argon2}` or `{argon2@SpringSecurity_v5_8}` | Django, Spring Security |
/// | `$2a$`, `$2b$`, `$2y$`, alone or after `bcrypt$`, `{bcrypt}`; after `bcrypt_sha256$` | bcrypt, Django, Spring Security |
/// | `$scrypt$ln=…,r=…,p=…$<salt>$<hash>`; `scrypt$N$<salt>$r$p$<hash>`; `$<cost in hex>$<salt>$<hash>` after `{scrypt}` or `{scrypt@SpringSecurity_v5_8}` | PHC and passlib, Django, Spring Security |
/// | `$pbkdf2-sha256$i=…,l=…$<salt>$<hash>`, or passlib's `$pbkdf2-sha256$…$<salt>$<hash>`; the same with `sha512` | PHC, passlib |
/// | `pbkdf2_sha256$…$<salt>$<hash>`, `pbkdf2_sha1$…`; hexadecimal after `{pbkdf2}` or `{pbkdf2@SpringSecurity_v5_8}` | Django, Spring Security with its default costs and no secret |
/// | `!…`: an account without a password, which nothing matches | Django |
/// | `$wrapped$<scheme>$<costs>$<salt>$argon2id$…` | [`Passwords::wrap_legacy`](crate::Passwords::wrap_legacy) |
///
/// # Security
/// Whoever reads it can try passwords against it at their leisure. It has no `Display`, and `Debug` shows nothing of it.
pub struct PasswordHash {
    pub(crate) form: Form,
}

pub(crate) enum Form {
    Argon2id { hash: Argon2idHash, prefix: &'static str },
    Legacy { recipe: Recipe, digest: Zeroizing<Vec<u8>>, text: Zeroizing<String> },
    Wrapped { inner: Recipe, outer: Argon2idHash },
    Unusable { text: Zeroizing<String> },
}

impl PasswordHash {
    /// Reads a stored hash.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] when it is of none of these forms; [`ErrorKind::Refused`] when it is of a scheme that protects
    /// nothing, such as `{noop}`, `{MD5}`, `{SHA-256}` or `$2x$`; [`ErrorKind::TooCostly`] when its costs are beyond every
    /// bound, whatever a service allows.
    pub fn parse(text: &str) -> Result<Self, Error> {
        // SECURITY: the length is checked before anything is allocated for it.
        if text.len() > MAX_PHC {
            return Err(ErrorKind::Malformed.into());
        }
        if text.starts_with('!') {
            return Ok(Self { form: Form::Unusable { text: Zeroizing::new(text.to_owned()) } });
        }
        if let Some(text) = text.strip_prefix(wrapped::START) {
            let (inner, outer) = wrapped::read(text)?;
            return Ok(Self { form: Form::Wrapped { inner, outer } });
        }
        for prefix in PREFIXES {
            if let Some(rest) = text.strip_prefix(prefix)
                && rest.starts_with("$argon2id$")
            {
                let hash = Argon2idHash::read(rest)?;
                return Ok(Self { form: Form::Argon2id { hash, prefix } });
            }
        }
        let (recipe, digest) = legacy::read(text)?;
        Ok(Self { form: Form::Legacy { recipe, digest, text: Zeroizing::new(text.to_owned()) } })
    }

    /// The text to store: for one that was read, the text that it was read from.
    #[must_use]
    pub fn to_phc(&self) -> String {
        match &self.form {
            Form::Argon2id { hash, prefix } => format!("{prefix}{}", hash.write()),
            Form::Legacy { text, .. } | Form::Unusable { text } => text.to_string(),
            Form::Wrapped { inner, outer } => wrapped::write(inner, outer),
        }
    }

    /// With which parameters of Argon2id it was made, if any.
    #[must_use]
    pub const fn params(&self) -> Option<Params> {
        match self.argon2id() {
            Some(hash) => Some(hash.params),
            None => None,
        }
    }

    /// Which scheme takes the password: of a wrapped hash the inner one.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        match &self.form {
            Form::Argon2id { .. } => Scheme::Argon2id,
            Form::Legacy { recipe, .. } | Form::Wrapped { inner: recipe, .. } => recipe.scheme(),
            Form::Unusable { .. } => Scheme::Unusable,
        }
    }

    /// Whether it is Argon2id around another scheme's digest.
    #[must_use]
    pub const fn is_wrapped(&self) -> bool {
        matches!(self.form, Form::Wrapped { .. })
    }

    /// The id of the pepper that it was made with, if any.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.argon2id()?.pepper.as_ref().map(KeyId::as_bytes)
    }

    const fn argon2id(&self) -> Option<&Argon2idHash> {
        match &self.form {
            Form::Argon2id { hash, .. } | Form::Wrapped { outer: hash, .. } => Some(hash),
            Form::Legacy { .. } | Form::Unusable { .. } => None,
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password hash]")
    }
}

/// What others write before the PHC string. Django writes `argon2`, its own name of the scheme, before the first `$`.
const PREFIXES: [&str; 4] = ["", "argon2", "{argon2}", "{argon2@SpringSecurity_v5_8}"];
