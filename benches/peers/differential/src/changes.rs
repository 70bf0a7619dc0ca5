//! Tokens with none, one or some changes, by chance.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    judge::{AUDIENCE, ISSUER},
    keys::{Key, Keys},
    random::Random,
    token::{Draft, Members, base64url, quoted},
};

/// A token, the algorithm of the verifier that it is shown to, and what was done to it.
pub(crate) fn case(keys: &Keys, random: &mut Random) -> (&'static str, String, String) {
    let key = random.pick(&keys.0);
    let mut draft = Draft::good(key, now());
    let mut done: Vec<&'static str> = Vec::new();
    if random.once_in(4) {
        // An ID token, or any JWT.
        draft.header.set("typ", quoted("JWT"));
        done.push("typ JWT");
    }
    let changes = *random.pick(&[0, 1, 1, 1, 1, 2, 2, 3]);
    for _ in 0..changes {
        done.push(match random.below(10) {
            0..=2 => header(&mut draft.header, random, keys),
            3..=8 => claims(&mut draft.claims, random),
            _ => text(if random.once_in(2) { &mut draft.header } else { &mut draft.claims }, random),
        });
    }
    let signer = if random.once_in(30) { random.pick(&keys.0) } else { key };
    if signer.name != key.name {
        done.push("another key");
    }
    let mut token = draft.sign(signer);
    if random.once_in(4) {
        done.push(compact(&mut token, random, key));
    }
    (key.name, token, if done.is_empty() { "good".to_owned() } else { done.join(", ") })
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    i64::try_from(now).expect("before the year 292 billion")
}

fn header(header: &mut Members, random: &mut Random, keys: &Keys) -> &'static str {
    match random.below(12) {
        0 => {
            let other = random.pick(&keys.0).name;
            header.set("alg", quoted(other));
            "alg of another key"
        }
        1 => {
            let odd = [
                "\"none\"",
                "\"None\"",
                "\"\"",
                "null",
                "5",
                "[\"HS256\"]",
                "{}",
                "\"hs256\"",
                "\"HS256 \"",
                "\"ES512\"",
                "\"ES256K\"",
                "\"RSA-OAEP\"",
                "\"dir\"",
                "\"EdDSA\\u0000\"",
                "\"\\u0048S256\"",
                "true",
            ];
            header.set("alg", *random.pick(&odd));
            "odd alg"
        }
        2 => {
            let types = [
                "\"at+jwt\"",
                "\"AT+JWT\"",
                "\"application/at+jwt\"",
                "\"Application/At+Jwt\"",
                "\"JWT\"",
                "\"jwt\"",
                "\"JOSE\"",
                "\"logout+jwt\"",
                "\"\"",
                "null",
                "7",
                "[]",
                "\"at+jwt \"",
                "\"at\\u002bjwt\"",
            ];
            header.set("typ", *random.pick(&types));
            "another typ"
        }
        3 => {
            header.remove("typ");
            "no typ"
        }
        4 => {
            header.remove("kid");
            "no kid"
        }
        5 => {
            let kids = [
                "\"other\"",
                "\"\"",
                "null",
                "1",
                "\"../../dev/null\"",
                "\"' OR 1=1 --\"",
                "\"a\\u0000b\"",
                "\"\\ud83d\\ude00\"",
                "[]",
            ];
            header.set("kid", *random.pick(&kids));
            "another kid"
        }
        6 => {
            let other = random.pick(&keys.0).name;
            header.set("kid", quoted(other));
            "kid of another key"
        }
        7 => {
            let crits = [
                "[]",
                "[\"b64\"]",
                "[\"exp\"]",
                "[\"alg\"]",
                "[\"urn:x\"]",
                "null",
                "\"b64\"",
                "[1]",
                "[\"b64\",\"b64\"]",
                "{}",
            ];
            header.set("crit", *random.pick(&crits));
            "crit"
        }
        8 => {
            header.set("b64", *random.pick(&["false", "true", "null", "\"false\""]));
            "b64"
        }
        9 => {
            let names = [
                "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "cty", "zip", "enc", "url", "nonce", "apu",
                "p2c",
            ];
            let values = [
                "\"https://evil.example/jwks\"",
                "{}",
                "[]",
                "[\"MIIB\"]",
                "null",
                "1",
                "\"JWT\"",
                "\"DEF\"",
                "{\"kty\":\"oct\",\"k\":\"AA\"}",
            ];
            let name = *random.pick(&names);
            header.set(name, *random.pick(&values));
            "a registered parameter"
        }
        10 => {
            let value = value(random);
            header.set(*random.pick(&["x", "Alg", "KID", "tenant", "__proto__", "exp"]), value);
            "an unregistered parameter"
        }
        _ => {
            twice(header, random);
            "a parameter twice"
        }
    }
}

