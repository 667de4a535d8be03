use crate::sign_in::with;
use crate::world::{Says, World, brl, plan};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn there_is_always_one_default() {
    let world = World::new().await;
    let customer = world.customer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let card = json!({
        "type": "credit_card", "token": "tok_visa", "brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030,
        "country": "pt",
    });
    let first = world.post(&path, card).await.expect(201);
    let id = first["id"].clone();
    assert_eq!(
        first,
        json!({
            "id": id, "customer_id": customer, "type": "credit_card", "gateway": "sandbox", "gateways": ["sandbox"], "brand": "visa",
            "last4": "4242", "exp_month": 12, "exp_year": 2030, "country": "PT", "default": true, "created_at": "2026-11-02T12:00:00.000Z",
        })
    );
    world.wait(1);
    let pix = world.post(&path, json!({"type": "pix", "key": "11222333003520"})).await.expect(201);
    assert_eq!((&pix["default"], &pix["key"]), (&json!(false), &json!("11222333003520")));
    world.wait(1);
    let third = world.post(&path, json!({"type": "pix", "key": "a@b.c", "default": true})).await.expect(201);
    assert_eq!(third["default"], true);

    let defaults = |list: &Value| -> Vec<bool> {
        list["data"].as_array().unwrap().iter().map(|method| method["default"].as_bool().unwrap()).collect()
    };
    assert_eq!(defaults(&world.get(&path).await.expect(200)), [true, false, false]);
    let one = |method: &Value| format!("{path}/{}", method["id"].as_str().unwrap());
    let made = world.post(&format!("{}/default", one(&pix)), json!({})).await.expect(200);
    assert_eq!(made["default"], true);
    assert_eq!(world.delete(&one(&pix)).await.status, 204);
    assert_eq!(world.get(&one(&pix)).await.code(), (404, "not_found"));
    assert_eq!(world.delete(&one(&pix)).await.code(), (404, "not_found"));
    assert_eq!(world.get(&one(&third)).await.expect(200)["default"], true, "the newest of the rest");

    let page = world.get(&format!("{path}?limit=1")).await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = world.get(&format!("{path}?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!((&rest["data"][0]["id"], &rest["next_cursor"]), (&id, &Value::Null));
}

#[tokio::test]
async fn a_card_number_comes_in_by_no_door() {
    let world = World::new().await;
    let path = format!("/v1/customers/{}/payment-methods", world.customer().await);
    for (body, field) in [
        (json!({"type": "credit_card", "token": "4111111111111111"}), "token"),
        (json!({"type": "credit_card", "token": 4_111_111_111_111_111_u64}), "token"),
        (json!({"type": "credit_card", "token": "tok_visa", "brand": "4111 1111-1111.1111"}), "brand"),
        (json!({"type": "credit_card", "token": "tok_visa", "x": {"y": ["4111111111111111"]}}), "x.y[0]"),
        (json!({"type": "credit_card", "token": "tok_visa", "4111111111111111": 1}), "(a card number)"),
        (json!({"type": "pix", "key": "4111111111111111"}), "key"),
        (json!({"type": "4111111111111111"}), "type"),
    ] {
        let answer = world.post(&path, body).await;
        let reason = "looks like a card number; send the token that the gateway's own form gives";
        assert!(answer.faults().contains(&format!("{field} {reason}")), "{}", answer.text);
        assert!(!answer.text.contains("1111"), "{}", answer.text);
    }
}

#[tokio::test]
async fn every_fault_of_a_payment_method_is_named() {
    let world = World::new().await;
    let path = format!("/v1/customers/{}/payment-methods", world.customer().await);
    for (body, faults) in [
        (json!({}), vec!["type is required"]),
        (json!({"type": "boleto", "token": 1}), vec!["type must be one of: credit_card, pix"]),
        (
            json!({"type": "pix", "key": "a b", "token": "t"}),
            vec![
                "key must be a pix key: e-mail, +55 phone, CPF, CNPJ or random key",
                "token is not a member of this request",
            ],
        ),
        (
            json!({"type": "credit_card", "last4": "42", "exp_month": 13, "exp_year": 2030, "default": "yes", "gateway": "A"}),
            vec![
                "default must be true or false",
                "gateway must be the name of a gateway, such as sandbox",
                "token is required",
                "last4 must be exactly four digits",
                "exp_month must be a month from 1 to 12",
            ],
        ),
        (
            json!({"type": "credit_card", "token": "t", "exp_year": 2030}),
            vec!["exp_month is required with the other half of the expiry"],
        ),
        (
            json!({"type": "credit_card", "token": "t", "gateway": "stripe"}),
            vec!["gateway must be a gateway that takes cards here"],
        ),
    ] {
        assert_eq!(world.post(&path, body).await.faults(), faults);
    }
}

#[tokio::test]
async fn a_card_is_kept_by_several_gateways_and_forgotten_by_all() {
    let world = World::new().await;
    let customer = world.payer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let card = world.get(&path).await.expect(200)["data"][0].clone();
    let one = format!("{path}/{}", card["id"].as_str().unwrap());
    let hold = async |gateway: &str, token: &str| {
        let path = format!("{one}/tokens/{gateway}");
        world.change(Method::PUT, &path, None, json!({"token": token})).await
    };
    let shared = hold("other", "once_b").await.expect(200);
    assert_eq!((&shared["gateway"], &shared["gateways"]), (&json!("sandbox"), &json!(["sandbox", "other"])));
    assert_eq!(
        (world.gateway.held(), world.other.held()),
        (vec!["tok_visa".to_owned()], vec!["once_b".to_owned()])
    );
    assert_eq!(world.get(&one).await.expect(200), shared);
    assert_eq!(hold("other", "once_b").await.expect(200), shared, "again");

    assert_eq!(
        hold("other", "once_c").await.code(),
        (422, "failed_precondition"),
        "it holds the card already"
    );
    assert_eq!(hold("stripe", "once_c").await.code(), (404, "not_found"));
    let number = hold("other", "4111111111111111").await.faults();
    assert_eq!(number, ["token looks like a card number; send the token that the gateway's own form gives"]);

    // One gateway doesn't answer: the card is gone here all the same, and it is told again until it does.
    world.other.is_silent(true);
    assert_eq!(world.delete(&one).await.status, 204);
    world.collect_all().await;
    assert_eq!(world.get(&one).await.code(), (404, "not_found"));
    assert_eq!((world.gateway.held().len(), world.other.held().len()), (0, 1));
    world.pass(60).await;
    assert_eq!(world.other.held().len(), 1);
    world.other.is_silent(false);
    world.pass(120).await;
    assert_eq!(world.other.held().len(), 0);
    world.pass(86_400).await;
    assert!(world.queue.take().is_empty(), "nothing is left to be told");
}

#[tokio::test]
async fn a_token_that_the_gateway_refuses_makes_no_card_and_the_first_answer_stands() {
    let world = World::new().await;
    let customer = world.customer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let add = async |key: &str| {
        let request = world.request(Method::POST, &path).header("Idempotency-Key", key);
        let card = json!({"type": "credit_card", "gateway": "other", "token": "once_a"});
        world.send(request, Some(card)).await
    };
    let off = add("first").await.faults();
    assert_eq!(off, ["gateway must be a gateway that takes cards here"], "it is not in use");
    let on = json!({"enabled": true, "priority": 200, "payment_method_types": ["credit_card"]});
    world.change(Method::PUT, "/v1/gateways/other", None, on).await.expect(200);
    world.wait(30);
    // The gateway keeps it and doesn't say so: the same order finds it kept.
    world.other.is_silent(true);
    assert_eq!(add("first").await.code(), (503, "unavailable"));
    assert_eq!(world.other.held(), ["once_a"]);
    world.other.is_silent(false);
    let added = add("first").await.expect(201);
    let replayed = add("first").await;
    assert_eq!((replayed.header("idempotent-replayed"), &replayed.body), ("true", &added));
    assert_eq!(add("second").await.faults(), ["token was refused by other: the token was used before"]);
    assert_eq!(world.get(&path).await.expect(200)["data"].as_array().unwrap().len(), 1);
    let stranger = format!("/v1/customers/{}/payment-methods", "cus_0000000000000");
    let card = json!({"type": "credit_card", "token": "once_b"});
    assert_eq!(world.post(&stranger, card).await.code(), (404, "not_found"));
}

#[tokio::test]
async fn a_card_of_two_gateways_is_charged_where_the_first_does_not_take_it() {
    let world = World::new().await;
    let on = json!({"enabled": true, "priority": 200, "payment_method_types": ["credit_card"]});
    world.change(Method::PUT, "/v1/gateways/other", None, on).await.expect(200);
    let customer = world.payer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let card = world.get(&path).await.expect(200)["data"][0]["id"].clone();
    let only = world.charged(&customer, Says::NotSent).await;
    assert_eq!(world.show(&only).await["status"], "pending", "the other gateway doesn't know this card");
    let tokens = format!("{path}/{}/tokens/other", card.as_str().unwrap());
    world.change(Method::PUT, &tokens, None, json!({"token": "tok_other"})).await.expect(200);
    world.wait(30);
    let both = world.charged(&customer, Says::NotSent).await;
    world.collect_all().await;
    let shown = world.show(&both).await;
    assert_eq!((&shown["status"], &shown["gateway"]), (&json!("paid"), &json!("other")));
}

#[tokio::test]
async fn a_card_is_forgotten_when_nothing_is_to_be_charged_to_it_any_more() {
    let world = World::new().await;
    let customer = world.payer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let card = world.get(&path).await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    let mut planned = plan(&customer);
    planned["charge_at"] = json!("2026-11-05T12:00:00.000Z");
    let invoice = world.post("/v1/invoices", planned).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(world.delete(&format!("{path}/{card}")).await.status, 204);
    world.collect_all().await;
    for _ in 0..2 {
        world.pass(86_400).await;
        assert_eq!(world.gateway.held(), ["tok_visa"], "the charge was planned with it");
    }
    world.pass(86_400).await;
    assert_eq!(world.show(&invoice).await["status"], "paid");
    world.pass(86_400).await;
    assert!(world.gateway.held().is_empty());
}

#[tokio::test]
async fn a_card_that_was_added_again_is_not_forgotten_with_the_first() {
    let world = World::new().await;
    let customer = world.payer().await;
    let path = format!("/v1/customers/{customer}/payment-methods");
    let first = world.get(&path).await.expect(200)["data"][0]["id"].as_str().unwrap().to_owned();
    world.add_card(&customer, "tok_visa").await;
    assert_eq!(world.delete(&format!("{path}/{first}")).await.status, 204);
    world.collect_all().await;
    assert_eq!(world.gateway.held(), ["tok_visa"]);
    world.pass(86_400).await;
    assert_eq!(world.gateway.held(), ["tok_visa"]);
}

/// Risk rules trust where a card was issued, so whoever pays with it doesn't say.
#[tokio::test]
async fn a_payer_does_not_say_where_a_card_was_issued() {
    let world = World::new().await;
    let ana = world.sign_up("ana@example.com").await;
    let (token, _) = world.sign_in("ana@example.com").await;
    let path = format!("/v1/customers/{ana}/payment-methods");
    let add = async |key: &str, country: Value| {
        let card = json!({"type": "credit_card", "token": "tok_visa", "country": country});
        let once = card["country"].as_str().unwrap_or("unsaid");
        let request = with(key, Method::POST, &path).header("Idempotency-Key", once);
        world.send(request, Some(card)).await
    };
    assert_eq!(add(&token, json!("BR")).await.code(), (403, "forbidden"));
    assert_eq!(world.get(&path).await.expect(200)["data"], json!([]));
    assert_eq!(add(&token, Value::Null).await.expect(201)["country"], Value::Null);
    let service = world.service_key().await;
    assert_eq!(add(&service, json!("PT")).await.expect(201)["country"], "PT");
}

/// It is shown to whoever told it, and judged by as if nobody had.
#[tokio::test]
async fn what_a_payer_says_of_a_cards_network_is_not_trusted() {
    let world = World::new().await;
    let rule = json!({"name": "known", "expression": "has(payment_method.brand)", "score": 7});
    world.change(Method::PUT, "/v1/risk-rules", None, json!({"rules": [rule]})).await.expect(200);
    world.wait(31);
    let ana = world.sign_up("ana@example.com").await;
    let (token, _) = world.sign_in("ana@example.com").await;
    let path = format!("/v1/customers/{ana}/payment-methods");
    for (place, (key, score)) in [(&token, 0), (&world.service_key().await, 7)].into_iter().enumerate() {
        let request = with(key, Method::POST, &path).header("Idempotency-Key", format!("{place}"));
        let card = json!({"type": "credit_card", "token": "tok_visa", "brand": "mastercard"});
        let card = world.send(request, Some(card)).await.expect(201);
        assert_eq!(card["brand"], "mastercard");
        let asked = json!({"customer_id": ana, "payment_method_id": card["id"], "amount": brl("1.00")});
        assert_eq!(world.post("/v1/risk", asked).await.expect(200)["score"], json!(score));
    }
}
