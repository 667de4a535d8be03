//! Orders, the payments over them and what the platform keeps: as they are written and read, together or not at all.

use crate::world::*;
use fatura_application::ports::{
    Journals, Orders, PageRequest, Refunds, Refusal, RiskRecords, Store, Transactions, Wallets,
};
use fatura_application::{Change, ChangeSet, Edition, FeesEdition, WalletNotes};
use fatura_domain::actor::Actor;
use fatura_domain::dunning::Policy;
use fatura_domain::fees::{Fees, Rate};
use fatura_domain::id::{CustomerId, InvoiceId, OrderId, PaymentId, RefundId};
use fatura_domain::invoice::{Content, Invoice, Split, WalletPayment};
use fatura_domain::ledger::{Transaction, TransactionFilter};
use fatura_domain::money::{Currency, Money};
use fatura_domain::order::{Order, payment_of};
use fatura_domain::text::{Metadata, Text};
use fatura_domain::{Moment, Timestamp};
use fatura_testkit::TestTable;
use std::collections::{BTreeMap, BTreeSet};

fn merchant(number: u64) -> CustomerId {
    CustomerId::new(100 + number)
}

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

fn order(number: u64, price: &str) -> Order {
    let id = OrderId::new(customer_id(ANA), at(0), number);
    let content = Content { items: vec![line("Cup", "1", price)], ..content() };
    Order::placed(id, merchant(number), content, at(0)).unwrap()
}

fn fees() -> Fees {
    Fees::try_new(Rate::parse("0.029").unwrap(), vec![brl(30)]).unwrap()
}

/// What is written when two orders are paid from Ana's wallet.
struct Payment {
    orders: Vec<Order>,
    invoice: Invoice,
    transaction: Transaction,
}

fn by() -> Actor {
    Actor::new("key_1")
}

fn moment(second: i64) -> Moment {
    Moment { now: at(second), entropy: 9 }
}

fn payment(orders: &[Order]) -> Payment {
    let id = PaymentId::new(customer_id(ANA), at(1), 9);
    let each: BTreeMap<CustomerId, Fees> = orders.iter().map(|order| (order.merchant, fees())).collect();
    let draft = payment_of(id, orders, &each, None, Metadata::default(), at(1)).unwrap();
    let WalletPayment { invoice, transaction } = draft.paid_from_wallet(&by(), moment(1)).unwrap();
    let orders = orders.iter().map(|order| order.paid_by(id, None, at(1)).unwrap()).collect();
    Payment { orders, invoice: Invoice { version: 1, ..invoice }, transaction: transaction.unwrap() }
}

fn changes(payment: &Payment, notes: &WalletNotes) -> ChangeSet {
    ChangeSet::created(payment.invoice.clone())
        .and(payment.orders.iter().cloned().map(Change::OrderChanged))
        .and(ChangeSet::settled(&payment.invoice, payment.transaction.clone(), notes))
}

fn moved(customer: CustomerId, minor: i128, opens: bool) -> Change {
    Change::WalletMoved { customer, currency: Currency::BRL, minor, opens }
}

async fn balance(table: &TestTable, customer: CustomerId) -> i64 {
    let wallets = table.store.wallets(customer).await.unwrap();
    wallets.iter().map(|wallet| wallet.balance.minor()).sum()
}

/// Ana with so much, two merchants with nothing in a wallet each, and an order with each of them.
async fn shop(held: i128) -> (TestTable, [Order; 2]) {
    let table = TestTable::start().await;
    let orders = [order(1, "70.00"), order(2, "30.00")];
    let wallets = [(customer_id(ANA), held), (merchant(1), 0), (merchant(2), 0)];
    let wallets = wallets.map(|(customer, minor)| moved(customer, minor, true));
    write(&table.store, orders.iter().cloned().map(Change::OrderPlaced).chain(wallets)).await;
    (table, orders)
}

