//! The order in which roles are compiled: what is inherited first.

use crate::policy::Role;

/// An order in which every node stands after all that it points to; or the path of a circle, its first node repeated at
/// the end. Linear in nodes and edges, without recursion: depth is bounded by memory alone.
pub(crate) fn order(edges: &[Vec<u32>]) -> Result<Vec<u32>, Vec<u32>> {
    let mut state = vec![State::Unseen; edges.len()];
    let mut order = Vec::with_capacity(edges.len());
    let mut path: Vec<(u32, usize)> = Vec::new();
    for start in 0..edges.len() {
        let start = start as u32;
        if at(&state, start) != State::Unseen {
            continue;
        }
        path.push((start, 0));
        set(&mut state, start, State::OnPath);
        while let Some((node, next)) = path.last_mut() {
            let target = edges.get(*node as usize).and_then(|targets| targets.get(*next)).copied();
            *next += 1;
            let Some(target) = target else {
                set(&mut state, *node, State::Done);
                order.push(*node);
                path.pop();
                continue;
            };
            match at(&state, target) {
                State::Done => {}
                State::Unseen => {
                    set(&mut state, target, State::OnPath);
                    path.push((target, 0));
                }
                State::OnPath => {
                    let circle = path.iter().map(|(node, _)| *node).skip_while(|node| *node != target);
                    return Err(circle.chain([target]).collect());
                }
            }
        }
    }
    Ok(order)
}

/// The shortest path from `start` to the first node that `ends` says yes to; on equal lengths the earlier edge wins.
pub(crate) fn path(
    start: u32,
    edges: impl Fn(u32) -> Vec<u32>,
    ends: impl Fn(u32) -> bool,
) -> Option<Vec<u32>> {
    let mut came_from = std::collections::HashMap::from([(start, start)]);
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        if ends(node) {
            let mut back = vec![node];
            let mut last = node;
            while last != start {
                last = came_from.get(&last).copied()?;
                back.push(last);
            }
            back.reverse();
            return Some(back);
        }
        for target in edges(node) {
            came_from.entry(target).or_insert_with(|| {
                queue.push_back(target);
                node
            });
        }
    }
    None
}

/// Calls `visit` with a role and, as long as it says yes, with all that it inherits; it must say no to what it has seen.
pub(crate) fn each_below(start: u32, roles: &[Role], mut visit: impl FnMut(u32) -> bool) {
    let mut todo = vec![start];
    while let Some(node) = todo.pop() {
        if visit(node) {
            todo.extend(roles.get(node as usize).into_iter().flat_map(|role| &role.inherits));
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    OnPath,
    Done,
}

/// Nodes beyond the end have no edges and count as done.
fn at(state: &[State], node: u32) -> State {
    state.get(node as usize).copied().unwrap_or(State::Done)
}

fn set(state: &mut [State], node: u32, to: State) {
    if let Some(state) = state.get_mut(node as usize) {
        *state = to;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_chain_of_100_000_is_ordered_without_recursion() {
        let edges: Vec<Vec<u32>> = (0..100_000).map(|n| if n == 0 { vec![] } else { vec![n - 1] }).collect();
        assert_eq!(order(&edges), Ok((0..100_000).collect()));
        let back: Vec<Vec<u32>> =
            (0..100_000).map(|n| if n == 99_999 { vec![] } else { vec![n + 1] }).collect();
        assert_eq!(order(&back), Ok((0..100_000).rev().collect()));
        let found = path(0, |n| back[n as usize].clone(), |n| n == 99_999).unwrap();
        assert_eq!(found.len(), 100_000);
    }

    #[test]
    fn diamonds_with_two_to_the_50_000_paths_take_linear_time() {
        let edges: Vec<Vec<u32>> = (0..100_000_u32)
            .map(|n| if n < 2 { vec![] } else { vec![n / 2 * 2 - 2, n / 2 * 2 - 1] })
            .collect();
        assert_eq!(order(&edges).unwrap().len(), 100_000);
    }

    #[test]
    fn a_circle_is_named_from_its_own_start() {
        assert_eq!(order(&[vec![0]]), Err(vec![0, 0]));
        assert_eq!(order(&[vec![1], vec![2], vec![3], vec![1]]), Err(vec![1, 2, 3, 1]));
        let mut ring: Vec<Vec<u32>> = (0..100_000).map(|n| vec![n + 1]).collect();
        ring[99_999] = vec![0];
        assert_eq!(order(&ring).unwrap_err().len(), 100_001);
    }

    proptest! {
        #[test]
        fn an_order_puts_the_inherited_first_and_a_circle_is_real(
            edges in proptest::collection::vec(proptest::collection::vec(0_u32..12, 0..4), 12)
        ) {
            match order(&edges) {
                Ok(order) => {
                    let mut seen = [false; 12];
                    for node in &order {
                        prop_assert!(edges[*node as usize].iter().all(|target| seen[*target as usize]));
                        seen[*node as usize] = true;
                    }
                    prop_assert_eq!(order.len(), 12);
                }
                Err(circle) => {
                    prop_assert!(circle.len() >= 2 && circle.first() == circle.last());
                    prop_assert!(circle.windows(2).all(|step| edges[step[0] as usize].contains(&step[1])));
                }
            }
        }
    }
}
