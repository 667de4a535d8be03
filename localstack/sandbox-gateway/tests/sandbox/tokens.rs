use crate::shop::{Shop, card, tell};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn declines_by_code() {
    let shop = Shop::open().await;
    let codes = [
        ("tok_insufficient_funds", "insufficient_funds"),
        ("tok_do_not_honor", "do_not_honor"),
        ("tok_issuer_unavailable", "issuer_unavailable"),
        ("tok_stolen", "stolen_card"),
        ("tok_expired_card", "expired_card"),
        ("tok_authentication_required", "authentication_required"),
        ("tok_fraud", "suspected_fraud"),
        ("tok_currency_mismatch", "currency_mismatch"),
        ("tok_customer_not_found", "customer_not_found"),
        ("tok_nobody_knows", "invalid_card"),
    ];
    for (token, code) in codes {
        let told = shop.charge(token, token, &card(token)).await;
        assert_eq!((told.status, &told.body["status"]), (402, &json!("declined")), "{token}");
        assert_eq!(told.body["decline"]["code"], code);
        let truth = shop.truth(token).await;
        assert_eq!((&truth[0]["status"], &truth[0]["captured_minor"]), (&json!("declined"), &json!(0)));
    }
    shop.inbox.wait_for(codes.len()).await;
    assert!(shop.inbox.kinds().iter().all(|kind| kind == "charge.declined"));
}

#[tokio::test]
async fn declines_once_an_invoice() {
    let shop = Shop::open().await;
    let method = card("tok_declines_once");
    for (attempt, invoice, status) in [("a", "inv_1", 402), ("b", "inv_1", 201), ("c", "inv_2", 402)] {
        assert_eq!(shop.charge(attempt, invoice, &method).await.status, status, "{attempt}");
    }
    assert_eq!(shop.truth("a").await[0]["decline"]["code"], "insufficient_funds");
}

#[tokio::test]
async fn webhook_only_answers_pending_and_settles_by_itself() {
    let shop = Shop::open().await;
    let started = Instant::now();
    let told = shop.pay_with("tok_webhook_only").await;
    assert_eq!((told.status, &told.body["status"]), (201, &json!("pending")));
    shop.wait_for_status("captured").await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    shop.inbox.wait_for(2).await;
    assert_eq!(shop.inbox.kinds(), ["charge.pending", "charge.captured"]);
    // The repeat is the first answer, not the charge as it is by now.
    assert_eq!(shop.pay_with("tok_webhook_only").await.body["status"], "pending");
}

#[tokio::test]
async fn charged_but_not_told() {
    for token in ["tok_charged_no_answer", "tok_charged_500", "tok_charged_truncated", "tok_charged_html_200"]
    {
        let shop = Shop::open().await;
        let request = shop.charge_request("att_1", "inv_1", &card(token));
        let sent = request.timeout(Duration::from_secs(1)).send().await;
        match token {
            "tok_charged_no_answer" => assert!(sent.unwrap_err().is_timeout()),
            "tok_charged_500" => assert_eq!(sent.unwrap().status(), 500),
            "tok_charged_html_200" => {
                let response = sent.unwrap();
                assert_eq!(response.status(), 200);
                assert_eq!(response.headers()["content-type"], "text/html");
                assert!(response.text().await.unwrap().starts_with("<!doctype html>"));
            }
            _ => {
                let response = sent.unwrap();
                assert_eq!(
                    (response.status().as_u16(), &response.headers()["content-type"]),
                    (201, &"application/json".parse().unwrap())
                );
                let text = response.text().await.unwrap();
                assert!(text.starts_with('{'));
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
            }
        }
        assert_eq!(shop.only_charge().await["status"], "captured", "{token}");
        assert_eq!(shop.inbox.wait_for(1).await[0].kind(), "charge.captured");

        // A safe resend is told what the first was not, and nothing is charged twice.
        let again = shop.pay_with(token).await;
        assert_eq!((again.status, again.replayed), (201, true), "{token}");
        assert_eq!(again.body, shop.only_charge().await);
    }
}

#[tokio::test]
async fn not_charged_however_often() {
    for token in ["tok_not_charged_no_answer", "tok_not_charged_500", "tok_429"] {
        let shop = Shop::open().await;
        for _ in 0..2 {
            let request = shop.charge_request("att_1", "inv_1", &card(token));
            let sent = request.timeout(Duration::from_millis(500)).send().await;
            match token {
                "tok_not_charged_no_answer" => assert!(sent.unwrap_err().is_timeout()),
                "tok_not_charged_500" => assert_eq!(sent.unwrap().status(), 500),
                _ => {
                    let response = sent.unwrap();
                    assert_eq!(response.status(), 429);
                    assert_eq!(response.headers()["retry-after"], "1");
                }
            }
        }
        assert!(shop.truth("inv_1").await.is_empty(), "{token}");
        assert!(shop.get("/webhooks").await.body["data"].as_array().unwrap().is_empty());
    }
}

#[tokio::test]
async fn slow_captures_at_once_and_answers_late() {
    let shop = Shop::open().await;
    let started = Instant::now();
    let answer = tokio::spawn(tell(shop.charge_request("att_1", "inv_1", &card("tok_slow_3s"))));
    shop.inbox.wait_for(1).await;
    assert_eq!(shop.only_charge().await["status"], "captured");
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(answer.await.unwrap().status, 201);
    assert!(started.elapsed() >= Duration::from_secs(3));
}

#[tokio::test]
async fn webhook_first_has_delivered_when_it_answers() {
    let shop = Shop::open().await;
    assert_eq!(shop.pay_with("tok_webhook_first").await.status, 201);
    assert_eq!(shop.inbox.kinds(), ["charge.captured"]);
}
