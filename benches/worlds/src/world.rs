//! Who holds which role, and what a role may.

use crate::{Names, Random, Request, Requests};

/// Which world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// The eleven permissions of the guides.
    Guides,
    /// A thousand users.
    Small,
    /// Ten thousand.
    Medium,
    /// A hundred thousand.
    Large,
    /// A million.
    Million,
}

/// Users, roles and permissions, by number. A role has its number after all that it inherits.
#[derive(Clone, Debug)]
pub struct World {
    size: Size,
    permissions: Names,
    roles: Names,
    inherits: Vec<Vec<u32>>,
    allows: Vec<Vec<u32>>,
    users: Names,
    roles_per_user: usize,
    held: Vec<u32>,
}

impl Size {
    /// All of them, the least first.
    pub const ALL: [Self; 5] = [Self::Guides, Self::Small, Self::Medium, Self::Large, Self::Million];

    /// As cases are called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guides => "guides",
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Million => "1m",
        }
    }
}

impl World {
    /// Makes it; the same each time.
    #[must_use]
    pub fn new(size: Size) -> Self {
        match size {
            Size::Guides => guides(),
            Size::Small => casbins(size, 1_000, 100, 10),
            Size::Medium => casbins(size, 10_000, 1_000, 100),
            Size::Large => casbins(size, 100_000, 10_000, 1_000),
            Size::Million => million(),
        }
    }

    /// Which one it is.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// `kind:action`, by number.
    #[must_use]
    pub const fn permissions(&self) -> &Names {
        &self.permissions
    }

    /// By number.
    #[must_use]
    pub const fn roles(&self) -> &Names {
        &self.roles
    }

    /// By number.
    #[must_use]
    pub const fn users(&self) -> &Names {
        &self.users
    }

    /// What a role inherits directly.
    #[must_use]
    pub fn inherits(&self, role: usize) -> &[u32] {
        self.inherits.get(role).map(Vec::as_slice).unwrap_or_default()
    }

    /// The permissions that a role itself allows.
    #[must_use]
    pub fn allows(&self, role: usize) -> &[u32] {
        self.allows.get(role).map(Vec::as_slice).unwrap_or_default()
    }

    /// The roles that a user holds.
    #[must_use]
    pub fn held(&self, user: usize) -> &[u32] {
        let start = user * self.roles_per_user;
        self.held.get(start..start + self.roles_per_user).unwrap_or_default()
    }

    /// The names of what a role inherits directly.
    pub fn inherited_by(&self, role: usize) -> impl Iterator<Item = &str> {
        self.inherits(role).iter().map(|parent| self.roles.get(at(*parent)))
    }

    /// The names of the permissions that a role itself allows.
    pub fn allowed_by(&self, role: usize) -> impl Iterator<Item = &str> {
        self.allows(role).iter().map(|permission| self.permissions.get(at(*permission)))
    }

    /// The names of the roles that a user holds.
    pub fn held_by(&self, user: usize) -> impl Iterator<Item = &str> {
        self.held(user).iter().map(|role| self.roles.get(at(*role)))
    }

    /// For each role all that it allows, inherited or not: sorted, without repeats.
    #[must_use]
    pub fn closures(&self) -> Vec<Vec<u32>> {
        let mut closures: Vec<Vec<u32>> = Vec::with_capacity(self.roles.len());
        for role in 0..self.roles.len() {
            let mut all = self.allows(role).to_vec();
            let inherited = self.inherits(role).iter().filter_map(|parent| closures.get(at(*parent)));
            inherited.for_each(|closure| all.extend(closure));
            all.sort_unstable();
            all.dedup();
            closures.push(all);
        }
        closures
    }

    /// A few requests, asked again and again: casbin's 17, and for the guides each permission by a member and by an administrator.
    #[must_use]
    pub fn hot(&self) -> Requests {
        match self.size {
            Size::Guides => self.answered(
                (0..self.permissions.len())
                    .flat_map(|permission| [(1, number(permission)), (0, number(permission))]),
            ),
            _ => {
                let step = self.users.len() / CASBINS_REQUESTS;
                self.answered(
                    (0..CASBINS_REQUESTS)
                        .map(|place| (number(place * step), place))
                        .map(|(user, place)| (user, self.turn(at(user), place))),
                )
            }
        }
    }

    /// So many requests of as many users, or of all users again and again, in a random order: no cache holds them.
    #[must_use]
    pub fn rotating(&self, count: usize) -> Requests {
        let mut random = Random::new(17);
        let mut order: Vec<u32> = (0..number(self.users.len())).collect();
        random.shuffle(&mut order);
        match self.size {
            Size::Million => {
                let closures = self.closures();
                let all = number(self.permissions.len());
                self.answered(order.iter().cycle().take(count).enumerate().map(|(place, user)| {
                    let held = self.held(at(*user));
                    let role = held.get(at(random.below(number(held.len())))).copied().unwrap_or_default();
                    let closure = closures.get(at(role)).map(Vec::as_slice).unwrap_or_default();
                    let theirs = closure.get(at(random.below(number(closure.len())))).copied();
                    let permission = theirs.filter(|_| place % 2 == 1).unwrap_or_else(|| random.below(all));
                    (*user, permission)
                }))
            }
            _ => self.answered(
                order
                    .iter()
                    .cycle()
                    .take(count)
                    .enumerate()
                    .map(|(place, user)| (*user, self.turn(at(*user), place))),
            ),
        }
    }

