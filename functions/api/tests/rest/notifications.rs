//! What customers want to be told.

use crate::sign_in::with;
use crate::world::World;
use http::Method;
use serde_json::{Value, json};

const APP: &str = "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/shop/0f";

fn path(customer: &str) -> String {
    format!("/v1/customers/{customer}/notifications")
}

#[tokio::test]
async fn mail_comes_unless_somebody_says_otherwise() {
    let world = World::new().await;
    let path = path(&world.customer().await);
    let unsaid = world.get(&path).await;
    assert_eq!(unsaid.header("etag"), "\"0\"");
    let unsaid = unsaid.expect(200);
    assert_eq!(unsaid["email"], json!({"enabled": true, "except": []}));
    assert_eq!(unsaid["sms"], json!({"enabled": true, "except": [], "phone": null}));
    assert_eq!((&unsaid["language"], &unsaid["updated_at"]), (&Value::Null, &Value::Null));

    let said = json!({
        "language": "pt-BR",
        "email": {"enabled": true, "except": ["receipt", "bill_closed"]},
        "sms": {"phone": "+5511987654321"},
        "push": {"enabled": false, "target_arn": APP},
    });
    let put = world.change(Method::PUT, &path, Some("\"0\""), said.clone()).await.expect(200);
    assert_eq!(put["email"]["except"], json!(["receipt", "bill_closed"]));
    assert_eq!(put["sms"], json!({"enabled": true, "except": [], "phone": "+5511987654321"}));
    assert_eq!(put["push"], json!({"enabled": false, "except": [], "target_arn": APP}));
    assert_eq!((&put["version"], &put["language"]), (&json!(1), &json!("pt-BR")));
    assert_eq!(world.get(&path).await.expect(200), put);
    assert_eq!(world.change(Method::PUT, &path, Some("\"0\""), said).await.status, 412);
    let whole = world.change(Method::PUT, &path, None, json!({})).await.expect(200);
    assert_eq!((&whole["sms"]["phone"], &whole["version"]), (&Value::Null, &json!(2)), "as a whole");
}

#[tokio::test]
async fn every_mistake_is_named() {
    let world = World::new().await;
    let path = path(&world.customer().await);
    let body = json!({
        "language": "de",
        "email": {"except": ["spam"], "address": "a@b.c"},
        "sms": {"phone": "11987654321"},
        "push": {"target_arn": "arn:aws:sns:us-east-1:123456789012:topic"},
    });
    let kinds = "receipt, charge_failed, refund, dispute_opened, bill_closed, pix_qr";
    assert_eq!(
        world.change(Method::PUT, &path, None, body).await.faults(),
        [
            "language must be one of: en, pt-BR".to_owned(),
            format!("email.except must be one of: {kinds}"),
            "email.address is not a member of this request".to_owned(),
            "sms.phone must be a phone number with its country, such as +5511987654321".to_owned(),
            "push.target_arn must be the ARN of an SNS platform endpoint".to_owned(),
        ]
    );
    assert_eq!(world.get("/v1/customers/cus_00000000000Z/notifications").await.code(), (404, "not_found"));
}

#[tokio::test]
async fn customers_say_what_they_want_and_not_who_is_called_for_it() {
    let world = World::new().await;
    let customer = world.sign_up("ana@example.com").await;
    let path = path(&customer);
    world.change(Method::PUT, &path, None, json!({"sms": {"phone": "+5511987654321"}})).await.expect(200);
    let (token, _) = world.sign_in("ana@example.com").await;
    let put = async |body: Value| world.send(with(&token, Method::PUT, &path), Some(body)).await;
    let own = json!({"language": "en", "email": {"enabled": false}, "sms": {"enabled": false, "phone": "+5511987654321"}});
    assert_eq!(put(own).await.expect(200)["sms"]["enabled"], false);
    for body in [
        json!({"sms": {"phone": "+12025550100"}}),
        json!({}),
        json!({"sms": {"phone": "+5511987654321"}, "push": {"target_arn": APP}}),
    ] {
        assert_eq!(put(body.clone()).await.code(), (403, "forbidden"), "{body}");
    }
}
