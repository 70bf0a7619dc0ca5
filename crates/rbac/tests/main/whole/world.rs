//! Worlds with everything in them, and questions that often touch it.

use std::fmt::Write;

use bartizan_core::{
    Ask, Attestation, Attribute, Owner, PermissionName, PolicyEngine, Principal, PrincipalFacts, Resource,
    UnixTime, Value,
};
use bartizan_rbac::{Assignment, Assignments, Change, Engine, Explanation, HeldAssignments, Holder, Policy};

use super::{NOW, naive::Answer};
use crate::{support::ISSUER, world::Dice};

/// `kind:action`, its scopes, and whether it believes asserted owners.
pub(crate) const PERMISSIONS: [(&str, &[&str], bool); 3] = [
    ("doc:read", &["own", "team", "all"], true),
    ("doc:write", &["own", "all"], false),
    ("note:read", &["all"], false),
];
pub(crate) const FIELDS: [&str; 2] = ["name", "ssn"];
/// The address is inside; the login is recent; the record is open.
pub(crate) const CONDITIONS: [&str; 3] = ["inside", "recent", "open"];
const ROLES: [&str; 6] = ["r0", "r1", "r2", "r3", "r4", "r5"];
const PEOPLE: [&str; 3] = ["ada", "bob", "eve"];
const TENANTS: [&str; 2] = ["north", "south"];

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) roles: Vec<Role>,
    pub(crate) assigned: Vec<Change>,
    pub(crate) mode: Mode,
    /// These roles are not active together.
    pub(crate) apart: Option<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Held,
    HeldOnly,
    TokenOnly,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    /// By number: always smaller ones.
    pub(crate) inherits: Vec<usize>,
    pub(crate) rules: Vec<Rule>,
    /// Shown of docs.
    pub(crate) fields: Vec<&'static str>,
    /// Hidden of docs.
    pub(crate) hide: Vec<&'static str>,
    pub(crate) is_glass: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) allows: bool,
    /// The number of a permission.
    pub(crate) permission: usize,
    pub(crate) scope: &'static str,
    pub(crate) when: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Status {
    Open,
    Closed,
    Missing,
    Unavailable,
}

#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) tenant: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) named: Vec<&'static str>,
    pub(crate) in_team: bool,
    /// Nothing, outside, inside.
    pub(crate) address: Option<bool>,
    /// Nothing, long ago, just now; with a second factor.
    pub(crate) login: Option<bool>,
    pub(crate) permission: usize,
    pub(crate) asks: Option<&'static str>,
    pub(crate) on_tenant: &'static str,
    /// Sealed or asserted.
    pub(crate) owner: Option<(bool, &'static str)>,
    pub(crate) team: Option<bool>,
    pub(crate) status: Status,
    pub(crate) durable: bool,
}

impl World {
    pub(crate) fn random(dice: &mut Dice) -> Self {
        let roles =
            (0..dice.pick(&[1, 2, 3, 4, 6, 6])).map(|number| Role::random(number, dice)).collect::<Vec<_>>();
        let mut world = Self {
            assigned: (0..dice.below(16)).map(|_| change(roles.len(), dice)).collect(),
            roles,
            mode: dice.pick(&[Mode::Held, Mode::HeldOnly, Mode::HeldOnly, Mode::TokenOnly]),
            apart: None,
        };
        for role in world.roles.iter().zip(ROLES).filter(|(role, _)| role.is_glass).map(|(_, name)| name) {
            world.assigned.push(Change::Assign(Assignment::new(
                dice.pick(&TENANTS),
                dice.pick(&PEOPLE),
                role,
            )));
        }
        if world.roles.len() > 1 && dice.one_in(4) {
            let pair = (0, 1 + dice.below(world.roles.len() - 1));
            // A role that has both by itself is refused when the policy is read.
            let has = |role: usize, other: usize| world.closure(role).contains(&other);
            let impossible = (0..world.roles.len()).any(|role| has(role, pair.0) && has(role, pair.1));
            world.apart = (!impossible).then_some(pair);
        }
        world
    }

