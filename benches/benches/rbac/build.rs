//! How long a world takes from its names to the first answer, and what it takes up then.

use std::{cell::Cell, error::Error};

use bartizan_bench_worlds::{Maps, Size, World};
use bartizan_benches::{Bench, Case};

use crate::ours;

/// Time, without that of dropping what was built before; and bytes on the heap a user, for policy and assignments together and
/// for the policy alone.
pub(crate) fn build(
    bench: &mut Bench,
    [time, memory]: [&'static str; 2],
    world: &World,
) -> Result<(), Box<dyn Error>> {
    let rounds = if world.size() == Size::Million { 3 } else { 15 };
    if bench.wants(time) {
        ours::engine(world)?;
        let (engine, maps) = (Cell::new(None), Cell::new(None));
        bench.run(
            Case::new(time, || engine.set(ours::engine(world).ok()))
                .maps(|| maps.set(Some(Maps::new(world))))
                .between(|| (engine.take(), maps.take()))
                .in_bursts_of(1)
                .in_rounds(rounds),
        );
    }
    if bench.wants(memory) {
        let users = f64::from(u32::try_from(world.users().len())?);
        let (mut policy, mut engine, mut maps) = (None, None, None);
        let roles = allocation_counter::measure(|| policy = ours::policy(world, &[]).ok()).bytes_current;
        let ours = allocation_counter::measure(|| engine = ours::engine(world).ok()).bytes_current;
        let by_hand = allocation_counter::measure(|| maps = Some(Maps::new(world))).bytes_current;
        drop((policy, engine, maps));
        let per_user = |bytes: i64| f64::from(i32::try_from(bytes).unwrap_or(i32::MAX)) / users;
        bench.figures(
            memory,
            &[
                ("ours_bytes_a_user", per_user(ours)),
                ("ours_policy_bytes_a_user", per_user(roles)),
                ("maps_bytes_a_user", per_user(by_hand)),
            ],
        );
    }
    Ok(())
}
