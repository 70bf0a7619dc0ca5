//! A permission is passed by value, again and again.
#[derive(bartizan_rbac::Permissions)]
enum Clinic {
    #[permission("patient:read")]
    Read,
}

fn main() {}
