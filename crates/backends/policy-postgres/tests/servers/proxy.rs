//! A network between the store and the server that fails when it is told to.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
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
}

/// As many rows as there are.
const ALL_ROWS: i64 = -1;

/// Forwards to the real server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// Rows of answers that still pass; below zero, all.
    rows: AtomicI64,
    /// Requests that still pass; below zero, all.
    left: AtomicI64,
    fault: watch::Sender<Option<Fault>>,
    failed: AtomicI64,
}

impl Proxy {
    pub(crate) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            rows: AtomicI64::new(ALL_ROWS),
            left: AtomicI64::new(-1),
            fault: watch::channel(None).0,
            failed: AtomicI64::new(0),
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

    /// Lets so many more rows of answers pass, and ends the connection in the middle of the next.
    pub(crate) fn cut_after_rows(&self, rows: i64) {
        self.state.failed.store(0, Ordering::SeqCst);
        self.state.rows.store(rows, Ordering::SeqCst);
    }

    /// Lets everything pass again; what stood still goes on. Whether it had failed.
    pub(crate) fn mend(&self) -> bool {
        self.state.rows.store(ALL_ROWS, Ordering::SeqCst);
        self.state.left.store(-1, Ordering::SeqCst);
        self.state.fault.send_replace(None);
        self.state.failed.load(Ordering::SeqCst) > 0
    }
}

/// Takes a server's messages apart: a byte for the kind, four for the length.
#[derive(Default)]
struct Messages(Vec<u8>);

impl Messages {
    fn next(&mut self) -> Option<Vec<u8>> {
        let length = u32::from_be_bytes(self.0.get(1..5)?.try_into().ok()?);
        let end = usize::try_from(length).ok()? + 1;
        (self.0.len() >= end).then(|| self.0.drain(..end).collect())
    }
}

impl State {
    /// Whether this message passes: all that are no rows do.
    fn passes(&self, message: &[u8]) -> bool {
        if message.first() != Some(&b'D') || self.rows.load(Ordering::SeqCst) < 0 {
            return true;
        }
        if self.rows.fetch_sub(1, Ordering::SeqCst) > 0 {
            return true;
        }
        self.rows.store(0, Ordering::SeqCst);
        self.failed.fetch_add(1, Ordering::SeqCst);
        false
    }

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
    let mut messages = Messages::default();
    let mut is_first = true;
    loop {
        let read = tokio::select! {
            biased;
            _ = is_cut.wait_for(|is_cut| *is_cut) => return,
            read = from.read(&mut bytes) => read,
        };
        let Ok(read @ 1..) = read else { return };
        let is_stopped =
            *state.fault.borrow() == Some(Fault::Stopped) && state.left.load(Ordering::SeqCst) == 0;
        if is_stopped && state.failed.load(Ordering::SeqCst) > 0 {
            state.until_mended().await;
        }
        // Whether the connection is encrypted is answered by a single byte, which is no message: it is not.
        if std::mem::take(&mut is_first) && read == 1 {
            if to.write_all(&bytes[..1]).await.is_err() {
                return;
            }
            continue;
        }
        messages.0.extend_from_slice(&bytes[..read]);
        while let Some(message) = messages.next() {
            if !state.passes(&message) {
                let _ = to.write_all(&message[..message.len() / 2]).await;
                return;
            }
            if to.write_all(&message).await.is_err() {
                return;
            }
        }
    }
}
