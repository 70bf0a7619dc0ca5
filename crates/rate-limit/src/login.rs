//! Limits on logins that slow an attacker and leave the owner of an account in.

use std::{fmt, net::IpAddr, sync::Arc};

use unicode_normalization::UnicodeNormalization;

use crate::{
    Ask, Error, Key, KnownDevice, Limiter, Network, OnOutage, Policy, Quota, Standing, limiter::Receipt,
};

/// Four limits on failed logins, composed.
///
/// | policy | counts | default | stops |
/// |---|---|---|---|
/// | `login-pair` | account and address | 5 in 15 min | guessing at one account from one place |
/// | `login-address` | address, all accounts | 100 in 15 min | stuffing: one password at many accounts |
/// | `login-account` | account, all addresses | 100 in a day | a botnet's guesses at one account (NIST SP 800-63B-4 §3.2.2) |
/// | `login-device` | account and a device that it was logged into before | 5 in 15 min | guessing with a stolen device mark |
///
/// **Only failures count**, and no guess is free: an attempt is charged before the password is looked at, and what it cost is
/// given back when it succeeds. Any number of guesses at once are admitted exactly as often as one after the other. A success
/// gives back its own charge and nothing else: logging into an account of their own does not give an attacker new guesses.
///
/// **Nobody locks the owner out.** A device that is known ([`DeviceMarks`](crate::DeviceMarks)) has guesses of its own and is
/// asked under no other limit, so nothing that anybody does elsewhere refuses it, not even from the same address. From a device
/// that was never seen the owner may have to wait while the account's own limit is used up: someone who has nothing but a
/// password cannot be told from an attacker.
///
/// **Nobody finds out who exists.** The account is text to these limits; they look nothing up, and answer the same for accounts
/// that do not exist. Pass what was typed; upper and lower case, spaces around it, and whether a letter is one code point or
/// composed of two (Unicode Normalization Form C), do not matter.
#[derive(Debug)]
pub struct LoginLimits {
    limiter: Arc<Limiter>,
    pair: Policy,
    address: Policy,
    account: Policy,
    device: Policy,
    ipv6_bits: u8,
}

/// Whether somebody may try a password.
#[derive(Debug)]
#[must_use = "the attempt may have been refused"]
pub enum Login {
    /// Look at the password, and call [`LoginAttempt::succeeded`] if it is right.
    Try(LoginAttempt),
    /// Do not look at the password: 429 with `Retry-After`.
    Refused(Standing),
}

/// An attempt that is charged as a failure until it is told to be a success. Dropping it leaves it one.
#[must_use = "an attempt that is dropped counts as a failure"]
pub struct LoginAttempt {
    limiter: Arc<Limiter>,
    whose: Whose,
    charged: Vec<(Policy, Kind, Receipt)>,
}

struct Whose {
    account: String,
    network: Network,
    device: Option<KnownDevice>,
}

#[derive(Clone, Copy)]
enum Kind {
    Pair,
    Address,
    Account,
    Device,
}

impl LoginLimits {
    /// The defaults of the table, all with this mode of outage. [`OnOutage::Closed`] if in doubt: with
    /// [`OnOutage::LocalFallback`] an attacker who can make the store fail has the guesses of each process.
    #[must_use]
    pub fn new(limiter: Arc<Limiter>, on_outage: OnOutage) -> Self {
        Self {
            limiter,
            pair: Policy::own("login-pair", Quota::LOGIN, on_outage),
            address: Policy::own("login-address", Quota::GENERAL, on_outage),
            account: Policy::own("login-account", Quota::ACCOUNT, on_outage),
            device: Policy::own("login-device", Quota::LOGIN, on_outage),
            ipv6_bits: 64,
        }
    }

    /// Another quota for an account from one address.
    #[must_use]
    pub fn with_pair(mut self, quota: Quota) -> Self {
        self.pair = Policy::own("login-pair", quota, self.pair.on_outage());
        self
    }

    /// Another quota for an address, over all accounts.
    #[must_use]
    pub fn with_address(mut self, quota: Quota) -> Self {
        self.address = Policy::own("login-address", quota, self.address.on_outage());
        self
    }

    /// Another quota for an account, from all addresses together.
    #[must_use]
    pub fn with_account(mut self, quota: Quota) -> Self {
        self.account = Policy::own("login-account", quota, self.account.on_outage());
        self
    }

    /// Another quota for a known device.
    #[must_use]
    pub fn with_device(mut self, quota: Quota) -> Self {
        self.device = Policy::own("login-device", quota, self.device.on_outage());
        self
    }

    /// Counts IPv6 addresses by fewer bits than 64, as [`Network::of_wider`].
    #[must_use]
    pub const fn with_ipv6_bits(mut self, bits: u8) -> Self {
        self.ipv6_bits = bits;
        self
    }

    /// The four policies: printed, they document the limits.
    #[must_use]
    pub const fn policies(&self) -> [&Policy; 4] {
        [&self.pair, &self.address, &self.account, &self.device]
    }

