use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet};
use fatura_domain::customer::{Instrument, PaymentMethod};
use fatura_domain::gateway::PixKey;
use fatura_domain::id::PaymentMethodId;
use fatura_domain::ledger::TransactionFilter;
use fatura_domain::text::ExternalId;
use fatura_domain::{SignedDuration, charge::FailureClass};
use fatura_testkit::TestTable;

#[tokio::test]
async fn what_is_written_is_read_back() {
    let table = TestTable::start().await;
    let customer = customer(ANA, "ana@example.com", Some("shop-1"));
    let invoice = draft(ANA, 0, 1);
    write(&table.store, [Change::CustomerCreated(customer.clone()), Change::InvoiceCreated(invoice.clone())])
        .await;
    assert_eq!(table.store.customer(customer.id).await.unwrap(), Some(customer));
    assert_eq!(stored(&table.store, invoice.id).await, invoice);
    assert_eq!(table.store.invoice(draft(BEA, 0, 1).id).await.unwrap(), None);
    assert_eq!(table.store.customer(customer_id(BEA)).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_is_a_change_set_too() {
    let table = TestTable::start().await;
    table.store.commit(ChangeSet::default()).await.unwrap();
    assert_eq!(table.store.meter().reading().calls, 0);
}

#[tokio::test]
async fn an_invoice_is_changed_by_whoever_saw_it_last() {
    let table = TestTable::start().await;
    let seen = draft(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(seen.clone())]).await;
    let first = seen.amended(content(), None, at(5)).unwrap();
    let second = seen.amended(content(), None, at(6)).unwrap();
    write(&table.store, [Change::InvoiceChanged(first.clone())]).await;
    assert!(matches!(refusals(&table.store, [Change::InvoiceChanged(second)]).await[..], [Refusal::Stale]));
    assert_eq!(stored(&table.store, seen.id).await, first);
    assert!(matches!(refusals(&table.store, [Change::InvoiceCreated(seen)]).await[..], [Refusal::Stale]));
}

/// Two sweeps, or two deliveries of one message, decide the same at the same millisecond: one of them has decided it.
#[tokio::test]
async fn of_two_equal_changes_one_is_stale() {
    let table = TestTable::start().await;
    let seen = pending(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(seen.clone())]).await;
    let next = in_flight(&seen, at(5));
    write(&table.store, [Change::InvoiceChanged(next.clone())]).await;
    assert!(matches!(refusals(&table.store, [Change::InvoiceChanged(next)]).await[..], [Refusal::Stale]));
}

#[tokio::test]
async fn an_invoice_needs_a_customer_if_it_says_so() {
    let table = TestTable::start().await;
    let changes = || [Change::CustomerExists(customer_id(ANA)), Change::InvoiceCreated(draft(ANA, 0, 1))];
    assert!(matches!(refusals(&table.store, changes()).await[..], [Refusal::NoCustomer]));
    assert_eq!(table.store.invoice(draft(ANA, 0, 1).id).await.unwrap(), None);
    write(&table.store, [Change::CustomerCreated(customer(ANA, "ana@example.com", None))]).await;
    write(&table.store, changes()).await;
}

#[tokio::test]
async fn addresses_belong_to_one_customer_and_move_with_it() {
    let table = TestTable::start().await;
    let ana = customer(ANA, "ana@example.com", Some("shop-1"));
    write(&table.store, [Change::CustomerCreated(ana.clone())]).await;
    let thief = || Change::CustomerCreated(customer(BEA, "ana@example.com", Some("shop-1")));
    assert!(matches!(
        refusals(&table.store, [thief()]).await[..],
        [Refusal::EmailTaken, Refusal::ExternalIdTaken]
    ));
    assert_eq!(table.store.customer(customer_id(BEA)).await.unwrap(), None);

    let moved = ana.with_profile(profile("souza@example.com", Some("shop-9")), at(5));
    write(&table.store, [Change::CustomerChanged { before: ana.clone(), after: moved.clone() }]).await;
    write(&table.store, [thief()]).await;
    let of = |id: &str| ExternalId::parse(id).unwrap();
    assert_eq!(table.store.by_external_id(&of("shop-9")).await.unwrap(), Some(customer_id(ANA)));
    assert_eq!(table.store.by_external_id(&of("shop-1")).await.unwrap(), Some(customer_id(BEA)));
    assert_eq!(table.store.by_external_id(&of("shop-2")).await.unwrap(), None);

    // Back again is too late, and a change of an old version is stale whatever else it is.
    let back = moved.with_profile(ana.profile.clone(), at(6));
    let change = Change::CustomerChanged { before: moved, after: back };
    assert!(matches!(
        refusals(&table.store, [change]).await[..],
        [Refusal::EmailTaken, Refusal::ExternalIdTaken]
    ));
    let late = ana.with_profile(profile("ana@example.com", None), at(7));
    let refused = refusals(&table.store, [Change::CustomerChanged { before: ana, after: late }]).await;
    assert!(refused.iter().all(|refusal| matches!(refusal, Refusal::Stale)), "{refused:?}");
}

