//! What a verified token says about somebody: shared by access and ID tokens.

use bartizan_core::UnixTime;

use crate::{
    Error, ErrorKind, Limits, TokenId, VerifyingKey,
    claims::{Claims, Names},
    scan::Record,
    text::{ClaimsText, Text, Texts},
    trusted_issuer::Tenancy,
    validate::Times,
};

/// Claims that were found good. What a verifier makes is this, in one piece: it is large to be moved.
#[derive(Clone)]
pub(crate) struct Facts {
    /// The claims, which the texts of `claims` are places in.
    pub(crate) json: ClaimsText,
    pub(crate) claims: Claims,
    pub(crate) times: Times,
    pub(crate) key: VerifyingKey,
    pub(crate) epoch: u64,
    pub(crate) tenancy: Tenancy,
}

/// What is known of a token whose signature holds before its claims are read.
pub(crate) struct Unjudged {
    pub(crate) json: String,
    pub(crate) key: VerifyingKey,
    pub(crate) epoch: u64,
    pub(crate) tenancy: Tenancy,
}

impl Facts {
    /// Nothing of the claims is known yet.
    #[inline]
    pub(crate) fn of(unjudged: Unjudged) -> Self {
        let Unjudged { json, key, epoch, tenancy } = unjudged;
        let json = ClaimsText::new(json);
        Self { json, claims: Claims::default(), times: Times::default(), key, epoch, tenancy }
    }

    /// Reads the claims in their place.
    pub(crate) fn read(
        &mut self,
        names: &Names,
        limits: &Limits,
        record: &mut impl Record,
    ) -> Result<(), Error> {
        let unescaped = self.claims.read(self.json.signed(), names, limits, record)?;
        self.json.append(&unescaped);
        Ok(())
    }

    /// INVARIANT(facts): every shape of access and ID tokens requires both names, so this does not fail.
    #[inline]
    pub(crate) fn check_names(&self) -> Result<(), Error> {
        let missing = match (&self.claims.issuer, &self.claims.subject) {
            (Some(_), Some(_)) => return Ok(()),
            (None, _) => "iss",
            (_, None) => "sub",
        };
        Err(Error::about(ErrorKind::MissingClaim, missing))
    }

    /// The bytes that it takes, all told.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.json.weight()
    }

    /// All claims, as the JSON that was signed.
    pub(crate) fn claims_json(&self) -> &str {
        self.json.signed()
    }

    pub(crate) fn id(&self) -> TokenId<'_> {
        TokenId {
            issuer: self.issuer(),
            jti: self.jti(),
            tenant: self.tenant(),
            subject: self.subject(),
            session: self.session(),
            issued_at: self.times.issued_at,
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        self.maybe(self.claims.issuer.as_ref()).unwrap_or_default()
    }

    pub(crate) fn subject(&self) -> &str {
        self.maybe(self.claims.subject.as_ref()).unwrap_or_default()
    }

    pub(crate) fn audiences(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.claims.audience)
    }

    pub(crate) fn jti(&self) -> Option<&str> {
        self.maybe(self.claims.jti.as_ref())
    }

    pub(crate) fn client_id(&self) -> Option<&str> {
        self.maybe(self.claims.client_id.as_ref())
    }

    pub(crate) fn tenant(&self) -> Option<&str> {
        match &self.claims.optional.tenant {
            Some(tenant) => Some(self.text(tenant)),
            None => self.tenancy.unnamed(),
        }
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.claims.optional.roles)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.claims.optional.groups)
    }

    pub(crate) fn session(&self) -> Option<&str> {
        self.maybe(self.claims.optional.session.as_ref())
    }

    pub(crate) fn acr(&self) -> Option<&str> {
        self.maybe(self.claims.optional.acr.as_ref())
    }

    pub(crate) fn amr(&self) -> impl Iterator<Item = &str> {
        self.texts(&self.claims.optional.amr)
    }

    pub(crate) fn auth_time(&self) -> Option<UnixTime> {
        self.claims.optional.auth_time.map(UnixTime::from_secs)
    }

    pub(crate) fn actor(&self) -> Option<&str> {
        self.maybe(self.claims.optional.actor.as_ref())
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.maybe(self.claims.openid.nonce.as_ref())
    }

    pub(crate) fn authorized_party(&self) -> Option<&str> {
        self.maybe(self.claims.openid.authorized_party.as_ref())
    }

    pub(crate) fn access_token_hash(&self) -> Option<&str> {
        self.maybe(self.claims.openid.access_token_hash.as_ref())
    }

    pub(crate) fn code_hash(&self) -> Option<&str> {
        self.maybe(self.claims.openid.code_hash.as_ref())
    }

    fn maybe(&self, text: Option<&Text>) -> Option<&str> {
        text.map(|text| self.text(text))
    }

    fn text(&self, text: &Text) -> &str {
        text.read(self.json.all())
    }

    fn texts(&self, texts: &Texts) -> impl Iterator<Item = &str> {
        texts.read(self.json.all())
    }
}
