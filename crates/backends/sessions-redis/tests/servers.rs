//! Against a real Redis: the one of `BARTIZAN_TEST_REDIS_URL`, and servers of their own for tests that kill or misset them.
#![cfg(test)]

#[path = "servers/conformance.rs"]
mod conformance;
#[path = "servers/judged.rs"]
mod judged;
#[path = "servers/kept.rs"]
mod kept;
#[path = "servers/outages.rs"]
mod outages;
#[path = "../../sessions-postgres/tests/servers/road.rs"]
mod road;
#[path = "servers/settings.rs"]
mod settings;
#[path = "servers/struck.rs"]
mod struck;
#[path = "servers/support.rs"]
mod support;
