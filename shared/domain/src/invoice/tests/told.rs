//! What others are told of an invoice, between two versions of it.

use super::*;
use crate::event::{Event, EventKind, Subject, Written};

fn told(before: &Invoice, after: &Invoice) -> Vec<Event> {
    let (before, after) = (Some(Box::new(before.clone())), Box::new(after.clone()));
    Written::Invoice { before, after }.events()
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

fn returned(event: &Event) -> Option<i64> {
    let Subject::Invoice { returned, .. } = &event.subject else { return None };
    returned.map(Money::minor)
}

#[test]
fn a_part_that_went_back_is_told_with_what_it_was() {
    let paid = paid();
    let (reserved, refund) = refunding(&paid, Some(2_500), after(1)).unwrap();
    assert!(told(&paid, &reserved).is_empty(), "nothing has gone back yet");
    let (part, _, _) = heard(&reserved, &refund, &succeeded(2_500));
    let [event] = &told(&reserved, &part)[..] else { panic!("one event") };
    assert_eq!((event.kind, returned(event)), (EventKind::InvoicePartiallyRefunded, Some(2_500)));
    let Subject::Invoice { step, .. } = &event.subject else { panic!("an invoice") };
    assert_eq!((step.status, step.cause), (Status::Paid, Cause::Refunded));
    assert_eq!(event.id, format!("evt_{}v{}", part.id.code(), part.version));
    assert_eq!(told(&reserved, &part)[0].id, event.id, "however often it is told");

    let (reserved, refund) = refunding(&part, None, after(2)).unwrap();
    let (whole, _, _) = heard(&reserved, &refund, &succeeded(7_500));
    let events = told(&reserved, &whole);
    assert_eq!(kinds(&events), [EventKind::InvoiceRefunded], "and not a part as well");
    assert_eq!(returned(&events[0]), Some(7_500), "what went back last");
}

#[test]
fn a_pix_code_is_told_once_it_is_there_and_once() {
    let sending = claimed(&pending_with(pix()), START);
    let waiting = after_outcome(&sending, 1, qr(after(HOUR)), after(1));
    let events = told(&sending, &waiting);
    assert_eq!(kinds(&events), [EventKind::InvoiceActionRequired]);
    let Subject::Invoice { step, .. } = &events[0].subject else { panic!("an invoice") };
    assert_eq!((step.status, step.cause, step.at), (Status::Pending, Cause::ChargeRequested, after(1)));
    assert_eq!(events[0].occurred_at(), after(1));
    let later = Invoice { version: waiting.version + 1, ..waiting.clone() };
    assert!(told(&waiting, &later).is_empty(), "the same code");
    let paid = after_outcome(&waiting, 1, approved("ch_1", 10_000), after(5));
    assert_eq!(kinds(&told(&waiting, &paid)), [EventKind::InvoicePaid]);
}
