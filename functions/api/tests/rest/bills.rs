use crate::world::{Answer, BY_OPERATOR, DAY, World, brl};
use api::problem::Problem;
use axum::response::IntoResponse;
use fatura_application::access::{Caller, Role};
use fatura_application::idempotency::{AnswerScope, Once};
use fatura_application::ports::{BillFilter, PageRequest};
use fatura_application::{self as application, BillView, CreateBill, Error};
use fatura_domain::bill::BillLine;
use fatura_domain::id::{BillId, CustomerId};
use serde_json::{Value, json};

pub(crate) const START: &str = "2026-11-02T12:00:00.000Z";

/// A bill of the month in which the world begins.
pub(crate) fn month(customer: &str) -> Value {
    json!({
        "customer_id": customer, "period_start": "2026-11-01T00:00:00Z", "period_end": "2026-12-01T00:00:00Z",
    })
}

/// The same, settled in dollars.
pub(crate) fn month_in_dollars(customer: &str) -> Value {
    let mut terms = month(customer);
    terms["settlement_currency"] = json!("USD");
    terms
}

pub(crate) fn fee(price: &str, currency: &str) -> Value {
    json!({"description": "Fee", "quantity": 1, "unit_price": price, "currency": currency})
}

pub(crate) fn credit(price: &str, currency: &str) -> Value {
    let mut line = fee(price, currency);
    line["kind"] = json!("credit");
    line
}

impl World {
    pub(crate) async fn bill(&self, terms: Value) -> String {
        self.post("/v1/bills", terms).await.created()
    }

    pub(crate) async fn append(&self, bill: &str, line: Value) -> Answer {
        self.post(&format!("/v1/bills/{bill}/line-items"), line).await
    }

    pub(crate) async fn close_bill(&self, bill: &str) -> Answer {
        self.post(&format!("/v1/bills/{bill}/close"), json!({})).await
    }

    pub(crate) async fn shown_bill(&self, bill: &str) -> Value {
        self.get(&format!("/v1/bills/{bill}")).await.expect(200)
    }
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|bill| bill["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_bill_is_opened_filled_closed_and_becomes_an_invoice_for_each_currency() {
    let world = World::new().await;
    let customer = world.payer().await;
    let opened = world.post("/v1/bills", month(&customer)).await.expect(201);
    let bill = opened["id"].as_str().unwrap();
    let mut expected = json!({
        "id": bill, "customer_id": customer, "status": "open",
        "period_start": "2026-11-01T00:00:00.000Z", "period_end": "2026-12-01T00:00:00.000Z",
        "time_zone": "UTC", "settlement_currency": null, "recurrence": "none", "line_item_count": 0,
        "total": {"by_currency": {}, "converted": null}, "settlement": null,
        "previous_bill_id": null, "next_bill_id": null,
        "history": [{"status": "open", "at": START, "cause": "created", "by": BY_OPERATOR}],
        "closed_at": null, "created_at": START, "updated_at": START, "version": 1,
    });
    assert_eq!(opened, expected);
    world.append(bill, fee("27.30", "GEL")).await.expect(201);
    world.append(bill, fee("10", "USD")).await.expect(201);
    expected["line_item_count"] = json!(2);
    expected["total"]["by_currency"] = json!({"GEL": "27.30", "USD": "10.00"});
    assert_eq!(world.shown_bill(bill).await, expected, "appending is no step");

    world.wait(60);
    let closed = world.close_bill(bill).await.expect(200);
    let at = "2026-11-02T12:01:00.000Z";
    let step =
        |cause: &str, status: &str, by: Value| json!({"status": status, "at": at, "cause": cause, "by": by});
    let invoices = closed["settlement"]["invoices"].as_array().unwrap().clone();
    let made = |place: usize| invoices[place]["invoice_id"].as_str().unwrap();
    for (name, value) in [
        ("status", json!("closed")),
        ("closed_at", json!(at)),
        ("updated_at", json!(at)),
        ("version", closed["version"].clone()),
        (
            "settlement",
            json!({"status": "settled", "carried": [], "awaits_bill": false, "settled_at": at, "invoices": [
                {"amount": "27.30", "currency": "GEL", "invoice_id": made(0)},
                {"amount": "10.00", "currency": "USD", "invoice_id": made(1)},
            ]}),
        ),
    ] {
        expected[name] = value;
    }
    let steps = expected["history"].as_array_mut().unwrap();
    steps.push(step("close_requested", "closing", json!(BY_OPERATOR)));
    steps.push(step("counted", "closed", json!(BY_OPERATOR)));
    steps.push(step("settled", "closed", Value::Null));
    assert_eq!(closed, expected);
    assert_eq!(world.shown_bill(bill).await, expected);
    for (place, total) in [(0, "27.30"), (1, "10.00")] {
        let invoice = world.show(made(place)).await;
        assert_eq!((&invoice["status"], &invoice["total"]["amount"]), (&json!("pending"), &json!(total)));
        assert_eq!(invoice["history"][0]["by"], bill);
    }
}

#[tokio::test]
async fn closing_twice_is_closing_once() {
    let world = World::new().await;
    let bill = world.bill(month(&world.payer().await)).await;
    world.append(&bill, fee("10.00", "USD")).await.expect(201);
    let path = format!("/v1/bills/{bill}/close");
    let first = world.post_as("k", &path, json!({})).await;
    let again = world.post_as("k", &path, json!({})).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), &again.text), (200, "true", &first.text));
    let other = world.close_bill(&bill).await;
    assert_eq!((other.status, other.header("idempotent-replayed"), &other.text), (200, "", &first.text));
    let invoices = format!("/v1/invoices?customer_id={}", first.body["customer_id"].as_str().unwrap());
    assert_eq!(ids(&world.get(&invoices).await.expect(200)).len(), 1, "one invoice");
    assert_eq!(
        world.post_as("k", &path, json!({"now": true})).await.faults(),
        ["now is not a member of this request"]
    );
}