    /// Whether a password for this account may be tried from this address, and charges the attempt. A device of another account
    /// is not known.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when the store is out and the mode is
    /// [`OnOutage::Closed`]: 503; what else the store answers.
    ///
    /// # Cancel safety
    /// A call that is dropped may have charged.
    pub async fn begin(
        &self,
        account: &str,
        from: IpAddr,
        device: Option<&KnownDevice>,
    ) -> Result<Login, Error> {
        let account = folded(account);
        let device = device.filter(|device| device.account() == account).cloned();
        let whose = Whose { account, network: Network::of_wider(from, self.ipv6_bits), device };
        let mut attempt = LoginAttempt { limiter: Arc::clone(&self.limiter), whose, charged: Vec::new() };
        let steps: &[&[(&Policy, Kind)]] = if attempt.whose.device.is_some() {
            &[&[(&self.device, Kind::Device)]]
        } else {
            // SECURITY: the attacker's own limits first. What they refuse never touches the account's, not even for the moment
            // between charging and giving back: one address alone cannot use up the account for everybody.
            &[&[(&self.pair, Kind::Pair), (&self.address, Kind::Address)], &[(&self.account, Kind::Account)]]
        };
        for step in steps {
            match attempt.charge(step).await {
                Ok(None) => {}
                Ok(Some(refused)) => {
                    attempt.give_back().await;
                    return Ok(Login::Refused(refused));
                }
                Err(error) => {
                    attempt.give_back().await;
                    return Err(error);
                }
            }
        }
        Ok(Login::Try(attempt))
    }
}

impl LoginAttempt {
    /// The password was right: what the attempt cost is given back.
    pub async fn succeeded(self) {
        self.give_back().await;
    }

    /// The password was not looked at, because something else was out or busy: nothing was learnt, so nothing is charged.
    ///
    /// # Security
    /// Only if the peer cannot tell anything about the password from what happens.
    pub async fn not_tried(self) {
        self.give_back().await;
    }

    /// The password was wrong. The same as dropping the attempt; answers what the limits say, for header fields.
    #[must_use]
    pub fn failed(self) -> Vec<Standing> {
        self.charged.iter().map(|(policy, _, receipt)| Standing::new(policy, receipt)).collect()
    }

    /// Charges one step, or answers what refused it.
    async fn charge(&mut self, step: &[(&Policy, Kind)]) -> Result<Option<Standing>, Error> {
        let asks: Vec<Ask<'_>> =
            step.iter().map(|(policy, kind)| Ask::new(policy, self.whose.key(*kind))).collect();
        match self.limiter.decide(&asks).await? {
            Ok(receipts) => {
                let charged = step.iter().zip(receipts);
                let charged = charged.map(|((policy, kind), receipt)| ((*policy).clone(), *kind, receipt));
                self.charged.extend(charged);
                Ok(None)
            }
            Err(refused) => Ok(Some(refused)),
        }
    }

    async fn give_back(self) {
        let receipts: Vec<_> = self
            .charged
            .iter()
            .map(|(policy, kind, receipt)| (Ask::new(policy, self.whose.key(*kind)), *receipt))
            .collect();
        self.limiter.return_all(&receipts).await;
    }
}

/// Whose attempt it is, is not shown.
impl fmt::Debug for LoginAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginAttempt").field("charged", &self.charged.len()).finish_non_exhaustive()
    }
}

impl Whose {
    fn key(&self, kind: Kind) -> Key<'_> {
        match (kind, &self.device) {
            (Kind::Pair, _) => Key::of_pair(&self.account, self.network),
            (Kind::Address, _) => Key::network(self.network),
            (Kind::Device, Some(device)) => Key::device(device),
            (Kind::Account | Kind::Device, _) => Key::account(&self.account),
        }
    }
}

/// One spelling for all that a careless look-up might take for the same account. Two accounts that share one share their limits,
/// which is no harm; one account with many spellings would have as many limits.
pub(crate) fn folded(account: &str) -> String {
    let account = account.trim();
    if account.is_ascii() {
        return account.to_ascii_lowercase();
    }
    // Once more at the end: a lower-case letter may compose with a mark that its upper case does not compose with.
    account.nfc().collect::<String>().to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_letter_is_one_letter_in_whatever_case_and_of_however_many_code_points() {
        let zoe = folded("zo\u{eb}@example.org");
        for spelling in ["Zoe\u{308}@example.org", "ZO\u{cb}@EXAMPLE.ORG", " ZOE\u{308}@example.org\u{2003}"]
        {
            assert_eq!(folded(spelling), zoe);
        }
        assert_ne!(folded("zoe@example.org"), zoe);
        // Capital J with caron is two code points in every form, small j with caron is one in Form C.
        assert_eq!(folded("J\u{30c}"), folded("\u{1f0}"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn every_form_of_a_text_and_what_it_becomes_are_one(text in r"(\PC|[\u{300}-\u{36f}]){0,12}") {
            let once = folded(&text);
            prop_assert_eq!(folded(&text.nfc().collect::<String>()), once.as_str());
            prop_assert_eq!(folded(&text.nfd().collect::<String>()), once.as_str());
            prop_assert_eq!(folded(&once), once.as_str());
        }
    }
}
