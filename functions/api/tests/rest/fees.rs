use crate::world::{BY_OPERATOR, World, brl};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_merchant_has_the_platforms_fees_until_it_has_its_own() {
    let world = World::new().await;
    let shop = world.merchant().await;
    let own = format!("/v1/customers/{shop}/fees");
    let none = world.get(&own).await.expect(200);
    assert_eq!((&none["rate"], &none["fixed"], &none["version"]), (&json!("0"), &json!([]), &json!(0)));

    let put = json!({"rate": 0.029, "fixed": [brl("0.30"), {"amount": 10, "currency": "JPY"}]});
    let platform = world.change(Method::PUT, "/v1/fees", None, put).await.expect(200);
    assert_eq!((&platform["rate"], &platform["version"]), (&json!("0.029"), &json!(1)));
    assert_eq!(platform["fixed"], json!([brl("0.30"), {"amount": "10", "currency": "JPY"}]));
    assert_eq!((&platform["merchant_id"], &platform["updated_by"]), (&Value::Null, &json!(BY_OPERATOR)));
    assert_eq!(world.get(&own).await.expect(200), platform);
    assert_eq!(world.get("/v1/fees").await.expect(200), platform);

    let cheaper = world.change(Method::PUT, &own, None, json!({"rate": "0.01"})).await.expect(200);
    assert_eq!((&cheaper["merchant_id"], &cheaper["fixed"]), (&json!(shop), &json!([])));
    assert_eq!(world.get(&own).await.expect(200), cheaper);
    assert_eq!(world.get("/v1/fees").await.expect(200), platform, "nobody else's change");
    let other = world.merchant().await;
    assert_eq!(world.get(&format!("/v1/customers/{other}/fees")).await.expect(200), platform);
}

#[tokio::test]
async fn fees_are_changed_by_whoever_has_seen_them() {
    let world = World::new().await;
    let own = format!("/v1/customers/{}/fees", world.merchant().await);
    for path in ["/v1/fees", own.as_str()] {
        let put = async |tag: &str| world.change(Method::PUT, path, Some(tag), json!({"rate": "0.01"})).await;
        put("\"0\"").await.expect(200);
        assert_eq!(put("\"0\"").await.code(), (412, "version_mismatch"));
        assert_eq!(put("\"1\"").await.header("etag"), "\"2\"");
    }
    let nobody = "/v1/customers/cus_000000000000/fees";
    let put = world.change(Method::PUT, nobody, None, json!({"rate": "0.01"})).await;
    assert_eq!(put.code(), (404, "not_found"));
    assert_eq!(world.get(nobody).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn what_are_no_fees_is_said_so() {
    let world = World::new().await;
    for (body, fault) in [
        (json!({}), "rate is required"),
        (json!({"rate": "1.01"}), "rate must be from 0 to 1: 2.9 per cent are 0.029"),
        (json!({"rate": "0.0000001"}), "rate must have at most 6 decimals"),
        (json!({"rate": "0", "fixed": {}}), "fixed must be a list"),
        (json!({"rate": "0", "fixed": [brl("-0.01")]}), "fixed must not be negative"),
        (json!({"rate": "0", "fixed": [brl("1.00"), brl("2.00")]}), "fixed must name a currency once"),
        (json!({"rate": "0", "fixed": [brl("0.001")]}), "fixed[0] must have at most 2 decimals in BRL"),
        (json!({"rate": "0", "fixd": []}), "fixd is not a member of this request"),
    ] {
        let refused = world.change(Method::PUT, "/v1/fees", None, body.clone()).await;
        assert_eq!(refused.faults(), [fault], "{body}");
    }
}
