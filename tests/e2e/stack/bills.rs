//! Bills: fees of many currencies gathered through a period, closed by hand or by the clock, and paid.

use crate::client::{Answer, PATIENCE, Shop, alone, id, shared, unique, variable};
use crate::days::Days;
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

impl Shop {
    async fn instant(&self) -> Timestamp {
        self.now().await.as_str().unwrap().parse().unwrap()
    }

    /// From yesterday on, for so many seconds from now.
    async fn bill(&self, customer: &str, seconds: i64, more: Value) -> String {
        let now = self.instant().await;
        let mut body = json!({
            "customer_id": customer,
            "period_start": (now - SignedDuration::from_secs(DAY)).to_string(),
            "period_end": (now + SignedDuration::from_secs(seconds)).to_string(),
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let bill = self.post("/v1/bills", body).await.expect(201);
        assert_eq!(bill["status"], "open");
        id(&bill)
    }

    async fn append(&self, bill: &str, price: &str, currency: &str) -> Answer {
        let body = json!({
            "description": "Transfer fee", "quantity": 1, "unit_price": price, "currency": currency,
            "reference": unique("fee"),
        });
        self.post(&format!("/v1/bills/{bill}/line-items"), body).await
    }

    async fn close(&self, bill: &str) -> Value {
        self.post(&format!("/v1/bills/{bill}/close"), json!({})).await.expect(200)
    }

    async fn bill_shown(&self, bill: &str) -> Value {
        self.get(&format!("/v1/bills/{bill}")).await.expect(200)
    }

    async fn until_bill(&self, bill: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.bill_shown(bill).await;
            if is_so(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "{bill} is not {what}: {shown}");
            sleep(std::time::Duration::from_millis(200)).await;
        }
    }

    async fn until_settled(&self, bill: &str) -> Vec<(String, String)> {
        let shown =
            self.until_bill(bill, "settled", |shown| shown["settlement"]["status"] == "settled").await;
        let invoices = shown["settlement"]["invoices"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        invoices.map(|invoice| (text(&invoice["currency"]), text(&invoice["invoice_id"]))).collect()
    }

    async fn rates(&self, control: Value) {
        let url = format!("{}/control", variable("RATES_URL"));
        let answer = reqwest::Client::new().post(url).json(&control).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
    }

    /// Paid, that much and once, by the gateway's journal too.
    async fn assert_paid(&self, invoice: &str, amount: &str, currency: &str) {
        let paid = self.until_status(invoice, "paid").await;
        assert_eq!(paid["amount_paid"], json!({ "amount": amount, "currency": currency }));
        let captured = self.captured(invoice).await;
        let told: Vec<_> = captured.iter().map(|charge| &charge["amount_minor"]).collect();
        let minor: i64 = amount.replace('.', "").parse().unwrap();
        assert_eq!(told, [&json!(minor)]);
    }
}

#[tokio::test]
async fn lari_and_dollars_become_one_invoice_that_is_paid() {
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_visa").await;
    let bill = shop.bill(&customer, DAY, json!({ "settlement_currency": "USD" })).await;
    shop.append(&bill, "10.00", "USD").await.expect(201);
    let shown = shop.append(&bill, "27.30", "GEL").await.expect(201);
    assert_eq!(shown["total"]["by_currency"], json!({ "GEL": "27.30", "USD": "10.00" }));
    let converted = &shown["total"]["converted"];
    assert_eq!((&converted["amount"], &converted["indicative"]), (&json!("20.00"), &json!(true)));
    assert_eq!(converted["rate_source"], "open_exchange_rates");

    let closed = shop.close(&bill).await;
    assert_eq!((&closed["status"], &closed["line_item_count"]), (&json!("closed"), &json!(2)));
    let frozen = &closed["total"]["converted"];
    assert_eq!((&frozen["amount"], &frozen["indicative"]), (&json!("20.00"), &json!(false)));
    let [(currency, invoice)] = &shop.until_settled(&bill).await[..] else { panic!("not one invoice") };
    assert_eq!(currency, "USD");
    shop.assert_paid(invoice, "20.00", "USD").await;
    let again = shop.close(&bill).await;
    assert_eq!((&again["total"], &again["settlement"]), (&closed["total"], &closed["settlement"]));
    let late = shop.append(&bill, "1.00", "USD").await;
    assert_eq!((late.status, late.code()), (422, "failed_precondition"));
    assert_eq!(late.body["details"]["status"], "closed");
}

#[tokio::test]
async fn without_one_currency_to_settle_in_each_becomes_an_invoice() {
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_visa").await;
    let bill = shop.bill(&customer, DAY, json!({})).await;
    for (price, currency) in [("0.1", "BRL"), ("0.2", "BRL"), ("1500", "JPY"), ("1.005", "KWD")] {
        shop.append(&bill, price, currency).await.expect(201);
    }
    let closed = shop.close(&bill).await;
    assert_eq!(closed["total"]["by_currency"], json!({ "BRL": "0.30", "JPY": "1500", "KWD": "1.005" }));
    assert_eq!(closed["total"]["converted"], Value::Null);
    let invoices = shop.until_settled(&bill).await;
    let amounts = [("BRL", "0.30"), ("JPY", "1500"), ("KWD", "1.005")];
    assert_eq!(invoices.len(), amounts.len());
    for ((currency, invoice), expected) in invoices.iter().zip(amounts) {
        assert_eq!(currency, expected.0);
        shop.assert_paid(invoice, expected.1, expected.0).await;
    }
}

/// What was answered 201 is in it, and nothing else is.
#[tokio::test]
async fn a_close_that_races_appends_counts_exactly_those_that_were_answered() {
    const APPENDS: usize = 101;
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_visa").await;
    let bill = shop.bill(&customer, DAY, json!({})).await;
    let one = |number: usize| {
        let (shop, bill) = (&shop, &bill);
        async move {
            if number == APPENDS / 3 {
                shop.close(bill).await;
                return None;
            }
            Some(shop.append(bill, "1.01", "BRL").await)
        }
    };
    let answers: Vec<Answer> = stream::iter(0..APPENDS)
        .map(one)
        .buffer_unordered(12)
        .filter_map(async |answer| answer)
        .collect()
        .await;
    let (taken, refused): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert!(refused.iter().all(|answer| answer.code() == "failed_precondition"), "{refused:?}");
    assert!(!taken.is_empty() && !refused.is_empty(), "{} taken, {} refused", taken.len(), refused.len());
    let closed = shop.bill_shown(&bill).await;
    let cents = 101 * taken.len();
    assert_eq!(closed["line_item_count"], taken.len());
    assert_eq!(closed["total"]["by_currency"]["BRL"], format!("{}.{:02}", cents / 100, cents % 100));
    let page = shop.get(&format!("/v1/bills/{bill}/line-items?limit=100")).await.expect(200);
    assert_eq!(page["data"].as_array().unwrap().len(), taken.len());
}

#[tokio::test]
async fn a_reference_is_one_line_item_and_a_batch_and_an_export_show_each_once() {
    let (shop, _stack) = shared().await;
    let customer = shop.customer().await;
    let bill = shop.bill(&customer, DAY, json!({})).await;
    let item = |number: usize| {
        json!({ "description": "=HYPERLINK(\"x\")", "quantity": 2, "unit_price": "0.25", "currency": "USD",
            "reference": format!("fee-{number:03}") })
    };
    let items: Vec<Value> = (0..100).map(item).collect();
    let path = format!("/v1/bills/{bill}/line-items:batch");
    let batch = json!({ "line_items": items });
    let first = shop.send(shop.request(reqwest::Method::POST, &path).json(&batch)).await.expect(201);
    let again = shop.send(shop.request(reqwest::Method::POST, &path).json(&batch)).await.expect(201);
    assert_eq!((&first["total"], &first["line_item_count"]), (&again["total"], &json!(100)));
    let single = format!("/v1/bills/{bill}/line-items");
    let known = shop.send(shop.request(reqwest::Method::POST, &single).json(&item(7))).await;
    assert!(known.replayed);
    assert_eq!(known.expect(201)["total"]["by_currency"], json!({ "USD": "50.00" }));
    let export = shop.get(&format!("/v1/bills/{bill}/export")).await.expect(200);
    let csv = export.as_str().unwrap();
    assert_eq!(csv.lines().count(), 101, "and a header");
    assert!(csv.contains("'=HYPERLINK"), "no formula");
}

#[tokio::test]
async fn it_closes_by_itself_at_its_end_and_another_month_follows() {
    let (shop, _stack) = alone().await;
    let mut days = Days::none();
    let customer = shop.payer("tok_visa").await;
    let bill = shop.bill(&customer, 2 * HOUR, json!({ "recurrence": "monthly", "time_zone": "UTC" })).await;
    shop.append(&bill, "12.34", "BRL").await.expect(201);
    days.pass_unseen(2 * HOUR - 60);
    shop.append(&bill, "0.66", "BRL").await.expect(201);
    days.pass_unseen(61);
    let late = shop.append(&bill, "1.00", "BRL").await;
    assert_eq!((late.status, late.code()), (422, "failed_precondition"));
    assert_eq!(late.body["details"]["status"], "open", "the sweep has not come by yet");
    days.pass(60).await;
    let invoices = shop.until_settled(&bill).await;
    let [(_, invoice)] = &invoices[..] else { panic!("{invoices:?}") };
    shop.assert_paid(invoice, "13.00", "BRL").await;

    let closed = shop.bill_shown(&bill).await;
    let next = shop.bill_shown(closed["next_bill_id"].as_str().unwrap()).await;
    assert_eq!((&next["status"], &next["previous_bill_id"]), (&json!("open"), &json!(bill)));
    assert_eq!(next["period_start"], closed["period_end"]);
    let end: Timestamp = closed["period_end"].as_str().unwrap().parse().unwrap();
    let month_later = end.to_zoned(jiff::tz::TimeZone::UTC).checked_add(1.month()).unwrap().timestamp();
    assert_eq!(next["period_end"].as_str().unwrap().parse::<Timestamp>().unwrap(), month_later);
    let open = shop.get(&format!("/v1/bills?customer_id={customer}&status=open")).await.expect(200);
    assert_eq!(open["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn without_rates_it_closes_and_waits_and_says_so() {
    let (shop, _stack) = alone().await;
    let mut days = Days::none();
    let customer = shop.payer("tok_visa").await;
    let bill = shop.bill(&customer, 30 * DAY, json!({ "settlement_currency": "USD" })).await;
    shop.append(&bill, "27.30", "GEL").await.expect(201);
    // Everything that was published until now is too old.
    shop.rates(json!({ "down": true })).await;
    days.pass_unseen(10 * DAY);
    let shown = shop.bill_shown(&bill).await;
    assert_eq!(shown["total"]["by_currency"], json!({ "GEL": "27.30" }));
    assert_eq!(shown["total"]["converted"], Value::Null);
    let closed = shop.close(&bill).await;
    assert_eq!(
        (&closed["status"], &closed["settlement"]["status"]),
        (&json!("closed"), &json!("awaiting_rates"))
    );
    let waiting = shop.get("/v1/attention?kind=bill_awaits_rates&limit=100").await.expect(200);
    let about: Vec<&Value> =
        waiting["data"].as_array().unwrap().iter().map(|matter| &matter["bill_id"]).collect();
    assert!(about.contains(&&json!(bill)), "{about:?}");

    let published = shop.instant().await.to_string();
    shop.rates(json!({ "down": false, "rates": { "GEL": "2.625" }, "published_at": published })).await;
    days.pass(30 * 60).await;
    let [(_, invoice)] = &shop.until_settled(&bill).await[..] else { panic!("not one invoice") };
    shop.assert_paid(invoice, "10.40", "USD").await;
    let frozen = shop.bill_shown(&bill).await["total"].clone();
    shop.rates(json!({ "rates": { "GEL": "1.00" }, "published_at": published })).await;
    days.pass_unseen(2 * HOUR);
    assert_eq!(shop.bill_shown(&bill).await["total"], frozen, "it never changes again");
    shop.rates(json!({ "down": null, "rates": null, "published_at": null })).await;
}
