//! How far a rule reaches, and where a record lies.

use bartizan_core::{Owner, Principal, Realm, Resource, Scope};

/// A scope as the engine counts: own ⊑ team ⊑ tenant, and `all` is `tenant`, since no scope leaves the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reach {
    Own,
    Team,
    Whole,
}

impl Reach {
    pub(crate) const ALL: [Self; 3] = [Self::Own, Self::Team, Self::Whole];

    pub(crate) const fn scope(self) -> Scope {
        match self {
            Self::Own => Scope::Own,
            Self::Team => Scope::Team,
            Self::Whole => Scope::All,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl From<Scope> for Reach {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Own => Self::Own,
            Scope::Team => Self::Team,
            Scope::Tenant | Scope::All => Self::Whole,
        }
    }
}

/// Which owners a permission believes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owners {
    /// Only those that the record's own seal names.
    Sealed,
    /// Also those that the caller names.
    Asserted,
}

/// Where a record of the principal's tenant lies, seen from the principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The narrowest scope that it certainly lies in: what an allow must reach.
    pub(crate) surely: Reach,
    /// The narrowest scope that it may lie in: what a deny must reach.
    ///
    /// SECURITY: what is unknown never helps. A deny for one's own records also holds while it is unknown whose they are;
    /// otherwise leaving the owner away would lift it.
    pub(crate) maybe: Reach,
}

impl Place {
    pub(crate) fn of(who: &Principal, on: Resource<'_>, owners: Owners) -> Self {
        // SECURITY: somebody across tenants is nobody inside of one, whatever the names are.
        if who.realm() == Realm::System {
            return Self { surely: Reach::Whole, maybe: Reach::Whole };
        }
        let own = Self::believed_owner(on, owners).map(|owner| owner == who.subject());
        let team = on.team().filter(|team| !team.is_empty());
        let team = team.map(|team| who.teams().contains(team));
        let place = |own: bool, team: bool| match (own, team) {
            (true, _) => Reach::Own,
            (false, true) => Reach::Team,
            (false, false) => Reach::Whole,
        };
        Self {
            surely: place(own == Some(true), team == Some(true)),
            maybe: place(own != Some(false), team != Some(false)),
        }
    }

    /// The record's owner, when one is known and believed.
    pub(crate) fn believed_owner(on: Resource<'_>, owners: Owners) -> Option<&str> {
        let owner = match on.owner() {
            Some(Owner::Sealed(owner)) => Some(owner),
            Some(Owner::Asserted(owner)) if owners == Owners::Asserted => Some(owner),
            _ => None,
        };
        owner.filter(|owner| !owner.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Attestation, PrincipalFacts};

    use super::*;

    #[test]
    fn only_a_believed_owner_makes_a_record_ones_own() {
        let facts = PrincipalFacts::new("north", "ada").with_teams(["ward-1"]);
        let ada = Principal::attested(Attestation::Assertion, facts).unwrap();
        let record = Resource::record("north", "patient", "p1");
        let place = |on, owners| {
            let place = Place::of(&ada, on, owners);
            (place.surely, place.maybe)
        };
        use {
            Owner::{Asserted, Sealed},
            Reach::{Own, Team, Whole},
        };
        for (on, sealed_only, asserted_too) in [
            (record, (Whole, Own), (Whole, Own)),
            (record.owned_by(Sealed("ada")), (Own, Own), (Own, Own)),
            (record.owned_by(Sealed("bob")), (Whole, Team), (Whole, Team)),
            (record.owned_by(Sealed("")), (Whole, Own), (Whole, Own)),
            (record.owned_by(Asserted("ada")), (Whole, Own), (Own, Own)),
            (record.owned_by(Asserted("bob")), (Whole, Own), (Whole, Team)),
            (record.owned_by(Asserted("ADA")), (Whole, Own), (Whole, Team)),
            (record.in_team("ward-1"), (Team, Own), (Team, Own)),
            (record.in_team(""), (Whole, Own), (Whole, Own)),
            (record.owned_by(Sealed("bob")).in_team("ward-1"), (Team, Team), (Team, Team)),
            (record.owned_by(Sealed("bob")).in_team("ward-2"), (Whole, Whole), (Whole, Whole)),
        ] {
            assert_eq!(place(on, Owners::Sealed), sealed_only, "{on:?}");
            assert_eq!(place(on, Owners::Asserted), asserted_too, "{on:?}");
        }
    }
}
