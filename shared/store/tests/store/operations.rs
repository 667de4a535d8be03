//! What operators look at and what runs leave behind: open matters, counters, rules, circuits.

use crate::world::*;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_application::circuit::{Circuit, CircuitState};
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet, Difference, DifferenceKind, Edition, RulesEdition};
use fatura_domain::actor::Actor;
use fatura_domain::attention::{Attention, AttentionId, AttentionKind, Closed};
use fatura_domain::charge::FailureClass;
use fatura_domain::dunning::{ClassRule, Minutes, Policy, Rules};
use fatura_domain::gateway::{GatewayName, GatewayReference, MovementKind};
use fatura_domain::id::RunId;
use fatura_domain::invoice::Invoice;
use fatura_domain::money::{Currency, Money};
use fatura_domain::run::{Billing, Outcome, Part, Reconciliation, Requeue, Run, RunKind, Scope};
use fatura_testkit::{Fault, TestTable};
use std::collections::BTreeMap;

fn page(limit: usize, after: Option<Position>) -> PageRequest {
    PageRequest { limit, after }
}

// ---- attention -----------------------------------------------------------------------------------------------------

fn matter(kind: AttentionKind, number: u64, raised: i64) -> Attention {
    let invoice = draft(ANA, 0, number);
    Attention {
        id: AttentionId::of_orphan(invoice.id, 0),
        kind,
        invoice: Some(invoice.id),
        bill: None,
        amount: Some(invoice.total),
        gateway: Some(sandbox()),
        reference: Some(GatewayReference("ch_9".to_owned())),
        detail: "100.00 came for an invoice that is paid".to_owned(),
        raised_at: at(raised),
        closed: None,
    }
}

fn close(matter: &Attention, closed: &Closed) -> Change {
    Change::AttentionClosed { id: matter.id.clone(), closed: closed.clone() }
}

async fn open(table: &TestTable, kind: Option<AttentionKind>, limit: usize) -> Vec<Attention> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = table.store.open_attention(kind, page(limit, after)).await.unwrap();
        assert!(page.next.is_none() || page.data.len() == limit);
        seen.extend(page.data);
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn a_matter_that_is_raised_twice_is_one() {
    let table = TestTable::start().await;
    let raised = matter(AttentionKind::OrphanPayment, 1, 5);
    let bare = Attention {
        id: AttentionId::of_difference("0123456789abcdef"),
        invoice: None,
        bill: None,
        amount: None,
        gateway: None,
        reference: None,
        ..matter(AttentionKind::ReconciliationDifference, 2, 6)
    };
    for _ in 0..2 {
        write(&table.store, [Change::AttentionRaised(raised.clone())]).await;
        write(&table.store, [Change::AttentionRaised(bare.clone())]).await;
    }
    assert_eq!(table.store.attention(&raised.id).await.unwrap(), Some(raised.clone()));
    assert_eq!(open(&table, None, 10).await, [raised, bare]);
    assert_eq!(table.store.attention(&AttentionId::of_difference("other")).await.unwrap(), None);
}

#[tokio::test]
async fn whoever_closed_a_matter_first_keeps_the_word() {
    let table = TestTable::start().await;
    let by_itself = Closed { at: at(20), by: None, note: None };
    let by_hand = Closed { at: at(21), by: Some(Actor::new("key_7")), note: Some("called them".to_owned()) };
    let orders = [[&by_itself, &by_hand], [&by_hand, &by_itself]];
    for (number, [first, second]) in (1..).zip(orders) {
        let raised = matter(AttentionKind::RefundFailed, number, 5);
        write(&table.store, [Change::AttentionRaised(raised.clone())]).await;
        write(&table.store, [close(&raised, first)]).await;
        // Beside something else, as a use case closes it.
        write(&table.store, [close(&raised, second), Change::InvoiceCreated(draft(BEA, 0, number))]).await;
        let closed = Attention { closed: Some(first.clone()), ..raised.clone() };
        assert_eq!(table.store.attention(&raised.id).await.unwrap(), Some(closed));
    }
    assert!(open(&table, None, 10).await.is_empty());

    let unknown = matter(AttentionKind::RefundFailed, 9, 5);
    let refused = refusals(&table.store, [close(&unknown, &by_hand)]).await;
    assert!(matches!(refused[..], [Refusal::Stale]));
    assert_eq!(table.store.attention(&unknown.id).await.unwrap(), None, "closing makes nothing");
}

