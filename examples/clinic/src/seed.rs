//! Who and what a new clinic starts with. Nobody in here exists: the numbers are of ranges that are never given out.

use bartizan::core::Pii;

use crate::patient::Patient;

/// A person with an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) tenant: &'static str,
    pub(crate) user: &'static str,
    pub(crate) role: &'static str,
}

/// A patient of a new clinic.
#[derive(Clone, Copy)]
pub(crate) struct Chart {
    pub(crate) tenant: &'static str,
    pub(crate) id: &'static str,
    pub(crate) owner: &'static str,
    pub(crate) name: &'static str,
    pub(crate) ssn: &'static str,
    pub(crate) credit_card: &'static str,
    pub(crate) medical_record: &'static str,
}

pub(crate) const PEOPLE: [Person; 7] = [
    Person { tenant: "north", user: "ada", role: "doctor" },
    Person { tenant: "north", user: "nils", role: "nurse" },
    Person { tenant: "north", user: "rosa", role: "admin" },
    Person { tenant: "north", user: "mia", role: "member" },
    Person { tenant: "north", user: "vera", role: "chief" },
    Person { tenant: "south", user: "sven", role: "doctor" },
    Person { tenant: "south", user: "olga", role: "admin" },
];

pub(crate) const CHARTS: [Chart; 4] = [
    Chart {
        tenant: "north",
        id: "p-100",
        owner: "mia",
        name: "Mia Lund",
        ssn: "900-12-3401",
        credit_card: "4000 0000 0000 0002",
        medical_record: "Asthma; inhaler as needed.",
    },
    Chart {
        tenant: "north",
        id: "p-101",
        owner: "max",
        name: "Max Berg",
        ssn: "900-12-3402",
        credit_card: "4000 0000 0000 0010",
        medical_record: "Fractured radius, cast until March.",
    },
    Chart {
        tenant: "north",
        id: "p-102",
        owner: "ida",
        name: "Ida Holm",
        ssn: "900-12-3403",
        credit_card: "4000 0000 0000 0028",
        medical_record: "Pregnant, week 20.",
    },
    Chart {
        tenant: "south",
        id: "p-200",
        owner: "ole",
        name: "Ole Dahl",
        ssn: "900-12-3404",
        credit_card: "4000 0000 0000 0036",
        medical_record: "Allergic to penicillin.",
    },
];

impl From<Chart> for Patient {
    fn from(chart: Chart) -> Self {
        Self {
            tenant: chart.tenant.to_owned(),
            id: chart.id.to_owned(),
            owner: chart.owner.to_owned(),
            name: Pii::new(chart.name.to_owned()),
            ssn: Pii::new(chart.ssn.to_owned()),
            credit_card: Pii::new(chart.credit_card.to_owned()),
            medical_record: Pii::new(chart.medical_record.to_owned()),
        }
    }
}
