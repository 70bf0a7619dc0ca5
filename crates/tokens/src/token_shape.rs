//! What an issuer's tokens look like where that is not what the standards say.

use crate::{
    Error, ErrorKind,
    claims::{Claims, Name, Names},
    names::is_name,
    strict::Known,
    text::Text,
};

/// What the tokens of one issuer look like: their `typ`, the names of their claims, and what tells them from its other
/// tokens. Needed only for issuers that follow no standard; everything that a shape doesn't mention is as the profile says.
///
/// ```
/// use bartizan_tokens::{Dispensable, TokenShape};
///
/// // {"userId": "…", "role": "user", "permissions": […], "iat": …, "exp": …, "iss": "auth-service", "aud": "api"}; refresh
/// // tokens of the same service have "type": "refresh".
/// let shape = TokenShape::access_tokens(["JWT"])
///     .subject("userId")
///     .token_id("tokenId")
///     .roles("role")
///     .without("type")
///     .danger_without(Dispensable::TokenId)
///     .danger_without(Dispensable::ClientId);
/// ```
///
/// A claim that has another name is read under that name alone; the standard's name then means nothing. Roles and groups
/// under a name of the issuer's own may be one text or a list. Permissions inside a token stay without meaning here: what a
/// role may do is the policy's to say.
///
/// # Security
/// The type `at+jwt` is what keeps an issuer's other tokens from being used as access tokens. A shape of access tokens with
/// another type, or none, has to name what does so instead ([`TokenShape::with`], [`TokenShape::without`]), or no verifier
/// takes it (RFC 8725 §3.11, §3.12).
///
/// Tenant, roles and groups decide what somebody may do: name only claims for them that the issuer writes and its users can't.
/// (The custom attributes of a Cognito pool are writable by its users unless the app client says otherwise.)
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenShape {
    profile: Profile,
    names: Names,
    types: Vec<Box<str>>,
    untyped: bool,
    required: u32,
    audience: AudienceClaim,
}

/// A claim that a token of RFC 9068 has and that an issuer of its own kind may leave away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dispensable {
    /// `client_id`.
    ClientId,
    /// `jti`. Such a token can't be revoked by its id.
    TokenId,
}

/// What a verifier is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Access,
    Id,
    Logout,
}

/// Which claim says for whom a token is.
#[derive(Clone, Copy, Debug)]
enum AudienceClaim {
    Audience,
    /// `aud`, or `client_id` in a token without.
    AudienceOrClient,
}

impl TokenShape {
    /// Access tokens whose `typ` is one of these, compared as media types are: in any letter case, with `application/` before
    /// it or not. With no type here, none is accepted unless [`TokenShape::or_untyped`].
    pub fn access_tokens<S: Into<Box<str>>>(types: impl IntoIterator<Item = S>) -> Self {
        Self::custom(Profile::Access, types)
    }

    /// ID tokens whose `typ` is one of these.
    pub fn id_tokens<S: Into<Box<str>>>(types: impl IntoIterator<Item = S>) -> Self {
        Self::custom(Profile::Id, types)
    }

    /// Logout tokens whose `typ` is one of these.
    pub fn logout_tokens<S: Into<Box<str>>>(types: impl IntoIterator<Item = S>) -> Self {
        Self::custom(Profile::Logout, types)
    }

    /// Access tokens of Amazon Cognito user pools: `token_use` is `access`, no `typ`, groups in `cognito:groups`, the session in
    /// `origin_jti`, and for whom it is in `aud` if there is one, else in `client_id`: pass the app client's id as the audience.
    pub fn cognito_access_tokens() -> Self {
        let mut shape = Self::access_tokens(["JWT"]).or_untyped();
        shape.audience = AudienceClaim::AudienceOrClient;
        shape.required &= !Name::Audience.bit();
        shape.with("token_use", "access").groups("cognito:groups").session("origin_jti")
    }

    /// ID tokens of Amazon Cognito user pools: `token_use` is `id`, groups in `cognito:groups`, the session in `origin_jti`.
    pub fn cognito_id_tokens() -> Self {
        let shape = Self::id_tokens(["JWT"]).or_untyped();
        shape.with("token_use", "id").groups("cognito:groups").session("origin_jti")
    }

    fn custom<S: Into<Box<str>>>(profile: Profile, types: impl IntoIterator<Item = S>) -> Self {
        let standard = Self::of(profile);
        let types = types.into_iter().map(Into::into).collect();
        Self { types, untyped: false, ..standard }
    }

