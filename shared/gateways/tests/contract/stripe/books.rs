//! Stripe's books over the wire, and books that can't be believed.

use super::StripeBench;
use super::fake::pairs;
use crate::bench::Bench;
use crate::contract::charging::keeps_secrets;
use crate::scripted::{Act, Scripted, answer};
use fatura_domain::Timestamp;
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::{GatewayReference, Movement, MovementKind};
use fatura_domain::money::{Currency, Money};
use serde_json::{Value, json};

const AT: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entry(id: &str, created: i64) -> Value {
    json!({
        "id": id, "type": "charge", "created": created, "amount": 2_100, "currency": "usd",
        "source": {
            "id": "ch_1", "object": "charge", "amount": 12_345, "amount_captured": 12_345, "currency": "brl",
            "payment_intent": "pi_1", "metadata": { "attempt": "att_1" },
        },
    })
}

fn page(data: &[Value]) -> String {
    answer("200 OK", "", &json!({ "data": data, "has_more": false }).to_string())
}

#[tokio::test]
async fn a_movement_is_told_in_the_currency_of_its_charge() {
    let mut refund = entry("txn_2", AT + 1);
    refund["type"] = json!("payment_refund");
    refund["source"] = json!({
        "id": "re_1", "object": "refund", "amount": 345, "currency": "brl", "payment_intent": "pi_1",
        "charge": "ch_1", "metadata": { "refund": "rfd_1" },
    });
    let mut foreign = entry("txn_3", AT + 2);
    foreign["source"]["payment_intent"] = Value::Null;
    foreign["source"]["metadata"] = json!({});
    let mut payout = entry("txn_4", AT + 3);
    payout["type"] = json!("payout");
    payout["source"] = json!("po_1");
    let data = [payout, foreign, refund, entry("txn_1", AT)];
    let mut server = Scripted::always(Act::Say(page(&data))).await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    let told = gateway.movements(at(AT), at(AT + 60), None).await.unwrap();
    let movement = |kind, reference: &str, charge: &str, ours: &str, minor, second| Movement {
        kind,
        reference: GatewayReference(reference.to_owned()),
        charge: GatewayReference(charge.to_owned()),
        ours: ours.to_owned(),
        amount: Money::try_new(minor, Currency::BRL).unwrap(),
        at: at(second),
    };
    let expected = [
        movement(MovementKind::Capture, "pi_1", "pi_1", "att_1", 12_345, AT),
        movement(MovementKind::Refund, "re_1", "pi_1", "rfd_1", 345, AT + 1),
        movement(MovementKind::Capture, "ch_1", "ch_1", "", 12_345, AT + 2),
    ];
    assert_eq!((told.data.as_slice(), told.next), (expected.as_slice(), None));
    let sent = server.next().await;
    let (path, query) = sent.target.split_once('?').unwrap();
    assert_eq!((sent.method.as_str(), path), ("GET", "/v1/balance_transactions"));
    let (from, to) = (AT.to_string(), (AT + 60).to_string());
    let expected = [
        ("created[gte]", from.as_str()),
        ("created[lt]", to.as_str()),
        ("expand[]", "data.source"),
        ("limit", "100"),
    ];
    assert!(pairs(query).iter().map(|(key, value)| (key.as_str(), value.as_str())).eq(expected), "{query}");
}

/// Four a second for ten minutes, and one second with 250 in it: each comes once, oldest first.
#[tokio::test]
async fn a_long_time_is_cut_until_it_fits() {
    let mut all: Vec<Value> =
        (0..2_400).map(|number| entry(&format!("txn_{number}"), AT + number / 4)).collect();
    all.splice(400..400, (0..250).map(|number| entry(&format!("txn_burst_{number}"), AT + 100)));
    all.reverse();
    let server = Scripted::routed(move |received| {
        let query = pairs(received.target.split_once('?').unwrap().1);
        let number = |name: &str| query[name].parse::<i64>().unwrap();
        let created = number("created[gte]")..number("created[lt]");
        let within = all.iter().filter(|entry| created.contains(&entry["created"].as_i64().unwrap()));
        let after = query.get("starting_after");
        let mut rest = within.skip_while(|entry| after.is_some_and(|after| entry["id"] != *after));
        if after.is_some() {
            rest.next();
        }
        let data: Vec<&Value> = rest.by_ref().take(100).collect();
        let body = json!({ "data": data, "has_more": rest.next().is_some() });
        Act::Say(answer("200 OK", "", &body.to_string()))
    })
    .await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    let (mut told, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = gateway.movements(at(AT), at(AT + 600), after.as_deref()).await.unwrap();
        told.extend(page.data.into_iter().map(|movement| movement.at));
        (after, pages) = (page.next, pages + 1);
        if after.is_none() {
            break;
        }
        assert!(pages < 100, "the pages don't end");
    }
    assert_eq!(told.len(), 2_650);
    assert!(told.is_sorted());
    assert!(server.unseen() < 4 * pages, "{} calls for {pages} pages", server.unseen());
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_named_and_not_skipped() {
    for (place, value, message) in [
        ("/source/currency", json!("xxx"), "no amount of money"),
        ("/source/amount_captured", json!(0), "no amount of money"),
        ("/source/amount_captured", json!(i64::MAX), "no amount of money"),
        ("/source/amount_captured", json!("12345"), "unreadable"),
        ("/source/payment_intent", json!("../x"), "unreadable"),
        ("/source", json!("ch_1"), "unreadable"),
        ("/created", json!(AT + 60), "not of the time that was asked for"),
        ("/created", json!(AT - 1), "not of the time that was asked for"),
    ] {
        let mut bad = entry("txn_bad", AT);
        *bad.pointer_mut(place).unwrap() = value;
        let server = Scripted::always(Act::Say(page(&[entry("txn_1", AT), bad]))).await;
        let gateway = StripeBench::start().await.gateway_at(&server.url);
        let failure = gateway.movements(at(AT), at(AT + 60), None).await.unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Unknown, "contradictory_answer"));
        assert!(failure.message.contains("txn_bad") && failure.message.contains(message), "{failure:?}");
        keeps_secrets(&failure);
    }
    // Nobody knows whether there is more.
    let server = Scripted::answering("200 OK", "", &json!({ "data": [] }).to_string()).await;
    let gateway = StripeBench::start().await.gateway_at(&server.url);
    assert_eq!(gateway.movements(at(AT), at(AT + 60), None).await.unwrap_err().code, "unreadable_answer");
    // A page of another period, or none at all.
    for place in ["", "x", "1+1", "1700000060+1", "1700000000+0", "1700000000+-1"] {
        let failure = gateway.movements(at(AT), at(AT + 60), Some(place)).await.unwrap_err();
        assert_eq!(failure.code, "no_such_page", "{place}");
    }
}
