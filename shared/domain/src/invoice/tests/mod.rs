mod again;
mod disputes;
mod dunning;
mod failover;
mod follow_up;
mod legality;
mod networks;
mod orphans;
mod payments;
mod properties;
mod refunds;
mod review;
mod stored;
mod stories;
mod told;
mod unknown;

use super::*;
use crate::Moment;
use crate::charge::{Failure, FailureClass, LiveAttempt};
use crate::customer::{Alternative, PaymentSource};
use crate::dunning::Policy;
use crate::gateway::{
    ChargeOutcome, GatewayName, GatewayReference, Means, PendingAction, PixKey, RefundOutcome, Token,
};
use crate::id::{CustomerId, RefundId};
use crate::ledger::{Direction, Transaction};
use crate::refund::Refund;
use crate::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

const START: Timestamp = Timestamp::UNIX_EPOCH;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn after(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

fn sandbox() -> GatewayName {
    GatewayName::parse("sandbox").unwrap()
}

fn reference(name: &str) -> GatewayReference {
    GatewayReference(name.to_owned())
}

fn content(price: &str) -> Content {
    let line = |description: &str, quantity: &str, price: &str| LineItem {
        description: Description::parse(description).unwrap(),
        quantity: Quantity::parse(quantity).unwrap(),
        unit_price: UnitPrice::parse(price).unwrap(),
    };
    Content {
        currency: Currency::BRL,
        items: vec![line("Plan", "1", price), line("Seats", "3", "0.00")],
        description: None,
        metadata: Metadata::default(),
    }
}

fn draft() -> Invoice {
    Invoice::draft(InvoiceId::new(CustomerId::new(7), START, 1), content("100.00"), None, START).unwrap()
}

fn source(means: Means) -> PaymentSource {
    PaymentSource::at(PaymentMethodId::new(CustomerId::new(7), START, 2), sandbox(), means)
}

fn card() -> PaymentSource {
    source(Means::CreditCard(Token("tok_visa".to_owned())))
}

fn pix() -> PaymentSource {
    source(Means::Pix(PixKey("ana@example.com".to_owned())))
}

fn other_gateway() -> GatewayName {
    GatewayName::parse("other").unwrap()
}

/// What a second gateway can charge as well.
fn also_elsewhere(source: PaymentSource) -> PaymentSource {
    let means = match source.means {
        Means::CreditCard(_) => Means::CreditCard(Token("tok_elsewhere".to_owned())),
        Means::Pix(ref key) => Means::Pix(key.clone()),
    };
    PaymentSource { others: vec![Alternative { gateway: other_gateway(), means }], ..source }
}

fn pending_with(source: PaymentSource) -> Invoice {
    draft().charged(Some(source), None, &Policy::default(), START).unwrap()
}

/// Claimed: a live attempt is being sent.
fn sending() -> Invoice {
    claimed(&pending_with(card()), START)
}

fn claimed(invoice: &Invoice, now: Timestamp) -> Invoice {
    match invoice.next_step(now) {
        NextStep::Send(invoice) => *invoice,
        other => panic!("nothing to send: {other:?}"),
    }
}

/// What the sweep makes of it, where the customer still pays with the same.
fn woken(invoice: &Invoice, now: Timestamp) -> Option<Invoice> {
    let policy = Policy::default();
    match invoice.woken(&policy, now)? {
        Woken::PutOff(next) | Woken::GaveUp(next) => Some(*next),
        Woken::Retry => {
            let State::ChargedWithError(failed) = &invoice.state else { panic!("nothing to retry") };
            Some(invoice.retried(failed.source.clone(), &policy, now).unwrap())
        }
    }
}

fn approved(name: &str, minor: i64) -> ChargeOutcome {
    ChargeOutcome::Approved {
        reference: reference(name),
        captured: Money::try_new(minor, Currency::BRL).unwrap(),
    }
}

fn declined(class: FailureClass) -> ChargeOutcome {
    ChargeOutcome::Declined { reference: None, failure: failure(class) }
}

fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "code", "message")
}

fn qr(expires_at: Timestamp) -> ChargeOutcome {
    let action = PendingAction::Pix { emv: "000201".to_owned(), expires_at };
    ChargeOutcome::Pending { reference: reference("ch_1"), action }
}