    /// Every world of one rule or two in at most two roles, about one permission.
    pub(crate) fn all_small() -> impl Iterator<Item = Self> {
        let rules = || {
            [true, false].into_iter().flat_map(|allows| {
                ["own", "team", "all"].into_iter().flat_map(move |scope| {
                    [vec![], vec!["open"]].into_iter().map(move |when| Rule {
                        allows,
                        permission: 0,
                        scope,
                        when,
                    })
                })
            })
        };
        let roles = move || {
            rules().flat_map(move |one| {
                rules().flat_map(move |two| {
                    let one = one.clone();
                    [false, true].into_iter().map(move |inherits| {
                        let first =
                            Role { rules: vec![one.clone()], fields: vec!["name"], ..Role::default() };
                        let inherits = if inherits { vec![0] } else { vec![] };
                        let second = Role { rules: vec![two.clone()], inherits, ..Role::default() };
                        vec![first, second]
                    })
                })
            })
        };
        let held = |roles: &[&str]| {
            let role = |role: &&str| Change::Assign(Assignment::new("north", "ada", *role));
            roles.iter().map(role).collect::<Vec<_>>()
        };
        roles().flat_map(move |roles| {
            [vec!["r0"], vec!["r1"], vec!["r0", "r1"]].into_iter().flat_map(move |names| {
                let (roles, assigned) = (roles.clone(), held(&names));
                [Mode::Held, Mode::HeldOnly].into_iter().map(move |mode| Self {
                    roles: roles.clone(),
                    assigned: assigned.clone(),
                    mode,
                    apart: None,
                })
            })
        })
    }

    /// A role and all that it inherits.
    pub(crate) fn closure(&self, role: usize) -> Vec<usize> {
        let below = self.roles[role].inherits.iter().flat_map(|parent| self.closure(*parent));
        below.chain([role]).collect()
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine_of(
            Policy::parse(&self.to_toml()).unwrap_or_else(|error| panic!("{error}\n{}", self.to_toml())),
        )
    }

    pub(crate) fn engine_of(&self, policy: Policy) -> Engine {
        let mut held = HeldAssignments::new();
        self.assigned.iter().for_each(|change| held.apply(change));
        let assignments = match self.mode {
            Mode::Held => Assignments::Held(held),
            Mode::HeldOnly => Assignments::HeldOnly(held),
            Mode::TokenOnly => Assignments::TokenOnly(vec![ISSUER.to_owned()]),
        };
        Engine::new(policy, assignments)
    }

    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::from("version = 1\n[permissions]\n");
        for (name, scopes, asserted) in PERMISSIONS {
            writeln!(text, "\"{name}\" = {{ scopes = {scopes:?}, asserted_owner = {asserted} }}").unwrap();
        }
        text.push_str(
            "[conditions]\ninside.address = [\"10.0.0.0/8\"]\nrecent.authenticated_within = \"1h\"\n",
        );
        text.push_str("open.equals = { \"resource.status\" = \"open\" }\n");
        for (role, number) in self.roles.iter().zip(0..) {
            writeln!(text, "[roles.r{number}]").unwrap();
            let inherits: Vec<String> = role.inherits.iter().map(|parent| format!("r{parent}")).collect();
            writeln!(
                text,
                "inherits = {inherits:?}\nfields.doc = {:?}\nhide.doc = {:?}",
                role.fields, role.hide
            )
            .unwrap();
            for (list, allows) in [("allow", true), ("deny", false)] {
                let rules: Vec<String> =
                    role.rules.iter().filter(|rule| rule.allows == allows).map(Rule::to_toml).collect();
                writeln!(text, "{list} = [{}]", rules.join(", ")).unwrap();
            }
            if role.is_glass {
                text.push_str(
                    "break_glass = { at_most = \"1h\", mfa_within = \"1h\", eligible = [\"r0\"] }\n",
                );
            }
        }
        if let Some((one, two)) = self.apart {
            writeln!(text, "[separation.apart]\nkind = \"dynamic\"\nroles = [\"r{one}\", \"r{two}\"]")
                .unwrap();
        }
        text
    }
}

