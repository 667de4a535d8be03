//! What the sandbox's webhooks are about.

use super::{SandboxBench, card};
use crate::bench::{Bench, by_ours, request};
use crate::contract::charging::approved;
use crate::scripted::Scripted;
use fatura_application::ports::{ChargeLookup, Gateway, WebhookDelivery, WebhookHint, WebhookSubject};
use fatura_domain::Timestamp;
use fatura_domain::gateway::{DisputeVerdict, RefundRequest};
use fatura_domain::id::RefundId;
use serde_json::json;

/// The next delivery, which must be genuine.
async fn hint(gateway: &dyn Gateway, target: &mut Scripted) -> WebhookHint {
    let sent = target.next().await;
    let delivery = WebhookDelivery { body: sent.body, headers: sent.headers, query: Vec::new() };
    assert_eq!(gateway.verify_webhook(&delivery, Timestamp::now()).await, Ok(()));
    gateway.parse_webhook(&delivery.body).unwrap()
}

#[tokio::test]
async fn what_the_sandbox_signs_is_verified_and_understood() {
    let mut target = Scripted::answering("200 OK", "", "").await;
    let bench = SandboxBench::telling(Some(target.url.clone())).await;
    let (gateway, order) = (bench.gateway(), request(card("tok_visa")));
    let reference = approved(&gateway.charge(&order).await, &order);
    let lookup = ChargeLookup { reference: Some(reference.clone()), ..by_ours(&order) };
    let captured = hint(&*gateway, &mut target).await;
    assert_eq!(captured.kind, "charge.captured");
    assert_eq!(captured.subject, Some(WebhookSubject::Charge(lookup.clone())));

    let refund = RefundId::new(order.invoice().owner(), Timestamp::now(), 7);
    gateway.refund(&RefundRequest { refund, charge: reference.clone(), amount: order.amount }).await;
    let refunded = hint(&*gateway, &mut target).await;
    assert_eq!(refunded.kind, "refund.succeeded");
    assert_eq!(refunded.subject, Some(WebhookSubject::Refund(refund)));

    for (verdict, kind) in [
        (DisputeVerdict::Open, "dispute.opened"),
        (DisputeVerdict::Lost, "dispute.lost"),
        (DisputeVerdict::Won, "dispute.reinstated"),
    ] {
        bench.dispute(&reference, verdict).await;
        let disputed = hint(&*gateway, &mut target).await;
        assert_eq!(disputed.kind, kind);
        assert_eq!(disputed.subject, Some(WebhookSubject::Dispute(lookup.clone())));
    }
}

#[tokio::test]
async fn an_event_is_about_what_its_type_says_if_that_is_ours() {
    let gateway = SandboxBench::start().await.gateway();
    let order = request(card("tok_visa"));
    let refund = RefundId::new(order.invoice().owner(), Timestamp::now(), 7);
    let charge = WebhookSubject::Charge(by_ours(&order));
    let dispute = WebhookSubject::Dispute(by_ours(&order));
    let theirs = json!("somebody else's");
    let ours = json!(order.attempt);
    for (kind, reference, refund_reference, subject) in [
        ("refund.succeeded", &ours, json!(refund), Some(WebhookSubject::Refund(refund))),
        // Enough to find it: the refund knows its charge.
        ("refund.failed", &theirs, json!(refund), Some(WebhookSubject::Refund(refund))),
        ("refund.failed", &ours, theirs.clone(), Some(charge.clone())),
        ("refund.failed", &ours, json!(null), Some(charge.clone())),
        ("refund.failed", &theirs, theirs.clone(), None),
        ("dispute.opened", &ours, json!(refund), Some(dispute.clone())),
        ("dispute.of_a_kind_yet_unknown", &ours, json!(null), Some(dispute)),
        ("dispute.opened", &theirs, json!(null), None),
        ("charge.captured", &ours, json!(refund), Some(charge.clone())),
        ("disputes", &ours, json!(null), Some(charge)),
    ] {
        let data = json!({ "reference": reference, "refund_reference": refund_reference });
        let body = json!({ "id": "evt_1", "type": kind, "data": data }).to_string();
        assert_eq!(gateway.parse_webhook(body.as_bytes()).unwrap().subject, subject, "{body}");
    }
}

#[tokio::test]
async fn events_about_nothing_of_ours_are_kept_without_a_charge() {
    let gateway = SandboxBench::start().await.gateway();
    for data in [json!(null), json!({}), json!({ "charge_id": "ch_1", "reference": "somebody else's" })] {
        let body = json!({ "id": "evt_1", "type": "payout.paid", "data": data }).to_string();
        let hint = gateway.parse_webhook(body.as_bytes()).unwrap();
        assert_eq!((hint.kind.as_str(), hint.subject), ("payout.paid", None));
    }
    for id in [String::new(), "a/b".to_owned(), "é".to_owned(), "e".repeat(101)] {
        let body = json!({ "id": id, "type": "payout.paid" }).to_string();
        assert!(gateway.parse_webhook(body.as_bytes()).is_err(), "{id}");
    }
}
