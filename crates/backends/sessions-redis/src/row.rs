//! What scripts answer, read and checked: a row that cannot be read is an error, and never an absent one.

use bartizan_core::UnixTime;
use bartizan_sessions::{
    Digest, Entry, Error, ErrorKind, KeyId, Revocation, Scope, SessionKey, StoredKey, StoredSession,
    from_millis, to_millis,
};
use redis::Value;

use crate::{names::Name, packed};

/// The elements of an answer that is a list.
pub(crate) fn list(value: Value) -> Result<Vec<Value>, Error> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(damaged()),
    }
}

/// An answer whose first element is a word that says what the others are.
pub(crate) fn worded(value: Value) -> Result<(String, Fields), Error> {
    let mut fields = Fields::of(value)?;
    Ok((fields.text()?.into(), fields))
}

pub(crate) fn damaged() -> Error {
    ErrorKind::Integrity.into()
}

/// Fields in the order in which a script names them.
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    pub(crate) fn of(value: Value) -> Result<Self, Error> {
        Ok(Self(list(value)?.into_iter()))
    }

    fn optional(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(Some(bytes)),
            Some(Value::SimpleString(text)) => Ok(Some(text.into_bytes())),
            Some(Value::Int(number)) => Ok(Some(number.to_string().into_bytes())),
            Some(Value::Nil) => Ok(None),
            _ => Err(damaged()),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        self.optional()?.ok_or_else(damaged)
    }

    /// The row of a session, packed.
    pub(crate) fn session(&mut self, selector: Digest) -> Result<StoredSession, Error> {
        packed::row(&self.bytes()?, selector)
    }

    pub(crate) fn text(&mut self) -> Result<Box<str>, Error> {
        Ok(String::from_utf8(self.bytes()?).map_err(|_| damaged())?.into())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.bytes()?.try_into().map_err(|_| damaged())
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self) -> Result<T, Error> {
        self.text()?.parse().map_err(|_| damaged())
    }

    fn time(&mut self) -> Result<UnixTime, Error> {
        Ok(from_millis(self.number()?))
    }

    fn optional_time(&mut self) -> Result<Option<UnixTime>, Error> {
        let Some(bytes) = self.optional()? else { return Ok(None) };
        let millis = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok());
        Ok(Some(from_millis(millis.ok_or_else(damaged)?)))
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn end(self) -> Result<(), Error> {
        if self.is_at_end() { Ok(()) } else { Err(damaged()) }
    }

    /// The row of an API key: `FIELDS` of `lua/api_keys.lua`.
    pub(crate) fn key(mut self) -> Result<StoredKey, Error> {
        let (id, selector, secret) = (self.array()?, self.array()?, self.array()?);
        let (tenant, subject) = (self.text()?, self.text()?);
        let _owner: Name = self.array()?;
        let key = StoredKey {
            id: KeyId::from_bytes(id),
            selector: Digest::from_bytes(selector),
            secret: Digest::from_bytes(secret),
            tenant,
            subject,
            name: self.text()?,
            scopes: StoredKey::scopes_from_text(&self.text()?).map_err(|_| damaged())?,
            made: self.time()?,
            expires: self.time()?,
            used: self.optional_time()?,
            ended: self.optional_time()?,
        };
        self.end()?;
        Ok(key)
    }
}

/// What `add_key` passes: as [`Fields::key`] reads it.
pub(crate) fn key_args(key: &StoredKey, owner: Name) -> Result<Vec<Vec<u8>>, Error> {
    Ok(vec![
        key.id.as_bytes().into(),
        key.selector.as_bytes().into(),
        key.secret.as_bytes().into(),
        key.tenant.as_bytes().into(),
        key.subject.as_bytes().into(),
        owner.into(),
        key.name.as_bytes().into(),
        key.scopes_to_text()?.into_bytes(),
        millis(key.made),
        millis(key.expires),
        key.used.map_or_else(Vec::new, millis),
        key.ended.map_or_else(Vec::new, millis),
    ])
}

/// A time as text; scripts reckon with it as a double, which holds every millisecond of the type exactly.
pub(crate) fn millis(time: UnixTime) -> Vec<u8> {
    to_millis(time).to_string().into()
}

/// The fields of an element of a stream.
struct Named(Vec<(String, Vec<u8>)>);

