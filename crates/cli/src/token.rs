//! `bartizan token` and `bartizan jws`.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::Write as _,
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use bartizan::{
    core::{Clock, Entropy, RawToken, SecretText, json, os},
    tokens::{Error, KeySet, Limits, Verifier, jws},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::IgnoredAny};

use crate::{
    args::{Alg, Jws, Token},
    input::{self, Line, Lines},
    key_file,
    outcome::{Answers, Ended, Outcome, Unusable, note, say},
};

/// What a claims file may hold.
const CLAIMS: json::Limits = json::Limits { bytes: 6 * 1024, depth: 16, values: 512 };

pub(crate) fn run(command: &Token) -> Ended {
    match command {
        Token::Sign { key, alg, claims, typ } => sign(key, *alg, claims, typ),
        Token::Verify { issuer, audience, keys, alg, leeway, batch } => {
            let verifier = verifier(issuer, audience, key_file::believed(keys, *alg)?, *leeway)?;
            judge(*batch, |token| {
                let verified = verifier.verify(RawToken::new(token))?;
                Ok(Verdict::Claims(one_line(verified.claims_json()).into_owned()))
            })
        }
    }
}

pub(crate) fn run_jws(command: &Jws) -> Ended {
    match command {
        Jws::Verify { keys, alg, batch } => {
            let keys = key_file::believed(keys, *alg)?;
            judge(*batch, |token| {
                let payload = jws::verify(&keys, RawToken::new(token), &Limits::DEFAULT)?;
                Ok(Verdict::Payload(URL_SAFE_NO_PAD.encode(payload.as_bytes())))
            })
        }
    }
}

/// What is said of one token.
enum Verdict {
    /// The claims, JSON on one line.
    Claims(String),
    /// The payload, base64url.
    Payload(String),
    /// By a word that never changes.
    Refused(&'static str),
}

impl Verdict {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Claims(claims) => write!(out, r#"{{"ok":true,"claims":{claims}}}"#),
            Self::Payload(payload) => write!(out, r#"{{"ok":true,"payload":"{payload}"}}"#),
            Self::Refused(code) => write!(out, r#"{{"ok":false,"code":"{code}"}}"#),
        }
    }
}

/// One verdict on stdin, or one for each line of it.
fn judge(batch: bool, verify: impl Fn(&str) -> Result<Verdict, Error>) -> Ended {
    let verdict =
        |text: &str| verify(&input::token(text)).unwrap_or_else(|error| Verdict::Refused(error.code()));
    let mut answers = Answers::new();
    if batch {
        let mut lines = Lines::of(io::stdin().lock());
        while let Some(line) = lines.next()? {
            let verdict = match line {
                Line::Text(text) => verdict(text),
                Line::TooLong => Verdict::Refused("too_large"),
                Line::NotUtf8 => Verdict::Refused("malformed"),
            };
            answers.write(|out| verdict.write(out))?;
            // Whoever sends one line and waits for its verdict gets it.
            if !lines.is_next_at_hand() {
                answers.flush()?;
            }
        }
        return Ok(Outcome::Done);
    }
    let verdict = match input::stdin_within_limit()? {
        Some(bytes) => match std::str::from_utf8(bytes.expose()) {
            Ok(text) => verdict(input::without_newline(text)),
            Err(_) => Verdict::Refused("malformed"),
        },
        None => Verdict::Refused("too_large"),
    };
    answers.write(|out| verdict.write(out))?;
    answers.flush()?;
    Ok(if matches!(verdict, Verdict::Refused(_)) { Outcome::Refused } else { Outcome::Done })
}

fn verifier(issuer: &str, audience: &str, keys: KeySet, leeway: u64) -> Result<Verifier, Unusable> {
    Verifier::access_tokens(issuer, audience, keys, Arc::new(os::SystemClock))
        .and_then(|verifier| verifier.leeway(Duration::from_secs(leeway)))
        .and_then(|verifier| verifier.max_lifetime(Duration::from_secs(24 * 60 * 60)))
        .map_err(|error| Unusable::of("issuer, audience or leeway", error))
}

/// Claims as the issuer wrote them, on one line whatever reads it. In valid JSON line breaks and tabs stand between tokens,
/// and everything else that is escaped here stands in a string.
fn one_line(claims: &str) -> Cow<'_, str> {
    if claims.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(claims);
    }
    let mut line = String::with_capacity(claims.len());
    for c in claims.chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    Cow::Owned(line)
}

