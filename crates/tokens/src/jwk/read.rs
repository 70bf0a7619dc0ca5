//! Reading of JWK and JWKS texts.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};

use crate::{
    Error, ErrorKind,
    jwk::{Jwk, MAX_JWK, MAX_JWKS, MAX_KEYS},
    strict::{Any, Reader, Seen, members},
};

/// Most members and elements of one JWK.
const MAX_VALUES: usize = 64;

const MAX_DEPTH: usize = 8;

pub(crate) fn one(json: &[u8]) -> Result<Jwk<'_>, Error> {
    let text = document(json, MAX_JWK)?;
    match Reader::of_keys(MAX_VALUES, MAX_DEPTH).read(text, |reader, text| Seed(reader).deserialize(text))? {
        Part::Object(jwk) => Ok(*jwk),
        _ => Err(ErrorKind::KeyFormat.into()),
    }
}

pub(crate) fn set(json: &[u8]) -> Result<Vec<Jwk<'_>>, Error> {
    let text = document(json, MAX_JWKS)?;
    Reader::of_keys(MAX_VALUES * MAX_KEYS, MAX_DEPTH).read(text, |reader, text| Set(reader).deserialize(text))
}

fn document(json: &[u8], most: usize) -> Result<&str, Error> {
    if json.len() > most {
        return Err(ErrorKind::KeyTooLarge.into());
    }
    std::str::from_utf8(json).map_err(|_| ErrorKind::KeyFormat.into())
}

members! {
    enum Member {
        Type = "kty",
        Curve = "crv",
        X = "x",
        Y = "y",
        N = "n",
        E = "e",
        D = "d",
        K = "k",
        KeyId = "kid",
        Algorithm = "alg",
        Use = "use",
        Operations = "key_ops",
        P = "p",
        Q = "q",
        Dp = "dp",
        Dq = "dq",
        Qi = "qi",
        Others = "oth",
        Private = "priv",
    }
}

/// A key or a part of one, of whatever type it happens to be.
enum Part<'a> {
    Text(Cow<'a, str>),
    Texts(Vec<Cow<'a, str>>),
    Object(Box<Jwk<'a>>),
    Other,
}

struct Seed<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Part<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Part<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Part<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key or a part of one")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_unit<E>(self) -> Result<Part<'de>, E> {
        Ok(Part::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Part<'de>, E> {
        Ok(Part::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Part<'de>, E> {
        Ok(Part::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Part<'de>, A::Error> {
        self.0.enter()?;
        let mut texts = Some(Vec::new());
        while let Some(element) = elements.next_element_seed(Seed(self.0))? {
            self.0.count()?;
            match (element, &mut texts) {
                (Part::Text(text), Some(texts)) => texts.push(text),
                _ => texts = None,
            }
        }
        self.0.leave();
        Ok(texts.map_or(Part::Other, Part::Texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Part<'de>, A::Error> {
        self.0.enter()?;
        let jwk = key(self.0, members)?;
        self.0.leave();
        Ok(Part::Object(Box::new(jwk)))
    }
}

fn key<'de, A: MapAccess<'de>>(reader: &mut Reader, mut members: A) -> Result<Jwk<'de>, A::Error> {
    let mut jwk = Jwk::default();
    let mut seen = Seen::nothing();
    while let Some(name) = seen.next(reader, &mut members)? {
        let Some(name) = name else {
            members.next_value_seed(Any(reader))?;
            continue;
        };
        let value = members.next_value_seed(Seed(reader))?;
        let text = match (name, value) {
            (Member::Operations, Part::Texts(operations)) if is_distinct(&operations) => {
                jwk.operations = Some(operations);
                continue;
            }
            (Member::Others | Member::Private, _) => {
                jwk.has_others |= matches!(name, Member::Others);
                jwk.has_priv |= matches!(name, Member::Private);
                jwk.is_secret = true;
                continue;
            }
            (_, Part::Text(text)) => Some(text),
            _ => None,
        };
        jwk.odd |= text.is_none();
        match name {
            Member::Type => jwk.kty = text,
            Member::Curve => jwk.crv = text,
            Member::X => jwk.x = text,
            Member::Y => jwk.y = text,
            Member::KeyId => jwk.kid = text,
            Member::Algorithm => jwk.alg = text,
            Member::Use => jwk.usage = text,
            Member::N => jwk.n = text,
            Member::E => jwk.e = text,
            Member::D => jwk.d = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            Member::K => jwk.k = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            Member::P => jwk.p = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            Member::Q => jwk.q = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            Member::Dp => jwk.dp = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            Member::Dq => jwk.dq = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            Member::Qi => jwk.qi = secret(&mut jwk.is_secret, &mut jwk.odd, text),
            _ => jwk.odd = true,
        }
    }
    // SECURITY: `oct` is symmetric whatever its members are called.
    jwk.is_secret |= jwk.kty.as_deref() == Some("oct");
    Ok(jwk)
}

/// A secret member, where it stands. One with escapes would have been copied to where nobody wipes it; base64url needs none.
fn secret<'a>(is_secret: &mut bool, odd: &mut bool, text: Option<Cow<'a, str>>) -> Option<&'a str> {
    *is_secret = true;
    match text {
        Some(Cow::Borrowed(text)) => Some(text),
        _ => {
            *odd = true;
            None
        }
    }
}

/// No operation may stand twice (RFC 7517 §4.3).
fn is_distinct(operations: &[Cow<'_, str>]) -> bool {
    let mut earlier = BTreeSet::new();
    operations.iter().all(|operation| earlier.insert(operation))
}

/// An object with `keys`. Its other members are read over (RFC 7517 §5).
struct Set<'r>(&'r mut Reader);

members! {
    enum SetMember {
        Keys = "keys",
    }
}

impl<'de> DeserializeSeed<'de> for Set<'_> {
    type Value = Vec<Jwk<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Set<'_> {
    type Value = Vec<Jwk<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JWKS")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut keys = None;
        let mut seen = Seen::nothing();
        self.0.enter()?;
        while let Some(name) = seen.next(self.0, &mut members)? {
            match name {
                Some(SetMember::Keys) => keys = Some(members.next_value_seed(Keys(self.0))?),
                None => members.next_value_seed(Any(self.0))?,
            }
        }
        self.0.leave();
        keys.ok_or_else(|| serde::de::Error::missing_field("keys"))
    }
}

