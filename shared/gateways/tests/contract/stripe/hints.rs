//! What Stripe's webhooks are about, and signatures in all their spellings.

use super::{StripeBench, card, event, signature};
use crate::bench::{Bench, PREVIOUS_WEBHOOK_SECRET, WEBHOOK_SECRET, request};
use fatura_application::ports::{ChargeLookup, WebhookDelivery, WebhookRefusal, WebhookSubject};
use fatura_domain::Timestamp;
use fatura_domain::gateway::GatewayReference;
use fatura_domain::id::RefundId;
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000;

#[tokio::test]
async fn an_event_is_about_its_object() {
    let gateway = StripeBench::start().await.gateway();
    let order = request(card("pm_visa"));
    let metadata = json!({ "attempt": order.attempt, "invoice": order.invoice() });
    let refund = RefundId::new(order.invoice().owner(), Timestamp::now(), 7);
    let charge = |reference: Option<&str>| {
        let reference = reference.map(|id| GatewayReference(id.to_owned()));
        Some(WebhookSubject::Charge(ChargeLookup { attempt: order.attempt, reference }))
    };
    let intent = json!({ "id": "pi_1", "object": "payment_intent", "metadata": metadata });
    let of = |object: &Value, field: &str, value: Value| {
        let mut object = object.clone();
        object[field] = value;
        object
    };
    let told = json!({ "id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": metadata });
    let back = json!({ "id": "re_1", "object": "refund", "payment_intent": "pi_1", "metadata": { "refund": refund } });
    let case = json!({ "id": "du_1", "object": "dispute", "payment_intent": "pi_1", "metadata": {} });
    let unresolved = Some(WebhookSubject::Unresolved(GatewayReference("dispute/pi_1".to_owned())));
    for (kind, object, expected) in [
        ("payment_intent.succeeded", intent.clone(), charge(Some("pi_1"))),
        ("payment_intent.payment_failed", intent.clone(), charge(Some("pi_1"))),
        ("payment_intent.canceled", intent.clone(), charge(Some("pi_1"))),
        ("payment_intent.processing", intent.clone(), charge(Some("pi_1"))),
        ("payment_intent.requires_action", intent.clone(), charge(Some("pi_1"))),
        ("charge.refunded", told.clone(), charge(Some("pi_1"))),
        ("charge.failed", of(&told, "payment_intent", Value::Null), charge(None)),
        ("refund.created", back.clone(), Some(WebhookSubject::Refund(refund))),
        ("refund.updated", back.clone(), Some(WebhookSubject::Refund(refund))),
        ("charge.refund.updated", back.clone(), Some(WebhookSubject::Refund(refund))),
        ("charge.dispute.created", case.clone(), unresolved.clone()),
        ("charge.dispute.closed", case.clone(), unresolved.clone()),
        ("charge.dispute.funds_withdrawn", case.clone(), unresolved),
        // Nothing of ours.
        ("charge.dispute.created", of(&case, "payment_intent", Value::Null), None),
        ("charge.dispute.created", of(&case, "payment_intent", json!("../x")), None),
        ("payment_intent.succeeded", of(&intent, "metadata", json!({})), None),
        ("payment_intent.succeeded", of(&intent, "metadata", json!({ "attempt": "att_x" })), None),
        ("payment_intent.succeeded", of(&intent, "metadata", Value::Null), None),
        ("refund.created", of(&back, "metadata", json!({ "refund": "x" })), None),
        ("customer.created", json!({ "id": "cus_1", "object": "customer", "metadata": metadata }), None),
        ("new.kind", json!({ "surprise": 1 }), None),
        ("new.kind", Value::Null, None),
        ("v2.core.event", json!("x"), None),
    ] {
        let hint = gateway.parse_webhook(event("evt_1", kind, &object).as_bytes()).unwrap();
        assert_eq!((hint.event_id.as_str(), hint.kind.as_str()), ("evt_1", kind));
        assert_eq!(hint.subject, expected, "{kind} {object}");
    }
    for (id, kind) in [("", "a"), ("../x", "a"), ("evt_1", ""), ("evt_1", &*"a".repeat(101))] {
        assert!(gateway.parse_webhook(event(id, kind, &intent).as_bytes()).is_err(), "{id} {kind}");
    }
}

#[tokio::test]
async fn a_signature_is_read_strictly() {
    let gateway = StripeBench::start().await.gateway();
    let body = r#"{"id":"evt_1"}"#;
    let by = |secret: &str| signature(body, secret, NOW);
    let (current, previous) = (by(WEBHOOK_SECRET), by(PREVIOUS_WEBHOOK_SECRET));
    let wrong = by("whsec_wrong");
    let good = format!("t={NOW},v1={current}");
    let bad = Err(WebhookRefusal::BadSignature);
    for (headers, expected) in [
        (vec![("stripe-signature", good.clone())], Ok(())),
        (vec![("stripe-signature", format!("t={NOW},v1={wrong},v1={previous},v0={wrong}"))], Ok(())),
        (vec![("stripe-signature", format!("t={NOW},v0={current}"))], bad.clone()),
        (vec![("stripe-signature", format!("t={NOW},v1={wrong}"))], bad.clone()),
        (vec![("stripe-signature", format!("v1={current}"))], bad.clone()),
        (vec![("stripe-signature", format!("t={},v1={current}", NOW + 1))], bad.clone()),
        (vec![("stripe-signature", good.clone()), ("stripe-signature", good.clone())], bad.clone()),
        (vec![("sandbox-signature", good)], bad.clone()),
        (vec![], bad),
    ] {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let delivery = WebhookDelivery { body: body.as_bytes().to_vec(), headers, query: Vec::new() };
        let now = Timestamp::from_second(NOW).unwrap();
        assert_eq!(gateway.verify_webhook(&delivery, now).await, expected, "{:?}", delivery.headers);
        let late = gateway.verify_webhook(&delivery, Timestamp::from_second(NOW + 301).unwrap()).await;
        assert_eq!(late, expected.and(Err(WebhookRefusal::Stale)));
    }
}
