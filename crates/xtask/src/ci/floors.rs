//! An edge between crates goes down: never up, never to a sibling of the same floor.
//!
//! Normal and build edges obey that. Dev edges may point up, but all edges together close no cycle. One exception, stated
//! in [`is_testkit_from_below`]: `core` may test itself with `testkit`, which is made of core.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata};

use crate::{ci::Done, problem::Problem, repo::Repo};

/// Which floor a folder's crates stand on. The first row that fits counts; what fits none is refused.
const FLOORS: [(&str, Floor); 28] = [
    ("crates/core", Floor::Number(0)),
    ("crates/*-derive", Floor::Number(0)),
    ("crates/crypto", Floor::Number(1)),
    ("crates/audit-events", Floor::Number(1)),
    ("crates/tokens", Floor::Number(2)),
    ("crates/rbac", Floor::Number(2)),
    ("crates/envelope", Floor::Number(2)),
    ("crates/passwords", Floor::Number(2)),
    ("crates/rate-limit", Floor::Number(2)),
    ("crates/field-crypto", Floor::Number(3)),
    ("crates/secrets", Floor::Number(3)),
    ("crates/audit", Floor::Number(3)),
    ("crates/sessions", Floor::Number(3)),
    ("crates/oidc", Floor::Number(3)),
    ("crates/privacy", Floor::Number(3)),
    ("crates/drivers/*", Floor::Number(4)),
    ("crates/backends/*", Floor::Number(5)),
    ("crates/http", Floor::Number(6)),
    ("crates/integrations/*", Floor::Number(7)),
    ("crates/compat/*", Floor::Number(7)),
    ("crates/bartizan", Floor::Number(8)),
    ("crates/cli", Floor::Number(9)),
    ("crates/testkit", Floor::Testkit),
    ("crates/xtask", Floor::Alone),
    ("examples/*", Floor::Roof),
    ("tests/*", Floor::Roof),
    ("benches", Floor::Roof),
    // Plain numbers and names, for the benches alone.
    ("benches/worlds", Floor::Number(0)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Floor {
    /// Depends on lower numbers only.
    Number(u8),
    /// Made of core; others use it as a dev-dependency only.
    Testkit,
    /// Uses whatever it wants; nothing depends on it.
    Roof,
    /// Neither uses a crate of the workspace nor is used by one.
    Alone,
}

/// One crate of the workspace, with its edges to others of it.
#[derive(Debug)]
struct Node {
    name: String,
    folder: String,
    edges: Vec<(String, Edge)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// Normal or build: part of what users compile.
    Built,
    Dev,
}

pub(crate) fn run(repo: &Repo) -> Result<Done, Problem> {
    let nodes = nodes(&repo.metadata()?)?;
    let mut findings = check(&nodes);
    findings.extend(unit_tests_on_testkit(repo, &nodes)?);
    Problem::unless_empty("an edge between crates goes the wrong way", &findings)?;
    Ok(Done::Passed)
}

fn nodes(metadata: &Metadata) -> Result<Vec<Node>, Problem> {
    let names: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut nodes = Vec::new();
    for package in &metadata.packages {
        let folder = package
            .manifest_path
            .parent()
            .and_then(|folder| folder.strip_prefix(&metadata.workspace_root).ok())
            .ok_or_else(|| Problem::new(format!("{} is not inside the workspace", package.name)))?;
        let edges = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some() && names.contains(dependency.name.as_str()))
            .map(|dependency| {
                let edge =
                    if dependency.kind == DependencyKind::Development { Edge::Dev } else { Edge::Built };
                (dependency.name.clone(), edge)
            })
            .collect();
        nodes.push(Node {
            name: package.name.to_string(),
            folder: folder.as_str().replace('\\', "/"),
            edges,
        });
    }
    Ok(nodes)
}

fn check(nodes: &[Node]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut floors = BTreeMap::new();
    for node in nodes {
        match floor(&node.folder) {
            Some(floor) => drop(floors.insert(node.name.as_str(), floor)),
            None => findings.push(format!(
                "{} stands on no floor: give `{}` a row in crates/xtask/src/ci/floors.rs",
                node.name, node.folder
            )),
        }
    }
    for node in nodes {
        for (to, edge) in &node.edges {
            let (Some(from_floor), Some(to_floor)) =
                (floors.get(node.name.as_str()), floors.get(to.as_str()))
            else {
                continue;
            };
            if let Some(why) = refused(*from_floor, *to_floor, *edge) {
                findings.push(format!("{} → {to}: {why}", node.name));
            }
        }
    }
    findings.extend(cycle(nodes, &floors));
    findings
}

fn floor(folder: &str) -> Option<Floor> {
    FLOORS.iter().find(|(pattern, _)| fits(pattern, folder)).map(|(_, floor)| *floor)
}

/// `*` stands for a piece of one path component.
fn fits(pattern: &str, folder: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == folder,
        Some((before, after)) => folder
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|piece| !piece.is_empty() && !piece.contains('/')),
    }
}

