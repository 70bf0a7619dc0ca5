//! A permission is a name and a number, and nothing else.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    #[permission("patient:read")]
    Tuple(u32),
    #[permission("patient:list")]
    Struct { id: u32 },
}

fn main() {}
