//! What every program of `cargo xtask bench --peers rbac` does.
//!
//! Everybody builds the same worlds and is asked the same requests, which are made before in the library's own types. Before it
//! is measured its answers are compared with ours, which `peer-bartizan-rbac prepare` wrote.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    time::{Duration, Instant},
};

use bartizan_bench_worlds::Turns;
pub use bartizan_bench_worlds::{Maps, Request, Requests, Size, World};

use crate::measure::in_turns;

/// A library with one world in it.
pub trait Library: Sized {
    /// A request in its own types.
    type Request<'r>;

    /// Why it does not do worlds of this size; nothing when it does.
    fn cannot(_size: Size) -> Option<&'static str> {
        None
    }

    /// Takes in the world.
    fn build(world: &World) -> Result<Self, Box<dyn Error>>;

    /// Takes in a request.
    fn request<'r>(&self, request: Request<'r>) -> Result<Self::Request<'r>, Box<dyn Error>>;

    /// Decides.
    fn allows(&self, request: &Self::Request<'_>) -> Result<bool, Box<dyn Error>>;
}

/// Our answers, by case: `1` where we allow, in the order of the requests.
#[derive(Debug, Default)]
pub struct Answers(BTreeMap<String, String>);

/// The requests of a case.
#[derive(Clone, Copy)]
enum Asked {
    /// A few, again and again.
    Hot,
    /// So many, each of another user as far as there are some.
    Rotating(usize),
}

/// Several are measured in the world that was built last.
const CASES: [(&str, Size, Asked); 6] = [
    ("strings_guides", Size::Guides, Asked::Hot),
    ("strings_hot_small", Size::Small, Asked::Hot),
    ("strings_hot_medium", Size::Medium, Asked::Hot),
    ("strings_hot_large", Size::Large, Asked::Hot),
    ("strings_rotating_large", Size::Large, Asked::Rotating(100_000)),
    ("strings_rotating_1m", Size::Million, Asked::Rotating(1 << 18)),
];

/// As long a library's answers are compared, and longer only for the first requests.
const COMPARED: Duration = Duration::from_millis(300);
const COMPARED_AT_LEAST: usize = 22;

impl Answers {
    /// Reads what the driver passes on.
    pub fn read(path: &str) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(path)?;
        let of_line =
            |line: &str| line.split_once(' ').map(|(case, bits)| (case.to_owned(), bits.to_owned()));
        Ok(Self(text.lines().filter_map(of_line).collect()))
    }

    fn of(&self, case: &str) -> Result<&str, Box<dyn Error>> {
        Ok(self.0.get(case).ok_or_else(|| format!("the driver has no answers for {case}"))?)
    }
}

/// Our answers to everything, for [`Answers::read`].
///
/// # Errors
/// When an answer is not what a search in sets finds.
pub fn answers<L: Library>() -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    each_case::<L>(
        |_| (),
        |case, size, known| {
            let Ok((_, library, requests)) = known else {
                return Err(format!("no answers for {size:?}").into());
            };
            text += case;
            text.push(' ');
            for request in requests.iter() {
                let allows = library.allows(&library.request(request)?)?;
                if allows != request.allowed {
                    return Err(format!("{case}: {allows} is not the answer to {request:?}").into());
                }
                text.push(if allows { '1' } else { '0' });
            }
            text.push('\n');
            Ok(())
        },
    )?;
    Ok(text)
}

/// Compares and measures every case, and prints the lines.
///
/// # Errors
/// What the library says, and an answer that is not ours.
pub fn run<L: Library>(answers: &Answers) -> Result<(), Box<dyn Error>> {
    each_case::<L>(
        |line| println!("{line}"),
        |case, _, known| {
            let (maps, library, requests) = match known {
                Ok(known) => known,
                Err(why) => {
                    println!("CANNOT {case} {why}");
                    return Ok(());
                }
            };
            let own: Vec<L::Request<'_>> =
                requests.iter().map(|request| library.request(request)).collect::<Result<_, _>>()?;
            compare(case, library, &own, requests, answers.of(case)?)?;
            let (yard, work) = (Turns::of(requests.len()), Turns::of(own.len()));
            in_turns(
                case,
                || {
                    let request = requests.get(yard.next());
                    maps.allow(request.user, request.permission)
                },
                || own.get(work.next()).is_some_and(|request| library.allows(request).unwrap_or_default()),
            );
            Ok(())
        },
    )
}

/// Goes through the cases, each with the world in the library, or why it is not there; and shows what building took.
#[expect(clippy::type_complexity, reason = "It is said once.")]
fn each_case<L: Library>(
    show: impl Fn(&str),
    mut each: impl FnMut(&str, Size, Result<(&Maps, &L, &Requests), &'static str>) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut built: Option<(World, Maps, L)> = None;
    for (case, size, asked) in CASES {
        if let Some(why) = L::cannot(size) {
            each(case, size, Err(why))?;
            continue;
        }
        if built.as_ref().is_none_or(|(world, ..)| world.size() != size) {
            // What is not needed any more is gone before the next is measured.
            drop(built.take());
            let world = World::new(size);
            let start = Instant::now();
            let maps = Maps::new(&world);
            let yard = start.elapsed();
            let before = resident();
            let start = Instant::now();
            let library = L::build(&world)?;
            let took = start.elapsed();
            if matches!(size, Size::Large | Size::Million) {
                let bytes = resident().saturating_sub(before);
                let [took, yard] = [took, yard].map(|time| time.as_nanos());
                show(&format!(
                    "BENCH build_{} ns={took} yardstick_ns={yard} resident_bytes={bytes}",
                    size.name()
                ));
            }
            built = Some((world, maps, library));
        }
        let Some((world, maps, library)) = &built else { continue };
        let requests = match asked {
            Asked::Hot => world.hot(),
            Asked::Rotating(count) => world.rotating(count),
        };
        each(case, size, Ok((maps, library, &requests)))?;
    }
    Ok(())
}

/// That its answers are ours. A library that takes milliseconds for one is asked for the first ones only.
fn compare<L: Library>(
    case: &str,
    library: &L,
    own: &[L::Request<'_>],
    requests: &Requests,
    ours: &str,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    for (place, (own, ours)) in own.iter().zip(ours.chars()).enumerate() {
        if place >= COMPARED_AT_LEAST && start.elapsed() > COMPARED {
            break;
        }
        let answer = library.allows(own)?;
        if answer != (ours == '1') {
            return Err(format!(
                "{case}: it answers {answer} to {:?}, and ours does not",
                requests.get(place)
            )
            .into());
        }
    }
    Ok(())
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    const PAGE: u64 = 4096;
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * PAGE
}
