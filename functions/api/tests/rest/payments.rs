use crate::sign_in::with;
use crate::world::{DAY, Says, World, brl, steps};
use fatura_domain::charge::FailureClass;
use fatura_domain::gateway::DisputeVerdict;
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};

impl World {
    pub(crate) async fn pay<Id: AsRef<str>>(&self, orders: &[Id], source: Value) -> crate::world::Answer {
        self.post(
            "/v1/payments",
            json!({"order_ids": orders.iter().map(Id::as_ref).collect::<Vec<_>>(), "source": source}),
        )
        .await
    }

    /// The payment of an order for so much, out of a wallet that has just that.
    pub(crate) async fn paid_from_wallet(&self, buyer: &str, merchant: &str, price: &str) -> String {
        self.move_money(buyer, "credit", price).await.expect(201);
        let order = self.order(buyer, merchant, price).await;
        let paid = self.pay(&[&order], json!({"wallet": true})).await.expect(202);
        paid["id"].as_str().unwrap().to_owned()
    }

    async fn payment(&self, id: &Value) -> Value {
        self.get(&format!("/v1/payments/{}", id.as_str().unwrap())).await.expect(200)
    }

    /// 2.9 per cent and 0.30 for everybody.
    async fn takes_fees(&self) {
        let fees = json!({"rate": "0.029", "fixed": [brl("0.30")]});
        self.change(Method::PUT, "/v1/fees", None, fees).await.expect(200);
    }

    async fn books_agree(&self, customers: &[&String]) {
        for customer in customers {
            let body = json!({"customer_id": customer});
            let found = self.post("/v1/ledger/verify", body).await.expect(200);
            assert_eq!(found["findings"], json!([]), "{customer}");
        }
    }
}

fn wallet() -> Value {
    json!({"wallet": true})
}

#[tokio::test]
async fn a_card_pays_two_merchants_at_once_and_parts_go_back_from_both() {
    let world = World::new().await;
    world.takes_fees().await;
    let (ana, shop, other) = (world.payer().await, world.merchant().await, world.merchant().await);
    let orders = [world.order(&ana, &shop, "70.00").await, world.order(&ana, &other, "30.00").await];
    let made = world.pay(&[&orders[0], &orders[1]], json!({})).await.expect(202);
    assert_eq!((&made["status"], &made["total"]), (&json!("pending"), &brl("100.00")));
    assert_eq!(made["orders"][0]["fee"], brl("2.33"));
    assert_eq!(made["orders"][0]["net"], brl("67.67"));
    assert_eq!(world.status_of_order(&orders[0]).await, "payment_pending");
    world.collect_all().await;

    let paid = world.payment(&made["id"]).await;
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &brl("100.00")));
    assert_eq!((&paid["attempts"][0]["status"], &paid["refunds"]), (&json!("succeeded"), &json!([])));
    assert_eq!(world.status_of_order(&orders[1]).await, "paid");
    assert_eq!(world.holds(&shop).await, json!([brl("67.67")]));
    assert_eq!(world.holds(&other).await, json!([brl("28.83")]));

    let path = format!("/v1/refunds/{}", made["id"].as_str().unwrap());
    let part = world.post(&path, json!({"amount": "50.00", "reason": "late"})).await.expect(202);
    assert_eq!((&part["status"], &part["amount"]), (&json!("pending"), &brl("50.00")));
    world.collect_all().await;
    assert_eq!(world.holds(&shop).await, json!([brl("33.83")]));
    assert_eq!(world.holds(&other).await, json!([brl("14.42")]));
    let invoice = made["invoice_id"].as_str().unwrap();
    world.post(&format!("/v1/invoices/{invoice}/refunds"), json!({})).await.expect(202);
    world.collect_all().await;
    for merchant in [&shop, &other] {
        assert_eq!(world.holds(merchant).await, json!([brl("0.00")]));
    }
    let paid = world.payment(&made["id"]).await;
    assert_eq!((&paid["status"], &paid["orders"][0]["amount_returned"]), (&json!("refunded"), &brl("70.00")));
    assert_eq!(paid["refunds"].as_array().unwrap().len(), 2);
    assert_eq!(world.status_of_order(&orders[0]).await, "refunded");
    assert_eq!(world.show(invoice).await["payment_id"], made["id"]);
    world.books_agree(&[&ana, &shop, &other]).await;
}

