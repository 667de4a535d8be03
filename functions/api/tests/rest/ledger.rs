//! Wallets and the ledger.

mod wallet;

use crate::world::{Answer, World, brl};
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::ports::{Journals, PageRequest};
use fatura_application::seal;
use fatura_testkit::TestTable;
use serde_json::{Value, json};

impl World {
    /// What the stream does soon after.
    pub(crate) async fn told(&self) {
        let page = PageRequest { limit: 1_000, after: None };
        let journals = self.table.store.all_journals(page).await.unwrap().data;
        assert!(seal(&*self.table.store, &*self.table.store, &journals).await.is_ok());
    }

    async fn statement(&self, customer: &str, query: &str) -> Value {
        self.get(&format!("/v1/ledger/{customer}{query}")).await.expect(200)
    }

    async fn journal(&self, entries: Value) -> Answer {
        self.post("/v1/ledger", json!({"description": "by hand", "entries": entries})).await
    }

    /// What no request could do.
    async fn tamper(&self, pk: &str, sk: &str, attribute: &str, minor: i64) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let request = self.table.client.update_item().table_name(TestTable::name());
        request
            .key("PK", text(pk))
            .key("SK", text(sk))
            .update_expression("SET #a = :a")
            .condition_expression("attribute_exists(#a)")
            .expression_attribute_names("#a", attribute)
            .expression_attribute_values(":a", AttributeValue::N(minor.to_string()))
            .send()
            .await
            .unwrap();
    }

    /// Which of the platform's sums there is.
    async fn sums(&self) -> String {
        let found = self.table.client.query().table_name(TestTable::name());
        let found = found
            .key_condition_expression("PK = :pk")
            .expression_attribute_values(":pk", AttributeValue::S("BOOKS".to_owned()))
            .send()
            .await
            .unwrap();
        found.items()[0]["SK"].as_s().unwrap().clone()
    }

    async fn balanced(&self) -> Value {
        let trial = self.get("/v1/ledger/trial-balance").await.expect(200);
        assert_eq!(trial["balanced"], true, "{trial}");
        trial
    }

    async fn verify_books(&self) -> Value {
        let mut cursor = Value::Null;
        loop {
            let found = self.post("/v1/ledger/verify", json!({"cursor": cursor})).await.expect(200);
            if found["next_cursor"].is_null() {
                return found;
            }
            cursor = found["next_cursor"].clone();
        }
    }
}

fn entry(account: &str, direction: &str, amount: &str) -> Value {
    json!({"account": account, "direction": direction, "amount": brl(amount)})
}

fn wallet(customer: &str) -> String {
    format!("wallet:{customer}")
}

fn balance(account: &str, amount: &str) -> Value {
    json!({"account": account, "balance": brl(amount)})
}

#[tokio::test]
async fn a_statement_opens_with_what_there_was_and_runs_on() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    world.wait(60);
    world.move_money(&ana, "debit", "2.50").await.expect(201);
    world.wait(60);
    world.move_money(&ana, "credit", "1.00").await.expect(201);

    let own = wallet(&ana);
    let whole = world.statement(&ana, "").await;
    assert_eq!((&whole["opening"], whole["data"].as_array().unwrap().len()), (&json!([]), 3));
    let running: Vec<_> = whole["data"].as_array().unwrap().iter().map(|line| &line["balances"]).collect();
    assert_eq!(
        running,
        [
            &json!([balance("bank", "10.00"), balance(&own, "10.00")]),
            &json!([balance(&own, "7.50"), balance("bank", "7.50")]),
            &json!([balance("bank", "8.50"), balance(&own, "8.50")]),
        ]
    );
    assert_eq!(whole["closing"], json!([balance("bank", "8.50"), balance(&own, "8.50")]));

    let second = world.statement(&ana, "?start=2026-11-02T12:01:00Z&end=2026-11-02T12:02:00Z").await;
    assert_eq!(second["opening"], json!([balance("bank", "10.00"), balance(&own, "10.00")]));
    assert_eq!(second["data"].as_array().unwrap().len(), 1);
    assert_eq!(second["closing"], json!([balance("bank", "7.50"), balance(&own, "7.50")]));

    let later = world.statement(&ana, "?start=2026-12-01T00:00:00Z").await;
    assert_eq!((&later["opening"], &later["data"]), (&whole["closing"], &json!([])));
    assert_eq!(later["closing"], whole["closing"]);
    let empty = format!("/v1/ledger/{ana}?start=2026-12-01T00:00:00Z&end=2026-12-01T00:00:00Z");
    assert_eq!(world.get(&empty).await.faults(), ["end must be after start"]);
}

