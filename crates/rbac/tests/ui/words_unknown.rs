//! What the derive does not know, it does not ignore.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
#[permissions(resource = "patient")]
enum Clinic {
    #[permission("patient:read", asserted)]
    Unknown,
    #[permission("patient:list", critical, critical)]
    Twice,
    #[permission("patient:find", scopes(own), scopes(all))]
    ScopesTwice,
    #[permission("patient:view", "patient:see")]
    TwoNames,
    #[permission("patient:edit" critical)]
    NoComma,
}

fn main() {}
