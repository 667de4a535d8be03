//! Who may do what: every operation of the document, asked for as each kind of caller, held against `docs/access.md`.

use crate::bills::{fee, month};
use crate::orders::one_cup;
use crate::sign_in::with;
use crate::world::{DAY, OPERATOR, Says, World, attempt_of, contract, plan};
use http::{Method, Request};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const TABLE: &str = include_str!("../../../../docs/access.md");
const CALLERS: [&str; 5] = ["nobody", "another customer", "owner", "service", "operator"];

/// One customer with something of every kind, and another one.
pub(crate) struct Shop {
    pub(crate) world: World,
    customer: String,
    another: String,
    method: String,
    draft: String,
    paid: String,
    failed: String,
    lost: String,
    bill: String,
    run: String,
    reconciliation: String,
    requeue: String,
    key: String,
    merchant: String,
    order: String,
    payment: String,
    endpoint: String,
    delivery: String,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let world = World::new().await;
        let customer = world.sign_up("owner@example.com").await;
        let another = world.sign_up("another@example.com").await;
        let method = world.add_card(&customer, "tok_visa").await;
        let lost = world.lost(&customer).await;
        world.gateway.is_silent(false);
        let failed =
            world.charged(&customer, Says::Declined(fatura_domain::charge::FailureClass::Generic)).await;
        let paid = world.charged(&customer, Says::Yes).await;
        let draft = world.invoice(&customer).await;
        let mut terms = month(&customer);
        terms["period_end"] = json!("2026-12-31T00:00:00Z");
        let bill = world.bill(terms).await;
        let begun = async |path: &str, body: Value| {
            world.post(path, body).await.expect(202)["id"].as_str().unwrap().to_owned()
        };
        let run = begun("/v1/billing-runs", json!({"customer_id": customer})).await;
        let requeue = begun("/v1/requeues", json!({"failure_class": "hard"})).await;
        let reconciliation = begun("/v1/reconciliations", period()).await;
        let made = world.post("/v1/api-keys", json!({"role": "service"})).await.expect(201);
        let key = made["id"].as_str().unwrap().to_owned();
        let merchant = world.merchant().await;
        let order = world.order(&customer, &merchant, "1.00").await;
        let payment = world.paid_from_wallet(&customer, &merchant, "2.00").await;
        let endpoint = world.post("/v1/webhook-endpoints", hook("https://example.com/hook", &customer)).await;
        let endpoint = endpoint.created();
        let sent = world.post(&format!("/v1/webhook-endpoints/{endpoint}/test"), json!({})).await.expect(202);
        let delivery = sent["id"].as_str().unwrap().to_owned();
        Self {
            world,
            customer,
            another,
            method,
            draft,
            paid,
            failed,
            lost,
            bill,
            run,
            reconciliation,
            requeue,
            key,
            merchant,
            order,
            payment,
            endpoint,
            delivery,
        }
    }

    /// A request that nothing is wrong with but, perhaps, who sends it.
    pub(crate) fn request(&self, method: &str, template: &str) -> (String, Option<Value>) {
        let fill = |id: &str| template.replace("{id}", id);
        let matter = attempt_of(&self.lost, 1).replace("att_", "atn_att_");
        let (path, body) = match (method, template) {
            ("post", "/v1/customers") => (fill(""), Some(json!({"name": "Eva", "email": "eva@example.com"}))),
            ("put", "/v1/customers/{id}") => {
                (fill(&self.customer), Some(json!({"name": "Ana", "email": "owner@example.com"})))
            }
            ("put", "/v1/customers/{id}/password") => {
                let body =
                    json!({"current_password": crate::sign_in::PASSWORD, "password": "battery staple"});
                (fill(&self.customer), Some(body))
            }
            ("put", "/v1/customers/{id}/notifications") => {
                (fill(&self.customer), Some(json!({"language": "pt-BR"})))
            }
            ("post", "/v1/customers/{id}/payment-methods") => {
                (fill(&self.customer), Some(json!({"type": "pix", "key": "a@b.c"})))
            }
            ("put", "/v1/customers/{id}/payment-methods/{pm}/tokens/{gateway}") => {
                let path = fill(&self.customer).replace("{pm}", &self.method).replace("{gateway}", "sandbox");
                (path, Some(json!({"token": "tok_visa"})))
            }
            ("put", "/v1/fees") => (fill(""), Some(json!({"rate": "0.029"}))),
            ("put", "/v1/customers/{id}/fees") => (fill(&self.customer), Some(json!({"rate": "0.01"}))),
            (_, path) if path.starts_with("/v1/customers") => {
                let body = (method == "post").then(|| json!({}));
                (fill(&self.customer).replace("{pm}", &self.method), body)
            }
            ("post", "/v1/invoices") => (fill(""), Some(plan(&self.customer))),
            ("get", "/v1/invoices") => (format!("/v1/invoices?customer_id={}", self.customer), None),
            ("patch", "/v1/invoices/{id}") => (fill(&self.draft), Some(json!({"description": "Cheaper"}))),
            ("post", "/v1/invoices/{id}/refunds") => (fill(&self.paid), Some(json!({}))),
            ("post", "/v1/invoices/{id}/contest") => (fill(&self.paid), Some(json!({"reason": "other"}))),
            ("post", "/v1/invoices/{id}/review") => (fill(&self.draft), Some(json!({"decision": "approve"}))),
            ("post", "/v1/risk") => (fill(""), Some(json!({"customer_id": self.customer, "amount": cent()}))),
            ("put", "/v1/risk-rules") => (fill(""), Some(json!({"rules": []}))),
            ("post", "/v1/invoices/{id}/requeue") => (fill(&self.failed), Some(json!({}))),
            (_, path) if path.starts_with("/v1/invoices") => {
                (fill(&self.draft), (method == "post").then(|| json!({})))
            }
            ("post", "/v1/bills") => (fill(""), Some(month(&self.customer))),
            ("get", "/v1/bills") => (format!("/v1/bills?customer_id={}", self.customer), None),
            ("post", "/v1/bills/{id}/line-items") => (fill(&self.bill), Some(fee("1.00", "USD"))),
            ("post", "/v1/bills/{id}/line-items:batch") => {
                let mut line = fee("1.00", "USD");
                line["reference"] = json!("r");
                (fill(&self.bill), Some(json!({"line_items": [line]})))
            }
            (_, path) if path.starts_with("/v1/bills") => {
                (fill(&self.bill), (method == "post").then(|| json!({})))
            }
            ("post", "/v1/attempts/{id}/resolve") => {
                (fill(&attempt_of(&self.lost, 1)), Some(json!({"outcome": "not_charged"})))
            }
            (_, path) if path.starts_with("/v1/attention") => {
                (fill(&matter), (method == "post").then(|| json!({})))
            }
            ("post", "/v1/reconciliations") => (fill(""), Some(period())),
            (_, path) if path.starts_with("/v1/reconciliations") => (fill(&self.reconciliation), None),
            ("post", "/v1/billing-runs" | "/v1/requeues") => (fill(""), Some(json!({}))),
            (_, path) if path.starts_with("/v1/billing-runs") => (fill(&self.run), None),
            (_, path) if path.starts_with("/v1/requeues") => (fill(&self.requeue), None),
            ("put", "/v1/dunning-policy") | ("post", "/v1/ledger/verify") => (fill(""), Some(json!({}))),
            ("put", "/v1/gateways/{name}") => {
                let settings = json!({"enabled": true, "priority": 1, "payment_method_types": ["pix"]});
                (template.replace("{name}", "sandbox"), Some(settings))
            }
            ("post", "/v1/gateways/{name}/check") => (template.replace("{name}", "sandbox"), Some(json!({}))),
            ("put", "/v1/gateway-routing") => (fill(""), Some(json!({"rules": []}))),
            ("post", "/v1/ledger") => {
                let entry = |account: &str, direction: &str| json!({"account": account, "direction": direction, "amount": cent()});
                let entries = [entry("revenue", "debit"), entry("fees", "credit")];
                (fill(""), Some(json!({"description": "By hand", "entries": entries})))
            }
            ("get", "/v1/ledger/{id}") => (fill(&self.customer), None),
            ("get", "/v1/ledger/accounts/{account}") => (template.replace("{account}", "revenue"), None),
            (_, path)
                if ["/v1/wallet", "/v1/order", "/v1/pay", "/v1/refund"]
                    .iter()
                    .any(|of| path.starts_with(of)) =>
            {
                self.market_request(method, template)
            }
            (_, path) if path.starts_with("/v1/webhook") => self.webhook_request(method, template),
            ("post", "/v1/api-keys") => (fill(""), Some(json!({"role": "service"}))),
            ("delete", "/v1/api-keys/{id}") => (fill(&self.key), None),
            ("post", "/v1/auth") => {
                let body = json!({"email": "another@example.com", "password": crate::sign_in::PASSWORD});
                (fill(""), Some(body))
            }
            ("post", "/v1/auth/sign-out") => (fill(""), Some(json!({"refresh_token": "frt_"}))),
            // A token of the one who asks is all that it takes.
            ("post", "/v1/auth/refresh") => (fill(""), Some(json!({"refresh_token": "REFRESH"}))),
            ("get", path) if !path.contains('{') => (path.to_owned(), None),
            _ => panic!("say how {method} {template} is asked for"),
        };
        assert!(!path.contains('{'), "{path}");
        (path, body)
    }

    fn market_request(&self, method: &str, template: &str) -> (String, Option<Value>) {
        let fill = |id: &str| template.replace("{id}", id);
        match (method, template) {
            ("post", "/v1/wallet/{id}/transfer") => {
                (fill(&self.customer), Some(json!({"to_customer_id": self.another, "amount": cent()})))
            }
            (_, path) if path.starts_with("/v1/wallet") => {
                (fill(&self.customer), (method == "post").then(|| json!({"amount": cent()})))
            }
            ("post", "/v1/orders") => (fill(""), Some(one_cup(&self.customer, &self.merchant, "1.00"))),
            ("get", "/v1/orders" | "/v1/payments") => {
                (format!("{template}?customer_id={}", self.customer), None)
            }
            (_, path) if path.starts_with("/v1/orders") => (fill(&self.order), None),
            ("post", "/v1/payments") => (fill(""), Some(json!({"order_ids": [self.order]}))),
            ("get", "/v1/payments/{id}") => (fill(&self.payment), None),
            ("post", "/v1/refunds/{id}") => (fill(&self.payment), Some(json!({"amount": cent()}))),
            _ => panic!("say how {method} {template} is asked for"),
        }
    }

    fn webhook_request(&self, method: &str, template: &str) -> (String, Option<Value>) {
        let fill = |id: &str| template.replace("{id}", id);
        match (method, template) {
            ("post", "/v1/webhook-endpoints") => {
                (fill(""), Some(hook("https://example.com/new", &self.customer)))
            }
            ("patch", "/v1/webhook-endpoints/{id}") => {
                (fill(&self.endpoint), Some(json!({"description": "The books"})))
            }
            ("post", "/v1/webhook-endpoints/{id}/replay") => {
                (fill(&self.endpoint), Some(json!({"since": "2026-11-01T00:00:00Z"})))
            }
            (_, path) if path.starts_with("/v1/webhook-endpoints") => {
                (fill(&self.endpoint), (method == "post").then(|| json!({})))
            }
            (_, path) if path.starts_with("/v1/webhook-deliveries") => {
                (fill(&self.delivery), (method == "post").then(|| json!({})))
            }
            _ => panic!("say how {method} {template} is asked for"),
        }
    }
}

