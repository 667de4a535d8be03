mod legality;
mod properties;
mod refunds;
mod stories;

use super::*;
use crate::Moment;
use crate::charge::{Failure, FailureClass, LiveAttempt};
use crate::customer::PaymentSource;
use crate::dunning::Policy;
use crate::gateway::{ChargeOutcome, GatewayName, GatewayReference, Means, PendingAction, PixKey, Token};
use crate::id::CustomerId;
use crate::{SignedDuration, Timestamp};

const START: Timestamp = Timestamp::UNIX_EPOCH;

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
    PaymentSource { method: PaymentMethodId::new(CustomerId::new(7), START, 2), gateway: sandbox(), means }
}

fn card() -> PaymentSource {
    source(Means::CreditCard(Token("tok_visa".to_owned())))
}

fn pix() -> PaymentSource {
    source(Means::Pix(PixKey("ana@example.com".to_owned())))
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
