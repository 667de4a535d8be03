//! Bills of every state are read back from the table and from its stream, and lie where the map says.

use super::*;
use fatura_domain::bill::{Recurs, Settlement};
use fatura_domain::exchange::{Conversion, CrossRate, Quote, RateSource};
use fatura_domain::id::InvoiceId;
use fatura_store::{bill_of_image, invoice_of_image};
use std::collections::BTreeMap;

/// Monthly, and asked for in reais.
fn monthly(entropy: u64) -> Bill {
    let terms = BillTerms::try_new(TermsDraft {
        period_start: at(0),
        period_end: at(0) + SignedDuration::from_hours(24 * 28),
        time_zone: Some(fatura_domain::customer::TimeZoneName::parse("America/Sao_Paulo").unwrap()),
        settlement_currency: Some(Currency::BRL),
        recurs: Recurs::Monthly,
    });
    let id = BillId::new(customer_id(ANA), at(0), entropy);
    Bill::open(id, terms.unwrap(), Shards::DEFAULT, at(0)).by(&operator(), 0)
}

fn conversion() -> Conversion {
    let rates = BTreeMap::from([(Currency::USD, CrossRate::try_from("5.4321".to_owned()).unwrap())]);
    let quote = Quote { rates, source: RateSource::EuropeanCentralBank, published_at: at(0) };
    let parts = BTreeMap::from([(Currency::USD, money("54.32", Currency::BRL))]);
    Conversion::try_new(Currency::BRL, parts, Some(quote)).unwrap()
}

fn every_state() -> Vec<(&'static str, Bill)> {
    let closed = |entropy, conversion| {
        let bill = monthly(entropy);
        let mut shards: Vec<Shard> = bill.shards.numbers().map(Shard::new).collect();
        shards[0] = shards[0].with(money("10.00", Currency::USD), bill.shards).unwrap();
        let shards: Vec<Shard> = shards.iter().map(Shard::closed).collect();
        changed(closing(&bill).finish_closing(&shards, conversion, at(7_200)))
    };
    let settling = closed(3, Some(conversion()));
    let invoice = InvoiceId::new(customer_id(ANA), at(7_200), 9);
    let settled = changed(settling.bill.invoiced(Currency::BRL, invoice, at(7_300)));
    let awaiting = closed(4, None).bill;
    assert!(matches!(awaiting.state.closed().unwrap().settlement, Settlement::AwaitingRates { .. }));
    let canceled = changed(monthly(5).cancel(&Sums::default(), &operator(), at(60)));
    vec![
        ("open", monthly(1)),
        ("closing", closing(&monthly(2))),
        ("next", settling.next.unwrap()),
        ("settling", settling.bill),
        ("awaiting rates", awaiting),
        ("settled", Bill { id: BillId::new(customer_id(ANA), at(0), 6), ..settled }),
        ("canceled", canceled),
    ]
}

async fn item(
    table: &TestTable,
    pk: String,
    sk: String,
) -> std::collections::HashMap<String, AttributeValue> {
    let get = table.client.get_item().table_name(TestTable::name());
    get.key("PK", text(pk)).key("SK", text(sk)).send().await.unwrap().item.unwrap()
}

#[tokio::test]
async fn every_state_is_read_back_from_the_table_and_from_its_stream() {
    let table = TestTable::start().await;
    for (state, bill) in every_state() {
        opened(&table, &bill).await;
        assert_eq!(table.store.bill(bill.id).await.unwrap().as_ref(), Some(&bill), "{state}");
        let (pk, sk) = (format!("C#{}", bill.customer().code()), format!("BILL#{}", bill.id.code()));
        let item = item(&table, pk, sk).await;
        assert!(item["WP"].as_s().unwrap().starts_with(&format!("bill_{}#", bill.status().as_str())));
        let place = if bill.due().is_some() { "0#" } else { "1#" };
        assert!(item["WS"].as_s().unwrap().starts_with(place), "{state}");
        assert!(!item.contains_key("id"), "its id is its key");
        assert_eq!(bill_of_image(item.clone().into()).unwrap(), Some(bill), "{state}");
        assert_eq!(invoice_of_image(item.into()).unwrap(), None);
    }
}

#[tokio::test]
async fn what_a_bill_gathers_lies_apart_from_it_and_is_no_bill() {
    let table = TestTable::start().await;
    let bill = bill();
    let line = line_of(&bill, "call-1", "10.55", Currency::USD);
    write(&table.store, [appended(&bill, &line), Change::BillAwaited(bill.id)]).await;
    let shard = bill.shards.of(&line.key());
    let partition = format!("BL#{}#{shard:02}", bill.id.code());
    let kept = item(&table, partition.clone(), "L#R#call-1".to_owned()).await;
    assert!(!kept.contains_key("bill"), "its bill is in its key");
    let sum = item(&table, partition, "SUM".to_owned()).await;
    assert_eq!(sum["n"], AttributeValue::N("1".to_owned()));
    assert_eq!(sum["t_USD"], AttributeValue::N("1055".to_owned()));
    for item in [kept, sum] {
        assert!(!item.contains_key("WP"), "the index knows nothing of it");
        assert_eq!(bill_of_image(item.into()).unwrap(), None);
    }
    let waiting =
        item(&table, format!("C#{}", bill.customer().code()), format!("BWAIT#{}", bill.id.code())).await;
    assert_eq!(bill_of_image(waiting.into()).unwrap(), None);
}

#[tokio::test]
async fn a_balance_is_a_line_item_of_its_own_kind() {
    let table = TestTable::start().await;
    let (from, to) = (bill(), bill_with(ANA, 100, 2, 8));
    let mut shards: Vec<Shard> = from.shards.numbers().map(Shard::new).collect();
    shards[0] = shards[0].with(money("-4.20", Currency::USD), from.shards).unwrap();
    let shards: Vec<Shard> = shards.iter().map(Shard::closed).collect();
    let closed = changed(closing(&from).finish_closing(&shards, None, at(7_200))).bill;
    let carried = changed(closed.carry(Currency::USD, &to, at(7_300)));
    opened(&table, &closed).await;
    let changes = || [Change::BillChanged(carried.bill.clone()), appended(&to, &carried.line)];
    write(&table.store, changes()).await;
    assert_eq!(table.store.bill(from.id).await.unwrap(), Some(carried.bill.clone()));
    let carried_over = vec![carried.line.clone()];
    assert_eq!(all_lines(&table, &to, 5).await, carried_over);
    assert_eq!(table.store.lines(&to, &[carried.line.key()]).await.unwrap(), carried_over);
    assert_eq!(sums(&table, &to).await.totals.get(Currency::USD).minor(), -420);
    let refused = refusals(&table.store, changes()).await;
    assert!(matches!(refused[..], [Refusal::Stale, Refusal::LineTaken(_)]), "{refused:?}");
    assert_eq!(sums(&table, &to).await.count, 1, "carried once");
}

#[tokio::test]
async fn a_broken_sum_is_told_and_not_guessed() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    let put = table.client.put_item().table_name(TestTable::name());
    put.item("PK", shard_partition(&bill, 0))
        .item("SK", text("SUM"))
        .item("t_XXX", AttributeValue::N("1".to_owned()))
        .send()
        .await
        .unwrap();
    let read = table.store.bill_with_shards(bill.id).await;
    assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
}
