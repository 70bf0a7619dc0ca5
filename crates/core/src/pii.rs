//! Personal data in memory: shown masked, exposed under a decision.

use std::{fmt, marker::PhantomData};

use zeroize::Zeroize;

use crate::{Covered, DecisionId, Mismatch, names};

/// How much harm it does when it leaks, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Sensitivity {
    /// Anybody may know.
    Public,
    /// Not for the outside.
    Internal,
    /// Personal: name, address, e-mail.
    Basic,
    /// Personal and grave: national ids, bank accounts, beliefs.
    Sensitive,
    /// Health data.
    Health,
    /// A card number (PCI DSS).
    Pan,
    /// A secret: never shown to anybody.
    Secret,
}

/// A class of personal data, at the level of types.
pub trait PiiClass: 'static {
    /// How grave.
    const SENSITIVITY: Sensitivity;
    /// What of a value may be shown to somebody who may not see it.
    fn mask(value: &str) -> String;
}

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident => $mask:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl PiiClass for $name {
            const SENSITIVITY: Sensitivity = Sensitivity::$name;

            fn mask(value: &str) -> String {
                $mask(value)
            }
        }
    )+};
}

classes! {
    /// Name, address, e-mail: masked whole.
    Basic => mask_all,
    /// National ids and account numbers: the last four characters show.
    Sensitive => mask_last4,
    /// Health data: masked whole.
    Health => mask_all,
    /// Card numbers: the first six and last four digits show (PCI DSS 3.4.1).
    Pan => mask_pan,
}

const MASK: &str = "***";

/// Shows nothing, not even the length.
#[must_use]
pub fn mask_all(_: &str) -> String {
    MASK.to_owned()
}

/// Shows the last four characters of a value of at least eight letters and digits; of a shorter one, or one that breaks a
/// line, nothing.
#[must_use]
pub fn mask_last4(value: &str) -> String {
    // SECURITY: blanks and dashes do not count, or four digits among them would show as they are.
    if value.chars().filter(|c| c.is_alphanumeric()).count() < 8 || breaks_a_line(value) {
        return MASK.to_owned();
    }
    let count = value.chars().count();
    value.chars().skip(count - 4).fold(MASK.to_owned(), |mut shown, c| {
        shown.push(c);
        shown
    })
}

/// Shows the first six and last four digits of a card number of 13 to 19 digits; of anything else nothing.
#[must_use]
pub fn mask_pan(value: &str) -> String {
    let digits: Vec<char> = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !(13..=19).contains(&digits.len()) || digits.iter().any(|c| !c.is_ascii_digit()) {
        return MASK.to_owned();
    }
    let shown = |at: usize| at < 6 || at + 4 >= digits.len();
    digits.iter().enumerate().map(|(at, c)| if shown(at) { *c } else { '*' }).collect()
}

/// Shows the first letter of the mailbox and the domain of an e-mail address; of one that breaks a line nothing.
#[must_use]
pub fn mask_email(value: &str) -> String {
    match value.rsplit_once('@') {
        Some((mailbox, domain)) if mailbox.chars().count() > 1 && !breaks_a_line(value) => {
            mailbox.chars().take(1).chain(MASK.chars()).chain(['@']).chain(domain.chars()).collect()
        }
        _ => MASK.to_owned(),
    }
}

/// SECURITY: masked values go into logs, where a line break or a change of direction in them would forge other lines.
fn breaks_a_line(value: &str) -> bool {
    value.chars().any(names::breaks_a_line)
}

/// Personal data of class `C`. `Debug` and `Display` show the mask; there is no `Serialize` at all, since a masking one
/// would write `***` into somebody's database. Wiped when dropped.
///
/// ```
/// use bartizan_core::{Pii, Sensitive};
///
/// let ssn: Pii<String, Sensitive> = Pii::new("078-05-1120".to_owned());
/// assert_eq!(format!("{ssn}"), "***1120");
/// assert_eq!(format!("{ssn:?}"), "***1120");
/// ```
///
/// ```compile_fail
/// let name: bartizan_core::Pii<String> = bartizan_core::Pii::new("Ada".to_owned());
/// serde_json::to_string(&name);
/// ```
pub struct Pii<T: Zeroize = String, C: PiiClass = Basic> {
    value: T,
    opened_under: Option<DecisionId>,
    class: PhantomData<fn() -> C>,
}

impl<T: Zeroize, C: PiiClass> Pii<T, C> {
    /// A value that this program has from elsewhere than a vault, such as a request.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { value, opened_under: None, class: PhantomData }
    }

    /// A value that was opened under a decision; it is exposed under the same one only.
    #[must_use]
    pub const fn opened(value: T, covered: Covered<'_>) -> Self {
        Self { value, opened_under: Some(covered.decision()), class: PhantomData }
    }

    /// The value, for whoever holds the decision that it was opened under.
    ///
    /// # Errors
    /// [`Mismatch::Decision`] when it was opened under another.
    pub fn expose(&self, covered: Covered<'_>) -> Result<&T, Mismatch> {
        match self.opened_under {
            Some(decision) if decision != covered.decision() => Err(Mismatch::Decision),
            _ => Ok(&self.value),
        }
    }

    /// The value without a decision: for the vault, on its way into a sealed cell.
    ///
    /// # Security
    /// Search for this name to find every place that sees personal data outside a decision.
    #[must_use]
    pub const fn danger_expose_uncovered(&self) -> &T {
        &self.value
    }
}

impl<T: Zeroize + AsRef<str>, C: PiiClass> Pii<T, C> {
    /// What may be shown to anybody.
    #[must_use]
    pub fn masked(&self) -> String {
        C::mask(self.value.as_ref())
    }
}

impl<T: Zeroize, C: PiiClass> Drop for Pii<T, C> {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl<T: Zeroize + AsRef<str>, C: PiiClass> fmt::Debug for Pii<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl<T: Zeroize + AsRef<str>, C: PiiClass> fmt::Display for Pii<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_show_what_they_say_and_no_more() {
        assert_eq!(mask_last4("078-05-1120"), "***1120");
        assert_eq!(mask_last4("1234567"), "***");
        assert_eq!(mask_pan("4111 1111 1111 1111"), "411111******1111");
        assert_eq!(mask_pan("4111x11111111111"), "***");
        assert_eq!(mask_pan("411111111111"), "***");
        assert_eq!(mask_email("ada@example.org"), "a***@example.org");
        assert_eq!(mask_email("a@example.org"), "***");
        assert_eq!(mask_all(""), "***");
    }

    #[test]
    fn classes_are_ordered_by_harm() {
        assert!(Basic::SENSITIVITY < Sensitive::SENSITIVITY && Sensitive::SENSITIVITY < Health::SENSITIVITY);
        assert!(Health::SENSITIVITY < Pan::SENSITIVITY && Pan::SENSITIVITY < Sensitivity::Secret);
    }
}
