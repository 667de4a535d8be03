//! A gateway that answers no question: what its signature vouches for counts, and is compared like an answer.

use crate::world::{World, answer};
use fatura_application::ports::{Told, WebhookEvent, WebhookMessage};
use fatura_application::{ProcessError, RefundAmount, RequestRefund};
use fatura_domain::attention::AttentionKind;
use fatura_domain::charge::{AttemptOutcome, Failure, FailureClass};
use fatura_domain::gateway::{
    ChargeOutcome, DisputeStanding, DisputeVerdict, GatewayName, GatewayReference, RefundOutcome,
};
use fatura_domain::id::{AttemptId, AttemptNumber, InvoiceId, RefundId};
use fatura_domain::invoice::Status;
use fatura_domain::money::{Currency, Money};
use fatura_domain::refund::Refund;

impl World {
    /// A webhook whose signature vouches for these words.
    async fn vouched(&self, id: &str, words: Vec<Told>) -> Result<(), ProcessError> {
        self.gateway.vouch(words);
        let gateway = GatewayName::parse("sandbox").unwrap();
        let received_at = self.app.clock.now();
        let event =
            WebhookEvent { gateway: gateway.clone(), event_id: id.to_owned(), body: Vec::new(), received_at };
        self.app.records.webhooks.record(&event).await.unwrap();
        self.app.process_webhook(&WebhookMessage { gateway, event_id: id.to_owned() }).await
    }
}

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

fn reference(id: &str) -> GatewayReference {
    GatewayReference(id.to_owned())
}

async fn attempt(world: &World, invoice: InvoiceId) -> AttemptId {
    world.invoice(invoice).await.attempt_id(AttemptNumber(1))
}

fn approved(attempt: AttemptId, id: &str, minor: i64) -> Told {
    Told::Charge {
        attempt,
        outcome: ChargeOutcome::Approved { reference: reference(id), captured: brl(minor) },
    }
}

fn declined(attempt: AttemptId, id: &str) -> Told {
    let failure = Failure::new(FailureClass::Generic, "declined", "declined");
    Told::Charge { attempt, outcome: ChargeOutcome::Declined { reference: Some(reference(id)), failure } }
}

/// Ordered, and nobody answered.
async fn unknown(world: &World) -> (InvoiceId, AttemptId) {
    world.without_webhooks().await;
    let invoice = world.charged("tok_charged_500").await;
    world.deliver().await;
    (invoice, attempt(world, invoice).await)
}

/// The gateway has it and the payer has not paid yet.
async fn pending(world: &World) -> (InvoiceId, AttemptId, String) {
    world.without_webhooks().await;
    let invoice = world.draft(crate::world::pix()).await;
    world.charge(invoice).await.unwrap();
    world.deliver().await;
    let charge = world.charge_at_gateway(invoice).await;
    (invoice, attempt(world, invoice).await, charge)
}

async fn paid(world: &World) -> (InvoiceId, AttemptId, String) {
    world.without_webhooks().await;
    let invoice = world.paid().await;
    (invoice, attempt(world, invoice).await, world.charge_at_gateway(invoice).await)
}

async fn refund(world: &World, invoice: InvoiceId) -> RefundId {
    world.pass(1);
    let command = RequestRefund { invoice, amount: RefundAmount::AllThatIsLeft, reason: None };
    let shown = |refund: &Refund| answer(refund.id.to_string());
    world.app.request_refund(&World::operator(), command, &world.once(), &shown).await.unwrap();
    world.refunds(invoice).await[0].id
}

fn state(refund: &Refund) -> &'static str {
    refund.state.as_str()
}

#[tokio::test]
async fn its_word_settles_what_nobody_answered_once() {
    let world = World::start().await;
    let (invoice, attempt) = unknown(&world).await;
    for id in ["a", "b"] {
        world.vouched(id, vec![approved(attempt, "ch_told", 12_205)]).await.unwrap();
    }
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    assert_eq!(world.movements(invoice).await, [("charge", 12_205)]);
}

#[tokio::test]
async fn every_word_of_one_body_counts() {
    let world = World::start().await;
    let (first, one) = unknown(&world).await;
    let (second, two) = unknown(&world).await;
    let words = vec![approved(one, "ch_1", 12_205), approved(two, "ch_2", 12_205)];
    world.vouched("batch", words).await.unwrap();
    for invoice in [first, second] {
        assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    }
}

#[tokio::test]
async fn another_amount_is_for_a_person() {
    let world = World::start().await;
    let (invoice, attempt) = unknown(&world).await;
    world.vouched("a", vec![approved(attempt, "ch_told", 100)]).await.unwrap();
    assert_ne!(world.invoice(invoice).await.status(), Status::Paid);
    assert!(world.open_matters().await.contains(&AttentionKind::AmountMismatch));
}

#[tokio::test]
async fn a_stranger_to_our_books_changes_nothing() {
    let world = World::start().await;
    let (invoice, attempt) = unknown(&world).await;
    let stranger = InvoiceId::new(invoice.owner(), world.app.clock.now(), 99);
    let before = world.invoice(invoice).await.version;
    let words = vec![
        approved(AttemptId { invoice: stranger, ..attempt }, "ch_1", 12_205),
        Told::Withdrawn { attempt, charge: reference("ch_1") },
        Told::Refund {
            refund: RefundId::new(invoice.owner(), world.app.clock.now(), 5),
            charge: reference("ch_1"),
            outcome: RefundOutcome::Succeeded { reference: reference("re_1"), amount: brl(12_205) },
        },
    ];
    world.vouched("a", words).await.unwrap();
    assert_eq!(world.invoice(invoice).await.version, before);
    assert_eq!(world.open_matters().await, [AttentionKind::WebhookMismatch], "money that we know nothing of");
}

