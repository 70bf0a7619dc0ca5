//! Nothing that a peer, a table row or a crowd can say takes more than was allowed.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use bartizan_core::Fault;
use bartizan_passwords::{ErrorKind, Params, Passwords, Verification};
use bartizan_testkit::SeededEntropy;

use crate::{hash_with, passwords, secret, weak};

#[test]
fn a_budget_that_holds_no_operation_is_refused_at_the_start() {
    let new = |budget| Passwords::new(weak(), budget, Arc::new(SeededEntropy::new(1)));
    assert!(new(64 * 1024).is_ok());
    let error = new(64 * 1024 - 1).unwrap_err();
    assert_eq!((error.kind(), error.fault()), (ErrorKind::Budget, Fault::Caller));
}

#[test]
fn a_costly_stored_hash_is_refused_before_any_memory_is_taken() {
    let passwords = passwords(weak()).accepting_at_most(Params::danger_weak(1_024, 4, 2).unwrap()).unwrap();
    let password = secret("right");
    for (memory_kib, passes, lanes) in
        [(1_025, 1, 1), (64, 5, 1), (64, 1, 3), (4_194_304, 64, 64), (4_194_304, 1, 1)]
    {
        let error = passwords.verify(&password, Some(&hash_with(memory_kib, passes, lanes))).unwrap_err();
        assert_eq!((error.kind(), error.fault()), (ErrorKind::TooCostly, Fault::Integrity));
        assert!(!error.is_transient());
    }
    assert_eq!(passwords.blocks_computed(), 0);
    assert_eq!(passwords.verify(&password, Some(&hash_with(1_024, 4, 2))).unwrap(), Verification::Mismatch);
}

#[test]
fn a_stored_hash_that_never_fits_the_budget_is_costly_and_not_busy() {
    let passwords = Passwords::new(weak(), 1 << 20, Arc::new(SeededEntropy::new(1))).unwrap();
    let error = passwords.verify(&secret("right"), Some(&hash_with(1_025, 1, 1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooCostly);
    assert!(passwords.verify(&secret("right"), Some(&hash_with(1_024, 1, 1))).is_ok());
}

#[test]
fn what_is_hashed_here_is_never_too_costly_here() {
    let strong = Params::danger_weak(128, 20, 1).unwrap();
    let passwords = passwords(strong).accepting_at_most(weak()).unwrap();
    let stored = passwords.hash(&secret("right")).unwrap();
    assert!(matches!(passwords.verify(&secret("right"), Some(&stored)).unwrap(), Verification::Match { .. }));
}

#[test]
fn asvs_15_2_2_a_crowd_gets_its_answer_or_busy_and_the_next_one_is_served() {
    const CROWD: usize = 200;
    // Room for two operations of 1 MiB.
    let params = Params::danger_weak(1_024, 2, 1).unwrap();
    let passwords = Passwords::new(params, 2 << 20, Arc::new(SeededEntropy::new(1))).unwrap();
    let stored = passwords.hash(&secret("right")).unwrap();
    let (barrier, served) = (Barrier::new(CROWD), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for one in 0..CROWD {
            let (passwords, stored, barrier, served) = (&passwords, &stored, &barrier, &served);
            scope.spawn(move || {
                barrier.wait();
                let is_right = one % 2 == 0;
                let known = if one % 3 == 0 { None } else { Some(stored) };
                match passwords.verify(&secret(if is_right { "right" } else { "wrong" }), known) {
                    Ok(Verification::Match { .. }) => {
                        assert!(is_right && known.is_some());
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(Verification::Mismatch) => {
                        assert!(!is_right || known.is_none());
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        assert_eq!((error.kind(), error.fault()), (ErrorKind::Busy, Fault::Busy));
                        assert!(error.is_transient());
                    }
                }
            });
        }
    });
    assert!(served.into_inner() >= 1);
    assert!(passwords.verify(&secret("right"), Some(&stored)).is_ok());
}