#[tokio::test]
async fn orders_and_fees_are_read_as_they_were_written() {
    let table = TestTable::start().await;
    let placed = order(1, "70.00");
    write(&table.store, [Change::OrderPlaced(placed.clone())]).await;
    let again = refusals(&table.store, [Change::OrderPlaced(placed.clone())]).await;
    assert!(matches!(again[..], [Refusal::Stale]));
    assert_eq!(table.store.orders(&[placed.id]).await.unwrap(), std::slice::from_ref(&placed));
    for next in
        [placed.canceled(None, at(1)).unwrap(), payment(std::slice::from_ref(&placed)).orders.remove(0)]
    {
        let table = TestTable::start().await;
        write(&table.store, [Change::OrderPlaced(placed.clone())]).await;
        write(&table.store, [Change::OrderChanged(next.clone())]).await;
        assert_eq!(table.store.orders(&[placed.id]).await.unwrap(), std::slice::from_ref(&next));
        let stale = refusals(&table.store, [Change::OrderChanged(next)]).await;
        assert!(matches!(stale[..], [Refusal::Stale]));
    }

    assert_eq!(table.store.fees().await.unwrap(), None);
    for of in [None, Some(merchant(1))] {
        let put = Some((by(), at(2)));
        let edition = FeesEdition { merchant: of, version: 1, fees: fees(), put };
        write(&table.store, [Change::EditionPut(Edition::Fees(edition.clone()))]).await;
        let again = refusals(&table.store, [Change::EditionPut(Edition::Fees(edition.clone()))]).await;
        assert!(again.iter().all(|refusal| matches!(refusal, Refusal::Stale)) && !again.is_empty());
        let read = match of {
            None => table.store.fees().await.unwrap(),
            Some(merchant) => table.store.fees_of(&[merchant]).await.unwrap().pop(),
        };
        assert_eq!(read, Some(edition.clone()));
        let next = FeesEdition { version: 2, fees: Fees::default(), ..edition };
        write(&table.store, [Change::EditionPut(Edition::Fees(next))]).await;
    }
    assert_eq!(table.store.fees_of(&[merchant(2)]).await.unwrap(), []);
}

#[tokio::test]
async fn a_payment_is_written_as_a_whole() {
    let (table, orders) = shop(10_000).await;
    let payment = payment(&orders);
    table.store.commit(changes(&payment, &WalletNotes::default())).await.unwrap();
    assert_eq!(stored(&table.store, payment.invoice.id).await, payment.invoice);
    assert_eq!(balance(&table, customer_id(ANA)).await, 0);
    assert_eq!((balance(&table, merchant(1)).await, balance(&table, merchant(2)).await), (6_767, 2_883));
    let paid = (
        table.store.payments(customer_id(ANA)).await.unwrap(),
        table.store.payments(merchant(1)).await.unwrap(),
    );
    assert_eq!(paid, (1, 0), "what a merchant sold, it has not paid");
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let mut found = table.store.orders(&ids).await.unwrap();
    found.sort_by_key(|order| order.id);
    assert_eq!(found, payment.orders);
    let invoices: Vec<InvoiceId> = found.iter().filter_map(Order::payment).map(InvoiceId::from).collect();
    assert_eq!(table.store.invoices(&invoices).await.unwrap(), std::slice::from_ref(&payment.invoice));

    let page = PageRequest { limit: 10, after: None };
    let shown =
        table.store.transactions(merchant(2), &TransactionFilter::default(), page).await.unwrap().data;
    assert_eq!(
        (shown.len(), shown[0].amount, shown[0].mirrors),
        (1, brl(3_000), Some(payment.transaction.id))
    );
    assert_eq!(shown[0].lines, ["Cup"]);
    let home = table.store.transaction(payment.transaction.id).await.unwrap();
    assert_eq!(home, Some(payment.transaction));
}

#[tokio::test]
async fn what_is_not_covered_or_not_open_any_more_writes_nothing() {
    let (table, orders) = shop(9_999).await;
    let payment = payment(&orders);
    let refused = refusals(&table.store, changes(&payment, &WalletNotes::default())).await;
    assert!(matches!(refused[..], [Refusal::WalletRefused { why: Some(_), .. }]), "{refused:?}");
    write(&table.store, [moved(customer_id(ANA), 1, false)]).await;
    write(&table.store, [Change::OrderChanged(orders[1].canceled(None, at(1)).unwrap())]).await;
    let refused = refusals(&table.store, changes(&payment, &WalletNotes::default())).await;
    assert!(matches!(refused[..], [Refusal::Stale]), "{refused:?}");
    assert_eq!(balance(&table, customer_id(ANA)).await, 10_000);
    assert_eq!(balance(&table, merchant(1)).await, 0);
    assert_eq!(table.store.orders(&[orders[0].id]).await.unwrap(), [orders[0].clone()]);
    assert_eq!(table.store.invoices(&[payment.invoice.id]).await.unwrap(), []);
}

