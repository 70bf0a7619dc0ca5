//! A clinic in this process, whose mails and parts a test can look at.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use bartizan::{
    core::Clock,
    rate_limit::{ForwardingHeader, TrustedProxies},
};
use bartizan_clock_tokio::TokioClock;
use clinic::{Clinic, Credential, Folder, Listening, Mail, Mailer, Makings, Parts, Wiring, bind, serve};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

use crate::site::{Answer, bearer, exchange, forwarded, request};

pub(crate) struct Here {
    clinic: Clinic,
    listening: Listening,
    pub(crate) parts: Parts,
    pub(crate) folder: tempfile::TempDir,
    credentials: Vec<Credential>,
    inbox: Arc<Inbox>,
}

impl Here {
    pub(crate) async fn open() -> Self {
        Self::open_with(Arc::new(TokioClock::new()), Makings::assembled).await
    }

    pub(crate) async fn open_with(
        clock: Arc<dyn Clock>,
        assemble: impl Fn(Makings) -> Result<Parts, clinic::Error> + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (inbox, found) = (Arc::new(Inbox::default()), Arc::new(Mutex::new(None)));
        let to = Arc::clone(&found);
        let proxies = TrustedProxies::in_networks(ForwardingHeader::XForwardedFor, ["127.0.0.0/8"]);
        let wiring = Wiring::default()
            .mailing_by(Arc::clone(&inbox) as Arc<dyn Mailer>)
            .behind(proxies.unwrap())
            .assembled_by(move |makings| {
                let parts = assemble(makings)?;
                *to.lock().unwrap() = Some(parts.clone());
                Ok(parts)
            });
        let data = Folder::open(&folder.path().join("data")).unwrap();
        let (clinic, credentials) = Clinic::open(data, clock, &wiring).await.unwrap();
        let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let listening = serve(clinic.clone(), listener).unwrap();
        let parts = found.lock().unwrap().take().unwrap();
        Self { clinic, listening, parts, folder, credentials, inbox }
    }

    pub(crate) fn password(&self, user: &str) -> &str {
        self.credentials.iter().find(|known| known.user == user).unwrap().password.expose()
    }

    /// One request of a client at an address of its own.
    pub(crate) async fn send(&self, line: &str, headers: &[&str], body: &[u8]) -> Answer {
        let from = forwarded();
        let (address, request) =
            (self.listening.address(), request(line, &[headers, &[&from]].concat(), body));
        let answer = tokio::task::spawn_blocking(move || exchange(address, &request, false)).await.unwrap();
        Answer::parse(answer)
    }

    pub(crate) async fn json(&self, line: &str, body: &Value) -> Answer {
        self.send(line, &["Content-Type: application/json"], body.to_string().as_bytes()).await
    }

    pub(crate) async fn json_as(&self, line: &str, token: &str, body: &Value) -> Answer {
        let headers = [&bearer(token), "Content-Type: application/json"];
        self.send(line, &headers, body.to_string().as_bytes()).await
    }

    pub(crate) async fn ask(&self, line: &str, token: &str) -> Answer {
        self.send(line, &[&bearer(token)], b"").await
    }

    /// A login in the north.
    pub(crate) async fn log_in(&self, user: &str, password: &str, code: Option<&str>) -> Answer {
        let mut login = json!({ "tenant": "north", "user": user, "password": password });
        if let Some(code) = code {
            login["code"] = json!(code);
        }
        self.json("POST /login", &login).await
    }

    /// Access and refresh token of one of the first accounts of the north.
    pub(crate) async fn tokens(&self, user: &str) -> (String, String) {
        pair(&self.log_in(user, self.password(user), None).await)
    }

    /// Somebody new of the north, whose address is verified.
    pub(crate) async fn member(&self, user: &str, password: &str) -> String {
        let email = format!("{user}@mail.example");
        let new = json!({ "tenant": "north", "user": user, "email": email, "password": password });
        assert_eq!(self.json("POST /register", &new).await.status, 202);
        let token = self.token_mailed(&email, 1).await;
        assert_eq!(self.json("POST /verify-email", &json!({ "token": token })).await.status, 204);
        email
    }

    /// The mail of this number to somebody.
    pub(crate) async fn mailed(&self, to: &str, number: usize) -> String {
        let mut mails = self.inbox.0.subscribe();
        let of = |mails: &Vec<(String, String)>| {
            mails.iter().filter(|(known, _)| known == to).map(|(_, text)| text.clone()).nth(number - 1)
        };
        let arrived = timeout(Duration::from_secs(30), mails.wait_for(|mails| of(mails).is_some())).await;
        of(&arrived.expect("no mail").unwrap()).unwrap()
    }

    /// The token in it.
    pub(crate) async fn token_mailed(&self, to: &str, number: usize) -> String {
        let text = self.mailed(to, number).await;
        text.lines().map(str::trim).find(|line| line.starts_with("bzo1_")).expect("no token").to_owned()
    }

    /// Stops it, and answers to whom it has sent mails, in the order of their names.
    pub(crate) async fn stop(self) -> (tempfile::TempDir, Vec<String>) {
        self.listening.stop().await.unwrap();
        self.clinic.close().unwrap();
        let mut mails: Vec<String> = self.inbox.0.borrow().iter().map(|(to, _)| to.clone()).collect();
        mails.sort();
        (self.folder, mails)
    }
}

pub(crate) fn pair(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

#[derive(Debug)]
struct Inbox(watch::Sender<Vec<(String, String)>>);

impl Default for Inbox {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl Mailer for Inbox {
    fn send(&self, mail: &Mail) -> io::Result<()> {
        self.0.send_modify(|mails| mails.push((mail.to.clone(), mail.text.expose().to_owned())));
        Ok(())
    }
}
