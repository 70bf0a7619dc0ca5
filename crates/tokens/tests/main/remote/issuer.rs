//! An issuer that answers as it is told, and an executor that runs a driver as far as it goes.

use std::{
    collections::VecDeque,
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use async_trait::async_trait;
use bartizan_core::{RawToken, SecretBytes, UnixTime};
use bartizan_crypto::{Provider, SignatureAlgorithm};
use bartizan_crypto_ring::Ring;
use bartizan_testkit::ManualClock;
use bartizan_tokens::{
    ErrorKind, FetchError, FetchRequest, Fetched, Freshness, JwksDriver, JwksFetch, JwksUrl, KeySet,
    RemoteJwks, RemoteJwksBuilder, SigningKey, Verifier, jws,
};

use crate::support::{AUDIENCE, ISSUER, KID, NOW, encode, good_claims};

pub(crate) const URL: &str = "https://login.example/jwks";

/// What the issuer does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    With(Result<Fetched, FetchError>),
    Never,
}

/// Answers from a script; the last answer stays.
#[derive(Debug)]
pub(crate) struct Issuer {
    script: Mutex<VecDeque<Answer>>,
    /// The `ETag` of each request.
    asked: Mutex<Vec<Option<String>>>,
    in_flight: Arc<AtomicBool>,
}

/// Is true as long as it lives.
struct Flight(Arc<AtomicBool>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

#[async_trait]
impl JwksFetch for Issuer {
    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        assert!(!self.in_flight.swap(true, Ordering::SeqCst), "two requests at once");
        let _flight = Flight(self.in_flight.clone());
        assert_eq!(request.url().as_str(), URL);
        self.asked.lock().unwrap().push(request.etag().map(str::to_owned));
        let answer = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
        };
        match answer.expect("an issuer has something to say") {
            Answer::With(answer) => answer,
            Answer::Never => pending().await,
        }
    }
}

pub(crate) fn key(secret: u8, kid: &str) -> SigningKey {
    let private =
        Ring::new().private_key(SignatureAlgorithm::Ed25519, SecretBytes::new(vec![secret; 32])).unwrap();
    SigningKey::from_private(&Ring::new(), Some(kid), &private).unwrap()
}

pub(crate) fn jwks(keys: &[&SigningKey]) -> String {
    KeySet::new(keys.iter().map(|key| key.verifying())).unwrap().to_jwks().unwrap()
}

pub(crate) fn body(bytes: impl Into<Vec<u8>>, max_age: u64) -> Answer {
    let freshness = Freshness::lasting(Duration::from_secs(max_age));
    Answer::With(Ok(Fetched::Body { bytes: bytes.into(), etag: None, freshness }))
}

pub(crate) fn tagged(bytes: impl Into<Vec<u8>>, etag: &str) -> Answer {
    let freshness = Freshness::lasting(Duration::from_secs(60));
    Answer::With(Ok(Fetched::Body { bytes: bytes.into(), etag: Some(etag.into()), freshness }))
}

pub(crate) fn not_modified() -> Answer {
    Answer::With(Ok(Fetched::NotModified { freshness: Freshness::UNSAID }))
}

pub(crate) fn failure(error: impl Into<FetchError>) -> Answer {
    Answer::With(Err(error.into()))
}

/// A token that is good at `NOW` and for ten minutes.
pub(crate) fn token(key: &SigningKey) -> String {
    jws::sign(key, Some("at+jwt"), good_claims().as_bytes()).unwrap().expose().to_owned()
}

/// A token of which only the header is looked at.
pub(crate) fn naming(kid: &str) -> String {
    let header = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}"#);
    format!("{}.e30.{}", encode(header), "A".repeat(86))
}

/// A source, its issuer and a verifier that reads it.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) remote: RemoteJwks,
    pub(crate) verifier: Verifier,
    pub(crate) driver: Task<()>,
}

impl World {
    pub(crate) fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Self::with(script, |builder| builder)
    }

    pub(crate) fn with(
        script: impl IntoIterator<Item = Answer>,
        rules: impl FnOnce(RemoteJwksBuilder) -> RemoteJwksBuilder,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(UnixTime::from_secs(NOW)));
        let issuer = Arc::new(Issuer {
            script: Mutex::new(script.into_iter().collect()),
            asked: Mutex::new(Vec::new()),
            in_flight: Arc::new(AtomicBool::new(false)),
        });
        let url = JwksUrl::new(URL).unwrap();
        let builder = RemoteJwks::from_url(url, issuer.clone(), Arc::new(Ring::new()), clock.clone());
        let (remote, driver) = rules(builder).build();
        let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, &remote, clock.clone()).unwrap();
        Self { clock, issuer, remote, verifier, driver: Task::new(JwksDriver::run(driver)) }
    }

    /// Lets time pass by seconds, the driver doing what it does.
    pub(crate) fn pass(&mut self, secs: u64) {
        self.driver.turn();
        for _ in 0..secs {
            self.clock.advance(Duration::from_secs(1));
            self.driver.turn();
        }
    }

    /// From now on the issuer says this.
    pub(crate) fn says(&self, answer: Answer) {
        *self.issuer.script.lock().unwrap() = VecDeque::from([answer]);
    }

    pub(crate) fn asked(&self) -> Vec<Option<String>> {
        self.issuer.asked.lock().unwrap().clone()
    }

    pub(crate) fn is_asking(&self) -> bool {
        self.issuer.in_flight.load(Ordering::SeqCst)
    }

    /// The kind of what is said about a token, which is none for a good one. Its time is that of `NOW` whatever the time is.
    pub(crate) fn judge(&self, token: &str) -> Option<ErrorKind> {
        self.verifier.verify(RawToken::new(token)).err().map(|error| error.kind())
    }

    /// Whether tokens of this key are believed, leaving aside that they have expired.
    pub(crate) fn believes(&self, key: &SigningKey) -> bool {
        matches!(self.judge(&token(key)), None | Some(ErrorKind::Expired))
    }
}

/// A future that is polled when it was woken.
pub(crate) struct Task<T> {
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    woken: Arc<Woken>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<T> Task<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self { future: Some(Box::pin(future)), woken: Arc::new(Woken(AtomicBool::new(true))) }
    }

    /// Runs as far as it goes.
    pub(crate) fn turn(&mut self) -> Option<T> {
        let mut turns = 0;
        while self.woken.0.swap(false, Ordering::SeqCst) {
            turns += 1;
            assert!(turns < 100, "it wakes itself for ever");
            let future = self.future.as_mut()?;
            let waker = Waker::from(self.woken.clone());
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                self.future = None;
                return Some(done);
            }
        }
        None
    }

    pub(crate) fn is_over(&self) -> bool {
        self.future.is_none()
    }

    pub(crate) fn cancel(&mut self) {
        self.future = None;
    }
}

pub(crate) fn first() -> SigningKey {
    key(1, KID)
}

pub(crate) fn second() -> SigningKey {
    key(2, "k2")
}
