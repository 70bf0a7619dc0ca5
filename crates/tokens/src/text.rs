//! Texts of verified claims without a copy each: places in the claims' own JSON, which is kept.

use std::num::NonZeroU32;

/// The claims as they were signed, and behind them what those strings say that had escapes.
#[derive(Clone)]
pub(crate) struct ClaimsText {
    text: String,
    signed: usize,
}

impl ClaimsText {
    pub(crate) const fn new(signed: String) -> Self {
        Self { signed: signed.len(), text: signed }
    }

    /// `unescaped` is what [`Scanner::unescaped`](crate::scan::Scanner::unescaped) holds after the claims were scanned.
    pub(crate) fn append(&mut self, unescaped: &str) {
        if !unescaped.is_empty() {
            self.text.push_str(unescaped);
        }
    }

    /// The JSON that was signed.
    pub(crate) fn signed(&self) -> &str {
        // INVARIANT(signed): where two texts were joined is no middle of a character.
        self.text.get(..self.signed).unwrap_or_default()
    }

    /// What the places of [`Text`] and [`Texts`] are places in.
    pub(crate) fn all(&self) -> &str {
        &self.text
    }

    /// The bytes that it takes elsewhere.
    pub(crate) fn weight(&self) -> usize {
        self.text.capacity()
    }
}

/// One text. It has at least one byte, as every name has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    start: u32,
    length: NonZeroU32,
}

impl Text {
    /// The text at this place. Nothing for an empty text, and for places farther in than can be named.
    pub(crate) fn at(start: usize, length: usize) -> Option<Self> {
        let length = u32::try_from(length).ok().and_then(NonZeroU32::new)?;
        Some(Self { start: u32::try_from(start).ok()?, length })
    }

    /// The text; `all` is what it is a place in.
    pub(crate) fn read(self, all: &str) -> &str {
        read(self.start, self.length.get(), all)
    }
}

fn read(start: u32, length: u32, all: &str) -> &str {
    let start = start as usize;
    // INVARIANT(text-in): whoever made the place cut at whole characters of this text.
    all.get(start..start.saturating_add(length as usize)).unwrap_or_default()
}

/// Some texts, none of which has a quote, a backslash or a line break in it, or which are parted by line breaks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Texts {
    start: u32,
    length: u32,
    count: u32,
    parted: Parted,
}

/// What stands between the texts.
#[derive(Clone, Copy, Debug, Default)]
enum Parted {
    /// They are strings of a JSON array, each in quotes.
    #[default]
    ByQuotes,
    /// No name has a line break in it.
    ByLineBreaks,
}

impl Texts {
    /// The strings of a JSON array, none of them with an escape; the place is what stands between its brackets.
    pub(crate) fn array(start: usize, end: usize, count: usize) -> Option<Self> {
        Self::of(start, end, count, Parted::ByQuotes)
    }

    /// Names, each on a line of its own.
    pub(crate) fn lines(start: usize, end: usize, count: usize) -> Option<Self> {
        Self::of(start, end, count, Parted::ByLineBreaks)
    }

    fn of(start: usize, end: usize, count: usize, parted: Parted) -> Option<Self> {
        Some(Self {
            start: u32::try_from(start).ok()?,
            length: u32::try_from(end.checked_sub(start)?).ok()?,
            count: u32::try_from(count).ok()?,
            parted,
        })
    }

    /// The texts; `all` is what they are places in.
    pub(crate) fn read(self, all: &str) -> impl Iterator<Item = &str> {
        let place = read(self.start, self.length, all);
        let (separator, before, step) = match self.parted {
            // Before the first quote is nothing, and between two strings is a comma.
            Parted::ByQuotes => ('"', 1, 2),
            Parted::ByLineBreaks => ('\n', 0, 1),
        };
        place.split(separator).skip(before).step_by(step).take(self.count as usize)
    }
}

impl Texts {
    /// Whether this is one of the texts.
    pub(crate) fn have(self, text: &str, all: &str) -> bool {
        match self {
            // Of one there is nothing to part.
            Self { count: 1, parted: Parted::ByLineBreaks, start, length }
                if length as usize == text.len() =>
            {
                read(start, length, all) == text
            }
            _ => self.read(all).any(|one| one == text),
        }
    }
}

/// One text is some texts.
impl From<Text> for Texts {
    fn from(text: Text) -> Self {
        Self { start: text.start, length: text.length.get(), count: 1, parted: Parted::ByLineBreaks }
    }
}
