//! Texts from outside: read in one spelling, or not at all.

use bartizan_core::RawToken;
use bartizan_sessions::{ApiKey, CookieToken, Facts, OnceToken, RefreshToken, SessionId};
use proptest::prelude::*;

use crate::world::{World, ada, by, run};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,120}") {
        let raw = RawToken::new(&text);
        prop_assert!(!RefreshToken::is_well_formed(raw) && !CookieToken::is_well_formed(raw));
        prop_assert!(!OnceToken::is_well_formed(raw) && !ApiKey::is_well_formed(raw, "clinic_live"));
        if let Ok(id) = SessionId::parse(&text) {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        let _any = Facts::from_text(&text);
    }

    #[test]
    fn the_right_form_is_64_characters_behind_a_prefix(chars in "[A-Za-z0-9_-]{60,68}") {
        for (prefix, is_ours) in [("bzr1_", true), ("bzr0_", false), ("bzr1-", false), (" bzr1_", false)] {
            let text = format!("{prefix}{chars}");
            let expected = is_ours && chars.len() == 64;
            prop_assert_eq!(RefreshToken::is_well_formed(RawToken::new(&text)), expected, "{}", text);
        }
        let key = format!("clinic_live_{chars}");
        prop_assert_eq!(ApiKey::is_well_formed(RawToken::new(&key), "clinic_live"), chars.len() == 64);
    }

    #[test]
    fn a_session_id_goes_round(bytes in prop::array::uniform24(any::<u8>())) {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let text = URL_SAFE_NO_PAD.encode(bytes);
        prop_assert_eq!(SessionId::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn one_changed_character_is_another_credential(at in 0_usize..69, by_what in 1_u8..64) {
        let world = World::new();
        let (_, token) = run(world.sessions.begin(&ada(), &by())).unwrap();
        let mut text = token.expose().to_owned().into_bytes();
        text[at] = if text[at] == b'_' { b'a' + by_what % 26 } else { b'_' };
        let text = String::from_utf8(text).unwrap();
        prop_assert!(run(world.sessions.rotate(RawToken::new(&text), &by())).is_err());
    }
}
