//! What a path's template may look like.

use bartizan_http::check_path;

/// A template's shape: two templates of one shape match the same requests. Nothing for a template that is refused.
///
/// Templates are `/`, or `/` and segments, each plain text or one `{parameter}`. There are no wildcards: a route that takes
/// the rest of a path takes whatever a path trick makes of it.
pub(crate) fn shape(template: &str) -> Option<String> {
    if template == "/" {
        return Some(template.to_owned());
    }
    let mut names = Vec::new();
    let mut shape = String::with_capacity(template.len());
    for segment in template.strip_prefix('/')?.split('/') {
        let parameter = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        shape.push('/');
        match parameter {
            Some(name) if is_word(name) && !names.contains(&name) => {
                names.push(name);
                shape.push_str("{}");
            }
            None if is_plain(segment) => shape.push_str(segment),
            _ => return None,
        }
    }
    // What no request may ask for, no route needs to match.
    check_path(&shape.replace("{}", "x").parse().ok()?).ok().map(|()| shape)
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Unreserved characters (RFC 3986 section 2.3): they are the same encoded or not, and mean nothing to a router.
fn is_plain(segment: &str) -> bool {
    !segment.is_empty()
        && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_segments_and_parameters_pass() {
        for (template, expected) in [
            ("/", "/"),
            ("/patients", "/patients"),
            ("/patients/{id}", "/patients/{}"),
            ("/a/{x}/b/{y_2}", "/a/{}/b/{}"),
            ("/.well-known/jwks.json", "/.well-known/jwks.json"),
        ] {
            assert_eq!(shape(template).as_deref(), Some(expected));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "",
            "a",
            "//",
            "/a/",
            "/a//b",
            "/./a",
            "/a/..",
            "/{*rest}",
            "/{}",
            "/{1}",
            "/a{id}",
            "/{id}.json",
            "/{a}{b}",
            "/{id}/{id}",
            "/:id",
            "/*",
            "/a b",
            "/é",
            "/%41",
            "/a;b",
            "/a?b",
            "/a#b",
            "/{{id}}",
            "/{id",
            "/id}",
        ] {
            assert_eq!(shape(bad), None, "{bad}");
        }
    }
}