#[tokio::test]
async fn only_the_attempts_own_charge_can_end_it() {
    let world = World::start().await;
    let (invoice, attempt, charge) = pending(&world).await;
    let voided =
        |id: &str| Told::Charge { attempt, outcome: ChargeOutcome::Voided { reference: reference(id) } };
    let before = world.invoice(invoice).await.version;
    world.vouched("a", vec![declined(attempt, "ch_other"), voided("ch_other")]).await.unwrap();
    assert_eq!(world.invoice(invoice).await.version, before);
    world.vouched("b", vec![voided(&charge)]).await.unwrap();
    let [ended] = &world.attempts(invoice).await[..] else { panic!("one attempt") };
    let AttemptOutcome::Declined(failure) = &ended.outcome else { panic!("{ended:?}") };
    assert_eq!(failure.class, FailureClass::PixExpired);
}

/// The answer, which is on its way, tells the reason.
#[tokio::test]
async fn a_decline_waits_for_whoever_sent_the_order() {
    let world = World::start().await;
    world.without_webhooks().await;
    let invoice = world.charged("tok_visa").await;
    world.gateway.die(crate::faults::Death::BeforeTheCall);
    world.deliver().await;
    let attempt = attempt(&world, invoice).await;
    let heard = world.vouched("a", vec![declined(attempt, "ch_1")]).await;
    assert!(matches!(heard, Err(ProcessError::GatewaySilent)), "{heard:?}");
    world.pass(120);
    world.vouched("a", vec![declined(attempt, "ch_1")]).await.unwrap();
    assert_eq!(world.attempts(invoice).await.len(), 1);
}

#[tokio::test]
async fn a_refund_ends_by_its_word_and_may_come_back() {
    let world = World::start().await;
    let (invoice, _, charge) = paid(&world).await;
    world.gateway.vouch(Vec::new());
    let id = refund(&world, invoice).await;
    world.deliver().await;
    assert_eq!(state(&world.refunds(invoice).await[0]), "pending");
    let told = |charge: &str, outcome| vec![Told::Refund { refund: id, charge: reference(charge), outcome }];
    let done = || RefundOutcome::Succeeded { reference: reference("re_1"), amount: brl(12_205) };
    world.vouched("other", told("ch_other", done())).await.unwrap();
    assert_eq!(state(&world.refunds(invoice).await[0]), "pending");
    world.vouched("a", told(&charge, done())).await.unwrap();
    assert_eq!(world.invoice(invoice).await.status(), Status::Refunded);
    assert!(world.open_matters().await.is_empty());

    let failure = Failure::new(FailureClass::Generic, "refund_failed", "came back");
    for event in ["b", "c"] {
        let failure = failure.clone();
        world.vouched(event, told(&charge, RefundOutcome::Failed { failure })).await.unwrap();
    }
    assert_eq!(world.open_matters().await, [AttentionKind::RefundFailed]);
}

#[tokio::test]
async fn a_refund_goes_out_again_while_its_key_is_recognised() {
    let world = World::start().await;
    let (invoice, ..) = paid(&world).await;
    world.gateway.vouch(Vec::new());
    refund(&world, invoice).await;
    world.deliver().await;
    world.pass(3_600);
    world.sweep().await;
    world.deliver().await;
    assert_eq!(world.gateway.refund_orders(), 2);
    assert_eq!(world.journal(invoice).await[0]["refunded_minor"], 12_205, "one refund");
    world.pass(24 * 3_600);
    world.sweep().await;
    world.deliver().await;
    assert_eq!(world.gateway.refund_orders(), 2, "another key would be another refund");
}

#[tokio::test]
async fn a_dispute_is_about_the_payment_or_about_nothing() {
    let world = World::start().await;
    let (invoice, attempt, charge) = paid(&world).await;
    let told = |charge: &str| {
        let standing = DisputeStanding {
            reference: reference("case_1"),
            status: DisputeVerdict::Lost,
            amount: Some(brl(12_205)),
        };
        vec![Told::Dispute { attempt, charge: reference(charge), standing }]
    };
    world.vouched("other", told("ch_other")).await.unwrap();
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    world.vouched("a", told(&charge)).await.unwrap();
    assert_eq!(world.invoice(invoice).await.status(), Status::Chargeback);
}

#[tokio::test]
async fn a_dispute_that_comes_before_its_payment_waits_for_it() {
    let world = World::start().await;
    let (invoice, attempt) = unknown(&world).await;
    let standing =
        DisputeStanding { reference: reference("case_1"), status: DisputeVerdict::Lost, amount: None };
    let dispute = || vec![Told::Dispute { attempt, charge: reference("ch_1"), standing: standing.clone() }];
    let early = world.vouched("a", dispute()).await;
    assert!(matches!(early, Err(ProcessError::GatewaySilent)), "{early:?}");
    world.vouched("b", vec![approved(attempt, "ch_1", 12_205)]).await.unwrap();
    world.vouched("a", dispute()).await.unwrap();
    assert_eq!(world.invoice(invoice).await.status(), Status::Chargeback);
}

#[tokio::test]
async fn what_is_withdrawn_from_our_books_is_for_a_person() {
    let world = World::start().await;
    let (invoice, attempt, charge) = paid(&world).await;
    let voided = ChargeOutcome::Voided { reference: reference(&charge) };
    let words = vec![
        Told::Withdrawn { attempt, charge: reference(&charge) },
        Told::Charge { attempt, outcome: voided },
    ];
    world.vouched("a", words).await.unwrap();
    assert_eq!(world.open_matters().await, [AttentionKind::ReconciliationDifference]);
    assert_eq!(world.invoice(invoice).await.status(), Status::Paid, "a person decides");
}