#[tokio::test]
async fn each_page_of_a_statement_opens_where_the_one_before_it_closes() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    for _ in 0..3 {
        world.wait(1);
        world.move_money(&ana, "debit", "1.00").await.expect(201);
    }
    let first = world.statement(&ana, "?limit=3").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.statement(&ana, &format!("?limit=3&cursor={cursor}")).await;
    assert_eq!((second["data"].as_array().unwrap().len(), &second["next_cursor"]), (1, &Value::Null));
    assert_eq!(second["opening"], first["closing"]);
    assert_eq!(second["closing"][1], balance(&wallet(&ana), "7.00"));
    let other = world.get(&format!("/v1/ledger/{}?limit=3&cursor={cursor}", world.customer().await)).await;
    assert_eq!(other.code(), (400, "invalid_cursor"));
}

#[tokio::test]
async fn a_paid_invoice_is_in_its_customers_statement() {
    let world = World::new().await;
    let customer = world.payer().await;
    world.charged(&customer, crate::world::Says::Yes).await;
    let shown = world.statement(&customer, "").await;
    assert_eq!(
        shown["closing"],
        json!([balance("gateway_clearing:sandbox", "122.05"), balance("revenue", "122.05")])
    );
    assert_eq!(shown["data"][0]["journal"]["type"], "charge");
    assert_eq!(shown["data"][0]["seal"], Value::Null, "the stream has told nobody yet");
}

#[tokio::test]
async fn a_journal_by_hand_moves_the_wallets_that_it_names() {
    let world = World::new().await;
    let (ana, bea) = (world.saver("10.00").await, world.customer().await);
    let entries = json!([
        entry(&wallet(&ana), "debit", "6.00"),
        entry(&wallet(&bea), "credit", "5.50"),
        entry("fees", "credit", "0.50"),
    ]);
    let posted = world.journal(entries.clone()).await.expect(201);
    assert_eq!((&posted["type"], &posted["entries"]), (&json!("journal"), &entries));
    assert_eq!((&posted["by"], &posted["description"]), (&json!("key_deployment"), &json!("by hand")));
    assert_eq!(
        (world.holds(&ana).await, world.holds(&bea).await),
        (json!([brl("4.00")]), json!([brl("5.50")]))
    );
    let too_much = world.journal(entries).await;
    assert_eq!(too_much.code(), (422, "failed_precondition"));
    assert_eq!(world.holds(&bea).await, json!([brl("5.50")]));
    let hers = world.statement(&bea, "").await;
    assert_eq!(hers["data"][0]["journal"]["mirrors"], posted["id"]);
    let nobody =
        json!([entry("bank", "debit", "1.00"), entry("merchant_payable:cus_000000000000", "credit", "1.00")]);
    assert_eq!(world.journal(nobody).await.faults(), ["entries names a customer that there isn't"]);
}

