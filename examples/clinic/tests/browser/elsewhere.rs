//! Another site, whose pages mean no good.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

/// A server of pages on a port of its own, until the test's process ends. It is found as `localhost`, which is another site than
/// `127.0.0.1`, and as `127.0.0.1`, which is the same site and another origin.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    port: u16,
}

impl Elsewhere {
    pub(crate) fn start(pages: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages: Arc<HashMap<&str, String>> = Arc::new(pages.into_iter().collect());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = Arc::clone(&pages);
                thread::spawn(move || answer(&stream, &pages));
            }
        });
        Self { port }
    }

    pub(crate) fn url(&self, host: &str, page: &str) -> String {
        format!("http://{host}:{}{page}", self.port)
    }
}

/// A page whose button sends a form to somebody else.
pub(crate) fn form(to: &str, fields: &[(&str, &str)]) -> String {
    let mut page = format!("<!DOCTYPE html><title>prizes</title><form method=post action=\"{to}\">");
    for (name, value) in fields {
        write!(page, "<input type=hidden name=\"{name}\" value=\"{value}\">").unwrap();
    }
    page + "<button id=go>Win</button></form>"
}

/// A page that shows somebody else's within itself.
pub(crate) fn frame(of: &str) -> String {
    format!("<!DOCTYPE html><title>prizes</title><iframe src=\"{of}\"></iframe>")
}

fn answer(mut stream: &TcpStream, pages: &HashMap<&str, String>) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(first)) = lines.next() else { return };
    // The rest of the head; a browser waits for the answer to it.
    lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, page) = match pages.get(path) {
        Some(page) => ("200 OK", page.as_str()),
        None => ("404 Not Found", ""),
    };
    // Who hung up does not read it.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
}