#[tokio::test]
async fn a_close_whose_answer_was_lost_is_done() {
    let table = TestTable::start().await;
    let raised = matter(AttentionKind::RefundFailed, 1, 5);
    write(&table.store, [Change::AttentionRaised(raised.clone())]).await;
    let closed = Closed { at: at(20), by: Some(Actor::new("key_7")), note: None };
    table.faults.next([Fault::AnswerLost]);
    write(&table.store, [close(&raised, &closed)]).await;
    assert_eq!(table.store.attention(&raised.id).await.unwrap().unwrap().closed, Some(closed));
}

#[tokio::test]
async fn open_matters_come_oldest_first_by_kind_in_full_pages() {
    let table = TestTable::start().await;
    let kinds = [AttentionKind::OrphanPayment, AttentionKind::UnknownOutcome, AttentionKind::RefundFailed];
    let raised: Vec<Attention> = (0..24_u64)
        .map(|n| matter(kinds[usize::try_from(n % 3).unwrap()], n, i64::try_from(n * 7 % 24).unwrap()))
        .collect();
    for matter in &raised {
        write(&table.store, [Change::AttentionRaised(matter.clone())]).await;
    }
    let closed = Closed { at: at(99), by: None, note: None };
    for matter in &raised[..3] {
        write(&table.store, [close(matter, &closed)]).await;
    }
    let mut expected = raised[3..].to_vec();
    expected.sort_by_key(|matter| matter.raised_at);
    for limit in [1, 2, 7, 21, 100] {
        assert_eq!(open(&table, None, limit).await, expected, "pages of {limit}");
        for kind in kinds {
            let of_kind: Vec<_> = expected.iter().filter(|matter| matter.kind == kind).cloned().collect();
            assert_eq!(open(&table, Some(kind), limit).await, of_kind, "pages of {limit}");
        }
    }
    assert!(open(&table, Some(AttentionKind::CannotCharge), 5).await.is_empty());

    let drafts = [draft(ANA, 0, 1), draft(ANA, 1, 2)].map(Change::InvoiceCreated);
    write(&table.store, drafts).await;
    let of_customer =
        table.store.of_customer(customer_id(ANA), &InvoiceFilter::default(), page(1, None)).await;
    let elsewhere = of_customer.unwrap().next.unwrap().0;
    let first = table.store.open_attention(None, page(2, None)).await.unwrap().next.unwrap().0;
    for text in [String::new(), "~".to_owned(), elsewhere, format!("{first}{}", "x".repeat(5_000))] {
        let bad = table.store.open_attention(None, page(2, Some(Position(text.clone())))).await;
        assert!(matches!(bad, Err(ListError::BadPosition)), "{text}");
    }
}

// ---- runs ----------------------------------------------------------------------------------------------------------

fn run(name: &str, kind: RunKind) -> Run {
    Run { id: RunId::named(name).unwrap(), kind, by: Actor::new("key_7"), created_at: at(0), parts: 3 }
}

fn billing() -> Run {
    let scope = Scope::Customer(customer_id(ANA));
    run("202611", RunKind::Billing(Billing { period: "2026-11".parse().unwrap(), scope }))
}

fn begun_with(run: &Run, due: i64) -> (Vec<Part>, Vec<Change>) {
    let parts = run.begun(at(due));
    let changes = parts.iter().cloned().map(Change::PartBegun).collect::<Vec<_>>();
    (parts, [vec![Change::RunBegun(run.clone())], changes].concat())
}

#[tokio::test]
async fn a_run_is_begun_once() {
    let table = TestTable::start().await;
    let requeue = Requeue {
        failure_class: Some(FailureClass::InsufficientFunds),
        gateway: Some(sandbox()),
        failed_from: Some(at(-60)),
        failed_to: None,
    };
    let task = Reconciliation { gateway: sandbox(), from: at(-86_400), to: at(0) };
    let runs = [
        billing(),
        run("requeue", RunKind::Requeue(requeue)),
        run("any", RunKind::Requeue(Requeue::default())),
        run("20261101_sandbox", RunKind::Reconciliation(task)),
    ];
    for run in &runs {
        let (parts, changes) = begun_with(run, 60);
        write(&table.store, changes).await;
        assert_eq!(table.store.run(&run.id).await.unwrap().as_ref(), Some(run));
        let progress = table.store.progress(&run.id).await.unwrap().unwrap();
        assert_eq!((&progress.run, progress.parts, progress.outcomes), (run, parts, BTreeMap::new()));
    }
    let again = Run { by: Actor::new("key_8"), ..billing() };
    let refused = refusals(&table.store, begun_with(&again, 61).1).await;
    assert!(refused.iter().all(|refusal| matches!(refusal, Refusal::Stale)), "{refused:?}");
    assert_eq!(table.store.run(&again.id).await.unwrap(), Some(billing()), "the first stands");
    let unknown = RunId::named("unknown").unwrap();
    assert!(table.store.progress(&unknown).await.unwrap().is_none());
    assert!(table.store.run(&unknown).await.unwrap().is_none());
    assert!(table.store.part(&unknown, 0).await.unwrap().is_none());
}

