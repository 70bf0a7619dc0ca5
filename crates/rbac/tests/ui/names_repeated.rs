//! Two variants are two permissions.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    #[permission("patient:read", scopes(own))]
    PatientRead,
    #[permission("patient:erase")]
    PatientErase,
    #[permission("patient:read")]
    PatientView,
}

fn main() {}
