//! Signed checkpoints: C2SP `tlog-checkpoint` in a `signed-note`, signed with Ed25519.

use std::{fmt, sync::Arc};

use bartizan_core::UnixTime;
use bartizan_crypto::{Hash, PrivateKey, Provider, PublicKey, SignatureAlgorithm, SignatureVerifier, Signer};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Error, ErrorKind,
    format::{LogId, MAX_NOTE},
    merkle::Digest,
    time,
};

/// What somebody signed: the log named so had this many entries with this root at this time.
///
/// Its text is a C2SP signed note. The body's first three lines are those of `tlog-checkpoint`; two extension lines say when
/// it was signed and which log it is of:
///
/// ```text
/// clinic.example/audit
/// 42
/// XDb2FohdPYNRgAFNPF8Dkzf0XT6OMCw8P71mcEiD9m4=
/// time 2026-08-01T12:00:00Z
/// log 6d0f2b6fd0a14c2a9a4a1e5a2f7c9b10
///
/// — clinic.example/audit q83vEjRWeJA=…
/// ```
///
/// A value of this type is only parsed. `verify`, `Log::open` and their like check its signature with the keys that they are
/// given. Keep one outside the log's machine: only such a one tells a log that was cut from one that ended there.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Box<str>,
    size: u64,
    root: Digest,
    at: UnixTime,
    log: LogId,
    text: Box<str>,
}

impl Checkpoint {
    /// Reads a checkpoint of at most 1,024 bytes and 8 signatures. Signatures are not checked here.
    ///
    /// # Errors
    /// [`ErrorKind::Checkpoint`] when the text is none, or not in its one exact form.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        Self::parsed(text).ok_or_else(|| ErrorKind::Checkpoint.into())
    }

    fn parsed(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.len() <= MAX_NOTE)?;
        let (body, signatures) = text.split_once("\n\n")?;
        let mut lines = body.split('\n');
        let origin = lines.next().filter(|origin| is_origin(origin))?;
        let size = lines.next()?;
        let root = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let at = time::parse(lines.next()?.strip_prefix("time ")?)?;
        let log = LogId::from_hex(lines.next()?.strip_prefix("log ")?)?;
        if lines.next().is_some() {
            return None;
        }
        let parsed =
            Self { origin: origin.into(), size: size.parse().ok()?, root, at, log, text: text.into() };
        let signatures = signatures.strip_suffix('\n')?.split('\n').map(Signature::parse);
        let count = signatures.clone().count();
        let is_exact = parsed.body() == format!("{body}\n")
            && count <= MAX_SIGNATURES
            && signatures.clone().all(|signature| signature.is_some());
        is_exact.then_some(parsed)
    }

    /// The log's name, as its writer was configured.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries it covers.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over them.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// When it was signed, by the writer's clock.
    #[must_use]
    pub const fn at(&self) -> UnixTime {
        self.at
    }

    /// The log's own id.
    #[must_use]
    pub const fn log(&self) -> LogId {
        self.log
    }

    /// The whole signed note.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Signs.
    pub(crate) fn sign(
        key: &CheckpointKey,
        hash: &dyn Hash,
        (origin, log): (&str, LogId),
        (size, root): (u64, Digest),
        at: UnixTime,
    ) -> Result<Self, Error> {
        let mut signed = Self { origin: origin.into(), size, root, at, log, text: "".into() };
        let body = signed.body();
        let signature = key.signer.sign(body.as_bytes()).map_err(|_| ErrorKind::Key)?;
        let mut bytes = key_id(hash, origin, &key.public).to_vec();
        bytes.extend_from_slice(&signature);
        signed.text = format!("{body}\n\u{2014} {origin} {}\n", STANDARD.encode(bytes)).into();
        Ok(signed)
    }

    /// Whether one of these keys signed it under its origin's name.
    pub(crate) fn is_signed_by(&self, keys: &TrustedKeys, hash: &dyn Hash) -> bool {
        let body = self.body();
        let Some((_, signatures)) = self.text.split_once("\n\n") else {
            return false;
        };
        signatures
            .lines()
            .filter_map(Signature::parse)
            .filter(|signature| signature.name == &*self.origin)
            .any(|signature| keys.verify(hash, &self.origin, body.as_bytes(), &signature.bytes))
    }

    /// What is signed: everything up to and with the line break before the empty line.
    fn body(&self) -> String {
        let Self { origin, size, root, at, log, .. } = self;
        format!("{origin}\n{size}\n{}\ntime {at}\nlog {log}\n", STANDARD.encode(root))
    }
}

