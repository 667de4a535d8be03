use super::*;
use crate::actor::Actor;
use crate::charge::{Failure, FailureClass};
use crate::customer::PaymentSource;
use crate::dunning::Policy;
use crate::fees::{Fees, Rate};
use crate::gateway::{ChargeOutcome, GatewayName, Means, PixKey};
use crate::id::{InvoiceId, OwnedId};
use crate::invoice::{
    Cancellation, LineItem, NextStep, Observation, Quantity, Reduced, SplitError, UnitPrice,
};
use crate::money::Currency;
use crate::text::{Description, Metadata};
use crate::{Moment, SignedDuration};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn buyer() -> CustomerId {
    CustomerId::new(7)
}

fn merchant(number: u64) -> CustomerId {
    CustomerId::new(100 + number)
}

fn content(currency: Currency, price: &str, lines: usize) -> Content {
    let line = LineItem {
        description: Description::parse("Cup").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: UnitPrice::parse(price).unwrap(),
    };
    Content { currency, items: vec![line; lines], description: None, metadata: Metadata::default() }
}

fn order(number: u64, of: u64, price: &str) -> Order {
    let id = OwnedId::new(buyer(), NOW, number);
    Order::placed(id, merchant(of), content(Currency::BRL, price, 1), NOW).unwrap()
}

fn payment_id() -> PaymentId {
    OwnedId::new(buyer(), NOW, 99)
}

fn payment(orders: &[Order]) -> Result<Invoice, PaymentRefusal> {
    let fees = Fees::try_new(Rate::parse("0.029").unwrap(), vec![]).unwrap();
    let fees = BTreeMap::from([(merchant(1), fees)]);
    payment_of(payment_id(), orders, &fees, None, Metadata::default(), NOW)
}

#[test]
fn a_payment_is_an_invoice_over_all_lines_of_its_orders() {
    let orders = [order(1, 1, "100.00"), order(2, 2, "50.00"), order(3, 1, "0.50")];
    let invoice = payment(&orders).unwrap();
    assert_eq!((InvoiceId::from(payment_id()), PaymentId::from(invoice.id)), (invoice.id, payment_id()));
    assert_eq!((invoice.total.to_string(), invoice.content.items.len()), ("150.50".to_owned(), 3));
    let split = invoice.split.unwrap();
    let fees: Vec<i64> = split.shares().iter().map(|share| share.fee).collect();
    assert_eq!(fees, [290, 0, 1], "1.45 cents are 1, half to even");
}

#[test]
fn what_is_no_payment_says_why() {
    let refused = |orders: &[Order]| payment(orders).unwrap_err();
    assert_eq!(refused(&[]), PaymentRefusal::Split(SplitError::Empty));
    let one = order(1, 1, "1.00");
    assert_eq!(refused(&[one.clone(), one.clone()]), PaymentRefusal::Split(SplitError::Twice));
    let id = OwnedId::new(buyer(), NOW, 2);
    let dollars = Order::placed(id, merchant(1), content(Currency::USD, "1.00", 1), NOW).unwrap();
    assert_eq!(refused(&[one.clone(), dollars]), PaymentRefusal::OtherCurrency);
    let id = OwnedId::new(CustomerId::new(8), NOW, 2);
    let hers = Order::placed(id, merchant(1), content(Currency::BRL, "1.00", 1), NOW).unwrap();
    assert_eq!(refused(&[one.clone(), hers]), PaymentRefusal::OtherBuyer);
    let id = OwnedId::new(buyer(), NOW, 2);
    let long = Order::placed(id, merchant(1), content(Currency::BRL, "1.00", 100), NOW).unwrap();
    assert_eq!(refused(&[one.clone(), long]), PaymentRefusal::TooManyLines);
    let just = Order::placed(id, merchant(1), content(Currency::BRL, "1.00", 99), NOW).unwrap();
    assert_eq!(payment(&[one, just]).map(|invoice| invoice.content.items.len()), Ok(100));
}

#[test]
fn nobody_orders_from_themselves() {
    let id = OwnedId::new(buyer(), NOW, 1);
    let own = Order::placed(id, buyer(), content(Currency::BRL, "1.00", 1), NOW);
    assert_eq!(own, Err(OrderError::OwnMerchant));
}