#[tokio::test]
async fn the_largest_payment_fits_into_one_transaction() {
    let table = TestTable::start().await;
    let count = u64::try_from(Split::MOST_SHARES).unwrap();
    let orders: Vec<Order> = (1..=count).map(|number| order(number, "1.00")).collect();
    let wallets = (1..=count).map(|number| moved(merchant(number), 0, true));
    write(&table.store, wallets.chain([moved(customer_id(ANA), 10_000, true)])).await;
    write(&table.store, orders.iter().cloned().map(Change::OrderPlaced)).await;
    let payment = payment(&orders);
    table.store.commit(changes(&payment, &WalletNotes::default())).await.unwrap();
    assert_eq!(balance(&table, merchant(count)).await, 67);
}

#[tokio::test]
async fn a_refund_into_a_wallet_is_read_as_it_was_written() {
    let (table, orders) = shop(10_000).await;
    let payment = payment(&orders);
    table.store.commit(changes(&payment, &WalletNotes::default())).await.unwrap();
    let id = RefundId::new(customer_id(ANA), at(2), 1);
    let reason = Some(Text::parse("late").unwrap());
    let policy = Policy::default();
    let (invoice, refund, transaction) =
        payment.invoice.refunded_to_wallet(id, Some(brl(2_500)), reason, &by(), &policy, moment(2)).unwrap();
    let changes = ChangeSet::moved(&payment.invoice, invoice.clone())
        .and(ChangeSet::settled(&invoice, transaction, &WalletNotes::default()))
        .and([Change::RefundRequested(refund.clone())]);
    table.store.commit(changes).await.unwrap();
    assert_eq!(table.store.refund(id).await.unwrap(), Some(refund));
    assert_eq!(stored(&table.store, invoice.id).await, invoice);
    assert_eq!(balance(&table, customer_id(ANA)).await, 2_500);
    let given: i64 = 6_767 + 2_883 - balance(&table, merchant(1)).await - balance(&table, merchant(2)).await;
    assert_eq!(given, 2_413, "and 0.87 of the fees");
}

#[tokio::test]
async fn a_buyers_orders_are_listed_newest_first() {
    let table = TestTable::start().await;
    let placed: Vec<Order> = (1..=3_u8)
        .map(|second| {
            let at: Timestamp = at(second.into());
            let id = OrderId::new(customer_id(ANA), at, 1);
            Order::placed(id, merchant(1), content(), at).unwrap()
        })
        .collect();
    write(&table.store, placed.iter().cloned().map(Change::OrderPlaced)).await;
    let page = |after| PageRequest { limit: 2, after };
    let first = table.store.orders_of(customer_id(ANA), page(None)).await.unwrap();
    assert_eq!(first.data, [placed[2].clone(), placed[1].clone()]);
    let rest = table.store.orders_of(customer_id(ANA), page(first.next)).await.unwrap();
    assert_eq!((rest.data, rest.next), (vec![placed[0].clone()], None));
    assert_eq!(table.store.orders_of(customer_id(BEA), page(None)).await.unwrap().data, []);
}

#[tokio::test]
async fn a_wallet_that_is_not_there_is_opened_with_what_it_gets() {
    let (table, orders) = shop(10_000).await;
    let third = Order { merchant: merchant(3), ..orders[1].clone() };
    let payment = payment(&[orders[0].clone(), third]);
    let refused = refusals(&table.store, changes(&payment, &WalletNotes::default())).await;
    assert!(matches!(refused[..], [Refusal::WalletRefused { why: None, .. }]), "{refused:?}");
    let transaction = payment.transaction.clone();
    let opened = BTreeSet::from([(merchant(3), Currency::BRL)]);
    table.store.commit(ChangeSet::booked(transaction, &opened)).await.unwrap();
    assert_eq!(balance(&table, merchant(3)).await, 2_883);
}
