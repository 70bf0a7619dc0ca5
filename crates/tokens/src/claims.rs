//! Claims as they are read: one pass, in place, each type checked (RFC 7519 §4, RFC 9068 §2.2). Whether they are good is
//! for `validate` to say.

mod events;
mod names;

use self::names::Found;
pub(crate) use self::names::Names;
use crate::{
    Error, ErrorKind, Limits,
    scan::{Read, Record, Scanner, Stop},
    strict::{self, Known, members},
    text::{Text, Texts},
};

/// What a claims text says. Proves nothing.
#[derive(Clone, Default)]
pub(crate) struct Claims {
    /// Which claims are there: a set of [`Known::bit`].
    pub(crate) present: u32,
    pub(crate) issuer: Option<Text>,
    pub(crate) subject: Option<Text>,
    pub(crate) audience: Texts,
    pub(crate) expires: i64,
    pub(crate) not_before: Option<i64>,
    pub(crate) issued_at: i64,
    pub(crate) jti: Option<Text>,
    pub(crate) client_id: Option<Text>,
    pub(crate) optional: Optional,
    /// Of tokens that are no access tokens.
    pub(crate) openid: OpenId,
}

/// The claims that a token may do without, beside `nbf`.
#[derive(Clone, Copy, Default)]
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

/// The claims of ID tokens alone (OpenID Connect Core 1.0 §2).
#[derive(Clone, Copy, Default)]
pub(crate) struct OpenId {
    pub(crate) nonce: Option<Text>,
    pub(crate) authorized_party: Option<Text>,
    pub(crate) access_token_hash: Option<Text>,
    pub(crate) code_hash: Option<Text>,
}

/// Whether an access token to be issued must not bring this claim as one of its own: the library writes it, reads it, or
/// means something by it.
pub(crate) fn is_registered(name: &str) -> bool {
    Names::of_access_tokens().is_spelling_of_any(name)
}

impl Claims {
    /// Reads claims into these, which are empty: they are large to be moved. `record` is told of every member. Answers what
    /// has to stand behind the text: see [`ClaimsText`](crate::text::ClaimsText).
    pub(crate) fn read(
        &mut self,
        json: &str,
        names: &Names,
        limits: &Limits,
        record: &mut impl Record,
    ) -> Result<String, Error> {
        Scanner::read(json, limits.values, limits.depth, |scan| {
            self.scan(scan, names, limits.audiences, record)?;
            Ok(std::mem::take(&mut scan.unescaped))
        })
    }
}

members! {
    pub(crate) enum Name {
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
        Nonce = "nonce",
        AuthorizedParty = "azp",
        AccessTokenHash = "at_hash",
        CodeHash = "c_hash",
        Events = "events",
    }
}

/// Most roles, and most groups; as many as a principal has at most.
pub(crate) const MAX_GROUPS: usize = 64;

/// Most authentication methods.
pub(crate) const MAX_METHODS: usize = 16;

/// 9999-12-31T23:59:59Z.
const LAST_DATE: u64 = 253_402_300_799;

impl Claims {
    fn scan(
        &mut self,
        scan: &mut Scanner<'_>,
        names: &Names,
        audiences: usize,
        record: &mut impl Record,
    ) -> Read<()> {
        let mut others = strict::Names::new();
        let (mut markers, mut is_another_kind) = (0, false);
        let mut object = scan.object()?;
        while let Some(text) = scan.key(&mut object)? {
            let found = names.find(&text);
            record.member(scan, &text, found.registered())?;
            let (name, spelling) = match found {
                Found::Claim(name, spelling) => (name, spelling),
                other => {
                    // SECURITY: one name in two letter cases is two claims to some readers and one to others.
                    Scanner::check_name(&text)?;
                    if matches!(other, Found::Unknown) && names.is_other_spelling_of_any(&text)
                        || !others.insert(text)
                    {
                        return Err(Stop::Refused(ErrorKind::Duplicate));
                    }
                    scan.colon()?;
                    match other {
                        Found::Marker { bit, value } => {
                            if scan.says(value)? {
                                markers |= bit;
                            }
                        }
                        Found::Forbidden => {
                            is_another_kind = true;
                            scan.skip()?;
                        }
                        _ => scan.skip()?,
                    }
                    continue;
                }
            };
            scan.about = Some(name.name());
            if self.present & name.bit() != 0 {
                return Err(Stop::Refused(ErrorKind::Duplicate));
            }
            self.present |= name.bit();
            scan.colon()?;
            let optional = &mut self.optional;
            let place = match name {
                Name::Issuer => &mut self.issuer,
                Name::Subject => &mut self.subject,
                Name::TokenId => &mut self.jti,
                Name::Client => &mut self.client_id,
                Name::Tenant => &mut optional.tenant,
                Name::Session => &mut optional.session,
                Name::ContextClass => &mut optional.acr,
                Name::Nonce => &mut self.openid.nonce,
                Name::AuthorizedParty => &mut self.openid.authorized_party,
                Name::AccessTokenHash => &mut self.openid.access_token_hash,
                Name::CodeHash => &mut self.openid.code_hash,
                _ => {
                    self.scan_other(name, spelling, scan, audiences)?;
                    continue;
                }
            };
            *place = Some(scan.name()?);
        }
        if is_another_kind || markers != names.markers() {
            return Err(Stop::Refused(ErrorKind::Type));
        }
        // SECURITY: whoever stole a bound token must not get in where bindings are not checked (RFC 9449 §7.2, RFC 8705 §3).
        if self.present & Name::Confirmation.bit() != 0 {
            return Err(Stop::Refused(ErrorKind::Bound));
        }
        Ok(())
    }