struct Keys<'r>(&'r mut Reader);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = Vec<Jwk<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = Vec<Jwk<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        self.0.enter()?;
        let mut keys = Vec::new();
        while let Some(key) = elements.next_element_seed(Seed(self.0))? {
            self.0.count()?;
            if keys.len() == MAX_KEYS {
                return Err(self.0.too_large());
            }
            keys.push(match key {
                Part::Object(jwk) => *jwk,
                _ => Jwk { odd: true, ..Jwk::default() },
            });
        }
        self.0.leave();
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_key_by_key() {
        let keys = set(br#"{"keys":[{"kty":"EC","kid":"a","x5c":["AA"]},7,"x",[{}],{"kty":1},{"kty":"oct"}],"note":{"a":[1]}}"#);
        let keys = keys.unwrap();
        assert_eq!(
            keys.iter().map(|jwk| jwk.odd).collect::<Vec<_>>(),
            [false, true, true, true, true, false]
        );
        assert_eq!(keys.iter().filter(|jwk| jwk.is_secret).count(), 1);
        assert_eq!(keys[0].kid.as_deref(), Some("a"));
    }

    #[test]
    fn any_private_member_makes_a_key_secret() {
        for member in ["d", "k", "p", "q", "dp", "dq", "qi", "oth", "priv"] {
            for value in [r#""AA""#, "null", "[]", "{}", r#""\u0041""#] {
                assert!(one(format!(r#"{{"kty":"RSA","{member}":{value}}}"#).as_bytes()).unwrap().is_secret);
            }
        }
    }

    #[test]
    fn a_document_is_read_whole_or_not_at_all() {
        for bad in [
            "",
            "[]",
            "{",
            r#"{"keys":{}}"#,
            "{}",
            r#"{"keys":[]}x"#,
            r#"{"keys":[],"keys":[]}"#,
            r#"{"keys":[],"Keys":[]}"#,
            r#"{"keys":[{"kid":"a","kid":"a"}]}"#,
            r#"{"keys":[{"kid":"a","\u006bid":"a"}]}"#,
            r#"{"keys":[{"n":{"a":1,"a":1}}]}"#,
        ] {
            assert_eq!(set(bad.as_bytes()).err().unwrap().kind(), ErrorKind::KeyFormat, "{bad}");
        }
        assert_eq!(set(b"\xff").err().unwrap().kind(), ErrorKind::KeyFormat);
        assert_eq!(one(b"7").err().unwrap().kind(), ErrorKind::KeyFormat);
    }

    #[test]
    fn documents_have_their_limits() {
        let keys = |n: usize| format!(r#"{{"keys":[{}]}}"#, vec!["{}"; n].join(","));
        assert_eq!(set(keys(64).as_bytes()).unwrap().len(), 64);
        assert_eq!(set(keys(65).as_bytes()).err().unwrap().kind(), ErrorKind::KeyTooLarge);
        assert_eq!(set(&vec![b' '; MAX_JWKS + 1]).err().unwrap().kind(), ErrorKind::KeyTooLarge);
        assert_eq!(one(&vec![b' '; MAX_JWK + 1]).err().unwrap().kind(), ErrorKind::KeyTooLarge);
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(set(deep.as_bytes()).err().unwrap().kind(), ErrorKind::KeyTooLarge);
    }
}
