//! Bills: what they gather is counted once, whatever happens meanwhile.

mod append;
mod at_once;
mod close;
mod lines;
mod lists;
mod shards;
mod stored;

use crate::world::*;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::Change;
use fatura_application::ports::*;
use fatura_domain::SignedDuration;
use fatura_domain::actor::Actor;
use fatura_domain::bill::{
    Append, Bill, BillLine, BillTerms, Change as Next, CloseCause, LineContent, LineDraft, LineKey, LineKind,
    Price, Recurs, Reference, Shard, Shards, Sums, TermsDraft,
};
use fatura_domain::id::{BillId, LineItemId};
use fatura_domain::invoice::Quantity;
use fatura_domain::money::{Currency, Money};
use fatura_domain::text::Description;
use fatura_testkit::TestTable;

/// Open from its first second on, for thirty days.
fn bill_with(number: u64, seconds: i64, entropy: u64, shards: u8) -> Bill {
    let terms = BillTerms::try_new(TermsDraft {
        period_start: at(seconds),
        period_end: at(seconds) + SignedDuration::from_hours(24 * 30),
        time_zone: None,
        settlement_currency: None,
        recurs: Recurs::Never,
    });
    let id = BillId::new(customer_id(number), at(seconds), entropy);
    Bill::open(id, terms.unwrap(), Shards::try_from(shards).unwrap(), at(seconds))
}

fn bill() -> Bill {
    bill_with(ANA, 0, 1, Shards::DEFAULT.count())
}

fn content(reference: Option<&str>, price: &str, currency: Currency) -> LineContent {
    LineContent::try_new(LineDraft {
        kind: if price.starts_with('-') { LineKind::Credit } else { LineKind::Fee },
        description: Description::parse("Calls to mobile networks, per minute").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: Price::parse(price).unwrap(),
        currency,
        reference: reference.map(|reference| Reference::parse(reference).unwrap()),
        occurred_at: None,
    })
    .unwrap()
}

fn taken(bill: &Bill, content: LineContent, entropy: u64) -> (BillLine, u8) {
    let now = bill.created_at + SignedDuration::from_secs(60);
    match bill.append(content, LineItemId::new(bill.customer(), now, entropy), None, now).unwrap() {
        Append::New { line, shard } => (*line, shard),
        Append::Known(line) => panic!("known: {line:?}"),
    }
}

fn line_of(bill: &Bill, reference: &str, price: &str, currency: Currency) -> BillLine {
    taken(bill, content(Some(reference), price, currency), 1).0
}

fn appended(bill: &Bill, line: &BillLine) -> Change {
    Change::LineAppended { line: line.clone(), shard: bill.shards.of(&line.key()), of: bill.shards }
}

/// References whose line items one shard counts.
fn references_of(bill: &Bill, shard: u8) -> impl Iterator<Item = String> {
    let of = bill.shards;
    let is_its =
        move |reference: &String| of.of(&LineKey::Reference(Reference::parse(reference).unwrap())) == shard;
    (0..).map(|n| format!("call-{n}")).filter(is_its)
}

async fn opened(table: &TestTable, bill: &Bill) {
    write(&table.store, [Change::BillOpened(bill.clone())]).await;
}

async fn shards_in(table: &TestTable, bill: &Bill) -> Vec<Shard> {
    table.store.shards_of(&[bill]).await.unwrap().remove(0)
}

async fn sums(table: &TestTable, bill: &Bill) -> Sums {
    Sums::so_far(&shards_in(table, bill).await).unwrap()
}

fn sums_of<'l>(lines: impl IntoIterator<Item = &'l BillLine>) -> Sums {
    lines.into_iter().fold(Sums::default(), |sums, line| Sums {
        count: sums.count + 1,
        totals: sums.totals.plus(line.total()).unwrap(),
    })
}

async fn all_lines(table: &TestTable, bill: &Bill, limit: usize) -> Vec<BillLine> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = table.store.lines_of(bill, PageRequest { limit, after }).await.unwrap();
        assert!(page.next.is_none() || page.data.len() == limit, "a page is full unless it is the last");
        seen.extend(page.data);
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

fn money(text: &str, currency: Currency) -> Money {
    Money::parse(text, currency).unwrap()
}

fn operator() -> Actor {
    Actor::new("key_1")
}

fn changed<T, E: std::fmt::Debug>(next: Result<Next<T>, E>) -> T {
    match next.unwrap() {
        Next::Applied(next) => next,
        Next::AlreadyApplied => panic!("nothing new"),
    }
}

fn closing(bill: &Bill) -> Bill {
    changed(bill.begin_closing(CloseCause::Requested { by: operator(), is_last: false }, at(3_600)))
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn shard_partition(bill: &Bill, shard: u8) -> AttributeValue {
    text(format!("BL#{}#{shard:02}", bill.id.code()))
}

/// As if a shard had counted this much already.
async fn counted(table: &TestTable, bill: &Bill, shard: u8, currency: Currency, minor: i64) {
    let put = table.client.put_item().table_name(TestTable::name());
    let number = |n: i64| AttributeValue::N(n.to_string());
    put.item("PK", shard_partition(bill, shard))
        .item("SK", text("SUM"))
        .item("n", number(1))
        .item(format!("t_{currency}"), number(minor))
        .send()
        .await
        .unwrap();
}