#[tokio::test]
async fn a_merchant_sees_its_part_and_nobody_elses() {
    let world = World::new().await;
    world.takes_fees().await;
    let ana = world.payer().await;
    let shop = {
        let body = json!({"name": "Shop", "email": "shop@example.com", "kind": "merchant", "password": crate::sign_in::PASSWORD});
        world.post("/v1/customers", body).await.created()
    };
    let other = world.merchant().await;
    let orders = [world.order(&ana, &shop, "70.00").await, world.order(&ana, &other, "30.00").await];
    let made = world.pay(&[&orders[0], &orders[1]], json!({})).await.expect(202);
    world.collect_all().await;
    let (token, _) = world.sign_in("shop@example.com").await;
    let ask = async |path: String| world.send(with(&token, Method::GET, &path), None).await;
    let listed = ask(format!("/v1/customers/{shop}/transactions?type=charge")).await.expect(200);
    let sold = &listed["data"][0];
    assert_eq!((&sold["amount"], &sold["direction"]), (&brl("70.00"), &json!("credit")));
    assert_eq!((&sold["items"], &sold["payment_method_id"]), (&json!(["Cup"]), &Value::Null));
    let statement = ask(format!("/v1/ledger/{shop}")).await.expect(200);
    let entries = statement["data"][0]["journal"]["entries"].as_array().unwrap().len();
    assert_eq!(entries, 3, "what came, what is the shop's, and the fee");
    // Nothing of who bought, and nothing of the charge that paid.
    for seen in [&listed, &statement] {
        assert!(!seen.to_string().contains(&ana[4..]), "{seen}");
    }
    let journal = &statement["data"][0]["journal"];
    for member in ["invoice_id", "gateway", "gateway_reference"] {
        assert_eq!((&sold[member], &journal[member]), (&Value::Null, &Value::Null), "{member}");
    }
    let kept = world.get(&format!("/v1/ledger/{shop}")).await.expect(200)["data"][0]["journal"].clone();
    assert_eq!((&kept["invoice_id"], &kept["gateway"]), (&made["invoice_id"], &json!("sandbox")));
    assert!(kept["gateway_reference"].is_string(), "{kept}");
    world.paid_from_wallet(&ana, &shop, "2.00").await;
    for path in [format!("/v1/customers/{shop}/transactions"), format!("/v1/ledger/{shop}")] {
        let seen = ask(path).await.expect(200);
        assert_eq!(seen["data"].as_array().unwrap().len(), 2);
        assert!(!seen.to_string().contains(&ana[4..]), "{seen}");
    }
    let payment = format!("/v1/payments/{}", made["id"].as_str().unwrap());
    assert_eq!(ask(payment).await.code(), (404, "not_found"));
    assert_eq!(ask(format!("/v1/orders/{}", orders[0])).await.code(), (404, "not_found"));
    let fees = ask(format!("/v1/customers/{shop}/fees")).await.expect(200);
    assert_eq!((&fees["rate"], &fees["updated_by"]), (&json!("0.029"), &Value::Null));
}

