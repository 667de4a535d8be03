//! Webhooks that go out.

use super::plan::{at_version, changed, new, unconditional};
use super::{Action, Write};
use crate::items::{DeliveryItem, DeliveryPlaceItem, EndpointItem, to_key};
use crate::keys;
use fatura_application::outgoing::OutgoingChange;
use fatura_application::ports::StoreError;

pub(super) fn actions(change: OutgoingChange) -> Result<Vec<Action>, StoreError> {
    Ok(match change {
        OutgoingChange::EndpointAdded(endpoint) => vec![new(EndpointItem::write(&endpoint)?)],
        OutgoingChange::EndpointChanged(endpoint) => {
            vec![changed(EndpointItem::write(&endpoint)?, endpoint.version)]
        }
        OutgoingChange::EndpointRemoved { id, version } => {
            vec![at_version(Write::Delete(to_key(keys::endpoint(id))), version)]
        }
        OutgoingChange::DeliveryBegun(delivery) => {
            let place = unconditional(Write::Put(DeliveryPlaceItem::write(&delivery)?));
            vec![new(DeliveryItem::write(&delivery)?), place]
        }
        OutgoingChange::DeliveryChanged(delivery) => {
            vec![changed(DeliveryItem::write(&delivery)?, delivery.version)]
        }
    })
}
