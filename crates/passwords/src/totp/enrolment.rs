//! What an authenticator app is given: a URI, as text and as a picture.

use std::fmt;

use bartizan_core::SecretText;
use zeroize::Zeroizing;

use crate::{Digits, Error, ErrorKind, Totp, TotpHash, TotpSecret, qr};

/// A secret with the names that an app shows beside its codes.
///
/// # Security
/// URI and picture are the secret: show them once, over TLS, to a user who has just proved who they are, with `Cache-Control:
/// no-store`; put them in no log, no e-mail and no query of a URL, least of all that of a service which draws QR codes.
#[derive(PartialEq, Eq)]
pub struct Enrolment {
    totp: Totp,
    issuer: String,
    account: String,
}

impl Enrolment {
    /// For this service, up to 64 bytes of UTF-8, and this account, up to 256; neither empty, nor with colons or control
    /// characters.
    ///
    /// # Errors
    /// [`ErrorKind::Label`].
    pub fn new(totp: Totp, issuer: &str, account: &str) -> Result<Self, Error> {
        if is_label(issuer, MAX_ISSUER) && is_label(account, MAX_ACCOUNT) {
            return Ok(Self { totp, issuer: issuer.to_owned(), account: account.to_owned() });
        }
        Err(ErrorKind::Label.into())
    }

    /// Reads a URI that was made elsewhere, strictly: `otpauth://totp/issuer:account?secret=…&issuer=…` with each parameter
    /// once, in any order, and no others; `algorithm`, `digits` and `period` may be absent, and the period is 30.
    ///
    /// # Errors
    /// [`ErrorKind::Uri`].
    pub fn parse(uri: &SecretText) -> Result<Self, Error> {
        parsed(uri.expose()).ok_or_else(|| ErrorKind::Uri.into())
    }

    /// The URI, in the form that apps agree on (the “Key URI Format” of Google Authenticator).
    #[must_use]
    pub fn to_uri(&self) -> SecretText {
        // Each byte of a label takes at most three; so no growth leaves an unwiped copy behind.
        let mut uri = Zeroizing::new(String::with_capacity(MAX_ENROLMENT_URI));
        uri.push_str(SCHEME);
        push_encoded(&mut uri, &self.issuer);
        uri.push(':');
        push_encoded(&mut uri, &self.account);
        uri.push_str("?secret=");
        uri.push_str(self.totp.secret.to_base32().expose());
        uri.push_str("&issuer=");
        push_encoded(&mut uri, &self.issuer);
        uri.push_str("&algorithm=");
        uri.push_str(match self.totp.hash {
            TotpHash::Sha1 => "SHA1",
            TotpHash::Sha256 => "SHA256",
            TotpHash::Sha512 => "SHA512",
        });
        uri.push_str(match self.totp.digits {
            Digits::Six => "&digits=6",
            Digits::Eight => "&digits=8",
        });
        uri.push_str("&period=30");
        SecretText::new(std::mem::take(&mut *uri))
    }

    /// The URI as a QR code: an `<svg>` element of some kilobytes with a title and without a script, a style or anything that
    /// somebody chose, to be put into a page as it is. It is as large as the page makes it; show it at three pixels a module
    /// or more, on any background.
    ///
    /// Beside it show [`TotpSecret::to_base32`] for those who cannot scan (WCAG 2.2, 1.1.1).
    ///
    /// # Errors
    /// None for any enrolment: the longest URI fits. [`ErrorKind::Primitive`] if the encoder thinks otherwise.
    ///
    /// # Security
    /// The encoder does not wipe what it computes in between.
    pub fn to_qr_svg(&self) -> Result<SecretText, Error> {
        qr::svg(&self.to_uri(), "QR code that adds this account to an authenticator app")
    }

    /// What verifies the codes.
    #[must_use]
    pub const fn totp(&self) -> &Totp {
        &self.totp
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_totp(self) -> Totp {
        self.totp
    }

    /// The service, as the app shows it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The account, as the app shows it.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment").field("totp", &self.totp).finish_non_exhaustive()
    }
}

fn is_label(label: &str, most: usize) -> bool {
    (1..=most).contains(&label.len()) && !label.contains(|c: char| c == ':' || c.is_control())
}

fn parsed(uri: &str) -> Option<Enrolment> {
    if uri.len() > MAX_ENROLMENT_URI {
        return None;
    }
    let (label, query) = uri.strip_prefix(SCHEME)?.split_once('?')?;
    let (issuer, account) = label.split_once(':')?;
    let (issuer, account) = (decoded(issuer)?, decoded(account)?);

    let [mut secret, mut named, mut hash, mut digits, mut period] = [None; 5];
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        let place = match name {
            "secret" => &mut secret,
            "issuer" => &mut named,
            "algorithm" => &mut hash,
            "digits" => &mut digits,
            "period" => &mut period,
            _ => return None,
        };
        if place.replace(value).is_some() {
            return None;
        }
    }
    let hash = match hash.unwrap_or("SHA1") {
        "SHA1" => TotpHash::Sha1,
        "SHA256" => TotpHash::Sha256,
        "SHA512" => TotpHash::Sha512,
        _ => return None,
    };
    let digits = match digits.unwrap_or("6") {
        "6" => Digits::Six,
        "8" => Digits::Eight,
        _ => return None,
    };
    // SECURITY: two issuers in one URI are shown differently by different apps.
    if period.unwrap_or("30") != "30" || decoded(named?)? != issuer {
        return None;
    }
    let secret = TotpSecret::from_base32(&SecretText::new(secret?.to_owned())).ok()?;
    Enrolment::new(Totp::new(secret).hash(hash).digits(digits), &issuer, &account).ok()
}

/// RFC 3986 section 2.1: all but the unreserved characters of section 2.3.
fn push_encoded(uri: &mut String, text: &str) {
    for byte in text.bytes() {
        if is_unreserved(byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for half in [byte >> 4, byte & 0x0f] {
                uri.extend(char::from_digit(half.into(), 16).map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut half = || char::from(rest.next()?).to_digit(16);
                bytes.push(u8::try_from(half()? << 4 | half()?).ok()?);
            }
            // Apps write these as they are.
            b'@' | b'!' | b'\'' | b'(' | b')' | b'*' | b',' | b'/' => bytes.push(byte),
            byte if is_unreserved(byte) => bytes.push(byte),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Longest enrolment URI, in bytes: both labels with each byte written as three, the issuer once more, and the rest.
pub const MAX_ENROLMENT_URI: usize = 3 * (2 * MAX_ISSUER + MAX_ACCOUNT) + 256;

const SCHEME: &str = "otpauth://totp/";
const MAX_ISSUER: usize = 64;
const MAX_ACCOUNT: usize = 256;
