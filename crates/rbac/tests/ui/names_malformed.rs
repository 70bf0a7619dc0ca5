//! A name that no policy could have does not compile; all mistakes are shown at once.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    #[permission("Patient.read")]
    Capital,
    #[permission("patient:*")]
    Wildcard,
    #[permission("patient:read:own")]
    Scoped,
    #[permission("patient")]
    Half,
    #[permission("patient:")]
    Empty,
    #[permission("pаtient:read")]
    Cyrillic,
    #[permission("patient:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    Long,
}

fn main() {}
