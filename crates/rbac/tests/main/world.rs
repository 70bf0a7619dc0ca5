//! Random small worlds: policies, assignments and questions that often touch each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use bartizan_core::{
    Ask, Attestation, Owner, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource, UnixTime,
    Verdict,
};
use bartizan_rbac::{Assignments, Engine, HeldAssignments};

use crate::support::policy;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) permissions: Vec<Permission>,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) assigned: BTreeSet<(String, String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Permission {
    pub(crate) kind: &'static str,
    pub(crate) action: &'static str,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) asserted_owner: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) inherits: Vec<String>,
    pub(crate) allow: Vec<Entry>,
    pub(crate) deny: Vec<Entry>,
    pub(crate) fields: Vec<(&'static str, Shows)>,
    pub(crate) hide: Vec<(&'static str, Shows)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) kind: &'static str,
    pub(crate) action: &'static str,
    pub(crate) scope: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) enum Shows {
    Everything,
    Named(Vec<&'static str>),
    Except(Vec<&'static str>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Known {
    Sealed,
    Asserted,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) tenant: String,
    pub(crate) subject: String,
    pub(crate) roles: Vec<String>,
    pub(crate) teams: Vec<String>,
    pub(crate) permission: String,
    pub(crate) on_tenant: String,
    pub(crate) kind: &'static str,
    pub(crate) id: Option<&'static str>,
    pub(crate) owner: Option<(Known, String)>,
    pub(crate) team: Option<String>,
}

const KINDS: [&str; 3] = ["doc", "note", "key"];
const ACTIONS: [&str; 3] = ["read", "write", "erase"];
const SCOPES: [&str; 4] = ["own", "team", "tenant", "all"];
const PEOPLE: [&str; 3] = ["ada", "bob", "eve"];
const TENANTS: [&str; 2] = ["north", "south"];
const TEAMS: [&str; 2] = ["t1", "t2"];

/// SplitMix64: the seed in a failing test's message is all that it takes to see the failure again.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn some<T: Clone>(&mut self, from: &[T]) -> Vec<T> {
        from.iter().filter(|_| self.one_in(2)).cloned().collect()
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.below(at + 1);
            list.swap(at, other);
        }
    }
}

impl Shows {
    pub(crate) fn contains(&self, field: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(names) => names.contains(&field),
            Self::Except(names) => !names.contains(&field),
        }
    }

    fn random(dice: &mut Dice) -> Self {
        match dice.below(4) {
            0 => Self::Everything,
            1 => Self::Except(dice.some(&["a", "b", "c"])),
            _ => Self::Named(dice.some(&["a", "b", "c"])),
        }
    }
}

impl World {
    /// Three that policies name and one that none does.
    pub(crate) const FIELDS: [&str; 4] = ["a", "b", "c", "later"];

    pub(crate) fn random(dice: &mut Dice) -> Self {
        let mut permissions = Vec::new();
        for kind in KINDS {
            for action in ACTIONS {
                if dice.one_in(4) {
                    continue;
                }
                let widest = dice.pick(&["tenant", "all"]);
                let mut scopes = dice.some(&["own", "team", widest]);
                dice.shuffle(&mut scopes);
                if scopes.is_empty() {
                    scopes.push("all");
                }
                permissions.push(Permission { kind, action, scopes, asserted_owner: dice.one_in(2) });
            }
        }
        let mut world = Self { permissions, roles: BTreeMap::new(), assigned: BTreeSet::new() };
        for n in 0..1 + dice.below(6) {
            let known: Vec<String> = world.roles.keys().cloned().collect();
            let inherits = known.into_iter().filter(|_| dice.one_in(3)).collect();
            let mut role = Role { inherits, ..Role::default() };
            for _ in 0..dice.below(4) {
                world.add(&mut role.allow, dice, false);
            }
            if dice.one_in(3) {
                world.add(&mut role.deny, dice, true);
            }
            let kinds: BTreeSet<&str> = world.permissions.iter().map(|permission| permission.kind).collect();
            for kind in kinds {
                if dice.one_in(2) {
                    role.fields.push((kind, Shows::random(dice)));
                }
                if dice.one_in(6) {
                    role.hide.push((kind, Shows::random(dice)));
                }
            }
            // Names in no order that inheritance could lean on.
            let name = format!("{}{n}", ["z", "a", "m"][dice.below(3)]);
            world.roles.insert(name, role);
        }
        for tenant in TENANTS {
            for subject in PEOPLE {
                for role in world.roles.keys().cloned().chain(["ghost".to_owned()]) {
                    if !dice.one_in(4) {
                        world.assigned.insert((tenant.to_owned(), subject.to_owned(), role));
                    }
                }
            }
        }
        world
    }