impl Role {
    fn random(number: usize, dice: &mut Dice) -> Self {
        // Only a role of emergencies may inherit one: the last number is one, sometimes, and nothing inherits it.
        let is_glass = number == 5 && !dice.one_in(4);
        let mut rules: Vec<Rule> = Vec::new();
        for _ in 0..dice.below(4) {
            let rule = Rule::random(dice);
            let same = |other: &Rule| {
                (other.allows, other.permission, other.scope, &other.when)
                    == (rule.allows, rule.permission, rule.scope, &rule.when)
            };
            if !rules.iter().any(same) {
                rules.push(rule);
            }
        }
        Self {
            inherits: (0..number).filter(|_| dice.one_in(4)).collect(),
            rules,
            fields: dice.some(&FIELDS),
            hide: if dice.one_in(8) { dice.some(&FIELDS) } else { Vec::new() },
            is_glass,
        }
    }
}

impl Rule {
    fn random(dice: &mut Dice) -> Self {
        let permission = dice.below(PERMISSIONS.len());
        let mut when = if dice.one_in(2) { dice.some(&CONDITIONS) } else { Vec::new() };
        when.sort_unstable();
        Self { allows: !dice.one_in(5), permission, scope: dice.pick(PERMISSIONS[permission].1), when }
    }

    fn to_toml(&self) -> String {
        let permission = format!("{}:{}", PERMISSIONS[self.permission].0, self.scope);
        match self.when.as_slice() {
            [] => format!("{permission:?}"),
            when => format!("{{ permission = {permission:?}, when = {when:?} }}"),
        }
    }
}

/// Something that is assigned, or somebody who is in a group; with bounds around [`NOW`], and sometimes of a role that is none.
fn change(roles: usize, dice: &mut Dice) -> Change {
    let (tenant, subject) = (dice.pick(&TENANTS), dice.pick(&PEOPLE));
    if dice.one_in(4) {
        return Change::Join { tenant: tenant.into(), group: "g".into(), subject: subject.into() };
    }
    let role = if dice.one_in(10) { "no-such-role" } else { ROLES[dice.below(roles)] };
    let mut assignment = match dice.one_in(4) {
        true => Assignment::to_group(tenant, "g", role),
        false => Assignment::new(tenant, subject, role),
    };
    let around = [NOW.as_secs() - 1, NOW.as_secs(), NOW.as_secs() + 1].map(UnixTime::from_secs);
    if dice.one_in(5) {
        assignment = assignment.not_before(dice.pick(&around));
    }
    if dice.one_in(5) {
        assignment = assignment.expires(dice.pick(&around));
    }
    Change::Assign(assignment)
}

impl Question {
    pub(crate) fn random(dice: &mut Dice) -> Self {
        let permission = dice.below(PERMISSIONS.len());
        let tenant = dice.pick(&TENANTS);
        Self {
            tenant,
            subject: dice.pick(&PEOPLE),
            named: dice.some(&ROLES),
            in_team: dice.one_in(2),
            address: dice.pick(&[None, Some(false), Some(true)]),
            login: dice.pick(&[None, Some(false), Some(true)]),
            permission,
            asks: if dice.one_in(3) { Some(dice.pick(PERMISSIONS[permission].1)) } else { None },
            on_tenant: if dice.one_in(10) { "south" } else { tenant },
            owner: dice.pick(&[
                None,
                Some((true, "ada")),
                Some((true, "bob")),
                Some((false, "ada")),
                Some((false, "bob")),
            ]),
            team: dice.pick(&[None, Some(false), Some(true)]),
            status: dice.pick(&[Status::Open, Status::Closed, Status::Missing, Status::Unavailable]),
            durable: dice.one_in(2),
        }
    }

