//! Guessing, stuffing, and locking others out.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use bartizan_core::{Clock, SecretArray};
use bartizan_crypto_ring::Ring;
use bartizan_rate_limit::{
    DeviceMarks, ErrorKind, KnownDevice, Limiter, Login, LoginAttempt, LoginLimits, OnOutage, Quota,
};
use bartizan_testkit::{ManualClock, SeededEntropy};

use super::{clock, ip, limiter, memory, now};

const ADA: &str = "ada@example.org";

fn limits(clock: &Arc<ManualClock>) -> LoginLimits {
    LoginLimits::new(limiter(clock), OnOutage::Closed)
}

fn begin(
    limits: &LoginLimits,
    account: &str,
    from: IpAddr,
    device: Option<&KnownDevice>,
) -> Option<LoginAttempt> {
    match now(limits.begin(account, from, device)).unwrap() {
        Login::Try(attempt) => Some(attempt),
        Login::Refused(_) => None,
    }
}

/// Whether a wrong password may be tried.
fn fails(limits: &LoginLimits, account: &str, from: IpAddr) -> bool {
    begin(limits, account, from, None).map(LoginAttempt::failed).is_some()
}

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(0xC633_0000 + number).into()
}

fn marks(clock: &Arc<ManualClock>) -> DeviceMarks {
    let (key, entropy) = (SecretArray::new([3; 32]), Arc::new(SeededEntropy::new(3)));
    DeviceMarks::new(&Ring::new(), &key, Arc::clone(clock) as Arc<dyn Clock>, entropy).unwrap()
}

fn device(clock: &Arc<ManualClock>, account: &str) -> KnownDevice {
    let marks = marks(clock);
    marks.read(account, marks.issue(account).unwrap().expose()).unwrap()
}

#[test]
fn asvs_6_3_1_guessing_at_one_account_from_one_place_is_five_in_fifteen_minutes() {
    let clock = clock();
    let limits = limits(&clock);
    let passed = (0..100).filter(|_| fails(&limits, ADA, address(1))).count();
    assert_eq!(passed, 5);
    let Login::Refused(by) = now(limits.begin(ADA, address(1), None)).unwrap() else { panic!("it passes") };
    assert_eq!(by.policy().name(), "login-pair");
    assert_eq!(by.decision().retry_after(), Some(Duration::from_secs(180)));
    clock.advance(Duration::from_secs(180));
    assert!(fails(&limits, ADA, address(1)));
    assert!(!fails(&limits, ADA, address(1)));
}

#[test]
fn asvs_6_3_1_stuffing_many_accounts_from_one_address_is_limited() {
    let limits = limits(&clock());
    let passed = (0..1_000).filter(|account| fails(&limits, &format!("user{account}"), address(1))).count();
    assert_eq!(passed, 100);
    // A whole /64 is one address.
    let v6 = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, host]);
    let passed = (0..1_000_u16).filter(|host| fails(&limits, &format!("other{host}"), v6(*host))).count();
    assert_eq!(passed, 100);
}

#[test]
fn asvs_6_3_1_a_botnet_guessing_at_one_account_is_a_hundred_a_day() {
    let limits = limits(&clock());
    let passed = (0..10_000).filter(|bot| fails(&limits, ADA, address(*bot))).count();
    assert_eq!(passed, 100);
    let Login::Refused(by) = now(limits.begin(ADA, address(20_000), None)).unwrap() else {
        panic!("it passes")
    };
    assert_eq!(by.policy().name(), "login-account");
}

#[test]
fn asvs_6_3_1_only_failures_count() {
    let limits = limits(&clock());
    for _ in 0..1_000 {
        let attempt = begin(&limits, ADA, address(1), None).expect("a right password is refused");
        now(attempt.succeeded());
    }
    for _ in 0..1_000 {
        now(begin(&limits, ADA, address(1), None).expect("it was busy, not wrong").not_tried());
    }
    assert_eq!((0..100).filter(|_| fails(&limits, ADA, address(1))).count(), 5);
}

