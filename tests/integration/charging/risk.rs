//! What the risk rules do to charges: sent, held, released, rejected, declined; counted once, asked once, and never at the price
//! of a charge that nobody makes.

use crate::faults::{Death, Mishap};
use crate::world::{World, answer, card, pix};
use async_trait::async_trait;
use fatura_application::access::Caller;
use fatura_application::ports::{ListError, Page, PageRequest, RiskRecords, StoreError};
use fatura_application::{
    App, AssessCharge, Error, NewInstrument, PutRiskRules, Records, Reply, ReviewInvoice, RiskEdition,
};
use fatura_domain::Timestamp;
use fatura_domain::attention::{Attention, AttentionKind};
use fatura_domain::charge::{Attempt, AttemptOutcome, FailureClass, Phase};
use fatura_domain::id::{CustomerId, InvoiceId};
use fatura_domain::invoice::{Invoice, Status};
use fatura_domain::money::{Currency, Money};
use fatura_domain::risk::{
    Assessment, Decision, Effect, Expression, Rule, RuleName, RuleSet, Try, Velocity, Verdict,
};
use fatura_domain::text::Text;
use fatura_rules::RuleEngine;
use std::sync::Arc;
use std::time::Duration;

const DAY: i64 = 86_400;
const REVIEW: Effect = Effect::Decide(Decision::Review);
const DECLINE: Effect = Effect::Decide(Decision::Decline);

fn rule(expression: &str, effect: Effect) -> Rule {
    let expression = Expression::parse(expression).unwrap();
    Rule { name: RuleName::parse("it").unwrap(), expression, effect }
}

impl World {
    /// One rule in force, at once where none has been asked yet, and in any case after half a minute.
    async fn rule(&self, expression: &str, effect: Effect) {
        let rules = RuleSet { rules: vec![rule(expression, effect)], ..RuleSet::default() };
        let put = PutRiskRules { rules, examples: Vec::new(), dry_run: false, if_version: None };
        self.app.put_risk_rules(&Self::operator(), put).await.unwrap();
        self.pass(31);
    }

    async fn reviewed(&self, invoice: InvoiceId, verdict: Verdict) -> Result<Reply, Error> {
        let note = Some(Text::parse("called the customer").unwrap());
        let command = ReviewInvoice { invoice, verdict, note };
        let status = |invoice: &Invoice| answer(invoice.status().as_str());
        self.app.review_invoice(&Self::operator(), command, &self.once(), &status).await
    }

    async fn open_reviews(&self) -> Vec<Attention> {
        let page = PageRequest { limit: 100, after: None };
        let kind = Some(AttentionKind::RiskReview);
        self.app.attention(&Self::operator(), kind, page).await.unwrap().data
    }

    async fn tried(&self, customer: CustomerId) -> u32 {
        let now = self.app.clock.now();
        self.table.store.velocity(customer, now).await.unwrap().counts(now).attempts_day
    }

    async fn held(&self) -> InvoiceId {
        self.rule("amount.minor > 10000", REVIEW).await;
        let invoice = self.charged("tok_visa").await;
        assert!(self.deliver().await.is_empty());
        self.assert_held(invoice).await;
        invoice
    }

    async fn assert_held(&self, id: InvoiceId) {
        let invoice = self.invoice(id).await;
        assert_eq!(invoice.status(), Status::Pending);
        assert_eq!(invoice.state.live_attempt().map(|live| &live.phase), Some(&Phase::Held));
        assert!(self.journal(id).await.is_empty(), "no gateway has seen it");
        assert_eq!(self.open_reviews().await.len(), 1);
    }

    async fn only_attempt(&self, id: InvoiceId) -> (Attempt, Assessment) {
        let [attempt] = self.attempts(id).await.try_into().unwrap();
        let risk = attempt.risk.clone().unwrap();
        (attempt, risk.assessment)
    }
}

