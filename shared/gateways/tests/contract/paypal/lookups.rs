//! What became of a charge: by PayPal's id, or not at all.

use super::*;
use crate::bench::by_ours;
use crate::contract::charging::unknown;
use fatura_domain::gateway::PendingAction;

#[tokio::test]
async fn a_charge_is_found_by_its_capture_or_its_order() {
    let order = order();
    let (taken, paid, waiting) =
        (capture(&order, "COMPLETED"), paid(&order), made(&order, "PAYER_ACTION_REQUIRED", &[]));
    let mut server = routed(move |asked| match asked.target.as_str() {
        "/v2/payments/captures/2GG279541U471931P" => say("200 OK", &taken),
        "/v2/checkout/orders/5O190127TN364715T" => say("200 OK", &paid),
        "/v2/checkout/orders/WAITING" => say("200 OK", &with(waiting.clone(), "/id", json!("WAITING"))),
        _ => say("404 Not Found", &problem("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")),
    })
    .await;
    let gateway = gateway(&server);
    let by_capture = theirs(&order, CAPTURE);
    assert_eq!(gateway.fetch_charge(&by_capture).await, approved(12_345));
    let asked = sent(&mut server).await;
    assert_eq!((asked.method.as_str(), asked.body.len()), ("GET", 0));
    // From then on the capture is what the charge is called.
    let by_order = theirs(&order, &format!("order/{ORDER}"));
    assert_eq!(gateway.fetch_charge(&by_order).await, approved(12_345));
    let action = PendingAction::RequiresAction { url: None };
    let waiting = ChargeOutcome::Pending { reference: named("order/WAITING"), action };
    assert_eq!(gateway.fetch_charge(&theirs(&order, "order/WAITING")).await, waiting);
    // Nothing can be voided, so what is asked for is how it stands.
    assert_eq!(gateway.cancel(&by_capture).await, approved(12_345));
    assert_eq!(gateway.cancel(&theirs(&order, "order/WAITING")).await, waiting);
    while server.unseen() > 0 {
        assert_eq!(server.next().await.method, "GET");
    }
}

/// Not Absent: with the credentials of another account every id is missing.
#[tokio::test]
async fn what_is_not_found_may_be_there() {
    let order = order();
    let server = server(say("404 Not Found", &problem("RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID"))).await;
    let gateway = gateway(&server);
    for id in [CAPTURE, "order/5O190127TN364715T"] {
        let lookup = theirs(&order, id);
        assert_eq!(unknown(&gateway.fetch_charge(&lookup).await), "not_found_by_reference");
        assert_eq!(unknown(&gateway.cancel(&lookup).await), "not_found_by_reference");
    }
    let asked = server.unseen();
    let ill = ["", "../captures", "order/", "order/../x", "order/a/b", "a b", "other/1"];
    for lookup in ill.map(|id| theirs(&order, id)).into_iter().chain([by_ours(&order)]) {
        assert_eq!(unknown(&gateway.fetch_charge(&lookup).await), "not_found_by_reference", "{lookup:?}");
    }
    assert_eq!(server.unseen(), asked, "nothing is asked that can't be found");
}

#[tokio::test]
async fn another_charge_is_not_believed() {
    let order = order();
    let stranger = super::order();
    for (told, code) in [
        (capture(&stranger, "COMPLETED"), "reference_mismatch"),
        (with(capture(&order, "COMPLETED"), "/id", json!("7TK53561YB803214S")), "contradictory_answer"),
        (with(capture(&order, "COMPLETED"), "/custom_id", Value::Null), "reference_mismatch"),
        (with(capture(&order, "COMPLETED"), "/status", json!("REVERSED")), "unreadable_answer"),
        (with(capture(&order, "COMPLETED"), "/amount/value", json!("0")), "contradictory_answer"),
    ] {
        let server = server(say("200 OK", &told)).await;
        assert_eq!(unknown(&gateway(&server).fetch_charge(&theirs(&order, CAPTURE)).await), code, "{told}");
    }
    let server = server(say("200 OK", &with(paid(&order), "/id", json!("OTHER")))).await;
    let outcome = gateway(&server).fetch_charge(&theirs(&order, &format!("order/{ORDER}"))).await;
    assert_eq!(unknown(&outcome), "contradictory_answer");
}

#[tokio::test]
async fn a_question_that_fails_says_nothing() {
    let lookup = theirs(&order(), CAPTURE);
    for act in [
        Act::Reset,
        Act::Silence,
        Act::Say(answer("500 Oops", "", "")),
        Act::Say(answer("401 Unauthorized", "", "{}")),
        Act::Say(answer("403 Forbidden", "", "{}")),
        Act::Say(answer("429 Too Many Requests", "", "{}")),
        Act::Say(answer("200 OK", "", "<html>")),
        Act::Say(answer("302 Found", "location: /\r\n", "{}")),
    ] {
        let server = server(act.clone()).await;
        let gateway = impatient(&server);
        unknown(&gateway.fetch_charge(&lookup).await);
        unknown(&gateway.cancel(&lookup).await);
        crate::contract::disputes::unclear(&gateway.fetch_dispute(&lookup).await);
    }
}
