//! Which member of a claims object says what.

use crate::{
    claims::{Name, Spelling},
    strict::{self, Known},
};

/// Which members are read, and as what.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The claims that are read under their registered name: a set of [`Known::bit`].
    registered: u32,
    /// Members of the issuer's own; few, and none for tokens of RFC 9068.
    own: Vec<(Box<str>, Meaning)>,
    /// Bits of all markers.
    markers: u8,
}

#[derive(Clone, Debug)]
enum Meaning {
    Claim(Name),
    Marker { bit: u8, value: Box<str> },
    Forbidden,
}

/// What a member is.
pub(super) enum Found<'n> {
    Claim(Name, Spelling),
    /// It has to have this value.
    Marker {
        bit: u8,
        value: &'n str,
    },
    /// Its presence says that this is another kind of token.
    Forbidden,
    Unknown,
}

impl Found<'_> {
    /// The bit of a claim that stands under its registered name, or nothing.
    pub(super) const fn registered(&self) -> u32 {
        match self {
            Self::Claim(name, Spelling::Registered) => 1 << (*name as u32),
            _ => 0,
        }
    }
}

const OF_ALL: u32 = set(&[
    Name::Issuer,
    Name::Subject,
    Name::Audience,
    Name::Expires,
    Name::NotBefore,
    Name::IssuedAt,
    Name::TokenId,
    Name::Session,
    Name::Confirmation,
]);

const OF_PEOPLE: u32 = set(&[
    Name::Tenant,
    Name::Roles,
    Name::Groups,
    Name::ContextClass,
    Name::Methods,
    Name::AuthTime,
    Name::Actor,
]);

const OF_ID_TOKENS: u32 = set(&[Name::Nonce, Name::AuthorizedParty, Name::AccessTokenHash, Name::CodeHash]);

const fn set(names: &[Name]) -> u32 {
    let (mut set, mut rest) = (0, names);
    while let [name, others @ ..] = rest {
        set |= 1 << (*name as u32);
        rest = others;
    }
    set
}

impl Names {
    pub(crate) const fn of_access_tokens() -> Self {
        Self::only(OF_ALL | OF_PEOPLE | set(&[Name::Client]))
    }

    /// SECURITY: a logout token from before the time of `logout+jwt` has all that an ID token needs, and is told by its events.
    pub(crate) fn of_id_tokens() -> Self {
        let mut names = Self::only(OF_ALL | OF_PEOPLE | OF_ID_TOKENS);
        names.forbid(Name::Events.name().into());
        names
    }

    /// SECURITY: a nonce is forbidden so that no ID token is one (Back-Channel Logout 1.0 §2.4).
    pub(crate) fn of_logout_tokens() -> Self {
        let mut names = Self::only(OF_ALL | set(&[Name::Events]));
        names.forbid(Name::Nonce.name().into());
        names
    }

    const fn only(registered: u32) -> Self {
        Self { registered, own: Vec::new(), markers: 0 }
    }

    /// Reads this claim under another name, and no longer under its own.
    pub(crate) fn map(&mut self, name: Name, own: Box<str>) {
        self.registered &= !name.bit();
        self.own.push((own, Meaning::Claim(name)));
    }

    /// Only tokens in which this member has this value are of the right kind. At most eight.
    pub(crate) fn require(&mut self, own: Box<str>, value: Box<str>) {
        let bit = self.markers.wrapping_add(1);
        // INVARIANT(markers): the bits are set from the lowest, so that the next one is one more than all.
        self.markers |= bit;
        self.own.push((own, Meaning::Marker { bit, value }));
    }

    /// Tokens with this member are of another kind.
    pub(crate) fn forbid(&mut self, own: Box<str>) {
        self.own.push((own, Meaning::Forbidden));
    }

    /// Whether every member means one thing, and no claim is read from two.
    pub(crate) fn are_clear(&self) -> bool {
        let claim = |meaning: &Meaning| match meaning {
            Meaning::Claim(name) => name.bit(),
            _ => 0,
        };
        let markers =
            self.own.iter().filter(|(_, meaning)| matches!(meaning, Meaning::Marker { .. })).count();
        self.own.len() <= MAX_OWN
            && markers <= MAX_MARKERS
            && self.own.iter().enumerate().all(|(place, (name, meaning))| {
                let is_printable = name.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
                let is_registered = self.registered_as(name).is_some();
                let is_double = self.own.iter().take(place).any(|(earlier, earlier_meaning)| {
                    strict::is_spelling_of(earlier, name) || claim(earlier_meaning) & claim(meaning) != 0
                });
                (1..=MAX_NAME).contains(&name.len()) && is_printable && !is_registered && !is_double
            })
    }

    pub(crate) fn has_markers(&self) -> bool {
        self.own.iter().any(|(_, meaning)| !matches!(meaning, Meaning::Claim(_)))
    }

    pub(super) const fn markers(&self) -> u8 {
        self.markers
    }

    pub(super) fn find(&self, name: &str) -> Found<'_> {
        if let Some(found) = Name::named(name)
            && self.registered & found.bit() != 0
        {
            return Found::Claim(found, Spelling::Registered);
        }
        match self.own.iter().find(|(own, _)| **own == *name) {
            Some((_, Meaning::Claim(name))) => Found::Claim(*name, Spelling::Own),
            Some((_, Meaning::Marker { bit, value })) => Found::Marker { bit: *bit, value },
            Some((_, Meaning::Forbidden)) => Found::Forbidden,
            None => Found::Unknown,
        }
    }

    /// Whether a name is one that is read, in any letter case.
    pub(crate) fn is_spelling_of_any(&self, name: &str) -> bool {
        let is_own = || self.own.iter().any(|(own, _)| strict::is_spelling_of(name, own));
        self.registered_as(name).is_some() || is_own()
    }

    /// Whether a name that [`Names::find`] does not know is one that is read, in another letter case.
    pub(super) fn is_other_spelling_of_any(&self, unknown: &str) -> bool {
        let is_own = || self.own.iter().any(|(own, _)| strict::is_spelling_of(unknown, own));
        // Registered names are lower-case, so that one which is lower-case as well has been looked for already.
        (!strict::is_lower_case(unknown) && self.registered_as(unknown).is_some()) || is_own()
    }

    fn registered_as(&self, name: &str) -> Option<Name> {
        // Registered names are lower-case, and so are most others.
        if strict::is_lower_case(name) {
            return Name::named(name).filter(|known| self.registered & known.bit() != 0);
        }
        let read = |known: &&Name| self.registered & known.bit() != 0;
        let found = Name::ALL.iter().filter(read).find(|known| strict::is_spelling_of(name, known.name()));
        found.copied()
    }
}

/// Most members of an issuer's own.
const MAX_OWN: usize = 16;

/// Longest name of such a member, in bytes.
const MAX_NAME: usize = 128;

/// Most markers: one bit each.
const MAX_MARKERS: usize = 8;