fn observe(invoice: &Invoice, attempt: u8, outcome: ChargeOutcome, now: Timestamp) -> Reduced {
    let observation = Observation { gateway: sandbox(), attempt: AttemptNumber(attempt), outcome };
    invoice.observe(&observation, &Policy::default(), Moment { now, entropy: 9 })
}

fn applied(reduced: Reduced) -> Reduction {
    match reduced {
        Reduced::Applied(reduction) => *reduction,
        Reduced::AlreadyApplied => panic!("nothing was applied"),
    }
}

fn after_outcome(invoice: &Invoice, attempt: u8, outcome: ChargeOutcome, now: Timestamp) -> Invoice {
    applied(observe(invoice, attempt, outcome, now)).invoice
}

fn live(invoice: &Invoice) -> &LiveAttempt {
    invoice.state.live_attempt().unwrap()
}

fn paid() -> Invoice {
    after_outcome(&sending(), 1, approved("ch_1", 10_000), START)
}

fn brl(minor: i64) -> Money {
    Money::try_new(minor, Currency::BRL).unwrap()
}

fn refunding(
    invoice: &Invoice,
    minor: Option<i64>,
    now: Timestamp,
) -> Result<(Invoice, Refund), RefundError> {
    let id = RefundId::new(invoice.customer(), now, invoice.version);
    invoice.refunding(id, minor.map(brl), None, &Policy::default(), now)
}

fn heard(
    invoice: &Invoice,
    refund: &Refund,
    outcome: &RefundOutcome,
) -> (Invoice, Refund, Option<Transaction>) {
    let moment = Moment { now: after(10), entropy: invoice.version };
    match invoice.observe_refund(refund, outcome, &Policy::default(), moment) {
        RefundReduced::Applied { refund, invoice: after, transaction } => (
            after.map_or_else(|| invoice.clone(), |after| *after),
            *refund,
            transaction.map(|transaction| *transaction),
        ),
        RefundReduced::AlreadyApplied => (invoice.clone(), refund.clone(), None),
    }
}

fn succeeded(minor: i64) -> RefundOutcome {
    RefundOutcome::Succeeded { reference: reference("re_1"), amount: brl(minor) }
}

/// What the accounts hold after these transactions, debits less credits; what is empty is left out.
fn balances<'a>(transactions: impl IntoIterator<Item = &'a Transaction>) -> BTreeMap<String, i64> {
    let mut balances = BTreeMap::new();
    for entry in transactions.into_iter().flat_map(|transaction| transaction.journal.entries()) {
        let minor = match entry.direction {
            Direction::Debit => entry.amount.minor(),
            Direction::Credit => -entry.amount.minor(),
        };
        let account = format!("{} {}", entry.account, entry.amount.currency().code());
        *balances.entry(account).or_default() += minor;
    }
    balances.retain(|_, balance| *balance != 0);
    balances
}

fn in_accounts(accounts: &[(&str, i64)]) -> BTreeMap<String, i64> {
    accounts.iter().map(|(account, balance)| (format!("{account} BRL"), *balance)).collect()
}

fn another_card() -> PaymentSource {
    let method = PaymentMethodId::new(CustomerId::new(7), after(1), 3);
    PaymentSource { method, ..source(Means::CreditCard(Token("tok_other".to_owned()))) }
}

/// The first attempt failed.
fn failed(class: FailureClass) -> Invoice {
    after_outcome(&sending(), 1, declined(class), START)
}

fn uncollectible() -> Invoice {
    woken(&failed(FailureClass::Hard), after(60 * DAY)).unwrap()
}

/// The gateway took another amount than the invoice's, and nobody has decided yet.
fn mismatched() -> Invoice {
    after_outcome(&sending(), 1, approved("ch_1", 9_999), after(1))
}

fn silence() -> ChargeOutcome {
    ChargeOutcome::Unknown { failure: failure(FailureClass::Unknown) }
}

/// The invoice with its words all silent, until only a person can tell.
fn forgotten() -> Invoice {
    let mut invoice = after_outcome(&sending(), 1, silence(), START);
    for _ in 0..50 {
        let Some(due) = invoice.state.due() else { return invoice };
        invoice = after_outcome(&invoice, 1, silence(), due);
    }
    panic!("asked about for ever")
}
