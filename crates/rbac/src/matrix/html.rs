//! The matrix as a page that a person can look at: a heat map in SVG, without script, without anything from elsewhere.

use std::fmt::{self, Write};

use bartizan_core::Scope;

use super::{Cell, Matrix};
use crate::policy::Role;

const STYLE: &str = include_str!("page.css");

/// From one cell to the next, and how large one is.
const PITCH: usize = 20;
const SIZE: usize = 18;

/// Most letters of a name that are written out beside the map and above it; the whole one is in its title.
const BESIDE: usize = 40;
const ABOVE: usize = 22;

/// About the width of a letter, in tenths.
const LETTER: usize = 66;

/// What a cell may look like: each look is drawn once and used many times.
type Looks = Vec<Cell>;

pub(super) fn page(matrix: &Matrix) -> Result<String, fmt::Error> {
    let policy = &*matrix.policy.0;
    let mut looks = Looks::new();
    let body = body(matrix, &mut looks)?;
    let (width, height) = (policy.roles.len() * PITCH + 4, policy.permissions.len() * PITCH + 4);
    let side = widest(policy.permissions.iter().map(|info| info.name.len()), BESIDE);
    let top = widest(policy.roles.iter().map(|role| role.name.len()), ABOVE);
    let mut page = String::with_capacity(body.len() + 16 * 1024);
    // Nothing of the page is asked for elsewhere, and nothing in it runs.
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    page.push_str(
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Who may do what</title>\n",
    );
    writeln!(page, "<style>\n{STYLE}</style>\n<h1>Who may do what</h1>")?;
    writeln!(
        page,
        "<p>{} roles, each with all that it inherits, and {} permissions. Point at a cell for its words.</p>",
        policy.roles.len(),
        policy.permissions.len()
    )?;
    definitions(&mut page, &looks)?;
    legend(&mut page)?;
    page.push_str("<div class=\"map\">\n<div class=\"corner\"></div>\n");
    writeln!(
        page,
        "<svg class=\"roles\" width=\"{width}\" height=\"{top}\" role=\"img\" aria-label=\"Roles\">"
    )?;
    for (role, at) in policy.roles.iter().zip(0_usize..) {
        let is_glass =
            policy.role_ids.get(&role.name).is_some_and(|id| policy.constraints.glass.contains_key(id));
        head(&mut page, role, is_glass, at * PITCH + PITCH / 2 + 6, top - 8)?;
    }
    page.push_str("</svg>\n");
    writeln!(
        page,
        "<svg class=\"permissions\" width=\"{side}\" height=\"{height}\" role=\"img\" aria-label=\"Permissions\">"
    )?;
    let mut kind = None;
    for (info, at) in policy.permissions.iter().zip(0_usize..) {
        let y = at * PITCH + 2;
        if kind.replace(&info.resource).is_some_and(|kind| *kind != info.resource) {
            writeln!(page, "<path class=\"kind\" d=\"M0 {y}H{side}\"/>")?;
        }
        let x = side - 8;
        let (short, name) = (shortened(&info.name, BESIDE), escaped(&info.name));
        writeln!(
            page,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"end\">{short}<title>{name}</title></text>",
            y + 13
        )?;
    }
    page.push_str("</svg>\n");
    writeln!(
        page,
        "<svg width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"Who may do what\">\n{body}</svg>\n</div>"
    )?;
    fields(&mut page, matrix)?;
    page.push_str("</html>\n");
    Ok(page)
}

/// The cells, row by row. Fills in the looks that they use.
fn body(matrix: &Matrix, looks: &mut Looks) -> Result<String, fmt::Error> {
    let policy = &*matrix.policy.0;
    let (mut body, mut kind) = (String::new(), None);
    let width = policy.roles.len() * PITCH + 4;
    for (info, id) in policy.permissions.iter().zip(0_u32..) {
        let y = id as usize * PITCH + 2;
        let back = y - 1;
        writeln!(
            body,
            "<g class=\"row\"><rect class=\"back\" y=\"{back}\" width=\"{width}\" height=\"{PITCH}\"/>"
        )?;
        if kind.replace(&info.resource).is_some_and(|kind| *kind != info.resource) {
            writeln!(body, "<path class=\"kind\" d=\"M0 {y}H{width}\"/>")?;
        }
        for (role, role_id) in policy.roles.iter().zip(0_u32..) {
            let cell = matrix.at(role_id, id);
            let look = looks.iter().position(|known| *known == cell).unwrap_or_else(|| {
                looks.push(cell);
                looks.len() - 1
            });
            let x = role_id as usize * PITCH + 2;
            let (role, name) = (escaped(&role.name), escaped(&info.name));
            writeln!(
                body,
                "<use href=\"#l{look}\" x=\"{x}\" y=\"{y}\"><title>{role}\n{name}: {cell}</title></use>"
            )?;
        }
        body.push_str("</g>\n");
    }
    Ok(body)
}

fn definitions(page: &mut String, looks: &[Cell]) -> fmt::Result {
    page.push_str("<svg width=\"0\" height=\"0\" aria-hidden=\"true\"><defs>\n");
    for class in ["own", "team", "all"] {
        writeln!(
            page,
            "<pattern id=\"p-{class}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <path class=\"stripes {class}\" d=\"M1.5 0V6\"/></pattern>"
        )?;
    }
    for (cell, at) in looks.iter().zip(0_usize..) {
        write!(page, "<g id=\"l{at}\">")?;
        look(page, *cell)?;
        page.push_str("</g>\n");
    }
    page.push_str("</defs></svg>\n");
    Ok(())
}

