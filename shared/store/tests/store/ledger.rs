//! Wallets, journals by hand, chains and the platform's sums, as they lie in the table.

use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet, seal};
use fatura_domain::Moment;
use fatura_domain::actor::Actor;
use fatura_domain::id::{CustomerId, TransactionId};
use fatura_domain::ledger::*;
use fatura_domain::money::{Currency, MAX_MINOR, Money};
use fatura_domain::text::{Description, Text};
use fatura_domain::wallet::{Amount, Movement, Route, Wallet, WalletRefusal};
use fatura_testkit::{Fault, TestTable};
use futures::future::join_all;
use std::collections::BTreeSet;

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

fn moved(route: Route, minor: i64, second: i64) -> Transaction {
    let movement = Movement {
        customer: customer_id(ANA),
        route,
        amount: Amount::try_new(brl(minor)).unwrap(),
        reference: Some(Text::parse("order 42").unwrap()),
    };
    let moment = Moment { now: at(second), entropy: u64::try_from(second).unwrap() };
    movement.booked(Actor::new("key_1"), moment).unwrap()
}

fn posted(second: i64, minor: i64) -> Transaction {
    let entry = |account, direction| Entry { account, direction, amount: brl(minor) };
    let entries = vec![entry(Account::Fees, Direction::Debit), entry(Account::Bank, Direction::Credit)];
    let posting = Posting::try_new(Description::parse("what the bank takes").unwrap(), entries).unwrap();
    posting.booked(Actor::new("key_1"), Moment { now: at(second), entropy: 7 }).unwrap()
}

fn opening(customers: &[u64]) -> BTreeSet<(CustomerId, Currency)> {
    customers.iter().map(|number| (customer_id(*number), Currency::BRL)).collect()
}

async fn book(table: &TestTable, transaction: &Transaction, opened: &[u64]) -> Result<(), CommitError> {
    table.store.commit(ChangeSet::booked(transaction.clone(), &opening(opened))).await
}