#[tokio::test]
async fn what_the_rules_approve_is_charged_and_keeps_what_they_said() {
    let world = World::start().await;
    world
        .rule("amount.minor == 12205 && customer.age_days == 0 && customer.payments == 0", Effect::Score(20))
        .await;
    let invoice = world.charged("tok_visa").await;
    world.deliver().await;
    world.assert_paid_once(invoice).await;
    let (_, assessment) = world.only_attempt(invoice).await;
    assert_eq!((assessment.decision, assessment.score, assessment.edition), (Decision::Approve, 20, 1));
    assert_eq!(world.tried(invoice.owner()).await, 0, "what no rule mentions isn't counted");
}

#[tokio::test]
async fn what_is_held_is_left_alone_until_a_person_releases_it() {
    let world = World::start().await;
    let invoice = world.held().await;
    for _ in 0..3 {
        world.pass(DAY);
        assert_eq!(world.sweep().await, 0, "the sweep leaves it alone");
    }
    world.bill(None, &world.once()).await.unwrap();
    world.drain().await;
    world.assert_held(invoice).await;

    let released = world.reviewed(invoice, Verdict::Approve).await.unwrap();
    assert_eq!(released.answer.body, "pending");
    assert!(world.open_reviews().await.is_empty());
    world.deliver().await;
    world.assert_paid_once(invoice).await;
    let (attempt, assessment) = world.only_attempt(invoice).await;
    assert_eq!((attempt.id.number.0, assessment.decision), (1, Decision::Review));
    let review = attempt.risk.unwrap().review.unwrap();
    assert_eq!((review.verdict, review.by.as_str()), (Verdict::Approve, "key_test"));
    let refused = world.reviewed(invoice, Verdict::Reject).await;
    assert!(matches!(refused, Err(Error::FailedPrecondition { status: Some("paid"), .. })), "{refused:?}");
}

