//! Markup. What is not the clinic's own text gets into it through one function, which escapes it.

/// A piece of markup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Html(String);

impl Html {
    /// Our own markup: what is known when the clinic is compiled, and nothing else.
    pub(super) fn of(markup: &'static str) -> Self {
        Self(markup.to_owned())
    }

    /// With more of our own markup.
    pub(super) fn raw(mut self, markup: &'static str) -> Self {
        self.0.push_str(markup);
        self
    }

    /// With somebody's text, between tags or within the double quotes of an attribute.
    ///
    /// SECURITY: the one place where text becomes markup. Every character that could end a text or an attribute, or begin a tag or
    /// a reference, is written as a reference (WHATWG HTML section 13.2.5); so are the quotes that no attribute of ours is written in.
    /// Control characters, which markup cannot have, and those that turn the order of what follows them around (Unicode UAX 9), by
    /// which a name could look like another one, become U+FFFD.
    pub(super) fn text(mut self, text: &str) -> Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '`' => self.0.push_str("&#96;"),
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
                    self.0.push('\u{fffd}');
                }
                character if character.is_control() => self.0.push('\u{fffd}'),
                character => self.0.push(character),
            }
        }
        self
    }

    /// With another piece.
    pub(super) fn and(mut self, more: &Self) -> Self {
        self.0.push_str(&more.0);
        self
    }

    /// The whole document.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(text: &str) -> String {
        Html::default().text(text).into_string()
    }

    #[test]
    fn asvs_1_2_1_a_name_stays_a_name() {
        for (name, written) in [
            ("Ada", "Ada"),
            ("O'Neil & <Sons>", "O&#39;Neil &amp; &lt;Sons&gt;"),
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\"><img src=x onerror=alert(1)>", "&quot;&gt;&lt;img src=x onerror=alert(1)&gt;"),
            ("' autofocus onfocus='alert(1)", "&#39; autofocus onfocus=&#39;alert(1)"),
            ("`x`", "&#96;x&#96;"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("]]><!--", "]]&gt;&lt;!--"),
            ("a\0b\r\nc\u{7f}\u{85}", "a\u{fffd}b\u{fffd}\u{fffd}c\u{fffd}\u{fffd}"),
            ("ada\u{202e}nimda", "ada\u{fffd}nimda"),
            ("渡辺 é", "渡辺 é"),
        ] {
            assert_eq!(escaped(name), written);
        }
    }

    proptest! {
        #[test]
        fn no_text_ends_what_it_stands_in(text in any::<String>()) {
            let written = escaped(&text);
            prop_assert!(!written.contains(['<', '>', '"', '\'', '`']));
            // Every ampersand begins one of our five references.
            for rest in written.split('&').skip(1) {
                let name = rest.split(';').next().unwrap();
                prop_assert!(["amp", "lt", "gt", "quot", "#39", "#96"].contains(&name), "{}", name);
            }
        }

        #[test]
        fn no_text_is_lost(text in "[a-z<>&\"'` é]{0,40}") {
            let read = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&amp;", "&")]
                .into_iter()
                .fold(escaped(&text), |text, (reference, character)| text.replace(reference, character));
            prop_assert_eq!(read, text);
        }
    }
}
