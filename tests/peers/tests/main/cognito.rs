//! Amazon Cognito as moto plays it: a user signs in, and we verify both tokens with the published keys (RS256).
//!
//! All pools of moto share one key, whose id is `dummy`: so a token of another pool has a good signature, and only its issuer
//! tells.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use bartizan_clock_tokio::TokioClock;
use bartizan_core::{Clock, RawToken, os};
use bartizan_crypto::Provider;
use bartizan_crypto_aws_lc::AwsLc;
use bartizan_crypto_ring::Ring;
use bartizan_egress::Allow;
use bartizan_jwks_http::Config;
use bartizan_tokens::{
    Algorithm, Asked, Error, ErrorKind, IdTokenVerifier, JwksUrl, KeyRules, KeySet, KeySource, RemoteJwks,
    SkipReason, TokenShape, TrustedIssuer, Verified, VerifiedIdToken, Verifier,
};
use serde_json::{Value, json};

use crate::support::{http, setting};

/// A pool with one client and one signed-in user.
struct Pool {
    id: String,
    issuer: String,
    client: String,
    jwks: String,
    access_token: String,
    id_token: String,
}

/// The service's own name.
const HOST: &str = "cognito-idp.us-east-1.amazonaws.com";

const PASSWORD: &str = "A-Passw0rd-0f-tests-only";

/// One call of the service's JSON API. moto takes any signature, but reads the service's name from it.
fn call(operation: &str, body: &Value) -> Value {
    let target = format!("AWSCognitoIdentityProviderService.{operation}");
    let credential = "AWS4-HMAC-SHA256 Credential=testing/20261101/us-east-1/cognito-idp/aws4_request, \
                      SignedHeaders=host, Signature=0";
    let headers = [
        ("x-amz-target", target.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
        ("authorization", credential),
    ];
    let answer = http("POST", &format!("{}/", setting("BARTIZAN_TEST_MOTO")), &headers, &body.to_string());
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{operation}: {answer}"))
}

impl Pool {
    fn new() -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let pool = text(&call("CreateUserPool", &json!({"PoolName": "wards"}))["UserPool"]["Id"]);
        let client = call(
            "CreateUserPoolClient",
            &json!({
                "UserPoolId": pool, "ClientName": "web",
                "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            }),
        );
        let client = text(&client["UserPoolClient"]["ClientId"]);
        let tenant = json!([{"Name": "custom:tenant", "Value": "north"}]);
        call("AdminCreateUser", &json!({"UserPoolId": pool, "Username": "ada", "UserAttributes": tenant}));
        call(
            "AdminSetUserPassword",
            &json!({"UserPoolId": pool, "Username": "ada", "Password": PASSWORD, "Permanent": true}),
        );
        call("CreateGroup", &json!({"UserPoolId": pool, "GroupName": "doctor"}));
        call("AdminAddUserToGroup", &json!({"UserPoolId": pool, "Username": "ada", "GroupName": "doctor"}));
        let signed_in = call(
            "AdminInitiateAuth",
            &json!({
                "UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": "ada", "PASSWORD": PASSWORD},
            }),
        );
        let tokens = &signed_in["AuthenticationResult"];
        // The host names the service; without it moto takes the path for that of another.
        let host = [("host", HOST)];
        let jwks = format!("{}/{pool}/.well-known/jwks.json", setting("BARTIZAN_TEST_MOTO"));
        Self {
            issuer: format!("https://{HOST}/{pool}"),
            id: pool,
            client,
            jwks: http("GET", &jwks, &host, ""),
            access_token: text(&tokens["AccessToken"]),
            id_token: text(&tokens["IdToken"]),
        }
    }

    /// Its keys. RS256 has to be asked for.
    fn keys(&self, provider: &dyn Provider) -> KeySet {
        let rules = KeyRules::strict().danger_rsa_pkcs1();
        let (keys, skipped) =
            KeySet::from_jwks_with(provider, self.jwks.as_bytes(), &rules).expect("a key set");
        assert!(skipped.is_empty(), "{skipped:?}");
        keys
    }

    fn access(&self, provider: &dyn Provider, client: &str, token: &str) -> Result<Verified, Error> {
        self.access_with(self.keys(provider), client, token)
    }

    fn access_with(&self, keys: impl Into<KeySource>, client: &str, token: &str) -> Result<Verified, Error> {
        let issuer = TrustedIssuer::new(&*self.issuer, client, keys)
            .shape(TokenShape::cognito_access_tokens())
            .tenant("north");
        Verifier::of([issuer], clock()).expect("a verifier").verify(RawToken::new(token))
    }

    fn id(&self, provider: &dyn Provider, client: &str, token: &str) -> Result<VerifiedIdToken, Error> {
        let issuer = TrustedIssuer::new(&*self.issuer, client, self.keys(provider))
            .shape(TokenShape::cognito_id_tokens().tenant("custom:tenant"));
        let verifier = IdTokenVerifier::of([issuer], clock()).expect("a verifier");
        verifier.verify(RawToken::new(token), &Asked::without_nonce())
    }
}

/// Stands before moto as name servers and load balancers stand before the service: who asks here asks under the service's name.
/// Nothing else of a request is changed, and nothing of an answer.
fn front() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let authority = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for client in listener.incoming() {
            pass_on(&client.expect("a connection")).expect("a request and its answer");
        }
    });
    authority
}

