//! What a decision of the policy engine costs, how long a world takes to build, and how fast a change is seen.
//!
//! Worlds and requests are those of `benches/worlds`, so the same that other people's engines get (`benches/peers`). `maps` is
//! that world in two of std's hash maps and a bit for each role and permission; `limit` is that bit alone, found by number.

#[path = "rbac/analysis.rs"]
mod analysis;
#[path = "rbac/build.rs"]
mod build;
#[path = "rbac/decide.rs"]
mod decide;
#[path = "rbac/ours.rs"]
mod ours;
#[path = "rbac/publish.rs"]
mod publish;

use std::error::Error;

use bartizan_bench_worlds::{Size, World};
use bartizan_benches::Bench;

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench::from_args();
    decide::ids(&mut bench)?;
    decide::hot(&mut bench)?;
    analysis::explain(&mut bench)?;
    let large = ["strings_rotating_large", "build_large", "build_large_memory"];
    if large.iter().any(|case| bench.wants(case)) {
        let [rotating, time, memory] = large;
        let world = World::new(Size::Large);
        decide::rotating(&mut bench, rotating, &world)?;
        build::build(&mut bench, [time, memory], &world)?;
    }
    let million =
        ["strings_rotating_1m", "build_1m", "build_1m_memory", "publish_1m", "readers_1m", "diff_10k"];
    if million.iter().any(|case| bench.wants(case)) {
        let [rotating, time, memory, publish, readers, diff] = million;
        let world = World::new(Size::Million);
        decide::rotating(&mut bench, rotating, &world)?;
        build::build(&mut bench, [time, memory], &world)?;
        publish::publish(&mut bench, publish, &world)?;
        publish::readers(&mut bench, readers, &world)?;
        analysis::diff(&mut bench, diff, &world)?;
    }
    bench.finish();
    Ok(())
}
