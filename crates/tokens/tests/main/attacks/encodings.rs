//! Rows 9 to 13: second spellings, `crit`, `b64` and members that stand twice.

use bartizan_tokens::{Algorithm, ErrorKind};

use crate::support::{ALGORITHMS, Forge, KID, NOW, decode, encode, good_claims, refused, verify};

/// `n − s` for the order of P-256: the other signature that verifies.
fn other_s(s: &[u8]) -> Vec<u8> {
    let n: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
        0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut out = vec![0; 32];
    let mut borrow = 0;
    for i in (0..32).rev() {
        let difference = i16::from(n[i]) - i16::from(s[i]) - borrow;
        borrow = i16::from(difference < 0);
        out[i] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    out
}

#[test]
fn row_09_another_form_of_the_signature_is_the_same_token() {
    let forge = Forge::new(Algorithm::Es256);
    let (good, verifier) = (forge.good(), forge.verifier());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let signature = decode(signature);
    let (r, s) = signature.split_at(32);
    let twin = format!("{signed}.{}", encode([r, &other_s(s)].concat()));
    assert_ne!(twin, good);
    let (first, second) = (verify(&verifier, &good).unwrap(), verify(&verifier, &twin).unwrap());
    // Whoever remembers a token by issuer and id knows the twin; whoever remembers its text does not.
    assert_eq!((first.issuer(), first.jti()), (second.issuer(), second.jti()));
    assert_eq!(first.claims_json(), second.claims_json());
}

#[test]
fn row_09_the_last_letter_of_a_signature_has_one_form() {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for forge in ALGORITHMS.map(Forge::new) {
        let (good, verifier) = (forge.good(), forge.verifier());
        let (rest, last) = good.split_at(good.len() - 1);
        for letter in
            alphabet.iter().map(|byte| char::from(*byte)).filter(|letter| *letter.to_string() != *last)
        {
            let kind = refused(&verifier, &format!("{rest}{letter}"));
            assert!(matches!(kind, ErrorKind::Malformed | ErrorKind::Signature), "{kind:?}");
        }
    }
}

#[test]
fn row_10_a_second_spelling_of_base64url_is_refused() {
    let forge = Forge::new(Algorithm::Hs256);
    let verifier = forge.verifier();
    // Parts whose length leaves bits over, so that padding and stray bits have a place.
    let (header, payload) = (encode(format!("{} ", forge.header())), encode(format!("{}  ", good_claims())));
    assert!(verify(&verifier, &forge.encoded(&header, &payload)).is_ok());
    let spoil = |part: &str| {
        let mut stray = part.to_owned();
        let last = stray.pop().unwrap();
        stray.push(char::from_u32(u32::from(last) + 1).unwrap());
        let mut spoilt = vec![
            format!("{part}="),
            format!("{part}=="),
            format!(" {part}"),
            format!("{part} "),
            format!("{part}\n"),
            format!("{part}\r\n"),
            format!("{part}\t"),
            format!("{part}\0"),
            format!("{part}é"),
            format!("{}+{}", &part[..4], &part[5..]),
            format!("{}/{}", &part[..4], &part[5..]),
            format!("{}?{}", &part[..4], &part[4..]),
            format!("{} {}", &part[..4], &part[4..]),
            format!("{}\n{}", &part[..4], &part[4..]),
            format!("%20{part}"),
            part[..part.len() / 4 * 4 - 3].to_owned(),
        ];
        if !part.len().is_multiple_of(4) {
            spoilt.push(stray);
        }
        spoilt
    };
    assert_ne!((header.len() % 4, payload.len() % 4), (0, 0));
    for header in spoil(&header) {
        let kind = refused(&verifier, &forge.encoded(&header, &payload));
        assert!(matches!(kind, ErrorKind::Malformed | ErrorKind::Algorithm), "{header:?} {kind:?}");
    }
    for payload in spoil(&payload) {
        assert_eq!(
            refused(&verifier, &forge.encoded(&header, &payload)),
            ErrorKind::Malformed,
            "{payload:?}"
        );
    }
    let good = forge.encoded(&header, &payload);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for signature in spoil(signature) {
        let kind = refused(&verifier, &format!("{signed}.{signature}"));
        assert!(matches!(kind, ErrorKind::Malformed | ErrorKind::Signature), "{signature:?} {kind:?}");
    }
    for token in [
        format!(" {good}"),
        format!("{good} "),
        format!("{good}\n"),
        format!("\"{good}\""),
        format!("Bearer {good}"),
    ] {
        assert!(verify(&verifier, &token).is_err(), "{token:?}");
    }
}

#[test]
fn row_11_nothing_may_be_critical() {
    for forge in ALGORITHMS.map(Forge::new) {
        for crit in [
            r#"["exp"]"#,
            r#"["x"],"x":1"#,
            r#"["absent"]"#,
            "[]",
            r#"["x","x"],"x":1"#,
            r#"["alg"]"#,
            r#"["b64"]"#,
            "null",
            r#""x""#,
            "1",
            "{}",
            r#"[1]"#,
            "true",
            r#"["http://example.invalid/UNDEFINED"],"http://example.invalid/UNDEFINED":1"#,
        ] {
            let header = forge.header_and(&format!(r#""crit":{crit}"#));
            assert_eq!(
                refused(&forge.verifier(), &forge.token(&header, &good_claims())),
                ErrorKind::Critical,
                "{crit}"
            );
        }
        // Without `crit`, what is unknown is read over (RFC 7515 section 4).
        let header = forge.header_and(r#""exp":1,"critical":["x"],"note":{"a":[1]}"#);
        assert!(verify(&forge.verifier(), &forge.token(&header, &good_claims())).is_ok());
    }
}

#[test]
fn row_12_unencoded_payloads_are_refused() {
    for forge in ALGORITHMS.map(Forge::new) {
        for (more, kind) in [
            (r#""b64":false,"crit":["b64"]"#, ErrorKind::Header),
            (r#""crit":["b64"],"b64":false"#, ErrorKind::Critical),
            (r#""b64":false"#, ErrorKind::Header),
            (r#""b64":true"#, ErrorKind::Header),
            (r#""b64":null"#, ErrorKind::Header),
        ] {
            let header = encode(forge.header_and(more));
            for payload in [encode(good_claims()), good_claims().replace('.', ""), String::new()] {
                assert_eq!(refused(&forge.verifier(), &forge.encoded(&header, &payload)), kind, "{more}");
            }
        }
    }
}

#[test]
fn row_13_asvs_1_5_3_a_member_of_the_header_stands_once() {
    for forge in ALGORITHMS.map(Forge::new) {
        let alg = forge.algorithm.name();
        for header in [
            forge.header_and(r#""alg":"none""#),
            format!(r#"{{"alg":"none",{}"#, &forge.header()[1..]),
            forge.header_and(&format!(r#""alg":"{alg}""#)),
            forge.header_and(&format!(r#""\u0061lg":"{alg}""#)),
            forge.header_and(r#""Alg":"none""#),
            forge.header_and(r#""ALG":"none""#),
            forge.header_and(&format!(r#""kid":"{KID}""#)),
            forge.header_and(r#""typ":"at+jwt""#),
            forge.header_and(r#""TYP":"at+jwt""#),
            forge.header_and(r#""x":1,"x":1"#),
            forge.header_and(r#""x":{"y":1,"y":2}"#),
            forge.header_and(r#""x":[{"y":1,"\u0079":2}]"#),
            forge.header_and(r#""Crit":["x"]"#),
        ] {
            assert_eq!(
                refused(&forge.verifier(), &forge.token(&header, &good_claims())),
                ErrorKind::Duplicate,
                "{header}"
            );
        }
    }
}

#[test]
fn row_13_asvs_1_5_3_a_claim_stands_once() {
    let (later, sooner) = (NOW + 900, NOW - 900);
    for forge in ALGORITHMS.map(Forge::new) {
        let good = good_claims();
        let (front, back) = (
            |more: &str| format!("{{{more},{}", &good[1..]),
            |more: &str| format!("{},{more}}}", &good[..good.len() - 1]),
        );
        for more in [
            r#""sub":"root""#.to_owned(),
            r#""s\u0075b":"root""#.to_owned(),
            r#""SUB":"root""#.to_owned(),
            r#""aud":"https://other.example""#.to_owned(),
            r#""Aud":"https://other.example""#.to_owned(),
            format!(r#""exp":{later}"#),
            format!(r#""exp":{sooner}"#),
            format!(r#""Exp":{later}"#),
            r#""iss":"https://evil.example""#.to_owned(),
            r#""tenant":"south""#.to_owned(),
            r#""roles":["root"]"#.to_owned(),
            r#""Roles":["root"]"#.to_owned(),
            r#""jti":"other""#.to_owned(),
            r#""own":1,"own":1"#.to_owned(),
            r#""own":{"a":{"b":1,"b":2}}"#.to_owned(),
            r#""act":{"sub":"a","sub":"b"}"#.to_owned(),
            r#""act":{"sub":"a","act":{"sub":"b","\u0073ub":"c"}}"#.to_owned(),
        ] {
            for claims in [front(&more), back(&more)] {
                assert_eq!(
                    refused(&forge.verifier(), &forge.claiming(&claims)),
                    ErrorKind::Duplicate,
                    "{claims}"
                );
            }
        }
        assert!(
            verify(&forge.verifier(), &forge.claiming(&back(r#""own":{"sub":1,"exp":2},"subject":3"#)))
                .is_ok()
        );
    }
}
