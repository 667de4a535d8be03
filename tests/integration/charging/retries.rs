//! What fails is tried again as its class says, and never blindly.

use crate::world::World;
use fatura_domain::charge::{AttemptOutcome, Phase};
use fatura_domain::invoice::Status;
use serde_json::json;

const DAY: i64 = 24 * 3_600;

#[tokio::test]
async fn insufficient_funds_are_tried_again_on_the_third_day() {
    let world = World::start().await;
    let invoice = world.charged("tok_declines_once").await;
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::ChargedWithError);
    world.pass(3 * DAY - 1);
    assert_eq!(world.sweep().await, 0);
    world.pass(1);
    assert_eq!(world.sweep().await, 1);
    world.deliver().await;
    world.assert_paid_once(invoice).await;
    let outcomes: Vec<_> = world
        .attempts(invoice)
        .await
        .into_iter()
        .map(|attempt| (attempt.id.number.0, attempt.outcome))
        .collect();
    assert!(
        matches!(outcomes.as_slice(), [(2, AttemptOutcome::Succeeded), (1, AttemptOutcome::Declined(_))]),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn charged_without_an_answer_is_found_by_asking() {
    let world = World::start().await;
    world.at_the_gateway("/control", json!({ "webhooks_off": true })).await;
    for token in ["tok_charged_no_answer", "tok_charged_500", "tok_charged_truncated", "tok_charged_html_200"]
    {
        let invoice = world.charged(token).await;
        assert!(world.deliver().await.is_empty(), "{token}");
        let live = world.invoice(invoice).await;
        assert!(
            matches!(live.state.live_attempt().unwrap().phase, Phase::Unknown { .. }),
            "{token}: {live:?}"
        );
        world.pass(59);
        assert_eq!(world.sweep().await, 0, "{token}");
        world.pass(1);
        assert_eq!(world.sweep().await, 1, "{token}");
        world.deliver().await;
        world.assert_paid_once(invoice).await;
    }
}

#[tokio::test]
async fn not_charged_without_an_answer_goes_out_again_under_the_same_key() {
    for token in ["tok_not_charged_500", "tok_not_charged_no_answer"] {
        let world = World::start().await;
        let invoice = world.charged(token).await;
        world.deliver().await;
        world.pass(60);
        assert_eq!(world.sweep().await, 1);
        // Asked: the gateway has no such charge. Sent again: the same trouble.
        world.deliver().await;
        world.deliver().await;
        let after = world.invoice(invoice).await;
        assert_eq!((after.status(), after.attempts.0), (Status::Pending, 1), "{token}");
        assert!(matches!(after.state.live_attempt().unwrap().phase, Phase::Unknown { .. }), "{token}");
        assert!(world.journal(invoice).await.is_empty(), "{token}");
    }
}

#[tokio::test]
async fn what_the_gateway_did_not_take_waits_and_goes_out_again() {
    let world = World::start().await;
    let invoice = world.charged("tok_429").await;
    world.deliver().await;
    for minutes in [5, 10, 20] {
        let waiting = world.invoice(invoice).await;
        assert!(matches!(waiting.state.live_attempt().unwrap().phase, Phase::NotSent { .. }));
        world.pass(minutes * 60 - 1);
        assert_eq!(world.sweep().await, 0, "after {minutes} minutes");
        // Up to a tenth later, so that not everybody comes at once.
        world.pass(minutes * 6 + 1);
        assert_eq!(world.sweep().await, 1, "after {minutes} minutes");
        world.deliver().await;
    }
    assert_eq!(world.invoice(invoice).await.attempts.0, 1);
}
