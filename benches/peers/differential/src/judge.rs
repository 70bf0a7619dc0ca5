//! What both say about a token.

use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

use bartizan_compat_jsonwebtoken::{self as compat, Engine, convert};
use bartizan_core::{RawToken, os};
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_tokens::{Asked, IdTokenVerifier, Verifier};
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde_json::Value;

use crate::keys::{self, Keys};

pub(crate) const ISSUER: &str = "https://auth.example.org";
pub(crate) const AUDIENCE: &str = "https://api.example.org";

/// Both libraries allow clocks to differ by this.
const LEEWAY: Duration = Duration::from_secs(30);

pub(crate) struct Judge<'k> {
    /// By the algorithm's name: all of ours that have its key, for access tokens and for ID tokens.
    access: BTreeMap<&'static str, Vec<Verifier>>,
    id: BTreeMap<&'static str, Vec<IdTokenVerifier>>,
    /// Their calls on our engine, with their own keys.
    compat: BTreeMap<&'static str, compat::DecodingKey>,
    theirs: BTreeMap<&'static str, (&'k DecodingKey, Validation)>,
}

/// The claims, or in a word why not.
pub(crate) type Answer = Result<Value, String>;

pub(crate) struct Compared {
    /// The first of ours that accepts; if none, why the first one for access tokens refuses.
    pub(crate) ours: Answer,
    pub(crate) theirs: Answer,
    /// Their calls on our engine: what they know nothing of, such as `typ` and `tenant`, this does not judge either. So it is
    /// held to theirs alone, and to no list of attacks.
    pub(crate) compat: Answer,
    /// Both accept and read something else.
    pub(crate) differs: Option<String>,
}

impl<'k> Judge<'k> {
    pub(crate) fn new(keys: &'k Keys) -> Result<Self, Box<dyn Error>> {
        let (mut access, mut id) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for (name, set) in keys::our_sets(keys)? {
            let names = match name {
                Some(name) => vec![name],
                None => set.keys().map(|key| key.algorithm().name()).collect(),
            };
            for name in names {
                let clock = || Arc::new(os::SystemClock);
                access
                    .entry(name)
                    .or_default()
                    .push(Verifier::access_tokens(ISSUER, AUDIENCE, set.clone(), clock())?.leeway(LEEWAY)?);
                id.entry(name)
                    .or_default()
                    .push(IdTokenVerifier::new(ISSUER, AUDIENCE, set.clone(), clock())?.leeway(LEEWAY)?);
            }
        }
        let engine = Engine::new(Arc::new(AwsLc::new()), Arc::new(os::SystemClock)).danger_rsa_pkcs1();
        let mut compat = BTreeMap::new();
        for key in &keys.0 {
            let ours = convert::from_decoding_key(&engine, key.name.parse()?, Some(key.name), &key.theirs)?;
            compat.insert(key.name, compat::DecodingKey::from_verifying_key(&engine, ours)?);
        }
        let theirs = keys.0.iter().map(|key| (key.name, (&key.theirs, validation(key.name)))).collect();
        Ok(Self { access, id, compat, theirs })
    }

    /// Asks both about a token for a verifier that has the key of this algorithm.
    pub(crate) fn compare(&self, token: &str, algorithm: &str) -> Compared {
        let mut compared = self.once(token, algorithm);
        // At the exact second of an end the clock can tick between the two; that does not happen three times.
        for _ in 0..3 {
            if compared.ours.is_err() && compared.compat.is_err() || compared.theirs.is_ok() {
                break;
            }
            compared = self.once(token, algorithm);
        }
        compared
    }

    fn once(&self, token: &str, algorithm: &str) -> Compared {
        let theirs = self.theirs(token, algorithm);
        let compat = self.compat(token, algorithm);
        let mut ours: Vec<Answer> = Vec::new();
        let mut differs = None;
        for verifier in &self.access[algorithm] {
            ours.push(match verifier.verify(RawToken::new(token)) {
                Ok(verified) => {
                    let claims = read(verified.claims_json());
                    if verified.subject() != claims["sub"]
                        || verified.expires().as_secs() != claims["exp"].as_i64().unwrap_or(-1)
                        || !names(&claims["aud"]).eq(verified.audiences())
                        || verified.jti() != claims["jti"].as_str()
                    {
                        differs = Some("what we read is not what stands in the claims".to_owned());
                    }
                    Ok(claims)
                }
                Err(error) => Err(error.code().to_owned()),
            });
        }
        for verifier in &self.id[algorithm] {
            ours.push(match verifier.verify(RawToken::new(token), &Asked::without_nonce()) {
                Ok(verified) => Ok(read(verified.claims_json())),
                Err(error) => Err(error.code().to_owned()),
            });
        }
        // Both providers have to say the same, and a key among others accepts nothing that it refuses alone.
        let (one, other) = ours[..self.access[algorithm].len()].split_at(self.access[algorithm].len() / 2);
        let alone = |answers: &[Answer]| answers.first().is_some_and(Result::is_ok);
        if one != other || (one.iter().any(Result::is_ok) && !alone(one)) {
            differs = Some(format!("our providers or key sets disagree: {one:?} and {other:?}"));
        }
        if let (Ok(compat), Ok(theirs)) = (&compat, &theirs)
            && compat != theirs
        {
            differs = Some(format!("their calls on our engine read {compat}, they read {theirs}"));
        }
        if let Ok(theirs) = &theirs {
            if let Some(Ok(claims)) =
                ours.iter().find(|answer| answer.as_ref().is_ok_and(|claims| claims != theirs))
            {
                differs = Some(format!("we read {claims}, they read {theirs}"));
            }
        }
        let at = ours.iter().position(Result::is_ok).unwrap_or(0);
        Compared { ours: ours.swap_remove(at), theirs, compat, differs }
    }

    fn compat(&self, token: &str, algorithm: &str) -> Answer {
        let (_, validation) = &self.theirs[algorithm];
        match compat::decode::<Value>(token, &self.compat[algorithm], validation) {
            Ok(decoded) => Ok(decoded.claims),
            Err(error) => Err(error.code().to_owned()),
        }
    }

    fn theirs(&self, token: &str, algorithm: &str) -> Answer {
        let (key, validation) = &self.theirs[algorithm];
        match decode::<Value>(token, key, validation) {
            Ok(decoded) => Ok(decoded.claims),
            Err(error) => Err(format!("{:?}", error.kind())),
        }
    }
}

/// What jsonwebtoken's documentation says to set for what we check by default.
fn validation(name: &str) -> Validation {
    let mut validation = Validation::new(name.parse().expect("both know it"));
    validation.leeway = LEEWAY.as_secs();
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation
}

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

/// One text or a list of them.
fn names(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().into_iter().flatten();
    value.as_str().into_iter().chain(list.filter_map(Value::as_str))
}
