//! `token` and `jws`.

use std::{
    io::{BufRead, BufReader, Write},
    process::Command,
};

use bartizan::core::{Clock, os};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::Folder;

const VERIFY: &str = "token verify --issuer https://id.example --audience clinic";

fn now() -> i64 {
    os::SystemClock.wall().as_secs()
}

fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "clinic", "sub": "ada", "client_id": "web",
        "iat": now(), "exp": now() + 600, "jti": "t-1", "tenant": "north",
    })
}

/// Ended so many seconds ago.
fn ended(seconds: i64) -> Value {
    let mut claims = with("iat", json!(now() - 600));
    claims["exp"] = json!(now() - seconds);
    claims
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn a_signed_token_verifies_with_every_form_of_its_key() {
    for alg in ["EdDSA", "ES256"] {
        let folder = Folder::new();
        let public = folder.key(alg, "k");
        folder.write("public", &public);
        folder.write("set", format!("{{\"keys\":[{public}]}}"));
        let claims = claims();
        let token = folder.sign("k", &claims);
        for keys in ["--jwk k", "--jwk public", "--jwks set"] {
            let verdict = folder.run(&format!("{VERIFY} {keys}"), &token).done().json();
            assert_eq!(verdict, json!({ "ok": true, "claims": claims }), "{alg} {keys}");
        }
    }
}

#[test]
fn a_token_of_a_shared_secret_verifies_with_it_alone_or_in_a_set_of_secrets() {
    let folder = Folder::new();
    folder.key("HS256", "k");
    folder.key("HS256", "other");
    folder.write("set", format!("{{\"keys\":[{},{}]}}", folder.read("other"), folder.read("k")));
    let token = folder.sign("k", &claims());
    folder.run(&format!("{VERIFY} --jwk k"), &token).done();
    folder.run(&format!("{VERIFY} --jwks set"), &token).done();
    folder.run(&format!("{VERIFY} --jwk other"), &token).refused("key");
}

#[test]
fn a_token_comes_bare_as_a_json_string_or_as_sign_prints_it() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    let token = folder.sign("k", &claims());
    for stdin in [
        token.clone(),
        format!("{token}\n"),
        format!("{token}\r\n"),
        format!("\"{token}\""),
        format!(" \"{}\"\n", token.replace('.', "\\u002e")),
        format!("{{\"token\":\"{token}\"}}\n"),
    ] {
        folder.run(&format!("{VERIFY} --jwk k"), stdin).done();
    }
    for (stdin, code) in [
        (String::new(), "malformed"),
        (format!(" {token}"), "malformed"),
        (format!("\"{token}"), "malformed"),
        (format!("{token}="), "signature"),
        (format!("{token} "), "signature"),
        (format!("{token}\n\n"), "signature"),
    ] {
        folder.run(&format!("{VERIFY} --jwk k"), stdin).refused(code);
    }
}