#[test]
fn limiter_correctness_64_guesses_at_once_are_admitted_exactly_five_times() {
    let limits = Arc::new(limits(&clock()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    for round in 0..20 {
        let account = format!("user{round}");
        let barrier = Arc::new(tokio::sync::Barrier::new(64));
        let guesses: Vec<_> = (0..64)
            .map(|_| {
                let (limits, barrier, account) = (Arc::clone(&limits), Arc::clone(&barrier), account.clone());
                runtime.spawn(async move {
                    barrier.wait().await;
                    let login = limits.begin(&account, address(round), None).await.unwrap();
                    // Nobody has an answer before all have begun: a check that charged only afterwards would admit all 64.
                    barrier.wait().await;
                    matches!(login, Login::Try(_))
                })
            })
            .collect();
        let passed = guesses.into_iter().map(|guess| runtime.block_on(guess).unwrap());
        assert_eq!(passed.filter(|passed| *passed).count(), 5);
    }
}

#[test]
fn a_success_of_the_attackers_own_gives_no_new_guesses_at_others() {
    let limits = limits(&clock());
    let mut guessed = 0;
    for _ in 0..100 {
        guessed += usize::from(fails(&limits, ADA, address(1)));
        if let Some(own) = begin(&limits, "mallory", address(1), None) {
            now(own.succeeded());
        }
    }
    assert_eq!(guessed, 5);
}

#[test]
fn a_success_that_waited_for_its_charge_to_come_back_gives_no_more() {
    let clock = clock();
    let limits = limits(&clock).with_address(Quota::LOGIN);
    // Five logins of the attacker's own are held open until their charges have come back by themselves.
    let held: Vec<_> =
        (0..5).filter_map(|own| begin(&limits, &format!("own{own}"), address(1), None)).collect();
    assert_eq!(held.len(), 5);
    clock.advance(Duration::from_secs(900));
    assert_eq!((0..10).filter(|account| fails(&limits, &format!("user{account}"), address(1))).count(), 5);
    held.into_iter().for_each(|own| now(own.succeeded()));
    assert_eq!((10..20).filter(|account| fails(&limits, &format!("user{account}"), address(1))).count(), 0);
}

#[test]
fn lockout_abuse_the_owner_gets_in_on_a_known_device_while_a_botnet_hammers_her_account() {
    let clock = clock();
    let limits = limits(&clock);
    let laptop = device(&clock, ADA);
    for hour in 0..48 {
        for bot in 0..500 {
            fails(&limits, ADA, address(hour * 500 + bot));
        }
        // The account's own limit is used up, and from her own address too somebody guesses.
        for _ in 0..20 {
            fails(&limits, ADA, address(60_000));
        }
        let attempt = begin(&limits, ADA, address(60_000), Some(&laptop)).expect("the owner is locked out");
        now(attempt.succeeded());
        clock.advance(Duration::from_secs(3_600));
    }
}

#[test]
fn lockout_abuse_one_address_alone_cannot_use_up_the_account_for_others() {
    let limits = limits(&clock());
    for _ in 0..10_000 {
        fails(&limits, ADA, address(1));
    }
    // Of a hundred, five went to the attacker.
    let passed = (2..1_000).filter(|other| fails(&limits, ADA, address(*other))).count();
    assert_eq!(passed, 95);
}

#[test]
fn a_stolen_device_mark_is_five_guesses_in_fifteen_minutes() {
    let clock = clock();
    let (limits, laptop) = (limits(&clock), device(&clock, ADA));
    let passed = (0..100).filter(|bot| begin(&limits, ADA, address(*bot), Some(&laptop)).is_some()).count();
    assert_eq!(passed, 5);
}

#[test]
fn a_device_of_another_account_is_no_device() {
    let clock = clock();
    let (limits, mallorys) = (limits(&clock), device(&clock, "mallory"));
    let passed = (0..100).filter(|_| begin(&limits, ADA, address(1), Some(&mallorys)).is_some()).count();
    assert_eq!(passed, 5);
    assert!(!fails(&limits, ADA, address(1)));
}

#[test]
fn another_spelling_of_an_account_is_no_other_account() {
    let limits = limits(&clock());
    let spellings = ["ada@example.org", "Ada@Example.org", " ADA@EXAMPLE.ORG", "ada@example.org\n"];
    let passed = (0..100).filter(|at| fails(&limits, spellings[at % 4], address(1))).count();
    assert_eq!(passed, 5);
}

#[test]
fn a_letter_of_two_code_points_makes_no_other_account() {
    let clock = clock();
    let limits = limits(&clock);
    let spellings = ["zo\u{eb}@example.org", "zoe\u{308}@example.org", "ZOE\u{308}@EXAMPLE.ORG"];
    let passed = (0..100).filter(|at| fails(&limits, spellings[at % 3], address(1))).count();
    assert_eq!(passed, 5);
    assert!(fails(&limits, "zoe@example.org", address(1)));

    // The device that its owner logged in on is known under both.
    let device = device(&clock, spellings[0]);
    assert!(begin(&limits, spellings[1], address(1), Some(&device)).is_some());
}

#[test]
fn enumeration_an_account_that_does_not_exist_is_answered_alike() {
    // The limits look nothing up: there is nothing that could differ. What they answer depends on the numbers alone.
    let limits = limits(&clock());
    let answers = |account: &str, from| -> Vec<String> {
        (0..8).map(|_| format!("{:?}", now(limits.begin(account, from, None)).unwrap())).collect()
    };
    assert_eq!(answers(ADA, address(1)), answers("nobody@example.org", address(2)));
}

#[test]
fn when_the_store_is_out_logins_are_closed_and_nothing_is_charged() {
    #[derive(Debug)]
    struct Out;

    #[async_trait::async_trait]
    impl bartizan_rate_limit::LimitStore for Out {
        async fn charge(
            &self,
            _: &[bartizan_rate_limit::Ask<'_>],
        ) -> Result<Vec<bartizan_rate_limit::Charge>, bartizan_rate_limit::Error> {
            Err(ErrorKind::Unavailable.into())
        }

        async fn give_back(
            &self,
            _: &[(bartizan_rate_limit::Ask<'_>, bartizan_rate_limit::Charge)],
        ) -> Result<(), bartizan_rate_limit::Error> {
            Err(ErrorKind::Unavailable.into())
        }
    }

    let clock = clock();
    let shared = || {
        Arc::new(Limiter::shared(Arc::new(Out), memory(1_000, &clock), Arc::clone(&clock) as Arc<dyn Clock>))
    };
    let closed = LoginLimits::new(shared(), OnOutage::Closed);
    let error = now(closed.begin(ADA, address(1), None)).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let alone = LoginLimits::new(shared(), OnOutage::LocalFallback);
    assert_eq!((0..100).filter(|_| fails(&alone, ADA, address(1))).count(), 5);
}

#[test]
fn nobody_is_shown() {
    let clock = clock();
    let (limits, laptop) = (limits(&clock), device(&clock, "canary"));
    let login = now(limits.begin("canary", ip("192.0.2.99"), Some(&laptop))).unwrap();
    let shown = format!("{login:?} {limits:?} {laptop:?} {:?}", marks(&clock));
    assert!(!shown.contains("canary") && !shown.contains("192.0.2"), "{shown}");
}
