//! A token that was not verified does not get into a text or a log by accident.
use bartizan_core::RawToken;

fn said<T: std::fmt::Display + AsRef<str>>() {}

fn main() {
    said::<RawToken<'_>>();
}