/// The signed note.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("origin", &self.origin)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Most signatures under one checkpoint: the log's own and those of witnesses.
const MAX_SIGNATURES: usize = 8;

/// One signature line: `— name base64(key id ‖ signature)`.
struct Signature<'a> {
    name: &'a str,
    bytes: Vec<u8>,
}

impl<'a> Signature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        (is_origin(name) && bytes.len() > 4).then_some(Self { name, bytes })
    }
}

/// What signs checkpoints: an Ed25519 key.
#[derive(Clone, Debug)]
pub struct CheckpointKey {
    public: PublicKey,
    signer: Arc<dyn Signer>,
}

impl CheckpointKey {
    /// Prepares a private key.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] when it is not Ed25519 or the provider cannot use it.
    pub fn new(provider: &dyn Provider, key: &PrivateKey) -> Result<Self, Error> {
        let signer = provider.signer(key).map_err(|_| ErrorKind::Key)?;
        Self::from_signer(key.public().clone(), signer)
    }

    /// From a signer and its public half.
    ///
    /// # Errors
    /// [`ErrorKind::Key`] when one of them is not Ed25519. That they belong together shows when the log is opened.
    pub fn from_signer(public: PublicKey, signer: Arc<dyn Signer>) -> Result<Self, Error> {
        let fits = public.algorithm() == SignatureAlgorithm::Ed25519
            && signer.algorithm() == SignatureAlgorithm::Ed25519;
        if fits { Ok(Self { public, signer }) } else { Err(ErrorKind::Key.into()) }
    }

    /// Signs and verifies once: a signer whose public half is another's would make checkpoints that nobody believes.
    pub(crate) fn check(&self, provider: &dyn Provider) -> Result<(), Error> {
        let message = b"bartizan-audit: does this key verify what it signs?";
        let verify = |signature: Vec<u8>| provider.verifier(&self.public)?.verify(message, &signature);
        self.signer.sign(message).and_then(verify).map_err(|_| ErrorKind::Key.into())
    }

    /// The public half: what verifiers trust.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }
}

/// Public keys whose checkpoints are believed.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedKeys(Vec<(PublicKey, Arc<dyn SignatureVerifier>)>);

impl TrustedKeys {
    pub(crate) fn new<'k>(
        provider: &dyn Provider,
        keys: impl IntoIterator<Item = &'k PublicKey>,
    ) -> Result<Self, Error> {
        let prepare = |key: &PublicKey| match key.algorithm() {
            SignatureAlgorithm::Ed25519 => provider
                .verifier(key)
                .map(|verifier| (key.clone(), verifier))
                .map_err(|_| ErrorKind::Key.into()),
            _ => Err(ErrorKind::Key.into()),
        };
        keys.into_iter().map(prepare).collect::<Result<_, Error>>().map(Self)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn verify(&self, hash: &dyn Hash, origin: &str, body: &[u8], signature: &[u8]) -> bool {
        let Some((id, signature)) = signature.split_at_checked(4) else {
            return false;
        };
        self.0
            .iter()
            .filter(|(key, _)| key_id(hash, origin, key) == id)
            .any(|(_, verifier)| verifier.verify(body, signature).is_ok())
    }
}

/// C2SP signed-note: the first four bytes of SHA-256(name ‖ line break ‖ 01 for Ed25519 ‖ public key).
fn key_id(hash: &dyn Hash, name: &str, key: &PublicKey) -> [u8; 4] {
    let [a, b, c, d, ..] = hash.sha256(&[name.as_bytes(), b"\n", &[1], key.as_bytes()]);
    [a, b, c, d]
}

/// 1 to 128 printable ASCII characters without space and plus: it is a key name in a signed note as well.
pub(crate) fn is_origin(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b'+')
}
