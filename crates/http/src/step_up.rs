//! What a route asks of how, and how long ago, somebody proved who they are (RFC 9470).

use std::{fmt, time::Duration};

use bartizan_core::{Principal, UnixTime};
use http::HeaderValue;

use crate::{Error, ErrorKind};

/// How strongly, or how recently, somebody must have been authenticated before this.
///
/// ```
/// use std::time::Duration;
/// use bartizan_http::StepUp;
///
/// // Within the last five minutes, with one of these classes:
/// let step_up = StepUp::within(Duration::from_secs(300)).acr(["urn:example:mfa"]);
/// assert_eq!(step_up.to_string(), "step-up within 300 s to urn:example:mfa");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    max_age: Option<Duration>,
    acr: Vec<Box<str>>,
}

impl StepUp {
    /// Within this long (`auth_time`), in whole seconds. Who does not say when they were authenticated was never, nor was who says
    /// that it is more than a minute ahead.
    #[must_use]
    pub const fn within(max_age: Duration) -> Self {
        Self { max_age: Some(max_age), acr: Vec::new() }
    }

    /// By one of these authentication context classes (`acr`), the preferred one first, however long ago.
    pub fn to(acr: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        Self { max_age: None, acr: Vec::new() }.acr(acr)
    }

    /// The same, by one of these authentication context classes too.
    #[must_use]
    pub fn acr(mut self, acr: impl IntoIterator<Item = impl Into<Box<str>>>) -> Self {
        self.acr.extend(acr.into_iter().map(Into::into));
        self
    }

    /// Whether it asks for something, and for what a challenge can name.
    ///
    /// # Errors
    /// [`ErrorKind::StepUp`] for neither an age nor a class, over 16 classes, or a class that is empty, over 128 bytes, or of other
    /// characters than visible ASCII without quotes and backslashes.
    pub fn check(&self) -> Result<(), Error> {
        let asks = self.max_age.is_some() || !self.acr.is_empty();
        let is_class = |acr: &str| {
            (1..=128).contains(&acr.len())
                && acr.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
        };
        if asks && self.acr.len() <= 16 && self.acr.iter().all(|acr| is_class(acr)) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::StepUp))
        }
    }

    /// Whether this principal was authenticated like that.
    #[must_use]
    pub fn is_met_by(&self, who: &Principal, now: UnixTime) -> bool {
        // SECURITY: one that lies ahead, by a clock or in milliseconds, would be recent for ever.
        let is_within = |at, max_age| now.since(at) <= max_age && at <= now.saturating_add(AHEAD);
        let is_recent =
            self.max_age.is_none_or(|max_age| who.authenticated().is_some_and(|at| is_within(at, max_age)));
        let is_strong =
            self.acr.is_empty() || who.acr().is_some_and(|acr| self.acr.iter().any(|asked| **asked == *acr));
        is_recent && is_strong
    }

    /// RFC 9470 section 3.
    pub(crate) fn challenge(&self, error: &str) -> Option<HeaderValue> {
        let mut text = error.to_owned();
        if !self.acr.is_empty() {
            text = format!("{text}, acr_values=\"{}\"", self.acr.join(" "));
        }
        if let Some(max_age) = self.max_age {
            text = format!("{text}, max_age=\"{}\"", max_age.as_secs());
        }
        HeaderValue::try_from(text).ok()
    }
}

/// `step-up within 300 s to urn:example:mfa`
impl fmt::Display for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("step-up")?;
        if let Some(max_age) = self.max_age {
            write!(f, " within {} s", max_age.as_secs())?;
        }
        if !self.acr.is_empty() {
            write!(f, " to {}", self.acr.join(" or "))?;
        }
        Ok(())
    }
}

/// How much further the clock of who authenticated somebody may be than ours.
const AHEAD: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use bartizan_core::{Attestation, PrincipalFacts};

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn ada(age: Option<u64>, acr: Option<&str>) -> Principal {
        let mut facts = PrincipalFacts::new("north", "ada").with_acr(acr);
        facts.authenticated = age.map(|age| NOW.saturating_sub(Duration::from_secs(age)));
        Principal::attested(Attestation::Token, facts).unwrap()
    }

    #[test]
    fn age_and_class_must_both_fit_at_the_exact_second() {
        let asked = StepUp::within(Duration::from_secs(300)).acr(["mfa", "hw"]);
        for (age, acr, is_met) in [
            (Some(0), Some("mfa"), true),
            (Some(300), Some("hw"), true),
            (Some(301), Some("mfa"), false),
            (None, Some("mfa"), false),
            (Some(0), Some("pwd"), false),
            (Some(0), None, false),
            (Some(0), Some("MFA"), false),
        ] {
            assert_eq!(asked.is_met_by(&ada(age, acr), NOW), is_met, "{age:?} {acr:?}");
        }
        assert!(StepUp::to(["mfa"]).is_met_by(&ada(None, Some("mfa")), NOW));
        assert!(StepUp::within(Duration::from_secs(1)).is_met_by(&ada(Some(1), None), NOW));
    }

    #[test]
    fn the_challenge_says_what_is_asked_for() {
        let error = r#"Bearer error="insufficient_user_authentication""#;
        let asked = StepUp::within(Duration::from_secs(300)).acr(["mfa", "hw"]);
        assert_eq!(
            asked.challenge(error).unwrap(),
            r#"Bearer error="insufficient_user_authentication", acr_values="mfa hw", max_age="300""#
        );
    }

    #[test]
    fn what_asks_for_nothing_or_cannot_be_named_is_refused() {
        assert!(StepUp::to(["mfa"]).check().is_ok());
        let none: [&str; 0] = [];
        assert_eq!(StepUp::to(none).check().unwrap_err().kind(), ErrorKind::StepUp);
        for bad in ["", "a b", "a\"b", "a\\b", "é", "a\r\n", &"x".repeat(129)] {
            assert!(StepUp::to([bad]).check().is_err(), "{bad:?}");
        }
        assert!(StepUp::to((0..17).map(|n| n.to_string())).check().is_err());
    }
}