fn pass_on(mut client: &TcpStream) -> io::Result<()> {
    let moto = setting("BARTIZAN_TEST_MOTO");
    let mut moto = TcpStream::connect(moto.strip_prefix("http://").expect("plain HTTP on loopback"))?;
    // One request a connection, so that the end of the answer is the end of the stream.
    let mut head = String::new();
    for line in BufReader::new(client).lines() {
        let line = line?;
        let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
        match &*name {
            "host" => head.push_str(&format!("host: {HOST}\r\nconnection: close\r\n")),
            "connection" => {}
            _ => head.push_str(&format!("{line}\r\n")),
        }
        if line.is_empty() {
            break;
        }
    }
    moto.write_all(head.as_bytes())?;
    io::copy(&mut moto, &mut client)?;
    Ok(())
}

/// The pool's keys as a service has them: fetched by a driver in the background. That they are on this machine is said.
async fn remote(pool: &Pool, provider: impl Provider, rules: KeyRules) -> RemoteJwks {
    let url = JwksUrl::new(&format!("http://{}/{}/.well-known/jwks.json", front(), pool.id)).expect("a URL");
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
    let fetch =
        Config::new(url.clone()).allow(Allow::danger_loopback()).build(clock.clone()).expect("a client");
    let jwks = RemoteJwks::from_url(url, Arc::new(fetch), Arc::new(provider), clock);
    let (jwks, driver) = jwks.key_rules(rules).expect("rules").build();
    tokio::spawn(driver.run());
    jwks
}

async fn is_accepted_with_keys_that_were_fetched(provider: impl Provider) {
    let pool = Pool::new();
    let keys = remote(&pool, provider, KeyRules::strict().danger_rsa_pkcs1()).await;
    keys.ready().await.expect("its keys");
    assert_eq!((keys.status().fetches, keys.status().keys), (1, 1));
    let verified = pool.access_with(&keys, &pool.client, &pool.access_token).expect("a good access token");
    assert_eq!((verified.algorithm(), verified.kid()), (Algorithm::Rs256, Some("dummy")));
    let refused = pool.access_with(&keys, &pool.client, &pool.access_token.replacen('.', "A.", 1));
    assert!(refused.is_err());
    assert_eq!(keys.status().fetches, 1);
}

#[tokio::test]
async fn its_keys_are_fetched_as_a_service_fetches_them_for_ring() {
    is_accepted_with_keys_that_were_fetched(Ring::new()).await;
}

#[tokio::test]
async fn its_keys_are_fetched_as_a_service_fetches_them_for_aws_lc() {
    is_accepted_with_keys_that_were_fetched(AwsLc::new()).await;
}

#[tokio::test]
async fn without_the_opt_in_a_fetched_set_has_no_key() {
    let pool = Pool::new();
    let keys = remote(&pool, Ring::new(), KeyRules::strict()).await;
    assert_eq!(kind(keys.ready().await), ErrorKind::KeyNone);
    let refused = pool.access_with(&keys, &pool.client, &pool.access_token);
    assert_eq!(kind(refused), ErrorKind::KeysUnavailable, "an outage, and no judgement");
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(os::SystemClock)
}

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.expect_err("refused").kind()
}

