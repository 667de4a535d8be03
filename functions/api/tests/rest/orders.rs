use crate::world::{World, brl};
use http::Method;
use serde_json::{Value, json};

impl World {
    pub(crate) async fn merchant(&self) -> String {
        let email = format!("shop{}@example.com", self.table.store.meter().reading().calls);
        let shop = json!({"name": "Shop", "email": email, "kind": "merchant"});
        self.post("/v1/customers", shop).await.created()
    }

    pub(crate) async fn order(&self, buyer: &str, merchant: &str, price: &str) -> String {
        self.post("/v1/orders", one_cup(buyer, merchant, price)).await.created()
    }

    pub(crate) async fn status_of_order(&self, order: &str) -> String {
        let shown = self.get(&format!("/v1/orders/{order}")).await.expect(200);
        shown["status"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn one_cup(buyer: &str, merchant: &str, price: &str) -> Value {
    let items = [json!({"description": "Cup", "quantity": 1, "unit_price": price})];
    json!({"buyer_id": buyer, "merchant_id": merchant, "currency": "BRL", "items": items})
}

#[tokio::test]
async fn an_order_is_placed_looked_at_and_canceled_once() {
    let world = World::new().await;
    let (ana, shop) = (world.customer().await, world.merchant().await);
    let mut body = one_cup(&ana, &shop, "12.50");
    body["description"] = json!("Two cups");
    body["items"][0]["quantity"] = json!("2");
    body["metadata"] = json!({"cart": "7"});
    let placed = world.post("/v1/orders", body).await.expect(201);
    assert_eq!((&placed["status"], &placed["total"]), (&json!("open"), &brl("25.00")));
    assert_eq!((&placed["buyer_id"], &placed["merchant_id"]), (&json!(ana), &json!(shop)));
    assert_eq!(placed["items"][0]["total"], brl("25.00"));
    let path = format!("/v1/orders/{}", placed["id"].as_str().unwrap());
    let shown = world.get(&path).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    assert_eq!(shown.expect(200), placed);

    world.wait(1);
    let canceled = world.delete(&path).await.expect(200);
    assert_eq!((&canceled["status"], &canceled["version"]), (&json!("canceled"), &json!(2)));
    assert_eq!(world.delete(&path).await.expect(200), canceled);
}

#[tokio::test]
async fn what_is_no_order_is_said_so() {
    let world = World::new().await;
    let (ana, shop) = (world.customer().await, world.merchant().await);
    let refused = async |buyer: &str, merchant: &str| {
        world.post("/v1/orders", one_cup(buyer, merchant, "1.00")).await.faults()
    };
    let no_merchant = ["merchant_id is no merchant's"];
    assert_eq!(refused(&ana, &ana).await, no_merchant);
    assert_eq!(refused(&ana, "cus_000000000000").await, no_merchant);
    assert_eq!(refused(&shop, &shop).await, ["merchant_id must not be the buyer"]);
    assert_eq!(refused(&ana, "cus_1").await, ["merchant_id is not an id of this kind"]);
    let nobody = world.post("/v1/orders", one_cup("cus_000000000000", &shop, "1.00")).await;
    assert_eq!(nobody.code(), (404, "not_found"));
    let mut empty = one_cup(&ana, &shop, "1.00");
    empty["items"] = json!([]);
    assert_eq!(world.post("/v1/orders", empty).await.faults(), ["items must have at least 1 entry"]);
    assert_eq!(world.get("/v1/orders/ord_1").await.code(), (404, "not_found"));
    let missing = "/v1/orders/ord_0000000000000000000000000000";
    assert_eq!(world.get(missing).await.code(), (404, "not_found"));
    assert_eq!(world.delete(missing).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn a_buyers_orders_come_newest_first_each_as_it_stands() {
    let world = World::new().await;
    let (ana, shop) = (world.saver("100.00").await, world.merchant().await);
    let mut orders = Vec::new();
    for price in ["1.00", "2.00", "3.00"] {
        orders.push(world.order(&ana, &shop, price).await);
        world.wait(1);
    }
    world.order(&world.customer().await, &shop, "4.00").await;
    let source = json!({"order_ids": [orders[1]], "source": {"wallet": true}});
    world.post("/v1/payments", source).await.expect(202);
    world.delete(&format!("/v1/orders/{}", orders[0])).await.expect(200);
    let path = format!("/v1/orders?customer_id={ana}");
    let listed = world.get(&path).await.expect(200);
    let told: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|order| (&order["id"], &order["status"])).collect();
    let expected = [(&orders[2], "open"), (&orders[1], "paid"), (&orders[0], "canceled")];
    assert_eq!(told, expected.map(|(id, status)| (json!(id), json!(status))).each_ref().map(|(a, b)| (a, b)));

    let first = world.get(&format!("{path}&limit=2")).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("{path}&limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &Value::Null));
    assert_eq!(world.get("/v1/orders").await.faults(), ["customer_id is required"]);
}

#[tokio::test]
async fn the_same_order_twice_is_one() {
    let world = World::new().await;
    let (ana, shop) = (world.customer().await, world.merchant().await);
    let body = one_cup(&ana, &shop, "1.00");
    let first = world.post_as("once", "/v1/orders", body.clone()).await.created();
    let again = world.post_as("once", "/v1/orders", body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.created(), first);
    let request = world.request(Method::POST, "/v1/orders");
    let unkeyed = world.send(request, Some(one_cup(&ana, &shop, "1.00"))).await;
    assert_eq!(unkeyed.code(), (400, "idempotency_key_missing"));
}
