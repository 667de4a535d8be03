use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet};
use fatura_testkit::{Fault, TestTable};

fn two() -> [Change; 2] {
    [Change::InvoiceCreated(draft(ANA, 0, 1)), Change::Answered(answer("k", "body", at(0)))]
}

fn one() -> [Change; 1] {
    [Change::InvoiceCreated(draft(ANA, 0, 1))]
}

#[tokio::test]
async fn what_passes_by_itself_is_tried_again() {
    for fault in [
        Fault::Throttled,
        Fault::Conflict,
        Fault::InProgress,
        Fault::ServerError,
        Fault::Canceled(vec!["None", "TransactionConflict"]),
        Fault::Canceled(vec!["ThrottlingError", "None"]),
        Fault::Canceled(vec!["None", "ProvisionedThroughputExceeded"]),
    ] {
        let table = TestTable::start().await;
        table.faults.next_times(3, &fault);
        table.store.commit(ChangeSet::of(two())).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(table.store.meter().reading().calls, 4, "{fault:?}");
        assert!(table.store.invoice(draft(ANA, 0, 1).id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn patience_ends_and_nothing_was_written() {
    for (fault, changes) in [
        (Fault::Throttled, two().to_vec()),
        (Fault::Canceled(vec!["TransactionConflict", "None"]), two().to_vec()),
        (Fault::Throttled, one().to_vec()),
    ] {
        let table = TestTable::start().await;
        table.faults.next_times(50, &fault);
        let failed = table.store.commit(ChangeSet::of(changes)).await;
        assert!(matches!(failed, Err(CommitError::Store(StoreError::Contended(_)))), "{failed:?}");
        assert_eq!(table.faults.left(), 44);
        table.faults.clear();
        assert_eq!(table.store.invoice(draft(ANA, 0, 1).id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn what_we_did_wrong_is_not_tried_again() {
    for fault in [Fault::Invalid, Fault::Canceled(vec!["None", "ValidationError"])] {
        let table = TestTable::start().await;
        table.faults.next([fault]);
        let failed = table.store.commit(ChangeSet::of(two())).await;
        assert!(matches!(failed, Err(CommitError::Store(StoreError::Corrupt(_)))), "{failed:?}");
        assert_eq!(table.store.meter().reading().calls, 1);
    }
}

/// A condition decides, whatever stood in the way of the other actions.
#[tokio::test]
async fn a_refusal_beside_a_conflict_is_a_refusal() {
    let table = TestTable::start().await;
    table.faults.next([Fault::Canceled(vec!["ConditionalCheckFailed", "TransactionConflict"])]);
    assert!(matches!(refusals(&table.store, two()).await[..], [Refusal::Stale]));
    assert_eq!(table.store.meter().reading().calls, 1);
}

/// The write was done and its answer lost: the second try must neither write again nor call its own work a stranger's.
#[tokio::test]
async fn a_lost_answer_is_found_again() {
    for changes in [two().to_vec(), one().to_vec(), vec![Change::Answered(answer("k", "body", at(0)))]] {
        let table = TestTable::start().await;
        table.faults.next([Fault::AnswerLost, Fault::Throttled, Fault::AnswerLost]);
        table.store.commit(ChangeSet::of(changes.clone())).await.unwrap();
        assert_eq!(table.faults.left(), 0);
        // Another request that asks for the same is another write, and is refused.
        let again = table.store.commit(ChangeSet::of(changes)).await;
        assert!(matches!(again, Err(CommitError::Refused(_))), "{again:?}");
    }
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_written_once() {
    let table = TestTable::start().await;
    let seen = draft(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(seen.clone())]).await;
    let next = seen.amended(content(), None, at(5)).unwrap();
    table.faults.next([Fault::AnswerLost]);
    write(&table.store, [Change::InvoiceChanged(next.clone())]).await;
    assert_eq!(stored(&table.store, seen.id).await, next);
}

/// The answer is lost, and before the second try somebody moves the invoice on: it has to be read again.
#[tokio::test]
async fn a_lost_answer_that_was_written_over_is_stale() {
    let table = TestTable::start().await;
    let seen = pending(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(seen.clone())]).await;
    let next = in_flight(&seen, at(3));
    let after = observed(&next, approved(&next), at(4)).invoice;
    write(&table.store, [Change::InvoiceChanged(next.clone())]).await;
    write(&table.store, [Change::InvoiceChanged(after)]).await;
    assert!(matches!(refusals(&table.store, [Change::InvoiceChanged(next)]).await[..], [Refusal::Stale]));
}

#[tokio::test]
async fn reading_is_tried_again_too() {
    let table = TestTable::start().await;
    let invoice = pending(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
    table.faults.next([Fault::Throttled, Fault::ServerError]);
    assert_eq!(stored(&table.store, invoice.id).await, invoice);
    table.faults.next([Fault::Throttled]);
    assert_eq!(table.store.due(at(9_999), 10).await.unwrap(), [invoice.id]);
    table.faults.next_times(50, &Fault::Throttled);
    assert!(matches!(table.store.invoice(invoice.id).await, Err(StoreError::Contended(_))));
}
