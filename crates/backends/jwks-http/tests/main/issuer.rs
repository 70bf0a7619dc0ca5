//! An issuer on this machine, and a service that believes it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use bartizan_clock_tokio::TokioClock;
use bartizan_core::{Clock, Fault, RawToken};
use bartizan_crypto_ring::Ring;
use bartizan_egress::{Allow, Trust};
use bartizan_jwks_http::Config;
use bartizan_testkit::SeededEntropy;
use bartizan_tokens::{
    Algorithm, ErrorKind, JwksUrl, KeySet, RemoteJwks, RemoteJwksBuilder, SigningKey, Verifier, jws,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const AUDIENCE: &str = "https://api.example";

/// What the issuer does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    /// Says this and waits for the next request.
    Say(Vec<u8>),
    /// Says this, then this again and again until nobody listens.
    Pour(Vec<u8>, Vec<u8>),
    /// Says this, then a byte every second.
    Drip(Vec<u8>),
    /// Says this and resets the connection.
    Reset(Vec<u8>),
}

pub(crate) struct Issuer {
    pub(crate) address: SocketAddr,
    does: Arc<Mutex<Does>>,
    heads: Arc<Mutex<Vec<String>>>,
    poured: Arc<Mutex<usize>>,
}

impl Issuer {
    pub(crate) async fn start(does: Does, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let issuer = Self {
            address: listener.local_addr().unwrap(),
            does: Arc::new(Mutex::new(does)),
            heads: Arc::default(),
            poured: Arc::default(),
        };
        let (does, heads, poured) = (issuer.does.clone(), issuer.heads.clone(), issuer.poured.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (does, heads, poured, tls) = (does.clone(), heads.clone(), poured.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => {
                            serve(stream, &does, &heads, &poured, |stream| stream.set_zero_linger().unwrap())
                                .await
                        }
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &does, &heads, &poured, |_| ()).await;
                            }
                        }
                    }
                });
            }
        });
        issuer
    }

    /// From now on.
    pub(crate) fn does(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }

    /// The heads of the requests so far, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// How many bytes went out in the end.
    pub(crate) fn poured(&self) -> usize {
        *self.poured.lock().unwrap()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    does: &Mutex<Does>,
    heads: &Mutex<Vec<String>>,
    poured: &Mutex<usize>,
    reset: impl Fn(&S),
) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        heads.lock().unwrap().push(String::from_utf8(head).unwrap().to_ascii_lowercase());
        let does = does.lock().unwrap().clone();
        match does {
            Does::Say(text) => {
                if stream.write_all(&text).await.is_err() {
                    return;
                }
            }
            Does::Pour(text, drop) => {
                stream.write_all(&text).await.unwrap();
                let bucket = drop.repeat((64 * 1024 / drop.len()).max(1));
                while let Ok(written) = stream.write(&bucket).await {
                    *poured.lock().unwrap() += written;
                }
                return;
            }
            Does::Drip(text) => {
                stream.write_all(&text).await.unwrap();
                while stream.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
                return;
            }
            Does::Reset(text) => {
                stream.write_all(&text).await.unwrap();
                reset(&stream);
                return;
            }
        }
    }
}

pub(crate) fn say(status: &str, headers: &str, body: &str) -> Does {
    Does::Say(
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes(),
    )
}

pub(crate) fn ok(headers: &str, body: &str) -> Does {
    say("200 OK", headers, body)
}

pub(crate) fn key(seed: u64, kid: &str) -> SigningKey {
    SigningKey::generate(&Ring::new(), Algorithm::EdDsa, Some(kid), &SeededEntropy::new(seed)).unwrap()
}

pub(crate) fn jwks(keys: &[&SigningKey]) -> String {
    KeySet::new(keys.iter().map(|key| key.verifying())).unwrap().to_jwks().unwrap()
}

/// A service with one issuer.
pub(crate) struct Service {
    pub(crate) remote: RemoteJwks,
    pub(crate) verifier: Arc<Verifier>,
    clock: Arc<dyn Clock>,
}

impl Service {
    pub(crate) async fn start(issuer: &Issuer) -> Self {
        let url = format!("http://{}/jwks", issuer.address);
        Self::with(&url, Trust::web(), |builder| builder).await
    }

    /// Not yet ready.
    pub(crate) async fn with(
        url: &str,
        trust: Trust,
        rules: impl FnOnce(RemoteJwksBuilder) -> RemoteJwksBuilder,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
        let url = JwksUrl::new(url).unwrap();
        let config = Config::new(url.clone()).trust(trust).allow(Allow::danger_loopback());
        let fetch = Arc::new(config.build(clock.clone()).unwrap());
        let builder = RemoteJwks::from_url(url, fetch, Arc::new(Ring::new()), clock.clone());
        let (remote, driver) = rules(builder).build();
        tokio::spawn(driver.run());
        let verifier = Verifier::access_tokens(ISSUER, AUDIENCE, &remote, clock.clone()).unwrap();
        Self { remote, verifier: Arc::new(verifier), clock }
    }

    /// A token that is good now.
    pub(crate) fn token(&self, key: &SigningKey) -> String {
        let now = self.clock.wall().as_secs();
        let claims = format!(
            r#"{{"iss":"{ISSUER}","sub":"ada","aud":"{AUDIENCE}","exp":{},"iat":{now},"jti":"t","client_id":"web"}}"#,
            now + 600
        );
        jws::sign(key, Some("at+jwt"), claims.as_bytes()).unwrap().expose().to_owned()
    }

    /// Why a token of this key is not believed, if it is not.
    pub(crate) fn judge(&self, key: &SigningKey) -> Option<ErrorKind> {
        let error = self.verifier.verify(RawToken::new(&self.token(key))).err()?;
        if error.kind() == ErrorKind::KeysUnavailable {
            assert_eq!(error.fault(), Fault::Backend, "503 and never 401");
        }
        Some(error.kind())
    }
}
