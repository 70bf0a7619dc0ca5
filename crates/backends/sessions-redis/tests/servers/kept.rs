//! What is kept, under which names, how long, and what becomes of it when it is damaged.

use std::{collections::HashMap, time::Duration};

use bartizan_sessions::{
    ApiKeyStore, Digest, ErrorKind, Facts, KeyId, Kind, NewOnce, OnceStore, Outbox, Position,
    RevocationStore, Rotate, Rotation, SessionStore, Store, StoredKey,
};
use bartizan_sessions_redis::RedisSessions;
use redis::aio::MultiplexedConnection;

use crate::support::{
    self, START, SUBJECT, TENANT, at, beginning, bytes, end_all, note, rotate, row, secret, selector,
};

fn key(number: u64) -> StoredKey {
    StoredKey {
        id: KeyId::from_bytes(bytes(4, number)),
        selector: Digest::from_bytes(bytes(5, number)),
        secret: Digest::from_bytes(bytes(6, number)),
        tenant: TENANT.into(),
        subject: SUBJECT.into(),
        name: "canary-key".into(),
        scopes: vec!["records:read".into()],
        made: START,
        expires: at(3_600),
        used: None,
        ended: None,
    }
}

/// One of everything.
async fn filled(store: &RedisSessions) {
    let mut cookie = row(1);
    cookie.session.kind = Kind::Cookie;
    cookie.nonce = Some([7; 32]);
    cookie.previous = Some(secret(1, 9));
    store.begin(&beginning(cookie)).await.expect("a session");
    store.add_key(&key(1), 9, &note()).await.expect("a key");
    let (data, digest) = ("canary-data", Digest::from_bytes(bytes(8, 1)));
    let new = NewOnce {
        digest,
        purpose: "password_reset",
        tenant: TENANT,
        subject: SUBJECT,
        data,
        expires: at(600),
        now: START,
        note: &note(),
    };
    store.put_once(&new).await.expect("a token");
    assert!(store.advance(TENANT, SUBJECT, "totp", 5).await.expect("a step"));
    store.revoke_token("canary-jti", TENANT, SUBJECT, START, at(900), &note()).await.expect("a revocation");
}

async fn names(connection: &mut MultiplexedConnection, prefix: &str) -> Vec<Vec<u8>> {
    // Not KEYS: other tests fill the same server.
    let (mut names, mut cursor) = (Vec::new(), 0_u64);
    loop {
        let mut command = redis::cmd("SCAN");
        command.arg(cursor).arg("MATCH").arg(format!("{{{prefix}}}*")).arg("COUNT").arg(1_000);
        let (next, some): (u64, Vec<Vec<u8>>) = command.query_async(connection).await.expect("names");
        names.extend(some);
        if next == 0 {
            return names;
        }
        cursor = next;
    }
}

async fn stored(connection: &mut MultiplexedConnection, name: &[u8]) -> Vec<u8> {
    redis::cmd("GET").arg(name).query_async(connection).await.expect("a row")
}

/// Behind the end of a row, and where its facts begin.
const END: usize = usize::MAX;
const FACTS: usize = usize::MAX - 1;

async fn fresh() -> (RedisSessions, MultiplexedConnection, String) {
    let prefix = support::prefix();
    let config = bartizan_sessions_redis::Config::new(&prefix).expect("a prefix");
    let store = support::open(&support::url(), config).await.expect("a store");
    (store, support::connection(&support::url()).await, prefix)
}

