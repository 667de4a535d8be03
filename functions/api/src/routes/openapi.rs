use super::{JSON, Route};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::get("/openapi.json", document)]
}

/// A file a resource, with its paths and its schemas. The first has what they share,
/// the last leads from what an operation made to what may be done with it.
const PARTS: &[&str] = &[
    include_str!("../../openapi/common.json"),
    include_str!("../../openapi/customers.json"),
    include_str!("../../openapi/notifications.json"),
    include_str!("../../openapi/payment_methods.json"),
    include_str!("../../openapi/invoices.json"),
    include_str!("../../openapi/refunds.json"),
    include_str!("../../openapi/disputes.json"),
    include_str!("../../openapi/transactions.json"),
    include_str!("../../openapi/wallet.json"),
    include_str!("../../openapi/orders.json"),
    include_str!("../../openapi/payments.json"),
    include_str!("../../openapi/fees.json"),
    include_str!("../../openapi/ledger.json"),
    include_str!("../../openapi/bills.json"),
    include_str!("../../openapi/gateways.json"),
    include_str!("../../openapi/dunning.json"),
    include_str!("../../openapi/risk.json"),
    include_str!("../../openapi/attention.json"),
    include_str!("../../openapi/runs.json"),
    include_str!("../../openapi/webhook_endpoints.json"),
    include_str!("../../openapi/api_keys.json"),
    include_str!("../../openapi/auth.json"),
    include_str!("../../openapi/services.json"),
    include_str!("../../openapi/links.json"),
];

/// Put together when somebody asks for it: starting up pays nothing for it.
async fn document() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let text = DOCUMENT.get_or_init(|| joined(PARTS).to_string());
    ([(header::CONTENT_TYPE, JSON)], text.as_str()).into_response()
}

/// Objects are merged member by member, everything else is in one part only.
fn joined(parts: &[&str]) -> Value {
    let mut whole = json!({});
    for part in parts {
        merge(&mut whole, serde_json::from_str(part).unwrap_or_default());
    }
    whole
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => merge_members(into, from),
        (into, from) => *into = from,
    }
}

fn merge_members(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (name, value) in from {
        merge(into.entry(name).or_insert(Value::Null), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_says_again_what_another_says() {
        let leaves = |value: &Value| count(value);
        let parts: Vec<Value> = PARTS.iter().map(|part| serde_json::from_str(part).unwrap()).collect();
        assert_eq!(leaves(&joined(PARTS)), parts.iter().map(leaves).sum::<usize>());
    }

    fn count(value: &Value) -> usize {
        match value {
            Value::Object(members) => members.values().map(count).sum(),
            _ => 1,
        }
    }
}