#[tokio::test]
async fn every_fault_of_a_journal_is_named() {
    let world = World::new().await;
    let unbalanced = json!([entry("bank", "debit", "1.00"), entry("revenue", "credit", "1.01")]);
    assert_eq!(
        world.journal(unbalanced).await.faults(),
        ["entries don't make one: debits and credits differ in BRL"]
    );
    let dollars =
        json!({"account": "revenue", "direction": "credit", "amount": {"amount": "1.00", "currency": "USD"}});
    let mixed = world.journal(json!([entry("bank", "debit", "1.00"), dollars])).await;
    assert_eq!(mixed.faults().len(), 1);
    let alone = world.journal(json!([entry("bank", "debit", "1.00")])).await;
    assert_eq!(alone.faults(), ["entries don't make one: a journal has at least two entries"]);
    assert_eq!(world.journal(json!([])).await.faults(), ["entries must have at least 1 entry"]);
    assert_eq!(
        world.post("/v1/ledger", json!({"entries": [entry("cash", "left", "-1")], "note": 1})).await.faults(),
        [
            "description is required",
            "entries[0].account must be a ledger account, such as bank, revenue, gateway_clearing:sandbox or wallet:cus_...",
            "entries[0].direction must be one of: debit, credit",
            "entries[0].amount must be greater than zero",
            "note is not a member of this request",
        ]
    );
    assert_eq!(world.post("/v1/ledger", json!({"description": "x"})).await.faults(), ["entries is required"]);
    let many: Vec<_> = (0..21).map(|_| entry("bank", "debit", "1.00")).collect();
    assert_eq!(world.journal(json!(many)).await.faults(), ["entries must have at most 20 entries"]);
    assert_eq!(
        world
            .post("/v1/ledger", json!({"description": "x", "reverses": "x", "entries": many}))
            .await
            .faults(),
        ["reverses is not an id of this kind", "entries follow from what is reversed"]
    );
}

#[tokio::test]
async fn a_journal_is_undone_once_by_another() {
    let world = World::new().await;
    let (ana, bea) = (world.saver("10.00").await, world.customer().await);
    let path = format!("/v1/wallet/{ana}/transfer");
    let given = world.post(&path, json!({"to_customer_id": bea, "amount": brl("4.00")})).await.expect(201);
    // What shows it to the other is reversed as what it shows.
    let shown = world.statement(&bea, "").await["data"][0]["journal"]["id"].clone();
    let undo = json!({"description": "a mistake", "reverses": shown});
    let undone = world.post("/v1/ledger", undo.clone()).await.expect(201);
    assert_eq!(undone["reverses"], given["id"]);
    assert_eq!(
        (world.holds(&ana).await, world.holds(&bea).await),
        (json!([brl("10.00")]), json!([brl("0.00")]))
    );
    let again = world.post("/v1/ledger", undo).await;
    assert_eq!(
        (again.code(), again.body["detail"].as_str()),
        ((422, "failed_precondition"), Some("the journal was reversed already"))
    );
    assert_eq!(world.holds(&ana).await, json!([brl("10.00")]));

    let nothing = json!({"description": "x", "reverses": "txn_0000000000000000000000000000"});
    assert_eq!(world.post("/v1/ledger", nothing).await.faults(), ["reverses is no journal's"]);
    let customer = world.payer().await;
    world.charged(&customer, crate::world::Says::Yes).await;
    let charge = world.statement(&customer, "").await["data"][0]["journal"]["id"].clone();
    let refused = world.post("/v1/ledger", json!({"description": "x", "reverses": charge})).await;
    assert_eq!(refused.code(), (422, "failed_precondition"));
}

#[tokio::test]
async fn the_platforms_accounts_are_counted_once_and_balance() {
    let world = World::new().await;
    let (ana, bea) = (world.saver("10.00").await, world.customer().await);
    let path = format!("/v1/wallet/{ana}/transfer");
    world.post(&path, json!({"to_customer_id": bea, "amount": brl("4.00")})).await.expect(201);
    world.journal(json!([entry("fees", "debit", "2.50"), entry("bank", "credit", "2.50")])).await.expect(201);
    world.paid().await;
    assert_eq!(world.balanced().await["accounts"], json!([]), "the stream has told nobody yet");
    world.told().await;
    world.told().await;

    let trial = world.balanced().await;
    let has = |account: &str, debits: &str, credits: &str, balance: &str| json!({"account": account, "currency": "BRL", "debits": debits, "credits": credits, "balance": balance});
    assert_eq!(
        trial["accounts"],
        json!([
            has("bank", "10.00", "2.50", "7.50"),
            has("gateway_clearing:sandbox", "122.05", "0.00", "122.05"),
            has("revenue", "0.00", "122.05", "122.05"),
            has("fees", "2.50", "0.00", "2.50"),
            has("wallet", "4.00", "14.00", "10.00"),
        ])
    );
    assert_eq!(trial["differences"], json!([brl("0.00")]));
    let bank = world.get("/v1/ledger/accounts/bank").await.expect(200);
    assert_eq!(bank["data"], json!([has("bank", "10.00", "2.50", "7.50")]));
    assert_eq!(world.get("/v1/ledger/accounts/unapplied").await.expect(200)["data"], json!([]));
    assert_eq!(world.get("/v1/ledger/accounts/cash").await.code(), (404, "not_found"));
    let found = world.verify_books().await;
    assert_eq!(
        (&found["findings"], &found["journals"]),
        (&json!([]), &json!(5)),
        "a transfer is shown twice"
    );
}

