use super::*;
use fatura_application::ChangeSet;
use fatura_domain::bill::{BillStatus, ShardRefusal};
use fatura_testkit::Fault;

fn canceled(bill: &Bill) -> ChangeSet {
    let canceled = changed(bill.cancel(&Sums::default(), &operator(), at(60)));
    ChangeSet::bill_moved(bill, canceled).and([Change::EmptyShardsClosed(bill.clone())])
}

#[tokio::test]
async fn a_bill_is_changed_by_whoever_saw_it_last() {
    let table = TestTable::start().await;
    let bill = bill();
    opened(&table, &bill).await;
    assert!(matches!(refusals(&table.store, [Change::BillOpened(bill.clone())]).await[..], [Refusal::Stale]));
    let closing = closing(&bill);
    write(&table.store, [Change::BillChanged(closing.clone())]).await;
    let again = refusals(&table.store, [Change::BillChanged(closing.clone())]).await;
    assert!(matches!(again[..], [Refusal::Stale]));
    assert_eq!(table.store.bill(bill.id).await.unwrap(), Some(closing));
}

#[tokio::test]
async fn closing_says_what_was_counted_and_again_the_same() {
    for count in [1, 8, 13, 64] {
        let table = TestTable::start().await;
        let bill = bill_with(ANA, 0, 1, count);
        let lines: Vec<BillLine> = (0..30)
            .map(|n| line_of(&bill, &format!("call-{n}"), &format!("{n}.05"), Currency::USD))
            .collect();
        for lines in lines.chunks(10) {
            write(&table.store, lines.iter().map(|line| appended(&bill, line))).await;
        }
        let closed = table.store.close_shards(&bill).await.unwrap();
        let sums = Sums::exact(&closed, bill.shards).unwrap();
        assert_eq!((sums.count, sums.totals.get(Currency::USD)), (30, money("436.50", Currency::USD)));
        assert_eq!(table.store.close_shards(&bill).await.unwrap(), closed);
    }
}

#[tokio::test]
async fn eight_shards_are_closed_in_the_time_of_one() {
    let table = TestTable::start().await;
    let bill = bill();
    let before = table.store.meter().reading();
    table.store.close_shards(&bill).await.unwrap();
    let spent = table.store.meter().reading().since(before);
    assert_eq!((spent.calls, spent.round_trips, spent.write_units()), (8, 1, 8));
}

#[tokio::test]
async fn a_close_is_patient_and_not_for_ever() {
    let table = TestTable::start().await;
    let bill = bill();
    let line = line_of(&bill, "call-1", "10.00", Currency::USD);
    write(&table.store, [appended(&bill, &line)]).await;
    table.faults.next([Fault::Conflict, Fault::AnswerLost, Fault::Throttled, Fault::ServerError]);
    let closed = table.store.close_shards(&bill).await.unwrap();
    assert_eq!(Sums::exact(&closed, bill.shards).unwrap(), sums_of([&line]));
    table.faults.next_times(200, &Fault::Conflict);
    assert!(matches!(table.store.close_shards(&bill).await, Err(StoreError::Contended(_))));
}

#[tokio::test]
async fn only_an_empty_bill_is_taken_away() {
    let table = TestTable::start().await;
    let (empty, full) = (bill(), bill_with(ANA, 0, 2, 8));
    opened(&table, &empty).await;
    opened(&table, &full).await;
    let line = line_of(&full, "call-1", "0.00", Currency::USD);
    write(&table.store, [appended(&full, &line)]).await;

    let refused = table.store.commit(canceled(&full)).await;
    assert!(
        matches!(&refused, Err(CommitError::Refused(refusals)) if matches!(refusals[..], [Refusal::Stale])),
        "{refused:?}"
    );
    assert_eq!(table.store.bill(full.id).await.unwrap(), Some(full.clone()));
    assert!(shards_in(&table, &full).await.iter().all(|shard| !shard.closed), "all or nothing");

    table.store.commit(canceled(&empty)).await.unwrap();
    let (bill, shards) = table.store.bill_with_shards(empty.id).await.unwrap().unwrap();
    assert_eq!(bill.status(), BillStatus::Canceled);
    assert!(shards.iter().all(|shard| shard.closed && shard.sums == Sums::default()));
    let late = line_of(&empty, "call-2", "1.00", Currency::USD);
    let refused = refusals(&table.store, [appended(&empty, &late)]).await;
    assert!(matches!(refused[..], [Refusal::ShardRefused(ShardRefusal::Closed)]), "{refused:?}");
}

#[tokio::test]
async fn the_most_shards_are_taken_away_in_one_transaction() {
    let table = TestTable::start().await;
    let bill = bill_with(ANA, 0, 1, Shards::MOST);
    opened(&table, &bill).await;
    let answered = Change::Answered(answer("k", "{}", at(0)));
    table.store.commit(canceled(&bill).and([answered])).await.unwrap();
    assert!(shards_in(&table, &bill).await.iter().all(|shard| shard.closed));
}
