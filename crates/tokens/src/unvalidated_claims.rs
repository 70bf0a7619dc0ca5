//! The registered claims of a payload that is no token of ours (RFC 7519 §4.1): read strictly, and not judged.

use std::fmt;

use bartizan_core::UnixTime;
use serde::de::DeserializeOwned;

use crate::{
    Error, ErrorKind, Limits, claims,
    scan::{Members, Read, Record, Scanner},
    strict::{Known, members},
    text::{ClaimsText, Text, Texts},
};

/// What a claims text says, each registered claim of its type and every member once, at all levels. Nothing of it is
/// compared with anything: who issued it, for whom, and until when is for the caller to judge.
///
/// For programs that judge claims by rules of their own. For access tokens there is [`Verifier`](crate::Verifier).
pub struct UnvalidatedClaims {
    text: ClaimsText,
    found: Found,
    members: Members,
}

#[derive(Default)]
struct Found {
    present: u32,
    issuer: Option<Text>,
    subject: Option<Text>,
    audiences: Texts,
    expires: Option<UnixTime>,
    not_before: Option<UnixTime>,
    issued_at: Option<UnixTime>,
    id: Option<Text>,
}

impl UnvalidatedClaims {
    /// Reads one JSON object. Names (`iss`, `sub`, `jti`, each `aud`) have 1 to 255 bytes and no control characters; dates are
    /// whole seconds from 1970 to 9999; a name that differs from a registered one by letter case alone is that name twice.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`], [`ErrorKind::TooLarge`], [`ErrorKind::Duplicate`], [`ErrorKind::ClaimType`] (with
    /// [`Error::claim`]); [`ErrorKind::Config`] for limits out of range.
    pub fn parse(json: String, limits: &Limits) -> Result<Self, Error> {
        let limits = limits.checked()?;
        if json.len() > limits.claims {
            return Err(ErrorKind::TooLarge.into());
        }
        let mut members = Members::new();
        let (found, unescaped) = Scanner::read(&json, limits.values, limits.depth, |scan| {
            let found = Found::scan(scan, limits.audiences, &mut members)?;
            Ok((found, std::mem::take(&mut scan.unescaped)))
        })?;
        let mut text = ClaimsText::new(json);
        text.append(&unescaped);
        Ok(Self { text, found, members })
    }

    /// Claims of your own, by their names, from the same object: a struct is shown those registered claims that it has a field
    /// for, any other type all claims.
    ///
    /// # Errors
    /// [`ErrorKind::ClaimType`] when they are not of the type `T`.
    pub fn own<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.members.read::<T, Name>(self.text.all())
    }

    /// The JSON that was read.
    #[must_use]
    pub fn json(&self) -> &str {
        self.text.signed()
    }

    /// `iss`.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.read(self.found.issuer)
    }

    /// `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.read(self.found.subject)
    }

    /// `aud`: one text or several (RFC 7519 §4.1.3).
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.found.audiences.read(self.text.all())
    }

    /// Whether there is an `aud`, even one that names nobody.
    #[must_use]
    pub const fn has_audience(&self) -> bool {
        self.found.present & 1 << (Name::Audience as u32) != 0
    }

    /// `exp`.
    #[must_use]
    pub const fn expires(&self) -> Option<UnixTime> {
        self.found.expires
    }

    /// `nbf`.
    #[must_use]
    pub const fn not_before(&self) -> Option<UnixTime> {
        self.found.not_before
    }

    /// `iat`.
    #[must_use]
    pub const fn issued_at(&self) -> Option<UnixTime> {
        self.found.issued_at
    }

    /// `jti`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.read(self.found.id)
    }

    /// Whether there is a `cnf`: the token is bound to a key of its sender (RFC 7800), and is nobody's without a proof of it.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.found.present & 1 << (Name::Confirmation as u32) != 0
    }

    fn read(&self, text: Option<Text>) -> Option<&str> {
        text.map(|text| text.read(self.text.all()))
    }
}