#[tokio::test]
async fn what_is_not_what_was_posted_is_found() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    world.told().await;
    let verify = json!({"customer_id": ana});
    let sound = world.post("/v1/ledger/verify", verify.clone()).await.expect(200);
    assert_eq!(sound, json!({"journals": 1, "sealed": 1, "findings": [], "next_cursor": null}));

    world.tamper(&format!("C#{}", &ana[4..]), "WALLET#BRL", "b", 1_001).await;
    world.tamper("BOOKS", &world.sums().await, "d BRL bank", 999).await;
    let found = world.post("/v1/ledger/verify", verify.clone()).await.expect(200);
    let finding = json!({
        "kind": "wallet", "account": wallet(&ana), "kept": brl("10.01"), "posted": brl("10.00"), "journal_id": null,
    });
    assert_eq!(found["findings"], json!([finding]));
    let found = world.verify_books().await;
    let finding = json!({
        "kind": "account", "account": "bank", "kept": brl("9.99"), "posted": brl("10.00"), "journal_id": null,
    });
    assert_eq!(found["findings"], json!([finding]));
    assert_eq!(world.get("/v1/ledger/trial-balance").await.expect(200)["balanced"], false);
    let bad = world.post("/v1/ledger/verify", json!({"cursor": "x"})).await;
    assert_eq!(bad.faults(), ["cursor is not one of a verification"]);
    let both = world.post("/v1/ledger/verify", json!({"customer_id": ana, "cursor": "x"})).await;
    assert_eq!(both.faults().len(), 1);
}

#[tokio::test]
async fn what_the_stream_told_nobody_of_is_sealed_when_an_operator_asks() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    let unsealed = world.post("/v1/ledger/verify", json!({"customer_id": ana})).await.expect(200);
    assert_eq!((&unsealed["journals"], &unsealed["sealed"]), (&json!(1), &json!(0)));
    assert_eq!(world.verify_books().await["findings"].as_array().unwrap().len(), 2, "bank and wallet");
    for _ in 0..2 {
        let asked = json!({"customer_id": ana, "seal": true});
        let sealed = world.post("/v1/ledger/verify", asked).await.expect(200);
        assert_eq!((&sealed["sealed"], &sealed["findings"]), (&json!(1), &json!([])));
        assert_eq!(world.verify_books().await["findings"], json!([]));
    }
    let nobody = world.post("/v1/ledger/verify", json!({"seal": true})).await;
    assert_eq!(nobody.faults(), ["seal needs a customer_id"]);
}

#[tokio::test]
async fn a_journal_that_was_changed_behind_our_back_breaks_its_seal() {
    let world = World::new().await;
    let ana = world.saver("10.00").await;
    world.told().await;
    let journal = world.statement(&ana, "").await["data"][0]["journal"]["id"].as_str().unwrap().to_owned();
    let (partition, code) = (format!("L#{}", &ana[4..]), &journal[4..]);
    world.tamper(&partition, &format!("TXN#{code}"), "at", 1_793_620_800_001).await;
    let found = world.post("/v1/ledger/verify", json!({"customer_id": ana})).await.expect(200);
    assert_eq!(
        (&found["findings"][0]["kind"], &found["findings"][0]["journal_id"]),
        (&json!("altered"), &json!(journal))
    );
}

