//! What one holder holds, as bytes: four for a role without bounds.
//!
//! ```text
//! marks: flags (4 bits) and number (28)  [not before, 8 bytes]  [expires, 8]  …
//! then, where any mark is noted: 0xffff_ffff, and for each noted mark, in order: who, why (length + 1, text; 0 = none)
//! ```
//!
//! Notes stand behind all marks, so that a decision does not pass them.

use bartizan_core::UnixTime;

use crate::held::Bounds;

/// Numbers of roles and groups are below this.
pub(super) const NUMBERS: u32 = (1 << 28) - 1;

const GROUP: u32 = 1 << 31;
const FROM: u32 = 1 << 30;
const UNTIL: u32 = 1 << 29;
const NOTED: u32 = 1 << 28;
const FLAGS: u32 = GROUP | FROM | UNTIL | NOTED;

/// All flags, and a number that there is not.
const END: u32 = u32::MAX;

/// A role or a group that is held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Role(u32),
    Group(u32),
}

/// One thing that is held.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    pub(super) what: What,
    pub(super) bounds: Bounds,
    noted: bool,
}

/// Who gave it, and why.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Note<'a> {
    pub(super) granted_by: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
}

/// The marks of a value.
#[derive(Clone)]
pub(super) struct Marks<'a>(&'a [u8]);

/// The marks of a value with their notes.
pub(super) struct NotedMarks<'a> {
    marks: Marks<'a>,
    notes: &'a [u8],
}

/// What [`set`] came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    New,
    Replaced,
}

impl<'a> Marks<'a> {
    pub(super) const fn of(value: &'a [u8]) -> Self {
        Self(value)
    }

    pub(super) fn with_notes(self) -> NotedMarks<'a> {
        let mut behind = self.clone();
        behind.by_ref().for_each(drop);
        // Where there are notes, the marks stopped before END; else they stopped at the end.
        let notes = behind.0.get(4..).unwrap_or_default();
        NotedMarks { marks: self, notes }
    }
}

impl Iterator for Marks<'_> {
    type Item = Mark;

    #[inline]
    fn next(&mut self) -> Option<Mark> {
        let (word, rest) = self.0.split_first_chunk::<4>()?;
        let word = u32::from_le_bytes(*word);
        if word & FLAGS == 0 {
            self.0 = rest;
            return Some(Mark { what: What::Role(word), bounds: Bounds::NONE, noted: false });
        }
        if word == END {
            return None;
        }
        let mut rest = rest;
        let mut time = |flag| {
            if word & flag == 0 {
                return Some(None);
            }
            let (time, behind) = rest.split_first_chunk::<8>()?;
            rest = behind;
            Some(Some(UnixTime::from_nanos(i64::from_le_bytes(*time))))
        };
        let bounds = Bounds { not_before: time(FROM)?, expires: time(UNTIL)? };
        self.0 = rest;
        let number = word & !FLAGS;
        let what = if word & GROUP == 0 { What::Role(number) } else { What::Group(number) };
        Some(Mark { what, bounds, noted: word & NOTED != 0 })
    }
}

impl<'a> Iterator for NotedMarks<'a> {
    type Item = (Mark, Note<'a>);

    fn next(&mut self) -> Option<(Mark, Note<'a>)> {
        let mark = self.marks.next()?;
        if !mark.noted {
            return Some((mark, Note::default()));
        }
        let mut text = || {
            let (len, rest) = self.notes.split_first_chunk::<4>()?;
            let len = u32::from_le_bytes(*len) as usize;
            let (text, rest) = rest.split_at_checked(len.saturating_sub(1))?;
            self.notes = rest;
            if len == 0 { None } else { str::from_utf8(text).ok() }
        };
        Some((mark, Note { granted_by: text(), reason: text() }))
    }
}

/// Writes the value of who holds these roles, without bounds or notes, to `out`.
pub(super) fn of_roles(roles: &[u32], out: &mut Vec<u8>) {
    out.clear();
    out.extend(roles.iter().flat_map(|role| role.to_le_bytes()));
}

/// Writes `value` with this mark to `out`, in place of the mark of the same role or group where there is one.
pub(super) fn set(value: &[u8], what: What, bounds: Bounds, note: Note<'_>, out: &mut Vec<u8>) -> Set {
    let mark = Mark { what, bounds, noted: note != Note::default() };
    let mut pen = Pen::new(out);
    let mut set = Set::New;
    for (other, its_note) in Marks::of(value).with_notes() {
        if other.what == what {
            set = Set::Replaced;
            pen.write(mark, note);
        } else {
            pen.write(other, its_note);
        }
    }
    if set == Set::New {
        pen.write(mark, note);
    }
    pen.end();
    set
}

/// Writes `value` without the mark of this role or group to `out`, and tells whether there was one.
pub(super) fn unset(value: &[u8], what: What, out: &mut Vec<u8>) -> bool {
    let mut pen = Pen::new(out);
    let mut found = false;
    for (mark, note) in Marks::of(value).with_notes() {
        if mark.what == what {
            found = true;
        } else {
            pen.write(mark, note);
        }
    }
    pen.end();
    found
}

struct Pen<'o> {
    out: &'o mut Vec<u8>,
    notes: Vec<u8>,
}

impl<'o> Pen<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        out.clear();
        Self { out, notes: Vec::new() }
    }

    fn write(&mut self, mark: Mark, note: Note<'_>) {
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let Bounds { not_before, expires } = mark.bounds;
        let word = match mark.what {
            What::Role(number) => number,
            What::Group(number) => number | GROUP,
        };
        let word = word
            | flag(not_before.is_some(), FROM)
            | flag(expires.is_some(), UNTIL)
            | flag(mark.noted, NOTED);
        self.out.extend(word.to_le_bytes());
        for time in [not_before, expires].into_iter().flatten() {
            self.out.extend(time.as_nanos().to_le_bytes());
        }
        if !mark.noted {
            return;
        }
        for text in [note.granted_by, note.reason] {
            // A text of 4 GiB is none: its record could not be kept either.
            let len = text.and_then(|text| u32::try_from(text.len()).ok()?.checked_add(1)).unwrap_or(0);
            self.notes.extend(len.to_le_bytes());
            self.notes.extend(text.filter(|_| len != 0).unwrap_or_default().as_bytes());
        }
    }

    fn end(self) {
        if !self.notes.is_empty() {
            self.out.extend(END.to_le_bytes());
            self.out.extend(self.notes);
        }
    }
}
