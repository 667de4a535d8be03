//! What PayPal has on its books.

use super::*;
use fatura_domain::Timestamp;
use fatura_domain::gateway::{Movement, MovementKind};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn entry(id: &str, code: &str, status: &str, value: &str, date: &str, ours: Option<&str>) -> Value {
    json!({ "transaction_info": {
        "transaction_id": id, "transaction_event_code": code, "transaction_status": status,
        "transaction_amount": amount(value), "transaction_initiation_date": date,
        "transaction_updated_date": date, "fee_amount": amount("-1.00"),
        "paypal_reference_id": "PARENT", "paypal_reference_id_type": "TXN",
        "invoice_id": "inv-1", "custom_field": ours,
    } })
}

fn page(entries: &[Value], pages: usize, refreshed: &str) -> Value {
    json!({ "transaction_details": entries, "account_number": "XZXSPECPDZHZU", "page": 1, "total_items": entries.len(),
        "total_pages": pages, "last_refreshed_datetime": refreshed, "links": [] })
}

const REFRESHED: &str = "2024-01-01T00:00:00+0000";

#[tokio::test]
async fn captures_and_refunds_are_told_in_their_order() {
    let noon = "2023-11-14T12:00:00+0000";
    let entries = [
        entry("R1", "T1107", "S", "-23.45", "2023-11-14T13:00:00+0000", Some("rfd_1")),
        entry("C1", "T0005", "S", "123.45", noon, Some("att_1")),
        // Reversed since, but taken first.
        entry("C2", "T0006", "V", "1.00", "2023-11-14T09:00:01-0300", None),
        entry("WAITS", "T0006", "P", "5.00", noon, None),
        entry("DENIED", "T0006", "D", "5.00", noon, None),
        entry("PAID", "T0000", "S", "-5.00", noon, None),
        entry("FEE", "T0106", "S", "-5.00", noon, None),
        entry("HOLD", "T1110", "S", "-5.00", noon, None),
        entry("REVERSAL", "T1106", "S", "-5.00", noon, None),
        entry("PAYOUT", "T0400", "S", "-5.00", noon, None),
        // The window's end is in PayPal's, and not in ours.
        entry("NEXT", "T0006", "S", "5.00", "2023-11-15T00:00:00+0000", None),
        entry("BEFORE", "T0006", "S", "5.00", "2023-11-13T23:59:59+0000", None),
    ];
    let mut server = server(say("200 OK", &page(&entries, 1, REFRESHED))).await;
    let (from, to) = (at("2023-11-14T00:00:00Z"), at("2023-11-15T00:00:00Z"));
    let found = gateway(&server).movements(from, to, None).await.unwrap();
    let movement = |kind, id: &str, charge: &str, ours: &str, minor, when: &str| Movement {
        kind,
        reference: named(id),
        charge: named(charge),
        ours: ours.to_owned(),
        amount: money(minor, "BRL"),
        at: at(when),
    };
    assert_eq!(
        found.data,
        [
            movement(MovementKind::Capture, "C1", "C1", "att_1", 12_345, "2023-11-14T12:00:00Z"),
            movement(MovementKind::Capture, "C2", "C2", "inv-1", 100, "2023-11-14T12:00:01Z"),
            movement(MovementKind::Refund, "R1", "PARENT", "rfd_1", 2_345, "2023-11-14T13:00:00Z"),
        ]
    );
    assert_eq!(found.next, None);
    let asked = sent(&mut server).await;
    assert_eq!(asked.method, "GET");
    assert_eq!(
        asked.target,
        "/v1/reporting/transactions?start_date=2023-11-14T00%3A00%3A00Z&end_date=2023-11-15T00%3A00%3A00Z\
         &fields=transaction_info&page_size=500&page=1"
    );
}

