//! What the risk rules ask about a customer: counted at once, in one write, and never without bound.

use crate::world::*;
use fatura_application::ports::*;
use fatura_application::{Change, ChangeSet, Edition, RiskEdition};
use fatura_domain::actor::Actor;
use fatura_domain::charge::FailureClass;
use fatura_domain::dispute::{ContestReason, Dispute};
use fatura_domain::dunning::Policy;
use fatura_domain::id::{AttemptId, AttemptNumber, DisputeId, InvoiceId};
use fatura_domain::risk::{
    CardMark, Counts, Decision, Effect, Expression, Judgement, Rule, RuleName, RuleSet, Thresholds, Try,
};
use fatura_domain::{Moment, Timestamp};
use fatura_testkit::{Fault, TestTable};
use futures::future::join_all;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, U32Deserializer};

fn card(number: u32) -> CardMark {
    let number: U32Deserializer<Error> = number.into_deserializer();
    CardMark::deserialize(number).unwrap()
}

fn tried(number: u64, by: Option<u32>, now: Timestamp) -> Try {
    let invoice = InvoiceId::new(customer_id(ANA), at(0), number);
    Try::new(AttemptId { invoice, number: AttemptNumber(1) }, by.map(card), now)
}

fn counts(counts: Counts) -> [u32; 4] {
    [counts.attempts_hour, counts.attempts_day, counts.cards_hour, counts.cards_day]
}

async fn count(table: &TestTable, one: Try, now: Timestamp) -> [u32; 4] {
    counts(table.store.count_try(customer_id(ANA), one, now).await.unwrap().counts(now))
}

async fn look(table: &TestTable, now: Timestamp) -> [u32; 4] {
    counts(table.store.velocity(customer_id(ANA), now).await.unwrap().counts(now))
}

#[tokio::test]
async fn what_is_counted_is_seen_at_once_and_forgotten_after_a_day() {
    let table = TestTable::start().await;
    assert_eq!(look(&table, at(0)).await, [0; 4]);
    assert_eq!(count(&table, tried(1, Some(1), at(0)), at(0)).await, [1, 1, 1, 1]);
    assert_eq!(count(&table, tried(2, Some(2), at(1)), at(1)).await, [2, 2, 2, 2]);
    let next_hour = at(3_601);
    assert_eq!(count(&table, tried(3, None, next_hour), next_hour).await, [1, 3, 0, 2]);
    assert_eq!(look(&table, next_hour).await, [1, 3, 0, 2]);
    assert_eq!(look(&table, at(86_401)).await, [0, 1, 0, 0]);
    let other = table.store.velocity(customer_id(BEA), at(1)).await.unwrap();
    assert_eq!(counts(other.counts(at(1))), [0; 4], "each customer's own");
}

#[tokio::test]
async fn an_attempt_that_comes_again_counts_once() {
    let table = TestTable::start().await;
    for now in [at(0), at(0), at(40), at(7_300)] {
        count(&table, tried(1, Some(1), now), now).await;
    }
    assert_eq!(look(&table, at(7_300)).await, [0, 1, 0, 1], "from when it was first");
}

#[tokio::test]
async fn an_answer_that_was_lost_counts_once() {
    let table = TestTable::start().await;
    table.faults.next_times(2, &Fault::AnswerLost);
    assert_eq!(count(&table, tried(1, Some(1), at(0)), at(0)).await, [1, 1, 1, 1]);
    assert_eq!(table.faults.left(), 0);
}

#[tokio::test]
async fn those_who_try_at_once_see_each_other() {
    let table = TestTable::start().await;
    let all = join_all((0..40).map(|n| count(&table, tried(n, Some(7), at(5)), at(5)))).await;
    let mut seen: Vec<u32> = all.iter().map(|counts| counts[0]).collect();
    seen.sort_unstable();
    let each: Vec<u32> = (1..=40).map(|n| n.min(32)).collect();
    assert_eq!(seen, each, "one after the other, up to the bound");
}

/// What more is tried in an hour than an item holds neither grows it nor goes unseen.
#[tokio::test]
async fn a_full_hour_grows_no_further_and_says_so() {
    let table = TestTable::start().await;
    let one = |n: u32| tried(n.into(), Some(u32::MAX - n), at(5));
    let before = table.store.meter().reading();
    for n in 0..64 {
        count(&table, one(n), at(5)).await;
    }
    let spent = table.store.meter().reading().since(before);
    assert_eq!(spent.write_tenths, 640, "a write unit each, the last like the first");
    assert_eq!(spent.round_trips, 64, "the hours before are read beside it");
    assert_eq!(count(&table, one(64), at(5)).await, [32, 32, 16, 16]);
    assert_eq!(look(&table, at(5)).await, [32, 32, 16, 16]);
    let tomorrow = at(86_400 + 7_200);
    assert_eq!(count(&table, tried(99, None, tomorrow), tomorrow).await, [1, 1, 0, 0]);
}

