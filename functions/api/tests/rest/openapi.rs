//! The document and the router can't drift apart: each is walked and looked for in the other.

use crate::world::{World, attempt_of, contract};
use api::problem::Code;
use fatura_application::DifferenceKind;
use fatura_domain::attention::AttentionKind;
use fatura_domain::bill::{BillStatus, LineKind, Recurs};
use fatura_domain::charge::FailureClass;
use fatura_domain::dispute::ContestReason;
use fatura_domain::exchange::RateSource;
use fatura_domain::invoice::Status;
use fatura_domain::ledger::TransactionKind;
use fatura_domain::notice::NoticeKind;
use fatura_domain::webhook_endpoint::DeliveryState;
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const NOWHERE: &str = "bill_0000000000000000000000000000";
const NO_ENDPOINT: &str = "we_0000000000000000";

fn documented() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = contract().document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

#[test]
fn every_route_is_documented_and_every_operation_is_routed() {
    let routed: BTreeSet<_> = api::operations().into_iter().chain(auth::OPERATIONS).collect();
    let described: BTreeSet<_> = documented().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(routed, described);
    let ids: BTreeSet<_> =
        documented().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), described.len(), "operation ids are unique");
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let world = World::new().await;
    for (method, path, operation) in documented() {
        let concrete =
            path.replace("{id}", "cus_000000000000").replace("{pm}", "x").replace("{account}", "bank");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let open = operation["security"] == json!([]);
        let anonymous = http::Request::builder().method(method.clone()).uri(&concrete);
        let answer = world.send(anonymous, None).await;
        assert_eq!(answer.status == 401, !open, "{method} {path} and who may call it");
        let answer = world.send(world.request(method.clone(), &concrete), None).await;
        assert!(!matches!(answer.status, 401 | 405), "{method} {path}");

        // What the document says of parameters is what the operation has.
        let placeholders = path.matches('{').count();
        let parameters: Vec<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|p| contract().resolved(p))
            .collect();
        let of = |place: &str| parameters.iter().filter(|p| p["in"] == place).count();
        assert_eq!(of("path"), placeholders, "{method} {path}");
        if of("query") > 0 {
            let query: Vec<_> = parameters.iter().filter(|p| p["in"] == "query").collect();
            let names: Vec<_> =
                query.iter().map(|p| format!("{}=%01", p["name"].as_str().unwrap())).collect();
            let answer = world.get(&format!("{concrete}?{}&undocumented=1", names.join("&"))).await;
            if answer.status == 422 {
                let unknown: Vec<_> =
                    answer.faults().into_iter().filter(|f| f.contains("is not a parameter")).collect();
                assert_eq!(unknown, ["undocumented is not a parameter of this request"], "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn every_documented_member_is_one() {
    let world = World::new().await;
    let customer = world.customer().await;
    let invoice = world.invoice(&customer).await;
    let methods = format!("/v1/customers/{customer}/payment-methods");
    for (name, method, path) in [
        ("NewCustomerInput", Method::POST, "/v1/customers".to_owned()),
        ("PasswordInput", Method::PUT, format!("/v1/customers/{customer}/password")),
        ("SignInInput", Method::POST, "/v1/auth".to_owned()),
        ("RefreshTokenInput", Method::POST, "/v1/auth/refresh".to_owned()),
        ("CustomerInput", Method::PUT, format!("/v1/customers/{customer}")),
        ("NotificationsInput", Method::PUT, format!("/v1/customers/{customer}/notifications")),
        ("CardInput", Method::POST, methods.clone()),
        ("PixInput", Method::POST, methods.clone()),
        ("InvoiceInput", Method::POST, "/v1/invoices".to_owned()),
        ("InvoiceAmendment", Method::PATCH, format!("/v1/invoices/{invoice}")),
        ("ChargeInput", Method::POST, format!("/v1/invoices/{invoice}/charge")),
        ("ContestInput", Method::POST, format!("/v1/invoices/{invoice}/contest")),
        ("BillInput", Method::POST, "/v1/bills".to_owned()),
        ("BillLineItemInput", Method::POST, format!("/v1/bills/{NOWHERE}/line-items")),
        ("BillLineItemsInput", Method::POST, format!("/v1/bills/{NOWHERE}/line-items:batch")),
        ("CloseInput", Method::POST, "/v1/attention/atn_1/close".to_owned()),
        ("ResolutionInput", Method::POST, format!("/v1/attempts/{}/resolve", attempt_of(&invoice, 1))),
        ("BillingRunInput", Method::POST, "/v1/billing-runs".to_owned()),
        ("RequeueInput", Method::POST, "/v1/requeues".to_owned()),
        ("ReconciliationInput", Method::POST, "/v1/reconciliations".to_owned()),
        ("DunningPolicyInput", Method::PUT, "/v1/dunning-policy".to_owned()),
        ("TokenInput", Method::PUT, format!("{methods}/pm_0000000000000000000000000000/tokens/sandbox")),
        ("GatewayInput", Method::PUT, "/v1/gateways/sandbox".to_owned()),
        ("GatewayRoutingInput", Method::PUT, "/v1/gateway-routing".to_owned()),
        ("RiskInput", Method::POST, "/v1/risk".to_owned()),
        ("RiskRulesInput", Method::PUT, "/v1/risk-rules".to_owned()),
        ("ReviewInput", Method::POST, format!("/v1/invoices/{invoice}/review")),
        ("WalletMovementInput", Method::POST, format!("/v1/wallet/{customer}/credit")),
        ("WalletMovementInput", Method::POST, format!("/v1/wallet/{customer}/debit")),
        ("WalletTransferInput", Method::POST, format!("/v1/wallet/{customer}/transfer")),
        ("OrderInput", Method::POST, "/v1/orders".to_owned()),
        ("PaymentInput", Method::POST, "/v1/payments".to_owned()),
        ("FeesInput", Method::PUT, "/v1/fees".to_owned()),
        ("FeesInput", Method::PUT, format!("/v1/customers/{customer}/fees")),
        ("JournalInput", Method::POST, "/v1/ledger".to_owned()),
        ("VerifyInput", Method::POST, "/v1/ledger/verify".to_owned()),
        ("WebhookEndpointInput", Method::POST, "/v1/webhook-endpoints".to_owned()),
        ("WebhookEndpointAmendment", Method::PATCH, format!("/v1/webhook-endpoints/{NO_ENDPOINT}")),
        ("WebhookRotationInput", Method::POST, format!("/v1/webhook-endpoints/{NO_ENDPOINT}/rotate-secret")),
        ("WebhookReplayInput", Method::POST, format!("/v1/webhook-endpoints/{NO_ENDPOINT}/replay")),
        ("ApiKeyInput", Method::POST, "/v1/api-keys".to_owned()),
    ] {
        let schema = &contract().document["components"]["schemas"][name];
        // A list is never right for a single value, nor an empty one for items, nor a number for routing and risk rules,
        // whose lists may be empty: all of them are refused, none as unknown.
        let has_lists_alone = matches!(name, "GatewayRoutingInput" | "RiskRulesInput");
        let wrong = if has_lists_alone { json!(7) } else { json!([]) };
        let properties = schema["properties"].as_object().unwrap();
        let mut body: Map<_, _> = properties.keys().map(|name| (name.clone(), wrong.clone())).collect();
        if let Some(kind) = schema["properties"]["type"]["const"].as_str() {
            body.insert("type".to_owned(), kind.into());
        }
        let request = world.request(method, &path).header("Idempotency-Key", "k");
        let faults = world.send(request, Some(body.into())).await.faults();
        assert!(!faults.iter().any(|fault| fault.contains("is not a member")), "{path}: {faults:?}");
        let required = schema["required"].as_array().unwrap();
        let named = |name: &Value| faults.iter().any(|f| f.starts_with(name.as_str().unwrap()));
        assert!(required.iter().all(|name| name == "type" || named(name)), "{path}: {faults:?}");
    }
}

#[test]
fn every_code_is_documented() {
    let schemas = &contract().document["components"]["schemas"];
    let documented: BTreeSet<_> =
        schemas["ErrorCode"]["enum"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert_eq!(Code::ALL.iter().map(|code| code.as_str()).collect::<BTreeSet<_>>(), documented);
    let words =
        |name: &str| -> Vec<String> { serde_json::from_value(schemas[name]["enum"].clone()).unwrap() };
    assert_eq!(words("InvoiceStatus"), Status::ALL.map(Status::as_str));
    assert_eq!(words("FailureClass"), FailureClass::ALL.map(FailureClass::as_str));
    assert_eq!(words("AttentionKind"), AttentionKind::ALL.map(AttentionKind::as_str));
    assert_eq!(words("BillStatus"), BillStatus::ALL.map(BillStatus::as_str));
    assert_eq!(words("BillRecurrence"), Recurs::ALL.map(Recurs::as_str));
    assert_eq!(words("BillLineItemKind"), LineKind::ALL.map(LineKind::as_str));
    assert_eq!(words("RateSource"), RateSource::ALL.map(RateSource::as_str));
    assert_eq!(words("ContestReason"), ContestReason::ALL.map(ContestReason::as_str));
    assert_eq!(words("DifferenceKind"), DifferenceKind::ALL.map(DifferenceKind::as_str));
    assert_eq!(words("WebhookDeliveryStatus"), DeliveryState::NAMES);
    assert_eq!(words("NotificationKind"), NoticeKind::ALL.map(NoticeKind::as_str));
    assert_eq!(words("TransactionType"), TransactionKind::ALL.map(TransactionKind::as_str));
}

#[test]
fn every_example_is_one() {
    let contract = contract();
    let mut seen = 0;
    for (_, _, operation) in documented() {
        let responses = operation["responses"].as_object().unwrap().values();
        let bodies = responses.chain([&operation["requestBody"]]).map(|body| contract.resolved(body));
        for media in bodies.filter_map(|body| body["content"].as_object()).flat_map(Map::values) {
            let named = media["examples"].as_object().into_iter().flat_map(Map::values);
            let values =
                named.map(|example| &contract.resolved(example)["value"]).chain(media.get("example"));
            for value in values {
                contract.check(&media["schema"], value);
                seen += 1;
            }
        }
    }
    assert!(seen > 70, "{seen}");
}

#[test]
#[should_panic(expected = "does not describe")]
fn an_undocumented_member_is_noticed() {
    let schema = json!({"$ref": "#/components/schemas/Health"});
    contract().check(&schema, &json!({"status": "ok", "version": "1", "secret": 1}));
}

#[test]
fn every_link_leads_to_an_operation_and_gives_what_its_path_has() {
    let by_id = |id: &str| documented().find(|(_, _, operation)| operation["operationId"] == id).unwrap();
    let mut links = 0;
    for (_, _, operation) in documented() {
        let responses = operation["responses"].as_object().unwrap().values();
        for link in responses.filter_map(|response| response["links"].as_object()).flat_map(Map::values) {
            let (_, path, target) = by_id(link["operationId"].as_str().unwrap());
            let placeholders = path.split('/').filter_map(|part| part.strip_prefix('{'));
            let needed: BTreeSet<_> = placeholders.filter_map(|part| part.split('}').next()).collect();
            let given: BTreeSet<_> =
                link["parameters"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let id = target["operationId"].as_str().unwrap();
            assert!(given.is_subset(&needed), "{id} has no {given:?}");
            assert_eq!(given.contains("id"), needed.contains("id"), "{id}");
            links += 1;
        }
    }
    assert!(links > 40, "{links}");
}
