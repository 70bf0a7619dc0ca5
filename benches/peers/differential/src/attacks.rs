//! Every attack on a signed token that has a name.

use aws_lc_rs::hmac;

use crate::{
    changes::now,
    judge::AUDIENCE,
    keys::{Key, Keys},
    token::{Draft, base64url, quoted},
};

pub(crate) struct Attack {
    pub(crate) name: String,
    /// What the verifier that it is shown to has a key for.
    pub(crate) algorithm: &'static str,
    pub(crate) token: String,
    pub(crate) expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Refused,
    /// No attack, but a neighbour of one that must not be refused.
    Accepted,
    /// Both have to agree on it, whichever way.
    Either,
}

pub(crate) fn all(keys: &Keys) -> Vec<Attack> {
    let mut attacks = Attacks { list: Vec::new() };
    for key in &keys.0 {
        attacks.on(key);
    }
    for name in ["EdDSA", "ES256", "ES384", "RS256", "PS256"] {
        attacks.confusion(keys.named(name));
    }
    attacks.ecdsa(keys.named("ES256"), &P256_ORDER);
    attacks.ecdsa(keys.named("ES384"), &P384_ORDER);
    let ed = keys.named("EdDSA");
    attacks.change("the name Ed25519 of RFC 9864", ed, Expected::Accepted, |draft| {
        draft.header.set("alg", quoted("Ed25519"));
    });
    attacks.list
}

struct Attacks {
    list: Vec<Attack>,
}

impl Attacks {
    fn add(&mut self, name: &str, key: &Key, token: String) {
        let name = format!("{name} ({})", key.name);
        self.list.push(Attack { name, algorithm: key.name, token, expected: Expected::Refused });
    }

    /// A draft that is changed and then signed with the right key.
    fn change(&mut self, name: &str, key: &Key, expected: Expected, change: impl FnOnce(&mut Draft)) {
        let mut draft = Draft::good(key, now());
        change(&mut draft);
        let name = format!("{name} ({})", key.name);
        self.list.push(Attack { name, algorithm: key.name, token: draft.sign(key), expected });
    }