#[tokio::test]
async fn a_wallet_pays_at_once_and_gets_back_at_once() {
    let world = World::new().await;
    world.takes_fees().await;
    let (ana, shop) = (world.saver("50.00").await, world.merchant().await);
    let order = world.order(&ana, &shop, "40.00").await;
    let paid = world.pay(&[&order], wallet()).await.expect(202);
    assert_eq!((&paid["status"], &paid["source"]["wallet"]), (&json!("paid"), &json!(true)));
    assert!(world.queue.take().is_empty(), "nobody has to be asked");
    assert_eq!(world.holds(&ana).await, json!([brl("10.00")]));
    assert_eq!(world.holds(&shop).await, json!([brl("38.54")]));
    let invoice = world.show(paid["invoice_id"].as_str().unwrap()).await;
    assert_eq!(steps(&invoice), ["created", "charge_requested", "paid_from_wallet"]);
    let listed = world.get(&format!("/v1/customers/{ana}/transactions?type=charge")).await.expect(200);
    assert_eq!(
        (&listed["data"][0]["invoice_id"], &listed["data"][0]["direction"]),
        (&invoice["id"], &json!("debit"))
    );

    world.wait(1);
    let path = format!("/v1/refunds/{}", paid["id"].as_str().unwrap());
    let back = world.post(&path, json!({"amount": brl("15.00")})).await.expect(202);
    assert_eq!((&back["status"], &back["gateway"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(world.holds(&ana).await, json!([brl("25.00")]));
    world.wait(1);
    world.post(&path, json!({})).await.expect(202);
    assert!(world.queue.take().is_empty());
    assert_eq!(world.holds(&ana).await, json!([brl("50.00")]));
    assert_eq!(world.holds(&shop).await, json!([brl("0.00")]));
    let again = world.post(&path, json!({})).await;
    assert_eq!(again.code(), (422, "failed_precondition"));
    world.books_agree(&[&ana, &shop]).await;
}

#[tokio::test]
async fn a_wallet_that_does_not_cover_it_pays_nothing() {
    let world = World::new().await;
    let (ana, shop) = (world.saver("10.00").await, world.merchant().await);
    let orders = [world.order(&ana, &shop, "6.00").await, world.order(&ana, &shop, "4.01").await];
    let refused = world.pay(&[&orders[0], &orders[1]], wallet()).await;
    assert_eq!(refused.code(), (422, "insufficient_funds"));
    assert_eq!(refused.body["detail"], "the wallet has 10.00 BRL, which is not enough");
    for order in &orders {
        assert_eq!(world.status_of_order(order).await, "open");
    }
    assert_eq!(world.get(&format!("/v1/payments?customer_id={ana}")).await.expect(200)["data"], json!([]));
    let empty = world.customer().await;
    let order = world.order(&empty, &shop, "0.01").await;
    assert_eq!(world.pay(&[&order], wallet()).await.code(), (422, "insufficient_funds"));
    assert_eq!(world.holds(&shop).await, json!([]), "no wallet was opened for nothing");
}

#[tokio::test]
async fn many_at_once_spend_no_more_than_there_is() {
    let world = World::new().await;
    let (ana, shop) = (world.saver("10.00").await, world.merchant().await);
    let mut orders = Vec::new();
    for _ in 0..30 {
        orders.push(world.order(&ana, &shop, "1.00").await);
    }
    let answers = join_all(orders.iter().map(|order| world.pay(std::slice::from_ref(order), wallet()))).await;
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(202), count(422)), (10, 20));
    assert_eq!(world.holds(&ana).await, json!([brl("0.00")]));
    assert_eq!(world.holds(&shop).await, json!([brl("10.00")]));
    world.books_agree(&[&ana, &shop]).await;
}

#[tokio::test]
async fn an_order_is_paid_once_however_many_want_to() {
    let world = World::new().await;
    let (ana, shop) = (world.saver("100.00").await, world.merchant().await);
    let order = world.order(&ana, &shop, "1.00").await;
    let answers = join_all((0..8).map(|_| world.pay(std::slice::from_ref(&order), wallet()))).await;
    let paid = answers.iter().filter(|answer| answer.status == 202).count();
    let refused = answers.iter().filter(|answer| answer.code() == (422, "failed_precondition")).count();
    assert_eq!((paid, refused), (1, 7));
    assert_eq!(world.holds(&ana).await, json!([brl("99.00")]));
    let late = world.pay(&[&order], wallet()).await;
    assert_eq!(late.body["details"], json!({"status": "paid"}));
    let canceled = world.delete(&format!("/v1/orders/{order}")).await;
    assert_eq!(canceled.code(), (422, "failed_precondition"));
}

#[tokio::test]
async fn all_orders_or_none() {
    let world = World::new().await;
    let (ana, shop) = (world.payer().await, world.merchant().await);
    let open = world.order(&ana, &shop, "1.00").await;
    let canceled = world.order(&ana, &shop, "2.00").await;
    world.delete(&format!("/v1/orders/{canceled}")).await.expect(200);
    let refused = world.pay(&[&open, &canceled], json!({})).await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    assert_eq!(refused.body["details"], json!({"status": "canceled"}));
    assert_eq!(world.status_of_order(&open).await, "open");
    let missing =
        "ord_0000000000000000000000000000".replacen("000000000000", ana.strip_prefix("cus_").unwrap(), 1);
    assert_eq!(world.pay(&[&open, &missing], json!({})).await.faults(), ["order_ids[1] is no order's"]);
    assert_eq!(
        world.pay(&[&open, &open], json!({})).await.faults(),
        ["order_ids must not name an order twice"]
    );
    let hers = world.order(&world.customer().await, &shop, "1.00").await;
    assert_eq!(
        world.pay(&[&open, &hers], json!({})).await.faults(),
        ["order_ids must be orders of one buyer"]
    );
    assert_eq!(world.pay::<&str>(&[], json!({})).await.faults(), ["order_ids must have 1 to 20 entries"]);
    assert_eq!(world.pay(&["ord_1"], json!({})).await.faults(), ["order_ids[0] is not an id of this kind"]);
    let gone = json!({"payment_method_id": "pm_0000000000000000000000000000"});
    let fault = "source.payment_method_id is not a payment method of this customer";
    assert_eq!(world.pay(&[&open], gone).await.faults(), [fault]);
    let both = json!({"wallet": true, "payment_method_id": "pm_0000000000000000000000000000"});
    let fault = "source.wallet can't be paid from together with a payment method";
    assert_eq!(world.pay(&[&open], both).await.faults(), [fault]);
    assert_eq!(world.post("/v1/payments", json!({})).await.faults(), ["order_ids is required"]);
    let poor = world.customer().await;
    let order = world.order(&poor, &shop, "1.00").await;
    assert_eq!(world.pay(&[&order], json!({})).await.code(), (422, "no_payment_method"));
}

#[tokio::test]
async fn the_same_payment_twice_is_one() {
    let world = World::new().await;
    let (ana, shop) = (world.saver("10.00").await, world.merchant().await);
    let order = world.order(&ana, &shop, "4.00").await;
    let body = json!({"order_ids": [order], "source": wallet()});
    let first = world.post_as("once", "/v1/payments", body.clone()).await.expect(202);
    let again = world.post_as("once", "/v1/payments", body).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(202), first);
    let other = json!({"order_ids": [order]});
    assert_eq!(world.post_as("once", "/v1/payments", other).await.code(), (422, "idempotency_key_reused"));
    assert_eq!(world.holds(&ana).await, json!([brl("6.00")]));
}

