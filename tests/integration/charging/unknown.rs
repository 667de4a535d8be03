//! Nobody knows whether it charged: asked by reference, patiently, and nothing else meanwhile; then a person decides.

use crate::books::accounts;
use crate::world::{World, answer, card};
use fatura_application::access::{Caller, Role};
use fatura_application::{Error, ResolveAttempt};
use fatura_domain::attention::{AttentionId, AttentionKind};
use fatura_domain::charge::Phase;
use fatura_domain::gateway::GatewayReference;
use fatura_domain::id::{AttemptNumber, InvoiceId};
use fatura_domain::invoice::{NextAction, Resolution, Status};
use serde_json::json;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// Ordered with this token; the gateway gave no answer, and has been silent ever since.
async fn unknown(world: &World, token: &str) -> InvoiceId {
    world.without_webhooks().await;
    let invoice = world.charged(token).await;
    world.drain().await;
    world.at_the_gateway("/control", json!({ "down": true })).await;
    invoice
}

/// The same, after the last poll.
async fn given_to_operators(world: &World, token: &str) -> InvoiceId {
    let invoice = unknown(world, token).await;
    world.wait_out(invoice).await;
    assert_eq!(world.open_matters().await, [AttentionKind::UnknownOutcome]);
    world.at_the_gateway("/control", json!({ "down": false })).await;
    invoice
}

async fn matter_of(world: &World, invoice: InvoiceId) -> fatura_domain::attention::Attention {
    let id = AttentionId::of_attempt(world.invoice(invoice).await.attempt_id(AttemptNumber(1)));
    world.app.attention_of(&World::operator(), &id).await.unwrap()
}

#[tokio::test]
async fn it_is_asked_about_on_schedule_and_then_shown_to_operators() {
    let world = World::start().await;
    let invoice = unknown(&world, "tok_charged_500").await;
    let began = world.now();
    let mut asked = Vec::new();
    while world.meet_next_due(invoice).await {
        asked.push(world.now().duration_since(began).as_secs());
        let live = world.invoice(invoice).await.state.live_attempt().unwrap().clone();
        let Phase::Unknown { polls, .. } = live.phase else { panic!("{live:?}") };
        assert_eq!((usize::from(polls), live.number.0), (asked.len(), 1));
    }
    let hours = MINUTE + 5 * MINUTE + HOUR;
    let days = (1..=5).map(|days| hours + days * DAY);
    let expected: Vec<_> = [MINUTE, 6 * MINUTE, hours].into_iter().chain(days).collect();
    assert_eq!(asked, expected);
    assert_eq!(world.gateway.orders(), 1, "asked, never sent again");

    let shown = world.invoice(invoice).await;
    assert_eq!(shown.next_action(), Some((NextAction::AwaitOperator, None)));
    let [matter] = &world.matters().await[..] else { panic!("one matter") };
    assert_eq!((matter.kind, matter.invoice), (AttentionKind::UnknownOutcome, Some(invoice)));
    assert_eq!(matter.amount.unwrap().to_string(), "122.05");
    assert_eq!(matter.raised_at, world.now());
    world.pass(100 * DAY);
    assert_eq!(world.sweep().await, 0);
}

#[tokio::test]
async fn the_gateway_that_speaks_again_ends_it() {
    let world = World::start().await;
    let invoice = unknown(&world, "tok_charged_no_answer").await;
    world.meet_next_due(invoice).await;
    world.at_the_gateway("/control", json!({ "down": false })).await;
    world.meet_next_due(invoice).await;
    assert_eq!(world.time_line(invoice).await, [(1, 6 * MINUTE, "succeeded")]);
    world.assert_paid_once(invoice).await;
    assert_eq!(world.open_matters().await, []);
}

#[tokio::test]
async fn nothing_else_is_tried_meanwhile() {
    let world = World::start().await;
    let invoice = unknown(&world, "tok_charged_500").await;
    for _ in 0..9 {
        for refused in [world.requeue(invoice).await, world.charge(invoice).await] {
            let Err(Error::FailedPrecondition { status, .. }) = refused else { panic!("{refused:?}") };
            assert_eq!(status, Some("pending"));
        }
        world.add_method(invoice.owner(), card("tok_visa"), true).await;
        assert_eq!(world.charges.take(), [], "a new card isn't charged beside it");
        world.meet_next_due(invoice).await;
    }
    assert_eq!(world.gateway.orders(), 1);
    assert_eq!(world.invoice(invoice).await.attempts.0, 1);
}

