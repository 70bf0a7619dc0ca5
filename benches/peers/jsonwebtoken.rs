//! jsonwebtoken, the same code on both of its backends.

use std::error::Error;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use peer_bench::{Claims, Family, Input, Key, Side, der_of};

pub fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("the input's path is missing")?;
    peer_bench::run(&Input::read(&path)?, prepare)
}

fn prepare<'k>(input: &'k Input, algorithm: &'k str, key: &'k Key) -> Result<Side<'k>, Box<dyn Error>> {
    let algorithm: Algorithm = algorithm.parse()?;
    let (private, public) = (key.private.as_bytes(), key.public.as_bytes());
    let (signing, verifying) = match key.family {
        Family::Hmac => {
            let secret = der_of(&key.private);
            (EncodingKey::from_secret(&secret), DecodingKey::from_secret(&secret))
        }
        Family::Ed25519 => (EncodingKey::from_ed_pem(private)?, DecodingKey::from_ed_pem(public)?),
        Family::P256 => (EncodingKey::from_ec_pem(private)?, DecodingKey::from_ec_pem(public)?),
        Family::Rsa => (EncodingKey::from_rsa_pem(private)?, DecodingKey::from_rsa_pem(public)?),
    };
    // `exp` is checked by default, with 60 s of leeway. Its documentation: `iss` and `aud` are checked once they are set, and
    // demanded once they are required.
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[&input.claims.iss]);
    validation.set_audience(&[&input.claims.aud]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let header =
        Header { typ: Some("at+jwt".to_owned()), kid: Some(key.kid.clone()), ..Header::new(algorithm) };
    Ok(Side {
        verify: Box::new(move |token| {
            decode::<Claims>(token, &verifying, &validation)
                .is_ok_and(|token| token.claims.are_those_of(&input.claims.sub))
        }),
        issue: Box::new(move |show| {
            if let Ok(token) = encode(&header, &input.claims.renewed(), &signing) {
                show(&token);
            }
        }),
    })
}