fn refused(from: Floor, to: Floor, edge: Edge) -> Option<String> {
    match (from, to, edge) {
        (Floor::Alone, _, _) | (_, Floor::Alone, _) => {
            Some("xtask neither uses the workspace's crates nor is used by them".to_owned())
        }
        (_, Floor::Roof, _) => Some("nothing depends on examples, benches or peer tests".to_owned()),
        (Floor::Roof, _, _) | (_, _, Edge::Dev) => None,
        (_, Floor::Testkit, Edge::Built) => Some("testkit is a dev-dependency only".to_owned()),
        (Floor::Testkit, Floor::Number(0), _) => None,
        (Floor::Testkit, Floor::Number(floor), _) => {
            Some(format!("testkit is made of core alone, and this is floor {floor}"))
        }
        (Floor::Number(from), Floor::Number(to), Edge::Built) if to == from => {
            Some(format!("both stand on floor {from}, and siblings do not know each other"))
        }
        (Floor::Number(from), Floor::Number(to), Edge::Built) if to > from => {
            Some(format!("goes up, from floor {from} to floor {to}"))
        }
        (Floor::Number(_), Floor::Number(_), Edge::Built) => None,
    }
}

/// The first cycle over edges of every kind, as a path.
fn cycle(nodes: &[Node], floors: &BTreeMap<&str, Floor>) -> Option<String> {
    let edges: BTreeMap<&str, Vec<&str>> = nodes
        .iter()
        .map(|node| {
            let to = node
                .edges
                .iter()
                .filter(|(to, edge)| {
                    *to != node.name && !is_testkit_from_below(floors, &node.name, to, *edge)
                })
                .map(|(to, _)| to.as_str())
                .collect();
            (node.name.as_str(), to)
        })
        .collect();
    let mut closed = BTreeSet::new();
    nodes.iter().find_map(|node| walk(&node.name, &edges, &mut Vec::new(), &mut closed))
}

fn walk<'n>(
    at: &'n str,
    edges: &BTreeMap<&'n str, Vec<&'n str>>,
    path: &mut Vec<&'n str>,
    closed: &mut BTreeSet<&'n str>,
) -> Option<String> {
    if let Some(from) = path.iter().position(|name| *name == at) {
        let round: Vec<&str> = path.iter().skip(from).copied().chain([at]).collect();
        return Some(format!("{}: a cycle", round.join(" → ")));
    }
    if closed.contains(at) {
        return None;
    }
    path.push(at);
    let found = edges.get(at).and_then(|to| to.iter().find_map(|to| walk(to, edges, path, closed)));
    path.pop();
    closed.insert(at);
    found
}

/// The one cycle that is allowed: what testkit is made of may use it from `tests/` and from examples in its docs, which link the
/// crate as users do. A unit test would meet two copies of the crate: see [`unit_tests_on_testkit`].
fn is_testkit_from_below(floors: &BTreeMap<&str, Floor>, from: &str, to: &str, edge: Edge) -> bool {
    edge == Edge::Dev
        && floors.get(to) == Some(&Floor::Testkit)
        && floors.get(from) == Some(&Floor::Number(0))
}

