//! Many at once, on a bad day.

use super::*;
use fatura_application::ChangeSet;
use fatura_domain::bill::ShardRefusal;
use fatura_store::DynamoStore;
use fatura_testkit::Fault;
use futures::future::join_all;
use std::sync::Arc;

const TASKS: usize = 20;

/// What a client does: sends it again until it knows. Says whether the bill has it.
async fn sent_until_known(store: &DynamoStore, bill: &Bill, line: &BillLine) -> bool {
    loop {
        match store.commit(ChangeSet::of([appended(bill, line)])).await {
            Ok(()) => return true,
            Err(CommitError::Refused(refusals)) => {
                let is_in =
                    |refusal: &Refusal| matches!(refusal, Refusal::LineTaken(found) if **found == *line);
                let is_out =
                    |refusal: &Refusal| matches!(refusal, Refusal::ShardRefused(ShardRefusal::Closed));
                if refusals.iter().any(is_in) {
                    return true;
                }
                assert!(refusals.iter().all(is_out), "{refusals:?}");
                return false;
            }
            Err(CommitError::Store(StoreError::Contended(_) | StoreError::Unavailable(_))) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn lines(bill: &Bill, count: usize) -> Arc<Vec<BillLine>> {
    let price = |n: usize| format!("{}.{:02}", n % 7, n % 100);
    let currency = |n: usize| [Currency::USD, Currency::BRL, Currency::KWD][n % 3];
    let line = |n| line_of(bill, &format!("call-{n}"), &price(n), currency(n));
    Arc::new((0..count).map(line).collect())
}

/// Tasks that share the lines out among them; every fifth line goes to two.
fn senders(
    table: &TestTable,
    bill: &Bill,
    lines: &Arc<Vec<BillLine>>,
) -> Vec<tokio::task::JoinHandle<Vec<(LineKey, bool)>>> {
    let sender = |task: usize| {
        let (store, bill, lines) = (table.store.clone(), bill.clone(), lines.clone());
        tokio::spawn(async move {
            let mut known = Vec::new();
            for (n, line) in lines.iter().enumerate() {
                if n % TASKS == task || n.is_multiple_of(5) && n % TASKS == (task + 1) % TASKS {
                    known.push((line.key(), sent_until_known(&store, &bill, line).await));
                }
            }
            known
        })
    };
    (0..TASKS).map(sender).collect()
}

fn a_bad_day() -> impl Iterator<Item = Fault> {
    now_and_then([
        Fault::Throttled,
        Fault::AnswerLost,
        Fault::Canceled(vec!["None", "TransactionConflict"]),
        Fault::ServerError,
        Fault::Canceled(vec!["TransactionConflict", "TransactionConflict"]),
        Fault::AnswerLost,
        Fault::InProgress,
        Fault::Canceled(vec!["ThrottlingError", "None"]),
    ])
}

/// What may meet a close, too, which is no transaction.
fn a_bad_day_for_all() -> impl Iterator<Item = Fault> {
    now_and_then([
        Fault::Throttled,
        Fault::AnswerLost,
        Fault::Conflict,
        Fault::ServerError,
        Fault::AnswerLost,
    ])
}

fn now_and_then(mishaps: impl IntoIterator<Item = Fault>) -> impl Iterator<Item = Fault> {
    mishaps.into_iter().flat_map(|mishap| [Fault::Pass, Fault::Pass, mishap])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_appends_lose_nothing_and_count_once() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    let lines = lines(&bill, 1_000);
    for _ in 0..50 {
        table.faults.next(a_bad_day());
    }
    for known in join_all(senders(&table, &bill, &lines)).await {
        assert!(known.unwrap().iter().all(|(_, is_in)| *is_in));
    }
    assert_eq!(table.faults.left(), 0);
    assert_eq!(sums(&table, &bill).await, sums_of(lines.iter()));
    let mut expected = lines.to_vec();
    expected.sort_by_key(|line| line.key().to_string());
    assert_eq!(all_lines(&table, &bill, 100).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_before_a_close_is_in_it_to_the_cent() {
    for round in 0..3 {
        let table = TestTable::start().await;
        let bill = bill_with(ANA, 0, round, 8);
        opened(&table, &bill).await;
        let lines = lines(&bill, 100);
        for _ in 0..8 {
            table.faults.next(a_bad_day_for_all());
        }
        let senders = senders(&table, &bill, &lines);
        // A moment that the appends themselves decide.
        for _ in 0..10_000 {
            if sums(&table, &bill).await.count >= 10 + round * 30 {
                break;
            }
        }
        let closed = table.store.close_shards(&bill).await.unwrap();

        let counted = Sums::exact(&closed, bill.shards).unwrap();
        let mut written = std::collections::HashMap::new();
        for known in join_all(senders).await {
            for (key, is_in) in known.unwrap() {
                assert_eq!(*written.entry(key.clone()).or_insert(is_in), is_in, "{key}: in or out for good");
            }
        }
        assert_eq!(counted, sums_of(lines.iter().filter(|line| written[&line.key()])), "round {round}");
        let found = all_lines(&table, &bill, 30).await;
        assert_eq!(counted, sums_of(&found));
        assert_eq!(shards_in(&table, &bill).await, closed);
        assert_eq!(table.store.close_shards(&bill).await.unwrap(), closed, "closed is closed");
    }
}
