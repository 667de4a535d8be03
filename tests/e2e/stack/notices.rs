//! Customers are told what happened to them. The local AWS keeps the mails that it was given.

use crate::client::{PATIENCE, shared, variable};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// All mails to an address until now, on the local AWS only.
async fn mails(to: &str) -> Vec<Value> {
    let url = format!("{}/_ministack/ses/messages", variable("AWS_ENDPOINT_URL"));
    let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let accounts = answer["messages"].as_object().unwrap().values();
    let all = accounts.flat_map(|mails| mails.as_array().unwrap());
    all.filter(|mail| mail["To"] == json!([to])).cloned().collect()
}

async fn until_mail(to: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mails = mails(to).await;
        if let Some(mail) = mails.iter().find(|mail| is_meant(mail)) {
            return mail.clone();
        }
        assert!(Instant::now() < deadline, "no such mail among {mails:?}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_receipt_comes_by_mail_in_the_customers_language_once() {
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_visa").await;
    let path = format!("/v1/customers/{customer}");
    let address = shop.get(&path).await.expect(200)["email"].as_str().unwrap().to_owned();
    shop.put(&format!("{path}/notifications"), json!({"language": "pt-BR"})).await.expect(200);
    let invoice = shop.invoice(&customer).await;
    shop.charge(&invoice).await.expect(202);
    shop.assert_paid_once(&invoice).await;
    let is_receipt = |mail: &Value| mail["BodyText"].as_str().unwrap().contains(&invoice);
    let mail = until_mail(&address, is_receipt).await;
    let text = mail["BodyText"].as_str().unwrap();
    assert!(text.contains("R$ 122,05") && text.contains("Ana Souza") && text.contains("Padaria"), "{text}");
    assert!(mail["BodyHtml"].as_str().unwrap().contains("lang=\"pt-BR\""));
    assert_eq!(mail["Source"], "fatura@example.com");
    assert_eq!(mails(&address).await.len(), 1);
}

#[tokio::test]
async fn whoever_wants_no_mail_gets_none() {
    let (shop, _stack) = shared().await;
    let customer = shop.payer("tok_insufficient_funds").await;
    let path = format!("/v1/customers/{customer}");
    let address = shop.get(&path).await.expect(200)["email"].as_str().unwrap().to_owned();
    let failed = async || {
        let invoice = shop.invoice(&customer).await;
        shop.charge(&invoice).await.expect(202);
        shop.until_status(&invoice, "charged_with_error").await;
        invoice
    };
    shop.put(&format!("{path}/notifications"), json!({"email": {"except": ["charge_failed"]}}))
        .await
        .expect(200);
    let unwanted = failed().await;
    shop.put(&format!("{path}/notifications"), json!({})).await.expect(200);
    let wanted = failed().await;
    let says = |mail: &Value, invoice: &str| mail["BodyText"].as_str().unwrap().contains(invoice);
    until_mail(&address, |mail| says(mail, &wanted)).await;
    assert!(!mails(&address).await.iter().any(|mail| says(mail, &unwanted)));
}
