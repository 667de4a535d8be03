//! Never more than was paid, however many ask at once, and never after the last second.

use crate::books::accounts;
use crate::world::World;
use fatura_application::Error;
use fatura_domain::SignedDuration;
use fatura_domain::invoice::Status;
use futures::future::join_all;

const WEEK: i64 = 7 * 24 * 3_600;

#[tokio::test]
async fn fifty_at_once_get_back_what_fits_and_not_a_cent_more() {
    let world = World::start().await;
    let invoice = world.paid().await;
    world.pass(1);
    let replies = join_all((0..50).map(|_| world.refund(invoice, "5.00"))).await;
    let (granted, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(Result::is_ok);
    // 24 × 5.00 = 120.00 of 122.05.
    assert_eq!((granted.len(), refused.len()), (24, 26));
    let told: Vec<_> = refused.into_iter().map(Result::unwrap_err).collect();
    assert!(told.iter().all(|error| matches!(error, Error::Invalid(_))), "each knows why: {told:?}");
    world.drain().await;

    let after = world.invoice(invoice).await;
    assert_eq!((after.status(), after.amount_refunded().to_string()), (Status::Paid, "120.00".to_owned()));
    assert_eq!(world.journal(invoice).await[0]["refunded_minor"], 12_000);
    assert_eq!(world.refunds(invoice).await.len(), 24, "none is lost");
    assert_eq!(world.truth("/refunds").await.len(), 24);
    assert!(world.refund(invoice, "2.06").await.is_err());
    world.refund(invoice, "2.05").await.unwrap();
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Refunded);
    assert_eq!(world.balances(invoice).await, accounts([]));
}

#[tokio::test]
async fn what_the_gateway_refuses_is_free_to_be_asked_for_again() {
    let world = World::start().await;
    let invoice = world.paid().await;
    world.at_the_gateway("/control", serde_json::json!({ "refund_outcome": "failed" })).await;
    world.refund(invoice, "122.05").await.unwrap();
    assert!(world.refund(invoice, "0.01").await.is_err(), "all of it is on its way");
    world.drain().await;
    world.at_the_gateway("/control", serde_json::json!({ "refund_outcome": "succeeded" })).await;
    world.refund(invoice, "122.05").await.unwrap();
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.status(), Status::Refunded);
    assert_eq!(world.journal(invoice).await[0]["refunded_minor"], 12_205);
}

#[tokio::test]
async fn the_last_second_of_the_seventh_day() {
    let world = World::start().await;
    let invoice = world.paid().await;
    world.pass(WEEK - 1);
    world.refund(invoice, "1.00").await.expect("6 d 23:59:59 after the payment");
    world.pass(1);
    world.refund(invoice, "1.00").await.expect("seven days to the millisecond");
    world.clock.advance(SignedDuration::from_millis(1));
    for seconds in [0, 1, WEEK] {
        world.pass(seconds);
        let refused = world.refund(invoice, "1.00").await;
        let Err(Error::FailedPrecondition { detail, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(detail, "the time for refunds ended at 2026-11-09T12:00:00Z");
    }
    world.drain().await;
    assert_eq!(world.invoice(invoice).await.amount_refunded().to_string(), "2.00", "asked for in time");
}

#[tokio::test]
async fn the_week_begins_with_the_payment_and_not_with_the_invoice() {
    let world = World::start().await;
    let invoice = world.charged("tok_declines_once").await;
    world.drain().await;
    world.meet_next_due(invoice).await;
    world.assert_paid_once(invoice).await;
    world.pass(WEEK - 1);
    world.refund(invoice, "1.00").await.expect("paid three days after it was first charged");
    world.pass(2);
    assert!(world.refund(invoice, "1.00").await.is_err());
}
