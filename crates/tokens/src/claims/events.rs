//! The events of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4, RFC 8417 §2.2).

use crate::{
    scan::{Read, Scanner, Stop},
    strict::members,
};

members! {
    enum Event {
        Logout = "http://schemas.openid.net/event/backchannel-logout",
    }
}

/// Reads an object that has the logout event, whose value is an object. Other events may stand beside it.
pub(super) fn scan(scan: &mut Scanner<'_>) -> Read<()> {
    let about = scan.about;
    let mut seen = scan.members()?;
    let mut logs_out = false;
    while let Some(event) = scan.next(&mut seen)? {
        scan.about = about;
        match event {
            Some(Event::Logout) => {
                logs_out = true;
                scan.skip_object()?;
            }
            None => scan.skip()?,
        }
    }
    scan.about = about;
    if logs_out { Ok(()) } else { Err(Stop::WrongType) }
}
