//! What the derive writes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::read::{Catalogue, Declared};

/// The catalogue as a `static`, and the impls that read it.
///
/// All paths are absolute and all new names stay inside one anonymous constant: nothing that the user has in scope changes them.
pub(crate) fn catalogue(catalogue: &Catalogue<'_>) -> TokenStream {
    let Catalogue { name, visibility, home, permissions } = catalogue;
    let core = quote!(#home::__derive);
    let entries = permissions.iter().map(|permission| entry(permission, home));
    let variants: Vec<_> = permissions.iter().map(|permission| permission.variant).collect();
    let names: Vec<_> = permissions.iter().map(|permission| &permission.options.name).collect();
    quote! {
        const _: () = {
            // A catalogue is known by its place in memory, which only a `static` has.
            static __BARTIZAN_PERMISSIONS: #core::PermissionCatalogue =
                #core::PermissionCatalogue::new(&[#(#entries),*]);

            #[automatically_derived]
            impl #home::Permissions for #name {
                const CATALOGUE: &'static #core::PermissionCatalogue = &__BARTIZAN_PERMISSIONS;

                const ALL: &'static [Self] = &[#(Self::#variants),*];

                #[inline]
                fn index(self) -> ::core::primitive::usize {
                    self as ::core::primitive::usize
                }

                fn from_name(name: &::core::primitive::str) -> ::core::option::Option<Self> {
                    match name {
                        #(#names => ::core::option::Option::Some(Self::#variants),)*
                        _ => ::core::option::Option::None,
                    }
                }
            }

            #[automatically_derived]
            impl #name {
                /// The permission that this variant stands for.
                #[allow(dead_code)]
                #[inline]
                #[must_use]
                #visibility const fn permission(self) -> #core::Permission {
                    #core::Permission::of(&__BARTIZAN_PERMISSIONS, self as ::core::primitive::usize)
                }
            }

            #[automatically_derived]
            impl ::core::convert::From<#name> for #core::Permission {
                #[inline]
                fn from(permission: #name) -> Self {
                    permission.permission()
                }
            }

            #[automatically_derived]
            impl ::core::fmt::Display for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.write_str(match self {
                        #(Self::#variants => #names),*
                    })
                }
            }
        };
    }
}

fn entry(permission: &Declared<'_>, home: &Path) -> TokenStream {
    let Declared { options, description, .. } = permission;
    let name = &options.name;
    let scoped = options.scopes.iter().map(|scope| format!("{}:{scope}", name.value()));
    let scoped = (!options.scopes.is_empty()).then(|| quote!(.scoped(&[#(#scoped),*])));
    let asserted_owner = options.asserted_owner.then(|| quote!(.asserted_owner()));
    let critical = options.critical.then(|| quote!(.critical()));
    let described = (!description.is_empty()).then(|| quote!(.described(#description)));
    quote!(#home::__derive::CatalogueEntry::new(#name) #scoped #asserted_owner #critical #described)
}