fn claims(claims: &mut Members, random: &mut Random) -> &'static str {
    let registered =
        ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "tenant", "roles", "nbf", "email"];
    match random.below(14) {
        0 => {
            claims.remove(*random.pick(&registered));
            "a claim missing"
        }
        1 => {
            let value = value(random);
            claims.set(*random.pick(&registered), value);
            "a claim of another type"
        }
        2..=4 => {
            let time = time(random);
            claims.set(*random.pick(&["exp", "exp", "iat", "nbf", "auth_time"]), time);
            "another time"
        }
        5 => {
            let audience = audience(random);
            claims.set("aud", audience);
            "another audience"
        }
        6 => {
            let issuers = [
                "\"https://auth.example.or\"",
                "\"https://auth.example.org/\"",
                "\"HTTPS://auth.example.org\"",
                "\"\"",
                "[\"https://auth.example.org\"]",
                "\"https:\\/\\/auth.example.org\"",
                "\"https://auth.example.org\\u0000\"",
            ];
            claims.set("iss", *random.pick(&issuers));
            "another issuer"
        }
        7 => {
            let subjects = [
                "\"\"",
                "\"a\\u0000b\"",
                "\"\\u202eada\"",
                "\"\\ud800\"",
                "\"\\ud83d\\ude00\"",
                "\"Ada Löv\"",
                "\"a\\nb\"",
                "\" \"",
            ];
            let subject = if random.once_in(4) {
                quoted(&"x".repeat(random.below(600)))
            } else {
                (*random.pick(&subjects)).to_owned()
            };
            claims.set("sub", subject);
            "another subject"
        }
        8 => {
            twice(claims, random);
            "a claim twice"
        }
        9 => {
            let value = value(random);
            let names = [
                "act",
                "cnf",
                "amr",
                "acr",
                "sid",
                "scope",
                "events",
                "nonce",
                "azp",
                "permissions",
                "x",
                "Exp",
                "AUD",
                "Sub",
            ];
            claims.set(*random.pick(&names), value);
            "one more claim"
        }
        10 => {
            for index in 0..random.below(400) {
                claims.add_raw(&quoted(&format!("x{index}")), "1");
            }
            "many claims"
        }
        11 => {
            let depth = random.below(200);
            claims.set("x", format!("{}1{}", "[".repeat(depth), "]".repeat(depth)));
            "deep claims"
        }
        12 => {
            let length = random.below(12_000);
            claims.set("x", quoted(&"y".repeat(length)));
            "a long claim"
        }
        _ => {
            claims.set(
                "act",
                *random.pick(&[
                    "{\"sub\":\"bob\"}",
                    "{}",
                    "{\"sub\":1}",
                    "{\"iss\":\"x\",\"sub\":\"bob\"}",
                    "null",
                ]),
            );
            "an actor"
        }
    }
}

/// Any JSON value.
fn value(random: &mut Random) -> String {
    let values = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "1.5",
        "1e3",
        "1E400",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890",
        "\"\"",
        "\"0\"",
        "\"1\"",
        "[]",
        "{}",
        "[null]",
        "[\"a\",\"a\"]",
        "{\"a\":{\"a\":1}}",
        "\"\\u0061\"",
        "\"\\ud83d\"",
        "\"\u{7f}\"",
        "\"é\"",
        "[1,2,3]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"A\":2}",
    ];
    (*random.pick(&values)).to_owned()
}

/// Times around every edge, in every spelling of a number.
fn time(random: &mut Random) -> String {
    let now = now();
    let edges =
        [-3601, -901, -61, -60, -31, -30, -29, -1, 0, 1, 29, 30, 31, 60, 61, 899, 3600, 3601, 86_400, 86_401];
    let at = now + *random.pick(&edges);
    match random.below(12) {
        0..=6 => at.to_string(),
        7 => format!("{at}.0"),
        8 => format!("{at}.5"),
        9 => format!("{at}e0"),
        10 => quoted(&at.to_string()),
        _ => {
            let odd = [
                "0",
                "-1",
                "-0",
                "1e10",
                "1e18",
                "1e400",
                "253402300800",
                "9223372036854775807",
                "9223372036854775808",
                "18446744073709551615",
                "18446744073709551616",
                "null",
                "true",
                "[1]",
            ];
            (*random.pick(&odd)).to_owned()
        }
    }
}

fn audience(random: &mut Random) -> String {
    let right = quoted(AUDIENCE);
    match random.below(9) {
        0 => format!("[{right}]"),
        1 => format!("[\"https://other.example\",{right}]"),
        2 => "[]".to_owned(),
        3 => format!("[{right},{right}]"),
        4 => format!("[[{right}]]"),
        5 => format!("[{right},1]"),
        6 => quoted(&AUDIENCE[..AUDIENCE.len() - 1]),
        7 => quoted(&format!("{AUDIENCE}/")),
        _ => {
            let others: Vec<String> =
                (0..random.below(60)).map(|index| quoted(&format!("https://{index}.example"))).collect();
            format!("[{}{}{right}]", others.join(","), if others.is_empty() { "" } else { "," })
        }
    }
}