#[test]
fn an_order_is_paid_or_canceled_and_not_both() {
    let open = order(1, 1, "1.00");
    let canceled = open.canceled(None, NOW).unwrap();
    assert_eq!((canceled.version, canceled.status(None)), (2, OrderStatus::Canceled));
    let refusal = NotOpen { order: open.id, status: OrderStatus::Canceled };
    assert_eq!(canceled.paid_by(payment_id(), None, NOW), Err(refusal));
    assert_eq!(canceled.canceled(None, NOW), Err(refusal));

    let pointed = open.paid_by(payment_id(), None, NOW).unwrap();
    assert_eq!((pointed.version, pointed.payment()), (2, Some(payment_id())));
    let invoice = payment(std::slice::from_ref(&open)).unwrap();
    let refusal = NotOpen { order: open.id, status: OrderStatus::PaymentPending };
    assert_eq!(pointed.canceled(Some(&invoice), NOW), Err(refusal));
    assert_eq!(pointed.paid_by(payment_id(), Some(&invoice), NOW), Err(refusal));
}

#[test]
fn a_payment_that_was_canceled_leaves_the_order_open() {
    let pointed = order(1, 1, "1.00").paid_by(payment_id(), None, NOW).unwrap();
    let invoice = payment(std::slice::from_ref(&pointed)).unwrap();
    let Ok(Cancellation::Done(ended)) = invoice.canceled(NOW) else { panic!("not canceled") };
    assert_eq!(pointed.status(Some(&ended.invoice)), OrderStatus::Open);
    assert!(pointed.canceled(Some(&ended.invoice), NOW).is_ok());
    assert!(pointed.paid_by(payment_id(), Some(&ended.invoice), NOW).is_ok());
}

/// A retry may still be planned for it: whoever pays or cancels gives that up.
#[test]
fn an_order_whose_payment_has_failed_is_paid_otherwise_or_canceled() {
    let later = NOW + SignedDuration::from_secs(60);
    let pointed = order(1, 1, "1.00").paid_by(payment_id(), None, later).unwrap();
    assert_eq!(pointed.updated_at, later);
    let invoice = payment(std::slice::from_ref(&pointed)).unwrap();
    let policy = Policy::default();
    let source = PaymentSource::at(
        OwnedId::new(buyer(), NOW, 2),
        GatewayName::parse("sandbox").unwrap(),
        Means::Pix(PixKey("ana@example.com".to_owned())),
    );
    let pending = invoice.charged(Some(source), None, &policy, NOW).unwrap();
    let NextStep::Send(sending) = pending.next_step(NOW) else { panic!("nothing to send") };
    let failure = Failure::new(FailureClass::Generic, "code", "message");
    let observation = Observation {
        gateway: GatewayName::parse("sandbox").unwrap(),
        attempt: sending.attempts,
        outcome: ChargeOutcome::Declined { reference: None, failure },
    };
    let Reduced::Applied(failed) = sending.observe(&observation, &policy, Moment { now: NOW, entropy: 1 })
    else {
        panic!("nothing new")
    };
    let refusal = NotOpen { order: pointed.id, status: OrderStatus::PaymentPending };
    assert_eq!(pointed.canceled(Some(&sending), NOW), Err(refusal), "its order is out");
    assert!(pointed.canceled(Some(&failed.invoice), NOW).is_ok());
    assert!(pointed.paid_by(OwnedId::new(buyer(), NOW, 100), Some(&failed.invoice), NOW).is_ok());
}

#[test]
fn a_paid_order_is_told_by_its_payment() {
    let pointed = order(1, 1, "1.00").paid_by(payment_id(), None, NOW).unwrap();
    let invoice = payment(std::slice::from_ref(&pointed)).unwrap();
    let paid = invoice.paid_from_wallet(&Actor::new("key_1"), Moment { now: NOW, entropy: 1 }).unwrap();
    assert_eq!(pointed.status(Some(&paid.invoice)), OrderStatus::Paid);
    assert_eq!(pointed.status(Some(&paid.invoice)).as_str(), "paid");
}