/// An element of a stream, and its id.
fn element(value: Value) -> Result<(Box<str>, Named), Error> {
    let mut parts = Fields::of(value)?;
    let id = parts.text()?;
    let mut values = Fields::of(parts.0.next().ok_or_else(damaged)?)?;
    let mut pairs = Vec::new();
    while !values.is_at_end() {
        pairs.push((values.text()?.into(), values.bytes()?));
    }
    Ok((id, Named(pairs)))
}

impl Named {
    fn bytes(&self, name: &str) -> Result<&[u8], Error> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_slice()).ok_or_else(damaged)
    }

    fn text(&self, name: &str) -> Result<&str, Error> {
        std::str::from_utf8(self.bytes(name)?).map_err(|_| damaged())
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        self.text(name)?.parse().map_err(|_| damaged())
    }

    fn key(&self, name: &str) -> Result<SessionKey, Error> {
        Ok(SessionKey::from_bytes(self.bytes(name)?.try_into().map_err(|_| damaged())?))
    }
}

/// An entry of the outbox. Its id is a time in milliseconds and a count below a thousand, see `record` of `lua/common.lua`.
pub(crate) fn entry(value: Value) -> Result<Entry, Error> {
    let (id, fields) = element(value)?;
    let (millis, count) = id.split_once('-').ok_or_else(damaged)?;
    let millis: u64 = millis.parse().map_err(|_| damaged())?;
    let count: u64 = count.parse().map_err(|_| damaged())?;
    let number = millis.checked_mul(A_MILLISECOND).filter(|_| count < A_MILLISECOND).ok_or_else(damaged)?;
    packed::entry(number.saturating_add(count), fields.bytes("e")?)
}

/// The id of an entry of this number.
pub(crate) fn entry_id(number: u64) -> String {
    format!("{}-{}", number / A_MILLISECOND, number % A_MILLISECOND)
}

/// How many numbers the outbox has for a millisecond.
const A_MILLISECOND: u64 = 1_000;

/// An element of the feed: `revoke` of `lua/common.lua`.
pub(crate) fn revocation(value: Value) -> Result<(u64, Revocation), Error> {
    let (id, fields) = element(value)?;
    let number = id.strip_suffix("-0").and_then(|number| number.parse().ok()).ok_or_else(damaged)?;
    let scope = match fields.text("scope")? {
        "token" => Scope::Token(fields.text("one")?.into()),
        "session" => Scope::Session(fields.key("one")?),
        "subject" => Scope::Subject {
            tenant: fields.text("one")?.into(),
            subject: fields.text("two")?.into(),
            epoch: fields.number("epoch")?,
        },
        "everything" => Scope::Everything { epoch: fields.number("epoch")? },
        _ => return Err(damaged()),
    };
    let (at, until) = (from_millis(fields.number("at")?), from_millis(fields.number("until")?));
    Ok((number, Revocation { scope, at, until }))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// What a server may answer, with the lengths and words that rows have.
    fn answers() -> impl Strategy<Value = Value> {
        let bytes = prop_oneof![
            vec(any::<u8>(), 0..40),
            Just(vec![1; 16]),
            Just(vec![1; 32]),
            prop_oneof!["refresh", "0", "-5", "1700000000000", "\\{\\}", "\\[\\]", "5-0", "scope", "token"]
                .prop_map(String::into_bytes),
        ];
        let leaf = prop_oneof![
            8 => bytes.prop_map(Value::BulkString),
            1 => Just(Value::Nil),
            1 => any::<i64>().prop_map(Value::Int),
            1 => Just(Value::Okay),
        ];
        leaf.prop_recursive(2, 40, 24, |inner| vec(inner, 0..24).prop_map(Value::Array))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_a_server_answers_is_read_or_refused(answer in answers()) {
            let refused = |error: Error| error.kind() == ErrorKind::Integrity;
            let selector = Digest::from_bytes([0; 32]);
            prop_assert!(Fields::of(answer.clone()).and_then(|mut fields| fields.session(selector)).map_or_else(refused, |_| true));
            prop_assert!(Fields::of(answer.clone()).and_then(Fields::key).map_or_else(refused, |_| true));
            prop_assert!(worded(answer.clone()).map_or_else(refused, |_| true));
            prop_assert!(entry(answer.clone()).map_or_else(refused, |_| true));
            prop_assert!(revocation(answer).map_or_else(refused, |_| true));
        }
    }
}
