//! A client at an address of its own, that sends header lines as they are.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

/// The whole of 127.0.0.0/8 is this machine: each client has an address there.
pub(crate) struct Client(pub(crate) [u8; 4]);

impl Client {
    pub(crate) async fn ask(&self, to: SocketAddr, line: &str, headers: &[&str]) -> Answer {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((self.0, 0).into()).unwrap();
        let mut stream = socket.connect(to).await.unwrap();
        let mut request = format!("{line} HTTP/1.1\r\nHost: clinic.example\r\nConnection: close\r\n");
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        Answer::parse(&text)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let pairs = lines.map(|line| line.split_once(": ").unwrap());
        let mut headers: Vec<_> =
            pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        headers.sort();
        Self { status, headers, body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands twice: {self:?}");
        value
    }

    /// The same without what differs between any two answers, what belongs to a connection, and what a proxy says of itself.
    pub(crate) fn comparable(mut self) -> Self {
        let differs = ["connection", "date", "server", "x-request-id"];
        self.headers.retain(|(name, _)| !differs.contains(&name.as_str()));
        let id = self.body.split("\"request_id\":\"").nth(1).and_then(|rest| rest.get(..32));
        if let Some(id) = id.map(str::to_owned) {
            self.body = self.body.replace(&id, "");
        }
        self
    }
}