    /// Reads the value of a claim that is not one name.
    fn scan_other(
        &mut self,
        name: Name,
        spelling: Spelling,
        scan: &mut Scanner<'_>,
        audiences: usize,
    ) -> Read<()> {
        let optional = &mut self.optional;
        match name {
            Name::Audience => self.audience = scan.name_or_names(audiences)?,
            Name::Expires => self.expires = date(scan)?,
            Name::NotBefore => self.not_before = Some(date(scan)?),
            Name::IssuedAt => self.issued_at = date(scan)?,
            Name::Roles => optional.roles = groups(scan, spelling)?,
            Name::Groups => optional.groups = groups(scan, spelling)?,
            Name::Methods => optional.amr = scan.names(MAX_METHODS)?,
            Name::AuthTime => optional.auth_time = Some(date(scan)?),
            Name::Actor => {
                let (subject, issuer) = actor(scan)?;
                (optional.actor, optional.actor_issuer) = (Some(subject), issuer);
            }
            Name::Events => events::scan(scan)?,
            Name::Confirmation => scan.skip()?,
            // INVARIANT(single-names): read where this is called.
            Name::Issuer
            | Name::Subject
            | Name::TokenId
            | Name::Client
            | Name::Tenant
            | Name::Session
            | Name::ContextClass
            | Name::Nonce
            | Name::AuthorizedParty
            | Name::AccessTokenHash
            | Name::CodeHash => return Err(Stop::WrongType),
        }
        Ok(())
    }
}

/// Under which name a claim was found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The standard's, or this library's.
    Registered,
    /// The issuer's own.
    Own,
}

/// Roles or groups: under a name of the issuer's own one text as well.
fn groups(scan: &mut Scanner<'_>, spelling: Spelling) -> Read<Texts> {
    match spelling {
        Spelling::Own => scan.name_or_names(MAX_GROUPS),
        Spelling::Registered => scan.names(MAX_GROUPS),
    }
}

/// Whole seconds from 1970 to 9999. RFC 7519 §2 allows fractions and any magnitude; nobody needs them, and parsers disagree
/// about them. Refused are `1.0` and `1e9` as well.
pub(crate) fn date(scan: &mut Scanner<'_>) -> Read<i64> {
    let seconds = scan.whole_number()?;
    let date = i64::try_from(seconds).ok().filter(|_| seconds <= LAST_DATE);
    date.ok_or(Stop::WrongType)
}

/// Who acts: the `sub` of an `act` object, and its `iss` if it has one. What an inner `act` says is history and no party to a decision (RFC 8693 §4.1).
fn actor(scan: &mut Scanner<'_>) -> Read<(Text, Option<Text>)> {
    let about = scan.about;
    let (mut subject, mut issuer) = (None, None);
    let mut seen = scan.members()?;
    while let Some(name) = scan.next(&mut seen)? {
        match name {
            Some(ActorName::Subject) => {
                scan.about = about;
                subject = Some(scan.name()?);
            }
            Some(ActorName::Issuer) => {
                scan.about = about;
                issuer = Some(scan.name()?);
            }
            None => scan.skip()?,
        }
    }
    scan.about = about;
    Ok((subject.ok_or(Stop::WrongType)?, issuer))
}

members! {
    enum ActorName {
        Subject = "sub",
        Issuer = "iss",
    }
}

#[cfg(test)]
mod tests;