#[tokio::test]
async fn no_name_of_a_person_is_in_a_key_and_every_row_is_forgotten_by_itself() {
    let (store, mut connection, prefix) = fresh().await;
    filled(&store).await;
    end_all(&store).await.expect("an end");
    let everything = bartizan_sessions::End::Everything;
    store.end(everything, bartizan_sessions::Ended::Revoked, START, START, &note()).await.expect("an end");
    store.begin(&beginning(row(2))).await.expect("a session");
    let mut kinds = HashMap::new();
    for name in names(&mut connection, &prefix).await {
        let text = String::from_utf8_lossy(&name).into_owned();
        assert!(!text.contains("canary"), "{text}");
        let rest = text.split_once("}:").expect("a prefix").1;
        let kind = rest.split(':').next().expect("a kind").to_owned();
        let lives: i64 = redis::cmd("PTTL").arg(&name).query_async(&mut connection).await.expect("a time");
        kinds.insert(kind, lives);
    }
    let day = 24 * 3_600 * 1_000;
    for forgotten in ["s", "i", "u", "k", "n", "v", "o", "w", "j"] {
        let lives = kinds.remove(forgotten).unwrap_or_else(|| panic!("{forgotten} was not written"));
        assert!(lives > 6 * day && lives < 8 * day, "{forgotten}: {lives}");
    }
    // SECURITY: an epoch or a counter that began again would let in what it had ended.
    for kept in ["meta", "epoch", "e", "c"] {
        assert_eq!(kinds.remove(kept), Some(-1), "{kept}");
    }
    for queue in ["outbox", "feed", "until", "grace", "dies", "dies-keys", "dies-once"] {
        assert_eq!(kinds.remove(queue), Some(-1), "{queue}");
    }
    assert!(kinds.is_empty(), "{kinds:?}");
}

#[tokio::test]
async fn purging_leaves_nothing_but_epochs_and_counters() {
    let (store, mut connection, prefix) = fresh().await;
    filled(&store).await;
    end_all(&store).await.expect("an end");
    let entries: Vec<u64> =
        store.pending(100).await.expect("entries").iter().map(|entry| entry.number).collect();
    store.delivered(&entries).await.expect("forgotten");
    // A session, a key, a one-time token and two revocations.
    assert_eq!(store.purge(at(1_000_000), Duration::ZERO).await.expect("a purge"), 5);
    let mut left = Vec::new();
    for name in names(&mut connection, &prefix).await {
        left.push(String::from_utf8_lossy(&name).split_once("}:").expect("a prefix").1[..1].to_owned());
    }
    left.sort();
    // Counter, epoch, and the two empty streams and `meta`.
    assert_eq!(left, ["c", "e", "f", "m", "o"]);
    let epochs = store.epochs(TENANT, SUBJECT).await.expect("epochs");
    assert_eq!(epochs.subject, 1);
}

