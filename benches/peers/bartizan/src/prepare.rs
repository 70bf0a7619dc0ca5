//! The input of everybody: new keys, and tokens signed by AWS-LC itself, so by no library of those compared.

use std::{collections::BTreeMap, error::Error};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    hmac, rand,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose};
use peer_bench::{Claims, Family, Input, Key, LIFETIME, Tokens, now, random_id};
use serde_json::json;

const KID: &str = "2026-11";

type Sign<'s> = &'s dyn Fn(&[u8]) -> Result<Vec<u8>, Box<dyn Error>>;

/// A key for each algorithm; both RSA algorithms take the same one, of 2048 bits as most issuers have.
pub(crate) fn input() -> Result<Input, Box<dyn Error>> {
    let random = rand::SystemRandom::new();
    let claims = claims();
    let mut keys = BTreeMap::new();
    let mut add = |algorithm: &str, family, private: String, public: String, sign: Sign<'_>| {
        let tokens = tokens(algorithm, &claims, sign)?;
        let key = Key { kid: KID.to_owned(), family, private, public, tokens };
        keys.insert(algorithm.to_owned(), key);
        Ok::<_, Box<dyn Error>>(())
    };

    let mut secret = [0; 32];
    rand::fill(&mut secret)?;
    let mac = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    add("HS256", Family::Hmac, base64url(&secret), String::new(), &|signed| {
        Ok(hmac::sign(&mac, signed).as_ref().to_vec())
    })?;

    let pair = Ed25519KeyPair::generate()?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    let private = private_pem(pair.to_pkcs8v1()?.as_ref());
    add("EdDSA", Family::Ed25519, private, public_pem(public.as_ref()), &|signed| {
        Ok(pair.sign(signed).as_ref().to_vec())
    })?;

    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    let private = private_pem(pair.to_pkcs8v1()?.as_ref());
    add("ES256", Family::P256, private, public_pem(public.as_ref()), &|signed| {
        Ok(pair.sign(&random, signed)?.as_ref().to_vec())
    })?;

    let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    let private: Pkcs8V1Der<'_> = pair.as_der()?;
    for (algorithm, padding) in
        [("RS256", &signature::RSA_PKCS1_SHA256), ("PS256", &signature::RSA_PSS_SHA256)]
    {
        add(algorithm, Family::Rsa, private_pem(private.as_ref()), public_pem(public.as_ref()), &|signed| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &random, signed, &mut signature)?;
            Ok(signature)
        })?;
    }
    Ok(Input { claims, keys })
}

fn claims() -> Claims {
    let iat = now();
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Claims {
        iss: "https://auth.example.org".to_owned(),
        sub: "0192f7c2-5b1e-7c3a-9d4e-8f60a1b2c3d4".to_owned(),
        aud: "https://api.example.org".to_owned(),
        client_id: "web".to_owned(),
        jti: random_id(),
        iat,
        // As long as a run of the driver lasts, and no longer than access tokens may live.
        exp: iat + 4 * LIFETIME,
        tenant: "north".to_owned(),
        roles: owned(&["doctor"]),
        email: "ada@example.org".to_owned(),
        permissions: owned(&["patient:read", "patient:update", "order:read", "order:write"]),
    }
}

fn tokens(algorithm: &str, claims: &Claims, sign: Sign<'_>) -> Result<Tokens, Box<dyn Error>> {
    let token = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims.clone();
        change(&mut claims);
        let header = serde_json::to_vec(&json!({ "alg": algorithm, "typ": "at+jwt", "kid": KID }))?;
        let signed = format!("{}.{}", base64url(&header), base64url(&serde_json::to_vec(&claims)?));
        let signature = sign(signed.as_bytes())?;
        Ok::<_, Box<dyn Error>>(format!("{signed}.{}", base64url(&signature)))
    };
    let good = token(&|_| ())?;
    let other = token(&|claims| claims.sub.replace_range(0..1, "1"))?;
    // The claims of one token with the signature of another, which differ in one character.
    let (signed, _) = other.rsplit_once('.').ok_or("no token")?;
    let (_, signature) = good.rsplit_once('.').ok_or("no token")?;
    Ok(Tokens {
        forged: format!("{signed}.{signature}"),
        expired: token(&|claims| {
            claims.iat -= 7200 + LIFETIME;
            claims.exp = claims.iat + LIFETIME;
        })?,
        elsewhere: token(&|claims| claims.aud.push('x'))?,
        impostor: token(&|claims| claims.iss.push('x'))?,
        good,
    })
}

fn base64url(bytes: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn private_pem(der: &[u8]) -> String {
    pem("PRIVATE KEY", der)
}

fn public_pem(der: &[u8]) -> String {
    pem("PUBLIC KEY", der)
}

/// RFC 7468: 64 characters a line.
fn pem(label: &str, der: &[u8]) -> String {
    let body = general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = (0..body.len()).step_by(64).map(|at| &body[at..body.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