#[tokio::test]
async fn what_is_rejected_is_declined_and_no_gateway_ever_sees_it() {
    let world = World::start().await;
    let invoice = world.held().await;
    let matter = world.open_reviews().await.remove(0);
    assert_eq!(world.reviewed(invoice, Verdict::Reject).await.unwrap().answer.body, "charged_with_error");
    let closed = world.app.attention_of(&World::operator(), &matter.id).await.unwrap().closed.unwrap();
    assert_eq!(closed.by.unwrap().as_str(), "key_test");
    assert_eq!(closed.note.as_deref(), Some("called the customer"));
    for _ in 0..10 {
        world.pass(DAY);
        world.sweep().await;
        world.drain().await;
    }
    assert_eq!(world.gateway.orders(), 0, "nor is it tried again by itself");
    let (attempt, _) = world.only_attempt(invoice).await;
    let AttemptOutcome::Declined(failure) = attempt.outcome else { panic!("{attempt:?}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::RiskDeclined, "risk_rejected"));

    world.requeue(invoice).await.unwrap();
    world.deliver().await;
    world.assert_held(invoice).await;
}

#[tokio::test]
async fn what_is_held_can_be_canceled() {
    let world = World::start().await;
    let invoice = world.held().await;
    world.cancel(invoice).await.unwrap();
    assert_eq!(world.invoice(invoice).await.status(), Status::Canceled);
    assert!(world.open_reviews().await.is_empty());
    assert!(matches!(world.reviewed(invoice, Verdict::Approve).await, Err(Error::FailedPrecondition { .. })));
    world.drain().await;
    assert_eq!(world.gateway.orders(), 0);
}

#[tokio::test]
async fn a_review_is_ended_by_its_invoice_alone() {
    let world = World::start().await;
    world.held().await;
    let matter = world.open_reviews().await.remove(0);
    let closed = world.app.close_attention(&World::operator(), &matter.id, None, None).await;
    assert!(matches!(closed, Err(Error::FailedPrecondition { .. })), "{closed:?}");
}

#[tokio::test]
async fn what_the_rules_decline_never_reaches_a_gateway() {
    let world = World::start().await;
    world.rule("amount.currency == 'BRL'", DECLINE).await;
    let invoice = world.charged("tok_visa").await;
    world.deliver().await;
    let declined = world.invoice(invoice).await;
    assert_eq!((declined.status(), declined.failures, declined.declines), (Status::ChargedWithError, 1, 0));
    assert_eq!(declined.state.due().map(|due| due > world.now()), Some(true), "given up one day");
    let (attempt, assessment) = world.only_attempt(invoice).await;
    let AttemptOutcome::Declined(failure) = attempt.outcome else { panic!("{attempt:?}") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::RiskDeclined, "risk_declined"));
    assert_eq!(assessment.reasons[0].to_string(), "it:decline");
    assert_eq!(world.gateway.orders(), 0);
}

/// All at once, and none of them overlooks another.
#[tokio::test]
async fn of_a_hundred_charges_at_once_so_many_get_through_as_the_rules_allow() {
    let world = World::start().await;
    world.without_webhooks().await;
    world.rule("velocity.attempts_hour > 10", DECLINE).await;
    let customer = world.payer(card("tok_visa")).await;
    let mut invoices = Vec::new();
    for _ in 0..100 {
        let invoice = world.draft_for(customer).await;
        world.charge(invoice).await.unwrap();
        invoices.push(invoice);
    }
    assert!(world.deliver().await.is_empty());
    assert_eq!(world.gateway.orders(), 10);
    // An answer that came too late on a busy machine is asked for.
    for _ in 0..3 {
        world.pass(61);
        world.sweep().await;
        world.drain().await;
    }
    let mut paid = 0;
    for invoice in invoices {
        let status = world.invoice(invoice).await.status();
        assert!(matches!(status, Status::Paid | Status::ChargedWithError), "{status:?}");
        paid += usize::from(status == Status::Paid);
    }
    assert_eq!((paid, world.captures().await.len()), (10, 10));
}

#[tokio::test]
async fn cards_are_told_apart_and_a_pix_key_is_none() {
    let world = World::start().await;
    world.rule("velocity.cards_hour > 2", DECLINE).await;
    let customer = world.payer(card("tok_visa")).await;
    let is_declined_by = async |instrument: NewInstrument| {
        world.add_method(customer, instrument, true).await;
        let invoice = world.draft_for(customer).await;
        world.charge(invoice).await.unwrap();
        world.drain().await;
        world.invoice(invoice).await.failure_class() == Some(FailureClass::RiskDeclined)
    };
    for instrument in [card("tok_visa"), card("tok_fraud"), card("tok_visa"), pix()] {
        assert!(!is_declined_by(instrument).await);
    }
    let third = "tok_authentication_required";
    assert!(is_declined_by(card(third)).await);
    assert!(is_declined_by(pix()).await, "it is the customer who tries cards");
    world.pass(3_600);
    assert!(!is_declined_by(card(third)).await, "an hour later nobody remembers");
}

#[tokio::test]
async fn a_retry_of_dunning_is_judged_anew() {
    let world = World::start().await;
    world.rule("velocity.attempts_day > 1", REVIEW).await;
    let invoice = world.charged("tok_insufficient_funds").await;
    world.deliver().await;
    assert_eq!(world.invoice(invoice).await.failure_class(), Some(FailureClass::InsufficientFunds));
    world.rule("customer.payments == 0", DECLINE).await;
    world.pass(3 * DAY);
    world.sweep().await;
    world.deliver().await;
    let attempts = world.attempts(invoice).await;
    let editions: Vec<u64> =
        attempts.iter().map(|attempt| attempt.risk.as_ref().unwrap().assessment.edition).collect();
    assert_eq!(editions, [2, 1]);
    assert_eq!(world.gateway.orders(), 1);
}

/// Whoever died before writing down what the rules said is followed by somebody who asks them again, about the same attempt.
#[tokio::test]
async fn an_attempt_is_counted_once_whoever_dies_over_it() {
    for death in [Death::BeforeTheCall, Death::AfterTheAnswer] {
        let world = World::start().await;
        world.without_webhooks().await;
        world.rule("velocity.attempts_hour > 1", DECLINE).await;
        let invoice = world.charged("tok_visa").await;
        let message = serde_json::to_string(&world.charges.take()[0]).unwrap();
        world.gateway.die(death);
        world.deliver_bodies(vec![message.clone()]).await;
        // The queue delivers it again and again.
        world.deliver_bodies(vec![message.clone(), message.clone(), message]).await;
        assert_eq!(world.tried(invoice.owner()).await, 1);
        world.pass(61);
        world.sweep().await;
        world.drain().await;
        world.assert_paid_once(invoice).await;
        assert_eq!(world.tried(invoice.owner()).await, 1, "{death:?}");
    }
}

#[tokio::test]
async fn a_death_over_a_decision_of_the_rules_moves_no_money() {
    for mishap in [Mishap::Fails, Mishap::AnswerLost, Mishap::Dies] {
        for effect in [REVIEW, DECLINE] {
            let world = World::start().await;
            world.rule("velocity.attempts_hour >= 1", effect).await;
            let invoice = world.charged("tok_visa").await;
            world.store.at_commit(1, mishap);
            world.deliver().await;
            world.store.revive();
            for _ in 0..5 {
                world.pass(61);
                world.sweep().await;
                world.drain().await;
            }
            assert_eq!(world.gateway.orders(), 0, "{mishap:?}");
            let after = world.invoice(invoice).await;
            match effect {
                REVIEW => world.assert_held(invoice).await,
                _ => assert_eq!(after.failure_class(), Some(FailureClass::RiskDeclined), "{mishap:?}"),
            }
            assert_eq!((after.attempts.0, world.tried(invoice.owner()).await), (1, 1), "{mishap:?}");
        }
    }
}

#[tokio::test]
async fn a_death_over_a_review_loses_neither_the_word_nor_the_charge() {
    for mishap in [Mishap::Fails, Mishap::AnswerLost, Mishap::Dies] {
        let world = World::start().await;
        world.without_webhooks().await;
        let invoice = world.held().await;
        world.store.at_commit(1, mishap);
        let app = world.app.clone();
        let once = world.once();
        let review = async |once: &fatura_application::Once| {
            let command = ReviewInvoice { invoice, verdict: Verdict::Approve, note: None };
            let status = |invoice: &Invoice| answer(invoice.status().as_str());
            app.review_invoice(&World::operator(), command, once, &status).await
        };
        let first = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(review(&once))).await;
        assert!(!matches!(first, Ok(Ok(_))), "{mishap:?}");
        world.store.revive();
        // The operator sends it again, by the same key.
        assert_eq!(review(&once).await.unwrap().answer.body, "pending");
        world.pass(61);
        world.sweep().await;
        world.drain().await;
        world.assert_paid_once(invoice).await;
    }
}