impl Found {
    fn scan(scan: &mut Scanner<'_>, audiences: usize, record: &mut impl Record) -> Read<Self> {
        let mut found = Self::default();
        let mut seen = scan.members()?;
        while let Some(name) = scan.next_recorded::<Name>(&mut seen, record)? {
            let Some(name) = name else {
                scan.skip()?;
                continue;
            };
            found.present |= name.bit();
            match name {
                Name::Issuer => found.issuer = Some(scan.name()?),
                Name::Subject => found.subject = Some(scan.name()?),
                Name::TokenId => found.id = Some(scan.name()?),
                Name::Audience => found.audiences = scan.name_or_names(audiences)?,
                Name::Expires => found.expires = Some(date(scan)?),
                Name::NotBefore => found.not_before = Some(date(scan)?),
                Name::IssuedAt => found.issued_at = Some(date(scan)?),
                Name::Confirmation => scan.skip_object()?,
            }
        }
        Ok(found)
    }
}

fn date(scan: &mut Scanner<'_>) -> Read<UnixTime> {
    claims::date(scan).map(UnixTime::from_secs)
}

/// Shows how long the text is.
impl fmt::Debug for UnvalidatedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnvalidatedClaims").field("length", &self.json().len()).finish_non_exhaustive()
    }
}

members! {
    enum Name {
        Issuer = "iss",
        Subject = "sub",
        Audience = "aud",
        Expires = "exp",
        NotBefore = "nbf",
        IssuedAt = "iat",
        TokenId = "jti",
        Confirmation = "cnf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<UnvalidatedClaims, Error> {
        UnvalidatedClaims::parse(json.into(), &Limits::DEFAULT)
    }

    #[test]
    fn registered_claims_are_read_beside_any_others() {
        let json = r#"{"sub":"ad\u0061","iss":"i","aud":["a","\u0062"],"exp":3,"nbf":1,"iat":2,"jti":"j","roles":"one","x":{"exp":"?"}}"#;
        let claims = parse(json).unwrap();
        assert_eq!((claims.issuer(), claims.subject(), claims.id()), (Some("i"), Some("ada"), Some("j")));
        assert_eq!(claims.audiences().collect::<Vec<_>>(), ["a", "b"]);
        let times = [claims.not_before(), claims.issued_at(), claims.expires()];
        assert_eq!(times.map(|time| time.map(UnixTime::as_secs)), [Some(1), Some(2), Some(3)]);
        assert_eq!((claims.json(), claims.has_audience(), claims.is_bound()), (json, true, false));
        let none = parse(r#"{"aud":[],"cnf":{}}"#).unwrap();
        assert_eq!((none.audiences().count(), none.has_audience(), none.is_bound()), (0, true, true));
        assert_eq!((none.expires(), none.issuer(), parse("{}").unwrap().has_audience()), (None, None, false));
    }

    #[test]
    fn a_claim_of_another_type_is_refused_by_name() {
        for (claim, value) in [
            ("exp", "1.0"),
            ("exp", "\"1\""),
            ("exp", "-1"),
            ("exp", "null"),
            ("nbf", "253402300800"),
            ("iat", "1e9"),
            ("iss", "[\"i\"]"),
            ("iss", "\"\""),
            ("sub", "7"),
            ("aud", "{}"),
            ("aud", "[7]"),
            ("jti", "true"),
            ("cnf", "\"k\""),
        ] {
            let error = parse(&format!(r#"{{"{claim}":{value}}}"#)).unwrap_err();
            assert_eq!((error.kind(), error.claim()), (ErrorKind::ClaimType, Some(claim)), "{value}");
        }
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for json in
            [r#"{"exp":1,"exp":1}"#, r#"{"exp":1,"Exp":2}"#, r#"{"x":1,"x":1}"#, r#"{"x":{"y":1,"y":2}}"#]
        {
            assert_eq!(parse(json).unwrap_err().kind(), ErrorKind::Duplicate, "{json}");
        }
        for json in ["", "[]", "7", "{} {}", "{\"exp\":}", "{'exp':1}"] {
            assert_eq!(parse(json).unwrap_err().kind(), ErrorKind::Malformed, "{json}");
        }
        let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(6 * 1024));
        assert_eq!(parse(&long).unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
