//! The demonstration passes on a clinic as it should be, and notices every guard that is broken; the clinic itself withstands
//! what clients send and operators do.
#![cfg(test)]

mod broken;
mod endpoints;
mod here;
mod lifecycle;
mod logins;
mod policy;
mod records;
mod site;
mod stores;

use clinic::{Wiring, demo};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_road_passes() {
    let mut told = Vec::new();
    let steps = demo::run(Wiring::default(), &mut told).await.unwrap();
    let told = String::from_utf8(told).unwrap();
    assert_eq!(steps, told.matches('✓').count());
    assert_eq!((steps, told.matches(" proves ").count()), (27, 27));
}
