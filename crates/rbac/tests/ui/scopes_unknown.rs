//! Scopes are four words.
use bartizan_rbac::Permissions;

#[derive(Clone, Copy, Permissions)]
enum Clinic {
    #[permission("patient:read", scopes(own, taem))]
    Misspelt,
    #[permission("patient:list", scopes(Own))]
    Capital,
    #[permission("patient:find", scopes(own, own))]
    Twice,
    #[permission("patient:view", scopes(tenant, all))]
    TwiceAsAll,
    #[permission("patient:edit", scopes())]
    Empty,
    #[permission("patient:make", scopes = "own")]
    AsText,
}

fn main() {}