    pub(crate) fn all_small() -> Vec<Self> {
        let mut all = Vec::new();
        for on_tenant in TENANTS {
            for owner in [None, Some((true, "ada")), Some((true, "bob"))] {
                for team in [None, Some(true)] {
                    for status in [Status::Open, Status::Closed, Status::Missing, Status::Unavailable] {
                        for named in [vec!["r0"], vec!["r1"]] {
                            all.push(Self {
                                tenant: "north",
                                subject: "ada",
                                named,
                                in_team: true,
                                address: None,
                                login: None,
                                permission: 0,
                                asks: None,
                                on_tenant,
                                owner,
                                team,
                                status,
                                durable: false,
                            });
                        }
                    }
                }
            }
        }
        all
    }

    pub(crate) fn who(&self) -> Principal {
        let mut facts = PrincipalFacts::new(self.tenant, self.subject)
            .with_roles(&self.named)
            .with_teams(if self.in_team { &["t"][..] } else { &[] })
            .with_amr(["mfa"])
            .with_issuer(ISSUER);
        facts.address =
            self.address.map(|inside| if inside { [10, 0, 0, 1].into() } else { [192, 0, 2, 1].into() });
        facts.authenticated = self.login.map(|recent| {
            let ago = if recent { 60 } else { 7_200 };
            UnixTime::from_secs(NOW.as_secs() - ago)
        });
        Principal::attested(Attestation::Token, facts).unwrap()
    }

    /// Calls `answer` with the question as the engine takes it.
    pub(crate) fn asked<T>(&self, answer: impl FnOnce(&Ask<'_>) -> T) -> T {
        let who = self.who();
        let name = PERMISSIONS[self.permission].0;
        let text = self.asks.map_or_else(|| name.to_owned(), |scope| format!("{name}:{scope}"));
        let kind = name.split_once(':').unwrap().0;
        let attributes = match self.status {
            Status::Missing => vec![],
            Status::Open => vec![Attribute::new("status", Value::Text("open"))],
            Status::Closed => vec![Attribute::new("status", Value::Text("closed"))],
            Status::Unavailable => vec![Attribute::new("status", Value::Unavailable)],
        };
        let mut on = Resource::record(self.on_tenant, kind, "x").with_attributes(&attributes);
        match self.owner {
            Some((true, owner)) => on = on.owned_by(Owner::Sealed(owner)),
            Some((false, owner)) => on = on.owned_by(Owner::Asserted(owner)),
            None => {}
        }
        match self.team {
            Some(true) => on = on.in_team("t"),
            Some(false) => on = on.in_team("other"),
            None => {}
        }
        let mut ask = Ask::new(&who, PermissionName::parse(&text).unwrap(), on, NOW);
        ask.durable = self.durable;
        answer(&ask)
    }

    pub(crate) fn answer(&self, engine: &impl PolicyEngine) -> Answer {
        self.asked(|ask| Answer::of(&engine.decide(ask).0))
    }

    pub(crate) fn explain(&self, engine: &Engine) -> Explanation {
        self.asked(|ask| engine.explain(ask))
    }
}

/// Where and to whom an assignment is.
pub(crate) fn holds(change: &Change, question: &Question, members: &[&Change]) -> Option<String> {
    let Change::Assign(assignment) = change else { return None };
    let mine = match assignment.holder() {
        Holder::Subject(name) => **name == *question.subject,
        Holder::Group(group) => members.iter().any(|change| {
            matches!(change, Change::Join { tenant, group: of, subject }
                if **tenant == *question.tenant && of == group && **subject == *question.subject)
        }),
        _ => false,
    };
    (mine && assignment.tenant() == question.tenant && assignment.holds_at(NOW))
        .then(|| assignment.role().to_owned())
}
