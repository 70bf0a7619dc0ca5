//! `key` and `jwks`.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::{Value, json};

use crate::support::Folder;

/// RFC 8410 §10.3, an Ed25519 key in PKCS#8.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";

#[test]
fn a_private_key_is_written_for_its_owner_alone_and_only_the_public_one_printed() {
    for alg in ["EdDSA", "Ed25519", "ES256", "ES384"] {
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
        (format!(r#"{{"kty":"EC","crv":"P-384",{p256}}}"#), "malformed (x)"),
        (format!(r#"{{"kty":"EC","crv":"P-521",{p256}}}"#), "not supported (crv)"),
        (format!(r#"{{"kty":"EC","crv":"P-256",{}}}"#, p256.replace("f83", "f84")), "cannot be used"),
        (format!(r#"{{"kty":"EC","crv":"P-256","use":"enc",{p256}}}"#), "not for this use"),
        (format!(r#"{{"kty":"EC","crv":"P-256","key_ops":["sign"],{p256}}}"#), "not for this use"),
        (format!(r#"{{"kty":"EC","crv":"P-256","alg":"EdDSA",{p256}}}"#), "not for this use"),
        (
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(),
            "does not say its algorithm (alg): name it with --alg",
        ),
        (r#"{"kty":"RSA","alg":"RS256","n":"AQAB","e":"AQAB"}"#.to_owned(), "not asked for (alg)"),
        (r#"{"kty":"RSA","alg":"PS256","n":"AQAB","e":"AQAB"}"#.to_owned(), "too small or too large (n)"),
        (format!("{{{oct},\"alg\":\"A256GCM\"}}"), "not supported"),
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
    assert_eq!(ended.stderr, "bartizan: set: key 0 was left out: it does not say its algorithm (alg)\n");
}

/// What OpenSSL wrote for the tests of the tokens crate.
fn fixture(name: &str) -> String {
    format!("{}/../tokens/tests/fixtures/openssl/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_form_of_a_key_is_read() {
    let folder = Folder::new();
    for (key, alg, forms) in [
        ("ed25519", "", &["pkcs8.pem", "pkcs8.der", "spki.pem", "spki.der", "x509.pem", "x509.der"][..]),
        (
            "p256",
            "",
            &["pkcs8.pem", "sec1.pem", "sec1.with-parameters.pem", "sec1.der", "spki.pem", "x509.der"],
        ),
        ("p384", "", &["pkcs8.der", "sec1.pem", "sec1.der", "spki.der", "x509.pem"]),
        (
            "rsa",
            " --alg PS384",
            &["pkcs8.pem", "pkcs1.pem", "pkcs1.der", "spki.pem", "pkcs1-public.der", "x509.pem"],
        ),
        ("rsa", " --alg RS256", &["pkcs8.pem", "pkcs1.der", "spki.der", "pkcs1-public.pem", "x509.der"]),
        ("rsa-pss-sha256", "", &["pkcs8.pem", "spki.der", "x509.pem"]),
    ] {
        let read = |form: &str| {
            let ended =
                folder.run(&format!("key public {}{alg}", fixture(&format!("{key}.{form}"))), "").done();
            assert_eq!(ended.stderr.contains("certificate"), form.contains("x509"), "{}", ended.stderr);
            ended.json()
        };
        let public = read(forms[0]);
        assert_eq!(public["kid"].as_str().unwrap().len(), 43);
        for form in forms {
            assert_eq!(read(form), public, "{key}.{form}");
        }
    }
}

#[test]
fn a_key_is_converted_there_and_back() {
    let folder = Folder::new();
    for (key, alg) in
        [("ed25519", ""), ("p256", ""), ("p384", ""), ("rsa", " --alg PS256"), ("rsa", " --alg RS512")]
    {
        let folder = Folder::new();
        let file = fixture(&format!("{key}.pkcs8.pem"));
        let jwk = folder.run(&format!("key convert {file}{alg} --form jwk --out k.jwk"), "").done();
        assert_eq!(jwk.json(), folder.run(&format!("key public {file}{alg}"), "").done().json());
        assert_eq!(fs::metadata(folder.path("k.jwk")).unwrap().permissions().mode() & 0o777, 0o600);
        let pem = folder.run(&format!("key convert k.jwk{alg} --form pem --out k.pem"), "").done();
        assert_eq!(pem.json(), jwk.json());
        assert_eq!(folder.read("k.pem"), fs::read_to_string(&file).unwrap());
        let public = folder.run(&format!("key public k.jwk{alg} --form pem"), "").done();
        assert_eq!(public.stdout, fs::read_to_string(fixture(&format!("{key}.spki.pem"))).unwrap());
        folder
            .run(&format!("key convert k.jwk{alg} --form pem --out k.pem"), "")
            .unusable("never overwritten");
        let private: Value = serde_json::from_str(&folder.read("k.jwk")).unwrap();
        assert!(![jwk, pem, public].iter().any(|ended| ended.shows(private["d"].as_str().unwrap())));
    }
    folder.key("HS512", "s");
    folder.run("key convert s --form pem --out s.pem", "").unusable("a JWK alone");
    folder.run("key generate --alg HS256 --form pem --out s.pem", "").unusable("a JWK alone");
    folder.run("key generate --alg ES384 --form pem --out k.pem", "").done();
    assert!(folder.read("k.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
}

#[test]
fn keys_sign_and_verify_with_every_algorithm() {
    let folder = Folder::new();
    for alg in ["EdDSA", "Ed25519", "ES256", "ES384", "HS256", "HS384", "HS512"] {
        folder.key(alg, alg);
        let token = folder.sign(alg, &json!({ "iss": "i" }));
        folder.run(&format!("jws verify --jwk {alg}"), token).done();
    }
    let rsa = fixture("rsa.pkcs8.pem");
    for alg in ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"] {
        let signed =
            folder.run(&format!("token sign --key {rsa} --alg {alg} --claims -"), "{}").done().json();
        let token = signed["token"].as_str().unwrap();
        folder.run(&format!("jws verify --jwk {} --alg {alg}", fixture("rsa.spki.pem")), token).done();
        let other = if alg == "PS256" { "RS256" } else { "PS256" };
        folder.run(&format!("jws verify --jwk {rsa} --alg {other}"), token).refused("algorithm");
        let jwks = folder.run(&format!("jwks {rsa} --alg {alg}"), "").done().stdout;
        folder.write("jwks", jwks);
        folder.run(&format!("jws verify --jwks jwks --alg {alg}"), token).done();
        let without = folder.run("jws verify --jwks jwks", token);
        match alg.starts_with('R') {
            true => without.unusable("no usable key"),
            false => without.done(),
        };
    }
    folder.run(&format!("token sign --key {rsa} --claims -"), "{}").unusable("--alg");
    folder.run(&format!("token sign --key {rsa} --alg ES256 --claims -"), "{}").unusable("not for this use");
    folder.run("token sign --key EdDSA --alg ES256 --claims -", "{}").unusable("not for this use");
    folder.run("key generate --alg PS256 --out r.jwk", "").unusable("RSA keys are not made here");
    folder.run("key generate --alg RS256 --out r.jwk", "").unusable("RSA keys are not made here");
}

#[test]
fn encrypted_keys_and_public_ones_sign_nothing() {
    let folder = Folder::new();
    for (file, why) in [
        ("p256.encrypted.pem", "encrypted"),
        ("p256.encrypted.der", "encrypted"),
        ("rsa.pkcs1.encrypted.pem", "encrypted"),
        ("p256.spki.pem", "private where a public one is expected"),
        ("p256.x509.der", "private where a public one is expected"),
        ("refused.two-keys.pem", "malformed"),
        ("refused.p521.sec1.pem", "not supported"),
    ] {
        folder.run(&format!("token sign --key {} --claims -", fixture(file)), "{}").unusable(why);
    }
    let small = fixture("refused.rsa-1024.pkcs8.pem");
    folder.run(&format!("token sign --key {small} --alg PS256 --claims -"), "{}").unusable("too small");
}
