//! A network between the store and the server that fails when it is told to.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before the request reaches the server.
    BeforeTheRequest,
    /// The request is carried out, and the connection ends before the answer.
    BeforeTheAnswer,
    /// Nothing moves any more, as when the server's process is stopped.
    Stopped,
    /// The server itself is struck, and then the request goes on its way.
    StruckBefore,
    /// The request is carried out, and the server is struck before its answer gets here.
    StruckAfter,
}

/// Forwards to the real server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// Requests that still pass; below zero, all.
    left: AtomicI64,
    fault: watch::Sender<Option<Fault>>,
    failed: AtomicI64,
    strike: Mutex<Strike>,
}

/// What is done to the server.
type Strike = Option<Box<dyn FnOnce() + Send>>;

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            left: AtomicI64::new(-1),
            fault: watch::channel(None).0,
            failed: AtomicI64::new(0),
            strike: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let (cut, is_cut) = watch::channel(false);
                let cut = Arc::new(cut);
                tokio::spawn(requests(from_client, to_server, Arc::clone(&shared), Arc::clone(&cut)));
                tokio::spawn(answers(from_server, to_client, Arc::clone(&shared), is_cut));
            }
        });
        Self { address, state }
    }

    /// Lets so many more requests pass, and then fails.
    pub(crate) fn fail_after(&self, requests: i64, fault: Fault) {
        self.state.failed.store(0, Ordering::SeqCst);
        self.state.fault.send_replace(Some(fault));
        self.state.left.store(requests, Ordering::SeqCst);
    }

    /// The same, with what is done to the server then.
    pub(crate) fn strike_after(&self, requests: i64, fault: Fault, strike: impl FnOnce() + Send + 'static) {
        *self.state.strike.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(strike));
        self.fail_after(requests, fault);
    }

    /// Lets everything pass again; what stood still goes on. Whether it had failed.
    pub(crate) fn mend(&self) -> bool {
        self.state.left.store(-1, Ordering::SeqCst);
        self.state.fault.send_replace(None);
        // From here on nobody strikes any more. A pool asks once more when it gets a connection back: a strike may still wait.
        let waits = self.state.strike.lock().unwrap_or_else(PoisonError::into_inner).take().is_some();
        !waits && self.state.failed.load(Ordering::SeqCst) > 0
    }
}

impl State {
    /// What becomes of the next request.
    fn next(&self) -> Option<Fault> {
        let fault = (*self.fault.borrow())?;
        let passes =
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some((left - 1).max(0)));
        if passes.is_ok_and(|left| left != 0) {
            return None;
        }
        self.failed.fetch_add(1, Ordering::SeqCst);
        Some(fault)
    }

    fn strike(&self) {
        let mut strike = self.strike.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(strike) = strike.take() {
            strike();
        }
    }

    async fn until_mended(&self) {
        let _ = self.fault.subscribe().wait_for(Option::is_none).await;
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
    cut: Arc<watch::Sender<bool>>,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        match state.next() {
            None => {}
            Some(Fault::BeforeTheRequest) => break,
            Some(Fault::BeforeTheAnswer) => {
                cut.send_replace(true);
                let _ = to.write_all(&bytes[..read]).await;
                // The server gets the time to carry it out: it sees the end of the connection only when it reads again.
                break;
            }
            Some(Fault::Stopped) => state.until_mended().await,
            Some(Fault::StruckBefore) => state.strike(),
            // As soon as an answer comes.
            Some(Fault::StruckAfter) => {}
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
    cut.send_replace(true);
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<State>,
    mut is_cut: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            _ = is_cut.wait_for(|is_cut| *is_cut) => return,
            read = from.read(&mut bytes) => read,
        };
        let Ok(read @ 1..) = read else { return };
        let fault = (*state.fault.borrow()).filter(|_| state.failed.load(Ordering::SeqCst) > 0);
        match fault {
            Some(Fault::Stopped) if state.left.load(Ordering::SeqCst) == 0 => state.until_mended().await,
            Some(Fault::StruckAfter) => {
                state.strike();
                return;
            }
            _ => {}
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
