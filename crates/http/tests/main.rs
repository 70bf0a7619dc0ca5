//! What a service gets from this crate: problems byte by byte, and outcomes told apart.
#![cfg(test)]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

#[path = "main/faulty.rs"]
mod faulty;
#[path = "main/guard.rs"]
mod guard;
#[path = "main/limits.rs"]
mod limits;
#[path = "main/logins.rs"]
mod logins;
#[path = "main/outcomes.rs"]
mod outcomes;
#[path = "main/problems.rs"]
mod problems;
#[path = "main/review.rs"]
mod review;
#[path = "main/review_login.rs"]
mod review_login;

/// Most of what these tests ask does not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("nothing to wait for"),
    }
}
