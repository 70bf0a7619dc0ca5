//! Texts of verified claims without a copy each: places in the claims' own JSON, which is kept.

use std::borrow::Cow;

/// One text. Only a string that has escapes is kept apart.
pub(crate) enum Text {
    In { start: u32, length: u32 },
    Apart(Box<str>),
}

impl Text {
    /// `text` is a part of `json`, or owned.
    pub(crate) fn of(text: Cow<'_, str>, json: &str) -> Self {
        let text = match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => return Self::Apart(text.into()),
        };
        let start = (text.as_ptr() as usize).checked_sub(json.as_ptr() as usize);
        let (start, length) =
            (start.and_then(|start| u32::try_from(start).ok()), u32::try_from(text.len()).ok());
        match (start, length) {
            (Some(start), Some(length)) => {
                let place = Self::In { start, length };
                // INVARIANT(text-in): what `In` names is the text that was read.
                if place.read(json) == text { place } else { Self::Apart(text.into()) }
            }
            _ => Self::Apart(text.into()),
        }
    }

    /// The text; `json` is the one it was made from.
    pub(crate) fn read<'a>(&'a self, json: &'a str) -> &'a str {
        match self {
            Self::In { start, length } => {
                let (start, length) = (*start as usize, *length as usize);
                json.get(start..start + length).unwrap_or_default()
            }
            Self::Apart(text) => text,
        }
    }
}

/// Some texts; the first without an allocation.
#[derive(Default)]
pub(crate) struct Texts {
    first: Option<Text>,
    more: Vec<Text>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: Text) {
        match &self.first {
            None => self.first = Some(text),
            Some(_) => self.more.push(text),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Text> {
        self.first.iter().chain(&self.more)
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }
}
