//! The suite of the seam: two nodes, each with a pool of its own, of one database; once listening, once only asking.

use std::{sync::Arc, time::Duration};

use bartizan_policy_postgres::Config;
use bartizan_rbac::conformance::Stores;

use crate::support::{Place, options, pool};

fn stores(configure: fn(Config) -> Config) -> Stores {
    let place = Arc::new(Place::new());
    let config = configure(place.config().poll_every(Duration::from_millis(50)).unwrap());
    let runtime = Arc::clone(&place.runtime);
    let store = || Arc::new(place.store_with(runtime.block_on(pool(options(), 8)), &config));
    let forgetful = store();
    let forgetting = Arc::clone(&runtime);
    Stores::new(store(), store(), Arc::clone(&place))
        .running(move |task| runtime.block_on(task))
        .forgetting(move || {
            forgetting.block_on(forgetful.trim(1)).unwrap();
        })
        // A server's time passes by itself.
        .passing(|| std::thread::sleep(Duration::from_millis(1)))
}

mod listening {
    bartizan_rbac::policy_store_conformance!(|| super::stores(|config| config));
}

mod asking {
    bartizan_rbac::policy_store_conformance!(|| super::stores(|config| config.without_listening()));
}