/// The exported pages of a customer's chain, judged by the script that knows nothing of our code.
fn judged(pages: &[Value], head: Option<&str>) -> (bool, String) {
    let folder = std::env::temp_dir().join(format!("fatura-chain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let export = folder.join(format!("{:p}.jsonl", pages.as_ptr()));
    let lines: Vec<String> = pages.iter().map(Value::to_string).collect();
    std::fs::write(&export, lines.join("\n")).unwrap();
    let mut script = std::process::Command::new("python3");
    script.arg("../../tools/verify_ledger.py").arg(&export);
    if let Some(head) = head {
        script.args(["--head", head]);
    }
    let done = script.output().unwrap();
    std::fs::remove_file(export).unwrap();
    (
        done.status.success(),
        String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap(),
    )
}

#[tokio::test]
async fn an_exported_chain_is_verified_offline() {
    let world = World::new().await;
    let ana = world.payer().await;
    world.move_money(&ana, "credit", "10.00").await.expect(201);
    world.wait(1);
    world.charged(&ana, crate::world::Says::Yes).await;
    let entries = json!([entry(&wallet(&ana), "debit", "1.00"), entry("fees", "credit", "1.00")]);
    let posting = json!({"description": "gift: ção\u{2026}", "entries": entries});
    world.wait(1);
    let posted = world.post("/v1/ledger", posting).await.expect(201);
    world.wait(1);
    world.post("/v1/ledger", json!({"description": "undone", "reverses": posted["id"]})).await.expect(201);
    let bea = world.customer().await;
    let path = format!("/v1/wallet/{ana}/transfer");
    world.wait(1);
    world.post(&path, json!({"to_customer_id": bea, "amount": brl("2.00")})).await.expect(201);
    world.told().await;
    world.wait(1);
    world.move_money(&ana, "debit", "1.00").await.expect(201);

    let first = world.statement(&ana, "?limit=4").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = world.statement(&ana, &format!("?limit=4&cursor={cursor}")).await;
    let pages = [first, second];
    let head = pages[1]["data"][0]["seal"]["hash"].as_str().unwrap();
    let (sound, said) = judged(&pages, Some(head));
    assert!(sound && said.starts_with("5 sealed, 1 not yet, 0 faults"), "{said}");
    let (sound, said) = judged(&[world.statement(&bea, "").await], None);
    assert!(sound && said.starts_with("1 sealed, 0 not yet, 0 faults"), "{said}");

    let mut altered = pages.clone();
    altered[0]["data"][2]["journal"]["description"] = json!("gift");
    let (sound, said) = judged(&altered, None);
    assert!(!sound && said.contains("is not what was sealed"), "{said}");
    let mut without = pages.clone();
    without[0]["data"].as_array_mut().unwrap().remove(1);
    let (sound, said) = judged(&without, None);
    assert!(!sound && said.contains("does not follow"), "{said}");
    let (sound, said) = judged(&pages[..1], Some(head));
    assert!(!sound && said.contains("is the hash of no link"), "{said}");
}

/// Of others a customer sees in a journal that there is another, and not who; an operator sees who.
#[tokio::test]
async fn a_customer_sees_nothing_of_others_in_a_statement() {
    let world = World::new().await;
    let bea = world.sign_up("bea@example.com").await;
    let ana = world.saver("10.00").await;
    let path = format!("/v1/wallet/{ana}/transfer");
    let given = world.post(&path, json!({"to_customer_id": bea, "amount": brl("4.00")})).await.expect(201);
    world.post("/v1/ledger", json!({"description": "undone", "reverses": given["id"]})).await.expect(201);
    let (token, _) = world.sign_in("bea@example.com").await;
    let seen = world.get_with(&token, &format!("/v1/ledger/{bea}")).await.expect(200);
    assert!(!seen.to_string().contains(&ana[4..]), "{seen}");
    assert!(!seen.to_string().contains("key_"), "{seen}");
    let journal = &seen["data"][0]["journal"];
    assert_eq!((&journal["mirrors"], &journal["by"]), (&Value::Null, &Value::Null));
    let accounts: Vec<_> = seen["closing"].as_array().unwrap().iter().map(|a| &a["account"]).collect();
    assert!(accounts.contains(&&json!("wallet")) && accounts.contains(&&json!(wallet(&bea))), "{accounts:?}");
    let shown = world.statement(&bea, "").await.to_string();
    assert!(shown.contains(&wallet(&ana)) && shown.contains(given["id"].as_str().unwrap()));
    let others = world.get_with(&token, &format!("/v1/ledger/{ana}")).await;
    assert_eq!(others.code(), (404, "not_found"));
}
