//! What customers are told of what happened to them: each thing once, by the channels that they want.

use crate::world::World;
use fatura_application::ChangeSet;
use fatura_application::ports::{Clock, Store, TellError};
use fatura_domain::actor::Actor;
use fatura_domain::charge::{Failure, FailureClass};
use fatura_domain::customer::PaymentSource;
use fatura_domain::dunning::{Policy, Rules};
use fatura_domain::event::{EventKind, Written};
use fatura_domain::gateway::{ChargeOutcome, GatewayName, GatewayReference, Means, PendingAction, PixKey};
use fatura_domain::id::{CustomerId, InvoiceId, PaymentMethodId};
use fatura_domain::invoice::{
    Content, Invoice, LineItem, NextStep, Observation, Quantity, Reduced, UnitPrice,
};
use fatura_domain::money::Currency;
use fatura_domain::notice::{Channel, Language, NoticeKind, Phone, PushTarget, Subscription, Wanted};
use fatura_domain::text::{Description, Metadata};
use fatura_domain::{Moment, SignedDuration, Timestamp};
use std::collections::BTreeSet;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const PHONE: &str = "+5511987654321";
const APP: &str = "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/shop/0f";

fn paid(event: &str, customer: CustomerId) -> String {
    told(event, "invoice.paid", customer, r#""cause":"charge_succeeded""#)
}

fn told(event: &str, kind: &str, customer: CustomerId, more: &str) -> String {
    let invoice = format!("inv_{}01JD4Z9W2E7XQ4BT", customer.code());
    let money = r#"{"amount":"122.05","currency":"BRL"}"#;
    format!(
        r#"{{"schema_version":1,"id":"{event}","type":"{kind}","occurred_at":"2026-11-02T12:00:00Z","data":{{"invoice_id":"{invoice}","customer_id":"{customer}","status":"x","version":4,"total":{money},"amount_paid":{money},{more}}}}}"#
    )
}

async fn ana(world: &World) -> CustomerId {
    world.customer("Ana Souza", "ana@example.com").await
}

#[tokio::test]
async fn a_receipt_comes_by_mail_once() {
    let world = World::start().await;
    let ana = ana(&world).await;
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    assert!(world.wake([paid("evt_1", ana), paid("evt_1", ana)]).await.is_empty());
    let [mail] = &world.post.sent()[..] else { panic!("one: {:?}", world.post.sent()) };
    assert_eq!((mail.by, mail.to.as_str()), (Channel::Email, "ana@example.com"));
    assert!(mail.text.contains("122.05 BRL") && mail.text.contains("Padaria Central"), "{mail:?}");
    assert!(mail.text.contains("Ana Souza") && !mail.subject.contains('\n'), "{mail:?}");
}

#[tokio::test]
async fn customers_are_told_in_their_language_by_what_they_want() {
    let world = World::start().await;
    let ana = ana(&world).await;
    let but_receipts = Subscription { is_off: false, except: BTreeSet::from([NoticeKind::Receipt]) };
    let wanted = Wanted {
        language: Some(Language::BrazilianPortuguese),
        email: but_receipts,
        phone: Some(Phone::parse(PHONE).unwrap()),
        push_target: Some(PushTarget::parse(APP).unwrap()),
        ..Wanted::default()
    };
    world.wants(ana, wanted.clone()).await;
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    let by: Vec<_> = world.post.sent().into_iter().map(|sent| (sent.by, sent.to)).collect();
    assert_eq!(by, [(Channel::Sms, PHONE.to_owned()), (Channel::Push, APP.to_owned())]);
    assert!(world.post.sent().iter().all(|sent| sent.text.contains("R$ 122,05")));

    let failure = r#""cause":"charge_failed","failure":{"class":"hard","code":"54","retry_at":null}"#;
    world.wake([told("evt_2", "invoice.charge_failed", ana, failure)]).await;
    assert_eq!(world.post.sent().len(), 5, "mail, too");

    let off = Subscription { is_off: true, except: BTreeSet::new() };
    world.wants(ana, Wanted { email: off.clone(), sms: off.clone(), push: off, ..wanted }).await;
    assert!(world.wake([paid("evt_3", ana)]).await.is_empty());
    assert_eq!(world.post.sent().len(), 5);
}

#[tokio::test]
async fn what_was_not_sent_comes_again_and_what_was_does_not() {
    let world = World::start().await;
    let ana = ana(&world).await;
    let phone = Some(Phone::parse(PHONE).unwrap());
    world.wants(ana, Wanted { phone, ..Wanted::default() }).await;
    world.post.fail(TellError::NotSent("TooManyRequests".to_owned()));
    assert_eq!(world.wake([paid("evt_1", ana)]).await, [0], "the record comes again");
    assert_eq!(world.post.sent().iter().map(|sent| sent.by).collect::<Vec<_>>(), [Channel::Sms]);
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    assert_eq!(
        world.post.sent().iter().map(|sent| sent.by).collect::<Vec<_>>(),
        [Channel::Sms, Channel::Email]
    );
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    assert_eq!(world.post.sent().len(), 2);
}

#[tokio::test]
async fn what_may_have_been_sent_is_sent_again_only_after_a_while() {
    let world = World::start().await;
    let ana = ana(&world).await;
    world.post.fail(TellError::Unknown("no answer".to_owned()));
    assert_eq!(world.wake([paid("evt_1", ana)]).await, [0]);
    assert_eq!(world.wake([paid("evt_1", ana)]).await, [0], "its lease has not ended");
    assert!(world.post.sent().is_empty());
    world.clock.advance(MINUTE);
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    assert_eq!(world.post.sent().len(), 1);
}

#[tokio::test]
async fn an_address_that_takes_nothing_is_not_tried_again() {
    let world = World::start().await;
    let ana = ana(&world).await;
    world.post.fail(TellError::Refused("BadRequestException".to_owned()));
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    world.clock.advance(MINUTE);
    assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
    assert!(world.post.sent().is_empty());
}

#[tokio::test]
async fn death_at_a_write_loses_nothing() {
    // Claimed; written down.
    for writes in 0..2 {
        for is_written in [false, true] {
            let world = World::start().await;
            let ana = ana(&world).await;
            world.writes.die_after(writes, is_written);
            assert_eq!(world.wake([paid("evt_1", ana)]).await, [0]);
            for _ in 0..3 {
                world.clock.advance(MINUTE);
                world.wake([paid("evt_1", ana)]).await;
            }
            assert!(world.wake([paid("evt_1", ana)]).await.is_empty());
            // Mail can't be asked whether it went out: then it comes twice rather than never.
            let most = if writes == 1 && !is_written { 2 } else { 1 };
            assert_eq!(world.post.sent().len(), most, "{writes} {is_written}");
        }
    }
}

#[tokio::test]
async fn what_isnt_so_any_more_or_concerns_nobody_is_told_to_nobody() {
    let world = World::start().await;
    let ana = ana(&world).await;
    let gone = told("evt_1", "invoice.action_required", ana, r#""cause":"charge_requested""#);
    let nobody = paid("evt_2", CustomerId::new(999));
    let order = format!(r#"{{"id":"evt_3","type":"invoice.created","data":{{"customer_id":"{ana}"}}}}"#);
    assert!(world.wake([gone, nobody, order]).await.is_empty());
    assert!(world.post.sent().is_empty());
    let halved = format!(r#"{{"id":"evt_4","type":"invoice.paid","data":{{"customer_id":"{ana}"}}}}"#);
    assert_eq!(world.wake([halved]).await, [0], "it says too little");
}

fn draft(customer: CustomerId, now: Timestamp) -> Invoice {
    let line = LineItem {
        description: Description::parse("Plan").unwrap(),
        quantity: Quantity::parse("1").unwrap(),
        unit_price: UnitPrice::parse("122.05").unwrap(),
    };
    let (currency, metadata) = (Currency::BRL, Metadata::default());
    let content = Content { currency, items: vec![line], description: None, metadata };
    Invoice::draft(InvoiceId::new(customer, now, 7), content, None, now).unwrap()
}

/// What is written of an invoice when its gateway answers.
fn answered(customer: CustomerId, now: Timestamp, outcome: ChargeOutcome, policy: &Policy) -> Written {
    let sandbox = GatewayName::parse("sandbox").unwrap();
    let means = Means::Pix(PixKey("ana@example.com".to_owned()));
    let source = PaymentSource::at(PaymentMethodId::new(customer, now, 3), sandbox.clone(), means);
    let pending = draft(customer, now).charged(Some(source), None, policy, now).unwrap();
    let NextStep::Send(sent) = pending.next_step(now) else { panic!("nothing to send") };
    let observation = Observation { gateway: sandbox, attempt: sent.attempts, outcome };
    match sent.observe(&observation, policy, Moment { now, entropy: 9 }) {
        Reduced::Applied(reduction) => {
            Written::Invoice { before: Some(sent), after: Box::new(reduction.invoice) }
        }
        Reduced::AlreadyApplied => panic!("nothing new"),
    }
}

/// An invoice whose Pix code waits to be paid, as the reducer leaves it.
fn waiting(customer: CustomerId, now: Timestamp) -> Invoice {
    let action = PendingAction::Pix { emv: "00020126".to_owned(), expires_at: now + MINUTE * 30 };
    let outcome = ChargeOutcome::Pending { reference: GatewayReference("ch_1".to_owned()), action };
    match answered(customer, now, outcome, &Policy::default()) {
        Written::Invoice { after, .. } => *after,
        Written::Bill { .. } => panic!("no invoice"),
    }
}

/// One version, of which the bus is told twice.
#[tokio::test]
async fn the_failure_with_which_an_invoice_is_given_up_is_told_once() {
    let world = World::start().await;
    let ana = ana(&world).await;
    let failure = Failure::new(FailureClass::InsufficientFunds, "51", "not enough");
    let declined = ChargeOutcome::Declined { failure, reference: None };
    let mut rules = Rules::default();
    rules.caps.declines = 1;
    let events = answered(ana, world.clock.now(), declined, &Policy::of(rules)).events();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::InvoiceChargeFailed, EventKind::InvoiceUncollectible]);
    assert!(world.wake(events.iter().map(event_relay::detail)).await.is_empty());
    let [mail] = &world.post.sent()[..] else { panic!("one: {:?}", world.post.sent()) };
    assert!(mail.text.contains("122.05 BRL"), "{mail:?}");
}

#[tokio::test]
async fn a_pix_code_that_can_be_paid_is_sent() {
    let world = World::start().await;
    let ana = ana(&world).await;
    let invoice = waiting(ana, world.clock.now());
    let id = invoice.id.to_string();
    world.table.store.commit(ChangeSet::created(invoice)).await.unwrap();
    let event = told("evt_1", "invoice.action_required", ana, r#""cause":"charge_requested""#);
    let event = event.replace(&format!("inv_{}01JD4Z9W2E7XQ4BT", ana.code()), &id);
    assert!(world.wake([event]).await.is_empty());
    let [mail] = &world.post.sent()[..] else { panic!("one: {:?}", world.post.sent()) };
    assert!(mail.text.contains("00020126") && mail.text.contains("122.05 BRL"), "{mail:?}");
}

#[tokio::test]
async fn what_a_wallet_pays_and_gets_back_is_told_as_such() {
    let world = World::start().await;
    let ana = ana(&world).await;
    let moment = Moment { now: world.clock.now(), entropy: 9 };
    let paid = draft(ana, moment.now).paid_from_wallet(&Actor::new("key_1"), moment).unwrap().invoice;
    let id = paid.id.to_string();
    world.table.store.commit(ChangeSet::created(paid)).await.unwrap();
    let returned = r#""cause":"refunded","amount_returned":{"amount":"22.05","currency":"BRL"}"#;
    for (event, kind, more) in [
        ("evt_1", "invoice.paid", r#""cause":"paid_from_wallet""#),
        ("evt_2", "invoice.partially_refunded", returned),
    ] {
        let event = told(event, kind, ana, more).replace(&format!("inv_{}01JD4Z9W2E7XQ4BT", ana.code()), &id);
        assert!(world.wake([event]).await.is_empty());
    }
    let [receipt, refund] = &world.post.sent()[..] else { panic!("two: {:?}", world.post.sent()) };
    assert!(receipt.text.contains("122.05 BRL") && receipt.text.contains("wallet"), "{receipt:?}");
    assert!(refund.text.contains("22.05 BRL") && refund.text.contains("wallet"), "{refund:?}");
    for mail in [receipt, refund] {
        assert!(!mail.text.contains("card") && !mail.text.contains("bank"), "{mail:?}");
    }
}
