//! What an invoice costs: the figures of the design, exactly.

use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet};
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::{ChargeOutcome, GatewayReference, PendingAction};
use fatura_domain::invoice::Invoice;
use fatura_store::{Reading, WORK_INDEX};
use fatura_testkit::TestTable;

fn spent(table: &TestTable, before: Reading) -> (u64, u64) {
    let after = table.store.meter().reading();
    (after.calls - before.calls, after.write_tenths - before.write_tenths)
}

/// As long as what the API answers about an invoice of three lines.
fn long_answer() -> String {
    (0..3)
        .map(|n| format!(r#"{{"description":"line {n}","quantity":"1","unit_price":"19.90"}},"#).repeat(6))
        .collect()
}

#[tokio::test]
async fn an_invoice_of_three_lines_fits_in_one_write_unit_at_every_state() {
    let table = TestTable::start().await;
    let draft = draft(ANA, 0, 1);
    let pending = pending(ANA, 0, 2);
    let sending = in_flight(&self::pending(ANA, 0, 3), at(2));
    let failure = || Failure::new(FailureClass::Unknown, "timeout", "the gateway did not answer in time");
    let unknown = observed(
        &in_flight(&self::pending(ANA, 0, 4), at(2)),
        ChargeOutcome::Unknown { failure: failure() },
        at(3),
    );
    let pix = ChargeOutcome::Pending {
        reference: GatewayReference("ch_0123456789abcdef01234567".to_owned()),
        action: PendingAction::Pix { emv: "0002012658".repeat(15), expires_at: at(900) },
    };
    let awaiting = observed(&in_flight(&self::pending(ANA, 0, 5), at(2)), pix, at(3));
    let claimed = in_flight(&self::pending(ANA, 0, 6), at(2));
    let paid = observed(&claimed, approved(&claimed), at(3));
    let claimed = in_flight(&self::pending(ANA, 0, 7), at(2));
    let failed = observed(&claimed, declined(FailureClass::InsufficientFunds), at(3));
    for (state, invoice, most) in [
        ("draft", draft, 520),
        ("pending", pending, 720),
        ("in flight", sending, 780),
        ("unknown", unknown.invoice, 860),
        ("awaiting pix", awaiting.invoice, 980),
        ("paid", paid.invoice, 820),
        ("failed", failed.invoice, 860),
    ] {
        write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
        let size = table.invoice_size(invoice.id).await;
        println!("{state}: {size} bytes");
        assert!(size <= most, "{state}: {size} bytes");
    }
}

#[tokio::test]
async fn from_draft_to_paid_in_the_units_of_the_design() {
    let table = TestTable::start().await;
    write(&table.store, [Change::CustomerCreated(customer(ANA, "ana@example.com", None))]).await;
    let draft = draft(ANA, 0, 1);

    // Two items, and one entry of the index.
    let before = table.store.meter().reading();
    let answered = Change::Answered(answer("create", &long_answer(), at(0)));
    write(&table.store, [Change::InvoiceCreated(draft.clone()), answered]).await;
    assert_eq!(spent(&table, before), (1, 50), "create");

    // To look whether the customer is there costs as much as to write it.
    let before = table.store.meter().reading();
    let other = self::draft(ANA, 1, 2);
    let answered = Change::Answered(answer("other", &long_answer(), at(0)));
    write(&table.store, [Change::CustomerExists(customer_id(ANA)), Change::InvoiceCreated(other), answered])
        .await;
    assert_eq!(spent(&table, before), (1, 70), "create without having read the customer");

    // The index's entry moves: out of one partition, into another.
    let before = table.store.meter().reading();
    let charged = draft.charged(Some(source(ANA)), None, &Policy::default(), at(1)).unwrap();
    let answered = Change::Answered(answer("charge", &long_answer(), at(1)));
    write(&table.store, [Change::InvoiceChanged(charged.clone()), answered]).await;
    assert_eq!(spent(&table, before), (1, 60), "charge");

    let before = table.store.meter().reading();
    let claim = table.store.claim(charged.id, charged.version, begun(1, 2), at(2)).await.unwrap();
    assert_eq!(spent(&table, before), (1, 10), "claim");

    let Claim::Claimed(claimed) = claim else { panic!("not claimed") };
    let before = table.store.meter().reading();
    let paid = observed(&claimed, approved(&claimed), at(3));
    table.store.commit(ChangeSet::from_reduction(&claimed, paid.clone())).await.unwrap();
    assert_eq!(spent(&table, before), (1, 60), "settle");

    let event = WebhookEvent {
        gateway: sandbox(),
        event_id: "evt_1".to_owned(),
        body: long_answer().into_bytes(),
        received_at: at(4),
    };
    let before = table.store.meter().reading();
    table.store.record(&event).await.unwrap();
    assert_eq!(spent(&table, before), (1, 10), "webhook");
    let before = table.store.meter().reading();
    write(&table.store, [Change::WebhookProcessed { gateway: sandbox(), event_id: "evt_1".to_owned() }])
        .await;
    assert_eq!(spent(&table, before), (1, 10), "webhook without effect");
}

/// What most invoices go through: charged as they are made, and paid at the first attempt. Nothing that follows from a
/// step may make it dearer for those that need none of it.
#[tokio::test]
async fn charged_at_once_and_paid_is_twelve_write_units() {
    let table = TestTable::start().await;
    let before = table.store.meter().reading();
    let charged = pending(ANA, 0, 1);
    let answered = Change::Answered(answer("create", &long_answer(), at(0)));
    table.store.commit(ChangeSet::created(charged.clone()).and([answered])).await.unwrap();
    let claim = table.store.claim(charged.id, charged.version, begun(1, 2), at(2)).await.unwrap();
    let Claim::Claimed(claimed) = claim else { panic!("not claimed") };
    let paid = observed(&claimed, approved(&claimed), at(3));
    table.store.commit(ChangeSet::from_reduction(&claimed, paid)).await.unwrap();
    assert_eq!(spent(&table, before), (3, 120));
}

#[tokio::test]
async fn a_change_alone_costs_half_of_a_transaction() {
    let table = TestTable::start().await;
    let invoice = pending(ANA, 0, 1);
    write(&table.store, [Change::InvoiceCreated(invoice.clone())]).await;
    let before = table.store.meter().reading();
    let next = in_flight(&invoice, at(3));
    write(&table.store, [Change::InvoiceChanged(next)]).await;
    assert_eq!(spent(&table, before), (1, 10));
}

async fn read_units_of_a_sweep(table: &TestTable) -> u64 {
    let before = table.store.meter().reading();
    table.store.due(at(3_600), 100).await.unwrap();
    table.store.meter().reading().read_tenths - before.read_tenths
}

/// Nothing that is not due is read, however much of it there is.
#[tokio::test]
async fn a_sweep_costs_what_is_due() {
    let table = TestTable::start().await;
    write(&table.store, [Change::InvoiceCreated(pending(ANA, 0, 1))]).await;
    let few = read_units_of_a_sweep(&table).await;
    let not_due = (0..300).map(|n| {
        let claimed: Invoice = in_flight(&pending(n, 0, n + 2_000), at(2));
        Change::InvoiceCreated(observed(&claimed, approved(&claimed), at(3)).invoice)
    });
    let mut not_due = not_due.collect::<Vec<_>>();
    not_due.extend((0..300).map(|n| {
        let later = Some(at(999_999));
        let draft = draft(n, 0, n + 1_000);
        Change::InvoiceCreated(draft.charged(Some(source(n)), later, &Policy::default(), at(1)).unwrap())
    }));
    for changes in not_due.chunks(100) {
        write(&table.store, changes.to_vec()).await;
    }
    assert_eq!(read_units_of_a_sweep(&table).await, few);
}

#[tokio::test]
async fn one_answer_tells_whether_there_is_another_page() {
    let table = TestTable::start().await;
    for second in 0..5 {
        write(&table.store, [Change::InvoiceCreated(draft(ANA, second, 1))]).await;
    }
    let before = table.store.meter().reading();
    let page = PageRequest { limit: 3, after: None };
    table.store.of_customer(customer_id(ANA), &InvoiceFilter::default(), page).await.unwrap();
    assert_eq!(table.store.meter().reading().calls - before.calls, 1);
    let before = table.store.meter().reading();
    table.store.payer(customer_id(ANA)).await.unwrap();
    assert_eq!(table.store.meter().reading().calls - before.calls, 1);
}

/// The engine's table is made by hand: it has the index that the deployed one has.
#[test]
fn the_template_names_the_index_as_the_store_does() {
    let template = include_str!("../../../../template.yaml");
    assert!(template.contains(&format!("IndexName: {WORK_INDEX}\n")));
    assert!(!template.contains("/index/*"));
    for line in template.lines().filter(|line| line.contains("/index/")) {
        assert!(line.ends_with(&format!("/index/{WORK_INDEX}")), "{line}");
    }
    for attribute in ["PK", "SK", "WP", "WS"] {
        assert!(template.contains(&format!("AttributeName: {attribute}, AttributeType: S")));
    }
    assert!(template.contains("TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}"));
}
