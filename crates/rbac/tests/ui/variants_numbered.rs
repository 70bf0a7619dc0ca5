//! The order of the variants is their number; no other number can stand beside it.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    #[permission("patient:read")]
    PatientRead = 7,
}

fn main() {}
