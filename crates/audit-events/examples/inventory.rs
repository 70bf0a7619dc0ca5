//! Prints the inventory of all events: `cargo run -p bartizan-audit-events --example inventory > crates/audit-events/EVENTS.md`.

fn main() {
    print!("{}", bartizan_audit_events::inventory());
}
