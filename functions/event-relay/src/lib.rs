//! The outbox that costs no write: the table's stream, told to EventBridge as domain events, and to the platform's books.

mod bus;
mod wire;

pub use bus::EventBridgeBus;
pub use wire::detail;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use fatura_application::ports::{EventBus, Journals, SendError, Store, StoreError};
use fatura_application::{relay, seal};
use fatura_domain::event::Written;
use fatura_domain::ledger::Transaction;
use fatura_store::{StreamImage, bill_of_image, invoice_of_image, transaction_of_image};
use std::fmt;
use std::sync::Arc;

/// Who is told.
#[derive(Clone)]
pub struct Relay {
    pub bus: Arc<dyn EventBus>,
    pub store: Arc<dyn Store>,
    pub journals: Arc<dyn Journals>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relay(..)")
    }
}

/// What a record is about, with its place in the batch.
#[derive(Default)]
struct Told {
    changes: Vec<Written>,
    changes_at: Vec<usize>,
    journals: Vec<Transaction>,
    journals_at: Vec<usize>,
}

/// Tells what happened in the order in which it happened. After the first record that could not be told, nothing counts
/// as told: the stream comes again from there.
pub async fn handle(relay_to: &Relay, event: Event) -> Result<DynamoDbEventResponse, SendError> {
    let mut told = Told::default();
    let mut positions = Vec::new();
    for (place, record) in event.records.into_iter().enumerate() {
        positions.push(record.change.sequence_number.clone());
        told.read(place, record);
    }
    let (events, sealed) = futures::join!(
        relay(&*relay_to.bus, &told.changes),
        seal(&*relay_to.store, &*relay_to.journals, &told.journals)
    );
    let untold = events?.and_then(|first| told.changes_at.get(first).copied());
    let unsealed = sealed.err().and_then(|(first, error)| {
        tracing::warn!(%error, "journals are sealed when the stream tells of them again");
        told.journals_at.get(first).copied()
    });
    let mut response = DynamoDbEventResponse::default();
    if let Some(first) = untold.into_iter().chain(unsealed).min() {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = positions.get(first).cloned().flatten();
        response.batch_item_failures.push(failure);
    }
    Ok(response)
}

impl Told {
    fn read(&mut self, place: usize, record: EventRecord) {
        let (before, after) = (record.change.old_image, record.change.new_image);
        // Written once: there is nothing before it.
        if let Some(journal) = image(after.clone(), transaction_of_image) {
            self.journals.push(journal);
            self.journals_at.push(place);
        } else if let Some(change) = change(before, after) {
            self.changes.push(change);
            self.changes_at.push(place);
        }
    }
}

/// What a record is about, before and after, if that is told.
fn change(before: StreamImage, after: StreamImage) -> Option<Written> {
    if let Some(after) = image(after.clone(), invoice_of_image) {
        let before = image(before, invoice_of_image).map(Box::new);
        return Some(Written::Invoice { before, after: Box::new(after) });
    }
    let after = Box::new(image(after, bill_of_image)?);
    Some(Written::Bill { before: image(before, bill_of_image).map(Box::new), after })
}

fn image<T>(item: StreamImage, read: fn(StreamImage) -> Result<Option<T>, StoreError>) -> Option<T> {
    // To come again wouldn't help, and would hold up what comes after it.
    read(item).inspect_err(|error| tracing::error!(%error, "an item of the stream cannot be read")).ok()?
}