#[tokio::test]
async fn only_what_is_empty_is_canceled() {
    let world = World::new().await;
    let customer = world.payer().await;
    let cancel = async |bill: &str| world.post(&format!("/v1/bills/{bill}/cancel"), json!({})).await;
    let empty = world.bill(month(&customer)).await;
    let canceled = cancel(&empty).await.expect(200);
    assert_eq!((&canceled["status"], &canceled["settlement"]), (&json!("canceled"), &Value::Null));
    assert_eq!(
        canceled["history"][1],
        json!({"status": "canceled", "at": START, "cause": "canceled", "by": BY_OPERATOR})
    );
    assert_eq!(cancel(&empty).await.expect(200), canceled);
    for refused in [world.append(&empty, fee("1", "USD")).await, world.close_bill(&empty).await] {
        assert_eq!(refused.code(), (422, "failed_precondition"));
        assert_eq!(refused.body["details"], json!({"status": "canceled"}));
    }
    let filled = world.bill(month(&customer)).await;
    world.append(&filled, fee("0", "USD")).await.expect(201);
    for status in ["open", "closed"] {
        let refused = cancel(&filled).await;
        assert_eq!(refused.code(), (422, "failed_precondition"));
        assert_eq!(refused.body["details"], json!({"status": status}));
        world.close_bill(&filled).await.expect(200);
    }
    let open = world.bill(month(&customer)).await;
    let early = world.post(&format!("/v1/bills/{open}/forgo-rates"), json!({})).await;
    assert_eq!(early.code(), (422, "failed_precondition"));
    assert_eq!(early.body["details"], json!({"status": "open"}));
}

