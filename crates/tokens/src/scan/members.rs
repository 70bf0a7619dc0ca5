//! The members of an object that was scanned, for claims of one's own: found once, and not looked for again.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, MapAccess, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

use super::{
    Read, Scanner, Stop,
    own::{Key, Unreadable, Value},
};
use crate::{Error, ErrorKind, eight::is_plain, strict::Known};

/// What is told of the members of an object while it is scanned.
pub(crate) trait Record {
    /// The member whose name ends here. `known` is the bit of a registered claim, or nothing.
    #[expect(clippy::ptr_arg, reason = "Only a name that is borrowed stands in the text as it is.")]
    fn member(&mut self, scan: &mut Scanner<'_>, name: &Cow<'_, str>, known: u32) -> Read<()>;
}

/// Nobody wants to know.
impl Record for () {
    #[inline(always)]
    fn member(&mut self, _: &mut Scanner<'_>, _: &Cow<'_, str>, _: u32) -> Read<()> {
        Ok(())
    }
}

/// Where the members of an object are: places in the text of [`ClaimsText`](crate::text::ClaimsText).
pub(crate) struct Members {
    /// Apart from the registered ones, which most types do not ask for.
    own: List,
    registered: List,
    /// What the scanner found out about the text.
    is_plain: bool,
}

/// Some members, in their order.
struct List {
    first: [Member; NEAR],
    count: usize,
    more: Vec<Member>,
}

/// As many as a token usually has, without an allocation.
const NEAR: usize = 12;

#[derive(Clone, Copy)]
struct Member {
    /// The name, unescaped.
    start: u32,
    length: u32,
    /// What stands behind the name in the JSON text.
    behind: u32,
    /// The bit of a registered claim, or nothing.
    known: u32,
}

impl Record for Members {
    #[inline(always)]
    fn member(&mut self, scan: &mut Scanner<'_>, name: &Cow<'_, str>, known: u32) -> Read<()> {
        let start = match name {
            // The closing quote is the last that was read.
            Cow::Borrowed(name) => scan.at.wrapping_sub(name.len()).wrapping_sub(1),
            Cow::Owned(name) => {
                let start = scan.json.len() + scan.unescaped.len();
                scan.unescaped.push_str(name);
                start
            }
        };
        let place = |at| u32::try_from(at).map_err(|_| Stop::Refused(ErrorKind::TooLarge));
        let member =
            Member { start: place(start)?, length: place(name.len())?, behind: place(scan.at)?, known };
        self.is_plain = scan.is_plain;
        if known == 0 {
            self.own.push(member)
        } else {
            self.registered.push(member)
        }
        Ok(())
    }
}

impl List {
    const fn new() -> Self {
        let nowhere = Member { start: 0, length: 0, behind: 0, known: 0 };
        Self { first: [nowhere; NEAR], count: 0, more: Vec::new() }
    }

    #[inline(always)]
    fn push(&mut self, member: Member) {
        match self.first.get_mut(self.count) {
            Some(place) => *place = member,
            None => self.more.push(member),
        }
        self.count += 1;
    }

    fn iter(&self) -> impl Iterator<Item = &Member> {
        self.first.iter().take(self.count).chain(&self.more)
    }
}

impl Members {
    pub(crate) const fn new() -> Self {
        Self { own: List::new(), registered: List::new(), is_plain: false }
    }

    /// Nothing was scanned yet: even an empty object of claims is refused.
    pub(crate) const fn is_empty(&self) -> bool {
        self.own.count + self.registered.count == 0
    }

    /// Reads claims of one's own. `all` is the text that was scanned, and what was unescaped behind it.
    ///
    /// # Errors
    /// [`ErrorKind::ClaimType`] when they are not of the type `T`.
    pub(crate) fn read<T: DeserializeOwned, K: Known>(&self, all: &str) -> Result<T, Error> {
        let object =
            Object { members: self, scan: &mut Scanner::again(all, self.is_plain), named: named::<K> };
        T::deserialize(object).map_err(|_| ErrorKind::ClaimType.into())
    }

    /// The same for an object that was scanned before and of which nobody kept the members. `present` are the registered claims
    /// that were found in it.
    ///
    /// # Errors
    /// As [`Members::read`].
    pub(crate) fn read_again<T: DeserializeOwned, K: Known>(json: &str, present: u32) -> Result<T, Error> {
        let mut members = Self::new();
        let mut scan = Scanner::again(json, is_plain(json));
        members.find(&mut scan, |name| named::<K>(name) & present).map_err(|_| ErrorKind::ClaimType)?;
        if scan.unescaped.is_empty() {
            return members.read::<T, K>(json);
        }
        members.read::<T, K>(&[json, &scan.unescaped].concat())
    }

    fn find(&mut self, scan: &mut Scanner<'_>, known: impl Fn(&str) -> u32) -> Read<()> {
        let mut position = scan.object()?;
        while let Some(name) = scan.member(&mut position)? {
            self.member(scan, &name, known(&name))?;
            scan.colon()?;
            scan.skip()?;
        }
        Ok(())
    }
}

/// The bit of a registered claim.
fn named<K: Known>(name: &str) -> u32 {
    K::named(name).map_or(0, K::bit)
}

/// The object of all claims.
struct Object<'s, 'j> {
    members: &'s Members,
    scan: &'s mut Scanner<'j>,
    named: fn(&str) -> u32,
}

impl<'j> Object<'_, 'j> {
    fn visit<V: Visitor<'j>>(self, wanted: u32, visitor: V) -> Result<V::Value, Unreadable> {
        let Members { own, registered, .. } = self.members;
        let asked_for = registered.iter().filter(|member| member.known & wanted != 0);
        // Most types ask for none.
        let asked_for = asked_for.take(if wanted == 0 { 0 } else { usize::MAX });
        let mut members = own.iter().chain(asked_for);
        let value = visitor.visit_map(Entries { members: &mut members, scan: self.scan })?;
        // What is left over has no place in the type.
        if members.next().is_none() { Ok(value) } else { Err(Unreadable) }
    }
}

impl<'j> Deserializer<'j> for Object<'_, 'j> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.visit(u32::MAX, visitor)
    }

    /// Registered claims are the library's to read, and pass the type by unless it has a field of their name.
    fn deserialize_struct<V: Visitor<'j>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let wanted = match fields {
            // Whoever names no field wants to see all of them.
            [] => u32::MAX,
            _ => fields.iter().fold(0, |wanted, field| wanted | (self.named)(field)),
        };
        self.visit(wanted, visitor)
    }

    fn deserialize_option<V: Visitor<'j>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'j>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        if name == crate::strict::RAW_VALUE {
            let text = self.scan.text_of_value()?;
            return visitor.visit_map(MapDeserializer::new(std::iter::once((name, text))));
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'j>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// The members that are shown, one after the other.
struct Entries<'s, 'j, I> {
    members: &'s mut I,
    scan: &'s mut Scanner<'j>,
}

impl<'m, 'j, I: Iterator<Item = &'m Member>> MapAccess<'j> for Entries<'_, 'j, I> {
    type Error = Unreadable;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'j>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        let Some(member) = self.members.next() else {
            return Ok(None);
        };
        self.scan.at = member.behind as usize;
        let (start, length) = (member.start as usize, member.length as usize);
        let name = self.scan.json.get(start..start.saturating_add(length)).ok_or(Unreadable)?;
        seed.deserialize(Key(Cow::Borrowed(name))).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'j>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        self.scan.colon()?;
        seed.deserialize(Value::last(self.scan))
    }
}
