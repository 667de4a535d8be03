//! A bill is read with what it comes to.

use super::*;
use fatura_testkit::Fault;

async fn filled(table: &TestTable, bill: &Bill) {
    opened(table, bill).await;
    let lines: Vec<BillLine> =
        (0..40).map(|n| line_of(bill, &format!("call-{n}"), "1.10", Currency::USD)).collect();
    for lines in lines.chunks(20) {
        write(&table.store, lines.iter().map(|line| appended(bill, line))).await;
    }
}

#[tokio::test]
async fn a_bill_comes_with_all_of_its_shards_and_nearly_always_at_once() {
    for (count, calls) in [(1, 1), (7, 1), (8, 1), (9, 2), (64, 2)] {
        let table = TestTable::start().await;
        let bill = bill_with(ANA, 0, 1, count);
        filled(&table, &bill).await;
        let before = table.store.meter().reading();
        let (found, shards) = table.store.bill_with_shards(bill.id).await.unwrap().unwrap();
        assert_eq!(table.store.meter().reading().since(before).calls, calls, "{count} shards");
        assert_eq!(found, bill);
        let numbers: Vec<u8> = shards.iter().map(|shard| shard.number).collect();
        assert_eq!(numbers, bill.shards.numbers().collect::<Vec<_>>());
        let sums = Sums::so_far(&shards).unwrap();
        assert_eq!((sums.count, sums.totals.get(Currency::USD)), (40, money("44.00", Currency::USD)));
    }
}

#[tokio::test]
async fn a_bill_that_has_counted_nothing_has_empty_shards() {
    let table = TestTable::start().await;
    let bill = bill();
    assert!(table.store.bill_with_shards(bill.id).await.unwrap().is_none());
    assert!(table.store.bill(bill.id).await.unwrap().is_none());
    opened(&table, &bill).await;
    let empty: Vec<Shard> = bill.shards.numbers().map(Shard::new).collect();
    assert_eq!(table.store.bill_with_shards(bill.id).await.unwrap(), Some((bill, empty)));
}

#[tokio::test]
async fn a_list_of_bills_comes_with_the_shards_of_each_in_its_order() {
    let table = TestTable::start().await;
    let bills: Vec<Bill> = (0..40).map(|n| bill_with(n, 0, n, if n == 3 { 11 } else { 8 })).collect();
    for (n, bill) in bills.iter().enumerate() {
        let line = line_of(bill, "call", &format!("{n}.25"), Currency::USD);
        write(&table.store, [appended(bill, &line)]).await;
    }
    let asked: Vec<&Bill> = bills.iter().rev().collect();
    let before = table.store.meter().reading();
    let shards = table.store.shards_of(&asked).await.unwrap();
    let spent = table.store.meter().reading().since(before);
    assert_eq!((spent.calls, spent.round_trips), (4, 1));
    assert_eq!(shards.len(), 40);
    for (n, (bill, shards)) in bills.iter().zip(shards.iter().rev()).enumerate() {
        assert_eq!(shards.len(), usize::from(bill.shards.count()));
        let sums = Sums::so_far(shards).unwrap();
        assert_eq!(sums.totals.get(Currency::USD), money(&format!("{n}.25"), Currency::USD), "bill {n}");
    }
    assert!(table.store.shards_of(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_batch_leaves_out_is_asked_for_again() {
    let table = TestTable::start().await;
    let bill = bill();
    filled(&table, &bill).await;
    table.faults.next([Fault::Unread, Fault::Throttled, Fault::Unread]);
    assert_eq!(sums(&table, &bill).await.count, 40);
    assert_eq!(table.faults.left(), 0);
    table.faults.next_times(50, &Fault::Unread);
    assert!(matches!(table.store.bill_with_shards(bill.id).await, Err(StoreError::Contended(_))));
    assert_eq!(table.faults.left(), 43);
}