#[tokio::test]
async fn a_damaged_row_is_an_error_and_stays_as_it_is() {
    let (store, mut connection, prefix) = fresh().await;
    // Where the fields of a row stand: `src/packed.rs`.
    let damages: [(&str, usize, &[u8]); 15] = [
        ("a later format", 0, &[3]),
        ("bound", 1, &[2]),
        ("held", 34, &[2]),
        ("held", 35, &[7]),
        ("kind", 220, &[2]),
        ("facts shorter", 221, &[0; 4]),
        ("facts longer", 221, &[255; 4]),
        ("why without text", 225, &[1]),
        ("why of the facts", 221, &[0, 0, 0, 55, 1]),
        ("tenant longer", 250, &[255; 4]),
        ("subject longer", 254, &[1, 0, 0, 0]),
        ("a text beyond the end", END, b"x"),
        ("facts", FACTS, b"["),
        ("facts", FACTS, br#"{"of_a_later_version":{"name":"canary-device","a":1}}}"#),
        ("facts", FACTS, br#"{"device":{"n_me":"#),
    ];
    for (number, (field, place, value)) in damages.into_iter().enumerate() {
        let number = 100 + number as u64;
        store.begin(&beginning(row(number))).await.expect("a session");
        let name = [format!("{{{prefix}}}:s:").as_bytes(), selector(number).as_bytes()].concat();
        let length = stored(&mut connection, &name).await.len();
        let place = match place {
            END => length,
            // The last of its texts, as nothing says why it ended.
            FACTS => length - row(number).session.facts.to_text().expect("facts").len(),
            place => place,
        };
        redis::cmd("SETRANGE")
            .arg(&name)
            .arg(place)
            .arg(value)
            .exec_async(&mut connection)
            .await
            .expect("damage");
        let before = stored(&mut connection, &name).await;
        let kind = store.find(&selector(number)).await.expect_err(field).kind();
        assert_eq!(kind, ErrorKind::Integrity, "find, {field}");
        let kind = store.rotate(&rotate(number, 5)).await.expect_err(field).kind();
        assert_eq!(kind, ErrorKind::Integrity, "rotate, {field}");
        assert_eq!(stored(&mut connection, &name).await, before, "{field}");
        // The current secret, and one that comes with new facts: the two ways of `src/lua`.
        let renewing = Rotate { facts: Some(Facts::default()), ..rotate(number, 0) };
        for ask in [renewing, rotate(number, 0)] {
            let kind = store.rotate(&ask).await.expect_err(field).kind();
            assert_eq!(kind, ErrorKind::Integrity, "rotate, {field}");
        }
        let after = stored(&mut connection, &name).await;
        // Facts are read by whoever is answered, and not before: what cannot be read stays nevertheless.
        let untouched = if field == "facts" { &before[100..] } else { &before };
        assert!(after.ends_with(untouched) && after.len() == before.len(), "{field}");
    }
    // A row that was cut off anywhere is none.
    let whole = {
        store.begin(&beginning(row(99))).await.expect("a session");
        stored(&mut connection, &[format!("{{{prefix}}}:s:").as_bytes(), selector(99).as_bytes()].concat())
            .await
    };
    for length in [1, 100, 257, 258, whole.len() - 1] {
        let name = [format!("{{{prefix}}}:s:").as_bytes(), selector(99).as_bytes()].concat();
        let mut command = redis::cmd("SET");
        command.arg(&name).arg(&whole[..length]).exec_async(&mut connection).await.expect("damage");
        let kind = store.find(&selector(99)).await.expect_err("damaged").kind();
        assert_eq!(kind, ErrorKind::Integrity, "{length}");
        let kind = store.rotate(&rotate(99, 0)).await.expect_err("damaged").kind();
        assert_eq!(kind, ErrorKind::Integrity, "{length}");
        assert_eq!(stored(&mut connection, &name).await, whole[..length]);
    }
    assert_eq!(store.revocations(Position::default(), 1).await.expect("a feed").revocations, []);
    // A row of another type: what an earlier version wrote.
    let name = [format!("{{{prefix}}}:s:").as_bytes(), selector(200).as_bytes()].concat();
    redis::cmd("HSET").arg(&name).arg("key").arg("x").exec_async(&mut connection).await.expect("damage");
    let kind = store.find(&selector(200)).await.expect_err("damaged").kind();
    assert_eq!(kind, ErrorKind::Integrity);
    let kind = store.rotate(&rotate(200, 0)).await.expect_err("damaged").kind();
    assert_eq!(kind, ErrorKind::Integrity);
    // Others are not held up by it.
    let purged = store.purge(at(1_000_000), Duration::from_secs(1)).await.expect("a purge");
    assert_eq!(purged, 0, "all are damaged");
}

#[tokio::test]
async fn a_number_is_not_given_again_by_a_server_that_lagged_behind() {
    let (store, mut connection, prefix) = fresh().await;
    for number in 1..=3 {
        store.begin(&beginning(row(number))).await.expect("a session");
    }
    let last = store.pending(10).await.expect("entries").last().expect("an entry").number;
    // A replica that took over without having heard of any of it.
    for lost in ["meta", "outbox", "feed"] {
        let name = format!("{{{prefix}}}:{lost}");
        redis::cmd("DEL").arg(name).exec_async(&mut connection).await.expect("a loss");
    }
    let mut later = beginning(row(4));
    later.now = at(1);
    store.begin(&later).await.expect("a session");
    let first = store.pending(10).await.expect("entries").first().expect("an entry").number;
    assert!(first > last, "{first} after {last}");
}

/// Of its own accord the server counts on within a millisecond for as long as its clock stands or is behind.
#[tokio::test]
async fn numbers_go_up_when_a_millisecond_has_no_more_of_them() {
    let (store, mut connection, prefix) = fresh().await;
    store.begin(&beginning(row(1))).await.expect("a session");
    let mut command = redis::cmd("XSETID");
    command.arg(format!("{{{prefix}}}:outbox")).arg("9000000000000-996");
    command.exec_async(&mut connection).await.expect("a clock that is behind");
    // By the usual case of a rotation, and by what all others share.
    for generation in 0..5 {
        let said = store.rotate(&rotate(1, generation)).await.expect("an answer");
        assert!(matches!(said, Rotation::Rotated(_)), "{said:?}");
    }
    command = redis::cmd("XSETID");
    command.arg(format!("{{{prefix}}}:outbox")).arg("9000000000007-998");
    command.exec_async(&mut connection).await.expect("a clock that is behind");
    for number in 2..5 {
        store.begin(&beginning(row(number))).await.expect("a session");
    }
    let entries = store.pending(20).await.expect("entries");
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.number).collect();
    let expected = [
        9_000_000_000_000_997,
        9_000_000_000_000_998,
        9_000_000_000_000_999,
        9_000_000_000_001_001,
        9_000_000_000_001_002,
        9_000_000_000_007_999,
        9_000_000_000_008_001,
        9_000_000_000_008_002,
    ];
    assert_eq!(numbers[1..], expected);
    store.delivered(&numbers[..4]).await.expect("forgotten");
    let left = store.pending(20).await.expect("entries");
    assert_eq!(left.iter().map(|entry| entry.number).collect::<Vec<_>>(), numbers[4..]);
}

#[tokio::test]
async fn a_nonce_and_the_secret_before_are_gone_when_the_window_is_none() {
    let (store, mut connection, prefix) = fresh().await;
    store.begin(&beginning(row(1))).await.expect("a session");
    let name = [format!("{{{prefix}}}:s:").as_bytes(), selector(1).as_bytes()].concat();
    let nonce = [0xA7; 32];
    let holds = |row: &[u8], bytes: &[u8]| row.windows(32).any(|some| some == bytes);
    let with_window = Rotate { nonce: Some(nonce), grace: Duration::from_secs(10), ..rotate(1, 0) };
    store.rotate(&with_window).await.expect("an answer");
    let row = stored(&mut connection, &name).await;
    assert!(holds(&row, &nonce) && holds(&row, secret(1, 0).as_bytes()));
    store.rotate(&rotate(1, 1)).await.expect("an answer");
    let row = stored(&mut connection, &name).await;
    assert!(holds(&row, secret(1, 2).as_bytes()));
    assert!(
        !holds(&row, &nonce)
            && !holds(&row, secret(1, 0).as_bytes())
            && !holds(&row, secret(1, 1).as_bytes())
    );
}

#[tokio::test]
async fn what_another_version_stored_is_refused_at_the_start() {
    for other in [("last", "1700000000000000"), ("format", "3")] {
        let (prefix, mut connection) = (support::prefix(), support::connection(&support::url()).await);
        let mut command = redis::cmd("HSET");
        command.arg(format!("{{{prefix}}}:meta")).arg(other.0).arg(other.1);
        command.exec_async(&mut connection).await.expect("another version");
        let config = bartizan_sessions_redis::Config::new(&prefix).expect("a prefix");
        let refused = support::open(&support::url(), config).await.expect_err("refused");
        assert_eq!(refused.kind(), bartizan_sessions_redis::ErrorKind::Format);
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_brought_again() {
    let (store, mut connection, _) = fresh().await;
    store.begin(&beginning(row(1))).await.expect("a session");
    for generation in 0..20 {
        if generation % 3 == 0 {
            redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut connection).await.expect("a flush");
        }
        let said = store.rotate(&rotate(1, generation)).await.expect("an answer");
        assert!(matches!(said, Rotation::Rotated(_)), "{said:?}");
    }
}

#[tokio::test]
async fn nothing_secret_is_in_what_is_shown() {
    let (store, _, prefix) = fresh().await;
    let shown = format!("{store:?}");
    assert!(shown.contains(&prefix) && !shown.contains("pw") && !shown.contains("127.0.0.1"), "{shown}");
}
