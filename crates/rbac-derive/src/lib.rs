#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod expand;
mod name;
mod options;
mod read;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes an enum the catalogue of a program's permissions: each variant a permission, with a number and a canonical name.
/// The trait of the same name in `bartizan-rbac` has an example.
///
/// # On a variant: `#[permission("resource:action", …)]`
/// | word | meaning |
/// |---|---|
/// | `"resource:action"` | the name, always written out: a policy is bound to it, so renaming a variant must not change it, and whoever reads a policy can search the program for it |
/// | `scopes(own, team, tenant, all)` | the scopes that policies grant and questions ask; without, the permission reaches all records of the tenant |
/// | `asserted_owner` | `own` also believes an owner whom the caller names and no seal does |
/// | `critical` | every use is durable on record first |
/// | `description = "…"` | a sentence for people; without, the first paragraph of the variant's doc comment |
///
/// # On the enum: `#[permissions(crate = "bartizan::rbac")]`
/// Where the crate is found, for users of the facade; without, `::bartizan_rbac`.
///
/// # What it writes
/// `Permissions`, `Display` (the name) and `From` into `Permission`, and `const fn permission(self)` on the enum itself, with the
/// enum's own visibility. The enum has to be `Copy`.
///
/// # What it refuses
/// A malformed name, a wildcard, a scope in a name, a name or a scope that stands twice, an unknown scope or word, a variant without a
/// name, with fields or with a number of its own, and an enum without variants. All of an enum's mistakes are shown at once.
#[proc_macro_derive(Permissions, attributes(permission, permissions))]
pub fn derive_permissions(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = read::catalogue(&input).map(|catalogue| expand::catalogue(&catalogue));
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}