#[derive(Serialize)]
struct Signed<'a> {
    token: &'a str,
}

fn sign(key: &Path, alg: Option<Alg>, claims: &Path, typ: &str) -> Ended {
    let key = key_file::private(key, alg)?;
    let file = input::file_or_stdin(claims)?;
    let members: HashMap<String, IgnoredAny> =
        json::read(file.expose(), &CLAIMS).map_err(|error| Unusable::of(claims.display(), error))?;
    let payload = completed(file.expose(), &members)?;
    let token = jws::sign(&key, Some(typ), payload.expose().as_bytes())
        .map_err(|error| Unusable::of("the token", error))?;
    let absent: Vec<&str> = REQUIRED.into_iter().filter(|name| !members.contains_key(*name)).collect();
    if typ == "at+jwt" && !absent.is_empty() {
        note(format_args!(
            "no access token without {} (RFC 9068); it was signed as it stands",
            absent.join(", ")
        ));
    }
    say(&Signed { token: token.expose() })?;
    Ok(Outcome::Done)
}

/// The claims of RFC 9068 §2.2 that are not filled in.
const REQUIRED: [&str; 5] = ["iss", "exp", "aud", "sub", "client_id"];

/// The claims as they stand, numbers and order included, with `iat` and `jti` at the end when they are absent.
fn completed(claims: &[u8], members: &HashMap<String, IgnoredAny>) -> Result<SecretText, Unusable> {
    let mut more = Vec::new();
    if !members.contains_key("iat") {
        more.push(format!(r#""iat":{}"#, os::SystemClock.wall().as_secs()));
    }
    if !members.contains_key("jti") {
        let mut id = [0; 16];
        os::OsEntropy.fill(&mut id).map_err(Unusable::new)?;
        more.push(format!(r#""jti":"{}""#, URL_SAFE_NO_PAD.encode(id)));
    }
    // INVARIANT(claims-object): what was read as an object is UTF-8 and ends with its brace.
    let claims = std::str::from_utf8(claims).map_err(|_| Unusable::new("the claims are not UTF-8"))?.trim();
    let open = claims.strip_suffix('}').unwrap_or(claims);
    let comma = if members.is_empty() || more.is_empty() { "" } else { "," };
    Ok(SecretText::new(format!("{open}{comma}{}}}", more.join(","))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn claims_stay_as_they_stand() {
        let read = |text: &str| json::read(text.as_bytes(), &CLAIMS).unwrap();
        let whole = r#"{"jti":"1", "iat":1,"n":12345678901234567890123, "e":1.50e1}"#;
        assert_eq!(completed(whole.as_bytes(), &read(whole)).unwrap().expose(), whole);
        let with_iat = "\n{\"iat\":1,\"n\":1.0 }\n";
        let signed = completed(with_iat.as_bytes(), &read(with_iat)).unwrap();
        assert!(signed.expose().starts_with("{\"iat\":1,\"n\":1.0 ,\"jti\":\""), "{}", signed.expose());
        let empty: Value = serde_json::from_str(completed(b"{}", &read("{}")).unwrap().expose()).unwrap();
        assert!(empty["iat"].is_u64() && empty["jti"].is_string());
    }

    #[test]
    fn nothing_in_claims_ends_a_line() {
        let claims = "{\r\n\t\"a\":\"b\u{2028}c\u{85}d\u{202e}e\u{7f}é\"\n}";
        let line = one_line(claims);
        assert_eq!(line, r#"{   "a":"b\u2028c\u0085d\u202ee\u007fé" }"#);
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            serde_json::from_str::<Value>(claims).unwrap()
        );
    }

    proptest! {
        #[test]
        fn claims_on_one_line_say_the_same(name in ".{0,20}", value in ".{0,40}", n in any::<f64>()) {
            let claims = serde_json::json!({ name: [value, n] });
            let pretty = serde_json::to_string_pretty(&claims).unwrap();
            let line = one_line(&pretty);
            let ends = line.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
            prop_assert!(!ends);
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), serde_json::from_str::<Value>(&pretty).unwrap());
        }
    }
}
