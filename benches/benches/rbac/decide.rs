//! Decisions: with numbers that are known, with the same few names, and with names of which no cache holds all.

use std::error::Error;

use bartizan_bench_worlds::{Bits, Maps, Requests, Size, Turns, World};
use bartizan_benches::{Bench, Case};

use crate::ours::{self, Asked};

/// Numbers for names, found before: users by their standing in a snapshot that is held on to, permissions by their number.
pub(crate) fn ids(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    if !bench.wants("ids_hot") {
        return Ok(());
    }
    let world = World::new(Size::Large);
    let (requests, bits) = (world.hot(), Bits::new(&world));
    let snapshot = ours::engine(&world)?.snapshot();
    let mut known = Vec::new();
    for request in requests.iter() {
        let asked = Asked::new(request)?;
        let permission = snapshot.permission_id(asked.permission()).ok_or("the permission has no number")?;
        let standing = snapshot.standing(asked.who(), ours::NOW);
        if standing.reach(permission).is_some() != request.allowed {
            return Err(format!("ids_hot: the answer to {request:?} is wrong").into());
        }
        known.push((standing, permission, request.role, request.number));
    }
    let (ours, bare) = (Turns::of(known.len()), Turns::of(known.len()));
    bench.run(
        Case::new("ids_hot", || {
            let known = known.get(ours.next());
            known.is_some_and(|(standing, permission, ..)| standing.reach(*permission).is_some())
        })
        .limit(|| known.get(bare.next()).is_some_and(|(.., role, number)| bits.has(*role, *number))),
    );
    Ok(())
}

/// The same few requests again and again.
pub(crate) fn hot(bench: &mut Bench) -> Result<(), Box<dyn Error>> {
    let cases = [
        ("strings_guides", Size::Guides),
        ("strings_hot_small", Size::Small),
        ("strings_hot_medium", Size::Medium),
        ("strings_hot_large", Size::Large),
    ];
    for (case, size) in cases {
        if bench.wants(case) {
            let world = World::new(size);
            strings(bench, case, &world, &world.hot(), usize::MAX)?;
        }
    }
    Ok(())
}

/// Each request is of another user, in a random order. The requests of a sample are read before it, as a guard has just read what
/// it asks for; what misses the caches is what is looked up.
pub(crate) fn rotating(bench: &mut Bench, case: &'static str, world: &World) -> Result<(), Box<dyn Error>> {
    if !bench.wants(case) {
        return Ok(());
    }
    let requests = world.rotating(world.users().len().min(1 << 18));
    strings(bench, case, world, &requests, 256)
}

fn strings(
    bench: &mut Bench,
    case: &'static str,
    world: &World,
    requests: &Requests,
    sample: usize,
) -> Result<(), Box<dyn Error>> {
    let (engine, maps, bits) = (ours::engine(world)?, Maps::new(world), Bits::new(world));
    let asked = requests.iter().map(Asked::new).collect::<Result<Vec<_>, _>>()?;
    for (request, asked) in requests.iter().zip(&asked) {
        if [ours::allows(&engine, asked), maps.allow(request.user, request.permission)]
            != [request.allowed; 2]
        {
            return Err(format!("{case}: the answer to {request:?} is wrong").into());
        }
    }
    let (ours, by_hand, bare) = (Turns::of(asked.len()), Turns::of(asked.len()), Turns::of(asked.len()));
    let numbers: Vec<(u32, u32)> = requests.iter().map(|request| (request.role, request.number)).collect();
    let read = || {
        let count = sample.min(asked.len());
        ours.coming(count).filter_map(|at| asked.get(at)).for_each(Asked::touch);
        by_hand.coming(count).for_each(|at| requests.get(at).touch());
    };
    bench.run(
        Case::new(case, || asked.get(ours.next()).is_some_and(|asked| ours::allows(&engine, asked)))
            .limit(|| numbers.get(bare.next()).is_some_and(|(role, permission)| bits.has(*role, *permission)))
            .maps(|| {
                let request = requests.get(by_hand.next());
                maps.allow(request.user, request.permission)
            })
            .between(read)
            .in_bursts_of(u32::try_from(sample).unwrap_or(1 << 24)),
    );
    Ok(())
}