#[tokio::test]
async fn resolved_as_charged_it_is_paid_and_history_says_by_whom() {
    let world = World::start().await;
    let invoice = given_to_operators(&world, "tok_charged_500").await;
    let charge = world.charge_at_gateway(invoice).await;
    let reply = world.resolve(invoice, 1, Resolution::Charged(GatewayReference(charge.clone()))).await;
    assert_eq!(reply.unwrap().answer.body, "paid");
    world.assert_paid_once(invoice).await;
    let step = world.invoice(invoice).await.history.pop().unwrap();
    assert_eq!((step.status, step.by.unwrap().as_str()), (Status::Paid, "key_test"));

    assert_eq!(world.open_matters().await, []);
    let closed = matter_of(&world, invoice).await.closed.unwrap();
    assert_eq!(closed.by.unwrap().as_str(), "key_test");
    assert_eq!(closed.note.as_deref(), Some("seen at the gateway"));

    // The gateway finds its tongue: that very money is on the books.
    world.tell(&charge, 2, false).await;
    world.assert_paid_once(invoice).await;
    assert_eq!(world.refunds(invoice).await, []);
}

#[tokio::test]
async fn resolved_as_not_charged_it_may_be_charged_again() {
    let world = World::start().await;
    let invoice = given_to_operators(&world, "tok_not_charged_500").await;
    let reply = world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    assert_eq!(reply.answer.body, "charged_with_error");
    assert_eq!(world.open_matters().await, []);
    let closed = matter_of(&world, invoice).await.closed.unwrap();
    assert_eq!((closed.at, closed.by.unwrap().as_str()), (world.now(), "key_test"));
    let step = world.invoice(invoice).await.history.pop().unwrap();
    assert_eq!((step.status, step.by.unwrap().as_str()), (Status::ChargedWithError, "key_test"));

    let visa = world.add_method(invoice.owner(), card("tok_visa"), true).await;
    assert_eq!(world.charges.take(), [], "it doesn't wait for a card");
    let first = world.invoice(invoice).await.payment_method().unwrap();
    world.detach(invoice.owner(), first).await;
    world.requeue(invoice).await.unwrap();
    world.drain().await;
    world.assert_paid_once(invoice).await;
    assert_eq!(world.invoice(invoice).await.payment_method(), Some(visa));
}

#[tokio::test]
async fn only_an_operator_resolves_and_only_what_is_unknown() {
    let world = World::start().await;
    let invoice = unknown(&world, "tok_charged_500").await;
    let attempt = world.invoice(invoice).await.attempt_id(AttemptNumber(1));
    for role in [Role::Service, Role::Customer(invoice.owner())] {
        let caller = Caller::new("key_other", role);
        let command = ResolveAttempt { attempt, resolution: Resolution::NotCharged, note: None };
        let shown = |_: &fatura_domain::invoice::Invoice| answer("");
        let refused = world.app.resolve_attempt(&caller, command, &world.once(), &shown).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
    }
    let other = world.resolve(invoice, 2, Resolution::NotCharged).await;
    assert!(matches!(other, Err(Error::FailedPrecondition { .. })), "{other:?}");
    world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    let again = world.resolve(invoice, 1, Resolution::NotCharged).await;
    assert!(matches!(again, Err(Error::FailedPrecondition { .. })), "{again:?}");
}

/// The operator was wrong.
#[tokio::test]
async fn money_that_comes_after_not_charged_pays_what_is_unpaid() {
    let world = World::start().await;
    let invoice = given_to_operators(&world, "tok_charged_500").await;
    world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    let charge = world.charge_at_gateway(invoice).await;
    world.tell(&charge, 3, false).await;
    world.assert_paid_once(invoice).await;
    assert_eq!(world.refunds(invoice).await, []);
    assert_eq!(world.open_matters().await, []);
}

#[tokio::test]
async fn money_that_comes_after_something_else_has_paid_goes_back() {
    let world = World::start().await;
    let invoice = given_to_operators(&world, "tok_charged_500").await;
    world.resolve(invoice, 1, Resolution::NotCharged).await.unwrap();
    let first = world.charge_at_gateway(invoice).await;
    let refused = world.invoice(invoice).await.payment_method().unwrap();
    world.add_method(invoice.owner(), card("tok_visa"), true).await;
    world.detach(invoice.owner(), refused).await;
    world.requeue(invoice).await.unwrap();
    world.drain().await;
    world.assert_paid_twice_less_once(invoice, &first).await;
}

impl World {
    /// Paid by the second attempt, and the first attempt's money, of which the gateway tells now, given back.
    async fn assert_paid_twice_less_once(&self, invoice: InvoiceId, first: &str) {
        assert_eq!(self.invoice(invoice).await.status(), Status::Paid);
        self.tell(first, 2, true).await;
        self.drain().await;
        self.tell(first, 2, true).await;
        self.drain().await;
        let refunded: Vec<_> =
            self.journal(invoice).await.iter().map(|charge| charge["refunded_minor"].clone()).collect();
        assert_eq!(refunded, [12_205, 0]);
        assert_eq!(self.refunds(invoice).await.len(), 1);
        let booked = [("charge", 12_205), ("orphan", 12_205), ("refund", 12_205)];
        assert_eq!(self.movements(invoice).await, booked);
        let books = accounts([("gateway_clearing:sandbox", 12_205), ("revenue", -12_205)]);
        assert_eq!(self.balances(invoice).await, books);
        assert_eq!(self.invoice(invoice).await.status(), Status::Paid);
        assert_eq!(self.open_matters().await, [AttentionKind::OrphanPayment]);
    }
}