/// One that is told of a customer's events: those that are told of everybody's are the operators'.
fn hook(url: &str, customer: &str) -> Value {
    json!({"url": url, "events": ["*"], "customer_id": customer})
}

fn cent() -> Value {
    json!({"amount": "0.01", "currency": "BRL"})
}

fn period() -> Value {
    json!({"gateway": "sandbox", "from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"})
}

/// What becomes of it: done, or refused by a rule that has nothing to do with who asks, is "yes".
pub(crate) fn outcome(status: u16, code: &str, what: &str) -> &'static str {
    match (status, code) {
        (200..300, _) | (409, "conflict") | (422, "failed_precondition" | "no_payment_method") => "yes",
        (401, _) => "401",
        (403, _) => "403",
        (404, _) => "404",
        _ => panic!("{what}: {status} {code} says nothing about access"),
    }
}

/// Everything that the document has, as method and path template. What takes something away comes last.
pub(crate) fn operations() -> Vec<(&'static str, &'static str)> {
    let paths = contract().document["paths"].as_object().unwrap();
    let mut operations: Vec<(&str, &str)> = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |m| (m.as_str(), path.as_str())))
        .collect();
    operations
        .sort_by_key(|(method, path)| (*method == "delete", path.ends_with("/password"), *path, *method));
    operations
}

