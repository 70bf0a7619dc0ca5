//! `key` and `jwks`.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::support::Folder;

/// RFC 8410 §10.3, an Ed25519 key in PKCS#8.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

#[test]
fn a_private_key_is_written_for_its_owner_alone_and_only_the_public_one_printed() {
    for alg in ["EdDSA", "ES256"] {
        let folder = Folder::new();
        let ended = folder.run(&format!("key generate --alg {alg} --kid k1 --out k.jwk"), "").done();
        let (public, private): (Value, Value) =
            (ended.json(), serde_json::from_str(&folder.read("k.jwk")).unwrap());
        assert_eq!((&public["kid"], &public["alg"], &public["d"]), (&json!("k1"), &json!(alg), &Value::Null));
        assert_eq!(fs::metadata(folder.path("k.jwk")).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!ended.shows(private["d"].as_str().unwrap()));
        assert_eq!(ended.stderr, "");
        assert_eq!(folder.run("key public k.jwk", "").done().json(), public);
        folder.write("public.jwk", ended.stdout);
        assert_eq!(folder.run("key public public.jwk", "").done().json(), public);
    }
}

#[test]
fn of_a_symmetric_key_only_the_name_is_printed() {
    let folder = Folder::new();
    let ended = folder.run("key generate --alg HS256 --out k.jwk", "").done();
    let private: Value = serde_json::from_str(&folder.read("k.jwk")).unwrap();
    assert_eq!(ended.json(), json!({ "kid": private["kid"], "alg": "HS256", "file": "k.jwk" }));
    assert!(!ended.shows(private["k"].as_str().unwrap()));
    folder.run("key public k.jwk", "").unusable("no public half");
    folder.run("jwks k.jwk", "").unusable("private where a public one is expected");
}

#[test]
fn no_file_is_ever_overwritten() {
    let folder = Folder::new();
    folder.key("EdDSA", "k.jwk");
    let before = folder.read("k.jwk");
    folder.run("key generate --alg EdDSA --out k.jwk", "").unusable("never overwritten");
    assert_eq!(folder.read("k.jwk"), before);
    std::os::unix::fs::symlink("elsewhere", folder.path("link")).unwrap();
    folder.run("key generate --alg EdDSA --out link", "").unusable("never overwritten");
    assert!(!folder.path("elsewhere").exists());
    folder.run("key generate --alg EdDSA --out no/such/folder", "").unusable("No such file");
}

#[test]
fn a_set_holds_public_halves_under_their_names() {
    let folder = Folder::new();
    folder.key("EdDSA", "a");
    let b = folder.key("ES256", "b");
    folder.write("b.public", b);
    let ended = folder.run("jwks a b.public", "").done();
    let set = ended.json();
    let kids: Vec<&Value> = set["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids, ["a", "b"]);
    assert!(!ended.stdout.contains("\"d\""));
    folder.run("jwks a a", "").unusable("one id");
}

#[test]
fn a_pem_file_serves_as_a_key() {
    let folder = Folder::new();
    folder.write("k.pem", PEM);
    let public = folder.run("key public k.pem", "").done().json();
    assert_eq!(public["x"], "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE");
    let token = folder.sign("k.pem", &json!({ "iss": "i" }));
    folder.run("jws verify --jwk k.pem", token).done();
}

#[test]
fn a_key_that_others_may_read_is_pointed_out() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    fs::set_permissions(folder.path("k"), fs::Permissions::from_mode(0o640)).unwrap();
    let ended = folder.run("token sign --key k --claims -", "{}").done();
    assert!(ended.stderr.contains("chmod 600"), "{}", ended.stderr);
}

/// Every one is refused with a reason, before a token is looked at.
#[test]
fn unusable_keys_end_with_2() {
    let p256 = r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    let oct = r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow""#;
    let folder = Folder::new();
    for (jwk, why) in [
        (String::new(), "malformed"),
        ("{".to_owned(), "malformed"),
        ("[]".to_owned(), "malformed"),
        (format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256",{p256}}}]}}"#), "malformed"),
        (format!(r#"{{"kty":"EC","crv":"P-256",{p256}"#), "malformed"),
        (format!(r#"{{"kty":"EC","kty":"EC","crv":"P-256",{p256}}}"#), "malformed"),
        (format!(r#"{{"kty":"EC","crv":"P-384",{p256}}}"#), "not supported"),
        (format!(r#"{{"kty":"EC","crv":"P-256",{}}}"#, p256.replace("f83", "f84")), "cannot be used"),
        (format!(r#"{{"kty":"EC","crv":"P-256","use":"enc",{p256}}}"#), "not for this use"),
        (format!(r#"{{"kty":"EC","crv":"P-256","key_ops":["sign"],{p256}}}"#), "not for this use"),
        (format!(r#"{{"kty":"EC","crv":"P-256","alg":"EdDSA",{p256}}}"#), "not for this use"),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(), "not supported"),
        (format!("{{{oct},\"alg\":\"HS512\"}}"), "not supported"),
        (format!("{{{oct},\"use\":\"enc\"}}"), "not for this use"),
        (r#"{"kty":"oct","alg":"HS256","k":"c2hvcnQ"}"#.to_owned(), "too short"),
        (format!("{{\"pad\":\"{}\"}}", "x".repeat(20_000)), "limit"),
        (format!("{{\"pad\":\"{}\"}}", "x".repeat(2_000_000)), "1 MiB"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned(), "malformed"),
    ] {
        folder.write("key", jwk);
        folder.run("jws verify --jwk key", "a.b.c").unusable(why);
        folder.run("token verify --issuer i --audience a --jwk key --batch", "a.b.c").unusable(why);
    }
    folder.write("key", b"{\"kty\":\"\xff\"}");
    folder.run("jws verify --jwk key", "a.b.c").unusable("malformed");
    folder.run("jws verify --jwk missing", "a.b.c").unusable("missing: No such file");
    folder.run("jws verify --jwk .", "a.b.c").unusable("directory");
}

#[test]
fn sets_with_secrets_among_public_keys_are_believed_in_nothing() {
    let folder = Folder::new();
    folder.key("EdDSA", "a");
    folder.key("HS256", "s");
    let public = folder.run("key public a", "").done().stdout;
    let (private, secret) = (folder.read("a"), folder.read("s"));
    for (keys, why) in [
        (String::new(), "no usable key"),
        (private, "private where a public one is expected"),
        (format!("{public},{secret}"), "private where a public one is expected"),
        (format!("{public},{public}"), "one id"),
        (format!("{secret},{secret}"), "one id"),
        ("{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}".to_owned(), "no usable key"),
    ] {
        folder.write("set", format!("{{\"keys\":[{keys}]}}"));
        folder.run("jws verify --jwks set", "a.b.c").unusable(why);
    }
}

#[test]
fn keys_of_others_in_a_set_are_left_out_and_named() {
    let folder = Folder::new();
    let public = folder.key("EdDSA", "a");
    folder.write("set", format!(r#"{{"keys":[{{"kty":"RSA","n":"AQAB","e":"AQAB"}},{public}],"more":1}}"#));
    let ended = folder.run("jws verify --jwks set", folder.sign("a", &json!({}))).done();
    assert_eq!(ended.stderr, "bartizan: set: key 0 was left out: its type or algorithm is not supported\n");
}
