//! What servers answer: everything is bounded in bytes and in time, and nothing is followed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bartizan_core::SecretText;
use bartizan_egress::{ErrorKind, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    time::Instant,
};

use crate::server::{Server, client, get, ok, pour, read_head};

/// What fits in the buffers of both sockets and of the client. The kernel grows its own up to a few megabytes.
const BUFFERS: usize = 24 * 1024 * 1024;

async fn kind(answer: impl Into<Vec<u8>>) -> Result<u16, ErrorKind> {
    let server = Server::saying(answer).await;
    client().send(get(&server)).await.map(|response| response.status()).map_err(|error| error.kind())
}

#[tokio::test]
async fn an_answer_is_taken_whole() {
    let server =
        Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\nX: 1\r\nX: 2\r\n\r\nhello")
            .await;
    let response = client().send(get(&server)).await.unwrap();
    assert_eq!((response.status(), response.body(), response.is_cut()), (200, &b"hello"[..], false));
    assert_eq!(response.header("etag"), Some("\"a\""));
    assert_eq!(response.headers("x").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(response.header("y"), None);
}

#[tokio::test]
async fn a_request_says_what_it_was_given_and_asks_for_no_encoding() {
    let (sender, receiver) = oneshot::channel();
    let sender = Arc::new(std::sync::Mutex::new(Some(sender)));
    let server = Server::start(move |mut stream| {
        let sender = sender.lock().unwrap().take().unwrap();
        async move {
            let head = read_head(&mut stream).await.unwrap();
            stream.write_all(ok("").as_bytes()).await.unwrap();
            sender.send(head).unwrap();
        }
    })
    .await;
    let request = Request::post(server.url("/a/b?c=d"), b"{}".to_vec())
        .header("Content-Type", "application/json")
        .unwrap()
        .secret_header("X-Vault-Token", &SecretText::new("canary".to_owned()))
        .unwrap();
    assert!(!format!("{request:?}").contains("canary") && !format!("{request:?}").contains("c=d"));
    client().send(request).await.unwrap();
    let head = receiver.await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("post /a/b?c=d http/1.1\r\n"), "{head}");
    for line in [
        format!("host: {}", server.address),
        "content-type: application/json".into(),
        "x-vault-token: canary".into(),
        "content-length: 2".into(),
        "user-agent: bartizan".into(),
    ] {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert!(!head.contains("encoding") && !head.contains("cookie"), "{head}");
}

#[tokio::test]
async fn headers_of_the_connection_are_not_the_callers() {
    for (name, value) in [
        ("Host", "evil.example"),
        ("content-length", "5"),
        ("Transfer-Encoding", "chunked"),
        ("accept-encoding", "gzip"),
        ("connection", "upgrade"),
        ("x", "a\r\nHost: evil"),
        ("x y", "a"),
        ("", "a"),
    ] {
        let request = Request::get(bartizan_egress::Url::parse("https://a.example/").unwrap());
        assert_eq!(request.header(name, value).unwrap_err().kind(), ErrorKind::Header, "{name}");
    }
}

#[tokio::test]
async fn asvs_15_3_2_no_redirect_is_followed_wherever_it_leads() {
    let canary = Server::saying(ok("secret")).await;
    let places = [
        canary.url("/").host() + ":" + &canary.address.port().to_string(),
        "169.254.169.254/latest/meta-data".into(),
        "login.example".into(),
    ];
    for place in places {
        for status in
            ["300 Multiple Choices", "301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"]
        {
            for scheme in ["http", "https"] {
                let answer =
                    format!("HTTP/1.1 {status}\r\nLocation: {scheme}://{place}\r\nContent-Length: 0\r\n\r\n");
                assert_eq!(kind(answer).await, Err(ErrorKind::Redirect), "{status} {scheme}://{place}");
            }
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn statuses_that_are_no_answer_are_errors() {
    assert_eq!(kind("HTTP/1.1 304 Not Modified\r\n\r\n").await, Ok(304));
    assert_eq!(kind("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await, Ok(404));
    assert_eq!(
        kind("HTTP/1.1 503 Unavailable\r\nRetry-After: 5\r\nContent-Length: 1\r\n\r\nx").await,
        Ok(503)
    );
    assert_eq!(kind("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n").await, Err(ErrorKind::Protocol));
    assert_eq!(kind("HTTP/0.9 200 OK\r\n\r\n").await, Err(ErrorKind::Protocol));
    assert_eq!(kind("<html>\r\n\r\n").await, Err(ErrorKind::Protocol));
    assert_eq!(kind("SSH-2.0-OpenSSH_9.6\r\n").await, Err(ErrorKind::Protocol));
    assert!(kind("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n").await.is_err());
}

#[tokio::test]
async fn a_body_beyond_its_limit_is_not_begun_when_it_says_so() {
    let poured = Arc::new(AtomicUsize::new(0));
    let counted = poured.clone();
    let (done, over) = oneshot::channel();
    let done = Arc::new(std::sync::Mutex::new(Some(done)));
    let server = Server::start(move |mut stream| {
        let (counted, done) = (counted.clone(), done.lock().unwrap().take().unwrap());
        async move {
            read_head(&mut stream).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n").await.unwrap();
            counted.store(pour(&mut stream, b"a").await, Ordering::SeqCst);
            done.send(()).unwrap();
        }
    })
    .await;
    let error = client().send(get(&server)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    over.await.unwrap();
    assert!(poured.load(Ordering::SeqCst) < BUFFERS, "{poured:?}");
}

/// A server that says `head` and then pours `drop` without an end; how that ends for the client.
async fn flood(head: &'static [u8], drop: &'static [u8]) -> Result<(u16, usize, bool), ErrorKind> {
    let (done, over) = oneshot::channel();
    let done = Arc::new(std::sync::Mutex::new(Some(done)));
    let server = Server::start(move |mut stream| {
        let done = done.lock().unwrap().take().unwrap();
        async move {
            read_head(&mut stream).await.unwrap();
            stream.write_all(head).await.unwrap();
            let _ = done.send(pour(&mut stream, drop).await);
        }
    })
    .await;
    let answer = client().send(get(&server)).await;
    let poured = over.await.unwrap();
    assert!(poured < BUFFERS, "{poured} bytes went out");
    match answer {
        Ok(response) => Ok((response.status(), response.body().len(), response.is_cut())),
        Err(error) => Err(error.kind()),
    }
}

#[tokio::test]
async fn floods_of_every_kind_are_dammed() {
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(
        flood(CHUNKED, b"1\r\na\r\n").await,
        Err(ErrorKind::TooLarge),
        "a gigabyte in chunks of one byte"
    );
    assert_eq!(
        flood(CHUNKED, b"ffff\r\n").await.map(drop),
        Err(ErrorKind::TooLarge),
        "in one chunk after another"
    );
    assert_eq!(flood(b"HTTP/1.1 200 OK\r\n\r\n", b"a").await, Err(ErrorKind::TooLarge), "until it closes");
    assert_eq!(flood(b"HTTP/1.1 500 Oh\r\n\r\n", b"a").await, Ok((500, 1_000, true)), "an error is cut");
    assert!(flood(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n").await.is_err(), "interim answers");
    assert!(flood(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n").await.is_err(), "headers");
    assert!(flood(b"HTTP/1.1 200 OK\r\nX: ", b"y").await.is_err(), "one header");
    assert!(
        flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n").await.is_err(),
        "trailers"
    );
    assert!(
        flood(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x").await.is_err(),
        "an extension"
    );
    assert!(flood(CHUNKED, b"0").await.is_err(), "the size of a chunk");
}

#[tokio::test]
async fn many_or_great_headers_are_refused() {
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(65));
    assert_eq!(kind(many).await, Err(ErrorKind::Protocol));
    let great = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(17 * 1024));
    assert_eq!(kind(great).await, Err(ErrorKind::Protocol));
    let fair = format!("HTTP/1.1 200 OK\r\nX: {}\r\nContent-Length: 0\r\n\r\n", "y".repeat(4 * 1024));
    assert_eq!(kind(fair).await, Ok(200));
}

#[tokio::test]
async fn an_encoding_is_refused_before_its_body_is_looked_at() {
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip", "x"] {
        // The first bytes of what might be a bomb.
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 4\r\n\r\n\x1f\x0b\x08\0"
        );
        assert_eq!(kind(answer).await, Err(ErrorKind::Encoding), "{encoding}");
    }
    assert_eq!(
        kind("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\na").await,
        Ok(200)
    );
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_refused() {
    for head in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: -1",
        "Content-Length: +5",
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nhello!");
        assert_eq!(kind(answer).await, Err(ErrorKind::Protocol), "{head}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_no_answer() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "",
    ] {
        let server = Server::start(move |mut stream| async move {
            read_head(&mut stream).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            // Closed with something unread, a socket is reset.
            stream.set_zero_linger().unwrap();
        })
        .await;
        let error = client().send(get(&server)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_drip_gets_the_time_of_a_whole_answer_and_no_more() {
    let server = Server::start(|mut stream| async move {
        read_head(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n").await.unwrap();
        while stream.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(900)).await;
        }
    })
    .await;
    let start = Instant::now();
    let error = client().send(get(&server)).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed()), (ErrorKind::Timeout, Duration::from_secs(10)));
}

#[tokio::test(start_paused = true)]
async fn drips_of_headers_and_silence_end_in_time() {
    for drops in [0, 1_000] {
        let server = Server::start(move |mut stream| async move {
            read_head(&mut stream).await.unwrap();
            for _ in 0..drops {
                if stream.write_all(b"H").await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(900)).await;
            }
            std::future::pending::<()>().await;
        })
        .await;
        let start = Instant::now();
        let error = client().send(get(&server)).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol), "{error}");
        assert!(start.elapsed() <= Duration::from_secs(10));
    }
}

#[tokio::test]
async fn dropping_a_request_ends_its_connection() {
    let (arrived, arrival) = oneshot::channel();
    let (ended, end) = oneshot::channel();
    let channels = Arc::new(std::sync::Mutex::new(Some((arrived, ended))));
    let server = Server::start(move |mut stream| {
        let (arrived, ended) = channels.lock().unwrap().take().unwrap();
        async move {
            read_head(&mut stream).await.unwrap();
            arrived.send(()).unwrap();
            let _ = ended.send(stream.read_u8().await.is_err());
        }
    })
    .await;
    let client = client();
    tokio::select! {
        _ = client.send(get(&server)) => panic!("nothing was answered"),
        arrived = arrival => arrived.unwrap(),
    }
    assert!(end.await.unwrap(), "the server sees the end");
}
