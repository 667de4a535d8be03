//! Batches of the queues: a record that isn't ours fails alone, and no record makes its consumer panic.

use super::{Subject, Target, bytes_of};
use crate::corpus;
use crate::world::World;
use async_trait::async_trait;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use fatura_application::Notifier;
use fatura_application::ports::{Mail, Mailer, OutgoingWebhook, TellError, Texter, WebhookSender};
use fatura_domain::notice::{Language, Phone, PushTarget};
use fatura_domain::text::Name;
use fatura_domain::webhook_endpoint::{Answer, Attempt, NoAnswer, Took};
use notifier::{Teller, TellerParts};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const TIME_LEFT: Duration = Duration::from_mins(1);

pub(super) const CHARGE: Target =
    Target { seeds: charges, ..Target::in_world("queue-charge", 250, words, charge) };
pub(super) const WEBHOOK: Target =
    Target { seeds: webhooks, ..Target::in_world("queue-webhook", 250, words, webhook) };
pub(super) const NOTIFIER: Target =
    Target { seeds: notices, ..Target::in_world("queue-notifier", 200, words, notice) };

fn charges() -> Vec<Vec<u8>> {
    ["batch", "dispute", "malformed", "refund", "run"]
        .map(|name| corpus::event(&format!("charge-consumer-{name}.json")))
        .into()
}

fn webhooks() -> Vec<Vec<u8>> {
    ["batch", "malformed"].map(|name| corpus::event(&format!("webhook-consumer-{name}.json"))).into()
}

fn notices() -> Vec<Vec<u8>> {
    ["batch", "malformed"].map(|name| corpus::event(&format!("notifier-{name}.json"))).into()
}

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "{customer}",
        "{invoice}",
        "{paid}",
        "{refund}",
        "{bill}",
        "{method}",
        "{run}",
        "{endpoint}",
        "invoice_id",
        "refund_id",
        "dispute_id",
        "run_id",
        "part",
        "method_id",
        "payment_method_id",
        "bill_id",
        "attempt",
        "version",
        "begins",
        "gateway",
        "event_id",
        "delivery_id",
        "type",
        "data",
        "customer_id",
        "sandbox",
        "invoice.paid",
        "invoice.charge_failed",
        "bill.closed",
    ])
}

/// A batch if it is one, else a batch of one record with that body.
fn batch(input: &[u8]) -> SqsEvent {
    serde_json::from_slice(input).unwrap_or_else(|_| {
        let body = String::from_utf8_lossy(input);
        serde_json::from_value(json!({ "Records": [{ "messageId": "1", "body": body }] })).unwrap()
    })
}

/// Only records that came are asked for again.
fn check(response: &SqsBatchResponse, sent: &[String]) {
    for failure in &response.batch_item_failures {
        assert!(sent.contains(&failure.item_identifier), "{failure:?}");
    }
}

fn ids(event: &SqsEvent) -> Vec<String> {
    event.records.iter().map(|record| record.message_id.clone().unwrap_or_default()).collect()
}

fn consumer(world: World, handle: impl Fn(&World, SqsEvent) -> SqsBatchResponse + 'static) -> Subject {
    Subject::new(move |input| {
        let event = batch(&world.filled(input));
        let sent = ids(&event);
        check(&handle(&world, event), &sent);
        drop((world.charges.take(), world.deliveries.take()));
    })
}

fn charge() -> Subject {
    consumer(World::open(), |world, event| {
        world.block_on(charge_consumer::handle(&world.app, event, || TIME_LEFT))
    })
}

fn webhook() -> Subject {
    consumer(World::open(), |world, event| world.block_on(webhook_consumer::handle(&world.app, event)))
}

/// Nobody is reached.
struct Nowhere;

#[async_trait]
impl WebhookSender for Nowhere {
    async fn send(&self, webhook: OutgoingWebhook<'_>) -> Attempt {
        Attempt { at: webhook.at, answer: Answer::Nothing(NoAnswer::Unreachable), took: Took::UnderASecond }
    }
}

#[async_trait]
impl Mailer for Nowhere {
    async fn mail(&self, _: Mail<'_>) -> Result<(), TellError> {
        Ok(())
    }
}

#[async_trait]
impl Texter for Nowhere {
    async fn sms(&self, _: &Phone, _: &str) -> Result<(), TellError> {
        Ok(())
    }

    async fn push(&self, _: &PushTarget, _: &str) -> Result<(), TellError> {
        Ok(())
    }
}

fn notice() -> Subject {
    let world = World::open();
    let store = world.table.store.clone();
    let (sender, queue) = (Arc::new(Nowhere), world.deliveries.clone());
    let notifier = Notifier::new(store.clone(), sender, queue, world.clock.clone());
    let teller = Teller::try_new(TellerParts {
        store: store.clone(),
        notices: store.clone(),
        customers: store.clone(),
        invoices: store,
        mailer: Some(Arc::new(Nowhere)),
        texter: Arc::new(Nowhere),
        clock: world.clock.clone(),
        issuer: Name::parse("Padaria Central").unwrap(),
        language: Language::English,
    });
    let teller = teller.unwrap();
    consumer(world, move |world, event| {
        world.block_on(notifier::handle(&notifier, &teller, event, || TIME_LEFT))
    })
}
