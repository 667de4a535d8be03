//! What other systems are told.

use crate::aws::Listener;
use crate::client::{shared, unique};
use serde_json::Value;
use std::collections::HashSet;
use tokio::time::Instant;

#[tokio::test]
async fn each_step_of_an_invoice_is_told_once() {
    let (shop, _stack) = shared().await;
    let listener = Listener::to_all_events(&unique("listener")).await;
    let invoice = shop.charged("tok_visa").await;
    shop.until_status(&invoice, "paid").await;

    let mut told = Vec::new();
    let deadline = Instant::now() + Listener::PATIENCE;
    while told.len() < 3 {
        assert!(Instant::now() < deadline, "told only {told:?}");
        for body in listener.hear().await {
            let event: Value = serde_json::from_str(&body).unwrap();
            if event["detail"]["data"]["invoice_id"] == invoice.as_str() {
                assert_eq!(event["detail-type"], event["detail"]["type"]);
                assert_eq!(event["detail"]["schema_version"], 1);
                assert_eq!(event["detail"]["data"]["total"]["amount"], "122.05");
                told.push((event["detail"]["type"].clone(), event["detail"]["id"].clone()));
            }
        }
    }
    let kinds: HashSet<_> = told.iter().map(|(kind, _)| kind.as_str().unwrap()).collect();
    assert_eq!(kinds, HashSet::from(["invoice.created", "invoice.charging", "invoice.paid"]));
    let ids: HashSet<_> = told.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), told.len(), "no event twice");
}