#[test]
fn each_refusal_has_its_word() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    folder.key("EdDSA", "other");
    folder.key("ES256", "es");
    let verify = |token: &str, key: &str| folder.run(&format!("{VERIFY} --jwk {key}"), token);
    for (claims, code) in [
        (with("iss", json!("https://evil.example")), "issuer"),
        (with("aud", json!("clinic2")), "audience"),
        (ended(0), "expired"),
        (with("nbf", json!(now() + 100)), "not_yet"),
        (with("exp", json!(now() + 90_000)), "lifetime"),
        (with("exp", json!("soon")), "claim_type"),
        (with("cnf", json!({ "jkt": "x" })), "bound"),
        (json!({ "iss": "https://id.example" }), "missing_claim"),
    ] {
        verify(&folder.sign("k", &claims), "k").refused(code);
    }
    let token = folder.sign("k", &claims());
    verify(&token, "other").refused("key");
    verify(&token, "es").refused("key");
    folder.write("unnamed", folder.read("other").replace("\"kid\":\"other\",", ""));
    verify(&token, "unnamed").refused("signature");
    folder.write("unnamed.es", folder.read("es").replace("\"kid\":\"es\",", ""));
    verify(&token, "unnamed.es").refused("algorithm");
    let jwt = folder.run("token sign --key k --typ JWT --claims -", claims().to_string()).done().stdout;
    verify(&jwt, "k").refused("typ");
    verify(&"A".repeat(9_000), "k").refused("too_large");
    verify(&"A".repeat(2_000_000), "k").refused("too_large");
    let header =
        |text: &str| format!("{}.{}", URL_SAFE_NO_PAD.encode(text), token.split_once('.').unwrap().1);
    verify(&header(r#"{"alg":"none"}"#), "k").refused("algorithm");
    verify(&header(r#"{"alg":"EdDSA","alg":"EdDSA"}"#), "k").refused("duplicate");
    verify(&header(r#"{"alg":"EdDSA","typ":"at+jwt","crit":["exp"]}"#), "k").refused("crit");
    verify(&header(r#"{"alg":"EdDSA","typ":"at+jwt","jku":"https://evil.example"}"#), "k").refused("header");
}

#[test]
fn leeway_is_none_unless_given_and_five_minutes_at_most() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    let token = folder.sign("k", &ended(20));
    folder.run(&format!("{VERIFY} --jwk k"), &token).refused("expired");
    folder.run(&format!("{VERIFY} --jwk k --leeway 300"), &token).done();
    folder.run(&format!("{VERIFY} --jwk k --leeway 301"), &token).unusable("leeway");
    folder.run(&format!("{VERIFY} --jwk k --leeway 99999999999999999999"), &token).ended(2);
}

#[test]
fn a_batch_gives_one_verdict_a_line_in_order() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    let (good, late) = (folder.sign("k", &claims()), folder.sign("k", &ended(1)));
    let mut stdin = Vec::new();
    for line in [
        good.as_bytes(),
        b"",
        late.as_bytes(),
        format!("\"{}\"", good.replace('e', "\\u0065")).as_bytes(),
        &vec![b'A'; 70_000],
        b"\xff\xfe",
        b"{\"ok\":true}",
        format!("{good}\r").as_bytes(),
        &vec![b'.'; 9_000],
    ] {
        stdin.extend_from_slice(line);
        stdin.push(b'\n');
    }
    stdin.extend_from_slice(good.as_bytes());
    let ended = folder.run(&format!("{VERIFY} --jwk k --batch"), stdin).done();
    let words: Vec<String> = ended
        .lines()
        .iter()
        .map(|verdict| {
            verdict["code"].as_str().map_or_else(|| verdict["claims"]["sub"].to_string(), str::to_owned)
        })
        .collect();
    let ada = "\"ada\"";
    assert_eq!(
        words,
        [ada, "malformed", "expired", ada, "too_large", "malformed", "malformed", ada, "too_large", ada]
    );
    assert_eq!(ended.stderr, "");
    assert_eq!(folder.run(&format!("{VERIFY} --jwk k --batch"), "").done().stdout, "");
}

#[test]
fn a_verdict_comes_before_the_next_line_is_sent() {
    let folder = Folder::new();
    folder.key("HS256", "k");
    let token = folder.sign("k", &claims());
    let mut child = folder.command(["jws", "verify", "--jwk", "k", "--batch"]).spawn().unwrap();
    let (mut to, mut from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    for line in [format!("{token}\n"), "x\n".to_owned(), format!("{token}\n")] {
        to.write_all(line.as_bytes()).unwrap();
        let mut verdict = String::new();
        from.read_line(&mut verdict).unwrap();
        assert_eq!(verdict.starts_with("{\"ok\":true"), line.len() > 2, "{verdict}");
    }
    drop(to);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_long_batch_is_answered_line_for_line() {
    let folder = Folder::new();
    folder.key("HS256", "k");
    let token = folder.sign("k", &claims());
    let stdin = format!("{token}\nx\n").repeat(5_000);
    let ended = folder.run("jws verify --jwk k --batch", stdin).done();
    assert_eq!(ended.stdout.matches("{\"ok\":true,").count(), 5_000);
    assert_eq!(ended.stdout.matches("{\"ok\":false,\"code\":\"malformed\"}\n").count(), 5_000);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let folder = Folder::new();
    folder.key("HS256", "k");
    let mut child = folder.command(["jws", "verify", "--jwk", "k", "--batch"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut to = child.stdin.take().unwrap();
    // The command ends at its first answer, and then so does this pipe.
    let _ = to.write_all("x\n".repeat(100_000).as_bytes());
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(2), Vec::new()));
    // Nor does a closed stderr make it stumble.
    let closed = format!("{} jws verify --jwk missing 2>&- < /dev/null", crate::support::BARTIZAN);
    assert_eq!(Command::new("sh").args(["-c", &closed]).status().unwrap().code(), Some(2));
}

#[test]
fn rfc_7515_and_rfc_8037_examples_verify() {
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let p256 = r#""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0""#;
    for (jwk, header, payload, signature) in [
        (
            r#" {"kty":"oct", "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#
                .to_owned(),
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
            payload,
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256",{p256},"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}}"#),
            "eyJhbGciOiJFUzI1NiJ9",
            payload,
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256",{p256},"use":"sig","key_ops":["verify"],"alg":"ES256","x-more":{{}}}}"#),
            "eyJhbGciOiJFUzI1NiJ9",
            payload,
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#.to_owned(),
            "eyJhbGciOiJFZERTQSJ9",
            "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ] {
        let folder = Folder::new();
        folder.write("k", &jwk);
        let ended = folder.run("jws verify --jwk k", format!("{header}.{payload}.{signature}")).done();
        assert_eq!(ended.json(), json!({ "ok": true, "payload": payload }), "{jwk}");
        let is_noted = ended.stderr == "bartizan: k: names no algorithm and is taken for HS256\n";
        assert_eq!(is_noted, jwk.contains("\"oct\""), "{}", ended.stderr);
        let forged = format!("{header}.{payload}A.{signature}");
        let code = folder.run("jws verify --jwk k", forged).ended(1).json()["code"].clone();
        assert!(code == "signature" || code == "malformed", "{code}");
    }
}

#[test]
fn claims_are_signed_as_they_stand() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    let claims = "{ \"z\": 1.50, \"a\":12345678901234567890123,\"iat\":1,\"jti\":\"j\"}";
    folder.write("claims", format!("\n{claims}\n"));
    let ended = folder.run("token sign --key k --claims claims", "").done();
    let token = ended.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(token.split('.').nth(1).unwrap(), URL_SAFE_NO_PAD.encode(claims));
    assert!(ended.stderr.contains("iss, exp, aud, sub, client_id"), "{}", ended.stderr);
    let verdict = folder.run("jws verify --jwk k", folder.sign("k", &json!({}))).done().json();
    let payload = URL_SAFE_NO_PAD.decode(verdict["payload"].as_str().unwrap()).unwrap();
    let filled: Value = serde_json::from_slice(&payload).unwrap();
    assert!((filled["iat"].as_i64().unwrap() - now()).abs() < 60);
    assert_eq!(filled["jti"].as_str().unwrap().len(), 22);
}

#[test]
fn claims_that_are_no_object_are_not_signed() {
    let folder = Folder::new();
    folder.key("EdDSA", "k");
    for (claims, why) in [
        (b"".to_vec(), "no JSON"),
        (b"{".to_vec(), "no JSON"),
        (b"[]".to_vec(), "shape"),
        (b"{\"a\":1,\"a\":2}".to_vec(), "twice"),
        (b"{\"a\":\"\xff\"}".to_vec(), "no JSON"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(7_000)).into_bytes(), "limits"),
        (vec![b' '; 2_000_000], "1 MiB"),
    ] {
        folder.run("token sign --key k --claims -", claims).unusable(why);
    }
    folder.run("token sign --key k --claims missing", "").unusable("missing");
    folder
        .run_args(["token", "sign", "--key", "k", "--claims", "-", "--typ", ""], "{}")
        .unusable("the token");
}