fn is_accepted(provider: &dyn Provider) {
    let pool = Pool::new();
    let access = pool.access(provider, &pool.client, &pool.access_token).expect("a good access token");
    assert_eq!((access.algorithm(), access.kid()), (Algorithm::Rs256, Some("dummy")));
    assert_eq!(access.client_id(), Some(&*pool.client));
    assert_eq!(access.groups().collect::<Vec<_>>(), ["doctor"]);
    assert_eq!(access.expires().as_secs() - access.issued_at().as_secs(), 3600);
    assert!(access.session().is_some() && access.jti().is_some() && access.auth_time().is_some());
    access.principal().expect("who signed in");

    let id = pool.id(provider, &pool.client, &pool.id_token).expect("a good ID token");
    assert_eq!((id.algorithm(), id.subject()), (Algorithm::Rs256, access.subject()));
    assert_eq!(id.audiences().collect::<Vec<_>>(), [&*pool.client]);
    assert_eq!((id.tenant(), id.session()), (Some("north"), access.session()));
    assert_eq!(id.groups().collect::<Vec<_>>(), ["doctor"]);
}

#[test]
fn tokens_of_a_signed_in_user_are_accepted_by_ring() {
    is_accepted(&Ring::new());
}

#[test]
fn tokens_of_a_signed_in_user_are_accepted_by_aws_lc() {
    is_accepted(&AwsLc::new());
}

#[test]
fn without_the_opt_in_its_only_key_is_left_out() {
    let pool = Pool::new();
    let refused = KeySet::from_jwks(&Ring::new(), pool.jwks.as_bytes());
    assert_eq!(kind(refused), ErrorKind::KeyNone);
    let mut jwks: Value = serde_json::from_str(&pool.jwks).expect("JSON");
    let key = bartizan_tokens::SigningKey::generate(&Ring::new(), Algorithm::Es256, None, &os::OsEntropy);
    let key = key.expect("a key").verifying().to_public_jwk().expect("a public key");
    let keys = jwks["keys"].as_array_mut().expect("keys");
    keys.push(serde_json::from_str(&key).expect("a JWK"));
    let (kept, skipped) =
        KeySet::from_jwks(&Ring::new(), jwks.to_string().as_bytes()).expect("the other key");
    assert_eq!(kept.keys().len(), 1);
    assert_eq!(skipped.iter().map(|key| key.reason).collect::<Vec<_>>(), [SkipReason::RsaPkcs1]);
}

#[test]
fn neither_token_passes_for_the_other() {
    let pool = Pool::new();
    assert_eq!(kind(pool.access(&Ring::new(), &pool.client, &pool.id_token)), ErrorKind::Type);
    assert_eq!(kind(pool.id(&Ring::new(), &pool.client, &pool.access_token)), ErrorKind::Type);
}

#[test]
fn a_token_of_another_pool_with_the_same_key_is_refused() {
    let (one, two) = (Pool::new(), Pool::new());
    assert_eq!(kind(one.access(&Ring::new(), &two.client, &two.access_token)), ErrorKind::Issuer);
    assert_eq!(kind(one.id(&Ring::new(), &two.client, &two.id_token)), ErrorKind::Issuer);
}

#[test]
fn a_token_of_another_client_is_refused() {
    let pool = Pool::new();
    assert_eq!(kind(pool.access(&Ring::new(), "other", &pool.access_token)), ErrorKind::Audience);
    assert_eq!(kind(pool.id(&Ring::new(), "other", &pool.id_token)), ErrorKind::Audience);
}

#[test]
fn the_signature_of_another_token_of_the_same_key_is_refused() {
    let (one, two) = (Pool::new(), Pool::new());
    let (signed, _) = one.access_token.rsplit_once('.').expect("three parts");
    let (_, signature) = two.access_token.rsplit_once('.').expect("three parts");
    let token = format!("{signed}.{signature}");
    assert_eq!(kind(one.access(&Ring::new(), &one.client, &token)), ErrorKind::Signature);
    assert_eq!(kind(one.access(&AwsLc::new(), &one.client, &token)), ErrorKind::Signature);
}
