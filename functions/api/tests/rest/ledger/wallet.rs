use crate::world::{Answer, World, brl};
use fatura_application::access::{Caller, Role};
use fatura_application::idempotency::AnswerScope;
use fatura_application::{Error, Once};
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::Transaction;
use fatura_domain::money::{Currency, Money};
use fatura_domain::wallet::{Amount, Movement, Route};
use futures::future::join_all;
use serde_json::{Value, json};

impl World {
    pub(crate) async fn move_money(&self, customer: &str, how: &str, amount: &str) -> Answer {
        let body = json!({"amount": brl(amount), "reference": "order 42"});
        self.post(&format!("/v1/wallet/{customer}/{how}"), body).await
    }

    pub(crate) async fn holds(&self, customer: &str) -> Value {
        self.get(&format!("/v1/wallet/{customer}/balance")).await.expect(200)["balances"].clone()
    }

    /// A customer who has something in the wallet.
    pub(crate) async fn saver(&self, amount: &str) -> String {
        let customer = self.customer().await;
        self.move_money(&customer, "credit", amount).await.expect(201);
        customer
    }
}

#[tokio::test]
async fn money_goes_in_and_out_to_the_last_cent() {
    let world = World::new().await;
    let ana = world.customer().await;
    assert_eq!(world.holds(&ana).await, json!([]));
    let credit = world.move_money(&ana, "credit", "75.50").await.expect(201);
    assert_eq!((&credit["type"], &credit["direction"]), (&json!("wallet"), &json!("credit")));
    assert_eq!((&credit["amount"], &credit["reference"]), (&brl("75.50"), &json!("order 42")));
    assert_eq!(credit["invoice_id"], Value::Null);
    world.move_money(&ana, "credit", "0.01").await.expect(201);
    world.wait(1);
    let yen = json!({"amount": {"amount": 300, "currency": "JPY"}});
    world.post(&format!("/v1/wallet/{ana}/credit"), yen).await.expect(201);
    world.wait(1);
    let debit = world.move_money(&ana, "debit", "75.51").await.expect(201);
    assert_eq!(debit["direction"], "debit");
    assert_eq!(world.holds(&ana).await, json!([brl("0.00"), {"amount": "300", "currency": "JPY"}]));
    let refused = world.move_money(&ana, "debit", "0.01").await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    assert_eq!(refused.body["detail"], "the wallet has 0.00 BRL, which is not enough");

    let listed = world.get(&format!("/v1/customers/{ana}/transactions?type=wallet")).await.expect(200);
    let directions: Vec<_> = listed["data"].as_array().unwrap().iter().map(|t| &t["direction"]).collect();
    assert_eq!(directions, ["debit", "credit", "credit", "credit"]);
    let by_gateway =
        world.get(&format!("/v1/customers/{ana}/transactions?gateway=sandbox")).await.expect(200);
    assert_eq!(by_gateway["data"], json!([]));
}

#[tokio::test]
async fn a_wallet_that_nobody_has_put_anything_into_is_empty() {
    let world = World::new().await;
    let ana = world.customer().await;
    let refused = world.move_money(&ana, "debit", "1.00").await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
    for how in ["credit", "debit"] {
        assert_eq!(world.move_money("cus_000000000000", how, "1.00").await.code(), (404, "not_found"));
        assert_eq!(world.move_money("cus_1", how, "1.00").await.code(), (404, "not_found"));
    }
    assert_eq!(world.get("/v1/wallet/cus_000000000000/balance").await.code(), (404, "not_found"));
}

#[tokio::test]
async fn a_transfer_moves_both_wallets_or_neither() {
    let world = World::new().await;
    let (ana, bea) = (world.saver("10.00").await, world.customer().await);
    let path = format!("/v1/wallet/{ana}/transfer");
    let give = async |to: &str, amount: &str| {
        world.post(&path, json!({"to_customer_id": to, "amount": brl(amount)})).await
    };
    let given = give(&bea, "4.00").await.expect(201);
    assert_eq!((&given["direction"], &given["amount"]), (&json!("debit"), &brl("4.00")));
    assert_eq!(
        (world.holds(&ana).await, world.holds(&bea).await),
        (json!([brl("6.00")]), json!([brl("4.00")]))
    );
    assert_eq!(give(&bea, "6.01").await.code(), (422, "failed_precondition"));
    assert_eq!(
        (world.holds(&ana).await, world.holds(&bea).await),
        (json!([brl("6.00")]), json!([brl("4.00")]))
    );
    let hers = world.get(&format!("/v1/customers/{bea}/transactions")).await.expect(200);
    assert_eq!(hers["data"][0]["direction"], "credit");
    assert_eq!(give(&ana, "1.00").await.faults(), ["to_customer_id a wallet gives nothing to itself"]);
    let nobody = give("cus_000000000000", "1.00").await;
    assert_eq!(nobody.faults(), ["to_customer_id is no customer's"]);
    assert_eq!(world.holds(&ana).await, json!([brl("6.00")]));
}

