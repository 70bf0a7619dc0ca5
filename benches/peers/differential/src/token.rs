//! A token before it is signed: members as raw JSON text, so that what no serialiser writes can be written.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::keys::Key;

#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) header: Members,
    pub(crate) claims: Members,
}

/// Names and values as JSON texts, in order.
#[derive(Clone, Default)]
pub(crate) struct Members {
    pub(crate) list: Vec<(String, String)>,
    /// What stands around the object: white space, a byte order mark, a second value.
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
    /// Put between all tokens of the JSON text.
    pub(crate) space: &'static str,
}

impl Members {
    /// Replaces the first member of this name, or adds one.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        let name = quoted(name);
        match self.list.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value.into(),
            None => self.list.push((name, value.into())),
        }
    }

    pub(crate) fn add_raw(&mut self, name: &str, value: impl Into<String>) {
        self.list.push((name.to_owned(), value.into()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let name = quoted(name);
        self.list.retain(|(known, _)| *known != name);
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let space = self.space;
        let members: Vec<String> = self
            .list
            .iter()
            .map(|(name, value)| format!("{space}{name}{space}:{space}{value}{space}"))
            .collect();
        [&self.before, format!("{{{}}}", members.join(",")).as_bytes(), &self.after].concat()
    }
}

impl Draft {
    /// An access token that everybody accepts.
    pub(crate) fn good(key: &Key, now: i64) -> Self {
        let mut header = Members::default();
        header.set("alg", quoted(key.name));
        header.set("typ", quoted("at+jwt"));
        header.set("kid", quoted(key.name));
        let mut claims = Members::default();
        for (name, value) in [
            ("iss", quoted(crate::judge::ISSUER)),
            ("sub", quoted("ada")),
            ("aud", quoted(crate::judge::AUDIENCE)),
            ("client_id", quoted("web")),
            ("jti", quoted("one")),
            ("iat", now.to_string()),
            ("exp", (now + 900).to_string()),
            ("tenant", quoted("north")),
            ("roles", "[\"doctor\"]".to_owned()),
            ("email", quoted("ada@example.org")),
        ] {
            claims.set(name, value);
        }
        Self { header, claims }
    }

    pub(crate) fn signed_part(&self) -> String {
        format!("{}.{}", base64url(&self.header.bytes()), base64url(&self.claims.bytes()))
    }

    pub(crate) fn sign(&self, key: &Key) -> String {
        let signed = self.signed_part();
        let signature = key.sign(signed.as_bytes());
        format!("{signed}.{}", base64url(&signature))
    }
}

/// A JSON string of text without anything to escape.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
