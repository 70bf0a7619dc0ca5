//! Devices that logged into an account before.

use std::{fmt, sync::Arc, time::Duration};

use bartizan_core::{Clock, Entropy, SecretArray, SecretText, UnixTime};
use bartizan_crypto::{Mac, MacAlgorithm, Provider};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{Error, ErrorKind, login::folded};

/// Makes and reads the marks by which a device is known again: text for a long-lived cookie (`__Host-`, `Secure`, `HttpOnly`),
/// set when a login succeeds and kept at logout.
///
/// A mark is no credential. It says that somebody logged into this account on this device before, so that the device has guesses
/// of its own, which an attacker elsewhere cannot use up. It is authenticated (HMAC-SHA256): marks that everybody could make
/// would be guesses for everybody.
pub struct DeviceMarks {
    keys: Vec<Arc<dyn Mac>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A device that is known to have logged into an account. Only [`DeviceMarks::read`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownDevice {
    account: Box<str>,
    id: [u8; 16],
}

impl DeviceMarks {
    /// Marks under this key, which all processes of the service share.
    ///
    /// # Errors
    /// [`ErrorKind::Bug`] when the provider refuses the key.
    pub fn new(
        provider: &dyn Provider,
        key: &SecretArray<32>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Error> {
        Ok(Self { keys: vec![provider.mac(MacAlgorithm::HmacSha256, key.expose())?], clock, entropy })
    }

    /// Reads marks under this earlier key too. New ones are made under the first.
    ///
    /// # Errors
    /// As [`DeviceMarks::new`].
    pub fn accepting(mut self, provider: &dyn Provider, key: &SecretArray<32>) -> Result<Self, Error> {
        self.keys.push(provider.mac(MacAlgorithm::HmacSha256, key.expose())?);
        Ok(self)
    }

    /// A mark for a device on which this account was logged into just now.
    ///
    /// # Errors
    /// [`ErrorKind::Entropy`].
    pub fn issue(&self, account: &str) -> Result<SecretText, Error> {
        let mut id = [0; 16];
        self.entropy.fill(&mut id)?;
        let issued = seconds(self.clock.wall());
        let key = self.keys.first().ok_or(ErrorKind::Bug)?;
        let tag = key.tag(&signed(&folded(account), &issued.to_be_bytes(), &id));
        let mark = [issued.to_be_bytes().as_slice(), &id, tag.as_bytes()].concat();
        Ok(SecretText::new(URL_SAFE_NO_PAD.encode(mark)))
    }

    /// The device, when the mark is ours, of this account, and at most 180 days old.
    #[must_use]
    pub fn read(&self, account: &str, mark: &str) -> Option<KnownDevice> {
        let mut bytes = [0; MARK];
        // Exactly as long as a mark: what is longer is not decoded.
        let decoded = (mark.len() == MARK_TEXT)
            .then(|| URL_SAFE_NO_PAD.decode_slice(mark, &mut bytes).ok())
            .flatten()?;
        let (issued, rest) = bytes.get(..decoded)?.split_first_chunk::<8>()?;
        let (id, tag) = rest.split_first_chunk::<16>()?;
        let account = folded(account);
        // SECURITY: the tag first; no number in the mark is believed before.
        self.keys.iter().find(|key| key.verify(&signed(&account, issued, id), tag).is_ok())?;
        let age = seconds(self.clock.wall()).saturating_sub(u64::from_be_bytes(*issued));
        (age <= LIFETIME.as_secs()).then(|| KnownDevice { account: account.into(), id: *id })
    }
}

impl fmt::Debug for DeviceMarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceMarks").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl KnownDevice {
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    pub(crate) const fn id(&self) -> [u8; 16] {
        self.id
    }
}

/// Whose device it is, is not shown.
impl fmt::Debug for KnownDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownDevice")
    }
}

/// What the tag is of. The account comes last, so that no two are the same bytes.
const fn signed<'s>(account: &'s str, issued: &'s [u8; 8], id: &'s [u8; 16]) -> [&'s [u8]; 4] {
    [b"bartizan known device 1\0", issued, id, account.as_bytes()]
}

fn seconds(at: UnixTime) -> u64 {
    at.since(UnixTime::from_nanos(0)).as_secs()
}

/// How long a device is known: 180 days.
const LIFETIME: Duration = Duration::from_secs(180 * 86_400);

/// When (8 bytes), id (16), tag (32); and the same in base64url.
const MARK: usize = 56;
const MARK_TEXT: usize = 75;

#[cfg(test)]
mod tests {
    use bartizan_crypto_ring::Ring;
    use bartizan_testkit::{ManualClock, SeededEntropy};

    use super::*;

    fn marks(clock: &Arc<ManualClock>, key: u8) -> DeviceMarks {
        let (key, entropy) = (SecretArray::new([key; 32]), Arc::new(SeededEntropy::new(u64::from(7_u8))));
        DeviceMarks::new(&Ring::new(), &key, Arc::clone(clock) as Arc<dyn Clock>, entropy).unwrap()
    }

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(UnixTime::from_nanos(1_800_000_000_000_000_000)))
    }

    #[test]
    fn a_mark_is_of_its_account_alone() {
        let marks = marks(&clock(), 1);
        let mark = marks.issue("Ada@example.org").unwrap();
        assert!(marks.read("ada@example.org ", mark.expose()).is_some());
        assert_eq!(marks.read("bob@example.org", mark.expose()), None);
    }

    #[test]
    fn a_changed_shortened_or_foreign_mark_is_no_mark() {
        let marks = marks(&clock(), 1);
        let mark = marks.issue("ada").unwrap();
        for at in 0..mark.expose().len() {
            let mut changed = mark.expose().as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(marks.read("ada", std::str::from_utf8(&changed).unwrap()), None, "byte {at}");
        }
        assert_eq!(marks.read("ada", ""), None);
        assert_eq!(marks.read("ada", &mark.expose()[1..]), None);
        assert_eq!(marks.read("ada", &format!("{}A", mark.expose())), None);
        assert_eq!(super::tests::marks(&clock(), 2).read("ada", mark.expose()), None);
    }

    #[test]
    fn a_mark_ends_after_180_days() {
        let clock = clock();
        let marks = marks(&clock, 1);
        let mark = marks.issue("ada").unwrap();
        clock.advance(LIFETIME);
        assert!(marks.read("ada", mark.expose()).is_some());
        clock.advance(Duration::from_secs(1));
        assert_eq!(marks.read("ada", mark.expose()), None);
    }

    #[test]
    fn an_earlier_key_is_read_and_not_written() {
        let (old, clock) = (marks(&clock(), 1), clock());
        let new = marks(&clock, 2).accepting(&Ring::new(), &SecretArray::new([1; 32])).unwrap();
        assert!(new.read("ada", old.issue("ada").unwrap().expose()).is_some());
        assert_eq!(old.read("ada", new.issue("ada").unwrap().expose()), None);
    }
}
