//! Arrays and objects that are being written.

use serde::{Serialize, ser};

use super::{CLAIM, Refused, Writer, Written, key};
use crate::{ErrorKind, names::is_name, strict::is_allowed_name};

/// An array or object, open until its end.
pub(crate) struct Open<'w, 'o, 't> {
    writer: &'w mut Writer<'o>,
    kind: Kind<'t>,
    is_first: bool,
    is_in_variant: bool,
    names: Names,
}

#[derive(Clone, Copy)]
enum Kind<'t> {
    Array,
    Object,
    /// The object of all claims, which is open before and stays open. The names of other claims are taken.
    Claims(&'t dyn Fn(&str) -> bool),
    /// A number of `serde_json`, in digits.
    Number,
}

impl<'w, 'o> Open<'w, 'o, 'static> {
    pub(super) fn array(writer: &'w mut Writer<'o>) -> Written<Self> {
        writer.open(b'[')?;
        Ok(Self::of(writer, Kind::Array))
    }

    pub(super) fn object(writer: &'w mut Writer<'o>) -> Written<Self> {
        writer.open(b'{')?;
        Ok(Self::of(writer, Kind::Object))
    }

    pub(super) const fn number(writer: &'w mut Writer<'o>) -> Self {
        Self::of(writer, Kind::Number)
    }
}

impl<'w, 'o, 't> Open<'w, 'o, 't> {
    pub(super) fn claims(writer: &'w mut Writer<'o>, is_taken: &'t dyn Fn(&str) -> bool) -> Self {
        Self { is_first: false, ..Self::of(writer, Kind::Claims(is_taken)) }
    }

    const fn of(writer: &'w mut Writer<'o>, kind: Kind<'t>) -> Self {
        Self { writer, kind, is_first: true, is_in_variant: false, names: Names::new() }
    }

    /// The same, within an object that ends with it.
    pub(super) fn in_variant(self) -> Self {
        Self { is_in_variant: true, ..self }
    }

    fn comma(&mut self) -> Written {
        if !self.is_first {
            self.writer.out.push(b',');
        }
        self.is_first = false;
        self.writer.count()
    }

    fn name(&mut self, name: &str) -> Written {
        let is_good = match self.kind {
            Kind::Claims(is_taken) => is_name(name) && !is_taken(name),
            Kind::Object => true,
            Kind::Array | Kind::Number => false,
        };
        if !is_good || !is_allowed_name(name) {
            return Err(CLAIM);
        }
        self.comma()?;
        let start = self.writer.out.len();
        self.writer.text(name);
        // SECURITY: of two members of one name each reader takes another.
        if !self.names.insert(self.writer.out, start) {
            return Err(CLAIM);
        }
        self.writer.out.push(b':');
        Ok(())
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.comma()?;
        value.serialize(&mut *self.writer)
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
        if let Kind::Number = self.kind {
            return key::number(self.writer, value);
        }
        self.name(name)?;
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        match self.kind {
            Kind::Array => self.writer.close(b']'),
            Kind::Object => self.writer.close(b'}'),
            Kind::Claims(_) | Kind::Number => (),
        }
        if self.is_in_variant {
            self.writer.close(b'}');
        }
    }
}

/// Where the names of one object stand in what was written; the first eight without an allocation. What is written is of
/// [`Limits::values`](crate::Limits::values) at most, so that comparing each with each ends soon.
struct Names {
    first: [(u32, u32); 8],
    count: usize,
    more: Vec<(u32, u32)>,
}

impl Names {
    const fn new() -> Self {
        Self { first: [(0, 0); 8], count: 0, more: Vec::new() }
    }

    /// Whether the name that begins here, and with which the text ends, is new. One text has one spelling here.
    fn insert(&mut self, out: &[u8], start: usize) -> bool {
        let name = out.get(start..).unwrap_or_default();
        let mut earlier = self.first.iter().take(self.count).chain(&self.more);
        if earlier.any(|(start, end)| out.get(*start as usize..*end as usize) == Some(name)) {
            return false;
        }
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(out.len())) else {
            return false;
        };
        match self.first.get_mut(self.count) {
            Some(place) => {
                *place = (start, end);
                self.count += 1;
            }
            None => self.more.push((start, end)),
        }
        true
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident,)*) => {
        $(impl ser::$trait for Open<'_, '_, '_> {
            type Ok = ();
            type Error = Refused;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.element(value)
            }

            fn end(self) -> Written {
                self.close();
                Ok(())
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}

macro_rules! members {
    ($($trait:ident,)*) => {
        $(impl ser::$trait for Open<'_, '_, '_> {
            type Ok = ();
            type Error = Refused;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.member(name, value)
            }

            fn end(self) -> Written {
                self.close();
                Ok(())
            }
        })*
    };
}

members! { SerializeStruct, SerializeStructVariant, }

impl ser::SerializeMap for Open<'_, '_, '_> {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Written {
        self.name(&key::text(name)?)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        // Without a name there is no value.
        if self.writer.out.last() != Some(&b':') {
            return Err(Refused(ErrorKind::Claim));
        }
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}
