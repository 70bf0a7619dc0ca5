//! Under which names things are stored. Nobody's name stands in one, only digests.

use std::sync::Arc;

use bartizan_crypto::Provider;

/// In which queue rows wait to be purged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Queue {
    Sessions,
    Keys,
    Once,
}

/// A digest in a name.
pub(crate) type Name = [u8; 32];

#[derive(Debug)]
pub(crate) struct Names {
    /// What every script is told of: `META` to `GRACE` of `lua/common.lua`, for each queue of rows.
    shared: [[Vec<u8>; 6]; 3],
    /// In braces: of a name on a cluster, only what stands in them says in which slot it lies (cluster specification, "hash tags").
    pub(crate) prefix: Vec<u8>,
    provider: Arc<dyn Provider>,
}

impl Names {
    pub(crate) fn new(prefix: &str, provider: Arc<dyn Provider>) -> Self {
        let mut names =
            Self { shared: Default::default(), prefix: format!("{{{prefix}}}").into_bytes(), provider };
        names.shared = ["dies", "dies-keys", "dies-once"]
            .map(|queue| ["meta", "outbox", "feed", "until", queue, "grace"].map(|what| names.fixed(what)));
        names
    }

    pub(crate) fn shared(&self, queue: Queue) -> &[Vec<u8>; 6] {
        let [sessions, keys, once] = &self.shared;
        match queue {
            Queue::Sessions => sessions,
            Queue::Keys => keys,
            Queue::Once => once,
        }
    }

    /// `{prefix}:what`
    pub(crate) fn fixed(&self, what: &str) -> Vec<u8> {
        self.of(what, &[])
    }

    /// `{prefix}:what:which`
    pub(crate) fn of(&self, what: &str, which: &[u8]) -> Vec<u8> {
        let mut name = Vec::with_capacity(self.prefix.len() + what.len() + which.len() + 2);
        name.extend_from_slice(&self.prefix);
        name.push(b':');
        name.extend_from_slice(what.as_bytes());
        if !which.is_empty() {
            name.push(b':');
            name.extend_from_slice(which);
        }
        name
    }

    pub(crate) fn owner(&self, tenant: &str, subject: &str) -> Name {
        self.digest("owner", &[tenant, subject])
    }

    pub(crate) fn purpose(&self, tenant: &str, subject: &str, purpose: &str) -> Name {
        self.digest("purpose", &[tenant, subject, purpose])
    }

    pub(crate) fn counter(&self, tenant: &str, subject: &str, counter: &str) -> Name {
        self.digest("counter", &[tenant, subject, counter])
    }

    pub(crate) fn token(&self, jti: &str) -> Name {
        self.digest("token", &[jti])
    }

    /// Each part with its length, so that no two lists of parts are one.
    fn digest(&self, label: &str, parts: &[&str]) -> Name {
        let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
        let mut hashed: Vec<&[u8]> = vec![b"bartizan-sessions-redis 1 ", label.as_bytes(), b"\0"];
        for (part, length) in parts.iter().zip(&lengths) {
            hashed.push(length);
            hashed.push(part.as_bytes());
        }
        self.provider.hash().sha256(&hashed)
    }
}
