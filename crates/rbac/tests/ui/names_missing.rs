//! A name is written out: renaming a variant must not change what a policy is bound to.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    PatientRead,
    #[permission]
    PatientWrite,
    #[permission()]
    PatientList,
    #[permission(critical)]
    PatientErase,
    #[permission("patient:a")]
    #[permission("patient:b")]
    PatientTwo,
}

fn main() {}