    /// Adds a valid entry that is not there yet, if the dice find one.
    pub(crate) fn add(&self, list: &mut Vec<Entry>, dice: &mut Dice, deny: bool) {
        for _ in 0..20 {
            let wild =
                |dice: &mut Dice, from: &[&'static str]| if dice.one_in(3) { "*" } else { dice.pick(from) };
            let scope = match dice.below(6) {
                0 => None,
                1 => Some("*"),
                _ => Some(dice.pick(&SCOPES)),
            };
            let entry = Entry { kind: wild(dice, &KINDS), action: wild(dice, &ACTIONS), scope };
            let repeated = |known: &Entry| {
                let whole = |scope| matches!(scope, Some("tenant" | "all"));
                (known.kind, known.action) == (entry.kind, entry.action)
                    && (known.scope == entry.scope || whole(known.scope) && whole(entry.scope))
            };
            if self.is_valid(&entry, deny) && !list.iter().any(repeated) {
                list.push(entry);
                return;
            }
        }
    }

    fn is_valid(&self, entry: &Entry, deny: bool) -> bool {
        let fits = |segment: &str, name: &str| segment == "*" || segment == name;
        let named: Vec<&Permission> = (self.permissions.iter())
            .filter(|permission| fits(entry.kind, permission.kind) && fits(entry.action, permission.action))
            .collect();
        let lists = |permission: &&&Permission, scope: &str| {
            let whole = |scope: &str| matches!(scope, "tenant" | "all");
            permission.scopes.iter().any(|listed| *listed == scope || whole(listed) && whole(scope))
        };
        let wild = entry.kind == "*" || entry.action == "*";
        match entry.scope {
            _ if named.is_empty() => false,
            None => {
                deny || named.iter().all(|permission| matches!(permission.scopes[..], ["all" | "tenant"]))
            }
            Some("*") => true,
            Some(_) if deny && wild => true,
            Some(scope) => named.iter().filter(|permission| lists(permission, scope)).count() > 0,
        }
    }

    /// The policy file, with everything that has no order in an order of the dice.
    pub(crate) fn to_toml(&self, dice: &mut Dice) -> String {
        let mut text = "version = 1\n[permissions]\n".to_owned();
        let mut permissions = self.permissions.clone();
        dice.shuffle(&mut permissions);
        for Permission { kind, action, scopes, asserted_owner } in &permissions {
            writeln!(
                text,
                "\"{kind}:{action}\" = {{ scopes = {scopes:?}, asserted_owner = {asserted_owner} }}"
            )
            .unwrap();
        }
        let mut roles: Vec<(&String, Role)> =
            self.roles.iter().map(|(name, role)| (name, role.clone())).collect();
        dice.shuffle(&mut roles);
        for (name, mut role) in roles {
            dice.shuffle(&mut role.inherits);
            dice.shuffle(&mut role.allow);
            dice.shuffle(&mut role.deny);
            let list = |entries: &[Entry]| {
                let one = |entry: &Entry| match entry.scope {
                    None => format!("{}:{}", entry.kind, entry.action),
                    Some(scope) => format!("{}:{}:{scope}", entry.kind, entry.action),
                };
                entries.iter().map(one).collect::<Vec<String>>()
            };
            writeln!(text, "[roles.{name}]\ninherits = {:?}", role.inherits).unwrap();
            writeln!(text, "allow = {:?}\ndeny = {:?}", list(&role.allow), list(&role.deny)).unwrap();
            for (table, sets) in [("fields", &role.fields), ("hide", &role.hide)] {
                for (kind, shows) in sets {
                    let value = match shows {
                        Shows::Everything => "\"*\"".to_owned(),
                        Shows::Named(names) => format!("{names:?}"),
                        Shows::Except(names) => format!("{{ except = {names:?} }}"),
                    };
                    writeln!(text, "{table}.{kind} = {value}").unwrap();
                }
            }
        }
        text
    }

    pub(crate) fn engine(&self, dice: &mut Dice) -> Engine {
        let mut assigned: Vec<_> = self.assigned.iter().cloned().collect();
        dice.shuffle(&mut assigned);
        let held: HeldAssignments = assigned.into_iter().collect();
        Engine::new(policy(&self.to_toml(dice)), Assignments::Held(held))
    }
}

impl Question {
    pub(crate) fn random(world: &World, dice: &mut Dice) -> Self {
        let tenant = dice.pick(&TENANTS).to_owned();
        let on_tenant = if dice.one_in(8) { dice.pick(&TENANTS).to_owned() } else { tenant.clone() };
        let names: Vec<String> = world.roles.keys().cloned().chain(["ghost".to_owned()]).collect();
        let listed = match world.permissions.len() {
            0 => None,
            n => Some(&world.permissions[dice.below(n)]),
        };
        let (kind, action, scope) = match listed {
            Some(listed) if !dice.one_in(4) => (listed.kind, listed.action, dice.pick(&listed.scopes)),
            _ => (dice.pick(&KINDS), dice.pick(&ACTIONS), dice.pick(&SCOPES)),
        };
        let named = if dice.one_in(12) { dice.pick(&KINDS) } else { kind };
        let mut permission = format!("{named}:{action}");
        if dice.one_in(2) {
            write!(permission, ":{scope}").unwrap();
        }
        let known = if dice.one_in(2) { Known::Sealed } else { Known::Asserted };
        let owner = match dice.below(6) {
            0 => None,
            1 => Some((known, String::new())),
            _ => Some((known, dice.pick(&PEOPLE).to_owned())),
        };
        let team = match dice.below(6) {
            0 | 1 => None,
            2 => Some(String::new()),
            _ => Some(dice.pick(&TEAMS).to_owned()),
        };
        Self {
            tenant,
            subject: dice.pick(&PEOPLE).to_owned(),
            roles: dice.some(&names),
            teams: dice.some(&TEAMS).into_iter().map(str::to_owned).collect(),
            permission,
            on_tenant,
            kind,
            id: if dice.one_in(5) { None } else { Some("r1") },
            owner,
            team,
        }
    }

