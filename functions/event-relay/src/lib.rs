//! The outbox that costs no write: the table's stream, told to EventBridge as domain events.

mod bus;
mod wire;

pub use bus::EventBridgeBus;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use fatura_application::ports::{EventBus, SendError};
use fatura_application::relay;
use fatura_domain::invoice::Invoice;

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

/// The invoice before and after, if it is an invoice that the record is about.
fn change(record: EventRecord) -> Option<(Option<Invoice>, Invoice)> {
    let after = image(record.change.new_image)?;
    Some((image(record.change.old_image), after))
}

fn image(item: fatura_store::StreamImage) -> Option<Invoice> {
    match fatura_store::invoice_of_image(item) {
        Ok(invoice) => invoice,
        Err(error) => {
            // To come again wouldn't help, and would hold up what comes after it.
            tracing::error!(%error, "an item of the stream cannot be read");
            None
        }
    }
}
