//! No permissions are no catalogue.
#[derive(Clone, Copy, bartizan_rbac::Permissions)]
enum Clinic {}

fn main() {}