    pub(crate) fn who(&self) -> Principal {
        let mut facts =
            PrincipalFacts::new(&*self.tenant, &*self.subject).with_roles(self.roles.iter().map(|r| &**r));
        facts = facts.with_teams(self.teams.iter().map(|team| &**team));
        Principal::attested(Attestation::Token, facts).unwrap()
    }

    pub(crate) fn on(&self) -> Resource<'_> {
        let mut on = match self.id {
            Some(id) => Resource::record(&self.on_tenant, self.kind, id),
            None => Resource::collection(&self.on_tenant, self.kind),
        };
        on = match &self.owner {
            Some((Known::Sealed, owner)) => on.owned_by(Owner::Sealed(owner)),
            Some((Known::Asserted, owner)) => on.owned_by(Owner::Asserted(owner)),
            None => on,
        };
        match &self.team {
            Some(team) => on.in_team(team),
            None => on,
        }
    }

    pub(crate) fn verdict(&self, engine: &Engine) -> Verdict {
        let permission = PermissionName::parse(&self.permission).unwrap();
        engine.decide(&Ask::new(&self.who(), permission, self.on(), UnixTime::EPOCH)).0
    }

    /// The fields that are shown in clear, of those that the world knows; nothing for a deny.
    pub(crate) fn answer(&self, engine: &Engine) -> Option<BTreeSet<&'static str>> {
        match self.verdict(engine) {
            Verdict::Allow { clear, .. } => {
                Some(World::FIELDS.into_iter().filter(|field| clear.contains(field)).collect())
            }
            Verdict::Deny { .. } => None,
            Verdict::Unknown(cause) => panic!("{cause}"),
        }
    }
}