#[tokio::test]
async fn a_payer_comes_with_all_methods_newest_first() {
    let table = TestTable::start().await;
    let customer = customer(ANA, "ana@example.com", None);
    let methods: Vec<PaymentMethod> = (0..3)
        .map(|second| PaymentMethod {
            id: PaymentMethodId::new(customer.id, at(second), 9),
            instrument: Instrument::Pix(PixKey(format!("key-{second}@example.com"))),
            created_at: at(second),
        })
        .collect();
    let added = methods.iter().cloned().map(Change::PaymentMethodAdded);
    write(&table.store, added.chain([Change::CustomerCreated(customer.clone())])).await;
    // Neighbours in the partition that are no methods.
    write(&table.store, [Change::InvoiceCreated(draft(ANA, 0, 1))]).await;

    table.store.commit(ChangeSet::of([Change::PaymentMethodDetached(methods[1].id)])).await.unwrap();
    let payer = table.store.payer(customer.id).await.unwrap().unwrap();
    assert_eq!(payer.customer, customer);
    assert_eq!(payer.methods, [methods[2].clone(), methods[0].clone()]);
    let again = refusals(&table.store, [Change::PaymentMethodDetached(methods[1].id)]).await;
    assert!(matches!(again[..], [Refusal::Stale]));
    assert!(table.store.payer(customer_id(BEA)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_payment_is_written_as_a_whole() {
    let table = TestTable::start().await;
    let claimed = in_flight(&pending(ANA, 0, 1), at(2));
    write(&table.store, [Change::InvoiceCreated(claimed.clone())]).await;
    let paid = observed(&claimed, approved(&claimed), at(4));
    table.store.commit(ChangeSet::from_reduction(&claimed, paid.clone())).await.unwrap();

    assert_eq!(stored(&table.store, claimed.id).await, paid.invoice);
    assert_eq!(table.store.attempts(&paid.invoice).await.unwrap(), [paid.attempt.clone().unwrap()]);
    let page = PageRequest { limit: 10, after: None };
    let booked =
        table.store.transactions(customer_id(ANA), &TransactionFilter::default(), page).await.unwrap();
    assert_eq!(booked.data, [paid.transaction.clone().unwrap()]);

    // The same word again was decided on an old version: nothing of it is written.
    let again = observed(&claimed, approved(&claimed), at(5));
    let refused = table.store.commit(ChangeSet::from_reduction(&claimed, again)).await;
    assert!(matches!(refused, Err(CommitError::Refused(_))));
    let page = PageRequest { limit: 10, after: None };
    let booked =
        table.store.transactions(customer_id(ANA), &TransactionFilter::default(), page).await.unwrap();
    assert_eq!(booked.data.len(), 1);
}

#[tokio::test]
async fn attempts_are_listed_newest_first_wherever_they_lie() {
    let table = TestTable::start().await;
    let mut invoice = in_flight(&pending(ANA, 0, 1), at(2));
    write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
    let mut finished = Vec::new();
    for day in 1..=2 {
        let now = at(day * 10 * 86_400);
        let failed = observed(&invoice, declined(FailureClass::InsufficientFunds), now);
        table.store.commit(ChangeSet::from_reduction(&invoice, failed.clone())).await.unwrap();
        finished.push(failed.attempt.unwrap());
        let woken = woken(&failed.invoice, now + SignedDuration::from_hours(24 * 9)).unwrap();
        write(&table.store, [Change::InvoiceChanged(woken.clone())]).await;
        invoice = in_flight(&woken, woken.updated_at);
        write(&table.store, [Change::InvoiceChanged(invoice.clone())]).await;
    }
    let paid = observed(&invoice, approved(&invoice), at(40 * 86_400));
    table.store.commit(ChangeSet::from_reduction(&invoice, paid.clone())).await.unwrap();
    finished.push(paid.attempt.unwrap());
    finished.reverse();
    assert_eq!(table.store.attempts(&paid.invoice).await.unwrap(), finished);
}

/// Money that comes late has no attempt of its own to finish, and an attempt never disappears for want of a transaction.
#[tokio::test]
async fn an_attempt_without_its_transaction_has_its_own_item() {
    let table = TestTable::start().await;
    let claimed = in_flight(&pending(ANA, 0, 1), at(2));
    let paid = observed(&claimed, approved(&claimed), at(4));
    let attempt = paid.attempt.unwrap();
    write(&table.store, [Change::InvoiceCreated(claimed.clone()), Change::AttemptFinished(attempt.clone())])
        .await;
    assert_eq!(table.store.attempts(&claimed).await.unwrap(), [attempt]);

    let failed = observed(&claimed, declined(FailureClass::DoNotHonor), at(4)).invoice;
    let late = observed(&failed, approved(&failed), at(9));
    assert!(late.attempt.is_none() && late.transaction.is_some());
    let failed = in_flight(&pending(BEA, 0, 1), at(2));
    let declined = observed(&failed, declined(FailureClass::DoNotHonor), at(4));
    write(&table.store, [Change::InvoiceCreated(failed.clone())]).await;
    table.store.commit(ChangeSet::from_reduction(&failed, declined.clone())).await.unwrap();
    let late = observed(&declined.invoice, approved(&declined.invoice), at(9));
    table.store.commit(ChangeSet::from_reduction(&declined.invoice, late.clone())).await.unwrap();
    assert_eq!(table.store.attempts(&late.invoice).await.unwrap(), [declined.attempt.unwrap()]);
}

#[tokio::test]
async fn the_first_answer_stands_until_it_expires() {
    let table = TestTable::start().await;
    let first = answer("k1", r#"{"id":"inv_1"}"#, at(0));
    write(&table.store, [Change::InvoiceCreated(draft(ANA, 0, 1)), Change::Answered(first.clone())]).await;

    let second = || {
        [Change::InvoiceCreated(draft(ANA, 0, 2)), Change::Answered(answer("k1", r#"{"id":"inv_2"}"#, at(1)))]
    };
    let refused = refusals(&table.store, second()).await;
    let [Refusal::Answered(found)] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(**found, first);
    assert_eq!(table.store.invoice(draft(ANA, 0, 2).id).await.unwrap(), None);
    assert_eq!(table.store.answer(&first.once.scope, at(1)).await.unwrap(), Some(first.clone()));

    let later = first.expires_at + SignedDuration::from_secs(1);
    assert_eq!(table.store.answer(&first.once.scope, later).await.unwrap(), None);
    let renewed = answer("k1", r#"{"id":"inv_2"}"#, later);
    write(&table.store, [Change::InvoiceCreated(draft(ANA, 0, 2)), Change::Answered(renewed.clone())]).await;
    assert_eq!(table.store.answer(&first.once.scope, later).await.unwrap(), Some(renewed));
}

#[tokio::test]
async fn keys_of_other_callers_and_routes_never_meet() {
    let table = TestTable::start().await;
    let mine = answer("k", "mine", at(0));
    let mut theirs = answer("k", "theirs", at(0));
    theirs.once.scope.caller = "key_2".to_owned();
    let mut elsewhere = answer("k", "elsewhere", at(0));
    elsewhere.once.scope.route = "POST /v1/customers".to_owned();
    // The same letters, divided differently.
    let mut shifted = answer("k", "shifted", at(0));
    shifted.once.scope.caller = "key_1P".to_owned();
    shifted.once.scope.route = "OST /v1/invoices".to_owned();
    for answer in [&mine, &theirs, &elsewhere, &shifted] {
        write(&table.store, [Change::Answered(answer.clone())]).await;
    }
    for answer in [mine, theirs, elsewhere, shifted] {
        assert_eq!(table.store.answer(&answer.once.scope, at(1)).await.unwrap(), Some(answer));
    }
}

#[tokio::test]
async fn every_condition_that_failed_is_told_in_the_order_of_the_changes() {
    let table = TestTable::start().await;
    let invoice = draft(ANA, 0, 1);
    let first = answer("k1", "first", at(0));
    write(&table.store, [Change::InvoiceCreated(invoice.clone()), Change::Answered(first.clone())]).await;
    let refused = refusals(
        &table.store,
        [
            Change::CustomerExists(customer_id(ANA)),
            Change::InvoiceCreated(draft(ANA, 9, 9)),
            Change::InvoiceCreated(invoice),
            Change::Answered(first),
        ],
    )
    .await;
    assert!(
        matches!(refused[..], [Refusal::NoCustomer, Refusal::Stale, Refusal::Answered(_)]),
        "{refused:?}"
    );
}

#[tokio::test]
async fn more_than_a_transaction_holds_is_our_own_fault() {
    let table = TestTable::start().await;
    let changes = (0..101).map(|second| Change::InvoiceCreated(draft(ANA, second, 1)));
    let refused = table.store.commit(ChangeSet::of(changes)).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Corrupt(_)))));
}

#[tokio::test]
async fn a_word_without_effect_is_still_marked_as_heard() {
    let table = TestTable::start().await;
    let event = WebhookEvent {
        gateway: sandbox(),
        event_id: "evt_1".to_owned(),
        body: b"{}".to_vec(),
        received_at: at(0),
    };
    table.store.record(&event).await.unwrap();
    let done = || Change::WebhookProcessed { gateway: sandbox(), event_id: "evt_1".to_owned() };
    write(&table.store, [done()]).await;
    assert_eq!(table.store.record(&event).await.unwrap(), Recorded::Known { processed: true });
    // Whoever comes second with the same effect finds it done.
    write(&table.store, [done(), Change::InvoiceCreated(draft(ANA, 0, 1))]).await;
    let unknown = Change::WebhookProcessed { gateway: sandbox(), event_id: "evt_2".to_owned() };
    assert!(matches!(refusals(&table.store, [unknown]).await[..], [Refusal::Stale]));
}