#[tokio::test]
async fn a_payment_that_came_to_nothing_leaves_its_orders_to_another() {
    let world = World::new().await;
    let (ana, shop) = (world.payer().await, world.merchant().await);
    let order = world.order(&ana, &shop, "4.00").await;
    world.gateway.says(Says::Declined(FailureClass::InsufficientFunds));
    let failed = world.pay(&[&order], json!({})).await.expect(202);
    world.collect_all().await;
    assert_eq!(world.payment(&failed["id"]).await["failure"]["class"], "insufficient_funds");
    world.move_money(&ana, "credit", "4.00").await.expect(201);
    world.wait(1);
    world.pay(&[&order], wallet()).await.expect(202);
    assert_eq!(world.status_of_order(&order).await, "paid");
    let listed = world.get(&format!("/v1/payments?customer_id={ana}")).await.expect(200);
    let statuses: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|payment| &payment["status"]).collect();
    assert_eq!(statuses, ["paid", "canceled"], "what had failed is given up");
    let invoice = world.show(failed["invoice_id"].as_str().unwrap()).await;
    assert_eq!(steps(&invoice).last(), Some(&"canceled"));
    world.pass(10 * DAY).await;
    assert_eq!(world.payment(&failed["id"]).await["status"], "canceled", "its retry is void");
}