    /// What a user asks for in turns: at odd places what their role reads, at even places the datum after it.
    fn turn(&self, user: usize, place: usize) -> u32 {
        let role = self.held(user).first().copied().unwrap_or_default();
        let datum = at(role) % self.permissions.len();
        number(if place.is_multiple_of(2) { (datum + 1) % self.permissions.len() } else { datum })
    }

    /// The requests with the answers, found in sets.
    fn answered(&self, asked: impl Iterator<Item = (u32, u32)>) -> Requests {
        let closures = self.closures();
        asked
            .map(|(user, permission)| {
                let held = self.held(at(user));
                let allows = held.iter().find(|role| {
                    closures.get(at(**role)).is_some_and(|closure| closure.binary_search(&permission).is_ok())
                });
                Request {
                    user: self.users.get(at(user)),
                    permission: self.permissions.get(at(permission)),
                    allowed: allows.is_some(),
                    role: allows.or(held.first()).copied().unwrap_or_default(),
                    number: permission,
                }
            })
            .collect()
    }
}

/// How many requests casbin's benchmark has.
const CASBINS_REQUESTS: usize = 17;

fn guides() -> World {
    let own = ["user:read:own", "user:update:own"];
    let others = [
        "user:delete:own",
        "user:read:all",
        "user:create",
        "user:update:all",
        "user:delete:all",
        "system:read-config",
        "system:update-config",
        "system:read-logs",
        "system:manage-secrets",
    ];
    World {
        size: Size::Guides,
        permissions: own.into_iter().chain(others).collect(),
        roles: ["member", "admin"].into_iter().collect(),
        inherits: vec![Vec::new(); 2],
        allows: vec![(0..2).collect(), (0..11).collect()],
        users: (0..16).map(|user| format!("user-{user}")).collect(),
        roles_per_user: 1,
        held: (0..16).map(|user| u32::from(user % 4 == 0)).collect(),
    }
}

fn casbins(size: Size, users: u32, roles: u32, data: u32) -> World {
    World {
        size,
        permissions: (0..data).map(|datum| format!("data-has-a-very-long-name-{datum}:read")).collect(),
        roles: (0..roles).map(|role| format!("group-has-a-very-long-name-{role}")).collect(),
        inherits: (0..roles).map(|_| Vec::new()).collect(),
        allows: (0..roles).map(|role| vec![role % data]).collect(),
        users: (0..users).map(|user| format!("user-has-a-very-long-name-{user}")).collect(),
        roles_per_user: 1,
        held: (0..users).map(|user| user % roles).collect(),
    }
}

/// A thousand roles with a hundred permissions each, of which the other nine thousand inherit two each and have as many of
/// their own; users hold four of the latter.
fn million() -> World {
    const ROLES: u32 = 10_000;
    const INHERITED: u32 = 1_000;
    const KINDS: u32 = 10_000;
    const ACTIONS: [&str; 10] =
        ["read", "create", "update", "delete", "list", "export", "approve", "share", "archive", "restore"];
    const USERS: u32 = 1_000_000;
    let mut random = Random::new(1);
    let permissions: Names =
        (0..KINDS).flat_map(|kind| ACTIONS.map(|action| format!("kind-{kind}:{action}"))).collect();
    let all = number(permissions.len());
    let inherits = (0..ROLES).map(|role| match role {
        0..INHERITED => Vec::new(),
        _ => distinct(&mut random, 2, |random| random.below(INHERITED)),
    });
    let inherits = inherits.collect();
    let allows = (0..ROLES).map(|_| distinct(&mut random, 100, |random| random.below(all))).collect();
    let held = (0..USERS)
        .flat_map(|_| distinct(&mut random, 4, |random| INHERITED + random.below(ROLES - INHERITED)))
        .collect();
    World {
        size: Size::Million,
        permissions,
        roles: (0..ROLES).map(|role| format!("role-{role}")).collect(),
        inherits,
        allows,
        // Twenty characters that say nothing, as identity providers give them.
        users: (0..USERS).map(|_| format!("usr_{:016x}", random.next())).collect(),
        roles_per_user: 4,
        held,
    }
}

fn distinct(random: &mut Random, count: usize, mut one: impl FnMut(&mut Random) -> u32) -> Vec<u32> {
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let next = one(random);
        if !all.contains(&next) {
            all.push(next);
        }
    }
    all
}

pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(crate) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casbins_requests_deny_and_allow_in_turns() {
        for size in [Size::Small, Size::Medium, Size::Large] {
            let requests = World::new(size).hot();
            let allowed: Vec<bool> = requests.iter().map(|request| request.allowed).collect();
            let expected: Vec<bool> = (0..17).map(|place| place % 2 == 1).collect();
            assert_eq!(allowed, expected, "{size:?}");
        }
    }

    #[test]
    fn members_may_two_things_of_eleven_and_administrators_all() {
        let requests = World::new(Size::Guides).hot();
        let allowed =
            |user: &str| requests.iter().filter(|request| request.user == user && request.allowed).count();
        assert_eq!((allowed("user-1"), allowed("user-0"), requests.len()), (2, 11, 22));
    }

    #[test]
    fn a_rotation_asks_for_each_user_before_any_comes_again() {
        let world = World::new(Size::Small);
        let requests = world.rotating(1_000);
        let mut users: Vec<&str> = requests.iter().map(|request| request.user).collect();
        users.sort_unstable();
        users.dedup();
        assert_eq!(users.len(), 1_000);
        assert_eq!(requests.iter().filter(|request| request.allowed).count(), 500);
    }
}
