//! A decision that nobody looks at protects nothing.
#![deny(unused_must_use)]
use bartizan_core::{Authorizer, Permission, Principal, Resource};

fn guard(authorizer: &Authorizer, who: &Principal, permission: Permission, on: Resource<'_>) {
    authorizer.decide(who, permission, on);
}

fn main() {}
