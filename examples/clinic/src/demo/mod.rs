//! The whole road, driven over HTTP as a client would, each step with what it proves.

mod app;
mod client;
mod forge;
mod inbox;
mod log;
mod logins;
mod power;
mod road;
mod roles;
mod step;

use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bartizan::{
    core::Clock,
    rate_limit::{ForwardingHeader, TrustedProxies},
};
use bartizan_clock_tokio::TokioClock;

use self::{client::Client, inbox::Inbox, power::Durable, road::Road, step::Narrator};
use crate::{Clinic, Error, Folder, Wiring, bind, serve};

pub use self::{
    app::App,
    forge::{OTHER_AUDIENCE, STRANGER, stranger},
    step::Failed,
};

/// Why a demonstration did not come to its end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stopped {
    /// A step did not end as it must.
    Failed(Failed),
    /// The clinic did not open.
    Closed(Error),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(failed) => failed.fmt(f),
            Self::Closed(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stopped {}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Closed(error)
    }
}

/// Starts a clinic in a folder of its own on a free port and drives the road through it. Answers how many steps passed.
///
/// # Errors
/// The first step that did not end as it must, or why the clinic did not open.
pub async fn run(wiring: Wiring, out: &mut dyn Write) -> Result<usize, Stopped> {
    let temporary =
        tempfile::Builder::new().prefix("clinic-demo-").tempdir().map_err(Error::part("temporary folder"))?;
    let folder = Folder::open(&temporary.path().join("data"))?;
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::new());
    let started = clock.monotonic();
    // The demonstration watches what the audit log has synced, so that it can show what a loss of power would leave.
    let durable = Durable::default();
    let inbox = Arc::new(Inbox::default());
    let listener = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let proxies = TrustedProxies::in_networks(ForwardingHeader::XForwardedFor, ["127.0.0.0/8"]);
    let wiring = wiring
        .answering_at(listener.local_addr().map_err(Error::part("listening"))?)
        .behind(proxies.map_err(Error::part("proxies"))?)
        .mailing_by(inbox.clone());
    let (clinic, credentials) =
        Clinic::open(folder.clone(), clock.clone(), &durable.watching(wiring.clone())).await?;
    let listening = serve(clinic.clone(), listener)?;
    let mut narrator = Narrator::new(out);
    narrator.say(&format!("A clinic of its own listens on http://{}.\n", listening.address()));
    let road = Road::new(Client::new(listening.address()), folder, credentials, inbox, durable, wiring);
    let driven = drive(&mut narrator, road).await;
    // After a failed step the log may be past closing; the step is what has to be told.
    let (stopped, closed) = (listening.stop().await, clinic.close());
    driven?;
    stopped?;
    closed?;
    let took = clock.monotonic().since(started).as_secs_f64();
    narrator.say(&format!("All {} steps passed in {took:.1} s.", narrator.count()));
    Ok(narrator.count())
}

async fn drive(narrator: &mut Narrator<'_>, mut road: Road) -> Result<(), Failed> {
    macro_rules! steps {
        ($($name:literal, $proves:literal, $step:expr;)+) => {$(
            let ended = $step.await;
            narrator.tell($name, $proves, ended)?;
        )+};
    }
    steps! {
        "log in", "a password is checked against an argon2id hash and a signed access token issued (RFC 9068)", road.log_in();
        "wrong password", "a wrong password and an unknown user get the same answer, and no token", road.wrong_password();
        "forged tokens", "no token counts but one that this clinic signed, with the algorithm of its key", road.forged_tokens();
        "expired token", "a token does not outlive its end, and the answer says so", road.expired_token();
        "token for another service", "a token for somebody else opens nothing here", road.other_audience();
        "role that may not", "what a role is not granted is denied, and who has which role is for the clinic to say, not for the token", road.forbidden_role();
        "another tenant's patient", "it is answered byte for byte like one that does not exist", road.other_tenant();
        "masked view", "a nurse sees the health record, and of the social security number only the end", road.masked_view();
        "clear view", "a doctor's grant opens exactly the fields of the policy", road.clear_view();
        "one's own record", "whose record it is, is read from its seal", road.own_record();
        "create, change, erase", "every write seals anew, nobody writes over what they do not see or what somebody else wrote meanwhile, and an erasure is on record before it happens", road.write();
        "register", "an account is for whoever reads the mail of its address; nobody learns from it which names are taken, or becomes a patient whose record is here", road.register();
        "second factor", "a password alone is not enough any more, and no code is good twice", road.second_factor();
        "refresh token used twice", "two parties hold it: the session ends for both, with its access tokens", road.reuse();
        "log out everywhere", "every token of an account is refused at once, before its end", road.log_out_everywhere();
        "API key with a scope", "a program may what its key says, less than its owner, and is not its owner", road.api_key();
        "roles given and taken", "they count from their holder's next request on, whatever the token says; nobody gives or takes what they do not have, or keeps the watch over themselves", road.live_roles();
        "break-glass", "an emergency takes a second factor and a reason, ends by itself, is durably on record each time, and is looked at by somebody else", road.break_glass();
        "raw database", "the files hold no personal data in clear", road.raw_database();
        "ciphertext moved to another row", "a cell opens in its own row and field and nowhere else", road.moved_ciphertext();
        "stolen database", "the files are worth nothing without the master key", road.stolen_database();
        "audit trail", "who did what is on record: grants, denials, roles and emergencies, failed logins, refused tokens, damaged rows", road.audit_trail();
        "audit log verified", "every entry is in the Merkle tree that the last signed checkpoint names", road.audit_verified();
        "loss of power", "what was acknowledged survives it", road.loss_of_power();
        "one byte of the log flipped", "the verifier names the entry", road.flipped_byte();
        "the log's tail cut off", "the verifier says what is missing", road.cut_tail();
        "stuffing", "guesses are slowed by account and address, and the owner still gets in on a device that is known", road.stuffing();
    }
    Ok(())
}
