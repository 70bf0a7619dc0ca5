//! Where a grant holds: tenant, kind and id in one piece that usually lives without an allocation.

use std::fmt;

use crate::{Mismatch, Resource};

/// How many bytes of names fit without an allocation: a UUID has 36, tenant and kind rarely more than 20 each.
const INLINE: usize = 90;

/// Tenant, kind and id of a resource, one after the other. A decision copies them once and allocates nothing as long as
/// they fit; the profile of a decision was led by copying three roomier texts about.
pub(crate) struct Place {
    names: Names,
    tenant: u16,
    kind: u16,
    has_id: bool,
}

enum Names {
    Inline { length: u8, bytes: [u8; INLINE] },
    Heap(Box<str>),
}

impl Place {
    /// INVARIANT(place): the authorizer has checked the names, none is over 255 bytes, so the ends fit 16 bits.
    pub(crate) fn of(on: Resource<'_>) -> Self {
        let (tenant, kind, id) = (on.tenant(), on.kind(), on.id().unwrap_or_default());
        let end = |text: &str| u16::try_from(text.len()).unwrap_or(u16::MAX);
        Self {
            names: Names::of(tenant, kind, id),
            tenant: end(tenant),
            kind: end(kind),
            has_id: on.id().is_some(),
        }
    }

    /// Compares bytes with bytes: names are never folded or normalised.
    pub(crate) fn compare(&self, on: Resource<'_>) -> Result<(), Mismatch> {
        let bytes = self.names.as_bytes();
        let (tenant, rest) = bytes.split_at_checked(usize::from(self.tenant)).ok_or(Mismatch::Tenant)?;
        let (kind, id) = rest.split_at_checked(usize::from(self.kind)).ok_or(Mismatch::Kind)?;
        if tenant != on.tenant().as_bytes() {
            return Err(Mismatch::Tenant);
        }
        if kind != on.kind().as_bytes() {
            return Err(Mismatch::Kind);
        }
        if self.has_id.then_some(id) != on.id().map(str::as_bytes) {
            return Err(Mismatch::Record);
        }
        Ok(())
    }

    pub(crate) fn tenant(&self) -> &str {
        self.names.as_str().get(..usize::from(self.tenant)).unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        let start = usize::from(self.tenant);
        self.names.as_str().get(start..start + usize::from(self.kind)).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> Option<&str> {
        let start = usize::from(self.tenant) + usize::from(self.kind);
        self.has_id.then(|| self.names.as_str().get(start..).unwrap_or_default())
    }
}

impl Names {
    fn of(tenant: &str, kind: &str, id: &str) -> Self {
        let mut bytes = [0; INLINE];
        let mut at = 0;
        for name in [tenant, kind, id] {
            match bytes.get_mut(at..at + name.len()) {
                Some(place) => place.copy_from_slice(name.as_bytes()),
                None => return Self::Heap([tenant, kind, id].concat().into()),
            }
            at += name.len();
        }
        match u8::try_from(at) {
            Ok(length) => Self::Inline { length, bytes },
            Err(_) => Self::Heap([tenant, kind, id].concat().into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Heap(text) => text.as_bytes(),
        }
    }

    /// INVARIANT(names-inline): the bytes were copied from `str`s, so they are UTF-8.
    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_length_read_back_apart() {
        for length in 1..=255 {
            let (tenant, kind, id) =
                ("t".repeat(length), "é".repeat(length / 2) + "k", "i".repeat(256 - length));
            let place = Place::of(Resource::record(&tenant, &kind, &id));
            assert_eq!((place.tenant(), place.kind(), place.id()), (&*tenant, &*kind, Some(&*id)));
            let place = Place::of(Resource::collection(&tenant, &kind));
            assert_eq!((place.tenant(), place.kind(), place.id()), (&*tenant, &*kind, None));
        }
    }

    #[test]
    fn the_same_letters_cut_elsewhere_are_another_place() {
        let place = Place::of(Resource::record("ab", "cd", "ef"));
        assert_eq!(place.compare(Resource::record("ab", "cd", "ef")), Ok(()));
        assert_eq!(place.compare(Resource::record("abc", "d", "ef")), Err(Mismatch::Tenant));
        assert_eq!(place.compare(Resource::record("ab", "c", "def")), Err(Mismatch::Kind));
        assert_eq!(place.compare(Resource::record("ab", "cd", "e")), Err(Mismatch::Record));
        assert_eq!(place.compare(Resource::collection("ab", "cd")), Err(Mismatch::Record));
        let all = Place::of(Resource::collection("ab", "cd"));
        assert_eq!(all.compare(Resource::record("ab", "cd", "")), Err(Mismatch::Record));
        assert_eq!(all.compare(Resource::collection("ab", "cd")), Ok(()));
    }
}
