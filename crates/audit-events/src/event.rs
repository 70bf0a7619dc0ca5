//! One kind of event: its stable code and what is usually true of it.

use std::fmt::Write;

use bartizan_core::{Delivery, EventCode, Fact, Origin, Outcome, Subject, Target, UnixTime};

use crate::catalogue::EVENTS;

/// One kind of event.
///
/// ```
/// use bartizan_audit_events::{Event, Severity};
///
/// assert_eq!(Event::FAILED_LOGIN.number(), 1002);
/// assert_eq!(Event::named("failed_login"), Some(Event::FAILED_LOGIN));
/// assert_eq!(Event::named("FAILED_LOGIN_ATTEMPT"), Some(Event::FAILED_LOGIN));
/// assert_eq!(Event::FAILED_LOGIN.severity(), Severity::Medium);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    pub(crate) code: EventCode,
    pub(crate) others: &'static [&'static str],
    pub(crate) severity: Severity,
    pub(crate) category: Category,
    pub(crate) delivery: Delivery,
    pub(crate) outcome: Outcome,
    pub(crate) ocsf: Ocsf,
    pub(crate) description: &'static str,
}

/// All events, in the order of their numbers.
pub fn catalogue() -> impl ExactSizeIterator<Item = Event> + Clone {
    EVENTS.iter().copied()
}

impl Event {
    /// The event of this stable number.
    #[must_use]
    pub fn numbered(number: u16) -> Option<Self> {
        // INVARIANT(sorted-numbers): a test holds the table to ascending numbers.
        let at = EVENTS.binary_search_by_key(&number, |event| event.number()).ok()?;
        EVENTS.get(at).copied()
    }

    /// The event of this name: the stable name, one of its other names, or either in `UPPER_SNAKE`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_upper = !name.bytes().any(|byte| byte.is_ascii_lowercase());
        let matches = |known: &str| known == name || is_upper && known.eq_ignore_ascii_case(name);
        EVENTS
            .iter()
            .find(|event| matches(event.name()) || event.others.iter().any(|other| matches(other)))
            .copied()
    }

    /// A service's own event, beside the catalogue.
    ///
    /// ```
    /// use bartizan_audit_events::{Event, Severity};
    ///
    /// const RECORD_PRINTED: Event =
    ///     Event::own(10_001, "record_printed", Severity::Medium, "A patient's record was printed.");
    /// assert_eq!(RECORD_PRINTED.code().name(), "record_printed");
    /// ```
    ///
    /// A number of the catalogue does not compile:
    ///
    /// ```compile_fail
    /// use bartizan_audit_events::{Event, Severity};
    ///
    /// const MINE: Event = Event::own(1_002, "mine", Severity::Low, "Mine.");
    /// ```
    ///
    /// # Panics
    /// When the number is below 10,000: in a `const` that is a compile error.
    #[must_use]
    pub const fn own(number: u16, name: &'static str, severity: Severity, description: &'static str) -> Self {
        assert!(number >= 10_000, "numbers below 10,000 are the catalogue's");
        Self {
            code: EventCode::new(number, name),
            others: &[],
            severity,
            category: Category::Service,
            delivery: Delivery::Standard,
            outcome: Outcome::Unknown,
            ocsf: Ocsf::new(6003, 99),
            description,
        }
    }

    /// The same, kept this surely.
    #[must_use]
    pub const fn delivered(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Number and name, as `bartizan-core` records them.
    #[must_use]
    pub const fn code(&self) -> EventCode {
        self.code
    }

    /// The stable number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.code.number()
    }

    /// The stable name, `lower_snake`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.code.name()
    }

    /// Other names by which the parser knows it, from the OWASP logging vocabulary and from elsewhere.
    #[must_use]
    pub const fn other_names(&self) -> &'static [&'static str] {
        self.others
    }

    /// How grave it is until somebody says otherwise.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// What it is about.
    #[must_use]
    pub const fn category(&self) -> Category {
        self.category
    }

    /// How surely it is kept until somebody says otherwise.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// How it usually ends; what is assumed of a received event that does not tell.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What it is in OCSF.
    #[must_use]
    pub const fn ocsf(&self) -> Ocsf {
        self.ocsf
    }

    /// What happened, in one fixed sentence.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// A fact of this kind, to be kept as surely as the catalogue says.
    #[must_use]
    pub const fn fact<'a>(
        &self,
        outcome: Outcome,
        at: UnixTime,
        subject: Subject<'a>,
        target: Target<'a>,
        origin: Origin<'a>,
    ) -> Fact<'a> {
        Fact::new(self.code, outcome, at, subject, target, origin).delivered(self.delivery)
    }
}

