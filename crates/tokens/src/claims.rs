//! Claims as they are read: one pass, in place, each type checked (RFC 7519 §4, RFC 9068 §2.2). Whether they are good is
//! for `validate` to say.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::{
    Error, ErrorKind, Limits,
    names::is_name,
    strict::{self, Any, Known, Reader, Seen, members},
    text::{Text, Texts},
};

/// What a claims text says. Proves nothing.
#[derive(Default)]
pub(crate) struct Claims {
    pub(crate) issuer: Option<Text>,
    pub(crate) subject: Option<Text>,
    pub(crate) audience: Option<Texts>,
    pub(crate) expires: Option<i64>,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: Option<i64>,
    pub(crate) jti: Option<Text>,
    pub(crate) client_id: Option<Text>,
    pub(crate) optional: Optional,
}

/// The claims that a token may do without, beside `nbf`.
#[derive(Default)]
pub(crate) struct Optional {
    pub(crate) tenant: Option<Text>,
    pub(crate) session: Option<Text>,
    pub(crate) roles: Texts,
    pub(crate) groups: Texts,
    pub(crate) acr: Option<Text>,
    pub(crate) amr: Texts,
    pub(crate) auth_time: Option<i64>,
    pub(crate) actor: Option<Text>,
    /// Who knows the actor by this name, when the token says so.
    pub(crate) actor_issuer: Option<Text>,
}

/// Whether a token to be issued must not bring this claim as one of its own: the library writes it, reads it, or means
/// something by it.
pub(crate) fn is_registered(name: &str) -> bool {
    strict::is_spelling_of_any::<Name>(name)
}

impl Claims {
    pub(crate) fn parse(json: &str, limits: &Limits) -> Result<Self, Error> {
        let read = |reader: &mut Reader, text: &mut _| {
            Members { reader, json, audiences: limits.audiences }.deserialize(text)
        };
        Reader::of_token(limits.values, limits.depth).read(json, read)
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
        Client = "client_id",
        Tenant = "tenant",
        Roles = "roles",
        Groups = "groups",
        Session = "sid",
        ContextClass = "acr",
        Methods = "amr",
        AuthTime = "auth_time",
        Actor = "act",
        Confirmation = "cnf",
    }
}

/// Most roles, and most groups; as many as a principal has at most.
pub(crate) const MAX_GROUPS: usize = 64;

/// Most authentication methods.
pub(crate) const MAX_METHODS: usize = 16;

/// 9999-12-31T23:59:59Z.
const LAST_DATE: u64 = 253_402_300_799;

struct Members<'r, 'j> {
    reader: &'r mut Reader,
    json: &'j str,
    audiences: usize,
}

impl<'de> DeserializeSeed<'de> for Members<'_, '_> {
    type Value = Claims;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claims, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_, '_> {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
        let Self { reader, json, audiences } = self;
        let mut claims = Claims::default();
        let mut seen = Seen::nothing();
        let mut bound = false;
        reader.enter()?;
        while let Some(name) = seen.next(reader, &mut members)? {
            let optional = &mut claims.optional;
            match name {
                Some(Name::Issuer) => claims.issuer = Some(members.next_value_seed(One { json })?),
                Some(Name::Subject) => claims.subject = Some(members.next_value_seed(One { json })?),
                Some(Name::Audience) => {
                    claims.audience =
                        Some(members.next_value_seed(OneOrMore(List { reader, json, most: audiences }))?);
                }
                Some(Name::Expires) => claims.expires = Some(members.next_value_seed(NumericDate)?),
                Some(Name::NotBefore) => claims.not_before = Some(members.next_value_seed(NumericDate)?),
                Some(Name::IssuedAt) => claims.issued_at = Some(members.next_value_seed(NumericDate)?),
                Some(Name::TokenId) => claims.jti = Some(members.next_value_seed(One { json })?),
                Some(Name::Client) => claims.client_id = Some(members.next_value_seed(One { json })?),
                Some(Name::Tenant) => optional.tenant = Some(members.next_value_seed(One { json })?),
                Some(Name::Roles) => {
                    optional.roles = members.next_value_seed(List { reader, json, most: MAX_GROUPS })?;
                }
                Some(Name::Groups) => {
                    optional.groups = members.next_value_seed(List { reader, json, most: MAX_GROUPS })?;
                }
                Some(Name::Session) => optional.session = Some(members.next_value_seed(One { json })?),
                Some(Name::ContextClass) => optional.acr = Some(members.next_value_seed(One { json })?),
                Some(Name::Methods) => {
                    optional.amr = members.next_value_seed(List { reader, json, most: MAX_METHODS })?;
                }
                Some(Name::AuthTime) => optional.auth_time = Some(members.next_value_seed(NumericDate)?),
                Some(Name::Actor) => {
                    let (subject, issuer) = members.next_value_seed(Actor { reader, json })?;
                    (optional.actor, optional.actor_issuer) = (Some(subject), issuer);
                }
                Some(Name::Confirmation) => {
                    bound = true;
                    members.next_value_seed(Any(reader))?;
                }
                None => members.next_value_seed(Any(reader))?,
            }
        }
        reader.leave();
        // SECURITY: whoever stole a bound token must not get in where bindings are not checked (RFC 9449 §7.2, RFC 8705 §3).
        if bound {
            return Err(reader.stop(ErrorKind::Bound));
        }
        Ok(claims)
    }
}