#[tokio::test]
async fn parts_come_on_at_their_version_and_are_due_until_they_are_done() {
    let table = TestTable::start().await;
    let run = billing();
    let (parts, changes) = begun_with(&run, 60);
    write(&table.store, changes).await;
    let due = |now: i64, limit| {
        let store = table.store.clone();
        async move {
            let due = store.due_parts(at(now), limit).await.unwrap();
            due.into_iter().map(|(id, number)| (id.to_string(), number)).collect::<Vec<_>>()
        }
    };
    let named = |number| ("run_202611".to_owned(), number);
    assert!(due(59, 10).await.is_empty());
    assert_eq!(due(60, 10).await, [named(0), named(1), named(2)]);
    assert_eq!(due(60, 2).await.len(), 2);

    let counted = BTreeMap::from([("due".to_owned(), 3), ("enqueued".to_owned(), 2)]);
    let place = Some("0#1793620800000#inv_x".to_owned());
    let stepped = parts[1].stepped(place, &counted, at(180), at(70));
    write(&table.store, [Change::PartChanged(stepped.clone())]).await;
    let twin = refusals(&table.store, [Change::PartChanged(stepped.clone())]).await;
    assert!(matches!(twin[..], [Refusal::Stale]), "one message, delivered twice");
    assert_eq!(table.store.part(&run.id, 1).await.unwrap(), Some(stepped.clone()));
    assert_eq!(due(100, 10).await, [named(0), named(2)]);

    let done = parts[0].stepped(None, &counted, at(180), at(70));
    write(&table.store, [Change::PartChanged(done.clone())]).await;
    assert_eq!(due(999_999, 10).await, [named(2), named(1)], "the longest overdue first");
    let progress = table.store.progress(&run.id).await.unwrap().unwrap();
    assert_eq!(progress.parts, [done, stepped, parts[2].clone()]);
}

/// An invoice that a run has charged, as its consumer gets it.
fn charged_by(run: &Run, number: u64) -> Invoice {
    Invoice { run: Some(run.id.clone()), ..in_flight(&pending(number, 0, number * 7), at(2)) }
}

#[tokio::test]
async fn what_became_of_a_runs_invoices_is_counted_up_and_down() {
    let table = TestTable::start().await;
    let run = billing();
    write(&table.store, begun_with(&run, 60).1).await;
    let outcomes = async || {
        let outcomes = table.store.progress(&run.id).await.unwrap().unwrap().outcomes;
        outcomes.into_iter().collect::<Vec<_>>()
    };
    let counted = |pairs: &[(&str, u64)]| {
        pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
    };
    let invoices: Vec<Invoice> = (0..40).map(|number| charged_by(&run, number)).collect();
    // Twenty in one transaction share the run's few counters, each of which a transaction takes once.
    for few in invoices.chunks(20) {
        let together = few.iter().flat_map(|invoice| ChangeSet::created(invoice.clone()));
        table.store.commit(ChangeSet::of(together)).await.unwrap();
    }
    assert_eq!(outcomes().await, counted(&[("pending", 40)]));

    let paid: Vec<_> = invoices[..10].iter().map(|i| (i, observed(i, approved(i), at(3)))).collect();
    let failed = invoices[10..15].iter().map(|i| (i, observed(i, declined(FailureClass::Hard), at(3))));
    let failed: Vec<_> = failed.collect();
    for (before, reduction) in paid.iter().chain(&failed) {
        table.store.commit(ChangeSet::from_reduction(before, reduction.clone())).await.unwrap();
    }
    assert_eq!(outcomes().await, counted(&[("failed_hard", 5), ("paid", 10), ("pending", 25)]));

    // One and the same again is refused as a whole, and counts nothing.
    let (before, reduction) = &paid[0];
    assert!(table.store.commit(ChangeSet::from_reduction(before, reduction.clone())).await.is_err());
    assert_eq!(outcomes().await, counted(&[("failed_hard", 5), ("paid", 10), ("pending", 25)]));

    // An operator's requeue is not a run's: what failed is pending again, and no longer failed.
    for (_, reduction) in &failed {
        let failed = &reduction.invoice;
        let again = failed.requeued(source(9), &Policy::default(), at(9)).unwrap();
        table.faults.next([Fault::AnswerLost]);
        table.store.commit(ChangeSet::moved(failed, again)).await.unwrap();
    }
    assert_eq!(outcomes().await, counted(&[("paid", 10), ("pending", 30)]), "none is named that is empty");
}