/// Two orders' payment fails, and one of the two is given up: the other is open again.
#[tokio::test]
async fn a_buyer_cancels_an_order_whose_payment_failed() {
    let world = World::new().await;
    let ana = world.sign_up("ana@example.com").await;
    world.add_card(&ana, "tok_visa").await;
    let shop = world.merchant().await;
    let (token, _) = world.sign_in("ana@example.com").await;
    let orders = [world.order(&ana, &shop, "4.00").await, world.order(&ana, &shop, "5.00").await];
    world.gateway.says(Says::Declined(FailureClass::Hard));
    let failed = world.pay(&[&orders[0], &orders[1]], json!({})).await.expect(202);
    let cancel = format!("/v1/orders/{}", orders[0]);
    let early = world.send(with(&token, Method::DELETE, &cancel), None).await;
    assert_eq!(early.body["details"], json!({"status": "payment_pending"}), "it may be at the gateway");
    world.collect_all().await;
    let canceled = world.send(with(&token, Method::DELETE, &cancel), None).await.expect(200);
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(world.payment(&failed["id"]).await["status"], "canceled");
    let history = world.show(failed["invoice_id"].as_str().unwrap()).await["history"].clone();
    assert_eq!(history.as_array().unwrap().last().unwrap()["by"], json!(ana));
    assert_eq!(world.status_of_order(&orders[1]).await, "open");
    world.gateway.says(Says::Yes);
    world.add_card(&ana, "tok_other").await;
    world.collect_all().await;
    assert_eq!(
        world.status_of_order(&orders[1]).await,
        "open",
        "a new card charges nothing that is given up"
    );
}

/// What was declined for its risk is not paid by another way either, even after it was canceled, unless an operator does.
#[tokio::test]
async fn a_buyer_gives_up_what_was_declined_for_its_risk_and_no_more() {
    let world = World::new().await;
    let ana = world.sign_up("ana@example.com").await;
    world.add_card(&ana, "tok_visa").await;
    world.move_money(&ana, "credit", "9.00").await.expect(201);
    let shop = world.merchant().await;
    let (token, _) = world.sign_in("ana@example.com").await;
    let service = world.service_key().await;
    let declining =
        json!({"rules": [{"name": "it", "expression": "amount.minor > 1", "decision": "decline"}]});
    world.change(Method::PUT, "/v1/risk-rules", None, declining).await.expect(200);
    world.wait(31);
    let orders = [world.order(&ana, &shop, "4.00").await, world.order(&ana, &shop, "5.00").await];
    let declined = world.pay(&orders, json!({})).await.expect(202);
    world.collect_all().await;
    let pay = async |token: &str, key: &str| {
        let request = with(token, Method::POST, "/v1/payments").header("Idempotency-Key", key);
        world.send(request, Some(json!({"order_ids": [orders[0]], "source": wallet()}))).await
    };
    assert_eq!(pay(&token, "1").await.code(), (403, "forbidden"));
    let cancel = with(&token, Method::DELETE, &format!("/v1/orders/{}", orders[1]));
    assert_eq!(world.send(cancel, None).await.expect(200)["status"], "canceled");
    assert_eq!(world.payment(&declined["id"]).await["status"], "canceled");
    assert_eq!(world.status_of_order(&orders[0]).await, "open");
    assert_eq!(pay(&token, "2").await.code(), (403, "forbidden"));
    assert_eq!(pay(&service, "3").await.code(), (403, "forbidden"));
    world.pay(&orders[..1], wallet()).await.expect(202);
    assert_eq!(world.status_of_order(&orders[0]).await, "paid");
}

#[tokio::test]
async fn what_a_merchant_was_paid_out_is_owed_when_it_goes_back() {
    let world = World::new().await;
    let (ana, shop) = (world.payer().await, world.merchant().await);
    let order = world.order(&ana, &shop, "40.00").await;
    let made = world.pay(&[&order], json!({})).await.expect(202);
    world.collect_all().await;
    world.move_money(&shop, "debit", "30.00").await.expect(201);
    world.wait(1);
    world.post(&format!("/v1/refunds/{}", made["id"].as_str().unwrap()), json!({})).await.expect(202);
    world.collect_all().await;
    assert_eq!(world.payment(&made["id"]).await["status"], "refunded", "the buyer has the money");
    assert_eq!(world.holds(&shop).await, json!([brl("10.00")]));
    let open = world.get("/v1/attention?kind=merchant_not_settled").await.expect(200);
    let detail = open["data"][0]["detail"].as_str().unwrap();
    assert_eq!(detail, format!("{shop} owes 40.00, which its wallet didn't have"));
    world.books_agree(&[&ana, &shop]).await;
}

