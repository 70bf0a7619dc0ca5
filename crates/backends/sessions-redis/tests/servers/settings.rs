//! A server that would forget what it answered is refused, at the start and ever after.

use std::time::Duration;

use bartizan_sessions::{SessionStore, Store};
use bartizan_sessions_redis::{Config, ErrorKind, Setting};

use crate::support::{self, GOOD, Server, beginning, open, row};

fn config() -> Config {
    Config::new("settings").expect("a prefix")
}

async fn refusal(server: &Server, config: Config) -> Option<ErrorKind> {
    open(&server.url(), config).await.err().map(|error| error.kind())
}

#[tokio::test]
async fn each_wrong_setting_is_refused_at_the_start() {
    let server = Server::start(&GOOD);
    assert_eq!(refusal(&server, config()).await, None);
    let wrong = [
        ("appendonly", "no", Setting::AppendOnly),
        ("appendfsync", "everysec", Setting::AppendFsync),
        ("appendfsync", "no", Setting::AppendFsync),
        ("no-appendfsync-on-rewrite", "yes", Setting::FsyncOnRewrite),
        ("maxmemory-policy", "allkeys-lru", Setting::Eviction),
        ("maxmemory-policy", "volatile-ttl", Setting::Eviction),
    ];
    for (name, value, setting) in wrong {
        let before = config_get(&server, name).await;
        config_set(&server, name, value).await;
        assert_eq!(refusal(&server, config()).await, Some(ErrorKind::Setting(setting)), "{name} {value}");
        config_set(&server, name, &before).await;
        assert_eq!(refusal(&server, config()).await, None, "{name} {before}");
    }
}

#[tokio::test]
async fn a_log_that_lags_a_second_is_taken_only_when_told_to() {
    let server = Server::start(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let fsync = Some(ErrorKind::Setting(Setting::AppendFsync));
    assert_eq!(refusal(&server, config()).await, fsync);
    assert_eq!(refusal(&server, config().danger_lose_last_second()).await, None);
    config_set(&server, "appendfsync", "no").await;
    assert_eq!(refusal(&server, config().danger_lose_last_second()).await, fsync);
    config_set(&server, "appendonly", "no").await;
    assert_eq!(refusal(&server, config().danger_unchecked_persistence()).await, None);
    config_set(&server, "maxmemory-policy", "allkeys-lru").await;
    let eviction = Some(ErrorKind::Setting(Setting::Eviction));
    assert_eq!(refusal(&server, config().danger_unchecked_persistence()).await, eviction);
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_settings_is_refused_unless_told_to() {
    let server = Server::start(&GOOD);
    let mut connection = support::connection(&server.url()).await;
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg("default").arg("-config");
    command.exec_async(&mut connection).await.expect("a rule");
    assert_eq!(refusal(&server, config()).await, Some(ErrorKind::Forbidden));
    assert_eq!(refusal(&server, config().danger_unchecked_persistence()).await, None);
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = Server::start(&GOOD);
    let replica =
        Server::start(&[&GOOD[..], &["--replicaof", "127.0.0.1", &primary.port().to_string()]].concat());
    assert_eq!(refusal(&replica, config()).await, Some(ErrorKind::Setting(Setting::Role)));
}

#[tokio::test]
async fn a_setting_that_is_changed_later_is_noticed() {
    let mut server = Server::start(&GOOD);
    let store = open(&server.url(), config()).await.expect("a store");
    store.health().await.expect("it is well");
    config_set(&server, "appendfsync", "everysec").await;
    let kind = store.health().await.expect_err("it lags").kind();
    assert_eq!(kind, bartizan_sessions::ErrorKind::Unavailable);
    // As a failover to another server does.
    server.kill();
    server.start_again_with(&["--appendonly", "no"]);
    for _ in 0..3 {
        let kind = store.begin(&beginning(row(1))).await.expect_err("it keeps nothing").kind();
        assert_eq!(kind, bartizan_sessions::ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_write_waits_for_as_many_replicas_as_it_is_told_to() {
    let primary = Server::start(&[&GOOD[..], &["--repl-diskless-sync-delay", "0"]].concat());
    let config = config().timeout(Duration::from_millis(500)).expect("a timeout").min_replicas(1);
    let store = open(&primary.url(), config).await.expect("a store");
    let kind = store.begin(&beginning(row(1))).await.expect_err("no replica").kind();
    assert_eq!(kind, bartizan_sessions::ErrorKind::Unavailable);
    let replica =
        Server::start(&[&GOOD[..], &["--replicaof", "127.0.0.1", &primary.port().to_string()]].concat());
    let mut connection = support::connection(&replica.url()).await;
    for number in 2..100 {
        if store.begin(&beginning(row(number))).await.is_ok() {
            let rows: u64 = redis::cmd("DBSIZE").query_async(&mut connection).await.expect("an answer");
            assert!(rows > 0, "nothing has arrived");
            return;
        }
    }
    panic!("the replica does not count");
}

#[tokio::test]
async fn wrong_configurations_are_refused() {
    for prefix in ["", "A", "a b", "a{b}", "ä", &"a".repeat(33)] {
        assert_eq!(Config::new(prefix).expect_err("refused").kind(), ErrorKind::Config, "{prefix}");
    }
    assert!(config().timeout(Duration::from_millis(9)).is_err());
    assert!(config().timeout(Duration::from_secs(61)).is_err());
    assert!(config().keep(Duration::from_secs(3_599)).is_err());
    let kind = open("http://nowhere", config()).await.expect_err("no server").kind();
    assert_eq!(kind, ErrorKind::Config);
    let password = support::url().replace(":pw@", ":canary-password@");
    let error = open(&password, config()).await.expect_err("a wrong password");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(!format!("{error} {error:?}").contains("canary"));
}

async fn config_get(server: &Server, name: &str) -> String {
    let mut connection = support::connection(&server.url()).await;
    let mut command = redis::cmd("CONFIG");
    let told: Vec<String> =
        command.arg("GET").arg(name).query_async(&mut connection).await.expect("an answer");
    told[1].clone()
}

async fn config_set(server: &Server, name: &str, value: &str) {
    let mut connection = support::connection(&server.url()).await;
    redis::cmd("CONFIG")
        .arg("SET")
        .arg(name)
        .arg(value)
        .exec_async(&mut connection)
        .await
        .expect("a setting");
}
