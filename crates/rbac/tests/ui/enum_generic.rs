//! A catalogue is one.
#[derive(Clone, Copy, bartizan_rbac::Permissions)]
enum Clinic<const N: usize> {
    #[permission("patient:read")]
    Read,
}

fn main() {}