fn unit_tests_on_testkit(repo: &Repo, nodes: &[Node]) -> Result<Vec<String>, Problem> {
    let below: Vec<String> = nodes
        .iter()
        .filter(|node| floor(&node.folder) == Some(Floor::Number(0)))
        .map(|node| format!("{}/src", node.folder))
        .collect();
    let mut findings = Vec::new();
    for source in repo.sources()? {
        if !below.iter().any(|folder| source.starts_with(folder)) {
            continue;
        }
        let uses = repo
            .read(&source)?
            .lines()
            .any(|line| line.contains("bartizan_testkit") && !line.trim_start().starts_with("//"));
        if uses {
            findings.push(format!("{}: a unit test cannot use testkit; move it to tests/", source.display()));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, folder: &str, edges: &[(&str, Edge)]) -> Node {
        let edges = edges.iter().map(|(to, edge)| ((*to).to_owned(), *edge)).collect();
        Node { name: name.to_owned(), folder: folder.to_owned(), edges }
    }

    fn house() -> Vec<Node> {
        vec![
            node("core", "crates/core", &[("testkit", Edge::Dev)]),
            node("testkit", "crates/testkit", &[("core", Edge::Built)]),
            node("crypto", "crates/crypto", &[("core", Edge::Built)]),
            node("tokens", "crates/tokens", &[("crypto", Edge::Built), ("ring", Edge::Dev)]),
            node("rbac", "crates/rbac", &[("core", Edge::Built), ("testkit", Edge::Dev)]),
            node("ring", "crates/backends/crypto-ring", &[("crypto", Edge::Built)]),
            node("facade", "crates/bartizan", &[("tokens", Edge::Built), ("ring", Edge::Built)]),
            node("clinic", "examples/clinic", &[("facade", Edge::Built), ("testkit", Edge::Built)]),
            node("xtask", "crates/xtask", &[]),
        ]
    }

    /// The findings once this edge is added to a house that has none.
    fn with(from: &str, to: &str, edge: Edge) -> Vec<String> {
        let mut nodes = house();
        let node = nodes.iter_mut().find(|node| node.name == from).expect("a crate of the house");
        node.edges.push((to.to_owned(), edge));
        check(&nodes)
    }

    #[test]
    fn a_house_whose_edges_go_down_passes() {
        assert_eq!(check(&house()), Vec::<String>::new());
    }

    #[test]
    fn an_edge_up_is_refused() {
        let findings = with("rbac", "ring", Edge::Built);
        assert_eq!(findings, ["rbac → ring: goes up, from floor 2 to floor 5"]);
    }

    #[test]
    fn an_edge_to_a_sibling_is_refused() {
        let findings = with("tokens", "rbac", Edge::Built);
        assert_eq!(findings, ["tokens → rbac: both stand on floor 2, and siblings do not know each other"]);
    }

    #[test]
    fn a_dev_edge_may_go_up() {
        assert_eq!(with("rbac", "ring", Edge::Dev), Vec::<String>::new());
        assert_eq!(with("tokens", "rbac", Edge::Dev), Vec::<String>::new());
    }

    #[test]
    fn a_dev_edge_that_closes_a_cycle_is_refused() {
        let findings = with("crypto", "ring", Edge::Dev);
        assert_eq!(findings, ["crypto → ring → crypto: a cycle"]);
        let findings = with("crypto", "facade", Edge::Dev);
        assert_eq!(findings, ["crypto → facade → tokens → crypto: a cycle"]);
    }

    #[test]
    fn testkit_is_never_part_of_a_build() {
        assert_eq!(
            with("rbac", "testkit", Edge::Built),
            ["rbac → testkit: testkit is a dev-dependency only"]
        );
    }

    #[test]
    fn testkit_from_below_is_the_only_allowed_cycle() {
        assert_eq!(with("testkit", "rbac", Edge::Built).len(), 2, "made of core alone, and a cycle");
    }

    #[test]
    fn nothing_depends_on_an_example() {
        let findings = with("facade", "clinic", Edge::Dev);
        assert_eq!(
            findings.first().map(String::as_str),
            Some("facade → clinic: nothing depends on examples, benches or peer tests")
        );
    }

    #[test]
    fn xtask_stands_alone() {
        assert_eq!(with("xtask", "core", Edge::Built).len(), 1);
    }

    #[test]
    fn a_folder_without_a_floor_is_refused() {
        let findings = check(&[node("new", "crates/new", &[])]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("stands on no floor"));
    }

    #[test]
    fn a_star_stands_for_one_piece_only() {
        assert_eq!(floor("crates/drivers/egress"), Some(Floor::Number(4)));
        assert_eq!(floor("crates/core-derive"), Some(Floor::Number(0)));
        assert_eq!(floor("crates/drivers/egress/deeper"), None);
        assert_eq!(floor("crates/drivers/"), None);
        assert_eq!(floor("crates/-derive"), None);
    }

    #[test]
    fn the_workspace_is_read_with_its_edges() {
        let nodes = nodes(&Repo::here().metadata().expect("cargo metadata")).expect("nodes");
        let tokens = nodes.iter().find(|node| node.name == "bartizan-tokens").expect("tokens");
        assert_eq!(tokens.folder, "crates/tokens");
        assert!(tokens.edges.contains(&("bartizan-core".to_owned(), Edge::Built)));
    }
}
