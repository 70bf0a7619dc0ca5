//! Whether a server keeps what it answers.

use redis::{Value, aio::MultiplexedConnection};

use crate::{Error, ErrorKind, Setting, config::Durability};

/// Asks a server how it is set, and refuses what would lose sessions.
///
/// What `INFO` says every operator lets everybody read; only how often the log is made durable takes `CONFIG GET`.
pub(crate) async fn check(
    connection: &mut MultiplexedConnection,
    durability: Durability,
) -> Result<(), Error> {
    let info: String = redis::cmd("INFO").query_async(connection).await?;
    check_info(&info, durability)?;
    if durability == Durability::Unchecked {
        return Ok(());
    }
    let told: Value = redis::cmd("CONFIG")
        .arg("GET")
        .arg("*appendfsync*")
        .query_async(connection)
        .await
        .map_err(|error| match Error::from(error.clone()) {
            refused if refused.is_transient() && error.code().is_none_or(|code| code == "LOADING") => refused,
            _ => Error::with_source(ErrorKind::Forbidden, error),
        })?;
    check_fsync(&pairs(told), durability)
}

fn check_info(info: &str, durability: Durability) -> Result<(), Error> {
    let field =
        |name: &str| info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
    let refuse = |setting| Err(ErrorKind::Setting(setting).into());
    let major = field("redis_version").and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < 7) {
        return refuse(Setting::Version);
    }
    if field("role") != Some("master") {
        return refuse(Setting::Role);
    }
    if field("maxmemory_policy") != Some("noeviction") {
        return refuse(Setting::Eviction);
    }
    if durability != Durability::Unchecked && field("aof_enabled") != Some("1") {
        return refuse(Setting::AppendOnly);
    }
    Ok(())
}

fn check_fsync(told: &[(String, String)], durability: Durability) -> Result<(), Error> {
    let field = |name: &str| told.iter().find(|(told, _)| told == name).map(|(_, value)| value.as_str());
    let is_good = match field("appendfsync") {
        Some("always") => true,
        Some("everysec") => durability == Durability::EverySecond,
        Some(_) => false,
        None => return Err(ErrorKind::Forbidden.into()),
    };
    if !is_good {
        return Err(ErrorKind::Setting(Setting::AppendFsync).into());
    }
    match field("no-appendfsync-on-rewrite") {
        Some("no") => Ok(()),
        _ => Err(ErrorKind::Setting(Setting::FsyncOnRewrite).into()),
    }
}

/// Names and values: a list in the older protocol, a map in the newer one.
fn pairs(told: Value) -> Vec<(String, String)> {
    redis::from_redis_value(told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\n# Persistence\r\naof_enabled:1\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n";

    fn kind(info: &str, durability: Durability) -> Option<ErrorKind> {
        check_info(info, durability).err().map(|error| error.kind())
    }

    #[test]
    fn each_wrong_setting_is_named() {
        assert_eq!(kind(GOOD, Durability::EveryWrite), None);
        let wrong = [
            ("7.0.15", "6.2.6", Setting::Version),
            ("role:master", "role:slave", Setting::Role),
            ("noeviction", "volatile-ttl", Setting::Eviction),
            ("aof_enabled:1", "aof_enabled:0", Setting::AppendOnly),
        ];
        for (from, to, setting) in wrong {
            let info = GOOD.replace(from, to);
            assert_eq!(kind(&info, Durability::EveryWrite), Some(ErrorKind::Setting(setting)), "{to}");
        }
        assert_eq!(kind(&GOOD.replace("aof_enabled:1", "aof_enabled:0"), Durability::Unchecked), None);
        assert_eq!(kind("", Durability::Unchecked), Some(ErrorKind::Setting(Setting::Version)));
    }

    #[test]
    fn a_log_that_lags_is_refused_unless_it_was_said_to_do() {
        let told = |fsync: &str, rewrite: &str| {
            vec![
                ("appendfsync".to_owned(), fsync.to_owned()),
                ("no-appendfsync-on-rewrite".to_owned(), rewrite.to_owned()),
            ]
        };
        let kind = |told: &[(String, String)], durability| {
            check_fsync(told, durability).err().map(|error| error.kind())
        };
        let (always, second) = (Durability::EveryWrite, Durability::EverySecond);
        assert_eq!(kind(&told("always", "no"), always), None);
        assert_eq!(kind(&told("everysec", "no"), second), None);
        let fsync = Some(ErrorKind::Setting(Setting::AppendFsync));
        assert_eq!(kind(&told("everysec", "no"), always), fsync);
        assert_eq!(kind(&told("no", "no"), second), fsync);
        let rewrite = Some(ErrorKind::Setting(Setting::FsyncOnRewrite));
        assert_eq!(kind(&told("always", "yes"), always), rewrite);
        assert_eq!(kind(&[], always), Some(ErrorKind::Forbidden));
    }
}