/// Records of risk that can't be had.
struct Troubled(fn() -> StoreError);

#[async_trait]
impl RiskRecords for Troubled {
    async fn risk_rules(&self) -> Result<Option<RiskEdition>, StoreError> {
        Err((self.0)())
    }

    async fn risk_editions(&self, _: PageRequest) -> Result<Page<RiskEdition>, ListError> {
        Err((self.0)().into())
    }

    async fn payments(&self, _: CustomerId) -> Result<u32, StoreError> {
        Err((self.0)())
    }

    async fn disputes(&self, _: CustomerId) -> Result<u32, StoreError> {
        Err((self.0)())
    }

    async fn velocity(&self, _: CustomerId, _: Timestamp) -> Result<Velocity, StoreError> {
        Err((self.0)())
    }

    async fn count_try(&self, _: CustomerId, _: Try, _: Timestamp) -> Result<Velocity, StoreError> {
        Err((self.0)())
    }
}

fn troubled(world: &World, error: fn() -> StoreError) -> App {
    let App { records, charges, gateways, clock, entropy, .. } = world.app.clone();
    let records = Records { risk: Arc::new(Troubled(error)), ..records };
    App::new(records, charges, gateways, clock, entropy).with_risk(Arc::new(RuleEngine::new()))
}

async fn deliver_to(app: &App, world: &World) {
    let bodies = world.charges.take().iter().map(|message| serde_json::to_string(message).unwrap()).collect();
    assert!(World::consume(app, bodies, Duration::from_secs(30)).await.is_empty());
}

