//! A constant asks for no scope that its permission does not have.
use bartizan_core::{Permission, Scope};
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    #[permission("patient:read", scopes(own, all))]
    PatientRead,
}

const READ_TEAM: Permission = Clinic::PatientRead.permission().at_least(Scope::Team);

fn main() {
    let _ = READ_TEAM;
}