/// A member once more: the same, another value, an escaped name, another letter case.
fn twice(members: &mut Members, random: &mut Random) {
    let (name, same) = members.list[random.below(members.list.len())].clone();
    let value = match random.below(3) {
        0 => same,
        1 => quoted(ISSUER),
        _ => value(random),
    };
    let first = name.chars().nth(1).unwrap_or('x');
    let name = match random.below(3) {
        0 => name,
        1 => format!("\"\\u{:04x}{}", u32::from(first), &name[2.min(name.len())..]),
        _ => name.to_uppercase(),
    };
    let at = random.below(members.list.len() + 1);
    members.list.insert(at, (name, value));
}

/// What stands around the JSON text, and between its tokens.
fn text(members: &mut Members, random: &mut Random) -> &'static str {
    match random.below(6) {
        0 => {
            members.space = *random.pick(&[" ", "\n", "\t", "\r\n", "  \n "]);
            "white space"
        }
        1 => {
            members.before = b"\xEF\xBB\xBF".to_vec();
            "a byte order mark"
        }
        2 => {
            members.after = random.pick(&[&b"{}"[..], b"\0", b" ", b"\n", b",", b"}", b"x", b"//"]).to_vec();
            "something after the object"
        }
        3 => {
            members.add_raw(*random.pick(&["x", "'x'", "\"x", "\"\\x\"", "\"\u{1}\"", "\"\\ud800\""]), "1");
            "a broken name"
        }
        4 => {
            members.add_raw(
                "\"x\"",
                *random.pick(&[
                    "01",
                    "+1",
                    ".5",
                    "1.",
                    "NaN",
                    "Infinity",
                    "0x10",
                    "\"\\q\"",
                    "\"\u{1}\"",
                    "tru",
                    "[1,]",
                    "{,}",
                ]),
            );
            "a broken value"
        }
        _ => {
            members.after = vec![0xFF, 0xFE];
            "invalid UTF-8"
        }
    }
}

/// Changes of the token's text, which the signature then covers or not.
fn compact(token: &mut String, random: &mut Random, key: &Key) -> &'static str {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let part = random.below(parts.len());
    let what = match random.below(13) {
        0 => {
            let at = random.below(parts[part].len().max(1)).min(parts[part].len().saturating_sub(1));
            let other = *random.pick(&["A", "B", "z", "9", "-", "_"]);
            if !parts[part].is_empty() {
                parts[part].replace_range(at..=at, other);
            }
            "a character changed"
        }
        1 => {
            parts[part].push_str(*random.pick(&["=", "==", "A", "AA", "AAAA", "\n", " ", "%00", "+", "/"]));
            "characters added"
        }
        2 => {
            parts[part].pop();
            "a character less"
        }
        3 => {
            // Bits that no byte holds: the same bytes to a decoder that does not look.
            let last = parts[part].pop().unwrap_or('A');
            const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let at = ALPHABET.iter().position(|letter| char::from(*letter) == last).unwrap_or(0);
            parts[part].push(char::from(ALPHABET[at ^ 1]));
            "trailing bits"
        }
        4 => {
            parts[part] = parts[part].replace('-', "+").replace('_', "/");
            "the other alphabet"
        }
        5 => {
            parts[part].clear();
            "an empty part"
        }
        6 => {
            parts.remove(part);
            "a part less"
        }
        7 => {
            let same = parts[part].clone();
            parts.insert(part, same);
            "a part more"
        }
        8 => {
            parts.swap(0, part);
            "parts swapped"
        }
        9 => {
            let at = random.below(parts[part].len() + 1);
            parts[part].insert_str(at, *random.pick(&["\r\n", "\t", "\0", "é", "\u{feff}", ",", "~"]));
            "a foreign character"
        }
        10 => {
            let signature = signature(random, key);
            parts[2] = base64url(&signature);
            "an odd signature"
        }
        11 => {
            parts[0] = format!(" {}", parts[0]);
            "a space before"
        }
        _ => {
            let length = random.below(20_000);
            parts[part].push_str(&"A".repeat(length));
            "a long part"
        }
    };
    *token = parts.join(".");
    what
}

fn signature(random: &mut Random, key: &Key) -> Vec<u8> {
    let length = key.sign(b"x").len();
    let length = *random.pick(&[length, length, 0, 1, length - 1, length + 1, 2 * length, 32, 64, 256]);
    let filler = *random.pick(&[0x00, 0x01, 0xFF, 0x30]);
    (0..length).map(|_| filler).collect()
}