#[tokio::test]
async fn while_the_rules_cannot_be_had_nothing_is_sent_and_nothing_fails() {
    let world = World::start().await;
    let app = troubled(&world, || StoreError::Unavailable("told to".to_owned()));
    let invoice = world.charged("tok_visa").await;
    deliver_to(&app, &world).await;
    for _ in 0..20 {
        world.pass(120);
        world.sweep().await;
        deliver_to(&app, &world).await;
    }
    let waiting = world.invoice(invoice).await;
    let live = waiting.state.live_attempt().unwrap();
    assert_eq!(live.failure().map(|failure| failure.code.as_str()), Some("risk_unavailable"));
    assert_eq!((waiting.attempts.0, waiting.failures, live.unsent), (1, 0, 0), "that counts for nothing");
    assert_eq!(world.gateway.orders(), 0);
    world.pass(120);
    world.sweep().await;
    world.drain().await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn rules_that_cannot_be_read_hold_what_they_should_judge() {
    let world = World::start().await;
    let app = troubled(&world, || StoreError::Corrupt("told to".to_owned()));
    let invoice = world.charged("tok_visa").await;
    deliver_to(&app, &world).await;
    world.assert_held(invoice).await;
    let held = world.invoice(invoice).await;
    let reasons = &held.judgement().unwrap().assessment.reasons;
    assert_eq!(reasons[0].to_string(), "rule_failed:rules");
    world.reviewed(invoice, Verdict::Approve).await.unwrap();
    deliver_to(&app, &world).await;
    world.assert_paid_once(invoice).await;
}

#[tokio::test]
async fn to_ask_what_would_be_counts_nothing() {
    let world = World::start().await;
    world.rule("velocity.attempts_hour > 1 && velocity.cards_hour == 1", DECLINE).await;
    let customer = world.payer(card("tok_visa")).await;
    let amount = Money::try_new(1_000, Currency::BRL).unwrap();
    let ask = async |caller: &Caller| {
        world.app.assess_charge(caller, AssessCharge { customer, method: None, amount }).await
    };
    for _ in 0..3 {
        let assessment = ask(&World::operator()).await.unwrap();
        assert_eq!((assessment.decision, assessment.edition), (Decision::Approve, 1));
    }
    assert_eq!(world.tried(customer).await, 0);
    let invoice = world.draft_for(customer).await;
    world.charge(invoice).await.unwrap();
    world.deliver().await;
    assert_eq!(ask(&World::operator()).await.unwrap().decision, Decision::Decline, "it would be the second");
    assert_eq!(world.tried(customer).await, 1);
}

/// What one charge asks of the table, everything that seldom changes being known.
async fn cost(world: &World) -> (u64, u64, u64) {
    let customer = world.payer(card("tok_visa")).await;
    let mut costs = Vec::new();
    for _ in 0..2 {
        let invoice = world.draft_for(customer).await;
        world.charge(invoice).await.unwrap();
        let before = world.table.store.meter().reading();
        world.deliver().await;
        costs.push(world.table.store.meter().reading().since(before));
        assert_eq!(world.invoice(invoice).await.status(), Status::Paid);
    }
    let cost = costs.pop().unwrap();
    (cost.round_trips, cost.write_tenths, cost.calls)
}

#[tokio::test]
async fn rules_cost_no_round_trip_and_velocity_one_write_unit() {
    let world = World::start().await;
    world.without_webhooks().await;
    let (round_trips, without, calls) = cost(&world).await;
    assert_eq!(round_trips, 2, "claim and settle");

    world.rule("amount.minor > 99999999 || blocked.customer || blocked.payment_method", DECLINE).await;
    assert_eq!(cost(&world).await, (2, without, calls), "what the invoice says is asked for nothing");
    world.rule("customer.age_days < 0 || customer.disputes > 0", DECLINE).await;
    assert_eq!(cost(&world).await, (2, without, calls + 2), "reads beside the claim");
    world.rule("velocity.attempts_hour > 20 || velocity.cards_day > 9", DECLINE).await;
    assert_eq!(cost(&world).await, (2, without + 10, calls + 2), "one write unit, and nobody waits for it");
}