async fn walk() -> BTreeMap<String, Vec<&'static str>> {
    let mut found: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for caller in CALLERS {
        // Each caller has a shop to itself: what one deletes, the next would not find.
        let shop = Shop::open().await;
        let service = shop.world.service_key().await;
        let another = shop.world.sign_in("another@example.com").await;
        let owner = shop.world.sign_in("owner@example.com").await;
        let token = match caller {
            "nobody" => None,
            "another customer" => Some(another.0),
            "owner" => Some(owner.0.clone()),
            "service" => Some(service),
            _ => Some(OPERATOR.to_owned()),
        };
        for (place, (method, template)) in operations().into_iter().enumerate() {
            let (path, mut body) = shop.request(method, template);
            if let Some(token) = body.as_mut().and_then(|body| body.get_mut("refresh_token")) {
                *token = json!(owner.1);
            }
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = match &token {
                Some(token) => with(token, verb, &path),
                None => Request::builder().method(verb).uri(&path),
            };
            let request = request.header("Idempotency-Key", format!("walk-{place}"));
            let answer = shop.world.send(request, body).await;
            let what = format!("{} {template}", method.to_uppercase());
            let became =
                outcome(answer.status, answer.code().1, &format!("{what} as {caller}: {}", answer.text));
            found.entry(what).or_default().push(became);
        }
    }
    found
}