/// Colour for what is sure, stripes for what conditions add, red for what is taken.
fn look(page: &mut String, cell: Cell) -> fmt::Result {
    let rect = format!("width=\"{SIZE}\" height=\"{SIZE}\" rx=\"3\"");
    let middle = SIZE / 2;
    let class = |scope: Option<Scope>| match scope {
        None => "none",
        Some(Scope::Own) => "own",
        Some(Scope::Team) => "team",
        Some(Scope::Tenant | Scope::All) => "all",
    };
    write!(page, "<rect class=\"{}\" {rect}/>", class(cell.scope()))?;
    let perhaps = cell.may_allow().filter(|may| cell.deny().is_none_or(|deny| deny < *may));
    if perhaps.is_some() {
        write!(page, "<rect fill=\"url(#p-{})\" {rect}/>", class(perhaps))?;
    }
    if let Some(scope) = perhaps.or(cell.scope()) {
        let (class, letter) =
            (if perhaps.is_some() { "perhaps" } else { class(Some(scope)) }, class(Some(scope)));
        let letter = letter.get(..1).unwrap_or_default();
        write!(page, "<text class=\"letter {class}\" x=\"{middle}\" y=\"12.5\">{letter}</text>")?;
    }
    match (cell.deny(), cell.scope().or(perhaps)) {
        (Some(_), None) => page.push_str("<path class=\"deny-line\" d=\"M5 5L13 13M13 5L5 13\"/>"),
        (Some(_), Some(_)) => page.push_str("<path class=\"deny\" d=\"M8 0H15A3 3 0 0 1 18 3V10Z\"/>"),
        (None, _) => {}
    }
    if cell.may_deny().is_some() {
        for class in ["paper", "maybe-deny"] {
            write!(page, "<rect class=\"{class}\" x=\"1\" y=\"1\" width=\"16\" height=\"16\" rx=\"2.5\"/>")?;
        }
    }
    Ok(())
}

fn legend(page: &mut String) -> fmt::Result {
    let cell = |allow, deny, may_allow, may_deny| Cell { allow, deny, may_allow, may_deny };
    let (own, team, all) = (Some(Scope::Own), Some(Scope::Team), Some(Scope::All));
    page.push_str("<ul>\n");
    for (cell, words) in [
        (cell(own, None, None, None), "own records"),
        (cell(team, None, None, None), "the team’s"),
        (cell(all, None, None, None), "all of the tenant"),
        (cell(None, None, None, None), "nothing"),
        (cell(None, None, all, None), "only under conditions"),
        (cell(own, None, all, None), "surely less, more under conditions"),
        (cell(None, all, None, None), "denied"),
        (cell(all, own, None, None), "denied in part"),
        (cell(all, None, None, all), "denied under conditions"),
    ] {
        write!(page, "<li><svg width=\"{SIZE}\" height=\"{SIZE}\" aria-hidden=\"true\">")?;
        look(page, cell)?;
        writeln!(page, "</svg>{words}</li>")?;
    }
    page.push_str("<li class=\"emergency\"><svg width=\"32\" height=\"18\"><text y=\"13\">role</text></svg>for emergencies</li>\n");
    page.push_str("<li class=\"across\"><svg width=\"32\" height=\"18\"><text y=\"13\">role</text></svg>across tenants</li>\n</ul>\n");
    Ok(())
}

/// A role's name, upright above its column.
fn head(page: &mut String, role: &Role, is_glass: bool, x: usize, y: usize) -> fmt::Result {
    let (class, more) = match (is_glass, role.is_system) {
        (true, _) => (" class=\"emergency\"", ", for emergencies"),
        (false, true) => (" class=\"across\"", ", across tenants"),
        (false, false) => ("", ""),
    };
    let (short, name) = (shortened(&role.name, ABOVE), escaped(&role.name));
    writeln!(
        page,
        "<g{class} transform=\"translate({x} {y}) rotate(-90)\"><text>{short}<title>{name}{more}</title></text></g>"
    )
}

fn fields(page: &mut String, matrix: &Matrix) -> fmt::Result {
    let mut shown = matrix.shown().peekable();
    if shown.peek().is_none() {
        return Ok(());
    }
    page.push_str("<h2>Fields in clear</h2>\n<details><summary>By role and permission</summary>\n<table>\n");
    page.push_str("<tr><th>role<th>permission<th>in clear\n");
    for (role, permission, scope, clear) in shown {
        let (role, permission, clear) = (escaped(role), escaped(permission), escaped(&format!("{clear:?}")));
        writeln!(page, "<tr><td>{role}<td>{permission}:{}<td>{clear}", scope.as_str())?;
    }
    page.push_str("</table>\n</details>\n");
    Ok(())
}

fn widest(names: impl Iterator<Item = usize>, most: usize) -> usize {
    names.max().unwrap_or_default().min(most + 1) * LETTER / 10 + 20
}

fn shortened(name: &str, most: usize) -> String {
    match name.get(..most).filter(|_| name.len() > most) {
        Some(start) => format!("{}…", escaped(start)),
        None => escaped(name),
    }
}

/// SECURITY: names are ASCII of a small alphabet by the policy's own rules. A page that other people open does not lean on that.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_name_is_no_markup() {
        assert_eq!(escaped("<a href='x'>&\""), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;");
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("ab<d", 3), "ab&lt;…");
    }
}
