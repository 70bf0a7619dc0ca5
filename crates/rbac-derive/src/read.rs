//! An enum as it was written: every variant a permission, or the reasons why not.

use std::collections::HashMap;

use syn::{
    Data, DeriveInput, Error, Fields, Ident, Path, Result, Variant, Visibility, parse_quote, spanned::Spanned,
};

use crate::{
    name,
    options::{self, Options},
};

/// An enum whose every variant is a permission.
pub(crate) struct Catalogue<'i> {
    pub(crate) name: &'i Ident,
    pub(crate) visibility: &'i Visibility,
    /// Where `bartizan_rbac` is found.
    pub(crate) home: Path,
    /// In the order of their numbers; at least one.
    pub(crate) permissions: Vec<Declared<'i>>,
}

/// One variant.
pub(crate) struct Declared<'i> {
    pub(crate) variant: &'i Ident,
    pub(crate) options: Options,
    pub(crate) description: String,
}

/// Reads the enum; all mistakes together when there are any.
pub(crate) fn catalogue(input: &DeriveInput) -> Result<Catalogue<'_>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "permissions are the variants of an enum"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "an enum of permissions has no generic parameters"));
    }
    if data.variants.is_empty() {
        return Err(Error::new(input.ident.span(), "an enum of permissions has at least one variant"));
    }
    let mut mistakes = Mistakes(None);
    let home = mistakes.keep(options::crate_path(&input.attrs)).flatten();
    let permissions: Vec<Declared<'_>> =
        data.variants.iter().filter_map(|variant| mistakes.keep(declared(variant))).collect();
    mistakes.repeated_names(&permissions);
    match mistakes.0 {
        Some(mistakes) => Err(mistakes),
        None => Ok(Catalogue {
            name: &input.ident,
            visibility: &input.vis,
            home: home.unwrap_or_else(|| parse_quote!(::bartizan_rbac)),
            permissions,
        }),
    }
}

fn declared(variant: &Variant) -> Result<Declared<'_>> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new(variant.fields.span(), "a permission has no fields"));
    }
    if let Some((_, number)) = &variant.discriminant {
        return Err(Error::new(
            number.span(),
            "permissions are numbered in their order; leave the number out",
        ));
    }
    let mut attributes = variant.attrs.iter().filter(|attribute| attribute.path().is_ident("permission"));
    let Some(attribute) = attributes.next() else {
        let proposed = name::proposed(&variant.ident.to_string());
        let detail = format!("a permission has a name: #[permission(\"{proposed}\")]");
        return Err(Error::new(variant.ident.span(), detail));
    };
    if let Some(second) = attributes.next() {
        return Err(Error::new(second.span(), "a variant is one permission"));
    }
    let options: Options = attribute.parse_args()?;
    let description = match &options.description {
        Some(description) => description.value(),
        None => options::summary(&variant.attrs),
    };
    Ok(Declared { variant: &variant.ident, options, description })
}

struct Mistakes(Option<Error>);

impl Mistakes {
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(mistakes) => mistakes.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn repeated_names(&mut self, permissions: &[Declared<'_>]) {
        let mut owners: HashMap<String, &Ident> = HashMap::with_capacity(permissions.len());
        for Declared { variant, options, .. } in permissions {
            let name = options.name.value();
            if let Some(first) = owners.get(&name) {
                let detail = format!("permission \"{name}\" stands twice: {first} has this name too");
                self.add(Error::new(options.name.span(), detail));
                continue;
            }
            owners.insert(name, variant);
        }
    }
}
