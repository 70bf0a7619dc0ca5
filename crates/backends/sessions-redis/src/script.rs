//! The scripts, one for each step.

use crate::names::Queue;

/// A script: its own lines below those that it shares.
macro_rules! scripts {
    ($($script:ident = $($file:literal)+,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Script {
            $($script,)+
        }

        /// In the order of [`Script`].
        pub(crate) const SOURCES: &[&str] = &[
            $(concat!(include_str!("lua/common.lua"), $(include_str!(concat!("lua/", $file, ".lua"))),+),)+
        ];
    };
}

scripts! {
    Begin = "spans" "sessions" "owners" "begin",
    Rotate = "sessions" "rotate",
    Find = "sessions" "find",
    Confirm = "sessions" "confirm",
    Seen = "sessions" "seen",
    List = "sessions" "owners" "list",
    End = "sessions" "owners" "end",
    EndAll = "ends" "sessions" "owners" "end_all",
    EndEverything = "ends" "end_everything",
    Count = "sessions" "count",
    RevokeToken = "spans" "revoke_token",
    IsRevoked = "sessions" "is_revoked",
    Epochs = "epochs",
    AddKey = "spans" "hashes" "api_keys" "add_key",
    FindKey = "spans" "hashes" "api_keys" "find_key",
    ReplaceKey = "spans" "hashes" "api_keys" "replace_key",
    EndKey = "spans" "hashes" "api_keys" "end_key",
    KeyUsed = "spans" "hashes" "api_keys" "key_used",
    Keys = "spans" "hashes" "api_keys" "keys",
    PutOnce = "spans" "put_once",
    TakeOnce = "hashes" "once" "take_once",
    Advance = "advance",
    PurgeSessions = "sessions" "purge_sessions",
    PurgeKeys = "spans" "hashes" "api_keys" "purge_keys",
    PurgeOnce = "hashes" "once" "purge_once",
    PurgeFeed = "purge_feed",
}

impl Script {
    /// In which queue its rows wait to be purged.
    pub(crate) const fn queue(self) -> Queue {
        match self {
            Self::AddKey
            | Self::FindKey
            | Self::ReplaceKey
            | Self::EndKey
            | Self::KeyUsed
            | Self::Keys
            | Self::PurgeKeys => Queue::Keys,
            Self::PutOnce | Self::TakeOnce | Self::PurgeOnce => Queue::Once,
            _ => Queue::Sessions,
        }
    }
}