#[tokio::test]
async fn a_run_keeps_what_it_counted_when_another_takes_the_invoice_over() {
    let table = TestTable::start().await;
    let (first, second) = (billing(), run("second", RunKind::Requeue(Requeue::default())));
    write(&table.store, begun_with(&first, 60).1).await;
    write(&table.store, begun_with(&second, 60).1).await;
    let invoice = charged_by(&first, 1);
    table.store.commit(ChangeSet::created(invoice.clone())).await.unwrap();
    let failed = observed(&invoice, declined(FailureClass::Hard), at(3));
    table.store.commit(ChangeSet::from_reduction(&invoice, failed.clone())).await.unwrap();
    let again = failed.invoice.requeued(source(1), &Policy::default(), at(9)).unwrap();
    let again = Invoice { run: Some(second.id.clone()), ..again };
    table.store.commit(ChangeSet::moved(&failed.invoice, again)).await.unwrap();
    let of = async |run: &Run| table.store.progress(&run.id).await.unwrap().unwrap().outcomes;
    let failed_hard = Outcome::Failed(FailureClass::Hard).name();
    assert_eq!(of(&first).await, BTreeMap::from([(failed_hard, 1)]));
    assert_eq!(of(&second).await, BTreeMap::from([("pending".to_owned(), 1)]));
}

#[tokio::test]
async fn differences_are_kept_once_each_and_read_in_pages() {
    let table = TestTable::start().await;
    let run = billing();
    write(&table.store, begun_with(&run, 60).1).await;
    let brl = |minor| Money::try_new(minor, Currency::BRL).ok();
    let mut found: Vec<Difference> = DifferenceKind::ALL
        .into_iter()
        .flat_map(|kind| [MovementKind::Capture, MovementKind::Refund].map(|movement| (kind, movement)))
        .zip(1..)
        .map(|((kind, movement), number)| Difference {
            kind,
            movement,
            gateway: sandbox(),
            reference: GatewayReference(format!("ch_{number}")),
            ours: format!("att_{number}"),
            amount_here: brl(number).filter(|_| number % 2 == 0),
            amount_there: brl(number).filter(|_| number % 3 == 0),
            invoice: (number % 2 == 0).then(|| draft(ANA, 0, 1).id),
        })
        .collect();
    for difference in found.iter().chain(&found) {
        let difference = difference.clone();
        write(&table.store, [Change::DifferenceFound { run: run.id.clone(), difference }]).await;
    }
    found.sort_by_key(Difference::digest);
    for limit in [1, 3, 8, 50] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = table.store.differences(&run.id, page(limit, after)).await.unwrap();
            seen.extend(page.data);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        seen.sort_by_key(Difference::digest);
        assert_eq!(seen, found, "pages of {limit}");
    }
    let elsewhere = Some(Position("P#001".to_owned()));
    let bad = table.store.differences(&run.id, page(2, elsewhere)).await;
    assert!(matches!(bad, Err(ListError::BadPosition)));
    assert!(table.store.progress(&run.id).await.unwrap().unwrap().outcomes.is_empty());
}

// ---- rules and circuits --------------------------------------------------------------------------------------------

fn edition(version: u64) -> RulesEdition {
    let mut rules = Rules::default();
    let minutes = u32::try_from(version).unwrap();
    let rule = ClassRule { retry_after: vec![Minutes(minutes), Minutes(0)], on_new_payment_method: true };
    rules.classes.insert(FailureClass::Generic, rule);
    rules.classes.remove(&FailureClass::PixExpired);
    rules.caps.days = 90;
    RulesEdition { version, rules, put: Some((Actor::new("key_7"), at(i64::from(minutes)))) }
}

/// An edition that an older release has written lies there for as long as nobody puts another.
#[tokio::test]
async fn rules_that_an_older_release_wrote_are_read_with_the_defaults_for_what_is_new() {
    let table = TestTable::start().await;
    write(&table.store, [Change::EditionPut(Edition::Dunning(edition(1)))]).await;
    table
        .client
        .update_item()
        .table_name(TestTable::name())
        .key("PK", AttributeValue::S("CFG#dunning".to_owned()))
        .key("SK", AttributeValue::S("CURRENT".to_owned()))
        .update_expression("REMOVE r.card_networks")
        .send()
        .await
        .unwrap();
    let read = table.store.rules().await.unwrap().unwrap();
    assert_eq!(read, edition(1), "the defaults, as it was put with");
}