#[tokio::test]
async fn every_operation_is_for_those_whom_the_table_says() {
    let (table, _) = TABLE.split_once("## Scopes").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let written: BTreeSet<String> = rows.map(str::to_owned).collect();
    let found = walk().await;
    let found: BTreeSet<String> =
        found.iter().map(|(what, became)| format!("| `{what}` | {} |", became.join(" | "))).collect();
    let missing: Vec<_> = found.difference(&written).collect();
    let wrong: Vec<_> = written.difference(&found).collect();
    assert!(missing.is_empty() && wrong.is_empty(), "is: {missing:#?}\ndocs/access.md says: {wrong:#?}");
    assert!(written.len() > 55, "{}", written.len());
}

/// Name and address are the customer's own; what the shop has agreed with the customer is not.
#[tokio::test]
async fn customers_say_who_they_are_and_not_on_which_terms() {
    let world = World::new().await;
    let said = json!({
        "name": "Ana", "email": "ana@example.com", "external_id": "crm-1", "kind": "buyer", "billing_anchor_day": 5,
    });
    let mut body = said.clone();
    body["password"] = json!(crate::sign_in::PASSWORD);
    let path = format!("/v1/customers/{}", world.post("/v1/customers", body).await.created());
    let (token, _) = world.sign_in("ana@example.com").await;
    for (member, value) in [
        ("external_id", Value::Null),
        ("external_id", json!("crm-2")),
        ("kind", json!("merchant")),
        ("billing_anchor_day", Value::Null),
        ("billing_anchor_day", json!(31)),
        ("country", json!("PT")),
    ] {
        let mut changed = said.clone();
        changed[member] = value;
        let answer = world.send(with(&token, Method::PUT, &path), Some(changed)).await;
        assert_eq!(answer.code(), (403, "forbidden"), "{member}");
    }
    let mut moved = said.clone();
    (moved["name"], moved["email"]) = (json!("Ana Souza"), json!("ana.souza@example.com"));
    let moved = world.send(with(&token, Method::PUT, &path), Some(moved)).await.expect(200);
    assert_eq!((&moved["name"], &moved["external_id"]), (&json!("Ana Souza"), &json!("crm-1")));
    assert_eq!(world.try_to_sign_in("ana@example.com", crate::sign_in::PASSWORD).await.status, 401);
    world.sign_in("ana.souza@example.com").await;
}

/// What a customer is asked for stays as it was asked, whatever the customer says.
#[tokio::test]
async fn a_debtor_changes_nothing_that_is_owed() {
    let shop = Shop::open().await;
    let (token, _) = shop.world.sign_in("owner@example.com").await;
    let before = shop.world.show(&shop.draft).await;
    let cheap = json!({"items": [{"description": "Plan", "quantity": 1, "unit_price": "0.01"}]});
    let path = format!("/v1/invoices/{}", shop.draft);
    for (method, path, body) in [
        (Method::PATCH, path.clone(), cheap),
        (Method::POST, format!("{path}/cancel"), json!({})),
        (Method::POST, format!("/v1/invoices/{}/refunds", shop.paid), json!({})),
        (Method::POST, "/v1/invoices".to_owned(), plan(&shop.customer)),
    ] {
        let request = with(&token, method, &path).header("Idempotency-Key", "k");
        assert_eq!(shop.world.send(request, Some(body)).await.code(), (403, "forbidden"), "{path}");
    }
    let after = shop.world.show(&shop.draft).await;
    assert_eq!((&after, &after["total"]), (&before, &json!({"amount": "122.05", "currency": "BRL"})));
    shop.world.wait(DAY);
    let late = shop.world.send(with(&token, Method::GET, &path), None).await;
    assert_eq!(late.code(), (401, "unauthenticated"));
}
