//! One step of the demonstration: what is done, what must come of it, and what that proves.

use std::{fmt, io::Write};

/// Anything that keeps a step from being carried out at all.
pub(crate) type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// A step that did not end as it must.
#[derive(Debug)]
pub struct Failed {
    /// The step's name.
    pub step: &'static str,
    /// What happened instead.
    pub instead: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step “{}” failed: {}", self.step, self.instead)
    }
}

impl std::error::Error for Failed {}

/// Collects what a step must find; the first thing that is not so ends it.
pub(crate) fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Trouble> {
    if holds { Ok(()) } else { Err(otherwise().into()) }
}

/// Tells the steps as they pass.
pub(crate) struct Narrator<'o> {
    out: &'o mut dyn Write,
    count: usize,
}

impl<'o> Narrator<'o> {
    pub(crate) const fn new(out: &'o mut dyn Write) -> Self {
        Self { out, count: 0 }
    }

    /// Notes how a step ended.
    pub(crate) fn tell(
        &mut self,
        step: &'static str,
        proves: &str,
        ended: Result<String, Trouble>,
    ) -> Result<(), Failed> {
        self.count += 1;
        match ended {
            Ok(saw) => {
                self.say(&format!("✓ {:>2}  {step}", self.count));
                self.say(&paragraph("saw", &saw));
                self.say(&format!("{}\n", paragraph("proves", proves)));
                Ok(())
            }
            Err(trouble) => {
                self.say(&format!("✗ {:>2}  {step}", self.count));
                self.say(&paragraph("saw", &trouble.to_string()));
                Err(Failed { step, instead: trouble.to_string() })
            }
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        // Whether anybody listens does not matter to what is shown.
        let _ = writeln!(self.out, "{text}");
    }

    /// How many steps were told.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }
}

/// A text under its heading, in lines of at most 100 characters unless a single word is longer.
fn paragraph(heading: &str, text: &str) -> String {
    let mut lines = format!("       {heading:<8}");
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 85 {
            lines.push_str("\n               ");
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}
