//! What is asked about decisions and about policies.

use std::error::Error;

use bartizan_bench_worlds::{Size, Turns, World};
use bartizan_benches::{Bench, Case};
use bartizan_rbac::PolicyDiff;

use crate::ours::{self, Asked};

/// Why: for casbin's requests, so for a denial in every other one.
pub(crate) fn explain(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    if !bench.wants("explain") {
        return Ok(());
    }
    let world = World::new(Size::Large);
    let requests = world.hot();
    let engine = ours::engine(&world)?;
    let asked = requests.iter().map(Asked::new).collect::<Result<Vec<_>, _>>()?;
    let turns = Turns::of(asked.len());
    bench.run(Case::new("explain", || asked.get(turns.next()).map(|asked| engine.explain(&asked.ask()))));
    Ok(())
}

/// What changed between two policies of ten thousand roles and a hundred thousand permissions: some roles may one thing more.
pub(crate) fn diff(bench: &mut Bench, case: &'static str, world: &World) -> Result<(), Box<dyn Error>> {
    if !bench.wants(case) {
        return Ok(());
    }
    let closures = world.closures();
    let others = |role: usize| {
        let closure = closures.get(role)?;
        (0..).find(|permission| closure.binary_search(permission).is_err())
    };
    // None of them is inherited by others.
    let besides = (1_000..world.roles().len())
        .step_by(100)
        .filter_map(|role| Some((role, world.permissions().get(usize::try_from(others(role)?).ok()?))))
        .collect::<Vec<_>>();
    let (old, new) = (ours::policy(world, &[])?, ours::policy(world, &besides)?);
    let diff = PolicyDiff::between(&old, &new);
    if (diff.gained().len(), diff.lost().len()) != (besides.len(), 0) {
        return Err(format!("{case}: {} roles were given more, and it is {diff}", besides.len()).into());
    }
    bench.run(Case::new(case, || PolicyDiff::between(&old, &new)).in_bursts_of(1).in_rounds(15));
    Ok(())
}