    /// What the standard says.
    pub(crate) fn of(profile: Profile) -> Self {
        let of_all = Name::Issuer.bit() | Name::Audience.bit() | Name::Expires.bit() | Name::IssuedAt.bit();
        let (names, types, untyped, more): (_, &[&str], _, _) = match profile {
            // RFC 9068 §2.2, §4.
            Profile::Access => (
                Names::of_access_tokens(),
                &["at+jwt"],
                false,
                Name::Subject.bit() | Name::TokenId.bit() | Name::Client.bit(),
            ),
            // OpenID Connect Core 1.0 §2. It gives ID tokens no type of their own.
            Profile::Id => (Names::of_id_tokens(), &["JWT"], true, Name::Subject.bit()),
            // Back-Channel Logout 1.0 §2.4.
            Profile::Logout => {
                (Names::of_logout_tokens(), &["logout+jwt"], false, Name::TokenId.bit() | Name::Events.bit())
            }
        };
        Self {
            profile,
            names,
            types: types.iter().map(|typ| Box::from(*typ)).collect(),
            untyped,
            required: of_all | more,
            audience: AudienceClaim::Audience,
        }
    }

    /// Also tokens without `typ`.
    pub const fn or_untyped(mut self) -> Self {
        self.untyped = true;
        self
    }

    /// Only tokens in which this member is this text are of this kind: `.with("token_use", "access")`. At most eight.
    pub fn with(mut self, member: impl Into<Box<str>>, value: impl Into<Box<str>>) -> Self {
        self.names.require(member.into(), value.into());
        self
    }

    /// Tokens that have this member, whatever its value, are of another kind: `.without("type")`.
    pub fn without(mut self, member: impl Into<Box<str>>) -> Self {
        self.names.forbid(member.into());
        self
    }

    /// The subject (`sub`) has this name.
    pub fn subject(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::Subject, name)
    }

    /// The token's id (`jti`) has this name.
    pub fn token_id(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::TokenId, name)
    }

    /// The client (`client_id`) has this name: `azp` with some issuers. Access tokens only.
    pub fn client_id(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::Client, name)
    }

    /// The tenant (`tenant`) has this name.
    pub fn tenant(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::Tenant, name)
    }

    /// The session (`sid`) has this name.
    pub fn session(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::Session, name)
    }

    /// Roles (`roles`) have this name, and are one text or a list.
    pub fn roles(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::Roles, name)
    }

    /// Groups (`groups`) have this name, and are one text or a list.
    pub fn groups(self, name: impl Into<Box<str>>) -> Self {
        self.named(Name::Groups, name)
    }

    /// Also tokens without this claim.
    ///
    /// # Security
    /// A token without an id is revoked with its session or subject only, and a used one can't be told from another.
    pub const fn danger_without(mut self, claim: Dispensable) -> Self {
        let name = match claim {
            Dispensable::ClientId => Name::Client,
            Dispensable::TokenId => Name::TokenId,
        };
        self.required &= !(1 << (name as u32));
        self
    }

    fn named(mut self, claim: Name, name: impl Into<Box<str>>) -> Self {
        self.names.map(claim, name.into());
        self
    }

    /// # Errors
    /// [`ErrorKind::Config`] when it is a shape of other tokens than the profile's, accepts no type, has a name that is unprintable
    /// or used twice, or doesn't say what tells access tokens from others.
    pub(crate) fn checked(self, profile: Profile) -> Result<Self, Error> {
        let is_typed = self.types.iter().all(|typ| is_name(typ)) && (self.untyped || !self.types.is_empty());
        let says_access = || !self.untyped && self.types.iter().all(|typ| is_type(typ, "at+jwt"));
        let is_told_apart = self.profile != Profile::Access || says_access() || self.names.has_markers();
        if self.profile == profile && is_typed && is_told_apart && self.names.are_clear() {
            Ok(self)
        } else {
            Err(ErrorKind::Config.into())
        }
    }

    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    /// Whether a header's `typ` is that of these tokens (RFC 7515 §4.1.9).
    pub(crate) fn has_type(&self, typ: Option<&str>) -> bool {
        match typ {
            Some(typ) => self.types.iter().any(|expected| is_type(typ, expected)),
            None => self.untyped,
        }
    }

    /// The first claim that is required and absent.
    pub(crate) fn missing(&self, claims: &Claims) -> Option<&'static str> {
        let missing = self.required & !claims.present;
        let missing = |name: &&Name| missing & name.bit() != 0;
        Name::ALL.iter().find(missing).map(|name| name.name())
    }

    /// Whether the token is for this audience; equal byte by byte, as one of those that it names.
    pub(crate) fn is_for(&self, claims: &Claims, json: &str, audience: &str) -> bool {
        let is = |text: &Text| text.read(json) == audience;
        match self.audience {
            AudienceClaim::AudienceOrClient if claims.present & Name::Audience.bit() == 0 => {
                claims.client_id.as_ref().is_some_and(is)
            }
            _ => claims.audience.have(audience, json),
        }
    }
}

fn is_type(typ: &str, expected: &str) -> bool {
    let is_written_out = || {
        let bare = typ.get(..PREFIX.len()).filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
        bare.and_then(|_| typ.get(PREFIX.len()..)).is_some_and(|bare| bare.eq_ignore_ascii_case(expected))
    };
    typ.eq_ignore_ascii_case(expected) || is_written_out()
}

const PREFIX: &str = "application/";
