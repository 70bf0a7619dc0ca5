//! Histories of issuers, consumers, stale copies and clocks that disagree.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;

const NOBODY: fn(u32) -> bool = |_| false;

const fn at(secs: i64) -> UnixTime {
    UnixTime::from_secs(secs)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A new key every 1,000 s, known 70 s ahead, kept for 100 s.
const POLICY: Policy = Policy {
    period: secs(1_000),
    longest_life: secs(90),
    cache_age: secs(60),
    skew: secs(10),
    spread: Duration::ZERO,
    next: Next::InTime,
};

fn started(policy: Policy) -> Rotation {
    let mut rotation = Rotation::new(policy);
    let plan = rotation.advance(at(0), NOBODY);
    let first =
        [Step::Publish { version: 1, active_from: at(0) }, Step::Activate { version: 1, replaces: None }];
    assert_eq!(plan.steps()[..2], first);
    rotation
}

#[test]
fn a_rotation_goes_through_every_step_at_its_exact_time() {
    let mut rotation = started(POLICY);
    assert_eq!(rotation.plan(at(0), NOBODY), Plan { steps: vec![], look_again: at(930) });
    let steps = [
        (930, Step::Publish { version: 2, active_from: at(1_000) }, 1_000),
        (1_000, Step::Activate { version: 2, replaces: Some((1, at(1_100))) }, 1_100),
        (1_100, Step::Drop { version: 1 }, 1_930),
        (1_930, Step::Publish { version: 3, active_from: at(2_000) }, 2_000),
    ];
    for (time, step, next) in steps {
        assert_eq!(rotation.advance(UnixTime::from_nanos(at(time).as_nanos() - 1), NOBODY).steps(), []);
        assert_eq!(rotation.advance(at(time), NOBODY), Plan { steps: vec![step], look_again: at(next) });
        assert_eq!(rotation.advance(at(time), NOBODY).steps(), [], "what is done is not due");
    }
}

#[test]
fn an_early_step_is_refused_and_names_the_earliest_time() {
    let mut rotation = started(POLICY);
    assert_eq!(rotation.activate(at(10)), Err(NotPossible::NEVER), "there is none that could be active");
    rotation.publish(at(10)).unwrap();
    assert_eq!(rotation.publish(at(10)), Err(NotPossible::NEVER), "one pending key is enough");
    assert_eq!(rotation.activate(at(79)).unwrap_err().earliest(), Some(at(80)));
    rotation.activate(at(80)).unwrap();
    assert_eq!(rotation.end(1, at(179)).unwrap_err().earliest(), Some(at(180)));
    assert_eq!(
        rotation.end(2, at(179)),
        Err(NotPossible::NEVER),
        "an active key does not end, it is replaced"
    );
    assert_eq!(rotation.end(1, at(180)), Ok(Step::Drop { version: 1 }));
}

#[test]
fn several_instances_wait_longer_than_one() {
    let policy = Policy { spread: secs(20), ..POLICY };
    assert_eq!((POLICY.lead(), POLICY.overlap()), (secs(70), secs(100)));
    assert_eq!((policy.lead(), policy.overlap()), (secs(90), secs(130)));
}

#[test]
fn a_key_that_a_consumer_needs_stays_and_is_reported() {
    let mut rotation = started(POLICY);
    rotation.publish(at(0)).unwrap();
    rotation.activate(at(70)).unwrap();
    assert_eq!(rotation.over(at(169)).count(), 0);
    assert_eq!(rotation.over(at(170)).collect::<Vec<_>>(), [1]);
    let plan = rotation.advance(at(170), |version| version == 1);
    assert_eq!(plan.held().collect::<Vec<_>>(), [1]);
    assert_eq!(rotation.state(1), Some(Lifecycle::Retiring { until: at(770) }));
    assert!(rotation.state(1).unwrap().may_check(at(769)));
    assert_eq!(plan.look_again(), at(770));
    // Revoking asks nobody.
    rotation.revoke(1, at(171)).unwrap();
    assert_eq!(rotation.state(1), Some(Lifecycle::Revoked));
    assert_eq!(rotation.advance(at(271), |_| true).steps(), [Step::Drop { version: 1 }]);
}

#[test]
fn a_known_key_takes_the_place_of_a_revoked_one_at_once() {
    let mut rotation = started(Policy { next: Next::Always, ..POLICY });
    assert_eq!(rotation.pending(), Some(2), "published as soon as the first is active");
    rotation.revoke(1, at(70)).unwrap();
    let plan = rotation.advance(at(70), NOBODY);
    assert_eq!(
        plan.steps(),
        [Step::Activate { version: 2, replaces: None }, Step::Publish { version: 3, active_from: at(140) }]
    );
}

#[test]
fn without_a_known_key_none_is_active_after_a_revocation_until_one_is_known() {
    let mut rotation = started(POLICY);
    rotation.revoke(1, at(5)).unwrap();
    let plan = rotation.advance(at(5), NOBODY);
    assert_eq!(plan.steps(), [Step::Publish { version: 2, active_from: at(75) }]);
    assert_eq!(plan.look_again(), at(75));
    assert_eq!(rotation.active(), None);
    assert_eq!(rotation.activate(at(74)).unwrap_err().earliest(), Some(at(75)));
    rotation.advance(at(75), NOBODY);
    assert_eq!(rotation.active(), Some(2));
}

#[test]
fn memory_of_revoked_keys_is_bounded_and_does_not_block_new_ones() {
    let mut rotation = started(Policy { longest_life: Duration::MAX, ..POLICY });
    for time in 1..1_000 {
        rotation.revoke(rotation.next_version() - 1, at(time)).unwrap();
        rotation.advance(at(time), NOBODY);
    }
    assert_eq!(rotation.next_version(), 1_001);
    assert!(rotation.keys().len() <= MAX_REVOKED + 1);
}

#[test]
fn a_shorter_policy_waits_for_what_was_made_under_the_longer_one() {
    let mut rotation = started(POLICY);
    let short = Policy { longest_life: secs(1), cache_age: secs(1), skew: secs(1), ..POLICY };
    rotation.change(short, at(500));
    rotation.publish(at(501)).unwrap();
    assert_eq!(rotation.activate(at(570)).unwrap_err().earliest(), Some(at(571)));
    rotation.activate(at(571)).unwrap();
    assert_eq!(rotation.state(1), Some(Lifecycle::Retiring { until: at(671) }));
    // Everything of the longer policy has ended at 670.
    rotation.advance(at(670), NOBODY);
    assert_eq!(rotation.earlier(), None);
    rotation.publish(at(671)).unwrap();
    rotation.activate(at(673)).unwrap();
}

#[test]
fn a_second_change_does_not_forget_the_first_policy() {
    let mut rotation = started(POLICY);
    let short = |age| Policy { longest_life: secs(1), cache_age: secs(age), skew: secs(1), ..POLICY };
    rotation.change(short(2), at(500));
    let first = rotation.earlier().unwrap().until;
    // Nor does a clock that was set back.
    rotation.change(short(1), at(400));
    assert_eq!(*rotation.earlier().unwrap(), Earlier::new(POLICY.longer(&short(2)), first));
    rotation.publish(at(501)).unwrap();
    assert_eq!(rotation.activate(at(570)).unwrap_err().earliest(), Some(at(571)));
}

#[test]
fn a_longer_policy_lengthens_what_is_under_way() {
    let mut rotation = started(POLICY);
    rotation.publish(at(0)).unwrap();
    rotation.activate(at(70)).unwrap();
    rotation.publish(at(71)).unwrap();
    rotation.change(Policy { longest_life: secs(900), cache_age: secs(600), ..POLICY }, at(72));
    assert_eq!(rotation.state(1), Some(Lifecycle::Retiring { until: at(70 + 910) }));
    assert_eq!(rotation.state(3), Some(Lifecycle::Pending { active_from: at(71 + 610) }));
}

#[test]
fn only_states_that_a_rotation_leads_to_are_restored() {
    let key = |version, state| Key { version, state, since: at(0) };
    let pending = Lifecycle::Pending { active_from: at(0) };
    let restore = |keys: &[Key], next| Rotation::restore(POLICY, None, keys.iter().copied(), next);
    let good = [key(1, Lifecycle::Active), key(2, pending)];
    let restored = restore(&good, 3).unwrap();
    assert_eq!(restored.keys(), good);
    assert_eq!(restore(&[], 1), Ok(Rotation::new(POLICY)));
    for (keys, next) in [
        (vec![key(1, Lifecycle::Active), key(2, Lifecycle::Active)], 3),
        (vec![key(1, pending), key(2, pending)], 3),
        (vec![key(2, Lifecycle::Active), key(1, pending)], 3),
        (vec![key(1, Lifecycle::Active), key(1, pending)], 3),
        (vec![key(0, Lifecycle::Active)], 3),
        (vec![key(3, Lifecycle::Active)], 3),
        (vec![], 0),
        ((1..=129).map(|version| key(version, Lifecycle::Revoked)).collect(), 200),
    ] {
        assert_eq!(restore(&keys, next), Err(NotPossible::NEVER), "{keys:?}");
    }
}

#[test]
fn versions_run_out_without_a_wrap() {
    let mut rotation = Rotation::restore(POLICY, None, [], u32::MAX).unwrap();
    assert_eq!(rotation.publish(at(0)), Err(NotPossible::NEVER));
    assert_eq!(rotation.advance(at(0), NOBODY), Plan { steps: vec![], look_again: UnixTime::MAX });
}

/// Instances with one store between them, and consumers with copies of what the instances publish. Times are in seconds and
/// true; every clock is wrong by its own offset.
struct World {
    now: i64,
    stored: Rotation,
    instances: Vec<Instance>,
    consumers: Vec<Known>,
    tokens: Vec<Token>,
    /// Longest that an instance works with an old copy.
    spread: i64,
    revoked: Vec<u32>,
}

struct Instance {
    offset: i64,
    copy: Rotation,
    loaded: i64,
}

struct Known {
    offset: i64,
    versions: Vec<u32>,
    until: i64,
}

#[derive(Debug)]
struct Token {
    version: u32,
    /// By the clock of whoever issued it.
    expires: i64,
}

#[derive(Clone, Debug)]
enum Event {
    Pass(i64),
    Step(Index),
    Reload(Index),
    Issue(Index, u64),
    Fetch(Index, Index),
    Rotate(Index),
    Publish(Index),
    Revoke(Index, Index),
    Change(Index, Policy),
}

impl World {
    fn new(policy: Policy, offsets: &[i64]) -> Self {
        let mut stored = Rotation::new(policy);
        stored.advance(at(0), NOBODY);
        let several = if policy.spread.is_zero() { 1 } else { 3 };
        let instance = |offset: &i64| Instance { offset: *offset, copy: stored.clone(), loaded: 0 };
        let instances = offsets.iter().take(several).map(instance).collect();
        let consumer = |offset: &i64| Known { offset: *offset, versions: vec![], until: -1 };
        let consumers = offsets.iter().skip(3).map(consumer).collect();
        let spread = i64::try_from(policy.spread.as_secs()).unwrap();
        Self { now: 0, stored, instances, consumers, tokens: vec![], spread, revoked: vec![] }
    }

    /// What instance `i` works with: as old as it may be, and no older.
    fn copy(&mut self, i: usize) -> (UnixTime, &Rotation) {
        let instance = &mut self.instances[i];
        if self.now - instance.loaded >= self.spread {
            (instance.copy, instance.loaded) = (self.stored.clone(), self.now);
        }
        (at(self.now + instance.offset), &instance.copy)
    }

    /// A change: on the newest state, as compare-and-set sees to, by the clock of instance `i`.
    fn write(&mut self, i: usize, change: impl FnOnce(&mut Rotation, UnixTime)) {
        let now = at(self.now + self.instances[i].offset);
        change(&mut self.stored, now);
        self.instances[i].copy = self.stored.clone();
        self.instances[i].loaded = self.now;
    }

    fn fetch(&mut self, consumer: usize, i: usize) {
        let (_, copy) = self.copy(i);
        let trusted = copy.keys().iter().filter(|key| key.state != Lifecycle::Revoked);
        let versions = trusted.map(|key| key.version).collect();
        let age = i64::try_from(copy.policy().cache_age.as_secs()).unwrap();
        let offset = self.consumers[consumer].offset;
        self.consumers[consumer] = Known { offset, versions, until: self.now + age };
    }

    fn happen(&mut self, event: &Event) {
        let count = self.instances.len();
        match event {
            Event::Pass(time) => self.now += time,
            Event::Step(i) => self.write(i.index(count), |stored, now| {
                stored.advance(now, NOBODY);
                assert_eq!(stored.plan(now, NOBODY).steps(), [], "everything due was done");
            }),
            Event::Reload(i) => self.write(i.index(count), |_, _| {}),
            Event::Issue(i, life) => {
                let (now, copy) = self.copy(i.index(count));
                let life = secs(life % (copy.policy().longest_life.as_secs() + 1));
                let token = copy
                    .active()
                    .map(|version| Token { version, expires: now.saturating_add(life).as_secs() });
                self.tokens.extend(token);
            }
            Event::Fetch(consumer, i) => self.fetch(consumer.index(self.consumers.len()), i.index(count)),
            Event::Rotate(i) => self.write(i.index(count), |stored, now| {
                let _ = stored.activate(now);
            }),
            Event::Publish(i) => self.write(i.index(count), |stored, now| {
                let _ = stored.publish(now);
            }),
            Event::Revoke(i, which) => {
                if let Some(key) = self.stored.keys().get(which.index(8)).copied() {
                    self.revoked.push(key.version);
                    self.write(i.index(count), |stored, now| stored.revoke(key.version, now).unwrap());
                }
            }
            Event::Change(i, policy) => {
                let policy = Policy {
                    skew: self.stored.policy().skew,
                    spread: self.stored.policy().spread,
                    ..*policy
                };
                self.write(i.index(count), |stored, now| stored.change(policy, now));
            }
        }
    }

    /// No consumer meets a live token of a key that it cannot know; and one key is active, unless that one was revoked.
    fn check(&mut self, from: usize) -> Result<(), TestCaseError> {
        let active = self.stored.keys().iter().filter(|key| key.state == Lifecycle::Active).count();
        prop_assert!(active == 1 || (active == 0 && !self.revoked.is_empty()));
        let known = Rotation::restore(
            *self.stored.policy(),
            self.stored.earlier().copied(),
            self.stored.keys().iter().copied(),
            self.stored.next_version(),
        );
        prop_assert_eq!(known.as_ref(), Ok(&self.stored));
        for consumer in 0..self.consumers.len() {
            // Fresh while its age is under the limit (RFC 9111 §4.2).
            if self.consumers[consumer].until <= self.now {
                self.fetch(consumer, from % self.instances.len());
            }
            let known = &self.consumers[consumer];
            for token in &self.tokens {
                let is_live = self.now + known.offset < token.expires;
                if is_live && !self.revoked.contains(&token.version) {
                    prop_assert!(known.versions.contains(&token.version), "{token:?} at {}", self.now);
                }
            }
        }
        self.tokens.retain(|token| token.expires + 100 > self.now);
        Ok(())
    }
}

fn policies() -> impl Strategy<Value = Policy> {
    (1_u64..300, 0_u64..120, 0_u64..90, 0_u64..20, prop_oneof![Just(0), 1_u64..40], any::<bool>()).prop_map(
        |(period, life, cache, skew, spread, always)| Policy {
            period: secs(period),
            longest_life: secs(life),
            cache_age: secs(cache),
            skew: secs(skew),
            spread: secs(spread),
            next: if always { Next::Always } else { Next::InTime },
        },
    )
}

fn events(with: impl Strategy<Value = Event> + 'static) -> impl Strategy<Value = Vec<Event>> {
    let index = any::<Index>;
    let usual = prop_oneof![
        6 => (1_i64..60).prop_map(Event::Pass),
        5 => index().prop_map(Event::Step),
        1 => index().prop_map(Event::Reload),
        4 => (index(), any::<u64>()).prop_map(|(i, life)| Event::Issue(i, life)),
        3 => (index(), index()).prop_map(|(consumer, i)| Event::Fetch(consumer, i)),
        1 => index().prop_map(Event::Rotate),
        1 => index().prop_map(Event::Publish),
    ];
    vec(prop_oneof![12 => usual.boxed(), 1 => with.boxed()], 1..250)
}

fn revoking() -> impl Strategy<Value = Event> {
    (any::<Index>(), any::<Index>()).prop_map(|(i, which)| Event::Revoke(i, which))
}

fn changing() -> impl Strategy<Value = Event> {
    (any::<Index>(), policies()).prop_map(|(i, policy)| Event::Change(i, policy))
}

/// Offsets such that no two clocks are further apart than the skew.
fn offsets() -> impl Strategy<Value = Vec<u64>> {
    vec(any::<u64>(), 6)
}

fn run(policy: Policy, offsets: &[u64], events: &[Event]) -> Result<World, TestCaseError> {
    let offset = |raw: &u64| i64::try_from(raw % (policy.skew.as_secs() + 1)).unwrap();
    let mut world = World::new(policy, &offsets.iter().map(offset).collect::<Vec<_>>());
    for (turn, event) in events.iter().enumerate() {
        world.happen(event);
        world.check(turn)?;
    }
    Ok(world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_live_token_verifies_everywhere_and_one_key_is_active(
        policy in policies(), offsets in offsets(), events in events((1_i64..2_000).prop_map(Event::Pass)),
    ) {
        let world = run(policy, &offsets, &events)?;
        prop_assert!(world.revoked.is_empty() && world.stored.active().is_some());
    }

    #[test]
    fn revocations_harm_the_tokens_of_revoked_keys_alone(
        policy in policies(), offsets in offsets(), events in events(revoking()),
    ) {
        let mut world = run(policy, &offsets, &events)?;
        // After a revocation it takes the lead at most until a key is active again.
        world.stored.advance(at(world.now + 20), NOBODY);
        let later = at(world.now + 20).saturating_add(policy.lead());
        world.stored.advance(later, NOBODY);
        prop_assert!(world.stored.active().is_some());
    }

    #[test]
    fn a_change_of_policy_breaks_nothing_that_lives_by_the_one_before(
        policy in policies(), offsets in offsets(), events in events(changing()),
    ) {
        run(policy, &offsets, &events)?;
    }

    #[test]
    fn looking_only_when_told_misses_no_step(policy in policies()) {
        let (mut told, mut watchful) = (Rotation::new(policy), Rotation::new(policy));
        let mut look = at(0);
        for second in 0..1_500 {
            let steps = watchful.advance(at(second), NOBODY);
            if at(second) >= look {
                let plan = told.advance(at(second), NOBODY);
                prop_assert_eq!(plan.steps(), steps.steps());
                look = plan.look_again();
            } else {
                prop_assert_eq!(steps.steps(), []);
            }
        }
    }
}
