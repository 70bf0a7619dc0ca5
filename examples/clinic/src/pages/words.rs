//! What people read about devices and times.

use std::time::Duration;

use bartizan::core::UnixTime;

/// What a device is called in its owner's list of sessions, as far as its `User-Agent` says. Of that text, which the client chose,
/// nothing is kept: these are our own words.
pub(crate) fn device_name(user_agent: Option<&str>) -> String {
    let text = user_agent.unwrap_or_default();
    let named = |known: &[(&str, &'static str)]| {
        known.iter().find_map(|(sign, name)| text.contains(sign).then_some(*name))
    };
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A program on {system}"),
        (None, None) => "A program".to_owned(),
    }
}

/// Those that name others too come first: every browser but Firefox calls itself Safari.
const BROWSERS: [(&str, &str); 5] = [
    ("Edg", "Edge"),
    ("Firefox/", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// How long ago something was.
pub(super) fn ago(then: UnixTime, now: UnixTime) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => count(seconds / 60, "minute") + " ago",
        3_600..86_400 => count(seconds / 3_600, "hour") + " ago",
        _ => count(seconds / 86_400, "day") + " ago",
    }
}

/// How long somebody has to wait, rounded up.
pub(super) fn wait(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => count(seconds.max(1), "second"),
        seconds @ 120..7_200 => count(seconds.div_ceil(60), "minute"),
        seconds => count(seconds.div_ceil(3_600), "hour"),
    }
}

fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_called_by_our_own_words() {
        for (user_agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
            (
                "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("Mozilla/5.0 (Linux; Android 16) AppleWebKit Chrome/141.0 Safari/537.36", "Chrome on Android"),
            ("curl/8.14.1", "A program"),
            ("<script>alert(1)</script> Linux", "A program on Linux"),
        ] {
            assert_eq!(device_name(Some(user_agent)), name);
        }
        assert_eq!(device_name(None), "A program");
    }

    #[test]
    fn times_are_told_as_people_do() {
        let now = UnixTime::from_secs(1_000_000);
        for (seconds, told) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (864_000, "10 days ago"),
        ] {
            assert_eq!(ago(now.saturating_sub(Duration::from_secs(seconds)), now), told);
        }
        // Another node's clock may be ahead.
        assert_eq!(ago(now, UnixTime::EPOCH), "just now");
    }

    #[test]
    fn nobody_is_told_to_come_back_too_early() {
        for (seconds, told) in [
            (0, "1 second"),
            (119, "119 seconds"),
            (121, "3 minutes"),
            (7_199, "120 minutes"),
            (7_201, "3 hours"),
        ] {
            assert_eq!(wait(Duration::from_secs(seconds)), told);
        }
    }
}
