//! The listening side: HTTP/1.1 on one address, with bounds on what a client may hold open.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::ConnectInfo, http::Request};
use bartizan::core::Entropy;
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{Sleep, sleep, timeout},
};

use crate::{Clinic, Error, routes, wire::Wire};

/// The most connections at once; more wait until one of them ends.
const CONNECTIONS: usize = 256;

/// How long a request's head may take, which is also how long a connection may rest between two requests.
const HEAD: Duration = Duration::from_secs(5);

/// The longest request line and headers together, in bytes.
const HEAD_BYTES: usize = 64 * 1024;

/// How long a request's body may take. What is missing then is answered like what is malformed.
const BODY: Duration = Duration::from_secs(5);

/// How long a connection lives at most: one that sends or reads ever so slowly ends, too.
const LIFE: Duration = Duration::from_secs(60);

/// How long requests that are under way have when the clinic stops.
const GRACE: Duration = Duration::from_secs(3);

/// A clinic that listens, until it is told to stop or dropped.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
    upkeep: JoinHandle<()>,
    follower: JoinHandle<()>,
    clinic: Clinic,
}

/// Takes an address; port 0 takes a free one. Whoever connects waits until the clinic serves.
///
/// # Errors
/// When the address cannot be had.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| Error::Address(address, error))
}

/// Lets a clinic answer on an address that was taken.
///
/// # Errors
/// When a route has no policy.
pub fn serve(clinic: Clinic, listener: TcpListener) -> Result<Listening, Error> {
    let entropy = Arc::clone(&clinic.inner().parts.entropy);
    let router = routes::router(clinic.clone())?;
    let address = listener.local_addr().map_err(Error::part("listening"))?;
    let (stop, stopping) = watch::channel(());
    let upkeep = tokio::spawn(keep_up(clinic.clone(), stopping.clone()));
    let follower = tokio::spawn(follow(clinic.clone(), stopping.clone()));
    let live = clinic.inner().live.clone();
    let task = tokio::spawn(async move {
        // What changes roles finds what is followed at work. A policy that is refused by now is no reason to stay away: it was good
        // when the clinic opened.
        let _followed = live.ready().await;
        accept(listener, router, entropy, stopping).await;
    });
    Ok(Listening { address, stop, task, upkeep, follower, clinic })
}

/// Follows what was revoked and brings what happened to sessions to the record, until the clinic stops.
async fn keep_up(clinic: Clinic, mut stopping: watch::Receiver<()>) {
    let Some(upkeep) = &clinic.inner().parts.upkeep else { return };
    tokio::select! {
        never = upkeep.run() => match never {},
        _ = stopping.changed() => {}
    }
}

/// Keeps policy and roles as they are, until the clinic stops.
async fn follow(clinic: Clinic, mut stopping: watch::Receiver<()>) {
    tokio::select! {
        () = clinic.follow_policy() => {}
        _ = stopping.changed() => {}
    }
}

impl Listening {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new connections, answers what is under way, and stops; after three seconds it stops whatever is under way.
    ///
    /// # Errors
    /// When serving failed.
    pub async fn stop(self) -> Result<(), Error> {
        // A dropped sender says stop.
        drop(self.stop);
        let served = self.task.await.map_err(Error::part("serving"));
        self.upkeep.await.map_err(Error::part("upkeep"))?;
        self.follower.await.map_err(Error::part("policy"))?;
        self.clinic.inner().errands.finish().await;
        self.clinic.deliver().await?;
        served
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    entropy: Arc<dyn Entropy>,
    mut stopping: watch::Receiver<()>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let (accepted, place) = tokio::select! {
            _ = stopping.changed() => break,
            next = async {
                let place = Arc::clone(&room).acquire_owned().await;
                (listener.accept().await, place)
            } => next,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => {
                let wire = Wire::new(stream, Arc::clone(&entropy));
                let connection = converse(wire, peer, router.clone(), stopping.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            // Most likely too many open files: whoever is served now gives some back.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Answers one connection's requests until it ends, or has to.
async fn converse(wire: Wire, peer: SocketAddr, router: Router, mut stopping: watch::Receiver<()>) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Timely::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        Box::pin(router.call(request))
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        // Whoever has sent half a request and nothing more is still told what is wrong with it.
        .half_close(true)
        .serve_connection(TokioIo::new(wire), service);
    let is_done = tokio::select! {
        // What went wrong on a connection is its client's business.
        _ = poll_fn(|cx| connection.poll_without_shutdown(cx)) => true,
        _ = stopping.changed() => false,
        () = sleep(LIFE) => false,
    };
    if !is_done {
        Pin::new(&mut connection).graceful_shutdown();
        if timeout(GRACE, poll_fn(|cx| connection.poll_without_shutdown(cx))).await.is_err() {
            return;
        }
    }
    connection.into_parts().io.into_inner().end().await;
}

/// A body that has to be there in time.
struct Timely {
    body: Incoming,
    until: Pin<Box<Sleep>>,
}

impl Timely {
    fn new(body: Incoming) -> Self {
        Self { body, until: Box::pin(sleep(BODY)) }
    }
}

impl Body for Timely {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
