//! Connections are used again, not for long, and never for what belongs to another answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bartizan_egress::Request;
use tokio::{io::AsyncWriteExt, sync::Notify};

use crate::server::{Server, client, get, ok, read_head};

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::saying(ok("a")).await;
    let client = client();
    for _ in 0..5 {
        assert_eq!(client.send(get(&server)).await.unwrap().body(), b"a");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_must_not_happen_twice_gets_a_connection_of_its_own() {
    let server = Server::saying(ok("a")).await;
    let client = client();
    for _ in 0..3 {
        client.send(Request::post(server.url("/"), b"{}".to_vec())).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_waited_too_long_is_not_used() {
    let server = Server::saying(ok("a")).await;
    let client = client();
    client.send(get(&server)).await.unwrap();
    tokio::time::advance(Duration::from_secs(29)).await;
    client.send(get(&server)).await.unwrap();
    assert_eq!(server.connections(), 1);
    tokio::time::advance(Duration::from_secs(30)).await;
    client.send(get(&server)).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_old_is_not_used_however_busy_it_was() {
    let server = Server::saying(ok("a")).await;
    let client = client();
    for _ in 0..30 {
        client.send(get(&server)).await.unwrap();
        tokio::time::advance(Duration::from_secs(20)).await;
    }
    assert_eq!(server.connections(), 2, "600 seconds at 300 each");
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced_without_a_word() {
    let server = Server::start(|mut stream| async move {
        if read_head(&mut stream).await.is_some() {
            stream.write_all(ok("a").as_bytes()).await.unwrap();
        }
        // Closed without saying so before.
    })
    .await;
    let client = client();
    for _ in 0..4 {
        assert_eq!(client.send(get(&server)).await.unwrap().body(), b"a");
    }
}

#[tokio::test]
async fn a_request_is_repeated_once_and_no_more() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    let server = Server::start(move |mut stream| {
        let served = count.clone();
        async move {
            while read_head(&mut stream).await.is_some() {
                // The first is answered, all others are hung up on.
                if served.fetch_add(1, Ordering::SeqCst) > 0 {
                    return;
                }
                stream.write_all(ok("a").as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let client = client();
    client.send(get(&server)).await.unwrap();
    assert!(client.send(get(&server)).await.is_err());
    assert_eq!(served.load(Ordering::SeqCst), 3);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_given_to_nobody() {
    // Two answers to one request: the second would be taken for the answer to the next.
    let server = Server::saying(ok("asked for") + &ok("poison")).await;
    let client = client();
    for _ in 0..5 {
        assert_eq!(client.send(get(&server)).await.unwrap().body(), b"asked for");
    }
    assert_eq!(server.connections(), 5);
}

#[tokio::test]
async fn an_answer_that_comes_before_its_request_is_given_to_nobody() {
    // Sent while the connection waits: it would be taken for the answer to whatever is asked next.
    let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let notify = (go.clone(), gone.clone());
    let server = Server::start(move |mut stream| {
        let (go, gone) = notify.clone();
        async move {
            if read_head(&mut stream).await.is_some() {
                stream.write_all(ok("asked for").as_bytes()).await.unwrap();
                go.notified().await;
                stream.write_all(ok("poison").as_bytes()).await.unwrap();
                gone.notify_one();
                let _ = read_head(&mut stream).await;
            }
        }
    })
    .await;
    let client = client();
    for _ in 0..3 {
        assert_eq!(client.send(get(&server)).await.unwrap().body(), b"asked for");
        go.notify_one();
        gone.notified().await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_connection_whose_answer_was_cut_is_not_used_again() {
    let server =
        Server::saying(format!("HTTP/1.1 500 Oh\r\nContent-Length: 2000\r\n\r\n{}", "a".repeat(2_000))).await;
    let client = client();
    for _ in 0..3 {
        assert!(client.send(get(&server)).await.unwrap().is_cut());
    }
    assert_eq!(server.connections(), 3);
}
