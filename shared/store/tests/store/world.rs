//! Things to store, made as the domain makes them.

use fatura_application::idempotency::{Answer, AnswerScope, Once, StoredAnswer};
use fatura_application::ports::{CommitError, Invoices, Refusal, Store};
use fatura_application::{Change, ChangeSet};
use fatura_domain::charge::{Failure, FailureClass, LiveAttempt};
use fatura_domain::customer::{Customer, CustomerKind, PaymentSource, Profile};
use fatura_domain::dispute::{ContestReason, Dispute};
use fatura_domain::dunning::Policy;
use fatura_domain::gateway::{ChargeOutcome, GatewayName, GatewayReference, Means, Token};
use fatura_domain::id::{AttemptNumber, CustomerId, InvoiceId, PaymentMethodId, RefundId};
use fatura_domain::invoice::{
    Content, Invoice, LineItem, NextStep, Observation, Quantity, Reduced, Reduction, State, UnitPrice, Woken,
};
use fatura_domain::money::Currency;
use fatura_domain::refund::Refund;
use fatura_domain::text::{Description, Email, ExternalId, Metadata, Name, Text};
use fatura_domain::{Moment, SignedDuration, Timestamp};
use fatura_store::DynamoStore;

pub(crate) const ANA: u64 = 1;
pub(crate) const BEA: u64 = 2;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_793_620_800_000 + seconds * 1_000).unwrap()
}

pub(crate) fn customer_id(number: u64) -> CustomerId {
    CustomerId::new(number)
}

pub(crate) fn profile(email: &str, external_id: Option<&str>) -> Profile {
    Profile {
        name: Name::parse("Ana Souza").unwrap(),
        email: Email::parse(email).unwrap(),
        external_id: external_id.map(|id| ExternalId::parse(id).unwrap()),
        kind: CustomerKind::Buyer,
        time_zone: None,
        billing_anchor_day: None,
        country: None,
        metadata: Metadata::default(),
    }
}

pub(crate) fn customer(number: u64, email: &str, external_id: Option<&str>) -> Customer {
    Customer::new(customer_id(number), profile(email, external_id), at(0))
}

pub(crate) fn line(description: &str, quantity: &str, price: &str) -> LineItem {
    LineItem {
        description: Description::parse(description).unwrap(),
        quantity: Quantity::parse(quantity).unwrap(),
        unit_price: UnitPrice::parse(price).unwrap(),
    }
}

/// Three lines, such as a shop's invoice has.
pub(crate) fn content() -> Content {
    Content {
        currency: Currency::BRL,
        items: vec![
            line("Annual subscription, professional plan", "1", "1199.90"),
            line("Additional seats, January to December", "12", "49.90"),
            line("Onboarding and migration, hours", "7.5", "180.00"),
        ],
        description: Some(Description::parse("Order 2026-11-0042, net of discounts").unwrap()),
        metadata: Metadata::default(),
    }
}

pub(crate) fn draft(number: u64, seconds: i64, entropy: u64) -> Invoice {
    let id = InvoiceId::new(customer_id(number), at(seconds), entropy);
    Invoice::draft(id, content(), None, at(seconds)).unwrap()
}

pub(crate) fn source(number: u64) -> PaymentSource {
    PaymentSource::at(
        PaymentMethodId::new(customer_id(number), at(0), 3),
        sandbox(),
        Means::CreditCard(Token("tok_0123456789abcdef0123456789abcdef".to_owned())),
    )
}

pub(crate) fn sandbox() -> GatewayName {
    GatewayName::parse("sandbox").unwrap()
}

pub(crate) fn pending(number: u64, seconds: i64, entropy: u64) -> Invoice {
    draft(number, seconds, entropy)
        .charged(Some(source(number)), None, &Policy::default(), at(seconds + 1))
        .unwrap()
}

pub(crate) fn begun(number: u8, seconds: i64) -> LiveAttempt {
    LiveAttempt::begun(AttemptNumber(number), at(seconds))
}

pub(crate) fn in_flight(invoice: &Invoice, now: Timestamp) -> Invoice {
    match invoice.next_step(now) {
        NextStep::Send(next) => *next,
        other => panic!("nothing to send: {other:?}"),
    }
}

/// What the sweep makes of it, where the customer still pays with the same.
pub(crate) fn woken(invoice: &Invoice, now: Timestamp) -> Option<Invoice> {
    let policy = Policy::default();
    match invoice.woken(&policy, now)? {
        Woken::PutOff(next) | Woken::GaveUp(next) => Some(*next),
        Woken::Retry => {
            let State::ChargedWithError(failed) = &invoice.state else { panic!("nothing to retry") };
            Some(invoice.retried(failed.source.clone(), &policy, now).unwrap())
        }
    }
}

pub(crate) fn observed(invoice: &Invoice, outcome: ChargeOutcome, now: Timestamp) -> Reduction {
    let observation = Observation { gateway: sandbox(), attempt: invoice.attempts, outcome };
    match invoice.observe(&observation, &Policy::default(), Moment { now, entropy: 77 }) {
        Reduced::Applied(reduction) => *reduction,
        Reduced::AlreadyApplied => panic!("nothing new"),
    }
}

pub(crate) fn approved(invoice: &Invoice) -> ChargeOutcome {
    ChargeOutcome::Approved {
        reference: GatewayReference("ch_0123456789abcdef01234567".to_owned()),
        captured: invoice.total,
    }
}

pub(crate) fn declined(class: FailureClass) -> ChargeOutcome {
    let failure = Failure::new(class, class.as_str(), "the bank said no").with_raw_code("51");
    ChargeOutcome::Declined { reference: Some(GatewayReference("ch_declined".to_owned())), failure }
}

/// The order that gives all of a payment back, and the invoice that has reserved it.
pub(crate) fn refunding(invoice: &Invoice, now: Timestamp) -> (Invoice, Refund) {
    let id = RefundId::new(invoice.customer(), now, invoice.version);
    invoice.refunding(id, None, None, &Policy::default(), now).unwrap()
}

pub(crate) fn contested(invoice: &Invoice, now: Timestamp) -> (Invoice, Dispute) {
    let note = Some(Text::parse("never came").unwrap());
    let moment = Moment { now, entropy: invoice.version };
    invoice.contested(ContestReason::NotReceived, note, &Policy::default(), moment).unwrap()
}

/// The answer of a request with this key, as it was given at a time.
pub(crate) fn answer(key: &str, body: &str, now: Timestamp) -> StoredAnswer {
    let scope = AnswerScope {
        caller: "key_1".to_owned(),
        route: "POST /v1/invoices".to_owned(),
        key: key.to_owned(),
    };
    let once = Once { scope, fingerprint: [7; 32] };
    let answer = Answer { status: 201, body: body.to_owned() };
    StoredAnswer { once, answer, expires_at: now + SignedDuration::from_hours(24 * 30), at: now }
}

pub(crate) async fn write(store: &DynamoStore, changes: impl IntoIterator<Item = Change>) {
    store.commit(ChangeSet::of(changes)).await.unwrap();
}

pub(crate) async fn refusals(store: &DynamoStore, changes: impl IntoIterator<Item = Change>) -> Vec<Refusal> {
    match store.commit(ChangeSet::of(changes)).await {
        Err(CommitError::Refused(refusals)) => refusals,
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) async fn stored(store: &DynamoStore, id: InvoiceId) -> Invoice {
    store.invoice(id).await.unwrap().unwrap()
}