#[tokio::test]
async fn every_fault_of_the_terms_is_named() {
    let world = World::new().await;
    let customer = world.customer().await;
    let faults = async |body: Value| world.post("/v1/bills", body).await.faults();
    let required = ["customer_id is required", "period_start is required", "period_end is required"];
    assert_eq!(faults(json!({})).await, required);
    let wrong = json!({
        "customer_id": "cus_1", "period_start": "2026-11-02T12:00:00Z", "period_end": "2026-11-02T12:00:00Z",
        "time_zone": "Mars/Olympus", "settlement_currency": "usd", "recurrence": "weekly", "status": "closed",
    });
    assert_eq!(
        faults(wrong).await,
        [
            "customer_id is not an id of this kind",
            "time_zone must be an IANA time zone, such as America/Sao_Paulo",
            "settlement_currency must be a currency code of ISO 4217, such as BRL",
            "recurrence must be one of: none, monthly",
            "period_end must be after period_start",
            "status is not a member of this request",
        ]
    );
    let until = async |end: &str| {
        let mut terms = month(&customer);
        terms["period_start"] = json!("2027-03-01T00:00:00Z");
        terms["period_end"] = json!(end);
        world.post("/v1/bills", terms).await
    };
    until("2028-03-01T00:00:00Z").await.expect(201);
    for late in ["2028-03-02T00:00:00Z", "2028-03-01T00:00:00.001Z"] {
        assert_eq!(until(late).await.faults(), ["period_end must be at most 366 days after period_start"]);
    }
    for early in ["2027-03-01T00:00:00Z", "2027-02-28T23:59:59.999Z"] {
        assert_eq!(until(early).await.faults(), ["period_end must be after period_start"], "{early}");
    }
    let nobody = month("cus_000000000000");
    assert_eq!(world.post("/v1/bills", nobody).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn the_same_request_opens_one_bill() {
    let world = World::new().await;
    let customer = world.customer().await;
    let first = world.post_as("k", "/v1/bills", month(&customer)).await;
    let again = world.post_as("k", "/v1/bills", month(&customer)).await;
    assert_eq!((again.status, again.header("idempotent-replayed"), &again.text), (201, "true", &first.text));
    let other = world.post_as("k", "/v1/bills", month_in_dollars(&customer)).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused"));
    assert_eq!(ids(&world.get(&format!("/v1/bills?customer_id={customer}")).await.expect(200)).len(), 1);
}

#[tokio::test]
async fn bills_are_listed_newest_first_and_by_status_what_is_due_first() {
    let world = World::new().await;
    let customer = world.customer().await;
    let mut made = Vec::new();
    for end in ["2026-12-03T00:00:00Z", "2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z"] {
        let mut terms = month(&customer);
        terms["period_end"] = json!(end);
        made.push(world.bill(terms).await);
        world.wait(60);
    }
    world.append(&made[1], fee("0.50", "USD")).await.expect(201);
    world.close_bill(&made[0]).await.expect(200);
    let path = format!("/v1/bills?customer_id={customer}");
    let first = world.get(&format!("{path}&limit=2")).await.expect(200);
    assert_eq!(ids(&first), [&*made[2], &*made[1]]);
    assert_eq!(first["data"][1], world.shown_bill(&made[1]).await);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("{path}&limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((ids(&rest), &rest["next_cursor"]), (vec![&*made[0]], &Value::Null));
    assert_eq!(
        world.get(&format!("{path}&status=open&cursor={cursor}")).await.code(),
        (400, "invalid_cursor")
    );
    assert_eq!(ids(&world.get(&format!("{path}&status=closed")).await.expect(200)), [&*made[0]]);
    assert_eq!(
        ids(&world.get("/v1/bills?status=open").await.expect(200)),
        [&*made[2], &*made[1]],
        "due first"
    );
    assert_eq!(ids(&world.get("/v1/bills?status=canceled").await.expect(200)), [""; 0]);
}

#[tokio::test]
async fn a_recurring_bill_is_followed_by_the_next_periods() {
    let world = World::new().await;
    let mut terms = month(&world.payer().await);
    terms["recurrence"] = json!("monthly");
    terms["time_zone"] = json!("America/Sao_Paulo");
    let bill = world.bill(terms).await;
    world.pass(29 * DAY).await;
    let closed = world.shown_bill(&bill).await;
    let causes: Vec<&str> = crate::world::steps(&closed);
    assert_eq!(causes, ["created", "period_ended", "counted", "settled"]);
    assert_eq!(closed["history"][1]["by"], Value::Null);
    let next = world.shown_bill(closed["next_bill_id"].as_str().unwrap()).await;
    assert_eq!((&next["status"], &next["recurrence"]), (&json!("open"), &json!("monthly")));
    assert_eq!((&next["previous_bill_id"], &next["time_zone"]), (&json!(bill), &json!("America/Sao_Paulo")));
    assert_eq!(
        (&next["period_start"], &next["period_end"]),
        (&closed["period_end"], &json!("2027-01-01T00:00:00.000Z")),
        "nine in the evening of each month's last day there"
    );
    assert_eq!(next["history"][0]["cause"], "recurred");
}

#[tokio::test]
async fn a_balance_goes_to_the_next_bill() {
    let world = World::new().await;
    let customer = world.payer().await;
    let bill = world.bill(month(&customer)).await;
    world.append(&bill, fee("1.25", "BRL")).await.expect(201);
    world.append(&bill, credit("-5", "BRL")).await.expect(201);
    let closed = world.close_bill(&bill).await.expect(200);
    assert_eq!(closed["total"]["by_currency"], json!({"BRL": "-3.75"}));
    assert_eq!(
        closed["settlement"],
        json!({"status": "settling", "invoices": [], "carried": [], "awaits_bill": true, "settled_at": null})
    );
    let next = world.bill(month(&customer)).await;
    world.collect_all().await;
    let settled = &world.shown_bill(&bill).await["settlement"];
    let carried = json!([{"amount": "-3.75", "currency": "BRL", "bill_id": next}]);
    assert_eq!((&settled["carried"], &settled["status"]), (&carried, &json!("settled")));
    assert_eq!(settled["awaits_bill"], false);
    let lines = world.get(&format!("/v1/bills/{next}/line-items")).await.expect(200);
    let line = &lines["data"][0];
    assert_eq!((&line["kind"], &line["total"]), (&json!("credit"), &brl("-3.75")));
    assert_eq!(
        (&line["carried_from"], &line["description"]),
        (&json!(bill), &json!("Balance of the bill from 2026-11-01 to 2026-11-30"))
    );
    assert_eq!(line["reference"], format!("carried:{bill}:BRL"));
    assert_eq!(world.shown_bill(&next).await["total"]["by_currency"], json!({"BRL": "-3.75"}));
}

/// Customers have no tokens of their own yet, so the use cases are asked: what they say becomes the answer.
#[tokio::test]
async fn customers_look_at_their_own_bills_and_change_none() {
    let world = World::new().await;
    let mut customers = Vec::new();
    for _ in 0..2 {
        customers.push(world.customer().await);
    }
    let bill: BillId = world.bill(month(&customers[0])).await.parse().unwrap();
    let [own, other] = [0, 1].map(|place| {
        let id: CustomerId = customers[place].parse().unwrap();
        Caller::new(id.to_string(), Role::Customer(id))
    });
    let status = |error: Error| Problem::from(error).into_response().status().as_u16();
    let page = || PageRequest { limit: 1, after: None };
    assert_eq!(world.app.bill(&own, bill).await.unwrap().bill.id, bill);
    assert_eq!(world.app.bill_lines(&own, bill, page()).await.unwrap().data, []);
    let list = world.app.bills_of(&own, bill.owner(), BillFilter::default(), page()).await.unwrap();
    assert_eq!(list.data.len(), 1);
    assert_eq!(status(world.app.bill(&other, bill).await.unwrap_err()), 404);

    let scope = AnswerScope { caller: own.id.clone(), route: String::new(), key: String::new() };
    let once = Once { scope, fingerprint: [0; 32] };
    let nothing = || application::Answer { status: 200, body: String::new() };
    let render = |_: &BillView| nothing();
    let render_lines = |_: &BillView, _: &[BillLine]| nothing();
    let terms = world.app.bill(&own, bill).await.unwrap().bill.terms;
    for (caller, expected) in [(&own, 403), (&other, 404)] {
        let app = &world.app;
        let command = CreateBill { customer: bill.owner(), terms: terms.clone() };
        for refused in [
            app.create_bill(caller, command, &once, &render).await,
            app.append_lines(caller, bill, Vec::new(), &render_lines).await,
            app.close_bill(caller, bill, false, &once, &render).await,
            app.cancel_bill(caller, bill, &once, &render).await,
        ] {
            assert_eq!(status(refused.unwrap_err()), expected);
        }
        assert_eq!(status(app.forgo_rates(caller, bill, &once, &render).await.unwrap_err()), 403);
    }
}

#[tokio::test]
async fn whoever_closes_a_bill_may_end_its_recurrence() {
    let world = World::new().await;
    let mut recurring = month(&world.payer().await);
    recurring["recurrence"] = json!("monthly");
    let bill = world.bill(recurring).await;
    let path = format!("/v1/bills/{bill}/close");
    let odd = world.post(&path, json!({"recurrence": "monthly"})).await;
    assert_eq!(odd.faults(), ["recurrence must be one of: none"]);
    let closed = world.post(&path, json!({"recurrence": "none"})).await.expect(200);
    assert_eq!((&closed["status"], &closed["next_bill_id"]), (&json!("closed"), &Value::Null));
}