/// A name: a string of 1 to 255 bytes without control characters.
struct One<'j> {
    json: &'j str,
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        let text = strict::Text.deserialize(deserializer)?;
        name(text, self.json)
    }
}

fn name<E: serde::de::Error>(text: Cow<'_, str>, json: &str) -> Result<Text, E> {
    if is_name(&text) { Ok(Text::of(text, json)) } else { Err(E::custom("not a name")) }
}

/// An array of names.
struct List<'r, 'j> {
    reader: &'r mut Reader,
    json: &'j str,
    most: usize,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = Texts;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Texts, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Texts, A::Error> {
        self.reader.enter()?;
        let mut texts = Texts::default();
        while let Some(text) = elements.next_element_seed(One { json: self.json })? {
            self.reader.count()?;
            if texts.len() == self.most {
                return Err(self.reader.too_large());
            }
            texts.push(text);
        }
        self.reader.leave();
        Ok(texts)
    }
}

/// A name or an array of names (RFC 7519 §4.1.3).
struct OneOrMore<'r, 'j>(List<'r, 'j>);

impl<'de> DeserializeSeed<'de> for OneOrMore<'_, '_> {
    type Value = Texts;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Texts, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneOrMore<'_, '_> {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Texts, E> {
        let mut texts = Texts::default();
        texts.push(name(Cow::Borrowed(text), self.0.json)?);
        Ok(texts)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Texts, E> {
        let mut texts = Texts::default();
        texts.push(name(Cow::Owned(text.to_owned()), self.0.json)?);
        Ok(texts)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Texts, A::Error> {
        self.0.visit_seq(elements)
    }
}

/// Whole seconds from 1970 to 9999. RFC 7519 §2 allows fractions and any magnitude; nobody needs them, and parsers disagree
/// about them. Refused are `1.0` and `1e9` as well.
struct NumericDate;

impl<'de> DeserializeSeed<'de> for NumericDate {
    type Value = i64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<i64, D::Error> {
        deserializer.deserialize_i64(self)
    }
}

impl Visitor<'_> for NumericDate {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds since 1970")
    }

    fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<i64, E> {
        match i64::try_from(seconds) {
            Ok(date) if seconds <= LAST_DATE => Ok(date),
            _ => Err(E::custom("out of range")),
        }
    }
}

/// Who acts: the `sub` of an `act` object, and its `iss` if it has one. What an inner `act` says is history and no party to a decision (RFC 8693 §4.1).
struct Actor<'r, 'j> {
    reader: &'r mut Reader,
    json: &'j str,
}

members! {
    enum ActorName {
        Subject = "sub",
        Issuer = "iss",
    }
}

impl<'de> DeserializeSeed<'de> for Actor<'_, '_> {
    type Value = (Text, Option<Text>);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Actor<'_, '_> {
    type Value = (Text, Option<Text>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an actor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        self.reader.enter()?;
        let mut seen = Seen::nothing();
        let (mut subject, mut issuer) = (None, None);
        while let Some(name) = seen.next(self.reader, &mut members)? {
            match name {
                Some(ActorName::Subject) => {
                    self.reader.at = Some(Name::Actor.name());
                    subject = Some(members.next_value_seed(One { json: self.json })?);
                }
                Some(ActorName::Issuer) => {
                    self.reader.at = Some(Name::Actor.name());
                    issuer = Some(members.next_value_seed(One { json: self.json })?);
                }
                None => members.next_value_seed(Any(self.reader))?,
            }
        }
        self.reader.leave();
        self.reader.at = Some(Name::Actor.name());
        let subject = subject.ok_or_else(|| serde::de::Error::custom("nobody"))?;
        Ok((subject, issuer))
    }
}

#[cfg(test)]
mod tests;
