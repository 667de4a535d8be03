//! Webhooks: kept before they are answered, and only hints.

use crate::world::{World, pix};
use fatura_domain::invoice::Status;
use serde_json::json;

#[tokio::test]
async fn a_webhook_settles_what_nobody_answered() {
    let world = World::start().await;
    let invoice = world.charged("tok_charged_no_answer").await;
    world.deliver().await;
    while world.invoice(invoice).await.status() != Status::Paid {
        assert!(world.deliver_webhooks().await.is_empty());
    }
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn before_the_answer_and_after_it_is_the_same() {
    let world = World::start().await;
    let invoice = world.charged("tok_webhook_first").await;
    let consume = world.deliver();
    let listen = async {
        while world.invoice(invoice).await.status() != Status::Paid {
            world.deliver_webhooks().await;
        }
    };
    tokio::join!(consume, listen);
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn pix_is_paid_by_webhook() {
    let world = World::start().await;
    let invoice = world.draft(pix()).await;
    world.charge(invoice).await.unwrap();
    world.deliver().await;
    let charge = world.journal(invoice).await[0]["id"].as_str().unwrap().to_owned();
    world.at_the_gateway(&format!("/charges/{charge}/pay"), json!({})).await;
    while world.invoice(invoice).await.status() != Status::Paid {
        world.deliver_webhooks().await;
    }
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn delivered_again_and_again_it_has_one_effect() {
    let world = World::start().await;
    let invoice = world.charged("tok_webhook_only").await;
    world.deliver().await;
    while world.invoice(invoice).await.status() != Status::Paid {
        world.deliver_webhooks().await;
    }
    let version = world.invoice(invoice).await.version;
    let charge = world.journal(invoice).await[0]["id"].clone();
    world
        .at_the_gateway("/webhooks/redeliver", json!({ "charge_id": charge, "times": 5, "reverse": true }))
        .await;
    assert!(world.webhooks.take().iter().all(|message| message.event_id.starts_with("evt_")));
    world.assert_paid_once(invoice).await;
    assert_eq!(world.invoice(invoice).await.version, version);
}

/// The queue is down: the gateway is told so, sends again, and nothing is lost or done twice.
#[tokio::test]
async fn what_could_not_be_queued_is_not_acknowledged() {
    let world = World::start().await;
    world.webhooks.set_down(true);
    let invoice = world.charged("tok_charged_500").await;
    world.deliver().await;
    let charge = world.journal(invoice).await[0]["id"].clone();
    let again = json!({ "charge_id": charge, "times": 1 });
    let told = world.at_the_gateway("/webhooks/redeliver", again.clone()).await;
    assert_eq!(told["data"][0]["delivery"]["status"], 503, "{told}");
    world.webhooks.set_down(false);
    let told = world.at_the_gateway("/webhooks/redeliver", again).await;
    assert_eq!(told["data"][0]["delivery"]["status"], 200, "{told}");
    world.deliver_webhooks().await;
    world.assert_paid_once(invoice).await;
}
