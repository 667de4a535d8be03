//! The whole REST API, as Lambda hands it requests: for each operation of the OpenAPI document one that is valid, and whatever
//! becomes of it.

mod document;

use super::{Subject, Target};
use crate::request::Written;
use crate::world::{Answer, World};
use serde_json::Value;

pub(super) const TARGET: Target =
    Target { seeds: document::seeds, ..Target::in_world("router", 600, document::words, open) };

/// Exports and full pages are the largest.
const LARGEST_ANSWER: usize = 1 << 20;

fn open() -> Subject {
    let world = World::open();
    Subject::new(move |input| {
        let written = Written::read(&world.filled(input));
        if let Some(answer) = world.block_on(world.answer(&written)) {
            check(&answer);
            let is_documented = document::says(&written.method, &answer.path, answer.status);
            assert!(is_documented, "{} {} answers {}", written.method, answer.path, answer.status);
        }
        // They are not what is looked at, and each is small; many would count as memory.
        drop((world.charges.take(), world.deliveries.take()));
    })
}

/// The fault is the sender's or there is none, and it is told as every fault is.
pub(super) fn check(answer: &Answer) {
    let text = String::from_utf8_lossy(&answer.body);
    assert!(answer.status < 500, "{}: {text}", answer.status);
    assert!(answer.body.len() <= LARGEST_ANSWER, "an answer of {} bytes", answer.body.len());
    let id = answer.headers["x-request-id"].to_str().unwrap();
    if answer.status >= 400 {
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], answer.status);
        assert_eq!(problem["request_id"], id);
        assert!(problem["code"].is_string() && problem["message"] == problem["detail"], "{text}");
    }
}
