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
            $(concat!($(include_str!(concat!("lua/", $file, ".lua"))),+),)+
        ];
    };
}

scripts! {
    Format = "named" "format",
    Begin = "named" "common" "spans" "sessions" "owners" "begin",
    Rotate = "current" "asked" "common" "sessions" "rotate",
    Find = "named" "common" "sessions" "find",
    Confirm = "named" "common" "sessions" "confirm",
    Seen = "named" "common" "sessions" "seen",
    List = "named" "common" "sessions" "owners" "list",
    End = "named" "common" "sessions" "owners" "end",
    EndAll = "named" "common" "ends" "sessions" "owners" "end_all",
    EndEverything = "named" "common" "ends" "end_everything",
    Count = "named" "common" "sessions" "count",
    RevokeToken = "named" "common" "spans" "revoke_token",
    IsRevoked = "named" "common" "sessions" "is_revoked",
    Epochs = "named" "common" "epochs",
    AddKey = "named" "common" "spans" "hashes" "api_keys" "add_key",
    FindKey = "named" "common" "spans" "hashes" "api_keys" "find_key",
    ReplaceKey = "named" "common" "spans" "hashes" "api_keys" "replace_key",
    EndKey = "named" "common" "spans" "hashes" "api_keys" "end_key",
    KeyUsed = "named" "common" "spans" "hashes" "api_keys" "key_used",
    Keys = "named" "common" "spans" "hashes" "api_keys" "keys",
    PutOnce = "named" "common" "spans" "put_once",
    TakeOnce = "named" "common" "hashes" "once" "take_once",
    Advance = "named" "common" "advance",
    PurgeSessions = "named" "common" "sessions" "purge_sessions",
    PurgeKeys = "named" "common" "spans" "hashes" "api_keys" "purge_keys",
    PurgeOnce = "named" "common" "hashes" "once" "purge_once",
    PurgeFeed = "named" "common" "purge_feed",
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
