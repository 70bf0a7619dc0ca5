//! The words of `#[permission(…)]` and `#[permissions(…)]`.

use syn::{
    Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Result, Token, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::name;

/// What `#[permission(…)]` says of one variant.
pub(crate) struct Options {
    pub(crate) name: LitStr,
    /// In the order they are written; none when not said.
    pub(crate) scopes: Vec<Ident>,
    pub(crate) asserted_owner: bool,
    pub(crate) critical: bool,
    pub(crate) description: Option<LitStr>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitStr) {
            return Err(input.error("the name comes first: #[permission(\"resource:action\", …)]"));
        }
        let name: LitStr = input.parse()?;
        if let Some(fault) = name::fault(&name.value()) {
            return Err(Error::new(name.span(), fault));
        }
        let mut options =
            Self { name, scopes: Vec::new(), asserted_owner: false, critical: false, description: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            options.word(input)?;
        }
        Ok(options)
    }
}

impl Options {
    fn word(&mut self, input: ParseStream<'_>) -> Result<()> {
        const KNOWN: &str = "expected scopes(…), asserted_owner, critical or description = \"…\"";
        let word: Ident = input.parse().map_err(|error| Error::new(error.span(), KNOWN))?;
        let repeated = if word == "scopes" {
            let before = !self.scopes.is_empty();
            self.scopes = scopes(&word, input)?;
            before
        } else if word == "asserted_owner" {
            std::mem::replace(&mut self.asserted_owner, true)
        } else if word == "critical" {
            std::mem::replace(&mut self.critical, true)
        } else if word == "description" {
            input.parse::<Token![=]>()?;
            self.description.replace(input.parse()?).is_some()
        } else {
            return Err(Error::new(word.span(), KNOWN));
        };
        if repeated {
            return Err(Error::new(word.span(), format!("`{word}` stands twice")));
        }
        Ok(())
    }
}

/// Where the enum's user finds the crate: `#[permissions(crate = "…")]`.
pub(crate) fn crate_path(attributes: &[Attribute]) -> Result<Option<Path>> {
    let mut path: Option<Path> = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("permissions")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected crate = \"…\""));
            }
            let text: LitStr = meta.value()?.parse()?;
            if path.replace(text.parse()?).is_some() {
                return Err(meta.error("`crate` stands twice"));
            }
            Ok(())
        })?;
    }
    Ok(path)
}

/// The first paragraph of a doc comment, on one line; empty without one.
pub(crate) fn summary(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if let Meta::NameValue(doc) = &attribute.meta
            && doc.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &doc.value
        {
            text.push_str(&line.value());
            text.push('\n');
        }
    }
    let lines = text.lines().map(str::trim).skip_while(|line| line.is_empty());
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn scopes(word: &Ident, input: ParseStream<'_>) -> Result<Vec<Ident>> {
    let list;
    parenthesized!(list in input);
    let scopes: Vec<Ident> = Punctuated::<Ident, Token![,]>::parse_terminated(&list)?.into_iter().collect();
    if scopes.is_empty() {
        let detail = "no scope is listed; leave `scopes` out for a permission that reaches all records";
        return Err(Error::new(word.span(), detail));
    }
    let mut seen: Vec<String> = Vec::with_capacity(scopes.len());
    for scope in &scopes {
        let text = scope.to_string();
        if !name::is_scope(&text) {
            return Err(Error::new(
                scope.span(),
                format!("scope `{text}` is none of own, team, tenant, all"),
            ));
        }
        // No scope leaves the tenant, so these two are one.
        let reach = if text == "tenant" { "all".to_owned() } else { text };
        if seen.contains(&reach) {
            return Err(Error::new(scope.span(), "a scope stands twice; tenant and all are one"));
        }
        seen.push(reach);
    }
    Ok(scopes)
}