#[tokio::test]
async fn pages_and_pieces_of_a_month_follow_each_other() {
    let mut server = routed(move |asked| {
        let first = asked.target.contains("start_date=2023-10-01");
        say("200 OK", &page(&[], if first { 2 } else { 1 }, REFRESHED))
    })
    .await;
    let gateway = gateway(&server);
    let (from, to) = (at("2023-10-01T00:00:00Z"), at("2023-11-05T00:00:00Z"));
    let mut seen = Vec::new();
    let mut place: Option<String> = None;
    loop {
        let found = gateway.movements(from, to, place.as_deref()).await.unwrap();
        let target = sent(&mut server).await.target;
        let part = |name: &str| {
            let (_, rest) = target.split_once(&format!("{name}=")).unwrap();
            rest.split('&').next().unwrap().replace("%3A", ":")
        };
        seen.push((part("start_date"), part("end_date"), part("&page")));
        place = found.next;
        if place.is_none() {
            break;
        }
    }
    let window = |start: &str, end: &str, page: &str| {
        (format!("{start}T00:00:00Z"), format!("{end}T00:00:00Z"), page.to_owned())
    };
    assert_eq!(
        seen,
        [
            window("2023-10-01", "2023-11-01", "1"),
            window("2023-10-01", "2023-11-01", "2"),
            window("2023-11-01", "2023-11-05", "1"),
        ]
    );
    for place in ["", "1", "x+1", "1700000000000+0", "1+1", "99999999999999999999+1", "1699142400000+1"] {
        let failure = gateway.movements(from, to, Some(place)).await.unwrap_err();
        assert_eq!(failure.code, "no_such_page", "{place}");
    }
}

#[tokio::test]
async fn books_that_do_not_go_so_far_are_no_page() {
    let (from, to) = (at("2023-11-14T00:00:00Z"), at("2023-11-15T00:00:00Z"));
    for (refreshed, whole) in [
        ("2023-11-15T00:00:00+0000", true),
        ("2023-11-14T23:59:59+0000", false),
        ("2023-11-14T22:00:00-0300", true),
    ] {
        let server = server(say("200 OK", &page(&[], 1, refreshed))).await;
        let found = gateway(&server).movements(from, to, None).await;
        assert_eq!(found.map_err(|failure| failure.code).is_ok(), whole, "{refreshed}");
    }
    // Where it isn't said, it is what PayPal promises.
    let mut silent = page(&[], 1, REFRESHED);
    silent.as_object_mut().unwrap().remove("last_refreshed_datetime");
    let server = server(say("200 OK", &silent)).await;
    let ago = |hours: i64| Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    assert!(gateway(&server).movements(ago(9), ago(4), None).await.is_ok());
    let failure = gateway(&server).movements(ago(9), ago(2), None).await.unwrap_err();
    assert_eq!(failure.code, "books_behind");
}

#[tokio::test]
async fn an_entry_that_makes_no_sense_is_an_error() {
    let (from, to) = (at("2023-11-14T00:00:00Z"), at("2023-11-15T00:00:00Z"));
    let noon = "2023-11-14T12:00:00+0000";
    let nobodys = with(
        entry("R1", "T1107", "S", "-1.00", noon, None),
        "/transaction_info/paypal_reference_id",
        Value::Null,
    );
    for (told, code) in [
        (entry("C1", "T0006", "S", "1.00", "noon", None), "contradictory_answer"),
        (entry("C1", "T0006", "S", "1,00", noon, None), "contradictory_answer"),
        (entry("R1", "T1107", "S", "1.00", noon, None), "contradictory_answer"),
        (nobodys, "contradictory_answer"),
        (entry("../x", "T0006", "S", "1.00", noon, None), "unreadable_answer"),
    ] {
        let server = server(say("200 OK", &page(std::slice::from_ref(&told), 1, REFRESHED))).await;
        let failure = gateway(&server).movements(from, to, None).await.unwrap_err();
        assert_eq!(failure.code, code, "{told}");
        crate::contract::charging::keeps_secrets(&failure);
    }
    for (act, code) in [
        (say("403 Forbidden", &problem("NOT_AUTHORIZED", "X")), "unauthorized"),
        (say("400 Bad", &problem("INVALID_REQUEST", "RESULTSET_TOO_LARGE")), "unexpected_status"),
        (say("500 Oops", &json!({})), "gateway_error"),
        (Act::Reset, "connection_lost"),
        (Act::Say(answer("200 OK", "", "<html>")), "unreadable_answer"),
    ] {
        let server = server(act).await;
        assert_eq!(gateway(&server).movements(from, to, None).await.unwrap_err().code, code);
    }
}