async fn refused(table: &TestTable, transaction: &Transaction, opened: &[u64]) -> Option<WalletRefusal> {
    match book(table, transaction, opened).await {
        Err(CommitError::Refused(refusals)) => match &refusals[..] {
            [Refusal::WalletRefused { why, .. }] => why.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

async fn balance(table: &TestTable, number: u64) -> Vec<Wallet> {
    table.store.wallets(customer_id(number)).await.unwrap()
}

fn holds(number: u64, minor: i64) -> Vec<Wallet> {
    vec![Wallet { customer: customer_id(number), balance: brl(minor) }]
}

fn page(limit: usize, after: Option<Position>) -> PageRequest {
    PageRequest { limit, after }
}

async fn journals(table: &TestTable, range: JournalRange) -> Vec<Transaction> {
    table.store.journals(customer_id(ANA), range, page(100, None)).await.unwrap().data
}

#[tokio::test]
async fn a_wallet_moves_with_its_journal_or_not_at_all() {
    let table = TestTable::start().await;
    let first = moved(Route::Credit, 1_000, 1);
    assert_eq!(refused(&table, &first, &[]).await, None, "there is none yet");
    book(&table, &first, &[ANA]).await.unwrap();
    assert_eq!(refused(&table, &moved(Route::Credit, 1, 2), &[ANA]).await, None, "there is one");
    let spent = moved(Route::Debit, 300, 3);
    book(&table, &spent, &[]).await.unwrap();
    let too_much = moved(Route::Debit, 701, 4);
    assert_eq!(refused(&table, &too_much, &[]).await, Some(WalletRefusal::NotEnough(brl(700))));
    let too_large = moved(Route::Credit, MAX_MINOR - 699, 5);
    assert_eq!(refused(&table, &too_large, &[]).await, Some(WalletRefusal::TooMuch(Currency::BRL)));
    assert_eq!(balance(&table, ANA).await, holds(ANA, 700));
    assert_eq!(journals(&table, JournalRange::default()).await, [first, spent]);
}

#[tokio::test]
async fn a_transfer_is_shown_to_both_and_moves_both() {
    let table = TestTable::start().await;
    book(&table, &moved(Route::Credit, 1_000, 1), &[ANA]).await.unwrap();
    let given = moved(Route::Transfer { to: customer_id(BEA) }, 400, 2);
    assert_eq!(refused(&table, &given, &[]).await, None, "she has no wallet yet");
    book(&table, &given, &[BEA]).await.unwrap();
    assert_eq!((balance(&table, ANA).await, balance(&table, BEA).await), (holds(ANA, 600), holds(BEA, 400)));
    let hers = table.store.journals(customer_id(BEA), JournalRange::default(), page(9, None)).await.unwrap();
    assert_eq!(hers.data, given.mirrored().collect::<Vec<_>>());
    let too_much = moved(Route::Transfer { to: customer_id(BEA) }, 601, 3);
    assert_eq!(refused(&table, &too_much, &[]).await, Some(WalletRefusal::NotEnough(brl(600))));
    assert_eq!((balance(&table, ANA).await, balance(&table, BEA).await), (holds(ANA, 600), holds(BEA, 400)));
}

#[tokio::test]
async fn a_movement_whose_answer_was_lost_is_done_once() {
    let table = TestTable::start().await;
    book(&table, &moved(Route::Credit, 1_000, 1), &[ANA]).await.unwrap();
    table.faults.next([Fault::AnswerLost]);
    book(&table, &moved(Route::Debit, 300, 2), &[]).await.unwrap();
    assert_eq!(balance(&table, ANA).await, holds(ANA, 700));
}

/// DynamoDB refuses two transactions of one item at once, which says nothing of the money in it.
#[tokio::test]
async fn who_meets_another_at_the_same_wallet_tries_again() {
    let table = TestTable::start().await;
    book(&table, &moved(Route::Credit, 1_000, 1), &[ANA]).await.unwrap();
    table.faults.next_times(3, &Fault::Canceled(vec!["TransactionConflict", "None"]));
    book(&table, &moved(Route::Debit, 300, 2), &[]).await.unwrap();
    assert_eq!((table.faults.left(), balance(&table, ANA).await), (0, holds(ANA, 700)));
}

/// Invariant: never below zero, however many at once.
#[tokio::test]
async fn of_a_hundred_at_once_a_wallet_gives_what_it_covers() {
    let table = TestTable::start().await;
    book(&table, &moved(Route::Credit, 60 * 125, 0), &[ANA]).await.unwrap();
    let debits: Vec<Transaction> = (1..=100).map(|second| moved(Route::Debit, 125, second)).collect();
    let done = join_all(debits.iter().map(|debit| book(&table, debit, &[]))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 60);
    assert_eq!(balance(&table, ANA).await, holds(ANA, 0));
    let mut balances = Balances::default();
    for journal in journals(&table, JournalRange::default()).await {
        balances.post_all(&journal);
    }
    assert_eq!(balances.of(&Account::Wallet(customer_id(ANA)), Currency::BRL), 0);
}

#[tokio::test]
async fn a_movement_is_one_round_trip_of_six_write_units() {
    let table = TestTable::start().await;
    book(&table, &moved(Route::Credit, 1_000, 1), &[ANA]).await.unwrap();
    let before = table.store.meter().reading();
    let changes = ChangeSet::booked(moved(Route::Debit, 300, 2), &BTreeSet::new());
    let answered = Change::Answered(answer("debit", &"x".repeat(300), at(2)));
    table.store.commit(changes.and([answered])).await.unwrap();
    let cost = table.store.meter().reading().since(before);
    assert_eq!((cost.round_trips, cost.write_tenths, cost.read_tenths), (1, 60, 0));
}

#[tokio::test]
async fn journals_come_oldest_first_by_period_and_page() {
    let table = TestTable::start().await;
    let all: Vec<Transaction> = (1..=5).map(|second| moved(Route::Credit, second * 100, second)).collect();
    for (index, transaction) in all.iter().enumerate() {
        book(&table, transaction, if index == 0 { &[ANA] } else { &[] }).await.unwrap();
    }
    let range = |from, to, before| JournalRange { from, to, before };
    assert_eq!(journals(&table, range(Some(at(2)), Some(at(4)), None)).await, all[1..3]);
    assert_eq!(journals(&table, range(None, None, Some(all[3].id))).await, all[..3]);
    assert_eq!(journals(&table, range(None, None, Some(all[0].id))).await, []);
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let found = table.store.journals(customer_id(ANA), JournalRange::default(), page(2, after)).await;
        let found = found.unwrap();
        seen.extend(found.data);
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, all);
    let elsewhere = Some(Position(format!("TXN#{}", all[0].id.owned_by(customer_id(BEA)).code())));
    let bad = table.store.journals(customer_id(ANA), JournalRange::default(), page(2, elsewhere)).await;
    assert!(matches!(bad, Err(ListError::BadPosition)));
}

#[tokio::test]
async fn a_journal_is_reversed_once() {
    let table = TestTable::start().await;
    let posted = posted(1, 250);
    book(&table, &posted, &[]).await.unwrap();
    assert_eq!(posted.id.owner(), CustomerId::PLATFORM);
    assert_eq!(table.store.transaction(posted.id).await.unwrap(), Some(posted.clone()));
    write(&table.store, [Change::JournalReversed(posted.id)]).await;
    let again = refusals(&table.store, [Change::JournalReversed(posted.id)]).await;
    assert!(matches!(again[..], [Refusal::Reversed]));
}

async fn sealed(table: &TestTable, told: &[Transaction]) -> Result<(), usize> {
    seal(&*table.store, &*table.store, told).await.map_err(|(place, _)| place)
}

async fn chain_of(table: &TestTable, number: u64, told: &[Transaction]) -> Vec<ChainFault> {
    let ids: Vec<TransactionId> = told.iter().map(|journal| journal.id).collect();
    let links = table.store.links(&ids).await.unwrap();
    assert_eq!(links.len(), told.len());
    let head = table.store.chain(customer_id(number), &[]).await.unwrap().head;
    check_chain(told, &links, head)
}

/// The stream tells at least once, and in order of one item only.
#[tokio::test]
async fn however_often_a_journal_is_told_it_is_sealed_and_counted_once() {
    let table = TestTable::start().await;
    let credit = moved(Route::Credit, 1_000, 1);
    let given = moved(Route::Transfer { to: customer_id(BEA) }, 400, 2);
    let shown = given.mirrored().next().unwrap();
    let own = posted(3, 250);
    sealed(&table, &[given.clone(), shown.clone()]).await.unwrap();
    sealed(&table, &[credit.clone(), given.clone(), given.clone(), own.clone()]).await.unwrap();
    sealed(&table, &[own.clone(), shown.clone(), credit.clone(), given.clone()]).await.unwrap();

    assert_eq!(chain_of(&table, ANA, &[credit.clone(), given.clone()]).await, []);
    assert_eq!(chain_of(&table, BEA, std::slice::from_ref(&shown)).await, []);
    let totals = table.store.totals().await.unwrap();
    let mut expected = Totals::default();
    for journal in [&credit, &given, &own] {
        expected.count(journal);
    }
    assert_eq!(totals, expected);
    assert_eq!(totals.trial_balance().into_iter().collect::<Vec<_>>(), [(Currency::BRL, 0)]);
    let bank = totals.each().find(|(account, ..)| **account == GeneralAccount::Bank).unwrap().2;
    assert_eq!(bank.balance(Direction::Debit), 1_000 - 250);
}

#[tokio::test]
async fn those_who_seal_at_once_make_one_chain() {
    let table = TestTable::start().await;
    let told: Vec<Transaction> = (1..=40).map(|second| moved(Route::Credit, 100, second)).collect();
    let (odd, even): (Vec<_>, Vec<_>) = told.chunks(4).enumerate().partition(|(index, _)| index % 2 == 1);
    let batches = odd.into_iter().chain(even).map(|(_, few)| sealed(&table, few));
    assert!(join_all(batches).await.iter().all(Result::is_ok));
    assert_eq!(chain_of(&table, ANA, &told).await, []);
    let totals = table.store.totals().await.unwrap();
    assert!(totals.each().all(|(_, _, turnover)| turnover.debits + turnover.credits == 4_000));
}

#[tokio::test]
async fn what_could_not_be_sealed_is_named_by_its_place() {
    let table = TestTable::start().await;
    table.faults.next_times(1_000, &Fault::Invalid);
    assert_eq!(sealed(&table, &[moved(Route::Credit, 100, 1)]).await, Err(0));
    table.faults.clear();
    sealed(&table, &[moved(Route::Credit, 100, 1)]).await.unwrap();
}

/// Off the path of the money: a link, the chain's head and the sums.
#[tokio::test]
async fn sealing_a_journal_is_six_write_units() {
    let table = TestTable::start().await;
    sealed(&table, &[moved(Route::Credit, 100, 1)]).await.unwrap();
    let before = table.store.meter().reading();
    sealed(&table, &[moved(Route::Credit, 100, 2)]).await.unwrap();
    let cost = table.store.meter().reading().since(before);
    assert_eq!((cost.round_trips, cost.write_tenths), (2, 60));
}

#[tokio::test]
async fn everybodys_journals_are_read_part_by_part() {
    let table = TestTable::start().await;
    write(&table.store, [Change::CustomerCreated(customer(ANA, "ana@example.com", None))]).await;
    book(&table, &moved(Route::Credit, 1_000, 1), &[ANA]).await.unwrap();
    book(&table, &posted(2, 250), &[]).await.unwrap();
    let (mut seen, mut after) = (BTreeSet::new(), None);
    loop {
        let found = table.store.all_journals(page(1, after)).await.unwrap();
        seen.extend(found.data.iter().map(|journal| journal.id));
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, BTreeSet::from([moved(Route::Credit, 1_000, 1).id, posted(2, 250).id]));
}