#[tokio::test]
async fn payments_and_disputes_are_counted_where_they_lie() {
    let table = TestTable::start().await;
    let customer = customer_id(ANA);
    let (payments, disputes) = (table.store.payments(customer), table.store.disputes(customer));
    assert_eq!((payments.await.unwrap(), disputes.await.unwrap()), (0, 0));
    for n in 0..70 {
        let claimed = in_flight(&pending(ANA, n, 7), at(n + 2));
        let paid = observed(&claimed, approved(&claimed), at(n + 3));
        write(&table.store, [Change::InvoiceCreated(claimed.clone())]).await;
        table.store.commit(ChangeSet::from_reduction(&claimed, paid.clone())).await.unwrap();
        if n < 20 {
            let opened = paid
                .invoice
                .contested(ContestReason::Fraud, None, &Policy::default(), moment(n + 4))
                .unwrap()
                .1;
            let id = DisputeId::new(customer, at(n + 4), 1);
            write(&table.store, [Change::DisputeOpened(Dispute { id, ..opened })]).await;
        }
    }
    let before = table.store.meter().reading();
    assert_eq!(table.store.payments(customer).await.unwrap(), 64, "no more are read");
    assert_eq!(table.store.disputes(customer).await.unwrap(), 16);
    let spent = table.store.meter().reading().since(before);
    assert_eq!(spent.calls, 2);
    assert!(spent.read_tenths <= 80, "{} tenths", spent.read_tenths);
    assert_eq!(table.store.payments(customer_id(BEA)).await.unwrap(), 0);
}

fn rules(expression: &str) -> RuleSet {
    let (name, expression) = (RuleName::parse("it").unwrap(), Expression::parse(expression).unwrap());
    let rule = Rule { name, expression, effect: Effect::Decide(Decision::Review) };
    let mut rules =
        RuleSet { rules: vec![rule], thresholds: Thresholds { review: 5, decline: 9 }, ..RuleSet::default() };
    rules.blocklists.customers.insert(customer_id(BEA));
    rules
}

#[tokio::test]
async fn rules_are_kept_in_every_edition() {
    let table = TestTable::start().await;
    assert_eq!(table.store.risk_rules().await.unwrap(), None);
    let put = |version: u64| RiskEdition {
        version,
        rules: rules(&format!("amount.minor > {version}")),
        put: Some((Actor::new("key_1"), at(i64::try_from(version).unwrap()))),
    };
    for version in [1, 2] {
        write(&table.store, [Change::EditionPut(Edition::Risk(put(version)))]).await;
    }
    assert_eq!(table.store.risk_rules().await.unwrap(), Some(put(2)));
    let page = table.store.risk_editions(PageRequest { limit: 5, after: None }).await.unwrap();
    assert_eq!((page.data, page.next), (vec![put(2), put(1)], None));
    let stale = table.store.commit(ChangeSet::of([Change::EditionPut(Edition::Risk(put(2)))])).await;
    assert!(matches!(stale, Err(CommitError::Refused(_))), "two never put the same edition");
}

#[tokio::test]
async fn what_an_attempt_was_judged_to_be_is_kept_with_it_however_it_ends() {
    let table = TestTable::start().await;
    let assessment = rules("true").conclude(7, []);
    let judgement = Judgement::from(assessment);
    for (n, outcome) in [(0, None), (1, Some(declined(FailureClass::InsufficientFunds)))] {
        let claimed = in_flight(&pending(ANA, n, 9), at(n + 2));
        write(&table.store, [Change::InvoiceCreated(claimed.clone())]).await;
        let judged = claimed.clone().judged(judgement.clone());
        let reduction = observed(&judged, outcome.unwrap_or_else(|| approved(&claimed)), at(n + 3));
        let before = table.store.meter().reading();
        table.store.commit(ChangeSet::from_reduction(&claimed, reduction.clone())).await.unwrap();
        assert!(table.store.meter().reading().since(before).write_tenths <= 60, "no unit more");
        let attempts = table.store.attempts(&reduction.invoice).await.unwrap();
        assert_eq!(attempts[0].risk.as_ref(), Some(&judgement));
    }
    let held = in_flight(&pending(ANA, 5, 9), at(6)).judged(judgement.clone());
    let held = held.held(&Policy::default(), moment(7)).unwrap().invoice;
    write(&table.store, [Change::InvoiceCreated(held.clone())]).await;
    assert_eq!(table.store.invoice(held.id).await.unwrap(), Some(held));
}

fn moment(seconds: i64) -> Moment {
    Moment { now: at(seconds), entropy: 1 }
}
