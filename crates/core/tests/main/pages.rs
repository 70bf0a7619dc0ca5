//! One decision for each record of a page, one fact for all of them.

use bartizan_core::{
    Cause, Decision, Delivery, Grant, MAX_PAGE, Mismatch, Outcome, Pii, Resource, Verdict, code,
};

use crate::support::{Bench, ERASE, READ, RECORD, ada, granted, undecided};

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("p-{n}")).collect()
}

fn number(grant: &Grant) -> u128 {
    u128::from_be_bytes(*grant.decision().as_bytes())
}

#[test]
fn a_value_of_one_record_is_not_exposed_under_another_record_of_its_page() {
    let bench = Bench::new();
    let (one, two) =
        (Resource::record("north", "patient", "p-1"), Resource::record("north", "patient", "p-2"));
    let grants: Vec<_> =
        bench.authorizer.decide_each(&ada(), READ, [one, two]).into_iter().map(granted).collect();
    let (first, second) = (grants[0].covers(one).unwrap(), grants[1].covers(two).unwrap());
    let ssn: Pii = Pii::opened("078-05-1120".to_owned(), first);
    assert_eq!(ssn.expose(second), Err(Mismatch::Decision));
    assert_eq!(ssn.expose(first).map(String::as_str), Ok("078-05-1120"));
}

#[test]
fn a_page_is_one_fact() {
    let bench = Bench::new();
    let ids = ids(20);
    let page = ids.iter().map(|id| Resource::record("north", "patient", id));
    let decisions = bench.authorizer.decide_each(&ada(), READ, page);
    assert_eq!((decisions.len(), decisions.is_empty()), (20, false));
    let grants: Vec<_> = decisions.into_iter().map(granted).collect();
    let first = number(&grants[0]);
    for (at, (grant, id)) in (0..).zip(grants.iter().zip(&ids)) {
        assert!(grant.covers(Resource::record("north", "patient", id)).is_ok());
        assert!(grant.covers(RECORD).is_err() || id == "p-17");
        assert_eq!(number(grant), first + at, "the ids of a page follow on the one that is recorded");
    }
    let facts = bench.recorder.facts();
    assert_eq!(facts.len(), 1);
    assert_eq!(
        (facts[0].code, facts[0].outcome, facts[0].delivery),
        (code::PAGE_DECIDED, Outcome::Success, Delivery::Standard)
    );
    assert!(ids.iter().all(|id| facts[0].shown.contains(&format!("\"{id}\""))), "{}", facts[0].shown);
    assert!(
        facts[0].shown.contains("Revision(5)") && facts[0].shown.contains(&grants[0].decision().to_string())
    );
}

#[test]
fn the_fact_says_what_came_of_the_page() {
    for (verdict, outcome) in [
        (Verdict::Deny { rule: None }, Outcome::Denied),
        (Verdict::Unknown(Cause::Unavailable), Outcome::Unknown),
    ] {
        let bench = Bench::new();
        bench.engine.answer("ada", verdict);
        let decisions = bench.authorizer.decide_each(&ada(), READ, [RECORD, RECORD]);
        assert!(decisions.into_iter().all(|decision| !matches!(decision, Decision::Allow(_))));
        assert_eq!(bench.recorder.facts()[0].outcome, outcome);
    }
}

#[test]
fn a_malformed_record_is_undecided_and_its_neighbours_are_not() {
    let bench = Bench::new();
    let page = [RECORD, Resource::record("north", "patient", "p\n"), RECORD];
    let decisions: Vec<_> = bench.authorizer.decide_each(&ada(), READ, page).into_iter().collect();
    assert!(matches!(
        decisions[..],
        [Decision::Allow(_), Decision::Indeterminate(Cause::Malformed), Decision::Allow(_)]
    ));
    assert_eq!(bench.recorder.facts()[0].outcome, Outcome::Unknown);
}

#[test]
fn an_empty_page_is_nothing_at_all() {
    let bench = Bench::new();
    assert!(bench.authorizer.decide_each(&ada(), READ, []).is_empty());
    assert!(bench.recorder.facts().is_empty());
}

#[test]
fn a_page_of_a_thousand_is_decided_and_one_more_is_not() {
    let bench = Bench::new();
    let ids = ids(MAX_PAGE + 1);
    let page = |count: usize| ids.iter().take(count).map(|id| Resource::record("north", "patient", id));
    assert_eq!(MAX_PAGE, 1_000);
    assert!(
        bench
            .authorizer
            .decide_each(&ada(), READ, page(1_000))
            .into_iter()
            .all(|d| matches!(d, Decision::Allow(_)))
    );
    let asked = bench.engine.asked();
    let decisions = bench.authorizer.decide_each(&ada(), READ, page(1_001));
    assert!(decisions.into_iter().all(|decision| undecided(decision) == Cause::Malformed));
    assert_eq!(bench.engine.asked(), asked);
    // A page without end is left after one record too many.
    let endless = std::iter::repeat(RECORD);
    assert_eq!(bench.authorizer.decide_each(&ada(), READ, endless).len(), 1_001);
}

#[test]
fn a_page_of_two_tenants_or_kinds_is_not_decided() {
    let bench = Bench::new();
    for other in [Resource::record("south", "patient", "p"), Resource::record("north", "invoice", "p")] {
        for page in [[RECORD, other], [other, RECORD]] {
            let decisions = bench.authorizer.decide_each(&ada(), READ, page);
            assert!(decisions.into_iter().all(|decision| undecided(decision) == Cause::Malformed));
        }
    }
    assert_eq!((bench.engine.asked(), bench.recorder.facts().len()), (0, 0));
}

#[test]
fn a_page_of_another_tenant_is_denied_without_asking() {
    let bench = Bench::new();
    let page = [Resource::record("south", "patient", "p-1"), Resource::record("south", "patient", "p-2")];
    for decision in bench.authorizer.decide_each(&ada(), READ, page) {
        assert!(matches!(&decision, Decision::Deny(denial) if denial.hides_existence()), "{decision:?}");
    }
    assert_eq!(bench.engine.asked(), 0);
}

#[test]
fn a_critical_permission_is_not_decided_by_the_page() {
    let bench = Bench::new();
    assert_eq!(undecided(bench.authorizer.decide(&ada(), ERASE, RECORD)), Cause::NeedsDurable);
    let decisions = bench.authorizer.decide_each(&ada(), ERASE, [RECORD, RECORD]);
    assert!(decisions.into_iter().all(|decision| undecided(decision) == Cause::NeedsDurable));
    assert_eq!((bench.engine.asked(), bench.recorder.facts().len()), (0, 0));
}
