//! Types and limits of claims.

use super::*;
use crate::text::ClaimsText;

fn verdict(json: &str) -> Result<(Claims, String), (ErrorKind, Option<&'static str>)> {
    let mut claims = Claims::default();
    let unescaped = claims.read(json, &Names::of_access_tokens(), &Limits::DEFAULT, &mut ());
    Ok((claims, unescaped.map_err(|error| (error.kind(), error.claim()))?))
}

#[test]
fn every_claim_is_read_in_place() {
    let json = r#"{"iss":"i","sub":"\u0073","aud":["a","b"],"exp":3,"nbf":1,"iat":2,"jti":"j","client_id":"c",
        "tenant":"t","roles":["r","s"],"groups":[],"sid":"x","acr":"1","amr":["pwd"],"auth_time":4,
        "act":{"sub":"d","act":{"sub":"e"}},"own":{"exp":1}}"#;
    let (claims, unescaped) = verdict(json).unwrap_or_else(|_| panic!("refused"));
    let mut json = ClaimsText::new(json.to_owned());
    json.append(&unescaped);
    let read = |text: &Option<Text>| text.unwrap().read(json.all()).to_owned();
    let all = |texts: &Texts| texts.read(json.all()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        [&claims.issuer, &claims.subject, &claims.jti, &claims.client_id].map(read),
        ["i", "s", "j", "c"]
    );
    assert_eq!((claims.issuer, &*unescaped), (Text::at(8, 1), "s"));
    assert_eq!(all(&claims.audience), ["a", "b"]);
    assert_eq!((claims.expires, claims.not_before, claims.issued_at), (3, Some(1), 2));
    let optional = claims.optional;
    assert_eq!(
        [&optional.tenant, &optional.session, &optional.acr, &optional.actor].map(read),
        ["t", "x", "1", "d"]
    );
    assert_eq!((all(&optional.roles), all(&optional.groups)), (vec!["r".to_owned(), "s".into()], Vec::new()));
    assert_eq!((all(&optional.amr), optional.auth_time), (vec!["pwd".to_owned()], Some(4)));
}

#[test]
fn a_date_is_whole_seconds_of_four_digit_years() {
    for good in ["0", "253402300799"] {
        assert!(verdict(&format!(r#"{{"exp":{good}}}"#)).is_ok(), "{good}");
    }
    for bad in ["-1", "-0", "0.0", "1.5", "1e3", "253402300800", "9007199254740993", "18446744073709551616"] {
        let refused = verdict(&format!(r#"{{"exp":{bad}}}"#)).err();
        assert_eq!(refused, Some((ErrorKind::ClaimType, Some("exp"))), "{bad}");
    }
}

#[test]
fn an_actor_is_an_object_with_a_subject() {
    for bad in [r#""d""#, "{}", r#"{"sub":""}"#, r#"{"sub":1}"#, r#"[{"sub":"d"}]"#, "null"] {
        let refused = verdict(&format!(r#"{{"act":{bad}}}"#)).err();
        assert_eq!(refused, Some((ErrorKind::ClaimType, Some("act"))), "{bad}");
    }
}

#[test]
fn lists_have_their_limits() {
    for (claim, most) in [("aud", 32), ("roles", 64), ("groups", 64), ("amr", 16)] {
        let list = |n: usize| format!(r#"{{"{claim}":[{}]}}"#, vec![r#""x""#; n].join(","));
        assert!(verdict(&list(most)).is_ok(), "{claim}");
        assert_eq!(verdict(&list(most + 1)).err(), Some((ErrorKind::TooLarge, Some(claim))), "{claim}");
    }
}
