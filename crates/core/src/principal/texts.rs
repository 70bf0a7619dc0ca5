//! The texts of a principal in one piece, so that making one costs two allocations however many there are.

use std::fmt;

use super::{MAX_ATTRIBUTES, MAX_GROUPS};
use crate::{ErrorKind, names};

/// All texts, one after the other, and where each stands.
#[derive(Clone, Default)]
pub(super) struct Texts {
    all: String,
    /// What was wrong with a name. It never gets better: nobody comes of these texts.
    pub(super) fault: Option<ErrorKind>,
    pub(super) tenant: Place,
    pub(super) subject: Place,
    pub(super) issuer: Place,
    pub(super) credential: Place,
    pub(super) session: Place,
    pub(super) request: Place,
    pub(super) acr: Place,
    pub(super) roles: Places,
    pub(super) teams: Places,
    pub(super) amr: Places,
    /// Name, value, name, value.
    pub(super) attributes: Places,
}

/// Room beside tenant and subject for issuer, credential, session and some roles.
pub(super) const USUAL_REST: usize = 160;

/// One text. As no name is empty, an empty place is an absent one.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    start: usize,
    end: usize,
}

/// Some names, each behind a character whose number is its length in bytes: no name is longer than 255.
#[derive(Clone, Copy, Default)]
pub(super) struct Places {
    place: Place,
    count: usize,
}

impl Texts {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { all: String::with_capacity(bytes), ..Self::default() }
    }

    pub(super) fn name(&mut self, name: &str) -> Place {
        if !names::is_name(name) {
            self.fault = Some(ErrorKind::Name);
            return Place::default();
        }
        let start = self.all.len();
        self.all.push_str(name);
        Place { start, end: self.all.len() }
    }

    pub(super) fn maybe(&mut self, name: Option<&str>) -> Place {
        name.map(|name| self.name(name)).unwrap_or_default()
    }

    pub(super) fn list<S: AsRef<str>>(&mut self, list: impl IntoIterator<Item = S>) -> Places {
        let start = self.all.len();
        let mut count = 0;
        for name in list {
            if count == MAX_GROUPS {
                self.fault.get_or_insert(ErrorKind::TooMany);
                break;
            }
            if !self.push(name.as_ref()) {
                break;
            }
            count += 1;
        }
        Places { place: Place { start, end: self.all.len() }, count }
    }

    pub(super) fn pairs<N: AsRef<str>, V: AsRef<str>>(
        &mut self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Places {
        let start = self.all.len();
        let mut count = 0;
        for (name, value) in pairs {
            if count == 2 * MAX_ATTRIBUTES {
                self.fault.get_or_insert(ErrorKind::TooMany);
                break;
            }
            if !self.push(name.as_ref()) || !self.push(value.as_ref()) {
                break;
            }
            count += 2;
        }
        Places { place: Place { start, end: self.all.len() }, count }
    }

    /// One name of a list; false when it is none.
    fn push(&mut self, name: &str) -> bool {
        let Some(length) = u8::try_from(name.len()).ok().filter(|_| names::is_name(name)) else {
            self.fault = Some(ErrorKind::Name);
            return false;
        };
        self.all.push(char::from(length));
        self.all.push_str(name);
        true
    }

    pub(super) fn read(&self, place: Place) -> &str {
        // INVARIANT(places): made where a text begins and ends.
        self.all.get(place.start..place.end).unwrap_or_default()
    }

    pub(super) fn read_maybe(&self, place: Place) -> Option<&str> {
        Some(self.read(place)).filter(|text| !text.is_empty())
    }

    pub(super) fn names(&self, places: Places) -> Names<'_> {
        Names { rest: self.read(places.place), count: places.count }
    }
}

/// Some names of a principal, in the order in which they were given.
#[derive(Clone, Copy)]
pub struct Names<'a> {
    /// As [`Places`] names them.
    rest: &'a str,
    count: usize,
}

impl<'a> Names<'a> {
    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'a str> + Clone {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            let mut characters = rest.chars();
            let length = u32::from(characters.next()?) as usize;
            let (name, others) = characters.as_str().split_at_checked(length)?;
            rest = others;
            Some(name)
        })
    }

    /// Whether this is one of them, byte by byte.
    #[must_use]
    pub fn contains(self, name: &str) -> bool {
        self.iter().any(|known| known == name)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }
}

/// Shows how many there are: what somebody is called may be nobody's business.
impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names([{}])", self.count)
    }
}