#[tokio::test]
async fn what_a_bank_takes_back_is_taken_from_the_merchant() {
    let world = World::new().await;
    world.takes_fees().await;
    let (ana, shop) = (world.payer().await, world.merchant().await);
    let order = world.order(&ana, &shop, "40.00").await;
    let made = world.pay(&[&order], json!({})).await.expect(202);
    world.collect_all().await;
    assert_eq!(world.holds(&shop).await, json!([brl("38.54")]));
    let contest = format!("/v1/invoices/{}/contest", made["invoice_id"].as_str().unwrap());
    world.post(&contest, json!({"reason": "fraud"})).await.expect(202);
    assert_eq!(world.status_of_order(&order).await, "in_protest");
    world.gateway.disputes("dp_1", DisputeVerdict::Lost);
    world.pass(DAY).await;
    assert_eq!(world.status_of_order(&order).await, "chargeback");
    assert_eq!(world.holds(&shop).await, json!([brl("0.00")]));
    world.books_agree(&[&ana, &shop]).await;
}

#[tokio::test]
async fn an_invoice_is_paid_from_the_wallet_too() {
    let world = World::new().await;
    let ana = world.saver("122.05").await;
    let invoice = world.invoice(&ana).await;
    let path = format!("/v1/invoices/{invoice}/charge");
    let paid = world.post(&path, wallet()).await.expect(202);
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &brl("122.05")));
    assert_eq!(world.holds(&ana).await, json!([brl("0.00")]));
    assert_eq!(world.post(&path, wallet()).await.code(), (422, "failed_precondition"));
    let more = world.invoice(&ana).await;
    let refused = world.post(&format!("/v1/invoices/{more}/charge"), wallet()).await;
    assert_eq!(refused.code(), (422, "insufficient_funds"));
    assert_eq!(world.show(&more).await["status"], "draft");
    world.wait(1);
    world.post(&format!("/v1/invoices/{invoice}/refunds"), json!({})).await.expect(202);
    assert_eq!(world.holds(&ana).await, json!([brl("122.05")]));
    world.wait(8 * DAY);
    world.books_agree(&[&ana]).await;
}

#[tokio::test]
async fn a_buyer_pays_with_a_token_of_its_own_and_sees_no_fees() {
    let world = World::new().await;
    world.takes_fees().await;
    let ana = world.sign_up("ana@example.com").await;
    let (shop, eva) = (world.merchant().await, world.saver("5.00").await);
    world.move_money(&ana, "credit", "5.00").await.expect(201);
    let (own, hers) = (world.order(&ana, &shop, "1.00").await, world.order(&eva, &shop, "1.00").await);
    let (token, _) = world.sign_in("ana@example.com").await;
    let pay = async |key: &str, order: &str| {
        let request = with(&token, Method::POST, "/v1/payments").header("Idempotency-Key", key);
        world.send(request, Some(json!({"order_ids": [order], "source": wallet()}))).await
    };
    let paid = pay("1", &own).await.expect(202);
    let share = &paid["orders"][0];
    assert_eq!((share.get("fee"), share.get("net"), &share["amount"]), (None, None, &brl("1.00")));
    assert_eq!(pay("2", &hers).await.code(), (404, "not_found"));
    let path = format!("/v1/orders/{hers}");
    let canceled = world.send(with(&token, Method::DELETE, &path), None).await;
    assert_eq!(canceled.code(), (404, "not_found"));
}

#[tokio::test]
async fn what_is_no_payment_is_not_found() {
    let world = World::new().await;
    let invoice = world.paid().await;
    let as_payment = invoice.replace("inv_", "pay_");
    assert_eq!(world.get(&format!("/v1/payments/{as_payment}")).await.code(), (404, "not_found"));
    let refund = world.post(&format!("/v1/refunds/{as_payment}"), json!({})).await;
    assert_eq!(refund.code(), (404, "not_found"));
    assert_eq!(world.get("/v1/payments/pay_1").await.code(), (404, "not_found"));
}
