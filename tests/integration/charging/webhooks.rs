//! Webhooks: kept before they are answered, and only hints.

use crate::world::{World, pix};
use fatura_application::ProcessError;
use fatura_application::ports::WebhookMessage;
use fatura_domain::attention::AttentionKind;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::gateway::{ChargeOutcome, GatewayReference};
use fatura_domain::id::InvoiceId;
use fatura_domain::invoice::Status;
use serde_json::json;
use std::time::Duration;

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

/// A webhook of the gateway's about an invoice that still waits, as it lies in the queue.
async fn waiting(world: &World) -> (InvoiceId, WebhookMessage) {
    let invoice = world.charged("tok_webhook_only").await;
    world.deliver().await;
    for _ in 0..500 {
        if let Some(message) = world.webhooks.take().into_iter().next() {
            return (invoice, message);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no webhook came");
}

#[tokio::test]
async fn what_the_gateway_tells_otherwise_is_for_a_person_and_moves_nothing() {
    for code in ["reference_mismatch", "amount_mismatch", "contradictory_answer"] {
        let world = World::start().await;
        let (invoice, message) = waiting(&world).await;
        let before = world.invoice(invoice).await;
        let failure = Failure::new(FailureClass::Unknown, code, "ch_9 is the charge of another attempt");
        world.gateway.tell(ChargeOutcome::Unknown { failure });
        world.app.process_webhook(&message).await.unwrap();
        assert_eq!(world.invoice(invoice).await, before, "{code}");
        let [matter] = world.matters().await.try_into().unwrap();
        assert_eq!((matter.kind, matter.invoice), (AttentionKind::WebhookMismatch, Some(invoice)));
        assert!(matter.detail.ends_with("ch_9 is the charge of another attempt"), "{}", matter.detail);
        // Delivered again, it is one matter.
        world.app.process_webhook(&message).await.unwrap();
        assert_eq!(world.matters().await, [matter]);
    }
}

#[tokio::test]
async fn a_gateway_that_is_silent_about_its_webhook_is_asked_again() {
    let world = World::start().await;
    let (_, message) = waiting(&world).await;
    let failure = Failure::new(FailureClass::Unknown, "timeout", "no answer in time");
    world.gateway.tell(ChargeOutcome::Unknown { failure });
    let silent = world.app.process_webhook(&message).await;
    assert!(matches!(silent, Err(ProcessError::GatewaySilent)), "{silent:?}");
    assert!(world.matters().await.is_empty());
}

#[tokio::test]
async fn money_for_an_invoice_that_is_not_there_is_for_a_person() {
    let world = World::start().await;
    let (invoice, message) = waiting(&world).await;
    let elsewhere = World::start().await;
    let event =
        world.app.records.webhooks.webhook(&message.gateway, &message.event_id).await.unwrap().unwrap();
    elsewhere.app.records.webhooks.record(&event).await.unwrap();
    let (captured, reference) = (world.invoice(invoice).await.total, GatewayReference("ch_9".to_owned()));
    elsewhere.gateway.tell(ChargeOutcome::Approved { reference, captured });
    elsewhere.app.process_webhook(&message).await.unwrap();
    let [matter] = elsewhere.matters().await.try_into().unwrap();
    assert_eq!(
        (matter.kind, matter.invoice, matter.amount),
        (AttentionKind::WebhookMismatch, None, Some(captured))
    );
}
