//! Names and where they lead: every address is checked, and exactly what was checked is connected to.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use bartizan_core::Fault;
use bartizan_egress::{Allow, Client, ErrorKind, Guard, Refusal, Request, Trust, Url};

use crate::server::{Names, Server, answer_all, client_with, local, ok};

async fn ask(client: &Client, url: &str) -> Result<u16, ErrorKind> {
    let request = Request::get(Url::parse(url).unwrap());
    client.send(request).await.map(|response| response.status()).map_err(|error| error.kind())
}

#[tokio::test]
async fn asvs_1_3_6_a_name_that_leads_inside_is_refused_and_nothing_is_connected_to() {
    let server = Server::saying(ok("secret")).await;
    let port = server.address.port();
    for inside in
        ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00:ec2::254", "0.0.0.0"]
    {
        let (names, asked) = Names::new(&[&[inside]]);
        let guard = Guard::public().allow(Allow::port(port));
        let client = client_with(guard, Trust::web(), names);
        let answer = ask(&client, &format!("https://login.example:{port}/")).await;
        assert_eq!(answer, Err(ErrorKind::Refused(Refusal::Address)), "{inside}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn one_address_inside_among_many_refuses_the_name() {
    let (names, _) = Names::new(&[&["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4", "1.1.1.5", "10.0.0.1"]]);
    let client = client_with(Guard::public(), Trust::web(), names);
    assert_eq!(ask(&client, "https://login.example/").await, Err(ErrorKind::Refused(Refusal::Address)));
}

#[tokio::test]
async fn a_name_is_resolved_once_for_each_connection_and_checked_each_time() {
    let server = Server::saying(ok("a").replace("200 OK\r\n", "200 OK\r\nConnection: close\r\n")).await;
    let port = server.address.port();
    // First here, then where the clouds keep their secrets.
    let (names, asked) = Names::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = client_with(local(), Trust::web(), names);
    let url = format!("http://login.example:{port}/");
    assert_eq!(ask(&client, &url).await, Ok(200));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "what was checked is connected to; nothing is asked again");
    assert_eq!(ask(&client, &url).await, Err(ErrorKind::Refused(Refusal::Address)));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_can_be_refused_without_a_name_server_is() {
    let (names, asked) = Names::new(&[&["1.1.1.1"]]);
    let guard = Guard::public().only_hosts(["login.example", "10.0.0.1"]).unwrap();
    let client = client_with(guard, Trust::web(), names);
    for (url, why) in [
        ("http://login.example/", Refusal::Scheme),
        ("https://login.example:8443/", Refusal::Port),
        ("https://other.example/", Refusal::Host),
        ("https://10.0.0.1/", Refusal::Address),
    ] {
        assert_eq!(ask(&client, url).await, Err(ErrorKind::Refused(why)), "{url}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let error = client.send(Request::get(Url::parse("http://login.example/").unwrap())).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Caller);
}

#[tokio::test]
async fn exactly_the_address_that_was_checked_is_connected_to() {
    let near = Server::saying(ok("127.0.0.1")).await;
    let port = near.address.port();
    let answer = Arc::new(ok("127.0.0.2").into_bytes());
    let far = Server::start_at(SocketAddr::from(([127, 0, 0, 2], port)), move |stream| {
        answer_all(stream, answer.clone())
    })
    .await;
    let (names, _) = Names::new(&[&["127.0.0.2"]]);
    let client = client_with(local(), Trust::web(), names);
    let url = Url::parse(&format!("http://login.example:{port}/")).unwrap();
    assert_eq!(client.send(Request::get(url)).await.unwrap().body(), b"127.0.0.2");
    assert_eq!((near.connections(), far.connections()), (0, 1));
}

#[tokio::test]
async fn a_name_without_addresses_does_not_resolve() {
    let (names, _) = Names::new(&[&[]]);
    let client = client_with(Guard::public(), Trust::web(), names);
    assert_eq!(ask(&client, "https://login.example/").await, Err(ErrorKind::Resolve));
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let server = Server::saying(ok("a")).await;
    let (names, _) = Names::new(&[&["127.0.0.2", "127.0.0.3", "127.0.0.1"]]);
    let client = client_with(local(), Trust::web(), names);
    assert_eq!(ask(&client, &format!("http://login.example:{}/", server.address.port())).await, Ok(200));
}

#[tokio::test]
async fn the_systems_resolver_is_checked_like_any_other() {
    let server = Server::saying(ok("a")).await;
    let port = server.address.port();
    let clock = Arc::new(bartizan_clock_tokio::TokioClock::new());
    let strict = Client::new(Guard::public().allow(Allow::port(port)), Trust::web(), clock.clone()).unwrap();
    let answer = ask(&strict, &format!("https://localhost:{port}/")).await;
    assert_eq!(answer, Err(ErrorKind::Refused(Refusal::Address)));
    let lax = Client::new(local(), Trust::web(), clock).unwrap();
    assert_eq!(ask(&lax, &format!("http://localhost:{port}/")).await, Ok(200));
    assert_eq!(server.connections(), 1);
}
