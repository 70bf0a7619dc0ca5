//! A server that does with each connection what the test says, and counts.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use bartizan_clock_tokio::TokioClock;
use bartizan_egress::{Allow, Client, Error, Guard, Limits, Request, Resolver, Trust, Url};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), serve).await
    }

    pub(crate) async fn start_at<F>(
        address: SocketAddr,
        serve: impl Fn(TcpStream) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, connections }
    }

    /// Answers every request with this text.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::start(move |stream| answer_all(stream, answer.clone())).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

pub(crate) async fn answer_all(mut stream: TcpStream, answer: Arc<Vec<u8>>) {
    while read_head(&mut stream).await.is_some() {
        if stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// The head of a request, if there is one. Bodies of the tests' requests have two bytes.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    if head.to_ascii_lowercase().contains("content-length: 2") {
        stream.read_u16().await.ok()?;
    }
    Some(head)
}

/// Writes until nobody reads any more. Says how many bytes went out.
pub(crate) async fn pour(stream: &mut (impl AsyncWrite + Unpin), drop: &[u8]) -> usize {
    let mut poured = 0;
    let bucket = drop.repeat((64 * 1024 / drop.len()).max(1));
    while let Ok(written) = stream.write(&bucket).await {
        poured += written;
        assert!(poured < 1 << 30, "somebody drinks a gigabyte");
    }
    poured
}

pub(crate) fn local() -> Guard {
    Guard::public().allow(Allow::danger_loopback())
}

pub(crate) fn client() -> Client {
    Client::new(local(), Trust::web(), Arc::new(TokioClock::new())).unwrap()
}

pub(crate) fn client_with(guard: Guard, trust: Trust, resolver: impl Resolver) -> Client {
    Client::with(guard, trust, Arc::new(TokioClock::new()), Arc::new(resolver), Limits::DEFAULT).unwrap()
}

pub(crate) fn get(server: &Server) -> Request {
    Request::get(server.url("/")).max_body(1_000)
}

pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Resolves every name to these addresses, in turn; the last stay.
#[derive(Debug)]
pub(crate) struct Names {
    turns: Mutex<Vec<Vec<IpAddr>>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    pub(crate) fn new(turns: &[&[&str]]) -> (Self, Arc<AtomicUsize>) {
        let parse = |turn: &&[&str]| turn.iter().map(|ip| ip.parse().unwrap()).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        (Self { turns: Mutex::new(turns.iter().map(parse).collect()), asked: asked.clone() }, asked)
    }
}

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut turns = self.turns.lock().unwrap();
        Ok(if turns.len() > 1 { turns.remove(0) } else { turns.first().cloned().unwrap_or_default() })
    }
}