/// How grave an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Daily life.
    Low,
    /// Worth counting.
    Medium,
    /// Worth a look today.
    High,
    /// Worth waking somebody.
    Critical,
}

impl Severity {
    /// The severity of this name; `warning` is read as [`Severity::Medium`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "low" => Some(Self::Low),
            "medium" | "warning" => Some(Self::Medium),
            "high" => Some(Self::High),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// The word in records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The `severity_id` of OCSF: 2 to 5.
    #[must_use]
    pub const fn ocsf(self) -> u8 {
        match self {
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Who somebody is.
    Authentication,
    /// Passwords and their hashes.
    Password,
    /// Tokens.
    Token,
    /// Sessions.
    Session,
    /// What somebody may do.
    Permission,
    /// Who may do what: roles and policies.
    Policy,
    /// Sealed fields and personal data.
    Field,
    /// Keys.
    Key,
    /// Secrets.
    Secret,
    /// The audit log itself.
    Log,
    /// The service.
    System,
    /// What no honest client does.
    Misuse,
    /// A service's own events.
    Service,
}

impl Category {
    /// The word in the inventory.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Password => "password",
            Self::Token => "token",
            Self::Session => "session",
            Self::Permission => "permission",
            Self::Policy => "policy",
            Self::Field => "field",
            Self::Key => "key",
            Self::Secret => "secret",
            Self::Log => "log",
            Self::System => "system",
            Self::Misuse => "misuse",
            Self::Service => "service",
        }
    }
}

/// A class and activity of the Open Cybersecurity Schema Framework 1.9; activity 99 is “other”.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ocsf {
    class: u32,
    activity: u8,
}

impl Ocsf {
    pub(crate) const fn new(class: u32, activity: u8) -> Self {
        Self { class, activity }
    }

    /// `class_uid`, for example 3002 for authentication.
    #[must_use]
    pub const fn class(self) -> u32 {
        self.class
    }

    /// `activity_id` within the class.
    #[must_use]
    pub const fn activity(self) -> u8 {
        self.activity
    }

    /// `type_uid`: class and activity in one number.
    #[must_use]
    pub const fn type_uid(self) -> u32 {
        self.class * 100 + self.activity as u32
    }
}

/// The inventory of all events as a Markdown table; `EVENTS.md` beside this crate is its output (ASVS 5.0, 16.1.1).
#[must_use]
pub fn inventory() -> String {
    let mut page = String::from(
        "# Events\n\n\
         Written by `cargo run -p bartizan-audit-events --example inventory`; a test compares the two.\n\n\
         | Number | Name | Also read as | Severity | Category | Delivery | Usual outcome | OCSF class/activity | What happened |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for event in catalogue() {
        let others: Vec<String> = event.others.iter().map(|other| format!("`{other}`")).collect();
        // INVARIANT(string-write): writing to a `String` cannot fail.
        let _ = writeln!(
            page,
            "| {} | `{}` | {} | {} | {} | {} | {} | {}/{} | {} |",
            event.number(),
            event.name(),
            others.join(" "),
            event.severity.as_str(),
            event.category.as_str(),
            event.delivery.as_str(),
            event.outcome.as_str(),
            event.ocsf.class,
            event.ocsf.activity,
            event.description,
        );
    }
    page
}