    /// Those that every algorithm can suffer.
    fn on(&mut self, key: &Key) {
        use Expected::{Accepted, Either, Refused};
        self.change("a good token", key, Accepted, |_| ());
        for none in ["none", "None", "NONE", "nOnE", ""] {
            let mut draft = Draft::good(key, now());
            draft.header.set("alg", quoted(none));
            let signed = draft.signed_part();
            self.add(&format!("alg “{none}” without signature"), key, format!("{signed}."));
            self.add(&format!("alg “{none}” with a short signature"), key, format!("{signed}.AA"));
            self.add(&format!("alg “{none}” and no last dot"), key, signed);
            self.change(&format!("alg “{none}” with the right signature"), key, Refused, |draft| {
                draft.header.set("alg", quoted(none));
            });
        }
        self.change("no alg", key, Refused, |draft| draft.header.remove("alg"));
        let right = quoted(key.name);
        self.change("alg in a list", key, Refused, |draft| draft.header.set("alg", format!("[{right}]")));
        self.change("alg twice, the right one last", key, Refused, |draft| {
            draft.header.list.insert(0, ("\"alg\"".to_owned(), "\"none\"".to_owned()));
        });
        self.change("alg twice, one with an escaped name", key, Refused, |draft| {
            draft.header.add_raw("\"\\u0061lg\"", "\"none\"");
        });
        self.change("alg twice, one in capitals", key, Refused, |draft| draft.header.set("Alg", "\"none\""));
        for crit in ["[\"urn:x\"]", "[]", "[\"b64\"]", "[\"alg\"]", "[\"exp\"]", "\"exp\"", "[\"x\",\"x\"]"] {
            self.change(&format!("crit {crit}"), key, Refused, |draft| {
                draft.header.set("crit", crit);
                draft.header.set("urn:x", "1");
            });
        }
        self.change("b64 false", key, Refused, |draft| draft.header.set("b64", "false"));
        self.change("b64 false, said to be critical", key, Refused, |draft| {
            draft.header.set("b64", "false");
            draft.header.set("crit", "[\"b64\"]");
        });
        let jwk = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
        for (name, value) in [
            ("jwk", jwk),
            ("jku", "\"https://evil.example/jwks\""),
            ("x5u", "\"https://evil.example/cert\""),
            ("x5c", "[\"MIIB\"]"),
        ] {
            self.change(&format!("the header brings a key: {name}"), key, Refused, |draft| {
                draft.header.set(name, value)
            });
        }
        for kid in ["../../dev/null", "' OR 1=1 --", "a\\u0000b", "", "other"] {
            self.change(&format!("kid {kid:?}"), key, Refused, |draft| draft.header.set("kid", quoted(kid)));
        }
        for claim in ["iss", "aud", "exp", "sub", "iat", "jti", "client_id", "tenant"] {
            self.change(&format!("{claim} twice"), key, Refused, |draft| {
                let value = quoted(AUDIENCE);
                draft.claims.list.insert(0, (quoted(claim), value));
            });
            self.change(&format!("{claim} null"), key, Refused, |draft| draft.claims.set(claim, "null"));
            self.change(&format!("{claim} a list of lists"), key, Refused, |draft| {
                draft.claims.set(claim, "[[1]]")
            });
        }
        for claim in ["iss", "aud", "exp", "sub"] {
            self.change(&format!("no {claim}"), key, Refused, |draft| draft.claims.remove(claim));
        }
        for time in [
            "\"9999999999\"",
            "1e400",
            "1e18",
            "18446744073709551616",
            "9223372036854775808",
            "-1",
            "NaN",
            "true",
            "[9999999999]",
            "9999999999.5",
        ] {
            self.change(&format!("exp {time}"), key, Refused, |draft| draft.claims.set("exp", time));
        }
        let at = |seconds: i64| (now() + seconds).to_string();
        self.change("ended an hour ago", key, Refused, |draft| draft.claims.set("exp", at(-3600)));
        self.change("ended beyond the leeway", key, Refused, |draft| draft.claims.set("exp", at(-32)));
        self.change("begins beyond the leeway", key, Refused, |draft| draft.claims.set("nbf", at(40)));
        self.change("begins after its end", key, Refused, |draft| draft.claims.set("nbf", at(1000)));
        self.change("issued beyond the leeway", key, Refused, |draft| draft.claims.set("iat", at(40)));
        self.change("an end in the year 10000", key, Refused, |draft| {
            draft.claims.set("exp", "253402300800")
        });
        self.change("another service's", key, Refused, |draft| {
            draft.claims.set("aud", "\"https://other.example\"")
        });
        self.change("an audience that begins as ours", key, Refused, |draft| {
            draft.claims.set("aud", quoted(&format!("{AUDIENCE}.evil.example")));
        });
        self.change("an audience that ours begins as", key, Refused, |draft| {
            draft.claims.set("aud", "\"https\"")
        });
        self.change("several audiences", key, Accepted, |draft| {
            draft.claims.set("aud", format!("[\"https://other.example\",{}]", quoted(AUDIENCE)));
        });
        self.change("another issuer", key, Refused, |draft| {
            draft.claims.set("iss", "\"https://evil.example\"")
        });
        self.change("issuers in a list", key, Refused, |draft| {
            let all = format!("[\"https://evil.example\",{}]", quoted(crate::judge::ISSUER));
            draft.claims.set("iss", all);
        });
        for typ in ["logout+jwt", "dpop+jwt", "JOSE", "rt+jwt"] {
            self.change(&format!("typ {typ}"), key, Refused, |draft| draft.header.set("typ", quoted(typ)));
        }
        self.change("typ application/at+jwt", key, Accepted, |draft| {
            draft.header.set("typ", "\"application/at+jwt\"")
        });
        self.change("bound to a key", key, Refused, |draft| {
            draft.claims.set("cnf", "{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}")
        });
        self.change("a lone surrogate", key, Either, |draft| draft.claims.set("sub", "\"\\ud800\""));
        self.change("invalid UTF-8", key, Refused, |draft| draft.claims.after = vec![0xFF]);
        self.change("a byte order mark", key, Refused, |draft| {
            draft.claims.before = b"\xEF\xBB\xBF".to_vec()
        });
        self.change("nested 100,000 deep", key, Refused, |draft| {
            draft.claims.set("x", format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)));
        });
        self.change("a number of a million digits", key, Refused, |draft| {
            draft.claims.set("x", "1".repeat(1_000_000))
        });
        self.text(key);
    }

    /// Those that change the text and not what it says.
    fn text(&mut self, key: &Key) {
        let good = Draft::good(key, now()).sign(key);
        let parts: Vec<&str> = good.split('.').collect();
        let join = |header: &str, claims: &str, signature: &str| format!("{header}.{claims}.{signature}");
        for (at, name) in [(0, "header"), (1, "claims"), (2, "signature")] {
            let with = |change: &dyn Fn(&str) -> String| {
                let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
                parts[at] = change(&parts[at]);
                parts.join(".")
            };
            self.add(&format!("{name} padded"), key, with(&|part| format!("{part}=")));
            self.add(&format!("{name} padded twice"), key, with(&|part| format!("{part}==")));
            self.add(
                &format!("a line end in the {name}"),
                key,
                with(&|part| format!("{}\r\n{}", &part[..4], &part[4..])),
            );
            self.add(&format!("a space after the {name}"), key, with(&|part| format!("{part} ")));
            self.add(&format!("a NUL in the {name}"), key, with(&|part| format!("{part}\0")));
            self.add(&format!("{name} missing"), key, with(&|_| String::new()));
        }
        self.add("no signature part", key, format!("{}.{}", parts[0], parts[1]));
        self.add("four parts", key, format!("{good}.{}", parts[2]));
        self.add("five parts, as an encrypted token has", key, format!("{good}.AA.AA"));
        self.add("a megabyte of dots", key, ".".repeat(1 << 20));
        self.add("a megabyte of A", key, "A".repeat(1 << 20));
        self.add("nothing", key, String::new());
        self.add(
            "the JSON serialisation",
            key,
            format!(
                "{{\"protected\":\"{}\",\"payload\":\"{}\",\"signature\":\"{}\"}}",
                parts[0], parts[1], parts[2]
            ),
        );
        let signature = key.sign(format!("{}.{}", parts[0], parts[1]).as_bytes());
        for (name, signature) in [
            ("a signature of zeros", vec![0; signature.len()]),
            ("a signature of ones", vec![0xFF; signature.len()]),
            ("a signature one byte short", signature[..signature.len() - 1].to_vec()),
            ("a signature one byte long", [&signature[..], &[0]].concat()),
            ("a signature with a zero before it", [&[0], &signature[..]].concat()),
        ] {
            self.add(name, key, join(parts[0], parts[1], &base64url(&signature)));
        }
        for bit in [0, 7] {
            let mut flipped = signature.clone();
            flipped[signature.len() / 2] ^= 1 << bit;
            self.add("a signature with one bit changed", key, join(parts[0], parts[1], &base64url(&flipped)));
        }
    }

    /// A public key taken for the secret of an HMAC (CVE-2015-9235 and its heirs).
    fn confusion(&mut self, key: &Key) {
        let pem = &key.public_pem;
        let secrets = [
            ("PEM", pem.clone().into_bytes()),
            ("PEM without the last line end", pem.trim_end().as_bytes().to_vec()),
            ("PEM after a space", format!(" {pem}").into_bytes()),
            ("DER", key.public_der.clone()),
            ("the bare key", key.public_der[key.public_der.len() - 32..].to_vec()),
        ];
        for (form, secret) in secrets {
            for alg in ["HS256", "HS512"] {
                let mut draft = Draft::good(key, now());
                draft.header.set("alg", quoted(alg));
                let signed = draft.signed_part();
                let mac = if alg == "HS256" { hmac::HMAC_SHA256 } else { hmac::HMAC_SHA512 };
                let tag = hmac::sign(&hmac::Key::new(mac, &secret), signed.as_bytes());
                let token = format!("{signed}.{}", base64url(tag.as_ref()));
                self.add(&format!("{alg} with the public key as {form}"), key, token);
            }
        }
    }

    /// What ECDSA alone suffers (CVE-2022-21449, other encodings, the other form of the same signature).
    fn ecdsa(&mut self, key: &Key, order: &[u8]) {
        let signed = Draft::good(key, now()).signed_part();
        let good = key.sign(signed.as_bytes());
        let (r, s) = good.split_at(order.len());
        let zero = vec![0; order.len()];
        let mut one = zero.clone();
        *one.last_mut().expect("a number") = 1;
        for (name, r, s) in [
            ("r and s 0", &zero[..], &zero[..]),
            ("r 0", &zero, s),
            ("s 0", r, &zero),
            ("r the order", order, s),
            ("s the order", r, order),
            ("r 1 and s 1", &one, &one),
        ] {
            self.add(name, key, format!("{signed}.{}", base64url(&[r, s].concat())));
        }
        let der = [
            &[
                0x30,
                u8::try_from(2 * order.len() + 4).expect("short"),
                2,
                u8::try_from(order.len()).expect("short"),
            ],
            r,
            &[2, u8::try_from(order.len()).expect("short")],
            s,
        ]
        .concat();
        self.add("a signature in DER", key, format!("{signed}.{}", base64url(&der)));
        // SECURITY: valid, and another text: why a token's text is no identity.
        let token = format!("{signed}.{}", base64url(&[r, &minus(order, s)].concat()));
        let name = format!("the other form of the signature ({})", key.name);
        self.list.push(Attack { name, algorithm: key.name, token, expected: Expected::Accepted });
    }
}

/// Big numbers of one length, most significant byte first.
fn minus(from: &[u8], what: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut result = vec![0; from.len()];
    for at in (0..from.len()).rev() {
        let difference = i16::from(from[at]) - i16::from(what[at]) - borrow;
        borrow = i16::from(difference < 0);
        result[at] = u8::try_from(difference.rem_euclid(256)).expect("a byte");
    }
    result
}

/// SEC 2 §2.4.2 and §2.5.1.
const P256_ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC,
    0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];
const P384_ORDER: [u8; 48] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC7, 0x63, 0x4D, 0x81, 0xF4, 0x37, 0x2D, 0xDF, 0x58, 0x1A,
    0x0D, 0xB2, 0x48, 0xB0, 0xA7, 0x7A, 0xEC, 0xEC, 0x19, 0x6A, 0xCC, 0xC5, 0x29, 0x73,
];
