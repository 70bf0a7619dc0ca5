//! Permissions are the variants of an enum.
#[derive(Clone, Copy, bartizan_rbac::Permissions)]
struct Clinic;

fn main() {}