#[tokio::test]
async fn the_same_movement_twice_is_one() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    let path = format!("/v1/wallet/{ana}/debit");
    let first = world.post_as("debit-1", &path, json!({"amount": brl("10.00")})).await;
    // The wallet would not cover it again: that it was done is what counts.
    let again = world.post_as("debit-1", &path, json!({"amount": brl("10.00")})).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(world.holds(&ana).await, json!([brl("0.00")]));
    let other = world.post_as("debit-1", &path, json!({"amount": brl("9.00")})).await;
    assert_eq!(other.code(), (422, "idempotency_key_reused"));
    let keyless = world.request(http::Method::POST, &path);
    let keyless = world.send(keyless, Some(json!({"amount": brl("1.00")}))).await;
    assert_eq!(keyless.code(), (400, "idempotency_key_missing"));
}

/// Invariant: never below zero, however many at once.
#[tokio::test]
async fn a_hundred_at_once_get_what_sixty_of_them_can() {
    let world = World::new().await;
    let ana = world.saver("90.00").await;
    let debits = join_all((0..100).map(|_| world.move_money(&ana, "debit", "1.50"))).await;
    let statuses = |status| debits.iter().filter(|answer| answer.status == status).count();
    assert_eq!((statuses(201), statuses(422)), (60, 40));
    assert_eq!(world.holds(&ana).await, json!([brl("0.00")]));
}

#[tokio::test]
async fn every_fault_of_a_movement_is_named() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    let faults = async |how: &str, body| world.post(&format!("/v1/wallet/{ana}/{how}"), body).await.faults();
    assert_eq!(faults("credit", json!({})).await, ["amount is required"]);
    for amount in ["0", "-1", "0.001", "x"] {
        assert_eq!(faults("debit", json!({"amount": brl(amount)})).await.len(), 1, "{amount}");
    }
    assert_eq!(
        faults("credit", json!({"amount": brl("0"), "reference": "", "balance": 1})).await,
        [
            "amount must be greater than zero",
            "reference must not be empty",
            "balance is not a member of this request",
        ]
    );
    let long = json!({"amount": brl("1"), "reference": "x".repeat(256)});
    assert_eq!(faults("credit", long).await, ["reference must have at most 255 characters"]);
    assert_eq!(
        faults("transfer", json!({"to_customer_id": "bea"})).await,
        ["to_customer_id is not an id of this kind", "amount is required"]
    );
    assert_eq!(world.holds(&ana).await, json!([brl("10.00")]));
}

/// Nothing is read first, neither the wallet nor its customer.
#[tokio::test]
async fn a_movement_is_one_round_trip_of_six_write_units() {
    let world = World::new().await;
    let (ana, bea) = (world.saver("10.00").await, world.saver("1.00").await);
    let cost = async |path: String, body: Value| {
        let before = world.table.store.meter().reading();
        world.post(&path, body).await.expect(201);
        let cost = world.table.store.meter().reading().since(before);
        (cost.round_trips, cost.write_tenths, cost.read_tenths)
    };
    for how in ["credit", "debit"] {
        let body = json!({"amount": brl("1.00"), "reference": "order 42"});
        assert_eq!(cost(format!("/v1/wallet/{ana}/{how}"), body).await, (1, 60, 0), "{how}");
    }
    // Two wallets, and a journal for each to be shown.
    let body = json!({"to_customer_id": bea, "amount": brl("1.00")});
    assert_eq!(cost(format!("/v1/wallet/{ana}/transfer"), body).await, (1, 100, 0));
}

/// What payments are made of; they have no route of their own here.
#[tokio::test]
async fn what_is_paid_by_wallet_is_ours_or_is_owed_to_a_merchant() {
    let world = World::new().await;
    let (ana, merchant) = (world.saver("10.00").await, world.customer().await);
    let id = |customer: &str| customer.parse::<CustomerId>().unwrap();
    let pay = async |key: &str, role: Role, to: Option<CustomerId>, minor: i64| {
        let caller = Caller::new("cus", role);
        let scope = AnswerScope { caller: caller.id.clone(), route: "pay".to_owned(), key: key.to_owned() };
        let once = Once { scope, fingerprint: [0; 32] };
        let amount = Amount::try_new(Money::try_new(minor, Currency::BRL).unwrap()).unwrap();
        let route = Route::Payment { merchant: to };
        let movement = Movement { customer: id(&ana), route, amount, reference: None };
        let render =
            |paid: &Transaction| fatura_application::Answer { status: 201, body: paid.id.to_string() };
        world.app.move_in_wallet(&caller, movement, &once, &render).await
    };
    let own = Role::Customer(id(&ana));
    pay("1", own, None, 100).await.unwrap();
    assert!(pay("1", own, None, 100).await.unwrap().replayed);
    pay("2", own, Some(id(&merchant)), 300).await.unwrap();
    assert!(matches!(pay("3", own, None, 601).await, Err(Error::FailedPrecondition { .. })));
    assert!(matches!(pay("4", own, Some(id("cus_000000000000")), 1).await, Err(Error::NotFound)));
    let other = Role::Customer(id(&merchant));
    assert!(matches!(pay("5", other, None, 1).await, Err(Error::NotFound)), "another's wallet");
    assert_eq!(world.holds(&ana).await, json!([brl("6.00")]));
    let owed = world.get(&format!("/v1/ledger/{merchant}")).await.expect(200)["closing"].clone();
    let payable = json!({"account": format!("merchant_payable:{merchant}"), "balance": brl("3.00")});
    assert!(owed.as_array().unwrap().contains(&payable), "{owed}");
}