#[tokio::test]
async fn editions_of_the_rules_follow_each_other_and_all_are_kept() {
    let table = TestTable::start().await;
    assert_eq!(table.store.rules().await.unwrap(), None, "the defaults");
    let replace = |edition| [Change::EditionPut(Edition::Dunning(edition))];
    assert!(matches!(refusals(&table.store, replace(edition(2))).await[..], [Refusal::Stale, ..]));
    for version in 1..=5 {
        write(&table.store, replace(edition(version))).await;
        assert_eq!(table.store.rules().await.unwrap(), Some(edition(version)), "to the last minute");
    }
    for stale in [1, 4, 5, 7] {
        let refused = refusals(&table.store, replace(edition(stale))).await;
        assert!(refused.iter().all(|refusal| matches!(refusal, Refusal::Stale)), "{stale}: {refused:?}");
    }
    assert_eq!(table.store.rules().await.unwrap(), Some(edition(5)));

    let first = table.store.rule_editions(page(3, None)).await.unwrap();
    assert_eq!(first.data, [edition(5), edition(4), edition(3)]);
    let rest = table.store.rule_editions(page(3, first.next)).await.unwrap();
    assert_eq!((rest.data, rest.next), (vec![edition(2), edition(1)], None));
    let bad = table.store.rule_editions(page(3, Some(Position("CURRENT".to_owned())))).await;
    assert!(matches!(bad, Err(ListError::BadPosition)));
}

#[tokio::test]
async fn a_circuit_is_changed_by_whoever_saw_it_last() {
    let table = TestTable::start().await;
    let circuit = |version, state, trips| Circuit { gateway: sandbox(), version, state, trips };
    let open = circuit(1, CircuitState::Open { until: at(30) }, 1);
    assert!(table.store.open_circuits().await.unwrap().is_empty());
    assert!(table.store.change_circuit(None, &open).await.unwrap());
    assert!(!table.store.change_circuit(None, &open).await.unwrap(), "somebody has opened it");
    assert_eq!(table.store.open_circuits().await.unwrap(), std::slice::from_ref(&open));

    let probing = circuit(2, CircuitState::Probing { until: at(60) }, 1);
    assert!(table.store.change_circuit(Some(&open), &probing).await.unwrap());
    assert!(!table.store.change_circuit(Some(&open), &probing).await.unwrap(), "one probe");
    let stripe = Circuit { gateway: GatewayName::parse("stripe").unwrap(), ..open.clone() };
    assert!(table.store.change_circuit(None, &stripe).await.unwrap());
    assert!(!table.store.change_circuit(Some(&circuit(9, open.state, 1)), &probing).await.unwrap());
    assert_eq!(table.store.open_circuits().await.unwrap(), [probing.clone(), stripe]);

    let closed = circuit(3, CircuitState::Closed, 0);
    assert!(table.store.change_circuit(Some(&probing), &closed).await.unwrap());
    assert_eq!(table.store.open_circuits().await.unwrap()[0], closed);
}

#[tokio::test]
async fn of_twenty_probes_one_goes_out() {
    let table = TestTable::start().await;
    let open =
        Circuit { gateway: sandbox(), version: 1, state: CircuitState::Open { until: at(30) }, trips: 1 };
    assert!(table.store.change_circuit(None, &open).await.unwrap());
    let probing = Circuit { version: 2, state: CircuitState::Probing { until: at(60) }, ..open.clone() };
    let probes = (0..20).map(|_| {
        let (store, open, probing) = (table.store.clone(), open.clone(), probing.clone());
        tokio::spawn(async move { store.change_circuit(Some(&open), &probing).await.unwrap() })
    });
    let mut ours = 0;
    for probe in probes.collect::<Vec<_>>() {
        ours += usize::from(probe.await.unwrap());
    }
    assert_eq!(ours, 1);
}

/// Nothing is guessed about a gateway whose circuit cannot be read.
#[tokio::test]
async fn circuits_that_cannot_be_read_are_an_error() {
    let table = TestTable::start().await;
    table.faults.next_times(50, &Fault::Throttled);
    assert!(table.store.open_circuits().await.is_err());
    table.faults.clear();
    assert_eq!(table.store.open_circuits().await.unwrap(), []);
}
