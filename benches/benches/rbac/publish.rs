//! Changes that are seen, and readers beside a writer.

use std::{
    cell::Cell,
    error::Error,
    slice,
    sync::{
        RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use bartizan_bench_worlds::{Maps, Random, Request, Turns, World};
use bartizan_benches::{Bench, Case, time};
use bartizan_rbac::{Assignment, Change, Engine, Holder};

use crate::ours::{self, Asked, TENANT};

/// How many users are given a role and lose it again.
const MOVES: usize = 1024;

/// Somebody who is given a role and loses it again, and asks each time for what only that role allows.
struct Move<'w> {
    user: &'w str,
    role: u32,
    permission: &'w str,
    asked: Asked<'w>,
    assign: Change,
    revoke: Change,
}

/// One role more for a user, or one less, and the next decision, which has to see it. By hand it is a lock over the maps.
pub(crate) fn publish(bench: &mut Bench, case: &'static str, world: &World) -> Result<(), Box<dyn Error>> {
    if !bench.wants(case) {
        return Ok(());
    }
    let (engine, maps) = (ours::engine(world)?, RwLock::new(Maps::new(world)));
    let moves = moves(world)?;
    let (ours, by_hand) = (Turns::of(2 * moves.len()), Turns::of(2 * moves.len()));
    let unseen = Cell::new(0_u32);
    let saw = |is_seen: bool| unseen.set(unseen.get() + u32::from(!is_seen));
    bench.run(
        Case::new(case, || {
            let Some((one, is_given)) = step(&moves, &ours) else { return };
            let change = if is_given { &one.assign } else { &one.revoke };
            let published = engine.change(slice::from_ref(change));
            saw(published.is_ok() && ours::allows(&engine, &one.asked) == is_given);
        })
        .maps(|| {
            let Some((one, is_given)) = step(&moves, &by_hand) else { return };
            if let Ok(mut maps) = maps.write() {
                if is_given { maps.assign(one.user, one.role) } else { maps.revoke(one.user, one.role) }
            }
            saw(maps.read().is_ok_and(|maps| maps.allow(one.user, one.permission) == is_given));
        }),
    );
    match unseen.get() {
        0 => Ok(()),
        some => Err(format!("{case}: {some} changes were not seen by the next decision").into()),
    }
}

/// Decisions a second by one thread and by two, while another publishes a thousand changes a second.
pub(crate) fn readers(bench: &mut Bench, case: &'static str, world: &World) -> Result<(), Box<dyn Error>> {
    if !bench.wants(case) {
        return Ok(());
    }
    let engine = ours::engine(world)?;
    let moves = moves(world)?;
    let requests = world.rotating(1 << 16);
    let asked = requests.iter().map(Asked::new).collect::<Result<Vec<_>, _>>()?;
    let (mut one, mut two, mut published) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if bench.is_quick() { 3 } else { 15 } {
        for (threads, rates) in [(1, &mut one), (2, &mut two)] {
            let (rate, changes) = beside_a_writer(&engine, &moves, &asked, threads);
            rates.push(rate);
            published.push(changes);
        }
    }
    let ratios = one.iter().zip(&two).map(|(one, two)| two / one).collect();
    bench.figures(
        case,
        &[
            ("one_per_s", median(one)),
            ("two_per_s", median(two)),
            ("two_over_one", median(ratios)),
            ("published_per_s", median(published)),
        ],
    );
    Ok(())
}

/// How many decisions all readers together made a second, and how many changes were published meanwhile.
fn beside_a_writer(engine: &Engine, moves: &[Move<'_>], asked: &[Asked<'_>], readers: usize) -> (f64, f64) {
    /// How often each reader goes through all requests: a quarter of a second at 250 ns a decision.
    const PASSES: usize = 16;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let turns = Turns::of(2 * moves.len());
            let mut published = 0_u32;
            while !is_over.load(Ordering::Relaxed) {
                if let Some((one, is_given)) = step(moves, &turns) {
                    let change = if is_given { &one.assign } else { &one.revoke };
                    published += u32::from(engine.change(slice::from_ref(change)).is_ok());
                }
                thread::sleep(Duration::from_millis(1));
            }
            published
        });
        let took = time(|| {
            let all: Vec<_> = (0..readers)
                .map(|reader| {
                    scope.spawn(move || {
                        // Each begins elsewhere, so that none finds what another has just fetched.
                        let (end, begin) = asked.split_at(asked.len() / readers * reader);
                        let pass =
                            || begin.iter().chain(end).filter(|asked| ours::allows(engine, asked)).count();
                        (0..PASSES).map(|_| pass()).sum::<usize>()
                    })
                })
                .collect();
            all.into_iter().for_each(|reader| drop(std::hint::black_box(reader.join())));
        });
        is_over.store(true, Ordering::Relaxed);
        let decisions = f64::from(u32::try_from(readers * PASSES * asked.len()).unwrap_or(u32::MAX));
        let published = f64::from(writer.join().unwrap_or_default());
        (decisions / took.as_secs_f64(), published / took.as_secs_f64())
    })
}

/// The next to move, and whether they are given the role this time.
fn step<'m, 'w>(moves: &'m [Move<'w>], turns: &Turns) -> Option<(&'m Move<'w>, bool)> {
    let at = turns.next();
    moves.get(at / 2).map(|one| (one, at.is_multiple_of(2)))
}

fn moves(world: &World) -> Result<Vec<Move<'_>>, Box<dyn Error>> {
    let closures = world.closures();
    let closure = |role: u32| closures.get(usize::try_from(role).ok()?).map(Vec::as_slice);
    let mut random = Random::new(5);
    let mut moves = Vec::with_capacity(MOVES);
    let step = world.users().len() / MOVES;
    for at in (0..MOVES).map(|place| place * step) {
        let (user, held) = (world.users().get(at), world.held(at));
        let role = random.below(u32::try_from(world.roles().len())?);
        let allowed = |permission: &u32| {
            held.iter()
                .filter_map(|role| closure(*role))
                .any(|closure| closure.binary_search(permission).is_ok())
        };
        let only_there =
            closure(role).and_then(|closure| closure.iter().find(|permission| !allowed(permission)));
        let Some(number) = only_there.copied() else { continue };
        let permission = world.permissions().get(usize::try_from(number)?);
        let request = Request { user, permission, allowed: false, role, number };
        let name = world.roles().get(usize::try_from(role)?);
        moves.push(Move {
            user,
            role,
            permission,
            asked: Asked::new(request)?,
            assign: Change::Assign(Assignment::new(TENANT, user, name)),
            revoke: Change::Revoke {
                tenant: TENANT.into(),
                holder: Holder::Subject(user.into()),
                role: name.into(),
            },
        });
    }
    Ok(moves)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
