//! The outbox that costs no write: the table's stream, told to EventBridge as domain events.

mod bus;
mod wire;

pub use bus::EventBridgeBus;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use fatura_application::ports::{EventBus, SendError, StoreError};
use fatura_application::relay;
use fatura_domain::event::Written;
use fatura_store::{StreamImage, bill_of_image, invoice_of_image};

/// Tells what happened in the order in which it happened. After the first record that could not be told, nothing counts
/// as told: the stream comes again from there.
pub async fn handle(bus: &dyn EventBus, event: Event) -> Result<DynamoDbEventResponse, SendError> {
    let mut changes = Vec::new();
    let mut positions = Vec::new();
    for record in event.records {
        let position = record.change.sequence_number.clone();
        if let Some(change) = change(record) {
            changes.push(change);
            positions.push(position);
        }
    }
    let mut response = DynamoDbEventResponse::default();
    if let Some(first) = relay(bus, &changes).await? {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = positions.get(first).cloned().flatten();
        response.batch_item_failures.push(failure);
    }
    Ok(response)
}

/// What the record is about, before and after, if that is told.
fn change(record: EventRecord) -> Option<Written> {
    let (before, after) = (record.change.old_image, record.change.new_image);
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
